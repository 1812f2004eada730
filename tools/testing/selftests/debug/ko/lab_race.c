// SPDX-License-Identifier: GPL-2.0-only
/* For tests: two threads count in one place when it is loaded; it will not stay. */
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>

static unsigned long counter;

static int count_on(void *unused)
{
	while (!kthread_should_stop()) {
		counter++;
		cond_resched();
	}
	return 0;
}

static int __init race_init(void)
{
	struct task_struct *threads[2];
	int i;

	for (i = 0; i < ARRAY_SIZE(threads); i++)
		threads[i] = kthread_run(count_on, NULL, "lab_race");
	schedule_timeout_uninterruptible(3 * HZ);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		if (!IS_ERR(threads[i]))
			kthread_stop(threads[i]);
	return -ENODEV;
}
module_init(race_init);

MODULE_DESCRIPTION("Has a data race");
MODULE_LICENSE("GPL");

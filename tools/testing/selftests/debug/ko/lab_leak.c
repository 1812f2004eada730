// SPDX-License-Identifier: GPL-2.0-only
/* For tests: loses memory when it is loaded, and will not stay. */
#include <linux/module.h>
#include <linux/slab.h>

static int __init leak_init(void)
{
	unsigned int i;
	void *p;

	/* one address may still lie on a stack by chance */
	for (i = 0; i < 16; i++) {
		p = kmalloc(1000, GFP_KERNEL);
		if (p)
			memset(p, i, 1000);
	}
	return -ENODEV;
}
module_init(leak_init);

MODULE_DESCRIPTION("Loses memory");
MODULE_LICENSE("GPL");

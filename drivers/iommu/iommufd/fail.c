// SPDX-License-Identifier: GPL-2.0-only
#include <linux/debugfs.h>
#include <linux/fault-inject.h>

#include "fail.h"

#ifdef CONFIG_FAULT_INJECTION

static DECLARE_FAULT_ATTR(fail_iommufd);

/**
 * iommufd_fail_here - whether a test wants this step to fail
 *
 * Return: true if so, by /sys/kernel/debug/fail_iommufd or the task's fail-nth
 */
bool iommufd_fail_here(void)
{
	return should_fail(&fail_iommufd, 1);
}

#endif

#ifdef CONFIG_FAULT_INJECTION_DEBUG_FS

static struct dentry *fail_dir;

void iommufd_fail_init(void)
{
	fail_dir = fault_create_debugfs_attr("fail_iommufd", NULL, &fail_iommufd);
}

void iommufd_fail_exit(void)
{
	if (!IS_ERR(fail_dir))
		debugfs_remove_recursive(fail_dir);
}

#endif

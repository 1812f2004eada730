/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Points at which the core can be made to fail, for tests: where the reason is
 * not memory, which failslab and fail_page_alloc take away. On kernels with fault
 * injection they are /sys/kernel/debug/fail_iommufd.
 */
#ifndef __IOMMUFD_FAIL_H
#define __IOMMUFD_FAIL_H

#include <linux/types.h>

#ifdef CONFIG_FAULT_INJECTION
bool iommufd_fail_here(void);
#else
static inline bool iommufd_fail_here(void)
{
	return false;
}
#endif

#ifdef CONFIG_FAULT_INJECTION_DEBUG_FS
void iommufd_fail_init(void);
void iommufd_fail_exit(void);
#else
static inline void iommufd_fail_init(void)
{
}

static inline void iommufd_fail_exit(void)
{
}
#endif

#endif

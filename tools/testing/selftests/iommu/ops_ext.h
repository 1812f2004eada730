/* SPDX-License-Identifier: GPL-2.0 */
/* Operations on the types of <linux/iommufd_ext.h>, for the table of ops.c. */
#ifndef IOMMU_OPS_EXT_H
#define IOMMU_OPS_EXT_H

#include "ops.h"

int ops_ext_instance(struct ops_env *e);
int ops_ext_windows_info(struct ops_env *e);
int ops_ext_hwpt(struct ops_env *e);

#endif

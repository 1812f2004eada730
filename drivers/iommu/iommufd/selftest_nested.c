// SPDX-License-Identifier: GPL-2.0-only
/*
 * The selftest ioctl: what invalidations of nested page tables and vIOMMUs have
 * left in the mock's caches.
 */
#include <linux/iommu.h>
#include <linux/module.h>
#include <uapi/linux/iommufd_test.h>

#include "device.h"
#include "hwpt.h"
#include "ioctl.h"
#include "selftest.h"

static int compare(u32 got, u32 want)
{
	if (got == want)
		return 0;
	return iommufd_refuse(-EINVAL, "it holds 0x%x, not 0x%x", got, want);
}

int selftest_check_iotlb(struct iommufd_ucmd *ucmd,
			 const struct iommufd_selftest_ops *ops)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	struct iommufd_object *obj;
	u32 value;
	int rc;

	obj = iommufd_object_get(ucmd->ictx, cmd->id, &iommufd_hwpt_nested_type);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	rc = ops->nested_iotlb(to_hwpt(obj)->idom.domain, cmd->check_iotlb.id,
			       &value);
	iommufd_object_put(obj);
	return rc ?: compare(value, cmd->check_iotlb.iotlb);
}

int selftest_check_dev_cache(struct iommufd_ucmd *ucmd,
			     const struct iommufd_selftest_ops *ops)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	struct iommufd_object *obj;
	u32 value;
	int rc;

	obj = iommufd_object_get(ucmd->ictx, cmd->id, &iommufd_device_type);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	rc = ops->device_cache(to_idev(obj)->dev, cmd->check_dev_cache.id,
			       &value);
	iommufd_object_put(obj);
	return rc ?: compare(value, cmd->check_dev_cache.cache);
}

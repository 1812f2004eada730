// SPDX-License-Identifier: GPL-2.0-only
/*
 * The selftest ioctl: what devices and IOMMUs tell the user by themselves.
 */
#include <linux/iommu.h>
#include <uapi/linux/iommufd_test.h>

#include "device.h"
#include "ioctl.h"
#include "selftest.h"

/* Held until iommufd_object_put(). */
static struct iommufd_device *mock_idev_get(struct iommufd_ucmd *ucmd, u32 id,
					    const struct iommufd_selftest_ops *ops)
{
	struct iommufd_object *obj;

	obj = iommufd_object_get(ucmd->ictx, id, &iommufd_device_type);
	if (IS_ERR(obj))
		return ERR_CAST(obj);
	if (to_idev(obj)->drv == ops->driver)
		return to_idev(obj);
	iommufd_object_put(obj);
	return ERR_PTR(iommufd_refuse(-EINVAL, "device %u is not one of the mock IOMMU",
				      id));
}

int selftest_trigger_iopf(struct iommufd_ucmd *ucmd,
			  const struct iommufd_selftest_ops *ops)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	struct iommu_fault_page_request request = {
		.flags = IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE,
		.pasid = cmd->trigger_iopf.pasid,
		.grpid = cmd->trigger_iopf.grpid,
		.perm = cmd->trigger_iopf.perm,
		.addr = cmd->trigger_iopf.addr,
	};
	struct iommufd_device *idev;
	int rc;

	idev = mock_idev_get(ucmd, cmd->trigger_iopf.dev_id, ops);
	if (IS_ERR(idev))
		return PTR_ERR(idev);
	if (request.pasid != IOMMU_NO_PASID)
		request.flags |= IOMMU_FAULT_PAGE_REQUEST_PASID_VALID |
				 IOMMU_FAULT_PAGE_RESPONSE_NEEDS_PASID;
	rc = ops->page_request(idev->dev, &request);
	iommufd_object_put(&idev->obj);
	return rc;
}

int selftest_trigger_vevent(struct iommufd_ucmd *ucmd,
			    const struct iommufd_selftest_ops *ops)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	struct iommufd_device *idev;
	int rc;

	idev = mock_idev_get(ucmd, cmd->trigger_vevent.dev_id, ops);
	if (IS_ERR(idev))
		return PTR_ERR(idev);
	rc = ops->trigger_vevent(idev->dev);
	iommufd_object_put(&idev->obj);
	return rc;
}

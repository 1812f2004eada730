// SPDX-License-Identifier: GPL-2.0-only
/*
 * The selftest ioctl: PASIDs of mock devices, as a driver would attach them.
 */
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <uapi/linux/iommufd_test.h>

#include "compat.h"
#include "device.h"
#include "hwpt.h"
#include "ioctl.h"
#include "selftest.h"

/*
 * A PASID is attached to just the page table that was asked for, so the answer is
 * known, and written, before anything is done that would have to be undone.
 */
static int change_pasid(struct iommufd_ucmd *ucmd,
			int (*change)(struct iommufd_device *idev, ioasid_t pasid,
				      u32 *pt_id),
			ioasid_t pasid, u32 *pt_id)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	struct selftest_device *stdev;
	int rc;

	stdev = selftest_device_get(ucmd->ictx, cmd->id);
	if (IS_ERR(stdev))
		return PTR_ERR(stdev);
	rc = iommufd_ucmd_respond(ucmd);
	if (!rc) {
		mutex_lock(&stdev->lock);
		rc = change(stdev->idev, pasid, pt_id);
		mutex_unlock(&stdev->lock);
	}
	iommufd_object_put(&stdev->obj);
	return rc;
}

int selftest_pasid_attach(struct iommufd_ucmd *ucmd,
			  const struct iommufd_selftest_ops *ops)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;

	return change_pasid(ucmd, iommufd_device_pasid_attach,
			    cmd->pasid_attach.pasid, &cmd->pasid_attach.pt_id);
}

int selftest_pasid_replace(struct iommufd_ucmd *ucmd,
			   const struct iommufd_selftest_ops *ops)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;

	return change_pasid(ucmd, iommufd_device_pasid_replace,
			    cmd->pasid_replace.pasid, &cmd->pasid_replace.pt_id);
}

int selftest_pasid_detach(struct iommufd_ucmd *ucmd,
			  const struct iommufd_selftest_ops *ops)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	struct selftest_device *stdev;

	stdev = selftest_device_get(ucmd->ictx, cmd->id);
	if (IS_ERR(stdev))
		return PTR_ERR(stdev);
	mutex_lock(&stdev->lock);
	iommufd_device_pasid_detach(stdev->idev, cmd->pasid_detach.pasid);
	mutex_unlock(&stdev->lock);
	iommufd_object_put(&stdev->obj);
	return 0;
}

/* The hardware, the IOMMU core and iommufd have to be of one opinion. */
static int check_pasid(struct selftest_device *stdev, u32 pasid,
		       struct iommufd_hwpt *hwpt)
{
	struct iommu_domain *want = hwpt ? hwpt->idom.domain : NULL;
	struct iommufd_group *igroup = stdev->idev->igroup;
	struct iommu_attach_handle *handle;
	bool attached;

	if (stdev->ops->pasid_domain(stdev->dev, pasid) != want)
		return iommufd_refuse(-EINVAL,
				      "PASID %u of %s leads %s page table %u",
				      pasid, dev_name(stdev->dev),
				      want ? "elsewhere than to" : "somewhere, not to",
				      hwpt ? hwpt->obj.id : 0);
	handle = iommu_attach_handle_get(igroup->group, pasid, 0);
	if ((IS_ERR(handle) ? NULL : handle->domain) != want)
		return iommufd_refuse(-EINVAL,
				      "the kernel believes PASID %u of %s to lead elsewhere",
				      pasid, dev_name(stdev->dev));
	attached = iommufd_device_pasid_attached(stdev->idev, pasid);
	if (attached != !!want)
		return iommufd_refuse(-EINVAL, "PASID %u of %s is believed to be %s",
				      pasid, dev_name(stdev->dev),
				      attached ? "attached" : "free");
	return 0;
}

static struct iommufd_hwpt *get_hwpt(struct iommufd_ctx *ictx, u32 id)
{
	struct iommufd_object *obj = iommufd_object_get_any(ictx, id);

	if (IS_ERR(obj))
		return ERR_CAST(obj);
	if (iommufd_object_is_hwpt(obj))
		return to_hwpt(obj);
	iommufd_refuse(-EINVAL, "object %u is a %s, no page table", id,
		       obj->type->name);
	iommufd_object_put(obj);
	return ERR_PTR(-EINVAL);
}

int selftest_pasid_check_hwpt(struct iommufd_ucmd *ucmd,
			      const struct iommufd_selftest_ops *ops)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	struct iommufd_hwpt *hwpt = NULL;
	struct selftest_device *stdev;
	int rc;

	stdev = selftest_device_get(ucmd->ictx, cmd->id);
	if (IS_ERR(stdev))
		return PTR_ERR(stdev);
	if (cmd->pasid_check.hwpt_id)
		hwpt = get_hwpt(ucmd->ictx, cmd->pasid_check.hwpt_id);
	if (IS_ERR(hwpt)) {
		rc = PTR_ERR(hwpt);
		goto out;
	}
	mutex_lock(&stdev->lock);
	rc = check_pasid(stdev, cmd->pasid_check.pasid, hwpt);
	mutex_unlock(&stdev->lock);
	if (hwpt)
		iommufd_object_put(&hwpt->obj);
out:
	iommufd_object_put(&stdev->obj);
	return rc;
}

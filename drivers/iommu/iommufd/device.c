// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device objects: taking a device over from the kernel, and describing the IOMMU
 * in front of it.
 */
#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/iommufd.h>

#include "device.h"
#include "ext.h"
#include "hwpt.h"
#include "ioctl.h"
#include "pasid.h"
#include "viommu.h"

static bool allow_unsafe_interrupts;
module_param(allow_unsafe_interrupts, bool, 0644);
MODULE_PARM_DESC(allow_unsafe_interrupts,
		 "Hand out devices whose message interrupts the IOMMU does not isolate: their user can then raise any interrupt of the host (default: off)");

static void group_release(struct kref *kref)
{
	struct iommufd_group *igroup =
		container_of(kref, struct iommufd_group, kref);

	list_del(&igroup->link);
	mutex_unlock(&igroup->ictx->groups_lock);
	WARN_ON(igroup->hwpt);
	WARN_ON(!xa_empty(&igroup->pasids));
	xa_destroy(&igroup->pasids);
	iommu_group_put(igroup->group);
	mutex_destroy(&igroup->lock);
	kfree(igroup);
}

/**
 * iommufd_group_get - the context's view of an IOMMU group
 * @ictx: the context
 * @group: the IOMMU group; the caller's reference is taken over, or dropped
 *
 * Return: the group, to be given back with iommufd_group_put(), or an ERR_PTR of
 *	   -ENOMEM
 */
struct iommufd_group *iommufd_group_get(struct iommufd_ctx *ictx,
					struct iommu_group *group)
{
	struct iommufd_group *igroup;

	mutex_lock(&ictx->groups_lock);
	list_for_each_entry(igroup, &ictx->groups, link) {
		if (igroup->group == group) {
			kref_get(&igroup->kref);
			mutex_unlock(&ictx->groups_lock);
			iommu_group_put(group);
			return igroup;
		}
	}
	igroup = kzalloc(sizeof(*igroup), GFP_KERNEL_ACCOUNT);
	if (igroup) {
		kref_init(&igroup->kref);
		mutex_init(&igroup->lock);
		INIT_LIST_HEAD(&igroup->attached);
		xa_init_flags(&igroup->pasids, XA_FLAGS_ACCOUNT);
		igroup->ictx = ictx;
		igroup->group = group;
		list_add_tail(&igroup->link, &ictx->groups);
	}
	mutex_unlock(&ictx->groups_lock);
	if (!igroup) {
		iommu_group_put(group);
		return ERR_PTR(iommufd_refuse(-ENOMEM, "no memory for a group"));
	}
	return igroup;
}

/**
 * iommufd_group_put - give a group back
 * @igroup: may be gone afterwards
 */
void iommufd_group_put(struct iommufd_group *igroup)
{
	kref_put_mutex(&igroup->kref, group_release, &igroup->ictx->groups_lock);
}

/**
 * iommufd_ctx_has_group - whether a device of a group is bound to a context
 * @ictx: the context
 * @group: the IOMMU group
 *
 * Context: may sleep.
 * Return: whether one is
 */
bool iommufd_ctx_has_group(struct iommufd_ctx *ictx, struct iommu_group *group)
{
	struct iommufd_group *igroup;
	bool found = false;

	mutex_lock(&ictx->groups_lock);
	list_for_each_entry(igroup, &ictx->groups, link)
		found |= igroup->group == group;
	mutex_unlock(&ictx->groups_lock);
	return found;
}
EXPORT_SYMBOL_GPL(iommufd_ctx_has_group);

static void idev_destroy(struct iommufd_object *obj)
{
	struct iommufd_device *idev = to_idev(obj);

	WARN_ON(!list_empty(&idev->attached));
	WARN_ON(idev->nr_pasids);
	iommufd_vdevice_orphan(idev);
	iommufd_fault_source_destroy(&idev->faults);
	iommu_device_release_dma_owner(idev->dev);
	iommufd_group_put(idev->igroup);
	hw_driver_put(idev->drv);
	put_device(idev->dev);
	kfree(idev);
}

static void idev_show(struct iommufd_object *obj, struct seq_file *m)
{
	struct iommufd_device *idev = to_idev(obj);
	struct iommufd_hwpt *hwpt = READ_ONCE(idev->igroup->hwpt);
	struct device *iommu = idev->dev->iommu->iommu_dev->dev;

	seq_printf(m, " dev=%s group=%d driver=%s iommu=%s",
		   dev_name(idev->dev), iommu_group_id(idev->igroup->group),
		   idev->drv->name, iommu ? dev_name(iommu) : "unnamed");
	/*
	 * The group's table cannot be freed while the xa_lock is held: it would
	 * have to leave the table of objects first.
	 */
	if (hwpt && !list_empty(&idev->attached))
		seq_printf(m, " attached=%u", hwpt->obj.id);
	iommufd_pasid_show(idev, m);
}

static bool idev_depends_on(const struct iommufd_object *obj,
			      const struct iommufd_object *other)
{
	const struct iommufd_device *idev =
		container_of(obj, struct iommufd_device, obj);
	const struct iommufd_hwpt *hwpt = READ_ONCE(idev->igroup->hwpt);

	return (hwpt && &hwpt->obj == other) || iommufd_pasid_uses(idev, other);
}

const struct iommufd_object_type iommufd_device_type = {
	.name = "device",
	.destroy = idev_destroy,
	.show = idev_show,
	.depends_on = idev_depends_on,
};

/* A group member that a driver of the kernel uses for DMA of its own. */
struct group_obstacle {
	char dev[32];
	char driver[32];
};

static int find_obstacle(struct device *dev, void *data)
{
	struct group_obstacle *obstacle = data;

	/* Probing takes these locks the other way round: never wait here. */
	if (!dev_is_pci(dev) || !device_trylock(dev))
		return 0;
	if (dev->driver && !to_pci_driver(dev->driver)->driver_managed_dma) {
		strscpy(obstacle->dev, dev_name(dev));
		strscpy(obstacle->driver, dev->driver->name);
	}
	device_unlock(dev);
	return 0;
}

static int refuse_claim(struct device *dev, struct iommu_group *group, int rc)
{
	struct group_obstacle obstacle = {};
	int id = iommu_group_id(group);

	iommu_group_for_each_dev(group, &obstacle, find_obstacle);
	if (rc == -EPERM && obstacle.dev[0])
		return iommufd_refuse(rc, "%s shares IOMMU group %d with %s, which the driver %s uses: unbind it first",
				      dev_name(dev), id, obstacle.dev,
				      obstacle.driver);
	if (rc == -EPERM || rc == -EBUSY)
		return iommufd_refuse(rc, "another user has IOMMU group %d of %s, through /dev/vfio/%d or another /dev/iommu",
				      id, dev_name(dev), id);
	return iommufd_refuse(rc, "the kernel does not give up IOMMU group %d of %s, perhaps because firmware needs its memory mapped 1:1",
			      id, dev_name(dev));
}

/* Whether it is safe to hand out @dev at all. */
static int check_device(struct device *dev, struct iommu_group *group,
			const struct iommufd_driver_ops *drv)
{
	if (!device_iommu_capable(dev, IOMMU_CAP_CACHE_COHERENCY))
		return iommufd_refuse(-EINVAL,
				      "the IOMMU of %s cannot keep DMA coherent with CPU caches",
				      dev_name(dev));
	if (drv == &hw_builtin_ops && !hw_builtin_has_tables(dev))
		return iommufd_refuse(-ENODEV,
				      "the kernel's own driver of the IOMMU of %s has no page tables%s",
				      dev_name(dev), IS_ENABLED(CONFIG_PPC64) ?
				      ": load iommu_tce" : "");
	if (!drv->msi_isolated && !iommu_group_has_isolated_msi(group)) {
		if (!allow_unsafe_interrupts)
			return iommufd_refuse(-EPERM,
					      "the IOMMU does not isolate message interrupts of %s: enable interrupt remapping, or trust its user and set iommufd.allow_unsafe_interrupts=1",
					      dev_name(dev));
		dev_warn_once(dev, "iommufd: allow_unsafe_interrupts: users may raise any interrupt\n");
	}
	return 0;
}

/**
 * iommufd_device_bind - hand a device over to a /dev/iommu context
 * @ictx: the context
 * @dev: a device whose driver does no DMA of its own; if it fails it stays as is
 * @id: receives the id of the device object
 *
 * Claims the DMA ownership of the device's group for the context: from now on
 * it reaches no memory until it is attached, and no other user gets any device
 * of the group.
 *
 * Context: may sleep.
 * Return: the bound device, or an ERR_PTR, explained: -ENODEV without an IOMMU, or
 *	   where nobody makes page tables for it, -EINVAL if it is not coherent,
 *	   -EPERM if its interrupts are not isolated or somebody else has its
 *	   group, -ENOMEM
 */
struct iommufd_device *iommufd_device_bind(struct iommufd_ctx *ictx,
					   struct device *dev, u32 *id)
{
	const struct iommufd_driver_ops *drv;
	struct iommufd_group *igroup;
	struct iommufd_device *idev;
	struct iommu_group *group;
	int rc;

	group = iommu_group_get(dev);
	if (!group || !dev->iommu || !dev->iommu->iommu_dev) {
		iommu_group_put(group);
		return ERR_PTR(iommufd_refuse(-ENODEV,
					      "no IOMMU translates for %s: switch it on in the firmware, and on Intel boot with intel_iommu=on",
					      dev_name(dev)));
	}
	igroup = iommufd_group_get(ictx, group);
	if (IS_ERR(igroup))
		return ERR_CAST(igroup);
	drv = hw_driver_get(dev);
	if (IS_ERR(drv)) {
		rc = PTR_ERR(drv);
		goto err_group;
	}
	rc = check_device(dev, igroup->group, drv);
	if (rc)
		goto err_drv;
	rc = iommu_device_claim_dma_owner(dev, ictx);
	if (rc) {
		refuse_claim(dev, igroup->group, rc);
		goto err_drv;
	}
	idev = kzalloc(sizeof(*idev), GFP_KERNEL_ACCOUNT);
	if (!idev) {
		rc = iommufd_refuse(-ENOMEM, "no memory for a device");
		goto err_claim;
	}
	idev->dev = get_device(dev);
	idev->drv = drv;
	idev->igroup = igroup;
	INIT_LIST_HEAD(&idev->attached);
	iommufd_fault_source_init(&idev->faults);
	idev->enforce_coherency =
		device_iommu_capable(dev, IOMMU_CAP_ENFORCE_CACHE_COHERENCY);
	rc = iommufd_object_init(ictx, &idev->obj, &iommufd_device_type);
	if (rc)
		goto err_idev;
	iommufd_ctx_get(ictx);
	idev->obj.deps = 1;
	*id = idev->obj.id;
	iommufd_object_publish(&idev->obj);
	return idev;

err_idev:
	put_device(dev);
	kfree(idev);
err_claim:
	iommu_device_release_dma_owner(dev);
err_drv:
	hw_driver_put(drv);
err_group:
	iommufd_group_put(igroup);
	return ERR_PTR(rc);
}
EXPORT_SYMBOL_GPL(iommufd_device_bind);

/**
 * iommufd_device_unbind - take a device back from its context
 * @idev: from iommufd_device_bind(), neither attached nor one of its PASIDs; gone
 *	  afterwards
 *
 * Context: sleeps until no system call uses the device.
 */
void iommufd_device_unbind(struct iommufd_device *idev)
{
	struct iommufd_ctx *ictx = idev->obj.ictx;

	iommufd_object_retire(&idev->obj);
	iommufd_ctx_put(ictx);
}
EXPORT_SYMBOL_GPL(iommufd_device_unbind);

/**
 * iommufd_device_to_ictx - the context a device is bound to
 * @idev: a bound device
 *
 * Return: the context, valid as long as the device is bound
 */
struct iommufd_ctx *iommufd_device_to_ictx(struct iommufd_device *idev)
{
	return idev->obj.ictx;
}
EXPORT_SYMBOL_GPL(iommufd_device_to_ictx);

/**
 * iommufd_device_to_id - the id of a device object
 * @idev: a bound device
 *
 * Return: the id that iommufd_device_bind() gave
 */
u32 iommufd_device_to_id(struct iommufd_device *idev)
{
	return idev->obj.id;
}
EXPORT_SYMBOL_GPL(iommufd_device_to_id);

static int copy_hw_data(struct iommu_hw_info *cmd,
			const struct iommufd_hw_data *info)
{
	void __user *out = u64_to_user_ptr(cmd->data_uptr);
	size_t len = min(cmd->data_len, info->len);

	if (copy_to_user(out, info->data, len) ||
	    clear_user(out + len, cmd->data_len - len))
		return iommufd_refuse(-EFAULT,
				      "the buffer of %u bytes at 0x%llx cannot be written to",
				      cmd->data_len, cmd->data_uptr);
	return 0;
}

/* Types of ours come without the driver's data, but with its PASIDs. */
static int get_hw_data(struct iommufd_device *idev, u32 type,
		       struct iommufd_hw_data *out)
{
	bool ext = iommufd_ext_knows(type);
	int rc;

	rc = idev->drv->hw_info(idev->dev,
				ext ? IOMMU_HW_INFO_TYPE_DEFAULT : type, out);
	if (rc || !ext)
		return rc;
	kfree(out->data);
	out->data = NULL;
	return iommufd_ext_hw_info(idev, type, out);
}

int iommufd_get_hw_info(struct iommufd_ucmd *ucmd)
{
	struct iommu_hw_info *cmd = ucmd->cmd;
	struct iommufd_hw_data info = { .type = IOMMU_HW_INFO_TYPE_NONE };
	u64 pasid_caps;
	u32 type = IOMMU_HW_INFO_TYPE_DEFAULT;
	struct iommufd_object *obj;
	struct iommufd_device *idev;
	int rc;

	rc = iommufd_check_flags(cmd->flags, IOMMU_HW_INFO_FLAG_INPUT_TYPE);
	if (!rc)
		rc = iommufd_check_reserved(cmd->__reserved[0] |
					    cmd->__reserved[1] |
					    cmd->__reserved[2], "__reserved");
	if (rc)
		return rc;
	if (cmd->flags & IOMMU_HW_INFO_FLAG_INPUT_TYPE)
		type = cmd->in_data_type;

	obj = iommufd_object_get(ucmd->ictx, cmd->dev_id, &iommufd_device_type);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	idev = to_idev(obj);
	rc = get_hw_data(idev, type, &info);
	if (!rc)
		rc = copy_hw_data(cmd, &info);
	if (!rc) {
		pasid_caps = iommufd_pasid_describe(idev->dev, &info);
		cmd->out_data_type = info.type;
		cmd->data_len = info.len;
		cmd->out_max_pasid_log2 = info.max_pasid_log2;
		cmd->out_capabilities = pasid_caps |
					idev->drv->capabilities(idev->dev);
		rc = iommufd_ucmd_respond(ucmd);
	}
	kfree(info.data);
	iommufd_object_put(obj);
	return rc;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * vIOMMU objects: the part of a physical IOMMU that one VM sees.
 */
#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "device.h"
#include "hwpt.h"
#include "ioctl.h"
#include "viommu.h"

static void viommu_destroy(struct iommufd_object *obj)
{
	struct viommu_object *viommu = to_viommu(obj);

	if (viommu->hw.ops && viommu->hw.ops->destroy)
		viommu->hw.ops->destroy(&viommu->hw);
	WARN_ON(!xa_empty(&viommu->vdevices) || !list_empty(&viommu->queues) ||
		!list_empty(&viommu->veventqs));
	if (viommu->parent)
		iommufd_object_undepend(&viommu->parent->obj);
	hw_driver_put(viommu->drv);
	mutex_destroy(&viommu->queues_lock);
	kfree(viommu);
}

static void viommu_show(struct iommufd_object *obj, struct seq_file *m)
{
	struct viommu_object *viommu = to_viommu(obj);

	seq_printf(m, " viommu_type=0x%x parent=%u driver=%s iommu=%s",
		   viommu->hw.type, viommu->parent->obj.id, viommu->drv->name,
		   viommu->hw.iommu_dev->dev ?
		   dev_name(viommu->hw.iommu_dev->dev) : "unnamed");
}

static bool viommu_depends_on(const struct iommufd_object *obj,
			      const struct iommufd_object *other)
{
	const struct viommu_object *viommu =
		container_of(obj, struct viommu_object, obj);

	return &viommu->parent->obj == other;
}

const struct iommufd_object_type iommufd_viommu_type = {
	.name = "viommu",
	.others = "an mmap() of its memory",
	.destroy = viommu_destroy,
	.show = viommu_show,
	.depends_on = viommu_depends_on,
};

/**
 * iommufd_viommu_get - find a vIOMMU
 * @ictx: the context
 * @id: from the user
 *
 * Return: the vIOMMU, its object held until iommufd_object_put(), or an ERR_PTR of
 *	   -ENOENT; explained
 */
struct viommu_object *iommufd_viommu_get(struct iommufd_ctx *ictx, u32 id)
{
	struct iommufd_object *obj;

	obj = iommufd_object_get(ictx, id, &iommufd_viommu_type);
	return IS_ERR(obj) ? ERR_CAST(obj) : to_viommu(obj);
}

/**
 * iommufd_viommu_check_device - whether a device can belong to a vIOMMU
 * @viommu: the vIOMMU
 * @idev: a bound device
 *
 * Return: 0, or -EINVAL if another physical IOMMU translates for it; explained
 */
int iommufd_viommu_check_device(const struct viommu_object *viommu,
				const struct iommufd_device *idev)
{
	if (idev->dev->iommu->iommu_dev == viommu->hw.iommu_dev)
		return 0;
	return iommufd_refuse(-EINVAL,
			      "%s is behind another IOMMU than the one that viommu %u is a part of",
			      dev_name(idev->dev), viommu->obj.id);
}

static struct viommu_object *viommu_new(struct iommufd_device *idev)
{
	struct viommu_object *viommu;
	int rc;

	viommu = kzalloc(sizeof(*viommu), GFP_KERNEL_ACCOUNT);
	if (!viommu)
		return ERR_PTR(iommufd_refuse(-ENOMEM, "no memory for a viommu"));
	if (!hw_driver_hold(idev->drv)) {
		kfree(viommu);
		return ERR_PTR(iommufd_refuse(-ENODEV,
					      "the IOMMU driver %s is being unloaded",
					      idev->drv->name));
	}
	viommu->drv = idev->drv;
	init_rwsem(&viommu->vdevices_lock);
	xa_init_flags(&viommu->vdevices, XA_FLAGS_ACCOUNT);
	mutex_init(&viommu->queues_lock);
	INIT_LIST_HEAD(&viommu->queues);
	spin_lock_init(&viommu->events_lock);
	INIT_LIST_HEAD(&viommu->veventqs);
	rc = iommufd_object_init(idev->obj.ictx, &viommu->obj,
				 &iommufd_viommu_type);
	if (rc) {
		hw_driver_put(viommu->drv);
		kfree(viommu);
		return ERR_PTR(rc);
	}
	return viommu;
}

static int viommu_build(struct viommu_object *viommu,
			struct iommufd_device *idev,
			struct iommufd_hwpt *parent,
			struct iommu_viommu_alloc *cmd)
{
	const struct iommu_user_data data = {
		.type = cmd->type,
		.uptr = u64_to_user_ptr(cmd->data_uptr),
		.len = cmd->data_len,
	};
	int rc;

	rc = iommufd_object_depend(&parent->obj);
	if (rc)
		return rc;
	viommu->parent = parent;
	viommu->hw.parent = parent->idom.domain;
	viommu->hw.iommu_dev = idev->dev->iommu->iommu_dev;
	viommu->hw.type = cmd->type;
	return idev->drv->viommu_init(&viommu->hw, idev->dev,
				      cmd->data_len ? &data : NULL);
}

static struct viommu_object *viommu_alloc_on(struct iommufd_hwpt *parent,
					     struct iommufd_device *idev,
					     struct iommu_viommu_alloc *cmd)
{
	struct viommu_object *viommu;
	int rc;

	if (!parent->nest_parent)
		return ERR_PTR(iommufd_refuse(-EINVAL,
					      "hwpt %u was not made with NEST_PARENT",
					      parent->obj.id));
	if (parent->idom.drv != idev->drv)
		return ERR_PTR(iommufd_refuse(-EINVAL,
					      "page table %u belongs to the IOMMU driver %s, %s is behind %s",
					      parent->obj.id,
					      parent->idom.drv->name,
					      dev_name(idev->dev),
					      idev->drv->name));
	viommu = viommu_new(idev);
	if (IS_ERR(viommu))
		return viommu;
	rc = viommu_build(viommu, idev, parent, cmd);
	if (rc) {
		/* A driver that failed has nothing to undo. */
		viommu->hw.ops = NULL;
		iommufd_object_abandon(&viommu->obj);
		return ERR_PTR(rc);
	}
	return viommu;
}

static int check_viommu_alloc(const struct iommu_viommu_alloc *cmd)
{
	int rc;

	rc = iommufd_check_flags(cmd->flags, 0);
	if (!rc)
		rc = iommufd_check_reserved(cmd->__reserved, "__reserved");
	if (rc)
		return rc;
	if (cmd->type == IOMMU_VIOMMU_TYPE_DEFAULT)
		return iommufd_refuse(-EOPNOTSUPP, "there is no viommu of type 0");
	if (cmd->data_len && !cmd->data_uptr)
		return iommufd_refuse(-EFAULT, "data_len is %u and data_uptr null",
				      cmd->data_len);
	return 0;
}

int iommufd_viommu_alloc(struct iommufd_ucmd *ucmd)
{
	struct iommu_viommu_alloc *cmd = ucmd->cmd;
	struct iommufd_object *dev_obj, *parent;
	struct viommu_object *viommu;
	struct iommufd_device *idev;
	int rc;

	rc = check_viommu_alloc(cmd);
	if (rc)
		return rc;
	dev_obj = iommufd_object_get(ucmd->ictx, cmd->dev_id,
				     &iommufd_device_type);
	if (IS_ERR(dev_obj))
		return PTR_ERR(dev_obj);
	idev = to_idev(dev_obj);
	if (!idev->drv->viommu_init) {
		rc = iommufd_refuse(-EOPNOTSUPP,
				    "the IOMMU driver %s of %s has no vIOMMUs%s",
				    idev->drv->name, dev_name(idev->dev),
				    idev->drv == &hw_builtin_ops ?
				    ": those of this kernel know nothing of them" : "");
		goto out_dev;
	}
	parent = iommufd_object_get(ucmd->ictx, cmd->hwpt_id,
				    &iommufd_hwpt_paging_type);
	if (IS_ERR(parent)) {
		rc = PTR_ERR(parent);
		goto out_dev;
	}
	viommu = viommu_alloc_on(to_hwpt(parent), idev, cmd);
	iommufd_object_put(parent);
	if (IS_ERR(viommu)) {
		rc = PTR_ERR(viommu);
		goto out_dev;
	}
	cmd->out_viommu_id = viommu->obj.id;
	rc = iommufd_ucmd_deliver(ucmd, &viommu->obj);
out_dev:
	iommufd_object_put(dev_obj);
	return rc;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * vDEVICE objects: what a VM calls a device that is behind its vIOMMU.
 */
#include <linux/cleanup.h>
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

static struct vdevice_object *to_vdevice(struct iommufd_object *obj)
{
	return container_of(obj, struct vdevice_object, obj);
}

/*
 * Let the device have another vDEVICE, or be unbound. It is not touched after
 * that; whoever waits for it here uses the context's own lock.
 */
static void vdevice_let_go(struct vdevice_object *vdev)
{
	struct iommufd_ctx *ictx = vdev->obj.ictx;

	xa_lock(&ictx->objects);
	WRITE_ONCE(vdev->idev->vdev, NULL);
	wake_up_all(&ictx->idle);
	xa_unlock(&ictx->objects);
}

static void vdevice_take_out(struct vdevice_object *vdev)
{
	struct viommu_object *viommu = vdev->viommu;

	mutex_lock(&vdev->idev->igroup->lock);
	down_write(&viommu->vdevices_lock);
	if (viommu->hw.ops->vdevice_destroy)
		viommu->hw.ops->vdevice_destroy(&vdev->hw);
	xa_erase(&viommu->vdevices, vdev->hw.virt_id);
	vdev->in_place = false;
	up_write(&viommu->vdevices_lock);
	mutex_unlock(&vdev->idev->igroup->lock);
}

static void vdevice_destroy(struct iommufd_object *obj)
{
	struct vdevice_object *vdev = to_vdevice(obj);

	if (vdev->in_place)
		vdevice_take_out(vdev);
	if (vdev->idev)
		vdevice_let_go(vdev);
	if (vdev->viommu)
		iommufd_object_undepend(&vdev->viommu->obj);
	kfree(vdev);
}

static void vdevice_show(struct iommufd_object *obj, struct seq_file *m)
{
	struct vdevice_object *vdev = to_vdevice(obj);

	/* It would have left the table before its device goes. */
	seq_printf(m, " viommu=%u device=%u virt_id=0x%llx",
		   vdev->viommu->obj.id, vdev->idev->obj.id, vdev->hw.virt_id);
}

static bool vdevice_depends_on(const struct iommufd_object *obj,
			       const struct iommufd_object *other)
{
	const struct vdevice_object *vdev =
		container_of(obj, struct vdevice_object, obj);

	return &vdev->viommu->obj == other;
}

const struct iommufd_object_type iommufd_vdevice_type = {
	.name = "vdevice",
	.destroy = vdevice_destroy,
	.show = vdevice_show,
	.depends_on = vdevice_depends_on,
};

/**
 * iommufd_vdevice_orphan - end the vDEVICE of a device that is being unbound
 * @idev: no system call uses it any more
 *
 * The id of the vDEVICE is not used again as long as the context lives, so that a
 * user who still knows it cannot hit something else.
 *
 * Context: may sleep; waits for a user who is destroying the vDEVICE just now.
 */
void iommufd_vdevice_orphan(struct iommufd_device *idev)
{
	struct iommufd_ctx *ictx = idev->obj.ictx;
	struct vdevice_object *vdev;
	bool ours = false;

	xa_lock(&ictx->objects);
	vdev = idev->vdev;
	if (vdev)
		ours = iommufd_object_entomb(&vdev->obj);
	xa_unlock(&ictx->objects);
	if (ours)
		iommufd_object_finish(&vdev->obj);
	else
		wait_event(ictx->idle, !READ_ONCE(idev->vdev));
}

/**
 * iommufd_viommu_check_attach - whether a device may be attached to a table
 * @idev: the device
 * @hwpt: any table; only those made on a vIOMMU ask for something
 *
 * Context: the lock of the device's group is held.
 * Return: 0, or -ENOENT if the vIOMMU of @hwpt does not know the device; explained
 */
int iommufd_viommu_check_attach(struct iommufd_device *idev,
				const struct iommufd_hwpt *hwpt)
{
	struct iommufd_ctx *ictx = idev->obj.ictx;
	bool known;

	lockdep_assert_held(&idev->igroup->lock);
	if (!hwpt->viommu || hwpt->viommu->hw.ops->checks_names)
		return 0;
	xa_lock(&ictx->objects);
	known = idev->vdev && idev->vdev->in_place &&
		idev->vdev->viommu == hwpt->viommu;
	xa_unlock(&ictx->objects);
	if (known)
		return 0;
	return iommufd_refuse(-ENOENT,
			      "%s has no vdevice in viommu %u, which page table %u belongs to",
			      dev_name(idev->dev), hwpt->viommu->obj.id,
			      hwpt->obj.id);
}

/**
 * iommufd_viommu_lock - keep the vDEVICEs of a vIOMMU as they are
 * @viommu: the vIOMMU
 *
 * For drivers. Several may hold it at once. vdevice_init() and vdevice_destroy()
 * are called with it held for themselves alone.
 *
 * Context: may sleep. Memory of users is better read before.
 */
void iommufd_viommu_lock(struct iommufd_viommu *viommu)
{
	down_read(&viommu_of(viommu)->vdevices_lock);
}
EXPORT_SYMBOL_GPL(iommufd_viommu_lock);

/**
 * iommufd_viommu_unlock - undo iommufd_viommu_lock()
 * @viommu: the vIOMMU
 */
void iommufd_viommu_unlock(struct iommufd_viommu *viommu)
{
	up_read(&viommu_of(viommu)->vdevices_lock);
}
EXPORT_SYMBOL_GPL(iommufd_viommu_unlock);

/**
 * iommufd_viommu_device - find a device by what the guest calls it
 * @viommu: the vIOMMU, locked
 * @virt_id: from the guest
 *
 * Return: the vDEVICE, valid until iommufd_viommu_unlock(), or NULL; not explained
 */
struct iommufd_vdevice *iommufd_viommu_device(struct iommufd_viommu *viommu,
					      u64 virt_id)
{
	struct viommu_object *object = viommu_of(viommu);
	struct vdevice_object *vdev;

	lockdep_assert_held(&object->vdevices_lock);
	vdev = virt_id <= ULONG_MAX ? xa_load(&object->vdevices, virt_id) : NULL;
	return vdev ? &vdev->hw : NULL;
}
EXPORT_SYMBOL_GPL(iommufd_viommu_device);

/**
 * iommufd_viommu_vdevice_of - find what the guest calls a device
 * @viommu: the vIOMMU, locked
 * @dev: the device
 *
 * Return: the vDEVICE, valid until iommufd_viommu_unlock(), or NULL; not explained
 */
struct iommufd_vdevice *iommufd_viommu_vdevice_of(struct iommufd_viommu *viommu,
						  struct device *dev)
{
	struct viommu_object *object = viommu_of(viommu);
	struct vdevice_object *vdev;
	unsigned long virt_id;

	lockdep_assert_held(&object->vdevices_lock);
	xa_for_each(&object->vdevices, virt_id, vdev)
		if (vdev->hw.dev == dev)
			return &vdev->hw;
	return NULL;
}
EXPORT_SYMBOL_GPL(iommufd_viommu_vdevice_of);

/* Make the device @vdev's, unless it is another's. */
static int vdevice_claim(struct vdevice_object *vdev, struct iommufd_device *idev)
{
	struct iommufd_ctx *ictx = idev->obj.ictx;
	bool free;

	xa_lock(&ictx->objects);
	free = !idev->vdev;
	if (free)
		idev->vdev = vdev;
	xa_unlock(&ictx->objects);
	if (!free)
		return iommufd_refuse(-EEXIST, "%s has a vdevice already",
				      dev_name(idev->dev));
	vdev->idev = idev;
	return 0;
}

static int vdevice_insert(struct vdevice_object *vdev)
{
	struct viommu_object *viommu = vdev->viommu;
	u64 virt_id = vdev->hw.virt_id;
	int rc;

	guard(mutex)(&vdev->idev->igroup->lock);
	guard(rwsem_write)(&viommu->vdevices_lock);
	rc = xa_insert(&viommu->vdevices, virt_id, vdev, GFP_KERNEL_ACCOUNT);
	if (rc == -EBUSY)
		return iommufd_refuse(-EEXIST,
				      "viommu %u has another device with virt_id 0x%llx",
				      viommu->obj.id, virt_id);
	if (rc)
		return iommufd_refuse(rc, "no memory for virt_id 0x%llx", virt_id);
	if (viommu->hw.ops->vdevice_init)
		rc = viommu->hw.ops->vdevice_init(&vdev->hw);
	if (rc)
		xa_erase(&viommu->vdevices, virt_id);
	vdev->in_place = !rc;
	return rc;
}

static int vdevice_build(struct vdevice_object *vdev,
			 struct viommu_object *viommu,
			 struct iommufd_device *idev, u64 virt_id)
{
	int rc;

	rc = iommufd_viommu_check_device(viommu, idev);
	if (rc)
		return rc;
	if (virt_id > ULONG_MAX)
		return iommufd_refuse(-EINVAL, "virt_id 0x%llx is over 0x%lx",
				      virt_id, ULONG_MAX);
	rc = iommufd_object_depend(&viommu->obj);
	if (rc)
		return rc;
	vdev->viommu = viommu;
	vdev->hw.viommu = &viommu->hw;
	vdev->hw.dev = idev->dev;
	vdev->hw.virt_id = virt_id;
	rc = vdevice_claim(vdev, idev);
	return rc ?: vdevice_insert(vdev);
}

static struct vdevice_object *vdevice_new(struct viommu_object *viommu,
					  struct iommufd_device *idev,
					  u64 virt_id)
{
	struct vdevice_object *vdev;
	int rc;

	vdev = kzalloc(sizeof(*vdev), GFP_KERNEL_ACCOUNT);
	if (!vdev)
		return ERR_PTR(iommufd_refuse(-ENOMEM, "no memory for a vdevice"));
	rc = iommufd_object_init(viommu->obj.ictx, &vdev->obj,
				 &iommufd_vdevice_type);
	if (rc) {
		kfree(vdev);
		return ERR_PTR(rc);
	}
	rc = vdevice_build(vdev, viommu, idev, virt_id);
	if (rc) {
		iommufd_object_abandon(&vdev->obj);
		return ERR_PTR(rc);
	}
	return vdev;
}

int iommufd_vdevice_alloc(struct iommufd_ucmd *ucmd)
{
	struct iommu_vdevice_alloc *cmd = ucmd->cmd;
	struct viommu_object *viommu;
	struct iommufd_object *dev_obj;
	struct vdevice_object *vdev;
	int rc;

	viommu = iommufd_viommu_get(ucmd->ictx, cmd->viommu_id);
	if (IS_ERR(viommu))
		return PTR_ERR(viommu);
	dev_obj = iommufd_object_get(ucmd->ictx, cmd->dev_id,
				     &iommufd_device_type);
	if (IS_ERR(dev_obj)) {
		rc = PTR_ERR(dev_obj);
		goto out_viommu;
	}
	vdev = vdevice_new(viommu, to_idev(dev_obj), cmd->virt_id);
	if (IS_ERR(vdev)) {
		rc = PTR_ERR(vdev);
		goto out_dev;
	}
	cmd->out_vdevice_id = vdev->obj.id;
	rc = iommufd_ucmd_deliver(ucmd, &vdev->obj);
out_dev:
	iommufd_object_put(dev_obj);
out_viommu:
	iommufd_object_put(&viommu->obj);
	return rc;
}

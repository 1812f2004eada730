// SPDX-License-Identifier: GPL-2.0-only
/*
 * From an open file to a device that does DMA through an I/O page table, and
 * back. All of it runs under the device set's lock, which vfio.ko holds too
 * when it opens and closes devices by their group: open_count under that lock
 * keeps the two ways apart, and so does the ownership of the device's DMA that
 * iommufd_device_bind() claims.
 */
#include <linux/build_bug.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/uaccess.h>
#include <linux/uuid.h>
#include <uapi/linux/vfio_cdev.h>

#include "vfio_cdev.h"

static_assert(sizeof(struct vfio_cdev_bind_iommufd) == 24);
static_assert(offsetof(struct vfio_cdev_bind_iommufd, token_uuid_ptr) == 16);
static_assert(sizeof(struct vfio_cdev_attach_iommufd_pt) == 16);
static_assert(sizeof(struct vfio_cdev_detach_iommufd_pt) == 12);

/*
 * vfio_device.index -> the file that has bound it. An entry is read and changed
 * under the lock of that device's set only.
 */
static DEFINE_XARRAY(bound_files);

/**
 * vfio_cdev_bound_file() - who has this device?
 * @vdev: a device whose set's lock the caller holds
 *
 * Return: the file that has bound @vdev, or NULL if none of ours has.
 */
struct vfio_cdev_file *vfio_cdev_bound_file(struct vfio_device *vdev)
{
	lockdep_assert_held(&vdev->dev_set->lock);
	return xa_load(&bound_files, vdev->index);
}

/*
 * The argument structs have grown over time and argsz tells which one the
 * caller knows: what it left out is zero, what we do not know must be.
 */
static int get_arg(struct vfio_cdev_file *vf, void *arg, size_t size,
		   size_t min, void __user *uarg)
{
	u32 argsz;
	int rc;

	if (get_user(argsz, (u32 __user *)uarg))
		goto fault;
	if (argsz < min)
		return iommufd_refuse(-EINVAL, "%s: argsz is %u, at least %zu needed",
				      vfio_cdev_name(vf->vdev), argsz, min);
	if (argsz > PAGE_SIZE)
		return iommufd_refuse(-E2BIG, "%s: argsz is %u, more than a page",
				      vfio_cdev_name(vf->vdev), argsz);
	rc = copy_struct_from_user(arg, size, uarg, argsz);
	if (rc == -E2BIG)
		return iommufd_refuse(rc, "%s: bytes %zu to %u of the argument are not zero and mean nothing here",
				      vfio_cdev_name(vf->vdev), size, argsz);
	if (!rc)
		return 0;
fault:
	return iommufd_refuse(-EFAULT, "%s: the argument at 0x%lx cannot be read",
			      vfio_cdev_name(vf->vdev), (unsigned long)uarg);
}

static int refuse_out(struct vfio_cdev_file *vf, u32 __user *out)
{
	return iommufd_refuse(-EFAULT, "%s: the result cannot be written to 0x%lx",
			      vfio_cdev_name(vf->vdev), (unsigned long)out);
}

static int bind_get_arg(struct vfio_cdev_file *vf,
			struct vfio_cdev_bind_iommufd *arg, void __user *uarg)
{
	int rc;

	rc = get_arg(vf, arg, sizeof(*arg),
		     offsetofend(struct vfio_cdev_bind_iommufd, out_devid),
		     uarg);
	if (rc)
		return rc;
	if (arg->flags & ~VFIO_DEVICE_BIND_FLAG_TOKEN)
		return iommufd_refuse(-EINVAL, "%s: unknown BIND flags 0x%x",
				      vfio_cdev_name(vf->vdev),
				      arg->flags & ~VFIO_DEVICE_BIND_FLAG_TOKEN);
	if (arg->flags && arg->argsz < sizeof(*arg))
		return iommufd_refuse(-EINVAL, "%s: BIND has a token, but argsz %u ends before it",
				      vfio_cdev_name(vf->vdev), arg->argsz);
	if (arg->iommufd < 0)
		return iommufd_refuse(-EINVAL, "%s: BIND to the file descriptor %d",
				      vfio_cdev_name(vf->vdev), arg->iommufd);
	return 0;
}

/*
 * The driver checks the VF token, as it does for a group, where it comes
 * behind the device's name in the string that names the device to open.
 */
static int check_token(struct vfio_device *vdev,
		       const struct vfio_cdev_bind_iommufd *arg)
{
	bool given = arg->flags & VFIO_DEVICE_BIND_FLAG_TOKEN;
	struct pci_dev *pdev = to_pci_dev(vdev->dev);
	char name[96];
	uuid_t token;
	int rc;

	if (given && copy_from_user(&token, u64_to_user_ptr(arg->token_uuid_ptr),
				    sizeof(token)))
		return iommufd_refuse(-EFAULT, "%s: the VF token at 0x%llx cannot be read",
				      vfio_cdev_name(vdev),
				      arg->token_uuid_ptr);
	if (!vdev->ops->match) {
		if (!given)
			return 0;
		return iommufd_refuse(-EINVAL, "%s: its driver knows no VF tokens",
				      vfio_cdev_name(vdev));
	}

	if (given)
		snprintf(name, sizeof(name), "%s vf_token=%pUb",
			 vfio_cdev_name(vdev), &token);
	else
		snprintf(name, sizeof(name), "%s", vfio_cdev_name(vdev));
	rc = vdev->ops->match(vdev, name);
	if (rc > 0)
		return 0;
	if (!rc)
		return iommufd_refuse(-EINVAL, "%s: its driver does not know it by this name",
				      vfio_cdev_name(vdev));
	if (rc == -EINVAL && given)
		return iommufd_refuse(rc, "%s: a VF token is given, but this device needs none",
				      vfio_cdev_name(vdev));
	if (pdev->is_virtfn)
		return iommufd_refuse(rc, "%s: %s VF token of %s, which belongs to VFIO too",
				      vfio_cdev_name(vdev),
				      given ? "this is not the" : "BIND needs the",
				      pci_name(pci_physfn(pdev)));
	return iommufd_refuse(rc, "%s: %s, as virtual functions of it are open",
			      vfio_cdev_name(vdev),
			      given ? "this is not its VF token" :
				      "BIND needs its VF token");
}

/*
 * vfio.ko and the drivers see open_count 1 in open_device and close_device.
 * cdev_opened tells a driver how its user shows which other devices are his:
 * by /dev/iommu, or by the files of their groups.
 */
static int open_device(struct vfio_cdev_file *vf)
{
	struct vfio_device *vdev = vf->vdev;
	int rc;

	vdev->open_count++;
	vdev->cdev_opened = !vf->group;
	rc = vdev->ops->open_device ? vdev->ops->open_device(vdev) : 0;
	if (!rc)
		return 0;
	vdev->cdev_opened = false;
	vdev->open_count--;
	return iommufd_refuse(rc, "%s: driver %s fails to open the device",
			      vfio_cdev_name(vdev), vdev->dev->driver->name);
}

static void close_device(struct vfio_device *vdev)
{
	if (vdev->ops->close_device)
		vdev->ops->close_device(vdev);
	vdev->cdev_opened = false;
}

static int check_free(struct vfio_cdev_file *vf)
{
	struct vfio_device *vdev = vf->vdev;
	struct vfio_cdev_file *other = vfio_cdev_bound_file(vdev);

	if (vfio_cdev_node_leaving(vf->node))
		return iommufd_refuse(-ENODEV, "%s: the driver is letting the device go",
				      vfio_cdev_name(vdev));
	if (vdev->open_count)
		return iommufd_refuse(-EINVAL, "%s: open elsewhere, through %s",
				      vfio_cdev_name(vdev),
				      other && !other->group ?
				      "another device file" : "its group");
	return 0;
}

/* Make the device this file's own and open it. */
static int take_device(struct vfio_cdev_file *vf, struct iommufd_ctx *ictx)
{
	struct vfio_device *vdev = vf->vdev;
	struct module *owner = vdev->dev->driver->owner;
	int rc;

	if (!try_module_get(owner))
		return iommufd_refuse(-ENODEV, "%s: its driver is being unloaded",
				      vfio_cdev_name(vdev));
	rc = xa_err(xa_store(&bound_files, vdev->index, vf, GFP_KERNEL));
	if (rc) {
		iommufd_refuse(rc, "%s: no memory to bind it",
			       vfio_cdev_name(vdev));
		goto err_module;
	}
	vf->idev = iommufd_device_bind(ictx, vdev->dev, &vf->devid);
	if (IS_ERR(vf->idev)) {
		rc = PTR_ERR(vf->idev);
		goto err_erase;
	}
	vf->ictx = ictx;
	vfio_cdev_kvm_give(vf);
	rc = open_device(vf);
	if (!rc)
		return 0;

	vfio_cdev_kvm_take(vdev);
	iommufd_device_unbind(vf->idev);
err_erase:
	xa_erase(&bound_files, vdev->index);
	vf->idev = NULL;
	vf->ictx = NULL;
	vf->devid = 0;
err_module:
	module_put(owner);
	return rc;
}

/*
 * The driver stops the device before its translation goes, and the group may
 * be owned by someone else only after that.
 */
static void give_device(struct vfio_cdev_file *vf)
{
	struct vfio_device *vdev = vf->vdev;

	vfio_cdev_buffers_end(vf->node);
	close_device(vdev);
	vfio_cdev_kvm_take(vdev);
	iommufd_device_pasid_detach_all(vf->idev);
	if (vf->pt_id)
		iommufd_device_detach(vf->idev);
	iommufd_device_unbind(vf->idev);
	vdev->open_count--;
	xa_erase(&bound_files, vdev->index);
	module_put(vdev->dev->driver->owner);
	vf->idev = NULL;
	vf->ictx = NULL;
	vf->devid = 0;
}

static void publish(struct vfio_cdev_file *vf)
{
	/* Pairs with the acquire in is_bound(). */
	smp_store_release(&vf->bound, true);
}

static int bind_locked(struct vfio_cdev_file *vf,
		       const struct vfio_cdev_bind_iommufd *arg,
		       struct iommufd_ctx *ictx, u32 __user *out_devid)
{
	int rc;

	if (vf->bound)
		return iommufd_refuse(-EINVAL, "%s: this file is bound already, as device %u",
				      vfio_cdev_name(vf->vdev), vf->devid);
	rc = check_free(vf);
	if (!rc)
		rc = check_token(vf->vdev, arg);
	if (!rc)
		rc = take_device(vf, ictx);
	if (rc)
		return rc;
	if (put_user(vf->devid, out_devid)) {
		give_device(vf);
		return refuse_out(vf, out_devid);
	}
	publish(vf);
	return 0;
}

/**
 * vfio_cdev_bind() - VFIO_DEVICE_BIND_IOMMUFD
 * @vf: the file
 * @uarg: struct vfio_cdev_bind_iommufd of the user
 *
 * Takes the device set's lock. Return: 0 or an errno with a reason, see the
 * struct; nothing has changed then.
 */
int vfio_cdev_bind(struct vfio_cdev_file *vf, void __user *uarg)
{
	struct vfio_cdev_bind_iommufd __user *ubind = uarg;
	struct vfio_device_set *set = vf->vdev->dev_set;
	struct vfio_cdev_bind_iommufd arg;
	struct iommufd_ctx *ictx;
	int rc;

	rc = bind_get_arg(vf, &arg, uarg);
	if (rc)
		return rc;
	ictx = iommufd_ctx_from_fd(arg.iommufd);
	if (IS_ERR(ictx))
		return iommufd_refuse(PTR_ERR(ictx), "%s: the file descriptor %d is not an open /dev/iommu",
				      vfio_cdev_name(vf->vdev), arg.iommufd);
	mutex_lock(&set->lock);
	rc = bind_locked(vf, &arg, ictx, &ubind->out_devid);
	mutex_unlock(&set->lock);
	if (rc)
		iommufd_ctx_put(ictx);
	return rc;
}

/* The group has the device open already: one more file for the same. */
static void share_device(struct vfio_cdev_file *vf, struct vfio_cdev_file *with)
{
	vf->vdev->open_count++;
	list_add(&vf->siblings, &with->siblings);
	vf->ictx = with->ictx;
	vf->idev = with->idev;
	vf->devid = with->devid;
	vf->pt_id = with->pt_id;
}

/* Whether others stay that have the device open. */
static bool leave_device(struct vfio_cdev_file *vf)
{
	struct vfio_cdev_file *other;

	if (list_empty(&vf->siblings))
		return false;
	other = list_next_entry(vf, siblings);
	list_del_init(&vf->siblings);
	/* The slot exists: this needs no memory. */
	if (vfio_cdev_bound_file(vf->vdev) == vf)
		xa_store(&bound_files, vf->vdev->index, other, GFP_KERNEL);
	vf->vdev->open_count--;
	return true;
}

/**
 * vfio_cdev_bind_by_group() - what a group does with a device it opens
 * @vf: a file with its group that nobody else can reach yet
 * @ictx: the context that is the group's container; stays the caller's
 *
 * The device is attached to the IOAS that stands for a container. Further files
 * of the group share what the first has got. Takes the device set's lock.
 *
 * Return: 0 or an errno with a reason; nothing has changed then.
 */
int vfio_cdev_bind_by_group(struct vfio_cdev_file *vf,
			    struct iommufd_ctx *ictx)
{
	struct vfio_device_set *set = vf->vdev->dev_set;
	struct vfio_cdev_file *other;
	u32 pt_id;
	int rc;

	rc = iommufd_vfio_compat_ioas_get_id(ictx, &pt_id);
	if (rc)
		return rc;
	mutex_lock(&set->lock);
	other = vfio_cdev_bound_file(vf->vdev);
	if (other && other->group == vf->group &&
	    !vfio_cdev_node_leaving(vf->node)) {
		share_device(vf, other);
	} else {
		rc = check_free(vf);
		if (!rc)
			rc = take_device(vf, ictx);
		if (!rc) {
			rc = iommufd_device_attach(vf->idev, &pt_id);
			if (rc)
				give_device(vf);
			else
				WRITE_ONCE(vf->pt_id, pt_id);
		}
	}
	if (!rc) {
		iommufd_ctx_get(ictx);
		publish(vf);
	}
	mutex_unlock(&set->lock);
	return rc;
}

/**
 * vfio_cdev_unbind() - undo BIND and ATTACH when the file is closed
 * @vf: a bound file that nobody else can reach any more
 *
 * Takes the device set's lock.
 */
void vfio_cdev_unbind(struct vfio_cdev_file *vf)
{
	struct vfio_device_set *set = vf->vdev->dev_set;
	struct iommufd_ctx *ictx = vf->ictx;

	mutex_lock(&set->lock);
	if (!leave_device(vf))
		give_device(vf);
	mutex_unlock(&set->lock);
	iommufd_ctx_put(ictx);
}

static int attach_device(struct vfio_cdev_file *vf,
			 const struct vfio_cdev_attach_iommufd_pt *arg,
			 u32 __user *out)
{
	u32 pt_id = arg->pt_id;
	int rc;

	if (vf->pt_id)
		rc = iommufd_device_replace(vf->idev, &pt_id);
	else
		rc = iommufd_device_attach(vf->idev, &pt_id);
	if (rc)
		return rc;
	WRITE_ONCE(vf->pt_id, pt_id);
	if (!put_user(pt_id, out))
		return 0;
	iommufd_device_detach(vf->idev);
	WRITE_ONCE(vf->pt_id, 0);
	return refuse_out(vf, out);
}

static int attach_pasid(struct vfio_cdev_file *vf,
			const struct vfio_cdev_attach_iommufd_pt *arg,
			u32 __user *out)
{
	u32 pt_id = arg->pt_id;
	int rc;

	if (iommufd_device_pasid_attached(vf->idev, arg->pasid))
		rc = iommufd_device_pasid_replace(vf->idev, arg->pasid, &pt_id);
	else
		rc = iommufd_device_pasid_attach(vf->idev, arg->pasid, &pt_id);
	if (rc)
		return rc;
	if (!put_user(pt_id, out))
		return 0;
	iommufd_device_pasid_detach(vf->idev, arg->pasid);
	return refuse_out(vf, out);
}

/**
 * vfio_cdev_attach() - VFIO_DEVICE_ATTACH_IOMMUFD_PT
 * @vf: a bound file
 * @uarg: struct vfio_cdev_attach_iommufd_pt of the user
 *
 * Takes the device set's lock. Return: 0 or an errno with a reason; what was
 * attached before stays attached then, unless the id of the table cannot be
 * written back although it could a moment before: then nothing is attached.
 */
int vfio_cdev_attach(struct vfio_cdev_file *vf, void __user *uarg)
{
	struct vfio_cdev_attach_iommufd_pt __user *uattach = uarg;
	struct vfio_cdev_attach_iommufd_pt arg;
	int rc;

	rc = get_arg(vf, &arg, sizeof(arg),
		     offsetofend(struct vfio_cdev_attach_iommufd_pt, pt_id),
		     uarg);
	if (rc)
		return rc;
	if (arg.flags & ~VFIO_DEVICE_ATTACH_PASID)
		return iommufd_refuse(-EINVAL, "%s: unknown ATTACH flags 0x%x",
				      vfio_cdev_name(vf->vdev),
				      arg.flags & ~VFIO_DEVICE_ATTACH_PASID);
	if (arg.flags && arg.argsz < sizeof(arg))
		return iommufd_refuse(-EINVAL, "%s: ATTACH to a PASID, but argsz %u ends before it",
				      vfio_cdev_name(vf->vdev), arg.argsz);
	if (put_user(arg.pt_id, &uattach->pt_id))
		return refuse_out(vf, &uattach->pt_id);

	mutex_lock(&vf->vdev->dev_set->lock);
	if (arg.flags & VFIO_DEVICE_ATTACH_PASID)
		rc = attach_pasid(vf, &arg, &uattach->pt_id);
	else
		rc = attach_device(vf, &arg, &uattach->pt_id);
	mutex_unlock(&vf->vdev->dev_set->lock);
	return rc;
}

/**
 * vfio_cdev_detach() - VFIO_DEVICE_DETACH_IOMMUFD_PT
 * @vf: a bound file
 * @uarg: struct vfio_cdev_detach_iommufd_pt of the user
 *
 * Takes the device set's lock. Return: 0, also if nothing is attached, or an
 * errno with a reason for a bad argument.
 */
int vfio_cdev_detach(struct vfio_cdev_file *vf, void __user *uarg)
{
	struct vfio_cdev_detach_iommufd_pt arg;
	int rc;

	rc = get_arg(vf, &arg, sizeof(arg),
		     offsetofend(struct vfio_cdev_detach_iommufd_pt, flags),
		     uarg);
	if (rc)
		return rc;
	if (arg.flags & ~VFIO_DEVICE_DETACH_PASID)
		return iommufd_refuse(-EINVAL, "%s: unknown DETACH flags 0x%x",
				      vfio_cdev_name(vf->vdev),
				      arg.flags & ~VFIO_DEVICE_DETACH_PASID);
	if (arg.flags && arg.argsz < sizeof(arg))
		return iommufd_refuse(-EINVAL, "%s: DETACH of a PASID, but argsz %u ends before it",
				      vfio_cdev_name(vf->vdev), arg.argsz);

	mutex_lock(&vf->vdev->dev_set->lock);
	if (arg.flags & VFIO_DEVICE_DETACH_PASID) {
		iommufd_device_pasid_detach(vf->idev, arg.pasid);
	} else if (vf->pt_id) {
		iommufd_device_detach(vf->idev);
		WRITE_ONCE(vf->pt_id, 0);
	}
	mutex_unlock(&vf->vdev->dev_set->lock);
	return 0;
}

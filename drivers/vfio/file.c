// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device file. It answers what belongs to /dev/iommu itself and hands the
 * rest to the driver of the device, once the file is bound.
 */
#include <linux/anon_inodes.h>
#include <linux/completion.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/pm_runtime.h>
#include <linux/refcount.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "vfio_cdev.h"

/* What vfio.ko waits for before it lets a driver take its device away. */
static bool registration_get(struct vfio_device *vdev)
{
	return refcount_inc_not_zero(&vdev->refcount);
}

static void registration_put(struct vfio_device *vdev)
{
	if (refcount_dec_and_test(&vdev->refcount))
		complete(&vdev->comp);
}

static bool is_bound(struct vfio_cdev_file *vf)
{
	/* Pairs with the release in vfio_cdev_bind(). */
	return smp_load_acquire(&vf->bound);
}

static int refuse_unbound(struct vfio_cdev_file *vf, const char *what)
{
	return iommufd_refuse(-EINVAL,
			      "%s: %s before this file is bound to a /dev/iommu (VFIO_DEVICE_BIND_IOMMUFD)",
			      vfio_cdev_name(vf->vdev), what);
}

static struct vfio_cdev_file *file_new(struct vfio_cdev_node *node)
{
	struct vfio_device *vdev;
	struct vfio_cdev_file *vf;

	spin_lock(&node->lock);
	vdev = node->vdev;
	if (vdev && !registration_get(vdev))
		vdev = NULL;
	spin_unlock(&node->lock);
	if (!vdev)
		return ERR_PTR(iommufd_refuse(-ENODEV,
					      "%s: the driver is letting the device go",
					      dev_name(&node->dev)));

	vf = kzalloc(sizeof(*vf), GFP_KERNEL_ACCOUNT);
	if (!vf)
		goto err_put;
	vf->reasons = iommufd_reason_log_alloc();
	if (!vf->reasons)
		goto err_free;
	spin_lock_init(&vf->kvm_lock);
	INIT_LIST_HEAD(&vf->siblings);
	vf->vdev = vdev;
	vf->node = node;
	return vf;

err_free:
	kfree(vf);
err_put:
	registration_put(vdev);
	return ERR_PTR(iommufd_refuse(-ENOMEM, "%s: no memory to open it",
				      dev_name(&node->dev)));
}

static void file_free(struct vfio_cdev_file *vf)
{
	registration_put(vf->vdev);
	if (vf->group) {
		vfio_cdev_group_put(vf->group);
		put_device(&vf->node->dev);
	}
	iommufd_reason_log_free(vf->reasons);
	kfree(vf);
}

/* So that the driver finds all user mappings of the device to zap. */
static void file_use_mapping(struct file *filp, struct vfio_cdev_file *vf)
{
	filp->f_mapping = vf->vdev->inode->i_mapping;
}

static int file_open(struct inode *inode, struct file *filp)
{
	struct vfio_cdev_node *node =
		container_of(inode->i_cdev, struct vfio_cdev_node, cdev);
	struct vfio_cdev_file *vf = file_new(node);

	if (IS_ERR(vf))
		return PTR_ERR(vf);
	filp->private_data = vf;
	file_use_mapping(filp, vf);
	return 0;
}

static int file_release(struct inode *inode, struct file *filp)
{
	struct vfio_cdev_file *vf = filp->private_data;

	if (vf->bound)
		vfio_cdev_unbind(vf);
	file_free(vf);
	return 0;
}

static bool has_runtime_pm(struct vfio_device *vdev)
{
	return vdev->dev->driver && vdev->dev->driver->pm;
}

static int power_up(struct vfio_device *vdev)
{
	if (has_runtime_pm(vdev) && pm_runtime_resume_and_get(vdev->dev))
		return iommufd_refuse(-EIO, "%s: does not wake up from its low-power state",
				      vfio_cdev_name(vdev));
	return 0;
}

static void let_sleep(struct vfio_device *vdev)
{
	if (has_runtime_pm(vdev))
		pm_runtime_put(vdev->dev);
}

static const char *ioctl_name(unsigned int cmd)
{
	switch (cmd) {
	case VFIO_DEVICE_GET_INFO:
		return "VFIO_DEVICE_GET_INFO";
	case VFIO_DEVICE_GET_REGION_INFO:
		return "VFIO_DEVICE_GET_REGION_INFO";
	case VFIO_DEVICE_GET_IRQ_INFO:
		return "VFIO_DEVICE_GET_IRQ_INFO";
	case VFIO_DEVICE_SET_IRQS:
		return "VFIO_DEVICE_SET_IRQS";
	case VFIO_DEVICE_RESET:
		return "VFIO_DEVICE_RESET";
	case VFIO_DEVICE_IOEVENTFD:
		return "VFIO_DEVICE_IOEVENTFD";
	case VFIO_DEVICE_FEATURE:
		return "VFIO_DEVICE_FEATURE";
	case VFIO_DEVICE_GET_PCI_HOT_RESET_INFO:
		return "VFIO_DEVICE_GET_PCI_HOT_RESET_INFO";
	case VFIO_DEVICE_PCI_HOT_RESET:
		return "VFIO_DEVICE_PCI_HOT_RESET";
	case VFIO_DEVICE_ATTACH_IOMMUFD_PT:
		return "VFIO_DEVICE_ATTACH_IOMMUFD_PT";
	case VFIO_DEVICE_DETACH_IOMMUFD_PT:
		return "VFIO_DEVICE_DETACH_IOMMUFD_PT";
	}
	return NULL;
}

/*
 * The stock driver gives no reasons, only an errno. What the user asked for
 * is the most that can be said.
 */
static long explain_driver(struct vfio_device *vdev, unsigned int cmd,
			   void __user *uarg, long ret)
{
	const char *name = ioctl_name(cmd);
	u32 head[3] = {};

	if (ret >= 0)
		return ret;
	if (!name)
		return iommufd_refuse(ret, "%s: driver %s does not take ioctl 0x%x",
				      vfio_cdev_name(vdev),
				      vdev->dev->driver->name, cmd);
	if (cmd == VFIO_DEVICE_RESET)
		return iommufd_refuse(ret, "%s: driver %s cannot reset this device alone",
				      vfio_cdev_name(vdev),
				      vdev->dev->driver->name);
	if (copy_from_user(head, uarg, sizeof(head)) &&
	    copy_from_user(head, uarg, 2 * sizeof(u32)))
		return iommufd_refuse(ret, "%s: the argument of %s at 0x%lx cannot be read",
				      vfio_cdev_name(vdev), name,
				      (unsigned long)uarg);
	return iommufd_refuse(ret, "%s: driver %s refuses %s with argsz %u flags 0x%x next word %u",
			      vfio_cdev_name(vdev), vdev->dev->driver->name,
			      name, head[0], head[1], head[2]);
}

static long driver_ioctl(struct vfio_cdev_file *vf, unsigned int cmd,
			 unsigned long arg)
{
	struct vfio_device *vdev = vf->vdev;
	long ret;

	if (cmd == VFIO_DEVICE_PCI_HOT_RESET)
		return vfio_cdev_hot_reset_by_group(vf, arg);
	if (cmd != VFIO_DEVICE_RESET)
		return vdev->ops->ioctl(vdev, cmd, arg);
	vfio_cdev_buffers_take(vf->node);
	ret = vdev->ops->ioctl(vdev, cmd, arg);
	vfio_cdev_buffers_give(vf->node);
	return ret;
}

static long bound_ioctl(struct vfio_cdev_file *vf, unsigned int cmd,
			unsigned long arg)
{
	void __user *uarg = (void __user *)arg;
	struct vfio_device *vdev = vf->vdev;

	if (cmd == VFIO_DEVICE_FEATURE)
		return vfio_cdev_feature(vf, uarg);
	if (vf->group)
		goto driver;
	switch (cmd) {
	case VFIO_DEVICE_ATTACH_IOMMUFD_PT:
		return vfio_cdev_attach(vf, uarg);
	case VFIO_DEVICE_DETACH_IOMMUFD_PT:
		return vfio_cdev_detach(vf, uarg);
	case VFIO_DEVICE_GET_PCI_HOT_RESET_INFO:
		return vfio_cdev_hot_reset_info(vf, uarg);
	case VFIO_DEVICE_PCI_HOT_RESET:
		return vfio_cdev_hot_reset(vf, uarg);
	}
driver:
	if (!vdev->ops->ioctl)
		return iommufd_refuse(-EINVAL, "%s: its driver takes no ioctl",
				      vfio_cdev_name(vdev));
	return explain_driver(vdev, cmd, uarg, driver_ioctl(vf, cmd, arg));
}

static long file_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct vfio_cdev_file *vf = filp->private_data;
	struct iommufd_reason_scope scope;
	const char *name;
	long ret;

	iommufd_reason_begin(&scope, vf->reasons, cmd);
	if (vf->group && (cmd == VFIO_DEVICE_BIND_IOMMUFD ||
			  cmd == VFIO_DEVICE_ATTACH_IOMMUFD_PT ||
			  cmd == VFIO_DEVICE_DETACH_IOMMUFD_PT)) {
		ret = iommufd_refuse(-ENOTTY, "%s: opened by its group, whose container is all there is to it",
				     vfio_cdev_name(vf->vdev));
	} else if (cmd == VFIO_DEVICE_BIND_IOMMUFD) {
		ret = vfio_cdev_bind(vf, (void __user *)arg);
	} else if (!is_bound(vf)) {
		name = ioctl_name(cmd);
		ret = refuse_unbound(vf, name ? name : "an ioctl");
	} else {
		ret = power_up(vf->vdev);
		if (!ret) {
			vfio_cdev_buffers_check(vf->node);
			ret = bound_ioctl(vf, cmd, arg);
			let_sleep(vf->vdev);
		}
	}
	return iommufd_reason_end(&scope, ret);
}

static ssize_t driver_write(struct vfio_cdev_file *vf, const char __user *buf,
			    size_t count, loff_t *ppos)
{
	struct vfio_device *vdev = vf->vdev;
	ssize_t ret;

	if (!vfio_cdev_write_may_stop(vf, *ppos, count))
		return vdev->ops->write(vdev, buf, count, ppos);
	vfio_cdev_buffers_take(vf->node);
	ret = vdev->ops->write(vdev, buf, count, ppos);
	vfio_cdev_buffers_give(vf->node);
	return ret;
}

static ssize_t file_rw(struct vfio_cdev_file *vf, bool write, char __user *buf,
		       size_t count, loff_t *ppos)
{
	const char *what = write ? "write" : "read";
	struct vfio_device *vdev = vf->vdev;
	struct iommufd_reason_scope scope;
	loff_t pos = *ppos;
	ssize_t ret;

	iommufd_reason_begin(&scope, vf->reasons, 0);
	if (!is_bound(vf)) {
		ret = refuse_unbound(vf, what);
	} else if (write ? !vdev->ops->write : !vdev->ops->read) {
		ret = iommufd_refuse(-EINVAL, "%s: its driver takes no %s",
				     vfio_cdev_name(vdev), what);
	} else {
		ret = write ? driver_write(vf, buf, count, ppos) :
			      vdev->ops->read(vdev, buf, count, ppos);
		if (ret < 0)
			iommufd_refuse(ret, "%s: driver %s refuses to %s %zu bytes of region %llu from 0x%llx",
				       vfio_cdev_name(vdev),
				       vdev->dev->driver->name, what, count,
				       VFIO_PCI_OFFSET_TO_INDEX((u64)pos),
				       (u64)pos & VFIO_PCI_OFFSET_MASK);
	}
	return iommufd_reason_end(&scope, ret);
}

static ssize_t file_read(struct file *filp, char __user *buf, size_t count,
			 loff_t *ppos)
{
	return file_rw(filp->private_data, false, buf, count, ppos);
}

static ssize_t file_write(struct file *filp, const char __user *buf,
			  size_t count, loff_t *ppos)
{
	return file_rw(filp->private_data, true, (char __user *)buf, count,
		       ppos);
}

static int file_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct vfio_cdev_file *vf = filp->private_data;
	struct vfio_device *vdev = vf->vdev;
	struct iommufd_reason_scope scope;
	u64 pos = (u64)vma->vm_pgoff << PAGE_SHIFT;
	int ret;

	iommufd_reason_begin(&scope, vf->reasons, 0);
	if (!is_bound(vf)) {
		ret = refuse_unbound(vf, "mmap");
	} else if (!vdev->ops->mmap) {
		ret = iommufd_refuse(-EINVAL, "%s: its driver takes no mmap",
				     vfio_cdev_name(vdev));
	} else {
		ret = vdev->ops->mmap(vdev, vma);
		if (ret)
			iommufd_refuse(ret, "%s: driver %s refuses to map 0x%lx bytes of region %llu from 0x%llx",
				       vfio_cdev_name(vdev),
				       vdev->dev->driver->name,
				       vma->vm_end - vma->vm_start,
				       VFIO_PCI_OFFSET_TO_INDEX(pos),
				       pos & VFIO_PCI_OFFSET_MASK);
	}
	return iommufd_reason_end(&scope, ret);
}

#ifdef CONFIG_PROC_FS
static void file_show_fdinfo(struct seq_file *m, struct file *filp)
{
	struct vfio_cdev_file *vf = filp->private_data;
	struct vfio_device *vdev = vf->vdev;
	char *path = kobject_get_path(&vdev->dev->kobj, GFP_KERNEL);

	if (path)
		seq_printf(m, "vfio-device-syspath:\t/sys%s\n", path);
	kfree(path);
	seq_printf(m, "vfio-device:\t%s %s %s\n", dev_name(&vdev->device),
		   vfio_cdev_name(vdev), vdev->dev->driver->name);
	if (is_bound(vf))
		seq_printf(m, "iommufd-devid:\t%u\n", vf->devid);
	else
		seq_puts(m, "iommufd-devid:\tnone\n");
	if (READ_ONCE(vf->pt_id))
		seq_printf(m, "iommufd-pt:\t%u\n", READ_ONCE(vf->pt_id));
	else
		seq_puts(m, "iommufd-pt:\tnone\n");
	iommufd_reason_log_show(vf->reasons, m);
}
#endif

const struct file_operations vfio_cdev_fops = {
	.owner = THIS_MODULE,
	.open = file_open,
	.release = file_release,
	.read = file_read,
	.write = file_write,
	.unlocked_ioctl = file_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = file_mmap,
#ifdef CONFIG_PROC_FS
	.show_fdinfo = file_show_fdinfo,
#endif
};

/**
 * vfio_cdev_file_by_group() - open a device for its group
 * @node: the device's; the caller's reference ends here
 * @group: the group's file, which the caller holds and has counted one more
 *	device for; that ends with the new file, or here if there is none
 * @ictx: the context that is the group's container
 *
 * May sleep. Return: a file descriptor, or an errno with a reason.
 */
int vfio_cdev_file_by_group(struct vfio_cdev_node *node, struct file *group,
			    struct iommufd_ctx *ictx)
{
	struct vfio_cdev_file *vf;
	struct file *filp;
	int fd, rc;

	vf = file_new(node);
	if (IS_ERR(vf)) {
		vfio_cdev_group_put(group);
		put_device(&node->dev);
		return PTR_ERR(vf);
	}
	vf->group = group;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		file_free(vf);
		return iommufd_refuse(fd, "no file descriptor is free");
	}
	filp = anon_inode_getfile("[vfio-device]", &vfio_cdev_fops, vf, O_RDWR);
	if (IS_ERR(filp)) {
		put_unused_fd(fd);
		file_free(vf);
		return iommufd_refuse(PTR_ERR(filp), "no memory for a file");
	}
	file_use_mapping(filp, vf);
	filp->f_mode |= FMODE_PREAD | FMODE_PWRITE;
	rc = vfio_cdev_bind_by_group(vf, ictx);
	if (rc) {
		put_unused_fd(fd);
		fput(filp);
		return rc;
	}
	fd_install(fd, filp);
	return fd;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * A group of vfio.ko whose container is a /dev/iommu.
 *
 * A program that opens devices through /dev/vfio/N may give the group an open
 * /dev/iommu where it would give it an open /dev/vfio/vfio. vfio.ko does not
 * know that; so ftrace calls us at the entry of the function that serves the
 * ioctls of a group's file, and SET_CONTAINER goes on here, as does every later
 * ioctl of a file that got a /dev/iommu. To vfio.ko such a group stays one
 * without a container: none of its state is looked at or changed. What keeps the
 * two apart is what keeps everybody apart, the ownership of the group's DMA.
 *
 * The devices that such a group opens are files of our own, bound and attached
 * from the start. What vfio.ko answers about the group's file to KVM (coherency
 * is asked of every device's IOMMU) and to a hot reset (is this device of this
 * group) does not depend on a container and is right as it is.
 *
 * Nothing tells us that our code has been left for good but the end of the
 * call itself: the module is held meanwhile, and unloading waits for tasks that
 * are on their last instructions here (synchronize_rcu_tasks).
 *
 * A group's file cannot show why something was refused; the /dev/iommu does.
 */
#include <linux/file.h>
#include <linux/ftrace.h>
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "vfio_cdev.h"

MODULE_IMPORT_NS(IOMMUFD_VFIO);

/**
 * struct vfio_cdev_group - a group's file that had a /dev/iommu as its container
 * @id: number of the IOMMU group; constant
 * @nr_files: device files that the group has open
 * @lock: protects @ictx
 * @ictx: the container, referenced; NULL after UNSET_CONTAINER
 *
 * Lasts from the first SET_CONTAINER until the group's file is released, so
 * who holds that file may use it. Holds the module: while there is one, the
 * hook stays. vfio.ko lets a group be open but once at a time.
 */
struct vfio_cdev_group {
	int id;
	atomic_t nr_files;
	struct mutex lock;
	struct iommufd_ctx *ictx;
};

/* The group's struct file -> struct vfio_cdev_group */
static DEFINE_XARRAY(groups);

static struct vfio_cdev_group *group_of(struct file *filp)
{
	return xa_load(&groups, (unsigned long)filp);
}

/**
 * vfio_cdev_group_put() - a file of a device goes that its group has opened
 * @group: the group's file; the reference of that device ends here
 *
 * May sleep.
 */
void vfio_cdev_group_put(struct file *group)
{
	atomic_dec(&group_of(group)->nr_files);
	fput(group);
}

#if defined(CONFIG_DYNAMIC_FTRACE_WITH_ARGS)

/* On to vfio.ko; ftrace sees who calls and lets it through. */
static noinline long stock_ioctl(struct file *filp, unsigned int cmd,
				 unsigned long arg)
{
	long ret = filp->f_op->unlocked_ioctl(filp, cmd, arg);

	/* A tail call would look as if it came from our caller's caller. */
	barrier();
	return ret;
}

/*
 * The number of the IOMMU group, which is the name of the group's device, the
 * parent of its character device. Groups without an IOMMU have another name.
 */
static int group_id(struct file *filp)
{
	struct kobject *parent = file_inode(filp)->i_cdev->kobj.parent;
	int id;

	if (!parent || kstrtoint(kobject_name(parent), 10, &id))
		return -1;
	return id;
}

static struct vfio_cdev_group *group_new(struct file *filp, int id)
{
	struct vfio_cdev_group *group, *old;

	group = kzalloc(sizeof(*group), GFP_KERNEL_ACCOUNT);
	if (!group)
		return NULL;
	group->id = id;
	mutex_init(&group->lock);
	__module_get(THIS_MODULE);
	old = xa_cmpxchg(&groups, (unsigned long)filp, NULL, group,
			 GFP_KERNEL_ACCOUNT);
	if (!old)
		return group;
	module_put(THIS_MODULE);
	kfree(group);
	return xa_is_err(old) ? NULL : old;
}

static long set_iommufd(struct file *filp, int id, struct iommufd_ctx *ictx)
{
	struct vfio_cdev_group *group = group_new(filp, id);
	int rc = 0;

	if (!group)
		return iommufd_refuse(-ENOMEM, "no memory for group %d", id);
	mutex_lock(&group->lock);
	if (group->ictx)
		rc = iommufd_refuse(-EINVAL, "group %d has a container", id);
	else
		rc = iommufd_vfio_compat_ioas_create(ictx);
	if (!rc)
		group->ictx = ictx;
	mutex_unlock(&group->lock);
	return rc;
}

/* What vfio.ko refuses it does not explain. */
static long stock_explained(struct file *filp, unsigned int cmd,
			    unsigned long arg)
{
	long ret = stock_ioctl(filp, cmd, arg);

	if (ret < 0)
		iommufd_refuse(ret, "vfio.ko refuses ioctl 0x%x of the group's file",
			       cmd);
	return ret;
}

/* The reference to @ictx becomes the group's if it is accepted. */
static long set_container_to(struct file *filp, unsigned long arg,
			     struct iommufd_ctx *ictx)
{
	struct iommu_group *iommu_group;
	int id = group_id(filp);
	bool owned;
	long ret;

	iommu_group = id < 0 ? NULL : vfio_cdev_node_group(id);
	if (!iommu_group) {
		ret = stock_explained(filp, VFIO_GROUP_SET_CONTAINER, arg);
		if (ret < 0)
			iommufd_refuse(ret, "a /dev/iommu can be the container of groups of PCI devices only");
		return ret;
	}
	owned = iommu_group_dma_owner_claimed(iommu_group);
	iommu_group_put(iommu_group);
	if (!owned)
		return set_iommufd(filp, id, ictx);
	/* By a container, which vfio.ko knows, or by our device files. */
	ret = stock_explained(filp, VFIO_GROUP_SET_CONTAINER, arg);
	if (ret == -EBADFD)
		ret = iommufd_refuse(-EBUSY, "devices of group %d are in use by their own files or by drivers",
				     id);
	return ret;
}

static long set_container(struct file *filp, unsigned long arg)
{
	struct iommufd_reason_scope scope;
	struct iommufd_ctx *ictx;
	struct file *container;
	long ret;
	int fd;

	if (get_user(fd, (int __user *)arg))
		return stock_ioctl(filp, VFIO_GROUP_SET_CONTAINER, arg);
	container = fget(fd);
	if (!container)
		return stock_ioctl(filp, VFIO_GROUP_SET_CONTAINER, arg);
	/* vfio.ko's own */
	if (container->f_op->owner == filp->f_op->owner) {
		fput(container);
		return stock_ioctl(filp, VFIO_GROUP_SET_CONTAINER, arg);
	}
	ictx = iommufd_ctx_from_file(container);
	if (IS_ERR(ictx)) {
		fput(container);
		return stock_ioctl(filp, VFIO_GROUP_SET_CONTAINER, arg);
	}
	iommufd_reason_begin(&scope, iommufd_ctx_reasons(ictx),
			     VFIO_GROUP_SET_CONTAINER);
	ret = set_container_to(filp, arg, ictx);
	/* @container keeps the log, whatever the group does with @ictx. */
	iommufd_reason_end(&scope, ret);
	if (ret)
		iommufd_ctx_put(ictx);
	fput(container);
	return ret;
}

static long unset_container(struct vfio_cdev_group *group)
{
	long ret = 0;

	mutex_lock(&group->lock);
	if (!group->ictx) {
		ret = iommufd_refuse(-EINVAL, "group %d has no container", group->id);
	} else if (atomic_read(&group->nr_files)) {
		ret = iommufd_refuse(-EBUSY, "group %d has devices open", group->id);
	} else {
		iommufd_ctx_put(group->ictx);
		group->ictx = NULL;
	}
	mutex_unlock(&group->lock);
	return ret;
}

static long get_status(struct vfio_cdev_group *group, void __user *arg)
{
	struct vfio_group_status status;

	if (copy_from_user(&status, arg, sizeof(status)))
		return iommufd_refuse(-EFAULT, "the status cannot be read");
	if (status.argsz < sizeof(status))
		return iommufd_refuse(-EINVAL, "argsz is %u, at least %zu needed",
				      status.argsz, sizeof(status));
	status.flags = VFIO_GROUP_FLAGS_VIABLE | VFIO_GROUP_FLAGS_CONTAINER_SET;
	if (copy_to_user(arg, &status, sizeof(status)))
		return iommufd_refuse(-EFAULT, "the status cannot be written");
	return 0;
}

static long open_device(struct vfio_cdev_group *group, struct file *filp,
			char *name)
{
	struct vfio_cdev_node *node = vfio_cdev_node_find(group->id, name);

	if (IS_ERR(node))
		return PTR_ERR(node);
	get_file(filp);
	atomic_inc(&group->nr_files);
	return vfio_cdev_file_by_group(node, filp, group->ictx);
}

static long get_device_fd(struct vfio_cdev_group *group, struct file *filp,
			  char __user *arg)
{
	char *name = strndup_user(arg, PAGE_SIZE);
	long ret;

	if (IS_ERR(name))
		return iommufd_refuse(PTR_ERR(name), "the name of a device cannot be read");
	mutex_lock(&group->lock);
	if (group->ictx)
		ret = open_device(group, filp, name);
	else
		ret = iommufd_refuse(-EINVAL, "group %d has no container", group->id);
	mutex_unlock(&group->lock);
	kfree(name);
	return ret;
}

/* The container of a group, referenced, or NULL. */
static struct iommufd_ctx *iommufd_of(struct vfio_cdev_group *group)
{
	struct iommufd_ctx *ictx;

	if (!group)
		return NULL;
	mutex_lock(&group->lock);
	ictx = group->ictx;
	if (ictx)
		iommufd_ctx_get(ictx);
	mutex_unlock(&group->lock);
	return ictx;
}

static long our_ioctl(struct vfio_cdev_group *group, struct file *filp,
		      unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case VFIO_GROUP_UNSET_CONTAINER:
		return unset_container(group);
	case VFIO_GROUP_GET_STATUS:
		return get_status(group, (void __user *)arg);
	case VFIO_GROUP_GET_DEVICE_FD:
		return get_device_fd(group, filp, (char __user *)arg);
	case VFIO_GROUP_SET_CONTAINER:
		return iommufd_refuse(-EINVAL, "group %d has a container",
				      group->id);
	}
	return stock_explained(filp, cmd, arg);
}

/* In the place of vfio.ko's function; redirect() has got the module for it. */
static long group_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct vfio_cdev_group *group = group_of(filp);
	struct iommufd_ctx *ictx = iommufd_of(group);
	struct iommufd_reason_scope scope;
	long ret;

	if (ictx) {
		iommufd_reason_begin(&scope, iommufd_ctx_reasons(ictx), cmd);
		ret = our_ioctl(group, filp, cmd, arg);
		iommufd_reason_end(&scope, ret);
		iommufd_ctx_put(ictx);
	} else if (cmd == VFIO_GROUP_SET_CONTAINER) {
		ret = set_container(filp, arg);
	} else {
		ret = stock_ioctl(filp, cmd, arg);
	}
	module_put(THIS_MODULE);
	return ret;
}

static void notrace redirect(unsigned long ip, unsigned long parent_ip,
			     struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct file *filp = (struct file *)ftrace_regs_get_argument(fregs, 0);
	unsigned int cmd = ftrace_regs_get_argument(fregs, 1);

	if (cmd != VFIO_GROUP_SET_CONTAINER && !group_of(filp))
		return;
	if (within_module(parent_ip, THIS_MODULE) || !try_module_get(THIS_MODULE))
		return;
	vfio_cdev_redirect(fregs, (unsigned long)group_ioctl);
}

/*
 * The group's file goes. Device files hold it: none is left. Nothing here
 * sleeps, as ftrace demands: the last reference to a file is let go later.
 */
static void notrace watch_release(unsigned long ip, unsigned long parent_ip,
				  struct ftrace_ops *ops,
				  struct ftrace_regs *fregs)
{
	struct file *filp = (struct file *)ftrace_regs_get_argument(fregs, 1);
	struct vfio_cdev_group *group = group_of(filp);

	if (!group)
		return;
	xa_erase(&groups, (unsigned long)filp);
	if (group->ictx)
		iommufd_ctx_put(group->ictx);
	kfree(group);
	module_put(THIS_MODULE);
}

/**
 * struct watched - a function of vfio.ko
 * @name: found by it, as vfio.ko does not export it
 * @ops: how ftrace knows it
 *
 * PERMANENT: nobody may switch ftrace off while files rely on it.
 */
struct watched {
	char *name;
	struct ftrace_ops ops;
};

static struct watched watched[] = {
	{
		.name = "vfio_group_fops_release",
		.ops = {
			.func = watch_release,
			.flags = FTRACE_OPS_FL_SAVE_ARGS |
				 FTRACE_OPS_FL_PERMANENT,
		},
	}, {
		.name = "vfio_group_fops_unl_ioctl",
		.ops = {
			.func = redirect,
			.flags = VFIO_CDEV_REDIRECTS,
		},
	},
};

static unsigned int armed;

static int arm(struct watched *w)
{
	int rc = ftrace_set_filter(&w->ops, (unsigned char *)w->name,
				   strlen(w->name), 1);

	if (!rc)
		rc = register_ftrace_function(&w->ops);
	if (rc)
		ftrace_free_filter(&w->ops);
	return rc;
}

/**
 * vfio_cdev_container_hook() - let groups have a /dev/iommu as their container
 *
 * All or nothing; without it vfio.ko refuses, and that is said in the kernel's
 * log. May sleep.
 */
void vfio_cdev_container_hook(void)
{
	int rc = 0;

	while (armed < ARRAY_SIZE(watched)) {
		rc = arm(&watched[armed]);
		if (rc)
			break;
		armed++;
	}
	if (!rc)
		return;
	pr_warn("vfio_cdev: groups will not accept /dev/iommu as their container: %s cannot be redirected (error %d)\n",
		watched[armed].name, rc);
	vfio_cdev_container_unhook();
}

/**
 * vfio_cdev_container_unhook() - undo vfio_cdev_container_hook()
 *
 * No group has a /dev/iommu. May sleep, for as long as RCU's tasks take.
 */
void vfio_cdev_container_unhook(void)
{
	bool was_armed = armed;

	while (armed) {
		armed--;
		unregister_ftrace_function(&watched[armed].ops);
		ftrace_free_filter(&watched[armed].ops);
	}
	if (was_armed)
		synchronize_rcu_tasks();
}

#else

void vfio_cdev_container_hook(void)
{
	pr_warn("vfio_cdev: groups will not accept /dev/iommu as their container: this kernel cannot redirect functions\n");
}

void vfio_cdev_container_unhook(void)
{
}

#endif

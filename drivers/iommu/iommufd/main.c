// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/iommu: the file, its ioctls, and the context as kernel drivers hold it.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/iommufd.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/iommufd.h>
#include <uapi/linux/iommufd_test.h>

#include "debugfs.h"
#include "dmabuf.h"
#include "fail.h"
#include "ioctl.h"
#include "parallel.h"
#include "selftest.h"
#include "vfio_compat.h"
#include "viommu.h"

/**
 * iommufd_ucmd_respond - copy a command's outputs back to the user
 * @ucmd: the command; what the user's structure has beyond ours is not touched
 *
 * Return: 0 or -EFAULT, explained
 */
int iommufd_ucmd_respond(struct iommufd_ucmd *ucmd)
{
	if (copy_to_user(ucmd->ubuffer, ucmd->cmd,
			 min(ucmd->user_size, ucmd->cmd_size)))
		return iommufd_refuse(-EFAULT,
				      "the ioctl's structure cannot be written to");
	return 0;
}

/**
 * iommufd_ucmd_deliver - tell the user about a new object and let it be found
 * @ucmd: the command, with the object's id among its outputs
 * @obj: completely built, not published; belongs to the user afterwards
 *
 * Return: 0 or -EFAULT, explained; then the object is gone
 */
int iommufd_ucmd_deliver(struct iommufd_ucmd *ucmd, struct iommufd_object *obj)
{
	int rc = iommufd_ucmd_respond(ucmd);

	if (rc)
		iommufd_object_abandon(obj);
	else
		iommufd_object_publish(obj);
	return rc;
}

/**
 * iommufd_check_reserved - refuse a reserved field that is not 0
 * @reserved: the field
 * @name: its name in the structure
 *
 * Return: 0 or -EOPNOTSUPP, explained
 */
int iommufd_check_reserved(u32 reserved, const char *name)
{
	if (reserved)
		return iommufd_refuse(-EOPNOTSUPP, "%s is 0x%x and has to be 0",
				      name, reserved);
	return 0;
}

/**
 * iommufd_check_flags - refuse flags that this kernel does not know
 * @flags: from the user
 * @known: all that are known
 *
 * Return: 0 or -EOPNOTSUPP, explained
 */
int iommufd_check_flags(u32 flags, u32 known)
{
	if (flags & ~known)
		return iommufd_refuse(-EOPNOTSUPP, "unknown flags 0x%x",
				      flags & ~known);
	return 0;
}

static int iommufd_destroy(struct iommufd_ucmd *ucmd)
{
	struct iommu_destroy *cmd = ucmd->cmd;

	return iommufd_object_destroy_id(ucmd->ictx, cmd->id);
}

/* Room for the largest command. */
union ucmd_buffer {
	struct iommu_ioas_alloc alloc;
	struct iommu_ioas_iova_ranges ranges;
	struct iommu_ioas_allow_iovas allow;
	struct iommu_ioas_map map;
	struct iommu_ioas_map_file map_file;
	struct iommu_ioas_copy copy;
	struct iommu_ioas_unmap unmap;
	struct iommu_ioas_change_process change_process;
	struct iommu_ioas_noiommu_get_pa get_pa;
	struct iommu_vfio_ioas vfio_ioas;
	struct iommu_option option;
	struct iommu_hw_info info;
	struct iommu_hwpt_alloc hwpt;
	struct iommu_hwpt_invalidate invalidate;
	struct iommu_hwpt_set_dirty_tracking set_dirty;
	struct iommu_hwpt_get_dirty_bitmap get_dirty;
	struct iommu_viommu_alloc viommu;
	struct iommu_vdevice_alloc vdevice;
	struct iommu_hw_queue_alloc hw_queue;
	struct iommu_fault_alloc fault;
	struct iommu_veventq_alloc veventq;
	struct iommu_destroy destroy;
	struct iommu_test_cmd test;
};

struct ucmd_op {
	int (*handler)(struct iommufd_ucmd *ucmd);
	unsigned int ioctl;
	u32 size;
	u32 min_size;
};

/* @_last is the last member of the first version of the structure. */
#define UCMD(_ioctl, _handler, _struct, _last)				\
	[_IOC_NR(_ioctl) - IOMMUFD_CMD_BASE] = {			\
		.handler = _handler,					\
		.ioctl = _ioctl,					\
		.size = sizeof(struct _struct),				\
		.min_size = offsetofend(struct _struct, _last),		\
	}

static const struct ucmd_op ucmd_ops[] = {
	UCMD(IOMMU_DESTROY, iommufd_destroy, iommu_destroy, id),
	UCMD(IOMMU_FAULT_QUEUE_ALLOC, iommufd_fault_queue_alloc,
	     iommu_fault_alloc, out_fault_fd),
	UCMD(IOMMU_GET_HW_INFO, iommufd_get_hw_info, iommu_hw_info,
	     __reserved),
	UCMD(IOMMU_HW_QUEUE_ALLOC, iommufd_hw_queue_alloc,
	     iommu_hw_queue_alloc, length),
	UCMD(IOMMU_HWPT_ALLOC, iommufd_hwpt_alloc, iommu_hwpt_alloc,
	     __reserved),
	UCMD(IOMMU_HWPT_GET_DIRTY_BITMAP, iommufd_hwpt_get_dirty_bitmap,
	     iommu_hwpt_get_dirty_bitmap, data),
	UCMD(IOMMU_HWPT_INVALIDATE, iommufd_hwpt_invalidate,
	     iommu_hwpt_invalidate, __reserved),
	UCMD(IOMMU_HWPT_SET_DIRTY_TRACKING, iommufd_hwpt_set_dirty_tracking,
	     iommu_hwpt_set_dirty_tracking, __reserved),
	UCMD(IOMMU_IOAS_ALLOC, iommufd_ioas_alloc_ioctl, iommu_ioas_alloc,
	     out_ioas_id),
	UCMD(IOMMU_IOAS_ALLOW_IOVAS, iommufd_ioas_allow_iovas,
	     iommu_ioas_allow_iovas, allowed_iovas),
	UCMD(IOMMU_IOAS_CHANGE_PROCESS, iommufd_ioas_change_process,
	     iommu_ioas_change_process, __reserved),
	UCMD(IOMMU_IOAS_COPY, iommufd_ioas_copy, iommu_ioas_copy, src_iova),
	UCMD(IOMMU_IOAS_IOVA_RANGES, iommufd_ioas_iova_ranges,
	     iommu_ioas_iova_ranges, out_iova_alignment),
	UCMD(IOMMU_IOAS_MAP, iommufd_ioas_map, iommu_ioas_map, iova),
	UCMD(IOMMU_IOAS_MAP_FILE, iommufd_ioas_map_file, iommu_ioas_map_file,
	     iova),
	UCMD(IOMMU_IOAS_NOIOMMU_GET_PA, iommufd_ioas_noiommu_get_pa,
	     iommu_ioas_noiommu_get_pa, out_phys),
	UCMD(IOMMU_IOAS_UNMAP, iommufd_ioas_unmap, iommu_ioas_unmap, length),
	UCMD(IOMMU_OPTION, iommufd_option, iommu_option, val64),
	UCMD(IOMMU_TEST_CMD, iommufd_selftest, iommu_test_cmd, last),
	UCMD(IOMMU_VDEVICE_ALLOC, iommufd_vdevice_alloc, iommu_vdevice_alloc,
	     virt_id),
	UCMD(IOMMU_VEVENTQ_ALLOC, iommufd_veventq_alloc, iommu_veventq_alloc,
	     out_veventq_fd),
	UCMD(IOMMU_VFIO_IOAS, iommufd_vfio_ioas, iommu_vfio_ioas, __reserved),
	UCMD(IOMMU_VIOMMU_ALLOC, iommufd_viommu_alloc, iommu_viommu_alloc,
	     out_viommu_id),
};

/* Whether all is 0 from @done on; users may claim gigabytes. */
static int check_tail(struct iommufd_ucmd *ucmd, size_t done)
{
	int rc = 1;

	while (rc > 0 && done < ucmd->user_size) {
		size_t n = min_t(size_t, ucmd->user_size - done, SZ_64K);

		if (fatal_signal_pending(current))
			return -EINTR;
		rc = check_zeroed_user(ucmd->ubuffer + done, n);
		done += n;
		cond_resched();
	}
	return rc < 0 ? rc : rc ? 0 : -E2BIG;
}

static int ucmd_read(struct iommufd_ucmd *ucmd, const struct ucmd_op *op)
{
	size_t head;
	int rc;

	if (get_user(ucmd->user_size, (u32 __user *)ucmd->ubuffer))
		return iommufd_refuse(-EFAULT,
				      "the ioctl's structure cannot be read");
	if (ucmd->user_size < op->min_size)
		return iommufd_refuse(-EINVAL,
				      "size is %u, the structure has at least %u bytes",
				      ucmd->user_size, op->min_size);

	head = min_t(size_t, ucmd->user_size, PAGE_SIZE);
	rc = copy_struct_from_user(ucmd->cmd, op->size, ucmd->ubuffer, head) ?:
	     check_tail(ucmd, head);
	if (rc == -E2BIG)
		return iommufd_refuse(rc, "size is %u, and beyond the %u bytes known here something is not 0",
				      ucmd->user_size, op->size);
	if (rc)
		return iommufd_refuse(rc, "the ioctl's structure of %u bytes cannot be read",
				      ucmd->user_size);
	return 0;
}

static long iommufd_do_ioctl(struct iommufd_ctx *ictx, unsigned int cmd,
			     unsigned long arg)
{
	union ucmd_buffer buffer = {};
	struct iommufd_ucmd ucmd = {
		.ictx = ictx,
		.ubuffer = (void __user *)arg,
		.cmd = &buffer,
	};
	unsigned int nr = _IOC_NR(cmd) - IOMMUFD_CMD_BASE;
	const struct ucmd_op *op;
	int rc;

	if (_IOC_TYPE(cmd) == IOMMUFD_TYPE && _IOC_NR(cmd) < IOMMUFD_CMD_BASE)
		return iommufd_vfio_ioctl(ictx, cmd, arg);
	if (nr >= ARRAY_SIZE(ucmd_ops) || ucmd_ops[nr].ioctl != cmd ||
	    !ucmd_ops[nr].handler ||
	    (cmd == IOMMU_TEST_CMD && !iommufd_selftest_loaded()))
		return iommufd_refuse(-ENOTTY,
				      "/dev/iommu has no ioctl 0x%x here", cmd);
	op = &ucmd_ops[nr];
	ucmd.cmd_size = op->size;
	rc = ucmd_read(&ucmd, op);
	if (rc)
		return rc;
	iommufd_selftest_prepare(&ucmd, cmd);
	return op->handler(&ucmd);
}

static long iommufd_ioctl(struct file *filp, unsigned int cmd,
			  unsigned long arg)
{
	struct iommufd_ctx *ictx = filp->private_data;
	struct iommufd_reason_scope scope;

	iommufd_reason_begin(&scope, ictx->log, cmd);
	return iommufd_reason_end(&scope, iommufd_do_ioctl(ictx, cmd, arg));
}

static int iommufd_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct iommufd_ctx *ictx = filp->private_data;
	struct iommufd_reason_scope scope;

	iommufd_reason_begin(&scope, ictx->log, 0);
	return iommufd_reason_end(&scope, iommufd_region_mmap(ictx, vma));
}

static int iommufd_open(struct inode *inode, struct file *filp)
{
	struct iommufd_ctx *ictx;

	ictx = kzalloc(sizeof(*ictx), GFP_KERNEL_ACCOUNT);
	if (!ictx)
		return -ENOMEM;
	ictx->log = iommufd_reason_log_alloc();
	if (!ictx->log) {
		kfree(ictx);
		return -ENOMEM;
	}
	xa_init_flags(&ictx->objects, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	init_waitqueue_head(&ictx->idle);
	mutex_init(&ictx->freeze_lock);
	mutex_init(&ictx->regions_lock);
	mt_init_flags(&ictx->regions, MT_FLAGS_ALLOC_RANGE);
	mutex_init(&ictx->groups_lock);
	INIT_LIST_HEAD(&ictx->groups);
	ictx->file = filp;
	filp->private_data = ictx;
	iommufd_debugfs_add(ictx);
	return 0;
}

static int iommufd_release(struct inode *inode, struct file *filp)
{
	struct iommufd_ctx *ictx = filp->private_data;

	iommufd_debugfs_remove(ictx);
	iommufd_object_destroy_all(ictx);
	WARN_ON(!list_empty(&ictx->groups) || !mtree_empty(&ictx->regions));
	iommufd_reason_log_free(ictx->log);
	kfree(ictx);
	return 0;
}

static void iommufd_show_fdinfo(struct seq_file *m, struct file *filp)
{
	struct iommufd_ctx *ictx = filp->private_data;

	iommufd_object_show_all(ictx, m);
	iommufd_reason_log_show(ictx->log, m);
}

static const struct file_operations iommufd_fops = {
	.owner = THIS_MODULE,
	.open = iommufd_open,
	.release = iommufd_release,
	.unlocked_ioctl = iommufd_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = iommufd_mmap,
	.show_fdinfo = iommufd_show_fdinfo,
};

/**
 * iommufd_ctx_get - hold a context that the caller holds already
 * @ictx: the context
 */
void iommufd_ctx_get(struct iommufd_ctx *ictx)
{
	get_file(ictx->file);
}
EXPORT_SYMBOL_GPL(iommufd_ctx_get);

/**
 * iommufd_ctx_from_file - get the context of an open /dev/iommu
 * @file: any file; stays the caller's
 *
 * Return: the context, to be given back with iommufd_ctx_put(), or an ERR_PTR of
 *	   -EBADFD if the file is something else
 */
struct iommufd_ctx *iommufd_ctx_from_file(struct file *file)
{
	struct iommufd_ctx *ictx;

	if (file->f_op != &iommufd_fops)
		return ERR_PTR(iommufd_refuse(-EBADFD,
					      "the file is not an open /dev/iommu"));
	ictx = file->private_data;
	iommufd_ctx_get(ictx);
	return ictx;
}
EXPORT_SYMBOL_GPL(iommufd_ctx_from_file);

/**
 * iommufd_ctx_from_fd - get the context behind a file descriptor
 * @fd: of the current process
 *
 * Return: the context, to be given back with iommufd_ctx_put(), or an ERR_PTR:
 *	   -EBADF no such descriptor, -EBADFD not a /dev/iommu
 */
struct iommufd_ctx *iommufd_ctx_from_fd(int fd)
{
	struct file *file = fget(fd);

	if (!file)
		return ERR_PTR(iommufd_refuse(-EBADF,
					      "file descriptor %d is not open", fd));
	if (file->f_op != &iommufd_fops) {
		fput(file);
		return ERR_PTR(iommufd_refuse(-EBADFD,
					      "file descriptor %d is not an open /dev/iommu",
					      fd));
	}
	/* The reference of fget() becomes the context's. */
	return file->private_data;
}
EXPORT_SYMBOL_GPL(iommufd_ctx_from_fd);

/**
 * iommufd_ctx_put - give back a context
 * @ictx: the context; may be gone afterwards
 */
void iommufd_ctx_put(struct iommufd_ctx *ictx)
{
	fput(ictx->file);
}
EXPORT_SYMBOL_GPL(iommufd_ctx_put);

/**
 * iommufd_ctx_reasons - where the refusals of a context are kept
 * @ictx: the context, which the caller holds
 *
 * For files that act on a context and cannot show what they refused themselves.
 *
 * Return: the log, which lasts as long as the context
 */
struct iommufd_reason_log *iommufd_ctx_reasons(struct iommufd_ctx *ictx)
{
	return ictx->log;
}
EXPORT_SYMBOL_GPL(iommufd_ctx_reasons);

static struct miscdevice iommufd_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "iommu",
	.fops = &iommufd_fops,
	.nodename = "iommu",
	.mode = 0660,
};

#if IS_ENABLED(CONFIG_IOMMUFD_VFIO_CONTAINER)
/* The name by which programs of VFIO's groups open their container. */
static struct miscdevice container_misc = {
	.minor = VFIO_MINOR,
	.name = "vfio",
	.fops = &iommufd_fops,
	.nodename = "vfio/vfio",
	.mode = 0666,
};
MODULE_ALIAS_MISCDEV(VFIO_MINOR);
MODULE_ALIAS("devname:vfio/vfio");

static int container_register(void)
{
	return misc_register(&container_misc);
}

static void container_deregister(void)
{
	misc_deregister(&container_misc);
}
#else
static int container_register(void)
{
	return 0;
}

static void container_deregister(void)
{
}
#endif

static int __init iommufd_init(void)
{
	int rc;

	rc = parallel_init();
	if (rc)
		return rc;
	iommufd_debugfs_init();
	iommufd_fail_init();
	rc = misc_register(&iommufd_misc);
	if (rc)
		goto err_exit;
	iommufd_dmabuf_importer = iommufd_misc.this_device;
	rc = container_register();
	if (rc)
		goto err_misc;
	return 0;

err_misc:
	misc_deregister(&iommufd_misc);
err_exit:
	iommufd_fail_exit();
	iommufd_debugfs_exit();
	parallel_exit();
	return rc;
}

static void __exit iommufd_exit(void)
{
	container_deregister();
	misc_deregister(&iommufd_misc);
	iommufd_fail_exit();
	iommufd_debugfs_exit();
	parallel_exit();
}

module_init(iommufd_init);
module_exit(iommufd_exit);

MODULE_DESCRIPTION("I/O address spaces and page tables for user space");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(IOMMUFD_INTERNAL);
MODULE_SOFTDEP("post: vfio_cdev");

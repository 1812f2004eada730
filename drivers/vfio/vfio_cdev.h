/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vfio_cdev: a character device for every PCI device that belongs to the
 * stock vfio-pci or a variant of it, on a kernel built without
 * CONFIG_VFIO_DEVICE_CDEV. The stock driver keeps the device; this module
 * adds the file through which a user binds it to a /dev/iommu.
 *
 *	node.c		which devices have a node
 *	file.c		the file: open, release, dispatch, what fdinfo says
 *	bind.c		BIND, ATTACH, DETACH and the way back at close
 *	feature.c	VFIO_DEVICE_FEATURE
 *	dmabuf.c	memory of a device for other devices to reach
 *	hot_reset.c	reset of a slot or bus and the question what it hits
 *	kvm_hook.c	KVM asking vfio.ko about such a file
 *	container_hook.c a VFIO group whose container is a /dev/iommu
 *
 * Locks, outermost first. Everything here may sleep unless it says otherwise.
 *
 *	vfio_cdev_group.lock	what a group of vfio.ko has as its container
 *	device_lock(PCI device)	held by the driver core round bind and unbind
 *	vfio_cdev_nodes_lock	which nodes exist
 *	vfio_device_set.lock	of vfio.ko: open_count, bound files, attachment
 *	mmap_lock		user memory is read and written under the above
 *	memory_lock		of vfio-pci-core, taken for writing by a hot reset
 *	vfio_cdev_node.buffers_lock
 *	reservation lock of an exported dma-buf; /dev/iommu takes it inside the
 *				locks of an IOAS
 *	vfio_cdev_node.lock, vfio_cdev_file.kvm_lock	innermost, do not sleep
 */
#ifndef VFIO_CDEV_H
#define VFIO_CDEV_H

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/ftrace.h>
#include <linux/iommufd.h>
#include <linux/iommufd_reason.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/vfio.h>
#include <linux/vfio_pci_core.h>
#include <linux/xarray.h>

/**
 * struct vfio_cdev_node - the character device of one VFIO device
 * @dev: /sys/class/vfio-cdev/vfioN and /dev/vfio/devices/vfioN; its release
 *	frees the node
 * @cdev: has @dev as its parent, so an open file keeps the node alive
 * @lock: protects @vdev
 * @vdev: the device, NULL once the node is withdrawn
 * @af_cap: offset of its Advanced Features capability, 0 if it has none
 * @buffers_lock: protects what is below
 * @buffers: struct vfio_cdev_buffer exported since the device was opened
 * @buffers_of: @vdev while there may be any
 * @buffers_taken: how many operations that may turn the memory off are under way
 * @buffers_away: the buffers are away; written under the lock, read without
 *
 * Born when a driver has bound the PCI device (or the module comes later),
 * withdrawn when the driver core announces that the driver lets go, which is
 * before vfio.ko starts to unregister. In between the node holds a reference
 * on vdev->device; a file holds a registration reference of its own, taken
 * under @lock, and may outlive the node's being withdrawn.
 */
struct vfio_cdev_node {
	struct device dev;
	struct cdev cdev;
	spinlock_t lock;
	struct vfio_device *vdev;
	u8 af_cap;
	struct mutex buffers_lock;
	struct list_head buffers;
	struct vfio_device *buffers_of;
	unsigned int buffers_taken;
	bool buffers_away;
};

/**
 * struct vfio_cdev_file - an open file of a node, or of a device of a group
 * @vdev: the device. The file holds a registration reference (vdev->refcount)
 *	from open to release: unregistering waits for it, so @vdev, its driver
 *	and its PCI device stay
 * @node: where the file was opened; alive because the cdev is, or referenced if
 *	the file was opened by a group
 * @group: the group's file that opened this one, referenced; NULL if it was
 *	opened by its node. Constant
 * @siblings: all files of one group that have this device open at once, in a
 *	ring; under the device set's lock
 * @reasons: the last refusals of this file
 * @bound: BIND has succeeded, or the group has done the same. Goes from false
 *	to true once and is published with release semantics after everything
 *	below; whoever has seen it true may use @ictx, @idev and @devid without
 *	a lock, because they last until the file's release
 * @ictx: the /dev/iommu context, referenced
 * @idev: the device as that context knows it
 * @devid: its id there
 * @pt_id: the table it is attached to, 0 for none. Written under the device
 *	set's lock, read without by fdinfo
 * @kvm_lock: protects @kvm
 * @kvm: the virtual machine this file was given to, not referenced: KVM takes
 *	it back before it goes. Read once, by BIND
 */
struct vfio_cdev_file {
	struct vfio_device *vdev;
	struct vfio_cdev_node *node;
	struct file *group;
	struct list_head siblings;
	struct iommufd_reason_log *reasons;
	bool bound;
	struct iommufd_ctx *ictx;
	struct iommufd_device *idev;
	u32 devid;
	u32 pt_id;
	spinlock_t kvm_lock;
	struct kvm *kvm;
};

static inline struct vfio_pci_core_device *
vfio_cdev_to_pci(struct vfio_device *vdev)
{
	return container_of(vdev, struct vfio_pci_core_device, vdev);
}

static inline const char *vfio_cdev_name(struct vfio_device *vdev)
{
	return dev_name(vdev->dev);
}

extern const struct file_operations vfio_cdev_fops;

int vfio_cdev_nodes_init(void);
void vfio_cdev_nodes_exit(void);
bool vfio_cdev_node_leaving(struct vfio_cdev_node *node);
struct iommu_group *vfio_cdev_node_group(int id);
struct vfio_cdev_node *vfio_cdev_node_find(int group_id, char *name);

int vfio_cdev_file_by_group(struct vfio_cdev_node *node, struct file *group,
			    struct iommufd_ctx *ictx);

struct vfio_cdev_file *vfio_cdev_bound_file(struct vfio_device *vdev);
int vfio_cdev_bind(struct vfio_cdev_file *vf, void __user *uarg);
int vfio_cdev_bind_by_group(struct vfio_cdev_file *vf,
			    struct iommufd_ctx *ictx);
void vfio_cdev_unbind(struct vfio_cdev_file *vf);
int vfio_cdev_attach(struct vfio_cdev_file *vf, void __user *uarg);
int vfio_cdev_detach(struct vfio_cdev_file *vf, void __user *uarg);

int vfio_cdev_feature(struct vfio_cdev_file *vf, void __user *uarg);

extern atomic_t vfio_cdev_group_resets;

int vfio_cdev_dmabuf(struct vfio_cdev_file *vf, void __user *uarg, size_t room);
void vfio_cdev_buffers_take(struct vfio_cdev_node *node);
void vfio_cdev_buffers_give(struct vfio_cdev_node *node);
void vfio_cdev_buffers_check(struct vfio_cdev_node *node);
void vfio_cdev_buffers_end(struct vfio_cdev_node *node);
bool vfio_cdev_write_may_stop(struct vfio_cdev_file *vf, loff_t pos,
			      size_t count);
int vfio_cdev_dmabuf_init(void);
void vfio_cdev_dmabuf_exit(void);

int vfio_cdev_hot_reset_info(struct vfio_cdev_file *vf, void __user *uarg);
int vfio_cdev_hot_reset(struct vfio_cdev_file *vf, void __user *uarg);
long vfio_cdev_hot_reset_by_group(struct vfio_cdev_file *vf, unsigned long arg);

/*
 * For functions that ftrace calls at the entry of one of vfio.ko, to let the call go
 * on in a function of ours. On POWER a function finds its data by its own address,
 * which it expects in register 12.
 */
#ifdef CONFIG_PPC64
#define VFIO_CDEV_REDIRECTS (FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_SAVE_REGS | \
			     FTRACE_OPS_FL_PERMANENT)
#else
#define VFIO_CDEV_REDIRECTS (FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_SAVE_ARGS | \
			     FTRACE_OPS_FL_PERMANENT)
#endif

#ifdef CONFIG_DYNAMIC_FTRACE_WITH_ARGS
static __always_inline void vfio_cdev_redirect(struct ftrace_regs *fregs,
					       unsigned long to)
{
	ftrace_regs_set_instruction_pointer(fregs, to);
#ifdef CONFIG_PPC64
	ftrace_get_regs(fregs)->gpr[12] = to;
#endif
}
#endif

void vfio_cdev_kvm_give(struct vfio_cdev_file *vf);
void vfio_cdev_kvm_take(struct vfio_device *vdev);
void vfio_cdev_kvm_hook(void);
void vfio_cdev_kvm_unhook(void);

void vfio_cdev_group_put(struct file *group);
void vfio_cdev_container_hook(void);
void vfio_cdev_container_unhook(void);

#endif

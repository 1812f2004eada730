// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_FEATURE_DMA_BUF: memory of a device as a dma-buf, for other devices
 * to reach through an IOAS (IOMMU_IOAS_MAP_FILE).
 *
 * Reads and writes of memory that is turned off are errors on the bus, which some
 * machines do not survive. So a buffer is taken away before anything that may turn
 * the memory off begins, and comes back when that is over and the memory is on.
 * The stock driver tells nobody what it does to the memory, but it does so on
 * request only, and requests pass through here: writes to configuration space, a
 * reset, low power, a hot reset, close. What the registers of a request are told
 * cannot be looked at first, since the user may change it until the driver reads
 * it; every write to a register that could do it counts.
 */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/fcntl.h>
#include <linux/iommufd_dmabuf.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/vfio_cdev.h>

#include "vfio_cdev.h"

/**
 * struct vfio_cdev_buffer - exported memory of a device
 * @link: in vfio_cdev_node.buffers until the device is closed
 * @node: the device's; referenced, for its buffers_lock
 * @dmabuf: what the user has; its release frees this
 * @run: where the memory is; constant
 * @away: nobody may reach it; protected by the reservation lock of @dmabuf
 */
struct vfio_cdev_buffer {
	struct list_head link;
	struct vfio_cdev_node *node;
	struct dma_buf *dmabuf;
	struct iommufd_run run;
	bool away;
};

/* No other importer can map device memory as this kernel is built. */
static int buffer_attach(struct dma_buf *dmabuf,
			 struct dma_buf_attachment *attach)
{
	return attach->peer2peer ? 0 : -EOPNOTSUPP;
}

static struct sg_table *buffer_map(struct dma_buf_attachment *attach,
				   enum dma_data_direction dir)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static void buffer_unmap(struct dma_buf_attachment *attach,
			 struct sg_table *sgt, enum dma_data_direction dir)
{
}

/* It has to be possible to take it away. */
static int buffer_pin(struct dma_buf_attachment *attach)
{
	return -EOPNOTSUPP;
}

static void buffer_unpin(struct dma_buf_attachment *attach)
{
}

static void buffer_release(struct dma_buf *dmabuf)
{
	struct vfio_cdev_buffer *buffer = dmabuf->priv;
	struct vfio_cdev_node *node = buffer->node;

	mutex_lock(&node->buffers_lock);
	list_del_init(&buffer->link);
	mutex_unlock(&node->buffers_lock);
	put_device(&node->dev);
	kfree(buffer);
}

static const struct dma_buf_ops buffer_ops = {
	.attach = buffer_attach,
	.map_dma_buf = buffer_map,
	.unmap_dma_buf = buffer_unmap,
	.pin = buffer_pin,
	.unpin = buffer_unpin,
	.release = buffer_release,
};

static int buffer_run(struct dma_buf *dmabuf, struct iommufd_run *run)
{
	struct vfio_cdev_buffer *buffer = dmabuf->priv;

	if (buffer->away)
		return -ENODEV;
	*run = buffer->run;
	return 0;
}

static const struct iommufd_dmabuf_exporter exporter = {
	.owner = THIS_MODULE,
	.ops = &buffer_ops,
	.mmio = true,
	.get_run = buffer_run,
};

/*
 * Hot resets that groups have under way. What they hit was noted before; nothing
 * may be added to it.
 */
atomic_t vfio_cdev_group_resets = ATOMIC_INIT(0);

static void move_all(struct vfio_cdev_node *node, bool away)
{
	struct vfio_cdev_buffer *buffer;

	lockdep_assert_held(&node->buffers_lock);
	list_for_each_entry(buffer, &node->buffers, link) {
		dma_resv_lock(buffer->dmabuf->resv, NULL);
		if (buffer->away != away) {
			buffer->away = away;
			dma_buf_move_notify(buffer->dmabuf);
		}
		dma_resv_unlock(buffer->dmabuf->resv);
	}
	WRITE_ONCE(node->buffers_away, away);
}

/* The device is awake, or sleeps on its user's behalf. */
static bool memory_is_on(struct vfio_device *vdev)
{
	struct vfio_pci_core_device *core = vfio_cdev_to_pci(vdev);
	struct pci_dev *pdev = core->pdev;
	u16 command;

	if (core->pm_runtime_engaged || pdev->current_state != PCI_D0)
		return false;
	if (pdev->no_command_memory)
		return true;
	return !pci_read_config_word(pdev, PCI_COMMAND, &command) &&
	       command != 0xffff && (command & PCI_COMMAND_MEMORY);
}

/**
 * vfio_cdev_buffers_take() - the device's memory may be turned off from here on
 * @node: the device's, which is bound
 *
 * When it returns no device reaches its memory through an IOAS, until
 * vfio_cdev_buffers_give(). Calls nest. May sleep.
 */
void vfio_cdev_buffers_take(struct vfio_cdev_node *node)
{
	mutex_lock(&node->buffers_lock);
	node->buffers_taken++;
	move_all(node, true);
	mutex_unlock(&node->buffers_lock);
}

/* Give back what nobody has taken, if the memory is on. */
static void give_if_on(struct vfio_cdev_node *node)
{
	lockdep_assert_held(&node->buffers_lock);
	if (!node->buffers_taken && node->buffers_of &&
	    memory_is_on(node->buffers_of))
		move_all(node, false);
}

/**
 * vfio_cdev_buffers_give() - undo vfio_cdev_buffers_take()
 * @node: as it was given there; the device may have been closed since
 *
 * Memory that is off now stays away. May sleep.
 */
void vfio_cdev_buffers_give(struct vfio_cdev_node *node)
{
	mutex_lock(&node->buffers_lock);
	node->buffers_taken--;
	give_if_on(node);
	mutex_unlock(&node->buffers_lock);
}

/**
 * vfio_cdev_buffers_check() - look whether the device has woken up
 * @node: the device's, which is bound
 *
 * The driver ends low power by itself when the device asks for it, and tells its
 * user alone, whose next call comes here. May sleep.
 */
void vfio_cdev_buffers_check(struct vfio_cdev_node *node)
{
	if (!READ_ONCE(node->buffers_away))
		return;
	mutex_lock(&node->buffers_lock);
	give_if_on(node);
	mutex_unlock(&node->buffers_lock);
}

/**
 * vfio_cdev_buffers_end() - the device is about to be closed
 * @node: the device's
 *
 * Buffers that were exported so far stay away for good. May sleep.
 */
void vfio_cdev_buffers_end(struct vfio_cdev_node *node)
{
	struct vfio_cdev_buffer *buffer, *next;

	mutex_lock(&node->buffers_lock);
	move_all(node, true);
	list_for_each_entry_safe(buffer, next, &node->buffers, link)
		list_del_init(&buffer->link);
	node->buffers_of = NULL;
	mutex_unlock(&node->buffers_lock);
}

static bool overlaps(loff_t pos, size_t count, unsigned int reg, size_t size)
{
	return reg && pos < reg + size && pos + count > reg;
}

/**
 * vfio_cdev_write_may_stop() - whether a write may turn the memory off
 * @vf: a bound file of the device
 * @pos: offset in the file
 * @count: bytes
 *
 * Return: true for registers that turn memory on and off, change the power state
 * or reset the function
 */
bool vfio_cdev_write_may_stop(struct vfio_cdev_file *vf, loff_t pos,
			      size_t count)
{
	struct pci_dev *pdev = to_pci_dev(vf->vdev->dev);
	unsigned int pm = pdev->pm_cap, exp = pdev->pcie_cap;
	unsigned int af = vf->node->af_cap;

	if (VFIO_PCI_OFFSET_TO_INDEX((u64)pos) != VFIO_PCI_CONFIG_REGION_INDEX)
		return false;
	pos &= VFIO_PCI_OFFSET_MASK;
	count = min_t(size_t, count, PCI_CFG_SPACE_EXP_SIZE);
	return overlaps(pos, count, PCI_COMMAND, 2) ||
	       overlaps(pos, count, pm ? pm + PCI_PM_CTRL : 0, 2) ||
	       overlaps(pos, count, exp ? exp + PCI_EXP_DEVCTL : 0, 2) ||
	       overlaps(pos, count, af ? af + PCI_AF_CTRL : 0, 1);
}

static int refuse_range(struct vfio_device *vdev, u64 offset, u64 length,
			unsigned int bar, const char *why)
{
	return iommufd_refuse(-EINVAL, "%s: 0x%llx bytes at 0x%llx of region %u %s",
			      vfio_cdev_name(vdev), length, offset, bar, why);
}

static int check_range(struct vfio_device *vdev, unsigned int bar,
		       const struct vfio_region_dma_range *range)
{
	u64 size = pci_resource_len(to_pci_dev(vdev->dev), bar);
	u64 end;

	if (!range->length ||
	    (range->offset | range->length) & (PAGE_SIZE - 1))
		return refuse_range(vdev, range->offset, range->length, bar,
				    "are not whole pages");
	if (check_add_overflow(range->offset, range->length, &end) || end > size)
		return refuse_range(vdev, range->offset, range->length, bar,
				    "are not within it");
	return 0;
}

static int check_region(struct vfio_device *vdev, unsigned int bar)
{
	struct vfio_pci_core_device *core = vfio_cdev_to_pci(vdev);

	if (bar >= PCI_STD_NUM_BARS)
		return iommufd_refuse(-EINVAL, "%s: region %u is not memory of the device",
				      vfio_cdev_name(vdev), bar);
	if (!core->bar_mmap_supported[bar])
		return iommufd_refuse(-EINVAL, "%s: region %u has no pages of its own",
				      vfio_cdev_name(vdev), bar);
	if (core->sriov_pf_core_dev)
		return iommufd_refuse(-EOPNOTSUPP, "%s: whoever has %s may turn the memory off unseen",
				      vfio_cdev_name(vdev),
				      pci_name(pci_physfn(core->pdev)));
	return 0;
}

/* Ranges that follow each other are one; others have no place in an IOAS. */
static int read_ranges(struct vfio_device *vdev,
		       const struct vfio_device_feature_dma_buf *arg,
		       struct vfio_region_dma_range __user *uranges,
		       struct iommufd_run *run)
{
	phys_addr_t base;
	u32 i;
	int rc;

	base = pci_resource_start(to_pci_dev(vdev->dev), arg->region_index);
	for (i = 0; i < arg->nr_ranges; i++) {
		struct vfio_region_dma_range range;

		if (copy_from_user(&range, &uranges[i], sizeof(range)))
			return iommufd_refuse(-EFAULT, "%s: range %u at 0x%lx cannot be read",
					      vfio_cdev_name(vdev), i,
					      (unsigned long)&uranges[i]);
		rc = check_range(vdev, arg->region_index, &range);
		if (rc)
			return rc;
		if (!i)
			run->phys = base + range.offset;
		else if (run->phys + run->len != base + range.offset)
			return iommufd_refuse(-EOPNOTSUPP, "%s: range %u does not begin where the one before ends",
					      vfio_cdev_name(vdev), i);
		run->len += range.length;
	}
	return 0;
}

static int check_arg(struct vfio_device *vdev,
		     const struct vfio_device_feature_dma_buf *arg, size_t room)
{
	size_t needed = struct_size(arg, dma_ranges, arg->nr_ranges);

	if (arg->flags)
		return iommufd_refuse(-EINVAL, "%s: unknown DMA_BUF flags 0x%x",
				      vfio_cdev_name(vdev), arg->flags);
	if (arg->open_flags & ~(O_ACCMODE | O_CLOEXEC))
		return iommufd_refuse(-EINVAL, "%s: DMA_BUF with open flags 0x%x",
				      vfio_cdev_name(vdev), arg->open_flags);
	if (!arg->nr_ranges)
		return iommufd_refuse(-EINVAL, "%s: DMA_BUF of no range",
				      vfio_cdev_name(vdev));
	if (room < needed)
		return iommufd_refuse(-EINVAL, "%s: DMA_BUF of %u ranges has %zu bytes of data, %zu needed",
				      vfio_cdev_name(vdev), arg->nr_ranges,
				      room, needed);
	return check_region(vdev, arg->region_index);
}

static int publish(struct vfio_cdev_file *vf, struct vfio_cdev_buffer *buffer)
{
	struct vfio_cdev_node *node = vf->node;

	mutex_lock(&node->buffers_lock);
	if (atomic_read(&vfio_cdev_group_resets)) {
		mutex_unlock(&node->buffers_lock);
		return iommufd_refuse(-EBUSY, "%s: a hot reset is under way, try again",
				      vfio_cdev_name(vf->vdev));
	}
	buffer->away = node->buffers_taken || !memory_is_on(vf->vdev);
	if (buffer->away)
		WRITE_ONCE(node->buffers_away, true);
	node->buffers_of = vf->vdev;
	list_add_tail(&buffer->link, &node->buffers);
	mutex_unlock(&node->buffers_lock);
	return 0;
}

static int export(struct vfio_cdev_file *vf, const struct iommufd_run *run,
		  u32 open_flags)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct vfio_cdev_buffer *buffer;
	int rc;

	buffer = kzalloc(sizeof(*buffer), GFP_KERNEL_ACCOUNT);
	if (!buffer)
		return iommufd_refuse(-ENOMEM, "%s: no memory for a dma-buf",
				      vfio_cdev_name(vf->vdev));
	INIT_LIST_HEAD(&buffer->link);
	buffer->node = vf->node;
	buffer->run = *run;
	info.ops = &buffer_ops;
	info.size = run->len;
	info.flags = open_flags;
	info.priv = buffer;
	buffer->dmabuf = dma_buf_export(&info);
	if (IS_ERR(buffer->dmabuf)) {
		rc = PTR_ERR(buffer->dmabuf);
		kfree(buffer);
		return iommufd_refuse(rc, "%s: a dma-buf cannot be exported",
				      vfio_cdev_name(vf->vdev));
	}
	get_device(&vf->node->dev);
	rc = publish(vf, buffer);
	if (!rc) {
		rc = dma_buf_fd(buffer->dmabuf, open_flags);
		if (rc < 0)
			iommufd_refuse(rc, "%s: no file descriptor is free for a dma-buf",
				       vfio_cdev_name(vf->vdev));
	}
	if (rc < 0)
		dma_buf_put(buffer->dmabuf);
	return rc;
}

/**
 * vfio_cdev_dmabuf() - export memory of a device
 * @vf: a bound file
 * @uarg: struct vfio_device_feature_dma_buf of the user
 * @room: its size, at least that of the struct without ranges
 *
 * May sleep; takes the node's buffers_lock. Return: a file descriptor, or an
 * errno with a reason: EINVAL (flags, region, ranges, @room), EOPNOTSUPP (ranges
 * apart from each other, or the memory can be turned off without passing here),
 * EBUSY (a hot reset is under way), EFAULT, ENOMEM, EMFILE.
 */
int vfio_cdev_dmabuf(struct vfio_cdev_file *vf, void __user *uarg, size_t room)
{
	struct vfio_device_feature_dma_buf __user *ubuf = uarg;
	struct vfio_device_feature_dma_buf arg;
	struct iommufd_run run = {};
	int rc;

	if (copy_from_user(&arg, uarg, sizeof(arg)))
		return iommufd_refuse(-EFAULT, "%s: feature data at 0x%lx cannot be reached",
				      vfio_cdev_name(vf->vdev),
				      (unsigned long)uarg);
	rc = check_arg(vf->vdev, &arg, room);
	if (!rc)
		rc = read_ranges(vf->vdev, &arg, ubuf->dma_ranges, &run);
	return rc ? rc : export(vf, &run, arg.open_flags);
}

int vfio_cdev_dmabuf_init(void)
{
	return iommufd_register_dmabuf_exporter(&exporter);
}

/* No buffer is left: each holds the module. */
void vfio_cdev_dmabuf_exit(void)
{
	iommufd_unregister_dmabuf_exporter(&exporter);
}

MODULE_IMPORT_NS(DMA_BUF);

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dirty tracking: which pages devices wrote to through a page table.
 */
#include <linux/bitmap.h>
#include <linux/export.h>
#include <linux/log2.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/iommufd.h>

#include "hwpt.h"
#include "ioas.h"
#include "ioctl.h"

/* Bits collected before they are handed to the user: a page of them. */
#define DIRTY_WINDOW_BITS (PAGE_SIZE * BITS_PER_BYTE)

/**
 * struct iommufd_dirty_bitmap - a window on the user's bitmap
 * @bits: one for each page of the window, in kernel memory: drivers set them
 *	  while they hold locks
 * @first: address of the first bit's page
 * @last: last address of the window
 * @ahead: last address that is known to be dirty, maybe behind the window: a leaf
 *	   reaches into the next one, and was cleared as a whole
 * @shift: log2 of the page size that a bit stands for
 */
struct iommufd_dirty_bitmap {
	unsigned long *bits;
	unsigned long first;
	unsigned long last;
	unsigned long ahead;
	unsigned int shift;
};

/**
 * iommufd_dirty_set - report that a device wrote to a range
 * @bitmap: as given to read_dirty()
 * @iova: first address
 * @len: bytes, not 0. What lies outside the range that was asked for is ignored
 *
 * Context: any; does not sleep.
 */
void iommufd_dirty_set(struct iommufd_dirty_bitmap *bitmap, unsigned long iova,
		       size_t len)
{
	unsigned long last = iova + len - 1;
	unsigned long bit, last_bit;

	if (iova > bitmap->last || last < bitmap->first)
		return;
	bitmap->ahead = max(bitmap->ahead, last);
	iova = max(iova, bitmap->first);
	last = min(last, bitmap->last);
	bit = (iova - bitmap->first) >> bitmap->shift;
	last_bit = (last - bitmap->first) >> bitmap->shift;
	bitmap_set(bitmap->bits, bit, last_bit - bit + 1);
}
EXPORT_SYMBOL_GPL(iommufd_dirty_set);

/*
 * Have the driver read what is mapped in a range; gaps stay clean. The areas
 * cannot go meanwhile: the shape lock is held for read and the iova_lock for
 * read as well.
 */
static int read_areas(struct io_pagetable *iopt, struct iopt_domain *idom,
		      unsigned long first, unsigned long last,
		      unsigned long flags, struct iommufd_dirty_bitmap *bitmap)
{
	struct interval_tree_node *node;
	struct iommu_iotlb_gather gather;
	int rc = 0;

	iommu_iotlb_gather_init(&gather);
	for (node = interval_tree_iter_first(&iopt->areas, first, last);
	     node && !rc; node = interval_tree_iter_next(node, first, last)) {
		struct iopt_area *area =
			container_of(node, struct iopt_area, node);
		unsigned long from = max(first, node->start);
		unsigned long to = min(last, node->last);

		if (area->state != AREA_LIVE)
			continue;
		rc = idom->drv->read_dirty(idom->domain, from, to - from + 1,
					   flags, bitmap, &gather);
	}
	/* What was cleared has to be recorded again from now on. */
	if (!(flags & IOMMU_DIRTY_NO_CLEAR))
		iommu_iotlb_sync(idom->domain, &gather);
	return rc;
}

static struct iommufd_hwpt *get_tracking_hwpt(struct iommufd_ctx *ictx, u32 id)
{
	struct iommufd_object *obj;
	struct iommufd_hwpt *hwpt;

	obj = iommufd_object_get(ictx, id, &iommufd_hwpt_paging_type);
	if (IS_ERR(obj))
		return ERR_CAST(obj);
	hwpt = to_hwpt(obj);
	if (hwpt->tracks_dirty)
		return hwpt;
	iommufd_object_put(obj);
	return ERR_PTR(iommufd_refuse(-EOPNOTSUPP,
				      "page table %u was not made with DIRTY_TRACKING",
				      id));
}

static int set_tracking(struct iommufd_hwpt *hwpt, bool enable)
{
	struct io_pagetable *iopt = &hwpt->ioas->iopt;
	struct iopt_domain *idom = &hwpt->idom;
	int rc = 0;

	down_write(&iopt->shape);
	down_write(&iopt->iova_lock);
	/* What was written before is not the user's question. */
	if (enable)
		rc = read_areas(iopt, idom, 0, ULONG_MAX, 0, NULL);
	if (!rc)
		rc = idom->drv->set_dirty(idom->domain, enable);
	if (!rc)
		hwpt->dirty_on = enable;
	else
		iommufd_refuse(rc, "the IOMMU driver %s failed to switch dirty tracking %s",
			       idom->drv->name, enable ? "on" : "off");
	up_write(&iopt->iova_lock);
	up_write(&iopt->shape);
	return rc;
}

int iommufd_hwpt_set_dirty_tracking(struct iommufd_ucmd *ucmd)
{
	struct iommu_hwpt_set_dirty_tracking *cmd = ucmd->cmd;
	struct iommufd_hwpt *hwpt;
	int rc;

	rc = iommufd_check_flags(cmd->flags, IOMMU_HWPT_DIRTY_TRACKING_ENABLE);
	if (!rc)
		rc = iommufd_check_reserved(cmd->__reserved, "__reserved");
	if (rc)
		return rc;
	hwpt = get_tracking_hwpt(ucmd->ictx, cmd->hwpt_id);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	rc = set_tracking(hwpt, cmd->flags & IOMMU_HWPT_DIRTY_TRACKING_ENABLE);
	iommufd_object_put(&hwpt->obj);
	return rc;
}

/*
 * One window: @at is the user's byte with the first bit. The user's own bits
 * are kept, and the memory is proven to be writable before anything is cleared.
 */
static int read_window(struct iommufd_hwpt *hwpt, unsigned long flags,
		       struct iommufd_dirty_bitmap *bitmap, u8 __user *at)
{
	struct io_pagetable *iopt = &hwpt->ioas->iopt;
	size_t bits = ((bitmap->last - bitmap->first) >> bitmap->shift) + 1;
	size_t bytes = DIV_ROUND_UP(bits, BITS_PER_BYTE);
	int rc;

	memset(bitmap->bits, 0, PAGE_SIZE);
	if (copy_from_user(bitmap->bits, at, bytes) ||
	    copy_to_user(at, bitmap->bits, bytes))
		goto fault;
	if (bitmap->ahead > bitmap->first)
		iommufd_dirty_set(bitmap, bitmap->first,
				  bitmap->ahead - bitmap->first + 1);
	down_read(&iopt->shape);
	down_read(&iopt->iova_lock);
	if (!hwpt->dirty_on) {
		rc = iommufd_refuse(-EINVAL, "dirty tracking of page table %u is off",
				    hwpt->obj.id);
	} else {
		rc = read_areas(iopt, &hwpt->idom, bitmap->first, bitmap->last,
				flags, bitmap);
		if (rc)
			iommufd_refuse(rc, "the IOMMU driver %s failed to read dirty pages from 0x%lx on",
				       hwpt->idom.drv->name, bitmap->first);
	}
	up_read(&iopt->iova_lock);
	up_read(&iopt->shape);
	if (!rc && copy_to_user(at, bitmap->bits, bytes))
		goto fault;
	return rc;
fault:
	return iommufd_refuse(-EFAULT, "the bitmap at 0x%lx cannot be written to",
			      (unsigned long)at);
}

static int read_bitmap(struct iommufd_hwpt *hwpt,
		       struct iommu_hwpt_get_dirty_bitmap *cmd)
{
	unsigned long flags = cmd->flags & IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR ?
			      IOMMU_DIRTY_NO_CLEAR : 0;
	struct iommufd_dirty_bitmap bitmap = {
		.shift = ilog2(cmd->page_size),
	};
	u64 window = (u64)DIRTY_WINDOW_BITS << bitmap.shift;
	u8 __user *at = u64_to_user_ptr(cmd->data);
	u64 done = 0;
	int rc = 0;

	/* Large pages need few bits: one window is all there is then. */
	if (window >> bitmap.shift != DIRTY_WINDOW_BITS)
		window = U64_MAX;
	bitmap.bits = kmalloc(PAGE_SIZE, GFP_KERNEL_ACCOUNT);
	if (!bitmap.bits)
		return iommufd_refuse(-ENOMEM, "no memory for a bitmap");
	while (!rc && done < cmd->length) {
		u64 len = min(window, cmd->length - done);

		if (fatal_signal_pending(current)) {
			rc = iommufd_refuse(-EINTR, "killed while reading dirty pages");
			break;
		}
		bitmap.first = cmd->iova + done;
		bitmap.last = bitmap.first + len - 1;
		rc = read_window(hwpt, flags, &bitmap, at);
		at += DIRTY_WINDOW_BITS / BITS_PER_BYTE;
		done += len;
		cond_resched();
	}
	kfree(bitmap.bits);
	return rc;
}

static int check_bitmap(struct iommufd_hwpt *hwpt,
			const struct iommu_hwpt_get_dirty_bitmap *cmd)
{
	unsigned long smallest = 0;
	unsigned int i;
	u64 last;

	for (i = 0; i < hwpt->idom.nr_windows; i++)
		smallest |= hwpt->idom.windows[i].pgsizes;
	smallest &= -smallest;
	if (!is_power_of_2(cmd->page_size))
		return iommufd_refuse(-EINVAL, "page_size 0x%llx is no power of two",
				      cmd->page_size);
	if (!cmd->length || cmd->length < cmd->page_size)
		return iommufd_refuse(-EINVAL, "length 0x%llx is less than one page of 0x%llx",
				      cmd->length, cmd->page_size);
	if (check_add_overflow(cmd->iova, cmd->length - 1, &last))
		return iommufd_refuse(-EOVERFLOW,
				      "iova 0x%llx + length 0x%llx wraps",
				      cmd->iova, cmd->length);
	if ((cmd->iova | cmd->length) & (smallest - 1))
		return iommufd_refuse(-EINVAL,
				      "iova 0x%llx and length 0x%llx have to be multiples of 0x%lx",
				      cmd->iova, cmd->length, smallest);
	return 0;
}

int iommufd_hwpt_get_dirty_bitmap(struct iommufd_ucmd *ucmd)
{
	struct iommu_hwpt_get_dirty_bitmap *cmd = ucmd->cmd;
	struct iommufd_hwpt *hwpt;
	int rc;

	rc = iommufd_check_flags(cmd->flags, IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR);
	if (!rc)
		rc = iommufd_check_reserved(cmd->__reserved, "__reserved");
	if (rc)
		return rc;
	hwpt = get_tracking_hwpt(ucmd->ictx, cmd->hwpt_id);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	rc = check_bitmap(hwpt, cmd);
	if (!rc)
		rc = read_bitmap(hwpt, cmd);
	iommufd_object_put(&hwpt->obj);
	return rc;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * HW queue objects: queues in a VM's memory that the hardware reads by itself.
 */
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "hwpt.h"
#include "ioas.h"
#include "ioctl.h"
#include "viommu.h"

/**
 * struct queue_hold - a part of a queue that lies in one area
 * @link: in hw_queue_object.holds
 * @area: the area, which counts it in nr_queues and nr_pins and therefore stays
 * @need: keeps the memory pinned
 */
struct queue_hold {
	struct list_head link;
	struct iopt_area *area;
	struct pages_need need;
};

static struct hw_queue_object *to_hw_queue(struct iommufd_object *obj)
{
	return container_of(obj, struct hw_queue_object, obj);
}

static void queue_release_memory(struct hw_queue_object *hwq)
{
	struct queue_hold *hold, *next;

	list_for_each_entry_safe(hold, next, &hwq->holds, link) {
		atomic_dec(&hold->area->nr_queues);
		iommufd_pages_unpin(hold->area->pages, &hold->need);
		iopt_area_put_pin(hold->area);
		kfree(hold);
	}
}

static void queue_take_out(struct hw_queue_object *hwq)
{
	struct viommu_object *viommu = hwq->viommu;

	mutex_lock(&viommu->queues_lock);
	if (hwq->running)
		viommu->hw.ops->hw_queue_destroy(&hwq->hw);
	list_del(&hwq->link);
	mutex_unlock(&viommu->queues_lock);
}

static void queue_destroy(struct iommufd_object *obj)
{
	struct hw_queue_object *hwq = to_hw_queue(obj);

	if (!list_empty(&hwq->link))
		queue_take_out(hwq);
	queue_release_memory(hwq);
	if (hwq->viommu)
		iommufd_object_undepend(&hwq->viommu->obj);
	kfree(hwq);
}

static void queue_show(struct iommufd_object *obj, struct seq_file *m)
{
	struct hw_queue_object *hwq = to_hw_queue(obj);

	seq_printf(m, " viommu=%u queue_type=0x%x index=%u iova=0x%llx length=0x%zx",
		   hwq->viommu->obj.id, hwq->hw.type, hwq->hw.index,
		   hwq->hw.iova, hwq->hw.length);
}

static bool queue_depends_on(const struct iommufd_object *obj,
			     const struct iommufd_object *other)
{
	const struct hw_queue_object *hwq =
		container_of(obj, struct hw_queue_object, obj);

	return &hwq->viommu->obj == other;
}

const struct iommufd_object_type iommufd_hw_queue_type = {
	.name = "hw_queue",
	.others = "a queue that builds on it",
	.destroy = queue_destroy,
	.show = queue_show,
	.depends_on = queue_depends_on,
};

/**
 * iommufd_hw_queue_depend - keep a queue that another one builds on
 * @hwq: of the same vIOMMU, known to the driver
 *
 * Context: in hw_queue_init() of the other queue.
 * Return: 0, or -ENOENT if it is just being made or destroyed; explained
 */
int iommufd_hw_queue_depend(struct iommufd_hw_queue *hwq)
{
	return iommufd_object_depend(&container_of(hwq, struct hw_queue_object,
						   hw)->obj);
}
EXPORT_SYMBOL_GPL(iommufd_hw_queue_depend);

/**
 * iommufd_hw_queue_undepend - undo iommufd_hw_queue_depend()
 * @hwq: the queue
 */
void iommufd_hw_queue_undepend(struct iommufd_hw_queue *hwq)
{
	iommufd_object_undepend(&container_of(hwq, struct hw_queue_object,
					      hw)->obj);
}
EXPORT_SYMBOL_GPL(iommufd_hw_queue_undepend);

/* Where pinned memory begins, if it is in one piece up to @last_byte. */
static bool one_piece(struct iommufd_pages *pages, unsigned long first_byte,
		      unsigned long last_byte, phys_addr_t *phys)
{
	unsigned long last = last_byte / PAGE_SIZE;
	unsigned long pfn = 0, count, next = 0;
	struct frame_reader r;
	bool whole = true;

	mutex_lock(&pages->lock);
	frame_reader_init(&r, &pages->frames, first_byte / PAGE_SIZE);
	while (r.index <= last && whole) {
		count = frame_reader_next(&r, last, &pfn);
		if (!next)
			*phys = PFN_PHYS(pfn) + offset_in_page(first_byte);
		whole = count && (!next || pfn == next);
		next = pfn + count;
	}
	mutex_unlock(&pages->lock);
	return whole;
}

/* Pin what @area has of a queue. Under the iova_lock, with @area live. */
static int hold_piece(struct hw_queue_object *hwq, struct iopt_area *area,
		      unsigned long first, unsigned long last)
{
	unsigned long byte = area->start + (first - area->node.start);
	struct iommufd_pages *pages = area->pages;
	bool begins = first == hwq->hw.iova;
	struct queue_hold *hold;
	phys_addr_t phys;
	int rc;

	hold = kzalloc(sizeof(*hold), GFP_KERNEL_ACCOUNT);
	if (!hold)
		return iommufd_refuse(-ENOMEM, "no memory to hold a queue's memory");
	rc = iommufd_pages_pin(pages, &hold->need, byte / PAGE_SIZE,
			       (byte + (last - first)) / PAGE_SIZE);
	if (rc) {
		kfree(hold);
		return rc;
	}
	hold->area = area;
	iopt_area_get_pin(area);
	atomic_inc(&area->nr_queues);
	list_add_tail(&hold->link, &hwq->holds);

	if (!one_piece(pages, byte, byte + (last - first), &phys) ||
	    (!begins && phys != hwq->hw.phys + (first - hwq->hw.iova)))
		return iommufd_refuse(-EFAULT,
				      "what is mapped at 0x%llx+0x%zx is not in one piece in 0x%lx..0x%lx",
				      hwq->hw.iova, hwq->hw.length, first, last);
	if (begins)
		hwq->hw.phys = phys;
	return 0;
}

/* Pin the queue. What is pinned when it fails goes with the object. */
static int queue_hold_memory(struct hw_queue_object *hwq)
{
	struct io_pagetable *iopt = &hwq->viommu->parent->ioas->iopt;
	unsigned long at = hwq->hw.iova, last = at + hwq->hw.length - 1, end;
	int rc;

	down_read(&iopt->iova_lock);
	do {
		struct iopt_area *area = iopt_area_at(iopt, at, at);

		if (!area || area->state != AREA_LIVE) {
			rc = iommufd_refuse(-ENOENT, "nothing is mapped at 0x%lx",
					    at);
			break;
		}
		if (!(area->prot & IOMMU_READ)) {
			rc = iommufd_refuse(-EPERM, "0x%lx is not mapped readable",
					    at);
			break;
		}
		end = min(last, area->node.last);
		rc = hold_piece(hwq, area, at, end);
		at = end + 1;
	} while (!rc && end != last);
	up_read(&iopt->iova_lock);
	return rc;
}

/* Take the queue's index, so that nobody else prepares the same queue. */
static int queue_claim(struct hw_queue_object *hwq)
{
	struct viommu_object *viommu = hwq->viommu;
	struct hw_queue_object *other;
	int rc = 0;

	mutex_lock(&viommu->queues_lock);
	list_for_each_entry(other, &viommu->queues, link)
		if (other->hw.type == hwq->hw.type &&
		    other->hw.index == hwq->hw.index)
			rc = -EEXIST;
	if (!rc)
		list_add_tail(&hwq->link, &viommu->queues);
	mutex_unlock(&viommu->queues_lock);
	if (rc)
		iommufd_refuse(rc, "viommu %u has a queue of type 0x%x with index %u",
			       viommu->obj.id, hwq->hw.type, hwq->hw.index);
	return rc;
}

static int queue_start(struct hw_queue_object *hwq)
{
	struct viommu_object *viommu = hwq->viommu;
	int rc;

	mutex_lock(&viommu->queues_lock);
	rc = viommu->hw.ops->hw_queue_init(&hwq->hw);
	hwq->running = !rc;
	mutex_unlock(&viommu->queues_lock);
	return rc;
}

static int queue_build(struct hw_queue_object *hwq,
		       struct viommu_object *viommu,
		       const struct iommu_hw_queue_alloc *cmd)
{
	int rc;

	rc = iommufd_object_depend(&viommu->obj);
	if (rc)
		return rc;
	hwq->viommu = viommu;
	hwq->hw.viommu = &viommu->hw;
	hwq->hw.type = cmd->type;
	hwq->hw.index = cmd->index;
	hwq->hw.iova = cmd->nesting_parent_iova;
	hwq->hw.length = cmd->length;
	rc = queue_claim(hwq);
	if (!rc)
		rc = queue_hold_memory(hwq);
	if (!rc)
		rc = queue_start(hwq);
	return rc;
}

static struct hw_queue_object *queue_new(struct viommu_object *viommu,
					 const struct iommu_hw_queue_alloc *cmd)
{
	struct hw_queue_object *hwq;
	int rc;

	if (!viommu->hw.ops->hw_queue_supported ||
	    !viommu->hw.ops->hw_queue_supported(&viommu->hw, cmd->type))
		return ERR_PTR(iommufd_refuse(-EOPNOTSUPP,
					      "viommu %u has no hardware queues of type 0x%x",
					      viommu->obj.id, cmd->type));
	hwq = kzalloc(sizeof(*hwq), GFP_KERNEL_ACCOUNT);
	if (!hwq)
		return ERR_PTR(iommufd_refuse(-ENOMEM, "no memory for a hw_queue"));
	INIT_LIST_HEAD(&hwq->link);
	INIT_LIST_HEAD(&hwq->holds);
	rc = iommufd_object_init(viommu->obj.ictx, &hwq->obj,
				 &iommufd_hw_queue_type);
	if (rc) {
		kfree(hwq);
		return ERR_PTR(rc);
	}
	rc = queue_build(hwq, viommu, cmd);
	if (rc) {
		iommufd_object_abandon(&hwq->obj);
		return ERR_PTR(rc);
	}
	return hwq;
}

static int check_queue_alloc(const struct iommu_hw_queue_alloc *cmd)
{
	unsigned long last;
	int rc;

	rc = iommufd_check_flags(cmd->flags, 0);
	if (rc)
		return rc;
	if (cmd->type == IOMMU_HW_QUEUE_TYPE_DEFAULT)
		return iommufd_refuse(-EOPNOTSUPP, "there is no hw_queue of type 0");
	if (!cmd->length)
		return iommufd_refuse(-EINVAL, "length is 0");
	if (check_add_overflow(cmd->nesting_parent_iova, cmd->length - 1, &last))
		return iommufd_refuse(-EOVERFLOW,
				      "nesting_parent_iova 0x%llx + length 0x%llx wraps",
				      cmd->nesting_parent_iova, cmd->length);
	return 0;
}

int iommufd_hw_queue_alloc(struct iommufd_ucmd *ucmd)
{
	struct iommu_hw_queue_alloc *cmd = ucmd->cmd;
	struct viommu_object *viommu;
	struct hw_queue_object *hwq;
	int rc;

	rc = check_queue_alloc(cmd);
	if (rc)
		return rc;
	viommu = iommufd_viommu_get(ucmd->ictx, cmd->viommu_id);
	if (IS_ERR(viommu))
		return PTR_ERR(viommu);
	hwq = queue_new(viommu, cmd);
	if (IS_ERR(hwq)) {
		rc = PTR_ERR(hwq);
	} else {
		cmd->out_hw_queue_id = hwq->obj.id;
		rc = iommufd_ucmd_deliver(ucmd, &hwq->obj);
	}
	iommufd_object_put(&viommu->obj);
	return rc;
}

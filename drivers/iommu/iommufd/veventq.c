// SPDX-License-Identifier: GPL-2.0-only
/*
 * vEVENTQ objects: events of a vIOMMU on their way to the user.
 */
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "ioctl.h"
#include "trace.h"
#include "veventq.h"
#include "viommu.h"

#define MAX_DEPTH BIT(19)

static struct iommufd_veventq *to_veventq(struct iommufd_object *obj)
{
	return container_of(obj, struct iommufd_veventq, obj);
}

static struct iommufd_veventq *ef_veventq(struct iommufd_eventfile *ef)
{
	return container_of(ef, struct iommufd_veventq, ef);
}

static void free_events(struct list_head *events)
{
	struct vevent *event, *next;

	list_for_each_entry_safe(event, next, events, link)
		kfree(event);
}

static void veventq_destroy(struct iommufd_object *obj)
{
	struct iommufd_veventq *veventq = to_veventq(obj);
	struct viommu_object *viommu = veventq->viommu;

	if (viommu) {
		spin_lock_irq(&viommu->events_lock);
		list_del(&veventq->link);
		spin_unlock_irq(&viommu->events_lock);
		iommufd_object_undepend(&viommu->obj);
	}
	free_events(&veventq->events);
	iommufd_eventfile_destroy(&veventq->ef);
	kfree(veventq);
}

static void veventq_show(struct iommufd_object *obj, struct seq_file *m)
{
	struct iommufd_veventq *veventq = to_veventq(obj);

	seq_printf(m, " viommu=%u veventq_type=0x%x depth=%u unread=%u%s%s",
		   veventq->viommu->obj.id, veventq->type, veventq->depth,
		   READ_ONCE(veventq->nr),
		   READ_ONCE(veventq->lost) ? " lost" : "",
		   READ_ONCE(veventq->closed) ? " closed" : "");
}

static bool veventq_depends_on(const struct iommufd_object *obj,
			       const struct iommufd_object *other)
{
	const struct iommufd_veventq *veventq =
		container_of(obj, struct iommufd_veventq, obj);

	return &veventq->viommu->obj == other;
}

const struct iommufd_object_type iommufd_veventq_type = {
	.name = "veventq",
	.others = "its open file",
	.destroy = veventq_destroy,
	.show = veventq_show,
	.depends_on = veventq_depends_on,
};

static struct iommufd_veventq *veventq_find(struct viommu_object *viommu, u32 type)
{
	struct iommufd_veventq *veventq;

	lockdep_assert_held(&viommu->events_lock);
	list_for_each_entry(veventq, &viommu->veventqs, link)
		if (veventq->type == type)
			return veventq;
	return NULL;
}

/* Every event takes a number, so that those which are not kept leave a gap. */
static u32 next_sequence(struct iommufd_veventq *veventq)
{
	u32 sequence = veventq->sequence;

	veventq->sequence = (sequence + 1) & INT_MAX;
	return sequence;
}

static int veventq_add(struct iommufd_veventq *veventq, const void *data,
		       size_t length)
{
	u32 sequence = next_sequence(veventq);
	struct vevent *event = NULL;
	bool full = veventq->nr == veventq->depth;

	if (!full)
		event = kmalloc(struct_size(event, data, length),
				GFP_ATOMIC | __GFP_NOWARN);
	trace_iommufd_vevent(veventq->viommu->obj.id, veventq->type, sequence,
			     !event);
	if (!event) {
		WRITE_ONCE(veventq->lost, true);
		veventq->lost_sequence = sequence;
		return full ? 0 : -ENOMEM;
	}
	event->length = length;
	event->header.flags = 0;
	event->header.sequence = sequence;
	memcpy(event->data, data, length);
	list_add_tail(&event->link, &veventq->events);
	WRITE_ONCE(veventq->nr, veventq->nr + 1);
	/* A gap in the numbers tells of those that were lost before this one. */
	WRITE_ONCE(veventq->lost, false);
	return 0;
}

/**
 * iommufd_viommu_report_event - tell a guest what its IOMMU has to say
 * @viommu: the guest's vIOMMU
 * @type: enum iommu_veventq_type
 * @data: the structure that belongs to @type, in the terms of the guest
 * @length: bytes of it, the same for all events of a type
 *
 * An event that the user is too slow for is lost, and the user is told so.
 *
 * Context: any. The caller keeps @viommu alive, for example by a lock that its
 * vdevice_destroy() takes.
 * Return: 0, -EOPNOTSUPP if nobody reads events of this type, -ENOMEM if it was
 *	   lost for that; not explained
 */
int iommufd_viommu_report_event(struct iommufd_viommu *viommu, u32 type,
				const void *data, size_t length)
{
	struct viommu_object *object = viommu_of(viommu);
	struct iommufd_veventq *veventq;
	unsigned long flags;
	int rc = -EOPNOTSUPP;

	spin_lock_irqsave(&object->events_lock, flags);
	veventq = veventq_find(object, type);
	if (veventq && !veventq->closed) {
		rc = veventq_add(veventq, data, length);
		iommufd_eventfile_wake(&veventq->ef);
	}
	spin_unlock_irqrestore(&object->events_lock, flags);
	return rc;
}
EXPORT_SYMBOL_GPL(iommufd_viommu_report_event);

/*
 * Take what is to be read next: an event, or, where *@lost is set, only a header.
 * 1, 0 if there is nothing, or -EINVAL if there is no room for it.
 */
static int take_event(struct iommufd_veventq *veventq, size_t room,
		      struct vevent **event, struct iommufd_vevent_header *lost)
{
	struct vevent *first;
	size_t length = 0;
	int rc = 0;

	*event = NULL;
	spin_lock_irq(&veventq->viommu->events_lock);
	first = list_first_entry_or_null(&veventq->events, struct vevent, link);
	if (first || veventq->lost) {
		length = sizeof(*lost) + (first ? first->length : 0);
		rc = length <= room ? 1 : -EINVAL;
	}
	if (rc > 0 && first) {
		list_del(&first->link);
		WRITE_ONCE(veventq->nr, veventq->nr - 1);
		*event = first;
	} else if (rc > 0) {
		lost->flags = IOMMU_VEVENTQ_FLAG_LOST_EVENTS;
		lost->sequence = veventq->lost_sequence;
		WRITE_ONCE(veventq->lost, false);
	}
	spin_unlock_irq(&veventq->viommu->events_lock);
	if (rc < 0)
		iommufd_refuse(rc, "read of %zu bytes, the next event has %zu", room,
			       length);
	return rc;
}

/* Undo take_event(). */
static void untake_event(struct iommufd_veventq *veventq, struct vevent *event,
			 const struct iommufd_vevent_header *lost)
{
	spin_lock_irq(&veventq->viommu->events_lock);
	if (event) {
		list_add(&event->link, &veventq->events);
		WRITE_ONCE(veventq->nr, veventq->nr + 1);
	} else if (list_empty(&veventq->events) && !veventq->lost) {
		veventq->lost_sequence = lost->sequence;
		WRITE_ONCE(veventq->lost, true);
	}
	spin_unlock_irq(&veventq->viommu->events_lock);
}

static ssize_t veventq_read(struct iommufd_eventfile *ef, char __user *buf,
			    size_t count)
{
	struct iommufd_veventq *veventq = ef_veventq(ef);
	struct iommufd_vevent_header lost;
	struct vevent *event;
	size_t done = 0, length;
	const void *from;
	int rc;

	if (count < sizeof(lost))
		return iommufd_refuse(-EINVAL, "read of %zu bytes, the header of an event has %zu",
				      count, sizeof(lost));
	while ((rc = take_event(veventq, count - done, &event, &lost)) > 0) {
		from = event ? &event->header : &lost;
		length = sizeof(lost) + (event ? event->length : 0);
		if (copy_to_user(buf + done, from, length)) {
			rc = iommufd_refuse(-EFAULT, "the buffer cannot be written to");
			untake_event(veventq, event, &lost);
			break;
		}
		done += length;
		/* The end of what there is, so that readers find it at the end. */
		if (!event)
			break;
		kfree(event);
		cond_resched();
	}
	return done ?: rc;
}

static bool veventq_pending(struct iommufd_eventfile *ef)
{
	struct iommufd_veventq *veventq = ef_veventq(ef);

	return READ_ONCE(veventq->nr) || READ_ONCE(veventq->lost);
}

static void veventq_close(struct iommufd_eventfile *ef)
{
	struct iommufd_veventq *veventq = ef_veventq(ef);
	LIST_HEAD(events);

	spin_lock_irq(&veventq->viommu->events_lock);
	WRITE_ONCE(veventq->closed, true);
	list_splice_init(&veventq->events, &events);
	WRITE_ONCE(veventq->nr, 0);
	WRITE_ONCE(veventq->lost, false);
	spin_unlock_irq(&veventq->viommu->events_lock);
	free_events(&events);
}

static const struct iommufd_eventfile_ops veventq_eventfile_ops = {
	.name = "[iommufd-veventq]",
	.read = veventq_read,
	.pending = veventq_pending,
	.close = veventq_close,
};

static struct iommufd_veventq *veventq_new(struct iommufd_ctx *ictx, u32 type,
					   u32 depth)
{
	struct iommufd_veventq *veventq;
	int rc;

	veventq = kzalloc(sizeof(*veventq), GFP_KERNEL_ACCOUNT);
	if (!veventq)
		return ERR_PTR(iommufd_refuse(-ENOMEM, "no memory for a veventq"));
	INIT_LIST_HEAD(&veventq->events);
	veventq->type = type;
	veventq->depth = depth;
	rc = iommufd_object_init(ictx, &veventq->obj, &iommufd_veventq_type);
	if (rc) {
		kfree(veventq);
		return ERR_PTR(rc);
	}
	rc = iommufd_eventfile_init(&veventq->ef, &veventq->obj,
				    &veventq_eventfile_ops);
	if (rc) {
		iommufd_object_abandon(&veventq->obj);
		return ERR_PTR(rc);
	}
	return veventq;
}

static int veventq_insert(struct iommufd_veventq *veventq,
			  struct viommu_object *viommu)
{
	bool taken;
	int rc;

	rc = iommufd_object_depend(&viommu->obj);
	if (rc)
		return rc;
	spin_lock_irq(&viommu->events_lock);
	taken = veventq_find(viommu, veventq->type);
	if (!taken) {
		veventq->viommu = viommu;
		list_add_tail(&veventq->link, &viommu->veventqs);
	}
	spin_unlock_irq(&viommu->events_lock);
	if (!taken)
		return 0;
	iommufd_object_undepend(&viommu->obj);
	return iommufd_refuse(-EEXIST, "viommu %u has a veventq of type 0x%x already",
			      viommu->obj.id, veventq->type);
}

static int check_veventq_alloc(const struct iommu_veventq_alloc *cmd)
{
	int rc;

	rc = iommufd_check_flags(cmd->flags, 0);
	if (!rc)
		rc = iommufd_check_reserved(cmd->__reserved, "__reserved");
	if (rc)
		return rc;
	if (cmd->type == IOMMU_VEVENTQ_TYPE_DEFAULT)
		return iommufd_refuse(-EOPNOTSUPP, "there are no events of type 0");
	if (!cmd->veventq_depth || cmd->veventq_depth > MAX_DEPTH)
		return iommufd_refuse(-EINVAL, "veventq_depth is %u, 1 to %lu are possible",
				      cmd->veventq_depth, MAX_DEPTH);
	return 0;
}

int iommufd_veventq_alloc(struct iommufd_ucmd *ucmd)
{
	struct iommu_veventq_alloc *cmd = ucmd->cmd;
	const struct iommufd_viommu_ops *ops;
	struct iommufd_veventq *veventq;
	struct viommu_object *viommu;
	int rc;

	rc = check_veventq_alloc(cmd);
	if (rc)
		return rc;
	viommu = iommufd_viommu_get(ucmd->ictx, cmd->viommu_id);
	if (IS_ERR(viommu))
		return PTR_ERR(viommu);
	ops = viommu->hw.ops;
	if (!ops->events_supported || !ops->events_supported(&viommu->hw, cmd->type)) {
		rc = iommufd_refuse(-EOPNOTSUPP, "viommu %u has no events of type 0x%x",
				    viommu->obj.id, cmd->type);
		goto out;
	}
	veventq = veventq_new(ucmd->ictx, cmd->type, cmd->veventq_depth);
	if (IS_ERR(veventq)) {
		rc = PTR_ERR(veventq);
		goto out;
	}
	rc = veventq_insert(veventq, viommu);
	if (rc) {
		iommufd_object_abandon(&veventq->obj);
		goto out;
	}
	cmd->out_veventq_id = veventq->obj.id;
	rc = iommufd_eventfile_deliver(ucmd, &veventq->ef, &cmd->out_veventq_fd);
out:
	iommufd_object_put(&viommu->obj);
	return rc;
}

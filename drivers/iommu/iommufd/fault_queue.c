// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fault queues: page requests on their way to the user, and answers to them.
 */
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "device.h"
#include "fault.h"
#include "hwpt.h"
#include "ioctl.h"

#define COOKIES XA_LIMIT(1, U32_MAX)

static struct iommufd_fault *to_fault(struct iommufd_object *obj)
{
	return container_of(obj, struct iommufd_fault, obj);
}

static struct iommufd_fault *ef_fault(struct iommufd_eventfile *ef)
{
	return container_of(ef, struct iommufd_fault, ef);
}

static void fault_destroy(struct iommufd_object *obj)
{
	struct iommufd_fault *fault = to_fault(obj);

	WARN_ON(!list_empty(&fault->unread) || !xa_empty(&fault->unanswered));
	xa_destroy(&fault->unanswered);
	iommufd_eventfile_destroy(&fault->ef);
	mutex_destroy(&fault->lock);
	kfree(fault);
}

static void fault_show(struct iommufd_object *obj, struct seq_file *m)
{
	struct iommufd_fault *fault = to_fault(obj);

	seq_printf(m, " unread=%u unanswered=%u%s", READ_ONCE(fault->nr_unread),
		   READ_ONCE(fault->nr_unanswered),
		   READ_ONCE(fault->closed) ? " closed" : "");
}

const struct iommufd_object_type iommufd_fault_type = {
	.name = "fault_queue",
	.others = "its open file",
	.destroy = fault_destroy,
	.show = fault_show,
};

static void show_group(struct seq_file *m, const struct fault_group *group,
		       const char *state)
{
	const struct iommu_hwpt_pgfault *last = &group->faults[group->nr - 1];

	seq_printf(m, "  %s device=%u hwpt=%u", state, last->dev_id,
		   group->hwpt->obj.id);
	if (last->flags & IOMMU_PGFAULT_FLAGS_PASID_VALID)
		seq_printf(m, " pasid=%u", last->pasid);
	seq_printf(m, " grpid=%u requests=%u addr=0x%llx perm=0x%x cookie=%u\n",
		   last->grpid, group->nr, last->addr, last->perm, last->cookie);
}

/**
 * iommufd_fault_show - list the page requests of a queue
 * @m: a file of debugfs
 * @obj: the queue, held
 *
 * Context: may sleep.
 */
void iommufd_fault_show(struct seq_file *m, struct iommufd_object *obj)
{
	struct iommufd_fault *fault = to_fault(obj);
	struct fault_group *group;
	unsigned long cookie;

	mutex_lock(&fault->lock);
	seq_printf(m, "fault queue %u: %u unread, %u unanswered\n", obj->id,
		   fault->nr_unread, fault->nr_unanswered);
	list_for_each_entry(group, &fault->unread, link)
		show_group(m, group, "unread");
	xa_for_each(&fault->unanswered, cookie, group)
		show_group(m, group, "unanswered");
	mutex_unlock(&fault->lock);
}

static void unread_del(struct iommufd_fault *fault, struct fault_group *group)
{
	list_del(&group->link);
	WRITE_ONCE(fault->nr_unread, fault->nr_unread - 1);
}

static void unanswered_del(struct iommufd_fault *fault,
			   struct fault_group *group)
{
	xa_erase(&fault->unanswered, group->faults[0].cookie);
	WRITE_ONCE(fault->nr_unanswered, fault->nr_unanswered - 1);
}

/**
 * fault_queue_add - let the user read a group
 * @fault: the queue of @group->hwpt
 * @group: the caller's reference becomes the queue's
 *
 * Context: may sleep; under the lock of the source.
 * Return: whether somebody can still read it; if not it is still the caller's
 */
bool fault_queue_add(struct iommufd_fault *fault, struct fault_group *group)
{
	bool added;

	mutex_lock(&fault->lock);
	added = !fault->closed;
	if (added) {
		list_add_tail(&group->link, &fault->unread);
		WRITE_ONCE(fault->nr_unread, fault->nr_unread + 1);
		iommufd_eventfile_wake(&fault->ef);
	}
	mutex_unlock(&fault->lock);
	return added;
}

static bool came_by(const struct fault_group *group,
		    const struct iommufd_device *idev, ioasid_t route,
		    const struct iommufd_hwpt *hwpt)
{
	return !idev || (group->idev == idev && group->route == route &&
			 group->hwpt == hwpt);
}

/**
 * fault_queue_withdraw - answer the groups that came by some route
 * @fault: the queue
 * @idev: the device, or NULL for all groups of the queue
 * @route: the PASID that @hwpt was attached to
 * @hwpt: the page table
 *
 * Context: may sleep; no group comes by that route any more.
 */
void fault_queue_withdraw(struct iommufd_fault *fault,
			  const struct iommufd_device *idev, ioasid_t route,
			  const struct iommufd_hwpt *hwpt)
{
	struct fault_group *group, *next;
	unsigned long cookie;

	mutex_lock(&fault->lock);
	list_for_each_entry_safe(group, next, &fault->unread, link) {
		if (!came_by(group, idev, route, hwpt))
			continue;
		unread_del(fault, group);
		fault_group_answer(group, IOMMU_PAGE_RESP_INVALID);
	}
	xa_for_each(&fault->unanswered, cookie, group) {
		if (!came_by(group, idev, route, hwpt))
			continue;
		unanswered_del(fault, group);
		fault_group_answer(group, IOMMU_PAGE_RESP_INVALID);
	}
	mutex_unlock(&fault->lock);
}

/*
 * Move the oldest group to those that wait for an answer, and hold it: the answer
 * may come while it is being copied. *@rc says why there is none.
 */
static struct fault_group *take_group(struct iommufd_fault *fault, size_t room,
				      ssize_t *rc)
{
	struct fault_group *group;
	unsigned int i;
	u32 cookie;

	*rc = 0;
	mutex_lock(&fault->lock);
	group = list_first_entry_or_null(&fault->unread, struct fault_group, link);
	if (!group)
		goto out;
	if (room < array_size(group->nr, sizeof(group->faults[0]))) {
		*rc = iommufd_refuse(-EINVAL,
				     "read of %zu bytes, the next group has %u page requests of %zu",
				     room, group->nr, sizeof(group->faults[0]));
		group = NULL;
		goto out;
	}
	if (xa_alloc_cyclic(&fault->unanswered, &cookie, group, COOKIES,
			    &fault->next_cookie, GFP_KERNEL_ACCOUNT) < 0) {
		*rc = iommufd_refuse(-ENOMEM, "no memory for the cookie of a group");
		group = NULL;
		goto out;
	}
	for (i = 0; i < group->nr; i++)
		group->faults[i].cookie = cookie;
	unread_del(fault, group);
	WRITE_ONCE(fault->nr_unanswered, fault->nr_unanswered + 1);
	kref_get(&group->kref);
out:
	mutex_unlock(&fault->lock);
	return group;
}

/* Undo take_group(), unless the group has been answered by now. */
static void untake_group(struct iommufd_fault *fault, struct fault_group *group)
{
	mutex_lock(&fault->lock);
	if (xa_load(&fault->unanswered, group->faults[0].cookie) == group) {
		unanswered_del(fault, group);
		list_add(&group->link, &fault->unread);
		WRITE_ONCE(fault->nr_unread, fault->nr_unread + 1);
		iommufd_eventfile_wake(&fault->ef);
	}
	mutex_unlock(&fault->lock);
}

static ssize_t fault_read(struct iommufd_eventfile *ef, char __user *buf,
			  size_t count)
{
	struct iommufd_fault *fault = ef_fault(ef);
	struct fault_group *group;
	size_t done = 0, len;
	ssize_t rc;

	if (count < sizeof(group->faults[0]))
		return iommufd_refuse(-EINVAL,
				      "read of %zu bytes, a page request has %zu",
				      count, sizeof(group->faults[0]));
	while ((group = take_group(fault, count - done, &rc))) {
		len = group->nr * sizeof(group->faults[0]);
		if (copy_to_user(buf + done, group->faults, len)) {
			rc = iommufd_refuse(-EFAULT, "the buffer cannot be written to");
			untake_group(fault, group);
		}
		fault_group_put(group);
		if (rc)
			break;
		done += len;
		cond_resched();
	}
	return done ?: rc;
}

static int answer_group(struct iommufd_fault *fault,
			const struct iommu_hwpt_page_response *response)
{
	enum iommu_page_response_code code;
	struct fault_group *group;

	switch (response->code) {
	case IOMMUFD_PAGE_RESP_SUCCESS:
		code = IOMMU_PAGE_RESP_SUCCESS;
		break;
	case IOMMUFD_PAGE_RESP_INVALID:
		code = IOMMU_PAGE_RESP_INVALID;
		break;
	default:
		return iommufd_refuse(-EINVAL, "code %u is not an answer to a page request",
				      response->code);
	}
	mutex_lock(&fault->lock);
	group = xa_load(&fault->unanswered, response->cookie);
	if (group) {
		unanswered_del(fault, group);
		fault_group_answer(group, code);
	}
	mutex_unlock(&fault->lock);
	if (!group)
		return iommufd_refuse(-EINVAL,
				      "no page request with cookie %u waits for an answer",
				      response->cookie);
	return 0;
}

static ssize_t fault_write(struct iommufd_eventfile *ef, const char __user *buf,
			   size_t count)
{
	struct iommu_hwpt_page_response response;
	size_t done;
	int rc = 0;

	if (count % sizeof(response))
		return iommufd_refuse(-EINVAL, "write of %zu bytes, an answer has %zu",
				      count, sizeof(response));
	for (done = 0; done < count; done += sizeof(response)) {
		if (copy_from_user(&response, buf + done, sizeof(response)))
			rc = iommufd_refuse(-EFAULT, "the answer cannot be read");
		else
			rc = answer_group(ef_fault(ef), &response);
		if (rc)
			break;
		cond_resched();
	}
	return done ?: rc;
}

static bool fault_pending(struct iommufd_eventfile *ef)
{
	return READ_ONCE(ef_fault(ef)->nr_unread);
}

static void fault_close(struct iommufd_eventfile *ef)
{
	struct iommufd_fault *fault = ef_fault(ef);

	mutex_lock(&fault->lock);
	WRITE_ONCE(fault->closed, true);
	mutex_unlock(&fault->lock);
	fault_queue_withdraw(fault, NULL, IOMMU_NO_PASID, NULL);
}

static const struct iommufd_eventfile_ops fault_eventfile_ops = {
	.name = "[iommufd-fault-queue]",
	.read = fault_read,
	.write = fault_write,
	.pending = fault_pending,
	.close = fault_close,
};

int iommufd_fault_queue_alloc(struct iommufd_ucmd *ucmd)
{
	struct iommu_fault_alloc *cmd = ucmd->cmd;
	struct iommufd_fault *fault;
	int rc;

	rc = iommufd_check_flags(cmd->flags, 0);
	if (rc)
		return rc;
	fault = kzalloc(sizeof(*fault), GFP_KERNEL_ACCOUNT);
	if (!fault)
		return iommufd_refuse(-ENOMEM, "no memory for a fault queue");
	mutex_init(&fault->lock);
	INIT_LIST_HEAD(&fault->unread);
	xa_init_flags(&fault->unanswered, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	rc = iommufd_object_init(ucmd->ictx, &fault->obj, &iommufd_fault_type);
	if (rc) {
		kfree(fault);
		return rc;
	}
	rc = iommufd_eventfile_init(&fault->ef, &fault->obj, &fault_eventfile_ops);
	if (rc) {
		iommufd_object_abandon(&fault->obj);
		return rc;
	}
	cmd->out_fault_id = fault->obj.id;
	return iommufd_eventfile_deliver(ucmd, &fault->ef, &cmd->out_fault_fd);
}

/**
 * iommufd_hwpt_set_fault - send the page requests of a new table to a queue
 * @hwpt: not published
 * @fault_id: from the user
 *
 * Return: 0 or an explained errno: -ENOENT there is no such queue, -EOPNOTSUPP the
 *	   driver has no page requests
 */
int iommufd_hwpt_set_fault(struct iommufd_hwpt *hwpt, u32 fault_id)
{
	const struct iommufd_driver_ops *drv = hwpt->idom.drv;
	struct iommufd_object *obj;
	int rc;

	obj = iommufd_object_get(hwpt->obj.ictx, fault_id, &iommufd_fault_type);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	if (!drv->enable_faults)
		rc = iommufd_refuse(-EOPNOTSUPP,
				    "the IOMMU driver %s has no page requests%s",
				    drv->name, drv == &hw_builtin_ops ?
				    ": those of the kernel's own drivers are out of reach" : "");
	else
		rc = iommufd_object_depend(obj);
	if (!rc)
		hwpt->fault = to_fault(obj);
	iommufd_object_put(obj);
	return rc;
}

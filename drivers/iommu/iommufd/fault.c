// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page requests: collecting their groups, and finding the queue for each.
 */
#include <linux/device.h>
#include <linux/hashtable.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "device.h"
#include "fault.h"
#include "hwpt.h"
#include "trace.h"

/*
 * What one device may have waiting. Whoever controls the device could make any
 * number of requests, and the memory for them is charged to nobody.
 */
#define MAX_PARTIAL 512
#define MAX_PENDING 8192

/* A request whose group is not complete, in partial of its source. */
struct fault_request {
	struct list_head link;
	struct iommu_fault_page_request prm;
};

/**
 * struct fault_route - where requests of a device with some PASID go
 * @hwpt: the page table they are made through; the caller of
 *	  iommufd_fault_prepare() keeps it alive until iommufd_fault_settle()
 * @leaving: another table that may still be in use during a change
 *
 * Also for tables without a fault queue, so that their requests are not taken for
 * those of a PASID that nobody attached. Under the lock of the source.
 */
struct fault_route {
	struct iommufd_hwpt *hwpt;
	struct iommufd_hwpt *leaving;
};

/* Devices that may make requests. The lock protects the table, and is innermost. */
static DEFINE_HASHTABLE(fault_sources, 6);
static DEFINE_SPINLOCK(fault_sources_lock);

static struct iommufd_device *to_source_idev(struct iommufd_fault_source *src)
{
	return container_of(src, struct iommufd_device, faults);
}

/**
 * iommufd_fault_source_init - for a device that is being bound
 * @src: zeroed memory
 */
void iommufd_fault_source_init(struct iommufd_fault_source *src)
{
	mutex_init(&src->switch_lock);
	mutex_init(&src->lock);
	xa_init_flags(&src->routes, XA_FLAGS_ACCOUNT);
	INIT_LIST_HEAD(&src->partial);
}

/**
 * iommufd_fault_source_destroy - for a device that is being unbound
 * @src: of a device that is not attached
 */
void iommufd_fault_source_destroy(struct iommufd_fault_source *src)
{
	WARN_ON(src->users || !xa_empty(&src->routes));
	mutex_destroy(&src->lock);
	mutex_destroy(&src->switch_lock);
}

static void drop_partial(struct iommufd_fault_source *src)
{
	struct fault_request *request, *next;

	mutex_lock(&src->lock);
	list_for_each_entry_safe(request, next, &src->partial, link)
		kfree(request);
	INIT_LIST_HEAD(&src->partial);
	src->nr_partial = 0;
	mutex_unlock(&src->lock);
}

static int source_enable(struct iommufd_fault_source *src)
{
	struct iommufd_device *idev = to_source_idev(src);
	int rc = 0;

	if (src->users++)
		return 0;
	/* The driver may report from within enable_faults(). */
	spin_lock(&fault_sources_lock);
	hash_add(fault_sources, &src->node, (unsigned long)idev->dev);
	spin_unlock(&fault_sources_lock);
	rc = idev->drv->enable_faults(idev->dev);
	if (!rc)
		return 0;
	spin_lock(&fault_sources_lock);
	hash_del(&src->node);
	spin_unlock(&fault_sources_lock);
	drop_partial(src);
	src->users--;
	return rc;
}

static void source_disable(struct iommufd_fault_source *src)
{
	struct iommufd_device *idev = to_source_idev(src);

	if (--src->users)
		return;
	idev->drv->disable_faults(idev->dev);
	spin_lock(&fault_sources_lock);
	hash_del(&src->node);
	spin_unlock(&fault_sources_lock);
	drop_partial(src);
}

static struct iommufd_fault_source *source_find(struct device *dev)
{
	struct iommufd_fault_source *src, *found = NULL;

	spin_lock(&fault_sources_lock);
	hash_for_each_possible(fault_sources, src, node, (unsigned long)dev)
		if (to_source_idev(src)->dev == dev)
			found = src;
	spin_unlock(&fault_sources_lock);
	return found;
}

static int route_publish(struct iommufd_fault_source *src, ioasid_t pasid,
			 struct iommufd_hwpt *hwpt)
{
	struct fault_route *route, *old;
	int rc = 0;

	route = kzalloc(sizeof(*route), GFP_KERNEL_ACCOUNT);
	if (!route)
		return iommufd_refuse(-ENOMEM, "no memory for an attachment");
	route->hwpt = hwpt;
	mutex_lock(&src->lock);
	old = xa_load(&src->routes, pasid);
	if (old) {
		WARN_ON(old->leaving);
		old->leaving = old->hwpt;
		old->hwpt = hwpt;
	} else {
		rc = xa_err(xa_store(&src->routes, pasid, route,
				     GFP_KERNEL_ACCOUNT));
	}
	mutex_unlock(&src->lock);
	if (old || rc)
		kfree(route);
	if (rc)
		return iommufd_refuse(rc, "no memory for an attachment");
	return 0;
}

static bool route_leads_to(struct iommufd_fault_source *src, ioasid_t pasid,
			   const struct iommufd_hwpt *hwpt)
{
	struct fault_route *route;
	bool same;

	mutex_lock(&src->lock);
	route = xa_load(&src->routes, pasid);
	same = route && route->hwpt == hwpt;
	mutex_unlock(&src->lock);
	return same;
}

/**
 * iommufd_fault_prepare - a device is about to be attached to a page table
 * @idev: the device
 * @pasid: which PASID of it, IOMMU_NO_PASID for the device as such
 * @hwpt: the table; stays alive until iommufd_fault_settle()
 *
 * From now on page requests go to the fault queue of @hwpt, if it has one. Also
 * called where the device is attached to another table, which it is to leave.
 *
 * Context: may sleep; followed by iommufd_fault_settle(). Calls for the same @idev
 * and @pasid are serialized by the caller.
 * Return: 0, or an explained errno; then nothing has changed
 */
int iommufd_fault_prepare(struct iommufd_device *idev, ioasid_t pasid,
			  struct iommufd_hwpt *hwpt)
{
	struct iommufd_fault_source *src = &idev->faults;
	int rc = 0;

	if (!idev->drv->enable_faults) {
		if (!hwpt->fault)
			return 0;
		return iommufd_refuse(-EOPNOTSUPP,
				      "the IOMMU driver %s of %s has no page requests",
				      idev->drv->name, dev_name(idev->dev));
	}
	mutex_lock(&src->switch_lock);
	if (route_leads_to(src, pasid, hwpt))
		goto out;
	if (hwpt->fault)
		rc = source_enable(src);
	if (!rc) {
		rc = route_publish(src, pasid, hwpt);
		if (rc && hwpt->fault)
			source_disable(src);
	}
out:
	mutex_unlock(&src->switch_lock);
	return rc;
}

static void route_withdraw(struct iommufd_fault_source *src, ioasid_t pasid,
			   const struct iommufd_hwpt *hwpt)
{
	if (!hwpt || !hwpt->fault)
		return;
	fault_queue_withdraw(hwpt->fault, to_source_idev(src), pasid, hwpt);
	source_disable(src);
}

/**
 * iommufd_fault_settle - a device has been attached, or has not, or was detached
 * @idev: the device
 * @pasid: as in iommufd_fault_prepare()
 * @now: what it is attached to, NULL if to nothing. Given to
 *	 iommufd_fault_prepare() when it was attached there
 *
 * Page requests no longer go to any other table, and those that wait on one are
 * answered: none is left with the hardware when this returns.
 *
 * Context: may sleep; the hardware no longer uses the other table, which is still
 * alive. Calls for the same @idev and @pasid are serialized by the caller.
 */
void iommufd_fault_settle(struct iommufd_device *idev, ioasid_t pasid,
			  struct iommufd_hwpt *now)
{
	struct iommufd_fault_source *src = &idev->faults;
	struct iommufd_hwpt *hwpt, *leaving;
	struct fault_route *route;

	mutex_lock(&src->switch_lock);
	mutex_lock(&src->lock);
	route = xa_load(&src->routes, pasid);
	if (!route) {
		mutex_unlock(&src->lock);
		mutex_unlock(&src->switch_lock);
		return;
	}
	hwpt = route->hwpt;
	leaving = route->leaving;
	route->hwpt = now;
	route->leaving = NULL;
	if (!now) {
		xa_erase(&src->routes, pasid);
		kfree(route);
	}
	mutex_unlock(&src->lock);
	if (hwpt != now)
		route_withdraw(src, pasid, hwpt);
	if (leaving != now)
		route_withdraw(src, pasid, leaving);
	mutex_unlock(&src->switch_lock);
}

static void group_release(struct kref *kref)
{
	kvfree(container_of(kref, struct fault_group, kref));
}

/**
 * fault_group_put - no longer use a group
 * @group: may be gone afterwards
 */
void fault_group_put(struct fault_group *group)
{
	kref_put(&group->kref, group_release);
}

static void send_response(struct iommufd_device *idev,
			  struct iommufd_page_response *response,
			  enum iommu_page_response_code code)
{
	response->code = code;
	trace_iommufd_page_response(dev_name(idev->dev), response->pasid,
				    response->grpid, code);
	idev->drv->page_response(idev->dev, response);
}

/**
 * fault_group_answer - answer a group
 * @group: just removed from its queue, whose lock is held; may be gone afterwards
 * @code: the answer
 */
void fault_group_answer(struct fault_group *group,
			enum iommu_page_response_code code)
{
	send_response(group->idev, &group->response, code);
	atomic_sub(group->nr, &group->idev->faults.nr_pending);
	fault_group_put(group);
}

static void keep_partial(struct iommufd_fault_source *src,
			 const struct iommu_fault_page_request *prm)
{
	struct fault_request *request = NULL;

	mutex_lock(&src->lock);
	if (src->nr_partial < MAX_PARTIAL)
		request = kmalloc(sizeof(*request), GFP_KERNEL);
	/*
	 * Without it the group goes on: a device that finds a page still missing
	 * after the answer asks again.
	 */
	if (request) {
		request->prm = *prm;
		list_add_tail(&request->link, &src->partial);
		src->nr_partial++;
	}
	mutex_unlock(&src->lock);
}

static bool same_group(const struct iommu_fault_page_request *a,
		       const struct iommu_fault_page_request *b)
{
	if (a->grpid != b->grpid ||
	    (a->flags ^ b->flags) & IOMMU_FAULT_PAGE_REQUEST_PASID_VALID)
		return false;
	return !(a->flags & IOMMU_FAULT_PAGE_REQUEST_PASID_VALID) ||
	       a->pasid == b->pasid;
}

static void fill_fault(struct iommu_hwpt_pgfault *fault,
		       const struct iommufd_device *idev,
		       const struct iommu_fault_page_request *prm)
{
	static_assert((int)IOMMU_PGFAULT_PERM_READ == IOMMU_FAULT_PERM_READ);
	static_assert((int)IOMMU_PGFAULT_PERM_WRITE == IOMMU_FAULT_PERM_WRITE);
	static_assert((int)IOMMU_PGFAULT_PERM_EXEC == IOMMU_FAULT_PERM_EXEC);
	static_assert((int)IOMMU_PGFAULT_PERM_PRIV == IOMMU_FAULT_PERM_PRIV);

	if (prm->flags & IOMMU_FAULT_PAGE_REQUEST_PASID_VALID) {
		fault->flags |= IOMMU_PGFAULT_FLAGS_PASID_VALID;
		fault->pasid = prm->pasid;
	}
	if (prm->flags & IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE)
		fault->flags |= IOMMU_PGFAULT_FLAGS_LAST_PAGE;
	fault->dev_id = idev->obj.id;
	fault->grpid = prm->grpid;
	fault->perm = prm->perm;
	fault->addr = prm->addr;
}

/* Make a group of its last request and those that came before. */
static struct fault_group *
collect_group(struct iommufd_fault_source *src,
	      const struct iommu_fault_page_request *last)
{
	struct iommufd_device *idev = to_source_idev(src);
	struct fault_request *request, *next;
	struct fault_group *group;
	unsigned int nr = 1, i = 0;

	lockdep_assert_held(&src->lock);
	list_for_each_entry(request, &src->partial, link)
		nr += same_group(&request->prm, last);
	group = kvzalloc(struct_size(group, faults, nr), GFP_KERNEL);
	if (group) {
		kref_init(&group->kref);
		group->idev = idev;
		group->nr = nr;
	}
	list_for_each_entry_safe(request, next, &src->partial, link) {
		if (!same_group(&request->prm, last))
			continue;
		if (group)
			fill_fault(&group->faults[i++], idev, &request->prm);
		list_del(&request->link);
		src->nr_partial--;
		kfree(request);
	}
	if (group)
		fill_fault(&group->faults[i], idev, last);
	return group;
}

/* Which table a request was made through. */
static struct fault_route *
route_of(struct iommufd_fault_source *src,
	 const struct iommu_fault_page_request *prm, ioasid_t *pasid)
{
	struct fault_route *route;

	*pasid = IOMMU_NO_PASID;
	if (prm->flags & IOMMU_FAULT_PAGE_REQUEST_PASID_VALID)
		*pasid = prm->pasid;
	route = xa_load(&src->routes, *pasid);
	if (route || *pasid == IOMMU_NO_PASID)
		return route;
	/* The table of PASIDs is the guest's where the device is on a nested one. */
	*pasid = IOMMU_NO_PASID;
	route = xa_load(&src->routes, IOMMU_NO_PASID);
	if (route && route->hwpt->obj.type == &iommufd_hwpt_nested_type)
		return route;
	return NULL;
}

/* Put a group into its queue; it is still the caller's if that fails. */
static bool queue_group(struct iommufd_fault_source *src,
			struct fault_group *group,
			const struct iommu_fault_page_request *last)
{
	struct fault_route *route;
	u32 hwpt_id = 0;
	bool queued = false;

	lockdep_assert_held(&src->lock);
	route = route_of(src, last, &group->route);
	if (route && route->hwpt->fault &&
	    atomic_read(&src->nr_pending) + group->nr <= MAX_PENDING) {
		group->hwpt = route->hwpt;
		hwpt_id = group->hwpt->obj.id;
		atomic_add(group->nr, &src->nr_pending);
		queued = fault_queue_add(group->hwpt->fault, group);
		if (!queued)
			atomic_sub(group->nr, &src->nr_pending);
	}
	trace_iommufd_fault(dev_name(to_source_idev(src)->dev), last->pasid,
			    last->grpid, last->perm, last->addr, hwpt_id, queued);
	return queued;
}

/**
 * iommufd_report_fault - a device asks for a page
 * @dev: the device
 * @request: what it asks for
 *
 * Requests of a group are kept until its last one comes. The group then goes to
 * the fault queue of the page table that is attached to its PASID, or, if none
 * is, of a nested table that the device as such is attached to. Where there is no
 * such queue, or nobody reads it, or too many requests of the device are waiting,
 * the group is answered with IOMMU_PAGE_RESP_INVALID before this returns.
 *
 * Context: may sleep, between enable_faults() and disable_faults() of @dev only;
 * page_response() may be called from within, or from any other thread at once.
 * Return: 0, or -ENODEV if page requests of @dev are not enabled: then nobody but
 *	   the caller answers it
 */
int iommufd_report_fault(struct device *dev,
			 const struct iommu_fault_page_request *request)
{
	struct iommufd_fault_source *src = source_find(dev);
	struct iommufd_page_response response = {
		.grpid = request->grpid,
	};
	struct fault_group *group;
	bool queued = false;

	if (!src)
		return iommufd_refuse(-ENODEV, "page requests of %s are not enabled",
				      dev_name(dev));
	if (!(request->flags & IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE)) {
		keep_partial(src, request);
		return 0;
	}
	if (request->flags & IOMMU_FAULT_PAGE_REQUEST_PASID_VALID &&
	    request->flags & IOMMU_FAULT_PAGE_RESPONSE_NEEDS_PASID) {
		response.has_pasid = true;
		response.pasid = request->pasid;
	}
	mutex_lock(&src->lock);
	group = collect_group(src, request);
	if (group) {
		group->response = response;
		queued = queue_group(src, group, request);
	}
	mutex_unlock(&src->lock);
	if (queued)
		return 0;
	send_response(to_source_idev(src), &response, IOMMU_PAGE_RESP_INVALID);
	if (group)
		fault_group_put(group);
	return 0;
}
EXPORT_SYMBOL_GPL(iommufd_report_fault);

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page requests: what devices ask for goes to the fault queues of iommufd, and comes back
 * as answers in the queue of commands.
 *
 * A device may ask while iommufd wants to hear it and its ATS is on. How many requests
 * it may have without an answer is its share of the unit's queue, so that devices that
 * keep to what they were told cannot make it overflow. One that does not costs others
 * time, and nothing else: hardware answers what it has no room for, and such a device
 * asks again.
 *
 * Before a device leaves a page table, or sends no more requests: it is told to stop,
 * what it has sent is pushed into the queue by an invalidation that it has to answer,
 * and the queue is emptied. What iommufd does not take by then is answered with no.
 * Requests that wait for the user are answered by iommufd.
 */
#include "../pci_pri.h"
#include "x86.h"

/* More groups than this have no names. */
#define SHARE_MAX	512
/* How often a queue that overflows meanwhile is emptied anew. */
#define DRAIN_TRIES	100

static const struct x86_request_ops *ops(void)
{
	return x86_driver.requests;
}

/**
 * x86_requests_init - before anything else is done with it
 * @requests: of a unit
 * @room: how many requests its queue takes
 */
void x86_requests_init(struct x86_requests *requests, unsigned int room)
{
	mutex_init(&requests->lock);
	INIT_LIST_HEAD(&requests->askers);
	requests->room = room;
}

/* Does anybody take it? */
static bool deliver(struct x86_unit *unit, const struct x86_page_request *request)
{
	struct iommu_fault_page_request fault = {
		.flags = (request->has_pasid ?
			  IOMMU_FAULT_PAGE_REQUEST_PASID_VALID |
			  IOMMU_FAULT_PAGE_RESPONSE_NEEDS_PASID : 0) |
			 (request->last ? IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE : 0),
		.pasid = request->pasid,
		.grpid = request->group,
		.perm = (request->read ? IOMMU_FAULT_PERM_READ : 0) |
			(request->write ? IOMMU_FAULT_PERM_WRITE : 0) |
			(request->execute ? IOMMU_FAULT_PERM_EXEC : 0) |
			(request->privileged ? IOMMU_FAULT_PERM_PRIV : 0),
		.addr = request->address,
	};
	struct x86_asker *asker;

	list_for_each_entry(asker, &unit->requests.askers, link)
		if (pci_dev_id(to_pci_dev(asker->dev)) == request->sid)
			return !iommufd_report_fault(asker->dev, &fault);
	return false;
}

/**
 * x86_requests_take - deliver what stood in a unit's queue
 * @unit: the unit; the lock of its requests is held
 * @kind: what it is; one that cannot be right the driver has told of
 * @request: the request
 */
void x86_requests_take(struct x86_unit *unit, enum x86_page_request_kind kind,
		       const struct x86_page_request *request)
{
	lockdep_assert_held(&unit->requests.lock);
	if (kind == X86_PAGE_REQUEST_STOP || kind == X86_PAGE_REQUEST_UNKNOWN)
		return;
	if (kind == X86_PAGE_REQUEST_GOOD && deliver(unit, request))
		return;
	if (request->last)
		ops()->answer(unit, request, X86_PAGE_RESPONSE_INVALID);
}

/**
 * x86_requests_come - a unit has told by an interrupt that there are requests
 * @unit: the unit
 */
void x86_requests_come(struct x86_unit *unit)
{
	mutex_lock(&unit->requests.lock);
	ops()->take(unit);
	mutex_unlock(&unit->requests.lock);
}

/* Half of what is left, so that something is left for the next one. */
static int share_take(struct x86_asker *asker)
{
	struct x86_requests *requests = &asker->unit->requests;
	int rc = 0;

	mutex_lock(&requests->lock);
	asker->share = min(requests->room / 2, SHARE_MAX);
	if (!asker->share) {
		rc = iommufd_refuse(-ENOSPC,
				    "the page request queue of %s is too small for %s as well",
				    asker->unit->name, dev_name(asker->dev));
	} else {
		requests->room -= asker->share;
		list_add(&asker->link, &requests->askers);
	}
	mutex_unlock(&requests->lock);
	return rc;
}

static void share_give(struct x86_asker *asker)
{
	struct x86_requests *requests = &asker->unit->requests;

	mutex_lock(&requests->lock);
	list_del(&asker->link);
	requests->room += asker->share;
	mutex_unlock(&requests->lock);
}

/* Where requests are made the device's entry allows them, and the device is on. */
static void asking_allow(struct x86_asker *asker, bool allow)
{
	asker->on = allow;
	ops()->allow(asker);
}

static int asking_start(struct x86_asker *asker)
{
	int rc;

	asking_allow(asker, true);
	rc = pci_pri_on(to_pci_dev(asker->dev), asker->share);
	if (rc)
		asking_allow(asker, false);
	return rc;
}

/**
 * x86_asker_start - the ATS of a device is on now
 * @asker: the device; its unit is locked
 *
 * It may ask for pages from now on, if that is wanted.
 */
void x86_asker_start(struct x86_asker *asker)
{
	int rc = 0;

	lockdep_assert_held(&asker->unit->lock);
	if (asker->wanted)
		rc = asking_start(asker);
	if (rc)
		dev_warn(asker->dev, "page requests cannot be enabled: %d\n", rc);
}

/*
 * What has come to the unit goes into the queue, and out of it.
 *
 * Return: whether requests were lost
 */
static bool take_all(struct x86_unit *unit)
{
	bool lost;

	if (ops()->arrive)
		ops()->arrive(unit);
	mutex_lock(&unit->requests.lock);
	lost = ops()->take(unit);
	mutex_unlock(&unit->requests.lock);
	return lost;
}

/**
 * x86_asker_drain - a device has left a page table, and may be attached to others
 * @asker: the device, which has answered an invalidation since; its unit is locked
 *
 * On return all that it has asked for there was given to iommufd, or answered.
 */
void x86_asker_drain(struct x86_asker *asker)
{
	lockdep_assert_held(&asker->unit->lock);
	/* what is lost hardware has answered */
	if (asker->on)
		take_all(asker->unit);
}

/**
 * x86_asker_stop - a device may not ask any more
 * @asker: the device; its unit is locked, and its ATS still on if it may ask now
 *
 * On return all that it has asked for was given to iommufd, or answered.
 */
void x86_asker_stop(struct x86_asker *asker)
{
	unsigned int tries = 0;

	lockdep_assert_held(&asker->unit->lock);
	if (!asker->on)
		return;
	pci_pri_off(to_pci_dev(asker->dev));
	do {
		ops()->push(asker);
	} while (take_all(asker->unit) && ++tries < DRAIN_TRIES);
	asking_allow(asker, false);
}

static int enable_locked(struct x86_asker *asker)
{
	int rc = ops()->make(asker->unit) ?: share_take(asker);

	if (rc)
		return rc;
	/* else it is switched on when the device is attached to something */
	if (ops()->has_ats(asker))
		rc = asking_start(asker);
	asker->wanted = !rc;
	if (!rc)
		return 0;
	share_give(asker);
	return iommufd_refuse(rc, rc == -EBUSY ?
			      "%s has not finished with page requests from before" :
			      "%s does not let its page requests be enabled",
			      dev_name(asker->dev));
}

/**
 * x86_enable_faults - iommufd wants to hear what a device asks for
 * @dev: the device
 *
 * Context: may sleep.
 * Return: 0 or an explained errno: -EOPNOTSUPP, -ENOMEM, -ENOSPC no room in the
 *	   queue, -EBUSY the device has not finished with what was before
 */
int x86_enable_faults(struct device *dev)
{
	struct x86_asker *asker = ops()->asker_of(dev);
	const char *lacks = ops()->lacks(asker);
	int rc;

	if (!lacks)
		lacks = pci_pri_lacks(to_pci_dev(dev));
	if (lacks)
		return iommufd_refuse(-EOPNOTSUPP,
				      "%s behind %s cannot ask for pages: %s",
				      dev_name(dev), asker->unit->name, lacks);
	mutex_lock(&asker->unit->lock);
	rc = enable_locked(asker);
	mutex_unlock(&asker->unit->lock);
	return rc;
}

/**
 * x86_disable_faults - and no more
 * @dev: the device, for which x86_enable_faults() has succeeded
 *
 * Context: may sleep. All its requests are answered on return, and no
 *	    iommufd_report_fault() for it is running.
 */
void x86_disable_faults(struct device *dev)
{
	struct x86_asker *asker = ops()->asker_of(dev);

	mutex_lock(&asker->unit->lock);
	x86_asker_stop(asker);
	share_give(asker);
	asker->wanted = false;
	mutex_unlock(&asker->unit->lock);
	pci_pri_settle(to_pci_dev(dev));
}

/**
 * x86_answer_fault - answer a group of requests
 * @dev: the device
 * @response: the answer
 *
 * Context: may sleep; also from within iommufd_report_fault().
 */
void x86_answer_fault(struct device *dev, const struct iommufd_page_response *response)
{
	const struct x86_page_request request = {
		.sid = pci_dev_id(to_pci_dev(dev)),
		.has_pasid = response->has_pasid,
		.pasid = response->pasid,
		.group = response->grpid,
	};
	unsigned int code = X86_PAGE_RESPONSE_INVALID;

	if (response->code == IOMMU_PAGE_RESP_SUCCESS)
		code = X86_PAGE_RESPONSE_SUCCESS;
	else if (response->code == IOMMU_PAGE_RESP_FAILURE)
		code = X86_PAGE_RESPONSE_FAILURE;
	ops()->answer(ops()->asker_of(dev)->unit, &request, code);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page request queue of a unit, 7.4: what devices ask for goes to the fault queues
 * of iommufd, and comes back as answers in the invalidation queue.
 *
 * A device may ask while iommufd wants to hear it and its ATS is on. How many requests
 * it may have without an answer is its share of the queue, so that devices that keep
 * to what they were told cannot make it overflow. One that does not costs others time,
 * and nothing else: hardware answers what it has no room for, and such a device asks
 * again.
 *
 * Before a device leaves a page table, or sends no more requests, 7.10: it is told to
 * stop, what it has sent is pushed into the queue by an invalidation that it has to
 * answer, and the queue is emptied. What iommufd does not take by then is answered
 * with no. Requests that wait for the user are answered by iommufd.
 *
 * The queue, and its interrupt, are made for the first device that wants to ask.
 */
#include <linux/mm.h>
#include <linux/pci.h>

#include "page_request.h"
#include "spec/prq.h"
#include "vtd.h"

/* 32 pages */
#define QUEUE_ORDER	5
#define QUEUE_SIZE	(PAGE_SIZE << QUEUE_ORDER)
#define QUEUE_SLOTS	(QUEUE_SIZE / VTD_PRQ_BYTES)
/* More groups than this have no names. */
#define SHARE_MAX	512
/* How often a queue that overflows meanwhile is emptied anew. */
#define DRAIN_TRIES	100

static void answer(struct vtd_unit *unit, const struct vtd_page_request *request,
		   unsigned int code)
{
	struct vtd_entry entry = vtd_page_response(request, code);

	vtd_answer_requests(unit, entry.lo, entry.hi);
}

/* Does anybody take it? */
static bool deliver(struct vtd_unit *unit, const struct vtd_page_request *request)
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
	struct vtd_device *vdev;

	list_for_each_entry(vdev, &unit->prq.devices, asking)
		if (pci_dev_id(to_pci_dev(vdev->dev)) == request->sid)
			return !iommufd_report_fault(vdev->dev, &fault);
	return false;
}

static void handle(struct vtd_unit *unit, const u64 q[4])
{
	struct vtd_page_request request;

	switch (vtd_page_request_read(&request, q, unit->x86.iommu.max_pasids)) {
	case VTD_PAGE_REQUEST_GOOD:
		if (deliver(unit, &request))
			return;
		break;
	case VTD_PAGE_REQUEST_BAD:
		pr_err_ratelimited("%s: page request of %04x:%02x:%02x.%u that cannot be: %llx %llx %llx %llx\n",
				   unit->x86.name, unit->dmar->segment,
				   PCI_BUS_NUM(request.sid),
				   PCI_SLOT(request.sid), PCI_FUNC(request.sid),
				   q[0], q[1], q[2], q[3]);
		break;
	case VTD_PAGE_REQUEST_STOP:
		return;
	case VTD_PAGE_REQUEST_UNKNOWN:
		pr_err_ratelimited("%s: no page request: %llx %llx %llx %llx\n",
				   unit->x86.name, q[0], q[1], q[2], q[3]);
		return;
	}
	if (request.last)
		answer(unit, &request, VTD_PRESP_INVALID);
}

static unsigned int prq_slot(struct vtd_prq *prq, unsigned int reg)
{
	return (readq(prq->regs + reg) & VTD_PQ_OFFSET) / VTD_PRQ_BYTES %
	       QUEUE_SLOTS;
}

/* What is in the queue now: not what comes meanwhile, there may be no end of it. */
static void take_to_tail(struct vtd_unit *unit)
{
	struct vtd_prq *prq = &unit->prq;
	unsigned int head = prq_slot(prq, VTD_PQH);
	unsigned int tail = prq_slot(prq, VTD_PQT);

	dma_rmb();
	for (; head != tail; head = (head + 1) % QUEUE_SLOTS)
		handle(unit, prq->slots[head]);
	writeq(head * VTD_PRQ_BYTES, prq->regs + VTD_PQH);
}

/*
 * 11.4.11.4: PPR first, so that what comes later is told of by an interrupt again. On
 * overflow nothing is put into the queue until PRO is cleared, which has to wait until
 * the queue is empty.
 *
 * Return: whether requests were lost
 */
static bool prq_take(struct vtd_unit *unit)
{
	struct vtd_prq *prq = &unit->prq;
	u32 status = readl(prq->regs + VTD_PRS);

	lockdep_assert_held(&prq->lock);
	writel(VTD_PRS_PPR, prq->regs + VTD_PRS);
	take_to_tail(unit);
	if (!(status & VTD_PRS_PRO)) {
		if (!(readl(prq->regs + VTD_PRS) & VTD_PRS_PRO))
			return false;
		/* the tail has moved before it overflowed */
		take_to_tail(unit);
	}
	pr_warn_ratelimited("%s: more page requests came than there is room for: devices have to repeat them\n",
			    unit->x86.name);
	writel(VTD_PRS_PRO, prq->regs + VTD_PRS);
	return true;
}

static irqreturn_t prq_thread(int irq, void *arg)
{
	struct vtd_unit *unit = arg;

	mutex_lock(&unit->prq.lock);
	prq_take(unit);
	mutex_unlock(&unit->prq.lock);
	return IRQ_HANDLED;
}

/**
 * vtd_prq_init - before anything else is done with it
 * @unit: its registers are there
 */
void vtd_prq_init(struct vtd_unit *unit)
{
	struct vtd_prq *prq = &unit->prq;

	mutex_init(&prq->lock);
	INIT_LIST_HEAD(&prq->devices);
	prq->regs = unit->regs;
	/* a queue that is full has one empty slot */
	prq->room = QUEUE_SLOTS - 1;
	snprintf(prq->name, sizeof(prq->name), "%s-requests", unit->x86.name);
}

/**
 * vtd_prq_fini - no device asks for anything any more
 * @unit: does not translate any more
 */
void vtd_prq_fini(struct vtd_unit *unit)
{
	struct vtd_prq *prq = &unit->prq;

	WARN_ON(!list_empty(&prq->devices));
	if (!prq->slots)
		return;
	vtd_message_free(unit, prq->irq);
	writeq(0, prq->regs + VTD_PQA);
	free_pages((unsigned long)prq->slots, QUEUE_ORDER);
}

static int prq_make(struct vtd_unit *unit)
{
	struct vtd_prq *prq = &unit->prq;
	void *slots;
	int rc;

	lockdep_assert_held(&unit->x86.lock);
	if (prq->slots)
		return 0;
	slots = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, QUEUE_ORDER);
	if (!slots)
		return iommufd_refuse(-ENOMEM, "no memory for the page requests of %s",
				      unit->x86.name);
	writeq(virt_to_phys(slots) | FIELD_PREP(VTD_PQA_PQS, QUEUE_ORDER),
	       prq->regs + VTD_PQA);
	/* the tail is the hardware's, and may be left from the last who used it */
	writeq(readq(prq->regs + VTD_PQT) & VTD_PQ_OFFSET, prq->regs + VTD_PQH);
	writel(VTD_PRS_PRO | VTD_PRS_PPR, prq->regs + VTD_PRS);
	rc = vtd_message_request(unit, VTD_PECTL, prq->name, prq_thread);
	if (rc < 0) {
		writeq(0, prq->regs + VTD_PQA);
		free_pages((unsigned long)slots, QUEUE_ORDER);
		return iommufd_refuse(rc, "no interrupt for the page requests of %s",
				      unit->x86.name);
	}
	prq->irq = rc;
	mutex_lock(&prq->lock);
	prq->slots = slots;
	mutex_unlock(&prq->lock);
	return 0;
}

/* Half of what is left, so that something is left for the next one. */
static int share_take(struct vtd_device *vdev)
{
	struct vtd_prq *prq = &vdev->unit->prq;

	lockdep_assert_held(&prq->lock);
	vdev->pri_share = min(prq->room / 2, SHARE_MAX);
	if (!vdev->pri_share)
		return iommufd_refuse(-ENOSPC,
				      "the page request queue of %s is too small for %s as well",
				      vdev->unit->x86.name, dev_name(vdev->dev));
	prq->room -= vdev->pri_share;
	list_add(&vdev->asking, &prq->devices);
	return 0;
}

static void share_give(struct vtd_device *vdev)
{
	struct vtd_prq *prq = &vdev->unit->prq;

	mutex_lock(&prq->lock);
	list_del(&vdev->asking);
	prq->room += vdev->pri_share;
	mutex_unlock(&prq->lock);
}

/* Where requests are made the context entry allows them, 9.4, and the device is on. */
static void asking_allow(struct vtd_device *vdev, bool allow)
{
	struct vtd_batch batch;

	vdev->pri_on = allow;
	vtd_batch_init(&batch, vdev->unit);
	vtd_contexts_update(vdev, &batch);
	vtd_batch_run(&batch);
}

static int asking_start(struct vtd_device *vdev)
{
	int rc;

	asking_allow(vdev, true);
	rc = vtd_pri_on(to_pci_dev(vdev->dev), vdev->pri_share);
	if (rc)
		asking_allow(vdev, false);
	return rc;
}

/**
 * vtd_prq_start - the ATS of a device is on now
 * @vdev: the device; its unit is locked
 *
 * It may ask for pages from now on, if that is wanted.
 */
void vtd_prq_start(struct vtd_device *vdev)
{
	int rc = 0;

	lockdep_assert_held(&vdev->unit->x86.lock);
	if (vdev->faults)
		rc = asking_start(vdev);
	if (rc)
		dev_warn(vdev->dev, "page requests cannot be enabled: %d\n", rc);
}

/* What a device has sent comes before its answer to an invalidation. */
static void push_requests(struct vtd_device *vdev)
{
	struct vtd_batch batch;

	vtd_batch_init(&batch, vdev->unit);
	vtd_ats_forget_old(&batch, vdev, IOMMU_NO_PASID);
	vtd_batch_run(&batch);
}

/*
 * What has come to the unit goes into the queue, and out of it.
 *
 * Return: whether requests were lost
 */
static bool take_all(struct vtd_unit *unit)
{
	bool lost;

	if (unit->ecap & VTD_ECAP_PDS)
		vtd_drain_requests(unit);
	mutex_lock(&unit->prq.lock);
	lost = prq_take(unit);
	mutex_unlock(&unit->prq.lock);
	return lost;
}

/**
 * vtd_prq_drain - a device has left a page table, and may be attached to others
 * @vdev: the device, which has answered an invalidation since; its unit is locked
 *
 * On return all that it has asked for there was given to iommufd, or answered.
 */
void vtd_prq_drain(struct vtd_device *vdev)
{
	lockdep_assert_held(&vdev->unit->x86.lock);
	/* what is lost hardware has answered */
	if (vdev->pri_on)
		take_all(vdev->unit);
}

/**
 * vtd_prq_stop - a device may not ask any more
 * @vdev: the device; its unit is locked, and its ATS still on if it may ask now
 *
 * On return all that it has asked for was given to iommufd, or answered.
 */
void vtd_prq_stop(struct vtd_device *vdev)
{
	unsigned int tries = 0;

	lockdep_assert_held(&vdev->unit->x86.lock);
	if (!vdev->pri_on)
		return;
	vtd_pri_off(to_pci_dev(vdev->dev));
	do {
		push_requests(vdev);
	} while (take_all(vdev->unit) && ++tries < DRAIN_TRIES);
	asking_allow(vdev, false);
}

static const char *asking_lacks(const struct vtd_device *vdev)
{
	const struct vtd_unit *unit = vdev->unit;

	if (!unit->scalable)
		return "the unit is not in scalable mode";
	if (!(unit->ecap & VTD_ECAP_PRS))
		return "the unit has no page requests (ECAP.PRS)";
	if (!vdev->ats)
		return "its ATS is not used";
	return vtd_pri_lacks(to_pci_dev(vdev->dev));
}

/**
 * vtd_enable_faults - iommufd wants to hear what a device asks for
 * @dev: the device
 *
 * Context: may sleep.
 * Return: 0 or an explained errno: -EOPNOTSUPP, -ENOMEM, -ENOSPC no room in the
 *	   queue, -EBUSY the device has not finished with what was before
 */
int vtd_enable_faults(struct device *dev)
{
	struct vtd_device *vdev = to_vtd_device(dev);
	const char *lacks = asking_lacks(vdev);
	struct vtd_unit *unit = vdev->unit;
	int rc;

	if (lacks)
		return iommufd_refuse(-EOPNOTSUPP,
				      "%s behind %s cannot ask for pages: %s",
				      dev_name(dev), unit->x86.name, lacks);
	mutex_lock(&unit->x86.lock);
	rc = prq_make(unit);
	if (rc)
		goto out;
	mutex_lock(&unit->prq.lock);
	rc = share_take(vdev);
	mutex_unlock(&unit->prq.lock);
	if (rc)
		goto out;
	/* else it is switched on when the device is attached to something */
	if (vdev->ats_on)
		rc = asking_start(vdev);
	if (rc) {
		iommufd_refuse(rc, rc == -EBUSY ?
			       "%s has not finished with page requests from before" :
			       "%s does not let its page requests be enabled",
			       dev_name(dev));
		share_give(vdev);
	}
	vdev->faults = !rc;
out:
	mutex_unlock(&unit->x86.lock);
	return rc;
}

/**
 * vtd_disable_faults - and no more
 * @dev: the device, for which vtd_enable_faults() has succeeded
 *
 * Context: may sleep. All its requests are answered on return, and no
 *	    iommufd_report_fault() for it is running.
 */
void vtd_disable_faults(struct device *dev)
{
	struct vtd_device *vdev = to_vtd_device(dev);
	struct vtd_unit *unit = vdev->unit;

	mutex_lock(&unit->x86.lock);
	vtd_prq_stop(vdev);
	share_give(vdev);
	vdev->faults = false;
	mutex_unlock(&unit->x86.lock);
	vtd_pri_settle(to_pci_dev(dev));
}

/**
 * vtd_answer_fault - answer a group of requests
 * @dev: the device
 * @response: the answer
 *
 * Context: may sleep; also from within iommufd_report_fault().
 */
void vtd_answer_fault(struct device *dev,
		      const struct iommufd_page_response *response)
{
	const struct vtd_page_request request = {
		.sid = pci_dev_id(to_pci_dev(dev)),
		.has_pasid = response->has_pasid,
		.pasid = response->pasid,
		.group = response->grpid,
	};
	unsigned int code = VTD_PRESP_INVALID;

	if (response->code == IOMMU_PAGE_RESP_SUCCESS)
		code = VTD_PRESP_SUCCESS;
	else if (response->code == IOMMU_PAGE_RESP_FAILURE)
		code = VTD_PRESP_FAILURE;
	answer(to_vtd_device(dev)->unit, &request, code);
}

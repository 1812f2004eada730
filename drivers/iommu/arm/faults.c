// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults that somebody may mend: what devices ask for goes to the fault queues of
 * iommufd, and comes back as answers in the command queue.
 *
 * Devices with ATS ask by page requests, chapter 8, which have a queue of their own. A
 * unit that stalls what faults (3.12) tells of it as an event, and the request waits in
 * the unit. It does so whether anybody wants to hear of it or not: then it is ended.
 *
 * How many page requests a device may have without an answer is its share of the queue,
 * so that devices that keep to what they were told cannot make it overflow. One that does
 * not costs others time, and nothing else: hardware answers what it has no room for, and
 * such a device asks again.
 *
 * Before a device leaves a page table, or sends no more requests: it is told to stop, what
 * it has sent is pushed into the queue by an invalidation that it has to answer, and the
 * queue is emptied. What iommufd does not take by then is answered with no. Requests that
 * wait for the user are answered by iommufd.
 */
#include <linux/dma-mapping.h>
#include <linux/iommufd_reason.h>

#include "../pci_pri.h"
#include "smmu.h"

/* What does not fit is answered by hardware. */
#define REQUESTS_LG2_MAX 11
/* More groups than this have no names. */
#define SHARE_MAX 512
/* How often a queue that overflows meanwhile is emptied anew. */
#define DRAIN_TRIES 100

static void answer_request(struct smmu_unit *unit, u32 sid, bool has_ssid, u32 ssid,
			   u16 group, unsigned int code)
{
	const struct smmu_command command = { .w = {
		FIELD_PREP(SMMU_CMD0_OP, SMMU_OP_PRI_RESP) |
		FIELD_PREP(SMMU_CMD0_SID, sid) |
		(has_ssid ? SMMU_CMD0_SSV | FIELD_PREP(SMMU_CMD0_SSID, ssid) : 0),
		FIELD_PREP(SMMU_PRESP1_GROUP, group) | FIELD_PREP(SMMU_PRESP1_CODE, code),
	} };

	smmu_queue_submit(unit, &command, 1);
}

static void answer_stall(struct smmu_unit *unit, u32 sid, u16 tag, unsigned int code)
{
	const struct smmu_command command = { .w = {
		FIELD_PREP(SMMU_CMD0_OP, SMMU_OP_RESUME) |
		FIELD_PREP(SMMU_RESUME0_CODE, code) | FIELD_PREP(SMMU_CMD0_SID, sid),
		FIELD_PREP(SMMU_RESUME1_STAG, tag),
	} };

	smmu_queue_submit(unit, &command, 1);
}

/* The device that wants to hear. Answers go to its first stream: what it is itself. */
static struct smmu_device *asker_of(struct smmu_unit *unit, u32 sid)
{
	struct smmu_device *sdev;

	lockdep_assert_held(&unit->requests.lock);
	list_for_each_entry(sdev, &unit->requests.askers, asking)
		if (sdev->sids[0] == sid)
			return sdev;
	return NULL;
}

/* 8.1. Whether somebody has taken it, or there is nothing to be taken. */
static bool deliver_request(struct smmu_unit *unit, const u64 w[2])
{
	bool has_ssid = w[0] & SMMU_PRI0_SSV;
	struct iommu_fault_page_request fault = {
		.flags = (has_ssid ? IOMMU_FAULT_PAGE_REQUEST_PASID_VALID |
				     IOMMU_FAULT_PAGE_RESPONSE_NEEDS_PASID : 0) |
			 (w[0] & SMMU_PRI0_LAST ? IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE : 0),
		.pasid = has_ssid ? FIELD_GET(SMMU_PRI0_SSID, w[0]) : 0,
		.grpid = FIELD_GET(SMMU_PRI1_GROUP, w[1]),
		.perm = (w[0] & SMMU_PRI0_READ ? IOMMU_FAULT_PERM_READ : 0) |
			(w[0] & SMMU_PRI0_WRITE ? IOMMU_FAULT_PERM_WRITE : 0) |
			(has_ssid && w[0] & SMMU_PRI0_EXEC ? IOMMU_FAULT_PERM_EXEC : 0) |
			(has_ssid && w[0] & SMMU_PRI0_PRIV ? IOMMU_FAULT_PERM_PRIV : 0),
		.addr = w[1] & SMMU_PRI1_ADDRESS,
	};
	struct smmu_device *sdev;

	if (!(w[0] & (SMMU_PRI0_READ | SMMU_PRI0_WRITE)))
		/* the marker that ends the use of a PASID; else a request for nothing */
		return has_ssid && w[0] & SMMU_PRI0_LAST;
	sdev = asker_of(unit, FIELD_GET(SMMU_PRI0_SID, w[0]));
	return sdev && sdev->pri_on && !iommufd_report_fault(sdev->dev, &fault);
}

static void handle_request(struct smmu_unit *unit, const u64 w[2])
{
	if (deliver_request(unit, w) || !(w[0] & SMMU_PRI0_LAST))
		return;
	answer_request(unit, FIELD_GET(SMMU_PRI0_SID, w[0]), w[0] & SMMU_PRI0_SSV,
		       FIELD_GET(SMMU_PRI0_SSID, w[0]), FIELD_GET(SMMU_PRI1_GROUP, w[1]),
		       SMMU_PRESP_INVALID);
}

static void take_to(struct smmu_unit *unit, u32 prod)
{
	struct smmu_requests *q = &unit->requests;
	u32 mask = BIT(q->lg2 + 1) - 1;

	/* records are there before the index says so */
	dma_rmb();
	for (; q->cons != (prod & mask); q->cons = (q->cons + 1) & mask) {
		const __le64 *record = q->records + 2 * (q->cons & (BIT(q->lg2) - 1));
		const u64 w[2] = { le64_to_cpu(READ_ONCE(record[0])),
				   le64_to_cpu(READ_ONCE(record[1])) };

		handle_request(unit, w);
	}
}

/*
 * 8.2: what is in the queue now, not what comes meanwhile, of which there may be no end.
 * The flag of an overflow is acknowledged once the queue is empty.
 *
 * Return: whether requests were lost
 */
static bool requests_take(struct smmu_unit *unit)
{
	struct smmu_requests *q = &unit->requests;
	u32 prod = readl(unit->page1 + SMMU_PRIQ_PROD);
	bool lost = (prod ^ q->over) & SMMU_EVENTQ_OVERFLOW;

	lockdep_assert_held(&q->lock);
	take_to(unit, prod);
	if (lost)
		dev_warn_ratelimited(unit->dev, "more page requests came than there is room for: devices have to repeat them\n");
	q->over = prod & SMMU_EVENTQ_OVERFLOW;
	writel(q->cons | q->over, unit->page1 + SMMU_PRIQ_CONS);
	return lost;
}

/**
 * smmu_requests_read - the interrupt of page requests has come
 * @unit: the unit
 *
 * Return: whether there was anything
 */
bool smmu_requests_read(struct smmu_unit *unit)
{
	struct smmu_requests *q = &unit->requests;
	u32 before;

	if (!q->records)
		return false;
	mutex_lock(&q->lock);
	before = q->cons;
	requests_take(unit);
	before ^= q->cons;
	mutex_unlock(&q->lock);
	return before;
}

/**
 * smmu_requests_init - let hardware write page requests down
 * @unit: does not translate yet
 *
 * Return: 0, -ENOMEM, or -ETIMEDOUT if hardware does not react
 */
int smmu_requests_init(struct smmu_unit *unit)
{
	struct smmu_requests *q = &unit->requests;

	mutex_init(&q->lock);
	INIT_LIST_HEAD(&q->askers);
	if (!(unit->idr[0] & SMMU_IDR0_PRI) || !(unit->idr[0] & SMMU_IDR0_ATS))
		return 0;
	q->lg2 = min_t(unsigned int, REQUESTS_LG2_MAX,
		       FIELD_GET(SMMU_IDR1_PRIQS, unit->idr[1]));
	q->room = BIT(q->lg2);
	q->records = dmam_alloc_coherent(unit->dev, 16UL << q->lg2, &q->dma, GFP_KERNEL);
	if (!q->records)
		return -ENOMEM;
	smmu_write64(unit, SMMU_PRIQ_BASE, SMMU_Q_BASE_RA | q->dma |
		     FIELD_PREP(SMMU_Q_BASE_LOG2SIZE, q->lg2));
	writel(0, unit->page1 + SMMU_PRIQ_PROD);
	writel(0, unit->page1 + SMMU_PRIQ_CONS);
	return smmu_switch(unit, SMMU_CR0_PRIQEN, true);
}

/**
 * smmu_stalled - an event tells of a request that waits
 * @unit: the unit, which is not locked
 * @event: the record
 *
 * Context: may sleep.
 */
void smmu_stalled(struct smmu_unit *unit, const struct smmu_event *event)
{
	bool has_ssid = event->w[0] & SMMU_EVENT0_SSV;
	struct iommu_fault_page_request fault = {
		.flags = IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE |
			 (has_ssid ? IOMMU_FAULT_PAGE_REQUEST_PASID_VALID : 0),
		.pasid = has_ssid ? FIELD_GET(SMMU_EVENT0_SSID, event->w[0]) : 0,
		.grpid = FIELD_GET(SMMU_EVENT1_STAG, event->w[1]),
		.perm = event->w[1] & SMMU_EVENT1_RNW ? IOMMU_FAULT_PERM_READ :
							IOMMU_FAULT_PERM_WRITE,
		.addr = event->w[2],
	};
	u32 sid = FIELD_GET(SMMU_EVENT0_SID, event->w[0]);
	struct smmu_device *sdev;

	mutex_lock(&unit->requests.lock);
	sdev = asker_of(unit, sid);
	if (!sdev || !sdev->stalls || iommufd_report_fault(sdev->dev, &fault))
		answer_stall(unit, sid, fault.grpid, SMMU_RESUME_ABORT);
	mutex_unlock(&unit->requests.lock);
}

/* Half of what is left, so that something is left for the next one. */
static int share_take(struct smmu_device *sdev)
{
	struct smmu_requests *q = &sdev->unit->requests;
	int rc = 0;

	mutex_lock(&q->lock);
	sdev->share = sdev->stalls ? 0 : min(q->room / 2, SHARE_MAX);
	if (!sdev->share && !sdev->stalls)
		rc = iommufd_refuse(-ENOSPC,
				    "the page request queue of %s is too small for %s as well",
				    smmu_name(sdev->unit), dev_name(sdev->dev));
	if (!rc) {
		q->room -= sdev->share;
		list_add(&sdev->asking, &q->askers);
	}
	mutex_unlock(&q->lock);
	return rc;
}

static void share_give(struct smmu_device *sdev)
{
	struct smmu_requests *q = &sdev->unit->requests;

	mutex_lock(&q->lock);
	list_del(&sdev->asking);
	q->room += sdev->share;
	mutex_unlock(&q->lock);
}

static int asking_start(struct smmu_device *sdev)
{
	int rc = pci_pri_on(to_pci_dev(sdev->dev), sdev->share);

	sdev->pri_on = !rc;
	return rc;
}

/**
 * smmu_faults_start - the ATS of a device is on now
 * @sdev: the device; its unit is locked
 *
 * It may ask for pages from now on, if that is wanted.
 */
void smmu_faults_start(struct smmu_device *sdev)
{
	int rc = 0;

	lockdep_assert_held(&sdev->unit->lock);
	if (sdev->faults && !sdev->stalls)
		rc = asking_start(sdev);
	if (rc)
		dev_warn(sdev->dev, "page requests cannot be enabled: %d\n", rc);
}

static bool take_all(struct smmu_unit *unit)
{
	bool lost;

	mutex_lock(&unit->requests.lock);
	lost = requests_take(unit);
	mutex_unlock(&unit->requests.lock);
	return lost;
}

/**
 * smmu_faults_drain - a device has left a page table, and may be attached to others
 * @sdev: the device, which has answered an invalidation since; its unit is locked
 *
 * On return all that it has asked for there was given to iommufd, or answered.
 */
void smmu_faults_drain(struct smmu_device *sdev)
{
	/* what is lost hardware has answered */
	if (sdev->pri_on)
		take_all(sdev->unit);
}

/**
 * smmu_faults_stop - a device may not ask any more
 * @sdev: the device; its unit is locked, and its ATS still on if it may ask now
 *
 * On return all that it has asked for was given to iommufd, or answered.
 */
void smmu_faults_stop(struct smmu_device *sdev)
{
	unsigned int tries = 0;

	lockdep_assert_held(&sdev->unit->lock);
	if (!sdev->pri_on)
		return;
	pci_pri_off(to_pci_dev(sdev->dev));
	do {
		/* what it has sent comes before its answer */
		smmu_ats_push(sdev);
	} while (take_all(sdev->unit) && ++tries < DRAIN_TRIES);
	sdev->pri_on = false;
}

static const char *asking_lacks(const struct smmu_device *sdev)
{
	if (!sdev->unit->requests.records)
		return "the unit has no page requests";
	if (!sdev->ats)
		return "its ATS is not used";
	return pci_pri_lacks(to_pci_dev(sdev->dev));
}

/**
 * smmu_enable_faults - iommufd wants to hear what a device asks for
 * @dev: the device
 *
 * Context: may sleep.
 * Return: 0 or an explained errno: -EOPNOTSUPP, -ENOSPC no room in the queue, -EBUSY the
 *	   device has not finished with what was before, -EIO
 */
int smmu_enable_faults(struct device *dev)
{
	struct smmu_device *sdev = to_smmu_device(dev);
	const char *lacks = asking_lacks(sdev);
	struct smmu_unit *unit = sdev->unit;
	int rc;

	/* such a unit holds what faults, for every device */
	sdev->stalls = lacks && FIELD_GET(SMMU_IDR0_STALL_MODEL, unit->idr[0]) ==
				SMMU_STALL_FORCED;
	if (lacks && !sdev->stalls)
		return iommufd_refuse(-EOPNOTSUPP, "%s behind %s cannot ask for pages: %s",
				      dev_name(dev), smmu_name(unit), lacks);
	mutex_lock(&unit->lock);
	rc = share_take(sdev);
	if (rc)
		goto out;
	/* else it is switched on when the device is attached to something */
	if (sdev->ats_on && !sdev->stalls)
		rc = asking_start(sdev);
	if (rc) {
		iommufd_refuse(rc, rc == -EBUSY ?
			       "%s has not finished with page requests from before" :
			       "%s does not let its page requests be enabled",
			       dev_name(dev));
		share_give(sdev);
	}
	sdev->faults = !rc;
out:
	mutex_unlock(&unit->lock);
	return rc;
}

/**
 * smmu_disable_faults - and no more
 * @dev: the device, for which smmu_enable_faults() has succeeded
 *
 * Context: may sleep. All its requests are answered on return, and no
 *	    iommufd_report_fault() for it is running.
 */
void smmu_disable_faults(struct device *dev)
{
	struct smmu_device *sdev = to_smmu_device(dev);

	mutex_lock(&sdev->unit->lock);
	smmu_faults_stop(sdev);
	share_give(sdev);
	sdev->faults = false;
	mutex_unlock(&sdev->unit->lock);
	if (!sdev->stalls)
		pci_pri_settle(to_pci_dev(dev));
}

/**
 * smmu_answer_fault - answer a group of requests
 * @dev: the device
 * @response: the answer
 *
 * Context: may sleep; also from within iommufd_report_fault().
 */
void smmu_answer_fault(struct device *dev, const struct iommufd_page_response *response)
{
	struct smmu_device *sdev = to_smmu_device(dev);
	bool yes = response->code == IOMMU_PAGE_RESP_SUCCESS;

	if (sdev->stalls)
		answer_stall(sdev->unit, sdev->sids[0], response->grpid,
			     yes ? SMMU_RESUME_RETRY : SMMU_RESUME_ABORT);
	else
		answer_request(sdev->unit, sdev->sids[0], response->has_pasid,
			       response->pasid, response->grpid,
			       yes ? SMMU_PRESP_SUCCESS :
			       response->code == IOMMU_PAGE_RESP_FAILURE ?
			       SMMU_PRESP_FAILURE : SMMU_PRESP_INVALID);
}

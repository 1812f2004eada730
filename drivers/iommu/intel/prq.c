// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page request queue of a unit, 7.4. What becomes of the requests, and when devices
 * may ask, is in ../x86/requests.c; answers go into the invalidation queue.
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
static struct vtd_device *asker_device(const struct x86_asker *asker)
{
	return to_vtd_device(asker->dev);
}

static void prq_answer(struct x86_unit *x86, const struct x86_page_request *request,
		       unsigned int code)
{
	struct vtd_entry entry = vtd_page_response(request, code);

	vtd_answer_requests(x86_to_vtd_unit(x86), entry.lo, entry.hi);
}

static void handle(struct vtd_unit *unit, const u64 q[4])
{
	struct x86_page_request request;
	enum x86_page_request_kind kind;

	kind = vtd_page_request_read(&request, q, unit->x86.iommu.max_pasids);
	if (kind == X86_PAGE_REQUEST_BAD)
		pr_err_ratelimited("%s: page request of %04x:%02x:%02x.%u that cannot be: %llx %llx %llx %llx\n",
				   unit->x86.name, unit->dmar->segment,
				   PCI_BUS_NUM(request.sid),
				   PCI_SLOT(request.sid), PCI_FUNC(request.sid),
				   q[0], q[1], q[2], q[3]);
	else if (kind == X86_PAGE_REQUEST_UNKNOWN)
		pr_err_ratelimited("%s: no page request: %llx %llx %llx %llx\n",
				   unit->x86.name, q[0], q[1], q[2], q[3]);
	x86_requests_take(&unit->x86, kind, &request);
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
static bool prq_take(struct x86_unit *x86)
{
	struct vtd_unit *unit = x86_to_vtd_unit(x86);
	struct vtd_prq *prq = &unit->prq;
	u32 status = readl(prq->regs + VTD_PRS);

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

	x86_requests_come(&unit->x86);
	return IRQ_HANDLED;
}

/**
 * vtd_prq_init - before anything else is done with it
 * @unit: its registers are there
 */
void vtd_prq_init(struct vtd_unit *unit)
{
	struct vtd_prq *prq = &unit->prq;

	prq->regs = unit->regs;
	/* a queue that is full has one empty slot */
	x86_requests_init(&unit->x86.requests, QUEUE_SLOTS - 1);
	snprintf(prq->name, sizeof(prq->name), "%s-requests", unit->x86.name);
}

/**
 * vtd_prq_fini - no device asks for anything any more
 * @unit: does not translate any more
 */
void vtd_prq_fini(struct vtd_unit *unit)
{
	struct vtd_prq *prq = &unit->prq;

	WARN_ON(!list_empty(&unit->x86.requests.askers));
	if (!prq->slots)
		return;
	vtd_message_free(unit, prq->irq);
	writeq(0, prq->regs + VTD_PQA);
	free_pages((unsigned long)prq->slots, QUEUE_ORDER);
}

static int prq_make(struct x86_unit *x86)
{
	struct vtd_unit *unit = x86_to_vtd_unit(x86);
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
	mutex_lock(&x86->requests.lock);
	prq->slots = slots;
	mutex_unlock(&x86->requests.lock);
	return 0;
}

static void prq_allow(struct x86_asker *asker)
{
	struct vtd_device *vdev = asker_device(asker);
	struct vtd_batch batch;

	vtd_batch_init(&batch, vdev->unit);
	vtd_contexts_update(vdev, &batch);
	vtd_batch_run(&batch);
}

/* What a device has sent comes before its answer to an invalidation. */
static void prq_push(struct x86_asker *asker)
{
	struct vtd_device *vdev = asker_device(asker);
	struct vtd_batch batch;

	vtd_batch_init(&batch, vdev->unit);
	vtd_ats_forget_old(&batch, vdev, IOMMU_NO_PASID);
	vtd_batch_run(&batch);
}

static void prq_arrive(struct x86_unit *x86)
{
	struct vtd_unit *unit = x86_to_vtd_unit(x86);

	if (unit->ecap & VTD_ECAP_PDS)
		vtd_drain_requests(unit);
}

static struct x86_asker *asker_of(struct device *dev)
{
	return &to_vtd_device(dev)->asker;
}

static bool asker_has_ats(const struct x86_asker *asker)
{
	return asker_device(asker)->ats_on;
}

static const char *asker_lacks(const struct x86_asker *asker)
{
	const struct vtd_device *vdev = asker_device(asker);

	if (!vdev->unit->scalable)
		return "the unit is not in scalable mode";
	if (!(vdev->unit->ecap & VTD_ECAP_PRS))
		return "the unit has no page requests (ECAP.PRS)";
	if (!vdev->ats)
		return "its ATS is not used";
	return NULL;
}

const struct x86_request_ops vtd_request_ops = {
	.asker_of = asker_of,
	.lacks = asker_lacks,
	.has_ats = asker_has_ats,
	.make = prq_make,
	.take = prq_take,
	.arrive = prq_arrive,
	.allow = prq_allow,
	.push = prq_push,
	.answer = prq_answer,
};

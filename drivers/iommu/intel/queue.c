// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queued invalidation, 6.5.2: telling a unit what to forget, and knowing when it
 * has. Invalidations that belong together are collected in a batch, which goes into
 * the queue with one wait descriptor behind it; whoever runs it returns when hardware
 * has come to the latter. No two batches are in a queue at once.
 */
#include <linux/delay.h>
#include <linux/iommufd_reason.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/nmi.h>
#include <linux/pci.h>

#include "spec/queue.h"
#include "vtd.h"

/* Bit of IQA: descriptors have 256 bits, as scalable mode wants them. */
#define IQA_WIDE BIT_ULL(11)
#define QUEUE_SLOTS (PAGE_SIZE / sizeof(struct vtd_entry))
/* Hardware takes microseconds; an emulated unit takes as long as its CPU. */
#define QUEUE_TIMEOUT_US (10 * USEC_PER_SEC)
/* A device has up to 90 s to answer, says PCIe. */
#define QUEUE_DEVICE_TIMEOUT_US (100 * USEC_PER_SEC)

/**
 * vtd_queue_init - make the queue and let hardware read it
 * @unit: enabled so far that commands work
 *
 * Return: 0, -ENOMEM, or -ETIMEDOUT if hardware does not react
 */
int vtd_queue_init(struct vtd_unit *unit)
{
	struct vtd_queue *q = &unit->queue;

	raw_spin_lock_init(&q->lock);
	q->descriptors = (void *)get_zeroed_page(GFP_KERNEL);
	q->status = (void *)get_zeroed_page(GFP_KERNEL);
	if (!q->descriptors || !q->status)
		return -ENOMEM;
	q->tail = 0;
	q->step = unit->scalable ? 2 : 1;
	vtd_write64(unit, VTD_IQT, 0);
	/* a page of them: the size is 0 */
	vtd_write64(unit, VTD_IQA, virt_to_phys(q->descriptors) |
		    (unit->scalable ? IQA_WIDE : 0));
	return vtd_command(unit, VTD_GCMD_QIE, true);
}

/**
 * vtd_queue_fini - stop the queue
 * @unit: nothing is invalidated any more
 */
void vtd_queue_fini(struct vtd_unit *unit)
{
	struct vtd_queue *q = &unit->queue;

	if (q->descriptors && q->status)
		vtd_command(unit, VTD_GCMD_QIE, false);
	free_page((unsigned long)q->descriptors);
	free_page((unsigned long)q->status);
}

/* The upper half of a wide descriptor is 0 in all that is used here. */
static void queue_put(struct vtd_queue *q, u64 lo, u64 hi)
{
	struct vtd_entry *slot = &q->descriptors[q->tail];

	WRITE_ONCE(slot->hi, hi);
	WRITE_ONCE(slot->lo, lo);
	q->tail = (q->tail + q->step) % QUEUE_SLOTS;
}

static void queue_ring(struct vtd_unit *unit)
{
	dma_wmb();
	vtd_write64(unit, VTD_IQT,
		    unit->queue.tail * sizeof(struct vtd_entry));
}

/* What follows it waits for all that stands before it, and it tells so. */
static u64 wait_lo(u32 stamp)
{
	return FIELD_PREP(VTD_QI_TYPE, VTD_QI_WAIT) | VTD_QI_WAIT_LO_SW |
	       VTD_QI_WAIT_LO_FN | FIELD_PREP(VTD_QI_WAIT_LO_DATA, stamp);
}

static void queue_put_wait(struct vtd_queue *q)
{
	queue_put(q, wait_lo(q->stamp), virt_to_phys(q->status));
}

/*
 * One that nobody waits for. It writes as well, beside what is waited for: not every
 * unit takes one that neither writes nor interrupts.
 */
static struct vtd_entry fence(const struct vtd_queue *q)
{
	return (struct vtd_entry){ wait_lo(0), virt_to_phys(q->status + 1) };
}

/**
 * struct vtd_outcome - what has become of the descriptors of a batch
 * @start: slot of the first one
 * @nr: how many there are; a wait descriptor follows
 * @refused: which ones the unit did not like, one bit for each
 * @silent: the device that has not answered in time, 0 if the unit does not say
 */
struct vtd_outcome {
	unsigned int start;
	unsigned int nr;
	u32 refused;
	u16 silent;
};

/*
 * 6.5.2.12: hardware has stopped, and goes on when the error is cleared. At a
 * descriptor that it does not like: it finds something harmless in its place then,
 * and what follows is done. At a device that has not answered: what waited for it was
 * given up, and a wait descriptor more has to tell that the rest was done.
 *
 * Return: -ETIMEDOUT if a device has not answered, else 0
 */
static int queue_recover(struct vtd_unit *unit, u32 status, struct vtd_outcome *out)
{
	struct vtd_queue *q = &unit->queue;
	unsigned int head = vtd_read64(unit, VTD_IQH) / sizeof(struct vtd_entry);
	struct vtd_entry *slot = &q->descriptors[head % QUEUE_SLOTS];
	u64 record = vtd_read64(unit, VTD_IQER);
	unsigned int place;

	pr_err_ratelimited("%s: invalidation error %#x (%#llx) at descriptor %u: %llx %llx\n",
			   unit->x86.name, status, record, head, slot->lo, slot->hi);
	if (status & VTD_FSTS_ITE)
		out->silent = FIELD_GET(VTD_IQER_ITESID, record);
	if (status & VTD_FSTS_IQE) {
		place = (head - out->start) % QUEUE_SLOTS / q->step;
		if (place < out->nr)
			out->refused |= BIT(place);
		*slot = fence(q);
	}
	/* in case the one that tells is what was refused, or given up */
	if (status & (VTD_FSTS_ITE | VTD_FSTS_IQE))
		queue_put_wait(q);
	dma_wmb();
	vtd_write(unit, VTD_FSTS, status);
	if (status & (VTD_FSTS_ITE | VTD_FSTS_IQE))
		queue_ring(unit);
	return status & VTD_FSTS_ITE ? -ETIMEDOUT : 0;
}

static int queue_wait(struct vtd_unit *unit, u64 timeout_us, struct vtd_outcome *out)
{
	const u32 errors = VTD_FSTS_IQE | VTD_FSTS_ICE | VTD_FSTS_ITE;
	struct vtd_queue *q = &unit->queue;
	u64 spins = 0;
	int rc = 0;

	while (READ_ONCE(*q->status) != q->stamp) {
		u32 status = vtd_read(unit, VTD_FSTS) & errors;

		if (status)
			rc = queue_recover(unit, status, out) ?: rc;
		if (spins++ == timeout_us) {
			/* Going on would hand memory out that devices reach. */
			panic("%s: the invalidation queue stands still\n",
			      unit->x86.name);
		}
		if (!(spins % USEC_PER_SEC))
			touch_nmi_watchdog();
		udelay(1);
	}
	return rc;
}

/**
 * vtd_queue_submit - put descriptors in and wait until all are done
 * @unit: the unit
 * @d: the descriptors
 * @nr: how many, up to VTD_BATCH_MAX
 * @timeout_us: how long it may take
 * @out: receives which of them were refused
 *
 * For this file only, but a symbol, for a test to pretend that no device answers.
 *
 * Return: -ETIMEDOUT if a device has not answered, else 0
 */
noinline __noclone int vtd_queue_submit(struct vtd_unit *unit,
					const struct vtd_entry *d,
					unsigned int nr, u64 timeout_us,
					struct vtd_outcome *out)
{
	struct vtd_queue *q = &unit->queue;
	unsigned long flags;
	unsigned int i;
	int rc;

	raw_spin_lock_irqsave(&q->lock, flags);
	*out = (struct vtd_outcome){ .start = q->tail, .nr = nr };
	q->stamp++;
	for (i = 0; i < nr; i++)
		queue_put(q, d[i].lo, d[i].hi);
	queue_put_wait(q);
	queue_ring(unit);
	rc = queue_wait(unit, timeout_us, out);
	raw_spin_unlock_irqrestore(&q->lock, flags);
	return rc;
}

static void queue_must_run(struct vtd_unit *unit, u64 lo)
{
	const struct vtd_entry d = { .lo = lo };
	struct vtd_outcome out;

	vtd_queue_submit(unit, &d, 1, QUEUE_TIMEOUT_US, &out);
	if (out.refused)
		panic("%s: the unit does not forget\n", unit->x86.name);
}

/* What hardware cannot forget by itself it forgets with everything else. */
static void forget_everything(struct vtd_unit *unit)
{
	const u64 global = FIELD_PREP(VTD_QI_LO_G, VTD_G_GLOBAL);

	queue_must_run(unit, FIELD_PREP(VTD_QI_TYPE, VTD_QI_CONTEXT) | global);
	if (unit->scalable)
		queue_must_run(unit, FIELD_PREP(VTD_QI_TYPE, VTD_QI_PASID) |
				     FIELD_PREP(VTD_QI_LO_G, VTD_G_PASID_GLOBAL));
	queue_must_run(unit, FIELD_PREP(VTD_QI_TYPE, VTD_QI_IOTLB) | global);
	if (unit->ecap & VTD_ECAP_IR)
		queue_must_run(unit, FIELD_PREP(VTD_QI_TYPE, VTD_QI_INTERRUPT));
}

/**
 * vtd_batch_init - begin to collect invalidations
 * @batch: of the caller, on the stack
 * @unit: that they are for
 */
void vtd_batch_init(struct vtd_batch *batch, struct vtd_unit *unit)
{
	batch->unit = unit;
	batch->nr = 0;
	batch->devices = 0;
}

/* Of a device that is not cut off yet. */
static bool asks_device(const struct vtd_batch *batch, unsigned int i)
{
	return batch->devices & BIT(i) && !READ_ONCE(batch->vdev[i]->cut_done);
}

static bool one_device(const struct vtd_batch *batch)
{
	struct vtd_device *vdev = NULL;
	unsigned int i;

	for (i = 0; i < batch->nr; i++) {
		if (!(batch->devices & BIT(i)))
			continue;
		if (vdev && vdev != batch->vdev[i])
			return false;
		vdev = batch->vdev[i];
	}
	return vdev;
}

static bool is_silent(const struct vtd_batch *batch, unsigned int i, u16 sid)
{
	return one_device(batch) ||
	       (sid && sid == pci_dev_id(to_pci_dev(batch->vdev[i]->dev)));
}

/* What may have been given up with the devices is told once more. */
static void run_again(const struct vtd_batch *batch)
{
	struct vtd_entry d[VTD_BATCH_MAX];
	struct vtd_outcome out;
	unsigned int i, nr = 0;

	for (i = 0; i < batch->nr; i++)
		if (!(batch->devices & BIT(i)))
			d[nr++] = batch->d[i];
	if (!nr)
		return;
	vtd_queue_submit(batch->unit, d, nr, QUEUE_TIMEOUT_US, &out);
	if (out.refused)
		forget_everything(batch->unit);
}

/*
 * Not everything was done. First the unit: what it refused it forgets with all the
 * rest, before which a device cannot be told. Then the devices, each alone,
 * so that only those are cut off which do not answer; the ones that a descriptor was
 * refused for are asked no more.
 */
static void batch_make_up(struct vtd_batch *batch, int rc,
			  const struct vtd_outcome *out)
{
	bool lost = out->refused & ~batch->devices;
	struct vtd_outcome alone;
	unsigned int i;

	if (lost)
		forget_everything(batch->unit);
	else if (rc)
		run_again(batch);
	for (i = 0; i < batch->nr; i++) {
		bool failed = out->refused & BIT(i);

		if (!asks_device(batch, i))
			continue;
		failed |= rc && is_silent(batch, i, out->silent);
		if (!failed && (rc || lost))
			failed = vtd_queue_submit(batch->unit, &batch->d[i], 1,
						  QUEUE_DEVICE_TIMEOUT_US,
						  &alone) || alone.refused;
		if (failed)
			vtd_device_cut(batch->vdev[i]);
	}
}

/**
 * vtd_batch_run - have the unit do what was collected, and wait until it is done
 * @batch: empty afterwards
 *
 * A device that does not answer is cut off. What the unit refuses is made up for by
 * forgetting everything.
 *
 * Context: any. With device TLBs in it takes as long as the devices do, which may be
 * 90 s.
 */
void vtd_batch_run(struct vtd_batch *batch)
{
	struct vtd_outcome out;
	int rc;

	if (!batch->nr)
		return;
	rc = vtd_queue_submit(batch->unit, batch->d, batch->nr, batch->devices ?
			      QUEUE_DEVICE_TIMEOUT_US : QUEUE_TIMEOUT_US, &out);
	if (rc || out.refused)
		batch_make_up(batch, rc, &out);
	vtd_batch_init(batch, batch->unit);
}

/**
 * vtd_batch_add - add an invalidation
 * @batch: run and begun anew when it is full
 * @lo: bits 63:0 of the descriptor
 * @hi: bits 127:64 of it
 *
 * Hardware may do what follows before this, if there is no vtd_batch_fence() between.
 *
 * Context: as vtd_batch_run()
 */
void vtd_batch_add(struct vtd_batch *batch, u64 lo, u64 hi)
{
	if (batch->nr == VTD_BATCH_MAX)
		vtd_batch_run(batch);
	batch->d[batch->nr++] = (struct vtd_entry){ .lo = lo, .hi = hi };
}

/**
 * vtd_batch_fence - what follows is done after all that was added before
 * @batch: the batch
 *
 * 6.5.2: descriptors are done in any order but for this. Where it counts: context
 * entries, entries of PASID tables, translations, device TLBs. Each of them can be
 * filled again from the one before.
 *
 * Context: as vtd_batch_run()
 */
void vtd_batch_fence(struct vtd_batch *batch)
{
	const struct vtd_entry d = fence(&batch->unit->queue);

	if (batch->nr && batch->d[batch->nr - 1].lo != d.lo)
		vtd_batch_add(batch, d.lo, d.hi);
}

static void run_one(struct vtd_unit *unit, u64 lo)
{
	struct vtd_batch batch;

	vtd_batch_init(&batch, unit);
	vtd_batch_add(&batch, lo, 0);
	vtd_batch_run(&batch);
}

/**
 * vtd_drain_requests - have page requests that have arrived stand in their queue
 * @unit: the unit; can drain them
 *
 * Those that devices have sent before they answered an invalidation have arrived.
 *
 * Context: any.
 */
void vtd_drain_requests(struct vtd_unit *unit)
{
	struct vtd_entry d = fence(&unit->queue);
	struct vtd_outcome out;

	d.lo |= VTD_QI_WAIT_LO_PD;
	vtd_queue_submit(unit, &d, 1, QUEUE_TIMEOUT_US, &out);
}

/**
 * vtd_answer_requests - have a unit send an answer to page requests
 * @unit: the unit
 * @lo: bits 63:0 of the descriptor
 * @hi: bits 127:64 of it
 *
 * If the unit does not like it the kernel's log says so, and the device gets none.
 *
 * Context: any.
 */
void vtd_answer_requests(struct vtd_unit *unit, u64 lo, u64 hi)
{
	const struct vtd_entry d = { .lo = lo, .hi = hi };
	struct vtd_outcome out;

	vtd_queue_submit(unit, &d, 1, QUEUE_TIMEOUT_US, &out);
}

/**
 * vtd_forget_contexts - forget all context entries
 * @unit: the unit
 *
 * Context: any.
 */
void vtd_forget_contexts(struct vtd_unit *unit)
{
	run_one(unit, FIELD_PREP(VTD_QI_TYPE, VTD_QI_CONTEXT) |
		      FIELD_PREP(VTD_QI_LO_G, VTD_G_GLOBAL));
}

/**
 * vtd_forget_context - forget the context entry of a requester
 * @batch: for a unit
 * @did: the domain id that was in it
 * @sid: bus, device and function
 *
 * Context: as vtd_batch_run()
 */
void vtd_forget_context(struct vtd_batch *batch, u16 did, u16 sid)
{
	vtd_batch_add(batch, FIELD_PREP(VTD_QI_TYPE, VTD_QI_CONTEXT) |
			     FIELD_PREP(VTD_QI_LO_G, VTD_G_SELECTIVE) |
			     FIELD_PREP(VTD_QI_LO_DID, did) |
			     FIELD_PREP(VTD_QI_CONTEXT_LO_SID, sid), 0);
}

/* DMA that is under way ends before the invalidation does, if hardware can. */
static u64 iotlb(const struct vtd_unit *unit, unsigned int what, u16 did)
{
	return FIELD_PREP(VTD_QI_TYPE, VTD_QI_IOTLB) |
	       FIELD_PREP(VTD_QI_LO_G, what) | FIELD_PREP(VTD_QI_LO_DID, did) |
	       (unit->cap & VTD_CAP_DWD ? VTD_QI_IOTLB_LO_DW : 0) |
	       (unit->cap & VTD_CAP_DRD ? VTD_QI_IOTLB_LO_DR : 0);
}

/**
 * vtd_forget_all - forget all translations
 * @unit: the unit
 *
 * Context: any.
 */
void vtd_forget_all(struct vtd_unit *unit)
{
	run_one(unit, iotlb(unit, VTD_G_GLOBAL, 0));
}

/**
 * vtd_forget_domain - forget all translations of a domain
 * @batch: for a unit
 * @did: the domain's id
 *
 * Context: as vtd_batch_run()
 */
void vtd_forget_domain(struct vtd_batch *batch, u16 did)
{
	vtd_batch_add(batch, iotlb(batch->unit, VTD_G_DOMAIN, did), 0);
}

/**
 * vtd_forget_pasid - forget where requests with a PASID go
 * @batch: for a unit in scalable mode
 * @did: the domain id that was in the entry, 0 if there was none
 * @pasid: the PASID; 0 for requests without one
 *
 * Context: as vtd_batch_run()
 */
void vtd_forget_pasid(struct vtd_batch *batch, u16 did, u32 pasid)
{
	vtd_batch_add(batch, FIELD_PREP(VTD_QI_TYPE, VTD_QI_PASID) |
			     FIELD_PREP(VTD_QI_LO_G, VTD_G_PASID_ONE) |
			     FIELD_PREP(VTD_QI_LO_DID, did) |
			     FIELD_PREP(VTD_QI_LO_PASID, pasid), 0);
}

/**
 * vtd_forget_interrupt - forget an entry of the interrupt remapping table
 * @unit: the unit
 * @handle: its index
 *
 * Context: any.
 */
void vtd_forget_interrupt(struct vtd_unit *unit, u16 handle)
{
	run_one(unit, FIELD_PREP(VTD_QI_TYPE, VTD_QI_INTERRUPT) |
		      VTD_QI_INTERRUPT_LO_G |
		      FIELD_PREP(VTD_QI_INTERRUPT_LO_IIDX, handle));
}

/**
 * vtd_forget_interrupts - forget the interrupt remapping table
 * @unit: the unit
 *
 * Context: any.
 */
void vtd_forget_interrupts(struct vtd_unit *unit)
{
	run_one(unit, FIELD_PREP(VTD_QI_TYPE, VTD_QI_INTERRUPT));
}

/* The smallest aligned power of two of pages that has both ends. */
static unsigned int range_order(u64 first, u64 last)
{
	return (first ^ last) >> 12 ? ilog2((first ^ last) >> 12) + 1 : 0;
}

static u64 range_start(u64 first, unsigned int order)
{
	return order < 52 ? first >> (12 + order) << (12 + order) : 0;
}

/**
 * vtd_forget_range - forget translations of a range
 * @batch: for a unit
 * @did: the domain's id
 * @first: first address
 * @last: last address
 * @tables: table items have changed as well
 *
 * One descriptor covers the range, rounded out to a power of two of pages; what
 * is too large for one costs the whole domain.
 *
 * Context: as vtd_batch_run()
 */
void vtd_forget_range(struct vtd_batch *batch, u16 did, u64 first, u64 last,
		      bool tables)
{
	const struct vtd_unit *unit = batch->unit;
	unsigned int order = range_order(first, last);

	if (!(unit->cap & VTD_CAP_PSI) ||
	    order > FIELD_GET(VTD_CAP_MAMV, unit->cap)) {
		vtd_forget_domain(batch, did);
		return;
	}
	vtd_batch_add(batch, iotlb(unit, VTD_G_SELECTIVE, did),
		      range_start(first, order) |
		      FIELD_PREP(VTD_QI_IOTLB_HI_AM, order) |
		      (tables ? 0 : VTD_QI_IOTLB_HI_IH));
}

/**
 * vtd_forget_first_stage - forget first-stage translations of a range
 * @batch: for a unit in scalable mode
 * @did: the domain's id
 * @pasid: of the requests; 0 for those without one
 * @first: first address
 * @last: last address
 * @tables: table items have changed as well
 *
 * As vtd_forget_range().
 *
 * Context: as vtd_batch_run()
 */
void vtd_forget_first_stage(struct vtd_batch *batch, u16 did, u32 pasid,
			    u64 first, u64 last, bool tables)
{
	unsigned int order = range_order(first, last);
	bool all = order > FIELD_GET(VTD_CAP_MAMV, batch->unit->cap);
	u64 lo = FIELD_PREP(VTD_QI_TYPE, VTD_QI_PASID_IOTLB) |
		 FIELD_PREP(VTD_QI_LO_DID, did) |
		 FIELD_PREP(VTD_QI_LO_PASID, pasid);

	if (all) {
		vtd_batch_add(batch, lo | FIELD_PREP(VTD_QI_LO_G,
						     VTD_G_PIOTLB_PASID), 0);
		return;
	}
	vtd_batch_add(batch, lo | FIELD_PREP(VTD_QI_LO_G, VTD_G_PIOTLB_PAGES),
		      range_start(first, order) |
		      FIELD_PREP(VTD_QI_IOTLB_HI_AM, order) |
		      (tables ? 0 : VTD_QI_IOTLB_HI_IH));
}

/* 6.5.2.5: of a function without one of its own, its physical function's queue. */
static u64 pfsid(const struct vtd_unit *unit, struct pci_dev *pdev)
{
	u16 sid = pci_dev_id(pci_physfn(pdev));

	if (!(unit->ecap & VTD_ECAP_DIT))
		return 0;
	return FIELD_PREP(VTD_QI_LO_PFSID_LOW, sid & 0xf) |
	       FIELD_PREP(VTD_QI_LO_PFSID_HIGH, sid >> 4);
}

/**
 * vtd_forget_device_tlb - have a device forget translations of a range
 * @batch: for its unit
 * @vdev: the device; its ATS is on, and stays on until the batch has run
 * @pasid: with which it asked for them, IOMMU_NO_PASID without
 * @first: first address
 * @last: last address
 *
 * The unit has to forget them before, as it could tell the device again: what is in
 * the batch is done first.
 *
 * Context: as vtd_batch_run()
 */
void vtd_forget_device_tlb(struct vtd_batch *batch, struct vtd_device *vdev,
			   u32 pasid, u64 first, u64 last)
{
	struct pci_dev *pdev = to_pci_dev(vdev->dev);
	unsigned int order = range_order(first, last);
	u16 sid = pci_dev_id(pdev);
	u64 lo = pfsid(vdev->unit, pdev), hi = range_start(first, order);

	if (order)
		hi |= BIT_ULL(11 + order) - BIT_ULL(12);
	if (pasid == IOMMU_NO_PASID) {
		lo |= FIELD_PREP(VTD_QI_TYPE, VTD_QI_DEVICE_TLB) |
		      FIELD_PREP(VTD_QI_DEV_LO_MIP, vdev->ats_pending) |
		      FIELD_PREP(VTD_QI_DEV_LO_SID, sid);
		hi |= order ? VTD_QI_DEV_HI_S : 0;
	} else {
		lo |= FIELD_PREP(VTD_QI_TYPE, VTD_QI_PASID_DEVICE_TLB) |
		      FIELD_PREP(VTD_QI_PDEV_LO_MIP, vdev->ats_pending) |
		      FIELD_PREP(VTD_QI_PDEV_LO_SID, sid) |
		      FIELD_PREP(VTD_QI_LO_PASID, pasid);
		hi |= order ? VTD_QI_PDEV_HI_S : 0;
	}
	if (batch->nr && !(batch->devices & BIT(batch->nr - 1)))
		vtd_batch_fence(batch);
	vtd_batch_add(batch, lo, hi);
	batch->vdev[batch->nr - 1] = vdev;
	batch->devices |= BIT(batch->nr - 1);
}

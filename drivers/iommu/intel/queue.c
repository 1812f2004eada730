// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queued invalidation, 6.5.2: telling a unit what to forget, and knowing when it
 * has. Each call puts its descriptors and a wait descriptor into the queue and
 * returns when hardware has come to the latter.
 */
#include <linux/delay.h>
#include <linux/iommufd_reason.h>
#include <linux/log2.h>
#include <linux/mm.h>

#include "spec/queue.h"
#include "vtd.h"

/* Bit of IQA: descriptors have 256 bits, as scalable mode wants them. */
#define IQA_WIDE BIT_ULL(11)
#define QUEUE_SLOTS (PAGE_SIZE / sizeof(struct vtd_entry))
/* Hardware takes microseconds; an emulated unit takes as long as its CPU. */
#define QUEUE_TIMEOUT_US (10 * USEC_PER_SEC)

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

/*
 * 6.5.2.12: hardware stops at a descriptor that it does not like. Ours are
 * right, so that this is a defect of one side: put something harmless in its
 * place so that those behind it are done.
 */
static void queue_recover(struct vtd_unit *unit, u32 status)
{
	struct vtd_queue *q = &unit->queue;
	unsigned int head = vtd_read64(unit, VTD_IQH) / sizeof(struct vtd_entry);
	struct vtd_entry *slot = &q->descriptors[head % QUEUE_SLOTS];

	pr_err_ratelimited("%s: invalidation error %#x at descriptor %u: %llx %llx\n",
			   unit->name, status, head, slot->lo, slot->hi);
	if (status & VTD_FSTS_IQE) {
		slot->hi = 0;
		slot->lo = FIELD_PREP(VTD_QI_TYPE, VTD_QI_WAIT);
		dma_wmb();
	}
	vtd_write(unit, VTD_FSTS, status);
}

static void queue_wait(struct vtd_unit *unit, u32 stamp)
{
	const u32 errors = VTD_FSTS_IQE | VTD_FSTS_ICE | VTD_FSTS_ITE;
	u64 spins = 0;

	while (READ_ONCE(*unit->queue.status) != stamp) {
		u32 status = vtd_read(unit, VTD_FSTS) & errors;

		if (status)
			queue_recover(unit, status);
		if (spins++ == QUEUE_TIMEOUT_US) {
			/* Going on would hand memory out that devices reach. */
			panic("%s: the invalidation queue stands still\n",
			      unit->name);
		}
		udelay(1);
	}
}

static void queue_run(struct vtd_unit *unit, u64 lo, u64 hi)
{
	struct vtd_queue *q = &unit->queue;
	unsigned long flags;

	raw_spin_lock_irqsave(&q->lock, flags);
	q->stamp++;
	queue_put(q, lo, hi);
	queue_put(q, FIELD_PREP(VTD_QI_TYPE, VTD_QI_WAIT) | VTD_QI_WAIT_LO_SW |
		     VTD_QI_WAIT_LO_FN |
		     FIELD_PREP(VTD_QI_WAIT_LO_DATA, q->stamp),
		  virt_to_phys(q->status));
	dma_wmb();
	vtd_write64(unit, VTD_IQT, q->tail * sizeof(struct vtd_entry));
	queue_wait(unit, q->stamp);
	raw_spin_unlock_irqrestore(&q->lock, flags);
}

/**
 * vtd_queue_run - have a unit do what a descriptor says, and wait until it is done
 * @unit: the unit
 * @lo: bits 63:0 of the descriptor
 * @hi: bits 127:64 of it
 *
 * Context: any.
 */
void vtd_queue_run(struct vtd_unit *unit, u64 lo, u64 hi)
{
	queue_run(unit, lo, hi);
}

/**
 * vtd_forget_contexts - forget all context entries
 * @unit: the unit
 *
 * Context: any.
 */
void vtd_forget_contexts(struct vtd_unit *unit)
{
	queue_run(unit, FIELD_PREP(VTD_QI_TYPE, VTD_QI_CONTEXT) |
			FIELD_PREP(VTD_QI_LO_G, VTD_G_GLOBAL), 0);
}

/**
 * vtd_forget_context - forget the context entry of a requester
 * @unit: the unit
 * @did: the domain id that was in it
 * @sid: bus, device and function
 *
 * Context: any.
 */
void vtd_forget_context(struct vtd_unit *unit, u16 did, u16 sid)
{
	queue_run(unit, FIELD_PREP(VTD_QI_TYPE, VTD_QI_CONTEXT) |
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
	queue_run(unit, iotlb(unit, VTD_G_GLOBAL, 0), 0);
}

/**
 * vtd_forget_domain - forget all translations of a domain
 * @unit: the unit
 * @did: the domain's id
 *
 * Context: any.
 */
void vtd_forget_domain(struct vtd_unit *unit, u16 did)
{
	queue_run(unit, iotlb(unit, VTD_G_DOMAIN, did), 0);
}

/**
 * vtd_forget_pasid - forget where requests with a PASID go
 * @unit: the unit, in scalable mode
 * @did: the domain id that was in the entry, 0 if there was none
 * @pasid: the PASID; 0 for requests without one
 *
 * Context: any.
 */
void vtd_forget_pasid(struct vtd_unit *unit, u16 did, u32 pasid)
{
	queue_run(unit, FIELD_PREP(VTD_QI_TYPE, VTD_QI_PASID) |
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
	queue_run(unit, FIELD_PREP(VTD_QI_TYPE, VTD_QI_INTERRUPT) |
			VTD_QI_INTERRUPT_LO_G |
			FIELD_PREP(VTD_QI_INTERRUPT_LO_IIDX, handle), 0);
}

/**
 * vtd_forget_interrupts - forget the interrupt remapping table
 * @unit: the unit
 *
 * Context: any.
 */
void vtd_forget_interrupts(struct vtd_unit *unit)
{
	queue_run(unit, FIELD_PREP(VTD_QI_TYPE, VTD_QI_INTERRUPT), 0);
}

/* The smallest aligned power of two of pages that has both ends. */
static unsigned int range_order(u64 first, u64 last)
{
	return (first ^ last) >> 12 ? ilog2((first ^ last) >> 12) + 1 : 0;
}

/**
 * vtd_forget_range - forget translations of a range
 * @unit: the unit
 * @did: the domain's id
 * @first: first address
 * @last: last address
 * @tables: table items have changed as well
 *
 * One descriptor covers the range, rounded out to a power of two of pages; what
 * is too large for one costs the whole domain.
 *
 * Context: any.
 */
void vtd_forget_range(struct vtd_unit *unit, u16 did, u64 first, u64 last,
		      bool tables)
{
	unsigned int order = range_order(first, last);

	if (!(unit->cap & VTD_CAP_PSI) ||
	    order > FIELD_GET(VTD_CAP_MAMV, unit->cap)) {
		vtd_forget_domain(unit, did);
		return;
	}
	first = first >> (12 + order) << (12 + order);
	queue_run(unit, iotlb(unit, VTD_G_SELECTIVE, did),
		  first | FIELD_PREP(VTD_QI_IOTLB_HI_AM, order) |
		  (tables ? 0 : VTD_QI_IOTLB_HI_IH));
}

/**
 * vtd_forget_first_stage - forget first-stage translations of a range
 * @unit: the unit, in scalable mode
 * @did: the domain's id
 * @pasid: of the requests; 0 for those without one
 * @first: first address
 * @last: last address
 * @tables: table items have changed as well
 *
 * As vtd_forget_range().
 *
 * Context: any.
 */
void vtd_forget_first_stage(struct vtd_unit *unit, u16 did, u32 pasid, u64 first,
			    u64 last, bool tables)
{
	unsigned int order = range_order(first, last);
	bool all = order > FIELD_GET(VTD_CAP_MAMV, unit->cap);
	u64 lo = FIELD_PREP(VTD_QI_TYPE, VTD_QI_PASID_IOTLB) |
		 FIELD_PREP(VTD_QI_LO_DID, did) |
		 FIELD_PREP(VTD_QI_LO_PASID, pasid);

	if (all) {
		queue_run(unit, lo | FIELD_PREP(VTD_QI_LO_G, VTD_G_PIOTLB_PASID),
			  0);
		return;
	}
	first = first >> (12 + order) << (12 + order);
	queue_run(unit, lo | FIELD_PREP(VTD_QI_LO_G, VTD_G_PIOTLB_PAGES),
		  first | FIELD_PREP(VTD_QI_IOTLB_HI_AM, order) |
		  (tables ? 0 : VTD_QI_IOTLB_HI_IH));
}

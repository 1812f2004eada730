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

/*
 * A wait descriptor that nobody waits for: it writes to the word after the one that is
 * looked at. One that has nothing to do is not liked either.
 */
static struct vtd_entry queue_idle(const struct vtd_queue *q)
{
	return (struct vtd_entry){
		.lo = FIELD_PREP(VTD_QI_TYPE, VTD_QI_WAIT) | VTD_QI_WAIT_LO_SW,
		.hi = virt_to_phys(q->status + 1),
	};
}

static void queue_put_wait(struct vtd_queue *q)
{
	queue_put(q, FIELD_PREP(VTD_QI_TYPE, VTD_QI_WAIT) | VTD_QI_WAIT_LO_SW |
		     VTD_QI_WAIT_LO_FN |
		     FIELD_PREP(VTD_QI_WAIT_LO_DATA, q->stamp),
		  virt_to_phys(q->status));
}

/*
 * 6.5.2.12: hardware has stopped, and goes on when the error is cleared. At a
 * descriptor that it does not like: it finds something harmless in its place then.
 * At a device that has not answered: what waited for it was given up, and a wait
 * descriptor more has to tell that the rest was done.
 *
 * Return: what has become of the descriptor that is waited for: 0, -EINVAL if it
 * was not liked, -ETIMEDOUT if a device has not answered
 */
static int queue_recover(struct vtd_unit *unit, u32 status)
{
	struct vtd_queue *q = &unit->queue;
	unsigned int head = vtd_read64(unit, VTD_IQH) / sizeof(struct vtd_entry);
	struct vtd_entry *slot = &q->descriptors[head % QUEUE_SLOTS];
	int rc = 0;

	pr_err_ratelimited("%s: invalidation error %#x (%#llx) at descriptor %u: %llx %llx\n",
			   unit->name, status, vtd_read64(unit, VTD_IQER), head,
			   slot->lo, slot->hi);
	if (status & VTD_FSTS_ITE) {
		rc = -ETIMEDOUT;
		queue_put_wait(q);
	}
	if (status & VTD_FSTS_IQE) {
		rc = -EINVAL;
		memset(slot, 0, q->step * sizeof(*slot));
		*slot = queue_idle(q);
		/* in case it was the one that tells */
		queue_put_wait(q);
	}
	dma_wmb();
	vtd_write(unit, VTD_FSTS, status);
	if (rc)
		queue_ring(unit);
	return rc;
}

static int queue_wait(struct vtd_unit *unit, u32 stamp, u64 timeout_us)
{
	const u32 errors = VTD_FSTS_IQE | VTD_FSTS_ICE | VTD_FSTS_ITE;
	u64 spins = 0;
	int rc = 0;

	while (READ_ONCE(*unit->queue.status) != stamp) {
		u32 status = vtd_read(unit, VTD_FSTS) & errors;

		if (status)
			rc = queue_recover(unit, status) ?: rc;
		if (spins++ == timeout_us) {
			/* Going on would hand memory out that devices reach. */
			panic("%s: the invalidation queue stands still\n",
			      unit->name);
		}
		if (!(spins % USEC_PER_SEC))
			touch_nmi_watchdog();
		udelay(1);
	}
	return rc;
}

static int queue_submit(struct vtd_unit *unit, u64 lo, u64 hi, u64 timeout_us)
{
	struct vtd_queue *q = &unit->queue;
	unsigned long flags;
	int rc;

	raw_spin_lock_irqsave(&q->lock, flags);
	q->stamp++;
	queue_put(q, lo, hi);
	queue_put_wait(q);
	queue_ring(unit);
	rc = queue_wait(unit, q->stamp, timeout_us);
	raw_spin_unlock_irqrestore(&q->lock, flags);
	return rc;
}

static void queue_must_run(struct vtd_unit *unit, u64 lo)
{
	if (queue_submit(unit, lo, 0, QUEUE_TIMEOUT_US) == -EINVAL)
		panic("%s: the unit does not forget\n", unit->name);
}

/* What hardware cannot forget by itself it forgets with everything else. */
static void queue_run(struct vtd_unit *unit, u64 lo, u64 hi)
{
	const u64 global = FIELD_PREP(VTD_QI_LO_G, VTD_G_GLOBAL);

	/* a device that does not answer is not what this is about */
	if (queue_submit(unit, lo, hi, QUEUE_TIMEOUT_US) != -EINVAL)
		return;
	queue_must_run(unit, FIELD_PREP(VTD_QI_TYPE, VTD_QI_CONTEXT) | global);
	if (unit->scalable)
		queue_must_run(unit, FIELD_PREP(VTD_QI_TYPE, VTD_QI_PASID) |
				     FIELD_PREP(VTD_QI_LO_G, VTD_G_PASID_GLOBAL));
	queue_must_run(unit, FIELD_PREP(VTD_QI_TYPE, VTD_QI_IOTLB) | global);
	if (unit->ecap & VTD_ECAP_IR)
		queue_must_run(unit, FIELD_PREP(VTD_QI_TYPE, VTD_QI_INTERRUPT));
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

static u64 range_start(u64 first, unsigned int order)
{
	return order < 52 ? first >> (12 + order) << (12 + order) : 0;
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
	queue_run(unit, iotlb(unit, VTD_G_SELECTIVE, did),
		  range_start(first, order) | FIELD_PREP(VTD_QI_IOTLB_HI_AM, order) |
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
	queue_run(unit, lo | FIELD_PREP(VTD_QI_LO_G, VTD_G_PIOTLB_PAGES),
		  range_start(first, order) | FIELD_PREP(VTD_QI_IOTLB_HI_AM, order) |
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
 * @vdev: the device; its ATS is on
 * @pasid: with which it asked for them, IOMMU_NO_PASID without
 * @first: first address
 * @last: last address
 *
 * The unit has forgotten them already: it could tell the device again.
 *
 * Context: any. Takes as long as the device does, which may be 90 s.
 * Return: 0, or a negative errno if the device may still know them
 */
int vtd_forget_device_tlb(const struct vtd_device *vdev, u32 pasid, u64 first,
			  u64 last)
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
	return queue_submit(vdev->unit, lo, hi, QUEUE_DEVICE_TIMEOUT_US);
}

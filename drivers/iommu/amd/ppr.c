// SPDX-License-Identifier: GPL-2.0-only
/*
 * The log of page requests, 2.6. What becomes of the requests, and when devices may ask,
 * is in ../x86/requests.c; answers go into the command buffer. The unit tells of it by
 * the same message as of events.
 *
 * The log is made for the first device that wants to ask, and stays until the unit is
 * switched off.
 */
#include <linux/delay.h>
#include <linux/iopoll.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/pci.h>

#include "amdvi.h"
#include "page_request.h"
#include "spec/ppr.h"

#define LOG_ORDER	3
#define LOG_SLOTS	((PAGE_SIZE << LOG_ORDER) / sizeof(struct amdvi_command))
/* How long an entry may take to arrive after the pointer to it. */
#define ENTRY_TIMEOUT_US 1000
#define SWITCH_TIMEOUT_US (2 * USEC_PER_SEC)

static struct amdvi_device *asker_device(const struct x86_asker *asker)
{
	return to_amdvi_device(asker->dev);
}

static void ppr_answer(struct x86_unit *x86, const struct x86_page_request *request,
		       unsigned int code)
{
	struct amdvi_command command = amdvi_page_response(request, code);

	amdvi_answer_requests(to_amdvi_unit(x86), command.lo, command.hi);
}

static void handle(struct amdvi_unit *unit, u64 lo, u64 hi)
{
	struct x86_page_request request;
	enum x86_page_request_kind kind;

	kind = amdvi_page_request_read(&request, lo, hi, unit->x86.iommu.max_pasids);
	if (kind == X86_PAGE_REQUEST_BAD)
		pr_err_ratelimited("%s: page request of %04x:%02x:%02x.%u that cannot be: %llx %llx\n",
				   unit->x86.name, unit->ivrs->segment,
				   PCI_BUS_NUM(request.sid), PCI_SLOT(request.sid),
				   PCI_FUNC(request.sid), lo, hi);
	else if (kind == X86_PAGE_REQUEST_UNKNOWN)
		pr_err_ratelimited("%s: no page request: %llx %llx\n",
				   unit->x86.name, lo, hi);
	x86_requests_take(&unit->x86, kind, &request);
}

static unsigned int ppr_slot(const struct amdvi_ppr *ppr, unsigned int reg)
{
	return FIELD_GET(AMDVI_BUFFER_OFFSET, readq(ppr->regs + reg)) % LOG_SLOTS;
}

/* The pointer may be seen before the entry. */
static u64 entry_arrives(const struct amdvi_command *entry)
{
	unsigned int us;
	u64 lo;

	for (us = 0; us < ENTRY_TIMEOUT_US; us++) {
		lo = READ_ONCE(entry->lo);
		if (lo & AMDVI_PPR_LO_CODE)
			break;
		udelay(1);
	}
	dma_rmb();
	return lo;
}

/* What is in the log now: not what comes meanwhile, there may be no end of it. */
static void take_to_tail(struct amdvi_unit *unit)
{
	struct amdvi_ppr *ppr = &unit->ppr;
	unsigned int head = ppr_slot(ppr, AMDVI_PPR_HEAD);
	unsigned int tail = ppr_slot(ppr, AMDVI_PPR_TAIL);

	for (; head != tail; head = (head + 1) % LOG_SLOTS) {
		struct amdvi_command *entry = &ppr->entries[head];
		u64 lo = entry_arrives(entry);

		handle(unit, lo, READ_ONCE(entry->hi));
		WRITE_ONCE(entry->lo, 0);
	}
	writeq(head * sizeof(struct amdvi_command), ppr->regs + AMDVI_PPR_HEAD);
}

/**
 * amdvi_ppr_switch - have requests logged, or not
 * @unit: the unit
 * @on: which
 *
 * For this file only, but a symbol, for a test that plays the part of the registers.
 */
noinline __noclone void amdvi_ppr_switch(struct amdvi_unit *unit, bool on)
{
	struct amdvi_ppr *ppr = &unit->ppr;
	u64 status;

	amdvi_control(unit, on ? 0 : AMDVI_CTL_PPR_LOG, on ? AMDVI_CTL_PPR_LOG : 0);
	if (read_poll_timeout(readq, status, !(status & AMDVI_STS_PPR_RUN) == !on, 1,
			      SWITCH_TIMEOUT_US, false, ppr->regs + AMDVI_STATUS))
		pr_err("%s: the log of page requests does not %s\n", unit->x86.name,
		       on ? "start" : "stop");
}

/* From the beginning, with nothing in it. */
static void log_start(struct amdvi_unit *unit)
{
	struct amdvi_ppr *ppr = &unit->ppr;

	writeq(0, ppr->regs + AMDVI_PPR_HEAD);
	writeq(0, ppr->regs + AMDVI_PPR_TAIL);
	writeq(AMDVI_STS_PPR | AMDVI_STS_PPR_OVERFLOW, ppr->regs + AMDVI_STATUS);
	amdvi_ppr_switch(unit, true);
}

/*
 * What tells of requests is acknowledged first, so that what comes later is told of
 * again. A log that is full records nothing until it was stopped, has been emptied, and
 * begins anew.
 */
static bool ppr_take(struct x86_unit *x86)
{
	struct amdvi_unit *unit = to_amdvi_unit(x86);
	struct amdvi_ppr *ppr = &unit->ppr;
	u64 status;

	if (!ppr->entries)
		return false;
	status = readq(ppr->regs + AMDVI_STATUS);
	writeq(AMDVI_STS_PPR, ppr->regs + AMDVI_STATUS);
	take_to_tail(unit);
	status |= readq(ppr->regs + AMDVI_STATUS);
	if (!(status & AMDVI_STS_PPR_OVERFLOW))
		return false;
	pr_warn_ratelimited("%s: more page requests came than there is room for: devices have to repeat them\n",
			    unit->x86.name);
	amdvi_ppr_switch(unit, false);
	/* the tail may have moved before it overflowed */
	take_to_tail(unit);
	log_start(unit);
	return true;
}

/**
 * amdvi_ppr_interrupt - the unit has sent its message
 * @unit: the unit
 *
 * Context: may sleep.
 * Return: whether there was something to do
 */
bool amdvi_ppr_interrupt(struct amdvi_unit *unit)
{
	const u64 told = AMDVI_STS_PPR | AMDVI_STS_PPR_OVERFLOW;

	if (!READ_ONCE(unit->ppr.entries) ||
	    !(readq(unit->ppr.regs + AMDVI_STATUS) & told))
		return false;
	x86_requests_come(&unit->x86);
	return true;
}

/**
 * amdvi_ppr_init - before anything else is done with it
 * @unit: its registers are there
 */
void amdvi_ppr_init(struct amdvi_unit *unit)
{
	unit->ppr.regs = unit->regs;
	/* a log that is full has one empty slot */
	x86_requests_init(&unit->x86.requests, LOG_SLOTS - 1);
}

/**
 * amdvi_ppr_fini - no device asks for anything any more
 * @unit: has no interrupt any more
 */
void amdvi_ppr_fini(struct amdvi_unit *unit)
{
	struct amdvi_ppr *ppr = &unit->ppr;

	WARN_ON(!list_empty(&unit->x86.requests.askers));
	if (!ppr->entries)
		return;
	amdvi_control(unit, AMDVI_CTL_PPR | AMDVI_CTL_PPR_INT, 0);
	amdvi_ppr_switch(unit, false);
	free_pages((unsigned long)ppr->entries, LOG_ORDER);
	ppr->entries = NULL;
}

static int ppr_make(struct x86_unit *x86)
{
	struct amdvi_unit *unit = to_amdvi_unit(x86);
	struct amdvi_ppr *ppr = &unit->ppr;
	void *entries;

	lockdep_assert_held(&x86->lock);
	if (ppr->entries)
		return 0;
	entries = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, LOG_ORDER);
	if (!entries)
		return iommufd_refuse(-ENOMEM, "no memory for the page requests of %s",
				      x86->name);
	mutex_lock(&x86->requests.lock);
	writeq(virt_to_phys(entries) |
	       FIELD_PREP(AMDVI_BUFFER_LG2, ilog2(LOG_SLOTS)),
	       ppr->regs + AMDVI_PPR_LOG);
	log_start(unit);
	WRITE_ONCE(ppr->entries, entries);
	mutex_unlock(&x86->requests.lock);
	amdvi_control(unit, 0, AMDVI_CTL_PPR | AMDVI_CTL_PPR_INT);
	return 0;
}

static void ppr_allow(struct x86_asker *asker)
{
	struct amdvi_device *adev = asker_device(asker);
	struct amdvi_batch batch;

	amdvi_batch_init(&batch, adev->unit);
	amdvi_entries_update(adev, &batch);
	amdvi_batch_run(&batch);
}

/* What a device has sent comes before its answer to an invalidation. */
static void ppr_push(struct x86_asker *asker)
{
	struct amdvi_device *adev = asker_device(asker);
	struct amdvi_batch batch;

	amdvi_batch_init(&batch, adev->unit);
	amdvi_ats_forget_old(&batch, adev, IOMMU_NO_PASID);
	amdvi_batch_run(&batch);
}

static struct x86_asker *asker_of(struct device *dev)
{
	return &to_amdvi_device(dev)->asker;
}

static bool asker_has_ats(const struct x86_asker *asker)
{
	return asker_device(asker)->ats_on;
}

static const char *asker_lacks(const struct x86_asker *asker)
{
	const struct amdvi_device *adev = asker_device(asker);

	if (!(adev->unit->efr & AMDVI_EFR_PPR))
		return "the unit has no page requests (PPRSup)";
	if (!adev->ats)
		return "its ATS is not used";
	return NULL;
}

const struct x86_request_ops amdvi_request_ops = {
	.asker_of = asker_of,
	.lacks = asker_lacks,
	.has_ats = asker_has_ats,
	.make = ppr_make,
	.take = ppr_take,
	.allow = ppr_allow,
	.push = ppr_push,
	.answer = ppr_answer,
};

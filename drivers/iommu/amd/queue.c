// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command buffer, 2.4: telling a unit what to forget, and knowing when it has.
 * Commands are collected in a batch, and given together with one that has the unit
 * store a number: when that has arrived, all is done.
 */
#include <linux/delay.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/nmi.h>

#include "amdvi.h"

#define QUEUE_SLOTS (PAGE_SIZE / sizeof(struct amdvi_command))
/* Hardware takes microseconds; an emulated unit takes as long as its CPU. */
#define QUEUE_TIMEOUT_US (10 * USEC_PER_SEC)
/* A device has up to 90 s to answer, the unit gives up after 100. */
#define QUEUE_DEVICE_TIMEOUT_US (110 * USEC_PER_SEC)
/* Reading a register costs more than reading memory. */
#define QUEUE_LOOK 64

static int queue_start(struct amdvi_unit *unit)
{
	unit->queue.tail = 0;
	amdvi_write(unit, AMDVI_COMMAND_HEAD, 0);
	amdvi_write(unit, AMDVI_COMMAND_TAIL, 0);
	return amdvi_control_wait(unit, AMDVI_CTL_COMMANDS,
				  AMDVI_STS_COMMANDS_RUN, true);
}

/**
 * amdvi_queue_init - make the buffer and let hardware read it
 * @unit: claimed
 *
 * Return: 0, -ENOMEM, or -ETIMEDOUT if hardware does not react
 */
int amdvi_queue_init(struct amdvi_unit *unit)
{
	struct amdvi_queue *q = &unit->queue;

	q->commands = (void *)get_zeroed_page(GFP_KERNEL);
	q->status = (void *)get_zeroed_page(GFP_KERNEL);
	if (!q->commands || !q->status)
		return -ENOMEM;
	amdvi_write(unit, AMDVI_COMMANDS, virt_to_phys(q->commands) |
		    FIELD_PREP(AMDVI_BUFFER_LG2, ilog2(QUEUE_SLOTS)));
	return queue_start(unit);
}

/**
 * amdvi_queue_fini - stop the buffer
 * @unit: nothing is invalidated any more
 */
void amdvi_queue_fini(struct amdvi_unit *unit)
{
	struct amdvi_queue *q = &unit->queue;

	if (q->commands && q->status)
		amdvi_control_wait(unit, AMDVI_CTL_COMMANDS,
				   AMDVI_STS_COMMANDS_RUN, false);
	free_page((unsigned long)q->commands);
	free_page((unsigned long)q->status);
	q->commands = NULL;
	q->status = NULL;
}

static u64 opcode(unsigned int code)
{
	return FIELD_PREP(AMDVI_CMD_LO_OPCODE, code);
}

static void queue_put(struct amdvi_queue *q, struct amdvi_command command)
{
	struct amdvi_command *slot = &q->commands[q->tail];

	WRITE_ONCE(slot->hi, command.hi);
	WRITE_ONCE(slot->lo, command.lo);
	q->tail = (q->tail + 1) % QUEUE_SLOTS;
}

/* Give what was put in, and a command that tells when hardware has come to it. */
static void queue_ring(struct amdvi_unit *unit)
{
	struct amdvi_queue *q = &unit->queue;
	u64 where = virt_to_phys(q->status);

	queue_put(q, (struct amdvi_command){
		.lo = opcode(AMDVI_COMPLETION_WAIT) | AMDVI_WAIT_LO_S |
		      (where & AMDVI_WAIT_LO_ADDRESS),
		.hi = ++q->stamp,
	});
	dma_wmb();
	amdvi_write(unit, AMDVI_COMMAND_TAIL,
		    q->tail * sizeof(struct amdvi_command));
}

static bool queue_has_stopped(struct amdvi_unit *unit)
{
	return !(amdvi_read(unit, AMDVI_STATUS) & AMDVI_STS_COMMANDS_RUN);
}

/* Whether it has come to the end; false if it has stopped before. */
static bool queue_wait(struct amdvi_unit *unit, u64 timeout_us)
{
	struct amdvi_queue *q = &unit->queue;
	u64 spins;

	for (spins = 1; READ_ONCE(*q->status) != q->stamp; spins++) {
		if (!(spins % QUEUE_LOOK) && queue_has_stopped(unit))
			return READ_ONCE(*q->status) == q->stamp;
		if (spins == timeout_us) {
			/* Going on would hand memory out that devices reach. */
			panic("%s: the command buffer stands still\n",
			      unit->x86.name);
		}
		if (!(spins % USEC_PER_SEC))
			touch_nmi_watchdog();
		udelay(1);
	}
	return true;
}

static void put_everything(struct amdvi_unit *unit, unsigned int *next)
{
	struct amdvi_queue *q = &unit->queue;
	unsigned int i;

	for (i = 0; i < AMDVI_BATCH && *next < AMDVI_NR_IDS; i += 2, ++*next) {
		queue_put(q, (struct amdvi_command){
			.lo = opcode(AMDVI_INVALIDATE_DEVTAB) |
			      FIELD_PREP(AMDVI_CMD_LO_DEVICE, *next),
		});
		queue_put(q, (struct amdvi_command){
			.lo = opcode(AMDVI_INVALIDATE_PAGES) |
			      FIELD_PREP(AMDVI_PAGES_LO_DOMAIN, *next),
			.hi = AMDVI_PAGES_HI_ALL | AMDVI_PAGES_HI_S |
			      AMDVI_PAGES_HI_PDE,
		});
	}
}

static void put_interrupts(struct amdvi_unit *unit, unsigned int *next)
{
	unsigned int i;

	for (i = 0; i < AMDVI_BATCH && *next < AMDVI_NR_IDS; i++, ++*next)
		queue_put(&unit->queue, (struct amdvi_command){
			.lo = opcode(AMDVI_INVALIDATE_INTERRUPTS) |
			      FIELD_PREP(AMDVI_CMD_LO_DEVICE, *next),
		});
}

/* One command does, where there is it; else each id that there can be. */
static bool queue_forget_all(struct amdvi_unit *unit)
{
	unsigned int next = 0;
	bool done = true;

	if (unit->efr & AMDVI_EFR_IA) {
		queue_put(&unit->queue, (struct amdvi_command){
			.lo = opcode(AMDVI_INVALIDATE_ALL),
		});
		queue_ring(unit);
		return queue_wait(unit, QUEUE_TIMEOUT_US);
	}
	while (done && next < AMDVI_NR_IDS) {
		put_everything(unit, &next);
		queue_ring(unit);
		done = queue_wait(unit, QUEUE_TIMEOUT_US);
	}
	next = 0;
	while (done && next < AMDVI_NR_IDS) {
		put_interrupts(unit, &next);
		queue_ring(unit);
		done = queue_wait(unit, QUEUE_TIMEOUT_US);
	}
	return done;
}

/*
 * 2.4: at a command that it does not like, or cannot read, hardware stops, and the
 * event log has the reason. It begins anew, with an empty buffer: what it has not done
 * it forgets with everything else.
 */
static void queue_recover(struct amdvi_unit *unit)
{
	struct amdvi_queue *q = &unit->queue;
	unsigned int head = FIELD_GET(AMDVI_BUFFER_OFFSET,
				      amdvi_read(unit, AMDVI_COMMAND_HEAD));
	const struct amdvi_command *slot = &q->commands[head % QUEUE_SLOTS];

	pr_err_ratelimited("%s: stopped at command %u: %llx %llx\n",
			   unit->x86.name, head, slot->lo, slot->hi);
	if (amdvi_control_wait(unit, AMDVI_CTL_COMMANDS, AMDVI_STS_COMMANDS_RUN,
			       false) ||
	    queue_start(unit) || !queue_forget_all(unit))
		panic("%s: the unit does not forget\n", unit->x86.name);
}

/* Whether all was done. What was not, the unit has forgotten with everything else. */
static bool queue_submit(struct amdvi_unit *unit, const struct amdvi_command *commands,
			 unsigned int nr, u64 timeout_us)
{
	unsigned long flags;
	unsigned int i;
	bool done;

	raw_spin_lock_irqsave(&unit->queue.lock, flags);
	for (i = 0; i < nr; i++)
		queue_put(&unit->queue, commands[i]);
	queue_ring(unit);
	done = queue_wait(unit, timeout_us);
	if (!done)
		queue_recover(unit);
	raw_spin_unlock_irqrestore(&unit->queue.lock, flags);
	return done;
}

/**
 * amdvi_batch_init - begin to collect commands
 * @batch: for them
 * @unit: that will do them
 */
void amdvi_batch_init(struct amdvi_batch *batch, struct amdvi_unit *unit)
{
	batch->unit = unit;
	batch->nr = 0;
	batch->devices = 0;
}

/* Once more, where it is not known whether the device has answered. */
static bool device_answers(struct amdvi_batch *batch, unsigned int i, bool done,
			   unsigned int lost)
{
	struct amdvi_unit *unit = batch->unit;
	u16 id = FIELD_GET(AMDVI_CMD_LO_DEVICE, batch->commands[i].lo);
	enum amdvi_answer answer = amdvi_events_answer(unit, id, lost);

	if (done && answer != AMDVI_UNKNOWN)
		return answer == AMDVI_ANSWERED;
	lost = READ_ONCE(unit->events_lost);
	return queue_submit(unit, &batch->commands[i], 1, QUEUE_DEVICE_TIMEOUT_US) &&
	       amdvi_events_answer(unit, id, lost) == AMDVI_ANSWERED;
}

/**
 * amdvi_batch_run - give what was collected, and wait until it is done
 * @batch: the commands; empty afterwards
 *
 * A device that does not answer is cut off. Where the unit stops it forgets everything.
 *
 * Context: any. Where TLBs of devices are in it, as long as the devices take, which may
 * be 90 s.
 */
void amdvi_batch_run(struct amdvi_batch *batch)
{
	unsigned int lost = READ_ONCE(batch->unit->events_lost), i;
	bool done;

	if (!batch->nr)
		return;
	done = queue_submit(batch->unit, batch->commands, batch->nr, batch->devices ?
			    QUEUE_DEVICE_TIMEOUT_US : QUEUE_TIMEOUT_US);
	for (i = 0; i < batch->nr; i++)
		if (batch->devices & BIT(i) &&
		    !READ_ONCE(batch->adev[i]->cut_done) &&
		    !device_answers(batch, i, done, lost))
			amdvi_device_cut(batch->adev[i]);
	amdvi_batch_init(batch, batch->unit);
}

/**
 * amdvi_batch_add - have the unit do what a command says
 * @batch: is added to
 * @lo: bits 63:0 of the command
 * @hi: bits 127:64 of it
 *
 * Context: as amdvi_batch_run()
 */
void amdvi_batch_add(struct amdvi_batch *batch, u64 lo, u64 hi)
{
	if (batch->nr == AMDVI_BATCH)
		amdvi_batch_run(batch);
	batch->commands[batch->nr++] = (struct amdvi_command){ lo, hi };
}

/**
 * amdvi_batch_device - forget the entry of a device
 * @batch: is added to
 * @id: its id
 *
 * Context: any.
 */
void amdvi_batch_device(struct amdvi_batch *batch, u16 id)
{
	amdvi_batch_add(batch, opcode(AMDVI_INVALIDATE_DEVTAB) |
			       FIELD_PREP(AMDVI_CMD_LO_DEVICE, id), 0);
}

/**
 * amdvi_batch_interrupts - forget the interrupts of a device
 * @batch: is added to
 * @id: its id
 *
 * Context: any.
 */
void amdvi_batch_interrupts(struct amdvi_batch *batch, u16 id)
{
	amdvi_batch_add(batch, opcode(AMDVI_INVALIDATE_INTERRUPTS) |
			       FIELD_PREP(AMDVI_CMD_LO_DEVICE, id), 0);
}

/* The smallest power of two of pages that has the range, as a command tells it. */
static u64 range_bits(u64 first, u64 last, bool tables)
{
	u64 differ = (first ^ last) >> 12;
	unsigned int order = differ ? ilog2(differ) + 1 : 0;
	u64 hi = tables ? AMDVI_PAGES_HI_PDE : 0;

	if (order > 50)
		hi |= AMDVI_PAGES_HI_ALL | AMDVI_PAGES_HI_S;
	else if (order)
		hi |= first >> (12 + order) << (12 + order) |
		      (BIT_ULL(11 + order) - BIT_ULL(12)) | AMDVI_PAGES_HI_S;
	else
		hi |= first & PAGE_MASK;
	return hi;
}

/**
 * amdvi_batch_range - forget translations of a range
 * @batch: is added to
 * @domain: the domain's id
 * @first: first address
 * @last: last address
 * @tables: table items have changed as well
 *
 * One command covers the range, rounded out to a power of two of pages.
 *
 * Context: any.
 */
void amdvi_batch_range(struct amdvi_batch *batch, u16 domain, u64 first, u64 last,
		       bool tables)
{
	amdvi_batch_add(batch, opcode(AMDVI_INVALIDATE_PAGES) |
			       FIELD_PREP(AMDVI_PAGES_LO_DOMAIN, domain),
			range_bits(first, last, tables));
}

/**
 * amdvi_batch_pasid - forget translations of a range, of a PASID
 * @batch: is added to
 * @domain: id of the GCR3s
 * @pasid: the PASID, 0 for requests without one
 * @first: first address
 * @last: last address
 * @tables: table items have changed as well
 *
 * As amdvi_batch_range().
 *
 * Context: any.
 */
void amdvi_batch_pasid(struct amdvi_batch *batch, u16 domain, u32 pasid, u64 first,
		       u64 last, bool tables)
{
	amdvi_batch_add(batch, opcode(AMDVI_INVALIDATE_PAGES) |
			       FIELD_PREP(AMDVI_PAGES_LO_DOMAIN, domain) |
			       FIELD_PREP(AMDVI_PAGES_LO_PASID, pasid),
			range_bits(first, last, tables) | AMDVI_PAGES_HI_GN);
}

/* 2.4.4: of a function without one of its own, its physical function's queue. */
static u64 queue_of(struct pci_dev *pdev)
{
	return FIELD_PREP(AMDVI_IOTLB_LO_QUEUE, pci_dev_id(pci_physfn(pdev)));
}

/**
 * amdvi_batch_device_tlb - have a device forget translations of a range
 * @batch: is added to
 * @adev: the device; its ATS is on, and stays on until the batch has run
 * @pasid: with which it asked for them, IOMMU_NO_PASID without
 * @first: first address
 * @last: last address
 *
 * The unit has to forget them before, as it could tell the device again: what is in the
 * batch is done first.
 *
 * Context: as amdvi_batch_run()
 */
void amdvi_batch_device_tlb(struct amdvi_batch *batch, struct amdvi_device *adev,
			    u32 pasid, u64 first, u64 last)
{
	const u64 fence = opcode(AMDVI_COMPLETION_WAIT) | AMDVI_WAIT_LO_F;
	struct pci_dev *pdev = to_pci_dev(adev->dev);
	u64 lo = opcode(AMDVI_INVALIDATE_IOTLB) | queue_of(pdev) |
		 FIELD_PREP(AMDVI_CMD_LO_DEVICE, pci_dev_id(pdev)) |
		 FIELD_PREP(AMDVI_IOTLB_LO_PENDING, adev->ats_pending);
	u64 hi = range_bits(first, last, false);

	if (pasid != IOMMU_NO_PASID) {
		lo |= amdvi_iotlb_pasid(pasid);
		hi |= AMDVI_PAGES_HI_GN;
	}
	if (batch->nr && !(batch->devices & BIT(batch->nr - 1)))
		amdvi_batch_add(batch, fence, 0);
	amdvi_batch_add(batch, lo, hi);
	batch->adev[batch->nr - 1] = adev;
	batch->devices |= BIT(batch->nr - 1);
}

/**
 * amdvi_answer_requests - have a unit send an answer to page requests
 * @unit: the unit
 * @lo: bits 63:0 of the command
 * @hi: bits 127:64 of it
 *
 * If the unit does not like it the kernel's log says so, and the device gets none.
 *
 * Context: any.
 */
void amdvi_answer_requests(struct amdvi_unit *unit, u64 lo, u64 hi)
{
	const struct amdvi_command command = { lo, hi };

	queue_submit(unit, &command, 1, QUEUE_TIMEOUT_US);
}

/**
 * amdvi_forget_all - forget whatever may be cached
 * @unit: the unit
 *
 * Context: any.
 */
void amdvi_forget_all(struct amdvi_unit *unit)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&unit->queue.lock, flags);
	if (!queue_forget_all(unit))
		queue_recover(unit);
	raw_spin_unlock_irqrestore(&unit->queue.lock, flags);
}

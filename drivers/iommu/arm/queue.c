// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command queue, 3.5 and chapter 4: telling a unit what to forget, and knowing
 * when it has. Commands go in with one that waits for them behind it, and the caller
 * returns when hardware has come past that.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/nmi.h>

#include "smmu.h"

/* A page of them is plenty for one caller at a time. */
#define QUEUE_LG2_MAX 8
/* Hardware takes microseconds; an emulated unit takes as long as its CPU. */
#define QUEUE_TIMEOUT_US (10 * USEC_PER_SEC)
/* Beyond so many pages one at a time, all of an address space is forgotten. */
#define QUEUE_PAGES_MAX 512
/* 31 pages times 2^31, and all below */
#define QUEUE_RANGES_LG2_MAX 36

/**
 * smmu_queue_init - make the queue and let hardware read it
 * @unit: its queues are switched off
 *
 * Return: 0, -ENOMEM, or -ETIMEDOUT if hardware does not react
 */
int smmu_queue_init(struct smmu_unit *unit)
{
	struct smmu_queue *q = &unit->queue;

	raw_spin_lock_init(&q->lock);
	q->lg2 = min_t(unsigned int, QUEUE_LG2_MAX,
		       FIELD_GET(SMMU_IDR1_CMDQS, unit->idr[1]));
	q->commands = dmam_alloc_coherent(unit->dev, 16UL << q->lg2, &q->dma,
					  GFP_KERNEL);
	if (!q->commands)
		return -ENOMEM;
	smmu_write64(unit, SMMU_CMDQ_BASE, SMMU_Q_BASE_RA | q->dma |
		     FIELD_PREP(SMMU_Q_BASE_LOG2SIZE, q->lg2));
	smmu_write(unit, SMMU_CMDQ_PROD, 0);
	smmu_write(unit, SMMU_CMDQ_CONS, 0);
	return smmu_switch(unit, SMMU_CR0_CMDQEN, true);
}

static u32 queue_mask(const struct smmu_queue *q)
{
	return BIT(q->lg2 + 1) - 1;
}

static void queue_put(struct smmu_queue *q, const struct smmu_command *command)
{
	__le64 *slot = q->commands + 2 * (q->prod & (BIT(q->lg2) - 1));

	slot[0] = cpu_to_le64(command->w[0]);
	slot[1] = cpu_to_le64(command->w[1]);
	q->prod = (q->prod + 1) & queue_mask(q);
}

static const struct smmu_command queue_sync = {
	.w[0] = FIELD_PREP_CONST(SMMU_CMD0_OP, SMMU_OP_SYNC),
};

/*
 * 4.8 and 7.1: hardware has stopped at a command, and goes on when the error is
 * acknowledged. A command that it does not know is replaced by one that only waits.
 *
 * Return: 0, -EINVAL a command was not liked, -ETIMEDOUT a device has not answered
 */
static int queue_recover(struct smmu_unit *unit)
{
	struct smmu_queue *q = &unit->queue;
	u32 cons = smmu_read(unit, SMMU_CMDQ_CONS);
	unsigned int error = FIELD_GET(SMMU_CMDQ_CONS_ERR, cons);
	__le64 *slot = q->commands + 2 * (cons & (BIT(q->lg2) - 1));
	int rc = 0;

	dev_err_ratelimited(unit->dev, "command error %u at %#x: %llx %llx\n",
			    error, cons, le64_to_cpu(slot[0]),
			    le64_to_cpu(slot[1]));
	switch (error) {
	case SMMU_CMDQ_ERR_ILLEGAL:
		rc = -EINVAL;
		slot[0] = cpu_to_le64(queue_sync.w[0]);
		slot[1] = 0;
		dma_wmb();
		break;
	case SMMU_CMDQ_ERR_ATC:
		rc = -ETIMEDOUT;
		break;
	}
	smmu_write(unit, SMMU_GERRORN,
		   smmu_read(unit, SMMU_GERRORN) ^ SMMU_GERROR_CMDQ);
	return rc;
}

static bool queue_has_stopped(const struct smmu_unit *unit)
{
	return (smmu_read(unit, SMMU_GERROR) ^ smmu_read(unit, SMMU_GERRORN)) &
	       SMMU_GERROR_CMDQ;
}

static int queue_wait(struct smmu_unit *unit)
{
	struct smmu_queue *q = &unit->queue;
	u64 spins = 0;
	int rc = 0;

	while ((smmu_read(unit, SMMU_CMDQ_CONS) & queue_mask(q)) != q->prod) {
		if (queue_has_stopped(unit))
			rc = queue_recover(unit) ?: rc;
		if (spins++ == QUEUE_TIMEOUT_US) {
			/* Going on would hand memory out that devices reach. */
			panic("%s: the command queue stands still\n",
			      smmu_name(unit));
		}
		if (!(spins % USEC_PER_SEC))
			touch_nmi_watchdog();
		udelay(1);
	}
	return rc;
}

/* As many as fit, with the one that waits. */
static int queue_batch(struct smmu_unit *unit,
		       const struct smmu_command *commands, unsigned int nr)
{
	struct smmu_queue *q = &unit->queue;
	unsigned long flags;
	unsigned int i;
	int rc;

	raw_spin_lock_irqsave(&q->lock, flags);
	for (i = 0; i < nr; i++)
		queue_put(q, &commands[i]);
	queue_put(q, &queue_sync);
	dma_wmb();
	smmu_write(unit, SMMU_CMDQ_PROD, q->prod);
	rc = queue_wait(unit);
	raw_spin_unlock_irqrestore(&q->lock, flags);
	return rc;
}

/**
 * smmu_queue_submit - have a unit execute commands, and wait until it has
 * @unit: the unit
 * @commands: the commands
 * @nr: how many
 *
 * Context: any.
 * Return: 0, -EINVAL if the unit knows one of them not; the others are done then.
 *	   -ETIMEDOUT if a device has not answered
 */
int smmu_queue_submit(struct smmu_unit *unit, const struct smmu_command *commands,
		      unsigned int nr)
{
	unsigned int most = BIT(unit->queue.lg2) - 1, part;
	int rc = 0;

	if (unit->has & SMMU_HAS_SHORT_QUEUE)
		most = 1;
	for (; nr; nr -= part, commands += part) {
		part = min(nr, most);
		rc = queue_batch(unit, commands, part) ?: rc;
		if (unit->has & SMMU_HAS_TO_BE_TOLD_TWICE)
			queue_batch(unit, commands, part);
	}
	return rc;
}

/**
 * smmu_forget_everything - all translations and all configuration
 * @unit: the unit
 *
 * Context: any.
 */
void smmu_forget_everything(struct smmu_unit *unit)
{
	const struct smmu_command commands[] = {
		{ .w = { FIELD_PREP(SMMU_CMD0_OP, SMMU_OP_CFGI_ALL),
			 FIELD_PREP(SMMU_CFGI1_RANGE, SMMU_RANGE_ALL) } },
		{ .w[0] = FIELD_PREP(SMMU_CMD0_OP, SMMU_OP_TLBI_NSNH_ALL) },
	};

	if (smmu_queue_submit(unit, commands, ARRAY_SIZE(commands)) == -EINVAL)
		panic("%s: the unit does not forget\n", smmu_name(unit));
}

/**
 * smmu_queue_run - the same, for commands that have to be executed
 * @unit: the unit
 * @commands: the commands
 * @nr: how many
 *
 * What hardware cannot forget by itself it forgets with everything else.
 *
 * Context: any.
 */
void smmu_queue_run(struct smmu_unit *unit, const struct smmu_command *commands,
		    unsigned int nr)
{
	if (smmu_queue_submit(unit, commands, nr) == -EINVAL)
		smmu_forget_everything(unit);
}

static void run_one(struct smmu_unit *unit, u64 w0, u64 w1)
{
	const struct smmu_command command = { .w = { w0, w1 } };

	smmu_queue_run(unit, &command, 1);
}

/**
 * smmu_forget_stream - a stream table entry, and all that was read through it
 * @unit: the unit
 * @sid: stream id
 *
 * Context: any.
 */
void smmu_forget_stream(struct smmu_unit *unit, u32 sid)
{
	const struct smmu_command commands[] = {
		{ .w = { FIELD_PREP(SMMU_CMD0_OP, SMMU_OP_CFGI_STE) |
			 FIELD_PREP(SMMU_CMD0_SID, sid), SMMU_CFGI1_LEAF } },
		{ .w[0] = FIELD_PREP(SMMU_CMD0_OP, SMMU_OP_CFGI_CD_ALL) |
			  FIELD_PREP(SMMU_CMD0_SID, sid) },
	};

	/* without stage 1 there are no context descriptors, and no command for them */
	smmu_queue_run(unit, commands, unit->has & SMMU_HAS_S1 ? 2 : 1);
}

/**
 * smmu_forget_descriptors - all context descriptors of a stream, and what leads to them
 * @unit: the unit; it has stage 1
 * @sid: stream id
 *
 * Context: any.
 */
void smmu_forget_descriptors(struct smmu_unit *unit, u32 sid)
{
	run_one(unit, FIELD_PREP(SMMU_CMD0_OP, SMMU_OP_CFGI_CD_ALL) |
		      FIELD_PREP(SMMU_CMD0_SID, sid), 0);
}

/**
 * smmu_forget_streams - stream table entries, and what leads to them
 * @unit: the unit
 * @first: stream id, aligned to their number
 * @lg2: of their number, not 0
 *
 * Context: any.
 */
void smmu_forget_streams(struct smmu_unit *unit, u32 first, unsigned int lg2)
{
	run_one(unit, FIELD_PREP(SMMU_CMD0_OP, SMMU_OP_CFGI_ALL) |
		      FIELD_PREP(SMMU_CMD0_SID, first),
		FIELD_PREP(SMMU_CFGI1_RANGE, lg2 - 1));
}

/**
 * smmu_forget_asid - all translations of a stage-1 domain
 * @unit: the unit
 * @asid: the domain's id
 *
 * Context: any.
 */
void smmu_forget_asid(struct smmu_unit *unit, u16 asid)
{
	run_one(unit, FIELD_PREP(SMMU_CMD0_OP, SMMU_OP_TLBI_NH_ASID) |
		      FIELD_PREP(SMMU_TLBI0_ASID, asid), 0);
}

/**
 * smmu_forget_vmid - all translations with a VMID, whatever stage they are of
 * @unit: the unit
 * @vmid: the VMID
 *
 * Context: any.
 */
void smmu_forget_vmid(struct smmu_unit *unit, u16 vmid)
{
	run_one(unit, FIELD_PREP(SMMU_CMD0_OP, SMMU_OP_TLBI_S12_VMALL) |
		      FIELD_PREP(SMMU_TLBI0_VMID, vmid), 0);
}

/**
 * smmu_forget_guest - all translations that a guest's stage 1 has a part in
 * @unit: the unit
 * @vmid: of the guest
 *
 * Context: any.
 */
void smmu_forget_guest(struct smmu_unit *unit, u16 vmid)
{
	run_one(unit, FIELD_PREP(SMMU_CMD0_OP, SMMU_OP_TLBI_NH_ALL) |
		      FIELD_PREP(SMMU_TLBI0_VMID, vmid), 0);
}

static unsigned int tg_of(unsigned int granule_lg2)
{
	return (granule_lg2 - 10) / 2;
}

/*
 * Ranges, 4.4.1.1: each command takes up to 32 times a power of two of pages. A number
 * of pages is a sum of such, the smallest first.
 */
static void forget_ranges(struct smmu_unit *unit, struct smmu_command command,
			  u64 at, u64 pages, unsigned int granule_lg2)
{
	struct smmu_command commands[16];
	unsigned int nr = 0, scale;
	u64 w0 = command.w[0], w1 = command.w[1], num;

	while (pages) {
		scale = min_t(unsigned int, __ffs64(pages), 31);
		num = (pages >> scale) & 31;
		command.w[0] = w0;
		command.w[1] = w1 | (at & SMMU_TLBI1_ADDRESS);
		/* a single page must not look like a range */
		if (scale || num > 1) {
			command.w[0] |= FIELD_PREP(SMMU_TLBI0_SCALE, scale) |
					FIELD_PREP(SMMU_TLBI0_NUM, num - 1);
			command.w[1] |= FIELD_PREP(SMMU_TLBI1_TG,
						   tg_of(granule_lg2));
		}
		commands[nr++] = command;
		if (nr == ARRAY_SIZE(commands)) {
			smmu_queue_run(unit, commands, nr);
			nr = 0;
		}
		at += (num << scale) << granule_lg2;
		pages -= num << scale;
	}
	smmu_queue_run(unit, commands, nr);
}

static void forget_pages(struct smmu_unit *unit, struct smmu_command command,
			 u64 at, u64 pages, unsigned int granule_lg2)
{
	struct smmu_command commands[32];
	unsigned int nr = 0;
	u64 w1 = command.w[1];

	for (; pages; pages--, at += BIT_ULL(granule_lg2)) {
		command.w[1] = w1 | (at & SMMU_TLBI1_ADDRESS);
		commands[nr++] = command;
		if (nr == ARRAY_SIZE(commands) || pages == 1) {
			smmu_queue_run(unit, commands, nr);
			nr = 0;
		}
	}
}

/**
 * smmu_forget_range - translations of a range
 * @unit: the unit
 * @stage2: of a table of stage 2, else of stage 1
 * @id: VMID or ASID
 * @first: first address
 * @last: last address
 * @tables: table items have changed as well
 * @granule_lg2: of the pages of the table
 *
 * What would take too many commands costs all of the table.
 *
 * Context: any.
 */
void smmu_forget_range(struct smmu_unit *unit, bool stage2, u16 id, u64 first,
		       u64 last, bool tables, unsigned int granule_lg2)
{
	u64 at = first >> granule_lg2 << granule_lg2;
	u64 pages = ((last - at) >> granule_lg2) + 1;
	struct smmu_command command = {
		.w[0] = stage2 ? FIELD_PREP(SMMU_CMD0_OP, SMMU_OP_TLBI_S2_IPA) |
				 FIELD_PREP(SMMU_TLBI0_VMID, id) :
				 FIELD_PREP(SMMU_CMD0_OP, SMMU_OP_TLBI_NH_VA) |
				 FIELD_PREP(SMMU_TLBI0_ASID, id),
		.w[1] = tables ? 0 : SMMU_TLBI1_LEAF,
	};

	if (unit->has & SMMU_HAS_RANGES && !(pages >> QUEUE_RANGES_LG2_MAX))
		forget_ranges(unit, command, at, pages, granule_lg2);
	else if (pages <= QUEUE_PAGES_MAX)
		forget_pages(unit, command, at, pages, granule_lg2);
	else if (stage2)
		smmu_forget_vmid(unit, id);
	else
		smmu_forget_asid(unit, id);
}

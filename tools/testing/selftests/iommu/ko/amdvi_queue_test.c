// SPDX-License-Identifier: GPL-2.0-only
/*
 * For tests: iommu_amdvi's command buffer and event log with a unit in software, which
 * takes commands and logs events as 2.4 and 2.5 say, and makes the errors that no
 * emulator makes. All is done when the module is loaded; its parameter "result" has a
 * line for each test: its name and ok, or what was wrong.
 *
 * The unit is an array of registers, and does its work when one of them is written.
 */
#include <linux/io.h>
#include <linux/module.h>
#include <linux/slab.h>

static u64 soft_readq(const void __iomem *address);
static void soft_writeq(u64 value, void __iomem *address);

#undef readq
#undef writeq
#define readq soft_readq
#define writeq soft_writeq
#include "../../../../../drivers/iommu/amd/queue.c"
#include "../../../../../drivers/iommu/amd/event.c"

#define TAKEN		1024
#define DEVICES		3
#define NOWHERE		UINT_MAX
#define UNKNOWN_COMMAND	9

static char result[4096];
module_param_string(result, result, sizeof(result), 0444);

/**
 * struct soft_unit - the unit in software
 * @regs: its registers
 * @refuse_at: the command that comes after so many is refused, once
 * @fault_at: of the same kind, but it cannot be read
 * @came: how many have come since these were set
 * @mute: these devices of the test do not answer, one bit for each
 * @flood: so many other events are logged before a device is said not to have answered
 * @taken: what it was told to do, but for waiting; in order
 * @after: how many commands to wait came before each of them
 * @nr: how many of them
 * @waits: how many commands to wait have come
 */
static struct soft_unit {
	u64 regs[0x4000 / sizeof(u64)];
	unsigned int refuse_at;
	unsigned int fault_at;
	unsigned int came;
	unsigned int mute;
	unsigned int flood;
	struct amdvi_command taken[TAKEN];
	unsigned int after[TAKEN];
	unsigned int nr;
	unsigned int waits;
} soft;

static struct amdvi_unit unit;
static struct ivrs_unit soft_ivrs;
static struct amdvi_device devices[DEVICES];
static struct pci_dev *pdevs[DEVICES];
/* of them, one bit for each */
static unsigned int cut;
/* Events that the thread has handed on */
static unsigned int told;

void amdvi_device_cut(struct amdvi_device *adev)
{
	WRITE_ONCE(adev->cut_done, true);
	cut |= BIT(adev - devices);
}

void amdvi_viommu_event(const struct amdvi_unit *which, u64 lo, u64 hi)
{
	told++;
}

bool amdvi_ppr_interrupt(struct amdvi_unit *which)
{
	return false;
}

static u64 *soft_reg(unsigned int reg)
{
	return &soft.regs[reg / sizeof(u64)];
}

void amdvi_control(struct amdvi_unit *which, u64 clear, u64 set)
{
	u64 *status = soft_reg(AMDVI_STATUS);
	u64 *control = soft_reg(AMDVI_CONTROL);

	*control = (*control & ~clear) | set;
	*status &= ~(AMDVI_STS_COMMANDS_RUN | AMDVI_STS_EVENTS_RUN);
	*status |= (*control & AMDVI_CTL_COMMANDS ? AMDVI_STS_COMMANDS_RUN : 0) |
		   (*control & AMDVI_CTL_EVENTS ? AMDVI_STS_EVENTS_RUN : 0);
}

int amdvi_control_wait(struct amdvi_unit *which, u64 bit, u64 run, bool on)
{
	amdvi_control(which, on ? 0 : bit, on ? bit : 0);
	return 0;
}

/* 2.5: a log that is full has one empty slot, and what comes then is lost. */
static void soft_log(u64 lo, u64 hi)
{
	u64 *tail = soft_reg(AMDVI_EVENT_TAIL);
	u64 next = (*tail + sizeof(struct amdvi_command)) %
		   (LOG_SLOTS * sizeof(struct amdvi_command));

	if (*soft_reg(AMDVI_STATUS) & AMDVI_STS_EVENT_OVERFLOW)
		return;
	if (next == *soft_reg(AMDVI_EVENT_HEAD)) {
		*soft_reg(AMDVI_STATUS) |= AMDVI_STS_EVENT_OVERFLOW;
		return;
	}
	unit.events[*tail / sizeof(struct amdvi_command)] =
		(struct amdvi_command){ lo, hi };
	*tail = next;
	*soft_reg(AMDVI_STATUS) |= AMDVI_STS_EVENT;
}

static void soft_fault(void)
{
	soft_log(FIELD_PREP(AMDVI_EVT_LO_CODE, AMDVI_PAGE_FAULT) | 0x77, told << 12);
}

static void soft_stop(unsigned int code)
{
	soft_log(FIELD_PREP(AMDVI_EVT_LO_CODE, code), *soft_reg(AMDVI_COMMAND_HEAD));
	*soft_reg(AMDVI_STATUS) &= ~AMDVI_STS_COMMANDS_RUN;
}

static bool is_mute(u16 id)
{
	unsigned int i;

	for (i = 0; i < DEVICES; i++)
		if (soft.mute & BIT(i) && pci_dev_id(pdevs[i]) == id)
			return true;
	return false;
}

static void soft_device(u16 id)
{
	unsigned int i;

	if (!is_mute(id))
		return;
	for (i = 0; i < soft.flood; i++)
		soft_fault();
	soft_log(FIELD_PREP(AMDVI_EVT_LO_CODE, AMDVI_IOTLB_TIMEOUT) | id, 0);
}

static void soft_take(void)
{
	u64 *head = soft_reg(AMDVI_COMMAND_HEAD);
	struct amdvi_command *c = &unit.queue.commands[*head / sizeof(*c)];
	unsigned int code = FIELD_GET(AMDVI_CMD_LO_OPCODE, c->lo);

	if (soft.came == soft.fault_at) {
		soft.fault_at = NOWHERE;
		soft_stop(AMDVI_COMMAND_HARDWARE);
		return;
	}
	if (soft.came++ == soft.refuse_at || !code || code > AMDVI_INVALIDATE_ALL) {
		soft_stop(AMDVI_ILLEGAL_COMMAND);
		return;
	}
	*head = (*head + sizeof(*c)) % PAGE_SIZE;
	if (code == AMDVI_COMPLETION_WAIT) {
		soft.waits++;
		if (c->lo & AMDVI_WAIT_LO_S)
			WRITE_ONCE(*(u64 *)phys_to_virt(c->lo & AMDVI_WAIT_LO_ADDRESS),
				   c->hi);
		return;
	}
	if (soft.nr < TAKEN) {
		soft.after[soft.nr] = soft.waits;
		soft.taken[soft.nr++] = *c;
	}
	if (code == AMDVI_INVALIDATE_IOTLB)
		soft_device(FIELD_GET(AMDVI_CMD_LO_DEVICE, c->lo));
}

static u64 soft_readq(const void __iomem *address)
{
	return *(__force u64 *)address;
}

/*
 * Of the status register writing ones clears what tells of events. Commands are done when
 * the tail moves.
 */
static void soft_writeq(u64 value, void __iomem *address)
{
	u64 *reg = (__force u64 *)address;

	if (reg == soft_reg(AMDVI_STATUS)) {
		*reg &= ~(value & (AMDVI_STS_EVENT | AMDVI_STS_EVENT_OVERFLOW));
		return;
	}
	*reg = value;
	if (reg != soft_reg(AMDVI_COMMAND_TAIL))
		return;
	while (*soft_reg(AMDVI_STATUS) & AMDVI_STS_COMMANDS_RUN &&
	       *soft_reg(AMDVI_COMMAND_HEAD) != value)
		soft_take();
}

#define WANT(what) do { if (!(what)) return #what; } while (0)

static struct amdvi_batch batch;

static void forget_range(u16 domain)
{
	amdvi_batch_range(&batch, domain, 0x1000, 0x1fff, false);
}

static void forget_device(unsigned int i)
{
	amdvi_batch_device_tlb(&batch, &devices[i], IOMMU_NO_PASID, 0x1000, 0x1fff);
}

static unsigned int code_of(unsigned int i)
{
	return i < soft.nr ? FIELD_GET(AMDVI_CMD_LO_OPCODE, soft.taken[i].lo) : 0;
}

static unsigned int domain_of(unsigned int i)
{
	return FIELD_GET(AMDVI_PAGES_LO_DOMAIN, soft.taken[i].lo);
}

static const char *plain(void)
{
	unsigned int i;

	for (i = 1; i <= AMDVI_BATCH; i++)
		forget_range(i);
	WANT(!soft.nr);
	amdvi_batch_run(&batch);
	WANT(soft.nr == AMDVI_BATCH);
	WANT(soft.waits == 1);
	for (i = 0; i < AMDVI_BATCH; i++) {
		WANT(code_of(i) == AMDVI_INVALIDATE_PAGES);
		WANT(domain_of(i) == i + 1);
		WANT(soft.taken[i].hi == 0x1000);
	}
	/* nothing is asked for nothing */
	amdvi_batch_run(&batch);
	WANT(soft.waits == 1);
	return NULL;
}

/* 256 slots; more than fits into a batch goes in several goes. */
static const char *around(void)
{
	unsigned int i;

	for (i = 0; i < 700; i++)
		forget_range(i);
	amdvi_batch_run(&batch);
	WANT(soft.nr == 700);
	for (i = 0; i < 700; i++)
		WANT(domain_of(i) == i);
	return NULL;
}

/* Whatever place the command has, all is forgotten, and what follows is done. */
static const char *refused(void)
{
	unsigned int place, i;

	for (place = 0; place < 5; place++) {
		soft.nr = 0;
		soft.came = 0;
		soft.refuse_at = place;
		for (i = 0; i < 4; i++)
			forget_range(10 + i);
		amdvi_batch_run(&batch);
		soft.refuse_at = NOWHERE;
		/* those before it, and everything; the fifth is the one that waits */
		WANT(soft.nr == place + 1);
		WANT(code_of(place) == AMDVI_INVALIDATE_ALL);
		WANT(unit.queue.tail == 2);
		forget_range(99);
		amdvi_batch_run(&batch);
		WANT(domain_of(place + 1) == 99);
	}
	/* and it was logged, for whoever reads the log */
	WANT(*soft_reg(AMDVI_EVENT_TAIL) == 5 * sizeof(struct amdvi_command));
	return NULL;
}

static const char *hardware(void)
{
	soft.fault_at = 0;
	soft.came = 0;
	forget_range(10);
	amdvi_batch_run(&batch);
	WANT(soft.nr == 1);
	WANT(code_of(0) == AMDVI_INVALIDATE_ALL);
	return NULL;
}

/* A command that there is not, of the driver's own making */
static const char *unknown(void)
{
	amdvi_batch_add(&batch, opcode(UNKNOWN_COMMAND), 0);
	amdvi_batch_run(&batch);
	WANT(soft.nr == 1);
	WANT(code_of(0) == AMDVI_INVALIDATE_ALL);
	return NULL;
}

/* Without the command for everything: each id that there can be. */
static const char *no_all(void)
{
	unsigned int commands;

	unit.efr = 0;
	soft.came = 0;
	soft.refuse_at = 0;
	forget_range(10);
	amdvi_batch_run(&batch);
	unit.efr = AMDVI_EFR_IA;
	commands = soft.came - 1 - soft.waits;
	/* entries, pages and interrupts of 65536 */
	WANT(commands == 3 * AMDVI_NR_IDS);
	return NULL;
}

static const char *device_order(void)
{
	forget_range(10);
	forget_device(0);
	forget_device(1);
	amdvi_batch_run(&batch);
	WANT(soft.nr == 3);
	/* the unit's own are gone before devices are told, one after the other */
	WANT(code_of(0) == AMDVI_INVALIDATE_PAGES && soft.after[0] == 0);
	WANT(code_of(1) == AMDVI_INVALIDATE_IOTLB && soft.after[1] == 1);
	WANT(code_of(2) == AMDVI_INVALIDATE_IOTLB && soft.after[2] == 1);
	WANT(!cut);
	return NULL;
}

static const char *device_bits(void)
{
	const u64 id = pci_dev_id(pdevs[0]);

	devices[0].ats_pending = 17;
	amdvi_batch_device_tlb(&batch, &devices[0], 0xabcde, 0, U64_MAX);
	amdvi_batch_device_tlb(&batch, &devices[0], IOMMU_NO_PASID, 0x5000, 0x6fff);
	amdvi_batch_run(&batch);
	WANT(soft.taken[0].lo == (4ULL << 60 | 0xaULL << 56 | 0xdeULL << 48 |
				  id << 32 | 17ULL << 24 | 0xbcULL << 16 | id));
	WANT(soft.taken[0].hi == (GENMASK_ULL(62, 12) | 5));
	WANT(soft.taken[1].lo == (4ULL << 60 | id << 32 | 17ULL << 24 | id));
	/* 16 KiB from 0x4000 on */
	WANT(soft.taken[1].hi == (0x5000 | 1));
	return NULL;
}

static const char *silent(void)
{
	unsigned int mute;

	for (mute = 0; mute < 8; mute++) {
		unsigned int i;

		soft.mute = mute;
		cut = 0;
		forget_range(10);
		for (i = 0; i < DEVICES; i++) {
			devices[i].cut_done = false;
			forget_device(i);
		}
		amdvi_batch_run(&batch);
		WANT(cut == mute);
		/* nothing is left of it for the next time */
		soft.mute = 0;
		cut = 0;
		for (i = 0; i < DEVICES; i++) {
			devices[i].cut_done = false;
			forget_device(i);
		}
		amdvi_batch_run(&batch);
		WANT(!cut);
	}
	return NULL;
}

/* What the thread has taken out of the log already is known all the same. */
static const char *silent_taken(void)
{
	unsigned int lost = unit.events_lost;

	soft.mute = 1;
	soft_device(pci_dev_id(pdevs[0]));
	WANT(event_thread(0, &unit) == IRQ_HANDLED);
	WANT(*soft_reg(AMDVI_EVENT_HEAD) == *soft_reg(AMDVI_EVENT_TAIL));
	WANT(amdvi_events_answer(&unit, pci_dev_id(pdevs[1]), lost) == AMDVI_ANSWERED);
	WANT(amdvi_events_answer(&unit, pci_dev_id(pdevs[0]), lost) == AMDVI_SILENT);
	WANT(amdvi_events_answer(&unit, pci_dev_id(pdevs[0]), lost) == AMDVI_ANSWERED);
	return NULL;
}

/* If the log was full, the device is asked alone; it is not known even then. */
static const char *flooded(void)
{
	soft.mute = 1;
	soft.flood = LOG_SLOTS;
	forget_device(0);
	forget_device(1);
	amdvi_batch_run(&batch);
	WANT(cut == 3);
	WANT(event_thread(0, &unit) == IRQ_HANDLED);
	WANT(unit.events_lost == 1);
	/* the thread was there between: once more, and it has answered */
	cut = 0;
	soft.mute = 0;
	devices[1].cut_done = false;
	forget_device(1);
	unit.events_lost++;
	amdvi_batch_run(&batch);
	WANT(!cut);
	return NULL;
}

static const char *device_refused(void)
{
	soft.came = 0;
	soft.refuse_at = 2;
	forget_range(10);
	forget_device(0);
	amdvi_batch_run(&batch);
	/* after everything was forgotten the device is told alone */
	WANT(code_of(0) == AMDVI_INVALIDATE_PAGES);
	WANT(code_of(1) == AMDVI_INVALIDATE_ALL);
	WANT(code_of(2) == AMDVI_INVALIDATE_IOTLB);
	WANT(!cut);
	return NULL;
}

static const char *events(void)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		soft_fault();
	WANT(event_thread(0, &unit) == IRQ_HANDLED);
	WANT(told == 3);
	WANT(event_thread(0, &unit) == IRQ_NONE);
	WANT(!(*soft_reg(AMDVI_STATUS) & AMDVI_STS_EVENT));
	/* around */
	for (i = 0; i < 2 * LOG_SLOTS; i++) {
		soft_fault();
		event_thread(0, &unit);
	}
	WANT(told == 3 + 2 * LOG_SLOTS);
	WANT(!unit.events_lost);
	return NULL;
}

static const char *events_overflow(void)
{
	unsigned int i;

	for (i = 0; i < LOG_SLOTS + 5; i++)
		soft_fault();
	WANT(*soft_reg(AMDVI_STATUS) & AMDVI_STS_EVENT_OVERFLOW);
	WANT(event_thread(0, &unit) == IRQ_HANDLED);
	WANT(told == LOG_SLOTS - 1);
	WANT(unit.events_lost == 1);
	/* it has begun anew */
	WANT(!(*soft_reg(AMDVI_STATUS) & AMDVI_STS_EVENT_OVERFLOW));
	WANT(*soft_reg(AMDVI_STATUS) & AMDVI_STS_EVENTS_RUN);
	WANT(!*soft_reg(AMDVI_EVENT_HEAD) && !*soft_reg(AMDVI_EVENT_TAIL));
	soft_fault();
	event_thread(0, &unit);
	WANT(told == LOG_SLOTS);
	return NULL;
}

static const struct {
	const char *name;
	const char *(*run)(void);
} all[] = {
	{ "plain", plain },
	{ "around", around },
	{ "refused", refused },
	{ "hardware", hardware },
	{ "unknown", unknown },
	{ "no_all", no_all },
	{ "device_order", device_order },
	{ "device_bits", device_bits },
	{ "device_refused", device_refused },
	{ "silent", silent },
	{ "silent_taken", silent_taken },
	{ "flooded", flooded },
	{ "events", events },
	{ "events_overflow", events_overflow },
};

static int unit_begin(void)
{
	unsigned int i;

	memset(&soft, 0, sizeof(soft));
	memset(&unit, 0, sizeof(unit));
	memset(devices, 0, sizeof(devices));
	soft.refuse_at = NOWHERE;
	soft.fault_at = NOWHERE;
	cut = 0;
	told = 0;
	snprintf(unit.x86.name, sizeof(unit.x86.name), "soft");
	unit.ivrs = &soft_ivrs;
	unit.regs = (void __iomem __force *)soft.regs;
	unit.efr = AMDVI_EFR_IA;
	raw_spin_lock_init(&unit.queue.lock);
	raw_spin_lock_init(&unit.events_lock);
	for (i = 0; i < DEVICES; i++) {
		devices[i].dev = &pdevs[i]->dev;
		devices[i].unit = &unit;
		devices[i].ats_on = true;
	}
	unit.events = kcalloc(LOG_SLOTS, sizeof(*unit.events), GFP_KERNEL);
	unit.silent = bitmap_zalloc(AMDVI_NR_IDS, GFP_KERNEL);
	if (!unit.events || !unit.silent)
		return -ENOMEM;
	amdvi_batch_init(&batch, &unit);
	return log_start(&unit) ?: amdvi_queue_init(&unit);
}

static void unit_end(void)
{
	amdvi_queue_fini(&unit);
	kfree(unit.events);
	bitmap_free(unit.silent);
}

static int run_all(void)
{
	const char *wrong;
	unsigned int i;
	int at = 0, rc;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		rc = unit_begin();
		wrong = rc ? "no memory" : all[i].run();
		unit_end();
		at += scnprintf(result + at, sizeof(result) - at, "%s %s\n",
				all[i].name, wrong ?: "ok");
	}
	return 0;
}

/* Any devices: what they are named by is all that is used of them. */
static int __init queue_test_init(void)
{
	struct pci_dev *pdev = NULL;
	unsigned int nr = 0;
	int rc = -ENODEV;

	for_each_pci_dev(pdev) {
		if (pdev->is_virtfn)
			continue;
		pdevs[nr++] = pci_dev_get(pdev);
		if (nr == DEVICES)
			break;
	}
	if (nr == DEVICES)
		pci_dev_put(pdev);
	if (nr == DEVICES)
		rc = run_all();
	while (nr)
		pci_dev_put(pdevs[--nr]);
	return rc;
}
module_init(queue_test_init);

static void __exit queue_test_exit(void)
{
}
module_exit(queue_test_exit);

MODULE_DESCRIPTION("Tests the command buffer and event log of iommu_amdvi");
MODULE_LICENSE("GPL");

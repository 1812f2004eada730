// SPDX-License-Identifier: GPL-2.0-only
/*
 * The event log, 2.5: what a unit has refused. The message that tells of it is that
 * of the unit's PCI function.
 */
#include <linux/bitmap.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/log2.h>
#include <linux/pci.h>

#include "amdvi.h"
#include "spec/events.h"

#define LOG_ORDER 1
#define LOG_SLOTS ((PAGE_SIZE << LOG_ORDER) / sizeof(struct amdvi_command))
/* How long an entry may take to arrive after the pointer to it. */
#define ENTRY_TIMEOUT_US 1000

static const char *code_name(unsigned int code)
{
	switch (code) {
	case AMDVI_ILLEGAL_DTE:
		return "an entry of the device table that is not valid";
	case AMDVI_DEVTAB_HARDWARE:
		return "the device table cannot be read";
	case AMDVI_PAGETAB_HARDWARE:
		return "a page table cannot be read";
	case AMDVI_ILLEGAL_COMMAND:
		return "a command that it does not know";
	case AMDVI_COMMAND_HARDWARE:
		return "the command buffer cannot be read";
	case AMDVI_IOTLB_TIMEOUT:
		return "a device has not forgotten what it was told to";
	case AMDVI_INVALID_REQUEST:
		return "a request of a kind that the device may not make";
	default:
		return "see the table of events in the specification";
	}
}

static void fault_report(const struct amdvi_unit *unit, u64 lo, u64 address)
{
	u16 id = FIELD_GET(AMDVI_EVT_LO_DEVICE, lo);

	/*
	 * No message goes there. QEMU's unit reports whatever it refuses like this,
	 * with nothing right but the device.
	 */
	if (lo & AMDVI_EVT_LO_I && !address) {
		pr_err_ratelimited("%s: a request of %04x:%02x:%02x.%u refused: the unit does not tell where to\n",
				   unit->x86.name, unit->ivrs->segment,
				   PCI_BUS_NUM(id), PCI_SLOT(id), PCI_FUNC(id));
		return;
	}
	pr_err_ratelimited("%s: %s of %04x:%02x:%02x.%u at %#llx refused: %s\n",
			   unit->x86.name,
			   lo & AMDVI_EVT_LO_I ? "interrupt" :
			   lo & AMDVI_EVT_LO_RW ? "write" : "read",
			   unit->ivrs->segment, PCI_BUS_NUM(id), PCI_SLOT(id),
			   PCI_FUNC(id), address,
			   lo & AMDVI_EVT_LO_I ? "nobody has it" :
			   lo & AMDVI_EVT_LO_PR ? "mapped, but not for this" :
						  "not mapped");
}

static void event_report(const struct amdvi_unit *unit, u64 lo, u64 hi)
{
	unsigned int code = FIELD_GET(AMDVI_EVT_LO_CODE, lo);
	u16 id = FIELD_GET(AMDVI_EVT_LO_DEVICE, lo);

	if (code == AMDVI_PAGE_FAULT) {
		fault_report(unit, lo, hi);
		return;
	}
	pr_err_ratelimited("%s: event %u: %s; device %04x:%02x:%02x.%u, %#llx %#llx\n",
			   unit->x86.name, code, code_name(code),
			   unit->ivrs->segment, PCI_BUS_NUM(id), PCI_SLOT(id),
			   PCI_FUNC(id), lo, hi);
}

/* The pointer may be seen before the entry. */
static u64 entry_arrives(const struct amdvi_command *entry)
{
	unsigned int us;
	u64 lo;

	for (us = 0; us < ENTRY_TIMEOUT_US; us++) {
		lo = READ_ONCE(entry->lo);
		if (lo & AMDVI_EVT_LO_CODE)
			break;
		udelay(1);
	}
	dma_rmb();
	return lo;
}

static unsigned int pointer(struct amdvi_unit *unit, unsigned int reg)
{
	return FIELD_GET(AMDVI_BUFFER_OFFSET, amdvi_read(unit, reg)) % LOG_SLOTS;
}

/*
 * What the log says of devices that have not answered is noted before anything is taken
 * out of it, and for whoever waits for a device, long before the thread comes.
 *
 * Return: the tail
 */
static unsigned int events_note(struct amdvi_unit *unit)
{
	unsigned int tail = pointer(unit, AMDVI_EVENT_TAIL);

	lockdep_assert_held(&unit->events_lock);
	for (; unit->events_noted != tail;
	     unit->events_noted = (unit->events_noted + 1) % LOG_SLOTS) {
		u64 lo = entry_arrives(&unit->events[unit->events_noted]);

		if (unit->silent &&
		    FIELD_GET(AMDVI_EVT_LO_CODE, lo) == AMDVI_IOTLB_TIMEOUT)
			__set_bit(FIELD_GET(AMDVI_EVT_LO_DEVICE, lo), unit->silent);
	}
	return tail;
}

/**
 * amdvi_events_answer - whether a device has answered what it was told
 * @unit: has waited for it
 * @id: the device's
 * @lost: events_lost of the unit, from before
 *
 * Return: that. Asked again, the unit has to have waited again
 *
 * Context: any.
 */
noinline __noclone enum amdvi_answer
amdvi_events_answer(struct amdvi_unit *unit, u16 id, unsigned int lost)
{
	unsigned long flags;
	bool silent, unknown;

	raw_spin_lock_irqsave(&unit->events_lock, flags);
	events_note(unit);
	silent = unit->silent && __test_and_clear_bit(id, unit->silent);
	unknown = unit->events_lost != lost ||
		  amdvi_read(unit, AMDVI_STATUS) & AMDVI_STS_EVENT_OVERFLOW;
	raw_spin_unlock_irqrestore(&unit->events_lock, flags);
	if (silent)
		return AMDVI_SILENT;
	return unknown ? AMDVI_UNKNOWN : AMDVI_ANSWERED;
}

static bool entry_is_there(struct amdvi_unit *unit, unsigned int head)
{
	unsigned long flags;
	unsigned int tail;

	raw_spin_lock_irqsave(&unit->events_lock, flags);
	tail = events_note(unit);
	raw_spin_unlock_irqrestore(&unit->events_lock, flags);
	return head != tail;
}

/* A device that is refused a large block is so piece by piece: that is said once. */
static void log_read(struct amdvi_unit *unit)
{
	unsigned int head = pointer(unit, AMDVI_EVENT_HEAD);
	struct amdvi_command last = {};

	while (entry_is_there(unit, head)) {
		struct amdvi_command *entry = &unit->events[head];
		u64 lo = entry_arrives(entry), hi = READ_ONCE(entry->hi);

		if (lo != last.lo || hi >> PAGE_SHIFT != last.hi >> PAGE_SHIFT)
			event_report(unit, lo, hi);
		amdvi_viommu_event(unit, lo, hi);
		last = (struct amdvi_command){ lo, hi };
		WRITE_ONCE(entry->lo, 0);
		head = (head + 1) % LOG_SLOTS;
		amdvi_write(unit, AMDVI_EVENT_HEAD,
			    head * sizeof(struct amdvi_command));
	}
}

static int log_start(struct amdvi_unit *unit)
{
	amdvi_write(unit, AMDVI_EVENT_HEAD, 0);
	amdvi_write(unit, AMDVI_EVENT_TAIL, 0);
	unit->events_noted = 0;
	amdvi_write(unit, AMDVI_STATUS,
		    AMDVI_STS_EVENT | AMDVI_STS_EVENT_OVERFLOW);
	return amdvi_control_wait(unit, AMDVI_CTL_EVENTS, AMDVI_STS_EVENTS_RUN,
				  true);
}

/* 2.5: a log that is full records nothing until it was stopped and begins anew. */
static void log_restart(struct amdvi_unit *unit)
{
	unsigned long flags;

	pr_err_ratelimited("%s: more events came than could be recorded\n",
			   unit->x86.name);
	raw_spin_lock_irqsave(&unit->events_lock, flags);
	unit->events_lost++;
	amdvi_write(unit, AMDVI_STATUS, AMDVI_STS_EVENT_OVERFLOW);
	if (!amdvi_control_wait(unit, AMDVI_CTL_EVENTS, AMDVI_STS_EVENTS_RUN,
				false))
		log_start(unit);
	raw_spin_unlock_irqrestore(&unit->events_lock, flags);
}

static irqreturn_t event_thread(int irq, void *arg)
{
	struct amdvi_unit *unit = arg;
	irqreturn_t handled = IRQ_NONE;
	u64 status;

	/* acknowledged first: what comes meanwhile raises it again */
	while ((status = amdvi_read(unit, AMDVI_STATUS) &
		(AMDVI_STS_EVENT | AMDVI_STS_EVENT_OVERFLOW))) {
		amdvi_write(unit, AMDVI_STATUS, AMDVI_STS_EVENT);
		log_read(unit);
		if (status & AMDVI_STS_EVENT_OVERFLOW)
			log_restart(unit);
		handled = IRQ_HANDLED;
	}
	if (amdvi_ppr_interrupt(unit))
		handled = IRQ_HANDLED;
	return handled;
}

/**
 * amdvi_events_init - hear of what is refused
 * @unit: is on
 *
 * Return: 0 or an errno; amdvi_events_fini() is called in any case
 */
int amdvi_events_init(struct amdvi_unit *unit)
{
	int rc;

	unit->events = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO,
						LOG_ORDER);
	if (!unit->events)
		return -ENOMEM;
	if (unit->cap & AMDVI_CAP_IOTLB) {
		unit->silent = bitmap_zalloc(AMDVI_NR_IDS, GFP_KERNEL);
		if (!unit->silent)
			return -ENOMEM;
	}
	amdvi_write(unit, AMDVI_EVENTS, virt_to_phys(unit->events) |
		    FIELD_PREP(AMDVI_BUFFER_LG2, ilog2(LOG_SLOTS)));
	/* what it tells of from now on is heard as soon as there is who listens */
	rc = log_start(unit);
	if (rc)
		return rc;
	rc = pci_enable_device(unit->pdev);
	if (rc)
		return rc;
	pci_set_master(unit->pdev);
	rc = pci_enable_msi(unit->pdev);
	if (rc) {
		pr_err("%s: its function has no message to tell of events\n",
		       unit->x86.name);
		pci_disable_device(unit->pdev);
		return rc;
	}
	unit->irq = unit->pdev->irq;
	rc = request_threaded_irq(unit->irq, NULL, event_thread, IRQF_ONESHOT,
				  unit->x86.name, unit);
	if (rc) {
		unit->irq = 0;
		pci_disable_msi(unit->pdev);
		pci_disable_device(unit->pdev);
		return rc;
	}
	amdvi_control(unit, 0, AMDVI_CTL_EVENT_INT);
	return 0;
}

/**
 * amdvi_events_fini - hear no more of it
 * @unit: is still on
 */
void amdvi_events_fini(struct amdvi_unit *unit)
{
	if (!unit->events)
		return;
	amdvi_control(unit, AMDVI_CTL_EVENT_INT | AMDVI_CTL_EVENTS, 0);
	if (unit->irq) {
		free_irq(unit->irq, unit);
		pci_disable_msi(unit->pdev);
		pci_disable_device(unit->pdev);
	}
	free_pages((unsigned long)unit->events, LOG_ORDER);
	bitmap_free(unit->silent);
}

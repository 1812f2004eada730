// SPDX-License-Identifier: GPL-2.0-only
/*
 * The event queue, 3.5 and 7.2: what a unit has refused, and why; and errors of the
 * unit itself, 7.5. Both have an interrupt, which is a wire or a message.
 */
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/msi.h>
#include <linux/platform_device.h>

#include "viommu.h"

/* What does not fit is lost. */
#define EVENTS_LG2_MAX 11

static const char *event_reason(u8 id)
{
	switch (id) {
	case 0x01:
		return "a kind of request that is not supported";
	case SMMU_C_BAD_STREAMID:
		return "no such stream id in the table";
	case SMMU_F_STE_FETCH:
		return "the stream table cannot be read";
	case SMMU_C_BAD_STE:
		return "a stream table entry that is not valid";
	case SMMU_F_BAD_ATS_TREQ:
		return "a request for a translation where none may be";
	case SMMU_F_STREAM_DISABLED:
		return "a request without PASID where none may be";
	case SMMU_F_TRANSL_FORBIDDEN:
		return "a translated request where none may be";
	case SMMU_C_BAD_SUBSTREAMID:
		return "a PASID that nobody has attached";
	case SMMU_F_CD_FETCH:
		return "a context descriptor cannot be read";
	case SMMU_C_BAD_CD:
		return "a context descriptor that is not valid";
	case SMMU_F_WALK_EABT:
		return "a page table cannot be read";
	case SMMU_F_TRANSLATION:
		return "not mapped";
	case SMMU_F_ADDR_SIZE:
		return "a table leads beyond what can be addressed";
	case SMMU_F_ACCESS:
		return "the access flag is not set";
	case SMMU_F_PERMISSION:
		return "mapped, but not for this";
	case SMMU_F_TLB_CONFLICT:
		return "two translations are remembered for one address";
	case SMMU_F_CFG_CONFLICT:
		return "two configurations are remembered for one stream";
	default:
		return "see the table of events in the specification";
	}
}

/*
 * Devices are known by their names; a stream that nobody has, or several of them, by
 * its number. A guest whose device it is hears of it.
 */
static void event_tell(struct smmu_unit *unit, const struct smmu_event *event,
		       u32 sid, char *name, size_t size)
{
	const struct smmu_stream *stream;

	mutex_lock(&unit->lock);
	stream = xa_load(&unit->streams.users, sid);
	if (stream && stream->sdev && stream->users == 1)
		strscpy(name, dev_name(stream->sdev->dev), size);
	else
		snprintf(name, size, "stream %#x", sid);
	if (stream && stream->sdev)
		smmu_viommu_event(stream->sdev, event);
	mutex_unlock(&unit->lock);
}

static void event_report(struct smmu_unit *unit, const struct smmu_event *event)
{
	u32 sid = FIELD_GET(SMMU_EVENT0_SID, event->w[0]);
	u8 id = FIELD_GET(SMMU_EVENT0_ID, event->w[0]);
	char name[32];

	event_tell(unit, event, sid, name, sizeof(name));
	if (id >= SMMU_F_TRANSLATION && id <= SMMU_F_PERMISSION)
		dev_err_ratelimited(unit->dev, "%s of %s at %#llx refused in stage %u, event %#x: %s\n",
				    event->w[1] & SMMU_EVENT1_RNW ? "read" : "write",
				    name, event->w[2],
				    event->w[1] & SMMU_EVENT1_S2 ? 2 : 1, id,
				    event_reason(id));
	else
		dev_err_ratelimited(unit->dev, "request of %s refused, event %#x: %s\n",
				    name, id, event_reason(id));
}

static void event_handle(struct smmu_unit *unit, const struct smmu_event *event)
{
	u8 id = FIELD_GET(SMMU_EVENT0_ID, event->w[0]);

	/* 3.12: only faults of translations stall, and wait for an answer */
	if (id >= SMMU_F_TRANSLATION && id <= SMMU_F_PERMISSION &&
	    event->w[1] & SMMU_EVENT1_STALL)
		smmu_stalled(unit, event);
	else
		event_report(unit, event);
}

static u32 events_prod(const struct smmu_unit *unit)
{
	return readl(unit->page1 + SMMU_EVENTQ_PROD);
}

static void events_take(struct smmu_unit *unit, struct smmu_event *event)
{
	struct smmu_events *q = &unit->events;
	const __le64 *record = q->records + 4 * (q->cons & (BIT(q->lg2) - 1));
	unsigned int i;

	for (i = 0; i < 4; i++)
		event->w[i] = le64_to_cpu(READ_ONCE(record[i]));
	q->cons = (q->cons + 1) & (BIT(q->lg2 + 1) - 1);
}

/* Take what was recorded, oldest first, and make room. Whether there was anything. */
static bool events_read(struct smmu_unit *unit)
{
	struct smmu_events *q = &unit->events;
	u32 mask = BIT(q->lg2 + 1) - 1, prod, over = 0;
	struct smmu_event event;
	bool any = false;

	for (;;) {
		prod = events_prod(unit);
		if ((prod ^ over) & SMMU_EVENTQ_OVERFLOW) {
			over = prod & SMMU_EVENTQ_OVERFLOW;
			if ((readl(unit->page1 + SMMU_EVENTQ_CONS) ^ over) &
			    SMMU_EVENTQ_OVERFLOW)
				dev_err_ratelimited(unit->dev, "more events came than could be recorded\n");
		}
		if ((prod & mask) == q->cons)
			break;
		/* records are there before the index says so */
		dma_rmb();
		while ((prod & mask) != q->cons) {
			events_take(unit, &event);
			event_handle(unit, &event);
		}
		writel(q->cons | over, unit->page1 + SMMU_EVENTQ_CONS);
		any = true;
	}
	writel(q->cons | over, unit->page1 + SMMU_EVENTQ_CONS);
	return any;
}

/* Errors of the command queue are the business of who waits there. */
static bool errors_read(struct smmu_unit *unit)
{
	u32 acked = smmu_read(unit, SMMU_GERRORN);
	u32 errors = (smmu_read(unit, SMMU_GERROR) ^ acked) & ~SMMU_GERROR_CMDQ;

	if (!errors)
		return false;
	dev_err_ratelimited(unit->dev, "error %#x:%s%s%s%s\n", errors,
			    errors & SMMU_GERROR_EVENTQ_ABT ?
			    " events cannot be written" : "",
			    errors & SMMU_GERROR_PRIQ_ABT ?
			    " page requests cannot be written" : "",
			    errors & SMMU_GERROR_MSI ?
			    " an interrupt cannot be sent" : "",
			    errors & SMMU_GERROR_SFM ?
			    " the unit is out of service" : "");
	smmu_write(unit, SMMU_GERRORN, acked ^ errors);
	return true;
}

static irqreturn_t events_thread(int irq, void *arg)
{
	return events_read(arg) ? IRQ_HANDLED : IRQ_NONE;
}

static irqreturn_t errors_thread(int irq, void *arg)
{
	return errors_read(arg) ? IRQ_HANDLED : IRQ_NONE;
}

static irqreturn_t requests_thread(int irq, void *arg)
{
	return smmu_requests_read(arg) ? IRQ_HANDLED : IRQ_NONE;
}

static irqreturn_t combined_thread(int irq, void *arg)
{
	bool events = events_read(arg), errors = errors_read(arg);
	bool requests = smmu_requests_read(arg);

	return events || errors || requests ? IRQ_HANDLED : IRQ_NONE;
}

static const struct {
	const char *name;
	irq_handler_t thread;
	unsigned int config;
} lines[] = {
	{ "eventq", events_thread, SMMU_EVENTQ_IRQ_CFG0 },
	{ "gerror", errors_thread, SMMU_GERROR_IRQ_CFG0 },
	{ "priq", requests_thread, SMMU_PRIQ_IRQ_CFG0 },
};

/* The last one is there where there are page requests. */
static unsigned int nr_lines(const struct smmu_unit *unit)
{
	return ARRAY_SIZE(lines) - !unit->requests.records;
}

static void message_write(struct msi_desc *desc, struct msi_msg *msg)
{
	struct smmu_unit *unit = dev_get_drvdata(msi_desc_to_dev(desc));
	unsigned int config = lines[desc->msi_index].config;

	smmu_write64(unit, config, ((u64)msg->address_hi << 32 | msg->address_lo) &
				   SMMU_IRQ_CFG_ADDR);
	smmu_write(unit, config + SMMU_IRQ_CFG_DATA, msg->data);
	smmu_write(unit, config + SMMU_IRQ_CFG_ATTR, SMMU_MSI_DEVICE);
}

static bool use_messages(struct smmu_unit *unit)
{
	unsigned int i;

	/* an address of 0 is no message */
	for (i = 0; i < nr_lines(unit); i++)
		if (unit->has & SMMU_HAS_MSI)
			smmu_write64(unit, lines[i].config, 0);
	return unit->has & SMMU_HAS_MSI && unit->dev->msi.domain &&
	       !platform_device_msi_init_and_alloc_irqs(unit->dev, nr_lines(unit),
							message_write);
}

static int request_line(struct smmu_unit *unit, int irq, irq_handler_t thread,
			const char *name)
{
	if (irq <= 0) {
		dev_warn(unit->dev, "has no interrupt '%s'\n", name);
		return 0;
	}
	return devm_request_threaded_irq(unit->dev, irq, NULL, thread, IRQF_ONESHOT,
					 smmu_name(unit), unit);
}

static int request_lines(struct smmu_unit *unit)
{
	struct platform_device *pdev = to_platform_device(unit->dev);
	bool messages = use_messages(unit);
	int irq, rc = 0;
	unsigned int i;

	irq = messages ? 0 : platform_get_irq_byname_optional(pdev, "combined");
	if (irq > 0)
		return request_line(unit, irq, combined_thread, "combined");
	for (i = 0; i < nr_lines(unit) && !rc; i++) {
		irq = messages ? msi_get_virq(unit->dev, i) :
		      platform_get_irq_byname_optional(pdev, lines[i].name);
		rc = request_line(unit, irq, lines[i].thread, lines[i].name);
	}
	return rc;
}

/**
 * smmu_events_init - hear of events
 * @unit: does not translate yet
 *
 * Return: 0 or an errno; smmu_events_fini() is called in any case
 */
int smmu_events_init(struct smmu_unit *unit)
{
	struct smmu_events *q = &unit->events;
	int rc;

	q->lg2 = min_t(unsigned int, EVENTS_LG2_MAX,
		       FIELD_GET(SMMU_IDR1_EVENTQS, unit->idr[1]));
	q->records = dmam_alloc_coherent(unit->dev, 32UL << q->lg2, &q->dma,
					 GFP_KERNEL);
	if (!q->records)
		return -ENOMEM;
	smmu_write64(unit, SMMU_EVENTQ_BASE, SMMU_Q_BASE_RA | q->dma |
		     FIELD_PREP(SMMU_Q_BASE_LOG2SIZE, q->lg2));
	writel(0, unit->page1 + SMMU_EVENTQ_PROD);
	writel(0, unit->page1 + SMMU_EVENTQ_CONS);
	rc = smmu_switch(unit, SMMU_CR0_EVENTQEN, true);
	if (rc)
		return rc;
	rc = smmu_requests_init(unit);
	if (rc)
		return rc;
	/* what was wrong before is not ours to report */
	smmu_write(unit, SMMU_GERRORN, smmu_read(unit, SMMU_GERROR));
	rc = request_lines(unit);
	if (!rc)
		smmu_write(unit, SMMU_IRQ_CTRL, SMMU_IRQ_GERROR | SMMU_IRQ_EVENTQ |
						(unit->requests.records ?
						 SMMU_IRQ_PRIQ : 0));
	return rc;
}

/**
 * smmu_events_fini - hear no more of events
 * @unit: does not translate any more
 *
 * Interrupts and the queue go with the platform device's other resources.
 */
void smmu_events_fini(struct smmu_unit *unit)
{
	smmu_write(unit, SMMU_IRQ_CTRL, 0);
}

// SPDX-License-Identifier: GPL-2.0-only
/* Faults: what a unit has refused, 7 and 11.4.7. */
#include <linux/interrupt.h>

#include "spec/irq.h"
#include "vtd.h"

static const char *fault_reason(u8 reason)
{
	switch (reason) {
	case 0x01:
		return "no root entry";
	case 0x02:
		return "no context entry: the device is attached to nothing";
	case 0x03:
		return "a context entry that is not valid";
	case 0x04:
		return "an address beyond what is translated";
	case 0x05:
		return "not mapped for writing";
	case 0x06:
		return "not mapped for reading";
	case 0x07:
		return "a page table cannot be read";
	case 0x08:
		return "the root table cannot be read";
	case 0x09:
		return "a context table cannot be read";
	case 0x0a ... 0x0c:
		return "reserved bits are set in an entry";
	case 0x0d:
		return "a translated request where none may be";
	case 0x20:
		return "reserved bits are set in the message";
	case 0x21:
		return "a handle beyond the table";
	case 0x22:
		return "nobody has this handle";
	case 0x23:
		return "the interrupt remapping table cannot be read";
	case 0x24:
		return "reserved bits are set in its entry";
	case 0x25:
		return "the message names a vector, which is blocked";
	case 0x26:
		return "the handle belongs to another device";
	case 0x50 ... 0x57:
		return "the directory of PASIDs cannot be used";
	case 0x58 ... 0x5a:
		return "a PASID that nobody has attached";
	case 0x5b:
		return "nothing is attached there";
	case 0x71:
		return "not mapped";
	case 0x80:
		return "an address that is not sign extended";
	case 0x85:
		return "not mapped for writing";
	default:
		return "see the table of fault reasons in the specification";
	}
}

static void fault_report(struct vtd_unit *unit, u64 lo, u64 hi)
{
	u16 sid = FIELD_GET(VTD_FRR_HI_SID, hi);
	u8 reason = FIELD_GET(VTD_FRR_HI_REASON, hi);

	if (reason >= VTD_FAULT_IRQ_FIRST && reason <= VTD_FAULT_IRQ_LAST) {
		pr_err_ratelimited("%s: interrupt of %04x:%02x:%02x.%u with handle %#llx refused, reason %#x: %s\n",
				   unit->x86.name, unit->dmar->segment,
				   PCI_BUS_NUM(sid), PCI_SLOT(sid),
				   PCI_FUNC(sid),
				   FIELD_GET(VTD_FRR_LO_HANDLE, lo), reason,
				   fault_reason(reason));
		return;
	}
	pr_err_ratelimited("%s: %s of %04x:%02x:%02x.%u at %#llx refused, reason %#x: %s\n",
			   unit->x86.name, hi & VTD_FRR_HI_READ ? "read" : "write",
			   unit->dmar->segment, PCI_BUS_NUM(sid), PCI_SLOT(sid),
			   PCI_FUNC(sid), lo & VTD_FRR_LO_ADDRESS, reason,
			   fault_reason(reason));
}

/* Take the recorded faults, oldest first, and make room for others. */
static irqreturn_t fault_thread(int irq, void *arg)
{
	struct vtd_unit *unit = arg;
	unsigned int nr = FIELD_GET(VTD_CAP_NFR, unit->cap) + 1;
	unsigned int base = FIELD_GET(VTD_CAP_FRO, unit->cap) * 16;
	u32 status = vtd_read(unit, VTD_FSTS);
	unsigned int i = FIELD_GET(VTD_FSTS_FRI, status), done;

	for (done = 0; done < nr; done++, i = (i + 1) % nr) {
		u64 lo, hi = vtd_read64(unit, base + 16 * i + 8);

		if (!(hi & VTD_FRR_HI_FAULT))
			break;
		lo = vtd_read64(unit, base + 16 * i);
		fault_report(unit, lo, hi);
		vtd_viommu_fault(unit, lo, hi);
		vtd_write64(unit, base + 16 * i + 8, VTD_FRR_HI_FAULT);
	}
	if (status & VTD_FSTS_PFO)
		pr_err_ratelimited("%s: more faults came than could be recorded\n",
				   unit->x86.name);
	/* errors of the queue are its own business */
	vtd_write(unit, VTD_FSTS, VTD_FSTS_PFO | VTD_FSTS_PPF);
	return done || status & VTD_FSTS_PFO ? IRQ_HANDLED : IRQ_NONE;
}

/**
 * vtd_events_init - hear of faults
 * @unit: does not translate yet
 *
 * Return: 0 or an errno; vtd_events_fini() is called in any case
 */
int vtd_events_init(struct vtd_unit *unit)
{
	int rc;

	/* what was recorded before is not ours to report */
	vtd_write(unit, VTD_FSTS, VTD_FSTS_PFO | VTD_FSTS_PPF);
	rc = vtd_message_request(unit, VTD_FECTL, unit->x86.name, fault_thread);
	if (rc < 0)
		return rc;
	unit->irq = rc;
	return 0;
}

/**
 * vtd_events_fini - hear no more of faults
 * @unit: does not translate any more
 */
void vtd_events_fini(struct vtd_unit *unit)
{
	if (unit->irq)
		vtd_message_free(unit, unit->irq);
}

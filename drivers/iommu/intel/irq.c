// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupt remapping, chapter 5: which interrupts the devices behind a unit can
 * raise.
 *
 * A message interrupt is a write, and a device that a user controls can write what
 * it likes. With remapping the write is no more than the number of an entry in the
 * unit's table. The entry says which vector of which CPU that is, and from which
 * requester ids it is taken. A write that names vector and CPU itself, in the
 * compatibility format, would be let through or blocked for the unit as a whole:
 * only where it is blocked are interrupts isolated from each other, and without
 * that remapping is of no use here.
 *
 * The unit's irq_domain sits between the per-device MSI domains of PCI devices and
 * the vector domain of the CPUs. IOAPICs and HPETs are set up by the kernel before
 * any module is there and keep to the compatibility format.
 */
#include <linux/bitmap.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <asm/apic.h>

#define X86_IRQ_NAME "VTD"
#include "../x86/irq.h"
#include "spec/irq.h"
#include "vtd.h"

#define TABLE_ORDER	6
#define NR_HANDLES	((PAGE_SIZE << TABLE_ORDER) / sizeof(struct vtd_entry))

/**
 * struct vtd_interrupts - interrupt remapping of a unit
 * @irqs: the part that all drivers have
 * @unit: the unit
 * @table: read by hardware
 * @x2apic: entries have APIC ids of 32 bits
 * @handles: those in use; under x86_irqs.lock
 */
struct vtd_interrupts {
	struct x86_irqs irqs;
	struct vtd_unit *unit;
	struct vtd_entry *table;
	bool x2apic;
	DECLARE_BITMAP(handles, NR_HANDLES);
};

static struct vtd_interrupts *interrupts_of(const struct x86_interrupt *intr)
{
	return container_of(intr->irqs, struct vtd_interrupts, irqs);
}

static void flush(const struct vtd_unit *unit, void *p, size_t size)
{
	if (!(unit->ecap & VTD_ECAP_C))
		clflush_cache_range(p, size);
}

/**
 * struct ids - what the requester ids of a device have in common
 * @vdev: the device
 * @any: one of them
 * @differ: bits in which others differ from it
 * @first_bus: lowest bus
 * @last_bus: highest bus
 */
struct ids {
	struct vtd_device vdev;
	u16 any;
	u16 differ;
	u8 first_bus;
	u8 last_bus;
};

static int ids_add(struct vtd_device *vdev, u16 sid, const void *arg)
{
	struct ids *ids = container_of(vdev, struct ids, vdev);

	if (ids->first_bus > ids->last_bus)
		ids->any = sid;
	ids->differ |= sid ^ ids->any;
	ids->first_bus = min_t(u8, ids->first_bus, PCI_BUS_NUM(sid));
	ids->last_bus = max_t(u8, ids->last_bus, PCI_BUS_NUM(sid));
	return 0;
}

/*
 * As narrow as an entry can say it: one id, some functions of a device, or all
 * devices on the buses between the device and the bridge that speaks for it.
 */
static u64 interrupt_source(struct vtd_unit *unit, struct device *dev)
{
	struct ids ids = {
		.vdev = { .unit = unit, .dev = dev },
		.first_bus = 0xff,
	};

	vtd_visit_ids(&ids.vdev, ids_add, NULL);
	if (ids.differ & ~7)
		return FIELD_PREP(VTD_IRTE_HI_SVT, VTD_SVT_BUSES) |
		       FIELD_PREP(VTD_IRTE_HI_SID,
				  ids.first_bus << 8 | ids.last_bus);
	return FIELD_PREP(VTD_IRTE_HI_SVT, VTD_SVT_REQUESTER) |
	       FIELD_PREP(VTD_IRTE_HI_SQ, ids.differ & 1 ? 3 :
					  ids.differ & 2 ? 2 : ids.differ >> 2) |
	       FIELD_PREP(VTD_IRTE_HI_SID, ids.any);
}

/*
 * The lower half is all that changes while the entry is in use, in one store. When
 * this returns the hardware has forgotten what was there before.
 */
static void entry_write(const struct x86_interrupt *intr, u64 lo)
{
	struct vtd_interrupts *interrupts = interrupts_of(intr);
	struct vtd_entry *entry = &interrupts->table[intr->index];

	WRITE_ONCE(entry->hi, intr->source);
	dma_wmb();
	WRITE_ONCE(entry->lo, lo);
	flush(interrupts->unit, entry, sizeof(*entry));
	vtd_forget_interrupt(interrupts->unit, intr->index);
}

static void interrupt_write(const struct x86_interrupt *intr, u8 vector, u32 dest)
{
	entry_write(intr, VTD_IRTE_LO_P |
		    (apic->dest_mode_logical ? VTD_IRTE_LO_DM : 0) |
		    FIELD_PREP(VTD_IRTE_LO_DLM, APIC_DELIVERY_MODE_FIXED) |
		    FIELD_PREP(VTD_IRTE_LO_V, vector) |
		    (interrupts_of(intr)->x2apic ?
		     FIELD_PREP(VTD_IRTE_LO_DST, dest) :
		     FIELD_PREP(VTD_IRTE_LO_DST_XAPIC, dest & 0xff)));
}

static void interrupt_clear(const struct x86_interrupt *intr)
{
	entry_write(intr, 0);
}

static void interrupt_message(const struct x86_interrupt *intr, struct msi_msg *msg)
{
	msg->arch_addr_lo.dmar_base_address = X86_MSI_BASE_ADDRESS_LOW;
	msg->arch_addr_lo.dmar_format = 1;
	msg->arch_addr_lo.dmar_subhandle_valid = intr->nr > 1;
	msg->arch_addr_lo.dmar_index_0_14 = intr->first & 0x7fff;
	msg->arch_addr_lo.dmar_index_15 = intr->first >> 15;
}

static int interrupt_take(struct x86_interrupt *model)
{
	struct vtd_interrupts *interrupts = interrupts_of(model);
	unsigned long first;

	first = bitmap_find_next_zero_area(interrupts->handles, NR_HANDLES, 0,
					   model->nr, 0);
	if (first >= NR_HANDLES)
		return -ENOSPC;
	bitmap_set(interrupts->handles, first, model->nr);
	model->first = first;
	model->source = interrupt_source(interrupts->unit, &model->pdev->dev);
	return 0;
}

static void interrupt_put(const struct x86_interrupt *intr)
{
	clear_bit(intr->index, interrupts_of(intr)->handles);
}

static void interrupt_show(struct seq_file *m, const struct x86_interrupt *intr)
{
	const struct vtd_interrupts *interrupts = interrupts_of(intr);
	const struct vtd_entry *entry = &interrupts->table[intr->index];
	u64 lo = READ_ONCE(entry->lo);

	seq_printf(m, "present=%u vector=%#x apic=%#x svt=%u sq=%u sid=%#x\n",
		   (unsigned int)(lo & VTD_IRTE_LO_P),
		   (unsigned int)FIELD_GET(VTD_IRTE_LO_V, lo),
		   (unsigned int)(interrupts->x2apic ?
				  FIELD_GET(VTD_IRTE_LO_DST, lo) :
				  FIELD_GET(VTD_IRTE_LO_DST_XAPIC, lo)),
		   (unsigned int)FIELD_GET(VTD_IRTE_HI_SVT, entry->hi),
		   (unsigned int)FIELD_GET(VTD_IRTE_HI_SQ, entry->hi),
		   (unsigned int)FIELD_GET(VTD_IRTE_HI_SID, entry->hi));
}

static void interrupt_show_unit(struct seq_file *m, struct x86_unit *x86)
{
	seq_printf(m, "status=%#x entries=%zu\n",
		   vtd_read(x86_to_vtd_unit(x86), VTD_GSTS), NR_HANDLES);
}

const struct x86_irq_driver x86_irq_driver = {
	.take = interrupt_take,
	.put = interrupt_put,
	.write = interrupt_write,
	.clear = interrupt_clear,
	.compose = interrupt_message,
	.show = interrupt_show,
	.show_unit = interrupt_show_unit,
};

static bool has_pins(const struct vtd_unit *unit)
{
	const struct dmar_scope *scope;

	if (unit->dmar->include_all)
		return true;
	list_for_each_entry(scope, &unit->dmar->scopes, link)
		if (scope->type == 3 || scope->type == 4)
			return true;
	return false;
}

/**
 * vtd_interrupts_obstacle - why a unit cannot isolate interrupts
 * @x86: the unit
 * @strict: whatever is not PCI may lose its interrupts
 *
 * Return: the end of a sentence, or NULL if it can
 */
const char *vtd_interrupts_obstacle(const struct x86_unit *x86, bool strict)
{
	const struct vtd_unit *unit = container_of(x86, const struct vtd_unit, x86);

	if (!(unit->ecap & VTD_ECAP_IR))
		return "it cannot remap interrupts (ECAP.IR is 0)";
	if (!(vtd_dmar.flags & 1))
		return "firmware says that interrupts are not to be remapped on this machine";
	if (x2apic_mode && !(unit->ecap & VTD_ECAP_EIM))
		return "the kernel gives CPUs ids of 32 bits, of which it knows 8 (ECAP.EIM is 0)";
	if (!strict && has_pins(unit))
		return "IOAPICs and HPETs would lose theirs (strict_interrupts=1 has it so)";
	return NULL;
}

static int table_enable(struct vtd_unit *unit)
{
	struct vtd_interrupts *interrupts = unit->interrupts;
	int rc;

	flush(unit, interrupts->table, PAGE_SIZE << TABLE_ORDER);
	vtd_write64(unit, VTD_IRTA, virt_to_phys(interrupts->table) |
		    FIELD_PREP(VTD_IRTA_S, ilog2(NR_HANDLES) - 1) |
		    (interrupts->x2apic ? VTD_IRTA_EIME : 0));
	rc = vtd_command(unit, VTD_GCMD_SIRTP, true);
	if (rc)
		return rc;
	vtd_forget_interrupts(unit);
	if (vtd_read(unit, VTD_GSTS) & VTD_GCMD_CFI)
		rc = vtd_command(unit, VTD_GCMD_CFI, false);
	return rc ?: vtd_command(unit, VTD_GCMD_IRE, true);
}

/**
 * vtd_interrupts_init - remap interrupts
 * @x86: its queue runs, vtd_interrupts_obstacle() knows none
 *
 * From then on no other interrupts of the devices get through.
 *
 * Return: 0 or an errno; vtd_interrupts_fini() is called in any case
 */
int vtd_interrupts_init(struct x86_unit *x86)
{
	struct vtd_interrupts *interrupts = kzalloc(sizeof(*interrupts), GFP_KERNEL);
	struct vtd_unit *unit = x86_to_vtd_unit(x86);
	int rc;

	if (!interrupts)
		return -ENOMEM;
	unit->interrupts = interrupts;
	interrupts->unit = unit;
	interrupts->x2apic = x2apic_mode;
	interrupts->table = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO,
						     TABLE_ORDER);
	if (!interrupts->table)
		return -ENOMEM;
	rc = x86_irqs_init(&interrupts->irqs, x86);
	if (!rc)
		rc = table_enable(unit);
	if (!rc && has_pins(unit))
		pr_info("%s: IOAPICs and HPETs lose their interrupts\n", x86->name);
	return rc;
}

/**
 * vtd_interrupts_adopt - have a device take new interrupts from its unit
 * @x86: the unit
 * @dev: the device
 *
 * Nothing happens if the unit does not remap, or if the device takes its
 * interrupts from something else than the CPUs' vectors.
 */
void vtd_interrupts_adopt(struct x86_unit *x86, struct device *dev)
{
	struct vtd_interrupts *interrupts = x86_to_vtd_unit(x86)->interrupts;

	if (interrupts && interrupts->irqs.domain)
		x86_irqs_adopt(&interrupts->irqs, dev);
}

/**
 * vtd_interrupts_abandon - have a device take new interrupts from the CPUs again
 * @x86: the unit
 * @dev: the device
 */
void vtd_interrupts_abandon(struct x86_unit *x86, struct device *dev)
{
	struct vtd_interrupts *interrupts = x86_to_vtd_unit(x86)->interrupts;

	if (interrupts)
		x86_irqs_abandon(&interrupts->irqs, dev);
}

/**
 * vtd_interrupts_fini - remap interrupts no more
 * @x86: no device takes interrupts from it, or has one
 */
void vtd_interrupts_fini(struct x86_unit *x86)
{
	struct vtd_unit *unit = x86_to_vtd_unit(x86);
	struct vtd_interrupts *interrupts = unit->interrupts;

	if (!interrupts)
		return;
	if (vtd_read(unit, VTD_GSTS) & VTD_GCMD_IRE)
		vtd_command(unit, VTD_GCMD_IRE, false);
	x86_irqs_fini(&interrupts->irqs);
	free_pages((unsigned long)interrupts->table, TABLE_ORDER);
	kfree(interrupts);
	unit->interrupts = NULL;
}

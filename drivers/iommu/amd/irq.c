// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupt remapping: each device has a table of its own, so that it raises no
 * interrupts but its own. Devices whose requests arrive under the same id share one.
 *
 * Nothing is asked of IOAPICs and HPETs: the entries of their ids stay as they are,
 * and pass interrupts through.
 */
#include <linux/bitmap.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include <asm/apic.h>
#include <asm/cmpxchg.h>

#define X86_IRQ_NAME "AMDVI"
#include "../x86/irq.h"
#include "amdvi.h"
#include "spec/irq.h"

#define TABLE_LG2 9
#define NR_ENTRIES BIT(TABLE_LG2)

/**
 * struct amdvi_table - interrupts of a device
 * @link: in the list of its unit
 * @entries: read by hardware: u32, or struct amdvi_irte
 * @order: log2 of its pages
 * @used: entries that somebody has; under x86_irqs.lock
 */
struct amdvi_table {
	struct list_head link;
	void *entries;
	unsigned int order;
	DECLARE_BITMAP(used, NR_ENTRIES);
};

/**
 * struct amdvi_interrupts - interrupt remapping of a unit
 * @irqs: the part that all drivers have
 * @unit: the unit
 * @wide: entries have 128 bits, and APIC ids 32
 * @tables: struct amdvi_table; never fewer
 * @by_id: the table of a device id; as @tables under x86_irqs.lock
 * @none: for devices that have had no interrupt yet
 */
struct amdvi_interrupts {
	struct x86_irqs irqs;
	struct amdvi_unit *unit;
	bool wide;
	struct list_head tables;
	struct xarray by_id;
	struct amdvi_table *none;
};

static struct amdvi_interrupts *interrupts_of(const struct x86_interrupt *intr)
{
	return container_of(intr->irqs, struct amdvi_interrupts, irqs);
}

static struct amdvi_table *table_new(struct amdvi_interrupts *interrupts)
{
	struct amdvi_table *table = kzalloc(sizeof(*table), GFP_KERNEL);

	if (!table)
		return NULL;
	table->order = get_order(NR_ENTRIES * (interrupts->wide ?
					       sizeof(struct amdvi_irte) :
					       sizeof(u32)));
	table->entries = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO,
						  table->order);
	if (!table->entries) {
		kfree(table);
		return NULL;
	}
	list_add(&table->link, &interrupts->tables);
	return table;
}

/**
 * struct target - where the interrupts of a device are to be looked up
 * @unit: its unit
 * @table: in this table, without one they are passed through
 * @batch: makes the unit forget what was there
 */
struct target {
	struct amdvi_unit *unit;
	const struct amdvi_table *table;
	struct amdvi_batch *batch;
};

/* This half of an entry has all that is said of interrupts, and changes in one word. */
static int point_id(u16 id, void *arg)
{
	const u64 mine = AMDVI_DTE_2_IV | AMDVI_DTE_2_INTTABLEN |
			 AMDVI_DTE_2_INTTAB | AMDVI_DTE_2_INTCTL;
	const struct target *target = arg;
	u64 *w = &target->unit->table[id].w[2];
	u64 value = *w & ~mine;

	if (target->table)
		value |= AMDVI_DTE_2_IV | virt_to_phys(target->table->entries) |
			 FIELD_PREP(AMDVI_DTE_2_INTTABLEN, TABLE_LG2) |
			 FIELD_PREP(AMDVI_DTE_2_INTCTL, AMDVI_INTCTL_REMAP);
	WRITE_ONCE(*w, value);
	amdvi_batch_device(target->batch, id);
	amdvi_batch_interrupts(target->batch, id);
	return 0;
}

static void point(struct amdvi_unit *unit, struct pci_dev *pdev,
		  const struct amdvi_table *table)
{
	struct amdvi_batch batch;
	struct target target = { unit, table, &batch };

	amdvi_batch_init(&batch, unit);
	amdvi_visit_ids(pdev, unit, point_id, &target);
	amdvi_batch_run(&batch);
}

static int find_table(u16 id, void *arg)
{
	struct x86_interrupt *model = arg;
	struct amdvi_table *table = xa_load(&interrupts_of(model)->by_id, id);

	if (table && model->table && table != model->table)
		return -EBUSY;
	model->table = table ?: model->table;
	return 0;
}

static int enter_table(u16 id, void *arg)
{
	struct x86_interrupt *model = arg;

	return xa_err(xa_store(&interrupts_of(model)->by_id, id, model->table,
			       GFP_KERNEL));
}

/* The device's table, or that of another one with an id in common. */
static int table_of(struct x86_interrupt *model)
{
	struct amdvi_interrupts *interrupts = interrupts_of(model);
	int rc;

	rc = amdvi_visit_ids(model->pdev, interrupts->unit, find_table, model);
	if (rc)
		return rc;
	if (!model->table)
		model->table = table_new(interrupts);
	if (!model->table)
		return -ENOMEM;
	rc = amdvi_visit_ids(model->pdev, interrupts->unit, enter_table, model);
	if (rc)
		return rc;
	mutex_lock(&interrupts->unit->x86.lock);
	point(interrupts->unit, model->pdev, model->table);
	mutex_unlock(&interrupts->unit->x86.lock);
	return 0;
}

static int interrupt_take(struct x86_interrupt *model)
{
	unsigned int align = roundup_pow_of_two(model->nr) - 1;
	struct amdvi_table *table;
	unsigned long first;
	int rc;

	rc = table_of(model);
	if (rc)
		return rc;
	table = model->table;
	/* a device with several writes the low bits of the index itself */
	first = bitmap_find_next_zero_area(table->used, NR_ENTRIES, 0, model->nr,
					   align);
	if (first >= NR_ENTRIES)
		return -ENOSPC;
	bitmap_set(table->used, first, model->nr);
	model->first = first;
	return 0;
}

static void interrupt_put(const struct x86_interrupt *intr)
{
	struct amdvi_table *table = intr->table;

	clear_bit(intr->index, table->used);
}

static int forget_id(u16 id, void *batch)
{
	amdvi_batch_interrupts(batch, id);
	return 0;
}

/* When this returns the hardware has forgotten what was there before. */
static void entry_write(const struct x86_interrupt *intr, struct amdvi_irte value)
{
	struct amdvi_interrupts *interrupts = interrupts_of(intr);
	const struct amdvi_table *table = intr->table;
	struct amdvi_batch batch;

	if (interrupts->wide) {
		struct amdvi_irte *entry = table->entries;
		union {
			struct amdvi_irte entry;
			u128 whole;
		} old = { .entry = entry[intr->index] }, new = { .entry = value };

		entry += intr->index;
		while (!try_cmpxchg128((u128 *)entry, &old.whole, new.whole))
			;
	} else {
		u32 *entry = table->entries;

		WRITE_ONCE(entry[intr->index], (u32)value.lo);
	}
	amdvi_batch_init(&batch, interrupts->unit);
	amdvi_visit_ids(intr->pdev, interrupts->unit, forget_id, &batch);
	amdvi_batch_run(&batch);
}

static void interrupt_write(const struct x86_interrupt *intr, u8 vector, u32 dest)
{
	u64 flags = AMDVI_IRTE_REMAP | (apic->dest_mode_logical ? AMDVI_IRTE_DM : 0);
	struct amdvi_irte value = {};

	if (interrupts_of(intr)->wide) {
		value.lo = flags | FIELD_PREP(AMDVI_IRTE_LO_DEST, dest & 0xffffff);
		value.hi = FIELD_PREP(AMDVI_IRTE_HI_VECTOR, vector) |
			   FIELD_PREP(AMDVI_IRTE_HI_DEST, dest >> 24);
	} else {
		value.lo = flags | FIELD_PREP(AMDVI_IRTE_DEST, dest & 0xff) |
			   FIELD_PREP(AMDVI_IRTE_VECTOR, vector);
	}
	entry_write(intr, value);
}

static void interrupt_clear(const struct x86_interrupt *intr)
{
	entry_write(intr, (struct amdvi_irte){});
}

static void interrupt_message(const struct x86_interrupt *intr, struct msi_msg *msg)
{
	msg->arch_addr_lo.base_address = X86_MSI_BASE_ADDRESS_LOW;
	msg->data = intr->first;
}

static void interrupt_show(struct seq_file *m, const struct x86_interrupt *intr)
{
	const struct amdvi_table *table = intr->table;

	if (interrupts_of(intr)->wide) {
		const struct amdvi_irte *entry = table->entries;
		u64 lo = READ_ONCE(entry[intr->index].lo);
		u64 hi = READ_ONCE(entry[intr->index].hi);

		seq_printf(m, "present=%u vector=%#x apic=%#x\n",
			   (unsigned int)(lo & AMDVI_IRTE_REMAP),
			   (unsigned int)FIELD_GET(AMDVI_IRTE_HI_VECTOR, hi),
			   (unsigned int)(FIELD_GET(AMDVI_IRTE_LO_DEST, lo) |
					  FIELD_GET(AMDVI_IRTE_HI_DEST, hi) << 24));
	} else {
		u32 entry = READ_ONCE(((u32 *)table->entries)[intr->index]);

		seq_printf(m, "present=%u vector=%#x apic=%#x\n",
			   (unsigned int)(entry & AMDVI_IRTE_REMAP),
			   (unsigned int)FIELD_GET(AMDVI_IRTE_VECTOR, entry),
			   (unsigned int)FIELD_GET(AMDVI_IRTE_DEST, entry));
	}
}

static void interrupt_show_unit(struct seq_file *m, struct x86_unit *x86)
{
	seq_printf(m, "control=%#llx entries=%lu\n",
		   amdvi_read(to_amdvi_unit(x86), AMDVI_CONTROL), NR_ENTRIES);
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

/**
 * amdvi_interrupts_obstacle - why a unit cannot isolate interrupts
 * @x86: the unit
 * @strict: nobody loses any here; of no importance
 *
 * Return: the end of a sentence, or NULL if it can
 */
const char *amdvi_interrupts_obstacle(const struct x86_unit *x86, bool strict)
{
	const struct amdvi_unit *unit =
		container_of(x86, const struct amdvi_unit, x86);

	if (x2apic_mode && !(unit->efr & AMDVI_EFR_XT && unit->efr & AMDVI_EFR_GA))
		return "the kernel gives CPUs ids of 32 bits, of which it knows 8 (XTSup is 0)";
	return NULL;
}

/**
 * amdvi_interrupts_init - remap interrupts
 * @x86: its queue runs, amdvi_interrupts_obstacle() knows none
 *
 * From then on no other interrupts of the devices get through.
 *
 * Return: 0 or an errno; amdvi_interrupts_fini() is called in any case
 */
int amdvi_interrupts_init(struct x86_unit *x86)
{
	struct amdvi_interrupts *interrupts = kzalloc(sizeof(*interrupts), GFP_KERNEL);
	struct amdvi_unit *unit = to_amdvi_unit(x86);
	int rc;

	if (!interrupts)
		return -ENOMEM;
	unit->interrupts = interrupts;
	interrupts->unit = unit;
	interrupts->wide = x2apic_mode;
	INIT_LIST_HEAD(&interrupts->tables);
	xa_init(&interrupts->by_id);
	interrupts->none = table_new(interrupts);
	if (!interrupts->none)
		return -ENOMEM;
	rc = x86_irqs_init(&interrupts->irqs, x86);
	if (!rc && interrupts->wide)
		amdvi_control(unit, 0, AMDVI_CTL_GA | AMDVI_CTL_XT);
	return rc;
}

/**
 * amdvi_interrupts_adopt - have a device take new interrupts from its unit
 * @x86: the unit
 * @dev: the device
 *
 * Nothing happens if the unit does not remap, or if the device takes its
 * interrupts from something else than the CPUs' vectors.
 */
void amdvi_interrupts_adopt(struct x86_unit *x86, struct device *dev)
{
	struct amdvi_unit *unit = to_amdvi_unit(x86);
	struct amdvi_interrupts *interrupts = unit->interrupts;
	struct pci_dev *pdev = to_pci_dev(dev);
	struct x86_interrupt model;

	if (!interrupts || !interrupts->irqs.domain ||
	    !x86_irqs_adopt(&interrupts->irqs, dev))
		return;
	model = (struct x86_interrupt){ .irqs = &interrupts->irqs };
	mutex_lock(&interrupts->irqs.lock);
	mutex_lock(&unit->x86.lock);
	/* another one with the same id may have some already */
	if (!amdvi_visit_ids(pdev, unit, find_table, &model))
		point(unit, pdev, model.table ?: interrupts->none);
	mutex_unlock(&unit->x86.lock);
	mutex_unlock(&interrupts->irqs.lock);
}

/**
 * amdvi_interrupts_abandon - have a device take new interrupts from the CPUs again
 * @x86: the unit
 * @dev: the device
 */
void amdvi_interrupts_abandon(struct x86_unit *x86, struct device *dev)
{
	struct amdvi_unit *unit = to_amdvi_unit(x86);

	if (unit->interrupts)
		x86_irqs_abandon(&unit->interrupts->irqs, dev);
}

static void pass_interrupts_through(struct amdvi_unit *unit)
{
	struct amdvi_batch batch;
	struct target target = { unit, NULL, &batch };
	unsigned int id;

	amdvi_batch_init(&batch, unit);
	mutex_lock(&unit->x86.lock);
	for (id = 0; id < AMDVI_NR_IDS; id++)
		if (unit->table[id].w[2] & AMDVI_DTE_2_IV)
			point_id(id, &target);
	mutex_unlock(&unit->x86.lock);
	amdvi_batch_run(&batch);
}

/**
 * amdvi_interrupts_fini - remap interrupts no more
 * @x86: no device takes interrupts from it, or has one
 */
void amdvi_interrupts_fini(struct x86_unit *x86)
{
	struct amdvi_unit *unit = to_amdvi_unit(x86);
	struct amdvi_interrupts *interrupts = unit->interrupts;
	struct amdvi_table *table, *next;

	if (!interrupts)
		return;
	pass_interrupts_through(unit);
	amdvi_control(unit, AMDVI_CTL_GA | AMDVI_CTL_XT, 0);
	x86_irqs_fini(&interrupts->irqs);
	xa_destroy(&interrupts->by_id);
	list_for_each_entry_safe(table, next, &interrupts->tables, link) {
		free_pages((unsigned long)table->entries, table->order);
		kfree(table);
	}
	kfree(interrupts);
	unit->interrupts = NULL;
}

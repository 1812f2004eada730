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
#include <linux/debugfs.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/msi.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include <asm/apic.h>
#include <asm/hw_irq.h>
#include <asm/irqdomain.h>
#include <asm/msi.h>

#include "spec/irq.h"
#include "vtd.h"

#define TABLE_ORDER	6
#define NR_HANDLES	((PAGE_SIZE << TABLE_ORDER) / sizeof(struct vtd_entry))

/**
 * struct vtd_interrupts - interrupt remapping of a unit
 * @domain: what PCI devices behind it take their message interrupts from
 * @table: read by hardware
 * @x2apic: entries have APIC ids of 32 bits
 * @lock: protects @handles
 * @handles: those in use
 * @users: struct vtd_interrupt by handle; entries come and go under @lock
 * @debugfs: shows the table
 */
struct vtd_interrupts {
	struct irq_domain *domain;
	struct vtd_entry *table;
	bool x2apic;
	struct mutex lock;
	DECLARE_BITMAP(handles, NR_HANDLES);
	struct xarray users;
	struct dentry *debugfs;
};

/**
 * struct vtd_interrupt - one interrupt; constant
 * @unit: the unit
 * @dev: the device, which outlives its interrupts
 * @irq: as in /proc/interrupts
 * @handle: index of its entry
 * @first: handle that the device is told, lower if it makes several of one message
 * @nr: how many these are
 * @source: upper half of its entry: whom it is taken from
 */
struct vtd_interrupt {
	struct vtd_unit *unit;
	struct device *dev;
	unsigned int irq;
	u16 handle;
	u16 first;
	u16 nr;
	u64 source;
};

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
static void entry_write(const struct vtd_interrupt *intr, u64 lo)
{
	struct vtd_entry *entry = &intr->unit->interrupts->table[intr->handle];

	WRITE_ONCE(entry->hi, intr->source);
	dma_wmb();
	WRITE_ONCE(entry->lo, lo);
	flush(intr->unit, entry, sizeof(*entry));
	vtd_forget_interrupt(intr->unit, intr->handle);
}

/* To where the vector domain wants it. */
static void entry_aim(struct irq_data *data)
{
	const struct vtd_interrupt *intr = irq_data_get_irq_chip_data(data);
	const struct irq_cfg *cfg = irqd_cfg(data);

	entry_write(intr, VTD_IRTE_LO_P |
		    (apic->dest_mode_logical ? VTD_IRTE_LO_DM : 0) |
		    FIELD_PREP(VTD_IRTE_LO_DLM, APIC_DELIVERY_MODE_FIXED) |
		    FIELD_PREP(VTD_IRTE_LO_V, cfg->vector) |
		    (intr->unit->interrupts->x2apic ?
		     FIELD_PREP(VTD_IRTE_LO_DST, cfg->dest_apicid) :
		     FIELD_PREP(VTD_IRTE_LO_DST_XAPIC, cfg->dest_apicid & 0xff)));
}

static int interrupt_set_affinity(struct irq_data *data,
				  const struct cpumask *mask, bool force)
{
	struct irq_data *parent = data->parent_data;
	int rc = parent->chip->irq_set_affinity(parent, mask, force);

	if (rc < 0 || rc == IRQ_SET_MASK_OK_DONE)
		return rc;
	entry_aim(data);
	/* the message that the device sends stays what it is */
	return IRQ_SET_MASK_OK_DONE;
}

static void interrupt_compose(struct irq_data *data, struct msi_msg *msg)
{
	const struct vtd_interrupt *intr = irq_data_get_irq_chip_data(data);

	*msg = (struct msi_msg){};
	msg->arch_addr_lo.dmar_base_address = X86_MSI_BASE_ADDRESS_LOW;
	msg->arch_addr_lo.dmar_format = 1;
	msg->arch_addr_lo.dmar_subhandle_valid = intr->nr > 1;
	msg->arch_addr_lo.dmar_index_0_14 = intr->first & 0x7fff;
	msg->arch_addr_lo.dmar_index_15 = intr->first >> 15;
}

static struct irq_chip interrupt_chip = {
	.name = "VTD",
	.irq_ack = irq_chip_ack_parent,
	.irq_set_affinity = interrupt_set_affinity,
	.irq_compose_msi_msg = interrupt_compose,
};

static int handles_take(struct vtd_interrupts *interrupts, unsigned int nr)
{
	unsigned long first;

	mutex_lock(&interrupts->lock);
	first = bitmap_find_next_zero_area(interrupts->handles, NR_HANDLES, 0,
					   nr, 0);
	if (first < NR_HANDLES)
		bitmap_set(interrupts->handles, first, nr);
	mutex_unlock(&interrupts->lock);
	return first < NR_HANDLES ? first : -ENOSPC;
}

static void handle_put(struct vtd_interrupts *interrupts, unsigned int handle)
{
	mutex_lock(&interrupts->lock);
	kfree(xa_erase(&interrupts->users, handle));
	clear_bit(handle, interrupts->handles);
	mutex_unlock(&interrupts->lock);
}

static int interrupt_make(struct irq_domain *domain, unsigned int irq,
			  const struct vtd_interrupt *model)
{
	struct vtd_interrupts *interrupts = model->unit->interrupts;
	struct vtd_interrupt *intr;
	int rc;

	intr = kmemdup(model, sizeof(*model), GFP_KERNEL);
	if (!intr)
		return -ENOMEM;
	intr->irq = irq;
	mutex_lock(&interrupts->lock);
	rc = xa_err(xa_store(&interrupts->users, intr->handle, intr,
			     GFP_KERNEL));
	mutex_unlock(&interrupts->lock);
	if (rc) {
		kfree(intr);
		return rc;
	}
	irq_domain_set_hwirq_and_chip(domain, irq, intr->handle,
				      &interrupt_chip, intr);
	/* no need to wait for the interrupt to come once more at the old CPU */
	irq_set_status_flags(irq, IRQ_MOVE_PCNTXT);
	return 0;
}

static int interrupts_alloc(struct irq_domain *domain, unsigned int irq,
			    unsigned int nr, void *arg)
{
	struct vtd_unit *unit = domain->host_data;
	struct irq_alloc_info *info = arg;
	struct vtd_interrupt model = { .unit = unit, .nr = nr };
	unsigned int i;
	int rc;

	if (!info || !info->desc || (info->type != X86_IRQ_ALLOC_TYPE_PCI_MSI &&
				     info->type != X86_IRQ_ALLOC_TYPE_PCI_MSIX))
		return -EINVAL;
	rc = irq_domain_alloc_irqs_parent(domain, irq, nr, arg);
	if (rc < 0)
		return rc;
	rc = handles_take(unit->interrupts, nr);
	if (rc < 0)
		goto err_parent;
	model.first = rc;
	model.dev = info->desc->dev;
	model.source = interrupt_source(unit, model.dev);
	for (i = 0; i < nr; i++) {
		model.handle = model.first + i;
		rc = interrupt_make(domain, irq + i, &model);
		if (rc)
			goto err_handles;
	}
	return 0;

err_handles:
	for (i = 0; i < nr; i++)
		handle_put(unit->interrupts, model.first + i);
err_parent:
	irq_domain_free_irqs_common(domain, irq, nr);
	return rc;
}

static void interrupts_free(struct irq_domain *domain, unsigned int irq,
			    unsigned int nr)
{
	struct vtd_unit *unit = domain->host_data;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		struct irq_data *data = irq_domain_get_irq_data(domain, irq + i);
		struct vtd_interrupt *intr = irq_data_get_irq_chip_data(data);

		entry_write(intr, 0);
		handle_put(unit->interrupts, intr->handle);
	}
	irq_domain_free_irqs_common(domain, irq, nr);
}

static int interrupt_activate(struct irq_domain *domain, struct irq_data *data,
			      bool early)
{
	entry_aim(data);
	return 0;
}

static void interrupt_deactivate(struct irq_domain *domain,
				 struct irq_data *data)
{
	entry_write(irq_data_get_irq_chip_data(data), 0);
}

static const struct irq_domain_ops interrupt_ops = {
	.alloc = interrupts_alloc,
	.free = interrupts_free,
	.activate = interrupt_activate,
	.deactivate = interrupt_deactivate,
};

static bool init_device(struct device *dev, struct irq_domain *domain,
			struct irq_domain *real, struct msi_domain_info *info)
{
	struct irq_domain *vectors = domain->parent;

	return vectors->msi_parent_ops->init_dev_msi_info(dev, vectors, real,
							  info);
}

static const struct msi_parent_ops parent_ops = {
	.supported_flags = X86_VECTOR_MSI_FLAGS_SUPPORTED | MSI_FLAG_MULTI_PCI_MSI,
	.prefix = "VTD-",
	.init_dev_msi_info = init_device,
};

/* The global status, and what hardware reads: a line for each entry in use. */
static int table_show(struct seq_file *m, void *unused)
{
	struct vtd_unit *unit = m->private;
	struct vtd_interrupts *interrupts = unit->interrupts;
	const struct vtd_interrupt *intr;
	unsigned long handle;

	seq_printf(m, "status=%#x entries=%zu\n", vtd_read(unit, VTD_GSTS),
		   NR_HANDLES);
	mutex_lock(&interrupts->lock);
	xa_for_each(&interrupts->users, handle, intr) {
		const struct vtd_entry *entry = &interrupts->table[handle];
		u64 lo = READ_ONCE(entry->lo);

		seq_printf(m, "handle=%#lx device=%s irq=%u present=%u vector=%#x apic=%#x svt=%u sq=%u sid=%#x\n",
			   handle, dev_name(intr->dev), intr->irq,
			   (unsigned int)(lo & VTD_IRTE_LO_P),
			   (unsigned int)FIELD_GET(VTD_IRTE_LO_V, lo),
			   (unsigned int)(interrupts->x2apic ?
				FIELD_GET(VTD_IRTE_LO_DST, lo) :
				FIELD_GET(VTD_IRTE_LO_DST_XAPIC, lo)),
			   (unsigned int)FIELD_GET(VTD_IRTE_HI_SVT, entry->hi),
			   (unsigned int)FIELD_GET(VTD_IRTE_HI_SQ, entry->hi),
			   (unsigned int)FIELD_GET(VTD_IRTE_HI_SID, entry->hi));
	}
	mutex_unlock(&interrupts->lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(table);

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
 * @unit: the unit
 * @strict: whatever is not PCI may lose its interrupts
 *
 * Return: the end of a sentence, or NULL if it can
 */
const char *vtd_interrupts_obstacle(const struct vtd_unit *unit, bool strict)
{
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

static int domain_init(struct vtd_unit *unit)
{
	struct irq_domain *domain;
	struct fwnode_handle *fwnode;
	char name[32];

	snprintf(name, sizeof(name), "%s-interrupts", unit->name);
	fwnode = irq_domain_alloc_named_fwnode(name);
	if (!fwnode)
		return -ENOMEM;
	domain = irq_domain_create_hierarchy(x86_vector_domain, 0, NR_HANDLES,
					     fwnode, &interrupt_ops, unit);
	if (!domain) {
		irq_domain_free_fwnode(fwnode);
		return -ENOMEM;
	}
	irq_domain_update_bus_token(domain, DOMAIN_BUS_DMAR);
	domain->flags |= IRQ_DOMAIN_FLAG_MSI_PARENT |
			 IRQ_DOMAIN_FLAG_ISOLATED_MSI;
	domain->msi_parent_ops = &parent_ops;
	unit->interrupts->domain = domain;
	return 0;
}

/**
 * vtd_interrupts_init - remap interrupts
 * @unit: its queue runs, vtd_interrupts_obstacle() knows none
 *
 * From then on no other interrupts of the devices get through.
 *
 * Return: 0 or an errno; vtd_interrupts_fini() is called in any case
 */
int vtd_interrupts_init(struct vtd_unit *unit)
{
	struct vtd_interrupts *interrupts = kzalloc(sizeof(*interrupts), GFP_KERNEL);
	int rc;

	if (!interrupts)
		return -ENOMEM;
	mutex_init(&interrupts->lock);
	xa_init(&interrupts->users);
	interrupts->x2apic = x2apic_mode;
	unit->interrupts = interrupts;
	interrupts->table = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO,
						     TABLE_ORDER);
	if (!interrupts->table)
		return -ENOMEM;
	rc = domain_init(unit);
	if (!rc)
		rc = table_enable(unit);
	if (rc)
		return rc;
	interrupts->debugfs = debugfs_create_dir(unit->name, vtd_debugfs);
	debugfs_create_file("interrupts", 0400, interrupts->debugfs, unit,
			    &table_fops);
	return 0;
}

/**
 * vtd_interrupts_adopt - have a device take new interrupts from its unit
 * @unit: the unit
 * @dev: the device
 *
 * Nothing happens if the unit does not remap, or if the device takes its
 * interrupts from something else than the CPUs' vectors.
 */
void vtd_interrupts_adopt(struct vtd_unit *unit, struct device *dev)
{
	if (unit->interrupts && dev_get_msi_domain(dev) == x86_vector_domain)
		dev_set_msi_domain(dev, unit->interrupts->domain);
}

/**
 * vtd_interrupts_abandon - have a device take new interrupts from the CPUs again
 * @unit: the unit
 * @dev: the device
 */
void vtd_interrupts_abandon(struct vtd_unit *unit, struct device *dev)
{
	if (unit->interrupts &&
	    dev_get_msi_domain(dev) == unit->interrupts->domain)
		dev_set_msi_domain(dev, x86_vector_domain);
}

/**
 * vtd_interrupts_fini - remap interrupts no more
 * @unit: no device takes interrupts from it, or has one
 */
void vtd_interrupts_fini(struct vtd_unit *unit)
{
	struct vtd_interrupts *interrupts = unit->interrupts;
	struct fwnode_handle *fwnode;

	if (!interrupts)
		return;
	debugfs_remove(interrupts->debugfs);
	if (vtd_read(unit, VTD_GSTS) & VTD_GCMD_IRE)
		vtd_command(unit, VTD_GCMD_IRE, false);
	if (interrupts->domain) {
		fwnode = interrupts->domain->fwnode;
		irq_domain_remove(interrupts->domain);
		irq_domain_free_fwnode(fwnode);
	}
	xa_destroy(&interrupts->users);
	free_pages((unsigned long)interrupts->table, TABLE_ORDER);
	kfree(interrupts);
	unit->interrupts = NULL;
}

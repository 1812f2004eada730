// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts of devices, given by their IOMMU: an irq_domain of each unit sits between
 * the per-device MSI domains of PCI devices and the vector domain of the CPUs. What
 * an entry looks like, and what message leads to it, is the driver's.
 *
 * IOAPICs and HPETs are set up by the kernel before any module is there, and have no
 * part in it.
 */
#include <linux/debugfs.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/msi.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <asm/hw_irq.h>
#include <asm/irqdomain.h>
#include <asm/msi.h>

#include "irq.h"

/* To where the vector domain wants it. */
static void interrupt_aim(struct irq_data *data)
{
	const struct x86_interrupt *intr = irq_data_get_irq_chip_data(data);
	const struct irq_cfg *cfg = irqd_cfg(data);

	x86_irq_driver.write(intr, cfg->vector, cfg->dest_apicid);
}

static int interrupt_set_affinity(struct irq_data *data,
				  const struct cpumask *mask, bool force)
{
	struct irq_data *parent = data->parent_data;
	int rc = parent->chip->irq_set_affinity(parent, mask, force);

	if (rc < 0 || rc == IRQ_SET_MASK_OK_DONE)
		return rc;
	interrupt_aim(data);
	/* the message that the device sends stays what it is */
	return IRQ_SET_MASK_OK_DONE;
}

static void interrupt_compose(struct irq_data *data, struct msi_msg *msg)
{
	*msg = (struct msi_msg){};
	x86_irq_driver.compose(irq_data_get_irq_chip_data(data), msg);
}

static struct irq_chip interrupt_chip = {
	.name = X86_IRQ_NAME,
	.irq_ack = irq_chip_ack_parent,
	.irq_set_affinity = interrupt_set_affinity,
	.irq_compose_msi_msg = interrupt_compose,
};

static int interrupt_make(struct irq_domain *domain, unsigned int irq,
			  const struct x86_interrupt *model)
{
	struct x86_interrupt *intr = kmemdup(model, sizeof(*model), GFP_KERNEL);

	if (!intr)
		return -ENOMEM;
	intr->irq = irq;
	mutex_lock(&model->irqs->lock);
	list_add_tail(&intr->link, &model->irqs->interrupts);
	mutex_unlock(&model->irqs->lock);
	/* an index may be that of several devices */
	irq_domain_set_hwirq_and_chip(domain, irq,
				      (irq_hw_number_t)pci_dev_id(intr->pdev) << 16 |
				      intr->index, &interrupt_chip, intr);
	/* no need to wait for the interrupt to come once more at the old CPU */
	irq_set_status_flags(irq, IRQ_MOVE_PCNTXT);
	return 0;
}

static void interrupts_unmake(struct irq_domain *domain, unsigned int irq,
			      unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		struct irq_data *data = irq_domain_get_irq_data(domain, irq + i);
		struct x86_interrupt *intr = irq_data_get_irq_chip_data(data);

		x86_irq_driver.clear(intr);
		mutex_lock(&intr->irqs->lock);
		list_del(&intr->link);
		x86_irq_driver.put(intr);
		mutex_unlock(&intr->irqs->lock);
		kfree(intr);
	}
}

static int interrupts_alloc(struct irq_domain *domain, unsigned int irq,
			    unsigned int nr, void *arg)
{
	struct x86_irqs *irqs = domain->host_data;
	struct x86_interrupt model = { .irqs = irqs, .nr = nr };
	struct irq_alloc_info *info = arg;
	unsigned int i;
	int rc;

	if (!info || !info->desc || (info->type != X86_IRQ_ALLOC_TYPE_PCI_MSI &&
				     info->type != X86_IRQ_ALLOC_TYPE_PCI_MSIX))
		return -EINVAL;
	rc = irq_domain_alloc_irqs_parent(domain, irq, nr, arg);
	if (rc < 0)
		return rc;
	model.pdev = to_pci_dev(info->desc->dev);
	mutex_lock(&irqs->lock);
	rc = x86_irq_driver.take(&model);
	mutex_unlock(&irqs->lock);
	if (rc)
		goto err_parent;
	for (i = 0; i < nr; i++) {
		model.index = model.first + i;
		rc = interrupt_make(domain, irq + i, &model);
		if (rc)
			goto err_made;
	}
	return 0;

err_made:
	interrupts_unmake(domain, irq, i);
	mutex_lock(&irqs->lock);
	for (; i < nr; i++) {
		model.index = model.first + i;
		x86_irq_driver.put(&model);
	}
	mutex_unlock(&irqs->lock);
err_parent:
	irq_domain_free_irqs_common(domain, irq, nr);
	return rc;
}

static void interrupts_free(struct irq_domain *domain, unsigned int irq,
			    unsigned int nr)
{
	interrupts_unmake(domain, irq, nr);
	irq_domain_free_irqs_common(domain, irq, nr);
}

static int interrupt_activate(struct irq_domain *domain, struct irq_data *data,
			      bool early)
{
	interrupt_aim(data);
	return 0;
}

static void interrupt_deactivate(struct irq_domain *domain,
				 struct irq_data *data)
{
	x86_irq_driver.clear(irq_data_get_irq_chip_data(data));
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
	.prefix = X86_IRQ_NAME "-",
	.init_dev_msi_info = init_device,
};

/* What hardware reads: a line for each entry in use. */
static int table_show(struct seq_file *m, void *unused)
{
	struct x86_irqs *irqs = m->private;
	const struct x86_interrupt *intr;

	mutex_lock(&irqs->lock);
	x86_irq_driver.show_unit(m, irqs->unit);
	list_for_each_entry(intr, &irqs->interrupts, link) {
		seq_printf(m, "handle=%#x device=%s irq=%u ", intr->index,
			   pci_name(intr->pdev), intr->irq);
		x86_irq_driver.show(m, intr);
	}
	mutex_unlock(&irqs->lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(table);

/**
 * x86_irqs_init - have a unit give interrupts
 * @irqs: the unit's; x86_irqs_fini() is called in any case
 * @unit: the unit
 *
 * Return: 0 or -ENOMEM
 */
int x86_irqs_init(struct x86_irqs *irqs, struct x86_unit *unit)
{
	struct fwnode_handle *fwnode;
	char name[32];

	irqs->unit = unit;
	mutex_init(&irqs->lock);
	INIT_LIST_HEAD(&irqs->interrupts);
	snprintf(name, sizeof(name), "%s-interrupts", unit->name);
	fwnode = irq_domain_alloc_named_fwnode(name);
	if (!fwnode)
		return -ENOMEM;
	irqs->domain = irq_domain_create_hierarchy(x86_vector_domain, 0, 0, fwnode,
						   &interrupt_ops, irqs);
	if (!irqs->domain) {
		irq_domain_free_fwnode(fwnode);
		return -ENOMEM;
	}
	irq_domain_update_bus_token(irqs->domain, DOMAIN_BUS_DMAR);
	irqs->domain->flags |= IRQ_DOMAIN_FLAG_MSI_PARENT |
			       IRQ_DOMAIN_FLAG_ISOLATED_MSI;
	irqs->domain->msi_parent_ops = &parent_ops;
	irqs->debugfs = debugfs_create_dir(unit->name, x86_debugfs);
	debugfs_create_file("interrupts", 0400, irqs->debugfs, irqs, &table_fops);
	return 0;
}

/**
 * x86_irqs_fini - undo x86_irqs_init()
 * @irqs: no device has an interrupt of it
 */
void x86_irqs_fini(struct x86_irqs *irqs)
{
	struct fwnode_handle *fwnode;

	debugfs_remove(irqs->debugfs);
	if (!irqs->domain)
		return;
	fwnode = irqs->domain->fwnode;
	irq_domain_remove(irqs->domain);
	irq_domain_free_fwnode(fwnode);
	irqs->domain = NULL;
}

/**
 * x86_irqs_adopt - have a device take its next interrupts from its unit
 * @irqs: the unit's
 * @dev: the device
 *
 * Return: whether it does; not if it takes its interrupts from something else than
 * the CPUs' vectors
 */
bool x86_irqs_adopt(struct x86_irqs *irqs, struct device *dev)
{
	if (dev_get_msi_domain(dev) == x86_vector_domain)
		dev_set_msi_domain(dev, irqs->domain);
	return dev_get_msi_domain(dev) == irqs->domain;
}

/**
 * x86_irqs_abandon - have a device take its next interrupts from the CPUs again
 * @irqs: the unit's
 * @dev: the device
 */
void x86_irqs_abandon(struct x86_irqs *irqs, struct device *dev)
{
	if (irqs->domain && dev_get_msi_domain(dev) == irqs->domain)
		dev_set_msi_domain(dev, x86_vector_domain);
}

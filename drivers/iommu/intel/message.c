// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts that a unit raises itself: messages made from a CPU vector, which
 * are not remapped. Each has the same four registers in a row: control, data, address,
 * upper address. The offset of the first is its number in the unit's irq_domain.
 */
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/msi.h>
#include <asm/apic.h>
#include <asm/hw_irq.h>
#include <asm/irqdomain.h>
#include <asm/msi.h>

#include "vtd.h"

#define MESSAGE_DATA	0x4
#define MESSAGE_ADDRESS	0x8
#define MESSAGE_UPPER	0xc

static void message_set(struct irq_data *data, unsigned int reg, u32 value)
{
	vtd_write(data->domain->host_data, irqd_to_hwirq(data) + reg, value);
}

/* Where the message goes is what the vector domain has chosen for the CPU. */
static void message_write(struct irq_data *data)
{
	struct irq_cfg *cfg = irqd_cfg(data);
	struct msi_msg msg = {};

	msg.arch_addr_lo.base_address = X86_MSI_BASE_ADDRESS_LOW;
	msg.arch_addr_lo.dest_mode_logical = apic->dest_mode_logical;
	msg.arch_addr_lo.destid_0_7 = cfg->dest_apicid & 0xff;
	msg.arch_addr_hi.destid_8_31 = cfg->dest_apicid >> 8;
	msg.arch_data.delivery_mode = APIC_DELIVERY_MODE_FIXED;
	msg.arch_data.vector = cfg->vector;
	message_set(data, MESSAGE_DATA, msg.data);
	message_set(data, MESSAGE_ADDRESS, msg.address_lo);
	message_set(data, MESSAGE_UPPER, msg.address_hi);
}

static int message_set_affinity(struct irq_data *data,
				const struct cpumask *mask, bool force)
{
	struct irq_data *parent = data->parent_data;
	int rc = parent->chip->irq_set_affinity(parent, mask, force);

	if (rc >= 0 && rc != IRQ_SET_MASK_OK_DONE)
		message_write(data);
	return rc;
}

static void message_control(struct irq_data *data, u32 value)
{
	message_set(data, 0, value);
	/* has arrived when this is answered */
	vtd_read(data->domain->host_data, irqd_to_hwirq(data));
}

static void message_mask(struct irq_data *data)
{
	message_control(data, VTD_MESSAGE_IM);
}

static void message_unmask(struct irq_data *data)
{
	message_control(data, 0);
}

static struct irq_chip message_chip = {
	.name = "VTD",
	.irq_mask = message_mask,
	.irq_unmask = message_unmask,
	.irq_ack = irq_chip_ack_parent,
	.irq_set_affinity = message_set_affinity,
	.irq_retrigger = irq_chip_retrigger_hierarchy,
	.flags = IRQCHIP_SKIP_SET_WAKE | IRQCHIP_AFFINITY_PRE_STARTUP,
};

static int message_alloc(struct irq_domain *domain, unsigned int virq,
			 unsigned int nr, void *arg)
{
	struct irq_alloc_info *info = arg;
	irq_hw_number_t control = info->hwirq;
	int rc = irq_domain_alloc_irqs_parent(domain, virq, nr, arg);

	if (!rc)
		irq_domain_set_info(domain, virq, control, &message_chip,
				    domain->host_data, handle_edge_irq, NULL,
				    "edge");
	return rc;
}

static int message_activate(struct irq_domain *domain, struct irq_data *data,
			    bool early)
{
	message_write(data);
	return 0;
}

static const struct irq_domain_ops message_ops = {
	.alloc = message_alloc,
	.free = irq_domain_free_irqs_common,
	.activate = message_activate,
};

/**
 * vtd_messages_init - be ready to have messages
 * @unit: does not translate yet
 *
 * Return: 0 or -ENOMEM; vtd_messages_fini() is called in any case
 */
int vtd_messages_init(struct vtd_unit *unit)
{
	struct fwnode_handle *fwnode;

	fwnode = irq_domain_alloc_named_fwnode(unit->x86.name);
	if (!fwnode)
		return -ENOMEM;
	unit->irq_domain = irq_domain_create_hierarchy(x86_vector_domain, 0, 0,
						       fwnode, &message_ops,
						       unit);
	if (unit->irq_domain)
		return 0;
	irq_domain_free_fwnode(fwnode);
	return -ENOMEM;
}

/**
 * vtd_messages_fini - undo vtd_messages_init()
 * @unit: has no messages any more
 */
void vtd_messages_fini(struct vtd_unit *unit)
{
	struct fwnode_handle *fwnode;

	if (!unit->irq_domain)
		return;
	fwnode = unit->irq_domain->fwnode;
	irq_domain_remove(unit->irq_domain);
	irq_domain_free_fwnode(fwnode);
}

/**
 * vtd_message_request - have a message, and handle it in a thread
 * @unit: the unit
 * @control: offset of its control register
 * @name: as in /proc/interrupts; stays
 * @handler: gets @unit
 *
 * Context: may sleep.
 * Return: its interrupt number, or an errno
 */
int vtd_message_request(struct vtd_unit *unit, unsigned int control,
			const char *name, irq_handler_t handler)
{
	struct irq_alloc_info info = {
		.type = X86_IRQ_ALLOC_TYPE_DMAR,
		.hwirq = control,
	};
	int irq, rc;

	irq = irq_domain_alloc_irqs(unit->irq_domain, 1, NUMA_NO_NODE, &info);
	if (irq < 0)
		return irq;
	rc = request_threaded_irq(irq, NULL, handler, IRQF_ONESHOT, name, unit);
	if (!rc)
		return irq;
	irq_dispose_mapping(irq);
	return rc;
}

/**
 * vtd_message_free - undo vtd_message_request()
 * @unit: the unit
 * @irq: what vtd_message_request() has returned
 *
 * Context: may sleep. The handler is not running any more on return.
 */
void vtd_message_free(struct vtd_unit *unit, int irq)
{
	free_irq(irq, unit);
	irq_dispose_mapping(irq);
}

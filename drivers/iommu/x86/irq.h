/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupts that a unit gives to devices. A driver that includes this has defined
 * X86_IRQ_NAME before, which is shown in /proc/interrupts.
 */
#ifndef __IOMMU_X86_IRQ_H
#define __IOMMU_X86_IRQ_H

#include <linux/msi.h>
#include <linux/mutex.h>
#include <linux/pci.h>

#include "x86.h"

struct dentry;
struct irq_domain;
struct seq_file;

/**
 * struct x86_irqs - interrupts of a unit
 * @unit: the unit
 * @domain: what PCI devices behind it take their message interrupts from
 * @lock: protects @interrupts, and the driver's record of what is in use
 * @interrupts: struct x86_interrupt
 * @debugfs: shows them
 */
struct x86_irqs {
	struct x86_unit *unit;
	struct irq_domain *domain;
	struct mutex lock;
	struct list_head interrupts;
	struct dentry *debugfs;
};

/**
 * struct x86_interrupt - one interrupt; constant
 * @link: in x86_irqs.interrupts
 * @irqs: of the unit
 * @pdev: the device, which outlives its interrupts
 * @irq: as in /proc/interrupts
 * @index: of its entry
 * @first: what the device is told, lower if it makes several of one message
 * @nr: how many these are
 * @source: the driver's: whom it is taken from
 * @table: the driver's: where its entry is
 */
struct x86_interrupt {
	struct list_head link;
	struct x86_irqs *irqs;
	struct pci_dev *pdev;
	unsigned int irq;
	u16 index;
	u16 first;
	u16 nr;
	u64 source;
	void *table;
};

/**
 * struct x86_irq_driver - what an entry is
 * @take: find @model->nr free entries that follow each other: @first, @source and
 *	  @table are filled in. 0 or an errno; may sleep
 * @put: the entry at @index is free again
 * @write: enter where an interrupt goes. Context: any
 * @clear: nobody has it any more; as @write
 * @compose: the message that leads to the entry
 * @show: the rest of a line about the entry
 * @show_unit: a line about the unit
 *
 * take, put and the two for debugfs are called with x86_irqs.lock held.
 */
struct x86_irq_driver {
	int (*take)(struct x86_interrupt *model);
	void (*put)(const struct x86_interrupt *intr);
	void (*write)(const struct x86_interrupt *intr, u8 vector, u32 apic);
	void (*clear)(const struct x86_interrupt *intr);
	void (*compose)(const struct x86_interrupt *intr, struct msi_msg *msg);
	void (*show)(struct seq_file *m, const struct x86_interrupt *intr);
	void (*show_unit)(struct seq_file *m, struct x86_unit *unit);
};

/* The driver's. */
extern const struct x86_irq_driver x86_irq_driver;

int x86_irqs_init(struct x86_irqs *irqs, struct x86_unit *unit);
void x86_irqs_fini(struct x86_irqs *irqs);
bool x86_irqs_adopt(struct x86_irqs *irqs, struct device *dev);
void x86_irqs_abandon(struct x86_irqs *irqs, struct device *dev);

#endif

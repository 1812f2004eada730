/* SPDX-License-Identifier: GPL-2.0 */
/* Interrupts of devices, as our drivers and the kernel show them. */
#ifndef IOMMU_OWN_IRQ_H
#define IOMMU_OWN_IRQ_H

#include <stdbool.h>

/*
 * A line of the file "interrupts" in the driver's debugfs folder. The last three are
 * VT-d's; a device of AMD-Vi has a table of its own instead.
 */
struct own_irq {
	unsigned int handle;
	unsigned int irq;
	unsigned int present;
	unsigned int vector;
	unsigned int apic;
	unsigned int svt;
	unsigned int sq;
	unsigned int sid;
};

/* Do units of VT-d isolate interrupts? The global status of the first that does. */
bool own_irq_status(unsigned int *status);

/* The nth interrupt of a device; false if it has no more. */
bool own_irq_find(const char *bdf, int nth, struct own_irq *out);

/* How often it came, at one CPU or at all (-1), by /proc/interrupts. */
unsigned long irq_count(unsigned int irq, int cpu);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/* Interrupts of devices, as iommu_vtd and the kernel show them. */
#ifndef IOMMU_VTD_IRQ_H
#define IOMMU_VTD_IRQ_H

#include <stdbool.h>

/* A line of the file "interrupts" in iommu_vtd's debugfs folder. */
struct vtd_irq {
	unsigned int handle;
	unsigned int irq;
	unsigned int present;
	unsigned int vector;
	unsigned int apic;
	unsigned int svt;
	unsigned int sq;
	unsigned int sid;
};

/* Do units isolate interrupts? The global status of the first that does. */
bool vtd_irq_status(unsigned int *status);

/* The nth interrupt of a device; false if it has no more. */
bool vtd_irq_find(const char *bdf, int nth, struct vtd_irq *out);

/* How often it came, at one CPU or at all (-1), by /proc/interrupts. */
unsigned long irq_count(unsigned int irq, int cpu);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/* PCI devices and their drivers, through sysfs. */
#ifndef LIB_PCI_H
#define LIB_PCI_H

#include <stdbool.h>
#include <stddef.h>

/* "0000:00:04.0" and the byte behind it */
typedef char pci_bdf[16];

#define PCI_EDU	0x1234, 0x11e8
#define PCI_IGB	0x8086, 0x10c9

/* The nth device (from 0) of this kind, by address; false if there is none. */
bool pci_find(unsigned int vendor, unsigned int device, int nth, pci_bdf bdf);

/* The name of its driver, "" if none. */
void pci_driver(const char *bdf, char *name, size_t size);

/*
 * Give the device to this driver, whichever had it, by driver_override. 0 or a
 * negative errno. "" takes it from its driver and leaves it without.
 */
int pci_bind(const char *bdf, const char *driver);

/* What pci_bind() changed, undone: the kernel's own choice of a driver. */
int pci_restore(const char *bdf);

/* The number of its IOMMU group, negative without one. */
int pci_group(const char *bdf);

/* The nth other device of its group. */
bool pci_group_peer(const char *bdf, int nth, pci_bdf peer);

/* A small file of its sysfs folder as a line without its end; -errno. */
int pci_attr(const char *bdf, const char *name, char *value, size_t size);

#endif

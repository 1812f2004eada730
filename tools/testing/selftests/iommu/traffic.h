/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A disk and a network of the host at work: blocks are read and compared with what
 * was written there, a peer is pinged and its answers are compared.
 */
#ifndef IOMMU_TRAFFIC_H
#define IOMMU_TRAFFIC_H

#include "pci.h"

#define PCI_NVME	0x1b36, 0x0010
#define PCI_E1000E	0x8086, 0x10d3

/* The disk of an NVMe device, waiting until it is there; -errno. */
int disk_open(const char *bdf);
/* Write what the blocks are compared with from then on. */
void disk_fill(int fd);
/* Read every block once. */
void disk_verify(int fd);

/* Have the network of a device up, as QEMU's user network wants it. */
void net_up(const char *bdf);

/* Both at work until the test ends; what goes wrong there ends it as failed. */
void traffic_start(const char *disk, const char *net);
/* Both have come further by some blocks and pings. */
void traffic_goes_on(void);

#endif

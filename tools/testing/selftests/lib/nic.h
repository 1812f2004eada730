/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Intel network controllers driven from user space, without interrupts and without
 * a network: what is sent comes back through the controller's own loopback. It
 * reads descriptors and the packet, and writes the packet and descriptors, by DMA.
 */
#ifndef LIB_NIC_H
#define LIB_NIC_H

#include <stdbool.h>
#include <stdint.h>

#include "vdev.h"

#define PCI_E1000E	0x8086, 0x10d3

/* What the driver has for itself: so much memory, mapped for the device. */
#define NIC_RINGS_SIZE	(2 * 4096UL)

/* Packets are so long at least and at most. */
#define NIC_PACKET_MIN	60
#define NIC_PACKET_MAX	1514

struct nic {
	struct vdev *vdev;
	volatile uint8_t *regs;
	size_t size;
	bool igb;	/* 82576, otherwise 82574 */
	volatile uint8_t *rx;
	volatile uint8_t *tx;
	unsigned int next;
};

/* The device is attached to a table in which NIC_RINGS_SIZE bytes are at iova. */
int nic_init(struct nic *n, struct vdev *vdev, bool igb, void *memory, uint64_t iova);
void nic_fini(struct nic *n);

/*
 * Send so many bytes at one address and receive them at another, where 2048 bytes
 * are mapped. 0; -EIO if nothing was received within ms, -ETIMEDOUT if it was not
 * even sent.
 */
int nic_loop(struct nic *n, uint64_t from, uint64_t to, unsigned int len, int ms);

#endif

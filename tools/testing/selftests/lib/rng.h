/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtio random number generator driven from user space, without interrupts: it
 * writes bytes that nobody knows before to where it is told.
 */
#ifndef LIB_RNG_H
#define LIB_RNG_H

#include <stdint.h>

#include "vdev.h"

#define PCI_RNG		0x1af4, 0x1044

/* What the driver has for itself: so much memory, mapped for the device. */
#define RNG_QUEUE_SIZE	4096UL

struct rng {
	struct vdev *vdev;
	volatile uint8_t *bar;
	size_t size;
	volatile uint8_t *common;
	volatile uint16_t *notify;
	volatile uint8_t *queue;
	uint64_t iova;
	uint16_t next;
};

/* The device is attached to a table in which RNG_QUEUE_SIZE bytes are at iova. */
int rng_init(struct rng *r, struct vdev *vdev, void *memory, uint64_t iova);
void rng_fini(struct rng *r);
/* So many bytes to iova; -ETIMEDOUT if it is not done within ms. */
int rng_fill(struct rng *r, uint64_t iova, uint32_t len, int ms);

#endif

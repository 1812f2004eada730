/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An NVMe controller driven from user space, without interrupts: the admin queue
 * and one pair of queues for blocks. The device fetches commands, reads and
 * writes data and completes, all by DMA.
 */
#ifndef LIB_NVME_H
#define LIB_NVME_H

#include <stdint.h>

#include "vdev.h"

/* What the driver has for itself: so much memory, mapped for the device. */
#define NVME_QUEUES_SIZE	(4 * 4096UL)

struct nvme_queue {
	volatile uint8_t *commands;
	volatile uint8_t *completions;
	unsigned int id;
	unsigned int tail;
	unsigned int head;
	unsigned int phase;
};

struct nvme {
	struct vdev *vdev;
	volatile uint8_t *regs;
	size_t size;
	unsigned int stride;	/* bytes between doorbells */
	uint16_t cid;
	struct nvme_queue admin;
	struct nvme_queue io;
};

/*
 * All give 0, a negative errno, or the status of a command that failed, which is
 * greater than 0. -ETIMEDOUT: no completion within 10 s.
 */

/*
 * The device is attached to a table in which NVME_QUEUES_SIZE bytes of memory are
 * at iova, in one piece: starts the controller.
 */
int nvme_init(struct nvme *n, struct vdev *vdev, void *memory, uint64_t iova);
void nvme_fini(struct nvme *n);
/* 4096 bytes about the controller to iova */
int nvme_identify(struct nvme *n, uint64_t iova);
/* One page of blocks, the index counts pages: between the disk and iova. */
int nvme_read(struct nvme *n, uint64_t page, uint64_t iova);
int nvme_write(struct nvme *n, uint64_t page, uint64_t iova);

#endif

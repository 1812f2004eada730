/* SPDX-License-Identifier: GPL-2.0 */
/*
 * QEMU's teaching device: a DMA engine and 4096 bytes of memory of its own.
 * It reads and writes addresses below 256 MiB (28 bits) only, one command at a
 * time, each of which takes about 0.1 s.
 */
#ifndef LIB_EDU_H
#define LIB_EDU_H

#include <stdbool.h>
#include <stdint.h>

#include "vdev.h"

#define EDU_BUFFER_SIZE	4096
/* what a program reads from the first register, in its own byte order */
#ifdef __powerpc__
#define EDU_ID_VALUE	0xed000001
#else
#define EDU_ID_VALUE	0x010000ed
#endif
#define EDU_MAX_IOVA	((1UL << 28) - 1)

struct edu {
	struct vdev *vdev;
	volatile uint8_t *regs;
	size_t size;
	bool swapped;
};

/* The device is bound: turns it on and checks that it is alive. */
int edu_init(struct edu *e, struct vdev *vdev);
void edu_fini(struct edu *e);

/*
 * Memory at iova to the device's buffer at offset, and back. 0 says that the
 * device has done its part, not that the IOMMU let it through; -ETIMEDOUT.
 */
int edu_read(struct edu *e, uint64_t iova, unsigned int offset, unsigned int len);
int edu_write(struct edu *e, uint64_t iova, unsigned int offset, unsigned int len);
/* Start a transfer without waiting for its end, and wait. */
void edu_start(struct edu *e, uint64_t iova, unsigned int offset,
	       unsigned int len, int to_memory);
int edu_wait(struct edu *e);

/* Raise and lower its interrupt. */
void edu_irq(struct edu *e, uint32_t bits);
void edu_irq_ack(struct edu *e, uint32_t bits);

#endif

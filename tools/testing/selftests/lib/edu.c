// SPDX-License-Identifier: GPL-2.0
#include <byteswap.h>
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "edu.h"

enum {
	EDU_ID		= 0x00,	/* RRrr00ed */
	EDU_LIVE	= 0x04,	/* reads as the complement of what was written */
	EDU_IRQ_RAISE	= 0x60,
	EDU_IRQ_ACK	= 0x64,
	EDU_DMA_SRC	= 0x80,
	EDU_DMA_DST	= 0x88,
	EDU_DMA_COUNT	= 0x90,
	EDU_DMA_CMD	= 0x98,
	EDU_BUFFER	= 0x40000,	/* as the DMA engine knows it */
};

enum {
	EDU_CMD_RUN		= 1,
	EDU_CMD_TO_MEMORY	= 2,
};

/*
 * Its registers have the byte order that QEMU takes for the architecture's own,
 * which on POWER is not that of the programs.
 */
static uint32_t get32(struct edu *e, unsigned int reg)
{
	uint32_t value = *(volatile uint32_t *)(e->regs + reg);

	return e->swapped ? bswap_32(value) : value;
}

static void put32(struct edu *e, unsigned int reg, uint32_t value)
{
	*(volatile uint32_t *)(e->regs + reg) =
		e->swapped ? bswap_32(value) : value;
}

static void put64(struct edu *e, unsigned int reg, uint64_t value)
{
	*(volatile uint64_t *)(e->regs + reg) =
		e->swapped ? bswap_64(value) : value;
}

int edu_init(struct edu *e, struct vdev *vdev)
{
	int rc = vdev_enable(vdev, true);

	e->vdev = vdev;
	e->regs = NULL;
	e->swapped = false;
	if (rc)
		return rc;
	e->regs = vdev_map_bar(vdev, 0, &e->size);
	if (!e->regs)
		return -errno;
	e->swapped = EDU_ID_VALUE == 0xed000001;
	put32(e, EDU_LIVE, 0x12345678);
	if ((get32(e, EDU_ID) & 0xffff) != 0x00ed ||
	    get32(e, EDU_LIVE) != (uint32_t)~0x12345678) {
		edu_fini(e);
		return -ENXIO;
	}
	return edu_wait(e);
}

void edu_fini(struct edu *e)
{
	if (e->regs)
		munmap((void *)e->regs, e->size);
	e->regs = NULL;
}

void edu_start(struct edu *e, uint64_t iova, unsigned int offset,
	       unsigned int len, int to_memory)
{
	/* the device ends QEMU over a range that leaves its buffer */
	if (offset > EDU_BUFFER_SIZE || len > EDU_BUFFER_SIZE - offset || !len) {
		fprintf(stderr, "edu: %u bytes at %u\n", len, offset);
		_exit(1);
	}
	put64(e, EDU_DMA_SRC, to_memory ? EDU_BUFFER + offset : iova);
	put64(e, EDU_DMA_DST, to_memory ? iova : EDU_BUFFER + offset);
	put64(e, EDU_DMA_COUNT, len);
	put64(e, EDU_DMA_CMD, EDU_CMD_RUN | (to_memory ? EDU_CMD_TO_MEMORY : 0));
}

int edu_wait(struct edu *e)
{
	struct timespec ms = { .tv_nsec = 1000000 };
	int i;

	for (i = 0; i < 10000; i++) {
		if (!(get32(e, EDU_DMA_CMD) & EDU_CMD_RUN))
			return 0;
		nanosleep(&ms, NULL);
	}
	return -ETIMEDOUT;
}

int edu_read(struct edu *e, uint64_t iova, unsigned int offset, unsigned int len)
{
	edu_start(e, iova, offset, len, 0);
	return edu_wait(e);
}

int edu_write(struct edu *e, uint64_t iova, unsigned int offset, unsigned int len)
{
	edu_start(e, iova, offset, len, 1);
	return edu_wait(e);
}

void edu_irq(struct edu *e, uint32_t bits)
{
	put32(e, EDU_IRQ_RAISE, bits);
}

void edu_irq_ack(struct edu *e, uint32_t bits)
{
	put32(e, EDU_IRQ_ACK, bits);
}

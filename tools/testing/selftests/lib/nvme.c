// SPDX-License-Identifier: GPL-2.0
/* NVM Express base specification 1.4; the numbers of its figures are left out. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "nvme.h"

#define PAGE		4096
#define ENTRIES		16	/* of each queue */
#define COMMAND_SIZE	64
#define COMPLETION_SIZE	16
#define BLOCK		512
#define WAIT_MS		10000

enum {
	NVME_CAP	= 0x00,
	NVME_CC		= 0x14,
	NVME_CSTS	= 0x1c,
	NVME_AQA	= 0x24,
	NVME_ASQ	= 0x28,
	NVME_ACQ	= 0x30,
	NVME_DOORBELLS	= 0x1000,
};

enum {
	CC_ENABLE	= 1,
	CC_ENTRY_SIZES	= 6 << 16 | 4 << 20,	/* 2^6 and 2^4 bytes */
	CSTS_READY	= 1,
	CSTS_FATAL	= 2,
};

enum {
	ADMIN_CREATE_SQ	= 0x01,
	ADMIN_CREATE_CQ	= 0x05,
	ADMIN_IDENTIFY	= 0x06,
	IO_WRITE	= 0x01,
	IO_READ		= 0x02,
};

struct command {
	uint8_t opcode;
	uint8_t flags;
	uint16_t cid;
	uint32_t nsid;
	uint64_t reserved;
	uint64_t metadata;
	uint64_t prp1;
	uint64_t prp2;
	uint32_t dw10, dw11, dw12, dw13, dw14, dw15;
};

static uint32_t get32(struct nvme *n, unsigned int reg)
{
	return *(volatile uint32_t *)(n->regs + reg);
}

static void put32(struct nvme *n, unsigned int reg, uint32_t value)
{
	*(volatile uint32_t *)(n->regs + reg) = value;
}

static void put64(struct nvme *n, unsigned int reg, uint64_t value)
{
	put32(n, reg, value);
	put32(n, reg + 4, value >> 32);
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int wait_ready(struct nvme *n, uint32_t ready)
{
	long end = now_ms() + WAIT_MS;

	while ((get32(n, NVME_CSTS) & (CSTS_READY | CSTS_FATAL)) != ready)
		if (now_ms() > end)
			return -ETIMEDOUT;
	return 0;
}

static void doorbell(struct nvme *n, unsigned int index, uint32_t value)
{
	__sync_synchronize();
	put32(n, NVME_DOORBELLS + index * n->stride, value);
}

/* One command at a time: put it in, ring, wait for its completion. */
static int run(struct nvme *n, struct nvme_queue *q, struct command *c)
{
	volatile uint16_t *done = (void *)(q->completions + q->head * COMPLETION_SIZE);
	long end = now_ms() + WAIT_MS;
	uint16_t status;

	c->cid = ++n->cid;
	memcpy((void *)(q->commands + q->tail * COMMAND_SIZE), c, sizeof(*c));
	q->tail = (q->tail + 1) % ENTRIES;
	doorbell(n, 2 * q->id, q->tail);

	/* the last of its words, whose lowest bit is the phase */
	while (((status = done[7]) & 1) != q->phase)
		if (now_ms() > end)
			return -ETIMEDOUT;
	__sync_synchronize();
	if (done[6] != c->cid)
		return -EPROTO;
	if (++q->head == ENTRIES) {
		q->head = 0;
		q->phase ^= 1;
	}
	doorbell(n, 2 * q->id + 1, q->head);
	return status >> 1;
}

static int create_queues(struct nvme *n, uint64_t iova)
{
	struct command cq = {
		.opcode = ADMIN_CREATE_CQ,
		.prp1 = iova + 3 * PAGE,
		.dw10 = (ENTRIES - 1) << 16 | 1,
		.dw11 = 1,	/* contiguous, no interrupts */
	}, sq = {
		.opcode = ADMIN_CREATE_SQ,
		.prp1 = iova + 2 * PAGE,
		.dw10 = (ENTRIES - 1) << 16 | 1,
		.dw11 = 1 << 16 | 1,
	};
	int rc = run(n, &n->admin, &cq);

	return rc ? rc : run(n, &n->admin, &sq);
}

static void queue_init(struct nvme_queue *q, unsigned int id, uint8_t *memory)
{
	*q = (struct nvme_queue){
		.commands = memory,
		.completions = memory + PAGE,
		.id = id,
		.phase = 1,
	};
}

int nvme_init(struct nvme *n, struct vdev *vdev, void *memory, uint64_t iova)
{
	int rc = vdev_enable(vdev, true);

	memset(n, 0, sizeof(*n));
	n->vdev = vdev;
	if (rc)
		return rc;
	n->regs = vdev_map_bar(vdev, 0, &n->size);
	if (!n->regs)
		return -errno;
	n->stride = 4 << (get32(n, NVME_CAP + 4) & 0xf);
	memset(memory, 0, NVME_QUEUES_SIZE);
	queue_init(&n->admin, 0, memory);
	queue_init(&n->io, 1, (uint8_t *)memory + 2 * PAGE);

	put32(n, NVME_CC, 0);
	rc = wait_ready(n, 0);
	if (!rc) {
		put32(n, NVME_AQA, (ENTRIES - 1) << 16 | (ENTRIES - 1));
		put64(n, NVME_ASQ, iova);
		put64(n, NVME_ACQ, iova + PAGE);
		put32(n, NVME_CC, CC_ENABLE | CC_ENTRY_SIZES);
		rc = wait_ready(n, CSTS_READY);
	}
	if (!rc)
		rc = create_queues(n, iova);
	if (rc)
		nvme_fini(n);
	return rc;
}

void nvme_fini(struct nvme *n)
{
	if (!n->regs)
		return;
	put32(n, NVME_CC, 0);
	wait_ready(n, 0);
	munmap((void *)n->regs, n->size);
	n->regs = NULL;
}

int nvme_identify(struct nvme *n, uint64_t iova)
{
	struct command c = {
		.opcode = ADMIN_IDENTIFY,
		.prp1 = iova,
		.dw10 = 1,	/* the controller */
	};

	return run(n, &n->admin, &c);
}

static int blocks(struct nvme *n, uint8_t opcode, uint64_t page, uint64_t iova)
{
	struct command c = {
		.opcode = opcode,
		.nsid = 1,
		.prp1 = iova,
		.dw10 = page * (PAGE / BLOCK),
		.dw12 = PAGE / BLOCK - 1,
	};

	return run(n, &n->io, &c);
}

int nvme_read(struct nvme *n, uint64_t page, uint64_t iova)
{
	return blocks(n, IO_READ, page, iova);
}

int nvme_write(struct nvme *n, uint64_t page, uint64_t iova)
{
	return blocks(n, IO_WRITE, page, iova);
}

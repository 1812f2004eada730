// SPDX-License-Identifier: GPL-2.0
/* After the data sheets of the 82574 and the 82576. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "nic.h"

#define PAGE	4096
#define ENTRIES	8
#define ENTRY	16	/* bytes */

enum {
	CTRL	= 0x0000,
	STATUS	= 0x0008,
	MDIC	= 0x0020,
	IMC	= 0x00d8,
	RCTL	= 0x0100,
	TCTL	= 0x0400,
};

/* of a ring, from its first register on */
enum {
	BASE_LOW = 0x00,
	BASE_HIGH = 0x04,
	LENGTH	= 0x08,
	SRRCTL	= 0x0c,	/* 82576, receiving */
	HEAD	= 0x10,
	TAIL	= 0x18,
	CONTROL	= 0x28,
};

#define RX_RING(n) ((n)->igb ? 0xc000 : 0x2800)
#define TX_RING(n) ((n)->igb ? 0xe000 : 0x3800)

enum {
	CTRL_LINK_UP	= 1 << 6,
	CTRL_RESET	= 1 << 26,
	STATUS_LINK_UP	= 1 << 1,
	RCTL_ENABLE	= 1 << 1,
	RCTL_ALL	= 1 << 3 | 1 << 4 | 1 << 15,
	RCTL_LOOPBACK	= 1 << 6,
	RCTL_STRIP_CRC	= 1 << 26,
	TCTL_ENABLE	= 1 << 1 | 1 << 3,
	RING_ENABLE	= 1 << 25,
	SRRCTL_ADVANCED	= 1 << 25 | 2,	/* buffers of 2 KiB */
	PHY_CONTROL	= 0,
	PHY_NEGOTIATE	= 0x1200,	/* and begin now */
	DONE		= 1,
};

static void put32(struct nic *n, unsigned int reg, uint32_t value)
{
	*(volatile uint32_t *)(n->regs + reg) = value;
}

static uint32_t get32(struct nic *n, unsigned int reg)
{
	return *(volatile uint32_t *)(n->regs + reg);
}

static void phy_write(struct nic *n, unsigned int reg, uint16_t value)
{
	put32(n, MDIC, value | reg << 16 | 1 << 21 | 1 << 26);
	usleep(1000);
}

/* Without a link not even the loopback receives. */
static int link_up(struct nic *n)
{
	int i;

	put32(n, CTRL, CTRL_LINK_UP);
	phy_write(n, PHY_CONTROL, PHY_NEGOTIATE);
	for (i = 0; i < 1000; i++) {
		if (get32(n, STATUS) & STATUS_LINK_UP)
			return 0;
		usleep(10000);
	}
	return -ENOLINK;
}

static void ring_init(struct nic *n, unsigned int ring, uint64_t iova)
{
	put32(n, ring + BASE_LOW, iova);
	put32(n, ring + BASE_HIGH, iova >> 32);
	put32(n, ring + LENGTH, ENTRIES * ENTRY);
	put32(n, ring + HEAD, 0);
	put32(n, ring + TAIL, 0);
	put32(n, ring + CONTROL, RING_ENABLE);
}

int nic_init(struct nic *n, struct vdev *vdev, bool igb, void *memory, uint64_t iova)
{
	int rc = vdev_enable(vdev, true);

	*n = (struct nic){ .vdev = vdev, .igb = igb };
	if (rc)
		return rc;
	n->regs = vdev_map_bar(vdev, 0, &n->size);
	if (!n->regs)
		return -errno;
	memset(memory, 0, NIC_RINGS_SIZE);
	n->rx = memory;
	n->tx = n->rx + PAGE;

	put32(n, CTRL, CTRL_RESET);
	usleep(20000);
	put32(n, IMC, ~0U);
	rc = link_up(n);
	if (rc) {
		nic_fini(n);
		return rc;
	}
	if (igb)
		put32(n, RX_RING(n) + SRRCTL, SRRCTL_ADVANCED);
	ring_init(n, RX_RING(n), iova);
	ring_init(n, TX_RING(n), iova + PAGE);
	put32(n, RCTL, RCTL_ENABLE | RCTL_ALL | RCTL_LOOPBACK | RCTL_STRIP_CRC);
	put32(n, TCTL, TCTL_ENABLE);
	return 0;
}

void nic_fini(struct nic *n)
{
	if (!n->regs)
		return;
	put32(n, CTRL, CTRL_RESET);
	usleep(20000);
	munmap((void *)n->regs, n->size);
	n->regs = NULL;
}

static int wait_done(volatile uint32_t *word, int ms)
{
	while (!(*word & DONE)) {
		if (!ms--)
			return -ETIMEDOUT;
		usleep(1000);
	}
	__sync_synchronize();
	return 0;
}

int nic_loop(struct nic *n, uint64_t from, uint64_t to, unsigned int len, int ms)
{
	volatile uint64_t *rx = (void *)(n->rx + n->next * ENTRY);
	volatile uint64_t *tx = (void *)(n->tx + n->next * ENTRY);
	/* where a descriptor that is done says so */
	volatile uint32_t *rx_done = (void *)&rx[1], *tx_done = (void *)&tx[1];
	int rc;

	rx[0] = to;
	rx[1] = 0;
	tx[0] = from;
	/* end of packet, add the CRC, report; advanced: type 3, payload length */
	if (n->igb)
		tx[1] = len | 3ULL << 20 | 0x2bULL << 24 | (uint64_t)len << 46;
	else
		tx[1] = len | 0x0bULL << 24;
	n->next = (n->next + 1) % ENTRIES;
	__sync_synchronize();
	/* both one further: the one before is all that the device has */
	put32(n, RX_RING(n) + TAIL, n->next);
	put32(n, TX_RING(n) + TAIL, n->next);
	rc = wait_done(tx_done + 1, ms);
	if (rc)
		return rc;
	return wait_done(n->igb ? rx_done : rx_done + 1, ms) ? -EIO : 0;
}

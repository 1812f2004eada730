// SPDX-License-Identifier: GPL-2.0
/* Virtual I/O Device 1.2: 2.7 split queues, 4.1 over PCI, 5.4 entropy device. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rng.h"

/* of the one queue; its parts in one page */
#define ENTRIES		8
#define AVAILABLE	1024
#define USED		2048

enum {
	CAP_VENDOR	= 0x09,
	CAP_COMMON	= 1,
	CAP_NOTIFY	= 2,
};

/* 4.1.4.3 */
enum {
	FEATURE_SELECT	= 0x08,
	FEATURES	= 0x0c,
	STATUS		= 0x14,
	QUEUE_SELECT	= 0x16,
	QUEUE_SIZE	= 0x18,
	QUEUE_ENABLE	= 0x1c,
	QUEUE_NOTIFY	= 0x1e,
	QUEUE_DESC	= 0x20,
	QUEUE_DRIVER	= 0x28,
	QUEUE_DEVICE	= 0x30,
};

enum {
	STATUS_DRIVER	= 1 | 2,
	STATUS_OK	= 4,
	STATUS_FEATURES	= 8,
};

/* bits 32 and 33: version 1, and addresses are those of the IOMMU */
#define FEATURES_HIGH	3
#define DESC_WRITE	2

struct capability {
	uint8_t id, next, len, type, bar, pad[3];
	uint32_t offset;
	uint32_t length;
	uint32_t multiplier;
};

static void put8(struct rng *r, unsigned int reg, uint8_t value)
{
	r->common[reg] = value;
}

static void put16(struct rng *r, unsigned int reg, uint16_t value)
{
	*(volatile uint16_t *)(r->common + reg) = value;
}

static uint16_t get16(struct rng *r, unsigned int reg)
{
	return *(volatile uint16_t *)(r->common + reg);
}

static void put32(struct rng *r, unsigned int reg, uint32_t value)
{
	*(volatile uint32_t *)(r->common + reg) = value;
}

static void put64(struct rng *r, unsigned int reg, uint64_t value)
{
	put32(r, reg, value);
	put32(r, reg + 4, value >> 32);
}

static int find(struct vdev *v, uint8_t type, struct capability *cap)
{
	uint8_t at = 0;
	int rc = vdev_config_read(v, 0x34, &at, 1);

	while (!rc && at) {
		rc = vdev_config_read(v, at, cap, sizeof(*cap));
		if (!rc && cap->id == CAP_VENDOR && cap->type == type)
			return 0;
		at = cap->next;
	}
	return rc ? rc : -ENODEV;
}

static int start(struct rng *r)
{
	put8(r, STATUS, 0);
	while (r->common[STATUS])
		usleep(1000);
	put8(r, STATUS, STATUS_DRIVER);
	put32(r, FEATURE_SELECT, 1);
	put32(r, FEATURES, FEATURES_HIGH);
	put32(r, FEATURE_SELECT, 0);
	put32(r, FEATURES, 0);
	put8(r, STATUS, STATUS_DRIVER | STATUS_FEATURES);
	if (!(r->common[STATUS] & STATUS_FEATURES))
		return -EOPNOTSUPP;
	put16(r, QUEUE_SELECT, 0);
	put16(r, QUEUE_SIZE, ENTRIES);
	put64(r, QUEUE_DESC, r->iova);
	put64(r, QUEUE_DRIVER, r->iova + AVAILABLE);
	put64(r, QUEUE_DEVICE, r->iova + USED);
	put16(r, QUEUE_ENABLE, 1);
	put8(r, STATUS, STATUS_DRIVER | STATUS_FEATURES | STATUS_OK);
	return 0;
}

int rng_init(struct rng *r, struct vdev *vdev, void *memory, uint64_t iova)
{
	struct capability common, notify;
	int rc = vdev_enable(vdev, true);

	*r = (struct rng){ .vdev = vdev, .queue = memory, .iova = iova };
	rc = rc ? rc : find(vdev, CAP_COMMON, &common);
	rc = rc ? rc : find(vdev, CAP_NOTIFY, &notify);
	if (rc)
		return rc;
	/* QEMU has both in one */
	if (common.bar != notify.bar)
		return -EOPNOTSUPP;
	r->bar = vdev_map_bar(vdev, common.bar, &r->size);
	if (!r->bar)
		return -errno;
	memset(memory, 0, RNG_QUEUE_SIZE);
	r->common = r->bar + common.offset;
	rc = start(r);
	if (rc) {
		rng_fini(r);
		return rc;
	}
	r->notify = (void *)(r->bar + notify.offset + get16(r, QUEUE_NOTIFY) * notify.multiplier);
	return 0;
}

void rng_fini(struct rng *r)
{
	if (!r->bar)
		return;
	put8(r, STATUS, 0);
	munmap((void *)r->bar, r->size);
	r->bar = NULL;
}

int rng_fill(struct rng *r, uint64_t iova, uint32_t len, int ms)
{
	unsigned int slot = r->next++ % ENTRIES;
	volatile uint64_t *desc = (void *)(r->queue + 16 * slot);
	volatile uint16_t *available = (void *)(r->queue + AVAILABLE);
	volatile uint16_t *used = (void *)(r->queue + USED);

	desc[0] = iova;
	desc[1] = len | (uint64_t)DESC_WRITE << 32;
	available[2 + slot] = slot;
	__sync_synchronize();
	available[1] = r->next;
	__sync_synchronize();
	*r->notify = 0;
	while (used[1] != r->next) {
		if (!ms--)
			return -ETIMEDOUT;
		usleep(1000);
	}
	__sync_synchronize();
	return 0;
}

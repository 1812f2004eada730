// SPDX-License-Identifier: GPL-2.0
/*
 * Accesses of kernel drivers, dirty tracking and dma-bufs on the mock, each
 * operation against each, and against mapping and moving.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "mem.h"
#include "mock.h"
#include "pairs.h"

#define PAGE	4096UL
#define PAGES	32
#define MEM	(PAGES * PAGE)
#define BUF	(APERTURE + (16UL << 20))
#define BUF_LEN	(8 * PAGE)

static int fd;
static char *mem;
static uint32_t ioas, second, table;
static struct mockdev m;
static int pinning, reading, buffer;

static uint64_t spot(unsigned int *seed)
{
	return APERTURE + rand_r(seed) % PAGES * PAGE;
}

static int op_unmap_map(unsigned int *seed)
{
	int rc = iofd_unmap(fd, ioas, APERTURE, MEM / 2, NULL);

	if (rc && rc != -ENOENT)
		return rc;
	return iofd_map_at(fd, ioas, mem, MEM / 2, APERTURE);
}

static int op_pin(unsigned int *seed)
{
	uint32_t item;
	int rc = mock_pin(fd, pinning, spot(seed), PAGE, NULL,
			  rand_r(seed) % 2 ? MOCK_FLAGS_ACCESS_WRITE : 0, &item);

	if (!rc && rand_r(seed) % 4)
		rc = mock_unpin(fd, pinning, item);
	return rc;
}

static int op_rw(unsigned int *seed)
{
	char data[200];

	return mock_rw(fd, reading, spot(seed) + PAGE - 100, data, sizeof(data),
		       rand_r(seed) % 2 ? MOCK_ACCESS_RW_SLOW_PATH : 0);
}

static int op_access_moves(unsigned int *seed)
{
	return mock_access_replace(fd, rand_r(seed) % 2 ? pinning : reading,
				   rand_r(seed) % 2 ? ioas : second);
}

static int op_access_comes(unsigned int *seed)
{
	int access = mock_access(fd, rand_r(seed) % 2 ? ioas : second,
				 MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES);
	uint32_t item;

	if (access < 0)
		return access;
	mock_pin(fd, access, spot(seed), PAGE, NULL, 0, &item);
	close(access);
	return 0;
}

static int op_device_moves(unsigned int *seed)
{
	switch (rand_r(seed) % 3) {
	case 0: return mock_replace(fd, &m, ioas);
	case 1: return mock_replace(fd, &m, second);
	default: return mock_replace(fd, &m, table);
	}
}

static int op_device_comes(unsigned int *seed)
{
	struct mockdev other;
	int rc = mock_device(fd, rand_r(seed) % 2 ? ioas : second, 0, &other);

	return rc ? rc : iofd_destroy(fd, other.stdev);
}

static int op_track(unsigned int *seed)
{
	struct iommu_hwpt_set_dirty_tracking c = {
		.size = sizeof(c), .hwpt_id = table, .flags = rand_r(seed) % 2,
	};

	return iofd_ioctl(fd, IOMMU_HWPT_SET_DIRTY_TRACKING, &c);
}

static int op_mark(unsigned int *seed)
{
	uint64_t bits = ~0ULL;

	return mock_mark(fd, table, APERTURE, MEM, PAGE, &bits, NULL);
}

static int op_read_dirty(unsigned int *seed)
{
	uint64_t bits = 0;
	struct iommu_hwpt_get_dirty_bitmap c = {
		.size = sizeof(c), .hwpt_id = table, .flags = rand_r(seed) % 2,
		.iova = APERTURE, .length = MEM, .page_size = PAGE, .data = (uintptr_t)&bits,
	};

	return iofd_ioctl(fd, IOMMU_HWPT_GET_DIRTY_BITMAP, &c);
}

static int op_buffer(unsigned int *seed)
{
	uint64_t iova = BUF + rand_r(seed) % 4 * BUF_LEN;
	int rc = iofd_unmap(fd, ioas, iova, BUF_LEN, NULL);

	if (rc && rc != -ENOENT)
		return rc;
	return iofd_map_file(fd, ioas, buffer, 0, BUF_LEN, &iova, IOFD_FIXED_RW);
}

static int op_revoke(unsigned int *seed)
{
	return mock_revoke(fd, buffer, rand_r(seed) % 2);
}

static int op_copy_buffer(unsigned int *seed)
{
	struct iommu_ioas_copy c = {
		.size = sizeof(c), .flags = IOFD_FIXED_RW, .dst_ioas_id = second,
		.src_ioas_id = ioas, .length = BUF_LEN, .dst_iova = BUF, .src_iova = BUF,
	};
	int rc = iofd_unmap(fd, second, BUF, BUF_LEN, NULL);

	if (rc && rc != -ENOENT)
		return rc;
	return iofd_ioctl(fd, IOMMU_IOAS_COPY, &c);
}

static int op_tables(unsigned int *seed)
{
	uint32_t id;
	int rc = iofd_hwpt(fd, m.idev, ioas, 0, &id);

	return rc ? rc : iofd_destroy(fd, id);
}

static const struct pairs_op operations[] = {
	{ "UNMAP and MAP", op_unmap_map },
	{ "ACCESS_PAGES", op_pin },
	{ "ACCESS_RW", op_rw },
	{ "an access moves", op_access_moves },
	{ "an access comes and goes", op_access_comes },
	{ "a device moves", op_device_moves },
	{ "a device comes and goes", op_device_comes },
	{ "a page table comes and goes", op_tables },
	{ "SET_DIRTY_TRACKING", op_track },
	{ "DIRTY", op_mark },
	{ "GET_DIRTY_BITMAP", op_read_dirty },
	{ "MAP_FILE of a dma-buf", op_buffer, { -ENODEV } },
	{ "DMABUF_REVOKE", op_revoke },
	{ "COPY of a dma-buf", op_copy_buffer, { -ENODEV } },
};

static void set_up(int devices)
{
	struct space s;

	mock_open(&s);
	fd = s.fd;
	ioas = s.ioas;
	OK(iofd_map_at(fd, ioas, mem, MEM / 2, APERTURE));
	OK(iofd_map_at(fd, ioas, mem + MEM / 2, MEM / 2, APERTURE + MEM / 2));
	OK(iofd_ioas(fd, &second));
	OK(iofd_map_at(fd, second, mem, MEM, APERTURE));
	OK(mock_device(fd, ioas, 0, &m));
	OK(iofd_hwpt(fd, m.idev, ioas, IOMMU_HWPT_ALLOC_DIRTY_TRACKING, &table));
	pinning = OK(mock_access(fd, ioas, MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES));
	reading = OK(mock_access(fd, ioas, MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES));
	buffer = OK(mock_dmabuf(fd, BUF_LEN));
}

static void done(void)
{
	close(pinning);
	close(reading);
	close(buffer);
}

static const struct pairs pairs = {
	.ops = operations,
	.count = sizeof(operations) / sizeof(operations[0]),
	.mock = true,
	.also = { -EINVAL },
	.set_up = set_up,
	.done = done,
	.fd = &fd,
	.mem = &mem,
	.size = MEM,
};

int main(int argc, char **argv)
{
	return pairs_run(argc, argv, &pairs);
}

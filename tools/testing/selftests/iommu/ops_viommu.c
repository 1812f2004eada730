// SPDX-License-Identifier: GPL-2.0
/* Nested tables and vIOMMUs of a mock device, as operations. */
#include <sys/mman.h>

#include "mock_viommu.h"
#include "ops.h"

#define PAGE 4096UL
#define WORD 0x5eedU

/* the address space of ops_env reaches below what the mock translates */
static uint32_t ioas, parent, viommu, nested, vdevice;
static struct mockdev m;
static struct iommu_viommu_selftest data;
static char *mapped;

static void make_parent(struct ops_env *e)
{
	OK(iofd_ioas(e->fd, &ioas));
	OK(iofd_map_at(e->fd, ioas, e->mem, 16 * PAGE, APERTURE));
	OK(mock_device(e->fd, ioas, 0, &m));
	OK(iofd_hwpt(e->fd, m.idev, ioas, IOMMU_HWPT_ALLOC_NEST_PARENT, &parent));
	data = (struct iommu_viommu_selftest){ .in_data = WORD };
}

static void make_viommu(struct ops_env *e)
{
	make_parent(e);
	OK(mock_viommu(e->fd, m.idev, parent, &data, &viommu));
}

static void make_vdevice(struct ops_env *e)
{
	make_viommu(e);
	OK(mock_vdevice(e->fd, viommu, m.idev, 7, &vdevice));
}

static void make_nested(struct ops_env *e)
{
	make_vdevice(e);
	OK(mock_nested(e->fd, m.idev, viommu, WORD, &nested));
}

static void make_queue(struct ops_env *e)
{
	make_viommu(e);
	OK(mock_queue(e->fd, viommu, 0, APERTURE, PAGE, &e->id));
}

/* Device first: its page table goes, and its vDEVICE, if it is still there. */
static void drop_parent(struct ops_env *e)
{
	OK(iofd_destroy(e->fd, m.stdev));
	OK(iofd_destroy(e->fd, parent));
	OK(iofd_destroy(e->fd, ioas));
}

static void drop_viommu(struct ops_env *e)
{
	OK(iofd_destroy(e->fd, viommu));
	drop_parent(e);
}

static void drop_vdevice(struct ops_env *e)
{
	OK(iofd_destroy(e->fd, vdevice));
	drop_viommu(e);
}

static void drop_nested(struct ops_env *e)
{
	OK(mock_replace(e->fd, &m, ioas));
	OK(iofd_destroy(e->fd, nested));
	drop_vdevice(e);
}

static void drop_id(struct ops_env *e)
{
	OK(iofd_destroy(e->fd, e->id));
	drop_viommu(e);
}

static void drop_mapping(struct ops_env *e)
{
	CHECK(!munmap(mapped, 2 * PAGE));
	drop_viommu(e);
}

static void drop_without_device(struct ops_env *e)
{
	OK(iofd_destroy(e->fd, viommu));
	OK(iofd_destroy(e->fd, parent));
	OK(iofd_destroy(e->fd, ioas));
}

static int viommu_alloc(struct ops_env *e)
{
	return mock_viommu(e->fd, m.idev, parent, NULL, &viommu);
}

static int viommu_alloc_memory(struct ops_env *e)
{
	return mock_viommu(e->fd, m.idev, parent, &data, &viommu);
}

static int vdevice_alloc(struct ops_env *e)
{
	return mock_vdevice(e->fd, viommu, m.idev, 7, &vdevice);
}

static int nested_alloc(struct ops_env *e)
{
	return mock_nested(e->fd, m.idev, parent, WORD, &e->id);
}

static int nested_alloc_viommu(struct ops_env *e)
{
	return mock_nested(e->fd, m.idev, viommu, WORD, &e->id);
}

static int attach_nested(struct ops_env *e)
{
	return mock_replace(e->fd, &m, nested);
}

static int queue_alloc(struct ops_env *e)
{
	return mock_queue(e->fd, viommu, 0, APERTURE + PAGE + 64, 256, &e->id);
}

static int map_memory(struct ops_env *e)
{
	mapped = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, e->fd,
		      data.out_mmap_offset);
	return mapped == MAP_FAILED ? -errno : 0;
}

static int invalidate_nested(struct ops_env *e)
{
	struct iommu_hwpt_invalidate_selftest inv = { .iotlb_id = 1 };
	uint32_t num = 1;

	return mock_invalidate(e->fd, nested, IOMMU_HWPT_INVALIDATE_DATA_SELFTEST,
			       &inv, sizeof(inv), &num);
}

static int invalidate_viommu(struct ops_env *e)
{
	struct iommu_viommu_invalidate_selftest inv = { .vdev_id = 7 };
	uint32_t num = 1;

	return mock_invalidate(e->fd, viommu, IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST,
			       &inv, sizeof(inv), &num);
}

static int destroy_viommu(struct ops_env *e)
{
	return iofd_destroy(e->fd, viommu);
}

static int destroy_vdevice(struct ops_env *e)
{
	return iofd_destroy(e->fd, vdevice);
}

static int destroy_queue(struct ops_env *e)
{
	return iofd_destroy(e->fd, e->id);
}

static int destroy_device(struct ops_env *e)
{
	return iofd_destroy(e->fd, m.stdev);
}

static const struct ops_op ops[] = {
	{ "VIOMMU_ALLOC", 0, IOMMU_VIOMMU_ALLOC, make_parent, viommu_alloc, drop_viommu },
	{ "VIOMMU_ALLOC with memory", 0, IOMMU_VIOMMU_ALLOC, make_parent, viommu_alloc_memory,
	  drop_viommu },
	{ "VDEVICE_ALLOC", 0, IOMMU_VDEVICE_ALLOC, make_viommu, vdevice_alloc, drop_vdevice },
	{ "HWPT_ALLOC of a nested one", 0, IOMMU_HWPT_ALLOC, make_viommu, nested_alloc, drop_id },
	{ "HWPT_ALLOC on a vIOMMU", 0, IOMMU_HWPT_ALLOC, make_viommu, nested_alloc_viommu, drop_id },
	{ "a device moved to a nested table", 0, IOMMU_TEST_CMD, make_nested, attach_nested, drop_nested,
	  .lasting = 1 },
	{ "HW_QUEUE_ALLOC", 0, IOMMU_HW_QUEUE_ALLOC, make_viommu, queue_alloc, drop_id },
	{ "mmap of a vIOMMU's memory", 0, 0, make_viommu, map_memory, drop_mapping },
	{ "HWPT_INVALIDATE", 0, IOMMU_HWPT_INVALIDATE, make_nested, invalidate_nested, drop_nested },
	{ "HWPT_INVALIDATE of a vIOMMU", 0, IOMMU_HWPT_INVALIDATE, make_vdevice, invalidate_viommu,
	  drop_vdevice },
	{ "DESTROY of a vIOMMU", 0, IOMMU_DESTROY, make_viommu, destroy_viommu, drop_parent },
	{ "DESTROY of a vDEVICE", 0, IOMMU_DESTROY, make_vdevice, destroy_vdevice, drop_viommu },
	{ "DESTROY of a hardware queue", 0, IOMMU_DESTROY, make_queue, destroy_queue, drop_viommu },
	{ "a device that goes with its vDEVICE", 0, IOMMU_DESTROY, make_vdevice, destroy_device,
	  drop_without_device },
};

const struct ops_table ops_viommu = { ops, sizeof(ops) / sizeof(ops[0]) };

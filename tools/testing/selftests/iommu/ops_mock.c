// SPDX-License-Identifier: GPL-2.0
/*
 * Mock devices, accesses of kernel drivers, dirty tracking, dma-bufs, and the
 * ioctls of a VFIO container, as operations.
 */
#include <linux/vfio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"
#include "mock.h"
#include "ops.h"

#define PAGE	4096UL
#define PAGES	16
/* a mapping beside the one that is always there */
#define OTHER	(APERTURE + (64UL << 20))

static struct mockdev m, second;
static uint32_t ioas, item;
static int access_fd, buffer;
static uint64_t bits[64];

static void make_space(struct ops_env *e)
{
	OK(iofd_ioas(e->fd, &ioas));
	OK(iofd_map_at(e->fd, ioas, e->mem, PAGES * PAGE, APERTURE));
}

static void drop_space(struct ops_env *e)
{
	OK(iofd_destroy(e->fd, ioas));
}

/* --- devices --- */

static void make_device(struct ops_env *e)
{
	make_space(e);
	OK(mock_device(e->fd, ioas, 0, &m));
}

static void drop_device(struct ops_env *e)
{
	OK(iofd_destroy(e->fd, m.stdev));
	drop_space(e);
}

static int device_create(struct ops_env *e)
{
	return mock_device(e->fd, ioas, 0, &m);
}

static int device_destroy(struct ops_env *e)
{
	return iofd_destroy(e->fd, m.stdev);
}

static int device_replace(struct ops_env *e)
{
	return mock_replace(e->fd, &m, e->bare);
}

static void make_device_and_room(struct ops_env *e)
{
	make_device(e);
	OK(iofd_ioas(e->fd, &e->id));
}

static int device_to_room(struct ops_env *e)
{
	return mock_replace(e->fd, &m, e->id);
}

static void drop_device_and_room(struct ops_env *e)
{
	drop_device(e);
	OK(iofd_destroy(e->fd, e->id));
}

/* the one that is always there lies where no mock device translates */
static void make_device_and_goal(struct ops_env *e)
{
	make_device(e);
	OK(iofd_unmap(e->fd, e->bare, 0, UINT64_MAX, NULL));
	OK(iofd_map_at(e->fd, e->bare, e->mem, PAGES * PAGE, APERTURE));
}

static int device_second(struct ops_env *e)
{
	return mock_device(e->fd, ioas, 0, &second);
}

static void drop_both(struct ops_env *e)
{
	OK(iofd_destroy(e->fd, second.stdev));
	drop_device(e);
}

static int reserve(struct ops_env *e)
{
	return mock_reserve(e->fd, ioas, OTHER, PAGE);
}

static int check_map(struct ops_env *e)
{
	return mock_check_map(e->fd, m.hwpt, APERTURE, e->mem, PAGES * PAGE);
}

static int map_small_leaves(struct ops_env *e)
{
	return iofd_map_at(e->fd, ioas, e->mem, 200 * PAGE, OTHER);
}

static void make_device_batches(struct ops_env *e)
{
	make_device(e);
	OK(mock_limit(e->fd, 64));
}

static void drop_device_batches(struct ops_env *e)
{
	OK(mock_limit(e->fd, UINT32_MAX));
	drop_device(e);
}

/* --- accesses --- */

static void make_access(struct ops_env *e)
{
	make_space(e);
	access_fd = OK(mock_access(e->fd, ioas, MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES));
}

static void drop_access(struct ops_env *e)
{
	close(access_fd);
	drop_space(e);
}

static int access_create(struct ops_env *e)
{
	access_fd = mock_access(e->fd, ioas, MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES);
	return access_fd < 0 ? access_fd : 0;
}

static int access_pin(struct ops_env *e)
{
	return mock_pin(e->fd, access_fd, APERTURE, PAGES * PAGE, e->mem,
			MOCK_FLAGS_ACCESS_WRITE, &item);
}

static void make_pin(struct ops_env *e)
{
	make_access(e);
	OK(access_pin(e));
}

static int access_unpin(struct ops_env *e)
{
	return mock_unpin(e->fd, access_fd, item);
}

static int access_unmapped(struct ops_env *e)
{
	return iofd_unmap(e->fd, ioas, APERTURE, PAGES * PAGE, NULL);
}

static int access_close(struct ops_env *e)
{
	return close(access_fd);
}

static int access_read(struct ops_env *e)
{
	static char data[3 * PAGE];

	return mock_rw(e->fd, access_fd, APERTURE + 100, data, sizeof(data), 0);
}

static int access_write_slowly(struct ops_env *e)
{
	static char data[3 * PAGE];

	return mock_rw(e->fd, access_fd, APERTURE + 100, data, sizeof(data),
		       MOCK_ACCESS_RW_WRITE | MOCK_ACCESS_RW_SLOW_PATH);
}

static int access_replace(struct ops_env *e)
{
	return mock_access_replace(e->fd, access_fd, e->bare);
}

/* --- dirty tracking --- */

static int set_dirty(struct ops_env *e)
{
	struct iommu_hwpt_set_dirty_tracking c = {
		.size = sizeof(c), .hwpt_id = e->id,
		.flags = IOMMU_HWPT_DIRTY_TRACKING_ENABLE,
	};

	return iofd_ioctl(e->fd, IOMMU_HWPT_SET_DIRTY_TRACKING, &c);
}

static int get_dirty(struct ops_env *e)
{
	struct iommu_hwpt_get_dirty_bitmap c = {
		.size = sizeof(c), .hwpt_id = e->id, .iova = APERTURE,
		.length = PAGES * PAGE, .page_size = PAGE, .data = (uintptr_t)bits,
	};

	return iofd_ioctl(e->fd, IOMMU_HWPT_GET_DIRTY_BITMAP, &c);
}

static int mark_dirty(struct ops_env *e)
{
	memset(bits, 0xff, sizeof(bits));
	return mock_mark(e->fd, e->id, APERTURE, PAGES * PAGE, PAGE, bits, NULL);
}

static void make_dirty_hwpt(struct ops_env *e)
{
	make_device(e);
	OK(iofd_hwpt(e->fd, m.idev, ioas, IOMMU_HWPT_ALLOC_DIRTY_TRACKING, &e->id));
}

static int dirty_hwpt(struct ops_env *e)
{
	return iofd_hwpt(e->fd, m.idev, ioas, IOMMU_HWPT_ALLOC_DIRTY_TRACKING, &e->id);
}

static void make_tracked(struct ops_env *e)
{
	make_dirty_hwpt(e);
	OK(set_dirty(e));
}

static void make_dirty(struct ops_env *e)
{
	make_tracked(e);
	OK(mark_dirty(e));
}

static void drop_hwpt(struct ops_env *e)
{
	OK(iofd_destroy(e->fd, e->id));
	drop_device(e);
}

/* --- dma-bufs --- */

static int buffer_get(struct ops_env *e)
{
	buffer = mock_dmabuf(e->fd, PAGES * PAGE);
	return buffer < 0 ? buffer : 0;
}

static void buffer_put(struct ops_env *e)
{
	close(buffer);
}

static void make_buffer(struct ops_env *e)
{
	make_device(e);
	OK(buffer_get(e));
}

static void drop_buffer(struct ops_env *e)
{
	close(buffer);
	drop_device(e);
}

static int buffer_map(struct ops_env *e)
{
	uint64_t iova = OTHER;

	return iofd_map_file(e->fd, ioas, buffer, 0, PAGES * PAGE, &iova, IOFD_FIXED_RW);
}

static void make_mapped(struct ops_env *e)
{
	make_buffer(e);
	OK(buffer_map(e));
}

static int buffer_unmap(struct ops_env *e)
{
	return iofd_unmap(e->fd, ioas, OTHER, PAGES * PAGE, NULL);
}

static int buffer_second_table(struct ops_env *e)
{
	return iofd_hwpt(e->fd, m.idev, ioas, 0, &e->id);
}

static void drop_table_and_buffer(struct ops_env *e)
{
	OK(iofd_destroy(e->fd, e->id));
	drop_buffer(e);
}

static int buffer_copy(struct ops_env *e)
{
	struct iommu_ioas_copy c = {
		.size = sizeof(c), .flags = IOFD_FIXED_RW, .dst_ioas_id = ioas,
		.src_ioas_id = ioas, .length = PAGES * PAGE,
		.dst_iova = OTHER + PAGES * PAGE, .src_iova = OTHER,
	};

	return iofd_ioctl(e->fd, IOMMU_IOAS_COPY, &c);
}

static int buffer_revoke(struct ops_env *e)
{
	return mock_revoke(e->fd, buffer, 1);
}

static void make_revoked(struct ops_env *e)
{
	make_mapped(e);
	OK(buffer_revoke(e));
}

static int buffer_restore(struct ops_env *e)
{
	return mock_revoke(e->fd, buffer, 0);
}

/* --- a VFIO container --- */

static void set_compat(struct ops_env *e, uint16_t op, uint32_t id)
{
	struct iommu_vfio_ioas c = { .size = sizeof(c), .ioas_id = id, .op = op };

	OK(iofd_ioctl(e->fd, IOMMU_VFIO_IOAS, &c));
}

static void make_container(struct ops_env *e)
{
	make_device(e);
	set_compat(e, IOMMU_VFIO_IOAS_SET, ioas);
}

static void drop_container(struct ops_env *e)
{
	set_compat(e, IOMMU_VFIO_IOAS_CLEAR, 0);
	drop_device(e);
}

static int container_map(struct ops_env *e)
{
	struct vfio_iommu_type1_dma_map c = {
		.argsz = sizeof(c), .vaddr = (uintptr_t)e->mem, .iova = OTHER,
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE, .size = 64 * PAGE,
	};

	return iofd_ioctl(e->fd, VFIO_IOMMU_MAP_DMA, &c);
}

static void make_container_map(struct ops_env *e)
{
	make_container(e);
	OK(container_map(e));
}

static int container_unmap(struct ops_env *e)
{
	struct vfio_iommu_type1_dma_unmap c = {
		.argsz = sizeof(c), .iova = OTHER, .size = 64 * PAGE,
	};

	return iofd_ioctl(e->fd, VFIO_IOMMU_UNMAP_DMA, &c);
}

static int container_info(struct ops_env *e)
{
	struct {
		struct vfio_iommu_type1_info head;
		char room[4000];
	} c = { .head.argsz = sizeof(c) };

	return iofd_ioctl(e->fd, VFIO_IOMMU_GET_INFO, &c);
}

static int container_set(struct ops_env *e)
{
	return iofd_ioctl(e->fd, VFIO_SET_IOMMU, (void *)VFIO_TYPE1v2_IOMMU);
}

static int container_extension(struct ops_env *e)
{
	int rc = iofd_ioctl(e->fd, VFIO_CHECK_EXTENSION, (void *)VFIO_TYPE1v2_IOMMU);

	return rc < 0 ? rc : 0;
}

#define TEST IOMMU_TEST_CMD

static const struct ops_op ops[] = {
	/* the driver core says so when it has no memory for a name */
	{ "a mock device", 0, TEST, make_space, device_create, drop_device, EINVAL },
	{ "a mock device gone", 0, IOMMU_DESTROY, make_device, device_destroy, drop_space },
	{ "a mock device moved", 0, TEST, make_device_and_room, device_to_room,
	  drop_device_and_room, .lasting = 1 },
	{ "a mock device moved to what has to be pinned", 0, TEST, make_device_and_goal,
	  device_replace, drop_device, .lasting = 1 },
	{ "a second mock device", 0, TEST, make_device, device_second, drop_both, EINVAL },
	{ "ADD_RESERVED", 0, TEST, make_space, reserve, drop_space },
	{ "MD_CHECK_MAP", 0, TEST, make_device, check_map, drop_device },
	{ "MAP in the smallest batches", 0, IOMMU_IOAS_MAP, make_device_batches, map_small_leaves,
	  drop_device_batches },
	{ "CREATE_ACCESS", 0, TEST, make_space, access_create, drop_access },
	{ "ACCESS_PAGES", 0, TEST, make_access, access_pin, drop_access },
	{ "DESTROY_ACCESS_PAGES", 0, TEST, make_pin, access_unpin, drop_access },
	{ "UNMAP of what an access has pinned", 0, IOMMU_IOAS_UNMAP, make_pin, access_unmapped,
	  drop_access },
	{ "close of an access that has pinned", 0, 0, make_pin, access_close, drop_space },
	{ "ACCESS_RW", 0, TEST, make_access, access_read, drop_access },
	{ "ACCESS_RW that pins", 0, TEST, make_access, access_write_slowly, drop_access },
	{ "ACCESS_REPLACE_IOAS", 0, TEST, make_access, access_replace, drop_access },
	{ "HWPT_ALLOC with dirty tracking", 0, IOMMU_HWPT_ALLOC, make_device, dirty_hwpt, drop_hwpt },
	{ "SET_DIRTY_TRACKING", 0, IOMMU_HWPT_SET_DIRTY_TRACKING, make_dirty_hwpt, set_dirty,
	  drop_hwpt },
	{ "DIRTY", 0, TEST, make_tracked, mark_dirty, drop_hwpt },
	{ "GET_DIRTY_BITMAP", 0, IOMMU_HWPT_GET_DIRTY_BITMAP, make_dirty, get_dirty, drop_hwpt },
	{ "DMABUF_GET", 0, TEST, NULL, buffer_get, buffer_put },
	{ "MAP_FILE of a dma-buf", 0, IOMMU_IOAS_MAP_FILE, make_buffer, buffer_map, drop_buffer },
	{ "UNMAP of a dma-buf", 0, IOMMU_IOAS_UNMAP, make_mapped, buffer_unmap, drop_buffer },
	{ "HWPT_ALLOC with a dma-buf", 0, IOMMU_HWPT_ALLOC, make_mapped, buffer_second_table,
	  drop_table_and_buffer },
	{ "COPY of a dma-buf", 0, IOMMU_IOAS_COPY, make_mapped, buffer_copy, drop_buffer },
	{ "DMABUF_REVOKE", 0, TEST, make_mapped, buffer_revoke, drop_buffer },
	{ "DMABUF_REVOKE taken back", 0, TEST, make_revoked, buffer_restore, drop_buffer },
	{ "VFIO_IOMMU_MAP_DMA", 0, VFIO_IOMMU_MAP_DMA, make_container, container_map,
	  drop_container },
	{ "VFIO_IOMMU_UNMAP_DMA", 0, VFIO_IOMMU_UNMAP_DMA, make_container_map, container_unmap,
	  drop_container, .lasting = 1 },
	{ "VFIO_IOMMU_GET_INFO", 0, VFIO_IOMMU_GET_INFO, make_container, container_info,
	  drop_container },
	{ "VFIO_SET_IOMMU", 0, VFIO_SET_IOMMU, make_container, container_set, drop_container },
	{ "VFIO_CHECK_EXTENSION", 0, VFIO_CHECK_EXTENSION, make_container, container_extension,
	  drop_container },
};

const struct ops_table ops_mock = { ops, sizeof(ops) / sizeof(ops[0]) };

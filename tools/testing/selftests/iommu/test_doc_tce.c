// SPDX-License-Identifier: GPL-2.0
/*
 * The examples of Documentation/admin-guide/iommu_tce.rst, as they stand there: a
 * host test compares them. Written as a program would do it, without the helpers.
 */
#include <linux/iommufd.h>
#include <linux/iommufd_ext.h>
#include <linux/vfio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "devices.h"
#include "mem.h"

/* example: look */
/* Where windows can begin, how long they may be and of which pages. */
static int look(int fd, uint32_t device, struct iommu_ext_hw_info_tce *tce)
{
	struct iommu_hw_info info = {
		.size = sizeof(info),
		.flags = IOMMU_HW_INFO_FLAG_INPUT_TYPE,
		.in_data_type = IOMMU_EXT_HW_INFO_TCE,
		.dev_id = device,
		.data_len = sizeof(*tce),
		.data_uptr = (uintptr_t)tce,
	};

	return ioctl(fd, IOMMU_GET_HW_INFO, &info);
}
/* end */

/* example: make */
/* An address space, and a page table with these windows over it. */
static int make(int fd, uint32_t device, const struct iommu_ext_window *windows,
		unsigned int nr, uint32_t *ioas, uint32_t *hwpt)
{
	struct {
		struct iommu_ext_hwpt_windows head;
		struct iommu_ext_window window[2];
	} want = {
		.head = {
			.window_size = sizeof(want.window[0]),
			.nr_windows = nr,
		},
	};
	struct iommu_ioas_alloc space = { .size = sizeof(space) };
	struct iommu_hwpt_alloc alloc = {
		.size = sizeof(alloc),
		.dev_id = device,
		.data_type = IOMMU_EXT_HWPT_DATA_WINDOWS,
		.data_len = sizeof(want.head) + nr * sizeof(want.window[0]),
		.data_uptr = (uintptr_t)&want,
	};

	memcpy(want.window, windows, nr * sizeof(*windows));
	if (ioctl(fd, IOMMU_IOAS_ALLOC, &space))
		return -1;
	*ioas = alloc.pt_id = space.out_ioas_id;
	/* ENOSPC: the reason says which window, and why. */
	if (ioctl(fd, IOMMU_HWPT_ALLOC, &alloc))
		return -1;
	*hwpt = alloc.out_hwpt_id;
	return 0;
}
/* end */

/* example: move */
/*
 * The guest has its windows changed: what it has mapped at @iova so far goes along
 * without being pinned again, then the device moves, with all of its group.
 */
static int move(int fd, int vfio_device, uint32_t from_ioas, uint32_t to_ioas,
		uint32_t to_hwpt, uint64_t iova, uint64_t length)
{
	struct iommu_ioas_copy copy = {
		.size = sizeof(copy),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
		.dst_ioas_id = to_ioas,
		.src_ioas_id = from_ioas,
		.length = length,
		.dst_iova = iova,
		.src_iova = iova,
	};
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = sizeof(attach),
		.pt_id = to_hwpt,
	};

	if (ioctl(fd, IOMMU_IOAS_COPY, &copy))
		return -1;
	/* If this fails the device is where it was, in its old windows. */
	return ioctl(vfio_device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);
}
/* end */

static void guest(void)
{
	struct iommu_ext_window windows[2] = {};
	uint32_t ioas[2], hwpt[2];
	struct iommu_ext_hw_info_tce tce;
	struct testdev d;
	struct space s;
	char *low, *high;
	size_t size = 65536;

	if (!has_windows())
		tap_skip("iommu_tce is not loaded");
	s.fd = OK(iofd_open());
	need_edu(&d, 0, s.fd);
	OK(look(s.fd, d.vdev.id, &tce));
	if (!tce.dynamic_length)
		tap_skip("firmware makes no dynamic window");
	low = mem_anon(size);
	high = sysconf(_SC_PAGESIZE) >= 65536 ? mem_anon(size) : mem_huge(&size);
	if (!high)
		tap_skip("no huge page is free");

	windows[0].iova = tce.dma32_first;
	windows[0].length = 1UL << 30;
	windows[0].pgsize = 4096;
	OK(make(s.fd, d.vdev.id, windows, 1, &ioas[0], &hwpt[0]));
	attach(&d, hwpt[0]);
	s.ioas = ioas[0];
	OK(space_map(&s, low, 65536, 1 << 20));
	CHECK(dma_writes(&d, 1 << 20, low));

	/* the guest asks for its dynamic window */
	windows[1].iova = tce.dynamic_first;
	windows[1].length = 1UL << 30;
	windows[1].pgsize = 65536;
	OK(make(s.fd, d.vdev.id, windows, 2, &ioas[1], &hwpt[1]));
	OK(move(s.fd, d.vdev.fd, ioas[0], ioas[1], hwpt[1], 1 << 20, 65536));
	OK(iofd_destroy(s.fd, hwpt[0]));
	OK(iofd_destroy(s.fd, ioas[0]));
	s.ioas = ioas[1];
	OK(space_map(&s, high, 65536, tce.dynamic_first));
	CHECK(dma_copies(&d, tce.dynamic_first, 1 << 20, high, low));

	/* and gives it back */
	OK(make(s.fd, d.vdev.id, windows, 1, &ioas[0], &hwpt[0]));
	OK(move(s.fd, d.vdev.fd, ioas[1], ioas[0], hwpt[0], 1 << 20, 65536));
	CHECK(dma_writes(&d, 1 << 20, low));
	CHECK(!dma_writes(&d, tce.dynamic_first, high));
}

static const struct tap_test tests[] = {
	{ "the examples: a guest's two windows", guest },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The worked examples of Documentation/userspace-api/iommufd-ext.rst, as
 * test_doc.c has those of iommufd.rst.
 */
#include <errno.h>
#include <linux/iommufd_ext.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "mem.h"
#include "mock.h"

/* example: instance */
/* What two devices have in common, and the name of the first one's IOMMU. */
static int in_common(int fd, uint32_t device, uint32_t other, char *name,
		     size_t size, uint32_t *flags)
{
	struct iommu_ext_hw_info_instance *info = NULL;
	struct iommu_hw_info ask = {
		.size = sizeof(ask),
		.flags = IOMMU_HW_INFO_FLAG_INPUT_TYPE,
		.dev_id = device,
	};
	uint32_t i, room;

	*flags = 0;
	/* Until the buffer holds all of it: devices may come in between. */
	do {
		room = ask.data_len;
		free(info);
		info = calloc(1, room + sizeof(*info));
		if (!info)
			return -1;
		ask.data_uptr = (uintptr_t)info;
		ask.in_data_type = IOMMU_EXT_HW_INFO_INSTANCE;
		if (ioctl(fd, IOMMU_GET_HW_INFO, &ask)) {
			free(info);
			return -1;
		}
	} while (ask.data_len > room);

	snprintf(name, size, "%s", (char *)info->name);
	for (i = 0; i < info->nr_devices; i++) {
		/* Entries of a later kernel may be larger than ours. */
		struct iommu_ext_instance_device *entry = (void *)
			((char *)info->devices + i * info->device_size);

		if (entry->dev_id == other)
			*flags = entry->flags;
	}
	free(info);
	return 0;
}
/* end */

/* example: windows */
/* A page table with the two windows of a guest: 2 GiB at 0, and a large one. */
static int guest_windows(int fd, uint32_t device, uint32_t ioas, uint32_t *hwpt,
			 struct iommu_ext_window *second)
{
	struct {
		struct iommu_ext_hwpt_windows head;
		struct iommu_ext_window window[2];
	} want = {
		.head = {
			.window_size = sizeof(want.window[0]),
			.nr_windows = 2,
		},
		.window = {
			{ .iova = 0, .length = 2ULL << 30, .pgsize = 4096 },
			{
				.length = 4ULL << 30,
				.pgsize = 65536,
				.flags = IOMMU_EXT_WINDOW_ANYWHERE,
			},
		},
	};
	struct iommu_hwpt_alloc alloc = {
		.size = sizeof(alloc),
		.dev_id = device,
		.pt_id = ioas,
		.data_type = IOMMU_EXT_HWPT_DATA_WINDOWS,
		.data_len = sizeof(want),
		.data_uptr = (uintptr_t)&want,
	};

	/* ENOSPC: the reason says which window, and why. */
	if (ioctl(fd, IOMMU_HWPT_ALLOC, &alloc))
		return -1;
	*hwpt = alloc.out_hwpt_id;
	*second = want.window[1];
	return 0;
}
/* end */

static struct space s;

static void on_the_mock(void)
{
	struct mockdev a, b, far;
	struct iommu_ext_window second;
	uint32_t flags, hwpt, ioas;
	char name[64];

	mock_open(&s);
	OK(mock_device(s.fd, s.ioas, 0, &a));
	OK(mock_device(s.fd, s.ioas, 0, &b));
	OK(mock_device_on(s.fd, s.ioas, UNIT_WINDOWED, &far));
	CHECK(!in_common(s.fd, a.idev, b.idev, name, sizeof(name), &flags));
	CHECK(!strcmp(name, "iommufd-mock0"));
	CHECK(flags & IOMMU_EXT_INSTANCE_SAME);
	CHECK(!in_common(s.fd, a.idev, far.idev, name, sizeof(name), &flags));
	CHECK_EQ(flags, 0);

	OK(iofd_ioas(s.fd, &ioas));
	CHECK(!guest_windows(s.fd, far.idev, ioas, &hwpt, &second));
	CHECK_EQ(second.iova, 1ULL << 40);
	/* the aperture of the others begins at 16 MiB */
	OK(iofd_ioas(s.fd, &ioas));
	CHECK(guest_windows(s.fd, a.idev, ioas, &hwpt, &second) == -1 && errno == ENOSPC);
	CHECK(strstr(iommufd_last_reason(s.fd), "window 0"));
}

static void on_hardware(void)
{
	struct iommu_ext_window second;
	struct testdev d;
	uint32_t flags, hwpt;
	char name[64];

	space_open(&s);
	need_edu(&d, 0, s.fd);
	CHECK(!in_common(s.fd, d.vdev.id, d.vdev.id, name, sizeof(name), &flags));
	CHECK(flags & IOMMU_EXT_INSTANCE_SAME);
	CHECK(!guest_windows(s.fd, d.vdev.id, s.ioas, &hwpt, &second));
	tap_note("%s: second window at 0x%llx", name, (unsigned long long)second.iova);
	CHECK(second.length >= 4ULL << 30);
	attach(&d, hwpt);
	/* in one piece, for pages of this size */
	OK(space_map(&s, mem_thp(2 << 20), 65536, second.iova));
}

static const struct tap_test tests[] = {
	{ "the examples on the mock", on_the_mock },
	{ "the examples on the machine's IOMMU", on_hardware },
};

int main(int argc, char **argv)
{
	return MOCK_RUN(argc, argv, tests);
}

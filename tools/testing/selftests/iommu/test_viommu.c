// SPDX-License-Identifier: GPL-2.0
/*
 * What a guest's IOMMU is refused on hardware whose driver has none, and what
 * /dev/iommu gives to mmap() by itself.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "devices.h"

#define PAGE 4096UL

static struct space s;

static int viommu_alloc(uint32_t dev, uint32_t hwpt, uint32_t type)
{
	struct iommu_viommu_alloc c = {
		.size = sizeof(c),
		.type = type,
		.dev_id = dev,
		.hwpt_id = hwpt,
	};

	return iofd_ioctl(s.fd, IOMMU_VIOMMU_ALLOC, &c);
}

static int invalidate(uint32_t id, uint32_t *num)
{
	struct iommu_hwpt_invalidate c = {
		.size = sizeof(c),
		.hwpt_id = id,
		.entry_num = *num,
		.entry_len = 8,
		.data_uptr = (uintptr_t)&c,
	};
	int rc = iofd_ioctl(s.fd, IOMMU_HWPT_INVALIDATE, &c);

	*num = c.entry_num;
	return rc;
}

/* A type that no IOMMU has: each driver refuses it for a reason of its own. */
static void refused(void)
{
	struct testdev d;
	uint32_t hwpt, num = 1;
	int before;

	space_open(&s);
	need_edu(&d, 0, s.fd);
	OK(iofd_hwpt(s.fd, d.vdev.id, s.ioas, 0, &hwpt));
	before = iofd_objects(s.fd, NULL);
	REFUSED(s.fd, IOMMU_VIOMMU_ALLOC, viommu_alloc(d.vdev.id, hwpt, 0), -EOPNOTSUPP);
	CHECK(viommu_alloc(d.vdev.id, hwpt, 0x7777) < 0);
	CHECK(strchr(iommufd_last_reason(s.fd), ' '));
	REFUSED(s.fd, IOMMU_VIOMMU_ALLOC, viommu_alloc(0xffff, hwpt, 1), -ENOENT);
	REFUSED(s.fd, IOMMU_HWPT_INVALIDATE, invalidate(hwpt, &num), -EINVAL);
	CHECK_EQ(num, 0);
	CHECK_EQ(iofd_objects(s.fd, NULL), before);
}

static void without_device(void)
{
	struct iommu_vdevice_alloc v = { .size = sizeof(v), .dev_id = 1 };
	struct iommu_hw_queue_alloc q = { .size = sizeof(q), .type = 1, .length = PAGE };

	space_open(&s);
	v.viommu_id = q.viommu_id = s.ioas;
	REFUSED(s.fd, IOMMU_VDEVICE_ALLOC, iofd_ioctl(s.fd, IOMMU_VDEVICE_ALLOC, &v), -ENOENT);
	REFUSED(s.fd, IOMMU_HW_QUEUE_ALLOC, iofd_ioctl(s.fd, IOMMU_HW_QUEUE_ALLOC, &q), -ENOENT);
	v.viommu_id = q.viommu_id = 0xffff;
	REFUSED(s.fd, IOMMU_VDEVICE_ALLOC, iofd_ioctl(s.fd, IOMMU_VDEVICE_ALLOC, &v), -ENOENT);
	REFUSED(s.fd, IOMMU_HW_QUEUE_ALLOC, iofd_ioctl(s.fd, IOMMU_HW_QUEUE_ALLOC, &q), -ENOENT);
}

static void nothing_to_map(void)
{
	static const uint64_t offsets[] = { 0, PAGE, 1UL << 40, (1UL << 63) - PAGE };
	unsigned int i;

	space_open(&s);
	for (i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, s.fd, offsets[i]) == MAP_FAILED);
		REFUSED(s.fd, 0, -errno, -ENXIO);
	}
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, s.fd, 0) == MAP_FAILED);
	REFUSED(s.fd, 0, -errno, -EINVAL);
	CHECK(mmap(NULL, PAGE, PROT_EXEC, MAP_SHARED, s.fd, 0) == MAP_FAILED);
	REFUSED(s.fd, 0, -errno, -EPERM);
}

static const struct tap_test tests[] = {
	{ "a vIOMMU that no driver has", refused },
	{ "what belongs to a vIOMMU needs one", without_device },
	{ "a file without vIOMMUs maps nothing", nothing_to_map },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

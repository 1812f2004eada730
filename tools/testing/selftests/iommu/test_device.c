// SPDX-License-Identifier: GPL-2.0
/*
 * Devices and address spaces: what attaching reserves, which page tables come
 * about, who may share them, and what DMA reaches at each moment.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "devices.h"
#include "mem.h"
#include "mock_event.h"

#define PAGE 4096UL

static struct space s;
static struct testdev d;
static char *mem;
#define MEM_SIZE (16 * PAGE)

/* A space, an edu bound to its file, some memory. */
static void begin(void)
{
	space_open(&s);
	need_edu(&d, 0, s.fd);
	mem = mem_anon(MEM_SIZE);
	CHECK(mem);
}

static uint32_t new_hwpt(uint32_t ioas)
{
	uint32_t hwpt;

	OK(iofd_hwpt(s.fd, d.vdev.id, ioas, 0, &hwpt));
	CHECK(hwpt);
	return hwpt;
}

static uint32_t new_ioas(void)
{
	uint32_t ioas;

	OK(iofd_ioas(s.fd, &ioas));
	return ioas;
}

static void ranges_attached(void)
{
	struct iommu_iova_range r[16];
	uint32_t n = 16, i;
	uint64_t align, pt;
	bool below = false, above = false;

	need_aperture();
	begin();
	pt = attach(&d, s.ioas);
	CHECK(pt != s.ioas);
	OK(iofd_ranges(s.fd, s.ioas, r, &n, &align));
	CHECK_EQ(align, PAGE);
	CHECK(n >= 2 && n <= 16);
	for (i = 0; i < n; i++) {
		CHECK(r[i].start <= r[i].last);
		CHECK(!i || r[i - 1].last < r[i].start);
		/* nothing of the window that interrupts are written to */
		CHECK(r[i].last < MSI_FIRST || r[i].start > MSI_LAST);
		below |= r[i].last == MSI_FIRST - 1;
		above |= r[i].start == MSI_LAST + 1;
	}
	CHECK(below && above);
	CHECK(r[n - 1].last < UINT64_MAX);

	OK(vdev_detach(&d.vdev));
	n = 16;
	OK(iofd_ranges(s.fd, s.ioas, r, &n, &align));
	CHECK_EQ(n, 1);
	CHECK_EQ(r[0].last, UINT64_MAX);
	CHECK_EQ(align, 1);
}

static void ranges_hwpt(void)
{
	struct iommu_iova_range r[16];
	uint32_t n = 16, hwpt;
	uint64_t align;

	begin();
	hwpt = new_hwpt(s.ioas);
	OK(iofd_ranges(s.fd, s.ioas, r, &n, &align));
	CHECK_EQ(align, PAGE);
	CHECK(r[n - 1].last < UINT64_MAX);
	OK(iofd_destroy(s.fd, hwpt));
	n = 16;
	OK(iofd_ranges(s.fd, s.ioas, r, &n, &align));
	CHECK_EQ(n, 1);
	CHECK_EQ(align, 1);
}

static void map_attached(void)
{
	struct iommu_iova_range r[16];
	uint32_t n = 16;
	uint64_t iova, align, last;

	need_aperture();
	begin();
	attach(&d, s.ioas);
	OK(iofd_ranges(s.fd, s.ioas, r, &n, &align));
	last = r[n - 1].last;

#define MAP_EINVAL(va, length, at) \
	REFUSED(s.fd, IOMMU_IOAS_MAP, space_map(&s, va, length, at), -EINVAL)
	MAP_EINVAL(mem, PAGE, MSI_FIRST);
	CHECK(strstr(iommufd_last_reason(s.fd), MSI_WINDOW));
	MAP_EINVAL(mem, PAGE, MSI_LAST + 1 - PAGE);
	MAP_EINVAL(mem, 2 * PAGE, MSI_FIRST - PAGE);
	MAP_EINVAL(mem, 2 * PAGE, MSI_LAST + 1 - PAGE);
	MAP_EINVAL(mem, 0x200000, MSI_FIRST - 0x80000);
	MAP_EINVAL(mem, PAGE, last + 1);
	MAP_EINVAL(mem, 2 * PAGE, last + 1 - PAGE);
	MAP_EINVAL(mem, PAGE, 1UL << 62);
	MAP_EINVAL(mem, PAGE, 0x1800);
	MAP_EINVAL(mem, PAGE / 2, 0x1000);
	MAP_EINVAL(mem, PAGE + 1, 0x1000);
	MAP_EINVAL(mem + 512, PAGE, 0x1000);
	MAP_EINVAL(mem + 1, PAGE, 0x1001);
#undef MAP_EINVAL
	iova = 0;
	REFUSED(s.fd, IOMMU_IOAS_MAP,
		iofd_map(s.fd, s.ioas, mem + 16, PAGE, &iova, IOFD_RW), -EINVAL);
	REFUSED(s.fd, IOMMU_IOAS_MAP,
		iofd_map(s.fd, s.ioas, mem, 100, &iova, IOFD_RW), -EINVAL);

	OK(space_map(&s, mem, PAGE, MSI_FIRST - PAGE));
	OK(space_map(&s, mem, PAGE, MSI_LAST + 1));
	OK(space_map(&s, mem, PAGE, last + 1 - PAGE));
	OK(space_map(&s, mem, PAGE, 0));
}

static void map_then_attach(void)
{
	uint32_t pt, hwpt;

	need_aperture();
	begin();
	/* in the way of the device, though not of a table */
	OK(space_map(&s, mem, PAGE, MSI_FIRST));
	pt = s.ioas;
	ERR(vdev_attach(&d.vdev, &pt), -EADDRINUSE);
	CHECK_EQ(iofd_objects(s.fd, "hwpt"), 0);
	hwpt = new_hwpt(s.ioas);
	pt = hwpt;
	ERR(vdev_attach(&d.vdev, &pt), -EADDRINUSE);
	OK(iofd_destroy(s.fd, hwpt));
	OK(space_unmap(&s, MSI_FIRST, PAGE));

	/* where no page table reaches; the errno is not laid down */
	OK(space_map(&s, mem, PAGE, 1UL << 62));
	pt = s.ioas;
	CHECK(vdev_attach(&d.vdev, &pt) < 0);
	OK(space_unmap(&s, 1UL << 62, PAGE));

	/* not aligned for it */
	OK(space_map(&s, mem, 100, 0x10000));
	pt = s.ioas;
	CHECK(vdev_attach(&d.vdev, &pt) < 0);
	CHECK_EQ(mem_status(0, "VmPin"), 0);
	OK(space_unmap(&s, 0x10000, 100));

	OK(space_map(&s, mem, 2 * PAGE, 0x10000));
	attach(&d, s.ioas);
	CHECK(dma_copies(&d, 0x10000, 0x11000, mem, mem + PAGE));
}

static void allow_and_attach(void)
{
	static const struct iommu_iova_range
		crossing[] = { { 0x1000, 0xffffffff } },
		inside[] = { { MSI_FIRST + PAGE, MSI_FIRST + 2 * PAGE - 1 } },
		beyond[] = { { 0x1000, 0x1fff }, { 1UL << 62, (1UL << 62) + PAGE } },
		good[] = { { 0x100000, 0x1fffff }, { MSI_LAST + 1, 0xffffffff } };
	const struct { const struct iommu_iova_range *r; int n; } bad[] = {
		{ crossing, 1 }, { inside, 1 }, { beyond, 2 },
	};
	uint32_t pt, hwpt, i;
	uint64_t iova = 0;

	need_aperture();
	begin();
	for (i = 0; i < 3; i++) {
		OK(iofd_allow(s.fd, s.ioas, bad[i].r, bad[i].n));
		pt = s.ioas;
		ERR(vdev_attach(&d.vdev, &pt), -EADDRINUSE);
		CHECK_EQ(iofd_objects(s.fd, "hwpt"), 0);
		if (bad[i].r == beyond) {
			REFUSED(s.fd, IOMMU_HWPT_ALLOC,
				iofd_hwpt(s.fd, d.vdev.id, s.ioas, 0, &pt), -EADDRINUSE);
			continue;
		}
		/* what a device reserves does not concern a table */
		hwpt = new_hwpt(s.ioas);
		pt = hwpt;
		ERR(vdev_attach(&d.vdev, &pt), -EADDRINUSE);
		OK(iofd_destroy(s.fd, hwpt));
	}
	OK(iofd_allow(s.fd, s.ioas, good, 2));
	attach(&d, s.ioas);
	for (i = 0; i < 3; i++)
		REFUSED(s.fd, IOMMU_IOAS_ALLOW_IOVAS,
			iofd_allow(s.fd, s.ioas, bad[i].r, bad[i].n), -EADDRINUSE);
	/* the good list is still in force */
	OK(iofd_map(s.fd, s.ioas, mem, PAGE, &iova, IOFD_RW));
	CHECK(iova >= 0x100000 && iova < 0x200000);
}

static void dma_before_and_after(void)
{
	begin();
	OK(space_map(&s, mem, PAGE, 0x1000));
	attach(&d, s.ioas);
	OK(space_map(&s, mem + PAGE, PAGE, 0x2000));
	CHECK(dma_copies(&d, 0x1000, 0x2000, mem, mem + PAGE));
	CHECK(dma_copies(&d, 0x2000, 0x1000, mem + PAGE, mem));
}

static void dma_refused(void)
{
	uint64_t ro = 0x3000;

	begin();
	attach(&d, s.ioas);
	OK(space_map(&s, mem, PAGE, 0x1000));
	CHECK(dma_writes(&d, 0x1000, mem));
	OK(iofd_map(s.fd, s.ioas, mem + PAGE, PAGE, &ro, IOFD_FIXED_R));
	CHECK(!dma_writes(&d, ro, mem + PAGE));
	CHECK(!dma_writes(&d, 0x2000, mem));
	OK(space_unmap(&s, 0x1000, PAGE));
	CHECK(!dma_writes(&d, 0x1000, mem));
	OK(space_map(&s, mem, PAGE, 0x1000));
	CHECK(dma_writes(&d, 0x1000, mem));
	OK(vdev_detach(&d.vdev));
	CHECK(!dma_writes(&d, 0x1000, mem));
	attach(&d, s.ioas);
	CHECK(dma_writes(&d, 0x1000, mem));
}

/*
 * Not every IOMMU can tell a write-only page (the kernel's VT-d driver makes it
 * readable too), so this is only about writing.
 */
static void dma_write_only(void)
{
	uint64_t wo = 0x3000;

	begin();
	attach(&d, s.ioas);
	OK(iofd_map(s.fd, s.ioas, mem, PAGE, &wo,
		    IOMMU_IOAS_MAP_WRITEABLE | IOMMU_IOAS_MAP_FIXED_IOVA));
	CHECK(dma_writes(&d, wo, mem));
	OK(space_unmap(&s, wo, PAGE));
	CHECK(!dma_writes(&d, wo, mem));
}

static void detach_twice(void)
{
	begin();
	attach(&d, s.ioas);
	OK(vdev_detach(&d.vdev));
	/* clients rely on success */
	OK(vdev_detach(&d.vdev));
	attach(&d, s.ioas);
}

static void attach_wrong(void)
{
	uint32_t pt;

	begin();
	pt = 0;
	ERR(vdev_attach(&d.vdev, &pt), -ENOENT);
	pt = 0xffffffff;
	ERR(vdev_attach(&d.vdev, &pt), -ENOENT);
	pt = s.ioas + 1000;
	ERR(vdev_attach(&d.vdev, &pt), -ENOENT);
	pt = d.vdev.id;
	ERR(vdev_attach(&d.vdev, &pt), -EINVAL);
	attach(&d, s.ioas);
	/* a failed replacement leaves the old one */
	OK(space_map(&s, mem, PAGE, 0x1000));
	pt = 0xffffffff;
	ERR(vdev_attach(&d.vdev, &pt), -ENOENT);
	CHECK(dma_writes(&d, 0x1000, mem));
}

static void auto_hwpt(void)
{
	struct testdev e;
	uint32_t a, b;

	need_aperture();
	begin();
	a = attach(&d, s.ioas);
	CHECK_EQ(iofd_objects(s.fd, "hwpt"), 1);
	/* attaching once more to the same finds the same table */
	CHECK_EQ(attach(&d, s.ioas), a);
	need_edu(&e, 1, s.fd);
	b = attach(&e, s.ioas);
	CHECK_EQ(a, b);
	CHECK_EQ(iofd_objects(s.fd, "hwpt"), 1);
	REFUSED(s.fd, IOMMU_DESTROY, iofd_destroy(s.fd, a), -EBUSY);
	OK(vdev_detach(&d.vdev));
	CHECK_EQ(iofd_objects(s.fd, "hwpt"), 1);
	OK(vdev_detach(&e.vdev));
	/* nobody asked for it, so it goes with its last device */
	CHECK_EQ(iofd_objects(s.fd, "hwpt"), 0);
	OK(iofd_destroy(s.fd, s.ioas));
}

static void destroy_in_use(void)
{
	uint32_t hwpt;

	begin();
	hwpt = new_hwpt(s.ioas);
	REFUSED(s.fd, IOMMU_DESTROY, iofd_destroy(s.fd, s.ioas), -EBUSY);
	CHECK_EQ(attach(&d, hwpt), hwpt);
	REFUSED(s.fd, IOMMU_DESTROY, iofd_destroy(s.fd, hwpt), -EBUSY);
	REFUSED(s.fd, IOMMU_DESTROY, iofd_destroy(s.fd, d.vdev.id), -EBUSY);
	OK(vdev_detach(&d.vdev));
	OK(iofd_destroy(s.fd, hwpt));
	OK(iofd_destroy(s.fd, s.ioas));
	edu_fini(&d.edu);
	vdev_close(&d.vdev);
	CHECK_EQ(iofd_objects(s.fd, NULL), 0);
}

static void several_hwpts(void)
{
	uint32_t hwpt[8];
	int i;

	begin();
	OK(space_map(&s, mem, PAGE, 0x1000));
	for (i = 0; i < 8; i++)
		hwpt[i] = new_hwpt(s.ioas);
	CHECK_EQ(iofd_objects(s.fd, "hwpt"), 8);
	OK(space_map(&s, mem + PAGE, PAGE, 0x2000));
	/* one memory, so pinned and charged once */
	CHECK_EQ(mem_status(0, "VmPin"), 2 * PAGE);
	for (i = 0; i < 8; i++) {
		CHECK_EQ(attach(&d, hwpt[i]), hwpt[i]);
		CHECK(dma_copies(&d, 0x1000, 0x2000, mem, mem + PAGE));
	}
	OK(space_unmap(&s, 0x1000, PAGE));
	for (i = 0; i < 8; i++) {
		attach(&d, hwpt[i]);
		CHECK(!dma_writes(&d, 0x1000, mem));
	}
	OK(vdev_detach(&d.vdev));
	for (i = 0; i < 8; i++)
		OK(iofd_destroy(s.fd, hwpt[i]));
	CHECK_EQ(mem_status(0, "VmPin"), 0);
}

static struct iommu_hwpt_alloc plain_hwpt(void)
{
	return (struct iommu_hwpt_alloc) {
		.size = sizeof(struct iommu_hwpt_alloc),
		.dev_id = d.vdev.id,
		.pt_id = s.ioas,
	};
}

#define HWPT_REFUSED(c, want) \
	REFUSED(s.fd, IOMMU_HWPT_ALLOC, iofd_ioctl(s.fd, IOMMU_HWPT_ALLOC, c), want)

static void hwpt_ids(void)
{
	struct iommu_hwpt_alloc c;
	uint32_t hwpt;

	begin();
	hwpt = new_hwpt(s.ioas);
	c = plain_hwpt(); c.dev_id = s.ioas; HWPT_REFUSED(&c, -ENOENT);
	c = plain_hwpt(); c.dev_id = hwpt; HWPT_REFUSED(&c, -ENOENT);
	c = plain_hwpt(); c.dev_id = 0; HWPT_REFUSED(&c, -ENOENT);
	c = plain_hwpt(); c.dev_id = 0xffffffff; HWPT_REFUSED(&c, -ENOENT);
	c = plain_hwpt(); c.pt_id = 0; HWPT_REFUSED(&c, -ENOENT);
	c = plain_hwpt(); c.pt_id = 0xffffffff; HWPT_REFUSED(&c, -ENOENT);
	c = plain_hwpt(); c.pt_id = d.vdev.id; HWPT_REFUSED(&c, -EINVAL);
	/* a table on a table that was not made for it */
	c = plain_hwpt(); c.pt_id = hwpt; HWPT_REFUSED(&c, -EINVAL);
	c.data_type = IOMMU_HWPT_DATA_VTD_S1;
	c.data_len = sizeof(struct iommu_hwpt_vtd_s1);
	c.data_uptr = (uintptr_t)mem;
	HWPT_REFUSED(&c, -EINVAL);
	CHECK_EQ(iofd_objects(s.fd, "hwpt"), 1);
	/* the struct of the first version */
	c = plain_hwpt(); c.size = 24;
	OK(iofd_ioctl(s.fd, IOMMU_HWPT_ALLOC, &c));
	CHECK_EQ(iofd_objects(s.fd, "hwpt"), 2);
	c = plain_hwpt(); c.size = 20; HWPT_REFUSED(&c, -EINVAL);
}

static void hwpt_fields(void)
{
	struct iommu_hwpt_alloc c;
	int rc;

	begin();
	c = plain_hwpt(); c.flags = 0x10; HWPT_REFUSED(&c, -EOPNOTSUPP);
	c = plain_hwpt(); c.flags = 0xffffffff; HWPT_REFUSED(&c, -EOPNOTSUPP);
	c = plain_hwpt(); c.__reserved = 1; HWPT_REFUSED(&c, -EOPNOTSUPP);
	c = plain_hwpt(); c.__reserved2 = 1; HWPT_REFUSED(&c, -EOPNOTSUPP);
	c = plain_hwpt();
	c.flags = IOMMU_HWPT_ALLOC_NEST_PARENT | IOMMU_HWPT_FAULT_ID_VALID;
	HWPT_REFUSED(&c, -EOPNOTSUPP);
	/* types of data that are no table over an IOAS; the errno is not laid down */
	c = plain_hwpt(); c.data_type = 77;
	rc = iofd_ioctl(s.fd, IOMMU_HWPT_ALLOC, &c);
	CHECK(rc < 0);
	REFUSED(s.fd, IOMMU_HWPT_ALLOC, iofd_ioctl(s.fd, IOMMU_HWPT_ALLOC, &c), rc);
	CHECK_EQ(iofd_objects(s.fd, "hwpt"), 0);
}

/* Page requests can be had where driver and device have them, and no driver built in. */
static void hwpt_faults(void)
{
	uint32_t id, hwpt;
	int q, rc;

	begin();
	q = OK(event_fault_queue(s.fd, &id));
	REFUSED(s.fd, IOMMU_HWPT_ALLOC, event_hwpt(s.fd, d.vdev.id, s.ioas, id + 1000, 0, &hwpt),
		-ENOENT);
	rc = event_hwpt(s.fd, d.vdev.id, s.ioas, id, 0, &hwpt);
	if (rc) {
		REFUSED(s.fd, IOMMU_HWPT_ALLOC,
			event_hwpt(s.fd, d.vdev.id, s.ioas, id, 0, &hwpt), -EOPNOTSUPP);
		CHECK(strstr(iommufd_last_reason(s.fd), "page requests"));
		tap_note("%s", iommufd_last_reason(s.fd));
		CHECK_EQ(iofd_objects(s.fd, "hwpt"), 0);
	} else if (vdev_attach(&d.vdev, &hwpt)) {
		/* the driver has them, this device has not */
		REFUSED(d.vdev.fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, vdev_attach(&d.vdev, &hwpt),
			-EOPNOTSUPP);
		CHECK(strstr(iommufd_last_reason(d.vdev.fd), "ask for pages"));
	}
	close(q);
}

/* What this IOMMU cannot do is refused, what it can do works. */
static void hwpt_features(void)
{
	static const uint32_t flags[] = {
		IOMMU_HWPT_ALLOC_NEST_PARENT, IOMMU_HWPT_ALLOC_DIRTY_TRACKING,
		IOMMU_HWPT_ALLOC_PASID,
	};
	struct iommu_hwpt_alloc c;
	uint32_t length = 0, i;
	uint64_t caps;
	int rc;

	begin();
	OK(iofd_hw_info(s.fd, d.vdev.id, NULL, &length, NULL, &caps));
	OK(space_map(&s, mem, PAGE, 0x1000));
	for (i = 0; i < 3; i++) {
		c = plain_hwpt();
		c.flags = flags[i];
		rc = iofd_ioctl(s.fd, IOMMU_HWPT_ALLOC, &c);
		if (rc) {
			tap_note("flag 0x%x: %s", flags[i], iommufd_last_reason(s.fd));
			REFUSED(s.fd, IOMMU_HWPT_ALLOC,
				iofd_ioctl(s.fd, IOMMU_HWPT_ALLOC, &c), -EOPNOTSUPP);
		} else {
			attach(&d, c.out_hwpt_id);
			CHECK(dma_writes(&d, 0x1000, mem));
			OK(vdev_detach(&d.vdev));
			OK(iofd_destroy(s.fd, c.out_hwpt_id));
		}
		if (flags[i] == IOMMU_HWPT_ALLOC_DIRTY_TRACKING)
			CHECK_EQ(!rc, !!(caps & IOMMU_HW_CAP_DIRTY_TRACKING));
	}
}

static void hwpt_lost_id(void)
{
	struct iommu_hwpt_alloc *c = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
					  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	begin();
	*c = plain_hwpt();
	CHECK(!mprotect(c, PAGE, PROT_READ));
	HWPT_REFUSED(c, -EFAULT);
	CHECK_EQ(iofd_objects(s.fd, "hwpt"), 0);
	OK(iofd_destroy(s.fd, s.ioas));
}

/* A table cannot hold what cannot be pinned. */
static void hwpt_no_memory(void)
{
	char *hole = mem_anon(4 * PAGE);
	uint32_t pt;
	long long pinned = mem_pinned_pages();

	begin();
	OK(space_map(&s, mem, 4 * PAGE, 0x10000));
	OK(space_map(&s, hole, 4 * PAGE, 0x20000));
	munmap(hole + 2 * PAGE, PAGE);
	REFUSED(s.fd, IOMMU_HWPT_ALLOC, iofd_hwpt(s.fd, d.vdev.id, s.ioas, 0, &pt), -EFAULT);
	pt = s.ioas;
	ERR(vdev_attach(&d.vdev, &pt), -EFAULT);
	CHECK_EQ(iofd_objects(s.fd, "hwpt"), 0);
	CHECK_EQ(mem_status(0, "VmPin"), 0);
	CHECK_EQ(mem_wait_pinned(pinned, 1000), pinned);
	OK(space_unmap(&s, 0x20000, 4 * PAGE));
	attach(&d, s.ioas);
	CHECK(dma_writes(&d, 0x10000, mem));
}

static void hw_info(void)
{
	struct { struct iommu_hw_info_vtd vtd; char more[40]; } info;
	struct iommu_hw_info c;
	uint32_t length, type;
	uint64_t caps;
	unsigned int i;

	begin();
	memset(&info, 0xff, sizeof(info));
	length = sizeof(info);
	OK(iofd_hw_info(s.fd, d.vdev.id, &info, &length, &type, &caps));
	if (type != IOMMU_HW_INFO_TYPE_INTEL_VTD)
		tap_skip("this IOMMU tells type %u", type);
	CHECK_EQ(length, sizeof(struct iommu_hw_info_vtd));
	CHECK(info.vtd.cap_reg && info.vtd.ecap_reg);
	CHECK_EQ(info.vtd.__reserved, 0);
	for (i = 0; i < sizeof(info.more); i++)
		CHECK_EQ(info.more[i], 0);

	/* the first part of it */
	memset(&info, 0xff, sizeof(info));
	length = 12;
	OK(iofd_hw_info(s.fd, d.vdev.id, &info, &length, &type, &caps));
	CHECK_EQ(length, sizeof(struct iommu_hw_info_vtd));
	CHECK_EQ(((unsigned char *)&info)[12], 0xff);

	/* only how much there is */
	OK(iofd_hw_info(s.fd, d.vdev.id, NULL, &length, &type, &caps));
	CHECK_EQ(length, sizeof(struct iommu_hw_info_vtd));

	c = (struct iommu_hw_info){ .size = sizeof(c), .dev_id = d.vdev.id, .data_len = 8 };
	REFUSED(s.fd, IOMMU_GET_HW_INFO, iofd_ioctl(s.fd, IOMMU_GET_HW_INFO, &c), -EFAULT);
	c.data_uptr = 1UL << 63;
	REFUSED(s.fd, IOMMU_GET_HW_INFO, iofd_ioctl(s.fd, IOMMU_GET_HW_INFO, &c), -EFAULT);

	/* a struct of the first version */
	c = (struct iommu_hw_info){ .size = 32, .dev_id = d.vdev.id };
	c.out_capabilities = ~0ULL;
	OK(iofd_ioctl(s.fd, IOMMU_GET_HW_INFO, &c));
	CHECK_EQ(c.out_capabilities, ~0ULL);
	CHECK_EQ(c.out_data_type, IOMMU_HW_INFO_TYPE_INTEL_VTD);
	c = (struct iommu_hw_info){ .size = 28, .dev_id = d.vdev.id };
	REFUSED(s.fd, IOMMU_GET_HW_INFO, iofd_ioctl(s.fd, IOMMU_GET_HW_INFO, &c), -EINVAL);
	c = (struct iommu_hw_info){ .size = sizeof(c), .dev_id = s.ioas };
	REFUSED(s.fd, IOMMU_GET_HW_INFO, iofd_ioctl(s.fd, IOMMU_GET_HW_INFO, &c), -ENOENT);
}

static void hw_info_type(void)
{
	struct iommu_hw_info c;
	static const struct { uint32_t type; int want; } ask[] = {
		{ IOMMU_HW_INFO_TYPE_DEFAULT, 0 }, { IOMMU_HW_INFO_TYPE_INTEL_VTD, 0 },
		{ IOMMU_HW_INFO_TYPE_ARM_SMMUV3, -EOPNOTSUPP },
		{ IOMMU_HW_INFO_TYPE_TEGRA241_CMDQV, -EOPNOTSUPP },
		{ IOMMU_HW_INFO_TYPE_AMD, -EOPNOTSUPP }, { 0xffffffff, -EOPNOTSUPP },
	};
	uint32_t length = 0, type;
	unsigned int i;

	begin();
	OK(iofd_hw_info(s.fd, d.vdev.id, NULL, &length, &type, NULL));
	if (type != IOMMU_HW_INFO_TYPE_INTEL_VTD)
		tap_skip("this IOMMU tells type %u", type);
	for (i = 0; i < sizeof(ask) / sizeof(ask[0]); i++) {
		c = (struct iommu_hw_info){
			.size = sizeof(c), .dev_id = d.vdev.id,
			.flags = IOMMU_HW_INFO_FLAG_INPUT_TYPE,
			.in_data_type = ask[i].type,
		};
		if (ask[i].want) {
			REFUSED(s.fd, IOMMU_GET_HW_INFO,
				iofd_ioctl(s.fd, IOMMU_GET_HW_INFO, &c), ask[i].want);
		} else {
			OK(iofd_ioctl(s.fd, IOMMU_GET_HW_INFO, &c));
			CHECK_EQ(c.out_data_type, IOMMU_HW_INFO_TYPE_INTEL_VTD);
		}
	}
	/* without the flag the field is not looked at */
	c = (struct iommu_hw_info){
		.size = sizeof(c), .dev_id = d.vdev.id, .in_data_type = 0xdead,
	};
	OK(iofd_ioctl(s.fd, IOMMU_GET_HW_INFO, &c));
	CHECK_EQ(c.out_data_type, IOMMU_HW_INFO_TYPE_INTEL_VTD);
	CHECK_EQ(c.out_max_pasid_log2, 0);
}

static void second_device(void)
{
	struct testdev e;
	uint32_t hwpt;
	long long pinned;

	begin();
	attach(&d, s.ioas);
	OK(space_map(&s, mem, MEM_SIZE, 0x100000));
	pinned = mem_pinned_pages();
	CHECK_EQ(mem_status(0, "VmPin"), MEM_SIZE);
	need_edu(&e, 1, s.fd);
	/* a table of its own, filled from what is pinned */
	OK(iofd_hwpt(s.fd, e.vdev.id, s.ioas, 0, &hwpt));
	attach(&e, hwpt);
	CHECK_EQ(mem_pinned_pages(), pinned);
	CHECK_EQ(mem_status(0, "VmPin"), MEM_SIZE);
	CHECK(dma_copies(&e, 0x100000, 0x10f000, mem, mem + 15 * PAGE));
	CHECK(dma_copies(&d, 0x10f000, 0x101000, mem + 15 * PAGE, mem + PAGE));
	/* the first goes, the second stays */
	OK(vdev_detach(&d.vdev));
	CHECK(!dma_writes(&d, 0x100000, mem));
	CHECK(dma_writes(&e, 0x100000, mem));
	CHECK_EQ(mem_status(0, "VmPin"), MEM_SIZE);
	OK(space_unmap(&s, 0x100000, MEM_SIZE));
	CHECK(!dma_writes(&e, 0x100000, mem));
	CHECK_EQ(mem_status(0, "VmPin"), 0);
}

/* The memory is no longer at its address, but what is pinned is still it. */
static void second_device_after_munmap(void)
{
	struct testdev e;
	uint32_t hwpt;
	char *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *alias;

	begin();
	attach(&d, s.ioas);
	memset(shared, 0, PAGE);
	alias = mremap(shared, 0, PAGE, MREMAP_MAYMOVE);
	CHECK(alias != MAP_FAILED);
	OK(space_map(&s, shared, PAGE, 0x1000));
	munmap(shared, PAGE);
	need_edu(&e, 1, s.fd);
	OK(iofd_hwpt(s.fd, e.vdev.id, s.ioas, 0, &hwpt));
	attach(&e, hwpt);
	CHECK(dma_writes(&e, 0x1000, alias));
}

static void replace(void)
{
	uint32_t a, b, other, c;
	int i;

	need_aperture();
	begin();
	OK(space_map(&s, mem, PAGE, 0x1000));
	a = new_hwpt(s.ioas);
	b = new_hwpt(s.ioas);
	other = new_ioas();
	OK(iofd_map_at(s.fd, other, mem + PAGE, PAGE, 0x1000));
	c = new_hwpt(other);
	attach(&d, a);
	/* between tables of one space a transfer never fails */
	for (i = 0; i < 10; i++) {
		mem_fill(mem, PAGE, i);
		edu_start(&d.edu, 0x1000, 0, PAGE, 0);
		attach(&d, i & 1 ? a : b);
		OK(edu_wait(&d.edu));
		memset(mem, 0, PAGE);
		edu_start(&d.edu, 0x1000, 0, PAGE, 1);
		attach(&d, i & 1 ? b : a);
		OK(edu_wait(&d.edu));
		CHECK(mem_holds(mem, PAGE, i));
	}
	/* to another space: the same address is other memory */
	attach(&d, c);
	CHECK(dma_writes(&d, 0x1000, mem + PAGE));
	CHECK(!dma_writes(&d, 0x1000, mem));
	attach(&d, a);
	CHECK(dma_writes(&d, 0x1000, mem));
	OK(iofd_destroy(s.fd, c));
	OK(iofd_destroy(s.fd, other));
	OK(iofd_destroy(s.fd, b));
	REFUSED(s.fd, IOMMU_DESTROY, iofd_destroy(s.fd, a), -EBUSY);
	/* and to an IOAS, whose table comes about meanwhile */
	other = new_ioas();
	attach(&d, other);
	CHECK(!dma_writes(&d, 0x1000, mem));
	OK(iofd_destroy(s.fd, a));
}

/* A replacement that does not fit leaves everything as it was. */
static void replace_fails(void)
{
	struct iommu_iova_range r[16];
	uint32_t other, pt, n = 16;
	uint64_t align;

	begin();
	attach(&d, s.ioas);
	OK(space_map(&s, mem, PAGE, 0x1000));
	other = new_ioas();
	OK(iofd_map_at(s.fd, other, mem, PAGE, MSI_FIRST));
	pt = other;
	ERR(vdev_attach(&d.vdev, &pt), -EADDRINUSE);
	CHECK(dma_writes(&d, 0x1000, mem));
	OK(iofd_ranges(s.fd, other, r, &n, &align));
	CHECK_EQ(n, 1);
	CHECK_EQ(iofd_objects(s.fd, "hwpt"), 1);
	OK(iofd_destroy(s.fd, other));
}

/*
 * In scalable mode the kernel's VT-d driver has no context entry for the alias
 * under which a PCI bridge speaks for what is behind it: nothing there can do
 * DMA, through type1 neither. ECAP bit 43 is SMTS.
 */
static bool bridge_is_cut_off(uint32_t dev)
{
	struct iommu_hw_info_vtd info = { 0 };
	uint32_t length = sizeof(info), type;

	OK(iofd_hw_info(s.fd, dev, &info, &length, &type, NULL));
	return type == IOMMU_HW_INFO_TYPE_INTEL_VTD && info.ecap_reg >> 43 & 1;
}

static void group_of_two(void)
{
	bool dma;
	struct testdev a, b;
	pci_bdf x, y;
	uint32_t h, k;

	space_open(&s);
	mem = mem_anon(MEM_SIZE);
	need_edu_pair(x, y);
	OK(pci_bind(y, "vfio-pci"));
	open_edu(&a, x, s.fd);
	open_edu(&b, y, s.fd);
	CHECK(a.vdev.id != b.vdev.id);
	d = a;
	h = new_hwpt(s.ioas);
	k = new_hwpt(s.ioas);
	OK(space_map(&s, mem, 2 * PAGE, 0x1000));

	attach(&a, h);
	/* the group shares one table, whoever else is attached */
	ERR(vdev_attach(&b.vdev, &(uint32_t){ k }), -EINVAL);
	attach(&b, h);
	dma = !bridge_is_cut_off(a.vdev.id);
	if (!dma)
		tap_note("without DMA, which this IOMMU does not offer behind a bridge");
	CHECK(!dma || dma_copies(&a, 0x1000, 0x2000, mem, mem + PAGE));
	CHECK(!dma || dma_copies(&b, 0x2000, 0x1000, mem + PAGE, mem));
	/* the first that leaves takes nothing from the other */
	OK(vdev_detach(&a.vdev));
	CHECK(!dma || dma_writes(&b, 0x1000, mem));
	REFUSED(s.fd, IOMMU_DESTROY, iofd_destroy(s.fd, h), -EBUSY);
	attach(&a, h);
	/* a replacement moves them together */
	attach(&b, k);
	OK(iofd_destroy(s.fd, h));
	CHECK(!dma || dma_writes(&a, 0x1000, mem));
	CHECK(!dma || dma_writes(&b, 0x1000, mem));
	OK(vdev_detach(&b.vdev));
	OK(vdev_detach(&a.vdev));
	CHECK(!dma_writes(&a, 0x1000, mem));
	OK(iofd_destroy(s.fd, k));
}

/* One group, one owner. */
static void group_two_files(void)
{
	struct testdev a;
	struct vdev v;
	pci_bdf x, y;
	int other = OK(iofd_open()), rc;

	space_open(&s);
	need_edu_pair(x, y);
	open_edu(&a, x, s.fd);
	OK(vdev_find(&v, y));
	OK(vdev_open(&v));
	rc = vdev_bind(&v, other);
	if (rc != -EPERM && rc != -EBUSY)
		tap_fail(__FILE__, __LINE__, "bound to a second file: %s", tap_errno(rc));
	CHECK_EQ(iofd_objects(other, NULL), 0);
	edu_fini(&a.edu);
	vdev_close(&a.vdev);
	vdev_close(&v);
	OK(vdev_open(&v));
	OK(vdev_bind(&v, other));
}

static void close_attached(void)
{
	long long pinned = mem_pinned_pages();

	begin();
	attach(&d, s.ioas);
	OK(space_map(&s, mem, MEM_SIZE, 0x1000));
	edu_fini(&d.edu);
	/* the iommufd first: the device holds on to it */
	close(s.fd);
	CHECK(mem_pinned_pages() >= pinned + (long long)(MEM_SIZE / PAGE));
	vdev_close(&d.vdev);
	CHECK_EQ(mem_wait_pinned(pinned, 3000), pinned);
	/* and the device can be had again */
	begin();
	attach(&d, s.ioas);
}

static void fdinfo_devices(void)
{
	begin();
	attach(&d, s.ioas);
	CHECK_EQ(iofd_objects(s.fd, "device"), 1);
	CHECK_EQ(iofd_objects(s.fd, "ioas"), 1);
	CHECK_EQ(iofd_objects(s.fd, "hwpt"), 1);
	edu_fini(&d.edu);
	vdev_close(&d.vdev);
	CHECK_EQ(iofd_objects(s.fd, NULL), 1);
}

static const struct tap_test tests[] = {
	{ "IOVA_RANGES of an attached IOAS leaves out the MSI window", ranges_attached },
	{ "IOVA_RANGES with a HWPT that nobody uses", ranges_hwpt },
	{ "MAP with a page table: windows, alignment", map_attached },
	{ "attaching to what is in the way is refused", map_then_attach },
	{ "ALLOW_IOVAS against reserved ranges: EADDRINUSE", allow_and_attach },
	{ "DMA to what was mapped before and after the attach", dma_before_and_after },
	{ "DMA is refused: read-only, unmapped, detached", dma_refused },
	{ "DMA to a write-only mapping", dma_write_only },
	{ "DETACH succeeds, also without an attachment", detach_twice },
	{ "ATTACH to nothing and to the wrong type", attach_wrong },
	{ "ATTACH to an IOAS makes one table for all, which goes with the last", auto_hwpt },
	{ "DESTROY of what is in use: EBUSY", destroy_in_use },
	{ "several HWPTs over one IOAS", several_hwpts, 60 },
	{ "HWPT_ALLOC: ids", hwpt_ids },
	{ "HWPT_ALLOC: flags and types", hwpt_fields },
	{ "HWPT_ALLOC: what the IOMMU offers", hwpt_features },
	{ "HWPT_ALLOC with a fault queue", hwpt_faults },
	{ "HWPT_ALLOC: EFAULT leaves no HWPT", hwpt_lost_id },
	{ "HWPT_ALLOC over memory that is gone: EFAULT, nothing pinned", hwpt_no_memory },
	{ "GET_HW_INFO: lengths and pointers", hw_info },
	{ "GET_HW_INFO: asking for a type", hw_info_type },
	{ "a second device is filled from what is pinned", second_device },
	{ "a second device, although the memory was unmapped", second_device_after_munmap },
	{ "ATTACH replaces, under DMA", replace, 60 },
	{ "ATTACH that cannot replace leaves the old table", replace_fails },
	{ "two devices of one group share a table", group_of_two },
	{ "two devices of one group cannot have two owners", group_two_files },
	{ "closing /dev/iommu first, then the device", close_attached },
	{ "fdinfo lists devices and tables", fdinfo_devices },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Dirty tracking behind iommu_vtd: what real devices write through first-stage
 * tables, which QEMU's unit records, and what the software walker writes through
 * either stage.
 */
#define _GNU_SOURCE
#include <string.h>
#include <unistd.h>

#include "devices.h"
#include "mem.h"
#include "vtd_ops.h"
#include "vtd_walk.h"

#define PAGE	4096UL
#define IOVA	0x1000000UL
#define PAGES	256UL
#define NONE	VTD_WALK_NO_PASID

static struct space s;
static struct testdev d;
static struct vtd_requester r;
static uint32_t hwpt;
static char *mem;
static uint8_t bits[PAGES / 8];

static void begin_with(uint64_t ecap)
{
	int rc;

	space_open(&s);
	need_edu(&d, 0, s.fd);
	vtd_pretend(ecap);
	vtd_requester(&r, d.vdev.bdf);
	rc = iofd_hwpt(s.fd, d.vdev.id, s.ioas, IOMMU_HWPT_ALLOC_DIRTY_TRACKING, &hwpt);
	if (rc == -EOPNOTSUPP)
		tap_skip("%s", iommufd_last_reason(s.fd));
	OK(rc);
}

static void begin(void)
{
	begin_with(0);
}

static void begin_mapped(uint64_t ecap)
{
	begin_with(ecap);
	mem = mem_anon(PAGES * PAGE);
	CHECK(mem);
	OK(space_map(&s, mem, PAGES * PAGE, IOVA));
	attach(&d, hwpt);
}

static int read_bits(int keep)
{
	memset(bits, 0, sizeof(bits));
	return dirty_bitmap(s.fd, hwpt, IOVA, PAGES * PAGE, PAGE, bits, keep);
}

static unsigned int count(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < PAGES; i++)
		n += bits[i / 8] >> i % 8 & 1;
	return n;
}

/*
 * Of a unit that does not snoop its walks (11.4.3, SMPWCS) the driver does not
 * believe that it records a write to what was read before, and QEMU's does not.
 */
static unsigned int reads_count(void)
{
	return !(r.ecap >> 48 & 1);
}

static int is_set(unsigned int page)
{
	return bits[page / 8] >> page % 8 & 1;
}

/* hw_info and HWPT_ALLOC are of one opinion, which is the unit's. */
static void told(void)
{
	uint32_t length = 0, type;
	uint64_t caps;
	bool has;

	space_open(&s);
	need_edu(&d, 0, s.fd);
	vtd_pretend(0);
	vtd_requester(&r, d.vdev.bdf);
	has = vtd_is_scalable(&r) && (!(r.ecap >> 46 & 1) || r.ecap >> 45 & 1);
	OK(iofd_hw_info(s.fd, d.vdev.id, NULL, &length, &type, &caps));
	CHECK_EQ(!!(caps & IOMMU_HW_CAP_DIRTY_TRACKING), has);
	if (has)
		OK(iofd_hwpt(s.fd, d.vdev.id, s.ioas, IOMMU_HWPT_ALLOC_DIRTY_TRACKING, &hwpt));
	else
		REFUSED(s.fd, IOMMU_HWPT_ALLOC,
			iofd_hwpt(s.fd, d.vdev.id, s.ioas, IOMMU_HWPT_ALLOC_DIRTY_TRACKING,
				  &hwpt), -EOPNOTSUPP);
}

static void device_writes(void)
{
	unsigned int round;

	begin_mapped(0);
	ERR(read_bits(0), -EINVAL);
	/* before it is on it does not count */
	OK(edu_write(&d.edu, IOVA + 100 * PAGE, 0, PAGE));
	OK(dirty_tracking(s.fd, hwpt, 1));
	OK(read_bits(0));
	CHECK_EQ(count(), 0);
	/* reading is not writing, but must not hide what is written afterwards */
	OK(edu_read(&d.edu, IOVA + 5 * PAGE, 0, PAGE));
	OK(read_bits(0));
	CHECK_EQ(count(), reads_count());
	OK(edu_read(&d.edu, IOVA + 6 * PAGE, 0, PAGE));
	OK(edu_write(&d.edu, IOVA + 6 * PAGE, 0, PAGE));
	OK(read_bits(0));
	CHECK(is_set(6));
	CHECK_EQ(count(), 1);
	/* the second time shows that what was cleared is recorded anew */
	for (round = 0; round < 3; round++) {
		OK(edu_write(&d.edu, IOVA + 7 * PAGE, 0, PAGE));
		OK(edu_write(&d.edu, IOVA + (20 + round) * PAGE + 100, 0, 50));
		OK(read_bits(1));
		CHECK_EQ(count(), 2);
		OK(read_bits(0));
		CHECK(is_set(7) && is_set(20 + round));
		CHECK_EQ(count(), 2);
		OK(read_bits(0));
		CHECK_EQ(count(), 0);
	}
	OK(dirty_tracking(s.fd, hwpt, 0));
	ERR(read_bits(0), -EINVAL);
	OK(edu_write(&d.edu, IOVA + 9 * PAGE, 0, PAGE));
	OK(dirty_tracking(s.fd, hwpt, 1));
	OK(read_bits(0));
	CHECK_EQ(count(), 0);
}

/* What a unit has to have that the emulated one does not: SMPWCS, SSADS. */
static const uint64_t as_it_is, snooped = 1ULL << 48, second_stage = 1ULL << 48 | 1ULL << 45;

static void walker_writes(void)
{
	uint64_t ecap = *(const uint64_t *)tap_current->arg;
	static char data[3 * PAGE];
	struct vtd_walk w;
	pci_bdf bdf;

	if (!pci_find(PCI_EDU, 0, bdf))
		tap_skip("this machine has no edu device");
	vtd_requester(&r, bdf);
	if (ecap && !vtd_is_scalable(&r))
		tap_skip("the unit is in legacy mode");
	begin_mapped(ecap);
	OK(dirty_tracking(s.fd, hwpt, 1));
	CHECK_EQ(vtd_dma_read(&r, NONE, IOVA, data, sizeof(data)), 0);
	CHECK_EQ(vtd_translate(&r, NONE, IOVA, VTD_WALK_WRITE | VTD_WALK_KEEP, &w), 0);
	CHECK(!(w.attributes & (VTD_WALK_FS_DIRTY | VTD_WALK_SS_DIRTY)));
	OK(read_bits(0));
	CHECK_EQ(count(), 3 * reads_count());
	CHECK_EQ(vtd_dma_write(&r, NONE, IOVA + 30 * PAGE + 1, data, 2 * PAGE), 0);
	OK(read_bits(0));
	CHECK(is_set(30) && is_set(31) && is_set(32));
	CHECK_EQ(count(), 3);
	/* a write that is refused leaves no trace */
	CHECK(vtd_dma_write(&r, NONE, IOVA - 1, data, 1) != 0);
	OK(read_bits(0));
	CHECK_EQ(count(), 0);
	/* nor is one lost that comes after reading */
	CHECK_EQ(vtd_dma_read(&r, NONE, IOVA + 40 * PAGE, data, PAGE), 0);
	CHECK_EQ(vtd_dma_write(&r, NONE, IOVA + 40 * PAGE, data, PAGE), 0);
	OK(read_bits(1));
	CHECK(is_set(40));
	OK(read_bits(0));
	CHECK_EQ(count(), 1);
	OK(vdev_detach(&d.vdev));
	vtd_pretend(0);
}

static void large(void)
{
	static uint8_t all[64];
	char byte = 1, *huge;
	unsigned int i;

	if (mem_want_hugetlb(1) < 1)
		tap_skip("no memory for a huge page");
	begin();
	huge = mem_hugetlb(2 * MIB);
	CHECK(huge);
	OK(space_map(&s, huge, 2 * MIB, 2 * MIB));
	attach(&d, hwpt);
	OK(dirty_tracking(s.fd, hwpt, 1));
	CHECK_EQ(vtd_dma_write(&r, NONE, 3 * MIB, &byte, 1), 0);
	OK(dirty_bitmap(s.fd, hwpt, 2 * MIB, 2 * MIB, PAGE, all, 0));
	for (i = 0; i < 64; i++)
		CHECK_EQ(all[i], 0xff);
	memset(all, 0, sizeof(all));
	OK(dirty_bitmap(s.fd, hwpt, 2 * MIB, 2 * MIB, PAGE, all, 0));
	for (i = 0; i < 64; i++)
		CHECK_EQ(all[i], 0);
}

static void table_without(void)
{
	uint32_t plain;
	struct vtd_walk w;

	space_open(&s);
	need_edu(&d, 0, s.fd);
	vtd_pretend(0);
	vtd_requester(&r, d.vdev.bdf);
	mem = mem_anon(PAGE);
	OK(space_map(&s, mem, PAGE, IOVA));
	OK(iofd_hwpt(s.fd, d.vdev.id, s.ioas, 0, &plain));
	attach(&d, plain);
	REFUSED(s.fd, IOMMU_HWPT_SET_DIRTY_TRACKING, dirty_tracking(s.fd, plain, 1),
		-EOPNOTSUPP);
	CHECK_EQ(vtd_translate(&r, NONE, IOVA, VTD_WALK_READ | VTD_WALK_KEEP, &w), 0);
	/* hardware has nothing to record in the first stage, and does not in the second */
	if (vtd_is_scalable(&r) && !(r.ecap >> 46 & 1))
		CHECK(w.attributes & VTD_WALK_FS_DIRTY);
	CHECK_EQ(vtd_translate(&r, NONE, IOVA, VTD_WALK_WRITE, &w), 0);
	CHECK(!(w.attributes & VTD_WALK_SS_DIRTY));
}

static const struct tap_test tests[] = {
	{ "it is offered where hardware records writes, and nowhere else", told },
	{ "what a device writes is found, once each time", device_writes, 60 },
	{ "what the walker writes is found", walker_writes, .arg = &as_it_is },
	{ "the same by a unit that snoops its walks", walker_writes, .arg = &snooped },
	{ "the same by one that records in the second stage", walker_writes, .arg = &second_stage },
	{ "a large page is dirty as a whole", large },
	{ "a table that is not made for it records nothing", table_without },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Nested page tables of iommu_smmuv3, walked by the (emulated) unit: this program is the
 * guest. It writes a context descriptor and the tables of stage 1 into its memory, and
 * an edu does DMA through them.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "devices.h"
#include "mem.h"
#include "nic.h"
#include "nvme.h"

#define PAGE	4096UL
/* where the guest's memory is in stage 2 */
#define GPA	0x10000000UL
#define PAGES	64
/* what the guest's first device has at this address */
#define IOVA	0x2345000UL
#define VSID	0x77
/* pages of the guest: for each of two devices, and from here on data */
#define TABLES	8
#define DATA	16

/* 5.2 and 5.4 of IHI 0070, D8.3 of DDI 0487 */
#define STE_V		1UL
#define STE_S1		(5UL << 1)
#define STE_BYPASS	(4UL << 1)
#define STE1_CACHED	(1UL << 2 | 1UL << 4 | 3UL << 6)
#define CD0		(16UL | 1UL << 8 | 1UL << 10 | 3UL << 12 | 1UL << 30 | 1UL << 31 | \
			 1UL << 35 | 1UL << 41 | 1UL << 45 | 1UL << 46 | 1UL << 47)
#define ASID		5UL
#define PTE		(3UL | 1UL << 6 | 3UL << 8 | 1UL << 10)
#define PTE_READ_ONLY	(1UL << 7)

static struct space s;
static struct testdev d;
static uint64_t *mem;
static uint32_t parent, viommu, vdevice;

static int hwpt_alloc(uint32_t dev, uint32_t pt, uint32_t flags, uint32_t type,
		      const void *data, uint32_t length, uint32_t *hwpt)
{
	struct iommu_hwpt_alloc c = {
		.size = sizeof(c),
		.flags = flags,
		.dev_id = dev,
		.pt_id = pt,
		.data_type = type,
		.data_len = length,
		.data_uptr = (uintptr_t)data,
	};
	int rc = iofd_ioctl(s.fd, IOMMU_HWPT_ALLOC, &c);

	*hwpt = c.out_hwpt_id;
	return rc;
}

static int nested(uint64_t w0, uint64_t w1, uint32_t *hwpt)
{
	struct iommu_hwpt_arm_smmuv3 ste = { { w0, w1 } };

	return hwpt_alloc(d.vdev.id, viommu, 0, IOMMU_HWPT_DATA_ARM_SMMUV3, &ste,
			  sizeof(ste), hwpt);
}

static int viommu_alloc(uint32_t dev, uint32_t type, uint32_t hwpt, uint32_t *id)
{
	struct iommu_viommu_alloc c = {
		.size = sizeof(c),
		.type = type,
		.dev_id = dev,
		.hwpt_id = hwpt,
	};
	int rc = iofd_ioctl(s.fd, IOMMU_VIOMMU_ALLOC, &c);

	*id = c.out_viommu_id;
	return rc;
}

static int vdevice_alloc(uint32_t dev, uint32_t in, uint64_t virt_id, uint32_t *id)
{
	struct iommu_vdevice_alloc c = {
		.size = sizeof(c),
		.viommu_id = in,
		.dev_id = dev,
		.virt_id = virt_id,
	};
	int rc = iofd_ioctl(s.fd, IOMMU_VDEVICE_ALLOC, &c);

	*id = c.out_vdevice_id;
	return rc;
}

static int commands(uint32_t id, const uint64_t (*cmd)[2], uint32_t *num)
{
	struct iommu_hwpt_invalidate c = {
		.size = sizeof(c),
		.hwpt_id = id,
		.data_uptr = (uintptr_t)cmd,
		.data_type = IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3,
		.entry_len = sizeof(*cmd),
		.entry_num = *num,
	};
	int rc = iofd_ioctl(s.fd, IOMMU_HWPT_INVALIDATE, &c);

	*num = c.entry_num;
	return rc;
}

static int command(uint32_t id, uint64_t w0, uint64_t w1)
{
	const uint64_t cmd[1][2] = { { w0, w1 } };
	uint32_t num = 1;
	int rc = commands(id, cmd, &num);

	CHECK_EQ(num, !rc);
	return rc;
}

static uint64_t *page(unsigned int i)
{
	return mem + 512 * i;
}

static uint64_t gpa(unsigned int i)
{
	return GPA + i * PAGE;
}

/* The leaf of an address in the tables that begin in a page. */
static uint64_t *leaf(unsigned int tables, uint64_t iova)
{
	return page(tables + 4) + (iova >> 12 & 511);
}

/* A descriptor in one page and four levels in those after it; what stands in a STE. */
static uint64_t guest_tables(unsigned int tables)
{
	uint64_t *cd = page(tables);
	unsigned int level;

	memset(cd, 0, 5 * PAGE);
	for (level = 0; level < 3; level++)
		page(tables + 1 + level)[IOVA >> (39 - 9 * level) & 511] =
			gpa(tables + 2 + level) | 3;
	/* as many bits as stage 2 has, at least */
	cd[0] = CD0 | 4UL << 32 | ASID << 48;
	cd[1] = gpa(tables + 1);
	cd[3] = 0xff;
	return gpa(tables);
}

static void begin(void)
{
	struct iommu_hw_info_arm_smmuv3 info;
	uint32_t length = sizeof(info), type;

	space_open(&s);
	need_edu(&d, 0, s.fd);
	if (iofd_hw_info(s.fd, d.vdev.id, &info, &length, &type, NULL) ||
	    type != IOMMU_HW_INFO_TYPE_ARM_SMMUV3)
		tap_skip("the IOMMU is no SMMUv3 of ours");
	if ((info.idr[0] & 3) != 3)
		tap_skip("the unit has one stage only");
	mem = mem_anon(PAGES * PAGE);
	CHECK(mem);
	OK(space_map(&s, mem, PAGES * PAGE, GPA));
	OK(hwpt_alloc(d.vdev.id, s.ioas, IOMMU_HWPT_ALLOC_NEST_PARENT, 0, NULL, 0,
		      &parent));
	OK(viommu_alloc(d.vdev.id, IOMMU_VIOMMU_TYPE_ARM_SMMUV3, parent, &viommu));
}

/* The whole guest, with a page of data at IOVA. */
static uint32_t guest(void)
{
	uint64_t w0;
	uint32_t hwpt;

	begin();
	OK(vdevice_alloc(d.vdev.id, viommu, VSID, &vdevice));
	w0 = guest_tables(0) | STE_V | STE_S1;
	*leaf(0, IOVA) = gpa(DATA) | PTE;
	OK(nested(w0, STE1_CACHED, &hwpt));
	attach(&d, hwpt);
	return hwpt;
}

static void information(void)
{
	struct iommu_hw_info_arm_smmuv3 info;
	uint32_t length = sizeof(info), type;

	begin();
	OK(iofd_hw_info(s.fd, d.vdev.id, &info, &length, &type, NULL));
	CHECK_EQ(length, sizeof(info));
	CHECK(!info.flags && !info.__reserved);
	tap_note("idr0 %#x idr1 %#x idr3 %#x idr5 %#x iidr %#x aidr %#x", info.idr[0],
		 info.idr[1], info.idr[3], info.idr[5], info.iidr, info.aidr);
	CHECK(info.idr[5] & 7 << 4);
}

static void translated(void)
{
	guest();
	CHECK(dma_writes(&d, IOVA, page(DATA)));
	/* what is not in stage 1, though stage 2 has it */
	CHECK(!dma_writes(&d, GPA - PAGE, page(0)));
	*leaf(0, IOVA + PAGE) = gpa(DATA + 1) | PTE | PTE_READ_ONLY;
	CHECK(!dma_writes(&d, IOVA + PAGE, page(DATA + 1)));
	*leaf(0, IOVA + 2 * PAGE) = gpa(DATA + 2) | PTE;
	CHECK(dma_copies(&d, IOVA + PAGE, IOVA + 2 * PAGE, page(DATA + 1),
			 page(DATA + 2)));
}

/* What the unit remembers is used until the guest says that it has changed. */
static void invalidated(void)
{
	static const struct {
		const char *name;
		uint64_t w0, w1;
	} ways[] = {
		{ "NH_VA", 0x12 | ASID << 48, IOVA | 1 },
		{ "NH_VA of a range", 0x12 | ASID << 48 | 3 << 12, IOVA | 1 | 1 << 10 },
		{ "NH_VAA", 0x13, IOVA | 1 },
		{ "NH_ASID", 0x11 | ASID << 48, 0 },
		{ "NH_ALL", 0x10, 0 },
		{ "NSNH_ALL", 0x30, 0 },
		/* of another VM: what a guest says of VMIDs is not looked at */
		{ "NH_ALL with a VMID", 0x10 | 9UL << 32, 0 },
	};
	unsigned int i, now = DATA, next;

	guest();
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		tap_note("%s", ways[i].name);
		next = DATA + (i & 1 ? 0 : 1);
		CHECK(dma_writes(&d, IOVA, page(now)));
		*leaf(0, IOVA) = gpa(next) | PTE;
		CHECK(dma_writes(&d, IOVA, page(now)));
		/* another address, or another address space */
		OK(command(viommu, 0x12 | ASID << 48, IOVA + 16 * PAGE));
		OK(command(viommu, 0x11 | (ASID + 1) << 48, 0));
		CHECK(dma_writes(&d, IOVA, page(now)));
		OK(command(viommu, ways[i].w0, ways[i].w1));
		CHECK(dma_writes(&d, IOVA, page(next)));
		now = next;
	}
}

/* Another descriptor: CFGI_CD and CFGI_CD_ALL, with the stream id of the guest. */
static void descriptors(void)
{
	static const uint64_t ways[][2] = {
		{ 0x05 | (uint64_t)VSID << 32, 1 }, { 0x06 | (uint64_t)VSID << 32, 0 },
	};
	unsigned int i;

	guest();
	guest_tables(TABLES);
	*leaf(TABLES, IOVA) = gpa(DATA + 1) | PTE;
	for (i = 0; i < 2; i++) {
		page(0)[1] = gpa(1);
		OK(command(viommu, 0x06 | (uint64_t)VSID << 32, 0));
		OK(command(viommu, 0x10, 0));
		CHECK(dma_writes(&d, IOVA, page(DATA)));
		page(0)[1] = gpa(TABLES + 1);
		OK(command(viommu, ways[i][0], ways[i][1]));
		OK(command(viommu, 0x11 | ASID << 48, 0));
		CHECK(dma_writes(&d, IOVA, page(DATA + 1)));
	}
	REFUSED(s.fd, IOMMU_HWPT_INVALIDATE,
		command(viommu, 0x05 | (uint64_t)(VSID + 1) << 32, 1), -EIO);
	CHECK(strstr(iommufd_last_reason(s.fd), "0x78"));
}

/* Stage 2 goes while stage 1 stays, and what was made of both is forgotten. */
static void unmapped_below(void)
{
	guest();
	CHECK(dma_writes(&d, IOVA, page(DATA)));
	OK(space_unmap(&s, GPA, PAGES * PAGE));
	CHECK(!dma_writes(&d, IOVA, page(DATA)));
	OK(space_map(&s, mem, PAGES * PAGE, GPA));
	CHECK(dma_writes(&d, IOVA, page(DATA)));
}

static int events_open(void)
{
	struct iommu_veventq_alloc c = {
		.size = sizeof(c),
		.viommu_id = viommu,
		.type = IOMMU_VEVENTQ_TYPE_ARM_SMMUV3,
		.veventq_depth = 4096,
	};

	OK(iofd_ioctl(s.fd, IOMMU_VEVENTQ_ALLOC, &c));
	return c.out_veventq_fd;
}

/* The first event with this id, within a while. */
static bool event_of(int fd, unsigned int id, uint64_t *event)
{
	struct {
		struct iommufd_vevent_header head;
		uint64_t w[4];
	} e;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	while (poll(&p, 1, 10000) == 1) {
		if (read(fd, &e, sizeof(e)) != sizeof(e))
			continue;
		tap_note("event %llx %llx %llx %llx", (unsigned long long)e.w[0],
			 (unsigned long long)e.w[1], (unsigned long long)e.w[2],
			 (unsigned long long)e.w[3]);
		if ((e.w[0] & 0xff) != id)
			continue;
		memcpy(event, e.w, sizeof(e.w));
		return true;
	}
	return false;
}

static void events(void)
{
	uint64_t e[4];
	int fd;

	guest();
	fd = events_open();
	/* not in stage 1: F_TRANSLATION */
	OK(edu_write(&d.edu, IOVA + 5 * PAGE, 0, 4));
	CHECK(event_of(fd, 0x10, e));
	CHECK_EQ(e[0] >> 32, VSID);
	CHECK_EQ(e[2] & ~0xfffUL, IOVA + 5 * PAGE);
	CHECK(!(e[1] >> 35 & 1) && !(e[1] >> 39 & 1));
	OK(edu_read(&d.edu, IOVA + 6 * PAGE, 0, 4));
	CHECK(event_of(fd, 0x10, e));
	CHECK(e[1] >> 35 & 1);
	/* read-only: F_PERMISSION */
	*leaf(0, IOVA + 7 * PAGE) = gpa(DATA) | PTE | PTE_READ_ONLY;
	OK(edu_write(&d.edu, IOVA + 7 * PAGE, 0, 4));
	CHECK(event_of(fd, 0x13, e));
	CHECK_EQ(e[0] >> 32, VSID);
	/* beyond what stage 2 has: of stage 2, for the data itself (class 2) */
	*leaf(0, IOVA + 8 * PAGE) = (GPA - PAGE) | PTE;
	OK(edu_write(&d.edu, IOVA + 8 * PAGE, 0, 4));
	CHECK(event_of(fd, 0x10, e));
	CHECK_EQ(e[0] >> 32, VSID);
	CHECK_EQ(e[1] >> 39 & 1, 1);
	CHECK_EQ(e[1] >> 40 & 3, 2);
	CHECK_EQ(e[3] & ~0xfffUL, GPA - PAGE);
	/* a descriptor that is not valid */
	page(0)[0] &= ~(1UL << 31);
	OK(command(viommu, 0x06 | (uint64_t)VSID << 32, 0));
	OK(edu_write(&d.edu, IOVA, 0, 4));
	CHECK(event_of(fd, 0x0a, e));
	CHECK_EQ(e[0] >> 32, VSID);
	close(fd);
}

#define HWPT_REFUSED(call, want) REFUSED(s.fd, IOMMU_HWPT_ALLOC, call, want)

static void entries(void)
{
	const uint64_t mine0 = 0xf80fffffffffffffUL & ~0xfUL, mine1 = 0xffUL | 1UL << 27;
	uint64_t w0;
	uint32_t hwpt;
	unsigned int i;

	begin();
	w0 = guest_tables(0) | STE_V | STE_S1;
	for (i = 6; i < 64; i++) {
		uint64_t bit = 1UL << i;

		/* where descriptors are is the guest's business; of ids there are none */
		if (bit & mine0 && i < 52)
			continue;
		HWPT_REFUSED(nested(w0 | bit, STE1_CACHED, &hwpt), -EIO);
	}
	for (i = 0; i < 64; i++) {
		uint64_t bit = 1UL << i;

		if (bit & mine1) {
			OK(nested(w0, bit, &hwpt));
			OK(iofd_destroy(s.fd, hwpt));
		} else {
			HWPT_REFUSED(nested(w0, STE1_CACHED | bit, &hwpt), -EIO);
		}
	}
	for (i = 0; i < 8; i++) {
		if (i == 0 || i == 4 || i == 5) {
			OK(nested(STE_V | (uint64_t)i << 1, 0, &hwpt));
			OK(iofd_destroy(s.fd, hwpt));
		} else {
			HWPT_REFUSED(nested(STE_V | (uint64_t)i << 1, 0, &hwpt), -EIO);
		}
	}
	/* length, type, flags */
	HWPT_REFUSED(hwpt_alloc(d.vdev.id, viommu, 0, IOMMU_HWPT_DATA_ARM_SMMUV3, mem, 8,
				&hwpt), -EINVAL);
	HWPT_REFUSED(hwpt_alloc(d.vdev.id, viommu, 0, IOMMU_HWPT_DATA_VTD_S1, mem, 16,
				&hwpt), -EOPNOTSUPP);
	HWPT_REFUSED(hwpt_alloc(d.vdev.id, viommu, IOMMU_HWPT_ALLOC_DIRTY_TRACKING,
				IOMMU_HWPT_DATA_ARM_SMMUV3, mem, 16, &hwpt), -EOPNOTSUPP);
	HWPT_REFUSED(hwpt_alloc(d.vdev.id, parent, 0, IOMMU_HWPT_DATA_ARM_SMMUV3, mem, 16,
				&hwpt), -EOPNOTSUPP);
	CHECK_EQ(iofd_objects(s.fd, "hwpt_nested"), 0);
}

static void bad_commands(void)
{
	static const struct {
		uint64_t op, w0, w1;
	} kinds[] = {
		{ 0x30, 0, 0 },
		{ 0x10, 0xffffUL << 32, 0 },
		{ 0x11, 0xffffffffUL << 32, 0 },
		{ 0x05 | (uint64_t)VSID << 32, 0xfffff000UL, 1 },
		{ 0x06 | (uint64_t)VSID << 32, 0, 0 },
		{ 0x40 | (uint64_t)VSID << 32, 0xfffff000UL | 1 << 9 | 1 << 11,
		  ~0xfffUL | 0x3f },
	};
	const uint64_t three[3][2] = { { 0x10, 0 }, { 0x46, 0 }, { 0x10, 0 } };
	unsigned int i, op, bit;
	uint32_t num = 3;

	begin();
	OK(vdevice_alloc(d.vdev.id, viommu, VSID, &vdevice));
#define BAD(w0, w1) REFUSED(s.fd, IOMMU_HWPT_INVALIDATE, command(viommu, w0, w1), -EIO)
	for (op = 0; op < 256; op++)
		if (op != 0x30 && op != 0x40 && op != 5 && op != 6 &&
		    (op < 0x10 || op > 0x13))
			BAD(op | (uint64_t)VSID << 32, 0);
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		for (bit = 8; bit < 64; bit++) {
			uint64_t w = 1UL << bit;

			/* a bit of a stream id makes another one, which is nobody's */
			if (kinds[i].w0 & w)
				OK(command(viommu, kinds[i].op | w, 0));
			else
				BAD(kinds[i].op ^ w, 0);
		}
		for (bit = 0; bit < 64; bit++) {
			if (kinds[i].w1 >> bit & 1)
				OK(command(viommu, kinds[i].op, 1UL << bit));
			else
				BAD(kinds[i].op, 1UL << bit);
		}
	}
	/* ranges that would stop the unit: no size of pages, nothing but one */
	BAD(0x12 | 1 << 12, IOVA);
	BAD(0x12, IOVA | 1 << 8);
	BAD(0x12, IOVA | 1 << 10);
	BAD(0x13, IOVA | 2 << 10 | 1 << 8);
	BAD(0x13 | 1UL << 48, IOVA);
	/* what was done before is told */
	ERR(commands(viommu, three, &num), -EIO);
	CHECK_EQ(num, 1);
	num = 0;
	OK(commands(viommu, NULL, &num));
#undef BAD
}

static void without_stage1(void)
{
	uint32_t through, nowhere, tables, pt;

	begin();
	OK(nested(STE_V | STE_BYPASS, 0, &through));
	OK(nested(STE_V, 0, &nowhere));
	OK(nested(guest_tables(0) | STE_V | STE_S1, STE1_CACHED, &tables));
	*leaf(0, IOVA) = gpa(DATA) | PTE;
	/* what stage 2 says, and nothing else; no DMA of an edu reaches above */
	attach(&d, through);
	OK(space_map(&s, page(DATA), PAGE, IOVA + PAGE));
	CHECK(dma_writes(&d, IOVA + PAGE, page(DATA)));
	attach(&d, nowhere);
	CHECK(!dma_writes(&d, IOVA + PAGE, page(DATA)));
	/* stage 1 of a device that the guest has no name for */
	pt = tables;
	ERR(vdev_attach(&d.vdev, &pt), -ENOENT);
	OK(vdevice_alloc(d.vdev.id, viommu, VSID, &vdevice));
	attach(&d, tables);
	CHECK(dma_writes(&d, IOVA, page(DATA)));
	/* the entry changes while the device writes: back and forth */
	attach(&d, through);
	CHECK(dma_writes(&d, IOVA + PAGE, page(DATA)));
	attach(&d, tables);
	CHECK(dma_writes(&d, IOVA, page(DATA)));
	OK(vdev_detach(&d.vdev));
	CHECK(!dma_writes(&d, IOVA, page(DATA)));
}

/* The unit that a device is behind, by its name in sysfs; "" if there is none. */
static void unit_of(const char *bdf, char *name, size_t size)
{
	char path[80], link[256];
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu", bdf);
	n = readlink(path, link, sizeof(link) - 1);
	link[n < 0 ? 0 : n] = 0;
	snprintf(name, size, "%s", strrchr(link, '/') ? strrchr(link, '/') + 1 : "");
}

/* An edu, not the first one, that is behind another unit, or behind the same. */
static void need_another(bool other_unit, pci_bdf bdf)
{
	char first[128], unit[128];
	int nth;

	if (!pci_find(PCI_EDU, 0, bdf))
		tap_skip("this machine has no edu device");
	unit_of(bdf, first, sizeof(first));
	for (nth = 1; pci_find(PCI_EDU, nth, bdf); nth++) {
		unit_of(bdf, unit, sizeof(unit));
		if (*first && *unit && !strcmp(unit, first) == !other_unit) {
			tap_note("%s is behind %s, the first one behind %s", bdf, unit,
				 first);
			return;
		}
	}
	tap_skip("this machine has no two edu devices behind %s",
		 other_unit ? "two units" : "one unit");
}

/* Two guests, or one with two SMMUs, over one stage 2: their ASIDs are the same. */
static void over_one_stage2(bool other_unit)
{
	struct iommu_hwpt_arm_smmuv3 ste;
	uint32_t other, dev, hwpt, pt;
	struct testdev e;
	pci_bdf bdf;

	need_another(other_unit, bdf);
	guest();
	open_edu(&e, bdf, s.fd);
	OK(viommu_alloc(e.vdev.id, IOMMU_VIOMMU_TYPE_ARM_SMMUV3, parent, &other));
	if (other_unit) {
		/* a vIOMMU is one of a unit */
		REFUSED(s.fd, IOMMU_VDEVICE_ALLOC,
			vdevice_alloc(e.vdev.id, viommu, VSID + 1, &dev), -EINVAL);
		REFUSED(s.fd, IOMMU_VDEVICE_ALLOC,
			vdevice_alloc(d.vdev.id, other, VSID + 1, &dev), -EINVAL);
	}
	OK(vdevice_alloc(e.vdev.id, other, VSID, &dev));
	ste.ste[0] = guest_tables(TABLES) | STE_V | STE_S1;
	ste.ste[1] = STE1_CACHED;
	*leaf(TABLES, IOVA) = gpa(DATA + 1) | PTE;
	OK(hwpt_alloc(e.vdev.id, other, 0, IOMMU_HWPT_DATA_ARM_SMMUV3, &ste, sizeof(ste),
		      &hwpt));
	/* not a table of another guest */
	pt = hwpt;
	CHECK(vdev_attach(&d.vdev, &pt) < 0);
	attach(&e, hwpt);
	CHECK(dma_writes(&d, IOVA, page(DATA)));
	CHECK(dma_writes(&e, IOVA, page(DATA + 1)));
	/* what one of them has forgotten the other one keeps */
	*leaf(0, IOVA) = gpa(DATA + 2) | PTE;
	*leaf(TABLES, IOVA) = gpa(DATA + 3) | PTE;
	OK(command(other, 0x10, 0));
	CHECK(dma_writes(&d, IOVA, page(DATA)));
	CHECK(dma_writes(&e, IOVA, page(DATA + 3)));
	OK(command(viommu, 0x11 | ASID << 48, 0));
	CHECK(dma_writes(&d, IOVA, page(DATA + 2)));
	/* stage 2 is that of both */
	OK(space_unmap(&s, GPA, PAGES * PAGE));
	CHECK(!dma_writes(&d, IOVA, page(DATA + 2)));
	CHECK(!dma_writes(&e, IOVA, page(DATA + 3)));
	/* and stays so for the one when the other one is gone */
	OK(vdev_detach(&e.vdev));
	OK(iofd_destroy(s.fd, hwpt));
	OK(iofd_destroy(s.fd, dev));
	OK(iofd_destroy(s.fd, other));
	OK(space_map(&s, mem, PAGES * PAGE, GPA));
	CHECK(dma_writes(&d, IOVA, page(DATA + 2)));
	CHECK(!dma_writes(&e, IOVA, page(DATA + 3)));
}

static void two_viommus(void)
{
	over_one_stage2(false);
}

static void two_units_nested(void)
{
	over_one_stage2(true);
}

/* A table that two units walk: what is unmapped both of them have forgotten. */
static void two_units(void)
{
	uint32_t pt, alone;
	struct testdev e;
	pci_bdf bdf;

	need_another(true, bdf);
	space_open(&s);
	need_edu(&d, 0, s.fd);
	open_edu(&e, bdf, s.fd);
	mem = mem_anon(PAGES * PAGE);
	CHECK(mem);
	OK(space_map(&s, mem, PAGES / 2 * PAGE, IOVA));
	pt = attach(&d, s.ioas);
	CHECK_EQ(attach(&e, s.ioas), pt);
	CHECK(dma_writes(&d, IOVA, page(0)));
	CHECK(dma_writes(&e, IOVA, page(0)));
	CHECK(dma_writes(&e, IOVA + PAGE, page(1)));
	OK(space_unmap(&s, IOVA, PAGES / 2 * PAGE));
	CHECK(!dma_writes(&d, IOVA, page(0)));
	CHECK(!dma_writes(&e, IOVA, page(0)));
	CHECK(!dma_writes(&e, IOVA + PAGE, page(1)));
	OK(space_map(&s, page(PAGES / 2), PAGES / 2 * PAGE, IOVA));
	CHECK(dma_writes(&e, IOVA, page(PAGES / 2)));
	CHECK(dma_writes(&d, IOVA, page(PAGES / 2)));
	/* one of them goes its own way */
	OK(iofd_hwpt(s.fd, e.vdev.id, s.ioas, 0, &alone));
	attach(&e, alone);
	OK(vdev_detach(&d.vdev));
	CHECK(!dma_writes(&d, IOVA, page(PAGES / 2)));
	CHECK(dma_writes(&e, IOVA, page(PAGES / 2)));
	attach(&d, alone);
	OK(vdev_detach(&e.vdev));
	CHECK(!dma_writes(&e, IOVA, page(PAGES / 2)));
	CHECK(dma_writes(&d, IOVA, page(PAGES / 2)));
	OK(space_unmap(&s, IOVA, PAGES / 2 * PAGE));
	CHECK(!dma_writes(&d, IOVA, page(PAGES / 2)));
}

/* A device that the guest has a driver for: where that has its rings, in stage 1. */
#define RINGS	(IOVA & ~0x1fffffUL)
#define RING_PAGES 4

static struct vdev device;

static void need_device(unsigned int vendor, unsigned int id)
{
	uint32_t dev;
	pci_bdf bdf;

	if (!pci_find(vendor, id, 0, bdf))
		tap_skip("this machine has no device %04x:%04x", vendor, id);
	begin();
	OK(vdev_setup(&device, bdf, s.fd));
	OK(vdevice_alloc(device.id, viommu, VSID, &dev));
}

/* Tables for it, of an address space of their own: rings, and two pages of data. */
static uint32_t device_tables(unsigned int tables, unsigned int rings, unsigned int data)
{
	struct iommu_hwpt_arm_smmuv3 ste = { { 0, STE1_CACHED } };
	unsigned int i;
	uint32_t hwpt;

	ste.ste[0] = guest_tables(tables) | STE_V | STE_S1;
	page(tables)[0] += (uint64_t)tables << 48;
	for (i = 0; i < RING_PAGES; i++)
		*leaf(tables, RINGS + i * PAGE) = gpa(rings + i) | PTE;
	for (i = 0; i < 2; i++)
		*leaf(tables, IOVA + i * PAGE) = gpa(data + i) | PTE;
	OK(hwpt_alloc(device.id, viommu, 0, IOMMU_HWPT_DATA_ARM_SMMUV3, &ste, sizeof(ste),
		      &hwpt));
	return hwpt;
}

static void device_attach(uint32_t hwpt)
{
	int rc = vdev_attach(&device, &hwpt);

	if (rc)
		tap_fail(__FILE__, __LINE__, "%s: %s", tap_errno(rc),
			 iommufd_last_reason(s.fd));
}

/* Packets go through both stages, and what stage 1 no longer has is not written. */
static void packets(bool igb)
{
	const unsigned int rings = DATA + 8;
	unsigned char *from, *to;
	struct nic n;

	if (igb)
		need_device(PCI_IGB);
	else
		need_device(PCI_E1000E);
	from = (unsigned char *)page(DATA);
	to = (unsigned char *)page(DATA + 1);
	device_attach(device_tables(0, rings, DATA));
	OK(nic_init(&n, &device, igb, page(rings), RINGS));
	mem_fill(from, PAGE, 40);
	/* to everybody, so that no filter keeps it */
	memset(from, 0xff, 6);
	OK(nic_loop(&n, IOVA, IOVA + PAGE, NIC_PACKET_MAX, 5000));
	CHECK(!memcmp(from, to, NIC_PACKET_MAX));
	*leaf(0, IOVA + PAGE) = 0;
	OK(command(viommu, 0x11 | ASID << 48, 0));
	memset(to, 0, PAGE);
	nic_loop(&n, IOVA, IOVA + PAGE, NIC_PACKET_MAX, 500);
	CHECK(!to[0] && !memcmp(to, to + 1, PAGE - 1));
	nic_fini(&n);
}

static void packets_e1000e(void)
{
	packets(false);
}

static void packets_igb(void)
{
	packets(true);
}

/* One thread has the entry of a disk replaced on and on, the other uses it. */
static struct replacer {
	uint32_t tables[2];
	volatile bool stop;
	unsigned long times;
	int rc;
} replacer;

static void *replace_on_and_on(void *arg)
{
	while (!replacer.stop && !replacer.rc) {
		uint32_t pt = replacer.tables[++replacer.times & 1];

		replacer.rc = vdev_attach(&device, &pt);
	}
	return NULL;
}

/*
 * A guest's driver makes a new stream table entry while its disk is at work: each block
 * arrives through the one table or through the other, whole.
 */
static void replaced(void)
{
	const unsigned int a = DATA, b = DATA + 1, queues = DATA + 8;
	unsigned int i, in_a = 0, in_b = 0;
	pthread_t thread;
	struct nvme n;

	static_assert(RING_PAGES * PAGE >= NVME_QUEUES_SIZE, "room for its queues");
	need_device(0x1b36, 0x0010);
	replacer.tables[0] = device_tables(0, queues, a);
	replacer.tables[1] = device_tables(TABLES, queues, b);
	device_attach(replacer.tables[0]);
	OK(nvme_init(&n, &device, page(queues), RINGS));
	for (i = 0; i < 16; i++) {
		mem_fill(page(a), PAGE, 1000 + i);
		CHECK_EQ(nvme_write(&n, i, IOVA), 0);
	}
	CHECK(!pthread_create(&thread, NULL, replace_on_and_on, NULL));
	for (i = 0; i < 1000; i++) {
		memset(page(a), 0, 2 * PAGE);
		CHECK_EQ(nvme_read(&n, i % 16, IOVA), 0);
		if (mem_holds(page(a), PAGE, 1000 + i % 16)) {
			CHECK(!*page(b) && !memcmp(page(b), page(b) + 1, PAGE - 8));
			in_a++;
		} else {
			CHECK(mem_holds(page(b), PAGE, 1000 + i % 16));
			CHECK(!*page(a) && !memcmp(page(a), page(a) + 1, PAGE - 8));
			in_b++;
		}
	}
	replacer.stop = true;
	pthread_join(thread, NULL);
	OK(replacer.rc);
	tap_note("%lu replacements meanwhile; %u blocks through one table, %u through the other",
		 replacer.times, in_a, in_b);
	CHECK(replacer.times > 10);
	CHECK(in_a && in_b);
	nvme_fini(&n);
}

static const struct tap_test tests[] = {
	{ "what the unit says of itself", information },
	{ "DMA through both stages", translated, 60 },
	{ "a change of stage 1 shows after each of the commands", invalidated, 90 },
	{ "context descriptors change", descriptors, 60 },
	{ "stage 2 is unmapped under stage 1", unmapped_below, 60 },
	{ "events, as the guest knows its device", events, 90 },
	{ "stream table entries: every bit", entries, 60 },
	{ "commands: every bit", bad_commands, 60 },
	{ "entries without stage 1, and a device without a name", without_stage1, 60 },
	{ "two vIOMMUs over one stage 2", two_viommus, 90 },
	{ "e1000e: packets through both stages", packets_e1000e, 60 },
	{ "igb: packets through both stages", packets_igb, 60 },
	{ "an entry is replaced under DMA by NVMe: whole blocks", replaced, 120 },
	{ "two vIOMMUs of two units over one stage 2", two_units_nested, 90 },
	{ "a table of two units", two_units, 60 },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Nested page tables of iommu_amdvi. No emulated unit has them: that is refused, with a
 * reason. Then the driver is made to believe that the unit does (ko_amdvi), and what it
 * writes into memory is walked by the unit in software.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/iommufd_ext.h>
#include <string.h>
#include <unistd.h>

#include "amdvi_walk.h"
#include "devices.h"
#include "mem.h"

#define PAGE	4096UL
#define NONE	AMDVI_WALK_NO_PASID
/* where the guest's memory is in the parent, and what it has at this address */
#define GPA	0x10000000UL
#define PAGES	64
#define IOVA	0x7f0012345000UL
#define GUEST_ID 0x77
#define VIRT_ID	0x1234
#define PASID	3

/* GIoSup, and GCR3TRPMode of the second register */
#define NEST_EFR	(1UL << 48)
#define NEST_EFR2	(1UL << 3)

#define DTE_V	1UL
#define DTE_TV	2UL
#define DTE_GIOV (1UL << 54)
#define DTE_GV	(1UL << 55)
#define DTE_IR	(1UL << 61)
#define DTE_IW	(1UL << 62)

static struct space s;
static struct testdev d;
static struct amdvi_requester r;
static uint64_t *mem;
static uint32_t parent, viommu;

static int hwpt_alloc(uint32_t pt, uint32_t flags, uint32_t type, void *data,
		      uint32_t length, uint32_t *hwpt)
{
	struct iommu_hwpt_alloc c = {
		.size = sizeof(c),
		.flags = flags,
		.dev_id = d.vdev.id,
		.pt_id = pt,
		.data_type = type,
		.data_len = length,
		.data_uptr = (uintptr_t)data,
	};
	int rc = iofd_ioctl(s.fd, IOMMU_HWPT_ALLOC, &c);

	*hwpt = c.out_hwpt_id;
	return rc;
}

static int nested_alloc(const uint64_t *dte, uint32_t *hwpt)
{
	struct iommu_hwpt_amd_guest data;

	memcpy(data.dte, dte, sizeof(data.dte));
	return hwpt_alloc(viommu, 0, IOMMU_HWPT_DATA_AMD_GUEST, &data, sizeof(data), hwpt);
}

static int viommu_alloc(uint32_t type)
{
	struct iommu_viommu_alloc c = {
		.size = sizeof(c),
		.type = type,
		.dev_id = d.vdev.id,
		.hwpt_id = parent,
	};
	int rc = iofd_ioctl(s.fd, IOMMU_VIOMMU_ALLOC, &c);

	viommu = c.out_viommu_id;
	return rc;
}

static int vdevice_alloc(uint64_t virt_id)
{
	struct iommu_vdevice_alloc c = {
		.size = sizeof(c),
		.viommu_id = viommu,
		.dev_id = d.vdev.id,
		.virt_id = virt_id,
	};

	return iofd_ioctl(s.fd, IOMMU_VDEVICE_ALLOC, &c);
}

static int invalidate(uint64_t (*commands)[2], uint32_t *num)
{
	struct iommu_hwpt_invalidate c = {
		.size = sizeof(c),
		.hwpt_id = viommu,
		.data_uptr = (uintptr_t)commands,
		.data_type = IOMMU_EXT_INVALIDATE_DATA_AMDVI,
		.entry_len = 16,
		.entry_num = *num,
	};
	int rc = iofd_ioctl(s.fd, IOMMU_HWPT_INVALIDATE, &c);

	*num = c.entry_num;
	return rc;
}

#define HWPT_REFUSED(call, want) REFUSED(s.fd, IOMMU_HWPT_ALLOC, call, want)

static void begin(void)
{
	space_open(&s);
	need_edu(&d, 0, s.fd);
	amdvi_pretend(0, 0);
	amdvi_requester(&r, d.vdev.bdf);
	mem = mem_anon(PAGES * PAGE);
	CHECK(mem);
	OK(space_map(&s, mem, PAGES * PAGE, GPA));
}

static void begin_viommu(void)
{
	begin();
	amdvi_pretend(NEST_EFR, NEST_EFR2);
	OK(hwpt_alloc(s.ioas, IOMMU_HWPT_ALLOC_NEST_PARENT, 0, NULL, 0, &parent));
	OK(viommu_alloc(IOMMU_EXT_VIOMMU_TYPE_AMDVI));
	OK(vdevice_alloc(VIRT_ID));
}

/* The device and all tables go before the unit is itself again. */
static void end(void)
{
	edu_fini(&d.edu);
	vdev_close(&d.vdev);
	close(s.fd);
	amdvi_pretend(0, 0);
}

static uint64_t *page_of(unsigned int page)
{
	return mem + page * PAGE / 8;
}

/*
 * The guest's tables: page 0 has the GCR3s, of PASIDs 0 and 3 the same, 1 to 4 four
 * levels; pages 16 to 31 are its memory at IOVA, every other one read-only.
 */
static void make_tables(void)
{
	unsigned int level, i;

	page_of(0)[0] = (GPA + PAGE) | 1;
	page_of(0)[PASID] = (GPA + PAGE) | 1;
	for (level = 4; level > 1; level--)
		page_of(5 - level)[IOVA >> (3 + 9 * level) & 0x1ff] =
			(GPA + (6 - level) * PAGE) | 7;
	for (i = 0; i < 16; i++)
		page_of(4)[(IOVA / PAGE + i) & 0x1ff] =
			(GPA + (16 + i) * PAGE) | (i % 2 ? 5 : 7);
}

static void make_entry(uint64_t *dte)
{
	const uint64_t gcr3 = GPA;

	dte[0] = DTE_V | DTE_TV | DTE_GIOV | DTE_GV | DTE_IR | DTE_IW |
		 (gcr3 >> 12 & 7) << 58;
	dte[1] = GUEST_ID | (gcr3 >> 15 & 0xffff) << 16 | gcr3 >> 31 << 43;
	dte[2] = 0;
	dte[3] = 0;
}

static int guest_info(struct iommu_ext_hw_info_amdvi *info)
{
	struct iommu_hw_info c = {
		.size = sizeof(c),
		.flags = IOMMU_HW_INFO_FLAG_INPUT_TYPE,
		.dev_id = d.vdev.id,
		.data_len = sizeof(*info),
		.data_uptr = (uintptr_t)info,
		.in_data_type = IOMMU_EXT_HW_INFO_AMDVI,
	};

	return iofd_ioctl(s.fd, IOMMU_GET_HW_INFO, &c);
}

static void refused_really(void)
{
	struct iommu_ext_hw_info_amdvi info;
	uint32_t hwpt;

	begin();
	REFUSED(s.fd, IOMMU_GET_HW_INFO, guest_info(&info), -EOPNOTSUPP);
	HWPT_REFUSED(hwpt_alloc(s.ioas, IOMMU_HWPT_ALLOC_NEST_PARENT, 0, NULL, 0, &hwpt),
		     -EOPNOTSUPP);
	CHECK(strstr(iommufd_last_reason(s.fd), "GIoSup"));
	OK(iofd_hwpt(s.fd, d.vdev.id, s.ioas, 0, &parent));
	/* the core knows already that this is no parent */
	CHECK(viommu_alloc(IOMMU_EXT_VIOMMU_TYPE_AMDVI) < 0);
}

static void translates(void)
{
	struct iommu_ext_hw_info_amdvi info;
	struct amdvi_walk w;
	uint64_t dte[4];
	uint32_t hwpt, none;
	char text[32];

	begin_viommu();
	OK(guest_info(&info));
	/* GTSup, GIoSup, and levels of tables; not the host's */
	CHECK(info.efr & 1 << 4);
	CHECK(info.efr & NEST_EFR);
	CHECK_EQ(info.efr & 3 << 10, 0);
	CHECK_EQ(info.efr2, 0);
	make_tables();
	make_entry(dte);
	OK(nested_alloc(dte, &hwpt));
	attach(&d, hwpt);

	strcpy((char *)page_of(17), "seventeen");
	if (amdvi_translate(&r, NONE, IOVA + PAGE, AMDVI_WALK_READ, &w))
		amdvi_walk_note(&w);
	CHECK_EQ(w.event, 0);
	CHECK_EQ(w.gpa, GPA + 17 * PAGE);
	CHECK_EQ(w.page_lg2, 12);
	CHECK(w.domain != GUEST_ID);
	CHECK_EQ(amdvi_dma_read(&r, NONE, IOVA + PAGE, text, sizeof(text)), 0);
	CHECK(!strcmp(text, "seventeen"));
	/* what the guest has read-only is, whatever the parent allows */
	CHECK_EQ(amdvi_dma_write(&r, NONE, IOVA + PAGE, "x", 1), AMDVI_WALK_PAGE_FAULT);
	CHECK_EQ(amdvi_dma_write(&r, PASID, IOVA + 2 * PAGE, "by PASID", 9), 0);
	CHECK(!strcmp((char *)page_of(18), "by PASID"));
	CHECK_EQ(amdvi_translate(&r, 1, IOVA, AMDVI_WALK_READ, NULL), AMDVI_WALK_PAGE_FAULT);
	CHECK_EQ(amdvi_translate(&r, NONE, GPA, AMDVI_WALK_READ, NULL), AMDVI_WALK_PAGE_FAULT);
	/* where the guest leads out of its memory nothing is */
	page_of(4)[IOVA / PAGE & 0x1ff] = (GPA + PAGES * PAGE) | 7;
	CHECK_EQ(amdvi_translate(&r, NONE, IOVA, AMDVI_WALK_READ, NULL), AMDVI_WALK_PAGE_FAULT);
	page_of(2)[IOVA >> 30 & 0x1ff] = 0x5000UL | 7;
	CHECK_EQ(amdvi_translate(&r, NONE, IOVA, AMDVI_WALK_READ, NULL), AMDVI_WALK_PAGE_FAULT);

	/* what the guest's entry does not allow */
	make_tables();
	make_entry(dte);
	dte[0] &= ~DTE_IW;
	OK(nested_alloc(dte, &none));
	attach(&d, none);
	CHECK_EQ(amdvi_dma_write(&r, NONE, IOVA, "x", 1), AMDVI_WALK_PAGE_FAULT);
	CHECK_EQ(amdvi_dma_read(&r, NONE, IOVA, text, 1), 0);
	attach(&d, parent);
	CHECK_EQ(amdvi_dma_read(&r, NONE, GPA, text, 1), 0);
	CHECK_EQ(amdvi_translate(&r, NONE, IOVA, AMDVI_WALK_READ, NULL), AMDVI_WALK_PAGE_FAULT);
	end();
}

/* The host's own entry, as it is while the device is attached to a table. */
static void entry_now(uint64_t *words)
{
	struct amdvi_walk w;
	unsigned int i;

	amdvi_translate(&r, NONE, 0, AMDVI_WALK_READ | AMDVI_WALK_KEEP, &w);
	CHECK(w.nr_steps && w.steps[0].kind == AMDVI_WALK_DTE);
	for (i = 0; i < 4; i++)
		words[i] = amdvi_peek(&r, w.steps[0].phys + 8 * i);
}

/* Bits of the guest's entry that the host's may take over; the id is the host's. */
static uint64_t theirs(unsigned int word)
{
	switch (word) {
	case 0:
		return DTE_GIOV | DTE_IR | DTE_IW | 7UL << 58;
	case 1:
		/* of 48 bits of addresses */
		return 0xffffUL << 16 | 0x1ffffUL << 43;
	case 2:
		/* five levels */
		return 1UL << 54;
	default:
		return 0;
	}
}

/* Those that must be as they are, or 0: V, TV, GV, reserved, Mode, PPR, GLX, GCR3. */
static uint64_t fixed(unsigned int word)
{
	switch (word) {
	case 0:
		return 3 | 0x1fUL << 2 | 7UL << 9 | 1UL << 52 | DTE_GV | 3UL << 56 | 1UL << 63;
	case 1:
		return 0xfUL << 60;
	case 2:
		return 1UL << 55;
	default:
		return 0;
	}
}

static void bit_by_bit(void)
{
	uint64_t good[4], dte[4], base[4], now[4], differ;
	unsigned int bit, i, taken = 0;
	uint32_t hwpt, first;

	begin_viommu();
	make_tables();
	make_entry(good);
	OK(nested_alloc(good, &first));
	attach(&d, first);
	entry_now(base);
	for (bit = 0; bit < 256; bit++) {
		memcpy(dte, good, sizeof(dte));
		dte[bit / 64] ^= 1UL << bit % 64;
		if (fixed(bit / 64) >> bit % 64 & 1) {
			HWPT_REFUSED(nested_alloc(dte, &hwpt), -EINVAL);
			continue;
		}
		OK(nested_alloc(dte, &hwpt));
		attach(&d, hwpt);
		entry_now(now);
		for (i = 0; i < 4; i++) {
			differ = now[i] ^ base[i];
			/* the domain id, one for each */
			if (i == 1) {
				CHECK(differ & 0xffff);
				differ &= ~0xffffUL;
			}
			if (i == bit / 64 && theirs(i) >> bit % 64 & 1) {
				CHECK_EQ(differ, 1UL << bit % 64);
				taken++;
			} else if (differ) {
				tap_fail(__FILE__, __LINE__,
					 "bit %u changes word %u of the host's by 0x%lx",
					 bit, i, differ);
			}
		}
		attach(&d, first);
		OK(iofd_destroy(s.fd, hwpt));
	}
	CHECK_EQ(taken, 6 + 16 + 17 + 1);
	/* less than there is, and what is VT-d's */
	HWPT_REFUSED(hwpt_alloc(viommu, 0, IOMMU_HWPT_DATA_AMD_GUEST, good, 24, &hwpt), -EINVAL);
	HWPT_REFUSED(hwpt_alloc(viommu, 0, IOMMU_HWPT_DATA_VTD_S1, good, 32, &hwpt),
		     -EOPNOTSUPP);
	end();
}

/* Whether the unit was told so, lately. */
static bool told(uint64_t lo, uint64_t hi)
{
	struct amdvi_walk_told t;
	unsigned int i;

	amdvi_told(&r, &t);
	for (i = 0; i < AMDVI_WALK_NR_TOLD; i++)
		if (t.told[i][0] == lo && t.told[i][1] == hi)
			return true;
	return false;
}

#define PAGES_OF(domain) (3UL << 60 | (uint64_t)(domain) << 32)
#define ALL	0x7ffffffffffff003UL

static void invalidations(void)
{
	const uint64_t entries = 2UL << 60, iotlb = 4UL << 60, all = 8UL << 60;
	uint64_t dte[4], now[4], c[3][2];
	uint32_t hwpt, num;
	uint16_t id;
	uint64_t gn = 0xabcde007;

	begin_viommu();
	make_tables();
	make_entry(dte);
	OK(nested_alloc(dte, &hwpt));
	attach(&d, hwpt);
	entry_now(now);
	id = now[1];

	/* of the guest's domain, with the guest's address, by the host's id */
	CHECK(!told(PAGES_OF(id) | PASID, gn));
	c[0][0] = PAGES_OF(GUEST_ID) | PASID;
	c[0][1] = gn;
	/* of another one, which nobody has */
	c[1][0] = PAGES_OF(GUEST_ID + 1) | 9;
	c[1][1] = gn;
	c[2][0] = entries | VIRT_ID;
	c[2][1] = 0;
	num = 3;
	OK(invalidate(c, &num));
	CHECK_EQ(num, 3);
	CHECK(told(PAGES_OF(id) | PASID, gn));
	CHECK(!told(PAGES_OF(id) | 9, gn));
	CHECK(told(entries | r.id, 0));

	/* everything */
	CHECK(!told(PAGES_OF(id) | 5, gn));
	c[0][0] = all;
	c[0][1] = 0;
	num = 1;
	OK(invalidate(c, &num));
	CHECK(told(PAGES_OF(id), ALL));

	/* what the parent loses, what is made of it loses */
	c[0][0] = PAGES_OF(GUEST_ID) | 6;
	c[0][1] = gn;
	for (num = 1; told(PAGES_OF(id), ALL); num = 1)
		OK(invalidate(c, &num));
	OK(space_unmap(&s, GPA, PAGES * PAGE));
	CHECK(told(PAGES_OF(id), ALL));

	/* what is not understood: those in front of it are done */
	c[0][0] = iotlb | VIRT_ID;
	c[0][1] = 1;
	c[1][0] = entries | (VIRT_ID + 1);
	c[1][1] = 0;
	num = 2;
	REFUSED(s.fd, IOMMU_HWPT_INVALIDATE, invalidate(c, &num), -EIO);
	CHECK_EQ(num, 1);
	c[1][0] = entries | VIRT_ID | 1 << 20;
	num = 2;
	REFUSED(s.fd, IOMMU_HWPT_INVALIDATE, invalidate(c, &num), -EIO);
	CHECK_EQ(num, 1);
	c[0][0] = PAGES_OF(GUEST_ID);
	c[0][1] = 8;
	num = 1;
	REFUSED(s.fd, IOMMU_HWPT_INVALIDATE, invalidate(c, &num), -EIO);
	/* waits, interrupts, answers to page requests, and what there is not */
	c[0][1] = 0;
	c[0][0] = 1UL << 60;
	num = 1;
	REFUSED(s.fd, IOMMU_HWPT_INVALIDATE, invalidate(c, &num), -EIO);
	c[0][0] = 5UL << 60 | VIRT_ID;
	num = 1;
	REFUSED(s.fd, IOMMU_HWPT_INVALIDATE, invalidate(c, &num), -EIO);
	c[0][0] = 7UL << 60 | VIRT_ID;
	num = 1;
	REFUSED(s.fd, IOMMU_HWPT_INVALIDATE, invalidate(c, &num), -EIO);
	c[0][0] = 0xdUL << 60;
	num = 1;
	REFUSED(s.fd, IOMMU_HWPT_INVALIDATE, invalidate(c, &num), -EIO);
	CHECK_EQ(num, 0);
	end();
}

static void events(void)
{
	struct iommu_veventq_alloc c = {
		.size = sizeof(c),
		.type = IOMMU_EXT_VEVENTQ_TYPE_AMDVI,
		.veventq_depth = 4,
	};
	struct {
		struct iommufd_vevent_header head;
		struct iommu_ext_vevent_amdvi event;
	} e;
	uint64_t dte[4], fault = 2UL << 60 | 1UL << 53 | 0x55UL << 32;
	uint32_t hwpt;

	begin_viommu();
	make_tables();
	make_entry(dte);
	OK(nested_alloc(dte, &hwpt));
	c.viommu_id = viommu;
	c.type = IOMMU_EXT_VEVENTQ_TYPE_VTD;
	REFUSED(s.fd, IOMMU_VEVENTQ_ALLOC, iofd_ioctl(s.fd, IOMMU_VEVENTQ_ALLOC, &c),
		-EOPNOTSUPP);
	c.type = IOMMU_EXT_VEVENTQ_TYPE_AMDVI;
	OK(iofd_ioctl(s.fd, IOMMU_VEVENTQ_ALLOC, &c));

	/* not while the table is the host's alone */
	attach(&d, parent);
	amdvi_event(fault | r.id, IOVA);
	CHECK_EQ(read(c.out_veventq_fd, &e, sizeof(e)), 0);
	attach(&d, hwpt);
	/* of another device, of the host's own business */
	amdvi_event(fault | 0xfff8, IOVA);
	amdvi_event(1UL << 60 | r.id, 0);
	CHECK_EQ(read(c.out_veventq_fd, &e, sizeof(e)), 0);

	amdvi_event(fault | r.id, IOVA + 5 * PAGE);
	CHECK_EQ(read(c.out_veventq_fd, &e, sizeof(e)), (ssize_t)sizeof(e));
	CHECK_EQ(e.event.entry[0],
		 2UL << 60 | 1UL << 53 | (uint64_t)GUEST_ID << 32 | VIRT_ID);
	CHECK_EQ(e.event.entry[1], IOVA + 5 * PAGE);
	/* with a PASID, which stands where the domain id does */
	amdvi_event(fault | 1UL << 48 | r.id, IOVA);
	CHECK_EQ(read(c.out_veventq_fd, &e, sizeof(e)), (ssize_t)sizeof(e));
	CHECK_EQ(e.event.entry[0], fault | 1UL << 48 | VIRT_ID);
	close(c.out_veventq_fd);
	end();
}

static void back(void)
{
	amdvi_pretend(0, 0);
}

static const struct tap_test tests[] = {
	{ "a unit that does not nest is not made to", refused_really },
	{ "a guest's tables, without and with PASID", translates },
	{ "a guest's entry, bit by bit", bit_by_bit, 60 },
	{ "a guest's commands, and what the parent loses", invalidations },
	{ "events of a guest's device", events },
	{ "the unit is itself again", back },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Nested page tables of iommu_vtd. No emulated unit nests: that is refused, with a
 * reason. Then the driver is made to believe that the unit does (ko_vtd), and what it
 * writes into memory is walked by the unit in software.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ext.h"
#include "mem.h"
#include "devices.h"
#include "rng.h"
#include "vtd_ops.h"
#include "vtd_walk.h"

#define PAGE	4096UL
#define NONE	VTD_WALK_NO_PASID
/* where the guest's memory is in the parent, and what it has at this address */
#define GPA	0x10000000UL
#define PAGES	64
#define IOVA	0x7f0012345000UL
/* 11.4.3: NEST, and both stages */
#define NEST_ECAP	(1UL << 26 | 1UL << 47)
#define EAFS		(1UL << 34)
#define SMPWCS		(1UL << 48)
#define SSADS		(1UL << 45)

static struct space s;
static struct testdev d;
static struct vtd_requester r;
static uint64_t *mem;
static uint32_t parent, viommu, vdevice;

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

static int viommu_alloc(uint32_t type, uint32_t hwpt, void *data, uint32_t length)
{
	struct iommu_viommu_alloc c = {
		.size = sizeof(c),
		.type = type,
		.dev_id = d.vdev.id,
		.hwpt_id = hwpt,
		.data_len = length,
		.data_uptr = (uintptr_t)data,
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
	int rc = iofd_ioctl(s.fd, IOMMU_VDEVICE_ALLOC, &c);

	vdevice = c.out_vdevice_id;
	return rc;
}

static int invalidate(uint32_t id, uint32_t type, void *data, uint32_t length,
		      uint32_t *num)
{
	struct iommu_hwpt_invalidate c = {
		.size = sizeof(c),
		.hwpt_id = id,
		.data_uptr = (uintptr_t)data,
		.data_type = type,
		.entry_len = length,
		.entry_num = *num,
	};
	int rc = iofd_ioctl(s.fd, IOMMU_HWPT_INVALIDATE, &c);

	*num = c.entry_num;
	return rc;
}

#define HWPT_REFUSED(call, want) REFUSED(s.fd, IOMMU_HWPT_ALLOC, call, want)
#define INV_REFUSED(call, want) REFUSED(s.fd, IOMMU_HWPT_INVALIDATE, call, want)

static void begin(void)
{
	space_open(&s);
	need_edu(&d, 0, s.fd);
	vtd_requester(&r, d.vdev.bdf);
	mem = mem_anon(PAGES * PAGE);
	CHECK(mem);
	OK(space_map(&s, mem, PAGES * PAGE, GPA));
}

static bool real_nesting(void)
{
	return r.ecap >> 26 & 1;
}

static bool write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done;

	if (fd < 0)
		return false;
	done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return done;
}

static void need_second_stage(void)
{
	if (!vtd_is_scalable(&r) || !(r.ecap >> 46 & 1))
		tap_skip("the unit has no second stage in scalable mode");
}

/*
 * A parent on a unit that seems to nest, with the guest's memory in it. Each test has
 * processes of its own, what the unit seems to be stays: until the last one.
 */
static void make_parent(uint64_t more)
{
	need_second_stage();
	vtd_pretend(NEST_ECAP | more);
	OK(hwpt_alloc(s.ioas, IOMMU_HWPT_ALLOC_NEST_PARENT, 0, NULL, 0, &parent));
}

static void pretend(uint64_t more)
{
	begin();
	make_parent(more);
}

/*
 * The guest's tables: four levels in its first pages, 16 pages of its memory at
 * IOVA, of which every other one is read-only.
 */
static struct iommu_hwpt_vtd_s1 guest_tables(void)
{
	unsigned int level, i;

	memset(mem, 0, 8 * PAGE);
	for (level = 0; level < 3; level++)
		mem[512 * level + (IOVA >> (39 - 9 * level) & 511)] =
			(GPA + (level + 1) * PAGE) | 7;
	for (i = 0; i < 16; i++)
		mem[512 * 3 + (IOVA >> 12 & 511) + i] =
			(GPA + (16 + i) * PAGE) | 5 | (i & 1 ? 0 : 2);
	return (struct iommu_hwpt_vtd_s1){ .pgtbl_addr = GPA, .addr_width = 48 };
}

static int nested_alloc(uint32_t pt, struct iommu_hwpt_vtd_s1 *s1, uint32_t *hwpt)
{
	return hwpt_alloc(pt, 0, IOMMU_HWPT_DATA_VTD_S1, s1, sizeof(*s1), hwpt);
}

static int guest_alloc(struct iommu_ext_hwpt_vtd_guest *guest, uint32_t *hwpt)
{
	return hwpt_alloc(viommu, 0, IOMMU_EXT_HWPT_DATA_VTD_GUEST, guest,
			  sizeof(*guest), hwpt);
}

static void refused(void)
{
	uint32_t hwpt, plain, length = 64;
	struct iommu_hwpt_vtd_s1 s1 = { .addr_width = 48 };
	struct iommu_hw_info_vtd info;
	char buffer[64];
	uint32_t type;

	begin();
	if (real_nesting())
		tap_skip("the unit nests");
	length = sizeof(info);
	OK(iofd_hw_info(s.fd, d.vdev.id, &info, &length, &type, NULL));
	CHECK_EQ(info.flags, 0);
	length = sizeof(buffer);
	REFUSED(s.fd, IOMMU_GET_HW_INFO,
		ext_hw_info(s.fd, d.vdev.id, IOMMU_EXT_HW_INFO_VTD, buffer, &length),
		-EOPNOTSUPP);
	HWPT_REFUSED(hwpt_alloc(s.ioas, IOMMU_HWPT_ALLOC_NEST_PARENT, 0, NULL, 0, &hwpt),
		     -EOPNOTSUPP);
	tap_note("%s", iommufd_last_reason(s.fd));
	CHECK(strstr(iommufd_last_reason(s.fd), "no nested page tables"));
	OK(iofd_hwpt(s.fd, d.vdev.id, s.ioas, 0, &plain));
	HWPT_REFUSED(nested_alloc(plain, &s1, &hwpt), -EINVAL);
	REFUSED(s.fd, IOMMU_VIOMMU_ALLOC,
		viommu_alloc(IOMMU_EXT_VIOMMU_TYPE_VTD, plain, NULL, 0), -EINVAL);
	CHECK_EQ(iofd_objects(s.fd, "hwpt"), 1);
}

static void information(void)
{
	struct iommu_ext_hw_info_vtd guest;
	struct iommu_hw_info_vtd info;
	uint32_t length = sizeof(info), type;

	pretend(EAFS);
	OK(iofd_hw_info(s.fd, d.vdev.id, &info, &length, &type, NULL));
	CHECK_EQ(info.flags, IOMMU_HW_INFO_VTD_ERRATA_772415_SPR17);
	length = sizeof(guest);
	OK(ext_hw_info(s.fd, d.vdev.id, IOMMU_EXT_HW_INFO_VTD, &guest, &length));
	CHECK_EQ(length, sizeof(guest));
	CHECK(!guest.flags && !guest.__reserved);
	CHECK(guest.ecap & EAFS);
	CHECK_EQ(guest.ecap & ~info.ecap_reg, 0);
	CHECK_EQ(guest.cap & ~info.cap_reg, 0);
}

/* What is asked for is looked at before anything is made. */
static void arguments(void)
{
	struct iommu_hwpt_vtd_s1 s1, good;
	uint32_t hwpt, other;
	unsigned int i;

	pretend(EAFS);
	good = guest_tables();
	OK(nested_alloc(parent, &good, &hwpt));
	/* not on a nested one, nor on one that was not made for it */
	HWPT_REFUSED(nested_alloc(hwpt, &good, &other), -EINVAL);
	OK(iofd_destroy(s.fd, hwpt));
	OK(iofd_hwpt(s.fd, d.vdev.id, s.ioas, 0, &other));
	HWPT_REFUSED(nested_alloc(other, &good, &hwpt), -EINVAL);

	for (i = 0; i < 64; i++) {
		s1 = good;
		s1.flags = 1ULL << i;
		if (i < 3)
			OK(nested_alloc(parent, &s1, &hwpt));
		else
			HWPT_REFUSED(nested_alloc(parent, &s1, &hwpt), -EOPNOTSUPP);
		if (i < 3)
			OK(iofd_destroy(s.fd, hwpt));
	}
	s1 = good; s1.__reserved = 1;
	HWPT_REFUSED(nested_alloc(parent, &s1, &hwpt), -EOPNOTSUPP);
	s1 = good; s1.addr_width = 39;
	HWPT_REFUSED(nested_alloc(parent, &s1, &hwpt), -EINVAL);
	s1 = good; s1.pgtbl_addr |= 0x800;
	HWPT_REFUSED(nested_alloc(parent, &s1, &hwpt), -EINVAL);
	s1 = good; s1.pgtbl_addr = 1ULL << 60;
	HWPT_REFUSED(nested_alloc(parent, &s1, &hwpt), -EINVAL);
	/* length and type of the data */
	HWPT_REFUSED(hwpt_alloc(parent, 0, IOMMU_HWPT_DATA_VTD_S1, &good,
				sizeof(good) - 1, &hwpt), -EINVAL);
	HWPT_REFUSED(hwpt_alloc(parent, 0, IOMMU_HWPT_DATA_ARM_SMMUV3, &good,
				sizeof(good), &hwpt), -EOPNOTSUPP);
	HWPT_REFUSED(hwpt_alloc(parent, 0, IOMMU_EXT_HWPT_DATA_VTD_GUEST, &good,
				sizeof(good), &hwpt), -EOPNOTSUPP);
	HWPT_REFUSED(hwpt_alloc(parent, 0, IOMMU_HWPT_DATA_VTD_S1,
				(void *)(1UL << 63), sizeof(good), &hwpt), -EFAULT);
	HWPT_REFUSED(hwpt_alloc(parent, IOMMU_HWPT_ALLOC_DIRTY_TRACKING,
				IOMMU_HWPT_DATA_VTD_S1, &good, sizeof(good), &hwpt),
		     -EOPNOTSUPP);
	CHECK_EQ(iofd_objects(s.fd, "hwpt_nested"), 0);
}

/* A unit with the erratum would write through it. */
static void read_only(void)
{
	struct iommu_ioas_map c = {
		.size = sizeof(c),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE,
		.length = PAGE,
		.iova = GPA - PAGE,
	};

	pretend(0);
	c.ioas_id = s.ioas;
	c.user_va = (uintptr_t)mem;
	REFUSED(s.fd, IOMMU_IOAS_MAP, iofd_ioctl(s.fd, IOMMU_IOAS_MAP, &c), -EINVAL);
	CHECK(strstr(iommufd_last_reason(s.fd), "read-only"));
}

static void allowed(uint64_t iova, uint32_t flags, uint64_t gpa, struct vtd_walk *w)
{
	if (vtd_translate(&r, NONE, iova, flags, w)) {
		vtd_walk_note(w);
		CHECK_EQ(w->fault, 0);
	}
	CHECK_EQ(w->pgtt, 3);
	CHECK_EQ(w->gpa, gpa);
}

static void attached(void)
{
	struct iommu_hwpt_vtd_s1 s1;
	struct vtd_walk w, x;
	uint32_t nested, second;
	char data[100];
	unsigned int did;

	pretend(0);
	s1 = guest_tables();
	attach(&d, parent);
	CHECK_EQ(vtd_translate(&r, NONE, GPA + 16 * PAGE, VTD_WALK_WRITE, &x), 0);
	CHECK_EQ(x.pgtt, 2);
	OK(nested_alloc(parent, &s1, &nested));
	attach(&d, nested);
	allowed(IOVA + 8, VTD_WALK_WRITE, GPA + 16 * PAGE + 8, &w);
	/* the same memory as through the parent, under an id of its own */
	CHECK_EQ(w.phys, x.phys + 8);
	CHECK(w.did != x.did);
	did = w.did;
	CHECK_EQ(vtd_dma_write(&r, NONE, IOVA + 2 * PAGE + 50, "from the device", 16), 0);
	CHECK(!strcmp((char *)mem + 18 * PAGE + 50, "from the device"));
	strcpy((char *)mem + 17 * PAGE, "read-only for the guest");
	CHECK_EQ(vtd_dma_read(&r, NONE, IOVA + PAGE, data, sizeof(data)), 0);
	CHECK(!strcmp(data, "read-only for the guest"));
	CHECK_EQ(vtd_dma_write(&r, NONE, IOVA + PAGE, "x", 1), VTD_FAULT_WRITE);
	CHECK_EQ(vtd_translate(&r, NONE, IOVA + 16 * PAGE, VTD_WALK_READ, NULL),
		 VTD_FAULT_FS_NOT_PRESENT);
	/* a leaf that leads out of what the parent has */
	mem[512 * 3 + (IOVA >> 12 & 511)] = (GPA + PAGES * PAGE) | 7;
	CHECK_EQ(vtd_translate(&r, NONE, IOVA, VTD_WALK_READ, NULL),
		 VTD_FAULT_SS_NOT_PRESENT);
	/* and the tables, once what they lie in is gone */
	guest_tables();
	allowed(IOVA, VTD_WALK_READ, GPA + 16 * PAGE, &w);
	OK(space_unmap(&s, GPA, PAGES * PAGE));
	CHECK_EQ(vtd_translate(&r, NONE, IOVA, VTD_WALK_READ, NULL),
		 VTD_FAULT_SS_NOT_PRESENT);
	OK(space_map(&s, mem, PAGES * PAGE, GPA));
	allowed(IOVA, VTD_WALK_READ, GPA + 16 * PAGE, &w);

	/* another one in its place, and the parent again */
	s1.flags = IOMMU_VTD_S1_WPE;
	OK(nested_alloc(parent, &s1, &second));
	attach(&d, second);
	allowed(IOVA, VTD_WALK_READ, GPA + 16 * PAGE, &w);
	CHECK(w.did != did);
	OK(iofd_destroy(s.fd, nested));
	ERR(iofd_destroy(s.fd, second), -EBUSY);
	ERR(iofd_destroy(s.fd, parent), -EBUSY);
	attach(&d, parent);
	CHECK_EQ(vtd_translate(&r, NONE, GPA + 16 * PAGE, VTD_WALK_WRITE, &x), 0);
	CHECK_EQ(x.pgtt, 2);
	OK(iofd_destroy(s.fd, second));
	OK(vdev_detach(&d.vdev));
	CHECK(vtd_translate(&r, NONE, GPA, VTD_WALK_READ, NULL));
}

/* Addresses of 57 bits: five levels of the guest's over five of the host's. */
static void five_levels(void)
{
	const uint64_t wide = IOVA | 1UL << 55;
	struct iommu_hwpt_vtd_s1 s1;
	unsigned int i, first = 0, second = 0;
	struct vtd_walk w;
	uint32_t nested;

	begin();
	need_second_stage();
	vtd_pretend_wide(NEST_ECAP);
	OK(hwpt_alloc(s.ioas, IOMMU_HWPT_ALLOC_NEST_PARENT, 0, NULL, 0, &parent));
	s1 = guest_tables();
	/* a table above the others, in a page that they leave */
	mem[512 * 8 + (wide >> 48 & 511)] = s1.pgtbl_addr | 7;
	s1.pgtbl_addr = GPA + 8 * PAGE;
	s1.addr_width = 57;
	OK(nested_alloc(parent, &s1, &nested));
	attach(&d, nested);
	/* accessed bits would have tables walked once more, to write them */
	allowed(wide + 8, VTD_WALK_WRITE | VTD_WALK_KEEP, GPA + 16 * PAGE + 8, &w);
	for (i = 0; i < w.nr_steps; i++) {
		first += w.steps[i].kind == VTD_WALK_FIRST;
		second += w.steps[i].kind == VTD_WALK_SECOND;
	}
	CHECK_EQ(first, 5);
	/* for each of them, and for the page */
	CHECK_EQ(second, 6 * 5);
	CHECK_EQ(vtd_dma_write(&r, NONE, wide + 2 * PAGE, "from afar", 10), 0);
	CHECK(!strcmp((char *)mem + 18 * PAGE, "from afar"));
	CHECK_EQ(vtd_translate(&r, NONE, IOVA, VTD_WALK_READ, NULL),
		 VTD_FAULT_FS_NOT_PRESENT);
	CHECK_EQ(vtd_translate(&r, NONE, wide | 1UL << 56, VTD_WALK_READ, NULL),
		 VTD_FAULT_NOT_CANONICAL);
	attach(&d, parent);
	CHECK_EQ(vtd_translate(&r, NONE, GPA, VTD_WALK_READ, &w), 0);
	CHECK_EQ(w.gpa, GPA);
	vtd_pretend(0);
	OK(vdev_detach(&d.vdev));
}

#define NESTED_INV IOMMU_HWPT_INVALIDATE_DATA_VTD_S1

#define QUEUE "/sys/module/vtd_pretend/parameters/queue"

struct descriptor {
	unsigned long long lo, hi;
};

/* What the driver has put into the unit's queue since queue_begin(). */
static struct descriptor queue[128];
static unsigned int queued;

static void queue_begin(void)
{
	CHECK(write_to(QUEUE, "mark"));
}

static void queue_end(void)
{
	FILE *f = fopen(QUEUE, "re");

	CHECK(f);
	for (queued = 0; queued < 128; queued++)
		if (fscanf(f, "%llx %llx", &queue[queued].lo, &queue[queued].hi) != 2)
			break;
	fclose(f);
}

/*
 * The only descriptor of a type that was put in since, or one of all zeroes. The same
 * may have come twice.
 */
static struct descriptor only(unsigned int type)
{
	struct descriptor found = { 0, 0 };
	unsigned int i;

	for (i = 0; i < queued; i++) {
		if ((queue[i].lo & 0xf) != type)
			continue;
		if (found.lo && (found.lo != queue[i].lo || found.hi != queue[i].hi))
			tap_fail(__FILE__, __LINE__, "both %llx %llx and %llx %llx",
				 found.lo, found.hi, queue[i].lo, queue[i].hi);
		found = queue[i];
	}
	return found;
}

/* G, DID and PASID of a descriptor */
static bool is_for(struct descriptor q, unsigned int g, unsigned int did,
		   unsigned int pasid)
{
	if ((q.lo >> 4 & 3) == g && (q.lo >> 16 & 0xffff) == did &&
	    (q.lo >> 32 & 0xfffff) == pasid && q.lo)
		return true;
	tap_note("%llx %llx, not of G %u, domain %u", q.lo, q.hi, g, did);
	return false;
}

/* 6.5.2: what the unit is told, and by which id. */
static void told(void)
{
	struct iommu_hwpt_vtd_s1_invalidate inv = { .addr = IOVA, .npages = 1 };
	struct iommu_hwpt_vtd_s1 s1;
	struct vtd_walk w, x;
	uint32_t nested, second, num;
	unsigned int did;

	pretend(0);
	s1 = guest_tables();
	OK(nested_alloc(parent, &s1, &nested));
	OK(nested_alloc(parent, &s1, &second));
	attach(&d, parent);
	CHECK_EQ(vtd_translate(&r, NONE, GPA, VTD_WALK_READ, &x), 0);

	/* from one to the other: the entry, then what was made with it */
	queue_begin();
	attach(&d, nested);
	queue_end();
	CHECK(is_for(only(7), 1, x.did, 0));
	CHECK(is_for(only(2), 2, x.did, 0));
	allowed(IOVA, VTD_WALK_READ, GPA + 16 * PAGE, &w);
	did = w.did;
	queue_begin();
	attach(&d, second);
	queue_end();
	CHECK(is_for(only(7), 1, did, 0));
	CHECK(is_for(only(2), 2, did, 0));
	attach(&d, nested);
	allowed(IOVA, VTD_WALK_READ, GPA + 16 * PAGE, &w);
	did = w.did;

	/* a page of the parent: all that was made of it, under the nested one's id */
	queue_begin();
	OK(space_map(&s, mem, PAGE, GPA + (PAGES + 4) * PAGE));
	OK(space_unmap(&s, GPA + (PAGES + 4) * PAGE, PAGE));
	queue_end();
	CHECK(is_for(only(2), 2, did, 0));
	CHECK(!only(6).lo);

	/* ranges of the guest's tables */
	num = 1;
	queue_begin();
	OK(invalidate(nested, NESTED_INV, &inv, sizeof(inv), &num));
	queue_end();
	CHECK(is_for(only(6), 3, did, 0));
	CHECK_EQ(only(6).hi, IOVA);
	inv.npages = 3;
	inv.flags = IOMMU_VTD_INV_FLAGS_LEAF;
	queue_begin();
	OK(invalidate(nested, NESTED_INV, &inv, sizeof(inv), &num));
	queue_end();
	CHECK(is_for(only(6), 3, did, 0));
	/* 7f0012345000 and two more: 4 pages from 7f0012344000, leaves only */
	CHECK_EQ(only(6).hi, (IOVA & ~0x3fffUL) | 1 << 6 | 2);
	inv = (struct iommu_hwpt_vtd_s1_invalidate){ .npages = UINT64_MAX };
	queue_begin();
	OK(invalidate(nested, NESTED_INV, &inv, sizeof(inv), &num));
	queue_end();
	CHECK(is_for(only(6), 2, did, 0));
	/* nothing of one that no device is attached to */
	queue_begin();
	OK(invalidate(second, NESTED_INV, &inv, sizeof(inv), &num));
	queue_end();
	CHECK_EQ(queued, 0);
	attach(&d, parent);
}

static void ranges(void)
{
	struct iommu_hwpt_vtd_s1_invalidate inv[4] = {
		{ .addr = IOVA, .npages = 1 },
		{ .addr = IOVA, .npages = 16, .flags = IOMMU_VTD_INV_FLAGS_LEAF },
		{ .addr = 0, .npages = UINT64_MAX },
		{ .addr = 0xffff800000000000, .npages = 1UL << 35 },
	};
	struct iommu_hwpt_vtd_s1 s1;
	uint32_t nested, num;
	unsigned int i;

	pretend(0);
	s1 = guest_tables();
	OK(nested_alloc(parent, &s1, &nested));
	/* attached or not */
	for (i = 0; i < 2; i++) {
		num = 4;
		OK(invalidate(nested, NESTED_INV, inv, sizeof(*inv), &num));
		CHECK_EQ(num, 4);
		attach(&d, nested);
	}
	num = 0;
	OK(invalidate(nested, NESTED_INV, NULL, 0, &num));
	num = 0;
	INV_REFUSED(invalidate(nested, IOMMU_EXT_INVALIDATE_DATA_VTD, NULL, 0, &num),
		    -EINVAL);
	num = 1;
	INV_REFUSED(invalidate(parent, NESTED_INV, inv, sizeof(*inv), &num), -EINVAL);
	CHECK_EQ(num, 0);
	/* those in front of a bad one are done */
	for (i = 0; i < 4; i++) {
		struct iommu_hwpt_vtd_s1_invalidate bad[4];

		memcpy(bad, inv, sizeof(bad));
		bad[i].flags = 2;
		num = 4;
		INV_REFUSED(invalidate(nested, NESTED_INV, bad, sizeof(*bad), &num),
			    -EOPNOTSUPP);
		CHECK_EQ(num, i);
		bad[i].flags = 0;
		bad[i].addr = 0x800;
		num = 4;
		INV_REFUSED(invalidate(nested, NESTED_INV, bad, sizeof(*bad), &num),
			    -EINVAL);
		CHECK_EQ(num, i);
	}
	num = 4;
	INV_REFUSED(invalidate(nested, NESTED_INV, inv, sizeof(*inv) - 8, &num), -EINVAL);
	CHECK_EQ(num, 0);
	num = 4;
	INV_REFUSED(invalidate(nested, NESTED_INV, inv, sizeof(*inv) + 8, &num), -EINVAL);
	CHECK_EQ(num, 0);
}

static struct iommu_ext_hwpt_vtd_guest guest_entry(unsigned int did)
{
	struct iommu_ext_hwpt_vtd_guest guest = { .entry = {
		1 | 1 << 6 | 2 << 2, did, GPA | 1 << 5,
	} };

	guest_tables();
	return guest;
}

#define SID 0x1234

static void slices(void)
{
	struct iommu_ext_hwpt_vtd_guest guest;
	struct iommu_hwpt_vtd_s1 s1;
	uint32_t nested, other, first, pt;
	struct vtd_walk w;
	unsigned int i;

	pretend(SMPWCS);
	REFUSED(s.fd, IOMMU_VIOMMU_ALLOC,
		viommu_alloc(IOMMU_VIOMMU_TYPE_ARM_SMMUV3, parent, NULL, 0), -EOPNOTSUPP);
	REFUSED(s.fd, IOMMU_VIOMMU_ALLOC,
		viommu_alloc(IOMMU_EXT_VIOMMU_TYPE_VTD, parent, &w, 8), -EINVAL);
	OK(viommu_alloc(IOMMU_EXT_VIOMMU_TYPE_VTD, parent, NULL, 0));
	first = viommu;
	/* several on one parent */
	OK(viommu_alloc(IOMMU_EXT_VIOMMU_TYPE_VTD, parent, NULL, 0));
	OK(iofd_destroy(s.fd, viommu));
	viommu = first;

	guest = guest_entry(7);
	OK(guest_alloc(&guest, &nested));
	s1 = guest_tables();
	OK(nested_alloc(viommu, &s1, &other));
	/* each bit that a guest may not set */
	for (i = 0; i < 512; i++) {
		guest = guest_entry(7);
		guest.entry[i / 64] ^= 1ULL << i % 64;
		if (guest_alloc(&guest, &pt)) {
			CHECK(iommufd_last_reason(s.fd)[0]);
			continue;
		}
		OK(iofd_destroy(s.fd, pt));
		if (i == 0 || (i > 4 && i < 64) || (i > 79 && i < 87) ||
		    (i > 88 && i < 128) || i == 129 || i == 131 || i == 134 || i > 191)
			tap_fail(__FILE__, __LINE__, "bit %u is taken", i);
	}
	pt = nested;
	ERR(vdev_attach(&d.vdev, &pt), -ENOENT);
	REFUSED(s.fd, IOMMU_VDEVICE_ALLOC, vdevice_alloc(0x10000), -EINVAL);
	OK(vdevice_alloc(SID));
	attach(&d, nested);
	allowed(IOVA, VTD_WALK_WRITE, GPA + 16 * PAGE, &w);
	attach(&d, other);
	allowed(IOVA, VTD_WALK_WRITE, GPA + 16 * PAGE, &w);
	attach(&d, parent);
}

static void requests(void)
{
	struct iommu_ext_vtd_invalidate inv[6] = {
		/* context of the device, PASID, IOTLB, PASID-based, device TLBs */
		{ .descriptor = { 1 | 3 << 4 | 7 << 16 | (uint64_t)SID << 32 } },
		{ .descriptor = { 7 | 1 << 4 | 7 << 16 } },
		{ .descriptor = { 2 | 2 << 4 | 7 << 16 | 3 << 6 } },
		{ .descriptor = { 6 | 3 << 4 | 7 << 16, IOVA | 2 } },
		{ .descriptor = { 3 | (uint64_t)SID << 32, 0x7ffffffffffff001 } },
		{ .descriptor = { 8 | SID << 16, IOVA } },
	};
	const uint32_t type = IOMMU_EXT_INVALIDATE_DATA_VTD;
	struct iommu_ext_hwpt_vtd_guest guest;
	uint32_t nested, num, i;
	struct vtd_walk w;

	pretend(0);
	OK(viommu_alloc(IOMMU_EXT_VIOMMU_TYPE_VTD, parent, NULL, 0));
	guest = guest_entry(7);
	OK(guest_alloc(&guest, &nested));
	num = 6;
	INV_REFUSED(invalidate(viommu, type, inv, sizeof(*inv), &num), -EIO);
	CHECK_EQ(num, 0);
	OK(vdevice_alloc(SID));
	attach(&d, nested);
	num = 6;
	OK(invalidate(viommu, type, inv, sizeof(*inv), &num));
	CHECK_EQ(num, 6);
	num = 0;
	OK(invalidate(viommu, type, NULL, 0, &num));
	num = 0;
	INV_REFUSED(invalidate(viommu, NESTED_INV, NULL, 0, &num), -EINVAL);
	/* 128 bits each: every other one is the upper half of a descriptor, a 0 */
	num = 1;
	OK(invalidate(viommu, type, inv, 16, &num));
	num = 2;
	INV_REFUSED(invalidate(viommu, type, inv, 16, &num), -EIO);
	CHECK_EQ(num, 1);
	num = 1;
	INV_REFUSED(invalidate(viommu, type, inv, 8, &num), -EINVAL);
	for (i = 0; i < 6; i++) {
		struct iommu_ext_vtd_invalidate bad[6];

		memcpy(bad, inv, sizeof(bad));
		bad[i].descriptor[3] = 1;
		num = 6;
		INV_REFUSED(invalidate(viommu, type, bad, sizeof(*bad), &num), -EIO);
		CHECK_EQ(num, i);
		/* an interrupt's descriptor, a wait, the answer to a page request */
		bad[i].descriptor[3] = 0;
		bad[i].descriptor[0] = i % 3 == 0 ? 4 : i % 3 == 1 ? 5 : 9;
		num = 6;
		INV_REFUSED(invalidate(viommu, type, bad, sizeof(*bad), &num), -EIO);
		CHECK_EQ(num, i);
	}
	/* each in our terms: the guest's domain 7 is another number here */
	allowed(IOVA, VTD_WALK_WRITE, GPA + 16 * PAGE, &w);
	CHECK(w.did != 7);
	num = 6;
	queue_begin();
	OK(invalidate(viommu, type, inv, sizeof(*inv), &num));
	queue_end();
	CHECK(!only(1).lo && !only(3).lo && !only(8).lo);
	CHECK(is_for(only(7), 1, w.did, 0));
	CHECK(is_for(only(2), 2, w.did, 0));
	CHECK(is_for(only(6), 3, w.did, 0));
	CHECK_EQ(only(6).hi, (IOVA & ~0x3fffUL) | 2);
	/* an id of the guest's that nothing has here, though it is one of ours */
	inv[3].descriptor[0] = 6 | 3 << 4 | w.did << 16;
	num = 1;
	queue_begin();
	OK(invalidate(viommu, type, &inv[3], sizeof(*inv), &num));
	queue_end();
	CHECK_EQ(queued, 0);
	/* another device's */
	inv[0].descriptor[0] ^= 1ULL << 40;
	num = 6;
	INV_REFUSED(invalidate(viommu, type, inv, sizeof(*inv), &num), -EIO);
	CHECK_EQ(num, 0);
	/* unless functions do not count: of 1230, 2 and 4 are the same then */
	inv[0].descriptor[0] ^= 1ULL << 40 | 1ULL << 33 | 3ULL << 48;
	num = 1;
	OK(invalidate(viommu, type, inv, sizeof(*inv), &num));
	/* more than are taken in one go; the same as the guest's queue has */
	for (i = 0; i < 512 / 6; i++)
		memcpy((char *)mem + 40 * PAGE + i * sizeof(inv), inv, sizeof(inv));
	num = 6 * (512 / 6);
	OK(invalidate(viommu, type, (char *)mem + 40 * PAGE, sizeof(*inv), &num));
	CHECK_EQ(num, 6 * (512 / 6));
	allowed(IOVA, VTD_WALK_WRITE, GPA + 16 * PAGE, &w);
	attach(&d, parent);
}

/* Whether a domain was to be forgotten as a whole. */
static bool forgot(unsigned int did)
{
	unsigned int i;

	for (i = 0; i < queued; i++)
		if ((queue[i].lo & 0x3f) == (2 | 2 << 4) &&
		    (queue[i].lo >> 16 & 0xffff) == did)
			return true;
	return false;
}

/* A device in a vIOMMU of its own, which the guest calls SID; its domain id here. */
static unsigned int make_guest(uint32_t *nested)
{
	struct iommu_ext_hwpt_vtd_guest guest = guest_entry(7);
	struct vtd_walk w;

	OK(viommu_alloc(IOMMU_EXT_VIOMMU_TYPE_VTD, parent, NULL, 0));
	OK(vdevice_alloc(SID));
	OK(guest_alloc(&guest, nested));
	attach(&d, *nested);
	allowed(IOVA, VTD_WALK_WRITE, GPA + 16 * PAGE, &w);
	return w.did;
}

/* Two slices of a unit on one parent, whose guests use the same numbers. */
static void slices_apart(void)
{
	struct iommu_ext_vtd_invalidate inv[3] = {
		{ .descriptor = { 6 | 2 << 4 | 7 << 16 } },
		{ .descriptor = { 2 | 1 << 4 } },
		{ .descriptor = { 7 | 3 << 4 } },
	};
	uint32_t viommus[2], nested[2], num, pt, i;
	struct testdev first;
	unsigned int did[2];

	pretend(0);
	did[0] = make_guest(&nested[0]);
	viommus[0] = viommu;
	first = d;
	need_edu(&d, 1, s.fd);
	vtd_requester(&r, d.vdev.bdf);
	pt = nested[0];
	ERR(vdev_attach(&d.vdev, &pt), -ENOENT);
	did[1] = make_guest(&nested[1]);
	viommus[1] = viommu;
	CHECK(did[0] != did[1]);
	/* what one guest asks for, to the end of its domains, is not the other's */
	for (i = 0; i < 2; i++) {
		num = 3;
		queue_begin();
		OK(invalidate(viommus[i], IOMMU_EXT_INVALIDATE_DATA_VTD, inv,
			      sizeof(*inv), &num));
		queue_end();
		CHECK_EQ(queued, 3);
		CHECK(is_for(only(6), 2, did[i], 0));
		CHECK(is_for(only(2), 2, did[i], 0));
		CHECK(is_for(only(7), 0, did[i], 0));
	}
	/* the memory is everybody's */
	queue_begin();
	OK(space_map(&s, mem, PAGE, GPA + 2 * PAGES * PAGE));
	OK(space_unmap(&s, GPA + 2 * PAGES * PAGE, PAGE));
	queue_end();
	CHECK(forgot(did[0]) && forgot(did[1]));
	attach(&d, parent);
	queue_begin();
	OK(space_map(&s, mem, PAGE, GPA + 2 * PAGES * PAGE));
	OK(space_unmap(&s, GPA + 2 * PAGES * PAGE, PAGE));
	queue_end();
	CHECK(forgot(did[0]) && !forgot(did[1]));
	attach(&first, parent);
}

/* A long queue of a guest, with something in it now and then that no unit takes. */
static void noise(void)
{
	/* types and their granularities */
	static const uint64_t kinds[] = {
		1 | 1 << 4, 1 | 2 << 4, 2 | 1 << 4, 2 | 2 << 4, 2 | 3 << 4,
		3 | (uint64_t)SID << 32, 6 | 2 << 4, 6 | 3 << 4,
		7, 7 | 1 << 4, 7 | 3 << 4, 8 | SID << 16,
	};
	struct iommu_ext_vtd_invalidate inv[40];
	uint32_t nested, num, round, i;
	unsigned int done = 0, refused = 0;
	uint64_t state = 5;
	struct vtd_walk w;

	pretend(0);
	make_guest(&nested);
	for (round = 0; round < 300; round++) {
		int rc;

		memset(inv, 0, sizeof(inv));
		for (i = 0; i < 40; i++) {
			uint64_t kind, *q = (uint64_t *)inv[i].descriptor;

			state = state * 6364136223846793005 + 1442695040888963407;
			kind = kinds[(state >> 33) % 12];
			q[0] = kind | (kind >> 16 ? 0 : (state >> 50 & 7) << 16);
			/* the first and the seventh type have no address */
			q[1] = kind % 16 == 1 || kind % 16 == 7 ? 0 :
			       state & ~0xfffULL;
			if (!(state >> 20 & 63))
				q[state >> 30 & 3] ^= 1ULL << (state >> 8 & 63);
		}
		num = 40;
		rc = invalidate(viommu, IOMMU_EXT_INVALIDATE_DATA_VTD, inv,
				sizeof(*inv), &num);
		CHECK(!rc || rc == -EIO);
		CHECK((num == 40) == !rc);
		CHECK(!rc || iommufd_last_reason(s.fd)[0]);
		done += num;
		refused += !!rc;
	}
	tap_note("%u descriptors done, %u of %u batches ended early", done, refused,
		 round);
	CHECK(done > 5000 && refused > 20 && refused < 280);
	allowed(IOVA, VTD_WALK_WRITE, GPA + 16 * PAGE, &w);
	attach(&d, parent);
}

static void fault(uint64_t lo, uint64_t hi)
{
	char text[64];

	snprintf(text, sizeof(text), "%llx %llx", (unsigned long long)lo,
		 (unsigned long long)hi);
	if (!write_to("/sys/module/vtd_pretend/parameters/fault", text))
		tap_skip("no kprobes: %s", tap_errno(errno));
}

/* The device was told to forget an aligned power of two of pages, after the unit. */
static void tlb_told(uint64_t first, uint64_t size)
{
	struct descriptor q = only(3);
	uint64_t want = first;
	unsigned int i;

	/* 6.5.2.5: ones, and a zero above them, tell the size */
	if (size > PAGE)
		want |= (size / 2 - 1) & ~0xfffULL;
	if (q.hi != (want | (size > PAGE)) || (q.lo >> 32 & 0xffff) != r.sid)
		for (i = 0; i < queued; i++)
			tap_note("%llx %llx", queue[i].lo, queue[i].hi);
	CHECK_EQ(q.lo >> 32 & 0xffff, r.sid);
	CHECK_EQ(q.hi, want | (size > PAGE));
	CHECK((queue[queued - 1].lo & 0xf) == 3);
	CHECK(queued == 1 || (queue[0].lo & 0xf) != 3);
}

/* What a device remembers itself of a guest's tables. */
static void device_tlb(void)
{
	struct iommu_hwpt_vtd_s1_invalidate range = { .addr = IOVA, .npages = 1 };
	struct iommu_ext_vtd_invalidate inv[3] = {
		{ .descriptor = { 6 | 3 << 4 | 7 << 16, IOVA | 1 } },
		{ .descriptor = { 3 | (uint64_t)SID << 32, 0x5000 } },
		{ .descriptor = { 7 | 1 << 4 | 7 << 16 } },
	};
	const uint32_t type = IOMMU_EXT_INVALIDATE_DATA_VTD;
	uint32_t nested, num;
	pci_bdf bdf;

	space_open(&s);
	if (!pci_find(PCI_RNG, 0, bdf))
		tap_skip("this machine has no virtio random number generator");
	OK(vdev_setup(&d.vdev, bdf, s.fd));
	vtd_requester(&r, bdf);
	mem = mem_anon(PAGES * PAGE);
	CHECK(mem);
	OK(space_map(&s, mem, PAGES * PAGE, GPA));
	make_parent(0);
	make_guest(&nested);

	num = 1;
	queue_begin();
	OK(invalidate(nested, NESTED_INV, &range, sizeof(range), &num));
	queue_end();
	if (!only(3).lo)
		tap_skip("its ATS is not used");
	tlb_told(IOVA, PAGE);
	queue_begin();
	OK(invalidate(viommu, type, &inv[0], sizeof(*inv), &num));
	queue_end();
	tlb_told(IOVA & ~0x1fffUL, 2 * PAGE);
	queue_begin();
	OK(invalidate(viommu, type, &inv[1], sizeof(*inv), &num));
	queue_end();
	tlb_told(0x5000, PAGE);
	/* an entry of the guest's, of which translations are told apart */
	queue_begin();
	OK(invalidate(viommu, type, &inv[2], sizeof(*inv), &num));
	queue_end();
	CHECK(!only(3).lo);
	/* a page of the parent: nobody knows what the guest calls it */
	queue_begin();
	OK(space_map(&s, mem, PAGE, GPA + 2 * PAGES * PAGE));
	OK(space_unmap(&s, GPA + 2 * PAGES * PAGE, PAGE));
	queue_end();
	CHECK(only(2).lo);
	CHECK_EQ(only(3).hi, 0x7ffffffffffff001);
	OK(vdev_attach(&d.vdev, &parent));
}

/* The guest's devices have PASIDs, each with tables of its own. */
static void pasids(void)
{
	struct iommu_hwpt_vtd_s1_invalidate inv = { .addr = IOVA, .npages = 1 };
	struct iommu_ext_vtd_invalidate request = { .descriptor = {
		6 | 3 << 4 | 7 << 16 | 5ULL << 32, IOVA
	} };
	struct iommu_ext_hwpt_vtd_guest guest;
	uint32_t nested, num = 1;
	struct vtd_walk w;

	pretend(0);
	if (!(r.ecap >> 40 & 1))
		tap_skip("this unit has no PASIDs");
	/* fdinfo has nothing to say of it: the device is asked when it is bound */
	OK(vtd_fake_pasids(&r, 1000));
	OK(viommu_alloc(IOMMU_EXT_VIOMMU_TYPE_VTD, parent, NULL, 0));
	OK(vdevice_alloc(SID));
	guest = guest_entry(7);
	OK(hwpt_alloc(viommu, IOMMU_HWPT_ALLOC_PASID, IOMMU_EXT_HWPT_DATA_VTD_GUEST,
		      &guest, sizeof(guest), &nested));
	OK(pasid_attach(&d.vdev, 5, nested));
	CHECK_EQ(vtd_translate(&r, 5, IOVA + PAGE, VTD_WALK_READ, &w), 0);
	CHECK(w.pgtt == 3 && w.gpa == GPA + 17 * PAGE);
	CHECK(vtd_translate(&r, 6, IOVA, VTD_WALK_READ, NULL));
	CHECK(vtd_translate(&r, NONE, IOVA, VTD_WALK_READ, NULL));
	queue_begin();
	OK(invalidate(nested, NESTED_INV, &inv, sizeof(inv), &num));
	queue_end();
	CHECK(is_for(only(6), 3, w.did, 5));
	queue_begin();
	OK(invalidate(viommu, IOMMU_EXT_INVALIDATE_DATA_VTD, &request,
		      sizeof(request), &num));
	queue_end();
	CHECK(is_for(only(6), 3, w.did, 5));
	queue_begin();
	OK(pasid_detach(&d.vdev, 5));
	queue_end();
	CHECK(is_for(only(7), 1, w.did, 5));
	CHECK(is_for(only(2), 2, w.did, 0));
	CHECK(vtd_translate(&r, 5, IOVA, VTD_WALK_READ, NULL));
	edu_fini(&d.edu);
	vdev_close(&d.vdev);
	OK(vtd_fake_pasids(&r, 0));
}

/* What is written through the guest's tables is written to the parent's memory. */
static void dirty(void)
{
	struct iommu_hwpt_vtd_s1 s1;
	uint64_t bits = 0;
	uint32_t nested;

	pretend(SSADS | SMPWCS);
	OK(iofd_destroy(s.fd, parent));
	OK(hwpt_alloc(s.ioas, IOMMU_HWPT_ALLOC_NEST_PARENT |
		      IOMMU_HWPT_ALLOC_DIRTY_TRACKING, 0, NULL, 0, &parent));
	s1 = guest_tables();
	OK(nested_alloc(parent, &s1, &nested));
	attach(&d, nested);
	OK(dirty_tracking(s.fd, parent, 1));
	OK(dirty_bitmap(s.fd, parent, GPA, PAGES * PAGE, PAGE, &bits, 0));
	CHECK_EQ(bits, 0);
	CHECK_EQ(vtd_dma_write(&r, NONE, IOVA + 4 * PAGE, "x", 1), 0);
	OK(dirty_bitmap(s.fd, parent, GPA, PAGES * PAGE, PAGE, &bits, 0));
	/* the page itself, and the tables, in which accessed bits were set */
	CHECK_EQ(bits, 1ULL << 20 | 0xf);
	bits = 0;
	queue_begin();
	CHECK_EQ(vtd_dma_write(&r, NONE, IOVA + 4 * PAGE, "x", 1), 0);
	OK(dirty_bitmap(s.fd, parent, GPA, PAGES * PAGE, PAGE, &bits, 0));
	queue_end();
	CHECK_EQ(bits, 1ULL << 20);
	/* units that remember the page as dirty are told, under the nested id */
	CHECK((only(2).lo >> 4 & 3) == 2);
	attach(&d, parent);
}

static uint32_t busy_nested[2];
static volatile bool busy_end;

static void *busy_parent(void *arg)
{
	while (!busy_end) {
		OK(space_map(&s, mem, 4 * PAGE, GPA + 2 * PAGES * PAGE));
		OK(space_unmap(&s, GPA + 2 * PAGES * PAGE, 4 * PAGE));
	}
	return NULL;
}

static void *busy_guest(void *arg)
{
	struct iommu_ext_vtd_invalidate inv[2] = {
		{ .descriptor = { 6 | 3 << 4 | 7 << 16, IOVA | 2 } },
		{ .descriptor = { 2 | 1 << 4 } },
	};
	uint32_t num;

	while (!busy_end) {
		num = 2;
		OK(invalidate(viommu, IOMMU_EXT_INVALIDATE_DATA_VTD, inv, sizeof(*inv),
			      &num));
	}
	return NULL;
}

static void *busy_tables(void *arg)
{
	struct iommu_hwpt_vtd_s1 s1 = { .pgtbl_addr = GPA, .addr_width = 48 };
	struct iommu_hwpt_vtd_s1_invalidate inv = { .addr = IOVA, .npages = 3 };
	uint32_t hwpt, num;

	while (!busy_end) {
		num = 1;
		OK(nested_alloc(viommu, &s1, &hwpt));
		OK(invalidate(hwpt, NESTED_INV, &inv, sizeof(inv), &num));
		OK(iofd_destroy(s.fd, hwpt));
	}
	return NULL;
}

static void *busy_faults(void *arg)
{
	while (!busy_end)
		fault(IOVA, 1ULL << 63 | 0x71ULL << 32 | r.sid);
	return NULL;
}

/* The guest's memory, its tables, its queue and its devices at the same time. */
static void together(void)
{
	static void *(*const who[])(void *) = {
		busy_parent, busy_guest, busy_tables, busy_faults,
	};
	struct iommu_ext_hwpt_vtd_guest guest;
	pthread_t threads[4];
	struct vtd_walk w;
	unsigned int i;

	pretend(0);
	OK(viommu_alloc(IOMMU_EXT_VIOMMU_TYPE_VTD, parent, NULL, 0));
	OK(vdevice_alloc(SID));
	guest = guest_entry(7);
	OK(guest_alloc(&guest, &busy_nested[0]));
	guest = guest_entry(8);
	OK(guest_alloc(&guest, &busy_nested[1]));
	attach(&d, busy_nested[0]);
	for (i = 0; i < 4; i++)
		CHECK(!pthread_create(&threads[i], NULL, who[i], NULL));
	for (i = 0; i < 300; i++) {
		attach(&d, i % 8 == 7 ? parent : busy_nested[i & 1]);
		if (i % 8 != 7)
			allowed(IOVA + 8, VTD_WALK_WRITE, GPA + 16 * PAGE + 8, &w);
		if (i % 50 == 9) {
			OK(vdev_detach(&d.vdev));
			CHECK(vtd_translate(&r, NONE, IOVA, VTD_WALK_READ, NULL));
		}
	}
	busy_end = true;
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	attach(&d, parent);
}

static void events(void)
{
	struct { struct iommufd_vevent_header head; struct iommu_ext_vevent_vtd data; } e[3];
	struct iommu_ext_hwpt_vtd_guest guest;
	struct iommu_veventq_alloc c = {
		.size = sizeof(c),
		.type = IOMMU_EXT_VEVENTQ_TYPE_VTD,
		.veventq_depth = 2,
	};
	uint64_t hi;
	uint32_t nested;
	int i, fd;

	pretend(0);
	OK(viommu_alloc(IOMMU_EXT_VIOMMU_TYPE_VTD, parent, NULL, 0));
	guest = guest_entry(7);
	OK(guest_alloc(&guest, &nested));
	OK(vdevice_alloc(SID));
	c.viommu_id = viommu;
	c.type = IOMMU_VEVENTQ_TYPE_ARM_SMMUV3;
	REFUSED(s.fd, IOMMU_VEVENTQ_ALLOC, iofd_ioctl(s.fd, IOMMU_VEVENTQ_ALLOC, &c),
		-EOPNOTSUPP);
	c.type = IOMMU_EXT_VEVENTQ_TYPE_VTD;
	OK(iofd_ioctl(s.fd, IOMMU_VEVENTQ_ALLOC, &c));
	fd = c.out_veventq_fd;
	CHECK(!fcntl(fd, F_SETFL, O_NONBLOCK));

	hi = 1ULL << 63 | 1ULL << 62 | 0x71ULL << 32 | r.sid;
	/* not while it is not nested; not another's; not what is the host's */
	fault(IOVA, hi);
	attach(&d, parent);
	fault(IOVA, hi);
	attach(&d, nested);
	fault(IOVA, hi ^ 0x100);
	fault(IOVA, hi ^ 0x71ULL << 32 ^ 0x59ULL << 32);
	CHECK_EQ(read(fd, e, sizeof(e)), -1);
	CHECK_EQ(errno, EAGAIN);

	fault(IOVA, hi);
	CHECK_EQ(read(fd, e, sizeof(e)), sizeof(e[0]));
	CHECK_EQ(e[0].head.flags, 0);
	CHECK_EQ(e[0].data.record[0], IOVA);
	CHECK_EQ(e[0].data.record[1], (hi & ~0xffffULL) | SID);
	/* one more than there is room for */
	for (i = 0; i < 3; i++)
		fault(IOVA + i * PAGE, hi);
	i = read(fd, e, sizeof(e));
	CHECK_EQ(i, 2 * sizeof(e[0]) + sizeof(e[0].head));
	CHECK_EQ(e[1].data.record[0], IOVA + PAGE);
	CHECK_EQ(e[2].head.flags, IOMMU_VEVENTQ_FLAG_LOST_EVENTS);
	attach(&d, parent);
	fault(IOVA, hi);
	CHECK_EQ(read(fd, e, sizeof(e)), -1);
}

static void over(void)
{
	vtd_pretend(0);
	CHECK(access("/sys/module/vtd_pretend", F_OK));
	refused();
}

static const struct tap_test tests[] = {
	{ "a unit that does not nest says so", refused },
	{ "what is told of one that nests", information },
	{ "what a first stage cannot be", arguments },
	{ "a parent is not mapped read-only", read_only },
	{ "both stages, attached and replaced", attached },
	{ "both stages with five levels", five_levels },
	{ "what the unit is told to forget, and under which id", told },
	{ "ranges of a first stage are forgotten", ranges },
	{ "vIOMMUs, and entries as guests write them", slices, 60 },
	{ "a guest's invalidations", requests },
	{ "two vIOMMUs on one parent", slices_apart },
	{ "noise in a guest's queue", noise },
	{ "a guest's faults", events },
	{ "a device with a TLB of its own", device_tlb },
	{ "PASIDs of a guest", pasids },
	{ "what is written through both stages", dirty },
	{ "all of it at the same time", together, 120 },
	{ "it does not nest any more", over },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

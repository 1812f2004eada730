// SPDX-License-Identifier: GPL-2.0
/*
 * The tables that iommu_amdvi writes, read by a unit in software that was made after
 * the specification alone: where requests of a device go, what is refused, what is
 * recorded of what was written, and where interrupts go.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amdvi_walk.h"
#include "devices.h"
#include "mem.h"
#include "own_irq.h"
#include "vtd_ops.h"

#define PAGE	4096UL
#define NONE	AMDVI_WALK_NO_PASID
#define IOVA	0x40000000UL

#define EFR_HA	(1UL << 49)
#define EFR_HD	(1UL << 52)

static struct space s;
static struct testdev d;
static struct amdvi_requester r;

static void begin(int nth)
{
	space_open(&s);
	need_edu(&d, nth, s.fd);
	amdvi_requester(&r, d.vdev.bdf);
}

static void refused(uint64_t iova, uint32_t flags)
{
	struct amdvi_walk w;

	if (amdvi_translate(&r, NONE, iova, flags, &w) == AMDVI_WALK_PAGE_FAULT)
		return;
	amdvi_walk_note(&w);
	CHECK_EQ(w.event, AMDVI_WALK_PAGE_FAULT);
}

static void allowed(uint64_t iova, uint32_t flags, struct amdvi_walk *w)
{
	if (!amdvi_translate(&r, NONE, iova, flags, w))
		return;
	amdvi_walk_note(w);
	CHECK_EQ(w->event, 0);
}

static void through(void)
{
	struct amdvi_walk w;
	pci_bdf bdf;

	if (!pci_find(PCI_EDU, 0, bdf))
		tap_skip("this machine has no edu device");
	OK(pci_bind(bdf, ""));
	amdvi_requester(&r, bdf);
	allowed(0x123456, AMDVI_WALK_WRITE, &w);
	CHECK(w.attributes & AMDVI_WALK_THROUGH);
	CHECK_EQ(w.phys, 0x123456);

	/* claimed, it reaches nothing until it is attached */
	begin(0);
	refused(0x123456, AMDVI_WALK_READ);
	refused(0x123456, AMDVI_WALK_WRITE);
}

static void reaches(void)
{
	char *mem = mem_anon(16 * PAGE), *copy = mem_anon(16 * PAGE);
	uint64_t ro = IOVA + 32 * PAGE;
	struct amdvi_walk w;

	begin(0);
	attach(&d, s.ioas);
	OK(space_map(&s, mem, 16 * PAGE, IOVA));
	OK(iofd_map(s.fd, s.ioas, mem, 2 * PAGE, &ro, IOFD_FIXED_R));
	mem_fill(mem, 16 * PAGE, 7);
	CHECK_EQ(amdvi_dma_read(&r, NONE, IOVA, copy, 16 * PAGE), 0);
	CHECK(mem_holds(copy, 16 * PAGE, 7));
	mem_fill(copy, 16 * PAGE, 8);
	CHECK_EQ(amdvi_dma_write(&r, NONE, IOVA + 100, copy, 15 * PAGE), 0);
	CHECK(!memcmp(mem + 100, copy, 15 * PAGE));

	allowed(IOVA + 5, AMDVI_WALK_READ | AMDVI_WALK_WRITE, &w);
	CHECK_EQ(w.phys & (PAGE - 1), 5);
	CHECK(w.attributes & AMDVI_WALK_COHERENT);
	allowed(ro, AMDVI_WALK_READ, &w);
	CHECK(!(w.attributes & AMDVI_WALK_CAN_WRITE));
	refused(ro, AMDVI_WALK_WRITE);

	refused(IOVA - 1, AMDVI_WALK_READ);
	refused(IOVA + 16 * PAGE, AMDVI_WALK_WRITE);
	/* beyond what the table has levels for */
	refused(1UL << 48 | IOVA, AMDVI_WALK_READ);
	CHECK_EQ(amdvi_translate(&r, 1, IOVA, AMDVI_WALK_READ, NULL), AMDVI_WALK_REQUEST);
	OK(space_unmap(&s, ro, 2 * PAGE));
	refused(ro, AMDVI_WALK_READ);
	OK(vdev_detach(&d.vdev));
	refused(IOVA, AMDVI_WALK_READ);
	attach(&d, s.ioas);
	allowed(IOVA, AMDVI_WALK_WRITE, &w);
}

/* Memory that is contiguous gets pages of any power of two. */
static void sizes(void)
{
	static const size_t lengths[] = {
		PAGE, 2 * PAGE, 16 * PAGE, 64 * PAGE, MIB, 2 * MIB,
	};
	unsigned int i, lg2;
	struct amdvi_walk w;
	uint64_t iova;
	char *mem;

	if (mem_want_hugetlb(2) < 2)
		tap_skip("no memory for 2 huge pages");
	mem = mem_hugetlb(4 * MIB);
	CHECK(mem);
	begin(0);
	attach(&d, s.ioas);
	for (i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		lg2 = 63 - __builtin_clzl(lengths[i]);
		iova = IOVA + 4 * i * MIB;
		OK(space_map(&s, mem + 2 * MIB, lengths[i], iova));
		allowed(iova + lengths[i] - 1, AMDVI_WALK_WRITE, &w);
		CHECK_EQ(w.page_lg2, lg2);
		mem[2 * MIB + lengths[i] - 1] = i;
		CHECK_EQ(amdvi_dma_write(&r, NONE, iova + lengths[i] - 1, "x", 1), 0);
		CHECK_EQ(mem[2 * MIB + lengths[i] - 1], 'x');
		refused(iova + lengths[i], AMDVI_WALK_READ);
	}
	/* a part of what is contiguous, at an odd address */
	OK(space_map(&s, mem + 3 * PAGE, 5 * PAGE, 3 * PAGE));
	for (i = 3; i < 8; i++) {
		allowed(i * PAGE, AMDVI_WALK_WRITE, &w);
		CHECK_EQ(w.page_lg2, i == 3 ? 12 : 14);
		mem[i * PAGE] = 'a' + i;
		CHECK_EQ(amdvi_dma_write(&r, NONE, i * PAGE + 1, mem + i * PAGE, 1), 0);
		CHECK_EQ(mem[i * PAGE + 1], 'a' + i);
	}
}

/* Random maps and unmaps against a picture of what is mapped, page by page. */
#define PAGES 256U
#define ROUNDS 300

static char *shadow[PAGES];
static bool writable[PAGES];

static void check_page(unsigned int page)
{
	uint64_t iova = IOVA + page * PAGE;
	char have = 0, want;

	if (!shadow[page]) {
		refused(iova + rand() % PAGE, AMDVI_WALK_READ);
		return;
	}
	want = rand();
	*shadow[page] = want;
	CHECK_EQ(amdvi_dma_read(&r, NONE, iova, &have, 1), 0);
	CHECK_EQ(have, want);
	if (!writable[page]) {
		refused(iova, AMDVI_WALK_WRITE);
		return;
	}
	want++;
	CHECK_EQ(amdvi_dma_write(&r, NONE, iova, &want, 1), 0);
	CHECK_EQ(*shadow[page], want);
}

static void map_some(char *mem)
{
	unsigned int at = rand() % PAGES, nr = 1 + rand() % (rand() % 8 ? 8 : 64);
	unsigned int from = rand() % PAGES, i;
	bool rw = rand() % 4;
	uint64_t iova = IOVA + at * PAGE;

	for (i = 0; i < nr; i++)
		if (at + i >= PAGES || from + i >= PAGES || shadow[at + i])
			return;
	OK(iofd_map(s.fd, s.ioas, mem + from * PAGE, nr * PAGE, &iova,
		    rw ? IOFD_FIXED_RW : IOFD_FIXED_R));
	for (i = 0; i < nr; i++) {
		shadow[at + i] = mem + (from + i) * PAGE;
		writable[at + i] = rw;
	}
}

static void unmap_some(void)
{
	unsigned int at = rand() % PAGES, nr = 1 + rand() % 64, i;
	uint64_t done;
	int rc;

	if (at + nr > PAGES)
		return;
	rc = iofd_unmap(s.fd, s.ioas, IOVA + at * PAGE, nr * PAGE, &done);
	/* nothing there, or areas that would be cut */
	if (rc == -ENOENT)
		return;
	OK(rc);
	for (i = 0; i < nr; i++)
		shadow[at + i] = NULL;
}

static void random_maps(void)
{
	char *mem = mem_thp(PAGES * PAGE);
	unsigned int round, i;

	CHECK(mem);
	begin(0);
	attach(&d, s.ioas);
	srand(8);
	for (round = 0; round < ROUNDS; round++) {
		if (rand() % 3)
			map_some(mem);
		else
			unmap_some();
		for (i = 0; i < 8; i++)
			check_page(rand() % PAGES);
	}
	for (i = 0; i < PAGES; i++)
		check_page(i);
}

/* Every id that requests of a device can come with leads to the same table. */
static void bridge(void)
{
	struct amdvi_requester alias;
	struct amdvi_walk w;
	pci_bdf x, y;

	space_open(&s);
	need_edu_pair(x, y);
	OK(pci_bind(y, "vfio-pci"));
	open_edu(&d, x, s.fd);
	amdvi_requester(&r, x);
	attach(&d, s.ioas);
	OK(space_map(&s, mem_anon(PAGE), PAGE, IOVA));
	allowed(IOVA, AMDVI_WALK_READ, &w);
	alias = r;
	alias.id = r.id & 0xff00;
	CHECK(alias.id != r.id);
	CHECK_EQ(amdvi_translate(&alias, NONE, IOVA, AMDVI_WALK_READ, NULL), 0);
	OK(vdev_detach(&d.vdev));
	CHECK(amdvi_translate(&alias, NONE, IOVA, AMDVI_WALK_READ, NULL));
}

static void set(const char *path)
{
	int fd = OK(open(path, O_WRONLY | O_CLOEXEC));

	CHECK_EQ(write(fd, "1", 1), 1);
	close(fd);
}

/* One of two behind a bridge goes: the other's requests do not pass it by after that. */
static void sibling_goes(void)
{
	struct amdvi_requester alias;
	char path[128];
	pci_bdf x, y;

	space_open(&s);
	need_edu_pair(x, y);
	OK(pci_bind(y, "vfio-pci"));
	open_edu(&d, x, s.fd);
	amdvi_requester(&r, x);
	attach(&d, s.ioas);
	OK(space_map(&s, mem_anon(PAGE), PAGE, IOVA));
	alias = r;
	alias.id = r.id & 0xff00;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/remove", y);
	set(path);
	CHECK(access(path, F_OK));
	CHECK_EQ(amdvi_translate(&alias, NONE, IOVA, AMDVI_WALK_READ, NULL), 0);
	CHECK_EQ(amdvi_translate(&alias, NONE, IOVA + PAGE, AMDVI_WALK_READ, NULL),
		 AMDVI_WALK_PAGE_FAULT);
	refused(IOVA + PAGE, AMDVI_WALK_READ);
	OK(vdev_detach(&d.vdev));
	CHECK_EQ(amdvi_translate(&alias, NONE, IOVA, AMDVI_WALK_READ, NULL),
		 AMDVI_WALK_PAGE_FAULT);
	edu_fini(&d.edu);
	vdev_close(&d.vdev);
	set("/sys/bus/pci/rescan");
	CHECK(!access(path, F_OK));
}

/* What is wrong with an entry, and what is to be said of it. */
static const struct damage {
	uint32_t kind;
	uint64_t set;
	uint64_t clear;
	unsigned int event;
} damages[] = {
	{ AMDVI_WALK_DTE, 1 << 3, 0, AMDVI_WALK_ILLEGAL_DTE },
	{ AMDVI_WALK_DTE, 1UL << 63, 0, AMDVI_WALK_ILLEGAL_DTE },
	{ AMDVI_WALK_DTE, 7 << 9, 0, AMDVI_WALK_ILLEGAL_DTE },
	{ AMDVI_WALK_DTE, 3 << 7, 0, AMDVI_WALK_ILLEGAL_DTE },
	{ AMDVI_WALK_DTE, 0, 1 << 1, AMDVI_WALK_PAGE_FAULT },
	{ AMDVI_WALK_DTE, 0, 1UL << 62, AMDVI_WALK_PAGE_FAULT },
	{ AMDVI_WALK_HOST, 0, 1, AMDVI_WALK_PAGE_FAULT },
	{ AMDVI_WALK_HOST, 1UL << 52, 0, AMDVI_WALK_PAGE_FAULT },
	{ AMDVI_WALK_HOST, 0, 1UL << 62, AMDVI_WALK_PAGE_FAULT },
};

static void broken(void)
{
	struct amdvi_walk good, w;
	unsigned int i, j;

	begin(2);
	attach(&d, s.ioas);
	OK(space_map(&s, mem_anon(PAGE), PAGE, IOVA));
	allowed(IOVA, AMDVI_WALK_WRITE, &good);
	CHECK_EQ(good.nr_steps, 5);
	for (i = 0; i < good.nr_steps; i++) {
		for (j = 0; j < sizeof(damages) / sizeof(*damages); j++) {
			const struct amdvi_walk_step *step = &good.steps[i];
			uint64_t old;

			if (damages[j].kind != step->kind)
				continue;
			old = amdvi_peek(&r, step->phys);
			amdvi_poke(&r, step->phys,
				   (old | damages[j].set) & ~damages[j].clear);
			amdvi_translate(&r, NONE, IOVA, AMDVI_WALK_WRITE, &w);
			amdvi_poke(&r, step->phys, old);
			if (w.event != damages[j].event)
				amdvi_walk_note(&w);
			CHECK_EQ(w.event, damages[j].event);
		}
	}
	allowed(IOVA, AMDVI_WALK_WRITE, &w);
	CHECK_EQ(w.phys, good.phys);
}

/* A message of a device leads to where its interrupt goes, and nowhere else. */
static void messages(void)
{
	struct amdvi_walk_interrupt m;
	struct own_irq irq;
	unsigned int i, nth, known = 0;
	pci_bdf bdf;

	if (!pci_find(0x1b36, 0x000c, 0, bdf))
		tap_skip("this machine has no root port");
	amdvi_requester(&r, bdf);
	for (nth = 0; own_irq_find(bdf, nth, &irq); nth++) {
		amdvi_message(&r, irq.handle, &m);
		CHECK(!m.through);
		CHECK_EQ(m.event, irq.present ? 0 : AMDVI_WALK_PAGE_FAULT);
		if (!irq.present)
			continue;
		CHECK_EQ(m.vector, irq.vector);
		CHECK_EQ(m.destination, irq.apic);
		known++;
	}
	CHECK(known);
	for (i = nth; i < 2048; i++) {
		amdvi_message(&r, i, &m);
		CHECK(m.event && !m.through);
	}
	/* with no interrupt at all, it has none */
	begin(0);
	CHECK(!own_irq_find(d.vdev.bdf, 0, &irq));
	for (i = 0; i < 2048; i++) {
		amdvi_message(&r, i, &m);
		CHECK(m.event && !m.through);
	}
}

static void dirty_begin(uint32_t *hwpt)
{
	space_open(&s);
	need_edu(&d, 0, s.fd);
	amdvi_pretend(EFR_HA | EFR_HD, 0);
	amdvi_requester(&r, d.vdev.bdf);
	OK(iofd_hwpt(s.fd, d.vdev.id, s.ioas, IOMMU_HWPT_ALLOC_DIRTY_TRACKING, hwpt));
}

/* hw_info and HWPT_ALLOC are of one opinion, which is the unit's. */
static void dirty_told(void)
{
	uint32_t length = 0, type, hwpt;
	uint64_t caps;

	amdvi_pretend(0, 0);
	begin(0);
	OK(iofd_hw_info(s.fd, d.vdev.id, NULL, &length, &type, &caps));
	CHECK_EQ(type, IOMMU_HW_INFO_TYPE_AMD);
	CHECK(!(caps & IOMMU_HW_CAP_DIRTY_TRACKING));
	REFUSED(s.fd, IOMMU_HWPT_ALLOC,
		iofd_hwpt(s.fd, d.vdev.id, s.ioas, IOMMU_HWPT_ALLOC_DIRTY_TRACKING, &hwpt),
		-EOPNOTSUPP);
	amdvi_pretend(EFR_HA | EFR_HD, 0);
	OK(iofd_hw_info(s.fd, d.vdev.id, NULL, &length, &type, &caps));
	CHECK(caps & IOMMU_HW_CAP_DIRTY_TRACKING);
	OK(iofd_hwpt(s.fd, d.vdev.id, s.ioas, IOMMU_HWPT_ALLOC_DIRTY_TRACKING, &hwpt));
	amdvi_pretend(0, 0);
}

/* Random writes, through pages of all sizes, against a picture of them. */
static void dirty_random(void)
{
	uint8_t bits[PAGES / 8], want[PAGES / 8];
	char *mem = mem_thp(PAGES * PAGE), byte;
	unsigned int round, i, page;
	uint32_t hwpt;

	CHECK(mem);
	memset(mem, 1, PAGES * PAGE);
	dirty_begin(&hwpt);
	/* a page each on one half, as large as can be on the other */
	for (i = 0; i < PAGES / 2; i++)
		OK(space_map(&s, mem + i * PAGE, PAGE, IOVA + i * PAGE));
	OK(space_map(&s, mem + PAGES / 2 * PAGE, PAGES / 2 * PAGE,
		     IOVA + PAGES / 2 * PAGE));
	attach(&d, hwpt);
	CHECK_EQ(amdvi_dma_write(&r, NONE, IOVA, "x", 1), 0);
	OK(dirty_tracking(s.fd, hwpt, 1));
	srand(9);
	for (round = 0; round < 50; round++) {
		memset(want, 0, sizeof(want));
		for (i = rand() % 20; i; i--) {
			page = rand() % PAGES;
			if (rand() % 2) {
				CHECK_EQ(amdvi_dma_read(&r, NONE, IOVA + page * PAGE, &byte, 1), 0);
				continue;
			}
			CHECK_EQ(amdvi_dma_write(&r, NONE, IOVA + page * PAGE, "y", 1), 0);
			want[page / 8] |= 1 << page % 8;
		}
		memset(bits, 0, sizeof(bits));
		/* looking does not clear */
		OK(dirty_bitmap(s.fd, hwpt, IOVA, PAGES * PAGE, PAGE, bits, 1));
		memset(bits, 0, sizeof(bits));
		OK(dirty_bitmap(s.fd, hwpt, IOVA, PAGES * PAGE, PAGE, bits, 0));
		CHECK(!memcmp(bits, want, PAGES / 2 / 8));
		/* of a large page all of it is written */
		for (page = PAGES / 2; page < PAGES; page++)
			if (want[page / 8] >> page % 8 & 1)
				CHECK(bits[page / 8] >> page % 8 & 1);
	}
	memset(bits, 0, sizeof(bits));
	OK(dirty_bitmap(s.fd, hwpt, IOVA, PAGES * PAGE, PAGE, bits, 0));
	for (i = 0; i < sizeof(bits); i++)
		CHECK_EQ(bits[i], 0);
	OK(dirty_tracking(s.fd, hwpt, 0));
	OK(vdev_detach(&d.vdev));
	amdvi_pretend(0, 0);
}

static const struct tap_test tests[] = {
	{ "passed through, until it is claimed", through },
	{ "what is mapped is reached, and nothing else", reaches },
	{ "pages of every power of two", sizes },
	{ "random maps against a picture of them", random_maps, 60 },
	{ "behind a bridge to PCI, by every id", bridge },
	{ "one of two behind a bridge goes, and takes nothing along", sibling_goes },
	{ "an entry that is wrong is noticed", broken },
	{ "messages of devices lead to their own interrupts", messages },
	{ "dirty tracking, where the unit has it", dirty_told },
	{ "dirty tracking: random writes", dirty_random, 60 },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * PASIDs over page tables of the host, behind iommu_amdvi. No emulated unit has tables by
 * PASID, and no device makes requests with one: the driver is made to believe in them
 * (ko_amdvi), and the unit in software walks what it writes.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "amdvi_walk.h"
#include "devices.h"
#include "mem.h"
#include "vtd_ops.h"

#define PAGE	4096UL
#define IOVA	0x40000000UL
#define NONE	AMDVI_WALK_NO_PASID
#define RW	(AMDVI_WALK_READ | AMDVI_WALK_WRITE)
#define FAULT	AMDVI_WALK_PAGE_FAULT

/* GIoSup; GLX: so many tables over each other, less one; PASmax */
#define EFR_GIO		(1UL << 48)
#define EFR_GLX(n)	((n) * (1UL << 14))
#define EFR_PASIDS(b)	((uint64_t)((b) - 1) << 32)

static struct space s;
static struct testdev d;
static struct amdvi_requester r;

static void begin(unsigned int tables, unsigned int bits)
{
	space_open(&s);
	need_edu(&d, 0, s.fd);
	amdvi_pretend(0, 0);
	amdvi_requester(&r, d.vdev.bdf);
	amdvi_pretend_pasids(EFR_GIO | EFR_GLX(tables - 1) | EFR_PASIDS(bits), 0, 1U << bits);
}

/* What is attached goes before the unit is itself again. */
static void end(void)
{
	edu_fini(&d.edu);
	vdev_close(&d.vdev);
	close(s.fd);
	amdvi_pretend(0, 0);
}

/* A page table for PASIDs with one page of memory at IOVA. */
static uint32_t new_table(uint32_t *ioas, char **mem)
{
	uint32_t hwpt;

	*mem = mem_anon(PAGE);
	CHECK(*mem);
	OK(iofd_ioas(s.fd, ioas));
	OK(iofd_map_at(s.fd, *ioas, *mem, PAGE, IOVA));
	OK(iofd_hwpt(s.fd, d.vdev.id, *ioas, IOMMU_HWPT_ALLOC_PASID, &hwpt));
	return hwpt;
}

static int leads_to(uint32_t pasid, char *mem)
{
	static uint32_t seed = 100;
	char copy[PAGE];

	mem_fill(mem, PAGE, ++seed);
	if (amdvi_dma_read(&r, pasid, IOVA, copy, PAGE) || !mem_holds(copy, PAGE, seed))
		return 0;
	mem_fill(copy, PAGE, ++seed);
	return !amdvi_dma_write(&r, pasid, IOVA, copy, PAGE) && mem_holds(mem, PAGE, seed);
}

static unsigned int event_of(uint32_t pasid)
{
	return amdvi_translate(&r, pasid, IOVA, AMDVI_WALK_READ, NULL);
}

#define HWPT_REFUSED(flags) REFUSED(s.fd, IOMMU_HWPT_ALLOC, \
	iofd_hwpt(s.fd, d.vdev.id, s.ioas, flags, &hwpt), -EOPNOTSUPP)
#define PASID_REFUSED(pasid, pt) REFUSED(d.vdev.fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, \
	pasid_attach(&d.vdev, pasid, pt), -EINVAL)

static void refused(void)
{
	uint32_t hwpt, host, ioas, none = 0;
	char *mem;

	/* the unit as it is */
	space_open(&s);
	need_edu(&d, 0, s.fd);
	amdvi_pretend(0, 0);
	amdvi_requester(&r, d.vdev.bdf);
	HWPT_REFUSED(IOMMU_HWPT_ALLOC_PASID);
	CHECK(strstr(iommufd_last_reason(s.fd), "has no PASIDs"));
	end();

	begin(1, 9);
	HWPT_REFUSED(IOMMU_HWPT_ALLOC_PASID | IOMMU_HWPT_ALLOC_NEST_PARENT);
	hwpt = new_table(&ioas, &mem);
	OK(iofd_hwpt(s.fd, d.vdev.id, s.ioas, 0, &host));
	PASID_REFUSED(512, hwpt);
	/* a table of the host for PASIDs, and beside them */
	PASID_REFUSED(5, host);
	attach(&d, host);
	PASID_REFUSED(5, hwpt);
	OK(vdev_detach(&d.vdev));
	OK(pasid_attach(&d.vdev, 5, hwpt));
	none = host;
	REFUSED(d.vdev.fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, vdev_attach(&d.vdev, &none), -EINVAL);
	CHECK(leads_to(5, mem));
	OK(pasid_detach(&d.vdev, 5));
	/* and when they are gone it is as it was */
	attach(&d, host);
	CHECK_EQ(event_of(5), AMDVI_WALK_REQUEST);
	end();
}

static void lives(void)
{
	uint32_t a, b, ioas;
	char *mem_a, *mem_b;
	struct amdvi_walk w;

	begin(1, 9);
	a = new_table(&ioas, &mem_a);
	b = new_table(&ioas, &mem_b);
	CHECK_EQ(event_of(5), AMDVI_WALK_REQUEST);
	OK(pasid_attach(&d.vdev, 5, a));
	CHECK(leads_to(5, mem_a));
	CHECK_EQ(event_of(6), FAULT);
	CHECK_EQ(event_of(0), FAULT);
	/* the device itself reaches nothing */
	CHECK_EQ(event_of(NONE), FAULT);
	CHECK_EQ(amdvi_translate(&r, 5, IOVA, RW, &w), 0);
	CHECK(w.attributes & AMDVI_WALK_COHERENT);
	CHECK_EQ(w.page_lg2, 12);
	/* nor beyond the table, whose addresses have a sign */
	CHECK_EQ(amdvi_translate(&r, 5, 1UL << 47, AMDVI_WALK_READ, NULL), FAULT);
	CHECK_EQ(amdvi_translate(&r, 5, IOVA, AMDVI_WALK_EXEC, NULL), FAULT);
	OK(pasid_attach(&d.vdev, 511, b));
	CHECK(leads_to(5, mem_a));
	CHECK(leads_to(511, mem_b));
	/* attaching again moves */
	OK(pasid_attach(&d.vdev, 5, b));
	CHECK(leads_to(5, mem_b));
	OK(pasid_attach(&d.vdev, 511, a));
	CHECK(leads_to(511, mem_a));
	OK(pasid_detach(&d.vdev, 5));
	CHECK_EQ(event_of(5), FAULT);
	CHECK(leads_to(511, mem_a));
	OK(pasid_detach(&d.vdev, 511));
	CHECK_EQ(event_of(511), AMDVI_WALK_REQUEST);
	CHECK_EQ(event_of(NONE), FAULT);
	end();
}

/* The device itself, on a table of this kind, on one of the host, and on none. */
static void beside(void)
{
	uint32_t a, b, host, ioas;
	char *mem_a, *mem_b, *mem;

	begin(2, 16);
	mem = mem_anon(PAGE);
	a = new_table(&ioas, &mem_a);
	b = new_table(&ioas, &mem_b);
	OK(space_map(&s, mem, PAGE, IOVA));
	OK(iofd_hwpt(s.fd, d.vdev.id, s.ioas, 0, &host));
	attach(&d, a);
	CHECK(leads_to(NONE, mem_a));
	CHECK(leads_to(0, mem_a));
	CHECK_EQ(event_of(1), FAULT);
	attach(&d, b);
	CHECK(leads_to(NONE, mem_b));
	attach(&d, host);
	CHECK(leads_to(NONE, mem));
	CHECK_EQ(event_of(0), AMDVI_WALK_REQUEST);
	attach(&d, a);
	CHECK(leads_to(NONE, mem_a));
	OK(pasid_attach(&d.vdev, 1000, b));
	CHECK(leads_to(NONE, mem_a));
	CHECK(leads_to(1000, mem_b));
	OK(vdev_detach(&d.vdev));
	CHECK_EQ(event_of(NONE), FAULT);
	CHECK(leads_to(1000, mem_b));
	attach(&d, b);
	CHECK(leads_to(NONE, mem_b));
	OK(pasid_detach(&d.vdev, 1000));
	CHECK_EQ(event_of(1000), FAULT);
	CHECK(leads_to(NONE, mem_b));
	OK(vdev_detach(&d.vdev));
	CHECK_EQ(event_of(NONE), FAULT);
	end();
}

static void wide(void)
{
	static const uint32_t pasids[] = {
		1, 510, 511, 512, 1023, 262143, 262144, 500000, 1048575,
	};
	const unsigned int nr = sizeof(pasids) / sizeof(*pasids);
	uint32_t table[2], ioas, i;
	char *mem[2];

	begin(3, 20);
	table[0] = new_table(&ioas, &mem[0]);
	table[1] = new_table(&ioas, &mem[1]);
	for (i = 0; i < nr; i++) {
		OK(pasid_attach(&d.vdev, pasids[i], table[i % 2]));
		CHECK(leads_to(pasids[i], mem[i % 2]));
		/* nothing was lost when there were more tables */
		CHECK(leads_to(pasids[0], mem[0]));
		CHECK_EQ(event_of(NONE), FAULT);
	}
	for (i = 0; i < nr; i++)
		CHECK(leads_to(pasids[i], mem[i % 2]));
	CHECK_EQ(event_of(1048574), FAULT);
	attach(&d, table[0]);
	CHECK(leads_to(NONE, mem[0]));
	for (i = nr; i-- > 1;) {
		OK(pasid_detach(&d.vdev, pasids[i]));
		CHECK_EQ(event_of(pasids[i]), FAULT);
		CHECK(leads_to(pasids[0], mem[0]));
	}
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

/* 2.4.3, of a PASID: GN; everything, with tables */
#define PAGES_OF(domain, pasid) (3UL << 60 | (uint64_t)(domain) << 32 | (pasid))
#define GN	4UL
#define ALL	0x7ffffffffffff007UL

static unsigned int domain_of(uint32_t pasid)
{
	struct amdvi_walk w;

	amdvi_translate(&r, pasid, IOVA, AMDVI_WALK_READ | AMDVI_WALK_KEEP, &w);
	return w.domain;
}

static void invalidations(void)
{
	uint32_t a, b, ioas, other;
	unsigned int id, i;
	char *mem, *mem_b;

	begin(1, 9);
	a = new_table(&ioas, &mem);
	b = new_table(&other, &mem_b);
	OK(pasid_attach(&d.vdev, 5, a));
	OK(pasid_attach(&d.vdev, 6, a));
	OK(pasid_attach(&d.vdev, 7, b));
	id = domain_of(5);
	CHECK(id);
	CHECK_EQ(domain_of(7), id);
	/* a page: of the PASIDs that lead to it, and of no other */
	OK(iofd_map_at(s.fd, ioas, mem_b, PAGE, IOVA + 5 * PAGE));
	OK(iofd_unmap(s.fd, ioas, IOVA + 5 * PAGE, PAGE, NULL));
	for (i = 5; i < 8; i++)
		CHECK_EQ(told(PAGES_OF(id, i), (IOVA + 5 * PAGE) | GN), i < 7);
	/* moved, and detached */
	CHECK(!told(PAGES_OF(id, 100), ALL));
	OK(pasid_attach(&d.vdev, 100, a));
	OK(pasid_attach(&d.vdev, 101, a));
	OK(pasid_attach(&d.vdev, 100, b));
	CHECK(told(PAGES_OF(id, 100), ALL));
	CHECK(told(2UL << 60 | r.id, 0));
	OK(pasid_attach(&d.vdev, 102, a));
	OK(pasid_detach(&d.vdev, 102));
	CHECK(told(PAGES_OF(id, 102), ALL));
	/* and without a PASID */
	attach(&d, a);
	OK(iofd_map_at(s.fd, ioas, mem_b, PAGE, IOVA + 6 * PAGE));
	OK(iofd_unmap(s.fd, ioas, IOVA + 6 * PAGE, PAGE, NULL));
	CHECK(told(PAGES_OF(id, 0), (IOVA + 6 * PAGE) | GN));
	OK(vdev_detach(&d.vdev));
	CHECK(told(PAGES_OF(id, 0), ALL));
	end();
}

/* A process ends with PASIDs attached. */
static void left_behind(void)
{
	uint32_t hwpt, ioas, i;
	int status;
	pid_t pid;
	char *mem;

	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		begin(3, 20);
		hwpt = new_table(&ioas, &mem);
		attach(&d, hwpt);
		for (i = 1; i < 1 << 20; i *= 4)
			OK(pasid_attach(&d.vdev, i, hwpt));
		_exit(leads_to(1, mem) && leads_to(1 << 18, mem) ? 0 : 1);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 4)
		tap_skip("nothing here is behind iommu_amdvi");
	CHECK_EQ(status, 0);
	begin(3, 20);
	for (i = 1; i < 1 << 20; i *= 4)
		CHECK_EQ(event_of(i), AMDVI_WALK_REQUEST);
	CHECK_EQ(event_of(NONE), FAULT);
	end();
}

/*
 * Random tables, PASIDs and memory against a picture of them: which PASID leads to which
 * table, and which page of a table to which page of memory. 0 is the device itself.
 */
#define TABLES	4U
#define NR	7U
#define PAGES	64U
#define STEPS	600

static const uint32_t numbers[NR] = { NONE, 1, 3, 511, 512, 70000, 300000 };

static struct {
	uint32_t ioas, hwpt;
	char *page[PAGES];
	bool writable[PAGES];
} tables[TABLES];

static int leads[NR];	/* to which table, -1: none */

static void change_map(char *mem)
{
	unsigned int t = rand() % TABLES, at = rand() % PAGES, i;
	unsigned int nr = 1 + rand() % (PAGES - at), from = rand() % (PAGES - nr + 1);
	bool rw = rand() % 4;
	uint64_t iova = IOVA + at * PAGE;

	for (i = at; i < at + nr && !tables[t].page[i]; i++)
		;
	if (i < at + nr) {
		/* something is there: all of the table goes */
		OK(iofd_unmap(s.fd, tables[t].ioas, 0, UINT64_MAX, NULL));
		memset(tables[t].page, 0, sizeof(tables[t].page));
		return;
	}
	OK(iofd_map(s.fd, tables[t].ioas, mem + from * PAGE, nr * PAGE, &iova,
		    rw ? IOFD_FIXED_RW : IOFD_FIXED_R));
	for (i = 0; i < nr; i++) {
		tables[t].page[at + i] = mem + (from + i) * PAGE;
		tables[t].writable[at + i] = rw;
	}
}

static void change_lead(void)
{
	unsigned int n = rand() % NR;
	int t = rand() % 4 ? rand() % (int)TABLES : -1;

	if (t >= 0 && n)
		OK(pasid_attach(&d.vdev, numbers[n], tables[t].hwpt));
	else if (t >= 0)
		attach(&d, tables[t].hwpt);
	else if (leads[n] >= 0 && n)
		OK(pasid_detach(&d.vdev, numbers[n]));
	else if (leads[n] >= 0)
		OK(vdev_detach(&d.vdev));
	leads[n] = t;
}

/* Nothing of a table by PASID is there while nothing is attached to one. */
static unsigned int event_without(unsigned int n)
{
	unsigned int i;

	for (i = 0; i < NR; i++)
		if (leads[i] >= 0)
			return FAULT;
	return n ? AMDVI_WALK_REQUEST : FAULT;
}

static void check(unsigned int n, unsigned int page)
{
	uint64_t iova = IOVA + page * PAGE + rand() % PAGE;
	int t = leads[n];
	unsigned int event;
	char want = rand(), have;
	char *at;

	if (t < 0 || !tables[t].page[page]) {
		event = amdvi_translate(&r, numbers[n], iova, AMDVI_WALK_READ, NULL);
		CHECK_EQ(event, t < 0 ? event_without(n) : FAULT);
		return;
	}
	at = tables[t].page[page] + iova % PAGE;
	*at = want;
	CHECK_EQ(amdvi_dma_read(&r, numbers[n], iova, &have, 1), 0);
	CHECK_EQ(have, want);
	want++;
	event = amdvi_dma_write(&r, numbers[n], iova, &want, 1);
	CHECK_EQ(event, tables[t].writable[page] ? 0 : FAULT);
	CHECK_EQ(*at, (char)(tables[t].writable[page] ? want : want - 1));
}

static void random_ones(void)
{
	unsigned int i, j;
	char *mem;

	begin(3, 20);
	mem = mem_anon(PAGES * PAGE);
	srand(8);
	for (i = 0; i < TABLES; i++) {
		OK(iofd_ioas(s.fd, &tables[i].ioas));
		OK(iofd_hwpt(s.fd, d.vdev.id, tables[i].ioas, IOMMU_HWPT_ALLOC_PASID,
			     &tables[i].hwpt));
	}
	for (i = 0; i < NR; i++)
		leads[i] = -1;
	for (i = 0; i < STEPS; i++) {
		if (rand() % 2)
			change_map(mem);
		else
			change_lead();
		for (j = 0; j < NR; j++)
			check(j, rand() % PAGES);
	}
	end();
}

static void back(void)
{
	amdvi_pretend(0, 0);
}

static const struct tap_test tests[] = {
	{ "what there is not is refused", refused },
	{ "a PASID is attached, moved and detached", lives },
	{ "the device itself beside its PASIDs", beside },
	{ "PASIDs up to 20 bits, in one table, two, three", wide, 60 },
	{ "what the unit is told to forget", invalidations },
	{ "nothing is left when a process ends", left_behind },
	{ "random tables, PASIDs and memory", random_ones, 120 },
	{ "the unit is itself again", back },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The tables that iommu_vtd writes, read by a unit in software that was made after
 * the specification alone: what a device is let through to, what is refused and for
 * which reason; and that this unit sees when an entry is wrong.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "devices.h"
#include "kmsg.h"
#include "mem.h"
#include "vtd_walk.h"

#define PAGE	4096UL
#define NONE	VTD_WALK_NO_PASID
#define IOVA	0x40000000UL

static struct space s;
static struct testdev d;
static struct vtd_requester r;

static void begin(int nth)
{
	space_open(&s);
	need_edu(&d, nth, s.fd);
	vtd_requester(&r, d.vdev.bdf);
}

/* Fault of a walk that is to go wrong; what it says where another one is wanted. */
static void refused(uint64_t iova, uint32_t flags, unsigned int want)
{
	struct vtd_walk w;

	if (vtd_translate(&r, NONE, iova, flags, &w) == want)
		return;
	vtd_walk_note(&w);
	CHECK_EQ(w.fault, want);
}

static void allowed(uint64_t iova, uint32_t flags, struct vtd_walk *w)
{
	if (!vtd_translate(&r, NONE, iova, flags, w))
		return;
	vtd_walk_note(w);
	CHECK_EQ(w->fault, 0);
}

static void through(void)
{
	struct vtd_walk w;
	pci_bdf bdf;

	if (!pci_find(PCI_EDU, 0, bdf))
		tap_skip("this machine has no edu device");
	OK(pci_bind(bdf, ""));
	vtd_requester(&r, bdf);
	allowed(0x123456, VTD_WALK_WRITE, &w);
	CHECK(w.attributes & VTD_WALK_THROUGH);
	CHECK_EQ(w.phys, 0x123456);

	/* claimed, it reaches nothing until it is attached */
	begin(0);
	refused(0x123456, VTD_WALK_READ, vtd_fault_unattached(&r));
}

/* 16 pages that are mapped at an address, both ways */
static void moves(char *mem, uint64_t iova)
{
	char *copy = mem_anon(16 * PAGE);

	mem_fill(mem, 16 * PAGE, 7);
	CHECK_EQ(vtd_dma_read(&r, NONE, iova, copy, 16 * PAGE), 0);
	CHECK(mem_holds(copy, 16 * PAGE, 7));
	mem_fill(copy, 16 * PAGE, 8);
	CHECK_EQ(vtd_dma_write(&r, NONE, iova + 100, copy, 15 * PAGE), 0);
	CHECK(!memcmp(mem + 100, copy, 15 * PAGE));
}

static void reaches(void)
{
	char *mem = mem_anon(16 * PAGE);
	uint64_t ro = IOVA + 32 * PAGE;
	struct vtd_walk w;

	begin(0);
	attach(&d, s.ioas);
	OK(space_map(&s, mem, 16 * PAGE, IOVA));
	OK(iofd_map(s.fd, s.ioas, mem, 2 * PAGE, &ro, IOFD_FIXED_R));

	moves(mem, IOVA);

	allowed(IOVA + 5, VTD_WALK_READ | VTD_WALK_WRITE, &w);
	CHECK_EQ(w.page_lg2, 12);
	CHECK_EQ(w.phys & (PAGE - 1), 5);
	allowed(ro, VTD_WALK_READ, &w);
	CHECK(!(w.attributes & VTD_WALK_CAN_WRITE));
	refused(ro, VTD_WALK_WRITE, vtd_fault_readonly(&r));
	CHECK_EQ(vtd_dma_write(&r, NONE, ro, "12345678", 8), vtd_fault_readonly(&r));

	refused(IOVA - 1, VTD_WALK_READ, vtd_fault_unmapped(&r, VTD_WALK_READ));
	refused(IOVA + 16 * PAGE, VTD_WALK_WRITE, vtd_fault_unmapped(&r, VTD_WALK_WRITE));
	OK(space_unmap(&s, ro, 2 * PAGE));
	refused(ro, VTD_WALK_READ, vtd_fault_unmapped(&r, VTD_WALK_READ));
	OK(vdev_detach(&d.vdev));
	refused(IOVA, VTD_WALK_READ, vtd_fault_unattached(&r));
	attach(&d, s.ioas);
	allowed(IOVA, VTD_WALK_WRITE, &w);
}

static void set(const char *path)
{
	int fd = OK(open(path, O_WRONLY | O_CLOEXEC));

	CHECK_EQ(write(fd, "1", 1), 1);
	close(fd);
}

/*
 * Behind a bridge requests come under the bridge's id as well. One of two devices there
 * goes, and comes back: the other's requests do not pass the table by.
 */
static void sibling_goes(void)
{
	struct vtd_requester own, alias;
	char path[128];
	struct vtd_walk w;
	pci_bdf x, y;

	space_open(&s);
	need_edu_pair(x, y);
	OK(pci_bind(y, "vfio-pci"));
	open_edu(&d, x, s.fd);
	vtd_requester(&r, x);
	attach(&d, s.ioas);
	OK(space_map(&s, mem_anon(PAGE), PAGE, IOVA));
	own = r;
	alias = r;
	alias.sid = r.sid & 0xff00;
	CHECK(alias.sid != r.sid);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/remove", y);
	set(path);
	CHECK(access(path, F_OK));
	r = alias;
	allowed(IOVA, VTD_WALK_READ, &w);
	CHECK(!(w.attributes & VTD_WALK_THROUGH));
	refused(IOVA + PAGE, VTD_WALK_READ, vtd_fault_unmapped(&r, VTD_WALK_READ));
	r = own;
	refused(IOVA + PAGE, VTD_WALK_READ, vtd_fault_unmapped(&r, VTD_WALK_READ));
	OK(vdev_detach(&d.vdev));
	r = alias;
	refused(IOVA, VTD_WALK_READ, vtd_fault_unattached(&r));
	set("/sys/bus/pci/rescan");
	CHECK(!access(path, F_OK));
	refused(IOVA, VTD_WALK_READ, vtd_fault_unattached(&r));
	edu_fini(&d.edu);
	vdev_close(&d.vdev);
}

static void large(void)
{
	struct vtd_walk w;
	char byte, *mem;

	if (mem_want_hugetlb(2) < 2)
		tap_skip("no memory for 2 huge pages");
	mem = mem_hugetlb(4 * MIB);
	CHECK(mem);
	begin(0);
	attach(&d, s.ioas);
	OK(space_map(&s, mem, 4 * MIB, IOVA));
	allowed(IOVA + 0x123456, VTD_WALK_WRITE, &w);
	CHECK_EQ(w.page_lg2, 21);
	CHECK_EQ(w.level, 2);
	mem[3 * MIB + 17] = 99;
	CHECK_EQ(vtd_dma_read(&r, NONE, IOVA + 3 * MIB + 17, &byte, 1), 0);
	CHECK_EQ(byte, 99);
}

static void interrupts(void)
{
	struct vtd_walk w;

	begin(0);
	attach(&d, s.ioas);
	allowed(MSI_FIRST + 0x10, VTD_WALK_WRITE, &w);
	CHECK(w.attributes & VTD_WALK_THROUGH);
	CHECK(vtd_translate(&r, NONE, MSI_FIRST, VTD_WALK_READ, NULL) != 0);
}

static void beyond_width(void)
{
	unsigned int width;

	begin(0);
	attach(&d, s.ioas);
	width = (r.cap >> 16 & 63) + 1;
	if (vtd_is_first_stage(&r))
		refused(1ULL << 47, VTD_WALK_READ, VTD_FAULT_NOT_CANONICAL);
	else if (vtd_is_scalable(&r))
		refused(1ULL << width, VTD_WALK_READ, VTD_FAULT_SS_ADDRESS);
	else
		refused(1ULL << width, VTD_WALK_READ, VTD_FAULT_LEGACY_ADDRESS);
}

static void pasids_refused(void)
{
	begin(0);
	attach(&d, s.ioas);
	CHECK_EQ(vtd_translate(&r, 1, 0, VTD_WALK_READ, NULL),
		 vtd_is_scalable(&r) ? VTD_FAULT_PASID_DISABLED : 0x31);
}

/* The reason that the unit itself gives, by the driver's word of it. */
static unsigned int reported(uint64_t iova, bool write)
{
	int log = OK(kmsg_open());
	char line[512], *at;

	OK(write ? edu_write(&d.edu, iova, 0, 8) : edu_read(&d.edu, iova, 0, 8));
	if (!kmsg_wait_fault(log, d.vdev.bdf, iova, write, line, sizeof(line), 5000))
		tap_fail(__FILE__, __LINE__, "no fault at %llx is reported",
			 (unsigned long long)iova);
	close(log);
	at = strstr(line, "reason 0x");
	CHECK(at);
	return strtoul(at + 7, NULL, 16);
}

/* QEMU's unit knows the second stage by the reasons of legacy mode alone. */
static unsigned int as_qemu_says(unsigned int fault, bool write)
{
	if (vtd_is_scalable(&r) && !vtd_is_first_stage(&r))
		return write ? VTD_FAULT_LEGACY_WRITE : VTD_FAULT_LEGACY_READ;
	return fault;
}

static void same_reasons(void)
{
	/* beside what is mapped, far away, read-only */
	static const struct { uint64_t iova; bool write; } requests[] = {
		{ 0x102000, false }, { 0x8000000, true }, { 0x100000, true },
	};
	char *mem = mem_anon(PAGE);
	unsigned int i, fault;
	uint64_t ro = 0x100000;

	begin(0);
	attach(&d, s.ioas);
	OK(iofd_map(s.fd, s.ioas, mem, PAGE, &ro, IOFD_FIXED_R));
	for (i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
		fault = vtd_translate(&r, NONE, requests[i].iova,
				      requests[i].write ? VTD_WALK_WRITE : VTD_WALK_READ,
				      NULL);
		CHECK(fault);
		CHECK_EQ(reported(requests[i].iova, requests[i].write),
			 as_qemu_says(fault, requests[i].write));
	}
}

/* What is wrong with an entry, and what is to be said of it. */
struct damage {
	uint32_t kind;
	uint64_t set;
	uint64_t clear;
	unsigned int legacy;
	unsigned int scalable;
};

static const struct damage damages[] = {
	{ VTD_WALK_ROOT, 0, 1, 0x01, 0x39 },
	{ VTD_WALK_ROOT, 1 << 5, 0, 0x0a, 0x3a },
	{ VTD_WALK_ROOT, 1ULL << 62, 0, 0x0a, 0x3a },
	{ VTD_WALK_CONTEXT, 0, 1, 0x02, 0x41 },
	{ VTD_WALK_CONTEXT, 1 << 6, 0, 0x0b, 0x42 },
	{ VTD_WALK_CONTEXT, 1ULL << 60, 0, 0x0b, 0x42 },
	{ VTD_WALK_DIRECTORY, 0, 1, 0, 0x51 },
	{ VTD_WALK_DIRECTORY, 1 << 4, 0, 0, 0x52 },
	{ VTD_WALK_PASID_TABLE, 0, 1, 0, 0x59 },
	{ VTD_WALK_PASID_TABLE, 1 << 10, 0, 0, 0x5a },
	{ VTD_WALK_PASID_TABLE, 7 << 6, 0, 0, 0x5b },
	{ VTD_WALK_FIRST, 0, 1, 0, 0x71 },
	{ VTD_WALK_FIRST, 1ULL << 51, 0, 0, 0x72 },
	{ VTD_WALK_FIRST, 0, 1 << 2, 0, 0x81 },
	{ VTD_WALK_FIRST, 0, 1 << 1, 0, 0x85 },
	{ VTD_WALK_SECOND, 0, 3, 0x05, 0x79 },
	{ VTD_WALK_SECOND, 1ULL << 51, 0, 0x0c, 0x7a },
	{ VTD_WALK_SECOND, 0, 1 << 1, 0x05, 0x85 },
};

#define NR_DAMAGES (sizeof(damages) / sizeof(*damages))

static void do_damage(uint64_t iova, const struct vtd_walk_step *step,
		      const struct damage *damage)
{
	uint64_t old = vtd_peek(&r, step->phys);
	struct vtd_walk w;
	unsigned int fault;

	vtd_poke(&r, step->phys, (old | damage->set) & ~damage->clear);
	fault = vtd_translate(&r, NONE, iova, VTD_WALK_WRITE, &w);
	vtd_poke(&r, step->phys, old);
	if (fault == (vtd_is_scalable(&r) ? damage->scalable : damage->legacy) &&
	    (w.kind == step->kind || damage->clear == 1 << 1 || damage->clear == 1 << 2))
		return;
	tap_note("entry at %llx: %llx with %llx and without %llx",
		 (unsigned long long)step->phys, (unsigned long long)old,
		 (unsigned long long)damage->set, (unsigned long long)damage->clear);
	vtd_walk_note(&w);
	tap_fail(__FILE__, __LINE__, "not noticed, or for another reason");
}

/* What is read for an address that can be written, each entry in turn. */
static void break_all(uint64_t iova)
{
	struct vtd_walk good, w;
	unsigned int i, j, done = 0;

	allowed(iova, VTD_WALK_WRITE, &good);
	for (i = 0; i < good.nr_steps; i++) {
		for (j = 0; j < NR_DAMAGES; j++) {
			if (damages[j].kind != good.steps[i].kind)
				continue;
			do_damage(iova, &good.steps[i], &damages[j]);
			done++;
		}
	}
	CHECK(done >= 2 * good.nr_steps);
	allowed(iova, VTD_WALK_WRITE, &w);
	CHECK_EQ(w.phys, good.phys);
}

/* The edu has a bus for itself, so that nobody else needs the root entry. */
static void broken(void)
{
	begin(2);
	attach(&d, s.ioas);
	OK(space_map(&s, mem_anon(PAGE), PAGE, IOVA));
	break_all(IOVA);
}

/* An address that the fifth level tells from IOVA */
#define FAR (1UL << 56 | IOVA)

/*
 * No emulated unit has five levels. For the device itself nothing works meanwhile, so
 * that it leaves the table only when the unit is itself again.
 */
static void five_levels(void)
{
	char *mem = mem_anon(16 * PAGE);
	unsigned int i, levels = 0;
	struct vtd_walk w;

	begin(2);
	if (vtd_is_first_stage(&r))
		tap_skip("first-stage tables of this driver have four levels");
	vtd_pretend_wide(0);
	attach(&d, s.ioas);
	OK(space_map(&s, mem, 16 * PAGE, FAR));
	moves(mem, FAR);

	allowed(FAR, VTD_WALK_WRITE, &w);
	for (i = 0; i < w.nr_steps; i++)
		if (w.steps[i].kind == VTD_WALK_SECOND)
			CHECK_EQ(w.steps[i].level, 5 - levels++);
	CHECK_EQ(levels, 5);
	refused(IOVA, VTD_WALK_READ, vtd_fault_unmapped(&r, VTD_WALK_READ));
	refused(FAR ^ 1UL << 55, VTD_WALK_READ, vtd_fault_unmapped(&r, VTD_WALK_READ));
	refused(FAR + 16 * PAGE, VTD_WALK_WRITE, vtd_fault_unmapped(&r, VTD_WALK_WRITE));
	refused(FAR | 1UL << 57, VTD_WALK_READ,
		vtd_is_scalable(&r) ? VTD_FAULT_SS_ADDRESS : VTD_FAULT_LEGACY_ADDRESS);
	/* both at once: what they share is the top */
	OK(space_map(&s, mem, PAGE, IOVA));
	allowed(IOVA, VTD_WALK_READ, &w);
	break_all(FAR);
	OK(space_unmap(&s, FAR, 16 * PAGE));
	refused(FAR, VTD_WALK_READ, vtd_fault_unmapped(&r, VTD_WALK_READ));
	allowed(IOVA, VTD_WALK_READ, &w);
	vtd_pretend(0);
	OK(vdev_detach(&d.vdev));
}

static const struct tap_test tests[] = {
	{ "a device is passed through, and blocked when it is claimed", through },
	{ "it reaches what is mapped as it is mapped, and nothing else", reaches },
	{ "one of two behind a bridge goes, and takes nothing along", sibling_goes },
	{ "large pages are large", large },
	{ "what is written to the window of interrupts is not translated", interrupts },
	{ "addresses beyond what the table translates are refused", beyond_width },
	{ "requests with a PASID are refused where none is attached", pasids_refused },
	{ "the unit of QEMU refuses for the same reasons", same_reasons },
	{ "an entry that is wrong is noticed, on each level", broken },
	{ "the same of five levels, and what they reach", five_levels },
};

int main(int argc, char **argv)
{
	int rc = TAP_RUN(argc, argv, tests);

	vtd_pretend(0);
	return rc;
}

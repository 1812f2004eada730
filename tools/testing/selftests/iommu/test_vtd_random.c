// SPDX-License-Identifier: GPL-2.0
/*
 * Random configurations of iommu_vtd against a plain model: what is mapped in each
 * page table, which device and which PASID leads to which table, what was written.
 * After each step the software walker says whether the tables in memory are that.
 *
 *	VTD_SEED=N VTD_STEPS=N iommu-vtd_random another	repeats one that is printed
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "devices.h"
#include "mem.h"
#include "vtd_ops.h"
#include "vtd_walk.h"

#define PAGE		4096UL
#define NONE		VTD_WALK_NO_PASID
#define DEVICES		2
#define TABLES		4
#define MAPPINGS	24
#define PASIDS		5
#define REGION		(8 * MIB)
#define REGIONS		3
#define MAX_PAGES	(4 * MIB / PAGE)

/* A range of a table: memory of ours from iova on. */
struct mapping {
	uint64_t iova;
	uint64_t length;	/* 0: none */
	char *va;
	bool writable;
	bool huge;		/* hugetlb memory */
	uint8_t dirty[MAX_PAGES];
};

struct table {
	uint32_t ioas;
	uint32_t hwpt;		/* 0: there is none */
	bool tracks;
	bool tracking;
	struct mapping maps[MAPPINGS];
};

struct pasid {
	uint32_t pasid;		/* 0: none */
	struct table *table;
};

struct device {
	struct testdev d;
	struct vtd_requester r;
	struct table *table;	/* NULL: detached */
	struct pasid pasids[PASIDS];
};

static int fd;
static struct device devices[DEVICES];
static struct table tables[TABLES];
static char *regions[REGIONS];
static bool has_pasids, has_dirty, first_stage;
static uint64_t state;
/* capabilities that the driver only believes in: devices are refused then */
static bool pretended;
/* of the addresses that are used */
static unsigned int width;
/* how much a run has really done */
static unsigned long nr_bytes, nr_refused, nr_large, nr_dirty, nr_written, nr_dma;

/* xorshift: the same everywhere for a seed */
static uint64_t rnd(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}

static struct device *any_device(void)
{
	return &devices[rnd(DEVICES)];
}

static struct table *any_table(void)
{
	return &tables[rnd(TABLES)];
}

/* one that is there, or NULL */
static struct mapping *any_mapping(struct table *t)
{
	struct mapping *m = &t->maps[rnd(MAPPINGS)];

	return m->length ? m : NULL;
}

static struct mapping *mapped_at(struct table *t, uint64_t iova)
{
	unsigned int i;

	for (i = 0; i < MAPPINGS; i++)
		if (iova - t->maps[i].iova < t->maps[i].length)
			return &t->maps[i];
	return NULL;
}

static bool is_free(struct table *t, uint64_t iova, uint64_t length)
{
	uint64_t last = iova + length - 1;
	unsigned int i;

	if (iova <= MSI_LAST && last >= MSI_FIRST)
		return false;
	for (i = 0; i < MAPPINGS; i++)
		if (t->maps[i].length && iova < t->maps[i].iova + t->maps[i].length &&
		    t->maps[i].iova <= last)
			return false;
	return true;
}

/* Does hardware keep a trace of it? It is kept for each leaf, whose size w says. */
static void touch(struct table *t, uint64_t iova, bool write, const struct vtd_walk *w,
		  const struct device *dev)
{
	struct mapping *m = mapped_at(t, iova);
	bool reads_count = first_stage && !(dev->r.ecap >> 48 & 1);
	uint64_t leaf = iova >> w->page_lg2 << w->page_lg2, i;

	if (!m->writable || (!write && !reads_count))
		return;
	for (i = leaf; i < leaf + (1ULL << w->page_lg2); i += PAGE)
		if (i - m->iova < m->length)
			m->dirty[(i - m->iova) / PAGE] = 1;
}

/* What the walker says where the model says otherwise. */
static void wrong(const struct vtd_walk *w, const char *what)
{
	vtd_walk_note(w);
	tap_fail(__FILE__, __LINE__, "%s", what);
}

static void check_refused(const struct device *dev, uint32_t pasid, uint64_t iova,
			  uint32_t flags, unsigned int want)
{
	struct vtd_walk w;

	nr_refused++;
	if (vtd_translate(&dev->r, pasid, iova, flags | VTD_WALK_KEEP, &w) == want)
		return;
	tap_note("want fault %#x", want);
	wrong(&w, "not refused as it should be");
}

static void check_gap(const struct device *dev, uint32_t pasid, struct table *t,
		      uint64_t iova)
{
	uint32_t flags = rnd(2) ? VTD_WALK_READ : VTD_WALK_WRITE;

	if (!is_free(t, iova & ~(PAGE - 1), PAGE) || iova >> width)
		return;
	check_refused(dev, pasid, iova, flags, vtd_fault_unmapped(&dev->r, flags));
}

/* One byte of a mapping, chosen by offset. */
static void check_byte(const struct device *dev, uint32_t pasid, struct table *t,
		       struct mapping *m, uint64_t offset)
{
	uint32_t flags = VTD_WALK_READ | (m->writable ? VTD_WALK_WRITE : 0);
	uint64_t iova = m->iova + offset, inside = (uintptr_t)m->va + offset;
	struct vtd_walk w;
	char byte;

	if (vtd_translate(&dev->r, pasid, iova, flags | VTD_WALK_KEEP, &w))
		wrong(&w, "refused");
	if (!(w.attributes & VTD_WALK_CAN_WRITE) == m->writable)
		wrong(&w, "writable or not, the other way round");
	/* a whole huge page of memory at an address that fits */
	if (m->huge && !((iova ^ inside) & (2 * MIB - 1)) &&
	    offset >= (inside & (2 * MIB - 1)) &&
	    m->length - offset >= 2 * MIB - (inside & (2 * MIB - 1)) && w.page_lg2 < 21)
		wrong(&w, "a huge page in small pieces");
	if ((w.phys ^ inside) & (PAGE - 1))
		wrong(&w, "another byte of the page");
	if (vtd_dma_read(&dev->r, pasid, iova, &byte, 1) || byte != m->va[offset])
		wrong(&w, "another byte");
	touch(t, iova, false, &w, dev);
	nr_bytes++;
	nr_large += w.page_lg2 > 12;
	if (!m->writable)
		check_refused(dev, pasid, iova, VTD_WALK_WRITE, vtd_fault_readonly(&dev->r));
}

static void check_mapping(const struct device *dev, uint32_t pasid, struct table *t,
			  struct mapping *m)
{
	unsigned int i;

	check_byte(dev, pasid, t, m, 0);
	check_byte(dev, pasid, t, m, m->length - 1);
	for (i = 0; i < 3; i++)
		check_byte(dev, pasid, t, m, rnd(m->length));
	if (m->iova)
		check_gap(dev, pasid, t, m->iova - 1);
	check_gap(dev, pasid, t, m->iova + m->length);
}

/* few: not all of it, for after each step */
static void check_table(const struct device *dev, uint32_t pasid, struct table *t, bool few)
{
	struct mapping *m;
	unsigned int i;

	for (i = 0; i < (few ? 3 : MAPPINGS); i++) {
		m = few ? any_mapping(t) : &t->maps[i];
		if (m && m->length)
			check_mapping(dev, pasid, t, m);
	}
	for (i = 0; i < 3; i++)
		check_gap(dev, pasid, t, rnd(1ULL << width));
}

static void check_no_pasid(const struct device *dev, uint32_t pasid)
{
	unsigned int i, attached = 0, near = pasid < 64, fault;

	for (i = 0; i < PASIDS; i++) {
		if (!dev->pasids[i].pasid)
			continue;
		if (dev->pasids[i].pasid == pasid)
			return;
		attached++;
		near |= dev->pasids[i].pasid / 64 == pasid / 64;
	}
	fault = vtd_translate(&dev->r, pasid, 0, VTD_WALK_READ, NULL);
	/* a directory has grown in the past, or has not */
	if (attached && !near && fault == VTD_FAULT_PASID_BEYOND && pasid >= 32768)
		return;
	CHECK_EQ(fault, !attached ? VTD_FAULT_PASID_DISABLED :
			near ? VTD_FAULT_NO_PASID : VTD_FAULT_NO_DIRECTORY);
}

static void check_device(struct device *dev, bool few)
{
	unsigned int i;

	if (dev->table)
		check_table(dev, NONE, dev->table, few);
	else
		check_refused(dev, NONE, rnd(1ULL << width) | 1ULL << 45, VTD_WALK_READ,
			      vtd_fault_unattached(&dev->r));
	for (i = 0; has_pasids && i < PASIDS; i++)
		if (dev->pasids[i].pasid)
			check_table(dev, dev->pasids[i].pasid, dev->pasids[i].table, few);
	if (has_pasids)
		check_no_pasid(dev, 1 + rnd(rnd(2) ? 200 : (1 << 20) - 1));
}

static bool in_use(const struct table *t)
{
	unsigned int i, j;

	for (i = 0; i < DEVICES; i++) {
		if (devices[i].table == t)
			return true;
		for (j = 0; j < PASIDS; j++)
			if (devices[i].pasids[j].pasid && devices[i].pasids[j].table == t)
				return true;
	}
	return false;
}

static void new_table(struct table *t)
{
	uint32_t flags = has_pasids ? IOMMU_HWPT_ALLOC_PASID : 0;

	memset(t, 0, sizeof(*t));
	t->tracks = has_dirty && (t == tables || rnd(2));
	if (t->tracks)
		flags |= IOMMU_HWPT_ALLOC_DIRTY_TRACKING;
	OK(iofd_ioas(fd, &t->ioas));
	OK(iofd_hwpt(fd, devices[0].d.vdev.id, t->ioas, flags, &t->hwpt));
}

/* An address with some purpose: low, near where tables end, or anywhere. */
static uint64_t some_iova(uint64_t va)
{
	uint64_t iova;

	switch (rnd(4)) {
	case 0:
		iova = rnd(200 * MIB);
		break;
	case 1:
		iova = (1 + rnd(1000)) * GIB - rnd(64) * PAGE;
		break;
	case 2:
		iova = (1ULL << (width - 7)) * (1 + rnd(100)) - rnd(64) * PAGE;
		break;
	default:
		iova = rnd(1ULL << (width - 1));
	}
	if (rnd(2))
		return (iova & ~(2 * MIB - 1)) | (va & (2 * MIB - 1));
	return iova & ~(PAGE - 1);
}

static void do_map(void)
{
	struct table *t = any_table();
	struct mapping *m = &t->maps[rnd(MAPPINGS)];
	unsigned int region = rnd(REGIONS);
	uint64_t pages = rnd(2) ? 1 + rnd(16) : 1 + rnd(MAX_PAGES), start, iova;
	char *va;
	int rc;

	start = rnd(3) ? rnd(REGION / PAGE - pages + 1) * PAGE :
			 rnd((REGION - pages * PAGE) / (2 * MIB) + 1) * 2 * MIB;
	va = regions[region] + start;
	iova = some_iova((uintptr_t)va);
	if (m->length || iova >> width)
		return;
	if (!is_free(t, iova, pages * PAGE)) {
		if (mapped_at(t, iova))
			ERR(iofd_map_at(fd, t->ioas, va, pages * PAGE, iova), -EEXIST);
		return;
	}
	m->writable = rnd(4);
	rc = iofd_map(fd, t->ioas, va, pages * PAGE, &iova,
		      m->writable ? IOFD_FIXED_RW : IOFD_FIXED_R);
	if (rc)
		tap_fail(__FILE__, __LINE__, "map %llx pages %llu: %s (%s)",
			 (unsigned long long)iova, (unsigned long long)pages, tap_errno(rc),
			 iommufd_last_reason(fd));
	m->iova = iova;
	m->length = pages * PAGE;
	m->va = va;
	m->huge = region == 2;
	memset(m->dirty, 0, sizeof(m->dirty));
}

static void do_unmap(void)
{
	struct table *t = any_table();
	struct mapping *m = any_mapping(t);

	if (!m)
		return;
	OK(iofd_unmap(fd, t->ioas, m->iova, m->length, NULL));
	m->length = 0;
}

static void do_attach(void)
{
	struct device *dev = any_device();
	struct table *t = any_table();

	attach(&dev->d, t->hwpt);
	dev->table = t;
}

static void do_detach(void)
{
	struct device *dev = any_device();

	OK(vdev_detach(&dev->d.vdev));
	dev->table = NULL;
}

static void do_pasid(void)
{
	struct device *dev = any_device();
	struct pasid *p = &dev->pasids[rnd(PASIDS)];
	uint32_t pasid = 1 + rnd(rnd(2) ? 200 : (1 << 20) - 1);
	unsigned int i;

	if (!has_pasids)
		return;
	if (p->pasid && !rnd(3)) {
		OK(pasid_detach(&dev->d.vdev, p->pasid));
		p->pasid = 0;
		return;
	}
	for (i = 0; !p->pasid && i < PASIDS; i++)
		if (dev->pasids[i].pasid == pasid)
			return;
	p->pasid = p->pasid ? p->pasid : pasid;
	p->table = any_table();
	OK(pasid_attach(&dev->d.vdev, p->pasid, p->table->hwpt));
}

/* Some bytes, by the walker, or by the device where it reaches. */
static void write_once(void)
{
	struct device *dev = any_device();
	unsigned int i = rnd(PASIDS + 1);
	uint32_t pasid = i < PASIDS ? dev->pasids[i].pasid : 0;
	struct table *t = pasid ? dev->pasids[i].table : dev->table;
	struct mapping *m = t ? any_mapping(t) : NULL;
	uint64_t offset, len = 1 + rnd(64);
	struct vtd_walk w;
	char data[64];

	if (!m || !m->writable)
		return;
	pasid = pasid ? pasid : NONE;
	offset = rnd(m->length) & ~63UL;
	for (i = 0; i < len; i++)
		data[i] = rnd(256);
	if (pasid == NONE && m->iova + m->length < EDU_MAX_IOVA && !pretended &&
	    nr_dma < 20 && !rnd(3)) {
		memcpy(m->va + offset, data, len);
		OK(edu_read(&dev->d.edu, m->iova + offset, 0, len));
		memset(m->va + offset, 0, len);
		OK(edu_write(&dev->d.edu, m->iova + offset, 0, len));
		nr_dma++;
	} else if (vtd_dma_write(&dev->r, pasid, m->iova + offset, data, len)) {
		tap_fail(__FILE__, __LINE__, "a write to %llx is refused",
			 (unsigned long long)(m->iova + offset));
	}
	CHECK(!memcmp(m->va + offset, data, len));
	nr_written++;
	vtd_translate(&dev->r, pasid, m->iova + offset, VTD_WALK_WRITE | VTD_WALK_KEEP, &w);
	touch(t, m->iova + offset, true, &w, dev);
}

static void do_write(void)
{
	unsigned int tries;

	for (tries = 0; tries < 10; tries++)
		write_once();
}

static void read_dirty(struct table *t, struct mapping *m, bool keep)
{
	static uint8_t bits[MAX_PAGES / 8 + 8];
	uint64_t i;

	memset(bits, 0, sizeof(bits));
	OK(dirty_bitmap(fd, t->hwpt, m->iova, m->length, PAGE, bits, keep));
	for (i = 0; i < m->length / PAGE; i++)
		if ((bits[i / 8] >> i % 8 & 1) != m->dirty[i])
			tap_fail(__FILE__, __LINE__, "page %llx of %llx+%llx is %sdirty",
				 (unsigned long long)(m->iova + i * PAGE),
				 (unsigned long long)m->iova, (unsigned long long)m->length,
				 m->dirty[i] ? "not " : "");
		else
			nr_dirty += m->dirty[i];
	if (!keep)
		memset(m->dirty, 0, sizeof(m->dirty));
}

static void do_dirty(void)
{
	struct table *t = any_table();
	unsigned int i;

	if (!t->tracks)
		return;
	if (!t->tracking || !rnd(12)) {
		t->tracking = !t->tracking;
		OK(dirty_tracking(fd, t->hwpt, t->tracking));
		for (i = 0; t->tracking && i < MAPPINGS; i++)
			memset(t->maps[i].dirty, 0, MAX_PAGES);
		return;
	}
	for (i = 0; i < MAPPINGS; i++)
		if (t->maps[i].length && rnd(2))
			read_dirty(t, &t->maps[i], rnd(2));
}

static void do_renew(void)
{
	struct table *t = any_table();

	if (in_use(t))
		return;
	OK(iofd_destroy(fd, t->hwpt));
	OK(iofd_destroy(fd, t->ioas));
	new_table(t);
}

static const struct {
	void (*run)(void);
	unsigned int weight;
} steps[] = {
	{ do_map, 30 }, { do_unmap, 20 }, { do_attach, 8 }, { do_detach, 3 },
	{ do_pasid, 12 }, { do_write, 15 }, { do_dirty, 15 }, { do_renew, 3 },
};

static void any_step(void)
{
	unsigned int i, at = rnd(106);

	for (i = 0; at >= steps[i].weight; i++)
		at -= steps[i].weight;
	steps[i].run();
}

static void pretend(uint64_t ecap, bool wide)
{
	pretended = ecap || wide;
	if (wide)
		vtd_pretend_wide(ecap);
	else if (ecap)
		vtd_pretend(ecap);
}

static void begin(uint64_t seed, uint64_t ecap, bool wide)
{
	unsigned int i;
	uint64_t *p;

	state = seed * 0x9e3779b97f4a7c15ULL + 1;
	fd = OK(iofd_open());
	vtd_pretend(0);
	for (i = 0; i < DEVICES; i++) {
		need_edu(&devices[i].d, i, fd);
		vtd_requester(&devices[i].r, devices[i].d.vdev.bdf);
	}
	if (ecap && !vtd_is_scalable(&devices[0].r))
		tap_skip("the unit is in legacy mode");
	first_stage = vtd_is_first_stage(&devices[0].r);
	wide &= !first_stage;
	width = wide ? 56 : 46;
	pretend(ecap, wide);
	for (i = 0; i < DEVICES; i++)
		devices[i].r.ecap |= ecap;
	has_pasids = vtd_is_scalable(&devices[0].r) && devices[0].r.ecap >> 40 & 1;
	has_dirty = first_stage || (vtd_is_scalable(&devices[0].r) &&
				    devices[0].r.ecap >> 45 & 1);
	for (i = 0; has_pasids && i < DEVICES; i++)
		OK(vtd_fake_pasids(&devices[i].r, 1 << 20));
	if (mem_want_hugetlb(REGION / (2 * MIB)) < REGION / (2 * MIB))
		tap_skip("no memory for huge pages");
	regions[0] = mem_anon(REGION);
	regions[1] = mem_thp(REGION);
	regions[2] = mem_hugetlb(REGION);
	for (i = 0; i < REGIONS; i++) {
		CHECK(regions[i]);
		for (p = (uint64_t *)regions[i]; (char *)p < regions[i] + REGION; p++)
			*p = rnd(~0ULL);
	}
	for (i = 0; i < TABLES; i++)
		new_table(&tables[i]);
}

static void end(void)
{
	unsigned int i;

	for (i = 0; i < DEVICES; i++) {
		edu_fini(&devices[i].d.edu);
		vdev_close(&devices[i].d.vdev);
		if (has_pasids)
			OK(vtd_fake_pasids(&devices[i].r, 0));
	}
}

static void run(uint64_t seed, unsigned int count, uint64_t ecap, bool wide, bool known)
{
	unsigned int step, i;

	tap_note("VTD_SEED=%llu VTD_STEPS=%u", (unsigned long long)seed, count);
	begin(seed, ecap, wide);
	for (step = 1; step <= count; step++) {
		any_step();
		for (i = 0; i < DEVICES; i++)
			check_device(&devices[i], step % 50);
	}
	tap_note("%lu bytes compared, %lu of large pages; %lu refusals", nr_bytes, nr_large,
		 nr_refused);
	tap_note("%lu writes, %lu of a device itself; %lu pages dirty", nr_written, nr_dma,
		 nr_dirty);
	CHECK(nr_bytes && nr_refused);
	/* what a seed that nobody has tried comes to is luck */
	CHECK(!known || (nr_large && nr_written));
	CHECK(!known || nr_dirty || !has_dirty);
	/* what the devices go back to is then of the unit as it is */
	if (pretended)
		vtd_pretend(0);
	end();
}

/* wide: five levels, where tables are of the second stage */
struct config {
	uint64_t seed;
	uint64_t ecap;
	bool wide;
};

static void fixed(void)
{
	const struct config *c = tap_current->arg;

	run(c->seed, 500, c->ecap, c->wide, true);
}

static void seeded(void)
{
	const char *seed = getenv("VTD_SEED"), *count = getenv("VTD_STEPS");

	run(seed ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL),
	    count ? strtoul(count, NULL, 0) : 500, 0, false, false);
}

/* The model has to notice: a leaf of ours leads to the page beside. */
static void noticed(void)
{
	struct mapping *m = &tables[0].maps[0];
	uint64_t at, old, iova = 16 * MIB;
	struct vtd_walk w;
	char a, b;

	begin(1, 0, false);
	m->iova = iova;
	m->length = 2 * PAGE;
	m->va = regions[0];
	m->writable = true;
	OK(iofd_map_at(fd, tables[0].ioas, m->va, m->length, iova));
	attach(&devices[0].d, tables[0].hwpt);
	devices[0].table = &tables[0];
	check_device(&devices[0], false);

	CHECK_EQ(vtd_translate(&devices[0].r, NONE, iova, VTD_WALK_READ, &w), 0);
	at = w.steps[w.nr_steps - 1].phys;
	old = vtd_peek(&devices[0].r, at);
	vtd_poke(&devices[0].r, at, vtd_peek(&devices[0].r, at + 8));
	a = 1;
	m->va[0] = a;
	m->va[PAGE] = 2;
	CHECK_EQ(vtd_dma_read(&devices[0].r, NONE, iova, &b, 1), 0);
	CHECK(a != b);
	vtd_poke(&devices[0].r, at, old);
	check_device(&devices[0], false);
	end();
}

/* 11.4.3: SMPWCS; and SSADS */
#define SNOOPED	(1ULL << 48)
#define SSADS	(1ULL << 45)

static const struct config configs[] = {
	{ 1 }, { 2 }, { 3, .wide = true }, { 4, SNOOPED }, { 5, SNOOPED | SSADS },
};

static const struct tap_test tests[] = {
	{ "a leaf that leads elsewhere is noticed", noticed },
	{ "random configurations, 1", fixed, 120, &configs[0] },
	{ "random configurations, 2", fixed, 120, &configs[1] },
	{ "random configurations, 3: of five levels", fixed, 120, &configs[2] },
	{ "as a unit that snoops its page walks", fixed, 120, &configs[3] },
	{ "as one that records writes in the second stage", fixed, 120, &configs[4] },
	{ "another seed each time", seeded, 600 },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

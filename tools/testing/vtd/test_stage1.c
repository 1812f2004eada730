// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest may say of its first stage, bit by bit, and what a unit makes of the
 * entries that come of it: walked in tables of both stages, by a walker that shares
 * nothing with the driver.
 */
#include <linux/kernel.h>
#include <uapi/linux/iommufd_ext.h>

#include "../../../drivers/iommu/intel/stage1.h"
#include "../selftests/lib/tap.h"
#include "help.h"
#include "second.h"
#include "walk.h"

#define ROUNDS 300

/* Bits of the two registers, as the specification numbers them. */
#define CAP_FS1GP (1ULL << 56)
#define CAP_FS5LP (1ULL << 60)
#define CAP_LEVELS (0xeULL << 8)
#define ECAP_SC (1ULL << 7)
#define ECAP_NEST (1ULL << 26)
#define ECAP_SRS (1ULL << 31)
#define ECAP_EAFS (1ULL << 34)
#define ECAP_SMPWCS (1ULL << 48)

static const u64 caps[] = { CAP_FS5LP, CAP_FS1GP };
static const u64 ecaps[] = { ECAP_SC, ECAP_SRS, ECAP_EAFS, ECAP_SMPWCS };

/* Every combination of what matters. */
#define UNITS (1U << (ARRAY_SIZE(caps) + ARRAY_SIZE(ecaps)))

static struct walk_unit unit_nr(unsigned int n)
{
	struct walk_unit unit = { .cap = CAP_LEVELS, .ecap = ECAP_NEST };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(caps); i++)
		if (n >> i & 1)
			unit.cap |= caps[i];
	for (i = 0; i < ARRAY_SIZE(ecaps); i++)
		if (n >> (i + ARRAY_SIZE(caps)) & 1)
			unit.ecap |= ecaps[i];
	return unit;
}

static int refused(int rc)
{
	if (rc)
		CHECK(last_reason[0]);
	else
		CHECK(!last_reason[0]);
	return rc;
}

static int try_flags(const struct iommu_hwpt_vtd_s1 *data,
		     const struct walk_unit *unit, unsigned int bits,
		     struct vtd_stage1 *stage1)
{
	int rc;

	last_reason[0] = 0;
	rc = vtd_stage1_from_flags(stage1, data);
	return refused(rc ?: vtd_stage1_check(stage1, unit->cap, unit->ecap, bits));
}

static int try_entry(const u64 *entry, const struct walk_unit *unit,
		     unsigned int bits, struct vtd_stage1 *stage1)
{
	struct iommu_ext_hwpt_vtd_guest data;
	int rc;

	memcpy(data.entry, entry, sizeof(data));
	last_reason[0] = 0;
	rc = vtd_stage1_from_entry(stage1, &data);
	return refused(rc ?: vtd_stage1_check(stage1, unit->cap, unit->ecap, bits));
}

/* The structure of mainline: each bit of each member, on each kind of unit. */
static void flags(void)
{
	struct iommu_hwpt_vtd_s1 data;
	struct vtd_stage1 s;
	unsigned int n, i;

	for (n = 0; n < UNITS; n++) {
		struct walk_unit unit = unit_nr(n);

		for (i = 0; i < 64; i++) {
			data = (struct iommu_hwpt_vtd_s1){
				.flags = 1ULL << i, .addr_width = 48,
			};
			ERR(try_flags(&data, &unit, 48, &s),
			    i > 2 ? -EOPNOTSUPP :
			    i == 0 && !(unit.ecap & ECAP_SRS) ? -EINVAL :
			    i == 1 && !(unit.ecap & ECAP_EAFS) ? -EINVAL : 0);
			data.flags = 0;
			data.pgtbl_addr = 1ULL << i;
			ERR(try_flags(&data, &unit, 39, &s),
			    i < 12 || i >= 39 ? -EINVAL : 0);
			ERR(try_flags(&data, &unit, 57, &s),
			    i < 12 || i >= 57 ? -EINVAL : 0);
		}
		for (i = 0; i < 32; i++) {
			data = (struct iommu_hwpt_vtd_s1){
				.addr_width = 48, .__reserved = 1U << i,
			};
			ERR(try_flags(&data, &unit, 48, &s), -EOPNOTSUPP);
		}
		for (i = 0; i < 70; i++) {
			data = (struct iommu_hwpt_vtd_s1){ .addr_width = i };
			ERR(try_flags(&data, &unit, 48, &s), i == 48 ? 0 :
			    i == 57 && unit.cap & CAP_FS5LP ? 0 : -EINVAL);
		}
		unit.ecap &= ~ECAP_NEST;
		data.addr_width = 48;
		ERR(try_flags(&data, &unit, 48, &s), -EINVAL);
	}
}

/* Which bits of 9.6 a guest may set, and what has to be there for it. */
static bool guest_may(const struct walk_unit *unit, unsigned int n,
		      unsigned int parent_bits)
{
	switch (n) {
	case 1:			/* FPD */
	case 2 ... 4:		/* AW, unused */
	case 64 ... 79:		/* DID */
	case 132:		/* WPE */
	case 133:		/* NXE */
		return true;
	case 87:		/* PWSNP */
		return unit->ecap & ECAP_SMPWCS;
	case 88:		/* PGSNP */
		return unit->ecap & ECAP_SC;
	case 128:		/* SRE */
		return unit->ecap & ECAP_SRS;
	case 130:		/* FSPM: 5 levels */
		return unit->cap & CAP_FS5LP;
	case 135:		/* EAFE */
		return unit->ecap & ECAP_EAFS;
	case 140 ... 191:	/* FSPTPTR */
		return n - 128 < parent_bits;
	default:
		return false;
	}
}

/* The guest's own entry: each of its 512 bits, on each kind of unit. */
static void entries(void)
{
	struct vtd_stage1 s;
	unsigned int n, i;

	for (n = 0; n < UNITS; n++) {
		struct walk_unit unit = unit_nr(n);
		u64 e[8] = { 1 | 1 << 6 };

		OK(try_entry(e, &unit, 48, &s));
		for (i = 0; i < 512; i++) {
			e[i / 64] ^= 1ULL << i % 64;
			ERR(try_entry(e, &unit, 48, &s),
			    guest_may(&unit, i, 48) ? 0 : -EINVAL);
			e[i / 64] ^= 1ULL << i % 64;
		}
		/* every type but a first stage */
		for (i = 0; i < 8; i++) {
			e[0] = 1 | i << 6;
			ERR(try_entry(e, &unit, 48, &s), i == 1 ? 0 : -EINVAL);
		}
		e[0] = 1 | 1 << 6;
		e[1] = 0xabcd;
		OK(try_entry(e, &unit, 48, &s));
		CHECK(s.has_did && s.did == 0xabcd);
		unit.ecap &= ~ECAP_NEST;
		ERR(try_entry(e, &unit, 48, &s), -EINVAL);
	}
}

static const char *reason_for(const u64 *e, const struct walk_unit *unit)
{
	struct vtd_stage1 s;

	ERR(try_entry(e, unit, 39, &s), -EINVAL);
	return last_reason;
}

static void reasons(void)
{
	struct walk_unit unit = unit_nr(0);
	u64 e[8] = { 1 | 1 << 6 };

	e[5] = 6;
	CHECK(strstr(reason_for(e, &unit), "word 5 of the guest's entry has bits 0x6 set"));
	e[5] = 0;
	e[0] = 1 << 6;
	CHECK(strstr(reason_for(e, &unit), "not present"));
	e[0] = 1 | 3 << 6;
	CHECK(strstr(reason_for(e, &unit), "is of type 3"));
	e[0] = 1 | 1 << 6;
	e[2] = 1;
	CHECK(strstr(reason_for(e, &unit), "(SRS)"));
	e[2] = 1ULL << 39;
	CHECK(strstr(reason_for(e, &unit), "beyond the 39 bits"));
}

/* What the driver makes of a second stage alone. */
static struct vtd_pasid_entry second_entry(const struct walk_unit *unit,
					   const struct second *s,
					   unsigned int levels, unsigned int did)
{
	struct vtd_pasid_entry e = { .w = {
		1 | (levels - 2) << 2 | 2 << 6 | second_top(s),
		did | (unit->ecap & ECAP_SMPWCS ? 1 << 23 : 0),
	} };

	return e;
}

/* Whatever a user says: what is ours in the entry stays as it is. */
static void ours(void)
{
	struct vtd_pasid_entry second, nested;
	struct vtd_stage1 s;
	unsigned int round, i, taken = 0;

	random_state = 1;
	for (round = 0; round < 100000; round++) {
		struct walk_unit unit = unit_nr(below(UNITS));
		u64 e[8] = { 0 };

		/* often right, so that much is taken */
		for (i = 0; i < 3; i++)
			e[i] = random64() & random64();
		if (below(4)) {
			e[0] = (e[0] & 0x1e) | 1 | 1 << 6;
			e[1] &= 0x180ffff;
			e[2] &= 0xffffffff00b5;
		}
		if (try_entry(e, &unit, 48, &s))
			continue;
		taken++;
		second.w[0] = 1 | 2 << 2 | 2 << 6 | (random64() & 0xffffffff000) |
			      (below(2) << 9);
		second.w[1] = (random64() & 0xffff) | below(2) << 23;
		for (i = 2; i < 8; i++)
			second.w[i] = 0;
		nested = vtd_stage1_over(&s, second);
		CHECK_EQ(nested.w[0] & ~2ULL, (second.w[0] & ~0x1c0ULL) | 3 << 6);
		CHECK_EQ(nested.w[0] & 2, e[0] & 2);
		CHECK_EQ(nested.w[1] & ~0x1800000ULL, second.w[1] & ~0x1800000ULL);
		CHECK_EQ(nested.w[1] & 0x1800000, (second.w[1] | e[1]) & 0x1800000);
		CHECK_EQ(nested.w[2], e[2]);
		for (i = 3; i < 8; i++)
			CHECK_EQ(nested.w[i], 0);
	}
	CHECK(taken > 10000);
	tap_note("%u of %u entries taken", taken, round);
}

static void ranges(void)
{
	static const struct {
		u64 addr, npages;
		int rc;
		u64 last;
	} rows[] = {
		{ 0, U64_MAX, 0, U64_MAX },
		{ 0x1000, U64_MAX, -EINVAL, 0 },
		{ 0, 1, 0, 0xfff },
		{ 0x5000, 3, 0, 0x7fff },
		{ 0x5000, 0, -EINVAL, 0 },
		{ 0, 0, -EINVAL, 0 },
		{ 0x800, 1, -EINVAL, 0 },
		{ 1, U64_MAX, -EINVAL, 0 },
		{ -4096ULL, 1, 0, U64_MAX },
		{ -4096ULL, 2, -EINVAL, 0 },
		{ 0, 1ULL << 52, 0, U64_MAX },
		{ 0, (1ULL << 52) + 1, -EINVAL, 0 },
		{ 0x1000, (1ULL << 52) - 1, 0, U64_MAX },
		{ 0x1000, 1ULL << 52, -EINVAL, 0 },
		{ 0, 1ULL << 63, -EINVAL, 0 },
	};
	struct iommu_hwpt_vtd_s1_invalidate inv;
	u64 first, last;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		inv = (struct iommu_hwpt_vtd_s1_invalidate){
			.addr = rows[i].addr, .npages = rows[i].npages,
		};
		last_reason[0] = 0;
		ERR(refused(vtd_stage1_range(&inv, &first, &last)), rows[i].rc);
		if (rows[i].rc)
			continue;
		CHECK(first == rows[i].addr && last == rows[i].last);
	}
	for (i = 0; i < 32; i++) {
		inv = (struct iommu_hwpt_vtd_s1_invalidate){
			.npages = 1, .flags = 1U << i,
		};
		ERR(vtd_stage1_range(&inv, &first, &last), i ? -EOPNOTSUPP : 0);
		inv.flags = 0;
		inv.__reserved = 1U << i;
		ERR(vtd_stage1_range(&inv, &first, &last), -EOPNOTSUPP);
	}
}

#define GUEST_PAGES 256
#define TABLES 64
#define MAPPINGS 24

/* A page of the guest's memory, and where the guest has it. */
struct guest_page {
	u64 gpa;
	u64 *memory;
	bool writable;
};

struct mapping {
	u64 iova;
	u64 gpa;
	unsigned int shift;
	bool write;
	bool user;
};

struct guest {
	struct walk_unit unit;
	struct second *second;
	unsigned int second_levels, second_bits, levels;
	struct guest_page pages[GUEST_PAGES];
	unsigned int nr_tables;
	struct mapping mappings[MAPPINGS];
	unsigned int nr_mappings;
	void *memory;
	unsigned int did;
};

static struct guest_page *page_of(struct guest *g, u64 gpa)
{
	unsigned int i;

	for (i = 0; i < GUEST_PAGES; i++)
		if (g->pages[i].gpa == (gpa & ~0xfffULL))
			return &g->pages[i];
	return NULL;
}

/* The first pages are for tables, and all of them writable. */
static void guest_memory(struct guest *g)
{
	unsigned int i;

	g->memory = aligned_alloc(4096, GUEST_PAGES * 4096);
	CHECK(g->memory);
	memset(g->memory, 0, GUEST_PAGES * 4096);
	for (i = 0; i < GUEST_PAGES; i++) {
		struct guest_page *page = &g->pages[i];

		page->memory = (u64 *)((char *)g->memory + i * 4096);
		page->gpa = ~0ULL;
		/* some beside each other, so that large leaves have something */
		do {
			u64 gpa = below(3) && i && i != TABLES ?
				  page[-1].gpa + 4096 :
				  (random64() & ((1ULL << g->second_bits) - 1)) &
				  ~0xfffULL;

			if (!page_of(g, gpa) && !(gpa >> g->second_bits))
				page->gpa = gpa;
		} while (page->gpa == ~0ULL);
		page->writable = i < TABLES || below(4);
		second_map(g->second, page->gpa, page->memory, 4096,
			   page->writable);
	}
}

static u64 new_table(struct guest *g)
{
	return g->pages[g->nr_tables++].gpa;
}

static bool overlaps(const struct guest *g, const struct mapping *m)
{
	unsigned int i;

	for (i = 0; i < g->nr_mappings; i++) {
		unsigned int shift = m->shift > g->mappings[i].shift ? m->shift :
				     g->mappings[i].shift;

		if (m->iova >> shift == g->mappings[i].iova >> shift)
			return true;
	}
	return false;
}

/* Enter a leaf; false if there are no more pages for tables. */
static bool first_map(struct guest *g, u64 top, const struct mapping *m)
{
	u64 table = top, *entry;
	unsigned int level;

	if (g->nr_tables + 5 > TABLES)
		return false;
	for (level = g->levels; ; level--) {
		unsigned int shift = 12 + 9 * (level - 1);

		entry = page_of(g, table)->memory + (m->iova >> shift & 511);
		if (shift == m->shift)
			break;
		if (!*entry)
			*entry = new_table(g) | 7;
		table = *entry & 0x000ffffffffff000;
	}
	*entry = m->gpa | 1 | m->write << 1 | m->user << 2 |
		 (m->shift > 12 ? 1 << 7 : 0) | below(2) << 63;
	return true;
}

static u64 canonical(const struct guest *g, u64 address)
{
	unsigned int unused = 64 - (12 + 9 * g->levels);

	return (s64)(address << unused) >> unused;
}

static void first_stage(struct guest *g, u64 top)
{
	while (g->nr_mappings < MAPPINGS) {
		struct mapping *m = &g->mappings[g->nr_mappings];
		u64 page = g->pages[TABLES + below(GUEST_PAGES - TABLES)].gpa;

		m->shift = 12 + 9 * (below(4) ? 0 : g->unit.cap & CAP_FS1GP ?
				     below(3) : below(2));
		m->gpa = page >> m->shift << m->shift;
		m->iova = canonical(g, below(2) && g->nr_mappings ?
				    m[-1].iova + (1ULL << m->shift) : random64());
		m->iova = m->iova >> m->shift << m->shift;
		m->write = below(4);
		m->user = below(8);
		if (overlaps(g, m))
			continue;
		if (!first_map(g, top, m))
			break;
		g->nr_mappings++;
	}
	CHECK(g->nr_mappings);
}

/* What is to happen to a request, from the list and not from any table. */
static enum walk_end expect(struct guest *g, u64 iova, bool write, u64 *gpa,
			    u64 *phys)
{
	const struct guest_page *page;
	const struct mapping *m;

	for (m = g->mappings; m < g->mappings + g->nr_mappings; m++)
		if (iova >> m->shift == m->iova >> m->shift)
			break;
	if (m == g->mappings + g->nr_mappings)
		return WALK_FIRST_ABSENT;
	if (!m->user || (write && !m->write))
		return WALK_FIRST_DENIED;
	*gpa = m->gpa + (iova & ((1ULL << m->shift) - 1));
	if (*gpa >> g->second_bits)
		return WALK_SECOND_BEYOND;
	page = page_of(g, *gpa);
	if (!page || (write && !page->writable))
		return WALK_SECOND_DENIED;
	*phys = (uintptr_t)page->memory + (*gpa & 0xfff);
	return WALK_DONE;
}

static u64 some_address(struct guest *g)
{
	const struct mapping *m = &g->mappings[below(g->nr_mappings)];
	const struct guest_page *page;
	u64 offset;

	if (!below(8))
		return canonical(g, random64());
	page = &g->pages[TABLES + below(GUEST_PAGES - TABLES)];
	/* where there is memory behind a large leaf, if there is */
	offset = page->gpa >> m->shift == m->gpa >> m->shift ? page->gpa :
		 random64();
	return m->iova + (offset & ((1ULL << m->shift) - 1));
}

static unsigned int ends[WALK_SECOND_DENIED + 1];

static void requests(struct guest *g, const uint64_t *entry)
{
	unsigned int i;

	for (i = 0; i < 200; i++) {
		struct walk_seen seen = { 0 };
		u64 gpa = 0, phys = 0, iova = some_address(g);
		bool write = below(2);
		enum walk_end end, want = expect(g, iova, write, &gpa, &phys);

		end = walk_nested(&g->unit, entry, iova, write, &seen);
		if (end != want)
			tap_fail(__FILE__, __LINE__, "%s of 0x%llx ends with %d, want %d",
				 write ? "write" : "read", iova, end, want);
		ends[end]++;
		CHECK_EQ(seen.domain, g->did);
		if (end)
			continue;
		CHECK_EQ(seen.gpa, gpa);
		CHECK_EQ(seen.phys, phys);
	}
}

/* The guest's tables may be anywhere, what they lead to is decided by ours. */
static void hostile(struct guest *g, u64 top, const uint64_t *entry)
{
	struct walk_seen seen = { 0 };
	unsigned int i, n;

	for (i = 0; i < 200; i++) {
		enum walk_end end;
		u64 iova = some_address(g);

		for (n = 0; n < 512; n++)
			page_of(g, top)->memory[n] = random64() | 7;
		end = walk_nested(&g->unit, entry, iova, below(2), &seen);
		if (end == WALK_DONE) {
			CHECK(seen.phys >= (uintptr_t)g->memory);
			CHECK(seen.phys < (uintptr_t)g->memory + GUEST_PAGES * 4096);
		}
	}
	/* and without the page that the top table is in there is nothing */
	second_unmap(g->second, top, 4096);
	for (i = 0; i < 8; i++)
		CHECK_EQ(walk_nested(&g->unit, entry, some_address(g), false, &seen),
			 WALK_SECOND_DENIED);
}

static void nested_round(void)
{
	static const unsigned int widths[] = { 39, 48, 57 };
	struct vtd_pasid_entry e;
	struct vtd_stage1 stage1;
	struct guest g = { .unit = unit_nr(below(UNITS)) };
	unsigned int width = below(3);
	u64 top;

	g.second_levels = 3 + width;
	/* what the CPU can address may be less than what the levels reach */
	g.second_bits = widths[width] - (below(2) ? below(5) : 0);
	if (g.second_bits > 52)
		g.second_bits = 52;
	g.levels = g.unit.cap & CAP_FS5LP && below(2) ? 5 : 4;
	g.second = second_new(g.second_levels, g.second_bits);
	g.did = below(1 << 16);
	guest_memory(&g);
	top = new_table(&g);
	first_stage(&g, top);
	if (below(2)) {
		struct iommu_hwpt_vtd_s1 data = {
			.flags = (g.unit.ecap & ECAP_SRS ? below(2) : 0) |
				 (g.unit.ecap & ECAP_EAFS ? below(2) << 1 : 0) |
				 below(2) << 2,
			.pgtbl_addr = top,
			.addr_width = g.levels == 5 ? 57 : 48,
		};

		OK(try_flags(&data, &g.unit, g.second_bits, &stage1));
	} else {
		u64 guest[8] = { 1 | 1 << 6 | below(8) << 2, below(1 << 16),
				 top | (g.levels == 5 ? 4 : 0) | 1 << 5 };

		OK(try_entry(guest, &g.unit, g.second_bits, &stage1));
	}
	e = vtd_stage1_over(&stage1, second_entry(&g.unit, g.second,
						  g.second_levels, g.did));
	requests(&g, (uint64_t *)e.w);
	hostile(&g, top, (uint64_t *)e.w);
	second_free(g.second);
	free(g.memory);
}

static void nested(void)
{
	unsigned int i;

	random_state = 20;
	for (i = 0; i < ROUNDS; i++)
		nested_round();
	tap_note("%u translated, %u absent, %u denied by the first stage, %u by the second, %u beyond it",
		 ends[WALK_DONE], ends[WALK_FIRST_ABSENT], ends[WALK_FIRST_DENIED],
		 ends[WALK_SECOND_DENIED], ends[WALK_SECOND_BEYOND]);
	CHECK(ends[WALK_DONE] > 1000);
	CHECK(ends[WALK_FIRST_DENIED] > 1000);
	CHECK(ends[WALK_SECOND_DENIED] > 1000);
}

static const struct tap_test tests[] = {
	{ "a first stage in mainline's terms, bit by bit", flags },
	{ "an entry of a guest, bit by bit", entries },
	{ "what is said of an entry that is refused", reasons },
	{ "nothing that a user says changes what is ours", ours },
	{ "ranges to be forgotten", ranges },
	{ "both stages are walked, on random units, tables and requests", nested, 120 },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

// SPDX-License-Identifier: GPL-2.0-only
/* Long runs of random calls; a run is repeated with PT_SEED=number. */
#include <stdio.h>
#include <stdlib.h>

#include "../selftests/lib/tap.h"
#include "ops.h"

#define PAGES 4096

static u8 random_byte(struct ops_source *s)
{
	s->state ^= s->state << 13;
	s->state ^= s->state >> 7;
	s->state ^= s->state << 17;
	return s->state >> 32;
}

static u64 seed(void)
{
	const char *text = getenv("PT_SEED");

	return text ? strtoull(text, NULL, 0) : 0x9e3779b97f4a7c15;
}

static void long_run(void)
{
	const char *more = getenv("PT_CALLS");
	unsigned long calls = more ? strtoul(more, NULL, 0) : 20000, i;
	unsigned int k;

	for (k = 0; k < rig_nr_formats; k++) {
		const struct rig_format *f = &rig_formats[k];
		struct ops_source s = { .next = random_byte, .state = seed() };
		struct rig r;

		if (!rig_init(&r, f, NULL, rig_base(f, -PAGES / 2), PAGES))
			tap_fail(__FILE__, __LINE__, "%s: %s", f->name, r.why);
		for (i = 0; i < calls; i++)
			if (!ops_one(&r, &s) || (i % 512 == 0 && !rig_check(&r)))
				tap_fail(__FILE__, __LINE__, "%s: call %lu: %s",
					 f->name, i, r.why);
		if (!rig_check(&r) || !rig_unmap(&r, 0, PAGES, true) ||
		    !rig_check(&r))
			tap_fail(__FILE__, __LINE__, "%s: at the end: %s",
				 f->name, r.why);
		rig_fini(&r);
		CHECK_EQ(pt_user_tables, 0);
	}
}

/* The same with memory that runs out every now and then. */
static void without_memory(void)
{
	unsigned int k, i;

	for (k = 0; k < rig_nr_formats; k++) {
		const struct rig_format *f = &rig_formats[k];
		struct ops_source s = { .next = random_byte, .state = seed() };
		struct rig r;

		if (!rig_init(&r, f, NULL, rig_base(f, -PAGES / 2), PAGES))
			tap_fail(__FILE__, __LINE__, "%s: %s", f->name, r.why);
		for (i = 0; i < 5000; i++) {
			pt_user_fail_after = random_byte(&s) % 4;
			if (!ops_one(&r, &s))
				tap_fail(__FILE__, __LINE__, "%s: call %u: %s",
					 f->name, i, r.why);
		}
		pt_user_fail_after = -1;
		if (!rig_check(&r))
			tap_fail(__FILE__, __LINE__, "%s: %s", f->name, r.why);
		rig_fini(&r);
		CHECK_EQ(pt_user_tables, 0);
	}
}

/* Leaves of 1 GiB, cut down to pages. */
static void gigabyte(void)
{
	/* pages; with larger ones it is more than that */
	const unsigned int gib = 1 << 18;
	unsigned int k, larger = 0;

	for (k = 0; k < rig_nr_formats; k++) {
		const struct rig_format *f = &rig_formats[k];
		struct rig r;

		if (!rig_init(&r, f, NULL, rig_base(f, -(s64)gib), 2 * gib))
			tap_fail(__FILE__, __LINE__, "%s: %s", f->name, r.why);
		larger += !!(f->ops->page_sizes(r.pt) & 1 << 30);
		if (!rig_map(&r, 0, 2 * gib, 1ULL << 32, PT_READ | PT_WRITE, ~0ULL) ||
		    !rig_check_page(&r, 12345) || !rig_lookup(&r, 7, 2 * gib - 7) ||
		    !rig_write(&r, 4242) || !rig_cut(&r, 100001) ||
		    !rig_check(&r) || !rig_write(&r, gib + 5) ||
		    !rig_dirty(&r, 0, 2 * gib, false) ||
		    !rig_dirty(&r, 0, gib, true) ||
		    !rig_unmap(&r, 100001, 5000, true) || !rig_check(&r) ||
		    !rig_unmap(&r, 0, 100001, false) || !rig_check(&r))
			tap_fail(__FILE__, __LINE__, "%s: %s", f->name, r.why);
		rig_fini(&r);
	}
	CHECK(larger > 0);
}

/* A write through any part of a large leaf stays one to all of it. */
static void cut_keeps_dirty(void)
{
	static const unsigned int pages[] = { 512, 256, 16, 2 };
	unsigned int k, i, writes = 0;

	for (k = 0; k < rig_nr_formats; k++) {
		const struct rig_format *f = &rig_formats[k];

		for (i = 0; i < 4; i++) {
			unsigned int nr = pages[i];
			u64 phys = 1ULL << 31;
			struct rig r;

			if (!rig_init(&r, f, NULL, f->base, 512))
				tap_fail(__FILE__, __LINE__, "%s", r.why);
			writes += !!(f->config.features & PT_FEAT_DIRTY);
			if (!rig_map(&r, 0, nr / 2, phys, 3, 0x1000) ||
			    !rig_unmap(&r, 0, nr / 2, false) ||
			    !rig_map(&r, 0, nr, phys, 3, ~0ULL) ||
			    !rig_write(&r, nr - 1) || !rig_cut(&r, nr / 2) ||
			    !rig_dirty(&r, 0, nr, false) ||
			    !rig_cut(&r, 1) || !rig_dirty(&r, 0, nr, true) ||
			    !rig_dirty(&r, 0, nr, true) || !rig_check(&r))
				tap_fail(__FILE__, __LINE__, "%s: %u pages: %s",
					 f->name, nr, r.why);
			rig_fini(&r);
		}
	}
	CHECK(writes > 0);
}

/* What is refused, and changes nothing. */
static void refused(void)
{
	struct pt_run run;
	unsigned int k;

	for (k = 0; k < rig_nr_formats; k++) {
		const struct rig_format *f = &rig_formats[k];
		struct pt pt = { .ops = f->ops, .config = f->config };
		u64 end = f->config.features & PT_FEAT_SIGN_EXTEND ?
			  1ULL << (f->config.va_bits - 1) :
			  1ULL << (f->config.va_bits % 64), phys;
		u64 page = rig_page_size(f);
		struct pt_gather g;
		size_t mapped;

		/* there is nothing beyond 64 bits */
		if (f->config.va_bits == 64)
			continue;
		run = (struct pt_run){ .phys = 0x100000, .len = page };
		CHECK_EQ(f->ops->init(&pt), 0);
		pt_gather_init(&g);
#define MAP(iova, prot) \
	f->ops->map(&pt, iova, &run, 1, prot, ~0ULL, &g, &mapped)
		CHECK_EQ(MAP(end, PT_READ), -ERANGE);
		CHECK_EQ(MAP(end - page, PT_READ), 0);
		CHECK_EQ(MAP(0, 0), -EINVAL);
		CHECK_EQ(MAP(0x800, PT_READ), -EINVAL);
		CHECK_EQ(f->ops->map(&pt, 0, &run, 1, PT_READ, 1 << 21, &g,
				     &mapped), -EINVAL);
		run.len = page + 1;
		CHECK_EQ(MAP(0, PT_READ), -EINVAL);
		CHECK_EQ(mapped, page);
		run.len = page;
		CHECK_EQ(f->ops->unmap(&pt, 0, page, &g, NULL), page);
		run.phys = 1ULL << f->config.oa_bits;
		CHECK_EQ(MAP(0, PT_READ), -ERANGE);
		run.phys = 0x100000;
		CHECK_EQ(f->ops->unmap(&pt, end, page, &g, NULL), 0);
		CHECK_EQ(f->ops->lookup(&pt, end, page, &phys), 0);
		CHECK_EQ(f->ops->lookup(&pt, end - page, 2 * page, &phys), 0);
		CHECK_EQ(f->ops->lookup(&pt, end - page, page, &phys), page);
		pt_gather_free(&g);
		f->ops->destroy(&pt);
		pt.config.levels = 7;
		CHECK_EQ(f->ops->init(&pt), -EINVAL);
		pt.config.levels = 1;
		CHECK_EQ(f->ops->init(&pt), -EINVAL);
		CHECK_EQ(pt_user_tables, 0);
	}
}

static const struct tap_test tests[] = {
	{ "random calls", long_run, 600 },
	{ "random calls without memory", without_memory, 600 },
	{ "leaves of 1 GiB", gigabyte, 300 },
	{ "a cut keeps what was written", cut_keeps_dirty },
	{ "what is refused", refused },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

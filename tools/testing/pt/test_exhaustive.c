// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every sequence of a few calls on a few places: pages on both sides of where a
 * table ends, and halves of large leaves on both sides of the same. A fault here
 * is found with the shortest sequence that shows it.
 */
#include "rig.h"
#include "../selftests/lib/tap.h"

#define PLACES 4

/**
 * struct space - the places
 * @unit: pages in each of them
 * @depth: calls in a sequence
 * @aligned: memory as aligned as its address, so that leaves get large; else not
 */
struct space {
	unsigned int unit;
	unsigned int depth;
	bool aligned;
};

struct call {
	enum { MAP, UNMAP, TAKE, CUT } kind;
	unsigned int from, to;
};

static const char *const names[] = { "map", "unmap", "take", "cut" };

static unsigned int all_calls(struct call *calls)
{
	unsigned int nr = 0, from, to, kind;

	for (from = 0; from < PLACES; from++) {
		for (to = from + 1; to <= PLACES; to++)
			for (kind = MAP; kind <= TAKE; kind++)
				calls[nr++] = (struct call){ kind, from, to };
		calls[nr++] = (struct call){ CUT, from, from };
	}
	return nr;
}

static bool apply(struct rig *r, const struct space *s, const struct call *c)
{
	unsigned int at = c->from * s->unit, nr = (c->to - c->from) * s->unit;
	u64 phys = 0x40000000 + at * r->page + (s->aligned ? 0 : 3 * r->page);

	switch (c->kind) {
	case MAP:
		return rig_map(r, at, nr, phys, PT_READ | PT_WRITE, ~0ULL);
	case UNMAP:
		/* without a look inside only what is mapped throughout */
		return !rig_mapped(r, at, nr) || rig_unmap(r, at, nr, false);
	case TAKE:
		return rig_unmap(r, at, nr, true);
	default:
		return rig_cut(r, at);
	}
}

static bool check(struct rig *r, const struct space *s)
{
	unsigned int i;

	for (i = 0; i < PLACES; i++)
		if (!rig_check_page(r, i * s->unit) ||
		    !rig_check_page(r, (i + 1) * s->unit - 1) ||
		    !rig_lookup(r, i * s->unit, (PLACES - i) * s->unit))
			return false;
	return true;
}

static void run_all(const struct rig_format *f, const struct space *s)
{
	struct call calls[64];
	unsigned int nr = all_calls(calls), step[8], i;
	u64 base = rig_base(f, -(s64)(PLACES / 2 * s->unit));
	struct rig r;

	for (i = 0; i < s->depth; i++)
		step[i] = 0;
	for (;;) {
		if (!rig_init(&r, f, NULL, base, PLACES * s->unit))
			tap_fail(__FILE__, __LINE__, "%s: %s", f->name, r.why);
		for (i = 0; i < s->depth; i++)
			if (!apply(&r, s, &calls[step[i]]) || !check(&r, s))
				break;
		if (i < s->depth) {
			unsigned int j;

			for (j = 0; j <= i; j++)
				tap_note("call %u: %s %u-%u", j,
					 names[calls[step[j]].kind],
					 calls[step[j]].from, calls[step[j]].to);
			tap_fail(__FILE__, __LINE__, "%s: %s", f->name, r.why);
		}
		rig_fini(&r);
		for (i = s->depth; i--;) {
			if (++step[i] < nr)
				break;
			step[i] = 0;
		}
		if (i == -1U)
			break;
	}
	if (pt_user_tables)
		tap_fail(__FILE__, __LINE__, "%s: %ld tables are left", f->name,
			 pt_user_tables);
}

static void all_formats(void)
{
	unsigned int i;

	for (i = 0; i < rig_nr_formats; i++)
		run_all(&rig_formats[i], tap_current->arg);
}

static const struct space pages = { 1, 3, false };
static const struct space large = { 256, 3, true };
static const struct space shifted = { 256, 2, false };

static const struct tap_test tests[] = {
	{ "pages on both sides of the end of a table", all_formats, 600, &pages },
	{ "halves of large leaves", all_formats, 600, &large },
	{ "the same with memory that allows no large leaf", all_formats, 600, &shifted },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

// SPDX-License-Identifier: GPL-2.0-only
/* One call out of a few bytes: for random runs and for fuzzers. */
#include <stdio.h>

#include "ops.h"

static unsigned int take(struct ops_source *s, unsigned int below)
{
	unsigned int value = s->next(s);

	if (below > 256)
		value = value << 8 | s->next(s);
	return value % below;
}

/* How many pages: few, as many as a large leaf has, or anything. */
static unsigned int take_length(struct ops_source *s, unsigned int most)
{
	static const unsigned int usual[] = { 1, 2, 3, 16, 511, 512, 513, 1024 };
	unsigned int nr = take(s, 16);

	nr = nr < 8 ? usual[nr] : 1 + take(s, nr < 12 ? 64 : 2048);
	return nr < most ? nr : most;
}

static unsigned int take_place(struct ops_source *s, unsigned int nr)
{
	unsigned int at = take(s, nr);

	/* every other one at the beginning of a large leaf */
	return take(s, 2) ? at : at & ~511U;
}

static u64 take_memory(struct rig *r, struct ops_source *s, unsigned int at)
{
	u64 phys = ((u64)take(s, 32) << 30) + 0x100000000 + at * r->page;

	/* as aligned as its address, or off by some pages */
	return take(s, 4) ? phys : phys + take(s, 512) * r->page;
}

bool ops_one(struct rig *r, struct ops_source *s)
{
	static const u64 sizes[] = { ~0ULL, ~0ULL, 0x201000, 0x1000 };
	unsigned int what = take(s, 16), at = take_place(s, r->nr);
	unsigned int nr = take_length(s, r->nr - at);

	switch (what) {
	case 0 ... 4:
		return rig_map(r, at, nr, take_memory(r, s, at),
			       PT_READ | (take(s, 4) ? PT_WRITE : 0),
			       sizes[take(s, 4)]);
	case 5 ... 7:
		return rig_unmap(r, at, nr, true);
	case 8 ... 9:
		return !rig_mapped(r, at, nr) || rig_unmap(r, at, nr, false);
	case 10:
		return rig_lookup(r, at, nr);
	case 11:
		return rig_cut(r, at);
	case 12 ... 13:
		return rig_write(r, at);
	case 14:
		return rig_dirty(r, at, nr, take(s, 2));
	default:
		return rig_check_page(r, at);
	}
}

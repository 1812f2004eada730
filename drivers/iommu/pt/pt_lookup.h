/* SPDX-License-Identifier: GPL-2.0-only */
/* What memory is behind an address, and how much of it in one piece. */
#ifndef __IOMMU_PT_LOOKUP_H
#define __IOMMU_PT_LOOKUP_H

#include "pt_walk.h"

/* The leaf that covers @iova: where it leads to at @iova and how far it goes. */
static inline size_t pt_lookup_leaf(struct pt *pt, struct pt_walk *w, u64 iova,
				    u64 *phys)
{
	unsigned int level, lg2;
	u64 item, offset;

	pt_walk_to(pt, w, iova, 0, false);
	level = w->level;
	item = pt_os_load(&w->table[level][pt_index(pt, level, iova)]);
	if (!fmt_present(item))
		return 0;
	lg2 = fmt_leaf_lg2(&pt->config, level, item);
	offset = iova & (BIT_ULL(lg2) - 1);
	*phys = fmt_leaf_oa(&pt->config, level, item) + offset;
	return BIT_ULL(lg2) - offset;
}

static size_t pt_lookup(struct pt *pt, u64 iova, size_t len, u64 *phys)
{
	size_t done = 0;
	struct pt_walk w;

	if (!pt_in_range(pt, iova, len))
		return 0;
	pt_walk_init(pt, &w, iova);
	while (done < len) {
		u64 at;
		size_t n = pt_lookup_leaf(pt, &w, iova + done, &at);

		if (!n || (done && at != *phys + done))
			break;
		if (!done)
			*phys = at;
		done += n;
		pt_os_relax();
	}
	return min(done, len);
}

#endif

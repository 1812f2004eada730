/* SPDX-License-Identifier: GPL-2.0-only */
/* What hardware has recorded of the writes of devices. */
#ifndef __IOMMU_PT_DIRTY_H
#define __IOMMU_PT_DIRTY_H

#include "pt_walk.h"

/**
 * struct pt_dirty - what a call carries along
 * @first: its range
 * @last: its range
 * @clear: make clean what is dirty
 * @set: whom to tell
 * @arg: for @set
 * @gather: the caller's
 */
struct pt_dirty {
	u64 first;
	u64 last;
	bool clear;
	void (*set)(void *arg, u64 iova, size_t len);
	void *arg;
	struct pt_gather *gather;
};

/* Hardware may be writing to the item at the same time. */
static inline void pt_clean_item(u64 *item)
{
	u64 value = pt_os_load(item);

	while (fmt_dirty(value) && !pt_os_exchange(item, &value, fmt_clean(value)))
		;
}

/* The leaf that @index belongs to; how many of its items were dealt with. */
static inline unsigned int pt_dirty_leaf(struct pt *pt, struct pt_dirty *d,
					 u64 *table, unsigned int index,
					 unsigned int level, u64 item, u64 iova)
{
	unsigned int lg2 = fmt_leaf_lg2(&pt->config, level, item), first = index;
	unsigned int nr = pt_leaf_items(pt, level, item, &first), i;
	bool dirty = false;
	u64 from, to;

	/* Hardware records a write in any of the items. */
	for (i = 0; i < nr; i++)
		dirty |= fmt_dirty(pt_os_load(table + first + i));
	if (!dirty)
		return nr - (index - first);
	if (d->clear) {
		for (i = 0; i < nr; i++)
			pt_clean_item(table + first + i);
		pt_flush(pt, table + first, nr);
	}
	from = iova >> lg2 << lg2;
	to = pt_end_of(iova, lg2);
	if (d->clear)
		pt_gather_add(d->gather, from, to);
	from = max(from, d->first);
	to = min(to, d->last);
	d->set(d->arg, from, to - from + 1);
	return nr - (index - first);
}

static inline void pt_dirty_table(struct pt *pt, struct pt_dirty *d, u64 *table,
				  unsigned int level, u64 iova)
{
	unsigned int shift = fmt_shift(&pt->config, level);
	unsigned int index = pt_index(pt, level, iova);
	unsigned int end = BIT(fmt_items_lg2(&pt->config, level)), nr;

	while (index < end) {
		u64 item = pt_os_load(table + index);

		nr = 1;
		if (fmt_present(item)) {
			if (fmt_is_leaf(&pt->config, level, item))
				nr = pt_dirty_leaf(pt, d, table, index, level,
						   item, iova);
			else
				pt_dirty_table(pt, d,
					       pt_os_virt(fmt_table_phys(&pt->config, item)),
					       level - 1, iova);
		}
		index += nr;
		iova = (iova >> shift << shift) + ((u64)nr << shift);
		if (iova - 1 >= d->last)
			break;
	}
	pt_os_relax();
}

static void pt_read_dirty(struct pt *pt, u64 iova, size_t len, bool clear,
			  void (*set)(void *arg, u64 iova, size_t len),
			  void *arg, struct pt_gather *gather)
{
	struct pt_dirty d = {
		.first = iova,
		.last = iova + len - 1,
		.clear = clear,
		.set = set,
		.arg = arg,
		.gather = gather,
	};

	if (pt_in_range(pt, iova, len))
		pt_dirty_table(pt, &d, pt->top, pt_top_level(pt), iova);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* Taking out what is mapped, and tables that nothing is left in. */
#ifndef __IOMMU_PT_UNMAP_H
#define __IOMMU_PT_UNMAP_H

#include "pt_walk.h"

/* Retire a table and all tables below it. What its leaves say does not matter. */
static inline void pt_retire(struct pt *pt, u64 item, unsigned int level,
			     struct pt_gather *gather)
{
	u64 *table = pt_os_virt(fmt_table_phys(&pt->config, item));
	unsigned int i;

	if (level)
		for (i = 0; i < BIT(fmt_items_lg2(&pt->config, level)); i++) {
			u64 below = pt_os_load(table + i);

			if (fmt_present(below) &&
			    !fmt_is_leaf(&pt->config, level, below))
				pt_retire(pt, below, level - 1, gather);
		}
	pt_table_list_add(&gather->retired, table);
	gather->tables = true;
}

static inline bool pt_table_is_empty(struct pt *pt, u64 item, unsigned int level)
{
	u64 *table = pt_os_virt(fmt_table_phys(&pt->config, item));
	unsigned int i;

	for (i = 0; i < BIT(fmt_items_lg2(&pt->config, level)); i++) {
		u64 below = pt_os_load(table + i);

		if (!fmt_present(below))
			continue;
		if (fmt_is_leaf(&pt->config, level, below) ||
		    !pt_table_is_empty(pt, below, level - 1))
			return false;
	}
	return true;
}

/* Add memory to a list; false if there is no room for it. */
static inline bool pt_collect(struct pt_runs *runs, u64 phys, u64 len)
{
	struct pt_run *last = runs->nr ? &runs->run[runs->nr - 1] : NULL;

	if (last && last->phys + last->len == phys) {
		last->len += len;
		return true;
	}
	if (runs->nr == runs->max)
		return false;
	runs->run[runs->nr++] = (struct pt_run){ .phys = phys, .len = len };
	return true;
}

/**
 * struct pt_unmapping - what an unmap call carries along
 * @last: the last address of its range
 * @gather: the caller's
 * @runs: where to collect what is removed, or NULL
 * @next: how far it has come: the first address not dealt with
 * @stop: it goes no further: no more room, or a leaf reaches out of the range
 */
struct pt_unmapping {
	u64 last;
	struct pt_gather *gather;
	struct pt_runs *runs;
	u64 next;
	bool stop;
};

/* Clear the leaf at u->next; how many items it had. */
static inline unsigned int pt_clear_leaf(struct pt *pt, struct pt_unmapping *u,
					 u64 *table, unsigned int index,
					 unsigned int level, u64 item)
{
	unsigned int lg2 = fmt_leaf_lg2(&pt->config, level, item);
	unsigned int nr = pt_leaf_items(pt, level, item, &index), i;

	/* the leaf has to begin and to end within the range */
	if (u->next & (BIT_ULL(lg2) - 1) ||
	    u->last - u->next < BIT_ULL(lg2) - 1 ||
	    (u->runs && !pt_collect(u->runs,
				    fmt_leaf_oa(&pt->config, level, item),
				    BIT_ULL(lg2)))) {
		u->stop = true;
		return 0;
	}
	for (i = 0; i < nr; i++)
		pt_os_store(table + index + i, 0);
	return nr;
}

/* Clear leaves of one item each, one after the other; how many there were. */
static inline unsigned int pt_clear_leaves(struct pt *pt, u64 *item,
					   unsigned int nr, unsigned int level,
					   struct pt_unmapping *u)
{
	unsigned int shift = fmt_shift(&pt->config, level), i;
	u64 most = (u->last - u->next) >> shift;

	if (u->next & (BIT_ULL(shift) - 1))
		return 0;
	/* one less than there are, since the range may not end with a leaf */
	nr = most < nr ? most : nr;
	for (i = 0; i < nr; i++) {
		u64 value = pt_os_load(item + i);

		if (!fmt_present(value) ||
		    !fmt_is_leaf(&pt->config, level, value) ||
		    fmt_leaf_lg2(&pt->config, level, value) != shift)
			break;
		pt_os_store(item + i, 0);
	}
	u->next += (u64)i << shift;
	return i;
}

static inline void pt_unmap_table(struct pt *pt, struct pt_unmapping *u,
				  u64 *table, unsigned int level);

/* A table item; whether it has become empty. */
static inline bool pt_unmap_below(struct pt *pt, struct pt_unmapping *u,
				  u64 item, unsigned int level)
{
	unsigned int shift = fmt_shift(&pt->config, level);
	u64 last = pt_end_of(u->next, shift);
	bool whole = !(u->next & (BIT_ULL(shift) - 1)) && last <= u->last;

	if (!whole || u->runs)
		pt_unmap_table(pt, u, pt_os_virt(fmt_table_phys(&pt->config, item)),
			       level - 1);
	else
		u->next = last + 1;
	return whole && !u->stop;
}

/* Remove what the range has in @table, from u->next on. */
static inline void pt_unmap_table(struct pt *pt, struct pt_unmapping *u,
				  u64 *table, unsigned int level)
{
	unsigned int shift = fmt_shift(&pt->config, level);
	unsigned int index = pt_index(pt, level, u->next), first = index;
	unsigned int end = BIT(fmt_items_lg2(&pt->config, level));
	unsigned int nr;

	/* u->next is 0 again behind the last address there is */
	while (index < end && !u->stop) {
		u64 item;

		if (!u->runs) {
			nr = pt_clear_leaves(pt, table + index, end - index,
					     level, u);
			index += nr;
			if (index == end || (nr && u->next - 1 >= u->last))
				break;
		}
		item = pt_os_load(table + index);
		if (!fmt_present(item)) {
			u->next = pt_end_of(u->next, shift) + 1;
			index++;
		} else if (fmt_is_leaf(&pt->config, level, item)) {
			nr = pt_clear_leaf(pt, u, table, index, level, item);
			u->next += (u64)nr << shift;
			index += nr;
		} else if (pt_unmap_below(pt, u, item, level)) {
			pt_os_store(table + index, 0);
			pt_retire(pt, item, level - 1, u->gather);
			index++;
		} else {
			index++;
		}
		if (u->next - 1 >= u->last)
			break;
	}
	if (index > first)
		pt_flush(pt, table + first, min(index, end) - first);
	pt_os_relax();
}

static size_t pt_unmap(struct pt *pt, u64 iova, size_t len,
		       struct pt_gather *gather, struct pt_runs *runs)
{
	struct pt_unmapping u = {
		.last = iova + len - 1,
		.gather = gather,
		.runs = runs,
		.next = iova,
	};

	if (!pt_in_range(pt, iova, len))
		return 0;
	pt_unmap_table(pt, &u, pt->top, pt_top_level(pt));
	len = u.next ? min_t(u64, u.next - iova, len) : len;
	if (u.next != iova)
		pt_gather_add(gather, iova, iova + len - 1);
	return len;
}

/* Only when nobody uses the table any more, so that nothing has to wait. */
static inline void pt_free_below(struct pt *pt, u64 *table, unsigned int level)
{
	unsigned int i;

	for (i = 0; level && i < BIT(fmt_items_lg2(&pt->config, level)); i++) {
		u64 item = pt_os_load(table + i);

		if (fmt_present(item) && !fmt_is_leaf(&pt->config, level, item))
			pt_free_below(pt, pt_os_virt(fmt_table_phys(&pt->config, item)),
				      level - 1);
	}
	pt_os_free(table);
	pt_os_relax();
}

static void pt_destroy(struct pt *pt)
{
	if (pt->top)
		pt_free_below(pt, pt->top, pt_top_level(pt));
	pt->top = NULL;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* Making smaller leaves of a large one, so that one begins at an address. */
#ifndef __IOMMU_PT_CUT_H
#define __IOMMU_PT_CUT_H

#include "pt_walk.h"

/**
 * struct pt_cutting - a leaf and what becomes of it
 * @item: its first item
 * @nr: how many it has
 * @level: where they are
 * @lg2: its size
 * @below: the level of the smaller leaves: the same, or the next
 * @below_lg2: their size
 * @table: where they come, if not at the same level
 */
struct pt_cutting {
	u64 *item;
	unsigned int nr;
	unsigned int level;
	unsigned int lg2;
	unsigned int below;
	unsigned int below_lg2;
	u64 *table;
};

/* Find the next smaller leaf: at the same level or the one below. */
static inline int pt_cut_plan(const struct pt *pt, struct pt_cutting *c)
{
	int level;
	u64 fit;

	for (level = c->level; level >= 0 && level + 1 >= (int)c->level; level--) {
		fit = fmt_leaf_sizes(&pt->config, level) &
		      (BIT_ULL(c->lg2) - 1);
		if (!fit)
			continue;
		c->below = level;
		c->below_lg2 = ilog2(fit);
		return 0;
	}
	return -EINVAL;
}

/*
 * Empty items that hardware may be writing to. Returns one of them: one that
 * tells of a write if there is one, since it stands for all.
 */
static inline u64 pt_break(u64 *item, unsigned int nr)
{
	u64 kept = 0;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		u64 old = pt_os_load(item + i);

		while (!pt_os_exchange(item + i, &old, 0))
			;
		if (!kept || fmt_dirty(old))
			kept = old;
	}
	return kept;
}

/* Write what item @i of the smaller leaves is, after what the large one said. */
static inline u64 pt_cut_item(const struct pt *pt, const struct pt_cutting *c,
			      u64 large, unsigned int i)
{
	return pt_item_of(pt, c->below, fmt_leaf_oa(&pt->config, c->level, large),
			  c->below_lg2,
			  fmt_leaf_attrs(&pt->config, c->level, large),
			  (u64)i << fmt_shift(&pt->config, c->below));
}

static inline u64 pt_cut_link(const struct pt *pt, const struct pt_cutting *c)
{
	return fmt_table(&pt->config, c->level, pt_os_phys(c->table));
}

static inline void pt_cut_fill_table(struct pt *pt, struct pt_cutting *c,
				     u64 large)
{
	unsigned int nr = BIT(fmt_items_lg2(&pt->config, c->below)), i;

	for (i = 0; i < nr; i++)
		pt_os_store(c->table + i, pt_cut_item(pt, c, large, i));
	pt_flush(pt, c->table, nr);
	pt_os_publish();
}

/* Put what becomes of @large into item @i, whatever it is; returns what it was. */
static inline u64 pt_cut_replace(struct pt *pt, struct pt_cutting *c,
				 unsigned int i, u64 large)
{
	u64 old = pt_os_load(c->item + i);

	while (!pt_os_exchange(c->item + i, &old, pt_cut_item(pt, c, large, i)))
		;
	return old;
}

/*
 * While hardware uses it. A write that it records in one item is one to the whole
 * leaf, since it may remember the leaf as dirty from then on: if there was one
 * until the last item was replaced, all leaves are dirty.
 */
static inline void pt_cut_live(struct pt *pt, struct pt_cutting *c)
{
	u64 large = pt_os_load(c->item), old;
	bool dirty = false;
	unsigned int i;

	if (c->table) {
		do
			pt_cut_fill_table(pt, c, large);
		while (!pt_os_exchange(c->item, &large, pt_cut_link(pt, c)));
		return;
	}
	for (i = 0; i < c->nr; i++) {
		old = pt_cut_replace(pt, c, i, large);
		if (fmt_dirty(old) && !dirty) {
			dirty = true;
			large = old;
		}
	}
	for (i = 0; dirty && i < c->nr; i++)
		pt_cut_replace(pt, c, i, large);
}

static inline void pt_cut_broken(struct pt *pt, struct pt_cutting *c, u64 large)
{
	unsigned int i;

	if (c->table) {
		pt_cut_fill_table(pt, c, large);
		pt_os_store(c->item, pt_cut_link(pt, c));
		return;
	}
	for (i = 0; i < c->nr; i++)
		pt_os_store(c->item + i, pt_cut_item(pt, c, large, i));
}

static inline bool pt_cut_may_be_live(const struct pt *pt,
				      const struct pt_cutting *c)
{
	u32 features = pt->config.features;

	return features & PT_FEAT_LIVE_CUT ||
	       (features & PT_FEAT_LIVE_CUT_WIDE && !c->table &&
		c->below_lg2 == fmt_shift(&pt->config, c->level));
}

static inline int pt_cut_leaf(struct pt *pt, struct pt_cutting *c, u64 first,
			      struct pt_gather *gather,
			      void (*invalidate)(struct pt *pt, u64 iova,
						 size_t len))
{
	int rc = pt_cut_plan(pt, c);

	if (rc)
		return rc;
	if (c->below != c->level) {
		c->table = pt_os_alloc(pt->config.node,
				       pt_table_lg2(pt, c->below));
		if (!c->table)
			return -ENOMEM;
	}
	if (pt_cut_may_be_live(pt, c)) {
		pt_cut_live(pt, c);
		pt_gather_add(gather, first, pt_end_of(first, c->lg2));
	} else {
		u64 large = pt_break(c->item, c->nr);

		pt_flush(pt, c->item, c->nr);
		invalidate(pt, first, BIT_ULL(c->lg2));
		pt_cut_broken(pt, c, large);
	}
	pt_flush(pt, c->item, c->nr);
	return 0;
}

static int pt_cut(struct pt *pt, u64 iova, struct pt_gather *gather,
		  void (*invalidate)(struct pt *pt, u64 iova, size_t len))
{
	struct pt_walk w;
	int rc = 0;

	if (!pt_in_range(pt, iova, 1))
		return -ERANGE;
	pt_walk_init(pt, &w, iova);
	/* a leaf may have to be cut again and again, into halves of halves */
	while (!rc) {
		struct pt_cutting c = { 0 };
		unsigned int index;
		u64 value;

		pt_walk_to(pt, &w, iova, 0, false);
		index = pt_index(pt, w.level, iova);
		value = pt_os_load(&w.table[w.level][index]);
		if (!fmt_present(value))
			break;
		c.level = w.level;
		c.lg2 = fmt_leaf_lg2(&pt->config, c.level, value);
		if (!(iova & (BIT_ULL(c.lg2) - 1)))
			break;
		c.nr = pt_leaf_items(pt, c.level, value, &index);
		c.item = &w.table[c.level][index];
		rc = pt_cut_leaf(pt, &c, iova >> c.lg2 << c.lg2, gather,
				 invalidate);
	}
	return rc;
}

#endif

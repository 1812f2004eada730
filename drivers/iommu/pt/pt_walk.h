/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Getting from the top to an item. Included by the .c file of a format after the
 * header of that format, as all headers below; the format's functions are known
 * by the names below, in every format:
 *
 *	fmt_shift(c, level)		lg2 of the span of an item
 *	fmt_items_lg2(c, level)		lg2 of the items of a table
 *	fmt_leaf_sizes(c, level)	leaves that can stand at this level
 *	fmt_check(c)			whether there can be such a table
 *	fmt_attrs(c, prot, &attrs)	the bits of a leaf that say what is allowed
 *	fmt_present(item)		is it a leaf or a table item?
 *	fmt_is_leaf(c, level, item)	a present item: which?
 *	fmt_table(c, level, phys)	a table item
 *	fmt_table_phys(c, item)		where a table item leads to
 *	fmt_leaf(c, level, oa, lg2, attrs)
 *					the first item of a leaf of that size
 *	fmt_advance(c, item, bytes)	the same leaf, that much further
 *	fmt_leaf_oa(c, level, item)	where the leaf that an item is of leads to
 *	fmt_leaf_lg2(c, level, item)	and how large it is
 *	fmt_leaf_attrs(c, level, item)	its attributes, with what hardware recorded
 *	fmt_dirty(item)			was it written to?
 *	fmt_clean(item)			the item as if it was not
 *	fmt_seen, fmt_see(item)		a table item is known to have been flushed
 *
 * FMT_REPLICATED, if it is defined, says that the items of a leaf of several are
 * equal; else each of them leads to its own part of it. FMT_BREAK_FIRST says that a
 * table must not become a leaf while hardware may remember it, if there is no
 * PT_FEAT_LIVE_CUT.
 */
#ifndef __IOMMU_PT_WALK_H
#define __IOMMU_PT_WALK_H

#include "pt.h"

/**
 * struct pt_walk - where a call is in the table
 * @iova: an address below all of @table[@level] and above
 * @level: the lowest level that is known
 * @table: the tables on the way to @iova, from @level on
 */
struct pt_walk {
	u64 iova;
	unsigned int level;
	u64 *table[PT_MAX_LEVELS];
};

static inline unsigned int pt_top_level(const struct pt *pt)
{
	return pt->config.levels - 1;
}

/* The span of a table: what all of its items cover. */
static inline unsigned int pt_span_lg2(const struct pt *pt, unsigned int level)
{
	return fmt_shift(&pt->config, level) + fmt_items_lg2(&pt->config, level);
}

static inline unsigned int pt_index(const struct pt *pt, unsigned int level,
				    u64 iova)
{
	return (iova >> fmt_shift(&pt->config, level)) &
	       (BIT_ULL(fmt_items_lg2(&pt->config, level)) - 1);
}

static inline size_t pt_table_lg2(const struct pt *pt, unsigned int level)
{
	return fmt_items_lg2(&pt->config, level) + 3;
}

/* The last address of the item, or the table, that @iova lies in. */
static inline u64 pt_end_of(u64 iova, unsigned int lg2)
{
	return lg2 >= 64 ? U64_MAX : iova | (BIT_ULL(lg2) - 1);
}

static inline bool pt_noncoherent(const struct pt *pt)
{
	return pt->config.features & PT_FEAT_NONCOHERENT;
}

static inline void pt_flush(const struct pt *pt, const u64 *items, size_t nr)
{
	if (pt_noncoherent(pt))
		pt_os_flush(items, nr);
}

/* Is the whole range within what the table translates? */
static inline bool pt_in_range(const struct pt *pt, u64 iova, size_t len)
{
	unsigned int bits = pt->config.va_bits;
	u64 last;

	if (!len || check_add_overflow(iova, (u64)len - 1, &last))
		return false;
	if (bits >= 64)
		return true;
	if (!(pt->config.features & PT_FEAT_SIGN_EXTEND))
		return !(last >> bits);
	/* the highest bit and all above it are the same, in the whole range */
	return (s64)iova >> (bits - 1) == (s64)last >> (bits - 1) &&
	       ((s64)iova >> (bits - 1) == 0 || (s64)iova >> (bits - 1) == -1);
}

static inline void pt_walk_init(const struct pt *pt, struct pt_walk *w, u64 iova)
{
	w->iova = iova;
	w->level = pt_top_level(pt);
	w->table[w->level] = pt->top;
}

/*
 * Flush a table item that its maker may not have flushed yet: what is put below
 * it by a faster call has to be reachable when that call returns.
 */
static inline void pt_see(const struct pt *pt, u64 *item, u64 value)
{
	if (!pt_noncoherent(pt) || fmt_seen(value))
		return;
	pt_os_flush(item, 1);
	pt_os_exchange(item, &value, fmt_see(value));
}

/* Put a new table into an empty item, or find that somebody else just did. */
static inline int pt_grow(struct pt *pt, u64 *item, unsigned int level,
			  u64 *value)
{
	size_t lg2 = pt_table_lg2(pt, level - 1);
	u64 *table = pt_os_alloc(pt->config.node, lg2);
	u64 old = 0;

	if (!table)
		return -ENOMEM;
	pt_flush(pt, table, BIT(lg2 - 3));
	pt_os_publish();
	*value = fmt_table(&pt->config, level, pt_os_phys(table));
	if (pt_os_exchange(item, &old, *value))
		return 0;
	pt_os_free(table);
	*value = old;
	return 0;
}

/*
 * Go to the table at @level that covers @iova, by way of what is known. With
 * @make missing tables are made. Stops above @level at an item that is empty, or
 * a leaf: w->level tells where.
 */
static inline int pt_walk_to(struct pt *pt, struct pt_walk *w, u64 iova,
			     unsigned int level, bool make)
{
	unsigned int top = pt_top_level(pt), at = w->level;

	if (at < level)
		at = level;
	while (at < top && (iova ^ w->iova) >> pt_span_lg2(pt, at))
		at++;
	w->iova = iova;
	for (; at > level; at--) {
		u64 *item = &w->table[at][pt_index(pt, at, iova)];
		u64 value = pt_os_load(item);

		if (!fmt_present(value)) {
			int rc;

			if (!make)
				break;
			rc = pt_grow(pt, item, at, &value);
			if (rc)
				return rc;
		}
		if (fmt_is_leaf(&pt->config, at, value))
			break;
		pt_see(pt, item, value);
		w->table[at - 1] = pt_os_virt(fmt_table_phys(&pt->config, value));
	}
	w->level = at;
	return 0;
}

/* The item at @offset of leaves of size @lg2 that begin at @oa. */
static inline u64 pt_item_of(const struct pt *pt, unsigned int level, u64 oa,
			     unsigned int lg2, u64 attrs, u64 offset)
{
	u64 within = offset & (BIT_ULL(lg2) - 1);
	u64 value = fmt_leaf(&pt->config, level, oa + offset - within, lg2, attrs);

#ifndef FMT_REPLICATED
	value = fmt_advance(&pt->config, value, within);
#endif
	return value;
}

/* The items that make up the leaf at @index, and the first of them. */
static inline unsigned int pt_leaf_items(const struct pt *pt, unsigned int level,
					 u64 item, unsigned int *index)
{
	unsigned int lg2 = fmt_leaf_lg2(&pt->config, level, item) -
			   fmt_shift(&pt->config, level);

	*index &= ~(BIT(lg2) - 1);
	return BIT(lg2);
}

#endif

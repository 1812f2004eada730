/* SPDX-License-Identifier: GPL-2.0-only */
/* Entering runs of memory, with the largest leaves that fit. */
#ifndef __IOMMU_PT_MAP_H
#define __IOMMU_PT_MAP_H

#include "pt_unmap.h"

/**
 * struct pt_mapping - what a map call carries along
 * @walk: where it is
 * @attrs: of its leaves
 * @sizes: leaves that may be used
 * @gather: the caller's
 * @rc: what stopped it, or 0
 */
struct pt_mapping {
	struct pt_walk walk;
	u64 attrs;
	u64 sizes;
	struct pt_gather *gather;
	int rc;
};

/* How many bytes are to be entered with leaves of the size that comes next. */
static inline u64 pt_next_leaves(u64 sizes, u64 iova, u64 phys, u64 len,
				 unsigned int *lg2)
{
	unsigned int most = ilog2(len);
	u64 fit, larger, apart;

	if (iova | phys)
		most = min_t(unsigned int, most, __ffs64(iova | phys));
	fit = sizes & GENMASK_ULL(most, 0);
	if (!fit)
		return 0;
	*lg2 = ilog2(fit);
	larger = *lg2 < 63 ? sizes >> (*lg2 + 1) << (*lg2 + 1) : 0;
	if (larger) {
		/* Up to where a larger one begins, if one ever can. */
		larger &= -larger;
		apart = -iova & (larger - 1);
		if (apart && !((iova ^ phys) & (larger - 1)) &&
		    apart < len && len - apart >= larger)
			return apart;
	}
	return len & ~(BIT_ULL(*lg2) - 1);
}

/* The first address that leaves cannot lead to; none is that high. */
static inline u64 pt_oa_end(const struct pt *pt)
{
	return pt->config.oa_bits < 64 ? BIT_ULL(pt->config.oa_bits) : U64_MAX;
}

/* Where leaves of a size stand; some level has them. */
static inline unsigned int pt_level_of(const struct pt *pt, unsigned int lg2)
{
	unsigned int level = 0;

	while (!(fmt_leaf_sizes(&pt->config, level) & BIT_ULL(lg2)))
		level++;
	return level;
}

/* Must a table stay where it is, since hardware may remember it? */
static inline bool pt_tables_stay(const struct pt *pt)
{
#ifdef FMT_BREAK_FIRST
	return !(pt->config.features & PT_FEAT_LIVE_CUT);
#else
	return false;
#endif
}

/*
 * The place of a leaf is taken by a table, in which nobody else can be, since the
 * leaf covers all of it. If nothing is mapped in it, it gives way. -EAGAIN if it
 * cannot: smaller leaves have to go into it.
 */
static inline int pt_make_way(struct pt *pt, struct pt_mapping *m, u64 *item,
			      unsigned int level, u64 iova)
{
	u64 value = pt_os_load(item);
	unsigned int lg2 = fmt_shift(&pt->config, level);

	if (!value)
		return 0;
	if (fmt_is_leaf(&pt->config, level, value))
		return -EEXIST;
	if (pt_tables_stay(pt))
		return -EAGAIN;
	if (!pt_table_is_empty(pt, value, level - 1))
		return -EEXIST;
	pt_os_store(item, 0);
	pt_flush(pt, item, 1);
	pt_retire(pt, value, level - 1, m->gather);
	iova = iova >> lg2 << lg2;
	pt_gather_add(m->gather, iova, pt_end_of(iova, lg2));
	return 0;
}

/* One leaf of one item after the other: the inner loop. How many were entered. */
static inline unsigned int pt_store_items(struct pt *pt, struct pt_mapping *m,
					  u64 *item, unsigned int nr,
					  unsigned int level, u64 iova,
					  u64 value, u64 size)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (unlikely(pt_os_load(item + i))) {
			m->rc = pt_make_way(pt, m, item + i, level,
					    iova + i * size);
			if (m->rc)
				break;
		}
		pt_os_store(item + i, value);
		value = fmt_advance(&pt->config, value, size);
	}
	pt_flush(pt, item, i);
	return i;
}

/* Leaves of several items each: all @nr items or none. */
static inline unsigned int pt_store_wide(struct pt *pt, struct pt_mapping *m,
					 u64 *item, unsigned int nr,
					 unsigned int level, u64 iova, u64 phys,
					 unsigned int lg2)
{
	unsigned int shift = fmt_shift(&pt->config, level), i;

	for (i = 0; i < nr; i++) {
		m->rc = pt_make_way(pt, m, item + i, level,
				    iova + ((u64)i << shift));
		if (m->rc)
			return 0;
	}
	for (i = 0; i < nr; i++)
		pt_os_store(item + i, pt_item_of(pt, level, phys, lg2, m->attrs,
						 (u64)i << shift));
	pt_flush(pt, item, nr);
	return nr;
}

/* Enter leaves of one size into one table; how many bytes. */
static inline u64 pt_map_table(struct pt *pt, struct pt_mapping *m, u64 iova,
			       u64 phys, u64 len, unsigned int lg2)
{
	unsigned int level = pt_level_of(pt, lg2), shift, index, nr;
	u64 left, *item;

	m->rc = pt_walk_to(pt, &m->walk, iova, level, true);
	if (!m->rc && m->walk.level != level)
		m->rc = -EEXIST;
	if (m->rc)
		return 0;
	shift = fmt_shift(&pt->config, level);
	index = pt_index(pt, level, iova);
	item = m->walk.table[level] + index;
	left = BIT_ULL(fmt_items_lg2(&pt->config, level)) - index;
	nr = min(len >> shift, left);
	if (lg2 == shift)
		nr = pt_store_items(pt, m, item, nr, level, iova,
				    fmt_leaf(&pt->config, level, phys, lg2,
					     m->attrs), BIT_ULL(lg2));
	else
		nr = pt_store_wide(pt, m, item, nr, level, iova, phys, lg2);
	return (u64)nr << shift;
}

static inline void pt_map_run(struct pt *pt, struct pt_mapping *m, u64 iova,
			      const struct pt_run *run, size_t *mapped)
{
	u64 phys = run->phys, len = run->len, sizes = m->sizes, part, n;
	/* what is left of a place that a table has, with smaller leaves */
	u64 within = 0;
	unsigned int lg2;

	if (!pt_in_range(pt, iova, len) || phys + len - 1 < phys ||
	    phys + len - 1 >= pt_oa_end(pt))
		m->rc = -ERANGE;
	while (len && !m->rc) {
		part = pt_next_leaves(sizes, iova, phys, within ?: len, &lg2);
		if (!part)
			m->rc = -EINVAL;
		while (part && !m->rc) {
			n = pt_map_table(pt, m, iova, phys, part, lg2);
			iova += n;
			phys += n;
			part -= n;
			len -= n;
			within -= min(n, within);
			*mapped += n;
			pt_os_relax();
		}
		if (m->rc == -EAGAIN) {
			m->rc = 0;
			within = BIT_ULL(lg2);
			sizes = m->sizes & (within - 1);
		} else if (!within) {
			sizes = m->sizes;
		}
	}
}

/*
 * Memory in pieces of one leaf each, of which there may be very many: those that
 * go into one table, as long as nothing is special. How many runs.
 */
static inline unsigned int pt_map_pieces(struct pt *pt, struct pt_mapping *m,
					 u64 iova, const struct pt_run *runs,
					 unsigned int nr)
{
	u64 size = runs[0].len, end = pt_oa_end(pt), i, *item;
	unsigned int lg2 = ilog2(size), level = 0, index;

	while (level < pt->config.levels &&
	       fmt_shift(&pt->config, level) != lg2)
		level++;
	if (!(m->sizes & size) || size != BIT_ULL(lg2) || iova & (size - 1) ||
	    level == pt->config.levels || !pt_in_range(pt, iova, size))
		return 0;
	m->rc = pt_walk_to(pt, &m->walk, iova, level, true);
	if (m->rc || m->walk.level != level)
		return 0;
	index = pt_index(pt, level, iova);
	item = m->walk.table[level] + index;
	nr = min(nr, (unsigned int)BIT(fmt_items_lg2(&pt->config, level)) - index);
	for (i = 0; i < nr; i++) {
		u64 phys = runs[i].phys;

		if (runs[i].len != size || phys & (size - 1) || phys >= end ||
		    pt_os_load(item + i))
			break;
		pt_os_store(item + i, fmt_leaf(&pt->config, level, phys, lg2,
					       m->attrs));
	}
	pt_flush(pt, item, i);
	return i;
}

static inline u64 pt_page_sizes(const struct pt *pt)
{
	unsigned int most = pt->config.max_leaf_lg2 ?: 63, level;
	u64 sizes = 0;

	for (level = 0; level < pt->config.levels; level++)
		sizes |= fmt_leaf_sizes(&pt->config, level);
	return sizes & GENMASK_ULL(most, 0);
}

static int pt_map(struct pt *pt, u64 iova, const struct pt_run *runs,
		  unsigned int nr, unsigned int prot, u64 sizes,
		  struct pt_gather *gather, size_t *mapped)
{
	struct pt_mapping m = {
		.sizes = sizes & pt_page_sizes(pt),
		.gather = gather,
	};
	unsigned int i;

	*mapped = 0;
	m.rc = fmt_attrs(&pt->config, prot, &m.attrs);
	pt_walk_init(pt, &m.walk, iova);
	for (i = 0; i < nr && !m.rc; ) {
		unsigned int n = pt_map_pieces(pt, &m, iova + *mapped, runs + i,
					       nr - i);

		if (n) {
			*mapped += n * runs[i].len;
			i += n;
		} else if (!m.rc) {
			pt_map_run(pt, &m, iova + *mapped, &runs[i++], mapped);
		}
	}
	return m.rc;
}

#endif

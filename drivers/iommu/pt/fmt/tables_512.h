/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What formats have in common whose tables are pages of 512 items. The format
 * has defined before, as bits of an item,
 *
 *	FMT_ADDRESS	where a table or a leaf lies
 *	FMT_ATTRS	what a leaf is beside its address and size
 *	FMT_DIRTY	set by hardware when the leaf was written through
 */
#ifndef __IOMMU_PT_TABLES_512_H
#define __IOMMU_PT_TABLES_512_H

#include "../pt.h"

static inline unsigned int fmt_shift(const struct pt_config *c,
				     unsigned int level)
{
	return 12 + 9 * level;
}

static inline unsigned int fmt_items_lg2(const struct pt_config *c,
					 unsigned int level)
{
	return 9;
}

static inline u64 fmt_table_phys(const struct pt_config *c, u64 item)
{
	return item & FMT_ADDRESS;
}

static inline u64 fmt_advance(const struct pt_config *c, u64 item, u64 bytes)
{
	return item + bytes;
}

static inline u64 fmt_leaf_attrs(const struct pt_config *c, unsigned int level,
				 u64 item)
{
	return item & FMT_ATTRS;
}

#ifndef FMT_OWN_DIRTY
static inline bool fmt_dirty(u64 item)
{
	return item & FMT_DIRTY;
}

static inline u64 fmt_clean(u64 item)
{
	return item & ~FMT_DIRTY;
}
#endif

#endif

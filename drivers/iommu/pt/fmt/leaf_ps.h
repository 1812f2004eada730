/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Leaves that are one item each: of level 0, and of the two levels above where a
 * bit says so. On top of tables_512.h; the format has defined
 *
 *	FMT_PS		the bit
 *	FMT_FLUSHED	one that hardware ignores, for ourselves
 */
#ifndef __IOMMU_PT_LEAF_PS_H
#define __IOMMU_PT_LEAF_PS_H

#include "tables_512.h"

/* 4 KiB, 2 MiB, 1 GiB */
static inline u64 fmt_leaf_sizes(const struct pt_config *c, unsigned int level)
{
	return level < 3 ? BIT_ULL(fmt_shift(c, level)) : 0;
}

static inline bool fmt_is_leaf(const struct pt_config *c, unsigned int level,
			       u64 item)
{
	return !level || item & FMT_PS;
}

static inline u64 fmt_leaf(const struct pt_config *c, unsigned int level, u64 oa,
			   unsigned int lg2, u64 attrs)
{
	return oa | attrs | (level ? FMT_PS : 0);
}

static inline unsigned int fmt_leaf_lg2(const struct pt_config *c,
					unsigned int level, u64 item)
{
	return fmt_shift(c, level);
}

static inline u64 fmt_leaf_oa(const struct pt_config *c, unsigned int level,
			      u64 item)
{
	return item & FMT_ADDRESS;
}

static inline bool fmt_seen(u64 item)
{
	return item & FMT_FLUSHED;
}

static inline u64 fmt_see(u64 item)
{
	return item | FMT_FLUSHED;
}

#endif

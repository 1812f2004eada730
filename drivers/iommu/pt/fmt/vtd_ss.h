/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Intel VT-d second stage.
 *
 * Virtualization Technology for Directed I/O, architecture specification, 3.7
 * "Second-Stage Translation" and 9.8 "Second-Stage Paging Entries":
 *
 *	bit	in a leaf	in a table item
 *	0	R  read		R
 *	1	W  write	W
 *	2	X  execute, ignored unless execute requests are supported
 *	7	PS a leaf above level 0
 *	8	A  accessed	A
 *	9	D  dirty	ignored
 *	11	SNP snoop	ignored
 *	51:12	address		address
 *	61:52	ignored		ignored: 52 is ours, "flushed"
 *
 * An item with neither R nor W is not present. A/D bits are recorded only where
 * the scalable-mode PASID-table entry enables it (SSADE).
 */
#ifndef __IOMMU_PT_VTD_SS_H
#define __IOMMU_PT_VTD_SS_H

#include "../pt.h"

#define SS_READ		BIT_ULL(0)
#define SS_WRITE	BIT_ULL(1)
#define SS_PS		BIT_ULL(7)
#define SS_ACCESSED	BIT_ULL(8)
#define SS_DIRTY	BIT_ULL(9)
#define SS_SNOOP	BIT_ULL(11)
#define SS_ADDRESS	GENMASK_ULL(51, 12)
#define SS_FLUSHED	BIT_ULL(52)
#define SS_ATTRS	(SS_READ | SS_WRITE | SS_ACCESSED | SS_DIRTY | SS_SNOOP)

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

/* 4 KiB, 2 MiB, 1 GiB */
static inline u64 fmt_leaf_sizes(const struct pt_config *c, unsigned int level)
{
	return level < 3 ? BIT_ULL(12 + 9 * level) : 0;
}

/* 3 to 5 levels, and only as wide as they reach */
static inline bool fmt_check(const struct pt_config *c)
{
	return c->levels >= 3 && c->levels <= 5 &&
	       c->va_bits <= 12 + 9 * c->levels && c->va_bits > 12 &&
	       c->oa_bits <= 52 && !(c->features & PT_FEAT_SIGN_EXTEND);
}

static inline int fmt_attrs(const struct pt_config *c, unsigned int prot,
			    u64 *attrs)
{
	*attrs = 0;
	if (prot & PT_READ)
		*attrs |= SS_READ;
	if (prot & PT_WRITE)
		*attrs |= SS_WRITE;
	if (prot & PT_SNOOP)
		*attrs |= SS_SNOOP;
	return prot & (PT_READ | PT_WRITE) ? 0 : -EINVAL;
}

static inline bool fmt_present(u64 item)
{
	return item & (SS_READ | SS_WRITE);
}

static inline bool fmt_is_leaf(const struct pt_config *c, unsigned int level,
			       u64 item)
{
	return !level || item & SS_PS;
}

static inline u64 fmt_table(const struct pt_config *c, unsigned int level,
			    u64 phys)
{
	return phys | SS_READ | SS_WRITE;
}

static inline u64 fmt_table_phys(u64 item)
{
	return item & SS_ADDRESS;
}

static inline u64 fmt_leaf(const struct pt_config *c, unsigned int level, u64 oa,
			   unsigned int lg2, u64 attrs)
{
	return oa | attrs | (level ? SS_PS : 0);
}

static inline u64 fmt_advance(u64 item, u64 bytes)
{
	return item + bytes;
}

static inline unsigned int fmt_leaf_lg2(const struct pt_config *c,
					unsigned int level, u64 item)
{
	return fmt_shift(c, level);
}

static inline u64 fmt_leaf_oa(const struct pt_config *c, unsigned int level,
			      u64 item)
{
	return item & SS_ADDRESS;
}

static inline u64 fmt_leaf_attrs(const struct pt_config *c, unsigned int level,
				 u64 item)
{
	return item & SS_ATTRS;
}

static inline bool fmt_dirty(u64 item)
{
	return item & SS_DIRTY;
}

static inline u64 fmt_clean(u64 item)
{
	return item & ~SS_DIRTY;
}

static inline bool fmt_seen(u64 item)
{
	return item & SS_FLUSHED;
}

static inline u64 fmt_see(u64 item)
{
	return item | SS_FLUSHED;
}

#endif

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
#define FMT_PS		BIT_ULL(7)
#define SS_ACCESSED	BIT_ULL(8)
#define FMT_DIRTY	BIT_ULL(9)
#define SS_SNOOP	BIT_ULL(11)
#define FMT_ADDRESS	GENMASK_ULL(51, 12)
#define FMT_FLUSHED	BIT_ULL(52)
#define FMT_ATTRS	(SS_READ | SS_WRITE | SS_ACCESSED | FMT_DIRTY | SS_SNOOP)

#include "leaf_ps.h"

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

static inline u64 fmt_table(const struct pt_config *c, unsigned int level,
			    u64 phys)
{
	return phys | SS_READ | SS_WRITE;
}

#endif

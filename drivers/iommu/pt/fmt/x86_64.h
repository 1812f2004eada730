/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * x86-64 paging: VT-d first stage, and AMD's v2 guest tables.
 *
 * VT-d architecture specification, 3.6 "First-Stage Translation" and 9.7
 * "First-Stage Paging Entries"; AMD64 Programmer's Manual 2, 5.3 "Long-Mode Page
 * Translation":
 *
 *	bit	in a leaf		in a table item
 *	0	P   present		P
 *	1	R/W writes allowed	R/W
 *	2	U/S user requests	U/S
 *	4	PCD not cached		PCD
 *	5	A   accessed		A
 *	6	D   dirty		ignored
 *	7	PS  a leaf above level 0
 *	51:12	address			address
 *	58:52	ignored			ignored: 52 and 53 are ours
 *	63	XD  no execute		XD
 *
 * Addresses are sign extended. There is no leaf that can be written and not read.
 * Requests that are not marked as privileged are user requests.
 */
#ifndef __IOMMU_PT_X86_64_H
#define __IOMMU_PT_X86_64_H

#include "../pt.h"

#define X86_PRESENT	BIT_ULL(0)
#define X86_WRITE	BIT_ULL(1)
#define X86_USER	BIT_ULL(2)
#define X86_UNCACHED	BIT_ULL(4)
#define X86_ACCESSED	BIT_ULL(5)
#define FMT_DIRTY	BIT_ULL(6)
#define FMT_PS		BIT_ULL(7)
#define FMT_ADDRESS	GENMASK_ULL(51, 12)
#define FMT_FLUSHED	BIT_ULL(52)
#define X86_EITHER	BIT_ULL(53)
#define X86_NO_EXEC	BIT_ULL(63)
#define FMT_ATTRS	(X86_PRESENT | X86_WRITE | X86_USER | X86_UNCACHED | \
			 X86_ACCESSED | FMT_DIRTY | X86_EITHER | X86_NO_EXEC)
#define FMT_OWN_DIRTY

#include "leaf_ps.h"

/* 4 or 5 levels, of which all bits are translated */
static inline bool fmt_check(const struct pt_config *c)
{
	return (c->levels == 4 || c->levels == 5) &&
	       c->va_bits == 12 + 9 * c->levels && c->oa_bits <= 52 &&
	       c->features & PT_FEAT_SIGN_EXTEND;
}

/*
 * Without PT_FEAT_DIRTY leaves are accessed and dirty from the beginning, so that
 * hardware has nothing to record.
 */
static inline int fmt_attrs(const struct pt_config *c, unsigned int prot,
			    u64 *attrs)
{
	*attrs = X86_PRESENT | X86_ACCESSED;
	if (prot & PT_WRITE)
		*attrs |= X86_WRITE;
	if (prot & PT_WRITE && !(c->features & PT_FEAT_DIRTY))
		*attrs |= FMT_DIRTY;
	if (prot & PT_WRITE && c->features & PT_FEAT_DIRTY_IF_ACCESSED)
		*attrs ^= X86_ACCESSED | X86_EITHER;
	if (!(prot & PT_PRIV))
		*attrs |= X86_USER;
	if (!(prot & PT_EXEC))
		*attrs |= X86_NO_EXEC;
	if (prot & PT_MMIO)
		*attrs |= X86_UNCACHED;
	return prot & (PT_READ | PT_WRITE) ? 0 : -EINVAL;
}

static inline bool fmt_dirty(u64 item)
{
	return item & FMT_DIRTY || (item & X86_EITHER && item & X86_ACCESSED);
}

static inline u64 fmt_clean(u64 item)
{
	return item & ~(FMT_DIRTY | (item & X86_EITHER ? X86_ACCESSED : 0));
}

static inline bool fmt_present(u64 item)
{
	return item & X86_PRESENT;
}

/* What is allowed is up to the leaves. */
static inline u64 fmt_table(const struct pt_config *c, unsigned int level,
			    u64 phys)
{
	return phys | X86_PRESENT | X86_WRITE | X86_USER | X86_ACCESSED;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * AMD-Vi host tables, "v1".
 *
 * AMD I/O Virtualization Technology specification (48882), 2.2.3 "I/O Page Tables
 * for Host Translations":
 *
 *	bit	in a leaf		in a table item
 *	0	PR  present		PR
 *	5	A   accessed		A
 *	6	D   dirty		ignored
 *	11:9	NextLevel 0 or 7	NextLevel: of the table it leads to, from 1 on
 *	51:12	address			address
 *	60	FC  force coherent	reserved
 *	61	IR  read		IR
 *	62	IW  write		IW
 *
 * NextLevel 0 ends in a page of the level's own size. With 7 the size is in the
 * address: 2^n bytes are written as an address whose bits 12 to n-2 are set and
 * bit n-1 is not, and such an item stands in each place that the page covers.
 *
 * Rights of table items and leaves are combined. Tables are always coherent.
 */
#ifndef __IOMMU_PT_AMD_V1_H
#define __IOMMU_PT_AMD_V1_H

#include "../pt.h"

#define V1_PRESENT	BIT_ULL(0)
#define V1_ACCESSED	BIT_ULL(5)
#define FMT_DIRTY	BIT_ULL(6)
#define V1_NEXT_SHIFT	9
#define V1_NEXT		GENMASK_ULL(11, 9)
#define V1_NEXT_SIZE	(7ULL << V1_NEXT_SHIFT)
#define FMT_ADDRESS	GENMASK_ULL(51, 12)
#define V1_COHERENT	BIT_ULL(60)
#define V1_READ		BIT_ULL(61)
#define V1_WRITE	BIT_ULL(62)
#define FMT_ATTRS	(V1_PRESENT | V1_ACCESSED | FMT_DIRTY | V1_COHERENT | \
			 V1_READ | V1_WRITE)

/* All items of a leaf are the same. */
#define FMT_REPLICATED

#include "tables_512.h"

/* Every power of two, up to half of what the level's table covers. */
static inline u64 fmt_leaf_sizes(const struct pt_config *c, unsigned int level)
{
	/* no leaf covers all there is: the top level of six has 7 bits left */
	return level < 4 ? GENMASK_ULL(12 + 9 * level + 8, 12 + 9 * level) : 0;
}

/* Mode 1 to 6 */
static inline bool fmt_check(const struct pt_config *c)
{
	return c->va_bits > 12 && c->va_bits <= 64 &&
	       c->va_bits <= 12 + 9 * c->levels && c->oa_bits <= 52 &&
	       !(c->features & (PT_FEAT_SIGN_EXTEND | PT_FEAT_NONCOHERENT));
}

static inline int fmt_attrs(const struct pt_config *c, unsigned int prot,
			    u64 *attrs)
{
	*attrs = V1_PRESENT;
	if (prot & PT_READ)
		*attrs |= V1_READ;
	if (prot & PT_WRITE)
		*attrs |= V1_WRITE;
	if (prot & PT_SNOOP)
		*attrs |= V1_COHERENT;
	return prot & (PT_READ | PT_WRITE) ? 0 : -EINVAL;
}

static inline bool fmt_present(u64 item)
{
	return item & V1_PRESENT;
}

static inline bool fmt_is_leaf(const struct pt_config *c, unsigned int level,
			       u64 item)
{
	u64 next = item & V1_NEXT;

	return !next || next == V1_NEXT_SIZE;
}

static inline u64 fmt_table(const struct pt_config *c, unsigned int level,
			    u64 phys)
{
	return phys | V1_PRESENT | V1_READ | V1_WRITE |
	       (u64)level << V1_NEXT_SHIFT;
}

static inline u64 fmt_leaf(const struct pt_config *c, unsigned int level, u64 oa,
			   unsigned int lg2, u64 attrs)
{
	if (lg2 == fmt_shift(c, level))
		return oa | attrs;
	return oa | (BIT_ULL(lg2 - 1) - BIT_ULL(12)) | V1_NEXT_SIZE | attrs;
}

static inline unsigned int fmt_leaf_lg2(const struct pt_config *c,
					unsigned int level, u64 item)
{
	if ((item & V1_NEXT) != V1_NEXT_SIZE)
		return fmt_shift(c, level);
	/* one above the lowest bit that is not set */
	return __ffs64(~(item | (BIT_ULL(12) - 1))) + 1;
}

static inline u64 fmt_leaf_oa(const struct pt_config *c, unsigned int level,
			      u64 item)
{
	unsigned int lg2 = fmt_leaf_lg2(c, level, item);

	return (item & FMT_ADDRESS) >> lg2 << lg2;
}

static inline bool fmt_seen(u64 item)
{
	return true;
}

static inline u64 fmt_see(u64 item)
{
	return item;
}

#endif

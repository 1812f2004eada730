/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What both stages of Armv8 translation tables (VMSAv8-64) have in common. A stage
 * has defined before, as bits of a leaf,
 *
 *	FMT_ATTRS	what a leaf is beside its address and size
 *
 * Arm Architecture Reference Manual (DDI 0487), D8.3 "Translation table descriptor
 * formats"; the SMMUv3 (IHI 0070) walks the same:
 *
 *	bit	in a leaf			in a table item
 *	0	valid				valid
 *	1	1 at level 0, 0 above		1
 *	9:8	shareability, or OA[51:50]	ignored, or address [51:50]
 *	15:12	address, or OA[51:48]		address, or address [51:48]
 *	49:16	address				address
 *	51	DBM: hardware may make it writeable
 *	52	contiguous
 *	55	left to software: "flushed", in table items
 *
 * The architecture numbers levels from the top on, 3 being that of the pages; here
 * that one is 0. Addresses of more than 48 bits have the rest in other places:
 * with pages of 64K in bits 15:12, with others (FEAT_LPA2, "DS") in 49:48 and 9:8.
 *
 * A leaf is of as many items as its contiguous hint says, all alike but for the
 * part of the memory that each leads to.
 */
#ifndef __IOMMU_PT_ARM_V8_H
#define __IOMMU_PT_ARM_V8_H

#include "../pt.h"

#define V8_VALID	BIT_ULL(0)
#define V8_TABLE	BIT_ULL(1)
#define V8_SHARE_OUTER	(2ULL << 8)
#define V8_SHARE_INNER	(3ULL << 8)
#define V8_SHARE	(3ULL << 8)
#define V8_ACCESSED	BIT_ULL(10)
#define V8_DBM		BIT_ULL(51)
#define V8_CONTIGUOUS	BIT_ULL(52)
#define V8_FLUSHED	BIT_ULL(55)

/* Hardware may remember a table until it is told, and must not meet a leaf there. */
#define FMT_BREAK_FIRST

static inline unsigned int fmt_shift(const struct pt_config *c,
				     unsigned int level)
{
	return c->granule_lg2 + level * (c->granule_lg2 - 3u);
}

/* The top table is as wide as there are addresses: smaller, or several in a row. */
static inline unsigned int fmt_items_lg2(const struct pt_config *c,
					 unsigned int level)
{
	return level + 1u == c->levels ? c->va_bits - fmt_shift(c, level) :
					 c->granule_lg2 - 3u;
}

/* lg2 of the items of a contiguous leaf; 0 where there is none */
static inline unsigned int v8_wide_lg2(const struct pt_config *c,
				       unsigned int level)
{
	switch (c->granule_lg2) {
	case 12:
		return level < 3 ? 4 : 0;
	case 14:
		return level == 0 ? 7 : level == 1 ? 5 : 0;
	default:
		return level < 2 ? 5 : 0;
	}
}

/*
 * 4K:  4K 64K, 2M 32M, 1G 16G; 16K: 16K 2M, 32M 1G; 64K: 64K 2M, 512M 16G.
 * One level more has leaves where addresses are of more than 48 bits.
 */
static inline u64 fmt_leaf_sizes(const struct pt_config *c, unsigned int level)
{
	unsigned int most = c->granule_lg2 == 12 ? 2 : 1;
	u64 size;

	if (level > most + (c->oa_bits > 48))
		return 0;
	size = BIT_ULL(fmt_shift(c, level));
	return size | size << v8_wide_lg2(c, level);
}

/* Is an address of more than 48 bits in the layout of FEAT_LPA2? */
static inline bool v8_lpa2(const struct pt_config *c)
{
	return c->granule_lg2 < 16 && (c->oa_bits > 48 || c->va_bits > 48);
}

static inline u64 v8_put_address(const struct pt_config *c, u64 address)
{
	if (likely(c->oa_bits <= 48))
		return address;
	if (c->granule_lg2 == 16)
		return (address & GENMASK_ULL(47, 16)) |
		       (address >> 48 & 0xf) << 12;
	return (address & GENMASK_ULL(49, 12)) | (address >> 50 & 3) << 8;
}

static inline u64 v8_get_address(const struct pt_config *c, u64 item)
{
	u64 low = GENMASK_ULL(47, 0) >> c->granule_lg2 << c->granule_lg2;

	if (likely(c->oa_bits <= 48))
		return item & low;
	if (c->granule_lg2 == 16)
		return (item & low) | (item >> 12 & 0xf) << 48;
	return (item & (low | GENMASK_ULL(49, 48))) | (item >> 8 & 3) << 50;
}

static inline u64 fmt_advance(const struct pt_config *c, u64 item, u64 bytes)
{
	u64 address;

	if (likely(c->oa_bits <= 48))
		return item + bytes;
	address = v8_get_address(c, item);
	return (item & ~v8_put_address(c, GENMASK_ULL(51, 12))) |
	       v8_put_address(c, address + bytes);
}

static inline bool fmt_present(u64 item)
{
	return item & V8_VALID;
}

static inline bool fmt_is_leaf(const struct pt_config *c, unsigned int level,
			       u64 item)
{
	return !level || !(item & V8_TABLE);
}

static inline u64 fmt_table(const struct pt_config *c, unsigned int level,
			    u64 phys)
{
	return v8_put_address(c, phys) | V8_VALID | V8_TABLE;
}

static inline u64 fmt_table_phys(const struct pt_config *c, u64 item)
{
	return v8_get_address(c, item);
}

static inline u64 fmt_leaf(const struct pt_config *c, unsigned int level, u64 oa,
			   unsigned int lg2, u64 attrs)
{
	return v8_put_address(c, oa) | attrs | V8_VALID |
	       (level ? 0 : V8_TABLE) |
	       (lg2 == fmt_shift(c, level) ? 0 : V8_CONTIGUOUS);
}

static inline unsigned int fmt_leaf_lg2(const struct pt_config *c,
					unsigned int level, u64 item)
{
	return fmt_shift(c, level) +
	       (item & V8_CONTIGUOUS ? v8_wide_lg2(c, level) : 0);
}

static inline u64 fmt_leaf_oa(const struct pt_config *c, unsigned int level,
			      u64 item)
{
	unsigned int lg2 = fmt_leaf_lg2(c, level, item);

	return v8_get_address(c, item) >> lg2 << lg2;
}

static inline u64 fmt_leaf_attrs(const struct pt_config *c, unsigned int level,
				 u64 item)
{
	return item & (v8_lpa2(c) ? FMT_ATTRS & ~V8_SHARE : FMT_ATTRS);
}

static inline bool fmt_seen(u64 item)
{
	return item & V8_FLUSHED;
}

static inline u64 fmt_see(u64 item)
{
	return item | V8_FLUSHED;
}

/*
 * Whether the levels reach over @va_bits, with @extra bits that the top table may
 * have more than any other.
 */
static inline bool v8_check(const struct pt_config *c, unsigned int extra)
{
	unsigned int bits = c->granule_lg2 - 3u, top;

	if (c->granule_lg2 != 12 && c->granule_lg2 != 14 && c->granule_lg2 != 16)
		return false;
	top = fmt_shift(c, c->levels - 1);
	return c->va_bits > top && c->va_bits <= top + bits + extra &&
	       c->va_bits <= 52 && c->oa_bits >= 32 && c->oa_bits <= 52 &&
	       c->levels > 1 &&
	       !(c->features & (PT_FEAT_SIGN_EXTEND | PT_FEAT_DIRTY_IF_ACCESSED));
}

#endif

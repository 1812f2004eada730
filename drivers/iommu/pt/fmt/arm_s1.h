/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Armv8, stage 1: bits of a leaf beside those in arm_v8.h.
 *
 *	bit	meaning
 *	4:2	AttrIndx: which of the attributes in MAIR
 *	5	NS, for secure tables
 *	6	AP[1]: requests without privilege are let through
 *	7	AP[2]: read-only
 *	11	nG: of one ASID only
 *	53	PXN: nothing is fetched with privilege
 *	54	UXN: nor without
 *
 * With DBM a leaf that is read-only is one that is clean: hardware clears AP[2] at
 * the first write, if HD is set. What can be written can be read.
 */
#ifndef __IOMMU_PT_ARM_S1_H
#define __IOMMU_PT_ARM_S1_H

#define S1_ATTR_SHIFT	2
#define S1_USER		BIT_ULL(6)
#define S1_READ_ONLY	BIT_ULL(7)
#define S1_NOT_GLOBAL	BIT_ULL(11)
#define S1_NO_EXEC	(BIT_ULL(53) | BIT_ULL(54))
#define FMT_ATTRS	(V8_DBM | S1_NO_EXEC | GENMASK_ULL(11, 2))

#include "arm_v8.h"

/* VA size: one top table; 64K and LPA2 reach 52 bits */
static inline bool fmt_check(const struct pt_config *c)
{
	return v8_check(c, 0);
}

static inline int fmt_attrs(const struct pt_config *c, unsigned int prot,
			    u64 *attrs)
{
	u64 index = PT_ARM_MAIR_UNCACHED, share = V8_SHARE_OUTER;

	if (prot & PT_MMIO) {
		index = PT_ARM_MAIR_DEVICE;
	} else if (prot & PT_SNOOP) {
		index = PT_ARM_MAIR_CACHED;
		share = V8_SHARE_INNER;
	}
	*attrs = V8_ACCESSED | S1_NOT_GLOBAL | index << S1_ATTR_SHIFT;
	if (!v8_lpa2(c))
		*attrs |= share;
	if (!(prot & PT_PRIV))
		*attrs |= S1_USER;
	if (!(prot & PT_EXEC))
		*attrs |= S1_NO_EXEC;
	if (!(prot & PT_WRITE))
		*attrs |= S1_READ_ONLY;
	else if (c->features & PT_FEAT_DIRTY)
		*attrs |= S1_READ_ONLY | V8_DBM;
	return prot & (PT_READ | PT_WRITE) ? 0 : -EINVAL;
}

static inline bool fmt_dirty(u64 item)
{
	return (item & (V8_DBM | S1_READ_ONLY)) == V8_DBM;
}

static inline u64 fmt_clean(u64 item)
{
	return item | S1_READ_ONLY;
}

#endif

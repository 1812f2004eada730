/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Armv8, stage 2: bits of a leaf beside those in arm_v8.h.
 *
 *	bit	meaning
 *	5:2	MemAttr: the memory type, combined with what stage 1 says, or, with
 *		S2FWB, in its place
 *	6	S2AP[0]: read
 *	7	S2AP[1]: write
 *	54:53	XN: 2 is no execution
 *
 * With DBM a leaf that cannot be written is one that is clean: hardware sets
 * S2AP[1] at the first write, if S2HD is set. The top table may be up to 16 tables
 * in a row, which saves a level.
 */
#ifndef __IOMMU_PT_ARM_S2_H
#define __IOMMU_PT_ARM_S2_H

#define S2_MEMORY_SHIFT	2
#define S2_READ		BIT_ULL(6)
#define S2_WRITE	BIT_ULL(7)
#define S2_NO_EXEC	BIT_ULL(54)
#define FMT_ATTRS	(V8_DBM | GENMASK_ULL(54, 53) | GENMASK_ULL(10, 2))

/* MemAttr: write-back is what two ones on each side stand for */
#define S2_MEMORY_DEVICE	1ULL
#define S2_MEMORY_UNCACHED	5ULL
#define S2_MEMORY_CACHED	15ULL
#define S2_MEMORY_FORCE_CACHED	6ULL

#include "arm_v8.h"

static inline bool fmt_check(const struct pt_config *c)
{
	return v8_check(c, 4);
}

static inline int fmt_attrs(const struct pt_config *c, unsigned int prot,
			    u64 *attrs)
{
	u64 memory = S2_MEMORY_UNCACHED, share = V8_SHARE_OUTER;

	if (prot & PT_MMIO) {
		memory = S2_MEMORY_DEVICE;
	} else if (prot & PT_SNOOP) {
		memory = c->features & PT_FEAT_FORCE_CACHES ?
			 S2_MEMORY_FORCE_CACHED : S2_MEMORY_CACHED;
		share = V8_SHARE_INNER;
	}
	*attrs = V8_ACCESSED | memory << S2_MEMORY_SHIFT;
	if (!v8_lpa2(c))
		*attrs |= share;
	if (prot & PT_READ)
		*attrs |= S2_READ;
	if (!(prot & PT_EXEC))
		*attrs |= S2_NO_EXEC;
	if (prot & PT_WRITE)
		*attrs |= c->features & PT_FEAT_DIRTY ? V8_DBM : S2_WRITE;
	return prot & (PT_READ | PT_WRITE) ? 0 : -EINVAL;
}

static inline bool fmt_dirty(u64 item)
{
	return (item & (V8_DBM | S2_WRITE)) == (V8_DBM | S2_WRITE);
}

static inline u64 fmt_clean(u64 item)
{
	return item & ~S2_WRITE;
}

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks tables as an SMMUv3 does, after D8.2 and D8.3 of the Arm Architecture
 * Reference Manual (DDI 0487): levels are numbered from the top on as there, 3 has
 * the pages, and bits are those of the pictures. Nothing is shared with the formats.
 */
#include "hw.h"

/* Address bits of a descriptor, wherever they are. */
static u64 address_of(const struct pt *pt, u64 item, unsigned int granule)
{
	u64 address = item & 0x0000ffffffffffff & ~((1ULL << granule) - 1);

	if (pt->config.oa_bits <= 48)
		return address;
	if (granule == 16)
		return address | (item & 0xf000) << 36;
	return address | (item & 0x0003000000000000) | (item & 0x300) << 42;
}

/* Items that the contiguous bit stands for; 0 where it must not be set. */
static unsigned int contiguous(unsigned int granule, int level)
{
	if (granule == 12)
		return level >= 1 ? 16 : 0;
	if (granule == 14)
		return level == 3 ? 128 : level == 2 ? 32 : 0;
	return level >= 2 ? 32 : 0;
}

/* What a block's size may be at each level. */
static bool may_be_block(const struct pt *pt, unsigned int granule, int level)
{
	bool wide = pt->config.oa_bits > 48;

	switch (granule) {
	case 12:
		return level == 1 || level == 2 || (level == 0 && wide);
	case 14:
		return level == 2 || (level == 1 && wide);
	default:
		return level == 2 || (level == 1 && wide);
	}
}

/*
 * Do all items of a contiguous leaf agree? They may differ in what hardware has
 * recorded, bit 7 of each.
 */
static bool agree(const struct pt *pt, u64 table, unsigned int index,
		  unsigned int nr, unsigned int granule, unsigned int lg2)
{
	unsigned int i, first = index / nr * nr;
	u64 head = hw_read(pt, table + first * 8), other;
	u64 address = address_of(pt, head, granule);

	if (address & (((u64)nr << lg2) - 1))
		return false;
	for (i = 0; i < nr; i++) {
		other = hw_read(pt, table + (first + i) * 8);
		if (address_of(pt, other, granule) != address + ((u64)i << lg2) ||
		    (other ^ head) & 0xfff8000000000c7f)
			return false;
	}
	return true;
}

/* Down to the leaf. @stage 1 or 2. */
static bool walk(const struct pt *pt, u64 iova, bool write, unsigned int stage,
		 struct hw_leaf *leaf)
{
	unsigned int granule = pt->config.granule_lg2, step = granule - 3;
	int level = 4 - pt->config.levels;
	unsigned int lg2 = granule + step * (3 - level);
	bool hd = pt->config.features & PT_FEAT_DIRTY, writeable, dbm;
	u64 table = pt_top_phys(pt), at, item, address;
	unsigned int index, nr = 1;

	if (iova >> pt->config.va_bits)
		return false;
	index = iova >> lg2;
	/* no more than 16 tables at the top, and at stage 1 one */
	if (pt->config.va_bits - lg2 > step + (stage == 2 ? 4 : 0))
		return false;
	for (;; level++) {
		at = table + index * 8;
		item = hw_read(pt, at);
		if (!(item & 1))
			return false;
		if (level == 3 || !(item & 2))
			break;
		table = address_of(pt, item, granule);
		lg2 -= step;
		index = iova >> lg2 & ((1U << step) - 1);
	}
	if (level == 3 ? !(item & 2) : !may_be_block(pt, granule, level))
		return false;
	address = address_of(pt, item, granule);
	if (address & ((1ULL << lg2) - 1) || address >> pt->config.oa_bits)
		return false;
	/* the access flag, which nobody sets for us */
	if (!(item & 1 << 10))
		return false;
	if (item >> 52 & 1) {
		nr = contiguous(granule, level);
		if (!nr || !agree(pt, table, index, nr, granule, lg2))
			return false;
	}
	dbm = item >> 51 & 1 && hd;
	if (stage == 1) {
		/* without privilege */
		if (!(item & 0x40))
			return false;
		leaf->read = true;
		writeable = !(item & 0x80);
	} else {
		leaf->read = item >> 6 & 1;
		writeable = item >> 7 & 1;
	}
	leaf->write = writeable || dbm;
	if (write && !leaf->write)
		return false;
	if (write && !writeable) {
		if (stage == 1)
			hw_erase(pt, at, 0x80);
		else
			hw_record(pt, at, 0x80);
		writeable = true;
	}
	leaf->dirty = writeable;
	leaf->lg2 = lg2 + __builtin_ctz(nr);
	leaf->phys = address + (iova & ((1ULL << lg2) - 1));
	return true;
}

bool hw_arm_stage1(const struct pt *pt, u64 iova, bool write,
		   struct hw_leaf *leaf)
{
	return walk(pt, iova, write, 1, leaf);
}

bool hw_arm_stage2(const struct pt *pt, u64 iova, bool write,
		   struct hw_leaf *leaf)
{
	return walk(pt, iova, write, 2, leaf);
}

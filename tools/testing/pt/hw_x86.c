// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks tables as VT-d hardware does, after chapters 3.6, 3.7, 9.7 and 9.8 of its
 * specification. Bit numbers are written out on purpose: nothing here is shared
 * with the formats.
 */
#include "hw.h"

bool hw_vtd_second_stage(const struct pt *pt, u64 iova, bool write,
			 struct hw_leaf *leaf)
{
	unsigned int level = pt->config.levels, bit;
	u64 at = (uintptr_t)pt->top, item;

	if (pt->config.levels < 5 && iova >> (12 + 9 * level))
		return false;
	leaf->read = true;
	leaf->write = true;
	for (;; level--) {
		bit = 12 + 9 * (level - 1);
		at += (iova >> bit & 0x1ff) * 8;
		item = hw_read(pt, at);
		if (!(item & 3))
			return false;
		leaf->read &= item & 1;
		leaf->write &= item >> 1 & 1;
		if (level == 1 || item & 0x80)
			break;
		at = item & 0x000ffffffffff000;
	}
	/* no page is larger than 1 GiB, and none begins in the middle */
	if (level > 3 || (item & 0x000ffffffffff000 & ((1ULL << bit) - 1)))
		return false;
	if (write && !leaf->write)
		return false;
	leaf->lg2 = bit;
	leaf->phys = (item & 0x000ffffffffff000) + (iova & ((1ULL << bit) - 1));
	if (write)
		hw_record(pt, at, 0x300);
	leaf->dirty = hw_read(pt, at) >> 9 & 1;
	return true;
}

/* A request without privilege; execute requests are not looked at. */
bool hw_vtd_first_stage(const struct pt *pt, u64 iova, bool write,
			struct hw_leaf *leaf)
{
	unsigned int level = pt->config.levels, bit = 12 + 9 * level;
	u64 at = (uintptr_t)pt->top, item;
	s64 high = (s64)iova >> (bit - 1);

	if (high != 0 && high != -1)
		return false;
	leaf->read = true;
	leaf->write = true;
	for (;; level--) {
		bit = 12 + 9 * (level - 1);
		at += (iova >> bit & 0x1ff) * 8;
		item = hw_read(pt, at);
		if (!(item & 1) || !(item & 4))
			return false;
		leaf->write &= item >> 1 & 1;
		if (level == 1 || item & 0x80)
			break;
		at = item & 0x000ffffffffff000;
	}
	if (level > 3 || (item & 0x000ffffffffff000 & ((1ULL << bit) - 1)))
		return false;
	if (write && !leaf->write)
		return false;
	leaf->lg2 = bit;
	leaf->phys = (item & 0x000ffffffffff000) + (iova & ((1ULL << bit) - 1));
	if (pt->config.features & PT_FEAT_DIRTY_IF_ACCESSED) {
		if (write && !(hw_read(pt, at) & 0x20))
			hw_record(pt, at, 0x60);
	} else if (write) {
		hw_record(pt, at, 0x60);
	}
	leaf->dirty = hw_read(pt, at) >> 6 & 1;
	return true;
}

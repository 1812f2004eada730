// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks host tables as an AMD IOMMU does, after 2.2.3 of its specification, with
 * the bit numbers of the pictures there.
 */
#include "hw.h"

/* The page size that an address stands for: the zeroes begin where it ends. */
static unsigned int page_size(u64 item)
{
	unsigned int bit = 12;

	while (item >> bit & 1)
		bit++;
	return bit + 1;
}

bool hw_amd_host(const struct pt *pt, u64 iova, bool write, struct hw_leaf *leaf)
{
	unsigned int level = pt->config.levels, bits = 12 + 9 * level, next, lg2;
	u64 at = (uintptr_t)pt->top, item, address;

	if (bits < 64 && iova >> bits)
		return false;
	leaf->read = true;
	leaf->write = true;
	for (;; level = next) {
		at += (iova >> (12 + 9 * (level - 1)) & 0x1ff) * 8;
		item = hw_read(pt, at);
		next = item >> 9 & 7;
		if (!(item & 1) || item & 0x07f0000000000000)
			return false;
		leaf->read &= item >> 61 & 1;
		leaf->write &= item >> 62 & 1;
		address = item & 0x000ffffffffff000;
		if (next == 0 || next == 7)
			break;
		/* levels may be left out, but this library does not */
		if (next != level - 1)
			return false;
		at = address;
	}
	lg2 = next ? page_size(item) : 12 + 9 * (level - 1);
	/* a page belongs to its level */
	if (lg2 < 12 + 9 * (level - 1) || lg2 > 12 + 9 * level)
		return false;
	if (!next && address & ((1ULL << lg2) - 1))
		return false;
	if (write && !leaf->write)
		return false;
	leaf->lg2 = lg2;
	leaf->phys = (address >> lg2 << lg2) + (iova & ((1ULL << lg2) - 1));
	if (write)
		hw_record(pt, at, 0x60);
	leaf->dirty = hw_read(pt, at) >> 6 & 1;
	return true;
}

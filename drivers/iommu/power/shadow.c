// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is mapped in a window, whether its table exists or not.
 */
#include <linux/slab.h>

#include "tce.h"

#define SHADOW_PROT ((u64)(IOMMU_READ | IOMMU_WRITE))

/**
 * tce_shadow_init - begin with nothing mapped
 * @shadow: to be filled in
 * @nr: entries
 *
 * Return: 0 or -ENOMEM
 */
int tce_shadow_init(struct tce_shadow *shadow, unsigned long nr)
{
	shadow->nr = nr;
	shadow->leaves = kvcalloc(DIV_ROUND_UP(nr, TCE_SHADOW_LEAF),
				  sizeof(*shadow->leaves), GFP_KERNEL_ACCOUNT);
	return shadow->leaves ? 0 : -ENOMEM;
}

/**
 * tce_shadow_destroy - undo tce_shadow_init()
 * @shadow: nobody else knows it any more; all 0 is good, too
 */
void tce_shadow_destroy(struct tce_shadow *shadow)
{
	unsigned long i;

	if (!shadow->leaves)
		return;
	for (i = 0; i < DIV_ROUND_UP(shadow->nr, TCE_SHADOW_LEAF); i++)
		free_page((unsigned long)shadow->leaves[i]);
	kvfree(shadow->leaves);
}

static u64 *leaf_of(const struct tce_shadow *shadow, unsigned long index)
{
	return READ_ONCE(shadow->leaves[index / TCE_SHADOW_LEAF]);
}

static u64 *leaf_make(struct tce_shadow *shadow, unsigned long index)
{
	u64 **slot = &shadow->leaves[index / TCE_SHADOW_LEAF];
	u64 *leaf = READ_ONCE(*slot), *there;

	if (leaf)
		return leaf;
	leaf = (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!leaf)
		return NULL;
	there = cmpxchg(slot, NULL, leaf);
	if (!there)
		return leaf;
	free_page((unsigned long)leaf);
	return there;
}

/**
 * tce_shadow_set - note pages, one after the other
 * @shadow: the shadow
 * @index: of the first entry
 * @nr: entries, all 0 so far
 * @phys: where the first page is
 * @shift: of the size of a page
 * @prot: IOMMU_READ and IOMMU_WRITE
 *
 * Return: 0, or -ENOMEM with nothing noted
 */
int tce_shadow_set(struct tce_shadow *shadow, unsigned long index,
		   unsigned long nr, phys_addr_t phys, unsigned int shift,
		   int prot)
{
	unsigned long i;
	u64 *leaf;

	for (i = 0; i < nr; i++) {
		leaf = leaf_make(shadow, index + i);
		if (!leaf) {
			tce_shadow_clear(shadow, index, i);
			return -ENOMEM;
		}
		leaf[(index + i) % TCE_SHADOW_LEAF] =
			(phys + ((u64)i << shift)) | (prot & SHADOW_PROT);
	}
	return 0;
}

/**
 * tce_shadow_clear - forget pages
 * @shadow: the shadow
 * @index: of the first entry
 * @nr: entries
 */
void tce_shadow_clear(struct tce_shadow *shadow, unsigned long index,
		      unsigned long nr)
{
	unsigned long i;
	u64 *leaf;

	for (i = index; i < index + nr; i++) {
		leaf = leaf_of(shadow, i);
		if (leaf)
			leaf[i % TCE_SHADOW_LEAF] = 0;
	}
}

/**
 * tce_shadow_get - look an entry up
 * @shadow: the shadow
 * @index: of the entry
 *
 * Return: the entry, 0 if nothing is mapped
 */
u64 tce_shadow_get(const struct tce_shadow *shadow, unsigned long index)
{
	u64 *leaf = leaf_of(shadow, index);

	return leaf ? READ_ONCE(leaf[index % TCE_SHADOW_LEAF]) : 0;
}

/**
 * tce_shadow_run - find the next pages that are mapped in one piece
 * @shadow: the shadow
 * @index: in: where to begin; out: the first of them
 * @shift: of the size of a page
 * @entry: receives the entry of the first
 *
 * Return: how many there are, contiguous in memory and of one kind, 0 at the end
 */
unsigned long tce_shadow_run(const struct tce_shadow *shadow,
			     unsigned long *index, unsigned int shift,
			     u64 *entry)
{
	unsigned long i = *index, nr;

	while (i < shadow->nr) {
		if (!leaf_of(shadow, i)) {
			i = round_down(i, TCE_SHADOW_LEAF) + TCE_SHADOW_LEAF;
			continue;
		}
		*entry = tce_shadow_get(shadow, i);
		if (*entry)
			break;
		i++;
	}
	*index = i;
	for (nr = 0; i + nr < shadow->nr; nr++)
		if (tce_shadow_get(shadow, i + nr) !=
		    *entry + ((u64)nr << shift))
			break;
	return nr;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where between disjoint ranges of addresses a new one fits, in logarithmic
 * time.
 */
#ifndef __IOMMUFD_GAP_H
#define __IOMMUFD_GAP_H

#include <linux/rbtree.h>

/**
 * struct gap - a used range, and the gap behind it
 * @rb: in a struct gap_tree, sorted by address
 * @first: first address of the range
 * @last: its last address
 * @size: free addresses from @last + 1 on, up to the next range or the end
 * @largest: the largest @size in the subtree of @rb
 *
 * It is part of what uses the range, so that marking a range used or free needs
 * no memory.
 */
struct gap {
	struct rb_node rb;
	unsigned long first;
	unsigned long last;
	unsigned long size;
	unsigned long largest;
};

/**
 * struct gap_tree - all used ranges; the caller locks it
 * @ranges: struct gap. What is free before the first one is in none of them
 */
struct gap_tree {
	struct rb_root_cached ranges;
};

void gap_tree_init(struct gap_tree *tree);
void gap_use(struct gap_tree *tree, struct gap *gap, unsigned long first,
	     unsigned long last);
void gap_unuse(struct gap_tree *tree, struct gap *gap);
bool gap_fit(struct gap_tree *tree, unsigned long first, unsigned long last,
	     unsigned long length, unsigned long align, unsigned long *at);

#endif

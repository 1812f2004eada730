// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an interval tree leaves free.
 */
#include <linux/minmax.h>

#include "hole.h"

/**
 * next_hole - find a stretch that no node of an interval tree covers
 * @used: the tree; its nodes may overlap
 * @first: in: where to look from; out: where the hole begins
 * @last: in: where to look to; out: where the hole ends
 *
 * Return: whether there is one
 */
bool next_hole(struct rb_root_cached *used, unsigned long *first,
	       unsigned long *last)
{
	struct interval_tree_node *node;
	unsigned long pos = *first;

	for (node = interval_tree_iter_first(used, *first, *last); node;
	     node = interval_tree_iter_next(node, *first, *last)) {
		if (node->start > pos) {
			*last = node->start - 1;
			break;
		}
		if (node->last >= *last)
			return false;
		pos = max(pos, node->last + 1);
	}
	*first = pos;
	return true;
}

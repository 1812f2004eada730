// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tree of used ranges that knows the largest gap below each node.
 */
#include <linux/align.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/rbtree_augmented.h>

#include "gap.h"

static inline unsigned long gap_size(struct gap *gap)
{
	return gap->size;
}

RB_DECLARE_CALLBACKS_MAX(static, gap_callbacks, struct gap, rb, unsigned long,
			 largest, gap_size)

static struct gap *to_gap(struct rb_node *rb)
{
	return rb_entry_safe(rb, struct gap, rb);
}

/**
 * gap_tree_init - everything is free
 * @tree: uninitialized
 */
void gap_tree_init(struct gap_tree *tree)
{
	tree->ranges = RB_ROOT_CACHED;
}

static void gap_resize(struct gap *gap, unsigned long size)
{
	gap->size = size;
	gap_callbacks_propagate(&gap->rb, NULL);
}

/**
 * gap_use - a range is used from now on
 * @tree: the tree
 * @gap: stands for the range until gap_unuse()
 * @first: first address
 * @last: last address; all of the range is free
 */
void gap_use(struct gap_tree *tree, struct gap *gap, unsigned long first,
	     unsigned long last)
{
	struct rb_node **link = &tree->ranges.rb_root.rb_node, *parent = NULL;
	struct gap *before = NULL, *after = NULL;

	while (*link) {
		struct gap *at = to_gap(*link);

		parent = *link;
		if (first < at->first) {
			after = at;
			link = &parent->rb_left;
		} else {
			before = at;
			link = &parent->rb_right;
		}
	}
	gap->first = first;
	gap->last = last;
	gap->size = (after ? after->first - 1 : ULONG_MAX) - last;
	gap->largest = gap->size;
	rb_link_node(&gap->rb, parent, link);
	gap_callbacks_propagate(parent, NULL);
	rb_insert_augmented_cached(&gap->rb, &tree->ranges, !before,
				   &gap_callbacks);
	if (before)
		gap_resize(before, first - 1 - before->last);
}

/**
 * gap_unuse - a range is free again
 * @tree: the tree
 * @gap: as given to gap_use()
 */
void gap_unuse(struct gap_tree *tree, struct gap *gap)
{
	struct gap *before = to_gap(rb_prev(&gap->rb));

	if (before)
		gap_resize(before, gap->last + gap->size - before->last);
	rb_erase_augmented_cached(&gap->rb, &tree->ranges, &gap_callbacks);
}

static unsigned long largest_in(struct rb_node *rb)
{
	return rb ? to_gap(rb)->largest : 0;
}

/* The first gap below @rb that has room; there is one. */
static struct gap *first_roomy(struct rb_node *rb, unsigned long length)
{
	for (;;) {
		if (largest_in(rb->rb_left) >= length) {
			rb = rb->rb_left;
			continue;
		}
		if (to_gap(rb)->size >= length)
			return to_gap(rb);
		rb = rb->rb_right;
	}
}

/* The next gap behind @gap that has room, or NULL. */
static struct gap *next_roomy(struct gap *gap, unsigned long length)
{
	struct rb_node *rb = &gap->rb;

	if (largest_in(rb->rb_right) >= length)
		return first_roomy(rb->rb_right, length);
	for (;;) {
		struct rb_node *parent = rb_parent(rb);

		if (!parent)
			return NULL;
		if (rb == parent->rb_left) {
			if (to_gap(parent)->size >= length)
				return to_gap(parent);
			if (largest_in(parent->rb_right) >= length)
				return first_roomy(parent->rb_right, length);
		}
		rb = parent;
	}
}

/* The range that begins last among those that do not begin behind @address. */
static struct gap *range_before(struct gap_tree *tree, unsigned long address)
{
	struct rb_node *rb = tree->ranges.rb_root.rb_node;
	struct gap *found = NULL;

	while (rb) {
		if (to_gap(rb)->first <= address) {
			found = to_gap(rb);
			rb = rb->rb_right;
		} else {
			rb = rb->rb_left;
		}
	}
	return found;
}

static bool fits(unsigned long first, unsigned long last, unsigned long length,
		 unsigned long align, unsigned long *at)
{
	*at = ALIGN(first, align);
	return *at >= first && *at <= last && last - *at >= length - 1;
}

/**
 * gap_fit - find the lowest place for a range
 * @tree: the tree
 * @first: first address that may be taken
 * @last: last address that may be taken, not below @first
 * @length: bytes, not 0
 * @align: a power of two
 * @at: the place, a multiple of @align
 *
 * Gaps that are too small are never looked at, whatever their number; those that
 * are large enough and yet have no aligned place are, one by one.
 *
 * Return: whether there is one
 */
bool gap_fit(struct gap_tree *tree, unsigned long first, unsigned long last,
	     unsigned long length, unsigned long align, unsigned long *at)
{
	struct gap *gap = range_before(tree, first);
	struct gap *next;

	if (!gap) {
		next = to_gap(rb_first_cached(&tree->ranges));
		if (!next)
			return fits(first, last, length, align, at);
		if (next->first > first &&
		    fits(first, min(last, next->first - 1), length, align, at))
			return true;
		gap = next;
	}
	for (; gap; gap = next_roomy(gap, length)) {
		if (gap->last >= last)
			return false;
		if (gap->size >= length &&
		    fits(max(first, gap->last + 1),
			 min(last, gap->last + gap->size), length, align, at))
			return true;
	}
	return false;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * A store of page frames by page index, as packed runs. It only remembers
 * numbers; pinning and unpinning them is its user's business, and so is
 * locking.
 */
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "frames.h"

#define CHUNK_MAX_RUNS \
	((PAGE_SIZE - sizeof(struct frame_chunk)) / sizeof(u64))

static u64 frame_run(unsigned long pfn, unsigned long count)
{
	return ((u64)pfn << FRAME_COUNT_BITS) | count;
}

static struct frame_chunk *chunk_alloc(unsigned int capacity, gfp_t gfp)
{
	struct frame_chunk *chunk;

	chunk = kmalloc(struct_size(chunk, runs, capacity), gfp);
	if (chunk) {
		chunk->nr = 0;
		chunk->capacity = capacity;
	}
	return chunk;
}

/**
 * frame_writer_init - begin to add frames
 * @w: the writer
 * @store: where to
 * @first: index of the first frame to come; nothing is stored in @first..@last
 * @last: index of the last one
 */
void frame_writer_init(struct frame_writer *w, struct rb_root_cached *store,
		       unsigned long first, unsigned long last)
{
	w->store = store;
	w->chunk = NULL;
	w->index = first;
	w->last = last;
}

/**
 * frame_writer_add - add contiguous frames at the next indices
 * @w: the writer
 * @pfn: the first frame
 * @count: how many, at least 1 and at most FRAME_COUNT_MAX
 *
 * Return: 0, or -ENOMEM with none of them added; @w->index tells how far it came
 */
int frame_writer_add(struct frame_writer *w, unsigned long pfn,
		     unsigned long count)
{
	struct frame_chunk *chunk = w->chunk;
	u64 *tail = chunk && chunk->nr ? &chunk->runs[chunk->nr - 1] : NULL;

	if (tail && frame_run_first(*tail) + frame_run_count(*tail) == pfn &&
	    frame_run_count(*tail) + count <= FRAME_COUNT_MAX) {
		*tail += count;
	} else {
		if (!chunk || chunk->nr == chunk->capacity) {
			chunk = chunk_alloc(min_t(unsigned long, CHUNK_MAX_RUNS,
						  w->last - w->index + 1),
					    GFP_KERNEL_ACCOUNT);
			if (!chunk)
				return -ENOMEM;
			frame_writer_finish(w);
			chunk->node.start = w->index;
			w->chunk = chunk;
		}
		chunk->runs[chunk->nr++] = frame_run(pfn, count);
	}
	w->index += count;
	return 0;
}

/**
 * frame_writer_finish - make what was added part of the store
 * @w: the writer; more may be added afterwards
 */
void frame_writer_finish(struct frame_writer *w)
{
	struct frame_chunk *chunk = w->chunk, *fit;

	if (!chunk)
		return;
	chunk->node.last = w->index - 1;
	/* Contiguous memory leaves a chunk nearly empty: keep what is used. */
	if (chunk->nr < chunk->capacity / 2) {
		fit = chunk_alloc(chunk->nr, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
		if (fit) {
			memcpy(fit->runs, chunk->runs, chunk->nr * sizeof(u64));
			fit->nr = chunk->nr;
			fit->node = chunk->node;
			kfree(chunk);
			chunk = fit;
		}
	}
	interval_tree_insert(&chunk->node, w->store);
	w->chunk = NULL;
}

static struct frame_chunk *chunk_at(struct rb_root_cached *store,
				    unsigned long first, unsigned long last)
{
	struct interval_tree_node *node;

	node = interval_tree_iter_first(store, first, last);
	return node ? container_of(node, struct frame_chunk, node) : NULL;
}

/* Find the run that holds @index and how many of its frames come before it. */
static unsigned int chunk_seek(struct frame_chunk *chunk, unsigned long index,
			       unsigned long *skip)
{
	unsigned long left = index - chunk->node.start;
	unsigned int pos = 0;

	while (left >= frame_run_count(chunk->runs[pos]))
		left -= frame_run_count(chunk->runs[pos++]);
	*skip = left;
	return pos;
}

/**
 * frame_reader_init - begin to read
 * @r: the reader
 * @store: where from
 * @index: page index to start at
 */
void frame_reader_init(struct frame_reader *r, struct rb_root_cached *store,
		       unsigned long index)
{
	r->store = store;
	r->chunk = NULL;
	r->index = index;
}

/**
 * frame_reader_next - get the next contiguous frames
 * @r: the reader
 * @last: index of the last frame wanted
 * @pfn: the first frame
 *
 * Return: how many frames follow each other from @pfn on, 0 after @last or
 *	   where nothing is stored
 */
unsigned long frame_reader_next(struct frame_reader *r, unsigned long last,
				unsigned long *pfn)
{
	unsigned long count, left;
	u64 run;

	if (r->index > last)
		return 0;
	if (!r->chunk || r->pos == r->chunk->nr) {
		r->chunk = chunk_at(r->store, r->index, r->index);
		if (!r->chunk)
			return 0;
		r->pos = chunk_seek(r->chunk, r->index, &r->skip);
	}
	run = r->chunk->runs[r->pos];
	*pfn = frame_run_first(run) + r->skip;
	left = frame_run_count(run) - r->skip;
	count = min(left, last - r->index + 1);
	if (count < left) {
		r->skip += count;
	} else {
		r->pos++;
		r->skip = 0;
	}
	r->index += count;
	return count;
}

static void chunk_cut_tail(struct frame_chunk *chunk, unsigned long last)
{
	unsigned long skip;
	unsigned int pos = chunk_seek(chunk, last, &skip);

	chunk->runs[pos] = frame_run(frame_run_first(chunk->runs[pos]), skip + 1);
	chunk->nr = pos + 1;
	chunk->node.last = last;
}

static void chunk_cut_head(struct frame_chunk *chunk, unsigned long first)
{
	unsigned long skip;
	unsigned int pos = chunk_seek(chunk, first, &skip);
	u64 run = chunk->runs[pos];

	chunk->runs[pos] = frame_run(frame_run_first(run) + skip,
				     frame_run_count(run) - skip);
	chunk->nr -= pos;
	memmove(chunk->runs, chunk->runs + pos, chunk->nr * sizeof(u64));
	chunk->node.start = first;
}

/**
 * frames_remove - forget frames
 * @store: the store
 * @first: index of the first
 * @last: index of the last; all of them are stored
 *
 * Cannot fail. Cutting the middle out of a chunk needs a second one; that small
 * allocation waits for memory instead.
 */
void frames_remove(struct rb_root_cached *store, unsigned long first,
		   unsigned long last)
{
	struct frame_chunk *chunk, *right;

	while ((chunk = chunk_at(store, first, last))) {
		bool keep_head = chunk->node.start < first;
		bool keep_tail = chunk->node.last > last;

		interval_tree_remove(&chunk->node, store);
		if (keep_head && keep_tail) {
			right = chunk_alloc(chunk->nr, GFP_KERNEL | __GFP_NOFAIL);
			right->nr = chunk->nr;
			right->node = chunk->node;
			memcpy(right->runs, chunk->runs, chunk->nr * sizeof(u64));
			chunk_cut_head(right, last + 1);
			interval_tree_insert(&right->node, store);
		} else if (keep_tail) {
			chunk_cut_head(chunk, last + 1);
		}
		if (keep_head)
			chunk_cut_tail(chunk, first - 1);
		if (keep_head || keep_tail)
			interval_tree_insert(&chunk->node, store);
		else
			kfree(chunk);
	}
}

/**
 * frames_count_runs - how scattered frames are
 * @store: the store
 * @first: index of the first
 * @last: index of the last
 *
 * Return: the runs of all chunks that have some of the range
 */
unsigned long frames_count_runs(struct rb_root_cached *store,
				unsigned long first, unsigned long last)
{
	struct interval_tree_node *node;
	unsigned long nr = 0;

	for (node = interval_tree_iter_first(store, first, last); node;
	     node = interval_tree_iter_next(node, first, last))
		nr += container_of(node, struct frame_chunk, node)->nr;
	return nr;
}

/* Whether the part of a chunk in a range of indices has some of these frames. */
static bool chunk_holds(const struct frame_chunk *chunk, unsigned long first,
			unsigned long last, unsigned long pfn,
			unsigned long count)
{
	unsigned long index = chunk->node.start;
	unsigned int pos;

	for (pos = 0; pos < chunk->nr && index <= last; pos++) {
		unsigned long n = frame_run_count(chunk->runs[pos]);
		unsigned long from = max(first, index);
		unsigned long to = min(last, index + n - 1);
		unsigned long at = frame_run_first(chunk->runs[pos]) - index;

		if (from <= to && at + from < pfn + count && at + to >= pfn)
			return true;
		index += n;
	}
	return false;
}

/**
 * frames_hold - whether frames are stored in a range of indices
 * @store: the store
 * @first: the first index
 * @last: the last index; the range may have gaps
 * @pfn: the first frame
 * @count: how many frames
 *
 * Return: whether any of the frames is
 */
bool frames_hold(struct rb_root_cached *store, unsigned long first,
		 unsigned long last, unsigned long pfn, unsigned long count)
{
	struct interval_tree_node *node;

	for (node = interval_tree_iter_first(store, first, last); node;
	     node = interval_tree_iter_next(node, first, last))
		if (chunk_holds(container_of(node, struct frame_chunk, node),
				first, last, pfn, count))
			return true;
	return false;
}

/**
 * frames_move - put all frames of one store into another
 * @to: has nothing at these indices
 * @from: empty afterwards
 */
void frames_move(struct rb_root_cached *to, struct rb_root_cached *from)
{
	struct frame_chunk *chunk;

	while ((chunk = chunk_at(from, 0, ULONG_MAX))) {
		interval_tree_remove(&chunk->node, from);
		interval_tree_insert(&chunk->node, to);
	}
}

/**
 * frames_free - empty a store that may have gaps
 * @store: the store
 * @pages: for @unpin
 * @unpin: called for each stretch before it is forgotten
 */
void frames_free(struct rb_root_cached *store, struct iommufd_pages *pages,
		 void (*unpin)(struct iommufd_pages *pages,
			       struct rb_root_cached *store,
			       unsigned long first, unsigned long last))
{
	struct frame_chunk *chunk;

	while ((chunk = chunk_at(store, 0, ULONG_MAX))) {
		unpin(pages, store, chunk->node.start, chunk->node.last);
		interval_tree_remove(&chunk->node, store);
		kfree(chunk);
	}
}

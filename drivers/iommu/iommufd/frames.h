/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The physical frames behind a stretch of memory, kept as runs.
 */
#ifndef __IOMMUFD_FRAMES_H
#define __IOMMUFD_FRAMES_H

#include <linux/interval_tree.h>
#include <linux/types.h>

/**
 * struct frame_chunk - the frames of consecutive page indices
 * @node: first and last page index. Chunks of a store never overlap
 * @nr: runs used
 * @capacity: runs there is room for
 * @runs: physically contiguous frames, first frame and count packed into one
 *	  word, in the order of their indices and without a gap between them
 *
 * A run of any length takes 8 bytes: scattered 4 KiB pages cost 8 bytes each,
 * and what is contiguous next to nothing. A chunk fits in a page, so that no
 * memory has to be contiguous and looking up an index within one stays short.
 */
struct frame_chunk {
	struct interval_tree_node node;
	unsigned int nr;
	unsigned int capacity;
	u64 runs[];
};

/* 40 bits of frame number cover 52-bit physical addresses with 4 KiB pages. */
#define FRAME_COUNT_BITS 24
#define FRAME_COUNT_MAX ((1UL << FRAME_COUNT_BITS) - 1)

static inline unsigned long frame_run_first(u64 run)
{
	return run >> FRAME_COUNT_BITS;
}

static inline unsigned long frame_run_count(u64 run)
{
	return run & FRAME_COUNT_MAX;
}

/**
 * struct frame_writer - adds frames to a store at consecutive indices
 * @store: the chunks, an interval tree of page indices
 * @chunk: being filled, not yet in @store; NULL if none
 * @index: of the next frame
 * @last: index of the last frame that will come, to size chunks
 */
struct frame_writer {
	struct rb_root_cached *store;
	struct frame_chunk *chunk;
	unsigned long index;
	unsigned long last;
};

void frame_writer_init(struct frame_writer *w, struct rb_root_cached *store,
		       unsigned long first, unsigned long last);
int frame_writer_add(struct frame_writer *w, unsigned long pfn,
		     unsigned long count);
void frame_writer_finish(struct frame_writer *w);

/**
 * struct frame_reader - walks over stored frames
 * @store: the chunks; must not change meanwhile
 * @chunk: where the walk is
 * @pos: the run of @chunk that comes next
 * @skip: frames of that run that were passed already
 * @index: page index of the next frame
 */
struct frame_reader {
	struct rb_root_cached *store;
	struct frame_chunk *chunk;
	unsigned int pos;
	unsigned long skip;
	unsigned long index;
};

void frame_reader_init(struct frame_reader *r, struct rb_root_cached *store,
		       unsigned long index);
unsigned long frame_reader_next(struct frame_reader *r, unsigned long last,
				unsigned long *pfn);

void frames_remove(struct rb_root_cached *store, unsigned long first,
		   unsigned long last);
unsigned long frames_count_runs(struct rb_root_cached *store,
				unsigned long first, unsigned long last);
bool frames_hold(struct rb_root_cached *store, unsigned long first,
		 unsigned long last, unsigned long pfn, unsigned long count);
void frames_move(struct rb_root_cached *to, struct rb_root_cached *from);

struct iommufd_pages;
void frames_free(struct rb_root_cached *store, struct iommufd_pages *pages,
		 void (*unpin)(struct iommufd_pages *pages,
			       struct rb_root_cached *store,
			       unsigned long first, unsigned long last));

#endif

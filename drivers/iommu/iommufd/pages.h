/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory of a user that is pinned once, however many I/O page tables and
 * in-kernel accesses mirror it.
 */
#ifndef __IOMMUFD_PAGES_H
#define __IOMMUFD_PAGES_H

#include <linux/interval_tree.h>
#include <linux/kref.h>
#include <linux/mm_types.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/types.h>

#include "frames.h"

struct charge_move;
struct file;
struct iommufd_ctx;
struct pages_dmabuf;
struct user_struct;

/**
 * struct memory_account - who is charged for pinned memory, and its limit
 * @task: thread group leader whose RLIMIT_MEMLOCK counts; referenced
 * @mm: whose pinned_vm grows, and whose locked_vm in per-process mode;
 *	referenced with mmgrab(), so it may have exited
 * @user: whose locked_vm grows in the default mode; referenced
 * @per_process: which of the two modes
 * @unlimited: the owner had CAP_IPC_LOCK: charged, but without a limit
 */
struct memory_account {
	struct task_struct *task;
	struct mm_struct *mm;
	struct user_struct *user;
	bool per_process;
	bool unlimited;
};

void memory_account_init(struct memory_account *account, bool per_process);
void memory_account_release(struct memory_account *account);
int memory_account_charge(struct memory_account *account, unsigned long npages);
void memory_account_keep(struct memory_account *account, unsigned long npages);
void memory_account_uncharge(struct memory_account *account,
			     unsigned long npages);

/**
 * struct iommufd_pages - a stretch of user memory or of a file
 * @kref: one per area that maps some of it
 * @lock: protects @frames, @needs and @npinned. Taken inside all locks of an
 *	  io_pagetable; outside the mmap_lock of the user
 * @account: who is charged; changes while all address spaces are frozen
 * @npages: CPU pages it covers; constant
 * @offset: of the first byte within the first page; constant
 * @writable: whether it is pinned for writing; constant
 * @uptr: page-aligned address in @account.mm, if @file and @dmabuf are NULL; constant
 * @file: memfd, shmem or hugetlbfs file, or NULL; referenced, constant
 * @file_start: page-aligned first byte in @file or @dmabuf; constant
 * @dmabuf: a dma-buf, which is never pinned, or NULL; constant
 * @frames: what is pinned, struct frame_chunk by page index
 * @needs: struct pages_need of all who want something to be pinned
 * @npinned: frames in @frames, all of them charged
 * @move: the charge is being moved; under the freeze_lock of the context
 *
 * A page index is pinned exactly while at least one need covers it. Pages of
 * user memory hold one pin for each index; a folio of a file holds one pin
 * as long as any of its frames is stored.
 */
struct iommufd_pages {
	struct kref kref;
	struct mutex lock;
	struct memory_account account;
	unsigned long npages;
	unsigned int offset;
	bool writable;
	unsigned long uptr;
	struct file *file;
	loff_t file_start;
	struct pages_dmabuf *dmabuf;
	struct rb_root_cached frames;
	struct rb_root_cached needs;
	unsigned long npinned;
	struct charge_move *move;
};

/**
 * struct pages_need - somebody's wish to have page indices pinned
 * @node: first and last index; in iommufd_pages.needs
 */
struct pages_need {
	struct interval_tree_node node;
};

struct iommufd_pages *iommufd_pages_from_user(struct iommufd_ctx *ictx,
					      unsigned long uptr,
					      unsigned long length,
					      bool writable);
struct iommufd_pages *iommufd_pages_from_file(struct iommufd_ctx *ictx, int fd,
					      loff_t start,
					      unsigned long length,
					      bool writable);
void iommufd_pages_put(struct iommufd_pages *pages);

/* Where a byte is in the process or file; for its alignment. */
static inline unsigned long
iommufd_pages_address(const struct iommufd_pages *pages, unsigned long start)
{
	return pages->uptr + pages->file_start + start;
}

int iommufd_pages_pin(struct iommufd_pages *pages, struct pages_need *need,
		      unsigned long first, unsigned long last);
void iommufd_pages_unpin(struct iommufd_pages *pages, struct pages_need *need);
void iommufd_pages_divide(struct iommufd_pages *pages, struct pages_need *need,
			  unsigned long last, struct pages_need *tail,
			  unsigned long tail_first);
void iommufd_pages_fill(struct iommufd_pages *pages, unsigned long first,
			unsigned long last, struct page **out);

/* pin.c and pin_file.c: both work on indices where nothing is stored. */
int pin_user_frames(struct iommufd_pages *pages, struct frame_writer *w);
int pin_file_frames(struct iommufd_pages *pages, struct frame_writer *w);
void unpin_user_frames(struct iommufd_pages *pages, unsigned long first,
		       unsigned long last);
void unpin_file_frames(struct iommufd_pages *pages, unsigned long first,
		       unsigned long last);
bool pin_file_possible(struct file *file);
int pin_file_check(struct file *file, loff_t start, unsigned long length,
		   bool writable);

#endif

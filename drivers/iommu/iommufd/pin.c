// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pinning and unpinning of a process's memory.
 */
#include <linux/iommufd_reason.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "pages.h"

/* Pages asked for at once: what a page full of pointers names. */
#define PIN_BATCH (PAGE_SIZE / sizeof(struct page *))
/* Small maps do without an allocation. */
#define PIN_BATCH_SMALL 16

static long pin_batch(struct iommufd_pages *pages, unsigned long addr,
		      unsigned long n, struct page **batch)
{
	unsigned int flags = FOLL_LONGTERM | (pages->writable ? FOLL_WRITE : 0);
	struct mm_struct *mm = pages->account.mm;
	long got;

	if (mm == current->mm)
		return pin_user_pages_fast(addr, n, flags, batch);

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	got = pin_user_pages_remote(mm, addr, n, flags, batch, NULL);
	mmap_read_unlock(mm);
	return got;
}

static int add_batch(struct frame_writer *w, struct page **batch,
		     unsigned long n)
{
	unsigned long i = 0;

	while (i < n) {
		unsigned long pfn = page_to_pfn(batch[i]);
		unsigned long count = 1;

		while (i + count < n && page_to_pfn(batch[i + count]) == pfn + count)
			count++;
		if (frame_writer_add(w, pfn, count)) {
			unpin_user_pages(batch + i, n - i);
			return iommufd_refuse(-ENOMEM,
					      "no kernel memory to remember pinned pages");
		}
		i += count;
	}
	return 0;
}

static int pin_refuse(struct iommufd_pages *pages, unsigned long addr, long rc)
{
	if (fatal_signal_pending(current) || rc == -EINTR || rc == -ERESTARTSYS)
		return iommufd_refuse(-EINTR, "killed while pinning memory at 0x%lx",
				      addr);
	if (rc == -ENOMEM)
		return iommufd_refuse(-ENOMEM, "out of memory while pinning 0x%lx",
				      addr);
	return iommufd_refuse(-EFAULT,
			      "memory at 0x%lx cannot be pinned%s: not mapped, device memory, or file pages that must not stay pinned",
			      addr, pages->writable ? " for writing" : "");
}

/**
 * pin_user_frames - pin memory of the owning process
 * @pages: the memory, its lock held
 * @w: the indices to fill; on failure @w->index tells how far it came
 *
 * Return: 0 or an explained errno
 */
int pin_user_frames(struct iommufd_pages *pages, struct frame_writer *w)
{
	struct mm_struct *mm = pages->account.mm;
	struct page *small[PIN_BATCH_SMALL], **batch = small;
	unsigned long size = PIN_BATCH_SMALL, n;
	int rc = 0;

	if (mm != current->mm && !mmget_not_zero(mm))
		return iommufd_refuse(-EFAULT,
				      "the process whose memory is mapped has exited");
	if (w->last - w->index >= PIN_BATCH_SMALL) {
		size = PIN_BATCH;
		batch = kmalloc_array(size, sizeof(*batch), GFP_KERNEL_ACCOUNT);
		if (!batch) {
			rc = iommufd_refuse(-ENOMEM, "no kernel memory to pin pages");
			goto out_mm;
		}
	}
	while (!rc && w->index <= w->last) {
		unsigned long addr = pages->uptr + w->index * PAGE_SIZE;
		long got;

		n = min(size, w->last - w->index + 1);
		if (fatal_signal_pending(current))
			got = -EINTR;
		else
			got = pin_batch(pages, addr, n, batch);
		if (got <= 0)
			rc = pin_refuse(pages, addr, got);
		else
			rc = add_batch(w, batch, got);
		cond_resched();
	}
	if (batch != small)
		kfree(batch);
out_mm:
	if (mm != current->mm)
		mmput(mm);
	return rc;
}

/**
 * unpin_user_frames - let go of memory of a process
 * @pages: the memory, its lock held
 * @first: first page index, all pinned
 * @last: last page index
 */
void unpin_user_frames(struct iommufd_pages *pages, unsigned long first,
		       unsigned long last)
{
	struct frame_reader r;
	unsigned long pfn, count;

	frame_reader_init(&r, &pages->frames, first);
	while ((count = frame_reader_next(&r, last, &pfn))) {
		unpin_user_page_range_dirty_lock(pfn_to_page(pfn), count,
						 pages->writable);
		cond_resched();
	}
}

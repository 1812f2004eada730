// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pinning and unpinning of a process's memory.
 */
#include <linux/iommufd_reason.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "fail.h"
#include "pages.h"
#include "parallel.h"
#include "selftest.h"

/* Pages asked for at once: what a page full of pointers names. */
#define PIN_BATCH (PAGE_SIZE / sizeof(struct page *))
/* Small maps do without an allocation. */
#define PIN_BATCH_SMALL 16

static long pin_batch(struct iommufd_pages *pages, unsigned long addr,
		      unsigned long n, struct page **batch)
{
	unsigned int flags = FOLL_LONGTERM | (pages->writable ? FOLL_WRITE : 0);
	struct mm_struct *mm = pages->account.mm;
	int locked = 1;
	long got;

	if (iommufd_fail_here())
		return -EFAULT;
	if (mm == current->mm)
		return pin_user_pages_fast(addr, n, flags, batch);

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	/* Faults that wait for their owner give the lock up meanwhile. */
	got = pin_user_pages_remote(mm, addr, n, flags, batch, &locked);
	if (locked)
		mmap_read_unlock(mm);
	return got;
}

/* -ENOMEM has nothing of the batch left pinned that @w does not know. */
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
			return -ENOMEM;
		}
		i += count;
	}
	return 0;
}

static int pin_refuse(struct iommufd_pages *pages, unsigned long index, int rc)
{
	unsigned long addr = pages->uptr + index * PAGE_SIZE;

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

/* Pin until @w is at its end or something is wrong. */
static int pin_into(struct iommufd_pages *pages, struct frame_writer *w,
		    struct page **batch, unsigned long size)
{
	int rc = 0;

	size = iommufd_selftest_batch(size * sizeof(*batch)) / sizeof(*batch);
	while (!rc && w->index <= w->last) {
		unsigned long n = min(size, w->last - w->index + 1);
		long got = -EINTR;

		if (!fatal_signal_pending(current))
			got = pin_batch(pages, pages->uptr + w->index * PAGE_SIZE,
					n, batch);
		if (got > 0)
			rc = add_batch(w, batch, got);
		else
			rc = got ?: -EFAULT;
		cond_resched();
	}
	return rc;
}

/* What a worker takes at a time. */
#define PIN_STEP (SZ_8M / PAGE_SIZE)
/*
 * Large pages that are there already are pinned faster than a worker wakes up.
 * How long the first step takes tells them from small or absent ones.
 */
#define PIN_STEP_SLOW_NS 25000

/**
 * struct pin_job - pinning of a large range by several CPUs
 * @job: job head
 * @pages: the memory; referenced, since a worker may be stuck in a page fault
 *	   when the caller is killed
 * @lock: protects @frames and @bad
 * @frames: what was pinned
 * @bad: the index at which the first error came
 * @taken: @frames became the caller's
 * @kept: pages charged for what the job has pinned, or may be pinning, although
 *	  the caller has given up
 */
struct pin_job {
	struct parallel_job job;
	struct iommufd_pages *pages;
	struct mutex lock;
	struct rb_root_cached frames;
	unsigned long bad;
	bool taken;
	unsigned long kept;
};

static void unpin_store(struct iommufd_pages *pages,
			struct rb_root_cached *store, unsigned long first,
			unsigned long last);

static void pin_job_release(struct parallel_job *job)
{
	struct pin_job *pj = container_of(job, struct pin_job, job);

	if (!pj->taken)
		frames_free(&pj->frames, pj->pages, unpin_store);
	if (pj->kept)
		memory_account_uncharge(&pj->pages->account, pj->kept);
	mutex_destroy(&pj->lock);
	mmput_async(job->mm);
	iommufd_pages_put(pj->pages);
	kfree(pj);
}

static int pin_job_work(struct parallel_job *job, unsigned long first,
			unsigned long last)
{
	struct pin_job *pj = container_of(job, struct pin_job, job);
	struct rb_root_cached frames = RB_ROOT_CACHED;
	struct frame_writer w;
	struct page **batch;
	int rc = -ENOMEM;

	frame_writer_init(&w, &frames, first, last);
	batch = kmalloc_array(PIN_BATCH, sizeof(*batch), GFP_KERNEL);
	if (batch) {
		rc = pin_into(pj->pages, &w, batch, PIN_BATCH);
		kfree(batch);
	}
	frame_writer_finish(&w);
	mutex_lock(&pj->lock);
	frames_move(&pj->frames, &frames);
	if (rc && !READ_ONCE(job->rc))
		pj->bad = w.index;
	mutex_unlock(&pj->lock);
	return rc;
}

static int pin_parallel(struct iommufd_pages *pages, struct frame_writer *w,
			unsigned int workers)
{
	struct pin_job *pj = kzalloc(sizeof(*pj), GFP_KERNEL_ACCOUNT);
	int rc;

	if (!pj)
		return iommufd_refuse(-ENOMEM, "no kernel memory to pin pages");
	pj->job.last = w->last;
	pj->job.step = PIN_STEP;
	pj->job.work = pin_job_work;
	pj->job.release = pin_job_release;
	pj->job.mm = pages->account.mm;
	mmget(pj->job.mm);
	pj->pages = pages;
	kref_get(&pages->kref);
	mutex_init(&pj->lock);
	pj->frames = RB_ROOT_CACHED;

	frame_writer_finish(w);
	rc = parallel_run(&pj->job, w->index, workers, true);
	if (!rc) {
		pj->taken = true;
		frames_move(w->store, &pj->frames);
		w->index = w->last + 1;
	} else {
		/* Nobody gets rid of a charge by being killed. */
		if (rc == -EINTR) {
			pj->kept = w->last - w->index + 1;
			memory_account_keep(&pages->account, pj->kept);
		}
		rc = pin_refuse(pages, pj->bad, rc);
	}
	parallel_put(&pj->job);
	return rc;
}

/* Pin up to @last; what is left is worth several CPUs if *@workers is above 1. */
static int pin_first(struct iommufd_pages *pages, struct frame_writer *w,
		     struct page **batch, unsigned long size,
		     unsigned int *workers)
{
	unsigned long end = w->last;
	u64 start;
	int rc;

	*workers = parallel_workers(end - w->index + 1, PIN_STEP);
	if (*workers == 1)
		return pin_into(pages, w, batch, size);

	start = ktime_get_ns();
	w->last = w->index + PIN_STEP - 1;
	rc = pin_into(pages, w, batch, size);
	w->last = end;
	if (rc || ktime_get_ns() - start > PIN_STEP_SLOW_NS)
		return rc;
	*workers = 1;
	return pin_into(pages, w, batch, size);
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
	struct page *small[PIN_BATCH_SMALL], **batch = small;
	struct mm_struct *mm = pages->account.mm;
	unsigned long size = PIN_BATCH_SMALL;
	unsigned int workers;
	int rc;

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
	rc = pin_first(pages, w, batch, size, &workers);
	if (rc)
		rc = pin_refuse(pages, w->index, rc);
	else if (w->index <= w->last)
		rc = pin_parallel(pages, w, workers);
	if (batch != small)
		kfree(batch);
out_mm:
	if (mm != current->mm)
		mmput(mm);
	return rc;
}

static void unpin_store(struct iommufd_pages *pages,
			struct rb_root_cached *store, unsigned long first,
			unsigned long last)
{
	struct frame_reader r;
	unsigned long pfn, count;

	frame_reader_init(&r, store, first);
	while ((count = frame_reader_next(&r, last, &pfn))) {
		unpin_user_page_range_dirty_lock(pfn_to_page(pfn), count,
						 pages->writable);
		cond_resched();
	}
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
	unpin_store(pages, &pages->frames, first, last);
}

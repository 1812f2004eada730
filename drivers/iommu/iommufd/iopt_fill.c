// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entering one area into one domain, and taking it out.
 */
#include <linux/bitmap.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "dmabuf.h"
#include "fail.h"
#include "hw.h"
#include "io_pagetable.h"
#include "parallel.h"

/* Runs handed to a driver at once; they live on the stack. */
#define RUN_BATCH 32

/* What one of several CPUs enters at a time: whole tables of small leaves. */
#define FILL_STEP SZ_32M
/* Fewer runs are entered faster than workers wake up. */
#define FILL_PARALLEL_RUNS 16384

/**
 * struct fill - part of an area on its way into a domain
 * @idom: the domain
 * @area: the area; the lock of its pages is held
 * @pgsizes: leaf sizes to use
 */
struct fill {
	struct iopt_domain *idom;
	struct iopt_area *area;
	unsigned long pgsizes;
};

static void clear_range(struct iopt_domain *idom, unsigned long iova,
			unsigned long length, struct iommu_iotlb_gather *gather)
{
	size_t got;

	if (!length)
		return;
	got = idom->drv->unmap(idom->domain, iova, length, gather);
	WARN_ONCE(got != length, "%s unmapped 0x%zx of 0x%lx bytes at 0x%lx",
		  idom->drv->name, got, length, iova);
}

/**
 * iopt_domain_clear - take an area out of a domain
 * @idom: the domain
 * @area: the area, which is in it
 * @gather: collects what the IOTLB has to forget before the memory is let go
 */
void iopt_domain_clear(struct iopt_domain *idom, struct iopt_area *area,
		       struct iommu_iotlb_gather *gather)
{
	if (area->pages->dmabuf)
		pages_dmabuf_clear(idom, area);
	else
		clear_range(idom, iopt_area_iova(area), iopt_area_length(area),
			    gather);
	cond_resched();
}

/*
 * Collect the next runs of an area, @left bytes at most. Runs that continue each
 * other, which the store may keep apart, become one: a driver makes the largest
 * leaves it can of it.
 */
static unsigned int next_runs(struct iopt_area *area, struct frame_reader *r,
			      unsigned long skip, unsigned long left,
			      struct iommufd_run *runs)
{
	unsigned int nr = 0;

	while (left) {
		struct frame_reader before = *r;
		unsigned long pfn, count, len;
		phys_addr_t phys;

		count = frame_reader_next(r, iopt_area_last(area), &pfn);
		if (WARN_ON(!count))
			break;
		phys = PFN_PHYS(pfn) + skip;
		len = min(count * PAGE_SIZE - skip, left);
		if (nr && runs[nr - 1].phys + runs[nr - 1].len == phys) {
			runs[nr - 1].len += len;
		} else if (nr < RUN_BATCH) {
			runs[nr++] = (struct iommufd_run){ phys, len };
		} else {
			*r = before;
			break;
		}
		left -= len;
		skip = 0;
	}
	return nr;
}

/* Enter the bytes @from.. of an area, @len of them; all or nothing. */
static int fill_bytes(struct fill *fill, unsigned long from, unsigned long len)
{
	struct iopt_domain *idom = fill->idom;
	struct iopt_area *area = fill->area;
	unsigned long iova = iopt_area_iova(area) + from;
	unsigned long start = area->start + from;
	struct iommufd_run runs[RUN_BATCH];
	struct iommu_iotlb_gather gather;
	unsigned long done = 0;
	struct frame_reader r;
	int rc = 0;

	frame_reader_init(&r, &area->pages->frames, start / PAGE_SIZE);
	while (done < len && !rc) {
		unsigned int nr = next_runs(area, &r,
					    done ? 0 : offset_in_page(start),
					    len - done, runs);
		size_t mapped = 0;

		if (iommufd_fail_here())
			rc = iommufd_refuse(-ENOMEM, "a test makes mapping fail");
		else
			rc = idom->drv->map(idom->domain, iova + done, runs, nr,
					    area->prot, fill->pgsizes, &mapped);
		done += mapped;
		cond_resched();
	}
	if (rc) {
		iommu_iotlb_gather_init(&gather);
		clear_range(idom, iova, done, &gather);
		iommu_iotlb_sync(idom->domain, &gather);
	}
	return rc;
}

/**
 * struct fill_job - a large area entered by several CPUs
 * @job: job head; its range is that of the pieces' numbers
 * @fill: what is entered
 * @head: bytes of piece 0, so that all others begin at a multiple of FILL_STEP
 * @done: bitmap of the pieces that are in the domain
 */
struct fill_job {
	struct parallel_job job;
	struct fill fill;
	unsigned long head;
	unsigned long *done;
};

static void piece_bytes(struct fill_job *fj, unsigned long piece,
			unsigned long *from, unsigned long *len)
{
	unsigned long length = iopt_area_length(fj->fill.area);

	*from = piece ? fj->head + (piece - 1) * FILL_STEP : 0;
	*len = min(piece ? FILL_STEP : fj->head, length - *from);
}

static int fill_job_work(struct parallel_job *job, unsigned long first,
			 unsigned long last)
{
	struct fill_job *fj = container_of(job, struct fill_job, job);
	unsigned long from, len;
	int rc;

	piece_bytes(fj, first, &from, &len);
	rc = fill_bytes(&fj->fill, from, len);
	if (!rc)
		set_bit(first, fj->done);
	return rc;
}

static void fill_job_release(struct parallel_job *job)
{
	struct fill_job *fj = container_of(job, struct fill_job, job);

	bitmap_free(fj->done);
	kfree(fj);
}

static void fill_job_undo(struct fill_job *fj)
{
	struct iommu_iotlb_gather gather;
	unsigned long piece, from, len;

	iommu_iotlb_gather_init(&gather);
	for_each_set_bit(piece, fj->done, fj->job.last + 1) {
		piece_bytes(fj, piece, &from, &len);
		clear_range(fj->fill.idom, iopt_area_iova(fj->fill.area) + from,
			    len, &gather);
	}
	iommu_iotlb_sync(fj->fill.idom->domain, &gather);
}

static int fill_parallel(struct fill *fill, unsigned int workers)
{
	unsigned long iova = iopt_area_iova(fill->area);
	unsigned long length = iopt_area_length(fill->area);
	struct fill_job *fj = kzalloc(sizeof(*fj), GFP_KERNEL_ACCOUNT);
	int rc;

	if (!fj)
		return fill_bytes(fill, 0, length);
	fj->fill = *fill;
	fj->head = min(length, FILL_STEP - (iova & (FILL_STEP - 1)));
	fj->job.last = DIV_ROUND_UP(length - fj->head, FILL_STEP);
	fj->job.step = 1;
	fj->job.work = fill_job_work;
	fj->job.release = fill_job_release;
	fj->done = bitmap_zalloc(fj->job.last + 1, GFP_KERNEL_ACCOUNT);
	if (!fj->done) {
		kfree(fj);
		return fill_bytes(fill, 0, length);
	}
	rc = parallel_run(&fj->job, 0, workers, false);
	if (rc) {
		fill_job_undo(fj);
		/* The worker that knew better had nobody to tell. */
		iommufd_refuse(rc, "the IOMMU driver %s failed to map in 0x%lx..0x%lx",
			       fill->idom->drv->name, iova, iova + length - 1);
	}
	parallel_put(&fj->job);
	return rc;
}

static int fill_pinned(struct fill *fill)
{
	struct iopt_area *area = fill->area;
	unsigned long length = iopt_area_length(area);
	unsigned int workers = 1;

	if (frames_count_runs(&area->pages->frames, iopt_area_first(area),
			      iopt_area_last(area)) >= FILL_PARALLEL_RUNS)
		workers = parallel_workers(length, FILL_STEP);
	if (workers > 1)
		return fill_parallel(fill, workers);
	return fill_bytes(fill, 0, length);
}

/* A CPU page, or what comes closest: no larger if there is one that is not. */
static unsigned long small_pgsize(unsigned long pgsizes)
{
	unsigned long small = pgsizes & GENMASK(PAGE_SHIFT, 0);

	return small ? BIT(__fls(small)) : BIT(__ffs(pgsizes));
}

/**
 * iopt_domain_fill - enter an area into a domain
 * @iopt: the address space, its shape held
 * @idom: one of its domains, or one that is being added
 * @area: its memory is pinned
 *
 * Context: may sleep.
 * Return: 0 or an explained errno, with nothing left in the domain
 */
int iopt_domain_fill(struct io_pagetable *iopt, struct iopt_domain *idom,
		     struct iopt_area *area)
{
	unsigned long iova = iopt_area_iova(area);
	unsigned long length = iopt_area_length(area);
	struct fill fill = { .idom = idom, .area = area };
	const struct iommufd_window *window;
	struct iommu_iotlb_gather gather;
	int rc;

	window = hw_window_of(idom, iova, iova + length - 1);
	if (!window)
		return iopt_refuse_windows(iopt, iova, iova + length - 1);
	fill.pgsizes = window->pgsizes;
	if (iopt->huge_pages)
		area->large_leaves = true;
	else
		fill.pgsizes = small_pgsize(fill.pgsizes);
	if (area->pages->dmabuf)
		return pages_dmabuf_fill(idom, area, fill.pgsizes);

	mutex_lock(&area->pages->lock);
	rc = fill_pinned(&fill);
	mutex_unlock(&area->pages->lock);
	if (!rc && idom->drv->map_sync) {
		rc = idom->drv->map_sync(idom->domain, iova, length);
		if (rc) {
			iommu_iotlb_gather_init(&gather);
			clear_range(idom, iova, length, &gather);
			iommu_iotlb_sync(idom->domain, &gather);
		}
	}
	return rc;
}

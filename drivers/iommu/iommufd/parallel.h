/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One large operation on a range, done by several CPUs.
 */
#ifndef __IOMMUFD_PARALLEL_H
#define __IOMMUFD_PARALLEL_H

#include <linux/atomic.h>
#include <linux/mm_types.h>
#include <linux/refcount.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

/* More workers than this only fight for memory bandwidth. */
#define PARALLEL_MAX 8

/**
 * struct parallel_job - a range that several CPUs work through piece by piece
 * @refs: one for the caller and one for each worker; who drops the last one calls
 *	  @release
 * @running: workers that have not finished. Not counted are those that were
 *	     recalled before they began
 * @idle: woken when @running becomes 0
 * @next: where the next piece begins; grows past @last
 * @last: end of the range, constant
 * @step: size of a piece, constant
 * @mm: address space to work in, referenced by the job's owner; or NULL
 * @memcg: whom the kernel memory of workers is charged to: the caller's cgroup;
 *	   referenced
 * @work: do one piece. Errors end the job; the first one is kept in @rc
 * @release: free the job and what it has; may run in a worker, after the caller
 *	     gave up
 * @rc: the first error; set once, then no further piece is begun
 * @works: for the workers other than the caller
 */
struct parallel_job {
	refcount_t refs;
	atomic_t running;
	wait_queue_head_t idle;
	atomic_long_t next;
	unsigned long last;
	unsigned long step;
	struct mm_struct *mm;
	struct mem_cgroup *memcg;
	int (*work)(struct parallel_job *job, unsigned long first,
		    unsigned long last);
	void (*release)(struct parallel_job *job);
	int rc;
	struct parallel_worker {
		struct work_struct work;
		struct parallel_job *job;
	} works[PARALLEL_MAX - 1];
};

int parallel_init(void);
void parallel_exit(void);
unsigned int parallel_workers(unsigned long count, unsigned long step);
int parallel_run(struct parallel_job *job, unsigned long first,
		 unsigned int workers, bool killable);
void parallel_put(struct parallel_job *job);

#endif

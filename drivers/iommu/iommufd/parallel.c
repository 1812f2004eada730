// SPDX-License-Identifier: GPL-2.0-only
/*
 * Workers for large operations. The caller is one of them; the others run on its
 * NUMA node, so that memory they fault in lands where it would have without
 * them.
 */
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/memcontrol.h>
#include <linux/mempolicy.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/topology.h>

#include "parallel.h"

static unsigned int parallel = PARALLEL_MAX;
module_param(parallel, uint, 0644);
MODULE_PARM_DESC(parallel,
		 "CPUs that may work together on one large map: 1 to 8 (default: 8)");

static struct workqueue_struct *parallel_wq;

int parallel_init(void)
{
	parallel_wq = alloc_workqueue("iommufd", WQ_UNBOUND, 0);
	return parallel_wq ? 0 : -ENOMEM;
}

/* Also waits for workers that their callers did not wait for. */
void parallel_exit(void)
{
	destroy_workqueue(parallel_wq);
}

/**
 * parallel_workers - how many CPUs are worth it
 * @count: size of the range
 * @step: size of a piece
 *
 * Return: at least 1, the caller
 */
unsigned int parallel_workers(unsigned long count, unsigned long step)
{
	unsigned long n = min(count / step, READ_ONCE(parallel));

	if (n <= 1)
		return 1;
#ifdef CONFIG_NUMA
	/* A memory policy of the task would not hold for a worker. */
	if (current->mempolicy)
		return 1;
#endif
	n = min3(n, (unsigned long)PARALLEL_MAX,
		 (unsigned long)cpumask_weight(cpumask_of_node(numa_node_id())));
	return max(n, 1UL);
}

/**
 * parallel_put - drop a reference to a job
 * @job: may be gone afterwards
 */
void parallel_put(struct parallel_job *job)
{
	if (!refcount_dec_and_test(&job->refs))
		return;
	mem_cgroup_put(job->memcg);
	job->release(job);
}

static void job_loop(struct parallel_job *job)
{
	while (!READ_ONCE(job->rc)) {
		unsigned long first = atomic_long_fetch_add(job->step, &job->next);
		int rc;

		if (first > job->last)
			break;
		rc = job->work(job, first,
			       min(first + job->step - 1, job->last));
		if (rc)
			cmpxchg(&job->rc, 0, rc);
	}
}

static void worker_fn(struct work_struct *work)
{
	struct parallel_worker *worker =
		container_of(work, struct parallel_worker, work);
	struct parallel_job *job = worker->job;
	struct mem_cgroup *old = set_active_memcg(job->memcg);

	if (job->mm)
		kthread_use_mm(job->mm);
	job_loop(job);
	if (job->mm)
		kthread_unuse_mm(job->mm);
	set_active_memcg(old);
	if (atomic_dec_and_test(&job->running))
		wake_up_all(&job->idle);
	parallel_put(job);
}

/*
 * Workers that have not begun are not waited for: all that the workqueue has may
 * be in page faults of others, who take as long as they like.
 */
static void job_recall(struct parallel_job *job, unsigned int workers)
{
	unsigned int i;

	for (i = 0; i + 1 < workers; i++) {
		if (cancel_work(&job->works[i].work)) {
			atomic_dec(&job->running);
			refcount_dec(&job->refs);
		}
	}
}

/* What the workers did is seen by who has seen this. */
static bool job_idle(struct parallel_job *job)
{
	return !atomic_read_acquire(&job->running);
}

/**
 * parallel_run - work through a range with several CPUs
 * @job: with @last, @step, @mm, @work and @release set, the rest zero
 * @first: start of the range
 * @workers: from parallel_workers(), the caller included
 * @killable: return on a fatal signal although workers are not finished; they
 *	      stop after the piece they are at and release the job then
 *
 * Context: may sleep. The caller drops its reference with parallel_put().
 * Return: 0, the first error of a piece, or -EINTR
 */
int parallel_run(struct parallel_job *job, unsigned long first,
		 unsigned int workers, bool killable)
{
	unsigned int i;

	job->memcg = get_mem_cgroup_from_mm(current->mm);
	refcount_set(&job->refs, workers);
	atomic_set(&job->running, workers - 1);
	init_waitqueue_head(&job->idle);
	atomic_long_set(&job->next, first);
	for (i = 0; i + 1 < workers; i++) {
		job->works[i].job = job;
		INIT_WORK(&job->works[i].work, worker_fn);
		queue_work_node(numa_node_id(), parallel_wq, &job->works[i].work);
	}
	job_loop(job);
	job_recall(job, workers);
	if (!killable) {
		wait_event(job->idle, job_idle(job));
	} else if (wait_event_killable(job->idle, job_idle(job))) {
		cmpxchg(&job->rc, 0, -EINTR);
		return -EINTR;
	}
	return job->rc;
}

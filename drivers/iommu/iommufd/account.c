// SPDX-License-Identifier: GPL-2.0-only
/*
 * Charging pinned memory against RLIMIT_MEMLOCK.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/iommufd_reason.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/user.h>

#include "pages.h"

#define PAGES_TO_KIB(n) ((n) << (PAGE_SHIFT - 10))

/**
 * memory_account_init - charge to the current process from now on
 * @account: uninitialized
 * @per_process: charge mm->locked_vm instead of the user's
 */
void memory_account_init(struct memory_account *account, bool per_process)
{
	account->task = current->group_leader;
	get_task_struct(account->task);
	account->mm = current->mm;
	mmgrab(account->mm);
	account->user = get_uid(current_user());
	account->per_process = per_process;
	account->unlimited = capable(CAP_IPC_LOCK);
}

/**
 * memory_account_release - drop the references of an account
 * @account: with nothing charged to it any more
 */
void memory_account_release(struct memory_account *account)
{
	free_uid(account->user);
	mmdrop(account->mm);
	put_task_struct(account->task);
}

static int refuse_limit(unsigned long npages, unsigned long used,
			unsigned long limit, const char *whose)
{
	return iommufd_refuse(-ENOMEM,
			      "pinning %lu KiB exceeds RLIMIT_MEMLOCK: %lu of %lu KiB are locked by this %s",
			      PAGES_TO_KIB(npages), PAGES_TO_KIB(used),
			      PAGES_TO_KIB(limit), whose);
}

static int charge_user(struct memory_account *account, unsigned long npages,
		       unsigned long limit)
{
	unsigned long used = atomic_long_read(&account->user->locked_vm);

	do {
		if (!account->unlimited &&
		    (npages > limit || used > limit - npages))
			return refuse_limit(npages, used, limit, "user");
	} while (!atomic_long_try_cmpxchg(&account->user->locked_vm,
					  (long *)&used, used + npages));
	return 0;
}

static int charge_process(struct memory_account *account, unsigned long npages,
			  unsigned long limit)
{
	struct mm_struct *mm = account->mm;
	unsigned long used;
	int rc;

	if (mmap_write_lock_killable(mm))
		return iommufd_refuse(-EINTR, "killed while charging memory");
	used = mm->locked_vm;
	rc = __account_locked_vm(mm, npages, true, account->task,
				 account->unlimited);
	mmap_write_unlock(mm);
	if (rc)
		return refuse_limit(npages, used, limit, "process");
	return 0;
}

/**
 * memory_account_charge - charge memory that is about to be pinned
 * @account: to whom
 * @npages: CPU pages
 *
 * Context: may sleep; takes mmap_lock in per-process mode.
 * Return: 0, -ENOMEM over the limit or -EINTR; explained
 */
int memory_account_charge(struct memory_account *account, unsigned long npages)
{
	unsigned long limit = task_rlimit(account->task, RLIMIT_MEMLOCK) >>
			      PAGE_SHIFT;
	int rc;

	if (account->per_process)
		rc = charge_process(account, npages, limit);
	else
		rc = charge_user(account, npages, limit);
	if (!rc)
		atomic64_add(npages, &account->mm->pinned_vm);
	return rc;
}

/**
 * memory_account_keep - charge memory that cannot be let go yet
 * @account: to whom; not more than was charged to it before
 * @npages: CPU pages
 */
void memory_account_keep(struct memory_account *account, unsigned long npages)
{
	struct mm_struct *mm = account->mm;

	atomic64_add(npages, &mm->pinned_vm);
	if (account->per_process) {
		mmap_write_lock(mm);
		__account_locked_vm(mm, npages, true, account->task, true);
		mmap_write_unlock(mm);
	} else {
		atomic_long_add(npages, &account->user->locked_vm);
	}
}

/**
 * memory_account_uncharge - take a charge back
 * @account: to whom
 * @npages: CPU pages
 */
void memory_account_uncharge(struct memory_account *account,
			     unsigned long npages)
{
	struct mm_struct *mm = account->mm;

	atomic64_sub(npages, &mm->pinned_vm);
	if (account->per_process) {
		mmap_write_lock(mm);
		__account_locked_vm(mm, npages, false, account->task, true);
		mmap_write_unlock(mm);
	} else {
		atomic_long_sub(npages, &account->user->locked_vm);
	}
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Charging pinned memory, and memory of hardware's tables, against RLIMIT_MEMLOCK.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/export.h>
#include <linux/iommufd_driver.h>
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

static int refuse_limit(const char *what, unsigned long npages,
			unsigned long used, unsigned long limit,
			const char *whose)
{
	return iommufd_refuse(-ENOMEM,
			      "%s %lu KiB exceeds RLIMIT_MEMLOCK: %lu of %lu KiB are locked by this %s",
			      what, PAGES_TO_KIB(npages), PAGES_TO_KIB(used),
			      PAGES_TO_KIB(limit), whose);
}

static int charge_user(struct user_struct *user, bool unlimited,
		       unsigned long npages, unsigned long limit,
		       const char *what)
{
	unsigned long used = atomic_long_read(&user->locked_vm);

	do {
		if (!unlimited && (npages > limit || used > limit - npages))
			return refuse_limit(what, npages, used, limit, "user");
	} while (!atomic_long_try_cmpxchg(&user->locked_vm, (long *)&used,
					  used + npages));
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
		return refuse_limit("pinning", npages, used, limit, "process");
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
		rc = charge_user(account->user, account->unlimited, npages,
				 limit, "pinning");
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

/**
 * iommufd_charge - charge memory that hardware's tables take to the current user
 * @charge: not in use
 * @bytes: how much; the whole pages of it count
 *
 * For memory that no control group is charged for, because somebody else than the
 * driver allocates it. Always the user's, however pinned memory is charged: tables
 * may outlive the process.
 *
 * Context: any process context
 * Return: 0, or -ENOMEM over RLIMIT_MEMLOCK, explained
 */
int iommufd_charge(struct iommufd_charge *charge, unsigned long bytes)
{
	unsigned long npages = DIV_ROUND_UP(bytes, PAGE_SIZE);
	int rc;

	rc = charge_user(current_user(), capable(CAP_IPC_LOCK), npages,
			 rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT,
			 "a table of");
	if (rc)
		return rc;
	charge->user = get_uid(current_user());
	charge->npages = npages;
	return 0;
}
EXPORT_SYMBOL_GPL(iommufd_charge);

/**
 * iommufd_uncharge - undo iommufd_charge()
 * @charge: all 0 is good, too; not in use afterwards
 */
void iommufd_uncharge(struct iommufd_charge *charge)
{
	if (!charge->user)
		return;
	atomic_long_sub(charge->npages, &charge->user->locked_vm);
	free_uid(charge->user);
	charge->user = NULL;
}
EXPORT_SYMBOL_GPL(iommufd_uncharge);

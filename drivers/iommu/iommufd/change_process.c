// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOAS_CHANGE_PROCESS: another process takes over the charge for what is mapped.
 *
 * All address spaces of the file are frozen: their shape and iova locks are held
 * for write, so that nothing is mapped, unmapped or newly pinned. Unpinning by a
 * kernel driver goes on, which is why each charge is settled under the lock of
 * its pages.
 */
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "ioas.h"
#include "ioctl.h"

/**
 * struct charge_move - one piece of memory on its way to a new owner
 * @link: in a list of all of them
 * @pages: the memory
 * @to: the new account
 * @npages: what was charged to it
 */
struct charge_move {
	struct list_head link;
	struct iommufd_pages *pages;
	struct memory_account to;
	unsigned long npages;
};

static bool is_ioas(const struct iommufd_object *obj, const void *arg)
{
	return obj->type == &iommufd_ioas_type;
}

static void thaw(struct iommufd_ctx *ictx, struct list_head *frozen)
{
	struct iommufd_ioas *ioas, *next;

	list_for_each_entry(ioas, frozen, frozen_link)
		up_write(&ioas->iopt.iova_lock);
	list_for_each_entry_safe(ioas, next, frozen, frozen_link) {
		list_del(&ioas->frozen_link);
		up_write(&ioas->iopt.shape);
		iommufd_object_put(&ioas->obj);
	}
	mutex_unlock(&ictx->freeze_lock);
}

/*
 * The freeze_lock makes the order among the address spaces irrelevant. Locks of
 * one kind are taken in a row, which is how lockdep counts them as one.
 */
static void freeze(struct iommufd_ctx *ictx, struct list_head *frozen)
{
	struct iommufd_object *obj;
	struct iommufd_ioas *ioas;
	unsigned long index = 0;

	mutex_lock(&ictx->freeze_lock);
	while ((obj = iommufd_object_next(ictx, &index, is_ioas, NULL))) {
		ioas = to_ioas(obj);
		down_write_nest_lock(&ioas->iopt.shape, &ictx->freeze_lock);
		list_add_tail(&ioas->frozen_link, frozen);
	}
	list_for_each_entry(ioas, frozen, frozen_link)
		down_write_nest_lock(&ioas->iopt.iova_lock, &ictx->freeze_lock);
}

static int charge_new(struct iommufd_ctx *ictx, struct iommufd_pages *pages,
		      struct list_head *moves)
{
	struct charge_move *move;
	int rc;

	move = kzalloc(sizeof(*move), GFP_KERNEL_ACCOUNT);
	if (!move)
		return iommufd_refuse(-ENOMEM, "no memory to move a charge");
	move->pages = pages;
	move->npages = READ_ONCE(pages->npinned);
	memory_account_init(&move->to, ictx->account_per_process);
	rc = memory_account_charge(&move->to, move->npages);
	if (rc) {
		memory_account_release(&move->to);
		kfree(move);
		return rc;
	}
	pages->move = move;
	list_add_tail(&move->link, moves);
	return 0;
}

static int charge_areas(struct iommufd_ctx *ictx, struct io_pagetable *iopt,
			struct list_head *moves)
{
	struct interval_tree_node *node;
	int rc;

	for (node = interval_tree_iter_first(&iopt->areas, 0, ULONG_MAX); node;
	     node = interval_tree_iter_next(node, 0, ULONG_MAX)) {
		struct iommufd_pages *pages =
			container_of(node, struct iopt_area, node)->pages;

		if (!pages->file && !pages->dmabuf)
			return iommufd_refuse(-EINVAL,
					      "0x%lx..0x%lx was mapped from memory of a process, only maps of files can change theirs",
					      node->start, node->last);
		/* Another area of the same memory was here before. */
		if (pages->move)
			continue;
		rc = charge_new(ictx, pages, moves);
		if (rc)
			return rc;
	}
	return 0;
}

/* The new owner has it: take the old charge back. */
static void settle(struct charge_move *move)
{
	struct iommufd_pages *pages = move->pages;
	struct memory_account old;

	mutex_lock(&pages->lock);
	old = pages->account;
	pages->account = move->to;
	memory_account_uncharge(&old, pages->npinned);
	memory_account_uncharge(&pages->account, move->npages - pages->npinned);
	mutex_unlock(&pages->lock);
	memory_account_release(&old);
}

int iommufd_ioas_change_process(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_change_process *cmd = ucmd->cmd;
	struct charge_move *move, *next;
	struct iommufd_ioas *ioas;
	LIST_HEAD(frozen);
	LIST_HEAD(moves);
	int rc;

	rc = iommufd_check_reserved(cmd->__reserved, "__reserved");
	if (rc)
		return rc;
	freeze(ucmd->ictx, &frozen);
	list_for_each_entry(ioas, &frozen, frozen_link) {
		rc = charge_areas(ucmd->ictx, &ioas->iopt, &moves);
		if (rc)
			break;
	}
	list_for_each_entry_safe(move, next, &moves, link) {
		move->pages->move = NULL;
		if (rc) {
			memory_account_uncharge(&move->to, move->npages);
			memory_account_release(&move->to);
		} else {
			settle(move);
		}
		kfree(move);
	}
	thaw(ucmd->ictx, &frozen);
	return rc;
}

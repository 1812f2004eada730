// SPDX-License-Identifier: GPL-2.0-only
/*
 * Groups of devices, and the windows that the kernel makes for them.
 *
 * The order is the kernel's: a window is made by create_table(), which gives us a
 * reference to its table, and entered by set_window(), which takes another one;
 * unset_window() takes it out again. While the ownership of a group changes hands,
 * which detaching does, too, no window of ours may be entered.
 */
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "tce.h"

/* All groups that somebody works with, under the lock. */
static LIST_HEAD(tce_groups);
static DEFINE_MUTEX(tce_groups_lock);

/**
 * tce_table_group - what the kernel knows of the windows of a device
 * @dev: any device
 *
 * Return: its table group, valid as long as the device is in its IOMMU group, or
 *	   NULL
 */
struct iommu_table_group *tce_table_group(struct device *dev)
{
	struct iommu_group *group = iommu_group_get(dev);
	struct iommu_table_group *tg = NULL;

	if (!group)
		return NULL;
	if (dev_is_pci(dev))
		tg = iommu_group_get_iommudata(group);
	iommu_group_put(group);
	return tg && tg->ops && tg->ops->create_table ? tg : NULL;
}

static u64 table_first(const struct iommu_table *table)
{
	return (u64)table->it_offset << table->it_page_shift;
}

static u64 table_last(const struct iommu_table *table)
{
	return table_first(table) +
	       ((u64)table->it_size << table->it_page_shift) - 1;
}

/* Makes a window of the size, wherever it comes to be. */
static long window_make(struct iommu_table_group *tg, struct tce_window *window,
			u64 length)
{
	struct iommu_table *table = NULL;
	long rc;

	rc = tg->ops->create_table(tg, window->num, window->shift, length,
				   window->levels, &table);
	if (rc)
		return rc;
	rc = tg->ops->set_window(tg, window->num, table);
	if (rc) {
		iommu_tce_table_put(table);
		return rc;
	}
	window->table = table;
	return 0;
}

static void window_remove(struct iommu_table_group *tg,
			  struct tce_window *window)
{
	tg->ops->unset_window(tg, window->num);
	iommu_tce_table_put(window->table);
	window->table = NULL;
}

/* Makes a window for a look at it: gives its first address, or -errno. */
static long probe_window(struct iommu_table_group *tg, unsigned int num,
			 unsigned int shift, u64 length, u64 *first)
{
	struct tce_window window = {
		.num = num,
		.shift = shift,
		.levels = tce_window_levels(tg, length, shift),
	};
	long rc = window_make(tg, &window, length);

	if (rc)
		return rc;
	*first = table_first(window.table);
	if (window.table->it_page_shift != shift)
		rc = -EINVAL;
	window_remove(tg, &window);
	return rc;
}

/*
 * The window for 32 bits. Under a hypervisor it is one of a fixed size with pages
 * of 4 KiB; who asks the kernel for another one there gets a dynamic window.
 */
static int learn_low(struct tce_group *group)
{
	struct tce_place *place = &group->places[0];
	struct iommu_table_group *tg = group->tg;
	u64 first;
	long rc;

	if (!tg->tce32_size)
		return 0;
	rc = probe_window(tg, 0, IOMMU_PAGE_SHIFT_4K, tg->tce32_size, &first);
	if (rc || first != tg->tce32_start)
		return rc == -ENOMEM ? rc : 0;
	place->usable = true;
	place->first = first;
	place->last = first + tg->tce32_size - 1;
	rc = probe_window(tg, 0, 16, tg->tce32_size, &first);
	place->whole = rc || first != tg->tce32_start;
	place->pgsizes = place->whole ? SZ_4K : tg->pgsizes;
	return rc == -ENOMEM ? rc : 0;
}

/*
 * The dynamic window. Nobody tells where it is, so that a small one is made and
 * looked at. One that is too large is never tried, because some firmware then
 * makes no more until the next boot.
 */
static int learn_dynamic(struct tce_group *group, u64 limit)
{
	struct tce_place *place = &group->places[1];
	struct iommu_table_group *tg = group->tg;
	unsigned int shift = tg->pgsizes & SZ_64K ? 16 : 12;
	u64 first;
	long rc;

	if (!tg->max_dynamic_windows_supported)
		return 0;
	rc = probe_window(tg, 1, shift, SZ_256M, &first);
	if (rc || first == group->places[0].first)
		return rc == -ENOMEM ? rc : 0;
	place->usable = true;
	place->first = first;
	place->last = first + limit - 1;
	place->pgsizes = tg->pgsizes;
	return 0;
}

/* More than a machine has memory is of no use. */
static u64 largest_window(void)
{
	u64 ram = (u64)totalram_pages() << PAGE_SHIFT;

	return max_t(u64, roundup_pow_of_two(2 * ram), SZ_4G);
}

static struct tce_group *group_make(struct iommu_table_group *tg)
{
	struct tce_group *group = kzalloc(sizeof(*group), GFP_KERNEL_ACCOUNT);

	if (!group)
		return NULL;
	kref_init(&group->kref);
	mutex_init(&group->lock);
	group->tg = tg;
	/* a window for whose table there was no memory could be had at other times */
	if (learn_low(group) || learn_dynamic(group, largest_window())) {
		kfree(group);
		return NULL;
	}
	list_add(&group->link, &tce_groups);
	return group;
}

/**
 * tce_group_get - find the windows of a device's group
 * @dev: a device that is bound
 *
 * Return: the group, or an ERR_PTR; explained
 */
struct tce_group *tce_group_get(struct device *dev)
{
	struct iommu_table_group *tg = tce_table_group(dev);
	struct tce_group *group;

	if (!tg)
		return ERR_PTR(iommufd_refuse(-EOPNOTSUPP,
					      "the kernel knows no TCE windows of %s",
					      dev_name(dev)));
	mutex_lock(&tce_groups_lock);
	list_for_each_entry(group, &tce_groups, link) {
		if (group->tg == tg) {
			kref_get(&group->kref);
			goto out;
		}
	}
	group = group_make(tg);
	if (!group)
		group = ERR_PTR(iommufd_refuse(-ENOMEM, "no memory for the windows of %s",
					       dev_name(dev)));
out:
	mutex_unlock(&tce_groups_lock);
	return group;
}

static void group_release(struct kref *kref)
{
	struct tce_group *group = container_of(kref, struct tce_group, kref);

	list_del(&group->link);
	mutex_unlock(&tce_groups_lock);
	kfree(group);
}

/**
 * tce_group_put - undo tce_group_get()
 * @group: may be gone afterwards
 */
void tce_group_put(struct tce_group *group)
{
	kref_put_mutex(&group->kref, group_release, &tce_groups_lock);
}

/**
 * tce_group_has - whether the windows of a group are those of a device
 * @group: the group
 * @dev: any device
 *
 * Return: the answer; if it is no, explained
 */
bool tce_group_has(const struct tce_group *group, struct device *dev)
{
	if (READ_ONCE(group->gone))
		iommufd_refuse(-EINVAL,
			       "the devices that the page table was made for were taken out: %s needs one of its own",
			       dev_name(dev));
	else if (tce_table_group(dev) != group->tg)
		iommufd_refuse(-EINVAL,
			       "the page table was made for another group than that of %s: windows belong to one",
			       dev_name(dev));
	else
		return true;
	return false;
}

static int count_device(struct device *dev, void *data)
{
	(*(unsigned int *)data)++;
	return 0;
}

/**
 * tce_group_lose - a device goes away for good
 * @dev: still in its IOMMU group, without a driver
 *
 * With the last of a group its table group may go, while page tables for it live on.
 */
void tce_group_lose(struct device *dev)
{
	struct iommu_table_group *tg = tce_table_group(dev);
	struct iommu_group *iommu_group;
	struct tce_group *group;
	unsigned int nr = 0;

	if (!tg)
		return;
	iommu_group = iommu_group_get(dev);
	iommu_group_for_each_dev(iommu_group, &nr, count_device);
	iommu_group_put(iommu_group);
	if (nr > 1)
		return;
	mutex_lock(&tce_groups_lock);
	list_for_each_entry(group, &tce_groups, link) {
		if (group->tg != tg)
			continue;
		WRITE_ONCE(group->gone, true);
		list_del_init(&group->link);
		break;
	}
	mutex_unlock(&tce_groups_lock);
}

static void remove_windows(struct tce_domain *domain)
{
	struct iommu_table_group *tg = domain->group->tg;
	unsigned int i = domain->nr;

	while (i--)
		if (domain->windows[i].table)
			window_remove(tg, &domain->windows[i]);
}

static int make_windows(struct tce_domain *domain)
{
	struct iommu_table_group *tg = domain->group->tg;
	unsigned int i;
	long rc;

	for (i = 0; i < domain->nr; i++) {
		struct tce_window *window = &domain->windows[i];
		u64 length = window->last - window->first + 1;

		rc = window_make(tg, window, length);
		if (rc) {
			rc = iommufd_refuse(rc == -ENOMEM ? -ENOMEM : -ENOSPC,
					    "window %u: the kernel or firmware made none of 0x%llx bytes in pages of 0x%lx (%ld)",
					    i, length, BIT(window->shift), rc);
			goto undo;
		}
		if (table_first(window->table) != window->first ||
		    table_last(window->table) < window->last ||
		    window->table->it_page_shift != window->shift) {
			rc = iommufd_refuse(-ENOSPC,
					    "window %u: 0x%llx..0x%llx in pages of 0x%lx was asked for, firmware made 0x%llx..0x%llx in pages of 0x%lx",
					    i, window->first, window->last,
					    BIT(window->shift),
					    table_first(window->table),
					    table_last(window->table),
					    BIT(window->table->it_page_shift));
			goto undo;
		}
		if (window->charge.user)
			continue;
		/* a hypervisor has its tables itself, and tells their size, too */
		rc = iommufd_charge(&window->charge, window->table->it_base ?
				    window->table->it_allocated_size : 0);
		if (rc)
			goto undo;
	}
	return 0;
undo:
	remove_windows(domain);
	return rc;
}

/**
 * tce_group_try - see whether the windows of a domain can be had
 * @domain: a new one
 *
 * While others are in use nothing can be tried, and connecting tells.
 *
 * Return: 0 or an explained errno
 */
int tce_group_try(struct tce_domain *domain)
{
	struct tce_group *group = domain->group;
	int rc = 0;

	mutex_lock(&group->lock);
	if (!group->connected) {
		rc = make_windows(domain);
		if (!rc)
			remove_windows(domain);
	}
	mutex_unlock(&group->lock);
	return rc;
}

/**
 * tce_group_connect - make the windows of a domain, with all that is mapped
 * @domain: its group is claimed, and has no windows
 *
 * Context: may sleep; the mutex of the IOMMU group is not held
 * Return: 0 or an explained errno
 */
int tce_group_connect(struct tce_domain *domain)
{
	struct tce_group *group = domain->group;
	unsigned int i;
	int rc;

	mutex_lock(&group->lock);
	if (WARN_ON(group->connected)) {
		mutex_unlock(&group->lock);
		return iommufd_refuse(-EBUSY, "the group has other windows");
	}
	down_write(&domain->filled);
	rc = make_windows(domain);
	for (i = 0; i < domain->nr && !rc; i++)
		rc = tce_window_fill(&domain->windows[i]);
	if (rc)
		remove_windows(domain);
	else
		group->connected = domain;
	up_write(&domain->filled);
	mutex_unlock(&group->lock);
	return rc;
}

/**
 * tce_group_disconnect - undo tce_group_connect()
 * @domain: connected
 *
 * When this returns the devices of the group reach nothing.
 *
 * Context: may sleep; the mutex of the IOMMU group is not held
 */
void tce_group_disconnect(struct tce_domain *domain)
{
	struct tce_group *group = domain->group;
	unsigned int i;

	mutex_lock(&group->lock);
	down_write(&domain->filled);
	for (i = 0; i < domain->nr; i++)
		if (domain->windows[i].table)
			tce_window_empty(&domain->windows[i]);
	remove_windows(domain);
	group->connected = NULL;
	up_write(&domain->filled);
	mutex_unlock(&group->lock);
}

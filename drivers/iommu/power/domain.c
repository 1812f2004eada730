// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables: up to two windows and what is mapped in them.
 */
#include <linux/sched.h>
#include <linux/slab.h>

#include "tce.h"

/*
 * The kernel enters and removes as many pages as it is told to with interrupts
 * off.
 */
#define TCE_BATCH 4096UL

static enum dma_data_direction direction_of(int prot)
{
	if (!(prot & IOMMU_WRITE))
		return DMA_TO_DEVICE;
	return prot & IOMMU_READ ? DMA_BIDIRECTIONAL : DMA_FROM_DEVICE;
}

static void table_clear(const struct tce_window *window, unsigned long index,
			unsigned long nr)
{
	unsigned long at = (window->first >> window->shift) + index, n;

	for (; nr; nr -= n, at += n) {
		n = min(nr, TCE_BATCH);
		window->table->it_ops->clear(window->table, at, n);
		cond_resched();
	}
}

/*
 * Where the kernel has the tables it makes their lower levels when they are needed.
 * What sets many entries at a time does not look whether there was memory for that,
 * what exchanges a single one does: with the first entry of each leaf it is made.
 */
static int make_leaves(const struct tce_window *window, unsigned long index,
		       unsigned long nr, phys_addr_t phys, int prot)
{
	struct iommu_table *table = window->table;
	unsigned long first = window->first >> window->shift, end = index + nr;
	enum dma_data_direction direction;
	unsigned long i, hpa;

	if (!table->it_indirect_levels)
		return 0;
	for (i = index; i < end; i = round_down(i, table->it_level_size) +
				     table->it_level_size) {
		hpa = phys + ((i - index) << window->shift);
		direction = direction_of(prot);
		if (table->it_ops->xchg_no_kill(table, first + i, &hpa,
						&direction))
			return -ENOMEM;
	}
	return 0;
}

/* Entries that were empty are empty again if it fails. */
static int table_set(const struct tce_window *window, unsigned long index,
		     unsigned long nr, phys_addr_t phys, int prot)
{
	unsigned long at = (window->first >> window->shift) + index;
	unsigned long done, n;
	int rc;

	rc = make_leaves(window, index, nr, phys, prot);
	if (rc) {
		table_clear(window, index, nr);
		return rc;
	}
	for (done = 0; done < nr; done += n) {
		n = min(nr - done, TCE_BATCH);
		rc = window->table->it_ops->set(window->table, at + done, n,
				(unsigned long)__va(phys + (done << window->shift)),
				direction_of(prot), 0);
		if (rc) {
			table_clear(window, index, done + n);
			return -ENOSPC;
		}
		cond_resched();
	}
	return 0;
}

static int refuse_entries(const struct tce_window *window, unsigned long index,
			  unsigned long nr, int rc)
{
	u64 at = window->first + ((u64)index << window->shift);

	if (rc == -ENOMEM)
		return iommufd_refuse(rc, "no memory for tables of %lu TCEs at 0x%llx",
				      nr, at);
	return iommufd_refuse(rc, "firmware does not take %lu TCEs at 0x%llx",
			      nr, at);
}

/**
 * tce_window_fill - enter all that is mapped into a new table
 * @window: has a table, with nothing in it
 *
 * Return: 0, -ENOSPC if firmware does not take an entry, or -ENOMEM; explained
 */
int tce_window_fill(struct tce_window *window)
{
	unsigned long index = 0, nr;
	u64 entry;
	int rc;

	while ((nr = tce_shadow_run(&window->shadow, &index, window->shift,
				    &entry))) {
		rc = table_set(window, index, nr,
			       round_down(entry, BIT_ULL(window->shift)),
			       entry & (IOMMU_READ | IOMMU_WRITE));
		if (rc)
			return refuse_entries(window, index, nr, rc);
		index += nr;
	}
	return 0;
}

/**
 * tce_window_empty - remove all that is mapped from a table
 * @window: has a table, which is to go
 *
 * When this returns the device reaches nothing through the window.
 */
void tce_window_empty(struct tce_window *window)
{
	unsigned long index = 0, nr;
	u64 entry;

	while ((nr = tce_shadow_run(&window->shadow, &index, window->shift,
				    &entry))) {
		table_clear(window, index, nr);
		index += nr;
	}
}

static struct tce_window *window_of(struct tce_domain *domain, u64 iova)
{
	unsigned int i;

	for (i = 0; i < domain->nr; i++)
		if (domain->windows[i].first <= iova &&
		    iova <= domain->windows[i].last)
			return &domain->windows[i];
	return NULL;
}

static int map_run(struct tce_window *window, unsigned long index,
		   const struct iommufd_run *run, int prot)
{
	unsigned long nr = run->len >> window->shift;
	int rc;

	rc = tce_shadow_set(&window->shadow, index, nr, run->phys,
			    window->shift, prot);
	if (rc)
		return iommufd_refuse(rc, "no memory to note %lu TCEs", nr);
	if (!window->table)
		return 0;
	rc = table_set(window, index, nr, run->phys, prot);
	if (rc) {
		tce_shadow_clear(&window->shadow, index, nr);
		return refuse_entries(window, index, nr, rc);
	}
	return 0;
}

/**
 * tce_domain_map - enter memory
 * @domain: the domain
 * @iova: where, within one window
 * @runs: multiples of the window's page size
 * @nr: how many
 * @prot: IOMMU_READ and IOMMU_WRITE, others are ignored
 * @mapped: receives how many bytes were entered, also on failure
 *
 * Return: 0 or an explained errno
 */
int tce_domain_map(struct tce_domain *domain, unsigned long iova,
		   const struct iommufd_run *runs, unsigned int nr, int prot,
		   size_t *mapped)
{
	struct tce_window *window = window_of(domain, iova);
	unsigned int i;
	int rc = 0;

	*mapped = 0;
	if (WARN_ON(!window))
		return iommufd_refuse(-EINVAL, "no window at 0x%lx", iova);
	down_read(&domain->filled);
	for (i = 0; i < nr && !rc; i++) {
		rc = map_run(window, (iova + *mapped - window->first) >> window->shift,
			     &runs[i], prot);
		if (!rc)
			*mapped += runs[i].len;
	}
	up_read(&domain->filled);
	return rc;
}

/**
 * tce_domain_unmap - remove memory
 * @domain: the domain
 * @iova: where, within one window
 * @len: multiple of the window's page size; mapped throughout
 *
 * When this returns the device does not reach it any more.
 *
 * Return: @len
 */
size_t tce_domain_unmap(struct tce_domain *domain, unsigned long iova,
			size_t len)
{
	struct tce_window *window = window_of(domain, iova);
	unsigned long index, nr;

	if (WARN_ON(!window))
		return 0;
	index = (iova - window->first) >> window->shift;
	nr = len >> window->shift;
	down_read(&domain->filled);
	tce_shadow_clear(&window->shadow, index, nr);
	if (window->table)
		table_clear(window, index, nr);
	up_read(&domain->filled);
	return len;
}

/* Called with the mutex of the IOMMU group held: only looks. */
static int tce_attach_dev(struct iommu_domain *domain, struct device *dev)
{
	struct tce_domain *td = to_tce_domain(domain);

	if (!tce_group_has(td->group, dev))
		return -EINVAL;
	return td->group->connected == td ? 0 : -EINVAL;
}

static phys_addr_t tce_iova_to_phys(struct iommu_domain *domain, dma_addr_t iova)
{
	struct tce_window *window = window_of(to_tce_domain(domain), iova);
	u64 mask, entry;

	if (!window)
		return 0;
	mask = BIT_ULL(window->shift) - 1;
	entry = tce_shadow_get(&window->shadow,
			       (iova - window->first) >> window->shift);
	return entry ? (entry & ~mask) | (iova & mask) : 0;
}

static void tce_domain_free(struct iommu_domain *domain)
{
	struct tce_domain *td = to_tce_domain(domain);
	unsigned int i;

	for (i = 0; i < td->nr; i++) {
		WARN_ON(td->windows[i].table);
		iommufd_uncharge(&td->windows[i].charge);
		tce_shadow_destroy(&td->windows[i].shadow);
	}
	tce_group_put(td->group);
	kfree(td);
}

static const struct iommu_domain_ops tce_domain_ops = {
	.attach_dev = tce_attach_dev,
	.iova_to_phys = tce_iova_to_phys,
	.free = tce_domain_free,
};

static void describe(struct tce_domain *td, struct device *dev)
{
	struct iommu_domain *domain = &td->domain;
	unsigned int i;

	domain->type = IOMMU_DOMAIN_UNMANAGED;
	domain->ops = &tce_domain_ops;
	domain->owner = dev->iommu->iommu_dev->ops;
	for (i = 0; i < td->nr; i++)
		domain->pgsize_bitmap |= BIT(td->windows[i].shift);
	domain->geometry.aperture_start = td->windows[0].first;
	domain->geometry.aperture_end = td->windows[td->nr - 1].last;
	domain->geometry.force_aperture = true;
}

/**
 * tce_domain_alloc - make a page table
 * @dev: of the group
 * @group: which is claimed
 * @windows: sorted by address
 * @nr: 1 or 2
 *
 * Where no other page table is in use, its windows are made and removed again to
 * see whether they can be had.
 *
 * Return: the domain, or an ERR_PTR, explained: -ENOSPC if they cannot, -ENOMEM also
 *	   if the user may not have as much memory for tables
 */
struct iommu_domain *tce_domain_alloc(struct device *dev,
				      struct tce_group *group,
				      const struct tce_window *windows,
				      unsigned int nr)
{
	struct tce_domain *td;
	unsigned int i;
	int rc;

	td = kzalloc(sizeof(*td), GFP_KERNEL_ACCOUNT);
	if (!td)
		return ERR_PTR(iommufd_refuse(-ENOMEM,
					      "no memory for a page table"));
	init_rwsem(&td->filled);
	kref_get(&group->kref);
	td->group = group;
	td->nr = nr;
	memcpy(td->windows, windows, nr * sizeof(*windows));
	rc = tce_group_try(td);
	for (i = 0; i < nr && !rc; i++) {
		struct tce_window *window = &td->windows[i];

		rc = tce_shadow_init(&window->shadow,
				     (window->last - window->first + 1) >> window->shift);
		if (rc)
			iommufd_refuse(rc, "no memory for a window 0x%llx..0x%llx",
				       window->first, window->last);
	}
	if (rc) {
		tce_domain_free(&td->domain);
		return ERR_PTR(rc);
	}
	describe(td, dev);
	return &td->domain;
}

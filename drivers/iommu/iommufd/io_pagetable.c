// SPDX-License-Identifier: GPL-2.0-only
/*
 * Areas of an I/O address space: placing them, taking them away.
 */
#include <linux/slab.h>

#include "io_pagetable.h"

/**
 * iopt_init - make an empty address space
 * @iopt: uninitialized; everything may be mapped, byte by byte
 */
void iopt_init(struct io_pagetable *iopt)
{
	init_rwsem(&iopt->shape);
	init_rwsem(&iopt->iova_lock);
	INIT_LIST_HEAD(&iopt->domains);
	iopt->nr_windows = 1;
	iopt->windows[0] = (struct iommufd_window){
		.first = 0, .last = ULONG_MAX, .pgsizes = ~0UL,
	};
	iopt->allowed = RB_ROOT_CACHED;
	iopt->reserved = RB_ROOT_CACHED;
	iopt->areas = RB_ROOT_CACHED;
	iopt->nr_areas = 0;
	iopt->huge_pages = true;
}

/**
 * iopt_destroy - unmap everything
 * @iopt: nobody else knows it any more; it has no domain and nothing reserved
 */
void iopt_destroy(struct io_pagetable *iopt)
{
	unsigned long unmapped;

	iopt_set_allowed(iopt, NULL, 0);
	iopt_unmap(iopt, 0, ULONG_MAX, &unmapped);
	WARN_ON(!list_empty(&iopt->domains));
	WARN_ON(!RB_EMPTY_ROOT(&iopt->reserved.rb_root));
}

static struct iopt_area *area_at(struct io_pagetable *iopt,
				 unsigned long first, unsigned long last)
{
	struct interval_tree_node *node;

	node = interval_tree_iter_first(&iopt->areas, first, last);
	return node ? container_of(node, struct iopt_area, node) : NULL;
}

static struct iopt_area *area_next(struct iopt_area *area, unsigned long first,
				   unsigned long last)
{
	struct interval_tree_node *node;

	node = interval_tree_iter_next(&area->node, first, last);
	return node ? container_of(node, struct iopt_area, node) : NULL;
}

static void area_remove(struct io_pagetable *iopt, struct iopt_area *area)
{
	interval_tree_remove(&area->node, &iopt->areas);
	iopt->nr_areas--;
}

static void area_free(struct iopt_area *area)
{
	iommufd_pages_put(area->pages);
	kfree(area);
}

static int area_place(struct io_pagetable *iopt, struct iopt_area *area,
		      unsigned long length, unsigned long *iova, bool fixed)
{
	unsigned long offset = iopt_area_offset(area);
	int rc;

	down_write(&iopt->iova_lock);
	if (fixed)
		rc = iopt_check_iova(iopt, *iova, length, offset);
	else
		rc = iopt_find_iova(iopt, length, offset, iova);
	if (!rc) {
		area->state = AREA_PENDING;
		area->node.start = *iova;
		area->node.last = *iova + length - 1;
		interval_tree_insert(&area->node, &iopt->areas);
		iopt->nr_areas++;
	}
	up_write(&iopt->iova_lock);
	return rc;
}

/**
 * iopt_map - map memory
 * @iopt: the address space
 * @pages: the memory; the area takes a reference of its own
 * @start: bytes from the beginning of the first page of @pages
 * @length: bytes, not 0, within @pages
 * @iova: where; chosen here unless @fixed
 * @fixed: map at *@iova or not at all; *@iova + @length - 1 does not wrap
 * @prot: IOMMU_READ, IOMMU_WRITE, IOMMU_CACHE
 *
 * Context: may sleep. Maps of different addresses run side by side.
 * Return: 0 or an explained errno, with nothing changed
 */
int iopt_map(struct io_pagetable *iopt, struct iommufd_pages *pages,
	     unsigned long start, unsigned long length, unsigned long *iova,
	     bool fixed, int prot)
{
	struct iopt_area *area;
	int rc;

	area = kzalloc(sizeof(*area), GFP_KERNEL_ACCOUNT);
	if (!area)
		return iommufd_refuse(-ENOMEM, "no memory to describe a mapping");
	area->pages = pages;
	kref_get(&pages->kref);
	area->start = start;
	area->prot = prot;

	down_read(&iopt->shape);
	rc = area_place(iopt, area, length, iova, fixed);
	if (!rc) {
		rc = iopt_fill_area(iopt, area);
		down_write(&iopt->iova_lock);
		if (rc)
			area_remove(iopt, area);
		else
			area->state = AREA_LIVE;
		up_write(&iopt->iova_lock);
	}
	up_read(&iopt->shape);
	if (rc)
		area_free(area);
	return rc;
}

/* Whether every area in the range can go; called before anything changes. */
static int check_unmap(struct io_pagetable *iopt, unsigned long first,
		       unsigned long last)
{
	struct iopt_area *area;

	for (area = area_at(iopt, first, last); area;
	     area = area_next(area, first, last)) {
		if (area->node.start < first || area->node.last > last)
			return iommufd_refuse(-ENOENT,
					      "unmapping 0x%lx..0x%lx would cut the mapping at 0x%lx..0x%lx",
					      first, last, area->node.start,
					      area->node.last);
		if (area->state == AREA_PENDING)
			return iommufd_refuse(-EBUSY,
					      "0x%lx..0x%lx is still being mapped by another thread",
					      area->node.start, area->node.last);
	}
	return 0;
}

/**
 * iopt_unmap - unmap all areas in a range
 * @iopt: the address space
 * @first: first address
 * @last: last address; no area crosses either end
 * @unmapped: how many bytes were mapped in the range
 *
 * When it returns no device reaches the memory through this address space, and
 * what nobody else needs is unpinned.
 *
 * Context: may sleep.
 * Return: 0, -ENOENT if an area would be cut, -EBUSY if one is being mapped right
 *	   now; explained, with nothing changed
 */
int iopt_unmap(struct io_pagetable *iopt, unsigned long first,
	       unsigned long last, unsigned long *unmapped)
{
	struct iopt_area *area, *next;
	LIST_HEAD(areas);
	int rc;

	*unmapped = 0;
	down_read(&iopt->shape);
	down_write(&iopt->iova_lock);
	rc = check_unmap(iopt, first, last);
	if (rc) {
		up_write(&iopt->iova_lock);
		goto out;
	}
	for (area = area_at(iopt, first, last); area;
	     area = area_next(area, first, last)) {
		if (area->state != AREA_LIVE)
			continue;
		area->state = AREA_DYING;
		list_add_tail(&area->link, &areas);
	}
	up_write(&iopt->iova_lock);

	iopt_clear_areas(iopt, &areas);

	down_write(&iopt->iova_lock);
	list_for_each_entry(area, &areas, link) {
		*unmapped += iopt_area_length(area);
		area_remove(iopt, area);
	}
	up_write(&iopt->iova_lock);
	list_for_each_entry_safe(area, next, &areas, link)
		area_free(area);
out:
	up_read(&iopt->shape);
	return rc;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Areas of an I/O address space: placing them, taking them away.
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "access.h"
#include "io_pagetable.h"

/**
 * iopt_init - make an empty address space
 * @iopt: uninitialized; everything may be mapped, byte by byte
 */
void iopt_init(struct io_pagetable *iopt)
{
	init_rwsem(&iopt->shape);
	init_rwsem(&iopt->iova_lock);
	init_waitqueue_head(&iopt->settled);
	INIT_LIST_HEAD(&iopt->domains);
	INIT_LIST_HEAD(&iopt->accesses);
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
	WARN_ON(!list_empty(&iopt->accesses));
	WARN_ON(!RB_EMPTY_ROOT(&iopt->reserved.rb_root));
}

/**
 * iopt_area_at - the first area in a range
 * @iopt: the address space, its iova_lock held
 * @first: first address
 * @last: last address
 *
 * Return: the area, in whatever state, or NULL
 */
struct iopt_area *iopt_area_at(struct io_pagetable *iopt, unsigned long first,
			       unsigned long last)
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
	area->iopt = iopt;
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

/**
 * iopt_area_get_pin - an access pins some of an area
 * @area: live; the iova_lock of its address space is held
 */
void iopt_area_get_pin(struct iopt_area *area)
{
	atomic_inc(&area->nr_pins);
}

/**
 * iopt_area_put_pin - an access has let go of some of an area
 * @area: may be gone afterwards
 */
void iopt_area_put_pin(struct iopt_area *area)
{
	struct io_pagetable *iopt = area->iopt;

	if (atomic_dec_and_test(&area->nr_pins))
		wake_up_all(&iopt->settled);
}

/*
 * Whether every area in the range can go; called before anything changes.
 * -EAGAIN says that another thread is just taking one of them out.
 */
static int check_unmap(struct io_pagetable *iopt, unsigned long first,
		       unsigned long last)
{
	struct iopt_area *area;

	for (area = iopt_area_at(iopt, first, last); area;
	     area = area_next(area, first, last)) {
		if (area->state == AREA_DYING)
			return -EAGAIN;
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

static bool none_dying(struct io_pagetable *iopt, unsigned long first,
		       unsigned long last)
{
	struct iopt_area *area;

	down_read(&iopt->iova_lock);
	for (area = iopt_area_at(iopt, first, last);
	     area && area->state != AREA_DYING;
	     area = area_next(area, first, last))
		;
	up_read(&iopt->iova_lock);
	return !area;
}

/*
 * Have accesses let go of dying areas. Nobody can pin them again. On a fatal
 * signal a driver that does not answer leaves them as they were.
 */
static int unpin_areas(struct io_pagetable *iopt, struct list_head *areas)
{
	struct access_link *link;
	struct iopt_area *area;

	list_for_each_entry(area, areas, link) {
		if (!atomic_read(&area->nr_pins))
			continue;
		list_for_each_entry(link, &iopt->accesses, link)
			iommufd_access_notify(link->access, iopt_area_iova(area),
					      iopt_area_length(area));
		if (wait_event_killable(iopt->settled,
					!atomic_read(&area->nr_pins)))
			return iommufd_refuse(-EINTR,
					      "killed while a kernel driver has 0x%lx..0x%lx pinned",
					      area->node.start, area->node.last);
	}
	return 0;
}

/* Claim the areas in a range for unmapping. */
static int claim_areas(struct io_pagetable *iopt, unsigned long first,
		       unsigned long last, struct list_head *areas)
{
	struct iopt_area *area;
	int rc;

	down_write(&iopt->iova_lock);
	rc = check_unmap(iopt, first, last);
	if (!rc) {
		for (area = iopt_area_at(iopt, first, last); area;
		     area = area_next(area, first, last)) {
			area->state = AREA_DYING;
			list_add_tail(&area->link, areas);
		}
	}
	up_write(&iopt->iova_lock);
	return rc;
}

/* The end of claimed areas: back to life, or out of the address space. */
static void settle_areas(struct io_pagetable *iopt, struct list_head *areas,
			 bool alive, unsigned long *unmapped)
{
	struct iopt_area *area, *next;

	down_write(&iopt->iova_lock);
	list_for_each_entry(area, areas, link) {
		if (alive) {
			area->state = AREA_LIVE;
		} else {
			*unmapped += iopt_area_length(area);
			area_remove(iopt, area);
		}
	}
	up_write(&iopt->iova_lock);
	wake_up_all(&iopt->settled);
	if (alive)
		return;
	list_for_each_entry_safe(area, next, areas, link)
		area_free(area);
}

/**
 * iopt_unmap - unmap all areas in a range
 * @iopt: the address space
 * @first: first address
 * @last: last address; no area crosses either end
 * @unmapped: how many bytes were mapped in the range
 *
 * When it returns no device reaches the memory through this address space, no
 * access has it pinned, and what nobody else needs is unpinned. What another
 * thread is just unmapping in the range is waited for.
 *
 * Context: may sleep.
 * Return: 0, -ENOENT if an area would be cut, -EBUSY if one is being mapped right
 *	   now, -EINTR killed while waiting; explained, with nothing changed
 */
int iopt_unmap(struct io_pagetable *iopt, unsigned long first,
	       unsigned long last, unsigned long *unmapped)
{
	LIST_HEAD(areas);
	int rc;

	*unmapped = 0;
	for (;;) {
		down_read(&iopt->shape);
		rc = claim_areas(iopt, first, last, &areas);
		if (rc != -EAGAIN)
			break;
		up_read(&iopt->shape);
		if (wait_event_killable(iopt->settled,
					none_dying(iopt, first, last)))
			return iommufd_refuse(-EINTR,
					      "killed while another thread unmaps in 0x%lx..0x%lx",
					      first, last);
	}
	if (!rc) {
		rc = unpin_areas(iopt, &areas);
		if (!rc)
			iopt_clear_areas(iopt, &areas);
		settle_areas(iopt, &areas, rc, unmapped);
	}
	up_read(&iopt->shape);
	return rc;
}

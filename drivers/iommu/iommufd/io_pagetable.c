// SPDX-License-Identifier: GPL-2.0-only
/*
 * Areas of an I/O address space: placing them, taking them away.
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "access.h"
#include "io_pagetable.h"
#include "trace.h"

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
	gap_tree_init(&iopt->gaps);
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
	/* What was reserved for no device, by a test, ends here. */
	down_write(&iopt->shape);
	iopt_unreserve(iopt, NULL);
	up_write(&iopt->shape);
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

static void area_insert(struct io_pagetable *iopt, struct iopt_area *area)
{
	interval_tree_insert(&area->node, &iopt->areas);
	gap_use(&iopt->gaps, &area->gap, area->node.start, area->node.last);
	iopt->nr_areas++;
}

static void area_remove(struct io_pagetable *iopt, struct iopt_area *area)
{
	interval_tree_remove(&area->node, &iopt->areas);
	gap_unuse(&iopt->gaps, &area->gap);
	iopt->nr_areas--;
}

static void area_free(struct iopt_area *area)
{
	iommufd_pages_put(area->pages);
	kfree(area);
}

/**
 * iopt_area_alloc - describe a mapping that is yet to be placed
 * @pages: the memory; the area takes a reference of its own
 * @start: bytes from the beginning of the first page of @pages
 * @length: bytes, not 0, within @pages
 * @prot: IOMMU_READ, IOMMU_WRITE, IOMMU_CACHE
 *
 * Return: the area, with its node at 0..@length-1, or an ERR_PTR of -ENOMEM
 */
struct iopt_area *iopt_area_alloc(struct iommufd_pages *pages,
				  unsigned long start, unsigned long length,
				  int prot)
{
	struct iopt_area *area = kzalloc(sizeof(*area), GFP_KERNEL_ACCOUNT);

	if (!area)
		return ERR_PTR(iommufd_refuse(-ENOMEM,
					      "no memory to describe a mapping"));
	area->pages = pages;
	kref_get(&pages->kref);
	area->start = start;
	area->node.last = length - 1;
	area->prot = prot;
	return area;
}

/**
 * iopt_areas_free - free areas that are in no address space
 * @areas: by their link
 */
void iopt_areas_free(struct list_head *areas)
{
	struct iopt_area *area, *next;

	list_for_each_entry_safe(area, next, areas, link) {
		area_free(area);
		cond_resched();
	}
}

/* Place areas one behind the other, all or none. */
static int areas_place(struct io_pagetable *iopt, struct list_head *areas,
		       unsigned long length, unsigned long *iova, bool fixed)
{
	struct iopt_area *area = list_first_entry(areas, struct iopt_area, link);
	unsigned long at;
	int rc;

	if (fixed)
		rc = iopt_check_iova(iopt, *iova, length, iopt_area_offset(area));
	else
		rc = iopt_find_iova(iopt, length,
				    iommufd_pages_address(area->pages, area->start),
				    iova);
	if (rc)
		return rc;
	at = *iova;
	list_for_each_entry(area, areas, link) {
		rc = iopt_check_alignment(iopt, at, iopt_area_length(area),
					  iopt_area_offset(area));
		if (rc)
			return rc;
		at += iopt_area_length(area);
	}
	at = *iova;
	list_for_each_entry(area, areas, link) {
		area->iopt = iopt;
		area->state = AREA_PENDING;
		area->node.last += at;
		area->node.start = at;
		area_insert(iopt, area);
		at += iopt_area_length(area);
	}
	return 0;
}

/**
 * iopt_map_areas - map memory described by areas, one behind the other
 * @iopt: the address space
 * @areas: new areas, by their link; the address space's on success, otherwise
 *	   still the caller's
 * @length: of all of them together
 * @iova: where the first one goes; chosen here unless @fixed
 * @fixed: map at *@iova or not at all; *@iova + @length - 1 does not wrap
 *
 * Context: may sleep. Maps of different addresses run side by side.
 * Return: 0 or an explained errno, with nothing changed
 */
int iopt_map_areas(struct io_pagetable *iopt, struct list_head *areas,
		   unsigned long length, unsigned long *iova, bool fixed)
{
	struct iopt_area *area;
	int rc;

	down_read(&iopt->shape);
	down_write(&iopt->iova_lock);
	rc = areas_place(iopt, areas, length, iova, fixed);
	up_write(&iopt->iova_lock);
	if (!rc) {
		rc = iopt_fill_areas(iopt, areas);
		down_write(&iopt->iova_lock);
		list_for_each_entry(area, areas, link) {
			if (rc)
				area_remove(iopt, area);
			else
				area->state = AREA_LIVE;
			trace_iommufd_map(iopt_area_iova(area),
					  iopt_area_length(area), area->prot, rc);
		}
		up_write(&iopt->iova_lock);
	}
	up_read(&iopt->shape);
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
	struct iopt_area *area = iopt_area_alloc(pages, start, length, prot);
	LIST_HEAD(areas);
	int rc;

	if (IS_ERR(area))
		return PTR_ERR(area);
	list_add(&area->link, &areas);
	rc = iopt_map_areas(iopt, &areas, length, iova, fixed);
	if (rc)
		area_free(area);
	return rc;
}

/**
 * iopt_copy_areas - describe what is mapped in a range once more
 * @iopt: the address space
 * @first: first address
 * @last: last address
 * @prot: for the new areas
 * @areas: receives them, in no address space yet; empty on failure
 *
 * Return: 0, -ENOENT if the range is not mapped throughout, -EPERM if writing is
 *	   asked for of what was mapped for reading, -ENOMEM; explained
 */
int iopt_copy_areas(struct io_pagetable *iopt, unsigned long first,
		    unsigned long last, int prot, struct list_head *areas)
{
	int rc = 0;

	down_read(&iopt->iova_lock);
	for (;;) {
		struct iopt_area *area = iopt_area_at(iopt, first, first), *copy;
		unsigned long end;

		if (!area || area->state != AREA_LIVE) {
			rc = iommufd_refuse(-ENOENT, "nothing is mapped at 0x%lx",
					    first);
			break;
		}
		if ((prot & IOMMU_WRITE) && !area->pages->writable) {
			rc = iommufd_refuse(-EPERM,
					    "the memory at 0x%lx was not mapped writeable",
					    first);
			break;
		}
		end = min(last, area->node.last);
		copy = iopt_area_alloc(area->pages,
				       area->start + (first - area->node.start),
				       end - first + 1, prot);
		if (IS_ERR(copy)) {
			rc = PTR_ERR(copy);
			break;
		}
		list_add_tail(&copy->link, areas);
		if (end == last)
			break;
		first = end + 1;
	}
	up_read(&iopt->iova_lock);
	if (rc) {
		iopt_areas_free(areas);
		INIT_LIST_HEAD(areas);
	}
	return rc;
}

/* Let @tail take over what @area has from @iova on. */
static void area_divide(struct io_pagetable *iopt, struct iopt_area *area,
			struct iopt_area *tail, unsigned long iova)
{
	area_remove(iopt, area);
	tail->iopt = iopt;
	tail->state = AREA_LIVE;
	tail->node.start = iova;
	tail->node.last = area->node.last;
	area->node.last = iova - 1;
	area_insert(iopt, area);
	area_insert(iopt, tail);
	if (!list_empty(&iopt->domains))
		iommufd_pages_divide(area->pages, &area->need,
				     iopt_area_last(area), &tail->need,
				     iopt_area_first(tail));
}

/**
 * iopt_cut - make an area begin at an address
 * @iopt: the address space; its HUGE_PAGES option is off
 * @iova: within an area, or where nothing is mapped
 *
 * Return: 0, -EINVAL if @iova is not a multiple of the alignment or a leaf of a
 *	   domain may reach across, -EBUSY if the area is being (un)mapped or
 *	   pinned by a kernel driver, -ENOMEM; explained
 */
int iopt_cut(struct io_pagetable *iopt, unsigned long iova)
{
	struct iopt_area *area, *tail;
	int rc = 0;

	down_write(&iopt->shape);
	down_write(&iopt->iova_lock);
	area = iopt_area_at(iopt, iova, iova);
	if (!area || area->node.start == iova)
		goto out;
	if (iopt->huge_pages)
		rc = iommufd_refuse(-EINVAL,
				    "0x%lx may be inside a large page: switch HUGE_PAGES off first",
				    iova);
	else if (area->large_leaves)
		rc = iommufd_refuse(-EINVAL,
				    "0x%lx..0x%lx was mapped before HUGE_PAGES was switched off and stays whole",
				    area->node.start, area->node.last);
	else if (area->pages->dmabuf)
		rc = iommufd_refuse(-EOPNOTSUPP,
				    "the map of a dma-buf at 0x%lx..0x%lx stays whole",
				    area->node.start, area->node.last);
	else if (atomic_read(&area->nr_pins))
		rc = iommufd_refuse(-EBUSY,
				    "a kernel driver has 0x%lx..0x%lx pinned",
				    area->node.start, area->node.last);
	else
		rc = iopt_check_alignment(iopt, area->node.start,
					  iova - area->node.start,
					  iopt_area_offset(area));
	if (rc)
		goto out;
	tail = iopt_area_alloc(area->pages,
			       area->start + (iova - area->node.start),
			       area->node.last - iova + 1, area->prot);
	if (IS_ERR(tail))
		rc = PTR_ERR(tail);
	else
		area_divide(iopt, area, tail, iova);
out:
	up_write(&iopt->iova_lock);
	up_write(&iopt->shape);
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
		cond_resched();
		if (area->state == AREA_DYING)
			return -EAGAIN;
		if (area->node.start < first || area->node.last > last)
			return iommufd_refuse(-ENOENT,
					      "unmapping 0x%lx..0x%lx would cut the mapping at 0x%lx..0x%lx",
					      first, last, area->node.start,
					      area->node.last);
		if (atomic_read(&area->nr_queues))
			return iommufd_refuse(-EBUSY,
					      "hardware reads a queue in 0x%lx..0x%lx",
					      area->node.start, area->node.last);
		if (area->state == AREA_PENDING)
			return iommufd_refuse(-EBUSY,
					      "0x%lx..0x%lx is still being mapped by another thread",
					      area->node.start, area->node.last);
	}
	return 0;
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

/* Claim the areas in a range for unmapping; @settles is for who has to wait. */
static int claim_areas(struct io_pagetable *iopt, unsigned long first,
		       unsigned long last, struct list_head *areas,
		       unsigned int *settles)
{
	struct iopt_area *area;
	int rc;

	down_write(&iopt->iova_lock);
	*settles = iopt->settles;
	rc = check_unmap(iopt, first, last);
	if (!rc) {
		for (area = iopt_area_at(iopt, first, last); area;
		     area = area_next(area, first, last)) {
			area->state = AREA_DYING;
			list_add_tail(&area->link, areas);
			cond_resched();
		}
	}
	up_write(&iopt->iova_lock);
	return rc;
}

/* The end of claimed areas: back to life, or out of the address space. */
static void settle_areas(struct io_pagetable *iopt, struct list_head *areas,
			 bool alive, unsigned long *unmapped)
{
	struct iopt_area *area;

	down_write(&iopt->iova_lock);
	list_for_each_entry(area, areas, link) {
		if (alive) {
			area->state = AREA_LIVE;
		} else {
			*unmapped += iopt_area_length(area);
			trace_iommufd_unmap(iopt_area_iova(area),
					    iopt_area_length(area));
			area_remove(iopt, area);
		}
		cond_resched();
	}
	WRITE_ONCE(iopt->settles, iopt->settles + 1);
	up_write(&iopt->iova_lock);
	wake_up_all(&iopt->settled);
	if (!alive)
		iopt_areas_free(areas);
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
 *	   now or has a hardware queue in it, -EINTR killed while waiting;
 *	   explained, with nothing changed
 */
int iopt_unmap(struct io_pagetable *iopt, unsigned long first,
	       unsigned long last, unsigned long *unmapped)
{
	unsigned int settles;
	LIST_HEAD(areas);
	int rc;

	*unmapped = 0;
	for (;;) {
		down_read(&iopt->shape);
		rc = claim_areas(iopt, first, last, &areas, &settles);
		if (rc != -EAGAIN)
			break;
		up_read(&iopt->shape);
		if (wait_event_killable(iopt->settled,
					READ_ONCE(iopt->settles) != settles))
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

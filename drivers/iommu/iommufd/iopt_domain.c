// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mirroring the areas of an address space into its domains.
 */
#include <linux/sched.h>

#include "access.h"
#include "hw.h"
#include "io_pagetable.h"

static bool area_is_pinned(const struct io_pagetable *iopt)
{
	return !list_empty(&iopt->domains);
}

static void domain_clear_areas(struct iopt_domain *idom,
			       struct list_head *areas)
{
	struct iommu_iotlb_gather gather;
	struct iopt_area *area;

	iommu_iotlb_gather_init(&gather);
	list_for_each_entry(area, areas, link)
		iopt_domain_clear(idom, area, &gather);
	iommu_iotlb_sync(idom->domain, &gather);
}

static int area_pin(struct iopt_area *area)
{
	if (area->pages->dmabuf)
		return 0;
	return iommufd_pages_pin(area->pages, &area->need,
				 iopt_area_first(area), iopt_area_last(area));
}

static void area_unpin(struct iopt_area *area)
{
	area->large_leaves = false;
	if (!area->pages->dmabuf)
		iommufd_pages_unpin(area->pages, &area->need);
}

/* Take one area out of the domains that come before @end in the list. */
static void area_clear_until(struct io_pagetable *iopt, struct iopt_area *area,
			     struct iopt_domain *end)
{
	struct iommu_iotlb_gather gather;
	struct iopt_domain *idom;

	list_for_each_entry(idom, &iopt->domains, link) {
		if (idom == end)
			break;
		iommu_iotlb_gather_init(&gather);
		iopt_domain_clear(idom, area, &gather);
		iommu_iotlb_sync(idom->domain, &gather);
	}
}

static int fill_area(struct io_pagetable *iopt, struct iopt_area *area)
{
	struct iopt_domain *idom;
	int rc;

	rc = area_pin(area);
	if (rc)
		return rc;
	list_for_each_entry(idom, &iopt->domains, link) {
		rc = iopt_domain_fill(iopt, idom, area);
		if (rc) {
			area_clear_until(iopt, area, idom);
			area_unpin(area);
			break;
		}
	}
	return rc;
}

/**
 * iopt_fill_areas - pin new areas and enter them into all domains
 * @iopt: the address space, its shape held for read
 * @areas: pending, by their link
 *
 * Without a domain the memory is not even looked at.
 *
 * Return: 0 or an explained errno, with nothing left behind
 */
int iopt_fill_areas(struct io_pagetable *iopt, struct list_head *areas)
{
	struct iopt_area *area;
	int rc;

	if (!area_is_pinned(iopt))
		return 0;
	list_for_each_entry(area, areas, link) {
		rc = fill_area(iopt, area);
		if (rc)
			goto undo;
	}
	return 0;
undo:
	list_for_each_entry_continue_reverse(area, areas, link) {
		area_clear_until(iopt, area, NULL);
		area_unpin(area);
	}
	return rc;
}

/**
 * iopt_clear_areas - take areas out of all domains and unpin them
 * @iopt: the address space, its shape held for read
 * @areas: dying areas, by their link
 *
 * All areas leave the tables of a domain before its IOTLB is told, once; nothing
 * is unpinned before the last IOTLB has been.
 */
void iopt_clear_areas(struct io_pagetable *iopt, struct list_head *areas)
{
	struct iopt_domain *idom;
	struct iopt_area *area;

	if (list_empty(areas) || !area_is_pinned(iopt))
		return;
	list_for_each_entry(idom, &iopt->domains, link)
		domain_clear_areas(idom, areas);
	list_for_each_entry(area, areas, link) {
		area_unpin(area);
		cond_resched();
	}
}

#define for_each_area(iopt, node)					\
	for (node = interval_tree_iter_first(&(iopt)->areas, 0, ULONG_MAX); \
	     node; node = interval_tree_iter_next(node, 0, ULONG_MAX))

static struct iopt_area *to_area(struct interval_tree_node *node)
{
	return container_of(node, struct iopt_area, node);
}

/* Undo fill_all() for the areas below @end. */
static void clear_all_until(struct iopt_domain *idom, struct io_pagetable *iopt,
			    struct interval_tree_node *end, bool unpin)
{
	struct iommu_iotlb_gather gather;
	struct interval_tree_node *node;

	iommu_iotlb_gather_init(&gather);
	for_each_area(iopt, node) {
		if (node == end)
			break;
		iopt_domain_clear(idom, to_area(node), &gather);
	}
	iommu_iotlb_sync(idom->domain, &gather);
	if (!unpin)
		return;
	for_each_area(iopt, node) {
		if (node == end)
			break;
		area_unpin(to_area(node));
		cond_resched();
	}
}

static int fill_all(struct iopt_domain *idom, struct io_pagetable *iopt,
		    bool pin)
{
	struct interval_tree_node *node;
	int rc;

	for_each_area(iopt, node) {
		struct iopt_area *area = to_area(node);

		if (fatal_signal_pending(current))
			rc = iommufd_refuse(-EINTR, "killed while filling a domain");
		else
			rc = pin ? area_pin(area) : 0;
		if (!rc) {
			rc = iopt_domain_fill(iopt, idom, area);
			if (rc && pin)
				area_unpin(area);
		}
		if (rc) {
			clear_all_until(idom, iopt, node, pin);
			return rc;
		}
	}
	return 0;
}

/* What is mapped or promised has to stay possible with other windows. */
static int check_shape(struct io_pagetable *iopt)
{
	struct interval_tree_node *node;

	for (node = interval_tree_iter_first(&iopt->allowed, 0, ULONG_MAX); node;
	     node = interval_tree_iter_next(node, 0, ULONG_MAX))
		if (!iopt_window_of(iopt, node->start, node->last))
			return iommufd_refuse(-EADDRINUSE,
					      "the allowed range 0x%lx..0x%lx would not be translated for this device",
					      node->start, node->last);
	for_each_area(iopt, node) {
		struct iopt_area *area = to_area(node);
		const struct iommufd_window *window;
		unsigned long align;

		window = iopt_window_of(iopt, node->start, node->last);
		if (!window)
			return iommufd_refuse(-EADDRINUSE,
					      "the mapping at 0x%lx..0x%lx would not be translated for this device",
					      node->start, node->last);
		align = iopt_window_alignment(iopt, window);
		if ((node->start | iopt_area_length(area) |
		     iopt_area_offset(area)) & (align - 1))
			return iommufd_refuse(-EADDRINUSE,
					      "the mapping at 0x%lx..0x%lx of memory at 0x%x of its page is not a multiple of 0x%lx",
					      node->start, node->last,
					      iopt_area_offset(area), align);
	}
	return 0;
}

/* Intersect the windows of all domains, and of @extra unless it is NULL. */
static int compute_windows(struct io_pagetable *iopt, struct iopt_domain *extra)
{
	struct iommufd_window now[IOMMUFD_MAX_WINDOWS], next[IOMMUFD_MAX_WINDOWS];
	unsigned int nr = 1, nr_next;
	struct iopt_domain *idom;

	now[0] = (struct iommufd_window){ 0, ULONG_MAX, ~0UL };
	list_for_each_entry(idom, &iopt->domains, link) {
		nr_next = hw_intersect_windows(now, nr, idom, next);
		if (!nr_next)
			goto none;
		memcpy(now, next, sizeof(now));
		nr = nr_next;
	}
	if (extra) {
		nr_next = hw_intersect_windows(now, nr, extra, next);
		if (!nr_next)
			goto none;
		memcpy(now, next, sizeof(now));
		nr = nr_next;
	}
	memcpy(iopt->windows, now, sizeof(now));
	iopt->nr_windows = nr;
	return 0;
none:
	return iommufd_refuse(-EADDRINUSE,
			      "the devices of this address space have no IOVA in common");
}

/**
 * iopt_add_domain - have a domain mirror the address space
 * @iopt: the address space
 * @idom: an empty domain with its windows filled in
 *
 * The first domain makes everything be pinned; later ones are filled from what
 * is pinned already.
 *
 * Context: may sleep; excludes map and unmap meanwhile.
 * Return: 0 or an explained errno with nothing changed: -EADDRINUSE if what is
 *	   mapped or allowed is not possible in it, or as pinning or mapping fails
 */
int iopt_add_domain(struct io_pagetable *iopt, struct iopt_domain *idom)
{
	bool first;
	int rc;

	down_write(&iopt->shape);
	down_write(&iopt->iova_lock);
	first = list_empty(&iopt->domains);
	rc = compute_windows(iopt, idom);
	if (!rc)
		rc = check_shape(iopt);
	if (!rc)
		rc = fill_all(idom, iopt, first);
	if (rc)
		compute_windows(iopt, NULL);
	else
		list_add_tail(&idom->link, &iopt->domains);
	up_write(&iopt->iova_lock);
	up_write(&iopt->shape);
	return rc;
}

/**
 * iopt_remove_domain - empty a domain and forget it
 * @iopt: the address space
 * @idom: no device is attached to it any more
 *
 * Context: may sleep; excludes map and unmap meanwhile.
 */
void iopt_remove_domain(struct io_pagetable *iopt, struct iopt_domain *idom)
{
	down_write(&iopt->shape);
	down_write(&iopt->iova_lock);
	list_del(&idom->link);
	clear_all_until(idom, iopt, NULL, list_empty(&iopt->domains));
	compute_windows(iopt, NULL);
	up_write(&iopt->iova_lock);
	up_write(&iopt->shape);
}

/**
 * iopt_set_huge_pages - allow or forbid leaves larger than a CPU page
 * @iopt: the address space
 * @huge_pages: allow; holds for what is mapped from now on
 *
 * Return: 0, -EADDRINUSE if an area is not aligned to CPU pages; explained
 */
int iopt_set_huge_pages(struct io_pagetable *iopt, bool huge_pages)
{
	bool old;
	int rc;

	down_write(&iopt->shape);
	down_write(&iopt->iova_lock);
	old = iopt->huge_pages;
	iopt->huge_pages = huge_pages;
	rc = huge_pages ? 0 : check_shape(iopt);
	if (rc)
		iopt->huge_pages = old;
	up_write(&iopt->iova_lock);
	up_write(&iopt->shape);
	return rc;
}

/**
 * iopt_add_access - have a kernel driver asked before something is unmapped
 * @iopt: the address space
 * @link: the driver's access; what it needs to pin has to be aligned to pages
 *
 * Return: 0, -EADDRINUSE if an area is not; explained
 */
int iopt_add_access(struct io_pagetable *iopt, struct access_link *link)
{
	int rc;

	down_write(&iopt->shape);
	down_write(&iopt->iova_lock);
	list_add_tail(&link->link, &iopt->accesses);
	rc = check_shape(iopt);
	if (rc)
		list_del(&link->link);
	up_write(&iopt->iova_lock);
	up_write(&iopt->shape);
	return rc;
}

/**
 * iopt_remove_access - undo iopt_add_access()
 * @iopt: the address space
 * @link: the driver's access, with nothing pinned
 */
void iopt_remove_access(struct io_pagetable *iopt, struct access_link *link)
{
	down_write(&iopt->shape);
	down_write(&iopt->iova_lock);
	list_del(&link->link);
	up_write(&iopt->iova_lock);
	up_write(&iopt->shape);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An I/O virtual address space: what is mapped where, which addresses may be
 * used, and the domains that mirror it.
 */
#ifndef __IOMMUFD_IO_PAGETABLE_H
#define __IOMMUFD_IO_PAGETABLE_H

#include <linux/interval_tree.h>
#include <linux/iommufd_driver.h>
#include <linux/list.h>
#include <linux/rwsem.h>
#include <linux/wait.h>

#include "gap.h"
#include "pages.h"

struct access_link;
struct io_pagetable;
struct iommu_iova_range;

/**
 * enum iopt_area_state - life of an area
 * @AREA_PENDING: takes its place, but is not in the domains yet
 * @AREA_LIVE: mapped
 * @AREA_DYING: being taken out of the domains; keeps its place until that is done
 *
 * Only who made an area PENDING or DYING touches it, so that the slow part of
 * MAP and UNMAP runs without the iova_lock.
 */
enum iopt_area_state {
	AREA_PENDING,
	AREA_LIVE,
	AREA_DYING,
};

/**
 * struct iopt_area - one mapping
 * @node: first and last IOVA; in io_pagetable.areas
 * @gap: the same, and what is free behind it; in io_pagetable.gaps
 * @state: protected by the iova_lock
 * @link: on the list of whoever is making or destroying it
 * @pages: the memory; referenced
 * @start: bytes from the beginning of the first page of @pages
 * @prot: IOMMU_READ, IOMMU_WRITE, IOMMU_CACHE
 * @need: keeps the memory pinned while the address space has a domain
 * @large_leaves: a domain may hold it in leaves larger than a CPU page, because it
 *		  was entered while that was allowed. Until no domain is left
 * @nr_pins: what in-kernel accesses have pinned; goes up only while the area is
 *	     live, under the iova_lock
 * @nr_queues: hardware queues in it, which keep it mapped; goes up like @nr_pins
 * @iopt: where it is
 */
struct iopt_area {
	struct interval_tree_node node;
	struct gap gap;
	enum iopt_area_state state;
	struct list_head link;
	struct iommufd_pages *pages;
	unsigned long start;
	int prot;
	struct pages_need need;
	bool large_leaves;
	atomic_t nr_pins;
	atomic_t nr_queues;
	struct io_pagetable *iopt;
};

static inline unsigned long iopt_area_iova(const struct iopt_area *area)
{
	return area->node.start;
}

static inline unsigned long iopt_area_length(const struct iopt_area *area)
{
	return area->node.last - area->node.start + 1;
}

/* Where the area begins within a CPU page. */
static inline unsigned int iopt_area_offset(const struct iopt_area *area)
{
	return offset_in_page(area->start);
}

static inline unsigned long iopt_area_first(const struct iopt_area *area)
{
	return area->start / PAGE_SIZE;
}

static inline unsigned long iopt_area_last(const struct iopt_area *area)
{
	return (area->start + iopt_area_length(area) - 1) / PAGE_SIZE;
}

/**
 * struct iopt_range - addresses set apart: reserved, or promised to the user
 * @node: first and last IOVA
 * @owner: what it is removed by; NULL for the ranges of ALLOW_IOVAS
 * @who: whose it is, for reasons
 */
struct iopt_range {
	struct interval_tree_node node;
	const void *owner;
	char who[48];
};

/**
 * struct iopt_domain - a domain that mirrors an address space
 * @link: in io_pagetable.domains
 * @domain: what it is for the IOMMU core; constant
 * @drv: the driver behind it; constant
 * @nr_windows: used entries of @windows; constant
 * @windows: what it translates; constant
 */
struct iopt_domain {
	struct list_head link;
	struct iommu_domain *domain;
	const struct iommufd_driver_ops *drv;
	unsigned int nr_windows;
	struct iommufd_window windows[IOMMUFD_MAX_WINDOWS];
};

/**
 * struct io_pagetable - an I/O virtual address space
 * @shape: held for write to change @domains, @accesses, @windows, @allowed,
 *	   @reserved and @huge_pages, and what devices are attached to the domains;
 *	   for read while areas come and go
 * @iova_lock: protects @areas, @gaps, @nr_areas and the areas' states; inside @shape.
 *	       What @shape protects is read under either of them
 * @settled: woken when dying areas have gone, and when an area's last pin has
 * @settles: how often dying areas have gone; changes under the iova_lock
 * @domains: struct iopt_domain; all mirror all live areas
 * @accesses: struct access_link
 * @nr_windows: used entries of @windows
 * @windows: what all domains translate, sorted and disjoint; everything without
 *	     a domain
 * @allowed: struct iopt_range promised by ALLOW_IOVAS
 * @reserved: struct iopt_range that must not be mapped
 * @areas: struct iopt_area, disjoint
 * @gaps: the same areas, to find room between them
 * @nr_areas: how many
 * @huge_pages: whether a leaf may be larger than a CPU page
 *
 * Lock order: ioas auto_lock, group lock, @shape, @iova_lock, pages lock.
 */
struct io_pagetable {
	struct rw_semaphore shape;
	struct rw_semaphore iova_lock;
	wait_queue_head_t settled;
	unsigned int settles;
	struct list_head domains;
	struct list_head accesses;
	unsigned int nr_windows;
	struct iommufd_window windows[IOMMUFD_MAX_WINDOWS];
	struct rb_root_cached allowed;
	struct rb_root_cached reserved;
	struct rb_root_cached areas;
	struct gap_tree gaps;
	unsigned long nr_areas;
	bool huge_pages;
};

/* io_pagetable.c: areas */
void iopt_init(struct io_pagetable *iopt);
void iopt_destroy(struct io_pagetable *iopt);
struct iopt_area *iopt_area_alloc(struct iommufd_pages *pages,
				  unsigned long start, unsigned long length,
				  int prot);
void iopt_areas_free(struct list_head *areas);
int iopt_map_areas(struct io_pagetable *iopt, struct list_head *areas,
		   unsigned long length, unsigned long *iova, bool fixed);
int iopt_map(struct io_pagetable *iopt, struct iommufd_pages *pages,
	     unsigned long start, unsigned long length, unsigned long *iova,
	     bool fixed, int prot);
int iopt_copy_areas(struct io_pagetable *iopt, unsigned long first,
		    unsigned long last, int prot, struct list_head *areas);
int iopt_cut(struct io_pagetable *iopt, unsigned long iova);
int iopt_unmap(struct io_pagetable *iopt, unsigned long first,
	       unsigned long last, unsigned long *unmapped);

struct iopt_area *iopt_area_at(struct io_pagetable *iopt, unsigned long first,
			       unsigned long last);
void iopt_area_get_pin(struct iopt_area *area);
void iopt_area_put_pin(struct iopt_area *area);

/* iopt_fill.c: one area in one domain */
int iopt_domain_fill(struct io_pagetable *iopt, struct iopt_domain *idom,
		     struct iopt_area *area);
void iopt_domain_clear(struct iopt_domain *idom, struct iopt_area *area,
		       struct iommu_iotlb_gather *gather);

/* iopt_domain.c: domains that mirror the areas */
int iopt_add_domain(struct io_pagetable *iopt, struct iopt_domain *idom);
void iopt_remove_domain(struct io_pagetable *iopt, struct iopt_domain *idom);
int iopt_fill_areas(struct io_pagetable *iopt, struct list_head *areas);
void iopt_clear_areas(struct io_pagetable *iopt, struct list_head *areas);
int iopt_set_huge_pages(struct io_pagetable *iopt, bool huge_pages);
int iopt_add_access(struct io_pagetable *iopt, struct access_link *link);
void iopt_remove_access(struct io_pagetable *iopt, struct access_link *link);

/* iova_space.c: which addresses may be used */
int iopt_check_alignment(struct io_pagetable *iopt, unsigned long iova,
			 unsigned long length, unsigned long offset);
unsigned long iopt_window_alignment(const struct io_pagetable *iopt,
				    const struct iommufd_window *window);
unsigned long iopt_alignment(const struct io_pagetable *iopt);
bool iopt_next_usable(const struct io_pagetable *iopt, unsigned long *first,
		      unsigned long *last);
const struct iommufd_window *
iopt_window_of(const struct io_pagetable *iopt, unsigned long first,
	       unsigned long last);
int iopt_check_iova(struct io_pagetable *iopt, unsigned long iova,
		    unsigned long length, unsigned long offset);
int iopt_find_iova(struct io_pagetable *iopt, unsigned long length,
		   unsigned long address, unsigned long *iova);
int iopt_refuse_windows(const struct io_pagetable *iopt, unsigned long first,
			unsigned long last);
int iopt_set_allowed(struct io_pagetable *iopt,
		     const struct iommu_iova_range *ranges, unsigned int nr);
int iopt_reserve(struct io_pagetable *iopt, unsigned long first,
		 unsigned long last, const void *owner, const char *who);
void iopt_unreserve(struct io_pagetable *iopt, const void *owner);

#endif

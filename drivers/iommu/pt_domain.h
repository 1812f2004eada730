/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page tables as the IOMMU core and iommufd see them: what is the same whichever
 * hardware walks the table. For drivers to include.
 */
#ifndef __IOMMU_PT_DOMAIN_H
#define __IOMMU_PT_DOMAIN_H

#include <linux/iommu.h>
#include <linux/iommufd_driver.h>

#include "pt/pt.h"

/**
 * pt_domain_unmap - remove a range
 * @pt: the table
 * @iova: first address
 * @len: bytes
 * @gather: receives what has to be forgotten; tables that become empty wait in it
 *
 * Return: how many bytes were removed
 */
static inline size_t pt_domain_unmap(struct pt *pt, unsigned long iova, size_t len,
				     struct iommu_iotlb_gather *gather)
{
	struct pt_gather pt_gather;

	pt_gather_init(&pt_gather);
	len = pt->ops->unmap(pt, iova, len, &pt_gather, NULL);
	if (len)
		iommu_iotlb_gather_add_range(gather, iova, len);
	list_splice(&pt_gather.retired.pages, &gather->freelist);
	return len;
}

/**
 * pt_domain_gathered - what a gather of the IOMMU core says, in the library's terms
 * @gather: from pt_domain_unmap(); loses the tables that wait in it
 * @out: receives it; empty if there is nothing to forget
 */
static inline void pt_domain_gathered(struct iommu_iotlb_gather *gather,
				      struct pt_gather *out)
{
	pt_gather_init(out);
	if (gather->start <= gather->end) {
		out->first = gather->start;
		out->last = gather->end;
	}
	out->tables = !list_empty(&gather->freelist);
	list_splice_init(&gather->freelist, &out->retired.pages);
}

/**
 * pt_domain_lookup - the memory behind an address
 * @pt: the table
 * @iova: the address
 *
 * Return: its physical address, 0 if nothing is mapped
 */
static inline phys_addr_t pt_domain_lookup(struct pt *pt, dma_addr_t iova)
{
	u64 phys;

	return pt->ops->lookup(pt, iova, 1, &phys) ? phys : 0;
}

static inline void pt_domain_tell(void *bitmap, u64 iova, size_t len)
{
	if (bitmap)
		iommufd_dirty_set(bitmap, iova, len);
}

/**
 * pt_domain_read_dirty - tell what was written since it was last read
 * @pt: the table, in which hardware records writes
 * @iova: first address
 * @len: bytes
 * @flags: IOMMU_DIRTY_NO_CLEAR, or 0 to have it recorded anew
 * @bitmap: is told, if there is one
 * @gather: receives what has to be forgotten: hardware that remembers a leaf as dirty
 *	    does not set the bit again
 */
static inline void pt_domain_read_dirty(struct pt *pt, unsigned long iova, size_t len,
					unsigned long flags,
					struct iommufd_dirty_bitmap *bitmap,
					struct iommu_iotlb_gather *gather)
{
	struct pt_gather pt_gather;

	pt_gather_init(&pt_gather);
	pt->ops->read_dirty(pt, iova, len, !(flags & IOMMU_DIRTY_NO_CLEAR),
			    pt_domain_tell, bitmap, &pt_gather);
	if (!pt_gather_empty(&pt_gather))
		iommu_iotlb_gather_add_range(gather, pt_gather.first,
					     pt_gather.last - pt_gather.first + 1);
}

/**
 * pt_domain_enter - enter what iommufd has mapped
 * @pt: the table
 * @iova: where the first run is to be
 * @runs: the memory
 * @nr: how many
 * @prot: PT_READ and the like
 * @sizes: leaves to be used, one bit for each size
 * @gather: receives what has to be forgotten before the map is used
 * @mapped: receives how many bytes were entered, also on failure
 *
 * Return: 0 or an errno, explained
 */
static inline int pt_domain_enter(struct pt *pt, unsigned long iova,
				  const struct iommufd_run *runs, unsigned int nr,
				  unsigned int prot, unsigned long sizes,
				  struct pt_gather *gather, size_t *mapped)
{
	int rc;

	/* the same, by two names */
	static_assert(sizeof(struct iommufd_run) == sizeof(struct pt_run));
	static_assert(offsetof(struct iommufd_run, len) ==
		      offsetof(struct pt_run, len));
	rc = pt->ops->map(pt, iova, (const struct pt_run *)runs, nr, prot, sizes,
			  gather, mapped);
	if (!rc)
		return 0;
	return iommufd_refuse(rc, rc == -ENOMEM ?
			      "no memory for page tables at 0x%lx" :
			      "the table cannot hold what was mapped at 0x%lx", iova);
}

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dirty tracking: what devices wrote through a page table, at either stage.
 *
 * Leaves of a table that is made for it are clean when they are entered, and the unit
 * makes them writeable as it writes (HTTU). That goes on from the beginning to the
 * end of the table; switching it on only means that what was recorded before does
 * not count, and iommufd reads that away itself.
 */
#include "smmu.h"

/**
 * smmu_set_dirty - switch dirty tracking on or off
 * @domain: made for it
 * @enable: which
 *
 * Return: 0
 */
int smmu_set_dirty(struct iommu_domain *domain, bool enable)
{
	return 0;
}

static void tell(void *bitmap, u64 iova, size_t len)
{
	if (bitmap)
		iommufd_dirty_set(bitmap, iova, len);
}

/**
 * smmu_read_dirty - tell what was written since it was last read
 * @iommu_domain: made for dirty tracking
 * @iova: first address
 * @len: bytes
 * @flags: IOMMU_DIRTY_NO_CLEAR, or 0 to have it recorded anew
 * @bitmap: is told, if there is one
 * @gather: receives what has to be forgotten: a unit that remembers a leaf as
 *	    writeable writes without looking at it
 *
 * Return: 0
 */
int smmu_read_dirty(struct iommu_domain *iommu_domain, unsigned long iova,
		    size_t len, unsigned long flags,
		    struct iommufd_dirty_bitmap *bitmap,
		    struct iommu_iotlb_gather *gather)
{
	struct pt *pt = &to_smmu_domain(iommu_domain)->pt;
	struct pt_gather pt_gather;

	pt_gather_init(&pt_gather);
	pt->ops->read_dirty(pt, iova, len, !(flags & IOMMU_DIRTY_NO_CLEAR), tell,
			    bitmap, &pt_gather);
	if (!pt_gather_empty(&pt_gather))
		iommu_iotlb_gather_add_range(gather, pt_gather.first,
					     pt_gather.last - pt_gather.first + 1);
	return 0;
}

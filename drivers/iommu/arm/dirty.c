// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dirty tracking: what devices wrote through a page table, at either stage.
 *
 * Leaves of a table that is made for it are clean when they are entered, and the unit
 * makes them writeable as it writes (HTTU). That goes on from the beginning to the
 * end of the table; switching it on only means that what was recorded before does
 * not count, and iommufd reads that away itself.
 */
#include "../pt_domain.h"
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
	pt_domain_read_dirty(&to_smmu_domain(iommu_domain)->pt, iova, len, flags, bitmap,
			     gather);
	return 0;
}

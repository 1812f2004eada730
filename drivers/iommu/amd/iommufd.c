// SPDX-License-Identifier: GPL-2.0-only
/*
 * What iommufd asks of this driver, and what it is told about the units.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "../pt_domain.h"
#include "amdvi.h"

static struct iommu_domain *iommufd_alloc(struct device *dev, u32 flags,
					  const struct iommu_user_data *data)
{
	const struct amdvi_unit *unit = to_amdvi_device(dev)->unit;
	bool dirty = flags & IOMMU_HWPT_ALLOC_DIRTY_TRACKING;
	struct amdvi_domain *domain;

	if (flags & ~IOMMU_HWPT_ALLOC_DIRTY_TRACKING || data)
		return ERR_PTR(iommufd_refuse(-EOPNOTSUPP,
					      "%s: iommu_amdvi makes no such page table (flags %#x%s)",
					      dev_name(dev), flags,
					      data ? ", with data" : ""));
	if (dirty && !amdvi_unit_records_writes(unit))
		return ERR_PTR(iommufd_refuse(-EOPNOTSUPP,
					      "%s, the IOMMU of %s, does not record what devices write",
					      unit->x86.name, dev_name(dev)));
	domain = amdvi_domain_alloc(unit, dirty);
	return IS_ERR(domain) ? ERR_CAST(domain) : &domain->domain;
}

static unsigned int iommufd_windows(struct iommu_domain *domain,
				    struct iommufd_window *out)
{
	out->first = 0;
	out->last = domain->geometry.aperture_end;
	out->pgsizes = domain->pgsize_bitmap;
	return 1;
}

static int iommufd_map(struct iommu_domain *iommu_domain, unsigned long iova,
		       const struct iommufd_run *runs, unsigned int nr, int prot,
		       unsigned long pgsizes, size_t *mapped)
{
	struct amdvi_domain *domain = to_amdvi_domain(iommu_domain);
	struct pt_gather gather;
	int rc;

	pt_gather_init(&gather);
	rc = pt_domain_enter(&domain->pt, iova, runs, nr, amdvi_prot(prot), pgsizes,
			     &gather, mapped);
	amdvi_domain_mapped(domain, &gather, iova, *mapped);
	return rc;
}

static size_t iommufd_unmap(struct iommu_domain *domain, unsigned long iova,
			    size_t len, struct iommu_iotlb_gather *gather)
{
	return pt_domain_unmap(&to_amdvi_domain(domain)->pt, iova, len, gather);
}

/*
 * A table that is made for it has its writes recorded from the beginning to the end.
 * Switching it on only means that what was recorded before does not count, and
 * iommufd reads that away itself.
 */
static int iommufd_set_dirty(struct iommu_domain *domain, bool enable)
{
	return 0;
}

static int iommufd_read_dirty(struct iommu_domain *domain, unsigned long iova,
			      size_t len, unsigned long flags,
			      struct iommufd_dirty_bitmap *bitmap,
			      struct iommu_iotlb_gather *gather)
{
	pt_domain_read_dirty(&to_amdvi_domain(domain)->pt, iova, len, flags, bitmap,
			     gather);
	return 0;
}

static int iommufd_hw_info(struct device *dev, u32 type, struct iommufd_hw_data *out)
{
	const struct amdvi_unit *unit = to_amdvi_device(dev)->unit;
	struct iommu_hw_info_amd *info;

	if (type != IOMMU_HW_INFO_TYPE_DEFAULT && type != IOMMU_HW_INFO_TYPE_AMD)
		return iommufd_refuse(-EOPNOTSUPP,
				      "the IOMMU of %s is an AMD-Vi unit, it has no information of type %#x",
				      dev_name(dev), type);
	info = kzalloc(sizeof(*info), GFP_KERNEL);
	if (!info)
		return iommufd_refuse(-ENOMEM, "no memory for what the IOMMU is");
	info->efr = unit->efr;
	info->efr2 = unit->efr2;
	out->type = IOMMU_HW_INFO_TYPE_AMD;
	out->len = sizeof(*info);
	out->data = info;
	return 0;
}

static u64 iommufd_capabilities(struct device *dev)
{
	return (amdvi_unit_records_writes(to_amdvi_device(dev)->unit) ?
		IOMMU_HW_CAP_DIRTY_TRACKING : 0) |
	       IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED;
}

/* Units that are alike walk each other's tables. */
static bool iommufd_shares_tables(struct device *a, struct device *b)
{
	const struct amdvi_unit *unit_a = to_amdvi_device(a)->unit;
	const struct amdvi_unit *unit_b = to_amdvi_device(b)->unit;

	return unit_a->efr == unit_b->efr && unit_a->efr2 == unit_b->efr2;
}

const struct iommufd_driver_ops amdvi_iommufd_ops = {
	.name = "iommu_amdvi",
	.owner = THIS_MODULE,
	.iommu_ops = &amdvi_iommu_ops,
	.hw_info = iommufd_hw_info,
	.capabilities = iommufd_capabilities,
	.alloc_paging = iommufd_alloc,
	.windows = iommufd_windows,
	.map = iommufd_map,
	.unmap = iommufd_unmap,
	.set_dirty = iommufd_set_dirty,
	.read_dirty = iommufd_read_dirty,
	.shares_tables = iommufd_shares_tables,
};

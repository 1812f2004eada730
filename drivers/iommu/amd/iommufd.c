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
	const u32 known = IOMMU_HWPT_ALLOC_DIRTY_TRACKING |
			  IOMMU_HWPT_ALLOC_NEST_PARENT | IOMMU_HWPT_ALLOC_PASID;
	bool by_pasid = flags & IOMMU_HWPT_ALLOC_PASID;
	bool dirty = flags & IOMMU_HWPT_ALLOC_DIRTY_TRACKING;
	bool nest = flags & IOMMU_HWPT_ALLOC_NEST_PARENT;
	const char *lacks = nest ? amdvi_unit_lacks_nesting(unit) : NULL;
	struct amdvi_domain *domain;

	if (flags & ~known || data)
		return ERR_PTR(iommufd_refuse(-EOPNOTSUPP,
					      "%s: iommu_amdvi makes no such page table (flags %#x%s)",
					      dev_name(dev), flags,
					      data ? ", with data" : ""));
	if (lacks)
		return ERR_PTR(iommufd_refuse(-EOPNOTSUPP,
					      "%s of %s has no nested page tables: %s",
					      unit->x86.name, dev_name(dev), lacks));
	if (dirty && !amdvi_unit_records_writes(unit))
		return ERR_PTR(iommufd_refuse(-EOPNOTSUPP,
					      "%s, the IOMMU of %s, does not record what devices write",
					      unit->x86.name, dev_name(dev)));
	if (by_pasid && !unit->x86.iommu.max_pasids)
		return ERR_PTR(iommufd_refuse(-EOPNOTSUPP,
					      "%s, the IOMMU of %s, has no PASIDs",
					      unit->x86.name, dev_name(dev)));
	/* theirs are other tables than those of the host, which can do these */
	if (by_pasid && (dirty || nest))
		return ERR_PTR(iommufd_refuse(-EOPNOTSUPP,
					      "%s: a page table for PASIDs neither records writes nor has nested ones (flags %#x)",
					      dev_name(dev), flags));
	domain = amdvi_domain_alloc(unit, dirty, by_pasid);
	if (IS_ERR(domain))
		return ERR_CAST(domain);
	domain->nest_parent = nest;
	return &domain->domain;
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

static int hw_info_unit(const struct amdvi_unit *unit, struct iommufd_hw_data *out)
{
	struct iommu_hw_info_amd *info = kzalloc(sizeof(*info), GFP_KERNEL);

	if (!info)
		return iommufd_refuse(-ENOMEM, "no memory for what the IOMMU is");
	info->efr = unit->efr;
	info->efr2 = unit->efr2;
	out->type = IOMMU_HW_INFO_TYPE_AMD;
	out->len = sizeof(*info);
	out->data = info;
	return 0;
}

/* What entries and commands of a guest may make use of. */
static int hw_info_guest(const struct amdvi_unit *unit, struct iommufd_hw_data *out)
{
	const char *lacks = amdvi_unit_lacks_nesting(unit);
	struct iommu_ext_hw_info_amdvi *info;

	if (lacks)
		return iommufd_refuse(-EOPNOTSUPP,
				      "%s has nothing to show to a guest: %s",
				      unit->x86.name, lacks);
	info = kzalloc(sizeof(*info), GFP_KERNEL);
	if (!info)
		return iommufd_refuse(-ENOMEM, "no memory for what a guest is shown");
	info->efr = unit->efr & (AMDVI_EFR_GT | AMDVI_EFR_IA | AMDVI_EFR_GATS |
				 AMDVI_EFR_GLX | AMDVI_EFR_PASMAX | AMDVI_EFR_GIO);
	out->type = IOMMU_EXT_HW_INFO_AMDVI;
	out->len = sizeof(*info);
	out->data = info;
	return 0;
}

static int iommufd_hw_info(struct device *dev, u32 type, struct iommufd_hw_data *out)
{
	const struct amdvi_unit *unit = to_amdvi_device(dev)->unit;

	switch (type) {
	case IOMMU_HW_INFO_TYPE_DEFAULT:
	case IOMMU_HW_INFO_TYPE_AMD:
		return hw_info_unit(unit, out);
	case IOMMU_EXT_HW_INFO_AMDVI:
		return hw_info_guest(unit, out);
	default:
		return iommufd_refuse(-EOPNOTSUPP,
				      "the IOMMU of %s is an AMD-Vi unit, it has no information of type %#x",
				      dev_name(dev), type);
	}
}

static u64 iommufd_capabilities(struct device *dev)
{
	const struct amdvi_device *adev = to_amdvi_device(dev);

	return (amdvi_unit_records_writes(adev->unit) ?
		IOMMU_HW_CAP_DIRTY_TRACKING : 0) |
	       (adev->ats ? 0 : IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED);
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
	.viommu_init = amdvi_viommu_init,
	.replace_pasid = amdvi_replace_pasid,
	.enable_faults = x86_enable_faults,
	.disable_faults = x86_disable_faults,
	.page_response = x86_answer_fault,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * What iommufd asks of this driver, and what it is told about the units.
 */
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "viommu.h"

static int check_flags(const struct smmu_unit *unit, struct device *dev, u32 flags,
		       const struct iommu_user_data *data)
{
	const u32 known = IOMMU_HWPT_ALLOC_NEST_PARENT | IOMMU_HWPT_ALLOC_PASID |
			  IOMMU_HWPT_ALLOC_DIRTY_TRACKING;

	if (flags & ~known || data)
		return iommufd_refuse(-EOPNOTSUPP,
				      "%s: no such page table (flags %#x%s)",
				      dev_name(dev), flags,
				      data ? ", with data" : "");
	if (flags & IOMMU_HWPT_ALLOC_NEST_PARENT && smmu_unit_lacks_nesting(unit))
		return iommufd_refuse(-EOPNOTSUPP,
				      "%s, the IOMMU of %s, has no nested page tables: %s",
				      smmu_name(unit), dev_name(dev),
				      smmu_unit_lacks_nesting(unit));
	if (flags & IOMMU_HWPT_ALLOC_PASID && !unit->iommu.max_pasids)
		return iommufd_refuse(-EOPNOTSUPP,
				      "%s, the IOMMU of %s, has no PASIDs",
				      smmu_name(unit), dev_name(dev));
	if (flags & IOMMU_HWPT_ALLOC_DIRTY_TRACKING && !(unit->has & SMMU_HAS_DIRTY))
		return iommufd_refuse(-EOPNOTSUPP,
				      "%s, the IOMMU of %s, does not record what devices write (HTTU)",
				      smmu_name(unit), dev_name(dev));
	return 0;
}

static struct iommu_domain *smmu_iommufd_alloc(struct device *dev, u32 flags,
					       const struct iommu_user_data *data)
{
	struct smmu_unit *unit = to_smmu_device(dev)->unit;
	bool nest = flags & IOMMU_HWPT_ALLOC_NEST_PARENT;
	struct smmu_domain *domain;
	int rc;

	rc = check_flags(unit, dev, flags, data);
	if (rc)
		return ERR_PTR(rc);
	domain = smmu_domain_alloc(unit, nest || !(unit->has & SMMU_HAS_S1), nest,
				   flags & IOMMU_HWPT_ALLOC_DIRTY_TRACKING);
	if (IS_ERR(domain))
		return ERR_PTR(iommufd_refuse(PTR_ERR(domain),
					      "no memory for a page table"));
	return &domain->domain;
}

static unsigned int smmu_iommufd_windows(struct iommu_domain *domain,
					 struct iommufd_window *out)
{
	out->first = 0;
	out->last = domain->geometry.aperture_end;
	out->pgsizes = domain->pgsize_bitmap;
	return 1;
}

static int smmu_iommufd_map(struct iommu_domain *domain, unsigned long iova,
			    const struct iommufd_run *runs, unsigned int nr,
			    int prot, unsigned long pgsizes, size_t *mapped)
{
	int rc;

	*mapped = 0;
	/* the same, by two names */
	static_assert(sizeof(struct iommufd_run) == sizeof(struct pt_run));
	static_assert(offsetof(struct iommufd_run, len) ==
		      offsetof(struct pt_run, len));
	rc = smmu_domain_map(to_smmu_domain(domain), iova,
			     (const struct pt_run *)runs, nr, prot, pgsizes,
			     mapped);
	if (rc)
		iommufd_refuse(rc, rc == -ENOMEM ?
			       "no memory for page tables at 0x%lx" :
			       "the table cannot hold what was mapped at 0x%lx",
			       iova);
	return rc;
}

static int smmu_iommufd_hw_info(struct device *dev, u32 type,
				struct iommufd_hw_data *out)
{
	const struct smmu_unit *unit = to_smmu_device(dev)->unit;
	struct iommu_hw_info_arm_smmuv3 *info;

	if (type != IOMMU_HW_INFO_TYPE_DEFAULT &&
	    type != IOMMU_HW_INFO_TYPE_ARM_SMMUV3)
		return iommufd_refuse(-EOPNOTSUPP,
				      "the IOMMU of %s is an Arm SMMUv3, it has no information of type %#x",
				      dev_name(dev), type);
	info = kzalloc(sizeof(*info), GFP_KERNEL);
	if (!info)
		return iommufd_refuse(-ENOMEM, "no memory for what the IOMMU is");
	static_assert(sizeof(info->idr) == sizeof(unit->idr));
	memcpy(info->idr, unit->idr, sizeof(info->idr));
	info->iidr = unit->iidr;
	info->aidr = unit->aidr;
	if (unit->has & SMMU_HAS_TO_BE_TOLD_TWICE)
		info->flags = IOMMU_HW_INFO_ARM_SMMUV3_ERRATA_REPEAT_TLBI_CFGI;
	out->type = IOMMU_HW_INFO_TYPE_ARM_SMMUV3;
	out->len = sizeof(*info);
	out->data = info;
	return 0;
}

static u64 smmu_iommufd_capabilities(struct device *dev)
{
	const struct smmu_device *sdev = to_smmu_device(dev);

	return (sdev->unit->has & SMMU_HAS_DIRTY ? IOMMU_HW_CAP_DIRTY_TRACKING : 0) |
	       (sdev->ats ? 0 : IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED);
}

/* Units that are alike walk each other's tables, and see the same in them. */
static bool smmu_iommufd_shares_tables(struct device *a, struct device *b)
{
	const struct smmu_unit *unit_a = to_smmu_device(a)->unit;
	const struct smmu_unit *unit_b = to_smmu_device(b)->unit;

	return unit_a->has == unit_b->has && unit_a->bbml == unit_b->bbml &&
	       unit_a->oa_bits == unit_b->oa_bits &&
	       unit_a->ia_bits == unit_b->ia_bits &&
	       unit_a->granule_lg2 == unit_b->granule_lg2;
}

const struct iommufd_driver_ops smmu_iommufd_ops = {
	.name = "iommu_smmuv3",
	.owner = THIS_MODULE,
	.iommu_ops = &smmu_iommu_ops,
	.hw_info = smmu_iommufd_hw_info,
	.capabilities = smmu_iommufd_capabilities,
	.alloc_paging = smmu_iommufd_alloc,
	.windows = smmu_iommufd_windows,
	.map = smmu_iommufd_map,
	.unmap = smmu_domain_unmap,
	.set_dirty = smmu_set_dirty,
	.read_dirty = smmu_read_dirty,
	.shares_tables = smmu_iommufd_shares_tables,
	.viommu_init = smmu_viommu_init,
	.replace_pasid = smmu_replace_pasid,
	.enable_faults = smmu_enable_faults,
	.disable_faults = smmu_disable_faults,
	.page_response = smmu_answer_fault,
};

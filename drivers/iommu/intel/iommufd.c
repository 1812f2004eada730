// SPDX-License-Identifier: GPL-2.0-only
/*
 * What iommufd asks of this driver, and what it is told about the units.
 */
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "vtd.h"

static struct iommu_domain *vtd_iommufd_alloc(struct device *dev, u32 flags,
					      const struct iommu_user_data *data)
{
	const u32 known = IOMMU_HWPT_ALLOC_NEST_PARENT | IOMMU_HWPT_ALLOC_PASID |
			  IOMMU_HWPT_ALLOC_DIRTY_TRACKING;
	struct vtd_unit *unit = to_vtd_device(dev)->unit;
	bool dirty = flags & IOMMU_HWPT_ALLOC_DIRTY_TRACKING;
	bool nest = flags & IOMMU_HWPT_ALLOC_NEST_PARENT;
	const char *lacks = nest ? vtd_unit_lacks_nesting(unit) : NULL;
	struct vtd_domain *domain;

	if (flags & ~known || data)
		return ERR_PTR(iommufd_refuse(-EOPNOTSUPP,
					      "%s: no such page table (flags %#x%s)",
					      dev_name(dev), flags,
					      data ? ", with data" : ""));
	if (lacks)
		return ERR_PTR(iommufd_refuse(-EOPNOTSUPP,
					      "%s of %s has no nested page tables: %s",
					      unit->x86.name, dev_name(dev), lacks));
	if (flags & IOMMU_HWPT_ALLOC_PASID && !unit->x86.iommu.max_pasids)
		return ERR_PTR(iommufd_refuse(-EOPNOTSUPP,
					      "%s, the IOMMU of %s, has no PASIDs",
					      unit->x86.name, dev_name(dev)));
	if (dirty && !vtd_unit_records_writes(unit))
		return ERR_PTR(iommufd_refuse(-EOPNOTSUPP,
					      "%s, the IOMMU of %s, does not record what devices write",
					      unit->x86.name, dev_name(dev)));
	domain = vtd_domain_alloc(unit, dirty);
	if (IS_ERR(domain))
		return ERR_PTR(iommufd_refuse(PTR_ERR(domain),
					      "no memory for a page table"));
	domain->nest_parent = nest;
	return &domain->domain;
}

static struct iommu_domain *
vtd_iommufd_alloc_nested(struct device *dev, struct iommu_domain *parent,
			 u32 flags, const struct iommu_user_data *data)
{
	return vtd_nested_alloc(dev, parent, NULL, flags, data);
}

static unsigned int vtd_iommufd_windows(struct iommu_domain *domain,
					struct iommufd_window *out)
{
	out->first = 0;
	out->last = domain->geometry.aperture_end;
	out->pgsizes = domain->pgsize_bitmap;
	return 1;
}

static int vtd_iommufd_map(struct iommu_domain *domain, unsigned long iova,
			   const struct iommufd_run *runs, unsigned int nr,
			   int prot, unsigned long pgsizes, size_t *mapped)
{
	int rc;

	*mapped = 0;
	/* see the erratum below: it would not stay read-only */
	if (to_vtd_domain(domain)->nest_parent && !(prot & IOMMU_WRITE))
		return iommufd_refuse(-EINVAL,
				      "0x%lx is mapped read-only, which a unit with erratum 772415 does not respect under a nested table",
				      iova);
	/* the same, by two names */
	static_assert(sizeof(struct iommufd_run) == sizeof(struct pt_run));
	static_assert(offsetof(struct iommufd_run, len) ==
		      offsetof(struct pt_run, len));
	rc = vtd_domain_map(to_vtd_domain(domain), iova,
			    (const struct pt_run *)runs, nr, prot, pgsizes,
			    mapped);
	if (rc)
		iommufd_refuse(rc, rc == -ENOMEM ?
			       "no memory for page tables at 0x%lx" :
			       "the table cannot hold what was mapped at 0x%lx",
			       iova);
	return rc;
}

static int hw_info_vtd(const struct vtd_unit *unit, struct iommufd_hw_data *out)
{
	struct iommu_hw_info_vtd *info = kzalloc(sizeof(*info), GFP_KERNEL);

	if (!info)
		return iommufd_refuse(-ENOMEM, "no memory for what the IOMMU is");
	/*
	 * Some units that nest write through what the parent has read-only, and
	 * no register tells which.
	 */
	if (unit->ecap & VTD_ECAP_NEST)
		info->flags = IOMMU_HW_INFO_VTD_ERRATA_772415_SPR17;
	info->cap_reg = unit->cap;
	info->ecap_reg = unit->ecap;
	out->type = IOMMU_HW_INFO_TYPE_INTEL_VTD;
	out->len = sizeof(*info);
	out->data = info;
	return 0;
}

/* What entries of a guest may make use of: see vtd_stage1_lacks(). */
static int hw_info_guest(const struct vtd_unit *unit, struct iommufd_hw_data *out)
{
	const char *lacks = vtd_unit_lacks_nesting(unit);
	struct iommu_ext_hw_info_vtd *info;

	if (lacks)
		return iommufd_refuse(-EOPNOTSUPP,
				      "%s has nothing to show to a guest: %s",
				      unit->x86.name, lacks);
	info = kzalloc(sizeof(*info), GFP_KERNEL);
	if (!info)
		return iommufd_refuse(-ENOMEM, "no memory for what a guest is shown");
	info->cap = unit->cap & (VTD_CAP_FS1GP | VTD_CAP_FS5LP);
	info->ecap = unit->ecap & (VTD_ECAP_SRS | VTD_ECAP_EAFS |
				   VTD_ECAP_SMPWCS | VTD_ECAP_SC);
	out->type = IOMMU_EXT_HW_INFO_VTD;
	out->len = sizeof(*info);
	out->data = info;
	return 0;
}

static int vtd_iommufd_hw_info(struct device *dev, u32 type,
			       struct iommufd_hw_data *out)
{
	const struct vtd_unit *unit = to_vtd_device(dev)->unit;

	switch (type) {
	case IOMMU_HW_INFO_TYPE_DEFAULT:
	case IOMMU_HW_INFO_TYPE_INTEL_VTD:
		return hw_info_vtd(unit, out);
	case IOMMU_EXT_HW_INFO_VTD:
		return hw_info_guest(unit, out);
	default:
		return iommufd_refuse(-EOPNOTSUPP,
				      "the IOMMU of %s is an Intel VT-d unit, it has no information of type %#x",
				      dev_name(dev), type);
	}
}

static u64 vtd_iommufd_capabilities(struct device *dev)
{
	const struct vtd_device *vdev = to_vtd_device(dev);

	return (vtd_unit_records_writes(vdev->unit) ?
		IOMMU_HW_CAP_DIRTY_TRACKING : 0) |
	       (vdev->ats ? 0 : IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED);
}

/* Units that are alike walk each other's tables, and see the same in them. */
static bool vtd_iommufd_shares_tables(struct device *a, struct device *b)
{
	const struct vtd_unit *unit_a = to_vtd_device(a)->unit;
	const struct vtd_unit *unit_b = to_vtd_device(b)->unit;

	return unit_a->cap == unit_b->cap && unit_a->ecap == unit_b->ecap;
}

const struct iommufd_driver_ops vtd_iommufd_ops = {
	.name = "iommu_vtd",
	.owner = THIS_MODULE,
	.iommu_ops = &vtd_iommu_ops,
	.hw_info = vtd_iommufd_hw_info,
	.capabilities = vtd_iommufd_capabilities,
	.alloc_paging = vtd_iommufd_alloc,
	.alloc_nested = vtd_iommufd_alloc_nested,
	.invalidate = vtd_nested_invalidate,
	.windows = vtd_iommufd_windows,
	.map = vtd_iommufd_map,
	.unmap = vtd_domain_unmap,
	.set_dirty = vtd_set_dirty,
	.read_dirty = vtd_read_dirty,
	.shares_tables = vtd_iommufd_shares_tables,
	.viommu_init = vtd_viommu_init,
	.replace_pasid = vtd_replace_pasid,
	.enable_faults = x86_enable_faults,
	.disable_faults = x86_disable_faults,
	.page_response = x86_answer_fault,
};

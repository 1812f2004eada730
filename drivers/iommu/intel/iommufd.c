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
	struct vtd_domain *domain;

	if (flags || data)
		return ERR_PTR(iommufd_refuse(-EOPNOTSUPP,
					      "%s: no such page table (flags %#x%s)",
					      dev_name(dev), flags,
					      data ? ", with data" : ""));
	domain = vtd_domain_alloc(to_vtd_device(dev)->unit);
	if (IS_ERR(domain))
		return ERR_PTR(iommufd_refuse(PTR_ERR(domain),
					      "no memory for a page table"));
	return &domain->domain;
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

static int vtd_iommufd_hw_info(struct device *dev, u32 type,
			       struct iommufd_hw_data *out)
{
	const struct vtd_unit *unit = to_vtd_device(dev)->unit;
	struct iommu_hw_info_vtd *info;

	if (type != IOMMU_HW_INFO_TYPE_DEFAULT &&
	    type != IOMMU_HW_INFO_TYPE_INTEL_VTD)
		return iommufd_refuse(-EOPNOTSUPP,
				      "the IOMMU of %s is an Intel VT-d unit, it has no information of type %u",
				      dev_name(dev), type);
	info = kzalloc(sizeof(*info), GFP_KERNEL);
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

static u64 vtd_iommufd_capabilities(struct device *dev)
{
	return 0;
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
	.windows = vtd_iommufd_windows,
	.map = vtd_iommufd_map,
	.unmap = vtd_domain_unmap,
	.shares_tables = vtd_iommufd_shares_tables,
};

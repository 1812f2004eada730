// SPDX-License-Identifier: GPL-2.0-only
/*
 * The adapter for IOMMU drivers that are part of the running kernel and know
 * nothing of this module. It calls what their iommu_ops and the IOMMU core
 * export, and refuses what cannot be had that way.
 */
#include <linux/bitfield.h>
#include <linux/device.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pci-ats.h>
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "hw.h"

static const struct iommu_ops *builtin_iommu_ops(struct device *dev)
{
	return dev->iommu->iommu_dev->ops;
}

static int builtin_hw_info(struct device *dev, u32 type,
			   struct iommufd_hw_data *out)
{
	const struct iommu_ops *ops = builtin_iommu_ops(dev);
	void *data;

	if (ops->hw_info) {
		data = ops->hw_info(dev, &out->len, &out->type);
		if (IS_ERR(data))
			return iommufd_refuse(PTR_ERR(data),
					      "the kernel's IOMMU driver of %s failed to describe its hardware",
					      dev_name(dev));
		out->data = data;
	}
	if (type != IOMMU_HW_INFO_TYPE_DEFAULT && type != out->type) {
		kfree(out->data);
		out->data = NULL;
		return iommufd_refuse(-EOPNOTSUPP,
				      "the IOMMU of %s has information of type %u, not of type %u",
				      dev_name(dev), out->type, type);
	}
	return 0;
}

/*
 * Dirty tracking is not among them: on a kernel built without its own iommufd
 * the bitmap that a built-in driver fills in is compiled away, and nothing
 * would ever be reported dirty.
 */
static u64 builtin_capabilities(struct device *dev)
{
	u64 caps = 0;

	if (dev_is_pci(dev) && !pci_ats_supported(to_pci_dev(dev)))
		caps |= IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED;
	return caps;
}

/**
 * hw_builtin_has_tables - whether the kernel's driver makes page tables at all
 * @dev: a device with an IOMMU
 *
 * Return: false where the driver only knows how to block devices and how to give
 *	   them back, as that of POWER
 */
bool hw_builtin_has_tables(struct device *dev)
{
	const struct iommu_ops *ops = builtin_iommu_ops(dev);

	return ops->domain_alloc || ops->domain_alloc_paging ||
	       ops->domain_alloc_user;
}

static struct iommu_domain *refuse_domain(struct device *dev, const char *what)
{
	return ERR_PTR(iommufd_refuse(-EOPNOTSUPP,
				      "the kernel's IOMMU driver of %s has no %s",
				      dev_name(dev), what));
}

/* What the IOMMU core would fill in for a domain that it allocated. */
static void builtin_complete(struct device *dev, struct iommu_domain *domain,
			     unsigned int type)
{
	const struct iommu_ops *ops = builtin_iommu_ops(dev);

	domain->ops = domain->ops ?: ops->default_domain_ops;
	domain->owner = ops;
	domain->type = type;
	domain->pgsize_bitmap = domain->pgsize_bitmap ?: ops->pgsize_bitmap;
}

/*
 * The kernel's VT-d driver gives a new domain the widest aperture there is, and
 * finds out when something is mapped or attached that the unit has fewer
 * address bits. The user is told the truth at once instead: MGAW in the
 * capability register (VT-d specification, 11.4.2, bits 21:16) is the width
 * less one.
 */
static void builtin_narrow(struct device *dev, struct iommu_domain *domain)
{
	struct iommufd_hw_data info = {};
	struct iommu_hw_info_vtd *vtd;
	unsigned int width;

	if (builtin_hw_info(dev, IOMMU_HW_INFO_TYPE_DEFAULT, &info))
		return;
	if (info.type == IOMMU_HW_INFO_TYPE_INTEL_VTD &&
	    info.len >= sizeof(*vtd)) {
		vtd = info.data;
		width = FIELD_GET(GENMASK_ULL(21, 16), vtd->cap_reg) + 1;
		domain->geometry.aperture_end =
			min_t(u64, domain->geometry.aperture_end,
			      GENMASK_ULL(width - 1, 0));
	}
	kfree(info.data);
}

/* Drivers of 6.12 do not ask what a domain is for; their operations tell. */
static struct iommu_domain *builtin_for_pasids(struct device *dev,
					       struct iommu_domain *domain,
					       u32 flags)
{
	if (!(flags & IOMMU_HWPT_ALLOC_PASID) || domain->ops->set_dev_pasid)
		return domain;
	iommu_domain_free(domain);
	return refuse_domain(dev, "page tables of this kind for PASIDs");
}

static struct iommu_domain *builtin_alloc_paging(struct device *dev, u32 flags,
						 const struct iommu_user_data *data)
{
	const struct iommu_ops *ops = builtin_iommu_ops(dev);
	struct iommu_domain *domain;

	if (data)
		return refuse_domain(dev, "driver data for page tables");
	if ((flags & IOMMU_HWPT_ALLOC_PASID) && !dev->iommu->iommu_dev->max_pasids)
		return refuse_domain(dev, "PASIDs in this hardware or this mode");
	if (flags & IOMMU_HWPT_ALLOC_NEST_PARENT) {
		if (!ops->domain_alloc_user)
			return refuse_domain(dev, "nesting parents");
		domain = ops->domain_alloc_user(dev, flags & ~IOMMU_HWPT_ALLOC_PASID,
						NULL, NULL);
		if (IS_ERR(domain))
			return PTR_ERR(domain) == -EOPNOTSUPP ?
			       refuse_domain(dev, "nested translation in this hardware") :
			       ERR_PTR(iommufd_refuse(PTR_ERR(domain),
						      "the kernel's IOMMU driver of %s made no nesting parent",
						      dev_name(dev)));
		builtin_complete(dev, domain, IOMMU_DOMAIN_UNMANAGED);
	} else {
		domain = iommu_paging_domain_alloc(dev);
		if (IS_ERR(domain)) {
			iommufd_refuse(PTR_ERR(domain),
				       "the kernel's IOMMU driver of %s made no page table",
				       dev_name(dev));
			return domain;
		}
	}
	builtin_narrow(dev, domain);
	return builtin_for_pasids(dev, domain, flags);
}

static struct iommu_domain *builtin_alloc_nested(struct device *dev,
						 struct iommu_domain *parent,
						 u32 flags,
						 const struct iommu_user_data *data)
{
	const struct iommu_ops *ops = builtin_iommu_ops(dev);
	struct iommu_domain *domain;

	if (!ops->domain_alloc_user)
		return refuse_domain(dev, "nested page tables");
	domain = ops->domain_alloc_user(dev, flags & ~IOMMU_HWPT_ALLOC_PASID,
					parent, data);
	if (IS_ERR(domain)) {
		iommufd_refuse(PTR_ERR(domain),
			       "the kernel's IOMMU driver of %s refused the nested page table of type %u",
			       dev_name(dev), data->type);
		return domain;
	}
	builtin_complete(dev, domain, IOMMU_DOMAIN_NESTED);
	if (!domain->ops || domain->ops->map_pages) {
		iommu_domain_free(domain);
		return refuse_domain(dev, "nested page tables");
	}
	return builtin_for_pasids(dev, domain, flags);
}

static int builtin_invalidate(struct iommu_domain *nested,
			      struct iommu_user_data_array *array)
{
	int rc;

	if (!nested->ops->cache_invalidate_user) {
		array->entry_num = 0;
		return iommufd_refuse(-EOPNOTSUPP,
				      "the kernel's IOMMU driver takes no invalidations");
	}
	rc = nested->ops->cache_invalidate_user(nested, array);
	if (rc)
		iommufd_refuse(rc, "the kernel's IOMMU driver stopped after %u invalidations of type %u",
			       array->entry_num, array->type);
	return rc;
}

static unsigned int builtin_windows(struct iommu_domain *domain,
				    struct iommufd_window *out)
{
	out->first = domain->geometry.aperture_start;
	out->last = domain->geometry.aperture_end;
	out->pgsizes = domain->pgsize_bitmap;
	return 1;
}

/*
 * The largest leaf that fits at both addresses and in @len, and how many of it
 * follow each other before an even larger one could begin. A driver may join as
 * many as fill one of its larger leaves, so where those are not wanted it never
 * gets that many at once.
 */
static size_t leaf_size(const struct iommu_domain *domain,
			unsigned long pgsizes, unsigned long iova,
			phys_addr_t phys, size_t len, size_t *count)
{
	unsigned long unwanted = domain->pgsize_bitmap & ~pgsizes;
	unsigned long fit, next, size;

	fit = pgsizes & GENMASK(__fls(len), 0);
	if (iova | phys)
		fit &= GENMASK(__ffs(iova | phys), 0);
	if (!fit)
		return 0;
	size = 1UL << __fls(fit);
	*count = len / size;
	next = pgsizes & ~GENMASK(__fls(fit), 0);
	if (next) {
		next &= -next;
		/* Only if both addresses reach the larger boundary together. */
		if (!((iova ^ phys) & (next - 1)) && len > next - (iova & (next - 1)))
			*count = min(*count, (next - (iova & (next - 1))) / size);
	}
	unwanted &= ~GENMASK(__fls(fit), 0);
	if (unwanted)
		*count = min(*count, (1UL << __ffs(unwanted)) / size - 1);
	return size;
}

/*
 * A driver that fails in the middle may have mapped a part and not say so: VT-d
 * does when it runs out of memory for tables. Nothing to be done if not even
 * the first leaf is there; asked to unmap that, VT-d would go on behind the end.
 */
static void unmap_leftover(struct iommu_domain *domain, unsigned long iova,
			   phys_addr_t phys, size_t len)
{
	struct iommu_iotlb_gather gather;

	if (!len || iommu_iova_to_phys(domain, iova) != phys)
		return;
	iommu_iotlb_gather_init(&gather);
	iommu_unmap_fast(domain, iova, len, &gather);
	iommu_iotlb_sync(domain, &gather);
}

static int map_run(struct iommu_domain *domain, unsigned long iova,
		   const struct iommufd_run *run, int prot,
		   unsigned long pgsizes, size_t *mapped)
{
	phys_addr_t phys = run->phys;
	size_t len = run->len;

	while (len) {
		size_t count, size, done = 0;
		int rc;

		size = leaf_size(domain, pgsizes, iova, phys, len, &count);
		if (!size)
			return iommufd_refuse(-EINVAL,
					      "iova 0x%lx to 0x%llx fits no page size of 0x%lx",
					      iova, (u64)phys, pgsizes);
		rc = domain->ops->map_pages(domain, iova, phys, size, count,
					    prot, GFP_KERNEL_ACCOUNT, &done);
		*mapped += done;
		if (rc) {
			unmap_leftover(domain, iova + done, phys + done,
				       size * count - done);
			return iommufd_refuse(rc, "the kernel's IOMMU driver failed to map 0x%lx",
					      iova);
		}
		/* A driver may stop early without an error, but not at once. */
		if (!done)
			return iommufd_refuse(-EIO, "the kernel's IOMMU driver mapped nothing at 0x%lx",
					      iova);
		iova += done;
		phys += done;
		len -= done;
	}
	return 0;
}

static int builtin_map(struct iommu_domain *domain, unsigned long iova,
		       const struct iommufd_run *runs, unsigned int nr,
		       int prot, unsigned long pgsizes, size_t *mapped)
{
	unsigned long start = iova;
	unsigned int i;
	int rc = 0;

	*mapped = 0;
	for (i = 0; i < nr && !rc; i++)
		rc = map_run(domain, start + *mapped, &runs[i], prot, pgsizes,
			     mapped);
	return rc;
}

static int builtin_map_sync(struct iommu_domain *domain, unsigned long iova,
			    size_t len)
{
	int rc = 0;

	if (domain->ops->iotlb_sync_map)
		rc = domain->ops->iotlb_sync_map(domain, iova, len);
	if (rc)
		iommufd_refuse(rc, "the kernel's IOMMU driver failed to publish the map at 0x%lx",
			       iova);
	return rc;
}

static size_t builtin_unmap(struct iommu_domain *domain, unsigned long iova,
			    size_t len, struct iommu_iotlb_gather *gather)
{
	return iommu_unmap_fast(domain, iova, len, gather);
}

/*
 * Two VT-d units with the same registers differ in nothing that the kernel's
 * driver looks at when it attaches a domain. What the others compare is not to
 * be seen from here.
 */
static bool builtin_shares_tables(struct device *a, struct device *b)
{
	struct iommufd_hw_data info_a = {}, info_b = {};
	bool same = false;

	if (!builtin_hw_info(a, IOMMU_HW_INFO_TYPE_INTEL_VTD, &info_a) &&
	    !builtin_hw_info(b, IOMMU_HW_INFO_TYPE_INTEL_VTD, &info_b))
		same = info_a.len == info_b.len &&
		       !memcmp(info_a.data, info_b.data, info_a.len);
	kfree(info_a.data);
	kfree(info_b.data);
	return same;
}

const struct iommufd_driver_ops hw_builtin_ops = {
	.name = "builtin",
	.owner = THIS_MODULE,
	.hw_info = builtin_hw_info,
	.capabilities = builtin_capabilities,
	.alloc_paging = builtin_alloc_paging,
	.alloc_nested = builtin_alloc_nested,
	.invalidate = builtin_invalidate,
	.windows = builtin_windows,
	.map = builtin_map,
	.map_sync = builtin_map_sync,
	.unmap = builtin_unmap,
	.shares_tables = builtin_shares_tables,
};

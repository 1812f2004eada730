// SPDX-License-Identifier: GPL-2.0-only
/*
 * What iommufd asks of this driver.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pci-ats.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <uapi/linux/iommufd.h>

#include "tce.h"

static int tce_hw_info(struct device *dev, u32 type, struct iommufd_hw_data *out)
{
	struct iommu_ext_hw_info_tce *info;
	struct tce_group *group;

	if (type == IOMMU_HW_INFO_TYPE_DEFAULT)
		return 0;
	if (type != IOMMU_EXT_HW_INFO_TCE)
		return iommufd_refuse(-EOPNOTSUPP,
				      "the IOMMU of %s has no information of type 0x%x",
				      dev_name(dev), type);
	group = tce_group_get(dev);
	if (IS_ERR(group))
		return PTR_ERR(group);
	info = kzalloc(sizeof(*info), GFP_KERNEL_ACCOUNT);
	if (!info) {
		tce_group_put(group);
		return iommufd_refuse(-ENOMEM, "no memory to describe windows");
	}
	if (group->places[0].usable) {
		info->dma32_first = group->places[0].first;
		info->dma32_length = group->places[0].last -
				     group->places[0].first + 1;
		info->dma32_pgsizes = group->places[0].pgsizes;
	}
	if (group->places[1].usable) {
		info->dynamic_first = group->places[1].first;
		info->dynamic_length = group->places[1].last -
				       group->places[1].first + 1;
		info->dynamic_pgsizes = group->places[1].pgsizes;
	}
	info->max_levels = group->tg->max_levels;
	tce_group_put(group);
	out->type = type;
	out->len = sizeof(*info);
	out->data = info;
	return 0;
}

static u64 tce_capabilities(struct device *dev)
{
	if (dev_is_pci(dev) && !pci_ats_supported(to_pci_dev(dev)))
		return IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED;
	return 0;
}

static int check_flags(struct device *dev, u32 flags)
{
	if (flags)
		return iommufd_refuse(-EOPNOTSUPP,
				      "windows of TCEs, as the IOMMU of %s has, are no page tables with flags 0x%x",
				      dev_name(dev), flags);
	return 0;
}

static struct iommu_domain *tce_alloc_paging(struct device *dev, u32 flags,
					     const struct iommu_user_data *data)
{
	struct tce_window windows[TCE_WINDOWS];
	struct iommu_domain *domain;
	struct tce_group *group;
	unsigned int nr;
	int rc;

	rc = check_flags(dev, flags);
	if (rc)
		return ERR_PTR(rc);
	if (data)
		return ERR_PTR(iommufd_refuse(-EOPNOTSUPP,
					      "windows of TCEs take no driver data of this type"));
	group = tce_group_get(dev);
	if (IS_ERR(group))
		return ERR_CAST(group);
	nr = tce_default_windows(group, windows);
	if (nr)
		domain = tce_domain_alloc(dev, group, windows, nr);
	else
		domain = ERR_PTR(iommufd_refuse(-ENOSPC,
						"firmware makes no window for %s",
						dev_name(dev)));
	tce_group_put(group);
	return domain;
}

static int by_address(const void *a, const void *b)
{
	const struct tce_window *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

static struct iommu_domain *tce_alloc_windows(struct device *dev, u32 flags,
					      struct iommu_ext_window *wanted,
					      unsigned int nr)
{
	struct tce_window windows[TCE_WINDOWS];
	struct iommu_domain *domain;
	struct tce_group *group;
	unsigned int i;
	int rc;

	rc = check_flags(dev, flags);
	if (rc)
		return ERR_PTR(rc);
	group = tce_group_get(dev);
	if (IS_ERR(group))
		return ERR_CAST(group);
	rc = tce_wanted_windows(group, wanted, nr, windows);
	for (i = 0; i < nr && !rc; i++) {
		wanted[i].iova = windows[i].first;
		wanted[i].length = windows[i].last - windows[i].first + 1;
		wanted[i].pgsize = BIT_ULL(windows[i].shift);
		wanted[i].levels = windows[i].levels;
	}
	if (rc) {
		domain = ERR_PTR(rc);
	} else {
		sort(windows, nr, sizeof(*windows), by_address, NULL);
		domain = tce_domain_alloc(dev, group, windows, nr);
	}
	tce_group_put(group);
	return domain;
}

static int tce_device_windows(struct device *dev,
			      struct iommufd_device_windows *out)
{
	struct tce_window windows[TCE_WINDOWS];
	struct tce_group *group = tce_group_get(dev);
	unsigned int i;

	if (IS_ERR(group))
		return PTR_ERR(group);
	out->nr_defaults = tce_default_windows(group, windows);
	for (i = 0; i < out->nr_defaults; i++)
		out->defaults[i] = (struct iommufd_window){
			.first = windows[i].first,
			.last = windows[i].last,
			.pgsizes = BIT(windows[i].shift),
		};
	out->nr_places = tce_list_places(group, out->places);
	out->max_windows = out->nr_places;
	tce_group_put(group);
	return 0;
}

static unsigned int tce_windows(struct iommu_domain *domain,
				struct iommufd_window *out)
{
	struct tce_domain *td = to_tce_domain(domain);
	unsigned int i;

	for (i = 0; i < td->nr; i++)
		out[i] = (struct iommufd_window){
			.first = td->windows[i].first,
			.last = td->windows[i].last,
			.pgsizes = BIT(td->windows[i].shift),
		};
	return td->nr;
}

static int tce_map(struct iommu_domain *domain, unsigned long iova,
		   const struct iommufd_run *runs, unsigned int nr, int prot,
		   unsigned long pgsizes, size_t *mapped)
{
	return tce_domain_map(to_tce_domain(domain), iova, runs, nr, prot,
			      mapped);
}

static size_t tce_unmap(struct iommu_domain *domain, unsigned long iova,
			size_t len, struct iommu_iotlb_gather *gather)
{
	return tce_domain_unmap(to_tce_domain(domain), iova, len);
}

static bool tce_shares_tables(struct device *a, struct device *b)
{
	return tce_table_group(a) == tce_table_group(b);
}

static int tce_connect(struct iommu_domain *domain, struct device *dev)
{
	struct tce_domain *td = to_tce_domain(domain);

	if (!tce_group_has(td->group, dev))
		return -EINVAL;
	return tce_group_connect(td);
}

static void tce_disconnect(struct iommu_domain *domain, struct device *dev)
{
	tce_group_disconnect(to_tce_domain(domain));
}

/* The key is found when the module is loaded. */
struct iommufd_driver_ops tce_driver_ops = {
	.name = "tce",
	.owner = THIS_MODULE,
	/* Hardware or hypervisor tell by whom an interrupt was raised. */
	.msi_isolated = true,
	.hw_info = tce_hw_info,
	.capabilities = tce_capabilities,
	.alloc_paging = tce_alloc_paging,
	.windows = tce_windows,
	.map = tce_map,
	.unmap = tce_unmap,
	.shares_tables = tce_shares_tables,
	.device_windows = tce_device_windows,
	.alloc_windows = tce_alloc_windows,
	.connect = tce_connect,
	.disconnect = tce_disconnect,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module as the IOMMU core sees it. How it comes and goes is in ../x86/module.c.
 */
#include <linux/module.h>
#include <linux/sysfs.h>

#include "amdvi.h"

static const struct iommu_domain_ops pass_through_ops = {
	.attach_dev = amdvi_attach_pass_through,
};

static const struct iommu_domain_ops blocked_ops = {
	.attach_dev = amdvi_attach_blocked,
};

static struct iommu_domain pass_through_domain = {
	.type = IOMMU_DOMAIN_IDENTITY,
	.ops = &pass_through_ops,
};

static struct iommu_domain blocked_domain = {
	.type = IOMMU_DOMAIN_BLOCKED,
	.ops = &blocked_ops,
};

/* Leaves say that DMA is coherent, whatever a device asks for. */
static bool amdvi_capable(struct device *dev, enum iommu_cap cap)
{
	return cap == IOMMU_CAP_CACHE_COHERENCY ||
	       cap == IOMMU_CAP_ENFORCE_CACHE_COHERENCY;
}

const struct iommu_ops amdvi_iommu_ops = {
	.owner = THIS_MODULE,
	.capable = amdvi_capable,
	.probe_device = amdvi_probe_device,
	.release_device = amdvi_release_device,
	.device_group = amdvi_device_group,
	.get_resv_regions = amdvi_resv_regions,
	.domain_alloc_paging = amdvi_domain_alloc_paging,
	.remove_dev_pasid = amdvi_remove_dev_pasid,
	.identity_domain = &pass_through_domain,
	.blocked_domain = &blocked_domain,
	.default_domain = &pass_through_domain,
	.pgsize_bitmap = SZ_4K,
};

static struct amdvi_unit *unit_of_sysfs(struct device *dev)
{
	return to_amdvi_unit(container_of(dev_to_iommu_device(dev), struct x86_unit,
					  iommu));
}

/* What the kernel's own driver shows too, so that tools find it at the same place. */
static ssize_t cap_show(struct device *dev, struct device_attribute *attr,
			char *buf)
{
	return sysfs_emit(buf, "%x\n", unit_of_sysfs(dev)->cap);
}
static DEVICE_ATTR_RO(cap);

static ssize_t features_show(struct device *dev, struct device_attribute *attr,
			     char *buf)
{
	const struct amdvi_unit *unit = unit_of_sysfs(dev);

	return sysfs_emit(buf, "%llx:%llx\n", unit->efr2, unit->efr);
}
static DEVICE_ATTR_RO(features);

static ssize_t address_show(struct device *dev, struct device_attribute *attr,
			    char *buf)
{
	return sysfs_emit(buf, "%llx\n", unit_of_sysfs(dev)->ivrs->base);
}
static DEVICE_ATTR_RO(address);

static struct attribute *amdvi_attrs[] = {
	&dev_attr_cap.attr,
	&dev_attr_features.attr,
	&dev_attr_address.attr,
	NULL,
};

static const struct attribute_group amdvi_group = {
	.name = "amd-iommu",
	.attrs = amdvi_attrs,
};

static const struct attribute_group *amdvi_groups[] = { &amdvi_group, NULL };

const struct x86_driver x86_driver = {
	.name = "iommu_amdvi",
	.iommu_ops = &amdvi_iommu_ops,
	.iommufd_ops = &amdvi_iommufd_ops,
	.groups = amdvi_groups,
	.find = amdvi_find,
	.forget = amdvi_forget,
	.enable = amdvi_enable,
	.remove = amdvi_remove,
	.unit_of = amdvi_unit_of,
	.passed_through = amdvi_passed_through,
	.obstacle = amdvi_interrupts_obstacle,
	.isolate = amdvi_interrupts_init,
	.adopt = amdvi_interrupts_adopt,
	.abandon = amdvi_interrupts_abandon,
	.stop_isolating = amdvi_interrupts_fini,
	.requests = &amdvi_request_ops,
};

MODULE_DESCRIPTION("AMD-Vi");

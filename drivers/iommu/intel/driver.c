// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module as the IOMMU core sees it, and what firmware tells it. How it comes and
 * goes is in ../x86/module.c.
 */
#include <linux/acpi.h>
#include <linux/module.h>
#include <linux/sysfs.h>

#include "vtd.h"

struct dmar_table vtd_dmar;

static const struct iommu_domain_ops pass_through_ops = {
	.attach_dev = vtd_attach_pass_through,
};

static const struct iommu_domain_ops blocked_ops = {
	.attach_dev = vtd_attach_blocked,
};

static struct iommu_domain pass_through_domain = {
	.type = IOMMU_DOMAIN_IDENTITY,
	.ops = &pass_through_ops,
};

static struct iommu_domain blocked_domain = {
	.type = IOMMU_DOMAIN_BLOCKED,
	.ops = &blocked_ops,
};

static bool vtd_capable(struct device *dev, enum iommu_cap cap)
{
	const struct vtd_unit *unit = to_vtd_device(dev)->unit;

	switch (cap) {
	case IOMMU_CAP_CACHE_COHERENCY:
		return true;
	case IOMMU_CAP_ENFORCE_CACHE_COHERENCY:
		return unit->ecap & VTD_ECAP_SC && !unit->scalable;
	default:
		return false;
	}
}

const struct iommu_ops vtd_iommu_ops = {
	.owner = THIS_MODULE,
	.capable = vtd_capable,
	.probe_device = vtd_probe_device,
	.release_device = vtd_release_device,
	.device_group = pci_device_group,
	.get_resv_regions = vtd_resv_regions,
	.domain_alloc_paging = vtd_domain_alloc_paging,
	.remove_dev_pasid = vtd_remove_dev_pasid,
	.identity_domain = &pass_through_domain,
	.blocked_domain = &blocked_domain,
	.default_domain = &pass_through_domain,
	.pgsize_bitmap = SZ_4K,
};

/* What the kernel's own driver shows too, so that tools find it at the same place. */
static ssize_t cap_show(struct device *dev, struct device_attribute *attr,
			char *buf)
{
	struct vtd_unit *unit = to_vtd_unit(dev_to_iommu_device(dev));

	return sysfs_emit(buf, "%llx\n", unit->cap);
}
static DEVICE_ATTR_RO(cap);

static ssize_t ecap_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	struct vtd_unit *unit = to_vtd_unit(dev_to_iommu_device(dev));

	return sysfs_emit(buf, "%llx\n", unit->ecap);
}
static DEVICE_ATTR_RO(ecap);

static ssize_t address_show(struct device *dev, struct device_attribute *attr,
			    char *buf)
{
	struct vtd_unit *unit = to_vtd_unit(dev_to_iommu_device(dev));

	return sysfs_emit(buf, "%llx\n", unit->dmar->base);
}
static DEVICE_ATTR_RO(address);

static struct attribute *vtd_attrs[] = {
	&dev_attr_cap.attr,
	&dev_attr_ecap.attr,
	&dev_attr_address.attr,
	NULL,
};

static const struct attribute_group vtd_group = {
	.name = "intel-iommu",
	.attrs = vtd_attrs,
};

static const struct attribute_group *vtd_groups[] = { &vtd_group, NULL };

static int read_dmar(void)
{
	struct acpi_table_header *header;
	char why[DMAR_WHY];
	acpi_status status;
	int rc;

	status = acpi_get_table(ACPI_SIG_DMAR, 0, &header);
	if (ACPI_FAILURE(status)) {
		pr_err("iommu_vtd: firmware has no DMAR table: there is no VT-d, or it is switched off there\n");
		return -ENODEV;
	}
	rc = dmar_parse(&vtd_dmar, header, header->length, why);
	if (rc && why[0])
		pr_err("iommu_vtd: the DMAR table is refused: %s\n", why);
	acpi_put_table(header);
	return rc;
}

static int vtd_find(void)
{
	const struct dmar_unit *dmar;
	unsigned int i = 0;
	int rc;

	INIT_LIST_HEAD(&vtd_dmar.units);
	INIT_LIST_HEAD(&vtd_dmar.reserved);
	INIT_LIST_HEAD(&vtd_dmar.ats);
	rc = read_dmar();
	if (rc)
		return rc;
	list_for_each_entry(dmar, &vtd_dmar.units, link) {
		rc = vtd_unit_add(dmar, i++);
		if (rc)
			return rc;
	}
	return 0;
}

static void vtd_forget_dmar(void)
{
	if (vtd_dmar.units.next)
		dmar_free(&vtd_dmar);
}

static struct x86_unit *unit_of(struct pci_dev *pdev)
{
	struct vtd_unit *unit = vtd_unit_of(pdev);

	return unit ? &unit->x86 : NULL;
}

const struct x86_driver x86_driver = {
	.name = "iommu_vtd",
	.iommu_ops = &vtd_iommu_ops,
	.iommufd_ops = &vtd_iommufd_ops,
	.groups = vtd_groups,
	.find = vtd_find,
	.forget = vtd_forget_dmar,
	.enable = vtd_unit_enable,
	.remove = vtd_unit_remove,
	.unit_of = unit_of,
	.passed_through = vtd_passed_through,
	.obstacle = vtd_interrupts_obstacle,
	.isolate = vtd_interrupts_init,
	.adopt = vtd_interrupts_adopt,
	.abandon = vtd_interrupts_abandon,
	.stop_isolating = vtd_interrupts_fini,
	.requests = &vtd_request_ops,
};

MODULE_DESCRIPTION("Intel VT-d");

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module: finds the units, claims all of them or none, and registers them
 * with the IOMMU core and iommufd.
 */
#include <linux/acpi.h>
#include <linux/iommufd_driver.h>
#include <linux/module.h>
#include <linux/sysfs.h>

#include "vtd.h"

struct dmar_table vtd_dmar;
static bool registered;

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

static void remove_units(void)
{
	struct vtd_unit *unit, *next;

	list_for_each_entry_safe(unit, next, &vtd_units, link) {
		if (unit->iommu.ops) {
			iommu_device_unregister(&unit->iommu);
			iommu_device_sysfs_remove(&unit->iommu);
		}
	}
	list_for_each_entry_safe(unit, next, &vtd_units, link)
		vtd_unit_remove(unit);
}

static int add_units(void)
{
	const struct dmar_unit *dmar;
	struct vtd_unit *unit;
	unsigned int i = 0;
	int rc;

	list_for_each_entry(dmar, &vtd_dmar.units, link) {
		rc = vtd_unit_add(dmar, i++);
		if (rc)
			return rc;
	}
	list_for_each_entry(unit, &vtd_units, link) {
		rc = vtd_unit_enable(unit);
		if (rc)
			return rc;
	}
	return 0;
}

static int register_units(void)
{
	struct vtd_unit *unit;
	int rc;

	list_for_each_entry(unit, &vtd_units, link) {
		rc = iommu_device_sysfs_add(&unit->iommu, NULL, vtd_groups,
					    "%s", unit->name);
		if (rc)
			return rc;
		rc = iommu_device_register(&unit->iommu, &vtd_iommu_ops, NULL);
		if (rc) {
			iommu_device_sysfs_remove(&unit->iommu);
			unit->iommu.ops = NULL;
			return rc;
		}
	}
	return 0;
}

static void vtd_stop(void)
{
	remove_units();
	if (registered)
		iommufd_unregister_driver(&vtd_iommufd_ops);
	dmar_free(&vtd_dmar);
}

static int __init vtd_init(void)
{
	int rc;

	INIT_LIST_HEAD(&vtd_dmar.units);
	INIT_LIST_HEAD(&vtd_dmar.reserved);
	rc = read_dmar();
	if (!rc)
		rc = iommufd_register_driver(&vtd_iommufd_ops);
	registered = !rc;
	if (!rc)
		rc = add_units();
	if (!rc)
		rc = register_units();
	if (rc)
		vtd_stop();
	return rc;
}
module_init(vtd_init);

static void __exit vtd_exit(void)
{
	vtd_stop();
}
module_exit(vtd_exit);

MODULE_DESCRIPTION("Intel VT-d");
MODULE_LICENSE("GPL");

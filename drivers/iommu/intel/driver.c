// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module: finds the units, claims all of them or none, and registers them
 * with the IOMMU core and iommufd.
 */
#include <linux/acpi.h>
#include <linux/debugfs.h>
#include <linux/iommufd_driver.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/sysfs.h>

#include "vtd.h"

struct dmar_table vtd_dmar;
struct dentry *vtd_debugfs;

static bool strict_interrupts;
module_param(strict_interrupts, bool, 0444);
MODULE_PARM_DESC(strict_interrupts,
		 "Isolate interrupts, though IOAPICs and HPETs lose theirs");

static bool rebind;
module_param(rebind, bool, 0644);
MODULE_PARM_DESC(rebind,
		 "Unbind drivers that have interrupts of the wrong kind, and bind them again");

/* Serializes the module's coming and going. */
static DEFINE_MUTEX(vtd_mutex);
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

static void adopt_all(struct vtd_unit *unit, bool adopt)
{
	struct pci_dev *pdev = NULL;

	for_each_pci_dev(pdev) {
		if (vtd_unit_of(pdev) != unit)
			continue;
		/* not while a driver takes some */
		device_lock(&pdev->dev);
		if (adopt)
			vtd_interrupts_adopt(unit, &pdev->dev);
		else
			vtd_interrupts_abandon(unit, &pdev->dev);
		device_unlock(&pdev->dev);
	}
}

/*
 * The way into isolation and out of it: drivers give interrupts of one kind back
 * before there are those of the other kind. A second look finds those who took some
 * meanwhile.
 */
static int isolate(struct vtd_unit *unit)
{
	int rc;

	rc = vtd_host_vacate(unit, rebind);
	if (rc)
		return rc;
	rc = vtd_interrupts_init(unit);
	if (rc)
		return rc;
	adopt_all(unit, true);
	return vtd_host_vacate(unit, rebind);
}

static int stop_isolating(struct vtd_unit *unit, bool unbind)
{
	int rc;

	if (!unit->interrupts)
		return 0;
	rc = vtd_host_vacate(unit, unbind);
	if (rc)
		return rc;
	adopt_all(unit, false);
	rc = vtd_host_vacate(unit, unbind);
	if (rc)
		adopt_all(unit, true);
	else
		vtd_interrupts_fini(unit);
	return rc;
}

/* Where nobody insists, a unit without isolation is better than none. */
static int isolate_if_possible(struct vtd_unit *unit)
{
	const char *obstacle = vtd_interrupts_obstacle(unit, strict_interrupts);
	int rc;

	if (obstacle && strict_interrupts) {
		pr_err("%s: interrupts cannot be isolated, which strict_interrupts=1 asks for: %s\n",
		       unit->name, obstacle);
		return -EOPNOTSUPP;
	}
	if (!obstacle) {
		rc = isolate(unit);
		if (!rc)
			pr_info("%s: interrupts are isolated%s\n", unit->name,
				strict_interrupts ?
				"; IOAPICs and HPETs have lost theirs" : "");
		if (rc != -EBUSY || strict_interrupts)
			return rc;
		adopt_all(unit, false);
		vtd_interrupts_fini(unit);
		obstacle = "devices have interrupts already";
	}
	pr_info("%s: interrupts are not isolated: %s\n", unit->name, obstacle);
	return 0;
}

static void remove_units(void)
{
	struct vtd_unit *unit, *next;

	/* has been done already, unless something went wrong on the way in */
	list_for_each_entry(unit, &vtd_units, link)
		stop_isolating(unit, true);

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
	list_for_each_entry(unit, &vtd_units, link) {
		rc = isolate_if_possible(unit);
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
	registered = false;
	dmar_free(&vtd_dmar);
	debugfs_remove(vtd_debugfs);
	vtd_debugfs = NULL;
	vtd_host_give_back();
}

/* Objects of iommufd outlive the devices that they were made for. */
static int close_units(void)
{
	struct vtd_unit *unit;
	unsigned int nr = 0;
	int rc;

	list_for_each_entry(unit, &vtd_units, link) {
		rc = vtd_host_close(unit);
		if (rc)
			return rc;
		nr += vtd_host_nr_devices(unit);
	}
	if (module_refcount(THIS_MODULE) > nr) {
		pr_err("iommu_vtd: a page table or another object of an open /dev/iommu is left\n");
		return -EBUSY;
	}
	list_for_each_entry(unit, &vtd_units, link) {
		rc = stop_isolating(unit, rebind);
		if (rc)
			return rc;
	}
	return 0;
}

static int vtd_leave(void)
{
	struct vtd_unit *unit;
	int rc;

	if (list_empty(&vtd_units))
		return -ENODEV;
	rc = vtd_host_note_devices();
	if (!rc)
		rc = close_units();
	if (rc) {
		pr_err("iommu_vtd: the devices are not released\n");
		list_for_each_entry(unit, &vtd_units, link)
			vtd_host_open(unit);
		vtd_host_evict_users();
		vtd_host_give_back();
		return rc;
	}
	list_for_each_entry(unit, &vtd_units, link)
		vtd_host_uncount_drivers(unit);
	vtd_stop();
	vtd_host_evict_users();
	pr_info("iommu_vtd: all devices are released, the module can be removed\n");
	return 0;
}

/*
 * The IOMMU core holds the module for each device that it knows, so that a module
 * with devices is never removed: they are released first.
 */
static int release_set(const char *value, const struct kernel_param *param)
{
	bool on;
	int rc = kstrtobool(value, &on);

	if (rc || !on)
		return rc;
	mutex_lock(&vtd_mutex);
	rc = vtd_leave();
	mutex_unlock(&vtd_mutex);
	return rc;
}

static const struct kernel_param_ops release_ops = { .set = release_set };
module_param_cb(release, &release_ops, NULL, 0200);
__MODULE_PARM_TYPE(release, "bool");
MODULE_PARM_DESC(release, "Let go of all devices, so that the module can be removed");

static int __init vtd_init(void)
{
	int rc;

	mutex_lock(&vtd_mutex);
	vtd_debugfs = debugfs_create_dir("iommu_vtd", NULL);
	INIT_LIST_HEAD(&vtd_dmar.units);
	INIT_LIST_HEAD(&vtd_dmar.reserved);
	INIT_LIST_HEAD(&vtd_dmar.ats);
	rc = read_dmar();
	if (!rc)
		rc = iommufd_register_driver(&vtd_iommufd_ops);
	registered = !rc;
	if (!rc)
		rc = add_units();
	if (!rc)
		rc = vtd_host_note_drivers();
	if (!rc)
		rc = register_units();
	if (rc) {
		vtd_stop();
	} else {
		vtd_host_count_drivers();
		vtd_host_give_back();
	}
	mutex_unlock(&vtd_mutex);
	return rc;
}
module_init(vtd_init);

static void __exit vtd_exit(void)
{
	mutex_lock(&vtd_mutex);
	vtd_stop();
	mutex_unlock(&vtd_mutex);
}
module_exit(vtd_exit);

MODULE_DESCRIPTION("Intel VT-d");
MODULE_LICENSE("GPL");

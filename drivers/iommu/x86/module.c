// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module with drivers of IOMMUs: claims all units or none, registers them with the
 * IOMMU core and iommufd, and lets go of them on demand.
 */
#include <linux/debugfs.h>
#include <linux/iommufd_driver.h>
#include <linux/module.h>
#include <linux/pci.h>

#include "x86.h"

LIST_HEAD(x86_units);
struct dentry *x86_debugfs;

static bool strict_interrupts;
module_param(strict_interrupts, bool, 0444);
MODULE_PARM_DESC(strict_interrupts,
		 "Isolate interrupts, whatever may lose its own by that, or do not load");

static bool rebind;
module_param(rebind, bool, 0644);
MODULE_PARM_DESC(rebind,
		 "Unbind drivers that have interrupts of the wrong kind, and bind them again");

/* Serializes the module's coming and going. */
static DEFINE_MUTEX(x86_mutex);
static bool registered;

static void adopt_all(struct x86_unit *unit, bool adopt)
{
	struct pci_dev *pdev = NULL;

	for_each_pci_dev(pdev) {
		if (x86_driver.unit_of(pdev) != unit)
			continue;
		/* not while a driver takes some */
		device_lock(&pdev->dev);
		if (adopt)
			x86_driver.adopt(unit, &pdev->dev);
		else
			x86_driver.abandon(unit, &pdev->dev);
		device_unlock(&pdev->dev);
	}
}

/*
 * The way into isolation and out of it: drivers give interrupts of one kind back
 * before there are those of the other kind. A second look finds those who took some
 * meanwhile.
 */
static int isolate(struct x86_unit *unit)
{
	int rc;

	rc = x86_host_vacate(unit, rebind);
	if (rc)
		return rc;
	unit->isolates = true;
	rc = x86_driver.isolate(unit);
	if (rc)
		return rc;
	adopt_all(unit, true);
	return x86_host_vacate(unit, rebind);
}

static void stop_unit(struct x86_unit *unit)
{
	x86_driver.stop_isolating(unit);
	unit->isolates = false;
}

static int stop_isolating(struct x86_unit *unit, bool unbind)
{
	int rc;

	if (!unit->isolates)
		return 0;
	rc = x86_host_vacate(unit, unbind);
	if (rc)
		return rc;
	adopt_all(unit, false);
	rc = x86_host_vacate(unit, unbind);
	if (rc)
		adopt_all(unit, true);
	else
		stop_unit(unit);
	return rc;
}

/* Where nobody insists, a unit without isolation is better than none. */
static int isolate_if_possible(struct x86_unit *unit)
{
	const char *obstacle = x86_driver.obstacle(unit, strict_interrupts);
	int rc;

	if (obstacle && strict_interrupts) {
		pr_err("%s: interrupts cannot be isolated, which strict_interrupts=1 asks for: %s\n",
		       unit->name, obstacle);
		return -EOPNOTSUPP;
	}
	if (!obstacle) {
		rc = isolate(unit);
		if (!rc)
			pr_info("%s: interrupts are isolated\n", unit->name);
		if (rc != -EBUSY || strict_interrupts)
			return rc;
		if (unit->isolates) {
			adopt_all(unit, false);
			stop_unit(unit);
		}
		obstacle = "devices have interrupts already";
	}
	pr_info("%s: interrupts are not isolated: %s\n", unit->name, obstacle);
	return 0;
}

static void remove_units(void)
{
	struct x86_unit *unit, *next;

	/* has been done already, unless something went wrong on the way in */
	list_for_each_entry(unit, &x86_units, link)
		stop_isolating(unit, true);

	list_for_each_entry_safe(unit, next, &x86_units, link) {
		if (unit->iommu.ops) {
			iommu_device_unregister(&unit->iommu);
			iommu_device_sysfs_remove(&unit->iommu);
		}
	}
	list_for_each_entry_safe(unit, next, &x86_units, link)
		x86_driver.remove(unit);
}

static int add_units(void)
{
	struct x86_unit *unit;
	int rc;

	rc = x86_driver.find();
	if (rc)
		return rc;
	list_for_each_entry(unit, &x86_units, link) {
		rc = x86_driver.enable(unit);
		if (rc)
			return rc;
	}
	list_for_each_entry(unit, &x86_units, link) {
		rc = isolate_if_possible(unit);
		if (rc)
			return rc;
	}
	return 0;
}

static int register_units(void)
{
	struct x86_unit *unit;
	int rc;

	list_for_each_entry(unit, &x86_units, link) {
		rc = iommu_device_sysfs_add(&unit->iommu, NULL, x86_driver.groups,
					    "%s", unit->name);
		if (rc)
			return rc;
		rc = iommu_device_register(&unit->iommu, x86_driver.iommu_ops, NULL);
		if (rc) {
			iommu_device_sysfs_remove(&unit->iommu);
			unit->iommu.ops = NULL;
			return rc;
		}
	}
	return 0;
}

static void stop_all(void)
{
	remove_units();
	if (registered)
		iommufd_unregister_driver(x86_driver.iommufd_ops);
	registered = false;
	x86_driver.forget();
	debugfs_remove(x86_debugfs);
	x86_debugfs = NULL;
	x86_host_give_back();
}

/* Objects of iommufd outlive the devices that they were made for. */
static int close_units(void)
{
	struct x86_unit *unit;
	unsigned int nr = 0;
	int rc;

	list_for_each_entry(unit, &x86_units, link) {
		rc = x86_host_close(unit);
		if (rc)
			return rc;
		nr += x86_host_nr_devices(unit);
	}
	if (module_refcount(THIS_MODULE) > nr) {
		pr_err("%s: a page table or another object of an open /dev/iommu is left\n",
		       x86_driver.name);
		return -EBUSY;
	}
	list_for_each_entry(unit, &x86_units, link) {
		rc = stop_isolating(unit, rebind);
		if (rc)
			return rc;
	}
	return 0;
}

static int leave(void)
{
	struct x86_unit *unit;
	int rc;

	if (list_empty(&x86_units))
		return -ENODEV;
	rc = x86_host_note_devices();
	if (!rc)
		rc = close_units();
	if (rc) {
		pr_err("%s: the devices are not released\n", x86_driver.name);
		list_for_each_entry(unit, &x86_units, link)
			x86_host_open(unit);
		x86_host_evict_users();
		x86_host_give_back();
		return rc;
	}
	list_for_each_entry(unit, &x86_units, link)
		x86_host_uncount_drivers(unit);
	stop_all();
	x86_host_evict_users();
	pr_info("%s: all devices are released, the module can be removed\n",
		x86_driver.name);
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
	mutex_lock(&x86_mutex);
	rc = leave();
	mutex_unlock(&x86_mutex);
	return rc;
}

static const struct kernel_param_ops release_ops = { .set = release_set };
module_param_cb(release, &release_ops, NULL, 0200);
__MODULE_PARM_TYPE(release, "bool");
MODULE_PARM_DESC(release, "Let go of all devices, so that the module can be removed");

static int __init x86_come(void)
{
	int rc;

	mutex_lock(&x86_mutex);
	x86_debugfs = debugfs_create_dir(x86_driver.name, NULL);
	rc = iommufd_register_driver(x86_driver.iommufd_ops);
	registered = !rc;
	if (!rc)
		rc = add_units();
	if (!rc)
		rc = x86_host_note_drivers();
	if (!rc)
		rc = register_units();
	if (rc) {
		stop_all();
	} else {
		x86_host_count_drivers();
		x86_host_give_back();
	}
	mutex_unlock(&x86_mutex);
	return rc;
}
module_init(x86_come);

static void __exit x86_go(void)
{
	mutex_lock(&x86_mutex);
	stop_all();
	mutex_unlock(&x86_mutex);
}
module_exit(x86_go);

MODULE_LICENSE("GPL");

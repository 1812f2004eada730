// SPDX-License-Identifier: GPL-2.0-only
/*
 * Letting go of all units, so that the module can be removed: the IOMMU core holds it
 * for each device that it has asked for.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "smmu.h"

/* A driver that hands devices to users does so whenever it likes. */
static bool is_for_users(struct device *dev)
{
	bool is;

	if (!dev_is_pci(dev))
		return false;
	device_lock(dev);
	is = device_is_bound(dev) && !pci_is_bridge(to_pci_dev(dev)) &&
	     to_pci_driver(dev->driver)->driver_managed_dma;
	device_unlock(dev);
	return is;
}

/* Hand no device out any more; fails if one is. */
static int close_unit(struct smmu_unit *unit)
{
	struct smmu_device *sdev;
	int rc = 0;

	mutex_lock(&unit->lock);
	unit->leaving = true;
	list_for_each_entry(sdev, &unit->devices, link) {
		if (sdev->passes)
			continue;
		dev_err(unit->dev, "%s is in use by a user\n", dev_name(sdev->dev));
		rc = -EBUSY;
	}
	mutex_unlock(&unit->lock);
	return rc;
}

static void reopen_units(struct list_head *units)
{
	struct smmu_unit *unit;

	list_for_each_entry(unit, units, link) {
		mutex_lock(&unit->lock);
		unit->leaving = false;
		mutex_unlock(&unit->lock);
	}
}

/*
 * The devices of all units, each held. What is done with them takes locks that are
 * held when a device is attached.
 */
static struct device **devices_of(struct list_head *units, unsigned int *nr)
{
	unsigned int room = 0, i = 0;
	struct smmu_device *sdev;
	struct smmu_unit *unit;
	struct device **devices;

	list_for_each_entry(unit, units, link) {
		mutex_lock(&unit->lock);
		room += list_count_nodes(&unit->devices);
		mutex_unlock(&unit->lock);
	}
	devices = kcalloc(room, sizeof(*devices), GFP_KERNEL);
	if (!devices)
		return NULL;
	list_for_each_entry(unit, units, link) {
		mutex_lock(&unit->lock);
		/* one that came meanwhile is found by its hold of the module */
		list_for_each_entry(sdev, &unit->devices, link)
			if (i < room)
				devices[i++] = get_device(sdev->dev);
		mutex_unlock(&unit->lock);
	}
	*nr = i;
	return devices;
}

static void devices_put(struct device **devices, unsigned int nr)
{
	while (nr--)
		put_device(devices[nr]);
	kfree(devices);
}

static int check_devices(struct device **devices, unsigned int nr)
{
	unsigned int i;
	int rc = 0;

	for (i = 0; i < nr; i++) {
		if (!is_for_users(devices[i]))
			continue;
		pr_err("iommu_smmuv3: %s is bound to %s: unbind it first\n",
		       dev_name(devices[i]), dev_driver_string(devices[i]));
		rc = -EBUSY;
	}
	/* objects of iommufd outlive the devices that they were made for */
	if (!rc && module_refcount(THIS_MODULE) > nr) {
		pr_err("iommu_smmuv3: a page table or another object of an open /dev/iommu is left\n");
		rc = -EBUSY;
	}
	return rc;
}

/*
 * Drivers use the groups of the devices that they are bound to. What the IOMMU core
 * does when they no longer are is done before the groups go; it does nothing then.
 */
static void uncount_drivers(struct device **devices, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		struct device *dev = devices[i];

		device_lock(dev);
		if (device_is_bound(dev) && dev->bus->dma_cleanup)
			dev->bus->dma_cleanup(dev);
		device_unlock(dev);
	}
}

/*
 * Those that were bound to such a driver while the groups went hold an empty one, of
 * which the IOMMU core would make the first device its own.
 */
static void evict_users(struct device **devices, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (!is_for_users(devices[i]))
			continue;
		dev_warn(devices[i], "is taken from %s, it has no IOMMU any more\n",
			 dev_driver_string(devices[i]));
		device_release_driver(devices[i]);
	}
}

/**
 * smmu_release - have nobody use a unit any more, and stop all of them
 * @units: all units; none is added meanwhile
 * @stop: unregisters a unit, and takes it off the list
 *
 * Every device is passed through before, and does DMA as if there were no unit then.
 *
 * Return: 0, or -EBUSY if somebody uses a device, could use one, or has a page table;
 *	   the log says who. Or -ENOMEM
 */
int smmu_release(struct list_head *units, void (*stop)(struct smmu_unit *unit))
{
	struct device **devices = NULL;
	struct smmu_unit *unit, *next;
	unsigned int nr;
	int rc = 0;

	list_for_each_entry(unit, units, link)
		rc = rc ?: close_unit(unit);
	if (!rc) {
		devices = devices_of(units, &nr);
		rc = devices ? check_devices(devices, nr) : -ENOMEM;
	}
	if (!rc) {
		uncount_drivers(devices, nr);
		list_for_each_entry_safe(unit, next, units, link)
			stop(unit);
		evict_users(devices, nr);
	} else {
		reopen_units(units);
	}
	if (devices)
		devices_put(devices, nr);
	return rc;
}

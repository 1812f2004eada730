// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's own drivers, while this one comes and goes under them.
 *
 * DMA goes on throughout: a device is passed through from the moment that its unit
 * translates until it does no more. Two things are left. The IOMMU core counts the
 * drivers that use a group, when they are bound; those that were bound before there
 * was a group are counted here, and all are uncounted before the groups go. And
 * message interrupts belong to the irq_domain that they were taken from: where
 * interrupts are remapped, a driver that has some has to give them back and take
 * others, which it does when it is bound anew.
 */
#include <linux/list.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "x86.h"

/**
 * struct host_device - a device to come back to
 * @link: in a list
 * @dev: held
 * @driver: what was bound to it, only to be compared
 */
struct host_device {
	struct list_head link;
	struct device *dev;
	const struct device_driver *driver;
};

/* Under the lock of the module's coming and going. */
static LIST_HEAD(taken);
static LIST_HEAD(bound);
static LIST_HEAD(behind);

static int remember(struct list_head *list, struct device *dev)
{
	struct host_device *host = kmalloc(sizeof(*host), GFP_KERNEL);

	if (!host)
		return -ENOMEM;
	host->dev = get_device(dev);
	host->driver = dev->driver;
	list_add_tail(&host->link, list);
	return 0;
}

static void forget(struct host_device *host)
{
	list_del(&host->link);
	put_device(host->dev);
	kfree(host);
}

static void forget_all(struct list_head *list)
{
	struct host_device *host, *next;

	list_for_each_entry_safe(host, next, list, link)
		forget(host);
}

/* From the first vector on until the driver is gone. */
static bool has_vectors(const struct pci_dev *pdev)
{
	return pdev->dev.msi.data;
}

/* Taking the driver of a bridge stops DMA below it. */
static bool is_below_vectors(const struct pci_dev *pdev)
{
	const struct pci_bus *bus;

	for (bus = pdev->bus; bus->self; bus = bus->parent)
		if (has_vectors(bus->self))
			return true;
	return false;
}

static int find_vectors(struct x86_unit *unit, struct list_head *list)
{
	struct pci_dev *pdev = NULL;
	int rc = 0;

	for_each_pci_dev(pdev) {
		if (x86_driver.unit_of(pdev) != unit ||
		    !(has_vectors(pdev) ||
		      (pdev->dev.driver && is_below_vectors(pdev))))
			continue;
		rc = remember(list, &pdev->dev);
		if (rc) {
			pci_dev_put(pdev);
			break;
		}
	}
	return rc;
}

/**
 * x86_host_vacate - have no device behind a unit use message interrupts
 * @unit: the unit
 * @rebind: take drivers from their devices for this, until x86_host_give_back()
 *
 * Return: 0, -ENOMEM, or -EBUSY if there are such devices; the log has their names
 */
int x86_host_vacate(struct x86_unit *unit, bool rebind)
{
	struct host_device *host, *next;
	LIST_HEAD(found);
	int rc;

	rc = find_vectors(unit, &found);
	if (!rc && !rebind) {
		list_for_each_entry(host, &found, link) {
			pr_err("%s: %s has interrupts, which its driver (%s) would lose: unbind it, or set rebind=1 to have it bound anew\n",
			       unit->name, dev_name(host->dev),
			       dev_driver_string(host->dev));
			rc = -EBUSY;
		}
	}
	if (rc || !rebind) {
		forget_all(&found);
		return rc;
	}
	/* bridges come before what is below them, in the list of devices */
	list_for_each_entry_safe_reverse(host, next, &found, link) {
		device_release_driver(host->dev);
		list_move(&host->link, &taken);
		if (has_vectors(to_pci_dev(host->dev))) {
			pr_err("%s: %s has interrupts, though no driver\n",
			       unit->name, dev_name(host->dev));
			rc = -EBUSY;
		}
	}
	return rc;
}

/**
 * x86_host_give_back - give devices to drivers again
 */
void x86_host_give_back(void)
{
	struct host_device *host, *next;

	list_for_each_entry_safe(host, next, &taken, link) {
		if (host->driver && device_attach(host->dev) <= 0)
			pr_warn("%s: %s has no driver any more, it was %s\n",
				x86_driver.name, dev_name(host->dev),
				host->driver->name);
		forget(host);
	}
	forget_all(&bound);
}

/**
 * x86_host_note_drivers - which drivers the IOMMU core cannot know of
 *
 * To be called before units are registered.
 *
 * Return: 0 or -ENOMEM
 */
int x86_host_note_drivers(void)
{
	struct pci_dev *pdev = NULL;
	int rc = 0;

	for_each_pci_dev(pdev) {
		if (!x86_driver.unit_of(pdev))
			continue;
		device_lock(&pdev->dev);
		if (device_is_bound(&pdev->dev))
			rc = remember(&bound, &pdev->dev);
		device_unlock(&pdev->dev);
		if (rc) {
			pci_dev_put(pdev);
			forget_all(&bound);
			break;
		}
	}
	return rc;
}

/**
 * x86_host_count_drivers - have the IOMMU core know of them
 *
 * What it does when a driver is bound is done for those that were bound before, so
 * that their groups are in use: nobody is given a device that shares one, and all
 * is in order when they are unbound.
 */
void x86_host_count_drivers(void)
{
	struct host_device *host, *next;

	list_for_each_entry_safe(host, next, &bound, link) {
		struct device *dev = host->dev;

		device_lock(dev);
		if (device_is_bound(dev) && dev->driver == host->driver &&
		    dev->bus->dma_configure(dev))
			pr_warn("%s: %s is used by its driver and somebody else\n",
				x86_driver.name, dev_name(dev));
		device_unlock(dev);
		forget(host);
	}
}

/**
 * x86_host_uncount_drivers - no driver uses the groups behind a unit any more
 * @unit: is unregistered next
 */
void x86_host_uncount_drivers(struct x86_unit *unit)
{
	struct pci_dev *pdev = NULL;

	for_each_pci_dev(pdev) {
		if (x86_driver.unit_of(pdev) != unit || !device_iommu_mapped(&pdev->dev))
			continue;
		device_lock(&pdev->dev);
		if (device_is_bound(&pdev->dev))
			pdev->dev.bus->dma_cleanup(&pdev->dev);
		device_unlock(&pdev->dev);
	}
}

/* A driver that hands devices to users does so whenever it likes. */
static bool is_for_users(struct pci_dev *pdev)
{
	bool is;

	device_lock(&pdev->dev);
	is = !pci_is_bridge(pdev) && device_is_bound(&pdev->dev) &&
	     to_pci_driver(pdev->dev.driver)->driver_managed_dma;
	device_unlock(&pdev->dev);
	return is;
}

/**
 * x86_host_note_devices - which devices are about to lose their group
 *
 * Return: 0 or -ENOMEM; x86_host_evict_users() is called in any case
 */
int x86_host_note_devices(void)
{
	struct pci_dev *pdev = NULL;
	int rc;

	for_each_pci_dev(pdev) {
		rc = x86_driver.unit_of(pdev) ? remember(&behind, &pdev->dev) : 0;
		if (rc) {
			pci_dev_put(pdev);
			return rc;
		}
	}
	return 0;
}

/**
 * x86_host_evict_users - take devices from drivers that hand them out
 *
 * For those that were bound while the groups went: they hold an empty group, of
 * which the IOMMU core would make the first device its own.
 */
void x86_host_evict_users(void)
{
	struct host_device *host, *next;

	list_for_each_entry_safe(host, next, &behind, link) {
		if (!device_iommu_mapped(host->dev) &&
		    is_for_users(to_pci_dev(host->dev))) {
			pr_warn("%s: %s is taken from %s, it has no IOMMU any more\n",
				x86_driver.name, dev_name(host->dev),
				dev_driver_string(host->dev));
			device_release_driver(host->dev);
		}
		forget(host);
	}
}

static bool probed(struct x86_unit *unit, struct pci_dev *pdev)
{
	return x86_driver.unit_of(pdev) == unit && device_iommu_mapped(&pdev->dev);
}

static bool is_passed_through(struct x86_unit *unit)
{
	struct pci_dev *pdev = NULL;
	bool all = true;

	lockdep_assert_held(&unit->lock);
	for_each_pci_dev(pdev) {
		if (!probed(unit, pdev) || x86_driver.passed_through(&pdev->dev))
			continue;
		pr_err("%s: %s is in use by a user\n", unit->name, pci_name(pdev));
		all = false;
	}
	return all;
}

/**
 * x86_host_close - hand no device behind a unit out any more
 * @unit: the unit
 *
 * Return: 0, or -EBUSY if one is, or could be; the log has its name
 */
int x86_host_close(struct x86_unit *unit)
{
	struct pci_dev *pdev = NULL;
	int rc = 0;

	mutex_lock(&unit->lock);
	unit->leaving = is_passed_through(unit);
	mutex_unlock(&unit->lock);
	if (!unit->leaving)
		return -EBUSY;
	for_each_pci_dev(pdev) {
		if (!probed(unit, pdev) || !is_for_users(pdev))
			continue;
		pr_err("%s: %s is bound to %s: unbind it first\n", unit->name,
		       pci_name(pdev), dev_driver_string(&pdev->dev));
		rc = -EBUSY;
	}
	if (rc)
		x86_host_open(unit);
	return rc;
}

/**
 * x86_host_open - undo x86_host_close()
 * @unit: the unit
 */
void x86_host_open(struct x86_unit *unit)
{
	mutex_lock(&unit->lock);
	unit->leaving = false;
	mutex_unlock(&unit->lock);
}

/**
 * x86_host_nr_devices - how many devices the IOMMU core has asked for
 * @unit: the unit
 *
 * Return: their number
 */
unsigned int x86_host_nr_devices(struct x86_unit *unit)
{
	struct pci_dev *pdev = NULL;
	unsigned int nr = 0;

	for_each_pci_dev(pdev)
		nr += probed(unit, pdev);
	return nr;
}

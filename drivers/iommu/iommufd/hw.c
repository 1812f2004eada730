// SPDX-License-Identifier: GPL-2.0-only
/*
 * The door to IOMMU drivers: who serves which device.
 */
#include <linux/device.h>
#include <linux/export.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "hw.h"
#include "io_pagetable.h"

/* A registration; the ops themselves are constant and the driver's. */
struct hw_driver {
	struct list_head link;
	const struct iommufd_driver_ops *ops;
};

/* Protects the list. Taken in bind and (un)register only; innermost. */
static DEFINE_MUTEX(hw_drivers_lock);
static LIST_HEAD(hw_drivers);

static struct hw_driver *hw_driver_find(const struct iommu_ops *ops)
{
	struct hw_driver *drv;

	list_for_each_entry(drv, &hw_drivers, link)
		if (drv->ops->iommu_ops == ops)
			return drv;
	return NULL;
}

/**
 * iommufd_register_driver - serve the devices of an iommu_ops
 * @ops: constant until iommufd_unregister_driver(); @ops->iommu_ops is the key
 *
 * Called before the driver registers with the IOMMU core, so that no device is
 * bound through the adapter for built-in drivers first.
 *
 * Context: may sleep.
 * Return: 0, -EEXIST if the iommu_ops has a driver already, -ENOMEM
 */
int iommufd_register_driver(const struct iommufd_driver_ops *ops)
{
	struct hw_driver *drv;
	int rc = 0;

	drv = kzalloc(sizeof(*drv), GFP_KERNEL);
	if (!drv)
		return -ENOMEM;
	drv->ops = ops;
	mutex_lock(&hw_drivers_lock);
	if (hw_driver_find(ops->iommu_ops)) {
		kfree(drv);
		rc = -EEXIST;
	} else {
		list_add_tail(&drv->link, &hw_drivers);
	}
	mutex_unlock(&hw_drivers_lock);
	return rc;
}
EXPORT_SYMBOL_GPL(iommufd_register_driver);

/**
 * iommufd_unregister_driver - undo iommufd_register_driver()
 * @ops: registered; no device or domain of the driver is in use, which holding
 *	 @ops->owner guarantees
 *
 * Context: may sleep.
 */
void iommufd_unregister_driver(const struct iommufd_driver_ops *ops)
{
	struct hw_driver *drv;

	mutex_lock(&hw_drivers_lock);
	drv = hw_driver_find(ops->iommu_ops);
	if (drv) {
		list_del(&drv->link);
		kfree(drv);
	}
	mutex_unlock(&hw_drivers_lock);
}
EXPORT_SYMBOL_GPL(iommufd_unregister_driver);

/**
 * hw_driver_get - find who drives the IOMMU of a device
 * @dev: a device with an IOMMU
 *
 * Return: the driver's ops, held until hw_driver_put(), or an ERR_PTR of -ENODEV
 */
const struct iommufd_driver_ops *hw_driver_get(struct device *dev)
{
	const struct iommufd_driver_ops *ops = &hw_builtin_ops;
	struct hw_driver *drv;

	mutex_lock(&hw_drivers_lock);
	drv = hw_driver_find(dev->iommu->iommu_dev->ops);
	if (drv)
		ops = drv->ops;
	if (!try_module_get(ops->owner))
		ops = ERR_PTR(iommufd_refuse(-ENODEV,
					     "the IOMMU driver %s of %s is being unloaded",
					     ops->name, dev_name(dev)));
	mutex_unlock(&hw_drivers_lock);
	return ops;
}

/**
 * hw_driver_hold - hold a driver that is held already once more
 * @drv: the driver
 *
 * Return: whether it could be held
 */
bool hw_driver_hold(const struct iommufd_driver_ops *drv)
{
	return try_module_get(drv->owner);
}

/**
 * hw_driver_put - let a driver go
 * @drv: the driver; may be gone afterwards
 */
void hw_driver_put(const struct iommufd_driver_ops *drv)
{
	module_put(drv->owner);
}

/**
 * hw_window_of - the window of a domain that contains a range
 * @idom: the domain
 * @first: first address
 * @last: last address
 *
 * Return: the window, or NULL if none contains all of it
 */
const struct iommufd_window *hw_window_of(const struct iopt_domain *idom,
					  unsigned long first,
					  unsigned long last)
{
	unsigned int i;

	for (i = 0; i < idom->nr_windows; i++)
		if (idom->windows[i].first <= first &&
		    last <= idom->windows[i].last)
			return &idom->windows[i];
	return NULL;
}

/*
 * Page sizes that suit two windows at once: alignment has to satisfy the coarser
 * of the two, larger leaves are each domain's own business.
 */
static unsigned long common_pgsizes(unsigned long a, unsigned long b)
{
	unsigned long smallest = max(a & -a, b & -b);

	return ((a | b) & ~(smallest - 1)) | smallest;
}

/**
 * hw_intersect_windows - what one list of windows and a domain both translate
 * @a: sorted, disjoint windows
 * @nr_a: how many
 * @idom: the domain
 * @out: room for IOMMUFD_MAX_WINDOWS; what does not fit is left out, which only
 *	 makes fewer addresses usable
 *
 * Return: how many windows are in @out
 */
unsigned int hw_intersect_windows(const struct iommufd_window *a,
				  unsigned int nr_a,
				  const struct iopt_domain *idom,
				  struct iommufd_window *out)
{
	unsigned int i, j, nr = 0;

	for (i = 0; i < nr_a; i++) {
		for (j = 0; j < idom->nr_windows; j++) {
			const struct iommufd_window *b = &idom->windows[j];
			unsigned long first = max(a[i].first, b->first);
			unsigned long last = min(a[i].last, b->last);

			if (first > last || nr == IOMMUFD_MAX_WINDOWS)
				continue;
			out[nr++] = (struct iommufd_window){
				.first = first,
				.last = last,
				.pgsizes = common_pgsizes(a[i].pgsizes, b->pgsizes),
			};
		}
	}
	return nr;
}

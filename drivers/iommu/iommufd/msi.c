// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts that an IOMMU translates like any other write, as on Arm: the
 * address of the interrupt controller has to be mapped in whatever table the
 * device is attached to. The IOMMU core does that when an interrupt is set up,
 * in a window of the table that is set apart here.
 *
 * The window belongs to the table, not to the device: what the core has mapped
 * there stays for as long as the table exists. An interrupt is known to the
 * controller by its address in the table that the device was attached to when it
 * was set up; if the device is moved, it has to be set up again.
 *
 * A nested table has no window. Interrupts of its devices come through the guest's
 * tables to the window of the parent, where the guest leads them.
 */
#include <linux/device.h>
#include <linux/iommu.h>

#include "device.h"
#include "hwpt.h"
#include "ioas.h"
#include "msi.h"

/* NULL where interrupts need no translation by us. */
static const struct iommu_resv_region *find_window(struct list_head *regions)
{
	const struct iommu_resv_region *region, *window = NULL;

	list_for_each_entry(region, regions, list) {
		/* The hardware recognizes interrupts by their address. */
		if (region->type == IOMMU_RESV_MSI)
			return NULL;
		if (region->type == IOMMU_RESV_SW_MSI && region->length && !window)
			window = region;
	}
	return window;
}

static int check_domain(struct iommufd_device *idev, struct iommufd_hwpt *hwpt)
{
	if (hwpt->idom.domain->type == IOMMU_DOMAIN_UNMANAGED)
		return 0;
	return iommufd_refuse(-EOPNOTSUPP,
			      "interrupts of %s are translated, and page table %u of the IOMMU driver %s has no place for that",
			      dev_name(idev->dev), hwpt->obj.id,
			      hwpt->idom.drv->name);
}

static int give_cookie(struct iommufd_device *idev, struct iommufd_hwpt *hwpt,
		       const struct iommu_resv_region *window)
{
	struct iommu_domain *domain = hwpt->idom.domain;
	int rc;

	if (hwpt->msi_cookie)
		return 0;
	rc = iommu_get_msi_cookie(domain, window->start);
	if (rc)
		return iommufd_refuse(rc, "page table %u cannot translate interrupts of %s",
				      hwpt->obj.id, dev_name(idev->dev));
	hwpt->msi_cookie = true;
	return 0;
}

static int open_window(struct iommufd_device *idev, struct iommufd_hwpt *hwpt,
		       const struct iommu_resv_region *window)
{
	struct io_pagetable *iopt = &hwpt_ioas(hwpt)->iopt;
	char who[sizeof_field(struct iopt_range, who)];
	int rc;

	snprintf(who, sizeof(who), "interrupts through page table %u",
		 hwpt->obj.id);
	rc = iopt_reserve(iopt, window->start,
			  window->start + window->length - 1, hwpt, who);
	if (rc)
		return rc;
	rc = give_cookie(idev, hwpt, window);
	if (rc)
		iopt_unreserve(iopt, hwpt);
	return rc;
}

/**
 * iommufd_msi_open - let a table translate interrupts, if a device needs that
 * @idev: the device, which is about to be attached to the table
 * @hwpt: the table
 * @opened: whether it does: then iommufd_msi_undo() follows if the device does not
 *	    get attached
 *
 * Context: may sleep; takes the shape lock of the address space.
 * Return: 0 or an explained errno: -EADDRINUSE something is mapped or promised in
 *	   the window, -EOPNOTSUPP the driver's table is of the wrong kind, -ENOMEM
 */
int iommufd_msi_open(struct iommufd_device *idev, struct iommufd_hwpt *hwpt,
		     bool *opened)
{
	struct io_pagetable *iopt = &hwpt_ioas(hwpt)->iopt;
	struct iommufd_hwpt *owner = hwpt->parent ?: hwpt;
	const struct iommu_resv_region *window;
	LIST_HEAD(regions);
	int rc;

	*opened = false;
	rc = iommu_get_group_resv_regions(idev->igroup->group, &regions);
	if (rc) {
		iommufd_refuse(rc, "the reserved regions of %s cannot be read",
			       dev_name(idev->dev));
		goto out;
	}
	window = find_window(&regions);
	if (!window)
		goto out;
	rc = check_domain(idev, hwpt);
	if (rc)
		goto out;
	down_write(&iopt->shape);
	if (!owner->msi_users)
		rc = open_window(idev, owner, window);
	if (!rc) {
		hwpt->idom.domain->iova_cookie = owner->idom.domain->iova_cookie;
		owner->msi_users++;
		*opened = true;
	}
	up_write(&iopt->shape);
out:
	iommu_put_resv_regions(idev->dev, &regions);
	return rc;
}

/**
 * iommufd_msi_undo - a device that needs interrupts did not get attached
 * @hwpt: iommufd_msi_open() was called for it
 *
 * Context: may sleep; takes the shape lock of the address space.
 */
void iommufd_msi_undo(struct iommufd_hwpt *hwpt)
{
	struct io_pagetable *iopt = &hwpt_ioas(hwpt)->iopt;
	struct iommufd_hwpt *owner = hwpt->parent ?: hwpt;

	down_write(&iopt->shape);
	if (!--owner->msi_users)
		iopt_unreserve(iopt, owner);
	up_write(&iopt->shape);
}

/**
 * iommufd_msi_forget - a table is about to lose its domain
 * @hwpt: the table; nothing is attached to it
 *
 * What a nested one knows of interrupts belongs to its parent.
 */
void iommufd_msi_forget(struct iommufd_hwpt *hwpt)
{
	if (hwpt->parent && hwpt->idom.domain)
		hwpt->idom.domain->iova_cookie = NULL;
}

/**
 * iommufd_msi_destroy - give the window of a table back
 * @hwpt: the table, whose domain is gone
 *
 * Context: may sleep; takes the shape lock of the address space.
 */
void iommufd_msi_destroy(struct iommufd_hwpt *hwpt)
{
	struct io_pagetable *iopt;

	if (!hwpt->msi_users)
		return;
	iopt = &hwpt_ioas(hwpt)->iopt;
	down_write(&iopt->shape);
	iopt_unreserve(iopt, hwpt);
	up_write(&iopt->shape);
}

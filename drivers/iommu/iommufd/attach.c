// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attaching devices to page tables, a group at a time.
 */
#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "compat.h"
#include "device.h"
#include "fault.h"
#include "hwpt.h"
#include "ioas.h"
#include "msi.h"
#include "pasid.h"
#include "trace.h"
#include "viommu.h"

static const char *resv_name(enum iommu_resv_type type)
{
	switch (type) {
	case IOMMU_RESV_DIRECT:
		return "firmware";
	case IOMMU_RESV_MSI:
		return "MSI";
	default:
		return "the platform";
	}
}

static int reserve_region(struct iommufd_group *igroup,
			  struct iommufd_device *idev,
			  struct io_pagetable *iopt,
			  const struct iommu_resv_region *region)
{
	char who[sizeof_field(struct iopt_range, who)];

	switch (region->type) {
	case IOMMU_RESV_DIRECT_RELAXABLE:
		/* Only matters while firmware drives the device. */
	case IOMMU_RESV_SW_MSI:
		/* Belongs to the page table: iommufd_msi_open(). */
		return 0;
	default:
		break;
	}
	snprintf(who, sizeof(who), "%s of %s", resv_name(region->type),
		 dev_name(idev->dev));
	return iopt_reserve(iopt, region->start,
			    region->start + region->length - 1, igroup, who);
}

static void group_unreserve(struct iommufd_group *igroup,
			    struct io_pagetable *iopt)
{
	down_write(&iopt->shape);
	iopt_unreserve(iopt, igroup);
	up_write(&iopt->shape);
}

/* Keep what the group's hardware cannot translate from being mapped. */
static int group_reserve(struct iommufd_group *igroup,
			 struct iommufd_device *idev,
			 struct io_pagetable *iopt)
{
	struct iommu_resv_region *region;
	LIST_HEAD(regions);
	int rc;

	rc = iommu_get_group_resv_regions(igroup->group, &regions);
	if (rc) {
		iommufd_refuse(rc, "the reserved regions of %s cannot be read",
			       dev_name(idev->dev));
		goto out;
	}
	down_write(&iopt->shape);
	list_for_each_entry(region, &regions, list) {
		rc = reserve_region(igroup, idev, iopt, region);
		if (rc) {
			iopt_unreserve(iopt, igroup);
			break;
		}
	}
	up_write(&iopt->shape);
out:
	iommu_put_resv_regions(idev->dev, &regions);
	return rc;
}

static int refuse_attach(struct iommufd_device *idev, struct iommufd_hwpt *hwpt,
			 int rc)
{
	if (rc == -EINVAL)
		return iommufd_refuse(rc, "page table %u, made by the IOMMU driver %s, does not suit the IOMMU of %s",
				      hwpt->obj.id, hwpt->idom.drv->name,
				      dev_name(idev->dev));
	return iommufd_refuse(rc, "the IOMMU driver %s failed to attach %s to page table %u",
			      idev->drv->name, dev_name(idev->dev),
			      hwpt->obj.id);
}

/**
 * iommufd_attach_possible - whether a table is for a device at all
 * @idev: the device, or the one whose PASID it is about
 * @hwpt: the table
 *
 * The IOMMU core compares the drivers only when a group is first attached: in a
 * replace one driver would be given the domain of another.
 *
 * Context: may sleep; no lock of an address space or a group is held.
 * Return: 0, or -EINVAL if its driver is another one or the device has to be
 *	   snooped and the table cannot enforce it; explained
 */
int iommufd_attach_possible(struct iommufd_device *idev,
			    struct iommufd_hwpt *hwpt)
{
	if (hwpt->idom.drv != idev->drv ||
	    hwpt->idom.domain->owner != idev->dev->iommu->iommu_dev->ops)
		return iommufd_refuse(-EINVAL,
				      "page table %u was made by the IOMMU driver %s, %s is behind another one",
				      hwpt->obj.id, hwpt->idom.drv->name,
				      dev_name(idev->dev));
	if (idev->enforce_coherency)
		return iommufd_hwpt_enforce_coherency(hwpt, idev->dev);
	return 0;
}

static int hwpt_connect(const struct iommufd_hwpt *hwpt,
			struct iommufd_device *idev)
{
	const struct iommufd_driver_ops *drv = hwpt->idom.drv;

	return drv->connect ? drv->connect(hwpt->idom.domain, idev->dev) : 0;
}

static void hwpt_disconnect(const struct iommufd_hwpt *hwpt,
			    struct iommufd_device *idev)
{
	const struct iommufd_driver_ops *drv = hwpt->idom.drv;

	if (drv->disconnect)
		drv->disconnect(hwpt->idom.domain, idev->dev);
}

/*
 * Hardware with one set of tables for a group goes from the one to the other, with
 * a moment in between in which the group reaches nothing.
 */
static int hwpt_reconnect(const struct iommufd_hwpt *from,
			  const struct iommufd_hwpt *to,
			  struct iommufd_device *idev)
{
	int rc;

	hwpt_disconnect(from, idev);
	rc = hwpt_connect(to, idev);
	if (rc && hwpt_connect(from, idev))
		dev_warn(idev->dev, "iommufd: page table %u could not be put back, DMA is blocked\n",
			 from->obj.id);
	return rc;
}

static int group_attach_first(struct iommufd_group *igroup,
			      struct iommufd_device *idev,
			      struct iommufd_hwpt *hwpt)
{
	struct io_pagetable *iopt = &hwpt_ioas(hwpt)->iopt;
	struct iommu_attach_handle *handle;
	bool opened;
	int rc;

	rc = iommufd_pasid_allows_rid(igroup, idev, hwpt);
	if (rc)
		return rc;
	handle = kzalloc(sizeof(*handle), GFP_KERNEL_ACCOUNT);
	if (!handle)
		return iommufd_refuse(-ENOMEM, "no memory for an attachment");
	rc = group_reserve(igroup, idev, iopt);
	if (rc)
		goto err_handle;
	rc = iommufd_msi_open(idev, hwpt, &opened);
	if (rc)
		goto err_reserve;
	/* A driver may change the format of a table to suit a new device. */
	down_write(&iopt->shape);
	rc = hwpt_connect(hwpt, idev);
	if (!rc) {
		rc = iommu_attach_group_handle(hwpt->idom.domain, igroup->group,
					       handle);
		if (rc) {
			hwpt_disconnect(hwpt, idev);
			refuse_attach(idev, hwpt, rc);
		}
	}
	up_write(&iopt->shape);
	if (rc)
		goto err_msi;
	igroup->handle = handle;
	return 0;

err_msi:
	if (opened)
		iommufd_msi_undo(hwpt);
err_reserve:
	group_unreserve(igroup, iopt);
err_handle:
	kfree(handle);
	return rc;
}

/*
 * Attach @idev to @hwpt. On success the caller's dependency on @hwpt has become
 * the group's; on failure it is still the caller's.
 */
static int do_attach(struct iommufd_device *idev, struct iommufd_hwpt *hwpt)
{
	struct iommufd_group *igroup = idev->igroup;
	int rc;

	rc = iommufd_attach_possible(idev, hwpt);
	if (rc)
		return rc;
	mutex_lock(&igroup->lock);
	rc = iommufd_viommu_check_attach(idev, hwpt);
	if (rc) {
		mutex_unlock(&igroup->lock);
		return rc;
	}
	if (!list_empty(&idev->attached)) {
		rc = iommufd_refuse(-EINVAL, "%s is attached already",
				    dev_name(idev->dev));
	} else if (!igroup->hwpt) {
		rc = iommufd_fault_prepare(idev, IOMMU_NO_PASID, hwpt);
		if (!rc) {
			rc = group_attach_first(igroup, idev, hwpt);
			iommufd_fault_settle(idev, IOMMU_NO_PASID,
					     rc ? NULL : hwpt);
		}
		if (!rc)
			WRITE_ONCE(igroup->hwpt, hwpt);
	} else if (igroup->hwpt != hwpt) {
		rc = iommufd_refuse(-EINVAL,
				    "%s shares IOMMU group %d with a device that is attached to page table %u: only that one is possible",
				    dev_name(idev->dev),
				    iommu_group_id(igroup->group),
				    igroup->hwpt->obj.id);
	} else {
		rc = iommufd_fault_prepare(idev, IOMMU_NO_PASID, hwpt);
		if (!rc) {
			iommufd_fault_settle(idev, IOMMU_NO_PASID, hwpt);
			/* The group depends on the table already. */
			iommufd_object_undepend(&hwpt->obj);
		}
	}
	if (!rc)
		list_add_tail(&idev->attached, &igroup->attached);
	mutex_unlock(&igroup->lock);
	return rc;
}

static int group_replace(struct iommufd_group *igroup,
			 struct iommufd_device *idev,
			 struct iommufd_hwpt *hwpt)
{
	struct io_pagetable *iopt = &hwpt_ioas(hwpt)->iopt;
	struct io_pagetable *old = &hwpt_ioas(igroup->hwpt)->iopt;
	struct iommu_attach_handle *handle;
	struct iommufd_device *member;
	bool opened;
	int rc;

	rc = iommufd_pasid_allows_rid(igroup, idev, hwpt);
	if (rc)
		return rc;
	list_for_each_entry(member, &igroup->attached, attached) {
		rc = iommufd_viommu_check_attach(member, hwpt);
		if (rc)
			return rc;
		if (!member->enforce_coherency)
			continue;
		rc = iommufd_hwpt_enforce_coherency(hwpt, member->dev);
		if (rc)
			return rc;
	}
	handle = kzalloc(sizeof(*handle), GFP_KERNEL_ACCOUNT);
	if (!handle)
		return iommufd_refuse(-ENOMEM, "no memory for an attachment");
	if (iopt != old) {
		rc = group_reserve(igroup, idev, iopt);
		if (rc)
			goto err_handle;
	}
	rc = iommufd_msi_open(idev, hwpt, &opened);
	if (rc)
		goto err_reserve;
	/* As in group_attach_first(). */
	down_write(&iopt->shape);
	rc = hwpt_reconnect(igroup->hwpt, hwpt, idev);
	if (!rc) {
		rc = iommu_replace_group_handle(igroup->group,
						hwpt->idom.domain, handle);
		if (rc) {
			hwpt_reconnect(hwpt, igroup->hwpt, idev);
			refuse_attach(idev, hwpt, rc);
		}
	}
	up_write(&iopt->shape);
	if (rc)
		goto err_msi;
	kfree(igroup->handle);
	igroup->handle = handle;
	if (iopt != old)
		group_unreserve(igroup, old);
	return 0;

err_msi:
	if (opened)
		iommufd_msi_undo(hwpt);
err_reserve:
	if (iopt != old)
		group_unreserve(igroup, iopt);
err_handle:
	kfree(handle);
	return rc;
}

static void group_settle(struct iommufd_group *igroup, struct iommufd_hwpt *now)
{
	struct iommufd_device *member;

	list_for_each_entry(member, &igroup->attached, attached)
		iommufd_fault_settle(member, IOMMU_NO_PASID, now);
}

/* group_replace(), and where page requests go in the course of it. */
static int group_replace_faults(struct iommufd_group *igroup,
				struct iommufd_device *idev,
				struct iommufd_hwpt *hwpt)
{
	struct iommufd_device *member;
	int rc = 0;

	list_for_each_entry(member, &igroup->attached, attached) {
		rc = iommufd_fault_prepare(member, IOMMU_NO_PASID, hwpt);
		if (rc)
			break;
	}
	if (!rc)
		rc = group_replace(igroup, idev, hwpt);
	group_settle(igroup, rc ? igroup->hwpt : hwpt);
	return rc;
}

/* Like do_attach() for a device that is attached; its whole group moves. */
static int do_replace(struct iommufd_device *idev, struct iommufd_hwpt *hwpt)
{
	struct iommufd_group *igroup = idev->igroup;
	struct iommufd_hwpt *old = NULL;
	int rc;

	rc = iommufd_attach_possible(idev, hwpt);
	if (rc)
		return rc;
	mutex_lock(&igroup->lock);
	if (list_empty(&idev->attached)) {
		rc = iommufd_refuse(-EINVAL, "%s is not attached",
				    dev_name(idev->dev));
	} else if (igroup->hwpt == hwpt) {
		iommufd_object_undepend(&hwpt->obj);
		rc = 0;
	} else {
		rc = group_replace_faults(igroup, idev, hwpt);
		if (!rc) {
			old = igroup->hwpt;
			WRITE_ONCE(igroup->hwpt, hwpt);
		}
	}
	mutex_unlock(&igroup->lock);
	if (old)
		iommufd_hwpt_drop(old);
	return rc;
}

typedef int (*attach_fn)(struct iommufd_device *idev,
			 struct iommufd_hwpt *hwpt);

static bool is_auto_of(const struct iommufd_object *obj, const void *arg)
{
	const struct iommufd_hwpt *hwpt =
		container_of(obj, struct iommufd_hwpt, obj);

	return obj->type == &iommufd_hwpt_paging_type && hwpt->is_auto &&
	       hwpt->ioas == arg;
}

/* Attach to a table that other devices of the IOAS use, or to a new one. */
static int attach_ioas(struct iommufd_device *idev, struct iommufd_ioas *ioas,
		       attach_fn attach, u32 *hwpt_id)
{
	struct iommufd_object *obj;
	struct iommufd_hwpt *hwpt;
	unsigned long index = 0;
	int rc;

	mutex_lock(&ioas->auto_lock);
	while ((obj = iommufd_object_next(ioas->obj.ictx, &index, is_auto_of,
					  ioas))) {
		rc = iommufd_object_depend(obj);
		iommufd_object_put(obj);
		if (rc)
			continue;
		*hwpt_id = obj->id;
		rc = attach(idev, to_hwpt(obj));
		if (!rc)
			goto out;
		iommufd_hwpt_drop(to_hwpt(obj));
		/* EINVAL says that this table does not fit; another may. */
		if (rc != -EINVAL)
			goto out;
	}

	hwpt = iommufd_hwpt_alloc_paging(ioas, idev, 0, NULL, true);
	if (IS_ERR(hwpt)) {
		rc = PTR_ERR(hwpt);
		goto out;
	}
	*hwpt_id = hwpt->obj.id;
	hwpt->obj.deps = 1;
	rc = attach(idev, hwpt);
	if (rc)
		iommufd_object_abandon(&hwpt->obj);
	else
		iommufd_object_publish(&hwpt->obj);
out:
	mutex_unlock(&ioas->auto_lock);
	return rc;
}

static int attach_hwpt(struct iommufd_device *idev, struct iommufd_hwpt *hwpt,
		       attach_fn attach, u32 *hwpt_id)
{
	int rc;

	rc = iommufd_object_depend(&hwpt->obj);
	if (rc)
		return rc;
	*hwpt_id = hwpt->obj.id;
	rc = attach(idev, hwpt);
	if (rc)
		iommufd_object_undepend(&hwpt->obj);
	return rc;
}

static int attach_pt(struct iommufd_device *idev, u32 *pt_id, attach_fn attach)
{
	struct iommufd_object *pt;
	u32 hwpt_id;
	int rc;

	pt = iommufd_object_get_any(idev->obj.ictx, *pt_id);
	if (IS_ERR(pt))
		return PTR_ERR(pt);
	if (pt->type == &iommufd_ioas_type)
		rc = attach_ioas(idev, to_ioas(pt), attach, &hwpt_id);
	else if (iommufd_object_is_hwpt(pt))
		rc = attach_hwpt(idev, to_hwpt(pt), attach, &hwpt_id);
	else
		rc = iommufd_refuse(-EINVAL,
				    "object %u is a %s, a device is attached to an ioas or a hwpt",
				    pt->id, pt->type->name);
	iommufd_object_put(pt);
	trace_iommufd_attach(dev_name(idev->dev), rc ? *pt_id : hwpt_id, rc);
	if (!rc)
		*pt_id = hwpt_id;
	return rc;
}

/**
 * iommufd_device_attach - let a device reach what an address space maps
 * @idev: a bound device that is not attached
 * @pt_id: in: an IOAS or HWPT; out: the HWPT it is attached to
 *
 * A device in a group with others can only be attached where they are.
 *
 * Context: may sleep; not concurrently with other calls for @idev.
 * Return: 0 or an explained errno: -ENOENT no such object, -EINVAL it does not
 *	   suit this device (another one may), -EADDRINUSE what is mapped or
 *	   allowed cannot be had with this device, -EFAULT or -ENOMEM if its
 *	   memory cannot be pinned
 */
int iommufd_device_attach(struct iommufd_device *idev, u32 *pt_id)
{
	return attach_pt(idev, pt_id, do_attach);
}
EXPORT_SYMBOL_GPL(iommufd_device_attach);

/**
 * iommufd_device_replace - move a device to another address space
 * @idev: an attached device; all attached devices of its group move with it
 * @pt_id: in: an IOAS or HWPT; out: the HWPT it is attached to
 *
 * Where the driver can, DMA to addresses that mean the same before and after is
 * never interrupted.
 *
 * Context: may sleep; not concurrently with other calls for @idev.
 * Return: 0 or an explained errno as iommufd_device_attach(); then the device
 *	   stays where it was
 */
int iommufd_device_replace(struct iommufd_device *idev, u32 *pt_id)
{
	return attach_pt(idev, pt_id, do_replace);
}
EXPORT_SYMBOL_GPL(iommufd_device_replace);

/**
 * iommufd_device_detach - let a device reach nothing
 * @idev: an attached device
 *
 * While another device of the group is attached the IOMMU cannot tell them
 * apart, and translation goes on until the last of them is detached.
 *
 * Context: may sleep; not concurrently with other calls for @idev.
 */
void iommufd_device_detach(struct iommufd_device *idev)
{
	struct iommufd_group *igroup = idev->igroup;
	struct iommufd_hwpt *hwpt = NULL;

	mutex_lock(&igroup->lock);
	list_del_init(&idev->attached);
	if (list_empty(&igroup->attached)) {
		hwpt = igroup->hwpt;
		hwpt_disconnect(hwpt, idev);
		iommu_detach_group_handle(hwpt->idom.domain, igroup->group);
		group_unreserve(igroup, &hwpt_ioas(hwpt)->iopt);
		WRITE_ONCE(igroup->hwpt, NULL);
		kfree(igroup->handle);
		igroup->handle = NULL;
	}
	iommufd_fault_settle(idev, IOMMU_NO_PASID, NULL);
	mutex_unlock(&igroup->lock);
	trace_iommufd_attach(dev_name(idev->dev), 0, 0);
	if (hwpt)
		iommufd_hwpt_drop(hwpt);
}
EXPORT_SYMBOL_GPL(iommufd_device_detach);

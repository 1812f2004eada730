// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attaching single PASIDs of a device: address spaces that the device names in
 * its requests, beside the one that requests without a PASID go to.
 *
 * Nothing is reserved for them in the address space: message interrupts and
 * what firmware set up carry no PASID.
 */
#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/log2.h>
#include <linux/pci.h>
#include <linux/pci-ats.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "device.h"
#include "fault.h"
#include "hwpt.h"
#include "ioas.h"
#include "pasid.h"
#include "trace.h"
#include "viommu.h"

/* Lists are made under a spinlock, and a device may have a million PASIDs. */
#define MAX_LISTED 64

static struct iommufd_pasid *pasid_of(struct iommufd_device *idev, u32 pasid)
{
	struct iommufd_pasid *at = xa_load(&idev->igroup->pasids, pasid);

	lockdep_assert_held(&idev->igroup->lock);
	return at && at->idev == idev ? at : NULL;
}

static int check_pasid(struct iommufd_device *idev, u32 pasid)
{
	u32 max = idev->dev->iommu->max_pasids;

	if (!max)
		return iommufd_refuse(-EINVAL,
				      "%s or its IOMMU has no PASIDs",
				      dev_name(idev->dev));
	if (pasid == IOMMU_NO_PASID)
		return iommufd_refuse(-EINVAL,
				      "PASID 0 stands for requests without one: attach %s itself",
				      dev_name(idev->dev));
	if (pasid >= max)
		return iommufd_refuse(-EINVAL, "PASID %u: those of %s end at %u",
				      pasid, dev_name(idev->dev), max - 1);
	return 0;
}

/* Whether the PASIDs of a device may be attached to a table; igroup->lock held. */
static int check_table(struct iommufd_device *idev, struct iommufd_hwpt *hwpt)
{
	struct iommufd_hwpt *rid = idev->igroup->hwpt;

	if (!hwpt->for_pasids)
		return iommufd_refuse(-EINVAL,
				      "page table %u was made without ALLOC_PASID",
				      hwpt->obj.id);
	if (rid && !rid->for_pasids)
		return iommufd_refuse(-EINVAL,
				      "%s itself is attached to page table %u, which was made without ALLOC_PASID",
				      dev_name(idev->dev), rid->obj.id);
	return iommufd_viommu_check_attach(idev, hwpt);
}

/**
 * iommufd_pasid_allows_rid - whether a device itself may go to a table
 * @igroup: its group, locked
 * @idev: the device
 * @hwpt: the table
 *
 * Hardware keeps a table of PASIDs for each device, which also says where
 * requests without one go; what lies there has to be of the kind that such a
 * table can hold.
 *
 * Return: 0, or -EINVAL if PASIDs of the group are attached and @hwpt was made
 *	   without ALLOC_PASID; explained
 */
int iommufd_pasid_allows_rid(struct iommufd_group *igroup,
			     struct iommufd_device *idev,
			     struct iommufd_hwpt *hwpt)
{
	lockdep_assert_held(&igroup->lock);
	if (hwpt->for_pasids || xa_empty(&igroup->pasids))
		return 0;
	return iommufd_refuse(-EINVAL,
			      "PASIDs of %s are attached, page table %u was made without ALLOC_PASID",
			      dev_name(idev->dev), hwpt->obj.id);
}

static int refuse_attach(struct iommufd_device *idev, u32 pasid,
			 struct iommufd_hwpt *hwpt, int rc)
{
	return iommufd_refuse(rc, "the IOMMU driver %s failed to attach PASID %u of %s to page table %u",
			      idev->drv->name, pasid, dev_name(idev->dev),
			      hwpt->obj.id);
}

/* A driver may change the format of a table to suit a new device. */
static int hw_attach(struct iommufd_device *idev, u32 pasid,
		     struct iommufd_pasid *at, struct iommufd_hwpt *hwpt)
{
	struct io_pagetable *iopt = &hwpt_ioas(hwpt)->iopt;
	int rc;

	down_write(&iopt->shape);
	rc = iommu_attach_device_pasid(hwpt->idom.domain, idev->dev, pasid,
				       &at->handle);
	up_write(&iopt->shape);
	return rc ? refuse_attach(idev, pasid, hwpt, rc) : 0;
}

static void hw_detach(struct iommufd_device *idev, u32 pasid,
		      struct iommufd_hwpt *hwpt)
{
	iommu_detach_device_pasid(hwpt->idom.domain, idev->dev, pasid);
}

/**
 * struct pasid_move - a PASID on its way from one domain to another
 * @drv: the driver of both
 * @from: where it is
 * @to: where it goes
 * @pasid: its number
 * @stopped_at: the device of the group that could not follow
 */
struct pasid_move {
	const struct iommufd_driver_ops *drv;
	struct iommu_domain *from;
	struct iommu_domain *to;
	u32 pasid;
	struct device *stopped_at;
};

static int move_device(struct device *dev, void *data)
{
	struct pasid_move *move = data;
	int rc;

	/* a port that shares the group; the IOMMU core has not attached it either */
	if (!dev->iommu->max_pasids)
		return 0;
	rc = move->drv->replace_pasid(move->to, move->from, dev, move->pasid);
	if (rc)
		move->stopped_at = dev;
	return rc;
}

static int move_device_back(struct device *dev, void *data)
{
	struct pasid_move *move = data;

	if (dev == move->stopped_at)
		return 1;
	if (!dev->iommu->max_pasids)
		return 0;
	WARN_ON(move->drv->replace_pasid(move->from, move->to, dev,
					 move->pasid));
	return 0;
}

/*
 * The hardware first, then what the IOMMU core knows; all devices or none.
 * -EOPNOTSUPP, which is not explained: not this way.
 */
static int hw_move(struct iommufd_device *idev, u32 pasid,
		   struct iommufd_pasid *at, struct iommufd_hwpt *hwpt)
{
	struct io_pagetable *iopt = &hwpt_ioas(hwpt)->iopt;
	struct iommu_group *group = idev->igroup->group;
	struct pasid_move move = {
		.drv = idev->drv,
		.from = at->hwpt->idom.domain,
		.to = hwpt->idom.domain,
		.pasid = pasid,
	};
	int rc;

	if (!move.drv->replace_pasid)
		return -EOPNOTSUPP;
	down_write(&iopt->shape);
	rc = iommu_group_for_each_dev(group, &move, move_device);
	if (rc)
		iommu_group_for_each_dev(group, &move, move_device_back);
	else
		WRITE_ONCE(at->handle.domain, move.to);
	up_write(&iopt->shape);
	if (rc && rc != -EOPNOTSUPP)
		refuse_attach(idev, pasid, hwpt, rc);
	return rc;
}

/*
 * For a driver that cannot move a PASID: what the device requests in between is
 * refused by the IOMMU. *@lost says that there was no way back either.
 */
static int hw_move_in_steps(struct iommufd_device *idev, u32 pasid,
			    struct iommufd_pasid *at, struct iommufd_hwpt *hwpt,
			    bool *lost)
{
	int rc;

	hw_detach(idev, pasid, at->hwpt);
	rc = hw_attach(idev, pasid, at, hwpt);
	if (!rc || !hw_attach(idev, pasid, at, at->hwpt))
		return rc;
	*lost = true;
	return iommufd_refuse(rc, "PASID %u of %s could not be attached to page table %u, nor again to %u: it is attached to nothing now",
			      pasid, dev_name(idev->dev), hwpt->obj.id,
			      at->hwpt->obj.id);
}

/* Take a PASID that the hardware no longer has out of the group's table. */
static struct iommufd_hwpt *forget(struct iommufd_group *igroup, u32 pasid,
				   struct iommufd_pasid *at)
{
	struct iommufd_hwpt *hwpt = at->hwpt;

	/* Who lists PASIDs holds this lock, and none other. */
	xa_lock(&igroup->ictx->objects);
	xa_erase(&igroup->pasids, pasid);
	WRITE_ONCE(at->idev->nr_pasids, at->idev->nr_pasids - 1);
	xa_unlock(&igroup->ictx->objects);
	kfree(at);
	return hwpt;
}

static int attach_locked(struct iommufd_device *idev, u32 pasid,
			 struct iommufd_pasid *at, struct iommufd_hwpt *hwpt)
{
	struct xarray *pasids = &idev->igroup->pasids;
	int rc;

	if (xa_load(pasids, pasid))
		return iommufd_refuse(-EBUSY, "PASID %u of IOMMU group %d is attached already",
				      pasid, iommu_group_id(idev->igroup->group));
	rc = check_table(idev, hwpt);
	if (rc)
		return rc;
	at->idev = idev;
	at->hwpt = hwpt;
	/* What needs memory comes before what cannot be undone unseen. */
	if (xa_reserve(pasids, pasid, GFP_KERNEL_ACCOUNT))
		return iommufd_refuse(-ENOMEM, "no memory for PASID %u", pasid);
	rc = iommufd_fault_prepare(idev, pasid, hwpt);
	if (!rc) {
		rc = hw_attach(idev, pasid, at, hwpt);
		iommufd_fault_settle(idev, pasid, rc ? NULL : hwpt);
	}
	if (rc) {
		xa_release(pasids, pasid);
	} else {
		xa_store(pasids, pasid, at, GFP_KERNEL_ACCOUNT);
		WRITE_ONCE(idev->nr_pasids, idev->nr_pasids + 1);
	}
	return rc;
}

/* On success the caller's dependency on @hwpt is the PASID's. */
static int do_attach(struct iommufd_device *idev, u32 pasid,
		     struct iommufd_hwpt *hwpt)
{
	struct iommufd_pasid *at;
	int rc;

	at = kzalloc(sizeof(*at), GFP_KERNEL_ACCOUNT);
	if (!at)
		return iommufd_refuse(-ENOMEM, "no memory for PASID %u", pasid);
	mutex_lock(&idev->igroup->lock);
	rc = attach_locked(idev, pasid, at, hwpt);
	mutex_unlock(&idev->igroup->lock);
	if (rc)
		kfree(at);
	return rc;
}

static int replace_locked(struct iommufd_device *idev, u32 pasid,
			  struct iommufd_hwpt *hwpt, struct iommufd_hwpt **drop)
{
	struct iommufd_pasid *at = pasid_of(idev, pasid);
	bool lost = false;
	int rc;

	if (!at)
		return iommufd_refuse(-EINVAL, "PASID %u of %s is not attached",
				      pasid, dev_name(idev->dev));
	rc = check_table(idev, hwpt);
	if (rc)
		return rc;
	if (at->hwpt == hwpt) {
		*drop = hwpt;
		return 0;
	}
	rc = iommufd_fault_prepare(idev, pasid, hwpt);
	if (rc)
		return rc;
	rc = hw_move(idev, pasid, at, hwpt);
	if (rc == -EOPNOTSUPP)
		rc = hw_move_in_steps(idev, pasid, at, hwpt, &lost);
	if (lost) {
		iommufd_fault_settle(idev, pasid, NULL);
		*drop = forget(idev->igroup, pasid, at);
		return rc;
	}
	if (!rc) {
		*drop = at->hwpt;
		WRITE_ONCE(at->hwpt, hwpt);
	}
	iommufd_fault_settle(idev, pasid, at->hwpt);
	return rc;
}

static int do_replace(struct iommufd_device *idev, u32 pasid,
		      struct iommufd_hwpt *hwpt)
{
	struct iommufd_hwpt *drop = NULL;
	int rc;

	mutex_lock(&idev->igroup->lock);
	rc = replace_locked(idev, pasid, hwpt, &drop);
	mutex_unlock(&idev->igroup->lock);
	if (drop)
		iommufd_hwpt_drop(drop);
	return rc;
}

typedef int (*pasid_fn)(struct iommufd_device *idev, u32 pasid,
			struct iommufd_hwpt *hwpt);

static int attach_hwpt(struct iommufd_device *idev, u32 pasid,
		       struct iommufd_hwpt *hwpt, pasid_fn attach)
{
	int rc;

	rc = iommufd_attach_possible(idev, hwpt);
	if (rc)
		return rc;
	rc = iommufd_object_depend(&hwpt->obj);
	if (rc)
		return rc;
	rc = attach(idev, pasid, hwpt);
	if (rc)
		iommufd_object_undepend(&hwpt->obj);
	return rc;
}

static int attach_pt(struct iommufd_device *idev, u32 pasid, u32 pt_id,
		     pasid_fn attach)
{
	struct iommufd_object *pt;
	int rc;

	rc = check_pasid(idev, pasid);
	if (rc)
		return rc;
	pt = iommufd_object_get_any(idev->obj.ictx, pt_id);
	if (IS_ERR(pt))
		return PTR_ERR(pt);
	if (iommufd_object_is_hwpt(pt))
		rc = attach_hwpt(idev, pasid, to_hwpt(pt), attach);
	else if (pt->type == &iommufd_ioas_type)
		rc = iommufd_refuse(-EINVAL,
				    "object %u is an ioas, whose own page tables are not for PASIDs: make a hwpt with ALLOC_PASID",
				    pt_id);
	else
		rc = iommufd_refuse(-EINVAL,
				    "object %u is a %s, a PASID is attached to a hwpt",
				    pt_id, pt->type->name);
	iommufd_object_put(pt);
	trace_iommufd_attach_pasid(dev_name(idev->dev), pasid, pt_id, rc);
	return rc;
}

/**
 * iommufd_device_pasid_attach - let requests with a PASID reach a page table
 * @idev: a bound device, attached itself or not
 * @pasid: the PASID, which is not attached
 * @pt_id: in: a HWPT made with ALLOC_PASID; out: the same
 *
 * Context: may sleep; not concurrently with other calls for @idev.
 * Return: 0 or an explained errno: -ENOENT no such object, -EBUSY the PASID is
 *	   attached, -EINVAL the device has no such PASID, the table is not for
 *	   PASIDs or for this device, or the device itself is attached to one
 *	   that is not; or as the driver fails
 */
int iommufd_device_pasid_attach(struct iommufd_device *idev, u32 pasid,
				u32 *pt_id)
{
	return attach_pt(idev, pasid, *pt_id, do_attach);
}
EXPORT_SYMBOL_GPL(iommufd_device_pasid_attach);

/**
 * iommufd_device_pasid_replace - move a PASID to another page table
 * @idev: a bound device
 * @pasid: the PASID, which is attached
 * @pt_id: in: a HWPT made with ALLOC_PASID; out: the same
 *
 * The kernel's own IOMMU drivers cannot move a PASID: theirs is detached and
 * attached, and what the device requests in between is refused.
 *
 * Context: may sleep; not concurrently with other calls for @idev.
 * Return: 0 or an explained errno as iommufd_device_pasid_attach(), and -EINVAL if
 *	   the PASID is not attached. It stays where it was then, unless a driver
 *	   of the kernel could not attach it there again either: the reason says
 *	   so
 */
int iommufd_device_pasid_replace(struct iommufd_device *idev, u32 pasid,
				 u32 *pt_id)
{
	return attach_pt(idev, pasid, *pt_id, do_replace);
}
EXPORT_SYMBOL_GPL(iommufd_device_pasid_replace);

/**
 * iommufd_device_pasid_attached - whether a PASID is attached
 * @idev: a bound device
 * @pasid: any number
 *
 * Context: may sleep; not concurrently with other calls for @idev.
 * Return: whether it is
 */
bool iommufd_device_pasid_attached(struct iommufd_device *idev, u32 pasid)
{
	bool attached;

	mutex_lock(&idev->igroup->lock);
	attached = pasid_of(idev, pasid);
	mutex_unlock(&idev->igroup->lock);
	return attached;
}
EXPORT_SYMBOL_GPL(iommufd_device_pasid_attached);

/**
 * iommufd_device_pasid_detach - let requests with a PASID reach nothing
 * @idev: a bound device
 * @pasid: any number; nothing happens if it is not attached
 *
 * Context: may sleep; not concurrently with other calls for @idev.
 */
void iommufd_device_pasid_detach(struct iommufd_device *idev, u32 pasid)
{
	struct iommufd_group *igroup = idev->igroup;
	struct iommufd_hwpt *hwpt = NULL;
	struct iommufd_pasid *at;

	mutex_lock(&igroup->lock);
	at = pasid_of(idev, pasid);
	if (at) {
		hw_detach(idev, pasid, at->hwpt);
		iommufd_fault_settle(idev, pasid, NULL);
		hwpt = forget(igroup, pasid, at);
	}
	mutex_unlock(&igroup->lock);
	if (!hwpt)
		return;
	trace_iommufd_attach_pasid(dev_name(idev->dev), pasid, 0, 0);
	iommufd_hwpt_drop(hwpt);
}
EXPORT_SYMBOL_GPL(iommufd_device_pasid_detach);

/**
 * iommufd_device_pasid_detach_all - detach whatever PASIDs are attached
 * @idev: a bound device, which its driver has stopped
 *
 * Context: may sleep; not concurrently with other calls for @idev.
 */
void iommufd_device_pasid_detach_all(struct iommufd_device *idev)
{
	struct iommufd_pasid *at;
	unsigned long pasid;
	bool ours;

	do {
		ours = false;
		mutex_lock(&idev->igroup->lock);
		xa_for_each(&idev->igroup->pasids, pasid, at) {
			ours = at->idev == idev;
			if (ours)
				break;
		}
		mutex_unlock(&idev->igroup->lock);
		if (ours)
			iommufd_device_pasid_detach(idev, pasid);
	} while (ours);
}
EXPORT_SYMBOL_GPL(iommufd_device_pasid_detach_all);

/**
 * iommufd_pasid_uses - whether a PASID of a device is attached to a table
 * @idev: the device
 * @other: the table, or any object
 *
 * Context: the context's xa_lock is held.
 * Return: whether one of the first is
 */
bool iommufd_pasid_uses(const struct iommufd_device *idev,
			const struct iommufd_object *other)
{
	unsigned int nr = 0;
	struct iommufd_pasid *at;
	unsigned long pasid;

	xa_for_each(&idev->igroup->pasids, pasid, at) {
		if (at->idev == idev && &READ_ONCE(at->hwpt)->obj == other)
			return true;
		if (++nr == MAX_LISTED)
			break;
	}
	return false;
}

/**
 * iommufd_pasid_show - list the first attached PASIDs of a device
 * @idev: the device
 * @m: its line in fdinfo
 *
 * Context: the context's xa_lock is held, so that no table is freed: before that
 *	    it is taken off its PASIDs and leaves the table of objects.
 */
void iommufd_pasid_show(struct iommufd_device *idev, struct seq_file *m)
{
	unsigned int nr = 0;
	struct iommufd_pasid *at;
	unsigned long pasid;

	if (idev->dev->iommu->max_pasids)
		seq_printf(m, " pasids=%u", READ_ONCE(idev->nr_pasids));
	xa_for_each(&idev->igroup->pasids, pasid, at) {
		if (at->idev == idev)
			seq_printf(m, " pasid=%lu:%u", pasid,
				   READ_ONCE(at->hwpt)->obj.id);
		if (++nr == MAX_LISTED)
			break;
	}
}

/**
 * iommufd_pasid_describe - what GET_HW_INFO says about the PASIDs of a device
 * @dev: a bound device
 * @info: @info->max_pasid_log2 is filled in, if the driver has not
 *
 * Return: which of enum iommufd_hw_capabilities a PCI device has of them
 */
u64 iommufd_pasid_describe(struct device *dev, struct iommufd_hw_data *info)
{
	u64 caps = 0;
	int enabled;

	if (!dev_is_pci(dev) || !dev->iommu->max_pasids)
		return 0;
	/* A driver of an IOMMU that uses PASIDs has enabled them. */
	enabled = pci_pasid_status(to_pci_dev(dev));
	if (enabled < 0)
		return 0;
	if (!info->max_pasid_log2)
		info->max_pasid_log2 = ilog2(dev->iommu->max_pasids);
	if (enabled & PCI_PASID_CTRL_EXEC)
		caps |= IOMMU_HW_CAP_PCI_PASID_EXEC;
	if (enabled & PCI_PASID_CTRL_PRIV)
		caps |= IOMMU_HW_CAP_PCI_PASID_PRIV;
	return caps;
}

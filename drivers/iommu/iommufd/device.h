/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_DEVICE_H
#define __IOMMUFD_DEVICE_H

#include <linux/iommu.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/xarray.h>

#include "fault.h"
#include "hw.h"
#include "object.h"

struct iommufd_hwpt;
struct vdevice_object;

/**
 * struct iommufd_group - devices of a context that only move together
 * @link: in ictx->groups, under its groups_lock
 * @kref: one for each bound device; the last is dropped under groups_lock
 * @ictx: the context
 * @group: the IOMMU group; referenced
 * @lock: protects the rest. Taken inside an IOAS's auto_lock and outside its
 *	  page-table locks
 * @attached: struct iommufd_device that are attached
 * @hwpt: what all of them are attached to; NULL if none is. Depended on once
 * @handle: what the IOMMU core knows the attachment by
 * @pasids: struct iommufd_pasid of the PASIDs that are attached, by their number;
 *	    leaves it under the xa_lock of the context, too, which lists hold
 *
 * An IOMMU cannot tell the devices of a group apart, so that they can only be
 * attached to one table, all of them.
 */
struct iommufd_group {
	struct list_head link;
	struct kref kref;
	struct iommufd_ctx *ictx;
	struct iommu_group *group;
	struct mutex lock;
	struct list_head attached;
	struct iommufd_hwpt *hwpt;
	struct iommu_attach_handle *handle;
	struct xarray pasids;
};

/**
 * struct iommufd_device - a device handed to this context by a kernel driver
 * @obj: object head; depended on by the driver that bound it
 * @dev: the device; referenced, its DMA ownership is claimed
 * @drv: the driver of its IOMMU; held
 * @igroup: its group
 * @attached: in igroup->attached; empty while it is not attached
 * @nr_pasids: how many of igroup->pasids are its own; under the group's lock
 * @enforce_coherency: its IOMMU can enforce coherency, and KVM is told that it
 *		       does: every table it is attached to has to. Constant
 * @vdev: its vDEVICE, or NULL; under the xa_lock of the context's objects
 * @faults: its page requests
 */
struct iommufd_device {
	struct iommufd_object obj;
	struct device *dev;
	const struct iommufd_driver_ops *drv;
	struct iommufd_group *igroup;
	struct list_head attached;
	unsigned int nr_pasids;
	bool enforce_coherency;
	struct vdevice_object *vdev;
	struct iommufd_fault_source faults;
};

static inline struct iommufd_device *to_idev(struct iommufd_object *obj)
{
	return container_of(obj, struct iommufd_device, obj);
}

struct iommufd_group *iommufd_group_get(struct iommufd_ctx *ictx,
					struct iommu_group *group);
void iommufd_group_put(struct iommufd_group *igroup);

/* attach.c */
int iommufd_attach_possible(struct iommufd_device *idev,
			    struct iommufd_hwpt *hwpt);

#endif

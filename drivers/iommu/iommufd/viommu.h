/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vIOMMUs and what belongs to one: vDEVICEs, hardware queues, regions.
 *
 *	nested hwpt ──┐
 *	vdevice ──────┼──> viommu ──> nesting parent (hwpt) ──> ioas
 *	hw queue ─────┤      ^
 *	veventq ──────┘      └── region, while it is mapped by mmap()
 *
 * An arrow is a dependency: what it points at cannot be destroyed. A vDEVICE does
 * not keep its device, which takes it along when it is unbound.
 */
#ifndef __IOMMUFD_VIOMMU_H
#define __IOMMUFD_VIOMMU_H

#include <linux/iommufd_driver.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/xarray.h>

#include "object.h"

struct iommufd_device;
struct iommufd_hwpt;
struct vm_area_struct;

/**
 * struct viommu_object - one VM's slice of a physical IOMMU
 * @obj: object head; depended on by nested tables, vDEVICEs, hardware queues and
 *	 vEVENTQs made on it, and by every mmap() of its regions
 * @hw: what the driver sees
 * @drv: the driver; held
 * @parent: the nesting parent; depended on, constant
 * @vdevices_lock: held for write while a vDEVICE comes or goes, for read by drivers
 *		   that look one up. Inside the group locks
 * @vdevices: struct vdevice_object by virt_id
 * @queues_lock: held while a hardware queue comes or goes. Outside the locks of
 *		 the address space
 * @queues: struct hw_queue_object
 * @events_lock: protects @veventqs and what is in them. Innermost, taken in any
 *		 context with interrupts off
 * @veventqs: struct iommufd_veventq
 *
 * Freed when its id is destroyed, which only happens while nothing depends on
 * it. The physical IOMMU stays, because its driver does.
 */
struct viommu_object {
	struct iommufd_object obj;
	struct iommufd_viommu hw;
	const struct iommufd_driver_ops *drv;
	struct iommufd_hwpt *parent;
	struct rw_semaphore vdevices_lock;
	struct xarray vdevices;
	struct mutex queues_lock;
	struct list_head queues;
	spinlock_t events_lock;
	struct list_head veventqs;
};

/**
 * struct vdevice_object - a device in a vIOMMU
 * @obj: object head; nothing depends on it
 * @hw: what the driver sees
 * @viommu: the vIOMMU; depended on, constant
 * @idev: the device, whose unbinding ends this object; constant. NULL in one that
 *	  failed to be built
 * @in_place: the driver and @viommu know it; under the lock of the device's group
 *
 * Goes when its id is destroyed or when its device is unbound, whichever is
 * first; who comes second waits for the end of it, which is idev->vdev being
 * cleared. In the second case the id stays taken until the context goes.
 */
struct vdevice_object {
	struct iommufd_object obj;
	struct iommufd_vdevice hw;
	struct viommu_object *viommu;
	struct iommufd_device *idev;
	bool in_place;
};

/**
 * struct hw_queue_object - a queue in a VM's memory that hardware reads
 * @obj: object head; depended on by queues that build on it
 * @hw: what the driver sees
 * @viommu: the vIOMMU; depended on, constant
 * @link: in viommu->queues, from before its memory is pinned
 * @running: the driver knows it; under viommu->queues_lock
 * @holds: struct queue_hold; constant once it is complete
 *
 * While it exists its memory stays mapped in the nesting parent and pinned. Goes
 * when its id is destroyed: the driver stops the hardware first, then the memory
 * is let go.
 */
struct hw_queue_object {
	struct iommufd_object obj;
	struct iommufd_hw_queue hw;
	struct viommu_object *viommu;
	struct list_head link;
	bool running;
	struct list_head holds;
};

static inline struct viommu_object *to_viommu(struct iommufd_object *obj)
{
	return container_of(obj, struct viommu_object, obj);
}

static inline struct viommu_object *viommu_of(struct iommufd_viommu *hw)
{
	return container_of(hw, struct viommu_object, hw);
}

struct viommu_object *iommufd_viommu_get(struct iommufd_ctx *ictx, u32 id);
int iommufd_viommu_check_device(const struct viommu_object *viommu,
				const struct iommufd_device *idev);

/* vdevice.c */
void iommufd_vdevice_orphan(struct iommufd_device *idev);
int iommufd_viommu_check_attach(struct iommufd_device *idev,
				const struct iommufd_hwpt *hwpt);

/* region.c */
int iommufd_region_mmap(struct iommufd_ctx *ictx, struct vm_area_struct *vma);

#endif

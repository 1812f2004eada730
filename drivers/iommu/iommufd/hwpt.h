/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_HWPT_H
#define __IOMMUFD_HWPT_H

#include "io_pagetable.h"
#include "object.h"

struct iommufd_device;
struct iommufd_fault;
struct iommufd_ioas;
struct viommu_object;

/**
 * struct iommufd_hwpt - a hardware page table: something a device is attached to
 * @obj: object head; type hwpt_paging or hwpt_nested. Depended on by every
 *	 group attached to it and, as a parent, by nested tables
 * @idom: the domain and its driver, which is held. For a paging table it mirrors
 *	  the IOAS
 * @ioas: the address space of a paging table; depended on. NULL if nested
 * @parent: the paging table below a nested one; depended on. NULL if paging
 * @viommu: the vIOMMU that a nested table was made on; depended on. Else NULL
 * @fault: where page requests made through it go; depended on. NULL without
 *	   FAULT_ID_VALID
 * @is_auto: made because a device was attached to an IOAS; goes with the last
 *	     device. Constant
 * @nest_parent: may have nested tables above it; constant
 * @enforces_coherency: DMA that asks not to be snooped is snooped all the same;
 *			changes only from false to true, while @ioas has no areas,
 *			under the shape lock of its address space
 * @for_pasids: made with ALLOC_PASID: PASIDs may be attached to it; constant
 * @msi_cookie: the IOMMU core maps interrupt controllers in it; stays so
 * @msi_users: attachments so far that may have made it do so: the addresses are
 *	       reserved unless this is 0. Both under the shape lock
 * @tracks_dirty: made with DIRTY_TRACKING; constant
 * @dirty_on: tracking is switched on; under the shape lock
 * @mirrors: the domain was added to the address space
 */
struct iommufd_hwpt {
	struct iommufd_object obj;
	struct iopt_domain idom;
	struct iommufd_ioas *ioas;
	struct iommufd_hwpt *parent;
	struct viommu_object *viommu;
	struct iommufd_fault *fault;
	bool is_auto;
	bool nest_parent;
	bool enforces_coherency;
	bool for_pasids;
	bool msi_cookie;
	unsigned long msi_users;
	bool tracks_dirty;
	bool dirty_on;
	bool mirrors;
};

static inline struct iommufd_hwpt *to_hwpt(struct iommufd_object *obj)
{
	return container_of(obj, struct iommufd_hwpt, obj);
}

static inline bool iommufd_object_is_hwpt(const struct iommufd_object *obj)
{
	return obj->type == &iommufd_hwpt_paging_type ||
	       obj->type == &iommufd_hwpt_nested_type;
}

/* The address space behind a table, through its parent if it is nested. */
static inline struct iommufd_ioas *hwpt_ioas(const struct iommufd_hwpt *hwpt)
{
	return hwpt->parent ? hwpt->parent->ioas : hwpt->ioas;
}

static inline const char *hwpt_name(const struct iommufd_hwpt *hwpt)
{
	return hwpt->obj.type->name;
}

struct iommufd_hwpt *iommufd_hwpt_alloc_paging(struct iommufd_ioas *ioas,
					       struct iommufd_device *idev,
					       u32 flags,
					       const struct iommu_user_data *data,
					       bool is_auto);
int iommufd_hwpt_enforce_coherency(struct iommufd_hwpt *hwpt,
				   struct device *dev);
void iommufd_hwpt_drop(struct iommufd_hwpt *hwpt);

#endif

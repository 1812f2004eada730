/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one door between iommufd and the drivers of IOMMU hardware.
 *
 * A driver that knows about iommufd registers a struct iommufd_driver_ops for
 * the struct iommu_ops that it gave to the kernel's IOMMU core. Whatever
 * hardware is behind an iommu_ops that nobody registered is reached by the
 * adapter for built-in drivers, which offers what that iommu_ops can do and
 * refuses the rest with a reason.
 */
#ifndef __LINUX_IOMMUFD_DRIVER_H
#define __LINUX_IOMMUFD_DRIVER_H

#include <linux/iommu.h>
#include <linux/iommufd_reason.h>
#include <linux/types.h>

struct device;
struct iommufd_dirty_bitmap;
struct module;

/**
 * struct iommufd_run - physically contiguous memory
 * @phys: address of the first byte
 * @len: bytes, never 0
 */
struct iommufd_run {
	phys_addr_t phys;
	size_t len;
};

/**
 * struct iommufd_window - a stretch of IOVA that a domain translates
 * @first: first IOVA
 * @last: last IOVA, inclusive
 * @pgsizes: page sizes usable in it, one bit per size in bytes, never 0
 */
struct iommufd_window {
	unsigned long first;
	unsigned long last;
	unsigned long pgsizes;
};

/* More windows than a domain of any known IOMMU has. */
#define IOMMUFD_MAX_WINDOWS 8

/**
 * struct iommufd_hw_data - what GET_HW_INFO hands out
 * @type: enum iommu_hw_info_type, set by the driver
 * @len: bytes at @data
 * @data: kmalloc()ed by the driver, freed by the core; may be NULL
 * @max_pasid_log2: bits of the PASIDs that can be attached; 0 if none can
 */
struct iommufd_hw_data {
	u32 type;
	u32 len;
	void *data;
	u8 max_pasid_log2;
};

/**
 * struct iommufd_driver_ops - what iommufd asks of an IOMMU driver
 * @name: shown to users
 * @owner: held while a device or a domain of the driver is in use
 * @iommu_ops: the key: the iommu_ops of the devices that these ops serve
 * @hw_info: describe the hardware behind @dev. @type is the type asked for, or
 *	     IOMMU_HW_INFO_TYPE_DEFAULT. A driver without anything to say leaves
 *	     IOMMU_HW_INFO_TYPE_NONE and succeeds.
 * @capabilities: enum iommufd_hw_capabilities that really work for @dev
 * @alloc_paging: a domain for memory mapped by the kernel. @flags are
 *		  enum iommufd_hwpt_alloc_flags, @data is NULL without driver data
 * @alloc_nested: a domain of type IOMMU_DOMAIN_NESTED whose tables are in user
 *		  memory, translated in turn by @parent. Optional.
 * @invalidate: forward invalidations of a user's tables; array->entry_num comes
 *		back as the number handled. Optional.
 * @windows: fill in what @domain translates, sorted and disjoint, and return
 *	     how many (1..IOMMUFD_MAX_WINDOWS)
 * @map: enter @nr runs one after the other from @iova on, with leaves of the
 *	 sizes in @pgsizes only. *@mapped is how many bytes were entered, also on
 *	 failure; the caller unmaps them then. Never covers what is mapped.
 * @map_sync: make maps in [@iova, @iova + @len) visible to the hardware. Optional.
 * @set_dirty: start or stop recording what devices write through @domain, which
 *	       was made with IOMMU_HWPT_ALLOC_DIRTY_TRACKING. Optional
 * @read_dirty: call iommufd_dirty_set() for what was written in the range since
 *		it was last cleared, leaf by leaf, and clear it unless @flags has
 *		IOMMU_DIRTY_NO_CLEAR. What has to leave the IOTLB for later writes
 *		to be recorded is added to @gather. @bitmap is NULL to clear only.
 *		Optional, goes with @set_dirty
 * @unmap: remove the range, which is mapped throughout, and return its length
 *	   in bytes. Translations may stay cached until iommu_iotlb_sync().
 *
 * All callbacks may sleep. map and unmap of disjoint ranges run concurrently.
 * All are called with the device bound (its group's ownership claimed), the
 * domain callbacks with the domain alive and its page-table shape locked.
 * Every failure is explained with iommufd_refuse().
 */
struct iommufd_driver_ops {
	const char *name;
	struct module *owner;
	const struct iommu_ops *iommu_ops;

	int (*hw_info)(struct device *dev, u32 type,
		       struct iommufd_hw_data *out);
	u64 (*capabilities)(struct device *dev);

	struct iommu_domain *(*alloc_paging)(struct device *dev, u32 flags,
					     const struct iommu_user_data *data);
	struct iommu_domain *(*alloc_nested)(struct device *dev,
					     struct iommu_domain *parent,
					     u32 flags,
					     const struct iommu_user_data *data);
	int (*invalidate)(struct iommu_domain *nested,
			  struct iommu_user_data_array *array);

	unsigned int (*windows)(struct iommu_domain *domain,
				struct iommufd_window *out);
	int (*map)(struct iommu_domain *domain, unsigned long iova,
		   const struct iommufd_run *runs, unsigned int nr, int prot,
		   unsigned long pgsizes, size_t *mapped);
	int (*map_sync)(struct iommu_domain *domain, unsigned long iova,
			size_t len);
	size_t (*unmap)(struct iommu_domain *domain, unsigned long iova,
			size_t len, struct iommu_iotlb_gather *gather);
	int (*set_dirty)(struct iommu_domain *domain, bool enable);
	int (*read_dirty)(struct iommu_domain *domain, unsigned long iova,
			  size_t len, unsigned long flags,
			  struct iommufd_dirty_bitmap *bitmap,
			  struct iommu_iotlb_gather *gather);
};

void iommufd_dirty_set(struct iommufd_dirty_bitmap *bitmap, unsigned long iova,
		       size_t len);

int iommufd_register_driver(const struct iommufd_driver_ops *ops);
void iommufd_unregister_driver(const struct iommufd_driver_ops *ops);

#endif

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
#include <uapi/linux/iommufd_ext.h>

struct device;
struct iommufd_dirty_bitmap;
struct iommufd_hw_queue;
struct iommufd_vdevice;
struct iommufd_viommu;
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
 * struct iommufd_device_windows - what a device can use, before it is attached
 * @nr_defaults: used entries of @defaults
 * @defaults: what a domain translates that is made without any data, sorted
 * @max_windows: how many windows alloc_windows() takes
 * @nr_places: used entries of @places
 * @places: where these windows can be, sorted
 */
struct iommufd_device_windows {
	unsigned int nr_defaults;
	struct iommufd_window defaults[IOMMUFD_MAX_WINDOWS];
	unsigned int max_windows;
	unsigned int nr_places;
	struct iommu_ext_range places[IOMMUFD_MAX_WINDOWS];
};

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
 * struct iommufd_viommu_ops - what iommufd asks of the driver of a vIOMMU
 * @destroy: undo viommu_init(); nothing else of the vIOMMU is left. Optional
 * @alloc_nested: a domain of type IOMMU_DOMAIN_NESTED over @viommu->parent, for
 *		  devices behind the vIOMMU. Optional
 * @invalidate: handle what the guest's driver asks of its IOMMU;
 *		array->entry_num comes back as the number of entries that were
 *		handled in full, also on failure. With no entries only the type is
 *		to be checked. Optional
 * @vdevice_init: tie @vdev->dev to @vdev->virt_id, which is unique in the vIOMMU.
 *		  Called with the vIOMMU locked for this alone, and while the
 *		  device is not being attached or detached. Optional
 * @vdevice_destroy: undo vdevice_init(), in the same context and before the
 *		     device is unbound. The device may still be attached to a nested
 *		     table of the vIOMMU. Optional
 * @hw_queue_supported: whether there are queues of this enum
 *			iommu_hw_queue_type. Optional, without it there are none
 * @hw_queue_init: let the hardware use @hwq, whose memory is pinned and
 *		   contiguous from @hwq->phys on. Neither this nor
 *		   hw_queue_destroy() is called twice at once for one vIOMMU
 * @hw_queue_destroy: and stop it, before the memory is unpinned
 * @events_supported: whether there are events of this enum iommu_veventq_type.
 *		      Optional, without it there are none
 * @checks_names: attaching a device to a nested table of the vIOMMU is for the driver to
 *		  refuse (-ENOENT) where it needs a vDEVICE; else it always does
 *
 * All may sleep and explain their failures with iommufd_refuse().
 */
struct iommufd_viommu_ops {
	void (*destroy)(struct iommufd_viommu *viommu);
	struct iommu_domain *(*alloc_nested)(struct iommufd_viommu *viommu,
					     struct device *dev, u32 flags,
					     const struct iommu_user_data *data);
	int (*invalidate)(struct iommufd_viommu *viommu,
			  struct iommu_user_data_array *array);
	int (*vdevice_init)(struct iommufd_vdevice *vdev);
	void (*vdevice_destroy)(struct iommufd_vdevice *vdev);
	bool (*hw_queue_supported)(struct iommufd_viommu *viommu, u32 type);
	int (*hw_queue_init)(struct iommufd_hw_queue *hwq);
	void (*hw_queue_destroy)(struct iommufd_hw_queue *hwq);
	bool (*events_supported)(struct iommufd_viommu *viommu, u32 type);
	bool checks_names;
};

/**
 * struct iommufd_viommu - one VM's slice of a physical IOMMU, as its driver sees it
 * @ops: set by the driver in viommu_init()
 * @parent: the nesting parent that every address of the VM goes through
 * @iommu_dev: the physical IOMMU; only devices behind it come into the vIOMMU
 * @type: enum iommu_viommu_type
 * @priv: the driver's
 *
 * Embedded in an object of the core. Constant once viommu_init() has returned.
 */
struct iommufd_viommu {
	const struct iommufd_viommu_ops *ops;
	struct iommu_domain *parent;
	struct iommu_device *iommu_dev;
	u32 type;
	void *priv;
};

/**
 * struct iommufd_vdevice - a device in a vIOMMU, as the driver sees it
 * @viommu: the vIOMMU
 * @dev: the device; bound as long as the vDEVICE exists
 * @virt_id: what the guest's IOMMU driver calls it: stream id, device id, RID
 * @priv: the driver's
 */
struct iommufd_vdevice {
	struct iommufd_viommu *viommu;
	struct device *dev;
	u64 virt_id;
	void *priv;
};

/**
 * struct iommufd_hw_queue - a queue in guest memory that hardware reads itself
 * @viommu: the vIOMMU
 * @type: enum iommu_hw_queue_type
 * @index: which of the vIOMMU's queues of this type
 * @iova: address of its first byte in the nesting parent
 * @length: bytes
 * @phys: physical address of its first byte; @length bytes from it are pinned
 * @priv: the driver's
 */
struct iommufd_hw_queue {
	struct iommufd_viommu *viommu;
	u32 type;
	u32 index;
	u64 iova;
	size_t length;
	phys_addr_t phys;
	void *priv;
};

/**
 * struct iommufd_page_response - the answer to a group of page requests
 * @pasid: of the requests, if @has_pasid
 * @grpid: page request group index
 * @has_pasid: the requests had a PASID, and the answer needs it
 * @code: enum iommu_page_response_code of linux/iommu.h
 */
struct iommufd_page_response {
	u32 pasid;
	u32 grpid;
	bool has_pasid;
	u32 code;
};

/**
 * struct iommufd_driver_ops - what iommufd asks of an IOMMU driver
 * @name: shown to users
 * @owner: held while a device or a domain of the driver is in use
 * @iommu_ops: the key: the iommu_ops of the devices that these ops serve
 * @untranslated: devices use physical addresses and reach all memory; page tables
 *		  only keep it in place. The user learns the addresses by
 *		  IOMMU_IOAS_NOIOMMU_GET_PA
 * @msi_isolated: no device raises interrupts that are not its own, although the
 *		  kernel's interrupt domains do not say so
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
 * @shares_tables: whether a domain made for @a can be attached to @b, which is
 *		   behind another IOMMU of the same iommu_ops, if both support the
 *		   flags it was made with. Must not promise what attaching
 *		   refuses. Optional: without it nothing is promised
 * @device_windows: fill in @out without making a domain. Optional: without it a
 *		    domain is made, asked for its windows, and freed
 * @alloc_windows: a domain that translates the @nr windows and nothing else, all
 *		   or none. They make sense (no wrap, no overlap, multiples of
 *		   their page size) and are the caller's memory: what each got is
 *		   written there, longer than asked if it has to be. -ENOSPC,
 *		   explained with the number of the window and the limit. Optional:
 *		   without it the windows of alloc_paging() have to cover what is
 *		   asked for. Goes with @device_windows
 * @connect: make the hardware ready before the group of @dev is attached to @domain,
 *	     with all that is mapped there. Unlike attaching, not under the mutex of
 *	     the IOMMU group; the group is attached to nothing, or disconnected from
 *	     what it is attached to. -EINVAL if the domain does not suit. Optional
 * @disconnect: undo it before the group of @dev is detached, or moved to another
 *		domain. The devices reach nothing when it returns. Goes with @connect
 * @viommu_init: make a vIOMMU of @viommu->type for the IOMMU of @dev, with all
 *		 fields but ops and priv filled in. @data is the user's, to be
 *		 read and answered through its uptr, or NULL. -EOPNOTSUPP for an
 *		 unknown type. Optional
 * @replace_pasid: move a PASID of @dev from @old to @new without a moment in which
 *		   its requests are refused; on failure nothing has changed. -EOPNOTSUPP
 *		   if that cannot be done between these two.
 *		   The mutex of the device's IOMMU group is held. Optional:
 *		   without it, and then, the PASID is detached and attached
 * @enable_faults: let @dev send page requests, which the driver hands to
 *		   iommufd_report_fault(). Called before the device is first
 *		   attached to a page table with a fault queue. Optional
 * @disable_faults: undo it, after the last such attachment; returns when no
 *		    iommufd_report_fault() for @dev is under way or will come
 * @page_response: answer a group of page requests of @dev. Goes with
 *		   @enable_faults. Called at any time between the two, from several
 *		   threads at once, also from within iommufd_report_fault(), for
 *		   which it must not wait
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
	bool untranslated;
	bool msi_isolated;

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

	bool (*shares_tables)(struct device *a, struct device *b);
	int (*device_windows)(struct device *dev,
			      struct iommufd_device_windows *out);
	struct iommu_domain *(*alloc_windows)(struct device *dev, u32 flags,
					      struct iommu_ext_window *windows,
					      unsigned int nr);

	int (*connect)(struct iommu_domain *domain, struct device *dev);
	void (*disconnect)(struct iommu_domain *domain, struct device *dev);

	int (*viommu_init)(struct iommufd_viommu *viommu, struct device *dev,
			   const struct iommu_user_data *data);
	int (*replace_pasid)(struct iommu_domain *new, struct iommu_domain *old,
			     struct device *dev, ioasid_t pasid);
	int (*enable_faults)(struct device *dev);
	void (*disable_faults)(struct device *dev);
	void (*page_response)(struct device *dev,
			      const struct iommufd_page_response *response);
};

void iommufd_dirty_set(struct iommufd_dirty_bitmap *bitmap, unsigned long iova,
		       size_t len);

/*
 * For drivers with vIOMMUs and faults; what each does stands at its definition.
 * iommufd_viommu_device() is to be used between iommufd_viommu_lock() and
 * iommufd_viommu_unlock(), within which no vDEVICE comes or goes.
 */
void iommufd_viommu_lock(struct iommufd_viommu *viommu);
void iommufd_viommu_unlock(struct iommufd_viommu *viommu);
struct iommufd_vdevice *iommufd_viommu_device(struct iommufd_viommu *viommu,
					      u64 virt_id);
struct iommufd_vdevice *iommufd_viommu_vdevice_of(struct iommufd_viommu *viommu,
						  struct device *dev);
int iommufd_viommu_add_region(struct iommufd_viommu *viommu, phys_addr_t phys,
			      size_t length, unsigned long *offset);
void iommufd_viommu_remove_region(struct iommufd_viommu *viommu,
				  unsigned long offset);
int iommufd_hw_queue_depend(struct iommufd_hw_queue *hwq);
void iommufd_hw_queue_undepend(struct iommufd_hw_queue *hwq);
int iommufd_viommu_report_event(struct iommufd_viommu *viommu, u32 type,
				const void *data, size_t length);
int iommufd_report_fault(struct device *dev,
			 const struct iommu_fault_page_request *request);

/*
 * Copying what the user says to the driver. @to points to the structure that is
 * known today, @last is the last member of its first version.
 */
int __iommufd_read_data(void *to, size_t size, size_t min_size,
			const struct iommu_user_data *data, u32 type);
int iommufd_write_data(const struct iommu_user_data *data, const void *from);

#define iommufd_read_data(to, last, data, type)				\
	__iommufd_read_data(to, sizeof(*(to)),				\
			    offsetofend(typeof(*(to)), last), data, type)
/* Bytes of entries, as the kernel knows them, that are handled at a time. */
#define IOMMUFD_ENTRIES_SIZE 512

/**
 * struct iommufd_entries - what a driver does with invalidations of a user
 * @type: enum iommu_hwpt_invalidate_data_type
 * @size: bytes of an entry as it is known today, up to IOMMUFD_ENTRIES_SIZE
 * @min_size: bytes that the first version of it had
 * @one: handle an entry of @size bytes, zero beyond what the user has. 0 or an
 *	 explained errno, with which it ends
 * @finish: do what was only begun by the calls of @one since the last time, of which
 *	    there were no more than fit into IOMMUFD_ENTRIES_SIZE, the last of them
 *	    perhaps in vain. Cannot fail. Optional
 *
 * See iommufd_run_entries(), which has the locks.
 */
struct iommufd_entries {
	u32 type;
	size_t size;
	size_t min_size;
	int (*one)(void *context, const void *entry);
	void (*finish)(void *context);
};

int iommufd_run_entries(struct iommufd_viommu *viommu,
			struct iommu_user_data_array *array,
			const struct iommufd_entries *how, void *context);

/**
 * struct iommufd_charge - memory of tables that a user is charged for
 * @user: whose; NULL if nobody is charged
 * @npages: CPU pages
 */
struct iommufd_charge {
	struct user_struct *user;
	unsigned long npages;
};

int iommufd_charge(struct iommufd_charge *charge, unsigned long bytes);
void iommufd_uncharge(struct iommufd_charge *charge);

int iommufd_register_driver(const struct iommufd_driver_ops *ops);
void iommufd_unregister_driver(const struct iommufd_driver_ops *ops);

#endif

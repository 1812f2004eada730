/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An IOMMU without hardware. Its page tables are kept in memory and nothing ever
 * translates through them; they exist to be looked at by tests.
 */
#ifndef __IOMMUFD_MOCK_H
#define __IOMMUFD_MOCK_H

#include <linux/iommu.h>
#include <linux/iommufd_driver.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/xarray.h>
#include <uapi/linux/iommufd.h>
#include <uapi/linux/iommufd_test.h>

/* The granule of page tables: half a CPU page of 4 KiB. */
#define MOCK_SHIFT 11

/* How many answers a device remembers. */
#define MOCK_RESPONSES 64

/**
 * struct mock_faults - page requests of a device
 * @enable_lock: held for read while the device makes a request, for write while
 *		 they are enabled or disabled
 * @enabled: the IOMMU passes them on; under @enable_lock
 * @responses_lock: protects the rest; innermost
 * @nr_responses: how many answers the device got
 * @responses: the last of them, a ring
 * @debugfs: where tests see it; constant
 */
struct mock_faults {
	struct rw_semaphore enable_lock;
	bool enabled;
	spinlock_t responses_lock;
	unsigned int nr_responses;
	struct iommufd_page_response responses[MOCK_RESPONSES];
	struct dentry *debugfs;
};

/* All units of the mock, and the one that has windows. */
#define MOCK_UNITS 3
#define MOCK_UNIT_WINDOWED 2

/**
 * struct mock_unit - one mock IOMMU
 * @iommu: what the IOMMU core knows it by
 * @hw: what stands for its registers
 *
 * Constant while the module is loaded.
 */
struct mock_unit {
	struct iommu_device iommu;
	struct platform_device *hw;
};

/**
 * struct mock_device - what the IOMMU knows about one of its devices
 * @no_dirty: its IOMMU cannot record what it writes; constant
 * @has_pasid: it can tag requests with a PASID; constant
 * @cache: what a VM invalidates through its vIOMMU; each word is written in one
 *	   piece
 * @pasids: struct iommu_domain by PASID; written under the mutex of its group
 * @reserved_sets: how often IOMMU_TEST_PASID_RESERVED has been set since it was
 *		   last removed; under that mutex
 * @faults: its page requests
 * @vdev_lock: protects @vdev
 * @vdev: what it is in a vIOMMU, NULL if it is in none
 *
 * Allocated when the IOMMU core asks for the device, freed when it releases it.
 */
struct mock_device {
	bool no_dirty;
	bool has_pasid;
	u32 cache[MOCK_DEV_CACHE_NUM];
	struct xarray pasids;
	unsigned int reserved_sets;
	struct mock_faults faults;
	struct mutex vdev_lock;
	struct iommufd_vdevice *vdev;
};

static inline struct mock_device *to_mock_device(struct device *dev)
{
	return dev_iommu_priv_get(dev);
}

/**
 * struct mock_domain - a page table
 * @domain: for the IOMMU core
 * @leaves: struct mock_leaf, packed, by address in granules. A leaf is one entry
 *	    that spans as many indices as it has granules. Its xa_lock protects
 *	    it and is innermost
 * @tracks: can record what devices write; constant
 * @recording: does so now
 * @nr_windows: used entries of @windows; 0 if it translates its aperture; constant
 * @windows: what it translates, sorted; constant
 */
struct mock_domain {
	struct iommu_domain domain;
	struct xarray leaves;
	bool tracks;
	bool recording;
	unsigned int nr_windows;
	struct iommufd_window windows[IOMMUFD_MAX_WINDOWS];
};

static inline struct mock_domain *to_mock_domain(struct iommu_domain *domain)
{
	return container_of(domain, struct mock_domain, domain);
}

/**
 * struct mock_leaf - an entry of a page table, unpacked
 * @iova: its first address, a multiple of its size
 * @phys: where it leads, a multiple of its size
 * @order: log2 of its size in granules
 * @writable: a device may write through it
 * @dirty: and has, while that was recorded
 */
struct mock_leaf {
	unsigned long iova;
	phys_addr_t phys;
	unsigned int order;
	bool writable;
	bool dirty;
};

static inline size_t mock_leaf_size(const struct mock_leaf *leaf)
{
	return 1UL << (MOCK_SHIFT + leaf->order);
}

void *mock_leaf_pack(const struct mock_leaf *leaf);
bool mock_leaf_next(struct xa_state *xas, unsigned long iova,
		    unsigned long last, struct mock_leaf *leaf);

/* How many leaves are looked at before others get the lock or the CPU. */
#define MOCK_BATCH 512

/* driver.c */
extern const struct iommu_ops mock_iommu_ops;
extern const struct iommu_ops mock_windowed_iommu_ops;
struct irq_domain *mock_irq_domain(void);

/* unit.c */
struct mock_unit *mock_unit_next(void);
struct mock_unit *mock_unit_of(const struct fwnode_handle *fwnode);
struct fwnode_handle *mock_unit_fwnode(const struct mock_unit *mu);
int mock_units_add(void);
void mock_units_remove(void);

/* windows.c */
int mock_device_windows(struct device *dev, struct iommufd_device_windows *out);
struct iommu_domain *mock_alloc_default_windows(struct device *dev, u32 flags,
						const struct iommu_user_data *data);
struct iommu_domain *mock_alloc_windows(struct device *dev, u32 flags,
					struct iommu_ext_window *windows,
					unsigned int nr);

/* device.c */
extern struct iommu_domain mock_blocked;
extern struct iommu_domain mock_idle;
struct iommu_device *mock_device_probe(struct device *dev);
void mock_device_release(struct device *dev);
struct device *mock_device_create(u32 flags);
void mock_device_destroy(struct device *dev);
int mock_hw_info(struct device *dev, u32 type, struct iommufd_hw_data *out);
u64 mock_capabilities(struct device *dev);

/* domain.c */
struct iommu_domain *mock_alloc_paging(struct device *dev, u32 flags,
				       const struct iommu_user_data *data);
bool mock_owns(const struct iommu_domain *domain);
int mock_suits(struct iommu_domain *domain, struct device *dev);
unsigned int mock_windows(struct iommu_domain *domain,
			  struct iommufd_window *out);
int mock_map(struct iommu_domain *domain, unsigned long iova,
	     const struct iommufd_run *runs, unsigned int nr, int prot,
	     unsigned long pgsizes, size_t *mapped);
size_t mock_unmap(struct iommu_domain *domain, unsigned long iova, size_t len,
		  struct iommu_iotlb_gather *gather);

/* nested.c */
struct iommu_domain *mock_alloc_nested(struct device *dev,
				       struct iommu_domain *parent, u32 flags,
				       const struct iommu_user_data *data);
int mock_nested_invalidate(struct iommu_domain *domain,
			   struct iommu_user_data_array *array);
int mock_nested_iotlb(struct iommu_domain *domain, u32 id, u32 *value);

/* viommu.c */
int mock_viommu_init(struct iommufd_viommu *viommu, struct device *dev,
		     const struct iommu_user_data *data);
int mock_device_cache(struct device *dev, u32 id, u32 *value);

/* msi.c */
void mock_get_resv_regions(struct device *dev, struct list_head *head);

/* pasid.c */
int mock_set_dev_pasid(struct iommu_domain *domain, struct device *dev,
		       ioasid_t pasid, struct iommu_domain *old);
void mock_remove_dev_pasid(struct device *dev, ioasid_t pasid,
			   struct iommu_domain *domain);
int mock_replace_pasid(struct iommu_domain *new, struct iommu_domain *old,
		       struct device *dev, ioasid_t pasid);
const struct iommu_domain *mock_pasid_domain(struct device *dev, u32 pasid);

/* dirty.c */
int mock_set_dirty(struct iommu_domain *domain, bool enable);
int mock_read_dirty(struct iommu_domain *domain, unsigned long iova, size_t len,
		    unsigned long flags, struct iommufd_dirty_bitmap *bitmap,
		    struct iommu_iotlb_gather *gather);
bool mock_tracks_dirty(const struct iommu_domain *domain);
bool mock_mark_dirty(struct iommu_domain *domain, unsigned long iova,
		     size_t len);

/* fault.c */
void mock_faults_add(struct device *dev);
void mock_faults_remove(struct device *dev);
int mock_page_request(struct device *dev,
		      const struct iommu_fault_page_request *request);
int mock_enable_faults(struct device *dev);
void mock_disable_faults(struct device *dev);
void mock_page_response(struct device *dev,
			const struct iommufd_page_response *response);
void mock_faults_init(void);
void mock_faults_exit(void);

/* event.c */
bool mock_events_supported(struct iommufd_viommu *viommu, u32 type);
void mock_events_vdevice(struct device *dev, struct iommufd_vdevice *vdev);
int mock_trigger_vevent(struct device *dev);

/* dmabuf.c */
int mock_dmabuf_get(size_t len, int open_flags);
int mock_dmabuf_revoke(int fd, bool revoked);
int mock_dmabuf_init(void);
void mock_dmabuf_exit(void);

#endif

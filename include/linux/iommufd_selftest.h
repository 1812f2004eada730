/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the selftest ioctl, which is part of iommufd, and the mock IOMMU,
 * which is a module of its own. Everything that devices and page tables of the
 * mock have in common with others goes through the door of iommufd_driver.h.
 */
#ifndef __LINUX_IOMMUFD_SELFTEST_H
#define __LINUX_IOMMUFD_SELFTEST_H

#include <linux/types.h>

struct device;
struct iommu_domain;
struct iommu_fault_page_request;
struct iommufd_driver_ops;
struct module;

/**
 * struct iommufd_selftest_ops - what the selftest ioctl asks of the mock IOMMU
 * @owner: held during each call and as long as a device exists
 * @driver: what serves the devices of the mock
 * @device_create: make a device of MOCK_FLAGS_DEVICE_... behind the mock IOMMU, in
 *		   a group of its own; an ERR_PTR on failure
 * @device_destroy: remove it; it is bound to nobody
 * @owns: whether a domain is a paging domain of the mock
 * @tracks_dirty: whether such a domain records what devices write just now
 * @mark_dirty: do to a domain of the mock what a device does that writes to
 *		[@iova, @iova + @len); whether anything there is writeable
 * @nested_iotlb: read word @id of the IOTLB of a nested domain; -EINVAL if it has
 *		  none or is not the mock's
 * @device_cache: the same for the cache of a device
 * @pasid_domain: where requests of a device with a PASID go now; NULL if nowhere
 * @page_request: let a device of the mock ask for a page
 * @trigger_vevent: let it cause an event of the vIOMMU that it is in; -ENOENT if it
 *		    is in none
 * @dmabuf_get: make a dma-buf of @len bytes of kernel memory, a multiple of
 *		PAGE_SIZE; a file descriptor of the current process
 * @dmabuf_revoke: take its memory away or give it back; -EINVAL if @fd is not a
 *		   dma-buf of the mock
 *
 * All may sleep, and explain their failures with iommufd_refuse().
 */
struct iommufd_selftest_ops {
	struct module *owner;
	const struct iommufd_driver_ops *driver;
	struct device *(*device_create)(u32 flags);
	void (*device_destroy)(struct device *dev);
	bool (*owns)(const struct iommu_domain *domain);
	bool (*tracks_dirty)(const struct iommu_domain *domain);
	bool (*mark_dirty)(struct iommu_domain *domain, unsigned long iova,
			   size_t len);
	int (*nested_iotlb)(struct iommu_domain *domain, u32 id, u32 *value);
	int (*device_cache)(struct device *dev, u32 id, u32 *value);
	const struct iommu_domain *(*pasid_domain)(struct device *dev, u32 pasid);
	int (*page_request)(struct device *dev,
			    const struct iommu_fault_page_request *request);
	int (*trigger_vevent)(struct device *dev);
	int (*dmabuf_get)(size_t len, int open_flags);
	int (*dmabuf_revoke)(int fd, bool revoked);
};

int iommufd_register_selftest(const struct iommufd_selftest_ops *ops);
void iommufd_unregister_selftest(const struct iommufd_selftest_ops *ops);

#endif

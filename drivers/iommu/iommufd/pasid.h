/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_PASID_H
#define __IOMMUFD_PASID_H

#include <linux/iommu.h>
#include <linux/types.h>

struct iommufd_device;
struct iommufd_group;
struct iommufd_hw_data;
struct iommufd_hwpt;
struct iommufd_object;
struct seq_file;

/**
 * struct iommufd_pasid - one PASID of a device that is attached
 * @idev: the device that asked for it; constant
 * @hwpt: what it is attached to. Depended on once; changes under the group's lock
 * @handle: what the IOMMU core knows the attachment by; one for as long as it
 *	    lasts, whatever it is moved to
 *
 * In iommufd_group.pasids by its number. The kernel's IOMMU core attaches a PASID
 * for all devices of a group, so it belongs to one of them: PCIe only lets a
 * device use PASIDs if no request of it can reach another device unseen, and
 * hardly any such device shares its group.
 */
struct iommufd_pasid {
	struct iommufd_device *idev;
	struct iommufd_hwpt *hwpt;
	struct iommu_attach_handle handle;
};

int iommufd_pasid_allows_rid(struct iommufd_group *igroup,
			     struct iommufd_device *idev,
			     struct iommufd_hwpt *hwpt);
bool iommufd_pasid_uses(const struct iommufd_device *idev,
			const struct iommufd_object *other);
void iommufd_pasid_show(struct iommufd_device *idev, struct seq_file *m);
u64 iommufd_pasid_describe(struct device *dev, struct iommufd_hw_data *info);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_MSI_H
#define __IOMMUFD_MSI_H

#include <linux/types.h>

struct iommufd_device;
struct iommufd_hwpt;

int iommufd_msi_open(struct iommufd_device *idev, struct iommufd_hwpt *hwpt,
		     bool *opened);
void iommufd_msi_undo(struct iommufd_hwpt *hwpt);
void iommufd_msi_forget(struct iommufd_hwpt *hwpt);
void iommufd_msi_destroy(struct iommufd_hwpt *hwpt);

#endif

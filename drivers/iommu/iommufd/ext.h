/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What <linux/iommufd_ext.h> adds to the commands.
 */
#ifndef __IOMMUFD_EXT_H
#define __IOMMUFD_EXT_H

#include <linux/iommu.h>
#include <uapi/linux/iommufd_ext.h>

struct iommufd_device;
struct iommufd_hw_data;
struct iommufd_ioas;
struct windows_request;

/* ext.c */
bool iommufd_ext_knows(u32 type);
int iommufd_ext_hw_info(struct iommufd_device *idev, u32 type,
			struct iommufd_hw_data *out);

/* windows.c */
int windows_hw_info(struct iommufd_device *idev, struct iommufd_hw_data *out);
struct windows_request *windows_request_read(const struct iommu_user_data *data);
struct iommu_domain *windows_request_alloc(struct windows_request *request,
					   struct iommufd_device *idev,
					   u32 flags);
int windows_request_answer(struct windows_request *request,
			   struct iommufd_ioas *ioas,
			   struct iommufd_device *idev);

#endif

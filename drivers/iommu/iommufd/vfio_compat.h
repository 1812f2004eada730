/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What programs written for VFIO's type1 container find on /dev/iommu.
 */
#ifndef __IOMMUFD_VFIO_COMPAT_H
#define __IOMMUFD_VFIO_COMPAT_H

struct iommufd_ctx;
struct iommufd_ioas;

struct iommufd_ioas *iommufd_compat_ioas_get(struct iommufd_ctx *ictx);
long iommufd_vfio_ioctl(struct iommufd_ctx *ictx, unsigned int cmd,
			unsigned long arg);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one place, beside hw_builtin.c, for what differs between kernel versions.
 */
#ifndef __IOMMUFD_COMPAT_H
#define __IOMMUFD_COMPAT_H

#include <linux/iommu.h>

/* Exported by the IOMMU core, declared in no installed header. */
int iommu_attach_group_handle(struct iommu_domain *to,
			      struct iommu_group *who,
			      struct iommu_attach_handle *by);
int iommu_replace_group_handle(struct iommu_group *who, struct iommu_domain *to,
			       struct iommu_attach_handle *by);
void iommu_detach_group_handle(struct iommu_domain *from,
			       struct iommu_group *who);
struct iommu_attach_handle *
iommu_attach_handle_get(struct iommu_group *whose, ioasid_t pasid,
			unsigned int type);

#endif

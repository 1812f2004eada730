/* SPDX-License-Identifier: GPL-2.0-only */
/* Guests: nested page tables and the vIOMMUs that they belong to. */
#ifndef __SMMU_VIOMMU_H
#define __SMMU_VIOMMU_H

#include "smmu.h"

/* Commands that are handed to hardware at once. */
#define SMMU_GUEST_BATCH 32

/**
 * struct smmu_viommu - what a guest sees of a unit
 * @viommu: the core's part
 * @du: the nesting parent as the unit knows it for this guest, with its VMID; constant
 * @commands: of the guest that are to be executed; with the vIOMMU locked
 * @nr: how many
 */
struct smmu_viommu {
	struct iommufd_viommu *viommu;
	struct smmu_domain_unit *du;
	struct smmu_command commands[SMMU_GUEST_BATCH];
	unsigned int nr;
};

/* nested.c */
struct iommu_domain *smmu_nested_alloc(struct iommufd_viommu *viommu,
				       struct device *dev, u32 flags,
				       const struct iommu_user_data *data);
struct smmu_ste smmu_ste_nested(const struct smmu_domain *domain);

/* viommu.c */
const char *smmu_unit_lacks_nesting(const struct smmu_unit *unit);
int smmu_viommu_init(struct iommufd_viommu *viommu, struct device *dev,
		     const struct iommu_user_data *data);
void smmu_viommu_event(struct smmu_device *sdev, const struct smmu_event *event);

#endif

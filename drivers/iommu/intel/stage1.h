/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The first stage of a guest: what a user may say of it, and the entry of a
 * PASID table that is made of it. Numbers in, numbers out, so that all of it is
 * tested on the build machine (tools/testing/vtd).
 */
#ifndef __VTD_STAGE1_H
#define __VTD_STAGE1_H

#include <linux/types.h>
#include <uapi/linux/iommufd.h>

#include "spec/pasid.h"

struct iommu_ext_hwpt_vtd_guest;

/**
 * struct vtd_stage1 - a first stage whose description was found to be right
 * @w: the bits that it takes of the first words of an entry, nothing else
 * @did: what the guest's domain id is
 * @has_did: whether that was told
 */
struct vtd_stage1 {
	u64 w[3];
	u16 did;
	bool has_did;
};

int vtd_stage1_from_flags(struct vtd_stage1 *stage1,
			  const struct iommu_hwpt_vtd_s1 *data);
int vtd_stage1_from_entry(struct vtd_stage1 *stage1,
			  const struct iommu_ext_hwpt_vtd_guest *data);
const char *vtd_stage1_lacks(const struct vtd_stage1 *stage1, u64 cap, u64 ecap);
int vtd_stage1_check(const struct vtd_stage1 *stage1, u64 cap, u64 ecap,
		     unsigned int parent_bits);
int vtd_stage1_range(const struct iommu_hwpt_vtd_s1_invalidate *inv, u64 *first,
		     u64 *last);
struct vtd_pasid_entry vtd_stage1_over(const struct vtd_stage1 *stage1,
				       struct vtd_pasid_entry second);

#endif

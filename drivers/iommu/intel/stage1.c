// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first stage of a guest over our second stage, 3.8: which bits of an entry of
 * the PASID table are the guest's to choose.
 *
 * The entry is the one of the second stage with these added, so that what decides
 * over memory - the second-stage table, its levels, the domain id - is not touched
 * by anything a user says. What the guest has an effect on is how its own tables
 * are read: where they are, as an address that the second stage translates, how
 * many levels they have, and which of their bits count.
 */
#include <linux/errno.h>
#include <linux/iommufd_reason.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <uapi/linux/iommufd_ext.h>

#include "spec/regs.h"
#include "stage1.h"

#define S1_FLAGS (IOMMU_VTD_S1_SRE | IOMMU_VTD_S1_EAFE | IOMMU_VTD_S1_WPE)

/* What an entry of a guest may have set, whether or not it is used. */
static const u64 guest_bits[8] = {
	/* AW counts for a second stage only, and guests write it anyway */
	VTD_PE_0_P | VTD_PE_0_FPD | VTD_PE_0_AW | VTD_PE_0_PGTT,
	VTD_PE_1_DID | VTD_PE_1_PWSNP | VTD_PE_1_PGSNP,
	VTD_PE_2_SRE | VTD_PE_2_FSPM | VTD_PE_2_WPE | VTD_PE_2_NXE |
	VTD_PE_2_EAFE | VTD_PE_2_FSPTPTR,
};

/**
 * vtd_stage1_from_flags - read what mainline's structure says
 * @stage1: receives it
 * @data: from the user
 *
 * Return: 0 or an explained errno: -EOPNOTSUPP a flag or member that is not
 *	   defined, -EINVAL a value that cannot be
 */
int vtd_stage1_from_flags(struct vtd_stage1 *stage1,
			  const struct iommu_hwpt_vtd_s1 *data)
{
	if (data->flags & ~(u64)S1_FLAGS)
		return iommufd_refuse(-EOPNOTSUPP,
				      "a first stage has no flags 0x%llx",
				      data->flags & ~(u64)S1_FLAGS);
	if (data->__reserved)
		return iommufd_refuse(-EOPNOTSUPP, "__reserved is 0x%x, not 0",
				      data->__reserved);
	if (data->addr_width != 48 && data->addr_width != 57)
		return iommufd_refuse(-EINVAL,
				      "a first stage translates 48 or 57 bits, not %u",
				      data->addr_width);
	if (data->pgtbl_addr & ~VTD_PE_2_FSPTPTR)
		return iommufd_refuse(-EINVAL,
				      "the table at 0x%llx does not begin with a page",
				      data->pgtbl_addr);
	memset(stage1, 0, sizeof(*stage1));
	/* bit 63 of an entry is the guest's: without it, it would be reserved */
	stage1->w[2] = data->pgtbl_addr | VTD_PE_2_NXE |
		       FIELD_PREP(VTD_PE_2_FSPM, data->addr_width == 57) |
		       (data->flags & IOMMU_VTD_S1_SRE ? VTD_PE_2_SRE : 0) |
		       (data->flags & IOMMU_VTD_S1_EAFE ? VTD_PE_2_EAFE : 0) |
		       (data->flags & IOMMU_VTD_S1_WPE ? VTD_PE_2_WPE : 0);
	return 0;
}

/**
 * vtd_stage1_from_entry - read an entry of a guest's own PASID table
 * @stage1: receives it
 * @data: from the user
 *
 * Return: 0 or -EINVAL, explained
 */
int vtd_stage1_from_entry(struct vtd_stage1 *stage1,
			  const struct iommu_ext_hwpt_vtd_guest *data)
{
	const __u64 *w = data->entry;
	unsigned int i;

	for (i = 0; i < 8; i++)
		if (w[i] & ~guest_bits[i])
			return iommufd_refuse(-EINVAL,
					      "word %u of the guest's entry has bits 0x%llx set, which a guest may not",
					      i, w[i] & ~guest_bits[i]);
	if (!(w[0] & VTD_PE_0_P))
		return iommufd_refuse(-EINVAL, "the guest's entry is not present");
	if (FIELD_GET(VTD_PE_0_PGTT, w[0]) != VTD_PGTT_FIRST)
		return iommufd_refuse(-EINVAL,
				      "the guest's entry is of type %llu, only a first stage (%u) can be nested",
				      FIELD_GET(VTD_PE_0_PGTT, w[0]),
				      VTD_PGTT_FIRST);
	if (FIELD_GET(VTD_PE_2_FSPM, w[2]) > 1)
		return iommufd_refuse(-EINVAL,
				      "the guest's entry has FSPM %llu, which is reserved",
				      FIELD_GET(VTD_PE_2_FSPM, w[2]));
	memset(stage1, 0, sizeof(*stage1));
	stage1->w[0] = w[0] & VTD_PE_0_FPD;
	stage1->w[1] = w[1] & (VTD_PE_1_PWSNP | VTD_PE_1_PGSNP);
	stage1->w[2] = w[2];
	stage1->did = FIELD_GET(VTD_PE_1_DID, w[1]);
	stage1->has_did = true;
	return 0;
}

/**
 * vtd_stage1_lacks - what a unit would need for a first stage
 * @stage1: the first stage
 * @cap: capability register of the unit
 * @ecap: its extended capability register
 *
 * Return: what it has not got, or NULL if it can walk these tables
 */
const char *vtd_stage1_lacks(const struct vtd_stage1 *stage1, u64 cap, u64 ecap)
{
	if (!(ecap & VTD_ECAP_NEST))
		return "nested translation (NEST)";
	if (FIELD_GET(VTD_PE_2_FSPM, stage1->w[2]) && !(cap & VTD_CAP_FS5LP))
		return "first stages of 57 bits (FS5LP)";
	if (stage1->w[2] & VTD_PE_2_SRE && !(ecap & VTD_ECAP_SRS))
		return "supervisor requests (SRS)";
	if (stage1->w[2] & VTD_PE_2_EAFE && !(ecap & VTD_ECAP_EAFS))
		return "the extended accessed flag (EAFS)";
	if (stage1->w[1] & VTD_PE_1_PWSNP && !(ecap & VTD_ECAP_SMPWCS))
		return "snooped page walks (SMPWCS)";
	if (stage1->w[1] & VTD_PE_1_PGSNP && !(ecap & VTD_ECAP_SC))
		return "snoop control (SC)";
	return NULL;
}

/**
 * vtd_stage1_check - whether a unit can have a first stage over a second one
 * @stage1: the first stage
 * @cap: capability register of the unit
 * @ecap: its extended capability register
 * @parent_bits: of the addresses that the second stage translates
 *
 * Return: 0 or -EINVAL, explained
 */
int vtd_stage1_check(const struct vtd_stage1 *stage1, u64 cap, u64 ecap,
		     unsigned int parent_bits)
{
	const char *lacks = vtd_stage1_lacks(stage1, cap, ecap);
	u64 top = stage1->w[2] & VTD_PE_2_FSPTPTR;

	if (lacks)
		return iommufd_refuse(-EINVAL,
				      "the unit does not have what this first stage needs: %s",
				      lacks);
	if (top >> parent_bits)
		return iommufd_refuse(-EINVAL,
				      "the table at 0x%llx is beyond the %u bits that the parent translates",
				      top, parent_bits);
	return 0;
}

/**
 * vtd_stage1_over - the entry for a first stage over a second one
 * @stage1: the first stage
 * @second: the entry for the second stage alone, with the domain id that tags what
 *	    the two make together
 *
 * Return: the entry
 */
struct vtd_pasid_entry vtd_stage1_over(const struct vtd_stage1 *stage1,
				       struct vtd_pasid_entry second)
{
	unsigned int i;

	second.w[0] &= ~VTD_PE_0_PGTT;
	second.w[0] |= FIELD_PREP(VTD_PE_0_PGTT, VTD_PGTT_NESTED);
	for (i = 0; i < 3; i++)
		second.w[i] |= stage1->w[i];
	return second;
}

/**
 * vtd_stage1_range - which addresses an invalidation is about
 * @inv: from the user
 * @first: receives the first address
 * @last: receives the last address
 *
 * Return: 0 or an explained errno: -EOPNOTSUPP a flag or member that is not
 *	   defined, -EINVAL a range that cannot be
 */
int vtd_stage1_range(const struct iommu_hwpt_vtd_s1_invalidate *inv, u64 *first,
		     u64 *last)
{
	if (inv->flags & ~IOMMU_VTD_INV_FLAGS_LEAF)
		return iommufd_refuse(-EOPNOTSUPP,
				      "an invalidation has no flags 0x%x",
				      inv->flags & ~IOMMU_VTD_INV_FLAGS_LEAF);
	if (inv->__reserved)
		return iommufd_refuse(-EOPNOTSUPP, "__reserved is 0x%x, not 0",
				      inv->__reserved);
	*first = inv->addr;
	*last = U64_MAX;
	if (!inv->addr && inv->npages == U64_MAX)
		return 0;
	if (inv->addr & 0xfff)
		return iommufd_refuse(-EINVAL, "0x%llx is not the begin of a page",
				      inv->addr);
	if (!inv->npages || inv->npages - 1 > (U64_MAX - inv->addr) >> 12)
		return iommufd_refuse(-EINVAL,
				      "0x%llx pages from 0x%llx on are not in 64 bits",
				      inv->npages, inv->addr);
	*last = inv->addr + (inv->npages << 12) - 1;
	return 0;
}

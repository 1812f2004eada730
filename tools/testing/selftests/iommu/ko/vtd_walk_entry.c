// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a requester to its page tables, 3.4: root table, context table and, in
 * scalable mode, directory and table of its PASID.
 */
#include <linux/bitfield.h>

#include "vtd_walk_ko.h"
#include "vtd_walk_spec.h"

static void pass(struct walker *k)
{
	k->w->attributes = VTD_WALK_THROUGH | VTD_WALK_CAN_READ |
			   VTD_WALK_CAN_WRITE;
	k->w->phys = k->w->address;
}

/* 9.3: as many levels as the unit says that it can have; 0: it cannot. */
static unsigned int second_levels(const struct walker *k, unsigned int aw)
{
	return aw >= 1 && aw <= 3 &&
	       FIELD_GET(CAP_SAGAW, k->cap) & BIT(aw) ? aw + 2 : 0;
}

static unsigned int legacy_context(struct walker *k, const u64 ce[2])
{
	bool translated = k->w->flags & (VTD_WALK_TRANSLATED | VTD_WALK_ATS);
	unsigned int tt = FIELD_GET(CE_TT, ce[0]);
	unsigned int levels = second_levels(k, FIELD_GET(CE_1_AW, ce[1]));

	if (!(ce[0] & CE_P))
		return LCT_2_NOT_PRESENT;
	if (ce[0] & (CE_0_RESERVED | beyond(k, 63)) || ce[1] & CE_1_RESERVED)
		return LCT_3_RESERVED;
	if (tt == 3 || (tt == TT_ALL && !(k->ecap & ECAP_DT)) ||
	    (tt == TT_PASS && !(k->ecap & ECAP_PT)) || !levels)
		return LCT_4_INVALID;
	if (translated && tt != TT_ALL)
		return LCT_5_TRANSLATED;
	k->w->did = FIELD_GET(CE_1_DID, ce[1]);
	if (tt == TT_PASS) {
		pass(k);
		return 0;
	}
	k->second.levels = levels;
	k->second.top = ce[0] & ENTRY_ADDRESS;
	return 0;
}

static unsigned int walk_legacy(struct walker *k, u64 root_table)
{
	u64 root[2], ce[2];
	u32 sid = k->w->sid;

	if (k->w->pasid != VTD_WALK_NO_PASID)
		return RTA_2_PASID;
	if (!walk_read(k, root_table + 16 * (sid >> 8), root, 2, VTD_WALK_ROOT,
		       0))
		return LRT_1_ACCESS;
	if (!(root[0] & ROOT_P))
		return LRT_2_NOT_PRESENT;
	if (root[0] & (ROOT_RESERVED | beyond(k, 63)) || root[1])
		return LRT_3_RESERVED;
	if (!walk_read(k, (root[0] & ENTRY_ADDRESS) + 16 * (sid & 0xff), ce, 2,
		       VTD_WALK_CONTEXT, 0))
		return LCT_1_ACCESS;
	return legacy_context(k, ce);
}

/* 9.6: bits that stand for what the unit does not have are reserved as well. */
static bool pasid_entry_reserved(const struct walker *k, const u64 e[8])
{
	u64 no_second = k->ecap & ECAP_SSADS ? 0 : PTE_0_SSADE;
	u64 one = PTE_1_RESERVED, two = PTE_2_RESERVED | beyond(k, 63);

	if (!(k->ecap & ECAP_SMPWCS))
		one |= PTE_1_PWSNP;
	if (!(k->ecap & ECAP_SC))
		one |= PTE_1_PGSNP;
	if (!(k->ecap & ECAP_MTS))
		one |= PTE_1_MEMORY_TYPE;
	if (!(k->ecap & ECAP_SRS))
		two |= PTE_2_SRE;
	/* NXE is about what entries look like: without requests to execute, too */
	if (!(k->ecap & ECAP_ERS))
		two |= PTE_2_ERE | PTE_2_SMEP;
	if (!(k->ecap & ECAP_EAFS))
		two |= PTE_2_EAFE;
	/* a guest's first-stage table lies where the guest likes */
	if (FIELD_GET(PTE_0_PGTT, e[0]) == PGTT_NESTED)
		two &= ~beyond(k, 63);
	return e[0] & (PTE_0_RESERVED | no_second | beyond(k, 63)) ||
	       e[1] & one || e[2] & two || e[3] || e[4] || e[5] || e[6] || e[7];
}

static bool takes_first(struct walker *k, const u64 e[8])
{
	unsigned int mode = FIELD_GET(PTE_2_FSPM, e[2]);

	if (mode > 1 || (mode == 1 && !(k->cap & CAP_FS5LP)))
		return false;
	k->first.levels = mode + 4;
	k->first.top = e[2] & ENTRY_ADDRESS;
	k->first.wpe = e[2] & PTE_2_WPE;
	k->first.nxe = e[2] & PTE_2_NXE;
	k->first.smep = e[2] & PTE_2_SMEP;
	k->first.eafe = e[2] & PTE_2_EAFE;
	k->first.snoop = e[1] & PTE_1_PGSNP;
	return true;
}

static bool takes_second(struct walker *k, const u64 e[8])
{
	k->second.levels = second_levels(k, FIELD_GET(PTE_0_AW, e[0]));
	k->second.top = e[0] & ENTRY_ADDRESS;
	k->second.ade = e[0] & PTE_0_SSADE;
	k->second.execute = e[0] & PTE_0_SSEE;
	return k->second.levels;
}

static unsigned int pasid_entry(struct walker *k, const u64 e[8], bool priv)
{
	unsigned int pgtt = FIELD_GET(PTE_0_PGTT, e[0]);
	bool valid = false;

	if (!(e[0] & PTE_0_P))
		return SPT_2_NOT_PRESENT;
	if (pasid_entry_reserved(k, e))
		return SPT_3_RESERVED;
	k->w->pgtt = pgtt;
	k->w->did = FIELD_GET(PTE_1_DID, e[1]);
	switch (pgtt) {
	case PGTT_FIRST:
		valid = k->ecap & ECAP_FSTS && takes_first(k, e);
		break;
	case PGTT_SECOND:
		valid = k->ecap & ECAP_SSTS && takes_second(k, e);
		break;
	case PGTT_NESTED:
		valid = k->ecap & ECAP_NEST && takes_first(k, e) &&
			takes_second(k, e);
		break;
	case PGTT_PASS:
		valid = k->ecap & ECAP_PT;
		break;
	}
	if (!valid)
		return SPT_4_INVALID;
	if (k->w->flags & VTD_WALK_EXEC && !(e[2] & PTE_2_ERE))
		return SPT_5_EXECUTE;
	if (priv && k->first.levels && !(e[2] & PTE_2_SRE))
		return SPT_6_SUPERVISOR;
	if (pgtt == PGTT_PASS)
		pass(k);
	return 0;
}

static unsigned int walk_pasid(struct walker *k, u64 directory, u32 pasid,
			       bool priv)
{
	u64 pde, e[8];

	if (!walk_read(k, directory + 8 * (pasid >> 6), &pde, 1,
		       VTD_WALK_DIRECTORY, 0))
		return SPD_1_ACCESS;
	if (!(pde & PDE_P))
		return SPD_2_NOT_PRESENT;
	if (pde & (PDE_RESERVED | beyond(k, 63)))
		return SPD_3_RESERVED;
	if (!walk_read(k, (pde & ENTRY_ADDRESS) + 64 * (pasid & 63), e, 8,
		       VTD_WALK_PASID_TABLE, 0))
		return SPT_1_ACCESS;
	return pasid_entry(k, e, priv);
}

static bool scontext_reserved(const struct walker *k, const u64 ce[4])
{
	u64 zero = SCE_0_RESERVED | beyond(k, 63), one = SCE_1_RESERVED;

	if (!(k->ecap & ECAP_DT))
		zero |= SCE_DTE;
	if (!(k->ecap & ECAP_PASID))
		zero |= SCE_PASIDE;
	if (!(k->ecap & ECAP_PRS))
		zero |= SCE_PRE;
	if (!(k->ecap & ECAP_RPS))
		one |= SCE_1_RID_PASID;
	if (!(k->ecap & ECAP_RPRIVS))
		one |= SCE_1_RID_PRIV;
	return ce[0] & zero || ce[1] & one || ce[2] || ce[3];
}

static unsigned int scalable_context(struct walker *k, const u64 ce[4])
{
	u32 pasids = BIT(FIELD_GET(SCE_PDTS, ce[0]) + 7 + 6);
	bool priv = k->w->flags & VTD_WALK_PRIV;
	u32 pasid = k->w->pasid;

	if (!(ce[0] & SCE_P))
		return SCT_2_NOT_PRESENT;
	if (scontext_reserved(k, ce))
		return SCT_3_RESERVED;
	if (k->w->flags & (VTD_WALK_TRANSLATED | VTD_WALK_ATS) &&
	    !(ce[0] & SCE_DTE))
		return SCT_5_TRANSLATED;
	if (pasid == VTD_WALK_NO_PASID) {
		pasid = FIELD_GET(SCE_1_RID_PASID, ce[1]);
		priv = ce[1] & SCE_1_RID_PRIV;
		if (pasid >= pasids)
			return SCT_9_RID_PASID;
	} else if (!(ce[0] & SCE_PASIDE)) {
		return SCT_6_PASID_DISABLED;
	} else if (pasid >= pasids) {
		return SCT_7_PASID_BEYOND;
	}
	return walk_pasid(k, ce[0] & ENTRY_ADDRESS, pasid, priv);
}

static unsigned int walk_scalable(struct walker *k, u64 root_table)
{
	u32 sid = k->w->sid;
	u64 root[2], half, ce[4];

	if (!walk_read(k, root_table + 16 * (sid >> 8), root, 2, VTD_WALK_ROOT,
		       0))
		return SRT_1_ACCESS;
	half = root[!!(sid & 0x80)];
	if (!(half & ROOT_P))
		return SRT_2_NOT_PRESENT;
	if (half & (ROOT_RESERVED | beyond(k, 63)))
		return SRT_3_RESERVED;
	if (!walk_read(k, (half & ENTRY_ADDRESS) + 32 * (sid & 0x7f), ce, 4,
		       VTD_WALK_CONTEXT, 0))
		return SCT_1_ACCESS;
	return scalable_context(k, ce);
}

/**
 * walk_entries - find out what is done with the requests of a device
 * @k: its request, unit and width are filled in; the stages are, on return
 * @rtaddr: register of the root table
 *
 * Return: 0 or the fault reason
 */
unsigned int walk_entries(struct walker *k, u64 rtaddr)
{
	switch (FIELD_GET(RTADDR_TTM, rtaddr)) {
	case TTM_LEGACY:
		return walk_legacy(k, rtaddr & RTADDR_RTA);
	case TTM_SCALABLE:
		k->scalable = true;
		return walk_scalable(k, rtaddr & RTADDR_RTA);
	default:
		return RTA_1_MODE;
	}
}

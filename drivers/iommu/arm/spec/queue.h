/* SPDX-License-Identifier: GPL-2.0-only */
/* Commands, chapter 4, and event records, 7.3. */
#ifndef __SMMU_SPEC_QUEUE_H
#define __SMMU_SPEC_QUEUE_H

#include <linux/bitfield.h>
#include <linux/bits.h>
#include <linux/types.h>

struct smmu_command {
	u64 w[2];
};

struct smmu_event {
	u64 w[4];
};

#define SMMU_CMD0_OP		GENMASK_ULL(7, 0)
#define SMMU_OP_CFGI_STE	0x03
#define SMMU_OP_CFGI_ALL	0x04	/* a range of streams, here of all there are */
#define SMMU_OP_CFGI_CD		0x05
#define SMMU_OP_CFGI_CD_ALL	0x06
#define SMMU_OP_TLBI_NH_ALL	0x10
#define SMMU_OP_TLBI_NH_ASID	0x11
#define SMMU_OP_TLBI_NH_VA	0x12
#define SMMU_OP_TLBI_NH_VAA	0x13
#define SMMU_OP_TLBI_EL2_ALL	0x20
#define SMMU_OP_TLBI_S12_VMALL	0x28
#define SMMU_OP_TLBI_S2_IPA	0x2a
#define SMMU_OP_TLBI_NSNH_ALL	0x30
#define SMMU_OP_ATC_INV		0x40
#define SMMU_OP_SYNC		0x46

#define SMMU_CMD0_SSEC		BIT_ULL(10)
#define SMMU_CMD0_SSV		BIT_ULL(11)
#define SMMU_CMD0_SSID		GENMASK_ULL(31, 12)
#define SMMU_CMD0_SID		GENMASK_ULL(63, 32)
#define SMMU_CFGI1_LEAF		BIT_ULL(0)
#define SMMU_CFGI1_RANGE	GENMASK_ULL(4, 0)
#define SMMU_RANGE_ALL		31

/* (NUM + 1) << SCALE pages, where ranges can be invalidated and TG is not 0 */
#define SMMU_TLBI0_NUM		GENMASK_ULL(16, 12)
#define SMMU_TLBI0_SCALE	GENMASK_ULL(24, 20)
#define SMMU_TLBI0_VMID		GENMASK_ULL(47, 32)
#define SMMU_TLBI0_ASID		GENMASK_ULL(63, 48)
#define SMMU_TLBI1_LEAF		BIT_ULL(0)
#define SMMU_TLBI1_TTL		GENMASK_ULL(9, 8)
#define SMMU_TLBI1_TG		GENMASK_ULL(11, 10)
#define SMMU_TLBI1_ADDRESS	GENMASK_ULL(63, 12)

#define SMMU_ATC0_G		BIT_ULL(9)
#define SMMU_ATC1_SIZE		GENMASK_ULL(5, 0)
#define SMMU_ATC1_ADDRESS	GENMASK_ULL(63, 12)

#define SMMU_EVENT0_ID		GENMASK_ULL(7, 0)
#define SMMU_EVENT0_SSV		BIT_ULL(11)
#define SMMU_EVENT0_SSID	GENMASK_ULL(31, 12)
#define SMMU_EVENT0_SID		GENMASK_ULL(63, 32)
#define SMMU_EVENT1_STAG	GENMASK_ULL(15, 0)
#define SMMU_EVENT1_STALL	BIT_ULL(31)
#define SMMU_EVENT1_RNW		BIT_ULL(35)
#define SMMU_EVENT1_S2		BIT_ULL(39)
#define SMMU_EVENT1_CLASS	GENMASK_ULL(41, 40)
#define SMMU_EVENT3_IPA		GENMASK_ULL(51, 12)

#define SMMU_C_BAD_STREAMID	0x02
#define SMMU_F_STE_FETCH	0x03
#define SMMU_C_BAD_STE		0x04
#define SMMU_F_BAD_ATS_TREQ	0x05
#define SMMU_F_STREAM_DISABLED	0x06
#define SMMU_F_TRANSL_FORBIDDEN	0x07
#define SMMU_C_BAD_SUBSTREAMID	0x08
#define SMMU_F_CD_FETCH		0x09
#define SMMU_C_BAD_CD		0x0a
#define SMMU_F_WALK_EABT	0x0b
#define SMMU_F_TRANSLATION	0x10
#define SMMU_F_ADDR_SIZE	0x11
#define SMMU_F_ACCESS		0x12
#define SMMU_F_PERMISSION	0x13
#define SMMU_F_TLB_CONFLICT	0x20
#define SMMU_F_CFG_CONFLICT	0x21
#define SMMU_E_PAGE_REQUEST	0x24

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the software walker knows of VT-d: bits and fault reasons as in the
 * specification, "Intel Virtualization Technology for Directed I/O", revision 4.1.
 * It shares nothing with the driver that it checks.
 */
#ifndef VTD_WALK_SPEC_H
#define VTD_WALK_SPEC_H

#include <linux/bits.h>

/* 11.4: registers */
#define REG_CAP			0x08
#define REG_ECAP		0x10
#define REG_GSTS		0x1c
#define REG_RTADDR		0x20
#define REG_IQH			0x80
#define REG_IQA			0x90

/* 11.4.9: the invalidation queue: 2^n pages of descriptors of 16 bytes, or of 32 */
#define IQA_SIZE		GENMASK_ULL(2, 0)
#define IQA_WIDE		BIT_ULL(11)
#define IQA_ADDRESS		GENMASK_ULL(63, 12)

#define GSTS_TES		BIT(31)

#define RTADDR_TTM		GENMASK_ULL(11, 10)
#define TTM_LEGACY		0
#define TTM_SCALABLE		1
#define RTADDR_RTA		GENMASK_ULL(63, 12)

#define CAP_SAGAW		GENMASK_ULL(12, 8)
#define CAP_SAGAW_57		BIT_ULL(11)
#define CAP_MGAW		GENMASK_ULL(21, 16)
#define CAP_MGAW_57		(56ULL << 16)
#define CAP_SSLPS_2M		BIT_ULL(34)
#define CAP_SSLPS_1G		BIT_ULL(35)
#define CAP_FS1GP		BIT_ULL(56)
#define CAP_FS5LP		BIT_ULL(60)

#define ECAP_DT			BIT_ULL(2)
#define ECAP_PT			BIT_ULL(6)
#define ECAP_SC			BIT_ULL(7)
#define ECAP_MTS		BIT_ULL(25)
#define ECAP_NEST		BIT_ULL(26)
#define ECAP_PRS		BIT_ULL(29)
#define ECAP_ERS		BIT_ULL(30)
#define ECAP_SRS		BIT_ULL(31)
#define ECAP_EAFS		BIT_ULL(34)
#define ECAP_PASID		BIT_ULL(40)
#define ECAP_SSADS		BIT_ULL(45)
#define ECAP_SSTS		BIT_ULL(46)
#define ECAP_FSTS		BIT_ULL(47)
#define ECAP_SMPWCS		BIT_ULL(48)
#define ECAP_RPS		BIT_ULL(49)
#define ECAP_RPRIVS		BIT_ULL(53)

/* 9.1, 9.2: root entries */
#define ROOT_P			BIT_ULL(0)
#define ROOT_RESERVED		GENMASK_ULL(11, 1)
#define ENTRY_ADDRESS		GENMASK_ULL(63, 12)

/* 9.3: context entry of legacy mode */
#define CE_P			BIT_ULL(0)
#define CE_TT			GENMASK_ULL(3, 2)
#define TT_UNTRANSLATED		0
#define TT_ALL			1
#define TT_PASS			2
#define CE_0_RESERVED		GENMASK_ULL(11, 4)
#define CE_1_AW			GENMASK_ULL(2, 0)
#define CE_1_DID		GENMASK_ULL(23, 8)
#define CE_1_RESERVED		(BIT_ULL(7) | GENMASK_ULL(63, 24))

/* 9.4: context entry of scalable mode */
#define SCE_P			BIT_ULL(0)
#define SCE_DTE			BIT_ULL(2)
#define SCE_PASIDE		BIT_ULL(3)
#define SCE_PRE			BIT_ULL(4)
#define SCE_0_RESERVED		GENMASK_ULL(8, 5)
#define SCE_PDTS		GENMASK_ULL(11, 9)
#define SCE_1_RID_PASID		GENMASK_ULL(19, 0)
#define SCE_1_RID_PRIV		BIT_ULL(20)
#define SCE_1_RESERVED		GENMASK_ULL(63, 21)

/* 9.5: entry of a PASID directory */
#define PDE_P			BIT_ULL(0)
#define PDE_RESERVED		GENMASK_ULL(11, 2)

/* 9.6: entry of a PASID table, by 64-bit word */
#define PTE_0_P			BIT_ULL(0)
#define PTE_0_AW		GENMASK_ULL(4, 2)
#define PTE_0_SSEE		BIT_ULL(5)
#define PTE_0_PGTT		GENMASK_ULL(8, 6)
#define PGTT_FIRST		1
#define PGTT_SECOND		2
#define PGTT_NESTED		3
#define PGTT_PASS		4
#define PTE_0_SSADE		BIT_ULL(9)
#define PTE_0_RESERVED		GENMASK_ULL(11, 10)
#define PTE_1_DID		GENMASK_ULL(15, 0)
#define PTE_1_RESERVED		GENMASK_ULL(22, 16)
#define PTE_1_PWSNP		BIT_ULL(23)
#define PTE_1_PGSNP		BIT_ULL(24)
#define PTE_1_MEMORY_TYPE	GENMASK_ULL(63, 25)
#define PTE_2_SRE		BIT_ULL(0)
#define PTE_2_ERE		BIT_ULL(1)
#define PTE_2_FSPM		GENMASK_ULL(3, 2)
#define PTE_2_WPE		BIT_ULL(4)
#define PTE_2_NXE		BIT_ULL(5)
#define PTE_2_SMEP		BIT_ULL(6)
#define PTE_2_EAFE		BIT_ULL(7)
#define PTE_2_RESERVED		GENMASK_ULL(11, 8)

/* 9.7: first-stage entries */
#define FS_P			BIT_ULL(0)
#define FS_RW			BIT_ULL(1)
#define FS_US			BIT_ULL(2)
#define FS_A			BIT_ULL(5)
#define FS_D			BIT_ULL(6)
#define FS_PS			BIT_ULL(7)
#define FS_G			BIT_ULL(8)
#define FS_EA			BIT_ULL(10)
#define FS_XD			BIT_ULL(63)

/* 9.8: second-stage entries */
#define SS_R			BIT_ULL(0)
#define SS_W			BIT_ULL(1)
#define SS_X			BIT_ULL(2)
#define SS_PS			BIT_ULL(7)
#define SS_A			BIT_ULL(8)
#define SS_D			BIT_ULL(9)
#define SS_SNP			BIT_ULL(11)
#define SS_TM			BIT_ULL(62)

#define PAGING_ADDRESS		GENMASK_ULL(51, 12)

/* 7.1.3: fault reasons, with their names there */
enum {
	LRT_2_NOT_PRESENT	= 0x01,
	LCT_2_NOT_PRESENT	= 0x02,
	LCT_4_INVALID		= 0x03,
	LGN_1_ADDRESS		= 0x04,
	LGN_2_WRITE		= 0x05,
	LGN_3_READ		= 0x06,
	LSS_1_ACCESS		= 0x07,
	LRT_1_ACCESS		= 0x08,
	LCT_1_ACCESS		= 0x09,
	LRT_3_RESERVED		= 0x0a,
	LCT_3_RESERVED		= 0x0b,
	LSS_2_RESERVED		= 0x0c,
	LCT_5_TRANSLATED	= 0x0d,
	LGN_4_INTERRUPT		= 0x0e,
	RTA_1_MODE		= 0x30,
	RTA_2_PASID		= 0x31,
	SRT_1_ACCESS		= 0x38,
	SRT_2_NOT_PRESENT	= 0x39,
	SRT_3_RESERVED		= 0x3a,
	SCT_1_ACCESS		= 0x40,
	SCT_2_NOT_PRESENT	= 0x41,
	SCT_3_RESERVED		= 0x42,
	SCT_5_TRANSLATED	= 0x44,
	SCT_6_PASID_DISABLED	= 0x45,
	SCT_7_PASID_BEYOND	= 0x46,
	SCT_9_RID_PASID		= 0x48,
	SPD_1_ACCESS		= 0x50,
	SPD_2_NOT_PRESENT	= 0x51,
	SPD_3_RESERVED		= 0x52,
	SPT_1_ACCESS		= 0x58,
	SPT_2_NOT_PRESENT	= 0x59,
	SPT_3_RESERVED		= 0x5a,
	SPT_4_INVALID		= 0x5b,
	SPT_5_EXECUTE		= 0x5c,
	SPT_6_SUPERVISOR	= 0x5d,
	SFS_1_ACCESS		= 0x70,
	SFS_2_NOT_PRESENT	= 0x71,
	SFS_3_RESERVED		= 0x72,
	SFS_4_TOP_ACCESS	= 0x73,
	SFS_5_GPA_BEYOND	= 0x74,
	SFS_6_TOP_GPA_READ	= 0x75,
	SFS_7_GPA_READ		= 0x76,
	SFS_8_GPA_WRITE		= 0x77,
	SSS_1_ACCESS		= 0x78,
	SSS_2_NOT_PRESENT	= 0x79,
	SSS_3_RESERVED		= 0x7a,
	SSS_4_TOP_ACCESS	= 0x7b,
	SGN_1_NOT_CANONICAL	= 0x80,
	SGN_2_USER		= 0x81,
	SGN_3_EXECUTE		= 0x82,
	SGN_4_GPA_BEYOND	= 0x83,
	SGN_5_ADDRESS		= 0x84,
	SGN_6_WRITE		= 0x85,
	SGN_7_READ		= 0x86,
	SGN_8_INTERRUPT		= 0x87,
};

#endif

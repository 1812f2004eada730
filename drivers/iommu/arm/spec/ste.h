/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stream table entries, 5.2, and context descriptors, 5.4: what an SMMU does with
 * requests of a stream. Both have eight words of 64 bits.
 */
#ifndef __SMMU_SPEC_STE_H
#define __SMMU_SPEC_STE_H

#include <linux/bitfield.h>
#include <linux/bits.h>
#include <linux/types.h>

#define SMMU_STE_WORDS 8

struct smmu_ste {
	__le64 w[SMMU_STE_WORDS];
};

struct smmu_cd {
	__le64 w[8];
};

/* 5.1: an item of the first level; 2^(SPAN - 1) entries are where it leads to */
#define SMMU_L1_SPAN		GENMASK_ULL(4, 0)
#define SMMU_L1_POINTER		GENMASK_ULL(51, 6)

/* 5.4: an item of the first level of context descriptors */
#define SMMU_L1CD_V		BIT_ULL(0)

#define SMMU_STE0_V		BIT_ULL(0)
#define SMMU_STE0_CONFIG	GENMASK_ULL(3, 1)
#define SMMU_CONFIG_ABORT	0
#define SMMU_CONFIG_BYPASS	4
#define SMMU_CONFIG_S1		5	/* both bits: stage 1 over stage 2 */
#define SMMU_CONFIG_S2		6
#define SMMU_CONFIG_NESTED	7
#define SMMU_STE0_S1FMT		GENMASK_ULL(5, 4)
#define SMMU_S1FMT_LINEAR	0
#define SMMU_S1FMT_4K		1
#define SMMU_S1FMT_64K		2
#define SMMU_STE0_S1CONTEXTPTR	GENMASK_ULL(51, 6)
#define SMMU_STE0_S1CDMAX	GENMASK_ULL(63, 59)

/* a request without substream id, where there are some: 2 is descriptor 0 */
#define SMMU_STE1_S1DSS		GENMASK_ULL(1, 0)
#define SMMU_S1DSS_TERMINATE	0
#define SMMU_S1DSS_BYPASS	1
#define SMMU_S1DSS_SSID0	2
/* how descriptors are reached */
#define SMMU_STE1_S1CIR		GENMASK_ULL(3, 2)
#define SMMU_STE1_S1COR		GENMASK_ULL(5, 4)
#define SMMU_STE1_S1CSH		GENMASK_ULL(7, 6)
/* events of the same kind may be merged */
#define SMMU_STE1_MEV		BIT_ULL(19)
#define SMMU_STE1_S2FWB		BIT_ULL(25)
#define SMMU_STE1_S1STALLD	BIT_ULL(27)
#define SMMU_STE1_EATS		GENMASK_ULL(29, 28)
#define SMMU_EATS_ABORT		0
#define SMMU_EATS_FULL		1
#define SMMU_EATS_SPLIT		2
#define SMMU_STE1_STRW		GENMASK_ULL(31, 30)
#define SMMU_STE1_SHCFG		GENMASK_ULL(45, 44)

/* the fields from 32 on are those of VTCR_EL2 */
#define SMMU_STE2_S2VMID	GENMASK_ULL(15, 0)
#define SMMU_STE2_S2T0SZ	GENMASK_ULL(37, 32)
#define SMMU_STE2_S2SL0		GENMASK_ULL(39, 38)
#define SMMU_STE2_S2IR0		GENMASK_ULL(41, 40)
#define SMMU_STE2_S2OR0		GENMASK_ULL(43, 42)
#define SMMU_STE2_S2SH0		GENMASK_ULL(45, 44)
#define SMMU_STE2_S2TG		GENMASK_ULL(47, 46)
#define SMMU_STE2_S2PS		GENMASK_ULL(50, 48)
#define SMMU_STE2_S2AA64	BIT_ULL(51)
#define SMMU_STE2_S2AFFD	BIT_ULL(53)
#define SMMU_STE2_S2PTW		BIT_ULL(54)
#define SMMU_STE2_S2HD		BIT_ULL(55)
#define SMMU_STE2_S2HA		BIT_ULL(56)
#define SMMU_STE2_S2S		BIT_ULL(57)
#define SMMU_STE2_S2R		BIT_ULL(58)

#define SMMU_STE3_S2TTB		GENMASK_ULL(51, 4)

/* 5.4; the lower half of the addresses only, as there are none above */
#define SMMU_CD0_T0SZ		GENMASK_ULL(5, 0)
#define SMMU_CD0_TG0		GENMASK_ULL(7, 6)
#define SMMU_CD0_IR0		GENMASK_ULL(9, 8)
#define SMMU_CD0_OR0		GENMASK_ULL(11, 10)
#define SMMU_CD0_SH0		GENMASK_ULL(13, 12)
#define SMMU_CD0_EPD1		BIT_ULL(30)
#define SMMU_CD0_V		BIT_ULL(31)
#define SMMU_CD0_IPS		GENMASK_ULL(34, 32)
#define SMMU_CD0_AFFD		BIT_ULL(35)
#define SMMU_CD0_AA64		BIT_ULL(41)
#define SMMU_CD0_HD		BIT_ULL(42)
#define SMMU_CD0_HA		BIT_ULL(43)
#define SMMU_CD0_S		BIT_ULL(44)
#define SMMU_CD0_R		BIT_ULL(45)
#define SMMU_CD0_A		BIT_ULL(46)
#define SMMU_CD0_ASET		BIT_ULL(47)
#define SMMU_CD0_ASID		GENMASK_ULL(63, 48)
#define SMMU_CD1_TTB0		GENMASK_ULL(51, 4)

/* TG0 and S2TG */
#define SMMU_TG_4K		0
#define SMMU_TG_64K		1
#define SMMU_TG_16K		2

#endif

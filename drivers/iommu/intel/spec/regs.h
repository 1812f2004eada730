/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registers of a remapping unit. Section numbers are those of the specification
 * "Intel Virtualization Technology for Directed I/O", revision 4.1.
 */
#ifndef __VTD_SPEC_REGS_H
#define __VTD_SPEC_REGS_H

#include <linux/bitfield.h>
#include <linux/bits.h>

#define VTD_VER			0x00	/* 11.4.1 */
#define VTD_CAP			0x08	/* 11.4.2 */
#define VTD_ECAP		0x10	/* 11.4.3 */
#define VTD_GCMD		0x18	/* 11.4.4.1 */
#define VTD_GSTS		0x1c	/* 11.4.4.2 */
#define VTD_RTADDR		0x20	/* 11.4.5 */
#define VTD_FSTS		0x34	/* 11.4.7.1 */
#define VTD_FECTL		0x38	/* 11.4.7.2 */
#define VTD_PMEN		0x64	/* 11.4.8.1 */
#define VTD_IQH			0x80	/* 11.4.9.1 */
#define VTD_IQT			0x88	/* 11.4.9.2 */
#define VTD_IQA			0x90	/* 11.4.9.3 */
#define VTD_IQER		0xb0	/* 11.4.9.9 */

/* Capability Register, 11.4.2 */
#define VTD_CAP_ND		GENMASK_ULL(2, 0)
#define VTD_CAP_RWBF		BIT_ULL(4)
#define VTD_CAP_PLMR		BIT_ULL(5)
#define VTD_CAP_PHMR		BIT_ULL(6)
#define VTD_CAP_CM		BIT_ULL(7)
#define VTD_CAP_SAGAW		GENMASK_ULL(12, 8)
#define VTD_CAP_MGAW		GENMASK_ULL(21, 16)
#define VTD_CAP_FRO		GENMASK_ULL(33, 24)
#define VTD_CAP_SSLPS		GENMASK_ULL(37, 34)
#define VTD_CAP_PSI		BIT_ULL(39)
#define VTD_CAP_NFR		GENMASK_ULL(47, 40)
#define VTD_CAP_MAMV		GENMASK_ULL(53, 48)
#define VTD_CAP_DWD		BIT_ULL(54)
#define VTD_CAP_DRD		BIT_ULL(55)
#define VTD_CAP_FS1GP		BIT_ULL(56)
#define VTD_CAP_FS5LP		BIT_ULL(60)

/* Root Table Address, 11.4.5: bits 11:10, translation table mode */
#define VTD_RTADDR_SCALABLE	BIT_ULL(10)

/* Extended Capability Register, 11.4.3 */
#define VTD_ECAP_C		BIT_ULL(0)
#define VTD_ECAP_QI		BIT_ULL(1)
#define VTD_ECAP_DT		BIT_ULL(2)
#define VTD_ECAP_IR		BIT_ULL(3)
#define VTD_ECAP_EIM		BIT_ULL(4)
#define VTD_ECAP_PT		BIT_ULL(6)
#define VTD_ECAP_SC		BIT_ULL(7)
#define VTD_ECAP_IRO		GENMASK_ULL(17, 8)
#define VTD_ECAP_NEST		BIT_ULL(26)
#define VTD_ECAP_PRS		BIT_ULL(29)
#define VTD_ECAP_SRS		BIT_ULL(31)
#define VTD_ECAP_EAFS		BIT_ULL(34)
#define VTD_ECAP_PSS		GENMASK_ULL(39, 35)
#define VTD_ECAP_PASID		BIT_ULL(40)
#define VTD_ECAP_PDS		BIT_ULL(42)
#define VTD_ECAP_SMTS		BIT_ULL(43)
#define VTD_ECAP_SSADS		BIT_ULL(45)
#define VTD_ECAP_SSTS		BIT_ULL(46)
#define VTD_ECAP_FSTS		BIT_ULL(47)
#define VTD_ECAP_DIT		BIT_ULL(54)
#define VTD_ECAP_SMPWCS		BIT_ULL(48)

/* Global Command and Global Status, 11.4.4 */
#define VTD_GCMD_TE		BIT(31)
#define VTD_GCMD_SRTP		BIT(30)
#define VTD_GCMD_QIE		BIT(26)
#define VTD_GCMD_IRE		BIT(25)
#define VTD_GCMD_SIRTP		BIT(24)
#define VTD_GCMD_CFI		BIT(23)
/* commands that are done once; what is not among them stays as it was written */
#define VTD_GCMD_ONCE		(BIT(30) | BIT(29) | BIT(27) | BIT(24))

/* Fault Status, 11.4.7.1 */
#define VTD_FSTS_PFO		BIT(0)
#define VTD_FSTS_PPF		BIT(1)
#define VTD_FSTS_IQE		BIT(4)
#define VTD_FSTS_ICE		BIT(5)
#define VTD_FSTS_ITE		BIT(6)
/* of IQER: whose device TLB did not answer, 0 if the unit does not tell */
#define VTD_IQER_ITESID		GENMASK_ULL(47, 32)
#define VTD_FSTS_FRI		GENMASK(15, 8)

/* Control register of any message, as 11.4.7.2: the message is masked */
#define VTD_MESSAGE_IM		BIT(31)

/* Protected Memory Enable, 11.4.8.1 */
#define VTD_PMEN_EPM		BIT(31)
#define VTD_PMEN_PRS		BIT(0)

/* Fault Recording Registers, 11.4.7.6: 16 bytes each */
#define VTD_FRR_LO_ADDRESS	GENMASK_ULL(63, 12)
#define VTD_FRR_HI_SID		GENMASK_ULL(15, 0)
#define VTD_FRR_HI_REASON	GENMASK_ULL(39, 32)
#define VTD_FRR_HI_PP		BIT_ULL(31)
#define VTD_FRR_HI_READ		BIT_ULL(62)
#define VTD_FRR_HI_FAULT	BIT_ULL(63)
/* these and what a request was like: T2, PRIV, EXE, PP; PASID; AT, T1 */
#define VTD_FRR_HI_DEFINED	(GENMASK_ULL(63, 60) | GENMASK_ULL(59, 40) | \
				 GENMASK_ULL(39, 28) | GENMASK_ULL(15, 0))

#endif

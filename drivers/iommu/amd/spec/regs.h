/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registers of an AMD-Vi unit. Section numbers are those of the specification "AMD I/O
 * Virtualization Technology (IOMMU)", document 48882.
 *
 *	3.2 the capability of its PCI function, first word
 *	24	IotlbSup	devices with TLBs of their own
 *	26	NpCache		what is not present may be cached as such
 *	27	EFRSup		there is an extended feature register
 *
 *	3.4.1 Device Table Base	51:12 table, 8:0 its pages, less one
 *	3.4.2 Command Buffer	51:12 buffer, 59:56 2^n entries
 *	3.4.3 Event Log		the same; PPR Log too
 */
#ifndef __AMDVI_SPEC_REGS_H
#define __AMDVI_SPEC_REGS_H

#include <linux/bitfield.h>
#include <linux/bits.h>

#define AMDVI_CAP_IOTLB		BIT(24)
#define AMDVI_CAP_NPCACHE	BIT(26)
#define AMDVI_CAP_EFR		BIT(27)

#define AMDVI_DEVTAB		0x0000
#define AMDVI_COMMANDS		0x0008
#define AMDVI_EVENTS		0x0010
#define AMDVI_CONTROL		0x0018
#define AMDVI_EXCLUSION		0x0020
#define AMDVI_EXCLUSION_LIMIT	0x0028
#define AMDVI_EFR		0x0030
#define AMDVI_PPR_LOG		0x0038
#define AMDVI_EFR2		0x01a0
#define AMDVI_COMMAND_HEAD	0x2000
#define AMDVI_COMMAND_TAIL	0x2008
#define AMDVI_EVENT_HEAD	0x2010
#define AMDVI_EVENT_TAIL	0x2018
#define AMDVI_STATUS		0x2020
#define AMDVI_PPR_HEAD		0x2030
#define AMDVI_PPR_TAIL		0x2038

#define AMDVI_DEVTAB_PAGES	GENMASK_ULL(8, 0)
#define AMDVI_BUFFER_LG2	GENMASK_ULL(59, 56)
/* head and tail pointers */
#define AMDVI_BUFFER_OFFSET	GENMASK_ULL(18, 4)

/* Control, 3.4.4 */
#define AMDVI_CTL_IOMMU		BIT_ULL(0)
#define AMDVI_CTL_EVENTS	BIT_ULL(2)
#define AMDVI_CTL_EVENT_INT	BIT_ULL(3)
#define AMDVI_CTL_INV_TIMEOUT	GENMASK_ULL(7, 5)
#define AMDVI_INV_TIMEOUT_100S	6	/* 1 for 1 ms, each more is ten times that */
#define AMDVI_CTL_COHERENT	BIT_ULL(10)
#define AMDVI_CTL_COMMANDS	BIT_ULL(12)
#define AMDVI_CTL_PPR_LOG	BIT_ULL(13)
#define AMDVI_CTL_PPR_INT	BIT_ULL(14)
#define AMDVI_CTL_PPR		BIT_ULL(15)
#define AMDVI_CTL_GT		BIT_ULL(16)
#define AMDVI_CTL_GA		BIT_ULL(17)
#define AMDVI_CTL_XT		BIT_ULL(50)
/* the table of GCR3s is at an address that the host's table translates */
#define AMDVI_CTL_GCR3_GUEST	BIT_ULL(58)

/* Extended features, 3.4.6 */
#define AMDVI_EFR_PPR		BIT_ULL(1)
#define AMDVI_EFR_XT		BIT_ULL(2)
#define AMDVI_EFR_GT		BIT_ULL(4)
#define AMDVI_EFR_IA		BIT_ULL(6)
#define AMDVI_EFR_GA		BIT_ULL(7)
#define AMDVI_EFR_HATS		GENMASK_ULL(11, 10)
#define AMDVI_EFR_GATS		GENMASK_ULL(13, 12)
#define AMDVI_EFR_GLX		GENMASK_ULL(15, 14)
#define AMDVI_EFR_PASMAX	GENMASK_ULL(36, 32)
#define AMDVI_EFR_GIO		BIT_ULL(48)
#define AMDVI_EFR_HA		BIT_ULL(49)
/* what a device's entry has of page requests counts */
#define AMDVI_EFR_EPH		BIT_ULL(50)
#define AMDVI_EFR_HD		BIT_ULL(52)
#define AMDVI_EFR_SNP		BIT_ULL(63)
#define AMDVI_EFR2_GCR3_GUEST	BIT_ULL(3)

/* Status, 3.4.15; what tells of something is cleared by writing it back */
#define AMDVI_STS_EVENT_OVERFLOW BIT_ULL(0)
#define AMDVI_STS_EVENT		BIT_ULL(1)
#define AMDVI_STS_EVENTS_RUN	BIT_ULL(3)
#define AMDVI_STS_COMMANDS_RUN	BIT_ULL(4)
#define AMDVI_STS_PPR_OVERFLOW	BIT_ULL(5)
#define AMDVI_STS_PPR		BIT_ULL(6)
#define AMDVI_STS_PPR_RUN	BIT_ULL(7)

#endif

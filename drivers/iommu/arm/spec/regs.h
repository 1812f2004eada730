/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registers of an SMMUv3, Arm System Memory Management Unit Architecture
 * Specification (IHI 0070), chapter 6.
 */
#ifndef __SMMU_SPEC_REGS_H
#define __SMMU_SPEC_REGS_H

#include <linux/bitfield.h>
#include <linux/bits.h>

/* 6.3.1: which stages, and what of the system it is coherent with */
#define SMMU_IDR0		0x00
#define SMMU_IDR0_S2P		BIT(0)
#define SMMU_IDR0_S1P		BIT(1)
#define SMMU_IDR0_TTF		GENMASK(3, 2)
#define SMMU_TTF_AARCH64	2	/* bit 1 of the field: also with 3 */
#define SMMU_IDR0_COHACC	BIT(4)
#define SMMU_IDR0_BTM		BIT(5)
#define SMMU_IDR0_HTTU		GENMASK(7, 6)
#define SMMU_HTTU_DIRTY		2
#define SMMU_IDR0_ATS		BIT(10)
#define SMMU_IDR0_ASID16	BIT(12)
#define SMMU_IDR0_MSI		BIT(13)
#define SMMU_IDR0_SEV		BIT(14)
#define SMMU_IDR0_PRI		BIT(16)
#define SMMU_IDR0_VMID16	BIT(18)
#define SMMU_IDR0_CD2L		BIT(19)
#define SMMU_IDR0_TTENDIAN	GENMASK(22, 21)
#define SMMU_TTENDIAN_MIXED	0
#define SMMU_TTENDIAN_LITTLE	2
#define SMMU_IDR0_STALL_MODEL	GENMASK(25, 24)
#define SMMU_STALL_POSSIBLE	0
#define SMMU_STALL_FORCED	2
#define SMMU_IDR0_ST_LEVEL	GENMASK(28, 27)
#define SMMU_ST_TWO_LEVELS	1

/* 6.3.2: sizes */
#define SMMU_IDR1		0x04
#define SMMU_IDR1_TABLES_PRESET	BIT(30)
#define SMMU_IDR1_QUEUES_PRESET	BIT(29)
#define SMMU_IDR1_CMDQS		GENMASK(25, 21)
#define SMMU_IDR1_EVENTQS	GENMASK(20, 16)
#define SMMU_IDR1_PRIQS		GENMASK(15, 11)
#define SMMU_IDR1_SSIDSIZE	GENMASK(10, 6)
#define SMMU_IDR1_SIDSIZE	GENMASK(5, 0)

/* 6.3.4: later additions */
#define SMMU_IDR3		0x0c
#define SMMU_IDR3_FWB		BIT(8)
#define SMMU_IDR3_RIL		BIT(10)
#define SMMU_IDR3_BBML		GENMASK(12, 11)

/* 6.3.6: addresses */
#define SMMU_IDR5		0x14
#define SMMU_IDR5_OAS		GENMASK(2, 0)
#define SMMU_IDR5_GRAN4K	BIT(4)
#define SMMU_IDR5_GRAN16K	BIT(5)
#define SMMU_IDR5_GRAN64K	BIT(6)
#define SMMU_IDR5_VAX		GENMASK(11, 10)
#define SMMU_VAX_52		1

#define SMMU_IIDR		0x18
#define SMMU_IIDR_PRODUCT	GENMASK(31, 20)
#define SMMU_IIDR_VARIANT	GENMASK(19, 16)
#define SMMU_IIDR_REVISION	GENMASK(15, 12)
#define SMMU_IIDR_IMPLEMENTER	GENMASK(11, 0)
#define SMMU_AIDR		0x1c

/* 6.3.9: what is on; the register after it tells when it is */
#define SMMU_CR0		0x20
#define SMMU_CR0ACK		0x24
#define SMMU_CR0_SMMUEN		BIT(0)
#define SMMU_CR0_PRIQEN		BIT(1)
#define SMMU_CR0_EVENTQEN	BIT(2)
#define SMMU_CR0_CMDQEN		BIT(3)
#define SMMU_CR0_ATSCHK		BIT(4)

/* 6.3.11: how tables and queues are reached: cacheable and shared */
#define SMMU_CR1		0x28
#define SMMU_CR1_TABLE_SH	GENMASK(11, 10)
#define SMMU_CR1_TABLE_OC	GENMASK(9, 8)
#define SMMU_CR1_TABLE_IC	GENMASK(7, 6)
#define SMMU_CR1_QUEUE_SH	GENMASK(5, 4)
#define SMMU_CR1_QUEUE_OC	GENMASK(3, 2)
#define SMMU_CR1_QUEUE_IC	GENMASK(1, 0)
#define SMMU_SH_NONE		0
#define SMMU_SH_INNER		3
#define SMMU_CACHE_NONE		0
#define SMMU_CACHE_WB		1

#define SMMU_CR2		0x2c
#define SMMU_CR2_RECINVSID	BIT(1)
#define SMMU_CR2_PTM		BIT(2)

/* 6.3.14: requests while it is off */
#define SMMU_GBPA		0x44
#define SMMU_GBPA_UPDATE	BIT(31)
#define SMMU_GBPA_ABORT		BIT(20)
#define SMMU_GBPA_SHCFG		GENMASK(13, 12)
#define SMMU_SHCFG_INCOMING	1

#define SMMU_IRQ_CTRL		0x50
#define SMMU_IRQ_CTRLACK	0x54
#define SMMU_IRQ_GERROR		BIT(0)
#define SMMU_IRQ_PRIQ		BIT(1)
#define SMMU_IRQ_EVENTQ		BIT(2)

/* 6.3.17: an error is there while its bit differs from that of GERRORN */
#define SMMU_GERROR		0x60
#define SMMU_GERRORN		0x64
#define SMMU_GERROR_CMDQ	BIT(0)
#define SMMU_GERROR_EVENTQ_ABT	BIT(2)
#define SMMU_GERROR_PRIQ_ABT	BIT(3)
#define SMMU_GERROR_MSI		GENMASK(7, 4)
#define SMMU_GERROR_SFM		BIT(8)

/* 6.3.19 and the like: where a message goes, what it says, and how */
#define SMMU_GERROR_IRQ_CFG0	0x68
#define SMMU_EVENTQ_IRQ_CFG0	0xb0
#define SMMU_PRIQ_IRQ_CFG0	0xd0
#define SMMU_IRQ_CFG_ADDR	GENMASK_ULL(51, 2)
#define SMMU_IRQ_CFG_DATA	0x08	/* from CFG0 on */
#define SMMU_IRQ_CFG_ATTR	0x0c
#define SMMU_MSI_DEVICE	1

#define SMMU_STRTAB_BASE	0x80
#define SMMU_STRTAB_BASE_RA	BIT_ULL(62)
#define SMMU_STRTAB_BASE_CFG	0x88
#define SMMU_STRTAB_FMT		GENMASK(17, 16)
#define SMMU_STRTAB_LINEAR	0
#define SMMU_STRTAB_TWO_LEVELS	1
#define SMMU_STRTAB_SPLIT	GENMASK(10, 6)
#define SMMU_STRTAB_LOG2SIZE	GENMASK(5, 0)

/*
 * 6.3.26 and on: queues. Indexes have a bit more than the queue has entries, which
 * tells a full queue from an empty one
 */
#define SMMU_CMDQ_BASE		0x90
#define SMMU_CMDQ_PROD		0x98
#define SMMU_CMDQ_CONS		0x9c
#define SMMU_CMDQ_CONS_ERR	GENMASK(30, 24)
#define SMMU_CMDQ_ERR_NONE	0
#define SMMU_CMDQ_ERR_ILLEGAL	1
#define SMMU_CMDQ_ERR_ABORT	2
#define SMMU_CMDQ_ERR_ATC	3
#define SMMU_EVENTQ_BASE	0xa0
#define SMMU_PRIQ_BASE		0xc0
#define SMMU_Q_BASE_RA		BIT_ULL(62)
#define SMMU_Q_BASE_LOG2SIZE	GENMASK_ULL(4, 0)
#define SMMU_PAGE1		0x10000
/* in page 1 */
#define SMMU_EVENTQ_PROD	0xa8
#define SMMU_EVENTQ_CONS	0xac
#define SMMU_PRIQ_PROD		0xc8
#define SMMU_PRIQ_CONS		0xcc
/* has the same value in both of them while nothing was lost */
#define SMMU_EVENTQ_OVERFLOW	BIT(31)

#endif

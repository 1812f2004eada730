/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Commands, 2.4: 128 bits each, the opcode in bits 63:60.
 *
 *	COMPLETION_WAIT		0 S: store, 51:3 where, 127:64 what; 2 F: what follows
 *				is not begun before
 *	INVALIDATE_DEVTAB_ENTRY	15:0 device id
 *	INVALIDATE_IOMMU_PAGES	47:32 domain id, 127:76 address,
 *				64 S: several pages, 65 PDE: tables too,
 *				66 GN: of 19:0 PASID, by the guest's address
 *	INVALIDATE_IOTLB_PAGES	of the device's own TLB: 15:0 device id, 31:24 how many
 *				it takes at a time, 47:32 whose queue for them it has;
 *				PASID in parts: 55:48, 23:16, 59:56. S, GN and address
 *				as above
 *	INVALIDATE_INTERRUPT_TABLE 15:0 device id
 *	INVALIDATE_IOMMU_ALL
 *
 * With S an address tells a size as well: ones from bit 12 on, then a zero.
 */
#ifndef __AMDVI_SPEC_COMMANDS_H
#define __AMDVI_SPEC_COMMANDS_H

#include <linux/bitfield.h>
#include <linux/bits.h>

/**
 * struct amdvi_command - what hardware is to do; also what it reports as an event
 * @lo: bits 63:0
 * @hi: bits 127:64
 */
struct amdvi_command {
	u64 lo;
	u64 hi;
} __aligned(16);

#define AMDVI_CMD_LO_OPCODE	GENMASK_ULL(63, 60)
#define AMDVI_COMPLETION_WAIT	1
#define AMDVI_INVALIDATE_DEVTAB	2
#define AMDVI_INVALIDATE_PAGES	3
#define AMDVI_INVALIDATE_IOTLB	4
#define AMDVI_INVALIDATE_INTERRUPTS 5
#define AMDVI_PREFETCH		6
#define AMDVI_COMPLETE_PPR	7
#define AMDVI_INVALIDATE_ALL	8

#define AMDVI_WAIT_LO_S		BIT_ULL(0)
#define AMDVI_WAIT_LO_F		BIT_ULL(2)
#define AMDVI_WAIT_LO_ADDRESS	GENMASK_ULL(51, 3)
#define AMDVI_CMD_LO_DEVICE	GENMASK_ULL(15, 0)
#define AMDVI_PAGES_LO_DOMAIN	GENMASK_ULL(47, 32)
#define AMDVI_PAGES_HI_S	BIT_ULL(0)
#define AMDVI_PAGES_HI_PDE	BIT_ULL(1)
#define AMDVI_PAGES_HI_GN	BIT_ULL(2)
#define AMDVI_PAGES_LO_PASID	GENMASK_ULL(19, 0)
/* this address, with S, stands for all */
#define AMDVI_PAGES_HI_ALL	GENMASK_ULL(62, 12)

#define AMDVI_IOTLB_LO_PENDING	GENMASK_ULL(31, 24)
#define AMDVI_IOTLB_LO_QUEUE	GENMASK_ULL(47, 32)

/* Where a command for a device's TLB has the PASID */
static inline u64 amdvi_iotlb_pasid(u32 pasid)
{
	return (u64)(pasid & 0xff) << 48 | (u64)(pasid >> 8 & 0xff) << 16 |
	       (u64)(pasid >> 16 & 0xf) << 56;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scalable mode: from the requester id over the context entry to a directory of
 * PASID tables, whose entries say where requests go.
 *
 *	9.2 Scalable-Mode Root Entry: two pointers, for devices 0-15 and 16-31
 *	0	P		present
 *	63:12	CTP		context table: 128 entries
 *
 *	9.4 Scalable-Mode Context Entry, 256 bits
 *	0	P		present
 *	2	DTE		device TLB
 *	3	PASIDE		requests with PASID
 *	4	PRE		page requests
 *	11:9	PDTS		2^(n+7) entries in the directory
 *	63:12	PASIDDIRPTR	directory
 *	83:64	RID_PASID	the PASID of requests without one
 *
 *	9.5 Scalable-Mode PASID-Directory Entry, 64 bits
 *	0	P		present
 *	63:12	SMPTBLPTR	PASID table: 64 entries
 *
 *	9.6 Scalable-Mode PASID-Table Entry, 512 bits
 *	0	P		present
 *	1	FPD		faults are not reported
 *	4:2	AW		levels of the second stage: 1 for 3, 2 for 4, 3 for 5
 *	8:6	PGTT		what is done with a request
 *	9	SSADE		accessed and dirty bits in the second stage
 *	63:12	SSPTPTR		second-stage table
 *	79:64	DID		domain id
 *	87	PWSNP		page walks are snooped
 *	88	PGSNP		what is translated is snooped
 *	128	SRE		supervisor requests are taken
 *	131:130	FSPM		levels of the first stage: 0 for 4, 1 for 5
 *	132	WPE		supervisor writes are checked too
 *	133	NXE		bit 63 of an entry forbids execution
 *	135	EAFE		entries have an extended accessed bit
 *	191:140	FSPTPTR		first-stage table
 */
#ifndef __VTD_SPEC_PASID_H
#define __VTD_SPEC_PASID_H

#include <linux/bitfield.h>
#include <linux/bits.h>

#define VTD_SROOT_P		BIT_ULL(0)
#define VTD_SROOT_CTP		GENMASK_ULL(63, 12)

/**
 * struct vtd_scontext - a context entry of scalable mode
 * @w: its 64-bit words
 */
struct vtd_scontext {
	u64 w[4];
};

#define VTD_SCTX_0_P		BIT_ULL(0)
#define VTD_SCTX_0_DTE		BIT_ULL(2)
#define VTD_SCTX_0_PASIDE	BIT_ULL(3)
#define VTD_SCTX_0_PRE		BIT_ULL(4)
#define VTD_SCTX_0_PDTS		GENMASK_ULL(11, 9)
#define VTD_SCTX_0_DIR		GENMASK_ULL(63, 12)
#define VTD_SCTX_1_RID_PASID	GENMASK_ULL(19, 0)

#define VTD_PDIR_P		BIT_ULL(0)
#define VTD_PDIR_TABLE		GENMASK_ULL(63, 12)
/* PASIDs that one entry of a directory covers */
#define VTD_PTABLE_ENTRIES	64

/**
 * struct vtd_pasid_entry - an entry of a PASID table
 * @w: its 64-bit words
 */
struct vtd_pasid_entry {
	u64 w[8];
};

#define VTD_PE_0_P		BIT_ULL(0)
#define VTD_PE_0_FPD		BIT_ULL(1)
#define VTD_PE_0_AW		GENMASK_ULL(4, 2)
#define VTD_PE_0_PGTT		GENMASK_ULL(8, 6)
#define VTD_PGTT_FIRST		1
#define VTD_PGTT_SECOND		2
#define VTD_PGTT_NESTED		3
#define VTD_PGTT_PASS_THROUGH	4
#define VTD_PE_0_SSADE		BIT_ULL(9)
#define VTD_PE_0_SSPTPTR	GENMASK_ULL(63, 12)
#define VTD_PE_1_DID		GENMASK_ULL(15, 0)
#define VTD_PE_1_PWSNP		BIT_ULL(23)
#define VTD_PE_1_PGSNP		BIT_ULL(24)
#define VTD_PE_2_SRE		BIT_ULL(0)
#define VTD_PE_2_FSPM		GENMASK_ULL(3, 2)
#define VTD_PE_2_WPE		BIT_ULL(4)
#define VTD_PE_2_NXE		BIT_ULL(5)
#define VTD_PE_2_EAFE		BIT_ULL(7)
#define VTD_PE_2_FSPTPTR	GENMASK_ULL(63, 12)

#endif

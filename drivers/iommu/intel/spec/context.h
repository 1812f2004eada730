/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Root and context entries of legacy mode, 128 bits each.
 *
 *	9.1 Root Entry
 *	0	P	present
 *	63:12	CTP	context table: 256 entries, by device and function
 *
 *	9.3 Context Entry
 *	0	P	present
 *	1	FPD	faults are not reported
 *	3:2	TT	what is done with a request
 *	63:12	SSPTPTR	second-stage table
 *	66:64	AW	its levels: 1 for 3, 2 for 4, 3 for 5
 *	87:72	DID	domain id: the tag of what is cached
 */
#ifndef __VTD_SPEC_CONTEXT_H
#define __VTD_SPEC_CONTEXT_H

#include <linux/bitfield.h>
#include <linux/bits.h>

#define VTD_ROOT_P		BIT_ULL(0)
#define VTD_ROOT_CTP		GENMASK_ULL(63, 12)

#define VTD_CTX_LO_P		BIT_ULL(0)
#define VTD_CTX_LO_FPD		BIT_ULL(1)
#define VTD_CTX_LO_TT		GENMASK_ULL(3, 2)
#define VTD_TT_TRANSLATE	0
/* as well, and translation requests and translated ones are taken */
#define VTD_TT_DEVICE_TLB	1
#define VTD_TT_PASS_THROUGH	2
#define VTD_CTX_LO_SSPTPTR	GENMASK_ULL(63, 12)
#define VTD_CTX_HI_AW		GENMASK_ULL(2, 0)
#define VTD_CTX_HI_DID		GENMASK_ULL(23, 8)

/**
 * struct vtd_entry - an entry that hardware reads as a whole
 * @lo: bits 63:0
 * @hi: bits 127:64
 */
struct vtd_entry {
	u64 lo;
	u64 hi;
} __aligned(16);

#endif

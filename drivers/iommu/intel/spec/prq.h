/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page requests: what a device asks for by PCIe messages stands in a queue in memory,
 * and is answered by a descriptor of the invalidation queue.
 *
 *	7.4.1 Page Request Descriptor, 256 bits
 *	7:0	TYPE	1
 *	8	PP	it has a PASID; without, 53:32 is 0
 *	31:16	RID	who asks
 *	51:32	PASID
 *	52	EXR	to execute
 *	53	PMR	in privileged mode
 *	64	RD	to read
 *	65	WR	to write
 *	66	LPIG	the last one of its group, which is answered as a whole.
 *			With neither RD nor WR it is a stop marker: no request
 *			of the PASID comes after it, and there is no answer
 *	75:67	PRGI	the group
 *	127:76	ADDR
 *	255:128		reserved
 *
 *	7.6.1 Page Group Response Descriptor
 *	3:0	TYPE	9
 *	4	PP	as in the request
 *	15:12	RC	the answer
 *	31:16	RID
 *	51:32	PASID
 *	66	LPIG	as in the request that is answered
 *	75:67	PRGI
 */
#ifndef __VTD_SPEC_PRQ_H
#define __VTD_SPEC_PRQ_H

#include <linux/bitfield.h>
#include <linux/bits.h>

/* 11.4.11: the queue's registers; head and tail are offsets in bytes */
#define VTD_PQH			0xc0
#define VTD_PQT			0xc8
#define VTD_PQ_OFFSET		GENMASK_ULL(18, 5)
#define VTD_PQA			0xd0
#define VTD_PQA_PQS		GENMASK_ULL(2, 0)	/* log2 of pages */
#define VTD_PRS			0xdc
#define VTD_PRS_PPR		BIT(0)
#define VTD_PRS_PRO		BIT(1)
#define VTD_PECTL		0xe0	/* and data, address, upper address */

#define VTD_PRQ_BYTES		32

#define VTD_PRQ_0_TYPE		GENMASK_ULL(7, 0)
#define VTD_PRQ_TYPE		1
#define VTD_PRQ_0_PP		BIT_ULL(8)
#define VTD_PRQ_0_RID		GENMASK_ULL(31, 16)
#define VTD_PRQ_0_PASID		GENMASK_ULL(51, 32)
#define VTD_PRQ_0_EXR		BIT_ULL(52)
#define VTD_PRQ_0_PMR		BIT_ULL(53)
#define VTD_PRQ_0_RESERVED	(GENMASK_ULL(63, 54) | GENMASK_ULL(15, 9))
#define VTD_PRQ_1_RD		BIT_ULL(0)
#define VTD_PRQ_1_WR		BIT_ULL(1)
#define VTD_PRQ_1_LPIG		BIT_ULL(2)
#define VTD_PRQ_1_PRGI		GENMASK_ULL(11, 3)
#define VTD_PRQ_1_ADDR		GENMASK_ULL(63, 12)

#define VTD_QI_PAGE_RESPONSE	9
#define VTD_QI_PRESP_LO_PP	BIT_ULL(4)
#define VTD_QI_PRESP_LO_RC	GENMASK_ULL(15, 12)
#define VTD_QI_PRESP_LO_RID	GENMASK_ULL(31, 16)
#define VTD_QI_PRESP_LO_PASID	GENMASK_ULL(51, 32)
#define VTD_QI_PRESP_HI_LPIG	BIT_ULL(2)
#define VTD_QI_PRESP_HI_PRGI	GENMASK_ULL(11, 3)

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptors of the invalidation queue, 6.5.2: 128 bits each. */
#ifndef __VTD_SPEC_QUEUE_H
#define __VTD_SPEC_QUEUE_H

#include <linux/bitfield.h>
#include <linux/bits.h>

#define VTD_QI_TYPE		GENMASK_ULL(3, 0)
#define VTD_QI_CONTEXT		1	/* 6.5.2.1 */
#define VTD_QI_IOTLB		2	/* 6.5.2.3 */
#define VTD_QI_DEVICE_TLB	3	/* 6.5.2.5 */
#define VTD_QI_INTERRUPT	4	/* 6.5.2.7 */
#define VTD_QI_WAIT		5	/* 6.5.2.11 */
#define VTD_QI_PASID_IOTLB	6	/* 6.5.2.4 */
#define VTD_QI_PASID		7	/* 6.5.2.2 */
#define VTD_QI_PASID_DEVICE_TLB	8	/* 6.5.2.6 */

/* how much: all, a domain, or one device or some pages of it */
#define VTD_QI_LO_G		GENMASK_ULL(5, 4)
#define VTD_G_GLOBAL		1
#define VTD_G_DOMAIN		2
#define VTD_G_SELECTIVE		3
#define VTD_QI_LO_DID		GENMASK_ULL(31, 16)
#define VTD_QI_CONTEXT_LO_SID	GENMASK_ULL(47, 32)
/* how many of the highest bits of the function do not count */
#define VTD_QI_CONTEXT_LO_FM	GENMASK_ULL(49, 48)

#define VTD_QI_IOTLB_LO_DW	BIT_ULL(6)
#define VTD_QI_IOTLB_LO_DR	BIT_ULL(7)
#define VTD_QI_IOTLB_HI_AM	GENMASK_ULL(5, 0)
#define VTD_QI_IOTLB_HI_IH	BIT_ULL(6)
#define VTD_QI_IOTLB_HI_ADDR	GENMASK_ULL(63, 12)

/* of the two with PASID: granularities of their own */
#define VTD_QI_LO_PASID		GENMASK_ULL(51, 32)
#define VTD_G_PASID_DOMAIN	0
#define VTD_G_PASID_ONE		1
#define VTD_G_PASID_GLOBAL	3
#define VTD_G_PIOTLB_PASID	2
#define VTD_G_PIOTLB_PAGES	3

/* interrupt entries: all, or a power of two of them */
#define VTD_QI_INTERRUPT_LO_G	BIT_ULL(4)
#define VTD_QI_INTERRUPT_LO_IM	GENMASK_ULL(31, 27)
#define VTD_QI_INTERRUPT_LO_IIDX	GENMASK_ULL(47, 32)

/*
 * of the two for device TLBs; PFSID: the physical function; MIP: how many it takes at
 * a time. With S the address tells a size as well: ones from bit 12 on, then a zero
 */
#define VTD_QI_LO_PFSID_LOW	GENMASK_ULL(15, 12)
#define VTD_QI_LO_PFSID_HIGH	GENMASK_ULL(63, 52)
#define VTD_QI_DEV_LO_MIP	GENMASK_ULL(20, 16)
#define VTD_QI_DEV_LO_SID	GENMASK_ULL(47, 32)
#define VTD_QI_DEV_HI_S		BIT_ULL(0)
#define VTD_QI_PDEV_LO_MIP	GENMASK_ULL(8, 4)
#define VTD_QI_PDEV_LO_SID	GENMASK_ULL(31, 16)
#define VTD_QI_PDEV_HI_G	BIT_ULL(0)
#define VTD_QI_PDEV_HI_S	BIT_ULL(11)

#define VTD_QI_WAIT_LO_SW	BIT_ULL(5)
#define VTD_QI_WAIT_LO_FN	BIT_ULL(6)
/* page requests that have arrived are in their queue first */
#define VTD_QI_WAIT_LO_PD	BIT_ULL(7)
#define VTD_QI_WAIT_LO_DATA	GENMASK_ULL(63, 32)

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptors of the invalidation queue, 6.5.2: 128 bits each. */
#ifndef __VTD_SPEC_QUEUE_H
#define __VTD_SPEC_QUEUE_H

#include <linux/bitfield.h>
#include <linux/bits.h>

#define VTD_QI_TYPE		GENMASK_ULL(3, 0)
#define VTD_QI_CONTEXT		1	/* 6.5.2.1 */
#define VTD_QI_IOTLB		2	/* 6.5.2.3 */
#define VTD_QI_WAIT		5	/* 6.5.2.11 */

/* how much: all, a domain, or one device or some pages of it */
#define VTD_QI_LO_G		GENMASK_ULL(5, 4)
#define VTD_G_GLOBAL		1
#define VTD_G_DOMAIN		2
#define VTD_G_SELECTIVE		3
#define VTD_QI_LO_DID		GENMASK_ULL(31, 16)
#define VTD_QI_CONTEXT_LO_SID	GENMASK_ULL(47, 32)

#define VTD_QI_IOTLB_LO_DW	BIT_ULL(6)
#define VTD_QI_IOTLB_LO_DR	BIT_ULL(7)
#define VTD_QI_IOTLB_HI_AM	GENMASK_ULL(5, 0)
#define VTD_QI_IOTLB_HI_IH	BIT_ULL(6)
#define VTD_QI_IOTLB_HI_ADDR	GENMASK_ULL(63, 12)

#define VTD_QI_WAIT_LO_SW	BIT_ULL(5)
#define VTD_QI_WAIT_LO_FN	BIT_ULL(6)
#define VTD_QI_WAIT_LO_DATA	GENMASK_ULL(63, 32)

#endif

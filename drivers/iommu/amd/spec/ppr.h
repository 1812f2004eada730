/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page requests, 2.6: what a device asks for by PCIe messages stands in a log, and is
 * answered by a command.
 *
 *	2.6.1 entry of the log, 128 bits
 *	15:0	who asks
 *	31:16	PASID, its lower bits
 *	41:32	tag: 8:0 the group, 9 the last one of it
 *	45:42	PASID, the upper ones
 *	49	to execute
 *	50	to read
 *	53	to write
 *	54	of user privilege
 *	55	the unit has found reserved bits in its tables
 *	56	GN: with a PASID
 *	63:60	code: 1
 *	127:76	address
 *
 *	2.4.7 COMPLETE_PPR_REQUEST
 *	15:0	to whom
 *	51:32	PASID
 *	66	GN: with it
 *	104:96	the group
 *	111:108	the answer
 */
#ifndef __AMDVI_SPEC_PPR_H
#define __AMDVI_SPEC_PPR_H

#include <linux/bitfield.h>
#include <linux/bits.h>

#define AMDVI_PPR_LO_DEVICE	GENMASK_ULL(15, 0)
#define AMDVI_PPR_LO_PASID	GENMASK_ULL(31, 16)
#define AMDVI_PPR_LO_GROUP	GENMASK_ULL(40, 32)
#define AMDVI_PPR_LO_LAST	BIT_ULL(41)
#define AMDVI_PPR_LO_PASID_HIGH	GENMASK_ULL(45, 42)
#define AMDVI_PPR_LO_EXECUTE	BIT_ULL(49)
#define AMDVI_PPR_LO_READ	BIT_ULL(50)
#define AMDVI_PPR_LO_WRITE	BIT_ULL(53)
#define AMDVI_PPR_LO_USER	BIT_ULL(54)
#define AMDVI_PPR_LO_RESERVED	BIT_ULL(55)
#define AMDVI_PPR_LO_GN		BIT_ULL(56)
#define AMDVI_PPR_LO_CODE	GENMASK_ULL(63, 60)
#define AMDVI_PPR_REQUEST	1
#define AMDVI_PPR_HI_ADDRESS	GENMASK_ULL(63, 12)

#define AMDVI_PPR_CMD_LO_PASID	GENMASK_ULL(51, 32)
#define AMDVI_PPR_CMD_HI_GN	BIT_ULL(2)
#define AMDVI_PPR_CMD_HI_GROUP	GENMASK_ULL(40, 32)
#define AMDVI_PPR_CMD_HI_ANSWER	GENMASK_ULL(47, 44)

#endif

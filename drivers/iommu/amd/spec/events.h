/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entries of the event log, 2.5: 128 bits each.
 *
 *	15:0	DeviceID
 *	47:32	DomainID
 *	59:48	flags, of which
 *	48	GN	by a PASID; its low bits stand in the place of the domain id
 *	51	I	an interrupt, not a memory access
 *	52	PR	it was present, but not allowed
 *	53	RW	a write
 *	55	RZ	not reserved bits, but a level that cannot be
 *	56	TR	a translation request
 *	63:60	code
 *	127:64	address
 */
#ifndef __AMDVI_SPEC_EVENTS_H
#define __AMDVI_SPEC_EVENTS_H

#include <linux/bitfield.h>
#include <linux/bits.h>

#define AMDVI_EVT_LO_DEVICE	GENMASK_ULL(15, 0)
#define AMDVI_EVT_LO_DOMAIN	GENMASK_ULL(47, 32)
#define AMDVI_EVT_LO_GN		BIT_ULL(48)
#define AMDVI_EVT_LO_I		BIT_ULL(51)
#define AMDVI_EVT_LO_PR		BIT_ULL(52)
#define AMDVI_EVT_LO_RW		BIT_ULL(53)
#define AMDVI_EVT_LO_TR		BIT_ULL(56)
#define AMDVI_EVT_LO_CODE	GENMASK_ULL(63, 60)
#define AMDVI_ILLEGAL_DTE	1	/* 2.5.1 */
#define AMDVI_PAGE_FAULT	2
#define AMDVI_DEVTAB_HARDWARE	3
#define AMDVI_PAGETAB_HARDWARE	4
#define AMDVI_ILLEGAL_COMMAND	5
#define AMDVI_COMMAND_HARDWARE	6
#define AMDVI_IOTLB_TIMEOUT	7
#define AMDVI_INVALID_REQUEST	8

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * GCR3s, 2.2.6.3: where the page tables of a PASID are. A table of them has 512; over it
 * are up to two more, by GLX of the device's entry, each of them for nine bits more of
 * the PASID. All are alike:
 *
 *	0	V	what follows is valid
 *	51:12		a table of GCR3s, or the top of page tables as x86-64 has them
 */
#ifndef __AMDVI_SPEC_GCR3_H
#define __AMDVI_SPEC_GCR3_H

#include <linux/bits.h>

#define AMDVI_GCR3_V		BIT_ULL(0)
#define AMDVI_GCR3_ADDRESS	GENMASK_ULL(51, 12)
/* of the PASID, for each table */
#define AMDVI_GCR3_BITS		9

#endif

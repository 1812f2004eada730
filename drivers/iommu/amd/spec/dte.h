/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An entry of the device table, 2.2.2.1: 256 bits for each device id.
 *
 *	0	V	without it, requests are passed through
 *	1	TV	what follows of translation is valid
 *	8:7	HAD	the table records: 0 nothing, 1 accesses, 3 writes too
 *	11:9	Mode	levels of the host's table; 0: not translated
 *	51:12	root	the table
 *	52	PPR	page requests are taken
 *	54	GIoV	requests without a PASID are those of PASID 0
 *	55	GV	what follows of guests is valid
 *	57:56	GLX	levels of the table of GCR3s, less one
 *	60:58, 95:80, 127:107 that table, by PASID: bits 14:12, 30:15, 51:31
 *	61	IR	reads are allowed
 *	62	IW	writes are allowed
 *	79:64	DomainID tag of what is cached
 *	96	I	translation requests of the device are answered
 *	97	SE	only the first fault of it is reported
 *	98	SA	none is
 *	105:104	SysMgt	what is done with system management requests
 *	128	IV	what follows of interrupts is valid; without it, they
 *			are passed through
 *	132:129	IntTabLen 2^n entries
 *	133	IG	what is not mapped is not reported
 *	179:134	table	of interrupts, aligned to 128 bytes
 *	183:182	GuestPagingMode levels of the guest's tables, less four
 *	184	INITPass, 185 EIntPass, 186 NMIPass: these messages are passed through
 *	189:188	IntCtl	fixed and arbitrated interrupts: 0 aborted, 1 passed
 *			through, 2 remapped
 *	190	Lint0Pass, 191 Lint1Pass
 */
#ifndef __AMDVI_SPEC_DTE_H
#define __AMDVI_SPEC_DTE_H

#include <linux/bitfield.h>
#include <linux/bits.h>

#define AMDVI_NR_IDS		0x10000

/**
 * struct amdvi_dte - an entry of the device table
 * @w: its 64-bit words; hardware reads the first two as a whole, and the other two
 */
struct amdvi_dte {
	u64 w[4];
} __aligned(32);

#define AMDVI_DTE_0_V		BIT_ULL(0)
#define AMDVI_DTE_0_TV		BIT_ULL(1)
#define AMDVI_DTE_0_HAD		GENMASK_ULL(8, 7)
#define AMDVI_HAD_DIRTY		3
#define AMDVI_DTE_0_MODE	GENMASK_ULL(11, 9)
#define AMDVI_DTE_0_ROOT	GENMASK_ULL(51, 12)
#define AMDVI_DTE_0_PPR		BIT_ULL(52)
#define AMDVI_DTE_0_GIOV	BIT_ULL(54)
#define AMDVI_DTE_0_GV		BIT_ULL(55)
#define AMDVI_DTE_0_GLX		GENMASK_ULL(57, 56)
#define AMDVI_DTE_0_GCR3	GENMASK_ULL(60, 58)
#define AMDVI_DTE_0_IR		BIT_ULL(61)
#define AMDVI_DTE_0_IW		BIT_ULL(62)
#define AMDVI_DTE_1_DOMAIN	GENMASK_ULL(15, 0)
#define AMDVI_DTE_1_GCR3	(GENMASK_ULL(63, 43) | GENMASK_ULL(31, 16))
#define AMDVI_DTE_1_I		BIT_ULL(32)
#define AMDVI_DTE_1_SYSMGT	GENMASK_ULL(41, 40)
#define AMDVI_DTE_2_IV		BIT_ULL(0)
#define AMDVI_DTE_2_INTTABLEN	GENMASK_ULL(4, 1)
#define AMDVI_DTE_2_INTTAB	GENMASK_ULL(51, 6)
#define AMDVI_DTE_2_LEVELS	GENMASK_ULL(55, 54)
#define AMDVI_DTE_2_INITPASS	BIT_ULL(56)
#define AMDVI_DTE_2_EINTPASS	BIT_ULL(57)
#define AMDVI_DTE_2_NMIPASS	BIT_ULL(58)
#define AMDVI_DTE_2_INTCTL	GENMASK_ULL(61, 60)
#define AMDVI_INTCTL_REMAP	2
#define AMDVI_DTE_2_LINT0PASS	BIT_ULL(62)
#define AMDVI_DTE_2_LINT1PASS	BIT_ULL(63)

/* Always 0 */
#define AMDVI_DTE_0_RESERVED	(BIT_ULL(63) | GENMASK_ULL(6, 2))

/* The table of GCR3s that an entry leads to */
static inline u64 amdvi_dte_gcr3(const u64 *w)
{
	return (w[0] >> 58 & 0x7) << 12 | (w[1] >> 16 & 0xffff) << 15 |
	       (w[1] >> 43 & 0x1fffff) << 31;
}

/* Have an entry lead there */
static inline void amdvi_dte_set_gcr3(u64 *w, u64 at)
{
	w[0] = (w[0] & ~AMDVI_DTE_0_GCR3) | (at >> 12 & 0x7) << 58;
	w[1] = (w[1] & ~AMDVI_DTE_1_GCR3) | (at >> 15 & 0xffff) << 16 |
	       (at >> 31 & 0x1fffff) << 43;
}

#endif

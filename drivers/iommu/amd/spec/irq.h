/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupt remapping, 2.2.5: the data of a message is the index of an entry in the
 * table that the device's own entry leads to.
 *
 *	bit	entry of 32 bits	of 128 bits (control register: GAEn)
 *	0	RemapEn			the same
 *	1	SupIOPF: not reported	the same
 *	4:2	IntType: 0 fixed	the same
 *	5	RqEoi			the same
 *	6	DM: logical id		the same
 *	15:8	Destination		31:8, and 127:120 with XTEn
 *	23:16	Vector			71:64
 */
#ifndef __AMDVI_SPEC_IRQ_H
#define __AMDVI_SPEC_IRQ_H

#include <linux/bitfield.h>
#include <linux/bits.h>

#define AMDVI_IRTE_REMAP	BIT(0)
#define AMDVI_IRTE_DM		BIT(6)
#define AMDVI_IRTE_DEST		GENMASK(15, 8)
#define AMDVI_IRTE_VECTOR	GENMASK(23, 16)

#define AMDVI_IRTE_LO_DEST	GENMASK_ULL(31, 8)
#define AMDVI_IRTE_HI_VECTOR	GENMASK_ULL(7, 0)
#define AMDVI_IRTE_HI_DEST	GENMASK_ULL(63, 56)

/**
 * struct amdvi_irte - an entry of 128 bits
 * @lo: bits 63:0
 * @hi: bits 127:64
 */
struct amdvi_irte {
	u64 lo;
	u64 hi;
} __aligned(16);

#endif

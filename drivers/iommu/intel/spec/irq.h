/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupt remapping: a write to 0xfeexxxxx names an entry of a table, which
 * says what interrupt it is and who may raise it.
 *
 *	5.1.2.2 Remappable Format, what a device writes
 *	address 1:0	0
 *	address 2	HANDLE[15]
 *	address 3	SHV	the low half of the data is added to the handle
 *	address 4	1	not the compatibility format, which names a vector itself
 *	address 19:5	HANDLE[14:0]
 *	address 31:20	0xfee
 *
 *	9.10 Interrupt Remapping Table Entry, 128 bits
 *	0	P	present
 *	1	FPD	faults are not reported
 *	2	DM	the destination is a logical id
 *	3	RH	any one of the destination's CPUs
 *	4	TM	level triggered
 *	7:5	DLM	delivery mode
 *	23:16	V	vector
 *	63:32	DST	APIC id; without EIME in bits 47:40
 *	79:64	SID	who may raise it
 *	81:80	SQ	low bits of SID that do not count: none, 2, 2:1, 2:0
 *	83:82	SVT	0: not checked, 1: by SID and SQ,
 *			2: SID is a range of buses, the first in its high byte
 */
#ifndef __VTD_SPEC_IRQ_H
#define __VTD_SPEC_IRQ_H

#include <linux/bitfield.h>
#include <linux/bits.h>

/* Interrupt Remapping Table Address, 11.4.9.1: 2^(S+1) entries */
#define VTD_IRTA		0xb8
#define VTD_IRTA_S		GENMASK_ULL(3, 0)
#define VTD_IRTA_EIME		BIT_ULL(11)

#define VTD_IRTE_LO_P		BIT_ULL(0)
#define VTD_IRTE_LO_DM		BIT_ULL(2)
#define VTD_IRTE_LO_RH		BIT_ULL(3)
#define VTD_IRTE_LO_DLM		GENMASK_ULL(7, 5)
#define VTD_IRTE_LO_V		GENMASK_ULL(23, 16)
#define VTD_IRTE_LO_DST		GENMASK_ULL(63, 32)
#define VTD_IRTE_LO_DST_XAPIC	GENMASK_ULL(47, 40)

#define VTD_IRTE_HI_SID		GENMASK_ULL(15, 0)
#define VTD_IRTE_HI_SQ		GENMASK_ULL(17, 16)
#define VTD_IRTE_HI_SVT		GENMASK_ULL(19, 18)
#define VTD_SVT_REQUESTER	1
#define VTD_SVT_BUSES		2

/* Fault reasons, 7.1.2; bits 63:48 of what is recorded are the handle. */
#define VTD_FAULT_IRQ_FIRST	0x20
#define VTD_FAULT_IRQ_LAST	0x27
#define VTD_FRR_LO_HANDLE	GENMASK_ULL(63, 48)

#endif

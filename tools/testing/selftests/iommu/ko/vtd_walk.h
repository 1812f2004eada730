/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between vtd_walk.c and ko/vtd_walk*.c: a VT-d unit in software. It is told what a
 * device asks for, walks the tables that the registers of a real unit lead to, and
 * answers what hardware would have done.
 */
#ifndef VTD_WALK_H
#define VTD_WALK_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* what a device asks for */
#define VTD_WALK_READ		0x01
#define VTD_WALK_WRITE		0x02
#define VTD_WALK_EXEC		0x04	/* only with a PASID */
#define VTD_WALK_PRIV		0x08	/* supervisor privilege, only with a PASID */
#define VTD_WALK_TRANSLATED	0x10	/* address type 10b: from a device TLB */
#define VTD_WALK_ATS		0x20	/* address type 01b: a translation is asked for */
#define VTD_WALK_KEEP		0x40	/* look only: leave accessed and dirty bits alone */

#define VTD_WALK_NO_PASID	0xffffffffU

/* what an access through the translation is like */
#define VTD_WALK_CAN_READ	0x01
#define VTD_WALK_CAN_WRITE	0x02
#define VTD_WALK_CAN_EXEC	0x04
#define VTD_WALK_SNOOP		0x08	/* snooped, whatever the request says */
#define VTD_WALK_USER		0x10	/* first stage: user requests may */
#define VTD_WALK_GLOBAL		0x20	/* first stage: G */
#define VTD_WALK_FS_DIRTY	0x40	/* D of the first-stage leaf, afterwards */
#define VTD_WALK_SS_DIRTY	0x80	/* D of the second-stage leaf, afterwards */
#define VTD_WALK_THROUGH	0x100	/* passed through, nothing is translated */

/* in which structure an entry was read */
enum {
	VTD_WALK_ROOT = 1,
	VTD_WALK_CONTEXT,
	VTD_WALK_DIRECTORY,
	VTD_WALK_PASID_TABLE,
	VTD_WALK_FIRST,
	VTD_WALK_SECOND,
};

/**
 * struct vtd_walk_step - an entry that was read
 * @phys: where it lies
 * @value: its first word, as it was read
 * @kind: VTD_WALK_ROOT and following
 * @level: of first- and second-stage entries: 1 has pages of 4 KiB
 */
struct vtd_walk_step {
	__u64 phys;
	__u64 value;
	__u32 kind;
	__u32 level;
};

/* nested, 5 levels each: 6 walks of the second stage, 5 entries of the first, 4 */
#define VTD_WALK_STEPS 40

/**
 * struct vtd_walk - a request of a device
 * @unit: physical address of the unit's registers
 * @sid: requester: bus, device and function
 * @pasid: or VTD_WALK_NO_PASID
 * @flags: VTD_WALK_READ and following
 * @fault: out: fault reason of the specification, 0 if the request goes on
 * @address: asked for
 * @phys: out: where it leads
 * @gpa: out: nested: what the first stage made of it
 * @page_lg2: out: size of the page, of both stages the smaller one; 0 if none
 * @attributes: out: VTD_WALK_CAN_READ and following
 * @did: out: domain id that would tag it in the IOTLB
 * @pgtt: out: scalable mode: kind of translation, field of that name
 * @kind: out: structure in which the walk ended, VTD_WALK_ROOT and following
 * @level: out: of it, if it is one of a page table
 * @nr_steps: out
 * @steps: out: all that was read, in order
 */
struct vtd_walk {
	__u64 unit;
	__u32 sid;
	__u32 pasid;
	__u32 flags;
	__u32 fault;
	__u64 address;
	__u64 phys;
	__u64 gpa;
	__u32 page_lg2;
	__u32 attributes;
	__u32 did;
	__u32 pgtt;
	__u32 kind;
	__u32 level;
	__u32 nr_steps;
	__u32 reserved;
	struct vtd_walk_step steps[VTD_WALK_STEPS];
};

/**
 * struct vtd_walk_dma - the request with its data
 * @walk: the request; with VTD_WALK_WRITE @data goes to memory, else memory to @data.
 *	  out: the translation of the last page, or the fault that ended it
 * @data: the user's
 * @length: bytes; out: how many were moved
 */
struct vtd_walk_dma {
	struct vtd_walk walk;
	__u64 data;
	__u64 length;
};

/**
 * struct vtd_walk_word - a word of memory, to break what hardware reads
 * @phys: where it lies, aligned
 * @value: in: new; out: what was there
 * @write: 0: only read
 */
struct vtd_walk_word {
	__u64 phys;
	__u64 value;
	__u32 write;
	__u32 reserved;
};

/**
 * struct vtd_walk_pasids - let the kernel believe that a device has PASIDs
 * @domain: PCI segment
 * @sid: the device
 * @max: PASIDs from 1 to this - 1; 0: none
 *
 * No emulated device has the capability. This sets what the IOMMU core would have
 * read from it, for a device that is behind some IOMMU.
 */
struct vtd_walk_pasids {
	__u32 domain;
	__u32 sid;
	__u32 max;
	__u32 reserved;
};

/* 6.5.2: the first two words of a descriptor */
struct vtd_walk_told {
	__u64 lo;
	__u64 hi;
};

#define VTD_WALK_NR_TOLD 64

/**
 * struct vtd_walk_queue - what a unit was told to forget
 * @unit: physical address of the unit's registers
 * @told: out: the last descriptors that it has taken from its queue, the newest last
 */
struct vtd_walk_queue {
	__u64 unit;
	struct vtd_walk_told told[VTD_WALK_NR_TOLD];
};

#define VTD_WALK_TRANSLATE	_IOWR('V', 0, struct vtd_walk)
#define VTD_WALK_DMA		_IOWR('V', 1, struct vtd_walk_dma)
#define VTD_WALK_WORD		_IOWR('V', 2, struct vtd_walk_word)
#define VTD_WALK_PASIDS		_IOW('V', 3, struct vtd_walk_pasids)
#define VTD_WALK_QUEUE		_IOWR('V', 4, struct vtd_walk_queue)

#endif

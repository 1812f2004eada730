/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between amdvi_walk.c and ko/amdvi_walk.c: an AMD-Vi unit in software. It is told what
 * a device asks for, walks the tables that the registers of a real unit lead to, and
 * answers what hardware would have done.
 */
#ifndef AMDVI_WALK_H
#define AMDVI_WALK_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* what a device asks for */
#define AMDVI_WALK_READ		0x01
#define AMDVI_WALK_WRITE	0x02
#define AMDVI_WALK_EXEC		0x04	/* only with a PASID */
#define AMDVI_WALK_PRIV		0x08	/* supervisor privilege, only with a PASID */
#define AMDVI_WALK_KEEP		0x40	/* look only: leave accessed and dirty bits alone */

#define AMDVI_WALK_NO_PASID	0xffffffffU

/* what an access through the translation is like */
#define AMDVI_WALK_CAN_READ	0x01
#define AMDVI_WALK_CAN_WRITE	0x02
#define AMDVI_WALK_COHERENT	0x08	/* snooped, whatever the request says */
#define AMDVI_WALK_GUEST_DIRTY	0x40	/* D of the guest's leaf, afterwards */
#define AMDVI_WALK_HOST_DIRTY	0x80	/* D of the host's leaf, afterwards */
#define AMDVI_WALK_THROUGH	0x100	/* passed through, nothing is translated */

/* codes of events, 2.5 */
#define AMDVI_WALK_ILLEGAL_DTE	1
#define AMDVI_WALK_PAGE_FAULT	2
#define AMDVI_WALK_DEVTAB_ERROR	3
#define AMDVI_WALK_TABLE_ERROR	4
#define AMDVI_WALK_REQUEST	8

/* in which structure an entry was read */
enum {
	AMDVI_WALK_DTE = 1,
	AMDVI_WALK_GCR3,
	AMDVI_WALK_GUEST,
	AMDVI_WALK_HOST,
};

/**
 * struct amdvi_walk_step - an entry that was read
 * @phys: where it lies
 * @value: its first word, as it was read
 * @kind: AMDVI_WALK_DTE and following
 * @level: of an entry of a page table: 1 has pages of 4 KiB
 */
struct amdvi_walk_step {
	__u64 phys;
	__u64 value;
	__u32 kind;
	__u32 level;
};

/* 3 levels of GCR3 tables and 5 of the guest's, each over 6 of the host's, and 6 */
#define AMDVI_WALK_STEPS 72

/**
 * struct amdvi_walk - a request of a device
 * @unit: physical address of the unit's registers
 * @id: device id with which it comes
 * @pasid: or AMDVI_WALK_NO_PASID
 * @flags: AMDVI_WALK_READ and following
 * @event: out: what would be recorded, 0 if the request goes on
 * @present: out: of a page fault: there was an entry, but not for this
 * @address: asked for
 * @phys: out: where it leads
 * @gpa: out: what the guest's table made of it
 * @page_lg2: out: size of the page, of both tables the smaller one; 0 if none
 * @attributes: out: AMDVI_WALK_CAN_READ and following
 * @domain: out: domain id that would tag it in the IOTLB
 * @nr_steps: out
 * @steps: out: all that was read, in order
 */
struct amdvi_walk {
	__u64 unit;
	__u32 id;
	__u32 pasid;
	__u32 flags;
	__u32 event;
	__u64 address;
	__u64 phys;
	__u64 gpa;
	__u32 page_lg2;
	__u32 attributes;
	__u32 domain;
	__u32 present;
	__u32 nr_steps;
	__u32 reserved;
	struct amdvi_walk_step steps[AMDVI_WALK_STEPS];
};

/**
 * struct amdvi_walk_dma - the request with its data
 * @walk: the request; with AMDVI_WALK_WRITE @data goes to memory, else memory to
 *	  @data. out: the translation of the last page, or the event that ended it
 * @data: the user's
 * @length: bytes; out: how many were moved
 */
struct amdvi_walk_dma {
	struct amdvi_walk walk;
	__u64 data;
	__u64 length;
};

/**
 * struct amdvi_walk_word - a word of memory, to break what hardware reads
 * @phys: where it lies, aligned
 * @value: in: new; out: what was there
 * @write: 0: only read
 */
struct amdvi_walk_word {
	__u64 phys;
	__u64 value;
	__u32 write;
	__u32 reserved;
};

/**
 * struct amdvi_walk_interrupt - a message that a device writes
 * @unit: physical address of the unit's registers
 * @id: device id with which it comes
 * @data: of the message
 * @event: out: what would be recorded, 0 if it goes on
 * @through: out: it goes on as it is
 * @vector: out: else where it goes
 * @destination: out: APIC id
 */
struct amdvi_walk_interrupt {
	__u64 unit;
	__u32 id;
	__u32 data;
	__u32 event;
	__u32 through;
	__u32 vector;
	__u32 destination;
};

#define AMDVI_WALK_NR_TOLD 64

/**
 * struct amdvi_walk_told - what a unit was told to do
 * @unit: physical address of the unit's registers
 * @told: out: the last commands that it has taken, the newest last
 */
struct amdvi_walk_told {
	__u64 unit;
	__u64 told[AMDVI_WALK_NR_TOLD][2];
};

#define AMDVI_WALK_TRANSLATE	_IOWR('A', 0, struct amdvi_walk)
#define AMDVI_WALK_DMA		_IOWR('A', 1, struct amdvi_walk_dma)
#define AMDVI_WALK_WORD		_IOWR('A', 2, struct amdvi_walk_word)
#define AMDVI_WALK_MESSAGE	_IOWR('A', 3, struct amdvi_walk_interrupt)
#define AMDVI_WALK_TOLD		_IOWR('A', 4, struct amdvi_walk_told)

#endif

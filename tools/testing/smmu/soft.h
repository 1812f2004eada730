/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An SMMUv3 in software, after the Arm System Memory Management Unit Architecture
 * Specification (IHI 0070), with its own numbers for everything: registers, queues,
 * what they lead to, and caches of all that can be cached. So what the driver does not
 * have it forget it goes on using, and what the driver may not say it refuses.
 */
#ifndef SMMU_SOFT_H
#define SMMU_SOFT_H

#include "smmu_kernel.h"

/* Identification registers that a unit can have; tests add to these, or take away. */
#define IDR0_S2P	BIT(0)
#define IDR0_S1P	BIT(1)
#define IDR0_TTF_64	(2U << 2)
#define IDR0_COHACC	BIT(4)
#define IDR0_HTTU_DIRTY	(2U << 6)
#define IDR0_ATS	BIT(10)
#define IDR0_ASID16	BIT(12)
#define IDR0_MSI	BIT(13)
#define IDR0_PRI	BIT(16)
#define IDR0_VMID16	BIT(18)
#define IDR0_CD2L	BIT(19)
#define IDR0_STALL(n)	((n) << 24)
#define IDR0_ST2L	(1U << 27)
#define IDR1_SSID(n)	((n) << 6)
#define IDR1_QUEUES(c, e, p) ((c) << 21 | (e) << 16 | (p) << 11)
#define IDR3_FWB	BIT(8)
#define IDR3_RIL	BIT(10)
#define IDR3_BBML(n)	((n) << 11)
#define IDR5_48		5U
#define IDR5_52		6U
#define IDR5_4K		BIT(4)
#define IDR5_16K	BIT(5)
#define IDR5_64K	BIT(6)
#define IDR5_VA52	(1U << 10)

/* 7.3 */
#define BAD_STREAMID	0x02
#define STE_FETCH	0x03
#define BAD_STE		0x04
#define BAD_ATS_TREQ	0x05
#define STREAM_DISABLED	0x06
#define TRANSL_FORBIDDEN 0x07
#define BAD_SUBSTREAMID	0x08
#define CD_FETCH	0x09
#define BAD_CD		0x0a
#define WALK_EABT	0x0b
#define TRANSLATION	0x10
#define ADDR_SIZE	0x11
#define ACCESS		0x12
#define PERMISSION	0x13
/* not an event: 5.2, Config abort is silent */
#define ABORTED		0x100

#define NO_SSID (-1)

/**
 * struct soft_answer - what became of a request
 * @event: 0, or why it was refused
 * @stage2: it was in stage 2
 * @phys: where it leads
 * @ipa: nested: what stage 1 has made of it
 * @lg2: of the page, of both stages the smaller one; 0 without stages
 * @can_write: writes may
 * @vmid: that tags it in the TLB
 * @asid: likewise; -1 without stage 1
 */
struct soft_answer {
	unsigned int event;
	bool stage2;
	u64 phys;
	u64 ipa;
	unsigned int lg2;
	bool can_write;
	int vmid;
	int asid;
};

struct soft_command {
	u64 w[2];
};

#define SOFT_COMMANDS 4096
#define SOFT_DEVICES 4

/* A device that can remember translations. */
struct soft_device {
	u32 sid;
	struct pci_dev *pdev;
	/* it does not answer */
	bool mute;
	/* page requests that come before its next answer, @lates of them */
	u64 late[4][2];
	unsigned int lates;
	struct soft_atc { bool used; int ssid; u64 page, phys; bool can_write; } atc[64];
};

extern struct soft {
	u32 idr[6];
	u32 iidr;
	/* it looks into the CPU's caches */
	bool coherent;
	/* wires it has, by name; else messages if IDR0_MSI */
	bool combined, wires;
	/* commands that it has taken, as they came */
	struct soft_command taken[SOFT_COMMANDS];
	unsigned int nr_taken;
	/* what has been refused of the driver */
	unsigned int illegal;
	/* refuse the next of this kind as if it were not known; -1: none */
	int refuse;
	/* as many commands cannot be read */
	unsigned int aborts;
	/* registers do not react */
	bool stuck;
	/* a request that waits, by tag: 0 none, 1 waits, 2 goes on, 3 was ended */
	unsigned int stalls[16];
	/* events that were recorded, and lost */
	unsigned int events, lost;
	/* interrupts that were raised by wire and by message */
	unsigned int interrupts, messages;
	struct soft_device devices[SOFT_DEVICES];
	unsigned int nr_devices;
	char regs[0x20000] __attribute__((aligned(4096)));
} soft;

/* As after a reset. What tests set goes after this. */
void soft_reset(u32 idr0, u32 idr1, u32 idr3, u32 idr5);

/* A request of a device; records an event if it is refused. */
struct soft_answer soft_request(u32 sid, int ssid, u64 address, bool write);
/* The same, but for events and caches: what the tables say now. */
struct soft_answer soft_look(u32 sid, int ssid, u64 address, bool write);

/* A device asks for a translation and keeps it; 0 or the event. */
unsigned int soft_ats(struct soft_device *d, int ssid, u64 address, bool write);
/* It uses what it keeps. True: it reaches *phys */
bool soft_ats_use(struct soft_device *d, int ssid, u64 address, u64 *phys);
struct soft_device *soft_device_add(u32 sid, struct pci_dev *pdev);

/* A record for the event queue, 4 words; a page request, 2 words. */
void soft_record(const u64 *record);
void soft_page_request(const u64 *record);

/* Errors that the unit reports, 6.3.17. */
void soft_error(u32 bits);

/* Let handlers run whose interrupts were raised. */
void soft_interrupts(void);

/* How many of a kind were taken since soft.nr_taken was set to 0. */
unsigned int soft_count(unsigned int op);
/* The last of a kind, or NULL. */
const struct soft_command *soft_last(unsigned int op);

/* Bits HIGH:LOW of a command or a record. */
static inline u64 bits(const u64 *w, unsigned int high, unsigned int low)
{
	return w[low / 64] >> low % 64 & (~0ULL >> (63 - (high - low)));
}

#endif

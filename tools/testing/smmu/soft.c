// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers, the command queue, and what it has the unit forget: chapters 3.5, 4, 6, 7.
 */
#include "soft_int.h"

struct soft soft;
struct soft_cache cache;

/* 6.2 */
#define CR0		0x20
#define CR0ACK		0x24
#define GBPA		0x44
#define IRQ_CTRL	0x50
#define IRQ_CTRLACK	0x54
#define GERROR		0x60
#define GERRORN		0x64
#define CMDQ_BASE	0x90
#define CMDQ_PROD	0x98
#define CMDQ_CONS	0x9c
#define EVENTQ_BASE	0xa0
#define PRIQ_BASE	0xc0
#define PAGE1		0x10000
#define EVENTQ_PROD	(PAGE1 + 0xa8)
#define EVENTQ_CONS	(PAGE1 + 0xac)
#define PRIQ_PROD	(PAGE1 + 0xc8)
#define PRIQ_CONS	(PAGE1 + 0xcc)

u32 reg(unsigned int at)
{
	u32 value;

	memcpy(&value, soft.regs + at, 4);
	return value;
}

u64 reg64(unsigned int at)
{
	u64 value;

	memcpy(&value, soft.regs + at, 8);
	return value;
}

static void set(unsigned int at, u32 value)
{
	memcpy(soft.regs + at, &value, 4);
}

/* Interrupts that wait to be delivered: 0 events, 1 errors, 2 page requests. */
static unsigned int raised;

static void raise_interrupt(unsigned int which)
{
	static const unsigned int enable[] = { 2, 0, 1 };

	if (reg(IRQ_CTRL) >> enable[which] & 1)
		raised |= BIT(which);
}

void soft_interrupts(void)
{
	unsigned int i, now = raised;

	raised = 0;
	for (i = 0; i < 3; i++)
		if (now >> i & 1)
			kernel_interrupt(i);
}

void soft_error(u32 bits)
{
	set(GERROR, reg(GERROR) ^ bits);
	raise_interrupt(1);
}

/* Queues that the unit writes to, 3.5: @size bytes each */
static bool queue_write(unsigned int base, unsigned int prod_at, unsigned int cons_at,
			const u64 *record, unsigned int words)
{
	unsigned int lg2 = reg64(base) & 31, i;
	u32 prod = reg(prod_at), cons = reg(cons_at);
	u32 mask = (2U << lg2) - 1;
	u64 at = (reg64(base) & GENMASK_ULL(51, 5)) +
		 8ULL * words * (prod & ((1U << lg2) - 1));

	if (((prod ^ cons) & mask) == 1U << lg2) {
		/* 7.4: once, until it is acknowledged */
		if (!((prod ^ cons) >> 31))
			set(prod_at, prod ^ BIT(31));
		return false;
	}
	for (i = 0; i < words; i++)
		memory_write(at + 8 * i, record[i]);
	set(prod_at, (prod & BIT(31)) | ((prod + 1) & mask));
	return true;
}

void soft_record(const u64 *record)
{
	if (!(reg(CR0) & BIT(2)))
		return;
	if (queue_write(EVENTQ_BASE, EVENTQ_PROD, EVENTQ_CONS, record, 4))
		soft.events++;
	else
		soft.lost++;
	raise_interrupt(0);
}

void soft_page_request(const u64 *record)
{
	if (reg(CR0) & BIT(1) &&
	    !queue_write(PRIQ_BASE, PRIQ_PROD, PRIQ_CONS, record, 2))
		soft.lost++;
	raise_interrupt(2);
}

/* 4.4.1.1: which pages a TLBI by address is about */
static void tlbi_range(const u64 *w, u64 *first, u64 *last)
{
	u64 address = w[1] & ~0xfffULL, pages = 1;
	unsigned int tg = bits(w, 75, 74), lg2 = tg ? 10 + 2 * tg : 12;

	if (soft.idr[3] & IDR3_RIL && tg)
		pages = (bits(w, 16, 12) + 1) << bits(w, 24, 20);
	*first = address >> lg2 << lg2;
	*last = *first + (pages << lg2) - 1;
}

static bool tlb_matches(const struct soft_tlb *t, const u64 *w, bool asid, bool va)
{
	u64 first = 0, last = U64_MAX, size = 1ULL << t->lg2;

	if (t->vmid != (int)bits(w, 47, 32) && soft.idr[0] & IDR0_S2P)
		return false;
	if (t->stage == 2)
		return false;
	if (asid && t->asid != (int)bits(w, 63, 48))
		return false;
	if (va) {
		tlbi_range(w, &first, &last);
		/* only leaves */
		if (bits(w, 64, 64) && t->table)
			return false;
	}
	return t->address <= last && t->address + size - 1 >= first;
}

static bool tlbi(unsigned int op, const u64 *w)
{
	unsigned int i;
	u64 first, last;

	for (i = 0; i < CACHE_TLB; i++) {
		struct soft_tlb *t = &cache.tlb[i];

		if (!t->used)
			continue;
		switch (op) {
		case 0x10:
			t->used = !tlb_matches(t, w, false, false);
			break;
		case 0x11:
			t->used = !tlb_matches(t, w, true, false);
			break;
		case 0x12:
			t->used = !tlb_matches(t, w, true, true);
			break;
		case 0x13:
			t->used = !tlb_matches(t, w, false, true);
			break;
		case 0x28:
			t->used = t->vmid != (int)bits(w, 47, 32);
			break;
		case 0x2a:
			tlbi_range(w, &first, &last);
			if (t->stage == 2 && t->vmid == (int)bits(w, 47, 32) &&
			    !(bits(w, 64, 64) && t->table) && t->address <= last &&
			    t->address + (1ULL << t->lg2) - 1 >= first)
				t->used = false;
			break;
		case 0x30:
			t->used = false;
			break;
		}
	}
	return true;
}

static bool in_streams(u32 sid, const u64 *w)
{
	unsigned int lg2 = bits(w, 68, 64) + 1;

	return lg2 == 32 || sid >> lg2 == bits(w, 63, 32) >> lg2;
}

static void cfgi(unsigned int op, const u64 *w)
{
	u32 sid = bits(w, 63, 32);
	unsigned int i;

	for (i = 0; i < CACHE_CONFIG; i++) {
		struct soft_config *c = &cache.config[i];

		if (!c->used)
			continue;
		switch (op) {
		case 0x03:
			/* 4.3.1: with Leaf what leads to the entry stays */
			if (c->kind == CONFIG_L1STD)
				c->used = bits(w, 64, 64) ||
					  c->sid >> c->lg2 != sid >> c->lg2;
			else
				c->used = c->sid != sid;
			break;
		case 0x04:
			c->used = !in_streams(c->sid, w);
			break;
		case 0x05:
			if (c->sid == sid && c->kind == CONFIG_CD &&
			    c->ssid == bits(w, 31, 12))
				c->used = false;
			if (c->sid == sid && c->kind == CONFIG_L1CD &&
			    !bits(w, 64, 64) &&
			    c->ssid >> c->lg2 == bits(w, 31, 12) >> c->lg2)
				c->used = false;
			break;
		case 0x06:
			if (c->sid == sid && (c->kind == CONFIG_CD ||
					      c->kind == CONFIG_L1CD))
				c->used = false;
			break;
		}
	}
}

struct soft_device *soft_device_add(u32 sid, struct pci_dev *pdev)
{
	struct soft_device *d = &soft.devices[soft.nr_devices++];

	d->sid = sid;
	d->pdev = pdev;
	return d;
}

static struct soft_device *device_of(u32 sid)
{
	unsigned int i;

	for (i = 0; i < soft.nr_devices; i++)
		if (soft.devices[i].sid == sid)
			return &soft.devices[i];
	return NULL;
}

/* A device has not answered since the last CMD_SYNC. */
static bool unanswered;

static void atc_inv(const u64 *w)
{
	struct soft_device *d = device_of(bits(w, 63, 32));
	unsigned int i, lg2 = 12 + bits(w, 69, 64);
	u64 address = w[1] & ~0xfffULL;

	/* one without ATS does not know what it is told */
	if (!d || d->mute || !d->pdev->ats_enabled) {
		unanswered = true;
		return;
	}
	while (d->lates)
		soft_page_request(d->late[--d->lates]);
	for (i = 0; i < ARRAY_SIZE(d->atc); i++) {
		struct soft_atc *a = &d->atc[i];
		bool same = bits(w, 11, 11) ?
			    bits(w, 9, 9) || a->ssid == (int)bits(w, 31, 12) :
			    a->ssid == NO_SSID;

		if (same && (lg2 >= 64 || a->page >> lg2 == address >> lg2))
			a->used = false;
	}
}

/* 4.1.3 and the descriptions of commands: fields that have to be 0 */
static bool is_legal(unsigned int op, const u64 *w)
{
	bool s1 = soft.idr[0] & IDR0_S1P, s2 = soft.idr[0] & IDR0_S2P;
	unsigned int tg = bits(w, 75, 74), stall = soft.idr[0] >> 24 & 3;
	u64 size = bits(w, 24, 12);

	switch (op) {
	case 0x03:
		return true;
	case 0x04:
		return true;
	case 0x05:
	case 0x06:
		return s1;
	case 0x10:
	case 0x11:
		return s1 && (s2 || !bits(w, 47, 32)) && !w[1];
	case 0x12:
	case 0x13:
	case 0x2a:
		if (!(op == 0x2a ? s2 : s1))
			return false;
		if (!(soft.idr[3] & IDR3_RIL))
			return !tg && !size && !bits(w, 73, 72);
		if (!tg)
			return !size && !bits(w, 73, 72);
		return (size || bits(w, 73, 72)) && soft.idr[5] >> (3 + tg) & 1;
	case 0x28:
		return s2;
	case 0x30:
		return true;
	case 0x40:
		return soft.idr[0] & IDR0_ATS && bits(w, 69, 64) <= 52;
	case 0x41:
		return soft.idr[0] & IDR0_PRI && bits(w, 77, 76) < 3;
	case 0x44:
	case 0x45:
		return stall != 1;
	case 0x46:
		return true;
	default:
		return false;
	}
}

/* What CMDQ_CONS.ERR says; 0: done */
static unsigned int execute(const u64 *w)
{
	unsigned int op = bits(w, 7, 0);

	if ((int)op == soft.refuse) {
		soft.refuse = -1;
		return 1;
	}
	if (!is_legal(op, w)) {
		soft.illegal++;
		printf("# illegal: %#llx %#llx\n", w[0], w[1]);
		return 1;
	}
	if (op >= 0x10 && op <= 0x30)
		tlbi(op, w);
	else if (op < 0x10)
		cfgi(op, w);
	else if (op == 0x40)
		atc_inv(w);
	/* CMD_RESUME: with Ac it goes on */
	else if (op == 0x44 && soft.stalls[bits(w, 79, 64) % 16] == 1)
		soft.stalls[bits(w, 79, 64) % 16] = bits(w, 12, 12) ? 2 : 3;
	if (op == 0x46 && unanswered) {
		unanswered = false;
		return 3;
	}
	if (soft.nr_taken < SOFT_COMMANDS)
		memcpy(soft.taken[soft.nr_taken++].w, w, 16);
	return 0;
}

static void run_commands(void)
{
	u64 base = reg64(CMDQ_BASE);
	unsigned int lg2 = base & 31, error;
	u32 cons, mask = (2U << lg2) - 1;
	u64 w[2], at;

	while (reg(CR0) & BIT(3) && !((reg(GERROR) ^ reg(GERRORN)) & 1)) {
		cons = reg(CMDQ_CONS) & mask;
		if (cons == (reg(CMDQ_PROD) & mask) || soft.stuck)
			return;
		at = (base & GENMASK_ULL(51, 5)) + 16 * (cons & ((1U << lg2) - 1));
		if (soft.aborts) {
			soft.aborts--;
			error = 2;
		} else if (!memory_read(at, &w[0]) || !memory_read(at + 8, &w[1])) {
			error = 2;
		} else {
			error = execute(w);
		}
		if (!error) {
			set(CMDQ_CONS, (cons + 1) & mask);
			continue;
		}
		set(CMDQ_CONS, cons | error << 24);
		soft_error(BIT(0));
	}
}

unsigned int soft_count(unsigned int op)
{
	unsigned int i, nr = 0;

	for (i = 0; i < soft.nr_taken; i++)
		nr += bits(soft.taken[i].w, 7, 0) == op;
	return nr;
}

const struct soft_command *soft_last(unsigned int op)
{
	unsigned int i = soft.nr_taken;

	while (i--)
		if (bits(soft.taken[i].w, 7, 0) == op)
			return &soft.taken[i];
	return NULL;
}

static unsigned int offset(const void *at)
{
	unsigned long n = (const char *)at - soft.regs;

	if (n >= sizeof(soft.regs))
		panic("not a register: %p", at);
	return n;
}

u32 soft_read(const void *at)
{
	return reg(offset(at));
}

u64 soft_read64(const void *at)
{
	return reg64(offset(at));
}

void soft_write(u32 value, void *at)
{
	unsigned int n = offset(at);

	/* 6.3: what identifies it, and what it says itself, cannot be written */
	if (n < CR0 || n == CR0ACK || n == IRQ_CTRLACK || n == GERROR)
		panic("register %#x is read-only", n);
	if (n == GBPA)
		value &= ~BIT(31);
	set(n, value);
	if (soft.stuck)
		return;
	if (n == CR0)
		set(CR0ACK, value);
	if (n == IRQ_CTRL)
		set(IRQ_CTRLACK, value);
	if (n == CMDQ_PROD || n == GERRORN || n == CR0)
		run_commands();
}

void soft_write64(u64 value, void *at)
{
	memcpy(soft.regs + offset(at), &value, 8);
}

void soft_reset(u32 idr0, u32 idr1, u32 idr3, u32 idr5)
{
	unsigned int i;

	memset(&soft, 0, sizeof(soft));
	memset(&cache, 0, sizeof(cache));
	raised = 0;
	unanswered = false;
	soft.idr[0] = idr0;
	soft.idr[1] = idr1;
	soft.idr[3] = idr3;
	soft.idr[5] = idr5;
	soft.coherent = idr0 & IDR0_COHACC;
	soft.wires = true;
	soft.refuse = -1;
	for (i = 0; i < 6; i++)
		set(4 * i, soft.idr[i]);
	/* out of a reset it lets nothing through, 6.3.14 */
	set(GBPA, BIT(20));
}

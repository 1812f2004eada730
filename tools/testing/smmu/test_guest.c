// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest writes into its stream table and its command queue: each bit, and random
 * ones, beside what the specification's tables say, with their own numbers. What comes
 * out of a command is tried on a small cache of several guests.
 */
#include "../../../drivers/iommu/arm/guest.h"
#include "../selftests/lib/tap.h"
#include "help.h"

static u32 idr[6];
static bool ats;

/* A unit of which everything can be had. */
static void whole_unit(void)
{
	idr[0] = IDR0_S1P | IDR0_S2P | IDR0_CD2L | IDR0_ASID16 | IDR0_VMID16;
	idr[1] = IDR1_SSID(16);
	idr[3] = IDR3_RIL;
	idr[5] = IDR5_48 | IDR5_4K | IDR5_16K | IDR5_64K;
}

static void random_unit(void)
{
	idr[0] = random64();
	idr[1] = IDR1_SSID(below(21));
	idr[3] = random64();
	idr[5] = random64();
}

static void put(u64 *w, unsigned int high, unsigned int low, u64 value)
{
	u64 m = ~0ULL >> (63 - (high - low)) << low % 64;

	w[low / 64] = (w[low / 64] & ~m) | (value << low % 64 & m);
}

/* 5.2, fields of stage 1: V, Config, S1Fmt, S1ContextPtr, S1CDMax; S1DSS, S1CIR, ... */
static bool guest_has(unsigned int n)
{
	static const struct { unsigned char high, low; } fields[] = {
		{ 0, 0 }, { 3, 1 }, { 5, 4 }, { 51, 6 }, { 63, 59 },
		{ 65, 64 }, { 67, 66 }, { 69, 68 }, { 71, 70 }, { 91, 91 }, { 93, 92 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fields); i++)
		if (n >= fields[i].low && n <= fields[i].high)
			return true;
	return false;
}

/* Slowly, one rule after the other. */
static bool ste_is_right(const u64 *ste)
{
	unsigned int n, config = bits(ste, 3, 1), max = bits(ste, 63, 59);

	if (!bits(ste, 0, 0))
		return true;
	for (n = 0; n < 128; n++)
		if (bits(ste, n, n) && !guest_has(n))
			return false;
	if (config != 0 && config != 4 && config != 5)
		return false;
	if (bits(ste, 93, 92) > 1 || (bits(ste, 93, 92) && !ats))
		return false;
	if (config != 5)
		return true;
	if (max > (idr[1] >> 6 & 31))
		return false;
	if (!max)
		return true;
	if (bits(ste, 5, 4) == 3 || (bits(ste, 5, 4) && !(idr[0] >> 19 & 1)))
		return false;
	return bits(ste, 65, 64) != 3;
}

static void try_ste(const u64 *ste)
{
	unsigned int config = bits(ste, 3, 1);
	u64 out[2] = { ~0ULL, ~0ULL };
	bool right = ste_is_right(ste);

	last_reason[0] = 0;
	CHECK_EQ(smmu_guest_ste(ste, idr, ats, out), right ? 0 : -EIO);
	CHECK_EQ(!last_reason[0], right);
	if (!right)
		return;
	CHECK_EQ(bits(out, 0, 0), 1);
	if (!bits(ste, 0, 0))
		config = 0;
	CHECK_EQ(bits(out, 3, 1), config);
	if (config != 5) {
		CHECK_EQ(out[0] >> 4, 0);
		CHECK_EQ(out[1], 0);
		return;
	}
	CHECK_EQ(out[0], ste[0]);
	/* whether requests stall is the host's */
	CHECK_EQ(out[1], ste[1] & 0x300000ff);
}

static void ste_bits(void)
{
	static const u64 first[] = {
		0, 1, 1 | 4 << 1, 1 | 5 << 1 | 0x123456000, 1 | 5 << 1 | 8ULL << 59 | 0x4000,
		1 | 5 << 1 | 8ULL << 59 | 2 << 4 | 0x4000, 1 | 7 << 1, 1 | 6 << 1,
	};
	unsigned int i, n, two;

	for (two = 0; two < 2; two++) {
		whole_unit();
		idr[0] ^= two ? 0 : IDR0_CD2L;
		ats = two;
		for (i = 0; i < ARRAY_SIZE(first); i++) {
			u64 ste[2] = { first[i], 0 };

			try_ste(ste);
			for (n = 0; n < 128; n++) {
				ste[n / 64] ^= 1ULL << n % 64;
				try_ste(ste);
				ste[n / 64] ^= 1ULL << n % 64;
			}
		}
	}
}

static void ste_substreams(void)
{
	unsigned int max, size;
	u64 ste[2];

	whole_unit();
	for (size = 0; size < 21; size++) {
		idr[1] = IDR1_SSID(size);
		for (max = 0; max < 32; max++) {
			ste[0] = 1 | 5 << 1 | (u64)max << 59;
			ste[1] = 2;
			try_ste(ste);
			/* the sentence names both numbers */
			if (max > size) {
				char want[32];

				snprintf(want, sizeof(want), "S1CDMax %u", max);
				CHECK(strstr(last_reason, want));
			}
		}
	}
}

static void ste_noise(void)
{
	unsigned int round, right = 0;

	random_state = 3;
	for (round = 0; round < 500000; round++) {
		u64 ste[2] = { random64(), random64() };
		unsigned int n;

		random_unit();
		ats = below(2);
		/* mostly nearly right, so that each rule decides now and then */
		for (n = 0; n < 128 && round % 8; n++)
			if (!guest_has(n))
				ste[n / 64] &= ~(1ULL << n % 64);
		if (round % 16)
			put(ste, 93, 92, 0);
		if (below(2))
			put(ste, 3, 1, 5);
		if (below(2))
			put(ste, 63, 59, below(20));
		try_ste(ste);
		right += ste_is_right(ste);
	}
	tap_note("%u of %u entries are right", right, round);
	CHECK(right > 100000 && right < 400000);
}

/* Chapter 4: which fields the commands that a guest may give have */
static const struct {
	unsigned int op;
	struct { unsigned char high, low; } fields[8];
	bool by_address, by_asid, of_stream;
} kinds[] = {
	/* NH_ALL: VMID; NH_ASID: VMID, ASID */
	{ 0x10, { { 47, 32 } } },
	{ 0x11, { { 47, 32 }, { 63, 48 } }, .by_asid = true },
	/* NH_VA: NUM, SCALE, VMID, ASID; Leaf, TTL, TG, Address. NH_VAA has no ASID */
	{ 0x12, { { 16, 12 }, { 24, 20 }, { 47, 32 }, { 63, 48 },
		  { 64, 64 }, { 73, 72 }, { 75, 74 }, { 127, 76 } },
	  .by_address = true, .by_asid = true },
	{ 0x13, { { 16, 12 }, { 24, 20 }, { 47, 32 },
		  { 64, 64 }, { 73, 72 }, { 75, 74 }, { 127, 76 } },
	  .by_address = true },
	{ 0x30, { } },
	/* CFGI_CD: SSID, SID; Leaf. CFGI_CD_ALL: SID */
	{ 0x05, { { 31, 12 }, { 63, 32 }, { 64, 64 } }, .of_stream = true },
	{ 0x06, { { 63, 32 } }, .of_stream = true },
	/* ATC_INV: Global, SSV, SSID, SID; Size, Address */
	{ 0x40, { { 9, 9 }, { 11, 11 }, { 31, 12 }, { 63, 32 }, { 69, 64 }, { 127, 76 } },
	  .of_stream = true },
};

static int kind_of(const u64 *w)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].op == bits(w, 7, 0))
			return i;
	return -1;
}

static bool defined(unsigned int kind, unsigned int n)
{
	unsigned int i;

	if (n < 8)
		return true;
	for (i = 0; i < 8; i++)
		if (kinds[kind].fields[i].high && n >= kinds[kind].fields[i].low &&
		    n <= kinds[kind].fields[i].high)
			return true;
	return false;
}

static bool command_is_right(const u64 *w)
{
	unsigned int tg = bits(w, 75, 74), ttl = bits(w, 73, 72), n;
	bool range = bits(w, 16, 12) || bits(w, 24, 20);
	int kind = kind_of(w);

	if (kind < 0)
		return false;
	for (n = 0; n < 128; n++)
		if (bits(w, n, n) && !defined(kind, n))
			return false;
	if (kinds[kind].by_asid && !(idr[0] >> 12 & 1) && bits(w, 63, 56))
		return false;
	if (!kinds[kind].by_address)
		return true;
	/* 4.4.1.1 */
	if (!(idr[3] >> 10 & 1))
		return !range && !tg && !ttl;
	if (!tg)
		return !range && !ttl;
	if (!range && !ttl)
		return false;
	/* IDR5: 4K in bit 4, 16K in 5, 64K in 6 */
	if (!(idr[5] >> (3 + tg) & 1))
		return false;
	return !(tg == 2 && ttl == 1);
}

#define VMID 0x1357

static bool try_command(struct smmu_guest_command *c, const u64 *w)
{
	bool right = command_is_right(w);
	u64 q[2];
	int kind;

	last_reason[0] = 0;
	CHECK_EQ(smmu_guest_command(c, w, idr, VMID), right ? 0 : -EIO);
	CHECK_EQ(!last_reason[0], right);
	if (!right)
		return false;
	kind = kind_of(w);
	memcpy(q, c->command.w, sizeof(q));
	CHECK_EQ(c->has_sid, kinds[kind].of_stream);
	CHECK_EQ(c->ats, bits(w, 7, 0) == 0x40);
	if (c->has_sid) {
		CHECK_EQ(c->sid, bits(w, 63, 32));
		/* whose it is the caller puts in */
		CHECK_EQ(bits(q, 63, 32), 0);
		CHECK_EQ(q[0], w[0] & 0xffffffff);
		CHECK_EQ(q[1], w[1]);
		return true;
	}
	CHECK_EQ(bits(q, 47, 32), VMID);
	CHECK_EQ(bits(q, 7, 0), bits(w, 7, 0) == 0x30 ? 0x10 : bits(w, 7, 0));
	CHECK_EQ(q[0] & 0xffff0000ffffff00, w[0] & 0xffff0000ffffff00);
	CHECK_EQ(q[1], w[1]);
	return true;
}

/* Every command there is, and each bit of those that a guest has. */
static void command_bits(void)
{
	struct smmu_guest_command c;
	unsigned int op, i, n, unit, tg;

	for (unit = 0; unit < 4; unit++) {
		whole_unit();
		idr[0] ^= unit & 1 ? IDR0_ASID16 : 0;
		idr[3] ^= unit & 2 ? IDR3_RIL : 0;
		for (op = 0; op < 256; op++) {
			u64 w[2] = { op, 0 };

			try_command(&c, w);
		}
		for (i = 0; i < ARRAY_SIZE(kinds); i++) {
			for (tg = 0; tg < 4; tg++) {
				u64 w[2] = { kinds[i].op, (u64)tg << 10 };

				for (n = 0; n < 128; n++) {
					w[n / 64] ^= 1ULL << n % 64;
					try_command(&c, w);
					w[n / 64] ^= 1ULL << n % 64;
				}
			}
		}
	}
}

static void command_ranges(void)
{
	struct smmu_guest_command c;
	unsigned int tg, ttl, size, have;

	for (have = 0; have < 16; have++) {
		whole_unit();
		idr[3] = have & 8 ? IDR3_RIL : 0;
		idr[5] = (have & 7) << 4;
		for (tg = 0; tg < 4; tg++)
			for (ttl = 0; ttl < 4; ttl++)
				for (size = 0; size < 4; size++) {
					u64 w[2] = { 0x12, 0x40000000 };

					put(w, 75, 74, tg);
					put(w, 73, 72, ttl);
					put(w, 16, 12, size & 1 ? 3 : 0);
					put(w, 24, 20, size & 2 ? 5 : 0);
					try_command(&c, w);
				}
	}
}

#define ENTRIES 200

/* A translation that is cached. */
struct cached {
	unsigned int vmid, asid;
	u64 page;
};

/* Whether a unit that takes @q forgets it, by the specification. */
static bool forgets(const u64 *q, const struct cached *t)
{
	unsigned int tg = bits(q, 75, 74), lg2 = tg ? 10 + 2 * tg : 12;
	u64 first = bits(q, 127, 76) << 12 >> lg2 << lg2, pages = 1;

	if (tg)
		pages = (bits(q, 16, 12) + 1) << bits(q, 24, 20);
	switch (bits(q, 7, 0)) {
	case 0x10:
		return t->vmid == bits(q, 47, 32);
	case 0x11:
		return t->vmid == bits(q, 47, 32) && t->asid == bits(q, 63, 48);
	case 0x12:
		if (t->asid != bits(q, 63, 48))
			return false;
		/* fall through */
	case 0x13:
		return t->vmid == bits(q, 47, 32) && t->page >= first &&
		       t->page - first < pages << lg2;
	case 0x30:
		return true;
	default:
		return false;
	}
}

static void random_command(u64 *w)
{
	unsigned int kind = below(ARRAY_SIZE(kinds)), i;

	w[0] = 0;
	w[1] = 0;
	put(w, 7, 0, kinds[kind].op);
	for (i = 0; i < 8 && kinds[kind].fields[i].high; i++)
		put(w, kinds[kind].fields[i].high, kinds[kind].fields[i].low, random64());
	/* ids and addresses that something has */
	if (!kinds[kind].of_stream && below(4)) {
		put(w, 47, 32, below(3));
		if (kinds[kind].by_asid)
			put(w, 63, 48, below(3));
	}
	if (kinds[kind].by_address && below(4)) {
		put(w, 127, 76, below(64));
		if (below(2)) {
			put(w, 16, 12, below(4));
			put(w, 24, 20, below(3));
		} else {
			put(w, 24, 12, 0);
			put(w, 75, 72, 0);
		}
	}
	if (!below(16))
		w[below(2)] ^= 1ULL << below(64);
}

/* A guest gets what it asks for, and nothing of another guest's or the host's goes. */
static void command_fuzz(void)
{
	unsigned int i, round, taken = 0, gone = 0, kept = 0;
	struct cached cache[ENTRIES];
	struct smmu_guest_command c;

	random_state = 5;
	for (i = 0; i < ENTRIES; i++)
		cache[i] = (struct cached){
			.vmid = i % 4 ? VMID : below(3), .asid = below(3),
			.page = below(64) << 12,
		};
	for (round = 0; round < 200000; round++) {
		u64 w[2], asked[2];

		whole_unit();
		random_command(w);
		if (!try_command(&c, w))
			continue;
		taken++;
		/* as the guest's own unit would read it: it has no other VMID */
		memcpy(asked, w, sizeof(w));
		if (!c.has_sid)
			put(asked, 47, 32, VMID);
		for (i = round % 8; i < ENTRIES; i += 8) {
			const struct cached *t = &cache[i];
			bool done = forgets(c.command.w, t);

			CHECK(!done || t->vmid == VMID);
			if (t->vmid == VMID)
				CHECK_EQ(done, forgets(asked, t));
			gone += done;
			kept += !done;
		}
	}
	tap_note("%u of %u commands taken, %u entries forgotten, %u kept", taken, round,
		 gone, kept);
	CHECK(taken > 50000 && gone > 50000 && kept > 50000);
}

static void command_noise(void)
{
	struct smmu_guest_command c;
	unsigned int round;

	random_state = 9;
	for (round = 0; round < 1000000; round++) {
		u64 w[2] = { random64(), below(2) ? 0 : random64() };

		random_unit();
		if (below(2))
			w[0] &= random64() & random64();
		try_command(&c, w);
	}
}

static void events(void)
{
	/* 7.3: what a guest's own tables can have caused */
	static const u8 guests[] = { 0x04, 0x06, 0x08, 0x0a, 0x10, 0x11, 0x12, 0x13 };
	unsigned int id, i;

	for (id = 0; id < 256; id++) {
		struct smmu_event e = { .w = { id | 0x12345ULL << 12 | 1 << 11 | 77ULL << 32,
					       1ULL << 35, 0x5000, 0x6000 } };
		bool guest = false;

		for (i = 0; i < ARRAY_SIZE(guests); i++)
			guest |= guests[i] == id;
		CHECK_EQ(smmu_guest_event(&e, 0xabcd), guest);
		if (!guest)
			continue;
		CHECK_EQ(bits(e.w, 63, 32), 0xabcd);
		CHECK_EQ(bits(e.w, 31, 0), id | 0x12345 << 12 | 1 << 11);
		CHECK(e.w[1] == 1ULL << 35 && e.w[2] == 0x5000 && e.w[3] == 0x6000);
	}
}

static const struct tap_test tests[] = {
	{ "each bit of a stream table entry", ste_bits },
	{ "how many substreams there may be", ste_substreams },
	{ "stream table entries: noise", ste_noise, 120 },
	{ "each command, and each bit of it", command_bits },
	{ "ranges, levels and sizes of pages", command_ranges },
	{ "the host forgets what a guest asks, and only of that guest", command_fuzz, 120 },
	{ "commands: noise", command_noise, 120 },
	{ "events for the guest", events },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

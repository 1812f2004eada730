// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest puts into its invalidation queue: each bit of each descriptor, and
 * what comes out of it for the host's queue, beside a small cache that follows the
 * specification for both.
 */
#include <linux/kernel.h>

#include "../../../drivers/iommu/intel/guest_queue.h"
#include "../../../drivers/iommu/intel/stage1.h"
#include "../selftests/lib/tap.h"
#include "help.h"

/* 6.5.2, with the numbers that stand there: which bits of a type are not reserved */
static const struct {
	unsigned int type;
	struct { unsigned char high, low; } fields[10];
	unsigned char granularities;	/* a bit for each that there is */
} kinds[] = {
	/* context cache: G, DID, SID, FM */
	{ 1, { { 5, 4 }, { 31, 16 }, { 47, 32 }, { 49, 48 } }, 0xe },
	/* IOTLB: G, DW, DR, DID; AM, IH, ADDR */
	{ 2, { { 5, 4 }, { 6, 6 }, { 7, 7 }, { 31, 16 },
	       { 69, 64 }, { 70, 70 }, { 127, 76 } }, 0xe },
	/* device TLB: PFSID, MIP, SID, PFSID; S, ADDR */
	{ 3, { { 15, 12 }, { 20, 16 }, { 47, 32 }, { 63, 52 },
	       { 64, 64 }, { 127, 76 } } },
	/* PASID-based IOTLB: G, DID, PASID; AM, IH, ADDR */
	{ 6, { { 5, 4 }, { 31, 16 }, { 51, 32 },
	       { 69, 64 }, { 70, 70 }, { 127, 76 } }, 0xc },
	/* PASID cache: G, DID, PASID */
	{ 7, { { 5, 4 }, { 31, 16 }, { 51, 32 } }, 0xb },
	/* PASID-based device TLB: MIP, PFSID, SID, PASID, PFSID; G, S, ADDR */
	{ 8, { { 8, 4 }, { 15, 12 }, { 31, 16 }, { 51, 32 }, { 63, 52 },
	       { 64, 64 }, { 75, 75 }, { 127, 76 } } },
};

#define KINDS ARRAY_SIZE(kinds)

static int kind_of(const u64 *q)
{
	unsigned int i;

	for (i = 0; i < KINDS; i++)
		if (kinds[i].type == bits(q, 3, 0))
			return i;
	return -1;
}

static bool defined(unsigned int kind, unsigned int n)
{
	unsigned int i;

	if (n < 4)
		return true;
	for (i = 0; i < 10; i++)
		if (n >= kinds[kind].fields[i].low &&
		    n <= kinds[kind].fields[i].high && kinds[kind].fields[i].high)
			return true;
	return false;
}

static bool right(const u64 *q)
{
	int kind = kind_of(q);
	unsigned int n;

	if (kind < 0)
		return false;
	for (n = 0; n < 256; n++)
		if (q[n / 64] >> n % 64 & 1 && !defined(kind, n))
			return false;
	return !kinds[kind].granularities ||
	       kinds[kind].granularities >> bits(q, 5, 4) & 1;
}

static int try_read(struct vtd_request *request, const u64 *q)
{
	int rc;

	last_reason[0] = 0;
	rc = vtd_request_read(request, q);
	CHECK_EQ(!rc, !last_reason[0]);
	return rc;
}

/* Every type and granularity, then every bit of each. */
static void each_bit(void)
{
	struct vtd_request request;
	unsigned int kind, g, n;

	for (n = 0; n < 16; n++) {
		u64 q[4] = { n | 2 << 4 };

		CHECK_EQ(try_read(&request, q), right(q) ? 0 : -EIO);
	}
	for (kind = 0; kind < KINDS; kind++) {
		for (g = 0; g < 4; g++) {
			u64 q[4] = { kinds[kind].type |
				     (kinds[kind].granularities ? g << 4 : 0) };

			for (n = 0; n < 256; n++) {
				q[n / 64] ^= 1ULL << n % 64;
				CHECK_EQ(try_read(&request, q), right(q) ? 0 : -EIO);
				q[n / 64] ^= 1ULL << n % 64;
			}
		}
	}
}

/* The device's own TLB: sizes as ATS writes them. */
static void device_ranges(void)
{
	static const struct { u64 hi, first, last; } rows[] = {
		{ 0x5000, 0x5000, 0x5fff },
		/* the lowest 0 of 5 is bit 1: four pages */
		{ 0x5001, 0x4000, 0x7fff },
		{ 0x4001, 0x4000, 0x5fff },
		{ 0x1001, 0x0, 0x3fff },
		{ 0xb001, 0x8000, 0xffff },
		{ 0x7ffffffffffff001, 0, U64_MAX },
		{ 0xfffffffffffff001, 0, U64_MAX },
		{ 0xbffffffffffff001, 0x8000000000000000, U64_MAX },
	};
	struct vtd_request request;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		u64 q[4] = { 3 | 0x1234ULL << 32, rows[i].hi };

		OK(try_read(&request, q));
		CHECK(request.has_sid && request.sid == 0x1234);
		CHECK(request.what == VTD_REQUEST_DEVICE_TLB);
		CHECK_EQ(request.first, rows[i].first);
		CHECK_EQ(request.last, rows[i].last);
		/* the same with a PASID; the size bit is another */
		q[0] = 8 | 0x4321ULL << 16 | 0x54321ULL << 32;
		q[1] = (rows[i].hi & ~1ULL) | (rows[i].hi & 1) << 11;
		OK(try_read(&request, q));
		CHECK(request.sid == 0x4321 && request.pasid == 0x54321);
		CHECK(!request.every_pasid);
		CHECK_EQ(request.first, rows[i].first);
		CHECK_EQ(request.last, rows[i].last);
		q[1] |= 1;
		OK(try_read(&request, q));
		CHECK(request.every_pasid);
	}
}

#define GUESTS 2
#define STAGES 6
#define ENTRIES 400

/* A first stage of a guest, as the host has it. */
struct stage {
	unsigned int guest;
	u16 host_did;
	struct vtd_stage1 stage1;
};

/* A translation that is cached, or an entry of a PASID table. */
struct cached {
	unsigned int stage;
	u32 pasid;
	bool translation;
	u64 address;
};

/* Of @high and @low of a descriptor: whether its pages hold an address. */
static bool in_pages(const u64 *q, u64 address)
{
	unsigned int am = bits(q, 69, 64);
	unsigned int shift = am > 51 ? 63 : 12 + am;

	return am > 51 || address >> shift == (q[1] & ~0xfffULL) >> shift;
}

/*
 * Whether a unit that takes @q forgets something that is tagged with a domain id and
 * a PASID, by the specification. Device TLBs and context entries are not in here.
 */
static bool forgets(const u64 *q, unsigned int did, const struct cached *c)
{
	unsigned int g = bits(q, 5, 4);
	bool same_did = bits(q, 31, 16) == did;
	bool same_pasid = bits(q, 51, 32) == c->pasid;

	switch (bits(q, 3, 0)) {
	case 2:
		/* pages of a domain: guests have no second stage; never less */
		return c->translation && (g == 1 || same_did);
	case 6:
		return c->translation && same_did && same_pasid &&
		       (g == 2 || in_pages(q, c->address));
	case 7:
		return !c->translation && (g == 3 || (same_did &&
						      (g == 0 || same_pasid)));
	default:
		return false;
	}
}

static void random_request(u64 *q)
{
	unsigned int kind = below(KINDS), i;

	memset(q, 0, 4 * sizeof(*q));
	put(q, 3, 0, kinds[kind].type);
	for (i = 0; i < 10 && kinds[kind].fields[i].high; i++)
		put(q, kinds[kind].fields[i].high, kinds[kind].fields[i].low,
		    random64());
	/* ids that something has, addresses near something */
	if (kinds[kind].granularities) {
		if (below(4))
			put(q, 31, 16, below(4));
		if (below(4) && kinds[kind].type > 2)
			put(q, 51, 32, below(3));
		if (below(4) && kinds[kind].type == 6) {
			put(q, 127, 76, below(64));
			put(q, 69, 64, below(8));
		}
	}
	if (!below(16))
		q[below(4)] ^= 1ULL << below(64);
}

/* Our descriptor is one that the unit takes, and it has our id and no other. */
static void check_host(const struct vtd_entry *d, u16 did, u64 cap)
{
	u64 q[4] = { d->lo, d->hi };

	CHECK(right(q));
	CHECK_EQ(bits(q, 31, 16), did);
	CHECK(bits(q, 3, 0) != 1);
	/* never of all domains */
	CHECK(bits(q, 3, 0) != 2 || bits(q, 5, 4) == 2);
	CHECK(bits(q, 3, 0) != 7 || bits(q, 5, 4) < 2);
	CHECK(bits(q, 69, 64) <= (cap >> 48 & 63));
}

static void fuzz(void)
{
	struct cached cache[ENTRIES];
	struct stage stages[STAGES];
	unsigned int round, i, k, taken = 0, gone = 0, kept = 0;

	random_state = 7;
	for (i = 0; i < STAGES; i++) {
		stages[i] = (struct stage){ .guest = i % GUESTS,
					    .host_did = 100 + i };
		/* the guests use the same ids, the host does not */
		stages[i].stage1.has_did = i != STAGES - 1;
		stages[i].stage1.did = i / GUESTS;
	}
	for (i = 0; i < ENTRIES; i++)
		cache[i] = (struct cached){
			.stage = below(STAGES), .pasid = below(3),
			.translation = below(4), .address = below(64) << 12,
		};
	for (round = 0; round < 200000; round++) {
		u64 q[4], cap = random64() & (63ULL << 48 | 3ULL << 54);
		struct vtd_request request;

		random_request(q);
		if (try_read(&request, q)) {
			CHECK(!right(q));
			continue;
		}
		CHECK(right(q));
		taken++;
		for (i = 0; i < STAGES; i++) {
			const struct stage *s = &stages[i];
			struct vtd_entry d;
			bool any = false;
			u64 host[4] = { 0 };

			/* the request comes from guest 0 */
			if (s->guest == 0 && vtd_request_concerns(&request, &s->stage1))
				any = vtd_request_for_host(&request, cap,
							   s->host_did, &d);
			if (any) {
				check_host(&d, s->host_did, cap);
				host[0] = d.lo;
				host[1] = d.hi;
			}
			for (k = round % 8; k < ENTRIES; k += 8) {
				const struct cached *c = &cache[k];
				bool asked, done;

				done = any && forgets(host, stages[c->stage].host_did, c);
				/* what is of another table stays */
				if (c->stage != i) {
					CHECK(!done);
					continue;
				}
				asked = s->guest == 0 &&
					forgets(q, s->stage1.has_did ?
						s->stage1.did : bits(q, 31, 16), c);
				if (asked)
					CHECK(done);
				gone += done;
				kept += !done;
			}
		}
	}
	tap_note("%u of %u requests taken, %u entries forgotten, %u kept", taken,
		 round, gone, kept);
	CHECK(taken > 50000 && gone > 50000 && kept > 50000);
}

/* Any 256 bits. */
static void noise(void)
{
	struct vtd_request request;
	struct vtd_entry d;
	unsigned int i, round;

	random_state = 99;
	for (round = 0; round < 1000000; round++) {
		u64 q[4] = { random64() };

		for (i = 1; i < 4; i++)
			q[i] = below(2) ? 0 : random64();
		if (below(2))
			q[0] &= random64() & random64();
		CHECK_EQ(try_read(&request, q), right(q) ? 0 : -EIO);
		if (right(q) && vtd_request_for_host(&request, 9ULL << 48, 77, &d))
			check_host(&d, 77, 9ULL << 48);
	}
}

/* A range is not made smaller, and of several domains none is forgotten too little. */
static void functions(void)
{
	static const unsigned int masks[] = { 0, 4, 6, 7 };
	struct vtd_request request;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		u64 q[4] = { 1 | 3 << 4 | 0x0123ULL << 32 | (u64)i << 48 };

		OK(try_read(&request, q));
		CHECK(request.has_sid && request.sid == 0x123);
		CHECK_EQ(request.functions, masks[i]);
		/* only for one device */
		q[0] = 1 | 2 << 4 | 0x0123ULL << 32 | (u64)i << 48;
		OK(try_read(&request, q));
		CHECK(!request.has_sid && !request.functions);
	}
}

static void records(void)
{
	unsigned int reason, n;

	for (reason = 0; reason < 256; reason++) {
		u64 record[2] = { 0xabcdefff, (u64)reason << 32 | 0x1234 | 1ULL << 63 };

		CHECK_EQ(vtd_record_for_guest(record, 0x4321), reason >= 0x70);
		if (reason < 0x70)
			continue;
		CHECK_EQ(record[0], 0xabcde000);
		CHECK_EQ(record[1], (u64)reason << 32 | 0x4321 | 1ULL << 63);
	}
	/* what has no meaning is not passed on: bits 79:64 are ours, 91:80 reserved */
	for (n = 0; n < 64; n++) {
		u64 record[2] = { 0, 0x71ULL << 32 | 1ULL << n };
		bool kept;

		CHECK(vtd_record_for_guest(record, 0));
		kept = n >= 28;
		CHECK_EQ(record[1] >> n & 1, kept || (n >= 32 && 0x71 >> (n - 32) & 1));
		CHECK_EQ(record[1] & 0xffff, 0);
	}
}

static const struct tap_test tests[] = {
	{ "each bit of each descriptor", each_bit },
	{ "ranges of device TLBs", device_ranges },
	{ "functions that share an invalidation", functions },
	{ "the host forgets what a guest asks, and only of that guest", fuzz, 120 },
	{ "noise", noise, 120 },
	{ "fault records for the guest", records },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page requests: each bit of a descriptor alone, and random ones, beside what the
 * specification's drawing says, with its own numbers.
 */
#include <linux/kernel.h>

#include "../../../drivers/iommu/intel/page_request.h"
#include "../selftests/lib/tap.h"
#include "help.h"

/* A request of 05:06.7 that is right. */
static void good(u64 *q)
{
	memset(q, 0, 4 * sizeof(*q));
	put(q, 7, 0, 1);
	put(q, 31, 16, 0x537);
	put(q, 64, 64, 1);
	put(q, 66, 66, 1);
	put(q, 75, 67, 0x155);
	put(q, 127, 76, 0xabcdef0123456);
}

/* Slowly, one rule after the other. */
static enum x86_page_request_kind judge(const u64 *q, u32 max_pasids)
{
	unsigned int bit;
	bool pasid;

	if (bits(q, 7, 0) != 1)
		return X86_PAGE_REQUEST_UNKNOWN;
	for (bit = 0; bit < 256; bit++)
		if (((bit >= 9 && bit < 16) || (bit >= 54 && bit < 64) || bit >= 128) &&
		    bits(q, bit, bit))
			return X86_PAGE_REQUEST_BAD;
	pasid = bits(q, 8, 8);
	if (pasid && bits(q, 51, 32) >= max_pasids)
		return X86_PAGE_REQUEST_BAD;
	if (!pasid && (bits(q, 51, 32) || bits(q, 52, 52) || bits(q, 53, 53)))
		return X86_PAGE_REQUEST_BAD;
	if (bits(q, 64, 64) || bits(q, 65, 65))
		return X86_PAGE_REQUEST_GOOD;
	return pasid && bits(q, 66, 66) ? X86_PAGE_REQUEST_STOP : X86_PAGE_REQUEST_BAD;
}

static void compare(const u64 *q, u32 max_pasids)
{
	const struct x86_page_request none = {};
	struct x86_page_request r;
	int kind = vtd_page_request_read(&r, q, max_pasids);

	CHECK_EQ(kind, (int)judge(q, max_pasids));
	if (kind == X86_PAGE_REQUEST_UNKNOWN) {
		CHECK_EQ(r.sid, none.sid);
		CHECK(!r.last && !r.has_pasid && !r.pasid && !r.group && !r.address);
		return;
	}
	CHECK_EQ(r.sid, bits(q, 31, 16));
	CHECK_EQ(r.has_pasid, bits(q, 8, 8));
	CHECK_EQ(r.pasid, r.has_pasid ? bits(q, 51, 32) : 0);
	CHECK_EQ(r.execute, bits(q, 52, 52));
	CHECK_EQ(r.privileged, bits(q, 53, 53));
	CHECK_EQ(r.read, bits(q, 64, 64));
	CHECK_EQ(r.write, bits(q, 65, 65));
	CHECK_EQ(r.last, bits(q, 66, 66));
	CHECK_EQ(r.group, bits(q, 75, 67));
	CHECK_EQ(r.address, bits(q, 127, 76) << 12);
}

static void each_bit(void)
{
	unsigned int bit, pasid;
	u64 q[4];

	for (pasid = 0; pasid < 2; pasid++) {
		for (bit = 0; bit < 256; bit++) {
			good(q);
			if (pasid) {
				put(q, 8, 8, 1);
				put(q, 51, 32, 0x1234);
			}
			q[bit / 64] ^= 1ULL << bit % 64;
			compare(q, 1 << 20);
			compare(q, 1 << 16);
			compare(q, 0);
		}
	}
}

static void limits(void)
{
	static const u32 max[] = { 0, 1, 2, 0x1000, 0x10000, 0x100000 };
	struct x86_page_request r;
	unsigned int i;
	u64 q[4];

	for (i = 0; i < ARRAY_SIZE(max); i++) {
		good(q);
		put(q, 8, 8, 1);
		put(q, 51, 32, max[i]);
		/* more than 20 bits are none */
		CHECK_EQ((int)vtd_page_request_read(&r, q, max[i]),
			 (int)(max[i] >> 20 ? X86_PAGE_REQUEST_GOOD : X86_PAGE_REQUEST_BAD));
		if (!max[i])
			continue;
		put(q, 51, 32, max[i] - 1);
		CHECK_EQ((int)vtd_page_request_read(&r, q, max[i]), (int)X86_PAGE_REQUEST_GOOD);
		CHECK_EQ(r.pasid, max[i] - 1);
	}
}

static void stop_marker(void)
{
	struct x86_page_request r;
	u64 q[4];

	good(q);
	put(q, 65, 64, 0);
	CHECK_EQ((int)vtd_page_request_read(&r, q, 1 << 20), (int)X86_PAGE_REQUEST_BAD);
	put(q, 8, 8, 1);
	CHECK_EQ((int)vtd_page_request_read(&r, q, 1 << 20), (int)X86_PAGE_REQUEST_STOP);
	put(q, 66, 66, 0);
	CHECK_EQ((int)vtd_page_request_read(&r, q, 1 << 20), (int)X86_PAGE_REQUEST_BAD);
}

static void randomized(void)
{
	unsigned int i, j;
	u64 q[4];

	for (i = 0; i < 200000; i++) {
		for (j = 0; j < 4; j++)
			q[j] = random64();
		/* mostly nearly right, so that each rule decides now and then */
		if (random64() % 8)
			put(q, 7, 0, 1);
		if (random64() % 8)
			put(q, 15, 9, 0);
		if (random64() % 8)
			put(q, 63, 54, 0);
		if (random64() % 8)
			q[2] = 0, q[3] = 0;
		if (random64() % 2)
			put(q, 53, 32, 0);
		compare(q, random64() % 2 ? 1 << 20 : random64() % (1 << 20));
	}
}

/* What answers a request that was read names it as the request does. */
static void answers(void)
{
	static const unsigned int codes[] = { 0, 1, 15 };
	struct x86_page_request r;
	unsigned int i, code;
	u64 q[4], a[2];

	for (i = 0; i < 20000; i++) {
		struct vtd_entry e;

		good(q);
		put(q, 31, 16, random64());
		put(q, 75, 67, random64());
		put(q, 65, 64, 1 + random64() % 3);
		put(q, 127, 76, random64());
		if (random64() % 2) {
			put(q, 8, 8, 1);
			put(q, 53, 32, random64());
		}
		CHECK_EQ((int)vtd_page_request_read(&r, q, 1 << 20), (int)X86_PAGE_REQUEST_GOOD);
		code = codes[random64() % 3];
		e = vtd_page_response(&r, code);
		a[0] = e.lo;
		a[1] = e.hi;
		CHECK_EQ(bits(a, 3, 0), 9);
		CHECK_EQ(bits(a, 4, 4), bits(q, 8, 8));
		CHECK_EQ(bits(a, 11, 5), 0);
		CHECK_EQ(bits(a, 15, 12), code);
		CHECK_EQ(bits(a, 31, 16), bits(q, 31, 16));
		CHECK_EQ(bits(a, 51, 32), bits(q, 51, 32));
		CHECK_EQ(bits(a, 65, 52), 0);
		CHECK_EQ(bits(a, 66, 66), 1);
		CHECK_EQ(bits(a, 75, 67), bits(q, 75, 67));
		CHECK_EQ(bits(a, 127, 76), 0);
	}
}

static const struct tap_test tests[] = {
	{ "each bit of a page request", each_bit, 60, NULL },
	{ "PASIDs that the unit has, and the first that it has not", limits, 60, NULL },
	{ "a request for nothing is a stop marker, or wrong", stop_marker, 60, NULL },
	{ "random descriptors", randomized, 60, NULL },
	{ "answers", answers, 60, NULL },
};

int main(int argc, char **argv)
{
	random_state = 0x9e3779b97f4a7c15;
	return TAP_RUN(argc, argv, tests);
}

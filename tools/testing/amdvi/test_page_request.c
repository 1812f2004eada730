// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page requests in the log of AMD-Vi: each bit of an entry alone, and random ones, beside
 * what the specification's drawing says, with its own numbers.
 */
#include <linux/kernel.h>

#include "../../../drivers/iommu/amd/page_request.h"
#include "../selftests/lib/tap.h"
#include "../vtd/help.h"

/* A request of 05:06.7 that is right. */
static void good(u64 *q)
{
	memset(q, 0, 2 * sizeof(*q));
	put(q, 63, 60, 1);
	put(q, 15, 0, 0x537);
	put(q, 40, 32, 0x155);
	put(q, 41, 41, 1);
	put(q, 50, 50, 1);
	put(q, 127, 76, 0xabcdef0123456);
}

static u32 pasid_of(const u64 *q)
{
	return bits(q, 45, 42) << 16 | bits(q, 31, 16);
}

/* Slowly, one rule after the other. */
static int judge(const u64 *q, u32 max_pasids)
{
	bool gn = bits(q, 56, 56);

	if (bits(q, 63, 60) != 1)
		return X86_PAGE_REQUEST_UNKNOWN;
	if (bits(q, 55, 55) || (gn && pasid_of(q) >= max_pasids))
		return X86_PAGE_REQUEST_BAD;
	if (!gn && (pasid_of(q) || bits(q, 49, 49)))
		return X86_PAGE_REQUEST_BAD;
	if (bits(q, 50, 50) || bits(q, 53, 53))
		return X86_PAGE_REQUEST_GOOD;
	return gn && bits(q, 41, 41) ? X86_PAGE_REQUEST_STOP : X86_PAGE_REQUEST_BAD;
}

static void compare(const u64 *q, u32 max_pasids)
{
	struct x86_page_request r;
	int kind = amdvi_page_request_read(&r, q[0], q[1], max_pasids);

	CHECK_EQ(kind, judge(q, max_pasids));
	if (kind == X86_PAGE_REQUEST_UNKNOWN) {
		CHECK(!r.sid && !r.last && !r.has_pasid && !r.pasid && !r.group);
		CHECK(!r.address);
		return;
	}
	CHECK_EQ(r.sid, bits(q, 15, 0));
	CHECK_EQ(r.has_pasid, bits(q, 56, 56));
	CHECK_EQ(r.pasid, r.has_pasid ? pasid_of(q) : 0);
	CHECK_EQ(r.group, bits(q, 40, 32));
	CHECK_EQ(r.last, bits(q, 41, 41));
	CHECK_EQ(r.execute, bits(q, 49, 49));
	CHECK_EQ(r.read, bits(q, 50, 50));
	CHECK_EQ(r.write, bits(q, 53, 53));
	CHECK_EQ(r.privileged, r.has_pasid && !bits(q, 54, 54));
	CHECK_EQ(r.address, bits(q, 127, 76) << 12);
}

static void each_bit(void)
{
	unsigned int bit, pasid;
	u64 q[2];

	for (pasid = 0; pasid < 2; pasid++) {
		for (bit = 0; bit < 128; bit++) {
			good(q);
			if (pasid) {
				put(q, 56, 56, 1);
				put(q, 31, 16, 0x1234);
				put(q, 45, 42, 0x5);
			}
			compare(q, 1 << 20);
			put(q, bit, bit, !bits(q, bit, bit));
			compare(q, 1 << 20);
			compare(q, 0x51234);
			compare(q, 0);
		}
	}
}

static void random_entries(void)
{
	unsigned int i;
	u64 q[2];

	random_state = 8;
	for (i = 0; i < 200000; i++) {
		q[0] = random64();
		q[1] = random64();
		if (i % 4)
			put(q, 63, 60, 1);
		if (i % 2)
			put(q, 55, 55, 0);
		compare(q, below(1 << 20));
	}
}

static void answers(void)
{
	struct x86_page_request r = { .sid = 0x537, .group = 0x155 };
	struct amdvi_command c;
	u64 q[2];
	unsigned int i;

	random_state = 9;
	for (i = 0; i < 1000; i++) {
		unsigned int code = i % 3 ? i % 3 - 1 : 15;

		r.sid = random64();
		r.group = below(512);
		r.has_pasid = i % 2;
		r.pasid = i % 2 ? below(1 << 20) : 0;
		c = amdvi_page_response(&r, code);
		q[0] = c.lo;
		q[1] = c.hi;
		CHECK_EQ(bits(q, 63, 60), 7);
		CHECK_EQ(bits(q, 15, 0), r.sid);
		CHECK_EQ(bits(q, 51, 32), r.pasid);
		CHECK_EQ(bits(q, 66, 66), r.has_pasid);
		CHECK_EQ(bits(q, 104, 96), r.group);
		CHECK_EQ(bits(q, 111, 108), code);
		/* and nothing else */
		put(q, 63, 60, 0);
		put(q, 15, 0, 0);
		put(q, 51, 32, 0);
		put(q, 66, 66, 0);
		put(q, 104, 96, 0);
		put(q, 111, 108, 0);
		CHECK(!q[0] && !q[1]);
	}
}

static const struct tap_test tests[] = {
	{ "each bit of an entry", each_bit },
	{ "random entries", random_entries },
	{ "the command that answers", answers },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

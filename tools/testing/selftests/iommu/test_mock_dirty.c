// SPDX-License-Identifier: GPL-2.0
/*
 * Dirty tracking: what the mock is told that devices wrote is what the user
 * reads, once, for every page size and place of the bitmap.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mem.h"
#include "mock.h"

#define PAGE 4096UL
#define TEST(call, want) REFUSED(s.fd, IOMMU_TEST_CMD, call, want)
#define SIZE (128 * PAGE)

static struct space s;
static struct mockdev m;
static uint32_t hwpt;
static char *mem;

static int set_tracking(int on)
{
	struct iommu_hwpt_set_dirty_tracking c = {
		.size = sizeof(c),
		.hwpt_id = hwpt,
		.flags = on ? IOMMU_HWPT_DIRTY_TRACKING_ENABLE : 0,
	};

	return iofd_ioctl(s.fd, IOMMU_HWPT_SET_DIRTY_TRACKING, &c);
}

static int get_bitmap(uint64_t iova, uint64_t length, uint64_t page_size,
		      void *bits, uint32_t flags)
{
	struct iommu_hwpt_get_dirty_bitmap c = {
		.size = sizeof(c),
		.hwpt_id = hwpt,
		.flags = flags,
		.iova = iova,
		.length = length,
		.page_size = page_size,
		.data = (uintptr_t)bits,
	};

	return iofd_ioctl(s.fd, IOMMU_HWPT_GET_DIRTY_BITMAP, &c);
}

/* An IOAS with SIZE bytes at APERTURE and a table that records. */
static void begin(int huge_pages)
{
	mock_open(&s);
	mem = mem_anon(SIZE);
	CHECK(mem);
	OK(iofd_option_set(s.fd, IOMMU_OPTION_HUGE_PAGES, s.ioas, huge_pages));
	OK(mock_device(s.fd, s.ioas, 0, &m));
	OK(iofd_hwpt(s.fd, m.idev, s.ioas, IOMMU_HWPT_ALLOC_DIRTY_TRACKING, &hwpt));
	OK(mock_replace(s.fd, &m, hwpt));
	OK(space_map(&s, mem, SIZE, APERTURE));
	OK(set_tracking(1));
}

static int bit(const unsigned char *bits, uint64_t n)
{
	return bits[n / 8] >> (n % 8) & 1;
}

static void mark(uint64_t first, uint64_t length)
{
	unsigned char one = 1;
	uint64_t n;

	OK(mock_mark(s.fd, hwpt, APERTURE + first, length, length, &one, &n));
	CHECK_EQ(n, 1);
}

static void check_bits(const unsigned char *bits, uint64_t count,
		       const unsigned char *want, int line)
{
	uint64_t i;

	for (i = 0; i < count; i++)
		if (bit(bits, i) != bit(want, i))
			tap_fail(__FILE__, line, "bit %llu is %d", (unsigned long long)i,
				 bit(bits, i));
}

/* Every second page, and read once: page tables of whole CPU pages. */
static void alternate(void)
{
	unsigned char in[SIZE / PAGE / 8], out[SIZE / GRANULE / 8], want[SIZE / GRANULE / 8];
	uint64_t n;
	int i;

	begin(0);
	memset(in, 0x55, sizeof(in));
	OK(mock_mark(s.fd, hwpt, APERTURE, SIZE, PAGE, in, &n));
	CHECK_EQ(n, SIZE / PAGE / 2);
	for (i = 0; i < 2; i++) {
		memset(out, 0, sizeof(out));
		OK(get_bitmap(APERTURE, SIZE, PAGE, out,
			      IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR));
		check_bits(out, SIZE / PAGE, in, __LINE__);
	}
	/* a leaf is dirty as a whole: with half its size two bits each */
	memset(want, 0x33, sizeof(want));
	memset(out, 0, sizeof(out));
	OK(get_bitmap(APERTURE, SIZE, GRANULE, out, 0));
	check_bits(out, SIZE / GRANULE, want, __LINE__);
	memset(want, 0, sizeof(want));
	memset(out, 0, sizeof(out));
	OK(get_bitmap(APERTURE, SIZE, PAGE, out, 0));
	check_bits(out, SIZE / PAGE, want, __LINE__);
}

/* Bits are added to what the user has there, as the ranges of a walk are. */
static void bits_are_added(void)
{
	unsigned char out[SIZE / PAGE / 8];
	unsigned int i;

	begin(0);
	memset(out, 0, sizeof(out));
	out[3] = 0x80;
	mark(5 * PAGE, PAGE);
	OK(get_bitmap(APERTURE, SIZE, PAGE, out, 0));
	for (i = 0; i < SIZE / PAGE; i++)
		CHECK_EQ(bit(out, i), i == 5 || i == 31);
}

/* Any size of a bit, and any place where the bitmap begins. */
static void page_sizes(void)
{
	static const uint64_t sizes[] = { PAGE, 2 * PAGE, 4 * PAGE, 16 * PAGE, 64 * PAGE };
	unsigned char *area = mem_anon(4 * PAGE), *out;
	unsigned int k, i, shift;

	begin(0);
	for (k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++)
		for (shift = 0; shift < 3; shift++) {
			/* over the end of a page too */
			out = area + (shift == 2 ? PAGE - 1 : shift);
			memset(area, 0, 4 * PAGE);
			mark(17 * PAGE, PAGE);
			mark(100 * PAGE, 2 * PAGE);
			OK(get_bitmap(APERTURE, SIZE, sizes[k], out, 0));
			for (i = 0; i < SIZE / sizes[k]; i++)
				CHECK_EQ(bit(out, i), i == 17 * PAGE / sizes[k] ||
					 i == 100 * PAGE / sizes[k] ||
					 i == 101 * PAGE / sizes[k]);
			CHECK_EQ(out[SIZE / sizes[k] / 8 + 1], 0);
		}
}

/* Parts of the range; the rest stays dirty until it is asked for. */
static void parts(void)
{
	unsigned char out[SIZE / PAGE / 8], all[SIZE / PAGE / 8];
	uint64_t i;

	begin(0);
	memset(all, 0xff, sizeof(all));
	OK(mock_mark(s.fd, hwpt, APERTURE, SIZE, PAGE, all, NULL));
	for (i = 0; i < SIZE / PAGE; i += 3) {
		uint64_t n = SIZE / PAGE - i < 3 ? SIZE / PAGE - i : 3;

		memset(out, 0, sizeof(out));
		OK(get_bitmap(APERTURE + i * PAGE, n * PAGE, PAGE, out, 0));
		CHECK_EQ(out[0], (1 << n) - 1);
		CHECK_EQ(out[1], 0);
	}
	memset(out, 0, sizeof(out));
	OK(get_bitmap(APERTURE, SIZE, PAGE, out, 0));
	for (i = 0; i < sizeof(out); i++)
		CHECK_EQ(out[i], 0);
}

/* Half pages, one leaf each: what begins in the middle of a page. */
static void half_pages(void)
{
	unsigned char out[8] = { 0 };
	unsigned int i;

	begin(1);
	OK(space_unmap(&s, APERTURE, SIZE));
	OK(space_map(&s, mem + GRANULE, 4 * PAGE, APERTURE));
	mark(GRANULE, GRANULE);
	OK(get_bitmap(APERTURE, 4 * PAGE, GRANULE, out, 0));
	CHECK_EQ(bit(out, 1), 1);
	for (i = 0; i < 8; i++)
		if (i != 1 && i != 2)
			CHECK_EQ(bit(out, i), 0);
}

/* One write makes a large leaf dirty, all of it. */
static void large_leaf(void)
{
	char *va = mem_thp(4 * MIB);
	unsigned char out[4 * MIB / PAGE / 8] = { 0 };
	unsigned int i;

	begin(1);
	if (!mem_is_thp(va, 4 * MIB))
		tap_skip("no transparent huge pages to be had");
	OK(space_map(&s, va, 4 * MIB, APERTURE + 16 * MIB));
	mark(18 * MIB + 5 * PAGE, GRANULE);
	OK(get_bitmap(APERTURE + 16 * MIB, 4 * MIB, PAGE, out, 0));
	for (i = 512; i < 1024; i++)
		CHECK_EQ(bit(out, i), 1);
	memset(out, 0, sizeof(out));
	OK(get_bitmap(APERTURE + 16 * MIB, 4 * MIB, PAGE, out, 0));
	for (i = 0; i < sizeof(out); i++)
		CHECK_EQ(out[i], 0);
}

/*
 * The bitmap of a large range is filled in pieces of a page of bits. A leaf that
 * lies in two of them is dirty in both, wherever the range begins.
 */
static void leaf_in_two_pieces(void)
{
	const uint64_t piece = 8 * PAGE * GRANULE, length = 2 * piece;
	const uint64_t at = APERTURE + 512 * MIB;
	unsigned char *out = mem_anon(length / GRANULE / 8);
	char *va = mem_thp(2 * MIB);
	uint64_t cut, from, i;

	begin(1);
	if (!mem_is_thp(va, 2 * MIB))
		tap_skip("no transparent huge pages to be had");
	OK(space_map(&s, va, 2 * MIB, at));
	for (cut = GRANULE; cut < 2 * MIB; cut += 93 * GRANULE) {
		from = at + cut - piece;
		mark(at - APERTURE + MIB, GRANULE);
		memset(out, 0, length / GRANULE / 8);
		OK(get_bitmap(from, length, GRANULE, out, 0));
		for (i = 0; i < length / GRANULE; i++)
			CHECK_EQ(bit(out, i), from + i * GRANULE >= at &&
				 from + i * GRANULE < at + 2 * MIB);
	}
}

/* Gaps are clean, and what is mapped anew is. */
static void gaps(void)
{
	unsigned char out[4 * SIZE / PAGE / 8] = { 0 }, all[SIZE / PAGE / 8];
	uint64_t n;
	unsigned int i;

	begin(0);
	memset(all, 0xff, sizeof(all));
	OK(space_map(&s, mem, SIZE, APERTURE + 3 * SIZE));
	OK(mock_mark(s.fd, hwpt, APERTURE + SIZE, SIZE, PAGE, all, &n));
	CHECK_EQ(n, 0);
	OK(mock_mark(s.fd, hwpt, APERTURE + 3 * SIZE, SIZE, PAGE, all, &n));
	CHECK_EQ(n, SIZE / PAGE);
	OK(get_bitmap(APERTURE, 4 * SIZE, PAGE, out, IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR));
	for (i = 0; i < 4 * SIZE / PAGE; i++)
		CHECK_EQ(bit(out, i), i >= 3 * SIZE / PAGE);
	OK(space_unmap(&s, APERTURE + 3 * SIZE, SIZE));
	OK(space_map(&s, mem, SIZE, APERTURE + 3 * SIZE));
	memset(out, 0, sizeof(out));
	OK(get_bitmap(APERTURE, 4 * SIZE, PAGE, out, 0));
	for (i = 0; i < sizeof(out); i++)
		CHECK_EQ(out[i], 0);
}

/* What a device cannot write to it has not written. */
static void read_only(void)
{
	uint64_t at = APERTURE + SIZE, n;
	unsigned char one = 1, out[1] = { 0 };

	begin(0);
	OK(iofd_map(s.fd, s.ioas, mem, PAGE, &at, IOFD_FIXED_R));
	OK(mock_mark(s.fd, hwpt, at, PAGE, PAGE, &one, &n));
	CHECK_EQ(n, 0);
	OK(get_bitmap(at, PAGE, PAGE, out, 0));
	CHECK_EQ(out[0], 0);
}

static void on_and_off(void)
{
	unsigned char one = 1, out[1] = { 0 };

	begin(0);
	mark(0, PAGE);
	OK(set_tracking(1));
	/* switched on again it begins anew */
	OK(get_bitmap(APERTURE, PAGE, PAGE, out, 0));
	CHECK_EQ(out[0], 0);
	mark(0, PAGE);
	OK(set_tracking(0));
	OK(set_tracking(0));
	TEST(mock_mark(s.fd, hwpt, APERTURE, PAGE, PAGE, &one, NULL), -EINVAL);
	REFUSED(s.fd, IOMMU_HWPT_GET_DIRTY_BITMAP, get_bitmap(APERTURE, PAGE, PAGE, out, 0),
		-EINVAL);
	OK(set_tracking(1));
	OK(get_bitmap(APERTURE, PAGE, PAGE, out, 0));
	CHECK_EQ(out[0], 0);
}

static void refused(void)
{
	unsigned char one = 1, out[8] = { 0 };
	uint32_t plain, keep;
	uint64_t n;

	begin(0);
	TEST(mock_mark(s.fd, hwpt, APERTURE, PAGE, 0, &one, NULL), -EINVAL);
	TEST(mock_mark(s.fd, hwpt, APERTURE, 0, PAGE, &one, NULL), -EINVAL);
	TEST(mock_mark(s.fd, hwpt, APERTURE, PAGE, PAGE, NULL, NULL), -EINVAL);
	TEST(mock_mark(s.fd, hwpt, APERTURE + 1, PAGE, PAGE, &one, NULL), -EINVAL);
	TEST(mock_mark(s.fd, hwpt, APERTURE, PAGE + 1, PAGE, &one, NULL), -EINVAL);
	TEST(mock_mark(s.fd, hwpt, APERTURE, PAGE, PAGE, (void *)1, NULL), -EFAULT);
	TEST(mock_mark(s.fd, hwpt, 0, 1ULL << 40, 2048, &one, NULL), -EOVERFLOW);
	TEST(mock_mark(s.fd, hwpt, -PAGE, 2 * PAGE, PAGE, &one, NULL), -EOVERFLOW);
	TEST(mock_mark(s.fd, m.idev, APERTURE, PAGE, PAGE, &one, NULL), -ENOENT);
	REFUSED(s.fd, IOMMU_HWPT_GET_DIRTY_BITMAP, get_bitmap(APERTURE, PAGE, PAGE, out, 2),
		-EOPNOTSUPP);
	REFUSED(s.fd, IOMMU_HWPT_GET_DIRTY_BITMAP, get_bitmap(APERTURE, PAGE, 0, out, 0),
		-EINVAL);
	REFUSED(s.fd, IOMMU_HWPT_GET_DIRTY_BITMAP, get_bitmap(APERTURE, PAGE, 3000, out, 0),
		-EINVAL);
	REFUSED(s.fd, IOMMU_HWPT_GET_DIRTY_BITMAP, get_bitmap(APERTURE + 1, PAGE, PAGE, out, 0),
		-EINVAL);
	OK(iofd_hwpt(s.fd, m.idev, s.ioas, 0, &plain));
	TEST(mock_mark(s.fd, plain, APERTURE, PAGE, PAGE, &one, &n), -EINVAL);
	keep = hwpt;
	hwpt = plain;
	REFUSED(s.fd, IOMMU_HWPT_SET_DIRTY_TRACKING, set_tracking(1), -EOPNOTSUPP);
	hwpt = m.idev;
	REFUSED(s.fd, IOMMU_HWPT_SET_DIRTY_TRACKING, set_tracking(1), -ENOENT);
	hwpt = keep;
	/* a bitmap that cannot be written to loses nothing for good */
	mark(0, PAGE);
	ERR(get_bitmap(APERTURE, SIZE, PAGE, (void *)8, 0), -EFAULT);
}

/* 1 GiB worth of bits, most of it not mapped: in time, and right. */
static void large_range(void)
{
	uint64_t length = 1 * GIB;
	unsigned char *out = mem_anon(length / PAGE / 8);
	unsigned int i;

	begin(0);
	mark(SIZE - PAGE, PAGE);
	OK(get_bitmap(APERTURE, length, PAGE, out, 0));
	for (i = 0; i < length / PAGE; i++)
		if (bit(out, i) != (i == SIZE / PAGE - 1))
			tap_fail(__FILE__, __LINE__, "bit %u", i);
}

static const struct tap_test tests[] = {
	{ "every second page, read without and with clearing", alternate },
	{ "bits are added to those in the bitmap", bits_are_added },
	{ "bits for pages of any size, bitmaps at any address", page_sizes },
	{ "a part of the range is cleared, no more", parts },
	{ "half pages", half_pages },
	{ "a large leaf is dirty as a whole", large_leaf },
	{ "a large leaf in two pieces of a bitmap", leaf_in_two_pieces },
	{ "gaps, and what is mapped anew", gaps },
	{ "read-only mappings stay clean", read_only },
	{ "tracking switched on, off and on", on_and_off },
	{ "refused", refused },
	{ "a large range with little in it", large_range },
};

int main(int argc, char **argv)
{
	return MOCK_RUN(argc, argv, tests);
}

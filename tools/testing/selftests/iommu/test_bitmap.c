// SPDX-License-Identifier: GPL-2.0
/*
 * The bitmaps in user memory that IOMMU and VFIO drivers tell dirty pages with,
 * against a bitmap that is set here, bit by bit.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bitmap_test.h"
#include "tap.h"

#define PAGE	4096UL
/* bits that the kernel collects before it hands them over */
#define WINDOW	(2UL << 20)

static int fd = -1;
static struct bitmap_test_walk w;
static uint64_t *bits, *want;
static size_t size;

static void begin(uint64_t iova, uint64_t length, uint64_t page_size)
{
	int m = open("/m/iova_bitmap_test.ko", O_RDONLY | O_CLOEXEC);

	if (m >= 0) {
		if (syscall(SYS_finit_module, m, "", 0) && errno != EEXIST)
			tap_note("cannot load the module: %s", tap_errno(errno));
		close(m);
	}
	for (m = 0; m < 100 && fd < 0; m++) {
		fd = open("/dev/iova_bitmap_test", O_RDWR | O_CLOEXEC);
		if (fd < 0 && m == 99)
			tap_skip("no iova_bitmap_test.ko here");
		if (fd < 0)
			usleep(10000);
	}

	size = ((length - 1) / page_size / 64 + 1) * 8;
	size = (size + PAGE - 1) & ~(PAGE - 1);
	bits = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	want = calloc(1, size);
	CHECK(bits != MAP_FAILED && want);
	memset(&w, 0, sizeof(w));
	w.iova = iova;
	w.length = length;
	w.page_size = page_size;
	w.data = (uintptr_t)bits;
}

static void end(void)
{
	munmap(bits, size);
	free(want);
}

static void dirty(uint64_t iova, uint64_t length)
{
	CHECK(w.nr < BITMAP_TEST_RANGES);
	w.ranges[w.nr].iova = iova;
	w.ranges[w.nr++].length = length;
}

/* What ought to be set of the first @limit bits, by the definition alone. */
static void expect(uint64_t limit)
{
	uint64_t last = w.iova + w.length - 1, from, to, bit;
	uint32_t i;

	for (i = 0; i < w.nr; i++) {
		from = w.ranges[i].iova;
		to = from + w.ranges[i].length - 1;
		if (to < w.iova || from > last)
			continue;
		from = from < w.iova ? w.iova : from;
		to = to > last ? last : to;
		for (bit = (from - w.iova) / w.page_size;
		     bit <= (to - w.iova) / w.page_size && bit < limit; bit++)
			want[bit / 64] |= 1ULL << (bit % 64);
	}
}

static void compare(void)
{
	size_t i;

	for (i = 0; i < size / 8; i++)
		if (bits[i] != want[i])
			tap_fail(__FILE__, __LINE__, "word %zu is %llx, want %llx", i,
				 (unsigned long long)bits[i], (unsigned long long)want[i]);
}

static int walk(void)
{
	return ioctl(fd, BITMAP_TEST_WALK, &w) < 0 ? -errno : 0;
}

/* The driver was asked for everything, once, in order. */
static void asked_for_all(uint32_t calls)
{
	CHECK_EQ(w.calls, calls);
	CHECK_EQ(w.gaps, 0);
	CHECK_EQ(w.first, w.iova);
	CHECK_EQ(w.asked, w.length);
}

static void words(void)
{
	begin(0x100000, 300 * PAGE, PAGE);
	dirty(0x100000, 1);
	dirty(0x100000 + 62 * PAGE, 4 * PAGE);
	dirty(0x100000 + 70 * PAGE + 1, PAGE);
	dirty(0x100000 + 100 * PAGE - 1, 1);
	dirty(0x100000 + 127 * PAGE, 130 * PAGE);
	dirty(0x100000 + 299 * PAGE, PAGE);
	OK(walk());
	asked_for_all(1);
	expect(-1ULL);
	compare();
}

static void beyond(void)
{
	begin(0x100000, 100 * PAGE, PAGE);
	w.flags = BITMAP_TEST_WHOLE;
	/* not at its beginning: it does not begin in what is asked for */
	dirty(0x100000 + 90 * PAGE, 100 * PAGE);
	dirty(0x100000 + 80 * PAGE, -1ULL - 0x100000 - 80 * PAGE);
	OK(walk());
	expect(-1ULL);
	compare();
	/* bits of the last word that stand for nothing stay as they are */
	CHECK_EQ(bits[1] >> 36, 0);
	end();

	begin(-100 * PAGE, 100 * PAGE, PAGE);
	w.flags = BITMAP_TEST_WHOLE;
	dirty(-3 * PAGE, 3 * PAGE);
	dirty(-50 * PAGE, 60 * PAGE - 1);
	OK(walk());
	asked_for_all(1);
	want[0] = 0;
	w.ranges[1].length = 50 * PAGE;
	expect(-1ULL);
	compare();
}

static void odd_ends(void)
{
	/* a bit stands for page_size bytes from iova on, wherever that begins */
	begin(0x1000f00, 10 * PAGE + 5, PAGE);
	dirty(0x1000f00 + PAGE - 1, 2);
	dirty(0x1000f00 + 10 * PAGE, 5);
	OK(walk());
	asked_for_all(1);
	want[0] = 3 | 1 << 10;
	compare();
	end();

	begin(1UL << 40, 3UL << 30, 1UL << 30);
	dirty((1UL << 40) + (2UL << 30) - 1, 2);
	OK(walk());
	want[0] = 6;
	compare();
	end();

	begin(77, 1, 1);
	dirty(77, 1);
	OK(walk());
	want[0] = 1;
	compare();
}

static void set_stays(void)
{
	begin(0, 1000 * PAGE, PAGE);
	bits[0] = 0xf0;
	bits[9] = -1ULL;
	want[0] = 0xf0;
	want[9] = -1ULL;
	dirty(2 * PAGE, 4 * PAGE);
	OK(walk());
	expect(-1ULL);
	compare();
	/* again, with another log */
	w.nr = 0;
	dirty(700 * PAGE, 100 * PAGE);
	OK(walk());
	expect(-1ULL);
	compare();
}

static void windows(void)
{
	uint32_t whole;

	for (whole = 0; whole < 2; whole++) {
		begin(1UL << 32, (2 * WINDOW + 77) * PAGE, PAGE);
		w.flags = whole ? BITMAP_TEST_WHOLE : 0;
		/* across one end of a window, across a whole window, in the last */
		dirty(w.iova + (WINDOW - 100) * PAGE, 200 * PAGE);
		dirty(w.iova + (WINDOW - 1) * PAGE, (WINDOW + 5) * PAGE);
		dirty(w.iova + (2 * WINDOW + 70) * PAGE, 7 * PAGE);
		OK(walk());
		asked_for_all(3);
		expect(-1ULL);
		compare();
		/* what was ahead in one walk is not in the next */
		memset(bits, 0, size);
		memset(want, 0, size);
		w.nr = 0;
		OK(walk());
		compare();
		end();
	}
}

static void random_logs(void)
{
	unsigned int seed, i;

	for (seed = 1; seed <= 300; seed++) {
		uint64_t page, length, at;

		srandom(seed);
		page = 1ULL << (random() % 31);
		length = page * (random() % 5000) + random() % page + 1;
		begin(((uint64_t)random() << 20) + random(), length, page);
		w.flags = random() % 2;
		for (i = random() % BITMAP_TEST_RANGES; i; i--) {
			at = ((uint64_t)random() << 31 | random()) % length;
			dirty(w.iova + at, ((uint64_t)random() << 31 | random()) %
			      (random() % 2 ? length - at : page * 3) + 1);
		}
		OK(walk());
		asked_for_all(1);
		expect(-1ULL);
		compare();
		end();
	}
}

static void refused(void)
{
	static const struct {
		uint64_t iova, length, page_size;
	} rows[] = {
		{ PAGE, 0, PAGE }, { PAGE, PAGE, 0 }, { PAGE, PAGE, 3 * PAGE },
		{ -2 * PAGE, 2 * PAGE + 1, PAGE }, { 2, -1ULL, PAGE },
	};
	unsigned int i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin(0, PAGE, PAGE);
		w.iova = rows[i].iova;
		w.length = rows[i].length;
		w.page_size = rows[i].page_size;
		ERR(walk(), -EINVAL);
		CHECK_EQ(w.calls, 0);
		end();
	}
}

static void driver_fails(void)
{
	begin(0, 3 * WINDOW * PAGE, PAGE);
	dirty(5 * PAGE, PAGE);
	dirty((WINDOW + 5) * PAGE, PAGE);
	dirty((2 * WINDOW + 5) * PAGE, PAGE);
	w.fail_call = 2;
	w.fail_errno = -EIO;
	ERR(walk(), -EIO);
	CHECK_EQ(w.calls, 2);
	/* read and thereby wiped, so it is told */
	expect(2 * WINDOW);
	compare();
}

static void unwritable(void)
{
	begin(0, 2 * WINDOW * PAGE, PAGE);
	dirty(5 * PAGE, PAGE);
	dirty((WINDOW + 5) * PAGE, PAGE);
	CHECK(!mprotect(bits, size, PROT_READ));
	ERR(walk(), -EFAULT);
	/* the log was not wiped in vain */
	CHECK_EQ(w.calls, 0);
	CHECK(!mprotect(bits, size, PROT_READ | PROT_WRITE));
	CHECK(!munmap((char *)bits + size / 2, size / 2));
	ERR(walk(), -EFAULT);
	CHECK_EQ(w.calls, 1);
	CHECK_EQ(bits[0], 1 << 5);
	w.data = 0;
	ERR(walk(), -EFAULT);
	CHECK_EQ(w.calls, 0);
}

int main(int argc, char **argv)
{
	static const struct tap_test tests[] = {
		{ "bits in words", words },
		{ "what lies beyond is ignored", beyond },
		{ "ranges of any size at any place", odd_ends },
		{ "what is set stays", set_stays },
		{ "more than one window, and leaves across them", windows },
		{ "random logs", random_logs },
		{ "what is no range is refused", refused },
		{ "what was read before the driver failed is told", driver_fails },
		{ "a log is not read where it cannot be told", unwritable },
	};

	return TAP_RUN(argc, argv, tests);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * An IOMMU with several windows of its own page sizes each, that are made on
 * request: what the mock's third unit does, and POWER.
 */
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <linux/vfio.h>

#include "ext.h"
#include "mem.h"
#include "mock.h"

#define PAGE 4096UL
#define K64 (64 * KIB)
#define HIGH (1ULL << 59)
#define MIDDLE (1ULL << 40)
#define MAP(call, want) REFUSED(s.fd, IOMMU_IOAS_MAP, call, want)
#define ALLOC(call, want) REFUSED(s.fd, IOMMU_HWPT_ALLOC, call, want)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct space s;
static struct mockdev m;

static void begin(void)
{
	mock_open(&s);
	OK(mock_device_on(s.fd, s.ioas, UNIT_WINDOWED, &m));
}

/* Memory whose pages of 64 KiB and 2 MiB are contiguous. */
static char *large(size_t size)
{
	char *va = mem_thp(size);

	CHECK(va);
	if (!mem_is_thp(va, size))
		tap_skip("no transparent huge pages here");
	return va;
}

static void check_ranges(const struct iommu_iova_range *want, unsigned int count,
			 uint64_t alignment)
{
	struct iommu_iova_range ranges[16];
	uint32_t nr = COUNT(ranges);
	uint64_t align;
	unsigned int i;

	OK(iofd_ranges(s.fd, s.ioas, ranges, &nr, &align));
	CHECK_EQ(nr, count);
	for (i = 0; i < count; i++) {
		CHECK_EQ(ranges[i].start, want[i].start);
		CHECK_EQ(ranges[i].last, want[i].last);
	}
	CHECK_EQ(align, alignment);
}

/* An IOAS without the automatic table, which has windows of its own. */
static void another_ioas(void)
{
	OK(iofd_ioas(s.fd, &s.ioas));
}

/* Make a table of these windows and attach the device to it alone. */
static uint32_t windows_only(struct windows *w)
{
	uint32_t hwpt;

	another_ioas();
	OK(ext_hwpt(s.fd, m.idev, s.ioas, 0, w, &hwpt));
	OK(mock_replace(s.fd, &m, hwpt));
	return hwpt;
}

static void what_there_is(void)
{
	const struct iommu_ext_range *place;
	struct windows_info info;

	begin();
	OK(ext_windows_info(s.fd, m.idev, &info));
	CHECK_EQ(info.head.nr_usable, 2);
	CHECK_EQ(info.range[0].first, 0);
	CHECK_EQ(info.range[0].last, GIB - 1);
	CHECK_EQ(info.range[0].pgsizes, PAGE);
	CHECK_EQ(info.range[1].first, HIGH);
	CHECK_EQ(info.range[1].last, HIGH + 4 * GIB - 1);
	CHECK_EQ(info.range[1].pgsizes, K64);
	CHECK_EQ(info.head.nr_places, 3);
	CHECK_EQ(info.head.max_windows, 4);
	place = &info.range[info.head.nr_usable];
	CHECK_EQ(place[0].last, 2 * GIB - 1);
	CHECK_EQ(place[0].max_levels, 1);
	CHECK_EQ(place[1].first, MIDDLE);
	CHECK_EQ(place[1].flags, 0);
	CHECK_EQ(place[2].first, HIGH);
	CHECK_EQ(place[2].flags, IOMMU_EXT_RANGE_BEGIN | IOMMU_EXT_RANGE_SINGLE |
		 IOMMU_EXT_RANGE_POWER_OF_TWO);
}

/* Who says nothing gets windows that work. */
static void by_default(void)
{
	const struct iommu_iova_range want[] = {
		{ 0, GIB - 1 }, { HIGH, HIGH + 4 * GIB - 1 },
	};
	char *small = mem_anon(MIB), *va = large(4 * MIB);
	uint64_t iova = 0;

	begin();
	check_ranges(want, 2, K64);
	/* an odd number of small pages goes where small pages are */
	OK(iofd_map(s.fd, s.ioas, small, PAGE, &iova, IOFD_RW));
	CHECK(iova && iova < GIB);
	OK(mock_check_map(s.fd, m.hwpt, iova, small, PAGE));
	/* each window has an alignment of its own */
	OK(space_map(&s, small + PAGE, 3 * PAGE, 0x10000000 - PAGE));
	OK(mock_check_map(s.fd, m.hwpt, 0x10000000 - PAGE, small + PAGE, 3 * PAGE));
	MAP(space_map(&s, va, PAGE, HIGH), -EINVAL);
	MAP(space_map(&s, va, K64, HIGH + PAGE), -EINVAL);
	OK(space_map(&s, va, 3 * K64, HIGH + K64));
	OK(mock_check_map(s.fd, m.hwpt, HIGH + K64, va, 3 * K64));
	/* pages of 64 KiB that are scattered are none */
	MAP(space_map(&s, va + PAGE, K64, HIGH + MIB), -EINVAL);
	/* between the windows, and beyond the end of one */
	MAP(space_map(&s, small, PAGE, GIB), -EINVAL);
	CHECK(strstr(iommufd_last_reason(s.fd), "0x0..0x3fffffff, 0x800000000000000..0x8000000ffffffff"));
	MAP(space_map(&s, va, K64, MIDDLE), -EINVAL);
	MAP(space_map(&s, va, 2 * K64, GIB - K64), -EINVAL);
	MAP(space_map(&s, va, 2 * K64, HIGH + 4 * GIB - K64), -EINVAL);
	OK(space_map(&s, va, K64, HIGH + 4 * GIB - K64));
	OK(iofd_unmap(s.fd, s.ioas, 0, UINT64_MAX, &iova));
	CHECK_EQ(iova, 8 * PAGE + 3 * K64 - 4 * PAGE + K64);
}

static void two_windows(void)
{
	const struct iommu_iova_range want[] = {
		{ 0, 2 * GIB - 1 }, { HIGH, HIGH + 4 * GIB - 1 },
	};
	char *va = large(8 * MIB);
	struct windows w = {};
	uint32_t hwpt;

	begin();
	/* 3 GiB have to be a power of two up there; the order is the user's */
	ext_want(&w, HIGH, 3 * GIB, 2 * MIB, 3, 0);
	ext_want(&w, 0, 2 * GIB, 16 * MIB, 0, 0);
	hwpt = windows_only(&w);
	CHECK_EQ(w.window[0].iova, HIGH);
	CHECK_EQ(w.window[0].length, 4 * GIB);
	CHECK_EQ(w.window[0].pgsize, 2 * MIB);
	CHECK_EQ(w.window[0].levels, 3);
	CHECK_EQ(w.window[1].iova, 0);
	CHECK_EQ(w.window[1].length, 2 * GIB);
	/* at most what was asked: the largest there is below */
	CHECK_EQ(w.window[1].pgsize, K64);
	CHECK_EQ(w.window[1].levels, 1);
	check_ranges(want, 2, 2 * MIB);
	MAP(space_map(&s, va, K64, HIGH), -EINVAL);
	OK(space_map(&s, va, 4 * MIB, HIGH + 2 * MIB));
	OK(mock_check_map(s.fd, hwpt, HIGH + 2 * MIB, va, 4 * MIB));
	OK(space_map(&s, va + 4 * MIB, K64, K64));
	OK(mock_check_map(s.fd, hwpt, K64, va + 4 * MIB, K64));
	OK(space_unmap(&s, HIGH + 2 * MIB, 4 * MIB));
	OK(space_unmap(&s, K64, K64));
}

static void any_multiple(void)
{
	struct iommu_iova_range want[3];
	struct windows w = {};
	char *va = mem_anon(MIB);
	uint64_t iova = 0;
	uint32_t hwpt;
	int i;

	begin();
	/* lengths that are powers of nothing, next to each other */
	ext_want(&w, MIDDLE + 7 * PAGE, 5 * PAGE, PAGE, 0, 0);
	ext_want(&w, MIDDLE + 12 * PAGE, 100 * PAGE, PAGE, 2, 0);
	ext_want(&w, 0, 3 * PAGE, 0, 0, 0);
	hwpt = windows_only(&w);
	want[0] = (struct iommu_iova_range){ 0, 3 * PAGE - 1 };
	want[1] = (struct iommu_iova_range){ MIDDLE + 7 * PAGE, MIDDLE + 12 * PAGE - 1 };
	want[2] = (struct iommu_iova_range){ MIDDLE + 12 * PAGE, MIDDLE + 112 * PAGE - 1 };
	check_ranges(want, 3, PAGE);
	/* a mapping lies in one of them */
	MAP(space_map(&s, va, 2 * PAGE, MIDDLE + 11 * PAGE), -EINVAL);
	/* the kernel takes the first that has room: 0 is left for last */
	for (i = 0; i < 2; i++) {
		iova = 0;
		OK(iofd_map(s.fd, s.ioas, va, PAGE, &iova, IOFD_RW));
		CHECK_EQ(iova, (i + 1) * PAGE);
		OK(mock_check_map(s.fd, hwpt, iova, va, PAGE));
	}
	for (i = 0; i < 105; i++) {
		iova = 0;
		OK(iofd_map(s.fd, s.ioas, va + i * PAGE, PAGE, &iova, IOFD_RW));
		CHECK_EQ(iova, MIDDLE + (7 + i) * PAGE);
	}
	iova = ~0ULL;
	OK(iofd_map(s.fd, s.ioas, va, PAGE, &iova, IOFD_RW));
	CHECK_EQ(iova, 0);
	MAP(iofd_map(s.fd, s.ioas, va, PAGE, &iova, IOFD_RW), -ENOSPC);
}

static void anywhere(void)
{
	struct windows w = {};
	uint32_t hwpt;

	begin();
	another_ioas();
	ext_want(&w, 0, GIB, 0, 0, ANYWHERE);
	ext_want(&w, 0, 8 * GIB, 0, 0, ANYWHERE);
	ext_want(&w, 0, GIB, PAGE, 2, ANYWHERE);
	ext_want(&w, 0, GIB, K64, 4, ANYWHERE);
	OK(ext_hwpt(s.fd, m.idev, s.ioas, 0, &w, &hwpt));
	/* the first place holds one, the others go on */
	CHECK_EQ(w.window[0].iova, 0);
	CHECK_EQ(w.window[1].iova, MIDDLE);
	CHECK_EQ(w.window[2].iova, MIDDLE + 8 * GIB);
	CHECK_EQ(w.window[2].levels, 2);
	CHECK_EQ(w.window[3].iova, HIGH);
	CHECK_EQ(w.window[3].pgsize, K64);
	CHECK_EQ(w.window[3].levels, 4);
	OK(iofd_destroy(s.fd, hwpt));

	/* who only knows how much */
	memset(&w, 0, sizeof(w));
	ext_want(&w, 0, GIB, 0, 0, ANYWHERE);
	OK(ext_hwpt(s.fd, m.idev, s.ioas, 0, &w, &hwpt));
	CHECK_EQ(w.window[0].length, GIB);
	OK(mock_replace(s.fd, &m, hwpt));
	OK(space_map(&s, mem_anon(MIB), MIB, w.window[0].iova + GIB - MIB));
}

static void refused(void)
{
	static const struct {
		struct iommu_ext_window window;
		const char *text;
	} row[] = {
		{ { .iova = PAGE, .length = MIB }, "only at 0x0" },
		{ { .iova = HIGH + K64, .length = MIB }, "only at 0x800000000000000" },
		{ { .iova = 0, .length = MIB, .levels = 2 }, "at most 1" },
		{ { .iova = HIGH, .length = MIB, .levels = 5 }, "at most 4" },
		{ { .iova = HIGH, .length = MIB, .pgsize = PAGE }, "there are 0x210000" },
		{ { .iova = 0, .length = MIB, .pgsize = 1024 }, "there are 0x11000" },
		{ { .iova = 0, .length = 2 * GIB + PAGE }, "end beyond 0x7fffffff" },
		{ { .iova = HIGH, .length = 65 * GIB }, "end beyond 0x800000fffffffff" },
		{ { .iova = MIDDLE + 512, .length = MIB }, "no multiple of the page size 0x1000" },
		{ { .iova = 2 * GIB, .length = MIB }, "0x80000000" },
		{ { .iova = 1ULL << 63, .length = MIB }, "0x8000000000000000" },
		{ { .length = 2ULL << 40, .flags = ANYWHERE }, "none of the 3 places" },
		{ { .length = MIB, .levels = 5, .flags = ANYWHERE }, "none of the 3 places" },
		{ { .length = MIB, .pgsize = 512, .flags = ANYWHERE }, "none of the 3 places" },
		{ { .length = ~0ULL, .flags = ANYWHERE }, "none of the 3 places" },
	};
	unsigned int objects, i;
	struct windows w;
	uint32_t hwpt;

	begin();
	another_ioas();
	objects = iofd_objects(s.fd, NULL);
	for (i = 0; i < COUNT(row); i++) {
		memset(&w, 0, sizeof(w));
		ext_want(&w, MIDDLE + 16 * MIB, 32 * MIB + PAGE, 0, 0, 0);
		w.window[w.head.nr_windows++] = row[i].window;
		NO_WINDOW(s.fd, ext_hwpt(s.fd, m.idev, s.ioas, 0, &w, &hwpt), 1, row[i].text);
		CHECK_EQ(iofd_objects(s.fd, NULL), objects);
	}
	/* one window there can be, another not */
	memset(&w, 0, sizeof(w));
	ext_want(&w, HIGH, MIB, 0, 0, 0);
	ext_want(&w, HIGH + GIB, MIB, 0, 0, 0);
	NO_WINDOW(s.fd, ext_hwpt(s.fd, m.idev, s.ioas, 0, &w, &hwpt), 1, "only at");
	memset(&w, 0, sizeof(w));
	for (i = 0; i < 5; i++)
		ext_want(&w, MIDDLE + i * MIB, MIB, 0, 0, 0);
	NO_WINDOW(s.fd, ext_hwpt(s.fd, m.idev, s.ioas, 0, &w, &hwpt), 4, "4 windows at most");
	w.head.nr_windows = 4;
	OK(ext_hwpt(s.fd, m.idev, s.ioas, 0, &w, &hwpt));
	/* a driver's refusal of the table itself is not about windows */
	ALLOC(ext_hwpt(s.fd, m.idev, s.ioas, 1U << 31, &w, &hwpt), -EOPNOTSUPP);
}

/* What is mapped, allowed or reserved in the IOAS has its say. */
static void in_use(void)
{
	struct iommu_iova_range allow = { MIDDLE, MIDDLE + MIB - 1 };
	struct windows w = {};
	uint32_t hwpt, ioas;
	unsigned int objects;

	begin();
	OK(iofd_ioas(s.fd, &ioas));
	OK(iofd_map_at(s.fd, ioas, mem_anon(MIB), MIB, GIB));
	objects = iofd_objects(s.fd, NULL);
	ext_want(&w, MIDDLE, MIB, 0, 0, 0);
	ALLOC(ext_hwpt(s.fd, m.idev, ioas, 0, &w, &hwpt), -EADDRINUSE);
	ext_want(&w, 0, 2 * GIB, 0, 0, 0);
	OK(mock_reserve(s.fd, ioas, 4 * PAGE, PAGE));
	NO_WINDOW(s.fd, ext_hwpt(s.fd, m.idev, ioas, 0, &w, &hwpt), 1, "a test");
	CHECK_EQ(iofd_objects(s.fd, NULL), objects);

	/* promised is promised: a table without it cannot join */
	OK(iofd_ioas(s.fd, &ioas));
	OK(ext_hwpt(s.fd, m.idev, ioas, 0, &w, &hwpt));
	OK(iofd_allow(s.fd, ioas, &allow, 1));
	memset(&w, 0, sizeof(w));
	ext_want(&w, 0, GIB, 0, 0, 0);
	ALLOC(ext_hwpt(s.fd, m.idev, ioas, 0, &w, &hwpt), -EADDRINUSE);
	memset(&w, 0, sizeof(w));
	ext_want(&w, MIDDLE, MIB, 0, 0, 0);
	OK(ext_hwpt(s.fd, m.idev, ioas, 0, &w, &hwpt));
}

/* Two tables of one IOAS: what both translate, in the larger pages of the two. */
static void tables_meet(void)
{
	const struct iommu_iova_range want[] = {
		{ MIDDLE, MIDDLE + GIB - 1 }, { MIDDLE + 2 * GIB, MIDDLE + 3 * GIB - 1 },
	};
	char *va = large(4 * MIB);
	struct windows w = {};
	uint32_t ioas, small, big;

	begin();
	OK(iofd_ioas(s.fd, &ioas));
	ext_want(&w, MIDDLE, 3 * GIB, PAGE, 0, 0);
	OK(ext_hwpt(s.fd, m.idev, ioas, 0, &w, &small));
	memset(&w, 0, sizeof(w));
	ext_want(&w, MIDDLE + 2 * GIB, 2 * GIB, 2 * MIB, 0, 0);
	ext_want(&w, 0, GIB, 0, 0, 0);
	ext_want(&w, MIDDLE, GIB, 2 * MIB, 0, 0);
	/* the second lies in nothing that the first table has */
	NO_WINDOW(s.fd, ext_hwpt(s.fd, m.idev, ioas, 0, &w, &big), 0, "ends beyond");
	memset(&w, 0, sizeof(w));
	ext_want(&w, MIDDLE + 2 * GIB, GIB, 2 * MIB, 0, 0);
	ext_want(&w, MIDDLE, GIB, 2 * MIB, 0, 0);
	OK(ext_hwpt(s.fd, m.idev, ioas, 0, &w, &big));
	s.ioas = ioas;
	check_ranges(want, 2, 2 * MIB);
	/* a small table that only covers would not grant pages of 4 KiB now */
	memset(&w, 0, sizeof(w));
	ext_want(&w, MIDDLE, GIB, PAGE, 0, 0);
	OK(mock_replace(s.fd, &m, small));
	NO_WINDOW(s.fd, ext_hwpt(s.fd, m.idev, ioas, 0, &w, &small), 0, "0x200000");
	OK(space_map(&s, va, 4 * MIB, MIDDLE + 2 * GIB + 4 * MIB));
	OK(mock_check_map(s.fd, m.hwpt, MIDDLE + 2 * GIB + 4 * MIB, va, 4 * MIB));
	OK(mock_check_map(s.fd, big, MIDDLE + 2 * GIB + 4 * MIB, va, 4 * MIB));
	MAP(space_map(&s, va, PAGE, MIDDLE), -EINVAL);
	MAP(space_map(&s, va, 2 * MIB, MIDDLE + GIB), -EINVAL);
	/* the coarse table goes, and with it what it did not have */
	OK(iofd_destroy(s.fd, big));
	OK(space_map(&s, va, PAGE, MIDDLE + GIB));
}

/* With an IOMMU of one aperture, in one IOAS. */
static void two_kinds(void)
{
	const struct iommu_iova_range both[] = { { APERTURE, GIB - 1 } };
	struct mockdev plain;
	char *va = mem_anon(MIB);

	begin();
	OK(mock_device(s.fd, s.ioas, 0, &plain));
	CHECK(plain.hwpt != m.hwpt);
	check_ranges(both, 1, PAGE);
	OK(space_map(&s, va, MIB, APERTURE));
	OK(mock_check_map(s.fd, m.hwpt, APERTURE, va, MIB));
	OK(mock_check_map(s.fd, plain.hwpt, APERTURE, va, MIB));
	MAP(space_map(&s, va, PAGE, 0), -EINVAL);
	OK(iofd_destroy(s.fd, plain.stdev));
	OK(space_map(&s, va, PAGE, 0));
}

/* "CPU pages only" where there are none: the smallest instead. */
static void huge_pages_off(void)
{
	char *va = large(4 * MIB);
	struct windows w = {};
	uint32_t hwpt;

	begin();
	ext_want(&w, 0, GIB, 0, 0, 0);
	ext_want(&w, HIGH, GIB, 0, 0, 0);
	hwpt = windows_only(&w);
	OK(iofd_option_set(s.fd, IOMMU_OPTION_HUGE_PAGES, s.ioas, 0));
	OK(space_map(&s, va, 4 * MIB, HIGH));
	OK(mock_check_map(s.fd, hwpt, HIGH, va, 4 * MIB));
	OK(space_map(&s, va, 4 * MIB, MIB));
	OK(mock_check_map(s.fd, hwpt, MIB, va, 4 * MIB));
	OK(space_unmap(&s, 0, ~0ULL));
}

static void copies(void)
{
	struct iommu_ioas_copy c = {
		.size = sizeof(c),
		.flags = IOFD_FIXED_RW,
		.length = 2 * K64,
		.dst_iova = MIB,
		.src_iova = HIGH,
	};
	char *va = large(4 * MIB), *small = mem_anon(MIB);

	begin();
	c.dst_ioas_id = c.src_ioas_id = s.ioas;
	OK(space_map(&s, va, 2 * K64, HIGH));
	OK(iofd_ioctl(s.fd, IOMMU_IOAS_COPY, &c));
	OK(mock_check_map(s.fd, m.hwpt, MIB, va, 2 * K64));
	/* part of it, in small pages; back up there that is not possible */
	c.length = PAGE;
	c.src_iova = HIGH + K64;
	c.dst_iova = 2 * MIB;
	OK(iofd_ioctl(s.fd, IOMMU_IOAS_COPY, &c));
	c.dst_iova = HIGH + MIB;
	REFUSED(s.fd, IOMMU_IOAS_COPY, iofd_ioctl(s.fd, IOMMU_IOAS_COPY, &c), -EINVAL);
	/* of several maps that are each too small, not even together */
	OK(space_map(&s, small, K64 - PAGE, 3 * MIB));
	OK(space_map(&s, small + K64 - PAGE, PAGE, 3 * MIB + K64 - PAGE));
	c.src_iova = 3 * MIB;
	c.length = K64;
	REFUSED(s.fd, IOMMU_IOAS_COPY, iofd_ioctl(s.fd, IOMMU_IOAS_COPY, &c), -EINVAL);
}

static void dirty_in_both(void)
{
	struct iommu_hwpt_set_dirty_tracking on = {
		.size = sizeof(on),
		.flags = IOMMU_HWPT_DIRTY_TRACKING_ENABLE,
	};
	struct iommu_hwpt_get_dirty_bitmap get = { .size = sizeof(get) };
	uint64_t bits, mark = 0x5;
	char *va = large(4 * MIB);
	struct windows w = {};
	uint32_t ioas;

	begin();
	OK(iofd_ioas(s.fd, &ioas));
	ext_want(&w, 0, GIB, 0, 0, 0);
	ext_want(&w, HIGH, GIB, 0, 0, 0);
	OK(ext_hwpt(s.fd, m.idev, ioas, IOMMU_HWPT_ALLOC_DIRTY_TRACKING, &w, &on.hwpt_id));
	OK(iofd_map_at(s.fd, ioas, va, 4 * MIB, HIGH));
	OK(iofd_map_at(s.fd, ioas, va, 4 * MIB, 4 * MIB));
	OK(iofd_ioctl(s.fd, IOMMU_HWPT_SET_DIRTY_TRACKING, &on));
	OK(mock_mark(s.fd, on.hwpt_id, HIGH, 8 * K64, K64, &mark, NULL));
	OK(mock_mark(s.fd, on.hwpt_id, 4 * MIB, 8 * PAGE, PAGE, &mark, NULL));
	get.hwpt_id = on.hwpt_id;
	get.data = (uintptr_t)&bits;
	bits = 0;
	get.iova = HIGH;
	get.length = 8 * K64;
	get.page_size = K64;
	OK(iofd_ioctl(s.fd, IOMMU_HWPT_GET_DIRTY_BITMAP, &get));
	CHECK_EQ(bits, 5);
	/* small pages are asked for only one by one, wherever large ones are too */
	bits = 0;
	get.iova = 4 * MIB + 2 * PAGE;
	get.length = PAGE;
	get.page_size = PAGE;
	OK(iofd_ioctl(s.fd, IOMMU_HWPT_GET_DIRTY_BITMAP, &get));
	CHECK_EQ(bits, 1);
}

/* What a program for VFIO's container is told. */
static void container(void)
{
	struct iommu_vfio_ioas set = { .size = sizeof(set), .op = IOMMU_VFIO_IOAS_SET };
	struct {
		struct vfio_iommu_type1_info info;
		char caps[512];
	} reply = { .info = { .argsz = sizeof(reply) } };

	begin();
	set.ioas_id = s.ioas;
	OK(iofd_ioctl(s.fd, IOMMU_VFIO_IOAS, &set));
	OK(iofd_ioctl(s.fd, VFIO_IOMMU_GET_INFO, &reply));
	/* the windows have no size in common, but this is good in both */
	CHECK_EQ(reply.info.iova_pgsizes & -reply.info.iova_pgsizes, K64);
}

static void a_hundred_times(void)
{
	char *va = large(2 * MIB);
	unsigned int objects, i;
	struct windows w;
	uint32_t hwpt, ioas;

	begin();
	OK(iofd_ioas(s.fd, &ioas));
	objects = iofd_objects(s.fd, NULL);
	for (i = 0; i < 100; i++) {
		memset(&w, 0, sizeof(w));
		ext_want(&w, HIGH, GIB << (i % 7), i & 1 ? K64 : 2 * MIB, 1 + i % 4, 0);
		ext_want(&w, 0, (1 + i) * PAGE, 0, 0, i & 2 ? ANYWHERE : 0);
		OK(ext_hwpt(s.fd, m.idev, ioas, 0, &w, &hwpt));
		OK(mock_replace(s.fd, &m, hwpt));
		OK(iofd_map_at(s.fd, ioas, va, 2 * MIB, HIGH + 2 * MIB));
		OK(mock_check_map(s.fd, hwpt, HIGH + 2 * MIB, va, 2 * MIB));
		OK(mock_replace(s.fd, &m, s.ioas));
		OK(iofd_unmap(s.fd, ioas, 0, ~0ULL, NULL));
		OK(iofd_destroy(s.fd, hwpt));
	}
	CHECK_EQ(iofd_objects(s.fd, NULL), objects);
}

#define ROUNDS 50

/*
 * Refused is right while the other thread's windows are smaller, or something is
 * mapped beyond these.
 */
static void *reshapes(void *arg)
{
	int i, rc, made = 0;
	struct windows w;
	uint32_t hwpt;

	for (i = 0; i < ROUNDS || !made; i++) {
		memset(&w, 0, sizeof(w));
		ext_want(&w, 0, GIB, 0, 0, 0);
		ext_want(&w, HIGH, GIB << i % 3, K64, 0, 0);
		rc = ext_hwpt(s.fd, m.idev, s.ioas, 0, &w, &hwpt);
		CHECK(!rc || rc == -ENOSPC || rc == -EADDRINUSE);
		if (!rc) {
			CHECK(!iofd_destroy(s.fd, hwpt));
			made++;
		}
	}
	return NULL;
}

/* In the part that every table has: always granted. Elsewhere now and then. */
static void *maps(void *arg)
{
	char *va = arg;
	int i;

	for (i = 0; i < 2 * ROUNDS; i++) {
		CHECK(!space_map(&s, va, 2 * K64, HIGH + MIB));
		if (!space_map(&s, va, K64, HIGH + 3 * GIB))
			CHECK(!space_unmap(&s, HIGH + 3 * GIB, K64));
		CHECK(!space_unmap(&s, HIGH + MIB, 2 * K64));
	}
	return NULL;
}

static void maps_while_windows_change(void)
{
	pthread_t threads[3];
	unsigned int i;

	begin();
	CHECK(!pthread_create(&threads[2], NULL, maps, large(2 * MIB)));
	for (i = 0; i < 2; i++)
		CHECK(!pthread_create(&threads[i], NULL, reshapes, NULL));
	for (i = 0; i < 3; i++)
		CHECK(!pthread_join(threads[i], NULL));
}

static const struct tap_test tests[] = {
	{ "windows there are, and places for them", what_there_is },
	{ "the windows of a user that says nothing", by_default },
	{ "two windows, each with its pages", two_windows },
	{ "windows of any multiple of their pages", any_multiple },
	{ "windows anywhere", anywhere },
	{ "refusals name the window and the limit", refused },
	{ "what is mapped, promised or reserved in the IOAS", in_use },
	{ "two tables of one IOAS", tables_meet },
	{ "together with an IOMMU that has an aperture", two_kinds },
	{ "without huge pages", huge_pages_off },
	{ "copies from window to window", copies },
	{ "dirty pages in both windows", dirty_in_both },
	{ "page sizes for VFIO's container", container },
	{ "made and destroyed a hundred times", a_hundred_times, 90 },
	{ "maps while windows come and go", maps_while_windows_change, 120 },
};

int main(int argc, char **argv)
{
	return MOCK_RUN(argc, argv, tests);
}

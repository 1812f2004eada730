// SPDX-License-Identifier: GPL-2.0
/*
 * <linux/iommufd_ext.h> on the mock: which IOMMU is behind a device, which
 * addresses it can use, and windows asked of an IOMMU that has one aperture.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ext.h"
#include "mem.h"
#include "mock.h"

#define PAGE 4096UL
#define INFO(call, want) REFUSED(s.fd, IOMMU_GET_HW_INFO, call, want)
#define ALLOC(call, want) REFUSED(s.fd, IOMMU_HWPT_ALLOC, call, want)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct space s;
static struct mockdev m;

static void begin(void)
{
	mock_open(&s);
	OK(mock_device(s.fd, s.ioas, 0, &m));
}

/* --- which IOMMU --- */

static void unknown_types(void)
{
	static const uint32_t types[] = {
		IOMMU_EXT_TYPE_FIRST, IOMMU_EXT_HW_INFO_WINDOWS + 1,
		IOMMU_EXT_HWPT_DATA_WINDOWS, IOMMU_EXT_TYPE_LAST,
		IOMMU_EXT_TYPE_FIRST - 1, IOMMU_EXT_TYPE_LAST + 1,
	};
	uint32_t length = 0;
	unsigned int i;

	begin();
	for (i = 0; i < COUNT(types); i++) {
		INFO(ext_hw_info(s.fd, m.idev, types[i], NULL, &length), -EOPNOTSUPP);
		CHECK_EQ(length, 0);
	}
	/* how a program finds out whether there is one */
	OK(ext_hw_info(s.fd, m.idev, IOMMU_EXT_HW_INFO_INSTANCE, NULL, &length));
	CHECK(length >= sizeof(struct iommu_ext_hw_info_instance));
	length = 0;
	OK(ext_hw_info(s.fd, m.idev, IOMMU_EXT_HW_INFO_WINDOWS, NULL, &length));
	CHECK(length >= sizeof(struct iommu_ext_hw_info_windows));
	INFO(ext_hw_info(s.fd, m.hwpt, IOMMU_EXT_HW_INFO_INSTANCE, NULL, &length), -ENOENT);
}

static int fdinfo_says(const char *text)
{
	char path[64], line[1024];
	int found = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", s.fd);
	f = fopen(path, "re");
	CHECK(f);
	while (fgets(line, sizeof(line), f))
		found |= !!strstr(line, text);
	fclose(f);
	return found;
}

static void name_and_id(void)
{
	struct mockdev other;
	struct instance in, again;
	unsigned int unit;
	uint64_t before = 0;
	char name[32];

	mock_open(&s);
	for (unit = 0; unit <= UNIT_WINDOWED; unit++) {
		OK(mock_device_on(s.fd, s.ioas, unit, &other));
		OK(ext_instance(s.fd, other.idev, &in));
		snprintf(name, sizeof(name), "iommufd-mock%u", unit);
		CHECK(!strcmp((char *)in.head.name, name));
		CHECK(!strcmp((char *)in.head.driver,
			      unit == UNIT_WINDOWED ? "mock-windows" : "mock"));
		CHECK(in.head.id && in.head.id != before);
		CHECK_EQ(in.head.id, ext_sysfs_id(name));
		CHECK(fdinfo_says(name));
		before = in.head.id;
		OK(iofd_destroy(s.fd, other.stdev));
	}
	/* the same in another file, later */
	space_open(&s);
	OK(mock_device_on(s.fd, s.ioas, UNIT_WINDOWED, &other));
	OK(ext_instance(s.fd, other.idev, &again));
	CHECK_EQ(again.head.id, in.head.id);
}

static void buffers(void)
{
	const uint32_t type = IOMMU_EXT_HW_INFO_INSTANCE;
	const uint32_t whole = sizeof(struct iommu_ext_hw_info_instance) +
			       sizeof(struct iommu_ext_instance_device);
	struct instance in, part;
	uint32_t length = sizeof(in);
	char *va = mem_anon(PAGE);

	begin();
	memset(&in, 0xff, sizeof(in));
	OK(ext_hw_info(s.fd, m.idev, type, &in, &length));
	CHECK_EQ(length, whole);
	/* beyond what there is: zeroes */
	CHECK_EQ(in.device[1].dev_id, 0);
	CHECK_EQ(in.device[EXT_MAX - 1].flags, 0);
	/* a short buffer gets the beginning */
	memset(&part, 0xff, sizeof(part));
	length = 40;
	OK(ext_hw_info(s.fd, m.idev, type, &part, &length));
	CHECK_EQ(length, whole);
	CHECK(!memcmp(&part, &in, 40));
	CHECK_EQ(((unsigned char *)&part)[40], 0xff);
	CHECK(!mprotect(va, PAGE, PROT_READ));
	length = 200;
	INFO(ext_hw_info(s.fd, m.idev, type, va, &length), -EFAULT);
	INFO(ext_hw_info(s.fd, m.idev, IOMMU_EXT_HW_INFO_WINDOWS, va, &length), -EFAULT);
}

static void who_shares(void)
{
	struct mockdev same, alike, foreign;
	struct instance in;
	uint32_t hwpt;
	unsigned int i;

	begin();
	OK(mock_device(s.fd, s.ioas, 0, &same));
	OK(mock_device_on(s.fd, s.ioas, 1, &alike));
	OK(mock_device_on(s.fd, s.ioas, UNIT_WINDOWED, &foreign));

	OK(ext_instance(s.fd, m.idev, &in));
	CHECK_EQ(in.head.nr_devices, 3);
	CHECK_EQ(ext_common(&in, m.idev),
		 IOMMU_EXT_INSTANCE_SAME | IOMMU_EXT_INSTANCE_SHARES_TABLES);
	CHECK_EQ(ext_common(&in, same.idev),
		 IOMMU_EXT_INSTANCE_SAME | IOMMU_EXT_INSTANCE_SHARES_TABLES);
	CHECK_EQ(ext_common(&in, alike.idev), IOMMU_EXT_INSTANCE_SHARES_TABLES);
	CHECK_EQ(ext_common(&in, foreign.idev), 0);
	for (i = 1; i < in.head.nr_devices; i++)
		CHECK(in.device[i - 1].dev_id < in.device[i].dev_id);

	OK(ext_instance(s.fd, foreign.idev, &in));
	CHECK_EQ(in.head.nr_devices, 1);
	CHECK_EQ(in.device[0].dev_id, foreign.idev);

	/* what was promised holds, also for a nesting parent */
	OK(iofd_hwpt(s.fd, m.idev, s.ioas, IOMMU_HWPT_ALLOC_NEST_PARENT, &hwpt));
	OK(mock_replace(s.fd, &same, hwpt));
	OK(mock_replace(s.fd, &alike, hwpt));
	REFUSED(s.fd, IOMMU_TEST_CMD, mock_replace(s.fd, &foreign, hwpt), -EINVAL);
	/* automatic tables are shared by who can */
	CHECK(foreign.hwpt != m.hwpt);

	OK(iofd_destroy(s.fd, same.stdev));
	OK(ext_instance(s.fd, m.idev, &in));
	CHECK_EQ(in.head.nr_devices, 2);
	CHECK_EQ(ext_common(&in, same.idev), 0);
}

static void other_files_devices(void)
{
	struct mockdev there;
	struct instance in;
	struct space t;

	begin();
	space_open(&t);
	OK(mock_device(t.fd, t.ioas, 0, &there));
	OK(ext_instance(s.fd, m.idev, &in));
	CHECK_EQ(in.head.nr_devices, 1);
	CHECK_EQ(in.device[0].dev_id, m.idev);
}

/* --- which addresses --- */

static void usable(void)
{
	struct iommu_iova_range ranges[8];
	uint32_t count = COUNT(ranges);
	struct windows_info info;
	unsigned int objects, i;

	begin();
	objects = iofd_objects(s.fd, NULL);
	OK(ext_windows_info(s.fd, m.idev, &info));
	CHECK_EQ(iofd_objects(s.fd, NULL), objects);
	CHECK_EQ(info.head.nr_usable, 1);
	CHECK_EQ(info.range[0].first, APERTURE);
	CHECK_EQ(info.range[0].last, APERTURE_END - 1);
	CHECK_EQ(info.range[0].pgsizes & -info.range[0].pgsizes, GRANULE);
	CHECK_EQ(info.range[0].flags | info.range[0].max_levels, 0);
	/* whatever is usable can be asked for */
	CHECK_EQ(info.head.nr_places, info.head.nr_usable);
	CHECK(!memcmp(&info.range[1], &info.range[0], sizeof(info.range[0])));
	CHECK(info.head.max_windows >= 1);

	OK(iofd_ranges(s.fd, s.ioas, ranges, &count, NULL));
	CHECK_EQ(count, info.head.nr_usable);
	for (i = 0; i < count; i++) {
		CHECK_EQ(ranges[i].start, info.range[i].first);
		CHECK_EQ(ranges[i].last, info.range[i].last);
	}
}

/* A window for interrupts is nothing for the user, whether they come or not. */
static void usable_beside_interrupts(void)
{
	struct windows_info info;
	struct windows w = {};
	struct mockdev other;
	uint32_t hwpt;

	mock_open(&s);
	if (!mock_sw_msi(true))
		tap_skip("this kernel has no interrupts that have to be mapped");
	OK(mock_device(s.fd, s.ioas, 0, &other));
	OK(ext_windows_info(s.fd, other.idev, &info));
	ext_want(&w, 0x20000000 - MIB, 2 * MIB, 0, 0, 0);
	/* not known in an IOAS that the device has never been in */
	OK(iofd_ioas(s.fd, &s.ioas));
	NO_WINDOW(s.fd, ext_hwpt(s.fd, other.idev, s.ioas, 0, &w, &hwpt), 0,
		  "0x20000000..0x200fffff, which the device's group reserves");
	OK(iofd_destroy(s.fd, other.stdev));
	mock_sw_msi(false);
	CHECK_EQ(info.head.nr_usable, 2);
	CHECK_EQ(info.range[0].first, APERTURE);
	CHECK_EQ(info.range[0].last, 0x20000000 - 1);
	CHECK_EQ(info.range[1].first, 0x20000000 + MIB);
	CHECK_EQ(info.range[1].last, APERTURE_END - 1);
	/* behind the same IOMMU, without such interrupts */
	OK(mock_device(s.fd, s.ioas, 0, &other));
	OK(ext_hwpt(s.fd, other.idev, s.ioas, 0, &w, &hwpt));
}

/* --- windows --- */

static void granted(void)
{
	struct windows w = {};
	struct iommu_iova_range range;
	uint32_t hwpt, count = 1;
	char *va = mem_anon(MIB);

	begin();
	ext_want(&w, APERTURE, MIB, PAGE, 0, 0);
	ext_want(&w, APERTURE_END - 3 * MIB, 3 * MIB, 65536, 5, 0);
	OK(ext_hwpt(s.fd, m.idev, s.ioas, 0, &w, &hwpt));
	CHECK_EQ(w.window[0].iova, APERTURE);
	CHECK_EQ(w.window[0].length, MIB);
	CHECK_EQ(w.window[0].pgsize, GRANULE);
	CHECK_EQ(w.window[1].iova, APERTURE_END - 3 * MIB);
	CHECK_EQ(w.window[1].length, 3 * MIB);
	CHECK_EQ(w.window[1].pgsize, GRANULE);
	/* nobody can tell this IOMMU how many */
	CHECK_EQ(w.window[1].levels, 0);
	/* the table is one like any other, and has the whole aperture */
	OK(mock_replace(s.fd, &m, hwpt));
	OK(iofd_ranges(s.fd, s.ioas, &range, &count, NULL));
	CHECK_EQ(range.start, APERTURE);
	CHECK_EQ(range.last, APERTURE_END - 1);
	OK(space_map(&s, va, MIB, APERTURE_END - 3 * MIB));
	OK(mock_check_map(s.fd, hwpt, APERTURE_END - 3 * MIB, va, MIB));
}

static void at_least_a_gib(void)
{
	struct windows w = {};
	unsigned int objects;
	uint32_t hwpt;

	begin();
	objects = iofd_objects(s.fd, NULL);
	ext_want(&w, 0, GIB, 0, 0, ANYWHERE);
	OK(ext_hwpt(s.fd, m.idev, s.ioas, 0, &w, &hwpt));
	CHECK(w.window[0].iova >= APERTURE);
	CHECK(w.window[0].length >= GIB);
	CHECK(w.window[0].iova + w.window[0].length <= APERTURE_END);
	CHECK(w.window[0].pgsize);
	OK(space_map(&s, mem_anon(MIB), MIB, w.window[0].iova + GIB - MIB));
	OK(iofd_destroy(s.fd, hwpt));

	/* of two there is no room for the second */
	memset(&w, 0, sizeof(w));
	ext_want(&w, 0, GIB, 0, 0, ANYWHERE);
	ext_want(&w, 0, GIB, 0, 0, ANYWHERE);
	NO_WINDOW(s.fd, ext_hwpt(s.fd, m.idev, s.ioas, 0, &w, &hwpt), 1, "0x40000000 bytes");
	CHECK_EQ(iofd_objects(s.fd, NULL), objects);
	/* nothing is written when nothing is granted */
	CHECK_EQ(w.window[0].iova, 0);
	CHECK_EQ(w.window[0].pgsize, 0);
}

static void anywhere_around_others(void)
{
	struct windows w = {};
	uint32_t hwpt;
	int i, j;

	begin();
	OK(mock_reserve(s.fd, s.ioas, 0x20000000, MIB));
	ext_want(&w, 0, 3 * MIB, 65536, 0, ANYWHERE);
	ext_want(&w, APERTURE, 16 * MIB, 0, 0, 0);
	ext_want(&w, 0, 1, 0, 0, ANYWHERE);
	ext_want(&w, 0, 256 * MIB, MIB, 0, ANYWHERE);
	OK(ext_hwpt(s.fd, m.idev, s.ioas, 0, &w, &hwpt));
	CHECK_EQ(w.window[1].iova, APERTURE);
	CHECK_EQ(w.window[2].length, GRANULE);
	CHECK_EQ(w.window[0].iova % MIB, 0);
	CHECK_EQ(w.window[3].iova % (256 * MIB), 0);
	for (i = 0; i < 4; i++) {
		const struct iommu_ext_window *a = &w.window[i], *b;

		CHECK(a->iova >= 0x20000000 + MIB || a->iova + a->length <= 0x20000000);
		for (j = 0; j < i; j++) {
			b = &w.window[j];
			CHECK(a->iova >= b->iova + b->length || b->iova >= a->iova + a->length);
		}
	}
}

static void refused(void)
{
	static const struct {
		struct iommu_ext_window second;
		const char *text;
	} row[] = {
		{ { .iova = 0, .length = MIB }, "0x1000000..0x7fffffff" },
		{ { .iova = APERTURE - MIB, .length = 2 * MIB }, "0x1000000..0x7fffffff" },
		{ { .iova = APERTURE_END - MIB, .length = 2 * MIB }, "0x7fffffff" },
		{ { .iova = APERTURE_END, .length = MIB }, "0x7fffffff" },
		{ { .iova = 1UL << 59, .length = MIB }, "0x7fffffff" },
		{ { .iova = 0x2fffff00, .length = 0x100 }, "multiple of the page size 0x800" },
		{ { .iova = 0x2ff00000, .length = 2 * MIB }, "a test" },
		{ { .iova = 0x30000000, .length = 2 * MIB }, "0x30000000..0x300fffff" },
		{ { .iova = 0x40000000, .length = MIB, .pgsize = 1024 }, "0x800" },
		{ { .length = MIB, .pgsize = 1024, .flags = ANYWHERE }, "0x800" },
		{ { .length = 2 * GIB, .flags = ANYWHERE }, "0x80000000 bytes" },
		{ { .length = ~0ULL, .flags = ANYWHERE }, "longest" },
	};
	unsigned int objects, i;
	struct windows w;
	uint32_t hwpt;

	begin();
	OK(mock_reserve(s.fd, s.ioas, 0x30000000, MIB));
	objects = iofd_objects(s.fd, NULL);
	for (i = 0; i < COUNT(row); i++) {
		memset(&w, 0, sizeof(w));
		ext_want(&w, APERTURE + 64 * MIB, MIB, 0, 0, 0);
		ext_want(&w, row[i].second.iova, row[i].second.length,
			 row[i].second.pgsize, 0, row[i].second.flags);
		NO_WINDOW(s.fd, ext_hwpt(s.fd, m.idev, s.ioas, 0, &w, &hwpt), 1, row[i].text);
		CHECK_EQ(iofd_objects(s.fd, NULL), objects);
	}
	memset(&w, 0, sizeof(w));
	for (i = 0; i < 9; i++)
		ext_want(&w, APERTURE + i * MIB, MIB, 0, 0, 0);
	NO_WINDOW(s.fd, ext_hwpt(s.fd, m.idev, s.ioas, 0, &w, &hwpt), 8, "8 windows at most");
	w.head.nr_windows = 8;
	OK(ext_hwpt(s.fd, m.idev, s.ioas, 0, &w, &hwpt));
}

/* What makes no sense on any IOMMU. */
static void malformed(void)
{
	static const struct {
		struct iommu_ext_window window;
		int error;
	} row[] = {
		{ { .iova = APERTURE }, -EINVAL },
		{ { .flags = ANYWHERE }, -EINVAL },
		{ { .iova = APERTURE, .length = MIB, .flags = 2 }, -EOPNOTSUPP },
		{ { .iova = APERTURE, .length = MIB, .flags = 0x80000001 }, -EOPNOTSUPP },
		{ { .iova = ~0ULL, .length = 2 }, -EOVERFLOW },
		{ { .iova = APERTURE, .length = ~0ULL }, -EOVERFLOW },
		{ { .iova = APERTURE, .length = MIB, .pgsize = 3 * PAGE }, -EINVAL },
		{ { .iova = APERTURE, .length = MIB, .pgsize = ~0ULL }, -EINVAL },
		{ { .iova = APERTURE + 2048, .length = MIB, .pgsize = PAGE }, -EINVAL },
		{ { .iova = APERTURE, .length = MIB + 2048, .pgsize = PAGE }, -EINVAL },
		{ { .iova = APERTURE, .length = MIB, .pgsize = 1ULL << 63 }, -EINVAL },
		/* the first window of each request is here */
		{ { .iova = APERTURE + 4 * MIB, .length = MIB }, -EINVAL },
		{ { .iova = APERTURE + 5 * MIB - 1, .length = MIB }, -EINVAL },
		{ { .iova = APERTURE, .length = 16 * MIB }, -EINVAL },
	};
	unsigned int objects, i;
	struct windows w;
	uint32_t hwpt;

	begin();
	objects = iofd_objects(s.fd, NULL);
	for (i = 0; i < COUNT(row); i++) {
		memset(&w, 0, sizeof(w));
		ext_want(&w, APERTURE + 4 * MIB, MIB, 0, 0, 0);
		w.window[w.head.nr_windows++] = row[i].window;
		ALLOC(ext_hwpt(s.fd, m.idev, s.ioas, 0, &w, &hwpt), row[i].error);
	}
	memset(&w, 0, sizeof(w));
	ext_want(&w, APERTURE, MIB, 0, 0, 0);
	w.head.flags = 1;
	ALLOC(ext_hwpt(s.fd, m.idev, s.ioas, 0, &w, &hwpt), -EOPNOTSUPP);
	w.head.flags = 0;
	w.head.__reserved = 1;
	ALLOC(ext_hwpt(s.fd, m.idev, s.ioas, 0, &w, &hwpt), -EOPNOTSUPP);
	w.head.__reserved = 0;
	w.head.nr_windows = 0;
	ALLOC(ext_hwpt(s.fd, m.idev, s.ioas, 0, &w, &hwpt), -EINVAL);
	/* flags of the table itself are still the IOMMU's business */
	w.head.nr_windows = 1;
	ALLOC(ext_hwpt(s.fd, m.idev, s.ioas, 1U << 31, &w, &hwpt), -EOPNOTSUPP);
	/* only a table over an IOAS has windows */
	ALLOC(ext_hwpt(s.fd, m.idev, m.idev, 0, &w, &hwpt), -EINVAL);
	CHECK(ext_hwpt(s.fd, m.idev, m.hwpt, 0, &w, &hwpt) < 0);
	CHECK_EQ(iofd_objects(s.fd, NULL), objects);
	OK(ext_hwpt(s.fd, m.idev, s.ioas, 0, &w, &hwpt));
}

/* Entries that are longer or shorter, arrays that end in the wrong place. */
static void sizes(void)
{
	struct {
		struct iommu_ext_hwpt_windows head;
		struct {
			struct iommu_ext_window window;
			uint64_t more[2];
		} w[2];
	} large = {
		.head = { .window_size = sizeof(large.w[0]), .nr_windows = 2 },
		.w = {
			{ .window = { .length = MIB, .flags = ANYWHERE }, .more = { 0, 0 } },
			{ .window = { .length = MIB, .flags = ANYWHERE }, .more = { 0, 0 } },
		},
	};
	struct iommu_hwpt_alloc c = {
		.size = sizeof(c),
		.data_type = IOMMU_EXT_HWPT_DATA_WINDOWS,
		.data_len = sizeof(large),
		.data_uptr = (uintptr_t)&large,
	};
	static const uint32_t wrong_size[] = { 0, 8, 31, 4097, ~0U };
	static const uint32_t wrong_len[] = { 1, 15, 16, 63, sizeof(large) - 1, sizeof(large) + 1, ~0U };
	unsigned int i;

	begin();
	c.dev_id = m.idev;
	c.pt_id = s.ioas;
	OK(iofd_ioctl(s.fd, IOMMU_HWPT_ALLOC, &c));
	CHECK(large.w[1].window.iova >= APERTURE);
	CHECK(large.w[1].window.iova != large.w[0].window.iova);
	large.w[1].more[1] = 1;
	ALLOC(iofd_ioctl(s.fd, IOMMU_HWPT_ALLOC, &c), -E2BIG);
	large.w[1].more[1] = 0;
	for (i = 0; i < COUNT(wrong_len); i++) {
		c.data_len = wrong_len[i];
		ALLOC(iofd_ioctl(s.fd, IOMMU_HWPT_ALLOC, &c), -EINVAL);
	}
	for (i = 0; i < COUNT(wrong_size); i++) {
		large.head.window_size = wrong_size[i];
		c.data_len = sizeof(large.head) + 2 * wrong_size[i];
		ALLOC(iofd_ioctl(s.fd, IOMMU_HWPT_ALLOC, &c), -EINVAL);
	}
}

static void bad_memory(void)
{
	char *page = mem_anon(3 * PAGE);
	struct windows *w = (struct windows *)(page + PAGE);
	unsigned int objects;
	uint32_t hwpt;

	begin();
	objects = iofd_objects(s.fd, NULL);
	ext_want(w, APERTURE, MIB, 0, 0, 0);
	CHECK(!mprotect(w, PAGE, PROT_READ));
	/* what cannot be told does not stay */
	ALLOC(ext_hwpt(s.fd, m.idev, s.ioas, 0, w, &hwpt), -EFAULT);
	CHECK_EQ(iofd_objects(s.fd, NULL), objects);
	CHECK(!mprotect(w, PAGE, PROT_READ | PROT_WRITE));
	/* the array goes on where nothing is */
	w = (struct windows *)(page + 2 * PAGE - sizeof(w->head) - sizeof(w->window[0]));
	memset(w, 0, sizeof(w->head));
	ext_want(w, APERTURE, MIB, 0, 0, 0);
	ext_want(w, APERTURE + MIB, MIB, 0, 0, 0);
	CHECK(!munmap(page + 2 * PAGE, PAGE));
	ALLOC(ext_hwpt(s.fd, m.idev, s.ioas, 0, w, &hwpt), -EFAULT);
	CHECK_EQ(iofd_objects(s.fd, NULL), objects);
}

/* --- together with everything else --- */

#define ROUNDS 60

static void *asks(void *arg)
{
	struct instance in;
	struct windows_info info;
	struct windows w;
	uint32_t hwpt;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		CHECK(!ext_instance(s.fd, m.idev, &in));
		CHECK(ext_common(&in, m.idev) & IOMMU_EXT_INSTANCE_SAME);
		CHECK(!ext_windows_info(s.fd, m.idev, &info));
		memset(&w, 0, sizeof(w));
		ext_want(&w, 0, GIB, 0, 0, ANYWHERE);
		CHECK(!ext_hwpt(s.fd, m.idev, s.ioas, 0, &w, &hwpt));
		CHECK(!iofd_destroy(s.fd, hwpt));
	}
	return NULL;
}

static void *comes_and_goes(void *arg)
{
	struct mockdev other;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		CHECK(!mock_device_on(s.fd, s.ioas, i & 1, &other));
		CHECK(!iofd_destroy(s.fd, other.stdev));
	}
	return NULL;
}

static void *maps(void *arg)
{
	char *va = arg;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		CHECK(!space_map(&s, va, MIB, 0x40000000));
		CHECK(!space_unmap(&s, 0x40000000, MIB));
	}
	return NULL;
}

static void all_at_once(void)
{
	pthread_t threads[4];
	unsigned int objects, i;

	begin();
	objects = iofd_objects(s.fd, NULL);
	CHECK(!pthread_create(&threads[0], NULL, asks, NULL));
	CHECK(!pthread_create(&threads[1], NULL, asks, NULL));
	CHECK(!pthread_create(&threads[2], NULL, comes_and_goes, NULL));
	CHECK(!pthread_create(&threads[3], NULL, maps, mem_anon(MIB)));
	for (i = 0; i < COUNT(threads); i++)
		CHECK(!pthread_join(threads[i], NULL));
	CHECK_EQ(iofd_objects(s.fd, NULL), objects);
}

static const struct tap_test tests[] = {
	{ "types that are unknown, and probing", unknown_types },
	{ "the name and id of an IOMMU are those of sysfs", name_and_id },
	{ "buffers of all lengths", buffers },
	{ "who has the same IOMMU, and who can share its tables", who_shares },
	{ "devices of other files are not told", other_files_devices },
	{ "usable addresses without attaching", usable },
	{ "usable addresses beside a window for interrupts", usable_beside_interrupts },
	{ "windows that the aperture covers are granted", granted },
	{ "at least 1 GiB", at_least_a_gib },
	{ "windows anywhere keep clear of others", anywhere_around_others },
	{ "refusals name the window and the limit", refused },
	{ "requests that make no sense", malformed },
	{ "entries and arrays of other sizes", sizes },
	{ "requests in memory that is not there", bad_memory },
	{ "asking while devices and mappings come and go", all_at_once, 120 },
};

int main(int argc, char **argv)
{
	return MOCK_RUN(argc, argv, tests);
}

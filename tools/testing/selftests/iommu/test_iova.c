// SPDX-License-Identifier: GPL-2.0
/*
 * Which IOVA the kernel chooses, against a model that looks at every byte range:
 * the lowest free place, aligned as length and memory are.
 */
#include <stdlib.h>
#include <string.h>

#include "iofd.h"
#include "mem.h"
#include "tap.h"

#define PAGE 4096ULL
#define MAX 512
#define NONE UINT64_MAX

struct range {
	uint64_t first, last;
};

static int fd;
static uint32_t ioas;
/* what is mapped, sorted, and what may be */
static struct range used[MAX];
static unsigned int nr_used;
static struct range allowed[4];
static unsigned int nr_allowed;

static uint64_t lowest_bit(uint64_t n)
{
	return n & -n;
}

static uint64_t round_up_power(uint64_t n)
{
	uint64_t p = 1;

	while (p < n)
		p <<= 1;
	return p;
}

static uint64_t alignment(uint64_t length, uint64_t address, uint64_t leaf)
{
	uint64_t keep = length < leaf ? round_up_power(length) : leaf;

	if (address && lowest_bit(address) < keep)
		keep = lowest_bit(address);
	return keep > lowest_bit(length) ? keep : lowest_bit(length);
}

static uint64_t fit(uint64_t first, uint64_t last, uint64_t length, uint64_t align)
{
	uint64_t at = (first + align - 1) & ~(align - 1);

	return at < first || at > last || last - at < length - 1 ? NONE : at;
}

static uint64_t fit_within(uint64_t first, uint64_t last, uint64_t length, uint64_t align)
{
	unsigned int i;
	uint64_t at;

	for (i = 0; i < nr_used; i++) {
		if (used[i].last < first)
			continue;
		if (used[i].first > last)
			break;
		if (used[i].first > first) {
			at = fit(first, used[i].first - 1, length, align);
			if (at != NONE)
				return at;
		}
		if (used[i].last >= last)
			return NONE;
		first = used[i].last + 1;
	}
	return fit(first, last, length, align);
}

static uint64_t expected_at(uint64_t length, uint64_t align)
{
	unsigned int i;
	uint64_t at;

	if (!nr_allowed)
		return fit_within(1, UINT64_MAX - 1, length, align);
	for (i = 0; i < nr_allowed; i++) {
		at = fit_within(allowed[i].first, allowed[i].last, length, align);
		if (at != NONE)
			return at;
	}
	return NONE;
}

/* With room for leaves of 1 GiB if there is some, of 2 MiB in any case. */
static uint64_t expected(uint64_t length, uint64_t address)
{
	uint64_t at = expected_at(length, alignment(length, address, GIB));

	return at != NONE ? at : expected_at(length, alignment(length, address, 2 * MIB));
}

static void model_insert(uint64_t first, uint64_t length)
{
	unsigned int i = nr_used++;

	for (; i && used[i - 1].first > first; i--)
		used[i] = used[i - 1];
	used[i] = (struct range){ first, first + length - 1 };
}

static void map_one(uint64_t length, void *at)
{
	uint64_t want = expected(length, (uintptr_t)at), iova = 0;

	if (want == NONE) {
		REFUSED(fd, IOMMU_IOAS_MAP, iofd_map(fd, ioas, at, length, &iova, IOFD_RW),
			-ENOSPC);
		return;
	}
	OK(iofd_map(fd, ioas, at, length, &iova, IOFD_RW));
	CHECK_EQ(iova, want);
	model_insert(iova, length);
}

static void map_fixed(uint64_t first, uint64_t length, void *at)
{
	unsigned int i;

	for (i = 0; i < nr_used; i++)
		if (used[i].first <= first + length - 1 && first <= used[i].last)
			return;
	OK(iofd_map_at(fd, ioas, at, length, first));
	model_insert(first, length);
}

static void unmap_one(unsigned int i)
{
	OK(iofd_unmap(fd, ioas, used[i].first, used[i].last - used[i].first + 1, NULL));
	memmove(used + i, used + i + 1, (--nr_used - i) * sizeof(*used));
}

static void begin(void)
{
	fd = OK(iofd_open());
	OK(iofd_ioas(fd, &ioas));
	nr_used = nr_allowed = 0;
}

static uint64_t some_length(void)
{
	switch (rand() % 4) {
	case 0: return 1 + rand() % PAGE;
	case 1: return PAGE << rand() % 10;
	default: return (1 + rand() % 64) * PAGE;
	}
}

/* No device: any byte may be mapped, and nothing is touched. */
static void follow(unsigned int seed, uint64_t space)
{
	char *memory = (char *)(64 * MIB);
	int step;

	srand(seed);
	for (step = 0; step < 4000; step++) {
		void *at = memory + ((uint64_t)rand() % (16 * MIB) & -(1ULL << rand() % 22));

		if (nr_used == MAX - 2 || (nr_used && rand() % 3 == 0))
			unmap_one(rand() % nr_used);
		else if (rand() % 4 == 0 && !nr_allowed)
			map_fixed(rand() % space, some_length(), at);
		else
			map_one(some_length(), at);
	}
	while (nr_used)
		unmap_one(rand() % nr_used);
	map_one(PAGE, memory);
}

static void anywhere(void)
{
	unsigned int seed;

	for (seed = 1; seed <= 3; seed++) {
		begin();
		follow(seed, 8 * MIB);
	}
}

static void where_allowed(void)
{
	static const struct iommu_iova_range ranges[] = {
		{ .start = 0x1000, .last = 0x7fff },
		{ .start = 0x40000, .last = 0x1fffff },
		{ .start = UINT64_MAX - 0xfffff, .last = UINT64_MAX },
	};
	unsigned int i;

	begin();
	OK(iofd_allow(fd, ioas, ranges, 3));
	for (i = 0; i < 3; i++)
		allowed[i] = (struct range){ ranges[i].start, ranges[i].last };
	nr_allowed = 3;
	follow(4, 1);
}

/* Large pages of memory shall become large leaves. */
static void keeps_alignment(void)
{
	begin();
	map_one(PAGE, (void *)(64 * MIB + PAGE));
	map_one(3 * MIB, (void *)(64 * MIB));
	CHECK_EQ(used[1].first, 4 * MIB);
	map_one(3 * MIB, (void *)(64 * MIB + PAGE));
	CHECK_EQ(used[1].first % MIB, 0);
	map_one(3 * GIB, (void *)(16 * GIB));
	CHECK_EQ(used[nr_used - 1].first % GIB, 0);
}

/* 2.5 GiB are there, but less from a multiple of 1 GiB on. */
static void gives_up_leaves(void)
{
	static const struct iommu_iova_range range = {
		.start = 0x10000000, .last = 0x10000000 + 5 * GIB / 2 - 1,
	};
	uint64_t iova = 0;

	begin();
	OK(iofd_allow(fd, ioas, &range, 1));
	OK(iofd_map(fd, ioas, (void *)(16 * GIB), 2 * GIB + 2 * MIB, &iova, IOFD_RW));
	CHECK_EQ(iova, 0x10000000);
	REFUSED(fd, IOMMU_IOAS_MAP, iofd_map(fd, ioas, (void *)(16 * GIB), GIB, &iova, IOFD_RW),
		-ENOSPC);
	OK(iofd_map(fd, ioas, (void *)(16 * GIB + 4 * PAGE), 256 * MIB, &iova, IOFD_RW));
	CHECK_EQ(iova, 0xa0000000);
}

/* 0 means "none" to many programs. */
static void zero_is_last(void)
{
	static const struct iommu_iova_range first_page = { .start = 0, .last = 2 * PAGE - 1 };
	uint64_t iova = 1;

	begin();
	OK(iofd_allow(fd, ioas, &first_page, 1));
	OK(iofd_map(fd, ioas, (void *)(64 * MIB), PAGE, &iova, IOFD_RW));
	CHECK_EQ(iova, PAGE);
	OK(iofd_map(fd, ioas, (void *)(64 * MIB), PAGE, &iova, IOFD_RW));
	CHECK_EQ(iova, 0);
	REFUSED(fd, IOMMU_IOAS_MAP, iofd_map(fd, ioas, (void *)(64 * MIB), PAGE, &iova, IOFD_RW),
		-ENOSPC);
}

static const struct tap_test tests[] = {
	{ "the lowest free place is chosen, whatever comes and goes", anywhere, 60 },
	{ "the same within allowed ranges, up to the last address", where_allowed, 60 },
	{ "a chosen place is aligned as the memory is", keeps_alignment },
	{ "room counts for more than the largest leaves", gives_up_leaves },
	{ "address 0 is chosen last", zero_is_last },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

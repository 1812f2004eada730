// SPDX-License-Identifier: GPL-2.0
/*
 * An address space as such: what may be mapped where, allowed ranges, options.
 * No device, so no memory is pinned here.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <linux/capability.h>
#include <unistd.h>

#include "iofd.h"
#include "mem.h"
#include "tap.h"

#define PAGE 4096UL
#define MAX UINT64_MAX

/* What each test here begins with. */
static int fd;
static uint32_t ioas;
static char *memory;
#define MEMORY_SIZE (64 * PAGE)

static void begin(void)
{
	fd = OK(iofd_open());
	OK(iofd_ioas(fd, &ioas));
	memory = mem_anon(MEMORY_SIZE);
	CHECK(memory);
}

static int map(uint64_t iova, uint64_t length)
{
	return iofd_map_at(fd, ioas, memory, length, iova);
}

static int unmap(uint64_t iova, uint64_t length)
{
	return iofd_unmap(fd, ioas, iova, length, NULL);
}

#define MAP_REFUSED(call, want) REFUSED(fd, IOMMU_IOAS_MAP, call, want)
#define UNMAP_REFUSED(call, want) REFUSED(fd, IOMMU_IOAS_UNMAP, call, want)

/* Bytes mapped in all; unmaps everything. */
static uint64_t empty(void)
{
	uint64_t length;

	OK(iofd_unmap(fd, ioas, 0, MAX, &length));
	return length;
}

static void alloc_destroy(void)
{
	uint32_t id[100];
	int i, j;

	fd = OK(iofd_open());
	for (i = 0; i < 100; i++) {
		OK(iofd_ioas(fd, &id[i]));
		CHECK(id[i]);
		for (j = 0; j < i; j++)
			CHECK(id[i] != id[j]);
	}
	for (i = 99; i >= 0; i--)
		OK(iofd_destroy(fd, id[i]));
	CHECK_EQ(iofd_objects(fd, NULL), 0);
}

static void destroy_with_mappings(void)
{
	begin();
	OK(map(0, PAGE));
	OK(map(PAGE, 4 * PAGE));
	OK(iofd_destroy(fd, ioas));
	CHECK_EQ(iofd_objects(fd, NULL), 0);
}

static void ranges_of_empty(void)
{
	struct iommu_iova_range r[4];
	uint32_t n = 4;
	uint64_t align;

	begin();
	OK(iofd_ranges(fd, ioas, r, &n, &align));
	CHECK_EQ(n, 1);
	CHECK_EQ(r[0].start, 0);
	CHECK_EQ(r[0].last, MAX);
	CHECK_EQ(align, 1);
	/* mappings do not count, only what could be used at all */
	OK(map(0x10000, PAGE));
	n = 4;
	OK(iofd_ranges(fd, ioas, r, &n, &align));
	CHECK_EQ(n, 1);
}

static void ranges_room(void)
{
	struct iommu_iova_range *r;
	uint32_t n = 0;
	uint64_t align = 0;

	begin();
	REFUSED(fd, IOMMU_IOAS_IOVA_RANGES, iofd_ranges(fd, ioas, NULL, &n, &align),
		-EMSGSIZE);
	CHECK_EQ(n, 1);
	CHECK_EQ(align, 1);
	n = 1;
	REFUSED(fd, IOMMU_IOAS_IOVA_RANGES, iofd_ranges(fd, ioas, NULL, &n, &align),
		-EFAULT);
	r = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	n = 1;
	REFUSED(fd, IOMMU_IOAS_IOVA_RANGES, iofd_ranges(fd, ioas, r, &n, &align),
		-EFAULT);
	CHECK(!mprotect(r, PAGE, PROT_READ | PROT_WRITE));
	/* a number too large promises room, but only what is needed is written */
	n = 0xffffffff;
	OK(iofd_ranges(fd, ioas, r, &n, &align));
	CHECK_EQ(n, 1);
	CHECK_EQ(r[0].last, MAX);
	CHECK(!r[1].start && !r[1].last);
}

static void allow_bad(void)
{
	static const struct iommu_iova_range
		backwards[] = { { 0x1000, 0xfff } },
		overlap[] = { { 0x10000, 0x1ffff }, { 0x0, 0xffff }, { 0x1ffff, 0x20000 } },
		twice[] = { { 0x10000, 0x1ffff }, { 0x10000, 0x1ffff } };

	begin();
	REFUSED(fd, IOMMU_IOAS_ALLOW_IOVAS, iofd_allow(fd, ioas, backwards, 1), -EINVAL);
	REFUSED(fd, IOMMU_IOAS_ALLOW_IOVAS, iofd_allow(fd, ioas, overlap, 3), -EINVAL);
	REFUSED(fd, IOMMU_IOAS_ALLOW_IOVAS, iofd_allow(fd, ioas, twice, 2), -EINVAL);
	REFUSED(fd, IOMMU_IOAS_ALLOW_IOVAS, iofd_allow(fd, ioas, NULL, 1), -EFAULT);
	/* the array leaves what is mapped */
	memset(memory + MEMORY_SIZE - 16, 0, 16);
	munmap(memory + MEMORY_SIZE - PAGE, PAGE);
	REFUSED(fd, IOMMU_IOAS_ALLOW_IOVAS,
		iofd_allow(fd, ioas, (void *)(memory + MEMORY_SIZE - PAGE - 16), 2), -EFAULT);
}

static uint64_t map_anywhere(uint64_t length)
{
	uint64_t iova = 0;

	OK(iofd_map(fd, ioas, memory, length, &iova, IOFD_RW));
	return iova;
}

static void allow_guides(void)
{
	static const struct iommu_iova_range two[] = {
		{ 0x700000, 0x700fff }, { 0x200000, 0x202fff },
	}, one[] = { { 0x900000, 0x900fff } };
	uint64_t iova;
	int i, low = 0, high = 0;

	begin();
	OK(iofd_allow(fd, ioas, two, 2));
	for (i = 0; i < 4; i++) {
		iova = map_anywhere(PAGE);
		low += iova >= 0x200000 && iova <= 0x202000;
		high += iova == 0x700000;
	}
	CHECK_EQ(low, 3);
	CHECK_EQ(high, 1);
	iova = 0;
	MAP_REFUSED(iofd_map(fd, ioas, memory, PAGE, &iova, IOFD_RW), -ENOSPC);
	/* who names an address may go elsewhere */
	OK(map(0x500000, PAGE));

	/* the list is replaced, not added to */
	OK(iofd_allow(fd, ioas, one, 1));
	CHECK_EQ(map_anywhere(PAGE), 0x900000);
	iova = 0;
	MAP_REFUSED(iofd_map(fd, ioas, memory, PAGE, &iova, IOFD_RW), -ENOSPC);

	/* and gone with an empty one */
	OK(iofd_allow(fd, ioas, NULL, 0));
	map_anywhere(PAGE);
	CHECK_EQ(empty(), 7 * PAGE);
}

static void allow_keeps_old(void)
{
	static const struct iommu_iova_range good[] = { { 0x300000, 0x300fff } },
		bad[] = { { 0x800000, 0x8fffff }, { 5, 4 } };

	begin();
	OK(iofd_allow(fd, ioas, good, 1));
	REFUSED(fd, IOMMU_IOAS_ALLOW_IOVAS, iofd_allow(fd, ioas, bad, 2), -EINVAL);
	CHECK_EQ(map_anywhere(PAGE), 0x300000);
}

static void allow_everything(void)
{
	static const struct iommu_iova_range all[] = { { 0, MAX } };
	struct iommu_iova_range *many = calloc(20000, sizeof(*many));
	int i;

	begin();
	OK(iofd_allow(fd, ioas, all, 1));
	map_anywhere(PAGE);
	for (i = 0; i < 20000; i++) {
		many[i].start = i * 0x10000ULL;
		many[i].last = many[i].start + 0xffff;
	}
	OK(iofd_allow(fd, ioas, many, 20000));
	map_anywhere(PAGE);
}

static void map_values(void)
{
	uint64_t iova = 0x1000;

	begin();
	MAP_REFUSED(map(0x1000, 0), -EINVAL);
	MAP_REFUSED(iofd_map(fd, ioas, memory, PAGE, &iova, IOMMU_IOAS_MAP_FIXED_IOVA), -EINVAL);
	MAP_REFUSED(iofd_map(fd, ioas, memory, PAGE, &iova, 0), -EINVAL);
	MAP_REFUSED(map(MAX - PAGE + 2, PAGE), -EOVERFLOW);
	MAP_REFUSED(map(MAX, 2), -EOVERFLOW);
	MAP_REFUSED(map(PAGE, MAX), -EOVERFLOW);
	MAP_REFUSED(map(1UL << 63, 1UL << 63 | PAGE), -EOVERFLOW);
	MAP_REFUSED(iofd_map_at(fd, ioas, (void *)(MAX - 1), PAGE, 0), -EOVERFLOW);
	MAP_REFUSED(iofd_map_at(fd, ioas, (void *)-PAGE, 2 * PAGE, 0), -EOVERFLOW);
	iova = 0;
	MAP_REFUSED(iofd_map(fd, ioas, memory, MAX, &iova, IOFD_RW), -EOVERFLOW);
	CHECK_EQ(empty(), 0);
}

static void map_overlap(void)
{
	begin();
	OK(map(0x10000, 4 * PAGE));
	MAP_REFUSED(map(0x10000, 4 * PAGE), -EEXIST);
	MAP_REFUSED(map(0x10000, PAGE), -EEXIST);
	MAP_REFUSED(map(0x13000, PAGE), -EEXIST);
	MAP_REFUSED(map(0x11000, PAGE), -EEXIST);
	MAP_REFUSED(map(0xf000, 2 * PAGE), -EEXIST);
	MAP_REFUSED(map(0x13000, 2 * PAGE), -EEXIST);
	MAP_REFUSED(map(0xf000, 16 * PAGE), -EEXIST);
	OK(map(0xf000, PAGE));
	OK(map(0x14000, PAGE));
	CHECK_EQ(empty(), 6 * PAGE);
}

/* Without a page table there is nothing that would ask for alignment. */
static void map_bytes(void)
{
	begin();
	OK(iofd_map_at(fd, ioas, memory + 1, 1, 7));
	OK(iofd_map_at(fd, ioas, memory + 3, 3, 8));
	MAP_REFUSED(iofd_map_at(fd, ioas, memory, 2, 6), -EEXIST);
	OK(unmap(8, 3));
	OK(unmap(7, 1));
	CHECK_EQ(empty(), 0);
}

/* Nothing looks at the memory yet. */
static void map_no_memory(void)
{
	void *hole = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	begin();
	munmap(hole, PAGE);
	OK(iofd_map_at(fd, ioas, hole, PAGE, 0x1000));
	OK(unmap(0x1000, PAGE));
	CHECK_EQ(mem_status(0, "VmPin"), 0);
}

static void map_chosen(void)
{
	static const uint64_t lengths[] = {
		PAGE, 2 * PAGE, 3 * PAGE, 16 * PAGE, 2 * MIB, 6 * MIB, GIB, 3 * GIB,
	};
	uint64_t iova[8], natural;
	unsigned int i, j;

	begin();
	for (i = 0; i < 8; i++) {
		iova[i] = 0;
		OK(iofd_map(fd, ioas, memory, lengths[i], &iova[i], IOFD_RW));
		natural = lengths[i] & -lengths[i];
		if (iova[i] & (natural - 1))
			tap_fail(__FILE__, __LINE__, "iova 0x%lx for length 0x%lx",
				 iova[i], lengths[i]);
		for (j = 0; j < i; j++)
			CHECK(iova[i] + lengths[i] <= iova[j] ||
			      iova[j] + lengths[j] <= iova[i]);
	}
	/* what the caller had in iova does not matter */
	iova[0] = 0x123456;
	OK(iofd_map(fd, ioas, memory, PAGE, &iova[0], IOFD_RW));
	CHECK(!(iova[0] & (PAGE - 1)));
}

static void map_no_room(void)
{
	uint64_t iova = 0, i;

	begin();
	/* the middle of each half taken: nothing of half the space is left */
	for (i = 0; i < 4; i++)
		OK(map((i << 62) + (1UL << 61), PAGE));
	MAP_REFUSED(iofd_map(fd, ioas, NULL, 1UL << 62, &iova, IOFD_RW), -ENOSPC);
	OK(iofd_map(fd, ioas, NULL, 1UL << 60, &iova, IOFD_RW));
}

static void map_many(void)
{
	uint64_t i;

	begin();
	for (i = 0; i < 20000; i++)
		OK(map(i * 3 * PAGE, PAGE));
	for (i = 0; i < 20000; i++)
		ERR(map(i * 3 * PAGE, PAGE), -EEXIST);
	for (i = 0; i < 20000; i += 2)
		OK(unmap(i * 3 * PAGE, PAGE));
	CHECK_EQ(empty(), 10000 * PAGE);
}

static void unmap_values(void)
{
	uint64_t length;

	begin();
	UNMAP_REFUSED(unmap(0x1000, PAGE), -ENOENT);
	UNMAP_REFUSED(unmap(PAGE, MAX), -EOVERFLOW);
	UNMAP_REFUSED(unmap(MAX, PAGE), -EOVERFLOW);
	UNMAP_REFUSED(unmap(MAX - 1, MAX), -EOVERFLOW);
	OK(iofd_unmap(fd, ioas, 0, MAX, &length));
	CHECK_EQ(length, 0);
	OK(map(0x1000, PAGE));
	UNMAP_REFUSED(unmap(0x1000, 0), -EINVAL);
	UNMAP_REFUSED(unmap(PAGE, MAX), -EOVERFLOW);
	OK(iofd_unmap(fd, ioas, 0x1000, PAGE, &length));
	CHECK_EQ(length, PAGE);
	UNMAP_REFUSED(unmap(0x1000, PAGE), -ENOENT);
}

static void unmap_cut(void)
{
	begin();
	OK(map(0x10000, 4 * PAGE));
	OK(map(0x20000, 4 * PAGE));
	UNMAP_REFUSED(unmap(0x10000, PAGE), -ENOENT);
	UNMAP_REFUSED(unmap(0x13000, PAGE), -ENOENT);
	UNMAP_REFUSED(unmap(0x11000, 2 * PAGE), -ENOENT);
	UNMAP_REFUSED(unmap(0xf000, 2 * PAGE), -ENOENT);
	UNMAP_REFUSED(unmap(0x13000, 2 * PAGE), -ENOENT);
	/* a whole one and a part: then neither */
	UNMAP_REFUSED(unmap(0x10000, 0x12000), -ENOENT);
	UNMAP_REFUSED(unmap(0x11000, 0x13000), -ENOENT);
	CHECK_EQ(empty(), 8 * PAGE);
}

static void unmap_several(void)
{
	uint64_t length;

	begin();
	OK(map(0x10000, PAGE));
	OK(map(0x20000, 2 * PAGE));
	OK(map(0x22000, 3 * PAGE));
	OK(map(0x90000, PAGE));
	OK(iofd_unmap(fd, ioas, 0x8000, 0x80000, &length));
	CHECK_EQ(length, 6 * PAGE);
	CHECK_EQ(empty(), PAGE);
}

static int map_file(int file, uint64_t start, uint64_t length, uint32_t flags)
{
	uint64_t iova = 0x100000;

	return iofd_map_file(fd, ioas, file, start, length, &iova, flags);
}

static void file_values(void)
{
	int file;

	begin();
	file = OK(mem_file(16 * PAGE, 0));
	OK(map_file(file, 0, 16 * PAGE, IOFD_FIXED_RW));
	REFUSED(fd, IOMMU_IOAS_MAP_FILE, map_file(file, 0, PAGE, IOFD_FIXED_RW), -EEXIST);
	CHECK_EQ(empty(), 16 * PAGE);
	OK(map_file(file, PAGE, PAGE, IOFD_RW));
	OK(map_file(file, 15 * PAGE, PAGE, IOMMU_IOAS_MAP_READABLE));
	/* the mapping does not need the descriptor */
	close(file);
	CHECK_EQ(empty(), 2 * PAGE);

	file = OK(mem_file(16 * PAGE, 0));
	REFUSED(fd, IOMMU_IOAS_MAP_FILE, map_file(file, 0, 0, IOFD_RW), -EINVAL);
	REFUSED(fd, IOMMU_IOAS_MAP_FILE, map_file(file, 0, PAGE, 0), -EINVAL);
	REFUSED(fd, IOMMU_IOAS_MAP_FILE, map_file(file, MAX - PAGE + 2, PAGE, IOFD_RW),
		-EOVERFLOW);
	REFUSED(fd, IOMMU_IOAS_MAP_FILE, map_file(-1, 0, PAGE, IOFD_RW), -EBADF);
	REFUSED(fd, IOMMU_IOAS_MAP_FILE, map_file(12345, 0, PAGE, IOFD_RW), -EBADF);
	CHECK_EQ(empty(), 0);
}

static void file_beyond(void)
{
	int file;

	begin();
	file = OK(mem_file(4 * PAGE, 0));
	REFUSED(fd, IOMMU_IOAS_MAP_FILE, map_file(file, 4 * PAGE, PAGE, IOFD_RW), -EINVAL);
	REFUSED(fd, IOMMU_IOAS_MAP_FILE, map_file(file, 3 * PAGE, 2 * PAGE, IOFD_RW), -EINVAL);
	REFUSED(fd, IOMMU_IOAS_MAP_FILE, map_file(file, 1UL << 62, PAGE, IOFD_RW), -EINVAL);
	CHECK_EQ(empty(), 0);
}

/* Refused one way or another, and explained. */
static void must_refuse_file(const char *what, int file)
{
	int rc = map_file(file, 0, PAGE, IOFD_RW);
	const char *wrong;

	if (rc >= 0)
		tap_fail(__FILE__, __LINE__, "%s was accepted", what);
	wrong = iofd_refused(fd, IOMMU_IOAS_MAP_FILE, rc, rc);
	if (wrong)
		tap_fail(__FILE__, __LINE__, "%s: %s", what, wrong);
	close(file);
}

static void file_kinds(void)
{
	int p[2];

	begin();
	must_refuse_file("/dev/null", open("/dev/null", O_RDWR));
	must_refuse_file("/dev/zero", open("/dev/zero", O_RDWR));
	must_refuse_file("a folder", open("/", O_RDONLY));
	must_refuse_file("a file of proc", open("/proc/self/stat", O_RDONLY));
	CHECK(!pipe(p));
	must_refuse_file("a pipe", p[0]);
	must_refuse_file("a socket", socket(AF_UNIX, SOCK_STREAM, 0));
	must_refuse_file("a path", open("/dev/null", O_PATH));
	must_refuse_file("/dev/iommu itself", open("/dev/iommu", O_RDWR));
	CHECK_EQ(empty(), 0);
}

/* Who may only read a file must not have a device write it. */
static void file_read_only(void)
{
	char path[64];
	int file, reader;

	begin();
	file = OK(mem_file(4 * PAGE, 0));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	reader = open(path, O_RDONLY);
	CHECK(reader >= 0);
	must_refuse_file("writing a file open for reading", reader);
	reader = open(path, O_RDONLY);
	OK(map_file(reader, 0, PAGE, IOMMU_IOAS_MAP_READABLE));
}

static void option_huge_pages(void)
{
	uint64_t value = 9;

	begin();
	OK(iofd_option_get(fd, IOMMU_OPTION_HUGE_PAGES, ioas, &value));
	CHECK_EQ(value, 1);
	OK(iofd_option_set(fd, IOMMU_OPTION_HUGE_PAGES, ioas, 0));
	OK(iofd_option_get(fd, IOMMU_OPTION_HUGE_PAGES, ioas, &value));
	CHECK_EQ(value, 0);
	OK(iofd_option_set(fd, IOMMU_OPTION_HUGE_PAGES, ioas, 0));
	OK(iofd_option_set(fd, IOMMU_OPTION_HUGE_PAGES, ioas, 1));
	REFUSED(fd, IOMMU_OPTION, iofd_option_set(fd, IOMMU_OPTION_HUGE_PAGES, ioas, 2), -EINVAL);
	REFUSED(fd, IOMMU_OPTION, iofd_option_set(fd, IOMMU_OPTION_HUGE_PAGES, ioas, MAX), -EINVAL);
	OK(iofd_option_get(fd, IOMMU_OPTION_HUGE_PAGES, ioas, &value));
	CHECK_EQ(value, 1);
}

static void option_huge_pages_unaligned(void)
{
	begin();
	OK(iofd_map_at(fd, ioas, memory + 512, 1024, 512));
	REFUSED(fd, IOMMU_OPTION, iofd_option_set(fd, IOMMU_OPTION_HUGE_PAGES, ioas, 0),
		-EADDRINUSE);
	CHECK_EQ(empty(), 1024);
	OK(iofd_option_set(fd, IOMMU_OPTION_HUGE_PAGES, ioas, 0));
	/* from now on only pages */
	MAP_REFUSED(iofd_map_at(fd, ioas, memory + 512, 1024, 512), -EINVAL);
	MAP_REFUSED(map(0, 1024), -EINVAL);
	OK(map(0, PAGE));
}

static void drop_capability(int cap)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2];

	CHECK(!syscall(SYS_capget, &h, d));
	d[cap / 32].effective &= ~(1U << cap % 32);
	CHECK(!syscall(SYS_capset, &h, d));
}

static void option_rlimit_mode(void)
{
	uint64_t value = 9;

	fd = OK(iofd_open());
	OK(iofd_option_get(fd, IOMMU_OPTION_RLIMIT_MODE, 0, &value));
	CHECK_EQ(value, 0);
	OK(iofd_option_set(fd, IOMMU_OPTION_RLIMIT_MODE, 0, 1));
	OK(iofd_option_get(fd, IOMMU_OPTION_RLIMIT_MODE, 0, &value));
	CHECK_EQ(value, 1);
	OK(iofd_option_set(fd, IOMMU_OPTION_RLIMIT_MODE, 0, 0));
	REFUSED(fd, IOMMU_OPTION, iofd_option_set(fd, IOMMU_OPTION_RLIMIT_MODE, 0, 2), -EINVAL);

	/* it belongs to the file, so an object is too much */
	OK(iofd_ioas(fd, &ioas));
	CHECK(iofd_option_set(fd, IOMMU_OPTION_RLIMIT_MODE, ioas, 1) < 0);
	REFUSED(fd, IOMMU_OPTION, iofd_option_set(fd, IOMMU_OPTION_RLIMIT_MODE, 0, 1), -EBUSY);
	OK(iofd_option_get(fd, IOMMU_OPTION_RLIMIT_MODE, 0, &value));
	CHECK_EQ(value, 0);
	OK(iofd_destroy(fd, ioas));
	OK(iofd_option_set(fd, IOMMU_OPTION_RLIMIT_MODE, 0, 1));
	OK(iofd_option_set(fd, IOMMU_OPTION_RLIMIT_MODE, 0, 0));

	drop_capability(CAP_SYS_RESOURCE);
	REFUSED(fd, IOMMU_OPTION, iofd_option_set(fd, IOMMU_OPTION_RLIMIT_MODE, 0, 1), -EPERM);
	OK(iofd_option_get(fd, IOMMU_OPTION_RLIMIT_MODE, 0, &value));
	CHECK_EQ(value, 0);
}

static void option_object(void)
{
	uint64_t value;

	begin();
	REFUSED(fd, IOMMU_OPTION,
		iofd_option_get(fd, IOMMU_OPTION_HUGE_PAGES, 0, &value), -ENOENT);
	REFUSED(fd, IOMMU_OPTION,
		iofd_option_set(fd, IOMMU_OPTION_HUGE_PAGES, ioas + 1000, 0), -ENOENT);
}

static const struct tap_test tests[] = {
	{ "IOAS_ALLOC and DESTROY", alloc_destroy },
	{ "an IOAS takes its mappings along", destroy_with_mappings },
	{ "IOVA_RANGES of an empty IOAS: everything, alignment 1", ranges_of_empty },
	{ "IOVA_RANGES: EMSGSIZE without room, and how much is needed", ranges_room },
	{ "ALLOW_IOVAS refuses nonsense", allow_bad },
	{ "ALLOW_IOVAS: the kernel chooses from the list", allow_guides },
	{ "ALLOW_IOVAS: a refused list leaves the old one", allow_keeps_old },
	{ "ALLOW_IOVAS: everything, and many ranges", allow_everything },
	{ "MAP: flags, length, overflow", map_values },
	{ "MAP: EEXIST for every kind of overlap", map_overlap },
	{ "MAP: single bytes, as long as there is no page table", map_bytes },
	{ "MAP of nothing is accepted as long as nobody needs it", map_no_memory },
	{ "MAP: a chosen address is aligned by the length", map_chosen },
	{ "MAP: ENOSPC", map_no_room },
	{ "MAP and UNMAP of 20000 pieces", map_many, 60 },
	{ "UNMAP: nothing there, length, overflow", unmap_values },
	{ "UNMAP that would cut a mapping: ENOENT, nothing changed", unmap_cut },
	{ "UNMAP of several mappings with gaps", unmap_several },
	{ "MAP_FILE: values", file_values },
	{ "MAP_FILE: a range beyond the end of the file", file_beyond },
	{ "MAP_FILE: other kinds of file are refused", file_kinds },
	{ "MAP_FILE: read-only files stay read-only", file_read_only },
	{ "OPTION HUGE_PAGES", option_huge_pages },
	{ "OPTION HUGE_PAGES and unaligned mappings", option_huge_pages_unaligned },
	{ "OPTION RLIMIT_MODE", option_rlimit_mode },
	{ "OPTION of no object", option_object },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

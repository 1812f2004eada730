// SPDX-License-Identifier: GPL-2.0
/*
 * In-kernel accesses of an IOAS: pinning, reading and writing, across areas, and
 * what becomes of them when something is unmapped or moved.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mem.h"
#include "mock.h"

#define PAGE 4096UL
#define TEST(call, want) REFUSED(s.fd, IOMMU_TEST_CMD, call, want)
#define PINS MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES
#define WRITE MOCK_FLAGS_ACCESS_WRITE

static struct space s;
static struct mockdev m;
static char *mem;
#define MEM (64 * PAGE)

/* An IOAS with memory at APERTURE, with and without a page table. */
static void begin(int device)
{
	mock_open(&s);
	mem = mem_anon(MEM);
	CHECK(mem);
	if (device)
		OK(mock_device(s.fd, s.ioas, 0, &m));
	OK(space_map(&s, mem, MEM, APERTURE));
}

static void create(void)
{
	int acc, i;

	begin(0);
	TEST(mock_access(s.fd, s.ioas, 2), -EOPNOTSUPP);
	TEST(mock_access(s.fd, 77, 0), -ENOENT);
	OK(mock_device(s.fd, s.ioas, 0, &m));
	TEST(mock_access(s.fd, m.hwpt, 0), -ENOENT);
	CHECK_EQ(iofd_objects(s.fd, "access"), 0);
	OK(iofd_destroy(s.fd, m.stdev));
	acc = OK(mock_access(s.fd, s.ioas, 0));
	CHECK_EQ(iofd_objects(s.fd, "access"), 1);
	REFUSED(s.fd, IOMMU_DESTROY, iofd_destroy(s.fd, s.ioas), -EBUSY);
	/* nor can the access itself be destroyed by its id, whatever it is */
	for (i = 1; i < 16; i++)
		CHECK(iofd_destroy(s.fd, i) < 0);
	CHECK_EQ(iofd_objects(s.fd, "access"), 1);
	close(acc);
	CHECK_EQ(iofd_objects(s.fd, "access"), 0);
	OK(iofd_destroy(s.fd, s.ioas));
}

/* The access keeps the file, not the descriptor. */
static void outlives_descriptor(void)
{
	char data[16] = { 0 };
	uint32_t item;
	int acc, fd;

	begin(0);
	acc = OK(mock_access(s.fd, s.ioas, PINS));
	OK(mock_pin(s.fd, acc, APERTURE, PAGE, mem, 0, &item));
	close(s.fd);
	fd = OK(iofd_open());
	OK(mock_check_refs(fd, mem, PAGE, 1));
	mem[5] = 17;
	OK(mock_rw(fd, acc, APERTURE, data, 16, 0));
	CHECK_EQ(data[5], 17);
	close(acc);
	OK(mock_check_refs(fd, mem, PAGE, 0));
	CHECK_EQ(mem_status(0, "VmPin"), 0);
}

static void pin_and_unpin(int device)
{
	uint32_t item[4], id;
	int acc, i;

	begin(device);
	acc = OK(mock_access(s.fd, s.ioas, PINS));
	for (i = 0; i < 4; i++)
		OK(mock_pin(s.fd, acc, APERTURE + i * PAGE, 2 * PAGE, mem + i * PAGE,
			    i % 2 ? WRITE : 0, &item[i]));
	/* pinned once, whoever wants it */
	OK(mock_check_refs(s.fd, mem, 5 * PAGE, 1));
	CHECK_EQ(mem_status(0, "VmPin"), device ? MEM : 5 * PAGE);
	OK(mock_unpin(s.fd, acc, item[1]));
	OK(mock_check_refs(s.fd, mem, 5 * PAGE, 1));
	OK(mock_unpin(s.fd, acc, item[0]));
	OK(mock_check_refs(s.fd, mem, 2 * PAGE, device));
	OK(mock_check_refs(s.fd, mem + 2 * PAGE, 3 * PAGE, 1));
	TEST(mock_unpin(s.fd, acc, item[0]), -ENOENT);
	TEST(mock_unpin(s.fd, acc, 0), -ENOENT);
	TEST(mock_unpin(s.fd, s.fd, item[2]), -EBADFD);
	TEST(mock_unpin(s.fd, -1, item[2]), -EBADFD);
	OK(mock_unpin(s.fd, acc, item[3]));
	OK(mock_unpin(s.fd, acc, item[2]));
	OK(mock_check_refs(s.fd, mem, MEM, device));
	/* any part of a page is the page; the same twice is two items */
	OK(mock_pin(s.fd, acc, APERTURE + 100, PAGE, mem, WRITE, &item[0]));
	OK(mock_pin(s.fd, acc, APERTURE + 100, PAGE, mem + 100, WRITE, &item[1]));
	CHECK(item[0] != item[1]);
	CHECK_EQ(mem_status(0, "VmPin"), device ? MEM : 2 * PAGE);
	OK(mock_unpin(s.fd, acc, item[0]));
	CHECK_EQ(mem_status(0, "VmPin"), device ? MEM : 2 * PAGE);
	OK(mock_unpin(s.fd, acc, item[1]));
	CHECK_EQ(mem_status(0, "VmPin"), device ? MEM : 0);
	/* what is left goes with the access */
	OK(mock_pin(s.fd, acc, APERTURE, MEM, NULL, 0, &id));
	OK(mock_check_refs(s.fd, mem, MEM, 1));
	close(acc);
	OK(mock_check_refs(s.fd, mem, MEM, device));
}

static void pin_bare(void)
{
	pin_and_unpin(0);
}

static void pin_with_table(void)
{
	pin_and_unpin(1);
}

static void pin_refused(void)
{
	char *rd = mem_anon(2 * PAGE), *other = mem_anon(PAGE);
	uint64_t at = APERTURE + 2 * MEM;
	uint32_t item;
	int acc, plain;

	begin(0);
	OK(iofd_map(s.fd, s.ioas, rd, 2 * PAGE, &at, IOFD_FIXED_R));
	acc = OK(mock_access(s.fd, s.ioas, PINS));
	plain = OK(mock_access(s.fd, s.ioas, 0));
	TEST(mock_pin(s.fd, plain, APERTURE, PAGE, mem, 0, &item), -EOPNOTSUPP);
	TEST(mock_pin(s.fd, s.fd, APERTURE, PAGE, mem, 0, &item), -EBADFD);
	TEST(mock_pin(s.fd, acc, APERTURE, PAGE, mem, 2, &item), -EOPNOTSUPP);
	TEST(mock_pin(s.fd, acc, APERTURE, 0, mem, 0, &item), -EINVAL);
	TEST(mock_pin(s.fd, acc, -PAGE, PAGE + 1, mem, 0, &item), -EOVERFLOW);
	TEST(mock_pin(s.fd, acc, APERTURE, 16 * MIB + 1, mem, 0, &item), -ENOMEM);
	TEST(mock_pin(s.fd, acc, APERTURE, UINT64_MAX, mem, 0, &item), -ENOMEM);
	TEST(mock_pin(s.fd, acc, APERTURE - 1, PAGE, mem, 0, &item), -ENOENT);
	TEST(mock_pin(s.fd, acc, APERTURE, MEM + 1, mem, 0, &item), -ENOENT);
	TEST(mock_pin(s.fd, acc, APERTURE, PAGE, other, 0, &item), -EBADE);
	TEST(mock_pin(s.fd, acc, APERTURE, PAGE, (void *)PAGE, 0, &item), -EFAULT);
	OK(mock_pin(s.fd, acc, at, PAGE, rd, 0, &item));
	OK(mock_unpin(s.fd, acc, item));
	TEST(mock_pin(s.fd, acc, at, PAGE, rd, WRITE, &item), -EPERM);
	munmap(rd + PAGE, PAGE);
	TEST(mock_pin(s.fd, acc, at, 2 * PAGE, NULL, 0, &item), -EFAULT);
	CHECK_EQ(mem_status(0, "VmPin"), 0);
	OK(mock_check_refs(s.fd, rd, PAGE, 0));
	OK(mock_check_refs(s.fd, mem, MEM, 0));
}

/* The kernel's copy of what several areas show, against the memory itself. */
static void read_and_write(void)
{
	uint64_t step = 3 * PAGE + GRANULE, i;
	char *data = mem_anon(MEM), *other = mem_anon(MEM);
	static const uint32_t how[] = { 0, MOCK_ACCESS_RW_SLOW_PATH };
	unsigned int h;
	int acc;

	mock_open(&s);
	mem = mem_anon(2 * MEM);
	acc = OK(mock_access(s.fd, s.ioas, 0));
	/* areas side by side, of any size, in another order than the memory */
	for (i = 0; i < 8; i++)
		OK(space_map(&s, mem + (7 - i) * step, step, APERTURE + i * step));
	for (h = 0; h < 2; h++) {
		mem_fill(mem, MEM, 7 + h);
		OK(mock_rw(s.fd, acc, APERTURE, data, 8 * step, how[h]));
		for (i = 0; i < 8; i++)
			CHECK(!memcmp(data + i * step, mem + (7 - i) * step, step));
		mem_fill(data, 8 * step, 99 + h);
		OK(mock_rw(s.fd, acc, APERTURE, data, 8 * step,
			   how[h] | MOCK_ACCESS_RW_WRITE));
		for (i = 0; i < 8; i++)
			CHECK(!memcmp(data + i * step, mem + (7 - i) * step, step));
		/* odd places, over the seam */
		memset(other, 0, MEM);
		OK(mock_rw(s.fd, acc, APERTURE + step - 1001, other, 2003, how[h]));
		CHECK(!memcmp(other, data + step - 1001, 2003));
		OK(mock_rw(s.fd, acc, APERTURE + 8 * step - 1, other, 1, how[h]));
		CHECK_EQ(other[0], data[8 * step - 1]);
	}
	CHECK_EQ(mem_status(0, "VmPin"), 0);
	OK(mock_check_refs(s.fd, mem, MEM, 0));
}

/* Frames that follow each other, then some that do not, in one call. */
static void rw_contiguous_in_part(void)
{
	const size_t large = 2 * MIB, around = 8 * PAGE;
	char *data = mem_anon(2 * around);
	int acc, device;
	uint64_t at;

	mem = mem_thp(2 * large);
	CHECK(mem && !munmap(mem + large, large));
	CHECK(mmap(mem + large, large, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == mem + large);
	madvise(mem + large, large, MADV_NOHUGEPAGE);
	mem_fill(mem, 2 * large, 21);
	if (!mem_is_thp(mem, large))
		tap_skip("no transparent huge page to be had");
	/* pinned for the call, then for a device */
	for (device = 0; device < 2; device++) {
		mock_open(&s);
		acc = OK(mock_access(s.fd, s.ioas, 0));
		if (device)
			OK(mock_device(s.fd, s.ioas, 0, &m));
		OK(space_map(&s, mem, 2 * large, APERTURE));
		at = large - around;
		OK(mock_rw(s.fd, acc, APERTURE + at, data, 2 * around, 0));
		CHECK(!memcmp(data, mem + at, 2 * around));
		OK(mock_rw(s.fd, acc, APERTURE + PAGE - 9, data, around, 0));
		CHECK(!memcmp(data, mem + PAGE - 9, around));
		mem_fill(data, 2 * around, 22 + device);
		OK(mock_rw(s.fd, acc, APERTURE + at, data, 2 * around,
			   MOCK_ACCESS_RW_WRITE));
		CHECK(mem_holds(mem + at, 2 * around, 22 + device));
		close(acc);
		close(s.fd);
	}
}

static void rw_refused(void)
{
	uint64_t at = APERTURE + 2 * MEM;
	char *rd = mem_anon(PAGE), data[32];
	int acc;

	begin(1);
	acc = OK(mock_access(s.fd, s.ioas, 0));
	OK(iofd_map(s.fd, s.ioas, rd, PAGE, &at, IOFD_FIXED_R));
	TEST(mock_rw(s.fd, acc, APERTURE, data, 16, 2), -EOPNOTSUPP);
	TEST(mock_rw(s.fd, acc, APERTURE, data, 16, 0x80000000), -EOPNOTSUPP);
	TEST(mock_rw(s.fd, m.idev, APERTURE, data, 16, 0), -EBADFD);
	TEST(mock_rw(s.fd, acc, APERTURE, data, 0, 0), -EINVAL);
	TEST(mock_rw(s.fd, acc, APERTURE, data, 16 * MIB + 1, 0), -ENOMEM);
	TEST(mock_rw(s.fd, acc, UINT64_MAX, data, 2, 0), -EOVERFLOW);
	TEST(mock_rw(s.fd, acc, APERTURE - 1, data, 2, 0), -ENOENT);
	TEST(mock_rw(s.fd, acc, APERTURE + MEM - 1, data, 2, 0), -ENOENT);
	TEST(mock_rw(s.fd, acc, APERTURE, NULL, 16, 0), -EFAULT);
	TEST(mock_rw(s.fd, acc, APERTURE, NULL, 16, MOCK_ACCESS_RW_WRITE), -EFAULT);
	OK(mock_rw(s.fd, acc, at, data, 16, 0));
	TEST(mock_rw(s.fd, acc, at, data, 16, MOCK_ACCESS_RW_WRITE), -EPERM);
	TEST(mock_rw(s.fd, acc, at, data, 16,
		     MOCK_ACCESS_RW_WRITE | MOCK_ACCESS_RW_SLOW_PATH), -EPERM);
}

/* Pages of an access are whole ones: nothing may be mapped that has halves. */
static void alignment(void)
{
	uint64_t align;
	uint32_t count = 0, item;
	int acc;

	mock_open(&s);
	mem = mem_anon(MEM);
	acc = OK(mock_access(s.fd, s.ioas, 0));
	OK(space_map(&s, mem + 1, 77, 5));
	TEST(mock_access(s.fd, s.ioas, PINS), -EADDRINUSE);
	OK(space_unmap(&s, 5, 77));
	close(acc);
	acc = OK(mock_access(s.fd, s.ioas, PINS));
	ERR(iofd_ranges(s.fd, s.ioas, NULL, &count, &align), -EMSGSIZE);
	CHECK_EQ(align, PAGE);
	REFUSED(s.fd, IOMMU_IOAS_MAP, space_map(&s, mem + GRANULE, PAGE, APERTURE), -EINVAL);
	REFUSED(s.fd, IOMMU_IOAS_MAP, space_map(&s, mem, GRANULE, APERTURE), -EINVAL);
	OK(space_map(&s, mem, 4 * PAGE, APERTURE));
	OK(space_map(&s, mem + 8 * PAGE, 4 * PAGE, APERTURE + 4 * PAGE));
	/* over the seam, the pages are those of both */
	OK(mock_pin(s.fd, acc, APERTURE + 2 * PAGE, 4 * PAGE, NULL, WRITE, &item));
	OK(mock_check_refs(s.fd, mem, 2 * PAGE, 0));
	OK(mock_check_refs(s.fd, mem + 2 * PAGE, 2 * PAGE, 1));
	OK(mock_check_refs(s.fd, mem + 8 * PAGE, 2 * PAGE, 1));
	OK(mock_check_refs(s.fd, mem + 10 * PAGE, 2 * PAGE, 0));
	OK(mock_unpin(s.fd, acc, item));
	CHECK_EQ(mem_status(0, "VmPin"), 0);
	close(acc);
	count = 0;
	ERR(iofd_ranges(s.fd, s.ioas, NULL, &count, &align), -EMSGSIZE);
	CHECK_EQ(align, 1);
}

/* UNMAP asks the access to let go, and what it held elsewhere stays. */
static void unmap_drops(void)
{
	uint32_t item[3];
	int acc[2], i;

	begin(0);
	OK(space_map(&s, mem, PAGE, APERTURE + MEM));
	for (i = 0; i < 2; i++)
		acc[i] = OK(mock_access(s.fd, s.ioas, PINS));
	OK(mock_pin(s.fd, acc[0], APERTURE + PAGE, 3 * PAGE, NULL, 0, &item[0]));
	OK(mock_pin(s.fd, acc[0], APERTURE + MEM, PAGE, NULL, WRITE, &item[1]));
	OK(mock_pin(s.fd, acc[1], APERTURE + MEM - PAGE, 2 * PAGE, NULL, 0, &item[2]));
	OK(space_unmap(&s, APERTURE, MEM));
	OK(mock_check_refs(s.fd, mem + PAGE, MEM - PAGE, 0));
	OK(mock_check_refs(s.fd, mem, PAGE, 1));
	TEST(mock_unpin(s.fd, acc[0], item[0]), -ENOENT);
	TEST(mock_unpin(s.fd, acc[1], item[2]), -ENOENT);
	OK(mock_unpin(s.fd, acc[0], item[1]));
	CHECK_EQ(mem_status(0, "VmPin"), 0);
	OK(space_unmap(&s, APERTURE + MEM, PAGE));
}

static void move(void)
{
	char *mem2 = mem_anon(PAGE), data[16] = { 0 };
	uint32_t ioas, item;
	int acc;

	begin(0);
	OK(iofd_ioas(s.fd, &ioas));
	OK(iofd_map_at(s.fd, ioas, mem2, PAGE, APERTURE));
	mem[0] = 1;
	mem2[0] = 2;
	acc = OK(mock_access(s.fd, s.ioas, PINS));
	OK(mock_pin(s.fd, acc, APERTURE, 2 * PAGE, mem, 0, &item));
	OK(mock_rw(s.fd, acc, APERTURE, data, 16, 0));
	CHECK_EQ(data[0], 1);
	TEST(mock_access_replace(s.fd, acc, 99), -ENOENT);
	TEST(mock_access_replace(s.fd, acc, 0), -ENOENT);
	TEST(mock_access_replace(s.fd, s.fd, ioas), -EBADFD);
	OK(mock_check_refs(s.fd, mem, PAGE, 1));
	/* to where it is changes nothing */
	OK(mock_access_replace(s.fd, acc, s.ioas));
	OK(mock_check_refs(s.fd, mem, 2 * PAGE, 1));
	OK(mock_access_replace(s.fd, acc, ioas));
	OK(mock_check_refs(s.fd, mem, 2 * PAGE, 0));
	TEST(mock_unpin(s.fd, acc, item), -ENOENT);
	OK(mock_rw(s.fd, acc, APERTURE, data, 16, 0));
	CHECK_EQ(data[0], 2);
	TEST(mock_pin(s.fd, acc, APERTURE, 2 * PAGE, NULL, 0, &item), -ENOENT);
	OK(mock_pin(s.fd, acc, APERTURE, PAGE, mem2, 0, &item));
	OK(iofd_destroy(s.fd, s.ioas));
	REFUSED(s.fd, IOMMU_DESTROY, iofd_destroy(s.fd, ioas), -EBUSY);
	/* not where something has halves */
	OK(iofd_ioas(s.fd, &s.ioas));
	OK(space_map(&s, mem, GRANULE, APERTURE));
	TEST(mock_access_replace(s.fd, acc, s.ioas), -EADDRINUSE);
	OK(mock_check_refs(s.fd, mem2, PAGE, 1));
}

/* The second user shares what the first has pinned, page table or access. */
static void table_and_access(void)
{
	uint32_t item, hwpt;
	int acc;

	begin(0);
	acc = OK(mock_access(s.fd, s.ioas, PINS));
	OK(mock_pin(s.fd, acc, APERTURE + 3 * PAGE, 5 * PAGE, mem + 3 * PAGE, 0, &item));
	OK(mock_device(s.fd, s.ioas, 0, &m));
	OK(mock_check_refs(s.fd, mem, MEM, 1));
	OK(mock_check_map(s.fd, m.hwpt, APERTURE, mem, MEM));
	OK(iofd_hwpt(s.fd, m.idev, s.ioas, 0, &hwpt));
	OK(mock_check_map(s.fd, hwpt, APERTURE, mem, MEM));
	OK(iofd_destroy(s.fd, m.stdev));
	OK(iofd_destroy(s.fd, hwpt));
	OK(mock_check_refs(s.fd, mem, 3 * PAGE, 0));
	OK(mock_check_refs(s.fd, mem + 3 * PAGE, 5 * PAGE, 1));
	CHECK_EQ(mem_status(0, "VmPin"), 5 * PAGE);
	/* memory that went away behind the pin is what the access sees */
	CHECK(!madvise(mem + 3 * PAGE, PAGE, MADV_DONTNEED));
	mem[3 * PAGE] = 1;
	TEST(mock_pin(s.fd, acc, APERTURE + 3 * PAGE, PAGE, mem + 3 * PAGE, 0, &hwpt),
	     -EBADE);
	OK(mock_unpin(s.fd, acc, item));
	OK(mock_pin(s.fd, acc, APERTURE + 3 * PAGE, PAGE, mem + 3 * PAGE, 0, &item));
}

static void syz_picks_areas(void)
{
	char data[4], *va = mem_anon(3 * PAGE);
	uint32_t item, flags = MOCK_FLAGS_ACCESS_SYZ;
	int acc, i;

	begin(0);
	OK(space_unmap(&s, APERTURE, MEM));
	acc = OK(mock_access(s.fd, s.ioas, PINS));
	for (i = 0; i < 3; i++) {
		va[i * PAGE + 9] = 10 + i;
		OK(space_map(&s, va + i * PAGE, PAGE, APERTURE + 3 * i * PAGE));
	}
	for (i = 0; i < 3; i++) {
		OK(mock_rw(s.fd, acc, (uint64_t)i << 32 | 9, data, 1, flags));
		CHECK_EQ(data[0], 10 + i);
		OK(mock_pin(s.fd, acc, (uint64_t)i << 32, PAGE, va + i * PAGE, flags, &item));
	}
	TEST(mock_rw(s.fd, acc, 3ULL << 32, data, 1, flags), -ENOENT);
	/* in MAP the second area's end is where the next can be */
	{
		uint64_t at = 1ULL << 32 | PAGE;

		OK(iofd_map(s.fd, s.ioas, va, PAGE, &at, IOFD_FIXED_RW | flags));
		CHECK_EQ(at, APERTURE + 4 * PAGE);
	}
}

/* Pins against unmaps: nobody waits for ever, nothing stays pinned. */
static volatile int stop;
static int shared_acc;

static void *pinner(void *arg)
{
	uint32_t item;
	int rc;

	while (!stop) {
		rc = mock_pin(s.fd, shared_acc, APERTURE, MEM, NULL, WRITE, &item);
		if (rc && rc != -ENOENT)
			return (void *)(long)rc;
		if (!rc && (rc = mock_unpin(s.fd, shared_acc, item)) && rc != -ENOENT)
			return (void *)(long)rc;
	}
	return NULL;
}

static void *replacer(void *arg)
{
	uint32_t *ioas = arg;
	int rc, i;

	for (i = 0; !stop; i++) {
		rc = mock_access_replace(s.fd, shared_acc, ioas[i % 2]);
		if (rc)
			return (void *)(long)rc;
	}
	return NULL;
}

static void race(void)
{
	pthread_t threads[3];
	uint32_t ioas[2];
	void *result;
	int i;

	begin(0);
	ioas[0] = s.ioas;
	OK(iofd_ioas(s.fd, &ioas[1]));
	OK(iofd_map_at(s.fd, ioas[1], mem, MEM, APERTURE));
	shared_acc = OK(mock_access(s.fd, s.ioas, PINS));
	CHECK(!pthread_create(&threads[0], NULL, pinner, NULL));
	CHECK(!pthread_create(&threads[1], NULL, pinner, NULL));
	CHECK(!pthread_create(&threads[2], NULL, replacer, ioas));
	for (i = 0; i < 1500; i++) {
		OK(space_unmap(&s, APERTURE, MEM));
		OK(space_map(&s, mem, MEM, APERTURE));
	}
	stop = 1;
	for (i = 0; i < 3; i++) {
		CHECK(!pthread_join(threads[i], &result));
		CHECK_EQ((long)result, 0);
	}
	close(shared_acc);
	OK(mock_check_refs(s.fd, mem, MEM, 0));
	CHECK_EQ(mem_status(0, "VmPin"), 0);
}

static const struct tap_test tests[] = {
	{ "CREATE_ACCESS, and its end", create },
	{ "an access outlives the descriptor of its IOAS", outlives_descriptor },
	{ "pin and unpin, nothing else pins", pin_bare },
	{ "pin and unpin beside a page table", pin_with_table },
	{ "ACCESS_PAGES refused", pin_refused },
	{ "ACCESS_RW across areas, at any byte", read_and_write },
	{ "ACCESS_RW of memory that is contiguous in part", rw_contiguous_in_part },
	{ "ACCESS_RW refused", rw_refused },
	{ "an access that pins wants whole pages", alignment },
	{ "UNMAP makes an access let go of that range", unmap_drops },
	{ "ACCESS_REPLACE_IOAS", move },
	{ "page tables and accesses share pins", table_and_access },
	{ "the fuzzers' flag picks areas", syz_picks_areas },
	{ "pins against unmaps and moves", race, 60 },
};

int main(int argc, char **argv)
{
	return MOCK_RUN(argc, argv, tests);
}

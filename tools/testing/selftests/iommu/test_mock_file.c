// SPDX-License-Identifier: GPL-2.0
/*
 * Memory files mapped in pieces. The pages of a large page are pinned together,
 * once, from the first piece to the last, whatever comes and goes in between.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/memfd.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "mem.h"
#include "mock.h"

#define PAGE 4096UL
#define LARGE (2 * MIB)

/* Two IOASes with a table each, and one without in which all of a file is. */
static struct space s;
static struct mockdev m, n;
static uint32_t ioas2, whole;
static long long pinned;

static void begin(int file, uint64_t size)
{
	uint64_t iova = 0;

	mock_open(&s);
	OK(iofd_ioas(s.fd, &ioas2));
	OK(iofd_ioas(s.fd, &whole));
	OK(mock_device(s.fd, s.ioas, 0, &m));
	OK(mock_device(s.fd, ioas2, 0, &n));
	OK(iofd_map_file(s.fd, whole, file, 0, size, &iova, IOFD_FIXED_RW));
	pinned = mem_pinned_pages();
}

/* A file of large pages; so many more are left in the pool. */
static int large_file(unsigned int large_pages, unsigned int more)
{
	if (mem_want_hugetlb(large_pages + more) < large_pages + more)
		tap_skip("no hugetlb pages to be had");
	return OK(mem_file(large_pages * LARGE, 1));
}

static int map_piece(uint32_t ioas, uint64_t offset, uint64_t length)
{
	struct iommu_ioas_copy c = {
		.size = sizeof(c),
		.flags = IOFD_FIXED_RW,
		.dst_ioas_id = ioas,
		.src_ioas_id = whole,
		.length = length,
		.dst_iova = APERTURE + offset,
		.src_iova = offset,
	};

	return iofd_ioctl(s.fd, IOMMU_IOAS_COPY, &c);
}

static int unmap_piece(uint32_t ioas, uint64_t offset, uint64_t length)
{
	return iofd_unmap(s.fd, ioas, APERTURE + offset, length, NULL);
}

/* The large pages that are pinned now. */
#define PINNED(count) CHECK_EQ(mem_pinned_pages() - pinned, count)

static void middle_goes_first(void)
{
	begin(large_file(1, 0), LARGE);
	OK(map_piece(s.ioas, 0, LARGE));
	PINNED(1);
	OK(map_piece(ioas2, 0, LARGE / 4));
	OK(map_piece(ioas2, LARGE / 2, PAGE));
	OK(unmap_piece(s.ioas, 0, LARGE));
	PINNED(1);
	OK(unmap_piece(ioas2, 0, LARGE / 4));
	PINNED(1);
	OK(unmap_piece(ioas2, LARGE / 2, PAGE));
	PINNED(0);
}

static void pieces_come_one_by_one(void)
{
	begin(large_file(1, 0), LARGE);
	OK(map_piece(ioas2, 0, PAGE));
	OK(map_piece(ioas2, LARGE / 2, PAGE));
	OK(map_piece(ioas2, LARGE - PAGE, PAGE));
	PINNED(1);
	/* and are joined */
	OK(map_piece(s.ioas, 0, LARGE));
	PINNED(1);
	OK(unmap_piece(ioas2, LARGE / 2, PAGE));
	OK(unmap_piece(ioas2, 0, PAGE));
	OK(unmap_piece(s.ioas, 0, LARGE));
	PINNED(1);
	OK(unmap_piece(ioas2, LARGE - PAGE, PAGE));
	PINNED(0);
}

/* The middle of a page is another one: the file got it while it was unmapped. */
static void replaced_between(void)
{
	int file = large_file(1, 1);

	begin(file, LARGE);
	OK(map_piece(ioas2, 0, PAGE));
	OK(map_piece(ioas2, LARGE - PAGE, PAGE));
	PINNED(1);
	CHECK(!fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, LARGE));
	OK(map_piece(s.ioas, 0, LARGE));
	PINNED(2);
	OK(unmap_piece(ioas2, 0, PAGE));
	OK(unmap_piece(ioas2, LARGE - PAGE, PAGE));
	PINNED(2);
	OK(unmap_piece(s.ioas, 0, LARGE));
	PINNED(0);
}

/*
 * Holes of a file of large pages are filled without touching what others have
 * reserved, and the counts are right again when the file is gone.
 */
static void holes_of_large_pages(void)
{
	long long reserved, total, free;
	int file;

	/* none of them touched, and no process has the file mapped */
	if (mem_want_hugetlb(3) < 3)
		tap_skip("no hugetlb pages to be had");
	reserved = mem_meminfo("HugePages_Rsvd");
	total = mem_meminfo("HugePages_Total");
	free = mem_meminfo("HugePages_Free");
	file = OK((int)syscall(SYS_memfd_create, "holes",
			       MFD_CLOEXEC | MFD_HUGETLB | MFD_HUGE_2MB));
	CHECK(!ftruncate(file, 3 * LARGE));
	begin(file, 3 * LARGE);
	OK(map_piece(s.ioas, 0, 3 * LARGE));
	PINNED(3);
	CHECK_EQ(mem_meminfo("HugePages_Rsvd"), reserved);
	CHECK_EQ(mem_meminfo("HugePages_Free"), free - 3);
	OK(unmap_piece(s.ioas, 0, 3 * LARGE));
	CHECK(!fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, LARGE, LARGE));
	OK(map_piece(s.ioas, 0, 3 * LARGE));
	OK(unmap_piece(s.ioas, 0, 3 * LARGE));
	CHECK_EQ(mem_meminfo("HugePages_Rsvd"), reserved);
	close(s.fd);
	close(file);
	CHECK_EQ(mem_meminfo("HugePages_Rsvd"), reserved);
	CHECK_EQ(mem_meminfo("HugePages_Total"), total);
	CHECK_EQ(mem_meminfo("HugePages_Free"), free);
}

/* Any pieces of a few large pages, in any order, one per slot of either IOAS. */
static void any_order(void)
{
	enum { PAGES = 3, SLOTS = 8 };
	struct { uint64_t first, last; int there; } slot[SLOTS] = { 0 };
	unsigned int i, k, page, want;

	begin(large_file(PAGES, 0), PAGES * LARGE);
	srand(1);
	for (i = 0; i < 600; i++) {
		uint32_t ioas;

		k = rand() % SLOTS;
		ioas = k % 2 ? ioas2 : s.ioas;
		if (slot[k].there) {
			OK(unmap_piece(ioas, slot[k].first * PAGE,
				       (slot[k].last - slot[k].first + 1) * PAGE));
			slot[k].there = 0;
		} else {
			slot[k].first = rand() % (PAGES * 512);
			slot[k].last = slot[k].first + rand() % (rand() % 1024 + 1);
			if (slot[k].last >= PAGES * 512)
				slot[k].last = PAGES * 512 - 1;
			/* two of one IOAS may want the same addresses */
			if (map_piece(ioas, slot[k].first * PAGE,
				      (slot[k].last - slot[k].first + 1) * PAGE) == 0)
				slot[k].there = 1;
		}
		want = 0;
		for (page = 0; page < PAGES; page++)
			for (k = 0; k < SLOTS; k++)
				if (slot[k].there && slot[k].first / 512 <= page &&
				    page <= slot[k].last / 512) {
					want++;
					break;
				}
		if (mem_pinned_pages() - pinned != want)
			tap_fail(__FILE__, __LINE__, "step %u: %lld large pages pinned, want %u",
				 i, mem_pinned_pages() - pinned, want);
	}
	OK(iofd_unmap(s.fd, s.ioas, 0, UINT64_MAX, NULL));
	OK(iofd_unmap(s.fd, ioas2, 0, UINT64_MAX, NULL));
	PINNED(0);
}

/* The last page of a file need not be a whole one, if the IOMMU can map less. */
static void part_of_a_page(void)
{
	int file = OK(mem_file(PAGE + GRANULE, 0));
	uint64_t iova = APERTURE;
	char *va;

	begin(file, PAGE + GRANULE);
	va = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	CHECK(va != MAP_FAILED);
	OK(iofd_map_file(s.fd, s.ioas, file, 0, PAGE + GRANULE, &iova, IOFD_FIXED_RW));
	OK(mock_check_map(s.fd, m.hwpt, iova, va, PAGE + GRANULE));
	PINNED(2);
	/* what is behind the file's end when it is pinned cannot be */
	CHECK(!ftruncate(file, PAGE));
	REFUSED(s.fd, IOMMU_IOAS_COPY, map_piece(ioas2, 0, PAGE + GRANULE), -EFAULT);
	PINNED(2);
}

/* EINVAL would tell the user to try another table. */
static void cut_before_attach(void)
{
	int file = OK(mem_file(4 * PAGE, 0));
	struct mockdev late;
	uint64_t iova = APERTURE;
	uint32_t ioas;

	begin(file, PAGE);
	OK(iofd_ioas(s.fd, &ioas));
	OK(iofd_map_file(s.fd, ioas, file, PAGE, 3 * PAGE, &iova, IOFD_FIXED_RW));
	CHECK(!ftruncate(file, PAGE));
	REFUSED(s.fd, IOMMU_TEST_CMD, mock_device(s.fd, ioas, 0, &late), -EFAULT);
	CHECK(!ftruncate(file, 4 * PAGE));
	OK(mock_device(s.fd, ioas, 0, &late));
	PINNED(3);
}

static pthread_barrier_t both;
static int sealed;

static void *seal(void *file)
{
	pthread_barrier_wait(&both);
	sealed = !fcntl((long)file, F_ADD_SEALS, F_SEAL_WRITE);
	return NULL;
}

/* Nothing can write to a file from the moment it is sealed, devices included. */
static void sealed_meanwhile(void)
{
	int i, mapped, nr_sealed = 0, nr_mapped = 0;
	time_t end = time(NULL) + 15;
	uint64_t iova = APERTURE;
	pthread_t thread;
	int file;

	begin(OK(mem_file(PAGE, 0)), PAGE);
	CHECK(!pthread_barrier_init(&both, NULL, 2));
	/* Whoever seals what is mapped already waits 0.2 s in vain. */
	for (i = 0; i < 1500 && time(NULL) < end; i++) {
		file = syscall(SYS_memfd_create, "sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		CHECK(file >= 0 && !ftruncate(file, PAGE));
		CHECK(!pthread_create(&thread, NULL, seal, (void *)(long)file));
		pthread_barrier_wait(&both);
		mapped = !iofd_map_file(s.fd, s.ioas, file, 0, PAGE, &iova, IOFD_FIXED_RW);
		CHECK(!pthread_join(thread, NULL));
		if (mapped && sealed)
			tap_fail(__FILE__, __LINE__, "file %d is sealed and can be written to", i);
		nr_mapped += mapped;
		nr_sealed += sealed;
		if (mapped)
			OK(iofd_unmap(s.fd, s.ioas, iova, PAGE, NULL));
		close(file);
	}
	tap_note("%d were mapped first, %d sealed", nr_mapped, nr_sealed);
}

static const struct tap_test tests[] = {
	{ "the middle of a large page goes first", middle_goes_first },
	{ "pieces of a large page come one by one and are joined", pieces_come_one_by_one },
	{ "a large page that the file has replaced meanwhile", replaced_between },
	{ "holes of a file of large pages", holes_of_large_pages },
	{ "pieces of large pages in any order", any_order, 60 },
	{ "a file that ends within a page", part_of_a_page },
	{ "a file that is cut before the first device comes", cut_before_attach },
	{ "a file that is sealed while it is mapped", sealed_meanwhile, 60 },
};

int main(int argc, char **argv)
{
	return MOCK_RUN(argc, argv, tests);
}

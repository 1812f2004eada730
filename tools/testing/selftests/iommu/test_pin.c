// SPDX-License-Identifier: GPL-2.0
/*
 * Memory behind a mapping: each kind of it, that it is pinned once, charged to
 * the right account and given back, and that a device sees the same bytes.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "devices.h"
#include "mem.h"

#define PAGE 4096UL
#define HUGE (2 * MIB)

static struct space s;
static struct testdev d;
static long long pinned_before;
static char *bounce;
#define BOUNCE 0x0f000000UL

/* A space with an attached edu, and a page of memory at BOUNCE. */
static void begin(void)
{
	pinned_before = mem_pinned_pages();
	space_open(&s);
	need_edu(&d, 0, s.fd);
	attach(&d, s.ioas);
	bounce = mem_anon(PAGE);
	CHECK(bounce);
	OK(space_map(&s, bounce, PAGE, BOUNCE));
}

static void all_is_unpinned(void)
{
	CHECK_EQ(mem_wait_pinned(pinned_before, 3000), pinned_before);
	CHECK_EQ(mem_status(0, "VmPin"), 0);
}

static void end(void)
{
	OK(iofd_unmap(s.fd, s.ioas, 0, UINT64_MAX, NULL));
	all_is_unpinned();
}

/* Does the device reach, at both ends and in the middle, what va shows? */
static void check_dma(char *va, size_t size, uint64_t iova)
{
	size_t at[] = { 0, (size / 2) & ~(PAGE - 1), size - PAGE };
	unsigned int i;

	for (i = 0; i < 3; i++) {
		if (!dma_copies(&d, iova + at[i], BOUNCE, va + at[i], bounce))
			tap_fail(__FILE__, __LINE__, "reading at 0x%zx", at[i]);
		if (!dma_copies(&d, BOUNCE, iova + at[i], bounce, va + at[i]))
			tap_fail(__FILE__, __LINE__, "writing at 0x%zx", at[i]);
	}
}

/* The whole life of a mapping of this memory, at an odd place too. */
static void check_kind(char *va, size_t size)
{
	uint64_t at[] = { 0x01000000, 0x02345000 };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		OK(space_map(&s, va, size, at[i]));
		CHECK_EQ(mem_status(0, "VmPin"), size + PAGE);
		check_dma(va, size, at[i]);
		OK(space_unmap(&s, at[i], size));
		CHECK_EQ(mem_status(0, "VmPin"), PAGE);
	}
	/* a part of it, which begins and ends inside of large pages */
	if (size > 2 * HUGE) {
		OK(space_map(&s, va + 3 * PAGE, size - 7 * PAGE, 0x01001000));
		CHECK_EQ(mem_status(0, "VmPin"), size - 6 * PAGE);
		check_dma(va + 3 * PAGE, size - 7 * PAGE, 0x01001000);
		OK(space_unmap(&s, 0x01001000, size - 7 * PAGE));
	}
	CHECK_EQ(mem_status(0, "VmPin"), PAGE);
	end();
}

static void kind_small(void)
{
	begin();
	check_kind(mem_anon(8 * MIB), 8 * MIB);
}

static void kind_thp(void)
{
	char *va = mem_thp(8 * MIB);

	begin();
	if (!mem_is_thp(va, 8 * MIB))
		tap_skip("no transparent huge pages to be had");
	check_kind(va, 8 * MIB);
}

/* Huge and small pages in turn: runs that begin and end everywhere. */
static void kind_mixed(void)
{
	char *va = mem_thp(16 * MIB), *p;

	begin();
	if (!mem_is_thp(va, 16 * MIB))
		tap_skip("no transparent huge pages to be had");
	for (p = va + HUGE; p < va + 16 * MIB; p += 2 * HUGE) {
		CHECK(!madvise(p + 5 * PAGE, 300 * PAGE, MADV_DONTNEED));
		CHECK(!madvise(p, HUGE, MADV_NOHUGEPAGE));
		memset(p, 1, HUGE);
	}
	check_kind(va, 16 * MIB);
}

static void kind_hugetlb(void)
{
	char *va;

	if (mem_want_hugetlb(4) < 4)
		tap_skip("no four huge pages to be had");
	begin();
	va = mem_hugetlb(8 * MIB);
	CHECK(va);
	check_kind(va, 8 * MIB);
	munmap(va, 8 * MIB);
	CHECK(mem_meminfo("HugePages_Free") >= 4);
}

static void kind_shared(void)
{
	char *va = mmap(NULL, 4 * MIB, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(va != MAP_FAILED);
	memset(va, 0, 4 * MIB);
	begin();
	check_kind(va, 4 * MIB);
}

/* By descriptor; the bytes are compared through a mapping of our own. */
static void check_file(int hugetlb, size_t size)
{
	uint64_t at[] = { 0x01000000, 0x02345000 }, iova;
	int file = OK(mem_file(size, hugetlb));
	char *va = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	unsigned int i;

	CHECK(va != MAP_FAILED);
	begin();
	for (i = 0; i < 2; i++) {
		iova = at[i];
		OK(iofd_map_file(s.fd, s.ioas, file, 0, size, &iova, IOFD_FIXED_RW));
		CHECK_EQ(mem_status(0, "VmPin"), size + PAGE);
		check_dma(va, size, iova);
		OK(space_unmap(&s, iova, size));
		CHECK_EQ(mem_status(0, "VmPin"), PAGE);
	}
	iova = 0x01001000;
	OK(iofd_map_file(s.fd, s.ioas, file, 3 * PAGE, size - 7 * PAGE, &iova, IOFD_FIXED_RW));
	check_dma(va + 3 * PAGE, size - 7 * PAGE, iova);
	/* neighbours out of one file, one of which goes */
	iova = 0x03000000;
	OK(iofd_map_file(s.fd, s.ioas, file, 0, 5 * PAGE, &iova, IOFD_FIXED_RW));
	iova = 0x03005000;
	OK(iofd_map_file(s.fd, s.ioas, file, 5 * PAGE, 5 * PAGE, &iova, IOFD_FIXED_RW));
	OK(space_unmap(&s, 0x03000000, 5 * PAGE));
	CHECK(!dma_writes(&d, 0x03004000, va + 4 * PAGE));
	CHECK(dma_writes(&d, 0x03005000, va + 5 * PAGE));
	close(file);
	munmap(va, size);
	end();
}

static void kind_memfd(void)
{
	check_file(0, 8 * MIB);
}

static void kind_memfd_hugetlb(void)
{
	if (mem_want_hugetlb(4) < 4)
		tap_skip("no four huge pages to be had");
	check_file(1, 8 * MIB);
	CHECK(mem_meminfo("HugePages_Free") >= 4);
}

/* A file whose pages nobody has touched: MAP_FILE makes them. */
static void kind_memfd_hole(void)
{
	int file = syscall(SYS_memfd_create, "hole", 0);
	uint64_t iova = 0x01000000;
	char *va;

	begin();
	CHECK(!ftruncate(file, 64 * PAGE));
	OK(iofd_map_file(s.fd, s.ioas, file, 0, 64 * PAGE, &iova, IOFD_FIXED_RW));
	va = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	check_dma(va, 64 * PAGE, iova);
	end();
}

static void huge_pages_off(void)
{
	char *va = mem_thp(8 * MIB);

	begin();
	OK(iofd_option_set(s.fd, IOMMU_OPTION_HUGE_PAGES, s.ioas, 0));
	OK(space_map(&s, va, 8 * MIB, 0x01000000));
	check_dma(va, 8 * MIB, 0x01000000);
	OK(iofd_option_set(s.fd, IOMMU_OPTION_HUGE_PAGES, s.ioas, 1));
	check_dma(va, 8 * MIB, 0x01000000);
	end();
}

static void unaligned_va(void)
{
	char *va = mem_anon(16 * PAGE);
	uint64_t iova = 0;

	begin();
	REFUSED(s.fd, IOMMU_IOAS_MAP, space_map(&s, va + 1, PAGE, 0x1000), -EINVAL);
	REFUSED(s.fd, IOMMU_IOAS_MAP, space_map(&s, va + 2048, PAGE, 0x1000), -EINVAL);
	REFUSED(s.fd, IOMMU_IOAS_MAP, space_map(&s, va + 4095, 2 * PAGE, 0x1000), -EINVAL);
	REFUSED(s.fd, IOMMU_IOAS_MAP,
		iofd_map(s.fd, s.ioas, va + 2048, PAGE, &iova, IOFD_RW), -EINVAL);
	CHECK_EQ(mem_status(0, "VmPin"), PAGE);
	end();
}

static void bad_memory(void)
{
	char *va = mem_anon(16 * PAGE), *gone = mem_anon(PAGE), *closed = mem_anon(PAGE);
	char *bar;
	size_t size;

	begin();
	munmap(gone, PAGE);
	mprotect(closed, PAGE, PROT_NONE);
#define MAP_EFAULT(va, length) \
	REFUSED(s.fd, IOMMU_IOAS_MAP, space_map(&s, va, length, 0x100000), -EFAULT)
	MAP_EFAULT(gone, PAGE);
	MAP_EFAULT(closed, PAGE);
	MAP_EFAULT(NULL, PAGE);
	MAP_EFAULT((void *)0x7ffffffff000, 2 * PAGE);
	MAP_EFAULT((void *)(1UL << 63), PAGE);
	/* the kernel's own memory is not to be had, whatever the address */
	MAP_EFAULT((void *)0xffff888000000000, PAGE);
	MAP_EFAULT((void *)0xffffffff81000000, PAGE);
	/* a hole in the middle, at the end; what was pinned before it goes */
	munmap(va + 7 * PAGE, PAGE);
	MAP_EFAULT(va, 16 * PAGE);
	munmap(va + 15 * PAGE, PAGE);
	MAP_EFAULT(va + 8 * PAGE, 8 * PAGE);
	/* registers of a device */
	bar = vdev_map_bar(&d.vdev, 0, &size);
	CHECK(bar);
	CHECK(*(volatile uint32_t *)bar);
	MAP_EFAULT(bar, PAGE);
#undef MAP_EFAULT
	CHECK_EQ(mem_status(0, "VmPin"), PAGE);
	CHECK_EQ(mem_wait_pinned(pinned_before + 1, 1000), pinned_before + 1);
	end();
}

static void read_only_memory(void)
{
	char *va = mem_anon(PAGE);
	uint64_t iova = 0x1000;

	begin();
	mem_fill(va, PAGE, 42);
	mprotect(va, PAGE, PROT_READ);
	REFUSED(s.fd, IOMMU_IOAS_MAP, space_map(&s, va, PAGE, iova), -EFAULT);
	OK(iofd_map(s.fd, s.ioas, va, PAGE, &iova, IOFD_FIXED_R));
	OK(edu_read(&d.edu, iova, 0, PAGE));
	OK(edu_write(&d.edu, BOUNCE, 0, PAGE));
	CHECK(mem_holds(bounce, PAGE, 42));
	OK(edu_read(&d.edu, BOUNCE, 1, PAGE - 1));
	OK(edu_write(&d.edu, iova, 0, PAGE));
	CHECK(mem_holds(va, PAGE, 42));
	end();
}

/* A file of a file system that writes back: its pages may not stay pinned. */
static void file_mapping(void)
{
	static char page[PAGE];
	int file = open("/tmp/pin", O_RDWR | O_CREAT | O_TRUNC, 0600);
	char *va;

	begin();
	CHECK(write(file, page, PAGE) == (ssize_t)PAGE);
	va = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	CHECK(va != MAP_FAILED);
	/* a private copy of it is memory like any other */
	OK(space_map(&s, va, PAGE, 0x1000));
	CHECK(dma_writes(&d, 0x1000, va));
	CHECK(pread(file, page, PAGE, 0) == (ssize_t)PAGE);
	CHECK(!page[0] && !memcmp(page, page + 1, PAGE - 1));
	unlink("/tmp/pin");
	end();
}

/* A private page that fork() shares stays the one the device knows. */
static void fork_cow(void)
{
	char *va = mem_anon(PAGE);
	int status, go[2];
	pid_t pid;
	char c;

	begin();
	OK(space_map(&s, va, PAGE, 0x1000));
	CHECK(!pipe(go));
	pid = fork();
	if (!pid) {
		memset(va, 0x55, PAGE);
		read(go[0], &c, 1);
		_exit(va[0] != 0x55);
	}
	usleep(100000);
	CHECK(dma_copies(&d, 0x1000, BOUNCE, va, bounce));
	CHECK(dma_copies(&d, BOUNCE, 0x1000, bounce, va));
	CHECK(write(go[1], "x", 1) == 1);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK_EQ(status, 0);
	end();
}

static void munmap_while_mapped(void)
{
	char *va = mem_anon(16 * PAGE), *again;

	begin();
	OK(space_map(&s, va, 16 * PAGE, 0x1000));
	munmap(va, 16 * PAGE);
	again = mmap(va, 16 * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	CHECK(again == va);
	/* the device still has the old pages, and only them */
	CHECK(!dma_writes(&d, 0x1000, again));
	CHECK(mem_pinned_pages() >= pinned_before + 17);
	OK(space_unmap(&s, 0x1000, 16 * PAGE));
	end();
}

static void truncate_while_mapped(void)
{
	int file = OK(mem_file(16 * PAGE, 0));
	uint64_t iova = 0x10000;

	begin();
	OK(iofd_map_file(s.fd, s.ioas, file, 0, 16 * PAGE, &iova, IOFD_FIXED_RW));
	CHECK(!ftruncate(file, 0));
	OK(edu_write(&d.edu, iova, 0, PAGE));
	CHECK(!ftruncate(file, 16 * PAGE));
	close(file);
	OK(space_unmap(&s, iova, 16 * PAGE));
	end();
}

static void drop_ipc_lock(void)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	CHECK(!syscall(SYS_capget, &h, data));
	data[0].effective &= ~(1U << CAP_IPC_LOCK);
	CHECK(!syscall(SYS_capset, &h, data));
}

static void limit(unsigned long bytes)
{
	struct rlimit r = { bytes, bytes };

	CHECK(!setrlimit(RLIMIT_MEMLOCK, &r));
}

/* A space of which 1 MiB may be pinned, in either mode. */
static void begin_limited(uint64_t per_process)
{
	pinned_before = mem_pinned_pages();
	s.fd = OK(iofd_open());
	OK(iofd_option_set(s.fd, IOMMU_OPTION_RLIMIT_MODE, 0, per_process));
	OK(iofd_ioas(s.fd, &s.ioas));
	need_edu(&d, 0, s.fd);
	attach(&d, s.ioas);
	limit(MIB);
	drop_ipc_lock();
}

static void check_limit(uint64_t per_process)
{
	char *va = mem_anon(4 * MIB), *thp = mem_thp(4 * MIB);
	int file = OK(mem_file(4 * MIB, 0));
	uint64_t iova = 0x1000000;
	uint32_t other, pt;

	begin_limited(per_process);
	REFUSED(s.fd, IOMMU_IOAS_MAP, space_map(&s, va, 2 * MIB, 0), -ENOMEM);
	/* how much was asked for and how much is allowed, in one unit or another */
	CHECK(strstr(iommufd_last_reason(s.fd), "2048") ||
	      strstr(iommufd_last_reason(s.fd), "2097152"));
	CHECK(strstr(iommufd_last_reason(s.fd), "1024") ||
	      strstr(iommufd_last_reason(s.fd), "1048576"));
	REFUSED(s.fd, IOMMU_IOAS_MAP, space_map(&s, thp, 2 * MIB, 0), -ENOMEM);
	REFUSED(s.fd, IOMMU_IOAS_MAP, space_map(&s, va, MIB + PAGE, 0), -ENOMEM);
	REFUSED(s.fd, IOMMU_IOAS_MAP_FILE,
		iofd_map_file(s.fd, s.ioas, file, 0, 2 * MIB, &iova, IOFD_FIXED_RW), -ENOMEM);
	CHECK_EQ(mem_status(0, "VmPin"), 0);
	CHECK_EQ(mem_status(0, "VmLck"), 0);

	OK(space_map(&s, va, MIB, 0));
	CHECK_EQ(mem_status(0, "VmPin"), MIB);
	CHECK_EQ(mem_status(0, "VmLck"), per_process ? MIB : 0);
	REFUSED(s.fd, IOMMU_IOAS_MAP, space_map(&s, va + MIB, PAGE, 0x800000), -ENOMEM);
	OK(space_unmap(&s, 0, MIB));
	OK(space_map(&s, va, MIB / 2, 0));
	OK(iofd_map_file(s.fd, s.ioas, file, 0, MIB / 2, &iova, IOFD_FIXED_RW));
	REFUSED(s.fd, IOMMU_IOAS_MAP, space_map(&s, va + MIB, PAGE, 0x800000), -ENOMEM);
	CHECK_EQ(mem_status(0, "VmLck"), per_process ? MIB : 0);
	/* a second table pins nothing anew */
	OK(iofd_hwpt(s.fd, d.vdev.id, s.ioas, 0, &pt));
	CHECK_EQ(mem_status(0, "VmPin"), MIB);
	OK(iofd_destroy(s.fd, pt));
	end();
	CHECK_EQ(mem_status(0, "VmLck"), 0);

	/* too much for the first table */
	OK(iofd_ioas(s.fd, &other));
	OK(iofd_map_at(s.fd, other, va, 512 * KIB, 0x1000));
	OK(iofd_map_at(s.fd, other, va, 768 * KIB, 0x1000000));
	REFUSED(s.fd, IOMMU_HWPT_ALLOC, iofd_hwpt(s.fd, d.vdev.id, other, 0, &pt), -ENOMEM);
	pt = other;
	ERR(vdev_attach(&d.vdev, &pt), -ENOMEM);
	all_is_unpinned();
	CHECK_EQ(mem_status(0, "VmLck"), 0);
	OK(iofd_unmap(s.fd, other, 0x1000, 512 * KIB, NULL));
	attach(&d, other);
	CHECK_EQ(mem_status(0, "VmPin"), 768 * KIB);
	OK(iofd_unmap(s.fd, other, 0, UINT64_MAX, NULL));
	all_is_unpinned();
}

static void limit_user(void)
{
	check_limit(0);
}

static void limit_process(void)
{
	check_limit(1);
}

/* The account of the user is one for all of his processes, the other is not. */
static void limit_shared(void)
{
	char *va = mem_anon(MIB);
	uint64_t mode;

	for (mode = 0; mode < 2; mode++) {
		int status, ready[2], done[2];
		pid_t pid;
		char c;

		CHECK(!pipe(ready) && !pipe(done));
		pid = fork();
		if (!pid) {
			begin_limited(mode);
			OK(space_map(&s, va, 768 * KIB, 0));
			CHECK(write(ready[1], "x", 1) == 1);
			read(done[0], &c, 1);
			_exit(0);
		}
		close(ready[1]);
		if (read(ready[0], &c, 1) != 1) {
			waitpid(pid, &status, 0);
			if (WIFEXITED(status) && WEXITSTATUS(status) == 4)
				tap_skip("no device for the other process");
			tap_fail(__FILE__, __LINE__, "the other process failed");
		}
		pid_t second = fork();
		if (!second) {
			pci_bdf bdf;

			s.fd = OK(iofd_open());
			OK(iofd_option_set(s.fd, IOMMU_OPTION_RLIMIT_MODE, 0, mode));
			OK(iofd_ioas(s.fd, &s.ioas));
			if (!pci_find(PCI_EDU, 1, bdf))
				tap_skip("no second edu");
			open_edu(&d, bdf, s.fd);
			attach(&d, s.ioas);
			limit(MIB);
			drop_ipc_lock();
			if (mode)
				OK(space_map(&s, va, 768 * KIB, 0));
			else
				REFUSED(s.fd, IOMMU_IOAS_MAP,
					space_map(&s, va, 768 * KIB, 0), -ENOMEM);
			_exit(0);
		}
		CHECK(waitpid(second, &status, 0) == second);
		CHECK_EQ(status, 0);
		CHECK(write(done[1], "x", 1) == 1);
		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK_EQ(status, 0);
	}
}

static void limit_capability(void)
{
	char *va = mem_anon(4 * MIB);

	limit(0);
	begin();
	OK(space_map(&s, va, 4 * MIB, 0));
	CHECK_EQ(mem_status(0, "VmPin"), 4 * MIB + PAGE);
	end();
}

/* Each mapping is one area, however often memory appears in it. */
static void same_memory_twice(void)
{
	char *va = mem_anon(16 * PAGE);

	begin();
	OK(space_map(&s, va, 16 * PAGE, 0x100000));
	OK(space_map(&s, va, 16 * PAGE, 0x200000));
	OK(space_map(&s, va + 4 * PAGE, 4 * PAGE, 0x300000));
	CHECK(dma_copies(&d, 0x104000, BOUNCE, va + 4 * PAGE, bounce));
	CHECK(dma_copies(&d, BOUNCE, 0x300000, bounce, va + 4 * PAGE));
	OK(space_unmap(&s, 0x100000, 16 * PAGE));
	CHECK(!dma_writes(&d, 0x104000, va + 4 * PAGE));
	CHECK(dma_writes(&d, 0x204000, va + 4 * PAGE));
	OK(space_unmap(&s, 0x200000, 16 * PAGE));
	CHECK(dma_writes(&d, 0x300000, va + 4 * PAGE));
	end();
}

/* Pinned when the first table comes, let go when the last one goes. */
static void pin_follows_tables(void)
{
	char *va = mem_anon(256 * PAGE);
	uint32_t hwpt[3];
	int i;

	pinned_before = mem_pinned_pages();
	space_open(&s);
	need_edu(&d, 0, s.fd);
	OK(space_map(&s, va, 256 * PAGE, 0x100000));
	CHECK_EQ(mem_status(0, "VmPin"), 0);
	CHECK_EQ(mem_pinned_pages(), pinned_before);
	for (i = 0; i < 3; i++) {
		OK(iofd_hwpt(s.fd, d.vdev.id, s.ioas, 0, &hwpt[i]));
		CHECK_EQ(mem_status(0, "VmPin"), 256 * PAGE);
	}
	for (i = 0; i < 3; i++) {
		CHECK_EQ(mem_status(0, "VmPin"), 256 * PAGE);
		OK(iofd_destroy(s.fd, hwpt[i]));
	}
	all_is_unpinned();
	OK(space_unmap(&s, 0x100000, 256 * PAGE));
}

/* A process that is gone has no memory to pin. */
static void owner_gone(void)
{
	char *va = mem_anon(16 * PAGE);
	uint32_t pt;
	int status;
	pid_t pid;

	space_open(&s);
	need_edu(&d, 0, s.fd);
	pid = fork();
	if (!pid) {
		OK(space_map(&s, va, 16 * PAGE, 0x100000));
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK_EQ(status, 0);
	pt = s.ioas;
	ERR(vdev_attach(&d.vdev, &pt), -EFAULT);
	REFUSED(s.fd, IOMMU_HWPT_ALLOC, iofd_hwpt(s.fd, d.vdev.id, s.ioas, 0, &pt), -EFAULT);
	OK(space_unmap(&s, 0x100000, 16 * PAGE));
	attach(&d, s.ioas);
}

/* Pinned by a process that ends: its pages stay until they are unmapped. */
static void owner_ends_pinned(void)
{
	int status;
	pid_t pid;

	begin();
	pid = fork();
	if (!pid) {
		char *va = mem_anon(16 * PAGE);

		OK(space_map(&s, va, 16 * PAGE, 0x100000));
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK_EQ(status, 0);
	CHECK_EQ(mem_pinned_pages(), pinned_before + 17);
	OK(edu_write(&d.edu, 0x100000, 0, PAGE));
	OK(space_unmap(&s, 0x100000, 16 * PAGE));
	end();
}

/* Many sizes at many places; the counters must come back to where they were. */
static void pin_random(void)
{
	char *va = mem_thp(32 * MIB);
	unsigned int seed = 1, i;

	begin();
	for (i = 0; i < 300; i++) {
		uint64_t from = rand_r(&seed) % 8000 * PAGE;
		uint64_t length = (1 + rand_r(&seed) % 190) * PAGE;
		uint64_t iova = 0x01000000 + rand_r(&seed) % 1000 * PAGE;

		if (i % 3 == 2)
			length <<= rand_r(&seed) % 4;
		if (from + length > 32 * MIB)
			continue;
		if (space_map(&s, va + from, length, iova))
			OK(iofd_unmap(s.fd, s.ioas, 0x01000000, 0x08000000, NULL));
		else if (!(i % 16))
			CHECK(dma_writes(&d, iova, va + from));
	}
	end();
}

static const struct tap_test tests[] = {
	{ "4 KiB pages", kind_small },
	{ "transparent huge pages", kind_thp },
	{ "small and huge pages in turn", kind_mixed },
	{ "hugetlb pages", kind_hugetlb },
	{ "shared memory", kind_shared },
	{ "memfd by file", kind_memfd },
	{ "hugetlb memfd by file", kind_memfd_hugetlb },
	{ "memfd with holes by file", kind_memfd_hole },
	{ "HUGE_PAGES off and on again", huge_pages_off },
	{ "memory that begins inside a page: EINVAL", unaligned_va },
	{ "memory that is not there, BARs, the kernel's: EFAULT, nothing pinned", bad_memory },
	{ "memory that may only be read", read_only_memory },
	{ "private file mappings", file_mapping },
	{ "fork() does not part the process from its pinned pages", fork_cow },
	{ "munmap() of what is mapped", munmap_while_mapped },
	{ "truncate() of what is mapped", truncate_while_mapped },
	{ "RLIMIT_MEMLOCK of the user", limit_user },
	{ "RLIMIT_MEMLOCK of the process", limit_process },
	{ "processes of a user share his account, not that of the process", limit_shared },
	{ "CAP_IPC_LOCK lifts the limit", limit_capability },
	{ "the same memory in several mappings", same_memory_twice },
	{ "memory is pinned from the first table to the last", pin_follows_tables },
	{ "the process that mapped is gone before the attach: EFAULT", owner_gone },
	{ "the process that mapped ends", owner_ends_pinned },
	{ "hundreds of random pieces", pin_random, 60 },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

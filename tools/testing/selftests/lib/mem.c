// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mem.h"

static void *area(size_t size, int flags)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

void *mem_anon(size_t size)
{
	void *p = area(size, 0);

	if (p) {
		madvise(p, size, MADV_NOHUGEPAGE);
		memset(p, 0, size);
	}
	return p;
}

void *mem_thp(size_t size)
{
	char *p = area(size + 2 * MIB, 0);
	size_t skip;

	if (!p)
		return NULL;
	skip = -(uintptr_t)p & (2 * MIB - 1);
	if (skip)
		munmap(p, skip);
	munmap(p + skip + size, 2 * MIB - skip);
	p += skip;
	madvise(p, size, MADV_HUGEPAGE);
	memset(p, 0, size);
	return p;
}

void *mem_hugetlb(size_t size)
{
	void *p = area(size, MAP_HUGETLB | MAP_HUGE_2MB);

	if (p)
		memset(p, 0, size);
	return p;
}

int mem_file(size_t size, int hugetlb)
{
	int fd = syscall(SYS_memfd_create, "test", MFD_CLOEXEC |
			 (hugetlb ? MFD_HUGETLB | MFD_HUGE_2MB : 0));
	void *p;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, size))
		goto fail;
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		goto fail;
	memset(p, 0, size);
	munmap(p, size);
	return fd;
fail:
	close(fd);
	return -errno;
}

static long long number_in(const char *path, const char *field)
{
	FILE *f = fopen(path, "re");
	size_t len = strlen(field);
	long long value = -1;
	char line[256];

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, field, len) && strchr(": \t", line[len])) {
			char unit[8] = "";

			if (sscanf(line + len, "%*[: \t]%lld %7s", &value, unit) == 2 &&
			    !strcmp(unit, "kB"))
				value *= 1024;
			break;
		}
	fclose(f);
	return value;
}

long long mem_status(int pid, const char *field)
{
	char path[64];

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/status", pid);
	else
		snprintf(path, sizeof(path), "/proc/self/status");
	return number_in(path, field);
}

long long mem_vmstat(const char *field)
{
	return number_in("/proc/vmstat", field);
}

long long mem_meminfo(const char *field)
{
	return number_in("/proc/meminfo", field);
}

long long mem_available(void)
{
	long long available = mem_meminfo("MemAvailable"), count;
	FILE *f = fopen("/proc/zoneinfo", "re");
	char line[256];

	/* freed pages wait in lists of each CPU, which may grow to 1/8 of a zone */
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, " count: %lld", &count) == 1)
			available += count * 4096;
	if (f)
		fclose(f);
	return available;
}

long long mem_pinned_pages(void)
{
	FILE *f = fopen("/proc/sys/vm/stat_refresh", "we");

	/* each CPU keeps back what it has counted lately, until told */
	if (f) {
		fputs("1\n", f);
		fclose(f);
	}
	return mem_vmstat("nr_foll_pin_acquired") -
	       mem_vmstat("nr_foll_pin_released");
}

long long mem_wait_pinned(long long pages, int ms)
{
	for (; mem_pinned_pages() > pages && ms > 0; ms -= 20)
		usleep(20000);
	return mem_pinned_pages();
}

size_t mem_huge_size(void)
{
	long long size = mem_meminfo("Hugepagesize");

	return size > 0 ? size : 0;
}

/* Have so many pages of the usual huge size free; how many there are. */
static unsigned long want_huge(unsigned long count)
{
	long long have = mem_meminfo("HugePages_Free");
	FILE *f = NULL;

	if (have < (long long)count)
		f = fopen("/proc/sys/vm/nr_hugepages", "we");
	if (f) {
		fprintf(f, "%lld\n", mem_meminfo("HugePages_Total") +
			(long long)count - have);
		fclose(f);
		have = mem_meminfo("HugePages_Free");
	}
	return have > 0 ? have : 0;
}

unsigned long mem_want_hugetlb(unsigned long count)
{
	return mem_huge_size() == 2 * MIB ? want_huge(count) : 0;
}

void *mem_huge(size_t *size)
{
	size_t huge = mem_huge_size(), count;
	void *p;

	if (!huge)
		return NULL;
	count = (*size + huge - 1) / huge;
	if (want_huge(count) < count)
		return NULL;
	*size = count * huge;
	p = area(*size, MAP_HUGETLB);
	if (p)
		memset(p, 0, *size);
	return p;
}

int mem_is_thp(const void *va, size_t size)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	unsigned long from, to;
	long long kb;
	char line[512];
	int inside = 0, found = 0;

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			inside = from <= (uintptr_t)va && (uintptr_t)va < to;
		else if (inside && sscanf(line, "AnonHugePages: %lld kB", &kb) == 1)
			found = kb * 1024 >= (long long)size;
	}
	fclose(f);
	return found;
}

static uint32_t mixed(uint32_t x)
{
	x ^= x >> 16;
	x *= 0x45d9f3b;
	x ^= x >> 16;
	return x;
}

void mem_fill(void *va, size_t size, uint32_t seed)
{
	unsigned char *p = va;
	size_t i;

	for (i = 0; i < size; i++)
		p[i] = mixed(seed + i);
}

int mem_holds(const void *va, size_t size, uint32_t seed)
{
	const unsigned char *p = va;
	size_t i;

	for (i = 0; i < size; i++)
		if (p[i] != (unsigned char)mixed(seed + i))
			return 0;
	return 1;
}

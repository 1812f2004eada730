/* SPDX-License-Identifier: GPL-2.0 */
/* Memory of each kind, and what the kernel accounts for it. */
#ifndef LIB_MEM_H
#define LIB_MEM_H

#include <stddef.h>
#include <stdint.h>

#define KIB	1024UL
#define MIB	(1024 * KIB)
#define GIB	(1024 * MIB)

/* NULL and errno on failure. Touched, so that every page is there. */
void *mem_anon(size_t size);		/* 4 KiB pages */
void *mem_thp(size_t size);		/* 2 MiB aligned, transparent huge pages */
void *mem_hugetlb(size_t size);		/* 2 MiB pages */
/* a memfd that holds so many zeroes; hugetlb: of 2 MiB pages. -errno */
int mem_file(size_t size, int hugetlb);

/* Have so many 2 MiB pages free in the pool; how many there are. */
unsigned long mem_want_hugetlb(unsigned long count);
/* The usual size of huge pages: 2 MiB but on POWER, where CPUs differ. 0: none */
size_t mem_huge_size(void);
/* So much memory or more in pages of it; NULL if there are not enough. */
void *mem_huge(size_t *size);
/* Is va backed by a transparent huge page? (needs the pages touched) */
int mem_is_thp(const void *va, size_t size);

/* fill and compare with a pattern that depends on seed and position */
void mem_fill(void *va, size_t size, uint32_t seed);
int mem_holds(const void *va, size_t size, uint32_t seed);

/* Bytes of VmLck, VmPin ... of a process; -1 if it is not there. 0: own */
long long mem_status(int pid, const char *field);
/* A number of /proc/vmstat or, in bytes, of /proc/meminfo; -1 */
long long mem_vmstat(const char *field);
long long mem_meminfo(const char *field);
/* Bytes that could be allocated, with what each CPU keeps at hand for itself. */
long long mem_available(void);
/* Pages that are pinned now for devices to reach. */
long long mem_pinned_pages(void);
/* Wait until that is no more than so many; what it ends up as. */
long long mem_wait_pinned(long long pages, int ms);

#endif

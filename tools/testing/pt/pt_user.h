/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What stands in for the kernel around page tables in user space.
 *
 * Each table has a second copy: what hardware would see that does not look into
 * the CPU's caches. Flushing copies lines of 64 bytes to it. A table's address is
 * its "physical" address, too, but for bits that user space cannot have.
 */
#ifndef PT_USER_H
#define PT_USER_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;

#define U64_MAX UINT64_MAX
#define BIT(n) (1UL << (n))
#define BIT_ULL(n) (1ULL << (n))
#define GENMASK_ULL(h, l) ((~0ULL >> (63 - (h))) & (~0ULL << (l)))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define noinline __attribute__((noinline))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define min(a, b) ({ __typeof__(a) __a = (a); __typeof__(b) __b = (b); \
		     __a < __b ? __a : __b; })
#define max(a, b) ({ __typeof__(a) __a = (a); __typeof__(b) __b = (b); \
		     __a > __b ? __a : __b; })
#define min_t(t, a, b) min((t)(a), (t)(b))
#define check_add_overflow(a, b, sum) __builtin_add_overflow(a, b, sum)

static inline unsigned int ilog2(u64 n)
{
	return 63 - __builtin_clzll(n);
}

static inline unsigned int __ffs64(u64 n)
{
	return __builtin_ctzll(n);
}

/* In front of each table, in the block that its alignment costs anyway. */
struct pt_user_table {
	size_t size;
	u64 *seen;			/* by hardware without coherence */
	struct pt_user_table *next;	/* in a pt_table_list */
};

struct pt_table_list {
	struct pt_user_table *first;
};

/* After so many more allocations there is no memory; negative: always enough. */
extern long pt_user_fail_after;
/* Tables there are. */
extern long pt_user_tables;
/*
 * Bits that no address of a table has in user space: "physical" addresses have them
 * set, so that formats are seen to keep them.
 */
extern u64 pt_user_high;

static inline struct pt_user_table *pt_user_table(const u64 *table)
{
	return (struct pt_user_table *)table - 1;
}

static inline void pt_table_list_init(struct pt_table_list *list)
{
	list->first = NULL;
}

static inline void pt_table_list_add(struct pt_table_list *list, u64 *table)
{
	pt_user_table(table)->next = list->first;
	list->first = pt_user_table(table);
}

u64 *pt_os_alloc(int node, unsigned int lg2);
void pt_os_free(u64 *table);
void pt_table_list_free(struct pt_table_list *list);
void pt_os_flush(const u64 *items, size_t nr);
/* Hardware sets and clears bits of an item, where the CPU and itself see it. */
void pt_user_write(u64 *item, u64 *seen, u64 set, u64 clear);

static inline u64 pt_os_phys(const u64 *table)
{
	return (uintptr_t)table | pt_user_high;
}

static inline u64 *pt_os_virt(u64 phys)
{
	return (u64 *)(uintptr_t)(phys & ~pt_user_high);
}

static inline void pt_os_publish(void)
{
	/* the exchange that follows publishes */
}

static inline u64 pt_os_load(const u64 *item)
{
	return __atomic_load_n(item, __ATOMIC_ACQUIRE);
}

static inline void pt_os_store(u64 *item, u64 value)
{
	__atomic_store_n(item, value, __ATOMIC_RELAXED);
}

static inline bool pt_os_exchange(u64 *item, u64 *old, u64 value)
{
	return __atomic_compare_exchange_n(item, old, value, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static inline void pt_os_relax(void)
{
}

#endif

// SPDX-License-Identifier: GPL-2.0-only
#include <pthread.h>
#include <string.h>

#include "pt_user.h"

#define LINE 64

long pt_user_fail_after = -1;
long pt_user_tables;
u64 pt_user_high;

#ifdef PT_BENCH
/* As cheap as a kernel has pages: from a list, only cleared. */
static struct pt_user_table *spare;

u64 *pt_os_alloc(int node, unsigned int lg2)
{
	struct pt_user_table *t = spare;
	char *block;

	if (lg2 > 12)
		abort();
	if (t) {
		spare = t->next;
	} else {
		block = aligned_alloc(4096, 8192);
		if (!block)
			abort();
		t = pt_user_table((u64 *)(block + 4096));
	}
	memset(t + 1, 0, 4096);
	return (u64 *)(t + 1);
}

void pt_os_free(u64 *table)
{
	pt_user_table(table)->next = spare;
	spare = pt_user_table(table);
}
#else
u64 *pt_os_alloc(int node, unsigned int lg2)
{
	size_t size = BIT(lg2 < 12 ? 12 : lg2);
	struct pt_user_table *t;
	char *block;

	(void)node;
	if (pt_user_fail_after >= 0 &&
	    __atomic_fetch_sub(&pt_user_fail_after, 1, __ATOMIC_RELAXED) <= 0) {
		pt_user_fail_after = 0;
		return NULL;
	}
	block = aligned_alloc(size, 2 * size);
	if (!block)
		abort();
	memset(block, 0, 2 * size);
	t = pt_user_table((u64 *)(block + size));
	t->size = size;
	t->seen = malloc(size);
	/* What lies in memory before the first flush is anything but zeroes. */
	memset(t->seen, 0xff, size);
	__atomic_fetch_add(&pt_user_tables, 1, __ATOMIC_RELAXED);
	return (u64 *)(block + size);
}

void pt_os_free(u64 *table)
{
	struct pt_user_table *t = pt_user_table(table);
	size_t size = t->size;

	free(t->seen);
	/* for walkers that come too late, even without a sanitizer */
	memset(table, 0xa5, size);
	free((char *)table - size);
	__atomic_fetch_sub(&pt_user_tables, 1, __ATOMIC_RELAXED);
}
#endif

void pt_table_list_free(struct pt_table_list *list)
{
	struct pt_user_table *t = list->first, *next;

	for (; t; t = next) {
		next = t->next;
		pt_os_free((u64 *)(t + 1));
	}
	list->first = NULL;
}

/*
 * A line of a cache is written back as it is at one moment, also when two CPUs
 * flush it for the sake of different items, and when hardware writes to it.
 */
static pthread_mutex_t line_lock = PTHREAD_MUTEX_INITIALIZER;

void pt_os_flush(const u64 *items, size_t nr)
{
	/* only formats whose tables are of 4096 bytes are tested without coherence */
	uintptr_t first = (uintptr_t)items & ~(uintptr_t)(LINE - 1);
	uintptr_t end = ((uintptr_t)(items + nr) + LINE - 1) & ~(uintptr_t)(LINE - 1);
	const u64 *table = (const u64 *)((uintptr_t)items & ~(uintptr_t)4095);
	struct pt_user_table *t = pt_user_table(table);
	const u64 *from = (const u64 *)first;
	size_t at = (first - (uintptr_t)table) / sizeof(u64);

	pthread_mutex_lock(&line_lock);
	for (; (uintptr_t)from < end; from++, at++)
		__atomic_store_n(t->seen + at, pt_os_load(from), __ATOMIC_RELEASE);
	pthread_mutex_unlock(&line_lock);
}

void pt_user_write(u64 *item, u64 *seen, u64 set, u64 clear)
{
	pthread_mutex_lock(&line_lock);
	__atomic_fetch_or(item, set, __ATOMIC_ACQ_REL);
	__atomic_fetch_and(item, ~clear, __ATOMIC_ACQ_REL);
	__atomic_fetch_or(seen, set, __ATOMIC_ACQ_REL);
	__atomic_fetch_and(seen, ~clear, __ATOMIC_ACQ_REL);
	pthread_mutex_unlock(&line_lock);
}

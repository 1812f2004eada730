/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What page tables need of the world around them: memory for tables, atomic
 * access to it, and making it visible to hardware. The kernel's is here; what
 * stands in for it in user space comes with the tests.
 */
#ifndef __IOMMU_PT_OS_H
#define __IOMMU_PT_OS_H

#ifdef __KERNEL__

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/types.h>
#ifdef CONFIG_X86
#include <asm/cacheflush.h>
#elif defined(CONFIG_ARM64)
#include <asm/barrier.h>
#include <asm/cpufeature.h>
#include <asm/sysreg.h>
#endif

/**
 * struct pt_table_list - tables that wait to be freed
 * @pages: linked through the lru of their struct page: hardware may still look
 *	   into the tables themselves
 */
struct pt_table_list {
	struct list_head pages;
};

static inline void pt_table_list_init(struct pt_table_list *list)
{
	INIT_LIST_HEAD(&list->pages);
}

static inline void pt_table_list_add(struct pt_table_list *list, u64 *table)
{
	list_add(&virt_to_page(table)->lru, &list->pages);
}

/**
 * pt_os_alloc - a table full of zeroes
 * @node: NUMA node
 * @lg2: of its bytes; what is smaller than a page gets a page
 *
 * Return: aligned to its size, or NULL
 */
static inline u64 *pt_os_alloc(int node, unsigned int lg2)
{
	unsigned int order = lg2 > PAGE_SHIFT ? lg2 - PAGE_SHIFT : 0;
	struct page *page;

	page = alloc_pages_node(node, GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_COMP,
				order);
	return page ? page_address(page) : NULL;
}

static inline void pt_os_free(u64 *table)
{
	__free_pages(virt_to_page(table), compound_order(virt_to_page(table)));
}

static inline void pt_table_list_free(struct pt_table_list *list)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, &list->pages, lru) {
		list_del(&page->lru);
		__free_pages(page, compound_order(page));
	}
}

static inline u64 pt_os_phys(const u64 *table)
{
	return virt_to_phys((void *)table);
}

static inline u64 *pt_os_virt(u64 phys)
{
	return phys_to_virt(phys);
}

/* Make items visible to hardware that does not look into the CPU's caches. */
static inline void pt_os_flush(const u64 *items, size_t nr)
{
#ifdef CONFIG_X86
	clflush_cache_range((void *)items, nr * sizeof(*items));
#elif defined(CONFIG_ARM64)
	/* the smallest line of any CPU, in words of four bytes */
	unsigned long line = 4UL << (read_sanitised_ftr_reg(SYS_CTR_EL0) >> 16 & 0xf);
	unsigned long at = (unsigned long)items & ~(line - 1);

	for (; at < (unsigned long)(items + nr); at += line)
		asm volatile("dc cvac, %0" : : "r" (at) : "memory");
	dsb(sy);
#else
	WARN_ONCE(1, "page tables are coherent on this architecture\n");
#endif
}

/* Items before what leads to them. */
static inline void pt_os_publish(void)
{
	dma_wmb();
}

static inline u64 pt_os_load(const u64 *item)
{
	return READ_ONCE(*item);
}

static inline void pt_os_store(u64 *item, u64 value)
{
	WRITE_ONCE(*item, value);
}

/* Returns whether *@item was *@old; if not, *@old is what it is. */
static inline bool pt_os_exchange(u64 *item, u64 *old, u64 value)
{
	return try_cmpxchg64(item, old, value);
}

static inline void pt_os_relax(void)
{
	cond_resched();
}

#else
#include "pt_user.h"
#endif

#endif

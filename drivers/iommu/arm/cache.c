// SPDX-License-Identifier: GPL-2.0-only
/*
 * Caches of the CPU, beside which a guest's device can read.
 */
#include <linux/mm.h>
#include <asm/barrier.h>
#include <asm/cpufeature.h>

#include "smmu.h"

/**
 * smmu_clean_run - write memory back from the CPU's caches
 * @run: the memory
 *
 * Stage 1 of a guest can say that memory is not cached. Without S2FWB that holds, and
 * the guest's device would read what was in memory before the CPU's caches are written
 * back: what somebody else has left there.
 *
 * Context: may sleep.
 */
void smmu_clean_run(const struct pt_run *run)
{
	unsigned long line = 4UL << (read_sanitised_ftr_reg(SYS_CTR_EL0) >> 16 & 0xf);
	phys_addr_t at = run->phys, end = run->phys + run->len;

	for (; at < end; at += PAGE_SIZE - offset_in_page(at)) {
		unsigned long p, page;

		if (!pfn_is_map_memory(PHYS_PFN(at)))
			continue;
		page = (unsigned long)phys_to_virt(at & PAGE_MASK);
		for (p = page; p < page + PAGE_SIZE; p += line)
			asm volatile("dc civac, %0" : : "r" (p) : "memory");
		cond_resched();
	}
	dsb(sy);
}

// SPDX-License-Identifier: GPL-2.0-only
/* How hardware reaches tables in memory. */
#include "hw.h"

/* Where the copy of an item lies that hardware without coherence sees. */
static u64 *seen(u64 address)
{
	u64 *table = (u64 *)(uintptr_t)(address & ~4095ULL);

	return pt_user_table(table)->seen + (address & 4095) / 8;
}

static u64 *item_at(const struct pt *pt, u64 address)
{
	address &= ~pt_user_high;
	return pt->config.features & PT_FEAT_NONCOHERENT ?
	       seen(address) : (u64 *)(uintptr_t)address;
}

u64 hw_read(const struct pt *pt, u64 address)
{
	/* nothing is where no table can be */
	if ((address & pt_user_high) != pt_user_high)
		return 0;
	return __atomic_load_n(item_at(pt, address), __ATOMIC_ACQUIRE);
}

static void hw_write(const struct pt *pt, u64 address, u64 set, u64 clear)
{
	u64 *item;

	if (!(pt->config.features & PT_FEAT_DIRTY))
		return;
	address &= ~pt_user_high;
	item = (u64 *)(uintptr_t)address;
	/* what hardware writes is coherent in any case */
	if (pt->config.features & PT_FEAT_NONCOHERENT)
		pt_user_write(item, seen(address), set, clear);
	else if (set)
		__atomic_fetch_or(item, set, __ATOMIC_ACQ_REL);
	else
		__atomic_fetch_and(item, ~clear, __ATOMIC_ACQ_REL);
}

void hw_record(const struct pt *pt, u64 address, u64 bits)
{
	hw_write(pt, address, bits, 0);
}

void hw_erase(const struct pt *pt, u64 address, u64 bits)
{
	hw_write(pt, address, 0, bits);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * What devices write is recorded, in stage 1, in stage 2, and in a stage 2 below guests:
 * each page that was written to since it was last read is told of, and no other.
 */
#include "rig.h"

#define BASE 0x40000000ULL
#define PAGES 2048

static struct client c;

static void read_dirty(struct iommu_domain *d, bool clear, bool keep_in_cache)
{
	struct iommu_iotlb_gather gather;

	iommu_iotlb_gather_init(&gather);
	dirty_begin(BASE);
	OK(smmu_iommufd_ops.read_dirty(d, BASE, PAGES * PAGE_SIZE,
				       clear ? 0 : IOMMU_DIRTY_NO_CLEAR,
				       (void *)&gather, &gather));
	if (!keep_in_cache)
		d->ops->iotlb_sync(d, &gather);
}

static void writes(u32 more0, u32 more3, u32 flags, bool nested)
{
	static bool written[PAGES];
	unsigned int round, i, told = 0;
	struct iommu_domain *d, *top = NULL;
	struct guest g;
	u64 phys;

	random_state = 77;
	soft_reset(FULL0 | more0, FULL1, more3, FULL5);
	OK(unit_up());
	client_add(&c, 0x31);
	OK(client_probe(&c));
	CHECK(smmu_iommufd_ops.capabilities(&c.pdev.dev) & IOMMU_HW_CAP_DIRTY_TRACKING);
	d = table(&c, flags | DIRTY);
	phys = memory_new(11);
	if (nested) {
		OK(guest_make(&g, &c, d));
		guest_name(&g, &c, 5);
		/* without stage 1 of its own */
		top = guest_table(&g, &c, 1 | 4 << 1, 0);
		OK(client_attach(&c, top));
	} else {
		OK(client_attach(&c, d));
	}
	/* leaves of all sizes: 4K, 64K, 2M */
	map(d, BASE, phys, 16 * PAGE_SIZE, RW);
	for (i = 16; i < 64; i++)
		map(d, BASE + i * PAGE_SIZE, phys + i * PAGE_SIZE, PAGE_SIZE, RW);
	map(d, BASE + 64 * PAGE_SIZE, phys + 64 * PAGE_SIZE, (PAGES / 2 - 64) * PAGE_SIZE, RW);
	map(d, BASE + PAGES / 2 * PAGE_SIZE, phys + PAGES / 2 * PAGE_SIZE,
	    PAGES / 2 * PAGE_SIZE, IOMMU_READ | IOMMU_CACHE);
	OK(smmu_iommufd_ops.set_dirty(d, true));
	read_dirty(d, true, false);
	memset(written, 0, sizeof(written));
	for (round = 0; round < 400; round++) {
		for (i = 0; i < 3; i++) {
			unsigned int n = below(4) ? below(64) : below(PAGES);
			bool write = below(2);
			unsigned int event = goes_to(&c, NO_SSID, BASE + n * PAGE_SIZE,
						     write, phys + n * PAGE_SIZE);

			CHECK_EQ(event, write && n >= PAGES / 2 ? PERMISSION : 0);
			written[n] |= write && !event;
		}
		if (below(2))
			continue;
		/* looking changes nothing */
		read_dirty(d, false, false);
		read_dirty(d, true, false);
		for (i = 0; i < PAGES; i++) {
			/* what shares a leaf is told of with it */
			if (written[i])
				CHECK(dirty_was_told(BASE + i * PAGE_SIZE));
			if (i >= 16 && i < 64)
				CHECK_EQ(dirty_was_told(BASE + i * PAGE_SIZE), written[i]);
			if (i >= PAGES / 2)
				CHECK(!dirty_was_told(BASE + i * PAGE_SIZE));
			told += dirty_was_told(BASE + i * PAGE_SIZE);
		}
		memset(written, 0, sizeof(written));
	}
	CHECK(told > 100);
	OK(smmu_iommufd_ops.set_dirty(d, false));
	unmap(d, BASE, PAGES * PAGE_SIZE);
	OK(client_attach(&c, NULL));
	if (nested) {
		table_free(top);
		guest_end(&g);
	}
	table_free(d);
	memory_free(phys);
	client_remove(&c);
	CHECK_EQ(soft.illegal, 0);
	unit_down();
}

static void stage1(void)
{
	writes(IDR0_HTTU_DIRTY, 0, 0, false);
	writes(IDR0_HTTU_DIRTY, IDR3_RIL | IDR3_BBML(2), 0, false);
}

static void stage2(void)
{
	writes((IDR0_HTTU_DIRTY | FULL0) & ~FULL0, IDR3_FWB, NEST, false);
	writes(IDR0_HTTU_DIRTY, IDR3_RIL, NEST, false);
}

static void below_guest(void)
{
	writes(IDR0_HTTU_DIRTY, 0, NEST, true);
}

static void lacks(void)
{
	struct iommu_domain *d;

	soft_reset(FULL0 | 1 << 6, FULL1, 0, FULL5);
	OK(unit_up());
	client_add(&c, 0x31);
	OK(client_probe(&c));
	CHECK(!(smmu_iommufd_ops.capabilities(&c.pdev.dev) & IOMMU_HW_CAP_DIRTY_TRACKING));
	d = smmu_iommufd_ops.alloc_paging(&c.pdev.dev, DIRTY, NULL);
	CHECK_EQ(PTR_ERR(d), -EOPNOTSUPP);
	CHECK(strstr(last_reason, "HTTU"));
	client_remove(&c);
	unit_down();
}

static const struct tap_test tests[] = {
	{ "stage 1", stage1, 120 },
	{ "stage 2", stage2, 120 },
	{ "stage 2 below a guest", below_guest, 120 },
	{ "a unit that records accesses only", lacks },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

/* SPDX-License-Identifier: GPL-2.0 */
/* Between test_bitmap.c and ko/iova_bitmap_test.c: one walk over a bitmap. */
#ifndef IOMMU_BITMAP_TEST_H
#define IOMMU_BITMAP_TEST_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define BITMAP_TEST_RANGES	64

struct bitmap_test_range {
	__u64 iova;
	__u64 length;
};

/* Report each range as a whole, in the window that it begins in; else in parts. */
#define BITMAP_TEST_WHOLE	1

struct bitmap_test_walk {
	/* as for iova_bitmap_alloc() */
	__u64 iova;
	__u64 length;
	__u64 page_size;
	__u64 data;
	__u32 flags;
	/* with which call the driver fails, from 1 on, 0: none, and with what */
	__u32 fail_call;
	__s32 fail_errno;
	/* what the driver reports */
	__u32 nr;
	struct bitmap_test_range ranges[BITMAP_TEST_RANGES];
	/* out: how often it was asked, and for what altogether */
	__u32 calls;
	__u32 gaps;
	__u64 first;
	__u64 asked;
};

#define BITMAP_TEST_WALK	_IOWR('B', 0, struct bitmap_test_walk)

#endif

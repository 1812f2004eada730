/* SPDX-License-Identifier: GPL-2.0-only */
/* As much of the kernel as the parts of iommu_vtd need that are numbers only. */
#ifndef VTD_KERNEL_H
#define VTD_KERNEL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
/* as in the kernel, where %llx prints it everywhere */
typedef unsigned long long u64;
typedef long long s64;

#define U64_MAX (~0ULL)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define __aligned(n) __attribute__((aligned(n)))

#define BIT_ULL(n) (1ULL << (n))
#define BIT(n) (1UL << (n))
#define GENMASK_ULL(h, l) ((~0ULL >> (63 - (h))) & (~0ULL << (l)))
#define GENMASK(h, l) GENMASK_ULL(h, l)
#define FIELD_GET(mask, value) (((value) & (mask)) / ((mask) & -(mask)))
#define FIELD_PREP(mask, value) (((u64)(value) * ((mask) & -(mask))) & (mask))

static inline unsigned int ilog2(u64 n)
{
	return 63 - __builtin_clzll(n);
}

#endif

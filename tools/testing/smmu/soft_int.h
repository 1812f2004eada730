/* SPDX-License-Identifier: GPL-2.0-only */
/* Between soft.c, soft_walk.c and smmu_kernel.c. */
#ifndef SMMU_SOFT_INT_H
#define SMMU_SOFT_INT_H

#include "soft.h"

/* A translation of a stage, or of both, or a table on the way. */
struct soft_tlb {
	bool used;
	bool table;
	/* 1: of stage 1, also if stage 2 is in it; 2: of stage 2 alone */
	unsigned int stage;
	int vmid;
	int asid;
	u64 address;
	unsigned int lg2;
	/* of a table: its level and where it is; else where it leads and what is allowed */
	int level;
	u64 to;
	bool can_write;
	/* writes need not record anything any more */
	bool written;
};

enum { CONFIG_L1STD, CONFIG_STE, CONFIG_L1CD, CONFIG_CD };

/* An entry of a table of streams or of context descriptors, or what leads to it. */
struct soft_config {
	bool used;
	unsigned int kind;
	u32 sid;
	u32 ssid;
	/* of ids that it is for */
	unsigned int lg2;
	u64 w[8];
};

#define CACHE_TLB 512
#define CACHE_CONFIG 128

extern struct soft_cache {
	struct soft_tlb tlb[CACHE_TLB];
	struct soft_config config[CACHE_CONFIG];
	unsigned int next_tlb;
	unsigned int next_config;
} cache;

u32 reg(unsigned int at);
u64 reg64(unsigned int at);

/* Memory as the unit sees it; false where there is none. */
bool memory_read(u64 phys, u64 *value);
bool memory_write(u64 phys, u64 value);

/* 0 events, 1 errors, 2 page requests */
void kernel_interrupt(unsigned int which);

#endif

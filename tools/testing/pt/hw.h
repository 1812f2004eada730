/* SPDX-License-Identifier: GPL-2.0-only */
/* Walkers of each format, as hardware does it. */
#ifndef PT_HW_H
#define PT_HW_H

#include "rig.h"

/* What hardware reads from memory: it may not see the CPU's caches. */
u64 hw_read(const struct pt *pt, u64 address);
/* Set, or clear, bits of an item, if the table is made for recording. */
void hw_record(const struct pt *pt, u64 address, u64 bits);
void hw_erase(const struct pt *pt, u64 address, u64 bits);

bool hw_vtd_second_stage(const struct pt *pt, u64 iova, bool write,
			 struct hw_leaf *leaf);
bool hw_vtd_first_stage(const struct pt *pt, u64 iova, bool write,
			struct hw_leaf *leaf);
bool hw_amd_host(const struct pt *pt, u64 iova, bool write,
		 struct hw_leaf *leaf);
bool hw_arm_stage1(const struct pt *pt, u64 iova, bool write,
		   struct hw_leaf *leaf);
bool hw_arm_stage2(const struct pt *pt, u64 iova, bool write,
		   struct hw_leaf *leaf);

#endif

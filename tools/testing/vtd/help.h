/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of this folder share. */
#ifndef VTD_HELP_H
#define VTD_HELP_H

#include <linux/types.h>

/* The last sentence that iommufd_refuse() was called with. */
extern char last_reason[512];

/* Not 0 before the first number is drawn. */
extern u64 random_state;

/* xorshift: the same numbers each time */
u64 random64(void);
/* less than n */
u64 below(u64 n);

/* Bits as the specification numbers them, of a structure of many words, not across them. */
u64 bits(const u64 *q, unsigned int high, unsigned int low);
void put(u64 *q, unsigned int high, unsigned int low, u64 value);

#endif

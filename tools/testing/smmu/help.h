/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of this folder share: a unit with the driver on it, and iommufd. */
#ifndef SMMU_HELP_H
#define SMMU_HELP_H

#include "soft.h"

/* The last sentence of iommufd_refuse(). */
extern char last_reason[512];

extern u64 random_state;
u64 random64(void);
/* less than n */
u64 below(u64 n);

/* What devm_... has made goes. */
void kernel_devres_release(void);

#endif

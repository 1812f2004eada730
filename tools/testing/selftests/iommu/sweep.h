/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every operation with each of its allocations failing once: the first, the
 * second, and so on until none is left to fail. A call that cannot do its work
 * then gives the documented errno and a sentence, has changed nothing and lost
 * nothing, and works when it is made again.
 *
 * ko/iommu_fail.c makes them fail on a stock kernel; one with fault injection
 * does it itself.
 */
#ifndef IOMMU_SWEEP_H
#define IOMMU_SWEEP_H

#include <stdbool.h>

#include "ops.h"

/*
 * The tools of that, on a stock kernel, for tests of their own. Skips where
 * nothing makes allocations fail; have the n-th one of this task from now on fail;
 * end that: did it?
 */
void sweep_open(void);
void sweep_arm(unsigned int n);
bool sweep_failed(void);

/* A test for each operation of a table. */
struct tap_test *sweep_tests(const struct ops_op *ops, unsigned int count);

#endif

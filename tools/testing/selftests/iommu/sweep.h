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

#include "ops.h"

/* A test for each operation of a table. */
struct tap_test *sweep_tests(const struct ops_op *ops, unsigned int count);

#endif

// SPDX-License-Identifier: GPL-2.0
/* What needs real devices or none, with each of its allocations failing once. */
#include "sweep.h"

int main(int argc, char **argv)
{
	return tap_run(argc, argv, sweep_tests(ops_table, ops_count), ops_count);
}

// SPDX-License-Identifier: GPL-2.0
/* What needs devices of the mock, with each of its allocations failing once. */
#include <stdlib.h>
#include <string.h>

#include "mock.h"
#include "sweep.h"

static const struct ops_table *const tables[] = {
	&ops_event,
	&ops_ext,
	&ops_group,
	&ops_mock,
	&ops_pasid,
	&ops_viommu,
};

#define TABLES (sizeof(tables) / sizeof(tables[0]))

int main(int argc, char **argv)
{
	struct tap_test *tests;
	struct ops_op *all;
	unsigned int i, count = 0, n = 0;

	for (i = 0; i < TABLES; i++)
		count += tables[i]->count;
	all = calloc(count, sizeof(*all));
	CHECK(all);
	for (i = 0; i < TABLES; i++) {
		memcpy(all + n, tables[i]->ops, tables[i]->count * sizeof(*all));
		n += tables[i]->count;
	}
	tests = sweep_tests(all, count);
	return mock_run(argc, argv, tests, count);
}

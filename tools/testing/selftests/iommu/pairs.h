/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Operations on the mock, each against each: two threads on one file, over and over
 * for a short while. Who wins is chance. What is not: each answer is one that the
 * situation can have given, afterwards all of it can be taken apart, and no page is
 * left pinned.
 */
#ifndef IOMMU_PAIRS_H
#define IOMMU_PAIRS_H

#include <stddef.h>

struct pairs_op {
	const char *name;
	int (*run)(unsigned int *seed);
	int also[3];	/* besides ENOENT, EEXIST, EBUSY and EINVAL */
};

struct pairs {
	const struct pairs_op *ops;
	unsigned int count;
	void (*set_up)(void);	/* for one pair: opens *fd, and makes what is in it */
	void (*done)(void);	/* what *fd does not take along; or NULL */
	int *fd;
	char **mem;		/* so much memory, made before the first pair */
	size_t size;
};

/*
 * One test per operation, against itself and all that come after it. PAIRS_MS in
 * the environment sets how long each pair runs.
 */
int pairs_run(int argc, char **argv, const struct pairs *pairs);

#endif

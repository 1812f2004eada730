/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Operations, each against each: two threads on one file, over and over for a short
 * while. Who wins is chance. What is not: each answer is one that the situation can
 * have given, afterwards all of it can be taken apart, and no page is left pinned.
 */
#ifndef IOMMU_PAIRS_H
#define IOMMU_PAIRS_H

#include <stdbool.h>
#include <stddef.h>

struct pairs_op {
	const char *name;
	int (*run)(unsigned int *seed);
	/*
	 * Besides success: an object of the other thread's has gone (ENOENT),
	 * something is in its place (EEXIST) or on it (EBUSY), or as listed.
	 */
	int also[3];
	int devices;	/* how many it needs */
};

struct pairs {
	const struct pairs_op *ops;
	unsigned int count;
	bool mock;		/* needs the mock */
	int also[2];		/* what every operation may answer */
	/* for one pair: opens *fd, and makes what is in it and so many devices */
	void (*set_up)(int devices);
	void (*done)(void);	/* what *fd does not take along; or NULL */
	const char *(*why)(void);	/* reasons that are not told by *fd; or NULL */
	int *fd;
	char **mem;		/* so much memory, made before the first pair; or NULL */
	size_t size;
};

/*
 * One test per operation, against itself and all that come after it. PAIRS_MS in
 * the environment sets how long each pair runs.
 */
int pairs_run(int argc, char **argv, const struct pairs *pairs);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every operation that this project offers, each as one system call between two
 * states that are known. For tests that make something go wrong in the middle:
 *
 *	ops_begin(&env, op);			once, in a process of its own
 *	op->prepare(&env);			what the call will work on
 *	rc = op->call(&env);			one system call
 *	if (!rc)
 *		op->undo(&env);			as it was before prepare()
 *
 * A call that fails has changed nothing, so it can be made again at once.
 */
#ifndef IOMMU_OPS_H
#define IOMMU_OPS_H

#include "devices.h"

/* What the objects of a file and the accounts of the process look like. */
struct ops_state {
	char objects[4096];
	long long pinned, locked, vmpin;
};

struct ops_env {
	int fd;			/* of /dev/iommu */
	uint32_t bare;		/* an IOAS without page tables, one area */
	uint32_t ioas;		/* one with areas; dev[0], if any, is attached */
	uint32_t hwpt;		/* a second page table of it, nobody attached */
	uint32_t id;		/* what prepare() or call() made */
	uint64_t iova;		/* likewise */
	char *mem;		/* OPS_MEM bytes, touched */
	int file;		/* a memfd of OPS_MEM bytes */
	int other;		/* a file that call() opened, or -1 */
	struct testdev dev[2];	/* the second one is bound, not attached */
	int *refuser;		/* the file whose fdinfo has the sentence */
};

#define OPS_MEM	(4UL << 20)

struct ops_op {
	const char *name;
	int devices;		/* how many edus it takes, 0 to 2 */
	unsigned int cmd;	/* the ioctl whose refusal is explained, or 0 */
	void (*prepare)(struct ops_env *e);
	int (*call)(struct ops_env *e);	/* 0 or a negative errno */
	void (*undo)(struct ops_env *e);
	/* what it may answer besides ENOMEM when memory is short */
	int also;
	/* it stays done if the answer cannot be written */
	int lasting;
};

extern const struct ops_op ops_table[];
extern const unsigned int ops_count;

/* Operations on devices of the mock, without anything in ops_env of a device. */
struct ops_table {
	const struct ops_op *ops;
	unsigned int count;
};

extern const struct ops_table ops_event;
extern const struct ops_table ops_ext;
/* with edu */
extern const struct ops_table ops_group;
extern const struct ops_table ops_mock;
extern const struct ops_table ops_pasid;
extern const struct ops_table ops_viommu;

/* Ends the test as skipped where the op needs a device that is not there. */
void ops_begin(struct ops_env *e, const struct ops_op *op);

void ops_look(struct ops_env *e, struct ops_state *s);
/* NULL if both are the same, else what is not */
const char *ops_differ(const struct ops_state *a, const struct ops_state *b);

#endif

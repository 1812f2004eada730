/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The grammar of random sequences: each command as the list of its members, and
 * what is sensible to write into each.
 */
#ifndef IOMMU_FUZZ_H
#define IOMMU_FUZZ_H

#include <stdint.h>

/* What objects there are, as far as ids go. */
enum fuzz_type { T_IOAS, T_HWPT, T_DEVICE, T_STDEV, T_VIOMMU, T_VDEVICE, T_QUEUE, T_FAULT,
		 T_ACCESS, T_TYPES };

enum fuzz_kind {
	K_ZERO,		/* reserved */
	K_CONST,	/* param */
	K_ID,		/* of an object of type param */
	K_PT,		/* of an IOAS or HWPT */
	K_ANY,		/* of any object */
	K_OUT,		/* receives the id of a new object of type param */
	K_OUT_FD,	/* receives a file descriptor */
	K_FLAGS,	/* some bits of param */
	K_ENUM,		/* below param */
	K_COUNT,	/* a number of things, up to param */
	K_LENGTH, K_OFFSET, K_IOVA, K_VA,
	K_PAGE_SIZE,
	K_FILE,		/* something to map */
	K_RANGES,	/* pointer to ranges */
	K_WINDOWS,	/* pointer to a request for FUZZ_WINDOWS windows */
	K_BUFFER,	/* pointer to memory that may be written */
};

struct fuzz_member {
	const char *name;
	uint8_t size;
	uint8_t kind;
	uint32_t param;
};

#define FUZZ_MEMBERS 12
#define FUZZ_WINDOWS 2

struct fuzz_command {
	const char *name;
	unsigned long request;
	unsigned int weight;
	unsigned int size;	/* 0: what the members add up to */
	unsigned int mock;	/* only where IOMMU_TEST_CMD is answered */
	struct fuzz_member members[FUZZ_MEMBERS];
};

extern const struct fuzz_command fuzz_commands[];
extern const unsigned int fuzz_command_count;

#define FUZZ_TEST_CMD 0x3ba0

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a unit does with a request, in scalable mode and with a nested entry, written
 * from the specification with bit numbers as they stand there: it shares no
 * definition with the driver. Physical addresses are pointers of the process.
 */
#ifndef VTD_WALK_H
#define VTD_WALK_H

#include <stdbool.h>
#include <stdint.h>

enum walk_end {
	WALK_DONE,
	WALK_BAD_ENTRY,		/* an entry of the PASID table with reserved bits, ... */
	WALK_NOT_CANONICAL,
	WALK_FIRST_ABSENT,
	WALK_FIRST_RESERVED,
	WALK_FIRST_DENIED,
	WALK_SECOND_BEYOND,	/* an address wider than the second stage */
	WALK_SECOND_DENIED,	/* absent, or not for this */
};

struct walk_unit {
	uint64_t cap;
	uint64_t ecap;
};

/* Fields of the last entry of a PASID table that was walked. */
struct walk_seen {
	unsigned int domain;
	uint64_t phys;
	uint64_t gpa;
};

/* entry: 8 words; a request without PASID, of user privilege */
enum walk_end walk_nested(const struct walk_unit *unit, const uint64_t *entry,
			  uint64_t address, bool write, struct walk_seen *seen);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PT_OPS_H
#define PT_OPS_H

#include "rig.h"

/* Where bytes come from. */
struct ops_source {
	u8 (*next)(struct ops_source *s);
	u64 state;
	const u8 *data;
	size_t left;
};

/* Does one call of any kind. False, with r->why, if something is wrong. */
bool ops_one(struct rig *r, struct ops_source *s);

#endif

// SPDX-License-Identifier: GPL-2.0-only
/* For libFuzzer: bytes become calls. */
#include <stdio.h>

#include "ops.h"

#define PAGES 2048

static u8 data_byte(struct ops_source *s)
{
	if (!s->left)
		return 0;
	s->left--;
	return *s->data++;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct ops_source s = { .next = data_byte, .data = data, .left = size };
	const struct rig_format *f = &rig_formats[data_byte(&s) % rig_nr_formats];
	struct rig r;

	if (!rig_init(&r, f, NULL, rig_base(f, -PAGES / 2), PAGES))
		abort();
	while (s.left)
		if (!ops_one(&r, &s))
			break;
	if (r.why[0] || !rig_check(&r)) {
		fprintf(stderr, "%s: %s\n", f->name, r.why);
		abort();
	}
	rig_fini(&r);
	if (pt_user_tables)
		abort();
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
#include "second.h"

#include "../../../drivers/iommu/pt/pt.h"
#include "../selftests/lib/tap.h"

struct second {
	struct pt pt;
};

struct second *second_new(unsigned int levels, unsigned int bits)
{
	struct second *s = calloc(1, sizeof(*s));

	CHECK(s);
	s->pt.ops = &pt_vtd_ss;
	s->pt.config = (struct pt_config){
		.va_bits = bits,
		.oa_bits = 48,
		.levels = levels,
		.features = PT_FEAT_LIVE_CUT,
	};
	CHECK_EQ(s->pt.ops->init(&s->pt), 0);
	return s;
}

void second_free(struct second *s)
{
	s->pt.ops->destroy(&s->pt);
	free(s);
}

void second_map(struct second *s, uint64_t iova, const void *memory, size_t len,
		bool write)
{
	struct pt_run run = { .phys = (uintptr_t)memory, .len = len };
	struct pt_gather gather;
	size_t mapped;

	pt_gather_init(&gather);
	CHECK_EQ(s->pt.ops->map(&s->pt, iova, &run, 1,
				PT_READ | (write ? PT_WRITE : 0), ~0ULL, &gather,
				&mapped), 0);
	pt_gather_free(&gather);
}

void second_unmap(struct second *s, uint64_t iova, size_t len)
{
	struct pt_gather gather;

	pt_gather_init(&gather);
	CHECK_EQ(s->pt.ops->unmap(&s->pt, iova, len, &gather, NULL), len);
	pt_gather_free(&gather);
}

uint64_t second_top(const struct second *s)
{
	return pt_top_phys(&s->pt);
}

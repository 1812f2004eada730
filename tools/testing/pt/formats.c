// SPDX-License-Identifier: GPL-2.0-only
/* The formats, in the variants that differ. */
#include "hw.h"

#define GIB_512 BIT_ULL(39)

const struct rig_format rig_formats[] = {
	{
		.name = "VT-d second stage, 4 levels, dirty",
		.ops = &pt_vtd_ss,
		.config = { .va_bits = 48, .oa_bits = 48, .levels = 4,
			    .features = PT_FEAT_DIRTY | PT_FEAT_LIVE_CUT },
		.walk = hw_vtd_second_stage,
		.base = GIB_512,
	},
	{
		.name = "VT-d second stage, 3 levels, not coherent",
		.ops = &pt_vtd_ss,
		.config = { .va_bits = 39, .oa_bits = 46, .levels = 3,
			    .features = PT_FEAT_NONCOHERENT },
		.walk = hw_vtd_second_stage,
		.base = 1ULL << 32,
	},
	{
		.name = "VT-d second stage, 5 levels, no 1 GiB",
		.ops = &pt_vtd_ss,
		.config = { .va_bits = 57, .oa_bits = 52, .levels = 5,
			    .max_leaf_lg2 = 21,
			    .features = PT_FEAT_LIVE_CUT },
		.walk = hw_vtd_second_stage,
		.base = 1ULL << 48,
	},
	{
		.name = "x86-64, 4 levels, dirty, upper half",
		.ops = &pt_x86_64,
		.config = { .va_bits = 48, .oa_bits = 48, .levels = 4,
			    .features = PT_FEAT_SIGN_EXTEND | PT_FEAT_DIRTY },
		.walk = hw_vtd_first_stage,
		.base = -GIB_512,
	},
	{
		.name = "x86-64, 4 levels, dirty if accessed",
		.ops = &pt_x86_64,
		.config = { .va_bits = 48, .oa_bits = 48, .levels = 4,
			    .features = PT_FEAT_SIGN_EXTEND | PT_FEAT_DIRTY |
					PT_FEAT_DIRTY_IF_ACCESSED },
		.walk = hw_vtd_first_stage,
		.base = 1ULL << 40,
	},
	{
		.name = "x86-64, 5 levels, dirty, not coherent",
		.ops = &pt_x86_64,
		.config = { .va_bits = 57, .oa_bits = 52, .levels = 5,
			    .features = PT_FEAT_SIGN_EXTEND | PT_FEAT_DIRTY |
					PT_FEAT_NONCOHERENT },
		.walk = hw_vtd_first_stage,
		.base = 1ULL << 48,
	},
	{
		.name = "AMD-Vi v1, 4 levels, dirty",
		.ops = &pt_amd_v1,
		.config = { .va_bits = 48, .oa_bits = 48, .levels = 4,
			    .features = PT_FEAT_DIRTY | PT_FEAT_LIVE_CUT },
		.walk = hw_amd_host,
		.base = GIB_512,
	},
	{
		.name = "AMD-Vi v1, 6 levels, breaks leaves to cut them",
		.ops = &pt_amd_v1,
		.config = { .va_bits = 64, .oa_bits = 52, .levels = 6 },
		.walk = hw_amd_host,
		.base = 1ULL << 57,
	},
	{
		.name = "AMD-Vi v1, 3 levels, only pages of the levels",
		.ops = &pt_amd_v1,
		.config = { .va_bits = 39, .oa_bits = 48, .levels = 3,
			    .max_leaf_lg2 = 30,
			    .features = PT_FEAT_DIRTY | PT_FEAT_LIVE_CUT },
		.walk = hw_amd_host,
		.base = 1ULL << 32,
	},
};

const unsigned int rig_nr_formats = ARRAY_SIZE(rig_formats);

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Puts a format and the walker together. The .c file of a format includes the
 * header of the format, then this, and names the result with PT_FORMAT().
 */
#ifndef __IOMMU_PT_FORMAT_H
#define __IOMMU_PT_FORMAT_H

#include "pt_walk.h"
#include "pt_unmap.h"
#include "pt_map.h"
#include "pt_lookup.h"
#include "pt_cut.h"
#include "pt_dirty.h"

static int pt_init(struct pt *pt)
{
	unsigned int lg2;

	if (!pt->config.levels || pt->config.levels > PT_MAX_LEVELS ||
	    !fmt_check(&pt->config))
		return -EINVAL;
	lg2 = pt_table_lg2(pt, pt_top_level(pt));
	pt->top = pt_os_alloc(pt->config.node, lg2);
	if (!pt->top)
		return -ENOMEM;
	pt_flush(pt, pt->top, BIT(lg2 - 3));
	return 0;
}

static u64 pt_sizes(const struct pt *pt)
{
	return pt_page_sizes(pt);
}

#define PT_FORMAT(symbol, text)			\
	const struct pt_ops symbol = {		\
		.name = text,			\
		.init = pt_init,		\
		.destroy = pt_destroy,		\
		.page_sizes = pt_sizes,		\
		.map = pt_map,			\
		.unmap = pt_unmap,		\
		.lookup = pt_lookup,		\
		.cut = pt_cut,			\
		.read_dirty = pt_read_dirty,	\
	}

#endif

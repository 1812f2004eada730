/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_HOLE_H
#define __IOMMUFD_HOLE_H

#include <linux/interval_tree.h>

bool next_hole(struct rb_root_cached *used, unsigned long *first,
	       unsigned long *last);

#endif

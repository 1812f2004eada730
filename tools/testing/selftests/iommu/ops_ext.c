// SPDX-License-Identifier: GPL-2.0
#include "ext.h"
#include "mem.h"
#include "ops_ext.h"

int ops_ext_instance(struct ops_env *e)
{
	struct instance in;
	uint32_t length = sizeof(in);

	return ext_hw_info(e->fd, e->dev[0].vdev.id, IOMMU_EXT_HW_INFO_INSTANCE, &in, &length);
}

int ops_ext_windows_info(struct ops_env *e)
{
	struct windows_info info;
	uint32_t length = sizeof(info);

	return ext_hw_info(e->fd, e->dev[0].vdev.id, IOMMU_EXT_HW_INFO_WINDOWS, &info, &length);
}

/* A table that has to be filled, and a window that has to be found. */
int ops_ext_hwpt(struct ops_env *e)
{
	struct windows w = {};

	ext_want(&w, 0, MIB, 0, 0, 0);
	ext_want(&w, 0, GIB, 0, 0, ANYWHERE);
	return ext_hwpt(e->fd, e->dev[0].vdev.id, e->ioas, 0, &w, &e->id);
}

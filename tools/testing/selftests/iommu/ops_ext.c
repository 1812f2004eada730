// SPDX-License-Identifier: GPL-2.0
#include "ext.h"
#include "mem.h"
#include "mock.h"
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

/* --- on the mock, where the driver makes the windows --- */

static struct mockdev dev;
static uint32_t ioas, own;

static void windowed_device(struct ops_env *e)
{
	/* the device's own windows are in another address space */
	OK(iofd_ioas(e->fd, &own));
	OK(mock_device_on(e->fd, own, UNIT_WINDOWED, &dev));
	OK(iofd_ioas(e->fd, &ioas));
}

static void drop_device(struct ops_env *e)
{
	OK(iofd_destroy(e->fd, dev.stdev));
	OK(iofd_destroy(e->fd, ioas));
	OK(iofd_destroy(e->fd, own));
}

static int windowed_hwpt(struct ops_env *e)
{
	struct windows w = {};

	ext_want(&w, 1ULL << 59, GIB, 0, 0, 0);
	ext_want(&w, 0, GIB, 0, 0, ANYWHERE);
	return ext_hwpt(e->fd, dev.idev, ioas, 0, &w, &e->id);
}

static void drop_hwpt(struct ops_env *e)
{
	OK(iofd_destroy(e->fd, e->id));
	drop_device(e);
}

static int windowed_info(struct ops_env *e)
{
	struct windows_info info;
	uint32_t length = sizeof(info);

	return ext_hw_info(e->fd, dev.idev, IOMMU_EXT_HW_INFO_WINDOWS, &info, &length);
}

static int instance(struct ops_env *e)
{
	struct instance in;
	uint32_t length = sizeof(in);

	return ext_hw_info(e->fd, dev.idev, IOMMU_EXT_HW_INFO_INSTANCE, &in, &length);
}

static const struct ops_op ops[] = {
	{ "HWPT_ALLOC with windows made on request", 0, IOMMU_HWPT_ALLOC, windowed_device,
	  windowed_hwpt, drop_hwpt },
	{ "GET_HW_INFO about windows made on request", 0, IOMMU_GET_HW_INFO, windowed_device,
	  windowed_info, drop_device },
	{ "GET_HW_INFO about the instance", 0, IOMMU_GET_HW_INFO, windowed_device, instance,
	  drop_device },
};

const struct ops_table ops_ext = { ops, sizeof(ops) / sizeof(ops[0]) };

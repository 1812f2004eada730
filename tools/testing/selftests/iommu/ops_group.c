// SPDX-License-Identifier: GPL-2.0
/* A group with a /dev/iommu as its container, and the opening of device files. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <unistd.h>

#include "ops.h"

static void close_other(struct ops_env *e)
{
	close(e->other);
	e->other = -1;
}

static void compat(struct ops_env *e)
{
	struct iommu_vfio_ioas c = {
		.size = sizeof(c), .op = IOMMU_VFIO_IOAS_SET, .ioas_id = e->ioas,
	};

	OK(iofd_ioctl(e->fd, IOMMU_VFIO_IOAS, &c));
}

static int group_fd = -1;

static void open_group(struct ops_env *e)
{
	char path[64];
	pci_bdf bdf;

	if (group_fd >= 0)
		return;
	if (!pci_find(PCI_EDU, 1, bdf))
		tap_skip("this machine has no edu device number 1");
	OK(vdev_find(&e->dev[1].vdev, bdf));
	snprintf(path, sizeof(path), "/dev/vfio/%d", pci_group(bdf));
	group_fd = open(path, O_RDWR | O_CLOEXEC);
	CHECK(group_fd >= 0);
	e->dev[1].vdev.fd = -1;
	compat(e);
}

static int set_container(struct ops_env *e)
{
	return iofd_ioctl(group_fd, VFIO_GROUP_SET_CONTAINER, &e->fd);
}

static void unset_container(struct ops_env *e)
{
	OK(iofd_ioctl(group_fd, VFIO_GROUP_UNSET_CONTAINER, NULL));
}

static void in_container(struct ops_env *e)
{
	open_group(e);
	OK(set_container(e));
}

static int device_by_group(struct ops_env *e)
{
	e->other = iofd_ioctl(group_fd, VFIO_GROUP_GET_DEVICE_FD, e->dev[1].vdev.bdf);
	return e->other < 0 ? e->other : 0;
}

static void close_by_group(struct ops_env *e)
{
	close_other(e);
	unset_container(e);
}

static void find_second(struct ops_env *e)
{
	pci_bdf bdf;

	if (!pci_find(PCI_EDU, 1, bdf))
		tap_skip("this machine has no edu device number 1");
	if (!e->dev[1].vdev.node[0])
		OK(vdev_find(&e->dev[1].vdev, bdf));
}

static int open_node(struct ops_env *e)
{
	e->other = open(e->dev[1].vdev.node, O_RDWR | O_CLOEXEC);
	return e->other < 0 ? -errno : 0;
}

static const struct ops_op ops[] = {
	{ "a group's SET_CONTAINER", 1, 0, open_group, set_container, unset_container },
	{ "a group's GET_DEVICE_FD", 1, 0, in_container, device_by_group, close_by_group },
	{ "open of a device's file", 1, 0, find_second, open_node, close_other },
};

const struct ops_table ops_group = { ops, sizeof(ops) / sizeof(ops[0]) };

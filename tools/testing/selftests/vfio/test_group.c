// SPDX-License-Identifier: GPL-2.0
/* The group and its type1 container beside the device file. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common.h"
#include "legacy.h"
#include "mem.h"

#define BIND VFIO_DEVICE_BIND_IOMMUFD

static void in_turn(void)
{
	int i, iommufd = OK(iofd_open());
	void *rw = mem_anon(PAGE);
	struct legacy l;
	struct vdev v;
	struct edu e;
	uint32_t ioas, pt;

	want_device(&v, PCI_EDU, 0);
	OK(iofd_ioas(iommufd, &ioas));
	OK(iofd_map_at(iommufd, ioas, rw, PAGE, IOVA));
	for (i = 0; i < 3; i++) {
		legacy_group(&l, &v, true);
		legacy_device(&l);
		legacy_check_dma(&l, 40 + i);
		legacy_close(&l);

		OK(vdev_open(&v));
		OK(vdev_bind(&v, iommufd));
		OK(edu_init(&e, &v));
		pt = ioas;
		OK(vdev_attach(&v, &pt));
		HOLDS(dma_works(&e, IOVA, rw, 50 + i));
		edu_fini(&e);
		vdev_close(&v);
	}
}

static void group_first(void)
{
	int rc, iommufd = OK(iofd_open());
	struct legacy l;
	struct vdev v;

	want_vfio_cdev();
	want_device(&v, PCI_EDU, 0);
	OK(vdev_open(&v));
	legacy_group(&l, &v, true);
	OK(legacy_join(&l));
	/* in a container: its DMA has an owner */
	rc = vdev_bind(&v, iommufd);
	REFUSED(v.fd, BIND, rc, -EPERM);
	legacy_set_iommu(&l);
	l.v.fd = OK(iofd_ioctl(l.group, VFIO_GROUP_GET_DEVICE_FD, l.v.bdf));
	/* and open */
	REFUSED(v.fd, BIND, vdev_bind(&v, iommufd), -EINVAL);
	CHECK(strstr(iommufd_last_reason(v.fd), "group"));
	legacy_check_dma(&l, 60);
	legacy_close(&l);
	OK(vdev_bind(&v, iommufd));
}

static void file_first(void)
{
	int iommufd = OK(iofd_open());
	struct legacy l;
	struct vdev v;
	int rc;

	want_vfio_cdev();
	want_bound(&v, PCI_EDU, 0, iommufd);
	legacy_group(&l, &v, false);
	rc = legacy_join(&l);
	CHECK(rc == -EPERM || rc == -EBUSY);
	vdev_close(&v);
	legacy_device(&l);
	legacy_check_dma(&l, 61);
	legacy_close(&l);
}

/* One of two in a group is ours: the container cannot have the other. */
static void half_a_group(void)
{
	int iommufd = OK(iofd_open()), rc;
	struct vdev a, b;
	struct legacy l;

	want_vfio_cdev();
	want_pair(&a, &b);
	OK(vdev_open(&a));
	OK(vdev_bind(&a, iommufd));
	legacy_group(&l, &b, false);
	rc = legacy_join(&l);
	CHECK(rc == -EPERM || rc == -EBUSY);
	legacy_close(&l);
	vdev_close(&a);

	legacy_group(&l, &b, true);
	OK(legacy_join(&l));
	OK(vdev_open(&a));
	REFUSED(a.fd, BIND, vdev_bind(&a, iommufd), -EPERM);
	legacy_close(&l);
	OK(vdev_bind(&a, iommufd));
}

static const struct tap_test tests[] = {
	{ "type1 and /dev/iommu in turn on one device", in_turn, 90 },
	{ "a device of a container cannot be bound", group_first, 60 },
	{ "the group of a bound device joins no container", file_first, 60 },
	{ "a group is not shared between container and iommufd", half_a_group, 60 },
};

int main(int argc, char **argv)
{
	if (access("/dev/vfio/vfio", F_OK)) {
		printf("1..0 # SKIP no VFIO container here\n");
		return 4;
	}
	return TAP_RUN(argc, argv, tests);
}

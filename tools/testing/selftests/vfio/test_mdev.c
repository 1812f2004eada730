// SPDX-License-Identifier: GPL-2.0
/*
 * Mediated devices: those of the kernel's samples, where they are built. They
 * have no IOMMU, so that iommufd meets them as in-kernel accesses.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common.h"
#include "mem.h"

#define UUID	"83b8f4f2-509f-382f-3c1e-e6bfe0fa10"

static int put(const char *path, const char *text)
{
	int rc = 0, fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

static void remove_mdev(int n)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/mdev/devices/" UUID "%02d/remove", n);
	put(path, "1");
}

/* A new device of the first type that the parent has; its device file. */
static void make(struct vdev *v, const char *parent, int n)
{
	char path[256], types[128], uuid[64];
	struct dirent *e;
	int tries;
	DIR *d;

	snprintf(types, sizeof(types), "/sys/class/mdev_bus/%s/mdev_supported_types", parent);
	d = opendir(types);
	if (!d)
		tap_skip("no %s here", parent);
	path[0] = 0;
	while ((e = readdir(d)))
		if (e->d_name[0] != '.')
			snprintf(path, sizeof(path), "%s/%.64s/create", types, e->d_name);
	closedir(d);
	CHECK(path[0]);
	remove_mdev(n);
	snprintf(uuid, sizeof(uuid), UUID "%02d", n);
	OK(put(path, uuid));

	memset(v, 0, sizeof(*v));
	v->fd = -1;
	snprintf(path, sizeof(path), "/sys/bus/mdev/devices/%s/vfio-dev", uuid);
	d = opendir(path);
	CHECK(d);
	while ((e = readdir(d)))
		if (!strncmp(e->d_name, "vfio", 4))
			snprintf(v->node, sizeof(v->node), "/dev/vfio/devices/%.32s", e->d_name);
	closedir(d);
	for (tries = 0; access(v->node, F_OK) && tries < 50; tries++)
		usleep(10000);
	if (tries == 50)
		tap_skip("this kernel's VFIO has no device files");
}

static void one(void)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	uint32_t ioas, pt;
	uint16_t vendor;
	int iommufd;
	struct vdev v;
	void *mem;

	make(&v, tap_current->arg, 1);
	iommufd = OK(iofd_open());
	OK(iofd_ioas(iommufd, &ioas));
	mem = mem_anon(PAGE);
	OK(iofd_map_at(iommufd, ioas, mem, PAGE, IOVA));
	OK(vdev_open(&v));
	OK(vdev_bind(&v, iommufd));
	CHECK_EQ(iofd_objects(iommufd, "access"), 1);
	pt = ioas;
	OK(vdev_attach(&v, &pt));
	CHECK_EQ(pt, ioas);
	OK(iofd_ioctl(v.fd, VFIO_DEVICE_GET_INFO, &info));
	CHECK(info.num_regions);
	OK(vdev_config_read(&v, 0, &vendor, sizeof(vendor)));
	CHECK(vendor && vendor != 0xffff);
	ERR(iofd_destroy(iommufd, ioas), -EBUSY);
	OK(vdev_detach(&v));
	OK(vdev_attach(&v, &pt));
	vdev_close(&v);
	OK(iofd_destroy(iommufd, ioas));
	remove_mdev(1);
}

/* Two of them and a physical device share an address space. */
static void together(void)
{
	struct vdev a, b, edu;
	uint32_t ioas, pt;
	int iommufd;

	make(&a, "mtty", 1);
	make(&b, "mdpy", 2);
	iommufd = OK(iofd_open());
	OK(iofd_ioas(iommufd, &ioas));
	want_bound(&edu, PCI_EDU, 0, iommufd);
	OK(vdev_open(&a));
	OK(vdev_open(&b));
	OK(vdev_bind(&a, iommufd));
	OK(vdev_bind(&b, iommufd));
	pt = ioas;
	OK(vdev_attach(&a, &pt));
	OK(vdev_attach(&b, &pt));
	OK(vdev_attach(&edu, &pt));
	CHECK_EQ(iofd_objects(iommufd, "access"), 2);
	CHECK_EQ(iofd_objects(iommufd, "device"), 1);
	CHECK_EQ(iofd_objects(iommufd, "hwpt"), 1);
	OK(iofd_map_at(iommufd, ioas, mem_anon(PAGE), PAGE, IOVA));
	vdev_close(&edu);
	vdev_close(&a);
	vdev_close(&b);
	CHECK_EQ(iofd_objects(iommufd, NULL), 1);
	remove_mdev(1);
	remove_mdev(2);
}

int main(int argc, char **argv)
{
	static const struct tap_test tests[] = {
		{ "mtty", one, .arg = "mtty" },
		{ "mdpy", one, .arg = "mdpy" },
		{ "two of them and a physical device", together },
	};

	return TAP_RUN(argc, argv, tests);
}

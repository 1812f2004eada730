// SPDX-License-Identifier: GPL-2.0
/* Which devices have a node, where it is, and when it comes and goes. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common.h"

static int entries(const char *folder)
{
	struct dirent *e;
	DIR *d = opendir(folder);
	int n = 0;

	if (!d)
		return -errno;
	while ((e = readdir(d)))
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static void device_path(char *path, size_t size, const struct vdev *v, const char *tail)
{
	snprintf(path, size, "/sys/bus/pci/devices/%s/%s", v->bdf, tail);
}

static const char *vfio_name(const struct vdev *v)
{
	return strrchr(v->node, '/') + 1;
}

static bool has_number(const struct vdev *v, char *text, size_t size)
{
	char attr[80];

	snprintf(attr, sizeof(attr), "vfio-dev/%s/dev", vfio_name(v));
	return !pci_attr(v->bdf, attr, text, size);
}

static void wait_gone(const char *path)
{
	int tries;

	for (tries = 0; !access(path, F_OK) && tries < 100; tries++)
		usleep(20000);
	CHECK(access(path, F_OK) && errno == ENOENT);
}

static void layout(void)
{
	char path[160], number[32], target[256];
	struct vdev v;
	struct stat st;
	ssize_t n;
	int i;

	for (i = 0; i < 2; i++) {
		want_device(&v, PCI_EDU, i);
		device_path(path, sizeof(path), &v, "vfio-dev");
		CHECK_EQ(entries(path), 1);
		CHECK(has_number(&v, number, sizeof(number)));

		CHECK(!stat(v.node, &st));
		CHECK(S_ISCHR(st.st_mode));
		CHECK_EQ(st.st_mode & 0777, 0600);
		snprintf(path, sizeof(path), "%u:%u", major(st.st_rdev), minor(st.st_rdev));
		CHECK(!strcmp(path, number));

		/* from the number back to the device */
		snprintf(path, sizeof(path), "/sys/dev/char/%s/device", number);
		n = readlink(path, target, sizeof(target) - 1);
		CHECK(n > 0);
		target[n] = 0;
		CHECK(strstr(target, v.bdf));
	}
}

/* vfio-pci refuses a device whose DMA nothing confines, so there is no node. */
static void no_iommu(void)
{
	char path[160];
	struct vdev v;
	pci_bdf bdf;

	if (!pci_find(PCI_EDU, 0, bdf))
		tap_skip("no edu here");
	if (pci_group(bdf) >= 0)
		tap_skip("there is an IOMMU");
	CHECK(vdev_find(&v, bdf) < 0);
	device_path(path, sizeof(path), &v, "vfio-dev");
	CHECK(access(path, F_OK) && errno == ENOENT);
	CHECK(access("/dev/vfio/devices", F_OK) && errno == ENOENT);
	OK(pci_bind(bdf, ""));
}

static void other_drivers(void)
{
	char path[160];
	struct vdev v;

	want_device(&v, PCI_EDU, 0);
	OK(pci_bind(v.bdf, ""));
	device_path(path, sizeof(path), &v, "vfio-dev");
	CHECK(access(path, F_OK) && errno == ENOENT);
	wait_gone(v.node);
	OK(find_again(&v));
}

/* One message of the kernel to udev, as "action@path\0KEY=value\0...". */
struct uevent {
	char text[4096];
	size_t len;
};

static const char *uevent_get(const struct uevent *u, const char *key)
{
	size_t at = strlen(u->text) + 1, len = strlen(key);

	for (; at < u->len; at += strlen(u->text + at) + 1)
		if (!strncmp(u->text + at, key, len) && u->text[at + len] == '=')
			return u->text + at + len + 1;
	return "";
}

static int uevent_open(void)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);

	CHECK(fd >= 0);
	CHECK(!bind(fd, (struct sockaddr *)&a, sizeof(a)));
	return fd;
}

/* Waits for an event of this action and subsystem that names this node. */
static bool uevent_wait(int fd, struct uevent *u, const char *action,
			const char *subsystem, const char *node)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;

	while (poll(&p, 1, 3000) == 1) {
		n = recv(fd, u->text, sizeof(u->text) - 1, 0);
		if (n <= 0)
			continue;
		u->text[n] = 0;
		u->len = n;
		if (!strcmp(uevent_get(u, "ACTION"), action) &&
		    !strcmp(uevent_get(u, "SUBSYSTEM"), subsystem) &&
		    !strcmp(uevent_get(u, "DEVNAME"), node + strlen("/dev/")))
			return true;
	}
	return false;
}

static void check_number(const struct uevent *u, const char *number)
{
	char text[64];

	snprintf(text, sizeof(text), "%s:%s", uevent_get(u, "MAJOR"), uevent_get(u, "MINOR"));
	if (strcmp(text, number))
		tap_fail(__FILE__, __LINE__, "the event says %s, sysfs %s", text, number);
}

static void uevents(void)
{
	char number[32];
	struct uevent u;
	struct vdev v;
	int fd;

	want_vfio_cdev();
	want_device(&v, PCI_EDU, 0);
	fd = uevent_open();
	CHECK(has_number(&v, number, sizeof(number)));
	OK(pci_bind(v.bdf, ""));
	CHECK(uevent_wait(fd, &u, "remove", "vfio-cdev", v.node));
	check_number(&u, number);

	OK(find_again(&v));
	CHECK(has_number(&v, number, sizeof(number)));
	CHECK(uevent_wait(fd, &u, "add", "vfio-cdev", v.node));
	check_number(&u, number);
	/* for udev rules that were written for the subsystem of mainline */
	CHECK(uevent_wait(fd, &u, "change", "vfio-dev", v.node));
	check_number(&u, number);
}

static void reload(void)
{
	char path[160], number[32];
	struct vdev v;

	want_vfio_cdev();
	want_device(&v, PCI_EDU, 0);
	OK(module_unload("vfio_cdev"));
	wait_gone(v.node);
	device_path(path, sizeof(path), &v, "vfio-dev");
	CHECK_EQ(entries(path), 1);	/* vfio-pci's own, without a number */
	CHECK(!has_number(&v, number, sizeof(number)));
	CHECK(entries("/sys/class/vfio-cdev") == -ENOENT);

	/* one that was bound before, and one that comes later */
	OK(module_load("vfio_cdev"));
	OK(find_again(&v));
	OK(pci_bind(v.bdf, ""));
	OK(find_again(&v));
	OK(vdev_open(&v));
}

static void reload_often(void)
{
	struct vdev v;
	int i;

	want_vfio_cdev();
	want_device(&v, PCI_EDU, 0);
	for (i = 0; i < 10; i++) {
		OK(module_unload("vfio_cdev"));
		OK(module_load("vfio_cdev"));
	}
	OK(find_again(&v));
}

/* Loading looks at every device while another process binds and unbinds one. */
static void reload_race(void)
{
	pid_t child;
	struct vdev v;
	int i;

	want_vfio_cdev();
	want_device(&v, PCI_EDU, 1);
	child = fork();
	CHECK(child >= 0);
	if (!child) {
		for (i = 0; i < 15; i++) {
			pci_bind(v.bdf, "");
			pci_bind(v.bdf, "vfio-pci");
		}
		_exit(0);
	}
	for (i = 0; i < 10; i++) {
		OK(module_unload("vfio_cdev"));
		OK(module_load("vfio_cdev"));
	}
	ERR(writer_done(child, 20000), 0);
	OK(find_again(&v));
	OK(vdev_open(&v));
}

static void unload_refused(void)
{
	struct vdev v;

	want_vfio_cdev();
	want_device(&v, PCI_EDU, 0);
	OK(vdev_open(&v));
	ERR(module_unload("vfio_cdev"), -EAGAIN);
	vdev_close(&v);
	OK(module_unload("vfio_cdev"));
	OK(module_load("vfio_cdev"));
}

static void unload_order(void)
{
	struct vdev v;

	want_device(&v, PCI_EDU, 0);
	/* EAGAIN: another module uses it */
	ERR(module_unload("iommufd"), -EAGAIN);
	OK(vdev_open(&v));
}

static const struct tap_test tests[] = {
	{ "a device of vfio-pci has one entry, a number and a node", layout },
	{ "a device of no driver has no node", other_drivers },
	{ "a device without an IOMMU has no node", no_iommu },
	{ "binding and unbinding bring uevents with the node", uevents },
	{ "the nodes go with the module and come back with it", reload },
	{ "loading and unloading ten times", reload_often, 60 },
	{ "loading while devices are bound and unbound", reload_race, 90 },
	{ "rmmod is refused while a device file is open", unload_refused },
	{ "iommufd cannot go before vfio_cdev", unload_order },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

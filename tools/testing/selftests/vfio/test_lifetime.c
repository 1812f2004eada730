// SPDX-License-Identifier: GPL-2.0
/* The driver or the device goes while its file is open. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common.h"
#include "mem.h"

static void wait_gone(const char *path)
{
	int tries;

	for (tries = 0; !access(path, F_OK) && tries < 100; tries++)
		usleep(20000);
	CHECK(access(path, F_OK) && errno == ENOENT);
}

/* The eventfd by which the driver asks for the device. */
static int request_event(struct vdev *v)
{
	struct {
		struct vfio_irq_set set;
		int32_t fd;
	} a = {
		.set = {
			.argsz = sizeof(a),
			.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
			.index = VFIO_PCI_REQ_IRQ_INDEX,
			.count = 1,
		},
		.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};

	CHECK(a.fd >= 0);
	OK(iofd_ioctl(v->fd, VFIO_DEVICE_SET_IRQS, &a));
	return a.fd;
}

/*
 * path is written to take the device away. It waits for us; meanwhile the
 * device works on for who has it, and nobody new gets it.
 */
static void taken_away(struct vdev *v, const char *path, const char *text)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	int iommufd = OK(iofd_open()), idle, request;
	void *rw = mem_anon(PAGE);
	char attr[80], number[32];
	uint32_t ioas, pt;
	struct pollfd p;
	struct vdev w;
	struct edu e;
	pid_t writer;

	OK(vdev_open(v));
	OK(vdev_bind(v, iommufd));
	OK(edu_init(&e, v));
	OK(iofd_ioas(iommufd, &ioas));
	OK(iofd_map_at(iommufd, ioas, rw, PAGE, IOVA));
	pt = ioas;
	OK(vdev_attach(v, &pt));
	w = *v;
	OK(vdev_open(&w));
	request = request_event(v);

	writer = writer_start(path, text);
	wait_gone(v->node);
	snprintf(attr, sizeof(attr), "vfio-dev/%s/dev", strrchr(v->node, '/') + 1);
	CHECK(pci_attr(v->bdf, attr, number, sizeof(number)) < 0);
	p = (struct pollfd){ .fd = request, .events = POLLIN };
	CHECK_EQ(poll(&p, 1, 3000), 1);
	ERR(writer_done(writer, 300), -EBUSY);

	idle = open(v->node, O_RDWR);
	CHECK(idle < 0 && errno == ENOENT);
	REFUSED(w.fd, VFIO_DEVICE_BIND_IOMMUFD, vdev_bind(&w, OK(iofd_open())), -ENODEV);
	OK(iofd_ioctl(v->fd, VFIO_DEVICE_GET_INFO, &info));
	HOLDS(dma_works(&e, IOVA, rw, 21));
	OK(vdev_detach(v));

	edu_fini(&e);
	vdev_close(v);
	ERR(writer_done(writer, 300), -EBUSY);	/* w is open, if not bound */
	vdev_close(&w);
	ERR(writer_done(writer, 12000), 0);
	CHECK_EQ(iofd_objects(iommufd, "device"), 0);
}

static void driver_unbind(void)
{
	char path[128];
	struct vdev v;
	struct edu e;
	int iommufd;

	want_vfio_cdev();
	want_device(&v, PCI_EDU, 0);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver/unbind", v.bdf);
	taken_away(&v, path, v.bdf);
	iommufd = OK(iofd_open());
	OK(find_again(&v));
	OK(vdev_open(&v));
	OK(vdev_bind(&v, iommufd));
	OK(edu_init(&e, &v));
}

static void pci_remove(void)
{
	char path[128];
	struct vdev v;
	struct edu e;
	int iommufd;

	want_vfio_cdev();
	want_device(&v, PCI_EDU, 1);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/remove", v.bdf);
	taken_away(&v, path, "1");
	CHECK(access(path, F_OK) && errno == ENOENT);
	ERR(writer_done(writer_start("/sys/bus/pci/rescan", "1"), 20000), 0);
	CHECK(!access(path, F_OK));
	iommufd = OK(iofd_open());
	OK(find_again(&v));
	OK(vdev_open(&v));
	OK(vdev_bind(&v, iommufd));
	OK(edu_init(&e, &v));
}

/* A file that was opened and never bound holds up the driver as well. */
static void idle_file(void)
{
	char path[128];
	struct vdev v;
	pid_t writer;

	want_device(&v, PCI_EDU, 0);
	OK(vdev_open(&v));
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver/unbind", v.bdf);
	writer = writer_start(path, v.bdf);
	ERR(writer_done(writer, 300), -EBUSY);
	vdev_close(&v);
	ERR(writer_done(writer, 12000), 0);
	OK(find_again(&v));
}

/* Module unload has to wait for files, and the driver's module for us. */
static void driver_module_held(void)
{
	int iommufd = OK(iofd_open());
	struct vdev v;

	want_vfio_cdev();
	want_bound(&v, PCI_EDU, 0, iommufd);
	ERR(module_unload("vfio_cdev"), -EAGAIN);
	ERR(module_unload("vfio_pci"), -EAGAIN);
}

static void *open_and_bind(void *arg)
{
	struct vdev v = *(struct vdev *)arg;
	int i, rc, iommufd = iofd_open();
	long odd = 0;

	for (i = 0; i < 60; i++) {
		rc = vdev_open(&v);
		if (rc) {
			/* no node, or its device is just going */
			odd += rc != -ENOENT && rc != -ENODEV && rc != -ENXIO;
			usleep(2000);
			continue;
		}
		rc = vdev_bind(&v, iommufd);
		odd += rc && rc != -ENODEV;
		vdev_close(&v);
	}
	close(iommufd);
	return (void *)odd;
}

/* The driver comes and goes while another thread opens and binds. */
static void race_unbind(void)
{
	struct vdev v;
	pthread_t t;
	void *odd;
	int i;

	want_device(&v, PCI_EDU, 0);
	CHECK(!pthread_create(&t, NULL, open_and_bind, &v));
	for (i = 0; i < 20; i++) {
		OK(pci_bind(v.bdf, ""));
		OK(pci_bind(v.bdf, "vfio-pci"));
	}
	pthread_join(t, &odd);
	CHECK_EQ((long)odd, 0);
	OK(find_again(&v));
	OK(vdev_open(&v));
	OK(vdev_bind(&v, OK(iofd_open())));
}

static const struct tap_test tests[] = {
	{ "the driver is unbound while the device is in use", driver_unbind, 60 },
	{ "the PCI device is removed while it is in use", pci_remove, 60 },
	{ "the driver is unbound while a file is open, not bound", idle_file, 60 },
	{ "no module of a bound device can go", driver_module_held },
	{ "open and BIND while the driver comes and goes", race_unbind, 90 },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

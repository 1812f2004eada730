// SPDX-License-Identifier: GPL-2.0
/*
 * A device file of a variant driver, ko/vfio_edu_test.c: its migration
 * operations, and what it sees when it is opened.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common.h"
#include "mem.h"

#define FEATURE	VFIO_DEVICE_FEATURE
#define PARAMS	"/sys/module/vfio_edu_test/parameters/"
#define GET	VFIO_DEVICE_FEATURE_GET
#define SET	VFIO_DEVICE_FEATURE_SET
#define PROBE	VFIO_DEVICE_FEATURE_PROBE

static int put(const char *path, const char *text)
{
	return writer_done(writer_start(path, text), 5000);
}

/* As vdev_find(), which would give the device to vfio-pci. */
static void find(struct vdev *v)
{
	char path[128];
	struct dirent *e;
	int tries;
	DIR *d;

	memset(v, 0, sizeof(*v));
	v->fd = -1;
	if (!pci_find(PCI_EDU, 0, v->bdf))
		tap_skip("no edu here");
	if (pci_group(v->bdf) < 0)
		tap_skip("%s is behind no IOMMU", v->bdf);
	if (access("/m/vfio_edu_test.ko", F_OK))
		tap_skip("the test driver was not built");
	if (access(PARAMS, F_OK))
		OK(module_load("vfio_edu_test"));
	OK(pci_bind(v->bdf, "vfio_edu_test"));
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", v->bdf);
	d = opendir(path);
	CHECK(d);
	while ((e = readdir(d)))
		if (e->d_name[0] != '.')
			snprintf(v->node, sizeof(v->node), "/dev/vfio/devices/%.32s", e->d_name);
	closedir(d);
	for (tries = 0; access(v->node, F_OK) && tries < 100; tries++)
		usleep(20000);
}

static void setup(struct vdev *v, int iommufd)
{
	find(v);
	OK(vdev_open(v));
	OK(vdev_bind(v, iommufd));
}

static int feature(struct vdev *v, uint32_t flags, void *data, size_t len)
{
	char buf[64] = {};
	struct vfio_device_feature *f = (struct vfio_device_feature *)buf;
	int rc;

	f->argsz = sizeof(*f) + len;
	f->flags = flags;
	memcpy(f->data, data, len);
	rc = iofd_ioctl(v->fd, FEATURE, f);
	memcpy(data, f->data, len);
	return rc;
}

static void works(void)
{
	int iommufd = OK(iofd_open());
	void *rw = mem_anon(PAGE);
	uint32_t ioas, pt;
	char text[256];
	struct vdev v;
	struct edu e;

	want_vfio_cdev();
	setup(&v, iommufd);
	CHECK(fdinfo(v.fd, "vfio-device", text, sizeof(text)));
	CHECK(strstr(text, "vfio_edu_test"));
	OK(edu_init(&e, &v));
	OK(iofd_ioas(iommufd, &ioas));
	OK(iofd_map_at(iommufd, ioas, rw, PAGE, IOVA));
	pt = ioas;
	OK(vdev_attach(&v, &pt));
	HOLDS(dma_works(&e, IOVA, rw, 71));
	/* its module is held by the bound file */
	ERR(module_unload("vfio_edu_test"), -EAGAIN);
}

static void open_fails(void)
{
	int iommufd = OK(iofd_open());
	struct vdev v;

	find(&v);
	OK(vdev_open(&v));
	OK(put(PARAMS "fail_open", "Y"));
	REFUSED(v.fd, VFIO_DEVICE_BIND_IOMMUFD, vdev_bind(&v, iommufd), -EIO);
	CHECK_EQ(iofd_objects(iommufd, "device"), 0);
	OK(vdev_bind(&v, iommufd));
	vdev_close(&v);
	OK(pci_bind(v.bdf, ""));
	OK(module_unload("vfio_edu_test"));
}

static void migration_caps(void)
{
	const uint32_t f = VFIO_DEVICE_FEATURE_MIGRATION;
	struct vfio_device_feature_migration m = {};
	int iommufd = OK(iofd_open());
	struct vdev v;

	setup(&v, iommufd);
	OK(feature(&v, f | PROBE, &m, 0));
	OK(feature(&v, f | PROBE | GET, &m, 0));
	REFUSED(v.fd, FEATURE, feature(&v, f | PROBE | GET | SET, &m, 0), -EINVAL);
	REFUSED(v.fd, FEATURE, feature(&v, f | SET, &m, sizeof(m)), -EINVAL);
	REFUSED(v.fd, FEATURE, feature(&v, f, &m, sizeof(m)), -EINVAL);
	REFUSED(v.fd, FEATURE, feature(&v, f | GET, &m, sizeof(m) - 1), -EINVAL);
	OK(feature(&v, f | GET, &m, sizeof(m)));
	CHECK_EQ(m.flags, VFIO_MIGRATION_STOP_COPY);
}

static int set_state(struct vdev *v, uint32_t state, int *stream)
{
	struct vfio_device_feature_mig_state s = { .device_state = state, .data_fd = 77 };
	int rc = feature(v, VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE | SET, &s, sizeof(s));

	if (stream)
		*stream = s.data_fd;
	return rc;
}

static uint32_t get_state(struct vdev *v)
{
	struct vfio_device_feature_mig_state s = { .device_state = 99, .data_fd = 77 };

	OK(feature(v, VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE | GET, &s, sizeof(s)));
	CHECK_EQ(s.data_fd, -1);
	return s.device_state;
}

static void migration_state(void)
{
	const uint32_t f = VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE;
	struct vfio_device_feature_mig_state s = {};
	int iommufd = OK(iofd_open()), stream;
	char text[64];
	struct vdev v;

	setup(&v, iommufd);
	OK(feature(&v, f | PROBE | GET | SET, &s, 0));
	REFUSED(v.fd, FEATURE, feature(&v, f | GET, &s, sizeof(s) - 1), -EINVAL);
	CHECK_EQ(get_state(&v), VFIO_DEVICE_STATE_RUNNING);
	REFUSED(v.fd, FEATURE, set_state(&v, VFIO_DEVICE_STATE_ERROR, NULL), -EINVAL);
	REFUSED(v.fd, FEATURE, set_state(&v, 12345, &stream), -EINVAL);
	CHECK_EQ(stream, -1);
	CHECK_EQ(get_state(&v), VFIO_DEVICE_STATE_RUNNING);
	OK(set_state(&v, VFIO_DEVICE_STATE_STOP, &stream));
	CHECK_EQ(stream, -1);
	OK(set_state(&v, VFIO_DEVICE_STATE_STOP_COPY, &stream));
	CHECK(stream >= 0 && stream != 77);
	CHECK_EQ(get_state(&v), VFIO_DEVICE_STATE_STOP_COPY);
	CHECK(read(stream, text, sizeof(text)) == sizeof("state of an edu"));
	CHECK(!strcmp(text, "state of an edu"));
	close(stream);
	OK(set_state(&v, VFIO_DEVICE_STATE_RUNNING, NULL));
}

/* A stream whose number cannot be handed out does not stay open. */
static void no_way_out(void)
{
	int fd = OK(mem_file(PAGE, 0)), iommufd = OK(iofd_open()), next;
	struct {
		struct vfio_device_feature f;
		struct vfio_device_feature_mig_state s;
	} *rw, *ro;
	struct vdev v;

	rw = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ro = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(rw != MAP_FAILED && ro != MAP_FAILED);
	setup(&v, iommufd);
	rw->f.argsz = sizeof(*rw);
	rw->f.flags = VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE | SET;
	rw->s.device_state = VFIO_DEVICE_STATE_STOP_COPY;
	next = dup(fd);
	close(next);
	REFUSED(v.fd, FEATURE, iofd_ioctl(v.fd, FEATURE, ro), -EFAULT);
	CHECK_EQ(dup(fd), next);
}

static void migration_size(void)
{
	const uint32_t f = VFIO_DEVICE_FEATURE_MIG_DATA_SIZE;
	struct vfio_device_feature_mig_data_size s = {};
	int iommufd = OK(iofd_open());
	struct vdev v;

	setup(&v, iommufd);
	OK(feature(&v, f | PROBE | GET, &s, 0));
	REFUSED(v.fd, FEATURE, feature(&v, f | SET, &s, sizeof(s)), -EINVAL);
	OK(feature(&v, f | GET, &s, sizeof(s)));
	CHECK_EQ(s.stop_copy_length, sizeof("state of an edu"));
}

/* The driver has a log; this kernel's drivers cannot write anything into it. */
static void dma_logging(void)
{
	int iommufd = OK(iofd_open());
	char data[40] = {};
	struct vdev v;

	want_vfio_cdev();
	setup(&v, iommufd);
	REFUSED(v.fd, FEATURE, feature(&v, VFIO_DEVICE_FEATURE_DMA_LOGGING_START | PROBE,
				       data, 0), -ENOTTY);
	CHECK(strstr(iommufd_last_reason(v.fd), "CONFIG_IOMMUFD_DRIVER"));
	REFUSED(v.fd, FEATURE, feature(&v, VFIO_DEVICE_FEATURE_DMA_LOGGING_START | SET,
				       data, sizeof(data)), -ENOTTY);
}

static bool saw_machine(void)
{
	char c = 0;
	int fd = open(PARAMS "saw_machine", O_RDONLY);

	CHECK(fd >= 0 && read(fd, &c, 1) == 1);
	close(fd);
	return c == 'Y';
}

static void machine(void)
{
	struct kvm_create_device make = { .type = KVM_DEV_TYPE_VFIO };
	int iommufd = OK(iofd_open()), kvm, vm;
	struct kvm_device_attr a = {
		.group = KVM_DEV_VFIO_FILE,
		.attr = KVM_DEV_VFIO_FILE_ADD,
	};
	struct vdev v;

	setup(&v, iommufd);
	CHECK(!saw_machine());
	vdev_close(&v);
	kvm = open("/dev/kvm", O_RDWR);
	if (kvm < 0)
		tap_skip("no /dev/kvm here");
	vm = OK(iofd_ioctl(kvm, KVM_CREATE_VM, NULL));
	OK(iofd_ioctl(vm, KVM_CREATE_DEVICE, &make));
	OK(vdev_open(&v));
	a.addr = (uintptr_t)&v.fd;
	OK(iofd_ioctl(make.fd, KVM_SET_DEVICE_ATTR, &a));
	OK(vdev_bind(&v, iommufd));
	CHECK(saw_machine());
	a.attr = KVM_DEV_VFIO_FILE_DEL;
	OK(iofd_ioctl(make.fd, KVM_SET_DEVICE_ATTR, &a));
	vdev_close(&v);
	OK(vdev_open(&v));
	OK(vdev_bind(&v, iommufd));
	CHECK(!saw_machine());
}

/* Leave the device as the other programs expect it. */
static void back(void)
{
	pci_bdf bdf;

	if (!pci_find(PCI_EDU, 0, bdf) || pci_group(bdf) < 0)
		tap_skip("no edu behind an IOMMU");
	OK(pci_bind(bdf, "vfio-pci"));
	if (!access(PARAMS, F_OK))
		OK(module_unload("vfio_edu_test"));
}

static const struct tap_test tests[] = {
	{ "a variant driver's device has a file that works", works },
	{ "BIND is undone when the driver cannot open the device", open_fails },
	{ "migration: what the driver can do", migration_caps },
	{ "migration: states, and the stream of one", migration_state },
	{ "migration: a stream that cannot be returned is closed", no_way_out },
	{ "migration: size of the stream", migration_size },
	{ "a log of DMA is refused where it would lose pages", dma_logging },
	{ "the driver sees the virtual machine", machine },
	{ "the device goes back to vfio-pci", back },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

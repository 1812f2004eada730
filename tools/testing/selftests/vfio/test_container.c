// SPDX-License-Identifier: GPL-2.0
/*
 * A group of the stock vfio.ko with a /dev/iommu as its container: what the
 * type1 interface promises, from the group to the device's DMA.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/vfio.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common.h"
#include "legacy.h"
#include "mem.h"

/* where interrupts are written to */
#ifdef __aarch64__
#define MSI 0x8000000
#else
#define MSI 0xfee00000
#endif

static int open_group(const struct vdev *v)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/vfio/%d", pci_group(v->bdf));
	fd = open(path, O_RDWR | O_CLOEXEC);
	CHECK(fd >= 0);
	return fd;
}

static int join(int group, int container)
{
	return iofd_ioctl(group, VFIO_GROUP_SET_CONTAINER, &container);
}

static int leave(int group)
{
	return iofd_ioctl(group, VFIO_GROUP_UNSET_CONTAINER, NULL);
}

static uint32_t status(int group)
{
	struct vfio_group_status s = { .argsz = sizeof(s) };

	OK(iofd_ioctl(group, VFIO_GROUP_GET_STATUS, &s));
	return s.flags;
}

#define VIABLE	VFIO_GROUP_FLAGS_VIABLE
#define HAS	VFIO_GROUP_FLAGS_CONTAINER_SET

static int device_fd(int group, const char *name)
{
	return iofd_ioctl(group, VFIO_GROUP_GET_DEVICE_FD, (void *)name);
}

static int map(int container, void *va, uint64_t iova, uint64_t size)
{
	struct vfio_iommu_type1_dma_map m = {
		.argsz = sizeof(m),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)va, .iova = iova, .size = size,
	};

	return iofd_ioctl(container, VFIO_IOMMU_MAP_DMA, &m);
}

static int unmap(int container, uint64_t iova, uint64_t size)
{
	struct vfio_iommu_type1_dma_unmap u = {
		.argsz = sizeof(u), .iova = iova, .size = size,
	};

	return iofd_ioctl(container, VFIO_IOMMU_UNMAP_DMA, &u);
}

/* A group with a /dev/iommu, and its device open. */
struct setup {
	int iommufd;
	int group;
	struct vdev v;
};

static void begin(struct setup *s, int nth)
{
	want_device(&s->v, PCI_EDU, nth);
	s->v.fd = -1;
	s->iommufd = OK(iofd_open());
	s->group = open_group(&s->v);
	OK(join(s->group, s->iommufd));
	OK(iofd_ioctl(s->iommufd, VFIO_SET_IOMMU, (void *)VFIO_TYPE1v2_IOMMU));
}

static void open_device(struct setup *s)
{
	s->v.fd = OK(device_fd(s->group, s->v.bdf));
}

/* DMA goes where it is mapped and nowhere else, interrupts come. */
static void check_device(struct setup *s, uint32_t seed)
{
	void *rw = mem_anon(PAGE);
	uint64_t count = 0;
	struct edu e;
	int efd, i;

	OK(map(s->iommufd, rw, IOVA, PAGE));
	OK(edu_init(&e, &s->v));
	HOLDS(dma_works(&e, IOVA, rw, seed));
	efd = OK(vdev_msi(&s->v));
	edu_irq(&e, 1);
	for (i = 0; i < 200 && read(efd, &count, sizeof(count)) < 0; i++)
		usleep(10000);
	CHECK_EQ(count, 1);
	edu_irq_ack(&e, 1);
	close(efd);
	OK(unmap(s->iommufd, IOVA, PAGE));
	HOLDS(dma_write_refused(&e, IOVA, rw));
	edu_fini(&e);
	munmap(rw, PAGE);
}

static void all_of_it(void)
{
	struct setup s;
	uint32_t i;

	for (i = 0; i < 3; i++) {
		want_device(&s.v, PCI_EDU, 0);
		s.iommufd = OK(iofd_open());
		s.group = open_group(&s.v);
		CHECK_EQ(status(s.group), VIABLE);
		OK(join(s.group, s.iommufd));
		CHECK_EQ(status(s.group), VIABLE | HAS);
		CHECK_EQ(iofd_objects(s.iommufd, "ioas"), 1);
		CHECK_EQ(iofd_objects(s.iommufd, NULL), 1);
		CHECK_EQ(ioctl(s.iommufd, VFIO_GET_API_VERSION), VFIO_API_VERSION);
		OK(iofd_ioctl(s.iommufd, VFIO_SET_IOMMU, (void *)VFIO_TYPE1v2_IOMMU));
		open_device(&s);
		CHECK_EQ(iofd_objects(s.iommufd, "device"), 1);
		CHECK_EQ(iofd_objects(s.iommufd, "hwpt"), 1);
		CHECK_EQ(fcntl(s.v.fd, F_GETFD), FD_CLOEXEC);
		check_device(&s, 100 + i);
		vdev_close(&s.v);
		CHECK_EQ(iofd_objects(s.iommufd, NULL), 1);
		CHECK_EQ(status(s.group), VIABLE | HAS);
		/* again, in another order of closing */
		open_device(&s);
		check_device(&s, 200 + i);
		close(s.group);
		close(s.iommufd);
		vdev_close(&s.v);
	}
}

/* What is mapped before there is a device reaches it. */
static void mapped_before(void)
{
	char *mem = mem_anon(4 * PAGE);
	struct setup s;
	struct edu e;

	begin(&s, 0);
	OK(iofd_ioctl(s.iommufd, VFIO_SET_IOMMU, (void *)VFIO_TYPE1_IOMMU));
	OK(map(s.iommufd, mem, IOVA, 4 * PAGE));
	open_device(&s);
	OK(edu_init(&e, &s.v));
	HOLDS(dma_works(&e, IOVA + 2 * PAGE, mem + 2 * PAGE, 1));
	OK(unmap(s.iommufd, IOVA + PAGE, PAGE));
	HOLDS(dma_write_refused(&e, IOVA + PAGE, mem + PAGE));
	HOLDS(dma_works(&e, IOVA, mem, 2));
	HOLDS(dma_works(&e, IOVA + 3 * PAGE, mem + 3 * PAGE, 3));
}

static void refusals(void)
{
	char name[64];
	struct vfio_group_status st = { .argsz = sizeof(st) - 1 };
	int stock = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	struct setup s;

	want_vfio_cdev();
	CHECK(stock >= 0);
	begin(&s, 0);
	REFUSED(s.iommufd, VFIO_GROUP_SET_CONTAINER, join(s.group, s.iommufd), -EINVAL);
	REFUSED(s.iommufd, VFIO_GROUP_SET_CONTAINER, join(s.group, stock), -EINVAL);
	REFUSED(s.iommufd, VFIO_GROUP_GET_STATUS,
		iofd_ioctl(s.group, VFIO_GROUP_GET_STATUS, &st), -EINVAL);
	REFUSED(s.iommufd, VFIO_GROUP_GET_STATUS,
		iofd_ioctl(s.group, VFIO_GROUP_GET_STATUS, NULL), -EFAULT);
	REFUSED(s.iommufd, VFIO_DEVICE_GET_INFO,
		iofd_ioctl(s.group, VFIO_DEVICE_GET_INFO, NULL), -ENOTTY);
	REFUSED(s.iommufd, VFIO_GROUP_GET_DEVICE_FD, device_fd(s.group, NULL), -EFAULT);
	REFUSED(s.iommufd, VFIO_GROUP_GET_DEVICE_FD, device_fd(s.group, ""), -ENODEV);
	REFUSED(s.iommufd, VFIO_GROUP_GET_DEVICE_FD,
		device_fd(s.group, "0000:ff:1f.7"), -ENODEV);
	/* a reason is one line, whatever the name */
	REFUSED(s.iommufd, VFIO_GROUP_GET_DEVICE_FD,
		device_fd(s.group, "no\nsuch\tdevice"), -ENODEV);
	CHECK(strstr(iommufd_last_reason(s.iommufd), "no?such?device"));
	snprintf(name, sizeof(name), "%s vf_token=1", s.v.bdf);
	REFUSED(s.iommufd, VFIO_GROUP_GET_DEVICE_FD, device_fd(s.group, name), -EINVAL);
	/* it is in use as long as a device of it is */
	open_device(&s);
	REFUSED(s.iommufd, VFIO_GROUP_UNSET_CONTAINER, leave(s.group), -EBUSY);
	vdev_close(&s.v);
	OK(leave(s.group));
	ERR(leave(s.group), -EINVAL);
	ERR(device_fd(s.group, s.v.bdf), -EINVAL);
	CHECK_EQ(status(s.group), VIABLE);
	CHECK_EQ(iofd_objects(s.iommufd, "ioas"), 1);
	/* neither stands in the other's way afterwards */
	OK(join(s.group, stock));
	REFUSED(s.iommufd, VFIO_GROUP_SET_CONTAINER, join(s.group, s.iommufd), -EINVAL);
	OK(leave(s.group));
	OK(join(s.group, s.iommufd));
	open_device(&s);
	check_device(&s, 7);
	vdev_close(&s.v);
	OK(leave(s.group));
	/* what neither is */
	ERR(join(s.group, s.group), -EBADFD);
	ERR(join(s.group, -1), -EBADF);
	ERR(join(s.group, 1000), -EBADF);
	ERR(iofd_ioctl(s.group, VFIO_GROUP_SET_CONTAINER, NULL), -EFAULT);
}

static void opened_twice(void)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	struct vdev second, file;
	struct setup s;
	uint32_t pt = 1;

	want_vfio_cdev();
	begin(&s, 0);
	open_device(&s);
	second = s.v;
	second.fd = OK(device_fd(s.group, s.v.bdf));
	OK(iofd_ioctl(second.fd, VFIO_DEVICE_GET_INFO, &info));
	CHECK_EQ(iofd_objects(s.iommufd, "device"), 1);
	file = s.v;
	OK(vdev_open(&file));
	REFUSED(file.fd, VFIO_DEVICE_BIND_IOMMUFD, vdev_bind(&file, s.iommufd), -EINVAL);
	vdev_close(&s.v);
	CHECK_EQ(iofd_objects(s.iommufd, "device"), 1);
	s.v.fd = second.fd;
	check_device(&s, 11);
	REFUSED(file.fd, VFIO_DEVICE_BIND_IOMMUFD, vdev_bind(&file, s.iommufd), -EINVAL);
	/* what the group has done is not for the file to change */
	REFUSED(s.v.fd, VFIO_DEVICE_BIND_IOMMUFD, vdev_bind(&s.v, s.iommufd), -ENOTTY);
	REFUSED(s.v.fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, vdev_attach(&s.v, &pt), -ENOTTY);
	REFUSED(s.v.fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, vdev_detach(&s.v), -ENOTTY);
	second.fd = OK(device_fd(s.group, s.v.bdf));
	vdev_close(&second);
	check_device(&s, 12);
	vdev_close(&s.v);
	OK(vdev_bind(&file, s.iommufd));
	vdev_close(&file);
}

static void bound_by_file(void)
{
	int other = OK(iofd_open()), group;
	struct vdev v;

	want_vfio_cdev();
	want_bound(&v, PCI_EDU, 0, other);
	group = open_group(&v);
	REFUSED(other, VFIO_GROUP_SET_CONTAINER, join(group, other), -EBUSY);
	CHECK_EQ(status(group), 0);
	vdev_close(&v);
	OK(join(group, other));
	v.fd = OK(device_fd(group, v.bdf));
}

static void compat_ioas_gone(void)
{
	struct iommu_vfio_ioas c = { .size = sizeof(c), .op = IOMMU_VFIO_IOAS_CLEAR };
	struct setup s;

	begin(&s, 0);
	OK(iofd_ioctl(s.iommufd, IOMMU_VFIO_IOAS, &c));
	ERR(device_fd(s.group, s.v.bdf), -ENODEV);
	CHECK_EQ(iofd_objects(s.iommufd, "device"), 0);
	OK(iofd_ioas(s.iommufd, &c.ioas_id));
	c.op = IOMMU_VFIO_IOAS_SET;
	OK(iofd_ioctl(s.iommufd, IOMMU_VFIO_IOAS, &c));
	/* one that no device can be attached to */
	OK(iofd_map_at(s.iommufd, c.ioas_id, mem_anon(PAGE), PAGE, MSI));
	REFUSED(s.iommufd, VFIO_GROUP_GET_DEVICE_FD, device_fd(s.group, s.v.bdf), -EADDRINUSE);
	CHECK_EQ(iofd_objects(s.iommufd, "device"), 0);
	OK(unmap(s.iommufd, MSI, PAGE));
	open_device(&s);
	check_device(&s, 21);
}

/* Two devices of one group, and a second group, in one /dev/iommu. */
static void several(void)
{
	struct vdev a, b, c;
	int iommufd = OK(iofd_open());
	int group, other, i;
	void *rw = mem_anon(PAGE);
	struct edu e;

	want_vfio_cdev();
	want_pair(&a, &b);
	want_legacy_dma(&a);
	for (i = 0;; i++) {
		want_device(&c, PCI_EDU, i);
		if (pci_group(c.bdf) != pci_group(a.bdf))
			break;
	}
	group = open_group(&a);
	other = open_group(&c);
	OK(join(group, iommufd));
	OK(join(other, iommufd));
	CHECK_EQ(iofd_objects(iommufd, "ioas"), 1);
	ERR(device_fd(other, a.bdf), -ENODEV);
	OK(map(iommufd, rw, IOVA, PAGE));
	a.fd = OK(device_fd(group, a.bdf));
	b.fd = OK(device_fd(group, b.bdf));
	c.fd = OK(device_fd(other, c.bdf));
	CHECK_EQ(iofd_objects(iommufd, "device"), 3);
	OK(edu_init(&e, &a));
	HOLDS(dma_works(&e, IOVA, rw, 31));
	edu_fini(&e);
	vdev_close(&a);
	OK(edu_init(&e, &b));
	HOLDS(dma_works(&e, IOVA, rw, 32));
	edu_fini(&e);
	OK(edu_init(&e, &c));
	HOLDS(dma_works(&e, IOVA, rw, 33));
	edu_fini(&e);
	/* a group's own devices by their files: another one's are not had */
	ERR(leave(group), -EBUSY);
	vdev_close(&b);
	OK(leave(group));
	vdev_close(&c);
}

struct reset_by_group {
	struct vfio_pci_hot_reset head;
	int32_t group;
};

static void hot_reset(void)
{
	struct reset_by_group r = { .head = { .argsz = sizeof(r), .count = 1 } };
	struct hot_reset_info info;
	struct setup s;
	int other;

	want_device(&s.v, PCI_E1000E, 0);
	s.iommufd = OK(iofd_open());
	s.group = open_group(&s.v);
	OK(join(s.group, s.iommufd));
	open_device(&s);
	memset(&info, 0, sizeof(info));
	info.head.argsz = sizeof(info);
	OK(iofd_ioctl(s.v.fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &info));
	/* by groups, as their files are what the user has */
	CHECK_EQ(info.head.flags, 0);
	CHECK_EQ(info.devices[0].group_id, pci_group(s.v.bdf));
	if (info.head.count != 1)
		tap_skip("%s is not alone on its bus", s.v.bdf);
	r.group = s.group;
	OK(iofd_ioctl(s.v.fd, VFIO_DEVICE_PCI_HOT_RESET, &r));
	/* none, or not its own */
	r.head.count = 0;
	CHECK(iofd_ioctl(s.v.fd, VFIO_DEVICE_PCI_HOT_RESET, &r) < 0);
	r.head.count = 1;
	r.group = s.iommufd;
	CHECK(iofd_ioctl(s.v.fd, VFIO_DEVICE_PCI_HOT_RESET, &r) < 0);
	other = dup(s.v.fd);
	r.group = other;
	CHECK(iofd_ioctl(s.v.fd, VFIO_DEVICE_PCI_HOT_RESET, &r) < 0);
}

static void kvm_takes_it(void)
{
	struct kvm_create_device make = { .type = KVM_DEV_TYPE_VFIO };
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm;
	struct kvm_device_attr add = {
		.group = KVM_DEV_VFIO_FILE, .attr = KVM_DEV_VFIO_FILE_ADD,
	};
	struct setup s;
	int32_t fd;

	if (kvm < 0)
		tap_skip("no /dev/kvm here");
	vm = OK(iofd_ioctl(kvm, KVM_CREATE_VM, NULL));
	OK(iofd_ioctl(vm, KVM_CREATE_DEVICE, &make));
	add.addr = (uintptr_t)&fd;
	begin(&s, 0);
	fd = s.group;
	OK(iofd_ioctl(make.fd, KVM_SET_DEVICE_ATTR, &add));
	open_device(&s);
	fd = s.v.fd;
	OK(iofd_ioctl(make.fd, KVM_SET_DEVICE_ATTR, &add));
	fd = s.iommufd;
	CHECK(iofd_ioctl(make.fd, KVM_SET_DEVICE_ATTR, &add) < 0);
	check_device(&s, 41);
	close(make.fd);
	close(vm);
	close(kvm);
	check_device(&s, 42);
}

/* The driver goes while the device is open, and comes again. */
static void driver_goes(void)
{
	char path[128], text[32];
	struct setup s;
	pid_t writer;

	begin(&s, 0);
	open_device(&s);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver/unbind", s.v.bdf);
	snprintf(text, sizeof(text), "%s", s.v.bdf);
	writer = writer_start(path, text);
	ERR(writer_done(writer, 1000), -EBUSY);
	ERR(device_fd(s.group, s.v.bdf), -ENODEV);
	vdev_close(&s.v);
	ERR(writer_done(writer, 10000), 0);
	ERR(device_fd(s.group, s.v.bdf), -ENODEV);
	close(s.group);
	close(s.iommufd);
	OK(find_again(&s.v));
	begin(&s, 0);
	open_device(&s);
	check_device(&s, 51);
}

static void module_stays(void)
{
	struct setup s;
	int i;

	want_vfio_cdev();
	begin(&s, 0);
	ERR(module_unload("vfio_cdev"), -EAGAIN);
	OK(leave(s.group));
	ERR(module_unload("vfio_cdev"), -EAGAIN);
	close(s.group);
	for (i = 0; i < 3; i++) {
		OK(module_unload_soon("vfio_cdev"));
		s.group = open_group(&s.v);
		ERR(join(s.group, s.iommufd), -EBADFD);
		OK(module_load("vfio_cdev"));
		/* also for a group that was open before */
		OK(join(s.group, s.iommufd));
		s.v.fd = OK(device_fd(s.group, s.v.bdf));
		check_device(&s, 60 + i);
		vdev_close(&s.v);
		ERR(module_unload("vfio_cdev"), -EAGAIN);
		close(s.group);
	}
}

/* The stock container in use, which goes through the module, as it is unloaded. */
static void module_goes(void)
{
	int stock = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	int group, i, tries, rc;
	struct vdev v;
	pid_t pid[2];

	want_vfio_cdev();
	CHECK(stock >= 0);
	want_device(&v, PCI_EDU, 0);
	group = open_group(&v);
	for (i = 0; i < 2; i++) {
		pid[i] = fork();
		CHECK(pid[i] >= 0);
		while (!pid[i]) {
			rc = join(group, stock);
			if (rc && rc != -EINVAL)
				_exit(1);
			rc = leave(group);
			if (rc && rc != -EINVAL)
				_exit(2);
			/* leave a gap, or a call is always under way */
			usleep(rand() % 2000);
		}
	}
	for (i = 0; i < 5; i++) {
		/* a call that is under way holds it */
		for (tries = 0; tries < 100000; tries++) {
			rc = module_unload("vfio_cdev");
			if (rc != -EAGAIN)
				break;
			usleep(100);
		}
		CHECK_EQ(rc, 0);
		usleep(50000);
		OK(module_load("vfio_cdev"));
		usleep(50000);
	}
	for (i = 0; i < 2; i++) {
		CHECK_EQ(waitpid(pid[i], &rc, WNOHANG), 0);
		kill(pid[i], SIGKILL);
		CHECK_EQ(waitpid(pid[i], &rc, 0), pid[i]);
	}
}

static void killed(void)
{
	struct setup s;
	int i, wstatus;
	pid_t pid;

	for (i = 0; i < 5; i++) {
		want_device(&s.v, PCI_EDU, 0);
		pid = fork();
		CHECK(pid >= 0);
		if (!pid) {
			begin(&s, 0);
			if (map(s.iommufd, mem_anon(PAGE), IOVA, PAGE))
				_exit(1);
			if (i % 2)
				open_device(&s);
			pause();
		}
		usleep(300000);
		kill(pid, SIGKILL);
		CHECK_EQ(waitpid(pid, &wstatus, 0), pid);
		CHECK(WIFSIGNALED(wstatus));
	}
	begin(&s, 0);
	open_device(&s);
	check_device(&s, 71);
}

static struct setup race;
static int race_stock;
static atomic_bool race_stop;
static atomic_ulong race_opens;

static void *race_join(void *iommufd)
{
	while (!atomic_load(&race_stop))
		join(race.group, iommufd ? race.iommufd : race_stock);
	return NULL;
}

static void *race_leave(void *unused)
{
	while (!atomic_load(&race_stop)) {
		leave(race.group);
		status(race.group);
	}
	return NULL;
}

static void *race_open(void *unused)
{
	while (!atomic_load(&race_stop)) {
		int fd = device_fd(race.group, race.v.bdf);

		if (fd >= 0) {
			atomic_fetch_add(&race_opens, 1);
			close(fd);
		}
	}
	return NULL;
}

static void races(void)
{
	struct timespec s = { .tv_sec = 6 };
	pthread_t t[6];
	int i;

	race_stock = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	begin(&race, 0);
	CHECK(!pthread_create(&t[0], NULL, race_join, &race));
	CHECK(!pthread_create(&t[1], NULL, race_join, NULL));
	CHECK(!pthread_create(&t[2], NULL, race_leave, NULL));
	for (i = 3; i < 6; i++)
		CHECK(!pthread_create(&t[i], NULL, race_open, NULL));
	nanosleep(&s, NULL);
	atomic_store(&race_stop, true);
	for (i = 0; i < 6; i++)
		CHECK(!pthread_join(t[i], NULL));
	tap_note("opened %lu times", race_opens);
	leave(race.group);
	close(race.group);
	CHECK_EQ(iofd_objects(race.iommufd, "device"), 0);
	close(race.iommufd);
	begin(&race, 0);
	open_device(&race);
	check_device(&race, 81);
}

static const struct tap_test tests[] = {
	{ "a device by its group: DMA, interrupts, closing in any order", all_of_it, 90 },
	{ "maps made before the device, cut under it (type1 v1)", mapped_before, 60 },
	{ "what is refused, and that it is taken back", refusals, 60 },
	{ "one device open twice", opened_twice, 60 },
	{ "a device bound by its own file", bound_by_file },
	{ "another IOAS for the container, or none", compat_ioas_gone, 60 },
	{ "two devices of a group and another group", several, 60 },
	{ "hot reset by the group's file", hot_reset, 60 },
	{ "KVM takes the group and the device", kvm_takes_it, 60 },
	{ "the driver goes while the group is in use", driver_goes, 60 },
	{ "the module stays as long as a group needs it", module_stays, 90 },
	{ "the module goes while groups join the stock container", module_goes, 90 },
	{ "the process is killed", killed, 60 },
	{ "containers and devices from several threads", races, 90 },
};

int main(int argc, char **argv)
{
	if (access("/dev/vfio/vfio", F_OK)) {
		printf("1..0 # SKIP no VFIO container here\n");
		return 4;
	}
	return TAP_RUN(argc, argv, tests);
}

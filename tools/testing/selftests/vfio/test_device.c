// SPDX-License-Identifier: GPL-2.0
/* What a bound file hands on to the driver: registers, interrupts, features. */
#include <linux/pci_regs.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common.h"

#define FEATURE VFIO_DEVICE_FEATURE

static void info(void)
{
	struct vfio_device_info d = { .argsz = sizeof(d) };
	struct vfio_region_info r;
	struct vfio_irq_info irq = { .argsz = sizeof(irq), .index = VFIO_PCI_MSI_IRQ_INDEX };
	int iommufd = OK(iofd_open());
	uint32_t id;
	struct vdev v;

	want_bound(&v, PCI_EDU, 0, iommufd);
	OK(iofd_ioctl(v.fd, VFIO_DEVICE_GET_INFO, &d));
	CHECK(d.flags & VFIO_DEVICE_FLAGS_PCI);
	CHECK_EQ(d.num_regions, VFIO_PCI_NUM_REGIONS);
	CHECK_EQ(d.num_irqs, VFIO_PCI_NUM_IRQS);
	OK(vdev_region(&v, VFIO_PCI_BAR0_REGION_INDEX, &r));
	CHECK_EQ(r.size, 1 << 20);
	CHECK(r.flags & VFIO_REGION_INFO_FLAG_MMAP);
	OK(iofd_ioctl(v.fd, VFIO_DEVICE_GET_IRQ_INFO, &irq));
	CHECK_EQ(irq.count, 1);
	OK(vdev_config_read(&v, 0, &id, sizeof(id)));
	CHECK_EQ(id, 0x11e81234);

	/* what the driver refuses gets a sentence too */
	d.argsz = 4;
	REFUSED(v.fd, VFIO_DEVICE_GET_INFO, iofd_ioctl(v.fd, VFIO_DEVICE_GET_INFO, &d), -EINVAL);
	REFUSED(v.fd, VFIO_DEVICE_GET_INFO, iofd_ioctl(v.fd, VFIO_DEVICE_GET_INFO, NULL), -EFAULT);
	REFUSED(v.fd, VFIO_DEVICE_GET_REGION_INFO, vdev_region(&v, 1000, &r), -EINVAL);
	irq.index = 1000;
	REFUSED(v.fd, VFIO_DEVICE_GET_IRQ_INFO,
		iofd_ioctl(v.fd, VFIO_DEVICE_GET_IRQ_INFO, &irq), -EINVAL);
	REFUSED(v.fd, _IO(VFIO_TYPE, 0xff), iofd_ioctl(v.fd, _IO(VFIO_TYPE, 0xff), NULL), -ENOTTY);
	REFUSED(v.fd, 0, peek(&v, 1000, 0, &id, sizeof(id)), -EINVAL);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, v.fd, 1ULL << 50) == MAP_FAILED);
	REFUSED(v.fd, 0, -errno, -EINVAL);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, v.fd, 0) == MAP_FAILED);
	REFUSED(v.fd, 0, -errno, -EINVAL);
}

static sigjmp_buf after_bus_error;

static void on_bus_error(int sig)
{
	siglongjmp(after_bus_error, 1);
}

/* Does reading this register succeed? */
static bool readable(volatile uint32_t *reg, uint32_t *value)
{
	if (sigsetjmp(after_bus_error, 1))
		return false;
	*value = *reg;
	return true;
}

static void zap(void)
{
	int iommufd = OK(iofd_open());
	volatile uint32_t *bar;
	uint32_t value;
	struct vdev v;

	signal(SIGBUS, on_bus_error);
	want_bound(&v, PCI_EDU, 0, iommufd);
	OK(vdev_enable(&v, true));
	bar = vdev_map_bar(&v, 0, NULL);
	CHECK(bar);
	CHECK(readable(bar, &value));
	CHECK_EQ(value, EDU_ID_VALUE);
	/* the pages that were faulted in go with the memory bit */
	OK(vdev_enable(&v, false));
	CHECK(!readable(bar, &value));
	OK(vdev_enable(&v, true));
	CHECK(readable(bar, &value));
	CHECK_EQ(value, EDU_ID_VALUE);
}

/* The mapping outlives the descriptor, and holds the device with it. */
static void map_outlives_fd(void)
{
	int iommufd = OK(iofd_open());
	volatile uint32_t *bar;
	struct vdev v, w;
	size_t size;

	want_bound(&v, PCI_EDU, 0, iommufd);
	OK(vdev_enable(&v, true));
	bar = vdev_map_bar(&v, 0, &size);
	CHECK(bar);
	w = v;
	vdev_close(&v);
	CHECK_EQ(*bar, EDU_ID_VALUE);
	OK(vdev_open(&w));
	REFUSED(w.fd, VFIO_DEVICE_BIND_IOMMUFD, vdev_bind(&w, iommufd), -EINVAL);
	CHECK(!munmap((void *)bar, size));
	OK(vdev_bind(&w, iommufd));
}

static void msi(void)
{
	int iommufd = OK(iofd_open()), event, i;
	struct vdev v;
	struct edu e;
	uint64_t count;
	uint32_t pt;

	want_bound(&v, PCI_EDU, 0, iommufd);
	OK(edu_init(&e, &v));
#ifdef __aarch64__
	/* an interrupt is a write like any other there */
	OK(iofd_ioas(iommufd, &pt));
	OK(vdev_attach(&v, &pt));
#else
	(void)pt;
#endif
	event = OK(vdev_msi(&v));
	for (i = 1; i <= 3; i++) {
		struct pollfd p = { .fd = event, .events = POLLIN };

		edu_irq(&e, i);
		CHECK_EQ(poll(&p, 1, 2000), 1);
		CHECK(read(event, &count, sizeof(count)) == sizeof(count));
		CHECK_EQ(count, 1);
		edu_irq_ack(&e, i);
		CHECK_EQ(poll(&p, 1, 50), 0);
	}
}

static int feature(struct vdev *v, uint32_t flags, uint32_t argsz, void *data, size_t len)
{
	char buf[256] = {};
	struct vfio_device_feature *f = (struct vfio_device_feature *)buf;
	int rc;

	f->argsz = argsz;
	f->flags = flags;
	if (data)
		memcpy(f->data, data, len);
	rc = iofd_ioctl(v->fd, FEATURE, f);
	if (data)
		memcpy(data, f->data, len);
	return rc;
}

static void features(void)
{
	static const unsigned int absent[] = {
		VFIO_DEVICE_FEATURE_PCI_VF_TOKEN,
		VFIO_DEVICE_FEATURE_MIGRATION,
		VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE,
		VFIO_DEVICE_FEATURE_DMA_LOGGING_START,
		VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP,
		VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT,
		VFIO_DEVICE_FEATURE_MIG_DATA_SIZE,
		VFIO_DEVICE_FEATURE_BUS_MASTER,
		12345, 0xffff,
	};
	static const uint32_t how[] = {
		VFIO_DEVICE_FEATURE_GET, VFIO_DEVICE_FEATURE_SET,
		VFIO_DEVICE_FEATURE_PROBE,
		VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET,
	};
	int iommufd = OK(iofd_open());
	struct vdev v;
	unsigned int i, j;

	want_bound(&v, PCI_EDU, 0, iommufd);
	for (i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
		for (j = 0; j < sizeof(how) / sizeof(how[0]); j++)
			REFUSED(v.fd, FEATURE, feature(&v, absent[i] | how[j], 64, NULL, 0), -ENOTTY);

	REFUSED(v.fd, FEATURE, feature(&v, VFIO_DEVICE_FEATURE_PROBE, 7, NULL, 0), -EINVAL);
	REFUSED(v.fd, FEATURE, feature(&v, VFIO_DEVICE_FEATURE_PROBE, 0, NULL, 0), -EINVAL);
	REFUSED(v.fd, FEATURE, feature(&v, 1 << 19 | VFIO_DEVICE_FEATURE_PROBE, 64, NULL, 0), -EINVAL);
	REFUSED(v.fd, FEATURE, feature(&v, 1U << 31 | VFIO_DEVICE_FEATURE_PROBE, 64, NULL, 0), -EINVAL);
	REFUSED(v.fd, FEATURE, feature(&v, VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET,
				       64, NULL, 0), -EINVAL);
	REFUSED(v.fd, FEATURE, iofd_ioctl(v.fd, FEATURE, NULL), -EFAULT);
	REFUSED(v.fd, FEATURE, iofd_ioctl(v.fd, FEATURE, edge(4)), -EFAULT);
}

/* Low power is a feature of vfio-pci itself: the device has to wake for ioctls. */
static void low_power(void)
{
	const uint32_t entry = VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY,
		       leave = VFIO_DEVICE_FEATURE_LOW_POWER_EXIT;
	int iommufd = OK(iofd_open()), rc;
	uint32_t id;
	struct vdev v;

	want_bound(&v, PCI_E1000E, 0, iommufd);
	rc = feature(&v, entry | VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_SET, 8, NULL, 0);
	if (rc == -ENOTTY)
		tap_skip("this device has no low-power state");
	OK(rc);
	REFUSED(v.fd, FEATURE, feature(&v, entry | VFIO_DEVICE_FEATURE_GET, 8, NULL, 0), -EINVAL);
	OK(feature(&v, entry | VFIO_DEVICE_FEATURE_SET, 8, NULL, 0));
	REFUSED(v.fd, FEATURE, feature(&v, entry | VFIO_DEVICE_FEATURE_SET, 8, NULL, 0), -EINVAL);
	usleep(200000);
	OK(vdev_config_read(&v, 0, &id, sizeof(id)));
	CHECK_EQ(id, 0x10d38086);
	OK(feature(&v, leave | VFIO_DEVICE_FEATURE_SET, 8, NULL, 0));
	OK(vdev_config_read(&v, 0, &id, sizeof(id)));
	CHECK_EQ(id, 0x10d38086);
}

static void *touch(void *arg)
{
	volatile uint32_t *bar = arg;
	unsigned int i, bad = 0;

	for (i = 0; i < 20000; i++)
		bad += *bar != EDU_ID_VALUE;
	return (void *)(unsigned long)bad;
}

/* A thread reads registers while others ask the driver things. */
static void busy(void)
{
	struct vfio_device_info d = { .argsz = sizeof(d) };
	int i, iommufd = OK(iofd_open());
	volatile uint32_t *bar;
	struct vdev v;
	pthread_t t;
	void *bad;

	want_bound(&v, PCI_EDU, 0, iommufd);
	OK(vdev_enable(&v, true));
	bar = vdev_map_bar(&v, 0, NULL);
	CHECK(bar);
	CHECK(!pthread_create(&t, NULL, touch, (void *)bar));
	for (i = 0; i < 2000; i++)
		OK(iofd_ioctl(v.fd, VFIO_DEVICE_GET_INFO, &d));
	pthread_join(t, &bad);
	CHECK(!bad);
}

static const struct tap_test tests[] = {
	{ "info, config space, and the driver's refusals explained", info },
	{ "a BAR mapping goes with the memory bit and comes back", zap },
	{ "a BAR mapping outlives its descriptor and holds the device", map_outlives_fd },
	{ "MSI arrives at an eventfd", msi },
	{ "features that are not there, and bad arguments", features },
	{ "low power through the driver's feature", low_power },
	{ "registers and ioctls at the same time", busy, 60 },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

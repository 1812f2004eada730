// SPDX-License-Identifier: GPL-2.0
/* Reset of a bus with all that is on it, and who may do that. */
#include <linux/pci_regs.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common.h"
#include "legacy.h"
#include "mem.h"

#define INFO	VFIO_DEVICE_GET_PCI_HOT_RESET_INFO
#define RESET	VFIO_DEVICE_PCI_HOT_RESET

static int get_info(struct vdev *v, struct hot_reset_info *i)
{
	memset(i, 0xff, sizeof(*i));
	i->head.argsz = sizeof(*i);
	return iofd_ioctl(v->fd, INFO, i);
}

static int reset_arg(struct vdev *v, uint32_t argsz, uint32_t flags, uint32_t count)
{
	uint32_t arg[4] = { argsz, flags, count, 0 };

	return iofd_ioctl(v->fd, RESET, arg);
}

static int reset(struct vdev *v)
{
	return reset_arg(v, sizeof(struct vfio_pci_hot_reset), 0, 0);
}

/* The entry of a device; there is exactly one. */
static int32_t id_of(const struct hot_reset_info *i, const char *bdf)
{
	unsigned int segment, bus, slot, function, n, found = 0;
	int32_t id = 0;

	CHECK_EQ(sscanf(bdf, "%x:%x:%x.%u", &segment, &bus, &slot, &function), 4);
	for (n = 0; n < i->head.count; n++)
		if (i->devices[n].segment == segment && i->devices[n].bus == bus &&
		    i->devices[n].devfn == (slot << 3 | function)) {
			id = i->devices[n].devid;
			found++;
		}
	CHECK_EQ(found, 1);
	return id;
}

static void none(void)
{
	int iommufd = OK(iofd_open());
	struct hot_reset_info i;
	struct vdev v;

	want_bound(&v, PCI_EDU, 0, iommufd);
	REFUSED(v.fd, INFO, get_info(&v, &i), -ENODEV);
	REFUSED(v.fd, RESET, reset(&v), -ENODEV);
}

static void arguments(void)
{
	int iommufd = OK(iofd_open());
	struct hot_reset_info i;
	struct vdev v;

	want_bound(&v, PCI_E1000E, 0, iommufd);
	memset(&i, 0, sizeof(i));
	i.head.argsz = 11;
	REFUSED(v.fd, INFO, iofd_ioctl(v.fd, INFO, &i), -EINVAL);
	i.head.argsz = 12;
	REFUSED(v.fd, INFO, iofd_ioctl(v.fd, INFO, &i), -ENOSPC);
	CHECK_EQ(i.head.count, 1);
	i.head.argsz = 19;
	REFUSED(v.fd, INFO, iofd_ioctl(v.fd, INFO, &i), -ENOSPC);
	i.head.argsz = 20;
	OK(iofd_ioctl(v.fd, INFO, &i));
	REFUSED(v.fd, INFO, iofd_ioctl(v.fd, INFO, NULL), -EFAULT);
	REFUSED(v.fd, INFO, iofd_ioctl(v.fd, INFO, memcpy(edge(12), &i, 12)), -EFAULT);

	REFUSED(v.fd, RESET, reset_arg(&v, 11, 0, 0), -EINVAL);
	REFUSED(v.fd, RESET, reset_arg(&v, 12, 1, 0), -EINVAL);
	REFUSED(v.fd, RESET, reset_arg(&v, 16, 0, 1), -EINVAL);
	REFUSED(v.fd, RESET, reset_arg(&v, 16, 0, ~0U), -EINVAL);
	REFUSED(v.fd, RESET, iofd_ioctl(v.fd, RESET, edge(4)), -EFAULT);
	OK(reset_arg(&v, 12, 0, 0));
}

/* Receive address of e1000e and igb: the reset loads it from the EEPROM. */
#define RAL0	0x5400

static void alone(unsigned int vendor, unsigned int device)
{
	int iommufd = OK(iofd_open());
	volatile uint32_t *ral;
	struct hot_reset_info i;
	uint16_t before, after;
	uint32_t address;
	struct vdev v;

	want_bound(&v, vendor, device, 0, iommufd);
	OK(get_info(&v, &i));
	CHECK_EQ(i.head.flags, VFIO_PCI_HOT_RESET_FLAG_DEV_ID |
			       VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED);
	CHECK_EQ(i.head.count, 1);
	CHECK_EQ(id_of(&i, v.bdf), v.id);

	OK(vdev_enable(&v, true));
	ral = vdev_map_bar(&v, 0, NULL);
	CHECK(ral);
	ral += RAL0 / 4;
	address = *ral;
	CHECK(address);
	*ral = ~address;
	CHECK_EQ(*ral, ~address);
	OK(vdev_config_read(&v, PCI_COMMAND, &before, sizeof(before)));
	OK(reset(&v));
	/* the device has forgotten, config space has not, the mapping works */
	CHECK_EQ(*ral, address);
	OK(vdev_config_read(&v, PCI_COMMAND, &after, sizeof(after)));
	CHECK_EQ(after, before);
}

static void alone_e1000e(void)
{
	alone(PCI_E1000E);
}

static void alone_igb(void)
{
	alone(PCI_IGB);
}

static void low_power(void)
{
	int iommufd = OK(iofd_open());
	uint8_t status, next, id;
	uint16_t pm;
	struct vdev v;
	int hops;

	want_bound(&v, PCI_E1000E, 0, iommufd);
	OK(vdev_config_read(&v, PCI_CAPABILITY_LIST, &next, 1));
	for (hops = 0; next && hops < 48; hops++) {
		OK(vdev_config_read(&v, next, &id, 1));
		if (id == PCI_CAP_ID_PM)
			break;
		OK(vdev_config_read(&v, next + 1, &next, 1));
	}
	if (!next || hops == 48)
		tap_skip("no power management capability");
	OK(vdev_config_read(&v, next + PCI_PM_CTRL, &pm, sizeof(pm)));
	pm |= 3;	/* D3hot */
	OK(vdev_config_write(&v, next + PCI_PM_CTRL, &pm, sizeof(pm)));
	OK(reset(&v));
	OK(vdev_config_read(&v, next + PCI_PM_CTRL, &pm, sizeof(pm)));
	CHECK_EQ(pm & PCI_PM_CTRL_STATE_MASK, 0);
	OK(vdev_config_read(&v, PCI_HEADER_TYPE, &status, 1));
	CHECK_EQ(status & 0x7f, 0);
}

/* Directly behind a host bridge there is nothing that could be reset. */
static bool on_root_bus(const char *bdf)
{
	char path[64], at[256], *parent;
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", bdf);
	n = readlink(path, at, sizeof(at) - 1);
	CHECK(n > 0);
	at[n] = 0;
	parent = strrchr(at, '/');
	*parent = 0;
	parent = strrchr(at, '/');
	return !strncmp(parent, "/pci", 4);
}

/* Two devices on one bus, one group: all the ways they can be owned. */
static void neighbours(void)
{
	int mine = OK(iofd_open());
	struct hot_reset_info i;
	struct vdev a, b;

	want_pair(&a, &b);
	if (on_root_bus(a.bdf))
		tap_skip("%s is behind a host bridge, which cannot be reset", a.bdf);
	OK(vdev_open(&a));
	OK(vdev_bind(&a, mine));

	/* the other one has no file, but nobody else can have it */
	OK(get_info(&a, &i));
	CHECK_EQ(i.head.flags, VFIO_PCI_HOT_RESET_FLAG_DEV_ID |
			       VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED);
	CHECK_EQ(i.head.count, 2);
	CHECK_EQ(id_of(&i, a.bdf), a.id);
	CHECK_EQ(id_of(&i, b.bdf), VFIO_PCI_DEVID_OWNED);
	OK(reset(&a));

	OK(vdev_open(&b));
	OK(vdev_bind(&b, mine));
	OK(get_info(&a, &i));
	CHECK_EQ(id_of(&i, b.bdf), b.id);
	OK(get_info(&b, &i));
	CHECK_EQ(id_of(&i, a.bdf), a.id);
	OK(reset(&b));
	OK(reset(&a));
	vdev_close(&b);

	/* it has no driver that could be asked about it */
	OK(pci_bind(b.bdf, ""));
	OK(get_info(&a, &i));
	CHECK_EQ(i.head.flags, VFIO_PCI_HOT_RESET_FLAG_DEV_ID);
	CHECK_EQ(i.head.count, 2);
	CHECK_EQ(id_of(&i, a.bdf), a.id);
	CHECK_EQ(id_of(&i, b.bdf), VFIO_PCI_DEVID_NOT_OWNED);
	REFUSED(a.fd, RESET, reset(&a), -EINVAL);
	if (!access("/sys/module/vfio_cdev", F_OK))
		CHECK(strstr(iommufd_last_reason(a.fd), b.bdf));
	OK(pci_bind(b.bdf, "vfio-pci"));
	OK(reset(&a));
}

static void dma_again(void)
{
	int iommufd = OK(iofd_open());
	void *rw = mem_anon(PAGE);
	uint32_t ioas, pt;
	struct vdev a, b;
	struct edu e;

	want_pair(&a, &b);
	if (on_root_bus(a.bdf))
		tap_skip("%s is behind a host bridge, which cannot be reset", a.bdf);
	want_legacy_dma(&a);
	OK(vdev_open(&a));
	OK(vdev_bind(&a, iommufd));
	OK(edu_init(&e, &a));
	OK(iofd_ioas(iommufd, &ioas));
	OK(iofd_map_at(iommufd, ioas, rw, PAGE, IOVA));
	pt = ioas;
	OK(vdev_attach(&a, &pt));
	HOLDS(dma_works(&e, IOVA, rw, 31));
	OK(reset(&a));
	HOLDS(dma_works(&e, IOVA, rw, 32));
}

struct toucher {
	volatile uint32_t *reg;
	volatile int stop;
	unsigned long count;
};

static void *touch(void *arg)
{
	struct toucher *t = arg;

	while (!t->stop) {
		(void)*t->reg;
		t->count++;
	}
	return NULL;
}

/* Registers are read through a mapping all the time: the reads wait. */
static void under_load(void)
{
	int i, rc, done = 0, iommufd = OK(iofd_open());
	struct toucher t = {};
	pthread_t thread;
	struct vdev v;

	want_bound(&v, PCI_E1000E, 0, iommufd);
	OK(vdev_enable(&v, true));
	t.reg = vdev_map_bar(&v, 0, NULL);
	CHECK(t.reg);
	CHECK(!pthread_create(&thread, NULL, touch, &t));
	for (i = 0; i < 1000 && done < 10; i++) {
		rc = reset(&v);
		/* EBUSY: a page fault had the lock just then */
		CHECK(!rc || rc == -EBUSY);
		done += !rc;
		usleep(rc ? 10000 : 0);
	}
	t.stop = 1;
	pthread_join(thread, NULL);
	CHECK_EQ(done, 10);
	CHECK(t.count);
}

static const struct tap_test tests[] = {
	{ "a device of the root bus has no hot reset", none },
	{ "arguments of both ioctls", arguments, 60 },
	{ "e1000e alone on its bus is reset", alone_e1000e, 60 },
	{ "igb alone on its bus is reset", alone_igb, 60 },
	{ "a device in D3 is woken and reset", low_power, 60 },
	{ "two devices on a bus: bound, owned, not owned", neighbours, 90 },
	{ "DMA goes on after a reset", dma_again, 60 },
	{ "reset while another thread reads registers", under_load, 90 },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

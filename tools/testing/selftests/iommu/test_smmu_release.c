// SPDX-License-Identifier: GPL-2.0
/*
 * iommu_smmuv3 lets go of the host's devices while these are at work, and comes back.
 * Unlike on a PC, a device that is bound to its driver has a group only when that was
 * done while the module was there.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "devices.h"
#include "kmsg.h"
#include "mem.h"
#include "traffic.h"

#define IOVA	0x100000UL
#define PAGE	4096UL
#define MODULE	"/sys/module/iommu_smmuv3"

static pci_bdf disk, net, edu;
static int log_fd;

static int put(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return -errno;
	rc = write(fd, value, strlen(value)) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

static int let_go(void)
{
	return put(MODULE "/parameters/release", "1");
}

static int unload(void)
{
	return syscall(SYS_delete_module, "iommu_smmuv3", O_NONBLOCK) ? -errno : 0;
}

static int load(void)
{
	int fd = open("/m/iommu_smmuv3.ko", O_RDONLY | O_CLOEXEC);
	int rc;

	CHECK(fd >= 0);
	rc = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return rc;
}

/* A message with both texts has come since the test began. */
static void logged(const char *a, const char *b)
{
	char line[512];

	while (kmsg_next(log_fd, line, sizeof(line), 2000))
		if (strstr(line, a) && strstr(line, b))
			return;
	tap_fail(__FILE__, __LINE__, "no message with '%s' and '%s'", a, b);
}

/* The driver is there, the host has disk and network, and nobody has the edu. */
static void begin(void)
{
	char driver[32];

	if (access("/m/iommu_smmuv3.ko", R_OK))
		tap_skip("there is no /m/iommu_smmuv3.ko");
	if (access(MODULE, F_OK) && (!pci_find(PCI_EDU, 0, edu) || load()))
		tap_skip("there is no SMMUv3 for iommu_smmuv3");
	if (!pci_find(PCI_NVME, 0, disk) || !pci_find(PCI_E1000E, 0, net) ||
	    !pci_find(PCI_EDU, 0, edu))
		tap_skip("no disk, network and edu to work with here");
	pci_driver(disk, driver, sizeof(driver));
	if (strcmp(driver, "nvme"))
		tap_skip("the host does not use disk and network here");
	OK(pci_bind(edu, ""));
	log_fd = OK(kmsg_open());
}

/* With groups of their own, and through the unit. */
static void bound_anew(const char *bdf)
{
	char type[32];

	OK(pci_bind(bdf, ""));
	OK(pci_restore(bdf));
	CHECK(pci_group(bdf) >= 0);
	OK(pci_attr(bdf, "iommu_group/type", type, sizeof(type)));
	CHECK(!strcmp(type, "identity"));
}

static void dma(void)
{
	char *mem = mem_anon(2 * PAGE);
	struct testdev d;
	struct space s;

	space_open(&s);
	OK(pci_bind(edu, "vfio-pci"));
	open_edu(&d, edu, s.fd);
	OK(space_map(&s, mem, 2 * PAGE, IOVA));
	attach(&d, s.ioas);
	CHECK(dma_copies(&d, IOVA, IOVA + PAGE, mem, mem + PAGE));
	CHECK(!dma_writes(&d, IOVA + 2 * PAGE, mem));
	edu_fini(&d.edu);
	vdev_close(&d.vdev);
	close(s.fd);
	OK(pci_bind(edu, ""));
}

static void under_traffic(void)
{
	int round;

	begin();
	bound_anew(disk);
	bound_anew(net);
	traffic_start(disk, net);
	for (round = 0; round < 4; round++) {
		dma();
		ERR(unload(), -EAGAIN);
		OK(let_go());
		logged("all devices are released", "");
		CHECK(pci_group(disk) < 0 && pci_group(net) < 0 && pci_group(edu) < 0);
		traffic_goes_on();
		ERR(let_go(), -ENODEV);
		OK(unload());
		traffic_goes_on();
		OK(load());
		traffic_goes_on();
	}
}

/* What the kernel warns of: groups that are used less than they were. */
static void rebound(void)
{
	begin();
	bound_anew(net);
	OK(let_go());
	OK(unload());
	OK(load());
	bound_anew(net);
	bound_anew(disk);
	traffic_start(disk, net);
	OK(let_go());
	traffic_goes_on();
	OK(unload());
	OK(load());
}

static void handed_out(void)
{
	char *mem = mem_anon(2 * PAGE);
	struct testdev d;
	struct space s;
	uint32_t hwpt;

	begin();
	bound_anew(disk);
	bound_anew(net);
	traffic_start(disk, net);
	space_open(&s);
	OK(pci_bind(edu, "vfio-pci"));
	open_edu(&d, edu, s.fd);
	/* it has been blocked, though there is no table yet */
	ERR(let_go(), -EBUSY);
	logged(edu, "in use by a user");
	OK(space_map(&s, mem, 2 * PAGE, IOVA));
	hwpt = attach(&d, s.ioas);
	CHECK(dma_copies(&d, IOVA, IOVA + PAGE, mem, mem + PAGE));
	ERR(let_go(), -EBUSY);
	logged(edu, "in use by a user");
	ERR(unload(), -EAGAIN);
	CHECK(dma_copies(&d, IOVA, IOVA + PAGE, mem, mem + PAGE));
	CHECK(!dma_writes(&d, IOVA + 0x10000, mem));
	traffic_goes_on();

	OK(iofd_hwpt(s.fd, d.vdev.id, s.ioas, 0, &hwpt));
	edu_fini(&d.edu);
	vdev_close(&d.vdev);
	ERR(let_go(), -EBUSY);
	logged(edu, "bound to vfio-pci");
	OK(pci_bind(edu, ""));
	ERR(let_go(), -EBUSY);
	logged("page table", "/dev/iommu");
	/* and after all that it is handed out as before */
	dma();
	close(s.fd);
	OK(let_go());
	traffic_goes_on();
	OK(unload());
	OK(load());
	dma();
}

static const struct tap_test tests[] = {
	{ "it goes and comes under disk and network", under_traffic, 120 },
	{ "drivers are bound anew before and after", rebound, 120 },
	{ "not while a device is handed out, or a page table is left", handed_out, 120 },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

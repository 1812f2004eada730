// SPDX-License-Identifier: GPL-2.0
/*
 * Our driver of the IOMMU comes and goes under the host's own devices while these are
 * at work.
 * Each test loads the module and removes it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "devices.h"
#include "kmsg.h"
#include "mem.h"
#include "traffic.h"
#include "own_irq.h"

#define IOVA		0x100000UL
#define PAGE		4096UL

/*
 * Which of our drivers this machine is for, and its unit; that of the kernel's own
 * driver, and what keeps that from it.
 */
static const struct own {
	const char *table;
	const char *module;
	const char *unit;
	const char *theirs;
	const char *boot_with;
} owns[] = {
	{ "/sys/firmware/acpi/tables/DMAR", "iommu_vtd", "/sys/class/iommu/vtd0",
	  "/sys/class/iommu/dmar0", "boot with intel_iommu=off intremap=off to" },
	{ "/sys/firmware/acpi/tables/IVRS", "iommu_amdvi", "/sys/class/iommu/amdvi0",
	  "/sys/class/iommu/ivhd0", "boot with amd_iommu=off to" },
}, *own;

static pci_bdf disk, net;
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

static void find_own(void)
{
	size_t i;

	for (i = 0; i < sizeof(owns) / sizeof(owns[0]); i++)
		if (!access(owns[i].table, F_OK))
			own = &owns[i];
}

static const char *module_file(void)
{
	static char path[64];

	snprintf(path, sizeof(path), "/m/%s.ko", own->module);
	return path;
}

static bool is_loaded(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/module/%s", own->module);
	return !access(path, F_OK);
}

static bool unit_is_there(void)
{
	return !access(own->unit, F_OK);
}

static int set_parameter(const char *name, const char *value)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s", own->module, name);
	return put(path, value);
}

static int load(const char *options)
{
	int fd = open(module_file(), O_RDONLY | O_CLOEXEC);
	int rc;

	CHECK(fd >= 0);
	rc = syscall(SYS_finit_module, fd, options, 0) ? -errno : 0;
	close(fd);
	return rc;
}

static int unload(void)
{
	return syscall(SYS_delete_module, own->module, O_NONBLOCK) ? -errno : 0;
}

static int release(void)
{
	return set_parameter("release", "1");
}

static void leave(void)
{
	OK(release());
	CHECK(!unit_is_there());
	OK(unload());
}

static void need_own(void)
{
	find_own();
	if (!own)
		tap_skip("there is no IOMMU that one of our drivers is for");
	if (access(module_file(), R_OK))
		tap_skip("there is no %s", module_file());
}

/* Only what the host uses can be in the way. */
static void need_host_drivers(void)
{
	char driver[32];

	need_own();
	if (!pci_find(PCI_NVME, 0, disk) || !pci_find(PCI_E1000E, 0, net))
		tap_skip("no disk and network to work with here");
	pci_driver(disk, driver, sizeof(driver));
	if (strcmp(driver, "nvme"))
		tap_skip("the host does not use disk and network here");
}

/* Without what a test before this one left. */
static void begin(void)
{
	pci_bdf edu;
	int nth;

	need_host_drivers();
	if (is_loaded()) {
		for (nth = 0; pci_find(PCI_EDU, nth, edu); nth++)
			pci_bind(edu, "");
		set_parameter("rebind", "1");
		release();
		OK(unload());
	}
	log_fd = OK(kmsg_open());
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

static void is_passed_through(const char *bdf)
{
	char type[32];

	CHECK(pci_group(bdf) >= 0);
	OK(pci_attr(bdf, "iommu_group/type", type, sizeof(type)));
	CHECK(!strcmp(type, "identity"));
}

static void under_traffic(void)
{
	int round;

	begin();
	traffic_start(disk, net);
	for (round = 0; round < 5; round++) {
		OK(load(""));
		CHECK(unit_is_there());
		traffic_goes_on();
		is_passed_through(disk);
		is_passed_through(net);
		ERR(unload(), -EAGAIN);
		OK(release());
		CHECK(!unit_is_there());
		CHECK(pci_group(disk) < 0);
		traffic_goes_on();
		ERR(release(), -ENODEV);
		OK(unload());
		traffic_goes_on();
	}
}

/* The kernel warns when a group that nobody uses is used no more. */
static void rebound(void)
{
	begin();
	OK(load(""));
	OK(pci_bind(net, ""));
	OK(pci_restore(net));
	traffic_start(disk, net);
	leave();
	traffic_goes_on();
	OK(load(""));
	traffic_goes_on();
	leave();
	OK(pci_bind(net, ""));
	OK(pci_restore(net));
}

/* An edu, alone with its bridge or beside a device in the way of it. */
static bool find_edu(const char *beside, bool same, pci_bdf bdf)
{
	int nth;

	for (nth = 0; pci_find(PCI_EDU, nth, bdf); nth++)
		if (!strncmp(bdf, beside, strlen("0000:00:00")) == same)
			return true;
	return false;
}

static void allow_unsafe(bool on)
{
	OK(put("/sys/module/iommufd/parameters/allow_unsafe_interrupts",
	       on ? "1" : "0"));
}

static void sibling(void)
{
	struct testdev d;
	struct space s;
	pci_bdf edu;

	begin();
	if (!find_edu(net, true, edu))
		tap_skip("no edu shares a group with %s", net);
	OK(load(""));
	allow_unsafe(true);
	space_open(&s);
	ERR(vdev_setup(&d.vdev, edu, s.fd), -EPERM);
	vdev_close(&d.vdev);
	OK(pci_bind(edu, ""));
	/* and when the other has no driver, it is */
	OK(pci_bind(net, ""));
	OK(vdev_setup(&d.vdev, edu, s.fd));
	vdev_close(&d.vdev);
	OK(pci_bind(edu, ""));
	OK(pci_restore(net));
	allow_unsafe(false);
	close(s.fd);
	leave();
}

static void handed_out(void)
{
	char *mem = mem_anon(2 * PAGE);
	struct testdev d;
	struct space s;
	uint32_t hwpt;
	pci_bdf edu;

	begin();
	if (!find_edu(net, false, edu))
		tap_skip("no edu that shares no group with %s", net);
	traffic_start(disk, net);
	OK(load(""));
	allow_unsafe(true);
	space_open(&s);
	open_edu(&d, edu, s.fd);
	OK(space_map(&s, mem, 2 * PAGE, IOVA));
	hwpt = attach(&d, s.ioas);
	CHECK(dma_copies(&d, IOVA, IOVA + PAGE, mem, mem + PAGE));
	ERR(release(), -EBUSY);
	logged(edu, "in use by a user");
	ERR(unload(), -EAGAIN);
	CHECK(dma_copies(&d, IOVA, IOVA + PAGE, mem, mem + PAGE));
	CHECK(!dma_writes(&d, IOVA + 0x10000, mem));
	traffic_goes_on();

	OK(iofd_hwpt(s.fd, d.vdev.id, s.ioas, 0, &hwpt));
	edu_fini(&d.edu);
	vdev_close(&d.vdev);
	ERR(release(), -EBUSY);
	logged(edu, "bound to vfio-pci");
	OK(pci_bind(edu, ""));
	ERR(release(), -EBUSY);
	logged("page table", "/dev/iommu");
	allow_unsafe(false);
	close(s.fd);
	leave();
	traffic_goes_on();
}

/* Every AMD-Vi does. */
static bool remaps(void)
{
	char ecap[32];
	int fd;

	if (!strcmp(own->module, "iommu_amdvi"))
		return true;
	OK(load(""));
	fd = open("/sys/class/iommu/vtd0/intel-iommu/ecap", O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	CHECK(read(fd, ecap, sizeof(ecap) - 1) > 0);
	close(fd);
	leave();
	return strtoull(ecap, NULL, 16) & 8;
}

static void strict_impossible(void)
{
	begin();
	if (remaps())
		tap_skip("the unit remaps interrupts");
	traffic_start(disk, net);
	ERR(load("strict_interrupts=1 rebind=1"), -EOPNOTSUPP);
	logged("strict_interrupts=1 asks for", "ECAP.IR");
	CHECK(!unit_is_there());
	traffic_goes_on();
}

static void strict_in_use(void)
{
	begin();
	if (!remaps())
		tap_skip("the unit does not remap interrupts");
	traffic_start(disk, net);
	ERR(load("strict_interrupts=1"), -EBUSY);
	logged(disk, "(nvme)");
	logged(net, "(e1000e)");
	CHECK(!unit_is_there());
	traffic_goes_on();
}

/* All interrupts of a device that go through the table. */
static unsigned long came(const char *bdf)
{
	struct own_irq irq;
	unsigned long sum = 0;
	int nth;

	for (nth = 0; own_irq_find(bdf, nth, &irq); nth++)
		sum += irq_count(irq.irq, -1);
	return sum;
}

static void strict_rebound(void)
{
	unsigned long before;
	struct own_irq irq;

	begin();
	if (!remaps())
		tap_skip("the unit does not remap interrupts");
	OK(load("strict_interrupts=1 rebind=1"));
	traffic_start(disk, net);
	CHECK(own_irq_find(disk, 0, &irq) && irq.present);
	CHECK(own_irq_find(net, 0, &irq) && irq.present);
	before = came(disk);
	traffic_goes_on();
	CHECK(came(disk) > before);
	before = came(net);
	traffic_goes_on();
	CHECK(came(net) > before);

	OK(set_parameter("rebind", "0"));
	ERR(release(), -EBUSY);
	logged(disk, "has interrupts");
	CHECK(unit_is_there());
	traffic_goes_on();
	before = came(disk);
	traffic_goes_on();
	CHECK(came(disk) > before);
}

/* Goes on where the last one ended, but for the traffic: the disk goes and comes. */
static void strict_left(void)
{
	char driver[32];
	int fd;

	need_host_drivers();
	if (!is_loaded())
		tap_skip("the test before this one has not left it loaded");
	OK(set_parameter("rebind", "1"));
	leave();
	pci_driver(net, driver, sizeof(driver));
	CHECK(!strcmp(driver, "e1000e"));
	CHECK(!came(disk));
	fd = OK(disk_open(disk));
	disk_verify(fd);
	close(fd);
	traffic_start(disk, net);
}

/* Whoever has the unit keeps it, and goes on. */
static void taken(void)
{
	struct testdev d;
	struct space s;
	char *mem;

	need_own();
	if (access(own->theirs, F_OK))
		tap_skip("the kernel does not drive the IOMMU here");
	log_fd = OK(kmsg_open());
	ERR(load(""), -EBUSY);
	logged("0: the kernel drives the unit", own->boot_with);
	CHECK(!is_loaded());
	space_open(&s);
	need_edu(&d, 0, s.fd);
	attach(&d, s.ioas);
	mem = mem_anon(PAGE);
	OK(space_map(&s, mem, PAGE, IOVA));
	CHECK(dma_writes(&d, IOVA, mem));
	CHECK(!dma_writes(&d, IOVA + PAGE, mem));
}

static const struct tap_test tests[] = {
	{ "a unit that the kernel drives stays so, and what frees it is said", taken },
	{ "disk and network go on while it comes and goes", under_traffic, 100 },
	{ "drivers are unbound and bound meanwhile", rebound, 60 },
	{ "what shares a group with the host's network is not handed out", sibling },
	{ "it stays while a device is handed out", handed_out, 60 },
	{ "strict interrupts are refused without remapping", strict_impossible, 60 },
	{ "strict interrupts are refused while drivers have others", strict_in_use, 60 },
	{ "strict interrupts, of drivers that are bound anew", strict_rebound, 60 },
	{ "and back", strict_left, 60 },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

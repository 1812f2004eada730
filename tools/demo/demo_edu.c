// SPDX-License-Identifier: GPL-2.0
/*
 * A walk through /dev/iommu with QEMU's edu device: what it may reach it
 * reaches, what it may not it does not, and the IOMMU says so.
 *
 * Prints for each step
 *	step: what is done
 *	  proves: what it shows
 *	  ok, or FAILED: why
 * and ends at the first failure. Exit status 0 or 1.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "edu.h"
#include "iofd.h"
#include "kmsg.h"
#include "mem.h"
#include "tap.h"
#include "vdev.h"

#define PAGE		4096
#define IOVA_RW		0x01000000UL
#define IOVA_RO		0x02000000UL
#define IOVA_NEVER	0x0abcd000UL

static int iommufd;
static uint32_t ioas, hwpt;
static struct vdev dev;
static struct edu edu;
static int kmsg;
static unsigned char *rw, *ro;
static pci_bdf bdf;

static char why[800];

static int fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static int fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	return -1;
}

static int refused(const char *what, int rc)
{
	return fail("%s: %s: %s", what, tap_errno(rc), iommufd_last_reason(iommufd));
}

static int do_bind(void)
{
	int rc;

	if (!pci_find(PCI_EDU, 0, bdf))
		return fail("no edu device in this machine");
	iommufd = iofd_open();
	if (iommufd < 0)
		return fail("open /dev/iommu: %s", tap_errno(iommufd));
	rc = vdev_find(&dev, bdf);
	if (rc)
		return fail("%s on vfio-pci with a node in /dev/vfio/devices: %s",
			    bdf, tap_errno(rc));
	rc = vdev_open(&dev);
	if (rc)
		return fail("open %s: %s", dev.node, tap_errno(rc));
	rc = vdev_bind(&dev, iommufd);
	if (rc)
		return refused("bind", rc);
	printf("  device: %s, driver vfio-pci, %s, id %u\n", bdf, dev.node, dev.id);
	rc = edu_init(&edu, &dev);
	return rc ? fail("its registers: %s", tap_errno(rc)) : 0;
}

static int do_ioas(void)
{
	struct iommu_iova_range ranges[16];
	uint32_t i, n = 16;
	uint64_t align;
	int rc = iofd_ioas(iommufd, &ioas);

	if (rc)
		return refused("IOAS_ALLOC", rc);
	hwpt = ioas;
	rc = vdev_attach(&dev, &hwpt);
	if (rc)
		return refused("attach", rc);
	rc = iofd_ranges(iommufd, ioas, ranges, &n, &align);
	if (rc)
		return refused("IOVA_RANGES", rc);
	for (i = 0; i < n && i < 16; i++)
		printf("  usable: 0x%llx-0x%llx\n", ranges[i].start, ranges[i].last);
	return n ? 0 : fail("no usable address");
}

static int do_map(void)
{
	uint64_t iova = IOVA_RO;
	int rc;

	rw = mem_anon(2 * PAGE);
	ro = mem_anon(PAGE);
	if (!rw || !ro)
		return fail("no memory");
	rc = iofd_map_at(iommufd, ioas, rw, 2 * PAGE, IOVA_RW);
	if (!rc)
		rc = iofd_map(iommufd, ioas, ro, PAGE, &iova, IOFD_FIXED_R);
	return rc ? refused("MAP", rc) : 0;
}

static int do_dma(void)
{
	mem_fill(rw, PAGE, 1);
	memset(rw + PAGE, 0, PAGE);
	if (edu_read(&edu, IOVA_RW, 0, PAGE))
		return fail("the device does not finish its transfer");
	if (edu_write(&edu, IOVA_RW + PAGE, 0, PAGE))
		return fail("the device does not finish its transfer");
	if (!mem_holds(rw + PAGE, PAGE, 1))
		return fail("what came back is not what went out");
	return mem_holds(rw, PAGE, 1) ? 0 : fail("the source changed");
}

/*
 * Let the device access what it must not, and wait for the IOMMU's word on it.
 * The kernel drops such messages when there are more than a few in five seconds.
 */
static int expect_fault(uint64_t iova, bool write)
{
	static time_t last;
	char line[512];

	while (time(NULL) - last < 2)
		usleep(100000);
	last = time(NULL);
	if (write ? edu_write(&edu, iova, 0, PAGE) : edu_read(&edu, iova, 0, PAGE))
		return fail("the device does not finish its transfer");
	if (!kmsg_wait_fault(kmsg, bdf, iova, write, line, sizeof(line), 5000))
		return fail("no fault of %s at 0x%llx in the kernel log", bdf,
			    (unsigned long long)iova);
	printf("  fault: %s\n", line);
	return 0;
}

static int untouched(const unsigned char *p, uint32_t seed)
{
	return mem_holds(p, PAGE, seed) ? 0 : fail("the memory was written");
}

/* The device's buffer holds the pattern of this seed: 1 yes, 0 no, -1 error */
static int device_holds(uint32_t seed)
{
	memset(rw, 0, PAGE);
	if (edu_write(&edu, IOVA_RW, 0, PAGE))
		return fail("the device does not finish its transfer");
	return mem_holds(rw, PAGE, seed);
}

static int load_device(uint32_t seed)
{
	mem_fill(rw, PAGE, seed);
	if (edu_read(&edu, IOVA_RW, 0, PAGE))
		return fail("the device does not finish its transfer");
	return 0;
}

static int do_never(void)
{
	if (load_device(2))
		return -1;
	mem_fill(rw, PAGE, 3);
	mem_fill(rw + PAGE, PAGE, 4);
	mem_fill(ro, PAGE, 5);
	if (expect_fault(IOVA_NEVER, true) || expect_fault(IOVA_NEVER, false))
		return -1;
	return untouched(rw, 3) || untouched(rw + PAGE, 4) || untouched(ro, 5);
}

static int do_read_only(void)
{
	int got;

	/*
	 * Writing comes first: QEMU's IOMMU refuses but does not report a write
	 * to what it has in its cache from reading.
	 */
	mem_fill(ro, PAGE, 6);
	if (load_device(7) || expect_fault(IOVA_RO, true) || untouched(ro, 6))
		return -1;
	if (edu_read(&edu, IOVA_RO, 0, PAGE))
		return fail("the device does not finish its transfer");
	got = device_holds(6);
	return got ? got < 0 ? -1 : 0 : fail("reading, which is allowed, did not work");
}

static int do_unmap(void)
{
	uint64_t length;
	int rc = iofd_unmap(iommufd, ioas, IOVA_RO, PAGE, &length);
	int got;

	if (rc)
		return refused("UNMAP", rc);
	if (length != PAGE)
		return fail("UNMAP tells %llu bytes", (unsigned long long)length);
	mem_fill(ro, PAGE, 8);
	if (load_device(9) || expect_fault(IOVA_RO, true) || untouched(ro, 8))
		return -1;
	if (expect_fault(IOVA_RO, false))
		return -1;
	got = device_holds(8);
	return got ? got < 0 ? -1 : fail("the device has read the memory") : 0;
}

static int do_detach(void)
{
	int rc;

	if (load_device(10))
		return -1;
	rc = vdev_detach(&dev);
	if (rc)
		return refused("detach", rc);
	mem_fill(rw, PAGE, 11);
	if (expect_fault(IOVA_RW, true))
		return -1;
	return untouched(rw, 11);
}

static int do_again(void)
{
	int rc;

	hwpt = ioas;
	rc = vdev_attach(&dev, &hwpt);
	if (rc)
		return refused("attach", rc);
	return do_dma();
}

static int do_close(void)
{
	int rc;

	edu_fini(&edu);
	vdev_close(&dev);
	rc = iofd_unmap(iommufd, ioas, 0, UINT64_MAX, NULL);
	if (!rc)
		rc = iofd_destroy(iommufd, ioas);
	if (rc)
		return refused("teardown", rc);
	if (iofd_objects(iommufd, NULL) != 0)
		return fail("fdinfo still lists objects");
	close(iommufd);
	rc = pci_restore(bdf);
	return rc ? fail("%s to its own driver: %s", bdf, tap_errno(rc)) : 0;
}

static const struct {
	const char *title, *proves;
	int (*run)(void);
} steps[] = {
	{ "bind edu to a /dev/iommu through /dev/vfio/devices",
	  "an ordinary vfio-pci device of the stock kernel has a device file of its own",
	  do_bind },
	{ "allocate an I/O address space and attach the device to it",
	  "the IOMMU's driver gives us a page table; the MSI window is left out of it",
	  do_ioas },
	{ "map two pages read-write and one page read-only",
	  "memory is pinned and appears at addresses that we choose",
	  do_map },
	{ "DMA from memory into the device and from the device into memory",
	  "the device reaches what is mapped, in both directions, byte for byte",
	  do_dma },
	{ "DMA to an address that was never mapped",
	  "the IOMMU refuses it, memory stays as it was, the kernel log names device and address",
	  do_never },
	{ "DMA to the read-only page",
	  "writing is refused, reading works",
	  do_read_only },
	{ "unmap the page and access it",
	  "when UNMAP has returned the device can neither write nor read it",
	  do_unmap },
	{ "detach the device and access a page that is still mapped",
	  "a device without a page table reaches nothing",
	  do_detach },
	{ "attach again and repeat the DMA",
	  "the mappings stayed with the address space; nothing was worn out",
	  do_again },
	{ "close everything and give the device back",
	  "nothing is left behind",
	  do_close },
};

int main(void)
{
	size_t i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	kmsg = kmsg_open();
	if (kmsg < 0) {
		printf("  FAILED: /dev/kmsg: %s\n", tap_errno(kmsg));
		return 1;
	}
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		printf("step: %s\n  proves: %s\n", steps[i].title, steps[i].proves);
		if (steps[i].run()) {
			printf("  FAILED: %s\n", why);
			return 1;
		}
		printf("  ok\n");
	}
	return 0;
}

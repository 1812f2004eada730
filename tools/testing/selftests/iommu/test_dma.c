// SPDX-License-Identifier: GPL-2.0
/*
 * DMA of real drivers' devices through the tables: every byte where it belongs,
 * nothing where nothing is mapped; what happens to it while a table is replaced;
 * what the IOMMU remembers and forgets; and what it says of what it refuses.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amdvi_walk.h"
#include "devices.h"
#include "kmsg.h"
#include "mem.h"
#include "nic.h"
#include "nvme.h"
#include "vtd_walk.h"

#define PAGE 4096UL
#define PCI_NVME 0x1b36, 0x0010

/* what drivers have for themselves, and what they are to read and write */
#define OWN	0x10000000UL
#define DATA	0x1000000UL
#define HOLE	0x2000000UL

static struct space s;
static struct vdev v;

/* A device of this kind, bound and attached; memory of its driver at OWN. */
static void *begin(unsigned int vendor, unsigned int device, size_t own)
{
	uint32_t pt;
	pci_bdf bdf;
	void *mem;
	int rc;

	if (!pci_find(vendor, device, 0, bdf))
		tap_skip("this machine has no device %04x:%04x", vendor, device);
	if (pci_group(bdf) < 0)
		tap_skip("%s has no IOMMU group in this machine", bdf);
	space_open(&s);
	rc = vdev_setup(&v, bdf, s.fd);
	if (rc)
		tap_fail(__FILE__, __LINE__, "%s: %s (%s)", bdf, tap_errno(rc),
			 iommufd_last_reason(s.fd));
	mem = mem_anon(own);
	CHECK(mem);
	OK(space_map(&s, mem, own, OWN));
	pt = s.ioas;
	OK(vdev_attach(&v, &pt));
	return mem;
}

static bool is_amdvi(void)
{
	return !access("/sys/class/iommu/amdvi0", F_OK);
}

static bool own_driver(void)
{
	return !access("/sys/class/iommu/vtd0", F_OK) || is_amdvi() ||
	       !access("/sys/module/iommu_smmuv3", F_OK);
}

static char *mapped(size_t size, uint64_t iova)
{
	char *mem = mem_anon(size);

	CHECK(mem);
	OK(space_map(&s, mem, size, iova));
	return mem;
}

static void nvme_bytes(void)
{
	char *own = begin(PCI_NVME, NVME_QUEUES_SIZE);
	char *mem = mapped(8 * PAGE, DATA), *other = mem_anon(PAGE);
	struct nvme n;
	int i;

	OK(nvme_init(&n, &v, own, OWN));
	CHECK_EQ(nvme_identify(&n, DATA), 0);
	/* vendor, and the serial number that the machine gives it */
	CHECK_EQ(*(uint16_t *)mem, 0x1b36);
	CHECK(!memcmp(mem + 4, "lab ", 4));

	for (i = 0; i < 8; i++) {
		mem_fill(mem + i * PAGE, PAGE, 100 + i);
		CHECK_EQ(nvme_write(&n, i, DATA + i * PAGE), 0);
	}
	memset(mem, 0, 8 * PAGE);
	/* the other way round, so that each page is somewhere else now */
	for (i = 0; i < 8; i++)
		CHECK_EQ(nvme_read(&n, i, DATA + (7 - i) * PAGE), 0);
	for (i = 0; i < 8; i++)
		CHECK(mem_holds(mem + (7 - i) * PAGE, PAGE, 100 + i));
	/* across the end of what is mapped: nothing beside it is touched */
	mem_fill(other, PAGE, 1);
	OK(space_map(&s, other, PAGE, DATA + 8 * PAGE));
	CHECK_EQ(nvme_read(&n, 3, DATA + 7 * PAGE), 0);
	CHECK(mem_holds(mem + 7 * PAGE, PAGE, 103));
	CHECK(mem_holds(other, PAGE, 1));
	nvme_fini(&n);
}

static void nvme_refused(void)
{
	char *own = begin(PCI_NVME, NVME_QUEUES_SIZE);
	char *mem = mapped(2 * PAGE, DATA), *ro = mem_anon(PAGE);
	uint64_t at = DATA + 0x100000;
	struct nvme n;
	int rc;

	OK(iofd_map(s.fd, s.ioas, ro, PAGE, &at, IOFD_FIXED_R));
	OK(nvme_init(&n, &v, own, OWN));
	mem_fill(mem, PAGE, 7);
	CHECK_EQ(nvme_write(&n, 20, DATA), 0);
	/* what the device says of it is its own matter; memory is not changed */
	mem_fill(ro, PAGE, 8);
	rc = nvme_read(&n, 20, at);
	tap_note("a read of blocks to read-only memory ends with status 0x%x", rc);
	CHECK(rc >= 0);
	CHECK(mem_holds(ro, PAGE, 8));
	CHECK(nvme_read(&n, 20, HOLE) >= 0);
	OK(space_unmap(&s, DATA, 2 * PAGE));
	mem_fill(mem, 2 * PAGE, 9);
	CHECK(nvme_read(&n, 20, DATA) >= 0);
	CHECK(mem_holds(mem, 2 * PAGE, 9));
	/* read-only is enough to be read, and after all that it still works */
	CHECK_EQ(nvme_write(&n, 21, at), 0);
	OK(space_map(&s, mem, 2 * PAGE, DATA));
	CHECK_EQ(nvme_read(&n, 21, DATA), 0);
	CHECK(mem_holds(mem, PAGE, 8));
	nvme_fini(&n);
}

static void nic_bytes(bool igb)
{
	static const unsigned int lengths[] = { NIC_PACKET_MIN, 61, 256, 1000, NIC_PACKET_MAX };
	char *own = igb ? begin(PCI_IGB, NIC_RINGS_SIZE) : begin(PCI_E1000E, NIC_RINGS_SIZE);
	char *mem = mapped(2 * PAGE, DATA), *late;
	unsigned int i, at;
	struct nic n;

	OK(nic_init(&n, &v, igb, own, OWN));
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		unsigned int len = lengths[i];

		mem_fill(mem, PAGE, 40 + i);
		/* to everybody, so that no filter keeps it */
		memset(mem, 0xff, 6);
		memset(mem + PAGE, 0, PAGE);
		OK(nic_loop(&n, DATA, DATA + PAGE, len, 5000));
		CHECK(!memcmp(mem, mem + PAGE, len));
		/* nothing behind the buffer */
		for (at = PAGE + 2048; at < 2 * PAGE; at++)
			CHECK_EQ(mem[at], 0);
	}
	/* to where nothing is: sent, and received by nobody */
	memset(mem + PAGE, 0, PAGE);
	OK(space_unmap(&s, DATA, 2 * PAGE));
	OK(space_map(&s, mem, PAGE, DATA));
	nic_loop(&n, DATA, DATA + PAGE, 512, 500);
	for (i = 0; i < PAGE; i++)
		CHECK_EQ(mem[PAGE + i], 0);
	/* from where nothing is: what is there arrives nowhere */
	late = mapped(PAGE, HOLE);
	mem_fill(mem, PAGE, 77);
	memset(mem, 0xff, 6);
	OK(space_unmap(&s, DATA, PAGE));
	nic_loop(&n, DATA, HOLE, 512, 500);
	CHECK(memcmp(late, mem, 512));
	nic_fini(&n);
}

static void e1000e_bytes(void)
{
	nic_bytes(false);
}

static void igb_bytes(void)
{
	nic_bytes(true);
}

/* One thread replaces the table as fast as it can, the other uses the device. */
static struct replacer {
	uint32_t pt[2];
	volatile bool stop;
	unsigned long times;
	int rc;
} replacer;

static void *replace_on_and_on(void *arg)
{
	while (!replacer.stop && !replacer.rc) {
		uint32_t pt = replacer.pt[++replacer.times & 1];

		replacer.rc = vdev_attach(&v, &pt);
	}
	return NULL;
}

/* What has two stages is exchanged in the first. */
static bool has_stage2_alone(void)
{
	struct iommu_hw_info_arm_smmuv3 info;
	uint32_t length = sizeof(info), type;

	return !iofd_hw_info(s.fd, v.id, &info, &length, &type, NULL) &&
	       type == IOMMU_HW_INFO_TYPE_ARM_SMMUV3 && !(info.idr[0] & 2);
}

static void no_fault_so_far(int log)
{
	char line[512];

	while (kmsg_next(log, line, sizeof(line), 200))
		if (strstr(line, &v.bdf[5]) &&
		    (strstr(line, "refused") || strstr(line, "fault")))
			tap_fail(__FILE__, __LINE__, "%s", line);
}

/*
 * Two tables with the same memory for the driver and different memory at DATA:
 * each block arrives in one of them whole, and never in both or in neither.
 */
static void replace_nvme(void)
{
	char *own = begin(PCI_NVME, NVME_QUEUES_SIZE), *a, *b = mem_anon(PAGE);
	unsigned int i, in_a = 0, in_b = 0;
	uint32_t other;
	pthread_t thread;
	struct nvme n;
	int log;

	need_aperture();
	/* seen to fail there */
	if (!own_driver())
		tap_skip("the kernel's own driver lets no DMA through for a moment");
	if (has_stage2_alone())
		tap_skip("an SMMUv3 without stage 1 lets no DMA through for a moment");
	a = mapped(PAGE, DATA);
	OK(iofd_ioas(s.fd, &other));
	OK(iofd_map_at(s.fd, other, own, NVME_QUEUES_SIZE, OWN));
	OK(iofd_map_at(s.fd, other, b, PAGE, DATA));
	OK(iofd_hwpt(s.fd, v.id, s.ioas, 0, &replacer.pt[0]));
	OK(iofd_hwpt(s.fd, v.id, other, 0, &replacer.pt[1]));
	OK(nvme_init(&n, &v, own, OWN));
	for (i = 0; i < 16; i++) {
		mem_fill(a, PAGE, 1000 + i);
		CHECK_EQ(nvme_write(&n, i, DATA), 0);
	}
	log = OK(kmsg_open());
	CHECK(!pthread_create(&thread, NULL, replace_on_and_on, NULL));
	for (i = 0; i < 2000; i++) {
		memset(a, 0, PAGE);
		memset(b, 0, PAGE);
		CHECK_EQ(nvme_read(&n, i % 16, DATA), 0);
		if (mem_holds(a, PAGE, 1000 + i % 16)) {
			CHECK(!*(uint64_t *)b && !memcmp(b, b + 8, PAGE - 8));
			in_a++;
		} else {
			CHECK(mem_holds(b, PAGE, 1000 + i % 16));
			CHECK(!*(uint64_t *)a && !memcmp(a, a + 8, PAGE - 8));
			in_b++;
		}
	}
	replacer.stop = true;
	pthread_join(thread, NULL);
	OK(replacer.rc);
	tap_note("%lu replacements meanwhile; %u blocks through one table, %u through the other",
		 replacer.times, in_a, in_b);
	CHECK(replacer.times > 10);
	CHECK(in_a && in_b);
	no_fault_so_far(log);
	nvme_fini(&n);
}

/* What the unit reads, by the walker of one kind or the other. */
struct look {
	struct amdvi_requester amdvi;
	struct vtd_requester vtd;
};

static void look_begin(struct look *look, const char *bdf)
{
	if (is_amdvi())
		amdvi_requester(&look->amdvi, bdf);
	else
		vtd_any_requester(&look->vtd, bdf);
}

static void look_swap(const struct look *look, uint64_t a, uint64_t b)
{
	if (is_amdvi())
		amdvi_swap(&look->amdvi, a, b);
	else
		vtd_swap(&look->vtd, a, b);
}

/* Where a write to DATA arrives: in the one page, the other, or neither (NULL). */
static char *written(struct testdev *d, char *one, char *other)
{
	if (dma_writes(d, DATA, one))
		return one;
	return dma_writes(d, DATA, other) ? other : NULL;
}

/*
 * A leaf is changed behind the back of everybody: as long as nobody tells the
 * IOMMU to forget the old one, it goes on using it.
 */
static void stale(void)
{
	char *a, *b, *c;
	struct look look;
	struct testdev d;

	space_open(&s);
	need_edu(&d, 0, s.fd);
	look_begin(&look, d.vdev.bdf);
	attach(&d, s.ioas);
	a = mapped(PAGE, DATA);
	b = mapped(PAGE, DATA + PAGE);
	c = mapped(PAGE, DATA + 2 * PAGE);

	CHECK(written(&d, a, b) == a);
	look_swap(&look, DATA, DATA + PAGE);
	/* what was not used before is looked up, */
	CHECK(!dma_writes(&d, DATA + PAGE, b));
	CHECK(dma_writes(&d, DATA + PAGE, a));
	/* what was used is remembered */
	CHECK(written(&d, a, b) == a);
	CHECK(written(&d, a, b) == a);

	/* unmapping it makes the IOMMU forget: no DMA to either page */
	OK(space_unmap(&s, DATA, PAGE));
	CHECK(!written(&d, a, b));
	OK(space_map(&s, c, PAGE, DATA));
	CHECK(written(&d, c, a) == c);
}

/* The same, with all that belongs to a device at once: it is detached. */
static void stale_detached(void)
{
	char *a, *b;
	struct look look;
	struct testdev d;
	uint32_t hwpt;

	space_open(&s);
	need_edu(&d, 0, s.fd);
	look_begin(&look, d.vdev.bdf);
	OK(iofd_hwpt(s.fd, d.vdev.id, s.ioas, 0, &hwpt));
	attach(&d, hwpt);
	a = mapped(PAGE, DATA);
	b = mapped(PAGE, DATA + PAGE);
	CHECK(written(&d, a, b) == a);
	look_swap(&look, DATA, DATA + PAGE);
	CHECK(written(&d, a, b) == a);
	OK(vdev_detach(&d.vdev));
	CHECK(!written(&d, a, b));
	attach(&d, hwpt);
	CHECK(written(&d, a, b) == b);
}

/* Messages are limited to a few at a time, and tests before had theirs. */
#define FAULT_TRIES 4

/* QEMU's AMD-Vi has nothing right in its events but the device. */
static bool tells_no_more(const char *line)
{
	return strstr(line, "the unit does not tell where to");
}

/* Whether a fault of a device was reported meanwhile. */
static bool said_so_far(int log, const char *bdf)
{
	char line[512];

	while (kmsg_next(log, line, sizeof(line), 0))
		if (strstr(line, "refused") && strstr(line, bdf))
			return true;
	return false;
}

/*
 * Refused accesses of a device are reported under the name that its requests come
 * with, at the address, and with what is wrong.
 */
static void says_fault(struct testdev *d, const char *as)
{
	char line[512], *mem = mapped(PAGE, DATA);
	uint64_t ro = DATA + PAGE;
	int log = OK(kmsg_open()), others = OK(kmsg_open()), i;
	pci_bdf on_bus_0;

	OK(iofd_map(s.fd, s.ioas, mem, PAGE, &ro, IOFD_FIXED_R));
	CHECK(dma_writes(d, DATA, mem));
	for (i = 0; i < FAULT_TRIES; i++) {
		CHECK(!dma_writes(d, ro, mem));
		if (kmsg_wait_fault(log, as, ro, true, line, sizeof(line), 5000))
			break;
		/* what its AMD-Vi reports has bus 0, whatever bus it translates for */
		snprintf(on_bus_0, sizeof(on_bus_0), "0000:00:%s", as + 8);
		if (is_amdvi() && strcmp(as, on_bus_0) && said_so_far(others, on_bus_0))
			tap_skip("QEMU says %s, it means %s", on_bus_0, as);
	}
	CHECK(i < FAULT_TRIES);
	tap_note("%s", line);
	/* ours, or the kernel's own driver */
	CHECK(strstr(line, "not mapped for writing") || strstr(line, "Write access") ||
	      strstr(line, "mapped, but not for this") || tells_no_more(line));
	for (i = 0; i < FAULT_TRIES; i++) {
		OK(edu_read(&d->edu, HOLE, 0, 64));
		if (kmsg_wait_fault(log, as, HOLE, false, line, sizeof(line), 5000))
			break;
	}
	CHECK(i < FAULT_TRIES);
	tap_note("%s", line);
	CHECK(strstr(line, "refused, reason") || strstr(line, "fault reason") ||
	      strstr(line, "refused: not mapped") || strstr(line, "event 0x10: not mapped") ||
	      tells_no_more(line));
}

static void fault_root_bus(void)
{
	struct testdev d;

	need_aperture();
	space_open(&s);
	need_edu(&d, 0, s.fd);
	CHECK(!strncmp(d.vdev.bdf, "0000:00:", 8));
	attach(&d, s.ioas);
	says_fault(&d, d.vdev.bdf);
}

/* The only thing on its bus, which is therefore that of a port. */
static void fault_root_port(void)
{
	struct testdev d;
	pci_bdf bdf;
	int nth;

	space_open(&s);
	for (nth = 0; pci_find(PCI_EDU, nth, bdf); nth++)
		if (strncmp(bdf, "0000:00:", 8) && !strcmp(bdf + 7, ":00.0")) {
			open_edu(&d, bdf, s.fd);
			attach(&d, s.ioas);
			says_fault(&d, bdf);
			return;
		}
	tap_skip("this machine has no edu behind a root port");
}

/* A bridge to PCI speaks for all behind it, as function 0 of their bus: 3.4.1. */
static void fault_bridge(void)
{
	char *mem = mem_anon(PAGE);
	struct testdev d;
	pci_bdf x, y, as;

	need_aperture();
	space_open(&s);
	need_edu_pair(x, y);
	OK(pci_bind(y, "vfio-pci"));
	open_edu(&d, x, s.fd);
	attach(&d, s.ioas);
	OK(space_map(&s, mem, PAGE, HOLE + PAGE));
	if (!own_driver() && !dma_writes(&d, HOLE + PAGE, mem))
		tap_skip("the kernel's own driver lets no DMA through from behind this bridge");
#ifdef __aarch64__
	/* an SMMUv3 knows no devices, only streams, and this one is of two of them */
	snprintf(as, sizeof(as), "stream 0x%lx", strtoul(x + 5, NULL, 16) << 8);
#else
	snprintf(as, sizeof(as), "%.8s00.0", x);
#endif
	says_fault(&d, as);
}

static const struct tap_test tests[] = {
	{ "NVMe: blocks arrive byte by byte", nvme_bytes },
	{ "NVMe: nothing outside of what is mapped, nor where it is read-only", nvme_refused, 60 },
	{ "e1000e: packets arrive byte by byte, and nowhere else", e1000e_bytes },
	{ "igb: packets arrive byte by byte, and nowhere else", igb_bytes },
	{ "a table is replaced under DMA by NVMe: whole blocks, no fault", replace_nvme, 120 },
	{ "what the IOMMU remembers is used until it is told to forget: unmap", stale },
	{ "what the IOMMU remembers is used until it is told to forget: detach", stale_detached },
	{ "a fault is reported: source, address, reason", fault_root_bus, 90 },
	{ "a fault is reported: behind a root port", fault_root_port, 90 },
	{ "a fault is reported: behind a bridge to PCI, under its name", fault_bridge, 90 },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

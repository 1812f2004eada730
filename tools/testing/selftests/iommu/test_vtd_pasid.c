// SPDX-License-Identifier: GPL-2.0
/*
 * PASIDs behind iommu_vtd. No emulated device makes requests with one: the software
 * walker does, and the kernel is made to believe that an edu has the capability. The
 * device's own DMA, which is without a PASID, goes on beside it.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "devices.h"
#include "mem.h"
#include "vtd_ops.h"
#include "vtd_walk.h"

#define PAGE	4096UL
#define IOVA	0x1000000UL
#define RW	(VTD_WALK_READ | VTD_WALK_WRITE)

static struct space s;
static struct testdev d;
static struct vtd_requester r;

static void begin(uint32_t max)
{
	space_open(&s);
	need_edu(&d, 0, s.fd);
	vtd_requester(&r, d.vdev.bdf);
	if (!vtd_is_scalable(&r) || !(r.ecap >> 40 & 1))
		tap_skip("this unit has no PASIDs");
	OK(vtd_fake_pasids(&r, max));
}

/* What is attached has to be detached before: the kernel asks for PASIDs then. */
static void end(void)
{
	edu_fini(&d.edu);
	vdev_close(&d.vdev);
	OK(vtd_fake_pasids(&r, 0));
}

/* A page table for PASIDs with one page of memory at IOVA. */
static uint32_t new_table(char **mem)
{
	uint32_t ioas, hwpt;

	*mem = mem_anon(PAGE);
	CHECK(*mem);
	OK(iofd_ioas(s.fd, &ioas));
	OK(iofd_map_at(s.fd, ioas, *mem, PAGE, IOVA));
	OK(iofd_hwpt(s.fd, d.vdev.id, ioas, IOMMU_HWPT_ALLOC_PASID, &hwpt));
	return hwpt;
}

static int leads_to(uint32_t pasid, char *mem)
{
	static uint32_t seed = 100;
	char copy[PAGE];

	mem_fill(mem, PAGE, ++seed);
	if (vtd_dma_read(&r, pasid, IOVA, copy, PAGE))
		return 0;
	return mem_holds(copy, PAGE, seed);
}

static unsigned int fault_of(uint32_t pasid)
{
	return vtd_translate(&r, pasid, IOVA, RW, NULL);
}

static void refused(void)
{
	uint32_t hwpt;
	char *mem;

	begin(0);
	hwpt = new_table(&mem);
	REFUSED(d.vdev.fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT,
		pasid_attach(&d.vdev, 1, hwpt), -EINVAL);
	OK(vtd_fake_pasids(&r, 100));
	OK(pasid_attach(&d.vdev, 99, hwpt));
	REFUSED(d.vdev.fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT,
		pasid_attach(&d.vdev, 100, hwpt), -EINVAL);
	OK(pasid_detach(&d.vdev, 99));
	end();
}

static void lives(void)
{
	uint32_t a, b;
	char *mem_a, *mem_b;

	begin(1000);
	a = new_table(&mem_a);
	b = new_table(&mem_b);
	CHECK_EQ(fault_of(5), VTD_FAULT_PASID_DISABLED);
	OK(pasid_attach(&d.vdev, 5, a));
	CHECK(leads_to(5, mem_a));
	CHECK_EQ(fault_of(6), VTD_FAULT_NO_PASID);
	CHECK_EQ(fault_of(700), VTD_FAULT_NO_DIRECTORY);
	CHECK(fault_of(VTD_WALK_NO_PASID) != 0);
	OK(pasid_attach(&d.vdev, 700, b));
	CHECK(leads_to(5, mem_a));
	CHECK(leads_to(700, mem_b));
	/* attaching again moves */
	OK(pasid_attach(&d.vdev, 5, b));
	CHECK(leads_to(5, mem_b));
	OK(pasid_attach(&d.vdev, 700, a));
	CHECK(leads_to(700, mem_a));
	OK(pasid_detach(&d.vdev, 5));
	CHECK_EQ(fault_of(5), VTD_FAULT_NO_PASID);
	CHECK(leads_to(700, mem_a));
	OK(pasid_detach(&d.vdev, 700));
	CHECK_EQ(fault_of(700), VTD_FAULT_PASID_DISABLED);
	end();
}

static void wide(void)
{
	static const uint32_t pasids[] = {
		1, 63, 64, 127, 8191, 8192, 32767, 32768, 65536, 500000, 1048575,
	};
	const unsigned int nr = sizeof(pasids) / sizeof(*pasids);
	uint32_t table[2], max, i;
	char *mem[2];

	begin(1 << 20);
	max = 1U << ((r.ecap >> 35 & 31) + 1);
	table[0] = new_table(&mem[0]);
	table[1] = new_table(&mem[1]);
	CHECK(max > pasids[nr - 1]);
	for (i = 0; i < nr; i++) {
		OK(pasid_attach(&d.vdev, pasids[i], table[i % 2]));
		CHECK(leads_to(pasids[i], mem[i % 2]));
		/* nothing was lost when the directory grew */
		CHECK(leads_to(pasids[0], mem[0]));
	}
	for (i = 0; i < nr; i++)
		CHECK(leads_to(pasids[i], mem[i % 2]));
	CHECK_EQ(fault_of(1048574), VTD_FAULT_NO_PASID);
	CHECK_EQ(fault_of(900000), VTD_FAULT_NO_DIRECTORY);
	for (i = nr; i-- > 1;) {
		OK(pasid_detach(&d.vdev, pasids[i]));
		CHECK(fault_of(pasids[i]) == VTD_FAULT_NO_PASID ||
		      fault_of(pasids[i]) == VTD_FAULT_NO_DIRECTORY);
		CHECK(leads_to(pasids[0], mem[0]));
	}
	/* tables went with what was in them */
	CHECK_EQ(fault_of(1048575), VTD_FAULT_NO_DIRECTORY);
	CHECK_EQ(fault_of(63), VTD_FAULT_NO_PASID);
	end();
}

/* The unit of QEMU follows the same tables for requests without a PASID. */
static void beside_dma(void)
{
	uint32_t hwpt, rid;
	char *mem, *own;

	begin(1 << 20);
	hwpt = new_table(&mem);
	own = mem_anon(2 * PAGE);
	OK(space_map(&s, own, 2 * PAGE, 0x10000));
	OK(iofd_hwpt(s.fd, d.vdev.id, s.ioas, IOMMU_HWPT_ALLOC_PASID, &rid));
	attach(&d, rid);
	CHECK(dma_copies(&d, 0x10000, 0x11000, own, own + PAGE));
	OK(pasid_attach(&d.vdev, 9, hwpt));
	CHECK(dma_copies(&d, 0x10000, 0x11000, own, own + PAGE));
	OK(pasid_attach(&d.vdev, 100000, hwpt));
	CHECK(dma_copies(&d, 0x10000, 0x11000, own, own + PAGE));
	CHECK(!dma_writes(&d, IOVA, mem));
	CHECK(leads_to(100000, mem));
	OK(pasid_detach(&d.vdev, 9));
	OK(pasid_detach(&d.vdev, 100000));
	CHECK(dma_copies(&d, 0x10000, 0x11000, own, own + PAGE));
	/* one table for both */
	OK(pasid_attach(&d.vdev, 9, rid));
	OK(vdev_detach(&d.vdev));
	CHECK_EQ(vtd_translate(&r, 9, 0x10000, RW, NULL), 0);
	CHECK(vtd_translate(&r, VTD_WALK_NO_PASID, 0x10000, RW, NULL) != 0);
	CHECK(!dma_writes(&d, 0x10000, own));
	OK(pasid_detach(&d.vdev, 9));
	end();
}

static void unmapped(void)
{
	uint32_t ioas, hwpt;
	uint64_t ro = 0x40000;
	char *mem;

	begin(1000);
	mem = mem_anon(4 * PAGE);
	OK(iofd_ioas(s.fd, &ioas));
	OK(iofd_hwpt(s.fd, d.vdev.id, ioas, IOMMU_HWPT_ALLOC_PASID, &hwpt));
	OK(pasid_attach(&d.vdev, 77, hwpt));
	CHECK(fault_of(77) != 0);
	OK(iofd_map_at(s.fd, ioas, mem, 4 * PAGE, IOVA));
	OK(iofd_map(s.fd, ioas, mem, PAGE, &ro, IOFD_FIXED_R));
	CHECK_EQ(fault_of(77), 0);
	CHECK_EQ(vtd_translate(&r, 77, ro, VTD_WALK_READ, NULL), 0);
	CHECK_EQ(vtd_translate(&r, 77, ro, VTD_WALK_WRITE, NULL), VTD_FAULT_WRITE);
	/* what no entry allows: privileged and executing requests */
	if (!(r.ecap >> 46 & 1))
		CHECK_EQ(vtd_translate(&r, 77, IOVA, VTD_WALK_READ | VTD_WALK_PRIV, NULL), 0x5d);
	CHECK_EQ(vtd_translate(&r, 77, IOVA, VTD_WALK_EXEC, NULL), 0x5c);
	OK(iofd_unmap(s.fd, ioas, IOVA, 4 * PAGE, NULL));
	CHECK(fault_of(77) != 0);
	end();
}

/* A process ends with PASIDs attached. */
static void left_behind(void)
{
	uint32_t hwpt, i;
	int status;
	pid_t pid;
	char *mem;

	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		begin(1 << 20);
		hwpt = new_table(&mem);
		for (i = 1; i < 1 << 20; i *= 4)
			OK(pasid_attach(&d.vdev, i, hwpt));
		_exit(leads_to(1, mem) ? 0 : 1);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 4)
		tap_skip("this unit has no PASIDs");
	CHECK_EQ(status, 0);
	/* bound again: blocked, and no PASID is left */
	begin(1 << 20);
	for (i = 1; i < 1 << 20; i *= 4)
		CHECK_EQ(fault_of(i), VTD_FAULT_PASID_DISABLED);
	end();
}

static const struct tap_test tests[] = {
	{ "a device without PASIDs has none attached, others not more than they have", refused },
	{ "a PASID is attached, moved and detached", lives },
	{ "PASIDs up to 20 bits", wide, 60 },
	{ "DMA without a PASID goes on beside it", beside_dma, 60 },
	{ "what is mapped, read-only and unmapped", unmapped },
	{ "nothing is left when a process ends", left_behind },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Devices that remember translations themselves: when they may, and that they are
 * told to forget. What an emulated device remembers cannot be seen; what it is
 * told stands in the unit's queue.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ats_unit.h"
#include "devices.h"
#include "mem.h"
#include "rng.h"
#include "vtd_ops.h"

#define PAGE 4096UL
#define OWN	0x10000000UL
#define DATA	0x1000000UL

static struct space s;
static struct vdev v;
static const struct ats_unit *unit;

/* The nth device with ATS, bound, not attached. */
static void begin(int nth)
{
	pci_bdf bdf;

	unit = ats_unit();
	if (!pci_find(PCI_RNG, nth, bdf))
		tap_skip("this machine has no virtio random number generator number %d", nth);
	space_open(&s);
	OK(vdev_setup(&v, bdf, s.fd));
	unit->find(bdf);
}

static void attach_to(uint32_t pt)
{
	OK(vdev_attach(&v, &pt));
}

/* The ATS control register, as it is; -1 without the capability. */
static int ats_control(const char *bdf)
{
	uint32_t head = 0;
	uint16_t control;
	unsigned int at;
	char path[128];
	int f;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
	f = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(f >= 0);
	for (at = 0x100; at; at = head >> 20) {
		CHECK_EQ(pread(f, &head, 4, at), 4);
		if ((head & 0xffff) == 0xf)
			break;
	}
	if (at)
		CHECK_EQ(pread(f, &control, 2, at + 6), 2);
	close(f);
	return at ? control : -1;
}

static bool ats_is_on(void)
{
	int control = ats_control(v.bdf);

	CHECK(control >= 0);
	return control & 0x8000;
}

static void on_and_off(void)
{
	uint32_t a, b, length = 0;
	uint64_t caps;
	int nth;

	for (nth = 0; nth < 2; nth++) {
		begin(nth);
		OK(iofd_hw_info(s.fd, v.id, NULL, &length, NULL, &caps));
		CHECK(!(caps & IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED));
		OK(iofd_hwpt(s.fd, v.id, s.ioas, 0, &a));
		OK(iofd_hwpt(s.fd, v.id, s.ioas, 0, &b));
		CHECK(!ats_is_on());
		attach_to(a);
		CHECK(ats_is_on());
		attach_to(b);
		CHECK(ats_is_on());
		OK(vdev_detach(&v));
		CHECK(!ats_is_on());
		attach_to(b);
		CHECK(ats_is_on());
		vdev_close(&v);
		CHECK(!ats_is_on());
		close(s.fd);
	}
}

static void not_there(void)
{
	uint32_t length = 0;
	struct testdev d;
	uint64_t caps;

	ats_unit();
	space_open(&s);
	need_edu(&d, 0, s.fd);
	OK(iofd_hw_info(s.fd, d.vdev.id, NULL, &length, NULL, &caps));
	CHECK(caps & IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED);
}

static bool is_zero(const char *p, size_t size)
{
	return !*p && !memcmp(p, p + 1, size - 1);
}

static void dma(void)
{
	char *own = mem_anon(RNG_QUEUE_SIZE), *mem = mem_anon(4 * PAGE);
	struct rng r;
	int nth, rc;

	for (nth = 0; nth < 2; nth++) {
		begin(nth);
		attach_to(s.ioas);
		OK(space_map(&s, own, RNG_QUEUE_SIZE, OWN));
		OK(space_map(&s, mem, 4 * PAGE, DATA));
		memset(mem, 0, 4 * PAGE);
		OK(rng_init(&r, &v, own, OWN));
		OK(rng_fill(&r, DATA + PAGE, 64, 10000));
		CHECK(!is_zero(mem + PAGE, 64));
		CHECK(is_zero(mem, PAGE));
		CHECK(is_zero(mem + PAGE + 64, 3 * PAGE - 64));
		OK(space_unmap(&s, DATA, 4 * PAGE));
		memset(mem, 0, 4 * PAGE);
		rc = rng_fill(&r, DATA + PAGE, 64, 1000);
		tap_note("to where nothing is: %s", tap_errno(rc));
		CHECK(is_zero(mem, 4 * PAGE));
		rng_fini(&r);
		vdev_close(&v);
		close(s.fd);
	}
}

static struct ats_told told[ATS_NR_TOLD];

/*
 * The newest of what the unit was told is that the device forgets all of the
 * range, after the unit has, with something that waits in between and behind.
 */
static void was_told_of(uint32_t pasid, uint64_t from, uint64_t to)
{
	int i;

	unit->told(told);
	for (i = ATS_NR_TOLD - 1; i >= 0 && told[i].kind != ATS_DEVICE; i--)
		;
	CHECK(i >= 2);
	CHECK_EQ(told[i].device, unit->id());
	CHECK_EQ(told[i].pasid, pasid);
	if (told[i].first > from || told[i].last < to)
		tap_fail(__FILE__, __LINE__, "0x%lx-0x%lx was forgotten of 0x%lx-0x%lx",
			 told[i].first, told[i].last, from, to);
	CHECK_EQ(told[i - 1].kind, ATS_WAIT);
	CHECK_EQ(told[i - 2].kind, ATS_IOTLB);
	CHECK(i < ATS_NR_TOLD - 1);
	CHECK_EQ(told[i + 1].kind, ATS_WAIT);
}

static void was_told(uint64_t from, uint64_t to)
{
	was_told_of(ATS_NO_PASID, from, to);
}

static unsigned int device_tlbs(void)
{
	unsigned int i, n = 0;

	unit->told(told);
	for (i = 0; i < ATS_NR_TOLD; i++)
		n += told[i].kind == ATS_DEVICE;
	return n;
}

static void told_to_forget(void)
{
	/* where and how much: single pages, odd ends, across a power of two */
	static const struct { uint64_t iova, pages; } ranges[] = {
		{ DATA, 1 }, { DATA + PAGE, 2 }, { DATA + 2 * PAGE, 2 }, { DATA, 512 },
		{ DATA + 511 * PAGE, 3 }, { (1UL << 31) - PAGE, 2 }, { DATA + 7 * PAGE, 300 },
	};
	char *mem = mem_anon(512 * PAGE);
	unsigned int i;
	int nth;

	for (nth = 0; nth < 2; nth++) {
		begin(nth);
		attach_to(s.ioas);
		for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
			uint64_t from = ranges[i].iova, len = ranges[i].pages * PAGE;

			OK(space_map(&s, mem, len, from));
			OK(space_unmap(&s, from, len));
			was_told(from, from + len - 1);
		}
		vdev_close(&v);
		close(s.fd);
	}
}

static void told_when_replaced(void)
{
	uint32_t a, b;

	begin(0);
	OK(iofd_hwpt(s.fd, v.id, s.ioas, 0, &a));
	OK(iofd_hwpt(s.fd, v.id, s.ioas, 0, &b));
	attach_to(a);
	attach_to(b);
	was_told(0, UINT64_MAX);
}

/* Without ATS a device would not answer, so it is not asked. */
static void not_told(void)
{
	char *mem = mem_anon(PAGE);
	struct testdev d;
	int i;

	begin(0);
	need_edu(&d, 0, s.fd);
	attach(&d, s.ioas);
	attach_to(s.ioas);
	OK(vdev_detach(&v));
	/* more than what is looked at */
	for (i = 0; i < ATS_NR_TOLD; i++) {
		OK(space_map(&s, mem, PAGE, DATA));
		OK(space_unmap(&s, DATA, PAGE));
	}
	CHECK_EQ(device_tlbs(), 0);
	attach_to(s.ioas);
	OK(space_map(&s, mem, PAGE, DATA));
	OK(space_unmap(&s, DATA, PAGE));
	was_told(DATA, DATA + PAGE - 1);
}

/* A device that may still know memory that goes has no way to it any more. */
static void cut_off(void)
{
	char *own = mem_anon(RNG_QUEUE_SIZE), *mem = mem_anon(4 * PAGE);
	uint32_t a, b, pt;
	struct rng r;

	begin(0);
	OK(iofd_hwpt(s.fd, v.id, s.ioas, 0, &a));
	OK(iofd_hwpt(s.fd, v.id, s.ioas, 0, &b));
	attach_to(a);
	OK(space_map(&s, own, RNG_QUEUE_SIZE, OWN));
	OK(space_map(&s, mem, 4 * PAGE, DATA));
	OK(space_map(&s, own, PAGE, DATA + 16 * PAGE));
	OK(rng_init(&r, &v, own, OWN));
	OK(rng_fill(&r, DATA, 64, 10000));
	CHECK(!is_zero(mem, 64));

	unit->mute(true);
	OK(space_unmap(&s, DATA + 16 * PAGE, PAGE));
	unit->mute(false);
	memset(mem, 0, PAGE);
	/* mapped as ever, and out of reach */
	CHECK(rng_fill(&r, DATA, 64, 500) == -ETIMEDOUT);
	CHECK(is_zero(mem, PAGE));
	rng_fini(&r);
	/* another table does not help */
	pt = b;
	ERR(vdev_attach(&v, &pt), -EIO);
	tap_note("%s", iommufd_last_reason(v.fd));
	CHECK(*iommufd_last_reason(v.fd));

	OK(vdev_detach(&v));
	CHECK(!ats_is_on());
	attach_to(b);
	CHECK(ats_is_on());
	OK(rng_init(&r, &v, own, OWN));
	OK(rng_fill(&r, DATA, 64, 10000));
	CHECK(!is_zero(mem, 64));
	rng_fini(&r);
}

static void cut_off_when_replaced(void)
{
	char *own = mem_anon(RNG_QUEUE_SIZE), *mem = mem_anon(PAGE);
	uint32_t a, b;
	struct rng r;

	begin(1);
	OK(iofd_hwpt(s.fd, v.id, s.ioas, 0, &a));
	OK(iofd_hwpt(s.fd, v.id, s.ioas, 0, &b));
	OK(space_map(&s, own, RNG_QUEUE_SIZE, OWN));
	OK(space_map(&s, mem, PAGE, DATA));
	attach_to(a);
	OK(rng_init(&r, &v, own, OWN));
	OK(rng_fill(&r, DATA, 64, 10000));
	unit->mute(true);
	attach_to(b);
	unit->mute(false);
	memset(mem, 0, PAGE);
	CHECK(rng_fill(&r, DATA, 64, 500) == -ETIMEDOUT);
	CHECK(is_zero(mem, PAGE));
	rng_fini(&r);
	OK(vdev_detach(&v));
	attach_to(a);
	OK(rng_init(&r, &v, own, OWN));
	OK(rng_fill(&r, DATA, 64, 10000));
	CHECK(!is_zero(mem, 64));
	rng_fini(&r);
}

/* A page table for PASIDs, with an IOAS of its own. */
static uint32_t pasid_table(uint32_t *ioas)
{
	uint32_t hwpt;

	OK(iofd_ioas(s.fd, ioas));
	OK(iofd_hwpt(s.fd, v.id, *ioas, IOMMU_HWPT_ALLOC_PASID, &hwpt));
	return hwpt;
}

/* The same for what is attached without a PASID: a device has it of one kind. */
static uint32_t begin_pasids(uint32_t *ioas)
{
	begin(0);
	if (!unit->pasids(1000))
		tap_skip("this unit has no PASIDs");
	return pasid_table(ioas);
}

/* What is attached has to be detached before. */
static void end_pasids(void)
{
	vdev_close(&v);
	unit->pasids(0);
}

static void forgets(uint32_t pasid, uint32_t ioas)
{
	char *mem = mem_anon(2 * PAGE);

	OK(iofd_map_at(s.fd, ioas, mem, 2 * PAGE, DATA));
	OK(iofd_unmap(s.fd, ioas, DATA, 2 * PAGE, NULL));
	was_told_of(pasid, DATA, DATA + 2 * PAGE - 1);
}

static void pasids(void)
{
	uint32_t none, ioas[2], pt[2], plain;

	plain = begin_pasids(&none);
	pt[0] = pasid_table(&ioas[0]);
	pt[1] = pasid_table(&ioas[1]);
	/* PASIDs only, and then the rest of the device */
	OK(pasid_attach(&v, 5, pt[0]));
	CHECK(ats_is_on());
	forgets(5, ioas[0]);
	attach_to(plain);
	CHECK(ats_is_on());
	forgets(ATS_NO_PASID, none);
	forgets(5, ioas[0]);
	OK(pasid_attach(&v, 999, pt[1]));
	forgets(999, ioas[1]);
	/* moved, and detached */
	OK(pasid_attach(&v, 5, pt[1]));
	was_told_of(5, 0, UINT64_MAX);
	OK(pasid_detach(&v, 999));
	was_told_of(999, 0, UINT64_MAX);
	forgets(5, ioas[1]);
	OK(vdev_detach(&v));
	was_told(0, UINT64_MAX);
	CHECK(ats_is_on());
	forgets(5, ioas[1]);
	OK(pasid_detach(&v, 5));
	CHECK(!ats_is_on());
	/* and the other way around */
	attach_to(plain);
	OK(pasid_attach(&v, 5, pt[0]));
	OK(pasid_detach(&v, 5));
	was_told_of(5, 0, UINT64_MAX);
	CHECK(ats_is_on());
	OK(vdev_detach(&v));
	CHECK(!ats_is_on());
	end_pasids();
}

static unsigned int fault_of(uint32_t pasid)
{
	return unit->fault(pasid, DATA);
}

/* Cut off from everything, for what it was told of one PASID. */
static void pasids_cut_off(void)
{
	uint32_t ioas[2], pt[2];
	char *mem = mem_anon(PAGE);

	pt[0] = begin_pasids(&ioas[0]);
	pt[1] = pasid_table(&ioas[1]);
	OK(iofd_map_at(s.fd, ioas[0], mem, PAGE, DATA + PAGE));
	OK(iofd_map_at(s.fd, ioas[1], mem, PAGE, DATA));
	OK(pasid_attach(&v, 5, pt[0]));
	OK(pasid_attach(&v, 6, pt[1]));
	CHECK_EQ(fault_of(6), 0);
	unit->mute(true);
	OK(iofd_unmap(s.fd, ioas[0], DATA + PAGE, PAGE, NULL));
	unit->mute(false);
	CHECK(fault_of(6));
	REFUSED(v.fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, pasid_attach(&v, 7, pt[1]), -EIO);
	OK(pasid_detach(&v, 5));
	CHECK(fault_of(6));
	ERR(pasid_attach(&v, 5, pt[1]), -EIO);
	ERR(vdev_attach(&v, &pt[0]), -EIO);
	CHECK(fault_of(6));
	OK(pasid_detach(&v, 6));
	CHECK(!ats_is_on());
	OK(pasid_attach(&v, 5, pt[1]));
	CHECK(ats_is_on());
	CHECK_EQ(fault_of(5), 0);
	OK(pasid_detach(&v, 5));
	end_pasids();
}

static void back(void)
{
	unit = ats_unit();
	if (unit->back)
		unit->back();
}

static const struct tap_test tests[] = {
	{ "ATS is on while a device is attached, and only then", on_and_off },
	{ "a device without ATS says so", not_there },
	{ "DMA of a device with ATS: where it belongs, and nowhere else", dma },
	{ "unmapping makes the device forget, after the unit", told_to_forget },
	{ "replacing a table makes the device forget everything", told_when_replaced },
	{ "a device whose ATS is off is left alone", not_told },
	{ "a device that does not answer is cut off until it is detached", cut_off },
	{ "the same when its table is replaced", cut_off_when_replaced },
	{ "PASIDs: what leaves a table is forgotten for each", pasids },
	{ "PASIDs of a device that does not answer", pasids_cut_off },
	{ "the unit is itself again", back },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

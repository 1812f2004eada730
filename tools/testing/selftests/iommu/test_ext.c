// SPDX-License-Identifier: GPL-2.0
/*
 * <linux/iommufd_ext.h> on the IOMMU of the machine: its name, the addresses of
 * a device that is not attached, windows that DMA goes through; and all that with
 * the mock beside it.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ext.h"
#include "mem.h"
#include "mock.h"

#define PAGE 4096UL
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
/* edu has 28 address bits */
#define LOW (16 * MIB)

static struct space s;
static struct testdev d;

static void begin(void)
{
	space_open(&s);
	need_edu(&d, 0, s.fd);
}

static void name_and_id(void)
{
	struct instance in, other;
	struct testdev second;

	begin();
	OK(ext_instance(s.fd, d.vdev.id, &in));
	tap_note("%s, driver %s", in.head.name, in.head.driver);
	CHECK(in.head.id);
	CHECK_EQ(in.head.id, ext_sysfs_id((char *)in.head.name));
	CHECK_EQ(in.head.nr_devices, 1);
	CHECK_EQ(in.device[0].dev_id, d.vdev.id);

	need_edu(&second, 1, s.fd);
	OK(ext_instance(s.fd, second.vdev.id, &other));
	/* on POWER each host bridge is one */
	if (has_windows()) {
		CHECK(other.head.id != in.head.id);
		CHECK_EQ(ext_common(&other, d.vdev.id), 0);
		return;
	}
	/* every other machine of the lab has one IOMMU for all of its devices */
	CHECK_EQ(other.head.id, in.head.id);
	CHECK_EQ(other.head.nr_devices, 2);
	CHECK_EQ(ext_common(&other, d.vdev.id),
		 IOMMU_EXT_INSTANCE_SAME | IOMMU_EXT_INSTANCE_SHARES_TABLES);
	edu_fini(&second.edu);
	vdev_close(&second.vdev);
	OK(ext_instance(s.fd, d.vdev.id, &other));
	CHECK_EQ(other.head.nr_devices, 1);
}

/* The name is what the kernel's own driver has in /sys/class/iommu. */
static void sysfs_agrees(void)
{
	struct instance in;
	char path[160];

	begin();
	OK(ext_instance(s.fd, d.vdev.id, &in));
	if (strcmp((char *)in.head.driver, "builtin"))
		tap_skip("%s is not driven by the kernel itself", in.head.name);
	snprintf(path, sizeof(path), "/sys/class/iommu/%s/devices/%s", in.head.name, d.vdev.bdf);
	CHECK(!access(path, F_OK));
}

static void usable(void)
{
	struct iommu_iova_range ranges[EXT_MAX];
	uint32_t count = COUNT(ranges), ioas;
	struct windows_info info;
	unsigned int i;

	begin();
	OK(ext_windows_info(s.fd, d.vdev.id, &info));
	/* a page table was made for this, and has gone */
	CHECK_EQ(iofd_objects(s.fd, "hwpt"), 0);
	for (i = 0; i < info.head.nr_usable; i++)
		tap_note("usable 0x%llx..0x%llx, pages 0x%llx",
			 (unsigned long long)info.range[i].first,
			 (unsigned long long)info.range[i].last,
			 (unsigned long long)info.range[i].pgsizes);
	/* what attaching makes of an empty IOAS */
	OK(iofd_ioas(s.fd, &ioas));
	attach(&d, ioas);
	OK(iofd_ranges(s.fd, ioas, ranges, &count, NULL));
	CHECK_EQ(info.head.nr_usable, count);
	for (i = 0; i < count; i++) {
		CHECK_EQ(info.range[i].first, ranges[i].start);
		CHECK_EQ(info.range[i].last, ranges[i].last);
		CHECK_EQ(info.range[i].pgsizes & -info.range[i].pgsizes, PAGE);
	}
	CHECK_EQ(info.head.nr_places, info.head.nr_usable);
}

static void granted(void)
{
	char *va = mem_anon(2 * PAGE);
	struct windows w = {};
	uint32_t hwpt;

	need_aperture();
	begin();
	/* what a POWER guest has by default, and one window more */
	ext_want(&w, 0, 2 * GIB, PAGE, 1, 0);
	ext_want(&w, 4 * GIB, 3 * GIB, 65536, 0, 0);
	OK(ext_hwpt(s.fd, d.vdev.id, s.ioas, 0, &w, &hwpt));
	CHECK_EQ(w.window[0].iova, 0);
	CHECK_EQ(w.window[0].length, 2 * GIB);
	CHECK_EQ(w.window[0].pgsize, PAGE);
	CHECK_EQ(w.window[1].iova, 4 * GIB);
	attach(&d, hwpt);
	OK(space_map(&s, va, 2 * PAGE, LOW));
	CHECK(dma_copies(&d, LOW, LOW + PAGE, va, va + PAGE));
	OK(space_unmap(&s, LOW, 2 * PAGE));
	CHECK(!dma_writes(&d, LOW, va));
}

static void at_least_a_gib(void)
{
	char *va = mem_anon(2 * PAGE);
	struct windows w = {};
	uint32_t hwpt;

	begin();
	ext_want(&w, 0, GIB, 0, 0, ANYWHERE);
	OK(ext_hwpt(s.fd, d.vdev.id, s.ioas, 0, &w, &hwpt));
	tap_note("0x%llx bytes at 0x%llx", (unsigned long long)w.window[0].length,
		 (unsigned long long)w.window[0].iova);
	CHECK(w.window[0].length >= GIB);
	attach(&d, hwpt);
	OK(space_map(&s, va, PAGE, w.window[0].iova));
	OK(space_map(&s, va + PAGE, PAGE, w.window[0].iova + GIB - PAGE));
}

static void refused(void)
{
	struct windows_info info;
	struct windows w = {};
	unsigned int objects;
	uint64_t top;
	uint32_t hwpt;

	need_aperture();
	begin();
	OK(ext_windows_info(s.fd, d.vdev.id, &info));
	objects = iofd_objects(s.fd, NULL);
	/* across the window for interrupts, before the device is attached */
	ext_want(&w, 0, 2 * GIB, 0, 0, 0);
	ext_want(&w, 2 * GIB, 2 * GIB, 0, 0, 0);
	NO_WINDOW(s.fd, ext_hwpt(s.fd, d.vdev.id, s.ioas, 0, &w, &hwpt), 1,
		  MSI_WINDOW);
	/* where POWER has its second one: more bits than this IOMMU */
	memset(&w, 0, sizeof(w));
	ext_want(&w, 1ULL << 59, GIB, 0, 0, 0);
	NO_WINDOW(s.fd, ext_hwpt(s.fd, d.vdev.id, s.ioas, 0, &w, &hwpt), 0, "translated");
	top = info.range[info.head.nr_usable - 1].last;
	memset(&w, 0, sizeof(w));
	ext_want(&w, top + 1 - GIB, 2 * GIB, 0, 0, 0);
	NO_WINDOW(s.fd, ext_hwpt(s.fd, d.vdev.id, s.ioas, 0, &w, &hwpt), 0, "ends beyond");
	memset(&w, 0, sizeof(w));
	ext_want(&w, LOW, MIB, 2048, 0, 0);
	NO_WINDOW(s.fd, ext_hwpt(s.fd, d.vdev.id, s.ioas, 0, &w, &hwpt), 0, "0x1000");
	memset(&w, 0, sizeof(w));
	ext_want(&w, 0, top, 0, 0, ANYWHERE);
	NO_WINDOW(s.fd, ext_hwpt(s.fd, d.vdev.id, s.ioas, 0, &w, &hwpt), 0, "longest");
	CHECK_EQ(iofd_objects(s.fd, NULL), objects);
}

/* Two devices of IOMMUs that have nothing in common, in one file and one IOAS. */
static void beside_the_mock(void)
{
	char *va = mem_anon(2 * PAGE);
	int loaded = mock_load();
	struct instance in;
	struct windows w = {};
	struct mockdev m;
	uint32_t hwpt;

	need_aperture();
	if (loaded && loaded != -EEXIST)
		tap_skip("the mock cannot be loaded: %s", tap_errno(loaded));
	begin();
	attach(&d, s.ioas);
	OK(mock_device(s.fd, s.ioas, 0, &m));
	OK(ext_instance(s.fd, d.vdev.id, &in));
	CHECK_EQ(in.head.nr_devices, 1);
	CHECK_EQ(in.device[0].dev_id, d.vdev.id);
	OK(ext_instance(s.fd, m.idev, &in));
	CHECK(!strcmp((char *)in.head.name, "iommufd-mock0"));
	CHECK_EQ(in.head.nr_devices, 1);

	/* a window for both: the aperture of the mock decides */
	ext_want(&w, 0, GIB, 0, 0, 0);
	NO_WINDOW(s.fd, ext_hwpt(s.fd, d.vdev.id, s.ioas, 0, &w, &hwpt), 0, "0x1000000..0x7fffffff");
	memset(&w, 0, sizeof(w));
	ext_want(&w, APERTURE, GIB, 0, 0, 0);
	OK(ext_hwpt(s.fd, d.vdev.id, s.ioas, 0, &w, &hwpt));
	CHECK_EQ(w.window[0].pgsize, PAGE);
	OK(space_map(&s, va, 2 * PAGE, LOW));
	CHECK(dma_copies(&d, LOW, LOW + PAGE, va, va + PAGE));
	OK(mock_check_map(s.fd, m.hwpt, LOW, va, 2 * PAGE));

	/* the windowed one: two stretches become one */
	OK(iofd_destroy(s.fd, m.stdev));
	OK(mock_device_on(s.fd, s.ioas, UNIT_WINDOWED, &m));
	OK(mock_check_map(s.fd, m.hwpt, LOW, va, 2 * PAGE));
	OK(iofd_destroy(s.fd, m.stdev));
}

/* After the test's process: its file held devices of the mock. */
static int unload(void)
{
	int tries, rc = 0;

	for (tries = 0; tries < 100; tries++) {
		rc = mock_unload();
		if (rc != -EAGAIN)
			break;
		usleep(20000);
	}
	return rc;
}

static const struct tap_test tests[] = {
	{ "the IOMMU's name and id, and who shares it", name_and_id },
	{ "sysfs lists the device under that name", sysfs_agrees },
	{ "usable addresses before attaching are those after it", usable },
	{ "windows that the IOMMU covers, and DMA in one", granted },
	{ "at least 1 GiB", at_least_a_gib },
	{ "windows that cannot be had", refused },
	{ "the mock at the same time", beside_the_mock },
};

int main(int argc, char **argv)
{
	int was_there = !access("/sys/module/iommufd_mock", F_OK);
	int status = TAP_RUN(argc, argv, tests), rc = 0;

	if (!was_there && !access("/sys/module/iommufd_mock", F_OK))
		rc = unload();
	if (rc) {
		printf("# the module cannot be unloaded: %s\n", tap_errno(rc));
		return 1;
	}
	return status;
}

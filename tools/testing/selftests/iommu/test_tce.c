// SPDX-License-Identifier: GPL-2.0
/*
 * Windows of TCEs on POWER: two of them at once, with pages of different sizes,
 * made and removed again and again; what cannot be had; devices that go while they
 * are in use, and the host's own driver afterwards.
 */
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ext.h"
#include "devices.h"
#include "mem.h"
#include "nvme.h"
#include "sweep.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
/* what DMA of edu moves */
#define PIECE 4096UL
#define BIG 65536UL
#define PCI_NVME 0x1b36, 0x0010
#define ROUNDS 100
/* of EEH, as sysfs shows them */
#define PE_ISOLATED	0x1
#define PE_RECOVERING	0x2

static struct space s;
static struct testdev d;
static struct iommu_ext_hw_info_tce tce;
static uint64_t page;
static size_t big_size;

static void look(uint32_t dev)
{
	uint32_t length = sizeof(tce);
	int rc = ext_hw_info(s.fd, dev, IOMMU_EXT_HW_INFO_TCE, &tce, &length);

	if (rc == -EOPNOTSUPP)
		tap_skip("this machine has no windows of TCEs");
	OK(rc);
	CHECK_EQ(length, sizeof(tce));
}

static void begin(void)
{
	page = sysconf(_SC_PAGESIZE);
	if (access("/sys/module/iommu_tce", F_OK))
		tap_skip("iommu_tce is not loaded");
	space_open(&s);
	need_edu(&d, 0, s.fd);
	look(d.vdev.id);
}

static void need_dynamic(void)
{
	if (!tce.dynamic_length)
		tap_skip("firmware makes no dynamic window");
}

/* The window for 32 bits and the dynamic one, of pages of 64 KiB. */
static uint32_t two_windows(uint32_t dev, struct windows *w)
{
	uint32_t hwpt;

	memset(w, 0, sizeof(*w));
	ext_want(w, tce.dma32_first, 256 * MIB, page, 0, 0);
	ext_want(w, tce.dynamic_first, GIB, BIG, 0, 0);
	OK(ext_hwpt(s.fd, dev, s.ioas, 0, w, &hwpt));
	return hwpt;
}

/* Memory that is in one piece as far as pages of 64 KiB are concerned. */
static char *big_memory(void)
{
	char *va;

	big_size = 2 * MIB;
	if (page >= BIG)
		return mem_anon(big_size);
	va = mem_huge(&big_size);
	if (!va)
		tap_skip("no huge page is free");
	return va;
}

static void described(void)
{
	struct windows_info info;
	unsigned int i;

	begin();
	tap_note("32 bits: 0x%llx+0x%llx, pages 0x%llx", tce.dma32_first, tce.dma32_length,
		 tce.dma32_pgsizes);
	tap_note("dynamic: 0x%llx+0x%llx, pages 0x%llx; %u levels", tce.dynamic_first,
		 tce.dynamic_length, tce.dynamic_pgsizes, tce.max_levels);
	CHECK(tce.dma32_length);
	CHECK(tce.max_levels >= 1);
	OK(ext_windows_info(s.fd, d.vdev.id, &info));
	CHECK_EQ(iofd_objects(s.fd, "hwpt"), 0);
	CHECK_EQ(info.head.nr_places, tce.dynamic_length ? 2 : 1);
	CHECK_EQ(info.head.max_windows, info.head.nr_places);
	for (i = 0; i < info.head.nr_places; i++) {
		struct iommu_ext_range *range = &info.range[info.head.nr_usable + i];

		CHECK_EQ(range->first, i ? tce.dynamic_first : tce.dma32_first);
		CHECK_EQ(range->last - range->first + 1,
			 i ? tce.dynamic_length : tce.dma32_length);
		CHECK_EQ(range->pgsizes, i ? tce.dynamic_pgsizes : tce.dma32_pgsizes);
		CHECK_EQ(range->max_levels, tce.max_levels);
	}
}

/* Who knows nothing of windows gets ones that work. */
static void by_default(void)
{
	char *va;
	uint64_t from = 0, to = 0;

	begin();
	va = mem_anon(2 * page);
	attach(&d, s.ioas);
	OK(iofd_map(s.fd, s.ioas, va, page, &from, IOFD_RW));
	OK(iofd_map(s.fd, s.ioas, va + page, page, &to, IOFD_RW));
	CHECK(dma_copies(&d, from, to, va, va + page));
	OK(space_unmap(&s, to, page));
	CHECK(!dma_writes(&d, to, va + page));
}

static void at_least_a_gib(void)
{
	struct windows w = {};
	uint32_t hwpt;
	char *va;

	begin();
	va = mem_anon(page);
	ext_want(&w, 0, GIB, 0, 0, ANYWHERE);
	OK(ext_hwpt(s.fd, d.vdev.id, s.ioas, 0, &w, &hwpt));
	CHECK(w.window[0].length >= GIB);
	attach(&d, hwpt);
	OK(space_map(&s, va, page, w.window[0].iova + GIB - page));
	CHECK(dma_writes(&d, w.window[0].iova + GIB - page, va));
}

static void both_at_once(void)
{
	struct iommu_iova_range ranges[4];
	uint32_t count = COUNT(ranges), hwpt;
	char *small, *big;
	struct windows w;

	begin();
	need_dynamic();
	small = mem_anon(page);
	big = big_memory();
	hwpt = two_windows(d.vdev.id, &w);
	CHECK_EQ(w.window[1].iova, tce.dynamic_first);
	CHECK_EQ(w.window[1].pgsize, BIG);
	OK(iofd_ranges(s.fd, s.ioas, ranges, &count, NULL));
	CHECK_EQ(count, 2);
	CHECK_EQ(ranges[0].start, tce.dma32_first);
	CHECK_EQ(ranges[1].start, tce.dynamic_first);
	CHECK_EQ(ranges[1].last - ranges[1].start + 1, w.window[1].length);
	attach(&d, hwpt);
	OK(space_map(&s, small, page, tce.dma32_first + MIB));
	OK(space_map(&s, big, 2 * BIG, tce.dynamic_first + 16 * BIG));
	CHECK(dma_copies(&d, tce.dma32_first + MIB, tce.dynamic_first + 17 * BIG,
			 small, big + BIG));
	CHECK(dma_copies(&d, tce.dynamic_first + 16 * BIG + PIECE, tce.dma32_first + MIB,
			 big + PIECE, small));
	/* not a multiple of the pages of this window, but of the other */
	REFUSED(s.fd, IOMMU_IOAS_MAP, space_map(&s, big, PIECE, tce.dynamic_first), -EINVAL);
}

static void outside(void)
{
	uint64_t at;
	uint32_t hwpt;
	char *va;

	begin();
	va = mem_anon(4 * page);
	at = tce.dma32_first + MIB;
	attach(&d, s.ioas);
	OK(space_map(&s, va, page, at));
	CHECK(dma_writes(&d, at, va));
	mem_fill(va + page, page, 3);
	OK(edu_write(&d.edu, at + page, 0, PIECE));
	OK(edu_write(&d.edu, tce.dma32_first + tce.dma32_length, 0, PIECE));
	CHECK(mem_holds(va + page, page, 3));
	OK(iofd_map(s.fd, s.ioas, va + 2 * page, page, &(uint64_t){ at + 2 * page }, IOFD_FIXED_R));
	CHECK(!dma_writes(&d, at + 2 * page, va + 2 * page));
	CHECK(dma_copies(&d, at + 2 * page, at, va + 2 * page, va));
	/* what is mapped stays, and is reached again when the device is back */
	OK(vdev_detach(&d.vdev));
	CHECK(!dma_writes(&d, at, va));
	OK(iofd_hwpt(s.fd, d.vdev.id, s.ioas, 0, &hwpt));
	CHECK(!dma_writes(&d, at, va));
	attach(&d, hwpt);
	CHECK(dma_writes(&d, at, va));
}

/* From one page table to another with other windows, and back. */
static void replaced(void)
{
	struct windows w = {};
	uint32_t one, two;
	char *va;

	begin();
	need_dynamic();
	va = big_memory();
	ext_want(&w, tce.dma32_first, 256 * MIB, 0, 0, 0);
	OK(ext_hwpt(s.fd, d.vdev.id, s.ioas, 0, &w, &one));
	attach(&d, one);
	OK(space_map(&s, va, BIG, tce.dma32_first + MIB));
	CHECK(dma_writes(&d, tce.dma32_first + MIB, va));
	/* the IOAS has what all of its tables have: another one for more */
	OK(iofd_ioas(s.fd, &s.ioas));
	two = two_windows(d.vdev.id, &w);
	OK(space_map(&s, va, BIG, tce.dynamic_first));
	attach(&d, two);
	CHECK(dma_writes(&d, tce.dynamic_first, va));
	CHECK(!dma_writes(&d, tce.dma32_first + MIB, va));
	attach(&d, one);
	CHECK(dma_writes(&d, tce.dma32_first + MIB, va));
	CHECK(!dma_writes(&d, tce.dynamic_first, va));
}

static void hundred_rounds(void)
{
	struct windows w;
	uint32_t hwpt;
	char *va;
	int i;

	begin();
	need_dynamic();
	va = big_memory();
	for (i = 0; i < ROUNDS; i++) {
		hwpt = two_windows(d.vdev.id, &w);
		OK(space_map(&s, va, BIG, tce.dynamic_first));
		attach(&d, hwpt);
		if (i % 10 == 0)
			CHECK(dma_writes(&d, tce.dynamic_first, va));
		OK(vdev_detach(&d.vdev));
		if (i % 10 == 0)
			CHECK(!dma_writes(&d, tce.dynamic_first, va));
		OK(space_unmap(&s, tce.dynamic_first, BIG));
		OK(iofd_destroy(s.fd, hwpt));
	}
}

/* The nth edu whose group is another one than that of the first. */
static void need_other_group(struct testdev *out)
{
	pci_bdf bdf;
	int nth;

	for (nth = 1; pci_find(PCI_EDU, nth, bdf); nth++) {
		if (pci_group(bdf) != pci_group(d.vdev.bdf)) {
			open_edu(out, bdf, s.fd);
			return;
		}
	}
	tap_skip("all edu devices share a group");
}

static void two_bridges(void)
{
	struct testdev other;
	struct windows w;
	uint32_t one, pt;
	uint64_t at;
	char *va;

	begin();
	need_dynamic();
	need_other_group(&other);
	va = mem_anon(2 * page);
	at = tce.dma32_first + MIB;
	one = two_windows(d.vdev.id, &w);
	attach(&d, one);
	/* windows are those of a group */
	pt = one;
	ERR(vdev_attach(&other.vdev, &pt), -EINVAL);
	pt = s.ioas;
	OK(vdev_attach(&other.vdev, &pt));
	CHECK(pt != one);
	OK(space_map(&s, va, 2 * page, at));
	CHECK(dma_copies(&d, at, at + page, va, va + page));
	CHECK(dma_copies(&other, at + page, at, va + page, va));
	OK(space_unmap(&s, at, 2 * page));
	CHECK(!dma_writes(&d, at, va));
	CHECK(!dma_writes(&other, at, va));
}

static void impossible(void)
{
	struct windows w = {};
	unsigned int objects;
	uint32_t hwpt;

	begin();
	need_dynamic();
	objects = iofd_objects(s.fd, NULL);
	ext_want(&w, tce.dma32_first, MIB, 0, 0, 0);
	ext_want(&w, 64 * GIB, GIB, 0, 0, 0);
	NO_WINDOW(s.fd, ext_hwpt(s.fd, d.vdev.id, s.ioas, 0, &w, &hwpt), 1, "cannot begin");
	memset(&w, 0, sizeof(w));
	ext_want(&w, tce.dma32_first, 2 * tce.dma32_length, 0, 0, 0);
	NO_WINDOW(s.fd, ext_hwpt(s.fd, d.vdev.id, s.ioas, 0, &w, &hwpt), 0, "there can be");
	memset(&w, 0, sizeof(w));
	ext_want(&w, 0, 1ULL << 52, 0, 0, ANYWHERE);
	NO_WINDOW(s.fd, ext_hwpt(s.fd, d.vdev.id, s.ioas, 0, &w, &hwpt), 0, "there can be");
	memset(&w, 0, sizeof(w));
	ext_want(&w, tce.dynamic_first, GIB, 1024, 0, 0);
	NO_WINDOW(s.fd, ext_hwpt(s.fd, d.vdev.id, s.ioas, 0, &w, &hwpt), 0, "pages of 0x400");
	memset(&w, 0, sizeof(w));
	ext_want(&w, tce.dynamic_first, GIB, 0, tce.max_levels + 1, 0);
	NO_WINDOW(s.fd, ext_hwpt(s.fd, d.vdev.id, s.ioas, 0, &w, &hwpt), 0, "levels");
	memset(&w, 0, sizeof(w));
	ext_want(&w, 0, MIB, 0, 0, ANYWHERE);
	ext_want(&w, 0, MIB, 0, 0, ANYWHERE);
	ext_want(&w, 0, MIB, 0, 0, ANYWHERE);
	NO_WINDOW(s.fd, ext_hwpt(s.fd, d.vdev.id, s.ioas, 0, &w, &hwpt), 2, "at most");
	CHECK_EQ(iofd_objects(s.fd, NULL), objects);
	/* and nothing of that spoils what can be had */
	two_windows(d.vdev.id, &w);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

/* A device is taken out while its windows are in use, and comes back. */
static void unplugged(void)
{
	struct windows w;
	char path[128];
	uint32_t hwpt;
	int status;
	char *va;
	pid_t pid;

	begin();
	need_dynamic();
	va = big_memory();
	hwpt = two_windows(d.vdev.id, &w);
	attach(&d, hwpt);
	OK(space_map(&s, va, BIG, tce.dynamic_first));
	CHECK(dma_writes(&d, tce.dynamic_first, va));
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/remove", d.vdev.bdf);
	/* what is pinned would be copied */
	CHECK(!madvise(va, big_size, MADV_DONTFORK));
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		edu_fini(&d.edu);
		vdev_close(&d.vdev);
		close(s.fd);
		write_file(path, "1");
		_exit(0);
	}
	/* it waits for us */
	usleep(500000);
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	edu_fini(&d.edu);
	vdev_close(&d.vdev);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK(access(path, F_OK));
	OK(iofd_destroy(s.fd, hwpt));
	write_file("/sys/bus/pci/rescan", "1");
	CHECK(!access(path, F_OK));
	OK(iofd_ioas(s.fd, &s.ioas));
	need_edu(&d, 0, s.fd);
	attach(&d, s.ioas);
	OK(space_map(&s, va, BIG, tce.dma32_first + MIB));
	CHECK(dma_writes(&d, tce.dma32_first + MIB, va));
}

/* A page table stays when its devices go, but is not for those that come then. */
static void outlives_devices(void)
{
	struct windows w;
	uint32_t hwpt, pt;
	char path[128];
	char *va;

	begin();
	need_dynamic();
	va = mem_anon(page);
	hwpt = two_windows(d.vdev.id, &w);
	attach(&d, hwpt);
	OK(space_map(&s, va, page, tce.dma32_first + MIB));
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/remove", d.vdev.bdf);
	edu_fini(&d.edu);
	vdev_close(&d.vdev);
	write_file(path, "1");
	CHECK(access(path, F_OK));
	OK(space_unmap(&s, tce.dma32_first + MIB, page));
	OK(space_map(&s, va, page, tce.dma32_first + MIB));
	write_file("/sys/bus/pci/rescan", "1");
	CHECK(!access(path, F_OK));
	need_edu(&d, 0, s.fd);
	pt = hwpt;
	ERR(vdev_attach(&d.vdev, &pt), -EINVAL);
	CHECK(strstr(iommufd_last_reason(d.vdev.fd), "taken out"));
	/* one of the same windows over the same address space */
	pt = two_windows(d.vdev.id, &w);
	attach(&d, pt);
	CHECK(dma_writes(&d, tce.dma32_first + MIB, va));
	OK(iofd_destroy(s.fd, hwpt));
	CHECK(dma_writes(&d, tce.dma32_first + MIB, va));
}

static int load_driver(void)
{
	int fd = open("/m/iommu_tce.ko", O_RDONLY | O_CLOEXEC), rc;

	CHECK(fd >= 0);
	rc = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return rc;
}

static void without_driver(void)
{
	char reason[256];
	struct vdev v;
	pci_bdf bdf;
	int rc, i;

	if (access("/sys/module/iommu_tce", F_OK))
		tap_skip("iommu_tce is not loaded");
	CHECK(pci_find(PCI_EDU, 0, bdf));
	space_open(&s);
	/* the test before may not have come to its end yet */
	for (i = 0; i < 100; i++) {
		rc = syscall(SYS_delete_module, "iommu_tce", O_NONBLOCK) ? -errno : 0;
		if (!rc)
			break;
		usleep(50000);
	}
	OK(rc);
	OK(vdev_find(&v, bdf));
	OK(vdev_open(&v));
	rc = vdev_bind(&v, s.fd);
	snprintf(reason, sizeof(reason), "%s", iommufd_last_reason(v.fd));
	vdev_close(&v);
	OK(load_driver());
	CHECK_EQ(rc, -ENODEV);
	CHECK(strstr(reason, "load iommu_tce"));
	OK(vdev_setup(&v, bdf, s.fd));
}

static void limit_locked(uint64_t bytes)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct c[2];
	struct rlimit r = { bytes, bytes };

	CHECK(!syscall(SYS_capget, &h, c));
	c[CAP_TO_INDEX(CAP_IPC_LOCK)].effective &= ~CAP_TO_MASK(CAP_IPC_LOCK);
	CHECK(!syscall(SYS_capset, &h, c));
	CHECK(!setrlimit(RLIMIT_MEMLOCK, &r));
}

/* The kernel, not a hypervisor, has the tables: the user answers for the memory. */
static void tables_charged(void)
{
	struct windows w = {};
	uint32_t one, two;
	int i;

	begin();
	if (tce.max_levels < 2)
		tap_skip("the hypervisor has the tables");
	/* a table of 2 MiB in one piece, and what the kernel notes of it */
	limit_locked(6 * MIB);
	ext_want(&w, tce.dma32_first, GIB, 4096, 1, 0);
	OK(ext_hwpt(s.fd, d.vdev.id, s.ioas, 0, &w, &one));
	REFUSED(s.fd, IOMMU_HWPT_ALLOC, ext_hwpt(s.fd, d.vdev.id, s.ioas, 0, &w, &two), -ENOMEM);
	CHECK(strstr(iommufd_last_reason(s.fd), "RLIMIT_MEMLOCK"));
	for (i = 0; i < 3; i++) {
		OK(iofd_destroy(s.fd, one));
		OK(ext_hwpt(s.fd, d.vdev.id, s.ioas, 0, &w, &one));
	}
	/* that it is used costs nothing more */
	attach(&d, one);
	OK(vdev_detach(&d.vdev));
	attach(&d, one);
}

/* Wherever a replace fails, the windows of before are there again. */
static void failed_replace(void)
{
	unsigned int n, refused = 0;
	uint32_t one, two, pt;
	uint64_t low, high;
	bool failed = true;
	struct windows w;
	char *va;
	int rc;

	begin();
	/* its own function for windows goes on with a null pointer */
	if (tce.max_levels < 2)
		tap_skip("the kernel does not survive having no memory for windows of a hypervisor");
	sweep_open();
	va = mem_anon(page);
	low = tce.dma32_first + MIB;
	high = low + MIB;
	memset(&w, 0, sizeof(w));
	ext_want(&w, tce.dma32_first, 256 * MIB, 0, 0, 0);
	OK(ext_hwpt(s.fd, d.vdev.id, s.ioas, 0, &w, &one));
	attach(&d, one);
	OK(space_map(&s, va, page, low));
	OK(iofd_ioas(s.fd, &s.ioas));
	memset(&w, 0, sizeof(w));
	ext_want(&w, tce.dma32_first, 512 * MIB, 0, 0, 0);
	if (tce.dynamic_length)
		ext_want(&w, tce.dynamic_first, GIB, BIG, 0, 0);
	OK(ext_hwpt(s.fd, d.vdev.id, s.ioas, 0, &w, &two));
	OK(space_map(&s, va, page, high));
	for (n = 1; failed; n++) {
		CHECK(n < 200);
		pt = two;
		sweep_arm(n);
		rc = vdev_attach(&d.vdev, &pt);
		failed = sweep_failed();
		if (rc) {
			CHECK(failed);
			CHECK(rc == -ENOMEM || rc == -ENOSPC);
			CHECK(*iommufd_last_reason(d.vdev.fd));
			refused++;
		} else {
			CHECK(dma_writes(&d, high, va));
			attach(&d, one);
		}
		CHECK(!dma_writes(&d, high, va));
		CHECK(dma_writes(&d, low, va));
	}
	tap_note("%u allocations, %u of them cannot be done without", n - 2, refused);
	CHECK(refused);
}

/* Lower levels of tables are made as something is mapped there. */
static void failed_map(void)
{
	unsigned int n, refused = 0;
	bool failed = true;
	uint64_t at;
	uint32_t hwpt;
	struct windows w;
	char *va;
	int rc;

	begin();
	need_dynamic();
	sweep_open();
	va = big_memory();
	hwpt = two_windows(d.vdev.id, &w);
	attach(&d, hwpt);
	for (n = 1; failed; n++) {
		CHECK(n < 200);
		at = tce.dynamic_first + n * 64 * BIG;
		sweep_arm(n);
		rc = space_map(&s, va, BIG, at);
		failed = sweep_failed();
		if (rc) {
			CHECK(failed);
			CHECK_EQ(rc, -ENOMEM);
			CHECK(*iommufd_last_reason(s.fd));
			CHECK(!dma_writes(&d, at, va));
			OK(space_map(&s, va, BIG, at));
			refused++;
		}
		CHECK(dma_writes(&d, at, va));
		OK(space_unmap(&s, at, BIG));
		CHECK(!dma_writes(&d, at, va));
	}
	tap_note("%u allocations, %u of them cannot be done without", n - 2, refused);
	CHECK(refused);
}

static int pe_flags(void)
{
	unsigned int state, flags;
	char text[64];

	CHECK(!pci_attr(d.vdev.bdf, "eeh_pe_state", text, sizeof(text)));
	CHECK_EQ(sscanf(text, "%x %x", &state, &flags), 2);
	return flags;
}

static void wait_recovering(int on)
{
	int i;

	for (i = 0; i < 600; i++) {
		if (!(pe_flags() & PE_RECOVERING) == !on)
			return;
		usleep(100000);
	}
	tap_fail(__FILE__, __LINE__, "PE is in 0x%x", pe_flags());
}

/* The kernel takes the device for frozen, and resets what it is in. */
static void frozen(void)
{
	static const char recover[] = "/sys/kernel/debug/powerpc/eeh_force_recover";
	char text[64], pe[32];
	struct windows w;
	uint32_t hwpt;
	pci_bdf bdf;
	char *va;

	begin();
	need_dynamic();
	if (access(recover, F_OK) ||
	    pci_attr(d.vdev.bdf, "eeh_pe_config_addr", pe, sizeof(pe)) < 0)
		tap_skip("firmware tells of no frozen devices");
	va = big_memory();
	hwpt = two_windows(d.vdev.id, &w);
	attach(&d, hwpt);
	OK(space_map(&s, va, BIG, tce.dynamic_first));
	CHECK(dma_writes(&d, tce.dynamic_first, va));
	snprintf(text, sizeof(text), "%lx:%lx", strtoul(d.vdev.bdf, NULL, 16),
		 strtoul(pe, NULL, 16));
	write_file(recover, text);
	wait_recovering(1);
	/* what is mapped can be changed meanwhile */
	OK(space_unmap(&s, tce.dynamic_first, BIG));
	OK(space_map(&s, va, BIG, tce.dynamic_first + BIG));
	wait_recovering(0);
	/* it stays frozen, as far as the hardware goes, until it is opened again */
	memcpy(bdf, d.vdev.bdf, sizeof(bdf));
	edu_fini(&d.edu);
	vdev_close(&d.vdev);
	open_edu(&d, bdf, s.fd);
	CHECK(!(pe_flags() & PE_ISOLATED));
	attach(&d, hwpt);
	CHECK(dma_writes(&d, tce.dynamic_first + BIG, va));
	CHECK(!dma_writes(&d, tce.dynamic_first, va));
}

static void need_nvme(struct vdev *v)
{
	pci_bdf bdf;

	page = sysconf(_SC_PAGESIZE);
	if (access("/sys/module/iommu_tce", F_OK))
		tap_skip("iommu_tce is not loaded");
	if (!pci_find(PCI_NVME, 0, bdf))
		tap_skip("this machine has no NVMe disk");
	space_open(&s);
	OK(vdev_setup(v, bdf, s.fd));
	look(v->id);
	need_dynamic();
}

/* Queues and blocks through pages of 64 KiB, far above 32 bits. */
static void nvme_far_up(void)
{
	uint64_t data, own;
	struct windows w;
	struct vdev v;
	struct nvme n;
	uint32_t hwpt;
	char *mem;
	int i;

	need_nvme(&v);
	mem = big_memory();
	hwpt = two_windows(v.id, &w);
	OK(vdev_attach(&v, &hwpt));
	own = tce.dynamic_first;
	data = own + BIG;
	OK(space_map(&s, mem, 2 * BIG, own));
	OK(nvme_init(&n, &v, mem, own));
	for (i = 0; i < 16; i++) {
		mem_fill(mem + BIG + i * PIECE, PIECE, 300 + i);
		CHECK_EQ(nvme_write(&n, 100 + i, data + i * PIECE), 0);
	}
	memset(mem + BIG, 0, BIG);
	for (i = 0; i < 16; i++)
		CHECK_EQ(nvme_read(&n, 100 + i, data + (15 - i) * PIECE), 0);
	for (i = 0; i < 16; i++)
		CHECK(mem_holds(mem + BIG + (15 - i) * PIECE, PIECE, 300 + i));
	nvme_fini(&n);
}

/* The kernel's own driver drives the disk afterwards, by its own window. */
static void host_again(void)
{
	char *mem, name[64];
	struct windows w;
	struct vdev v;
	uint32_t hwpt;
	pci_bdf bdf;
	int fd, i;

	need_nvme(&v);
	if (access("/sys/module/nvme", F_OK))
		tap_skip("the driver nvme is not loaded");
	mem = mem_anon(64 * PIECE);
	hwpt = two_windows(v.id, &w);
	OK(vdev_attach(&v, &hwpt));
	vdev_close(&v);
	close(s.fd);
	OK(pci_restore(v.bdf));
	for (i = 0; i < 100; i++) {
		pci_driver(v.bdf, name, sizeof(name));
		if (!strcmp(name, "nvme") && !access("/dev/nvme0n1", F_OK))
			break;
		usleep(100000);
	}
	fd = open("/dev/nvme0n1", O_RDWR | O_DIRECT | O_CLOEXEC);
	CHECK(fd >= 0);
	mem_fill(mem, 64 * PIECE, 77);
	CHECK_EQ(pwrite(fd, mem, 64 * PIECE, MIB), 64 * PIECE);
	memset(mem, 0, 64 * PIECE);
	CHECK_EQ(pread(fd, mem, 64 * PIECE, MIB), 64 * PIECE);
	CHECK(mem_holds(mem, 64 * PIECE, 77));
	close(fd);
	/* and the other way round again */
	memcpy(bdf, v.bdf, sizeof(bdf));
	space_open(&s);
	OK(vdev_setup(&v, bdf, s.fd));
	hwpt = two_windows(v.id, &w);
	OK(vdev_attach(&v, &hwpt));
}

static const struct tap_test tests[] = {
	{ "what windows there can be", described },
	{ "windows that nobody asked for work", by_default },
	{ "at least 1 GiB", at_least_a_gib },
	{ "two windows at once, with pages of different sizes", both_at_once },
	{ "nothing outside of what is mapped, and nothing while detached", outside },
	{ "other windows take the place of those in use", replaced },
	{ "windows come and go a hundred times", hundred_rounds, 120 },
	{ "two host bridges", two_bridges },
	{ "windows that cannot be had", impossible },
	{ "a device is unplugged with windows in use", unplugged },
	{ "page tables outlive their devices", outlives_devices },
	{ "without iommu_tce BIND says what to load", without_driver },
	{ "memory of tables is charged to the user", tables_charged },
	{ "a device is frozen with windows in use", frozen, 150 },
	{ "NVMe by pages of 64 KiB in the dynamic window", nvme_far_up },
	{ "the host's driver comes back to its own window", host_again, 60 },
	{ "no memory for what is mapped", failed_map, 60 },
	{ "a replace that fails puts the windows back", failed_replace, 120 },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

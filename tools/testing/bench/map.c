// SPDX-License-Identifier: GPL-2.0
/*
 * How long does it take to map and to unmap memory for a device? /dev/iommu
 * against the stock kernel's VFIO type1 container: the same memory, the same
 * device, the same boot. The time of one ioctl each, the least of several runs.
 *
 * Absolute times say nothing about other machines; ratios say a little. So this
 * prints and does not judge.
 *
 * usage: map [-s MIB] [-n RUNS]
 * Prints a table, and the same as one line of JSON that begins with "json: ".
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "iofd.h"
#include "mem.h"
#include "tap.h"
#include "vdev.h"

#define IOVA 0x100000000ULL

static size_t size = 512 * MIB;
static int runs = 5;
static pci_bdf bdf;

static void die(const char *what, int rc)
{
	fprintf(stderr, "bench: %s: %s\n", what, tap_errno(rc));
	exit(1);
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

/* Memory to map: by address, and for a file also by descriptor. */
struct memory {
	void *va;
	int file;	/* or -1 */
};

struct times {
	double map, unmap;
};

/*
 * One of the two interfaces, with the device attached. Where it counts what is
 * pinned, in /proc/self/status, shows that the work was really done.
 */
struct way {
	const char *counter;
	int (*open)(void);
	int (*map)(const struct memory *m);
	int (*unmap)(void);
	void (*close)(void);
};

static struct vdev vdev;
static int iommufd;
static uint32_t ioas;

static int iommufd_open(void)
{
	uint32_t pt;
	int rc;

	iommufd = iofd_open();
	if (iommufd < 0)
		return iommufd;
	rc = vdev_setup(&vdev, bdf, iommufd);
	if (!rc)
		rc = iofd_ioas(iommufd, &ioas);
	pt = ioas;
	return rc ? rc : vdev_attach(&vdev, &pt);
}

static int iommufd_map(const struct memory *m)
{
	uint64_t iova = IOVA;

	if (m->file >= 0)
		return iofd_map_file(iommufd, ioas, m->file, 0, size, &iova, IOFD_FIXED_RW);
	return iofd_map_at(iommufd, ioas, m->va, size, IOVA);
}

static int iommufd_unmap(void)
{
	return iofd_unmap(iommufd, ioas, IOVA, size, NULL);
}

static void iommufd_close(void)
{
	vdev_close(&vdev);
	close(iommufd);
}

static int container, group, device;

static int type1_call(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) < 0 ? -errno : 0;
}

static int type1_open(void)
{
	char path[64];
	int rc;

	rc = pci_bind(bdf, "vfio-pci");
	if (rc)
		return rc;
	snprintf(path, sizeof(path), "/dev/vfio/%d", pci_group(bdf));
	container = open("/dev/vfio/vfio", O_RDWR);
	group = open(path, O_RDWR);
	if (container < 0 || group < 0)
		return -errno;
	rc = type1_call(group, VFIO_GROUP_SET_CONTAINER, &container);
	if (!rc)
		rc = type1_call(container, VFIO_SET_IOMMU, (void *)VFIO_TYPE1v2_IOMMU);
	if (rc)
		return rc;
	device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, bdf);
	return device < 0 ? -errno : 0;
}

static int type1_map(const struct memory *m)
{
	struct vfio_iommu_type1_dma_map c = {
		.argsz = sizeof(c),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)m->va,
		.iova = IOVA,
		.size = size,
	};

	return type1_call(container, VFIO_IOMMU_MAP_DMA, &c);
}

static int type1_unmap(void)
{
	struct vfio_iommu_type1_dma_unmap c = {
		.argsz = sizeof(c),
		.iova = IOVA,
		.size = size,
	};

	return type1_call(container, VFIO_IOMMU_UNMAP_DMA, &c);
}

static void type1_close(void)
{
	close(device);
	close(group);
	close(container);
}

static const struct way ways[2] = {
	{ "VmLck", type1_open, type1_map, type1_unmap, type1_close },
	{ "VmPin", iommufd_open, iommufd_map, iommufd_unmap, iommufd_close },
};

static void must_be_pinned(const struct way *w, long long want)
{
	long long is = mem_status(0, w->counter);

	if (is == want)
		return;
	fprintf(stderr, "bench: %s is %lld, not %lld\n", w->counter, is, want);
	exit(1);
}

static struct times measure(const struct way *w, const struct memory *m)
{
	struct times best = { 1e12, 1e12 };
	int i, rc = w->open();

	if (rc)
		die(w == ways ? "type1 container" : "/dev/iommu", rc);
	for (i = 0; i < runs; i++) {
		double t = now_ms();

		rc = w->map(m);
		t = now_ms() - t;
		if (rc)
			die("map", rc);
		if (t < best.map)
			best.map = t;
		must_be_pinned(w, size);

		t = now_ms();
		rc = w->unmap();
		t = now_ms() - t;
		if (rc)
			die("unmap", rc);
		if (t < best.unmap)
			best.unmap = t;
		must_be_pinned(w, 0);
	}
	w->close();
	return best;
}

static struct memory small_pages(void)
{
	return (struct memory){ mem_anon(size), -1 };
}

static struct memory huge_pages(void)
{
	struct memory m = { mem_thp(size), -1 };

	if (m.va && !mem_is_thp(m.va, size))
		fprintf(stderr, "bench: not all of it became transparent huge pages\n");
	return m;
}

static struct memory hugetlb(void)
{
	struct memory m = { NULL, -1 };

	if (mem_want_hugetlb(size / (2 * MIB)) >= size / (2 * MIB))
		m.va = mem_hugetlb(size);
	return m;
}

static struct memory of_file(int huge)
{
	struct memory m = { NULL, mem_file(size, huge) };

	if (m.file >= 0)
		m.va = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_POPULATE, m.file, 0);
	if (m.va == MAP_FAILED)
		m.va = NULL;
	return m;
}

static struct memory memfd(void)
{
	return of_file(0);
}

static struct memory hugetlb_memfd(void)
{
	mem_want_hugetlb(size / (2 * MIB));
	return of_file(1);
}

static const struct {
	const char *name, *key;
	struct memory (*make)(void);
} kinds[] = {
	{ "4 KiB pages", "4k", small_pages },
	{ "THP", "thp", huge_pages },
	{ "hugetlb", "hugetlb", hugetlb },
	{ "memfd, by file", "memfd", memfd },
	{ "hugetlb memfd, by file", "hugetlb_memfd", hugetlb_memfd },
};

int main(int argc, char **argv)
{
	char json[4096];
	struct utsname uts;
	size_t used, i;
	int opt, w;

	while ((opt = getopt(argc, argv, "s:n:")) != -1)
		switch (opt) {
		case 's': size = strtoul(optarg, NULL, 0) * MIB; break;
		case 'n': runs = atoi(optarg); break;
		default: fprintf(stderr, "usage: map [-s MIB] [-n RUNS]\n"); return 2;
		}
	if (runs < 1 || !size || size % (2 * MIB)) {
		fprintf(stderr, "bench: MIB is even, RUNS at least 1\n");
		return 2;
	}
	if (!pci_find(PCI_IGB, 0, bdf) && !pci_find(PCI_EDU, 0, bdf)) {
		fprintf(stderr, "bench: neither igb nor edu in this machine\n");
		return 1;
	}
	uname(&uts);
	printf("map and unmap of %zu MiB for %s, kernel %s; ms, least of %d\n\n",
	       size / MIB, bdf, uts.release, runs);
	printf("%-24s %19s %21s %17s\n", "", "type1 map/unmap",
	       "/dev/iommu map/unmap", "times faster");
	used = snprintf(json, sizeof(json), "{\"mib\": %zu, \"runs\": %d, \"kernel\": \"%s\", \"device\": \"%s\"",
			size / MIB, runs, uts.release, bdf);

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct memory m = kinds[i].make();
		struct times t[2];

		if (!m.va) {
			printf("%-24s no such memory to be had here\n", kinds[i].name);
			continue;
		}
		for (w = 0; w < 2; w++)
			t[w] = measure(&ways[w], &m);
		printf("%-24s %9.2f %9.2f %11.2f %9.2f %8.1f %8.1f\n", kinds[i].name,
		       t[0].map, t[0].unmap, t[1].map, t[1].unmap,
		       t[0].map / t[1].map, t[0].unmap / t[1].unmap);
		fflush(stdout);
		used += snprintf(json + used, sizeof(json) - used,
				 ", \"%s\": {\"type1\": {\"map_ms\": %.3f, \"unmap_ms\": %.3f}, "
				 "\"iommufd\": {\"map_ms\": %.3f, \"unmap_ms\": %.3f}, "
				 "\"map_ratio\": %.2f, \"unmap_ratio\": %.2f}",
				 kinds[i].key, t[0].map, t[0].unmap, t[1].map, t[1].unmap,
				 t[0].map / t[1].map, t[0].unmap / t[1].unmap);
		munmap(m.va, size);
		if (m.file >= 0)
			close(m.file);
	}
	printf("\njson: %s}\n", json);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "iofd.h"
#include "mem.h"
#include "tap.h"
#include "vdev.h"
#include "way.h"

void die(const char *what, int rc)
{
	fprintf(stderr, "bench: %s: %s\n", what, tap_errno(rc));
	exit(1);
}

double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

void must_be_pinned(const struct way *w, long long want)
{
	long long is = mem_status(0, w->counter);

	if (is == want)
		return;
	fprintf(stderr, "bench: %s is %lld, not %lld\n", w->counter, is, want);
	exit(1);
}

void bench_device(pci_bdf bdf)
{
	if (pci_find(PCI_IGB, 0, bdf) || pci_find(PCI_EDU, 0, bdf))
		return;
	fprintf(stderr, "bench: neither igb nor edu in this machine\n");
	exit(1);
}

static struct vdev vdev;
int bench_iommufd;
uint32_t bench_ioas;

static int iommufd_open(const char *bdf)
{
	uint32_t pt;
	int rc;

	bench_iommufd = iofd_open();
	if (bench_iommufd < 0)
		return bench_iommufd;
	rc = vdev_setup(&vdev, bdf, bench_iommufd);
	if (!rc)
		rc = iofd_ioas(bench_iommufd, &bench_ioas);
	pt = bench_ioas;
	return rc ? rc : vdev_attach(&vdev, &pt);
}

static int iommufd_map(const struct memory *m, size_t offset, size_t len, uint64_t iova)
{
	if (m->file >= 0)
		return iofd_map_file(bench_iommufd, bench_ioas, m->file, offset, len, &iova,
				     IOFD_FIXED_RW);
	return iofd_map_at(bench_iommufd, bench_ioas, (char *)m->va + offset, len, iova);
}

static int iommufd_unmap(uint64_t iova, size_t len)
{
	return iofd_unmap(bench_iommufd, bench_ioas, iova, len, NULL);
}

static void iommufd_close(void)
{
	vdev_close(&vdev);
	close(bench_iommufd);
}

static int container, group, device;

static int type1_call(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) < 0 ? -errno : 0;
}

static int type1_open(const char *bdf)
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

static int type1_map(const struct memory *m, size_t offset, size_t len, uint64_t iova)
{
	struct vfio_iommu_type1_dma_map c = {
		.argsz = sizeof(c),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)m->va + offset,
		.iova = iova,
		.size = len,
	};

	return type1_call(container, VFIO_IOMMU_MAP_DMA, &c);
}

static int type1_unmap(uint64_t iova, size_t len)
{
	struct vfio_iommu_type1_dma_unmap c = {
		.argsz = sizeof(c),
		.iova = iova,
		.size = len,
	};

	return type1_call(container, VFIO_IOMMU_UNMAP_DMA, &c);
}

static void type1_close(void)
{
	close(device);
	close(group);
	close(container);
}

const struct way ways[WAYS] = {
	{ "type1", "type1", "VmLck", type1_open, type1_map, type1_unmap, type1_close },
	{ "/dev/iommu", "iommufd", "VmPin", iommufd_open, iommufd_map, iommufd_unmap, iommufd_close },
};

static char json[16384];
static size_t json_used;

void json_add(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	json_used += vsnprintf(json + json_used, sizeof(json) - json_used, fmt, ap);
	va_end(ap);
	if (json_used >= sizeof(json)) {
		fprintf(stderr, "bench: too much to say\n");
		exit(1);
	}
}

/* dmar0 where the kernel's own driver has it, vtd0 where iommu_vtd has */
static void json_iommu(void)
{
	struct dirent *entry;
	DIR *d = opendir("/sys/class/iommu");

	while (d && (entry = readdir(d)))
		if (entry->d_name[0] != '.') {
			json_add(", \"iommu\": \"%s\"", entry->d_name);
			break;
		}
	if (d)
		closedir(d);
}

void json_begin(void)
{
	struct utsname uts;

	uname(&uts);
	json_add("{\"kernel\": \"%s\"", uts.release);
	json_iommu();
}

void json_end(void)
{
	printf("\njson: %s}\n", json);
}

// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "legacy.h"
#include "mem.h"

void legacy_group(struct legacy *l, const struct vdev *v, bool viable)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char path[64];

	l->v = *v;
	l->v.fd = -1;
	l->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	CHECK(l->container >= 0);
	snprintf(path, sizeof(path), "/dev/vfio/%d", pci_group(v->bdf));
	l->group = open(path, O_RDWR | O_CLOEXEC);
	CHECK(l->group >= 0);
	OK(iofd_ioctl(l->group, VFIO_GROUP_GET_STATUS, &status));
	CHECK_EQ(status.flags & VFIO_GROUP_FLAGS_VIABLE, viable);
}

int legacy_join(struct legacy *l)
{
	return iofd_ioctl(l->group, VFIO_GROUP_SET_CONTAINER, &l->container);
}

void legacy_set_iommu(struct legacy *l)
{
	long kind = VFIO_TYPE1v2_IOMMU;

	l->spapr = !ioctl(l->container, VFIO_CHECK_EXTENSION, kind);
	if (l->spapr)
		kind = VFIO_SPAPR_TCE_v2_IOMMU;
	OK(iofd_ioctl(l->container, VFIO_SET_IOMMU, (void *)kind));
}

void legacy_device(struct legacy *l)
{
	OK(legacy_join(l));
	legacy_set_iommu(l);
	l->v.fd = OK(iofd_ioctl(l->group, VFIO_GROUP_GET_DEVICE_FD, l->v.bdf));
}

void legacy_close(struct legacy *l)
{
	vdev_close(&l->v);
	close(l->group);
	close(l->container);
}

static void map(struct legacy *l, void *rw)
{
	struct vfio_iommu_type1_dma_map m = {
		.argsz = sizeof(m),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)rw,
		.iova = IOVA,
		.size = PAGE,
	};
	struct vfio_iommu_spapr_register_memory r = {
		.argsz = sizeof(r), .vaddr = (uintptr_t)rw, .size = PAGE,
	};

	if (l->spapr)
		OK(iofd_ioctl(l->container, VFIO_IOMMU_SPAPR_REGISTER_MEMORY, &r));
	OK(iofd_ioctl(l->container, VFIO_IOMMU_MAP_DMA, &m));
}

static void unmap(struct legacy *l)
{
	struct vfio_iommu_type1_dma_unmap u = {
		.argsz = sizeof(u), .iova = IOVA, .size = PAGE,
	};

	OK(iofd_ioctl(l->container, VFIO_IOMMU_UNMAP_DMA, &u));
}

void legacy_check_dma(struct legacy *l, uint32_t seed)
{
	void *rw = mem_anon(PAGE);
	struct edu e;

	map(l, rw);
	OK(edu_init(&e, &l->v));
	HOLDS(dma_works(&e, IOVA, rw, seed));
	unmap(l);
	HOLDS(dma_write_refused(&e, IOVA, rw));
	edu_fini(&e);
	munmap(rw, PAGE);
}

void want_legacy_dma(const struct vdev *v)
{
	void *rw = mem_anon(PAGE);
	const char *wrong;
	struct legacy l;
	struct edu e;

	legacy_group(&l, v, true);
	legacy_device(&l);
	map(&l, rw);
	OK(edu_init(&e, &l.v));
	wrong = dma_works(&e, IOVA, rw, 99);
	if (wrong)
		tap_skip("%s, with stock type1 as well", wrong);
	unmap(&l);
	edu_fini(&e);
	legacy_close(&l);
	munmap(rw, PAGE);
}

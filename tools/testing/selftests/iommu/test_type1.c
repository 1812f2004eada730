// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls of a VFIO container on /dev/iommu: which IOAS they act on, what
 * they say about it, and what devices reach through what they map.
 */
#define _GNU_SOURCE
#include <linux/vfio.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "devices.h"
#include "mem.h"

#define PAGE	4096UL
#define BASE	0x400000UL	/* where the tests map, within edu's reach */

#define RW	(VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)

static struct space s;
static struct testdev d;

static int container_ioctl(unsigned long cmd, unsigned long arg)
{
	return iofd_ioctl(s.fd, cmd, (void *)arg);
}

static int vfio_ioas(uint16_t op, uint32_t *ioas)
{
	struct iommu_vfio_ioas c = {
		.size = sizeof(c), .ioas_id = *ioas, .op = op,
	};
	int rc = iofd_ioctl(s.fd, IOMMU_VFIO_IOAS, &c);

	*ioas = c.ioas_id;
	return rc;
}

static int set_ioas(uint32_t ioas)
{
	return vfio_ioas(IOMMU_VFIO_IOAS_SET, &ioas);
}

static int map(const void *va, uint64_t size, uint64_t iova, uint32_t flags)
{
	struct vfio_iommu_type1_dma_map c = {
		.argsz = sizeof(c), .flags = flags, .vaddr = (uintptr_t)va,
		.iova = iova, .size = size,
	};

	return iofd_ioctl(s.fd, VFIO_IOMMU_MAP_DMA, &c);
}

static int unmap_flags(uint64_t iova, uint64_t size, uint32_t flags, uint64_t *got)
{
	struct vfio_iommu_type1_dma_unmap c = {
		.argsz = sizeof(c), .flags = flags, .iova = iova, .size = size,
	};
	int rc = iofd_ioctl(s.fd, VFIO_IOMMU_UNMAP_DMA, &c);

	if (got)
		*got = c.size;
	return rc;
}

/* Unmap exactly this much. */
static void unmap(uint64_t iova, uint64_t size, uint64_t want)
{
	uint64_t got;

	OK(unmap_flags(iova, size, 0, &got));
	CHECK_EQ(got, want);
}

#define REFUSED_MAP(va, size, iova, flags, want) \
	REFUSED(s.fd, VFIO_IOMMU_MAP_DMA, map(va, size, iova, flags), want)
#define REFUSED_UNMAP(iova, size, flags, want) \
	REFUSED(s.fd, VFIO_IOMMU_UNMAP_DMA, unmap_flags(iova, size, flags, NULL), want)
#define REFUSED_ARG(cmd, arg, want) \
	REFUSED(s.fd, cmd, container_ioctl(cmd, (unsigned long)(arg)), want)

static void begin(void)
{
	space_open(&s);
	OK(set_ioas(s.ioas));
}

/* With an edu attached to the IOAS that stands for the container. */
static void begin_dma(void)
{
	begin();
	need_edu(&d, 0, s.fd);
	attach(&d, s.ioas);
}

static void *memory(size_t size)
{
	void *mem = mem_anon(size);

	CHECK(mem);
	return mem;
}

/* Does the device reach each of these pages, first to last, at BASE? */
static void reaches(char *mem, unsigned int first, unsigned int last)
{
	for (unsigned int i = first; i <= last; i++)
		if (!dma_writes(&d, BASE + i * PAGE, mem + i * PAGE))
			tap_fail(__FILE__, __LINE__, "page %u is out of reach", i);
}

static void reaches_not(char *mem, unsigned int first, unsigned int last)
{
	for (unsigned int i = first; i <= last; i++)
		if (dma_writes(&d, BASE + i * PAGE, mem + i * PAGE))
			tap_fail(__FILE__, __LINE__, "page %u is still reached", i);
}

static void questions(void)
{
	static const unsigned long no[] = {
		0, VFIO_SPAPR_TCE_IOMMU, VFIO_EEH, VFIO_TYPE1_NESTING_IOMMU,
		VFIO_SPAPR_TCE_v2_IOMMU, VFIO_NOIOMMU_IOMMU, VFIO_UPDATE_VADDR,
		11, 1000, 1UL << 31, ~0UL, (1UL << 32) | VFIO_TYPE1_IOMMU,
	};

	space_open(&s);
	CHECK_EQ(container_ioctl(VFIO_GET_API_VERSION, 0), VFIO_API_VERSION);
	CHECK_EQ(container_ioctl(VFIO_GET_API_VERSION, 77), VFIO_API_VERSION);
	CHECK_EQ(container_ioctl(VFIO_CHECK_EXTENSION, VFIO_TYPE1_IOMMU), 1);
	CHECK_EQ(container_ioctl(VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU), 1);
	CHECK_EQ(container_ioctl(VFIO_CHECK_EXTENSION, VFIO_UNMAP_ALL), 1);
	for (unsigned int i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		CHECK_EQ(container_ioctl(VFIO_CHECK_EXTENSION, no[i]), 0);
}

static void coherency(void)
{
	char line[512], path[64];
	int enforces = -1;
	uint32_t hwpt;
	FILE *f;

	space_open(&s);
	REFUSED_ARG(VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU, -ENODEV);
	OK(set_ioas(s.ioas));
	/* nothing enforces anything yet */
	CHECK_EQ(container_ioctl(VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU), 0);
	need_edu(&d, 0, s.fd);
	hwpt = attach(&d, s.ioas);

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", s.fd);
	f = fopen(path, "re");
	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		char *at = strstr(line, "enforces_coherency=");
		unsigned int id;

		if (sscanf(line, "object:\tid=%u", &id) == 1 && id == hwpt && at)
			enforces = atoi(strchr(at, '=') + 1);
	}
	fclose(f);
	CHECK(enforces >= 0);
	tap_note("this IOMMU %s coherency", enforces ? "enforces" : "does not enforce");
	CHECK_EQ(container_ioctl(VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU), enforces);
	OK(vdev_detach(&d.vdev));
	CHECK_EQ(container_ioctl(VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU), 0);
}

static void without_ioas(void)
{
	struct vfio_iommu_type1_dma_map m = {
		.argsz = sizeof(m), .flags = RW, .iova = BASE, .size = PAGE,
	};
	struct vfio_iommu_type1_dma_unmap u = {
		.argsz = sizeof(u), .iova = BASE, .size = PAGE,
	};
	struct vfio_iommu_type1_info i = { .argsz = sizeof(i) };

	space_open(&s);
	m.vaddr = (uintptr_t)memory(PAGE);
	/* first what is wrong in itself */
	m.argsz = 1;
	REFUSED_ARG(VFIO_IOMMU_MAP_DMA, &m, -EINVAL);
	m.argsz = sizeof(m);
	m.flags |= 1U << 31;
	REFUSED_ARG(VFIO_IOMMU_MAP_DMA, &m, -EINVAL);
	u.argsz = 1;
	REFUSED_ARG(VFIO_IOMMU_UNMAP_DMA, &u, -EINVAL);
	u.argsz = sizeof(u);
	u.flags = 1U << 31;
	REFUSED_ARG(VFIO_IOMMU_UNMAP_DMA, &u, -EINVAL);
	i.argsz = 1;
	REFUSED_ARG(VFIO_IOMMU_GET_INFO, &i, -EINVAL);
	REFUSED_ARG(VFIO_SET_IOMMU, 0, -EINVAL);
	/* then that there is nothing to act on */
	m.flags = RW;
	REFUSED_ARG(VFIO_IOMMU_MAP_DMA, &m, -ENODEV);
	u.flags = 0;
	REFUSED_ARG(VFIO_IOMMU_UNMAP_DMA, &u, -ENODEV);
	u.flags = VFIO_DMA_UNMAP_FLAG_ALL;
	u.iova = u.size = 0;
	REFUSED_ARG(VFIO_IOMMU_UNMAP_DMA, &u, -ENODEV);
	i.argsz = sizeof(i);
	REFUSED_ARG(VFIO_IOMMU_GET_INFO, &i, -ENODEV);
	CHECK_EQ(i.flags, 0);
	REFUSED_ARG(VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU, -ENODEV);
	REFUSED_ARG(VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU, -ENODEV);
}

static void which_ioas(void)
{
	struct iommu_vfio_ioas odd = { .size = sizeof(odd), .op = IOMMU_VFIO_IOAS_GET };
	uint32_t id = 0, other;
	uint64_t huge;

	space_open(&s);
	REFUSED(s.fd, IOMMU_VFIO_IOAS, vfio_ioas(IOMMU_VFIO_IOAS_GET, &id), -ENODEV);
	REFUSED(s.fd, IOMMU_VFIO_IOAS, set_ioas(0), -ENOENT);
	REFUSED(s.fd, IOMMU_VFIO_IOAS, set_ioas(s.ioas + 1), -ENOENT);
	OK(vfio_ioas(IOMMU_VFIO_IOAS_CLEAR, &id));

	OK(set_ioas(s.ioas));
	OK(vfio_ioas(IOMMU_VFIO_IOAS_GET, &id));
	CHECK_EQ(id, s.ioas);
	/* another one takes over, with what is mapped in it */
	OK(iofd_ioas(s.fd, &other));
	OK(map(memory(PAGE), PAGE, BASE, RW));
	OK(set_ioas(other));
	OK(vfio_ioas(IOMMU_VFIO_IOAS_GET, &id));
	CHECK_EQ(id, other);
	unmap(BASE, PAGE, 0);
	OK(container_ioctl(VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
	OK(iofd_option_get(s.fd, IOMMU_OPTION_HUGE_PAGES, other, &huge));
	CHECK_EQ(huge, 0);
	OK(iofd_option_get(s.fd, IOMMU_OPTION_HUGE_PAGES, s.ioas, &huge));
	CHECK_EQ(huge, 1);
	/* an IOAS that is not there any more stands for nothing */
	OK(iofd_destroy(s.fd, other));
	REFUSED(s.fd, IOMMU_VFIO_IOAS, vfio_ioas(IOMMU_VFIO_IOAS_GET, &id), -ENODEV);
	REFUSED_UNMAP(BASE, PAGE, 0, -ENODEV);
	OK(set_ioas(s.ioas));
	unmap(BASE, PAGE, PAGE);
	OK(vfio_ioas(IOMMU_VFIO_IOAS_CLEAR, &id));
	REFUSED(s.fd, IOMMU_VFIO_IOAS, vfio_ioas(IOMMU_VFIO_IOAS_GET, &id), -ENODEV);
	REFUSED_MAP(&s, PAGE, BASE, RW, -ENODEV);

	odd.op = 3;
	REFUSED(s.fd, IOMMU_VFIO_IOAS, iofd_ioctl(s.fd, IOMMU_VFIO_IOAS, &odd), -EOPNOTSUPP);
	odd.op = IOMMU_VFIO_IOAS_CLEAR;
	odd.__reserved = 1;
	REFUSED(s.fd, IOMMU_VFIO_IOAS, iofd_ioctl(s.fd, IOMMU_VFIO_IOAS, &odd), -EOPNOTSUPP);
}

static void not_an_ioas(void)
{
	begin_dma();
	REFUSED(s.fd, IOMMU_VFIO_IOAS, set_ioas(d.vdev.id), -ENOENT);
	/* in use by the device, container or not */
	REFUSED(s.fd, IOMMU_DESTROY, iofd_destroy(s.fd, s.ioas), -EBUSY);
	unmap(BASE, PAGE, 0);
}

/* What a reply of GET_INFO has to say, checked in all its parts. */
struct answer {
	struct vfio_iommu_type1_info info;
	uint32_t avail;
	uint32_t nr;
	struct vfio_iova_range ranges[64];
};

static void walk(const char *reply, size_t size, struct answer *a)
{
	const struct vfio_info_cap_header *h;
	unsigned int seen = 0;
	uint32_t at;

	memcpy(&a->info, reply, sizeof(a->info));
	CHECK(a->info.cap_offset >= sizeof(a->info));
	for (at = a->info.cap_offset; at; at = h->next) {
		const struct vfio_iommu_type1_info_dma_avail *avail;
		const struct vfio_iommu_type1_info_cap_iova_range *r;

		CHECK(!(at % 4) && at + sizeof(*h) <= size);
		h = (const void *)(reply + at);
		CHECK_EQ(h->version, 1);
		CHECK(!(seen & 1U << h->id));
		seen |= 1U << h->id;
		CHECK(!h->next || h->next > at);
		switch (h->id) {
		case VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL:
			avail = (const void *)h;
			CHECK(at + sizeof(*avail) <= size);
			a->avail = avail->avail;
			break;
		case VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE:
			r = (const void *)h;
			CHECK(!(at % 8) && at + sizeof(*r) <= size);
			a->nr = r->nr_iovas;
			CHECK_EQ(r->reserved, 0);
			CHECK(at + sizeof(*r) + a->nr * sizeof(a->ranges[0]) <= size);
			CHECK(a->nr <= 64);
			memcpy(a->ranges, r->iova_ranges, a->nr * sizeof(a->ranges[0]));
			break;
		default:
			tap_fail(__FILE__, __LINE__, "capability %u", h->id);
		}
	}
	CHECK_EQ(seen, 1U << VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL |
		 1U << VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
}

static void ask(struct answer *a)
{
	static char reply[4096] __attribute__((aligned(8)));
	struct vfio_iommu_type1_info *info = (void *)reply;
	uint32_t full;

	memset(reply, 0xee, sizeof(reply));
	memset(info, 0, sizeof(*info));
	info->argsz = sizeof(*info);
	OK(iofd_ioctl(s.fd, VFIO_IOMMU_GET_INFO, reply));
	full = info->argsz;
	CHECK(full > sizeof(*info) && full <= sizeof(reply));

	for (uint32_t argsz = 16; argsz <= full + 64; argsz++) {
		uint32_t fixed = argsz < sizeof(*info) ? 16 : sizeof(*info);
		uint32_t end = argsz < full ? fixed : full;

		memset(reply, 0xee, sizeof(reply));
		info->argsz = argsz;
		OK(iofd_ioctl(s.fd, VFIO_IOMMU_GET_INFO, reply));
		CHECK_EQ(info->flags, VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS);
		CHECK(info->iova_pgsizes & PAGE && !(info->iova_pgsizes & (PAGE - 1)));
		CHECK_EQ(info->argsz, argsz < full ? full : argsz);
		if (fixed == sizeof(*info))
			CHECK_EQ(!info->cap_offset, argsz < full);
		/* between 16 and the whole struct, as many bytes as asked for */
		for (uint32_t i = argsz < sizeof(*info) ? argsz : end; i < sizeof(reply); i++)
			if (reply[i] != (char)0xee)
				tap_fail(__FILE__, __LINE__, "argsz %u: byte %u written",
					 argsz, i);
		if (argsz >= full)
			walk(reply, full, a);
	}
}

static void info_nothing(void)
{
	struct answer a;

	begin();
	ask(&a);
	CHECK_EQ(a.nr, 1);
	CHECK_EQ(a.ranges[0].start, 0);
	CHECK_EQ(a.ranges[0].end, UINT64_MAX);
	CHECK(a.avail);
}

static void info_device(void)
{
	struct iommu_iova_range r[64];
	uint32_t n = 64;
	struct answer a;

	begin_dma();
	ask(&a);
	OK(iofd_ranges(s.fd, s.ioas, r, &n, NULL));
	CHECK_EQ(a.nr, n);
	CHECK(n >= 2);
	for (uint32_t i = 0; i < n; i++) {
		CHECK_EQ(a.ranges[i].start, r[i].start);
		CHECK_EQ(a.ranges[i].end, r[i].last);
		CHECK(a.ranges[i].end < MSI_FIRST || a.ranges[i].start > MSI_LAST);
	}
	/* what is said to be possible is, and what is not, is not */
	OK(map(memory(PAGE), PAGE, a.ranges[n - 1].end + 1 - PAGE, RW));
	REFUSED_MAP(memory(PAGE), PAGE, a.ranges[n - 1].end + 1, RW, -EINVAL);
	REFUSED_MAP(memory(PAGE), PAGE, MSI_FIRST, RW, -EINVAL);
}

static void info_hostile(void)
{
	struct vfio_iommu_type1_info info = { .argsz = 15, .flags = 5 };
	char *edge;

	begin();
	for (; info.argsz; info.argsz--)
		REFUSED_ARG(VFIO_IOMMU_GET_INFO, &info, -EINVAL);
	REFUSED_ARG(VFIO_IOMMU_GET_INFO, &info, -EINVAL);
	CHECK_EQ(info.flags, 5);
	REFUSED_ARG(VFIO_IOMMU_GET_INFO, NULL, -EFAULT);
	REFUSED_ARG(VFIO_IOMMU_GET_INFO, 1UL << 63, -EFAULT);

	edge = memory(2 * PAGE);
	CHECK(!munmap(edge + PAGE, PAGE));
	edge += PAGE - 16;
	memset(edge, 0, 16);
	*(uint32_t *)edge = 16;
	OK(iofd_ioctl(s.fd, VFIO_IOMMU_GET_INFO, edge));
	*(uint32_t *)edge = 4096;
	REFUSED_ARG(VFIO_IOMMU_GET_INFO, edge, -EFAULT);
	CHECK(!mprotect((void *)((uintptr_t)edge & -PAGE), PAGE, PROT_READ));
	REFUSED_ARG(VFIO_IOMMU_GET_INFO, edge, -EFAULT);
}

static void map_hostile(void)
{
	struct vfio_iommu_type1_dma_map m = {
		.argsz = sizeof(m) - 1, .flags = RW, .iova = BASE, .size = PAGE,
	};
	char *mem;

	begin();
	mem = memory(2 * PAGE);
	m.vaddr = (uintptr_t)mem;
	REFUSED_ARG(VFIO_IOMMU_MAP_DMA, &m, -EINVAL);
	REFUSED_ARG(VFIO_IOMMU_MAP_DMA, NULL, -EFAULT);
	REFUSED_MAP(mem, PAGE, BASE, 0, -EINVAL);
	REFUSED_MAP(mem, 0, BASE, RW, -EINVAL);
	for (unsigned int bit = 3; bit < 32; bit++)
		REFUSED_MAP(mem, PAGE, BASE, RW | 1U << bit, -EINVAL);
	REFUSED_MAP(mem, PAGE, BASE, VFIO_DMA_MAP_FLAG_VADDR, -EINVAL);
	CHECK(strstr(iommufd_last_reason(s.fd), "UPDATE_VADDR"));
	REFUSED_MAP(mem, PAGE, BASE, RW | VFIO_DMA_MAP_FLAG_VADDR, -EINVAL);
	REFUSED_MAP(mem, 2 * PAGE, -PAGE, RW, -EOVERFLOW);
	REFUSED_MAP(mem, UINT64_MAX, BASE, RW, -EOVERFLOW);
	REFUSED_MAP((void *)-PAGE, 2 * PAGE, BASE, RW, -EOVERFLOW);
	/* nothing of all that is there */
	OK(iofd_unmap(s.fd, s.ioas, 0, UINT64_MAX, NULL));
	unmap(0, UINT64_MAX, 0);

	OK(map(mem, 2 * PAGE, BASE, RW));
	REFUSED_MAP(mem, 2 * PAGE, BASE, RW, -EEXIST);
	REFUSED_MAP(mem, PAGE, BASE + PAGE, RW, -EEXIST);
	/* more than the struct: what is behind is no concern of ours */
	unmap(BASE, 2 * PAGE, 2 * PAGE);
	m.argsz = 4096;
	m.size = PAGE;
	OK(iofd_ioctl(s.fd, VFIO_IOMMU_MAP_DMA, &m));
}

static void unmap_hostile(void)
{
	struct vfio_iommu_type1_dma_unmap u = { .argsz = 23, .iova = BASE, .size = PAGE };
	struct vfio_iommu_type1_dma_unmap *ro = memory(PAGE);
	uint64_t got;

	begin();
	OK(map(memory(PAGE), PAGE, BASE, RW));
	REFUSED_ARG(VFIO_IOMMU_UNMAP_DMA, &u, -EINVAL);
	REFUSED_ARG(VFIO_IOMMU_UNMAP_DMA, NULL, -EFAULT);
	for (unsigned int bit = 3; bit < 32; bit++)
		REFUSED_UNMAP(BASE, PAGE, 1U << bit, -EINVAL);
	REFUSED_UNMAP(BASE, PAGE, VFIO_DMA_UNMAP_FLAG_VADDR, -EINVAL);
	CHECK(strstr(iommufd_last_reason(s.fd), "UPDATE_VADDR"));
	REFUSED_UNMAP(0, 0, VFIO_DMA_UNMAP_FLAG_ALL | VFIO_DMA_UNMAP_FLAG_VADDR, -EINVAL);
	REFUSED_UNMAP(BASE, PAGE, VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP, -EINVAL);
	CHECK(strstr(iommufd_last_reason(s.fd), "DIRTY_BITMAP"));
	REFUSED_UNMAP(BASE, PAGE, VFIO_DMA_UNMAP_FLAG_ALL, -EINVAL);
	REFUSED_UNMAP(0, PAGE, VFIO_DMA_UNMAP_FLAG_ALL, -EINVAL);
	REFUSED_UNMAP(BASE, 0, VFIO_DMA_UNMAP_FLAG_ALL, -EINVAL);
	REFUSED_UNMAP(BASE, 0, 0, -EINVAL);
	REFUSED_UNMAP(BASE, -BASE + 1, 0, -EOVERFLOW);
	REFUSED_UNMAP(2, UINT64_MAX, 0, -EOVERFLOW);
	REFUSED_UNMAP(BASE, PAGE / 2, 0, -ENOENT);
	REFUSED_UNMAP(BASE + 1, PAGE, 0, -ENOENT);
	REFUSED_UNMAP(0, BASE + 1, 0, -ENOENT);
	/* it is all still there, and the last of them says so */
	OK(unmap_flags(0, 0, VFIO_DMA_UNMAP_FLAG_ALL, &got));
	CHECK_EQ(got, PAGE);

	/* done, though it cannot be said how much it was */
	OK(map(memory(PAGE), PAGE, BASE, RW));
	*ro = (struct vfio_iommu_type1_dma_unmap){
		.argsz = sizeof(*ro), .iova = BASE, .size = PAGE,
	};
	CHECK(!mprotect(ro, PAGE, PROT_READ));
	REFUSED_ARG(VFIO_IOMMU_UNMAP_DMA, ro, -EFAULT);
	unmap(BASE, PAGE, 0);
}

static void other_ioctls(void)
{
	struct vfio_iommu_type1_dirty_bitmap dirty = {
		.argsz = sizeof(dirty), .flags = VFIO_IOMMU_DIRTY_PAGES_FLAG_START,
	};

	begin();
	REFUSED_ARG(VFIO_IOMMU_DIRTY_PAGES, &dirty, -ENOTTY);
	CHECK(strstr(iommufd_last_reason(s.fd), "DIRTY_TRACKING"));
	REFUSED_ARG(VFIO_SET_IOMMU, VFIO_SPAPR_TCE_IOMMU, -EINVAL);
	REFUSED_ARG(VFIO_SET_IOMMU, VFIO_TYPE1_NESTING_IOMMU, -EINVAL);
	REFUSED_ARG(VFIO_SET_IOMMU, VFIO_NOIOMMU_IOMMU, -EINVAL);
	REFUSED_ARG(VFIO_SET_IOMMU, VFIO_DMA_CC_IOMMU, -EINVAL);
	REFUSED_ARG(VFIO_SET_IOMMU, ~0UL, -EINVAL);
	/* of groups, of devices, of other containers, and numbers nobody has */
	for (unsigned int nr = VFIO_BASE + 3; nr < 0x80; nr++) {
		unsigned int cmd = _IO(VFIO_TYPE, nr);

		if (cmd == VFIO_IOMMU_GET_INFO || cmd == VFIO_IOMMU_MAP_DMA ||
		    cmd == VFIO_IOMMU_UNMAP_DMA)
			continue;
		REFUSED_ARG(cmd, &dirty, -ENOTTY);
	}
	REFUSED_ARG(_IOWR(VFIO_TYPE, VFIO_BASE + 13, struct vfio_iommu_type1_dma_map),
		    &dirty, -ENOTTY);
	REFUSED_ARG(_IO('<', VFIO_BASE), 0, -ENOTTY);
}

static void v2_dma(void)
{
	const unsigned int n = 8;
	char *mem, *ro;
	uint64_t got;

	begin_dma();
	mem = memory(n * PAGE);
	ro = memory(PAGE);
	OK(container_ioctl(VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
	OK(map(mem, n * PAGE, BASE, RW));
	OK(map(ro, PAGE, BASE + n * PAGE, VFIO_DMA_MAP_FLAG_READ));
	CHECK(!dma_writes(&d, BASE + n * PAGE, ro));
	CHECK(dma_copies(&d, BASE + n * PAGE, BASE, ro, mem));
	CHECK(dma_copies(&d, BASE, BASE + (n - 1) * PAGE, mem, mem + (n - 1) * PAGE));
	CHECK_EQ(mem_status(0, "VmPin"), (n + 1) * PAGE);

	/* no cut */
	REFUSED_UNMAP(BASE, PAGE, 0, -ENOENT);
	REFUSED_UNMAP(BASE + PAGE, (n - 1) * PAGE, 0, -ENOENT);
	REFUSED_UNMAP(BASE + PAGE, PAGE, 0, -ENOENT);
	REFUSED_UNMAP(BASE + (n - 1) * PAGE, 2 * PAGE, 0, -ENOENT);
	REFUSED_UNMAP(0, BASE + n * PAGE - 1, 0, -ENOENT);
	reaches(mem, 0, n - 1);

	/* nothing is there, which is no error; holes in a range are not either */
	unmap(BASE - PAGE, PAGE, 0);
	unmap(BASE - PAGE, (n + 1) * PAGE, n * PAGE);
	reaches_not(mem, 0, n - 1);
	unmap(BASE, n * PAGE, 0);
	OK(map(mem, PAGE, BASE + PAGE, RW));
	CHECK(dma_copies(&d, BASE + n * PAGE, BASE + PAGE, ro, mem));
	unmap(0, UINT64_MAX, 2 * PAGE);

	OK(map(mem, 2 * PAGE, BASE, RW));
	OK(map(mem + 2 * PAGE, PAGE, BASE + 2 * PAGE, RW));
	OK(map(mem + 3 * PAGE, PAGE, 1UL << (has_windows() ? 30 : 32), RW));
	OK(unmap_flags(0, 0, VFIO_DMA_UNMAP_FLAG_ALL, &got));
	CHECK_EQ(got, 4 * PAGE);
	reaches_not(mem, 0, 2);
	OK(unmap_flags(0, 0, VFIO_DMA_UNMAP_FLAG_ALL, &got));
	CHECK_EQ(got, 0);
	CHECK_EQ(mem_status(0, "VmPin"), 0);
}

/* The same address space by both sets of commands. */
static void side_by_side(void)
{
	uint64_t got;
	char *mem;

	begin_dma();
	mem = memory(2 * PAGE);
	OK(map(mem, PAGE, BASE, RW));
	OK(space_map(&s, mem + PAGE, PAGE, BASE + PAGE));
	REFUSED_MAP(mem, PAGE, BASE + PAGE, RW, -EEXIST);
	ERR(space_map(&s, mem, PAGE, BASE), -EEXIST);
	CHECK(dma_copies(&d, BASE, BASE + PAGE, mem, mem + PAGE));
	OK(iofd_unmap(s.fd, s.ioas, BASE, PAGE, &got));
	CHECK_EQ(got, PAGE);
	unmap(BASE, 2 * PAGE, PAGE);
	reaches_not(mem, 0, 1);
}

static void device_memory(void)
{
	begin_dma();
	REFUSED_MAP((void *)d.edu.regs, PAGE, BASE, RW, -EFAULT);
	CHECK(strstr(iommufd_last_reason(s.fd), "device memory"));
	REFUSED_MAP((void *)(uintptr_t)PAGE, PAGE, BASE, RW, -EFAULT);
	unmap(BASE, PAGE, 0);
}

static void v1_cuts(void)
{
	const unsigned int n = 16;
	uint64_t huge;
	char *mem;

	begin_dma();
	mem = memory(n * PAGE);
	OK(container_ioctl(VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
	OK(iofd_option_get(s.fd, IOMMU_OPTION_HUGE_PAGES, s.ioas, &huge));
	CHECK_EQ(huge, 0);
	OK(container_ioctl(VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));

	OK(map(mem, n * PAGE, BASE, RW));
	CHECK_EQ(iofd_objects(s.fd, "hwpt"), 1);
	/* in the middle, at both ends, beyond the ends */
	unmap(BASE + 5 * PAGE, 2 * PAGE, 2 * PAGE);
	reaches(mem, 0, 4);
	reaches_not(mem, 5, 6);
	reaches(mem, 7, n - 1);
	CHECK_EQ(mem_status(0, "VmPin"), (n - 2) * PAGE);
	unmap(BASE, PAGE, PAGE);
	unmap(BASE + (n - 1) * PAGE, PAGE, PAGE);
	unmap(BASE - PAGE, 3 * PAGE, PAGE);
	unmap(BASE + (n - 2) * PAGE, 5 * PAGE, PAGE);
	reaches_not(mem, 0, 1);
	reaches(mem, 2, 4);
	reaches(mem, 7, n - 3);
	reaches_not(mem, n - 2, n - 1);
	/* across the hole, cutting what is on both sides of it */
	unmap(BASE + 3 * PAGE, 6 * PAGE, 4 * PAGE);
	reaches(mem, 2, 2);
	reaches_not(mem, 3, 8);
	reaches(mem, 9, n - 3);

	/* between pages there is no cut, and nothing has changed */
	REFUSED_UNMAP(BASE + 10 * PAGE + 1, PAGE, 0, -EINVAL);
	REFUSED_UNMAP(BASE + 10 * PAGE, PAGE + 512, 0, -EINVAL);
	reaches(mem, 9, n - 3);
	CHECK_EQ(mem_status(0, "VmPin"), (1 + n - 11) * PAGE);

	/* what was cut out can be mapped anew, elsewhere in memory */
	OK(map(mem, PAGE, BASE + 5 * PAGE, RW));
	CHECK(dma_writes(&d, BASE + 5 * PAGE, mem));
	unmap(0, UINT64_MAX, (2 + n - 11) * PAGE);
	CHECK_EQ(mem_status(0, "VmPin"), 0);
}

static void v1_cuts_hugetlb(void)
{
	char *mem;

	if (!mem_want_hugetlb(1))
		tap_skip("no 2 MiB pages to be had");
	begin_dma();
	mem = mem_hugetlb(2 * MIB);
	CHECK(mem);
	OK(container_ioctl(VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
	OK(map(mem, 2 * MIB, BASE, RW));
	for (unsigned int i = 0; i < 512; i += 8)
		unmap(BASE + i * PAGE, PAGE, PAGE);
	reaches_not(mem, 0, 0);
	reaches(mem, 1, 2);
	reaches_not(mem, 504, 504);
	reaches(mem, 511, 511);
	CHECK_EQ(mem_status(0, "VmPin"), (512 - 64) * PAGE);
	unmap(BASE, 2 * MIB, (512 - 64) * PAGE);
	CHECK_EQ(mem_status(0, "VmPin"), 0);
}

/* Cut before anything is pinned; then a device comes. */
static void v1_cuts_early(void)
{
	const unsigned int n = 6;
	char *mem;

	begin();
	need_edu(&d, 0, s.fd);
	mem = memory(n * PAGE);
	OK(container_ioctl(VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
	OK(map(mem, n * PAGE, BASE, RW));
	unmap(BASE + 2 * PAGE, PAGE, PAGE);
	CHECK_EQ(mem_status(0, "VmPin"), 0);
	attach(&d, s.ioas);
	CHECK_EQ(mem_status(0, "VmPin"), (n - 1) * PAGE);
	reaches(mem, 0, 1);
	reaches_not(mem, 2, 2);
	reaches(mem, 3, n - 1);
	unmap(BASE + 4 * PAGE, PAGE, PAGE);
	/* and goes, and comes again */
	OK(vdev_detach(&d.vdev));
	CHECK_EQ(mem_status(0, "VmPin"), 0);
	unmap(BASE, PAGE, PAGE);
	attach(&d, s.ioas);
	reaches_not(mem, 0, 0);
	reaches(mem, 1, 1);
	reaches(mem, 3, 3);
	reaches_not(mem, 4, 4);
	reaches(mem, 5, 5);
	CHECK_EQ(mem_status(0, "VmPin"), 3 * PAGE);
}

/* A leaf that may be large is not cut, whatever is chosen afterwards. */
static void large_then_v1(void)
{
	char *mem;

	if (!mem_want_hugetlb(1))
		tap_skip("no 2 MiB pages to be had");
	begin_dma();
	mem = mem_hugetlb(2 * MIB);
	CHECK(mem);
	OK(map(mem, 2 * MIB, BASE, RW));
	OK(container_ioctl(VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
	REFUSED_UNMAP(BASE + PAGE, PAGE, 0, -EINVAL);
	reaches(mem, 0, 2);
	reaches(mem, 511, 511);
	unmap(BASE, 2 * MIB, 2 * MIB);
	OK(map(mem, 2 * MIB, BASE, RW));
	unmap(BASE + PAGE, PAGE, PAGE);
	reaches(mem, 0, 0);
	reaches_not(mem, 1, 1);
	reaches(mem, 2, 2);
}

/* The option is all there is to the version. */
static void v1_and_back(void)
{
	uint64_t huge;
	char *mem;

	begin();
	mem = memory(4 * PAGE);
	OK(iofd_option_set(s.fd, IOMMU_OPTION_HUGE_PAGES, s.ioas, 0));
	OK(container_ioctl(VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
	OK(iofd_option_get(s.fd, IOMMU_OPTION_HUGE_PAGES, s.ioas, &huge));
	CHECK_EQ(huge, 0);
	OK(iofd_option_set(s.fd, IOMMU_OPTION_HUGE_PAGES, s.ioas, 1));
	OK(map(mem, 4 * PAGE, BASE, RW));
	REFUSED_UNMAP(BASE, PAGE, 0, -ENOENT);
	/* the IOAS's own command never cuts */
	OK(container_ioctl(VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
	ERR(iofd_unmap(s.fd, s.ioas, BASE, PAGE, NULL), -ENOENT);
	unmap(BASE, PAGE, PAGE);
	ERR(iofd_unmap(s.fd, s.ioas, BASE + PAGE, PAGE, NULL), -ENOENT);
	OK(iofd_unmap(s.fd, s.ioas, BASE + PAGE, 3 * PAGE, NULL));
	/* not for pages: not with what is mapped by the byte */
	OK(iofd_option_set(s.fd, IOMMU_OPTION_HUGE_PAGES, s.ioas, 1));
	OK(map(mem, 100, BASE, RW));
	REFUSED_ARG(VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU, -EADDRINUSE);
	OK(container_ioctl(VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
	unmap(BASE, 100, 100);
	OK(container_ioctl(VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
	REFUSED_MAP(mem, 100, BASE, RW, -EINVAL);
}

/* Two areas of one file's and one process's pages, cut and uncut, side by side. */
static void v1_shared_pages(void)
{
	long long before = mem_pinned_pages();
	const unsigned int n = 8;
	uint64_t iova = BASE + n * PAGE;
	char *mem;
	int file;

	begin_dma();
	OK(container_ioctl(VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
	file = OK(mem_file(n * PAGE, 0));
	mem = mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	CHECK(mem != MAP_FAILED);
	OK(map(mem, n * PAGE, BASE, RW));
	OK(iofd_map_file(s.fd, s.ioas, file, 0, n * PAGE, &iova, IOFD_FIXED_RW));
	unmap(BASE + 2 * PAGE, 2 * PAGE, 2 * PAGE);
	unmap(iova + 4 * PAGE, PAGE, PAGE);
	reaches_not(mem, 2, 3);
	reaches(mem, 4, 7);
	CHECK(dma_writes(&d, iova + 2 * PAGE, mem + 2 * PAGE));
	CHECK(!dma_writes(&d, iova + 4 * PAGE, mem + 4 * PAGE));
	CHECK(dma_writes(&d, iova + 5 * PAGE, mem + 5 * PAGE));
	unmap(0, UINT64_MAX, (2 * n - 3) * PAGE);
	CHECK(mem_wait_pinned(before, 2000) <= before);
}

/* Cuts and maps from several threads: every byte is counted once. */
#define SLOTS	32
static atomic_ulong mapped_bytes, unmapped_bytes;
static atomic_bool stop;
static char *race_mem;

static void *race_mapper(void *unused)
{
	unsigned int seed = gettid();

	while (!atomic_load(&stop)) {
		unsigned int at = rand_r(&seed) % SLOTS;
		unsigned int n = 1 + rand_r(&seed) % (SLOTS - at);

		if (!map(race_mem + at * PAGE, n * PAGE, BASE + at * PAGE, RW))
			atomic_fetch_add(&mapped_bytes, n * PAGE);
	}
	return NULL;
}

static void *race_unmapper(void *unused)
{
	unsigned int seed = gettid();

	while (!atomic_load(&stop)) {
		unsigned int at = rand_r(&seed) % SLOTS;
		unsigned int n = 1 + rand_r(&seed) % (SLOTS - at);
		uint64_t got;
		int rc = unmap_flags(BASE + at * PAGE, n * PAGE, 0, &got);

		if (!rc)
			atomic_fetch_add(&unmapped_bytes, got);
		else if (rc != -EBUSY && rc != -ENOENT)
			tap_fail(__FILE__, __LINE__, "unmap: %s", tap_errno(rc));
	}
	return NULL;
}

static void race_cuts(void)
{
	struct timespec ms = { .tv_nsec = 300000000 };
	pthread_t t[4];
	uint64_t got;

	begin_dma();
	race_mem = memory(SLOTS * PAGE);
	OK(container_ioctl(VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
	for (int i = 0; i < 4; i++)
		CHECK(!pthread_create(&t[i], NULL, i % 2 ? race_mapper : race_unmapper, NULL));
	/* and tables that come and go under them */
	for (int i = 0; i < 8; i++) {
		nanosleep(&ms, NULL);
		if (i % 2)
			attach(&d, s.ioas);
		else
			OK(vdev_detach(&d.vdev));
	}
	atomic_store(&stop, true);
	for (int i = 0; i < 4; i++)
		CHECK(!pthread_join(t[i], NULL));
	OK(unmap_flags(0, 0, VFIO_DMA_UNMAP_FLAG_ALL, &got));
	tap_note("%lu bytes mapped", mapped_bytes);
	CHECK(mapped_bytes > 100 * PAGE);
	CHECK_EQ(unmapped_bytes + got, mapped_bytes);
	CHECK_EQ(mem_status(0, "VmPin"), 0);
}

static const struct tap_test tests[] = {
	{ "version and extensions", questions },
	{ "coherency is told as it is", coherency },
	{ "EINVAL for what is wrong in itself, then ENODEV", without_ioas },
	{ "which IOAS stands for the container", which_ioas },
	{ "a device is no IOAS, an IOAS in use stays", not_an_ioas },
	{ "GET_INFO of an empty IOAS, with every argsz", info_nothing },
	{ "GET_INFO tells the ranges of the device", info_device },
	{ "GET_INFO with bad arguments", info_hostile },
	{ "MAP_DMA with bad arguments", map_hostile },
	{ "UNMAP_DMA with bad arguments", unmap_hostile },
	{ "what is no ioctl of a type1 container", other_ioctls },
	{ "DMA through type1 v2, which never cuts", v2_dma },
	{ "IOAS and container commands side by side", side_by_side },
	{ "device memory is refused", device_memory },
	{ "DMA through type1 v1, cut at any page", v1_cuts, 90 },
	{ "v1: pages cut out of a hugetlb page", v1_cuts_hugetlb },
	{ "v1: cut before there is a table", v1_cuts_early, 60 },
	{ "v1: what was mapped with large leaves is not cut", large_then_v1 },
	{ "v1 is the HUGE_PAGES option switched off", v1_and_back },
	{ "v1: cuts of memory that is mapped twice", v1_shared_pages, 60 },
	{ "v1: cuts, maps and attaches from several threads", race_cuts, 60 },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Operations on devices that are there, each against each (pairs.h). Afterwards
 * they reach memory as they should.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "devices.h"
#include "ext.h"
#include "mem.h"
#include "pairs.h"

#define PAGE	4096UL
#define MEM	(2 * MIB)
#define BASE	0x400000UL
#define SPOTS	8
#define SPOT	(16 * PAGE)

static int fd, file;
static char *mem;
/* two address spaces, two page tables of the first; ids that others destroy */
static _Atomic uint32_t spaces[2], tables[2];
static struct testdev dev[2];
static int devices;
static pthread_rwlock_t files = PTHREAD_RWLOCK_INITIALIZER;

static uint32_t pick(_Atomic uint32_t *ids, unsigned int *seed)
{
	return ids[rand_r(seed) % 2];
}

static uint64_t spot(unsigned int *seed)
{
	return BASE + rand_r(seed) % SPOTS * SPOT;
}

static int op_map(unsigned int *seed)
{
	return iofd_map_at(fd, pick(spaces, seed), mem + rand_r(seed) % 64 * PAGE,
			   (1 + rand_r(seed) % 24) * PAGE, spot(seed));
}

static int op_map_anywhere(unsigned int *seed)
{
	uint32_t ioas = pick(spaces, seed);
	uint64_t iova = 0;
	int rc = iofd_map(fd, ioas, mem, 5 * PAGE, &iova, IOFD_RW);

	if (!rc)
		iofd_unmap(fd, ioas, iova, 5 * PAGE, NULL);
	return rc;
}

static int op_map_file(unsigned int *seed)
{
	uint64_t iova = spot(seed);

	return iofd_map_file(fd, pick(spaces, seed), file, rand_r(seed) % 64 * PAGE,
			     (1 + rand_r(seed) % 24) * PAGE, &iova, IOFD_FIXED_RW);
}

static int op_unmap(unsigned int *seed)
{
	return iofd_unmap(fd, pick(spaces, seed), spot(seed), (1 + rand_r(seed) % 4) * SPOT, NULL);
}

static int op_unmap_all(unsigned int *seed)
{
	return iofd_unmap(fd, pick(spaces, seed), 0, UINT64_MAX, NULL);
}

static int op_copy(unsigned int *seed)
{
	struct iommu_ioas_copy c = {
		.size = sizeof(c),
		.flags = IOFD_FIXED_RW,
		.dst_ioas_id = pick(spaces, seed),
		.src_ioas_id = pick(spaces, seed),
		.length = (1 + rand_r(seed) % 8) * PAGE,
		.dst_iova = spot(seed),
		.src_iova = spot(seed),
	};

	return iofd_ioctl(fd, IOMMU_IOAS_COPY, &c);
}

static int op_ranges(unsigned int *seed)
{
	struct iommu_iova_range r[64];
	uint32_t n = 64;

	return iofd_ranges(fd, pick(spaces, seed), r, &n, NULL);
}

static int op_allow(unsigned int *seed)
{
	struct iommu_iova_range r[] = {
		{ 0, 0xfffff }, { BASE, BASE + 64 * MIB - 1 }, { GIB, GIB + MIB - 1 },
	};

	return iofd_allow(fd, pick(spaces, seed), r, rand_r(seed) % 4);
}

static int op_option(unsigned int *seed)
{
	return iofd_option_set(fd, IOMMU_OPTION_HUGE_PAGES, pick(spaces, seed), rand_r(seed) % 2);
}

static int op_vfio_ioas(unsigned int *seed)
{
	struct iommu_vfio_ioas c = {
		.size = sizeof(c),
		.ioas_id = pick(spaces, seed),
		.op = rand_r(seed) % 3,
	};

	return iofd_ioctl(fd, IOMMU_VFIO_IOAS, &c);
}

static int op_change_process(unsigned int *seed)
{
	struct iommu_ioas_change_process c = { .size = sizeof(c) };

	return iofd_ioctl(fd, IOMMU_IOAS_CHANGE_PROCESS, &c);
}

/* The place of a space is never without an id, but the id may be stale. */
static int op_renew_ioas(unsigned int *seed)
{
	int i = rand_r(seed) % 2, rc = iofd_destroy(fd, spaces[i]);
	uint32_t id;

	if (rc)
		return rc;
	rc = iofd_ioas(fd, &id);
	if (!rc)
		spaces[i] = id;
	return rc;
}

static int op_renew_hwpt(unsigned int *seed)
{
	int i = rand_r(seed) % 2, rc = iofd_destroy(fd, tables[i]);
	uint32_t id;

	if (rc)
		return rc;
	rc = iofd_hwpt(fd, dev[0].vdev.id, pick(spaces, seed), 0, &id);
	if (!rc)
		tables[i] = id;
	return rc;
}

static int op_hwpt(unsigned int *seed)
{
	uint32_t id;
	int rc = iofd_hwpt(fd, dev[0].vdev.id, pick(spaces, seed), 0, &id);

	if (!rc)
		iofd_destroy(fd, id);
	return rc;
}

static int op_windows(unsigned int *seed)
{
	struct windows w = {};
	uint32_t id;
	int rc;

	ext_want(&w, 0, GIB, 0, 0, ANYWHERE);
	ext_want(&w, BASE, MEM, PAGE, 0, 0);
	rc = ext_hwpt(fd, dev[0].vdev.id, pick(spaces, seed), 0, &w, &id);
	if (!rc)
		iofd_destroy(fd, id);
	return rc;
}

static int op_ext_info(unsigned int *seed)
{
	uint32_t type = rand_r(seed) % 2 ? IOMMU_EXT_HW_INFO_INSTANCE :
					   IOMMU_EXT_HW_INFO_WINDOWS;
	char info[256];
	uint32_t len = rand_r(seed) % sizeof(info);

	return ext_hw_info(fd, dev[0].vdev.id, type, info, &len);
}

static int op_hw_info(unsigned int *seed)
{
	char info[64];
	uint32_t len = rand_r(seed) % sizeof(info);

	return iofd_hw_info(fd, dev[0].vdev.id, info, &len, NULL, NULL);
}

static int move(struct testdev *d, uint32_t pt)
{
	return vdev_attach(&d->vdev, &pt);
}

static int op_attach_ioas(unsigned int *seed)
{
	return move(&dev[0], pick(spaces, seed));
}

static int op_attach_hwpt(unsigned int *seed)
{
	return move(&dev[0], pick(tables, seed));
}

static int op_detach(unsigned int *seed)
{
	return vdev_detach(&dev[0].vdev);
}

static int op_other_device(unsigned int *seed)
{
	int rc;

	pthread_rwlock_rdlock(&files);
	rc = move(&dev[1], rand_r(seed) % 2 ? pick(spaces, seed) : pick(tables, seed));
	if (rand_r(seed) % 2)
		vdev_detach(&dev[1].vdev);
	pthread_rwlock_unlock(&files);
	return rc;
}

/* The file of the second device is replaced; nobody else may be using it then. */
static int op_rebind(unsigned int *seed)
{
	int rc;

	pthread_rwlock_wrlock(&files);
	vdev_close(&dev[1].vdev);
	rc = vdev_open(&dev[1].vdev);
	if (!rc)
		rc = vdev_bind(&dev[1].vdev, fd);
	if (!rc)
		rc = move(&dev[1], pick(spaces, seed));
	pthread_rwlock_unlock(&files);
	return rc;
}

static int op_fdinfo(unsigned int *seed)
{
	int n = iofd_objects(fd, NULL);

	return n < 0 ? n : 0;
}

/* A child has the file, uses it and ends with it open. */
static int op_fork(unsigned int *seed)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		iofd_map_at(fd, pick(spaces, seed), mem, 8 * PAGE, spot(seed));
		iofd_objects(fd, NULL);
		_exit(0);
	}
	if (pid < 0)
		return -errno;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return status ? -EIO : 0;
}

/* Another file of its own comes and goes. */
static int op_other_file(unsigned int *seed)
{
	uint32_t ioas;
	int other = iofd_open(), rc;

	if (other < 0)
		return other;
	rc = iofd_ioas(other, &ioas);
	if (!rc)
		rc = iofd_map_at(other, ioas, mem, 8 * PAGE, BASE);
	close(other);
	return rc;
}

/* MAP of an address that another thread may be taking away meanwhile. */
static int op_memory_goes(unsigned int *seed)
{
	char *va = mem_anon(4 * PAGE);
	uint64_t iova = 0;
	uint32_t ioas = pick(spaces, seed);
	int rc = iofd_map(fd, ioas, va, 4 * PAGE, &iova, IOFD_RW);

	munmap(va, 4 * PAGE);
	if (!rc)
		iofd_unmap(fd, ioas, iova, 4 * PAGE, NULL);
	return rc;
}

static const struct pairs_op operations[] = {
	{ "MAP", op_map },
	{ "MAP where the kernel wants", op_map_anywhere, { -ENOSPC } },
	{ "MAP_FILE", op_map_file },
	{ "UNMAP", op_unmap },
	{ "UNMAP of all", op_unmap_all },
	{ "COPY", op_copy, { -EFAULT } },
	{ "IOVA_RANGES", op_ranges },
	{ "ALLOW_IOVAS", op_allow, { -EADDRINUSE } },
	{ "OPTION", op_option, { -EADDRINUSE } },
	{ "VFIO_IOAS", op_vfio_ioas, { -ENODEV } },
	{ "CHANGE_PROCESS", op_change_process, { -EINVAL } },
	{ "IOAS_ALLOC and DESTROY", op_renew_ioas },
	{ "HWPT_ALLOC and DESTROY", op_renew_hwpt, { -EFAULT, -EINVAL }, 1 },
	{ "HWPT_ALLOC of an own one", op_hwpt, { -EFAULT, -EINVAL }, 1 },
	{ "HWPT_ALLOC with windows", op_windows, { -EFAULT, -EINVAL }, 1 },
	{ "GET_HW_INFO", op_hw_info, {}, 1 },
	{ "GET_HW_INFO about the instance and windows", op_ext_info, {}, 1 },
	{ "ATTACH to an IOAS", op_attach_ioas, { -EFAULT, -EINVAL }, 1 },
	{ "ATTACH to a HWPT", op_attach_hwpt, { -EINVAL }, 1 },
	{ "DETACH", op_detach, {}, 1 },
	{ "ATTACH of another device", op_other_device, { -EINVAL, -EFAULT }, 2 },
	{ "close, open and BIND", op_rebind, { -EINVAL, -EFAULT }, 2 },
	{ "reading of fdinfo", op_fdinfo },
	{ "fork and exit", op_fork },
	{ "another file", op_other_file },
	{ "MAP of memory that goes", op_memory_goes, { -ENOSPC } },
};

/* Everything anew for each pair, so that none hides what another has done. */
static void set_up(int want)
{
	uint32_t id;
	int i;

	if (!file)
		file = OK(mem_file(MEM, 0));
	fd = OK(iofd_open());
	for (i = 0; i < 2; i++) {
		OK(iofd_ioas(fd, &id));
		spaces[i] = id;
		OK(iofd_map_at(fd, id, mem, 8 * PAGE, BASE));
	}
	for (i = 0; i < want; i++) {
		if (!dev[i].vdev.node[0]) {
			need_edu(&dev[i], i, fd);
			edu_fini(&dev[i].edu);
		} else {
			OK(vdev_open(&dev[i].vdev));
			OK(vdev_bind(&dev[i].vdev, fd));
		}
	}
	devices = want;
	if (!want)
		return;
	for (i = 0; i < 2; i++) {
		OK(iofd_hwpt(fd, dev[0].vdev.id, spaces[i], 0, &id));
		tables[i] = id;
	}
	OK(move(&dev[0], spaces[0]));
}

/* It still works, and so do the devices, which hold tables and are let go. */
static void done(void)
{
	uint64_t iova = 16 * MIB;
	uint32_t ioas;
	int i;

	OK(iofd_ioas(fd, &ioas));
	OK(iofd_map_at(fd, ioas, mem, 8 * PAGE, iova));
	if (devices) {
		OK(edu_init(&dev[0].edu, &dev[0].vdev));
		OK(move(&dev[0], ioas));
		edu_fini(&dev[0].edu);
	}
	for (i = 0; i < devices; i++)
		vdev_close(&dev[i].vdev);
}

static const char *why(void)
{
	return devices ? iommufd_last_reason(dev[0].vdev.fd) : "";
}

static const struct pairs pairs = {
	.ops = operations,
	.count = sizeof(operations) / sizeof(operations[0]),
	.set_up = set_up,
	.done = done,
	.why = why,
	.fd = &fd,
	.mem = &mem,
	.size = MEM,
};

int main(int argc, char **argv)
{
	return pairs_run(argc, argv, &pairs);
}

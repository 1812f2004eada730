// SPDX-License-Identifier: GPL-2.0
/*
 * Every operation against every operation: two threads on one file and one
 * device, each doing its own over and over for a short while. Who wins is
 * chance. What is not: each answer is one that the situation can have given,
 * the devices reach memory afterwards as they should, nothing stays behind.
 *
 * One test per operation, against itself and all that come after it.
 * PAIRS_MS sets how long each pair runs.
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

static _Atomic bool stop;

struct worker {
	const struct operation *op;
	pthread_t thread;
	unsigned int seed;
	_Atomic unsigned long rounds, done;
};

/*
 * What an operation may answer besides success: an object of the other thread's
 * has gone (ENOENT), something is in its place (EEXIST) or on it (EBUSY), or
 * as listed.
 */
struct operation {
	const char *name;
	int devices;
	int (*run)(unsigned int *seed);
	int also[3];
};

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
	int rc = move(&dev[1], rand_r(seed) % 2 ? pick(spaces, seed) : pick(tables, seed));

	if (rand_r(seed) % 2)
		vdev_detach(&dev[1].vdev);
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

static const struct operation operations[] = {
	{ "MAP", 0, op_map },
	{ "MAP where the kernel wants", 0, op_map_anywhere, { -ENOSPC } },
	{ "MAP_FILE", 0, op_map_file },
	{ "UNMAP", 0, op_unmap },
	{ "UNMAP of all", 0, op_unmap_all },
	{ "COPY", 0, op_copy, { -EFAULT } },
	{ "IOVA_RANGES", 0, op_ranges },
	{ "ALLOW_IOVAS", 0, op_allow, { -EADDRINUSE } },
	{ "OPTION", 0, op_option, { -EADDRINUSE } },
	{ "VFIO_IOAS", 0, op_vfio_ioas, { -ENODEV } },
	{ "CHANGE_PROCESS", 0, op_change_process, { -EINVAL } },
	{ "IOAS_ALLOC and DESTROY", 0, op_renew_ioas },
	{ "HWPT_ALLOC and DESTROY", 1, op_renew_hwpt, { -EFAULT, -EINVAL } },
	{ "HWPT_ALLOC of an own one", 1, op_hwpt, { -EFAULT, -EINVAL } },
	{ "HWPT_ALLOC with windows", 1, op_windows, { -EFAULT, -EINVAL } },
	{ "GET_HW_INFO", 1, op_hw_info },
	{ "GET_HW_INFO about the instance and windows", 1, op_ext_info },
	{ "ATTACH to an IOAS", 1, op_attach_ioas, { -EFAULT, -EINVAL } },
	{ "ATTACH to a HWPT", 1, op_attach_hwpt, { -EINVAL } },
	{ "DETACH", 1, op_detach },
	{ "ATTACH of another device", 2, op_other_device, { -EINVAL, -EFAULT } },
	{ "close, open and BIND", 2, op_rebind, { -EINVAL, -EFAULT } },
	{ "reading of fdinfo", 0, op_fdinfo },
	{ "fork and exit", 0, op_fork },
	{ "another file", 0, op_other_file },
	{ "MAP of memory that goes", 0, op_memory_goes, { -ENOSPC } },
};

#define COUNT (sizeof(operations) / sizeof(operations[0]))

static bool may_answer(const struct operation *op, int rc)
{
	if (rc >= 0 || rc == -ENOENT || rc == -EEXIST || rc == -EBUSY)
		return true;
	return rc == op->also[0] || rc == op->also[1] || rc == op->also[2];
}

static void *work(void *arg)
{
	struct worker *w = arg;

	while (!stop) {
		bool lock = w->op->run == op_other_device;
		int rc;

		if (lock)
			pthread_rwlock_rdlock(&files);
		rc = w->op->run(&w->seed);
		if (lock)
			pthread_rwlock_unlock(&files);
		if (!may_answer(w->op, rc))
			tap_fail(__FILE__, __LINE__, "%s gave %s: %s%s", w->op->name,
				 tap_errno(rc), iommufd_last_reason(fd),
				 devices ? iommufd_last_reason(dev[0].vdev.fd) : "");
		w->rounds++;
		w->done += rc >= 0;
	}
	return NULL;
}

/* Everything anew for each pair, so that none hides what another has done. */
static void set_up(int want)
{
	uint32_t id;
	int i;

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

static void tear_down(const char *a, const char *b, long long pinned)
{
	uint64_t iova = 16 * MIB;
	uint32_t ioas, i;

	/* it still works */
	OK(iofd_ioas(fd, &ioas));
	OK(iofd_map_at(fd, ioas, mem, 8 * PAGE, iova));
	if (devices) {
		OK(edu_init(&dev[0].edu, &dev[0].vdev));
		OK(move(&dev[0], ioas));
		edu_fini(&dev[0].edu);
	}
	for (i = 0; i < (uint32_t)devices; i++)
		vdev_close(&dev[i].vdev);
	/* and all of it can be taken apart */
	for (i = 0; i < 2; i++)
		iofd_destroy(fd, tables[i]);
	/* tables first, whose ids may be the larger ones */
	for (i = 1; i < 128; i++)
		iofd_destroy(fd, i % 64);
	if (iofd_objects(fd, NULL))
		tap_fail(__FILE__, __LINE__, "%s, %s: %d objects cannot be destroyed", a, b,
			 iofd_objects(fd, NULL));
	if (mem_wait_pinned(pinned, 2000) != pinned || mem_status(0, "VmPin"))
		tap_fail(__FILE__, __LINE__, "%s, %s: %lld pages still pinned, VmPin %lld", a, b,
			 mem_pinned_pages() - pinned, mem_status(0, "VmPin"));
	close(fd);
}

static void pair(const struct operation *a, const struct operation *b, long ms)
{
	struct worker w[2] = { { a, .seed = 1 }, { b, .seed = 2 } };
	long long pinned = mem_pinned_pages();
	int i;

	set_up(a->devices > b->devices ? a->devices : b->devices);
	stop = false;
	for (i = 0; i < 2; i++)
		CHECK(!pthread_create(&w[i].thread, NULL, work, &w[i]));
	usleep(ms * 1000);
	/* on a busy machine a thread may not have run yet */
	for (i = 0; i < 1000 && !(w[0].rounds && w[1].rounds); i++)
		usleep(10000);
	stop = true;
	for (i = 0; i < 2; i++) {
		CHECK(!pthread_join(w[i].thread, NULL));
		CHECK(w[i].rounds);
	}
	tear_down(a->name, b->name, pinned);
	tap_note("%s (%lu of %lu), %s (%lu of %lu)", a->name, w[0].done, w[0].rounds, b->name,
		 w[1].done, w[1].rounds);
}

static void against_all(void)
{
	const struct operation *a = tap_current->arg, *b;
	const char *ms = getenv("PAIRS_MS");

	mem = mem_anon(MEM);
	file = OK(mem_file(MEM, 0));
	for (b = a; b < operations + COUNT; b++)
		pair(a, b, ms ? atol(ms) : 80);
}

int main(int argc, char **argv)
{
	static struct tap_test tests[COUNT];
	unsigned int i;

	for (i = 0; i < COUNT; i++)
		tests[i] = (struct tap_test){
			.title = operations[i].name,
			.run = against_all,
			.seconds = 90,
			.arg = &operations[i],
		};
	return tap_run(argc, argv, tests, COUNT);
}

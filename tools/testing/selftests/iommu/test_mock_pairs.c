// SPDX-License-Identifier: GPL-2.0
/*
 * A VM's objects on the mock, each operation against each: two threads on one
 * file, over and over for a short while. Who wins is chance. What is not: each
 * answer is one that the situation can have given, afterwards all of it can be
 * taken apart, and no page is left pinned.
 *
 * One test per operation, against itself and all that come after it.
 * PAIRS_MS sets how long each pair runs.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mem.h"
#include "mock_viommu.h"

#define PAGE 4096UL
#define MEM (16 * PAGE)
#define ROOM (2 * PAGE)

static int fd;
static char *mem;
static uint32_t ioas, parent;
/* of whatever there is of each kind the latest; an id may be stale */
static _Atomic uint32_t stdev, idev, viommu, vdevice, nested, queue;
static _Atomic uint64_t region;
static _Atomic bool stop;

struct operation {
	const char *name;
	int (*run)(unsigned int *seed);
	int also[3];	/* besides ENOENT, EEXIST, EBUSY and EINVAL */
};

struct worker {
	const struct operation *op;
	pthread_t thread;
	unsigned int seed;
	_Atomic unsigned long rounds, done;
};

static int keep(int rc, uint32_t id, _Atomic uint32_t *where)
{
	if (!rc)
		*where = id;
	return rc;
}

static int op_vdevice(unsigned int *seed)
{
	uint32_t id;
	int rc;

	iofd_destroy(fd, vdevice);
	rc = mock_vdevice(fd, viommu, idev, rand_r(seed) % 3, &id);
	return keep(rc, id, &vdevice);
}

static int op_nested(unsigned int *seed)
{
	uint32_t id, over = rand_r(seed) % 2 ? viommu : parent;
	int rc = iofd_destroy(fd, nested);

	if (rc && rc != -ENOENT)
		return rc;
	rc = mock_nested(fd, idev, over, 1, &id);
	return keep(rc, id, &nested);
}

static int op_viommu(unsigned int *seed)
{
	struct iommu_viommu_selftest data = { .in_data = 1 };
	uint32_t id;
	int rc;

	/* whatever of it is still in use stops this */
	iofd_destroy(fd, queue);
	iofd_destroy(fd, vdevice);
	iofd_destroy(fd, nested);
	rc = iofd_destroy(fd, viommu);
	if (rc && rc != -ENOENT)
		return rc;
	rc = mock_viommu(fd, idev, parent, &data, &id);
	if (!rc)
		region = data.out_mmap_offset;
	rc = keep(rc, id, &viommu);
	if (rc)
		return rc;
	/* for the other thread to find */
	op_vdevice(seed);
	op_nested(seed);
	return 0;
}

static int op_queue(unsigned int *seed)
{
	uint32_t id;
	int rc;

	iofd_destroy(fd, queue);
	rc = mock_queue(fd, viommu, rand_r(seed) % 2, APERTURE + rand_r(seed) % MEM, 1, &id);
	return keep(rc, id, &queue);
}

static int op_invalidate_nested(unsigned int *seed)
{
	struct iommu_hwpt_invalidate_selftest inv[2] = { { .iotlb_id = rand_r(seed) % 4 } };
	uint32_t num = 2;

	return mock_invalidate(fd, nested, IOMMU_HWPT_INVALIDATE_DATA_SELFTEST, inv,
			       sizeof(*inv), &num);
}

static int op_invalidate_viommu(unsigned int *seed)
{
	struct iommu_viommu_invalidate_selftest inv = { .vdev_id = rand_r(seed) % 3 };
	uint32_t num = 1;

	return mock_invalidate(fd, viommu, IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST, &inv,
			       sizeof(inv), &num);
}

static int op_move(unsigned int *seed)
{
	struct mockdev m = { .stdev = stdev };

	return mock_replace(fd, &m, rand_r(seed) % 2 ? nested : rand_r(seed) % 2 ? parent : ioas);
}

/* The device vanishes, with its vDEVICE and from what it is attached to. */
static int op_device(unsigned int *seed)
{
	struct mockdev m;
	int rc = iofd_destroy(fd, stdev);

	if (rc && rc != -ENOENT)
		return rc;
	rc = mock_device(fd, rand_r(seed) % 2 ? ioas : parent, 0, &m);
	if (rc)
		return rc;
	stdev = m.stdev;
	idev = m.idev;
	/* long enough for the other thread to use it */
	usleep(rand_r(seed) % 400);
	return 0;
}

static int op_map(unsigned int *seed)
{
	uint64_t iova = APERTURE + rand_r(seed) % 2 * MEM / 2;
	int rc = iofd_unmap(fd, ioas, iova, MEM / 2, NULL);

	if (!rc || rc == -ENOENT)
		rc = iofd_map_at(fd, ioas, mem, MEM / 2, iova);
	return rc;
}

static int op_mmap(unsigned int *seed)
{
	char *p = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_SHARED, fd, region);

	if (p == MAP_FAILED)
		return -errno;
	p[PAGE] = 1;
	munmap(p + PAGE, PAGE);
	sched_yield();
	munmap(p, PAGE);
	return 0;
}

static int op_fdinfo(unsigned int *seed)
{
	int n = iofd_objects(fd, NULL);

	return n < 0 ? n : 0;
}

/* Another file with all of it is closed. */
static int op_other_file(unsigned int *seed)
{
	struct iommu_viommu_selftest data = {};
	struct mockdev m;
	uint32_t as, pt, vi, id;
	int other = OK(iofd_open());

	OK(iofd_ioas(other, &as));
	OK(iofd_map_at(other, as, mem, MEM, APERTURE));
	OK(mock_device(other, as, 0, &m));
	OK(iofd_hwpt(other, m.idev, as, IOMMU_HWPT_ALLOC_NEST_PARENT, &pt));
	OK(mock_viommu(other, m.idev, pt, &data, &vi));
	OK(mock_vdevice(other, vi, m.idev, 1, &id));
	OK(mock_queue(other, vi, 0, APERTURE, 8, &id));
	OK(mock_nested(other, m.idev, vi, 1, &id));
	OK(mock_replace(other, &m, id));
	close(other);
	return 0;
}

/* A child has the file and ends with it open. */
static int op_fork(unsigned int *seed)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		op_invalidate_viommu(seed);
		op_mmap(seed);
		_exit(0);
	}
	if (pid < 0)
		return -errno;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return status ? -EIO : 0;
}

static const struct operation operations[] = {
	{ "VIOMMU_ALLOC and DESTROY", op_viommu },
	{ "VDEVICE_ALLOC and DESTROY", op_vdevice },
	{ "HWPT_ALLOC of a nested one and DESTROY", op_nested },
	{ "HW_QUEUE_ALLOC and DESTROY", op_queue, { -EIO } },
	{ "HWPT_INVALIDATE of a nested table", op_invalidate_nested },
	{ "HWPT_INVALIDATE of a vIOMMU", op_invalidate_viommu },
	{ "a device moved", op_move },
	{ "a device that goes and comes", op_device },
	{ "UNMAP and MAP", op_map },
	{ "mmap of a vIOMMU's memory", op_mmap, { -ENXIO } },
	{ "reading of fdinfo", op_fdinfo },
	{ "another file", op_other_file },
	{ "fork and exit", op_fork },
};

#define COUNT (sizeof(operations) / sizeof(operations[0]))

static bool may_answer(const struct operation *op, int rc)
{
	switch (rc) {
	case -ENOENT: case -EEXIST: case -EBUSY: case -EINVAL:
		return true;
	}
	return rc >= 0 || rc == op->also[0] || rc == op->also[1] || rc == op->also[2];
}

static void *work(void *arg)
{
	struct worker *w = arg;

	while (!stop) {
		int rc = w->op->run(&w->seed);

		if (!may_answer(w->op, rc))
			tap_fail(__FILE__, __LINE__, "%s gave %s: %s", w->op->name,
				 tap_errno(rc), iommufd_last_reason(fd));
		w->rounds++;
		w->done += rc >= 0;
	}
	return NULL;
}

static void set_up(void)
{
	unsigned int seed = 1;
	struct mockdev m;
	struct space s;
	uint32_t id;

	mock_open(&s);
	fd = s.fd;
	ioas = s.ioas;
	OK(iofd_map_at(fd, ioas, mem, MEM / 2, APERTURE));
	OK(iofd_map_at(fd, ioas, mem, MEM / 2, APERTURE + MEM / 2));
	OK(mock_device(fd, ioas, 0, &m));
	stdev = m.stdev;
	idev = m.idev;
	OK(iofd_hwpt(fd, m.idev, ioas, IOMMU_HWPT_ALLOC_NEST_PARENT, &parent));
	viommu = vdevice = nested = queue = 0;
	OK(op_viommu(&seed));
	OK(mock_queue(fd, viommu, 0, APERTURE, 64, &id));
	queue = id;
}

/* Each round takes what nothing depends on any more. */
static void tear_down(const char *a, const char *b, long long pinned)
{
	int round, left = 0;
	uint32_t id;

	for (round = 0; round < 8; round++)
		for (id = 1; id < 4096; id++)
			if (iofd_destroy(fd, id) == -EBUSY)
				left = round;
	if (iofd_objects(fd, NULL))
		tap_fail(__FILE__, __LINE__, "%s, %s: %d objects cannot be destroyed after %d rounds",
			 a, b, iofd_objects(fd, NULL), left);
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

	set_up();
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
	CHECK(mem);
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
			.seconds = 120,
			.arg = &operations[i],
		};
	return mock_run(argc, argv, tests, COUNT);
}

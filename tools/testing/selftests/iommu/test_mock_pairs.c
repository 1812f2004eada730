// SPDX-License-Identifier: GPL-2.0
/* A VM's objects on the mock, each operation against each. */
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mem.h"
#include "mock_viommu.h"
#include "pairs.h"

#define PAGE 4096UL
#define MEM (16 * PAGE)
#define ROOM (2 * PAGE)

static int fd;
static char *mem;
static uint32_t ioas, parent;
/* of whatever there is of each kind the latest; an id may be stale */
static _Atomic uint32_t stdev, idev, viommu, vdevice, nested, queue;
static _Atomic uint64_t region;

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

static const struct pairs_op operations[] = {
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

static void set_up(int devices)
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

static const struct pairs pairs = {
	.ops = operations,
	.count = sizeof(operations) / sizeof(operations[0]),
	.mock = true,
	.also = { -EINVAL },
	.set_up = set_up,
	.fd = &fd,
	.mem = &mem,
	.size = MEM,
};

int main(int argc, char **argv)
{
	return pairs_run(argc, argv, &pairs);
}

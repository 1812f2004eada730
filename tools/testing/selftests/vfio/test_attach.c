// SPDX-License-Identifier: GPL-2.0
/* ATTACH and DETACH, and what a real device reaches meanwhile. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common.h"
#include "legacy.h"
#include "mem.h"

#define ATTACH VFIO_DEVICE_ATTACH_IOMMUFD_PT
#define DETACH VFIO_DEVICE_DETACH_IOMMUFD_PT

static int attach_arg(int fd, uint32_t argsz, uint32_t flags, uint32_t pt, uint32_t pasid)
{
	struct vfio_cdev_attach_iommufd_pt a = { argsz, flags, pt, pasid };

	return iofd_ioctl(fd, ATTACH, &a);
}

static int detach_arg(int fd, uint32_t argsz, uint32_t flags, uint32_t pasid)
{
	struct vfio_cdev_detach_iommufd_pt d = { argsz, flags, pasid };

	return iofd_ioctl(fd, DETACH, &d);
}

static void arguments(void)
{
	int iommufd = OK(iofd_open());
	struct vfio_cdev_attach_iommufd_pt *p;
	struct {
		struct vfio_cdev_attach_iommufd_pt a;
		uint32_t more;
	} longer = {};
	uint32_t ioas;
	struct vdev v;

	want_vfio_cdev();
	want_bound(&v, PCI_EDU, 0, iommufd);
	OK(iofd_ioas(iommufd, &ioas));
	REFUSED(v.fd, ATTACH, attach_arg(v.fd, 0, 0, ioas, 0), -EINVAL);
	REFUSED(v.fd, ATTACH, attach_arg(v.fd, 11, 0, ioas, 0), -EINVAL);
	REFUSED(v.fd, ATTACH, attach_arg(v.fd, 16, 2, ioas, 0), -EINVAL);
	REFUSED(v.fd, ATTACH, attach_arg(v.fd, 16, ~0U, ioas, 0), -EINVAL);
	REFUSED(v.fd, ATTACH, attach_arg(v.fd, 12, VFIO_DEVICE_ATTACH_PASID, ioas, 0), -EINVAL);
	REFUSED(v.fd, ATTACH, attach_arg(v.fd, 16, VFIO_DEVICE_ATTACH_PASID, ioas, 1), -EINVAL);
	REFUSED(v.fd, ATTACH, attach_arg(v.fd, 8192, 0, ioas, 0), -E2BIG);
	longer.a.argsz = sizeof(longer);
	longer.a.pt_id = ioas;
	longer.more = 1;
	REFUSED(v.fd, ATTACH, iofd_ioctl(v.fd, ATTACH, &longer), -E2BIG);
	REFUSED(v.fd, ATTACH, attach_arg(v.fd, 12, 0, 0, 0), -ENOENT);
	REFUSED(v.fd, ATTACH, attach_arg(v.fd, 12, 0, 12345, 0), -ENOENT);
	REFUSED(v.fd, ATTACH, attach_arg(v.fd, 12, 0, ~0U, 0), -ENOENT);
	REFUSED(v.fd, ATTACH, attach_arg(v.fd, 12, 0, v.id, 0), -EINVAL);
	REFUSED(v.fd, ATTACH, iofd_ioctl(v.fd, ATTACH, NULL), -EFAULT);
	p = edge(8);
	p->argsz = 12;
	p->flags = 0;
	REFUSED(v.fd, ATTACH, iofd_ioctl(v.fd, ATTACH, p), -EFAULT);

	REFUSED(v.fd, DETACH, detach_arg(v.fd, 0, 0, 0), -EINVAL);
	REFUSED(v.fd, DETACH, detach_arg(v.fd, 7, 0, 0), -EINVAL);
	REFUSED(v.fd, DETACH, detach_arg(v.fd, 12, 2, 0), -EINVAL);
	REFUSED(v.fd, DETACH, detach_arg(v.fd, 8, VFIO_DEVICE_DETACH_PASID, 0), -EINVAL);
	OK(detach_arg(v.fd, 12, VFIO_DEVICE_DETACH_PASID, 1));
	REFUSED(v.fd, DETACH, iofd_ioctl(v.fd, DETACH, NULL), -EFAULT);

	CHECK_EQ(iofd_objects(iommufd, "hwpt"), 0);
	OK(attach_arg(v.fd, 12, 0, ioas, 0));
	OK(detach_arg(v.fd, 8, 0, 0));
	OK(detach_arg(v.fd, 12, 0, 7));
}

/* The id of the table cannot be handed out: nothing may have changed. */
static void no_way_out(void)
{
	int fd = OK(mem_file(PAGE, 0)), iommufd = OK(iofd_open());
	struct vfio_cdev_attach_iommufd_pt *rw, *ro;
	uint32_t ioas, pt;
	struct vdev v;
	char text[32];

	want_vfio_cdev();
	rw = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ro = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(rw != MAP_FAILED && ro != MAP_FAILED);
	want_bound(&v, PCI_EDU, 0, iommufd);
	OK(iofd_ioas(iommufd, &ioas));
	*rw = (struct vfio_cdev_attach_iommufd_pt){ .argsz = 12, .pt_id = ioas };
	REFUSED(v.fd, ATTACH, iofd_ioctl(v.fd, ATTACH, ro), -EFAULT);
	CHECK_EQ(iofd_objects(iommufd, "hwpt"), 0);
	CHECK(fdinfo(v.fd, "iommufd-pt", text, sizeof(text)));
	CHECK(!strcmp(text, "none"));

	pt = ioas;
	OK(vdev_attach(&v, &pt));
	REFUSED(v.fd, ATTACH, iofd_ioctl(v.fd, ATTACH, ro), -EFAULT);
	CHECK(fdinfo(v.fd, "iommufd-pt", text, sizeof(text)));
	CHECK_EQ(atoi(text), pt);
}

static void ids(void)
{
	uint32_t ioas, other, hwpt, pt, first;
	int iommufd = OK(iofd_open());
	struct vdev v;

	want_bound(&v, PCI_EDU, 0, iommufd);
	OK(iofd_ioas(iommufd, &ioas));
	OK(iofd_ioas(iommufd, &other));
	pt = ioas;
	OK(vdev_attach(&v, &pt));
	CHECK(pt != ioas && pt != other && pt != v.id && pt);
	first = pt;
	/* once more the same IOAS: the same table */
	pt = ioas;
	OK(vdev_attach(&v, &pt));
	CHECK_EQ(pt, first);
	CHECK_EQ(iofd_objects(iommufd, "hwpt"), 1);

	/* another IOAS: the table of the first goes, being nobody's */
	pt = other;
	OK(vdev_attach(&v, &pt));
	CHECK(pt != first);
	CHECK_EQ(iofd_objects(iommufd, "hwpt"), 1);

	OK(iofd_hwpt(iommufd, v.id, ioas, 0, &hwpt));
	pt = hwpt;
	OK(vdev_attach(&v, &pt));
	CHECK_EQ(pt, hwpt);
	ERR(iofd_destroy(iommufd, hwpt), -EBUSY);
	ERR(iofd_destroy(iommufd, ioas), -EBUSY);
	/* a failed ATTACH leaves the one that works */
	pt = v.id;
	REFUSED(v.fd, ATTACH, vdev_attach(&v, &pt), -EINVAL);
	ERR(iofd_destroy(iommufd, hwpt), -EBUSY);
	OK(vdev_detach(&v));
	OK(vdev_detach(&v));
	OK(iofd_destroy(iommufd, hwpt));
	OK(iofd_destroy(iommufd, ioas));
	OK(iofd_destroy(iommufd, other));
	/* the device cannot be destroyed as long as its file is open */
	ERR(iofd_destroy(iommufd, v.id), -EBUSY);
}

static void another_context(void)
{
	int mine = OK(iofd_open()), theirs = OK(iofd_open());
	uint32_t ioas, pad, pt;
	struct vdev v;

	want_bound(&v, PCI_EDU, 0, mine);
	OK(iofd_ioas(theirs, &pad));
	OK(iofd_ioas(theirs, &pad));
	OK(iofd_ioas(theirs, &ioas));
	pt = ioas;
	REFUSED(v.fd, ATTACH, vdev_attach(&v, &pt), -ENOENT);
}

/* What the device reaches, through an IOAS or a table made for it. */
static void dma(bool own_hwpt)
{
	int iommufd = OK(iofd_open());
	void *rw = mem_anon(PAGE), *ro = mem_anon(PAGE);
	uint64_t at = IOVA + PAGE;
	uint32_t ioas, table, pt;
	struct vdev v;
	struct edu e;

	CHECK(rw && ro);
	want_bound(&v, PCI_EDU, 0, iommufd);
	OK(edu_init(&e, &v));
	OK(iofd_ioas(iommufd, &ioas));
	OK(iofd_map_at(iommufd, ioas, rw, PAGE, IOVA));
	table = ioas;
	if (own_hwpt)
		OK(iofd_hwpt(iommufd, v.id, ioas, 0, &table));
	pt = table;

#ifdef __aarch64__
	/* an SMMUv3 does not tell of streams that are switched off */
	HOLDS(dma_write_refused(&e, IOVA, rw));
#else
	HOLDS(dma_write_faults(&e, IOVA, rw));
#endif
	OK(vdev_attach(&v, &pt));
	HOLDS(dma_works(&e, IOVA, rw, 1));
	/*
	 * Mapped while attached, and for reading only. Write first: once it has
	 * the translation, QEMU refuses without reporting a fault.
	 */
	OK(iofd_map(iommufd, ioas, ro, PAGE, &at, IOFD_FIXED_R));
	HOLDS(dma_write_faults(&e, IOVA + PAGE, ro));
	OK(edu_read(&e, IOVA + PAGE, 0, PAGE));
	OK(edu_write(&e, IOVA, 0, PAGE));
	CHECK(mem_holds(rw, PAGE, 78));
	HOLDS(dma_write_refused(&e, IOVA + PAGE, ro));
	HOLDS(dma_read_faults(&e, IOVA + 2 * PAGE));
	OK(iofd_unmap(iommufd, ioas, IOVA, PAGE, NULL));
	HOLDS(dma_write_faults(&e, IOVA, rw));
	OK(iofd_map_at(iommufd, ioas, rw, PAGE, IOVA));
	HOLDS(dma_works(&e, IOVA, rw, 2));
	OK(vdev_detach(&v));
	HOLDS(dma_write_refused(&e, IOVA, rw));
	pt = table;
	OK(vdev_attach(&v, &pt));
	HOLDS(dma_works(&e, IOVA, rw, 3));
}

static void dma_ioas(void)
{
	dma(false);
}

static void dma_hwpt(void)
{
	dma(true);
}

static void dma_replace(void)
{
	int iommufd = OK(iofd_open());
	void *one = mem_anon(PAGE), *two = mem_anon(PAGE);
	uint32_t first, second, pt;
	struct vdev v;
	struct edu e;

	want_bound(&v, PCI_EDU, 0, iommufd);
	OK(edu_init(&e, &v));
	OK(iofd_ioas(iommufd, &first));
	OK(iofd_ioas(iommufd, &second));
	OK(iofd_map_at(iommufd, first, one, PAGE, IOVA));
	OK(iofd_map_at(iommufd, second, two, PAGE, IOVA));
	pt = first;
	OK(vdev_attach(&v, &pt));
	mem_fill(two, PAGE, 5);
	HOLDS(dma_works(&e, IOVA, one, 4));
	CHECK(mem_holds(two, PAGE, 5));
	pt = second;
	OK(vdev_attach(&v, &pt));
	mem_fill(one, PAGE, 6);
	HOLDS(dma_works(&e, IOVA, two, 7));
	CHECK(mem_holds(one, PAGE, 6));
}

/* Closing turns the device off and takes its table away, then its memory. */
static void dma_close(void)
{
	int iommufd = OK(iofd_open());
	void *rw = mem_anon(PAGE);
	uint32_t ioas, pt;
	struct vdev v;
	struct edu e;
	uint16_t command;

	want_bound(&v, PCI_EDU, 0, iommufd);
	OK(edu_init(&e, &v));
	OK(iofd_ioas(iommufd, &ioas));
	OK(iofd_map_at(iommufd, ioas, rw, PAGE, IOVA));
	pt = ioas;
	OK(vdev_attach(&v, &pt));
	HOLDS(dma_works(&e, IOVA, rw, 8));
	mem_fill(rw, PAGE, 9);
	/* the transfer takes 0.1 s to begin: it meets a closed device */
	edu_start(&e, IOVA, 0, 64, true);
	edu_fini(&e);
	vdev_close(&v);
	CHECK_EQ(iofd_objects(iommufd, "hwpt"), 0);
	CHECK_EQ(iofd_objects(iommufd, "device"), 0);
	OK(iofd_destroy(iommufd, ioas));
	usleep(300000);
	CHECK(mem_holds(rw, PAGE, 9));

	OK(vdev_open(&v));
	OK(vdev_bind(&v, iommufd));
	OK(vdev_config_read(&v, 4, &command, sizeof(command)));
	CHECK_EQ(command & 4, 0);
}

static void two_devices(void)
{
	int iommufd = OK(iofd_open());
	void *rw = mem_anon(PAGE);
	uint32_t ioas, pt;
	struct vdev v, w;
	struct edu e, f;

	want_bound(&v, PCI_EDU, 0, iommufd);
	want_bound(&w, PCI_EDU, 1, iommufd);
	if (pci_group(v.bdf) == pci_group(w.bdf))
		tap_skip("they are in one group");
	OK(edu_init(&e, &v));
	OK(edu_init(&f, &w));
	OK(iofd_ioas(iommufd, &ioas));
	pt = ioas;
	OK(vdev_attach(&v, &pt));
	OK(iofd_map_at(iommufd, ioas, rw, PAGE, IOVA));
	HOLDS(dma_works(&e, IOVA, rw, 10));
	HOLDS(dma_write_refused(&f, IOVA, rw));
	/* the second one is filled from what is there */
	pt = ioas;
	OK(vdev_attach(&w, &pt));
	HOLDS(dma_works(&f, IOVA, rw, 11));
	OK(vdev_detach(&v));
	HOLDS(dma_write_refused(&e, IOVA, rw));
	HOLDS(dma_works(&f, IOVA, rw, 12));
	vdev_close(&v);
	HOLDS(dma_works(&f, IOVA, rw, 13));
}

/*
 * Two devices whose traffic the IOMMU cannot tell apart. They go to one
 * context and one table; the table is there as long as one of them is.
 */
static void group_of_two(void)
{
	int iommufd = OK(iofd_open()), theirs = OK(iofd_open());
	uint32_t ioas, other, pt;
	void *rw = mem_anon(PAGE);
	struct vdev a, b;
	struct edu e, f;

	want_pair(&a, &b);
	want_legacy_dma(&a);
	OK(vdev_open(&a));
	OK(vdev_open(&b));
	OK(vdev_bind(&a, iommufd));
	REFUSED(b.fd, VFIO_DEVICE_BIND_IOMMUFD, vdev_bind(&b, theirs), -EPERM);
	OK(vdev_bind(&b, iommufd));
	CHECK(a.id != b.id);
	OK(edu_init(&e, &a));
	OK(edu_init(&f, &b));

	OK(iofd_ioas(iommufd, &ioas));
	OK(iofd_ioas(iommufd, &other));
	OK(iofd_map_at(iommufd, ioas, rw, PAGE, IOVA));
	pt = ioas;
	OK(vdev_attach(&a, &pt));
	HOLDS(dma_works(&e, IOVA, rw, 14));
	pt = other;
	REFUSED(b.fd, ATTACH, vdev_attach(&b, &pt), -EINVAL);
	pt = ioas;
	OK(vdev_attach(&b, &pt));
	HOLDS(dma_works(&f, IOVA, rw, 15));
	HOLDS(dma_works(&e, IOVA, rw, 16));

	OK(vdev_detach(&a));
	HOLDS(dma_works(&f, IOVA, rw, 17));
	OK(vdev_detach(&b));
	mem_fill(rw, PAGE, 18);
	OK(edu_write(&f, IOVA, 0, 64));
	OK(edu_write(&e, IOVA, 0, 64));
	CHECK(mem_holds(rw, PAGE, 18));

	/* one is closed, the other goes on; the group is still ours */
	pt = ioas;
	OK(vdev_attach(&b, &pt));
	edu_fini(&e);
	vdev_close(&a);
	HOLDS(dma_works(&f, IOVA, rw, 19));
	OK(vdev_open(&a));
	REFUSED(a.fd, VFIO_DEVICE_BIND_IOMMUFD, vdev_bind(&a, theirs), -EPERM);
	edu_fini(&f);
	vdev_close(&b);
	OK(vdev_bind(&a, theirs));
}

struct loop {
	struct vdev v;
	uint32_t pts[2];
	volatile int stop;
	int bad;
};

static void *attach_loop(void *arg)
{
	struct loop *l = arg;
	unsigned int i;

	for (i = 0; !l->stop; i++) {
		uint32_t pt = l->pts[i % 2];
		int rc = i % 3 == 2 ? vdev_detach(&l->v) : vdev_attach(&l->v, &pt);

		if (rc)
			l->bad = rc;
	}
	return NULL;
}

static void race_attach(void)
{
	int iommufd = OK(iofd_open());
	struct loop l = {};
	pthread_t t[2];
	int i;

	want_bound(&l.v, PCI_EDU, 0, iommufd);
	OK(iofd_ioas(iommufd, &l.pts[0]));
	OK(iofd_ioas(iommufd, &l.pts[1]));
	for (i = 0; i < 2; i++)
		CHECK(!pthread_create(&t[i], NULL, attach_loop, &l));
	sleep(3);
	l.stop = 1;
	for (i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	ERR(l.bad, 0);
	OK(vdev_detach(&l.v));
	CHECK_EQ(iofd_objects(iommufd, "hwpt"), 0);
}

static void *attach_until_closed(void *arg)
{
	struct loop *l = arg;
	uint32_t pt;

	do
		pt = l->pts[0];
	while (vdev_attach(&l->v, &pt) != -EBADF);
	return NULL;
}

static void race_close(void)
{
	int i, iommufd = OK(iofd_open());
	struct loop l = {};
	struct vdev v;

	want_device(&v, PCI_EDU, 0);
	OK(iofd_ioas(iommufd, &l.pts[0]));
	for (i = 0; i < 30; i++) {
		pthread_t t;

		OK(vdev_open(&v));
		OK(vdev_bind(&v, iommufd));
		l.v = v;
		CHECK(!pthread_create(&t, NULL, attach_until_closed, &l));
		usleep(i * 100);
		vdev_close(&v);
		pthread_join(t, NULL);
		CHECK_EQ(iofd_objects(iommufd, "device"), 0);
		CHECK_EQ(iofd_objects(iommufd, "hwpt"), 0);
	}
}

static const struct tap_test tests[] = {
	{ "arguments of ATTACH and DETACH", arguments },
	{ "ATTACH that cannot return its id changes nothing", no_way_out },
	{ "ids of IOAS and HWPT, replace and what is in use", ids },
	{ "tables of another iommufd do not exist", another_context },
	{ "edu through an IOAS: what is mapped, and nothing else", dma_ioas, 90 },
	{ "edu through an HWPT: what is mapped, and nothing else", dma_hwpt, 90 },
	{ "edu after a replace sees the other memory", dma_replace, 60 },
	{ "close stops the device before its memory goes", dma_close, 60 },
	{ "two devices, two groups, one IOAS", two_devices, 60 },
	{ "two devices of one group", group_of_two, 90 },
	{ "two threads attach and detach one file", race_attach, 60 },
	{ "ATTACH against close", race_close, 60 },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

// SPDX-License-Identifier: GPL-2.0
/* VFIO_DEVICE_BIND_IOMMUFD: who may, how often, and what is refused. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"
#include "mem.h"

static int bind_arg(int fd, uint32_t argsz, uint32_t flags, int iommufd)
{
	struct vfio_cdev_bind_iommufd b = {
		.argsz = argsz, .flags = flags, .iommufd = iommufd,
	};

	return iofd_ioctl(fd, VFIO_DEVICE_BIND_IOMMUFD, &b);
}

static void before_bind(void)
{
	static const unsigned int cmds[] = {
		VFIO_DEVICE_GET_INFO, VFIO_DEVICE_GET_REGION_INFO,
		VFIO_DEVICE_GET_IRQ_INFO, VFIO_DEVICE_SET_IRQS, VFIO_DEVICE_RESET,
		VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, VFIO_DEVICE_PCI_HOT_RESET,
		VFIO_DEVICE_IOEVENTFD, VFIO_DEVICE_FEATURE,
		VFIO_DEVICE_ATTACH_IOMMUFD_PT, VFIO_DEVICE_DETACH_IOMMUFD_PT,
		_IO(VFIO_TYPE, 0xff), 0,
	};
	uint32_t arg[64] = { sizeof(arg) };
	struct vdev v;
	unsigned int i;

	want_device(&v, PCI_EDU, 0);
	OK(vdev_open(&v));
	for (i = 0; i < sizeof(cmds) / sizeof(cmds[0]); i++)
		REFUSED(v.fd, cmds[i], iofd_ioctl(v.fd, cmds[i], arg), -EINVAL);
	REFUSED(v.fd, 0, peek(&v, VFIO_PCI_CONFIG_REGION_INDEX, 0, arg, 4), -EINVAL);
	REFUSED(v.fd, 0, poke(&v, VFIO_PCI_CONFIG_REGION_INDEX, 0, arg, 4), -EINVAL);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, v.fd, 0) == MAP_FAILED);
	REFUSED(v.fd, 0, -errno, -EINVAL);
}

static void arguments(void)
{
	struct {
		struct vfio_cdev_bind_iommufd b;
		uint32_t more[2];
	} longer = { .b.argsz = sizeof(longer) };
	struct vfio_cdev_bind_iommufd b, *p;
	int iommufd = OK(iofd_open());
	unsigned int cmd = VFIO_DEVICE_BIND_IOMMUFD;
	int other = open("/dev/null", O_RDWR);
	uint32_t ioas;
	struct vdev v;

	want_vfio_cdev();
	want_device(&v, PCI_EDU, 0);
	OK(vdev_open(&v));
	REFUSED(v.fd, cmd, bind_arg(v.fd, 0, 0, iommufd), -EINVAL);
	REFUSED(v.fd, cmd, bind_arg(v.fd, 15, 0, iommufd), -EINVAL);
	REFUSED(v.fd, cmd, bind_arg(v.fd, sizeof(b), 2, iommufd), -EINVAL);
	REFUSED(v.fd, cmd, bind_arg(v.fd, sizeof(b), ~0U, iommufd), -EINVAL);
	REFUSED(v.fd, cmd, bind_arg(v.fd, 16, VFIO_DEVICE_BIND_FLAG_TOKEN, iommufd), -EINVAL);
	REFUSED(v.fd, cmd, bind_arg(v.fd, ~0U, 0, iommufd), -E2BIG);
	REFUSED(v.fd, cmd, bind_arg(v.fd, sizeof(b), 0, -1), -EINVAL);
	REFUSED(v.fd, cmd, bind_arg(v.fd, sizeof(b), 0, 1000), -EBADF);
	REFUSED(v.fd, cmd, bind_arg(v.fd, sizeof(b), 0, other), -EBADFD);
	REFUSED(v.fd, cmd, bind_arg(v.fd, sizeof(b), 0, v.fd), -EBADFD);

	longer.b.iommufd = iommufd;
	longer.more[1] = 1;
	REFUSED(v.fd, cmd, iofd_ioctl(v.fd, cmd, &longer), -E2BIG);

	REFUSED(v.fd, cmd, iofd_ioctl(v.fd, cmd, NULL), -EFAULT);
	REFUSED(v.fd, cmd, iofd_ioctl(v.fd, cmd, (void *)~0xfffUL), -EFAULT);
	p = edge(8);
	p->argsz = 16;
	p->flags = 0;
	REFUSED(v.fd, cmd, iofd_ioctl(v.fd, cmd, p), -EFAULT);

	/* a device that needs no token gets one; one that cannot be read */
	memset(&b, 0, sizeof(b));
	b.argsz = sizeof(b);
	b.flags = VFIO_DEVICE_BIND_FLAG_TOKEN;
	b.iommufd = iommufd;
	b.token_uuid_ptr = (uintptr_t)&longer;
	REFUSED(v.fd, cmd, iofd_ioctl(v.fd, cmd, &b), -EINVAL);
	b.token_uuid_ptr = ~0ULL;
	REFUSED(v.fd, cmd, iofd_ioctl(v.fd, cmd, &b), -EFAULT);
	b.token_uuid_ptr = 0;
	REFUSED(v.fd, cmd, iofd_ioctl(v.fd, cmd, &b), -EFAULT);

	/* all that left nothing behind */
	CHECK_EQ(iofd_objects(iommufd, "device"), 0);
	OK(iofd_ioas(iommufd, &ioas));
	longer.more[1] = 0;
	OK(iofd_ioctl(v.fd, cmd, &longer));
	CHECK(longer.b.out_devid);
	CHECK_EQ(iofd_objects(iommufd, "device"), 1);
	REFUSED(v.fd, cmd, bind_arg(v.fd, sizeof(b), 0, iommufd), -EINVAL);

	/* the smallest argument there is */
	vdev_close(&v);
	CHECK_EQ(iofd_objects(iommufd, "device"), 0);
	OK(vdev_open(&v));
	p = edge(16);
	p->argsz = 16;
	p->flags = 0;
	p->iommufd = iommufd;
	OK(iofd_ioctl(v.fd, cmd, p));
}

/* The id cannot be handed out: the device must not stay bound. */
static void no_way_out(void)
{
	int fd = OK(mem_file(PAGE, 0)), iommufd = OK(iofd_open());
	struct vfio_cdev_bind_iommufd *rw, *ro;
	struct vdev v;

	rw = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ro = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(rw != MAP_FAILED && ro != MAP_FAILED);
	memset(rw, 0, sizeof(*rw));
	rw->argsz = 16;
	rw->iommufd = iommufd;

	want_device(&v, PCI_EDU, 0);
	OK(vdev_open(&v));
	REFUSED(v.fd, VFIO_DEVICE_BIND_IOMMUFD,
		iofd_ioctl(v.fd, VFIO_DEVICE_BIND_IOMMUFD, ro), -EFAULT);
	CHECK_EQ(iofd_objects(iommufd, "device"), 0);
	REFUSED(v.fd, VFIO_DEVICE_GET_INFO,
		iofd_ioctl(v.fd, VFIO_DEVICE_GET_INFO, rw), -EINVAL);
	OK(iofd_ioctl(v.fd, VFIO_DEVICE_BIND_IOMMUFD, rw));
}

static void double_open(void)
{
	int iommufd = OK(iofd_open());
	struct vdev v, w;

	want_bound(&v, PCI_EDU, 0, iommufd);
	w = v;
	OK(vdev_open(&w));
	REFUSED(w.fd, VFIO_DEVICE_BIND_IOMMUFD, vdev_bind(&w, iommufd), -EINVAL);
	REFUSED(w.fd, VFIO_DEVICE_BIND_IOMMUFD, vdev_bind(&w, OK(iofd_open())), -EINVAL);
	vdev_close(&v);
	OK(vdev_bind(&w, iommufd));
}

static void second_process(void)
{
	int status, iommufd = OK(iofd_open());
	struct vdev v;
	pid_t child;

	want_bound(&v, PCI_EDU, 0, iommufd);
	child = fork();
	CHECK(child >= 0);
	if (!child) {
		struct vdev w = v;

		close(v.fd);
		close(iommufd);
		OK(vdev_open(&w));
		iommufd = OK(iofd_open());
		REFUSED(w.fd, VFIO_DEVICE_BIND_IOMMUFD, vdev_bind(&w, iommufd), -EINVAL);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
}

/* A file that is inherited is one file: it is closed when both have. */
static void inherited(void)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	int iommufd = OK(iofd_open()), pipefd[2], status;
	struct vdev v, w;
	char byte;
	pid_t child;

	want_bound(&v, PCI_EDU, 0, iommufd);
	CHECK(!pipe(pipefd));
	child = fork();
	CHECK(child >= 0);
	if (!child) {
		close(pipefd[1]);
		CHECK(read(pipefd[0], &byte, 1) == 0);
		OK(iofd_ioctl(v.fd, VFIO_DEVICE_GET_INFO, &info));
		_exit(0);
	}
	close(pipefd[0]);
	w = v;
	vdev_close(&v);
	OK(vdev_open(&w));
	REFUSED(w.fd, VFIO_DEVICE_BIND_IOMMUFD, vdev_bind(&w, iommufd), -EINVAL);
	close(pipefd[1]);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
	OK(vdev_bind(&w, iommufd));
}

static void killed(void)
{
	int iommufd, pipefd[2], status;
	char byte;
	struct vdev v;
	pid_t child;

	want_device(&v, PCI_EDU, 0);
	CHECK(!pipe(pipefd));
	child = fork();
	CHECK(child >= 0);
	if (!child) {
		uint32_t ioas, pt;

		iommufd = OK(iofd_open());
		OK(vdev_open(&v));
		OK(vdev_bind(&v, iommufd));
		OK(iofd_ioas(iommufd, &ioas));
		pt = ioas;
		OK(vdev_attach(&v, &pt));
		OK(iofd_map_at(iommufd, ioas, mem_anon(64 * PAGE), 64 * PAGE, IOVA));
		CHECK(write(pipefd[1], "", 1) == 1);
		pause();
		_exit(1);
	}
	close(pipefd[1]);
	CHECK(read(pipefd[0], &byte, 1) == 1);
	CHECK(!kill(child, SIGKILL));
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFSIGNALED(status));
	iommufd = OK(iofd_open());
	OK(vdev_open(&v));
	OK(vdev_bind(&v, iommufd));
}

static void context_closed_first(void)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	int iommufd = OK(iofd_open());
	struct vdev v;

	want_bound(&v, PCI_EDU, 0, iommufd);
	close(iommufd);
	OK(iofd_ioctl(v.fd, VFIO_DEVICE_GET_INFO, &info));
	CHECK_EQ(info.num_regions, VFIO_PCI_NUM_REGIONS);
	vdev_close(&v);
	iommufd = OK(iofd_open());
	OK(vdev_open(&v));
	OK(vdev_bind(&v, iommufd));
}

static void says_what_it_is(void)
{
	int iommufd = OK(iofd_open());
	char text[256], want[32];
	uint32_t ioas, pt;
	struct vdev v;

	want_vfio_cdev();
	want_device(&v, PCI_EDU, 0);
	OK(vdev_open(&v));
	CHECK(fdinfo(v.fd, "vfio-device", text, sizeof(text)));
	CHECK(strstr(text, v.bdf) && strstr(text, "vfio-pci"));
	CHECK(fdinfo(v.fd, "vfio-device-syspath", text, sizeof(text)));
	CHECK(!strncmp(text, "/sys/devices/", 13) && strstr(text, v.bdf));
	CHECK(fdinfo(v.fd, "iommufd-devid", text, sizeof(text)));
	CHECK(!strcmp(text, "none"));

	OK(vdev_bind(&v, iommufd));
	snprintf(want, sizeof(want), "%u", v.id);
	CHECK(fdinfo(v.fd, "iommufd-devid", text, sizeof(text)));
	CHECK(!strcmp(text, want));
	CHECK(fdinfo(v.fd, "iommufd-pt", text, sizeof(text)));
	CHECK(!strcmp(text, "none"));

	OK(iofd_ioas(iommufd, &ioas));
	pt = ioas;
	OK(vdev_attach(&v, &pt));
	snprintf(want, sizeof(want), "%u", pt);
	CHECK(fdinfo(v.fd, "iommufd-pt", text, sizeof(text)));
	CHECK(!strcmp(text, want));
	OK(vdev_detach(&v));
	CHECK(fdinfo(v.fd, "iommufd-pt", text, sizeof(text)));
	CHECK(!strcmp(text, "none"));
}

struct racer {
	pthread_barrier_t *start;
	struct vdev *v;
	int iommufd;
	int rc;
};

static void *race_bind(void *arg)
{
	struct racer *r = arg;
	struct vdev own = *r->v;

	pthread_barrier_wait(r->start);
	r->rc = vdev_bind(&own, r->iommufd);
	return NULL;
}

/* Two threads, on one file or on one each: exactly one of them gets it. */
static void race(bool same_file, bool same_context)
{
	int contexts[2] = { OK(iofd_open()), 0 };
	struct vdev v[2];
	int i, j;

	contexts[1] = same_context ? contexts[0] : OK(iofd_open());
	want_device(&v[0], PCI_EDU, 0);
	for (i = 0; i < 40; i++) {
		pthread_barrier_t start;
		struct racer r[2];
		pthread_t t[2];

		OK(vdev_open(&v[0]));
		v[1] = v[0];
		if (!same_file)
			OK(vdev_open(&v[1]));
		pthread_barrier_init(&start, NULL, 2);
		for (j = 0; j < 2; j++) {
			r[j] = (struct racer){ &start, &v[j], contexts[j], 1 };
			CHECK(!pthread_create(&t[j], NULL, race_bind, &r[j]));
		}
		for (j = 0; j < 2; j++)
			pthread_join(t[j], NULL);
		if (!((!r[0].rc && r[1].rc == -EINVAL) || (r[0].rc == -EINVAL && !r[1].rc)))
			tap_fail(__FILE__, __LINE__, "round %d: %d and %d", i, r[0].rc, r[1].rc);
		CHECK_EQ(iofd_objects(contexts[0], "device") +
			 (same_context ? 0 : iofd_objects(contexts[1], "device")), 1);
		vdev_close(&v[0]);
		if (!same_file)
			vdev_close(&v[1]);
	}
	CHECK_EQ(iofd_objects(contexts[0], "device"), 0);
}

static void race_one_file(void)
{
	race(true, true);
}

static void race_one_file_two_contexts(void)
{
	race(true, false);
}

static void race_two_files(void)
{
	race(false, true);
}

static void *bind_once(void *arg)
{
	struct vdev own = *(struct vdev *)arg;

	vdev_bind(&own, own.id);
	return NULL;
}

/* The file is closed while another thread is in BIND: the last one lets go. */
static void race_close(void)
{
	int i, iommufd = OK(iofd_open());
	struct vdev v;

	want_device(&v, PCI_EDU, 0);
	for (i = 0; i < 40; i++) {
		pthread_t t;
		struct vdev own;

		OK(vdev_open(&v));
		own = v;
		own.id = iommufd;
		CHECK(!pthread_create(&t, NULL, bind_once, &own));
		usleep(i * 20);
		vdev_close(&v);
		pthread_join(t, NULL);
	}
	OK(vdev_open(&v));
	OK(vdev_bind(&v, iommufd));
	CHECK_EQ(iofd_objects(iommufd, "device"), 1);
}

static const struct tap_test tests[] = {
	{ "before BIND nothing works, and says so", before_bind },
	{ "arguments of BIND", arguments },
	{ "BIND that cannot return its id is undone", no_way_out },
	{ "a device that is bound cannot be bound again", double_open },
	{ "a second process is refused", second_process },
	{ "an inherited file is one file", inherited },
	{ "a killed process lets the device go", killed },
	{ "the iommufd is closed before the device", context_closed_first },
	{ "fdinfo tells device, id and table", says_what_it_is },
	{ "two threads BIND one file", race_one_file, 60 },
	{ "two threads BIND one file to two iommufds", race_one_file_two_contexts, 60 },
	{ "two files BIND one device", race_two_files, 60 },
	{ "BIND against close", race_close, 60 },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

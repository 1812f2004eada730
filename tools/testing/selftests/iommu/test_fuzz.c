// SPDX-License-Identifier: GPL-2.0
/*
 * Random sequences of commands, drawn from a grammar (fuzz.c): several threads
 * on several files and devices, with values that are sensible, nearly so, or
 * hostile. A round is made of a seed. Each answer has to be a documented one
 * with a sentence, and after a round nothing is left.
 *
 *	iommu-fuzz [--seconds N] [--seed S] [--threads N] [--steps N]
 *		   [--round R] [--replay]
 *
 * Without arguments it is a test of as many seconds as the kernel's command
 * line says (iommu_fuzz=N). --round runs one round of the seed, --replay prints
 * what it does, step by step. Rounds of one thread repeat exactly, and every
 * other round has but one.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <getopt.h>
#include <linux/capability.h>
#include <linux/vfio_cdev.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ext.h"
#include "fuzz.h"
#include "mem.h"
#include "mock.h"

#define PAGE	4096UL
/* Where memory lies, the same in each run. */
#define MEM	((char *)0x100000000000UL)
#define MEM_SIZE (4 * MIB)
#define BUFFER	((char *)0x110000000000UL)
#define BUFFER_SIZE (64 * PAGE)
#define CLOSED	((char *)0x120000000000UL)
#define READ_ONLY ((char *)0x130000000000UL)

#define FILES	3	/* of /dev/iommu */
#define DEVICES	2
#define IDS	16	/* remembered of each type */
#define TEMPS	8	/* descriptors that commands gave */
#define QUEUES	6	/* of those, what events are read from */

static struct {
	unsigned long seconds, threads, steps;
	unsigned long long seed;
	long round;
	bool replay;
} options = { .seconds = 15, .threads = 3, .steps = 1200, .round = -1 };

static bool mock;
static long round_now;
static long long pinned;	/* before the first round */

struct pool {
	int fd;
	/* lost updates of a racing thread only make an id less or more likely */
	uint32_t ids[T_TYPES][IDS];
};

static struct pool pools[FILES];
static struct vdev devices[DEVICES];
static int maps[2], temps[TEMPS], queues[QUEUES];

struct thread {
	unsigned long long state;
	unsigned int number, step;
	unsigned long good;
	pthread_t thread;
};

static uint32_t rnd(struct thread *t)
{
	t->state ^= t->state << 13;
	t->state ^= t->state >> 7;
	t->state ^= t->state << 17;
	return t->state >> 16;
}

static bool one_in(struct thread *t, unsigned int n)
{
	return rnd(t) % n == 0;
}

static unsigned long long mix(unsigned long long x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return (x ^ (x >> 31)) | 1;
}

/* --- values --- */

static uint64_t hostile(struct thread *t)
{
	switch (rnd(t) % 14) {
	case 0: return 0;
	case 1: return rnd(t) % 20;
	case 2: return ~0ULL - rnd(t) % 3;
	case 3: return 1ULL << rnd(t) % 64;
	case 4: return (1ULL << rnd(t) % 64) - 1;
	case 5: return (uintptr_t)MEM + rnd(t) % MEM_SIZE;
	case 6: return (uintptr_t)MEM + MEM_SIZE - rnd(t) % 64;
	case 7: return (uintptr_t)CLOSED;
	case 8: return (uintptr_t)READ_ONLY;
	case 9: return 0xffff888000000000ULL + (uint64_t)rnd(t) * 8;
	case 10: return MSI_FIRST - 2 * PAGE + rnd(t) % 4 * PAGE;
	case 11: return ~0ULL << rnd(t) % 64;
	case 12: return rnd(t);
	default: return (uint64_t)rnd(t) << 32 | rnd(t);
	}
}

static uint64_t some_id(struct thread *t, struct pool *p, unsigned int type)
{
	uint32_t *ids = p->ids[type], tries;

	for (tries = 0; tries < IDS; tries++) {
		uint32_t id = ids[rnd(t) % IDS];

		if (id)
			return id;
	}
	return type == T_ACCESS ? UINT32_MAX : 1 + rnd(t) % 12;
}

/* Real page tables have no half pages, and one such area keeps devices out. */
static bool whole_pages(struct thread *t, struct pool *p)
{
	return p == &pools[0] && !one_in(t, 32);
}

static uint64_t some_length(struct thread *t, struct pool *p)
{
	if (whole_pages(t, p))
		return one_in(t, 16) ? ~0ULL : (1 + rnd(t) % 40) * PAGE;
	switch (rnd(t) % 8) {
	case 0: return 2 * MIB;
	case 1: return rnd(t) % 9 * 2048;
	case 2: return rnd(t) % 20000;
	case 3: return ~0ULL;
	default: return (1 + rnd(t) % 40) * PAGE;
	}
}

static uint64_t some_iova(struct thread *t, struct pool *p)
{
	uint64_t at = rnd(t) % 128 * 8 * PAGE;

	if (whole_pages(t, p))
		return one_in(t, 8) ? GIB - 4 * PAGE + rnd(t) % 8 * PAGE : 32 * MIB + at;
	switch (rnd(t) % 8) {
	case 0: return 0;
	case 1: return 32 * MIB + at + rnd(t) % PAGE;
	case 2: return GIB - 4 * PAGE + rnd(t) % 8 * PAGE;
	case 3: return 32 * MIB + at + 2048;
	/* within what the mock translates, too */
	default: return 32 * MIB + at;
	}
}

static void some_ranges(struct thread *t)
{
	struct iommu_iova_range *r = (void *)(BUFFER + 32 * PAGE);
	uint64_t at = 0;
	int i;

	for (i = 0; i < 5; i++) {
		r[i].start = at + rnd(t) % 64 * MIB;
		r[i].last = r[i].start + (1 + rnd(t) % 64) * MIB - 1;
		at = r[i].last + 1;
		if (one_in(t, 20))
			r[i].last = hostile(t);
	}
}

static void some_windows(struct thread *t, struct pool *p)
{
	static const uint64_t places[] = { 0, 16 * MIB, 2 * GIB, 1ULL << 40, 1ULL << 59 };
	struct windows *w = (void *)(BUFFER + 48 * PAGE);
	int i;

	w->head = (struct iommu_ext_hwpt_windows){ 0 };
	for (i = 0; i < FUZZ_WINDOWS; i++)
		ext_want(w, places[rnd(t) % 5] + (one_in(t, 4) ? some_iova(t, p) : 0),
			 one_in(t, 4) ? some_length(t, p) : (1 + rnd(t) % 2048) * MIB,
			 one_in(t, 2) ? 0 : PAGE << rnd(t) % 12, rnd(t) % 3, rnd(t) % 2);
	if (one_in(t, 10))
		((uint32_t *)w)[rnd(t) % 20] = hostile(t);
}

static uint64_t some_file(struct thread *t)
{
	int fd;

	if (one_in(t, 2))
		return maps[rnd(t) % 2];
	fd = temps[rnd(t) % TEMPS];
	return fd ? fd : maps[0];
}

static uint64_t sensible(struct thread *t, struct pool *p, const struct fuzz_member *m)
{
	switch (m->kind) {
	case K_CONST: return m->param;
	case K_ID: return some_id(t, p, m->param);
	case K_PT: return some_id(t, p, one_in(t, 3) ? T_HWPT : T_IOAS);
	case K_ANY: return some_id(t, p, rnd(t) % T_ACCESS);
	case K_FLAGS: return m->param & (one_in(t, 4) ? rnd(t) : 7);
	case K_ENUM: return rnd(t) % m->param;
	case K_COUNT: return rnd(t) % (m->param + 1);
	case K_LENGTH: return some_length(t, p);
	case K_OFFSET: return rnd(t) % 128 * PAGE;
	case K_IOVA: return some_iova(t, p);
	case K_VA:
		return (uintptr_t)MEM + rnd(t) % 512 * PAGE +
		       (whole_pages(t, p) || one_in(t, 2) ? 0 : rnd(t) % PAGE);
	case K_PAGE_SIZE: return 512UL << rnd(t) % 8;
	case K_FILE: return some_file(t);
	case K_RANGES: some_ranges(t); return (uintptr_t)BUFFER + 32 * PAGE;
	case K_WINDOWS: some_windows(t, p); return (uintptr_t)BUFFER + 48 * PAGE;
	case K_BUFFER: return (uintptr_t)BUFFER + rnd(t) % 32 * 512;
	default: return 0;
	}
}

/* --- steps --- */

static void say(struct thread *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(struct thread *t, const char *fmt, ...)
{
	va_list args;

	if (!options.replay)
		return;
	printf("# %u.%u ", t->number, t->step);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	fflush(stdout);
}

static void fail(struct thread *t, const char *what, const char *wrong)
{
	tap_fail(__FILE__, __LINE__,
		 "step %u of thread %u: %s: %s\nagain: iommu-fuzz --seed 0x%llx --round %ld%s --replay",
		 t->step, t->number, what, wrong, options.seed, round_now,
		 round_now % 2 ? "" : " (one thread, repeats exactly)");
}

/* What the documentation knows of. */
static bool documented(int rc)
{
	static const int known[] = {
		EINVAL, ENOENT, EEXIST, EBUSY, EFAULT, EOPNOTSUPP, ENOTTY, E2BIG, EOVERFLOW,
		ENOSPC, EADDRINUSE, EMSGSIZE, EPERM, ENOMEM, ENODEV, EBADF, EBADFD, ENXIO,
		EIO, EBADE, EINTR,
	};
	unsigned int i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (rc == -known[i])
			return true;
	return false;
}

static void judge(struct thread *t, int fd, unsigned long request, const char *name, int rc)
{
	const char *wrong;

	if (rc >= 0) {
		t->good++;
		say(t, "    = %d\n", rc);
		return;
	}
	say(t, "    = %s: %s\n", tap_errno(rc), options.replay ? iommufd_last_reason(fd) : "");
	if (!documented(rc))
		fail(t, name, tap_errno(rc));
	/* the descriptor itself may have been closed by another thread */
	if (rc == -EBADF || (!options.replay && !one_in(t, 8)))
		return;
	iofd_forget(fd);
	wrong = iofd_refused(fd, request, rc, rc);
	if (wrong && fcntl(fd, F_GETFD) >= 0 && !(round_now % 2))
		fail(t, name, wrong);
}

/* Remember a descriptor instead of another one, which is closed. */
static void keep(struct thread *t, int *fds, unsigned int count, int fd)
{
	int i = rnd(t) % count;

	if (fds[i])
		close(fds[i]);
	fds[i] = fd;
}

static void learn(struct thread *t, struct pool *p, const struct fuzz_command *c,
		  const unsigned char *bytes, int rc)
{
	const struct fuzz_member *m;
	unsigned int at = 4;
	uint32_t v;

	for (m = c->members; m->name; at += m->size, m++) {
		memcpy(&v, bytes + at, sizeof(v));
		if (m->kind == K_OUT)
			p->ids[m->param][rnd(t) % IDS] = v;
		if (m->kind != K_OUT_FD)
			continue;
		/* of an access: the others find it by its number */
		if (strstr(c->name, "ACCESS"))
			p->ids[T_ACCESS][rnd(t) % IDS] = v;
		else
			keep(t, queues, QUEUES, v);
	}
	if (strstr(c->name, "DMABUF_GET"))
		keep(t, temps, TEMPS, rc);
}

static const struct fuzz_command *some_command(struct thread *t)
{
	static unsigned int total;
	unsigned int i, sum = 0, at;

	if (!total)
		for (i = 0; i < fuzz_command_count; i++)
			sum += fuzz_commands[i].weight;
	if (sum)
		total = sum;
	for (;;) {
		at = rnd(t) % total;
		for (i = 0; at >= fuzz_commands[i].weight; i++)
			at -= fuzz_commands[i].weight;
		if (mock || !fuzz_commands[i].mock)
			return &fuzz_commands[i];
	}
}

static void command(struct thread *t)
{
	const struct fuzz_command *c = some_command(t);
	struct pool *p = &pools[rnd(t) % 4 % FILES];
	/* with room for what type1's GET_INFO appends when argsz allows it */
	unsigned char bytes[4096];
	const struct fuzz_member *m;
	/* most commands have nothing wrong with them, few more than one thing */
	int wrong = one_in(t, 5) ? (int)(rnd(t) % FUZZ_MEMBERS) : -1, i = 0;
	uint32_t at = 4, size;
	void *arg = bytes;
	int rc;

	memset(bytes, 0, 256);
	say(t, "file %d %s:", (int)(p - pools), c->name);
	for (m = c->members; m->name; m++, i++) {
		uint64_t v = i == wrong ? hostile(t) : sensible(t, p, m);

		if (options.replay)
			printf(" %s=0x%llx", m->name,
			       (unsigned long long)(m->size == 8 ? v : (uint32_t)v));
		memcpy(bytes + at, &v, m->size);
		at += m->size;
	}
	size = c->size ? c->size : at;
	if (one_in(t, 64))
		size = one_in(t, 4) ? hostile(t) : rnd(t) % 100;
	if (one_in(t, 128))
		arg = one_in(t, 2) ? CLOSED : READ_ONLY;
	if (options.replay)
		printf(" size=%u%s\n", size, arg == bytes ? "" : " at a bad address");
	memcpy(bytes, &size, 4);
	rc = iofd_ioctl(p->fd, c->request, arg);
	if (rc >= 0 && arg == bytes)
		learn(t, p, c, bytes, rc);
	judge(t, p->fd, c->request, c->name, rc);
}

static void raw(struct thread *t)
{
	struct pool *p = &pools[rnd(t) % FILES];
	unsigned long request = _IO(IOMMUFD_TYPE, 0x80 + rnd(t) % 0x20);
	uint32_t words[32], i;

	for (i = 1; i < 32; i++)
		words[i] = hostile(t);
	words[0] = rnd(t) % 32 * 4;
	say(t, "file %d ioctl 0x%lx of %u bytes\n", (int)(p - pools), request, words[0]);
	judge(t, p->fd, request, "an ioctl", iofd_ioctl(p->fd, request, words));
	/* what a queue opens must not fill the table of descriptors */
	if (one_in(t, 16))
		syscall(SYS_close_range, 200, ~0U, 0);
}

/* Pages of its first BAR, which MAP_FILE finds among the files. */
static int export(struct vdev *d, unsigned int pages)
{
	struct {
		struct vfio_device_feature head;
		struct vfio_device_feature_dma_buf buf;
		struct vfio_region_dma_range range;
	} a = {
		.head = {
			.argsz = sizeof(a),
			.flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_DMA_BUF,
		},
		.buf = { .open_flags = O_RDWR | O_CLOEXEC, .nr_ranges = 1 },
		.range = { .length = pages * 4096 },
	};

	return iofd_ioctl(d->fd, VFIO_DEVICE_FEATURE, &a);
}

static void use_device(struct thread *t)
{
	int i = rnd(t) % DEVICES;
	struct vdev *d = &devices[i];
	struct pool *p = &pools[0];
	uint32_t pt;
	int rc;

	if (!d->node[0])
		return;
	switch (rnd(t) % 8) {
	case 2:
		rc = export(d, 1 + rnd(t) % 4);
		say(t, "device %d DMA_BUF\n", i);
		judge(t, d->fd, VFIO_DEVICE_FEATURE, "DMA_BUF", rc);
		if (rc >= 0)
			keep(t, temps, TEMPS, rc);
		return;
	case 3:
		rc = vdev_enable(d, one_in(t, 2));
		say(t, "device %d memory switched\n", i);
		return;
	case 0:
		rc = vdev_detach(d);
		say(t, "device %d DETACH\n", i);
		judge(t, d->fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, "DETACH", rc);
		return;
	case 1:
		if (!one_in(t, 4))
			return;
		/* dup3() puts the new file where the old one is, in one step */
		rc = open(d->node, O_RDWR | O_CLOEXEC);
		say(t, "device %d closed and opened again, BIND\n", i);
		if (rc < 0)
			return;
		dup3(rc, d->fd, O_CLOEXEC);
		close(rc);
		rc = vdev_bind(d, p->fd);
		if (!rc)
			p->ids[T_DEVICE][i] = d->id;
		judge(t, d->fd, VFIO_DEVICE_BIND_IOMMUFD, "BIND", rc);
		return;
	default:
		pt = one_in(t, 10) ? hostile(t) : some_id(t, p, one_in(t, 2) ? T_IOAS : T_HWPT);
		say(t, "device %d ATTACH to %u\n", i, pt);
		rc = vdev_attach(d, &pt);
		judge(t, d->fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, "ATTACH", rc);
		return;
	}
}

static void use_memory(struct thread *t)
{
	char *at = MEM + rnd(t) % 1000 * PAGE;
	size_t len = (1 + rnd(t) % 24) * PAGE;

	switch (rnd(t) % 3) {
	case 0:
		say(t, "madvise away %p+0x%zx\n", at, len);
		madvise(at, len, MADV_DONTNEED);
		break;
	case 1:
		say(t, "map anew %p+0x%zx\n", at, len);
		mmap(at, len, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		break;
	default:
		say(t, "write %p+0x%zx\n", at, len);
		memset(at, t->step, len);
	}
}

/* Events, as many as fit, and answers, some of which may be right. */
static void use_queue(struct thread *t)
{
	int q = queues[rnd(t) % QUEUES];
	size_t size = one_in(t, 4) ? rnd(t) % 400 : rnd(t) % 10 * 40, n = rnd(t) % 3, i;
	char *buf = one_in(t, 40) ? CLOSED : BUFFER + 40 * PAGE + rnd(t) % PAGE;
	struct iommu_hwpt_page_response r[3];
	ssize_t rc;

	if (!q)
		return;
	if (one_in(t, 2)) {
		rc = read(q, buf, size);
		say(t, "read %zu of queue %d\n", size, q);
	} else {
		for (i = 0; i < 3; i++)
			r[i] = (struct iommu_hwpt_page_response){
				one_in(t, 20) ? hostile(t) : 1 + rnd(t) % 40, rnd(t) % 3,
			};
		rc = write(q, r, n * sizeof(r[0]) + (one_in(t, 20) ? 3 : 0));
		say(t, "%zu answers to queue %d\n", n, q);
	}
	judge(t, q, 0, "a queue", rc < 0 ? -errno : 0);
}

static void use_file(struct thread *t)
{
	int i = 1 + rnd(t) % (FILES - 1), fd;
	struct pool *p = &pools[i];
	pid_t pid;

	switch (rnd(t) % 4) {
	case 0:
		say(t, "file %d is another one\n", i);
		fd = iofd_open();
		if (fd < 0)
			fail(t, "open", tap_errno(fd));
		memset(p->ids, 0, sizeof(p->ids));
		dup3(fd, p->fd, O_CLOEXEC);
		close(fd);
		break;
	case 1:
		if (!one_in(t, 4))
			break;
		say(t, "a child uses file %d and ends\n", i);
		pid = fork();
		if (!pid) {
			iofd_map_at(p->fd, some_id(t, p, T_IOAS), MEM, 8 * PAGE, some_iova(t, p));
			_exit(0);
		}
		waitpid(pid, NULL, 0);
		break;
	default:
		say(t, "fdinfo of file %d\n", i);
		iofd_objects(p->fd, NULL);
	}
}

static __thread struct thread *me;

/* Where it was, which the status of a process does not tell. */
static void crashed(int number, siginfo_t *info, void *unused)
{
	tap_fail(__FILE__, __LINE__,
		 "%s at %p, code %d, step %u of thread %d, in round %ld of seed 0x%llx",
		 strsignal(number), info->si_addr, info->si_code, me ? me->step : 0,
		 me ? (int)me->number : -1, round_now, options.seed);
}

static void *run(void *arg)
{
	struct thread *t = arg;

	me = t;
	for (t->step = 0; t->step < options.steps; t->step++) {
		switch (rnd(t) % 32) {
		case 0: raw(t); break;
		case 1: use_memory(t); break;
		case 2: use_file(t); break;
		case 3: case 4: case 5: use_device(t); break;
		case 6: case 7: use_queue(t); break;
		default: command(t);
		}
	}
	return NULL;
}

/* --- rounds --- */

static void begin(void)
{
	uint32_t id;
	int i;

	for (i = 0; i < FILES; i++) {
		struct pool *p = &pools[i];

		memset(p, 0, sizeof(*p));
		p->fd = OK(iofd_open());
		OK(iofd_ioas(p->fd, &id));
		p->ids[T_IOAS][0] = id;
	}
	for (i = 0; i < DEVICES; i++) {
		if (!devices[i].node[0])
			continue;
		OK(vdev_open(&devices[i]));
		OK(vdev_bind(&devices[i], pools[0].fd));
		pools[0].ids[T_DEVICE][i] = devices[i].id;
	}
	if (mock) {
		struct mockdev m;

		for (i = 1; i < FILES; i++) {
			OK(mock_device_on(pools[i].fd, pools[i].ids[T_IOAS][0],
					  i == 1 ? 0 : round_now / 2 % 3, &m));
			pools[i].ids[T_STDEV][0] = m.stdev;
			pools[i].ids[T_HWPT][0] = m.hwpt;
			pools[i].ids[T_DEVICE][0] = m.idev;
		}
	}
}

static void finish(void)
{
	/* all that this round has opened, and commands have given it */
	syscall(SYS_close_range, pools[0].fd, ~0U, 0);
	if (mem_wait_pinned(pinned, 5000) != pinned || mem_status(0, "VmPin"))
		tap_fail(__FILE__, __LINE__,
			 "round %ld of seed 0x%llx: %lld pages are still pinned, VmPin is %lld",
			 round_now, options.seed, mem_pinned_pages() - pinned,
			 mem_status(0, "VmPin"));
}

/* In a process of its own: descriptors and memory begin the same each time. */
static void one_round(void)
{
	unsigned long count = round_now % 2 ? options.threads : 1, i;
	struct thread threads[16] = { 0 };
	struct sigaction fatal = { .sa_sigaction = crashed, .sa_flags = SA_SIGINFO | SA_RESETHAND };
	unsigned long good = 0;

	sigaction(SIGSEGV, &fatal, NULL);
	sigaction(SIGBUS, &fatal, NULL);
	begin();
	for (i = 0; i < count; i++) {
		threads[i].number = i;
		threads[i].state = mix(options.seed + mix(round_now * 16 + i));
		CHECK(!pthread_create(&threads[i].thread, NULL, run, &threads[i]));
	}
	for (i = 0; i < count; i++) {
		CHECK(!pthread_join(threads[i].thread, NULL));
		good += threads[i].good;
	}
	finish();
	/* a round in which nothing gets through tests little */
	CHECK(good > count * options.steps / 20);
	_exit(0);
}

static void place(char *at, size_t size, int prot)
{
	CHECK(mmap(at, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == at);
	memset(at, 0, size);
	CHECK(!mprotect(at, size, prot));
}

static void prepare(void)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	struct rlimit r = { 64 * MIB, 64 * MIB };
	pci_bdf bdf;
	int i, rc;

	place(MEM, MEM_SIZE, PROT_READ | PROT_WRITE);
	place(BUFFER, BUFFER_SIZE, PROT_READ | PROT_WRITE);
	place(CLOSED, PAGE, PROT_NONE);
	place(READ_ONLY, PAGE, PROT_READ);
	maps[0] = OK(mem_file(2 * MIB, 0));
	maps[1] = maps[0];
	if (mem_want_hugetlb(2) >= 2)
		maps[1] = OK(mem_file(2 * MIB, 1));
	for (i = 0; i < DEVICES; i++)
		if (pci_find(PCI_EDU, i, bdf) && pci_group(bdf) >= 0)
			OK(vdev_find(&devices[i], bdf));
	rc = mock_load();
	mock = !rc || rc == -EEXIST;
	CHECK(!setrlimit(RLIMIT_MEMLOCK, &r));
	CHECK(!syscall(SYS_capget, &h, data));
	data[0].effective &= ~(1U << CAP_IPC_LOCK);
	CHECK(!syscall(SYS_capset, &h, data));
}

static void fuzz(void)
{
	time_t end = time(NULL) + options.seconds;
	long rounds = 0;

	prepare();
	pinned = mem_pinned_pages();
	tap_note("seed 0x%llx; %d devices, %s mock", options.seed,
		 !!devices[0].node[0] + !!devices[1].node[0], mock ? "a" : "no");
	round_now = options.round >= 0 ? options.round : 0;
	do {
		int status;
		pid_t pid = fork();

		if (!pid)
			one_round();
		CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
		if (status)
			tap_fail(__FILE__, __LINE__, "round %ld of seed 0x%llx ended with status 0x%x",
				 round_now, options.seed, status);
		rounds++;
		round_now++;
	} while (options.round < 0 && time(NULL) < end);
	tap_note("%ld rounds", rounds);
	if (mock && mock_unload())
		tap_fail(__FILE__, __LINE__, "the mock cannot be unloaded: something still holds it");
}

static unsigned long from_command_line(void)
{
	FILE *f = fopen("/proc/cmdline", "re");
	char line[4096] = "";
	char *at;

	if (f) {
		fgets(line, sizeof(line), f);
		fclose(f);
	}
	at = strstr(line, "iommu_fuzz=");
	return at ? strtoul(at + 11, NULL, 0) : 0;
}

static int usage(void)
{
	fputs("usage: iommu-fuzz [--seconds N] [--seed S] [--threads N] [--steps N] [--round R] [--replay]\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option known[] = {
		{ "seconds", 1, NULL, 't' }, { "seed", 1, NULL, 's' }, { "threads", 1, NULL, 'n' },
		{ "steps", 1, NULL, 'k' }, { "round", 1, NULL, 'r' }, { "replay", 0, NULL, 'p' },
		{ 0 },
	};
	struct tap_test test = { .run = fuzz };
	char title[100];
	int c;

	options.seed = (unsigned long long)time(NULL) << 16 ^ getpid();
	if (from_command_line())
		options.seconds = from_command_line();
	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1)
		switch (c) {
		case 't': options.seconds = strtoul(optarg, NULL, 0); break;
		case 's': options.seed = strtoull(optarg, NULL, 0); break;
		case 'n': options.threads = strtoul(optarg, NULL, 0); break;
		case 'k': options.steps = strtoul(optarg, NULL, 0); break;
		case 'r': options.round = strtol(optarg, NULL, 0); break;
		case 'p': options.replay = true; break;
		default: return usage();
		}
	if (optind != argc || !options.threads || options.threads > 16)
		return usage();
	snprintf(title, sizeof(title), "random sequences for %lu seconds", options.seconds);
	test.title = title;
	test.seconds = options.seconds + 60;
	return tap_run(1, argv, &test, 1);
}

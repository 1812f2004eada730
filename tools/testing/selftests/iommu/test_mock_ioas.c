// SPDX-License-Identifier: GPL-2.0
/*
 * Rules of an IOAS that need page tables to be seen: COPY, CHANGE_PROCESS, what
 * is charged and given back, processes that go, and many threads at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/userfaultfd.h>
#include <linux/vfio.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mem.h"
#include "mock.h"

#define PAGE 4096UL
#define TEST(call, want) REFUSED(s.fd, IOMMU_TEST_CMD, call, want)
#define COPY(call, want) REFUSED(s.fd, IOMMU_IOAS_COPY, call, want)
#define MEM (64 * PAGE)

static struct space s;
static struct mockdev m, n;
static uint32_t ioas2;
static char *mem;

/* Two IOASes with a table each, memory mapped in the first at APERTURE. */
static void begin(void)
{
	mock_open(&s);
	mem = mem_anon(MEM);
	CHECK(mem);
	OK(iofd_ioas(s.fd, &ioas2));
	OK(mock_device(s.fd, s.ioas, 0, &m));
	OK(mock_device(s.fd, ioas2, 0, &n));
	OK(space_map(&s, mem, MEM, APERTURE));
}

static int copy(uint32_t dst, uint64_t *to, uint32_t src, uint64_t from,
		uint64_t length, uint32_t flags)
{
	struct iommu_ioas_copy c = {
		.size = sizeof(c),
		.flags = flags,
		.dst_ioas_id = dst,
		.src_ioas_id = src,
		.length = length,
		.dst_iova = *to,
		.src_iova = from,
	};
	int rc = iofd_ioctl(s.fd, IOMMU_IOAS_COPY, &c);

	*to = c.dst_iova;
	return rc;
}

static int copy_to(uint64_t to, uint64_t from, uint64_t length)
{
	return copy(ioas2, &to, s.ioas, from, length, IOFD_FIXED_RW);
}

static void copy_shares_pins(void)
{
	uint64_t to = 0;

	begin();
	OK(copy_to(APERTURE + 5 * PAGE, APERTURE, MEM));
	OK(mock_check_map(s.fd, n.hwpt, APERTURE + 5 * PAGE, mem, MEM));
	OK(mock_check_refs(s.fd, mem, MEM, 1));
	CHECK_EQ(mem_status(0, "VmPin"), MEM);
	/* what was copied from may go */
	OK(space_unmap(&s, APERTURE, MEM));
	OK(mock_check_map(s.fd, n.hwpt, APERTURE + 5 * PAGE, mem, MEM));
	OK(mock_check_refs(s.fd, mem, MEM, 1));
	/* back, to where the kernel likes */
	OK(copy(s.ioas, &to, ioas2, APERTURE + 5 * PAGE, MEM, IOFD_RW));
	CHECK_EQ(to % MEM, 0);
	OK(mock_check_map(s.fd, m.hwpt, to, mem, MEM));
	OK(iofd_unmap(s.fd, ioas2, 0, UINT64_MAX, NULL));
	OK(mock_check_refs(s.fd, mem, MEM, 1));
	OK(space_unmap(&s, to, MEM));
	OK(mock_check_refs(s.fd, mem, MEM, 0));
	CHECK_EQ(mem_status(0, "VmPin"), 0);
}

/* Any part, also one that begins and ends inside of pages. */
static void copy_parts(void)
{
	uint64_t skip, length;

	begin();
	for (skip = 0; skip < 3 * PAGE; skip += GRANULE)
		for (length = GRANULE; length < 4 * PAGE; length += GRANULE) {
			OK(copy_to(APERTURE + GRANULE, APERTURE + skip, length));
			OK(mock_check_map(s.fd, n.hwpt, APERTURE + GRANULE, mem + skip, length));
			OK(iofd_unmap(s.fd, ioas2, APERTURE + GRANULE, length, NULL));
		}
	/* within one IOAS */
	length = APERTURE + 2 * MEM;
	OK(copy(s.ioas, &length, s.ioas, APERTURE + PAGE, 7 * PAGE, IOFD_FIXED_RW));
	OK(mock_check_map(s.fd, m.hwpt, length, mem + PAGE, 7 * PAGE));
	OK(mock_check_refs(s.fd, mem, MEM, 1));
}

static void copy_across_areas(void)
{
	uint64_t len = 3 * PAGE + GRANULE, length, unmapped;
	int i;

	begin();
	OK(space_unmap(&s, APERTURE, MEM));
	for (i = 0; i < 6; i++)
		OK(space_map(&s, mem + (5 - i) * len, len, APERTURE + i * len));
	OK(copy_to(APERTURE, APERTURE, 6 * len));
	for (i = 0; i < 6; i++)
		OK(mock_check_map(s.fd, n.hwpt, APERTURE + i * len, mem + (5 - i) * len, len));
	OK(iofd_unmap(s.fd, ioas2, 0, UINT64_MAX, &unmapped));
	CHECK_EQ(unmapped, 6 * len);
	/* from the middle of one to the middle of another */
	length = 4 * len - 2 * GRANULE;
	OK(copy_to(APERTURE, APERTURE + len + GRANULE, length));
	OK(mock_check_map(s.fd, n.hwpt, APERTURE, mem + 4 * len + GRANULE, len - GRANULE));
	OK(mock_check_map(s.fd, n.hwpt, APERTURE + 3 * len - GRANULE, mem + len,
			  len - GRANULE));
	/* each piece is an area of its own */
	REFUSED(s.fd, IOMMU_IOAS_UNMAP,
		iofd_unmap(s.fd, ioas2, APERTURE, len, NULL), -ENOENT);
	OK(iofd_unmap(s.fd, ioas2, APERTURE, len - GRANULE, NULL));
	/* with a hole */
	OK(space_unmap(&s, APERTURE + 2 * len, len));
	COPY(copy_to(APERTURE + 16 * MIB, APERTURE, 6 * len), -ENOENT);
	REFUSED(s.fd, IOMMU_IOAS_UNMAP,
		iofd_unmap(s.fd, ioas2, APERTURE + 16 * MIB, 16 * MIB, NULL), -ENOENT);
}

static void copy_refused(void)
{
	char *rd = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t at = APERTURE + 2 * MEM, to = APERTURE;

	begin();
	OK(iofd_map(s.fd, s.ioas, rd, PAGE, &at, IOFD_FIXED_R));
	OK(copy(ioas2, &to, s.ioas, at, PAGE, IOFD_FIXED_R));
	to += PAGE;
	COPY(copy(ioas2, &to, s.ioas, at, PAGE, IOFD_FIXED_RW), -EPERM);
	COPY(copy(ioas2, &to, s.ioas, APERTURE, PAGE, IOMMU_IOAS_MAP_FIXED_IOVA), -EINVAL);
	COPY(copy(ioas2, &to, s.ioas, APERTURE, PAGE, 0x100 | IOFD_FIXED_RW), -EOPNOTSUPP);
	COPY(copy(99, &to, s.ioas, APERTURE, PAGE, IOFD_FIXED_RW), -ENOENT);
	COPY(copy(ioas2, &to, m.idev, APERTURE, PAGE, IOFD_FIXED_RW), -ENOENT);
	COPY(copy_to(to, APERTURE, 0), -EINVAL);
	COPY(copy_to(to, -PAGE, 2 * PAGE), -EOVERFLOW);
	COPY(copy_to(-PAGE, APERTURE, 2 * PAGE), -EOVERFLOW);
	COPY(copy_to(to, APERTURE - PAGE, PAGE), -ENOENT);
	COPY(copy_to(to, APERTURE, MEM + PAGE), -ENOENT);
	COPY(copy_to(APERTURE, APERTURE, PAGE), -EEXIST);
	COPY(copy_to(0, APERTURE, PAGE), -EINVAL);
	COPY(copy_to(to + 1, APERTURE, PAGE), -EINVAL);
	COPY(copy_to(to, APERTURE + 1, PAGE), -EINVAL);
	CHECK_EQ(mem_status(0, "VmPin"), MEM + PAGE);
}

/* A table whose device comes later finds pins, whoever made them. */
static void copy_of_pinned(void)
{
	uint32_t ioas3;
	uint64_t to = APERTURE;
	struct mockdev o;

	begin();
	OK(iofd_ioas(s.fd, &ioas3));
	OK(copy(ioas3, &to, s.ioas, APERTURE + PAGE, MEM - PAGE, IOFD_FIXED_RW));
	OK(mock_check_refs(s.fd, mem, MEM, 1));
	OK(iofd_destroy(s.fd, m.stdev));
	OK(mock_check_refs(s.fd, mem, MEM, 0));
	OK(mock_device(s.fd, ioas3, 0, &o));
	OK(mock_check_refs(s.fd, mem, PAGE, 0));
	OK(mock_check_refs(s.fd, mem + PAGE, MEM - PAGE, 1));
	OK(mock_device(s.fd, s.ioas, 0, &m));
	OK(mock_check_refs(s.fd, mem, MEM, 1));
	OK(mock_check_map(s.fd, o.hwpt, APERTURE, mem + PAGE, MEM - PAGE));
	CHECK_EQ(mem_status(0, "VmPin"), MEM);
}

static void no_unlimited_locking(void)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2];

	CHECK(!syscall(SYS_capget, &h, d));
	d[CAP_TO_INDEX(CAP_IPC_LOCK)].effective &= ~CAP_TO_MASK(CAP_IPC_LOCK);
	CHECK(!syscall(SYS_capset, &h, d));
}

static void limit(uint64_t bytes)
{
	struct rlimit r = { bytes, bytes };

	CHECK(!setrlimit(RLIMIT_MEMLOCK, &r));
}

/* Each mode: charged once for all tables, refused in full over the limit. */
static void charge(int per_process)
{
	char *va = mem_anon(32 * PAGE);
	long long locked, pinned = mem_pinned_pages();
	uint32_t hwpt;

	mock_open(&s);
	close(s.fd);
	s.fd = OK(iofd_open());
	if (per_process)
		OK(iofd_option_set(s.fd, IOMMU_OPTION_RLIMIT_MODE, 0, 1));
	OK(iofd_ioas(s.fd, &s.ioas));
	locked = mem_status(0, "VmLck");
	no_unlimited_locking();
	limit(16 * PAGE);
	OK(mock_device(s.fd, s.ioas, 0, &m));
	OK(space_map(&s, va, 8 * PAGE, APERTURE));
	OK(iofd_hwpt(s.fd, m.idev, s.ioas, 0, &hwpt));
	CHECK_EQ(mem_status(0, "VmPin"), 8 * PAGE);
	CHECK_EQ(mem_status(0, "VmLck") - locked, per_process ? 8 * PAGE : 0);
	/* half pages are charged whole */
	OK(space_map(&s, va + 8 * PAGE + GRANULE, 7 * PAGE, APERTURE + 8 * PAGE));
	CHECK_EQ(mem_status(0, "VmPin"), 16 * PAGE);
	REFUSED(s.fd, IOMMU_IOAS_MAP,
		space_map(&s, va + 16 * PAGE, GRANULE, APERTURE + 64 * PAGE), -ENOMEM);
	CHECK_EQ(mem_status(0, "VmPin"), 16 * PAGE);
	OK(space_unmap(&s, APERTURE + 8 * PAGE, 7 * PAGE));
	OK(space_map(&s, va + 16 * PAGE, 8 * PAGE, APERTURE + 64 * PAGE));
	OK(iofd_destroy(s.fd, hwpt));
	OK(iofd_destroy(s.fd, m.stdev));
	CHECK_EQ(mem_status(0, "VmPin"), 0);
	CHECK_EQ(mem_status(0, "VmLck"), locked);
	CHECK_EQ(mem_wait_pinned(pinned, 1000), pinned);
	/* too much for the first table: the device is not attached */
	OK(space_map(&s, va + 24 * PAGE, PAGE, APERTURE + 128 * PAGE));
	TEST(mock_device(s.fd, s.ioas, 0, &m), -ENOMEM);
	CHECK_EQ(mem_status(0, "VmPin"), 0);
	CHECK_EQ(iofd_objects(s.fd, NULL), 1);
}

static void charge_user(void)
{
	charge(0);
}

static void charge_process(void)
{
	charge(1);
}

static int change_process(void)
{
	struct iommu_ioas_change_process c = { .size = sizeof(c) };

	return iofd_ioctl(s.fd, IOMMU_IOAS_CHANGE_PROCESS, &c);
}

/* A child takes the charge over; the parent is rid of it. */
static void new_process(void)
{
	uint64_t at = APERTURE;
	int file, status;
	pid_t pid;

	begin();
	REFUSED(s.fd, IOMMU_IOAS_CHANGE_PROCESS, change_process(), -EINVAL);
	OK(space_unmap(&s, APERTURE, MEM));
	file = OK(mem_file(MEM, 0));
	OK(iofd_map_file(s.fd, s.ioas, file, 0, MEM, &at, IOFD_FIXED_RW));
	at = APERTURE;
	OK(iofd_map_file(s.fd, ioas2, file, PAGE, PAGE, &at, IOFD_FIXED_RW));
	CHECK_EQ(mem_status(0, "VmPin"), MEM + PAGE);
	pid = fork();
	if (!pid) {
		if (change_process() || mem_status(0, "VmPin") != MEM + PAGE ||
		    mem_status(getppid(), "VmPin"))
			_exit(1);
		/* what is unmapped is taken from who has it now */
		if (iofd_unmap(s.fd, ioas2, 0, UINT64_MAX, NULL) ||
		    mem_status(0, "VmPin") != MEM)
			_exit(2);
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK_EQ(mem_status(0, "VmPin"), 0);
	OK(space_unmap(&s, APERTURE, MEM));
	CHECK_EQ(mem_status(0, "VmPin"), 0);
}

/* The memory's process has gone: what is pinned stays, what is not is missed. */
static void process_gone(void)
{
	int status, ready[2];
	uint32_t hwpt;
	pid_t pid;
	char c;

	mock_open(&s);
	OK(iofd_ioas(s.fd, &ioas2));
	OK(mock_device(s.fd, s.ioas, 0, &m));
	CHECK(!pipe(ready));
	pid = fork();
	if (!pid) {
		mem = mem_anon(MEM);
		if (space_map(&s, mem, MEM, APERTURE) ||
		    iofd_map_at(s.fd, ioas2, mem, MEM, APERTURE))
			_exit(1);
		_exit(write(ready[1], "", 1) != 1);
	}
	CHECK_EQ(read(ready[0], &c, 1), 1);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	OK(iofd_hwpt(s.fd, m.idev, s.ioas, 0, &hwpt));
	TEST(mock_device(s.fd, ioas2, 0, &n), -EFAULT);
	TEST(mock_replace(s.fd, &m, ioas2), -EFAULT);
	OK(iofd_destroy(s.fd, hwpt));
	OK(space_unmap(&s, APERTURE, MEM));
	OK(iofd_unmap(s.fd, ioas2, APERTURE, MEM, NULL));
}

/* Pages that their process brings in by itself, when somebody asks for them. */
static void serve_faults(int ready)
{
	struct uffdio_api api = { .api = UFFD_API };
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	char *va = mmap(NULL, MEM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);
	struct uffdio_register reg = {
		.range = { .start = (uintptr_t)va, .len = MEM },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	static char page[PAGE];
	struct uffd_msg msg;

	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api) ||
	    ioctl(uffd, UFFDIO_REGISTER, &reg))
		_exit(4);
	if (space_map(&s, va, MEM, APERTURE) || write(ready, "", 1) != 1)
		_exit(1);
	while (read(uffd, &msg, sizeof(msg)) == sizeof(msg)) {
		struct uffdio_copy c = {
			.dst = msg.arg.pagefault.address & ~(PAGE - 1),
			.src = (uintptr_t)page,
			.len = PAGE,
		};

		if (ioctl(uffd, UFFDIO_COPY, &c))
			_exit(1);
	}
	_exit(1);
}

static void faults_served(void)
{
	int status, ready[2];
	long long pinned;
	pid_t pid;
	char c;

	mock_open(&s);
	pinned = mem_pinned_pages();
	CHECK(!pipe(ready));
	pid = fork();
	if (!pid) {
		close(ready[0]);
		serve_faults(ready[1]);
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1) {
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		CHECK_EQ(WEXITSTATUS(status), 4);
		tap_skip("no userfaultfd to be had");
	}
	OK(mock_device(s.fd, s.ioas, 0, &m));
	CHECK_EQ(mem_status(pid, "VmPin"), MEM);
	kill(pid, SIGKILL);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	OK(iofd_destroy(s.fd, m.stdev));
	CHECK_EQ(mem_wait_pinned(pinned, 1000), pinned);
}

/* fork() shares what is not pinned and copies what is. */
static void fork_keeps_memory(void)
{
	int status;
	pid_t pid;

	begin();
	mem_fill(mem, MEM, 5);
	pid = fork();
	if (!pid) {
		int ok = mem_holds(mem, MEM, 5) && mock_check_map(s.fd, m.hwpt, APERTURE,
								 mem, PAGE) == -EINVAL;

		memset(mem, 0, MEM);
		_exit(!ok);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	mem_fill(mem, MEM, 6);
	OK(mock_check_map(s.fd, m.hwpt, APERTURE, mem, MEM));
}

/* A process killed while its memory is being pinned, in MAP and in an attach. */
static void killed(void)
{
	long long pinned;
	int i, status;
	pid_t pid;

	mock_open(&s);
	pinned = mem_pinned_pages();
	for (i = 0; i < 6; i++) {
		pid = fork();
		if (!pid) {
			char *va = mmap(NULL, 512 * MIB, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

			close(s.fd);
			space_open(&s);
			if (i % 2) {
				space_map(&s, va, 512 * MIB, APERTURE);
				mock_device(s.fd, s.ioas, 0, &m);
			} else {
				mock_device(s.fd, s.ioas, 0, &m);
				space_map(&s, va, 512 * MIB, APERTURE);
			}
			pause();
		}
		usleep(15000 + 30000 * i);
		kill(pid, SIGKILL);
		CHECK_EQ(waitpid(pid, &status, 0), pid);
	}
	CHECK_EQ(mem_wait_pinned(pinned, 5000), pinned);
}

/* Everybody at once on one file. */
static volatile int stop;

static void *devices(void *arg)
{
	struct mockdev d;
	long rc = 0;

	while (!stop && !rc) {
		rc = mock_device(s.fd, s.ioas, 0, &d);
		if (!rc)
			rc = mock_replace(s.fd, &d, ioas2);
		if (!rc)
			rc = mock_replace(s.fd, &d, s.ioas);
		if (!rc)
			rc = iofd_destroy(s.fd, d.stdev);
	}
	return (void *)rc;
}

static void *copies(void *arg)
{
	long rc = 0;

	while (!stop && !rc) {
		rc = copy_to(APERTURE + 64 * MIB, APERTURE, MEM);
		if (rc == -ENOENT)
			rc = 0;
		else if (!rc)
			rc = iofd_unmap(s.fd, ioas2, APERTURE + 64 * MIB, MEM, NULL);
	}
	return (void *)rc;
}

static void *maps(void *arg)
{
	long at = (long)arg, rc = 0;

	while (!stop && !rc) {
		rc = space_map(&s, mem + at, PAGE, APERTURE + 128 * MIB + at);
		if (!rc)
			rc = space_unmap(&s, APERTURE + 128 * MIB + at, PAGE);
	}
	return (void *)rc;
}

static void race(void)
{
	pthread_t threads[5];
	void *result;
	int i;

	begin();
	CHECK(!pthread_create(&threads[0], NULL, devices, NULL));
	CHECK(!pthread_create(&threads[1], NULL, devices, NULL));
	CHECK(!pthread_create(&threads[2], NULL, copies, NULL));
	CHECK(!pthread_create(&threads[3], NULL, maps, (void *)GRANULE));
	CHECK(!pthread_create(&threads[4], NULL, maps, (void *)(3 * PAGE)));
	for (i = 0; i < 400; i++) {
		OK(space_unmap(&s, APERTURE, MEM));
		OK(space_map(&s, mem, MEM, APERTURE));
		OK(mock_check_map(s.fd, m.hwpt, APERTURE, mem, MEM));
	}
	stop = 1;
	for (i = 0; i < 5; i++) {
		CHECK(!pthread_join(threads[i], &result));
		if (result)
			tap_fail(__FILE__, __LINE__, "thread %d: %s (%s)", i,
				 tap_errno((long)result), iommufd_last_reason(s.fd));
	}
	OK(mock_check_refs(s.fd, mem, MEM, 1));
	OK(space_unmap(&s, APERTURE, MEM));
	CHECK_EQ(mem_status(0, "VmPin"), 0);
	OK(mock_check_refs(s.fd, mem, MEM, 0));
	CHECK_EQ(iofd_objects(s.fd, "selftest"), 2);
}

/*
 * A process whose threads pin memory that nobody brings in, by more workers than
 * there may be at once. Each thread's memory begins with pages that are there.
 */
enum { STUCK = 280 };
static int begun;

static void *pin_stuck(void *va)
{
	struct space own;
	struct mockdev dev;
	uint64_t size = 32 * MIB;

	space_open(&own);
	OK(mock_device(own.fd, own.ioas, 0, &dev));
	__atomic_add_fetch(&begun, 1, __ATOMIC_SEQ_CST);
	space_map(&own, va, size, APERTURE);
	return NULL;
}

static void pin_all_stuck(int ready)
{
	struct uffdio_api api = { .api = UFFD_API };
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC), file, i;
	struct uffdio_register r = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	uint64_t there = 16 * MIB, size = 32 * MIB;
	pthread_attr_t attr;
	pthread_t thread;

	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api))
		_exit(4);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	file = OK(mem_file(there, 0));
	for (i = 0; i < STUCK; i++) {
		char *va = mmap(NULL, size, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		CHECK(va != MAP_FAILED);
		CHECK(mmap(va, there, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_FIXED, file, 0) == va);
		r.range.start = (uintptr_t)va + there;
		r.range.len = size - there;
		CHECK(!ioctl(uffd, UFFDIO_REGISTER, &r));
		CHECK(!pthread_create(&thread, &attr, pin_stuck, va));
	}
	while (__atomic_load_n(&begun, __ATOMIC_SEQ_CST) < STUCK)
		usleep(10000);
	sleep(4);
	CHECK(write(ready, "", 1) == 1);
	pause();
}

/* Others do not wait for workers that such a process keeps busy. */
static void workers_taken(void)
{
	int status, ready[2];
	uint64_t size = 64 * MIB;
	long long pinned;
	pid_t pid;
	char c;

	mock_open(&s);
	pinned = mem_pinned_pages();
	CHECK(!pipe(ready));
	pid = fork();
	if (!pid) {
		close(ready[0]);
		pin_all_stuck(ready[1]);
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1) {
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		CHECK_EQ(WEXITSTATUS(status), 4);
		tap_skip("no userfaultfd to be had");
	}
	mem = mem_anon(size);
	CHECK(mem);
	OK(mock_device(s.fd, s.ioas, 0, &m));
	OK(space_map(&s, mem, size, APERTURE));
	OK(mock_check_map(s.fd, m.hwpt, APERTURE, mem, size));
	OK(space_unmap(&s, APERTURE, size));
	kill(pid, SIGKILL);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	/* the workers notice a little later */
	CHECK_EQ(mem_wait_pinned(pinned, 20000), pinned);
}

/* Maps memory of which half is never brought in; another process sees to that. */
static void map_half(int ready)
{
	uint64_t size = 32 * MIB;
	char *va = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);
	struct uffdio_register r = {
		.range = { .start = (uintptr_t)va + size / 2, .len = size / 2 },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	struct uffdio_api api = { .api = UFFD_API };
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	pid_t pid;

	CHECK(va != MAP_FAILED);
	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api))
		_exit(4);
	madvise(va, size, MADV_NOHUGEPAGE);
	memset(va, 1, size / 2);
	CHECK(!ioctl(uffd, UFFDIO_REGISTER, &r));
	pid = fork();
	if (!pid) {
		pause();
		_exit(0);
	}
	CHECK(write(ready, &pid, sizeof(pid)) == sizeof(pid));
	space_map(&s, va, size, APERTURE);
	_exit(1);
}

/* Whether a process that may lock 24 MiB can map 4 MiB. */
static int map_limited(void)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		mem = mem_anon(4 * MIB);
		no_unlimited_locking();
		limit(24 * MIB);
		_exit(-space_map(&s, mem, 4 * MIB, APERTURE + 64 * MIB));
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	return -WEXITSTATUS(status);
}

/* What cannot be unpinned when its owner is killed stays charged until it is. */
static void charged_until_unpinned(void)
{
	long long pinned, count = 16 * MIB / PAGE;
	int status, ready[2], i;
	pid_t pid, holder;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		tap_skip("one CPU pins alone");
	mock_open(&s);
	OK(mock_device(s.fd, s.ioas, 0, &m));
	pinned = mem_pinned_pages();
	CHECK(!pipe(ready));
	pid = fork();
	if (!pid)
		map_half(ready[1]);
	close(ready[1]);
	if (read(ready[0], &holder, sizeof(holder)) != sizeof(holder)) {
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		CHECK_EQ(WEXITSTATUS(status), 4);
		tap_skip("no userfaultfd to be had");
	}
	for (i = 0; i < 500 && mem_pinned_pages() < pinned + count; i++)
		usleep(20000);
	CHECK_EQ(mem_pinned_pages(), pinned + count);
	sleep(1);
	kill(pid, SIGKILL);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(mem_pinned_pages() > pinned);
	CHECK_EQ(map_limited(), -ENOMEM);
	kill(holder, SIGKILL);
	CHECK_EQ(mem_wait_pinned(pinned, 10000), pinned);
	for (i = 0; i < 100 && map_limited(); i++)
		usleep(20000);
	CHECK_EQ(map_limited(), -EEXIST);
}

static int write_to(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	if (!f)
		return -1;
	fputs(text, f);
	return fclose(f);
}

#define CGROUPS "/tmp/cgroups"

/* Kernel memory that the cgroup of this test is charged for. */
static long long cgroup_kernel_memory(void)
{
	FILE *f;
	char line[128];
	long long bytes = -1;

	/* CPUs report what they have counted every other second */
	sleep(3);
	f = fopen(CGROUPS "/test/memory.stat", "re");
	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "kernel %lld", &bytes) == 1)
			break;
	fclose(f);
	return bytes;
}

static long long memory_of_tables(int parallel)
{
	enum { TABLES = 16 };
	uint32_t hwpt[TABLES];
	long long bytes;
	int i;

	CHECK(!write_to("/sys/module/iommufd/parameters/parallel", parallel ? "8" : "1"));
	bytes = cgroup_kernel_memory();
	for (i = 0; i < TABLES; i++)
		OK(iofd_hwpt(s.fd, m.idev, s.ioas, 0, &hwpt[i]));
	bytes = cgroup_kernel_memory() - bytes;
	while (i--)
		OK(iofd_destroy(s.fd, hwpt[i]));
	return bytes;
}

/* Tables that several CPUs fill are charged as those that one fills. */
static void charge_of_tables(void)
{
	const unsigned long pages = 24576;
	int file = OK(mem_file(pages * PAGE, 0));
	long long one, several;
	unsigned long i;
	char *va;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		tap_skip("one CPU fills alone");
	mkdir(CGROUPS, 0755);
	if (mount("none", CGROUPS, "cgroup2", 0, NULL) ||
	    write_to(CGROUPS "/cgroup.subtree_control", "+memory") ||
	    mkdir(CGROUPS "/test", 0755) || write_to(CGROUPS "/test/cgroup.procs", "0"))
		tap_skip("no cgroups to be had");
	mock_open(&s);
	/* backwards, so that no two pages follow each other */
	va = mmap(NULL, pages * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(va != MAP_FAILED);
	for (i = 0; i < pages; i++)
		CHECK(mmap(va + i * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			   file, (pages - 1 - i) * PAGE) != MAP_FAILED);
	OK(mock_device(s.fd, s.ioas, 0, &m));
	OK(space_map(&s, va, pages * PAGE, APERTURE));
	one = memory_of_tables(0);
	several = memory_of_tables(1);
	tap_note("%lld KiB by one CPU, %lld KiB by several", one / 1024, several / 1024);
	CHECK(one > (long long)(4 * MIB));
	CHECK(several > one / 4 * 3);
}

/* Type1 takes the last page of a mapping that ends where translation does. */
static void cut_at_the_end(void)
{
	struct vfio_iommu_type1_dma_unmap c = {
		.argsz = sizeof(c), .iova = APERTURE_END - PAGE, .size = PAGE,
	};
	struct iommu_vfio_ioas set = { .size = sizeof(set), .op = IOMMU_VFIO_IOAS_SET };

	begin();
	OK(space_unmap(&s, APERTURE, MEM));
	set.ioas_id = s.ioas;
	OK(iofd_ioctl(s.fd, IOMMU_VFIO_IOAS, &set));
	OK(iofd_ioctl(s.fd, VFIO_SET_IOMMU, (void *)VFIO_TYPE1_IOMMU));
	OK(space_map(&s, mem, MEM, APERTURE_END - MEM));
	OK(iofd_ioctl(s.fd, VFIO_IOMMU_UNMAP_DMA, &c));
	CHECK_EQ(c.size, PAGE);
	OK(mock_check_refs(s.fd, mem, MEM - PAGE, 1));
	OK(mock_check_refs(s.fd, mem + MEM - PAGE, PAGE, 0));
	OK(mock_check_map(s.fd, m.hwpt, APERTURE_END - MEM, mem, MEM - PAGE));
}

static const struct tap_test tests[] = {
	{ "COPY shares what is pinned", copy_shares_pins },
	{ "COPY of any part, also within one IOAS", copy_parts },
	{ "COPY across areas", copy_across_areas },
	{ "COPY refused", copy_refused },
	{ "COPY into an IOAS whose device comes later", copy_of_pinned },
	{ "charged to the user, once, and refused over the limit", charge_user },
	{ "charged to the process, once, and refused over the limit", charge_process },
	{ "kernel memory of tables that several CPUs fill", charge_of_tables, 90 },
	{ "CHANGE_PROCESS", new_process },
	{ "a page cut off where translation ends", cut_at_the_end },
	{ "the process that owns the memory exits", process_gone },
	{ "another process brings its pages in while they are pinned", faults_served },
	{ "another process keeps all workers busy", workers_taken, 90 },
	{ "pages of a killed process are charged until they are unpinned",
	  charged_until_unpinned, 60 },
	{ "fork()", fork_keeps_memory },
	{ "processes killed while pinning", killed, 60 },
	{ "devices, maps and copies at once", race, 90 },
};

int main(int argc, char **argv)
{
	return MOCK_RUN(argc, argv, tests);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Random commands. Whatever a command is given, the kernel answers with success
 * or with an errno that it explains, and afterwards nothing is pinned. That it
 * says nothing on its console is for whoever runs this to see.
 *
 * The seed is printed; IOMMU_FUZZ_SEED repeats a run as far as chance allows.
 */
#define _GNU_SOURCE
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "devices.h"
#include "mem.h"

#define PAGE 4096UL
#define SECONDS 6

static struct space s;
static struct testdev d;
static unsigned long long state;

static uint32_t rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state >> 16;
}

static uint64_t rnd64(void)
{
	return (uint64_t)rnd() << 32 | rnd();
}

static void choose_seed(void)
{
	const char *given = getenv("IOMMU_FUZZ_SEED");

	state = given ? strtoull(given, NULL, 0) : (unsigned long long)time(NULL) << 20 ^ getpid();
	tap_note("seed 0x%llx", state);
	if (!state)
		state = 1;
}

/* Memory that ends where nothing is: what the kernel writes too much, it cannot. */
static char *good, *read_only, *closed;

static char *guarded(size_t size, int prot)
{
	char *p = mmap(NULL, size + PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	memset(p, 0, size);
	CHECK(!mprotect(p, size, prot) && !mprotect(p + size, PAGE, PROT_NONE));
	return p;
}

#define GOOD_SIZE (64 * PAGE)

/*
 * Numbers that tend to mean something: ids, lengths, addresses of memory of
 * each kind, the ends of their range.
 */
static uint64_t meaning(void)
{
	switch (rnd() % 16) {
	case 0: return rnd() % 12;
	case 1: return rnd() % 12;
	case 2: return (uint64_t)(rnd() % 64) * PAGE;
	case 3: return PAGE << rnd() % 12;
	case 4: return (uintptr_t)good + rnd() % 64 * PAGE;
	case 5: return (uintptr_t)good + rnd() % GOOD_SIZE;
	case 6: return (uintptr_t)good + GOOD_SIZE - rnd() % 64;
	case 7: return (uintptr_t)read_only;
	case 8: return (uintptr_t)closed;
	case 9: return 0xffff888000000000ULL + (uint64_t)rnd() * 8;
	case 10: return ~0ULL - rnd() % 3;
	case 11: return 1ULL << rnd() % 64;
	case 12: return MSI_FIRST - 2 * PAGE + rnd() % 4 * PAGE;
	case 13: return 0;
	case 14: return rnd();
	default: return rnd64();
	}
}

/*
 * What the members of a command are, behind its size, so that some get through:
 * lower case 4 bytes, upper case 8.
 */
static const char *const shapes[0x16] = {
	[0x00] = "i",		/* DESTROY */
	[0x01] = "00",		/* IOAS_ALLOC */
	[0x02] = "in0P",		/* IOAS_ALLOW_IOVAS */
	[0x03] = "fiiLAA",		/* IOAS_COPY */
	[0x04] = "in0PZ",		/* IOAS_IOVA_RANGES */
	[0x05] = "fi0PLA",		/* IOAS_MAP */
	[0x06] = "iAL",		/* IOAS_UNMAP */
	[0x07] = "ooiO",		/* OPTION */
	[0x08] = "io",		/* VFIO_IOAS */
	[0x09] = "0ii000nP00",	/* HWPT_ALLOC */
	[0x0a] = "0inP00Z",		/* GET_HW_INFO */
	[0x0b] = "oi0",		/* HWPT_SET_DIRTY_TRACKING */
	[0x0c] = "io0ALLP",		/* HWPT_GET_DIRTY_BITMAP */
	[0x0d] = "iPonn0",		/* HWPT_INVALIDATE */
	[0x0e] = "000",		/* FAULT_QUEUE_ALLOC */
	[0x0f] = "fidLLA",		/* IOAS_MAP_FILE */
	[0x10] = "0oii0n0P",	/* VIOMMU_ALLOC */
	[0x11] = "ii0O",		/* VDEVICE_ALLOC */
	[0x12] = "0",		/* IOAS_CHANGE_PROCESS */
	[0x13] = "0ion000",		/* VEVENTQ_ALLOC */
	[0x14] = "0ioo0AL",		/* HW_QUEUE_ALLOC */
	[0x15] = "0i0ALZ",		/* IOAS_NOIOMMU_GET_PA */
};

static int some_file;

static uint64_t sensible(char what)
{
	switch (what) {
	case 'i': return 1 + rnd() % 10;
	case 'f': return rnd() % 8;
	case 'n': return rnd() % 40;
	case 'o': case 'O': return rnd() % 3;
	case 'd': return some_file;
	case 'P': return (uintptr_t)good + rnd() % 32 * PAGE;
	case 'L': return (uint64_t)(rnd() % 32) * PAGE;
	case 'A': return (uint64_t)(rnd() % 256) * PAGE;
	default: return 0;
	}
}

/* Gives the size of the struct. */
static uint32_t fill(unsigned int nr, unsigned char *c)
{
	const char *m = shapes[nr];
	unsigned int wrong = rnd() % 4 ? ~0U : rnd() % strlen(m);
	uint32_t at = 4;

	for (; *m; m++, wrong--) {
		int size = *m >= 'A' && *m <= 'Z' ? 8 : 4;
		uint64_t v = wrong ? sensible(*m) : meaning();

		memcpy(c + at, &v, size);
		at += size;
	}
	return at;
}

static unsigned long tried, succeeded;

static void one(int fd)
{
	unsigned int nr = rnd() % 0x16, i;
	unsigned long cmd = _IO(IOMMUFD_TYPE, 0x80 + nr);
	unsigned char c[256] = { 0 };
	uint32_t size;
	int rc;

	if (rnd() % 8) {
		size = fill(nr, c);
		if (!(rnd() % 16))
			size = rnd() % 8 ? rnd() % 64 : rnd();
	} else {
		size = 4 * (rnd() % 16);
		for (i = 4; i < size; i += 4) {
			uint32_t v = (uint32_t)meaning();

			memcpy(c + i, &v, 4);
		}
	}
	memcpy(c, &size, 4);
	rc = iofd_ioctl(fd, cmd, c);
	tried++;
	succeeded += rc >= 0;
	if (rc < 0 && !(rnd() % 16)) {
		const char *wrong = iofd_refused(fd, cmd, rc, rc);

		if (wrong)
			tap_fail(__FILE__, __LINE__, "ioctl 0x%lx: %s", cmd, wrong);
	}
	/* what a queue opens must not fill the table of descriptors */
	if (!(tried % 256))
		syscall(SYS_close_range, 100, ~0U, 0);
}

static void limit_memory(void)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	struct rlimit r = { 64 * MIB, 64 * MIB };

	CHECK(!setrlimit(RLIMIT_MEMLOCK, &r));
	CHECK(!syscall(SYS_capget, &h, data));
	data[0].effective &= ~(1U << CAP_IPC_LOCK);
	CHECK(!syscall(SYS_capset, &h, data));
}

/* In a process of its own, so that all it has made is gone when it returns. */
static void storm(void (*prepare)(void))
{
	long long before = mem_pinned_pages();
	int status;
	pid_t pid;

	choose_seed();
	pid = fork();
	if (!pid) {
		time_t end;

		good = guarded(GOOD_SIZE, PROT_READ | PROT_WRITE);
		read_only = guarded(PAGE, PROT_READ);
		closed = guarded(PAGE, PROT_NONE);
		some_file = OK(mem_file(GOOD_SIZE, 0));
		space_open(&s);
		prepare();
		limit_memory();
		end = time(NULL) + SECONDS;
		while (time(NULL) < end) {
			int i;

			for (i = 0; i < 200; i++)
				one(s.fd);
			/* so that there is always something to be found */
			if (iofd_objects(s.fd, NULL) > 200) {
				for (i = 0; i < 1000; i++)
					iofd_destroy(s.fd, i);
				iofd_ioas(s.fd, &s.ioas);
			}
			iofd_map_at(s.fd, 1 + rnd() % 8, good, GOOD_SIZE, 0x100000);
		}
		tap_note("%lu commands, %lu of them succeeded", tried, succeeded);
		/* a storm in which nothing gets through tests little */
		CHECK(succeeded > tried / 50);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 4)
		_exit(4);
	CHECK_EQ(status, 0);
	CHECK_EQ(mem_wait_pinned(before, 5000), before);
}

static void nothing(void)
{
}

static void without_device(void)
{
	storm(nothing);
}

static void attached(void)
{
	need_edu(&d, 0, s.fd);
	attach(&d, s.ioas);
}

static void with_device(void)
{
	storm(attached);
}

/* Two storms on one file, one of which also moves the device about. */
static void two_at_once(void)
{
	long long before = mem_pinned_pages();
	int status, worst = 0, i;
	pid_t pid[2];

	choose_seed();
	good = guarded(GOOD_SIZE, PROT_READ | PROT_WRITE);
	read_only = guarded(PAGE, PROT_READ);
	closed = guarded(PAGE, PROT_NONE);
	some_file = OK(mem_file(GOOD_SIZE, 0));
	space_open(&s);
	attached();
	for (i = 0; i < 2; i++) {
		pid[i] = fork();
		if (!pid[i]) {
			time_t end = time(NULL) + SECONDS;

			state += i;
			limit_memory();
			while (time(NULL) < end) {
				uint32_t pt = rnd() % 12;

				one(s.fd);
				if (i && !(tried % 64) && vdev_attach(&d.vdev, &pt))
					vdev_detach(&d.vdev);
			}
			tap_note("%lu commands, %lu of them succeeded", tried, succeeded);
			_exit(0);
		}
	}
	for (i = 0; i < 2; i++) {
		CHECK(waitpid(pid[i], &status, 0) == pid[i]);
		worst |= status;
	}
	CHECK_EQ(worst, 0);
	edu_fini(&d.edu);
	vdev_close(&d.vdev);
	close(s.fd);
	CHECK_EQ(mem_wait_pinned(before, 5000), before);
}

static const struct tap_test tests[] = {
	{ "random commands without a device", without_device, 60 },
	{ "random commands with a device attached", with_device, 60 },
	{ "random commands by two processes, the device moving", two_at_once, 60 },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

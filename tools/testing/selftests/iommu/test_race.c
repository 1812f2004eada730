// SPDX-License-Identifier: GPL-2.0
/*
 * Several threads and processes on one file, and processes that end in the
 * middle of something. What each call answers depends on who was first, so the
 * tests look at what must hold whoever it was: nobody crashes, no answer is one
 * that the situation cannot have given, nothing stays pinned.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "devices.h"
#include "mem.h"

#define PAGE 4096UL
#define SECONDS 3

static struct space s;
static struct testdev d, e;
static char *mem;
#define MEM_SIZE (4 * MIB)

static atomic_bool stop;
static long long pinned_before;

static void begin(void)
{
	pinned_before = mem_pinned_pages();
	space_open(&s);
	mem = mem_anon(MEM_SIZE);
	CHECK(mem);
}

/* Two edus, if there are, the first one attached. */
static void begin_devices(void)
{
	begin();
	need_edu(&d, 0, s.fd);
	attach(&d, s.ioas);
}

static void all_is_unpinned(void)
{
	long long now = mem_wait_pinned(pinned_before, 5000);

	if (now != pinned_before)
		tap_fail(__FILE__, __LINE__, "%lld pages pinned, %lld before", now,
			 pinned_before);
}

static void end(void)
{
	OK(iofd_unmap(s.fd, s.ioas, 0, UINT64_MAX, NULL));
	CHECK_EQ(mem_status(0, "VmPin"), 0);
	all_is_unpinned();
}

/* An answer that only the other thread can explain. */
static int one_of(int rc, const char *what, int a, int b, int c)
{
	if (rc < 0 && rc != a && rc != b && rc != c)
		tap_fail(__FILE__, __LINE__, "%s gave %s: %s", what, tap_errno(rc),
			 iommufd_last_reason(s.fd));
	return rc;
}

struct worker {
	void (*work)(unsigned int *seed);
	pthread_t thread;
	unsigned int seed;
	long rounds;
};

static void *loop(void *arg)
{
	struct worker *w = arg;

	while (!stop) {
		w->work(&w->seed);
		w->rounds++;
	}
	return NULL;
}

static void run(void (*const work[])(unsigned int *), int n)
{
	struct worker w[8] = { 0 };
	char text[200] = "rounds:";
	int i;

	for (i = 0; i < n; i++) {
		w[i].work = work[i];
		w[i].seed = i + 1;
		CHECK(!pthread_create(&w[i].thread, NULL, loop, &w[i]));
	}
	sleep(SECONDS);
	stop = true;
	for (i = 0; i < n; i++) {
		CHECK(!pthread_join(w[i].thread, NULL));
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " %ld", w[i].rounds);
		/* a thread that never got through has not raced */
		CHECK(w[i].rounds > 0);
	}
	tap_note("%s", text);
}

#define RUN(...)							\
	do {								\
		void (*const work_[])(unsigned int *) = { __VA_ARGS__ };	\
									\
		run(work_, sizeof(work_) / sizeof(work_[0]));		\
	} while (0)

/* --- one address space --- */

static void map_some(unsigned int *seed)
{
	uint64_t iova = rand_r(seed) % 64 * 16 * PAGE;
	uint64_t length = (1 + rand_r(seed) % 40) * PAGE;

	one_of(space_map(&s, mem + rand_r(seed) % 900 * PAGE, length, iova),
	       "MAP", -EEXIST, 0, 0);
}

static void unmap_some(unsigned int *seed)
{
	uint64_t iova = rand_r(seed) % 64 * 16 * PAGE;

	/* EBUSY: another thread's call has not done with a mapping there */
	one_of(space_unmap(&s, iova, (1 + rand_r(seed) % 100) * PAGE), "UNMAP",
	       -ENOENT, -EBUSY, 0);
}

static void unmap_all(unsigned int *seed)
{
	one_of(iofd_unmap(s.fd, s.ioas, 0, UINT64_MAX, NULL), "UNMAP", -EBUSY, 0, 0);
	usleep(rand_r(seed) % 500);
}

static void read_fdinfo(unsigned int *seed)
{
	CHECK(iofd_objects(s.fd, NULL) >= 1);
}

static void ask_ranges(unsigned int *seed)
{
	struct iommu_iova_range r[16];
	uint32_t n = 16;
	uint64_t align;

	OK(iofd_ranges(s.fd, s.ioas, r, &n, &align));
	CHECK(n >= 1);
}

static void same_place(void)
{
	begin_devices();
	RUN(map_some, unmap_some, map_some, unmap_some);
	end();
}

static void map_against_all(void)
{
	begin_devices();
	RUN(map_some, map_some, unmap_all, read_fdinfo, ask_ranges);
	end();
}

/* Two threads map and unmap one and the same page: one of them wins each time. */
static atomic_int owners;

static void fight(unsigned int *seed)
{
	if (!one_of(space_map(&s, mem, PAGE, 0x1000), "MAP", -EEXIST, 0, 0)) {
		CHECK(atomic_fetch_add(&owners, 1) == 0);
		atomic_fetch_sub(&owners, 1);
		OK(space_unmap(&s, 0x1000, PAGE));
	}
}

static void one_page(void)
{
	begin_devices();
	RUN(fight, fight);
	end();
}

/*
 * Two UNMAPs of one large mapping at once. Whichever answers first, whatever it
 * answers: when it does, the place is free.
 */
static pthread_barrier_t both;
#define LARGE (128 * MIB)

static void *unmap_and_map(void *arg)
{
	long i, which = (long)arg;

	for (i = 0; i < 20; i++) {
		pthread_barrier_wait(&both);	/* it is mapped */
		/* EBUSY: what the other thread maps behind its own UNMAP */
		while (one_of(space_unmap(&s, 0, LARGE), "UNMAP", -ENOENT, -EBUSY, 0) == -EBUSY)
			;
		/* near the end, where the IOMMU comes last */
		OK(space_map(&s, mem, PAGE, LARGE - (1 + which) * PAGE));
		pthread_barrier_wait(&both);
	}
	return NULL;
}

static void unmap_twice(void)
{
	char *large = mem_anon(LARGE);
	pthread_t t[2];
	long i;

	begin_devices();
	CHECK(!pthread_barrier_init(&both, NULL, 3));
	for (i = 0; i < 2; i++)
		CHECK(!pthread_create(&t[i], NULL, unmap_and_map, (void *)i));
	for (i = 0; i < 20; i++) {
		OK(iofd_unmap(s.fd, s.ioas, 0, UINT64_MAX, NULL));
		OK(space_map(&s, large, LARGE, 0));
		pthread_barrier_wait(&both);
		pthread_barrier_wait(&both);
	}
	for (i = 0; i < 2; i++)
		CHECK(!pthread_join(t[i], NULL));
	end();
}

/* --- tables and devices --- */

static void attach_detach(unsigned int *seed)
{
	uint32_t pt = s.ioas;

	OK(vdev_attach(&d.vdev, &pt));
	OK(vdev_detach(&d.vdev));
}

static void other_device(unsigned int *seed)
{
	uint32_t pt = s.ioas;

	OK(vdev_attach(&e.vdev, &pt));
	usleep(rand_r(seed) % 1000);
	OK(vdev_detach(&e.vdev));
}

static void make_hwpt(unsigned int *seed)
{
	uint32_t hwpt;

	OK(iofd_hwpt(s.fd, d.vdev.id, s.ioas, 0, &hwpt));
	OK(iofd_destroy(s.fd, hwpt));
}

static void attach_against_map(void)
{
	begin_devices();
	need_edu(&e, 1, s.fd);
	RUN(map_some, unmap_some, attach_detach, other_device, make_hwpt);
	OK(vdev_detach(&d.vdev));
	OK(vdev_detach(&e.vdev));
	end();
	CHECK_EQ(iofd_objects(s.fd, "hwpt"), 0);
}

static uint32_t tables[2];

static void replace_one(unsigned int *seed)
{
	uint32_t pt = tables[rand_r(seed) % 2];

	one_of(vdev_attach(&d.vdev, &pt), "ATTACH", -ENOENT, 0, 0);
}

/* leaves the device most of its time for DMA */
static void replace_slowly(unsigned int *seed)
{
	replace_one(seed);
	usleep(20000);
}

static void renew_table(unsigned int *seed)
{
	int i = rand_r(seed) % 2;
	uint32_t hwpt;

	/* in use by the device, or gone and its number not yet given again */
	if (one_of(iofd_destroy(s.fd, tables[i]), "DESTROY", -EBUSY, 0, 0))
		return;
	OK(iofd_hwpt(s.fd, d.vdev.id, s.ioas, 0, &hwpt));
	tables[i] = hwpt;
}

static void destroy_against_attach(void)
{
	begin_devices();
	OK(space_map(&s, mem, MEM_SIZE, 0x100000));
	OK(iofd_hwpt(s.fd, d.vdev.id, s.ioas, 0, &tables[0]));
	OK(iofd_hwpt(s.fd, d.vdev.id, s.ioas, 0, &tables[1]));
	RUN(replace_one, renew_table);
	OK(vdev_detach(&d.vdev));
	OK(iofd_destroy(s.fd, tables[0]));
	OK(iofd_destroy(s.fd, tables[1]));
	end();
}

static void start(struct worker *w, void (*work)(unsigned int *))
{
	w->work = work;
	w->seed = 1;
	CHECK(!pthread_create(&w->thread, NULL, loop, w));
}

static void finish(struct worker *w)
{
	stop = true;
	CHECK(!pthread_join(w->thread, NULL));
	CHECK(w->rounds > 0);
}

/* Each DMA reaches its page, whatever is mapped beside it. */
static void dma_stays(void)
{
	struct worker mapper = { 0 }, unmapper = { 0 };
	char *steady = mem_anon(2 * PAGE);
	int i;

	begin_devices();
	OK(space_map(&s, steady, 2 * PAGE, 0x08000000));
	start(&mapper, map_some);
	start(&unmapper, unmap_some);
	for (i = 0; i < 20; i++)
		CHECK(dma_copies(&d, 0x08000000, 0x08001000, steady, steady + PAGE));
	finish(&mapper);
	finish(&unmapper);
	end();
}

/*
 * DMA while tables are replaced. The kernel's VT-d driver blocks a device for a
 * moment on the way from one table to the next, so a transfer can be refused.
 * But it is done or not done, and never goes anywhere else.
 */
static void dma_replaced(void)
{
	struct worker replacer = { 0 };
	char *m = mem_anon(4 * PAGE);
	int i, done = 0;

	begin_devices();
	OK(space_map(&s, m, 4 * PAGE, 0x08000000));
	OK(iofd_hwpt(s.fd, d.vdev.id, s.ioas, 0, &tables[0]));
	OK(iofd_hwpt(s.fd, d.vdev.id, s.ioas, 0, &tables[1]));
	start(&replacer, replace_slowly);
	for (i = 0; i < 20; i++) {
		mem_fill(m, PAGE, 2 * i);
		memset(m + PAGE, 0, 3 * PAGE);
		OK(edu_read(&d.edu, 0x08000000, 0, PAGE));
		OK(edu_write(&d.edu, 0x08002000, 0, PAGE));
		CHECK(mem_holds(m, PAGE, 2 * i));
		done += mem_holds(m + 2 * PAGE, PAGE, 2 * i);
		CHECK(!m[PAGE] && !memcmp(m + PAGE, m + PAGE + 1, PAGE - 1));
		CHECK(!m[3 * PAGE] && !memcmp(m + 3 * PAGE, m + 3 * PAGE + 1, PAGE - 1));
	}
	finish(&replacer);
	tap_note("%d of 20 transfers went through", done);
	CHECK(done > 0);
	/* and afterwards all of them do */
	CHECK(dma_copies(&d, 0x08000000, 0x08001000, m, m + PAGE));
	end();
}

/* --- objects --- */

static _Atomic uint32_t shared_id;

static void make_ioas(unsigned int *seed)
{
	uint32_t ioas;

	OK(iofd_ioas(s.fd, &ioas));
	/* the number may be one that the others still know from before */
	one_of(iofd_map_at(s.fd, ioas, mem, PAGE, 0x1000), "MAP", -ENOENT, -EEXIST, 0);
	shared_id = ioas;
	usleep(rand_r(seed) % 100);
	one_of(iofd_destroy(s.fd, ioas), "DESTROY", -ENOENT, -EBUSY, 0);
}

static void destroy_ioas(unsigned int *seed)
{
	uint32_t id = shared_id;

	if (id && id != s.ioas)
		one_of(iofd_destroy(s.fd, id), "DESTROY", -ENOENT, -EBUSY, 0);
}

static void use_ioas(unsigned int *seed)
{
	uint32_t id = shared_id;

	if (!id)
		return;
	one_of(iofd_map_at(s.fd, id, mem, PAGE, rand_r(seed) % 100 * PAGE), "MAP",
	       -ENOENT, -EEXIST, 0);
	one_of(iofd_unmap(s.fd, id, 0, 100 * PAGE, NULL), "UNMAP", -ENOENT, -EBUSY, 0);
}

static void destroy_against_use(void)
{
	begin();
	RUN(make_ioas, destroy_ioas, use_ioas, use_ioas, read_fdinfo);
	close(s.fd);
	all_is_unpinned();
}

static void *call_on_closed(void *arg)
{
	int fd = (int)(long)arg, i;

	for (i = 0; i < 1000; i++)
		iofd_map_at(fd, s.ioas, mem, 64 * PAGE, i * 64 * PAGE);
	return NULL;
}

/* The last descriptor goes while a call is under way. */
static void close_in_a_call(void)
{
	pthread_t t;
	int i;

	for (i = 0; i < 20; i++) {
		space_open(&s);
		if (!mem)
			mem = mem_anon(MEM_SIZE);
		CHECK(!pthread_create(&t, NULL, call_on_closed, (void *)(long)s.fd));
		usleep(200 * i);
		close(s.fd);
		CHECK(!pthread_join(t, NULL));
	}
}

/* Device after device is closed while another thread maps. */
static void close_device_against_map(void)
{
	struct worker mapper = { 0 }, unmapper = { 0 };
	int i;

	begin_devices();
	start(&mapper, map_some);
	start(&unmapper, unmap_some);
	for (i = 0; i < 10; i++) {
		edu_fini(&d.edu);
		vdev_close(&d.vdev);
		need_edu(&d, 0, s.fd);
		attach(&d, s.ioas);
	}
	finish(&mapper);
	finish(&unmapper);
	end();
}

/* --- processes --- */

/* A child that maps so much, and is killed after a while. */
static void kill_while_mapping(size_t size, int file, int after_us)
{
	char *va;
	int status;
	pid_t pid = fork();

	if (!pid) {
		struct space mine;
		uint64_t iova = GIB;

		space_open(&mine);
		need_edu(&d, 0, mine.fd);
		attach(&d, mine.ioas);
		if (file) {
			int f = OK(mem_file(size, 0));

			kill(getpid(), SIGSTOP);
			iofd_map_file(mine.fd, mine.ioas, f, 0, size, &iova, IOFD_FIXED_RW);
		} else {
			va = mem_anon(size);
			CHECK(va);
			kill(getpid(), SIGSTOP);
			space_map(&mine, va, size, iova);
		}
		pause();
	}
	CHECK(waitpid(pid, &status, WUNTRACED) == pid);
	if (WIFEXITED(status)) {
		if (WEXITSTATUS(status) == 4)
			tap_skip("no edu device");
		tap_fail(__FILE__, __LINE__, "the child could not begin");
	}
	kill(pid, SIGCONT);
	usleep(after_us);
	kill(pid, SIGKILL);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status));
}

static void kill_in_map(void)
{
	static const int after[] = { 0, 3000, 10000, 20000, 40000, 80000, 300000 };
	const long long slack = 16 * MIB;
	long long free_before;
	unsigned int i;

	pinned_before = mem_pinned_pages();
	free_before = mem_available();
	for (i = 0; i < sizeof(after) / sizeof(after[0]); i++) {
		kill_while_mapping(GIB, 0, after[i]);
		all_is_unpinned();
	}
	/* the memory itself has come back too, which on a busy machine takes a while */
	for (i = 0; i < 300 && mem_available() < free_before - slack; i++)
		usleep(100000);
	if (mem_available() < free_before - slack)
		tap_fail(__FILE__, __LINE__, "%lld MiB less memory available than before",
			 (free_before - mem_available()) / (long long)MIB);
}

static void kill_in_map_file(void)
{
	static const int after[] = { 0, 10000, 40000, 200000 };
	unsigned int i;

	pinned_before = mem_pinned_pages();
	for (i = 0; i < sizeof(after) / sizeof(after[0]); i++) {
		kill_while_mapping(512 * MIB, 1, after[i]);
		all_is_unpinned();
	}
}

/* Killed while the first table is filled with what was mapped before. */
static void kill_in_attach(void)
{
	int i, status;

	pinned_before = mem_pinned_pages();
	for (i = 0; i < 4; i++) {
		pid_t pid = fork();

		if (!pid) {
			char *va = mem_anon(GIB);

			space_open(&s);
			need_edu(&d, 0, s.fd);
			OK(space_map(&s, va, GIB, GIB));
			kill(getpid(), SIGSTOP);
			attach(&d, s.ioas);
			pause();
		}
		CHECK(waitpid(pid, &status, WUNTRACED) == pid);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 4)
			tap_skip("no edu device");
		kill(pid, SIGCONT);
		usleep(i * 15000);
		kill(pid, SIGKILL);
		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK(WIFSIGNALED(status));
		all_is_unpinned();
	}
}

/* Ends without a word; everything goes with the descriptors. */
static void exit_with_everything(void)
{
	int status;
	pid_t pid;

	pinned_before = mem_pinned_pages();
	pid = fork();
	if (!pid) {
		uint32_t hwpt;
		int i;

		begin_devices();
		need_edu(&e, 1, s.fd);
		for (i = 0; i < 5; i++)
			OK(iofd_hwpt(s.fd, e.vdev.id, s.ioas, 0, &hwpt));
		attach(&e, hwpt);
		OK(space_map(&s, mem, MEM_SIZE, 0x100000));
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 4)
		tap_skip("no two edu devices");
	CHECK_EQ(status, 0);
	all_is_unpinned();
	/* the devices are free */
	begin_devices();
	need_edu(&e, 1, s.fd);
}

/* A child has the same file; what it maps is its own memory. */
static void fork_shares(void)
{
	int status, go[2], back[2];
	pid_t pid;
	char c;

	begin_devices();
	CHECK(!pipe(go) && !pipe(back));
	pid = fork();
	if (!pid) {
		char *va = mem_anon(PAGE);

		OK(space_map(&s, va, PAGE, 0x1000));
		CHECK(write(back[1], "x", 1) == 1);
		CHECK(read(go[0], &c, 1) == 1);
		CHECK(mem_holds(va, PAGE, 77));
		_exit(0);
	}
	CHECK(read(back[0], &c, 1) == 1);
	ERR(space_map(&s, mem, PAGE, 0x1000), -EEXIST);
	OK(space_map(&s, mem, PAGE, 0x2000));
	mem_fill(mem, PAGE, 77);
	OK(edu_read(&d.edu, 0x2000, 0, PAGE));
	OK(edu_write(&d.edu, 0x1000, 0, PAGE));
	CHECK(write(go[1], "x", 1) == 1);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK_EQ(status, 0);
	/* the child's charge is not ours */
	CHECK_EQ(mem_status(0, "VmPin"), PAGE);
	end();
}

/* exec() gives up the memory, not a descriptor that stays open over it. */
static void exec_keeps(void)
{
	char fd[16];
	int status;
	pid_t pid;

	begin_devices();
	pid = fork();
	if (!pid) {
		OK(space_map(&s, mem, 16 * PAGE, 0x10000));
		fcntl(s.fd, F_SETFD, 0);
		snprintf(fd, sizeof(fd), "%d", s.fd);
		execl("/proc/self/exe", "test", "exec-child", fd, NULL);
		_exit(2);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK_EQ(status, 0);
	/* still mapped, though neither memory nor process are there any more */
	CHECK(mem_pinned_pages() >= pinned_before + 16);
	OK(edu_write(&d.edu, 0x10000, 0, PAGE));
	OK(space_unmap(&s, 0x10000, 16 * PAGE));
	end();
}

/* What exec_keeps() becomes: uses the file that it was given. */
static int exec_child(int fd)
{
	uint32_t ioas;
	char *va = mem_anon(PAGE);

	if (iofd_objects(fd, "ioas") != 1 || iofd_ioas(fd, &ioas) ||
	    iofd_map_at(fd, ioas, va, PAGE, 0) || iofd_destroy(fd, ioas))
		return 1;
	return 0;
}

static const struct tap_test tests[] = {
	{ "MAP and UNMAP of overlapping places by four threads", same_place },
	{ "MAP against UNMAP of everything", map_against_all },
	{ "MAP of one page by two threads: never both", one_page },
	{ "UNMAP of one mapping by two threads: gone when either returns", unmap_twice, 60 },
	{ "ATTACH, DETACH and HWPT_ALLOC against MAP and UNMAP", attach_against_map },
	{ "DESTROY of tables against ATTACH", destroy_against_attach },
	{ "DMA goes on while its neighbours change", dma_stays, 60 },
	{ "DMA while tables are replaced is done or refused", dma_replaced, 60 },
	{ "DESTROY of an IOAS that others use", destroy_against_use },
	{ "close() with a call under way", close_in_a_call },
	{ "closing the device while others map", close_device_against_map, 60 },
	{ "killed in the middle of a 1 GiB MAP", kill_in_map, 120 },
	{ "killed in the middle of a MAP_FILE", kill_in_map_file, 90 },
	{ "killed while a table is filled with 1 GiB", kill_in_attach, 120 },
	{ "a process that ends leaves nothing", exit_with_everything },
	{ "fork() shares the file, not the memory", fork_shares },
	{ "exec() keeps what the file has mapped", exec_keeps },
};

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "exec-child"))
		return exec_child(atoi(argv[2]));
	return TAP_RUN(argc, argv, tests);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that is taken out of the running machine. What a device may reach does
 * not go: it moves away before it is pinned, if it lies where nothing may stay, or
 * taking it out fails for as long as it is pinned.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mem.h"
#include "mock.h"

#define PAGE	4096UL
#define BLOCKS	"/sys/devices/system/memory/"
/* what is allocated at a time, until enough of it lies in the block */
#define CHUNK	(8 * MIB)
#define CHUNKS	180

static struct space s;
static struct mockdev m;
static unsigned long first, last;	/* frames of the block */
static char block[64];

static void read_text(const char *path, char *text, size_t size)
{
	FILE *f = fopen(path, "re");

	text[0] = 0;
	if (!f)
		return;
	if (!fgets(text, size, f))
		text[0] = 0;
	fclose(f);
	text[strcspn(text, "\n")] = 0;
}

/* 0 or -errno; ends after so many seconds, as a user would press Ctrl-C. */
static int set_state(const char *state, int seconds)
{
	char path[128];
	int status;
	pid_t pid;

	snprintf(path, sizeof(path), BLOCKS "%s/state", block);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		int fd = open(path, O_WRONLY);

		signal(SIGALRM, SIG_DFL);
		alarm(seconds);
		_exit(fd >= 0 && write(fd, state, strlen(state)) == (ssize_t)strlen(state) ?
		      0 : errno);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		return -EINTR;
	return -WEXITSTATUS(status);
}

static void block_state(char *state, size_t size)
{
	char path[128];

	snprintf(path, sizeof(path), BLOCKS "%s/state", block);
	read_text(path, state, size);
}

/* The highest block of the machine, which is on the module that can go. */
static void want_block(const char *how)
{
	char text[32];
	struct dirent *e;
	int best = -1, n;
	DIR *d = opendir(BLOCKS);

	if (!d || access("/sys/bus/acpi/devices/PNP0C80:00", F_OK))
		tap_skip("no memory of this machine can be taken out");
	while ((e = readdir(d)))
		if (sscanf(e->d_name, "memory%d", &n) == 1 && n > best)
			best = n;
	closedir(d);
	CHECK(best >= 0);
	snprintf(block, sizeof(block), "memory%d", best);
	read_text(BLOCKS "block_size_bytes", text, sizeof(text));
	first = best * (strtoul(text, NULL, 16) / PAGE);
	last = first + strtoul(text, NULL, 16) / PAGE - 1;
	block_state(text, sizeof(text));
	if (!strcmp(text, "online") && set_state("offline", 10))
		tap_skip("no memory of this machine can be taken out");
	OK(set_state(how, 10));
}

static void give_block_back(void)
{
	char state[32];

	block_state(state, sizeof(state));
	if (!strcmp(state, "online"))
		OK(set_state("offline", 20));
	OK(set_state("online", 10));
}

static unsigned long frame_of(const void *va)
{
	uint64_t entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY);

	CHECK(fd >= 0);
	CHECK_EQ(pread(fd, &entry, 8, (uintptr_t)va / PAGE * 8), 8);
	close(fd);
	return entry >> 63 ? entry & ((1ULL << 55) - 1) : 0;
}

static int in_block(const char *va)
{
	unsigned long frame = frame_of(va);

	return first <= frame && frame <= last;
}

/* A chunk that lies in the block, all others given back. */
static char *memory_in_block(void)
{
	char *chunk[CHUNKS], *found = NULL;
	int i, n;

	for (n = 0; n < CHUNKS && !found; n++) {
		chunk[n] = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHECK(chunk[n] != MAP_FAILED);
		madvise(chunk[n], CHUNK, MADV_NOHUGEPAGE);
		mem_fill(chunk[n], CHUNK, 5);
		if (in_block(chunk[n]) && in_block(chunk[n] + CHUNK / 2) &&
		    in_block(chunk[n] + CHUNK - PAGE))
			found = chunk[n];
	}
	for (i = 0; i < n; i++)
		if (chunk[i] != found)
			munmap(chunk[i], CHUNK);
	if (!found)
		tap_skip("no memory of %s is to be had", block);
	return found;
}

static void begin(const char *how)
{
	mock_open(&s);
	want_block(how);
	OK(mock_device(s.fd, s.ioas, 0, &m));
}

static void end(void)
{
	OK(iofd_unmap(s.fd, s.ioas, 0, UINT64_MAX, NULL));
	OK(iofd_destroy(s.fd, m.stdev));
	give_block_back();
}

/* Nothing may stay in such a block: what gets pinned moves first. */
static void movable(void)
{
	char *mem;

	begin("online_movable");
	mem = memory_in_block();
	OK(iofd_map_at(s.fd, s.ioas, mem, CHUNK, APERTURE));
	CHECK(!in_block(mem));
	CHECK(!in_block(mem + CHUNK / 2));
	OK(mock_check_map(s.fd, m.hwpt, APERTURE, mem, CHUNK));
	CHECK(mem_holds(mem, CHUNK, 5));
	OK(set_state("offline", 20));
	OK(mock_check_map(s.fd, m.hwpt, APERTURE, mem, CHUNK));
	CHECK(mem_holds(mem, CHUNK, 5));
	end();
}

/* The kernel shows each page that does not move. */
static void expect_complaint(void)
{
	static const char line[] = "lab: expect page dumped because: migration failure\n";
	int fd = open("/dev/kmsg", O_WRONLY);

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, line, sizeof(line) - 1), sizeof(line) - 1);
	close(fd);
}

/* What is pinned in an ordinary block keeps that block in the machine. */
static void pinned(void)
{
	char *mem, state[32];
	int rc;

	begin("online_kernel");
	mem = memory_in_block();
	OK(iofd_map_at(s.fd, s.ioas, mem, CHUNK, APERTURE));
	CHECK(in_block(mem));
	expect_complaint();
	rc = set_state("offline", 5);
	if (rc != -EINTR && rc != -EBUSY)
		tap_fail(__FILE__, __LINE__, "taking out pinned memory gave %s", tap_errno(rc));
	block_state(state, sizeof(state));
	CHECK(!strcmp(state, "online"));
	CHECK(in_block(mem));
	OK(mock_check_map(s.fd, m.hwpt, APERTURE, mem, CHUNK));
	CHECK(mem_holds(mem, CHUNK, 5));
	/* and it can go afterwards */
	OK(iofd_unmap(s.fd, s.ioas, 0, UINT64_MAX, NULL));
	OK(set_state("offline", 20));
	CHECK(!in_block(mem));
	CHECK(mem_holds(mem, CHUNK, 5));
	end();
}

/* Without a page table nothing is pinned: memory goes, and comes from elsewhere. */
static void not_pinned_yet(void)
{
	uint32_t ioas;
	char *mem;

	begin("online_kernel");
	OK(iofd_ioas(s.fd, &ioas));
	mem = memory_in_block();
	OK(iofd_map_at(s.fd, ioas, mem, CHUNK, APERTURE));
	OK(set_state("offline", 20));
	OK(mock_replace(s.fd, &m, ioas));
	OK(mock_check_map(s.fd, m.hwpt, APERTURE, mem, CHUNK));
	CHECK(mem_holds(mem, CHUNK, 5));
	OK(mock_replace(s.fd, &m, s.ioas));
	OK(iofd_destroy(s.fd, ioas));
	end();
}

static const struct tap_test tests[] = {
	{ "what is pinned leaves a block that nothing may stay in", movable, 90 },
	{ "a block with pinned memory stays", pinned, 90 },
	{ "what is mapped, but not pinned, moves", not_pinned_yet, 90 },
};

int main(int argc, char **argv)
{
	return MOCK_RUN(argc, argv, tests);
}

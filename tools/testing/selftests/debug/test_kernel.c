// SPDX-License-Identifier: GPL-2.0
/*
 * Does a kernel that is to tell of every mistake do so? What cannot be provoked
 * without ending the run is asked for.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tap.h"

#define LEAKS	"/sys/kernel/debug/kmemleak"
#define RACES	"/sys/kernel/debug/kcsan"

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return -errno;
	rc = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

/* How many lines of a file hold these words. */
static int count(const char *path, const char *words)
{
	FILE *f = fopen(path, "re");
	char line[512];
	int n = 0;

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f))
		n += strstr(line, words) != NULL;
	fclose(f);
	return n;
}

static void leaks_are_found(void)
{
	int m, tries, found = 0;

	if (access(LEAKS, F_OK))
		tap_skip("a kernel without kmemleak");
	OK(put(LEAKS, "scan"));
	CHECK_EQ(count(LEAKS, "unreferenced object"), 0);
	OK(put("/dev/kmsg", "lab: expect kmemleak:\n"));
	m = open("/m/lab_leak.ko", O_RDONLY | O_CLOEXEC);
	CHECK(m >= 0);
	CHECK(syscall(SYS_finit_module, m, "", 0) < 0 && errno == ENODEV);
	close(m);
	/* what is younger than five seconds is not looked at */
	for (tries = 0; tries < 10 && found < 8; tries++) {
		sleep(3);
		OK(put(LEAKS, "scan"));
		found = OK(count(LEAKS, "unreferenced object"));
	}
	tap_note("%d of 16 are found", found);
	CHECK(found >= 8);
	/* all of them are ours: they are not to be said again at the end */
	OK(put(LEAKS, "clear"));
	CHECK_EQ(count(LEAKS, "unreferenced object"), 0);
}

static void locks_are_followed(void)
{
	if (access("/proc/lockdep_stats", F_OK))
		tap_skip("a kernel without lockdep");
	CHECK_EQ(count("/proc/lockdep_stats", "debug_locks:                             1"), 1);
}

static void memory_is_watched(void)
{
	if (count("/proc/kallsyms", " kasan_report\n") <= 0)
		tap_skip("a kernel without KASAN");
	/* the first mistake is the last, so that none is missed */
	CHECK_EQ(count("/proc/sys/kernel/panic_on_warn", "1"), 1);
}

/* How many data races the kernel has found. */
static int races(void)
{
	FILE *f = fopen(RACES, "re");
	char line[512];
	int n, found = -1;

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "data_races: %d", &n) == 1)
			found = n;
	fclose(f);
	return found;
}

static void races_are_found(void)
{
	int m, before;

	if (access(RACES, F_OK))
		tap_skip("a kernel without KCSAN");
	CHECK_EQ(count(RACES, "enabled: 1"), 1);
	before = OK(races());
	OK(put("/dev/kmsg", "lab: expect KCSAN: data-race in count_on\n"));
	m = open("/m/lab_race.ko", O_RDONLY | O_CLOEXEC);
	CHECK(m >= 0);
	CHECK(syscall(SYS_finit_module, m, "", 0) < 0 && errno == ENODEV);
	close(m);
	CHECK(races() > before);
}

int main(int argc, char **argv)
{
	static const struct tap_test tests[] = {
		{ "lost memory is found", leaks_are_found, 60 },
		{ "locks are followed", locks_are_followed },
		{ "memory is watched", memory_is_watched },
		{ "data races are found", races_are_found, 60 },
	};

	return TAP_RUN(argc, argv, tests);
}

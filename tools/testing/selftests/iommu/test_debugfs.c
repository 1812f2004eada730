// SPDX-License-Identifier: GPL-2.0
/* What debugfs tells of a file: every mapping, and why things were refused. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "devices.h"
#include "mem.h"

#define PAGE	4096UL
#define TOP	"/sys/kernel/debug/iommufd"

static char text[65536];

/* The text of this process's only file; false if there is none. */
static bool look(void)
{
	char path[300], mine[32];
	bool found = false;
	struct dirent *e;
	ssize_t n = 0;
	DIR *d;
	int f;

	d = opendir(TOP);
	if (!d)
		tap_skip("no debugfs here");
	snprintf(mine, sizeof(mine), "%d-", getpid());
	while ((e = readdir(d))) {
		if (strncmp(e->d_name, mine, strlen(mine)))
			continue;
		CHECK(!found);
		found = true;
		snprintf(path, sizeof(path), TOP "/%s", e->d_name);
		f = open(path, O_RDONLY | O_CLOEXEC);
		CHECK(f >= 0);
		n = read(f, text, sizeof(text) - 1);
		CHECK(n >= 0);
		close(f);
	}
	closedir(d);
	text[n] = 0;
	return found;
}

#define SAYS(words)							\
	do {								\
		if (!strstr(text, words))				\
			tap_fail(__FILE__, __LINE__, "no '%s' in\n%s", words, text); \
	} while (0)

static void mappings(void)
{
	struct iommu_iova_range allowed = { 0, 0xffffffff };
	char *mem = mem_anon(8 * PAGE);
	uint64_t iova = 0x800000;
	struct space s;
	char want[64];
	int file;

	space_open(&s);
	CHECK(look());
	SAYS("type=ioas");
	SAYS("0 areas");
	OK(iofd_allow(s.fd, s.ioas, &allowed, 1));
	OK(space_map(&s, mem, 8 * PAGE, 0x400000));
	OK(iofd_map(s.fd, s.ioas, mem, PAGE, &iova, IOFD_FIXED_R));
	file = OK(mem_file(8 * PAGE, 0));
	iova = 0xc00000;
	OK(iofd_map_file(s.fd, s.ioas, file, 2 * PAGE, 3 * PAGE, &iova, IOFD_FIXED_RW));
	CHECK(look());
	SAYS("3 areas");
	SAYS("allowed 0x0..0xffffffff");
	SAYS("area 0x400000..0x407fff rw ");
	snprintf(want, sizeof(want), "va=0x%lx", (unsigned long)mem);
	SAYS(want);
	SAYS("area 0x800000..0x800fff r- ");
	SAYS("area 0xc00000..0xc02fff rw file=0x2000");
	SAYS("pinned=0 of 8 pages");
	OK(space_unmap(&s, 0x400000, 8 * PAGE));
	CHECK(look());
	SAYS("2 areas");
	CHECK(!strstr(text, "area 0x400000"));
	/* the sentences, too */
	CHECK(space_unmap(&s, 0x400000, PAGE) == -ENOENT);
	CHECK(look());
	SAYS("refusal:");
	close(s.fd);
	CHECK(!look());
}

static void with_a_device(void)
{
	struct space s;
	struct testdev d;

	space_open(&s);
	need_edu(&d, 0, s.fd);
	OK(space_map(&s, mem_anon(8 * PAGE), 8 * PAGE, 0x400000));
	attach(&d, s.ioas);
	CHECK(look());
	SAYS("pinned=8 of 8 pages");
	SAYS("window 0x");
	/* of the device, with its name */
	if (has_windows())
		return;
	SAYS("reserved " MSI_WINDOW);
	SAYS(d.vdev.bdf);
}

int main(int argc, char **argv)
{
	static const struct tap_test tests[] = {
		{ "mappings, as they come and go", mappings },
		{ "pages, windows and reserved ranges of a device", with_a_device },
	};

	return TAP_RUN(argc, argv, tests);
}

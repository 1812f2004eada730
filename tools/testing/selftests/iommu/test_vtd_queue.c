// SPDX-License-Identifier: GPL-2.0
/* What vtd_queue_test.ko found out about the invalidation queue of iommu_vtd. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tap.h"

static char result[4096];

static void load(void)
{
	int f = open("/m/vtd_queue_test.ko", O_RDONLY | O_CLOEXEC);

	if (f < 0)
		tap_skip("vtd_queue_test.ko is not there");
	if (syscall(SYS_finit_module, f, "", 0) && errno != EEXIST) {
		if (errno == ENODEV)
			tap_skip("a unit in software needs a CPU of its own, and three devices");
		tap_fail(__FILE__, __LINE__, "the module does not load: %s", tap_errno(errno));
	}
	close(f);
	f = open("/sys/module/vtd_queue_test/parameters/result", O_RDONLY | O_CLOEXEC);
	CHECK(f >= 0);
	CHECK(read(f, result, sizeof(result) - 1) > 0);
	close(f);
}

/* The line of a case, in both modes. */
static void judge(void)
{
	static const char *const modes[] = { "legacy", "scalable" };
	char name[64], *line;
	int i;

	load();
	for (i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "%s-%s ", modes[i], (const char *)tap_current->arg);
		line = strstr(result, name);
		CHECK(line);
		line += strlen(name);
		line[strcspn(line, "\n")] = 0;
		if (strcmp(line, "ok"))
			tap_fail(__FILE__, __LINE__, "%s: not so: %s", name, line);
		line[strlen(line)] = '\n';
	}
}

static const struct tap_test tests[] = {
	{ "what is put in arrives, and is waited for", judge, 60, "plain" },
	{ "the queue goes around", judge, 60, "around" },
	{ "a descriptor that is refused: everything is forgotten instead", judge, 60, "refused" },
	{ "a wait descriptor that is refused", judge, 60, "wait_refused" },
	{ "a device that does not answer is told of, and the queue goes on", judge, 60, "mute" },
	{ "a device's descriptor that is refused is told of", judge, 60, "device_refused" },
	{ "the bits of a device's descriptors", judge, 60, "device_bits" },
	{ "a batch is waited for once, and in order where that counts", judge, 60, "together" },
	{ "a batch that is too large goes in several goes", judge, 60, "large" },
	{ "a batch of which any one descriptor is refused", judge, 60, "refused_anywhere" },
	{ "a batch of which two are refused", judge, 60, "refused_twice" },
	{ "of a batch's devices just those that do not answer are cut off", judge, 60, "muted_anyone" },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

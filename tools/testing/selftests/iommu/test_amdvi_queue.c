// SPDX-License-Identifier: GPL-2.0
/* What amdvi_queue_test.ko found out about the command buffer and event log. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tap.h"

static char result[4096];

static void load(void)
{
	int f = open("/m/amdvi_queue_test.ko", O_RDONLY | O_CLOEXEC);

	if (f < 0)
		tap_skip("amdvi_queue_test.ko is not there");
	if (syscall(SYS_finit_module, f, "", 0) && errno != EEXIST) {
		if (errno == ENODEV)
			tap_skip("this machine has less than three PCI devices");
		tap_fail(__FILE__, __LINE__, "the module does not load: %s", tap_errno(errno));
	}
	close(f);
	f = OK(open("/sys/module/amdvi_queue_test/parameters/result", O_RDONLY | O_CLOEXEC));
	CHECK(read(f, result, sizeof(result) - 1) > 0);
	close(f);
}

/* The line of a case */
static void judge(void)
{
	char name[64], *line;

	load();
	snprintf(name, sizeof(name), "%s ", (const char *)tap_current->arg);
	for (line = result; strncmp(line, name, strlen(name)); line++) {
		line = strchr(line, '\n');
		CHECK(line);
	}
	line += strlen(name);
	line[strcspn(line, "\n")] = 0;
	if (strcmp(line, "ok"))
		tap_fail(__FILE__, __LINE__, "%s: not so: %s", name, line);
}

static const struct tap_test tests[] = {
	{ "what is put in arrives, and is waited for", judge, 60, "plain" },
	{ "the buffer goes around", judge, 60, "around" },
	{ "a command that is refused: the unit begins anew, with nothing in it", judge, 60,
	  "refused" },
	{ "a command that cannot be read", judge, 60, "hardware" },
	{ "a command that there is not", judge, 60, "unknown" },
	{ "a unit that forgets all only one by one", judge, 60, "no_all" },
	{ "devices are told after the unit has forgotten", judge, 60, "device_order" },
	{ "the bits of a device's command", judge, 60, "device_bits" },
	{ "a device's command that is refused", judge, 60, "device_refused" },
	{ "just those devices that do not answer are cut off", judge, 60, "silent" },
	{ "the same when the thread has read the log before", judge, 60, "silent_taken" },
	{ "a log that has overflowed says nothing of a device", judge, 60, "flooded" },
	{ "events are read, around the log", judge, 60, "events" },
	{ "an event log that has overflowed begins anew", judge, 60, "events_overflow" },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

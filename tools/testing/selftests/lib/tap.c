// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

const struct tap_test *tap_current;

enum { PASSED = 0, FAILED = 1, SKIPPED = 4 };

/* Shared with the test's process, which has no other way to hand over text. */
static char *skip_reason;
#define REASON_SIZE 4096

const char *tap_errno(long long value)
{
	static char text[4][64];
	static unsigned int turn;
	char *out = text[turn++ % 4];
	long long e = value < 0 ? -value : value;
	const char *name = e > 0 && e < 4096 ? strerrorname_np((int)e) : NULL;

	if (name)
		snprintf(out, sizeof(text[0]), "%s%s (%lld)", value < 0 ? "-" : "",
			 name, e);
	else
		snprintf(out, sizeof(text[0]), "%lld", value);
	return out;
}

void tap_note(const char *fmt, ...)
{
	char line[1024];
	va_list args;
	char *part, *rest = line;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	while ((part = strsep(&rest, "\n")))
		if (*part || !rest)
			printf("# %s\n", part);
	fflush(stdout);
}

void tap_skip(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(skip_reason, REASON_SIZE, fmt, args);
	va_end(args);
	fflush(stdout);
	_exit(SKIPPED);
}

void tap_fail(const char *file, int line, const char *fmt, ...)
{
	const char *base = strrchr(file, '/');
	char text[900];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	tap_note("%s:%d: %s", base ? base + 1 : file, line, text);
	_exit(FAILED);
}

/* The status of the process, or -1 when its time is up and it was killed. */
static int wait_for(pid_t pid, unsigned int seconds)
{
	int status, fd = syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int n = 0;

	if (fd >= 0)
		do
			n = poll(&p, 1, seconds * 1000);
		while (n < 0 && errno == EINTR);

	/*
	 * The group also holds what the test forked and forgot. The child is
	 * still a zombie, so the number of the group cannot be anyone else's.
	 */
	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (fd >= 0)
		close(fd);
	return n > 0 ? status : -1;
}

/* How much longer than usual everything takes where we run. */
static unsigned int slowness(void)
{
	const char *text = getenv("TAP_SLOW");
	int factor = text ? atoi(text) : 1;

	return factor > 1 ? factor : 1;
}

static int run_one(const struct tap_test *t, size_t number)
{
	unsigned int seconds = (t->seconds ? t->seconds : TAP_SECONDS) * slowness();
	int result = FAILED, status;
	pid_t pid;

	skip_reason[0] = 0;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		/* who ends the program ends its test */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setpgid(0, 0);
		tap_current = t;
		t->run();
		fflush(stdout);
		_exit(PASSED);
	}
	if (pid < 0) {
		printf("# fork: %s\n", strerror(errno));
	} else {
		setpgid(pid, pid);
		status = wait_for(pid, seconds);
		if (status == -1)
			printf("# not done after %u seconds\n", seconds);
		else if (WIFSIGNALED(status))
			printf("# killed by %s\n", strsignal(WTERMSIG(status)));
		else if (WEXITSTATUS(status) == SKIPPED && skip_reason[0])
			result = SKIPPED;
		else if (WEXITSTATUS(status) == PASSED)
			result = PASSED;
		else if (WEXITSTATUS(status) != FAILED)
			printf("# exit status %d\n", WEXITSTATUS(status));
	}

	printf("%sok %zu - %s", result == FAILED ? "not " : "", number, t->title);
	if (result == SKIPPED)
		printf(" # SKIP %s", skip_reason);
	printf("\n");
	fflush(stdout);
	return result;
}

static int chosen(const struct tap_test *t, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (strstr(t->title, argv[i]))
			return 1;
	return argc < 2;
}

int tap_run(int argc, char **argv, const struct tap_test *tests, size_t count)
{
	size_t i, number = 0, planned = 0, bad = 0, skipped = 0;

	if (argc == 2 && !strcmp(argv[1], "-l")) {
		for (i = 0; i < count; i++)
			puts(tests[i].title);
		return 0;
	}
	skip_reason = mmap(NULL, REASON_SIZE, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (skip_reason == MAP_FAILED) {
		printf("Bail out! mmap: %s\n", strerror(errno));
		return FAILED;
	}
	/* a console that went away must not end the run half-way in silence */
	signal(SIGPIPE, SIG_IGN);

	for (i = 0; i < count; i++)
		planned += chosen(&tests[i], argc, argv);
	printf("TAP version 13\n1..%zu\n", planned);
	for (i = 0; i < count; i++) {
		int result;

		if (!chosen(&tests[i], argc, argv))
			continue;
		result = run_one(&tests[i], ++number);
		bad += result == FAILED;
		skipped += result == SKIPPED;
	}
	if (bad || !planned)
		return FAILED;
	return skipped == planned ? SKIPPED : PASSED;
}

// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "asker.h"
#include "tap.h"

static const char *const modules[] = { "vtd_asker", "amdvi_asker" };
static const char *loaded = "vtd_asker";

static int open_parameter(const char *name, int flags)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s", loaded, name);
	return OK(open(path, flags | O_CLOEXEC));
}

void asker_set(const char *name, const char *text)
{
	int f = open_parameter(name, O_WRONLY);

	CHECK_EQ(write(f, text, strlen(text)), (ssize_t)strlen(text));
	close(f);
}

void asker_get(const char *name, char *text, size_t size)
{
	int f = open_parameter(name, O_RDONLY);
	ssize_t n = read(f, text, size - 1);

	CHECK(n >= 0);
	text[n] = 0;
	close(f);
}

/* A test before this one may have failed and left it. */
void asker_unload(void)
{
	unsigned int i;

	for (i = 0; i < sizeof(modules) / sizeof(*modules); i++)
		if (syscall(SYS_delete_module, modules[i], 0) && errno != ENOENT)
			tap_fail(__FILE__, __LINE__, "%s: %s", modules[i], tap_errno(errno));
}

void asker_load(const char *module, const char *bdf, const char *parameters)
{
	char text[128];
	int f;

	snprintf(text, sizeof(text), "/m/%s.ko", module);
	f = open(text, O_RDONLY | O_CLOEXEC);
	if (f < 0)
		tap_skip("no %s.ko here", module);
	snprintf(text, sizeof(text), "device=%s %s", bdf, parameters);
	CHECK_EQ(syscall(SYS_finit_module, f, text, 0), 0);
	close(f);
	loaded = module;
}

void asker_forget(void)
{
	asker_set("log", "\n");
}

void asker_check(const char *want, int line)
{
	char have[4096];

	asker_get("log", have, sizeof(have));
	if (strcmp(have, want))
		tap_fail(__FILE__, line, "the driver has done:\n%swant:\n%s", have, want);
}

void asker_in_order(const char *const *lines, int line)
{
	char log[4096];
	const char *at = log;

	asker_get("log", log, sizeof(log));
	for (; *lines; lines++) {
		at = strstr(at, *lines);
		if (!at)
			tap_fail(__FILE__, line, "no %s at its place in:\n%s", *lines, log);
	}
}

unsigned int asker_count(const char *log, const char *what)
{
	unsigned int n = 0;

	while ((log = strstr(log, what))) {
		log += strlen(what);
		n++;
	}
	return n;
}

void asker_wait(unsigned int nr, char *text, size_t size)
{
	unsigned int i, have = 0;

	for (i = 0; i < 3000; i++) {
		asker_get("log", text, size);
		have = asker_count(text, "response");
		if (have >= nr)
			return;
		usleep(10000);
	}
	tap_fail(__FILE__, __LINE__, "%u answers, %u expected:\n%s", have, nr, text);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Every operation with each of its allocations failing once: the first, the
 * second, and so on until none is left to fail. A call that cannot do its work
 * then gives the documented errno and a sentence, has changed nothing and lost
 * nothing, and works when it is made again.
 *
 * ko/iommu_fail.c makes them fail on a stock kernel; one with fault injection
 * does it itself.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mem.h"
#include "ops.h"

/* More allocations than any call makes; it would be going round in circles. */
#define MANY 2000

static int control = -1;
static bool native;

struct outcome {
	bool failed;		/* an allocation did */
	long long live;		/* allocations of our modules not freed; -1: unknown */
	char text[400];
};

static void load(void)
{
	int m;

	if (!access("/dev/iommu_fail", F_OK))
		return;
	m = open("/m/iommu_fail.ko", O_RDONLY | O_CLOEXEC);
	if (m < 0)
		return;
	if (syscall(SYS_finit_module, m, "", 0) && errno != EEXIST)
		tap_note("iommu_fail.ko cannot be loaded: %s", tap_errno(errno));
	close(m);
	usleep(100000);
}

static void setup(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fail-nth");
	if (!access(path, F_OK)) {
		native = true;
		control = open(path, O_RDWR | O_CLOEXEC);
	} else {
		load();
		control = open("/dev/iommu_fail", O_RDWR | O_CLOEXEC);
	}
	if (control < 0)
		tap_skip("nothing here makes allocations fail: no iommu_fail.ko, no fault injection");
}

static void arm(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	if (write(control, text, len) != len)
		tap_fail(__FILE__, __LINE__, "cannot arm: %s", tap_errno(errno));
}

static void disarm(struct outcome *o)
{
	ssize_t n = pread(control, o->text, sizeof(o->text) - 1, 0);
	unsigned long seen, lost;
	int failed;

	CHECK(n > 0);
	o->text[n] = 0;
	if (native) {
		/* what is left to count down; 0: it came to it */
		o->failed = !atoi(o->text);
		o->live = -1;
		arm(0);
		return;
	}
	CHECK(sscanf(o->text, "seen=%lu failed=%d live=%lld lost=%lu", &seen, &failed,
		     &o->live, &lost) == 4);
	CHECK(!lost);
	o->failed = failed;
}

static long long live_now(void)
{
	struct outcome o;

	if (native)
		return -1;
	arm(0);
	disarm(&o);
	return o.live;
}

static void same(const struct ops_state *before, struct ops_env *e, const char *when,
		 const struct outcome *o)
{
	struct ops_state now;
	const char *what;

	ops_look(e, &now);
	what = ops_differ(before, &now);
	if (what)
		tap_fail(__FILE__, __LINE__, "%s: %s\n%s", when, what, o->text);
}

static void check_refusal(struct ops_env *e, const struct ops_op *op, int rc,
			  const struct outcome *o)
{
	const char *wrong;

	if (rc != -ENOMEM && (!op->also || rc != -op->also))
		tap_fail(__FILE__, __LINE__, "gave %s: %s\n%s", tap_errno(rc),
			 op->cmd ? iommufd_last_reason(*e->refuser) : "", o->text);
	if (!op->cmd)
		return;
	wrong = iofd_refused(*e->refuser, op->cmd, rc, rc);
	if (wrong)
		tap_fail(__FILE__, __LINE__, "%s\n%s", wrong, o->text);
}

static void sweep(const struct ops_op *op)
{
	struct ops_state first, before;
	unsigned int n, refused = 0;
	long long live = -1;
	struct outcome o;
	struct ops_env e;
	int rc;

	setup();
	ops_begin(&e, op);
	/* what is set up once and for all is set up now */
	if (op->prepare)
		op->prepare(&e);
	rc = op->call(&e);
	if (rc == -ENOTTY)
		tap_skip("not there: %s", iommufd_last_reason(*e.refuser));
	OK(rc);
	if (op->undo)
		op->undo(&e);
	ops_look(&e, &first);
	live = live_now();

	for (n = 1; n < MANY; n++) {
		if (op->prepare)
			op->prepare(&e);
		ops_look(&e, &before);
		arm(n);
		rc = op->call(&e);
		disarm(&o);
		if (getenv("SWEEP_VERBOSE"))
			tap_note("%u: %s %s", n, tap_errno(rc), o.text);
		if (rc < 0 && !o.failed)
			tap_fail(__FILE__, __LINE__, "gave %s though nothing failed: %s",
				 tap_errno(rc), o.text);
		if (rc < 0) {
			refused++;
			check_refusal(&e, op, rc, &o);
			same(&before, &e, "the call that failed changed something", &o);
			rc = op->call(&e);
			if (rc)
				tap_fail(__FILE__, __LINE__, "made again it gave %s: %s\n%s",
					 tap_errno(rc), iommufd_last_reason(*e.refuser), o.text);
		}
		if (op->undo)
			op->undo(&e);
		same(&first, &e, "not as before", &o);
		if (!native && live_now() != live)
			tap_fail(__FILE__, __LINE__, "our modules hold %lld allocations, %lld before\n%s",
				 live_now(), live, o.text);
		if (!o.failed)
			break;
	}
	CHECK(n < MANY);
	tap_note("%u allocations, %u of them cannot be done without", n - 1, refused);
}

static void one(void)
{
	sweep(tap_current->arg);
}

int main(int argc, char **argv)
{
	struct tap_test *tests = calloc(ops_count, sizeof(*tests));
	unsigned int i;

	for (i = 0; i < ops_count; i++)
		tests[i] = (struct tap_test){
			.title = ops_table[i].name,
			.run = one,
			.seconds = 60,
			.arg = &ops_table[i],
		};
	return tap_run(argc, argv, tests, ops_count);
}

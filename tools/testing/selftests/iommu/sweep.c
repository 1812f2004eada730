// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/iommufd_test.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mem.h"
#include "sweep.h"

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

static void knob(const char *attr, const char *name, const char *value)
{
	char path[128];
	int f, len = strlen(value);

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", attr, name);
	f = open(path, O_WRONLY | O_CLOEXEC);
	if (f < 0 || write(f, value, len) != len)
		tap_fail(__FILE__, __LINE__, "cannot write %s to %s: %s", value, path,
			 tap_errno(errno));
	close(f);
}

static const char *const attrs[] = { "failslab", "fail_page_alloc", "fail_usercopy" };

struct text_range {
	unsigned long long start, end;
};

/* Only what is called from there fails, or all but that. */
static void limit_to(const char *what, const struct text_range *r)
{
	char name[32], value[32];
	unsigned int i;

	for (i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%s-start", what);
		snprintf(value, sizeof(value), "0x%llx", r->start);
		knob(attrs[i], name, value);
		snprintf(name, sizeof(name), "%s-end", what);
		snprintf(value, sizeof(value), "0x%llx", r->end);
		knob(attrs[i], name, value);
	}
}

/*
 * From the first function of a module to the last; beside it, and as near as the
 * module's size, lies that of another one.
 */
static struct text_range module_text(const char *module)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	struct text_range r = { 0 };
	char line[512], name[64], kind;
	unsigned long long at;

	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%llx %c %*s [%63[^]]]", &at, &kind, name) != 3 ||
		    (kind != 't' && kind != 'T') || strcmp(name, module))
			continue;
		if (!r.start || at < r.start)
			r.start = at;
		if (at > r.end)
			r.end = at;
	}
	fclose(f);
	return r;
}

static struct text_range function_text(const char *function)
{
	struct text_range r = { 0 };
	unsigned long long at;
	char name[128];
	int pass;
	FILE *f;

	for (pass = 0; pass < 2; pass++) {
		f = fopen("/proc/kallsyms", "re");
		CHECK(f);
		while (fscanf(f, "%llx %*c %127s%*[^\n]", &at, name) == 2)
			if (pass && at > r.start && (!r.end || at < r.end))
				r.end = at;
			else if (!pass && !strcmp(name, function))
				r.start = at;
		fclose(f);
		CHECK(r.start);
	}
	return r;
}

/*
 * What others do is not ours to judge: with an allocation failing below
 * vfio-pci, ACPICA frees memory twice; and the IOMMU core cannot refuse to take
 * a device back, so that it warns if its driver has no memory for that.
 */
static void leave_out_others(const struct ops_op *op)
{
	struct text_range none = { 0, ~0ULL };
	struct text_range ours = module_text("iommufd");
	struct text_range others = module_text("vfio_pci_core");

	CHECK(ours.start && others.start);
	limit_to("require", &none);
	if (!op->cmd && op->devices) {
		limit_to("require", &ours);
		others = function_text("__iommu_release_dma_ownership");
	}
	limit_to("reject", &others);
}

/* By itself fault injection spares whoever can wait for memory. */
static void setup_native(const struct ops_op *op)
{
	knob("failslab", "ignore-gfp-wait", "N");
	knob("fail_page_alloc", "ignore-gfp-wait", "N");
	knob("fail_page_alloc", "ignore-gfp-highmem", "N");
	knob("fail_page_alloc", "min-order", "0");
	knob("failslab", "verbose", "0");
	knob("fail_page_alloc", "verbose", "0");
	knob("fail_usercopy", "verbose", "0");
	leave_out_others(op);
}

static void setup(const struct ops_op *op)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fail-nth");
	if (!access(path, F_OK)) {
		native = true;
		setup_native(op);
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

	/* the first write may be what still had to fail */
	if (write(control, text, len) != len && (!native || write(control, text, len) != len))
		tap_fail(__FILE__, __LINE__, "cannot arm: %s", tap_errno(errno));
}

static void disarm(struct outcome *o)
{
	ssize_t n = pread(control, o->text, sizeof(o->text) - 1, 0);
	unsigned long seen, lost;
	int failed;

	if (native) {
		/*
		 * What is left to count down; 0: it came to it. The reading
		 * itself failing means that the call had nothing more to fail.
		 */
		o->text[n > 0 ? n : 0] = 0;
		o->failed = n > 0 && !atoi(o->text);
		o->live = -1;
		arm(0);
		return;
	}
	CHECK(n > 0);
	o->text[n] = 0;
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

static bool changed(const struct ops_state *before, struct ops_env *e)
{
	struct ops_state now;

	ops_look(e, &now);
	return ops_differ(before, &now);
}

static void check_refusal(struct ops_env *e, const struct ops_op *op, int rc,
			  const struct outcome *o)
{
	const char *wrong;

	/* there, memory of the user is out of reach now and then, too */
	if (rc != -ENOMEM && (!op->also || rc != -op->also) && !(native && rc == -EFAULT))
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

	setup(op);
	ops_begin(&e, op);
	/* what is set up once and for all is set up now */
	if (op->prepare)
		op->prepare(&e);
	rc = op->call(&e);
	if (rc == -ENOTTY)
		tap_skip("not there: %s", iommufd_last_reason(*e.refuser));
	if (rc)
		tap_fail(__FILE__, __LINE__, "gave %s: %s", tap_errno(rc),
			 op->cmd ? iommufd_last_reason(*e.refuser) : "");
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
		/* what was unmapped stays so, although how much cannot be told */
		if (rc == -EFAULT && native && (op->cmd == IOMMU_IOAS_UNMAP ||
						op->cmd == VFIO_IOMMU_UNMAP_DMA)) {
			rc = op->call(&e);
			if (rc == -ENOENT)
				rc = 0;
		}
		if (rc == -EFAULT && native && op->lasting)
			rc = op->call(&e);
		/* so does what a command of the selftest has done */
		if (rc == -EFAULT && native && op->cmd == IOMMU_TEST_CMD && changed(&before, &e))
			rc = 0;
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

void sweep_open(void)
{
	load();
	control = open("/dev/iommu_fail", O_RDWR | O_CLOEXEC);
	if (control < 0)
		tap_skip("nothing here makes allocations fail: no iommu_fail.ko");
}

void sweep_arm(unsigned int n)
{
	arm(n);
}

bool sweep_failed(void)
{
	struct outcome o;

	disarm(&o);
	return o.failed;
}

struct tap_test *sweep_tests(const struct ops_op *ops, unsigned int count)
{
	struct tap_test *tests = calloc(count, sizeof(*tests));
	unsigned int i;

	CHECK(tests);
	for (i = 0; i < count; i++)
		tests[i] = (struct tap_test){
			.title = ops[i].name,
			.run = one,
			.seconds = 60,
			.arg = &ops[i],
		};
	return tests;
}

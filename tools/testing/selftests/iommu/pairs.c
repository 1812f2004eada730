// SPDX-License-Identifier: GPL-2.0
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "mem.h"
#include "mock.h"
#include "pairs.h"

struct worker {
	const struct pairs_op *op;
	pthread_t thread;
	unsigned int seed;
	_Atomic unsigned long rounds, done;
};

static const struct pairs *all;
static _Atomic bool stop;

static bool may_answer(const struct pairs_op *op, int rc)
{
	if (rc >= 0 || rc == -ENOENT || rc == -EEXIST || rc == -EBUSY)
		return true;
	return rc == all->also[0] || rc == all->also[1] || rc == op->also[0] ||
	       rc == op->also[1] || rc == op->also[2];
}

static void *work(void *arg)
{
	struct worker *w = arg;

	while (!stop) {
		int rc = w->op->run(&w->seed);

		if (!may_answer(w->op, rc))
			tap_fail(__FILE__, __LINE__, "%s gave %s: %s%s", w->op->name,
				 tap_errno(rc), iommufd_last_reason(*all->fd),
				 all->why ? all->why() : "");
		w->rounds++;
		w->done += rc >= 0;
	}
	return NULL;
}

/* Each round takes what nothing depends on any more. */
static void tear_down(const char *a, const char *b, long long pinned)
{
	static uint32_t ids[4096];
	int round, n, i, left = 0, fd = *all->fd;

	if (all->done)
		all->done();
	for (round = 0; round < 8; round++) {
		n = iofd_object_ids(fd, ids, 4096);
		for (i = 0; i < n; i++)
			if (iofd_destroy(fd, ids[i]) == -EBUSY)
				left = round;
	}
	if (iofd_objects(fd, NULL))
		tap_fail(__FILE__, __LINE__, "%s, %s: %d objects cannot be destroyed after %d rounds",
			 a, b, iofd_objects(fd, NULL), left);
	if (mem_wait_pinned(pinned, 2000) != pinned || mem_status(0, "VmPin"))
		tap_fail(__FILE__, __LINE__, "%s, %s: %lld pages still pinned, VmPin %lld", a, b,
			 mem_pinned_pages() - pinned, mem_status(0, "VmPin"));
	close(fd);
}

static void pair(const struct pairs_op *a, const struct pairs_op *b, long ms)
{
	struct worker w[2] = { { a, .seed = 1 }, { b, .seed = 2 } };
	long long pinned = mem_pinned_pages();
	int i;

	all->set_up(a->devices > b->devices ? a->devices : b->devices);
	stop = false;
	for (i = 0; i < 2; i++)
		CHECK(!pthread_create(&w[i].thread, NULL, work, &w[i]));
	usleep(ms * 1000);
	/* on a busy machine a thread may not have run yet */
	for (i = 0; i < 1000 && !(w[0].rounds && w[1].rounds); i++)
		usleep(10000);
	stop = true;
	for (i = 0; i < 2; i++) {
		CHECK(!pthread_join(w[i].thread, NULL));
		CHECK(w[i].rounds);
	}
	tear_down(a->name, b->name, pinned);
	tap_note("%s (%lu of %lu), %s (%lu of %lu)", a->name, w[0].done, w[0].rounds, b->name,
		 w[1].done, w[1].rounds);
}

static void against_all(void)
{
	const struct pairs_op *a = tap_current->arg, *b;
	const char *ms = getenv("PAIRS_MS");

	if (all->mem) {
		*all->mem = mem_anon(all->size);
		CHECK(*all->mem);
	}
	for (b = a; b < all->ops + all->count; b++)
		pair(a, b, ms ? atol(ms) : 80);
}

int pairs_run(int argc, char **argv, const struct pairs *pairs)
{
	struct tap_test *tests = calloc(pairs->count, sizeof(*tests));
	unsigned int i;

	CHECK(tests);
	all = pairs;
	for (i = 0; i < pairs->count; i++)
		tests[i] = (struct tap_test){
			.title = pairs->ops[i].name,
			.run = against_all,
			.seconds = 120,
			.arg = &pairs->ops[i],
		};
	return (pairs->mock ? mock_run : tap_run)(argc, argv, tests, pairs->count);
}

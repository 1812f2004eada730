// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads that have parts of one table each, down to neighbours in one table of
 * pages, while hardware walks everywhere. Made for ThreadSanitizer and, since
 * tables are freed when hardware has forgotten them, AddressSanitizer.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "../selftests/lib/tap.h"
#include "ops.h"

#define THREADS 4
#define PARTS 8
/* One part: smaller than a table, or several of them. */
static const unsigned int part_pages[PARTS] = { 1, 7, 64, 500, 512, 1024, 1500, 3 };

static pthread_rwlock_t walking = PTHREAD_RWLOCK_INITIALIZER;
static unsigned int stop, go;

/* No walk that began before it is still under way when it returns. */
static void forget_all(void)
{
	pthread_rwlock_wrlock(&walking);
	pthread_rwlock_unlock(&walking);
}

struct worker {
	pthread_t thread;
	struct rig part[PARTS];
	struct ops_source random;
	unsigned int calls;
	const unsigned long *hits;
	const char *why;
};

static u8 random_byte(struct ops_source *s)
{
	s->state = s->state * 6364136223846793005 + 1442695040888963407;
	return s->state >> 56;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	unsigned int i;

	while (!__atomic_load_n(&go, __ATOMIC_ACQUIRE))
		;
	/* until hardware has been there, too: it may be late on a busy machine */
	for (i = 0; (i < w->calls || !__atomic_load_n(w->hits, __ATOMIC_RELAXED)) &&
	     !w->why; i++) {
		struct rig *r = &w->part[random_byte(&w->random) % PARTS];

		if (!ops_one(r, &w->random) || (i % 64 == 0 && !rig_check(r)))
			w->why = r->why;
	}
	return NULL;
}

struct hardware {
	pthread_t thread;
	const struct rig_format *f;
	const struct pt *pt;
	u64 base;
	unsigned int pages;
	unsigned long hits;
};

static void *walk(void *arg)
{
	struct hardware *hw = arg;
	struct ops_source s = { .state = 42 };
	struct hw_leaf leaf;

	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		u64 at = random_byte(&s) << 8 | random_byte(&s);
		bool hit;

		pthread_rwlock_rdlock(&walking);
		hit = hw->f->walk(hw->pt,
				  hw->base + at % hw->pages * rig_page_size(hw->f),
				  false, &leaf);
		__atomic_fetch_add(&hw->hits, hit, __ATOMIC_RELAXED);
		pthread_rwlock_unlock(&walking);
	}
	return NULL;
}

static void run(const struct rig_format *f)
{
	const char *more = getenv("PT_CALLS");
	unsigned int pages = 0, t, p;
	struct worker w[THREADS] = { 0 };
	struct rig whole;
	struct hardware hw;
	u64 base;

	for (p = 0; p < PARTS; p++)
		pages += part_pages[p] * THREADS;
	base = rig_base(f, -(s64)(pages / 2));
	if (!rig_init(&whole, f, NULL, base, pages))
		tap_fail(__FILE__, __LINE__, "%s: %s", f->name, whole.why);
	pages = 0;
	/* part after part, a thread's beside another's */
	for (p = 0; p < PARTS; p++) {
		for (t = 0; t < THREADS; t++) {
			struct rig *r = &w[t].part[p];

			rig_init(r, f, &whole.own, base + pages * rig_page_size(f),
				 part_pages[p]);
			r->forget = forget_all;
			pages += part_pages[p];
		}
	}
	hw = (struct hardware){ .f = f, .pt = &whole.own, .base = base,
				.pages = pages };
	stop = 0;
	go = 0;
	for (t = 0; t < THREADS; t++) {
		w[t].random = (struct ops_source){ random_byte, t + 1 };
		w[t].calls = more ? atoi(more) : 3000;
		w[t].hits = &hw.hits;
		CHECK(!pthread_create(&w[t].thread, NULL, work, &w[t]));
	}
	CHECK(!pthread_create(&hw.thread, NULL, walk, &hw));
	__atomic_store_n(&go, 1, __ATOMIC_RELEASE);
	for (t = 0; t < THREADS; t++)
		pthread_join(w[t].thread, NULL);
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	pthread_join(hw.thread, NULL);
	for (t = 0; t < THREADS; t++) {
		if (w[t].why)
			tap_fail(__FILE__, __LINE__, "%s: %s", f->name, w[t].why);
		for (p = 0; p < PARTS; p++) {
			if (!rig_check(&w[t].part[p]))
				tap_fail(__FILE__, __LINE__, "%s: %s", f->name,
					 w[t].part[p].why);
			rig_fini(&w[t].part[p]);
		}
	}
	CHECK(hw.hits > 0);
	rig_fini(&whole);
	CHECK_EQ(pt_user_tables, 0);
}

static void all_formats(void)
{
	unsigned int i;

	for (i = 0; i < rig_nr_formats; i++)
		run(&rig_formats[i]);
}

static const struct tap_test tests[] = {
	{ "threads with parts of one table, and hardware", all_formats, 900 },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

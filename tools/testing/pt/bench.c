// SPDX-License-Identifier: GPL-2.0-only
/*
 * What map and unmap cost beside the least there is: a loop that stores the same
 * items in an array, and one that clears them. Ratios count; times are of this
 * machine. The compiler is kept from vector instructions, as in a kernel.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "hw.h"

#define KIB_4 4096UL
#define MIB_2 BIT(21)
#define GIB BIT(30)

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

struct job {
	const char *name;
	struct pt_run *runs;
	unsigned int nr;
	u64 items;
	unsigned int rounds;
};

struct result {
	double map, unmap, take, store, clear;
};

static double least(double a, double b)
{
	return a && a < b ? a : b;
}

/* The limit: as many items, from the same list, one beside the other. */
static noinline void plain_store(u64 *array, const struct pt_run *runs,
				 unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		u64 step = (runs[i].phys | runs[i].len) % MIB_2 ? KIB_4 : MIB_2;
		u64 item = runs[i].phys | 3, end = item + runs[i].len;

		for (; item < end; item += step)
			pt_os_store(array++, item);
	}
}

static noinline void plain_clear(u64 *array, u64 nr)
{
	while (nr--)
		pt_os_store(array++, 0);
}

static struct result run(const struct rig_format *f, const struct job *job,
			 u64 iova)
{
	struct pt pt = { .ops = f->ops, .config = f->config };
	u64 *array = calloc(job->items, sizeof(*array)), len = 0;
	struct pt_runs taken = { .max = job->nr };
	struct result r = { 0 };
	unsigned int i;

	taken.run = calloc(job->nr, sizeof(*taken.run));
	for (i = 0; i < job->nr; i++)
		len += job->runs[i].len;
	if (f->ops->init(&pt))
		exit(1);
	for (i = 0; i < job->rounds; i++) {
		struct pt_gather g;
		double t[6];
		size_t n;

		pt_gather_init(&g);
		t[0] = now();
		if (f->ops->map(&pt, iova, job->runs, job->nr,
				PT_READ | PT_WRITE, ~0ULL, &g, &n))
			exit(1);
		t[1] = now();
		if (f->ops->unmap(&pt, iova, len, &g, NULL) != len)
			exit(1);
		t[2] = now();
		r.map = least(r.map, t[1] - t[0]);
		r.unmap = least(r.unmap, t[2] - t[1]);
		pt_gather_free(&g);

		f->ops->map(&pt, iova, job->runs, job->nr, PT_READ | PT_WRITE,
			    ~0ULL, &g, &n);
		taken.nr = 0;
		t[0] = now();
		if (f->ops->unmap(&pt, iova, len, &g, &taken) != len)
			exit(1);
		t[1] = now();
		pt_gather_free(&g);
		r.take = least(r.take, t[1] - t[0]);

		t[0] = now();
		plain_store(array, job->runs, job->nr);
		t[1] = now();
		plain_clear(array, job->items);
		t[2] = now();
		r.store = least(r.store, t[1] - t[0]);
		r.clear = least(r.clear, t[2] - t[1]);
	}
	f->ops->destroy(&pt);
	free(taken.run);
	free(array);
	return r;
}

static void report(const struct job *job, const struct result *r)
{
	printf("%-28s %9.0f %8.1f %6.2f %9.0f %6.2f %9.0f %6.2f\n", job->name,
	       r->map, r->map / job->items, r->map / r->store, r->unmap,
	       r->unmap / r->clear, r->take, r->take / r->clear);
}

/* Runs of @size, one after the other or with gaps in between. */
static struct pt_run *runs_of(unsigned int nr, u64 size, bool scattered)
{
	struct pt_run *runs = calloc(nr, sizeof(*runs));
	unsigned int i;

	for (i = 0; i < nr; i++)
		runs[i] = (struct pt_run){
			.phys = GIB + size * (scattered ? 2 * i : i), .len = size };
	return runs;
}

/* 512 MiB of which every other 2 MiB are one piece, the rest scattered pages. */
static struct pt_run *mixed(unsigned int *nr, u64 *items)
{
	struct pt_run *runs = calloc(128 * 513, sizeof(*runs));
	unsigned int i, k, n = 0;

	for (i = 0; i < 256; i++) {
		u64 phys = 4 * GIB + i * 2 * MIB_2;

		if (i % 2)
			runs[n++] = (struct pt_run){ phys, MIB_2 };
		else
			for (k = 0; k < 512; k++)
				runs[n++] = (struct pt_run){
					phys + 2 * k * KIB_4, KIB_4 };
	}
	*nr = n;
	*items = n;
	return runs;
}

/* The first one whose name has the words; one with pages of 4 KiB. */
static const struct rig_format *format_named(const char *words)
{
	unsigned int i;

	for (i = 0; i < rig_nr_formats; i++)
		if (strstr(rig_formats[i].name, words) &&
		    rig_page_size(&rig_formats[i]) == KIB_4)
			return &rig_formats[i];
	fprintf(stderr, "no format with pages of 4 KiB is called '%s'\n", words);
	exit(1);
}

int main(int argc, char **argv)
{
	static const u64 gib[] = { 1, 4, 16, 64 };
	const struct rig_format *f = format_named(argc > 1 ? argv[1] : "");
	u64 iova = 64 * GIB;
	struct pt_run one, *runs;
	struct result r;
	struct job job;
	unsigned int i;

	printf("%s; ns, per item, and times the loop over an array\n", f->name);
	printf("%-28s %9s %8s %6s %9s %6s %9s %6s\n", "", "map", "an item",
	       "ratio", "unmap", "ratio", "with runs", "ratio");
#define RUN(n, r_, nr_, items_, rounds_) do {				\
		job = (struct job){ n, r_, nr_, items_, rounds_ };	\
		r = run(f, &job, iova);					\
		report(&job, &r);					\
	} while (0)
	runs = runs_of(256, KIB_4, true);
	RUN("1 x 4 KiB", runs, 1, 1, 20000);
	RUN("256 x 4 KiB, scattered", runs, 256, 256, 5000);
	one = (struct pt_run){ GIB, 256 * KIB_4 };
	RUN("256 x 4 KiB, one run", &one, 1, 256, 5000);
	free(runs);
	runs = runs_of(256, MIB_2, true);
	RUN("256 x 2 MiB, scattered", runs, 256, 256, 5000);
	free(runs);
	one = (struct pt_run){ MIB_2, 256 * MIB_2 };
	RUN("256 x 2 MiB, one run", &one, 1, 256, 5000);
	runs = mixed(&job.nr, &job.items);
	RUN("512 MiB, mixed", runs, job.nr, job.items, 50);
	free(runs);
	for (i = 0; i < 4; i++) {
		char name[64];
		u64 nr = gib[i] * GIB / KIB_4;

		snprintf(name, sizeof(name), "%llu GiB of 4 KiB pages",
			 (unsigned long long)gib[i]);
		/* off by a page, so that no leaf gets large */
		one = (struct pt_run){ GIB + KIB_4, nr * KIB_4 };
		RUN(name, &one, 1, nr, 3);
	}
	return 0;
}

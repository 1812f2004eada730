// SPDX-License-Identifier: GPL-2.0
/*
 * Many mappings: small ones one after the other, an address space that is full of
 * them, and two threads that map into it at once. /dev/iommu against the stock
 * kernel's VFIO type1 container, which stops at 65535 mappings.
 *
 * usage: scale [-a AREAS] [-n SMALL]
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "iofd.h"
#include "mem.h"
#include "tap.h"
#include "way.h"

#define PAGE 4096ULL
#define TYPE1_MOST 60000

static unsigned long areas = 100000, small = 10000;
static struct memory one;
static pci_bdf bdf;

static void begin(const struct way *w)
{
	int rc = w->open(bdf);

	if (rc)
		die(w->name, rc);
}

static void must(const char *what, int rc)
{
	if (rc)
		die(what, rc);
}

struct row {
	const char *name, *key;
	double us[WAYS];	/* 0: not possible */
};

static void print_row(const struct row *r)
{
	int w;

	printf("%-52s", r->name);
	json_add(", \"%s\": {", r->key);
	for (w = 0; w < WAYS; w++) {
		if (r->us[w])
			printf(" %11.2f", r->us[w]);
		else
			printf(" %11s", "-");
		if (r->us[w])
			json_add("%s\"%s_us\": %.3f", w && r->us[0] ? ", " : "",
				 ways[w].key, r->us[w]);
	}
	json_add("}");
	if (r->us[TYPE1] && r->us[IOMMUFD])
		printf(" %11.1f", r->us[TYPE1] / r->us[IOMMUFD]);
	printf("\n");
	fflush(stdout);
}

/* Microseconds for each of count calls. */
static double each(double since, unsigned long count)
{
	return (now_ms() - since) * 1e3 / count;
}

static void map_range(const struct way *w, unsigned long from, unsigned long to)
{
	for (; from < to; from++)
		must("map", w->map(&one, 0, PAGE, IOVA + from * 2 * PAGE));
}

static void small_ones(void)
{
	struct row map = { "map of 4 KiB", "small_map" };
	struct row unmap = { "unmap of 4 KiB", "small_unmap" };
	unsigned long i;
	double t;
	int w;

	for (w = 0; w < WAYS; w++) {
		begin(&ways[w]);
		t = now_ms();
		map_range(&ways[w], 0, small);
		map.us[w] = each(t, small);
		t = now_ms();
		for (i = 0; i < small; i++)
			must("unmap", ways[w].unmap(IOVA + i * 2 * PAGE, PAGE));
		unmap.us[w] = each(t, small);
		ways[w].close();
	}
	printf("%lu mappings, each its own call\n", small);
	print_row(&map);
	print_row(&unmap);
}

/* Unmap and map again at places all over the space: what finding one costs. */
static double at_random(const struct way *w, unsigned long count, unsigned long tries)
{
	unsigned long i, at;
	double t = now_ms();

	srand(1);
	for (i = 0; i < tries; i++) {
		at = (unsigned long)rand() % count;
		must("unmap", w->unmap(IOVA + at * 2 * PAGE, PAGE));
		must("map", w->map(&one, 0, PAGE, IOVA + at * 2 * PAGE));
	}
	return each(t, tries);
}

static void full_space(void)
{
	struct row first = { "map, the first 1000", "full_first" };
	struct row last = { "map, the last 1000", "full_last" };
	struct row chosen_first = { "map, the kernel chooses, the first 1000", "chosen_first" };
	struct row chosen_last = { "map, the kernel chooses, the last 1000", "chosen_last" };
	struct row random = { "unmap and map at random", "full_random" };
	struct row hole = { "the same, the kernel chooses the hole", "chosen_random" };
	struct row all = { "unmap of everything in one call, each", "full_unmap_all" };
	unsigned long i, count;
	uint64_t iova, at = 0;
	double t;
	int w;

	for (w = 0; w < WAYS; w++) {
		count = w == TYPE1 && areas > TYPE1_MOST ? TYPE1_MOST : areas;
		begin(&ways[w]);
		t = now_ms();
		map_range(&ways[w], 0, 1000);
		first.us[w] = each(t, 1000);
		map_range(&ways[w], 1000, count - 1000);
		t = now_ms();
		map_range(&ways[w], count - 1000, count);
		last.us[w] = each(t, 1000);
		random.us[w] = at_random(&ways[w], count, 5000);
		t = now_ms();
		must("unmap all", ways[w].unmap(IOVA, count * 2 * PAGE));
		all.us[w] = each(t, count);
		ways[w].close();
	}

	begin(&ways[IOMMUFD]);
	for (i = 0, t = now_ms(); i < areas; i++) {
		if (i == 1000)
			chosen_first.us[IOMMUFD] = each(t, 1000);
		if (i == areas - 1000)
			t = now_ms();
		must("map", iofd_map(bench_iommufd, bench_ioas, one.va, PAGE, &iova, IOFD_RW));
		if (!i)
			at = iova;
	}
	chosen_last.us[IOMMUFD] = each(t, 1000);
	srand(1);
	for (i = 0, t = now_ms(); i < 5000; i++) {
		iova = at + (unsigned long)rand() % areas * PAGE;
		must("unmap", ways[IOMMUFD].unmap(iova, PAGE));
		must("map", iofd_map(bench_iommufd, bench_ioas, one.va, PAGE, &iova, IOFD_RW));
	}
	hole.us[IOMMUFD] = each(t, 5000);
	ways[IOMMUFD].close();

	printf("\n%lu mappings in one address space (type1: %lu)\n", areas,
	       areas > TYPE1_MOST ? TYPE1_MOST : areas);
	print_row(&first);
	print_row(&last);
	print_row(&random);
	print_row(&all);
	print_row(&chosen_first);
	print_row(&chosen_last);
	print_row(&hole);
}

struct mapper {
	const struct way *w;
	struct memory m;
	size_t len;
	unsigned long rounds;
	uint64_t iova;
	pthread_barrier_t *start;
};

static void *mapper(void *data)
{
	struct mapper *p = data;
	unsigned long i;

	pthread_barrier_wait(p->start);
	for (i = 0; i < p->rounds; i++) {
		must("map", p->w->map(&p->m, 0, p->len, p->iova));
		must("unmap", p->w->unmap(p->iova, p->len));
	}
	return NULL;
}

static double with_threads(const struct way *w, unsigned int nr, size_t len, unsigned long rounds)
{
	struct mapper p[2];
	pthread_barrier_t start;
	pthread_t thread[2];
	unsigned int i;
	double t;

	begin(w);
	pthread_barrier_init(&start, NULL, nr + 1);
	for (i = 0; i < nr; i++) {
		p[i] = (struct mapper){
			.w = w, .m = { mem_anon(len), -1 }, .len = len, .rounds = rounds,
			.iova = IOVA + i * (64ULL << 30), .start = &start,
		};
		if (!p[i].m.va)
			die("memory", -errno);
		if (pthread_create(&thread[i], NULL, mapper, &p[i]))
			die("thread", -EAGAIN);
	}
	pthread_barrier_wait(&start);
	t = now_ms();
	for (i = 0; i < nr; i++)
		pthread_join(thread[i], NULL);
	t = each(t, rounds * nr);
	w->close();
	return t;
}

static void threads(void)
{
	static const struct {
		const char *name, *key;
		size_t len;
		unsigned long rounds;
	} sizes[] = {
		{ "4 KiB", "4k", PAGE, 10000 },
		{ "256 KiB", "256k", 256 * KIB, 2000 },
		{ "4 MiB", "4m", 4 * MIB, 200 },
	};
	char name[64], key[64];
	unsigned int i, nr;
	int w;

	printf("\nmap and unmap of both sides, each; two threads are faster where it is less\n");
	for (i = 0; i < 3; i++)
		for (nr = 1; nr <= 2; nr++) {
			struct row r = { name, key };

			snprintf(name, sizeof(name), "%s by %u thread%s", sizes[i].name, nr,
				 nr > 1 ? "s" : "");
			snprintf(key, sizeof(key), "threads_%s_%u", sizes[i].key, nr);
			for (w = 0; w < WAYS; w++)
				r.us[w] = with_threads(&ways[w], nr, sizes[i].len, sizes[i].rounds);
			print_row(&r);
		}
}

int main(int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "a:n:")) != -1)
		switch (opt) {
		case 'a': areas = strtoul(optarg, NULL, 0); break;
		case 'n': small = strtoul(optarg, NULL, 0); break;
		default: fprintf(stderr, "usage: scale [-a AREAS] [-n SMALL]\n"); return 2;
		}
	if (areas < 3000 || !small) {
		fprintf(stderr, "bench: AREAS is 3000 at least, SMALL 1\n");
		return 2;
	}
	bench_device(bdf);
	one = (struct memory){ mem_anon(PAGE), -1 };
	json_begin();
	json_add(", \"bench\": \"scale\", \"areas\": %lu, \"small\": %lu", areas, small);
	printf("%-52s %11s %11s %11s\n\n", "microseconds for one call", "type1", "/dev/iommu",
	       "faster");
	small_ones();
	full_space();
	threads();
	json_end();
	return 0;
}

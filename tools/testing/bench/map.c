// SPDX-License-Identifier: GPL-2.0
/*
 * How long does it take to map and to unmap memory for a device? /dev/iommu
 * against the stock kernel's VFIO type1 container: the same memory, the same
 * device, the same boot. The time of one ioctl each, the least of several runs.
 *
 * Absolute times say nothing about other machines; ratios say a little. So this
 * prints and does not judge.
 *
 * usage: map [-s MIB] [-n RUNS]
 * Prints a table, and the same as one line of JSON that begins with "json: ".
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "iofd.h"
#include "mem.h"
#include "way.h"

static size_t size = 512 * MIB;
static int runs = 5;
static pci_bdf bdf;

struct times {
	double map, unmap;
};

static struct times measure(const struct way *w, const struct memory *m)
{
	struct times best = { 1e12, 1e12 };
	int i, rc = w->open(bdf);

	if (rc)
		die(w->name, rc);
	for (i = 0; i < runs; i++) {
		double t = now_ms();

		rc = w->map(m, 0, size, IOVA);
		t = now_ms() - t;
		if (rc)
			die("map", rc);
		if (t < best.map)
			best.map = t;
		must_be_pinned(w, size);

		t = now_ms();
		rc = w->unmap(IOVA, size);
		t = now_ms() - t;
		if (rc)
			die("unmap", rc);
		if (t < best.unmap)
			best.unmap = t;
		must_be_pinned(w, 0);
	}
	w->close();
	return best;
}

static struct memory small_pages(void)
{
	return (struct memory){ mem_anon(size), -1 };
}

static struct memory huge_pages(void)
{
	struct memory m = { mem_thp(size), -1 };

	if (m.va && !mem_is_thp(m.va, size))
		fprintf(stderr, "bench: not all of it became transparent huge pages\n");
	return m;
}

static struct memory hugetlb(void)
{
	struct memory m = { NULL, -1 };

	if (mem_want_hugetlb(size / (2 * MIB)) >= size / (2 * MIB))
		m.va = mem_hugetlb(size);
	return m;
}

static struct memory of_file(int huge)
{
	struct memory m = { NULL, mem_file(size, huge) };

	if (m.file >= 0)
		m.va = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_POPULATE, m.file, 0);
	if (m.va == MAP_FAILED)
		m.va = NULL;
	return m;
}

static struct memory memfd(void)
{
	return of_file(0);
}

static struct memory hugetlb_memfd(void)
{
	mem_want_hugetlb(size / (2 * MIB));
	return of_file(1);
}

static const struct {
	const char *name, *key;
	struct memory (*make)(void);
} kinds[] = {
	{ "4 KiB pages", "4k", small_pages },
	{ "THP", "thp", huge_pages },
	{ "hugetlb", "hugetlb", hugetlb },
	{ "memfd, by file", "memfd", memfd },
	{ "hugetlb memfd, by file", "hugetlb_memfd", hugetlb_memfd },
};

/* The pool would be missing where small pages are wanted next. */
static void give_back(struct memory *m)
{
	FILE *f = fopen("/proc/sys/vm/nr_hugepages", "we");

	munmap(m->va, size);
	if (m->file >= 0)
		close(m->file);
	if (f) {
		fputs("0\n", f);
		fclose(f);
	}
}

int main(int argc, char **argv)
{
	struct utsname uts;
	int opt, w;
	size_t i;

	while ((opt = getopt(argc, argv, "s:n:")) != -1)
		switch (opt) {
		case 's': size = strtoul(optarg, NULL, 0) * MIB; break;
		case 'n': runs = atoi(optarg); break;
		default: fprintf(stderr, "usage: map [-s MIB] [-n RUNS]\n"); return 2;
		}
	if (runs < 1 || !size || size % (2 * MIB)) {
		fprintf(stderr, "bench: MIB is even, RUNS at least 1\n");
		return 2;
	}
	bench_device(bdf);
	uname(&uts);
	printf("map and unmap of %zu MiB for %s, kernel %s; ms, least of %d\n\n",
	       size / MIB, bdf, uts.release, runs);
	printf("%-24s %19s %21s %17s\n", "", "type1 map/unmap",
	       "/dev/iommu map/unmap", "times faster");
	json_begin();
	json_add(", \"bench\": \"map\", \"mib\": %zu, \"runs\": %d, \"device\": \"%s\"",
		 size / MIB, runs, bdf);

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct memory m = kinds[i].make();
		struct times t[WAYS];

		if (!m.va) {
			printf("%-24s no such memory to be had here\n", kinds[i].name);
			continue;
		}
		for (w = 0; w < WAYS; w++)
			t[w] = measure(&ways[w], &m);
		printf("%-24s %9.2f %9.2f %11.2f %9.2f %8.1f %8.1f\n", kinds[i].name,
		       t[0].map, t[0].unmap, t[1].map, t[1].unmap,
		       t[0].map / t[1].map, t[0].unmap / t[1].unmap);
		fflush(stdout);
		json_add(", \"%s\": {", kinds[i].key);
		for (w = 0; w < WAYS; w++)
			json_add("\"%s\": {\"map_ms\": %.3f, \"unmap_ms\": %.3f}, ",
				 ways[w].key, t[w].map, t[w].unmap);
		json_add("\"map_ratio\": %.2f, \"unmap_ratio\": %.2f}",
			 t[0].map / t[1].map, t[0].unmap / t[1].unmap);
		give_back(&m);
	}
	json_end();
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * What /dev/iommu does beyond type1: several CPUs work on one large map, a second
 * page table is filled from what is pinned already; and what kernel memory it takes
 * to remember what is pinned.
 *
 * usage: parallel [-s MIB] [-n RUNS]
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "iofd.h"
#include "mem.h"
#include "vdev.h"
#include "way.h"

#define PARAMETER "/sys/module/iommufd/parameters/parallel"

static size_t size = 1024 * MIB;
static int runs = 5;
static pci_bdf bdf;

static void must(const char *what, int rc)
{
	if (rc)
		die(what, rc);
}

static void set_cpus(int cpus)
{
	FILE *f = fopen(PARAMETER, "we");

	if (!f || fprintf(f, "%d\n", cpus) < 0 || fclose(f))
		die(PARAMETER, -errno);
}

/* Memory as the kernel finds it when a map begins. */
static void *present(void)
{
	return mem_anon(size);
}

static void *untouched(void)
{
	void *va = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (va == MAP_FAILED)
		return NULL;
	madvise(va, size, MADV_NOHUGEPAGE);
	return va;
}

/* No two pages that follow each other do so in physical memory. */
static void *scattered(void)
{
	char *va = untouched(), *other = untouched();
	size_t at;

	if (!va || !other)
		return NULL;
	for (at = 0; at < size; at += 4 * KIB)
		va[at] = other[at] = 1;
	munmap(other, size);
	return va;
}

static void *large(void)
{
	return mem_thp(size);
}

static const struct {
	const char *name, *key;
	void *(*make)(void);
} kinds[] = {
	{ "4 KiB pages that are there", "4k", present },
	{ "4 KiB pages that are scattered", "4k_scattered", scattered },
	{ "4 KiB pages not touched before", "4k_untouched", untouched },
	{ "THP", "thp", large },
};

static double map_with(int kind, int cpus)
{
	double t, best = 1e12;
	struct memory m = { NULL, -1 };
	int i;

	set_cpus(cpus);
	for (i = 0; i < runs; i++) {
		if (!m.va)
			m.va = kinds[kind].make();
		if (!m.va)
			die("memory", -errno);
		t = now_ms();
		must("map", ways[IOMMUFD].map(&m, 0, size, IOVA));
		t = now_ms() - t;
		must_be_pinned(&ways[IOMMUFD], size);
		must("unmap", ways[IOMMUFD].unmap(IOVA, size));
		if (t < best)
			best = t;
		if (kinds[kind].make == untouched) {
			munmap(m.va, size);
			m.va = NULL;
		}
	}
	if (m.va)
		munmap(m.va, size);
	return best;
}

static void several_cpus(void)
{
	unsigned int i;

	printf("map of %zu MiB, ms, least of %d\n%-40s %10s %10s %10s\n", size / MIB, runs, "",
	       "1 CPU", "2 CPUs", "faster");
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		double one, two;

		must("/dev/iommu", ways[IOMMUFD].open(bdf));
		one = map_with(i, 1);
		two = map_with(i, 2);
		ways[IOMMUFD].close();
		printf("%-40s %10.2f %10.2f %10.2f\n", kinds[i].name, one, two, one / two);
		fflush(stdout);
		json_add(", \"cpus_%s\": {\"one_ms\": %.3f, \"two_ms\": %.3f, \"ratio\": %.2f}",
			 kinds[i].key, one, two, one / two);
	}
	set_cpus(8);
}

/* Another device with a table of its own, while everything is mapped. */
static void second_table(void)
{
	pci_bdf other;
	struct vdev v;
	unsigned int i;
	int n, r;

	for (n = 0; pci_find(PCI_EDU, n, other); n++)
		if (strcmp(other, bdf) && pci_group(other) != pci_group(bdf))
			break;
	printf("\nfilling a second table with %zu MiB, ms, least of %d\n", size / MIB, runs);
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct memory m = { kinds[i].make(), -1 };
		double t, best = 1e12, empty = 1e12;
		uint32_t hwpt;

		if (!m.va)
			die("memory", -errno);
		must("/dev/iommu", ways[IOMMUFD].open(bdf));
		must("second device", vdev_setup(&v, other, bench_iommufd));
		must("map", ways[IOMMUFD].map(&m, 0, size, IOVA));
		for (r = 0; r < runs; r++) {
			t = now_ms();
			must("table", iofd_hwpt(bench_iommufd, v.id, bench_ioas, 0, &hwpt));
			t = now_ms() - t;
			if (t < best)
				best = t;
			t = now_ms();
			must("destroy", iofd_destroy(bench_iommufd, hwpt));
			t = now_ms() - t;
			if (t < empty)
				empty = t;
		}
		vdev_close(&v);
		ways[IOMMUFD].close();
		munmap(m.va, size);
		printf("%-40s %10.2f, and emptying it %10.2f\n", kinds[i].name, best, empty);
		fflush(stdout);
		json_add(", \"second_%s\": {\"fill_ms\": %.3f, \"empty_ms\": %.3f}", kinds[i].key,
			 best, empty);
	}
}

static long long slabs(void)
{
	FILE *f = fopen("/proc/sys/vm/stat_refresh", "we");

	/* what each CPU has counted for itself */
	if (f) {
		fputs("1\n", f);
		fclose(f);
	}
	return mem_meminfo("SUnreclaim");
}

/* Frames that follow each other in memory are remembered as one. */
static void kernel_memory(void)
{
	unsigned int i;
	int r;

	printf("\nkernel memory in slabs, bytes per pinned MiB, mean of %d\n", runs);
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct memory m = { kinds[i].make(), -1 };
		long long taken = 0;
		double each;

		if (!m.va)
			die("memory", -errno);
		must("/dev/iommu", ways[IOMMUFD].open(bdf));
		for (r = 0; r <= runs; r++) {
			long long before = slabs();

			must("map", ways[IOMMUFD].map(&m, 0, size, IOVA));
			/* the first one fills what each CPU keeps at hand */
			if (r)
				taken += slabs() - before;
			must("unmap", ways[IOMMUFD].unmap(IOVA, size));
		}
		ways[IOMMUFD].close();
		munmap(m.va, size);
		each = (double)taken / runs / (size / MIB);
		printf("%-40s %10.0f\n", kinds[i].name, each);
		fflush(stdout);
		json_add(", \"slab_%s\": %.1f", kinds[i].key, each);
	}
}

int main(int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "s:n:")) != -1)
		switch (opt) {
		case 's': size = strtoul(optarg, NULL, 0) * MIB; break;
		case 'n': runs = atoi(optarg); break;
		default: fprintf(stderr, "usage: parallel [-s MIB] [-n RUNS]\n"); return 2;
		}
	if (runs < 1 || !size || size % (2 * MIB)) {
		fprintf(stderr, "bench: MIB is even, RUNS at least 1\n");
		return 2;
	}
	bench_device(bdf);
	json_begin();
	json_add(", \"bench\": \"parallel\", \"mib\": %zu, \"runs\": %d", size / MIB, runs);
	several_cpus();
	second_table();
	kernel_memory();
	json_end();
	return 0;
}

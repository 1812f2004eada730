/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The two interfaces that are compared: the stock kernel's VFIO type1 container
 * and /dev/iommu, with the same device, in the same boot.
 */
#ifndef BENCH_WAY_H
#define BENCH_WAY_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "pci.h"

/* 4 GiB: above what a device may have reserved */
#define IOVA 0x100000000ULL

/* Memory to map: by address, and for a file also by descriptor. */
struct memory {
	void *va;
	int file;	/* or -1 */
};

/*
 * Where an interface counts what is pinned, in /proc/self/status, shows that the
 * work was really done. map and unmap may run in several threads.
 */
struct way {
	const char *name, *key;
	const char *counter;
	int (*open)(const char *bdf);
	int (*map)(const struct memory *m, size_t offset, size_t len, uint64_t iova);
	int (*unmap)(uint64_t iova, size_t len);
	void (*close)(void);
};

enum { TYPE1, IOMMUFD, WAYS };
extern const struct way ways[WAYS];

/* for what only one of them can do: the file and IOAS while it is open */
extern int bench_iommufd;
extern uint32_t bench_ioas;

/* The first igb or edu; ends the program without one. */
void bench_device(pci_bdf bdf);

void die(const char *what, int rc) __attribute__((noreturn));
double now_ms(void);
/* ends the program if it is not so */
void must_be_pinned(const struct way *w, long long want);

/* JSON as it comes; printed in one line behind "json: " by json_end() */
void json_begin(void);
void json_add(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void json_end(void);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The mock IOMMU and the operations of IOMMU_TEST_CMD as functions: 0 or what
 * they say, or a negative errno.
 */
#ifndef IOMMU_MOCK_H
#define IOMMU_MOCK_H

#include <linux/iommufd_test.h>

#include "devices.h"

/* What a mock page table of the ordinary kind translates, and its granule. */
#define APERTURE	((uint64_t)MOCK_APERTURE_START)
#define APERTURE_END	((uint64_t)MOCK_APERTURE_LAST + 1)
#define GRANULE		((uint64_t)MOCK_PAGE_SIZE)

/* Loads the module, runs the tests, and unloads it, which has to be possible. */
#define MOCK_RUN(argc, argv, tests) \
	mock_run(argc, argv, tests, sizeof(tests) / sizeof((tests)[0]))
int mock_run(int argc, char **argv, const struct tap_test *tests, size_t count);

int mock_load(void);
/* set a parameter of the module while it is loaded */
void mock_parameter(const char *name, int value);
/* Whether the kernel can map interrupts, which it then does if @on. */
bool mock_sw_msi(bool on);
int mock_unload(void);

/* A file of /dev/iommu with an IOAS; skips where there is no mock. */
void mock_open(struct space *s);
/* The same, where the module can be unloaded and loaded again. */
void mock_open_module(struct space *s);

/* A mock device: what destroys it, what it is attached to, itself. */
struct mockdev {
	uint32_t stdev, hwpt, idev;
};

int mock_cmd(int fd, uint32_t op, struct iommu_test_cmd *c);
int mock_reserve(int fd, uint32_t ioas, uint64_t start, uint64_t length);
int mock_device(int fd, uint32_t pt, uint32_t flags, struct mockdev *m);
/* The same behind another IOMMU of the mock, see unit.c there. */
#define UNIT_WINDOWED 2
int mock_device_on(int fd, uint32_t pt, unsigned int unit, struct mockdev *m);
int mock_replace(int fd, struct mockdev *m, uint32_t pt);
int mock_check_map(int fd, uint32_t hwpt, uint64_t iova, const void *va,
		   uint64_t length);
int mock_check_refs(int fd, const void *va, uint64_t length, uint32_t refs);
int mock_limit(int fd, uint32_t bytes);
/* count may be NULL */
int mock_mark(int fd, uint32_t hwpt, uint64_t iova, uint64_t length,
	      uint64_t page_size, const void *bits, uint64_t *count);
int mock_hwpt(int fd, uint32_t dev, uint32_t ioas, uint32_t flags,
	      uint32_t type, uint32_t *hwpt);

/* an access's file descriptor */
int mock_access(int fd, uint32_t ioas, uint32_t flags);
int mock_pin(int fd, int access, uint64_t iova, uint64_t length, const void *va,
	     uint32_t flags, uint32_t *item);
int mock_unpin(int fd, int access, uint32_t item);
int mock_rw(int fd, int access, uint64_t iova, void *va, uint64_t length,
	    uint32_t flags);
int mock_access_replace(int fd, int access, uint32_t ioas);

/* a dma-buf's file descriptor */
int mock_dmabuf(int fd, uint32_t length);
int mock_revoke(int fd, int dmabuf, int revoked);

#endif

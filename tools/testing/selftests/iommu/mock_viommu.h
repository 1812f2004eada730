/* SPDX-License-Identifier: GPL-2.0 */
/* Nested page tables, vIOMMUs and what belongs to them, on the mock. */
#ifndef IOMMU_MOCK_VIOMMU_H
#define IOMMU_MOCK_VIOMMU_H

#include "mock.h"

/* A nested page table over a nesting parent or a vIOMMU. */
int mock_nested(int fd, uint32_t dev, uint32_t pt, uint32_t iotlb, uint32_t *hwpt);
int mock_check_iotlb(int fd, uint32_t hwpt, uint32_t id, uint32_t value);
int mock_check_cache(int fd, uint32_t dev, uint32_t id, uint32_t value);

/* data may be NULL; with it there is memory to map */
int mock_viommu(int fd, uint32_t dev, uint32_t hwpt,
		struct iommu_viommu_selftest *data, uint32_t *viommu);
int mock_vdevice(int fd, uint32_t viommu, uint32_t dev, uint64_t virt_id,
		 uint32_t *vdevice);
int mock_queue(int fd, uint32_t viommu, uint32_t index, uint64_t iova,
	       uint64_t length, uint32_t *queue);
/* num: in: entries, out: how many were handled */
int mock_invalidate(int fd, uint32_t id, uint32_t type, const void *data,
		    uint32_t length, uint32_t *num);

/*
 * What a VM has: a device on a nesting parent, which has memory at APERTURE, and
 * a vIOMMU over it.
 */
struct mock_vm {
	struct space s;
	struct mockdev dev;
	uint32_t parent, viommu;
	char *mem;
};

#define VM_MEM (64UL << 10)

/* Skips where there is no mock. */
void mock_vm(struct mock_vm *vm);

#endif

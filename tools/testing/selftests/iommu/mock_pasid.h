/* SPDX-License-Identifier: GPL-2.0 */
/* PASIDs of mock devices, as operations of IOMMU_TEST_CMD. */
#ifndef IOMMU_MOCK_PASID_H
#define IOMMU_MOCK_PASID_H

#include "mock.h"

int mock_pasid_attach(int fd, const struct mockdev *m, uint32_t pasid, uint32_t pt);
int mock_pasid_replace(int fd, const struct mockdev *m, uint32_t pasid, uint32_t pt);
int mock_pasid_detach(int fd, const struct mockdev *m, uint32_t pasid);
/* 0 if the PASID is attached to the table, or with hwpt 0 to nothing */
int mock_pasid_check(int fd, const struct mockdev *m, uint32_t pasid, uint32_t hwpt);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/* Commands that only tests of VT-d need with real devices. 0 or a negative errno. */
#ifndef IOMMU_VTD_OPS_H
#define IOMMU_VTD_OPS_H

#include <stdint.h>

#include "vdev.h"

int pasid_attach(struct vdev *v, uint32_t pasid, uint32_t pt);
int pasid_detach(struct vdev *v, uint32_t pasid);

int dirty_tracking(int fd, uint32_t hwpt, int on);
/* One bit for each page; keep: do not clear what is reported. */
int dirty_bitmap(int fd, uint32_t hwpt, uint64_t iova, uint64_t length,
		 uint64_t page_size, void *bits, int keep);

#endif

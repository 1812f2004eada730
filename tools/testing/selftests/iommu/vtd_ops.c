// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <linux/vfio_cdev.h>
#include <sys/ioctl.h>

#include "iofd.h"
#include "vtd_ops.h"

int pasid_attach(struct vdev *v, uint32_t pasid, uint32_t pt)
{
	struct vfio_cdev_attach_iommufd_pt a = {
		.argsz = sizeof(a),
		.flags = VFIO_DEVICE_ATTACH_PASID,
		.pt_id = pt,
		.pasid = pasid,
	};

	return ioctl(v->fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &a) ? -errno : 0;
}

int pasid_detach(struct vdev *v, uint32_t pasid)
{
	struct vfio_cdev_detach_iommufd_pt d = {
		.argsz = sizeof(d),
		.flags = VFIO_DEVICE_DETACH_PASID,
		.pasid = pasid,
	};

	return ioctl(v->fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &d) ? -errno : 0;
}

int dirty_tracking(int fd, uint32_t hwpt, int on)
{
	struct iommu_hwpt_set_dirty_tracking c = {
		.size = sizeof(c),
		.flags = on ? IOMMU_HWPT_DIRTY_TRACKING_ENABLE : 0,
		.hwpt_id = hwpt,
	};

	return iofd_ioctl(fd, IOMMU_HWPT_SET_DIRTY_TRACKING, &c);
}

int dirty_bitmap(int fd, uint32_t hwpt, uint64_t iova, uint64_t length,
		 uint64_t page_size, void *bits, int keep)
{
	struct iommu_hwpt_get_dirty_bitmap c = {
		.size = sizeof(c),
		.hwpt_id = hwpt,
		.flags = keep ? IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR : 0,
		.iova = iova,
		.length = length,
		.page_size = page_size,
		.data = (uintptr_t)bits,
	};

	return iofd_ioctl(fd, IOMMU_HWPT_GET_DIRTY_BITMAP, &c);
}

/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The part of the VFIO device file's interface that <linux/vfio.h> of the
 * 6.12 headers does not know yet. A name of the newer <linux/vfio.h> is
 * defined here only where that header has not done it; a struct that grew
 * there has a name of its own here, with the same layout.
 */
#ifndef _UAPI_LINUX_VFIO_CDEV_H
#define _UAPI_LINUX_VFIO_CDEV_H

#include <linux/types.h>
#include <linux/vfio.h>

#ifndef VFIO_DEVICE_BIND_FLAG_TOKEN
#define VFIO_DEVICE_BIND_FLAG_TOKEN	(1 << 0)
#endif

#ifndef VFIO_DEVICE_ATTACH_PASID
#define VFIO_DEVICE_ATTACH_PASID	(1 << 0)
#endif

#ifndef VFIO_DEVICE_DETACH_PASID
#define VFIO_DEVICE_DETACH_PASID	(1 << 0)
#endif

#ifndef VFIO_DEVICE_FEATURE_DMA_BUF
#define VFIO_DEVICE_FEATURE_DMA_BUF	11

/**
 * struct vfio_region_dma_range - part of a region
 * @offset: of its first byte in the region
 * @length: bytes
 */
struct vfio_region_dma_range {
	__u64 offset;
	__u64 length;
};

/**
 * struct vfio_device_feature_dma_buf - data of VFIO_DEVICE_FEATURE_DMA_BUF
 * @region_index: the region, a BAR that can be mapped
 * @open_flags: of the file made: O_RDWR and the like, O_CLOEXEC
 * @flags: 0
 * @nr_ranges: entries of @dma_ranges, at least 1
 * @dma_ranges: the parts of the region that the buffer consists of: whole pages,
 *	each behind the one before
 *
 * GET returns a dma-buf, which IOMMU_IOAS_MAP_FILE maps so that other devices
 * reach the memory. While the memory is off, and once the device is closed,
 * nobody does.
 *
 * Errors: EINVAL (argsz, flags, region, ranges), EOPNOTSUPP (a gap between ranges;
 * a virtual function whose physical function belongs to VFIO too), EBUSY (a
 * hot reset is under way), EFAULT, ENOMEM, EMFILE.
 */
struct vfio_device_feature_dma_buf {
	__u32 region_index;
	__u32 open_flags;
	__u32 flags;
	__u32 nr_ranges;
	struct vfio_region_dma_range dma_ranges[];
};
#endif

/**
 * struct vfio_cdev_bind_iommufd - argument of VFIO_DEVICE_BIND_IOMMUFD
 * @argsz: bytes the caller filled: 16, or 24 with @token_uuid_ptr
 * @flags: 0, or VFIO_DEVICE_BIND_FLAG_TOKEN when @token_uuid_ptr counts
 * @iommufd: an open /dev/iommu
 * @out_devid: set to the id under which that /dev/iommu knows the device
 * @token_uuid_ptr: address of 16 bytes, the VF token. A virtual function needs
 *	the token of its physical function when that one belongs to VFIO too; a
 *	physical function needs it while virtual functions of it are open, and
 *	else may set it.
 *
 * Works once for each open file; closing the file unbinds.
 *
 * Errors: EINVAL (argsz, flags, bound already, open elsewhere, a token where
 * none is due), EFAULT, E2BIG (unknown bytes that are not zero), EBADF or
 * EBADFD (@iommufd), EACCES (token missing or wrong), EPERM or EBUSY (someone
 * else owns the DMA of the device or its group, or its interrupts are not
 * isolated), ENODEV (the driver is letting the device go), ENOMEM.
 */
struct vfio_cdev_bind_iommufd {
	__u32 argsz;
	__u32 flags;
	__s32 iommufd;
	__u32 out_devid;
	__aligned_u64 token_uuid_ptr;
};

/**
 * struct vfio_cdev_attach_iommufd_pt - argument of VFIO_DEVICE_ATTACH_IOMMUFD_PT
 * @argsz: bytes the caller filled: 12, or 16 with @pasid
 * @flags: 0, or VFIO_DEVICE_ATTACH_PASID when @pasid counts
 * @pt_id: in: an IOAS or HWPT of the bound /dev/iommu; out: the HWPT in use
 * @pasid: the PASID to attach instead of the whole device
 *
 * A device that is attached moves over to the new table, and so does a PASID.
 * PASIDs go to a HWPT that was made with IOMMU_HWPT_ALLOC_PASID.
 *
 * Errors: EINVAL (argsz, flags, not bound, or the table does not fit this
 * device: try another one; or it has no such PASID), ENOENT (no such object),
 * EFAULT, ENOMEM.
 */
struct vfio_cdev_attach_iommufd_pt {
	__u32 argsz;
	__u32 flags;
	__u32 pt_id;
	__u32 pasid;
};

/**
 * struct vfio_cdev_detach_iommufd_pt - argument of VFIO_DEVICE_DETACH_IOMMUFD_PT
 * @argsz: bytes the caller filled: 8, or 12 with @pasid
 * @flags: 0, or VFIO_DEVICE_DETACH_PASID when @pasid counts
 * @pasid: the PASID to detach instead of the whole device
 *
 * After it the device, or the PASID, reaches no memory. Detaching what is not attached
 * succeeds.
 *
 * Errors: EINVAL (argsz, flags, not bound), EFAULT.
 */
struct vfio_cdev_detach_iommufd_pt {
	__u32 argsz;
	__u32 flags;
	__u32 pasid;
};

#endif

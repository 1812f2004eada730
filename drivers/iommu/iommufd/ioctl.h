/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every ioctl handler gets, and the handlers.
 */
#ifndef __IOMMUFD_IOCTL_H
#define __IOMMUFD_IOCTL_H

#include <linux/types.h>

#include "object.h"

/**
 * struct iommufd_ucmd - one ioctl in progress
 * @ictx: the context it is made on
 * @ubuffer: the user's structure
 * @user_size: its size, at least what the command demands
 * @cmd: our copy, as large as we know the structure, zero beyond @user_size
 * @cmd_size: bytes at @cmd
 */
struct iommufd_ucmd {
	struct iommufd_ctx *ictx;
	void __user *ubuffer;
	u32 user_size;
	void *cmd;
	u32 cmd_size;
};

int iommufd_ucmd_respond(struct iommufd_ucmd *ucmd);
int iommufd_ucmd_deliver(struct iommufd_ucmd *ucmd, struct iommufd_object *obj);
int iommufd_check_reserved(u32 reserved, const char *name);
int iommufd_check_flags(u32 flags, u32 known);

int iommufd_ioas_alloc_ioctl(struct iommufd_ucmd *ucmd);
int iommufd_ioas_iova_ranges(struct iommufd_ucmd *ucmd);
int iommufd_ioas_allow_iovas(struct iommufd_ucmd *ucmd);
int iommufd_ioas_map(struct iommufd_ucmd *ucmd);
int iommufd_ioas_map_file(struct iommufd_ucmd *ucmd);
int iommufd_ioas_copy(struct iommufd_ucmd *ucmd);
int iommufd_ioas_change_process(struct iommufd_ucmd *ucmd);
int iommufd_ioas_noiommu_get_pa(struct iommufd_ucmd *ucmd);
int iommufd_ioas_unmap(struct iommufd_ucmd *ucmd);
int iommufd_option(struct iommufd_ucmd *ucmd);
int iommufd_vfio_ioas(struct iommufd_ucmd *ucmd);
int iommufd_hwpt_alloc(struct iommufd_ucmd *ucmd);
int iommufd_hwpt_invalidate(struct iommufd_ucmd *ucmd);
int iommufd_hwpt_set_dirty_tracking(struct iommufd_ucmd *ucmd);
int iommufd_hwpt_get_dirty_bitmap(struct iommufd_ucmd *ucmd);
int iommufd_get_hw_info(struct iommufd_ucmd *ucmd);
int iommufd_fault_queue_alloc(struct iommufd_ucmd *ucmd);
int iommufd_veventq_alloc(struct iommufd_ucmd *ucmd);
int iommufd_viommu_alloc(struct iommufd_ucmd *ucmd);
int iommufd_vdevice_alloc(struct iommufd_ucmd *ucmd);
int iommufd_hw_queue_alloc(struct iommufd_ucmd *ucmd);

#endif

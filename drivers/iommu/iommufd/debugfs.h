/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_DEBUGFS_H
#define __IOMMUFD_DEBUGFS_H

struct iommufd_ctx;

#ifdef CONFIG_DEBUG_FS
void iommufd_debugfs_init(void);
void iommufd_debugfs_exit(void);
void iommufd_debugfs_add(struct iommufd_ctx *ictx);
void iommufd_debugfs_remove(struct iommufd_ctx *ictx);
#else
static inline void iommufd_debugfs_init(void)
{
}

static inline void iommufd_debugfs_exit(void)
{
}

static inline void iommufd_debugfs_add(struct iommufd_ctx *ictx)
{
}

static inline void iommufd_debugfs_remove(struct iommufd_ctx *ictx)
{
}
#endif

#endif

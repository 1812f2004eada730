/* SPDX-License-Identifier: GPL-2.0 */
/* The types of <linux/iommufd_ext.h> as functions: 0 or a negative errno. */
#ifndef IOMMU_EXT_H
#define IOMMU_EXT_H

#include <linux/iommufd_ext.h>

#include "iofd.h"

#define ANYWHERE IOMMU_EXT_WINDOW_ANYWHERE

/* More than any test has: devices, ranges. */
#define EXT_MAX 64

struct instance {
	struct iommu_ext_hw_info_instance head;
	struct iommu_ext_instance_device device[EXT_MAX];
};

struct windows_info {
	struct iommu_ext_hw_info_windows head;
	struct iommu_ext_range range[EXT_MAX];
};

/* As many as no request may have, too. */
struct windows {
	struct iommu_ext_hwpt_windows head;
	struct iommu_ext_window window[12];
};

/* GET_HW_INFO of one type; *length as in the command, type and caps may be NULL */
int ext_hw_info(int fd, uint32_t dev, uint32_t type, void *data, uint32_t *length);
int ext_instance(int fd, uint32_t dev, struct instance *out);
/* flags of an instance's device; 0 if it is not listed */
uint32_t ext_common(const struct instance *in, uint32_t dev);
/* inode of /sys/class/iommu/NAME; 0 if there is none */
uint64_t ext_sysfs_id(const char *name);
int ext_windows_info(int fd, uint32_t dev, struct windows_info *out);

/* Add a window; its number. */
int ext_want(struct windows *w, uint64_t iova, uint64_t length, uint64_t pgsize,
	     uint32_t levels, uint32_t flags);
/* HWPT_ALLOC; w comes back as the kernel leaves it */
int ext_hwpt(int fd, uint32_t dev, uint32_t ioas, uint32_t flags,
	     struct windows *w, uint32_t *hwpt);

/* REFUSED() for ENOSPC, and the sentence begins with "window N" and has the text. */
#define NO_WINDOW(fd, call, nr, text)					\
	do {								\
		REFUSED(fd, IOMMU_HWPT_ALLOC, call, -ENOSPC);		\
		ext_sentence(fd, __FILE__, __LINE__, nr, text);		\
	} while (0)
void ext_sentence(int fd, const char *file, int line, int nr, const char *text);

#endif

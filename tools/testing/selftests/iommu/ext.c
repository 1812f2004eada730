// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "ext.h"
#include "tap.h"

int ext_hw_info(int fd, uint32_t dev, uint32_t type, void *data, uint32_t *length)
{
	struct iommu_hw_info c = {
		.size = sizeof(c),
		.flags = IOMMU_HW_INFO_FLAG_INPUT_TYPE,
		.dev_id = dev,
		.data_len = *length,
		.data_uptr = (uintptr_t)data,
		.in_data_type = type,
	};
	int rc = iofd_ioctl(fd, IOMMU_GET_HW_INFO, &c);

	*length = c.data_len;
	if (!rc && c.out_data_type != type)
		return -EBADMSG;
	return rc;
}

int ext_instance(int fd, uint32_t dev, struct instance *out)
{
	uint32_t length = sizeof(*out);
	int rc = ext_hw_info(fd, dev, IOMMU_EXT_HW_INFO_INSTANCE, out, &length);

	if (rc)
		return rc;
	CHECK_EQ(out->head.device_size, sizeof(out->device[0]));
	CHECK_EQ(length, sizeof(out->head) + out->head.nr_devices * out->head.device_size);
	return 0;
}

uint32_t ext_common(const struct instance *in, uint32_t dev)
{
	unsigned int i;

	for (i = 0; i < in->head.nr_devices; i++)
		if (in->device[i].dev_id == dev)
			return in->device[i].flags;
	return 0;
}

uint64_t ext_sysfs_id(const char *name)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "/sys/class/iommu/%s", name);
	return stat(path, &st) ? 0 : st.st_ino;
}

int ext_windows_info(int fd, uint32_t dev, struct windows_info *out)
{
	uint32_t length = sizeof(*out);
	int rc = ext_hw_info(fd, dev, IOMMU_EXT_HW_INFO_WINDOWS, out, &length);

	if (rc)
		return rc;
	CHECK_EQ(out->head.flags, 0);
	CHECK_EQ(out->head.__reserved, 0);
	CHECK_EQ(out->head.range_size, sizeof(out->range[0]));
	CHECK_EQ(length, sizeof(out->head) +
		 (out->head.nr_usable + out->head.nr_places) * out->head.range_size);
	return 0;
}

int ext_want(struct windows *w, uint64_t iova, uint64_t length, uint64_t pgsize,
	     uint32_t levels, uint32_t flags)
{
	w->head.window_size = sizeof(w->window[0]);
	w->window[w->head.nr_windows] = (struct iommu_ext_window){
		.iova = iova,
		.length = length,
		.pgsize = pgsize,
		.levels = levels,
		.flags = flags,
	};
	return w->head.nr_windows++;
}

int ext_hwpt(int fd, uint32_t dev, uint32_t ioas, uint32_t flags,
	     struct windows *w, uint32_t *hwpt)
{
	struct iommu_hwpt_alloc c = {
		.size = sizeof(c),
		.flags = flags,
		.dev_id = dev,
		.pt_id = ioas,
		.data_type = IOMMU_EXT_HWPT_DATA_WINDOWS,
		.data_len = sizeof(w->head) + w->head.nr_windows * w->head.window_size,
		.data_uptr = (uintptr_t)w,
	};
	int rc = iofd_ioctl(fd, IOMMU_HWPT_ALLOC, &c);

	*hwpt = c.out_hwpt_id;
	return rc;
}

void ext_sentence(int fd, const char *file, int line, int nr, const char *text)
{
	const char *is = iommufd_last_reason(fd);
	char begin[16];
	int n = snprintf(begin, sizeof(begin), "window %d", nr);

	/* "window 1" is not "window 12" */
	if (strncmp(is, begin, n) || (is[n] != ':' && is[n] != ','))
		tap_fail(file, line, "\"%s\" does not begin with \"%s\"", is, begin);
	if (!strstr(is, text))
		tap_fail(file, line, "\"%s\" does not say \"%s\"", is, text);
}

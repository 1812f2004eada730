// SPDX-License-Identifier: GPL-2.0-only
/*
 * GET_HW_INFO types that are not a driver's but ours: the physical IOMMU behind
 * a device.
 */
#include <linux/device.h>
#include <linux/kernfs.h>
#include <linux/slab.h>

#include "device.h"
#include "ext.h"

/**
 * iommufd_ext_knows - whether a type of GET_HW_INFO is answered here
 * @type: from the user
 *
 * Return: true if iommufd_ext_hw_info() answers it, false if that is up to the
 *	   IOMMU driver, which may have types of its own in the same range
 */
bool iommufd_ext_knows(u32 type)
{
	return type == IOMMU_EXT_HW_INFO_INSTANCE ||
	       type == IOMMU_EXT_HW_INFO_WINDOWS;
}

static struct iommu_device *instance_of(const struct iommufd_device *idev)
{
	return idev->dev->iommu->iommu_dev;
}

static u32 in_common(const struct iommufd_device *a,
		     const struct iommufd_device *b)
{
	if (instance_of(a) == instance_of(b))
		return IOMMU_EXT_INSTANCE_SAME |
		       IOMMU_EXT_INSTANCE_SHARES_TABLES;
	if (a->drv == b->drv && instance_of(a)->ops == instance_of(b)->ops &&
	    a->drv->shares_tables && a->drv->shares_tables(a->dev, b->dev))
		return IOMMU_EXT_INSTANCE_SHARES_TABLES;
	return 0;
}

static bool is_device(const struct iommufd_object *obj, const void *arg)
{
	return obj->type == &iommufd_device_type;
}

/*
 * Enter the devices of the context that have something in common with @idev, no
 * more than @room, and count all of them.
 */
static u32 list_devices(struct iommufd_device *idev,
			struct iommu_ext_instance_device *out, u32 room)
{
	struct iommufd_object *obj;
	unsigned long index = 0;
	u32 nr = 0;

	while ((obj = iommufd_object_next(idev->obj.ictx, &index, is_device,
					  NULL))) {
		u32 flags = in_common(idev, to_idev(obj));

		if (flags && nr < room) {
			out[nr].dev_id = obj->id;
			out[nr].flags = flags;
		}
		nr += !!flags;
		iommufd_object_put(obj);
	}
	return nr;
}

static int instance_hw_info(struct iommufd_device *idev,
			    struct iommufd_hw_data *out)
{
	struct device *dev = instance_of(idev)->dev;
	struct iommu_ext_hw_info_instance *info;
	u32 room;

	if (!dev || !dev->kobj.sd)
		return iommufd_refuse(-EOPNOTSUPP,
				      "the IOMMU of %s is not under /sys/class/iommu",
				      dev_name(idev->dev));
	room = list_devices(idev, NULL, 0);
	info = kzalloc(struct_size(info, devices, room), GFP_KERNEL_ACCOUNT);
	if (!info)
		return iommufd_refuse(-ENOMEM, "no memory to list %u devices",
				      room);
	/* The device keeps its IOMMU registered, and with it the directory. */
	info->id = dev->kobj.sd->id;
	strscpy(info->name, dev_name(dev), sizeof(info->name));
	strscpy(info->driver, idev->drv->name, sizeof(info->driver));
	info->device_size = sizeof(info->devices[0]);
	/* What is bound meanwhile might as well have been bound later. */
	info->nr_devices = min(room, list_devices(idev, info->devices, room));
	out->len = struct_size(info, devices, info->nr_devices);
	out->data = info;
	return 0;
}

/**
 * iommufd_ext_hw_info - answer GET_HW_INFO
 * @idev: a bound device
 * @type: one that iommufd_ext_knows()
 * @out: receives type, length and data
 *
 * Context: may sleep; takes no lock of a page table.
 * Return: 0, -EOPNOTSUPP if it cannot be told for this IOMMU, -ENOMEM; explained
 */
int iommufd_ext_hw_info(struct iommufd_device *idev, u32 type,
			struct iommufd_hw_data *out)
{
	out->type = type;
	if (type == IOMMU_EXT_HW_INFO_WINDOWS)
		return windows_hw_info(idev, out);
	return instance_hw_info(idev, out);
}

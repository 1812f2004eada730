// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events that the mock IOMMU would tell a guest about one of its devices.
 */
#include <linux/iommufd_reason.h>
#include <linux/mutex.h>

#include "mock.h"

bool mock_events_supported(struct iommufd_viommu *viommu, u32 type)
{
	return type == IOMMU_VEVENTQ_TYPE_SELFTEST;
}

/**
 * mock_events_vdevice - note whose device one is
 * @dev: the device
 * @vdev: what it is in a vIOMMU, NULL if it is in none. When this returns, no event
 *	  of the device is on its way to another one
 */
void mock_events_vdevice(struct device *dev, struct iommufd_vdevice *vdev)
{
	struct mock_device *mdev = to_mock_device(dev);

	mutex_lock(&mdev->vdev_lock);
	mdev->vdev = vdev;
	mutex_unlock(&mdev->vdev_lock);
}

/**
 * mock_trigger_vevent - let a device do what its guest is to be told
 * @dev: the device
 *
 * Return: 0 or an explained errno: -ENOENT it is in no vIOMMU, -EOPNOTSUPP nobody
 *	   reads its events
 */
int mock_trigger_vevent(struct device *dev)
{
	struct mock_device *mdev = to_mock_device(dev);
	struct iommu_viommu_event_selftest event;
	int rc = -ENOENT;

	mutex_lock(&mdev->vdev_lock);
	if (mdev->vdev) {
		event.virt_id = mdev->vdev->virt_id;
		rc = iommufd_viommu_report_event(mdev->vdev->viommu,
						 IOMMU_VEVENTQ_TYPE_SELFTEST,
						 &event, sizeof(event));
	}
	mutex_unlock(&mdev->vdev_lock);
	if (rc == -ENOENT)
		return iommufd_refuse(rc, "%s has no vdevice", dev_name(dev));
	if (rc)
		return iommufd_refuse(rc, rc == -ENOMEM ? "no memory for an event of %s" :
				      "nobody reads events of %s", dev_name(dev));
	return 0;
}

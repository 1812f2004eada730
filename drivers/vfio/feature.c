// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_FEATURE. What is about migration goes through operations of its
 * own that a driver hangs on its vfio_device; all else is the driver's.
 */
#include <linux/file.h>
#include <linux/iova_bitmap.h>
#include <linux/uaccess.h>
#include <uapi/linux/vfio_cdev.h>

#include "vfio_cdev.h"

#define ACCESS (VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET)

static int refuse_fault(struct vfio_device *vdev, void __user *data)
{
	return iommufd_refuse(-EFAULT, "%s: feature data at 0x%lx cannot be reached",
			      vfio_cdev_name(vdev), (unsigned long)data);
}

static int refuse_absent(struct vfio_device *vdev, u32 flags, const char *what)
{
	return iommufd_refuse(-ENOTTY, "%s: feature %u: driver %s has no %s",
			      vfio_cdev_name(vdev),
			      flags & VFIO_DEVICE_FEATURE_MASK,
			      vdev->dev->driver->name, what);
}

/*
 * Return: 1 to go on, 0 when this was a probe that is answered with yes, or a
 * negative errno with its reason.
 */
static int check(struct vfio_device *vdev, u32 flags, size_t room, u32 allowed,
		 size_t needed)
{
	int rc = vfio_check_feature(flags, room, allowed, needed);

	if (rc >= 0)
		return rc;
	if (flags & ACCESS & ~allowed)
		return iommufd_refuse(rc, "%s: feature %u cannot be %s",
				      vfio_cdev_name(vdev),
				      flags & VFIO_DEVICE_FEATURE_MASK,
				      allowed & VFIO_DEVICE_FEATURE_GET ?
				      "set" : "got");
	if (!(flags & ACCESS))
		return iommufd_refuse(rc, "%s: feature %u with none of GET, SET, PROBE",
				      vfio_cdev_name(vdev),
				      flags & VFIO_DEVICE_FEATURE_MASK);
	return iommufd_refuse(rc, "%s: feature %u has %zu bytes of data, %zu needed",
			      vfio_cdev_name(vdev),
			      flags & VFIO_DEVICE_FEATURE_MASK, room, needed);
}

static int migration_caps(struct vfio_device *vdev, u32 flags,
			  void __user *data, size_t room)
{
	struct vfio_device_feature_migration caps = {
		.flags = vdev->migration_flags,
	};
	int rc;

	if (!vdev->mig_ops)
		return refuse_absent(vdev, flags, "migration");
	rc = check(vdev, flags, room, VFIO_DEVICE_FEATURE_GET, sizeof(caps));
	if (rc != 1)
		return rc;
	if (copy_to_user(data, &caps, sizeof(caps)))
		return refuse_fault(vdev, data);
	return 0;
}

static int get_state(struct vfio_device *vdev,
		     struct vfio_device_feature_mig_state *state)
{
	enum vfio_device_mig_state now;
	int rc = vdev->mig_ops->migration_get_state(vdev, &now);

	if (rc)
		return iommufd_refuse(rc, "%s: driver %s cannot tell the migration state",
				      vfio_cdev_name(vdev),
				      vdev->dev->driver->name);
	state->device_state = now;
	state->data_fd = -1;
	return 0;
}

/* A change of state may come with a file to read or write the data through. */
static int set_state(struct vfio_device *vdev,
		     struct vfio_device_feature_mig_state *state,
		     void __user *data)
{
	struct file *stream;
	int fd = -1;
	int rc = 0;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return iommufd_refuse(fd, "%s: no file descriptor free for migration data",
				      vfio_cdev_name(vdev));
	stream = vdev->mig_ops->migration_set_state(vdev, state->device_state);
	if (IS_ERR(stream))
		rc = iommufd_refuse(PTR_ERR(stream), "%s: driver %s refuses migration state %u",
				    vfio_cdev_name(vdev),
				    vdev->dev->driver->name,
				    state->device_state);
	state->data_fd = IS_ERR_OR_NULL(stream) ? -1 : fd;
	if (copy_to_user(data, state, sizeof(*state)) && !rc)
		rc = refuse_fault(vdev, data);

	if (IS_ERR_OR_NULL(stream)) {
		put_unused_fd(fd);
	} else if (rc) {
		put_unused_fd(fd);
		fput(stream);
	} else {
		fd_install(fd, stream);
	}
	return rc;
}

static int migration_state(struct vfio_device *vdev, u32 flags,
			   void __user *data, size_t room)
{
	struct vfio_device_feature_mig_state state;
	int rc;

	if (!vdev->mig_ops)
		return refuse_absent(vdev, flags, "migration");
	rc = check(vdev, flags, room, ACCESS, sizeof(state));
	if (rc != 1)
		return rc;
	if (copy_from_user(&state, data, sizeof(state)))
		return refuse_fault(vdev, data);
	if (flags & VFIO_DEVICE_FEATURE_SET)
		return set_state(vdev, &state, data);
	rc = get_state(vdev, &state);
	if (!rc && copy_to_user(data, &state, sizeof(state)))
		rc = refuse_fault(vdev, data);
	return rc;
}

static int migration_size(struct vfio_device *vdev, u32 flags,
			  void __user *data, size_t room)
{
	struct vfio_device_feature_mig_data_size size = {};
	unsigned long length = 0;
	int rc;

	if (!vdev->mig_ops || !vdev->mig_ops->migration_get_data_size)
		return refuse_absent(vdev, flags, "estimate of its migration data");
	rc = check(vdev, flags, room, VFIO_DEVICE_FEATURE_GET, sizeof(size));
	if (rc != 1)
		return rc;
	rc = vdev->mig_ops->migration_get_data_size(vdev, &length);
	if (rc)
		return iommufd_refuse(rc, "%s: driver %s cannot tell the size of its migration data",
				      vfio_cdev_name(vdev),
				      vdev->dev->driver->name);
	size.stop_copy_length = length;
	if (copy_to_user(data, &size, sizeof(size)))
		return refuse_fault(vdev, data);
	return 0;
}

/*
 * A driver writes down the pages its device dirtied with iova_bitmap_set().
 * Compiled for a kernel without IOMMUFD_DRIVER that function does nothing: the
 * log would read as "nothing dirty" and a migration would lose data. So the
 * whole feature is absent, and a VMM that probes for it learns that.
 */
static int dma_logging(struct vfio_device *vdev, u32 flags)
{
	if (!vdev->log_ops)
		return refuse_absent(vdev, flags, "log of its DMA");
	return iommufd_refuse(-ENOTTY, "%s: feature %u: drivers of this kernel were built without CONFIG_IOMMUFD_DRIVER, what they log is lost",
			      vfio_cdev_name(vdev),
			      flags & VFIO_DEVICE_FEATURE_MASK);
}

static int drivers_own(struct vfio_device *vdev, u32 flags, void __user *data,
		       size_t room)
{
	int rc = -ENOTTY;

	if (vdev->ops->device_feature)
		rc = vdev->ops->device_feature(vdev, flags, data, room);
	if (rc >= 0)
		return rc;
	if (rc == -ENOTTY)
		return refuse_absent(vdev, flags, "such feature");
	return iommufd_refuse(rc, "%s: driver %s refuses feature %u with flags 0x%x and %zu bytes of data",
			      vfio_cdev_name(vdev), vdev->dev->driver->name,
			      flags & VFIO_DEVICE_FEATURE_MASK,
			      flags & ~VFIO_DEVICE_FEATURE_MASK, room);
}

static int dma_buf(struct vfio_cdev_file *vf, u32 flags, void __user *data,
		   size_t room)
{
	int rc = check(vf->vdev, flags, room, VFIO_DEVICE_FEATURE_GET,
		       sizeof(struct vfio_device_feature_dma_buf));

	return rc == 1 ? vfio_cdev_dmabuf(vf, data, room) : rc;
}

/* Low power turns the memory off, and leaving it on again. */
static int low_power(struct vfio_cdev_file *vf, u32 flags, void __user *data,
		     size_t room)
{
	int rc;

	vfio_cdev_buffers_take(vf->node);
	rc = drivers_own(vf->vdev, flags, data, room);
	vfio_cdev_buffers_give(vf->node);
	return rc;
}

/**
 * vfio_cdev_feature() - VFIO_DEVICE_FEATURE
 * @vf: a bound file
 * @uarg: struct vfio_device_feature of the user, its data behind it
 *
 * May sleep. Return: 0, a file descriptor, or an errno with a reason:
 * ENOTTY if there is no such feature, EINVAL for flags that do not go
 * together or too little data, EFAULT, or what the driver says.
 */
int vfio_cdev_feature(struct vfio_cdev_file *vf, void __user *uarg)
{
	struct vfio_device_feature __user *ufeature = uarg;
	struct vfio_device *vdev = vf->vdev;
	struct vfio_device_feature head;
	u32 unknown;
	size_t room;

	if (copy_from_user(&head, uarg, sizeof(head)))
		return refuse_fault(vdev, uarg);
	if (head.argsz < sizeof(head))
		return iommufd_refuse(-EINVAL, "%s: argsz is %u, at least %zu needed",
				      vfio_cdev_name(vdev), head.argsz,
				      sizeof(head));
	unknown = head.flags & ~(VFIO_DEVICE_FEATURE_MASK | ACCESS |
				 VFIO_DEVICE_FEATURE_PROBE);
	if (unknown)
		return iommufd_refuse(-EINVAL, "%s: unknown FEATURE flags 0x%x",
				      vfio_cdev_name(vdev), unknown);
	if ((head.flags & ACCESS) == ACCESS &&
	    !(head.flags & VFIO_DEVICE_FEATURE_PROBE))
		return iommufd_refuse(-EINVAL, "%s: GET and SET of feature %u at once",
				      vfio_cdev_name(vdev),
				      head.flags & VFIO_DEVICE_FEATURE_MASK);

	room = head.argsz - sizeof(head);
	switch (head.flags & VFIO_DEVICE_FEATURE_MASK) {
	case VFIO_DEVICE_FEATURE_MIGRATION:
		return migration_caps(vdev, head.flags, ufeature->data, room);
	case VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE:
		return migration_state(vdev, head.flags, ufeature->data, room);
	case VFIO_DEVICE_FEATURE_MIG_DATA_SIZE:
		return migration_size(vdev, head.flags, ufeature->data, room);
	case VFIO_DEVICE_FEATURE_DMA_LOGGING_START:
	case VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP:
	case VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT:
		return dma_logging(vdev, head.flags);
	case VFIO_DEVICE_FEATURE_DMA_BUF:
		return dma_buf(vf, head.flags, ufeature->data, room);
	case VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY:
	case VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP:
	case VFIO_DEVICE_FEATURE_LOW_POWER_EXIT:
		return low_power(vf, head.flags, ufeature->data, room);
	}
	return drivers_own(vdev, head.flags, ufeature->data, room);
}

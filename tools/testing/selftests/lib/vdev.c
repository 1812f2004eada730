// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "vdev.h"

static int call(int fd, unsigned long cmd, void *arg)
{
	int rc = ioctl(fd, cmd, arg);

	return rc < 0 ? -errno : rc;
}

/* As clients do: the one entry under vfio-dev, whose `dev` names the node. */
int vdev_find(struct vdev *v, const char *bdf)
{
	char path[128], attr[64], number[32];
	struct dirent *e;
	struct stat st;
	unsigned int major, minor;
	int rc, tries;
	DIR *d;

	memset(v, 0, sizeof(*v));
	v->fd = -1;
	snprintf(v->bdf, sizeof(v->bdf), "%s", bdf);
	rc = pci_bind(bdf, "vfio-pci");
	if (rc)
		return rc;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", bdf);
	d = opendir(path);
	if (!d)
		return -errno;
	attr[0] = 0;
	while ((e = readdir(d)))
		if (!strncmp(e->d_name, "vfio", 4)) {
			snprintf(attr, sizeof(attr), "vfio-dev/%.32s/dev", e->d_name);
			snprintf(v->node, sizeof(v->node),
				 "/dev/vfio/devices/%.32s", e->d_name);
			break;
		}
	closedir(d);
	if (!attr[0])
		return -ENODEV;
	rc = pci_attr(bdf, attr, number, sizeof(number));
	if (rc)
		return rc;
	if (sscanf(number, "%u:%u", &major, &minor) != 2)
		return -EINVAL;

	/* devtmpfs makes the node by a thread of its own */
	for (tries = 0; stat(v->node, &st) && tries < 100; tries++)
		usleep(20000);
	if (tries == 100)
		return -ENOENT;
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(major, minor))
		return -EXDEV;
	return 0;
}

int vdev_open(struct vdev *v)
{
	v->fd = open(v->node, O_RDWR | O_CLOEXEC);
	v->id = 0;
	return v->fd < 0 ? -errno : 0;
}

void vdev_close(struct vdev *v)
{
	if (v->fd >= 0)
		close(v->fd);
	v->fd = -1;
	v->id = 0;
}

int vdev_bind(struct vdev *v, int iommufd)
{
	struct vfio_device_bind_iommufd b = {
		.argsz = sizeof(b),
		.iommufd = iommufd,
	};
	int rc = call(v->fd, VFIO_DEVICE_BIND_IOMMUFD, &b);

	if (!rc)
		v->id = b.out_devid;
	return rc;
}

int vdev_attach(struct vdev *v, uint32_t *pt)
{
	struct vfio_device_attach_iommufd_pt a = {
		.argsz = sizeof(a),
		.pt_id = *pt,
	};
	int rc = call(v->fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &a);

	if (!rc)
		*pt = a.pt_id;
	return rc;
}

int vdev_detach(struct vdev *v)
{
	struct vfio_device_detach_iommufd_pt d = { .argsz = sizeof(d) };

	return call(v->fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &d);
}

int vdev_setup(struct vdev *v, const char *bdf, int iommufd)
{
	int rc = vdev_find(v, bdf);

	if (!rc)
		rc = vdev_open(v);
	if (!rc) {
		rc = vdev_bind(v, iommufd);
		if (rc)
			vdev_close(v);
	}
	return rc;
}

int vdev_region(struct vdev *v, unsigned int index, struct vfio_region_info *info)
{
	memset(info, 0, sizeof(*info));
	info->argsz = sizeof(*info);
	info->index = index;
	return call(v->fd, VFIO_DEVICE_GET_REGION_INFO, info);
}

void *vdev_map_bar(struct vdev *v, unsigned int bar, size_t *size)
{
	struct vfio_region_info info;
	int rc = vdev_region(v, bar, &info);
	void *p;

	if (!rc && !(info.flags & VFIO_REGION_INFO_FLAG_MMAP))
		rc = -ENODEV;
	if (rc) {
		errno = -rc;
		return NULL;
	}
	p = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd,
		 info.offset);
	if (size)
		*size = info.size;
	return p == MAP_FAILED ? NULL : p;
}

static int config(struct vdev *v, unsigned int offset, struct vfio_region_info *info)
{
	int rc = vdev_region(v, VFIO_PCI_CONFIG_REGION_INDEX, info);

	info->offset += offset;
	return rc;
}

int vdev_config_read(struct vdev *v, unsigned int offset, void *data, size_t len)
{
	struct vfio_region_info info;
	int rc = config(v, offset, &info);

	if (rc)
		return rc;
	return pread(v->fd, data, len, info.offset) == (ssize_t)len ? 0 : -EIO;
}

int vdev_config_write(struct vdev *v, unsigned int offset, const void *data,
		      size_t len)
{
	struct vfio_region_info info;
	int rc = config(v, offset, &info);

	if (rc)
		return rc;
	return pwrite(v->fd, data, len, info.offset) == (ssize_t)len ? 0 : -EIO;
}

int vdev_enable(struct vdev *v, bool on)
{
	const uint16_t bits = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	uint16_t cmd;
	int rc = vdev_config_read(v, PCI_COMMAND, &cmd, sizeof(cmd));

	if (rc)
		return rc;
	cmd = on ? cmd | bits : cmd & ~bits;
	return vdev_config_write(v, PCI_COMMAND, &cmd, sizeof(cmd));
}

int vdev_msi(struct vdev *v)
{
	char buf[sizeof(struct vfio_irq_set) + sizeof(int32_t)];
	struct vfio_irq_set *set = (struct vfio_irq_set *)buf;
	int32_t efd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int rc;

	if (efd < 0)
		return -errno;
	memset(set, 0, sizeof(*set));
	set->argsz = sizeof(buf);
	set->flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
	set->index = VFIO_PCI_MSI_IRQ_INDEX;
	set->count = 1;
	memcpy(set->data, &efd, sizeof(efd));
	rc = call(v->fd, VFIO_DEVICE_SET_IRQS, set);
	if (rc) {
		close(efd);
		return rc;
	}
	return efd;
}

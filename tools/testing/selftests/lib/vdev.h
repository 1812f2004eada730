/* SPDX-License-Identifier: GPL-2.0 */
/* A PCI device as a client of /dev/vfio/devices sees it. */
#ifndef LIB_VDEV_H
#define LIB_VDEV_H

#include <linux/vfio.h>
#include <stdbool.h>
#include <stdint.h>

#include "pci.h"

struct vdev {
	pci_bdf bdf;
	char node[64];		/* /dev/vfio/devices/vfioN */
	int fd;			/* of it, -1 if closed */
	uint32_t id;		/* device object in the iommufd, 0 if not bound */
};

/*
 * All calls give 0 or a negative errno.
 */

/* Bind it to vfio-pci, find its node. Opens nothing. */
int vdev_find(struct vdev *v, const char *bdf);
int vdev_open(struct vdev *v);
void vdev_close(struct vdev *v);
/* VFIO_DEVICE_BIND_IOMMUFD */
int vdev_bind(struct vdev *v, int iommufd);
/* *pt becomes the HWPT that is used */
int vdev_attach(struct vdev *v, uint32_t *pt);
int vdev_detach(struct vdev *v);
/* find, open and bind in one */
int vdev_setup(struct vdev *v, const char *bdf, int iommufd);

int vdev_region(struct vdev *v, unsigned int index, struct vfio_region_info *info);
/* Map a whole BAR; NULL and errno if that fails. */
void *vdev_map_bar(struct vdev *v, unsigned int bar, size_t *size);
int vdev_config_read(struct vdev *v, unsigned int offset, void *data, size_t len);
int vdev_config_write(struct vdev *v, unsigned int offset, const void *data,
		      size_t len);
/* Memory and bus master bits of the command register. */
int vdev_enable(struct vdev *v, bool on);
/* Vector 0 of MSI to an eventfd, which is returned. */
int vdev_msi(struct vdev *v);

#endif

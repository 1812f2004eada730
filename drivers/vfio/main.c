// SPDX-License-Identifier: GPL-2.0-only
/* Loading and unloading of vfio_cdev. */
#include <linux/init.h>
#include <linux/module.h>

#include "vfio_cdev.h"

static int __init vfio_cdev_init(void)
{
	int rc;

	rc = vfio_cdev_dmabuf_init();
	if (rc)
		return rc;
	/*
	 * First the hook, so that no file exists that KVM would turn away;
	 * without it everything but KVM works.
	 */
	vfio_cdev_kvm_hook();
	rc = vfio_cdev_nodes_init();
	if (rc) {
		vfio_cdev_kvm_unhook();
		vfio_cdev_dmabuf_exit();
		return rc;
	}
	vfio_cdev_container_hook();
	return 0;
}

/* Every open file holds the module: there is none left here. */
static void __exit vfio_cdev_exit(void)
{
	vfio_cdev_container_unhook();
	vfio_cdev_nodes_exit();
	vfio_cdev_kvm_unhook();
	vfio_cdev_dmabuf_exit();
}

module_init(vfio_cdev_init);
module_exit(vfio_cdev_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("VFIO device files for PCI devices of the stock vfio-pci");

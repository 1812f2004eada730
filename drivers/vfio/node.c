// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which VFIO devices have a character device.
 *
 * Nothing in vfio.ko announces a new device, but the PCI bus does when a
 * driver has bound one, and again before the driver lets go. Both come with
 * the PCI device's lock held, so for one device they cannot overlap.
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kdev_t.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "vfio_cdev.h"

/* How long loading waits for a PCI device that someone keeps locked. */
#define SCAN_PATIENCE (5 * HZ)

static dev_t first_devt;

/* vfio_device.index -> node; vfio_cdev_nodes_lock protects both of these */
static DEFINE_XARRAY(nodes);
static bool closing;
static DEFINE_MUTEX(vfio_cdev_nodes_lock);

static char *node_devnode(const struct device *dev, umode_t *mode)
{
	return kasprintf(GFP_KERNEL, "vfio/devices/%s", dev_name(dev));
}

static const struct class node_class = {
	.name = "vfio-cdev",
	.devnode = node_devnode,
};

static dev_t vdev_devt(const struct vfio_device *vdev)
{
	return MKDEV(MAJOR(first_devt), vdev->index);
}

/* The attribute that clients read to find the node: BDF/vfio-dev/vfioN/dev */
static ssize_t dev_show(struct device *dev, struct device_attribute *attr,
			char *buf)
{
	dev_t devt = vdev_devt(container_of(dev, struct vfio_device, device));

	return sysfs_emit(buf, "%u:%u\n", MAJOR(devt), MINOR(devt));
}
static DEVICE_ATTR_RO(dev);

static void node_release(struct device *dev)
{
	struct vfio_cdev_node *node =
		container_of(dev, struct vfio_cdev_node, dev);

	mutex_destroy(&node->buffers_lock);
	kfree(node);
}

static int is_vfio_child(struct device *dev, void *unused)
{
	return dev->class && !strcmp(dev->class->name, "vfio-dev");
}

/*
 * The VFIO device below a PCI device, with a reference on ->device, if
 * vfio-pci-core made it. That one demands of every driver that the driver data
 * is its struct, and a hot reset leans on what is inside. Caller holds the PCI
 * device's lock.
 */
static struct vfio_device *core_vdev_of(struct device *parent)
{
	struct device *child = device_find_child(parent, NULL, is_vfio_child);
	struct vfio_device *vdev;

	if (!child)
		return NULL;
	vdev = container_of(child, struct vfio_device, device);
	if (vdev->dev == parent &&
	    vdev->ops->request == vfio_pci_core_request &&
	    dev_get_drvdata(parent) == vfio_cdev_to_pci(vdev))
		return vdev;
	put_device(child);
	return NULL;
}

/*
 * udev rules that were written for a kernel with its own device files look at
 * the subsystem vfio-dev. Tell them there what number and name it has now.
 */
static void announce(struct vfio_device *vdev)
{
	dev_t devt = vdev_devt(vdev);
	char major[24], minor[24], name[48];
	char *env[4];

	snprintf(major, sizeof(major), "MAJOR=%u", MAJOR(devt));
	snprintf(minor, sizeof(minor), "MINOR=%u", MINOR(devt));
	snprintf(name, sizeof(name), "DEVNAME=vfio/devices/%s",
		 dev_name(&vdev->device));
	env[0] = major;
	env[1] = minor;
	env[2] = name;
	env[3] = NULL;
	kobject_uevent_env(&vdev->device.kobj, KOBJ_CHANGE, env);
}

/* Takes over the reference on vdev->device if it succeeds. */
static int node_publish(struct vfio_device *vdev)
{
	struct vfio_cdev_node *node;
	int rc;

	lockdep_assert_held(&vfio_cdev_nodes_lock);

	node = kzalloc(sizeof(*node), GFP_KERNEL);
	if (!node)
		return -ENOMEM;
	spin_lock_init(&node->lock);
	node->vdev = vdev;
	node->af_cap = pci_find_capability(to_pci_dev(vdev->dev), PCI_CAP_ID_AF);
	mutex_init(&node->buffers_lock);
	INIT_LIST_HEAD(&node->buffers);
	device_initialize(&node->dev);
	node->dev.class = &node_class;
	node->dev.parent = vdev->dev;
	node->dev.release = node_release;
	node->dev.devt = vdev_devt(vdev);
	cdev_init(&node->cdev, &vfio_cdev_fops);
	node->cdev.owner = THIS_MODULE;
	rc = dev_set_name(&node->dev, "%s", dev_name(&vdev->device));
	if (rc)
		goto err_put;
	rc = xa_insert(&nodes, vdev->index, node, GFP_KERNEL);
	if (rc)
		goto err_put;
	rc = cdev_device_add(&node->cdev, &node->dev);
	if (rc)
		goto err_erase;
	rc = device_create_file(&vdev->device, &dev_attr_dev);
	if (rc)
		goto err_del;
	announce(vdev);
	return 0;

err_del:
	cdev_device_del(&node->cdev, &node->dev);
err_erase:
	xa_erase(&nodes, vdev->index);
err_put:
	/* A stale inode may still lead to the cdev: open looks at this. */
	spin_lock(&node->lock);
	node->vdev = NULL;
	spin_unlock(&node->lock);
	put_device(&node->dev);
	return rc;
}

/*
 * vdev->device is still in sysfs: unregistering it comes after the
 * announcement that brings us here, or after vfio_cdev_nodes_lock is let go.
 */
static void node_withdraw(struct vfio_cdev_node *node)
{
	struct vfio_device *vdev = node->vdev;

	lockdep_assert_held(&vfio_cdev_nodes_lock);

	xa_erase(&nodes, vdev->index);
	device_remove_file(&vdev->device, &dev_attr_dev);
	cdev_device_del(&node->cdev, &node->dev);
	spin_lock(&node->lock);
	node->vdev = NULL;
	spin_unlock(&node->lock);
	put_device(&vdev->device);
	put_device(&node->dev);
}

/**
 * vfio_cdev_node_leaving() - is the driver letting the device go?
 * @node: a node kept alive by an open file
 *
 * Any context.
 */
bool vfio_cdev_node_leaving(struct vfio_cdev_node *node)
{
	bool leaving;

	spin_lock(&node->lock);
	leaving = !node->vdev;
	spin_unlock(&node->lock);
	return leaving;
}

static bool in_group(struct vfio_cdev_node *node, int id)
{
	struct iommu_group *group = iommu_group_get(node->vdev->dev);
	bool in = group && iommu_group_id(group) == id;

	iommu_group_put(group);
	return in;
}

/**
 * vfio_cdev_node_group() - an IOMMU group by its number
 * @id: the number
 *
 * May sleep. Return: the group, referenced, or NULL if no device of it has a
 * node.
 */
struct iommu_group *vfio_cdev_node_group(int id)
{
	struct iommu_group *group = NULL;
	struct vfio_cdev_node *node;
	unsigned long index;

	mutex_lock(&vfio_cdev_nodes_lock);
	xa_for_each(&nodes, index, node) {
		if (in_group(node, id)) {
			group = iommu_group_get(node->vdev->dev);
			break;
		}
	}
	mutex_unlock(&vfio_cdev_nodes_lock);
	return group;
}

/**
 * vfio_cdev_node_find() - the node of a device of a group
 * @group_id: number of the IOMMU group
 * @name: of the device, with its VF token behind it if it needs one
 *
 * May sleep. Return: the node, referenced, or an ERR_PTR of -ENODEV or of what
 * the driver says about the token; explained.
 */
struct vfio_cdev_node *vfio_cdev_node_find(int group_id, char *name)
{
	struct vfio_cdev_node *node;
	unsigned long index;
	int rc = 0;

	mutex_lock(&vfio_cdev_nodes_lock);
	xa_for_each(&nodes, index, node) {
		struct vfio_device *vdev = node->vdev;

		if (!in_group(node, group_id))
			continue;
		if (vdev->ops->match)
			rc = vdev->ops->match(vdev, name);
		else
			rc = !strcmp(vfio_cdev_name(vdev), name);
		if (rc)
			break;
	}
	if (rc > 0)
		get_device(&node->dev);
	mutex_unlock(&vfio_cdev_nodes_lock);
	if (rc > 0)
		return node;
	if (rc < 0)
		return ERR_PTR(iommufd_refuse(rc, "%s: its driver refuses the VF token, or the lack of one",
					      name));
	return ERR_PTR(iommufd_refuse(-ENODEV, "group %d has no PCI device %s",
				      group_id, name));
}

/* Caller holds the PCI device's lock. */
static void device_came(struct device *parent)
{
	struct vfio_device *vdev = core_vdev_of(parent);
	int rc = 0;

	if (!vdev)
		return;
	mutex_lock(&vfio_cdev_nodes_lock);
	/* A kernel that has device files of its own gave it a number. */
	if (closing || vdev->device.devt || xa_load(&nodes, vdev->index))
		put_device(&vdev->device);
	else
		rc = node_publish(vdev);
	mutex_unlock(&vfio_cdev_nodes_lock);
	if (rc) {
		dev_warn(parent, "no VFIO device file for it: error %d\n", rc);
		put_device(&vdev->device);
	}
}

/* Caller holds the PCI device's lock. */
static void device_goes(struct device *parent)
{
	struct vfio_cdev_node *node;
	unsigned long index;

	mutex_lock(&vfio_cdev_nodes_lock);
	xa_for_each(&nodes, index, node) {
		if (node->dev.parent == parent) {
			node_withdraw(node);
			break;
		}
	}
	mutex_unlock(&vfio_cdev_nodes_lock);
}

static int bus_event(struct notifier_block *nb, unsigned long event,
		     void *data)
{
	switch (event) {
	case BUS_NOTIFY_BOUND_DRIVER:
		device_came(data);
		return NOTIFY_OK;
	case BUS_NOTIFY_UNBIND_DRIVER:
		device_goes(data);
		return NOTIFY_OK;
	}
	return NOTIFY_DONE;
}

static struct notifier_block bus_listener = {
	.notifier_call = bus_event,
};

/*
 * A driver that waits in its remove for a user to close keeps the device
 * locked for as long as the user likes. Its VFIO child is gone by then, so
 * there is nothing to wait for: look for the child before each try.
 */
static int scan_one(struct device *parent, void *unused)
{
	unsigned long end = jiffies + SCAN_PATIENCE;
	struct device *child;

	for (;;) {
		child = device_find_child(parent, NULL, is_vfio_child);
		if (!child)
			return 0;
		put_device(child);
		if (device_trylock(parent))
			break;
		if (time_after(jiffies, end)) {
			dev_warn(parent,
				 "locked for %d s: its VFIO device file comes when a driver binds it again\n",
				 SCAN_PATIENCE / HZ);
			return 0;
		}
		msleep(20);
	}
	if (parent->driver)
		device_came(parent);
	device_unlock(parent);
	return 0;
}

static void withdraw_all(void)
{
	struct vfio_cdev_node *node;
	unsigned long index;

	mutex_lock(&vfio_cdev_nodes_lock);
	closing = true;
	xa_for_each(&nodes, index, node)
		node_withdraw(node);
	mutex_unlock(&vfio_cdev_nodes_lock);
}

/**
 * vfio_cdev_nodes_init() - give every VFIO PCI device its node, now and later
 *
 * May sleep. Return: 0 or a negative errno, with nothing left behind.
 */
int vfio_cdev_nodes_init(void)
{
	int rc;

	rc = alloc_chrdev_region(&first_devt, 0, MINORMASK + 1, "vfio-dev");
	if (rc)
		return rc;
	rc = class_register(&node_class);
	if (rc)
		goto err_region;
	/* Listen first: what binds during the scan is found by one of both. */
	rc = bus_register_notifier(&pci_bus_type, &bus_listener);
	if (rc)
		goto err_class;
	bus_for_each_dev(&pci_bus_type, NULL, NULL, scan_one);
	return 0;

err_class:
	class_unregister(&node_class);
err_region:
	unregister_chrdev_region(first_devt, MINORMASK + 1);
	return rc;
}

/**
 * vfio_cdev_nodes_exit() - take every node back
 *
 * No file is open. The nodes go while the listener is still there, because
 * only as long as it can hold up an unbind are their devices sure to be in
 * sysfs. May sleep.
 */
void vfio_cdev_nodes_exit(void)
{
	withdraw_all();
	bus_unregister_notifier(&pci_bus_type, &bus_listener);
	class_unregister(&node_class);
	unregister_chrdev_region(first_devt, MINORMASK + 1);
	xa_destroy(&nodes);
}

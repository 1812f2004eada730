// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reset of the slot or bus a device sits on, which hits its neighbours too.
 *
 * vfio-pci-core has a hot reset, but it proves ownership by group files, and
 * of a device file it only sees that it is none. Here ownership is having the
 * device, or another one of its group, bound to the same /dev/iommu.
 */
#include <linux/iommu.h>
#include <linux/overflow.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "vfio_cdev.h"

/**
 * struct reach - what a reset of one device hits
 * @bus: the bus it is on; everything below it is hit ...
 * @slot: ... or, if not NULL, only what is below this slot
 */
struct reach {
	struct pci_bus *bus;
	struct pci_slot *slot;
};

/* Same choice as pci_reset_bus() makes: a slot if it can be reset alone. */
static int find_reach(struct pci_dev *pdev, struct reach *reach)
{
	reach->bus = pdev->bus;
	reach->slot = NULL;
	if (!pci_probe_reset_slot(pdev->slot)) {
		reach->slot = pdev->slot;
		return 0;
	}
	if (!pci_probe_reset_bus(pdev->bus))
		return 0;
	return iommufd_refuse(-ENODEV, "%s: neither its slot nor its bus can be reset",
			      pci_name(pdev));
}

/* The device of reach->bus through which the path to @pdev leads. */
static bool within_reach(const struct reach *reach, struct pci_dev *pdev)
{
	if (!reach->slot)
		return true;
	while (pdev && pdev->bus != reach->bus)
		pdev = pdev->bus->self;
	return pdev && pdev->slot == reach->slot;
}

/**
 * struct victims - the devices a reset hits, gathered by walking the bus
 * @reach: what to gather
 * @set: the device set of the calling file, locked by it
 * @ictx: the context that has to own them
 * @found: how many there are
 * @room: how many entries @list has
 * @list: id and address of each, or NULL just to count
 * @owned: all of them belong to @ictx
 * @foreign: bus, device and function of one that does not, if !@owned
 */
struct victims {
	struct reach reach;
	struct vfio_device_set *set;
	struct iommufd_ctx *ictx;
	unsigned int found;
	unsigned int room;
	struct vfio_pci_dependent_device *list;
	bool owned;
	char foreign[24];
};

/*
 * Positive: bound to @ictx under this id. OWNED: not bound, but nobody else
 * can have it, because another device of its group is. Else NOT_OWNED.
 */
static int owner_id(struct vfio_device *vdev, struct iommufd_ctx *ictx)
{
	struct vfio_cdev_file *vf = vfio_cdev_bound_file(vdev);
	struct iommu_group *group;
	bool has;

	if (vf && vf->ictx == ictx)
		return vf->devid;
	group = iommu_group_get(vdev->dev);
	if (!group)
		return VFIO_PCI_DEVID_NOT_OWNED;
	has = iommufd_ctx_has_group(ictx, group);
	iommu_group_put(group);
	return has ? VFIO_PCI_DEVID_OWNED : VFIO_PCI_DEVID_NOT_OWNED;
}

static int gather_one(struct pci_dev *pdev, void *data)
{
	struct vfio_pci_dependent_device *entry;
	struct victims *v = data;
	struct vfio_device *vdev;
	int id = VFIO_PCI_DEVID_NOT_OWNED;

	if (!within_reach(&v->reach, pdev))
		return 0;
	vdev = vfio_find_device_in_devset(v->set, &pdev->dev);
	if (vdev)
		id = owner_id(vdev, v->ictx);
	if (id == VFIO_PCI_DEVID_NOT_OWNED) {
		v->owned = false;
		strscpy(v->foreign, pci_name(pdev), sizeof(v->foreign));
	}
	if (v->found < v->room) {
		entry = &v->list[v->found];
		entry->devid = id;
		entry->segment = pci_domain_nr(pdev->bus);
		entry->bus = pdev->bus->number;
		entry->devfn = pdev->devfn;
	}
	v->found++;
	return 0;
}

static void gather(struct victims *v)
{
	v->found = 0;
	v->owned = true;
	pci_walk_bus(v->reach.bus, gather_one, v);
}

static int victims_init(struct victims *v, struct vfio_cdev_file *vf)
{
	*v = (struct victims){
		.set = vf->vdev->dev_set,
		.ictx = vf->ictx,
	};
	return find_reach(to_pci_dev(vf->vdev->dev), &v->reach);
}

static int refuse_fault(struct vfio_cdev_file *vf, void __user *uarg)
{
	return iommufd_refuse(-EFAULT, "%s: hot reset argument at 0x%lx cannot be reached",
			      vfio_cdev_name(vf->vdev), (unsigned long)uarg);
}

/* Both arguments begin with argsz. */
static int read_head(struct vfio_cdev_file *vf, void *head, size_t size,
		     void __user *uarg)
{
	u32 *argsz = head;

	if (copy_from_user(head, uarg, size))
		return refuse_fault(vf, uarg);
	if (*argsz < size)
		return iommufd_refuse(-EINVAL, "%s: argsz is %u, at least %zu needed",
				      vfio_cdev_name(vf->vdev), *argsz, size);
	return 0;
}

static int info_locked(struct vfio_cdev_file *vf, struct victims *v,
		       struct vfio_pci_hot_reset_info *head)
{
	gather(v);
	/* Devices may come while the list is made: then ask for more room. */
	v->room = v->found;
	v->list = kcalloc(v->room, sizeof(*v->list), GFP_KERNEL_ACCOUNT);
	if (!v->list)
		return iommufd_refuse(-ENOMEM, "%s: no memory for %u entries",
				      vfio_cdev_name(vf->vdev), v->room);
	gather(v);

	head->flags = VFIO_PCI_HOT_RESET_FLAG_DEV_ID;
	if (v->owned)
		head->flags |= VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED;
	head->count = v->found;
	if (v->found <= v->room &&
	    head->argsz >= struct_size(head, devices, v->found))
		return 0;
	return iommufd_refuse(-ENOSPC, "%s: %u devices need argsz %zu",
			      vfio_cdev_name(vf->vdev), v->found,
			      struct_size(head, devices, v->found));
}

/**
 * vfio_cdev_hot_reset_info() - VFIO_DEVICE_GET_PCI_HOT_RESET_INFO
 * @vf: a bound file
 * @uarg: struct vfio_pci_hot_reset_info of the user
 *
 * Takes the device set's lock. Return: 0 or an errno with a reason: ENODEV if
 * no hot reset reaches the device, ENOSPC with the count filled in if argsz is
 * too small for it, EINVAL, EFAULT, ENOMEM.
 */
int vfio_cdev_hot_reset_info(struct vfio_cdev_file *vf, void __user *uarg)
{
	struct vfio_pci_hot_reset_info __user *uinfo = uarg;
	struct vfio_pci_hot_reset_info head;
	struct victims v;
	int rc;

	rc = read_head(vf, &head, sizeof(head), uarg);
	if (rc)
		return rc;
	rc = victims_init(&v, vf);
	if (rc)
		return rc;
	mutex_lock(&v.set->lock);
	rc = info_locked(vf, &v, &head);
	mutex_unlock(&v.set->lock);

	if (!rc && copy_to_user(uinfo->devices, v.list,
				array_size(v.found, sizeof(*v.list))))
		rc = refuse_fault(vf, uarg);
	if ((!rc || rc == -ENOSPC) && copy_to_user(uinfo, &head, sizeof(head)))
		rc = refuse_fault(vf, uarg);
	kfree(v.list);
	return rc;
}

static int wake_all(struct vfio_device_set *set)
{
	struct vfio_device *vdev;
	int rc;

	list_for_each_entry(vdev, &set->device_list, dev_set_list) {
		rc = pm_runtime_resume_and_get(vdev->dev);
		if (!rc)
			continue;
		iommufd_refuse(rc, "%s: does not wake up to be reset",
			       vfio_cdev_name(vdev));
		list_for_each_entry_continue_reverse(vdev, &set->device_list,
						     dev_set_list)
			pm_runtime_put(vdev->dev);
		return rc;
	}
	return 0;
}

static void let_sleep_all(struct vfio_device_set *set)
{
	struct vfio_device *vdev;

	list_for_each_entry(vdev, &set->device_list, dev_set_list)
		pm_runtime_put(vdev->dev);
}

static void zap(struct vfio_device *vdev)
{
	loff_t first = VFIO_PCI_INDEX_TO_OFFSET(VFIO_PCI_BAR0_REGION_INDEX);
	loff_t end = VFIO_PCI_INDEX_TO_OFFSET(VFIO_PCI_ROM_REGION_INDEX);

	unmap_mapping_range(vdev->inode->i_mapping, first, end - first, true);
}

/*
 * The reset itself restores the config space it finds, but a user may have
 * put the device to D3 with the state of before kept aside by the driver.
 */
static void to_full_power(struct vfio_pci_core_device *core)
{
	struct pci_dev *pdev = core->pdev;
	bool asleep = pdev->current_state >= PCI_D3hot;

	if (pci_set_power_state(pdev, PCI_D0) || !asleep)
		return;
	if (core->needs_pm_restore && core->pm_save) {
		pci_load_and_free_saved_state(pdev, &core->pm_save);
		pci_restore_state(pdev);
	}
}

/*
 * Keep users out of every device of the set, which is what holding its memory
 * lock and taking its mappings away does. The locks have no order among each
 * other, so none is waited for.
 */
static int fence_all(struct vfio_device_set *set)
{
	struct vfio_device *vdev;

	list_for_each_entry(vdev, &set->device_list, dev_set_list) {
		if (down_write_trylock(&vfio_cdev_to_pci(vdev)->memory_lock)) {
			zap(vdev);
			continue;
		}
		iommufd_refuse(-EBUSY, "%s: its registers are being used, try again",
			       vfio_cdev_name(vdev));
		list_for_each_entry_continue_reverse(vdev, &set->device_list,
						     dev_set_list)
			up_write(&vfio_cdev_to_pci(vdev)->memory_lock);
		return -EBUSY;
	}
	return 0;
}

static void unfence_all(struct vfio_device_set *set)
{
	struct vfio_device *vdev;

	list_for_each_entry(vdev, &set->device_list, dev_set_list)
		up_write(&vfio_cdev_to_pci(vdev)->memory_lock);
}

static void take_buffers(struct vfio_device_set *set)
{
	struct vfio_device *vdev;
	struct vfio_cdev_file *vf;

	list_for_each_entry(vdev, &set->device_list, dev_set_list) {
		vf = vfio_cdev_bound_file(vdev);
		if (vf)
			vfio_cdev_buffers_take(vf->node);
	}
}

static void give_buffers(struct vfio_device_set *set)
{
	struct vfio_device *vdev;
	struct vfio_cdev_file *vf;

	list_for_each_entry(vdev, &set->device_list, dev_set_list) {
		vf = vfio_cdev_bound_file(vdev);
		if (vf)
			vfio_cdev_buffers_give(vf->node);
	}
}

/*
 * What the walk along the bus finds is in the set, or not owned. The set may
 * have more than that: they are fenced too and must be owned just as well.
 */
static int check_owned(struct victims *v)
{
	struct vfio_device *vdev;

	gather(v);
	if (!v->owned)
		return iommufd_refuse(-EINVAL, "the reset hits %s, which does not belong to this /dev/iommu",
				      v->foreign);
	list_for_each_entry(vdev, &v->set->device_list, dev_set_list)
		if (owner_id(vdev, v->ictx) == VFIO_PCI_DEVID_NOT_OWNED)
			return iommufd_refuse(-EINVAL, "the reset hits %s, which does not belong to this /dev/iommu",
					      vfio_cdev_name(vdev));
	return 0;
}

static int reset_locked(struct victims *v, struct pci_dev *pdev)
{
	struct vfio_device *vdev;
	int rc;

	rc = check_owned(v);
	if (rc)
		return rc;
	rc = wake_all(v->set);
	if (rc)
		return rc;
	take_buffers(v->set);
	rc = fence_all(v->set);
	if (rc)
		goto out_give;
	list_for_each_entry(vdev, &v->set->device_list, dev_set_list)
		to_full_power(vfio_cdev_to_pci(vdev));
	rc = pci_reset_bus(pdev);
	unfence_all(v->set);
	if (rc)
		iommufd_refuse(rc, "%s: the reset of its %s fails%s",
			       pci_name(pdev), v->reach.slot ? "slot" : "bus",
			       rc == -EAGAIN ? ", a device there is locked: try again" : "");
out_give:
	give_buffers(v->set);
	let_sleep_all(v->set);
	return rc;
}

/**
 * vfio_cdev_hot_reset() - VFIO_DEVICE_PCI_HOT_RESET
 * @vf: a bound file
 * @uarg: struct vfio_pci_hot_reset of the user, without group files
 *
 * Takes the device set's lock and the memory lock of every device in the set.
 * Return: 0 or an errno with a reason: ENODEV if no hot reset reaches the
 * device; EINVAL if it hits a device that is not owned, for flags or for group
 * files; EBUSY or EAGAIN if a device is in use right now; EFAULT.
 */
int vfio_cdev_hot_reset(struct vfio_cdev_file *vf, void __user *uarg)
{
	struct vfio_pci_hot_reset head;
	struct victims v;
	int rc;

	rc = read_head(vf, &head, sizeof(head), uarg);
	if (rc)
		return rc;
	if (head.flags)
		return iommufd_refuse(-EINVAL, "%s: unknown HOT_RESET flags 0x%x",
				      vfio_cdev_name(vf->vdev), head.flags);
	if (head.count)
		return iommufd_refuse(-EINVAL, "%s: %u group files given, but a device file owns by its /dev/iommu",
				      vfio_cdev_name(vf->vdev), head.count);
	rc = victims_init(&v, vf);
	if (rc)
		return rc;
	mutex_lock(&v.set->lock);
	rc = reset_locked(&v, to_pci_dev(vf->vdev->dev));
	mutex_unlock(&v.set->lock);
	return rc;
}

/**
 * vfio_cdev_hot_reset_by_group() - VFIO_DEVICE_PCI_HOT_RESET the driver's way
 * @vf: a file that its group has opened
 * @arg: address of the user's struct vfio_pci_hot_reset, with group files
 *
 * The driver takes the device set's lock itself, so what it hits is noted before,
 * and until it returns no device exports a buffer.
 *
 * Return: as the driver, or -ENOMEM with a reason
 */
long vfio_cdev_hot_reset_by_group(struct vfio_cdev_file *vf, unsigned long arg)
{
	struct vfio_device_set *set = vf->vdev->dev_set;
	struct vfio_cdev_node **nodes;
	struct vfio_cdev_file *bound;
	struct vfio_device *vdev;
	unsigned int i, nr = 0;
	long ret;

	atomic_inc(&vfio_cdev_group_resets);
	mutex_lock(&set->lock);
	nodes = kcalloc(set->device_count, sizeof(*nodes), GFP_KERNEL_ACCOUNT);
	if (!nodes) {
		mutex_unlock(&set->lock);
		atomic_dec(&vfio_cdev_group_resets);
		return iommufd_refuse(-ENOMEM, "%s: no memory to reset it",
				      vfio_cdev_name(vf->vdev));
	}
	list_for_each_entry(vdev, &set->device_list, dev_set_list) {
		bound = vfio_cdev_bound_file(vdev);
		if (!bound)
			continue;
		nodes[nr++] = bound->node;
		get_device(&bound->node->dev);
		vfio_cdev_buffers_take(bound->node);
	}
	mutex_unlock(&set->lock);

	ret = vf->vdev->ops->ioctl(vf->vdev, VFIO_DEVICE_PCI_HOT_RESET, arg);

	for (i = 0; i < nr; i++) {
		vfio_cdev_buffers_give(nodes[i]);
		put_device(&nodes[i]->dev);
	}
	kfree(nodes);
	atomic_dec(&vfio_cdev_group_resets);
	return ret;
}

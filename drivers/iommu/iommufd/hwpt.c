// SPDX-License-Identifier: GPL-2.0-only
/*
 * HWPT objects: hardware page tables that mirror an IOAS, and nested ones whose
 * tables are the user's.
 */
#include <linux/iommu.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/iommufd.h>

#include "device.h"
#include "ext.h"
#include "fault.h"
#include "hwpt.h"
#include "ioas.h"
#include "ioctl.h"
#include "msi.h"
#include "trace.h"
#include "viommu.h"

#define MAX_INVALIDATIONS BIT(19)

static void hwpt_destroy(struct iommufd_object *obj)
{
	struct iommufd_hwpt *hwpt = to_hwpt(obj);

	if (hwpt->mirrors)
		iopt_remove_domain(&hwpt->ioas->iopt, &hwpt->idom);
	iommufd_msi_forget(hwpt);
	if (hwpt->idom.domain)
		iommu_domain_free(hwpt->idom.domain);
	iommufd_msi_destroy(hwpt);
	hw_driver_put(hwpt->idom.drv);
	if (hwpt->fault)
		iommufd_object_undepend(&hwpt->fault->obj);
	if (hwpt->viommu)
		iommufd_object_undepend(&hwpt->viommu->obj);
	if (hwpt->parent)
		iommufd_object_undepend(&hwpt->parent->obj);
	if (hwpt->ioas)
		iommufd_object_undepend(&hwpt->ioas->obj);
	kfree(hwpt);
}

static void hwpt_show(struct iommufd_object *obj, struct seq_file *m)
{
	struct iommufd_hwpt *hwpt = to_hwpt(obj);

	if (hwpt->parent)
		seq_printf(m, " parent=%u", hwpt->parent->obj.id);
	else
		seq_printf(m, " ioas=%u", hwpt->ioas->obj.id);
	if (hwpt->viommu)
		seq_printf(m, " viommu=%u", hwpt->viommu->obj.id);
	seq_printf(m, " driver=%s auto=%d nest_parent=%d for_pasids=%d enforces_coherency=%d tracks_dirty=%d",
		   hwpt->idom.drv->name, hwpt->is_auto, hwpt->nest_parent,
		   hwpt->for_pasids, hwpt->enforces_coherency,
		   hwpt->tracks_dirty);
	if (hwpt->fault)
		seq_printf(m, " fault=%u", hwpt->fault->obj.id);
}

static bool hwpt_depends_on(const struct iommufd_object *obj,
			    const struct iommufd_object *other)
{
	const struct iommufd_hwpt *hwpt =
		container_of(obj, struct iommufd_hwpt, obj);

	return (hwpt->ioas && &hwpt->ioas->obj == other) ||
	       (hwpt->viommu && &hwpt->viommu->obj == other) ||
	       (hwpt->parent && &hwpt->parent->obj == other) ||
	       (hwpt->fault && &hwpt->fault->obj == other);
}

const struct iommufd_object_type iommufd_hwpt_paging_type = {
	.name = "hwpt",
	.destroy = hwpt_destroy,
	.show = hwpt_show,
	.depends_on = hwpt_depends_on,
};

const struct iommufd_object_type iommufd_hwpt_nested_type = {
	.name = "hwpt_nested",
	.destroy = hwpt_destroy,
	.show = hwpt_show,
	.depends_on = hwpt_depends_on,
};

/* Make a table object with an id and a held driver, and no domain yet. */
static struct iommufd_hwpt *hwpt_new(struct iommufd_device *idev,
				     const struct iommufd_object_type *type)
{
	struct iommufd_hwpt *hwpt;
	int rc;

	hwpt = kzalloc(sizeof(*hwpt), GFP_KERNEL_ACCOUNT);
	if (!hwpt)
		return ERR_PTR(iommufd_refuse(-ENOMEM, "no memory for a %s",
					      type->name));
	if (!hw_driver_hold(idev->drv)) {
		kfree(hwpt);
		return ERR_PTR(iommufd_refuse(-ENODEV,
					      "the IOMMU driver %s is being unloaded",
					      idev->drv->name));
	}
	hwpt->idom.drv = idev->drv;
	rc = iommufd_object_init(idev->obj.ictx, &hwpt->obj, type);
	if (rc) {
		hw_driver_put(idev->drv);
		kfree(hwpt);
		return ERR_PTR(rc);
	}
	return hwpt;
}

/**
 * iommufd_hwpt_enforce_coherency - make DMA through a table always snooped
 * @hwpt: the table; for a nested one its parent is what counts
 * @dev: for whom, for the reason
 *
 * A table can begin to enforce only while nothing is mapped in it.
 *
 * Context: may sleep; takes the shape lock of the address space.
 * Return: 0 or -EINVAL, explained
 */
int iommufd_hwpt_enforce_coherency(struct iommufd_hwpt *hwpt,
				   struct device *dev)
{
	struct iommufd_hwpt *paging = hwpt->parent ?: hwpt;
	struct iommu_domain *domain = paging->idom.domain;
	struct io_pagetable *iopt = &paging->ioas->iopt;
	bool enforces;

	down_write(&iopt->shape);
	if (!paging->enforces_coherency &&
	    (!iopt->nr_areas || !paging->mirrors) &&
	    domain->ops->enforce_cache_coherency)
		paging->enforces_coherency =
			domain->ops->enforce_cache_coherency(domain);
	enforces = paging->enforces_coherency;
	up_write(&iopt->shape);
	if (enforces)
		return 0;
	return iommufd_refuse(-EINVAL,
			      "%s has to be snooped always, which page table %u does not enforce%s",
			      dev_name(dev), paging->obj.id,
			      iopt->nr_areas ? " and no longer can" : "");
}

/**
 * iommufd_hwpt_alloc_paging - make a table that mirrors an IOAS
 * @ioas: held or depended on by the caller
 * @idev: a device behind the IOMMU the table is for
 * @flags: enum iommufd_hwpt_alloc_flags
 * @data: the user's data for the driver, or NULL
 * @is_auto: it is to go with the last device attached to it
 *
 * Context: may sleep.
 * Return: the table, filled and not published, or an ERR_PTR; explained
 */
struct iommufd_hwpt *iommufd_hwpt_alloc_paging(struct iommufd_ioas *ioas,
					       struct iommufd_device *idev,
					       u32 flags,
					       const struct iommu_user_data *data,
					       bool is_auto)
{
	struct windows_request *request = NULL;
	struct iommufd_hwpt *hwpt;
	struct iommu_domain *domain;
	int rc;

	if (data && data->type == IOMMU_EXT_HWPT_DATA_WINDOWS) {
		request = windows_request_read(data);
		if (IS_ERR(request))
			return ERR_CAST(request);
	}
	hwpt = hwpt_new(idev, &iommufd_hwpt_paging_type);
	if (IS_ERR(hwpt)) {
		kfree(request);
		return hwpt;
	}
	hwpt->is_auto = is_auto;
	hwpt->nest_parent = flags & IOMMU_HWPT_ALLOC_NEST_PARENT;
	hwpt->for_pasids = flags & IOMMU_HWPT_ALLOC_PASID;
	hwpt->tracks_dirty = flags & IOMMU_HWPT_ALLOC_DIRTY_TRACKING;
	if (hwpt->tracks_dirty && !idev->drv->set_dirty) {
		rc = iommufd_refuse(-EOPNOTSUPP,
				    "the IOMMU driver %s of %s has no dirty tracking%s",
				    idev->drv->name, dev_name(idev->dev),
				    idev->drv == &hw_builtin_ops ?
				    ": without CONFIG_IOMMUFD the kernel's own drivers record nothing" : "");
		goto err;
	}
	rc = iommufd_object_depend(&ioas->obj);
	if (rc)
		goto err;
	hwpt->ioas = ioas;

	domain = request ? windows_request_alloc(request, idev, flags) :
			   idev->drv->alloc_paging(idev->dev, flags, data);
	if (IS_ERR(domain)) {
		rc = PTR_ERR(domain);
		goto err;
	}
	hwpt->idom.domain = domain;
	hwpt->idom.nr_windows = idev->drv->windows(domain, hwpt->idom.windows);

	if (idev->enforce_coherency) {
		rc = iommufd_hwpt_enforce_coherency(hwpt, idev->dev);
		if (rc)
			goto err;
	}
	rc = iopt_add_domain(&ioas->iopt, &hwpt->idom);
	if (rc)
		goto err;
	hwpt->mirrors = true;
	if (request) {
		rc = windows_request_answer(request, ioas, idev);
		if (rc)
			goto err;
	}
	kfree(request);
	return hwpt;
err:
	kfree(request);
	iommufd_object_abandon(&hwpt->obj);
	return ERR_PTR(rc);
}

/* The user's tables over @parent, through @viommu if it is not NULL. */
static int hwpt_build_nested(struct iommufd_hwpt *hwpt,
			     struct iommufd_hwpt *parent,
			     struct viommu_object *viommu,
			     struct iommufd_device *idev, u32 flags,
			     const struct iommu_user_data *data)
{
	struct iommu_domain *domain;
	int rc;

	rc = iommufd_object_depend(&parent->obj);
	if (rc)
		return rc;
	hwpt->parent = parent;
	if (viommu) {
		rc = iommufd_object_depend(&viommu->obj);
		if (rc)
			return rc;
		hwpt->viommu = viommu;
		domain = viommu->hw.ops->alloc_nested(&viommu->hw, idev->dev,
						      flags, data);
	} else {
		domain = idev->drv->alloc_nested(idev->dev, parent->idom.domain,
						 flags, data);
	}
	if (IS_ERR(domain))
		return PTR_ERR(domain);
	hwpt->idom.domain = domain;
	return 0;
}

static struct iommufd_hwpt *hwpt_alloc_nested(struct iommufd_hwpt *parent,
					      struct viommu_object *viommu,
					      struct iommufd_device *idev,
					      u32 flags,
					      const struct iommu_user_data *data)
{
	struct iommufd_hwpt *hwpt;
	int rc;

	if (data->type == IOMMU_HWPT_DATA_NONE)
		return ERR_PTR(iommufd_refuse(-EINVAL,
					      "a nested page table needs data that describes it"));
	if (flags & ~IOMMU_HWPT_ALLOC_PASID)
		return ERR_PTR(iommufd_refuse(-EOPNOTSUPP,
					      "a nested page table cannot have flags 0x%x",
					      flags & ~IOMMU_HWPT_ALLOC_PASID));
	if (!(viommu ? !!viommu->hw.ops->alloc_nested :
		       !!idev->drv->alloc_nested))
		return ERR_PTR(iommufd_refuse(-EOPNOTSUPP,
					      "the IOMMU driver %s has no nested page tables here",
					      idev->drv->name));
	hwpt = hwpt_new(idev, &iommufd_hwpt_nested_type);
	if (IS_ERR(hwpt))
		return hwpt;
	hwpt->for_pasids = flags & IOMMU_HWPT_ALLOC_PASID;
	rc = hwpt_build_nested(hwpt, parent, viommu, idev, flags, data);
	if (rc) {
		iommufd_object_abandon(&hwpt->obj);
		return ERR_PTR(rc);
	}
	return hwpt;
}

static int check_nest_parent(struct iommufd_hwpt *parent,
			     struct iommufd_device *idev)
{
	if (parent->obj.type != &iommufd_hwpt_paging_type || !parent->nest_parent)
		return iommufd_refuse(-EINVAL, "%s %u was not made with NEST_PARENT",
				      hwpt_name(parent), parent->obj.id);
	if (parent->idom.drv != idev->drv)
		return iommufd_refuse(-EINVAL,
				      "page table %u belongs to the IOMMU driver %s, %s is behind %s",
				      parent->obj.id, parent->idom.drv->name,
				      dev_name(idev->dev), idev->drv->name);
	return 0;
}

/**
 * iommufd_hwpt_drop - end a dependency on a table
 * @hwpt: one the kernel made by itself goes with the last of them
 *
 * Context: may sleep; no lock of an address space or a group is held.
 */
void iommufd_hwpt_drop(struct iommufd_hwpt *hwpt)
{
	if (hwpt->is_auto)
		iommufd_object_retire_unused(&hwpt->obj);
	else
		iommufd_object_undepend(&hwpt->obj);
}

static int check_hwpt_alloc(struct iommu_hwpt_alloc *cmd)
{
	int rc;

	rc = iommufd_check_flags(cmd->flags, IOMMU_HWPT_ALLOC_NEST_PARENT |
				 IOMMU_HWPT_ALLOC_DIRTY_TRACKING |
				 IOMMU_HWPT_FAULT_ID_VALID |
				 IOMMU_HWPT_ALLOC_PASID);
	if (!rc)
		rc = iommufd_check_reserved(cmd->__reserved, "__reserved");
	if (!rc)
		rc = iommufd_check_reserved(cmd->__reserved2, "__reserved2");
	if (rc)
		return rc;
	if ((cmd->flags & IOMMU_HWPT_ALLOC_NEST_PARENT) &&
	    (cmd->flags & IOMMU_HWPT_FAULT_ID_VALID))
		return iommufd_refuse(-EOPNOTSUPP,
				      "a nesting parent cannot have a fault queue");
	if (cmd->data_type == IOMMU_HWPT_DATA_NONE && cmd->data_len)
		return iommufd_refuse(-EINVAL, "data_len is %u without a data_type",
				      cmd->data_len);
	if (cmd->data_type != IOMMU_HWPT_DATA_NONE && !cmd->data_len)
		return iommufd_refuse(-EINVAL, "data_type is %u and data_len 0",
				      cmd->data_type);
	if (cmd->data_len && !cmd->data_uptr)
		return iommufd_refuse(-EFAULT, "data_len is %u and data_uptr null",
				      cmd->data_len);
	return 0;
}

static struct iommufd_hwpt *hwpt_alloc_on(struct iommufd_object *pt,
					  struct iommufd_device *idev,
					  struct iommu_hwpt_alloc *cmd)
{
	/* Where page requests go is not the driver's business. */
	u32 flags = cmd->flags & ~IOMMU_HWPT_FAULT_ID_VALID;
	struct iommu_user_data data = {
		.type = cmd->data_type,
		.uptr = u64_to_user_ptr(cmd->data_uptr),
		.len = cmd->data_len,
	};
	int rc;

	if (pt->type == &iommufd_ioas_type)
		return iommufd_hwpt_alloc_paging(to_ioas(pt), idev, flags,
						 cmd->data_len ? &data : NULL,
						 false);
	if (iommufd_object_is_hwpt(pt)) {
		rc = check_nest_parent(to_hwpt(pt), idev);
		return rc ? ERR_PTR(rc) :
			    hwpt_alloc_nested(to_hwpt(pt), NULL, idev,
					      flags, &data);
	}
	if (pt->type == &iommufd_viommu_type) {
		rc = iommufd_viommu_check_device(to_viommu(pt), idev);
		return rc ? ERR_PTR(rc) :
			    hwpt_alloc_nested(to_viommu(pt)->parent,
					      to_viommu(pt), idev, flags,
					      &data);
	}
	return ERR_PTR(iommufd_refuse(-EINVAL,
				      "object %u is a %s, a page table is made over an ioas, a hwpt or a viommu",
				      pt->id, pt->type->name));
}

int iommufd_hwpt_alloc(struct iommufd_ucmd *ucmd)
{
	struct iommu_hwpt_alloc *cmd = ucmd->cmd;
	struct iommufd_object *dev_obj, *pt;
	struct iommufd_hwpt *hwpt;
	int rc;

	rc = check_hwpt_alloc(cmd);
	if (rc)
		return rc;
	dev_obj = iommufd_object_get(ucmd->ictx, cmd->dev_id,
				     &iommufd_device_type);
	if (IS_ERR(dev_obj))
		return PTR_ERR(dev_obj);
	pt = iommufd_object_get_any(ucmd->ictx, cmd->pt_id);
	if (IS_ERR(pt)) {
		rc = PTR_ERR(pt);
		goto out_dev;
	}
	hwpt = hwpt_alloc_on(pt, to_idev(dev_obj), cmd);
	iommufd_object_put(pt);
	if (IS_ERR(hwpt)) {
		rc = PTR_ERR(hwpt);
		goto out_dev;
	}
	if (cmd->flags & IOMMU_HWPT_FAULT_ID_VALID) {
		rc = iommufd_hwpt_set_fault(hwpt, cmd->fault_id);
		if (rc) {
			iommufd_object_abandon(&hwpt->obj);
			goto out_dev;
		}
	}
	cmd->out_hwpt_id = hwpt->obj.id;
	rc = iommufd_ucmd_deliver(ucmd, &hwpt->obj);
out_dev:
	iommufd_object_put(dev_obj);
	return rc;
}

static int check_invalidate(struct iommu_hwpt_invalidate *cmd)
{
	int rc;

	rc = iommufd_check_reserved(cmd->__reserved, "__reserved");
	if (rc || !cmd->entry_num)
		return rc;
	if (cmd->entry_num > MAX_INVALIDATIONS)
		return iommufd_refuse(-EINVAL, "entry_num is %u, at most %lu are taken",
				      cmd->entry_num, MAX_INVALIDATIONS);
	if (!cmd->entry_len || cmd->entry_len > PAGE_SIZE)
		return iommufd_refuse(-EINVAL, "entry_len is %u", cmd->entry_len);
	if (!cmd->data_uptr)
		return iommufd_refuse(-EINVAL, "data_uptr is null");
	return 0;
}

/* Whoever holds the translations that the user's tables were made of. */
static int invalidate_object(struct iommufd_object *obj,
			     struct iommu_user_data_array *array)
{
	if (obj->type == &iommufd_hwpt_nested_type) {
		struct iopt_domain *idom = &to_hwpt(obj)->idom;

		if (idom->drv->invalidate)
			return idom->drv->invalidate(idom->domain, array);
	} else if (obj->type == &iommufd_viommu_type) {
		struct iommufd_viommu *viommu = &to_viommu(obj)->hw;

		if (viommu->ops->invalidate)
			return viommu->ops->invalidate(viommu, array);
	} else {
		array->entry_num = 0;
		return iommufd_refuse(-EINVAL,
				      "object %u is a %s, only nested page tables and vIOMMUs are invalidated",
				      obj->id, obj->type->name);
	}
	array->entry_num = 0;
	return iommufd_refuse(-EOPNOTSUPP,
			      "the IOMMU driver takes no invalidations for %s %u",
			      obj->type->name, obj->id);
}

static int do_invalidate(struct iommufd_ucmd *ucmd,
			 struct iommu_user_data_array *array)
{
	struct iommu_hwpt_invalidate *cmd = ucmd->cmd;
	struct iommufd_object *obj;
	int rc;

	rc = check_invalidate(cmd);
	if (rc) {
		array->entry_num = 0;
		return rc;
	}
	obj = iommufd_object_get_any(ucmd->ictx, cmd->hwpt_id);
	if (IS_ERR(obj)) {
		array->entry_num = 0;
		return PTR_ERR(obj);
	}
	rc = invalidate_object(obj, array);
	iommufd_object_put(obj);
	return rc;
}

int iommufd_hwpt_invalidate(struct iommufd_ucmd *ucmd)
{
	struct iommu_hwpt_invalidate *cmd = ucmd->cmd;
	struct iommu_user_data_array array = {
		.type = cmd->data_type,
		.uptr = u64_to_user_ptr(cmd->data_uptr),
		.entry_len = cmd->entry_len,
		.entry_num = cmd->entry_num,
	};
	int rc, rc_respond;

	rc = do_invalidate(ucmd, &array);
	trace_iommufd_invalidate(cmd->hwpt_id, cmd->data_type, cmd->entry_num,
				 array.entry_num, rc);
	/* How far it came is told on errors as well. */
	cmd->entry_num = array.entry_num;
	rc_respond = iommufd_ucmd_respond(ucmd);
	return rc ?: rc_respond;
}

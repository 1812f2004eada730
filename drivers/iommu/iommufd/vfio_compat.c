// SPDX-License-Identifier: GPL-2.0-only
/*
 * The IOAS that stands for the container of VFIO's type1 interface: which one it
 * is, for the user and for VFIO.
 */
#include <linux/iommufd.h>
#include <linux/module.h>
#include <uapi/linux/iommufd.h>

#include "ioas.h"
#include "ioctl.h"
#include "vfio_compat.h"

/* Find the compatibility IOAS and hold it. */
struct iommufd_ioas *iommufd_compat_ioas_get(struct iommufd_ctx *ictx)
{
	struct iommufd_ioas *ioas;

	xa_lock(&ictx->objects);
	ioas = ictx->vfio_ioas;
	if (ioas && !iommufd_object_hold(&ioas->obj))
		ioas = NULL;
	xa_unlock(&ictx->objects);
	if (!ioas)
		return ERR_PTR(iommufd_refuse(-ENODEV,
					      "no IOAS stands for the VFIO container"));
	return ioas;
}

/**
 * iommufd_vfio_compat_ioas_get_id - which IOAS stands for a VFIO container
 * @ictx: the context
 * @out_ioas_id: receives its id
 *
 * Return: 0, or -ENODEV if there is none; explained
 */
int iommufd_vfio_compat_ioas_get_id(struct iommufd_ctx *ictx, u32 *out_ioas_id)
{
	struct iommufd_ioas *ioas = iommufd_compat_ioas_get(ictx);

	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	*out_ioas_id = ioas->obj.id;
	iommufd_object_put(&ioas->obj);
	return 0;
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_compat_ioas_get_id, IOMMUFD_VFIO);

/**
 * iommufd_vfio_compat_set_no_iommu - use a context for groups without an IOMMU
 * @ictx: the context; from now on it gets no compatibility IOAS
 *
 * Return: 0, or -EINVAL if it has a compatibility IOAS already; explained
 */
int iommufd_vfio_compat_set_no_iommu(struct iommufd_ctx *ictx)
{
	int rc = 0;

	xa_lock(&ictx->objects);
	if (ictx->vfio_ioas)
		rc = -EINVAL;
	else
		ictx->no_iommu_mode = true;
	xa_unlock(&ictx->objects);
	if (rc)
		iommufd_refuse(rc, "groups with and without an IOMMU cannot share a /dev/iommu");
	return rc;
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_compat_set_no_iommu, IOMMUFD_VFIO);

/**
 * iommufd_vfio_compat_ioas_create - have an IOAS that stands for a VFIO container
 * @ictx: the context
 *
 * Return: 0, also if there is one already, -EINVAL in no-iommu mode, -ENOMEM;
 *	   explained
 */
int iommufd_vfio_compat_ioas_create(struct iommufd_ctx *ictx)
{
	struct iommufd_ioas *ioas;
	bool taken = false;
	int rc = 0;

	ioas = iommufd_ioas_alloc(ictx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	xa_lock(&ictx->objects);
	if (ictx->no_iommu_mode)
		rc = -EINVAL;
	else if (ictx->vfio_ioas)
		taken = true;
	else
		ictx->vfio_ioas = ioas;
	xa_unlock(&ictx->objects);
	if (rc)
		iommufd_refuse(rc, "this /dev/iommu serves groups without an IOMMU");
	if (rc || taken)
		iommufd_object_abandon(&ioas->obj);
	else
		iommufd_object_publish(&ioas->obj);
	return rc;
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_compat_ioas_create, IOMMUFD_VFIO);

static void compat_ioas_set(struct iommufd_ctx *ictx, struct iommufd_ioas *ioas)
{
	xa_lock(&ictx->objects);
	ictx->vfio_ioas = ioas;
	xa_unlock(&ictx->objects);
}

int iommufd_vfio_ioas(struct iommufd_ucmd *ucmd)
{
	struct iommu_vfio_ioas *cmd = ucmd->cmd;
	struct iommufd_ioas *ioas;
	int rc;

	rc = iommufd_check_reserved(cmd->__reserved, "__reserved");
	if (rc)
		return rc;
	if (cmd->op > IOMMU_VFIO_IOAS_CLEAR)
		return iommufd_refuse(-EOPNOTSUPP, "unknown operation %u", cmd->op);

	if (cmd->op == IOMMU_VFIO_IOAS_CLEAR) {
		compat_ioas_set(ucmd->ictx, NULL);
		return 0;
	}
	if (cmd->op == IOMMU_VFIO_IOAS_GET)
		ioas = iommufd_compat_ioas_get(ucmd->ictx);
	else
		ioas = iommufd_ioas_get(ucmd->ictx, cmd->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	if (cmd->op == IOMMU_VFIO_IOAS_SET) {
		compat_ioas_set(ucmd->ictx, ioas);
	} else {
		cmd->ioas_id = ioas->obj.id;
		rc = iommufd_ucmd_respond(ucmd);
	}
	iommufd_object_put(&ioas->obj);
	return rc;
}

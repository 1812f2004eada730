// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attaching PASIDs of a device to page tables of stage 1. Its other requests are passed
 * through meanwhile, blocked, or go to a table of stage 1 as well: with stage 2 below
 * them all PASIDs are the guest's.
 */
#include <linux/iommufd_reason.h>
#include <linux/pci-ats.h>

#include "smmu.h"

/**
 * smmu_pasid_enable - let a device make requests with PASIDs
 * @sdev: the device, which nothing else knows yet; its ATS is off
 */
void smmu_pasid_enable(struct smmu_device *sdev)
{
	struct pci_dev *pdev;
	int features;

	if (!dev_is_pci(sdev->dev) || !sdev->unit->iommu.max_pasids)
		return;
	pdev = to_pci_dev(sdev->dev);
	/* virtual functions use what their physical function has enabled */
	if (pdev->is_virtfn)
		return;
	features = pci_pasid_features(pdev);
	if (features >= 0)
		sdev->pasid_enabled = !pci_enable_pasid(pdev, features);
}

/**
 * smmu_pasid_disable - undo smmu_pasid_enable()
 * @sdev: the device; its ATS is off
 */
void smmu_pasid_disable(struct smmu_device *sdev)
{
	if (sdev->pasid_enabled)
		pci_disable_pasid(to_pci_dev(sdev->dev));
}

static int check(const struct smmu_device *sdev, const struct smmu_domain *domain,
		 u32 pasid)
{
	const struct smmu_unit *unit = sdev->unit;

	if (!unit->iommu.max_pasids)
		return iommufd_refuse(-EOPNOTSUPP, "%s, the IOMMU of %s, has no PASIDs",
				      smmu_name(unit), dev_name(sdev->dev));
	if (pasid == IOMMU_NO_PASID || pasid >= sdev->dev->iommu->max_pasids ||
	    pasid >= unit->iommu.max_pasids)
		return iommufd_refuse(-EINVAL, "%s has no PASID %u",
				      dev_name(sdev->dev), pasid);
	if (domain->viommu || domain->stage2)
		return iommufd_refuse(-EINVAL,
				      "PASID %u of %s cannot use a page table %s",
				      pasid, dev_name(sdev->dev), domain->viommu ?
				      "that is nested, where PASIDs are the guest's" :
				      "of stage 2");
	if (!smmu_domain_suits(domain, unit))
		return iommufd_refuse(-EINVAL, "%s of %s cannot walk the page table",
				      smmu_name(unit), dev_name(sdev->dev));
	return 0;
}

/* What the device is attached to decides whether it can have descriptors of ours. */
static int check_rest(const struct smmu_device *sdev, u32 pasid)
{
	const struct smmu_domain *domain = sdev->domain;

	if (domain && (domain->viommu || domain->stage2))
		return iommufd_refuse(-EINVAL,
				      "PASID %u of %s cannot be attached while the device goes through stage 2",
				      pasid, dev_name(sdev->dev));
	return sdev->cut ? smmu_refuse_cut(sdev) : 0;
}

/* All that can fail. */
static int enter(struct smmu_device *sdev, struct smmu_domain *domain, u32 pasid,
		 struct smmu_domain_unit **du)
{
	int rc;

	rc = smmu_domain_enter(domain, sdev->unit, false, du);
	if (rc)
		return rc;
	rc = smmu_cds_room(sdev, pasid);
	if (!rc)
		rc = smmu_ats_enter(sdev, domain, pasid);
	if (!rc)
		return 0;
	if (!sdev->cds.nr)
		smmu_cds_free(sdev);
	smmu_domain_leave(domain, *du);
	return rc;
}

/* The first PASID: the device's other requests find their way by the table, too. */
static void begin_table(struct smmu_device *sdev)
{
	if (sdev->domain)
		smmu_cds_set(sdev, 0, smmu_domain_find(sdev->domain, sdev->unit)->cd);
	sdev->cds.nr = 1;
	smmu_device_update(sdev);
}

/**
 * smmu_set_dev_pasid - attach a PASID of a device to a domain, or move it there
 * @iommu_domain: the domain
 * @dev: the device
 * @pasid: the PASID, not 0
 * @old: what it is attached to, or NULL
 *
 * Requests that come meanwhile find the old state or the new one.
 *
 * Context: the IOMMU core holds the mutex of the device's group.
 * Return: 0 or an explained errno: -EINVAL if the device has no such PASID, or cannot use
 *	   the domain; -EIO if it is cut off; -EOPNOTSUPP, -ENOMEM, -ENOSPC. Nothing has
 *	   changed then
 */
int smmu_set_dev_pasid(struct iommu_domain *iommu_domain, struct device *dev,
		       ioasid_t pasid, struct iommu_domain *old)
{
	struct smmu_domain *domain = to_smmu_domain(iommu_domain);
	struct smmu_device *sdev = to_smmu_device(dev);
	struct smmu_unit *unit = sdev->unit;
	struct smmu_domain_unit *du;
	int rc;

	rc = check(sdev, domain, pasid);
	if (rc)
		return rc;
	mutex_lock(&unit->lock);
	rc = check_rest(sdev, pasid);
	if (!rc)
		rc = enter(sdev, domain, pasid, &du);
	if (rc)
		goto out;
	smmu_cds_set(sdev, pasid, du->cd);
	if (!sdev->cds.nr)
		begin_table(sdev);
	else
		sdev->cds.nr += !old;
	smmu_ats_start(sdev, domain);
	if (old) {
		smmu_ats_forget_old(sdev, to_smmu_domain(old), pasid);
		smmu_ats_leave(sdev, to_smmu_domain(old), pasid);
		smmu_domain_leave(to_smmu_domain(old),
				  smmu_domain_find(to_smmu_domain(old), unit));
	}
out:
	mutex_unlock(&unit->lock);
	return rc;
}

/**
 * smmu_remove_dev_pasid - detach a PASID of a device
 * @dev: the device
 * @pasid: the PASID
 * @iommu_domain: what it is attached to
 */
void smmu_remove_dev_pasid(struct device *dev, ioasid_t pasid,
			   struct iommu_domain *iommu_domain)
{
	struct smmu_domain *domain = to_smmu_domain(iommu_domain);
	struct smmu_device *sdev = to_smmu_device(dev);
	struct smmu_unit *unit = sdev->unit;

	mutex_lock(&unit->lock);
	smmu_ats_stop(sdev, domain, pasid);
	if (sdev->cds.nr > 1) {
		smmu_cds_set(sdev, pasid, NULL);
		sdev->cds.nr--;
	} else {
		sdev->cds.nr = 0;
		smmu_device_update(sdev);
		smmu_cds_free(sdev);
	}
	smmu_ats_forget_old(sdev, domain, pasid);
	smmu_ats_leave(sdev, domain, pasid);
	smmu_domain_leave(domain, smmu_domain_find(domain, unit));
	mutex_unlock(&unit->lock);
}

/**
 * smmu_replace_pasid - move a PASID of a device to another domain
 * @new: where to
 * @old: where from
 * @dev: the device
 * @pasid: the PASID
 *
 * Return: as smmu_set_dev_pasid()
 */
int smmu_replace_pasid(struct iommu_domain *new, struct iommu_domain *old,
		       struct device *dev, ioasid_t pasid)
{
	return smmu_set_dev_pasid(new, dev, pasid, old);
}

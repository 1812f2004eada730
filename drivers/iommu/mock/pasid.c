// SPDX-License-Identifier: GPL-2.0-only
/*
 * PASIDs of mock devices: a table from PASID to page table for each of them.
 */
#include <linux/iommufd_reason.h>
#include <linux/module.h>

#include "mock.h"

static bool replace_pasid = true;
module_param(replace_pasid, bool, 0644);
MODULE_PARM_DESC(replace_pasid,
		 "Move PASIDs between page tables at once; off: as drivers without it (default: on)");

/*
 * The PASID for testing what becomes of a failure: of the calls since it was
 * last removed, the second fails.
 */
static int fail_on_purpose(struct mock_device *mdev, ioasid_t pasid)
{
	if (pasid != IOMMU_TEST_PASID_RESERVED || ++mdev->reserved_sets != 2)
		return 0;
	return iommufd_refuse(-ENOMEM, "PASID %u fails every second time, on purpose",
			      pasid);
}

/**
 * mock_set_dev_pasid - let requests with a PASID go to a page table
 * @domain: paging or nested
 * @dev: a device with PASIDs
 * @pasid: the PASID
 * @old: what it goes to until now, or NULL
 *
 * Context: the IOMMU core holds the mutex of the device's group.
 * Return: 0 or an errno, explained; then nothing has changed
 */
int mock_set_dev_pasid(struct iommu_domain *domain, struct device *dev,
		       ioasid_t pasid, struct iommu_domain *old)
{
	struct mock_device *mdev = to_mock_device(dev);
	int rc;

	if (!mdev->has_pasid)
		return iommufd_refuse(-EOPNOTSUPP, "%s has no PASIDs",
				      dev_name(dev));
	if (mock_owns(domain)) {
		rc = mock_suits(domain, dev);
		if (rc)
			return rc;
	}
	rc = fail_on_purpose(mdev, pasid);
	if (rc)
		return rc;
	WARN_ON(xa_load(&mdev->pasids, pasid) != old);
	rc = xa_err(xa_store(&mdev->pasids, pasid, domain, GFP_KERNEL_ACCOUNT));
	if (rc)
		iommufd_refuse(rc, "no memory for PASID %u of %s", pasid,
			       dev_name(dev));
	return rc;
}

void mock_remove_dev_pasid(struct device *dev, ioasid_t pasid,
			   struct iommu_domain *domain)
{
	struct mock_device *mdev = to_mock_device(dev);

	if (pasid == IOMMU_TEST_PASID_RESERVED)
		mdev->reserved_sets = 0;
	WARN_ON(xa_erase(&mdev->pasids, pasid) != domain);
}

int mock_replace_pasid(struct iommu_domain *new, struct iommu_domain *old,
		       struct device *dev, ioasid_t pasid)
{
	if (!READ_ONCE(replace_pasid))
		return -EOPNOTSUPP;
	return new->ops->set_dev_pasid(new, dev, pasid, old);
}

/**
 * mock_pasid_domain - where requests with a PASID go
 * @dev: a device of the mock
 * @pasid: the PASID
 *
 * Return: the page table, or NULL if they are refused; to be compared only
 */
const struct iommu_domain *mock_pasid_domain(struct device *dev, u32 pasid)
{
	return xa_load(&to_mock_device(dev)->pasids, pasid);
}

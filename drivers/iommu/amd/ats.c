// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address translation services: a device asks the unit for translations and remembers
 * them, so that it has to be told to forget them as well, after the unit has.
 *
 * Its ATS is on while something of it is attached to a table of the host, and as long as
 * it is, whatever leaves such a table is told to it. What it may ask for stands in its
 * entry. Tables of guests are walked for it as well, but not for its TLB: the PASIDs that
 * such a table leads to are the guest's, and when the parent of a nested table changes
 * nobody knows with which of them the device has remembered something.
 *
 * A device that does not answer may still reach pages that are about to be given away. It
 * is cut off before they are, and stays so until it is detached, with all of its PASIDs.
 */
#include <linux/pci-ats.h>

#include "amdvi.h"

/* Bridges that are not PCI Express do not pass requests for translations on. */
static bool path_is_express(struct pci_dev *pdev)
{
	for (pdev = pci_upstream_bridge(pdev); pdev; pdev = pci_upstream_bridge(pdev))
		if (!pci_is_pcie(pdev) ||
		    pci_pcie_type(pdev) == PCI_EXP_TYPE_PCI_BRIDGE ||
		    pci_pcie_type(pdev) == PCI_EXP_TYPE_PCIE_BRIDGE)
			return false;
	return true;
}

/**
 * amdvi_ats_init - find out whether ATS of a device is to be used
 * @adev: the device, which nothing else knows yet
 *
 * It is where device, unit and firmware have it, and the device is not one that
 * somebody can plug in from outside.
 */
void amdvi_ats_init(struct amdvi_device *adev)
{
	struct pci_dev *pdev = to_pci_dev(adev->dev), *pf = pci_physfn(pdev);
	const struct ivrs_range *range = amdvi_range_of(adev->unit->ivrs,
							pci_dev_id(pf));
	u16 cap;

	if (!(adev->unit->cap & AMDVI_CAP_IOTLB) || !pci_ats_supported(pdev) ||
	    !range || range->no_ats || !path_is_express(pf))
		return;
	/* of a virtual function these are in the physical function */
	if (pci_read_config_word(pf, pf->ats_cap + PCI_ATS_CAP, &cap) ||
	    pci_prepare_ats(pdev, PAGE_SHIFT))
		return;
	adev->ats_pending = PCI_ATS_CAP_QDEP(cap);
	adev->ats = true;
}

/**
 * amdvi_ats_start - requests of a device go to a domain now
 * @adev: the device; its unit is locked, and its entry allows it what it asks for
 * @domain: the domain, the first one that something of it is attached to
 */
void amdvi_ats_start(struct amdvi_device *adev, struct amdvi_domain *domain)
{
	int rc;

	if (adev->ats_on || !amdvi_device_has_tlb(adev))
		return;
	spin_lock(&domain->lock);
	rc = pci_enable_ats(to_pci_dev(adev->dev), PAGE_SHIFT);
	adev->ats_on = !rc;
	spin_unlock(&domain->lock);
	if (rc)
		dev_warn_once(adev->dev, "ATS cannot be enabled: %d\n", rc);
	else
		x86_asker_start(&adev->asker);
}

/**
 * amdvi_ats_stop - the last attachment of a device to a table of the host goes
 * @adev: the device; its unit is locked, its entry has not changed yet
 * @domain: what it was
 *
 * Its page requests are switched off before. What the device has sent is through when
 * this returns; translated requests that it sends all the same end where the entry is
 * changed. It has forgotten everything when its ATS is switched on again.
 */
void amdvi_ats_stop(struct amdvi_device *adev, struct amdvi_domain *domain)
{
	if (!adev->ats_on)
		return;
	x86_asker_stop(&adev->asker);
	spin_lock(&domain->lock);
	pci_disable_ats(to_pci_dev(adev->dev));
	adev->ats_on = false;
	amdvi_device_uncut(adev);
	spin_unlock(&domain->lock);
}

/**
 * amdvi_ats_forget_old - have a device forget all that it got for a PASID
 * @batch: for its unit, which has forgotten where that led to or will by what is in
 *	   here. Run before the unit is unlocked
 * @adev: the device; its unit is locked
 * @pasid: the PASID; IOMMU_NO_PASID for requests without one
 */
void amdvi_ats_forget_old(struct amdvi_batch *batch, struct amdvi_device *adev,
			  u32 pasid)
{
	if (adev->ats_on && !READ_ONCE(adev->cut_done))
		amdvi_batch_device_tlb(batch, adev, pasid, 0, U64_MAX);
}

/**
 * amdvi_ats_forget - have devices behind a unit forget translations of a domain
 * @batch: for the unit, which has forgotten them or will by what is in here
 * @domain: locked until the batch has run
 * @first: first address
 * @last: last address
 */
void amdvi_ats_forget(struct amdvi_batch *batch, const struct amdvi_domain *domain,
		      u64 first, u64 last)
{
	const struct amdvi_user *user;

	if (domain->parent)
		return;
	list_for_each_entry(user, &domain->users, link) {
		struct amdvi_device *adev = user->adev;

		if (adev->unit == batch->unit && adev->ats_on &&
		    !READ_ONCE(adev->cut_done))
			amdvi_batch_device_tlb(batch, adev, user->pasid, first, last);
	}
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address translation services: a device asks the unit for translations and
 * remembers them, so that it has to be told to forget them as well, after the unit
 * has: 4.2 and 6.5.2.5.
 *
 * A device that remembers something of a domain is in the domain's list, and
 * everything that leaves the domain is sent to it, as long as its ATS is on: what
 * it has not been told by then it cannot have remembered, and with ATS off it would
 * not answer. Translated requests pass by the page table; that the context entry
 * allows them goes with ATS being on.
 *
 * A device that does not answer may still reach pages that are about to be given
 * away. It is cut off before they are, and stays so until it is detached, with all of
 * its PASIDs.
 */
#include <linux/pci-ats.h>
#include <linux/slab.h>

#include "vtd.h"

/* The root port that a device is below, NULL if something else is in between. */
static struct pci_dev *root_port(struct pci_dev *pdev)
{
	struct pci_dev *port = NULL;
	struct pci_bus *bus;

	for (bus = pdev->bus; bus->self; bus = bus->parent) {
		port = bus->self;
		if (!pci_is_pcie(port) ||
		    pci_pcie_type(port) == PCI_EXP_TYPE_PCI_BRIDGE ||
		    pci_pcie_type(port) == PCI_EXP_TYPE_PCIE_BRIDGE)
			return NULL;
	}
	return port && pci_pcie_type(port) == PCI_EXP_TYPE_ROOT_PORT ? port :
								       NULL;
}

/* 8.5: firmware tells which root ports pass ATS on. */
static bool platform_passes_ats(struct pci_dev *pdev)
{
	const struct dmar_ats *ats;
	struct pci_dev *port;

	pdev = pci_physfn(pdev);
	/* within the root complex there is nothing in between */
	if (pci_pcie_type(pdev) == PCI_EXP_TYPE_RC_END)
		return true;
	port = root_port(pdev);
	if (!port)
		return false;
	list_for_each_entry(ats, &vtd_dmar.ats, link) {
		if (ats->segment != pci_domain_nr(port->bus))
			continue;
		if (ats->all ||
		    vtd_scopes_have(&ats->scopes, ats->segment, port))
			return true;
	}
	return false;
}

/**
 * vtd_ats_init - find out whether ATS of a device is to be used
 * @vdev: the device, which nothing else knows yet
 *
 * It is where device, unit and platform have it, and the device is not one that
 * somebody can plug in from outside.
 */
void vtd_ats_init(struct vtd_device *vdev)
{
	struct pci_dev *pdev = to_pci_dev(vdev->dev), *pf = pci_physfn(pdev);
	u16 cap;

	if (!(vdev->unit->ecap & VTD_ECAP_DT) || !pci_ats_supported(pdev) ||
	    !platform_passes_ats(pdev))
		return;
	/* of a virtual function these are in the physical function */
	if (pci_read_config_word(pf, pf->ats_cap + PCI_ATS_CAP, &cap) ||
	    pci_prepare_ats(pdev, PAGE_SHIFT))
		return;
	vdev->ats_pending = PCI_ATS_CAP_QDEP(cap);
	vdev->ats = true;
}

/**
 * vtd_ats_enter - a device is about to be attached to a domain
 * @vdev: the device; its unit is locked. It may be attached to another domain
 * @domain: the domain
 * @pasid: what of it is attached; IOMMU_NO_PASID for requests without one
 *
 * Return: 0 or -ENOMEM; vtd_ats_leave() undoes it
 */
int vtd_ats_enter(struct vtd_device *vdev, struct vtd_domain *domain, u32 pasid)
{
	struct vtd_tlb_user *user;

	if (!vdev->ats)
		return 0;
	user = kzalloc(sizeof(*user), GFP_KERNEL);
	if (!user)
		return -ENOMEM;
	user->vdev = vdev;
	user->pasid = pasid;
	vdev->tlbs++;
	spin_lock(&domain->lock);
	list_add(&user->link, &domain->tlbs);
	spin_unlock(&domain->lock);
	return 0;
}

/**
 * vtd_ats_start - requests of a device go to a domain now
 * @vdev: the device, for which vtd_ats_enter() was called
 * @domain: the domain
 *
 * Only with the first attachment: no other domain has to find out in the middle of
 * an invalidation whether ATS is on already.
 */
void vtd_ats_start(struct vtd_device *vdev, struct vtd_domain *domain)
{
	int rc;

	if (vdev->tlbs != 1 || vdev->ats_on)
		return;
	spin_lock(&domain->lock);
	rc = pci_enable_ats(to_pci_dev(vdev->dev), PAGE_SHIFT);
	vdev->ats_on = !rc;
	spin_unlock(&domain->lock);
	if (rc)
		dev_warn_once(vdev->dev, "ATS cannot be enabled: %d\n", rc);
	else
		x86_asker_start(&vdev->asker);
}

/* The domain is locked. */
static struct vtd_tlb_user *tlb_user_of(const struct vtd_domain *domain,
					const struct vtd_device *vdev, u32 pasid)
{
	struct vtd_tlb_user *user;

	list_for_each_entry(user, &domain->tlbs, link)
		if (user->vdev == vdev && user->pasid == pasid)
			return user;
	return NULL;
}

static void leave(struct vtd_device *vdev, struct vtd_tlb_user *user)
{
	list_del(&user->link);
	kfree(user);
	vdev->tlbs--;
}

/**
 * vtd_ats_stop - a device is about to be detached from a domain
 * @vdev: the device; its unit is locked
 * @domain: the domain
 * @pasid: what of it is attached
 *
 * If nothing else of it is attached to anything, its ATS is switched off, and its page
 * requests are before. What it has sent is through when this returns; translated
 * requests that it sends all the same end where the context entry is changed. Otherwise
 * its ATS stays on and it remembers what it does, see vtd_ats_forget_old() and
 * vtd_ats_leave().
 */
void vtd_ats_stop(struct vtd_device *vdev, struct vtd_domain *domain, u32 pasid)
{
	if (vdev->tlbs != 1)
		return;
	x86_asker_stop(&vdev->asker);
	spin_lock(&domain->lock);
	if (vdev->ats_on)
		pci_disable_ats(to_pci_dev(vdev->dev));
	vdev->ats_on = false;
	vtd_device_uncut(vdev);
	leave(vdev, tlb_user_of(domain, vdev, pasid));
	spin_unlock(&domain->lock);
}

/**
 * vtd_ats_leave - a device was detached from a domain, and has forgotten it
 * @vdev: the device; its unit is locked. vtd_ats_stop() may have been all there was
 *	  to do
 * @domain: the domain
 * @pasid: what of it was attached
 */
void vtd_ats_leave(struct vtd_device *vdev, struct vtd_domain *domain, u32 pasid)
{
	struct vtd_tlb_user *user;

	spin_lock(&domain->lock);
	user = tlb_user_of(domain, vdev, pasid);
	if (user)
		leave(vdev, user);
	spin_unlock(&domain->lock);
}

/**
 * vtd_ats_forget_old - have a device forget all that it got for a PASID
 * @batch: for its unit, which has forgotten where that led to or will by what is in
 *	   here. Run before the unit is unlocked
 * @vdev: the device; its unit is locked
 * @pasid: the PASID; IOMMU_NO_PASID for requests without one
 */
void vtd_ats_forget_old(struct vtd_batch *batch, struct vtd_device *vdev,
			u32 pasid)
{
	if (vdev->ats_on && !READ_ONCE(vdev->cut_done))
		vtd_forget_device_tlb(batch, vdev, pasid, 0, U64_MAX);
}

/**
 * vtd_ats_forget - have devices behind a unit forget translations of a domain
 * @batch: for the unit, which has forgotten them or will by what is in here
 * @domain: locked until the batch has run
 * @first: first address
 * @last: last address
 */
void vtd_ats_forget(struct vtd_batch *batch, struct vtd_domain *domain, u64 first,
		    u64 last)
{
	struct vtd_tlb_user *user;

	list_for_each_entry(user, &domain->tlbs, link) {
		struct vtd_device *vdev = user->vdev;

		if (vdev->unit == batch->unit && vdev->ats_on &&
		    !READ_ONCE(vdev->cut_done))
			vtd_forget_device_tlb(batch, vdev, user->pasid, first,
					      last);
	}
}

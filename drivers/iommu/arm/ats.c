// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address translation services, 3.9: a device asks the unit for translations and
 * remembers them, so that it has to be told to forget them as well, after the unit has.
 *
 * A device that remembers something of a page table is in the list of that table, or of
 * the stage 2 below it, and everything that leaves the table is sent to it, as long as
 * its ATS is on. What a guest's stage 1 has made of stage 2 is found by addresses of the
 * guest: all of it goes. Whether translated requests pass stands in the stream table
 * entry (EATS), and is checked (CR0.ATSCHK).
 *
 * A device that does not answer may still reach pages that are about to be given away.
 * It is cut off before they are, and stays so until it is detached, with all of its
 * PASIDs.
 */
#include <linux/iommufd_reason.h>
#include <linux/pci.h>
#include <linux/pci-ats.h>
#include <linux/slab.h>

#include "smmu.h"

/* Pages, by lg2, that are all there are. */
#define ALL_LG2 52

/**
 * smmu_ats_init - find out whether ATS of a device is to be used
 * @sdev: the device, which nothing else knows yet
 * @fwspec: what firmware says of it
 *
 * It is where device, unit and root complex have it, and the device is not one that
 * somebody can plug in from outside.
 */
void smmu_ats_init(struct smmu_device *sdev, const struct iommu_fwspec *fwspec)
{
	struct pci_dev *pdev;

	if (!(sdev->unit->idr[0] & SMMU_IDR0_ATS) || !dev_is_pci(sdev->dev) ||
	    !(fwspec->flags & IOMMU_FWSPEC_PCI_RC_ATS))
		return;
	pdev = to_pci_dev(sdev->dev);
	sdev->ats = pci_ats_supported(pdev) && !pci_prepare_ats(pdev, PAGE_SHIFT);
}

/* Where the device is listed that is attached to a domain; NULL if it has no ATS there. */
static struct smmu_domain *list_of(const struct smmu_device *sdev,
				   struct smmu_domain *domain)
{
	if (!sdev->ats || !domain)
		return NULL;
	if (!domain->viommu)
		return domain;
	return domain->ste[1] & SMMU_STE1_EATS ?
	       to_smmu_domain(domain->viommu->parent) : NULL;
}

/**
 * smmu_ats_enter - a device is about to be attached to a domain
 * @sdev: the device; its unit is locked. It may be attached to another domain
 * @domain: the domain
 * @ssid: what of it is attached; IOMMU_NO_PASID for requests without a PASID
 *
 * Return: 0 or -ENOMEM, explained; smmu_ats_leave() undoes it
 */
int smmu_ats_enter(struct smmu_device *sdev, struct smmu_domain *domain, u32 ssid)
{
	struct smmu_domain *list = list_of(sdev, domain);
	struct smmu_tlb_user *user;

	if (!list)
		return 0;
	user = kzalloc(sizeof(*user), GFP_KERNEL);
	if (!user)
		return iommufd_refuse(-ENOMEM, "no memory for the ATS of %s",
				      dev_name(sdev->dev));
	user->sdev = sdev;
	user->domain = domain;
	user->ssid = ssid;
	sdev->tlbs++;
	spin_lock(&list->lock);
	list_add(&user->link, &list->tlbs);
	spin_unlock(&list->lock);
	return 0;
}

/**
 * smmu_ats_start - requests of a device go to a domain now
 * @sdev: the device, for which smmu_ats_enter() was called
 * @domain: the domain
 *
 * Only with the first attachment: no other domain has to find out in the middle of an
 * invalidation whether ATS is on already.
 */
void smmu_ats_start(struct smmu_device *sdev, struct smmu_domain *domain)
{
	struct smmu_domain *list = list_of(sdev, domain);
	int rc;

	if (!list || sdev->tlbs != 1 || sdev->ats_on)
		return;
	spin_lock(&list->lock);
	rc = pci_enable_ats(to_pci_dev(sdev->dev), PAGE_SHIFT);
	sdev->ats_on = !rc;
	spin_unlock(&list->lock);
	if (rc)
		dev_warn_once(sdev->dev, "ATS cannot be enabled: %d\n", rc);
	else
		smmu_faults_start(sdev);
}

/* The list is locked. */
static struct smmu_tlb_user *user_of(const struct smmu_domain *list,
				     const struct smmu_device *sdev,
				     const struct smmu_domain *domain, u32 ssid)
{
	struct smmu_tlb_user *user;

	list_for_each_entry(user, &list->tlbs, link)
		if (user->sdev == sdev && user->domain == domain && user->ssid == ssid)
			return user;
	return NULL;
}

/**
 * smmu_ats_leave - a device was detached from a domain, and has forgotten it
 * @sdev: the device; its unit is locked. smmu_ats_stop() may have been all there was to
 *	  do
 * @domain: the domain, or NULL
 * @ssid: what of it was attached
 */
void smmu_ats_leave(struct smmu_device *sdev, struct smmu_domain *domain, u32 ssid)
{
	struct smmu_domain *list = list_of(sdev, domain);
	struct smmu_tlb_user *user;

	if (!list)
		return;
	spin_lock(&list->lock);
	user = user_of(list, sdev, domain, ssid);
	if (user) {
		list_del(&user->link);
		sdev->tlbs--;
	}
	spin_unlock(&list->lock);
	kfree(user);
}

/**
 * smmu_ats_stop - a device is about to be detached from a domain
 * @sdev: the device; its unit is locked
 * @domain: the domain, or NULL
 * @ssid: what of it is attached
 *
 * If nothing else of it is attached with ATS, its ATS is switched off, and its page
 * requests are before: what it remembers goes with that. Otherwise see
 * smmu_ats_forget_old() and smmu_ats_leave().
 */
void smmu_ats_stop(struct smmu_device *sdev, struct smmu_domain *domain, u32 ssid)
{
	struct smmu_domain *list = list_of(sdev, domain);

	if (!list || sdev->tlbs != 1)
		return;
	smmu_faults_stop(sdev);
	spin_lock(&list->lock);
	if (sdev->ats_on)
		pci_disable_ats(to_pci_dev(sdev->dev));
	sdev->ats_on = false;
	spin_unlock(&list->lock);
	smmu_device_uncut(sdev);
	smmu_ats_leave(sdev, domain, ssid);
}

/* 4.5.1: as many pages as a power of two, aligned, that hold the range. */
static struct smmu_command atc_command(u32 ssid, u64 first, u64 last)
{
	u64 a = first >> 12, b = last >> 12;
	unsigned int lg2 = a == b ? 0 : ilog2(a ^ b) + 1;
	struct smmu_command command = {
		.w[0] = FIELD_PREP(SMMU_CMD0_OP, SMMU_OP_ATC_INV),
	};

	if (ssid != IOMMU_NO_PASID)
		command.w[0] |= SMMU_CMD0_SSV | FIELD_PREP(SMMU_CMD0_SSID, ssid);
	if (lg2 >= ALL_LG2) {
		command.w[1] = FIELD_PREP(SMMU_ATC1_SIZE, ALL_LG2);
		return command;
	}
	command.w[1] = FIELD_PREP(SMMU_ATC1_SIZE, lg2) | (a >> lg2 << lg2) << 12;
	return command;
}

static bool hears(const struct smmu_device *sdev)
{
	return sdev->ats_on && !READ_ONCE(sdev->cut);
}

static int tell(struct smmu_device *sdev, struct smmu_command command)
{
	unsigned int i;
	int rc = 0;

	for (i = 0; i < sdev->nr_sids && !rc; i++) {
		command.w[0] &= ~SMMU_CMD0_SID;
		command.w[0] |= FIELD_PREP(SMMU_CMD0_SID, sdev->sids[i]);
		rc = smmu_queue_submit(sdev->unit, &command, 1);
	}
	return rc;
}

/**
 * smmu_ats_tell - have a device forget translations, or cut it off
 * @sdev: the device; its unit or a domain that it is listed in is locked
 * @command: CMD_ATC_INV but for the stream id
 *
 * Context: any.
 */
void smmu_ats_tell(struct smmu_device *sdev, const struct smmu_command *command)
{
	if (hears(sdev) && tell(sdev, *command))
		smmu_device_cut(sdev);
}

/* A guest's addresses are not those of the range, and its PASIDs are its own. */
static void forget(struct smmu_device *sdev, const struct smmu_domain *domain, u32 ssid,
		   u64 first, u64 last)
{
	struct smmu_command command;

	if (!domain->viommu) {
		command = atc_command(ssid, first, last);
		smmu_ats_tell(sdev, &command);
		return;
	}
	command = atc_command(IOMMU_NO_PASID, 0, U64_MAX);
	smmu_ats_tell(sdev, &command);
	if (!FIELD_GET(SMMU_STE0_S1CDMAX, domain->ste[0]))
		return;
	command.w[0] |= SMMU_CMD0_SSV | SMMU_ATC0_G;
	smmu_ats_tell(sdev, &command);
}

/**
 * smmu_ats_push - have a device answer an invalidation, before which all it has sent
 *		   arrives
 * @sdev: the device
 */
void smmu_ats_push(struct smmu_device *sdev)
{
	const struct smmu_command command = atc_command(IOMMU_NO_PASID, 0, U64_MAX);

	smmu_ats_tell(sdev, &command);
}

/**
 * smmu_ats_forget_old - have a device forget all that it got of a domain
 * @sdev: the device, which has left the domain; its unit is locked, and has forgotten
 *	  where that led to
 * @domain: the domain
 * @ssid: what of it was attached; IOMMU_NO_PASID for requests without a PASID
 */
void smmu_ats_forget_old(struct smmu_device *sdev, const struct smmu_domain *domain,
			 u32 ssid)
{
	forget(sdev, domain, ssid, 0, U64_MAX);
	smmu_faults_drain(sdev);
}

/**
 * smmu_ats_forget - have devices forget translations of a domain
 * @domain: locked; all units have forgotten them
 * @first: first address
 * @last: last address
 *
 * Context: any. Those that do not answer are cut off on return.
 */
void smmu_ats_forget(struct smmu_domain *domain, u64 first, u64 last)
{
	struct smmu_tlb_user *user;

	list_for_each_entry(user, &domain->tlbs, link)
		forget(user->sdev, user->domain, user->ssid, first, last);
}

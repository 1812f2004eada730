// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices: which unit they are behind, and where their streams go.
 */
#include <linux/iommufd_reason.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include "viommu.h"

/* Where messages of devices go that nothing else says a place for: as on any Arm. */
#define MSI_WINDOW		0x08000000
#define MSI_WINDOW_LENGTH	0x00100000

static void streams_put(struct smmu_device *sdev, unsigned int nr)
{
	while (nr--)
		smmu_stream_put(sdev, sdev->sids[nr]);
}

static int streams_get(struct smmu_device *sdev)
{
	unsigned int i;
	int rc = 0;

	for (i = 0; i < sdev->nr_sids && !rc; i++)
		rc = smmu_stream_get(sdev, sdev->sids[i]);
	if (!rc)
		return 0;
	if (rc == -ERANGE)
		dev_err(sdev->dev, "has stream id %#x, which %s has no table entry for\n",
			sdev->sids[i - 1], smmu_name(sdev->unit));
	streams_put(sdev, i - 1);
	return rc;
}

/* One that comes while the unit goes is told what it would be told a moment later. */
static int device_come(struct smmu_device *sdev)
{
	struct smmu_unit *unit = sdev->unit;
	int rc;

	mutex_lock(&unit->lock);
	rc = unit->leaving ? -ENODEV : streams_get(sdev);
	if (!rc) {
		/* as its streams are from the beginning */
		sdev->passes = true;
		list_add_tail(&sdev->link, &unit->devices);
	}
	mutex_unlock(&unit->lock);
	return rc;
}

/* Firmware may name an id twice: once for the device and once for an alias. */
static unsigned int unique_ids(u32 *ids, const struct iommu_fwspec *fwspec)
{
	unsigned int nr = 0, i, k;

	for (i = 0; i < fwspec->num_ids; i++) {
		for (k = 0; k < nr && ids[k] != fwspec->ids[i]; k++)
			;
		if (k == nr)
			ids[nr++] = fwspec->ids[i];
	}
	return nr;
}

static struct smmu_unit *unit_of(const struct iommu_fwspec *fwspec)
{
	struct device *dev;
	struct smmu_unit *unit;

	dev = bus_find_device_by_fwnode(&platform_bus_type, fwspec->iommu_fwnode);
	if (!dev)
		return NULL;
	unit = dev_get_drvdata(dev);
	put_device(dev);
	return unit;
}

/**
 * smmu_probe_device - the IOMMU core asks about a device
 * @dev: the device; firmware has said which stream ids it has
 *
 * Return: the unit it is behind, or an ERR_PTR of -ENODEV, -ENOMEM, -ERANGE
 */
struct iommu_device *smmu_probe_device(struct device *dev)
{
	const struct iommu_fwspec *fwspec = dev_iommu_fwspec_get(dev);
	struct smmu_unit *unit;
	struct smmu_device *sdev;
	int rc;

	unit = fwspec ? unit_of(fwspec) : NULL;
	if (!unit)
		return ERR_PTR(-ENODEV);
	sdev = kzalloc(struct_size(sdev, sids, fwspec->num_ids), GFP_KERNEL);
	if (!sdev)
		return ERR_PTR(-ENOMEM);
	sdev->dev = dev;
	sdev->unit = unit;
	sdev->nr_sids = fwspec->num_ids;
	sdev->nr_sids = unique_ids(sdev->sids, fwspec);
	rc = device_come(sdev);
	if (rc) {
		kfree(sdev);
		return ERR_PTR(rc);
	}
	/* in this order: PASIDs cannot be enabled once ATS is on */
	smmu_pasid_enable(sdev);
	smmu_ats_init(sdev, fwspec);
	dev_iommu_priv_set(dev, sdev);
	return &unit->iommu;
}

/* What becomes of requests of a device. */
static struct smmu_ste device_ste(const struct smmu_device *sdev)
{
	const struct smmu_domain *domain = sdev->domain;
	struct smmu_ste ste;
	u64 descriptors;

	if (sdev->cut)
		return smmu_ste_abort();
	if (smmu_cds_ste(sdev, &descriptors))
		ste = smmu_ste_stage1(sdev->unit, descriptors,
				      domain ? SMMU_S1DSS_SSID0 :
				      sdev->passes ? SMMU_S1DSS_BYPASS :
						     SMMU_S1DSS_TERMINATE);
	else if (!domain)
		return sdev->passes ? smmu_ste_pass() : smmu_ste_abort();
	else if (domain->viommu)
		ste = smmu_ste_nested(domain);
	else
		ste = smmu_ste_domain(domain, smmu_domain_find(domain, sdev->unit));
	if (sdev->tlbs)
		ste.w[1] |= cpu_to_le64(FIELD_PREP(SMMU_STE1_EATS, SMMU_EATS_FULL));
	return ste;
}

/* A device that the host has not, and that shares a stream with one that leaves. */
static const struct smmu_device *stream_user(const struct smmu_device *sdev, u32 sid)
{
	const struct smmu_device *other;
	unsigned int i;

	if (!list_empty(&sdev->link))
		return NULL;
	list_for_each_entry(other, &sdev->unit->devices, link)
		for (i = 0; !other->passes && i < other->nr_sids; i++)
			if (other->sids[i] == sid)
				return other;
	return NULL;
}

static void device_write(struct smmu_device *sdev)
{
	unsigned int i;

	for (i = 0; i < sdev->nr_sids; i++) {
		const struct smmu_device *user = stream_user(sdev, sdev->sids[i]);
		const struct smmu_ste ste = device_ste(user ?: sdev);

		smmu_stream_set(sdev->unit, sdev->sids[i], &ste);
	}
}

/**
 * smmu_device_update - have hardware do what the fields of a device say
 * @sdev: the device; its unit is locked
 */
void smmu_device_update(struct smmu_device *sdev)
{
	lockdep_assert_held(&sdev->unit->lock);
	spin_lock(&sdev->unit->ste_lock);
	device_write(sdev);
	spin_unlock(&sdev->unit->ste_lock);
}

/**
 * smmu_device_cut - keep a device from all memory until it is detached
 * @sdev: the device
 *
 * Context: any.
 */
void smmu_device_cut(struct smmu_device *sdev)
{
	spin_lock(&sdev->unit->ste_lock);
	WRITE_ONCE(sdev->cut, true);
	device_write(sdev);
	spin_unlock(&sdev->unit->ste_lock);
	dev_err(sdev->dev, "does not forget the translations it has asked for: it is cut off from all memory until it is detached\n");
}

/**
 * smmu_device_uncut - a device that was perhaps cut off may be attached again
 * @sdev: the device; its unit is locked, and its ATS is off
 */
void smmu_device_uncut(struct smmu_device *sdev)
{
	spin_lock(&sdev->unit->ste_lock);
	WRITE_ONCE(sdev->cut, false);
	spin_unlock(&sdev->unit->ste_lock);
}

/**
 * smmu_refuse_cut - say why a device that is cut off is not attached anew
 * @sdev: the device
 *
 * Return: -EIO
 */
int smmu_refuse_cut(const struct smmu_device *sdev)
{
	return iommufd_refuse(-EIO,
			      "%s has not forgotten translations that it was told to forget: it is cut off until it is detached",
			      dev_name(sdev->dev));
}

/* Whoever wants a device for himself has it blocked first. */
static int unit_is_open(const struct smmu_device *sdev)
{
	lockdep_assert_held(&sdev->unit->lock);
	if (!sdev->unit->leaving)
		return 0;
	return iommufd_refuse(-EBUSY, "the driver of the IOMMU of %s is leaving",
			      dev_name(sdev->dev));
}

/* All that can fail. @du: of a domain with a table. */
static int device_enter(struct smmu_device *sdev, struct smmu_domain *domain,
			struct smmu_domain_unit **du)
{
	int rc = unit_is_open(sdev);

	if (rc)
		return rc;
	if (sdev->cut && domain != sdev->domain)
		return smmu_refuse_cut(sdev);
	if (sdev->cds.nr && (domain->viommu || domain->stage2))
		return iommufd_refuse(-EINVAL,
				      "%s cannot go through stage 2 while PASIDs of it are attached",
				      dev_name(sdev->dev));
	if (!domain->viommu)
		rc = smmu_domain_enter(domain, sdev->unit, false, du);
	if (rc)
		return rc;
	rc = smmu_ats_enter(sdev, domain, IOMMU_NO_PASID);
	if (rc && !domain->viommu)
		smmu_domain_leave(domain, *du);
	return rc;
}

/*
 * The entry of the domain it leaves is known to nobody any more when the domain as
 * this unit knows it goes. One word of the stream table entry changes at a time, where
 * that is possible: the context descriptor for requests without PASID is there before
 * the entry leads to it, and goes after.
 */
static void device_set(struct smmu_device *sdev, struct smmu_domain *domain,
		       bool passes)
{
	struct smmu_domain *old = sdev->domain;

	lockdep_assert_held(&sdev->unit->lock);
	smmu_ats_stop(sdev, old, IOMMU_NO_PASID);
	if (sdev->cds.nr && domain)
		smmu_cds_set(sdev, 0, smmu_domain_find(domain, sdev->unit)->cd);
	sdev->domain = domain;
	sdev->passes = passes;
	smmu_device_update(sdev);
	if (sdev->cds.nr && !domain && old)
		smmu_cds_set(sdev, 0, NULL);
	smmu_ats_start(sdev, domain);
	if (!old)
		return;
	smmu_ats_forget_old(sdev, old, IOMMU_NO_PASID);
	smmu_ats_leave(sdev, old, IOMMU_NO_PASID);
	/* a guest's id is that of its vIOMMU */
	if (!old->viommu)
		smmu_domain_leave(old, smmu_domain_find(old, sdev->unit));
}

/* Static domains; what they stand for is in the functions' names. */
int smmu_attach_identity(struct iommu_domain *domain, struct device *dev)
{
	struct smmu_device *sdev = to_smmu_device(dev);

	mutex_lock(&sdev->unit->lock);
	device_set(sdev, NULL, true);
	mutex_unlock(&sdev->unit->lock);
	return 0;
}

int smmu_attach_blocked(struct iommu_domain *domain, struct device *dev)
{
	struct smmu_device *sdev = to_smmu_device(dev);
	int rc;

	mutex_lock(&sdev->unit->lock);
	rc = unit_is_open(sdev);
	if (!rc)
		device_set(sdev, NULL, false);
	mutex_unlock(&sdev->unit->lock);
	return rc;
}

int smmu_attach_paging(struct iommu_domain *iommu_domain, struct device *dev)
{
	struct smmu_domain *domain = to_smmu_domain(iommu_domain);
	struct smmu_device *sdev = to_smmu_device(dev);
	struct smmu_domain_unit *du;
	int rc;

	if (!smmu_domain_suits(domain, sdev->unit))
		return -EINVAL;
	mutex_lock(&sdev->unit->lock);
	rc = device_enter(sdev, domain, &du);
	if (!rc)
		device_set(sdev, domain, false);
	mutex_unlock(&sdev->unit->lock);
	return rc;
}

/* Nobody can hand it out, but a device behind it may share its group. */
static bool is_bridge(struct device *dev)
{
	return dev_is_pci(dev) && pci_is_bridge(to_pci_dev(dev));
}

/*
 * A device is attached to a table of its own vIOMMU, where it has a name: without one
 * the guest could not be told of what it does. A bridge that shares the group of one
 * does nothing that the guest would have to know.
 */
int smmu_attach_nested(struct iommu_domain *iommu_domain, struct device *dev)
{
	struct smmu_domain *domain = to_smmu_domain(iommu_domain);
	struct smmu_device *sdev = to_smmu_device(dev);
	int rc = 0;

	if (domain->viommu->iommu_dev != &sdev->unit->iommu)
		return -EINVAL;
	mutex_lock(&sdev->unit->lock);
	if (FIELD_GET(SMMU_STE0_CONFIG, domain->ste[0]) == SMMU_CONFIG_S1 &&
	    !is_bridge(dev) &&
	    (!sdev->vdev || sdev->vdev->viommu != domain->viommu))
		rc = iommufd_refuse(-ENOENT, "%s has no vdevice in the viommu of the table",
				    dev_name(dev));
	if (!rc)
		rc = device_enter(sdev, domain, NULL);
	if (!rc)
		device_set(sdev, domain, false);
	mutex_unlock(&sdev->unit->lock);
	return rc;
}

/**
 * smmu_release_device - a device goes
 * @dev: the device
 *
 * One that stays is passed through, as it was before. What it shares with others that
 * somebody uses remains theirs.
 */
void smmu_release_device(struct device *dev)
{
	struct smmu_device *sdev = to_smmu_device(dev);

	mutex_lock(&sdev->unit->lock);
	list_del_init(&sdev->link);
	device_set(sdev, NULL, true);
	mutex_unlock(&sdev->unit->lock);
	smmu_pasid_disable(sdev);
	mutex_lock(&sdev->unit->lock);
	streams_put(sdev, sdev->nr_sids);
	mutex_unlock(&sdev->unit->lock);
	kfree(sdev);
}

/**
 * smmu_resv_regions - what of a device's addresses is spoken for
 * @dev: the device
 * @list: receives the regions
 *
 * Interrupts are writes like any other, so that there has to be room for the address
 * of the interrupt controller. Firmware may name memory that has to stay in its place.
 */
void smmu_resv_regions(struct device *dev, struct list_head *list)
{
	struct iommu_resv_region *region;

	region = iommu_alloc_resv_region(MSI_WINDOW, MSI_WINDOW_LENGTH,
					 IOMMU_WRITE | IOMMU_NOEXEC | IOMMU_MMIO,
					 IOMMU_RESV_SW_MSI, GFP_KERNEL);
	if (region)
		list_add_tail(&region->list, list);
	iommu_dma_get_resv_regions(dev, list);
}

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
	mutex_lock(&sdev->unit->lock);
	while (nr--)
		smmu_stream_put(sdev, sdev->sids[nr]);
	mutex_unlock(&sdev->unit->lock);
}

static int streams_get(struct smmu_device *sdev)
{
	unsigned int i;
	int rc = 0;

	mutex_lock(&sdev->unit->lock);
	for (i = 0; i < sdev->nr_sids && !rc; i++)
		rc = smmu_stream_get(sdev, sdev->sids[i]);
	mutex_unlock(&sdev->unit->lock);
	if (!rc)
		return 0;
	if (rc == -ERANGE)
		dev_err(sdev->dev, "has stream id %#x, which %s has no table entry for\n",
			sdev->sids[i - 1], smmu_name(sdev->unit));
	streams_put(sdev, i - 1);
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
	rc = streams_get(sdev);
	if (rc) {
		kfree(sdev);
		return ERR_PTR(rc);
	}
	dev_iommu_priv_set(dev, sdev);
	return &unit->iommu;
}

static void device_set_ste(struct smmu_device *sdev, const struct smmu_ste *ste)
{
	unsigned int i;

	for (i = 0; i < sdev->nr_sids; i++)
		smmu_stream_set(sdev->unit, sdev->sids[i], ste);
}

/*
 * The entry of the domain it leaves is known to nobody any more when the domain as
 * this unit knows it goes.
 */
static void device_set(struct smmu_device *sdev, struct smmu_domain *domain,
		       const struct smmu_ste *ste)
{
	struct smmu_domain *old = sdev->domain;

	lockdep_assert_held(&sdev->unit->lock);
	device_set_ste(sdev, ste);
	sdev->domain = domain;
	/* a guest's id is that of its vIOMMU */
	if (old && !old->viommu)
		smmu_domain_leave(old, smmu_domain_find(old, sdev->unit));
}

/* Static domains; what they stand for is in the functions' names. */
int smmu_attach_identity(struct iommu_domain *domain, struct device *dev)
{
	struct smmu_device *sdev = to_smmu_device(dev);
	const struct smmu_ste ste = smmu_ste_pass();

	mutex_lock(&sdev->unit->lock);
	device_set(sdev, NULL, &ste);
	mutex_unlock(&sdev->unit->lock);
	return 0;
}

int smmu_attach_blocked(struct iommu_domain *domain, struct device *dev)
{
	struct smmu_device *sdev = to_smmu_device(dev);
	const struct smmu_ste ste = smmu_ste_abort();

	mutex_lock(&sdev->unit->lock);
	device_set(sdev, NULL, &ste);
	mutex_unlock(&sdev->unit->lock);
	return 0;
}

int smmu_attach_paging(struct iommu_domain *iommu_domain, struct device *dev)
{
	struct smmu_domain *domain = to_smmu_domain(iommu_domain);
	struct smmu_device *sdev = to_smmu_device(dev);
	struct smmu_domain_unit *du;
	struct smmu_ste ste;
	int rc;

	if (!smmu_domain_suits(domain, sdev->unit))
		return -EINVAL;
	mutex_lock(&sdev->unit->lock);
	rc = smmu_domain_enter(domain, sdev->unit, false, &du);
	if (!rc) {
		ste = smmu_ste_domain(domain, du);
		device_set(sdev, domain, &ste);
	}
	mutex_unlock(&sdev->unit->lock);
	return rc;
}

/*
 * A device is attached to a table of its own vIOMMU, where it has a name: without one
 * the guest could not be told of what it does.
 */
int smmu_attach_nested(struct iommu_domain *iommu_domain, struct device *dev)
{
	struct smmu_domain *domain = to_smmu_domain(iommu_domain);
	struct smmu_device *sdev = to_smmu_device(dev);
	struct smmu_ste ste;
	int rc = 0;

	if (domain->viommu->iommu_dev != &sdev->unit->iommu)
		return -EINVAL;
	mutex_lock(&sdev->unit->lock);
	if (FIELD_GET(SMMU_STE0_CONFIG, domain->ste[0]) == SMMU_CONFIG_S1 &&
	    (!sdev->vdev || sdev->vdev->viommu != domain->viommu))
		rc = iommufd_refuse(-ENOENT, "%s has no vdevice in the viommu of the table",
				    dev_name(dev));
	if (!rc) {
		ste = smmu_ste_nested(domain);
		device_set(sdev, domain, &ste);
	}
	mutex_unlock(&sdev->unit->lock);
	return rc;
}

/**
 * smmu_release_device - a device goes
 * @dev: the device
 *
 * One that stays is passed through, as it was before.
 */
void smmu_release_device(struct device *dev)
{
	struct smmu_device *sdev = to_smmu_device(dev);

	smmu_attach_identity(NULL, dev);
	streams_put(sdev, sdev->nr_sids);
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

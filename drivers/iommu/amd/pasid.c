// SPDX-License-Identifier: GPL-2.0-only
/*
 * PASIDs over page tables of the host. The entry of a device leads either to one table
 * that all of its requests go through, or to GCR3s: one table for each PASID, of the
 * kind that CPUs have, and PASID 0 for requests without one.
 *
 * What these tables lead to goes through a host's table once more, as a guest's do:
 * here it is one in which everything is where it is. Its leaves say that DMA is
 * coherent, which those of the others cannot.
 *
 * A GCR3 is one word, and so is what changes of a device's entry when there are more
 * tables over each other: hardware finds the old state or the new one. GCR3s are made
 * when something of a device is first attached to a table of this kind, tables of them
 * are only added, and all go with the last attachment.
 */
#include <linux/mm.h>
#include <linux/pci-ats.h>

#include "../pt_domain.h"
#include "amdvi.h"
#include "spec/gcr3.h"

#define TABLE_SLOTS	BIT(AMDVI_GCR3_BITS)
/* PCIe has no more */
#define PASID_BITS	20
/* A leaf of a host's table: present, of the level's size, coherent, for all */
#define LEAF_ALL	(BIT_ULL(0) | GENMASK_ULL(62, 60))

/**
 * amdvi_everything_levels - how high the table of everything is
 *
 * Return: its levels; every address that memory can have is in its first page
 */
unsigned int amdvi_everything_levels(void)
{
	return boot_cpu_data.x86_phys_bits > 48 ? 5 : 4;
}

/**
 * amdvi_unit_pasids - the PASIDs that devices behind a unit can have
 * @unit: the unit
 *
 * Return: how many, 0 if it has none that are of use here
 */
u32 amdvi_unit_pasids(const struct amdvi_unit *unit)
{
	unsigned int bits = min3(FIELD_GET(AMDVI_EFR_PASMAX, unit->efr) + 1,
				 (FIELD_GET(AMDVI_EFR_GLX, unit->efr) + 1) *
				 AMDVI_GCR3_BITS, (u64)PASID_BITS);

	if (!(unit->efr & AMDVI_EFR_GT) || !(unit->efr & AMDVI_EFR_GIO) ||
	    FIELD_GET(AMDVI_EFR_HATS, unit->efr) + 4 < amdvi_everything_levels())
		return 0;
	return BIT(bits);
}

/**
 * amdvi_everything_init - make the table of everything
 * @unit: gets it
 *
 * Return: 0 or -ENOMEM
 */
int amdvi_everything_init(struct amdvi_unit *unit)
{
	unsigned int lg2 = 12 + 9 * (amdvi_everything_levels() - 1), i;

	unit->everything = (void *)get_zeroed_page(GFP_KERNEL);
	if (!unit->everything)
		return -ENOMEM;
	for (i = 0; i < TABLE_SLOTS && (u64)i << lg2 < BIT_ULL(52); i++)
		unit->everything[i] = (u64)i << lg2 | LEAF_ALL;
	return 0;
}

static u64 *table_new(void)
{
	return (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
}

static u64 *table_at(u64 item)
{
	return phys_to_virt(item & AMDVI_GCR3_ADDRESS);
}

static void item_write(u64 *item, u64 at)
{
	dma_wmb();
	WRITE_ONCE(*item, at ? at | AMDVI_GCR3_V : 0);
}

/**
 * amdvi_gcr3s_open - have GCR3s for a device
 * @adev: the device; its unit is locked
 *
 * Return: 0, -ENOMEM or -ENOSPC, explained; amdvi_gcr3s_close() undoes it
 */
int amdvi_gcr3s_open(struct amdvi_device *adev)
{
	struct amdvi_gcr3s *g = &adev->gcr3s;
	int rc;

	lockdep_assert_held(&adev->unit->x86.lock);
	if (g->top)
		return 0;
	rc = amdvi_domain_id_take(&g->id);
	if (rc)
		return rc;
	g->top = table_new();
	g->levels = 1;
	if (g->top)
		return 0;
	amdvi_domain_id_put(g->id);
	return iommufd_refuse(-ENOMEM, "no memory for the PASIDs of %s",
			      dev_name(adev->dev));
}

static void tables_free(u64 *table, unsigned int levels)
{
	unsigned int i;

	for (i = 0; levels > 1 && i < TABLE_SLOTS; i++)
		if (table[i] & AMDVI_GCR3_V)
			tables_free(table_at(table[i]), levels - 1);
	free_page((unsigned long)table);
}

/**
 * amdvi_gcr3s_close - a device may need its GCR3s no more
 * @adev: the device; its unit, which is locked, has forgotten what does not lead to them
 *	  any more
 */
void amdvi_gcr3s_close(struct amdvi_device *adev)
{
	struct amdvi_gcr3s *g = &adev->gcr3s;

	lockdep_assert_held(&adev->unit->x86.lock);
	if (!g->top || g->nr || (adev->domain && adev->domain->by_pasid))
		return;
	tables_free(g->top, g->levels);
	g->top = NULL;
	amdvi_domain_id_put(g->id);
}

static u64 *find_slot(const struct amdvi_gcr3s *g, u32 pasid)
{
	unsigned int level = g->levels;
	u64 *item;

	for (item = NULL; level; level--)
		item = (item ? table_at(*item) : g->top) +
		       (pasid >> (AMDVI_GCR3_BITS * (level - 1))) % TABLE_SLOTS;
	return item;
}

/* The old tables are for the first PASIDs of the new one. */
static int gcr3s_grow(struct amdvi_device *adev)
{
	struct amdvi_gcr3s *g = &adev->gcr3s;
	struct amdvi_batch batch;
	u64 *top = table_new();

	if (!top)
		return -ENOMEM;
	item_write(top, virt_to_phys(g->top));
	g->top = top;
	g->levels++;
	amdvi_batch_init(&batch, adev->unit);
	amdvi_entries_update(adev, &batch);
	amdvi_batch_run(&batch);
	return 0;
}

/* Whatever memory a PASID needs. */
static int make_slot(struct amdvi_device *adev, u32 pasid)
{
	struct amdvi_gcr3s *g = &adev->gcr3s;
	unsigned int level;
	u64 *table, *item;

	while (pasid >> (AMDVI_GCR3_BITS * g->levels))
		if (gcr3s_grow(adev))
			return -ENOMEM;
	for (level = g->levels, table = g->top; level > 1; level--) {
		item = table + (pasid >> (AMDVI_GCR3_BITS * (level - 1))) % TABLE_SLOTS;
		if (!(*item & AMDVI_GCR3_V)) {
			table = table_new();
			if (!table)
				return -ENOMEM;
			item_write(item, virt_to_phys(table));
		}
		table = table_at(*item);
	}
	return 0;
}

/**
 * amdvi_gcr3s_set - say where requests with a PASID go
 * @adev: the device, which has a GCR3 for it; its unit is locked, and to be told
 * @pasid: the PASID; 0 for requests without one
 * @domain: where to, or NULL for nowhere
 */
void amdvi_gcr3s_set(struct amdvi_device *adev, u32 pasid,
		     const struct amdvi_domain *domain)
{
	lockdep_assert_held(&adev->unit->x86.lock);
	item_write(find_slot(&adev->gcr3s, pasid),
		   domain ? pt_top_phys(&domain->pt) : 0);
}

/* GCR3s are cached with the entry that leads to them, what they lead to by PASID. */
static void pasid_write(struct amdvi_device *adev, u32 pasid,
			const struct amdvi_domain *domain)
{
	struct amdvi_batch batch;

	amdvi_gcr3s_set(adev, pasid, domain);
	amdvi_batch_init(&batch, adev->unit);
	amdvi_entries_update(adev, &batch);
	amdvi_batch_pasid(&batch, adev->gcr3s.id, pasid, 0, U64_MAX, true);
	amdvi_ats_forget_old(&batch, adev, pasid);
	amdvi_batch_run(&batch);
}

static int check_pasid(struct amdvi_device *adev, u32 pasid,
		       const struct amdvi_domain *domain)
{
	struct amdvi_unit *unit = adev->unit;

	if (!unit->x86.iommu.max_pasids)
		return iommufd_refuse(-EOPNOTSUPP, "%s, the IOMMU of %s, has no PASIDs",
				      unit->x86.name, dev_name(adev->dev));
	if (pasid == IOMMU_NO_PASID || pasid >= adev->dev->iommu->max_pasids ||
	    pasid >= unit->x86.iommu.max_pasids)
		return iommufd_refuse(-EINVAL, "%s has no PASID %u",
				      dev_name(adev->dev), pasid);
	if (!domain->by_pasid)
		return iommufd_refuse(-EINVAL,
				      "the page table is not of the kind that PASIDs go to");
	return 0;
}

/* All that can fail. */
static int pasid_enter(struct amdvi_device *adev, struct amdvi_domain *domain,
		       u32 pasid)
{
	int rc;

	if (adev->domain && !adev->domain->by_pasid)
		return iommufd_refuse(-EINVAL,
				      "%s is attached to a page table that leaves no room for PASIDs",
				      dev_name(adev->dev));
	rc = amdvi_gcr3s_open(adev);
	if (rc)
		return rc;
	rc = make_slot(adev, pasid);
	if (!rc)
		rc = amdvi_domain_enter(domain, adev, pasid);
	if (!rc)
		return 0;
	amdvi_gcr3s_close(adev);
	return iommufd_refuse(rc, "no memory for PASID %u of %s", pasid,
			      dev_name(adev->dev));
}

/**
 * amdvi_set_dev_pasid - attach a PASID of a device to a domain, or move it there
 * @iommu_domain: the domain
 * @dev: the device
 * @pasid: the PASID, not 0
 * @old: what it is attached to, or NULL
 *
 * Requests that come meanwhile find the old state or the new one.
 *
 * Context: the IOMMU core holds the mutex of the device's group.
 * Return: 0; -EINVAL if the device has no such PASID, or cannot use the domain; -EIO if
 *	   it is cut off; -EOPNOTSUPP, -ENOMEM, -ENOSPC. Nothing has changed then
 */
int amdvi_set_dev_pasid(struct iommu_domain *iommu_domain, struct device *dev,
			ioasid_t pasid, struct iommu_domain *old)
{
	struct amdvi_domain *domain = to_amdvi_domain(iommu_domain);
	struct amdvi_device *adev = to_amdvi_device(dev);
	int rc = check_pasid(adev, pasid, domain);

	if (rc)
		return rc;
	if (!amdvi_domain_suits(domain, adev->unit))
		return -EINVAL;
	mutex_lock(&adev->unit->x86.lock);
	if (READ_ONCE(adev->cut)) {
		rc = old == iommu_domain ? 0 : amdvi_refuse_cut(adev);
		goto out;
	}
	rc = pasid_enter(adev, domain, pasid);
	if (rc)
		goto out;
	adev->gcr3s.nr += !old;
	pasid_write(adev, pasid, domain);
	amdvi_ats_start(adev, domain);
	if (old)
		amdvi_domain_leave(to_amdvi_domain(old), adev, pasid);
out:
	mutex_unlock(&adev->unit->x86.lock);
	return rc;
}

/**
 * amdvi_remove_dev_pasid - detach a PASID of a device
 * @dev: the device
 * @pasid: the PASID
 * @domain: what it is attached to
 */
void amdvi_remove_dev_pasid(struct device *dev, ioasid_t pasid,
			    struct iommu_domain *domain)
{
	struct amdvi_device *adev = to_amdvi_device(dev);

	mutex_lock(&adev->unit->x86.lock);
	adev->gcr3s.nr--;
	if (!amdvi_device_has_tlb(adev))
		amdvi_ats_stop(adev, to_amdvi_domain(domain));
	pasid_write(adev, pasid, NULL);
	x86_asker_drain(&adev->asker);
	amdvi_domain_leave(to_amdvi_domain(domain), adev, pasid);
	amdvi_gcr3s_close(adev);
	mutex_unlock(&adev->unit->x86.lock);
}

/**
 * amdvi_replace_pasid - move a PASID of a device to another domain
 * @new: where to
 * @old: where from
 * @dev: the device
 * @pasid: the PASID
 *
 * Return: as amdvi_set_dev_pasid()
 */
int amdvi_replace_pasid(struct iommu_domain *new, struct iommu_domain *old,
			struct device *dev, ioasid_t pasid)
{
	return amdvi_set_dev_pasid(new, dev, pasid, old);
}

/**
 * amdvi_pasid_enable - let a device make requests with PASIDs
 * @adev: the device, not attached to anything; its device TLB is off
 *
 * Those that nobody has attached are refused.
 */
void amdvi_pasid_enable(struct amdvi_device *adev)
{
	struct pci_dev *pdev = to_pci_dev(adev->dev);
	int features;

	/* virtual functions use what their physical function has enabled */
	if (!adev->unit->x86.iommu.max_pasids || pdev->is_virtfn)
		return;
	features = pci_pasid_features(pdev);
	if (features >= 0)
		adev->pasid_enabled = !pci_enable_pasid(pdev, features);
}

/**
 * amdvi_pasid_disable - undo amdvi_pasid_enable()
 * @adev: the device; its device TLB is off
 */
void amdvi_pasid_disable(struct amdvi_device *adev)
{
	if (adev->pasid_enabled)
		pci_disable_pasid(to_pci_dev(adev->dev));
}

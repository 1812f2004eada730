// SPDX-License-Identifier: GPL-2.0-only
/*
 * PASID tables of scalable mode: where requests of a device go, without a PASID
 * (which is PASID 0 to the hardware) or with one.
 *
 * An entry has 512 bits and cannot be changed at once. What can is the pointer to
 * its table: each change is made in a copy of the table, which then takes its
 * place. So hardware finds the old entry or the new one, never something between,
 * and DMA goes on while a page table is replaced.
 *
 * A directory of one page leads to tables for 32768 PASIDs. It grows when a larger
 * PASID comes, and stays so; tables come and go with the PASIDs in them.
 */
#include <linux/mm.h>
#include <linux/pci-ats.h>

#include "vtd.h"

/* Of a page of a directory. */
#define DIRECTORY_ENTRIES	(PAGE_SIZE / sizeof(u64))

static void flush(const struct vtd_unit *unit, void *p, size_t size)
{
	if (!(unit->ecap & VTD_ECAP_C))
		clflush_cache_range(p, size);
}

static size_t directory_size(unsigned int order)
{
	return PAGE_SIZE << order;
}

static u64 *directory_alloc(const struct vtd_unit *unit, unsigned int order)
{
	u64 *directory = (void *)__get_free_pages(GFP_KERNEL_ACCOUNT | __GFP_ZERO,
						  order);

	if (directory)
		flush(unit, directory, directory_size(order));
	return directory;
}

static void directory_free(u64 *directory, unsigned int order)
{
	free_pages((unsigned long)directory, order);
}

static struct vtd_pasid_entry *table_at(u64 item)
{
	return item & VTD_PDIR_P ? phys_to_virt(item & VTD_PDIR_TABLE) : NULL;
}

static u64 *directory_item(const struct vtd_pasids *pasids, u32 pasid)
{
	return &pasids->directory[pasid / VTD_PTABLE_ENTRIES];
}

static void directory_write(const struct vtd_unit *unit, u64 *item,
			    struct vtd_pasid_entry *table)
{
	dma_wmb();
	WRITE_ONCE(*item, table ? virt_to_phys(table) | VTD_PDIR_P : 0);
	flush(unit, item, sizeof(*item));
}

static struct vtd_pasid_entry *table_alloc(void)
{
	return (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
}

static void table_free(struct vtd_pasid_entry *table)
{
	free_page((unsigned long)table);
}

/**
 * vtd_pasids_init - make a directory in which nothing leads anywhere
 * @unit: the unit
 * @pasids: zeroed
 *
 * Return: 0 or -ENOMEM; vtd_pasids_fini() is called in any case
 */
int vtd_pasids_init(struct vtd_unit *unit, struct vtd_pasids *pasids)
{
	struct vtd_pasid_entry *table;

	pasids->directory = directory_alloc(unit, 0);
	pasids->spare = table_alloc();
	if (!pasids->directory || !pasids->spare)
		return -ENOMEM;
	table = table_alloc();
	if (!table)
		return -ENOMEM;
	flush(unit, table, PAGE_SIZE);
	directory_write(unit, pasids->directory, table);
	return 0;
}

/**
 * vtd_pasids_fini - free a directory
 * @pasids: no hardware uses it; only PASID 0 may still lead somewhere
 */
void vtd_pasids_fini(struct vtd_pasids *pasids)
{
	WARN_ON(pasids->nr);
	if (pasids->directory)
		table_free(table_at(pasids->directory[0]));
	directory_free(pasids->directory, pasids->order);
	table_free(pasids->spare);
}

/**
 * vtd_pasids_context - the word of a context entry that leads to a directory
 * @pasids: the directory
 *
 * Return: the word
 */
u64 vtd_pasids_context(const struct vtd_pasids *pasids)
{
	/* 2^(n+7) entries; a page has 2^9 */
	return virt_to_phys(pasids->directory) | VTD_SCTX_0_P |
	       FIELD_PREP(VTD_SCTX_0_PDTS, pasids->order + 2) |
	       (pasids->nr ? VTD_SCTX_0_PASIDE : 0);
}

static bool table_is_empty(struct vtd_pasid_entry *table)
{
	return !memchr_inv(table, 0, PAGE_SIZE);
}

/**
 * vtd_pasids_set - say where requests with a PASID go
 * @batch: for the unit, which takes commands
 * @pasids: the directory; has a table for @pasid
 * @pasid: the PASID; 0 for requests without one
 * @entry: the new entry; of zeroes: nowhere
 *
 * Once the batch has run, which is before this is called again for @pasids, hardware
 * has forgotten the old entry, but not what it translated by it.
 */
void vtd_pasids_set(struct vtd_batch *batch, struct vtd_pasids *pasids, u32 pasid,
		    const struct vtd_pasid_entry *entry)
{
	struct vtd_unit *unit = batch->unit;
	u64 *item = directory_item(pasids, pasid);
	struct vtd_pasid_entry *table = table_at(*item), *fresh = pasids->spare;
	unsigned int index = pasid % VTD_PTABLE_ENTRIES;
	u16 did = FIELD_GET(VTD_PE_1_DID, table[index].w[1]);

	memcpy(fresh, table, PAGE_SIZE);
	fresh[index] = *entry;
	if (item != pasids->directory && table_is_empty(fresh)) {
		directory_write(unit, item, NULL);
		vtd_forget_pasid(batch, did, pasid);
		vtd_batch_run(batch);
		table_free(table);
		return;
	}
	flush(unit, fresh, PAGE_SIZE);
	directory_write(unit, item, fresh);
	pasids->spare = table;
	vtd_forget_pasid(batch, did, pasid);
}

/* Before another one of the same content takes its place: nothing else changes. */
static int directory_grow(struct vtd_device *vdev, u32 pasid)
{
	struct vtd_pasids *pasids = &vdev->pasids;
	unsigned int order = pasids->order, old_order = order;
	u64 *old = pasids->directory, *fresh;
	struct vtd_batch batch;

	while (pasid / VTD_PTABLE_ENTRIES >= DIRECTORY_ENTRIES << order)
		order++;
	if (order == old_order)
		return 0;
	fresh = directory_alloc(vdev->unit, order);
	if (!fresh)
		return -ENOMEM;
	memcpy(fresh, old, directory_size(old_order));
	flush(vdev->unit, fresh, directory_size(old_order));
	dma_wmb();
	pasids->directory = fresh;
	pasids->order = order;
	vtd_batch_init(&batch, vdev->unit);
	vtd_contexts_update(vdev, &batch);
	vtd_batch_run(&batch);
	directory_free(old, old_order);
	return 0;
}

/* Whatever memory an entry needs. */
static int make_room(struct vtd_device *vdev, u32 pasid)
{
	struct vtd_pasid_entry *table;
	u64 *item;

	if (directory_grow(vdev, pasid))
		return iommufd_refuse(-ENOMEM, "no memory for a directory of PASIDs up to %u",
				      pasid);
	item = directory_item(&vdev->pasids, pasid);
	if (*item & VTD_PDIR_P)
		return 0;
	table = table_alloc();
	if (!table)
		return iommufd_refuse(-ENOMEM, "no memory for a table of PASIDs");
	flush(vdev->unit, table, PAGE_SIZE);
	directory_write(vdev->unit, item, table);
	return 0;
}

/*
 * 6.5.3.1: what was translated by an entry that is gone. Of what goes through both
 * stages some is tagged with the domain id alone.
 */
static void forget_translations(struct vtd_batch *batch, u32 pasid,
				const struct vtd_pasid_entry *old)
{
	u16 did = FIELD_GET(VTD_PE_1_DID, old->w[1]);

	if (!(old->w[0] & VTD_PE_0_P))
		return;
	if (FIELD_GET(VTD_PE_0_PGTT, old->w[0]) == VTD_PGTT_FIRST)
		vtd_forget_first_stage(batch, did, pasid, 0, U64_MAX, true);
	else
		vtd_forget_domain(batch, did);
}

/* @entry is one of zeroes or a valid one. */
static void pasid_write(struct vtd_device *vdev, u32 pasid,
			const struct vtd_pasid_entry *entry)
{
	struct vtd_pasids *pasids = &vdev->pasids;
	struct vtd_pasid_entry old = table_at(*directory_item(pasids, pasid))
				     [pasid % VTD_PTABLE_ENTRIES];
	bool was = old.w[0] & VTD_PE_0_P, is = entry->w[0] & VTD_PE_0_P;
	struct vtd_batch batch;

	vtd_batch_init(&batch, vdev->unit);
	vtd_pasids_set(&batch, pasids, pasid, entry);
	pasids->nr += is - was;
	/* Whether the device may use PASIDs at all stands in its context entry. */
	if (was != is && pasids->nr == is)
		vtd_contexts_update(vdev, &batch);
	vtd_batch_fence(&batch);
	forget_translations(&batch, pasid, &old);
	if (was)
		vtd_ats_forget_old(&batch, vdev, pasid);
	vtd_batch_run(&batch);
}

static int check_pasid(struct vtd_device *vdev, u32 pasid)
{
	struct vtd_unit *unit = vdev->unit;

	if (!unit->x86.iommu.max_pasids)
		return iommufd_refuse(-EOPNOTSUPP, "%s, the IOMMU of %s, has no PASIDs",
				      unit->x86.name, dev_name(vdev->dev));
	if (pasid == IOMMU_NO_PASID || pasid >= vdev->dev->iommu->max_pasids ||
	    pasid >= unit->x86.iommu.max_pasids)
		return iommufd_refuse(-EINVAL, "%s has no PASID %u",
				      dev_name(vdev->dev), pasid);
	return 0;
}

/* All that can fail. */
static int pasid_enter(struct vtd_device *vdev, struct vtd_domain *domain,
		       u32 pasid, u16 *did)
{
	int rc;

	rc = vtd_domain_enter(domain, vdev->unit, pasid, did);
	if (rc)
		return rc;
	rc = make_room(vdev, pasid);
	if (!rc)
		rc = vtd_ats_enter(vdev, domain, pasid);
	if (rc)
		vtd_domain_leave(domain, vdev->unit, pasid);
	return rc;
}

/**
 * vtd_set_dev_pasid - attach a PASID of a device to a domain, or move it there
 * @iommu_domain: the domain
 * @dev: the device
 * @pasid: the PASID, not 0
 * @old: what it is attached to, or NULL
 *
 * Requests that come meanwhile find the old state or the new one.
 *
 * Context: the IOMMU core holds the mutex of the device's group.
 * Return: 0; -EINVAL if the device has no such PASID, or cannot use the domain; -EIO
 *	   if it is cut off; -EOPNOTSUPP, -ENOMEM, -ENOSPC. Nothing has changed then
 */
int vtd_set_dev_pasid(struct iommu_domain *iommu_domain, struct device *dev,
		      ioasid_t pasid, struct iommu_domain *old)
{
	struct vtd_domain *domain = to_vtd_domain(iommu_domain);
	struct vtd_device *vdev = to_vtd_device(dev);
	struct vtd_unit *unit = vdev->unit;
	struct vtd_pasid_entry entry;
	u16 did;
	int rc;

	rc = check_pasid(vdev, pasid);
	if (rc)
		return rc;
	if (!vtd_domain_suits(domain, unit))
		return -EINVAL;
	mutex_lock(&unit->x86.lock);
	if (READ_ONCE(vdev->cut)) {
		rc = old == iommu_domain ? 0 : vtd_refuse_cut(vdev);
		goto out;
	}
	rc = pasid_enter(vdev, domain, pasid, &did);
	if (rc)
		goto out;
	entry = vtd_pasid_domain(unit, domain, did);
	pasid_write(vdev, pasid, &entry);
	vtd_ats_start(vdev, domain);
	if (old) {
		vtd_ats_leave(vdev, to_vtd_domain(old), pasid);
		vtd_domain_leave(to_vtd_domain(old), unit, pasid);
	}
out:
	mutex_unlock(&unit->x86.lock);
	return rc;
}

/**
 * vtd_remove_dev_pasid - detach a PASID of a device
 * @dev: the device
 * @pasid: the PASID
 * @domain: what it is attached to
 */
void vtd_remove_dev_pasid(struct device *dev, ioasid_t pasid,
			  struct iommu_domain *domain)
{
	struct vtd_device *vdev = to_vtd_device(dev);
	const struct vtd_pasid_entry nowhere = {};

	mutex_lock(&vdev->unit->x86.lock);
	vtd_ats_stop(vdev, to_vtd_domain(domain), pasid);
	pasid_write(vdev, pasid, &nowhere);
	x86_asker_drain(&vdev->asker);
	vtd_ats_leave(vdev, to_vtd_domain(domain), pasid);
	vtd_domain_leave(to_vtd_domain(domain), vdev->unit, pasid);
	mutex_unlock(&vdev->unit->x86.lock);
}

/**
 * vtd_replace_pasid - move a PASID of a device to another domain
 * @new: where to
 * @old: where from
 * @dev: the device
 * @pasid: the PASID
 *
 * Return: as vtd_set_dev_pasid()
 */
int vtd_replace_pasid(struct iommu_domain *new, struct iommu_domain *old,
		      struct device *dev, ioasid_t pasid)
{
	return vtd_set_dev_pasid(new, dev, pasid, old);
}

/**
 * vtd_pasid_enable - let a device make requests with PASIDs
 * @vdev: the device, not attached to anything; its device TLB is off
 *
 * Those that nobody has attached are refused. Kinds of requests that page tables
 * have no say in, as executing, are refused by their entries.
 */
void vtd_pasid_enable(struct vtd_device *vdev)
{
	struct pci_dev *pdev = to_pci_dev(vdev->dev);
	int features;

	/* virtual functions use what their physical function has enabled */
	if (!vdev->unit->x86.iommu.max_pasids || pdev->is_virtfn)
		return;
	features = pci_pasid_features(pdev);
	if (features >= 0)
		vdev->pasid_enabled = !pci_enable_pasid(pdev, features);
}

/**
 * vtd_pasid_disable - undo vtd_pasid_enable()
 * @vdev: the device; its device TLB is off
 */
void vtd_pasid_disable(struct vtd_device *vdev)
{
	if (vdev->pasid_enabled)
		pci_disable_pasid(to_pci_dev(vdev->dev));
}

/**
 * vtd_pasid_pass_through - the entry of a device that is passed through
 *
 * Return: the entry
 */
struct vtd_pasid_entry vtd_pasid_pass_through(void)
{
	return (struct vtd_pasid_entry){ .w = {
		VTD_PE_0_P | FIELD_PREP(VTD_PE_0_PGTT, VTD_PGTT_PASS_THROUGH) |
		FIELD_PREP(VTD_PE_0_AW, 2),
		FIELD_PREP(VTD_PE_1_DID, VTD_DID_PASS_THROUGH),
	} };
}

/**
 * vtd_pasid_domain - the entry of a device that is attached to a domain
 * @unit: the unit
 * @domain: the domain
 * @did: its id there
 *
 * Return: the entry
 */
struct vtd_pasid_entry vtd_pasid_domain(const struct vtd_unit *unit,
					const struct vtd_domain *domain, u16 did)
{
	unsigned int levels = domain->pt.config.levels;
	u64 top, did_word;

	if (domain->parent)
		return vtd_stage1_over(&domain->stage1,
				       vtd_pasid_domain(unit, domain->parent,
							did));
	top = pt_top_phys(&domain->pt);
	did_word = FIELD_PREP(VTD_PE_1_DID, did) |
		       (unit->ecap & VTD_ECAP_SMPWCS ? VTD_PE_1_PWSNP : 0);

	if (domain->first_stage)
		return (struct vtd_pasid_entry){ .w = {
			VTD_PE_0_P | FIELD_PREP(VTD_PE_0_PGTT, VTD_PGTT_FIRST),
			did_word,
			top | FIELD_PREP(VTD_PE_2_FSPM, levels - 4),
		} };
	return (struct vtd_pasid_entry){ .w = {
		VTD_PE_0_P | FIELD_PREP(VTD_PE_0_PGTT, VTD_PGTT_SECOND) |
		FIELD_PREP(VTD_PE_0_AW, levels - 2) | top |
		(domain->dirty ? VTD_PE_0_SSADE : 0),
		did_word,
	} };
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables of the host: memory mapped by the kernel, for any number of devices
 * behind any number of units.
 */
#include <linux/idr.h>
#include <linux/slab.h>

#include "../pt_domain.h"
#include "amdvi.h"

/* Tags of what units have cached; the same in all of them. */
static DEFINE_IDA(domain_ids);

/* Levels that a unit can have; more cost time at each walk. */
static unsigned int unit_levels(const struct amdvi_unit *unit)
{
	return 4 + FIELD_GET(AMDVI_EFR_HATS, unit->efr);
}

/**
 * amdvi_unit_records_writes - whether dirty tracking is possible
 * @unit: the unit
 *
 * Return: whether it records in the leaves of host tables what devices write
 */
bool amdvi_unit_records_writes(const struct amdvi_unit *unit)
{
	return unit->efr & AMDVI_EFR_HA && unit->efr & AMDVI_EFR_HD;
}

/**
 * amdvi_domain_suits - whether devices behind a unit can be attached to a domain
 * @domain: made for a unit, perhaps another one
 * @unit: the unit
 *
 * Return: whether the unit can walk its table
 */
bool amdvi_domain_suits(const struct amdvi_domain *domain,
			const struct amdvi_unit *unit)
{
	if (domain->parent)
		return !amdvi_unit_lacks_nesting(unit) &&
		       amdvi_domain_suits(domain->parent, unit);
	/* every unit that has PASIDs walks four levels */
	if (domain->by_pasid)
		return amdvi_unit_pasids(unit);
	return domain->pt.config.levels <= unit_levels(unit) &&
	       (!domain->dirty || amdvi_unit_records_writes(unit));
}

/**
 * amdvi_domain_is_used - whether a unit may have cached something of a domain
 * @domain: the domain, locked
 * @unit: the unit
 *
 * Return: whether a device behind it is attached
 */
bool amdvi_domain_is_used(const struct amdvi_domain *domain,
			  const struct amdvi_unit *unit)
{
	const struct amdvi_user *user;

	lockdep_assert_held(&domain->lock);
	list_for_each_entry(user, &domain->users, link)
		if (user->adev->unit == unit)
			return true;
	return false;
}

/**
 * amdvi_domain_enter - a device is to be attached
 * @domain: suits its unit
 * @adev: the device; its unit is locked
 * @pasid: what of it
 *
 * Return: 0 or -ENOMEM
 */
int amdvi_domain_enter(struct amdvi_domain *domain, struct amdvi_device *adev,
		       u32 pasid)
{
	struct amdvi_user *user = kzalloc(sizeof(*user), GFP_KERNEL);

	if (!user)
		return -ENOMEM;
	user->adev = adev;
	user->pasid = pasid;
	spin_lock(&domain->lock);
	list_add(&user->link, &domain->users);
	spin_unlock(&domain->lock);
	return 0;
}

static struct amdvi_user *user_of(const struct amdvi_domain *domain,
				  const struct amdvi_device *adev, u32 pasid)
{
	struct amdvi_user *user;

	list_for_each_entry(user, &domain->users, link)
		if (user->adev == adev && user->pasid == pasid)
			return user;
	return NULL;
}

/**
 * amdvi_domain_leave - a device is no longer attached
 * @domain: the domain
 * @adev: the device; its unit, which is locked, has forgotten the device's entry, or
 *	  the GCR3 of the PASID, and all of the domain that it had translated by that
 * @pasid: what of it
 */
void amdvi_domain_leave(struct amdvi_domain *domain, struct amdvi_device *adev,
			u32 pasid)
{
	struct amdvi_user *user;

	spin_lock(&domain->lock);
	user = user_of(domain, adev, pasid);
	if (!WARN_ON(!user))
		list_del(&user->link);
	spin_unlock(&domain->lock);
	kfree(user);
}

/* One command for the domain's id, or one for each PASID that leads to it. */
static void unit_forget(struct amdvi_unit *unit, const struct amdvi_domain *domain,
			u64 first, u64 last, bool tables)
{
	const struct amdvi_user *user;
	struct amdvi_batch batch;

	if (!amdvi_domain_is_used(domain, unit))
		return;
	amdvi_batch_init(&batch, unit);
	if (!domain->by_pasid)
		amdvi_batch_range(&batch, domain->id, first, last, tables);
	else
		list_for_each_entry(user, &domain->users, link)
			if (user->adev->unit == unit)
				amdvi_batch_pasid(&batch, user->adev->gcr3s.id,
						  user->pasid, first, last, tables);
	amdvi_ats_forget(&batch, domain, first, last);
	amdvi_batch_run(&batch);
}

static void units_forget(const struct amdvi_domain *domain, u64 first, u64 last,
			 bool tables)
{
	struct x86_unit *x86;

	list_for_each_entry(x86, &x86_units, link)
		unit_forget(to_amdvi_unit(x86), domain, first, last, tables);
}

/*
 * What was made of it together with a guest's table is found by addresses of the
 * guest, which a range of this one does not tell: all of it goes.
 */
static void domain_forget(struct amdvi_domain *domain, u64 first, u64 last,
			  bool tables)
{
	struct amdvi_domain *nested;

	spin_lock(&domain->lock);
	units_forget(domain, first, last, tables);
	list_for_each_entry(nested, &domain->nested, sibling) {
		spin_lock_nested(&nested->lock, SINGLE_DEPTH_NESTING);
		units_forget(nested, 0, U64_MAX, true);
		spin_unlock(&nested->lock);
	}
	spin_unlock(&domain->lock);
}

static void forget_gathered(struct amdvi_domain *domain, struct pt_gather *gather)
{
	if (!pt_gather_empty(gather))
		domain_forget(domain, gather->first, gather->last, gather->tables);
	pt_gather_free(gather);
}

static bool units_cache_absent(const struct amdvi_domain *domain)
{
	const struct amdvi_user *user;

	list_for_each_entry(user, &domain->users, link)
		if (user->adev->unit->cap & AMDVI_CAP_NPCACHE)
			return true;
	return false;
}

static bool any_unit_caches_absent(struct amdvi_domain *domain)
{
	struct amdvi_domain *nested;
	bool any;

	spin_lock(&domain->lock);
	any = units_cache_absent(domain);
	list_for_each_entry(nested, &domain->nested, sibling) {
		spin_lock_nested(&nested->lock, SINGLE_DEPTH_NESTING);
		any |= units_cache_absent(nested);
		spin_unlock(&nested->lock);
	}
	spin_unlock(&domain->lock);
	return any;
}

/**
 * amdvi_domain_mapped - let units know what was mapped
 * @domain: the domain
 * @gather: what changed for it; empty afterwards
 * @iova: what was mapped
 * @len: its size
 *
 * What was not present may be cached as such (NpCache), and a leaf that took the
 * place of a table has to be seen.
 */
void amdvi_domain_mapped(struct amdvi_domain *domain, struct pt_gather *gather,
			 u64 iova, size_t len)
{
	if (len && any_unit_caches_absent(domain))
		pt_gather_add(gather, iova, iova + len - 1);
	forget_gathered(domain, gather);
}

/**
 * amdvi_prot - rights in a leaf
 * @prot: of IOMMU_READ and IOMMU_WRITE
 *
 * Return: the library's word for it; DMA is always coherent
 */
unsigned int amdvi_prot(int prot)
{
	return (prot & IOMMU_READ ? PT_READ : 0) |
	       (prot & IOMMU_WRITE ? PT_WRITE : 0) | PT_SNOOP;
}

static int domain_map_pages(struct iommu_domain *iommu_domain, unsigned long iova,
			    phys_addr_t phys, size_t size, size_t count, int prot,
			    gfp_t gfp, size_t *mapped)
{
	struct amdvi_domain *domain = to_amdvi_domain(iommu_domain);
	struct pt_run run = { .phys = phys, .len = size * count };
	struct pt_gather gather;
	size_t done;
	int rc;

	pt_gather_init(&gather);
	rc = domain->pt.ops->map(&domain->pt, iova, &run, 1, amdvi_prot(prot), ~0ULL,
				 &gather, &done);
	amdvi_domain_mapped(domain, &gather, iova, done);
	*mapped += done;
	return rc;
}

static size_t domain_unmap_pages(struct iommu_domain *domain, unsigned long iova,
				 size_t size, size_t count,
				 struct iommu_iotlb_gather *gather)
{
	return pt_domain_unmap(&to_amdvi_domain(domain)->pt, iova, size * count,
			       gather);
}

static void domain_iotlb_sync(struct iommu_domain *domain,
			      struct iommu_iotlb_gather *gather)
{
	struct pt_gather pt_gather;

	pt_domain_gathered(gather, &pt_gather);
	forget_gathered(to_amdvi_domain(domain), &pt_gather);
}

static void domain_flush_all(struct iommu_domain *domain)
{
	domain_forget(to_amdvi_domain(domain), 0, U64_MAX, true);
}

static phys_addr_t domain_iova_to_phys(struct iommu_domain *domain, dma_addr_t iova)
{
	return pt_domain_lookup(&to_amdvi_domain(domain)->pt, iova);
}

/*
 * It is so in every leaf, see amdvi_prot(). Those of tables by PASID have no such bit,
 * but what they lead to goes through leaves that do, see amdvi_everything_init().
 */
static bool domain_enforce_coherency(struct iommu_domain *domain)
{
	return true;
}

static void domain_free(struct iommu_domain *iommu_domain)
{
	struct amdvi_domain *domain = to_amdvi_domain(iommu_domain);

	WARN_ON(!list_empty(&domain->users) || !list_empty(&domain->nested));
	domain->pt.ops->destroy(&domain->pt);
	if (!domain->by_pasid)
		amdvi_domain_id_put(domain->id);
	kfree(domain);
}

static const struct iommu_domain_ops domain_ops = {
	.attach_dev = amdvi_attach_paging,
	.set_dev_pasid = amdvi_set_dev_pasid,
	.map_pages = domain_map_pages,
	.unmap_pages = domain_unmap_pages,
	.iotlb_sync = domain_iotlb_sync,
	.flush_iotlb_all = domain_flush_all,
	.iova_to_phys = domain_iova_to_phys,
	.enforce_cache_coherency = domain_enforce_coherency,
	.free = domain_free,
};

/* Four levels, if they reach as far as physical addresses do. */
static void configure_host(struct amdvi_domain *domain, const struct amdvi_unit *unit)
{
	unsigned int bits = boot_cpu_data.x86_phys_bits;
	unsigned int levels = bits > 48 ? min(unit_levels(unit), 5u) : 4;

	domain->pt.ops = &pt_amd_v1;
	domain->pt.config = (struct pt_config){
		.va_bits = 12 + 9 * levels,
		.oa_bits = bits,
		.levels = levels,
		.features = PT_FEAT_LIVE_CUT | (domain->dirty ? PT_FEAT_DIRTY : 0),
		.node = dev_to_node(&unit->pdev->dev),
	};
}

static void configure_by_pasid(struct amdvi_domain *domain,
			       const struct amdvi_unit *unit)
{
	domain->pt.ops = &pt_x86_64;
	domain->pt.config = (struct pt_config){
		.va_bits = 48,
		.oa_bits = boot_cpu_data.x86_phys_bits,
		.levels = 4,
		.max_leaf_lg2 = 30,
		.features = PT_FEAT_SIGN_EXTEND | PT_FEAT_LIVE_CUT,
		.node = dev_to_node(&unit->pdev->dev),
	};
}

/**
 * amdvi_domain_id_take - have an id for a new domain, or for GCR3s
 * @id: receives it
 *
 * Return: 0, or an explained -ENOSPC or -ENOMEM
 */
int amdvi_domain_id_take(u16 *id)
{
	int rc = ida_alloc_range(&domain_ids, AMDVI_DOMAIN_FIRST, AMDVI_DOMAIN_LAST,
				 GFP_KERNEL);

	if (rc < 0)
		return iommufd_refuse(rc == -ENOMEM ? rc : -ENOSPC,
				      "there are %u page tables, units know no more",
				      AMDVI_DOMAIN_LAST - AMDVI_DOMAIN_FIRST + 1);
	*id = rc;
	return 0;
}

/**
 * amdvi_domain_id_put - others may have the id
 * @id: nothing is cached for it
 */
void amdvi_domain_id_put(u16 id)
{
	ida_free(&domain_ids, id);
}

static int domain_init(struct amdvi_domain *domain, const struct amdvi_unit *unit)
{
	int rc = domain->by_pasid ? 0 : amdvi_domain_id_take(&domain->id);

	if (rc)
		return rc;
	if (domain->by_pasid)
		configure_by_pasid(domain, unit);
	else
		configure_host(domain, unit);
	rc = domain->pt.ops->init(&domain->pt);
	if (!rc)
		return 0;
	if (!domain->by_pasid)
		amdvi_domain_id_put(domain->id);
	return iommufd_refuse(rc, "no memory for a page table");
}

/**
 * amdvi_domain_alloc - make an empty table
 * @unit: that will walk it; others that can as well may be added
 * @dirty: hardware is to record what devices write, which the unit can; not with
 *	   @by_pasid
 * @by_pasid: of the kind that PASIDs can be attached to, which the unit has
 *
 * Return: the domain or an ERR_PTR of -ENOMEM, -ENOSPC, explained
 */
struct amdvi_domain *amdvi_domain_alloc(const struct amdvi_unit *unit, bool dirty,
					bool by_pasid)
{
	struct amdvi_domain *domain = kzalloc(sizeof(*domain), GFP_KERNEL_ACCOUNT);
	int rc;

	if (!domain)
		return ERR_PTR(iommufd_refuse(-ENOMEM, "no memory for a page table"));
	spin_lock_init(&domain->lock);
	INIT_LIST_HEAD(&domain->users);
	INIT_LIST_HEAD(&domain->nested);
	domain->dirty = dirty;
	domain->by_pasid = by_pasid;
	rc = domain_init(domain, unit);
	if (rc) {
		kfree(domain);
		return ERR_PTR(rc);
	}
	domain->domain.owner = &amdvi_iommu_ops;
	domain->domain.type = IOMMU_DOMAIN_UNMANAGED;
	domain->domain.ops = &domain_ops;
	domain->domain.pgsize_bitmap = domain->pt.ops->page_sizes(&domain->pt);
	domain->domain.geometry = (struct iommu_domain_geometry){
		/* of addresses that are sign extended the lower half */
		.aperture_end = BIT_ULL(domain->pt.config.va_bits - by_pasid) - 1,
		.force_aperture = true,
	};
	return domain;
}

struct iommu_domain *amdvi_domain_alloc_paging(struct device *dev)
{
	struct amdvi_domain *domain;

	domain = amdvi_domain_alloc(to_amdvi_device(dev)->unit, false, false);
	return IS_ERR(domain) ? ERR_CAST(domain) : &domain->domain;
}

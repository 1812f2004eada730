// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables of either stage: memory mapped by the kernel, for any number of devices
 * behind any number of units.
 */
#include <linux/slab.h>

#include "../pt_domain.h"
#include "vtd.h"

/* Levels that a unit can have: bit n of SAGAW is n + 2 of them. */
static bool unit_has_levels(const struct vtd_unit *unit, unsigned int levels)
{
	return FIELD_GET(VTD_CAP_SAGAW, unit->cap) & BIT(levels - 2);
}

static unsigned int unit_address_bits(const struct vtd_unit *unit)
{
	return FIELD_GET(VTD_CAP_MGAW, unit->cap) + 1;
}

/* The smallest number of levels that reaches as far as addresses go. */
static unsigned int unit_levels(const struct vtd_unit *unit)
{
	unsigned int levels;

	for (levels = 3; levels < 5; levels++)
		if (unit_has_levels(unit, levels) &&
		    12 + 9 * levels >= unit_address_bits(unit))
			break;
	/* or the most there are */
	while (!unit_has_levels(unit, levels))
		levels--;
	return levels;
}

/* In scalable mode it may have none. */
static bool unit_has_second_stage(const struct vtd_unit *unit)
{
	return !unit->scalable || unit->ecap & VTD_ECAP_SSTS;
}

/* 9.6, PWSNP: in scalable mode page tables have a capability of their own. */
static bool unit_walks_snooped(const struct vtd_unit *unit)
{
	return unit->ecap & (unit->scalable ? VTD_ECAP_SMPWCS : VTD_ECAP_C);
}

/**
 * vtd_unit_records_writes - whether dirty tracking is possible
 * @unit: the unit
 *
 * The first stage always has accessed and dirty bits, the second one where a
 * capability says so.
 *
 * Return: whether the tables that are made for it can record what devices write
 */
bool vtd_unit_records_writes(const struct vtd_unit *unit)
{
	if (!unit->scalable)
		return false;
	return !unit_has_second_stage(unit) || unit->ecap & VTD_ECAP_SSADS;
}

static unsigned int first_stage_levels(const struct vtd_unit *unit)
{
	return unit->cap & VTD_CAP_FS5LP ? 5 : 4;
}

static unsigned int first_stage_largest_leaf(const struct vtd_unit *unit)
{
	return unit->cap & VTD_CAP_FS1GP ? 30 : 21;
}

static unsigned int unit_largest_leaf(const struct vtd_unit *unit)
{
	u64 sizes = FIELD_GET(VTD_CAP_SSLPS, unit->cap);

	return sizes & 2 ? 30 : sizes & 1 ? 21 : 12;
}

/**
 * vtd_domain_suits - whether devices behind a unit can be attached to a domain
 * @domain: made for a unit, perhaps another one
 * @unit: the unit
 *
 * Return: whether the unit can walk its table, and sees it as it is written
 */
bool vtd_domain_suits(const struct vtd_domain *domain,
		      const struct vtd_unit *unit)
{
	const struct pt_config *c = &domain->pt.config;

	if (domain->parent)
		return vtd_nested_suits(domain, unit);
	if (domain->first_stage != !unit_has_second_stage(unit) ||
	    (domain->dirty && !vtd_unit_records_writes(unit)))
		return false;
	if (domain->first_stage)
		return c->levels <= first_stage_levels(unit) &&
		       c->max_leaf_lg2 <= first_stage_largest_leaf(unit) &&
		       (unit_walks_snooped(unit) ||
			c->features & PT_FEAT_NONCOHERENT);
	return unit_has_levels(unit, c->levels) &&
	       c->va_bits <= unit_address_bits(unit) &&
	       (c->max_leaf_lg2 <= unit_largest_leaf(unit)) &&
	       (unit_walks_snooped(unit) || c->features & PT_FEAT_NONCOHERENT) &&
	       (!domain->snoop || unit->ecap & VTD_ECAP_SC);
}

static struct vtd_domain_unit *find_unit(const struct vtd_domain *domain,
					 const struct vtd_unit *unit)
{
	struct vtd_domain_unit *du;

	list_for_each_entry(du, &domain->units, link)
		if (du->unit == unit)
			return du;
	return NULL;
}

static struct vtd_domain_pasid *find_pasid(const struct vtd_domain_unit *du,
					   u32 pasid)
{
	struct vtd_domain_pasid *dp;

	list_for_each_entry(dp, &du->pasids, link)
		if (dp->pasid == pasid)
			return dp;
	return NULL;
}

static int enter_unit(struct vtd_domain *domain, struct vtd_unit *unit,
		      struct vtd_domain_pasid *dp, u16 *did)
{
	unsigned int ids = BIT(4 + 2 * FIELD_GET(VTD_CAP_ND, unit->cap));
	struct vtd_domain_unit *du;
	int id;

	du = kzalloc(sizeof(*du), GFP_KERNEL);
	if (!du)
		return -ENOMEM;
	id = ida_alloc_range(&unit->dids, VTD_DID_FIRST, ids - 1, GFP_KERNEL);
	if (id < 0) {
		kfree(du);
		return iommufd_refuse(id == -ENOMEM ? id : -ENOSPC,
				      "%s has no more than %u domain ids",
				      unit->x86.name, ids);
	}
	du->unit = unit;
	du->did = id;
	INIT_LIST_HEAD(&du->pasids);
	list_add(&dp->link, &du->pasids);
	spin_lock(&domain->lock);
	list_add(&du->link, &domain->units);
	spin_unlock(&domain->lock);
	*did = id;
	return 0;
}

/**
 * vtd_domain_enter - a device behind a unit is to be attached
 * @domain: suits the unit
 * @unit: locked
 * @pasid: what of the device is attached; 0 for requests without a PASID
 * @did: receives the id for its context entry, or that of the PASID
 *
 * Return: 0, -ENOSPC if the unit has no more ids, -ENOMEM
 */
int vtd_domain_enter(struct vtd_domain *domain, struct vtd_unit *unit, u32 pasid,
		     u16 *did)
{
	struct vtd_domain_unit *du = find_unit(domain, unit);
	struct vtd_domain_pasid *dp = du ? find_pasid(du, pasid) : NULL;
	int rc = 0;

	if (dp) {
		dp->users++;
		*did = du->did;
		return 0;
	}
	dp = kzalloc(sizeof(*dp), GFP_KERNEL);
	if (!dp)
		return -ENOMEM;
	dp->pasid = pasid;
	dp->users = 1;
	if (du) {
		spin_lock(&domain->lock);
		list_add(&dp->link, &du->pasids);
		spin_unlock(&domain->lock);
		*did = du->did;
	} else {
		rc = enter_unit(domain, unit, dp, did);
	}
	if (rc)
		kfree(dp);
	return rc;
}

/**
 * vtd_domain_leave - a device behind a unit is no longer attached
 * @domain: the domain
 * @unit: locked; has forgotten the device's context entry, or that of the PASID, and
 *	  then what it translated by it
 * @pasid: as it was entered
 */
void vtd_domain_leave(struct vtd_domain *domain, struct vtd_unit *unit, u32 pasid)
{
	struct vtd_domain_unit *du = find_unit(domain, unit);
	struct vtd_domain_pasid *dp = find_pasid(du, pasid);
	bool last;

	if (--dp->users)
		return;
	spin_lock(&domain->lock);
	list_del(&dp->link);
	last = list_empty(&du->pasids);
	if (last)
		list_del(&du->link);
	spin_unlock(&domain->lock);
	kfree(dp);
	if (!last)
		return;
	ida_free(&unit->dids, du->did);
	kfree(du);
}

/* What the first stage translates is tagged with the PASID as well. */
static void first_stage_forget(struct vtd_batch *batch,
			       const struct vtd_domain_unit *du, u64 first,
			       u64 last, bool tables)
{
	const struct vtd_domain_pasid *dp;

	list_for_each_entry(dp, &du->pasids, link)
		vtd_forget_first_stage(batch, du->did, dp->pasid, first, last,
				       tables);
}

/* What was made of a parent that has changed. */
static void nested_forget_all(struct vtd_batch *batch, struct vtd_domain *nested)
{
	struct vtd_domain_unit *du;

	spin_lock_nested(&nested->lock, SINGLE_DEPTH_NESTING);
	du = find_unit(nested, batch->unit);
	if (du)
		vtd_forget_domain(batch, du->did);
	spin_unlock(&nested->lock);
}

/* The unit knows nothing of it any more, so its devices are not told again. */
static void nested_forget_devices(struct vtd_batch *batch,
				  struct vtd_domain *nested)
{
	spin_lock_nested(&nested->lock, SINGLE_DEPTH_NESTING);
	if (!list_empty(&nested->tlbs)) {
		vtd_ats_forget(batch, nested, 0, U64_MAX);
		vtd_batch_run(batch);
	}
	spin_unlock(&nested->lock);
}

/*
 * All translations first, of the domain and of nested ones, then all device TLBs.
 * The latter of a nested domain go on their own, because its devices stay no longer
 * than its lock is held, and those of different domains are not held together.
 */
static void unit_forget(struct vtd_unit *unit, struct vtd_domain *domain,
			u64 first, u64 last, bool tables)
{
	struct vtd_domain_unit *du = find_unit(domain, unit);
	struct vtd_domain *nested;
	struct vtd_batch batch;

	lockdep_assert_held(&domain->lock);
	vtd_batch_init(&batch, unit);
	if (du && (domain->first_stage || domain->parent))
		first_stage_forget(&batch, du, first, last, tables);
	else if (du)
		vtd_forget_range(&batch, du->did, first, last, tables);
	list_for_each_entry(nested, &domain->nested, sibling)
		nested_forget_all(&batch, nested);
	vtd_ats_forget(&batch, domain, first, last);
	vtd_batch_run(&batch);
	list_for_each_entry(nested, &domain->nested, sibling)
		nested_forget_devices(&batch, nested);
}

/**
 * vtd_domain_forget - have all units forget a range, and what was made of it
 * @domain: the domain
 * @first: first address
 * @last: last address
 * @tables: table items have changed as well
 */
void vtd_domain_forget(struct vtd_domain *domain, u64 first, u64 last,
		       bool tables)
{
	struct vtd_unit *unit;

	spin_lock(&domain->lock);
	list_for_each_entry(unit, &x86_units, x86.link)
		unit_forget(unit, domain, first, last, tables);
	spin_unlock(&domain->lock);
}

/**
 * vtd_forget_gathered - have all units forget, and free what they used
 * @domain: the domain
 * @gather: from its table; empty afterwards
 */
void vtd_forget_gathered(struct vtd_domain *domain, struct pt_gather *gather)
{
	if (!pt_gather_empty(gather))
		vtd_domain_forget(domain, gather->first, gather->last,
				  gather->tables);
	pt_gather_free(gather);
}

static unsigned int pt_prot(const struct vtd_domain *domain, int prot)
{
	return (prot & IOMMU_READ ? PT_READ : 0) |
	       (prot & IOMMU_WRITE ? PT_WRITE : 0) |
	       (domain->snoop ? PT_SNOOP : 0);
}

typedef bool (*unit_fn)(const struct vtd_unit *unit);

static bool unit_caches_absent(const struct vtd_unit *unit)
{
	return unit->cap & VTD_CAP_CM;
}

static bool unit_cannot_snoop(const struct vtd_unit *unit)
{
	return !(unit->ecap & VTD_ECAP_SC);
}

/* Whether a unit that walks the table, for a nested domain too, is like that. */
static bool any_unit(struct vtd_domain *domain, unit_fn fn)
{
	struct vtd_domain_unit *du;
	struct vtd_domain *nested;
	bool any = false;

	lockdep_assert_held(&domain->lock);
	list_for_each_entry(du, &domain->units, link)
		any |= fn(du->unit);
	list_for_each_entry(nested, &domain->nested, sibling) {
		spin_lock_nested(&nested->lock, SINGLE_DEPTH_NESTING);
		list_for_each_entry(du, &nested->units, link)
			any |= fn(du->unit);
		spin_unlock(&nested->lock);
	}
	return any;
}

/*
 * What was not present may be cached as such (CM), and a leaf that took the place
 * of a table has to be seen.
 */
static void domain_mapped(struct vtd_domain *domain, struct pt_gather *gather,
			  u64 iova, size_t len)
{
	bool absent;

	if (!len)
		return;
	spin_lock(&domain->lock);
	absent = any_unit(domain, unit_caches_absent);
	spin_unlock(&domain->lock);
	if (absent)
		pt_gather_add(gather, iova, iova + len - 1);
	vtd_forget_gathered(domain, gather);
}

/**
 * vtd_domain_map - enter physical memory, one run after the other
 * @domain: the domain
 * @iova: where the first run is to be
 * @runs: the memory
 * @nr: how many
 * @prot: of IOMMU_READ and IOMMU_WRITE
 * @sizes: leaves to be used, one bit for each size
 * @mapped: receives how many bytes were entered, also on failure
 *
 * Return: 0 or an errno of the table; not explained
 */
int vtd_domain_map(struct vtd_domain *domain, u64 iova,
		   const struct pt_run *runs, unsigned int nr, int prot,
		   u64 sizes, size_t *mapped)
{
	struct pt_gather gather;
	int rc;

	pt_gather_init(&gather);
	rc = domain->pt.ops->map(&domain->pt, iova, runs, nr,
				 pt_prot(domain, prot), sizes, &gather, mapped);
	domain_mapped(domain, &gather, iova, *mapped);
	return rc;
}

static int vtd_map_pages(struct iommu_domain *domain, unsigned long iova,
			 phys_addr_t phys, size_t size, size_t count, int prot,
			 gfp_t gfp, size_t *mapped)
{
	struct pt_run run = { .phys = phys, .len = size * count };
	size_t done;
	int rc;

	rc = vtd_domain_map(to_vtd_domain(domain), iova, &run, 1, prot, ~0ULL,
			    &done);
	*mapped += done;
	return rc;
}

/**
 * vtd_domain_unmap - remove a range
 * @iommu_domain: the domain
 * @iova: first address
 * @len: bytes
 * @gather: receives what has to be forgotten; tables that become empty wait in it
 *
 * Return: how many bytes were removed
 */
size_t vtd_domain_unmap(struct iommu_domain *iommu_domain, unsigned long iova,
			size_t len, struct iommu_iotlb_gather *gather)
{
	return pt_domain_unmap(&to_vtd_domain(iommu_domain)->pt, iova, len, gather);
}

static size_t vtd_unmap_pages(struct iommu_domain *domain, unsigned long iova,
			      size_t size, size_t count,
			      struct iommu_iotlb_gather *gather)
{
	return vtd_domain_unmap(domain, iova, size * count, gather);
}

static void vtd_iotlb_sync(struct iommu_domain *domain,
			   struct iommu_iotlb_gather *gather)
{
	struct pt_gather pt_gather;

	pt_domain_gathered(gather, &pt_gather);
	vtd_forget_gathered(to_vtd_domain(domain), &pt_gather);
}

static void vtd_flush_all(struct iommu_domain *domain)
{
	vtd_domain_forget(to_vtd_domain(domain), 0, U64_MAX, true);
}

static phys_addr_t vtd_iova_to_phys(struct iommu_domain *domain, dma_addr_t iova)
{
	return pt_domain_lookup(&to_vtd_domain(domain)->pt, iova);
}

/* Nothing is mapped yet, or it stays as it is. */
static bool vtd_enforce_coherency(struct iommu_domain *iommu_domain)
{
	struct vtd_domain *domain = to_vtd_domain(iommu_domain);
	bool can;

	spin_lock(&domain->lock);
	/* first-stage leaves have no such bit */
	can = !domain->first_stage && !any_unit(domain, unit_cannot_snoop);
	if (can)
		domain->snoop = true;
	spin_unlock(&domain->lock);
	return can;
}

static void vtd_domain_free(struct iommu_domain *iommu_domain)
{
	struct vtd_domain *domain = to_vtd_domain(iommu_domain);

	WARN_ON(!list_empty(&domain->units) || !list_empty(&domain->nested));
	WARN_ON(!list_empty(&domain->tlbs));
	domain->pt.ops->destroy(&domain->pt);
	kfree(domain);
}

static const struct iommu_domain_ops vtd_domain_ops = {
	.attach_dev = vtd_attach_paging,
	.set_dev_pasid = vtd_set_dev_pasid,
	.map_pages = vtd_map_pages,
	.unmap_pages = vtd_unmap_pages,
	.iotlb_sync = vtd_iotlb_sync,
	.flush_iotlb_all = vtd_flush_all,
	.iova_to_phys = vtd_iova_to_phys,
	.enforce_cache_coherency = vtd_enforce_coherency,
	.free = vtd_domain_free,
};

static void configure_second_stage(struct vtd_domain *domain,
				   const struct vtd_unit *unit)
{
	unsigned int levels = unit_levels(unit);

	domain->pt.ops = &pt_vtd_ss;
	domain->pt.config = (struct pt_config){
		.va_bits = min(unit_address_bits(unit), 12 + 9 * levels),
		.oa_bits = boot_cpu_data.x86_phys_bits,
		.levels = levels,
		.max_leaf_lg2 = unit_largest_leaf(unit),
		.features = PT_FEAT_LIVE_CUT |
			    (unit_walks_snooped(unit) ? 0 : PT_FEAT_NONCOHERENT),
		.node = NUMA_NO_NODE,
	};
}

/*
 * A unit that does not snoop its walks need not set any of these bits (7.1.3,
 * 90h). The only one known that does is QEMU's, and it sets the dirty bit in no
 * other moment than when it sets the accessed bit.
 */
static u32 dirty_features(const struct vtd_unit *unit)
{
	return PT_FEAT_DIRTY |
	       (unit_walks_snooped(unit) ? 0 : PT_FEAT_DIRTY_IF_ACCESSED);
}

/* Four levels are enough for everybody, and every unit has them. */
static void configure_first_stage(struct vtd_domain *domain,
				  const struct vtd_unit *unit)
{
	domain->pt.ops = &pt_x86_64;
	domain->pt.config = (struct pt_config){
		.va_bits = 48,
		.oa_bits = boot_cpu_data.x86_phys_bits,
		.levels = 4,
		.max_leaf_lg2 = first_stage_largest_leaf(unit),
		.features = PT_FEAT_SIGN_EXTEND | PT_FEAT_LIVE_CUT |
			    (domain->dirty ? dirty_features(unit) : 0) |
			    (unit_walks_snooped(unit) ? 0 : PT_FEAT_NONCOHERENT),
		.node = NUMA_NO_NODE,
	};
}

/**
 * vtd_domain_new - what every domain has, also a nested one
 *
 * Return: the domain, attached to nothing, or NULL
 */
struct vtd_domain *vtd_domain_new(void)
{
	struct vtd_domain *domain = kzalloc(sizeof(*domain), GFP_KERNEL_ACCOUNT);

	if (!domain)
		return NULL;
	spin_lock_init(&domain->lock);
	INIT_LIST_HEAD(&domain->units);
	INIT_LIST_HEAD(&domain->nested);
	INIT_LIST_HEAD(&domain->tlbs);
	domain->domain.owner = &vtd_iommu_ops;
	return domain;
}

/**
 * vtd_domain_alloc - make an empty table
 * @unit: that will walk it; others that can as well may be added
 * @dirty: hardware is to record what devices write, which the unit can
 *
 * Return: the domain or an ERR_PTR of -ENOMEM
 */
struct vtd_domain *vtd_domain_alloc(struct vtd_unit *unit, bool dirty)
{
	struct vtd_domain *domain = vtd_domain_new();
	int rc;

	if (!domain)
		return ERR_PTR(-ENOMEM);
	domain->first_stage = !unit_has_second_stage(unit);
	domain->dirty = dirty;
	if (domain->first_stage)
		configure_first_stage(domain, unit);
	else
		configure_second_stage(domain, unit);
	rc = domain->pt.ops->init(&domain->pt);
	if (rc) {
		kfree(domain);
		return ERR_PTR(rc);
	}
	domain->domain.type = IOMMU_DOMAIN_UNMANAGED;
	domain->domain.ops = &vtd_domain_ops;
	domain->domain.pgsize_bitmap = domain->pt.ops->page_sizes(&domain->pt);
	domain->domain.geometry = (struct iommu_domain_geometry){
		/* of addresses that are sign extended the lower half */
		.aperture_end = BIT_ULL(domain->pt.config.va_bits -
					domain->first_stage) - 1,
		.force_aperture = true,
	};
	return domain;
}

struct iommu_domain *vtd_domain_alloc_paging(struct device *dev)
{
	struct vtd_domain *domain;

	domain = vtd_domain_alloc(to_vtd_device(dev)->unit, false);
	return IS_ERR(domain) ? ERR_CAST(domain) : &domain->domain;
}

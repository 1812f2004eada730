// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables of either stage: memory mapped by the kernel, for any number of devices
 * behind any number of units.
 */
#include <linux/dma-mapping.h>
#include <linux/iommufd_reason.h>
#include <linux/slab.h>

#include "../pt_domain.h"
#include "smmu.h"

/* What MAIR says of the attributes that leaves of stage 1 name. */
#define MAIR_OF(index, byte) ((u64)(byte) << (8 * (index)))
#define MAIR (MAIR_OF(PT_ARM_MAIR_CACHED, 0xff) |	\
	      MAIR_OF(PT_ARM_MAIR_DEVICE, 0x04) |	\
	      MAIR_OF(PT_ARM_MAIR_UNCACHED, 0x44))

/**
 * smmu_domain_suits - whether devices behind a unit can be attached to a domain
 * @domain: that has a table, made for a unit, perhaps another one
 * @unit: the unit
 *
 * Return: whether the unit can walk its table, and sees it as it is written
 */
bool smmu_domain_suits(const struct smmu_domain *domain,
		       const struct smmu_unit *unit)
{
	const struct pt_config *c = &domain->pt.config;
	u32 features = c->features;

	return unit->has & (domain->stage2 ? SMMU_HAS_S2 : SMMU_HAS_S1) &&
	       (!domain->nest_parent || unit->has & SMMU_HAS_NESTING) &&
	       (!domain->dirty || unit->has & SMMU_HAS_DIRTY) &&
	       unit->idr[5] & BIT(4 + (c->granule_lg2 - 12) / 2) &&
	       c->va_bits <= (domain->stage2 ? unit->oa_bits : unit->ia_bits) &&
	       c->oa_bits <= unit->oa_bits &&
	       (unit->has & SMMU_HAS_COHERENCY || features & PT_FEAT_NONCOHERENT) &&
	       !(unit->has & SMMU_HAS_S2FWB) == !(features & PT_FEAT_FORCE_CACHES) &&
	       (unit->bbml >= 2 || !(features & PT_FEAT_LIVE_CUT)) &&
	       (unit->bbml || !(features & PT_FEAT_LIVE_CUT_WIDE));
}

/**
 * smmu_domain_find - a domain as a unit knows it
 * @domain: the domain
 * @unit: locked
 *
 * Return: that, for devices that are attached to it; or NULL
 */
struct smmu_domain_unit *smmu_domain_find(const struct smmu_domain *domain,
					  const struct smmu_unit *unit)
{
	struct smmu_domain_unit *du;

	list_for_each_entry(du, &domain->units, link)
		if (du->unit == unit && !du->guest)
			return du;
	return NULL;
}

static void cd_write(const struct smmu_domain *domain, struct smmu_domain_unit *du)
{
	const struct pt_config *c = &domain->pt.config;
	const struct smmu_unit *unit = du->unit;
	bool coherent = unit->has & SMMU_HAS_COHERENCY;
	u64 cache = coherent ? SMMU_CACHE_WB : SMMU_CACHE_NONE;
	u64 tg = c->granule_lg2 == 12 ? SMMU_TG_4K :
		 c->granule_lg2 == 14 ? SMMU_TG_16K : SMMU_TG_64K;

	du->cd->w[1] = cpu_to_le64(pt_top_phys(&domain->pt));
	du->cd->w[3] = cpu_to_le64(MAIR);
	du->cd->w[0] = cpu_to_le64(FIELD_PREP(SMMU_CD0_T0SZ, 64 - c->va_bits) |
				   FIELD_PREP(SMMU_CD0_TG0, tg) |
				   FIELD_PREP(SMMU_CD0_IR0, cache) |
				   FIELD_PREP(SMMU_CD0_OR0, cache) |
				   FIELD_PREP(SMMU_CD0_SH0, coherent ?
					      SMMU_SH_INNER : SMMU_SH_NONE) |
				   FIELD_PREP(SMMU_CD0_IPS,
					      FIELD_GET(SMMU_IDR5_OAS,
							unit->idr[5])) |
				   FIELD_PREP(SMMU_CD0_ASID, du->id) |
				   SMMU_CD0_EPD1 | SMMU_CD0_V | SMMU_CD0_AFFD |
				   SMMU_CD0_AA64 | SMMU_CD0_R | SMMU_CD0_A |
				   SMMU_CD0_ASET |
				   (domain->dirty ? SMMU_CD0_HA | SMMU_CD0_HD : 0) |
				   (FIELD_GET(SMMU_IDR0_STALL_MODEL,
					      unit->idr[0]) == SMMU_STALL_FORCED ?
				    SMMU_CD0_S : 0));
}

static struct ida *ids_of(const struct smmu_domain *domain, struct smmu_unit *unit)
{
	return domain->stage2 ? &unit->vmids : &unit->asids;
}

static int enter_unit(struct smmu_domain *domain, struct smmu_domain_unit *du)
{
	struct smmu_unit *unit = du->unit;
	unsigned int max = domain->stage2 ? unit->vmid_max : unit->asid_max;
	int id;

	/* 0 is the VMID of stage 1 alone */
	id = ida_alloc_range(ids_of(domain, unit), 1, max, GFP_KERNEL);
	if (id < 0)
		return iommufd_refuse(id == -ENOMEM ? id : -ENOSPC,
				      "%s has no more than %u %ss",
				      smmu_name(unit), max,
				      domain->stage2 ? "VMID" : "ASID");
	du->id = id;
	if (domain->stage2)
		return 0;
	du->cd = dma_alloc_coherent(unit->dev, sizeof(*du->cd), &du->cd_dma,
				    GFP_KERNEL);
	if (du->cd) {
		cd_write(domain, du);
		return 0;
	}
	ida_free(&unit->asids, id);
	return -ENOMEM;
}

/**
 * smmu_domain_enter - a device behind a unit is to be attached, or a guest comes
 * @domain: suits the unit
 * @unit: locked
 * @guest: it is a guest, which has a VMID of its own
 * @found: receives the domain as the unit knows it
 *
 * Return: 0, -ENOSPC if the unit has no more ids, -ENOMEM
 */
int smmu_domain_enter(struct smmu_domain *domain, struct smmu_unit *unit,
		      bool guest, struct smmu_domain_unit **found)
{
	struct smmu_domain_unit *du = NULL;
	int rc;

	lockdep_assert_held(&unit->lock);
	spin_lock(&domain->lock);
	if (!guest)
		du = smmu_domain_find(domain, unit);
	spin_unlock(&domain->lock);
	if (du) {
		du->users++;
		*found = du;
		return 0;
	}
	du = kzalloc(sizeof(*du), GFP_KERNEL);
	if (!du)
		return -ENOMEM;
	du->unit = unit;
	du->users = 1;
	du->guest = guest;
	rc = enter_unit(domain, du);
	if (rc) {
		kfree(du);
		return rc;
	}
	spin_lock(&domain->lock);
	list_add(&du->link, &domain->units);
	spin_unlock(&domain->lock);
	*found = du;
	return 0;
}

/**
 * smmu_domain_leave - undo smmu_domain_enter()
 * @domain: the domain
 * @du: the domain as the unit knows it; the unit is locked, and no stream that has gone
 *	leads there
 */
void smmu_domain_leave(struct smmu_domain *domain, struct smmu_domain_unit *du)
{
	struct smmu_unit *unit = du->unit;

	lockdep_assert_held(&unit->lock);
	if (--du->users)
		return;
	spin_lock(&domain->lock);
	list_del(&du->link);
	spin_unlock(&domain->lock);
	if (domain->stage2)
		smmu_forget_vmid(unit, du->id);
	else
		smmu_forget_asid(unit, du->id);
	if (du->cd)
		dma_free_coherent(unit->dev, sizeof(*du->cd), du->cd, du->cd_dma);
	ida_free(ids_of(domain, unit), du->id);
	kfree(du);
}

/* Have all units forget a range, and what a guest's tables have made of it. */
static void domain_forget(struct smmu_domain *domain, u64 first, u64 last,
			  bool tables)
{
	struct smmu_domain_unit *du;

	spin_lock(&domain->lock);
	list_for_each_entry(du, &domain->units, link) {
		smmu_forget_range(du->unit, domain->stage2, du->id, first, last,
				  tables, domain->pt.config.granule_lg2);
		/* found by addresses of the guest, which a range does not tell */
		if (du->guest)
			smmu_forget_guest(du->unit, du->id);
	}
	/* else devices would ask for what the unit still remembers */
	smmu_ats_forget(domain, first, last);
	spin_unlock(&domain->lock);
}

static void forget_gathered(struct smmu_domain *domain, struct pt_gather *gather)
{
	if (!pt_gather_empty(gather))
		domain_forget(domain, gather->first, gather->last, gather->tables);
	pt_gather_free(gather);
}

static unsigned int pt_prot(int prot)
{
	return (prot & IOMMU_READ ? PT_READ : 0) |
	       (prot & IOMMU_WRITE ? PT_WRITE : 0) |
	       (prot & IOMMU_CACHE ? PT_SNOOP : 0) |
	       (prot & IOMMU_MMIO ? PT_MMIO : 0) |
	       (prot & IOMMU_PRIV ? PT_PRIV : 0) |
	       (prot & IOMMU_NOEXEC ? 0 : PT_EXEC);
}

/**
 * smmu_domain_map - enter physical memory, one run after the other
 * @domain: the domain
 * @iova: where the first run is to be
 * @runs: the memory
 * @nr: how many
 * @prot: IOMMU_READ and the like
 * @sizes: leaves to be used, one bit for each size
 * @mapped: receives how many bytes were entered, also on failure
 *
 * Return: 0 or an errno of the table; not explained
 */
int smmu_domain_map(struct smmu_domain *domain, u64 iova,
		    const struct pt_run *runs, unsigned int nr, int prot,
		    u64 sizes, size_t *mapped)
{
	struct pt_gather gather;
	unsigned int i;
	int rc;

	for (i = 0; domain->cleaned && i < nr; i++)
		smmu_clean_run(&runs[i]);
	pt_gather_init(&gather);
	rc = domain->pt.ops->map(&domain->pt, iova, runs, nr, pt_prot(prot), sizes,
				 &gather, mapped);
	/* what is stored is seen by the unit before DMA is started */
	dma_wmb();
	forget_gathered(domain, &gather);
	return rc;
}

static int smmu_map_pages(struct iommu_domain *domain, unsigned long iova,
			  phys_addr_t phys, size_t size, size_t count, int prot,
			  gfp_t gfp, size_t *mapped)
{
	struct pt_run run = { .phys = phys, .len = size * count };
	size_t done;
	int rc;

	rc = smmu_domain_map(to_smmu_domain(domain), iova, &run, 1, prot, ~0ULL,
			     &done);
	*mapped += done;
	return rc;
}

/**
 * smmu_domain_unmap - remove a range
 * @iommu_domain: the domain
 * @iova: first address
 * @len: bytes
 * @gather: receives what has to be forgotten; tables that become empty wait in it
 *
 * Return: how many bytes were removed
 */
size_t smmu_domain_unmap(struct iommu_domain *iommu_domain, unsigned long iova,
			 size_t len, struct iommu_iotlb_gather *gather)
{
	return pt_domain_unmap(&to_smmu_domain(iommu_domain)->pt, iova, len, gather);
}

static size_t smmu_unmap_pages(struct iommu_domain *domain, unsigned long iova,
			       size_t size, size_t count,
			       struct iommu_iotlb_gather *gather)
{
	return smmu_domain_unmap(domain, iova, size * count, gather);
}

static void smmu_iotlb_sync(struct iommu_domain *domain,
			    struct iommu_iotlb_gather *gather)
{
	struct pt_gather pt_gather;

	pt_domain_gathered(gather, &pt_gather);
	forget_gathered(to_smmu_domain(domain), &pt_gather);
}

static void smmu_flush_all(struct iommu_domain *domain)
{
	domain_forget(to_smmu_domain(domain), 0, U64_MAX, true);
}

static phys_addr_t smmu_iova_to_phys(struct iommu_domain *domain, dma_addr_t iova)
{
	return pt_domain_lookup(&to_smmu_domain(domain)->pt, iova);
}

static bool smmu_enforce_coherency(struct iommu_domain *iommu_domain)
{
	return to_smmu_domain(iommu_domain)->pt.config.features & PT_FEAT_FORCE_CACHES;
}

static void smmu_domain_free(struct iommu_domain *iommu_domain)
{
	struct smmu_domain *domain = to_smmu_domain(iommu_domain);

	WARN_ON(!list_empty(&domain->units) || !list_empty(&domain->tlbs));
	domain->pt.ops->destroy(&domain->pt);
	kfree(domain);
}

static const struct iommu_domain_ops smmu_domain_ops = {
	.attach_dev = smmu_attach_paging,
	.set_dev_pasid = smmu_set_dev_pasid,
	.map_pages = smmu_map_pages,
	.unmap_pages = smmu_unmap_pages,
	.iotlb_sync = smmu_iotlb_sync,
	.flush_iotlb_all = smmu_flush_all,
	.iova_to_phys = smmu_iova_to_phys,
	.enforce_cache_coherency = smmu_enforce_coherency,
	.free = smmu_domain_free,
};

static u32 table_features(const struct smmu_unit *unit, bool stage2, bool dirty)
{
	return (unit->has & SMMU_HAS_COHERENCY ? 0 : PT_FEAT_NONCOHERENT) |
	       (unit->bbml >= 2 ? PT_FEAT_LIVE_CUT : 0) |
	       (unit->bbml ? PT_FEAT_LIVE_CUT_WIDE : 0) |
	       (dirty ? PT_FEAT_DIRTY : 0) |
	       (stage2 && unit->has & SMMU_HAS_S2FWB ? PT_FEAT_FORCE_CACHES : 0);
}

/* As few levels as reach; stage 2 can have up to 16 tables at the top. */
static unsigned int table_levels(unsigned int bits, unsigned int granule_lg2,
				 unsigned int extra)
{
	unsigned int levels = 2;

	while (granule_lg2 + levels * (granule_lg2 - 3) + extra < bits)
		levels++;
	return levels;
}

/**
 * smmu_domain_new - what every domain has, also a nested one
 *
 * Return: the domain, attached to nothing, or NULL
 */
struct smmu_domain *smmu_domain_new(void)
{
	struct smmu_domain *domain = kzalloc(sizeof(*domain), GFP_KERNEL_ACCOUNT);

	if (!domain)
		return NULL;
	spin_lock_init(&domain->lock);
	INIT_LIST_HEAD(&domain->units);
	INIT_LIST_HEAD(&domain->tlbs);
	domain->domain.owner = &smmu_iommu_ops;
	return domain;
}

/**
 * smmu_domain_alloc - make an empty table
 * @unit: that will walk it; others that can as well may be added
 * @stage2: of stage 2, which the unit has; else of stage 1
 * @nest_parent: guests may have tables above it
 * @dirty: hardware is to record what devices write, which the unit can
 *
 * Return: the domain or an ERR_PTR of -ENOMEM
 */
struct smmu_domain *smmu_domain_alloc(struct smmu_unit *unit, bool stage2,
				      bool nest_parent, bool dirty)
{
	struct smmu_domain *domain = smmu_domain_new();
	struct pt_config *c;
	int rc;

	if (!domain)
		return ERR_PTR(-ENOMEM);
	domain->stage2 = stage2;
	domain->nest_parent = nest_parent;
	domain->dirty = dirty;
	domain->cleaned = nest_parent && !(unit->has & SMMU_HAS_S2FWB);
	domain->pt.ops = stage2 ? &pt_arm_s2 : &pt_arm_s1;
	c = &domain->pt.config;
	c->va_bits = stage2 ? unit->oa_bits : unit->ia_bits;
	c->oa_bits = unit->oa_bits;
	c->granule_lg2 = unit->granule_lg2;
	c->levels = table_levels(c->va_bits, c->granule_lg2, stage2 ? 4 : 0);
	c->features = table_features(unit, stage2, dirty);
	c->node = dev_to_node(unit->dev);
	rc = domain->pt.ops->init(&domain->pt);
	if (rc) {
		kfree(domain);
		return ERR_PTR(rc);
	}
	domain->domain.type = IOMMU_DOMAIN_UNMANAGED;
	domain->domain.ops = &smmu_domain_ops;
	domain->domain.pgsize_bitmap = domain->pt.ops->page_sizes(&domain->pt);
	domain->domain.geometry = (struct iommu_domain_geometry){
		.aperture_end = BIT_ULL(c->va_bits) - 1,
		.force_aperture = true,
	};
	return domain;
}

/* Stage 1 where there is one: its tables are exchanged without a gap. */
struct iommu_domain *smmu_domain_alloc_paging(struct device *dev)
{
	struct smmu_unit *unit = to_smmu_device(dev)->unit;
	struct smmu_domain *domain;

	domain = smmu_domain_alloc(unit, !(unit->has & SMMU_HAS_S1), false, false);
	return IS_ERR(domain) ? ERR_CAST(domain) : &domain->domain;
}

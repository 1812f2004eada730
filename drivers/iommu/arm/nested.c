// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nested page tables: stage 1 in the memory of a guest, whose every address goes
 * through a stage 2 of ours.
 *
 * A guest has a VMID of its own on its unit, that of its vIOMMU: what is cached of both
 * stages is tagged with it and with the guest's ASID. So ASIDs of guests that share a
 * stage 2 do not meet, and what is forgotten of the stage 2 is forgotten of each of
 * them; see domain.c.
 */
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "guest.h"
#include "viommu.h"

/*
 * Interrupts are writes through both stages. Where the kernel puts the address of the
 * interrupt controller is a place in stage 2, which the guest maps itself.
 */
static int nested_map(struct iommu_domain *domain, unsigned long iova,
		      phys_addr_t phys, size_t size, size_t count, int prot,
		      gfp_t gfp, size_t *mapped)
{
	struct iommu_domain *parent = to_smmu_domain(domain)->viommu->parent;

	return parent->ops->map_pages(parent, iova, phys, size, count, prot, gfp,
				      mapped);
}

static size_t nested_unmap(struct iommu_domain *domain, unsigned long iova,
			   size_t size, size_t count,
			   struct iommu_iotlb_gather *gather)
{
	struct iommu_domain *parent = to_smmu_domain(domain)->viommu->parent;

	return parent->ops->unmap_pages(parent, iova, size, count, gather);
}

static void nested_sync(struct iommu_domain *domain,
			struct iommu_iotlb_gather *gather)
{
	struct iommu_domain *parent = to_smmu_domain(domain)->viommu->parent;

	parent->ops->iotlb_sync(parent, gather);
}

static void nested_free(struct iommu_domain *domain)
{
	kfree(to_smmu_domain(domain));
}

static const struct iommu_domain_ops nested_ops = {
	.attach_dev = smmu_attach_nested,
	.set_dev_pasid = smmu_set_dev_pasid,
	.map_pages = nested_map,
	.unmap_pages = nested_unmap,
	.iotlb_sync = nested_sync,
	.free = nested_free,
};

/**
 * smmu_nested_alloc - make a nested page table
 * @viommu: that it belongs to
 * @dev: a device that is to use it
 * @flags: enum iommufd_hwpt_alloc_flags
 * @data: the guest's stream table entry
 *
 * Return: its domain, or an ERR_PTR; explained
 */
struct iommu_domain *smmu_nested_alloc(struct iommufd_viommu *viommu,
				       struct device *dev, u32 flags,
				       const struct iommu_user_data *data)
{
	const struct smmu_viommu *v = viommu->priv;
	struct iommu_hwpt_arm_smmuv3 arg;
	struct smmu_domain *domain;
	u64 ste[2], own[2];
	int rc;

	/* PASIDs of a nested table are the guest's */
	if (flags & ~IOMMU_HWPT_ALLOC_PASID)
		return ERR_PTR(iommufd_refuse(-EOPNOTSUPP,
					      "no nested page table has flags %#x",
					      flags));
	rc = iommufd_read_data(&arg, ste, data, IOMMU_HWPT_DATA_ARM_SMMUV3);
	if (rc)
		return ERR_PTR(rc);
	ste[0] = le64_to_cpu((__force __le64)arg.ste[0]);
	ste[1] = le64_to_cpu((__force __le64)arg.ste[1]);
	rc = smmu_guest_ste(ste, v->du->unit->idr, to_smmu_device(dev)->ats, own);
	if (rc)
		return ERR_PTR(rc);
	domain = smmu_domain_new();
	if (!domain)
		return ERR_PTR(iommufd_refuse(-ENOMEM,
					      "no memory for a nested page table"));
	/* of a type that the kernel maps interrupts in */
	domain->domain.type = IOMMU_DOMAIN_UNMANAGED;
	domain->domain.ops = &nested_ops;
	domain->domain.pgsize_bitmap = viommu->parent->pgsize_bitmap;
	domain->domain.geometry = viommu->parent->geometry;
	domain->viommu = viommu;
	domain->ste[0] = own[0];
	domain->ste[1] = own[1];
	return &domain->domain;
}

/**
 * smmu_ste_nested - the entry that leads to a nested domain
 * @domain: the nested domain
 *
 * Return: the entry
 */
struct smmu_ste smmu_ste_nested(const struct smmu_domain *domain)
{
	const struct smmu_viommu *v = domain->viommu->priv;
	struct smmu_ste ste;
	u64 stall;

	if (FIELD_GET(SMMU_STE0_CONFIG, domain->ste[0]) == SMMU_CONFIG_ABORT)
		return smmu_ste_abort();
	/* the host's fields are those of stage 2 alone */
	ste = smmu_ste_domain(to_smmu_domain(domain->viommu->parent), v->du);
	if (FIELD_GET(SMMU_STE0_CONFIG, domain->ste[0]) == SMMU_CONFIG_BYPASS)
		return ste;
	/* there is nobody who would resume what stalls */
	stall = FIELD_GET(SMMU_IDR0_STALL_MODEL, v->du->unit->idr[0]) ==
		SMMU_STALL_POSSIBLE ? SMMU_STE1_S1STALLD : 0;
	ste.w[0] = cpu_to_le64(domain->ste[0] |
			       FIELD_PREP(SMMU_STE0_CONFIG, SMMU_CONFIG_NESTED));
	/* whether it has ATS its attachment says */
	ste.w[1] |= cpu_to_le64((domain->ste[1] & ~SMMU_STE1_EATS) | stall |
				SMMU_STE1_MEV);
	return ste;
}

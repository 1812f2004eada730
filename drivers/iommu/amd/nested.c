// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nested page tables: tables in the memory of a guest, whose every address goes
 * through a table of the host.
 *
 * A nested table is a domain without a table of its own, with an id of its own: what
 * is cached of both tables together is tagged with domain id and PASID and nothing
 * else, and two guests, or two entries of one, would find each other's translations.
 * The id that the guest has given it is only good for understanding the guest.
 */
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "amdvi.h"

static void nested_free(struct iommu_domain *iommu_domain)
{
	struct amdvi_domain *domain = to_amdvi_domain(iommu_domain);

	WARN_ON(!list_empty(&domain->users));
	spin_lock(&domain->parent->lock);
	list_del(&domain->sibling);
	spin_unlock(&domain->parent->lock);
	amdvi_domain_id_put(domain->id);
	kfree(domain);
}

static const struct iommu_domain_ops nested_ops = {
	.attach_dev = amdvi_attach_paging,
	.free = nested_free,
};

/**
 * amdvi_unit_lacks_nesting - what a unit lacks for nested page tables
 * @unit: the unit
 *
 * Return: that, or NULL
 */
const char *amdvi_unit_lacks_nesting(const struct amdvi_unit *unit)
{
	if (!(unit->efr & AMDVI_EFR_GT))
		return "it has no tables of guests (GTSup)";
	if (!(unit->efr & AMDVI_EFR_GIO))
		return "it takes no requests without a PASID through them (GIoSup)";
	if (!(unit->efr2 & AMDVI_EFR2_GCR3_GUEST))
		return "it wants to find them at addresses of the host (GCR3TRPMode)";
	return NULL;
}

/*
 * Of the guest's entry that much is used: where its tables are, how many levels they
 * have, and what is allowed. Everything else is the host's, or the VMM's.
 */
static int guest_read(struct amdvi_domain *domain, const struct amdvi_unit *unit,
		      const u64 *w)
{
	const u64 needed = AMDVI_DTE_0_V | AMDVI_DTE_0_TV | AMDVI_DTE_0_GV;
	u64 levels = FIELD_GET(AMDVI_DTE_2_LEVELS, w[2]);

	if (w[0] & AMDVI_DTE_0_RESERVED)
		return iommufd_refuse(-EINVAL,
				      "word 0 of the entry has reserved bits: 0x%llx",
				      w[0] & AMDVI_DTE_0_RESERVED);
	if ((w[0] & needed) != needed)
		return iommufd_refuse(-EINVAL,
				      "the entry has no table of a guest: V, TV or GV is 0 (0x%llx)",
				      w[0]);
	if (w[0] & AMDVI_DTE_0_MODE)
		return iommufd_refuse(-EINVAL,
				      "the entry has a table of the host as well (Mode %llu), which is not the guest's to say",
				      FIELD_GET(AMDVI_DTE_0_MODE, w[0]));
	if (w[0] & AMDVI_DTE_0_PPR)
		return iommufd_refuse(-EINVAL,
				      "the entry has PPR, and page requests are not taken");
	if (FIELD_GET(AMDVI_DTE_0_GLX, w[0]) > FIELD_GET(AMDVI_EFR_GLX, unit->efr))
		return iommufd_refuse(-EINVAL,
				      "the entry has GLX %llu, %s knows %llu at most",
				      FIELD_GET(AMDVI_DTE_0_GLX, w[0]), unit->x86.name,
				      FIELD_GET(AMDVI_EFR_GLX, unit->efr));
	if (levels > FIELD_GET(AMDVI_EFR_GATS, unit->efr) || levels > 1)
		return iommufd_refuse(-EINVAL,
				      "the entry has tables of %llu levels, %s knows %llu at most",
				      levels + 4, unit->x86.name,
				      min(FIELD_GET(AMDVI_EFR_GATS, unit->efr), 1ULL) + 4);
	if (amdvi_dte_gcr3(w) >> domain->parent->pt.config.va_bits)
		return iommufd_refuse(-EINVAL,
				      "the entry has its table at 0x%llx, the parent translates %u bits",
				      amdvi_dte_gcr3(w),
				      domain->parent->pt.config.va_bits);
	domain->guest[0] = w[0] & (AMDVI_DTE_0_GIOV | AMDVI_DTE_0_GV |
				   AMDVI_DTE_0_GLX | AMDVI_DTE_0_GCR3 |
				   AMDVI_DTE_0_IR | AMDVI_DTE_0_IW);
	domain->guest[1] = w[1] & AMDVI_DTE_1_GCR3;
	domain->guest[2] = w[2] & AMDVI_DTE_2_LEVELS;
	domain->guest_id = FIELD_GET(AMDVI_DTE_1_DOMAIN, w[1]);
	return 0;
}

static int nested_init(struct amdvi_domain *domain, const struct amdvi_unit *unit,
		       const struct iommu_user_data *data)
{
	struct iommu_hwpt_amd_guest entry;
	int rc;

	rc = iommufd_read_data(&entry, dte, data, IOMMU_HWPT_DATA_AMD_GUEST);
	if (!rc)
		rc = guest_read(domain, unit, entry.dte);
	return rc ?: amdvi_domain_id_take(&domain->id);
}

/**
 * amdvi_nested_alloc - make a nested page table
 * @viommu: that it belongs to
 * @dev: a device of the unit that is going to walk it
 * @flags: enum iommufd_hwpt_alloc_flags
 * @data: the guest's entry of the device table
 *
 * Return: its domain, or an ERR_PTR; explained
 */
struct iommu_domain *amdvi_nested_alloc(struct iommufd_viommu *viommu,
					struct device *dev, u32 flags,
					const struct iommu_user_data *data)
{
	const struct amdvi_unit *unit = to_amdvi_device(dev)->unit;
	struct amdvi_domain *parent = to_amdvi_domain(viommu->parent);
	struct amdvi_domain *domain;
	int rc;

	if (flags)
		return ERR_PTR(iommufd_refuse(-EOPNOTSUPP,
					      "no nested page table has flags %#x",
					      flags));
	domain = kzalloc(sizeof(*domain), GFP_KERNEL_ACCOUNT);
	if (!domain)
		return ERR_PTR(iommufd_refuse(-ENOMEM,
					      "no memory for a nested page table"));
	spin_lock_init(&domain->lock);
	INIT_LIST_HEAD(&domain->users);
	INIT_LIST_HEAD(&domain->nested);
	domain->parent = parent;
	domain->viommu = viommu;
	rc = nested_init(domain, unit, data);
	if (rc) {
		kfree(domain);
		return ERR_PTR(rc);
	}
	domain->domain.owner = &amdvi_iommu_ops;
	domain->domain.type = IOMMU_DOMAIN_NESTED;
	domain->domain.ops = &nested_ops;
	spin_lock(&parent->lock);
	list_add(&domain->sibling, &parent->nested);
	spin_unlock(&parent->lock);
	return &domain->domain;
}

/* What a guest's command means for one of its tables. */
static void request_add(struct amdvi_batch *batch, const struct amdvi_domain *domain,
			const struct amdvi_command *command)
{
	u64 lo = command->lo;

	if (FIELD_GET(AMDVI_CMD_LO_OPCODE, lo) == AMDVI_INVALIDATE_PAGES &&
	    FIELD_GET(AMDVI_PAGES_LO_DOMAIN, lo) != domain->guest_id)
		return;
	/* without a PASID it is about a table of the host, which the guest has not */
	if (FIELD_GET(AMDVI_CMD_LO_OPCODE, lo) != AMDVI_INVALIDATE_PAGES ||
	    !(command->hi & AMDVI_PAGES_HI_GN)) {
		amdvi_batch_range(batch, domain->id, 0, U64_MAX, true);
		return;
	}
	lo &= ~AMDVI_PAGES_LO_DOMAIN;
	amdvi_batch_add(batch, lo | FIELD_PREP(AMDVI_PAGES_LO_DOMAIN, domain->id),
			command->hi);
}

static int forget_entry(u16 id, void *batch)
{
	amdvi_batch_device(batch, id);
	return 0;
}

/* GCR3s are cached together with the entries that lead to them. */
static void forget_entries(struct iommufd_viommu *viommu, u16 virt_id)
{
	struct iommufd_vdevice *vdev = iommufd_viommu_device(viommu, virt_id);
	struct amdvi_unit *unit;
	struct amdvi_batch batch;

	if (!vdev)
		return;
	unit = to_amdvi_device(vdev->dev)->unit;
	amdvi_batch_init(&batch, unit);
	amdvi_visit_ids(to_pci_dev(vdev->dev), unit, forget_entry, &batch);
	amdvi_batch_run(&batch);
}

static void nested_forget(struct amdvi_domain *domain, struct amdvi_unit *unit,
			  const struct amdvi_command *commands, unsigned int nr)
{
	struct amdvi_batch batch;
	unsigned int i;

	if (!amdvi_domain_is_used(domain, unit))
		return;
	amdvi_batch_init(&batch, unit);
	for (i = 0; i < nr; i++)
		request_add(&batch, domain, &commands[i]);
	amdvi_batch_run(&batch);
}

/**
 * amdvi_nested_requests - forget what a guest wants to be forgotten
 * @viommu: of the guest; locked
 * @commands: of the guest, checked: for entries, pages, or all
 * @nr: how many
 *
 * Context: may sleep.
 */
void amdvi_nested_requests(struct iommufd_viommu *viommu,
			   const struct amdvi_command *commands, unsigned int nr)
{
	struct amdvi_domain *parent = to_amdvi_domain(viommu->parent), *domain;
	struct x86_unit *x86;
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (FIELD_GET(AMDVI_CMD_LO_OPCODE, commands[i].lo) ==
		    AMDVI_INVALIDATE_DEVTAB)
			forget_entries(viommu, FIELD_GET(AMDVI_CMD_LO_DEVICE,
							 commands[i].lo));
	spin_lock(&parent->lock);
	list_for_each_entry(domain, &parent->nested, sibling) {
		if (domain->viommu != viommu)
			continue;
		spin_lock_nested(&domain->lock, SINGLE_DEPTH_NESTING);
		list_for_each_entry(x86, &x86_units, link)
			nested_forget(domain, to_amdvi_unit(x86), commands, nr);
		spin_unlock(&domain->lock);
	}
	spin_unlock(&parent->lock);
}

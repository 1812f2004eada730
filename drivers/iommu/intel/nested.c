// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nested page tables: a first stage in the memory of a guest, whose every address
 * goes through a second stage of ours.
 *
 * A nested table is a domain without a table of its own. It has a domain id of its
 * own on each unit, because what is cached of both stages together is tagged with
 * domain id and PASID and nothing else (6.2.4): two first stages with one id would
 * find each other's translations. So the parent knows its nested domains, and what
 * is forgotten of it is forgotten of each of them. Of those it is all: the combined
 * translations are found by addresses of the guest, which a range of the parent
 * does not tell.
 */
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "guest_queue.h"
#include "vtd.h"

/* All of it went with the domain id when the last device left. */
static void nested_free(struct iommu_domain *iommu_domain)
{
	struct vtd_domain *domain = to_vtd_domain(iommu_domain);

	WARN_ON(!list_empty(&domain->units));
	spin_lock(&domain->parent->lock);
	list_del(&domain->sibling);
	spin_unlock(&domain->parent->lock);
	kfree(domain);
}

static const struct iommu_domain_ops nested_ops = {
	.attach_dev = vtd_attach_paging,
	.set_dev_pasid = vtd_set_dev_pasid,
	.free = nested_free,
};

/**
 * vtd_unit_lacks_nesting - what a unit lacks for nested page tables
 * @unit: the unit
 *
 * Return: that, or NULL
 */
const char *vtd_unit_lacks_nesting(const struct vtd_unit *unit)
{
	if (!unit->scalable)
		return "it does not translate in scalable mode";
	if (!(unit->ecap & VTD_ECAP_SSTS) || !(unit->ecap & VTD_ECAP_FSTS))
		return "it does not have both a first and a second stage";
	if (!(unit->ecap & VTD_ECAP_NEST))
		return "it has no nested translation (NEST)";
	return NULL;
}

static int read_stage1(struct vtd_stage1 *stage1, bool guest_entries,
		       const struct iommu_user_data *data)
{
	struct iommu_ext_hwpt_vtd_guest guest;
	struct iommu_hwpt_vtd_s1 s1;
	int rc;

	if (guest_entries && data->type == IOMMU_EXT_HWPT_DATA_VTD_GUEST) {
		rc = iommufd_read_data(&guest, entry, data, data->type);
		return rc ?: vtd_stage1_from_entry(stage1, &guest);
	}
	rc = iommufd_read_data(&s1, __reserved, data, IOMMU_HWPT_DATA_VTD_S1);
	return rc ?: vtd_stage1_from_flags(stage1, &s1);
}

static int check_parent(const struct vtd_unit *unit,
			const struct vtd_domain *parent, const char *name)
{
	const char *lacks = vtd_unit_lacks_nesting(unit);

	if (lacks)
		return iommufd_refuse(-EOPNOTSUPP,
				      "%s of %s has no nested page tables: %s",
				      unit->x86.name, name, lacks);
	if (!parent->nest_parent || !vtd_domain_suits(parent, unit))
		return iommufd_refuse(-EINVAL,
				      "%s of %s cannot walk the tables of the parent",
				      unit->x86.name, name);
	return 0;
}

/**
 * vtd_nested_alloc - make a nested page table
 * @dev: a device of the unit that is going to walk it
 * @iommu_parent: the second stage
 * @viommu: that it belongs to, or NULL
 * @flags: enum iommufd_hwpt_alloc_flags
 * @data: the user's description
 *
 * Return: its domain, or an ERR_PTR; explained
 */
struct iommu_domain *vtd_nested_alloc(struct device *dev,
				      struct iommu_domain *iommu_parent,
				      struct iommufd_viommu *viommu, u32 flags,
				      const struct iommu_user_data *data)
{
	struct vtd_domain *parent = to_vtd_domain(iommu_parent);
	const struct vtd_unit *unit = to_vtd_device(dev)->unit;
	struct vtd_domain *domain;
	struct vtd_stage1 stage1;
	int rc;

	if (flags & ~IOMMU_HWPT_ALLOC_PASID)
		return ERR_PTR(iommufd_refuse(-EOPNOTSUPP,
					      "no nested page table has flags %#x",
					      flags));
	rc = check_parent(unit, parent, dev_name(dev));
	if (!rc)
		rc = read_stage1(&stage1, viommu, data);
	if (!rc)
		rc = vtd_stage1_check(&stage1, unit->cap, unit->ecap,
				      parent->pt.config.va_bits);
	if (rc)
		return ERR_PTR(rc);
	domain = vtd_domain_new();
	if (!domain)
		return ERR_PTR(iommufd_refuse(-ENOMEM,
					      "no memory for a nested page table"));
	domain->domain.type = IOMMU_DOMAIN_NESTED;
	domain->domain.ops = &nested_ops;
	domain->stage1 = stage1;
	domain->viommu = viommu;
	domain->parent = parent;
	spin_lock(&parent->lock);
	list_add(&domain->sibling, &parent->nested);
	spin_unlock(&parent->lock);
	return &domain->domain;
}

/**
 * vtd_nested_suits - whether devices behind a unit can be attached
 * @domain: a nested domain, perhaps made for another unit
 * @unit: the unit
 *
 * Return: whether the unit can walk both stages
 */
bool vtd_nested_suits(const struct vtd_domain *domain,
		      const struct vtd_unit *unit)
{
	return !vtd_unit_lacks_nesting(unit) &&
	       vtd_domain_suits(domain->parent, unit) &&
	       !vtd_stage1_lacks(&domain->stage1, unit->cap, unit->ecap);
}

/* What the unit is to forget, in the order of the requests. */
static void requests_to_unit(struct vtd_batch *batch,
			     const struct vtd_domain_unit *du,
			     const struct vtd_domain *domain,
			     const struct vtd_request *requests, unsigned int nr)
{
	const struct vtd_request *r, *previous = NULL;
	struct vtd_entry d;

	for (r = requests; r < requests + nr; r++) {
		if (!vtd_request_concerns(r, &domain->stage1) ||
		    !vtd_request_for_host(r, du->unit->cap, du->did, &d))
			continue;
		/* whether the guest has waited in between is not known */
		if (previous && previous->what != r->what)
			vtd_batch_fence(batch);
		vtd_batch_add(batch, d.lo, d.hi);
		previous = r;
	}
}

/* A guest need not know that its device remembers anything. */
static void requests_to_devices(struct vtd_batch *batch, struct vtd_domain *domain,
				const struct vtd_request *requests,
				unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (vtd_request_concerns(&requests[i], &domain->stage1) &&
		    requests[i].what != VTD_REQUEST_CONTEXT &&
		    requests[i].what != VTD_REQUEST_PASID)
			vtd_ats_forget(batch, domain, requests[i].first,
				       requests[i].last);
}

/**
 * vtd_nested_requests - forget what a guest wants to be forgotten
 * @viommu: of the guest
 * @requests: checked
 * @nr: how many
 *
 * Device TLBs are told after the unit, as the unit could tell them again.
 *
 * Context: may sleep. Takes as long as hardware and devices do.
 */
void vtd_nested_requests(struct iommufd_viommu *viommu,
			 const struct vtd_request *requests, unsigned int nr)
{
	struct vtd_domain *parent = to_vtd_domain(viommu->parent), *domain;
	struct vtd_domain_unit *du;
	struct vtd_batch batch;

	spin_lock(&parent->lock);
	list_for_each_entry(domain, &parent->nested, sibling) {
		if (domain->viommu != viommu)
			continue;
		spin_lock_nested(&domain->lock, SINGLE_DEPTH_NESTING);
		list_for_each_entry(du, &domain->units, link) {
			vtd_batch_init(&batch, du->unit);
			requests_to_unit(&batch, du, domain, requests, nr);
			requests_to_devices(&batch, domain, requests, nr);
			vtd_batch_run(&batch);
		}
		spin_unlock(&domain->lock);
	}
	spin_unlock(&parent->lock);
}

static int invalidate_one(void *context, const void *entry)
{
	const struct iommu_hwpt_vtd_s1_invalidate *inv = entry;
	u64 first, last;
	int rc;

	rc = vtd_stage1_range(inv, &first, &last);
	if (!rc)
		vtd_domain_forget(context, first, last,
				  !(inv->flags & IOMMU_VTD_INV_FLAGS_LEAF));
	return rc;
}

/**
 * vtd_nested_invalidate - forget ranges of a guest's first stage
 * @iommu_domain: a nested domain
 * @array: of struct iommu_hwpt_vtd_s1_invalidate
 *
 * Return: 0 or an explained errno
 */
int vtd_nested_invalidate(struct iommu_domain *iommu_domain,
			  struct iommu_user_data_array *array)
{
	static const struct iommufd_entries ranges = {
		.type = IOMMU_HWPT_INVALIDATE_DATA_VTD_S1,
		.size = sizeof(struct iommu_hwpt_vtd_s1_invalidate),
		.min_size = offsetofend(struct iommu_hwpt_vtd_s1_invalidate,
					__reserved),
		.one = invalidate_one,
	};

	return iommufd_run_entries(NULL, array, &ranges,
				   to_vtd_domain(iommu_domain));
}

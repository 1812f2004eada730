// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices: which unit they are behind, by which ids it knows them, and what their
 * entries in the device table say.
 */
#include <linux/pci.h>
#include <linux/slab.h>
#include <asm/cmpxchg.h>

#include "amdvi.h"

/* Levels of a table in which nothing is; every unit has as many. */
#define EMPTY_LEVELS 4

/**
 * amdvi_range_of - what firmware says of a device id
 * @ivrs: a unit
 * @id: the id
 *
 * Return: the last word of it, NULL if the unit has not the device
 */
const struct ivrs_range *amdvi_range_of(const struct ivrs_unit *ivrs, u16 id)
{
	const struct ivrs_range *range, *found = NULL;

	list_for_each_entry(range, &ivrs->ranges, link)
		if (range->first <= id && id <= range->last)
			found = range;
	return found;
}

/* Units have no business with themselves. */
static bool is_unit(int segment, u16 id)
{
	const struct ivrs_unit *ivrs;

	list_for_each_entry(ivrs, &amdvi_ivrs.units, link)
		if (ivrs->segment == segment && ivrs->id == id)
			return true;
	return false;
}

/**
 * amdvi_unit_of - the unit that a device's requests go through
 * @pdev: the device; a virtual function is where its physical function is
 *
 * Return: the unit, or NULL if there is none
 */
struct x86_unit *amdvi_unit_of(struct pci_dev *pdev)
{
	int segment = pci_domain_nr(pdev->bus);
	u16 id = pci_dev_id(pci_physfn(pdev));
	struct x86_unit *x86;

	if (is_unit(segment, id))
		return NULL;
	list_for_each_entry(x86, &x86_units, link) {
		const struct ivrs_unit *ivrs = to_amdvi_unit(x86)->ivrs;

		if (ivrs->segment == segment && amdvi_range_of(ivrs, id))
			return x86;
	}
	return NULL;
}

/**
 * struct visit - an id's aliases are visited as well
 * @unit: knows them
 * @fn: called with each
 * @arg: for @fn
 */
struct visit {
	const struct amdvi_unit *unit;
	x86_id_fn fn;
	void *arg;
};

static int visit_alias(u16 id, void *arg)
{
	const struct visit *v = arg;
	const struct ivrs_range *range = amdvi_range_of(v->unit->ivrs, id);
	int rc = v->fn(id, v->arg);

	if (!rc && range && range->alias != IVRS_NO_ALIAS && range->alias != id)
		rc = v->fn(range->alias, v->arg);
	return rc;
}

/**
 * amdvi_visit_ids - the ids that requests of a device can come with
 * @pdev: the device
 * @unit: the unit it is behind, with the aliases that firmware knows
 * @fn: called with each of them, for some perhaps twice, until it fails
 * @arg: for @fn
 *
 * Return: what @fn did last
 */
int amdvi_visit_ids(struct pci_dev *pdev, const struct amdvi_unit *unit,
		    x86_id_fn fn, void *arg)
{
	struct visit visit = { unit, fn, arg };

	return x86_visit_ids(pdev, visit_alias, &visit);
}

/* What firmware wants of messages that are not memory accesses. */
static struct amdvi_dte entry_settings(u8 setting)
{
	return (struct amdvi_dte){ .w = {
		[1] = FIELD_PREP(AMDVI_DTE_1_SYSMGT, setting >> 4 & 3),
		[2] = (setting & BIT(0) ? AMDVI_DTE_2_INITPASS : 0) |
		      (setting & BIT(1) ? AMDVI_DTE_2_EINTPASS : 0) |
		      (setting & BIT(2) ? AMDVI_DTE_2_NMIPASS : 0) |
		      (setting & BIT(6) ? AMDVI_DTE_2_LINT0PASS : 0) |
		      (setting & BIT(7) ? AMDVI_DTE_2_LINT1PASS : 0),
	} };
}

/* The halves of an entry have nothing to do with each other: this one translates. */
static void entry_pass_through(u64 *w)
{
	w[0] = AMDVI_DTE_0_V | AMDVI_DTE_0_TV | AMDVI_DTE_0_IR | AMDVI_DTE_0_IW;
	w[1] = FIELD_PREP(AMDVI_DTE_1_DOMAIN, AMDVI_DOMAIN_PASS_THROUGH);
}

static void entry_table(u64 *w, u64 table, unsigned int levels, u16 domain)
{
	entry_pass_through(w);
	w[0] |= FIELD_PREP(AMDVI_DTE_0_MODE, levels) | table;
	w[1] = FIELD_PREP(AMDVI_DTE_1_DOMAIN, domain);
}

/**
 * amdvi_pass_everything_through - let all devices go on as they do
 * @unit: does not translate yet
 *
 * Also ids that nobody has: a device may come later, and it is the host's then.
 */
void amdvi_pass_everything_through(struct amdvi_unit *unit)
{
	unsigned int id;

	for (id = 0; id < AMDVI_NR_IDS; id++) {
		const struct ivrs_range *range = amdvi_range_of(unit->ivrs, id);
		u64 *w = unit->table[id].w;

		unit->table[id] = entry_settings(range ? range->setting : 0);
		w[1] |= FIELD_PREP(AMDVI_DTE_1_DOMAIN, AMDVI_DOMAIN_PASS_THROUGH);
		w[0] = AMDVI_DTE_0_V | AMDVI_DTE_0_TV | AMDVI_DTE_0_IR |
		       AMDVI_DTE_0_IW;
	}
}

/**
 * struct target - what the entries of a device are to say
 * @adev: the device
 * @unit: whose entries
 * @w: the half that translates, but for what firmware wants; and of the other one how
 *     many levels a guest's tables have
 * @batch: makes the unit forget what they said before
 */
struct target {
	const struct amdvi_device *adev;
	struct amdvi_unit *unit;
	u64 w[3];
	struct amdvi_batch *batch;
};

/*
 * It changes apart from the half that leads to the guest's tables: at a moment when
 * that does not.
 */
static int write_levels(u16 id, void *arg)
{
	const struct target *target = arg;
	u64 *w = &target->unit->table[id].w[2];

	WRITE_ONCE(*w, (*w & ~AMDVI_DTE_2_LEVELS) |
		       (target->w[2] & AMDVI_DTE_2_LEVELS));
	amdvi_batch_device(target->batch, id);
	return 0;
}

static int has_other_levels(u16 id, void *arg)
{
	const struct target *target = arg;

	return (target->unit->table[id].w[2] ^ target->w[2]) & AMDVI_DTE_2_LEVELS ?
	       1 : 0;
}

/* Hardware sees either the old half or the new one. */
static void entry_write(struct amdvi_unit *unit, u16 id, const u64 *w)
{
	u64 *entry = unit->table[id].w;
	union {
		u64 w[2];
		u128 whole;
	} old = { .w = { entry[0], entry[1] } }, new;

	lockdep_assert_held(&unit->entry_lock);
	do {
		new.w[0] = w[0];
		new.w[1] = w[1] | (old.w[1] & AMDVI_DTE_1_SYSMGT);
	} while (!try_cmpxchg128((u128 *)entry, &old.whole, new.whole));
}

static void entry_blocked(u64 *w, const struct amdvi_unit *unit)
{
	entry_table(w, virt_to_phys(unit->empty), EMPTY_LEVELS, AMDVI_DOMAIN_BLOCKED);
}

/*
 * A device that has been cut off stays so: that is looked at in the same moment. Its own
 * is the only id under which a device has a TLB.
 */
static int write_id(u16 id, void *arg)
{
	const struct target *target = arg;
	struct amdvi_unit *unit = target->unit;
	u64 w[2] = { target->w[0], target->w[1] };
	unsigned long flags;

	if (id != pci_dev_id(to_pci_dev(target->adev->dev))) {
		w[0] &= ~AMDVI_DTE_0_PPR;
		w[1] &= ~AMDVI_DTE_1_I;
	}
	raw_spin_lock_irqsave(&unit->entry_lock, flags);
	if (target->adev->cut)
		entry_blocked(w, unit);
	entry_write(unit, id, w);
	raw_spin_unlock_irqrestore(&unit->entry_lock, flags);
	amdvi_batch_device(target->batch, id);
	return 0;
}

static int cut_id(u16 id, void *arg)
{
	struct amdvi_unit *unit = arg;
	u64 w[2];

	entry_blocked(w, unit);
	entry_write(unit, id, w);
	return 0;
}

/**
 * amdvi_device_cut - keep a device from all memory until it is detached
 * @adev: the device, which is in the list of a domain that is locked, or its unit is
 *	  locked, so that it is not detached meanwhile
 *
 * Two may do so at once. Each returns only after the device is cut off.
 *
 * Context: any.
 */
void amdvi_device_cut(struct amdvi_device *adev)
{
	struct amdvi_unit *unit = adev->unit;
	unsigned long flags;

	raw_spin_lock_irqsave(&unit->entry_lock, flags);
	WRITE_ONCE(adev->cut, true);
	amdvi_visit_ids(to_pci_dev(adev->dev), unit, cut_id, unit);
	raw_spin_unlock_irqrestore(&unit->entry_lock, flags);
	amdvi_forget_all(unit);
	WRITE_ONCE(adev->cut_done, true);
	dev_err(adev->dev, "does not forget the translations it has asked for: it is cut off from all memory until it is detached\n");
}

/**
 * amdvi_device_uncut - a device that was perhaps cut off may be attached again
 * @adev: the device; its ATS is off
 *
 * Its entries are there again when they are written the next time.
 */
void amdvi_device_uncut(struct amdvi_device *adev)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&adev->unit->entry_lock, flags);
	WRITE_ONCE(adev->cut, false);
	WRITE_ONCE(adev->cut_done, false);
	raw_spin_unlock_irqrestore(&adev->unit->entry_lock, flags);
}

/**
 * amdvi_refuse_cut - say why a device that is cut off is not attached anew
 * @adev: the device
 *
 * Return: -EIO
 */
int amdvi_refuse_cut(const struct amdvi_device *adev)
{
	return iommufd_refuse(-EIO,
			      "%s has not forgotten what it was told to, and has to be detached first, with all its PASIDs",
			      dev_name(adev->dev));
}

static void entry_domain(struct target *target, const struct amdvi_domain *domain)
{
	const struct amdvi_domain *host = domain->parent ?: domain;

	entry_table(target->w, pt_top_phys(&host->pt), host->pt.config.levels,
		    domain->id);
	if (host->dirty)
		target->w[0] |= FIELD_PREP(AMDVI_DTE_0_HAD, AMDVI_HAD_DIRTY);
	if (!domain->parent)
		return;
	/* what the guest does not allow is not allowed */
	target->w[0] &= domain->guest[0] | ~(AMDVI_DTE_0_IR | AMDVI_DTE_0_IW);
	target->w[0] |= domain->guest[0];
	target->w[1] |= domain->guest[1];
	target->w[2] |= domain->guest[2];
	/* nothing else uses either */
	amdvi_control(target->unit, 0, AMDVI_CTL_GT | AMDVI_CTL_GCR3_GUEST);
}

/* PASID 0 is left out of them while requests without one are passed through. */
static void entry_gcr3s(struct target *target, const struct amdvi_gcr3s *g,
			bool through)
{
	struct amdvi_unit *unit = target->unit;

	entry_table(target->w, virt_to_phys(unit->everything),
		    amdvi_everything_levels(), g->id);
	target->w[0] |= AMDVI_DTE_0_GV | (through ? 0 : AMDVI_DTE_0_GIOV) |
			FIELD_PREP(AMDVI_DTE_0_GLX, g->levels - 1);
	amdvi_dte_set_gcr3(target->w, virt_to_phys(g->top));
	amdvi_control(unit, 0, AMDVI_CTL_GT);
}

/* What the entries are to say of a domain, or without one, of where @id says. */
static void target_set(struct target *target, const struct amdvi_device *adev,
		       const struct amdvi_domain *domain, u16 id)
{
	const struct amdvi_unit *unit = adev->unit;

	target->adev = adev;
	target->unit = adev->unit;
	if (adev->gcr3s.nr || (domain && domain->by_pasid))
		entry_gcr3s(target, &adev->gcr3s,
			    !domain && id == AMDVI_DOMAIN_PASS_THROUGH);
	else if (domain)
		entry_domain(target, domain);
	else if (id == AMDVI_DOMAIN_BLOCKED)
		entry_blocked(target->w, unit);
	else
		entry_pass_through(target->w);
	if (adev->ats && (adev->gcr3s.nr || (domain && !domain->parent)))
		target->w[1] |= AMDVI_DTE_1_I;
	if (adev->asker.on && unit->efr & AMDVI_EFR_EPH)
		target->w[0] |= AMDVI_DTE_0_PPR;
}

/*
 * From tables of a guest with so many levels to one with others there is no way
 * without a moment in which requests are refused.
 */
static void change_levels(struct pci_dev *pdev, struct target *target)
{
	struct target blocked = {
		.adev = target->adev, .unit = target->unit, .batch = target->batch,
	};

	entry_blocked(blocked.w, target->unit);
	amdvi_visit_ids(pdev, target->unit, write_id, &blocked);
	amdvi_batch_run(target->batch);
	amdvi_visit_ids(pdev, target->unit, write_levels, target);
}

/**
 * amdvi_entries_update - have the entries of a device say what its GCR3s are now
 * @adev: the device; its unit is locked
 * @batch: for its unit, which has forgotten the old ones when it has run
 */
void amdvi_entries_update(struct amdvi_device *adev, struct amdvi_batch *batch)
{
	struct target target = { .batch = batch };

	lockdep_assert_held(&adev->unit->x86.lock);
	target_set(&target, adev, adev->domain, adev->id);
	amdvi_visit_ids(to_pci_dev(adev->dev), adev->unit, write_id, &target);
}

/*
 * What was translated for a device before: for its GCR3s without a PASID, which only
 * those that were passed through beside them had, and of PASID 0.
 */
static void forget_old(struct amdvi_batch *batch, const struct amdvi_device *adev)
{
	const struct amdvi_gcr3s *g = &adev->gcr3s;

	if (!adev->domain || !adev->domain->by_pasid)
		amdvi_batch_range(batch, adev->id, 0, U64_MAX, true);
	if (!g->top)
		return;
	amdvi_batch_range(batch, g->id, 0, U64_MAX, true);
	amdvi_batch_pasid(batch, g->id, IOMMU_NO_PASID, 0, U64_MAX, true);
}

static int is_id(u16 id, void *arg)
{
	return id == *(u16 *)arg;
}

/* A device that the host has not, and whose requests come with an id as well. */
static struct amdvi_device *id_user(const struct amdvi_unit *unit, u16 id)
{
	struct amdvi_device *adev;

	list_for_each_entry(adev, &unit->devices, link)
		if (adev->id != AMDVI_DOMAIN_PASS_THROUGH &&
		    amdvi_visit_ids(to_pci_dev(adev->dev), unit, is_id, &id))
			return adev;
	return NULL;
}

/* Behind a bridge devices share an id: one that goes leaves it to those that stay. */
static int leave_id(u16 id, void *arg)
{
	const struct target *target = arg;
	const struct amdvi_device *adev = id_user(target->unit, id);
	struct target theirs = { .batch = target->batch };

	if (!adev)
		return write_id(id, arg);
	target_set(&theirs, adev, adev->domain, adev->id);
	return write_id(id, &theirs);
}

/*
 * Send the requests of a device to a domain, or, without one, where @id says. This
 * cannot fail. Requests that come meanwhile find the old state or the new one; when
 * it returns none is left that found the old one. One that is not in its unit's list
 * any more leaves.
 */
static void device_set(struct amdvi_device *adev, struct amdvi_domain *domain,
		       u16 id)
{
	bool leaves = list_empty(&adev->link);
	struct pci_dev *pdev = to_pci_dev(adev->dev);
	struct amdvi_unit *unit = adev->unit;
	struct amdvi_domain *old = adev->domain;
	bool by_pasid = domain && domain->by_pasid;
	struct amdvi_batch batch;
	struct target target = { .batch = &batch };

	lockdep_assert_held(&unit->x86.lock);
	amdvi_batch_init(&batch, unit);
	if (old && !adev->gcr3s.nr && (!domain || domain->parent))
		amdvi_ats_stop(adev, old);
	/* if they are not led to any more, the entry changes before they do */
	if (by_pasid || adev->gcr3s.nr)
		amdvi_gcr3s_set(adev, IOMMU_NO_PASID, by_pasid ? domain : NULL);
	target_set(&target, adev, domain, id);
	if (!leaves && amdvi_visit_ids(pdev, unit, has_other_levels, &target))
		change_levels(pdev, &target);
	amdvi_visit_ids(pdev, unit, leaves ? leave_id : write_id, &target);
	forget_old(&batch, adev);
	amdvi_ats_forget_old(&batch, adev, IOMMU_NO_PASID);
	amdvi_batch_run(&batch);
	adev->domain = domain;
	adev->id = id;
	if (domain)
		amdvi_ats_start(adev, domain);
	else
		x86_asker_drain(&adev->asker);
	if (old)
		amdvi_domain_leave(old, adev, IOMMU_NO_PASID);
	amdvi_gcr3s_close(adev);
}

/* Static domains; what they stand for is in the functions' names. */
int amdvi_attach_pass_through(struct iommu_domain *domain, struct device *dev)
{
	struct amdvi_device *adev = to_amdvi_device(dev);

	mutex_lock(&adev->unit->x86.lock);
	device_set(adev, NULL, AMDVI_DOMAIN_PASS_THROUGH);
	mutex_unlock(&adev->unit->x86.lock);
	return 0;
}

/* Whoever wants a device for himself has it blocked first. */
static int unit_is_open(struct amdvi_device *adev)
{
	if (!adev->unit->x86.leaving)
		return 0;
	return iommufd_refuse(-EBUSY, "the driver of the IOMMU of %s is leaving",
			      dev_name(adev->dev));
}

int amdvi_attach_blocked(struct iommu_domain *domain, struct device *dev)
{
	struct amdvi_device *adev = to_amdvi_device(dev);
	int rc;

	mutex_lock(&adev->unit->x86.lock);
	rc = unit_is_open(adev);
	if (!rc)
		device_set(adev, NULL, AMDVI_DOMAIN_BLOCKED);
	mutex_unlock(&adev->unit->x86.lock);
	return rc;
}

/* All that can fail. */
static int device_enter(struct amdvi_device *adev, struct amdvi_domain *domain)
{
	int rc;

	if (adev->gcr3s.nr && !domain->by_pasid)
		return iommufd_refuse(-EINVAL,
				      "%s has PASIDs that are attached, and the page table leaves no room for them",
				      dev_name(adev->dev));
	rc = domain->by_pasid ? amdvi_gcr3s_open(adev) : 0;
	if (rc)
		return rc;
	rc = amdvi_domain_enter(domain, adev, IOMMU_NO_PASID);
	if (rc)
		amdvi_gcr3s_close(adev);
	return rc;
}

static int device_lead(struct amdvi_device *adev, struct amdvi_domain *domain)
{
	int rc = device_enter(adev, domain);

	if (!rc)
		device_set(adev, domain,
			   domain->by_pasid ? adev->gcr3s.id : domain->id);
	return rc;
}

int amdvi_attach_paging(struct iommu_domain *iommu_domain, struct device *dev)
{
	struct amdvi_domain *domain = to_amdvi_domain(iommu_domain);
	struct amdvi_device *adev = to_amdvi_device(dev);
	int rc;

	if (!amdvi_domain_suits(domain, adev->unit))
		return -EINVAL;
	mutex_lock(&adev->unit->x86.lock);
	rc = unit_is_open(adev);
	/* the IOMMU core goes back to what was, which has to succeed */
	if (!rc && READ_ONCE(adev->cut))
		rc = domain == adev->domain ? 0 : amdvi_refuse_cut(adev);
	else if (!rc)
		rc = device_lead(adev, domain);
	mutex_unlock(&adev->unit->x86.lock);
	return rc;
}

/**
 * amdvi_passed_through - whether nobody uses a device but the host
 * @dev: the device; its unit is locked
 *
 * Return: whether it is passed through
 */
bool amdvi_passed_through(struct device *dev)
{
	return to_amdvi_device(dev)->id == AMDVI_DOMAIN_PASS_THROUGH;
}

/**
 * amdvi_probe_device - the IOMMU core asks about a device
 * @dev: the device
 *
 * Return: the unit it is behind, or an ERR_PTR of -ENODEV, -ENOMEM
 */
struct iommu_device *amdvi_probe_device(struct device *dev)
{
	struct amdvi_device *adev;
	struct x86_unit *x86 = NULL;

	if (dev_is_pci(dev))
		x86 = amdvi_unit_of(to_pci_dev(dev));
	if (!x86)
		return ERR_PTR(-ENODEV);
	adev = kzalloc(sizeof(*adev), GFP_KERNEL);
	if (!adev)
		return ERR_PTR(-ENOMEM);
	adev->unit = to_amdvi_unit(x86);
	adev->dev = dev;
	adev->asker.unit = x86;
	adev->asker.dev = dev;
	adev->id = AMDVI_DOMAIN_PASS_THROUGH;
	amdvi_pasid_enable(adev);
	amdvi_ats_init(adev);
	mutex_lock(&x86->lock);
	list_add(&adev->link, &adev->unit->devices);
	mutex_unlock(&x86->lock);
	dev_iommu_priv_set(dev, adev);
	x86_driver.adopt(x86, dev);
	return &x86->iommu;
}

/**
 * amdvi_release_device - a device goes, or this driver does
 * @dev: the device
 *
 * One that stays is passed through, as it was before. What it shares with others that
 * somebody uses remains theirs.
 */
void amdvi_release_device(struct device *dev)
{
	struct amdvi_device *adev = to_amdvi_device(dev);

	x86_driver.abandon(&adev->unit->x86, dev);
	mutex_lock(&adev->unit->x86.lock);
	list_del_init(&adev->link);
	device_set(adev, NULL, AMDVI_DOMAIN_PASS_THROUGH);
	mutex_unlock(&adev->unit->x86.lock);
	WARN_ON(adev->gcr3s.top);
	amdvi_pasid_disable(adev);
	kfree(adev);
}

/* Firmware's alias of a device's id, or that itself. */
static u16 alias_of(const struct amdvi_unit *unit, struct pci_dev *pdev)
{
	u16 id = pci_dev_id(pdev);
	const struct ivrs_range *range = amdvi_range_of(unit->ivrs, id);

	return range && range->alias != IVRS_NO_ALIAS ? range->alias : id;
}

/**
 * amdvi_device_group - the group of a device
 * @dev: the device
 *
 * Devices whose requests arrive under the same id are in one.
 *
 * Return: the group or an ERR_PTR
 */
struct iommu_group *amdvi_device_group(struct device *dev)
{
	struct amdvi_unit *unit = to_amdvi_device(dev)->unit;
	struct pci_dev *pdev = to_pci_dev(dev), *other = NULL;
	u16 alias = alias_of(unit, pdev);

	for_each_pci_dev(other) {
		struct iommu_group *group;

		if (other == pdev || amdvi_unit_of(other) != &unit->x86 ||
		    alias_of(unit, other) != alias)
			continue;
		group = iommu_group_get(&other->dev);
		if (group) {
			pci_dev_put(other);
			return group;
		}
	}
	return pci_device_group(dev);
}

static void reserve(struct list_head *list, u64 first, u64 last, int prot,
		    enum iommu_resv_type type)
{
	struct iommu_resv_region *region;

	region = iommu_alloc_resv_region(first, last - first + 1, prot, type,
					 GFP_KERNEL);
	if (region)
		list_add_tail(&region->list, list);
}

/**
 * struct wanted - whether firmware has a device use memory
 * @memory: the memory
 * @is: it has
 */
struct wanted {
	const struct ivrs_memory *memory;
	bool is;
};

static int is_wanted(u16 id, void *arg)
{
	struct wanted *wanted = arg;

	wanted->is |= wanted->memory->first_id <= id &&
		      id <= wanted->memory->last_id;
	return 0;
}

/**
 * amdvi_resv_regions - what of a device's addresses is spoken for
 * @dev: the device
 * @list: receives the regions
 */
void amdvi_resv_regions(struct device *dev, struct list_head *list)
{
	struct pci_dev *pdev = to_pci_dev(dev);
	const struct ivrs_memory *memory;

	list_for_each_entry(memory, &amdvi_ivrs.memory, link) {
		struct wanted wanted = { .memory = memory };

		if (memory->segment != pci_domain_nr(pdev->bus))
			continue;
		amdvi_visit_ids(pdev, to_amdvi_device(dev)->unit, is_wanted,
				&wanted);
		if (wanted.is)
			reserve(list, memory->first, memory->last,
				(memory->read ? IOMMU_READ : 0) |
				(memory->write ? IOMMU_WRITE : 0),
				IOMMU_RESV_DIRECT);
	}
	/* writes there are interrupts, whatever is mapped */
	reserve(list, 0xfee00000, 0xfeefffff, 0, IOMMU_RESV_MSI);
	/* 2.1.2: special addresses of HyperTransport, which are not translated */
	reserve(list, 0xfd00000000ULL, 0xffffffffffULL, 0, IOMMU_RESV_RESERVED);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices: which unit they are behind, by which ids it knows them, and what their
 * context entries say.
 */
#include <linux/iommufd_reason.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <asm/cmpxchg.h>

#include "vtd.h"

/* The device that a scope begins with or ends in; NULL if it is not there. */
static struct pci_dev *scope_device(const struct dmar_scope *scope, u16 segment)
{
	struct pci_dev *pdev = NULL;
	u8 bus = scope->bus;
	unsigned int i;

	for (i = 0; i < scope->hops; i++) {
		if (pdev) {
			if (!pdev->subordinate) {
				pci_dev_put(pdev);
				return NULL;
			}
			bus = pdev->subordinate->number;
			pci_dev_put(pdev);
		}
		pdev = pci_get_domain_bus_and_slot(segment, bus,
						   PCI_DEVFN(scope->path[i].device,
							     scope->path[i].function));
		if (!pdev)
			return NULL;
	}
	return pdev;
}

static bool scope_has(const struct dmar_scope *scope, u16 segment,
		      struct pci_dev *pdev)
{
	struct pci_dev *end;
	bool has = false;

	if (scope->type != 1 && scope->type != 2)
		return false;
	end = scope_device(scope, segment);
	for (; end && pdev && !has; pdev = pdev->bus->self) {
		has = pdev == end;
		if (scope->type == 1)
			break;
	}
	pci_dev_put(end);
	return has;
}

/**
 * vtd_scopes_have - whether a device is in a list of scopes
 * @scopes: struct dmar_scope
 * @segment: their PCI segment
 * @pdev: the device, of that segment
 *
 * Return: whether it is
 */
bool vtd_scopes_have(const struct list_head *scopes, u16 segment,
		     struct pci_dev *pdev)
{
	const struct dmar_scope *scope;

	list_for_each_entry(scope, scopes, link)
		if (scope_has(scope, segment, pdev))
			return true;
	return false;
}

/**
 * vtd_unit_of - the unit that a device's requests go through
 * @pdev: the device; a virtual function is where its physical function is
 *
 * Return: the unit, or NULL if there is none, or not one of ours
 */
struct vtd_unit *vtd_unit_of(struct pci_dev *pdev)
{
	int segment = pci_domain_nr(pdev->bus);
	struct vtd_unit *unit;

	pdev = pci_physfn(pdev);
	list_for_each_entry(unit, &x86_units, x86.link) {
		if (unit->dmar->segment != segment)
			continue;
		/* the unit for all others is the last of its segment */
		if (unit->dmar->include_all ||
		    vtd_scopes_have(&unit->dmar->scopes, segment, pdev))
			return unit;
	}
	return NULL;
}

/**
 * struct visit - ids are visited
 * @vdev: of this device
 * @fn: called with each
 * @arg: for @fn
 */
struct visit {
	struct vtd_device *vdev;
	vtd_id_fn fn;
	const void *arg;
};

static int visit_id(u16 id, void *arg)
{
	const struct visit *v = arg;

	return v->fn(v->vdev, id, v->arg);
}

/**
 * vtd_visit_ids - the ids that requests of a device can come with
 * @vdev: the device; @dev and @unit are set
 * @fn: called with each of them, for some perhaps twice, until it fails
 * @arg: for @fn
 *
 * They are its own, those it uses as aliases (3.4.1), and those of bridges to PCI,
 * which take requests over in their own name. Every one counts: an id that was left
 * out would still be passed through.
 *
 * Return: what @fn did last
 */
int vtd_visit_ids(struct vtd_device *vdev, vtd_id_fn fn, const void *arg)
{
	struct visit visit = { vdev, fn, arg };

	return x86_visit_ids(to_pci_dev(vdev->dev), visit_id, &visit);
}

static void flush(const struct vtd_unit *unit, void *p, size_t size)
{
	if (!(unit->ecap & VTD_ECAP_C))
		clflush_cache_range(p, size);
}

/* The table that a pointer of the root table leads to; made if there is none. */
static void *context_table(struct vtd_unit *unit, u64 *pointer)
{
	void *table;

	if (*pointer & VTD_ROOT_P)
		return phys_to_virt(*pointer & VTD_ROOT_CTP);
	table = (void *)get_zeroed_page(GFP_KERNEL);
	if (!table)
		return NULL;
	flush(unit, table, PAGE_SIZE);
	WRITE_ONCE(*pointer, virt_to_phys(table) | VTD_ROOT_P);
	flush(unit, pointer, sizeof(*pointer));
	return table;
}

static struct vtd_entry *context_of(struct vtd_unit *unit, u16 sid)
{
	struct vtd_entry *table;

	table = context_table(unit, &unit->root[PCI_BUS_NUM(sid)].lo);
	return table ? &table[sid & 0xff] : NULL;
}

/* Scalable mode has twice as large entries, and two tables for a bus. */
static struct vtd_scontext *scontext_of(struct vtd_unit *unit, u16 sid)
{
	struct vtd_entry *root = &unit->root[PCI_BUS_NUM(sid)];
	struct vtd_scontext *table;

	table = context_table(unit, sid & 0x80 ? &root->hi : &root->lo);
	return table ? &table[sid & 0x7f] : NULL;
}

/*
 * Hardware sees either the old entry or the new one. A device that has been cut off
 * has none: that is looked at in the same moment, so that not even for an
 * instant it is there again.
 */
static void context_write(const struct vtd_device *vdev, struct vtd_entry *entry,
			  struct vtd_entry value)
{
	union {
		struct vtd_entry entry;
		u128 whole;
	} old, new;
	unsigned long flags;

	raw_spin_lock_irqsave(&vdev->unit->context_lock, flags);
	if (vdev->cut)
		value.lo &= ~VTD_CTX_LO_P;
	old.entry = *entry;
	new.entry = value;
	cmpxchg128((u128 *)entry, old.whole, new.whole);
	flush(vdev->unit, entry, sizeof(*entry));
	raw_spin_unlock_irqrestore(&vdev->unit->context_lock, flags);
}

/* The same. All that ever changes in it is one word. */
static void scontext_write(const struct vtd_device *vdev,
			   struct vtd_scontext *entry,
			   const struct vtd_pasids *pasids, u64 allowed)
{
	u64 value = vtd_pasids_context(pasids) | allowed;
	unsigned long flags;

	raw_spin_lock_irqsave(&vdev->unit->context_lock, flags);
	if (vdev->cut)
		value &= ~VTD_SCTX_0_P;
	WRITE_ONCE(entry->w[0], value);
	flush(vdev->unit, entry, sizeof(*entry));
	raw_spin_unlock_irqrestore(&vdev->unit->context_lock, flags);
}

static struct vtd_entry context_pass_through(const struct vtd_unit *unit)
{
	unsigned int levels = fls(FIELD_GET(VTD_CAP_SAGAW, unit->cap)) + 1;

	return (struct vtd_entry){
		.lo = VTD_CTX_LO_P | FIELD_PREP(VTD_CTX_LO_TT, VTD_TT_PASS_THROUGH),
		.hi = FIELD_PREP(VTD_CTX_HI_AW, levels - 2) |
		      FIELD_PREP(VTD_CTX_HI_DID, VTD_DID_PASS_THROUGH),
	};
}

static struct vtd_entry context_second_stage(const struct vtd_domain *domain,
					     u16 did)
{
	return (struct vtd_entry){
		.lo = VTD_CTX_LO_P | pt_top_phys(&domain->pt),
		.hi = FIELD_PREP(VTD_CTX_HI_AW, domain->pt.config.levels - 2) |
		      FIELD_PREP(VTD_CTX_HI_DID, did),
	};
}

/* Its own is the only id under which a device has a TLB. */
static bool id_has_tlb(const struct vtd_device *vdev, u16 sid)
{
	return vdev->tlbs && sid == pci_dev_id(to_pci_dev(vdev->dev));
}

/* What an id may do besides sending ordinary requests, in scalable mode. */
static u64 id_allowed(const struct vtd_device *vdev, u16 sid)
{
	if (!id_has_tlb(vdev, sid))
		return 0;
	return VTD_SCTX_0_DTE | (vdev->asker.on ? VTD_SCTX_0_PRE : 0);
}

/* The word of an id's context entry that has the present bit; NULL without one. */
static u64 *present_word(struct vtd_unit *unit, u16 sid)
{
	struct vtd_entry *root = &unit->root[PCI_BUS_NUM(sid)];
	u64 pointer = unit->scalable && sid & 0x80 ? root->hi : root->lo;
	void *table = phys_to_virt(pointer & VTD_ROOT_CTP);

	if (!(pointer & VTD_ROOT_P))
		return NULL;
	if (unit->scalable)
		return ((struct vtd_scontext *)table)[sid & 0x7f].w;
	return &((struct vtd_entry *)table)[sid & 0xff].lo;
}

static int cut_id(struct vtd_device *vdev, u16 sid, const void *unused)
{
	u64 *word = present_word(vdev->unit, sid);

	if (!word)
		return 0;
	static_assert(VTD_CTX_LO_P == VTD_SCTX_0_P);
	WRITE_ONCE(*word, *word & ~VTD_CTX_LO_P);
	flush(vdev->unit, word, sizeof(*word));
	return 0;
}

/**
 * vtd_device_cut - keep a device from all memory until it is detached
 * @vdev: the device, which is in the list of a domain that is locked, or its unit is
 *	  locked, so that it is not detached meanwhile
 *
 * Two may do so at once. Each returns only after the device is cut off.
 *
 * Context: any.
 */
void vtd_device_cut(struct vtd_device *vdev)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&vdev->unit->context_lock, flags);
	WRITE_ONCE(vdev->cut, true);
	vtd_visit_ids(vdev, cut_id, NULL);
	raw_spin_unlock_irqrestore(&vdev->unit->context_lock, flags);
	vtd_forget_contexts(vdev->unit);
	vtd_forget_all(vdev->unit);
	WRITE_ONCE(vdev->cut_done, true);
	dev_err(vdev->dev, "does not forget the translations it has asked for: it is cut off from all memory until it is detached\n");
}

/**
 * vtd_device_uncut - a device that was perhaps cut off may be attached again
 * @vdev: the device; its ATS is off, it is about to leave its last domain, which is
 *	  locked
 *
 * Its context entries are there again when they are written the next time.
 */
void vtd_device_uncut(struct vtd_device *vdev)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&vdev->unit->context_lock, flags);
	WRITE_ONCE(vdev->cut, false);
	WRITE_ONCE(vdev->cut_done, false);
	raw_spin_unlock_irqrestore(&vdev->unit->context_lock, flags);
}

/**
 * struct target - where the requests of a device are to go
 * @batch: for its unit, which has to forget the context entries there were
 * @domain: to this one, or
 * @did: through if it is not 0, nowhere if it is
 */
struct target {
	struct vtd_batch *batch;
	const struct vtd_domain *domain;
	u16 did;
};

static int is_id(struct vtd_device *vdev, u16 sid, const void *arg)
{
	return sid == *(const u16 *)arg;
}

/*
 * Behind a bridge devices share ids. One that comes, or goes, leaves an id to whoever
 * has it and does not belong to the host: NULL if there is nobody.
 */
static struct vtd_device *id_user(const struct vtd_device *vdev, u16 sid)
{
	struct vtd_device *other;

	if (!list_empty(&vdev->link))
		return NULL;
	list_for_each_entry(other, &vdev->unit->devices, link)
		if (other->did != VTD_DID_PASS_THROUGH &&
		    vtd_visit_ids(other, is_id, &sid))
			return other;
	return NULL;
}

static int write_id(struct vtd_device *vdev, u16 sid, const void *arg)
{
	struct vtd_entry *entry = context_of(vdev->unit, sid), value = {};
	const struct target *target = arg;

	/* It was made at probe; what is not there is blocked. */
	if (!entry || id_user(vdev, sid))
		return 0;
	if (target->domain)
		value = context_second_stage(target->domain, target->did);
	else if (target->did)
		value = context_pass_through(vdev->unit);
	if (target->domain && id_has_tlb(vdev, sid))
		value.lo |= FIELD_PREP(VTD_CTX_LO_TT, VTD_TT_DEVICE_TLB);
	context_write(vdev, entry, value);
	vtd_forget_context(target->batch, vdev->did, sid);
	return 0;
}

static int write_scalable_id(struct vtd_device *vdev, u16 sid, const void *arg)
{
	struct vtd_scontext *entry = scontext_of(vdev->unit, sid);
	struct vtd_device *user = id_user(vdev, sid) ?: vdev;
	const struct target *target = arg;

	if (entry)
		scontext_write(user, entry, &user->pasids,
			       id_allowed(user, sid));
	vtd_forget_context(target->batch, vdev->did, sid);
	return 0;
}

static void write_scalable(struct vtd_device *vdev, const struct target *target)
{
	struct vtd_unit *unit = vdev->unit;
	struct vtd_pasid_entry value = {};

	if (target->domain)
		value = vtd_pasid_domain(unit, target->domain, target->did);
	else if (target->did)
		value = vtd_pasid_pass_through();
	vtd_pasids_set(target->batch, &vdev->pasids, IOMMU_NO_PASID, &value);
	/*
	 * The specification does not ask for this if no context entry changes, but
	 * QEMU finds out whether a device is passed through only when its context
	 * entry is looked at.
	 */
	vtd_visit_ids(vdev, write_scalable_id, target);
}

/*
 * Send the requests of a device to a domain, or through, or nowhere (@did is 0).
 * All that needs memory was made when it was probed, so that this cannot fail.
 * Requests that come meanwhile find the old state or the new one.
 */
static void device_set(struct vtd_device *vdev, struct vtd_domain *domain,
		       u16 did)
{
	struct vtd_domain *old = vdev->domain;
	struct vtd_batch batch;
	const struct target target = {
		.batch = &batch, .domain = domain, .did = did,
	};

	lockdep_assert_held(&vdev->unit->x86.lock);
	vtd_batch_init(&batch, vdev->unit);
	if (!domain && old)
		vtd_ats_stop(vdev, old, IOMMU_NO_PASID);
	if (vdev->unit->scalable)
		write_scalable(vdev, &target);
	else
		vtd_visit_ids(vdev, write_id, &target);
	vtd_batch_fence(&batch);
	if (old && old->first_stage)
		vtd_forget_first_stage(&batch, vdev->did, IOMMU_NO_PASID, 0,
				       U64_MAX, true);
	else if (vdev->did)
		vtd_forget_domain(&batch, vdev->did);
	vtd_ats_forget_old(&batch, vdev, IOMMU_NO_PASID);
	vtd_batch_run(&batch);
	vdev->domain = domain;
	vdev->did = did;
	if (domain)
		vtd_ats_start(vdev, domain);
	else
		x86_asker_drain(&vdev->asker);
	if (old)
		vtd_ats_leave(vdev, old, IOMMU_NO_PASID);
	if (old)
		vtd_domain_leave(old, vdev->unit, IOMMU_NO_PASID);
}

/* Static domains; what they stand for is in the functions' names. */
int vtd_attach_pass_through(struct iommu_domain *domain, struct device *dev)
{
	struct vtd_device *vdev = to_vtd_device(dev);

	mutex_lock(&vdev->unit->x86.lock);
	device_set(vdev, NULL, VTD_DID_PASS_THROUGH);
	mutex_unlock(&vdev->unit->x86.lock);
	return 0;
}

/* Whoever wants a device for himself has it blocked first. */
static int unit_is_open(struct vtd_device *vdev)
{
	if (!vdev->unit->x86.leaving)
		return 0;
	return iommufd_refuse(-EBUSY, "the driver of the IOMMU of %s is leaving",
			      dev_name(vdev->dev));
}

int vtd_attach_blocked(struct iommu_domain *domain, struct device *dev)
{
	struct vtd_device *vdev = to_vtd_device(dev);
	int rc;

	mutex_lock(&vdev->unit->x86.lock);
	rc = unit_is_open(vdev);
	if (!rc)
		device_set(vdev, NULL, 0);
	mutex_unlock(&vdev->unit->x86.lock);
	return rc;
}

/**
 * vtd_refuse_cut - say why a device that is cut off is not attached anew
 * @vdev: the device
 *
 * Return: -EIO
 */
int vtd_refuse_cut(const struct vtd_device *vdev)
{
	return iommufd_refuse(-EIO,
			      "%s has not forgotten what it was told to, and has to be detached first, with all its PASIDs",
			      dev_name(vdev->dev));
}

static int device_enter(struct vtd_device *vdev, struct vtd_domain *domain,
			u16 *did)
{
	int rc;

	rc = vtd_domain_enter(domain, vdev->unit, IOMMU_NO_PASID, did);
	if (rc)
		return rc;
	rc = vtd_ats_enter(vdev, domain, IOMMU_NO_PASID);
	if (rc)
		vtd_domain_leave(domain, vdev->unit, IOMMU_NO_PASID);
	return rc;
}

int vtd_attach_paging(struct iommu_domain *iommu_domain, struct device *dev)
{
	struct vtd_domain *domain = to_vtd_domain(iommu_domain);
	struct vtd_device *vdev = to_vtd_device(dev);
	u16 did;
	int rc;

	if (!vtd_domain_suits(domain, vdev->unit))
		return -EINVAL;
	mutex_lock(&vdev->unit->x86.lock);
	rc = unit_is_open(vdev);
	if (!rc && READ_ONCE(vdev->cut)) {
		/* the IOMMU core goes back to what was, which has to succeed */
		rc = domain == vdev->domain ? 0 : vtd_refuse_cut(vdev);
	} else if (!rc) {
		rc = device_enter(vdev, domain, &did);
		if (!rc)
			device_set(vdev, domain, did);
	}
	mutex_unlock(&vdev->unit->x86.lock);
	return rc;
}

/*
 * Have a context entry for an id, which passes it through. In scalable mode it
 * leads to @pasids from now on.
 */
static int make_id(struct vtd_device *vdev, u16 sid, const void *pasids)
{
	struct vtd_unit *unit = vdev->unit;
	struct vtd_scontext *scontext;
	struct vtd_entry *entry;

	lockdep_assert_held(&unit->x86.lock);
	if (id_user(vdev, sid))
		return 0;
	if (unit->scalable) {
		scontext = scontext_of(unit, sid);
		if (!scontext)
			return -ENOMEM;
		scontext_write(vdev, scontext, pasids, 0);
		return 0;
	}
	entry = context_of(unit, sid);
	if (!entry)
		return -ENOMEM;
	context_write(vdev, entry, context_pass_through(unit));
	return 0;
}

/* 6.2.2.1: what was not present is cached under domain id 0. */
static int forget_made_id(struct vtd_device *vdev, u16 sid, const void *arg)
{
	struct vtd_batch *batch = (struct vtd_batch *)arg;

	vtd_forget_context(batch, 0, sid);
	vtd_forget_context(batch, VTD_DID_PASS_THROUGH, sid);
	return 0;
}

/* The same while the unit translates: what it knew of the ids is forgotten. */
static int make_ids(struct vtd_device *vdev, const struct vtd_pasids *pasids)
{
	struct vtd_unit *unit = vdev->unit;
	struct vtd_batch batch;
	int rc;

	mutex_lock(&unit->x86.lock);
	vtd_batch_init(&batch, unit);
	rc = vtd_visit_ids(vdev, make_id, pasids);
	vtd_visit_ids(vdev, forget_made_id, &batch);
	if (unit->scalable) {
		vtd_batch_fence(&batch);
		vtd_forget_pasid(&batch, VTD_DID_PASS_THROUGH, IOMMU_NO_PASID);
	}
	vtd_batch_run(&batch);
	mutex_unlock(&unit->x86.lock);
	return rc;
}

static int update_id(struct vtd_device *vdev, u16 sid, const void *arg)
{
	struct vtd_scontext *entry = scontext_of(vdev->unit, sid);
	struct vtd_batch *batch = (struct vtd_batch *)arg;

	if (!entry)
		return 0;
	scontext_write(vdev, entry, &vdev->pasids, id_allowed(vdev, sid));
	vtd_forget_context(batch, vdev->did, sid);
	return 0;
}

/**
 * vtd_contexts_update - have context entries say what has changed
 * @vdev: the device, in scalable mode; its unit is locked
 * @batch: for its unit
 *
 * That is, where its directory of PASIDs is, and whether it may ask for pages. Once the
 * batch has run hardware no longer uses the directory that was there before.
 */
void vtd_contexts_update(struct vtd_device *vdev, struct vtd_batch *batch)
{
	lockdep_assert_held(&vdev->unit->x86.lock);
	vtd_visit_ids(vdev, update_id, batch);
}

/*
 * The unit stays in use: the context entries of a device that goes lead to the
 * host's directory again before its own is freed.
 */
static void vtd_device_free(struct vtd_device *vdev)
{
	if (vdev->unit->scalable)
		make_ids(vdev, &vdev->unit->host);
	vtd_pasids_fini(&vdev->pasids);
	kfree(vdev);
}

static int device_init(struct vtd_device *vdev)
{
	struct vtd_pasid_entry entry = vtd_pasid_pass_through();
	struct vtd_batch batch;
	int rc;

	vdev->did = VTD_DID_PASS_THROUGH;
	if (vdev->unit->scalable) {
		rc = vtd_pasids_init(vdev->unit, &vdev->pasids);
		if (rc)
			return rc;
		vtd_batch_init(&batch, vdev->unit);
		vtd_pasids_set(&batch, &vdev->pasids, IOMMU_NO_PASID, &entry);
		vtd_batch_run(&batch);
	}
	return make_ids(vdev, &vdev->pasids);
}

/**
 * vtd_probe_device - the IOMMU core asks about a device
 * @dev: the device
 *
 * Return: the unit it is behind, or an ERR_PTR of -ENODEV, -ENOMEM
 */
struct iommu_device *vtd_probe_device(struct device *dev)
{
	struct vtd_unit *unit = NULL;
	struct vtd_device *vdev;
	int rc;

	if (dev_is_pci(dev))
		unit = vtd_unit_of(to_pci_dev(dev));
	if (!unit)
		return ERR_PTR(-ENODEV);
	vdev = kzalloc(sizeof(*vdev), GFP_KERNEL);
	if (!vdev)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&vdev->link);
	vdev->unit = unit;
	vdev->dev = dev;
	vdev->asker.unit = &unit->x86;
	vdev->asker.dev = dev;
	rc = device_init(vdev);
	if (rc) {
		vtd_device_free(vdev);
		return ERR_PTR(rc);
	}
	vtd_pasid_enable(vdev);
	vtd_ats_init(vdev);
	mutex_lock(&unit->x86.lock);
	list_add(&vdev->link, &unit->devices);
	mutex_unlock(&unit->x86.lock);
	dev_iommu_priv_set(dev, vdev);
	vtd_interrupts_adopt(&unit->x86, dev);
	return &unit->x86.iommu;
}

/* Its directory passes requests through from now on: shared ids lead to another's. */
static void hand_over(struct vtd_device *vdev)
{
	struct vtd_batch batch;
	const struct target target = { .batch = &batch };

	vtd_batch_init(&batch, vdev->unit);
	vtd_visit_ids(vdev, write_scalable_id, &target);
	vtd_batch_run(&batch);
}

/**
 * vtd_release_device - a device goes, or this driver does
 * @dev: the device
 *
 * One that stays is passed through, as it was before. What it shares with others that
 * somebody uses remains theirs.
 */
void vtd_release_device(struct device *dev)
{
	struct vtd_device *vdev = to_vtd_device(dev);

	vtd_interrupts_abandon(&vdev->unit->x86, dev);
	mutex_lock(&vdev->unit->x86.lock);
	list_del_init(&vdev->link);
	if (vdev->unit->scalable)
		hand_over(vdev);
	device_set(vdev, NULL, VTD_DID_PASS_THROUGH);
	mutex_unlock(&vdev->unit->x86.lock);
	vtd_pasid_disable(vdev);
	vtd_device_free(vdev);
}

/**
 * vtd_pass_everything_through - let all devices go on as they do
 * @unit: does not translate yet
 *
 * Return: 0 or -ENOMEM
 */
int vtd_pass_everything_through(struct vtd_unit *unit)
{
	struct vtd_pasid_entry entry = vtd_pasid_pass_through();
	struct pci_dev *pdev = NULL;
	struct vtd_batch batch;
	int rc = 0;

	if (unit->scalable) {
		vtd_batch_init(&batch, unit);
		vtd_pasids_set(&batch, &unit->host, IOMMU_NO_PASID, &entry);
		vtd_batch_run(&batch);
	}
	mutex_lock(&unit->x86.lock);
	for_each_pci_dev(pdev) {
		struct vtd_device vdev = {
			.link = LIST_HEAD_INIT(vdev.link),
			.unit = unit,
			.dev = &pdev->dev,
		};

		if (vtd_unit_of(pdev) != unit)
			continue;
		rc = vtd_visit_ids(&vdev, make_id, &unit->host);
		if (rc) {
			pci_dev_put(pdev);
			break;
		}
	}
	mutex_unlock(&unit->x86.lock);
	return rc;
}

static void context_table_free(u64 pointer)
{
	if (pointer & VTD_ROOT_P)
		free_page((unsigned long)phys_to_virt(pointer & VTD_ROOT_CTP));
}

/**
 * vtd_contexts_free - free root and context tables
 * @unit: does not translate any more
 */
void vtd_contexts_free(struct vtd_unit *unit)
{
	unsigned int bus;

	for (bus = 0; bus < 256; bus++) {
		context_table_free(unit->root[bus].lo);
		context_table_free(unit->root[bus].hi);
	}
	free_page((unsigned long)unit->root);
}

/**
 * vtd_passed_through - whether nobody uses a device but the host
 * @dev: the device; its unit is locked
 *
 * Return: whether it is passed through
 */
bool vtd_passed_through(struct device *dev)
{
	return to_vtd_device(dev)->did == VTD_DID_PASS_THROUGH;
}

/**
 * vtd_resv_regions - what of a device's addresses is spoken for
 * @dev: the device
 * @list: receives the regions
 */
void vtd_resv_regions(struct device *dev, struct list_head *list)
{
	struct pci_dev *pdev = to_pci_dev(dev);
	struct iommu_resv_region *region;
	struct dmar_reserved *reserved;

	list_for_each_entry(reserved, &vtd_dmar.reserved, link) {
		if (reserved->segment != pci_domain_nr(pdev->bus) ||
		    !vtd_scopes_have(&reserved->scopes, reserved->segment, pdev))
			continue;
		region = iommu_alloc_resv_region(reserved->first,
						 reserved->last - reserved->first + 1,
						 IOMMU_READ | IOMMU_WRITE,
						 IOMMU_RESV_DIRECT, GFP_KERNEL);
		if (region)
			list_add_tail(&region->list, list);
	}
	/* writes there are interrupts, whatever is mapped: 3.14 */
	region = iommu_alloc_resv_region(0xfee00000, 0x100000, 0, IOMMU_RESV_MSI,
					 GFP_KERNEL);
	if (region)
		list_add_tail(&region->list, list);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finding out what a unit can do, claiming it, and switching it on and off.
 */
#include <linux/io.h>
#include <linux/iopoll.h>
#include <linux/ioport.h>
#include <linux/slab.h>

#include "vtd.h"

#define COMMAND_TIMEOUT_US (10 * USEC_PER_SEC)

/**
 * vtd_command - give a command and wait until it is done
 * @unit: the unit
 * @bit: of GCMD
 * @on: the state it is to have; true for commands that are done once
 *
 * Context: may sleep.
 * Return: 0 or -ETIMEDOUT
 */
int vtd_command(struct vtd_unit *unit, u32 bit, bool on)
{
	u32 status;
	int rc;

	spin_lock(&unit->command_lock);
	/* 11.4.4.1: what was not done once is written again as it is */
	status = vtd_read(unit, VTD_GSTS) & ~VTD_GCMD_ONCE & ~bit;
	vtd_write(unit, VTD_GCMD, status | (on ? bit : 0));
	rc = read_poll_timeout_atomic(readl, status, (status & bit) == (on ? bit : 0), 1,
				      COMMAND_TIMEOUT_US, false,
				      unit->regs + VTD_GSTS);
	spin_unlock(&unit->command_lock);
	if (rc)
		pr_err("%s: does not react to command %#x\n", unit->x86.name, bit);
	return rc;
}

static bool unit_is_scalable(const struct vtd_unit *unit)
{
	return unit->ecap & VTD_ECAP_SMTS &&
	       unit->ecap & (VTD_ECAP_SSTS | VTD_ECAP_FSTS);
}

static bool unit_has_first_stage(const struct vtd_unit *unit)
{
	return unit_is_scalable(unit) && unit->ecap & VTD_ECAP_FSTS;
}

/* What this driver cannot do without. */
static const char *unit_lacks(const struct vtd_unit *unit)
{
	if (!(unit->ecap & VTD_ECAP_QI))
		return "it has no queued invalidation";
	if (!(unit->ecap & VTD_ECAP_PT))
		return "it cannot pass requests through";
	if (!unit_has_first_stage(unit) &&
	    !(FIELD_GET(VTD_CAP_SAGAW, unit->cap) & 0xe))
		return "it has no second-stage tables of 3 to 5 levels";
	if (unit->cap & VTD_CAP_RWBF)
		return "its write buffer would have to be flushed after each change of a table";
	if (FIELD_GET(VTD_CAP_ND, unit->cap) == 7)
		return "its number of domains is not defined";
	return NULL;
}

/*
 * The kernel's own driver, or interrupt remapping alone, holds the registers of
 * the units it drives: having them is what makes a unit ours.
 */
static int unit_claim(struct vtd_unit *unit)
{
	const struct dmar_unit *dmar = unit->dmar;

	unit->regs_size = dmar->size;
	if (!request_mem_region(dmar->base, unit->regs_size, "iommu_vtd")) {
		pr_err("%s: the kernel drives the unit at %#llx itself: boot with intel_iommu=off intremap=off to have this driver do it\n",
		       unit->x86.name, dmar->base);
		return -EBUSY;
	}
	unit->regs = ioremap(dmar->base, unit->regs_size);
	if (!unit->regs) {
		release_mem_region(dmar->base, unit->regs_size);
		return -ENOMEM;
	}
	return 0;
}

/* What runs already was left so by firmware, or by a kernel before this one. */
static int unit_quiet(struct vtd_unit *unit)
{
	u32 on = vtd_read(unit, VTD_GSTS);
	int rc = 0;

	if (on & VTD_GCMD_IRE) {
		pr_err("%s: interrupt remapping is on: boot with intremap=off\n",
		       unit->x86.name);
		return -EBUSY;
	}
	if (on & VTD_GCMD_TE)
		rc = vtd_command(unit, VTD_GCMD_TE, false);
	if (!rc && on & VTD_GCMD_QIE)
		rc = vtd_command(unit, VTD_GCMD_QIE, false);
	return rc;
}

/* 11.4.8: memory that firmware protects from all DMA while nothing translates. */
static void unit_unprotect(struct vtd_unit *unit)
{
	u32 status;

	if (!(unit->cap & (VTD_CAP_PLMR | VTD_CAP_PHMR)))
		return;
	vtd_write(unit, VTD_PMEN, vtd_read(unit, VTD_PMEN) & ~VTD_PMEN_EPM);
	if (read_poll_timeout(readl, status, !(status & VTD_PMEN_PRS), 1,
			      COMMAND_TIMEOUT_US, false, unit->regs + VTD_PMEN))
		pr_warn("%s: memory stays protected\n", unit->x86.name);
}

static int unit_set_root(struct vtd_unit *unit)
{
	int rc;

	vtd_write64(unit, VTD_RTADDR, virt_to_phys(unit->root) |
		    (unit->scalable ? VTD_RTADDR_SCALABLE : 0));
	rc = vtd_command(unit, VTD_GCMD_SRTP, true);
	if (rc)
		return rc;
	vtd_forget_contexts(unit);
	vtd_forget_all(unit);
	return 0;
}

/**
 * vtd_unit_add - claim a unit
 * @dmar: what firmware says of it
 * @index: for its name
 *
 * Nothing of it is switched on.
 *
 * Return: 0 or an errno; the reason is in the kernel's log
 */
int vtd_unit_add(const struct dmar_unit *dmar, unsigned int index)
{
	struct vtd_unit *unit = kzalloc(sizeof(*unit), GFP_KERNEL);
	const char *lacks;
	int rc;

	if (!unit)
		return -ENOMEM;
	unit->dmar = dmar;
	snprintf(unit->x86.name, sizeof(unit->x86.name), "vtd%u", index);
	mutex_init(&unit->x86.lock);
	INIT_LIST_HEAD(&unit->devices);
	spin_lock_init(&unit->command_lock);
	raw_spin_lock_init(&unit->context_lock);
	ida_init(&unit->dids);
	rc = unit_claim(unit);
	if (rc)
		goto err_free;
	vtd_prq_init(unit);
	unit->cap = vtd_read64(unit, VTD_CAP);
	unit->ecap = vtd_read64(unit, VTD_ECAP);
	lacks = unit_lacks(unit);
	if (lacks) {
		pr_err("%s: %s\n", unit->x86.name, lacks);
		rc = -EOPNOTSUPP;
		goto err_release;
	}
	unit->scalable = unit_is_scalable(unit);
	if (unit->scalable && unit->ecap & VTD_ECAP_PASID)
		unit->x86.iommu.max_pasids =
			BIT(FIELD_GET(VTD_ECAP_PSS, unit->ecap) + 1);
	list_add_tail(&unit->x86.link, &x86_units);
	return 0;

err_release:
	iounmap(unit->regs);
	release_mem_region(dmar->base, unit->regs_size);
err_free:
	kfree(unit);
	return rc;
}

/**
 * vtd_unit_enable - have a unit translate
 * @x86: claimed; all units are in x86_units
 *
 * Every device behind it is passed through at first, so that those in use by the
 * host notice nothing.
 *
 * Return: 0 or an errno; then vtd_unit_remove() undoes what was done
 */
int vtd_unit_enable(struct x86_unit *x86)
{
	struct vtd_unit *unit = x86_to_vtd_unit(x86);
	int rc;

	rc = unit_quiet(unit);
	if (rc)
		return rc;
	unit->root = (void *)get_zeroed_page(GFP_KERNEL);
	if (!unit->root)
		return -ENOMEM;
	rc = vtd_queue_init(unit);
	if (!rc && unit->scalable)
		rc = vtd_pasids_init(unit, &unit->host);
	if (!rc)
		rc = vtd_pass_everything_through(unit);
	if (!rc)
		rc = unit_set_root(unit);
	if (!rc)
		rc = vtd_messages_init(unit);
	if (!rc)
		rc = vtd_events_init(unit);
	if (!rc)
		rc = vtd_command(unit, VTD_GCMD_TE, true);
	if (rc)
		return rc;
	unit_unprotect(unit);
	pr_info("%s: at %#llx, %s mode, cap %#llx, ecap %#llx\n", unit->x86.name,
		unit->dmar->base, unit->scalable ? "scalable" : "legacy",
		unit->cap, unit->ecap);
	return 0;
}

/**
 * vtd_unit_remove - switch a unit off and give it back
 * @x86: the IOMMU core does not know it, or no more; freed
 */
void vtd_unit_remove(struct x86_unit *x86)
{
	struct vtd_unit *unit = x86_to_vtd_unit(x86);

	list_del(&unit->x86.link);
	if (unit->root) {
		vtd_command(unit, VTD_GCMD_TE, false);
		vtd_prq_fini(unit);
		vtd_events_fini(unit);
		vtd_messages_fini(unit);
		vtd_queue_fini(unit);
		vtd_contexts_free(unit);
		vtd_pasids_fini(&unit->host);
	}
	ida_destroy(&unit->dids);
	iounmap(unit->regs);
	release_mem_region(unit->dmar->base, unit->regs_size);
	kfree(unit);
}

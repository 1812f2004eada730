// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finding units, what they can do, claiming them, and switching them on and off.
 */
#include <linux/acpi.h>
#include <linux/cc_platform.h>
#include <linux/io.h>
#include <linux/iopoll.h>
#include <linux/ioport.h>
#include <linux/slab.h>

#include "amdvi.h"

struct ivrs_table amdvi_ivrs;

#define CONTROL_TIMEOUT_US (2 * USEC_PER_SEC)
/* Register space without performance counters, 3.4 */
#define REGISTERS 0x4000
#define TABLE_ORDER get_order(AMDVI_NR_IDS * sizeof(struct amdvi_dte))
/* The capability's word with the address of the registers */
#define CAPABILITY_BASE 4

/**
 * amdvi_control - change the control register
 * @unit: the unit
 * @clear: bits to be 0
 * @set: bits to be as they are here
 *
 * Context: any.
 */
void amdvi_control(struct amdvi_unit *unit, u64 clear, u64 set)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&unit->control_lock, flags);
	amdvi_write(unit, AMDVI_CONTROL,
		    (amdvi_read(unit, AMDVI_CONTROL) & ~clear) | set);
	raw_spin_unlock_irqrestore(&unit->control_lock, flags);
}

/**
 * amdvi_control_wait - start or stop something, and wait until it has
 * @unit: the unit
 * @bit: of the control register
 * @run: of the status register, that tells whether it runs
 * @on: which
 *
 * Context: any.
 * Return: 0 or -ETIMEDOUT
 */
int amdvi_control_wait(struct amdvi_unit *unit, u64 bit, u64 run, bool on)
{
	u64 status;
	int rc;

	amdvi_control(unit, on ? 0 : bit, on ? bit : 0);
	rc = read_poll_timeout_atomic(readq, status, !(status & run) == !on, 1,
				      CONTROL_TIMEOUT_US, false,
				      unit->regs + AMDVI_STATUS);
	if (rc)
		pr_err("%s: does not %s (control %#llx, status %#llx)\n",
		       unit->x86.name, on ? "start" : "stop",
		       amdvi_read(unit, AMDVI_CONTROL), status);
	return rc;
}

/* What this driver cannot do without. */
static const char *unit_lacks(const struct amdvi_unit *unit)
{
	if (!(unit->cap & AMDVI_CAP_EFR))
		return "it has no extended feature register";
	if (FIELD_GET(AMDVI_EFR_HATS, unit->efr) == 3)
		return "it has no host page tables";
	return NULL;
}

/* Why no unit can be driven here, as the end of a sentence; NULL if they can. */
static const char *platform_obstacle(void)
{
	/* memory of guests is owned in a table that the kernel's own driver sets up */
	if (cc_platform_has(CC_ATTR_HOST_SEV_SNP))
		return "SNP is active: who owns which memory is checked by units that the kernel has set up for it, which this driver does not do";
	/* tables would be read as they stand in memory, encrypted */
	if (cc_platform_has(CC_ATTR_HOST_MEM_ENCRYPT))
		return "memory is encrypted (SME), which this driver does not tell units: boot with mem_encrypt=off";
	return NULL;
}

/*
 * The kernel's own driver holds the registers of the units it drives: having them
 * is what makes a unit ours.
 */
static int unit_claim(struct amdvi_unit *unit)
{
	const struct ivrs_unit *ivrs = unit->ivrs;
	u32 base;

	unit->pdev = pci_get_domain_bus_and_slot(ivrs->segment,
						 PCI_BUS_NUM(ivrs->id),
						 ivrs->id & 0xff);
	if (!unit->pdev) {
		pr_err("%s: its PCI function %04x:%02x:%02x.%u is not there\n",
		       unit->x86.name, ivrs->segment, PCI_BUS_NUM(ivrs->id),
		       PCI_SLOT(ivrs->id), PCI_FUNC(ivrs->id));
		return -ENODEV;
	}
	pci_read_config_dword(unit->pdev, ivrs->capability, &unit->cap);
	pci_read_config_dword(unit->pdev, ivrs->capability + CAPABILITY_BASE,
			      &base);
	if ((unit->cap & 0xff) != PCI_CAP_ID_SECDEV) {
		pr_err("%s: %s has no capability of an IOMMU at %#x\n",
		       unit->x86.name, pci_name(unit->pdev), ivrs->capability);
		return -ENODEV;
	}
	if ((base & ~(REGISTERS - 1)) &&
	    (base & ~(REGISTERS - 1)) != (u32)ivrs->base) {
		pr_err("%s: firmware says that its registers are at %#llx, the unit says %#x\n",
		       unit->x86.name, ivrs->base, base);
		return -ENODEV;
	}
	if (!request_mem_region(ivrs->base, REGISTERS, x86_driver.name)) {
		pr_err("%s: the kernel drives the unit at %#llx itself: boot with amd_iommu=off to have this driver do it\n",
		       unit->x86.name, ivrs->base);
		return -EBUSY;
	}
	unit->regs = ioremap(ivrs->base, REGISTERS);
	if (!unit->regs) {
		release_mem_region(ivrs->base, REGISTERS);
		return -ENOMEM;
	}
	unit->efr = amdvi_read(unit, AMDVI_EFR);
	unit->efr2 = amdvi_read(unit, AMDVI_EFR2);
	return 0;
}

static void unit_free(struct amdvi_unit *unit)
{
	if (unit->regs) {
		iounmap(unit->regs);
		release_mem_region(unit->ivrs->base, REGISTERS);
	}
	free_page((unsigned long)unit->everything);
	pci_dev_put(unit->pdev);
	kfree(unit);
}

static int unit_add(const struct ivrs_unit *ivrs, unsigned int index)
{
	struct amdvi_unit *unit = kzalloc(sizeof(*unit), GFP_KERNEL);
	const char *lacks;
	int rc;

	if (!unit)
		return -ENOMEM;
	unit->ivrs = ivrs;
	snprintf(unit->x86.name, sizeof(unit->x86.name), "amdvi%u", index);
	mutex_init(&unit->x86.lock);
	raw_spin_lock_init(&unit->control_lock);
	INIT_LIST_HEAD(&unit->devices);
	raw_spin_lock_init(&unit->entry_lock);
	raw_spin_lock_init(&unit->events_lock);
	raw_spin_lock_init(&unit->queue.lock);
	rc = unit_claim(unit);
	lacks = rc ? NULL : unit_lacks(unit);
	if (lacks) {
		pr_err("%s: %s\n", unit->x86.name, lacks);
		rc = -EOPNOTSUPP;
	}
	amdvi_ppr_init(unit);
	if (!rc && amdvi_unit_pasids(unit))
		rc = amdvi_everything_init(unit);
	if (rc) {
		unit_free(unit);
		return rc;
	}
	unit->x86.iommu.max_pasids = amdvi_unit_pasids(unit);
	list_add_tail(&unit->x86.link, &x86_units);
	return 0;
}

static int read_ivrs(void)
{
	struct acpi_table_header *header;
	char why[IVRS_WHY];
	acpi_status status;
	int rc;

	status = acpi_get_table(ACPI_SIG_IVRS, 0, &header);
	if (ACPI_FAILURE(status)) {
		pr_err("%s: firmware has no IVRS table: there is no AMD-Vi, or it is switched off there\n",
		       x86_driver.name);
		return -ENODEV;
	}
	rc = ivrs_parse(&amdvi_ivrs, header, header->length, why);
	if (rc && why[0])
		pr_err("%s: the IVRS table is refused: %s\n", x86_driver.name,
		       why);
	acpi_put_table(header);
	return rc;
}

/**
 * amdvi_find - claim all units that firmware knows
 *
 * Nothing of them is switched on.
 *
 * Return: 0 or an errno; the reason is in the kernel's log
 */
int amdvi_find(void)
{
	const char *obstacle = platform_obstacle();
	const struct ivrs_unit *ivrs;
	unsigned int i = 0;
	int rc;

	INIT_LIST_HEAD(&amdvi_ivrs.units);
	INIT_LIST_HEAD(&amdvi_ivrs.memory);
	if (obstacle) {
		pr_err("%s: %s\n", x86_driver.name, obstacle);
		return -EOPNOTSUPP;
	}
	rc = read_ivrs();
	if (rc)
		return rc;
	list_for_each_entry(ivrs, &amdvi_ivrs.units, link) {
		rc = unit_add(ivrs, i++);
		if (rc)
			return rc;
	}
	return 0;
}

/**
 * amdvi_forget - forget what firmware said
 */
void amdvi_forget(void)
{
	if (amdvi_ivrs.units.next)
		ivrs_free(&amdvi_ivrs);
}

/* Whatever runs already was left so by firmware, or by a kernel before this one. */
static void unit_quiet(struct amdvi_unit *unit)
{
	/* a device has up to 90 s to answer, says PCIe */
	amdvi_control(unit, ~0ULL, unit->cap & AMDVI_CAP_IOTLB ?
		      FIELD_PREP(AMDVI_CTL_INV_TIMEOUT, AMDVI_INV_TIMEOUT_100S) : 0);
	/* 3.4.5: addresses that nobody would check */
	amdvi_write(unit, AMDVI_EXCLUSION, 0);
	amdvi_write(unit, AMDVI_EXCLUSION_LIMIT, 0);
}

static int tables_init(struct amdvi_unit *unit)
{
	unit->table = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO,
					       TABLE_ORDER);
	unit->empty = (void *)get_zeroed_page(GFP_KERNEL);
	if (!unit->table || !unit->empty)
		return -ENOMEM;
	amdvi_pass_everything_through(unit);
	amdvi_write(unit, AMDVI_DEVTAB, virt_to_phys(unit->table) |
		    FIELD_PREP(AMDVI_DEVTAB_PAGES, (1 << TABLE_ORDER) - 1));
	return 0;
}

/**
 * amdvi_enable - have a unit translate
 * @x86: claimed; all units are in x86_units
 *
 * Every device behind it is passed through at first, so that those in use by the
 * host notice nothing.
 *
 * Return: 0 or an errno; then amdvi_remove() undoes what was done
 */
int amdvi_enable(struct x86_unit *x86)
{
	struct amdvi_unit *unit = to_amdvi_unit(x86);
	int rc;

	unit_quiet(unit);
	rc = tables_init(unit);
	if (rc)
		return rc;
	/* nothing else of it runs while it is off */
	amdvi_control(unit, 0, AMDVI_CTL_COHERENT | AMDVI_CTL_IOMMU);
	rc = amdvi_queue_init(unit);
	if (rc)
		return rc;
	amdvi_forget_all(unit);
	rc = amdvi_events_init(unit);
	if (rc)
		return rc;
	pr_info("%s: at %#llx, %s, capability %#x, efr %#llx, efr2 %#llx\n",
		x86->name, unit->ivrs->base, pci_name(unit->pdev), unit->cap,
		unit->efr, unit->efr2);
	return 0;
}

/**
 * amdvi_remove - switch a unit off and give it back
 * @x86: the IOMMU core does not know it, or no more; freed
 */
void amdvi_remove(struct x86_unit *x86)
{
	struct amdvi_unit *unit = to_amdvi_unit(x86);

	list_del(&x86->link);
	if (unit->table) {
		amdvi_events_fini(unit);
		amdvi_ppr_fini(unit);
		amdvi_queue_fini(unit);
		amdvi_control(unit, AMDVI_CTL_IOMMU, 0);
		/* nothing of it is read any more */
		amdvi_read(unit, AMDVI_CONTROL);
		free_pages((unsigned long)unit->table, TABLE_ORDER);
	}
	free_page((unsigned long)unit->empty);
	unit_free(unit);
}

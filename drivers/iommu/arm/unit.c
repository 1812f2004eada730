// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finding out what a unit can do, and switching it on and off.
 */
#include <linux/iopoll.h>

#include "smmu.h"

#define SWITCH_TIMEOUT_US USEC_PER_SEC

static int wait_for(struct smmu_unit *unit, unsigned int reg, u32 value)
{
	u32 now;
	int rc;

	rc = readl_poll_timeout(unit->regs + reg, now, now == value, 1,
				SWITCH_TIMEOUT_US);
	if (rc)
		dev_err(unit->dev, "register %#x stays %#x, it was to be %#x\n",
			reg, now, value);
	return rc;
}

/**
 * smmu_switch - switch parts of a unit on or off
 * @unit: the unit
 * @bits: of CR0
 * @on: which
 *
 * Context: may sleep.
 * Return: 0 or -ETIMEDOUT
 */
int smmu_switch(struct smmu_unit *unit, u32 bits, bool on)
{
	unit->cr0 = on ? unit->cr0 | bits : unit->cr0 & ~bits;
	smmu_write(unit, SMMU_CR0, unit->cr0);
	return wait_for(unit, SMMU_CR0ACK, unit->cr0);
}

/* 6.3.14: while the unit is off, requests go through. */
static int pass_while_off(struct smmu_unit *unit)
{
	u32 gbpa;
	int rc;

	rc = readl_poll_timeout(unit->regs + SMMU_GBPA, gbpa,
				!(gbpa & SMMU_GBPA_UPDATE), 1, SWITCH_TIMEOUT_US);
	if (rc)
		return rc;
	gbpa &= ~(SMMU_GBPA_ABORT | SMMU_GBPA_SHCFG);
	gbpa |= FIELD_PREP(SMMU_GBPA_SHCFG, SMMU_SHCFG_INCOMING);
	smmu_write(unit, SMMU_GBPA, gbpa | SMMU_GBPA_UPDATE);
	return readl_poll_timeout(unit->regs + SMMU_GBPA, gbpa,
				  !(gbpa & SMMU_GBPA_UPDATE), 1,
				  SWITCH_TIMEOUT_US);
}

static unsigned int address_bits(u32 idr5)
{
	static const u8 bits[] = { 32, 36, 40, 42, 44, 48, 52, 52 };

	return bits[FIELD_GET(SMMU_IDR5_OAS, idr5)];
}

/* The CPU's own pages if the unit has them, else the largest below, or the smallest. */
static unsigned int best_granule(u32 idr5)
{
	unsigned int lg2, best = 0;

	for (lg2 = 12; lg2 <= 16; lg2 += 2) {
		if (!(idr5 & BIT(4 + (lg2 - 12) / 2)))
			continue;
		if (!best || lg2 <= PAGE_SHIFT)
			best = lg2;
	}
	return best;
}

/* What this driver cannot do without. */
static const char *unit_lacks(const struct smmu_unit *unit)
{
	u32 idr0 = unit->idr[0];

	if (!(idr0 & (SMMU_IDR0_S1P | SMMU_IDR0_S2P)))
		return "it translates in no stage";
	if (!(FIELD_GET(SMMU_IDR0_TTF, idr0) & SMMU_TTF_AARCH64))
		return "it cannot walk tables of AArch64";
	if (FIELD_GET(SMMU_IDR0_TTENDIAN, idr0) != SMMU_TTENDIAN_MIXED &&
	    FIELD_GET(SMMU_IDR0_TTENDIAN, idr0) != SMMU_TTENDIAN_LITTLE)
		return "its tables would have to be big endian";
	if (unit->idr[1] & (SMMU_IDR1_TABLES_PRESET | SMMU_IDR1_QUEUES_PRESET))
		return "its tables and queues are where firmware put them";
	if (FIELD_GET(SMMU_IDR1_CMDQS, unit->idr[1]) < 1)
		return "its command queue has a single entry";
	if (!unit->granule_lg2)
		return "it knows no size of pages";
	if (!(unit->has & SMMU_HAS_COHERENCY) && unit->granule_lg2 > PAGE_SHIFT)
		return "its tables would have to be flushed in pieces larger than the CPU's pages";
	return NULL;
}

static void read_features(struct smmu_unit *unit)
{
	u32 idr0 = unit->idr[0], idr3 = unit->idr[3], idr5 = unit->idr[5];
	u32 has = 0;

	has |= idr0 & SMMU_IDR0_S1P ? SMMU_HAS_S1 : 0;
	has |= idr0 & SMMU_IDR0_S2P ? SMMU_HAS_S2 : 0;
	has |= has & SMMU_HAS_S1 && has & SMMU_HAS_S2 ? SMMU_HAS_NESTING : 0;
	has |= FIELD_GET(SMMU_IDR0_HTTU, idr0) == SMMU_HTTU_DIRTY ?
	       SMMU_HAS_DIRTY : 0;
	has |= idr0 & SMMU_IDR0_MSI ? SMMU_HAS_MSI : 0;
	has |= idr3 & SMMU_IDR3_RIL ? SMMU_HAS_RANGES : 0;
	has |= idr3 & SMMU_IDR3_FWB ? SMMU_HAS_S2FWB : 0;
	unit->has |= has;
	unit->bbml = FIELD_GET(SMMU_IDR3_BBML, idr3);
	if (smmu_cds_bits(unit->idr))
		unit->iommu.max_pasids = BIT(smmu_cds_bits(unit->idr));
	unit->asid_max = idr0 & SMMU_IDR0_ASID16 ? U16_MAX : U8_MAX;
	unit->vmid_max = idr0 & SMMU_IDR0_VMID16 ? U16_MAX : U8_MAX;
	unit->granule_lg2 = best_granule(idr5);
	unit->oa_bits = min(address_bits(idr5), 48u);
	unit->ia_bits = 48;
	/* with pages of 64K alone more needs no other format of tables */
	if (unit->granule_lg2 == 16) {
		unit->oa_bits = address_bits(idr5);
		if (FIELD_GET(SMMU_IDR5_VAX, idr5) == SMMU_VAX_52)
			unit->ia_bits = 52;
	}
}

/**
 * smmu_unit_read - find out what a unit is
 * @unit: its registers are there; @has says what firmware and errata do
 *
 * Return: 0, or -EOPNOTSUPP, which the kernel's log explains
 */
int smmu_unit_read(struct smmu_unit *unit)
{
	const char *lacks;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(unit->idr); i++)
		unit->idr[i] = smmu_read(unit, 4 * i);
	unit->iidr = smmu_read(unit, SMMU_IIDR);
	unit->aidr = smmu_read(unit, SMMU_AIDR);
	read_features(unit);
	smmu_quirks(unit);
	lacks = unit_lacks(unit);
	if (!lacks)
		return 0;
	dev_err(unit->dev, "%s\n", lacks);
	return -EOPNOTSUPP;
}

/* What runs already was left so by firmware, or by a kernel before this one. */
static int unit_quiet(struct smmu_unit *unit)
{
	int rc;

	rc = pass_while_off(unit);
	if (rc) {
		dev_err(unit->dev, "does not say what happens to requests while it is off\n");
		return rc;
	}
	unit->cr0 = 0;
	smmu_write(unit, SMMU_CR0, 0);
	return wait_for(unit, SMMU_CR0ACK, 0);
}

static void unit_set_attributes(struct smmu_unit *unit)
{
	bool coherent = unit->has & SMMU_HAS_COHERENCY;
	u32 sh = coherent ? SMMU_SH_INNER : SMMU_SH_NONE;
	u32 cache = coherent ? SMMU_CACHE_WB : SMMU_CACHE_NONE;

	smmu_write(unit, SMMU_CR1, FIELD_PREP(SMMU_CR1_TABLE_SH, sh) |
				   FIELD_PREP(SMMU_CR1_TABLE_OC, cache) |
				   FIELD_PREP(SMMU_CR1_TABLE_IC, cache) |
				   FIELD_PREP(SMMU_CR1_QUEUE_SH, sh) |
				   FIELD_PREP(SMMU_CR1_QUEUE_OC, cache) |
				   FIELD_PREP(SMMU_CR1_QUEUE_IC, cache));
	/* CPUs do not invalidate for us; stream ids without an entry are told of */
	smmu_write(unit, SMMU_CR2, SMMU_CR2_PTM | SMMU_CR2_RECINVSID);
}

/**
 * smmu_unit_enable - have a unit translate
 * @unit: known by smmu_unit_read()
 *
 * Every device behind it is passed through at first, so that those in use by the
 * host notice nothing.
 *
 * Return: 0 or an errno; then smmu_unit_disable() undoes what was done
 */
int smmu_unit_enable(struct smmu_unit *unit)
{
	int rc;

	rc = unit_quiet(unit);
	if (rc)
		return rc;
	unit_set_attributes(unit);
	/* a device that says its address is translated has to be one with ATS */
	unit->cr0 = unit->idr[0] & SMMU_IDR0_ATS ? SMMU_CR0_ATSCHK : 0;
	rc = smmu_streams_init(unit);
	if (!rc)
		rc = smmu_queue_init(unit);
	if (rc)
		return rc;
	smmu_forget_everything(unit);
	rc = smmu_events_init(unit);
	if (!rc)
		rc = smmu_switch(unit, SMMU_CR0_SMMUEN, true);
	if (rc)
		return rc;
	dev_info(unit->dev, "driven by iommu_smmuv3: stages %s%s%s, %u bits, pages of %luK, idr0 %#x idr1 %#x idr3 %#x idr5 %#x iidr %#x\n",
		 unit->has & SMMU_HAS_S1 ? "1" : "",
		 unit->has & SMMU_HAS_S2 ? "2" : "",
		 unit->has & SMMU_HAS_NESTING ? ", nested" : "",
		 unit->oa_bits, BIT(unit->granule_lg2) / SZ_1K, unit->idr[0],
		 unit->idr[1], unit->idr[3], unit->idr[5], unit->iidr);
	return 0;
}

/**
 * smmu_unit_disable - switch a unit off
 * @unit: the IOMMU core does not know it, or no more
 */
void smmu_unit_disable(struct smmu_unit *unit)
{
	pass_while_off(unit);
	smmu_switch(unit, ~0U, false);
	smmu_events_fini(unit);
	smmu_streams_fini(unit);
}

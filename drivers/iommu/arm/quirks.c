// SPDX-License-Identifier: GPL-2.0-only
/*
 * Errata, by the numbers under which they are published: who has them, and what is
 * done about it.
 */
#include <linux/acpi.h>
#include <linux/of.h>

#include "smmu.h"

#define ARM 0x43b

/**
 * struct quirk - an erratum of units that say who they are in IIDR
 * @product: of Arm
 * @before: concerns what is older: variant in bits 7:4, revision in bits 3:0; 0x100
 *	    for all there are
 * @lacks: SMMU_HAS_... that cannot be used
 * @has: SMMU_HAS_... that it needs
 * @id: number of the erratum
 */
struct quirk {
	u16 product;
	u16 before;
	u32 lacks;
	u32 has;
	const char *id;
};

static const struct quirk quirks[] = {
	/* stage 1 of a guest and stage 2 are mixed up */
	{ 0x483, 0x20, SMMU_HAS_NESTING, 0, "Arm MMU-600 1209401" },
	/* the same; and commands get lost unless each is waited for */
	{ 0x487, 0x100, SMMU_HAS_NESTING, SMMU_HAS_SHORT_QUEUE,
	  "Arm MMU-700 2268618, 2812531" },
};

/**
 * smmu_quirks - take errata into account
 * @unit: what it has was read
 */
void smmu_quirks(struct smmu_unit *unit)
{
	u16 version = FIELD_GET(SMMU_IIDR_VARIANT, unit->iidr) << 4 |
		      FIELD_GET(SMMU_IIDR_REVISION, unit->iidr);
	unsigned int i;

	if (FIELD_GET(SMMU_IIDR_IMPLEMENTER, unit->iidr) != ARM)
		return;
	for (i = 0; i < ARRAY_SIZE(quirks); i++) {
		const struct quirk *q = &quirks[i];

		if (FIELD_GET(SMMU_IIDR_PRODUCT, unit->iidr) != q->product ||
		    version >= q->before)
			continue;
		unit->has = (unit->has & ~q->lacks) | q->has;
		dev_info(unit->dev, "erratum: %s\n", q->id);
	}
}

/**
 * smmu_iort - what ACPI says of a unit
 * @dev: its platform device, which was made of that
 *
 * Return: the part of its IORT node that SMMUv3 has, or NULL with a device tree
 */
const struct acpi_iort_smmu_v3 *smmu_iort(struct device *dev)
{
	/* a pointer is all that was copied */
	struct acpi_iort_node *const *node = dev_get_platdata(dev);

	return node && *node ? (const void *)(*node)->node_data : NULL;
}

/**
 * smmu_quirks_no_page1 - Cavium 74: are the registers of page 1 in page 0?
 * @dev: the platform device of a unit
 *
 * The unit does not say so itself: firmware does.
 *
 * Return: whether they are
 */
bool smmu_quirks_no_page1(struct device *dev)
{
	const struct acpi_iort_smmu_v3 *smmu = smmu_iort(dev);

	if (dev->of_node)
		return of_property_read_bool(dev->of_node,
					     "cavium,cn9900-broken-page1-regspace");
	return smmu && smmu->model == ACPI_IORT_SMMU_V3_CAVIUM_CN99XX;
}

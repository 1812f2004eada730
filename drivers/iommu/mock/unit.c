// SPDX-License-Identifier: GPL-2.0-only
/*
 * The instances of the mock IOMMU, as a machine has several of one kind. The
 * first two are alike; the third one's page tables translate windows that are
 * made on request, as those of POWER do, and suit nobody else.
 */
#include <linux/moduleparam.h>
#include <linux/platform_device.h>
#include <linux/property.h>

#include "mock.h"

static unsigned int unit;
module_param(unit, uint, 0644);
MODULE_PARM_DESC(unit, "Which of the mock IOMMUs the devices made from now on are behind: 0, 1, or 2 with windows (default: 0)");

static const struct software_node nodes[MOCK_UNITS] = {
	{ .name = "iommufd-mock-iommu0" },
	{ .name = "iommufd-mock-iommu1" },
	{ .name = "iommufd-mock-iommu2" },
};

/* Constant between mock_units_add() and mock_units_remove(). */
static struct mock_unit units[MOCK_UNITS];

/**
 * mock_unit_next - the IOMMU that a new device is to be behind
 *
 * Return: the unit that the module parameter names, or the last one
 */
struct mock_unit *mock_unit_next(void)
{
	return &units[min(READ_ONCE(unit), MOCK_UNITS - 1)];
}

/**
 * mock_unit_of - the IOMMU that firmware tables name
 * @fwnode: from a device's fwspec
 *
 * Return: the unit, or NULL if it is none of ours
 */
struct mock_unit *mock_unit_of(const struct fwnode_handle *fwnode)
{
	unsigned int i;

	for (i = 0; i < MOCK_UNITS; i++)
		if (mock_unit_fwnode(&units[i]) == fwnode)
			return &units[i];
	return NULL;
}

/**
 * mock_unit_fwnode - what devices name a unit by
 * @mu: the unit
 *
 * Return: constant while the module is loaded
 */
struct fwnode_handle *mock_unit_fwnode(const struct mock_unit *mu)
{
	return software_node_fwnode(&nodes[mu - units]);
}

static int unit_add(struct mock_unit *mu, unsigned int i)
{
	const struct platform_device_info info = {
		.name = "iommufd-mock-iommu",
		.id = i,
		.fwnode = software_node_fwnode(&nodes[i]),
	};
	int rc;

	mu->hw = platform_device_register_full(&info);
	if (IS_ERR(mu->hw))
		return PTR_ERR(mu->hw);
	/* What PASIDs cost is decided per device. */
	mu->iommu.max_pasids = BIT(MOCK_PASID_WIDTH);
	rc = iommu_device_sysfs_add(&mu->iommu, &mu->hw->dev, NULL,
				    "iommufd-mock%u", i);
	if (rc)
		goto err_hw;
	rc = iommu_device_register(&mu->iommu, i == MOCK_UNIT_WINDOWED ?
				   &mock_windowed_iommu_ops : &mock_iommu_ops,
				   &mu->hw->dev);
	if (rc)
		goto err_sysfs;
	return 0;

err_sysfs:
	iommu_device_sysfs_remove(&mu->iommu);
err_hw:
	platform_device_unregister(mu->hw);
	return rc;
}

static void unit_remove(struct mock_unit *mu)
{
	iommu_device_unregister(&mu->iommu);
	iommu_device_sysfs_remove(&mu->iommu);
	platform_device_unregister(mu->hw);
}

/**
 * mock_units_add - let the IOMMU core know all units
 *
 * Return: 0, or an errno with none of them known
 */
int mock_units_add(void)
{
	unsigned int i;
	int rc;

	for (i = 0; i < MOCK_UNITS; i++) {
		rc = software_node_register(&nodes[i]);
		if (rc)
			goto undo;
		rc = unit_add(&units[i], i);
		if (rc) {
			software_node_unregister(&nodes[i]);
			goto undo;
		}
	}
	return 0;
undo:
	while (i--) {
		unit_remove(&units[i]);
		software_node_unregister(&nodes[i]);
	}
	return rc;
}

/**
 * mock_units_remove - undo mock_units_add(); no device is left
 */
void mock_units_remove(void)
{
	unsigned int i = MOCK_UNITS;

	while (i--) {
		unit_remove(&units[i]);
		software_node_unregister(&nodes[i]);
	}
}

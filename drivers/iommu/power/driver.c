// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver of I/O page tables of POWER: comes and goes.
 */
#include <linux/module.h>
#include <linux/pci.h>

#include "tce.h"

/*
 * The iommu_ops of the kernel have no name for modules. Every PCI device behind
 * them tells which they are.
 */
static const struct iommu_ops *find_iommu_ops(void)
{
	const struct iommu_ops *ops = NULL;
	struct pci_dev *pdev = NULL;

	for_each_pci_dev(pdev) {
		struct device *dev = &pdev->dev;

		if (tce_table_group(dev) && dev->iommu && dev->iommu->iommu_dev)
			ops = dev->iommu->iommu_dev->ops;
		if (ops)
			break;
	}
	pci_dev_put(pdev);
	return ops;
}

static int device_removed(struct notifier_block *nb, unsigned long action,
			  void *data)
{
	if (action == BUS_NOTIFY_REMOVED_DEVICE)
		tce_group_lose(data);
	return NOTIFY_DONE;
}

/* Before the IOMMU core, which takes the device out of its group then. */
static struct notifier_block removal = {
	.notifier_call = device_removed,
	.priority = 1,
};

static int __init tce_init(void)
{
	int rc;

	tce_driver_ops.iommu_ops = find_iommu_ops();
	if (!tce_driver_ops.iommu_ops) {
		pr_info("iommu_tce: no PCI device is behind TCE windows\n");
		return -ENODEV;
	}
	rc = bus_register_notifier(&pci_bus_type, &removal);
	if (rc)
		return rc;
	rc = iommufd_register_driver(&tce_driver_ops);
	if (rc)
		bus_unregister_notifier(&pci_bus_type, &removal);
	return rc;
}

static void __exit tce_exit(void)
{
	iommufd_unregister_driver(&tce_driver_ops);
	bus_unregister_notifier(&pci_bus_type, &removal);
}

module_init(tce_init);
module_exit(tce_exit);

MODULE_DESCRIPTION("TCE windows of POWER behind /dev/iommu");
MODULE_LICENSE("GPL");

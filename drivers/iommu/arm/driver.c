// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module: takes the units that the kernel's own driver was told to leave, and
 * registers them with the IOMMU core and iommufd.
 */
#include <linux/acpi.h>
#include <linux/iommufd_driver.h>
#include <linux/module.h>
#include <linux/of_address.h>
#include <linux/pci.h>
#include <linux/platform_device.h>

#include "smmu.h"

/* All units that are on; under the lock. */
static LIST_HEAD(units);
static DEFINE_MUTEX(units_lock);

/* iommufd knows of us; under the lock */
static bool registered;

/* Registers that are used of each of the two pages; others may have the rest. */
#define PAGE_USED 0xe00

static const struct iommu_domain_ops identity_ops = {
	.attach_dev = smmu_attach_identity,
};

static const struct iommu_domain_ops blocked_ops = {
	.attach_dev = smmu_attach_blocked,
};

static struct iommu_domain identity_domain = {
	.type = IOMMU_DOMAIN_IDENTITY,
	.ops = &identity_ops,
};

static struct iommu_domain blocked_domain = {
	.type = IOMMU_DOMAIN_BLOCKED,
	.ops = &blocked_ops,
};

static bool smmu_capable(struct device *dev, enum iommu_cap cap)
{
	const struct smmu_unit *unit = to_smmu_device(dev)->unit;

	switch (cap) {
	case IOMMU_CAP_CACHE_COHERENCY:
		/* what a unit that is coherent itself does for its devices */
		return unit->has & SMMU_HAS_COHERENCY;
	case IOMMU_CAP_ENFORCE_CACHE_COHERENCY:
		return unit->has & SMMU_HAS_S2FWB && !(unit->has & SMMU_HAS_S1);
	default:
		return false;
	}
}

static int smmu_of_xlate(struct device *dev, const struct of_phandle_args *args)
{
	return iommu_fwspec_add_ids(dev, args->args, 1);
}

static struct iommu_group *smmu_device_group(struct device *dev)
{
	return dev_is_pci(dev) ? pci_device_group(dev) : generic_device_group(dev);
}

const struct iommu_ops smmu_iommu_ops = {
	.owner = THIS_MODULE,
	.capable = smmu_capable,
	.probe_device = smmu_probe_device,
	.release_device = smmu_release_device,
	.device_group = smmu_device_group,
	.of_xlate = smmu_of_xlate,
	.get_resv_regions = smmu_resv_regions,
	.remove_dev_pasid = smmu_remove_dev_pasid,
	.domain_alloc_paging = smmu_domain_alloc_paging,
	.identity_domain = &identity_domain,
	.blocked_domain = &blocked_domain,
	.default_domain = &identity_domain,
	.pgsize_bitmap = PAGE_SIZE,
};

/* Whether a unit sees what CPUs have written is what firmware says, then the unit. */
static bool firmware_says_coherent(struct device *dev)
{
	const struct acpi_iort_smmu_v3 *smmu = smmu_iort(dev);

	if (dev->of_node)
		return of_dma_is_coherent(dev->of_node);
	return smmu && smmu->flags & ACPI_IORT_SMMU_V3_COHACC_OVERRIDE;
}

static void __iomem *map_page(struct device *dev, resource_size_t start)
{
	if (!devm_request_mem_region(dev, start, PAGE_USED, dev_name(dev)))
		return IOMEM_ERR_PTR(-EBUSY);
	return devm_ioremap(dev, start, PAGE_USED) ?: IOMEM_ERR_PTR(-ENOMEM);
}

static int map_registers(struct smmu_unit *unit, struct platform_device *pdev)
{
	struct resource *res = platform_get_resource(pdev, IORESOURCE_MEM, 0);
	resource_size_t need = unit->has & SMMU_HAS_NO_PAGE1 ? PAGE_USED :
			       SMMU_PAGE1 + PAGE_USED;

	if (!res || resource_size(res) < need) {
		dev_err(&pdev->dev, "firmware gives it too few registers: %pR\n", res);
		return -ENODEV;
	}
	unit->regs = map_page(unit->dev, res->start);
	if (IS_ERR(unit->regs))
		return PTR_ERR(unit->regs);
	unit->page1 = unit->regs;
	if (!(unit->has & SMMU_HAS_NO_PAGE1))
		unit->page1 = map_page(unit->dev, res->start + SMMU_PAGE1);
	return PTR_ERR_OR_ZERO(unit->page1);
}

static int unit_register(struct smmu_unit *unit)
{
	int rc;

	rc = iommu_device_sysfs_add(&unit->iommu, unit->dev, NULL, "smmu3.%s",
				    smmu_name(unit));
	if (rc)
		return rc;
	rc = iommu_device_register(&unit->iommu, &smmu_iommu_ops, unit->dev);
	if (rc)
		iommu_device_sysfs_remove(&unit->iommu);
	return rc;
}

static int unit_start(struct smmu_unit *unit)
{
	int rc;

	dev_set_drvdata(unit->dev, unit);
	rc = smmu_unit_enable(unit);
	if (!rc)
		rc = unit_register(unit);
	if (rc)
		smmu_unit_disable(unit);
	else
		list_add_tail(&unit->link, &units);
	return rc;
}

static int smmu_probe(struct platform_device *pdev)
{
	struct smmu_unit *unit;
	int rc;

	unit = devm_kzalloc(&pdev->dev, sizeof(*unit), GFP_KERNEL);
	if (!unit)
		return -ENOMEM;
	unit->dev = &pdev->dev;
	INIT_LIST_HEAD(&unit->link);
	mutex_init(&unit->lock);
	INIT_LIST_HEAD(&unit->devices);
	ida_init(&unit->asids);
	ida_init(&unit->vmids);
	if (firmware_says_coherent(unit->dev))
		unit->has |= SMMU_HAS_COHERENCY;
	if (smmu_quirks_no_page1(unit->dev))
		unit->has |= SMMU_HAS_NO_PAGE1;
	rc = map_registers(unit, pdev);
	if (!rc)
		rc = smmu_unit_read(unit);
	if (rc)
		return rc;
	rc = dma_set_mask_and_coherent(unit->dev, DMA_BIT_MASK(unit->oa_bits));
	if (rc)
		return rc;
	mutex_lock(&units_lock);
	rc = registered ? unit_start(unit) : -ENODEV;
	mutex_unlock(&units_lock);
	return rc;
}

/* What remains is a platform device that is bound to us, and a unit that is off. */
static void unit_stop(struct smmu_unit *unit)
{
	list_del_init(&unit->link);
	iommu_device_unregister(&unit->iommu);
	iommu_device_sysfs_remove(&unit->iommu);
	smmu_unit_disable(unit);
}

/*
 * Each device behind it holds the module, and nobody can take the driver away: here
 * there are none left.
 */
static void smmu_remove(struct platform_device *pdev)
{
	struct smmu_unit *unit = platform_get_drvdata(pdev);

	mutex_lock(&units_lock);
	if (!list_empty(&unit->link))
		unit_stop(unit);
	mutex_unlock(&units_lock);
}

/* A kernel that comes after this one finds the unit as it was. */
static void smmu_shutdown(struct platform_device *pdev)
{
	struct smmu_unit *unit = platform_get_drvdata(pdev);

	smmu_write(unit, SMMU_IRQ_CTRL, 0);
}

static const struct of_device_id smmu_of_match[] = {
	{ .compatible = "arm,smmu-v3" },
	{}
};
MODULE_DEVICE_TABLE(of, smmu_of_match);

/* what the kernel calls those that ACPI has */
static const struct platform_device_id smmu_ids[] = {
	{ "arm-smmu-v3" },
	{}
};
MODULE_DEVICE_TABLE(platform, smmu_ids);

static struct platform_driver smmu_driver = {
	.probe = smmu_probe,
	.remove_new = smmu_remove,
	.shutdown = smmu_shutdown,
	.id_table = smmu_ids,
	.driver = {
		.name = "iommu_smmuv3",
		.of_match_table = smmu_of_match,
		.suppress_bind_attrs = true,
	},
};

/* Units that the kernel's own driver has already. */
static int tell_of_kernel(struct device *dev, void *none)
{
	if (dev->driver && dev->driver != &smmu_driver.driver &&
	    !strcmp(dev->driver->name, "arm-smmu-v3"))
		pr_warn("iommu_smmuv3: the kernel drives %s itself: boot with initcall_blacklist=arm_smmu_driver_init to have this driver do it\n",
			dev_name(dev));
	return 0;
}

/*
 * The IOMMU core holds the module for each device that it knows, so that a module
 * with devices is never removed: they are released first.
 */
static int release_set(const char *value, const struct kernel_param *param)
{
	bool on;
	int rc = kstrtobool(value, &on);

	if (rc || !on)
		return rc;
	mutex_lock(&units_lock);
	rc = list_empty(&units) ? -ENODEV : smmu_release(&units, unit_stop);
	if (!rc) {
		iommufd_unregister_driver(&smmu_iommufd_ops);
		registered = false;
		pr_info("iommu_smmuv3: all devices are released, the module can be removed\n");
	}
	mutex_unlock(&units_lock);
	return rc;
}

static const struct kernel_param_ops release_ops = { .set = release_set };
module_param_cb(release, &release_ops, NULL, 0200);
__MODULE_PARM_TYPE(release, "bool");
MODULE_PARM_DESC(release, "Let go of all devices, so that the module can be removed");

static void leave_iommufd(void)
{
	mutex_lock(&units_lock);
	if (registered)
		iommufd_unregister_driver(&smmu_iommufd_ops);
	registered = false;
	mutex_unlock(&units_lock);
}

/* The kernel's own is kept out by the name of its function: this has another one. */
static int __init smmu_module_init(void)
{
	int rc;

	rc = iommufd_register_driver(&smmu_iommufd_ops);
	if (rc)
		return rc;
	registered = true;
	bus_for_each_dev(&platform_bus_type, NULL, NULL, tell_of_kernel);
	rc = platform_driver_register(&smmu_driver);
	if (rc)
		leave_iommufd();
	return rc;
}
module_init(smmu_module_init);

static void __exit smmu_module_exit(void)
{
	platform_driver_unregister(&smmu_driver);
	leave_iommufd();
}
module_exit(smmu_module_exit);

MODULE_DESCRIPTION("Arm SMMUv3");
MODULE_LICENSE("GPL");

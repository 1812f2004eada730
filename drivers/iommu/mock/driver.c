// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mock IOMMU as a module, registered with the IOMMU core, with iommufd's door
 * and with the selftest ioctl. It drives only devices that name it, so that it
 * lives beside the IOMMU of the machine.
 */
#include <linux/iommufd_selftest.h>
#include <linux/irqdomain.h>
#include <linux/module.h>

#include "mock.h"

static struct irq_domain *mock_irqs;

/**
 * mock_irq_domain - where interrupts of the devices would come from
 *
 * Mock devices raise none, so that nothing has to be isolated.
 *
 * Return: an empty domain that counts as isolated
 */
struct irq_domain *mock_irq_domain(void)
{
	return mock_irqs;
}

static bool mock_capable(struct device *dev, enum iommu_cap cap)
{
	switch (cap) {
	case IOMMU_CAP_CACHE_COHERENCY:
		return true;
	case IOMMU_CAP_DIRTY_TRACKING:
		return !to_mock_device(dev)->no_dirty;
	default:
		return false;
	}
}

/* What the IOMMU core wants, of all units. */
#define MOCK_IOMMU_OPS						\
	.owner = THIS_MODULE,					\
	.capable = mock_capable,				\
	.probe_device = mock_device_probe,			\
	.release_device = mock_device_release,			\
	.device_group = generic_device_group,			\
	.remove_dev_pasid = mock_remove_dev_pasid,		\
	.get_resv_regions = mock_get_resv_regions,		\
	.default_domain = IS_ENABLED(CONFIG_IOMMU_DMA) ?	\
			  &mock_blocked : &mock_idle,		\
	.blocked_domain = &mock_blocked,			\
	.pgsize_bitmap = MOCK_PAGE_SIZE

const struct iommu_ops mock_iommu_ops = { MOCK_IOMMU_OPS };

/* The same once more: they are what a driver of the door is known by. */
const struct iommu_ops mock_windowed_iommu_ops = { MOCK_IOMMU_OPS };

/* One unit has the registers of another. */
static bool mock_shares_tables(struct device *a, struct device *b)
{
	return true;
}

static const struct iommufd_driver_ops mock_driver_ops = {
	.name = "mock",
	.owner = THIS_MODULE,
	.iommu_ops = &mock_iommu_ops,
	.untranslated = true,
	.hw_info = mock_hw_info,
	.capabilities = mock_capabilities,
	.alloc_paging = mock_alloc_paging,
	.alloc_nested = mock_alloc_nested,
	.invalidate = mock_nested_invalidate,
	.windows = mock_windows,
	.map = mock_map,
	.unmap = mock_unmap,
	.set_dirty = mock_set_dirty,
	.read_dirty = mock_read_dirty,
	.viommu_init = mock_viommu_init,
	.replace_pasid = mock_replace_pasid,
	.enable_faults = mock_enable_faults,
	.disable_faults = mock_disable_faults,
	.page_response = mock_page_response,
	.shares_tables = mock_shares_tables,
};

/* Paging only: an IOMMU with windows on request has nothing of the rest. */
static const struct iommufd_driver_ops mock_windowed_driver_ops = {
	.name = "mock-windows",
	.owner = THIS_MODULE,
	.iommu_ops = &mock_windowed_iommu_ops,
	.hw_info = mock_hw_info,
	.capabilities = mock_capabilities,
	.alloc_paging = mock_alloc_default_windows,
	.device_windows = mock_device_windows,
	.alloc_windows = mock_alloc_windows,
	.windows = mock_windows,
	.map = mock_map,
	.unmap = mock_unmap,
	.set_dirty = mock_set_dirty,
	.read_dirty = mock_read_dirty,
};

static const struct iommufd_selftest_ops mock_selftest_ops = {
	.owner = THIS_MODULE,
	.driver = &mock_driver_ops,
	.device_create = mock_device_create,
	.device_destroy = mock_device_destroy,
	.owns = mock_owns,
	.tracks_dirty = mock_tracks_dirty,
	.mark_dirty = mock_mark_dirty,
	.nested_iotlb = mock_nested_iotlb,
	.device_cache = mock_device_cache,
	.pasid_domain = mock_pasid_domain,
	.page_request = mock_page_request,
	.trigger_vevent = mock_trigger_vevent,
	.dmabuf_get = mock_dmabuf_get,
	.dmabuf_revoke = mock_dmabuf_revoke,
};

static int __init mock_init(void)
{
	int rc;

	/* A leaf is one entry, however large. */
	if (!IS_ENABLED(CONFIG_XARRAY_MULTI)) {
		pr_err("iommufd_mock: needs a kernel with XARRAY_MULTI\n");
		return -EOPNOTSUPP;
	}
	mock_irqs = irq_domain_create_linear(NULL, 1, &irq_domain_simple_ops,
					     NULL);
	if (!mock_irqs)
		return -ENOMEM;
	mock_faults_init();
	mock_irqs->flags |= IRQ_DOMAIN_FLAG_ISOLATED_MSI;
	/* Before the IOMMU core knows the units: no device comes in between. */
	rc = iommufd_register_driver(&mock_driver_ops);
	if (rc)
		goto err_irqs;
	rc = iommufd_register_driver(&mock_windowed_driver_ops);
	if (rc)
		goto err_driver;
	rc = mock_units_add();
	if (rc)
		goto err_windowed;
	rc = mock_dmabuf_init();
	if (rc)
		goto err_units;
	rc = iommufd_register_selftest(&mock_selftest_ops);
	if (rc)
		goto err_dmabuf;
	return 0;

err_dmabuf:
	mock_dmabuf_exit();
err_units:
	mock_units_remove();
err_windowed:
	iommufd_unregister_driver(&mock_windowed_driver_ops);
err_driver:
	iommufd_unregister_driver(&mock_driver_ops);
err_irqs:
	mock_faults_exit();
	irq_domain_remove(mock_irqs);
	return rc;
}
module_init(mock_init);

static void __exit mock_exit(void)
{
	iommufd_unregister_selftest(&mock_selftest_ops);
	mock_dmabuf_exit();
	mock_units_remove();
	iommufd_unregister_driver(&mock_windowed_driver_ops);
	iommufd_unregister_driver(&mock_driver_ops);
	mock_faults_exit();
	irq_domain_remove(mock_irqs);
}
module_exit(mock_exit);

MODULE_DESCRIPTION("An IOMMU without hardware, for the selftests of iommufd");
MODULE_LICENSE("GPL");

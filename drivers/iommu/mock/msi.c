// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mock devices whose interrupts would have to be translated, as on Arm. They
 * raise none; there is only the window for them.
 */
#include <linux/module.h>
#include <linux/sizes.h>

#include "mock.h"

#define MSI_WINDOW 0x20000000
#define MSI_WINDOW_SIZE SZ_1M

/* Where no architecture needs it, the kernel cannot map interrupts. */
static bool sw_msi;
#if IS_ENABLED(CONFIG_IOMMU_DMA)
module_param(sw_msi, bool, 0644);
#endif
MODULE_PARM_DESC(sw_msi,
		 "Interrupts of devices have to be translated, in a window of 1 MiB at 0x20000000 (default: off)");

void mock_get_resv_regions(struct device *dev, struct list_head *head)
{
	struct iommu_resv_region *region;

	if (!READ_ONCE(sw_msi))
		return;
	region = iommu_alloc_resv_region(MSI_WINDOW, MSI_WINDOW_SIZE,
					 IOMMU_WRITE | IOMMU_NOEXEC | IOMMU_MMIO,
					 IOMMU_RESV_SW_MSI, GFP_KERNEL);
	/* The core has no way to be told of a failure. */
	if (region)
		list_add_tail(&region->list, head);
}

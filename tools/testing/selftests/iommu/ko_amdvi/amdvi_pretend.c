// SPDX-License-Identifier: GPL-2.0-only
/*
 * Has iommu_amdvi believe that a unit can more than it can, as long as this is loaded:
 * the driver makes all that it would make for one that does, and the tables are there
 * for the software walker. What the emulated unit then makes of requests of devices is
 * its own business.
 */
#include <linux/kprobes.h>
#include <linux/module.h>

#include "../../../../../drivers/iommu/amd/amdvi.h"

static ulong efr;
module_param(efr, ulong, 0400);
MODULE_PARM_DESC(efr, "Bits to add to the extended features");

static ulong efr2;
module_param(efr2, ulong, 0400);
MODULE_PARM_DESC(efr2, "Bits to add to the second register of them");

static struct amdvi_unit *pretender;
static u64 real_efr;
static u64 real_efr2;

static struct amdvi_unit *find_unit(void)
{
	struct pci_dev *pdev = NULL;
	struct iommu_device *iommu;

	for_each_pci_dev(pdev) {
		iommu = pdev->dev.iommu ? pdev->dev.iommu->iommu_dev : NULL;
		if (!iommu || strcmp(module_name(iommu->ops->owner), "iommu_amdvi"))
			continue;
		pci_dev_put(pdev);
		return to_amdvi_unit(container_of(iommu, struct x86_unit, iommu));
	}
	return NULL;
}

/* "LO HI" of an event, as if the unit had logged it. */
static int event_set(const char *text, const struct kernel_param *param)
{
	struct kprobe probe = { .symbol_name = "iommu_amdvi:amdvi_viommu_event" };
	void (*event)(const struct amdvi_unit *unit, u64 lo, u64 hi);
	u64 lo, hi;
	int rc;

	if (!pretender || sscanf(text, "%llx %llx", &lo, &hi) != 2)
		return -EINVAL;
	/* not exported; only its address is asked for */
	rc = register_kprobe(&probe);
	if (rc)
		return rc;
	event = (void *)probe.addr;
	unregister_kprobe(&probe);
	event(pretender, lo, hi);
	return 0;
}

static const struct kernel_param_ops event_ops = { .set = event_set };
module_param_cb(event, &event_ops, NULL, 0200);
MODULE_PARM_DESC(event, "Words of an event to hand to the driver");

static int __init pretend_init(void)
{
	pretender = find_unit();
	if (!pretender)
		return -ENODEV;
	real_efr = pretender->efr;
	real_efr2 = pretender->efr2;
	pretender->efr |= efr;
	pretender->efr2 |= efr2;
	return 0;
}
module_init(pretend_init);

static void __exit pretend_exit(void)
{
	pretender->efr = real_efr;
	pretender->efr2 = real_efr2;
}
module_exit(pretend_exit);

MODULE_DESCRIPTION("Lets an AMD-Vi unit seem to have more features, for tests");
MODULE_LICENSE("GPL");

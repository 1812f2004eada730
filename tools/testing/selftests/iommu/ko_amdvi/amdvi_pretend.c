// SPDX-License-Identifier: GPL-2.0-only
/*
 * Has iommu_amdvi believe that a unit can more than it can, as long as this is loaded:
 * the driver makes all that it would make for one that does, and the tables are there
 * for the software walker. What the emulated unit then makes of requests of devices is
 * its own business. Or it believes that devices do not answer.
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

static uint pasids;
module_param(pasids, uint, 0400);
MODULE_PARM_DESC(pasids, "How many PASIDs the unit, and all devices behind it, have");

static bool mute;
module_param(mute, bool, 0600);
MODULE_PARM_DESC(mute, "No device answers when it is told to forget translations");

static struct amdvi_unit *pretender;
static u64 real_efr;
static u64 real_efr2;
static u32 real_pasids;

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

/* What is not exported; only its address is asked for. */
static void *address_of(const char *symbol)
{
	struct kprobe probe = { .symbol_name = symbol };
	void *address;

	if (register_kprobe(&probe))
		return NULL;
	address = probe.addr;
	unregister_kprobe(&probe);
	return address;
}

/* "LO HI" of an event, as if the unit had logged it. */
static int event_set(const char *text, const struct kernel_param *param)
{
	void (*event)(const struct amdvi_unit *unit, u64 lo, u64 hi);
	u64 lo, hi;

	if (!pretender || sscanf(text, "%llx %llx", &lo, &hi) != 2)
		return -EINVAL;
	event = address_of("iommu_amdvi:amdvi_viommu_event");
	if (!event)
		return -ENOENT;
	event(pretender, lo, hi);
	return 0;
}

static const struct kernel_param_ops event_ops = { .set = event_set };
module_param_cb(event, &event_ops, NULL, 0200);
MODULE_PARM_DESC(event, "Words of an event to hand to the driver");

/* The kernel asks a device for its PASIDs when one is attached, and when it goes. */
static void give_pasids(u32 nr)
{
	struct pci_dev *pdev = NULL;

	pretender->x86.iommu.max_pasids = nr;
	for_each_pci_dev(pdev)
		if (pdev->dev.iommu && pdev->dev.iommu->iommu_dev ==
				       &pretender->x86.iommu)
			pdev->dev.iommu->max_pasids = nr;
}

static int no_answer(struct kretprobe_instance *instance, struct pt_regs *at)
{
	if (mute)
		regs_set_return_value(at, AMDVI_SILENT);
	return 0;
}

static struct kretprobe mute_probe = {
	.kp.symbol_name = "iommu_amdvi:amdvi_events_answer",
	.handler = no_answer,
};

static int __init pretend_init(void)
{
	int (*everything_init)(struct amdvi_unit *unit);
	int rc;

	pretender = find_unit();
	if (!pretender)
		return -ENODEV;
	if (pasids && !pretender->everything) {
		/* stays with the unit, which frees it */
		everything_init = address_of("iommu_amdvi:amdvi_everything_init");
		if (!everything_init || everything_init(pretender))
			return -ENOMEM;
	}
	rc = register_kretprobe(&mute_probe);
	if (rc)
		return rc;
	real_pasids = pretender->x86.iommu.max_pasids;
	real_efr = pretender->efr;
	real_efr2 = pretender->efr2;
	pretender->efr |= efr;
	pretender->efr2 |= efr2;
	if (pasids)
		give_pasids(pasids);
	return 0;
}
module_init(pretend_init);

static void __exit pretend_exit(void)
{
	unregister_kretprobe(&mute_probe);
	pretender->efr = real_efr;
	pretender->efr2 = real_efr2;
	if (pasids)
		give_pasids(real_pasids);
}
module_exit(pretend_exit);

MODULE_DESCRIPTION("Lets an AMD-Vi unit seem to have more features, for tests");
MODULE_LICENSE("GPL");

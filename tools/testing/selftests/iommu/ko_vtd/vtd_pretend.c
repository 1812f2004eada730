// SPDX-License-Identifier: GPL-2.0-only
/*
 * Has iommu_vtd believe that a unit can more than it can, as long as this is loaded.
 * No emulated unit nests: with this the driver makes all that it would make for one
 * that does, and the tables are there for the software walker. Requests of devices
 * are refused by the emulated unit meanwhile, which is what the spec asks of it. Or it
 * believes that devices do not answer.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/sysfs.h>

#include "../../../../../drivers/iommu/intel/spec/queue.h"
#include "../../../../../drivers/iommu/intel/vtd.h"

static ulong ecap;
module_param(ecap, ulong, 0400);
MODULE_PARM_DESC(ecap, "Bits to add to the extended capability register");

static bool wide;
module_param(wide, bool, 0400);
MODULE_PARM_DESC(wide, "Addresses of 57 bits and tables of 5 levels, of both stages");

static bool mute;
module_param(mute, bool, 0400);
MODULE_PARM_DESC(mute, "No device answers when it is told to forget translations");

static struct vtd_unit *pretender;
static u64 real_cap;
static u64 real_ecap;

static struct vtd_unit *find_unit(void)
{
	struct pci_dev *pdev = NULL;
	struct iommu_device *iommu;

	for_each_pci_dev(pdev) {
		if (!pdev->dev.iommu)
			continue;
		iommu = pdev->dev.iommu->iommu_dev;
		if (!iommu || strcmp(module_name(iommu->ops->owner), "iommu_vtd"))
			continue;
		pci_dev_put(pdev);
		return to_vtd_unit(iommu);
	}
	return NULL;
}

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

/* "LO HI" of a fault record, as if the unit had recorded it. */
static int fault_set(const char *text, const struct kernel_param *kp)
{
	void (*fault)(struct vtd_unit *unit, u64 lo, u64 hi);
	u64 lo, hi;

	if (!pretender || sscanf(text, "%llx %llx", &lo, &hi) != 2)
		return -EINVAL;
	fault = address_of("vtd_viommu_fault");
	if (!fault)
		return -ENOENT;
	fault(pretender, lo, hi);
	return 0;
}

static const struct kernel_param_ops fault_ops = {
	.set = fault_set,
};
module_param_cb(fault, &fault_ops, NULL, 0200);
MODULE_PARM_DESC(fault, "Words of a fault record to hand to the driver");

/* Where the next descriptor goes, in units of 128 bits. */
static unsigned int queue_tail(void)
{
	return vtd_read64(pretender, VTD_IQT) / sizeof(struct vtd_entry);
}

static unsigned int queue_mark;

static int queue_set(const char *text, const struct kernel_param *kp)
{
	if (!pretender)
		return -EINVAL;
	queue_mark = queue_tail();
	return 0;
}

/* "LO HI" of each descriptor since the last write, but for wait descriptors. */
static int queue_get(char *buffer, const struct kernel_param *kp)
{
	const struct vtd_entry *ring;
	unsigned int tail, step, i;
	int length = 0;
	u64 address;

	if (!pretender)
		return -EINVAL;
	address = vtd_read64(pretender, VTD_IQA);
	ring = phys_to_virt(address & GENMASK_ULL(51, 12));
	/* a page; bit 11: descriptors of 256 bits */
	step = address & BIT(11) ? 2 : 1;
	tail = queue_tail();
	for (i = queue_mark; i != tail;
	     i = (i + step) % (PAGE_SIZE / sizeof(*ring)))
		if (FIELD_GET(VTD_QI_TYPE, ring[i].lo) != VTD_QI_WAIT)
			length += sysfs_emit_at(buffer, length, "%llx %llx\n",
						ring[i].lo, ring[i].hi);
	return length;
}

static const struct kernel_param_ops queue_ops = {
	.set = queue_set,
	.get = queue_get,
};
module_param_cb(queue, &queue_ops, NULL, 0600);
MODULE_PARM_DESC(queue, "What was put into the invalidation queue since this was written");

static int no_answer(struct kretprobe_instance *instance, struct pt_regs *at)
{
	regs_set_return_value(at, -ETIMEDOUT);
	return 0;
}

static struct kretprobe mute_probe = {
	.kp.symbol_name = "iommu_vtd:vtd_queue_submit",
	.handler = no_answer,
};

static int __init pretend_init(void)
{
	int rc;

	pretender = find_unit();
	if (!pretender)
		return -ENODEV;
	rc = mute ? register_kretprobe(&mute_probe) : 0;
	if (rc)
		return rc;
	real_cap = pretender->cap;
	real_ecap = pretender->ecap;
	pretender->ecap |= ecap;
	if (wide)
		pretender->cap = (real_cap & ~VTD_CAP_MGAW) | VTD_CAP_FS5LP |
				 FIELD_PREP(VTD_CAP_MGAW, 57 - 1) |
				 FIELD_PREP(VTD_CAP_SAGAW, BIT(5 - 2));
	return 0;
}
module_init(pretend_init);

static void __exit pretend_exit(void)
{
	if (mute)
		unregister_kretprobe(&mute_probe);
	pretender->cap = real_cap;
	pretender->ecap = real_ecap;
}
module_exit(pretend_exit);

MODULE_DESCRIPTION("Lets a VT-d unit seem to have more capabilities, for tests");
MODULE_LICENSE("GPL");

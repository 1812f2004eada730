// SPDX-License-Identifier: GPL-2.0-only
/*
 * For tests: iommu_vtd's invalidation queue with a unit in software, which takes
 * descriptors from it as 6.5.2 says and makes the errors that no emulator makes.
 * All is done when the module is loaded; its parameter "result" has a line for
 * each test: its name and ok, or what was wrong.
 *
 * The unit is a thread on another CPU than the one that waits for it, and its
 * registers are ordinary memory but for what writing to them does.
 */
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/workqueue.h>

#include "../../../../../drivers/iommu/intel/vtd.h"

static void soft_write(struct vtd_unit *vtd, unsigned int reg, u32 value);

#define vtd_write soft_write
#include "../../../../../drivers/iommu/intel/queue.c"

#define TAKEN		1024

static char result[1024];
module_param_string(result, result, sizeof(result), 0444);

/**
 * struct soft_unit - the unit in software
 * @regs: a page
 * @head: as IQH
 * @refuse: descriptors of this type are refused, as often as @refusals says
 * @refusals: how often
 * @mute: devices do not answer
 * @taken: what it was told to forget, in order
 * @nr: how many of them
 *
 * The test changes it only while the queue is empty.
 */
static struct soft_unit {
	void *regs;
	unsigned int head;
	unsigned int refuse;
	unsigned int refusals;
	bool mute;
	struct vtd_entry taken[TAKEN];
	unsigned int nr;
} soft;

static struct vtd_unit unit;
static struct vtd_device vdev;

int vtd_command(struct vtd_unit *vtd, u32 bit, bool on)
{
	return 0;
}

static atomic_t *fsts(void)
{
	return soft.regs + VTD_FSTS;
}

/* The only one that is written so has bits that writing ones clears. */
static void soft_write(struct vtd_unit *vtd, unsigned int reg, u32 value)
{
	if (reg == VTD_FSTS)
		atomic_andnot(value, fsts());
}

static unsigned int soft_tail(void)
{
	return READ_ONCE(*(u64 *)(soft.regs + VTD_IQT)) / sizeof(struct vtd_entry);
}

static void soft_next(void)
{
	soft.head = (soft.head + unit.queue.step) % QUEUE_SLOTS;
	WRITE_ONCE(*(u64 *)(soft.regs + VTD_IQH),
		   soft.head * sizeof(struct vtd_entry));
}

/* What waits for a device that does not answer is given up. */
static void soft_time_out(void)
{
	while (soft.head != soft_tail())
		soft_next();
	atomic_or(VTD_FSTS_ITE, fsts());
}

static void soft_take(void)
{
	struct vtd_entry *slot = &unit.queue.descriptors[soft.head];
	unsigned int type = FIELD_GET(VTD_QI_TYPE, slot->lo);

	/* one that waits for nothing, and tells nobody, is not right */
	if (type == VTD_QI_WAIT && !(slot->lo & VTD_QI_WAIT_LO_SW)) {
		atomic_or(VTD_FSTS_IQE, fsts());
		return;
	}
	if (type == soft.refuse && soft.refusals) {
		soft.refusals--;
		atomic_or(VTD_FSTS_IQE, fsts());
		return;
	}
	soft_next();
	if (type == VTD_QI_WAIT) {
		WRITE_ONCE(*(u32 *)phys_to_virt(slot->hi),
			   FIELD_GET(VTD_QI_WAIT_LO_DATA, slot->lo));
		return;
	}
	if (soft.nr < TAKEN)
		soft.taken[soft.nr++] = *slot;
	if (type == VTD_QI_DEVICE_TLB && soft.mute)
		soft_time_out();
}

static int soft_run(void *unused)
{
	while (!kthread_should_stop()) {
		/* an error stops it */
		if (!atomic_read(fsts()) && soft.head != soft_tail())
			soft_take();
		cond_resched();
	}
	return 0;
}

static unsigned int type_of(unsigned int i)
{
	return i < soft.nr ? FIELD_GET(VTD_QI_TYPE, soft.taken[i].lo) : 0;
}

static unsigned int granularity(unsigned int i)
{
	return FIELD_GET(VTD_QI_LO_G, soft.taken[i].lo);
}

#define WANT(what) do { if (!(what)) return #what; } while (0)

static const char *plain(void)
{
	vtd_forget_domain(&unit, 7);
	WANT(soft.nr == 1 && type_of(0) == VTD_QI_IOTLB);
	WANT(granularity(0) == VTD_G_DOMAIN);
	WANT(FIELD_GET(VTD_QI_LO_DID, soft.taken[0].lo) == 7);
	return NULL;
}

static const char *around(void)
{
	unsigned int i;

	for (i = 0; i < 2 * QUEUE_SLOTS; i++)
		vtd_forget_domain(&unit, i);
	WANT(soft.nr == 2 * QUEUE_SLOTS);
	for (i = 0; i < 2 * QUEUE_SLOTS; i++)
		WANT(FIELD_GET(VTD_QI_LO_DID, soft.taken[i].lo) == i);
	return NULL;
}

/* What the unit does not take is made up for, and the next one is as ever. */
static const char *refused(void)
{
	soft.refuse = VTD_QI_IOTLB;
	soft.refusals = 1;
	vtd_forget_domain(&unit, 7);
	WANT(type_of(0) == VTD_QI_CONTEXT && granularity(0) == VTD_G_GLOBAL);
	if (unit.scalable)
		WANT(type_of(1) == VTD_QI_PASID &&
		     granularity(1) == VTD_G_PASID_GLOBAL);
	WANT(soft.nr == 2 + unit.scalable);
	WANT(type_of(1 + unit.scalable) == VTD_QI_IOTLB);
	WANT(granularity(1 + unit.scalable) == VTD_G_GLOBAL);
	soft.nr = 0;
	return plain();
}

/* A wait descriptor that is not taken does not stop the queue either. */
static const char *wait_refused(void)
{
	soft.refuse = VTD_QI_WAIT;
	soft.refusals = 1;
	vtd_forget_domain(&unit, 7);
	WANT(soft.nr && type_of(0) == VTD_QI_IOTLB);
	soft.nr = 0;
	return plain();
}

static const char *mute(void)
{
	soft.mute = true;
	WANT(vtd_forget_device_tlb(&vdev, IOMMU_NO_PASID, 0, 4095) == -ETIMEDOUT);
	soft.mute = false;
	soft.nr = 0;
	return plain();
}

static const char *device_refused(void)
{
	soft.refuse = VTD_QI_DEVICE_TLB;
	soft.refusals = 1;
	WANT(vtd_forget_device_tlb(&vdev, IOMMU_NO_PASID, 0, 4095) == -EINVAL);
	WANT(!soft.nr);
	return plain();
}

/* The bits of 6.5.2.5 and 6.5.2.6, counted by hand. */
static const char *device_bits(void)
{
	u64 sid = pci_dev_id(to_pci_dev(vdev.dev));
	u64 pf = unit.ecap & VTD_ECAP_DIT ? (sid & 0xf) << 12 | sid >> 4 << 52 : 0;

	WANT(!vtd_forget_device_tlb(&vdev, IOMMU_NO_PASID, 0x5000, 0x5fff));
	WANT(soft.taken[0].lo == (3 | 9 << 16 | sid << 32 | pf));
	WANT(soft.taken[0].hi == 0x5000);
	/* 8 pages from 0x8000 on: two ones, a zero */
	WANT(!vtd_forget_device_tlb(&vdev, IOMMU_NO_PASID, 0x8000, 0xffff));
	WANT(soft.taken[1].hi == (0xb000 | 1));
	WANT(!vtd_forget_device_tlb(&vdev, IOMMU_NO_PASID, 0x4000, 0x5fff));
	WANT(soft.taken[2].hi == (0x4000 | 1));
	WANT(!vtd_forget_device_tlb(&vdev, IOMMU_NO_PASID, 0, U64_MAX));
	WANT(soft.taken[3].hi == (0x7ffffffffffff000 | 1));
	WANT(!vtd_forget_device_tlb(&vdev, 0x12345, 0x8000, 0xffff));
	WANT(soft.taken[4].lo == (8 | 9 << 4 | sid << 16 | 0x12345ULL << 32 | pf));
	WANT(soft.taken[4].hi == (0xb000 | BIT(11)));
	return NULL;
}

static const struct {
	const char *name;
	const char *(*run)(void);
} cases[] = {
	{ "plain", plain }, { "around", around }, { "refused", refused },
	{ "wait_refused", wait_refused }, { "mute", mute },
	{ "device_refused", device_refused }, { "device_bits", device_bits },
};

static void one_mode(const char *mode, bool scalable, u64 ecap)
{
	struct task_struct *thread;
	unsigned int i;

	unit.scalable = scalable;
	unit.ecap = ecap;
	memset(soft.regs, 0, PAGE_SIZE);
	soft.head = 0;
	if (vtd_queue_init(&unit))
		return;
	thread = kthread_create(soft_run, NULL, "vtd_queue_test");
	if (!IS_ERR(thread)) {
		kthread_bind(thread, cpumask_any_but(cpu_online_mask,
						     raw_smp_processor_id()));
		wake_up_process(thread);
		for (i = 0; i < ARRAY_SIZE(cases); i++) {
			const char *wrong;

			soft.nr = 0;
			wrong = cases[i].run();
			snprintf(result + strlen(result),
				 sizeof(result) - strlen(result), "%s-%s %s\n",
				 mode, cases[i].name, wrong ?: "ok");
		}
		kthread_stop(thread);
	}
	vtd_queue_fini(&unit);
}

/* Not to be moved to the CPU of the unit. */
static long run_all(void *unused)
{
	one_mode("legacy", false, 0);
	one_mode("scalable", true, VTD_ECAP_DIT);
	return 0;
}

static int __init queue_test_init(void)
{
	struct pci_dev *pdev = pci_get_device(PCI_ANY_ID, PCI_ANY_ID, NULL);

	/* the last there is, which has no id of zeroes */
	while (pdev && !pci_dev_id(pdev))
		pdev = pci_get_device(PCI_ANY_ID, PCI_ANY_ID, pdev);
	if (!pdev || num_online_cpus() < 2) {
		pci_dev_put(pdev);
		return -ENODEV;
	}
	soft.regs = (void *)get_zeroed_page(GFP_KERNEL);
	if (soft.regs) {
		strscpy(unit.name, "vtd_queue_test");
		unit.regs = (void __iomem *)soft.regs;
		vdev.dev = &pdev->dev;
		vdev.unit = &unit;
		vdev.ats_pending = 9;
		work_on_cpu(cpumask_first(cpu_online_mask), run_all, NULL);
		free_page((unsigned long)soft.regs);
	}
	pci_dev_put(pdev);
	return soft.regs ? 0 : -ENOMEM;
}
module_init(queue_test_init);

static void __exit queue_test_exit(void)
{
}
module_exit(queue_test_exit);

MODULE_DESCRIPTION("Tests iommu_vtd's invalidation queue");
MODULE_LICENSE("GPL");

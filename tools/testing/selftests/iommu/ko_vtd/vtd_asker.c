// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device that asks for pages (../ko/asker.h), and a unit that hears it: while this is
 * loaded the registers of the unit's page request queue are a page of
 * memory. What it asks for is written to /sys/module/vtd_asker/parameters/requests; the
 * driver learns of it by its real interrupt. What the driver does is listed, in its
 * order, in log.
 */
#include <linux/irq.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/sysfs.h>

#include "../../../../../drivers/iommu/intel/spec/prq.h"
#include "../../../../../drivers/iommu/intel/vtd.h"
#include "../ko/asker.h"

/* as prq.c has it */
#define PRQ_ORDER	5

static bool real;
module_param(real, bool, 0400);
MODULE_PARM_DESC(real, "Leave the registers of the unit alone");

static uint status = VTD_PRS_PPR;
module_param(status, uint, 0600);
MODULE_PARM_DESC(status, "What stands in PRS when there are requests");

static struct vtd_unit *unit;
static void *registers;

static u32 register_get(unsigned int at)
{
	return readl(unit->prq.regs + at);
}

static void register_set(unsigned int at, u32 value)
{
	writel(value, unit->prq.regs + at);
}

/* As hardware does it: the descriptor, then the tail. */
static void enqueue(const u64 q[4])
{
	u32 size = PAGE_SIZE << (register_get(VTD_PQA) & VTD_PQA_PQS);
	u32 tail = register_get(VTD_PQT);

	memcpy((void *)unit->prq.slots + tail, q, VTD_PRQ_BYTES);
	/* who sees the tail sees it */
	smp_wmb();
	register_set(VTD_PQT, (tail + VTD_PRQ_BYTES) % size);
}

static int answer_seen(struct kprobe *probe, struct pt_regs *regs)
{
	u64 lo = regs->si, hi = regs->dx;
	unsigned long flags;

	if ((void *)regs->di != unit)
		return 0;
	raw_spin_lock_irqsave(&lock, flags);
	/* what stands in PRS was written by the driver */
	note("response %llx %llx prs %u\n", lo, hi, register_get(VTD_PRS));
	raw_spin_unlock_irqrestore(&lock, flags);
	return 0;
}

static int drain_seen(struct kprobe *probe, struct pt_regs *regs)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&lock, flags);
	note("drain\n");
	raw_spin_unlock_irqrestore(&lock, flags);
	return 0;
}

static int forget_seen(struct kprobe *probe, struct pt_regs *regs)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&lock, flags);
	note("forget\n");
	/* memory does not do by itself what a register does with such a write */
	if (!real && register_get(VTD_PRS) == VTD_PRS_PRO)
		register_set(VTD_PRS, 0);
	if (has_late)
		enqueue(late);
	has_late = false;
	raw_spin_unlock_irqrestore(&lock, flags);
	return 0;
}

static struct kprobe probes[] = {
	{ .symbol_name = "vtd_answer_requests", .pre_handler = answer_seen },
	{ .symbol_name = "vtd_drain_requests", .pre_handler = drain_seen },
	{ .symbol_name = "vtd_forget_device_tlb", .pre_handler = forget_seen },
};

static struct kprobe *probe_list[ARRAY_SIZE(probes)];

/* Lines of up to four words each. */
static int requests_set(const char *text, const struct kernel_param *kp)
{
	struct irq_data *irq;
	unsigned long flags;
	u64 q[4];
	int rc = 0;

	if (!unit || !unit->prq.slots)
		return -ENODEV;
	raw_spin_lock_irqsave(&lock, flags);
	while (!rc && text && *text && *text != '\n') {
		rc = words(text, q);
		if (!rc)
			enqueue(q);
		text = strchr(text, '\n');
		if (text)
			text++;
	}
	if (!real)
		register_set(VTD_PRS, status);
	raw_spin_unlock_irqrestore(&lock, flags);
	if (rc || silent)
		return rc;
	/* the message that hardware would send now */
	irq = irq_get_irq_data(unit->prq.irq);
	return irq->chip->irq_retrigger(irq) ? 0 : -EIO;
}

static const struct kernel_param_ops requests_ops = { .set = requests_set };
module_param_cb(requests, &requests_ops, NULL, 0200);
MODULE_PARM_DESC(requests, "Words of page request descriptors, a line each");

/* Head, tail, status, the first word of the device's context entry, address, control. */
static int state_get(char *buffer, const struct kernel_param *kp)
{
	u16 sid = pci_dev_id(pdev);
	struct vtd_entry *root = &unit->root[PCI_BUS_NUM(sid)];
	u64 pointer = sid & 0x80 ? root->hi : root->lo;
	struct vtd_scontext *table = phys_to_virt(pointer & VTD_ROOT_CTP);

	return sysfs_emit(buffer, "%u %u %u %llx %llx %x\n",
			  register_get(VTD_PQH), register_get(VTD_PQT),
			  register_get(VTD_PRS), table[sid & 0x7f].w[0],
			  readq(unit->prq.regs + VTD_PQA),
			  vtd_read(unit, VTD_PECTL));
}

static const struct kernel_param_ops state_ops = { .get = state_get };
module_param_cb(state, &state_ops, NULL, 0400);
MODULE_PARM_DESC(state, "Head, tail, status, context entry, address, control");

/* Instead of the unit's, with a queue that there may be already. */
static void play_registers(void)
{
	unit->prq.regs = (void __force __iomem *)registers;
	if (unit->prq.slots)
		writeq(virt_to_phys(unit->prq.slots) | PRQ_ORDER,
		       unit->prq.regs + VTD_PQA);
}

static void give_registers_back(void)
{
	u64 address = readq(unit->prq.regs + VTD_PQA);

	unit->prq.regs = unit->regs;
	/* a test may have moved it */
	writeq(readq(unit->regs + VTD_PQT), unit->regs + VTD_PQH);
	writeq(address, unit->regs + VTD_PQA);
}

static int __init asker_init(void)
{
	unsigned int i;
	struct iommu_device *iommu = asker_find("iommu_vtd");
	int rc;

	if (!iommu)
		return -ENODEV;
	unit = to_vtd_unit(iommu);
	registers = (void *)get_zeroed_page(GFP_KERNEL);
	if (!registers) {
		pci_dev_put(pdev);
		return -ENOMEM;
	}
	for (i = 0; i < ARRAY_SIZE(probes); i++)
		probe_list[i] = &probes[i];
	rc = register_kprobes(probe_list, ARRAY_SIZE(probes));
	if (rc) {
		free_page((unsigned long)registers);
		pci_dev_put(pdev);
		return rc;
	}
	if (!real)
		play_registers();
	asker_start();
	return 0;
}
module_init(asker_init);

/* The device is not attached any more. */
static void __exit asker_exit(void)
{
	asker_stop();
	if (!real)
		give_registers_back();
	unregister_kprobes(probe_list, ARRAY_SIZE(probes));
	free_page((unsigned long)registers);
	pci_dev_put(pdev);
}
module_exit(asker_exit);

MODULE_DESCRIPTION("A device that asks for pages, for tests of iommu_vtd");
MODULE_LICENSE("GPL");

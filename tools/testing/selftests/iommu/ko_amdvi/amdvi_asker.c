// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device that asks for pages (../ko/asker.h), and a unit that hears it: while this is
 * loaded the registers of the unit's log of page requests are pages of memory. What it
 * asks for is written to /sys/module/amdvi_asker/parameters/requests; the driver learns
 * of it by its real interrupt.
 */
#include <linux/irq.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/sysfs.h>

#include "../../../../../drivers/iommu/amd/amdvi.h"
#include "../ko/asker.h"

/* as ppr.c has it */
#define LOG_ORDER 3
/* up to the last register of the log */
#define REGISTERS_ORDER 2

static uint status = AMDVI_STS_PPR;
module_param(status, uint, 0600);
MODULE_PARM_DESC(status, "What stands in the status register when there are requests");

static struct amdvi_unit *unit;
static void *registers;
/* There was a log before this. */
static bool had_log;

static u64 register_get(unsigned int at)
{
	return readq(unit->ppr.regs + at);
}

static void register_set(unsigned int at, u64 value)
{
	writeq(value, unit->ppr.regs + at);
}

/* As hardware does it: the entry, then the tail. */
static void enqueue(const u64 q[4])
{
	u32 size = PAGE_SIZE << LOG_ORDER;
	u32 tail = register_get(AMDVI_PPR_TAIL);

	memcpy((void *)unit->ppr.entries + tail, q, sizeof(struct amdvi_command));
	/* who sees the tail sees it */
	smp_wmb();
	register_set(AMDVI_PPR_TAIL, (tail + sizeof(struct amdvi_command)) % size);
}

static int answer_seen(struct kprobe *probe, struct pt_regs *regs)
{
	u64 lo = regs->si, hi = regs->dx;
	unsigned long flags;

	if ((void *)regs->di != unit)
		return 0;
	raw_spin_lock_irqsave(&lock, flags);
	note("response %llx %llx\n", lo, hi);
	raw_spin_unlock_irqrestore(&lock, flags);
	return 0;
}

static int forget_seen(struct kprobe *probe, struct pt_regs *regs)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&lock, flags);
	note("forget\n");
	if (has_late)
		enqueue(late);
	has_late = false;
	raw_spin_unlock_irqrestore(&lock, flags);
	return 0;
}

/* Memory does not do by itself what the status register does. */
static int switch_seen(struct kprobe *probe, struct pt_regs *regs)
{
	unsigned long flags;
	bool on = regs->si & 0xff;

	raw_spin_lock_irqsave(&lock, flags);
	note("log %u\n", on);
	register_set(AMDVI_STATUS, on ? AMDVI_STS_PPR_RUN : 0);
	raw_spin_unlock_irqrestore(&lock, flags);
	return 0;
}

static struct kprobe probes[] = {
	{ .symbol_name = "iommu_amdvi:amdvi_answer_requests",
	  .pre_handler = answer_seen },
	{ .symbol_name = "iommu_amdvi:amdvi_batch_device_tlb",
	  .pre_handler = forget_seen },
	{ .symbol_name = "iommu_amdvi:amdvi_ppr_switch",
	  .pre_handler = switch_seen },
};

static struct kprobe *probe_list[ARRAY_SIZE(probes)];

/* Lines of two words each. */
static int requests_set(const char *text, const struct kernel_param *kp)
{
	struct irq_data *irq;
	unsigned long flags;
	u64 q[4];
	int rc = 0;

	if (!unit || !unit->ppr.entries)
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
	register_set(AMDVI_STATUS, register_get(AMDVI_STATUS) | status);
	raw_spin_unlock_irqrestore(&lock, flags);
	if (rc || silent)
		return rc;
	/* the message that hardware would send now */
	irq = irq_get_irq_data(unit->irq);
	return irq->chip->irq_retrigger(irq) ? 0 : -EIO;
}

static const struct kernel_param_ops requests_ops = { .set = requests_set };
module_param_cb(requests, &requests_ops, NULL, 0200);
MODULE_PARM_DESC(requests, "Words of entries of the log, a line each");

/* Head, tail, where the log is, the unit's control register, the device's entry. */
static int state_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%llu %llu %llx %llx %llx\n",
			  register_get(AMDVI_PPR_HEAD), register_get(AMDVI_PPR_TAIL),
			  register_get(AMDVI_PPR_LOG), amdvi_read(unit, AMDVI_CONTROL),
			  unit->table[pci_dev_id(pdev)].w[0]);
}

static const struct kernel_param_ops state_ops = { .get = state_get };
module_param_cb(state, &state_ops, NULL, 0400);
MODULE_PARM_DESC(state, "Head, tail, log, control, device's entry");

static int __init asker_init(void)
{
	struct iommu_device *iommu = asker_find("iommu_amdvi");
	unsigned int i;
	int rc;

	if (!iommu)
		return -ENODEV;
	unit = to_amdvi_unit(container_of(iommu, struct x86_unit, iommu));
	registers = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, REGISTERS_ORDER);
	if (!registers) {
		pci_dev_put(pdev);
		return -ENOMEM;
	}
	for (i = 0; i < ARRAY_SIZE(probes); i++)
		probe_list[i] = &probes[i];
	rc = register_kprobes(probe_list, ARRAY_SIZE(probes));
	if (rc) {
		free_pages((unsigned long)registers, REGISTERS_ORDER);
		pci_dev_put(pdev);
		return rc;
	}
	had_log = unit->ppr.entries;
	unit->ppr.regs = (void __force __iomem *)registers;
	asker_start();
	return 0;
}
module_init(asker_init);

/* The device is not attached any more. */
static void __exit asker_exit(void)
{
	asker_stop();
	unregister_kprobes(probe_list, ARRAY_SIZE(probes));
	/* the unit does not know of it */
	if (unit->ppr.entries && !had_log) {
		amdvi_write(unit, AMDVI_CONTROL,
			    amdvi_read(unit, AMDVI_CONTROL) &
			    ~(AMDVI_CTL_PPR | AMDVI_CTL_PPR_INT | AMDVI_CTL_PPR_LOG));
		mutex_lock(&unit->x86.requests.lock);
		free_pages((unsigned long)unit->ppr.entries, LOG_ORDER);
		unit->ppr.entries = NULL;
		mutex_unlock(&unit->x86.requests.lock);
	}
	unit->ppr.regs = unit->regs;
	free_pages((unsigned long)registers, REGISTERS_ORDER);
	pci_dev_put(pdev);
}
module_exit(asker_exit);

MODULE_DESCRIPTION("A device that asks for pages, for tests of iommu_amdvi");
MODULE_LICENSE("GPL");

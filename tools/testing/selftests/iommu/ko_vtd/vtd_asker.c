// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device that asks for pages, and a unit that hears it: no emulated device has a page
 * request interface. While this is loaded a device with ATS has one as well, in its
 * configuration space, and the registers of the unit's page request queue are a page of
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

/* Where nothing else of a device is; the capability is not in the list. */
#define PRI		0xf00
/* as prq.c has it */
#define PRQ_ORDER	5

static char *device;
module_param(device, charp, 0400);
MODULE_PARM_DESC(device, "Which device, as in lspci -D");

static uint max = 64;
module_param(max, uint, 0600);
MODULE_PARM_DESC(max, "Requests that the device can have without an answer");

static bool busy;
module_param(busy, bool, 0600);
MODULE_PARM_DESC(busy, "The device does not say that it has stopped");

static bool real;
module_param(real, bool, 0400);
MODULE_PARM_DESC(real, "Leave the registers of the unit alone");

static bool silent;
module_param(silent, bool, 0600);
MODULE_PARM_DESC(silent, "Requests do not raise an interrupt");

static uint status = VTD_PRS_PPR;
module_param(status, uint, 0600);
MODULE_PARM_DESC(status, "What stands in PRS when there are requests");

static struct pci_dev *pdev;
static struct vtd_unit *unit;
static struct pci_ops *real_ops;
static struct pci_ops ops;

/* Protects what follows; taken in any context. */
static DEFINE_RAW_SPINLOCK(lock);
static char events[3072];
static size_t events_length;
static u16 control;
static u32 allocated;
static void *registers;
/* What is on its way when the device is told to forget translations. */
static u64 late[4];
static bool has_late;

static __printf(1, 2) void note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	events_length += vscnprintf(events + events_length,
				    sizeof(events) - events_length, format, args);
	va_end(args);
}

static u32 register_get(unsigned int at)
{
	return readl(unit->prq.regs + at);
}

static void register_set(unsigned int at, u32 value)
{
	writel(value, unit->prq.regs + at);
}

static u32 pri_get(int at)
{
	switch (at) {
	case PCI_PRI_CTRL:
		return control;
	case PCI_PRI_STATUS:
		return control & PCI_PRI_CTRL_ENABLE || busy ?
		       0 : PCI_PRI_STATUS_STOPPED;
	case PCI_PRI_MAX_REQ:
		return max;
	case PCI_PRI_ALLOC_REQ:
		return allocated;
	default:
		return 0;
	}
}

static int asker_read(struct pci_bus *bus, unsigned int devfn, int where,
		      int size, u32 *value)
{
	if (devfn != pdev->devfn || where < PRI ||
	    where >= PRI + PCI_EXT_CAP_PRI_SIZEOF)
		return real_ops->read(bus, devfn, where, size, value);
	*value = pri_get(where - PRI);
	return PCIBIOS_SUCCESSFUL;
}

static int asker_write(struct pci_bus *bus, unsigned int devfn, int where,
		       int size, u32 value)
{
	unsigned long flags;
	bool pri = where >= PRI && where < PRI + PCI_EXT_CAP_PRI_SIZEOF;

	if (devfn != pdev->devfn ||
	    (!pri && where != pdev->ats_cap + PCI_ATS_CTRL))
		return real_ops->write(bus, devfn, where, size, value);
	raw_spin_lock_irqsave(&lock, flags);
	if (where == PRI + PCI_PRI_CTRL) {
		control = value & PCI_PRI_CTRL_ENABLE;
		note("pri %x\n", value);
	} else if (where == PRI + PCI_PRI_ALLOC_REQ) {
		allocated = value;
		note("most %u\n", value);
	} else if (!pri) {
		note("ats %u\n", !!(value & PCI_ATS_CTRL_ENABLE));
	}
	raw_spin_unlock_irqrestore(&lock, flags);
	return pri ? PCIBIOS_SUCCESSFUL :
		     real_ops->write(bus, devfn, where, size, value);
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

static int words(const char *text, u64 q[4])
{
	char line[80];

	q[2] = 0;
	q[3] = 0;
	strscpy(line, text, min(sizeof(line), strcspn(text, "\n") + 1));
	return sscanf(line, "%llx %llx %llx %llx", &q[0], &q[1], &q[2],
		      &q[3]) >= 2 ? 0 : -EINVAL;
}

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

static int late_set(const char *text, const struct kernel_param *kp)
{
	unsigned long flags;
	u64 q[4];
	int rc = words(text, q);

	if (rc)
		return rc;
	raw_spin_lock_irqsave(&lock, flags);
	memcpy(late, q, sizeof(late));
	has_late = true;
	raw_spin_unlock_irqrestore(&lock, flags);
	return 0;
}

static const struct kernel_param_ops late_ops = { .set = late_set };
module_param_cb(late, &late_ops, NULL, 0200);
MODULE_PARM_DESC(late, "A request that comes when the device forgets translations");

static int log_set(const char *text, const struct kernel_param *kp)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&lock, flags);
	events_length = 0;
	raw_spin_unlock_irqrestore(&lock, flags);
	return 0;
}

static int log_get(char *buffer, const struct kernel_param *kp)
{
	unsigned long flags;
	int length;

	raw_spin_lock_irqsave(&lock, flags);
	length = events_length;
	memcpy(buffer, events, length);
	raw_spin_unlock_irqrestore(&lock, flags);
	return length;
}

static const struct kernel_param_ops log_ops = {
	.set = log_set,
	.get = log_get,
};
module_param_cb(log, &log_ops, NULL, 0600);
MODULE_PARM_DESC(log, "What the driver has done since this was written");

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

static int find_device(void)
{
	struct device *dev = device ? bus_find_device_by_name(&pci_bus_type, NULL,
							      device) : NULL;
	struct iommu_device *iommu;

	if (!dev)
		return -ENODEV;
	pdev = to_pci_dev(dev);
	iommu = dev->iommu ? dev->iommu->iommu_dev : NULL;
	if (!iommu || !pdev->ats_cap || pdev->pri_cap ||
	    strcmp(module_name(iommu->ops->owner), "iommu_vtd")) {
		pci_dev_put(pdev);
		return -ENODEV;
	}
	unit = to_vtd_unit(iommu);
	return 0;
}

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
	int rc = find_device();

	if (rc)
		return rc;
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
	real_ops = pdev->bus->ops;
	ops = *real_ops;
	ops.read = asker_read;
	ops.write = asker_write;
	pci_bus_set_ops(pdev->bus, &ops);
	pdev->pri_cap = PRI;
	return 0;
}
module_init(asker_init);

/* The device is not attached any more. */
static void __exit asker_exit(void)
{
	pdev->pri_cap = 0;
	pci_bus_set_ops(pdev->bus, real_ops);
	if (!real)
		give_registers_back();
	unregister_kprobes(probe_list, ARRAY_SIZE(probes));
	free_page((unsigned long)registers);
	pci_dev_put(pdev);
}
module_exit(asker_exit);

MODULE_DESCRIPTION("A device that asks for pages, for tests of iommu_vtd");
MODULE_LICENSE("GPL");

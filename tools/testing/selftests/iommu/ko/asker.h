/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A device that asks for pages, for test modules to include: no emulated device has a
 * page request interface. A device with ATS has one as well, in its configuration space.
 * What the driver does is listed, in its order, in the parameter log. Who includes this
 * plays the part of the unit.
 */
#ifndef IOMMU_ASKER_H
#define IOMMU_ASKER_H

#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/spinlock.h>

/* Where nothing else of a device is; the capability is not in the list. */
#define PRI		0xf00

static char *device;
module_param(device, charp, 0400);
MODULE_PARM_DESC(device, "Which device, as in lspci -D");

static uint max = 64;
module_param(max, uint, 0600);
MODULE_PARM_DESC(max, "Requests that the device can have without an answer");

static bool busy;
module_param(busy, bool, 0600);
MODULE_PARM_DESC(busy, "The device does not say that it has stopped");

static bool silent;
module_param(silent, bool, 0600);
MODULE_PARM_DESC(silent, "Requests do not raise an interrupt");

static struct pci_dev *pdev;
static struct pci_ops *real_ops;
static struct pci_ops ops;

/* Protects what follows; taken in any context. */
static DEFINE_RAW_SPINLOCK(lock);
static char events[3072];
static size_t events_length;
static u16 control;
static u32 allocated;
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

static int words(const char *text, u64 q[4])
{
	char line[80];

	q[2] = 0;
	q[3] = 0;
	strscpy(line, text, min(sizeof(line), strcspn(text, "\n") + 1));
	return sscanf(line, "%llx %llx %llx %llx", &q[0], &q[1], &q[2],
		      &q[3]) >= 2 ? 0 : -EINVAL;
}

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

/* The device of the parameter, behind a unit of a driver; NULL if it is not that. */
static struct iommu_device *asker_find(const char *driver)
{
	struct device *dev = device ? bus_find_device_by_name(&pci_bus_type, NULL,
							      device) : NULL;
	struct iommu_device *iommu;

	if (!dev)
		return NULL;
	pdev = to_pci_dev(dev);
	iommu = dev->iommu ? dev->iommu->iommu_dev : NULL;
	if (iommu && pdev->ats_cap && !pdev->pri_cap &&
	    !strcmp(module_name(iommu->ops->owner), driver))
		return iommu;
	pci_dev_put(pdev);
	return NULL;
}

/* It has a page request interface from now on. */
static void asker_start(void)
{
	real_ops = pdev->bus->ops;
	ops = *real_ops;
	ops.read = asker_read;
	ops.write = asker_write;
	pci_bus_set_ops(pdev->bus, &ops);
	pdev->pri_cap = PRI;
}

/* The device is not attached any more. */
static void asker_stop(void)
{
	pdev->pri_cap = 0;
	pci_bus_set_ops(pdev->bus, real_ops);
}

#endif

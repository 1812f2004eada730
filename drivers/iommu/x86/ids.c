// SPDX-License-Identifier: GPL-2.0-only
/* Under which ids the requests of a PCI device arrive. */
#include <linux/pci.h>

#include "x86.h"

/**
 * x86_visit_ids - the ids that requests of a device can come with
 * @pdev: the device
 * @fn: called with each of them, for some perhaps twice, until it fails
 * @arg: for @fn
 *
 * They are its own, those it uses as aliases, and those of bridges to PCI, which take
 * requests over in their own name. Every one counts: an id that was left out would
 * still be passed through.
 *
 * Return: what @fn did last
 */
int x86_visit_ids(struct pci_dev *pdev, x86_id_fn fn, void *arg)
{
	struct pci_bus *bus;
	unsigned int devfn;
	int rc;

	rc = fn(PCI_DEVID(pdev->bus->number, pdev->devfn), arg);
	if (pdev->dma_alias_mask)
		for_each_set_bit(devfn, pdev->dma_alias_mask, 256)
			rc = rc ?: fn(PCI_DEVID(pdev->bus->number, devfn), arg);
	for (bus = pdev->bus; bus->self && !rc; bus = bus->parent) {
		struct pci_dev *bridge = bus->self;

		if (!pci_is_pcie(bridge) ||
		    pci_pcie_type(bridge) == PCI_EXP_TYPE_PCIE_BRIDGE)
			rc = fn(PCI_DEVID(bridge->bus->number, bridge->devfn),
				arg);
		else if (pci_pcie_type(bridge) == PCI_EXP_TYPE_PCI_BRIDGE)
			rc = fn(PCI_DEVID(bus->number, 0), arg);
	}
	return rc;
}

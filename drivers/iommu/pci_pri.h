/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The page request interface of a PCI device, a capability in its configuration space,
 * whichever IOMMU is above it. The PCI core restores it after a reset of the device from
 * the fields in struct pci_dev, but exports no function to switch it on. For drivers to
 * include.
 */
#ifndef __IOMMU_PCI_PRI_H
#define __IOMMU_PCI_PRI_H

#include <linux/iopoll.h>
#include <linux/pci.h>

/* As long as answers are on their way; there is no limit in PCIe. */
#define PCI_PRI_STOP_US USEC_PER_SEC

/**
 * pci_pri_lacks - what a device lacks for page requests
 * @pdev: the device
 *
 * Return: what, or NULL if it has all
 */
static inline const char *pci_pri_lacks(const struct pci_dev *pdev)
{
	/* it would send them by the capability of its physical function */
	if (pdev->is_virtfn)
		return "it is a virtual function";
	return pdev->pri_cap ? NULL : "the device has no page request interface";
}

static inline u16 pci_pri_status(struct pci_dev *pdev)
{
	u16 status;

	/* one that is gone has stopped */
	return pci_read_config_word(pdev, pdev->pri_cap + PCI_PRI_STATUS, &status) ?
	       PCI_PRI_STATUS_STOPPED : status;
}

/**
 * pci_pri_on - let a device send page requests
 * @pdev: the device; its ATS is on
 * @most: that may be without an answer at a time, not 0
 *
 * Context: may sleep.
 * Return: 0; -EBUSY if requests from before are without an answer; -EIO if configuration
 *	   space cannot be reached
 */
static inline int pci_pri_on(struct pci_dev *pdev, u32 most)
{
	u32 capacity;
	u16 control;

	if (pci_read_config_word(pdev, pdev->pri_cap + PCI_PRI_CTRL, &control) ||
	    pci_read_config_dword(pdev, pdev->pri_cap + PCI_PRI_MAX_REQ, &capacity))
		return -EIO;
	if (control & PCI_PRI_CTRL_ENABLE ||
	    !(pci_pri_status(pdev) & PCI_PRI_STATUS_STOPPED))
		return -EBUSY;
	/* what was asked for before is forgotten, and counted from 0 */
	pci_write_config_word(pdev, pdev->pri_cap + PCI_PRI_CTRL, PCI_PRI_CTRL_RESET);
	pdev->pri_reqs_alloc = min(most, capacity);
	pci_write_config_dword(pdev, pdev->pri_cap + PCI_PRI_ALLOC_REQ,
			       pdev->pri_reqs_alloc);
	pci_write_config_word(pdev, pdev->pri_cap + PCI_PRI_CTRL, PCI_PRI_CTRL_ENABLE);
	pdev->pri_enabled = 1;
	return 0;
}

/**
 * pci_pri_off - have a device send no more page requests
 * @pdev: the device, for which pci_pri_on() has succeeded; its ATS is still on
 *
 * What it has sent may still be on its way, and waits for its answer.
 */
static inline void pci_pri_off(struct pci_dev *pdev)
{
	pci_write_config_word(pdev, pdev->pri_cap + PCI_PRI_CTRL, 0);
	pdev->pri_enabled = 0;
}

/**
 * pci_pri_settle - see that a device has had its answers
 * @pdev: the device, after pci_pri_off(); all its requests are answered
 *
 * Context: may sleep.
 */
static inline void pci_pri_settle(struct pci_dev *pdev)
{
	u16 status;

	if (read_poll_timeout(pci_pri_status, status, status & PCI_PRI_STATUS_STOPPED,
			      100, PCI_PRI_STOP_US, false, pdev))
		pci_warn(pdev, "still waits for answers to page requests\n");
	if (status & PCI_PRI_STATUS_RF)
		pci_warn(pdev, "was told that its page requests cannot be answered\n");
	pci_write_config_word(pdev, pdev->pri_cap + PCI_PRI_CTRL, PCI_PRI_CTRL_RESET);
}

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page request interface of a device: a capability in its configuration space.
 * The PCI core restores it after a reset of the device from the fields in struct
 * pci_dev, but exports no function to switch it on.
 */
#include <linux/iopoll.h>
#include <linux/pci.h>

#include "x86.h"

/* As long as answers are on their way; there is no limit in PCIe. */
#define STOP_TIMEOUT_US USEC_PER_SEC

/**
 * x86_pri_lacks - what a device lacks for page requests
 * @pdev: the device
 *
 * Return: what, or NULL if it has all
 */
const char *x86_pri_lacks(struct pci_dev *pdev)
{
	/* it would send them by the capability of its physical function */
	if (pdev->is_virtfn)
		return "it is a virtual function";
	if (!pdev->pri_cap)
		return "the device has no page request interface";
	return NULL;
}

static u16 pri_status(struct pci_dev *pdev)
{
	u16 status;

	/* one that is gone has stopped */
	if (pci_read_config_word(pdev, pdev->pri_cap + PCI_PRI_STATUS, &status))
		return PCI_PRI_STATUS_STOPPED;
	return status;
}

/**
 * x86_pri_on - let a device send page requests
 * @pdev: the device; its ATS is on
 * @most: that may be without an answer at a time, not 0
 *
 * Context: may sleep.
 * Return: 0; -EBUSY if requests from before are without an answer; another errno if
 *	   configuration space cannot be reached
 */
int x86_pri_on(struct pci_dev *pdev, u32 most)
{
	u32 capacity;
	u16 control;
	int rc;

	rc = pci_read_config_word(pdev, pdev->pri_cap + PCI_PRI_CTRL, &control);
	rc = rc ?: pci_read_config_dword(pdev, pdev->pri_cap + PCI_PRI_MAX_REQ,
					 &capacity);
	if (rc)
		return pcibios_err_to_errno(rc);
	if (control & PCI_PRI_CTRL_ENABLE ||
	    !(pri_status(pdev) & PCI_PRI_STATUS_STOPPED))
		return -EBUSY;
	/* forget what was asked for before, and count from 0 */
	pci_write_config_word(pdev, pdev->pri_cap + PCI_PRI_CTRL,
			      PCI_PRI_CTRL_RESET);
	pdev->pri_reqs_alloc = min(most, capacity);
	pci_write_config_dword(pdev, pdev->pri_cap + PCI_PRI_ALLOC_REQ,
			       pdev->pri_reqs_alloc);
	pci_write_config_word(pdev, pdev->pri_cap + PCI_PRI_CTRL,
			      PCI_PRI_CTRL_ENABLE);
	pdev->pri_enabled = 1;
	return 0;
}

/**
 * x86_pri_off - have a device send no more page requests
 * @pdev: the device, for which x86_pri_on() has succeeded; its ATS is still on
 *
 * What it has sent may still be on its way, and waits for its answer.
 */
void x86_pri_off(struct pci_dev *pdev)
{
	pci_write_config_word(pdev, pdev->pri_cap + PCI_PRI_CTRL, 0);
	pdev->pri_enabled = 0;
}

/**
 * x86_pri_settle - see that a device has had its answers
 * @pdev: the device, after x86_pri_off(); all its requests are answered
 *
 * Context: may sleep.
 */
void x86_pri_settle(struct pci_dev *pdev)
{
	u16 status;

	if (read_poll_timeout(pri_status, status,
			      status & PCI_PRI_STATUS_STOPPED, 100,
			      STOP_TIMEOUT_US, false, pdev))
		pci_warn(pdev, "still waits for answers to page requests\n");
	if (status & PCI_PRI_STATUS_RF)
		pci_warn(pdev, "was told that its page requests cannot be answered\n");
	pci_write_config_word(pdev, pdev->pri_cap + PCI_PRI_CTRL,
			      PCI_PRI_CTRL_RESET);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What drivers of IOMMUs of PCs have in common: how a module comes and goes under the
 * devices of a running machine. Each has a copy of its own of the files here, and
 * says with x86_driver what is particular about its hardware.
 */
#ifndef __IOMMU_X86_H
#define __IOMMU_X86_H

#include <linux/iommu.h>
#include <linux/iommufd_driver.h>
#include <linux/mutex.h>
#include <linux/pci.h>

/*
 * Several drivers may be part of one kernel image: the Makefile of each defines what
 * names begin with.
 */
#ifdef X86_PREFIX
#define X86_PASTE(prefix, name)	prefix##_##name
#define X86_OWN(prefix, name)	X86_PASTE(prefix, name)
#define x86_driver	X86_OWN(X86_PREFIX, driver)
#define x86_units	X86_OWN(X86_PREFIX, units)
#define x86_debugfs	X86_OWN(X86_PREFIX, debugfs)
#define x86_host_vacate	X86_OWN(X86_PREFIX, host_vacate)
#define x86_host_give_back	X86_OWN(X86_PREFIX, host_give_back)
#define x86_host_note_drivers	X86_OWN(X86_PREFIX, host_note_drivers)
#define x86_host_count_drivers	X86_OWN(X86_PREFIX, host_count_drivers)
#define x86_host_close	X86_OWN(X86_PREFIX, host_close)
#define x86_host_open	X86_OWN(X86_PREFIX, host_open)
#define x86_host_uncount_drivers	X86_OWN(X86_PREFIX, host_uncount_drivers)
#define x86_host_nr_devices	X86_OWN(X86_PREFIX, host_nr_devices)
#define x86_host_note_devices	X86_OWN(X86_PREFIX, host_note_devices)
#define x86_host_evict_users	X86_OWN(X86_PREFIX, host_evict_users)
#define x86_visit_ids	X86_OWN(X86_PREFIX, visit_ids)
#define x86_requests_init	X86_OWN(X86_PREFIX, requests_init)
#define x86_requests_take	X86_OWN(X86_PREFIX, requests_take)
#define x86_requests_come	X86_OWN(X86_PREFIX, requests_come)
#define x86_asker_start	X86_OWN(X86_PREFIX, asker_start)
#define x86_asker_stop	X86_OWN(X86_PREFIX, asker_stop)
#define x86_asker_drain	X86_OWN(X86_PREFIX, asker_drain)
#define x86_enable_faults	X86_OWN(X86_PREFIX, enable_faults)
#define x86_disable_faults	X86_OWN(X86_PREFIX, disable_faults)
#define x86_answer_fault	X86_OWN(X86_PREFIX, answer_fault)
#define x86_irq_driver	X86_OWN(X86_PREFIX, irq_driver)
#define x86_irqs_init	X86_OWN(X86_PREFIX, irqs_init)
#define x86_irqs_fini	X86_OWN(X86_PREFIX, irqs_fini)
#define x86_irqs_adopt	X86_OWN(X86_PREFIX, irqs_adopt)
#define x86_irqs_abandon	X86_OWN(X86_PREFIX, irqs_abandon)
#endif

#include "requests.h"

/**
 * struct x86_unit - an IOMMU; embedded in what its driver knows of it
 * @link: in x86_units, which is complete before anything else sees a unit
 * @iommu: the IOMMU core's view of it
 * @name: as under /sys/class/iommu
 * @lock: held by the driver while the unit's tables change; may sleep
 * @requests: what its devices ask for
 * @leaving: nobody gets a device any more; under @lock
 * @isolates: interrupts of its devices are remapped, or it was tried; changes only
 *	      while the IOMMU core does not know the unit, or is about to forget it
 */
struct x86_unit {
	struct list_head link;
	struct iommu_device iommu;
	char name[16];
	struct mutex lock;
	struct x86_requests requests;
	bool leaving;
	bool isolates;
};

/**
 * struct x86_driver - what is particular about an IOMMU
 * @name: of the module
 * @iommu_ops: for the IOMMU core
 * @iommufd_ops: for iommufd
 * @groups: attributes under /sys/class/iommu
 * @find: read what firmware says, claim the units it has, and put them into
 *	  x86_units, with everything switched off
 * @forget: what firmware said; called in any case, without any unit left
 * @enable: have a unit translate, with every device passed through
 * @remove: switch a unit off, take it out of x86_units and free it; whatever enable()
 *	    returned
 * @unit_of: the unit that a device's requests go through, or NULL
 * @passed_through: whether a device that the IOMMU core has asked for is passed
 *		    through; the unit is locked
 * @obstacle: why a unit cannot isolate interrupts, as the end of a sentence, or NULL.
 *	      With @strict whatever is not PCI may lose its own
 * @isolate: from now on devices behind the unit have the interrupts it gives them,
 *	     and no others; x86_unit.isolates is set, also if this fails
 * @adopt: have a device take its next interrupts from a unit that isolates them
 * @abandon: or from the CPUs again
 * @stop_isolating: undo isolate(), whatever that returned; no device takes interrupts
 *		    from the unit, or has one
 * @requests: for page requests, which have rules of their own
 *
 * All may sleep. None is called twice at once.
 */
struct x86_driver {
	const char *name;
	const struct iommu_ops *iommu_ops;
	const struct iommufd_driver_ops *iommufd_ops;
	const struct attribute_group **groups;
	int (*find)(void);
	void (*forget)(void);
	int (*enable)(struct x86_unit *unit);
	void (*remove)(struct x86_unit *unit);
	struct x86_unit *(*unit_of)(struct pci_dev *pdev);
	bool (*passed_through)(struct device *dev);
	const char *(*obstacle)(const struct x86_unit *unit, bool strict);
	int (*isolate)(struct x86_unit *unit);
	void (*adopt)(struct x86_unit *unit, struct device *dev);
	void (*abandon)(struct x86_unit *unit, struct device *dev);
	void (*stop_isolating)(struct x86_unit *unit);
	const struct x86_request_ops *requests;
};

/* The driver's. */
extern const struct x86_driver x86_driver;

/* module.c */
extern struct list_head x86_units;
extern struct dentry *x86_debugfs;

/* host.c */
int x86_host_vacate(struct x86_unit *unit, bool rebind);
void x86_host_give_back(void);
int x86_host_note_drivers(void);
void x86_host_count_drivers(void);
int x86_host_close(struct x86_unit *unit);
void x86_host_open(struct x86_unit *unit);
void x86_host_uncount_drivers(struct x86_unit *unit);
unsigned int x86_host_nr_devices(struct x86_unit *unit);
int x86_host_note_devices(void);
void x86_host_evict_users(void);

/* ids.c */
typedef int (*x86_id_fn)(u16 id, void *arg);
int x86_visit_ids(struct pci_dev *pdev, x86_id_fn fn, void *arg);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A driver for AMD-Vi units that the kernel does not drive.
 */
#ifndef __AMDVI_H
#define __AMDVI_H

#include <linux/iommu.h>
#include <linux/iommufd_driver.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/spinlock.h>

#include "../pt/pt.h"
#include "../x86/x86.h"
#include "ivrs.h"
#include "spec/commands.h"
#include "spec/dte.h"
#include "spec/regs.h"

/* Of no domain, but in entries all the same. */
#define AMDVI_DOMAIN_PASS_THROUGH	1
#define AMDVI_DOMAIN_BLOCKED		2
#define AMDVI_DOMAIN_FIRST		3
#define AMDVI_DOMAIN_LAST		0xffff

/* One call's worth; a wait command comes in addition. */
#define AMDVI_BATCH 64

struct amdvi_interrupts;

/**
 * struct amdvi_batch - commands that are given together
 * @unit: for whom
 * @nr: how many there are
 * @commands: which
 *
 * On the stack of whoever collects them.
 */
struct amdvi_batch {
	struct amdvi_unit *unit;
	unsigned int nr;
	struct amdvi_command commands[AMDVI_BATCH];
};

/**
 * struct amdvi_queue - the command buffer of a unit
 * @lock: protects the rest; held, interrupts off, until what was put in is done
 * @commands: a page of them, which hardware reads
 * @tail: where the next one goes
 * @status: where hardware stores that it has come to a wait command
 * @stamp: what it stores there next
 */
struct amdvi_queue {
	raw_spinlock_t lock;
	struct amdvi_command *commands;
	unsigned int tail;
	u64 *status;
	u64 stamp;
};

/**
 * struct amdvi_unit - a unit
 * @x86: what all units of PCs have
 * @ivrs: what firmware says of it; constant
 * @pdev: its own PCI function, whose message tells of events
 * @regs: its registers
 * @cap: first word of its capability
 * @efr: extended features
 * @efr2: more of them
 * @control_lock: serializes changes of the control register
 * @table: the device table; entries change under the unit's lock
 * @empty: a page table without anything in it
 * @queue: its commands
 * @events: its event log, which the thread of its interrupt reads
 * @irq: tells of events; 0 without
 * @interrupts: remapping of the devices' interrupts, NULL where they are not; set
 *		before the IOMMU core knows the unit
 */
struct amdvi_unit {
	struct x86_unit x86;
	const struct ivrs_unit *ivrs;
	struct pci_dev *pdev;
	void __iomem *regs;
	u32 cap;
	u64 efr;
	u64 efr2;
	raw_spinlock_t control_lock;
	struct amdvi_dte *table;
	u64 *empty;
	struct amdvi_queue queue;
	struct amdvi_command *events;
	int irq;
	struct amdvi_interrupts *interrupts;
};

static inline struct amdvi_unit *to_amdvi_unit(struct x86_unit *unit)
{
	return container_of(unit, struct amdvi_unit, x86);
}

/**
 * struct amdvi_device - a device behind a unit
 * @dev: the device
 * @unit: the unit
 * @domain: what it is attached to, or NULL. Under the unit's lock
 * @id: tag of what hardware has cached for it, also without a domain
 */
struct amdvi_device {
	struct device *dev;
	struct amdvi_unit *unit;
	struct amdvi_domain *domain;
	u16 id;
};

static inline struct amdvi_device *to_amdvi_device(struct device *dev)
{
	return dev_iommu_priv_get(dev);
}

/**
 * struct amdvi_domain_unit - a unit that walks the table of a domain
 * @link: in the domain's list
 * @unit: the unit
 * @users: devices behind it that are attached; under the unit's lock
 */
struct amdvi_domain_unit {
	struct list_head link;
	struct amdvi_unit *unit;
	unsigned int users;
};

/**
 * struct amdvi_domain - a page table
 * @domain: the IOMMU core's view of it
 * @pt: the table; unused in a nested domain
 * @id: tags its translations in all units; constant
 * @lock: protects @units and @nested; innermost but for those of nested domains,
 *	  which are taken with their parent's held. Taken with interrupts on only
 * @units: struct amdvi_domain_unit
 * @dirty: hardware records what is written; constant
 * @nest_parent: it may have nested domains; constant once it is in use
 * @nested: of a parent: its nested domains
 * @sibling: of a nested domain: in its parent's @nested
 * @parent: of a nested domain: the host's table, which outlives it. Else NULL
 * @viommu: of a nested domain: what it belongs to
 * @guest: of a nested domain: what of an entry of the device table is the guest's
 * @guest_id: of a nested domain: the guest's name for it
 */
struct amdvi_domain {
	struct iommu_domain domain;
	struct pt pt;
	u16 id;
	spinlock_t lock;
	struct list_head units;
	bool dirty;
	bool nest_parent;
	struct list_head nested;
	struct list_head sibling;
	struct amdvi_domain *parent;
	struct iommufd_viommu *viommu;
	u64 guest[3];
	u16 guest_id;
};

static inline struct amdvi_domain *to_amdvi_domain(struct iommu_domain *domain)
{
	return container_of(domain, struct amdvi_domain, domain);
}

/* unit.c */
extern struct ivrs_table amdvi_ivrs;
int amdvi_find(void);
void amdvi_forget(void);
int amdvi_enable(struct x86_unit *x86);
void amdvi_remove(struct x86_unit *x86);
void amdvi_control(struct amdvi_unit *unit, u64 clear, u64 set);
int amdvi_control_wait(struct amdvi_unit *unit, u64 bit, u64 run, bool on);

static inline u64 amdvi_read(struct amdvi_unit *unit, unsigned int reg)
{
	return readq(unit->regs + reg);
}

static inline void amdvi_write(struct amdvi_unit *unit, unsigned int reg, u64 value)
{
	writeq(value, unit->regs + reg);
}

/* queue.c */
int amdvi_queue_init(struct amdvi_unit *unit);
void amdvi_queue_fini(struct amdvi_unit *unit);
void amdvi_batch_init(struct amdvi_batch *batch, struct amdvi_unit *unit);
void amdvi_batch_run(struct amdvi_batch *batch);
void amdvi_batch_device(struct amdvi_batch *batch, u16 id);
void amdvi_batch_interrupts(struct amdvi_batch *batch, u16 id);
void amdvi_batch_range(struct amdvi_batch *batch, u16 domain, u64 first, u64 last,
		       bool tables);
void amdvi_batch_add(struct amdvi_batch *batch, u64 lo, u64 hi);
void amdvi_forget_all(struct amdvi_unit *unit);

/* event.c */
int amdvi_events_init(struct amdvi_unit *unit);
void amdvi_events_fini(struct amdvi_unit *unit);

/* device.c */
struct x86_unit *amdvi_unit_of(struct pci_dev *pdev);
const struct ivrs_range *amdvi_range_of(const struct ivrs_unit *ivrs, u16 id);
int amdvi_visit_ids(struct pci_dev *pdev, const struct amdvi_unit *unit,
		    x86_id_fn fn, void *arg);
void amdvi_pass_everything_through(struct amdvi_unit *unit);
bool amdvi_passed_through(struct device *dev);
struct iommu_device *amdvi_probe_device(struct device *dev);
void amdvi_release_device(struct device *dev);
struct iommu_group *amdvi_device_group(struct device *dev);
void amdvi_resv_regions(struct device *dev, struct list_head *list);
int amdvi_attach_pass_through(struct iommu_domain *domain, struct device *dev);
int amdvi_attach_blocked(struct iommu_domain *domain, struct device *dev);
int amdvi_attach_paging(struct iommu_domain *domain, struct device *dev);

/* nested.c */
const char *amdvi_unit_lacks_nesting(const struct amdvi_unit *unit);
struct iommu_domain *amdvi_nested_alloc(struct iommufd_viommu *viommu,
					struct device *dev, u32 flags,
					const struct iommu_user_data *data);
void amdvi_nested_requests(struct iommufd_viommu *viommu,
			   const struct amdvi_command *commands, unsigned int nr);

/* viommu.c */
int amdvi_viommu_init(struct iommufd_viommu *viommu, struct device *dev,
		      const struct iommu_user_data *data);
void amdvi_viommu_event(const struct amdvi_unit *unit, u64 lo, u64 hi);

/* domain.c */
int amdvi_domain_id_take(struct amdvi_domain *domain);
void amdvi_domain_id_put(struct amdvi_domain *domain);
bool amdvi_unit_records_writes(const struct amdvi_unit *unit);
struct amdvi_domain *amdvi_domain_alloc(const struct amdvi_unit *unit, bool dirty);
struct iommu_domain *amdvi_domain_alloc_paging(struct device *dev);
bool amdvi_domain_suits(const struct amdvi_domain *domain,
			const struct amdvi_unit *unit);
int amdvi_domain_enter(struct amdvi_domain *domain, struct amdvi_unit *unit);
void amdvi_domain_leave(struct amdvi_domain *domain, struct amdvi_unit *unit);
void amdvi_domain_mapped(struct amdvi_domain *domain, struct pt_gather *gather,
			 u64 iova, size_t len);
unsigned int amdvi_prot(int prot);

/* irq.c */
const char *amdvi_interrupts_obstacle(const struct x86_unit *x86, bool strict);
int amdvi_interrupts_init(struct x86_unit *x86);
void amdvi_interrupts_adopt(struct x86_unit *x86, struct device *dev);
void amdvi_interrupts_abandon(struct x86_unit *x86, struct device *dev);
void amdvi_interrupts_fini(struct x86_unit *x86);

/* iommufd.c */
extern const struct iommufd_driver_ops amdvi_iommufd_ops;

/* driver.c */
extern const struct iommu_ops amdvi_iommu_ops;

#endif

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
#define AMDVI_BATCH 32

struct amdvi_device;
struct amdvi_interrupts;

/**
 * struct amdvi_batch - commands that are given together
 * @unit: for whom
 * @nr: how many there are
 * @devices: which of them are for TLBs of devices, one bit for each
 * @commands: which
 * @adev: of those in @devices: the device
 *
 * On the stack of whoever collects them. One that gets full is run, so all that it
 * refers to has to be ready for that whenever something is added.
 */
struct amdvi_batch {
	struct amdvi_unit *unit;
	unsigned int nr;
	u32 devices;
	struct amdvi_command commands[AMDVI_BATCH];
	struct amdvi_device *adev[AMDVI_BATCH];
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
 * struct amdvi_ppr - the log of page requests of a unit
 * @regs: the unit's registers, but where a test plays the part of those of the log;
 *	  constant
 * @entries: the log, which hardware writes; NULL until a device wants to use it. Written
 *	     under the unit's lock and that of its requests
 */
struct amdvi_ppr {
	void __iomem *regs;
	struct amdvi_command *entries;
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
 * @table: the device table; entries change under the unit's lock and @entry_lock
 * @entry_lock: serializes writes of entries of devices that may be cut off with the
 *		decision that they are; innermost, any context
 * @empty: a page table without anything in it
 * @everything: one in which all memory is where it is, under the tables of PASIDs:
 *		so that their DMA is coherent too. NULL where there are no PASIDs
 * @queue: its commands
 * @events: its event log, which the thread of its interrupt reads
 * @events_lock: held while an entry is taken out of the log; any context
 * @silent: device ids of which the log said that they did not answer, and that nobody
 *	    has asked for yet. NULL where no device has a TLB. Under @events_lock
 * @events_noted: up to where @silent knows what the log says
 * @events_lost: how often it has overflowed; written under @events_lock
 * @devices: struct amdvi_device behind it; under its lock
 * @irq: tells of events and page requests; 0 without
 * @ppr: its log of page requests
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
	raw_spinlock_t entry_lock;
	u64 *empty;
	u64 *everything;
	struct amdvi_queue queue;
	struct amdvi_command *events;
	raw_spinlock_t events_lock;
	unsigned long *silent;
	unsigned int events_noted;
	unsigned int events_lost;
	struct list_head devices;
	int irq;
	struct amdvi_ppr ppr;
	struct amdvi_interrupts *interrupts;
};

static inline struct amdvi_unit *to_amdvi_unit(struct x86_unit *unit)
{
	return container_of(unit, struct amdvi_unit, x86);
}

/**
 * struct amdvi_gcr3s - where requests of a device go by their PASID
 * @top: GCR3s, or tables of them; NULL while its entry leads to none
 * @levels: how many tables lie over each other, 1 to 3
 * @id: tags what is translated by them: the device's own, as the same PASID leads
 *	elsewhere for another one
 * @nr: PASIDs that lead somewhere, without PASID 0, which requests without one have
 *
 * Under the unit's lock; @id is also read under that of a domain that is led to.
 */
struct amdvi_gcr3s {
	u64 *top;
	unsigned int levels;
	u16 id;
	unsigned int nr;
};

/**
 * struct amdvi_device - a device behind a unit
 * @link: in the list of its unit
 * @dev: the device
 * @unit: the unit
 * @domain: what it is attached to, or NULL. Under the unit's lock
 * @id: tag of what hardware has cached for it, also without a domain
 * @gcr3s: of its PASIDs
 * @pasid_enabled: we have enabled its PASID capability
 * @ats: its ATS is used while it, or a PASID of it, is attached to a table of the host;
 *	 constant
 * @ats_pending: invalidations that it takes at a time, 0 for 32; constant
 * @ats_on: its ATS is on: it may remember translations. Under the unit's lock and the
 *	    lock of the only domain that it is attached to
 * @cut: it has not forgotten what it was told to, and is kept from all memory until
 *	 it is detached. Written under entry_lock of the unit
 * @cut_done: the unit knows of it as well, nothing need be told to the device
 * @asker: its page requests
 */
struct amdvi_device {
	struct list_head link;
	struct device *dev;
	struct amdvi_unit *unit;
	struct amdvi_domain *domain;
	u16 id;
	struct amdvi_gcr3s gcr3s;
	bool pasid_enabled;
	bool ats;
	u8 ats_pending;
	bool ats_on;
	bool cut;
	bool cut_done;
	struct x86_asker asker;
};

static inline struct amdvi_device *to_amdvi_device(struct device *dev)
{
	return dev_iommu_priv_get(dev);
}

/**
 * struct amdvi_user - what of a device is attached to a domain
 * @link: in the domain's list
 * @adev: the device
 * @pasid: IOMMU_NO_PASID, which is 0, for requests without one
 *
 * For each attachment one; there are two while a table is replaced.
 */
struct amdvi_user {
	struct list_head link;
	struct amdvi_device *adev;
	u32 pasid;
};

/**
 * struct amdvi_domain - a page table
 * @domain: the IOMMU core's view of it
 * @pt: the table; unused in a nested domain
 * @id: tags its translations in all units; constant. Unused with @by_pasid
 * @by_pasid: the table is of the kind that GCR3s lead to; constant
 * @lock: protects @users and @nested; innermost but for those of nested domains,
 *	  which are taken with their parent's held. Taken with interrupts on only
 * @users: struct amdvi_user
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
	bool by_pasid;
	spinlock_t lock;
	struct list_head users;
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

/**
 * enum amdvi_answer - whether a device has answered
 * @AMDVI_ANSWERED: nothing was recorded of it
 * @AMDVI_SILENT: it has not
 * @AMDVI_UNKNOWN: the event log has overflowed
 */
enum amdvi_answer {
	AMDVI_ANSWERED,
	AMDVI_SILENT,
	AMDVI_UNKNOWN,
};

/* Whether what is attached of a device, with its unit locked, is to have its ATS on. */
static inline bool amdvi_device_has_tlb(const struct amdvi_device *adev)
{
	return adev->ats && (adev->gcr3s.nr ||
			     (adev->domain && !adev->domain->parent));
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
void amdvi_batch_pasid(struct amdvi_batch *batch, u16 domain, u32 pasid, u64 first,
		       u64 last, bool tables);
void amdvi_batch_device_tlb(struct amdvi_batch *batch, struct amdvi_device *adev,
			    u32 pasid, u64 first, u64 last);
void amdvi_batch_add(struct amdvi_batch *batch, u64 lo, u64 hi);
void amdvi_answer_requests(struct amdvi_unit *unit, u64 lo, u64 hi);
void amdvi_forget_all(struct amdvi_unit *unit);

/* event.c */
int amdvi_events_init(struct amdvi_unit *unit);
void amdvi_events_fini(struct amdvi_unit *unit);
enum amdvi_answer amdvi_events_answer(struct amdvi_unit *unit, u16 id,
				      unsigned int lost);

/* ppr.c */
extern const struct x86_request_ops amdvi_request_ops;
void amdvi_ppr_init(struct amdvi_unit *unit);
void amdvi_ppr_fini(struct amdvi_unit *unit);
bool amdvi_ppr_interrupt(struct amdvi_unit *unit);
void amdvi_ppr_switch(struct amdvi_unit *unit, bool on);

/* ats.c */
void amdvi_ats_init(struct amdvi_device *adev);
void amdvi_ats_start(struct amdvi_device *adev, struct amdvi_domain *domain);
void amdvi_ats_stop(struct amdvi_device *adev, struct amdvi_domain *domain);
void amdvi_ats_forget_old(struct amdvi_batch *batch, struct amdvi_device *adev,
			  u32 pasid);
void amdvi_ats_forget(struct amdvi_batch *batch, const struct amdvi_domain *domain,
		      u64 first, u64 last);

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
void amdvi_entries_update(struct amdvi_device *adev, struct amdvi_batch *batch);
void amdvi_device_cut(struct amdvi_device *adev);
void amdvi_device_uncut(struct amdvi_device *adev);
int amdvi_refuse_cut(const struct amdvi_device *adev);

/* pasid.c */
u32 amdvi_unit_pasids(const struct amdvi_unit *unit);
int amdvi_everything_init(struct amdvi_unit *unit);
unsigned int amdvi_everything_levels(void);
int amdvi_gcr3s_open(struct amdvi_device *adev);
void amdvi_gcr3s_close(struct amdvi_device *adev);
void amdvi_gcr3s_set(struct amdvi_device *adev, u32 pasid,
		     const struct amdvi_domain *domain);
int amdvi_set_dev_pasid(struct iommu_domain *iommu_domain, struct device *dev,
			ioasid_t pasid, struct iommu_domain *old);
void amdvi_remove_dev_pasid(struct device *dev, ioasid_t pasid,
			    struct iommu_domain *domain);
int amdvi_replace_pasid(struct iommu_domain *new, struct iommu_domain *old,
			struct device *dev, ioasid_t pasid);
void amdvi_pasid_enable(struct amdvi_device *adev);
void amdvi_pasid_disable(struct amdvi_device *adev);

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
int amdvi_domain_id_take(u16 *id);
void amdvi_domain_id_put(u16 id);
bool amdvi_unit_records_writes(const struct amdvi_unit *unit);
struct amdvi_domain *amdvi_domain_alloc(const struct amdvi_unit *unit, bool dirty,
					bool by_pasid);
struct iommu_domain *amdvi_domain_alloc_paging(struct device *dev);
bool amdvi_domain_suits(const struct amdvi_domain *domain,
			const struct amdvi_unit *unit);
bool amdvi_domain_is_used(const struct amdvi_domain *domain,
			  const struct amdvi_unit *unit);
int amdvi_domain_enter(struct amdvi_domain *domain, struct amdvi_device *adev,
		       u32 pasid);
void amdvi_domain_leave(struct amdvi_domain *domain, struct amdvi_device *adev,
			u32 pasid);
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

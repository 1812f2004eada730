/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A driver for Intel VT-d remapping units that the kernel does not drive.
 */
#ifndef __VTD_H
#define __VTD_H

#include <linux/idr.h>
#include <linux/interrupt.h>
#include <linux/iommu.h>
#include <linux/iommufd_driver.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/spinlock.h>

#include "../pt/pt.h"
#include "../x86/x86.h"
#include "dmar.h"
#include "spec/context.h"
#include "spec/pasid.h"
#include "spec/regs.h"
#include "stage1.h"

/* Domain id 0 is taken by units that cache what is not present. */
#define VTD_DID_PASS_THROUGH	1
#define VTD_DID_FIRST		2

struct irq_domain;
struct vtd_device;
struct vtd_unit;
struct vtd_interrupts;
struct vtd_outcome;

/**
 * struct vtd_queue - the invalidation queue of a unit
 * @lock: protects the rest; held, interrupts off, until what was put in is done
 * @descriptors: a page of them, which hardware reads
 * @tail: where the next one goes, in units of 128 bits
 * @step: how many of those a descriptor has
 * @status: where hardware says that it has come to a wait descriptor; what fences
 *	    write goes into the word behind
 * @stamp: what it writes there next
 */
struct vtd_queue {
	raw_spinlock_t lock;
	struct vtd_entry *descriptors;
	unsigned int tail;
	unsigned int step;
	u32 *status;
	u32 stamp;
};

/* Descriptors that a batch holds; a queue has room for 128 and more. */
#define VTD_BATCH_MAX 16

/**
 * struct vtd_batch - invalidations for one unit that are waited for together
 * @unit: the unit
 * @nr: how many there are
 * @devices: which of them are for device TLBs, one bit for each
 * @d: the descriptors
 * @vdev: of those in @devices: the device
 *
 * On the stack of the one who collects them, see vtd_batch_init(). One that gets full
 * is run, so all that it refers to has to be ready for that whenever something is
 * added.
 */
struct vtd_batch {
	struct vtd_unit *unit;
	unsigned int nr;
	u32 devices;
	struct vtd_entry d[VTD_BATCH_MAX];
	struct vtd_device *vdev[VTD_BATCH_MAX];
};

/**
 * struct vtd_prq - the page request queue of a unit
 * @regs: PQH to PRS, at their offsets: the unit's registers, but where a test plays
 *	  their part; constant
 * @slots: the queue, which hardware writes; NULL until a device wants to use it.
 *	   Written under the unit's lock and that of its requests
 * @irq: tells of requests, once there is a queue
 * @name: of @irq
 */
struct vtd_prq {
	void __iomem *regs;
	u64 (*slots)[4];
	int irq;
	char name[32];
};

/**
 * struct vtd_pasids - where requests of a device go, in scalable mode
 * @directory: read by hardware; leads to tables, of which the first always exists:
 *	       the entry of PASID 0 is for requests without one
 * @order: log2 of the directory's pages
 * @spare: a page for the next version of a table
 * @nr: PASIDs that lead somewhere, without PASID 0
 *
 * Under the lock of the unit.
 */
struct vtd_pasids {
	u64 *directory;
	unsigned int order;
	struct vtd_pasid_entry *spare;
	unsigned int nr;
};

/**
 * struct vtd_unit - a remapping unit
 * @x86: what all units of PCs have; its lock protects @root, what is below it, and
 *	 @dids
 * @dmar: what firmware says of it; constant
 * @regs: its registers
 * @regs_size: bytes at @regs
 * @scalable: root table, context tables and queue are those of scalable mode
 * @cap: capability register
 * @ecap: extended capability register
 * @root: root table; context tables are only ever added
 * @context_lock: serializes writes of context entries of devices that may be cut
 *		  off with the decision that they are; innermost, any context
 * @host: for devices that the IOMMU core does not know yet: passed through
 * @devices: struct vtd_device behind it; under its lock
 * @dids: domain ids in use
 * @queue: its invalidation queue
 * @prq: its page request queue
 * @command_lock: serializes commands in GCMD
 * @irq_domain: makes the unit's own interrupts
 * @irq: fault interrupt
 * @interrupts: remapping of the devices' interrupts, NULL where they are not; set
 *		before the IOMMU core knows the unit
 */
struct vtd_unit {
	struct x86_unit x86;
	const struct dmar_unit *dmar;
	void __iomem *regs;
	size_t regs_size;
	bool scalable;
	u64 cap;
	u64 ecap;
	struct vtd_entry *root;
	raw_spinlock_t context_lock;
	struct vtd_pasids host;
	struct list_head devices;
	struct ida dids;
	struct vtd_queue queue;
	struct vtd_prq prq;
	spinlock_t command_lock;
	struct irq_domain *irq_domain;
	int irq;
	struct vtd_interrupts *interrupts;
};

static inline struct vtd_unit *to_vtd_unit(struct iommu_device *iommu)
{
	return container_of(iommu, struct vtd_unit, x86.iommu);
}

static inline struct vtd_unit *x86_to_vtd_unit(struct x86_unit *x86)
{
	return container_of(x86, struct vtd_unit, x86);
}

/**
 * struct vtd_tlb_user - a device that may remember translations of a domain itself
 * @link: in the domain's list
 * @vdev: the device
 * @pasid: with which it asks for them, IOMMU_NO_PASID without
 *
 * For each attachment one; there are two while a table is replaced.
 */
struct vtd_tlb_user {
	struct list_head link;
	struct vtd_device *vdev;
	u32 pasid;
};

/**
 * struct vtd_device - a device behind a unit
 * @link: in the list of its unit; not while it comes, and when it goes
 * @dev: the device
 * @unit: the unit
 * @domain: what it is attached to; of type paging, or NULL. Under the unit's lock
 * @did: tag of what hardware has cached for it, 0 if it is blocked
 * @pasids: in scalable mode; its context entries lead there
 * @pasid_enabled: we have enabled its PASID capability
 * @ats: its ATS is used while it, or a PASID of it, is attached to a paging domain;
 *	 constant
 * @ats_pending: invalidations that it takes at a time, 0 for 32; constant
 * @ats_on: its ATS is on: it may remember translations. Under the unit's lock and
 *	    the lock of the only domain that has it in its list
 * @tlbs: struct vtd_tlb_user of it, in the lists of domains. Under the unit's lock
 * @cut: it has not forgotten what it was told to, and is kept from all memory until
 *	 it is detached: no context entry of it is made present. Written under
 *	 context_lock of the unit
 * @cut_done: the unit knows of it as well, nothing need be told to the device
 * @asker: its page requests
 */
struct vtd_device {
	struct list_head link;
	struct device *dev;
	struct vtd_unit *unit;
	struct vtd_domain *domain;
	u16 did;
	struct vtd_pasids pasids;
	bool pasid_enabled;
	bool ats;
	u8 ats_pending;
	bool ats_on;
	unsigned int tlbs;
	bool cut;
	bool cut_done;
	struct x86_asker asker;
};

static inline struct vtd_device *to_vtd_device(struct device *dev)
{
	return dev_iommu_priv_get(dev);
}

/**
 * struct vtd_domain_pasid - a PASID that leads to a domain
 * @link: in the list of its unit
 * @pasid: the PASID; 0 for requests without one
 * @users: devices whose PASID it is; under the unit's lock
 */
struct vtd_domain_pasid {
	struct list_head link;
	u32 pasid;
	unsigned int users;
};

/**
 * struct vtd_domain_unit - a domain as one unit knows it
 * @link: in the domain's list
 * @unit: the unit
 * @did: the id that tags its translations there
 * @pasids: struct vtd_domain_pasid, which tag those of the first stage as well;
 *	    written under the unit's lock and that of the domain. Never empty
 */
struct vtd_domain_unit {
	struct list_head link;
	struct vtd_unit *unit;
	u16 did;
	struct list_head pasids;
};

/**
 * struct vtd_domain - a page table
 * @domain: the IOMMU core's view of it
 * @pt: the table; unused in a nested domain
 * @lock: protects @units, @tlbs and @nested; innermost but for those of nested
 *	  domains, which are taken with their parent's held. Taken with interrupts on
 *	  only
 * @units: struct vtd_domain_unit of the units it is used by
 * @tlbs: struct vtd_tlb_user of devices with TLBs of their own
 * @snoop: leaves have the snoop bit; changes only while nothing is mapped
 * @first_stage: the table is one of the first stage; constant
 * @nest_parent: it may have nested domains; constant once it is in use
 * @nested: of a parent: its nested domains
 * @sibling: of a nested domain: in its parent's @nested
 * @parent: of a nested domain: the second stage, which outlives it. Else NULL
 * @viommu: of a nested domain: what it belongs to, or NULL
 * @stage1: of a nested domain: the guest's first stage
 * @dirty: hardware records what is written; constant
 */
struct vtd_domain {
	struct iommu_domain domain;
	struct pt pt;
	spinlock_t lock;
	struct list_head units;
	struct list_head tlbs;
	bool snoop;
	bool first_stage;
	bool nest_parent;
	struct list_head nested;
	struct list_head sibling;
	struct vtd_domain *parent;
	struct iommufd_viommu *viommu;
	struct vtd_stage1 stage1;
	bool dirty;
};

static inline struct vtd_domain *to_vtd_domain(struct iommu_domain *domain)
{
	return container_of(domain, struct vtd_domain, domain);
}

/* unit.c */
int vtd_unit_add(const struct dmar_unit *dmar, unsigned int index);
int vtd_unit_enable(struct x86_unit *x86);
void vtd_unit_remove(struct x86_unit *x86);
int vtd_command(struct vtd_unit *unit, u32 bit, bool on);
static inline u32 vtd_read(struct vtd_unit *unit, unsigned int reg)
{
	return readl(unit->regs + reg);
}

static inline u64 vtd_read64(struct vtd_unit *unit, unsigned int reg)
{
	return readq(unit->regs + reg);
}

static inline void vtd_write(struct vtd_unit *unit, unsigned int reg, u32 value)
{
	writel(value, unit->regs + reg);
}

static inline void vtd_write64(struct vtd_unit *unit, unsigned int reg, u64 value)
{
	writeq(value, unit->regs + reg);
}

/* queue.c */
int vtd_queue_init(struct vtd_unit *unit);
void vtd_queue_fini(struct vtd_unit *unit);
void vtd_batch_init(struct vtd_batch *batch, struct vtd_unit *unit);
void vtd_batch_add(struct vtd_batch *batch, u64 lo, u64 hi);
void vtd_batch_fence(struct vtd_batch *batch);
void vtd_batch_run(struct vtd_batch *batch);
int vtd_queue_submit(struct vtd_unit *unit, const struct vtd_entry *d,
		     unsigned int nr, u64 timeout_us, struct vtd_outcome *out);
void vtd_drain_requests(struct vtd_unit *unit);
void vtd_answer_requests(struct vtd_unit *unit, u64 lo, u64 hi);
void vtd_forget_contexts(struct vtd_unit *unit);
void vtd_forget_all(struct vtd_unit *unit);
void vtd_forget_interrupt(struct vtd_unit *unit, u16 handle);
void vtd_forget_interrupts(struct vtd_unit *unit);
void vtd_forget_context(struct vtd_batch *batch, u16 did, u16 sid);
void vtd_forget_domain(struct vtd_batch *batch, u16 did);
void vtd_forget_pasid(struct vtd_batch *batch, u16 did, u32 pasid);
void vtd_forget_range(struct vtd_batch *batch, u16 did, u64 first, u64 last,
		      bool tables);
void vtd_forget_first_stage(struct vtd_batch *batch, u16 did, u32 pasid,
			    u64 first, u64 last, bool tables);
void vtd_forget_device_tlb(struct vtd_batch *batch, struct vtd_device *vdev,
			   u32 pasid, u64 first, u64 last);

/* ats.c */
void vtd_ats_init(struct vtd_device *vdev);
int vtd_ats_enter(struct vtd_device *vdev, struct vtd_domain *domain, u32 pasid);
void vtd_ats_start(struct vtd_device *vdev, struct vtd_domain *domain);
void vtd_ats_stop(struct vtd_device *vdev, struct vtd_domain *domain, u32 pasid);
void vtd_ats_leave(struct vtd_device *vdev, struct vtd_domain *domain, u32 pasid);
void vtd_ats_forget_old(struct vtd_batch *batch, struct vtd_device *vdev,
			u32 pasid);
void vtd_ats_forget(struct vtd_batch *batch, struct vtd_domain *domain, u64 first,
		    u64 last);

/* prq.c */
void vtd_prq_init(struct vtd_unit *unit);
void vtd_prq_fini(struct vtd_unit *unit);
extern const struct x86_request_ops vtd_request_ops;

/* pasid.c */
int vtd_pasids_init(struct vtd_unit *unit, struct vtd_pasids *pasids);
void vtd_pasids_fini(struct vtd_pasids *pasids);
void vtd_pasids_set(struct vtd_batch *batch, struct vtd_pasids *pasids, u32 pasid,
		    const struct vtd_pasid_entry *entry);
u64 vtd_pasids_context(const struct vtd_pasids *pasids);
struct vtd_pasid_entry vtd_pasid_pass_through(void);
struct vtd_pasid_entry vtd_pasid_domain(const struct vtd_unit *unit,
					const struct vtd_domain *domain, u16 did);
void vtd_pasid_enable(struct vtd_device *vdev);
void vtd_pasid_disable(struct vtd_device *vdev);
int vtd_set_dev_pasid(struct iommu_domain *domain, struct device *dev,
		      ioasid_t pasid, struct iommu_domain *old);
void vtd_remove_dev_pasid(struct device *dev, ioasid_t pasid,
			  struct iommu_domain *domain);
int vtd_replace_pasid(struct iommu_domain *new, struct iommu_domain *old,
		      struct device *dev, ioasid_t pasid);

/* message.c */
int vtd_messages_init(struct vtd_unit *unit);
void vtd_messages_fini(struct vtd_unit *unit);
int vtd_message_request(struct vtd_unit *unit, unsigned int control,
			const char *name, irq_handler_t handler);
void vtd_message_free(struct vtd_unit *unit, int irq);

/* event.c */
int vtd_events_init(struct vtd_unit *unit);
void vtd_events_fini(struct vtd_unit *unit);

/* irq.c */
const char *vtd_interrupts_obstacle(const struct x86_unit *x86, bool strict);
int vtd_interrupts_init(struct x86_unit *x86);
void vtd_interrupts_adopt(struct x86_unit *x86, struct device *dev);
void vtd_interrupts_abandon(struct x86_unit *x86, struct device *dev);
void vtd_interrupts_fini(struct x86_unit *x86);

/* device.c */
typedef int (*vtd_id_fn)(struct vtd_device *vdev, u16 sid, const void *arg);
int vtd_visit_ids(struct vtd_device *vdev, vtd_id_fn fn, const void *arg);
struct vtd_unit *vtd_unit_of(struct pci_dev *pdev);
bool vtd_passed_through(struct device *dev);
bool vtd_scopes_have(const struct list_head *scopes, u16 segment,
		     struct pci_dev *pdev);
void vtd_device_cut(struct vtd_device *vdev);
void vtd_device_uncut(struct vtd_device *vdev);
struct iommu_device *vtd_probe_device(struct device *dev);
void vtd_release_device(struct device *dev);
void vtd_resv_regions(struct device *dev, struct list_head *list);
int vtd_pass_everything_through(struct vtd_unit *unit);
int vtd_attach_pass_through(struct iommu_domain *domain, struct device *dev);
int vtd_attach_blocked(struct iommu_domain *domain, struct device *dev);
int vtd_attach_paging(struct iommu_domain *domain, struct device *dev);
int vtd_refuse_cut(const struct vtd_device *vdev);
void vtd_contexts_update(struct vtd_device *vdev, struct vtd_batch *batch);
void vtd_contexts_free(struct vtd_unit *unit);

/* domain.c */
bool vtd_unit_records_writes(const struct vtd_unit *unit);
struct vtd_domain *vtd_domain_new(void);
struct vtd_domain *vtd_domain_alloc(struct vtd_unit *unit, bool dirty);
struct iommu_domain *vtd_domain_alloc_paging(struct device *dev);
int vtd_domain_enter(struct vtd_domain *domain, struct vtd_unit *unit, u32 pasid,
		     u16 *did);
void vtd_domain_leave(struct vtd_domain *domain, struct vtd_unit *unit, u32 pasid);
bool vtd_domain_suits(const struct vtd_domain *domain,
		      const struct vtd_unit *unit);
int vtd_domain_map(struct vtd_domain *domain, u64 iova,
		   const struct pt_run *runs, unsigned int nr, int prot,
		   u64 sizes, size_t *mapped);
size_t vtd_domain_unmap(struct iommu_domain *iommu_domain, unsigned long iova,
			size_t len, struct iommu_iotlb_gather *gather);
void vtd_domain_forget(struct vtd_domain *domain, u64 first, u64 last,
		       bool tables);
void vtd_forget_gathered(struct vtd_domain *domain, struct pt_gather *gather);

/* nested.c */
struct vtd_request;
const char *vtd_unit_lacks_nesting(const struct vtd_unit *unit);
struct iommu_domain *vtd_nested_alloc(struct device *dev,
				      struct iommu_domain *iommu_parent,
				      struct iommufd_viommu *viommu, u32 flags,
				      const struct iommu_user_data *data);
bool vtd_nested_suits(const struct vtd_domain *domain,
		      const struct vtd_unit *unit);
void vtd_nested_requests(struct iommufd_viommu *viommu,
			 const struct vtd_request *requests, unsigned int nr);
int vtd_nested_invalidate(struct iommu_domain *iommu_domain,
			  struct iommu_user_data_array *array);

/* viommu.c */
int vtd_viommu_init(struct iommufd_viommu *viommu, struct device *dev,
		    const struct iommu_user_data *data);
void vtd_viommu_fault(struct vtd_unit *unit, u64 lo, u64 hi);

/* dirty.c */
int vtd_set_dirty(struct iommu_domain *domain, bool enable);
int vtd_read_dirty(struct iommu_domain *iommu_domain, unsigned long iova,
		   size_t len, unsigned long flags,
		   struct iommufd_dirty_bitmap *bitmap,
		   struct iommu_iotlb_gather *gather);

/* iommufd.c */
extern const struct iommufd_driver_ops vtd_iommufd_ops;

/* driver.c */
extern const struct iommu_ops vtd_iommu_ops;
extern struct dmar_table vtd_dmar;

#endif

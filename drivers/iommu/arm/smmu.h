/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A driver for Arm SMMUv3 units that the kernel does not drive.
 */
#ifndef __SMMU_H
#define __SMMU_H

#include <linux/idr.h>
#include <linux/iommu.h>
#include <linux/iommufd_driver.h>
#include <linux/io.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/xarray.h>

#include "../pt/pt.h"
#include "spec/queue.h"
#include "spec/regs.h"
#include "spec/ste.h"

/* What a unit has and we use; what an erratum forbids is taken out again. */
#define SMMU_HAS_S1		BIT(0)
#define SMMU_HAS_S2		BIT(1)
#define SMMU_HAS_NESTING	BIT(2)
/* it sees the CPU's caches when it reads tables and queues */
#define SMMU_HAS_COHERENCY	BIT(3)
#define SMMU_HAS_DIRTY		BIT(4)
#define SMMU_HAS_RANGES		BIT(5)
#define SMMU_HAS_S2FWB		BIT(6)
#define SMMU_HAS_MSI		BIT(7)
/* each command is followed by one to wait for, or the unit may hang */
#define SMMU_HAS_SHORT_QUEUE	BIT(8)
/* registers of page 1 are in page 0 */
#define SMMU_HAS_NO_PAGE1	BIT(9)
/* what it is told to forget it may have to be told twice */
#define SMMU_HAS_TO_BE_TOLD_TWICE	BIT(10)

struct acpi_iort_smmu_v3;
struct smmu_device;
struct smmu_domain;

/**
 * struct smmu_queue - the command queue of a unit
 * @lock: protects the rest; held, interrupts off, until what was put in is done
 * @commands: two words for each, which hardware reads
 * @dma: where they lie
 * @lg2: of how many there are
 * @prod: index of the next one, with a bit more that changes with each round
 */
struct smmu_queue {
	raw_spinlock_t lock;
	__le64 *commands;
	dma_addr_t dma;
	unsigned int lg2;
	u32 prod;
};

/**
 * struct smmu_events - the event queue of a unit
 * @records: four words for each, which hardware writes
 * @dma: where they lie
 * @lg2: of how many there are
 * @cons: index of the next one to be read; of the thread that reads
 */
struct smmu_events {
	__le64 *records;
	dma_addr_t dma;
	unsigned int lg2;
	u32 cons;
};

/**
 * struct smmu_requests - the page request queue of a unit
 * @lock: held while requests are taken out and delivered; within the unit's lock, and not
 *	  taken by what answers requests
 * @askers: devices that want to hear of faults, under @lock
 * @room: records that are nobody's share, under @lock
 * @records: two words for each, which hardware writes; NULL without a queue
 * @dma: where they lie
 * @lg2: of how many there are
 * @cons: index of the next one to be read, under @lock
 * @over: the flag of the last overflow, which changes with each, under @lock
 */
struct smmu_requests {
	struct mutex lock;
	struct list_head askers;
	unsigned int room;
	__le64 *records;
	dma_addr_t dma;
	unsigned int lg2;
	u32 cons;
	u32 over;
};

/**
 * struct smmu_streams - the stream table of a unit
 * @bits: of the stream ids that it has entries for
 * @split: bits of these that select within a table of the second level; 0 if there is
 *	   only one level
 * @first: first level, or NULL
 * @first_dma: where it lies
 * @second: the second level by index in the first, NULL where @passed stands; or the
 *	    only table there is
 * @second_dma: where they lie
 * @passed: a table that passes everything through, for streams that nobody has asked
 *	    about
 * @passed_dma: where it lies
 * @users: struct smmu_stream by stream id
 *
 * Under the lock of the unit.
 */
struct smmu_streams {
	unsigned int bits;
	unsigned int split;
	__le64 *first;
	dma_addr_t first_dma;
	struct smmu_ste **second;
	dma_addr_t *second_dma;
	struct smmu_ste *passed;
	dma_addr_t passed_dma;
	struct xarray users;
};

/**
 * struct smmu_stream - a stream id in use
 * @sdev: a device that it belongs to
 * @users: how many there are; several share one behind a bridge to PCI
 */
struct smmu_stream {
	struct smmu_device *sdev;
	unsigned int users;
};

/**
 * struct smmu_unit - an SMMUv3
 * @link: in the list of units that are on, of driver.c
 * @iommu: the IOMMU core's view of it
 * @dev: its platform device
 * @regs: page 0 of its registers
 * @page1: page 1 of them, or page 0 where the unit has them there
 * @idr: the identification registers
 * @iidr: who made it
 * @aidr: which version of the architecture
 * @has: SMMU_HAS_...
 * @bbml: how leaves may change their size: 0 not at all, 1 contiguous ones, 2 all
 * @ia_bits: of what stage 1 translates
 * @oa_bits: of physical addresses, and of what stage 2 translates
 * @granule_lg2: of the pages of our tables
 * @asid_max: the highest ASID
 * @vmid_max: the highest VMID
 * @lock: protects @streams, ids, and to which domain devices are attached; taken in
 *	  attach, which may sleep
 * @streams: its stream table
 * @ste_lock: protects the entries of @streams that are in use, and which devices are
 *	      cut off; taken within the locks of domains
 * @asids: in use for stage-1 domains, with VMID 0
 * @vmids: in use for stage-2 domains and for vIOMMUs
 * @queue: its command queue
 * @events: its event queue
 * @requests: its page request queue
 * @cr0: what is on
 * @devices: struct smmu_device behind it; under @lock
 * @leaving: nobody gets a device any more; under @lock
 */
struct smmu_unit {
	struct list_head link;
	struct iommu_device iommu;
	struct device *dev;
	void __iomem *regs;
	void __iomem *page1;
	u32 idr[6];
	u32 iidr;
	u32 aidr;
	u32 has;
	u8 bbml;
	u8 ia_bits;
	u8 oa_bits;
	u8 granule_lg2;
	u16 asid_max;
	u16 vmid_max;
	struct mutex lock;
	struct smmu_streams streams;
	spinlock_t ste_lock;
	struct ida asids;
	struct ida vmids;
	struct smmu_queue queue;
	struct smmu_events events;
	struct smmu_requests requests;
	u32 cr0;
	struct list_head devices;
	bool leaving;
};

static inline struct smmu_unit *to_smmu_unit(struct iommu_device *iommu)
{
	return container_of(iommu, struct smmu_unit, iommu);
}

static inline const char *smmu_name(const struct smmu_unit *unit)
{
	return dev_name(unit->dev);
}

/**
 * struct smmu_cds - tables of context descriptors of a device
 * @first: the first level, NULL if there is only one
 * @first_dma: where it lies
 * @table: the second level by index in the first, or the only table there is
 * @table_dma: where they lie
 * @spare: a table that the next change is made in
 * @spare_dma: where it lies
 * @bits: of the PASIDs that it has room for
 * @split: bits of these that select within a table
 * @nr: PASIDs that are attached; without any there are no tables
 *
 * Under the lock of the unit.
 */
struct smmu_cds {
	__le64 *first;
	dma_addr_t first_dma;
	struct smmu_cd **table;
	dma_addr_t *table_dma;
	struct smmu_cd *spare;
	dma_addr_t spare_dma;
	unsigned int bits;
	unsigned int split;
	unsigned int nr;
};

/**
 * struct smmu_device - a device behind a unit
 * @link: in the unit's list
 * @dev: the device
 * @unit: the unit
 * @domain: what it is attached to; of type paging or nested, or NULL. Under the
 *	    unit's lock
 * @passes: without a domain: it is passed through; else it is blocked. Likewise
 * @cds: its PASIDs. Likewise
 * @pasid_enabled: it may make requests with PASIDs
 * @ats: its ATS is to be used; constant
 * @ats_on: and is on. Changed with the unit and a domain of the device locked
 * @tlbs: attachments with ATS that it has. Under the unit's lock
 * @cut: it has not forgotten what it was told to, and is kept from all memory until it is
 *	 detached. Under the unit's ste_lock
 * @asking: among the askers of the unit, while @faults
 * @faults: iommufd wants to hear of its faults. Under the unit's lock
 * @stalls: it does by stalling, not by page requests. Constant while @faults
 * @share: page requests that it may have without an answer
 * @pri_on: it may send them. Under the unit's lock
 * @vdev: what a guest calls it, or NULL. Under the unit's lock
 * @nr_sids: how many stream ids it has
 * @sids: each of them once; constant
 */
struct smmu_device {
	struct list_head link;
	struct device *dev;
	struct smmu_unit *unit;
	struct smmu_domain *domain;
	bool passes;
	struct smmu_cds cds;
	bool pasid_enabled;
	bool ats;
	bool ats_on;
	unsigned int tlbs;
	bool cut;
	struct list_head asking;
	bool faults;
	bool stalls;
	unsigned int share;
	bool pri_on;
	struct iommufd_vdevice *vdev;
	unsigned int nr_sids;
	u32 sids[] __counted_by(nr_sids);
};

static inline struct smmu_device *to_smmu_device(struct device *dev)
{
	return dev_iommu_priv_get(dev);
}

/**
 * struct smmu_domain_unit - a domain as one unit knows it
 * @link: in the domain's list
 * @unit: the unit
 * @users: devices that are attached; under the unit's lock. A vIOMMU counts as one
 * @id: ASID or VMID, which tags its translations there
 * @guest: it is the VMID of a vIOMMU over this domain: what is cached with it may be
 *	   made of both stages
 * @cd: stage 1: the context descriptor that leads to the table
 * @cd_dma: where it lies
 */
struct smmu_domain_unit {
	struct list_head link;
	struct smmu_unit *unit;
	unsigned int users;
	u16 id;
	bool guest;
	struct smmu_cd *cd;
	dma_addr_t cd_dma;
};

/**
 * struct smmu_tlb_user - a device that may remember translations of a domain
 * @link: in the list of the domain, or of the stage 2 below it
 * @sdev: the device
 * @domain: what it is attached to
 * @ssid: with which PASID, IOMMU_NO_PASID for requests without one
 */
struct smmu_tlb_user {
	struct list_head link;
	struct smmu_device *sdev;
	struct smmu_domain *domain;
	u32 ssid;
};

/**
 * struct smmu_domain - a page table
 * @domain: the IOMMU core's view of it
 * @pt: the table; unused in a nested domain
 * @lock: protects @units and @tlbs; innermost but for ste_lock and the queues' locks
 * @units: struct smmu_domain_unit of the units it is used by
 * @tlbs: struct smmu_tlb_user of devices with ATS, also of those above it
 * @stage2: the table is one of stage 2; constant
 * @nest_parent: it may be under vIOMMUs; constant once it is in use
 * @dirty: hardware records what is written; constant
 * @cleaned: memory is written back from the CPU's caches before it is mapped, since
 *	     a guest could read past them; constant
 * @viommu: of a nested domain: what it belongs to. Else NULL
 * @ste: of a nested domain: the words of the guest's stream table entry that count
 */
struct smmu_domain {
	struct iommu_domain domain;
	struct pt pt;
	spinlock_t lock;
	struct list_head units;
	struct list_head tlbs;
	bool stage2;
	bool nest_parent;
	bool dirty;
	bool cleaned;
	struct iommufd_viommu *viommu;
	u64 ste[2];
};

static inline struct smmu_domain *to_smmu_domain(struct iommu_domain *domain)
{
	return container_of(domain, struct smmu_domain, domain);
}

static inline u32 smmu_read(const struct smmu_unit *unit, unsigned int reg)
{
	return readl(unit->regs + reg);
}

static inline void smmu_write(const struct smmu_unit *unit, unsigned int reg,
			      u32 value)
{
	writel(value, unit->regs + reg);
}

static inline void smmu_write64(const struct smmu_unit *unit, unsigned int reg,
				u64 value)
{
	writeq(value, unit->regs + reg);
}

/* unit.c */
int smmu_unit_read(struct smmu_unit *unit);
int smmu_unit_enable(struct smmu_unit *unit);
void smmu_unit_disable(struct smmu_unit *unit);
int smmu_switch(struct smmu_unit *unit, u32 bits, bool on);

/* quirks.c */
void smmu_quirks(struct smmu_unit *unit);
const struct acpi_iort_smmu_v3 *smmu_iort(struct device *dev);
bool smmu_quirks_no_page1(struct device *dev);

/* queue.c */
int smmu_queue_init(struct smmu_unit *unit);
int smmu_queue_submit(struct smmu_unit *unit, const struct smmu_command *commands,
		      unsigned int nr);
void smmu_queue_run(struct smmu_unit *unit, const struct smmu_command *commands,
		    unsigned int nr);
void smmu_forget_everything(struct smmu_unit *unit);
void smmu_forget_stream(struct smmu_unit *unit, u32 sid);
void smmu_forget_descriptors(struct smmu_unit *unit, u32 sid);
void smmu_forget_streams(struct smmu_unit *unit, u32 first, unsigned int lg2);
void smmu_forget_asid(struct smmu_unit *unit, u16 asid);
void smmu_forget_vmid(struct smmu_unit *unit, u16 vmid);
void smmu_forget_guest(struct smmu_unit *unit, u16 vmid);
void smmu_forget_range(struct smmu_unit *unit, bool stage2, u16 id, u64 first,
		       u64 last, bool tables, unsigned int granule_lg2);

/* event.c */
int smmu_events_init(struct smmu_unit *unit);
void smmu_events_fini(struct smmu_unit *unit);

/* stream.c */
int smmu_streams_init(struct smmu_unit *unit);
void smmu_streams_fini(struct smmu_unit *unit);
int smmu_stream_get(struct smmu_device *sdev, u32 sid);
void smmu_stream_put(struct smmu_device *sdev, u32 sid);
void smmu_stream_set(struct smmu_unit *unit, u32 sid, const struct smmu_ste *ste);
struct smmu_ste smmu_ste_pass(void);
struct smmu_ste smmu_ste_abort(void);
struct smmu_ste smmu_ste_stage1(const struct smmu_unit *unit, u64 descriptors,
				unsigned int others);
struct smmu_ste smmu_ste_domain(const struct smmu_domain *domain,
				const struct smmu_domain_unit *du);

/* of the kernel: exported, and declared where modules cannot see it */
void iommu_dma_get_resv_regions(struct device *dev, struct list_head *list);

/* device.c */
struct iommu_device *smmu_probe_device(struct device *dev);
void smmu_release_device(struct device *dev);
void smmu_resv_regions(struct device *dev, struct list_head *list);
int smmu_attach_identity(struct iommu_domain *domain, struct device *dev);
int smmu_attach_blocked(struct iommu_domain *domain, struct device *dev);
int smmu_attach_paging(struct iommu_domain *domain, struct device *dev);
int smmu_attach_nested(struct iommu_domain *domain, struct device *dev);
void smmu_device_update(struct smmu_device *sdev);
void smmu_device_cut(struct smmu_device *sdev);
void smmu_device_uncut(struct smmu_device *sdev);
int smmu_refuse_cut(const struct smmu_device *sdev);

/* cd.c */
unsigned int smmu_cds_bits(const u32 *idr);
int smmu_cds_room(struct smmu_device *sdev, u32 ssid);
void smmu_cds_set(struct smmu_device *sdev, u32 ssid, const struct smmu_cd *cd);
bool smmu_cds_ste(const struct smmu_device *sdev, u64 *w0);
void smmu_cds_free(struct smmu_device *sdev);

/* pasid.c */
void smmu_pasid_enable(struct smmu_device *sdev);
void smmu_pasid_disable(struct smmu_device *sdev);
int smmu_set_dev_pasid(struct iommu_domain *iommu_domain, struct device *dev,
		       ioasid_t pasid, struct iommu_domain *old);
void smmu_remove_dev_pasid(struct device *dev, ioasid_t pasid,
			   struct iommu_domain *iommu_domain);
int smmu_replace_pasid(struct iommu_domain *new, struct iommu_domain *old,
		       struct device *dev, ioasid_t pasid);

/* ats.c */
void smmu_ats_init(struct smmu_device *sdev, const struct iommu_fwspec *fwspec);
int smmu_ats_enter(struct smmu_device *sdev, struct smmu_domain *domain, u32 ssid);
void smmu_ats_start(struct smmu_device *sdev, struct smmu_domain *domain);
void smmu_ats_stop(struct smmu_device *sdev, struct smmu_domain *domain, u32 ssid);
void smmu_ats_leave(struct smmu_device *sdev, struct smmu_domain *domain, u32 ssid);
void smmu_ats_tell(struct smmu_device *sdev, const struct smmu_command *command);
void smmu_ats_forget_old(struct smmu_device *sdev, const struct smmu_domain *domain,
			 u32 ssid);
void smmu_ats_forget(struct smmu_domain *domain, u64 first, u64 last);
void smmu_ats_push(struct smmu_device *sdev);

/* faults.c */
int smmu_requests_init(struct smmu_unit *unit);
bool smmu_requests_read(struct smmu_unit *unit);
void smmu_stalled(struct smmu_unit *unit, const struct smmu_event *event);
void smmu_faults_start(struct smmu_device *sdev);
void smmu_faults_drain(struct smmu_device *sdev);
void smmu_faults_stop(struct smmu_device *sdev);
int smmu_enable_faults(struct device *dev);
void smmu_disable_faults(struct device *dev);
void smmu_answer_fault(struct device *dev, const struct iommufd_page_response *response);

/* release.c */
int smmu_release(struct list_head *units, void (*stop)(struct smmu_unit *unit));

/* domain.c */
struct smmu_domain *smmu_domain_new(void);
struct smmu_domain *smmu_domain_alloc(struct smmu_unit *unit, bool stage2,
				      bool nest_parent, bool dirty);
struct iommu_domain *smmu_domain_alloc_paging(struct device *dev);
bool smmu_domain_suits(const struct smmu_domain *domain,
		       const struct smmu_unit *unit);
int smmu_domain_enter(struct smmu_domain *domain, struct smmu_unit *unit,
		      bool guest, struct smmu_domain_unit **du);
void smmu_domain_leave(struct smmu_domain *domain, struct smmu_domain_unit *du);
struct smmu_domain_unit *smmu_domain_find(const struct smmu_domain *domain,
					  const struct smmu_unit *unit);
int smmu_domain_map(struct smmu_domain *domain, u64 iova,
		    const struct pt_run *runs, unsigned int nr, int prot,
		    u64 sizes, size_t *mapped);
size_t smmu_domain_unmap(struct iommu_domain *iommu_domain, unsigned long iova,
			 size_t len, struct iommu_iotlb_gather *gather);

/* cache.c */
void smmu_clean_run(const struct pt_run *run);

/* dirty.c */
int smmu_set_dirty(struct iommu_domain *domain, bool enable);
int smmu_read_dirty(struct iommu_domain *iommu_domain, unsigned long iova,
		    size_t len, unsigned long flags,
		    struct iommufd_dirty_bitmap *bitmap,
		    struct iommu_iotlb_gather *gather);

/* iommufd.c */
extern const struct iommufd_driver_ops smmu_iommufd_ops;

/* driver.c */
extern const struct iommu_ops smmu_iommu_ops;

#endif

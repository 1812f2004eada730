/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * I/O page tables of POWER: windows of translation control entries (TCEs).
 *
 * The kernel's own code knows firmware and hypervisor, and offers what it can do
 * through a struct iommu_table_group. This driver makes windows there and fills
 * them, for devices whose group somebody has claimed: the window that the host
 * had is gone then, and comes back when the claim ends.
 *
 * A group has one set of windows, however many page tables are made for it. So the
 * windows of a page table exist while the group is attached to it, and what is
 * mapped is kept in a shadow from which they are filled.
 */
#ifndef TCE_H
#define TCE_H

#include <linux/iommu.h>
#include <linux/iommufd_driver.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <asm/iommu.h>

#define TCE_WINDOWS IOMMU_TABLE_GROUP_MAX_TABLES

/**
 * struct tce_place - where a window can be
 * @first: its only possible first address
 * @last: the last address that it can be made to have
 * @pgsizes: page sizes to choose from, one bit for each
 * @usable: there can be one at all
 * @whole: it always has all of these addresses
 */
struct tce_place {
	u64 first;
	u64 last;
	u64 pgsizes;
	bool usable;
	bool whole;
};

/**
 * struct tce_group - devices that share their windows
 * @link: in the list of all, until the last device of the group goes
 * @kref: one for each domain, and for who works with it
 * @tg: the kernel's; valid as long as a device of the group is there. Others may
 *	come to be at the same address
 * @gone: that is no more: the group has no device, and never will have one again
 * @lock: held while windows come and go. The kernel takes the mutex of the IOMMU
 *	  group meanwhile, which is therefore never held outside of it
 * @connected: the domain whose windows there are, or NULL; under @lock
 * @places: of the window for 32 bits, and of the one far up; constant
 */
struct tce_group {
	struct list_head link;
	struct kref kref;
	struct iommu_table_group *tg;
	bool gone;
	struct mutex lock;	/* of windows, see above */
	struct tce_domain *connected;
	struct tce_place places[TCE_WINDOWS];
};

struct tce_group *tce_group_get(struct device *dev);
void tce_group_put(struct tce_group *group);
bool tce_group_has(const struct tce_group *group, struct device *dev);
void tce_group_lose(struct device *dev);
struct iommu_table_group *tce_table_group(struct device *dev);
int tce_group_try(struct tce_domain *domain);
int tce_group_connect(struct tce_domain *domain);
void tce_group_disconnect(struct tce_domain *domain);

/**
 * struct tce_shadow - what is mapped in a window
 * @nr: entries
 * @leaves: arrays of TCE_SHADOW_LEAF entries each, which come when they are needed
 *	    and stay; NULL where nothing was ever mapped
 *
 * An entry is 0, or a physical address with IOMMU_READ and IOMMU_WRITE in its
 * lowest bits. Entries are written by whoever maps or unmaps their addresses, and
 * leaves are put in by compare and exchange: no lock is needed.
 */
struct tce_shadow {
	unsigned long nr;
	u64 **leaves;
};

#define TCE_SHADOW_LEAF (PAGE_SIZE / sizeof(u64))

/**
 * struct tce_window - a window of a domain
 * @num: 0 the one for 32 bits, 1 the one far up
 * @first: first address
 * @last: last address
 * @shift: of its page size
 * @levels: of its table
 * @shadow: what is mapped
 * @table: while the group is attached to the domain, else NULL
 * @charge: for the memory of the table, from the first one on
 */
struct tce_window {
	unsigned int num;
	u64 first;
	u64 last;
	unsigned int shift;
	unsigned int levels;
	struct tce_shadow shadow;
	struct iommu_table *table;
	struct iommufd_charge charge;
};

int tce_shadow_init(struct tce_shadow *shadow, unsigned long nr);
void tce_shadow_destroy(struct tce_shadow *shadow);
int tce_shadow_set(struct tce_shadow *shadow, unsigned long index,
		   unsigned long nr, phys_addr_t phys, unsigned int shift,
		   int prot);
void tce_shadow_clear(struct tce_shadow *shadow, unsigned long index,
		      unsigned long nr);
u64 tce_shadow_get(const struct tce_shadow *shadow, unsigned long index);
unsigned long tce_shadow_run(const struct tce_shadow *shadow,
			     unsigned long *index, unsigned int shift,
			     u64 *entry);

/**
 * struct tce_domain - a page table
 * @domain: what the IOMMU core knows
 * @group: the only one that can be attached
 * @nr: used entries of @windows
 * @windows: sorted by address; constant but for tables and shadows
 * @filled: held for reading while something is mapped or unmapped, for writing
 *	    while the tables come and go
 */
struct tce_domain {
	struct iommu_domain domain;
	struct tce_group *group;
	unsigned int nr;
	struct tce_window windows[TCE_WINDOWS];
	struct rw_semaphore filled;
};

static inline struct tce_domain *to_tce_domain(struct iommu_domain *domain)
{
	return container_of(domain, struct tce_domain, domain);
}

struct iommu_domain *tce_domain_alloc(struct device *dev,
				      struct tce_group *group,
				      const struct tce_window *windows,
				      unsigned int nr);
int tce_domain_map(struct tce_domain *domain, unsigned long iova,
		   const struct iommufd_run *runs, unsigned int nr, int prot,
		   size_t *mapped);
size_t tce_domain_unmap(struct tce_domain *domain, unsigned long iova,
			size_t len);
int tce_window_fill(struct tce_window *window);
void tce_window_empty(struct tce_window *window);

/* windows.c */
unsigned int tce_default_windows(const struct tce_group *group,
				 struct tce_window *out);
int tce_wanted_windows(const struct tce_group *group,
		       const struct iommu_ext_window *wanted, unsigned int nr,
		       struct tce_window *out);
unsigned int tce_list_places(const struct tce_group *group,
			     struct iommu_ext_range *out);
unsigned int tce_window_levels(const struct iommu_table_group *tg,
			       u64 length, unsigned int shift);

/* iommufd.c */
extern struct iommufd_driver_ops tce_driver_ops;

#endif

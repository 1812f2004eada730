/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * I/O page tables: one walker, one header per format.
 *
 * The library knows nobody: it is given memory runs and makes the table that
 * hardware walks. Drivers use what this header declares; a format is a header in
 * fmt/ and a .c file of a few lines that puts format and walker together. It is
 * built for the kernel and, by tools/testing/pt, for user space.
 *
 * Words, the same in every format:
 *
 *	item	one 64-bit slot of a table
 *	level	of a table: 0 has the smallest pages, one more is one step nearer to
 *		the top. Specifications count in various ways; formats translate
 *	leaf	what translates: one item, or 2^n items that hardware takes for one
 *		(Arm's contiguous hint, AMD's page sizes between the levels)
 *	table item
 *		an item that leads to a table one level below
 *	span	the addresses that an item or a table covers
 *	OA	output address: what a leaf leads to
 *	top	the table that hardware begins with
 *	_lg2	the base-two logarithm of a size in bytes, or of a number of items
 *
 * Who may do what at the same time. All calls for disjoint ranges of addresses
 * may run concurrently, without a lock: tables come into being by an atomic
 * exchange in an empty item, and only disappear in a call whose range covers
 * their whole span, so that nobody else can be inside. Calls for ranges that
 * overlap are the caller's to exclude. pt_ops.destroy runs alone.
 *
 * When memory comes back. What unmap takes out of the table may still be used by
 * hardware until it was told to forget it: struct pt_gather collects the range,
 * and the tables that are no longer needed. After the invalidation the caller
 * frees those with pt_gather_free(), and only then unpins what was mapped.
 */
#ifndef __IOMMU_PT_H
#define __IOMMU_PT_H

#include "pt_os.h"

/* Who may do what through a leaf. */
#define PT_READ		BIT(0)
#define PT_WRITE	BIT(1)
#define PT_EXEC		BIT(2)
/* requests that hardware marks as privileged only */
#define PT_PRIV		BIT(3)
/* DMA is snooped even if the request asks that it is not */
#define PT_SNOOP	BIT(4)
/* no memory: must not be cached, or what a format makes of it */
#define PT_MMIO		BIT(5)

/* Arm, stage 1: which byte of MAIR says what, for the driver to fill in. */
#define PT_ARM_MAIR_CACHED	0
#define PT_ARM_MAIR_DEVICE	1
#define PT_ARM_MAIR_UNCACHED	2

/* Hardware does not see the CPU's caches: what is written has to be flushed. */
#define PT_FEAT_NONCOHERENT	BIT(0)
/* Addresses are sign extended from their highest bit. */
#define PT_FEAT_SIGN_EXTEND	BIT(1)
/* Hardware records accesses and writes in leaves; they are made ready for it. */
#define PT_FEAT_DIRTY		BIT(2)
/*
 * With PT_FEAT_DIRTY: hardware sets the dirty bit of a leaf only when it sets the
 * accessed bit. So a leaf that was accessed may have been written to, and counts.
 */
#define PT_FEAT_DIRTY_IF_ACCESSED BIT(4)
/* A leaf may be cut while hardware uses it, without breaking it first. */
#define PT_FEAT_LIVE_CUT	BIT(3)
/* The same only for a leaf of several items, which becomes leaves of one each. */
#define PT_FEAT_LIVE_CUT_WIDE	BIT(5)
/* What leaves say of caches overrides what a stage before has said (Arm: S2FWB). */
#define PT_FEAT_FORCE_CACHES	BIT(6)

/* No table of a known format is deeper. */
#define PT_MAX_LEVELS 6

/**
 * struct pt_run - physically contiguous memory
 * @phys: address of the first byte
 * @len: bytes, never 0
 */
struct pt_run {
	u64 phys;
	size_t len;
};

/**
 * struct pt_runs - where runs are collected
 * @run: room for them
 * @nr: how many there are
 * @max: how many there is room for
 *
 * A run that continues the last one makes that one longer.
 */
struct pt_runs {
	struct pt_run *run;
	unsigned int nr;
	unsigned int max;
};

/**
 * struct pt_gather - what hardware has to forget
 * @first: first address; above @last while there is nothing
 * @last: last address
 * @tables: table items changed as well as leaves: also what hardware remembers
 *	    of the upper levels has to go
 * @retired: tables that are no longer part of the table, for pt_gather_free()
 *
 * The caller's, from pt_gather_init() on; any number of calls add to it.
 */
struct pt_gather {
	u64 first;
	u64 last;
	bool tables;
	struct pt_table_list retired;
};

static inline void pt_gather_init(struct pt_gather *gather)
{
	gather->first = U64_MAX;
	gather->last = 0;
	gather->tables = false;
	pt_table_list_init(&gather->retired);
}

static inline bool pt_gather_empty(const struct pt_gather *gather)
{
	return gather->first > gather->last;
}

static inline void pt_gather_add(struct pt_gather *gather, u64 first, u64 last)
{
	gather->first = min(gather->first, first);
	gather->last = max(gather->last, last);
}

struct pt;

/**
 * struct pt_ops - a format
 * @name: as users read it
 * @init: make an empty table after pt->config; 0, -EINVAL for what the format
 *	  cannot be, -ENOMEM
 * @destroy: free all tables; hardware does not use them any more
 * @page_sizes: leaves there can be with this configuration, one bit per size
 * @map: enter @nr runs one after the other from @iova on, with leaves of the
 *	 sizes in @sizes that @page_sizes has. *@mapped is how many bytes were
 *	 entered, also on failure. 0, -ENOMEM, -EINVAL if alignment allows no leaf,
 *	 -ERANGE outside of what the table can translate, -EEXIST if something is
 *	 mapped there. If @gather is not empty afterwards, a table that had become
 *	 empty gave way to a leaf: invalidate before the map is used
 * @unmap: take out what is mapped in the range, which begins and ends between
 *	   leaves. Without @runs the range has to be mapped throughout, and whole
 *	   tables are dropped without a look inside; with @runs the memory behind
 *	   it is collected, and it stops when there is no more room. Returns how
 *	   far it came in bytes: less than @len at a leaf that the range cuts
 * @lookup: the memory behind @iova: *@phys, and how many bytes from it follow each
 *	    other, at most @len; 0 if nothing is mapped
 * @cut: make leaves begin at @iova if one reaches across. 0, -ENOMEM, or -EINVAL
 *	 if there is no smaller leaf. Where hardware must not see a leaf change
 *	 its size (no PT_FEAT_LIVE_CUT), @invalidate is called while it is absent,
 *	 and DMA to it fails for that moment. Otherwise, and for what was put in
 *	 its place, the leaf is added to @gather
 * @read_dirty: call @set for every leaf, cut to the range, that was written to, and
 *		make them clean if @clear. What was made clean is added to @gather:
 *		hardware may not record a write through a translation that it
 *		remembers as dirty
 *
 * None sleeps but @init, @map and @cut, which allocate. Long calls let others run.
 */
struct pt_ops {
	const char *name;
	int (*init)(struct pt *pt);
	void (*destroy)(struct pt *pt);
	u64 (*page_sizes)(const struct pt *pt);
	int (*map)(struct pt *pt, u64 iova, const struct pt_run *runs,
		   unsigned int nr, unsigned int prot, u64 sizes,
		   struct pt_gather *gather, size_t *mapped);
	size_t (*unmap)(struct pt *pt, u64 iova, size_t len,
			struct pt_gather *gather, struct pt_runs *runs);
	size_t (*lookup)(struct pt *pt, u64 iova, size_t len, u64 *phys);
	int (*cut)(struct pt *pt, u64 iova, struct pt_gather *gather,
		   void (*invalidate)(struct pt *pt, u64 iova, size_t len));
	void (*read_dirty)(struct pt *pt, u64 iova, size_t len, bool clear,
			   void (*set)(void *arg, u64 iova, size_t len),
			   void *arg, struct pt_gather *gather);
};

/**
 * struct pt_config - what a table is like
 * @va_bits: width of the addresses that are translated
 * @oa_bits: width of the addresses it leads to
 * @levels: how many there are
 * @granule_lg2: the smallest page, where a format leaves the choice
 * @features: PT_FEAT_...
 * @max_leaf_lg2: no leaf is larger; 0 if hardware can do all of the format's
 * @node: NUMA node of the tables
 */
struct pt_config {
	u8 va_bits;
	u8 oa_bits;
	u8 levels;
	u8 granule_lg2;
	u32 features;
	u8 max_leaf_lg2;
	int node;
};

/**
 * struct pt - a table
 * @ops: its format
 * @config: filled in before pt_ops.init(), constant afterwards
 * @top: the table that hardware begins with
 *
 * The caller's, usually embedded in a domain.
 */
struct pt {
	const struct pt_ops *ops;
	struct pt_config config;
	u64 *top;
};

static inline u64 pt_top_phys(const struct pt *pt)
{
	return pt_os_phys(pt->top);
}

/**
 * pt_gather_free - free tables that hardware has forgotten
 * @gather: after the invalidation; empty afterwards
 */
static inline void pt_gather_free(struct pt_gather *gather)
{
	pt_table_list_free(&gather->retired);
	pt_gather_init(gather);
}

extern const struct pt_ops pt_amd_v1;
extern const struct pt_ops pt_arm_s1;
extern const struct pt_ops pt_arm_s2;
extern const struct pt_ops pt_vtd_ss;
extern const struct pt_ops pt_x86_64;

#endif

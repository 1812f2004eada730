/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rig in which every format is tested: a table, a plain array that says what
 * it should translate, and a walker that reads the table as the specification
 * tells hardware to, which shares nothing with the format's own header.
 */
#ifndef PT_RIG_H
#define PT_RIG_H

#include "pt.h"

/* What hardware finds for an address. */
struct hw_leaf {
	u64 phys;		/* of the address, not of the leaf */
	unsigned int lg2;	/* size of the leaf */
	bool read, write, dirty;
};

/**
 * struct rig_format - a format under test
 * @name: of the variant
 * @ops: the format
 * @config: what it is given
 * @walk: what hardware finds at @iova: false if it faults. With @write it is a
 *	  write and recorded, if the table is made for that
 * @base: where to test: just below the end of what one item of level 2 covers
 * @tables_stay: a table never becomes a leaf while hardware may remember it
 * @high: bits of physical addresses that all memory and all tables have
 */
struct rig_format {
	const char *name;
	const struct pt_ops *ops;
	struct pt_config config;
	bool (*walk)(const struct pt *pt, u64 iova, bool write,
		     struct hw_leaf *leaf);
	u64 base;
	u64 high;
	bool tables_stay;
};

/* The smallest page there is, and so many of them below or above @base. */
static inline u64 rig_page_size(const struct rig_format *f)
{
	return 1ULL << (f->config.granule_lg2 ?: 12);
}

static inline u64 rig_base(const struct rig_format *f, s64 pages)
{
	return f->base + pages * (s64)rig_page_size(f);
}

extern const struct rig_format rig_formats[];
extern const unsigned int rig_nr_formats;

/**
 * struct rig - a table and what it should be
 * @f: its format
 * @pt: the table, which several rigs may share that have parts of it each
 * @own: the table of a rig that has it for itself
 * @forget: make hardware forget, before tables are freed; or NULL
 * @page: the smallest page
 * @base: where @model begins
 * @nr: pages in @model
 * @model: per page the memory it leads to, or NOTHING
 * @prot: per page PT_READ, PT_WRITE
 * @dirty: per page: written to since it was last read and cleared
 * @why: what was found to be wrong first
 */
struct rig {
	const struct rig_format *f;
	struct pt *pt;
	struct pt own;
	void (*forget)(void);
	u64 page;
	u64 base;
	unsigned int nr;
	u64 *model;
	u8 *prot;
	u8 *dirty;
	char why[256];
};

#define NOTHING U64_MAX

/* With @shared, another rig's table, or NULL. */
bool rig_init(struct rig *r, const struct rig_format *f, struct pt *shared,
	      u64 base, unsigned int nr);
void rig_fini(struct rig *r);

/*
 * One call each, applied to table and model and compared in what it returns.
 * Pages are counted from @base. False, with r->why, if something is wrong.
 */
bool rig_map(struct rig *r, unsigned int first, unsigned int nr, u64 phys,
	     unsigned int prot, u64 sizes);
bool rig_unmap(struct rig *r, unsigned int first, unsigned int nr, bool collect);
bool rig_cut(struct rig *r, unsigned int at);
bool rig_lookup(struct rig *r, unsigned int first, unsigned int nr);
bool rig_write(struct rig *r, unsigned int at);
bool rig_dirty(struct rig *r, unsigned int first, unsigned int nr, bool clear);
/* Compare what hardware finds with the model, page by page. */
bool rig_check(struct rig *r);
bool rig_check_page(struct rig *r, unsigned int at);
/* Whether a leaf reaches across the beginning of this page. */
bool rig_crosses(struct rig *r, unsigned int at);
bool rig_mapped(const struct rig *r, unsigned int first, unsigned int nr);
bool rig_free(const struct rig *r, unsigned int first, unsigned int nr);

#endif

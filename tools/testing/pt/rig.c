// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>

#include "rig.h"

#define WRONG(r, ...) \
	(snprintf((r)->why, sizeof((r)->why), __VA_ARGS__), false)

bool rig_init(struct rig *r, const struct rig_format *f, struct pt *shared,
	      u64 base, unsigned int nr)
{
	memset(r, 0, sizeof(*r));
	r->f = f;
	r->base = base;
	r->nr = nr;
	r->pt = shared ?: &r->own;
	r->own.ops = f->ops;
	r->own.config = f->config;
	pt_user_high = f->high;
	if (!shared && f->ops->init(&r->own))
		return WRONG(r, "init failed");
	r->page = 1ULL << __builtin_ctzll(f->ops->page_sizes(r->pt));
	r->model = malloc(nr * sizeof(*r->model));
	memset(r->model, 0xff, nr * sizeof(*r->model));
	r->prot = calloc(nr, 1);
	r->dirty = calloc(nr, 1);
	return true;
}

void rig_fini(struct rig *r)
{
	if (r->own.top)
		r->f->ops->destroy(&r->own);
	free(r->model);
	free(r->prot);
	free(r->dirty);
}

static void forget(struct rig *r, struct pt_gather *gather)
{
	if (r->forget && !pt_gather_empty(gather))
		r->forget();
	pt_gather_free(gather);
}

static u64 rig_iova(const struct rig *r, unsigned int page)
{
	return r->base + page * r->page;
}

bool rig_mapped(const struct rig *r, unsigned int first, unsigned int nr)
{
	while (nr--)
		if (r->model[first + nr] == NOTHING)
			return false;
	return true;
}

bool rig_free(const struct rig *r, unsigned int first, unsigned int nr)
{
	while (nr--)
		if (r->model[first + nr] != NOTHING)
			return false;
	return true;
}

static void model_forget(struct rig *r, unsigned int first, unsigned int nr)
{
	memset(r->model + first, 0xff, nr * sizeof(*r->model));
	memset(r->prot + first, 0, nr);
	memset(r->dirty + first, 0, nr);
}

bool rig_map(struct rig *r, unsigned int first, unsigned int nr, u64 phys,
	     unsigned int prot, u64 sizes)
{
	/* odd ones in two runs, so that lists are seen to work */
	unsigned int head = nr % 2 ? (nr + 1) / 2 : nr;
	struct pt_run runs[2] = {
		{ .phys = phys | r->f->high, .len = head * r->page },
		{ .phys = (phys | r->f->high) + head * r->page, .len = (nr - head) * r->page },
	};
	struct pt_gather gather;
	bool can = rig_free(r, first, nr);
	size_t mapped;
	unsigned int i;
	int rc;

	pt_gather_init(&gather);
	rc = r->f->ops->map(r->pt, rig_iova(r, first), runs, head < nr ? 2 : 1,
			    prot, sizes | r->page, &gather, &mapped);
	if (gather.tables && r->f->tables_stay)
		return WRONG(r, "a table gave way to a leaf");
	forget(r, &gather);
	if (!can && rc != -EEXIST && rc != -ENOMEM)
		return WRONG(r, "map over something: %d", rc);
	if (can && rc && rc != -ENOMEM)
		return WRONG(r, "map: %d", rc);
	if (!rc && mapped != nr * r->page)
		return WRONG(r, "mapped %zu of %u pages", mapped, nr);
	if (mapped % r->page || mapped > nr * r->page)
		return WRONG(r, "mapped %zu bytes", mapped);
	for (i = 0; i < mapped / r->page; i++) {
		r->model[first + i] = runs[0].phys + i * r->page;
		r->prot[first + i] = prot;
	}
	/* what a failed map has entered goes again, as callers do it */
	if (rc && mapped)
		return rig_unmap(r, first, mapped / r->page, false);
	return true;
}

/* How far an unmap comes: up to a leaf that reaches out of it. */
static unsigned int unmap_reaches(struct rig *r, unsigned int first,
				  unsigned int nr)
{
	struct hw_leaf leaf;
	unsigned int i = 0;

	if (rig_crosses(r, first))
		return 0;
	while (i < nr) {
		unsigned int pages = 1;

		if (r->f->walk(r->pt, rig_iova(r, first + i), false, &leaf))
			pages = (1ULL << leaf.lg2) / r->page;
		if (pages > nr - i)
			break;
		i += pages;
	}
	return i;
}

static bool compare_runs(struct rig *r, const struct pt_runs *runs,
			 unsigned int first, unsigned int nr)
{
	unsigned int run = 0, i;
	u64 done = 0;

	for (i = first; i < first + nr; i++) {
		if (r->model[i] == NOTHING)
			continue;
		if (run < runs->nr && done == runs->run[run].len) {
			run++;
			done = 0;
		}
		if (run == runs->nr || runs->run[run].phys + done != r->model[i])
			return WRONG(r, "runs of unmap are wrong at page %u", i);
		done += r->page;
	}
	if (runs->nr && (run != runs->nr - 1 || done != runs->run[run].len))
		return WRONG(r, "unmap returned more than was there");
	return true;
}

bool rig_unmap(struct rig *r, unsigned int first, unsigned int nr, bool collect)
{
	struct pt_run *run = calloc(nr, sizeof(*run));
	struct pt_runs runs = { .run = run, .max = nr };
	unsigned int want = unmap_reaches(r, first, nr);
	struct pt_gather gather;
	size_t got;
	bool ok;

	pt_gather_init(&gather);
	got = r->f->ops->unmap(r->pt, rig_iova(r, first), nr * r->page, &gather,
			       collect ? &runs : NULL);
	if (got != want * r->page)
		ok = WRONG(r, "unmap of %u pages from %u: 0x%zx, not 0x%llx bytes",
			   nr, first, got, (unsigned long long)(want * r->page));
	else if (got && (gather.first > rig_iova(r, first) ||
			 gather.last < rig_iova(r, first) + got - 1))
		ok = WRONG(r, "unmap gathered too little");
	else
		ok = !collect || compare_runs(r, &runs, first, want);
	forget(r, &gather);
	model_forget(r, first, want);
	free(run);
	return ok;
}

static __thread struct rig *breaking;
static __thread unsigned int broken;

/* What is cut has to be absent for hardware now. */
static void broke(struct pt *pt, u64 iova, size_t len)
{
	struct hw_leaf leaf;

	broken++;
	if (breaking->f->walk(pt, iova, false, &leaf) ||
	    breaking->f->walk(pt, iova + len - 1, false, &leaf))
		(void)WRONG(breaking, "a leaf is still there when it was broken");
}

bool rig_crosses(struct rig *r, unsigned int at)
{
	struct hw_leaf leaf;
	u64 iova = rig_iova(r, at);

	return r->f->walk(r->pt, iova, false, &leaf) &&
	       iova & ((1ULL << leaf.lg2) - 1);
}

bool rig_cut(struct rig *r, unsigned int at)
{
	bool crosses = rig_crosses(r, at);
	u32 live = r->f->config.features & (PT_FEAT_LIVE_CUT | PT_FEAT_LIVE_CUT_WIDE);
	struct pt_gather gather;
	bool told;
	int rc;

	pt_gather_init(&gather);
	broken = 0;
	breaking = r;
	rc = r->f->ops->cut(r->pt, rig_iova(r, at), &gather, broke);
	if (broken && live & PT_FEAT_LIVE_CUT)
		return WRONG(r, "a leaf was broken to cut it");
	told = (live && !pt_gather_empty(&gather)) || broken;
	forget(r, &gather);
	if (r->why[0])
		return false;
	if (rc == -ENOMEM)
		return true;
	if (rc)
		return WRONG(r, "cut: %d", rc);
	if (told != crosses)
		return WRONG(r, "a cut at page %u was %stold", at,
			     told ? "" : "not ");
	if (rig_crosses(r, at))
		return WRONG(r, "a leaf still crosses page %u", at);
	return true;
}

bool rig_lookup(struct rig *r, unsigned int first, unsigned int nr)
{
	u64 phys = 1, offset = r->page / 2;
	size_t len = nr * r->page - offset, want = 0, got;
	unsigned int i;

	for (i = first; i < first + nr && r->model[i] != NOTHING &&
	     r->model[i] == r->model[first] + (i - first) * r->page; i++)
		want += r->page;
	want = want ? want - offset : 0;
	got = r->f->ops->lookup(r->pt, rig_iova(r, first) + offset, len, &phys);
	if (got != want || (got && phys != r->model[first] + offset))
		return WRONG(r, "lookup of page %u: 0x%zx bytes, not 0x%zx", first,
			     got, want);
	return true;
}

/* A device writes; hardware records it for the whole leaf. */
bool rig_write(struct rig *r, unsigned int at)
{
	bool records = r->f->config.features & PT_FEAT_DIRTY;
	u64 iova = rig_iova(r, at), first;
	struct hw_leaf leaf;
	unsigned int i;

	if (!r->f->walk(r->pt, iova, true, &leaf)) {
		if (r->model[at] != NOTHING && r->prot[at] & PT_WRITE)
			return WRONG(r, "a write to page %u faults", at);
		return true;
	}
	if (r->model[at] == NOTHING || !(r->prot[at] & PT_WRITE))
		return WRONG(r, "a write to page %u is let through", at);
	if (!records)
		return true;
	first = iova >> leaf.lg2 << leaf.lg2;
	for (i = 0; i < (1ULL << leaf.lg2) / r->page; i++)
		r->dirty[(first - r->base) / r->page + i] = 1;
	return true;
}

static void mark(void *arg, u64 iova, size_t len)
{
	struct rig *r = arg;
	unsigned int at = (iova - r->base) / r->page;

	if (iova < r->base || (iova | len) % r->page ||
	    at + len / r->page > r->nr) {
		(void)WRONG(r, "dirty outside of what was asked");
		return;
	}
	for (; len; len -= r->page)
		r->dirty[at++] |= 2;
}

bool rig_dirty(struct rig *r, unsigned int first, unsigned int nr, bool clear)
{
	struct pt_gather gather;
	unsigned int i;

	if (!(r->f->config.features & PT_FEAT_DIRTY))
		return true;
	/* what reaches out of the range is cleared as a whole: do not ask for it */
	if (clear && (rig_crosses(r, first) ||
		      (first + nr < r->nr && rig_crosses(r, first + nr))))
		return true;
	pt_gather_init(&gather);
	r->f->ops->read_dirty(r->pt, rig_iova(r, first), nr * r->page, clear,
			      mark, r, &gather);
	for (i = 0; i < r->nr; i++) {
		bool asked = i >= first && i < first + nr;

		if (!!(r->dirty[i] & 2) != (asked && r->dirty[i] & 1))
			return WRONG(r, "page %u is %sdirty", i,
				     r->dirty[i] & 2 ? "" : "not ");
		if (asked && clear && r->dirty[i] &&
		    (gather.first > rig_iova(r, i) || gather.last < rig_iova(r, i)))
			return WRONG(r, "page %u was cleaned and not gathered", i);
		r->dirty[i] = asked && clear ? 0 : r->dirty[i] & 1;
	}
	forget(r, &gather);
	return !r->why[0];
}

bool rig_check_page(struct rig *r, unsigned int at)
{
	struct hw_leaf leaf;
	bool there = r->f->walk(r->pt, rig_iova(r, at), false, &leaf);

	if (there == (r->model[at] == NOTHING))
		return WRONG(r, "page %u is %smapped", at, there ? "" : "not ");
	if (!there)
		return true;
	if (leaf.phys != r->model[at])
		return WRONG(r, "page %u leads to 0x%llx, not 0x%llx", at,
			     (unsigned long long)leaf.phys,
			     (unsigned long long)r->model[at]);
	if (leaf.write != !!(r->prot[at] & PT_WRITE))
		return WRONG(r, "page %u is %swriteable", at,
			     leaf.write ? "" : "not ");
	return true;
}

bool rig_check(struct rig *r)
{
	unsigned int i;

	for (i = 0; i < r->nr; i++)
		if (!rig_check_page(r, i))
			return false;
	return true;
}

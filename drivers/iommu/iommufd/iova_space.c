// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which I/O virtual addresses may be used: the windows of the domains, less what
 * is reserved, with what the user was promised.
 */
#include <linux/log2.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "access.h"
#include "hole.h"
#include "io_pagetable.h"

/**
 * iopt_window_alignment - what addresses in a window have to be aligned to
 * @iopt: the address space
 * @window: one of its windows
 *
 * Return: a power of two; 1 without a domain or an access that pins
 */
unsigned long iopt_window_alignment(const struct io_pagetable *iopt,
				    const struct iommufd_window *window)
{
	unsigned long align = 1UL << __ffs(window->pgsizes);
	struct access_link *link;

	if (!iopt->huge_pages)
		align = max(align, PAGE_SIZE);
	list_for_each_entry(link, &iopt->accesses, link)
		align = max(align, iommufd_access_alignment(link->access));
	return align;
}

/**
 * iopt_alignment - alignment that is good in every window
 * @iopt: the address space
 *
 * Return: a power of two
 */
unsigned long iopt_alignment(const struct io_pagetable *iopt)
{
	unsigned long align = 1;
	unsigned int i;

	for (i = 0; i < iopt->nr_windows; i++)
		align = max(align, iopt_window_alignment(iopt, &iopt->windows[i]));
	return align;
}

/**
 * iopt_next_usable - find addresses that are translated and not reserved
 * @iopt: the address space, its shape or iova_lock held
 * @first: in: where to look from; out: the first usable address
 * @last: out: the last one of the stretch, which lies in one window
 *
 * Return: whether there are any
 */
bool iopt_next_usable(const struct io_pagetable *iopt, unsigned long *first,
		      unsigned long *last)
{
	struct rb_root_cached *reserved =
		(struct rb_root_cached *)&iopt->reserved;
	unsigned int i;

	for (i = 0; i < iopt->nr_windows; i++) {
		const struct iommufd_window *window = &iopt->windows[i];
		unsigned long from = max(*first, window->first);
		unsigned long to = window->last;

		if (from <= to && next_hole(reserved, &from, &to)) {
			*first = from;
			*last = to;
			return true;
		}
	}
	return false;
}

/**
 * iopt_window_of - the window that contains a range
 * @iopt: the address space, its shape or iova_lock held
 * @first: first address
 * @last: last address
 *
 * Return: the window, or NULL if none contains all of it
 */
const struct iommufd_window *
iopt_window_of(const struct io_pagetable *iopt, unsigned long first,
	       unsigned long last)
{
	unsigned int i;

	for (i = 0; i < iopt->nr_windows; i++)
		if (iopt->windows[i].first <= first && last <= iopt->windows[i].last)
			return &iopt->windows[i];
	return NULL;
}

static struct iopt_range *range_in(struct rb_root_cached *root,
				   unsigned long first, unsigned long last)
{
	struct interval_tree_node *node;

	node = interval_tree_iter_first(root, first, last);
	return node ? container_of(node, struct iopt_range, node) : NULL;
}

/**
 * iopt_refuse_windows - explain that a range is not translated
 * @iopt: the address space
 * @first: first address
 * @last: last address
 *
 * Return: -EINVAL
 */
int iopt_refuse_windows(const struct io_pagetable *iopt, unsigned long first,
			unsigned long last)
{
	char list[128] = "";
	unsigned int i;
	int len = 0;

	/* What does not fit is cut off, the sentence goes on. */
	for (i = 0; i < iopt->nr_windows; i++)
		len += scnprintf(list + len, sizeof(list) - len, "%s0x%lx..0x%lx",
				 i ? ", " : "", iopt->windows[i].first,
				 iopt->windows[i].last);
	return iommufd_refuse(-EINVAL,
			      "iova 0x%lx..0x%lx is not in one window of what the page tables translate: %s",
			      first, last, list);
}

/**
 * iopt_check_alignment - whether a place suits the hardware
 * @iopt: the address space, its shape or iova_lock held
 * @iova: first address
 * @length: bytes, not 0; @iova + @length - 1 does not wrap
 * @offset: where the memory begins within a CPU page
 *
 * Return: 0, -EINVAL if it is not translated or misaligned; explained
 */
int iopt_check_alignment(struct io_pagetable *iopt, unsigned long iova,
			 unsigned long length, unsigned long offset)
{
	const struct iommufd_window *window;
	unsigned long align;

	window = iopt_window_of(iopt, iova, iova + length - 1);
	if (!window)
		return iopt_refuse_windows(iopt, iova, iova + length - 1);
	align = iopt_window_alignment(iopt, window);
	if ((iova | length | offset) & (align - 1))
		return iommufd_refuse(-EINVAL,
				      "iova 0x%lx, length 0x%lx and memory at 0x%lx of its page have to be multiples of 0x%lx",
				      iova, length, offset, align);
	return 0;
}

/**
 * iopt_check_iova - whether an area can be placed where the user wants it
 * @iopt: the address space, its iova_lock held for write
 * @iova: first address
 * @length: bytes, not 0; @iova + @length - 1 does not wrap
 * @offset: where the memory begins within a CPU page
 *
 * Return: 0, -EINVAL if it is not translated, reserved or misaligned, -EEXIST if
 *	   something is mapped there; explained
 */
int iopt_check_iova(struct io_pagetable *iopt, unsigned long iova,
		    unsigned long length, unsigned long offset)
{
	unsigned long last = iova + length - 1;
	struct interval_tree_node *node;
	struct iopt_range *range;
	int rc;

	rc = iopt_check_alignment(iopt, iova, length, offset);
	if (rc)
		return rc;
	range = range_in(&iopt->reserved, iova, last);
	if (range)
		return iommufd_refuse(-EINVAL,
				      "iova 0x%lx..0x%lx crosses 0x%lx..0x%lx, reserved for %s",
				      iova, last, range->node.start,
				      range->node.last, range->who);
	node = interval_tree_iter_first(&iopt->areas, iova, last);
	if (node)
		return iommufd_refuse(-EEXIST,
				      "iova 0x%lx..0x%lx overlaps the mapping at 0x%lx..0x%lx",
				      iova, last, node->start, node->last);
	return 0;
}

static bool fit_allowed(struct io_pagetable *iopt, unsigned long first,
			unsigned long last, unsigned long length,
			unsigned long align, unsigned long *iova)
{
	struct interval_tree_node *node;

	if (RB_EMPTY_ROOT(&iopt->allowed.rb_root))
		return gap_fit(&iopt->gaps, first, last, length, align, iova);
	for (node = interval_tree_iter_first(&iopt->allowed, first, last); node;
	     node = interval_tree_iter_next(node, first, last))
		if (gap_fit(&iopt->gaps, max(first, node->start),
			    min(last, node->last), length, align, iova))
			return true;
	return false;
}

static bool fit_from(struct io_pagetable *iopt, unsigned long from,
		     unsigned long length, unsigned long address,
		     unsigned long wish, unsigned long *iova)
{
	unsigned long last;

	/* Pages larger than the CPU's need memory that begins as they do. */
	while (iopt_next_usable(iopt, &from, &last)) {
		unsigned long align = iopt_window_alignment(iopt,
				iopt_window_of(iopt, from, last));

		if (!((length | address) & (align - 1)) &&
		    fit_allowed(iopt, from, last, length, max(align, wish), iova))
			return true;
		if (last == ULONG_MAX)
			return false;
		from = last + 1;
	}
	return false;
}

/*
 * The largest power of two that divides the length is what is promised. Beyond
 * it, up to the length or a size of leaves, the alignment of the memory is kept:
 * large pages of memory become large leaves.
 */
static unsigned long wanted_alignment(unsigned long length,
				      unsigned long address,
				      unsigned long leaf)
{
	unsigned long natural = length & -length;
	unsigned long keep = leaf;

	if (length < leaf)
		keep = roundup_pow_of_two(length);
	if (address)
		keep = min(keep, address & -address);
	return max(natural, keep);
}

/**
 * iopt_find_iova - choose a place for an area
 * @iopt: the address space, its iova_lock held for write
 * @length: bytes, not 0
 * @address: where the memory begins in its process or file
 * @iova: the place: the lowest free one that is aligned as @length and @address
 *	  are. 0 only if there is no other
 *
 * Return: 0, -EINVAL if @length or @address is misaligned everywhere, -ENOSPC;
 *	   explained
 */
int iopt_find_iova(struct io_pagetable *iopt, unsigned long length,
		   unsigned long address, unsigned long *iova)
{
	unsigned long wish = wanted_alignment(length, address, SZ_1G);
	unsigned long need = wanted_alignment(length, address, SZ_2M);
	unsigned long align = ULONG_MAX;
	unsigned int i;

	for (i = 0; i < iopt->nr_windows; i++)
		align = min(align, iopt_window_alignment(iopt, &iopt->windows[i]));
	if ((length | address) & (align - 1))
		return iommufd_refuse(-EINVAL,
				      "length 0x%lx and memory at 0x%lx have to be multiples of 0x%lx",
				      length, address, align);
	/*
	 * Leaves of 1 GiB are given up where room is short, those of 2 MiB are
	 * not. Programs take address 0 for "none"; it comes last.
	 */
	if (fit_from(iopt, 1, length, address, wish, iova) ||
	    fit_from(iopt, 1, length, address, need, iova) ||
	    fit_from(iopt, 0, length, address, need, iova))
		return 0;
	return iommufd_refuse(-ENOSPC,
			      "no 0x%lx bytes of %siova are free in one piece at a multiple of 0x%lx",
			      length, RB_EMPTY_ROOT(&iopt->allowed.rb_root) ?
			      "" : "allowed ", max(align, need));
}

static void ranges_free(struct rb_root_cached *root)
{
	struct iopt_range *range;

	while ((range = range_in(root, 0, ULONG_MAX))) {
		interval_tree_remove(&range->node, root);
		kfree(range);
	}
}

static int check_allowed(struct io_pagetable *iopt, unsigned long first,
			 unsigned long last)
{
	struct iopt_range *reserved;

	if (!iopt_window_of(iopt, first, last)) {
		iopt_refuse_windows(iopt, first, last);
		return -EADDRINUSE;
	}
	reserved = range_in(&iopt->reserved, first, last);
	if (reserved)
		return iommufd_refuse(-EADDRINUSE,
				      "allowed range 0x%lx..0x%lx crosses 0x%lx..0x%lx, reserved for %s",
				      first, last, reserved->node.start,
				      reserved->node.last, reserved->who);
	return 0;
}

static int add_allowed(struct rb_root_cached *root, unsigned long first,
		       unsigned long last)
{
	struct iopt_range *range;

	if (range_in(root, first, last))
		return iommufd_refuse(-EINVAL,
				      "allowed range 0x%lx..0x%lx overlaps another one",
				      first, last);
	range = kzalloc(sizeof(*range), GFP_KERNEL_ACCOUNT);
	if (!range)
		return iommufd_refuse(-ENOMEM, "no memory for an allowed range");
	range->node.start = first;
	range->node.last = last;
	interval_tree_insert(&range->node, root);
	return 0;
}

/**
 * iopt_set_allowed - replace the ranges promised to the user
 * @iopt: the address space
 * @ranges: the new ones, none of them empty
 * @nr: how many; 0 takes all promises back
 *
 * Context: may sleep; excludes map and unmap meanwhile.
 * Return: 0, -EADDRINUSE if one of them is not usable now, -EINVAL if two
 *	   overlap, -ENOMEM; explained, nothing changed
 */
int iopt_set_allowed(struct io_pagetable *iopt,
		     const struct iommu_iova_range *ranges, unsigned int nr)
{
	struct rb_root_cached fresh = RB_ROOT_CACHED;
	unsigned int i;
	int rc = 0;

	down_write(&iopt->shape);
	down_write(&iopt->iova_lock);
	for (i = 0; i < nr && !rc; i++) {
		rc = check_allowed(iopt, ranges[i].start, ranges[i].last);
		if (!rc)
			rc = add_allowed(&fresh, ranges[i].start, ranges[i].last);
	}
	if (!rc)
		swap(iopt->allowed, fresh);
	up_write(&iopt->iova_lock);
	up_write(&iopt->shape);
	ranges_free(&fresh);
	return rc;
}

/**
 * iopt_reserve - keep addresses from being mapped
 * @iopt: the address space, its shape held for write
 * @first: first address
 * @last: last address
 * @owner: for iopt_unreserve()
 * @who: whose they are, for reasons
 *
 * Return: 0, -EADDRINUSE if something is mapped or promised there, -ENOMEM;
 *	   explained
 */
int iopt_reserve(struct io_pagetable *iopt, unsigned long first,
		 unsigned long last, const void *owner, const char *who)
{
	struct interval_tree_node *node;
	struct iopt_range *range;

	lockdep_assert_held_write(&iopt->shape);
	node = interval_tree_iter_first(&iopt->areas, first, last);
	if (node)
		return iommufd_refuse(-EADDRINUSE,
				      "0x%lx..0x%lx, reserved for %s, is mapped at 0x%lx..0x%lx",
				      first, last, who, node->start, node->last);
	range = range_in(&iopt->allowed, first, last);
	if (range)
		return iommufd_refuse(-EADDRINUSE,
				      "0x%lx..0x%lx, reserved for %s, crosses the allowed range 0x%lx..0x%lx",
				      first, last, who, range->node.start,
				      range->node.last);
	range = kzalloc(sizeof(*range), GFP_KERNEL_ACCOUNT);
	if (!range)
		return iommufd_refuse(-ENOMEM, "no memory for a reserved range");
	range->node.start = first;
	range->node.last = last;
	range->owner = owner;
	strscpy(range->who, who);
	down_write(&iopt->iova_lock);
	interval_tree_insert(&range->node, &iopt->reserved);
	up_write(&iopt->iova_lock);
	return 0;
}

/**
 * iopt_unreserve - give back all addresses that an owner reserved
 * @iopt: the address space, its shape held for write
 * @owner: as given to iopt_reserve()
 */
void iopt_unreserve(struct io_pagetable *iopt, const void *owner)
{
	struct interval_tree_node *node, *next;

	lockdep_assert_held_write(&iopt->shape);
	down_write(&iopt->iova_lock);
	for (node = interval_tree_iter_first(&iopt->reserved, 0, ULONG_MAX); node;
	     node = next) {
		struct iopt_range *range =
			container_of(node, struct iopt_range, node);

		next = interval_tree_iter_next(node, 0, ULONG_MAX);
		if (range->owner == owner) {
			interval_tree_remove(node, &iopt->reserved);
			kfree(range);
		}
	}
	up_write(&iopt->iova_lock);
}

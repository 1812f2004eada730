// SPDX-License-Identifier: GPL-2.0-only
/*
 * What of a piece of memory has to be pinned, as the union of all needs.
 */
#include <linux/file.h>
#include <linux/iommufd_reason.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "dmabuf.h"
#include "hole.h"
#include "object.h"
#include "pages.h"

static struct iommufd_pages *pages_alloc(struct iommufd_ctx *ictx,
					 unsigned long start,
					 unsigned long length, bool writable)
{
	struct iommufd_pages *pages;

	pages = kzalloc(sizeof(*pages), GFP_KERNEL_ACCOUNT);
	if (!pages)
		return ERR_PTR(iommufd_refuse(-ENOMEM,
					      "no memory to describe a mapping"));
	kref_init(&pages->kref);
	mutex_init(&pages->lock);
	pages->offset = offset_in_page(start);
	pages->npages = (pages->offset + length - 1) / PAGE_SIZE + 1;
	pages->writable = writable;
	pages->frames = RB_ROOT_CACHED;
	pages->needs = RB_ROOT_CACHED;
	memory_account_init(&pages->account, ictx->account_per_process);
	return pages;
}

/**
 * iommufd_pages_from_user - describe memory of the current process
 * @ictx: whose accounting mode holds
 * @uptr: address of the first byte, of any alignment
 * @length: bytes, not 0; @uptr + @length does not wrap
 * @writable: whether devices will write to it
 *
 * Nothing is touched or checked before the first pin.
 *
 * Return: the memory with one reference, or an ERR_PTR of -ENOMEM
 */
struct iommufd_pages *iommufd_pages_from_user(struct iommufd_ctx *ictx,
					      unsigned long uptr,
					      unsigned long length,
					      bool writable)
{
	struct iommufd_pages *pages;

	pages = pages_alloc(ictx, uptr, length, writable);
	if (!IS_ERR(pages))
		pages->uptr = uptr & PAGE_MASK;
	return pages;
}

static struct iommufd_pages *pages_from_dmabuf(struct iommufd_ctx *ictx, int fd,
					       loff_t start,
					       unsigned long length,
					       bool writable)
{
	struct pages_dmabuf *mem;
	struct iommufd_pages *pages;

	mem = pages_dmabuf_open(fd, start, length, writable);
	if (IS_ERR(mem))
		return ERR_CAST(mem);
	pages = pages_alloc(ictx, start, length, writable);
	if (IS_ERR(pages)) {
		pages_dmabuf_close(mem);
		return pages;
	}
	pages->dmabuf = mem;
	pages->file_start = start & PAGE_MASK;
	return pages;
}

/**
 * iommufd_pages_from_file - describe a range of a memory file or dma-buf
 * @ictx: whose accounting mode holds
 * @fd: the file, of the current process
 * @start: offset of the first byte
 * @length: bytes, not 0; @start + @length does not wrap
 * @writable: whether devices will write to it
 *
 * Return: the memory with one reference, or an ERR_PTR: -ENOMEM, -EBADF,
 *	   -EOPNOTSUPP for a file of the wrong kind, -EPERM if it must not be
 *	   written to, -EINVAL if the range is not in the file, -ENODEV if a
 *	   dma-buf is revoked; explained
 */
struct iommufd_pages *iommufd_pages_from_file(struct iommufd_ctx *ictx, int fd,
					      loff_t start,
					      unsigned long length,
					      bool writable)
{
	struct iommufd_pages *pages;
	struct file *file = fget(fd);
	int rc;

	if (!file)
		return ERR_PTR(iommufd_refuse(-EBADF,
					      "file descriptor %d is not open", fd));
	if (!pin_file_possible(file)) {
		fput(file);
		return pages_from_dmabuf(ictx, fd, start, length, writable);
	}
	rc = pin_file_check(file, start, length, writable);
	if (rc) {
		fput(file);
		return ERR_PTR(rc);
	}
	pages = pages_alloc(ictx, start, length, writable);
	if (IS_ERR(pages)) {
		fput(file);
		return pages;
	}
	pages->file = file;
	pages->file_start = start & PAGE_MASK;
	return pages;
}

static void pages_release(struct kref *kref)
{
	struct iommufd_pages *pages =
		container_of(kref, struct iommufd_pages, kref);

	WARN_ON(pages->npinned);
	memory_account_release(&pages->account);
	if (pages->file)
		fput(pages->file);
	if (pages->dmabuf)
		pages_dmabuf_close(pages->dmabuf);
	mutex_destroy(&pages->lock);
	kfree(pages);
}

/**
 * iommufd_pages_put - drop a reference
 * @pages: with the last one nothing of it is pinned any more
 */
void iommufd_pages_put(struct iommufd_pages *pages)
{
	kref_put(&pages->kref, pages_release);
}

static void pages_drop(struct iommufd_pages *pages, unsigned long first,
		       unsigned long last)
{
	if (first > last)
		return;
	if (pages->file)
		unpin_file_frames(pages, first, last);
	else
		unpin_user_frames(pages, first, last);
	frames_remove(&pages->frames, first, last);
	pages->npinned -= last - first + 1;
	memory_account_uncharge(&pages->account, last - first + 1);
}

/* Pin what is not pinned yet; all of it or nothing. */
static int pages_fetch(struct iommufd_pages *pages, unsigned long first,
		       unsigned long last)
{
	struct frame_writer w;
	int rc;

	rc = memory_account_charge(&pages->account, last - first + 1);
	if (rc)
		return rc;
	frame_writer_init(&w, &pages->frames, first, last);
	if (pages->file)
		rc = pin_file_frames(pages, &w);
	else
		rc = pin_user_frames(pages, &w);
	frame_writer_finish(&w);
	pages->npinned += w.index - first;
	if (rc) {
		if (w.index <= last)
			memory_account_uncharge(&pages->account,
						last - w.index + 1);
		if (w.index > first)
			pages_drop(pages, first, w.index - 1);
	}
	return rc;
}

static void pages_drop_unneeded(struct iommufd_pages *pages,
				unsigned long first, unsigned long last)
{
	unsigned long hole = first, hole_last = last;

	while (next_hole(&pages->needs, &hole, &hole_last)) {
		pages_drop(pages, hole, hole_last);
		if (hole_last == last)
			break;
		hole = hole_last + 1;
		hole_last = last;
	}
}

/**
 * iommufd_pages_pin - have page indices pinned until further notice
 * @pages: the memory
 * @need: remembers the wish; the caller's, until iommufd_pages_unpin()
 * @first: first page index
 * @last: last page index, below @pages->npages
 *
 * What others have pinned already is shared.
 *
 * Context: may sleep; a fatal signal ends it.
 * Return: 0 or an explained errno, with nothing changed: -ENOMEM over the limit
 *	   or out of memory, -EFAULT no such memory, -EPERM the file is sealed,
 *	   -EINTR killed
 */
int iommufd_pages_pin(struct iommufd_pages *pages, struct pages_need *need,
		      unsigned long first, unsigned long last)
{
	unsigned long hole = first, hole_last = last;
	int rc = 0;

	if (pages->dmabuf)
		return iommufd_refuse(-EINVAL,
				      "a dma-buf can be revoked, it cannot be pinned");
	mutex_lock(&pages->lock);
	while (next_hole(&pages->needs, &hole, &hole_last)) {
		rc = pages_fetch(pages, hole, hole_last);
		if (rc)
			break;
		if (hole_last == last)
			break;
		hole = hole_last + 1;
		hole_last = last;
	}
	if (rc) {
		if (hole > first)
			pages_drop_unneeded(pages, first, hole - 1);
	} else {
		need->node.start = first;
		need->node.last = last;
		interval_tree_insert(&need->node, &pages->needs);
	}
	mutex_unlock(&pages->lock);
	return rc;
}

/**
 * iommufd_pages_unpin - end a need
 * @pages: the memory
 * @need: from iommufd_pages_pin(); no device can reach the frames through it
 *	  any more
 */
void iommufd_pages_unpin(struct iommufd_pages *pages, struct pages_need *need)
{
	mutex_lock(&pages->lock);
	interval_tree_remove(&need->node, &pages->needs);
	pages_drop_unneeded(pages, need->node.start, need->node.last);
	mutex_unlock(&pages->lock);
}

/**
 * iommufd_pages_divide - let two needs stand for one
 * @pages: the memory
 * @need: pinned; ends at @last afterwards
 * @last: last page index of the first part
 * @tail: receives the rest
 * @tail_first: first page index of the rest: @last, if they share a page, or the
 *		next one
 */
void iommufd_pages_divide(struct iommufd_pages *pages, struct pages_need *need,
			  unsigned long last, struct pages_need *tail,
			  unsigned long tail_first)
{
	mutex_lock(&pages->lock);
	interval_tree_remove(&need->node, &pages->needs);
	tail->node.start = tail_first;
	tail->node.last = need->node.last;
	need->node.last = last;
	interval_tree_insert(&need->node, &pages->needs);
	interval_tree_insert(&tail->node, &pages->needs);
	mutex_unlock(&pages->lock);
}

/**
 * iommufd_pages_fill - name pinned pages one by one
 * @pages: the memory
 * @first: first page index; all of them are covered by a need of the caller
 * @last: last page index
 * @out: receives the pages
 */
void iommufd_pages_fill(struct iommufd_pages *pages, unsigned long first,
			unsigned long last, struct page **out)
{
	struct frame_reader r;
	unsigned long pfn, count;

	mutex_lock(&pages->lock);
	frame_reader_init(&r, &pages->frames, first);
	while ((count = frame_reader_next(&r, last, &pfn)))
		while (count--)
			*out++ = pfn_to_page(pfn++);
	mutex_unlock(&pages->lock);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pinning and unpinning of memory files by folio.
 *
 * A folio is pinned once, whatever number of its frames is stored and however
 * they lie: in one stretch or, because the middle has gone, in several. Whether
 * a folio comes or goes is therefore asked of all indices that it covers. Another
 * folio may be stored among them, if the file has got a new one since.
 */
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/iommufd_reason.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <uapi/linux/falloc.h>

#include "pages.h"
#include "selftest.h"

#define PIN_FOLIOS (PAGE_SIZE / sizeof(struct folio *))

static unsigned int seals_of(struct file *file)
{
#ifdef CONFIG_HUGETLBFS
	if (is_file_hugepages(file))
		return HUGETLBFS_I(file_inode(file))->seals;
#endif
	return SHMEM_I(file_inode(file))->seals;
}

static bool file_is_sealed_for_write(struct file *file)
{
	return seals_of(file) & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE);
}

/**
 * pin_file_possible - whether a file is of a kind that can be pinned
 * @file: any file
 *
 * Return: whether it is a memfd or a file of shmem or hugetlbfs
 */
bool pin_file_possible(struct file *file)
{
	return shmem_file(file) || is_file_hugepages(file);
}

/**
 * pin_file_check - whether a range of a file can be mapped
 * @file: of a kind that can be pinned
 * @start: first byte
 * @length: bytes, not 0; does not wrap
 * @writable: whether devices will write to it
 *
 * Return: 0 or an explained errno
 */
int pin_file_check(struct file *file, loff_t start, unsigned long length,
		   bool writable)
{
	loff_t size;

	if (!(file->f_mode & FMODE_READ))
		return iommufd_refuse(-EPERM, "the file is not open for reading");
	if (writable && !(file->f_mode & FMODE_WRITE))
		return iommufd_refuse(-EPERM,
				      "a writable mapping needs a file open for writing");
	if (writable && file_is_sealed_for_write(file))
		return iommufd_refuse(-EPERM, "the file is sealed against writing");
	size = i_size_read(file_inode(file));
	if (start < 0 || length > size || start > size - (loff_t)length)
		return iommufd_refuse(-EINVAL,
				      "range 0x%llx+0x%lx is outside the file of 0x%llx bytes",
				      start, length, size);
	return 0;
}

/*
 * Whether frames of a folio are stored outside of @first..@last. @index is that
 * of a frame of the folio, @skip how many of its frames come before.
 */
static bool stored_outside(struct iommufd_pages *pages, struct folio *folio,
			   unsigned long index, unsigned long skip,
			   unsigned long first, unsigned long last)
{
	unsigned long pfn = folio_pfn(folio), count = folio_nr_pages(folio);
	unsigned long begin = index - min(index, skip);
	unsigned long end = index - skip + count - 1;

	return (begin < first &&
		frames_hold(&pages->frames, begin, first - 1, pfn, count)) ||
	       (end > last &&
		frames_hold(&pages->frames, last + 1, end, pfn, count));
}

/* @first..@w->last is what is being pinned. */
static int add_folios(struct iommufd_pages *pages, struct frame_writer *w,
		      struct folio **folios, long n, unsigned long skip,
		      unsigned long first)
{
	long i;

	for (i = 0; i < n; i++) {
		unsigned long count = folio_nr_pages(folios[i]) - skip;
		unsigned long index = w->index;

		count = min(count, w->last - index + 1);
		if (frame_writer_add(w, folio_pfn(folios[i]) + skip, count)) {
			unpin_folios(folios + i, n - i);
			return iommufd_refuse(-ENOMEM,
					      "no kernel memory to remember pinned pages");
		}
		/* Stored before, it has its pin. */
		if (stored_outside(pages, folios[i], index, skip, first, w->last))
			unpin_folio(folios[i]);
		skip = 0;
	}
	return 0;
}

/*
 * Whether a hugetlb file has memory in all of a range, which i_rwsem keeps there.
 */
static bool hugetlb_is_there(struct inode *inode, loff_t from, loff_t to)
{
	loff_t size = i_blocksize(inode);

	for (from = round_down(from, size); from <= to; from += size) {
		struct folio *folio;

		folio = filemap_get_folio(inode->i_mapping, from >> PAGE_SHIFT);
		if (IS_ERR(folio))
			return false;
		folio_put(folio);
	}
	return true;
}

/*
 * memfd_pin_folios() of 6.12 takes large pages for the holes of a file that
 * nobody has reserved, and the kernel loses count of its reservations. Here they
 * are got as by fallocate(), which knows how to.
 */
static int hugetlb_fill(struct file *file, loff_t from, loff_t to)
{
	loff_t size = i_blocksize(file_inode(file));
	int rc;

	if (!(file->f_mode & FMODE_WRITE))
		return iommufd_refuse(-EFAULT,
				      "the file has no memory at 0x%llx and is not open for writing",
				      from);
	from = round_down(from, size);
	rc = vfs_fallocate(file, FALLOC_FL_KEEP_SIZE, from,
			   round_up(to + 1, size) - from);
	/* It stops for any signal; nothing has changed that counts. */
	if (rc == -EINTR && !fatal_signal_pending(current))
		rc = -ERESTARTNOINTR;
	if (rc)
		return iommufd_refuse(rc == -ENOSPC ? -ENOMEM : rc,
				      "no large page for the file at 0x%llx (%d)",
				      from, rc);
	return 0;
}

/* Keep the range as it is, with memory in all of it that is in the file. */
static int lock_range(struct iommufd_pages *pages, struct inode *inode,
		      loff_t from, loff_t to)
{
	loff_t size;
	int rc;

	for (;;) {
		/* Seals are set with it held for write, if no page is pinned then. */
		if (down_read_killable(&inode->i_rwsem))
			return iommufd_refuse(-EINTR, "killed while pinning a file");
		size = i_size_read(inode);
		if (!is_file_hugepages(pages->file) || from >= size ||
		    hugetlb_is_there(inode, from, min(to, size - 1)))
			return 0;
		up_read(&inode->i_rwsem);
		/* Who cuts holes all the time makes us try again. */
		rc = hugetlb_fill(pages->file, from, min(to, size - 1));
		if (rc)
			return rc;
		if (fatal_signal_pending(current))
			return iommufd_refuse(-EINTR, "killed while pinning a file");
		cond_resched();
	}
}

static long pin_batch(struct iommufd_pages *pages, struct frame_writer *w,
		      struct folio **folios, unsigned long max, pgoff_t *offset)
{
	loff_t from = pages->file_start + (loff_t)w->index * PAGE_SIZE;
	loff_t to = pages->file_start + (loff_t)(w->last + 1) * PAGE_SIZE - 1;
	struct inode *inode = file_inode(pages->file);
	loff_t size;
	long n;

	/* no more than fits the batch has to be looked at */
	if (is_file_hugepages(pages->file))
		to = min(to, from + (loff_t)(max * i_blocksize(inode)) - 1);
	n = lock_range(pages, inode, from, to);
	if (n)
		return n;
	size = i_size_read(inode);
	if (pages->writable && file_is_sealed_for_write(pages->file)) {
		n = iommufd_refuse(-EPERM, "the file has been sealed against writing");
	} else if (from >= size) {
		n = iommufd_refuse(-EFAULT,
				   "the file has been cut to 0x%llx bytes, 0x%llx is outside",
				   size, from);
	} else {
		n = memfd_pin_folios(pages->file, from, min(to, size - 1),
				     folios, max, offset);
		if (n <= 0)
			n = iommufd_refuse(n == -ENOMEM ? -ENOMEM : -EFAULT,
					   "file offset 0x%llx cannot be pinned (%ld)",
					   from, n);
	}
	up_read(&inode->i_rwsem);
	return n;
}

/**
 * pin_file_frames - pin a range of a file
 * @pages: the memory, its lock held
 * @w: the indices to fill; on failure @w->index tells how far it came
 *
 * Return: 0 or an explained errno
 */
int pin_file_frames(struct iommufd_pages *pages, struct frame_writer *w)
{
	unsigned long first = w->index, max;
	struct folio **folios;
	int rc = 0;

	folios = kmalloc_array(PIN_FOLIOS, sizeof(*folios), GFP_KERNEL_ACCOUNT);
	if (!folios)
		return iommufd_refuse(-ENOMEM, "no kernel memory to pin pages");
	max = iommufd_selftest_batch(PIN_FOLIOS * sizeof(*folios)) /
	      sizeof(*folios);

	while (!rc && w->index <= w->last) {
		pgoff_t offset = 0;
		long n;

		if (fatal_signal_pending(current)) {
			rc = iommufd_refuse(-EINTR, "killed while pinning a file");
			break;
		}
		n = pin_batch(pages, w, folios, max, &offset);
		if (n < 0)
			rc = n;
		else
			rc = add_folios(pages, w, folios, n, offset >> PAGE_SHIFT,
					first);
		cond_resched();
	}
	kfree(folios);
	return rc;
}

/**
 * unpin_file_frames - let go of a range of a file
 * @pages: the memory, its lock held
 * @first: first page index, all pinned
 * @last: last page index
 */
void unpin_file_frames(struct iommufd_pages *pages, unsigned long first,
		       unsigned long last)
{
	struct frame_reader r;
	unsigned long pfn, count;

	frame_reader_init(&r, &pages->frames, first);
	while ((count = frame_reader_next(&r, last, &pfn))) {
		while (count) {
			struct folio *folio = page_folio(pfn_to_page(pfn));
			unsigned long skip = pfn - folio_pfn(folio);
			unsigned long n = min(folio_nr_pages(folio) - skip, count);
			unsigned long index = r.index - count;

			if (pages->writable && !folio_test_dirty(folio))
				set_page_dirty_lock(pfn_to_page(pfn));
			/* What is behind this piece goes later, or stays. */
			if (!stored_outside(pages, folio, index, skip, first,
					    index + n - 1))
				unpin_folio(folio);
			pfn += n;
			count -= n;
		}
		cond_resched();
	}
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bitmaps in user memory that tell which pages of a range of IOVA devices have
 * written to. IOMMU drivers and VFIO drivers with a dirty log set bits in
 * them; iommufd and VFIO walk them.
 *
 * Built in wherever a driver asks for IOMMUFD_DRIVER, since such a driver may
 * be built in although iommufd is a module.
 */
#include <linux/err.h>
#include <linux/export.h>
#include <linux/iova_bitmap.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/pagemap.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

/* Bytes collected before they go to the user: 8 GiB of IOVA in 4 KiB pages. */
#define WINDOW_BYTES SZ_256K

/**
 * struct iova_bitmap - a user's bitmap and the stretch of it that is filled now
 * @user: bit 0 of the first word stands for @iova
 * @iova: first IOVA
 * @last: last IOVA, inclusive
 * @shift: log2 of the bytes that a bit stands for
 * @nbits: bits of the user's bitmap
 * @begin: bit number that bit 0 of @window stands for
 * @end: bit behind the window; @begin outside of iova_bitmap_for_each()
 * @ahead: bits in front of this one are set, whatever is found out later: a
 *	   leaf of an I/O page table reached beyond its window
 * @window: what was set, until it is merged into the user's bitmap
 *
 * Drivers set bits where they cannot sleep, and reading a dirty log wipes it.
 * So bits are collected in kernel memory, and the user's memory is touched
 * before and after the driver was asked. The bitmap belongs to one system call
 * and has no lock; iova_bitmap_set() is called by one CPU at a time.
 */
struct iova_bitmap {
	u64 __user *user;
	unsigned long iova;
	unsigned long last;
	unsigned int shift;
	unsigned long nbits;
	unsigned long begin;
	unsigned long end;
	unsigned long ahead;
	u64 *window;
};

/* A bit in a window means the same to user space, which knows words of 64. */
static void window_set(struct iova_bitmap *bitmap, unsigned long from,
		       unsigned long to)
{
	unsigned long bit = from - bitmap->begin;
	unsigned long stop = to - bitmap->begin;

	for (; bit < stop && bit % 64; bit++)
		bitmap->window[bit / 64] |= BIT_ULL(bit % 64);
	for (; stop - bit >= 64; bit += 64)
		bitmap->window[bit / 64] = U64_MAX;
	for (; bit < stop; bit++)
		bitmap->window[bit / 64] |= BIT_ULL(bit % 64);
}

/**
 * iova_bitmap_alloc - describe a bitmap in user memory
 * @iova: IOVA that its first bit stands for
 * @length: bytes of IOVA, not 0
 * @page_size: bytes that one bit stands for, a power of two
 * @data: the bitmap, aligned to 8 bytes. Nothing is written to it yet; that
 *	  happens in iova_bitmap_for_each(), bits that are set already stay
 *
 * Context: may sleep.
 * Return: the bitmap, or an ERR_PTR: -EINVAL if the range is empty or wraps or
 *	   the page size is odd, -ENOMEM
 */
struct iova_bitmap *iova_bitmap_alloc(unsigned long iova, size_t length,
				      unsigned long page_size,
				      u64 __user *data)
{
	struct iova_bitmap *bitmap;
	unsigned long last, words;

	if (!length || !is_power_of_2(page_size) ||
	    check_add_overflow(iova, (unsigned long)length - 1, &last))
		return ERR_PTR(-EINVAL);
	bitmap = kzalloc(sizeof(*bitmap), GFP_KERNEL_ACCOUNT);
	if (!bitmap)
		return ERR_PTR(-ENOMEM);
	bitmap->user = data;
	bitmap->iova = iova;
	bitmap->last = last;
	bitmap->shift = ilog2(page_size);
	bitmap->nbits = ((length - 1) >> bitmap->shift) + 1;

	words = min_t(unsigned long, DIV_ROUND_UP(bitmap->nbits, 64),
		      WINDOW_BYTES / sizeof(u64));
	bitmap->window = kvcalloc(words, sizeof(u64), GFP_KERNEL_ACCOUNT);
	if (!bitmap->window) {
		kfree(bitmap);
		return ERR_PTR(-ENOMEM);
	}
	return bitmap;
}
EXPORT_SYMBOL_NS_GPL(iova_bitmap_alloc, IOMMUFD);

/**
 * iova_bitmap_free - forget a bitmap
 * @bitmap: from iova_bitmap_alloc(); the user's memory stays as it is
 */
void iova_bitmap_free(struct iova_bitmap *bitmap)
{
	kvfree(bitmap->window);
	kfree(bitmap);
}
EXPORT_SYMBOL_NS_GPL(iova_bitmap_free, IOMMUFD);

static unsigned long window_words(const struct iova_bitmap *bitmap)
{
	return DIV_ROUND_UP(bitmap->end - bitmap->begin, 64);
}

/*
 * Can the user's part of the window be written to? Asked before a log is read,
 * and thereby wiped, in vain.
 */
static int window_probe(struct iova_bitmap *bitmap)
{
	char __user *user = (char __user *)(bitmap->user + bitmap->begin / 64);

	if (fault_in_safe_writeable(user, window_words(bitmap) * sizeof(u64)))
		return -EFAULT;
	return 0;
}

static int window_merge(struct iova_bitmap *bitmap)
{
	u64 __user *user = bitmap->user + bitmap->begin / 64;
	unsigned long i, words = window_words(bitmap);
	u64 old;

	for (i = 0; i < words; i++) {
		if (!bitmap->window[i])
			continue;
		if (get_user(old, user + i) ||
		    put_user(old | bitmap->window[i], user + i))
			return -EFAULT;
	}
	return 0;
}

/**
 * iova_bitmap_for_each - have a dirty log read into a bitmap, piece by piece
 * @bitmap: the bitmap
 * @opaque: for @fn
 * @fn: reads the log of the range that it is given and calls iova_bitmap_set()
 *	for what is dirty; an error ends the walk
 *
 * What was set before an error reaches the user all the same.
 *
 * Context: the user's system call; may sleep.
 * Return: 0, -EFAULT if the user's memory cannot be written to, or what @fn gave
 */
int iova_bitmap_for_each(struct iova_bitmap *bitmap, void *opaque,
			 iova_bitmap_fn_t fn)
{
	const unsigned long step = WINDOW_BYTES * BITS_PER_BYTE;
	unsigned long iova, last;
	int rc = 0, rc_merge;

	bitmap->ahead = 0;
	for (bitmap->begin = 0; !rc && bitmap->begin < bitmap->nbits;
	     bitmap->begin = bitmap->end) {
		bitmap->end = bitmap->begin +
			      min(step, bitmap->nbits - bitmap->begin);
		rc = window_probe(bitmap);
		if (rc)
			break;
		memset(bitmap->window, 0, window_words(bitmap) * sizeof(u64));
		if (bitmap->ahead > bitmap->begin)
			window_set(bitmap, bitmap->begin,
				   min(bitmap->ahead, bitmap->end));

		iova = bitmap->iova + (bitmap->begin << bitmap->shift);
		last = bitmap->last;
		if (bitmap->end < bitmap->nbits)
			last = bitmap->iova + (bitmap->end << bitmap->shift) - 1;
		rc = fn(bitmap, iova, last - iova + 1, opaque);
		rc_merge = window_merge(bitmap);
		rc = rc ?: rc_merge;
	}
	bitmap->begin = 0;
	bitmap->end = 0;
	return rc;
}
EXPORT_SYMBOL_NS_GPL(iova_bitmap_for_each, IOMMUFD);

/**
 * iova_bitmap_set - mark a range as written to
 * @bitmap: the bitmap that iova_bitmap_for_each() handed out
 * @iova: first IOVA
 * @length: bytes; every bit that the range touches is set. What lies outside
 *	    of the bitmap is ignored
 *
 * Context: any; from within the callback of iova_bitmap_for_each() only.
 */
void iova_bitmap_set(struct iova_bitmap *bitmap, unsigned long iova,
		     size_t length)
{
	unsigned long last, from = 0, to;

	if (!length)
		return;
	if (check_add_overflow(iova, (unsigned long)length - 1, &last))
		last = ULONG_MAX;
	if (last < bitmap->iova || iova > bitmap->last)
		return;
	if (iova > bitmap->iova)
		from = (iova - bitmap->iova) >> bitmap->shift;
	to = (last - bitmap->iova) >> bitmap->shift;
	to = min(to, bitmap->nbits - 1) + 1;

	from = max(from, bitmap->begin);
	if (to > bitmap->end)
		bitmap->ahead = max(bitmap->ahead, to);
	to = min(to, bitmap->end);
	if (from < to)
		window_set(bitmap, from, to);
}
EXPORT_SYMBOL_NS_GPL(iova_bitmap_set, IOMMUFD);

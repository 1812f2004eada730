// SPDX-License-Identifier: GPL-2.0-only
/*
 * For tests: a driver with a dirty log, which is whatever its user says, and a
 * walk over it with iova_bitmap_for_each(). A kernel whose IOMMU drivers record
 * what is written has these functions; for others they are built into this
 * module from the same source.
 */
#include <linux/fs.h>
#include <linux/iova_bitmap.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "../bitmap_test.h"

#ifdef IOVA_BITMAP_TEST_OWN
#include "../../../../../drivers/iommu/iommufd/iova_bitmap.c"
#else
MODULE_IMPORT_NS(IOMMUFD);
#endif

static int read_log(struct iova_bitmap *bitmap, unsigned long iova,
		    size_t length, void *opaque)
{
	struct bitmap_test_walk *walk = opaque;
	unsigned long last = iova + length - 1;
	unsigned int i;

	if (!walk->calls++)
		walk->first = iova;
	else if (iova != walk->first + walk->asked)
		walk->gaps++;
	walk->asked += length;

	for (i = 0; i < walk->nr; i++) {
		unsigned long from = walk->ranges[i].iova;
		unsigned long to = from + walk->ranges[i].length - 1;

		if (walk->flags & BITMAP_TEST_WHOLE) {
			if (from < iova || from > last)
				continue;
		} else {
			from = max(from, iova);
			to = min(to, last);
			if (from > to)
				continue;
		}
		iova_bitmap_set(bitmap, from, to - from + 1);
	}
	/* after it has found something: that is not to be lost */
	return walk->calls == walk->fail_call ? walk->fail_errno : 0;
}

static int walk_it(struct bitmap_test_walk *walk)
{
	struct iova_bitmap *bitmap;
	int rc;

	if (walk->nr > BITMAP_TEST_RANGES)
		return -EINVAL;
	walk->calls = 0;
	walk->gaps = 0;
	walk->first = 0;
	walk->asked = 0;
	bitmap = iova_bitmap_alloc(walk->iova, walk->length, walk->page_size,
				   u64_to_user_ptr(walk->data));
	if (IS_ERR(bitmap))
		return PTR_ERR(bitmap);
	rc = iova_bitmap_for_each(bitmap, walk, read_log);
	iova_bitmap_free(bitmap);
	return rc;
}

static long test_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct bitmap_test_walk *walk;
	long rc;

	if (cmd != BITMAP_TEST_WALK)
		return -ENOTTY;
	walk = memdup_user((void __user *)arg, sizeof(*walk));
	if (IS_ERR(walk))
		return PTR_ERR(walk);
	rc = walk_it(walk);
	if (copy_to_user((void __user *)arg, walk, sizeof(*walk)))
		rc = -EFAULT;
	kfree(walk);
	return rc;
}

static const struct file_operations test_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = test_ioctl,
};

static struct miscdevice test_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "iova_bitmap_test",
	.fops = &test_fops,
	.mode = 0600,
};
module_misc_device(test_misc);

MODULE_DESCRIPTION("Walks over dirty bitmaps, for tests of iova_bitmap");
MODULE_LICENSE("GPL");

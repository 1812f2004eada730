// SPDX-License-Identifier: GPL-2.0-only
/*
 * The selftest ioctl: in-kernel accesses, each behind a file of its own.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/iommufd.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/iommufd_test.h>

#include "access.h"
#include "ioas.h"
#include "ioctl.h"
#include "selftest.h"

/* What one operation pins or copies at most. */
#define MAX_ACCESS_BYTES (16UL << 20)

/**
 * struct selftest_access - the file of an access
 * @access: the access; holds the context's file
 * @pins: made with NEEDS_PIN_PAGES; constant
 * @lock: protects the rest, and is held while pages are being pinned, so that the
 *	  unmap callback finds them. Outside the locks of the access
 * @items: struct selftest_item
 * @next_id: of the next item
 */
struct selftest_access {
	struct iommufd_access *access;
	bool pins;
	struct mutex lock;
	struct list_head items;
	u32 next_id;
};

/* What one ACCESS_PAGES pinned. */
struct selftest_item {
	struct list_head link;
	u32 id;
	unsigned long iova;
	unsigned long length;
};

static void item_drop(struct selftest_access *sta, struct selftest_item *item)
{
	iommufd_access_unpin_pages(sta->access, item->iova, item->length);
	list_del(&item->link);
	kfree(item);
}

static void drop_range(struct selftest_access *sta, unsigned long first,
		       unsigned long last)
{
	struct selftest_item *item, *next;

	mutex_lock(&sta->lock);
	list_for_each_entry_safe(item, next, &sta->items, link)
		if (item->iova <= last && item->iova + item->length - 1 >= first)
			item_drop(sta, item);
	mutex_unlock(&sta->lock);
}

static void access_unmap(void *data, unsigned long iova, unsigned long length)
{
	unsigned long last;

	if (check_add_overflow(iova, length - 1, &last))
		last = ULONG_MAX;
	drop_range(data, iova, last);
}

static const struct iommufd_access_ops pinning_ops = {
	.needs_pin_pages = 1,
	.unmap = access_unmap,
};

static const struct iommufd_access_ops plain_ops = {
	.unmap = access_unmap,
};

static void access_free(struct selftest_access *sta)
{
	drop_range(sta, 0, ULONG_MAX);
	if (!IS_ERR_OR_NULL(sta->access))
		iommufd_access_destroy(sta->access);
	mutex_destroy(&sta->lock);
	kfree(sta);
}

static int access_release(struct inode *inode, struct file *file)
{
	access_free(file->private_data);
	return 0;
}

static const struct file_operations access_fops = {
	.owner = THIS_MODULE,
	.release = access_release,
};

/* The access behind the id of a command, and the file that has to be put. */
static struct selftest_access *access_get(struct iommufd_ucmd *ucmd,
					  struct file **file)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;

	*file = fget(cmd->id);
	if (*file && (*file)->f_op == &access_fops)
		return (*file)->private_data;
	if (*file)
		fput(*file);
	return ERR_PTR(iommufd_refuse(-EBADFD,
				      "file descriptor %u is not one of CREATE_ACCESS",
				      cmd->id));
}

static struct selftest_access *access_alloc(struct iommufd_ctx *ictx,
					    bool pins, u32 ioas_id)
{
	struct selftest_access *sta;
	u32 id;
	int rc;

	sta = kzalloc(sizeof(*sta), GFP_KERNEL_ACCOUNT);
	if (!sta)
		return ERR_PTR(iommufd_refuse(-ENOMEM, "no memory for an access"));
	mutex_init(&sta->lock);
	INIT_LIST_HEAD(&sta->items);
	sta->pins = pins;
	sta->next_id = 1;
	sta->access = iommufd_access_create(ictx, pins ? &pinning_ops : &plain_ops,
					    sta, &id);
	if (IS_ERR(sta->access))
		rc = PTR_ERR(sta->access);
	else
		rc = iommufd_access_attach(sta->access, ioas_id);
	if (rc) {
		access_free(sta);
		return ERR_PTR(rc);
	}
	return sta;
}

int selftest_create_access(struct iommufd_ucmd *ucmd,
			   const struct iommufd_selftest_ops *ops)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	struct selftest_access *sta;
	struct file *file;
	int fd, rc;

	rc = iommufd_check_flags(cmd->create_access.flags,
				 MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES);
	if (rc)
		return rc;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return iommufd_refuse(fd, "no file descriptor for an access");
	sta = access_alloc(ucmd->ictx, cmd->create_access.flags, cmd->id);
	if (IS_ERR(sta)) {
		rc = PTR_ERR(sta);
		goto err_fd;
	}
	file = anon_inode_getfile("[iommufd_access]", &access_fops, sta, O_RDWR);
	if (IS_ERR(file)) {
		access_free(sta);
		rc = iommufd_refuse(PTR_ERR(file), "no file for an access");
		goto err_fd;
	}
	cmd->create_access.out_access_fd = fd;
	rc = iommufd_ucmd_respond(ucmd);
	if (rc) {
		fput(file);
		goto err_fd;
	}
	fd_install(fd, file);
	return 0;

err_fd:
	put_unused_fd(fd);
	return rc;
}

static int compare_pages(u64 uptr, struct page **pages, unsigned long npages)
{
	unsigned long i;

	for (i = 0; i < npages; i++) {
		struct page *page;

		if (get_user_pages_fast(uptr + i * PAGE_SIZE, 1, 0, &page) != 1)
			return iommufd_refuse(-EFAULT, "there is no memory at 0x%llx",
					      uptr + i * PAGE_SIZE);
		put_page(page);
		if (page != pages[i])
			return iommufd_refuse(-EBADE,
					      "page %lu that was pinned is not the one at 0x%llx",
					      i, uptr + i * PAGE_SIZE);
		cond_resched();
	}
	return 0;
}

static int pin_item(struct selftest_access *sta, struct iommu_test_cmd *cmd,
		    u64 iova, struct selftest_item *item)
{
	u64 length = cmd->access_pages.length, uptr = cmd->access_pages.uptr;
	unsigned long npages = (offset_in_page(iova) + length - 1) / PAGE_SIZE + 1;
	struct page **pages;
	int rc;

	pages = kvcalloc(npages, sizeof(*pages), GFP_KERNEL_ACCOUNT);
	if (!pages)
		return iommufd_refuse(-ENOMEM, "no memory for %lu pages", npages);
	rc = iommufd_access_pin_pages(sta->access, iova, length, pages,
				      cmd->access_pages.flags &
				      MOCK_FLAGS_ACCESS_WRITE ?
				      IOMMUFD_ACCESS_RW_WRITE : 0);
	if (!rc && uptr) {
		rc = compare_pages(uptr & PAGE_MASK, pages, npages);
		if (rc)
			iommufd_access_unpin_pages(sta->access, iova, length);
	}
	kvfree(pages);
	item->iova = iova;
	item->length = length;
	return rc;
}

/* Where the command works, which a fuzzer may leave to us. */
static u64 access_iova(struct selftest_access *sta, u64 iova, u32 flags)
{
	if (!(flags & MOCK_FLAGS_ACCESS_SYZ))
		return iova;
	mutex_lock(&sta->access->lock);
	iova = sta->access->ioas ?
	       selftest_pick_iova(sta->access->ioas, iova) : 0;
	mutex_unlock(&sta->access->lock);
	return iova;
}

static int access_pages(struct iommufd_ucmd *ucmd, struct selftest_access *sta)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	struct selftest_item *item;
	u64 iova;
	int rc;

	if (!sta->pins)
		return iommufd_refuse(-EOPNOTSUPP,
				      "the access was made without NEEDS_PIN_PAGES");
	item = kzalloc(sizeof(*item), GFP_KERNEL_ACCOUNT);
	if (!item)
		return iommufd_refuse(-ENOMEM, "no memory for an item");
	iova = access_iova(sta, cmd->access_pages.iova, cmd->access_pages.flags);
	mutex_lock(&sta->lock);
	rc = pin_item(sta, cmd, iova, item);
	if (rc) {
		kfree(item);
	} else {
		item->id = sta->next_id++;
		cmd->access_pages.out_access_pages_id = item->id;
		rc = iommufd_ucmd_respond(ucmd);
		list_add(&item->link, &sta->items);
		if (rc)
			item_drop(sta, item);
	}
	mutex_unlock(&sta->lock);
	return rc;
}

int selftest_access_pages(struct iommufd_ucmd *ucmd,
			  const struct iommufd_selftest_ops *ops)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	struct selftest_access *sta;
	struct file *file;
	u64 last;
	int rc;

	rc = iommufd_check_flags(cmd->access_pages.flags,
				 MOCK_FLAGS_ACCESS_WRITE | MOCK_FLAGS_ACCESS_SYZ);
	if (rc)
		return rc;
	if (cmd->access_pages.length > MAX_ACCESS_BYTES)
		return iommufd_refuse(-ENOMEM, "length is 0x%llx, at most 0x%lx are pinned",
				      cmd->access_pages.length, MAX_ACCESS_BYTES);
	if (!cmd->access_pages.length)
		return iommufd_refuse(-EINVAL, "length is 0");
	if (!(cmd->access_pages.flags & MOCK_FLAGS_ACCESS_SYZ) &&
	    check_add_overflow(cmd->access_pages.iova,
			       cmd->access_pages.length - 1, &last))
		return iommufd_refuse(-EOVERFLOW, "iova 0x%llx + length 0x%llx wraps",
				      cmd->access_pages.iova,
				      cmd->access_pages.length);
	sta = access_get(ucmd, &file);
	if (IS_ERR(sta))
		return PTR_ERR(sta);
	rc = access_pages(ucmd, sta);
	fput(file);
	return rc;
}

int selftest_destroy_access_pages(struct iommufd_ucmd *ucmd,
				  const struct iommufd_selftest_ops *ops)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	u32 id = cmd->destroy_access_pages.access_pages_id;
	struct selftest_access *sta;
	struct selftest_item *item;
	struct file *file;
	int rc = -ENOENT;

	sta = access_get(ucmd, &file);
	if (IS_ERR(sta))
		return PTR_ERR(sta);
	mutex_lock(&sta->lock);
	list_for_each_entry(item, &sta->items, link) {
		if (item->id == id) {
			item_drop(sta, item);
			rc = 0;
			break;
		}
	}
	mutex_unlock(&sta->lock);
	fput(file);
	if (rc)
		iommufd_refuse(rc, "the access has nothing pinned under id %u", id);
	return rc;
}

static int access_rw(struct selftest_access *sta, struct iommu_test_cmd *cmd)
{
	void __user *uptr = u64_to_user_ptr(cmd->access_rw.uptr);
	bool write = cmd->access_rw.flags & MOCK_ACCESS_RW_WRITE;
	u64 length = cmd->access_rw.length;
	void *data;
	int rc = 0;

	data = kvzalloc(length, GFP_KERNEL_ACCOUNT);
	if (!data)
		return iommufd_refuse(-ENOMEM, "no memory for 0x%llx bytes", length);
	if (write && copy_from_user(data, uptr, length))
		rc = iommufd_refuse(-EFAULT, "there are no 0x%llx bytes at 0x%llx",
				    length, cmd->access_rw.uptr);
	if (!rc)
		rc = iommufd_access_rw(sta->access,
				       access_iova(sta, cmd->access_rw.iova,
						   cmd->access_rw.flags),
				       data, length,
				       write ? IOMMUFD_ACCESS_RW_WRITE : 0);
	if (!rc && !write && copy_to_user(uptr, data, length))
		rc = iommufd_refuse(-EFAULT,
				    "0x%llx bytes at 0x%llx cannot be written to",
				    length, cmd->access_rw.uptr);
	kvfree(data);
	return rc;
}

/* The core pins in every case: SLOW_PATH changes nothing. */
int selftest_access_rw(struct iommufd_ucmd *ucmd,
		       const struct iommufd_selftest_ops *ops)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	struct selftest_access *sta;
	struct file *file;
	int rc;

	rc = iommufd_check_flags(cmd->access_rw.flags,
				 MOCK_ACCESS_RW_WRITE | MOCK_ACCESS_RW_SLOW_PATH |
				 MOCK_FLAGS_ACCESS_SYZ);
	if (rc)
		return rc;
	if (cmd->access_rw.length > MAX_ACCESS_BYTES)
		return iommufd_refuse(-ENOMEM, "length is 0x%llx, at most 0x%lx are copied",
				      cmd->access_rw.length, MAX_ACCESS_BYTES);
	sta = access_get(ucmd, &file);
	if (IS_ERR(sta))
		return PTR_ERR(sta);
	rc = access_rw(sta, cmd);
	fput(file);
	return rc;
}

int selftest_access_replace_ioas(struct iommufd_ucmd *ucmd,
				 const struct iommufd_selftest_ops *ops)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	struct selftest_access *sta;
	struct file *file;
	int rc;

	sta = access_get(ucmd, &file);
	if (IS_ERR(sta))
		return PTR_ERR(sta);
	rc = iommufd_access_replace(sta->access,
				    cmd->access_replace_ioas.ioas_id);
	fput(file);
	return rc;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The selftest ioctl: what tests of the core need beside the ordinary commands.
 * It needs the core's internals and therefore lives here; devices and page
 * tables are those of the mock IOMMU, whose module switches it on.
 */
#include <linux/bitmap.h>
#include <linux/export.h>
#include <linux/fcntl.h>
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/iommufd.h>
#include <uapi/linux/iommufd_test.h>

#include "device.h"
#include "hwpt.h"
#include "ioas.h"
#include "ioctl.h"
#include "selftest.h"

#define MAX_DIRTY_BITS (128UL << 20)
#define MAX_DMABUF_PAGES 512UL
/* Less than this does not hold what the smallest batch needs. */
#define MIN_BATCH_BYTES 12

/* Protects selftest_ops; innermost. */
static DEFINE_SPINLOCK(selftest_lock);
static const struct iommufd_selftest_ops *selftest_ops;

/* SET_TEMP_MEMORY_LIMIT; for all files, until the mock goes. */
static unsigned long batch_limit = ULONG_MAX;

static struct selftest_device *to_stdev(struct iommufd_object *obj)
{
	return container_of(obj, struct selftest_device, obj);
}

/**
 * iommufd_register_selftest - switch the selftest ioctl on
 * @ops: constant until iommufd_unregister_selftest()
 *
 * Return: 0, or -EEXIST if it is on
 */
int iommufd_register_selftest(const struct iommufd_selftest_ops *ops)
{
	int rc = 0;

	spin_lock(&selftest_lock);
	if (selftest_ops)
		rc = -EEXIST;
	else
		selftest_ops = ops;
	spin_unlock(&selftest_lock);
	return rc;
}
EXPORT_SYMBOL_GPL(iommufd_register_selftest);

/**
 * iommufd_unregister_selftest - switch the selftest ioctl off
 * @ops: registered; no call runs and no device exists, which holding @ops->owner
 *	 guarantees
 */
void iommufd_unregister_selftest(const struct iommufd_selftest_ops *ops)
{
	spin_lock(&selftest_lock);
	selftest_ops = NULL;
	batch_limit = ULONG_MAX;
	spin_unlock(&selftest_lock);
}
EXPORT_SYMBOL_GPL(iommufd_unregister_selftest);

static const struct iommufd_selftest_ops *selftest_get(void)
{
	const struct iommufd_selftest_ops *ops;

	spin_lock(&selftest_lock);
	ops = selftest_ops;
	if (ops && !try_module_get(ops->owner))
		ops = NULL;
	spin_unlock(&selftest_lock);
	return ops;
}

/**
 * iommufd_selftest_loaded - whether the selftest ioctl exists
 *
 * Return: whether the mock is loaded, which may change at any time
 */
bool iommufd_selftest_loaded(void)
{
	return READ_ONCE(selftest_ops);
}

/**
 * iommufd_selftest_batch - how much temporary memory pinning may use
 * @bytes: what it would use
 *
 * Return: at most @bytes, less if a test limits it, and at least 12
 */
unsigned long iommufd_selftest_batch(unsigned long bytes)
{
	return min(bytes, READ_ONCE(batch_limit));
}

static void stdev_destroy(struct iommufd_object *obj)
{
	struct selftest_device *stdev = to_stdev(obj);

	if (stdev->idev)
		iommufd_device_pasid_detach_all(stdev->idev);
	if (stdev->attached)
		iommufd_device_detach(stdev->idev);
	if (stdev->idev)
		iommufd_object_retire(&stdev->idev->obj);
	if (stdev->dev)
		stdev->ops->device_destroy(stdev->dev);
	module_put(stdev->ops->owner);
	mutex_destroy(&stdev->lock);
	kfree(stdev);
}

static void stdev_show(struct iommufd_object *obj, struct seq_file *m)
{
	struct selftest_device *stdev = to_stdev(obj);

	seq_printf(m, " dev=%s", dev_name(stdev->dev));
}

static const struct iommufd_object_type selftest_device_type = {
	.name = "selftest",
	.destroy = stdev_destroy,
	.show = stdev_show,
};

static struct selftest_device *
stdev_alloc(struct iommufd_ctx *ictx, const struct iommufd_selftest_ops *ops)
{
	struct selftest_device *stdev;
	int rc;

	stdev = kzalloc(sizeof(*stdev), GFP_KERNEL_ACCOUNT);
	if (!stdev)
		return ERR_PTR(iommufd_refuse(-ENOMEM, "no memory for a mock device"));
	mutex_init(&stdev->lock);
	rc = iommufd_object_init(ictx, &stdev->obj, &selftest_device_type);
	if (rc) {
		kfree(stdev);
		return ERR_PTR(rc);
	}
	__module_get(ops->owner);
	stdev->ops = ops;
	return stdev;
}

/**
 * selftest_device_get - find a mock device
 * @ictx: the context
 * @id: from the user
 *
 * Return: the device, held until iommufd_object_put(), or an ERR_PTR of -ENOENT
 */
struct selftest_device *selftest_device_get(struct iommufd_ctx *ictx, u32 id)
{
	struct iommufd_object *obj;

	obj = iommufd_object_get(ictx, id, &selftest_device_type);
	return IS_ERR(obj) ? ERR_CAST(obj) : to_stdev(obj);
}

/* Make, bind and attach; what is there when it fails goes with the object. */
static int stdev_build(struct selftest_device *stdev, u32 flags, u32 *pt_id,
		       u32 *idev_id)
{
	struct iommufd_ctx *ictx = stdev->obj.ictx;
	struct iommufd_device *idev;
	struct device *dev;
	int rc;

	dev = stdev->ops->device_create(flags);
	if (IS_ERR(dev))
		return PTR_ERR(dev);
	stdev->dev = dev;
	idev = iommufd_device_bind(ictx, dev, idev_id);
	if (IS_ERR(idev))
		return PTR_ERR(idev);
	stdev->idev = idev;
	iommufd_ctx_put(ictx);
	rc = iommufd_device_attach(idev, pt_id);
	stdev->attached = !rc;
	return rc;
}

static int selftest_mock_domain(struct iommufd_ucmd *ucmd, u32 flags,
				const struct iommufd_selftest_ops *ops)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	struct selftest_device *stdev;
	u32 pt_id = cmd->id, idev_id;
	int rc;

	if (flags & ~(MOCK_FLAGS_DEVICE_NO_DIRTY | MOCK_FLAGS_DEVICE_PASID))
		return iommufd_refuse(-EINVAL, "mock devices have no flags 0x%x",
				      flags);
	stdev = stdev_alloc(ucmd->ictx, ops);
	if (IS_ERR(stdev))
		return PTR_ERR(stdev);
	rc = stdev_build(stdev, flags, &pt_id, &idev_id);
	if (rc) {
		iommufd_object_abandon(&stdev->obj);
		return rc;
	}
	/* The first members of both structures are the same. */
	cmd->mock_domain.out_stdev_id = stdev->obj.id;
	cmd->mock_domain.out_hwpt_id = pt_id;
	cmd->mock_domain.out_idev_id = idev_id;
	return iommufd_ucmd_deliver(ucmd, &stdev->obj);
}

static int selftest_mock_domain_plain(struct iommufd_ucmd *ucmd,
				      const struct iommufd_selftest_ops *ops)
{
	return selftest_mock_domain(ucmd, 0, ops);
}

static int selftest_mock_domain_flags(struct iommufd_ucmd *ucmd,
				      const struct iommufd_selftest_ops *ops)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;

	return selftest_mock_domain(ucmd, cmd->mock_domain_flags.dev_flags, ops);
}

static int selftest_mock_domain_replace(struct iommufd_ucmd *ucmd,
					const struct iommufd_selftest_ops *ops)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	u32 pt_id = cmd->mock_domain_replace.pt_id;
	struct selftest_device *stdev;
	int rc;

	stdev = selftest_device_get(ucmd->ictx, cmd->id);
	if (IS_ERR(stdev))
		return PTR_ERR(stdev);
	mutex_lock(&stdev->lock);
	rc = iommufd_device_replace(stdev->idev, &pt_id);
	mutex_unlock(&stdev->lock);
	iommufd_object_put(&stdev->obj);
	if (rc)
		return rc;
	cmd->mock_domain_replace.pt_id = pt_id;
	return iommufd_ucmd_respond(ucmd);
}

static int selftest_add_reserved(struct iommufd_ucmd *ucmd,
				 const struct iommufd_selftest_ops *ops)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	u64 first = cmd->add_reserved.start, last;
	struct iommufd_ioas *ioas;
	int rc;

	if (!cmd->add_reserved.length)
		return iommufd_refuse(-EINVAL, "length is 0");
	if (check_add_overflow(first, cmd->add_reserved.length - 1, &last))
		return iommufd_refuse(-EOVERFLOW, "start 0x%llx + length 0x%llx wraps",
				      first, cmd->add_reserved.length);
	ioas = iommufd_ioas_get(ucmd->ictx, cmd->id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	down_write(&ioas->iopt.shape);
	/* Owned by nobody, it stays as long as the address space. */
	rc = iopt_reserve(&ioas->iopt, first, last, NULL, "a test");
	up_write(&ioas->iopt.shape);
	iommufd_object_put(&ioas->obj);
	return rc;
}

static struct iommufd_hwpt *mock_hwpt_get(struct iommufd_ucmd *ucmd, u32 id,
					  const struct iommufd_selftest_ops *ops)
{
	struct iommufd_object *obj;

	obj = iommufd_object_get(ucmd->ictx, id, &iommufd_hwpt_paging_type);
	if (IS_ERR(obj))
		return ERR_CAST(obj);
	if (ops->owns(to_hwpt(obj)->idom.domain))
		return to_hwpt(obj);
	iommufd_object_put(obj);
	return ERR_PTR(iommufd_refuse(-EINVAL,
				      "page table %u is not one of the mock IOMMU",
				      id));
}

static int check_granule(struct iommu_domain *domain, u64 iova, u64 uptr)
{
	phys_addr_t phys = iommu_iova_to_phys(domain, iova);
	struct page *page;
	phys_addr_t want;
	long got;

	got = get_user_pages_fast(uptr & PAGE_MASK, 1, 0, &page);
	if (got != 1)
		return iommufd_refuse(-EFAULT, "there is no memory at 0x%llx", uptr);
	want = page_to_phys(page) + offset_in_page(uptr);
	put_page(page);
	if (phys != want)
		return iommufd_refuse(-EINVAL,
				      "iova 0x%llx leads to 0x%llx, the memory at 0x%llx is at 0x%llx",
				      iova, (u64)phys, uptr, (u64)want);
	return 0;
}

static int selftest_check_map(struct iommufd_ucmd *ucmd,
			      const struct iommufd_selftest_ops *ops)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	u64 iova = cmd->check_map.iova, uptr = cmd->check_map.uptr;
	u64 length = cmd->check_map.length, done, end;
	struct iommufd_hwpt *hwpt;
	int rc = 0;

	if ((iova | uptr | length) % MOCK_PAGE_SIZE)
		return iommufd_refuse(-EINVAL,
				      "iova, length and uptr have to be multiples of %u",
				      MOCK_PAGE_SIZE);
	if (check_add_overflow(iova, length, &end) ||
	    check_add_overflow(uptr, length, &end))
		return iommufd_refuse(-EOVERFLOW, "length 0x%llx wraps", length);
	hwpt = mock_hwpt_get(ucmd, cmd->id, ops);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	for (done = 0; done < length && !rc; done += MOCK_PAGE_SIZE) {
		rc = check_granule(hwpt->idom.domain, iova + done, uptr + done);
		if (!rc && fatal_signal_pending(current))
			rc = iommufd_refuse(-EINTR, "killed while comparing");
		cond_resched();
	}
	iommufd_object_put(&hwpt->obj);
	return rc;
}

static int check_refs(u64 uptr, u32 refs)
{
	struct page *page;
	unsigned int count;
	int rc = 0;

	if (get_user_pages_fast(uptr, 1, 0, &page) != 1)
		return iommufd_refuse(-EFAULT, "there is no memory at 0x%llx", uptr);
	/* The pins of a large folio are counted together, in its head. */
	count = page_ref_count(page) / GUP_PIN_COUNTING_BIAS;
	if (!PageCompound(page) && count != refs)
		rc = iommufd_refuse(-EIO, "the page at 0x%llx is pinned %u times, not %u",
				    uptr, count, refs);
	put_page(page);
	return rc;
}

static int selftest_check_refs(struct iommufd_ucmd *ucmd,
			       const struct iommufd_selftest_ops *ops)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	u64 uptr = cmd->check_refs.uptr, length = cmd->check_refs.length;
	u64 end, at;
	int rc = 0;

	if ((uptr | length) % PAGE_SIZE)
		return iommufd_refuse(-EINVAL,
				      "uptr and length have to be multiples of %lu",
				      PAGE_SIZE);
	if (check_add_overflow(uptr, length, &end))
		return iommufd_refuse(-EOVERFLOW, "uptr 0x%llx + length 0x%llx wraps",
				      uptr, length);
	for (at = uptr; at < end && !rc; at += PAGE_SIZE) {
		rc = check_refs(at, cmd->check_refs.refs);
		if (!rc && fatal_signal_pending(current))
			rc = iommufd_refuse(-EINTR, "killed while counting");
		cond_resched();
	}
	return rc;
}

static int selftest_memory_limit(struct iommufd_ucmd *ucmd,
				 const struct iommufd_selftest_ops *ops)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;

	if (cmd->memory_limit.limit < MIN_BATCH_BYTES)
		return iommufd_refuse(-EINVAL, "limit is %u, at least %u bytes are needed",
				      cmd->memory_limit.limit, MIN_BATCH_BYTES);
	WRITE_ONCE(batch_limit, cmd->memory_limit.limit);
	return 0;
}

static unsigned long mark_pages(struct iommufd_hwpt *hwpt,
				const struct iommufd_selftest_ops *ops,
				const struct iommu_test_cmd *cmd,
				const unsigned long *bits, unsigned long nr)
{
	unsigned long bit, marked = 0;

	for_each_set_bit(bit, bits, nr) {
		if (ops->mark_dirty(hwpt->idom.domain,
				    cmd->dirty.iova + bit * cmd->dirty.page_size,
				    cmd->dirty.page_size))
			marked++;
		cond_resched();
	}
	return marked;
}

static int mark_dirty(struct iommufd_hwpt *hwpt,
		      const struct iommufd_selftest_ops *ops,
		      struct iommu_test_cmd *cmd)
{
	unsigned long nr = cmd->dirty.length / cmd->dirty.page_size;
	unsigned long *bits;
	int rc = 0;

	if (!ops->tracks_dirty(hwpt->idom.domain))
		return iommufd_refuse(-EINVAL,
				      "dirty tracking of page table %u is off",
				      hwpt->obj.id);
	bits = kvcalloc(BITS_TO_LONGS(nr), sizeof(*bits), GFP_KERNEL_ACCOUNT);
	if (!bits)
		return iommufd_refuse(-ENOMEM, "no memory for %lu bits", nr);
	if (copy_from_user(bits, u64_to_user_ptr(cmd->dirty.uptr),
			   DIV_ROUND_UP(nr, BITS_PER_BYTE)))
		rc = iommufd_refuse(-EFAULT, "there are no %lu bits at 0x%llx", nr,
				    cmd->dirty.uptr);
	else
		cmd->dirty.out_nr_dirty = mark_pages(hwpt, ops, cmd, bits, nr);
	kvfree(bits);
	return rc;
}

static int check_dirty(struct iommu_test_cmd *cmd)
{
	u64 last;
	int rc;

	rc = iommufd_check_flags(cmd->dirty.flags, 0);
	if (rc)
		return rc;
	if (!cmd->dirty.page_size || !cmd->dirty.length || !cmd->dirty.uptr ||
	    cmd->dirty.iova % cmd->dirty.page_size ||
	    cmd->dirty.length % cmd->dirty.page_size)
		return iommufd_refuse(-EINVAL,
				      "iova 0x%llx and length 0x%llx have to be multiples of page_size 0x%llx, none of them and of uptr 0",
				      cmd->dirty.iova, cmd->dirty.length,
				      cmd->dirty.page_size);
	if (check_add_overflow(cmd->dirty.iova, cmd->dirty.length - 1, &last))
		return iommufd_refuse(-EOVERFLOW, "iova 0x%llx + length 0x%llx wraps",
				      cmd->dirty.iova, cmd->dirty.length);
	if (cmd->dirty.length / cmd->dirty.page_size > MAX_DIRTY_BITS)
		return iommufd_refuse(-EOVERFLOW, "more than %lu bits", MAX_DIRTY_BITS);
	return 0;
}

static int selftest_dirty(struct iommufd_ucmd *ucmd,
			  const struct iommufd_selftest_ops *ops)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	struct iommufd_hwpt *hwpt;
	int rc;

	rc = check_dirty(cmd);
	if (rc)
		return rc;
	hwpt = mock_hwpt_get(ucmd, cmd->id, ops);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	rc = mark_dirty(hwpt, ops, cmd);
	iommufd_object_put(&hwpt->obj);
	return rc ?: iommufd_ucmd_respond(ucmd);
}

static int selftest_dmabuf_get(struct iommufd_ucmd *ucmd,
			       const struct iommufd_selftest_ops *ops)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	u32 length = cmd->dmabuf_get.length;

	if (!length || length % PAGE_SIZE || length / PAGE_SIZE > MAX_DMABUF_PAGES)
		return iommufd_refuse(-EINVAL,
				      "length is %u, a mock dma-buf has 1 to %lu pages",
				      length, MAX_DMABUF_PAGES);
	if (cmd->dmabuf_get.open_flags & ~(O_ACCMODE | O_CLOEXEC))
		return iommufd_refuse(-EINVAL, "unknown open_flags 0x%x",
				      cmd->dmabuf_get.open_flags);
	return ops->dmabuf_get(length, cmd->dmabuf_get.open_flags);
}

static int selftest_dmabuf_revoke(struct iommufd_ucmd *ucmd,
				  const struct iommufd_selftest_ops *ops)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;

	return ops->dmabuf_revoke(cmd->dmabuf_revoke.dmabuf_fd,
				  cmd->dmabuf_revoke.revoked);
}

typedef int (*selftest_op)(struct iommufd_ucmd *ucmd,
			   const struct iommufd_selftest_ops *ops);

static const selftest_op selftest_op_table[] = {
	[IOMMU_TEST_OP_ADD_RESERVED] = selftest_add_reserved,
	[IOMMU_TEST_OP_MOCK_DOMAIN] = selftest_mock_domain_plain,
	[IOMMU_TEST_OP_MD_CHECK_MAP] = selftest_check_map,
	[IOMMU_TEST_OP_MD_CHECK_REFS] = selftest_check_refs,
	[IOMMU_TEST_OP_CREATE_ACCESS] = selftest_create_access,
	[IOMMU_TEST_OP_DESTROY_ACCESS_PAGES] = selftest_destroy_access_pages,
	[IOMMU_TEST_OP_ACCESS_PAGES] = selftest_access_pages,
	[IOMMU_TEST_OP_ACCESS_RW] = selftest_access_rw,
	[IOMMU_TEST_OP_SET_TEMP_MEMORY_LIMIT] = selftest_memory_limit,
	[IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE] = selftest_mock_domain_replace,
	[IOMMU_TEST_OP_ACCESS_REPLACE_IOAS] = selftest_access_replace_ioas,
	[IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS] = selftest_mock_domain_flags,
	[IOMMU_TEST_OP_DIRTY] = selftest_dirty,
	[IOMMU_TEST_OP_MD_CHECK_IOTLB] = selftest_check_iotlb,
	[IOMMU_TEST_OP_TRIGGER_IOPF] = selftest_trigger_iopf,
	[IOMMU_TEST_OP_DEV_CHECK_CACHE] = selftest_check_dev_cache,
	[IOMMU_TEST_OP_TRIGGER_VEVENT] = selftest_trigger_vevent,
	[IOMMU_TEST_OP_PASID_ATTACH] = selftest_pasid_attach,
	[IOMMU_TEST_OP_PASID_REPLACE] = selftest_pasid_replace,
	[IOMMU_TEST_OP_PASID_DETACH] = selftest_pasid_detach,
	[IOMMU_TEST_OP_PASID_CHECK_HWPT] = selftest_pasid_check_hwpt,
	[IOMMU_TEST_OP_DMABUF_GET] = selftest_dmabuf_get,
	[IOMMU_TEST_OP_DMABUF_REVOKE] = selftest_dmabuf_revoke,
};

int iommufd_selftest(struct iommufd_ucmd *ucmd)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	const struct iommufd_selftest_ops *ops;
	int rc;

	ops = selftest_get();
	if (!ops)
		return iommufd_refuse(-ENOTTY,
				      "the selftest ioctl needs the module iommufd_mock");
	rc = iommufd_check_reserved(cmd->__reserved, "__reserved");
	if (!rc && (cmd->op >= ARRAY_SIZE(selftest_op_table) ||
		    !selftest_op_table[cmd->op]))
		rc = iommufd_refuse(-EOPNOTSUPP, "unknown selftest operation %u",
				    cmd->op);
	if (!rc)
		rc = selftest_op_table[cmd->op](ucmd, ops);
	module_put(ops->owner);
	return rc;
}

/**
 * selftest_pick_iova - let a fuzzer hit areas without knowing where they are
 * @ioas: held
 * @index: upper half: which area, lower half: offset in it
 *
 * Return: the address, or 0 if there are not so many areas
 */
u64 selftest_pick_iova(struct iommufd_ioas *ioas, u64 index)
{
	struct io_pagetable *iopt = &ioas->iopt;
	struct interval_tree_node *node;
	u32 nth = upper_32_bits(index);
	u64 iova = 0;

	down_read(&iopt->iova_lock);
	for (node = interval_tree_iter_first(&iopt->areas, 0, ULONG_MAX);
	     node && nth; node = interval_tree_iter_next(node, 0, ULONG_MAX))
		nth--;
	if (node)
		iova = node->start + lower_32_bits(index);
	up_read(&iopt->iova_lock);
	return iova;
}

static void pick_iova(struct iommufd_ucmd *ucmd, u32 ioas_id, u64 *iova,
		      u32 *flags)
{
	struct iommufd_ioas *ioas;

	*flags &= ~MOCK_FLAGS_ACCESS_SYZ;
	ioas = iommufd_ioas_get(ucmd->ictx, ioas_id);
	if (IS_ERR(ioas))
		return;
	*iova = selftest_pick_iova(ioas, *iova);
	iommufd_object_put(&ioas->obj);
}

/**
 * iommufd_selftest_prepare - honour the flag for fuzzers in ordinary commands
 * @ucmd: a command, before it is looked at
 * @cmd: which one
 *
 * Does nothing unless the mock is loaded.
 */
void iommufd_selftest_prepare(struct iommufd_ucmd *ucmd, unsigned int cmd)
{
	struct iommu_ioas_copy *copy = ucmd->cmd;
	struct iommu_ioas_map *map = ucmd->cmd;

	if (likely(!iommufd_selftest_loaded()))
		return;
	if (cmd == IOMMU_IOAS_MAP && (map->flags & MOCK_FLAGS_ACCESS_SYZ))
		pick_iova(ucmd, map->ioas_id, &map->iova, &map->flags);
	else if (cmd == IOMMU_IOAS_COPY && (copy->flags & MOCK_FLAGS_ACCESS_SYZ))
		pick_iova(ucmd, copy->src_ioas_id, &copy->src_iova, &copy->flags);
}

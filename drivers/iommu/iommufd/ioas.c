// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOAS objects and their ioctls.
 */
#include <linux/capability.h>
#include <linux/iommu.h>
#include <linux/overflow.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/iommufd.h>

#include "ioas.h"
#include "ioctl.h"

/* ALLOW_IOVAS reads its list in one go. */
#define MAX_ALLOWED_RANGES BIT(16)

static void ioas_destroy(struct iommufd_object *obj)
{
	struct iommufd_ioas *ioas = to_ioas(obj);

	xa_lock(&obj->ictx->objects);
	if (obj->ictx->vfio_ioas == ioas)
		obj->ictx->vfio_ioas = NULL;
	xa_unlock(&obj->ictx->objects);
	iopt_destroy(&ioas->iopt);
	mutex_destroy(&ioas->auto_lock);
	kfree(ioas);
}

static void ioas_show(struct iommufd_object *obj, struct seq_file *m)
{
	struct iommufd_ioas *ioas = to_ioas(obj);

	seq_printf(m, " areas=%lu huge_pages=%d",
		   READ_ONCE(ioas->iopt.nr_areas),
		   READ_ONCE(ioas->iopt.huge_pages));
}

const struct iommufd_object_type iommufd_ioas_type = {
	.name = "ioas",
	.destroy = ioas_destroy,
	.show = ioas_show,
};

/**
 * iommufd_ioas_get - find an IOAS
 * @ictx: the context
 * @id: from the user
 *
 * Return: the IOAS, held until iommufd_object_put(), or an ERR_PTR of -ENOENT
 */
struct iommufd_ioas *iommufd_ioas_get(struct iommufd_ctx *ictx, u32 id)
{
	struct iommufd_object *obj;

	obj = iommufd_object_get(ictx, id, &iommufd_ioas_type);
	return IS_ERR(obj) ? ERR_CAST(obj) : to_ioas(obj);
}

/**
 * iommufd_ioas_alloc - make an empty IOAS
 * @ictx: the context
 *
 * Return: the IOAS, not published, or an ERR_PTR of -ENOMEM; explained
 */
struct iommufd_ioas *iommufd_ioas_alloc(struct iommufd_ctx *ictx)
{
	struct iommufd_ioas *ioas;
	int rc;

	ioas = kzalloc(sizeof(*ioas), GFP_KERNEL_ACCOUNT);
	if (!ioas)
		return ERR_PTR(iommufd_refuse(-ENOMEM, "no memory for an IOAS"));
	iopt_init(&ioas->iopt);
	mutex_init(&ioas->auto_lock);
	rc = iommufd_object_init(ictx, &ioas->obj, &iommufd_ioas_type);
	if (rc) {
		ioas_destroy(&ioas->obj);
		return ERR_PTR(rc);
	}
	return ioas;
}

int iommufd_ioas_alloc_ioctl(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_alloc *cmd = ucmd->cmd;
	int rc = iommufd_check_flags(cmd->flags, 0);
	struct iommufd_ioas *ioas;

	if (rc)
		return rc;
	ioas = iommufd_ioas_alloc(ucmd->ictx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	cmd->out_ioas_id = ioas->obj.id;
	return iommufd_ucmd_deliver(ucmd, &ioas->obj);
}

static int copy_iova_ranges(struct iommufd_ioas *ioas,
			    struct iommu_ioas_iova_ranges *cmd)
{
	struct iommu_iova_range __user *out = u64_to_user_ptr(cmd->allowed_iovas);
	unsigned long first = 0, last;
	u32 room = cmd->num_iovas;

	cmd->num_iovas = 0;
	while (iopt_next_usable(&ioas->iopt, &first, &last)) {
		struct iommu_iova_range range = { .start = first, .last = last };

		if (cmd->num_iovas < room &&
		    copy_to_user(out + cmd->num_iovas, &range, sizeof(range)))
			return iommufd_refuse(-EFAULT,
					      "the array at 0x%llx cannot be written to",
					      cmd->allowed_iovas);
		cmd->num_iovas++;
		if (last == ULONG_MAX)
			break;
		first = last + 1;
	}
	cmd->out_iova_alignment = iopt_alignment(&ioas->iopt);
	if (cmd->num_iovas > room)
		return iommufd_refuse(-EMSGSIZE,
				      "there are %u ranges and room for %u in the array",
				      cmd->num_iovas, room);
	return 0;
}

int iommufd_ioas_iova_ranges(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_iova_ranges *cmd = ucmd->cmd;
	struct iommufd_ioas *ioas;
	int rc, rc_respond;

	rc = iommufd_check_reserved(cmd->__reserved, "__reserved");
	if (rc)
		return rc;
	ioas = iommufd_ioas_get(ucmd->ictx, cmd->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	down_read(&ioas->iopt.shape);
	rc = copy_iova_ranges(ioas, cmd);
	up_read(&ioas->iopt.shape);
	if (!rc || rc == -EMSGSIZE) {
		rc_respond = iommufd_ucmd_respond(ucmd);
		if (rc_respond)
			rc = rc_respond;
	}
	iommufd_object_put(&ioas->obj);
	return rc;
}

static struct iommu_iova_range *
read_allowed(struct iommu_ioas_allow_iovas *cmd)
{
	struct iommu_iova_range *ranges;
	u32 i;
	int rc = 0;

	ranges = kvmalloc_array(cmd->num_iovas, sizeof(*ranges),
				GFP_KERNEL_ACCOUNT);
	if (!ranges)
		return ERR_PTR(iommufd_refuse(-ENOMEM,
					      "no memory for %u allowed ranges",
					      cmd->num_iovas));
	if (copy_from_user(ranges, u64_to_user_ptr(cmd->allowed_iovas),
			   array_size(cmd->num_iovas, sizeof(*ranges))))
		rc = iommufd_refuse(-EFAULT, "the array at 0x%llx cannot be read",
				    cmd->allowed_iovas);
	for (i = 0; i < cmd->num_iovas && !rc; i++)
		if (ranges[i].start >= ranges[i].last)
			rc = iommufd_refuse(-EINVAL,
					    "allowed range 0x%llx..0x%llx is empty",
					    ranges[i].start, ranges[i].last);
	if (rc) {
		kvfree(ranges);
		return ERR_PTR(rc);
	}
	return ranges;
}

int iommufd_ioas_allow_iovas(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_allow_iovas *cmd = ucmd->cmd;
	struct iommu_iova_range *ranges = NULL;
	struct iommufd_ioas *ioas;
	int rc;

	rc = iommufd_check_reserved(cmd->__reserved, "__reserved");
	if (rc)
		return rc;
	if (cmd->num_iovas > MAX_ALLOWED_RANGES)
		return iommufd_refuse(-EINVAL, "%u allowed ranges, at most %lu are taken",
				      cmd->num_iovas, MAX_ALLOWED_RANGES);
	ioas = iommufd_ioas_get(ucmd->ictx, cmd->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	if (cmd->num_iovas) {
		ranges = read_allowed(cmd);
		if (IS_ERR(ranges)) {
			rc = PTR_ERR(ranges);
			goto out;
		}
	}
	rc = iopt_set_allowed(&ioas->iopt, ranges, cmd->num_iovas);
	kvfree(ranges);
out:
	iommufd_object_put(&ioas->obj);
	return rc;
}

static int check_map(u32 flags, u64 iova, u64 length)
{
	u64 last;
	int rc;

	rc = iommufd_check_flags(flags, IOMMU_IOAS_MAP_FIXED_IOVA |
				 IOMMU_IOAS_MAP_WRITEABLE |
				 IOMMU_IOAS_MAP_READABLE);
	if (rc)
		return rc;
	if (!(flags & (IOMMU_IOAS_MAP_WRITEABLE | IOMMU_IOAS_MAP_READABLE)))
		return iommufd_refuse(-EINVAL,
				      "a mapping is readable, writeable or both");
	if (!length)
		return iommufd_refuse(-EINVAL, "length is 0");
	if ((flags & IOMMU_IOAS_MAP_FIXED_IOVA) &&
	    check_add_overflow(iova, length - 1, &last))
		return iommufd_refuse(-EOVERFLOW,
				      "iova 0x%llx + length 0x%llx wraps",
				      iova, length);
	return 0;
}

static int map_prot(u32 flags)
{
	int prot = IOMMU_CACHE;

	if (flags & IOMMU_IOAS_MAP_WRITEABLE)
		prot |= IOMMU_WRITE;
	if (flags & IOMMU_IOAS_MAP_READABLE)
		prot |= IOMMU_READ;
	return prot;
}

/* Map @pages, whose reference ends here, and tell the user where. */
static int map_pages(struct iommufd_ucmd *ucmd, u32 ioas_id,
		     struct iommufd_pages *pages, u32 flags, u64 length,
		     u64 *out_iova)
{
	unsigned long iova = *out_iova, unmapped;
	struct iommufd_ioas *ioas;
	int rc;

	ioas = iommufd_ioas_get(ucmd->ictx, ioas_id);
	if (IS_ERR(ioas)) {
		iommufd_pages_put(pages);
		return PTR_ERR(ioas);
	}
	rc = iopt_map(&ioas->iopt, pages, pages->offset, length, &iova,
		      flags & IOMMU_IOAS_MAP_FIXED_IOVA, map_prot(flags));
	iommufd_pages_put(pages);
	if (!rc) {
		*out_iova = iova;
		rc = iommufd_ucmd_respond(ucmd);
		if (rc)
			iopt_unmap(&ioas->iopt, iova, iova + length - 1,
				   &unmapped);
	}
	iommufd_object_put(&ioas->obj);
	return rc;
}

int iommufd_ioas_map(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_map *cmd = ucmd->cmd;
	struct iommufd_pages *pages;
	unsigned long uptr;
	u64 last;
	int rc;

	rc = iommufd_check_reserved(cmd->__reserved, "__reserved");
	if (!rc)
		rc = check_map(cmd->flags, cmd->iova, cmd->length);
	if (rc)
		return rc;
	uptr = untagged_addr(cmd->user_va);
	if (check_add_overflow((u64)uptr, cmd->length - 1, &last))
		return iommufd_refuse(-EOVERFLOW,
				      "user_va 0x%llx + length 0x%llx wraps",
				      cmd->user_va, cmd->length);
	pages = iommufd_pages_from_user(ucmd->ictx, uptr, cmd->length,
					cmd->flags & IOMMU_IOAS_MAP_WRITEABLE);
	if (IS_ERR(pages))
		return PTR_ERR(pages);
	return map_pages(ucmd, cmd->ioas_id, pages, cmd->flags, cmd->length,
			 &cmd->iova);
}

int iommufd_ioas_map_file(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_map_file *cmd = ucmd->cmd;
	struct iommufd_pages *pages;
	u64 last;
	int rc;

	rc = check_map(cmd->flags, cmd->iova, cmd->length);
	if (rc)
		return rc;
	if (check_add_overflow(cmd->start, cmd->length - 1, &last))
		return iommufd_refuse(-EOVERFLOW,
				      "start 0x%llx + length 0x%llx wraps",
				      cmd->start, cmd->length);
	pages = iommufd_pages_from_file(ucmd->ictx, cmd->fd, cmd->start,
					cmd->length,
					cmd->flags & IOMMU_IOAS_MAP_WRITEABLE);
	if (IS_ERR(pages))
		return PTR_ERR(pages);
	return map_pages(ucmd, cmd->ioas_id, pages, cmd->flags, cmd->length,
			 &cmd->iova);
}

static int copy_between(struct iommufd_ioas *src, struct iommufd_ioas *dst,
			struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_copy *cmd = ucmd->cmd;
	unsigned long iova = cmd->dst_iova, unmapped;
	LIST_HEAD(areas);
	int rc;

	rc = iopt_copy_areas(&src->iopt, cmd->src_iova,
			     cmd->src_iova + cmd->length - 1,
			     map_prot(cmd->flags), &areas);
	if (rc)
		return rc;
	rc = iopt_map_areas(&dst->iopt, &areas, cmd->length, &iova,
			    cmd->flags & IOMMU_IOAS_MAP_FIXED_IOVA);
	if (rc) {
		iopt_areas_free(&areas);
		return rc;
	}
	cmd->dst_iova = iova;
	rc = iommufd_ucmd_respond(ucmd);
	if (rc)
		iopt_unmap(&dst->iopt, iova, iova + cmd->length - 1, &unmapped);
	return rc;
}

int iommufd_ioas_copy(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_copy *cmd = ucmd->cmd;
	struct iommufd_ioas *src, *dst;
	u64 last;
	int rc;

	rc = check_map(cmd->flags, cmd->dst_iova, cmd->length);
	if (rc)
		return rc;
	if (check_add_overflow(cmd->src_iova, cmd->length - 1, &last))
		return iommufd_refuse(-EOVERFLOW,
				      "src_iova 0x%llx + length 0x%llx wraps",
				      cmd->src_iova, cmd->length);
	src = iommufd_ioas_get(ucmd->ictx, cmd->src_ioas_id);
	if (IS_ERR(src))
		return PTR_ERR(src);
	dst = iommufd_ioas_get(ucmd->ictx, cmd->dst_ioas_id);
	if (IS_ERR(dst)) {
		rc = PTR_ERR(dst);
	} else {
		rc = copy_between(src, dst, ucmd);
		iommufd_object_put(&dst->obj);
	}
	iommufd_object_put(&src->obj);
	return rc;
}

int iommufd_ioas_unmap(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_unmap *cmd = ucmd->cmd;
	unsigned long unmapped = 0;
	struct iommufd_ioas *ioas;
	u64 last = U64_MAX;
	bool all;
	int rc;

	all = cmd->iova == 0 && cmd->length == U64_MAX;
	if (!all) {
		if (!cmd->length)
			return iommufd_refuse(-EINVAL, "length is 0");
		if (check_add_overflow(cmd->iova, cmd->length - 1, &last))
			return iommufd_refuse(-EOVERFLOW,
					      "iova 0x%llx + length 0x%llx wraps",
					      cmd->iova, cmd->length);
	}
	ioas = iommufd_ioas_get(ucmd->ictx, cmd->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	rc = iopt_unmap(&ioas->iopt, cmd->iova, last, &unmapped);
	if (!rc && !unmapped && !all)
		rc = iommufd_refuse(-ENOENT, "nothing is mapped in 0x%llx..0x%llx",
				    cmd->iova, last);
	if (!rc) {
		cmd->length = unmapped;
		rc = iommufd_ucmd_respond(ucmd);
	}
	iommufd_object_put(&ioas->obj);
	return rc;
}

static int option_rlimit_mode(struct iommufd_ctx *ictx,
			      struct iommu_option *cmd)
{
	int rc = 0;

	if (cmd->object_id)
		return iommufd_refuse(-EOPNOTSUPP,
				      "RLIMIT_MODE concerns the whole file: object_id has to be 0");
	if (cmd->op == IOMMU_OPTION_OP_GET) {
		cmd->val64 = READ_ONCE(ictx->account_per_process);
		return 0;
	}
	if (!capable(CAP_SYS_RESOURCE))
		return iommufd_refuse(-EPERM,
				      "RLIMIT_MODE can be set with CAP_SYS_RESOURCE only");
	if (cmd->val64 > 1)
		return iommufd_refuse(-EINVAL,
				      "RLIMIT_MODE is 0 (per user) or 1 (per process), not %llu",
				      cmd->val64);
	xa_lock(&ictx->objects);
	if (!xa_empty(&ictx->objects))
		rc = -EBUSY;
	else
		WRITE_ONCE(ictx->account_per_process, cmd->val64);
	xa_unlock(&ictx->objects);
	if (rc)
		iommufd_refuse(rc, "RLIMIT_MODE can be set only before the first object is made");
	return rc;
}

static int option_huge_pages(struct iommufd_ctx *ictx, struct iommu_option *cmd)
{
	struct iommufd_ioas *ioas;
	int rc = 0;

	ioas = iommufd_ioas_get(ictx, cmd->object_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	if (cmd->op == IOMMU_OPTION_OP_GET)
		cmd->val64 = READ_ONCE(ioas->iopt.huge_pages);
	else if (cmd->val64 > 1)
		rc = iommufd_refuse(-EINVAL, "HUGE_PAGES is 0 or 1, not %llu",
				    cmd->val64);
	else
		rc = iopt_set_huge_pages(&ioas->iopt, cmd->val64);
	iommufd_object_put(&ioas->obj);
	return rc;
}

int iommufd_option(struct iommufd_ucmd *ucmd)
{
	struct iommu_option *cmd = ucmd->cmd;
	int rc;

	rc = iommufd_check_reserved(cmd->__reserved, "__reserved");
	if (rc)
		return rc;
	if (cmd->op != IOMMU_OPTION_OP_GET && cmd->op != IOMMU_OPTION_OP_SET)
		return iommufd_refuse(-EOPNOTSUPP, "unknown option operation %u",
				      cmd->op);
	switch (cmd->option_id) {
	case IOMMU_OPTION_RLIMIT_MODE:
		rc = option_rlimit_mode(ucmd->ictx, cmd);
		break;
	case IOMMU_OPTION_HUGE_PAGES:
		rc = option_huge_pages(ucmd->ictx, cmd);
		break;
	default:
		return iommufd_refuse(-EOPNOTSUPP, "unknown option %u",
				      cmd->option_id);
	}
	if (!rc && cmd->op == IOMMU_OPTION_OP_GET)
		rc = iommufd_ucmd_respond(ucmd);
	return rc;
}

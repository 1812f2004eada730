// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls of VFIO's type1 container, on /dev/iommu.
 *
 * They act on the one IOAS of the context that stands for the container, so a
 * program may use them and the IOAS's own commands side by side. Type1 in its
 * first version lets a program unmap any pages of a larger mapping; that asks
 * for page tables without large leaves, which is the HUGE_PAGES option of the
 * IOAS. So the version a program has chosen is nothing else but that option.
 */
#include <linux/capability.h>
#include <linux/iommu.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/uaccess.h>
#include <uapi/linux/iommufd.h>
#include <uapi/linux/vfio.h>

#include "hwpt.h"
#include "ioas.h"
#include "vfio_compat.h"

/*
 * What type1 allows unless its administrator says otherwise. Mappings are not
 * counted here, but programs divide by their slots what they are told.
 */
#define DMA_AVAIL U16_MAX

/* Every structure begins with argsz; what a longer one has more means nothing. */
static int read_arg(void *arg, size_t size, const void __user *uarg)
{
	u32 argsz;

	if (get_user(argsz, (const u32 __user *)uarg))
		return iommufd_refuse(-EFAULT,
				      "the ioctl's structure cannot be read");
	if (argsz < size)
		return iommufd_refuse(-EINVAL, "argsz is %u, at least %zu needed",
				      argsz, size);
	if (copy_from_user(arg, uarg, size))
		return iommufd_refuse(-EFAULT,
				      "the ioctl's structure of %u bytes cannot be read",
				      argsz);
	return 0;
}

/* Is the cache coherent with the DMA of every device, whatever they ask for? */
static long enforces_coherency(struct iommufd_ctx *ictx)
{
	struct iommufd_ioas *ioas = iommufd_compat_ioas_get(ictx);
	struct iopt_domain *idom;
	bool all;

	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	down_read(&ioas->iopt.shape);
	all = !list_empty(&ioas->iopt.domains);
	list_for_each_entry(idom, &ioas->iopt.domains, link)
		all &= container_of(idom, struct iommufd_hwpt,
				    idom)->enforces_coherency;
	up_read(&ioas->iopt.shape);
	iommufd_object_put(&ioas->obj);
	return all;
}

static long check_extension(struct iommufd_ctx *ictx, unsigned long extension)
{
	if (READ_ONCE(ictx->no_iommu_mode))
		return extension == VFIO_NOIOMMU_IOMMU;

	switch (extension) {
	case VFIO_TYPE1_IOMMU:
	case VFIO_TYPE1v2_IOMMU:
	case VFIO_UNMAP_ALL:
		return 1;
	case VFIO_DMA_CC_IOMMU:
		return enforces_coherency(ictx);
	}
	return 0;
}

static long set_no_iommu(struct iommufd_ctx *ictx)
{
	if (!READ_ONCE(ictx->no_iommu_mode))
		return iommufd_refuse(-EINVAL,
				      "this /dev/iommu has no group without an IOMMU");
	if (!capable(CAP_SYS_RAWIO))
		return iommufd_refuse(-EPERM,
				      "DMA without an IOMMU takes CAP_SYS_RAWIO");
	return 0;
}

static long set_iommu(struct iommufd_ctx *ictx, unsigned long type)
{
	struct iommufd_ioas *ioas;
	int rc = 0;

	if (type == VFIO_NOIOMMU_IOMMU)
		return set_no_iommu(ictx);
	if (type != VFIO_TYPE1_IOMMU && type != VFIO_TYPE1v2_IOMMU)
		return iommufd_refuse(-EINVAL,
				      "container type %lu is not type1 (%d) or type1 v2 (%d)",
				      type, VFIO_TYPE1_IOMMU, VFIO_TYPE1v2_IOMMU);
	ioas = iommufd_compat_ioas_get(ictx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	if (type == VFIO_TYPE1_IOMMU)
		rc = iopt_set_huge_pages(&ioas->iopt, false);
	iommufd_object_put(&ioas->obj);
	return rc;
}

/**
 * struct info_reply - what GET_INFO has to say, as the user gets it
 * @info: the structure proper
 * @avail: capability DMA_AVAIL
 * @ranges: capability IOVA_RANGE, the last one as its size varies
 */
struct info_reply {
	struct vfio_iommu_type1_info info;
	struct vfio_iommu_type1_info_dma_avail avail;
	struct vfio_iommu_type1_info_cap_iova_range ranges __aligned(8);
};

/* Type1 hides sizes below a CPU page: it pins whole ones. */
static u64 common_pgsizes(const struct io_pagetable *iopt)
{
	u64 sizes = ULONG_MAX;
	unsigned int i;

	for (i = 0; i < iopt->nr_windows; i++)
		sizes &= iopt->windows[i].pgsizes;
	/* Windows may have no size in common: this one is good in all of them. */
	sizes |= iopt_alignment(iopt);
	if (sizes & ~PAGE_MASK)
		sizes = (sizes & PAGE_MASK) | PAGE_SIZE;
	return sizes;
}

/* The usable ranges; counted only if @out is NULL. */
static u32 list_ranges(const struct io_pagetable *iopt,
		       struct vfio_iova_range *out)
{
	unsigned long first = 0, last;
	u32 nr = 0;

	while (iopt_next_usable(iopt, &first, &last)) {
		if (out) {
			out[nr].start = first;
			out[nr].end = last;
		}
		nr++;
		if (last == ULONG_MAX)
			break;
		first = last + 1;
	}
	return nr;
}

static struct info_reply *make_reply(struct io_pagetable *iopt, size_t *size)
{
	struct info_reply *reply;
	u32 nr;

	down_read(&iopt->shape);
	nr = list_ranges(iopt, NULL);
	*size = struct_size(reply, ranges.iova_ranges, nr);
	reply = kvzalloc(*size, GFP_KERNEL_ACCOUNT);
	if (reply) {
		reply->info.iova_pgsizes = common_pgsizes(iopt);
		reply->ranges.nr_iovas =
			list_ranges(iopt, reply->ranges.iova_ranges);
	}
	up_read(&iopt->shape);
	if (!reply)
		return ERR_PTR(iommufd_refuse(-ENOMEM,
					      "no memory to list %u ranges", nr));

	reply->info.flags = VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS;
	reply->avail.header.id = VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL;
	reply->avail.header.version = 1;
	reply->avail.header.next = offsetof(struct info_reply, ranges);
	reply->avail.avail = DMA_AVAIL;
	reply->ranges.header.id = VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE;
	reply->ranges.header.version = 1;
	return reply;
}

static long get_info(struct iommufd_ctx *ictx, void __user *uarg)
{
	struct vfio_iommu_type1_info head;
	struct iommufd_ioas *ioas;
	struct info_reply *reply;
	size_t size;
	int rc;

	rc = read_arg(&head, offsetofend(struct vfio_iommu_type1_info,
					 iova_pgsizes), uarg);
	if (rc)
		return rc;
	ioas = iommufd_compat_ioas_get(ictx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	reply = make_reply(&ioas->iopt, &size);
	iommufd_object_put(&ioas->obj);
	if (IS_ERR(reply))
		return PTR_ERR(reply);

	/* All capabilities or none: a chain has no way to say that it is cut. */
	if (head.argsz < size) {
		reply->info.argsz = size;
		size = min_t(size_t, head.argsz, sizeof(reply->info));
	} else {
		reply->info.argsz = head.argsz;
		reply->info.cap_offset = offsetof(struct info_reply, avail);
	}
	if (copy_to_user(uarg, reply, size))
		rc = iommufd_refuse(-EFAULT,
				    "the ioctl's structure cannot be written to");
	kvfree(reply);
	return rc;
}

static int check_map(const struct vfio_iommu_type1_dma_map *map)
{
	const u32 access = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;
	u64 last;

	if (map->flags & VFIO_DMA_MAP_FLAG_VADDR)
		return iommufd_refuse(-EINVAL,
				      "a mapping's vaddr cannot be changed here (no VFIO_UPDATE_VADDR): map a file, whose pages outlive a process");
	if (map->flags & ~access)
		return iommufd_refuse(-EINVAL, "unknown MAP_DMA flags 0x%x",
				      map->flags & ~access);
	if (!map->flags)
		return iommufd_refuse(-EINVAL,
				      "a mapping is readable, writeable or both");
	if (!map->size)
		return iommufd_refuse(-EINVAL, "size is 0");
	if (check_add_overflow(map->iova, map->size - 1, &last))
		return iommufd_refuse(-EOVERFLOW, "iova 0x%llx + size 0x%llx wraps",
				      map->iova, map->size);
	if (check_add_overflow(map->vaddr, map->size - 1, &last))
		return iommufd_refuse(-EOVERFLOW, "vaddr 0x%llx + size 0x%llx wraps",
				      map->vaddr, map->size);
	return 0;
}

static long map_dma(struct iommufd_ctx *ictx, void __user *uarg)
{
	struct vfio_iommu_type1_dma_map map;
	struct iommufd_pages *pages;
	struct iommufd_ioas *ioas;
	unsigned long iova;
	int prot = IOMMU_CACHE;
	int rc;

	rc = read_arg(&map, offsetofend(struct vfio_iommu_type1_dma_map, size),
		      uarg);
	if (!rc) {
		map.vaddr = untagged_addr(map.vaddr);
		rc = check_map(&map);
	}
	if (rc)
		return rc;
	ioas = iommufd_compat_ioas_get(ictx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	if (map.flags & VFIO_DMA_MAP_FLAG_READ)
		prot |= IOMMU_READ;
	if (map.flags & VFIO_DMA_MAP_FLAG_WRITE)
		prot |= IOMMU_WRITE;
	iova = map.iova;
	pages = iommufd_pages_from_user(ictx, map.vaddr, map.size,
					prot & IOMMU_WRITE);
	if (IS_ERR(pages)) {
		rc = PTR_ERR(pages);
	} else {
		rc = iopt_map(&ioas->iopt, pages, pages->offset, map.size,
			      &iova, true, prot);
		iommufd_pages_put(pages);
	}
	iommufd_object_put(&ioas->obj);
	return rc;
}

static int check_unmap(const struct vfio_iommu_type1_dma_unmap *unmap, u64 *last)
{
	if (unmap->flags & VFIO_DMA_UNMAP_FLAG_VADDR)
		return iommufd_refuse(-EINVAL,
				      "a mapping's vaddr cannot be invalidated here (no VFIO_UPDATE_VADDR)");
	if (unmap->flags & VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP)
		return iommufd_refuse(-EINVAL,
				      "dirty pages are read with IOMMU_HWPT_GET_DIRTY_BITMAP before unmapping");
	if (unmap->flags & ~VFIO_DMA_UNMAP_FLAG_ALL)
		return iommufd_refuse(-EINVAL, "unknown UNMAP_DMA flags 0x%x",
				      unmap->flags & ~VFIO_DMA_UNMAP_FLAG_ALL);
	if (unmap->flags) {
		*last = ULONG_MAX;
		if (unmap->iova || unmap->size)
			return iommufd_refuse(-EINVAL,
					      "unmapping everything, but iova is 0x%llx and size 0x%llx",
					      unmap->iova, unmap->size);
		return 0;
	}
	if (!unmap->size)
		return iommufd_refuse(-EINVAL, "size is 0");
	if (check_add_overflow(unmap->iova, unmap->size - 1, last))
		return iommufd_refuse(-EOVERFLOW, "iova 0x%llx + size 0x%llx wraps",
				      unmap->iova, unmap->size);
	return 0;
}

/* Type1 of the first version: a range takes what is in it, however mapped. */
static int cut_ends(struct io_pagetable *iopt, unsigned long first,
		    unsigned long last)
{
	int rc;

	if (READ_ONCE(iopt->huge_pages))
		return 0;
	rc = iopt_cut(iopt, first);
	if (!rc && last != ULONG_MAX)
		rc = iopt_cut(iopt, last + 1);
	return rc;
}

static long unmap_dma(struct iommufd_ctx *ictx, void __user *uarg)
{
	const size_t size = offsetofend(struct vfio_iommu_type1_dma_unmap, size);
	struct vfio_iommu_type1_dma_unmap unmap;
	unsigned long unmapped = 0;
	struct iommufd_ioas *ioas;
	u64 last;
	int rc;

	rc = read_arg(&unmap, size, uarg);
	if (!rc)
		rc = check_unmap(&unmap, &last);
	if (rc)
		return rc;
	ioas = iommufd_compat_ioas_get(ictx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	rc = cut_ends(&ioas->iopt, unmap.iova, last);
	if (!rc)
		rc = iopt_unmap(&ioas->iopt, unmap.iova, last, &unmapped);
	iommufd_object_put(&ioas->obj);
	if (rc)
		return rc;
	unmap.size = unmapped;
	if (copy_to_user(uarg, &unmap, size))
		return iommufd_refuse(-EFAULT,
				      "unmapped, but the ioctl's structure cannot be written to");
	return 0;
}

/**
 * iommufd_vfio_ioctl - an ioctl that belongs to a VFIO container
 * @ictx: the context
 * @cmd: below the numbers of /dev/iommu's own commands
 * @arg: from the user
 *
 * Return: 0, a positive answer, or an explained errno: -EINVAL for what is wrong
 *	   in itself, then -ENODEV if no IOAS stands for the container, -ENOTTY
 *	   if it is no ioctl of a type1 container
 */
long iommufd_vfio_ioctl(struct iommufd_ctx *ictx, unsigned int cmd,
			unsigned long arg)
{
	void __user *uarg = (void __user *)arg;

	switch (cmd) {
	case VFIO_IOMMU_MAP_DMA:
		return map_dma(ictx, uarg);
	case VFIO_IOMMU_UNMAP_DMA:
		return unmap_dma(ictx, uarg);
	case VFIO_IOMMU_GET_INFO:
		return get_info(ictx, uarg);
	case VFIO_IOMMU_DIRTY_PAGES:
		return iommufd_refuse(-ENOTTY,
				      "a container on /dev/iommu does not track dirty pages; IOMMU_HWPT_SET_DIRTY_TRACKING does");
	case VFIO_SET_IOMMU:
		return set_iommu(ictx, arg);
	case VFIO_CHECK_EXTENSION:
		return check_extension(ictx, arg);
	case VFIO_GET_API_VERSION:
		return VFIO_API_VERSION;
	}
	return iommufd_refuse(-ENOTTY,
			      "/dev/iommu has no VFIO container ioctl 0x%x", cmd);
}

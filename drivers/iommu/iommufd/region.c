// SPDX-License-Identifier: GPL-2.0-only
/*
 * Regions: pages that the hardware of a vIOMMU offers to user space, which maps
 * them with mmap() of the /dev/iommu file.
 */
#include <linux/ioport.h>
#include <linux/maple_tree.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "ioctl.h"
#include "viommu.h"

/* Offsets in bytes have to be positive for mmap(). */
#define FIRST_PGOFF 1UL
#define LAST_PGOFF (LONG_MAX >> PAGE_SHIFT)

/**
 * struct viommu_region - pages that can be mapped
 * @viommu: whose
 * @pgoff: where in the file, in pages
 * @npages: how many
 * @phys: address of the first
 *
 * In the context's @regions from iommufd_viommu_add_region() to
 * iommufd_viommu_remove_region(), each page of it. A mapping depends on the
 * vIOMMU, so that a region which goes is mapped by nobody.
 */
struct viommu_region {
	struct viommu_object *viommu;
	unsigned long pgoff;
	unsigned long npages;
	phys_addr_t phys;
};

/**
 * iommufd_viommu_add_region - offer pages to the user of a vIOMMU
 * @viommu: the vIOMMU
 * @phys: the first page: memory, or registers of the hardware, which are mapped
 *	  uncached
 * @length: bytes, whole pages
 * @offset: receives what the user has to give to mmap()
 *
 * Nobody can map them before the vIOMMU is complete, that is while
 * viommu_init() runs.
 *
 * Context: may sleep.
 * Return: 0, -EINVAL if these are not pages, -ENOMEM; explained
 */
int iommufd_viommu_add_region(struct iommufd_viommu *viommu, phys_addr_t phys,
			      size_t length, unsigned long *offset)
{
	struct iommufd_ctx *ictx = viommu_of(viommu)->obj.ictx;
	struct viommu_region *region;
	int rc;

	if (!length || ((phys | length) & ~PAGE_MASK))
		return iommufd_refuse(-EINVAL,
				      "a region of 0x%zx bytes at 0x%llx is not made of pages",
				      length, (u64)phys);
	region = kzalloc(sizeof(*region), GFP_KERNEL_ACCOUNT);
	if (!region)
		return iommufd_refuse(-ENOMEM, "no memory for a region");
	region->viommu = viommu_of(viommu);
	region->npages = length / PAGE_SIZE;
	region->phys = phys;
	mutex_lock(&ictx->regions_lock);
	rc = mtree_alloc_range(&ictx->regions, &region->pgoff, region,
			       region->npages, FIRST_PGOFF, LAST_PGOFF,
			       GFP_KERNEL_ACCOUNT);
	mutex_unlock(&ictx->regions_lock);
	if (rc) {
		kfree(region);
		return iommufd_refuse(-ENOMEM, "no place for a region of 0x%zx bytes",
				      length);
	}
	*offset = region->pgoff << PAGE_SHIFT;
	return 0;
}
EXPORT_SYMBOL_GPL(iommufd_viommu_add_region);

/**
 * iommufd_viommu_remove_region - undo iommufd_viommu_add_region()
 * @viommu: the vIOMMU, which is being destroyed or has not been completed
 * @offset: of the region
 *
 * Context: may sleep.
 */
void iommufd_viommu_remove_region(struct iommufd_viommu *viommu,
				  unsigned long offset)
{
	struct iommufd_ctx *ictx = viommu_of(viommu)->obj.ictx;
	struct viommu_region *region;

	mutex_lock(&ictx->regions_lock);
	region = mtree_erase(&ictx->regions, offset >> PAGE_SHIFT);
	mutex_unlock(&ictx->regions_lock);
	WARN_ON(!region || region->viommu != viommu_of(viommu));
	kfree(region);
}
EXPORT_SYMBOL_GPL(iommufd_viommu_remove_region);

static void region_vma_open(struct vm_area_struct *vma)
{
	const struct viommu_region *region = vma->vm_private_data;

	/* Another mapping holds the vIOMMU already. */
	WARN_ON(iommufd_object_depend(&region->viommu->obj));
}

static void region_vma_close(struct vm_area_struct *vma)
{
	const struct viommu_region *region = vma->vm_private_data;

	iommufd_object_undepend(&region->viommu->obj);
}

/*
 * Page by page, and not all of them in mmap(): remap_pfn_range() that comes to no
 * page at all for want of a page table warns when it undoes what it has not done.
 */
static vm_fault_t region_vma_fault(struct vm_fault *vmf)
{
	const struct viommu_region *region = vmf->vma->vm_private_data;

	return vmf_insert_pfn(vmf->vma, vmf->address,
			      PHYS_PFN(region->phys) + vmf->pgoff - region->pgoff);
}

static const struct vm_operations_struct region_vm_ops = {
	.open = region_vma_open,
	.close = region_vma_close,
	.fault = region_vma_fault,
};

static bool region_matches(const struct viommu_region *region,
			   struct vm_area_struct *vma)
{
	return region && region->pgoff == vma->vm_pgoff &&
	       region->npages == vma_pages(vma);
}

/*
 * The region that @vma asks for, or NULL; its vIOMMU is depended on, so that the
 * region stays.
 */
static struct viommu_region *region_get(struct iommufd_ctx *ictx,
					struct vm_area_struct *vma)
{
	struct viommu_region *region;

	mutex_lock(&ictx->regions_lock);
	region = mtree_load(&ictx->regions, vma->vm_pgoff);
	/* The vIOMMU is still there, but it may be going. */
	if (!region_matches(region, vma) ||
	    iommufd_object_depend(&region->viommu->obj))
		region = NULL;
	mutex_unlock(&ictx->regions_lock);
	return region;
}

/**
 * iommufd_region_mmap - map a region
 * @ictx: the context
 * @vma: what the user wants
 *
 * Context: the user's mmap_lock is held.
 * Return: 0 or an explained errno: -EINVAL a private mapping, -EPERM an executable
 *	   one, -ENXIO not offset and length of a region
 */
int iommufd_region_mmap(struct iommufd_ctx *ictx, struct vm_area_struct *vma)
{
	struct viommu_region *region;

	if (!(vma->vm_flags & VM_MAYSHARE))
		return iommufd_refuse(-EINVAL, "/dev/iommu is mapped with MAP_SHARED");
	if (vma->vm_flags & VM_EXEC)
		return iommufd_refuse(-EPERM,
				      "nothing of /dev/iommu can be executed");
	region = region_get(ictx, vma);
	if (!region)
		return iommufd_refuse(-ENXIO,
				      "no vIOMMU offers exactly 0x%lx bytes at offset 0x%lx",
				      vma_pages(vma) << PAGE_SHIFT,
				      vma->vm_pgoff << PAGE_SHIFT);
	vm_flags_mod(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP,
		     VM_MAYEXEC);
	/* Memory stays encrypted where it is, registers never are. */
	if (!page_is_ram(PHYS_PFN(region->phys)))
		vma->vm_page_prot =
			pgprot_decrypted(pgprot_noncached(vma->vm_page_prot));
	vma->vm_private_data = region;
	vma->vm_ops = &region_vm_ops;
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Physical addresses, for programs that drive a device which nothing translates
 * for: it reads whatever address its program tells it.
 */
#include <linux/capability.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <uapi/linux/iommufd.h>

#include "ioas.h"
#include "ioctl.h"

/*
 * A device that is translated for has no use for a physical address, and without
 * a page table the memory is not pinned: what is true now need not stay so.
 */
static int check_domains(struct iommufd_ioas *ioas)
{
	struct iopt_domain *idom;

	list_for_each_entry(idom, &ioas->iopt.domains, link)
		if (idom->drv->untranslated)
			return 0;
	if (list_empty(&ioas->iopt.domains))
		return iommufd_refuse(-EOPNOTSUPP,
				      "no device uses ioas %u, so that its memory has no fixed place",
				      ioas->obj.id);
	return iommufd_refuse(-EOPNOTSUPP,
			      "an IOMMU translates for all devices of ioas %u: they use its iovas",
			      ioas->obj.id);
}

/* Where a byte of @pages is, and how many from it on follow each other. */
static int find_run(struct iommufd_pages *pages, unsigned long byte,
		    unsigned long length, struct iommufd_run *run)
{
	unsigned long last = (byte + length - 1) / PAGE_SIZE;
	unsigned long pfn, count, next;
	struct frame_reader r;

	mutex_lock(&pages->lock);
	frame_reader_init(&r, &pages->frames, byte / PAGE_SIZE);
	count = frame_reader_next(&r, last, &pfn);
	if (count) {
		run->phys = PFN_PHYS(pfn) + offset_in_page(byte);
		run->len = count * PAGE_SIZE - offset_in_page(byte);
		next = pfn + count;
		while ((count = frame_reader_next(&r, last, &pfn)) && pfn == next) {
			run->len += count * PAGE_SIZE;
			next += count;
		}
		run->len = min(run->len, length);
	}
	mutex_unlock(&pages->lock);
	return run->len ? 0 : -ENOENT;
}

static int get_pa(struct iommufd_ioas *ioas, unsigned long iova,
		  unsigned long length, struct iommufd_run *run)
{
	struct io_pagetable *iopt = &ioas->iopt;
	struct iopt_area *area = iopt_area_at(iopt, iova, iova);
	int rc;

	if (!area || area->state != AREA_LIVE)
		return iommufd_refuse(-ENOENT, "nothing is mapped at 0x%lx", iova);
	rc = check_domains(ioas);
	if (rc)
		return rc;
	/* Its exporter could not take back an address that is out. */
	if (area->pages->dmabuf)
		return iommufd_refuse(-EOPNOTSUPP,
				      "0x%lx..0x%lx is a dma-buf, which has no fixed place",
				      area->node.start, area->node.last);
	rc = find_run(area->pages, area->start + (iova - area->node.start),
		      min(length, area->node.last - iova + 1), run);
	return rc ? iommufd_refuse(rc, "nothing is pinned at 0x%lx", iova) : 0;
}

int iommufd_ioas_noiommu_get_pa(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_noiommu_get_pa *cmd = ucmd->cmd;
	struct iommufd_run run = {};
	struct iommufd_ioas *ioas;
	u64 last;
	int rc;

	rc = iommufd_check_flags(cmd->flags, 0);
	if (!rc)
		rc = iommufd_check_reserved(cmd->__reserved, "__reserved");
	if (rc)
		return rc;
	if (!capable(CAP_SYS_RAWIO))
		return iommufd_refuse(-EPERM,
				      "physical addresses are told with CAP_SYS_RAWIO only");
	if (!cmd->length)
		return iommufd_refuse(-EINVAL, "length is 0");
	if (check_add_overflow(cmd->iova, cmd->length - 1, &last))
		return iommufd_refuse(-EOVERFLOW,
				      "iova 0x%llx + length 0x%llx wraps",
				      cmd->iova, cmd->length);
	ioas = iommufd_ioas_get(ucmd->ictx, cmd->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	down_read(&ioas->iopt.shape);
	down_read(&ioas->iopt.iova_lock);
	rc = get_pa(ioas, cmd->iova, cmd->length, &run);
	up_read(&ioas->iopt.iova_lock);
	up_read(&ioas->iopt.shape);
	iommufd_object_put(&ioas->obj);
	if (rc)
		return rc;
	cmd->length = run.len;
	cmd->out_phys = run.phys;
	return iommufd_ucmd_respond(ucmd);
}

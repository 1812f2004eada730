// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of a dma-buf in an IOAS. It is not pinned: the exporter may revoke it at
 * any time, and everything that maps it goes then, before the exporter is
 * answered. When it is restored, so is every mapping.
 */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/iommufd_dmabuf.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "dmabuf.h"
#include "hw.h"
#include "io_pagetable.h"

/* A registration; the exporter's own structure is constant. */
struct exporter_entry {
	struct list_head link;
	const struct iommufd_dmabuf_exporter *exp;
};

/* Protects the list; innermost. */
static DEFINE_MUTEX(exporters_lock);
static LIST_HEAD(exporters);

struct device *iommufd_dmabuf_importer;

/**
 * struct pages_dmabuf - the buffer behind a struct iommufd_pages
 * @dmabuf: the buffer; referenced
 * @attach: our attachment, through which the exporter finds us
 * @exp: its exporter; held
 * @start: byte of the buffer where the mapped memory begins; constant
 * @maps: struct dmabuf_map, one for each area in each domain. Protected, as what
 *	  they map, by the buffer's reservation lock, which is taken inside all
 *	  locks of an address space
 */
struct pages_dmabuf {
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	const struct iommufd_dmabuf_exporter *exp;
	unsigned long start;
	struct list_head maps;
};

/**
 * struct dmabuf_map - an area of a buffer in a domain
 * @link: in pages_dmabuf.maps
 * @idom: the domain, which does not go before pages_dmabuf_clear()
 * @area: the area, likewise
 * @pgsizes: leaf sizes to use
 * @mapped: it is in the domain's table right now
 */
struct dmabuf_map {
	struct list_head link;
	struct iopt_domain *idom;
	struct iopt_area *area;
	unsigned long pgsizes;
	bool mapped;
};

static struct exporter_entry *exporter_find(const struct dma_buf_ops *ops)
{
	struct exporter_entry *entry;

	list_for_each_entry(entry, &exporters, link)
		if (entry->exp->ops == ops)
			return entry;
	return NULL;
}

/**
 * iommufd_register_dmabuf_exporter - let buffers of an exporter be mapped
 * @exp: constant until iommufd_unregister_dmabuf_exporter()
 *
 * Context: may sleep.
 * Return: 0, -EEXIST if its dma_buf_ops is registered, -ENOMEM
 */
int iommufd_register_dmabuf_exporter(const struct iommufd_dmabuf_exporter *exp)
{
	struct exporter_entry *entry = kzalloc(sizeof(*entry), GFP_KERNEL);
	int rc = 0;

	if (!entry)
		return -ENOMEM;
	entry->exp = exp;
	mutex_lock(&exporters_lock);
	if (exporter_find(exp->ops)) {
		kfree(entry);
		rc = -EEXIST;
	} else {
		list_add_tail(&entry->link, &exporters);
	}
	mutex_unlock(&exporters_lock);
	return rc;
}
EXPORT_SYMBOL_GPL(iommufd_register_dmabuf_exporter);

/**
 * iommufd_unregister_dmabuf_exporter - undo iommufd_register_dmabuf_exporter()
 * @exp: registered; none of its buffers is mapped, which holding @exp->owner
 *	 guarantees
 *
 * Context: may sleep.
 */
void iommufd_unregister_dmabuf_exporter(const struct iommufd_dmabuf_exporter *exp)
{
	struct exporter_entry *entry;

	mutex_lock(&exporters_lock);
	entry = exporter_find(exp->ops);
	if (entry) {
		list_del(&entry->link);
		kfree(entry);
	}
	mutex_unlock(&exporters_lock);
}
EXPORT_SYMBOL_GPL(iommufd_unregister_dmabuf_exporter);

static const struct iommufd_dmabuf_exporter *exporter_get(struct dma_buf *dmabuf)
{
	const struct iommufd_dmabuf_exporter *exp = NULL;
	struct exporter_entry *entry;

	mutex_lock(&exporters_lock);
	entry = exporter_find(dmabuf->ops);
	if (entry && try_module_get(entry->exp->owner))
		exp = entry->exp;
	mutex_unlock(&exporters_lock);
	return exp;
}

static int map_now(struct pages_dmabuf *mem, struct dmabuf_map *map,
		   const struct iommufd_run *buffer)
{
	unsigned long iova = iopt_area_iova(map->area);
	const struct iommufd_driver_ops *drv = map->idom->drv;
	struct iommufd_run run = {
		.phys = buffer->phys + mem->start +
			(map->area->start - map->area->pages->offset),
		.len = iopt_area_length(map->area),
	};
	struct iommu_iotlb_gather gather;
	int prot = map->area->prot;
	size_t mapped = 0;
	int rc;

	if (mem->exp->mmio)
		prot = (prot & ~IOMMU_CACHE) | IOMMU_MMIO;
	rc = drv->map(map->idom->domain, iova, &run, 1, prot, map->pgsizes,
		      &mapped);
	if (!rc && drv->map_sync)
		rc = drv->map_sync(map->idom->domain, iova, run.len);
	if (!rc) {
		map->mapped = true;
	} else if (mapped) {
		iommu_iotlb_gather_init(&gather);
		drv->unmap(map->idom->domain, iova, mapped, &gather);
		iommu_iotlb_sync(map->idom->domain, &gather);
	}
	return rc;
}

/* The IOTLB is told at once: the buffer may be gone when the lock is let go. */
static void unmap_now(struct dmabuf_map *map)
{
	struct iommu_iotlb_gather gather;

	iommu_iotlb_gather_init(&gather);
	map->idom->drv->unmap(map->idom->domain, iopt_area_iova(map->area),
			      iopt_area_length(map->area), &gather);
	iommu_iotlb_sync(map->idom->domain, &gather);
	map->mapped = false;
}

/* Called by the exporter, with the reservation locked. */
static void dmabuf_moved(struct dma_buf_attachment *attach)
{
	struct pages_dmabuf *mem = attach->importer_priv;
	struct iommufd_run run;
	struct dmabuf_map *map;
	bool revoked;

	revoked = mem->exp->get_run(mem->dmabuf, &run);
	list_for_each_entry(map, &mem->maps, link) {
		/* Restored, it may be somewhere else. */
		if (map->mapped)
			unmap_now(map);
		if (!revoked && map_now(mem, map, &run))
			pr_warn_ratelimited("iommufd: a restored dma-buf is not mapped at 0x%lx: no memory\n",
					    iopt_area_iova(map->area));
	}
}

static const struct dma_buf_attach_ops dmabuf_attach_ops = {
	.allow_peer2peer = true,
	.move_notify = dmabuf_moved,
};

/* Whether the buffer can be mapped now. */
static int dmabuf_check(struct pages_dmabuf *mem, unsigned long length)
{
	struct iommufd_run run;
	int rc;

	if (mem->start > mem->dmabuf->size ||
	    length > mem->dmabuf->size - mem->start)
		return iommufd_refuse(-EINVAL,
				      "range 0x%lx+0x%lx is outside the dma-buf of 0x%zx bytes",
				      mem->start, length, mem->dmabuf->size);
	dma_resv_lock(mem->dmabuf->resv, NULL);
	rc = mem->exp->get_run(mem->dmabuf, &run);
	dma_resv_unlock(mem->dmabuf->resv);
	if (rc)
		return iommufd_refuse(rc, "the dma-buf is revoked by its exporter %s",
				      mem->dmabuf->exp_name);
	return 0;
}

static int dmabuf_attach(struct pages_dmabuf *mem, unsigned long length)
{
	int rc;

	/* Only while the module is being loaded. */
	if (!iommufd_dmabuf_importer)
		return iommufd_refuse(-ENODEV, "/dev/iommu is not ready");
	mem->exp = exporter_get(mem->dmabuf);
	if (!mem->exp)
		return iommufd_refuse(-EOPNOTSUPP,
				      "dma-bufs of the exporter %s cannot be mapped",
				      mem->dmabuf->exp_name);
	mem->attach = dma_buf_dynamic_attach(mem->dmabuf, iommufd_dmabuf_importer,
					     &dmabuf_attach_ops, mem);
	if (IS_ERR(mem->attach)) {
		rc = iommufd_refuse(PTR_ERR(mem->attach),
				    "the exporter %s refuses the attachment",
				    mem->dmabuf->exp_name);
		mem->attach = NULL;
		return rc;
	}
	return dmabuf_check(mem, length);
}

/**
 * pages_dmabuf_open - take a range of a dma-buf
 * @fd: the file, of the current process
 * @start: first byte
 * @length: bytes, not 0
 * @writable: whether devices will write to it
 *
 * Return: the range, to be given back with pages_dmabuf_close(), or an ERR_PTR:
 *	   -EOPNOTSUPP not a dma-buf or of an exporter that does not take part,
 *	   -EPERM not open for writing, -EINVAL outside the buffer, -ENODEV
 *	   revoked, -ENOMEM; explained
 */
struct pages_dmabuf *pages_dmabuf_open(int fd, unsigned long start,
				       unsigned long length, bool writable)
{
	struct pages_dmabuf *mem;
	struct dma_buf *dmabuf;
	int rc;

	dmabuf = dma_buf_get(fd);
	if (IS_ERR(dmabuf))
		return ERR_PTR(iommufd_refuse(-EOPNOTSUPP,
					      "only memfd, shmem, hugetlbfs and dma-buf files can be mapped by file"));
	mem = kzalloc(sizeof(*mem), GFP_KERNEL_ACCOUNT);
	if (!mem) {
		dma_buf_put(dmabuf);
		return ERR_PTR(iommufd_refuse(-ENOMEM, "no memory for a dma-buf"));
	}
	INIT_LIST_HEAD(&mem->maps);
	mem->dmabuf = dmabuf;
	mem->start = start;
	if (writable && !(dmabuf->file->f_mode & FMODE_WRITE))
		rc = iommufd_refuse(-EPERM,
				    "a writable mapping needs a dma-buf open for writing");
	else
		rc = dmabuf_attach(mem, length);
	if (rc) {
		pages_dmabuf_close(mem);
		return ERR_PTR(rc);
	}
	return mem;
}

/**
 * pages_dmabuf_close - give a range of a dma-buf back
 * @mem: mapped nowhere
 */
void pages_dmabuf_close(struct pages_dmabuf *mem)
{
	WARN_ON(!list_empty(&mem->maps));
	if (mem->attach)
		dma_buf_detach(mem->dmabuf, mem->attach);
	if (mem->exp)
		module_put(mem->exp->owner);
	dma_buf_put(mem->dmabuf);
	kfree(mem);
}

/**
 * pages_dmabuf_fill - enter an area of a buffer into a domain
 * @idom: the domain
 * @area: of pages that are a dma-buf
 * @pgsizes: leaf sizes to use
 *
 * A revoked buffer is remembered, and entered when it is restored.
 *
 * Return: 0 or an explained errno
 */
int pages_dmabuf_fill(struct iopt_domain *idom, struct iopt_area *area,
		      unsigned long pgsizes)
{
	struct pages_dmabuf *mem = area->pages->dmabuf;
	struct dmabuf_map *map;
	struct iommufd_run run;
	int rc = 0;

	map = kzalloc(sizeof(*map), GFP_KERNEL_ACCOUNT);
	if (!map)
		return iommufd_refuse(-ENOMEM, "no memory for a dma-buf");
	map->idom = idom;
	map->area = area;
	map->pgsizes = pgsizes;
	dma_resv_lock(mem->dmabuf->resv, NULL);
	if (!mem->exp->get_run(mem->dmabuf, &run))
		rc = map_now(mem, map, &run);
	if (!rc)
		list_add_tail(&map->link, &mem->maps);
	dma_resv_unlock(mem->dmabuf->resv);
	if (rc)
		kfree(map);
	return rc;
}

/**
 * pages_dmabuf_clear - take an area of a buffer out of a domain
 * @idom: the domain
 * @area: as given to pages_dmabuf_fill()
 */
void pages_dmabuf_clear(struct iopt_domain *idom, struct iopt_area *area)
{
	struct pages_dmabuf *mem = area->pages->dmabuf;
	struct dmabuf_map *map;

	dma_resv_lock(mem->dmabuf->resv, NULL);
	list_for_each_entry(map, &mem->maps, link) {
		if (map->idom != idom || map->area != area)
			continue;
		if (map->mapped)
			unmap_now(map);
		list_del(&map->link);
		kfree(map);
		break;
	}
	dma_resv_unlock(mem->dmabuf->resv);
}

MODULE_IMPORT_NS(DMA_BUF);

// SPDX-License-Identifier: GPL-2.0-only
/*
 * dma-bufs of kernel memory that can be revoked at will.
 */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/fcntl.h>
#include <linux/gfp.h>
#include <linux/iommufd_dmabuf.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "mock.h"

/**
 * struct mock_dmabuf - a buffer
 * @memory: contiguous, in pages of their own, so that they can be mmapped
 * @len: bytes
 * @revoked: nobody may reach it; protected by the reservation lock
 */
struct mock_dmabuf {
	void *memory;
	size_t len;
	bool revoked;
};

static struct sg_table *buffer_map(struct dma_buf_attachment *attach,
				   enum dma_data_direction dir)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static void buffer_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			 enum dma_data_direction dir)
{
}

/* Importers that cannot be told of a revocation are not wanted. */
static int buffer_pin(struct dma_buf_attachment *attach)
{
	return -EOPNOTSUPP;
}

static void buffer_unpin(struct dma_buf_attachment *attach)
{
}

/* For tests to compare with; a revocation leaves it alone. */
static int buffer_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct mock_dmabuf *buffer = dmabuf->priv;
	unsigned long at, offset = vma->vm_pgoff << PAGE_SHIFT;
	int rc;

	for (at = vma->vm_start; at < vma->vm_end; at += PAGE_SIZE) {
		rc = vm_insert_page(vma, at,
				    virt_to_page(buffer->memory + offset));
		if (rc)
			return rc;
		offset += PAGE_SIZE;
	}
	return 0;
}

static void buffer_release(struct dma_buf *dmabuf)
{
	struct mock_dmabuf *buffer = dmabuf->priv;

	free_pages_exact(buffer->memory, buffer->len);
	kfree(buffer);
}

static const struct dma_buf_ops buffer_ops = {
	.map_dma_buf = buffer_map,
	.unmap_dma_buf = buffer_unmap,
	.pin = buffer_pin,
	.unpin = buffer_unpin,
	.mmap = buffer_mmap,
	.release = buffer_release,
};

static int buffer_run(struct dma_buf *dmabuf, struct iommufd_run *run)
{
	struct mock_dmabuf *buffer = dmabuf->priv;

	if (buffer->revoked)
		return -ENODEV;
	run->phys = virt_to_phys(buffer->memory);
	run->len = buffer->len;
	return 0;
}

static const struct iommufd_dmabuf_exporter mock_exporter = {
	.owner = THIS_MODULE,
	.ops = &buffer_ops,
	.get_run = buffer_run,
};

static struct mock_dmabuf *buffer_alloc(size_t len)
{
	struct mock_dmabuf *buffer;

	buffer = kzalloc(sizeof(*buffer), GFP_KERNEL_ACCOUNT);
	if (!buffer)
		return NULL;
	buffer->len = len;
	buffer->memory = alloc_pages_exact(len, GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!buffer->memory) {
		kfree(buffer);
		return NULL;
	}
	return buffer;
}

/**
 * mock_dmabuf_get - make a buffer
 * @len: bytes, a multiple of PAGE_SIZE, not 0
 * @open_flags: O_CLOEXEC; the file can be written to in any case
 *
 * Return: a file descriptor or an errno; explained
 */
int mock_dmabuf_get(size_t len, int open_flags)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct mock_dmabuf *buffer;
	struct dma_buf *dmabuf;
	int fd;

	buffer = buffer_alloc(len);
	if (!buffer)
		return iommufd_refuse(-ENOMEM, "no memory for a dma-buf of %zu bytes",
				      len);
	info.exp_name = "iommufd_mock";
	info.ops = &buffer_ops;
	info.size = len;
	info.flags = O_RDWR;
	info.priv = buffer;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf)) {
		free_pages_exact(buffer->memory, len);
		kfree(buffer);
		return iommufd_refuse(PTR_ERR(dmabuf), "a dma-buf cannot be exported");
	}
	fd = dma_buf_fd(dmabuf, open_flags & O_CLOEXEC);
	if (fd < 0) {
		dma_buf_put(dmabuf);
		return iommufd_refuse(fd, "no file descriptor for a dma-buf");
	}
	return fd;
}

/**
 * mock_dmabuf_revoke - take a buffer away from those that map it, or give it back
 * @fd: a file of the current process
 * @revoked: which of the two; again changes nothing
 *
 * Return: 0 or -EINVAL for another file; explained
 */
int mock_dmabuf_revoke(int fd, bool revoked)
{
	struct dma_buf *dmabuf = dma_buf_get(fd);
	struct mock_dmabuf *buffer;
	int rc = 0;

	if (IS_ERR(dmabuf))
		return iommufd_refuse(-EINVAL, "file descriptor %d is not a dma-buf",
				      fd);
	if (dmabuf->ops != &buffer_ops) {
		rc = iommufd_refuse(-EINVAL, "the dma-buf is one of %s",
				    dmabuf->exp_name);
		goto out;
	}
	buffer = dmabuf->priv;
	dma_resv_lock(dmabuf->resv, NULL);
	if (buffer->revoked != revoked) {
		buffer->revoked = revoked;
		dma_buf_move_notify(dmabuf);
	}
	dma_resv_unlock(dmabuf->resv);
out:
	dma_buf_put(dmabuf);
	return rc;
}

int mock_dmabuf_init(void)
{
	return iommufd_register_dmabuf_exporter(&mock_exporter);
}

void mock_dmabuf_exit(void)
{
	iommufd_unregister_dmabuf_exporter(&mock_exporter);
}

MODULE_IMPORT_NS(DMA_BUF);

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mapping the memory of a dma-buf into an IOAS needs its physical address, which
 * the dma-buf interface does not give. Exporters that want their buffers mapped
 * tell it here.
 */
#ifndef __LINUX_IOMMUFD_DMABUF_H
#define __LINUX_IOMMUFD_DMABUF_H

#include <linux/iommufd_driver.h>

struct dma_buf;
struct dma_buf_ops;
struct module;

/**
 * struct iommufd_dmabuf_exporter - an exporter whose buffers can be mapped
 * @owner: held while one of them is mapped
 * @ops: the key: the dma_buf_ops of its buffers
 * @mmio: they are registers of a device, not memory
 * @get_run: tell where a buffer is: one contiguous stretch of its whole size.
 *	     -ENODEV while it is revoked. Called with the buffer's reservation
 *	     locked; what it tells is valid until the exporter calls
 *	     dma_buf_move_notify(), which it does on revoking and on restoring it,
 *	     with the reservation locked. When that call returns no device reaches
 *	     a revoked buffer through an IOAS
 */
struct iommufd_dmabuf_exporter {
	struct module *owner;
	const struct dma_buf_ops *ops;
	bool mmio;
	int (*get_run)(struct dma_buf *dmabuf, struct iommufd_run *run);
};

int iommufd_register_dmabuf_exporter(const struct iommufd_dmabuf_exporter *exp);
void iommufd_unregister_dmabuf_exporter(const struct iommufd_dmabuf_exporter *exp);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_DMABUF_H
#define __IOMMUFD_DMABUF_H

#include <linux/types.h>

struct device;
struct iommufd_ctx;
struct iommufd_pages;
struct iopt_area;
struct iopt_domain;
struct pages_dmabuf;

/* The device that attachments to buffers are made for. */
extern struct device *iommufd_dmabuf_importer;

struct pages_dmabuf *pages_dmabuf_open(int fd, unsigned long start,
				       unsigned long length, bool writable);
void pages_dmabuf_close(struct pages_dmabuf *mem);
int pages_dmabuf_fill(struct iopt_domain *idom, struct iopt_area *area,
		      unsigned long pgsizes);
void pages_dmabuf_clear(struct iopt_domain *idom, struct iopt_area *area);

#endif

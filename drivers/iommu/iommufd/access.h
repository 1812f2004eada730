/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_ACCESS_H
#define __IOMMUFD_ACCESS_H

#include <linux/interval_tree.h>
#include <linux/iommufd.h>
#include <linux/list.h>
#include <linux/mutex.h>

#include "object.h"
#include "pages.h"

struct iommufd_access;
struct iommufd_ioas;
struct iopt_area;

/**
 * struct access_link - an access in the list of an address space
 * @link: in io_pagetable.accesses, under its shape lock
 * @access: who is asked to let go before something is unmapped
 */
struct access_link {
	struct list_head link;
	struct iommufd_access *access;
};

/**
 * struct access_pin - a stretch of one area that an access has pinned
 * @node: first and last IOVA; in iommufd_access.pins
 * @area: the area, which counts it in nr_pins and therefore stays
 * @need: keeps the memory
 */
struct access_pin {
	struct interval_tree_node node;
	struct iopt_area *area;
	struct pages_need need;
};

/**
 * struct iommufd_access - a kernel driver that works on an address space itself
 * @obj: object head; depended on by the driver
 * @ops: the driver's callbacks, or NULL; constant
 * @data: for the callbacks; constant
 * @change_lock: serializes attach, replace and detach; outside @lock. The unmap
 *		 callback runs under it, but not under @lock
 * @lock: protects @ioas; held while something is being pinned or copied
 * @ioas: what it is attached to; depended on. NULL if nothing
 * @link: its place in the list of @ioas; protected by @change_lock
 * @pins_lock: protects @pins; innermost
 * @pins: struct access_pin; they may overlap
 */
struct iommufd_access {
	struct iommufd_object obj;
	const struct iommufd_access_ops *ops;
	void *data;
	struct mutex change_lock;
	struct mutex lock;
	struct iommufd_ioas *ioas;
	struct access_link *link;
	struct mutex pins_lock;
	struct rb_root_cached pins;
};

static inline unsigned long
iommufd_access_alignment(const struct iommufd_access *access)
{
	return access->ops && access->ops->needs_pin_pages ? PAGE_SIZE : 1;
}

void iommufd_access_notify(struct iommufd_access *access, unsigned long iova,
			   unsigned long length);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_IOAS_H
#define __IOMMUFD_IOAS_H

#include "io_pagetable.h"
#include "object.h"

/**
 * struct iommufd_ioas - an I/O address space as the user's object
 * @obj: object head
 * @iopt: the address space itself
 * @auto_lock: held while a device that is attached to the IOAS itself looks for
 *	       a page table or makes one, so that two of them end up on the same;
 *	       outermost of all locks
 * @frozen_link: in the list of a CHANGE_PROCESS, under the context's freeze_lock
 */
struct iommufd_ioas {
	struct iommufd_object obj;
	struct io_pagetable iopt;
	struct mutex auto_lock;
	struct list_head frozen_link;
};

static inline struct iommufd_ioas *to_ioas(struct iommufd_object *obj)
{
	return container_of(obj, struct iommufd_ioas, obj);
}

struct iommufd_ioas *iommufd_ioas_alloc(struct iommufd_ctx *ictx);
struct iommufd_ioas *iommufd_ioas_get(struct iommufd_ctx *ictx, u32 id);

#endif

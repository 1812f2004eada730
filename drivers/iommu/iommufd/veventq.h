/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vEVENTQs: what an IOMMU would tell the guest that has a part of it.
 */
#ifndef __IOMMUFD_VEVENTQ_H
#define __IOMMUFD_VEVENTQ_H

#include <linux/list.h>
#include <linux/types.h>
#include <uapi/linux/iommufd.h>

#include "eventfile.h"
#include "object.h"

struct viommu_object;

/**
 * struct iommufd_veventq - events of one type of a vIOMMU, for the user to read
 * @obj: object head; depended on by the open file
 * @ef: the file
 * @viommu: the vIOMMU; depended on, constant. NULL in one that failed to be built
 * @link: in the vIOMMU's veventqs
 * @type: enum iommu_veventq_type, constant
 * @depth: how many events it holds, constant
 * @events: struct vevent, the oldest first
 * @nr: how many these are
 * @sequence: number of the next event, whether it can be kept or not
 * @lost: what came last could not be kept, which the reader is told after @events
 * @lost_sequence: number of the last such event
 * @closed: the file is, nobody will read
 *
 * What changes is under the events_lock of the vIOMMU, which drivers take in any
 * context. Freed when its id is destroyed.
 */
struct iommufd_veventq {
	struct iommufd_object obj;
	struct iommufd_eventfile ef;
	struct viommu_object *viommu;
	struct list_head link;
	u32 type;
	u32 depth;
	struct list_head events;
	u32 nr;
	u32 sequence;
	bool lost;
	u32 lost_sequence;
	bool closed;
};

/* An event; what the user reads is @header and @data in one piece. */
struct vevent {
	struct list_head link;
	size_t length;
	struct iommufd_vevent_header header;
	u8 data[];
};

#endif

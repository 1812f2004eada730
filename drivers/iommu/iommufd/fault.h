/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page requests: from the device that makes one to the queue of the page table
 * that it was made through, and the answer back.
 *
 *	device ── (RID or PASID) ──> hwpt ──> fault queue <── file
 *	   │                                      │
 *	   └── source: routes, open groups        └── groups: unread, unanswered
 *
 * This does not use what newer kernels have for page requests of their own
 * (iopf): not every configuration has it. A driver hands requests to
 * iommufd_report_fault() and gets the answer by its page_response().
 *
 * A group of requests is answered exactly once: by the user, or with
 * IOMMU_PAGE_RESP_INVALID when nobody can read it, when the device leaves the
 * page table, or when the file is closed.
 *
 * Locks, from the outside in: switch_lock of the source (enabling the hardware) >
 * lock of the source (routes) > lock of the queue. None of them is held while
 * user memory is accessed: a user who makes that wait forever delays neither a
 * detach nor the driver. All of them may be taken inside the lock of a group,
 * and no callback of a driver that attaches a device is called with one of them
 * held, so that it may wait for iommufd_report_fault().
 */
#ifndef __IOMMUFD_FAULT_H
#define __IOMMUFD_FAULT_H

#include <linux/atomic.h>
#include <linux/iommu.h>
#include <linux/iommufd_driver.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/xarray.h>
#include <uapi/linux/iommufd.h>

#include "eventfile.h"
#include "object.h"

struct iommufd_device;
struct iommufd_hwpt;
struct seq_file;

/**
 * struct iommufd_fault_source - a device as somebody who makes page requests
 * @switch_lock: protects @users, and is held while the hardware is told to let
 *		 page requests through or no longer
 * @users: attachments to page tables with a fault queue, one also for a table
 *	   that is about to be attached or to be left
 * @node: in the table that iommufd_report_fault() looks devices up in, while
 *	  @users is not 0
 * @lock: protects the rest
 * @routes: struct fault_route by PASID; IOMMU_NO_PASID is the device as such
 * @partial: struct fault_request of groups whose last request is yet to come
 * @nr_partial: how many these are
 * @nr_pending: requests that were put into a queue and are not answered; not
 *		under the lock
 *
 * Embedded in the device object. Only devices behind a driver with page requests
 * have routes.
 */
struct iommufd_fault_source {
	struct mutex switch_lock;
	unsigned int users;
	struct hlist_node node;
	struct mutex lock;
	struct xarray routes;
	struct list_head partial;
	unsigned int nr_partial;
	atomic_t nr_pending;
};

/**
 * struct iommufd_fault - a fault queue
 * @obj: object head; depended on by page tables and by the open file
 * @ef: the file
 * @lock: protects the rest, and is held while groups are answered: once it has
 *	  been taken, no answer to a group that was removed before is under way
 * @unread: struct fault_group, the oldest first
 * @unanswered: struct fault_group that were read, by cookie
 * @next_cookie: where the next one is looked for, so that they are not reused soon
 * @nr_unread: groups in @unread
 * @nr_unanswered: groups in @unanswered
 * @closed: the file is, groups are answered as they come
 *
 * Freed when its id is destroyed. Groups belong to devices that are attached to
 * one of the page tables, so that it is empty by then.
 */
struct iommufd_fault {
	struct iommufd_object obj;
	struct iommufd_eventfile ef;
	struct mutex lock;
	struct list_head unread;
	struct xarray unanswered;
	u32 next_cookie;
	unsigned int nr_unread;
	unsigned int nr_unanswered;
	bool closed;
};

/**
 * struct fault_group - page requests that are answered as one
 * @kref: one while it is unread or unanswered, one while it is copied to the user
 * @link: in the queue's @unread
 * @idev: the device; bound as long as the group is in a queue
 * @hwpt: the page table
 * @route: the PASID that @hwpt is attached to, by which the group got here
 * @response: the answer, without its code
 * @nr: how many requests
 * @faults: the requests as the user reads them
 *
 * Constant once it is in a queue, but for the cookie of @faults, which readers
 * set.
 */
struct fault_group {
	struct kref kref;
	struct list_head link;
	struct iommufd_device *idev;
	struct iommufd_hwpt *hwpt;
	ioasid_t route;
	struct iommufd_page_response response;
	unsigned int nr;
	struct iommu_hwpt_pgfault faults[];
};

/* fault.c */
void iommufd_fault_source_init(struct iommufd_fault_source *src);
void iommufd_fault_source_destroy(struct iommufd_fault_source *src);
int iommufd_fault_prepare(struct iommufd_device *idev, ioasid_t pasid,
			  struct iommufd_hwpt *hwpt);
void iommufd_fault_settle(struct iommufd_device *idev, ioasid_t pasid,
			  struct iommufd_hwpt *now);
void fault_group_answer(struct fault_group *group,
			enum iommu_page_response_code code);
void fault_group_put(struct fault_group *group);

/* fault_queue.c */
int iommufd_hwpt_set_fault(struct iommufd_hwpt *hwpt, u32 fault_id);
void iommufd_fault_show(struct seq_file *m, struct iommufd_object *obj);
bool fault_queue_add(struct iommufd_fault *fault, struct fault_group *group);
void fault_queue_withdraw(struct iommufd_fault *fault,
			  const struct iommufd_device *idev, ioasid_t route,
			  const struct iommufd_hwpt *hwpt);

#endif

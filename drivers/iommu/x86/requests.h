/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page requests between the queue of a unit and iommufd. Which devices may ask, how many
 * of their requests are under way, and how they come to an end does not depend on the
 * unit.
 */
#ifndef __IOMMU_X86_REQUESTS_H
#define __IOMMU_X86_REQUESTS_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>

#include "page_request.h"

struct device;
struct iommufd_page_response;
struct x86_unit;

/**
 * struct x86_requests - the page requests of a unit
 * @lock: held while requests are taken out of the unit's queue and delivered; within
 *	  the unit's lock, and not taken by what answers requests
 * @askers: struct x86_asker that may ask, under @lock
 * @room: slots of the queue that are nobody's share, under @lock
 */
struct x86_requests {
	struct mutex lock;
	struct list_head askers;
	unsigned int room;
};

/**
 * struct x86_asker - a device that may ask for pages; part of what its driver knows
 * @link: in x86_requests.askers while @wanted
 * @dev: the device; constant
 * @unit: its unit; constant
 * @share: requests that it may have without an answer
 * @wanted: iommufd wants its page requests. Under the unit's lock
 * @on: it may send them, which it does only while its ATS is on. Under the unit's lock
 */
struct x86_asker {
	struct list_head link;
	struct device *dev;
	struct x86_unit *unit;
	u32 share;
	bool wanted;
	bool on;
};

/**
 * struct x86_request_ops - what is particular about a unit's queue
 * @asker_of: what is embedded for a device
 * @lacks: what a device or its unit lacks for page requests, as the end of a sentence;
 *	   NULL if it has all
 * @has_ats: whether a device's ATS is on
 * @make: have a queue, if there is none yet. 0 or an explained errno
 * @take: take what is in the queue now, and hand it to x86_requests_take(); true if
 *	  requests were lost meanwhile. With x86_requests.lock held
 * @arrive: have what has come to the unit stand in its queue. Optional
 * @allow: have the device's entries say what x86_asker.on is
 * @push: have the device answer an invalidation, before which all it has sent arrives
 * @answer: send an answer for a group of requests
 *
 * All but @answer are called with the unit locked, but for @take from an interrupt; all
 * may sleep.
 */
struct x86_request_ops {
	struct x86_asker *(*asker_of)(struct device *dev);
	const char *(*lacks)(const struct x86_asker *asker);
	bool (*has_ats)(const struct x86_asker *asker);
	int (*make)(struct x86_unit *unit);
	bool (*take)(struct x86_unit *unit);
	void (*arrive)(struct x86_unit *unit);
	void (*allow)(struct x86_asker *asker);
	void (*push)(struct x86_asker *asker);
	void (*answer)(struct x86_unit *unit, const struct x86_page_request *request,
		       unsigned int code);
};

void x86_requests_init(struct x86_requests *requests, unsigned int room);
void x86_requests_take(struct x86_unit *unit, enum x86_page_request_kind kind,
		       const struct x86_page_request *request);
void x86_requests_come(struct x86_unit *unit);
void x86_asker_start(struct x86_asker *asker);
void x86_asker_stop(struct x86_asker *asker);
void x86_asker_drain(struct x86_asker *asker);

/* For struct iommufd_driver_ops */
int x86_enable_faults(struct device *dev);
void x86_disable_faults(struct device *dev);
void x86_answer_fault(struct device *dev, const struct iommufd_page_response *response);

#endif

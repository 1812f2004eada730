/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What fault queues and vEVENTQs have in common: a file that events are read from.
 */
#ifndef __IOMMUFD_EVENTFILE_H
#define __IOMMUFD_EVENTFILE_H

#include <linux/iommufd_reason.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "object.h"

struct iommufd_eventfile;
struct iommufd_ucmd;

/**
 * struct iommufd_eventfile_ops - a kind of event file
 * @name: as /proc/<pid>/fd shows it
 * @read: copy whole events to the user, as many as fit. Bytes, 0 if there is no
 *	  event, or an explained errno if not a single one could be copied. Only
 *	  one reader at a time is let in
 * @write: take what the user has to say; bytes or an explained errno. Optional:
 *	   without it the file is only open for reading
 * @pending: whether there is something to read; no locks of the file are held
 * @close: the last descriptor is gone, nothing will be read or written any more
 */
struct iommufd_eventfile_ops {
	const char *name;
	ssize_t (*read)(struct iommufd_eventfile *ef, char __user *buf,
			size_t count);
	ssize_t (*write)(struct iommufd_eventfile *ef, const char __user *buf,
			 size_t count);
	bool (*pending)(struct iommufd_eventfile *ef);
	void (*close)(struct iommufd_eventfile *ef);
};

/**
 * struct iommufd_eventfile - the file's side of a queue
 * @obj: the queue. The open file is one of its dependents, and holds the file of
 *	 the context: neither goes before the event file is closed
 * @ops: its kind
 * @wait: who sleeps in poll()
 * @read_lock: serializes readers. Held while user memory is accessed, so nothing
 *	       that a detach or a driver waits for may depend on it
 * @log: the reasons of this file's refusals
 *
 * Embedded in the object of the queue.
 */
struct iommufd_eventfile {
	struct iommufd_object *obj;
	const struct iommufd_eventfile_ops *ops;
	wait_queue_head_t wait;
	struct mutex read_lock;
	struct iommufd_reason_log *log;
};

int iommufd_eventfile_init(struct iommufd_eventfile *ef,
			   struct iommufd_object *obj,
			   const struct iommufd_eventfile_ops *ops);
void iommufd_eventfile_destroy(struct iommufd_eventfile *ef);
int iommufd_eventfile_deliver(struct iommufd_ucmd *ucmd,
			      struct iommufd_eventfile *ef, u32 *out_fd);
void iommufd_eventfile_wake(struct iommufd_eventfile *ef);

#endif

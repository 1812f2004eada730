/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fault queues and vEVENTQs as functions: 0 or what they say, or a negative errno.
 * And what the mock IOMMU shows of page requests in debugfs.
 */
#ifndef IOMMU_MOCK_EVENT_H
#define IOMMU_MOCK_EVENT_H

#include <sys/types.h>

#include "mock.h"

/* the queue's file descriptor; id may be NULL */
int event_fault_queue(int fd, uint32_t *id);
/* A page table with a fault queue: over an IOAS, or nested if nested is set. */
int event_hwpt(int fd, uint32_t dev, uint32_t pt, uint32_t fault, int nested,
	       uint32_t *hwpt);
/* pasid 0: none */
int event_request(int fd, uint32_t dev, uint32_t pasid, uint32_t grpid,
		  uint32_t perm, uint64_t addr);
/* bytes */
ssize_t event_read(int queue, void *buf, size_t count);
ssize_t event_write(int queue, const void *buf, size_t count);
int event_answer(int queue, uint32_t cookie, uint32_t code);
/* what poll() says, waiting for ms at most */
short event_poll(int queue, int ms);

/* the queue's file descriptor; id may be NULL */
int event_veventq(int fd, uint32_t viommu, uint32_t type, uint32_t depth,
		  uint32_t *id);
int event_trigger(int fd, uint32_t dev);

/* The mock device behind a device object, by name; skips without debugfs. */
struct eventdev {
	char name[32];
};

struct eventdev event_device(int fd, uint32_t dev);
/* page requests as its hardware would send them: see mock/fault.c */
int event_send(const struct eventdev *d, const char *lines);

/* An answer that its hardware got. */
struct event_response {
	long pasid;		/* -1: none */
	unsigned int grpid, code;
};

/* how many it got in all; the newest is in *last, which may be NULL */
unsigned int event_responses(const struct eventdev *d, struct event_response *last);

#endif

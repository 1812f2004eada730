/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel says meanwhile. */
#ifndef LIB_KMSG_H
#define LIB_KMSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Follow the kernel log from now on; a descriptor or a negative errno. */
int kmsg_open(void);

/* The next message within so many milliseconds; false if none came. */
bool kmsg_next(int fd, char *line, size_t size, int ms);

/*
 * Wait for the IOMMU's report that this device's access to the page of iova was
 * refused; the report itself goes to line. The kernel limits such messages to a
 * few per second, so this is for single faults. QEMU's AMD-Vi tells the device alone.
 */
bool kmsg_wait_fault(int fd, const char *bdf, uint64_t iova, bool write,
		     char *line, size_t size, int ms);

/*
 * Whether the kernel tells of such faults at all: under a hypervisor of POWER they
 * are told to the hypervisor.
 */
bool kmsg_tells_faults(void);

#endif

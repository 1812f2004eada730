/* SPDX-License-Identifier: GPL-2.0 */
/* What several test programs of the VFIO device file need. */
#ifndef VFIO_COMMON_H
#define VFIO_COMMON_H

#include <linux/vfio.h>
#include <linux/vfio_cdev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "edu.h"
#include "iofd.h"
#include "pci.h"
#include "tap.h"
#include "vdev.h"

#define PCI_E1000E	0x8086, 0x10d3

/* DMA addresses: below the 256 MiB that edu reaches */
#define IOVA		0x400000UL
#define PAGE		4096UL

#define HOT_RESET_MAX	32

struct hot_reset_info {
	struct vfio_pci_hot_reset_info head;
	struct vfio_pci_dependent_device devices[HOT_RESET_MAX];
};

/* The nth device of this kind, bound to vfio-pci and its node found; or skip */
void want_device(struct vdev *v, unsigned int vendor, unsigned int device, int nth);
/* the same, opened and bound to an iommufd */
void want_bound(struct vdev *v, unsigned int vendor, unsigned int device, int nth,
		int iommufd);
/* vdev_find() of the device that it holds already */
int find_again(struct vdev *v);
/* Two edu of one group, neither opened; or skip */
void want_pair(struct vdev *a, struct vdev *b);

/* Skip where device files are those of the kernel's own VFIO: not its contract */
void want_vfio_cdev(void);

/* An address whose first len bytes may be read and written, and no more. */
void *edge(size_t len);
/* A page that may be read only. */
void *readonly_page(void);

/* 0 or -errno, for a read(2) or write(2) of one value at this place */
int peek(struct vdev *v, unsigned int region, uint64_t offset, void *data, size_t len);
int poke(struct vdev *v, unsigned int region, uint64_t offset, const void *data,
	 size_t len);

/* A line of a file descriptor's fdinfo that starts with key, behind the key. */
bool fdinfo(int fd, const char *key, char *value, size_t size);

/*
 * Write text to a file of sysfs by a program of its own, because that may take
 * as long as someone holds the device; writer_done() gives 0, -EIO if it failed
 * or -EBUSY if it is not over after so many milliseconds.
 */
pid_t writer_start(const char *path, const char *text);
int writer_done(pid_t pid, int ms);

/* Our modules in /m; 0 or -errno. */
int module_load(const char *name);
int module_unload(const char *name);
/* Files of a process that was killed may be open for a while yet: up to 10 s. */
int module_unload_soon(const char *name);

/*
 * Does the memory at va, mapped at iova, travel into the device and back? The
 * caller's page is overwritten.
 */
const char *dma_works(struct edu *e, uint64_t iova, void *va, uint32_t seed);
/* Does a write of the device to iova leave va, the page that was there, alone? */
const char *dma_write_refused(struct edu *e, uint64_t iova, void *va);
/* The same, and the IOMMU reports the fault. Takes three seconds more. */
const char *dma_write_faults(struct edu *e, uint64_t iova, void *va);
const char *dma_read_faults(struct edu *e, uint64_t iova);

/* A statement of the four above, or the test ends here. */
#define HOLDS(call)							\
	do {								\
		const char *wrong_ = (call);				\
									\
		if (wrong_)						\
			tap_fail(__FILE__, __LINE__, "%s: %s", #call, wrong_); \
	} while (0)

#endif

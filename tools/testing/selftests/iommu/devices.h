/* SPDX-License-Identifier: GPL-2.0 */
/* Real devices for the tests of this folder; a test skips what is not there. */
#ifndef IOMMU_DEVICES_H
#define IOMMU_DEVICES_H

#include "edu.h"
#include "iofd.h"
#include "tap.h"
#include "vdev.h"

/* Where interrupts are written to: on x86 by hardware, on Arm in tables. */
#ifdef __aarch64__
#define MSI_FIRST	0x8000000UL
#define MSI_LAST	0x80fffffUL
#define MSI_WINDOW	"0x8000000..0x80fffff"
#else
#define MSI_FIRST	0xfee00000UL
#define MSI_LAST	0xfeefffffUL
#define MSI_WINDOW	"0xfee00000..0xfeefffff"
#endif

/* A file of /dev/iommu with an IOAS. */
struct space {
	int fd;
	uint32_t ioas;
};

void space_open(struct space *s);
int space_map(struct space *s, const void *va, uint64_t length, uint64_t iova);
int space_unmap(struct space *s, uint64_t iova, uint64_t length);

/* The nth edu, ready for DMA: bound to fd, its registers mapped, not attached. */
struct testdev {
	struct vdev vdev;
	struct edu edu;
};

void need_edu(struct testdev *d, int nth, int fd);
/* Two edus that share a group; only found, not opened. */
void need_edu_pair(pci_bdf a, pci_bdf b);
/* What need_edu() does with a device that the test has chosen. */
void open_edu(struct testdev *d, const char *bdf, int fd);

/*
 * Skips where devices see windows at addresses of their own rather than one
 * aperture, and where another page table comes in with a gap.
 */
void need_aperture(void);
bool has_windows(void);

/* Attach to an IOAS or HWPT; gives the HWPT. Ends the test if that fails. */
uint32_t attach(struct testdev *d, uint32_t pt);

/*
 * DMA of the page of memory at iova into the device and to the page of another
 * address: does the first reach the second? 1 or 0.
 */
int dma_copies(struct testdev *d, uint64_t from, uint64_t to, void *from_va, void *to_va);
/* Can it write there? The memory is compared, so va is what is mapped there. */
int dma_writes(struct testdev *d, uint64_t iova, void *va);

#endif

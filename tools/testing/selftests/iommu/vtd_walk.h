/* SPDX-License-Identifier: GPL-2.0 */
/* Requests of a device as the software walker answers them; see ko/vtd_walk.h. */
#ifndef IOMMU_VTD_WALK_H
#define IOMMU_VTD_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ko/vtd_walk.h"

/* Fault reasons, 7.1.3, that tests look for. */
#define VTD_FAULT_LEGACY_CONTEXT	0x02	/* nothing is attached */
#define VTD_FAULT_LEGACY_ADDRESS	0x04
#define VTD_FAULT_LEGACY_WRITE		0x05
#define VTD_FAULT_LEGACY_READ		0x06
#define VTD_FAULT_PASID_DISABLED	0x45
#define VTD_FAULT_PASID_BEYOND		0x46
#define VTD_FAULT_NO_DIRECTORY		0x51
#define VTD_FAULT_NO_PASID		0x59
#define VTD_FAULT_FS_NOT_PRESENT	0x71
#define VTD_FAULT_FS_RESERVED		0x72
#define VTD_FAULT_SS_NOT_PRESENT	0x79
#define VTD_FAULT_SS_RESERVED		0x7a
#define VTD_FAULT_NOT_CANONICAL		0x80
#define VTD_FAULT_USER			0x81
#define VTD_FAULT_SS_ADDRESS		0x83
#define VTD_FAULT_WRITE			0x85
#define VTD_FAULT_READ			0x86

/*
 * A device as the walker knows it: loads ko/vtd_walk.ko, and finds the unit that is
 * behind /sys/bus/pci/devices/BDF/iommu. Ends the test as skipped where there is no
 * VT-d, no module, or another driver than ours.
 */
struct vtd_requester {
	int fd;
	uint64_t unit;
	uint64_t cap;
	uint64_t ecap;
	uint32_t sid;
	uint32_t segment;
};

void vtd_requester(struct vtd_requester *r, const char *bdf);

/* The same, whichever driver has the unit. */
void vtd_any_requester(struct vtd_requester *r, const char *bdf);

/* One request; the fault reason, 0 if it goes on. *w may be NULL. */
unsigned int vtd_translate(const struct vtd_requester *r, uint32_t pasid,
			   uint64_t address, uint32_t flags, struct vtd_walk *w);

/* DMA as the device would do it: the fault reason, 0 if all bytes were moved. */
unsigned int vtd_dma_read(const struct vtd_requester *r, uint32_t pasid,
			  uint64_t address, void *data, size_t length);
unsigned int vtd_dma_write(const struct vtd_requester *r, uint32_t pasid,
			   uint64_t address, const void *data, size_t length);

/* The unit's root table is one of scalable mode. */
bool vtd_is_scalable(const struct vtd_requester *r);

/* The unit has no second stage in this mode: tables are those of the first. */
bool vtd_is_first_stage(const struct vtd_requester *r);

/* What is wrong with a request without a PASID, as this unit says it. */
unsigned int vtd_fault_unattached(const struct vtd_requester *r);
unsigned int vtd_fault_unmapped(const struct vtd_requester *r, uint32_t flags);
unsigned int vtd_fault_readonly(const struct vtd_requester *r);

/*
 * Have the driver and the walker believe that the unit has more extended
 * capabilities, until it is called with 0. Devices' own requests may be refused by
 * the unit meanwhile. Ends the test as skipped if that cannot be done. What
 * vtd_requester() reads is what the driver believes.
 */
void vtd_pretend(uint64_t ecap);

/* The same, and that addresses have 57 bits and tables 5 levels, of both stages. */
void vtd_pretend_wide(uint64_t ecap);

/* A word of memory that hardware reads; vtd_poke() gives what was there. */
uint64_t vtd_peek(const struct vtd_requester *r, uint64_t phys);
uint64_t vtd_poke(const struct vtd_requester *r, uint64_t phys, uint64_t value);

/* Exchange the leaves of two pages of 4 KiB, and tell the unit nothing of it. */
void vtd_swap(const struct vtd_requester *r, uint64_t a, uint64_t b);

/* What the unit was told last. */
void vtd_told(const struct vtd_requester *r, struct vtd_walk_queue *q);

/*
 * Devices do not answer when they are told to forget, as far as the driver sees. Not
 * along with vtd_pretend(), which it undoes.
 */
void vtd_mute(bool on);

/* Have the kernel believe that the device has PASIDs 1 to max - 1; 0: none. */
int vtd_fake_pasids(const struct vtd_requester *r, uint32_t max);

/* The entries that were read, as notes of the test. */
void vtd_walk_note(const struct vtd_walk *w);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/* Requests of a device as the software walker answers them; see ko/amdvi_walk.h. */
#ifndef IOMMU_AMDVI_WALK_H
#define IOMMU_AMDVI_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ko/amdvi_walk.h"

/*
 * A device as the walker knows it: loads ko/amdvi_walk.ko, and finds the unit that is
 * behind /sys/bus/pci/devices/BDF/iommu. Ends the test as skipped where there is no
 * iommu_amdvi, or no module.
 */
struct amdvi_requester {
	int fd;
	uint64_t unit;
	uint64_t efr;
	uint32_t id;
};

void amdvi_requester(struct amdvi_requester *r, const char *bdf);

/* One request; the event, 0 if it goes on. *w may be NULL. */
unsigned int amdvi_translate(const struct amdvi_requester *r, uint32_t pasid,
			     uint64_t address, uint32_t flags, struct amdvi_walk *w);

/* DMA as the device would do it: the event, 0 if all bytes were moved. */
unsigned int amdvi_dma_read(const struct amdvi_requester *r, uint32_t pasid,
			    uint64_t address, void *data, size_t length);
unsigned int amdvi_dma_write(const struct amdvi_requester *r, uint32_t pasid,
			     uint64_t address, const void *data, size_t length);

/* A message of the device; what becomes of it. */
void amdvi_message(const struct amdvi_requester *r, uint32_t data,
		   struct amdvi_walk_interrupt *out);

/* A word of memory as it is, or as it was before it was written. */
uint64_t amdvi_peek(const struct amdvi_requester *r, uint64_t phys);
uint64_t amdvi_poke(const struct amdvi_requester *r, uint64_t phys, uint64_t value);

/* Exchange the leaves of two pages of 4 KiB, and tell the unit nothing of it. */
void amdvi_swap(const struct amdvi_requester *r, uint64_t a, uint64_t b);

/*
 * Driver and walker believe that the unit has more extended features, until the next
 * call; 0: no more than it has. To be called before amdvi_requester().
 */
void amdvi_pretend(uint64_t efr, uint64_t efr2);

/* The same, and devices behind the unit have PASIDs: no emulated one has. */
void amdvi_pretend_pasids(uint64_t efr, uint64_t efr2, uint32_t pasids);

/* Devices do not answer when they are told to forget; while it pretends to something. */
void amdvi_mute(bool on);

/* As if the unit had logged an event; while it pretends to something. */
void amdvi_event(uint64_t lo, uint64_t hi);

/* What the unit was told to do, the newest last. */
void amdvi_told(const struct amdvi_requester *r, struct amdvi_walk_told *t);

/* What was read on the way, for a test that fails. */
void amdvi_walk_note(const struct amdvi_walk *w);

#endif

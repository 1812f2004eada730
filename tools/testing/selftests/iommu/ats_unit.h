/* SPDX-License-Identifier: GPL-2.0 */
/* A unit of our own drivers, as tests of devices with ATS see it: VT-d's or AMD's. */
#ifndef IOMMU_ATS_UNIT_H
#define IOMMU_ATS_UNIT_H

#include <stdbool.h>
#include <stdint.h>

#define ATS_NO_PASID	0xffffffffU
#define ATS_NR_TOLD	48

/* What the unit was told */
struct ats_told {
	enum {
		ATS_OTHER,
		ATS_WAIT,	/* until what stands before it is done */
		ATS_IOTLB,	/* translations of its own */
		ATS_DEVICE,	/* those of a device */
	} kind;
	/* of ATS_DEVICE */
	unsigned int device;
	uint32_t pasid;
	uint64_t first;
	uint64_t last;
};

struct ats_unit {
	/* Whose unit it is. Ends the test if the software walker is not there. */
	void (*find)(const char *bdf);
	/* The newest last */
	void (*told)(struct ats_told *told);
	/* Devices do not answer. */
	void (*mute)(bool on);
	/* The device has so many PASIDs, 0 for none; false: the unit has none. */
	bool (*pasids)(uint32_t max);
	/* What reading there comes to, 0 if it is allowed */
	unsigned int (*fault)(uint32_t pasid, uint64_t address);
	/* It is itself again. Optional */
	void (*back)(void);
	/* The device's id */
	unsigned int (*id)(void);
};

/* The machine's unit; ends the test as skipped if it is not driven by one of ours. */
const struct ats_unit *ats_unit(void);

#endif

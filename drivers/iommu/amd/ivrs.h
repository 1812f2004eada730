/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the IVRS table of the firmware says: chapter 5 of the specification. Read once
 * into lists, checked as it is read, and constant from then on.
 */
#ifndef __AMDVI_IVRS_H
#define __AMDVI_IVRS_H

#include <linux/list.h>
#include <linux/types.h>

#define IVRS_NO_ALIAS (-1)

/**
 * struct ivrs_range - device ids that have something in common, 5.2.2.2
 * @link: in the list of their unit; what comes later counts
 * @first: first id
 * @last: last id
 * @alias: with which their requests come, or IVRS_NO_ALIAS
 * @setting: which messages are passed through: 0 INIT, 1 ExtInt, 2 NMI, 5:4 system
 *	     management, 6 LINT0, 7 LINT1
 * @no_ats: they are not to use ATS
 */
struct ivrs_range {
	struct list_head link;
	u16 first;
	u16 last;
	int alias;
	u8 setting;
	bool no_ats;
};

/**
 * struct ivrs_special - what is not PCI, but has a device id all the same
 * @link: in the list of its unit
 * @id: device id
 * @kind: 1 an IOAPIC, 2 an HPET, 0 a device that ACPI names
 * @handle: which of them
 * @name: its hardware id, if ACPI names it
 */
struct ivrs_special {
	struct list_head link;
	u16 id;
	u8 kind;
	u8 handle;
	char name[9];
};

/**
 * struct ivrs_unit - a unit, 5.2.2
 * @link: in ivrs_table.units
 * @block: type of the block that describes it
 * @id: of its own PCI function
 * @capability: where that has the unit's capability
 * @segment: PCI segment of the devices
 * @base: its registers
 * @flags: how it is to be set up
 * @efr: its extended features, 0 if not said
 * @efr2: more of them
 * @ranges: struct ivrs_range
 * @specials: struct ivrs_special
 */
struct ivrs_unit {
	struct list_head link;
	u8 block;
	u16 id;
	u16 capability;
	u16 segment;
	u64 base;
	u8 flags;
	u64 efr;
	u64 efr2;
	struct list_head ranges;
	struct list_head specials;
};

/**
 * struct ivrs_memory - memory that firmware has devices use, 5.2.3
 * @link: in ivrs_table.memory
 * @first: first byte
 * @last: last byte
 * @segment: PCI segment of the devices
 * @first_id: first device id
 * @last_id: last one
 * @read: they read it
 * @write: they write it
 */
struct ivrs_memory {
	struct list_head link;
	u64 first;
	u64 last;
	u16 segment;
	u16 first_id;
	u16 last_id;
	bool read;
	bool write;
};

/**
 * struct ivrs_table - all of it
 * @units: struct ivrs_unit, in the order of the table
 * @memory: struct ivrs_memory
 * @va_bits: width of the addresses that units translate
 * @pa_bits: width of physical addresses
 */
struct ivrs_table {
	struct list_head units;
	struct list_head memory;
	u8 va_bits;
	u8 pa_bits;
};

/* What is wrong with a table, in words. */
#define IVRS_WHY 128

int ivrs_parse(struct ivrs_table *table, const void *data, size_t size,
	       char why[IVRS_WHY]);
void ivrs_free(struct ivrs_table *table);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the DMAR table of the firmware says: chapter 8 of the specification. Read
 * once into lists, checked as it is read, and constant from then on.
 */
#ifndef __VTD_DMAR_H
#define __VTD_DMAR_H

#include <linux/list.h>
#include <linux/types.h>

#define DMAR_MAX_PATH 8

/**
 * struct dmar_scope - a device, or all below a bridge, 8.3.1
 * @link: in the list of what it belongs to
 * @type: 1 an endpoint, 2 a bridge and what is below, 3 IOAPIC, 4 HPET, 5 named
 * @id: enumeration id of an IOAPIC, HPET or name
 * @bus: where the path begins
 * @hops: how long it is
 * @path: device and function, from bridge to bridge
 */
struct dmar_scope {
	struct list_head link;
	u8 type;
	u8 id;
	u8 bus;
	u8 hops;
	struct {
		u8 device;
		u8 function;
	} path[DMAR_MAX_PATH];
};

/**
 * struct dmar_unit - a remapping unit, 8.3
 * @link: in dmar_table.units
 * @base: its registers
 * @size: bytes of them
 * @segment: PCI segment of its devices
 * @include_all: all devices of the segment that no other unit has
 * @scopes: struct dmar_scope
 */
struct dmar_unit {
	struct list_head link;
	u64 base;
	u32 size;
	u16 segment;
	bool include_all;
	struct list_head scopes;
};

/**
 * struct dmar_reserved - memory that firmware has devices use, 8.4
 * @link: in dmar_table.reserved
 * @first: first byte
 * @last: last byte
 * @segment: PCI segment of the devices
 * @scopes: struct dmar_scope
 */
struct dmar_reserved {
	struct list_head link;
	u64 first;
	u64 last;
	u16 segment;
	struct list_head scopes;
};

/**
 * struct dmar_ats - root ports that pass ATS on, 8.5
 * @link: in dmar_table.ats
 * @segment: PCI segment of the ports
 * @all: all of the segment
 * @scopes: struct dmar_scope, if not @all
 */
struct dmar_ats {
	struct list_head link;
	u16 segment;
	bool all;
	struct list_head scopes;
};

/**
 * struct dmar_table - all of it
 * @units: struct dmar_unit, in the order of the table
 * @reserved: struct dmar_reserved
 * @ats: struct dmar_ats
 * @width: of physical addresses, in bits
 * @flags: bit 0: interrupts may be remapped
 */
struct dmar_table {
	struct list_head units;
	struct list_head reserved;
	struct list_head ats;
	u8 width;
	u8 flags;
};

/* What is wrong with a table, in words. */
#define DMAR_WHY 128

int dmar_parse(struct dmar_table *table, const void *data, size_t size,
	       char why[DMAR_WHY]);
void dmar_free(struct dmar_table *table);

#endif

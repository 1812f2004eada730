// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading the IVRS table. Firmware is not trusted: every length is checked before
 * what it covers is read, and a table that cannot be right is refused as a whole.
 */
#include <linux/kernel.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/unaligned.h>

#include "ivrs.h"

/* Offsets in the table, 5.2.1. */
#define TABLE_HEADER	48
#define TABLE_INFO	36
#define MEMORY_BLOCK	32
/* ACPI-named devices: what comes before the unique id, whose length is the last byte */
#define NAMED_ENTRY	22

/* Blocks, 5.2.2 and 5.2.3 */
enum {
	UNIT = 0x10, UNIT_FULL = 0x11, UNIT_NAMED = 0x40,
	MEMORY_ALL = 0x20, MEMORY_ONE = 0x21, MEMORY_RANGE = 0x22,
};

/* Device entries, 5.2.2.2 */
enum {
	ENTRY_ALL = 1, ENTRY_ONE = 2, ENTRY_FIRST = 3, ENTRY_LAST = 4,
	ENTRY_ALIAS_ONE = 66, ENTRY_ALIAS_FIRST = 67, ENTRY_EXT_ONE = 70,
	ENTRY_EXT_FIRST = 71, ENTRY_SPECIAL = 72, ENTRY_NAMED = 240,
};

#define EXT_NO_ATS	BIT(31)
#define MEMORY_UNITY	BIT(0)
#define MEMORY_READ	BIT(1)
#define MEMORY_WRITE	BIT(2)
#define MEMORY_EXCLUDED	BIT(3)
/* Register space without performance counters, 3.4; the smallest there is. */
#define REGISTERS	0x4000

#define WRONG(why, ...) (snprintf(why, IVRS_WHY, __VA_ARGS__), -EINVAL)

static bool is_unit(unsigned int type)
{
	return type == UNIT || type == UNIT_FULL || type == UNIT_NAMED;
}

static void unit_free(struct ivrs_unit *unit)
{
	struct ivrs_special *special, *next_special;
	struct ivrs_range *range, *next_range;

	list_for_each_entry_safe(range, next_range, &unit->ranges, link)
		kfree(range);
	list_for_each_entry_safe(special, next_special, &unit->specials, link)
		kfree(special);
	kfree(unit);
}

static struct ivrs_range *range_add(struct ivrs_unit *unit, u16 first, u16 last,
				    u8 setting)
{
	struct ivrs_range *range = kzalloc(sizeof(*range), GFP_KERNEL);

	if (!range)
		return NULL;
	range->first = first;
	range->last = last;
	range->alias = IVRS_NO_ALIAS;
	range->setting = setting;
	list_add_tail(&range->link, &unit->ranges);
	return range;
}

/* The first 4 bits of the type tell how long an entry is, but for one. */
static size_t entry_size(const struct ivrs_unit *unit, const u8 *at, size_t left)
{
	if (unit->block == UNIT_NAMED && at[0] == ENTRY_NAMED)
		return left < NAMED_ENTRY ? NAMED_ENTRY :
					    NAMED_ENTRY + at[NAMED_ENTRY - 1];
	return 4U << (at[0] >> 6);
}

static int special_add(struct ivrs_unit *unit, const u8 *at)
{
	struct ivrs_special *special = kzalloc(sizeof(*special), GFP_KERNEL);

	if (!special)
		return -ENOMEM;
	list_add_tail(&special->link, &unit->specials);
	if (at[0] == ENTRY_SPECIAL) {
		special->id = get_unaligned_le16(at + 5);
		special->kind = at[7];
		special->handle = at[4];
	} else {
		special->id = get_unaligned_le16(at + 1);
		memcpy(special->name, at + 4, 8);
	}
	return range_add(unit, special->id, special->id, at[3]) ? 0 : -ENOMEM;
}

/**
 * struct open - a range whose end has not come yet
 * @is: there is one
 * @range: what it will be, but for the end
 */
struct open {
	bool is;
	struct ivrs_range range;
};

static int range_close(struct ivrs_unit *unit, struct open *open, u16 last,
		       char *why)
{
	struct ivrs_range *range;

	if (!open->is)
		return WRONG(why, "a range ends at device 0x%x that has not begun",
			     last);
	if (last < open->range.first)
		return WRONG(why, "a range of devices from 0x%x to 0x%x",
			     open->range.first, last);
	open->is = false;
	range = range_add(unit, open->range.first, last, open->range.setting);
	if (!range)
		return -ENOMEM;
	range->alias = open->range.alias;
	range->no_ats = open->range.no_ats;
	return 0;
}

static int entry_parse(struct ivrs_unit *unit, const u8 *at, struct open *open,
		       char *why)
{
	struct ivrs_range now = { .first = get_unaligned_le16(at + 1),
				  .setting = at[3], .alias = IVRS_NO_ALIAS };
	struct ivrs_range *range;

	if (at[0] == ENTRY_LAST)
		return range_close(unit, open, now.first, why);
	if (at[0] == ENTRY_ALIAS_ONE || at[0] == ENTRY_ALIAS_FIRST)
		now.alias = get_unaligned_le16(at + 5);
	if (at[0] == ENTRY_EXT_ONE || at[0] == ENTRY_EXT_FIRST)
		now.no_ats = get_unaligned_le32(at + 4) & EXT_NO_ATS;
	switch (at[0]) {
	case ENTRY_SPECIAL:
	case ENTRY_NAMED:
		return special_add(unit, at);
	case ENTRY_FIRST:
	case ENTRY_ALIAS_FIRST:
	case ENTRY_EXT_FIRST:
		if (open->is)
			return WRONG(why, "a range begins at device 0x%x within another one",
				     now.first);
		open->is = true;
		open->range = now;
		return 0;
	case ENTRY_ALL:
		return range_add(unit, 0, 0xffff, at[3]) ? 0 : -ENOMEM;
	case ENTRY_ONE:
	case ENTRY_ALIAS_ONE:
	case ENTRY_EXT_ONE:
		range = range_add(unit, now.first, now.first, at[3]);
		if (!range)
			return -ENOMEM;
		range->alias = now.alias;
		range->no_ats = now.no_ats;
		return 0;
	default:
		return 0;
	}
}

static int entries_parse(struct ivrs_unit *unit, const u8 *at, size_t left,
			 char *why)
{
	struct open open = {};
	int rc = 0;

	while (left && !rc) {
		size_t size = entry_size(unit, at, left);

		if (size > left)
			return WRONG(why, "a device entry of type %u needs %zu bytes, %zu are left",
				     at[0], size, left);
		/* without a name it is not one that ACPI names */
		if (at[0] != ENTRY_NAMED || unit->block == UNIT_NAMED)
			rc = entry_parse(unit, at, &open, why);
		at += size;
		left -= size;
	}
	if (!rc && open.is)
		return WRONG(why, "a range of devices from 0x%x on has no end",
			     open.range.first);
	return rc;
}

/*
 * A unit has several blocks, for software of different age: the one that says most
 * counts. A unit that was there already comes back if it says less than another.
 */
static int unit_place(struct ivrs_table *table, struct ivrs_unit *unit,
		      struct ivrs_unit **spare, char *why)
{
	struct ivrs_unit *other;

	*spare = NULL;
	list_for_each_entry(other, &table->units, link) {
		if (other->segment == unit->segment && other->id == unit->id) {
			if (other->base != unit->base)
				return WRONG(why, "a unit has its registers at 0x%llx and 0x%llx",
					     other->base,
					     unit->base);
			*spare = other->block < unit->block ? other : unit;
			break;
		}
		if (other->base < unit->base + REGISTERS &&
		    unit->base < other->base + REGISTERS)
			return WRONG(why, "two units have their registers at 0x%llx",
				     unit->base);
	}
	if (*spare == unit)
		return 0;
	if (*spare)
		list_del(&(*spare)->link);
	list_add_tail(&unit->link, &table->units);
	return 0;
}

static int unit_parse(struct ivrs_table *table, const u8 *at, size_t size,
		      char *why)
{
	size_t header = at[0] == UNIT ? 24 : 40;
	struct ivrs_unit *unit, *spare;
	int rc;

	if (size < header)
		return WRONG(why, "a unit of %zu bytes", size);
	unit = kzalloc(sizeof(*unit), GFP_KERNEL);
	if (!unit)
		return -ENOMEM;
	INIT_LIST_HEAD(&unit->ranges);
	INIT_LIST_HEAD(&unit->specials);
	unit->block = at[0];
	unit->flags = at[1];
	unit->id = get_unaligned_le16(at + 4);
	unit->capability = get_unaligned_le16(at + 6);
	unit->base = get_unaligned_le64(at + 8);
	unit->segment = get_unaligned_le16(at + 16);
	if (header == 40) {
		unit->efr = get_unaligned_le64(at + 24);
		unit->efr2 = get_unaligned_le64(at + 32);
	}
	if (!unit->base || unit->base % REGISTERS ||
	    unit->base + REGISTERS < unit->base)
		rc = WRONG(why, "a unit has its registers at 0x%llx", unit->base);
	else if (unit->capability < 64 || unit->capability > 252 ||
		 unit->capability % 4)
		rc = WRONG(why, "a unit has its capability at 0x%x",
			   unit->capability);
	else
		rc = entries_parse(unit, at + header, size - header, why);
	if (!rc)
		rc = unit_place(table, unit, &spare, why);
	if (rc)
		unit_free(unit);
	else if (spare)
		unit_free(spare);
	return rc;
}

static int memory_parse(struct ivrs_table *table, const u8 *at, size_t size,
			char *why)
{
	struct ivrs_memory *memory;
	u64 length;

	if (size < MEMORY_BLOCK)
		return WRONG(why, "a memory region of %zu bytes", size);
	/* neither: nothing is asked for */
	if (!(at[1] & (MEMORY_UNITY | MEMORY_EXCLUDED)))
		return 0;
	memory = kzalloc(sizeof(*memory), GFP_KERNEL);
	if (!memory)
		return -ENOMEM;
	list_add_tail(&memory->link, &table->memory);
	memory->segment = get_unaligned_le16(at + 8);
	memory->first_id = at[0] == MEMORY_ALL ? 0 : get_unaligned_le16(at + 4);
	memory->last_id = at[0] == MEMORY_ALL ? 0xffff :
			  at[0] == MEMORY_RANGE ? get_unaligned_le16(at + 6) :
						  memory->first_id;
	/* what is excluded is not checked at all */
	memory->read = at[1] & (MEMORY_READ | MEMORY_EXCLUDED);
	memory->write = at[1] & (MEMORY_WRITE | MEMORY_EXCLUDED);
	memory->first = get_unaligned_le64(at + 16);
	length = get_unaligned_le64(at + 24);
	memory->last = memory->first + length - 1;
	if (!length || memory->first % 4096 || length % 4096 ||
	    memory->last < memory->first)
		return WRONG(why, "a memory region at 0x%llx of 0x%llx bytes",
			     memory->first, length);
	if (memory->last_id < memory->first_id)
		return WRONG(why, "a memory region of devices from 0x%x to 0x%x",
			     memory->first_id, memory->last_id);
	return 0;
}

/**
 * ivrs_free - forget a table
 * @table: was given to ivrs_parse(), whatever that returned
 */
void ivrs_free(struct ivrs_table *table)
{
	struct ivrs_memory *memory, *next_memory;
	struct ivrs_unit *unit, *next_unit;

	list_for_each_entry_safe(unit, next_unit, &table->units, link)
		unit_free(unit);
	list_for_each_entry_safe(memory, next_memory, &table->memory, link)
		kfree(memory);
	INIT_LIST_HEAD(&table->units);
	INIT_LIST_HEAD(&table->memory);
}

/**
 * ivrs_parse - read a table
 * @table: receives what it says; ivrs_free() is called in any case
 * @data: the table with its ACPI header, whose checksum was checked
 * @size: bytes of it
 * @why: receives a sentence if it is refused
 *
 * Blocks and entries of types that are not known are passed over, as the
 * specification asks.
 *
 * Return: 0, -EINVAL, or -ENOMEM without a sentence
 */
int ivrs_parse(struct ivrs_table *table, const void *data, size_t size,
	       char why[IVRS_WHY])
{
	const u8 *at = data;
	u32 info;
	int rc = 0;

	INIT_LIST_HEAD(&table->units);
	INIT_LIST_HEAD(&table->memory);
	why[0] = 0;
	if (size < TABLE_HEADER)
		return WRONG(why, "the table has %zu bytes", size);
	info = get_unaligned_le32(at + TABLE_INFO);
	table->va_bits = info >> 15 & 0x7f;
	table->pa_bits = info >> 8 & 0x7f;
	if (table->pa_bits > 52 || table->va_bits > 64)
		return WRONG(why, "addresses are said to have %u and %u bits",
			     table->va_bits, table->pa_bits);
	at += TABLE_HEADER;
	size -= TABLE_HEADER;
	while (size && !rc) {
		unsigned int length;

		if (size < 4)
			return WRONG(why, "a block of %zu bytes", size);
		length = get_unaligned_le16(at + 2);
		if (length < 4 || length > size)
			return WRONG(why, "a block of type 0x%x has %u of %zu bytes",
				     at[0], length, size);
		if (is_unit(at[0]))
			rc = unit_parse(table, at, length, why);
		else if (at[0] >= MEMORY_ALL && at[0] <= MEMORY_RANGE)
			rc = memory_parse(table, at, length, why);
		at += length;
		size -= length;
	}
	if (!rc && list_empty(&table->units))
		return WRONG(why, "there is no unit in it");
	return rc;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading the DMAR table. Firmware is not trusted: every length is checked before
 * what it covers is read, and a table that cannot be right is refused as a whole.
 */
#include <linux/kernel.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/unaligned.h>

#include "dmar.h"

/* Offsets in the table, 8.1, and in its structures, 8.3 to 8.5. */
#define TABLE_HEADER	48
#define TABLE_WIDTH	36
#define TABLE_FLAGS	37
#define UNIT_HEADER	16
#define RESERVED_HEADER	24
#define ATS_HEADER	8
#define SCOPE_HEADER	6

enum { TYPE_UNIT = 0, TYPE_RESERVED = 1, TYPE_ATS = 2 };

#define WRONG(why, ...) (snprintf(why, DMAR_WHY, __VA_ARGS__), -EINVAL)

static void scopes_free(struct list_head *scopes)
{
	struct dmar_scope *scope, *next;

	list_for_each_entry_safe(scope, next, scopes, link)
		kfree(scope);
}

static int scopes_parse(struct list_head *scopes, const u8 *data, size_t size,
			char *why)
{
	while (size) {
		struct dmar_scope *scope;
		unsigned int length, i;

		if (size < SCOPE_HEADER)
			return WRONG(why, "a device scope of %zu bytes", size);
		length = data[1];
		if (length < SCOPE_HEADER + 2 || length > size || length % 2 ||
		    length > SCOPE_HEADER + 2 * DMAR_MAX_PATH)
			return WRONG(why, "a device scope says it has %u bytes, %zu are left",
				     length, size);
		scope = kzalloc(sizeof(*scope), GFP_KERNEL);
		if (!scope)
			return -ENOMEM;
		scope->type = data[0];
		scope->id = data[4];
		scope->bus = data[5];
		scope->hops = (length - SCOPE_HEADER) / 2;
		for (i = 0; i < scope->hops; i++) {
			scope->path[i].device = data[SCOPE_HEADER + 2 * i];
			scope->path[i].function = data[SCOPE_HEADER + 2 * i + 1];
		}
		list_add_tail(&scope->link, scopes);
		for (i = 0; i < scope->hops; i++)
			if (scope->path[i].device > 31 ||
			    scope->path[i].function > 7)
				return WRONG(why, "a path leads over device %u.%u",
					     scope->path[i].device,
					     scope->path[i].function);
		data += length;
		size -= length;
	}
	return 0;
}

static int unit_parse(struct dmar_table *table, const u8 *data, size_t size,
		      char *why)
{
	struct dmar_unit *unit, *other;

	if (size < UNIT_HEADER)
		return WRONG(why, "a unit of %zu bytes", size);
	unit = kzalloc(sizeof(*unit), GFP_KERNEL);
	if (!unit)
		return -ENOMEM;
	INIT_LIST_HEAD(&unit->scopes);
	list_add_tail(&unit->link, &table->units);
	unit->include_all = data[4] & 1;
	/* 2^n pages, n in the low bits */
	unit->size = 4096U << (data[5] & 0xf);
	unit->segment = get_unaligned_le16(data + 6);
	unit->base = get_unaligned_le64(data + 8);
	if (!unit->base || unit->base % 4096 || unit->base + unit->size < unit->base)
		return WRONG(why, "a unit has its registers at 0x%llx", unit->base);
	list_for_each_entry(other, &table->units, link) {
		if (other == unit)
			break;
		if (other->base < unit->base + unit->size &&
		    unit->base < other->base + other->size)
			return WRONG(why, "two units have their registers at 0x%llx",
				     unit->base);
		if (other->include_all && other->segment == unit->segment)
			return WRONG(why, "a unit follows the one for all devices of segment %u",
				     unit->segment);
	}
	return scopes_parse(&unit->scopes, data + UNIT_HEADER,
			    size - UNIT_HEADER, why);
}

static int reserved_parse(struct dmar_table *table, const u8 *data, size_t size,
			  char *why)
{
	struct dmar_reserved *region;

	if (size < RESERVED_HEADER)
		return WRONG(why, "a memory region of %zu bytes", size);
	region = kzalloc(sizeof(*region), GFP_KERNEL);
	if (!region)
		return -ENOMEM;
	INIT_LIST_HEAD(&region->scopes);
	list_add_tail(&region->link, &table->reserved);
	region->segment = get_unaligned_le16(data + 6);
	region->first = get_unaligned_le64(data + 8);
	region->last = get_unaligned_le64(data + 16);
	if (region->first % 4096 || (region->last + 1) % 4096 ||
	    region->last < region->first)
		return WRONG(why, "a memory region from 0x%llx to 0x%llx",
			     region->first, region->last);
	return scopes_parse(&region->scopes, data + RESERVED_HEADER,
			    size - RESERVED_HEADER, why);
}

static int ats_parse(struct dmar_table *table, const u8 *data, size_t size,
		     char *why)
{
	struct dmar_ats *ats;

	if (size < ATS_HEADER)
		return WRONG(why, "a list of ports with ATS of %zu bytes", size);
	ats = kzalloc(sizeof(*ats), GFP_KERNEL);
	if (!ats)
		return -ENOMEM;
	INIT_LIST_HEAD(&ats->scopes);
	list_add_tail(&ats->link, &table->ats);
	ats->all = data[4] & 1;
	ats->segment = get_unaligned_le16(data + 6);
	return scopes_parse(&ats->scopes, data + ATS_HEADER, size - ATS_HEADER,
			    why);
}

/**
 * dmar_free - forget a table
 * @table: was given to dmar_parse(), whatever that returned
 */
void dmar_free(struct dmar_table *table)
{
	struct dmar_reserved *region, *next_region;
	struct dmar_unit *unit, *next_unit;
	struct dmar_ats *ats, *next_ats;

	list_for_each_entry_safe(unit, next_unit, &table->units, link) {
		scopes_free(&unit->scopes);
		kfree(unit);
	}
	list_for_each_entry_safe(ats, next_ats, &table->ats, link) {
		scopes_free(&ats->scopes);
		kfree(ats);
	}
	list_for_each_entry_safe(region, next_region, &table->reserved, link) {
		scopes_free(&region->scopes);
		kfree(region);
	}
	INIT_LIST_HEAD(&table->units);
	INIT_LIST_HEAD(&table->reserved);
	INIT_LIST_HEAD(&table->ats);
}

/**
 * dmar_parse - read a table
 * @table: receives what it says; dmar_free() is called in any case
 * @data: the table with its ACPI header, whose checksum was checked
 * @size: bytes of it
 * @why: receives a sentence if it is refused
 *
 * Structures of types that are not known are passed over, as the specification
 * asks.
 *
 * Return: 0, -EINVAL, or -ENOMEM without a sentence
 */
int dmar_parse(struct dmar_table *table, const void *data, size_t size,
	       char why[DMAR_WHY])
{
	const u8 *at = data;
	int rc = 0;

	INIT_LIST_HEAD(&table->units);
	INIT_LIST_HEAD(&table->reserved);
	INIT_LIST_HEAD(&table->ats);
	why[0] = 0;
	if (size < TABLE_HEADER)
		return WRONG(why, "the table has %zu bytes", size);
	table->width = at[TABLE_WIDTH] + 1;
	table->flags = at[TABLE_FLAGS];
	if (table->width < 32 || table->width > 52)
		return WRONG(why, "addresses are said to have %u bits",
			     table->width);
	at += TABLE_HEADER;
	size -= TABLE_HEADER;
	while (size && !rc) {
		unsigned int type, length;

		if (size < 4)
			return WRONG(why, "a structure of %zu bytes", size);
		type = get_unaligned_le16(at);
		length = get_unaligned_le16(at + 2);
		if (length < 4 || length > size)
			return WRONG(why, "a structure of type %u has %u of %zu bytes",
				     type, length, size);
		if (type == TYPE_UNIT)
			rc = unit_parse(table, at, length, why);
		else if (type == TYPE_RESERVED)
			rc = reserved_parse(table, at, length, why);
		else if (type == TYPE_ATS)
			rc = ats_parse(table, at, length, why);
		at += length;
		size -= length;
	}
	if (!rc && list_empty(&table->units))
		return WRONG(why, "there is no unit in it");
	return rc;
}

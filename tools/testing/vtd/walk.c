// SPDX-License-Identifier: GPL-2.0-only
#include "walk.h"

static unsigned int bits(uint64_t word, unsigned int high, unsigned int low)
{
	return word >> low & ((1ULL << (high - low + 1)) - 1);
}

static bool bit(uint64_t word, unsigned int n)
{
	return word >> n & 1;
}

static uint64_t *item(uint64_t table, unsigned int index)
{
	return (uint64_t *)(uintptr_t)table + index;
}

static uint64_t address_of(uint64_t entry)
{
	return entry & 0x000ffffffffff000;
}

/* 9.6, with the capabilities that each field needs; 3.8 for nested ones. */
static bool entry_is_right(const struct walk_unit *unit, const uint64_t *e)
{
	bool sc = bit(unit->ecap, 7), nest = bit(unit->ecap, 26);
	bool ers = bit(unit->ecap, 30), srs = bit(unit->ecap, 31);
	bool eafs = bit(unit->ecap, 34), ssads = bit(unit->ecap, 45);
	bool smpwc = bit(unit->ecap, 48), mts = bit(unit->ecap, 25);
	unsigned int i;

	if (!bit(e[0], 0) || bits(e[0], 8, 6) != 3 || !nest)
		return false;
	/* AW: 3, 4 or 5 levels that the unit has */
	if (bits(e[0], 4, 2) < 1 || bits(e[0], 4, 2) > 3 ||
	    !bit(unit->cap, 8 + bits(e[0], 4, 2)))
		return false;
	if (bit(e[0], 5) || (bit(e[0], 9) && !ssads) || bits(e[0], 11, 10))
		return false;
	if (bits(e[1], 22, 16) || (bit(e[1], 23) && !smpwc) ||
	    (bit(e[1], 24) && !sc))
		return false;
	/* memory types */
	if (!mts && e[1] >> 25)
		return false;
	if ((bit(e[2], 0) && !srs) || (bit(e[2], 1) && !ers))
		return false;
	if (bits(e[2], 3, 2) > 1 || (bits(e[2], 3, 2) && !bit(unit->cap, 60)))
		return false;
	if (bit(e[2], 6) || (bit(e[2], 7) && !eafs) || bits(e[2], 11, 8))
		return false;
	for (i = 3; i < 8; i++)
		if (e[i])
			return false;
	return true;
}

static enum walk_end second_stage(const uint64_t *e, uint64_t gpa, bool write,
				  uint64_t *phys)
{
	unsigned int level = bits(e[0], 4, 2) + 2;
	uint64_t table = address_of(e[0]);

	if (gpa >> (12 + 9 * level))
		return WALK_SECOND_BEYOND;
	for (; ; level--) {
		unsigned int shift = 12 + 9 * (level - 1);
		uint64_t entry = *item(table, gpa >> shift & 511);

		if (!bit(entry, 0) || (write && !bit(entry, 1)))
			return WALK_SECOND_DENIED;
		if (level == 1 || bit(entry, 7)) {
			*phys = (address_of(entry) & (~0ULL << shift)) |
				(gpa & ((1ULL << shift) - 1));
			return WALK_DONE;
		}
		table = address_of(entry);
	}
}

/*
 * The items of the first stage lie in the guest's memory, and the accessed bit is
 * written to them.
 */
enum walk_end walk_nested(const struct walk_unit *unit, const uint64_t *e,
			  uint64_t address, bool write, struct walk_seen *seen)
{
	unsigned int level = bits(e[2], 3, 2) ? 5 : 4;
	unsigned int width = 12 + 9 * level;
	uint64_t table, gpa, at;
	enum walk_end end;

	if (!entry_is_right(unit, e))
		return WALK_BAD_ENTRY;
	seen->domain = bits(e[1], 15, 0);
	if ((int64_t)(address << (64 - width)) >> (64 - width) != (int64_t)address)
		return WALK_NOT_CANONICAL;
	table = address_of(e[2]);
	for (; ; level--) {
		unsigned int shift = 12 + 9 * (level - 1);
		uint64_t entry;
		bool leaf;

		end = second_stage(e, table + 8 * (address >> shift & 511), false,
				   &at);
		if (end)
			return end;
		entry = *(uint64_t *)(uintptr_t)at;
		if (!bit(entry, 0))
			return WALK_FIRST_ABSENT;
		leaf = level == 1 || bit(entry, 7);
		/* no leaves of 512 GiB; of 1 GiB with FS1GP; XD with NXE only */
		if ((leaf && level > 3) ||
		    (leaf && level == 3 && !bit(unit->cap, 56)) ||
		    (bit(entry, 63) && !bit(e[2], 5)) ||
		    (leaf && level > 1 && entry & ((1ULL << shift) - 1) & ~0x1fffULL))
			return WALK_FIRST_RESERVED;
		/* the user bit, and the write bit */
		if (!bit(entry, 2) || (write && !bit(entry, 1)))
			return WALK_FIRST_DENIED;
		if (!bit(entry, 5) || (leaf && write && !bit(entry, 6))) {
			end = second_stage(e, table + 8 * (address >> shift & 511),
					   true, &at);
			if (end)
				return end;
			*(uint64_t *)(uintptr_t)at |= 1 << 5 |
				(leaf && write ? 1 << 6 : 0);
		}
		if (leaf) {
			gpa = (address_of(entry) & (~0ULL << shift)) |
			      (address & ((1ULL << shift) - 1));
			seen->gpa = gpa;
			return second_stage(e, gpa, write, &seen->phys);
		}
		table = address_of(entry);
	}
}

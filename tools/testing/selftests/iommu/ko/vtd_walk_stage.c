// SPDX-License-Identifier: GPL-2.0-only
/*
 * Both stages of translation, 3.6 to 3.8, as hardware does them: first stage alone,
 * second stage alone, or every address of the first through the second.
 */
#include <linux/atomic.h>
#include <linux/minmax.h>

#include "vtd_walk_ko.h"
#include "vtd_walk_spec.h"

static unsigned int index_of(u64 address, unsigned int level)
{
	return address >> (3 + 9 * level) & 511;
}

static unsigned int page_lg2(unsigned int level)
{
	return 3 + 9 * level;
}

/* Address bits of a leaf below its page; @from is the lowest that is reserved. */
static u64 below_page(unsigned int level, unsigned int from)
{
	return level > 1 ? GENMASK_ULL(page_lg2(level) - 1, from) : 0;
}

/* 9.8 */
static u64 second_reserved(const struct walker *k, unsigned int level, u64 v,
			   bool leaf)
{
	u64 reserved = beyond(k, 51);

	if (level > 3 ||
	    (level == 3 && !(k->cap & CAP_SSLPS_1G)) ||
	    (level == 2 && !(k->cap & CAP_SSLPS_2M)))
		reserved |= SS_PS;
	if (!leaf)
		return reserved | SS_SNP | SS_TM;
	if (!(k->ecap & ECAP_SC))
		reserved |= SS_SNP;
	if (!(k->ecap & ECAP_DT))
		reserved |= SS_TM;
	return reserved | below_page(level, 12);
}

static unsigned int second_denied(const struct walker *k, u32 want, u32 can)
{
	if (want & VTD_WALK_WRITE && !(can & VTD_WALK_CAN_WRITE))
		return k->scalable ? SGN_6_WRITE : LGN_2_WRITE;
	if (want & VTD_WALK_READ && !(can & VTD_WALK_CAN_READ))
		return k->scalable ? SGN_7_READ : LGN_3_READ;
	if (want & VTD_WALK_EXEC && !(can & VTD_WALK_CAN_EXEC))
		return SGN_3_EXECUTE;
	return 0;
}

static unsigned int second_absent(const struct walker *k, u32 want)
{
	if (k->scalable)
		return SSS_2_NOT_PRESENT;
	return want & VTD_WALK_WRITE ? LGN_2_WRITE : LGN_3_READ;
}

static bool set_bits(u64 phys, u64 v, u64 bits)
{
	u64 *word = walk_memory(phys);

	return !(bits & ~v) || (word && cmpxchg64(word, v, v | bits) == v);
}

/**
 * walk_second - an address through the second stage
 * @k: has one
 * @address: guest-physical
 * @want: VTD_WALK_READ, WRITE, EXEC
 * @out: where it leads; attributes without those of the first stage
 *
 * Return: 0 or the fault reason
 */
unsigned int walk_second(struct walker *k, u64 address, u32 want,
			 struct stage *out)
{
	unsigned int level = k->second.levels;
	u64 perms = SS_R | SS_W | SS_X, table = k->second.top, at, v;
	u64 valid = SS_R | SS_W | (k->second.execute ? SS_X : 0);
	bool leaf;

	if (address >> min(12 + 9 * level,
			   (unsigned int)((k->cap & CAP_MGAW) >> 16) + 1))
		return k->scalable ? SGN_4_GPA_BEYOND : LGN_1_ADDRESS;
	for (;; level--) {
		u64 bits = k->update && k->second.ade ? SS_A : 0;

		at = table + 8 * index_of(address, level);
		do {
			if (!walk_read(k, at, &v, 1, VTD_WALK_SECOND, level)) {
				if (!k->scalable)
					return LSS_1_ACCESS;
				return level == k->second.levels ?
				       SSS_4_TOP_ACCESS : SSS_1_ACCESS;
			}
			if (!(v & valid))
				return second_absent(k, want);
			leaf = level == 1 || v & SS_PS;
			if (v & second_reserved(k, level, v, leaf))
				return k->scalable ? SSS_3_RESERVED :
						     LSS_2_RESERVED;
			if (bits && leaf && want & VTD_WALK_WRITE)
				bits |= SS_D;
		} while (!set_bits(at, v, bits));
		v |= bits;
		perms &= v;
		if (leaf)
			break;
		table = v & PAGING_ADDRESS;
	}
	out->lg2 = page_lg2(level);
	out->address = (v & PAGING_ADDRESS) | (address & (BIT_ULL(out->lg2) - 1));
	out->attributes = (perms & SS_R ? VTD_WALK_CAN_READ : 0) |
			  (perms & SS_W ? VTD_WALK_CAN_WRITE : 0) |
			  (perms & SS_X || !k->second.execute ?
			   VTD_WALK_CAN_EXEC : 0) |
			  (v & SS_SNP ? VTD_WALK_SNOOP : 0) |
			  (v & SS_D ? VTD_WALK_SS_DIRTY : 0);
	return second_denied(k, want, out->attributes);
}

/* 9.7 */
static u64 first_reserved(const struct walker *k, unsigned int level, bool leaf)
{
	/* of a guest's addresses the second stage decides how wide they are */
	u64 reserved = k->second.levels ? 0 : beyond(k, 51);

	if (level > 3 || (level == 3 && !(k->cap & CAP_FS1GP)))
		reserved |= FS_PS;
	/* bit 12 of a large leaf is PAT */
	return reserved | (leaf ? below_page(level, 13) : 0);
}

/* Where an entry of the first stage lies in memory. */
static unsigned int first_entry_at(struct walker *k, u64 at, u32 want, bool top,
				   u64 *phys)
{
	struct stage second;
	unsigned int fault;

	*phys = at;
	if (!k->second.levels)
		return 0;
	fault = walk_second(k, at, want, &second);
	*phys = second.address;
	switch (fault) {
	case SGN_4_GPA_BEYOND:
		return SFS_5_GPA_BEYOND;
	case SGN_7_READ:
		return top ? SFS_6_TOP_GPA_READ : SFS_7_GPA_READ;
	case SGN_6_WRITE:
		return SFS_8_GPA_WRITE;
	default:
		return fault;
	}
}

/* Read an entry of the first stage, and record in it that it was used. */
static unsigned int first_entry(struct walker *k, u64 at, unsigned int level,
				u32 want, u64 *value, bool *leaf)
{
	bool top = level == k->first.levels;
	unsigned int fault;
	u64 phys, bits, v;

	do {
		fault = first_entry_at(k, at, VTD_WALK_READ, top, &phys);
		if (fault)
			return fault;
		if (!walk_read(k, phys, &v, 1, VTD_WALK_FIRST, level))
			return top ? SFS_4_TOP_ACCESS : SFS_1_ACCESS;
		if (!(v & FS_P))
			return SFS_2_NOT_PRESENT;
		*leaf = level == 1 || v & FS_PS;
		if (v & first_reserved(k, level, *leaf))
			return SFS_3_RESERVED;
		bits = FS_A | (k->first.eafe ? FS_EA : 0) |
		       (*leaf && want & VTD_WALK_WRITE ? FS_D : 0);
		if (!k->update)
			bits = 0;
		if (bits & ~v) {
			fault = first_entry_at(k, at, VTD_WALK_READ |
					       VTD_WALK_WRITE, top, &phys);
			if (fault)
				return fault;
		}
	} while (!set_bits(phys, v, bits));
	*value = v | bits;
	return 0;
}

static unsigned int first_denied(const struct walker *k, u32 want, bool priv,
				 u64 all, bool xd)
{
	if (!priv && !(all & FS_US))
		return SGN_2_USER;
	if (want & VTD_WALK_EXEC &&
	    ((xd && k->first.nxe) ||
	     (priv && k->first.smep && all & FS_US)))
		return SGN_3_EXECUTE;
	if (want & VTD_WALK_WRITE && !(all & FS_RW) && (!priv || k->first.wpe))
		return SGN_6_WRITE;
	return 0;
}

/**
 * walk_first - an address through the first stage
 * @k: has one; its table is walked through the second stage, if there is one
 * @address: what the device asks for
 * @want: VTD_WALK_READ, WRITE, EXEC
 * @priv: the request is privileged
 * @out: where it leads, not through the second stage
 *
 * Return: 0 or the fault reason
 */
unsigned int walk_first(struct walker *k, u64 address, u32 want, bool priv,
			struct stage *out)
{
	unsigned int level = k->first.levels, width = 12 + 9 * level, fault;
	u64 all = FS_RW | FS_US, table = k->first.top, v;
	bool leaf, xd = false;

	/* 3.6: all bits from the highest that is translated on are the same */
	if ((s64)(address << (64 - width)) >> (64 - width) != (s64)address)
		return SGN_1_NOT_CANONICAL;
	for (;; level--) {
		fault = first_entry(k, table + 8 * index_of(address, level),
				    level, want, &v, &leaf);
		if (fault)
			return fault;
		all &= v;
		xd |= !!(v & FS_XD);
		if (leaf)
			break;
		table = v & PAGING_ADDRESS;
	}
	out->lg2 = page_lg2(level);
	out->address = (v & PAGING_ADDRESS & ~(BIT_ULL(out->lg2) - 1)) |
		       (address & (BIT_ULL(out->lg2) - 1));
	out->attributes = VTD_WALK_CAN_READ |
			  (all & FS_RW ? VTD_WALK_CAN_WRITE : 0) |
			  (xd && k->first.nxe ? 0 : VTD_WALK_CAN_EXEC) |
			  (all & FS_US ? VTD_WALK_USER : 0) |
			  (v & FS_G ? VTD_WALK_GLOBAL : 0) |
			  (v & FS_D ? VTD_WALK_FS_DIRTY : 0) |
			  (k->first.snoop ? VTD_WALK_SNOOP : 0);
	return first_denied(k, want, priv, all, xd);
}

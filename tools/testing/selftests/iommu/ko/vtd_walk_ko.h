/* SPDX-License-Identifier: GPL-2.0-only */
/* Among the files of vtd_walk.ko. */
#ifndef VTD_WALK_KO_H
#define VTD_WALK_KO_H

#include <linux/bits.h>
#include <linux/types.h>

#include "vtd_walk.h"

/**
 * struct walker - a unit that looks at a request
 * @w: the request, and the answer
 * @cap: capabilities of the unit
 * @ecap: more of them
 * @haw: width of physical addresses, in bits
 * @scalable: mode of the root table
 * @update: set accessed and dirty bits
 * @first: the first stage, levels is 0 without one
 * @second: the second stage, likewise
 *
 * On the stack of one call.
 */
struct walker {
	struct vtd_walk *w;
	u64 cap;
	u64 ecap;
	unsigned int haw;
	bool scalable;
	bool update;
	struct {
		u64 top;
		unsigned int levels;
		bool wpe;
		bool nxe;
		bool smep;
		bool eafe;
		bool snoop;
	} first;
	struct {
		u64 top;
		unsigned int levels;
		bool ade;
		bool execute;
	} second;
};

/**
 * struct stage - what a stage makes of an address
 * @address: where it leads
 * @lg2: size of the page
 * @attributes: VTD_WALK_CAN_READ and following
 */
struct stage {
	u64 address;
	unsigned int lg2;
	u32 attributes;
};

/* All give a fault reason, or 0. */
unsigned int walk_entries(struct walker *k, u64 rtaddr);
unsigned int walk_first(struct walker *k, u64 address, u32 want, bool priv,
			struct stage *out);
unsigned int walk_second(struct walker *k, u64 address, u32 want,
			 struct stage *out);

/* Memory as hardware sees it: NULL where there is none. */
u64 *walk_memory(u64 phys);
bool walk_read(struct walker *k, u64 phys, u64 *words, unsigned int nr,
	       unsigned int kind, unsigned int level);

/* Address bits of an entry that memory has no use for. */
static inline u64 beyond(const struct walker *k, unsigned int top)
{
	return k->haw > top ? 0 : GENMASK_ULL(top, k->haw);
}

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which windows a page table gets: what is asked for, or what suits most.
 */
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sizes.h>

#include "tce.h"

/* Memory in one piece for a level of a table, as much as is always to be had. */
#define LEVEL_BYTES SZ_64K

/**
 * tce_window_levels - how many levels a window's table gets by itself
 * @tg: what can be had
 * @length: of the window
 * @shift: of its page size
 *
 * Return: 1 or more
 */
unsigned int tce_window_levels(const struct iommu_table_group *tg, u64 length,
			       unsigned int shift)
{
	u64 bytes = (length >> shift) * sizeof(u64);
	unsigned int levels = 1;

	while (bytes > LEVEL_BYTES && levels < tg->max_levels) {
		bytes >>= ilog2(LEVEL_BYTES / sizeof(u64));
		levels++;
	}
	return levels;
}

/* Pages as large as is asked for, or as the kernel's own. */
static unsigned int choose_shift(const struct tce_place *place, u64 asked)
{
	u64 size = asked ?: PAGE_SIZE;
	u64 fit = place->pgsizes & (size | (size - 1));

	if (fit)
		return fls64(fit) - 1;
	return asked ? 0 : __ffs64(place->pgsizes);
}

static void set_window(const struct tce_group *group, struct tce_window *window,
		       unsigned int num, u64 length, unsigned int shift)
{
	const struct tce_place *place = &group->places[num];

	*window = (struct tce_window){
		.num = num,
		.first = place->first,
		.last = place->first + length - 1,
		.shift = shift,
		.levels = tce_window_levels(group->tg, length, shift),
	};
}

/**
 * tce_default_windows - what nobody asked anything of gets
 * @group: the group
 * @out: receives up to TCE_WINDOWS windows, sorted
 *
 * All of the window for 32 bits, and one that takes all memory of the machine.
 *
 * Return: how many
 */
unsigned int tce_default_windows(const struct tce_group *group,
				 struct tce_window *out)
{
	u64 ram = roundup_pow_of_two((u64)totalram_pages() << PAGE_SHIFT);
	unsigned int num, nr = 0;

	for (num = 0; num < TCE_WINDOWS; num++) {
		const struct tce_place *place = &group->places[num];
		u64 length = place->last - place->first + 1;

		if (!place->usable)
			continue;
		if (num)
			length = min(length, max_t(u64, ram, SZ_1G));
		set_window(group, &out[nr++], num, length,
			   choose_shift(place, 0));
	}
	return nr;
}

static u64 place_length(const struct tce_place *place)
{
	return place->last - place->first + 1;
}

static int check_place(const struct tce_group *group, unsigned int i,
		       const struct iommu_ext_window *want, unsigned int num)
{
	const struct tce_place *place = &group->places[num];

	if (!choose_shift(place, want->pgsize))
		return iommufd_refuse(-ENOSPC,
				      "window %u: pages of 0x%llx cannot be had, at 0x%llx there are 0x%llx",
				      i, want->pgsize, place->first,
				      place->pgsizes);
	if (want->length > place_length(place))
		return iommufd_refuse(-ENOSPC,
				      "window %u: 0x%llx bytes are wanted, at 0x%llx there can be 0x%llx",
				      i, want->length, place->first,
				      place_length(place));
	if (want->levels > group->tg->max_levels)
		return iommufd_refuse(-ENOSPC,
				      "window %u: %u levels are wanted, there can be %u",
				      i, want->levels, group->tg->max_levels);
	return 0;
}

static int place_window(const struct tce_group *group, unsigned int i,
			const struct iommu_ext_window *want, unsigned int num,
			struct tce_window *out)
{
	const struct tce_place *place = &group->places[num];
	u64 length = place_length(place), least;
	unsigned int shift;
	int rc;

	rc = check_place(group, i, want, num);
	if (rc)
		return rc;
	shift = choose_shift(place, want->pgsize);
	/* A table has at least one page. */
	least = (u64)PAGE_SIZE / sizeof(u64) << shift;
	if (!place->whole)
		length = min(length, roundup_pow_of_two(max(want->length, least)));
	set_window(group, out, num, length, shift);
	if (want->levels)
		out->levels = want->levels;
	return 0;
}

static int find_place(const struct tce_group *group, unsigned int i, u64 iova)
{
	unsigned int num;

	for (num = 0; num < TCE_WINDOWS; num++)
		if (group->places[num].usable && group->places[num].first == iova)
			return num;
	if (!group->places[1].usable)
		return iommufd_refuse(-ENOSPC,
				      "window %u: at 0x%llx a window cannot begin, only at 0x%llx",
				      i, iova, group->places[0].first);
	return iommufd_refuse(-ENOSPC,
			      "window %u: at 0x%llx a window cannot begin, only at 0x%llx and at 0x%llx",
			      i, iova, group->places[0].first,
			      group->places[1].first);
}

static int place_anywhere(const struct tce_group *group, unsigned int i,
			  const struct iommu_ext_window *want,
			  unsigned long *taken, struct tce_window *made)
{
	int rc = iommufd_refuse(-ENOSPC, "window %u: no place is left", i);
	unsigned int num;

	for (num = 0; num < TCE_WINDOWS; num++) {
		if (!group->places[num].usable || *taken & BIT(num))
			continue;
		rc = place_window(group, i, want, num, &made[num]);
		if (!rc) {
			*taken |= BIT(num);
			return num;
		}
	}
	return rc;
}

/**
 * tce_wanted_windows - the windows for a request
 * @group: the group
 * @wanted: what is asked for, makes sense
 * @nr: how many
 * @out: receives @nr windows, in the order of @wanted
 *
 * Return: 0, or -ENOSPC, explained with the window and the limit
 */
int tce_wanted_windows(const struct tce_group *group,
		       const struct iommu_ext_window *wanted, unsigned int nr,
		       struct tce_window *out)
{
	struct tce_window made[TCE_WINDOWS];
	unsigned long taken = 0;
	unsigned int i, places;
	int num;

	places = group->places[0].usable + group->places[1].usable;
	if (nr > places)
		return iommufd_refuse(-ENOSPC, "window %u: there can be %u windows at most",
				      places, places);
	for (i = 0; i < nr; i++) {
		if (wanted[i].flags & IOMMU_EXT_WINDOW_ANYWHERE)
			continue;
		num = find_place(group, i, wanted[i].iova);
		if (num >= 0)
			num = place_window(group, i, &wanted[i], num, &made[num]) ?: num;
		if (num < 0)
			return num;
		taken |= BIT(num);
		out[i] = made[num];
	}
	for (i = 0; i < nr; i++) {
		if (!(wanted[i].flags & IOMMU_EXT_WINDOW_ANYWHERE))
			continue;
		num = place_anywhere(group, i, &wanted[i], &taken, made);
		if (num < 0)
			return num;
		out[i] = made[num];
	}
	return 0;
}

/**
 * tce_list_places - where windows can be
 * @group: the group
 * @out: receives up to TCE_WINDOWS places, sorted
 *
 * Return: how many
 */
unsigned int tce_list_places(const struct tce_group *group,
			     struct iommu_ext_range *out)
{
	unsigned int num, nr = 0;

	for (num = 0; num < TCE_WINDOWS; num++) {
		const struct tce_place *place = &group->places[num];

		if (!place->usable)
			continue;
		out[nr++] = (struct iommu_ext_range){
			.first = place->first,
			.last = place->last,
			.pgsizes = place->pgsizes,
			.max_levels = group->tg->max_levels,
			.flags = IOMMU_EXT_RANGE_BEGIN | IOMMU_EXT_RANGE_SINGLE |
				 IOMMU_EXT_RANGE_POWER_OF_TWO,
		};
	}
	return nr;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mock IOMMU with windows: page tables that translate what was asked for and
 * nothing else, in the few places that there are.
 */
#include <linux/iommufd_reason.h>
#include <linux/log2.h>
#include <linux/sizes.h>
#include <linux/sort.h>

#include "mock.h"

#define MAX_WINDOWS 4

/*
 * One window for devices of 32 bits and one far up, each with a beginning of its
 * own, as on POWER; and a place where several can be, anywhere.
 */
static const struct iommu_ext_range places[] = {
	{
		.first = 0,
		.last = SZ_2G - 1,
		.pgsizes = SZ_4K | SZ_64K,
		.max_levels = 1,
		.flags = IOMMU_EXT_RANGE_BEGIN | IOMMU_EXT_RANGE_SINGLE,
	},
	{
		.first = SZ_1T,
		.last = SZ_2T - 1,
		.pgsizes = SZ_4K | SZ_2M,
		.max_levels = 2,
	},
	{
		.first = BIT_ULL(59),
		.last = BIT_ULL(59) + SZ_64G - 1,
		.pgsizes = SZ_64K | SZ_2M,
		.max_levels = 4,
		.flags = IOMMU_EXT_RANGE_BEGIN | IOMMU_EXT_RANGE_SINGLE |
			 IOMMU_EXT_RANGE_POWER_OF_TWO,
	},
};

/* What there is without a word from the user. */
static const struct iommufd_window defaults[] = {
	{ .first = 0, .last = SZ_1G - 1, .pgsizes = SZ_4K },
	{
		.first = BIT_ULL(59),
		.last = BIT_ULL(59) + SZ_4G - 1,
		.pgsizes = SZ_64K,
	},
};

int mock_device_windows(struct device *dev, struct iommufd_device_windows *out)
{
	out->nr_defaults = ARRAY_SIZE(defaults);
	memcpy(out->defaults, defaults, sizeof(defaults));
	out->nr_places = ARRAY_SIZE(places);
	memcpy(out->places, places, sizeof(places));
	out->max_windows = MAX_WINDOWS;
	return 0;
}

static u64 window_last(const struct iommu_ext_window *window)
{
	return window->iova + window->length - 1;
}

static const struct iommu_ext_range *place_of(u64 iova)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(places); i++)
		if (places[i].first <= iova && iova <= places[i].last)
			return &places[i];
	return NULL;
}

/* The pages of a window: the largest that are asked for, or the smallest. */
static u64 choose_pgsize(const struct iommu_ext_range *place, u64 asked)
{
	u64 fit = place->pgsizes;

	if (!asked)
		return BIT_ULL(__ffs64(fit));
	fit &= asked | (asked - 1);
	return fit ? BIT_ULL(fls64(fit) - 1) : 0;
}

static u64 choose_length(const struct iommu_ext_range *place, u64 length,
			 u64 pgsize)
{
	if (length > place->last - place->first + 1)
		return length;
	if (place->flags & IOMMU_EXT_RANGE_POWER_OF_TWO)
		length = roundup_pow_of_two(length);
	return ALIGN(length, pgsize);
}

/**
 * struct making - windows on their way into a page table
 * @windows: the caller's
 * @nr: how many
 * @done: bitmap of those that have their final form
 */
struct making {
	struct iommu_ext_window *windows;
	unsigned int nr;
	unsigned long done;
};

/* A window that has its place and crosses these addresses, or NULL. */
static const struct iommu_ext_window *crossing(const struct making *m, u64 first,
					       u64 last)
{
	unsigned int i;

	for (i = 0; i < m->nr; i++)
		if ((m->done & BIT(i)) && m->windows[i].iova <= last &&
		    first <= window_last(&m->windows[i]))
			return &m->windows[i];
	return NULL;
}

static int check_place(const struct making *m, unsigned int i,
		       const struct iommu_ext_range *place, u64 iova)
{
	const struct iommu_ext_window *window = &m->windows[i];

	if ((place->flags & IOMMU_EXT_RANGE_BEGIN) && iova != place->first)
		return iommufd_refuse(-ENOSPC,
				      "window %u: at 0x%llx a window cannot begin, in this place only at 0x%llx",
				      i, iova, place->first);
	if ((place->flags & IOMMU_EXT_RANGE_SINGLE) &&
	    crossing(m, place->first, place->last))
		return iommufd_refuse(-ENOSPC,
				      "window %u: in 0x%llx..0x%llx there can be only one window",
				      i, place->first, place->last);
	if (window->levels > place->max_levels)
		return iommufd_refuse(-ENOSPC,
				      "window %u: %u levels asked for, at 0x%llx there are at most %u",
				      i, window->levels, place->first,
				      place->max_levels);
	if (!choose_pgsize(place, window->pgsize))
		return iommufd_refuse(-ENOSPC,
				      "window %u: pages of 0x%llx cannot be had, at 0x%llx there are 0x%llx",
				      i, window->pgsize, place->first,
				      place->pgsizes);
	return 0;
}

static int make_at(struct making *m, unsigned int i,
		   const struct iommu_ext_range *place, u64 iova)
{
	struct iommu_ext_window *window = &m->windows[i];
	const struct iommu_ext_window *other;
	u64 pgsize, length;
	int rc;

	rc = check_place(m, i, place, iova);
	if (rc)
		return rc;
	pgsize = choose_pgsize(place, window->pgsize);
	length = choose_length(place, window->length, pgsize);
	if (iova & (pgsize - 1))
		return iommufd_refuse(-ENOSPC,
				      "window %u: iova 0x%llx is no multiple of the page size 0x%llx",
				      i, iova, pgsize);
	if (length - 1 > place->last - iova)
		return iommufd_refuse(-ENOSPC,
				      "window %u: 0x%llx bytes at 0x%llx end beyond 0x%llx",
				      i, length, iova, place->last);
	other = crossing(m, iova, iova + length - 1);
	if (other)
		return iommufd_refuse(-ENOSPC,
				      "window %u: 0x%llx bytes at 0x%llx cross another window, 0x%llx..0x%llx",
				      i, length, iova, other->iova,
				      window_last(other));
	window->iova = iova;
	window->length = length;
	window->pgsize = pgsize;
	window->levels = window->levels ?: 1;
	m->done |= BIT(i);
	return 0;
}

/* In the lowest place, behind the windows that are there. */
static int make_anywhere(struct making *m, unsigned int i)
{
	const struct iommu_ext_window *other;
	unsigned int p;
	int rc = 0;

	for (p = 0; p < ARRAY_SIZE(places); p++) {
		u64 iova = places[p].first;
		u64 pgsize = choose_pgsize(&places[p], m->windows[i].pgsize) ?: 1;

		do {
			rc = make_at(m, i, &places[p], iova);
			if (!rc)
				return 0;
			other = crossing(m, iova, places[p].last);
			if (other)
				iova = ALIGN(window_last(other) + 1, pgsize);
		} while (other && !(places[p].flags & IOMMU_EXT_RANGE_BEGIN) &&
			 iova <= places[p].last);
	}
	return iommufd_refuse(rc, "window %u: 0x%llx bytes in pages of at most 0x%llx and %u levels can be had in none of the %zu places",
			      i, m->windows[i].length,
			      m->windows[i].pgsize ?: U64_MAX,
			      m->windows[i].levels, ARRAY_SIZE(places));
}

static int make_all(struct making *m)
{
	const struct iommu_ext_range *place;
	unsigned int i;
	int rc;

	if (m->nr > MAX_WINDOWS)
		return iommufd_refuse(-ENOSPC, "window %u: there can be %u windows at most",
				      MAX_WINDOWS, MAX_WINDOWS);
	for (i = 0; i < m->nr; i++) {
		if (m->windows[i].flags & IOMMU_EXT_WINDOW_ANYWHERE)
			continue;
		place = place_of(m->windows[i].iova);
		if (!place)
			return iommufd_refuse(-ENOSPC,
					      "window %u: nothing can be translated at 0x%llx",
					      i, m->windows[i].iova);
		rc = make_at(m, i, place, m->windows[i].iova);
		if (rc)
			return rc;
	}
	for (i = 0; i < m->nr; i++) {
		if (!(m->windows[i].flags & IOMMU_EXT_WINDOW_ANYWHERE))
			continue;
		rc = make_anywhere(m, i);
		if (rc)
			return rc;
	}
	return 0;
}

static int by_address(const void *a, const void *b)
{
	const struct iommufd_window *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

static void set_windows(struct mock_domain *mock,
			const struct iommufd_window *windows, unsigned int nr)
{
	struct iommu_domain *domain = &mock->domain;
	unsigned int i;

	memcpy(mock->windows, windows, nr * sizeof(*windows));
	sort(mock->windows, nr, sizeof(*windows), by_address, NULL);
	mock->nr_windows = nr;
	domain->pgsize_bitmap = 0;
	for (i = 0; i < nr; i++)
		domain->pgsize_bitmap |= mock->windows[i].pgsizes;
	domain->geometry.aperture_start = mock->windows[0].first;
	domain->geometry.aperture_end = mock->windows[nr - 1].last;
	domain->owner = &mock_windowed_iommu_ops;
}

struct iommu_domain *mock_alloc_default_windows(struct device *dev, u32 flags,
						const struct iommu_user_data *data)
{
	struct iommu_domain *domain = mock_alloc_paging(dev, flags, data);

	if (!IS_ERR(domain))
		set_windows(to_mock_domain(domain), defaults,
			    ARRAY_SIZE(defaults));
	return domain;
}

struct iommu_domain *mock_alloc_windows(struct device *dev, u32 flags,
					struct iommu_ext_window *windows,
					unsigned int nr)
{
	struct making m = { .windows = windows, .nr = nr };
	struct iommufd_window made[MAX_WINDOWS];
	struct iommu_domain *domain;
	unsigned int i;
	int rc;

	rc = make_all(&m);
	if (rc)
		return ERR_PTR(rc);
	for (i = 0; i < nr; i++)
		made[i] = (struct iommufd_window){
			.first = windows[i].iova,
			.last = window_last(&windows[i]),
			.pgsizes = windows[i].pgsize,
		};
	domain = mock_alloc_paging(dev, flags, NULL);
	if (!IS_ERR(domain))
		set_windows(to_mock_domain(domain), made, nr);
	return domain;
}

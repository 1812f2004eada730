// SPDX-License-Identifier: GPL-2.0-only
/*
 * What devices write through page tables of the mock IOMMU, or are said to.
 */
#include <linux/sched.h>

#include "mock.h"

int mock_set_dirty(struct iommu_domain *domain, bool enable)
{
	WRITE_ONCE(to_mock_domain(domain)->recording, enable);
	return 0;
}

/**
 * mock_tracks_dirty - whether writes are recorded now
 * @domain: a domain of the mock
 *
 * Return: whether tracking is on
 */
bool mock_tracks_dirty(const struct iommu_domain *domain)
{
	const struct mock_domain *mock =
		container_of(domain, struct mock_domain, domain);

	return READ_ONCE(mock->recording);
}

/* What happens to the dirty leaves of a range. */
struct dirty_walk {
	struct iommufd_dirty_bitmap *bitmap;
	bool mark;
	bool clear;
};

static bool visit(struct xa_state *xas, struct mock_leaf *leaf,
		  const struct dirty_walk *walk)
{
	if (!leaf->writable)
		return false;
	if (leaf->dirty && walk->bitmap)
		iommufd_dirty_set(walk->bitmap, leaf->iova, mock_leaf_size(leaf));
	if (walk->mark != leaf->dirty && (walk->mark || walk->clear)) {
		leaf->dirty = walk->mark;
		xas_store(xas, mock_leaf_pack(leaf));
	}
	return true;
}

static bool walk_range(struct mock_domain *mock, unsigned long iova, size_t len,
		       const struct dirty_walk *walk)
{
	unsigned long last = iova + len - 1;
	XA_STATE(xas, &mock->leaves, 0);
	struct mock_leaf leaf;
	bool found = false;
	unsigned int i;

	for (;;) {
		xas_lock(&xas);
		for (i = 0; i < MOCK_BATCH; i++) {
			if (!mock_leaf_next(&xas, iova, last, &leaf))
				goto out;
			found |= visit(&xas, &leaf, walk);
			iova = leaf.iova + mock_leaf_size(&leaf);
			/* 0: the leaf was the last there can be */
			if (!iova || iova > last)
				goto out;
		}
		xas_unlock(&xas);
		cond_resched();
	}
out:
	xas_unlock(&xas);
	return found;
}

int mock_read_dirty(struct iommu_domain *domain, unsigned long iova, size_t len,
		    unsigned long flags, struct iommufd_dirty_bitmap *bitmap,
		    struct iommu_iotlb_gather *gather)
{
	const struct dirty_walk walk = {
		.bitmap = bitmap,
		.clear = !(flags & IOMMU_DIRTY_NO_CLEAR),
	};

	walk_range(to_mock_domain(domain), iova, len, &walk);
	return 0;
}

/**
 * mock_mark_dirty - what a device does that writes
 * @domain: a domain of the mock
 * @iova: first address
 * @len: bytes, not 0; does not wrap
 *
 * Return: whether anything there could be written to
 */
bool mock_mark_dirty(struct iommu_domain *domain, unsigned long iova,
		     size_t len)
{
	const struct dirty_walk walk = { .mark = true };

	return walk_range(to_mock_domain(domain), iova, len, &walk);
}

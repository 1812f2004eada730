// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables of the mock IOMMU.
 */
#include <linux/iommufd_reason.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "mock.h"

/*
 * A leaf in the word of an xarray value: two flags, the order, and the frame
 * number in granules. 52 bits of physical address leave 41 for the last.
 */
#define LEAF_DIRTY BIT(0)
#define LEAF_WRITABLE BIT(1)
#define LEAF_ORDER_SHIFT 2
#define LEAF_ORDER_MASK GENMASK(5, 0)
#define LEAF_FRAME_SHIFT 8

/**
 * mock_leaf_pack - make an entry of @leaves
 * @leaf: the leaf; its address is where the entry is stored
 *
 * Return: the entry
 */
void *mock_leaf_pack(const struct mock_leaf *leaf)
{
	unsigned long word = (leaf->phys >> MOCK_SHIFT) << LEAF_FRAME_SHIFT;

	word |= (unsigned long)leaf->order << LEAF_ORDER_SHIFT;
	if (leaf->writable)
		word |= LEAF_WRITABLE;
	if (leaf->dirty)
		word |= LEAF_DIRTY;
	return xa_mk_value(word);
}

static void leaf_unpack(void *entry, unsigned long iova, struct mock_leaf *leaf)
{
	unsigned long word = xa_to_value(entry);

	leaf->order = (word >> LEAF_ORDER_SHIFT) & LEAF_ORDER_MASK;
	leaf->phys = (phys_addr_t)(word >> LEAF_FRAME_SHIFT) << MOCK_SHIFT;
	leaf->writable = word & LEAF_WRITABLE;
	leaf->dirty = word & LEAF_DIRTY;
	leaf->iova = ALIGN_DOWN(iova, mock_leaf_size(leaf));
}

/**
 * mock_leaf_next - find the first leaf in a range
 * @xas: of the table; left at the leaf, ready to store what replaces it
 * @iova: first address of the range
 * @last: last address of the range
 * @leaf: receives the leaf, which may begin before @iova and end after @last
 *
 * Context: the xa_lock is held.
 * Return: whether there is one
 */
bool mock_leaf_next(struct xa_state *xas, unsigned long iova,
		    unsigned long last, struct mock_leaf *leaf)
{
	void *entry;

	xas_set_order(xas, iova >> MOCK_SHIFT, 0);
	entry = xas_find(xas, last >> MOCK_SHIFT);
	if (!entry)
		return false;
	leaf_unpack(entry, xas->xa_index << MOCK_SHIFT, leaf);
	xas_set_order(xas, leaf->iova >> MOCK_SHIFT, leaf->order);
	return true;
}

static int leaf_enter(struct mock_domain *mock, const struct mock_leaf *leaf)
{
	XA_STATE_ORDER(xas, &mock->leaves, leaf->iova >> MOCK_SHIFT, leaf->order);

	do {
		xas_lock(&xas);
		/* The core never maps over something. */
		if (WARN_ON_ONCE(xas_find_conflict(&xas)))
			xas_set_err(&xas, -EEXIST);
		xas_store(&xas, mock_leaf_pack(leaf));
		xas_unlock(&xas);
	} while (xas_nomem(&xas, GFP_KERNEL));
	return xas_error(&xas);
}

/* The largest leaf that both addresses and @len allow; 0 if none does. */
static size_t fit_leaf(unsigned long pgsizes, unsigned long iova,
		       phys_addr_t phys, size_t len)
{
	unsigned long fit = pgsizes & GENMASK(__fls(len), 0);

	if (iova | phys)
		fit &= GENMASK(__ffs(iova | phys), 0);
	return fit ? 1UL << __fls(fit) : 0;
}

static int map_run(struct mock_domain *mock, unsigned long iova,
		   const struct iommufd_run *run, bool writable,
		   unsigned long pgsizes, size_t *mapped)
{
	size_t done = 0;

	while (done < run->len) {
		struct mock_leaf leaf = {
			.iova = iova + done,
			.phys = run->phys + done,
			.writable = writable,
		};
		size_t size;
		int rc;

		size = fit_leaf(pgsizes, leaf.iova, leaf.phys, run->len - done);
		if (size < MOCK_PAGE_SIZE)
			return iommufd_refuse(-EINVAL,
					      "iova 0x%lx to 0x%llx fits no page size of 0x%lx",
					      leaf.iova, (u64)leaf.phys, pgsizes);
		leaf.order = __ffs(size) - MOCK_SHIFT;
		rc = leaf_enter(mock, &leaf);
		if (rc)
			return iommufd_refuse(rc, rc == -ENOMEM ?
					      "no memory for the mock page table at 0x%lx" :
					      "the mock page table has something at 0x%lx already",
					      leaf.iova);
		done += size;
		*mapped += size;
		cond_resched();
	}
	return 0;
}

int mock_map(struct iommu_domain *domain, unsigned long iova,
	     const struct iommufd_run *runs, unsigned int nr, int prot,
	     unsigned long pgsizes, size_t *mapped)
{
	unsigned int i;
	int rc = 0;

	*mapped = 0;
	for (i = 0; i < nr && !rc; i++)
		rc = map_run(to_mock_domain(domain), iova + *mapped, &runs[i],
			     prot & IOMMU_WRITE, pgsizes, mapped);
	return rc;
}

/*
 * Stops at the first address that no leaf begins at or whose leaf reaches beyond
 * the range: the core takes a short result for the bug that it is.
 */
size_t mock_unmap(struct iommu_domain *domain, unsigned long iova, size_t len,
		  struct iommu_iotlb_gather *gather)
{
	struct mock_domain *mock = to_mock_domain(domain);
	XA_STATE(xas, &mock->leaves, 0);
	struct mock_leaf leaf;
	size_t done = 0;
	unsigned int i;

	while (done < len) {
		xas_lock(&xas);
		for (i = 0; i < MOCK_BATCH && done < len; i++) {
			if (!mock_leaf_next(&xas, iova + done, iova + len - 1, &leaf) ||
			    leaf.iova != iova + done ||
			    mock_leaf_size(&leaf) > len - done) {
				xas_unlock(&xas);
				return done;
			}
			xas_store(&xas, NULL);
			done += mock_leaf_size(&leaf);
		}
		xas_unlock(&xas);
		cond_resched();
	}
	return done;
}

static phys_addr_t mock_iova_to_phys(struct iommu_domain *domain,
				     dma_addr_t iova)
{
	void *entry = xa_load(&to_mock_domain(domain)->leaves,
			      iova >> MOCK_SHIFT);
	struct mock_leaf leaf;

	if (!entry)
		return 0;
	leaf_unpack(entry, iova, &leaf);
	return leaf.phys + (iova - leaf.iova);
}

/**
 * mock_suits - whether a page table is for a device
 * @domain: one of these page tables
 * @dev: a device of the mock
 *
 * Return: 0 or -EINVAL, explained
 */
int mock_suits(struct iommu_domain *domain, struct device *dev)
{
	if (to_mock_domain(domain)->tracks && to_mock_device(dev)->no_dirty)
		return iommufd_refuse(-EINVAL,
				      "%s cannot be tracked, the page table records what devices write",
				      dev_name(dev));
	return 0;
}

static void mock_domain_free(struct iommu_domain *domain)
{
	struct mock_domain *mock = to_mock_domain(domain);

	WARN_ON(!xa_empty(&mock->leaves));
	xa_destroy(&mock->leaves);
	kfree(mock);
}

static const struct iommu_domain_ops mock_domain_ops = {
	.attach_dev = mock_suits,
	.set_dev_pasid = mock_set_dev_pasid,
	.iova_to_phys = mock_iova_to_phys,
	.free = mock_domain_free,
};

/**
 * mock_owns - whether a domain is one of these page tables
 * @domain: any domain
 *
 * Return: whether to_mock_domain() may be used on it
 */
bool mock_owns(const struct iommu_domain *domain)
{
	return domain->ops == &mock_domain_ops;
}

unsigned int mock_windows(struct iommu_domain *domain,
			  struct iommufd_window *out)
{
	struct mock_domain *mock = to_mock_domain(domain);

	if (mock->nr_windows) {
		memcpy(out, mock->windows, mock->nr_windows * sizeof(*out));
		return mock->nr_windows;
	}
	out->first = domain->geometry.aperture_start;
	out->last = domain->geometry.aperture_end;
	out->pgsizes = domain->pgsize_bitmap;
	return 1;
}

static int read_data(const struct iommu_user_data *data,
		     struct iommu_hwpt_selftest *out)
{
	int rc;

	rc = iommufd_read_data(out, iotlb, data, IOMMU_HWPT_DATA_SELFTEST);
	if (rc)
		return rc;
	if (out->pagetable_type > MOCK_IOMMUPT_HUGE)
		return iommufd_refuse(-EOPNOTSUPP,
				      "the mock IOMMU has no page tables of type %u",
				      out->pagetable_type);
	return 0;
}

struct iommu_domain *mock_alloc_paging(struct device *dev, u32 flags,
				       const struct iommu_user_data *data)
{
	struct iommu_hwpt_selftest params = {};
	struct mock_domain *mock;
	int rc;

	if (flags & ~(IOMMU_HWPT_ALLOC_DIRTY_TRACKING |
		      IOMMU_HWPT_ALLOC_NEST_PARENT | IOMMU_HWPT_ALLOC_PASID))
		return ERR_PTR(iommufd_refuse(-EOPNOTSUPP,
					      "the mock IOMMU has no page tables with flags 0x%x",
					      flags));
	if ((flags & IOMMU_HWPT_ALLOC_DIRTY_TRACKING) &&
	    to_mock_device(dev)->no_dirty)
		return ERR_PTR(iommufd_refuse(-EOPNOTSUPP,
					      "%s has no dirty tracking",
					      dev_name(dev)));
	if (data) {
		rc = read_data(data, &params);
		if (rc)
			return ERR_PTR(rc);
	}

	mock = kzalloc(sizeof(*mock), GFP_KERNEL_ACCOUNT);
	if (!mock)
		return ERR_PTR(iommufd_refuse(-ENOMEM,
					      "no memory for a mock page table"));
	xa_init_flags(&mock->leaves, XA_FLAGS_ACCOUNT);
	mock->tracks = flags & IOMMU_HWPT_ALLOC_DIRTY_TRACKING;
	mock->domain.type = IOMMU_DOMAIN_UNMANAGED;
	mock->domain.ops = &mock_domain_ops;
	mock->domain.owner = &mock_iommu_ops;
	mock->domain.geometry.force_aperture = true;
	if (params.pagetable_type == MOCK_IOMMUPT_HUGE) {
		mock->domain.geometry.aperture_end = ULONG_MAX;
		mock->domain.pgsize_bitmap = MOCK_HUGE_PAGE_SIZE | PAGE_SIZE;
	} else {
		mock->domain.geometry.aperture_start = MOCK_APERTURE_START;
		mock->domain.geometry.aperture_end = MOCK_APERTURE_LAST;
		mock->domain.pgsize_bitmap = ~(MOCK_PAGE_SIZE - 1UL);
	}
	return &mock->domain;
}

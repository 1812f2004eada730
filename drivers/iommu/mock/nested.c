// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nested page tables of the mock IOMMU: nothing but a few words that stand for
 * what an IOTLB holds, so that a test sees which of them were invalidated.
 */
#include <linux/iommufd_reason.h>
#include <linux/slab.h>

#include "mock.h"

/**
 * struct mock_nested - a nested page table
 * @domain: for the IOMMU core
 * @parent: the nesting parent, which the core keeps
 * @iotlb: each word is written in one piece, by nobody but invalidations
 */
struct mock_nested {
	struct iommu_domain domain;
	struct iommu_domain *parent;
	u32 iotlb[MOCK_NESTED_DOMAIN_IOTLB_NUM];
};

static const struct iommu_domain_ops mock_nested_ops;

static struct mock_nested *to_mock_nested(struct iommu_domain *domain)
{
	return container_of(domain, struct mock_nested, domain);
}

static int nested_attach(struct iommu_domain *domain, struct device *dev)
{
	return mock_suits(to_mock_nested(domain)->parent, dev);
}

static int nested_set_dev_pasid(struct iommu_domain *domain, struct device *dev,
				ioasid_t pasid, struct iommu_domain *old)
{
	return nested_attach(domain, dev) ?:
	       mock_set_dev_pasid(domain, dev, pasid, old);
}

static void nested_free(struct iommu_domain *domain)
{
	kfree(to_mock_nested(domain));
}

static const struct iommu_domain_ops mock_nested_ops = {
	.attach_dev = nested_attach,
	.set_dev_pasid = nested_set_dev_pasid,
	.free = nested_free,
};

/**
 * mock_alloc_nested - make a nested page table
 * @dev: a device of the mock
 * @parent: what it is to stand on
 * @flags: enum iommufd_hwpt_alloc_flags
 * @data: struct iommu_hwpt_selftest of the user
 *
 * Return: its domain, or an ERR_PTR; explained
 */
struct iommu_domain *mock_alloc_nested(struct device *dev,
				       struct iommu_domain *parent, u32 flags,
				       const struct iommu_user_data *data)
{
	struct iommu_hwpt_selftest params;
	struct mock_nested *nested;
	int rc;

	if (flags & ~IOMMU_HWPT_ALLOC_PASID)
		return ERR_PTR(iommufd_refuse(-EOPNOTSUPP,
					      "the mock IOMMU has no nested page tables with flags 0x%x",
					      flags));
	rc = iommufd_read_data(&params, iotlb, data, IOMMU_HWPT_DATA_SELFTEST);
	if (rc)
		return ERR_PTR(rc);
	nested = kzalloc(sizeof(*nested), GFP_KERNEL_ACCOUNT);
	if (!nested)
		return ERR_PTR(iommufd_refuse(-ENOMEM,
					      "no memory for a nested mock page table"));
	nested->domain.type = IOMMU_DOMAIN_NESTED;
	nested->domain.ops = &mock_nested_ops;
	nested->domain.owner = &mock_iommu_ops;
	nested->parent = parent;
	memset32(nested->iotlb, params.iotlb, ARRAY_SIZE(nested->iotlb));
	return &nested->domain;
}

static int invalidate_one(void *context, const void *entry)
{
	const struct iommu_hwpt_invalidate_selftest *inv = entry;
	struct mock_nested *nested = context;
	unsigned int i;

	if (inv->flags & ~IOMMU_TEST_INVALIDATE_FLAG_ALL)
		return iommufd_refuse(-EOPNOTSUPP, "unknown flags 0x%x",
				      inv->flags);
	if (inv->iotlb_id > MOCK_NESTED_DOMAIN_IOTLB_ID_MAX)
		return iommufd_refuse(-EINVAL, "iotlb_id %u is over %u",
				      inv->iotlb_id,
				      MOCK_NESTED_DOMAIN_IOTLB_ID_MAX);
	for (i = 0; i < ARRAY_SIZE(nested->iotlb); i++)
		if (i == inv->iotlb_id ||
		    (inv->flags & IOMMU_TEST_INVALIDATE_FLAG_ALL))
			WRITE_ONCE(nested->iotlb[i], 0);
	return 0;
}

int mock_nested_invalidate(struct iommu_domain *domain,
			   struct iommu_user_data_array *array)
{
	static const struct iommufd_entries invalidations = {
		.type = IOMMU_HWPT_INVALIDATE_DATA_SELFTEST,
		.size = sizeof(struct iommu_hwpt_invalidate_selftest),
		.min_size = offsetofend(struct iommu_hwpt_invalidate_selftest,
					iotlb_id),
		.one = invalidate_one,
	};

	return iommufd_run_entries(NULL, array, &invalidations,
				   to_mock_nested(domain));
}

/**
 * mock_nested_iotlb - look into a nested page table
 * @domain: any domain
 * @id: which word
 * @value: receives it
 *
 * Return: 0, or -EINVAL if it has no such word or is not one of these; explained
 */
int mock_nested_iotlb(struct iommu_domain *domain, u32 id, u32 *value)
{
	if (domain->ops != &mock_nested_ops)
		return iommufd_refuse(-EINVAL,
				      "the page table is not a nested one of the mock IOMMU");
	if (id > MOCK_NESTED_DOMAIN_IOTLB_ID_MAX)
		return iommufd_refuse(-EINVAL, "id %u is over %u", id,
				      MOCK_NESTED_DOMAIN_IOTLB_ID_MAX);
	*value = READ_ONCE(to_mock_nested(domain)->iotlb[id]);
	return 0;
}

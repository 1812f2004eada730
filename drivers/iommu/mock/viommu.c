// SPDX-License-Identifier: GPL-2.0-only
/*
 * vIOMMUs of the mock: two pages to be mapped, two hardware queues that nothing
 * reads, and a cache in each device for the VM to invalidate.
 */
#include <linux/gfp.h>
#include <linux/iommufd_reason.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "mock.h"

#define MEMORY_ORDER 1

/**
 * struct mock_viommu - the mock's side of a vIOMMU
 * @memory: what user space can map, or NULL if it gave no data. Constant
 * @offset: where, for mmap()
 * @queues: the hardware queues by index, in the context of hw_queue_init()
 */
struct mock_viommu {
	void *memory;
	unsigned long offset;
	struct iommufd_hw_queue *queues[IOMMU_TEST_HW_QUEUE_MAX];
};

static void viommu_destroy(struct iommufd_viommu *viommu)
{
	struct mock_viommu *mock = viommu->priv;

	if (mock->memory) {
		iommufd_viommu_remove_region(viommu, mock->offset);
		free_pages((unsigned long)mock->memory, MEMORY_ORDER);
	}
	kfree(mock);
}

static struct iommu_domain *viommu_alloc_nested(struct iommufd_viommu *viommu,
						struct device *dev, u32 flags,
						const struct iommu_user_data *data)
{
	return mock_alloc_nested(dev, viommu->parent, flags, data);
}

static int invalidate_one(void *context, const void *entry)
{
	const struct iommu_viommu_invalidate_selftest *inv = entry;
	struct iommufd_viommu *viommu = context;
	struct iommufd_vdevice *vdev;
	struct mock_device *mdev;
	unsigned int i;

	if (inv->flags & ~IOMMU_TEST_INVALIDATE_FLAG_ALL)
		return iommufd_refuse(-EOPNOTSUPP, "unknown flags 0x%x",
				      inv->flags);
	if (inv->cache_id > MOCK_DEV_CACHE_ID_MAX)
		return iommufd_refuse(-EINVAL, "cache_id %u is over %u",
				      inv->cache_id, MOCK_DEV_CACHE_ID_MAX);
	vdev = iommufd_viommu_device(viommu, inv->vdev_id);
	if (!vdev)
		return iommufd_refuse(-EINVAL,
				      "the viommu has no device with virt_id 0x%x",
				      inv->vdev_id);
	mdev = to_mock_device(vdev->dev);
	for (i = 0; i < ARRAY_SIZE(mdev->cache); i++)
		if (i == inv->cache_id ||
		    (inv->flags & IOMMU_TEST_INVALIDATE_FLAG_ALL))
			WRITE_ONCE(mdev->cache[i], 0);
	return 0;
}

static const struct iommufd_entries invalidations = {
	.type = IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST,
	.size = sizeof(struct iommu_viommu_invalidate_selftest),
	.min_size = offsetofend(struct iommu_viommu_invalidate_selftest, cache_id),
	.one = invalidate_one,
};

static int viommu_invalidate(struct iommufd_viommu *viommu,
			     struct iommu_user_data_array *array)
{
	return iommufd_run_entries(viommu, array, &invalidations, viommu);
}

static int vdevice_init(struct iommufd_vdevice *vdev)
{
	mock_events_vdevice(vdev->dev, vdev);
	return 0;
}

static void vdevice_destroy(struct iommufd_vdevice *vdev)
{
	mock_events_vdevice(vdev->dev, NULL);
}

static bool hw_queue_supported(struct iommufd_viommu *viommu, u32 type)
{
	return type == IOMMU_HW_QUEUE_TYPE_SELFTEST;
}

static int hw_queue_init(struct iommufd_hw_queue *hwq)
{
	struct mock_viommu *mock = hwq->viommu->priv;
	phys_addr_t phys;

	if (hwq->index >= IOMMU_TEST_HW_QUEUE_MAX)
		return iommufd_refuse(-EINVAL, "index %u, the mock IOMMU has %u queues",
				      hwq->index, IOMMU_TEST_HW_QUEUE_MAX);
	phys = iommu_iova_to_phys(hwq->viommu->parent, hwq->iova);
	if (phys != hwq->phys)
		return iommufd_refuse(-EIO,
				      "the queue at 0x%llx is at 0x%llx, but what is pinned is at 0x%llx",
				      hwq->iova, (u64)phys, (u64)hwq->phys);
	/* Like hardware whose queues have to be enabled in order. */
	if (hwq->index && (!mock->queues[hwq->index - 1] ||
			   iommufd_hw_queue_depend(mock->queues[hwq->index - 1])))
		return iommufd_refuse(-EIO, "queue %u comes before queue %u",
				      hwq->index - 1, hwq->index);
	mock->queues[hwq->index] = hwq;
	return 0;
}

static void hw_queue_destroy(struct iommufd_hw_queue *hwq)
{
	struct mock_viommu *mock = hwq->viommu->priv;

	mock->queues[hwq->index] = NULL;
	if (hwq->index)
		iommufd_hw_queue_undepend(mock->queues[hwq->index - 1]);
}

static const struct iommufd_viommu_ops mock_viommu_ops = {
	.destroy = viommu_destroy,
	.alloc_nested = viommu_alloc_nested,
	.invalidate = viommu_invalidate,
	.vdevice_init = vdevice_init,
	.vdevice_destroy = vdevice_destroy,
	.events_supported = mock_events_supported,
	.hw_queue_supported = hw_queue_supported,
	.hw_queue_init = hw_queue_init,
	.hw_queue_destroy = hw_queue_destroy,
};

/* Answer the user's data with pages to map. */
static int viommu_offer_memory(struct iommufd_viommu *viommu,
			       struct mock_viommu *mock,
			       const struct iommu_user_data *data)
{
	struct iommu_viommu_selftest params;
	int rc;

	rc = iommufd_read_data(&params, out_mmap_length, data,
			       IOMMU_VIOMMU_TYPE_SELFTEST);
	if (rc)
		return rc;
	mock->memory = (void *)__get_free_pages(GFP_KERNEL_ACCOUNT | __GFP_ZERO,
						MEMORY_ORDER);
	if (!mock->memory)
		return iommufd_refuse(-ENOMEM, "no memory for a mock viommu");
	*(u32 *)mock->memory = params.in_data;
	rc = iommufd_viommu_add_region(viommu, virt_to_phys(mock->memory),
				       PAGE_SIZE << MEMORY_ORDER, &mock->offset);
	if (rc)
		goto err_memory;
	params.out_data = params.in_data;
	params.out_mmap_offset = mock->offset;
	params.out_mmap_length = PAGE_SIZE << MEMORY_ORDER;
	rc = iommufd_write_data(data, &params);
	if (rc)
		goto err_region;
	return 0;

err_region:
	iommufd_viommu_remove_region(viommu, mock->offset);
err_memory:
	free_pages((unsigned long)mock->memory, MEMORY_ORDER);
	return rc;
}

int mock_viommu_init(struct iommufd_viommu *viommu, struct device *dev,
		     const struct iommu_user_data *data)
{
	struct mock_viommu *mock;
	int rc = 0;

	if (viommu->type != IOMMU_VIOMMU_TYPE_SELFTEST)
		return iommufd_refuse(-EOPNOTSUPP,
				      "the mock IOMMU has no viommu of type 0x%x",
				      viommu->type);
	mock = kzalloc(sizeof(*mock), GFP_KERNEL_ACCOUNT);
	if (!mock)
		return iommufd_refuse(-ENOMEM, "no memory for a mock viommu");
	if (data)
		rc = viommu_offer_memory(viommu, mock, data);
	if (rc) {
		kfree(mock);
		return rc;
	}
	viommu->priv = mock;
	viommu->ops = &mock_viommu_ops;
	return 0;
}

/**
 * mock_device_cache - look into the cache of a device
 * @dev: any device
 * @id: which word
 * @value: receives it
 *
 * Return: 0, or -EINVAL if it has no such word or is not one of these; explained
 */
int mock_device_cache(struct device *dev, u32 id, u32 *value)
{
	if (dev->iommu->iommu_dev->ops->owner != THIS_MODULE)
		return iommufd_refuse(-EINVAL, "%s is not a device of the mock IOMMU",
				      dev_name(dev));
	if (id > MOCK_DEV_CACHE_ID_MAX)
		return iommufd_refuse(-EINVAL, "id %u is over %u", id,
				      MOCK_DEV_CACHE_ID_MAX);
	*value = READ_ONCE(to_mock_device(dev)->cache[id]);
	return 0;
}

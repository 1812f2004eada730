// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices of the mock IOMMU: they do nothing, on the platform bus.
 */
#include <linux/fwnode.h>
#include <linux/idr.h>
#include <linux/iommufd_reason.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/platform_device.h>
#include <linux/property.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "mock.h"

static DEFINE_IDA(mock_device_ids);

/**
 * struct mock_platform - how a device was made
 * @flags: MOCK_FLAGS_DEVICE_...
 * @fwnode: what firmware would say of it, if it has PASIDs
 *
 * The device's platform data, which live as long as it does. A node of the
 * kernel's own, in software, would be put twice where memory ran out while it
 * was linked to the device.
 */
struct mock_platform {
	u32 flags;
	struct fwnode_handle fwnode;
};

static int read_property(const struct fwnode_handle *fwnode, const char *name,
			 unsigned int elem_size, void *val, size_t nval)
{
	if (strcmp(name, "pasid-num-bits") || elem_size != sizeof(u32))
		return -EINVAL;
	/* without a buffer they ask how many values there are */
	if (!val)
		return 1;
	if (nval != 1)
		return -EOVERFLOW;
	*(u32 *)val = MOCK_PASID_WIDTH;
	return 0;
}

static const struct fwnode_operations pasid_node_ops = {
	.property_read_int_array = read_property,
};

static int blocked_attach(struct iommu_domain *domain, struct device *dev)
{
	return 0;
}

static const struct iommu_domain_ops blocked_ops = {
	.attach_dev = blocked_attach,
};

struct iommu_domain mock_blocked = {
	.type = IOMMU_DOMAIN_BLOCKED,
	.ops = &blocked_ops,
};

/*
 * The same under another name: a kernel without the common DMA API over IOMMUs
 * takes BLOCKED, which is 0, for no answer when it asks for a default domain.
 */
struct iommu_domain mock_idle = {
	.type = IOMMU_DOMAIN_PLATFORM,
	.ops = &blocked_ops,
};

/**
 * mock_device_probe - take on a device that the IOMMU core found
 * @dev: a device that names a unit of ours; its platform data are its flags
 *
 * Return: the unit, or an ERR_PTR
 */
struct iommu_device *mock_device_probe(struct device *dev)
{
	struct iommu_fwspec *fwspec = dev_iommu_fwspec_get(dev);
	const struct mock_platform *platform = dev_get_platdata(dev);
	struct mock_device *mdev;
	struct mock_unit *mu;

	mu = fwspec ? mock_unit_of(fwspec->iommu_fwnode) : NULL;
	if (!mu || !platform)
		return ERR_PTR(-ENODEV);
	mdev = kzalloc(sizeof(*mdev), GFP_KERNEL);
	if (!mdev)
		return ERR_PTR(-ENOMEM);
	mdev->no_dirty = platform->flags & MOCK_FLAGS_DEVICE_NO_DIRTY;
	mdev->has_pasid = platform->flags & MOCK_FLAGS_DEVICE_PASID;
	memset32(mdev->cache, IOMMU_TEST_DEV_CACHE_DEFAULT,
		 ARRAY_SIZE(mdev->cache));
	xa_init_flags(&mdev->pasids, XA_FLAGS_ACCOUNT);
	mutex_init(&mdev->vdev_lock);
	dev_iommu_priv_set(dev, mdev);
	mock_faults_add(dev);
	return &mu->iommu;
}

void mock_device_release(struct device *dev)
{
	struct mock_device *mdev = to_mock_device(dev);

	mock_faults_remove(dev);
	mutex_destroy(&mdev->vdev_lock);
	WARN_ON(!xa_empty(&mdev->pasids));
	xa_destroy(&mdev->pasids);
	kfree(mdev);
}

static void device_unname_iommu(struct device *dev)
{
	struct dev_iommu *param = dev->iommu;

	if (!param)
		return;
	dev->iommu = NULL;
	if (param->fwspec)
		fwnode_handle_put(param->fwspec->iommu_fwnode);
	kfree(param->fwspec);
	kfree(param);
}

/*
 * Name the mock as the IOMMU of a device that nobody knows yet, which is what
 * firmware tables do for others. The core's own function for it wants a lock
 * that no module can take; what is made here the core frees as its own.
 */
static int device_name_iommu(struct device *dev, u32 id)
{
	struct dev_iommu *param = kzalloc(sizeof(*param), GFP_KERNEL);
	struct iommu_fwspec *fwspec;

	if (!param)
		return -ENOMEM;
	mutex_init(&param->lock);
	dev->iommu = param;
	fwspec = kzalloc(struct_size(fwspec, ids, 1), GFP_KERNEL);
	if (!fwspec)
		return -ENOMEM;
	fwspec->iommu_fwnode =
		fwnode_handle_get(mock_unit_fwnode(mock_unit_next()));
	fwspec->num_ids = 1;
	fwspec->ids[0] = id;
	param->fwspec = fwspec;
	return 0;
}

static int device_add_to_bus(struct platform_device *pdev, u32 flags)
{
	struct mock_platform *platform, template = { .flags = flags };
	int rc;

	rc = platform_device_add_data(pdev, &template, sizeof(template));
	if (rc)
		return rc;
	/* The IOMMU core reads the width while the device is added. */
	if (flags & MOCK_FLAGS_DEVICE_PASID) {
		platform = dev_get_platdata(&pdev->dev);
		fwnode_init(&platform->fwnode, &pasid_node_ops);
		device_set_node(&pdev->dev, &platform->fwnode);
	}
	dev_set_msi_domain(&pdev->dev, mock_irq_domain());
	rc = device_name_iommu(&pdev->dev, pdev->id);
	if (!rc)
		rc = platform_device_add(pdev);
	/* Unless the IOMMU core has come to see the device, and freed it. */
	if (rc)
		device_unname_iommu(&pdev->dev);
	return rc;
}

/**
 * mock_device_create - let a device appear
 * @flags: MOCK_FLAGS_DEVICE_..., all known
 *
 * Return: the device, blocked and bound to nobody, or an ERR_PTR; explained
 */
struct device *mock_device_create(u32 flags)
{
	struct platform_device *pdev;
	int id, rc;

	id = ida_alloc(&mock_device_ids, GFP_KERNEL);
	if (id < 0)
		return ERR_PTR(iommufd_refuse(id, "no number for a mock device"));
	pdev = platform_device_alloc("iommufd_mock", id);
	if (!pdev) {
		rc = -ENOMEM;
		goto err_id;
	}
	rc = device_add_to_bus(pdev, flags);
	if (rc)
		goto err_device;
	/* The core only warns where an IOMMU fails to take a device on. */
	if (!device_iommu_mapped(&pdev->dev)) {
		platform_device_unregister(pdev);
		rc = -ENOMEM;
		goto err_id;
	}
	return &pdev->dev;

err_device:
	platform_device_put(pdev);
err_id:
	ida_free(&mock_device_ids, id);
	return ERR_PTR(iommufd_refuse(rc, "a mock device cannot be made"));
}

/**
 * mock_device_destroy - let a device vanish
 * @dev: from mock_device_create()
 */
void mock_device_destroy(struct device *dev)
{
	struct platform_device *pdev = to_platform_device(dev);
	int id = pdev->id;

	platform_device_unregister(pdev);
	ida_free(&mock_device_ids, id);
}

int mock_hw_info(struct device *dev, u32 type, struct iommufd_hw_data *out)
{
	struct iommu_test_hw_info *info;

	if (type != IOMMU_HW_INFO_TYPE_DEFAULT &&
	    type != IOMMU_HW_INFO_TYPE_SELFTEST)
		return iommufd_refuse(-EOPNOTSUPP,
				      "the mock IOMMU has no information of type 0x%x",
				      type);
	info = kzalloc(sizeof(*info), GFP_KERNEL_ACCOUNT);
	if (!info)
		return iommufd_refuse(-ENOMEM, "no memory to describe the mock IOMMU");
	info->test_reg = IOMMU_HW_INFO_SELFTEST_REGVAL;
	out->type = IOMMU_HW_INFO_TYPE_SELFTEST;
	out->len = sizeof(*info);
	out->data = info;
	if (to_mock_device(dev)->has_pasid)
		out->max_pasid_log2 = MOCK_PASID_WIDTH;
	return 0;
}

u64 mock_capabilities(struct device *dev)
{
	return to_mock_device(dev)->no_dirty ? 0 : IOMMU_HW_CAP_DIRTY_TRACKING;
}

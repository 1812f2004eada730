// SPDX-License-Identifier: GPL-2.0
#include "mem.h"
#include "mock_viommu.h"

int mock_nested(int fd, uint32_t dev, uint32_t pt, uint32_t iotlb, uint32_t *hwpt)
{
	struct iommu_hwpt_selftest data = { .iotlb = iotlb };
	struct iommu_hwpt_alloc c = {
		.size = sizeof(c),
		.dev_id = dev,
		.pt_id = pt,
		.data_type = IOMMU_HWPT_DATA_SELFTEST,
		.data_len = sizeof(data),
		.data_uptr = (uintptr_t)&data,
	};
	int rc = iofd_ioctl(fd, IOMMU_HWPT_ALLOC, &c);

	*hwpt = c.out_hwpt_id;
	return rc;
}

int mock_check_iotlb(int fd, uint32_t hwpt, uint32_t id, uint32_t value)
{
	struct iommu_test_cmd c = {
		.id = hwpt,
		.check_iotlb = { .id = id, .iotlb = value },
	};

	return mock_cmd(fd, IOMMU_TEST_OP_MD_CHECK_IOTLB, &c);
}

int mock_check_cache(int fd, uint32_t dev, uint32_t id, uint32_t value)
{
	struct iommu_test_cmd c = {
		.id = dev,
		.check_dev_cache = { .id = id, .cache = value },
	};

	return mock_cmd(fd, IOMMU_TEST_OP_DEV_CHECK_CACHE, &c);
}

int mock_viommu(int fd, uint32_t dev, uint32_t hwpt,
		struct iommu_viommu_selftest *data, uint32_t *viommu)
{
	struct iommu_viommu_alloc c = {
		.size = sizeof(c),
		.type = IOMMU_VIOMMU_TYPE_SELFTEST,
		.dev_id = dev,
		.hwpt_id = hwpt,
		.data_len = data ? sizeof(*data) : 0,
		.data_uptr = (uintptr_t)data,
	};
	int rc = iofd_ioctl(fd, IOMMU_VIOMMU_ALLOC, &c);

	*viommu = c.out_viommu_id;
	return rc;
}

int mock_vdevice(int fd, uint32_t viommu, uint32_t dev, uint64_t virt_id,
		 uint32_t *vdevice)
{
	struct iommu_vdevice_alloc c = {
		.size = sizeof(c),
		.viommu_id = viommu,
		.dev_id = dev,
		.virt_id = virt_id,
	};
	int rc = iofd_ioctl(fd, IOMMU_VDEVICE_ALLOC, &c);

	*vdevice = c.out_vdevice_id;
	return rc;
}

int mock_queue(int fd, uint32_t viommu, uint32_t index, uint64_t iova,
	       uint64_t length, uint32_t *queue)
{
	struct iommu_hw_queue_alloc c = {
		.size = sizeof(c),
		.viommu_id = viommu,
		.type = IOMMU_HW_QUEUE_TYPE_SELFTEST,
		.index = index,
		.nesting_parent_iova = iova,
		.length = length,
	};
	int rc = iofd_ioctl(fd, IOMMU_HW_QUEUE_ALLOC, &c);

	*queue = c.out_hw_queue_id;
	return rc;
}

int mock_invalidate(int fd, uint32_t id, uint32_t type, const void *data,
		    uint32_t length, uint32_t *num)
{
	struct iommu_hwpt_invalidate c = {
		.size = sizeof(c),
		.hwpt_id = id,
		.data_uptr = (uintptr_t)data,
		.data_type = type,
		.entry_len = length,
		.entry_num = *num,
	};
	int rc = iofd_ioctl(fd, IOMMU_HWPT_INVALIDATE, &c);

	*num = c.entry_num;
	return rc;
}

void mock_vm(struct mock_vm *vm)
{
	mock_open(&vm->s);
	vm->mem = mem_anon(VM_MEM);
	CHECK(vm->mem);
	OK(mock_device(vm->s.fd, vm->s.ioas, 0, &vm->dev));
	OK(iofd_hwpt(vm->s.fd, vm->dev.idev, vm->s.ioas,
		     IOMMU_HWPT_ALLOC_NEST_PARENT, &vm->parent));
	OK(mock_replace(vm->s.fd, &vm->dev, vm->parent));
	OK(space_map(&vm->s, vm->mem, VM_MEM, APERTURE));
	OK(mock_viommu(vm->s.fd, vm->dev.idev, vm->parent, NULL, &vm->viommu));
}

// SPDX-License-Identifier: GPL-2.0
#include "mock_pasid.h"

int mock_pasid_attach(int fd, const struct mockdev *m, uint32_t pasid, uint32_t pt)
{
	struct iommu_test_cmd c = {
		.id = m->stdev,
		.pasid_attach = { .pasid = pasid, .pt_id = pt },
	};

	return mock_cmd(fd, IOMMU_TEST_OP_PASID_ATTACH, &c);
}

int mock_pasid_replace(int fd, const struct mockdev *m, uint32_t pasid, uint32_t pt)
{
	struct iommu_test_cmd c = {
		.id = m->stdev,
		.pasid_replace = { .pasid = pasid, .pt_id = pt },
	};

	return mock_cmd(fd, IOMMU_TEST_OP_PASID_REPLACE, &c);
}

int mock_pasid_detach(int fd, const struct mockdev *m, uint32_t pasid)
{
	struct iommu_test_cmd c = {
		.id = m->stdev,
		.pasid_detach = { .pasid = pasid },
	};

	return mock_cmd(fd, IOMMU_TEST_OP_PASID_DETACH, &c);
}

int mock_pasid_check(int fd, const struct mockdev *m, uint32_t pasid, uint32_t hwpt)
{
	struct iommu_test_cmd c = {
		.id = m->stdev,
		.pasid_check = { .pasid = pasid, .hwpt_id = hwpt },
	};

	return mock_cmd(fd, IOMMU_TEST_OP_PASID_CHECK_HWPT, &c);
}

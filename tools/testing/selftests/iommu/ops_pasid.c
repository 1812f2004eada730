// SPDX-License-Identifier: GPL-2.0
/* PASIDs of a mock device, as operations. */
#include "mock_pasid.h"
#include "ops.h"

#define PASID 70000

static struct mockdev m;
/* the address space of ops_env reaches below what the mock translates */
static uint32_t ioas, one, two;

static void make_device(struct ops_env *e)
{
	OK(iofd_ioas(e->fd, &ioas));
	OK(iofd_map_at(e->fd, ioas, e->mem, 16 * 4096, APERTURE));
	OK(mock_device(e->fd, ioas, MOCK_FLAGS_DEVICE_PASID, &m));
	OK(iofd_hwpt(e->fd, m.idev, ioas, IOMMU_HWPT_ALLOC_PASID, &one));
	OK(iofd_hwpt(e->fd, m.idev, ioas, IOMMU_HWPT_ALLOC_PASID, &two));
	OK(mock_replace(e->fd, &m, one));
}

static void drop_device(struct ops_env *e)
{
	OK(iofd_destroy(e->fd, m.stdev));
	OK(iofd_destroy(e->fd, one));
	OK(iofd_destroy(e->fd, two));
	OK(iofd_destroy(e->fd, ioas));
}

static void attach_first(struct ops_env *e)
{
	make_device(e);
	OK(mock_pasid_attach(e->fd, &m, PASID, one));
}

static void attach_in_steps(struct ops_env *e)
{
	attach_first(e);
	mock_parameter("replace_pasid", 0);
}

static void drop_in_steps(struct ops_env *e)
{
	mock_parameter("replace_pasid", 1);
	drop_device(e);
}

static int hwpt_for_pasids(struct ops_env *e)
{
	return iofd_hwpt(e->fd, m.idev, ioas, IOMMU_HWPT_ALLOC_PASID, &e->id);
}

static void drop_hwpt(struct ops_env *e)
{
	OK(iofd_destroy(e->fd, e->id));
	drop_device(e);
}

static int pasid_attach(struct ops_env *e)
{
	return mock_pasid_attach(e->fd, &m, PASID, two);
}

static int pasid_replace(struct ops_env *e)
{
	return mock_pasid_replace(e->fd, &m, PASID, two);
}

static int pasid_detach(struct ops_env *e)
{
	return mock_pasid_detach(e->fd, &m, PASID);
}

/* on its way to an address space that has no window for interrupts yet */
static void prepare_move(struct ops_env *e)
{
	make_device(e);
	OK(iofd_ioas(e->fd, &e->id));
	mock_sw_msi(true);
}

static int move_device(struct ops_env *e)
{
	return mock_replace(e->fd, &m, e->id);
}

static void drop_moved(struct ops_env *e)
{
	mock_sw_msi(false);
	drop_device(e);
	OK(iofd_destroy(e->fd, e->id));
}

static int get_pa(struct ops_env *e)
{
	struct iommu_ioas_noiommu_get_pa c = {
		.size = sizeof(c),
		.ioas_id = ioas,
		.iova = APERTURE,
		.length = 4096,
	};

	return iofd_ioctl(e->fd, IOMMU_IOAS_NOIOMMU_GET_PA, &c);
}

static const struct ops_op ops[] = {
	{ "HWPT_ALLOC for PASIDs", 0, IOMMU_HWPT_ALLOC, make_device, hwpt_for_pasids, drop_hwpt },
	{ "a PASID attached", 0, IOMMU_TEST_CMD, make_device, pasid_attach, drop_device },
	{ "a PASID moved", 0, IOMMU_TEST_CMD, attach_first, pasid_replace, drop_device },
	{ "a PASID moved in steps", 0, IOMMU_TEST_CMD, attach_in_steps, pasid_replace, drop_in_steps },
	{ "a PASID detached", 0, IOMMU_TEST_CMD, attach_first, pasid_detach, drop_device },
	{ "a device moved whose interrupts are translated", 0, IOMMU_TEST_CMD, prepare_move,
	  move_device, drop_moved, .lasting = 1 },
	{ "NOIOMMU_GET_PA", 0, IOMMU_IOAS_NOIOMMU_GET_PA, make_device, get_pa, drop_device },
};

const struct ops_table ops_pasid = { ops, sizeof(ops) / sizeof(ops[0]) };

// SPDX-License-Identifier: GPL-2.0
/* Fault queues, vEVENTQs and what they tell of a mock device, as operations. */
#include <unistd.h>

#include "mock_event.h"
#include "mock_viommu.h"
#include "ops.h"

static struct mockdev m;
static uint32_t ioas, queue_id, table, parent, viommu, vdevice;
static int queue;

static void make_device(struct ops_env *e)
{
	OK(iofd_ioas(e->fd, &ioas));
	OK(mock_device(e->fd, ioas, MOCK_FLAGS_DEVICE_PASID, &m));
	queue = OK(event_fault_queue(e->fd, &queue_id));
}

static void make_table(struct ops_env *e)
{
	make_device(e);
	OK(event_hwpt(e->fd, m.idev, ioas, queue_id, 0, &table));
}

static void make_attached(struct ops_env *e)
{
	make_table(e);
	OK(mock_replace(e->fd, &m, table));
}

static void make_request(struct ops_env *e)
{
	make_attached(e);
	OK(event_request(e->fd, m.idev, 0, 1, 1, 0x1000));
}

static void drop_device(struct ops_env *e)
{
	OK(iofd_destroy(e->fd, m.stdev));
	OK(iofd_destroy(e->fd, table));
	close(queue);
	OK(iofd_destroy(e->fd, queue_id));
	OK(iofd_destroy(e->fd, ioas));
}

static int alloc_queue(struct ops_env *e)
{
	int rc = event_fault_queue(e->fd, &e->id);

	if (rc < 0)
		return rc;
	e->other = rc;
	return 0;
}

static void drop_queue(struct ops_env *e)
{
	close(e->other);
	e->other = -1;
	OK(iofd_destroy(e->fd, e->id));
}

static int alloc_table(struct ops_env *e)
{
	return event_hwpt(e->fd, m.idev, ioas, queue_id, 0, &table);
}

static int attach_table(struct ops_env *e)
{
	return mock_replace(e->fd, &m, table);
}

static int request(struct ops_env *e)
{
	return event_request(e->fd, m.idev, 0, 1, 1, 0x1000);
}

static int read_request(struct ops_env *e)
{
	struct iommu_hwpt_pgfault f;
	ssize_t n = event_read(queue, &f, sizeof(f));

	return n < 0 ? n : n == sizeof(f) ? 0 : -EIO;
}

static void make_viommu(struct ops_env *e)
{
	OK(iofd_ioas(e->fd, &ioas));
	OK(mock_device(e->fd, ioas, 0, &m));
	OK(iofd_hwpt(e->fd, m.idev, ioas, IOMMU_HWPT_ALLOC_NEST_PARENT, &parent));
	OK(mock_viommu(e->fd, m.idev, parent, NULL, &viommu));
	OK(mock_vdevice(e->fd, viommu, m.idev, 5, &vdevice));
}

static void make_veventq(struct ops_env *e)
{
	make_viommu(e);
	queue = OK(event_veventq(e->fd, viommu, IOMMU_VEVENTQ_TYPE_SELFTEST, 2, &queue_id));
}

static void drop_viommu(struct ops_env *e)
{
	OK(iofd_destroy(e->fd, vdevice));
	OK(iofd_destroy(e->fd, viommu));
	OK(iofd_destroy(e->fd, parent));
	OK(iofd_destroy(e->fd, m.stdev));
	OK(iofd_destroy(e->fd, ioas));
}

static int alloc_veventq(struct ops_env *e)
{
	int rc = event_veventq(e->fd, viommu, IOMMU_VEVENTQ_TYPE_SELFTEST, 2, &e->id);

	if (rc < 0)
		return rc;
	e->other = rc;
	return 0;
}

static void drop_new_veventq(struct ops_env *e)
{
	drop_queue(e);
	drop_viommu(e);
}

static int event(struct ops_env *e)
{
	struct iommufd_vevent_header h;
	int rc = event_trigger(e->fd, m.idev);

	/* that one was lost is not what it was before */
	if (rc == -ENOMEM && event_read(queue, &h, sizeof(h)) != sizeof(h))
		return -EIO;
	return rc;
}

static void drop_veventq(struct ops_env *e)
{
	close(queue);
	OK(iofd_destroy(e->fd, queue_id));
	drop_viommu(e);
}

static const struct ops_op ops[] = {
	{ "FAULT_QUEUE_ALLOC", 0, IOMMU_FAULT_QUEUE_ALLOC, NULL, alloc_queue, drop_queue },
	{ "HWPT_ALLOC with a fault queue", 0, IOMMU_HWPT_ALLOC, make_device, alloc_table,
	  drop_device },
	{ "a device put on a table with a fault queue", 0, IOMMU_TEST_CMD, make_table,
	  attach_table, drop_device, .lasting = 1 },
	/* without memory it is answered at once */
	{ "a page request", 0, IOMMU_TEST_CMD, make_attached, request, drop_device },
	{ "a page request read", 0, 0, make_request, read_request, drop_device },
	{ "VEVENTQ_ALLOC", 0, IOMMU_VEVENTQ_ALLOC, make_viommu, alloc_veventq, drop_new_veventq },
	{ "an event", 0, IOMMU_TEST_CMD, make_veventq, event, drop_veventq },
};

const struct ops_table ops_event = { ops, sizeof(ops) / sizeof(ops[0]) };

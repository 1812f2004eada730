// SPDX-License-Identifier: GPL-2.0
/*
 * Everything that has to do with page requests and events against everything
 * else of it (pairs.h). However they meet, each group of requests is answered once.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mock_event.h"
#include "mock_pasid.h"
#include "mock_viommu.h"
#include "pairs.h"

#define PASID 7
#define VEVENT IOMMU_VEVENTQ_TYPE_SELFTEST

static struct space s;
static struct mockdev m;
static struct eventdev dev;
/* a queue, another; tables without one, with the first, with the second */
static uint32_t queue_id[2], parent, viommu;
static _Atomic uint32_t table[3], vdevice, veventq_id;
static int queue[2], veventq;
/* held while a descriptor's number may mean something else */
static pthread_rwlock_t files = PTHREAD_RWLOCK_INITIALIZER;
/* of who makes something anew, so that no id is kept of what another one destroyed */
static pthread_mutex_t renewing = PTHREAD_MUTEX_INITIALIZER;

static _Atomic unsigned int sent;

static int table_alloc(uint32_t fault, uint32_t *id)
{
	struct iommu_hwpt_alloc c = {
		.size = sizeof(c),
		.flags = IOMMU_HWPT_ALLOC_PASID | (fault ? IOMMU_HWPT_FAULT_ID_VALID : 0),
		.dev_id = m.idev,
		.pt_id = s.ioas,
		.fault_id = fault,
	};
	int rc = iofd_ioctl(s.fd, IOMMU_HWPT_ALLOC, &c);

	*id = c.out_hwpt_id;
	return rc;
}

static int request(uint32_t pasid, unsigned int *seed)
{
	int rc = event_request(s.fd, m.idev, pasid, rand_r(seed) % 8, 1, 0x1000);

	sent += !rc;
	return rc;
}

static int op_request(unsigned int *seed)
{
	return request(0, seed);
}

static int op_request_pasid(unsigned int *seed)
{
	return request(PASID + rand_r(seed) % 2, seed);
}

static int op_group(unsigned int *seed)
{
	char text[64];
	int rc;

	snprintf(text, sizeof(text), "%s 1%x 1 1000 0\n%s 1%x 1 2000 1\n",
		 rand_r(seed) % 2 ? "-" : "7", rand_r(seed) % 2, "-", rand_r(seed) % 2);
	rc = event_send(&dev, text);
	sent += !rc;
	return rc;
}

static int op_serve(unsigned int *seed)
{
	struct iommu_hwpt_pgfault f[20];
	int i = rand_r(seed) % 2, rc = 0;
	ssize_t n, k;

	pthread_rwlock_rdlock(&files);
	n = event_read(queue[i], f, sizeof(f));
	for (k = 0; k < n / (ssize_t)sizeof(*f); k++)
		if (f[k].flags & IOMMU_PGFAULT_FLAGS_LAST_PAGE)
			rc = event_answer(queue[i], f[k].cookie, k & 1);
	pthread_rwlock_unlock(&files);
	return n < 0 ? n : rc;
}

static int op_guess(unsigned int *seed)
{
	int rc;

	pthread_rwlock_rdlock(&files);
	rc = event_answer(queue[rand_r(seed) % 2], rand_r(seed) % 1000, 0);
	event_poll(queue[0], 0);
	pthread_rwlock_unlock(&files);
	return rc;
}

static int op_replace(unsigned int *seed)
{
	struct mockdev copy = m;

	return mock_replace(s.fd, &copy, table[rand_r(seed) % 3]);
}

static int op_pasid(unsigned int *seed)
{
	uint32_t pasid = PASID + rand_r(seed) % 2, to = table[rand_r(seed) % 3];

	switch (rand_r(seed) % 3) {
	case 0:
		return mock_pasid_attach(s.fd, &m, pasid, to);
	case 1:
		return mock_pasid_replace(s.fd, &m, pasid, to);
	default:
		return mock_pasid_detach(s.fd, &m, pasid);
	}
}

static int op_renew_table(unsigned int *seed)
{
	int i = rand_r(seed) % 3, rc;
	uint32_t id;

	pthread_mutex_lock(&renewing);
	rc = iofd_destroy(s.fd, table[i]);
	if (!rc) {
		CHECK(!table_alloc(i ? queue_id[i - 1] : 0, &id));
		table[i] = id;
	}
	pthread_mutex_unlock(&renewing);
	return rc;
}

/* A queue that is closed while a device is on its table. */
static int op_short_queue(unsigned int *seed)
{
	struct mockdev copy = m;
	uint32_t id, hwpt;
	int rc, q = event_fault_queue(s.fd, &id);

	if (q < 0)
		return q;
	rc = table_alloc(id, &hwpt);
	if (!rc) {
		rc = mock_replace(s.fd, &copy, hwpt);
		close(q);
		/* the other thread's table may just have gone */
		while (iofd_destroy(s.fd, hwpt) == -EBUSY)
			mock_replace(s.fd, &copy, table[rand_r(seed) % 3]);
	} else {
		close(q);
	}
	CHECK(!iofd_destroy(s.fd, id));
	return rc;
}

/* Another descriptor of the first queue, which readers may be using. */
static int op_reopen(unsigned int *seed)
{
	int copy;

	pthread_rwlock_wrlock(&files);
	copy = dup(queue[0]);
	close(queue[0]);
	queue[0] = copy;
	pthread_rwlock_unlock(&files);
	return copy < 0 ? -errno : 0;
}

static int op_device(unsigned int *seed)
{
	struct mockdev other;
	int rc = mock_device(s.fd, table[1 + rand_r(seed) % 2], 0, &other);

	if (rc)
		return rc;
	event_request(s.fd, other.idev, 0, 1, 1, 0x1000);
	return iofd_destroy(s.fd, other.stdev);
}

static int op_event(unsigned int *seed)
{
	return event_trigger(s.fd, m.idev);
}

static int op_vdevice(unsigned int *seed)
{
	uint32_t id;

	pthread_mutex_lock(&renewing);
	CHECK(!iofd_destroy(s.fd, vdevice));
	CHECK(!mock_vdevice(s.fd, viommu, m.idev, rand_r(seed) % 4, &id));
	vdevice = id;
	pthread_mutex_unlock(&renewing);
	return 0;
}

static int op_read_event(unsigned int *seed)
{
	char buf[64];
	ssize_t n;

	pthread_rwlock_rdlock(&files);
	n = event_read(veventq, buf, 8 + rand_r(seed) % 40);
	event_poll(veventq, 0);
	pthread_rwlock_unlock(&files);
	return n < 0 ? n : 0;
}

static int op_renew_veventq(unsigned int *seed)
{
	uint32_t id;
	int q;

	pthread_rwlock_wrlock(&files);
	close(veventq);
	CHECK(!iofd_destroy(s.fd, veventq_id));
	q = event_veventq(s.fd, viommu, VEVENT, 1 + rand_r(seed) % 4, &id);
	CHECK(q >= 0);
	veventq = q;
	veventq_id = id;
	pthread_rwlock_unlock(&files);
	return 0;
}

static int op_look(unsigned int *seed)
{
	iofd_objects(s.fd, NULL);
	pthread_rwlock_rdlock(&files);
	iofd_objects(queue[1], NULL);
	iofd_objects(veventq, NULL);
	pthread_rwlock_unlock(&files);
	return 0;
}

static const struct pairs_op operations[] = {
	{ "a request", op_request },
	{ "a request of a PASID", op_request_pasid },
	{ "a group of requests", op_group },
	{ "reading and answering", op_serve },
	{ "a guessed answer", op_guess },
	{ "REPLACE", op_replace },
	{ "PASIDs", op_pasid },
	{ "a table anew", op_renew_table },
	{ "a queue that is closed under a device", op_short_queue },
	{ "another descriptor of a queue", op_reopen },
	{ "another device", op_device },
	{ "an event", op_event },
	{ "a vDEVICE anew", op_vdevice },
	{ "reading events", op_read_event },
	{ "a vEVENTQ anew", op_renew_veventq },
	{ "fdinfo", op_look },
};

static void set_up(int devices)
{
	uint32_t id;
	int i;

	mock_open(&s);
	sent = 0;
	OK(mock_device(s.fd, s.ioas, MOCK_FLAGS_DEVICE_PASID, &m));
	dev = event_device(s.fd, m.idev);
	for (i = 0; i < 3; i++) {
		if (i)
			queue[i - 1] = OK(event_fault_queue(s.fd, &queue_id[i - 1]));
		OK(table_alloc(i ? queue_id[i - 1] : 0, &id));
		table[i] = id;
	}
	OK(mock_replace(s.fd, &m, table[1]));
	OK(iofd_hwpt(s.fd, m.idev, s.ioas, IOMMU_HWPT_ALLOC_NEST_PARENT, &parent));
	OK(mock_viommu(s.fd, m.idev, parent, NULL, &viommu));
	OK(mock_vdevice(s.fd, viommu, m.idev, 0, &id));
	vdevice = id;
	veventq = OK(event_veventq(s.fd, viommu, VEVENT, 4, &id));
	veventq_id = id;
}

/* The device on a table without a queue: no request of it waits any more. */
static void done(void)
{
	unsigned int n;
	uint32_t id;
	int i;

	OK(table_alloc(0, &id));
	OK(mock_replace(s.fd, &m, id));
	for (i = 0; i < 2; i++)
		OK(mock_pasid_detach(s.fd, &m, PASID + i));
	n = event_responses(&dev, NULL);
	if (n != sent)
		tap_fail(__FILE__, __LINE__, "%u groups, %u answers", sent, n);
	CHECK_EQ(event_poll(queue[0], 0) | event_poll(queue[1], 0), 0);
	OK(iofd_destroy(s.fd, m.stdev));
	close(queue[0]);
	close(queue[1]);
	close(veventq);
}

static const struct pairs pairs = {
	.mock = true,
	.ops = operations,
	.count = sizeof(operations) / sizeof(operations[0]),
	.also = { -EINVAL, -EOPNOTSUPP },
	.set_up = set_up,
	.done = done,
	.fd = &s.fd,
};

int main(int argc, char **argv)
{
	return pairs_run(argc, argv, &pairs);
}

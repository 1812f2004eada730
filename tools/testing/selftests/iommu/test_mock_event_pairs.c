// SPDX-License-Identifier: GPL-2.0
/*
 * Everything that has to do with page requests and events against everything
 * else of it: two threads on one device, each doing its own over and over for a
 * short while. However they meet, each group of requests is answered once, each
 * answer of a call is one that the situation can have given, and nothing stays.
 *
 * One test per operation, against itself and all that come after it. PAIRS_MS
 * sets how long each pair runs.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mock_event.h"
#include "mock_pasid.h"
#include "mock_viommu.h"

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

static _Atomic bool stop;
static _Atomic unsigned int sent;

struct operation {
	const char *name;
	int (*run)(unsigned int *seed);
};

struct worker {
	const struct operation *op;
	pthread_t thread;
	unsigned int seed;
	_Atomic unsigned long rounds, done;
};

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

static const struct operation operations[] = {
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

#define OPERATIONS (sizeof(operations) / sizeof(operations[0]))

/* What an object of the other thread, its absence or its presence may cause. */
static bool possible(int rc)
{
	return rc >= 0 || rc == -ENOENT || rc == -EBUSY || rc == -EEXIST || rc == -EINVAL ||
	       rc == -EOPNOTSUPP;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	int rc;

	while (!stop) {
		rc = w->op->run(&w->seed);
		w->rounds++;
		w->done += rc >= 0;
		if (!possible(rc))
			tap_fail(__FILE__, __LINE__, "%s gave %s: %s", w->op->name, tap_errno(rc),
				 iommufd_last_reason(s.fd));
	}
	return NULL;
}

static void begin(void)
{
	uint32_t id;
	int i;

	mock_open(&s);
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

static void run_pair(const struct operation *a, const struct operation *b, unsigned int ms)
{
	struct timespec pause = { .tv_nsec = ms * 1000000L };
	struct worker w[2] = { { .op = a, .seed = ms }, { .op = b, .seed = ms + 1 } };
	int i, tries;

	stop = false;
	for (i = 0; i < 2; i++)
		CHECK(!pthread_create(&w[i].thread, NULL, work, &w[i]));
	/* until both have run, also on a busy machine */
	for (tries = 0; tries < 1000 && !(w[0].rounds && w[1].rounds && tries); tries++)
		nanosleep(&pause, NULL);
	stop = true;
	for (i = 0; i < 2; i++)
		CHECK(!pthread_join(w[i].thread, NULL));
	CHECK(w[0].rounds && w[1].rounds);
	if (getenv("PAIRS_VERBOSE"))
		tap_note("%s %lu of %lu, %s %lu of %lu", a->name, w[0].done, w[0].rounds, b->name,
			 w[1].done, w[1].rounds);
}

/* The device on a table without a queue: no request of it waits any more. */
static void check_answered(const char *pair)
{
	uint32_t id;
	unsigned int n;
	int i;

	OK(table_alloc(0, &id));
	OK(mock_replace(s.fd, &m, id));
	for (i = 0; i < 2; i++)
		OK(mock_pasid_detach(s.fd, &m, PASID + i));
	n = event_responses(&dev, NULL);
	if (n != sent)
		tap_fail(__FILE__, __LINE__, "%s: %u groups, %u answers", pair, sent, n);
	CHECK_EQ(event_poll(queue[0], 0) | event_poll(queue[1], 0), 0);
	OK(mock_replace(s.fd, &m, table[1]));
	OK(iofd_destroy(s.fd, id));
}

static void one(void)
{
	const struct operation *a = tap_current->arg, *b;
	const char *ms = getenv("PAIRS_MS");
	char pair[128];

	begin();
	for (b = a; b < operations + OPERATIONS; b++) {
		snprintf(pair, sizeof(pair), "%s against %s", a->name, b->name);
		run_pair(a, b, ms ? atoi(ms) : 40);
		check_answered(pair);
	}
	OK(iofd_destroy(s.fd, m.stdev));
	close(queue[0]);
	close(queue[1]);
	close(veventq);
}

int main(int argc, char **argv)
{
	struct tap_test *tests = calloc(OPERATIONS, sizeof(*tests));
	unsigned int i;

	for (i = 0; i < OPERATIONS; i++)
		tests[i] = (struct tap_test){
			.title = operations[i].name,
			.run = one,
			.seconds = 120,
			.arg = &operations[i],
		};
	return mock_run(argc, argv, tests, OPERATIONS);
}

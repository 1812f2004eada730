// SPDX-License-Identifier: GPL-2.0
/*
 * Events of a vIOMMU: each is read once, in order, with the virtual id of its
 * device; those that are lost are missed by their numbers.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mem.h"
#include "mock_event.h"
#include "mock_viommu.h"

#define PAGE 4096UL
#define TYPE IOMMU_VEVENTQ_TYPE_SELFTEST
#define VIRT_ID 0x88
#define QUEUE(call, want) REFUSED(queue, 0, call, want)
#define ALLOC(call, want) REFUSED(vm.s.fd, IOMMU_VEVENTQ_ALLOC, call, want)
#define TRIGGER(want) REFUSED(vm.s.fd, IOMMU_TEST_CMD, event_trigger(vm.s.fd, vm.dev.idev), want)

struct event {
	struct iommufd_vevent_header header;
	struct iommu_viommu_event_selftest data;
};

static struct mock_vm vm;
static uint32_t vdevice, queue_id;
static int queue;

/* A vIOMMU with a device in it and a queue. */
static void begin(uint32_t depth)
{
	mock_vm(&vm);
	OK(mock_vdevice(vm.s.fd, vm.viommu, vm.dev.idev, VIRT_ID, &vdevice));
	queue = OK(event_veventq(vm.s.fd, vm.viommu, TYPE, depth, &queue_id));
}

static void trigger(unsigned int count)
{
	while (count--)
		OK(event_trigger(vm.s.fd, vm.dev.idev));
}

static void check_event(const struct event *e, uint32_t sequence, uint32_t virt_id)
{
	CHECK_EQ(e->header.flags, 0);
	CHECK_EQ(e->header.sequence, sequence);
	CHECK_EQ(e->data.virt_id, virt_id);
}

static void read_event(uint32_t sequence, uint32_t virt_id)
{
	struct event e;

	CHECK_EQ(event_read(queue, &e, sizeof(e)), sizeof(e));
	check_event(&e, sequence, virt_id);
}

static void read_lost(uint32_t sequence)
{
	struct iommufd_vevent_header h;

	CHECK_EQ(event_poll(queue, 0), POLLIN);
	CHECK_EQ(event_read(queue, &h, sizeof(h)), sizeof(h));
	CHECK_EQ(h.flags, IOMMU_VEVENTQ_FLAG_LOST_EVENTS);
	CHECK_EQ(h.sequence, sequence);
}

static void alloc(void)
{
	struct iommu_veventq_alloc c = { .size = sizeof(c) }, good, *page;
	int low;

	mock_vm(&vm);
	low = dup(vm.s.fd);
	close(low);
	good = (struct iommu_veventq_alloc){
		.size = sizeof(c), .viommu_id = vm.viommu, .type = TYPE, .veventq_depth = 8,
	};
#define BAD(field, value, want) do {						\
		c = good;							\
		c.field = value;						\
		ALLOC(iofd_ioctl(vm.s.fd, IOMMU_VEVENTQ_ALLOC, &c), want);	\
	} while (0)
	BAD(flags, 1, -EOPNOTSUPP);
	BAD(__reserved, 1, -EOPNOTSUPP);
	BAD(type, 0, -EOPNOTSUPP);
	BAD(type, IOMMU_VEVENTQ_TYPE_ARM_SMMUV3, -EOPNOTSUPP);
	BAD(type, ~0U, -EOPNOTSUPP);
	BAD(veventq_depth, 0, -EINVAL);
	BAD(veventq_depth, (1 << 19) + 1, -EINVAL);
	BAD(veventq_depth, ~0U, -EINVAL);
	BAD(viommu_id, 0, -ENOENT);
	BAD(viommu_id, vm.parent, -ENOENT);
	BAD(viommu_id, 12345, -ENOENT);
	BAD(size, 24, -EINVAL);
#undef BAD
	page = mem_anon(PAGE);
	*page = good;
	CHECK(!mprotect(page, PAGE, PROT_READ));
	ALLOC(iofd_ioctl(vm.s.fd, IOMMU_VEVENTQ_ALLOC, page), -EFAULT);
	CHECK_EQ(iofd_objects(vm.s.fd, "veventq"), 0);
	CHECK_EQ(dup(vm.s.fd), low);
	close(low);

	c = good;
	c.size = 28;
	c.veventq_depth = 1 << 19;
	OK(iofd_ioctl(vm.s.fd, IOMMU_VEVENTQ_ALLOC, &c));
	queue = c.out_veventq_fd;
	CHECK(fcntl(queue, F_GETFD) & FD_CLOEXEC);
	ALLOC(event_veventq(vm.s.fd, vm.viommu, TYPE, 8, NULL), -EEXIST);
	/* the file uses the queue, the queue the vIOMMU */
	REFUSED(vm.s.fd, IOMMU_DESTROY, iofd_destroy(vm.s.fd, c.out_veventq_id), -EBUSY);
	close(queue);
	ALLOC(event_veventq(vm.s.fd, vm.viommu, TYPE, 8, NULL), -EEXIST);
	REFUSED(vm.s.fd, IOMMU_DESTROY, iofd_destroy(vm.s.fd, vm.viommu), -EBUSY);
	OK(iofd_destroy(vm.s.fd, c.out_veventq_id));
	queue = OK(event_veventq(vm.s.fd, vm.viommu, TYPE, 8, &queue_id));
	close(queue);
	OK(iofd_destroy(vm.s.fd, queue_id));
	OK(iofd_destroy(vm.s.fd, vm.viommu));
}

static void events(void)
{
	struct event e[4];

	begin(8);
	CHECK_EQ(event_poll(queue, 0), 0);
	trigger(1);
	CHECK_EQ(event_poll(queue, 5000), POLLIN);
	read_event(0, VIRT_ID);
	CHECK_EQ(event_poll(queue, 0), 0);
	trigger(3);
	/* whole events only */
	CHECK_EQ(event_read(queue, e, 3 * sizeof(*e) - 1), 2 * sizeof(*e));
	check_event(&e[0], 1, VIRT_ID);
	check_event(&e[1], 2, VIRT_ID);
	CHECK_EQ(event_read(queue, e, sizeof(e)), sizeof(*e));
	check_event(&e[0], 3, VIRT_ID);
}

static void refusals(void)
{
	struct event e;
	char *edge;

	begin(2);
	edge = mem_anon(2 * PAGE);
	CHECK(!mprotect(edge + PAGE, PAGE, PROT_NONE));
	QUEUE(event_read(queue, &e, 0), -EINVAL);
	QUEUE(event_read(queue, &e, 7), -EINVAL);
	CHECK_EQ(event_read(queue, &e, 8), 0);
	CHECK_EQ(event_read(queue, &e, sizeof(e)), 0);
	CHECK(!fcntl(queue, F_SETFL, O_NONBLOCK));
	QUEUE(event_read(queue, &e, sizeof(e)), -EAGAIN);
	QUEUE(event_read(queue, &e, 7), -EINVAL);
	trigger(1);
	QUEUE(event_read(queue, &e, 0), -EINVAL);
	QUEUE(event_read(queue, &e, 7), -EINVAL);
	QUEUE(event_read(queue, &e, 8), -EINVAL);
	QUEUE(event_read(queue, &e, sizeof(e) - 1), -EINVAL);
	trigger(1);
	/* not read: it stays, where it was */
	QUEUE(event_read(queue, edge + PAGE - 8, sizeof(e)), -EFAULT);
	CHECK_EQ(event_read(queue, edge + PAGE - sizeof(e), 2 * sizeof(e)), sizeof(e));
	memcpy(&e, edge + PAGE - sizeof(e), sizeof(e));
	check_event(&e, 0, VIRT_ID);
	read_event(1, VIRT_ID);
	ERR(event_write(queue, &e, sizeof(e)), -EBADF);
	CHECK(pread(queue, &e, sizeof(e), 0) < 0 && errno == ESPIPE);
	/* nor is what was lost forgotten */
	trigger(3);
	read_event(2, VIRT_ID);
	read_event(3, VIRT_ID);
	QUEUE(event_read(queue, edge + PAGE - 4, 8), -EFAULT);
	read_lost(4);
	QUEUE(event_read(queue, &e, sizeof(e)), -EAGAIN);
}

static void no_reader(void)
{
	mock_vm(&vm);
	TRIGGER(-ENOENT);
	OK(mock_vdevice(vm.s.fd, vm.viommu, vm.dev.idev, VIRT_ID, &vdevice));
	TRIGGER(-EOPNOTSUPP);
	queue = OK(event_veventq(vm.s.fd, vm.viommu, TYPE, 1, &queue_id));
	trigger(1);
	close(queue);
	TRIGGER(-EOPNOTSUPP);
	REFUSED(vm.s.fd, IOMMU_TEST_CMD, event_trigger(vm.s.fd, vm.viommu), -ENOENT);
	REFUSED(vm.s.fd, IOMMU_TEST_CMD, event_trigger(vm.s.fd, 12345), -ENOENT);
}

static void overflow(void)
{
	struct event e[3];

	begin(2);
	trigger(5);
	/* as many as there is room for, then the number of the last one lost */
	CHECK_EQ(event_read(queue, e, sizeof(e)), 2 * sizeof(*e) + sizeof(e->header));
	check_event(&e[0], 0, VIRT_ID);
	check_event(&e[1], 1, VIRT_ID);
	CHECK_EQ(e[2].header.flags, IOMMU_VEVENTQ_FLAG_LOST_EVENTS);
	CHECK_EQ(e[2].header.sequence, 4);
	CHECK_EQ(event_poll(queue, 0), 0);
	trigger(1);
	read_event(5, VIRT_ID);
	CHECK_EQ(event_poll(queue, 0), 0);

	/* the number is a new one with each loss */
	trigger(3);
	read_event(6, VIRT_ID);
	trigger(1);
	/* where an event follows, the gap alone tells of the loss */
	trigger(1);
	read_event(7, VIRT_ID);
	read_event(9, VIRT_ID);
	read_lost(10);
	CHECK_EQ(event_poll(queue, 0), 0);
	/* and nothing but the gap */
	trigger(3);
	read_event(11, VIRT_ID);
	trigger(1);
	read_event(12, VIRT_ID);
	read_event(14, VIRT_ID);
	CHECK_EQ(event_poll(queue, 0), 0);
	CHECK_EQ(event_read(queue, e, sizeof(e)), 0);
	/* a loss between two reads of the header */
	trigger(4);
	read_event(15, VIRT_ID);
	read_event(16, VIRT_ID);
	read_lost(18);
	trigger(1);
	read_event(19, VIRT_ID);
	CHECK_EQ(event_read(queue, e, sizeof(e)), 0);
}

/* The events are those of the vIOMMU, whatever it calls its devices. */
static void vdevices(void)
{
	uint32_t other;

	begin(8);
	trigger(1);
	OK(iofd_destroy(vm.s.fd, vdevice));
	TRIGGER(-ENOENT);
	OK(mock_vdevice(vm.s.fd, vm.viommu, vm.dev.idev, 0x99, &vdevice));
	trigger(1);
	read_event(0, VIRT_ID);
	read_event(1, 0x99);
	/* in another vIOMMU it is another's */
	OK(iofd_destroy(vm.s.fd, vdevice));
	OK(mock_viommu(vm.s.fd, vm.dev.idev, vm.parent, NULL, &other));
	OK(mock_vdevice(vm.s.fd, other, vm.dev.idev, 0x77, &vdevice));
	TRIGGER(-EOPNOTSUPP);
	CHECK_EQ(event_poll(queue, 0), 0);
	queue = OK(event_veventq(vm.s.fd, other, TYPE, 8, NULL));
	trigger(1);
	read_event(0, 0x77);
}

static void device_goes(void)
{
	begin(8);
	trigger(2);
	OK(iofd_destroy(vm.s.fd, vm.dev.stdev));
	/* what it said before can still be read */
	read_event(0, VIRT_ID);
	TRIGGER(-ENOENT);
	read_event(1, VIRT_ID);
	CHECK_EQ(event_poll(queue, 0), 0);
}

static void closing(void)
{
	begin(8);
	trigger(2);
	close(vm.s.fd);
	read_event(0, VIRT_ID);
	close(queue);
	/* and the other way round, with events that nobody reads */
	begin(8);
	trigger(3);
	close(queue);
	close(vm.s.fd);
}

static void *wait_for_event(void *unused)
{
	return (void *)(long)event_poll(queue, 20000);
}

static void wakes(void)
{
	pthread_t t;
	void *events;

	begin(1);
	CHECK(!pthread_create(&t, NULL, wait_for_event, NULL));
	usleep(100000);
	trigger(1);
	CHECK(!pthread_join(t, &events));
	CHECK_EQ((long)events, POLLIN);
}

static void shown(void)
{
	char line[512], path[64];
	int found = 0;
	FILE *f;

	begin(2);
	trigger(3);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", queue);
	f = fopen(path, "re");
	CHECK(f);
	while (fgets(line, sizeof(line), f))
		found |= strstr(line, "type=veventq") && strstr(line, "depth=2 unread=2 lost");
	fclose(f);
	CHECK(found);
}

/* Events of two senders while the device's name changes. */
static _Atomic bool stop;
static _Atomic unsigned int sent;

static void *storm_trigger(void *unused)
{
	int rc;

	while (!stop) {
		rc = event_trigger(vm.s.fd, vm.dev.idev);
		CHECK(!rc || rc == -ENOENT);
		sent += !rc;
	}
	return NULL;
}

static void *storm_rename(void *unused)
{
	while (!stop) {
		CHECK(!iofd_destroy(vm.s.fd, vdevice));
		CHECK(!mock_vdevice(vm.s.fd, vm.viommu, vm.dev.idev, VIRT_ID, &vdevice));
	}
	return NULL;
}

static unsigned int got, lost, next;

/* What was read at once; a header may stand between two events. */
static void count(const char *at, const char *end)
{
	struct event e;

	while (at < end) {
		CHECK(end - at >= (long)sizeof(e.header));
		memcpy(&e.header, at, sizeof(e.header));
		at += sizeof(e.header);
		CHECK(e.header.sequence >= next);
		lost += e.header.sequence - next;
		next = e.header.sequence + 1;
		if (e.header.flags) {
			CHECK_EQ(e.header.flags, IOMMU_VEVENTQ_FLAG_LOST_EVENTS);
			lost++;
			continue;
		}
		CHECK(end - at >= (long)sizeof(e.data));
		memcpy(&e.data, at, sizeof(e.data));
		at += sizeof(e.data);
		CHECK_EQ(e.data.virt_id, VIRT_ID);
		got++;
	}
}

static void storm(void)
{
	char buf[64 * sizeof(struct event)];
	bool last = false;
	unsigned int i;
	pthread_t t[3];
	ssize_t n;

	begin(16);
	CHECK(!pthread_create(&t[0], NULL, storm_trigger, NULL));
	CHECK(!pthread_create(&t[1], NULL, storm_trigger, NULL));
	CHECK(!pthread_create(&t[2], NULL, storm_rename, NULL));
	for (i = 0; i < 2000 || !last; i++) {
		if (i == 2000) {
			stop = true;
			CHECK(!pthread_join(t[0], NULL) && !pthread_join(t[1], NULL) &&
			      !pthread_join(t[2], NULL));
			last = true;
		}
		n = OK(event_read(queue, buf, sizeof(buf)));
		count(buf, buf + n);
		if (!n)
			event_poll(queue, 1);
	}
	tap_note("%u events, %u of them lost", got + lost, lost);
	CHECK_EQ(got + lost, sent);
}

/* Queues come and go under the events. */
static void *storm_queues(void *unused)
{
	uint32_t id;
	int q;

	while (!stop) {
		q = event_veventq(vm.s.fd, vm.viommu, TYPE, 3, &id);
		CHECK(q >= 0);
		close(q);
		CHECK(!iofd_destroy(vm.s.fd, id));
	}
	return NULL;
}

static void *storm_trigger_any(void *unused)
{
	int rc;

	while (!stop) {
		rc = event_trigger(vm.s.fd, vm.dev.idev);
		CHECK(!rc || rc == -ENOENT || rc == -EOPNOTSUPP);
	}
	return NULL;
}

static void storm_going(void)
{
	pthread_t t[4];
	int i;

	begin(2);
	close(queue);
	OK(iofd_destroy(vm.s.fd, queue_id));
	CHECK(!pthread_create(&t[0], NULL, storm_trigger_any, NULL));
	CHECK(!pthread_create(&t[1], NULL, storm_trigger_any, NULL));
	CHECK(!pthread_create(&t[2], NULL, storm_queues, NULL));
	CHECK(!pthread_create(&t[3], NULL, storm_rename, NULL));
	sleep(2);
	stop = true;
	for (i = 0; i < 4; i++)
		CHECK(!pthread_join(t[i], NULL));
	CHECK_EQ(iofd_objects(vm.s.fd, "veventq"), 0);
}

static const struct tap_test tests[] = {
	{ "a queue is made, and refused", alloc },
	{ "events", events },
	{ "refusals", refusals },
	{ "events that nobody can read", no_reader },
	{ "more events than it holds", overflow },
	{ "virtual ids change", vdevices },
	{ "the device goes", device_goes },
	{ "files are closed in any order", closing },
	{ "poll", wakes },
	{ "what fdinfo shows", shown },
	{ "events, reads and vDEVICEs at once", storm, 60 },
	{ "queues come and go", storm_going, 60 },
};

int main(int argc, char **argv)
{
	return MOCK_RUN(argc, argv, tests);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Page requests: each group reaches the queue of the page table it was made
 * through, as it was made, and each is answered exactly once.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mem.h"
#include "mock_event.h"
#include "mock_pasid.h"
#include "mock_viommu.h"

#define PAGE 4096UL
#define ADDR 0x1234000UL
#define NONE (-1L)
/* A refusal by the queue's file, which is no ioctl. */
#define QUEUE(call, want) REFUSED(queue, 0, call, want)
#define ALLOC(call, want) REFUSED(s.fd, IOMMU_FAULT_QUEUE_ALLOC, call, want)

static struct space s;
static struct mockdev m;
static struct eventdev dev;
static uint32_t queue_id, hwpt;
static int queue;

/* A device on a page table with a queue. */
static void begin(void)
{
	mock_open(&s);
	OK(mock_device(s.fd, s.ioas, 0, &m));
	queue = OK(event_fault_queue(s.fd, &queue_id));
	OK(event_hwpt(s.fd, m.idev, s.ioas, queue_id, 0, &hwpt));
	OK(mock_replace(s.fd, &m, hwpt));
	dev = event_device(s.fd, m.idev);
}

static void check_response(unsigned int count, long pasid, unsigned int grpid,
			   unsigned int code, int line)
{
	struct event_response r = { 0 };
	unsigned int n = event_responses(&dev, &r);

	if (n != count || (n && (r.pasid != pasid || r.grpid != grpid || r.code != code)))
		tap_fail(__FILE__, line,
			 "%u answers, the last to PASID %ld group %u is %u; want %u, %ld, %u, %u",
			 n, r.pasid, r.grpid, r.code, count, pasid, grpid, code);
}

#define RESPONSE(count, pasid, grpid, code) \
	check_response(count, pasid, grpid, code, __LINE__)

static void check_fault(const struct iommu_hwpt_pgfault *f, long pasid, uint32_t grpid,
			uint32_t perm, uint64_t addr, int last)
{
	uint32_t flags = 0;

	if (pasid != NONE)
		flags |= IOMMU_PGFAULT_FLAGS_PASID_VALID;
	if (last)
		flags |= IOMMU_PGFAULT_FLAGS_LAST_PAGE;
	CHECK_EQ(f->flags, flags);
	CHECK_EQ(f->dev_id, m.idev);
	CHECK_EQ(f->pasid, pasid == NONE ? 0 : pasid);
	CHECK_EQ(f->grpid, grpid);
	CHECK_EQ(f->perm, perm);
	CHECK_EQ(f->__reserved, 0);
	CHECK_EQ(f->addr, addr);
	CHECK_EQ(f->length, 0);
	CHECK(f->cookie);
}

static uint32_t read_one(int q)
{
	struct iommu_hwpt_pgfault f;

	CHECK_EQ(event_read(q, &f, sizeof(f)), sizeof(f));
	return f.cookie;
}

/* A copy that the kernel can only read. */
static void *readonly(const void *data, size_t size)
{
	void *page = mem_anon(PAGE);

	memcpy(page, data, size);
	CHECK(!mprotect(page, PAGE, PROT_READ));
	return page;
}

static void alloc(void)
{
	struct iommu_fault_alloc c = { .size = sizeof(c) };
	struct rlimit old, none;
	uint32_t id;
	int q, low, rc;

	mock_open(&s);
	low = dup(s.fd);
	close(low);
	c.flags = 1;
	ALLOC(iofd_ioctl(s.fd, IOMMU_FAULT_QUEUE_ALLOC, &c), -EOPNOTSUPP);
	c = (struct iommu_fault_alloc){ .size = sizeof(c) - 4 };
	ALLOC(iofd_ioctl(s.fd, IOMMU_FAULT_QUEUE_ALLOC, &c), -EINVAL);
	/* a command that cannot be answered leaves neither an object nor a file */
	c.size = sizeof(c);
	ALLOC(iofd_ioctl(s.fd, IOMMU_FAULT_QUEUE_ALLOC, readonly(&c, sizeof(c))), -EFAULT);
	CHECK_EQ(iofd_objects(s.fd, "fault_queue"), 0);
	CHECK_EQ(dup(s.fd), low);
	close(low);
	q = OK(event_fault_queue(s.fd, &id));
	CHECK_EQ(iofd_objects(s.fd, "fault_queue"), 1);
	CHECK(fcntl(q, F_GETFD) & FD_CLOEXEC);
	/* the open file uses it */
	REFUSED(s.fd, IOMMU_DESTROY, iofd_destroy(s.fd, id), -EBUSY);
	close(q);
	OK(iofd_destroy(s.fd, id));
	CHECK(!getrlimit(RLIMIT_NOFILE, &old));
	none = (struct rlimit){ 0, old.rlim_max };
	CHECK(!setrlimit(RLIMIT_NOFILE, &none));
	rc = event_fault_queue(s.fd, &id);
	CHECK(!setrlimit(RLIMIT_NOFILE, &old));
	ALLOC(rc, -EMFILE);
	CHECK_EQ(iofd_objects(s.fd, "fault_queue"), 0);
}

/* What a page table may have. */
static void tables(void)
{
	struct iommu_hwpt_alloc c = { .size = sizeof(c) };
	uint32_t id;

	begin();
	REFUSED(s.fd, IOMMU_HWPT_ALLOC, event_hwpt(s.fd, m.idev, s.ioas, 0, 0, &id), -ENOENT);
	REFUSED(s.fd, IOMMU_HWPT_ALLOC, event_hwpt(s.fd, m.idev, s.ioas, s.ioas, 0, &id), -ENOENT);
	REFUSED(s.fd, IOMMU_HWPT_ALLOC, event_hwpt(s.fd, m.idev, s.ioas, 12345, 0, &id), -ENOENT);
	c.dev_id = m.idev;
	c.pt_id = s.ioas;
	c.fault_id = queue_id;
	c.flags = IOMMU_HWPT_FAULT_ID_VALID | IOMMU_HWPT_ALLOC_NEST_PARENT;
	REFUSED(s.fd, IOMMU_HWPT_ALLOC, iofd_ioctl(s.fd, IOMMU_HWPT_ALLOC, &c), -EOPNOTSUPP);
	c.flags = IOMMU_HWPT_FAULT_ID_VALID | IOMMU_HWPT_ALLOC_DIRTY_TRACKING;
	OK(iofd_ioctl(s.fd, IOMMU_HWPT_ALLOC, &c));
	/* a table uses its queue, also when nobody reads it any more */
	close(queue);
	REFUSED(s.fd, IOMMU_DESTROY, iofd_destroy(s.fd, queue_id), -EBUSY);
	OK(iofd_destroy(s.fd, c.out_hwpt_id));
	REFUSED(s.fd, IOMMU_DESTROY, iofd_destroy(s.fd, queue_id), -EBUSY);
	OK(iofd_destroy(s.fd, m.stdev));
	OK(iofd_destroy(s.fd, hwpt));
	OK(iofd_destroy(s.fd, queue_id));
}

static void one_request(void)
{
	struct iommu_hwpt_pgfault f;

	begin();
	CHECK_EQ(event_poll(queue, 0), 0);
	OK(event_request(s.fd, m.idev, 0, 7, IOMMU_PGFAULT_PERM_WRITE, ADDR));
	CHECK_EQ(event_poll(queue, 5000), POLLIN);
	CHECK_EQ(event_read(queue, &f, sizeof(f)), sizeof(f));
	check_fault(&f, NONE, 7, IOMMU_PGFAULT_PERM_WRITE, ADDR, 1);
	CHECK_EQ(event_poll(queue, 0), 0);
	CHECK_EQ(event_responses(&dev, NULL), 0);
	OK(event_answer(queue, f.cookie, IOMMUFD_PAGE_RESP_SUCCESS));
	RESPONSE(1, NONE, 7, 0);
	OK(event_request(s.fd, m.idev, 0, 8, IOMMU_PGFAULT_PERM_READ | IOMMU_PGFAULT_PERM_EXEC |
			 IOMMU_PGFAULT_PERM_PRIV, ~0ULL));
	CHECK_EQ(event_read(queue, &f, sizeof(f)), sizeof(f));
	check_fault(&f, NONE, 8, 0xd, ~0ULL, 1);
	OK(event_answer(queue, f.cookie, IOMMUFD_PAGE_RESP_INVALID));
	RESPONSE(2, NONE, 8, 1);
}

/* Requests of one group stay together, and groups that are mixed do not. */
static void groups(void)
{
	struct iommu_hwpt_pgfault f[8];

	begin();
	OK(event_send(&dev, "- 1 1 1000 0\n- 2 2 2000 0\n- 1 3 1001000 0\n"));
	CHECK_EQ(event_poll(queue, 0), 0);
	OK(event_send(&dev, "- 1 2 5000 1\n"));
	CHECK_EQ(event_poll(queue, 5000), POLLIN);
	OK(event_send(&dev, "- 2 1 6000 1\n- 3 1 7000 1\n"));

	/* a group is read as one or not at all */
	QUEUE(event_read(queue, f, 2 * sizeof(*f)), -EINVAL);
	QUEUE(event_read(queue, f, 3 * sizeof(*f) - 1), -EINVAL);
	CHECK_EQ(event_read(queue, f, 5 * sizeof(*f) - 1), 3 * sizeof(*f));
	check_fault(&f[0], NONE, 1, 1, 0x1000, 0);
	check_fault(&f[1], NONE, 1, 3, 0x1001000, 0);
	check_fault(&f[2], NONE, 1, 2, 0x5000, 1);
	CHECK(f[0].cookie == f[1].cookie && f[0].cookie == f[2].cookie);
	CHECK_EQ(event_read(queue, f + 3, 5 * sizeof(*f)), 3 * sizeof(*f));
	check_fault(&f[3], NONE, 2, 2, 0x2000, 0);
	check_fault(&f[4], NONE, 2, 1, 0x6000, 1);
	check_fault(&f[5], NONE, 3, 1, 0x7000, 1);
	CHECK(f[3].cookie == f[4].cookie && f[4].cookie != f[5].cookie &&
	      f[0].cookie != f[5].cookie && f[0].cookie != f[3].cookie);

	/* in any order, and one answer for the whole group */
	OK(event_answer(queue, f[5].cookie, 0));
	RESPONSE(1, NONE, 3, 0);
	OK(event_answer(queue, f[0].cookie, 1));
	RESPONSE(2, NONE, 1, 1);
	QUEUE(event_answer(queue, f[1].cookie, 0), -EINVAL);
	OK(event_answer(queue, f[3].cookie, 0));
	RESPONSE(3, NONE, 2, 0);
}

static void refusals(void)
{
	struct iommu_hwpt_page_response r[3];
	struct iommu_hwpt_pgfault f;
	uint32_t a, b;
	char *edge;

	begin();
	edge = mem_anon(2 * PAGE);
	CHECK(!mprotect(edge + PAGE, PAGE, PROT_NONE));
	/* nothing to read: 0, and if that is not wanted EAGAIN */
	CHECK_EQ(event_read(queue, &f, sizeof(f)), 0);
	CHECK(!fcntl(queue, F_SETFL, O_NONBLOCK));
	QUEUE(event_read(queue, &f, sizeof(f)), -EAGAIN);
	QUEUE(event_read(queue, &f, sizeof(f) - 1), -EINVAL);
	QUEUE(event_read(queue, &f, 0), -EINVAL);
	CHECK(pread(queue, &f, sizeof(f), 0) < 0 && errno == ESPIPE);
	CHECK(lseek(queue, 0, SEEK_SET) < 0 && errno == ESPIPE);
	QUEUE(event_answer(queue, 0, 0), -EINVAL);
	QUEUE(event_answer(queue, 1, 0), -EINVAL);

	OK(event_request(s.fd, m.idev, 0, 1, 1, ADDR));
	OK(event_request(s.fd, m.idev, 0, 2, 1, ADDR));
	/* not read yet: the group stays, at its place */
	QUEUE(event_read(queue, edge + PAGE - 8, sizeof(f)), -EFAULT);
	QUEUE(event_answer(queue, 1, 0), -EINVAL);
	CHECK_EQ(event_read(queue, edge + PAGE - sizeof(f), 2 * sizeof(f)), sizeof(f));
	memcpy(&f, edge + PAGE - sizeof(f), sizeof(f));
	check_fault(&f, NONE, 1, 1, ADDR, 1);
	a = f.cookie;
	b = read_one(queue);

	QUEUE(event_answer(queue, a, 2), -EINVAL);
	QUEUE(event_answer(queue, a, 0x100), -EINVAL);
	r[0] = (struct iommu_hwpt_page_response){ a, 0 };
	r[1] = (struct iommu_hwpt_page_response){ a, 0 };
	r[2] = (struct iommu_hwpt_page_response){ b, 0 };
	QUEUE(event_write(queue, r, sizeof(r) - 1), -EINVAL);
	QUEUE(event_write(queue, r, 4), -EINVAL);
	QUEUE(event_write(queue, edge + PAGE, sizeof(*r)), -EFAULT);
	CHECK_EQ(event_responses(&dev, NULL), 0);
	/* as far as they are right */
	CHECK_EQ(event_write(queue, r, sizeof(r)), sizeof(*r));
	RESPONSE(1, NONE, 1, 0);
	CHECK_EQ(event_write(queue, r + 2, sizeof(*r)), sizeof(*r));
	RESPONSE(2, NONE, 2, 0);
	CHECK_EQ(event_write(queue, r, 0), 0);

	REFUSED(s.fd, IOMMU_TEST_CMD, event_request(s.fd, s.ioas, 0, 1, 1, ADDR), -ENOENT);
	REFUSED(s.fd, IOMMU_TEST_CMD, event_request(s.fd, 12345, 0, 1, 1, ADDR), -ENOENT);
}

/* Nobody there to read them: the hardware is told at once. */
static void nobody(void)
{
	uint32_t plain, other;
	struct mockdev n;
	int q;

	begin();
	OK(iofd_hwpt(s.fd, m.idev, s.ioas, 0, &plain));
	OK(mock_replace(s.fd, &m, plain));
	OK(event_request(s.fd, m.idev, 0, 1, 1, ADDR));
	RESPONSE(1, NONE, 1, 1);
	OK(event_request(s.fd, m.idev, 3, 2, 1, ADDR));
	RESPONSE(2, 3, 2, 1);
	CHECK_EQ(event_poll(queue, 0), 0);
	/* a PASID that nobody attached is nobody's but a guest's */
	OK(mock_replace(s.fd, &m, hwpt));
	OK(event_request(s.fd, m.idev, 3, 3, 1, ADDR));
	RESPONSE(3, 3, 3, 1);
	CHECK_EQ(event_poll(queue, 0), 0);
	/* its queue has been closed */
	close(queue);
	OK(event_request(s.fd, m.idev, 0, 4, 1, ADDR));
	RESPONSE(4, NONE, 4, 1);
	/* another table of another queue gets only its own */
	q = OK(event_fault_queue(s.fd, &other));
	OK(mock_device(s.fd, s.ioas, 0, &n));
	OK(event_hwpt(s.fd, n.idev, s.ioas, other, 0, &other));
	OK(mock_replace(s.fd, &n, other));
	OK(event_request(s.fd, m.idev, 0, 5, 1, ADDR));
	RESPONSE(5, NONE, 5, 1);
	CHECK_EQ(event_poll(q, 0), 0);
	OK(event_request(s.fd, n.idev, 0, 6, 1, ADDR));
	CHECK_EQ(event_poll(q, 5000), POLLIN);
}

/* Two tables, one queue and another: requests go where the device is. */
static void replace(void)
{
	uint32_t same, other_id, other, plain, a, b;
	int q;

	begin();
	q = OK(event_fault_queue(s.fd, &other_id));
	OK(event_hwpt(s.fd, m.idev, s.ioas, other_id, 0, &other));
	OK(event_hwpt(s.fd, m.idev, s.ioas, queue_id, 0, &same));
	OK(iofd_hwpt(s.fd, m.idev, s.ioas, 0, &plain));

	/* to the same: nothing happens */
	OK(event_request(s.fd, m.idev, 0, 1, 1, ADDR));
	OK(mock_replace(s.fd, &m, hwpt));
	CHECK_EQ(event_responses(&dev, NULL), 0);
	a = read_one(queue);
	/* one unread, one read; the device no longer waits for either */
	OK(event_request(s.fd, m.idev, 0, 2, 1, ADDR));
	OK(mock_replace(s.fd, &m, other));
	CHECK_EQ(event_responses(&dev, NULL), 2);
	CHECK_EQ(event_poll(queue, 0), 0);
	QUEUE(event_answer(queue, a, 0), -EINVAL);
	OK(event_request(s.fd, m.idev, 0, 3, 1, ADDR));
	CHECK_EQ(event_poll(queue, 0), 0);
	b = read_one(q);
	/* cookies are a queue's own */
	QUEUE(event_answer(queue, b + 1000, 0), -EINVAL);
	OK(event_answer(q, b, 0));
	RESPONSE(3, NONE, 3, 0);
	/* from one table of a queue to another of the same */
	OK(mock_replace(s.fd, &m, hwpt));
	OK(event_request(s.fd, m.idev, 0, 4, 1, ADDR));
	OK(mock_replace(s.fd, &m, same));
	RESPONSE(4, NONE, 4, 1);
	CHECK_EQ(event_poll(queue, 0), 0);
	/* a replace that is refused leaves them alone */
	OK(event_request(s.fd, m.idev, 0, 5, 1, ADDR));
	REFUSED(s.fd, IOMMU_TEST_CMD, mock_replace(s.fd, &m, 12345), -ENOENT);
	OK(event_answer(queue, read_one(queue), 0));
	RESPONSE(5, NONE, 5, 0);
	/* half a group goes on where its last request comes */
	OK(event_send(&dev, "- 6 1 1000 0\n"));
	OK(mock_replace(s.fd, &m, plain));
	OK(mock_replace(s.fd, &m, hwpt));
	OK(event_send(&dev, "- 6 1 2000 1\n"));
	read_one(queue);
}

/* The device goes with requests that are unread, read and half. */
static void device_goes(void)
{
	uint32_t a;

	begin();
	OK(event_request(s.fd, m.idev, 0, 1, 1, ADDR));
	a = read_one(queue);
	OK(event_request(s.fd, m.idev, 0, 2, 1, ADDR));
	OK(event_send(&dev, "- 3 1 1000 0\n"));
	OK(iofd_destroy(s.fd, m.stdev));
	CHECK_EQ(event_poll(queue, 0), 0);
	QUEUE(event_answer(queue, a, 0), -EINVAL);
	OK(iofd_destroy(s.fd, hwpt));
	close(queue);
	OK(iofd_destroy(s.fd, queue_id));
}

static void queue_closed(void)
{
	int twin;

	begin();
	twin = dup(queue);
	OK(event_request(s.fd, m.idev, 0, 1, 1, ADDR));
	read_one(queue);
	OK(event_request(s.fd, m.idev, 0, 2, 1, ADDR));
	close(queue);
	CHECK_EQ(event_responses(&dev, NULL), 0);
	CHECK_EQ(event_poll(twin, 0), POLLIN);
	close(twin);
	CHECK_EQ(event_responses(&dev, NULL), 2);
}

/* The file of /dev/iommu is closed first; the queue keeps everything alive. */
static void context_closed(void)
{
	uint32_t a;

	begin();
	OK(event_request(s.fd, m.idev, 0, 1, 1, ADDR));
	close(s.fd);
	a = read_one(queue);
	OK(event_answer(queue, a, 0));
	RESPONSE(1, NONE, 1, 0);
	OK(event_send(&dev, "- 2 1 1000 1\n- 3 1 1000 0\n"));
	close(queue);
	CHECK(event_send(&dev, "- 4 1 1000 1\n") < 0);
}

static void process_exits(void)
{
	int status;
	pid_t pid;

	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		begin();
		OK(event_request(s.fd, m.idev, 0, 1, 1, ADDR));
		read_one(queue);
		OK(event_request(s.fd, m.idev, 0, 2, 1, ADDR));
		OK(event_send(&dev, "- 3 1 1000 0\n"));
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 4)
		tap_skip("no mock IOMMU or no debugfs");
	CHECK_EQ(status, 0);
}

/* Whoever controls a device does not get all memory of the host. */
static void flood(void)
{
	struct iommu_hwpt_pgfault *f = mem_anon(1000 * sizeof(*f));
	unsigned int i, queued = 0;
	ssize_t n;

	begin();
	for (i = 0; i < 2000; i++)
		OK(event_send(&dev, "- 1 1 1000 0\n"));
	OK(event_send(&dev, "- 1 1 2000 1\n"));
	n = event_read(queue, f, 1000 * sizeof(*f));
	CHECK_EQ(n, 513 * sizeof(*f));
	check_fault(&f[512], NONE, 1, 1, 0x2000, 1);
	OK(event_answer(queue, f[0].cookie, 0));

	for (i = 0; i < 9000; i++)
		OK(event_request(s.fd, m.idev, 0, 9, 1, ADDR));
	CHECK_EQ(event_responses(&dev, NULL), 1 + 9000 - 8192);
	while ((n = event_read(queue, f, 1000 * sizeof(*f))) > 0) {
		queued += n / sizeof(*f);
		for (i = 0; i < n / sizeof(*f); i++)
			OK(event_answer(queue, f[i].cookie, 0));
	}
	OK(n);
	CHECK_EQ(queued, 8192);
	CHECK_EQ(event_responses(&dev, NULL), 1 + 9000);
	OK(event_request(s.fd, m.idev, 0, 9, 1, ADDR));
	read_one(queue);
}

static void *read_into(void *buf)
{
	return (void *)event_read(queue, buf, sizeof(struct iommu_hwpt_pgfault));
}

/* A reader that a hostile page fault holds up holds nobody else up. */
static void stuck_reader(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg;
	struct uffdio_zeropage zero;
	struct pollfd p;
	struct uffd_msg msg;
	uint32_t plain;
	pthread_t reader;
	void *buf, *n;
	int u;

	begin();
	u = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (u < 0)
		tap_skip("no userfaultfd");
	CHECK(!ioctl(u, UFFDIO_API, &api));
	buf = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	reg = (struct uffdio_register){
		.range = { (uintptr_t)buf, PAGE }, .mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	CHECK(!ioctl(u, UFFDIO_REGISTER, &reg));
	OK(event_request(s.fd, m.idev, 0, 1, 1, ADDR));
	CHECK(!pthread_create(&reader, NULL, read_into, buf));
	p = (struct pollfd){ .fd = u, .events = POLLIN };
	CHECK_EQ(poll(&p, 1, 20000), 1);
	CHECK_EQ(read(u, &msg, sizeof(msg)), sizeof(msg));

	/* the device can go on and can go */
	OK(event_request(s.fd, m.idev, 0, 2, 1, ADDR));
	CHECK_EQ(event_poll(queue, 5000), POLLIN);
	OK(iofd_hwpt(s.fd, m.idev, s.ioas, 0, &plain));
	OK(mock_replace(s.fd, &m, plain));
	CHECK_EQ(event_responses(&dev, NULL), 2);
	OK(iofd_destroy(s.fd, m.stdev));
	OK(iofd_destroy(s.fd, hwpt));

	zero = (struct uffdio_zeropage){ .range = { (uintptr_t)buf, PAGE } };
	CHECK(!ioctl(u, UFFDIO_ZEROPAGE, &zero));
	CHECK(!pthread_join(reader, &n));
	CHECK_EQ((long)n, sizeof(struct iommu_hwpt_pgfault));
}

/* Over a nesting parent the guest has PASIDs of its own. */
static void guest_pasids(void)
{
	struct iommu_hwpt_pgfault f;
	uint32_t parent, nested, plain;

	begin();
	OK(iofd_hwpt(s.fd, m.idev, s.ioas, IOMMU_HWPT_ALLOC_NEST_PARENT, &parent));
	OK(event_hwpt(s.fd, m.idev, parent, queue_id, 1, &nested));
	OK(mock_replace(s.fd, &m, nested));
	OK(event_request(s.fd, m.idev, 0, 1, 1, ADDR));
	CHECK_EQ(event_read(queue, &f, sizeof(f)), sizeof(f));
	check_fault(&f, NONE, 1, 1, ADDR, 1);
	OK(event_answer(queue, f.cookie, 0));
	OK(event_request(s.fd, m.idev, 5, 2, 2, ADDR));
	CHECK_EQ(event_read(queue, &f, sizeof(f)), sizeof(f));
	check_fault(&f, 5, 2, 2, ADDR, 1);
	OK(event_answer(queue, f.cookie, 0));
	RESPONSE(2, 5, 2, 0);
	/* groups of different PASIDs are different */
	OK(event_send(&dev, "5 3 1 1000 0\n6 3 1 2000 0\n- 3 1 3000 0\n5 3 1 4000 1\n"));
	CHECK_EQ(event_read(queue, &f, sizeof(f)), -EINVAL);
	OK(iofd_hwpt(s.fd, m.idev, s.ioas, 0, &plain));
	OK(mock_replace(s.fd, &m, plain));
	RESPONSE(3, 5, 3, 1);
}

/* A table that belongs to a vIOMMU: whose device is whose does not matter here. */
static void tables_of_a_viommu(void)
{
	struct iommu_hwpt_pgfault f;
	uint32_t viommu, vdevice, parent, nested;

	begin();
	OK(iofd_hwpt(s.fd, m.idev, s.ioas, IOMMU_HWPT_ALLOC_NEST_PARENT, &parent));
	OK(mock_viommu(s.fd, m.idev, parent, NULL, &viommu));
	OK(event_hwpt(s.fd, m.idev, viommu, queue_id, 1, &nested));
	/* an attach that is refused leaves requests where they are */
	OK(event_request(s.fd, m.idev, 0, 1, 1, ADDR));
	REFUSED(s.fd, IOMMU_TEST_CMD, mock_replace(s.fd, &m, nested), -ENOENT);
	OK(event_answer(queue, read_one(queue), 0));
	RESPONSE(1, NONE, 1, 0);
	OK(mock_vdevice(s.fd, viommu, m.idev, 0x42, &vdevice));
	OK(mock_replace(s.fd, &m, nested));
	OK(event_request(s.fd, m.idev, 9, 2, 1, ADDR));
	CHECK_EQ(event_read(queue, &f, sizeof(f)), sizeof(f));
	check_fault(&f, 9, 2, 1, ADDR, 1);
	OK(event_answer(queue, f.cookie, 1));
	RESPONSE(2, 9, 2, 1);
	/* device, vDEVICE and table go while one waits */
	OK(event_request(s.fd, m.idev, 9, 3, 1, ADDR));
	OK(iofd_destroy(s.fd, m.stdev));
	CHECK_EQ(event_poll(queue, 0), 0);
	OK(iofd_destroy(s.fd, nested));
	OK(iofd_destroy(s.fd, viommu));
}

static int pasid_table(uint32_t fault, uint32_t *table)
{
	struct iommu_hwpt_alloc c = {
		.size = sizeof(c),
		.flags = IOMMU_HWPT_ALLOC_PASID | (fault ? IOMMU_HWPT_FAULT_ID_VALID : 0),
		.dev_id = m.idev,
		.pt_id = s.ioas,
		.fault_id = fault,
	};
	int rc = iofd_ioctl(s.fd, IOMMU_HWPT_ALLOC, &c);

	*table = c.out_hwpt_id;
	return rc;
}

/* PASIDs that the host attached have queues of their own, or none. */
static void host_pasids(void)
{
	struct iommu_hwpt_pgfault f;
	uint32_t other_id, rid, a, b, plain;
	int other;

	mock_open(&s);
	OK(mock_device(s.fd, s.ioas, MOCK_FLAGS_DEVICE_PASID, &m));
	queue = OK(event_fault_queue(s.fd, &queue_id));
	other = OK(event_fault_queue(s.fd, &other_id));
	dev = event_device(s.fd, m.idev);
	OK(pasid_table(0, &rid));
	OK(pasid_table(queue_id, &a));
	OK(pasid_table(other_id, &b));
	OK(pasid_table(0, &plain));
	OK(mock_replace(s.fd, &m, rid));
	OK(mock_pasid_attach(s.fd, &m, 7, a));
	OK(mock_pasid_attach(s.fd, &m, 8, b));
	OK(mock_pasid_attach(s.fd, &m, 9, plain));

	OK(event_request(s.fd, m.idev, 7, 1, 1, ADDR));
	CHECK_EQ(event_poll(other, 0), 0);
	CHECK_EQ(event_read(queue, &f, sizeof(f)), sizeof(f));
	check_fault(&f, 7, 1, 1, ADDR, 1);
	OK(event_answer(queue, f.cookie, 0));
	RESPONSE(1, 7, 1, 0);
	OK(event_request(s.fd, m.idev, 8, 2, 1, ADDR));
	CHECK_EQ(event_poll(queue, 0), 0);
	CHECK_EQ(event_read(other, &f, sizeof(f)), sizeof(f));
	check_fault(&f, 8, 2, 1, ADDR, 1);
	OK(event_answer(other, f.cookie, 1));
	RESPONSE(2, 8, 2, 1);
	OK(event_request(s.fd, m.idev, 9, 3, 1, ADDR));
	RESPONSE(3, 9, 3, 1);
	OK(event_request(s.fd, m.idev, 0, 4, 1, ADDR));
	RESPONSE(4, NONE, 4, 1);

	/* one PASID moves or goes, the others keep what waits */
	OK(event_request(s.fd, m.idev, 7, 5, 1, ADDR));
	OK(event_request(s.fd, m.idev, 8, 6, 1, ADDR));
	OK(mock_pasid_replace(s.fd, &m, 7, b));
	RESPONSE(5, 7, 5, 1);
	CHECK_EQ(event_poll(queue, 0), 0);
	OK(event_request(s.fd, m.idev, 7, 7, 1, ADDR));
	CHECK_EQ(event_poll(queue, 0), 0);
	OK(mock_pasid_detach(s.fd, &m, 8));
	RESPONSE(6, 8, 6, 1);
	CHECK_EQ(event_read(other, &f, sizeof(f)), sizeof(f));
	check_fault(&f, 7, 7, 1, ADDR, 1);
	OK(mock_pasid_replace(s.fd, &m, 7, plain));
	RESPONSE(7, 7, 7, 1);
	REFUSED(other, 0, event_answer(other, f.cookie, 0), -EINVAL);
	OK(mock_pasid_detach(s.fd, &m, 7));
	OK(mock_pasid_detach(s.fd, &m, 9));
	OK(event_request(s.fd, m.idev, 7, 8, 1, ADDR));
	RESPONSE(8, 7, 8, 1);
	/* one whose attachment fails has not touched the queue */
	OK(mock_pasid_attach(s.fd, &m, IOMMU_TEST_PASID_RESERVED, a));
	OK(event_request(s.fd, m.idev, IOMMU_TEST_PASID_RESERVED, 9, 1, ADDR));
	CHECK(mock_pasid_replace(s.fd, &m, IOMMU_TEST_PASID_RESERVED, b) == -ENOMEM);
	CHECK_EQ(event_read(queue, &f, sizeof(f)), sizeof(f));
	OK(event_answer(queue, f.cookie, 0));
	RESPONSE(9, IOMMU_TEST_PASID_RESERVED, 9, 0);
	OK(iofd_destroy(s.fd, m.stdev));
	OK(iofd_destroy(s.fd, a));
	OK(iofd_destroy(s.fd, b));
}

/* Everybody at once. */
static _Atomic bool stop;
static _Atomic unsigned int sent;
static uint32_t targets[3];
static _Atomic int storm_queue;

static void *storm_send(void *unused)
{
	while (!stop) {
		CHECK(!event_request(s.fd, m.idev, 0, sent & 0xff, 1, ADDR));
		sent++;
	}
	return NULL;
}

static void *storm_replace(void *unused)
{
	unsigned int i;

	for (i = 0; !stop; i++)
		CHECK(!mock_replace(s.fd, &m, targets[i % 3]));
	return NULL;
}

static void *storm_answer(void *arg)
{
	struct iommu_hwpt_pgfault f[16];
	ssize_t n, i;
	int rc;

	while (!stop) {
		n = event_read(storm_queue, f, sizeof(f));
		CHECK(n >= 0);
		for (i = 0; i < n / (ssize_t)sizeof(*f); i++) {
			rc = event_answer(storm_queue, f[i].cookie, i & 1);
			CHECK(!rc || rc == -EINVAL);
		}
		if (!n)
			event_poll(storm_queue, 1);
	}
	return NULL;
}

static void storm(void)
{
	pthread_t t[5];
	int i;

	begin();
	targets[0] = hwpt;
	OK(iofd_hwpt(s.fd, m.idev, s.ioas, 0, &targets[1]));
	OK(event_hwpt(s.fd, m.idev, s.ioas, queue_id, 0, &targets[2]));
	storm_queue = queue;
	CHECK(!pthread_create(&t[0], NULL, storm_send, NULL));
	CHECK(!pthread_create(&t[1], NULL, storm_send, NULL));
	CHECK(!pthread_create(&t[2], NULL, storm_replace, NULL));
	CHECK(!pthread_create(&t[3], NULL, storm_answer, NULL));
	CHECK(!pthread_create(&t[4], NULL, storm_answer, NULL));
	sleep(2);
	stop = true;
	for (i = 0; i < 5; i++)
		CHECK(!pthread_join(t[i], NULL));
	OK(mock_replace(s.fd, &m, targets[1]));
	/* not one too many, not one too few */
	CHECK(sent);
	CHECK_EQ(event_responses(&dev, NULL), sent);
	tap_note("%u requests", sent);
}

/* Queues and devices come and go while requests are made. */
static void *storm_close(void *unused)
{
	uint32_t id, table;
	int q;

	while (!stop) {
		q = event_fault_queue(s.fd, &id);
		CHECK(q >= 0);
		CHECK(!event_hwpt(s.fd, m.idev, s.ioas, id, 0, &table));
		CHECK(!mock_replace(s.fd, &m, table));
		close(q);
		CHECK(!mock_replace(s.fd, &m, hwpt));
		CHECK(!iofd_destroy(s.fd, table));
		CHECK(!iofd_destroy(s.fd, id));
	}
	return NULL;
}

static void *storm_devices(void *unused)
{
	struct mockdev n;
	unsigned int i;

	while (!stop) {
		CHECK(!mock_device(s.fd, hwpt, 0, &n));
		for (i = 0; i < 5; i++)
			CHECK(!event_request(s.fd, n.idev, 0, i, 1, ADDR));
		CHECK(!iofd_destroy(s.fd, n.stdev));
	}
	return NULL;
}

static void storm_going(void)
{
	pthread_t t[4];
	int i;

	begin();
	storm_queue = queue;
	CHECK(!pthread_create(&t[0], NULL, storm_send, NULL));
	CHECK(!pthread_create(&t[1], NULL, storm_close, NULL));
	CHECK(!pthread_create(&t[2], NULL, storm_devices, NULL));
	CHECK(!pthread_create(&t[3], NULL, storm_answer, NULL));
	sleep(2);
	stop = true;
	for (i = 0; i < 4; i++)
		CHECK(!pthread_join(t[i], NULL));
	OK(event_request(s.fd, m.idev, 0, 1, 1, ADDR));
	close(queue);
	CHECK_EQ(event_responses(&dev, NULL), sent + 1);
	CHECK_EQ(iofd_objects(s.fd, "fault_queue"), 1);
	CHECK_EQ(iofd_objects(s.fd, "device"), 1);
}

/* In one of the files of debugfs, that of this process. */
static void check_debugfs(void)
{
	char path[300], line[512];
	int unread = 0, unanswered = 0;
	struct dirent *e;
	DIR *d = opendir("/sys/kernel/debug/iommufd");
	FILE *f;

	CHECK(d);
	while ((e = readdir(d))) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/iommufd/%s", e->d_name);
		if (atoi(e->d_name) != getpid() || !(f = fopen(path, "re")))
			continue;
		while (fgets(line, sizeof(line), f)) {
			unread += strstr(line, " unread device=") && strstr(line, " grpid=2 requests=1");
			unanswered += strstr(line, " unanswered device=") && strstr(line, " grpid=1 ");
		}
		fclose(f);
	}
	closedir(d);
	CHECK_EQ(unread, 1);
	CHECK_EQ(unanswered, 1);
}

static void shown(void)
{
	char line[512], path[64];
	int found = 0;
	FILE *f;

	begin();
	OK(event_request(s.fd, m.idev, 0, 1, 1, ADDR));
	OK(event_request(s.fd, m.idev, 0, 2, 1, ADDR));
	read_one(queue);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", queue);
	f = fopen(path, "re");
	CHECK(f);
	while (fgets(line, sizeof(line), f))
		found |= strstr(line, "type=fault_queue unread=1 unanswered=1\n") != NULL;
	fclose(f);
	CHECK(found);
	check_debugfs();
	REFUSED(s.fd, IOMMU_DESTROY, iofd_destroy(s.fd, queue_id), -EBUSY);
	CHECK(strstr(iommufd_last_reason(s.fd), "hwpt"));
	OK(iofd_destroy(s.fd, m.stdev));
	OK(iofd_destroy(s.fd, hwpt));
	REFUSED(s.fd, IOMMU_DESTROY, iofd_destroy(s.fd, queue_id), -EBUSY);
	CHECK(strstr(iommufd_last_reason(s.fd), "open file"));
}

static const struct tap_test tests[] = {
	{ "a queue is made, and refused", alloc },
	{ "page tables with a queue", tables },
	{ "a request, and its answer", one_request },
	{ "groups of requests", groups },
	{ "refusals", refusals },
	{ "requests that nobody can read", nobody },
	{ "replace answers what waits", replace },
	{ "the device goes", device_goes },
	{ "the queue is closed", queue_closed },
	{ "the file of /dev/iommu is closed first", context_closed },
	{ "the process exits", process_exits },
	{ "PASIDs of a guest", guest_pasids },
	{ "PASIDs of the host", host_pasids },
	{ "tables of a vIOMMU", tables_of_a_viommu },
	{ "more requests than are kept", flood, 120 },
	{ "a reader that does not come back", stuck_reader, 60 },
	{ "what fdinfo shows", shown },
	{ "requests, answers and replaces at once", storm, 60 },
	{ "queues and devices come and go", storm_going, 60 },
};

int main(int argc, char **argv)
{
	return MOCK_RUN(argc, argv, tests);
}

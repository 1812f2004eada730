// SPDX-License-Identifier: GPL-2.0
/*
 * Page requests through iommu_vtd: from the unit's queue to a fault queue and back. A
 * device that asks is made up (ko_vtd/vtd_asker.c); all that the driver does for it is
 * real.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/vfio_cdev.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "asker.h"
#include "devices.h"
#include "mock_event.h"
#include "rng.h"
#include "vtd_ops.h"
#include "vtd_walk.h"

/* 11.4.3: page requests, and draining them */
#define PRS		(1UL << 29)
#define ECAP		(PRS | 1UL << 42)
#define SMTS		(1UL << 43)
/* nesting, both stages */
#define NEST_ECAP	(1UL << 26 | 1UL << 46 | 1UL << 47)
#define ADDR		0x123456000UL
#define LAST		4UL
#define READ		1UL
#define WRITE		2UL
#define SLOTS		4096
#define SUCCESS		0
#define INVALID		1
#define ATTACH_REFUSED(pt, want) \
	REFUSED(v.fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, vdev_attach(&v, &(pt)), want)

static struct space s;
static struct vdev v;
static unsigned int sid;
static uint32_t queue_id, hwpt, plain;
static int queue;
static bool scalable, real_prs;

/* The device is bound, and the unit seems to have page requests. */
static void find(pci_bdf bdf)
{
	unsigned int bus, device, function;
	struct vtd_requester r;

	if (access("/sys/class/iommu/vtd0", F_OK))
		tap_skip("the unit is not driven by iommu_vtd");
	if (!pci_find(PCI_RNG, 0, bdf))
		tap_skip("no virtio random number generator here");
	/* a test before this one may have failed and left them */
	asker_unload();
	vtd_pretend(0);
	vtd_requester(&r, bdf);
	scalable = r.ecap & SMTS;
	real_prs = r.ecap & PRS;
	vtd_pretend(ECAP);
	CHECK(sscanf(bdf, "%*x:%x:%x.%x", &bus, &device, &function) == 3);
	sid = bus << 8 | device << 3 | function;
	space_open(&s);
	OK(vdev_setup(&v, bdf, s.fd));
	OK(iofd_hwpt(s.fd, v.id, s.ioas, 0, &plain));
	queue = OK(event_fault_queue(s.fd, &queue_id));
	OK(event_hwpt(s.fd, v.id, s.ioas, queue_id, 0, &hwpt));
}

static void begin(void)
{
	pci_bdf bdf;

	find(bdf);
	if (!scalable)
		tap_skip("the unit has no scalable mode");
	asker_load("vtd_asker", bdf, "real=0");
}

static void attach_to(uint32_t pt)
{
	OK(vdev_attach(&v, &pt));
}

/* The descriptor that answers a group without PASID, as text. */
static const char *response(unsigned int group, unsigned int code)
{
	static char text[4][64];
	static unsigned int i;

	i = (i + 1) % 4;
	snprintf(text[i], sizeof(text[i]), "response %lx %lx",
		 9UL | code << 12 | (unsigned long)sid << 16, (unsigned long)group << 3 | 4);
	return text[i];
}

/* A request of the device, of a group, without PASID */
static size_t ask(char *text, size_t size, unsigned int group, uint64_t address,
		  uint64_t flags)
{
	return snprintf(text, size, "%lx %lx\n", 1UL | (unsigned long)sid << 16,
			address | (unsigned long)group << 3 | flags);
}

static void send(unsigned int group, uint64_t address, uint64_t flags)
{
	char text[128];

	ask(text, sizeof(text), group, address, flags);
	asker_set("requests", text);
}

static void check_fault(const struct iommu_hwpt_pgfault *f, unsigned int group,
			uint64_t address, uint32_t perm, uint32_t flags)
{
	CHECK_EQ(f->flags, flags);
	CHECK_EQ(f->dev_id, v.id);
	CHECK_EQ(f->grpid, group);
	CHECK_EQ(f->perm, perm);
	CHECK_EQ(f->addr, address);
}

static void receive(struct iommu_hwpt_pgfault *f, unsigned int nr)
{
	CHECK(event_poll(queue, 30000) & POLLIN);
	CHECK_EQ(event_read(queue, f, nr * sizeof(*f)), (ssize_t)(nr * sizeof(*f)));
}

/* Where requests and answers go on after whatever the test did. */
static void still_works(void)
{
	struct iommu_hwpt_pgfault f;
	char log[4096];

	asker_forget();
	send(300, ADDR, READ | LAST);
	receive(&f, 1);
	check_fault(&f, 300, ADDR, IOMMU_PGFAULT_PERM_READ, IOMMU_PGFAULT_FLAGS_LAST_PAGE);
	OK(event_answer(queue, f.cookie, IOMMUFD_PAGE_RESP_SUCCESS));
	asker_wait(1, log, sizeof(log));
	CHECK_EQ(asker_count(log, response(300, SUCCESS)), 1);
	CHECK_EQ(asker_count(log, "response"), 1);
}

static void finish(void)
{
	vdev_close(&v);
	close(queue);
	close(s.fd);
	asker_unload();
	vtd_pretend(0);
}

static void lacking(void)
{
	pci_bdf bdf;

	find(bdf);
	/* the real device has none */
	ATTACH_REFUSED(hwpt, -EOPNOTSUPP);
	attach_to(plain);
	ATTACH_REFUSED(hwpt, -EOPNOTSUPP);
	OK(vdev_detach(&v));
	asker_load("vtd_asker", bdf, "real=0");
	if (!scalable) {
		ATTACH_REFUSED(hwpt, -EOPNOTSUPP);
		finish();
		return;
	}
	asker_set("busy", "1");
	attach_to(plain);
	ATTACH_REFUSED(hwpt, -EBUSY);
	OK(vdev_detach(&v));
	asker_set("busy", "0");
	attach_to(hwpt);
	still_works();
	finish();
}

static unsigned int head_and_tail(void)
{
	unsigned int head, tail;
	char text[128];

	asker_get("state", text, sizeof(text));
	CHECK_EQ(sscanf(text, "%u %u", &head, &tail), 2);
	CHECK_EQ(head, tail);
	return head;
}

static bool asking_allowed(void)
{
	unsigned long context;
	char text[128];

	asker_get("state", text, sizeof(text));
	CHECK_EQ(sscanf(text, "%*u %*u %*u %lx", &context), 1);
	return context >> 4 & 1;
}

static void groups(void)
{
	struct iommu_hwpt_pgfault f[3];
	char text[512], log[4096];
	unsigned int head;
	size_t n;

	begin();
	CHECK(!asking_allowed());
	asker_forget();
	attach_to(hwpt);
	ASKER_LOG("ats 1\npri 2\nmost 64\npri 1\n");
	CHECK(asking_allowed());
	head = head_and_tail();
	n = ask(text, sizeof(text), 7, ADDR, READ);
	n += ask(text + n, sizeof(text) - n, 8, ADDR + 0x1000, READ | WRITE | LAST);
	ask(text + n, sizeof(text) - n, 7, ADDR + 0x2000, WRITE | LAST);
	asker_set("requests", text);
	receive(f, 1);
	check_fault(&f[0], 8, ADDR + 0x1000, IOMMU_PGFAULT_PERM_READ | IOMMU_PGFAULT_PERM_WRITE,
		    IOMMU_PGFAULT_FLAGS_LAST_PAGE);
	receive(f + 1, 2);
	check_fault(&f[1], 7, ADDR, IOMMU_PGFAULT_PERM_READ, 0);
	check_fault(&f[2], 7, ADDR + 0x2000, IOMMU_PGFAULT_PERM_WRITE,
		    IOMMU_PGFAULT_FLAGS_LAST_PAGE);
	asker_forget();
	OK(event_answer(queue, f[1].cookie, IOMMUFD_PAGE_RESP_INVALID));
	OK(event_answer(queue, f[0].cookie, IOMMUFD_PAGE_RESP_SUCCESS));
	asker_get("log", log, sizeof(log));
	CHECK_EQ(asker_count(log, "response"), 2);
	CHECK(strstr(log, response(7, INVALID)) == log);
	CHECK_EQ(asker_count(log, response(8, SUCCESS)), 1);
	usleep(100000);
	CHECK_EQ(head_and_tail(), (head + 3 * 32) % (SLOTS * 32));
	still_works();
	OK(vdev_detach(&v));
	CHECK(!asking_allowed());
	finish();
}

/* 4095 places: half of them are more than one device gets. */
static void shares(void)
{
	unsigned int i;

	begin();
	asker_set("max", "1000000");
	for (i = 0; i < 20; i++) {
		asker_forget();
		attach_to(hwpt);
		ASKER_LOG("ats 1\npri 2\nmost 512\npri 1\n");
		OK(vdev_detach(&v));
	}
	asker_set("max", "3");
	asker_forget();
	attach_to(hwpt);
	ASKER_LOG("ats 1\npri 2\nmost 3\npri 1\n");
	finish();
}

/* One that was read, one that was not, one in the queue, and one on its way. */
static void leave_some(void)
{
	struct iommu_hwpt_pgfault f;
	char text[128];

	send(1, ADDR, READ | LAST);
	receive(&f, 1);
	send(2, ADDR, READ | LAST);
	CHECK(event_poll(queue, 30000) & POLLIN);
	asker_set("silent", "1");
	send(3, ADDR, READ | LAST);
	ask(text, sizeof(text), 4, ADDR, WRITE | LAST);
	asker_set("late", text);
	asker_forget();
}

static void check_left(int line)
{
	char log[4096];
	unsigned int i;

	asker_get("log", log, sizeof(log));
	for (i = 1; i <= 4; i++)
		if (asker_count(log, response(i, INVALID)) != 1)
			tap_fail(__FILE__, line, "group %u was not answered once, with no:\n%s",
				 i, log);
	if (asker_count(log, "response") != 4)
		tap_fail(__FILE__, line, "more answers than four:\n%s", log);
}

static void detach(void)
{
	static const char *const order[] = {
		"pri 0\n", "forget\n", "drain\n", "ats 0\n", "response", "pri 2\n", NULL
	};

	begin();
	attach_to(hwpt);
	leave_some();
	OK(vdev_detach(&v));
	check_left(__LINE__);
	asker_in_order(order, __LINE__);
	CHECK_EQ(event_poll(queue, 0) & POLLIN, 0);
	CHECK(!asking_allowed());
	head_and_tail();
	/* and from the beginning */
	asker_set("silent", "0");
	attach_to(hwpt);
	still_works();
	finish();
}

static void replace_by_plain(void)
{
	static const char *const order[] = { "pri 0\n", "forget\n", "drain\n", "pri 2\n", NULL };
	char log[4096];

	begin();
	attach_to(hwpt);
	leave_some();
	attach_to(plain);
	check_left(__LINE__);
	asker_in_order(order, __LINE__);
	CHECK(!asking_allowed());
	/* it sends them all the same */
	asker_set("silent", "0");
	asker_forget();
	send(9, ADDR, READ | LAST);
	asker_wait(1, log, sizeof(log));
	CHECK_EQ(asker_count(log, response(9, INVALID)), 1);
	attach_to(hwpt);
	CHECK(asking_allowed());
	still_works();
	finish();
}

static void replace_by_another(void)
{
	struct iommu_hwpt_pgfault f[2];
	uint32_t id, other;
	int old = queue;
	char log[4096];

	begin();
	old = queue;
	attach_to(hwpt);
	send(1, ADDR, READ | LAST);
	receive(f, 1);
	send(2, ADDR, READ | LAST);
	CHECK(event_poll(queue, 30000) & POLLIN);
	queue = OK(event_fault_queue(s.fd, &id));
	OK(event_hwpt(s.fd, v.id, s.ioas, id, 0, &other));
	asker_forget();
	attach_to(other);
	asker_get("log", log, sizeof(log));
	CHECK_EQ(asker_count(log, response(1, INVALID)), 1);
	CHECK_EQ(asker_count(log, response(2, INVALID)), 1);
	CHECK_EQ(asker_count(log, "response"), 2);
	/* it never had to stop */
	CHECK_EQ(asker_count(log, "pri"), 0);
	CHECK(asking_allowed());
	still_works();
	CHECK_EQ(event_poll(old, 0) & POLLIN, 0);
	close(old);
	finish();
}

static void close_device(void)
{
	begin();
	attach_to(hwpt);
	leave_some();
	vdev_close(&v);
	check_left(__LINE__);
	CHECK(!asking_allowed());
	close(queue);
	close(s.fd);
	asker_unload();
	vtd_pretend(0);
}

static void close_queue(void)
{
	struct iommu_hwpt_pgfault f;
	char log[4096];

	begin();
	attach_to(hwpt);
	send(1, ADDR, READ | LAST);
	receive(&f, 1);
	send(2, ADDR, READ | LAST);
	CHECK(event_poll(queue, 30000) & POLLIN);
	asker_forget();
	close(queue);
	asker_wait(2, log, sizeof(log));
	CHECK_EQ(asker_count(log, response(1, INVALID)), 1);
	CHECK_EQ(asker_count(log, response(2, INVALID)), 1);
	asker_forget();
	send(3, ADDR, READ | LAST);
	asker_wait(1, log, sizeof(log));
	CHECK_EQ(asker_count(log, response(3, INVALID)), 1);
	queue = open("/dev/null", O_RDONLY | O_CLOEXEC);
	finish();
}

/* More than one page of text does not go into a parameter at once. */
#define AT_ONCE 64

static void send_many(const char *what, unsigned int nr)
{
	char text[4096] = "";
	unsigned int i;

	for (i = 0; i < nr; i++)
		strcat(text, what);
	asker_set("requests", text);
}

static void overflow(void)
{
	struct iommu_hwpt_pgfault f;
	char text[512], log[4096];
	unsigned int prs;

	begin();
	attach_to(hwpt);
	asker_forget();
	/* three that are answered at once: nobody has sent them */
	asker_set("status", "3");
	snprintf(text, sizeof(text), "ff000001 %lx\nff000001 %lx\nff000001 %lx\n",
		 ADDR | 1 << 3 | LAST | READ, ADDR | 2 << 3 | LAST | READ,
		 ADDR | 3 << 3 | LAST | READ);
	asker_set("requests", text);
	asker_wait(3, log, sizeof(log));
	/* PPR was written before anything was taken, and PRO not yet */
	CHECK_EQ(asker_count(log, "prs 1\n"), 3);
	usleep(200000);
	asker_get("state", text, sizeof(text));
	CHECK_EQ(sscanf(text, "%*u %*u %u", &prs), 1);
	/* PRO, when the queue was empty */
	CHECK_EQ(prs, 2);
	head_and_tail();
	asker_set("status", "1");
	still_works();
	/* an overflow while the device is being detached */
	asker_forget();
	send(5, ADDR, READ | LAST);
	receive(&f, 1);
	asker_set("silent", "1");
	asker_set("status", "3");
	send(6, ADDR, READ | LAST);
	asker_forget();
	OK(vdev_detach(&v));
	asker_get("log", log, sizeof(log));
	CHECK_EQ(asker_count(log, response(5, INVALID)), 1);
	CHECK_EQ(asker_count(log, response(6, INVALID)), 1);
	/* once more, when the overflow is over */
	CHECK_EQ(asker_count(log, "drain\n"), 2);
	finish();
}

/* The queue goes around, and nothing is lost or comes twice. */
static void around(void)
{
	struct iommu_hwpt_pgfault f;
	unsigned int i, start, end;
	char text[128], log[4096];

	begin();
	attach_to(hwpt);
	start = head_and_tail();
	/* of nobody; not the last, so without an answer */
	snprintf(text, sizeof(text), "ff000001 %lx\n", ADDR | READ);
	for (i = 0; i < SLOTS / AT_ONCE + 1; i++) {
		send_many(text, AT_ONCE);
		asker_forget();
		send(i, ADDR, READ | LAST);
		receive(&f, 1);
		check_fault(&f, i, ADDR, IOMMU_PGFAULT_PERM_READ,
			    IOMMU_PGFAULT_FLAGS_LAST_PAGE);
		OK(event_answer(queue, f.cookie, IOMMUFD_PAGE_RESP_SUCCESS));
		asker_get("log", log, sizeof(log));
		CHECK_EQ(asker_count(log, "response"), 1);
	}
	usleep(200000);
	end = head_and_tail();
	CHECK_EQ(end, (start + i * (AT_ONCE + 1) * 32) % (SLOTS * 32));
	still_works();
	finish();
}

static int nested_alloc(uint32_t parent, uint32_t *nested)
{
	struct iommu_hwpt_vtd_s1 s1 = { .pgtbl_addr = 0x1000, .addr_width = 48 };
	struct iommu_hwpt_alloc c = {
		.size = sizeof(c),
		.flags = IOMMU_HWPT_FAULT_ID_VALID,
		.dev_id = v.id,
		.pt_id = parent,
		.data_type = IOMMU_HWPT_DATA_VTD_S1,
		.data_len = sizeof(s1),
		.data_uptr = (uintptr_t)&s1,
		.fault_id = queue_id,
	};
	int rc = iofd_ioctl(s.fd, IOMMU_HWPT_ALLOC, &c);

	*nested = c.out_hwpt_id;
	return rc;
}

/* Whoever writes the first stage hands out the PASIDs. */
static void pasids(void)
{
	struct iommu_hwpt_pgfault f;
	char text[128], log[4096];
	uint32_t parent, nested;

	begin();
	vtd_pretend(ECAP | NEST_ECAP);
	if (iofd_hwpt(s.fd, v.id, s.ioas, IOMMU_HWPT_ALLOC_NEST_PARENT, &parent))
		tap_skip("this unit has no second stage");
	OK(nested_alloc(parent, &nested));
	attach_to(nested);
	CHECK(asking_allowed());
	asker_forget();
	/* PP, PMR; to write */
	snprintf(text, sizeof(text), "%lx %lx\n",
		 1UL << 53 | 0xabcdUL << 32 | (uint64_t)sid << 16 | 0x101,
		 ADDR | 21 << 3 | LAST | WRITE);
	asker_set("requests", text);
	receive(&f, 1);
	check_fault(&f, 21, ADDR, IOMMU_PGFAULT_PERM_WRITE | IOMMU_PGFAULT_PERM_PRIV,
		    IOMMU_PGFAULT_FLAGS_LAST_PAGE | IOMMU_PGFAULT_FLAGS_PASID_VALID);
	CHECK_EQ(f.pasid, 0xabcd);
	OK(event_answer(queue, f.cookie, IOMMUFD_PAGE_RESP_SUCCESS));
	asker_get("log", log, sizeof(log));
	snprintf(text, sizeof(text), "response %lx %x prs",
		 0xabcdUL << 32 | (uint64_t)sid << 16 | 0x19, 21 << 3 | 4);
	if (asker_count(log, "response") != 1 || asker_count(log, text) != 1)
		tap_fail(__FILE__, __LINE__, "answered:\n%swant:\n%s", log, text);
	leave_some();
	/* the parent has no fault queue */
	attach_to(parent);
	check_left(__LINE__);
	asker_set("silent", "0");
	attach_to(nested);
	still_works();
	finish();
}

/* A request with a PASID, in its own group */
static void send_pasid(uint32_t pasid, unsigned int group)
{
	char text[128];

	snprintf(text, sizeof(text), "%lx %lx\n",
		 (uint64_t)pasid << 32 | (uint64_t)sid << 16 | 0x101,
		 ADDR | (uint64_t)group << 3 | LAST | READ);
	asker_set("requests", text);
}

/* How often such a group was answered so */
static unsigned int answered(uint32_t pasid, unsigned int group, unsigned int code)
{
	char text[128], log[4096];

	snprintf(text, sizeof(text), "response %lx %x",
		 (uint64_t)pasid << 32 | (uint64_t)sid << 16 | code << 12 | 0x19,
		 group << 3 | 4);
	asker_get("log", log, sizeof(log));
	return asker_count(log, text);
}

static void pasid_asks(uint32_t pasid, unsigned int group)
{
	struct iommu_hwpt_pgfault f;

	asker_forget();
	send_pasid(pasid, group);
	receive(&f, 1);
	check_fault(&f, group, ADDR, IOMMU_PGFAULT_PERM_READ,
		    IOMMU_PGFAULT_FLAGS_LAST_PAGE | IOMMU_PGFAULT_FLAGS_PASID_VALID);
	CHECK_EQ(f.pasid, pasid);
	OK(event_answer(queue, f.cookie, IOMMUFD_PAGE_RESP_SUCCESS));
	CHECK_EQ(answered(pasid, group, SUCCESS), 1);
}

static uint32_t pasid_table(void)
{
	struct iommu_hwpt_alloc c = {
		.size = sizeof(c),
		.flags = IOMMU_HWPT_FAULT_ID_VALID | IOMMU_HWPT_ALLOC_PASID,
		.dev_id = v.id,
		.pt_id = s.ioas,
		.fault_id = queue_id,
	};

	OK(iofd_ioctl(s.fd, IOMMU_HWPT_ALLOC, &c));
	return c.out_hwpt_id;
}

/* It asks as long as anything of it is attached; what goes leaves nothing behind. */
static void attached_pasids(void)
{
	static const char *const order[] = {
		"pri 0\n", "forget\n", "drain\n", "ats 0\n", "response", "pri 2\n", NULL
	};
	struct vtd_requester r;
	uint32_t table;
	char log[4096];

	begin();
	vtd_requester(&r, v.bdf);
	if (!(r.ecap >> 40 & 1))
		tap_skip("this unit has no PASIDs");
	OK(vtd_fake_pasids(&r, 1000));
	table = pasid_table();
	OK(pasid_attach(&v, 5, table));
	CHECK(asking_allowed());
	pasid_asks(5, 1);
	OK(pasid_attach(&v, 6, table));
	attach_to(table);
	pasid_asks(6, 2);
	still_works();
	asker_set("silent", "1");
	send(3, ADDR, READ | LAST);
	asker_forget();
	OK(vdev_detach(&v));
	asker_get("log", log, sizeof(log));
	CHECK_EQ(asker_count(log, response(3, INVALID)), 1);
	CHECK_EQ(asker_count(log, "drain\n"), 1);
	send_pasid(6, 4);
	OK(pasid_detach(&v, 6));
	CHECK_EQ(answered(6, 4, INVALID), 1);
	asker_get("log", log, sizeof(log));
	CHECK_EQ(asker_count(log, "response"), 2);
	CHECK_EQ(asker_count(log, "drain\n"), 2);
	CHECK_EQ(asker_count(log, "pri"), 0);
	CHECK(asking_allowed());
	asker_set("silent", "0");
	pasid_asks(5, 5);
	asker_set("silent", "1");
	send_pasid(5, 6);
	asker_forget();
	OK(pasid_detach(&v, 5));
	asker_in_order(order, __LINE__);
	CHECK_EQ(answered(5, 6, INVALID), 1);
	CHECK(!asking_allowed());
	finish();
	OK(vtd_fake_pasids(&r, 0));
}

struct hostile {
	const char *name;
	uint64_t q[4];		/* the sid is added */
	int answers;
};

static void hostile(void)
{
	static const struct hostile all[] = {
		{ "reserved bit 9", { 0x201, ADDR | LAST | READ }, 1 },
		{ "reserved bit 54", { 1UL << 54 | 1, ADDR | LAST | READ }, 1 },
		{ "reserved bit 128", { 1, ADDR | LAST | READ, 1 }, 1 },
		{ "reserved bit 255", { 1, ADDR | LAST | READ, 0, 1UL << 63 }, 1 },
		{ "reserved, not the last", { 0x201, ADDR | READ }, 0 },
		{ "a PASID without PP", { 5UL << 32 | 1, ADDR | LAST | READ }, 1 },
		{ "to execute, without PP", { 1UL << 52 | 1, ADDR | LAST | READ }, 1 },
		{ "privileged, without PP", { 1UL << 53 | 1, ADDR | LAST | READ }, 1 },
		{ "a PASID beyond all", { 0xfffffUL << 32 | 0x101, ADDR | LAST | READ }, 1 },
		{ "a PASID of nobody", { 5UL << 32 | 0x101, ADDR | LAST | READ }, 1 },
		{ "for nothing", { 1, ADDR | LAST }, 1 },
		{ "a stop marker", { 5UL << 32 | 0x101, LAST }, 0 },
		{ "another type", { 2, ADDR | LAST | READ }, 0 },
		{ "no type", { 0, ADDR | LAST | READ }, 0 },
	};
	char text[256], log[4096];
	unsigned int i;

	begin();
	attach_to(hwpt);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct iommu_hwpt_pgfault f;

		asker_forget();
		snprintf(text, sizeof(text), "%lx %lx %lx %lx\n",
			 all[i].q[0] | (uint64_t)sid << 16, all[i].q[1] | 77 << 3,
			 all[i].q[2], all[i].q[3]);
		asker_set("requests", text);
		/* what comes after it has come: it was seen */
		send(300, ADDR, READ | LAST);
		receive(&f, 1);
		check_fault(&f, 300, ADDR, IOMMU_PGFAULT_PERM_READ,
			    IOMMU_PGFAULT_FLAGS_LAST_PAGE);
		OK(event_answer(queue, f.cookie, IOMMUFD_PAGE_RESP_SUCCESS));
		asker_get("log", log, sizeof(log));
		if ((int)asker_count(log, "response") != all[i].answers + 1)
			tap_fail(__FILE__, __LINE__, "%s: answered:\n%s", all[i].name, log);
		if (all[i].answers && all[i].q[0] >> 8 & 1) {
			/* with its PASID */
			snprintf(text, sizeof(text), "response %lx %x",
				 (all[i].q[0] & 0xfffffUL << 32) | (uint64_t)sid << 16 | 0x1019,
				 77 << 3 | 4);
			CHECK_EQ(asker_count(log, text), 1);
		} else if (all[i].answers) {
			CHECK_EQ(asker_count(log, response(77, INVALID)), 1);
		}
	}
	/* and one that nobody has sent: answered to where it says it is from */
	asker_forget();
	snprintf(text, sizeof(text), "%lx %lx\n", 0xfff8UL << 16 | 1,
		 ADDR | 12 << 3 | LAST | WRITE);
	asker_set("requests", text);
	asker_wait(1, log, sizeof(log));
	CHECK_EQ(asker_count(log, "response fff81009 64"), 1);
	still_works();
	finish();
}

/* What stands in the unit's own queue: of a unit that does not refuse it. */
static void descriptor(void)
{
	static const char mark[] = "/sys/module/vtd_pretend/parameters/queue";
	char text[256], log[4096];
	ssize_t n;
	int f;

	begin();
	if (!real_prs)
		tap_skip("this unit has no page requests, it takes no answers");
	attach_to(hwpt);
	f = open(mark, O_RDWR | O_CLOEXEC);
	CHECK(f >= 0);
	CHECK(write(f, "\n", 1) == 1);
	asker_forget();
	snprintf(text, sizeof(text), "%lx %lx\n", 0x1234UL << 32 | (uint64_t)sid << 16 | 0x101,
		 ADDR | 0x1ff << 3 | LAST | READ);
	asker_set("requests", text);
	asker_wait(1, log, sizeof(log));
	/* it is taken, too, if the next one comes */
	send(1, ADDR, READ | LAST);
	CHECK(event_poll(queue, 30000) & POLLIN);
	n = pread(f, log, sizeof(log) - 1, 0);
	CHECK(n >= 0);
	log[n] = 0;
	close(f);
	/* 7.6.1: type, PP, the answer, RID, PASID; LPIG, PRGI */
	snprintf(text, sizeof(text), "%lx %x\n", 0x1234UL << 32 | (uint64_t)sid << 16 | 0x1019,
		 0x1ff << 3 | 4);
	if (strcmp(log, text))
		tap_fail(__FILE__, __LINE__, "in the queue:\n%swant:\n%s", log, text);
	finish();
}

/*
 * What the unit is told of its queue, where it has one. QEMU lets the tail be moved, so
 * that a request can go that way as well.
 */
static void registers(void)
{
	unsigned int head, tail, status, control;
	struct iommu_hwpt_pgfault f;
	unsigned long context, address;
	char text[256];
	pci_bdf bdf;

	find(bdf);
	if (!real_prs)
		tap_skip("this unit has no page requests");
	asker_load("vtd_asker", bdf, "real=1");
	attach_to(hwpt);
	asker_get("state", text, sizeof(text));
	CHECK_EQ(sscanf(text, "%u %u %u %lx %lx %x", &head, &tail, &status, &context, &address,
			&control), 6);
	CHECK_EQ(head, tail);
	CHECK_EQ(status, 0);
	/* 32 pages, aligned */
	CHECK_EQ(address & 0xfff, 5);
	CHECK(address >> 12 && !(address >> 12 & 31));
	/* not masked */
	CHECK_EQ(control, 0);
	send(1, ADDR, READ | LAST);
	asker_get("state", text, sizeof(text));
	CHECK_EQ(sscanf(text, "%*u %u", &tail), 1);
	if (tail != head) {
		receive(&f, 1);
		check_fault(&f, 1, ADDR, IOMMU_PGFAULT_PERM_READ,
			    IOMMU_PGFAULT_FLAGS_LAST_PAGE);
		still_works();
		usleep(100000);
		CHECK_EQ(head_and_tail(), (head + 64) % (SLOTS * 32));
	} else {
		tap_note("the unit keeps the tail to itself");
	}
	finish();
}

static void random_ones(void)
{
	char text[4096], log[4096];
	unsigned int i, j;
	size_t n;

	begin();
	attach_to(hwpt);
	srandom(6);
	for (i = 0; i < 40; i++) {
		n = 0;
		for (j = 0; j < 40; j++) {
			uint64_t q[4];
			unsigned int k;

			for (k = 0; k < 4; k++)
				q[k] = (uint64_t)random() << 33 ^
				       (uint64_t)random() << 16 ^ random();
			if (random() % 4)
				q[0] = (q[0] & ~0xffUL) | 1;
			if (random() % 2) {
				q[2] = 0;
				q[3] = 0;
			}
			if (random() % 2)
				q[0] &= ~0xfe00UL;
			if (random() % 2)
				q[0] = (q[0] & 0xffff) | (uint64_t)sid << 16;
			n += snprintf(text + n, sizeof(text) - n, "%lx %lx %lx %lx\n",
				      q[0], q[1], q[2], q[3]);
			if (n > sizeof(text) - 80)
				break;
		}
		asker_set("requests", text);
	}
	/* whatever it was, the last group of the device is answered when it goes */
	asker_forget();
	OK(vdev_detach(&v));
	asker_get("log", log, sizeof(log));
	close(queue);
	queue = OK(event_fault_queue(s.fd, &queue_id));
	OK(event_hwpt(s.fd, v.id, s.ioas, queue_id, 0, &hwpt));
	attach_to(hwpt);
	still_works();
	finish();
}

/* Attached and detached while requests come all the time. */
static void busy_device(void)
{
	struct iommu_hwpt_pgfault f[64];
	unsigned int i, j;
	char log[4096];
	ssize_t n;

	begin();
	for (i = 0; i < 50; i++) {
		attach_to(i % 3 ? hwpt : plain);
		asker_forget();
		for (j = 0; j < 8; j++)
			send(j, ADDR, READ | LAST);
		n = event_poll(queue, 0) & POLLIN ? event_read(queue, f, sizeof(f)) : 0;
		for (j = 0; j < n / sizeof(f[0]); j += 2)
			OK(event_answer(queue, f[j].cookie, IOMMUFD_PAGE_RESP_SUCCESS));
		if (i % 2)
			OK(vdev_detach(&v));
		else
			attach_to(plain);
		/* the last are answered by the thread, if it was plain before */
		asker_wait(8, log, sizeof(log));
		CHECK_EQ(asker_count(log, "response"), 8);
	}
	attach_to(hwpt);
	still_works();
	finish();
}

static const struct tap_test tests[] = {
	{ "refused, with a reason, where something is lacking", lacking, 120, NULL },
	{ "groups come whole, answers are what was said", groups, 120, NULL },
	{ "a device gets what it can have, and its share at most", shares, 120, NULL },
	{ "detach: stopped, drained, all answered, then ATS off", detach, 120, NULL },
	{ "replaced by a table without a queue", replace_by_plain, 120, NULL },
	{ "replaced by a table with another queue", replace_by_another, 120, NULL },
	{ "the device is closed", close_device, 120, NULL },
	{ "the fault queue is closed", close_queue, 120, NULL },
	{ "overflow is cleared when the queue is empty", overflow, 120, NULL },
	{ "the queue goes around", around, 300, NULL },
	{ "requests that cannot be", hostile, 120, NULL },
	{ "the descriptor of an answer", descriptor, 120, NULL },
	{ "the registers of the queue", registers, 120, NULL },
	{ "PASIDs of a nested table", pasids, 120, NULL },
	{ "PASIDs that are attached", attached_pasids, 120, NULL },
	{ "random requests", random_ones, 120, NULL },
	{ "requests while the device comes and goes", busy_device, 300, NULL },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

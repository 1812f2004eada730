// SPDX-License-Identifier: GPL-2.0
/*
 * Page requests through iommu_amdvi: from the unit's log to a fault queue and back. A
 * device that asks is made up (ko_amdvi/amdvi_asker.c); all that the driver does for it
 * is real, and the unit takes the answers.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/vfio_cdev.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amdvi_walk.h"
#include "asker.h"
#include "devices.h"
#include "mock_event.h"
#include "rng.h"
#include "vtd_ops.h"

#define ADDR	0x123456000UL
#define SLOTS	2048U
#define SUCCESS	0
#define INVALID	1

/* 2.6.1 */
#define EXECUTE	(1UL << 49)
#define READ	(1UL << 50)
#define WRITE	(1UL << 53)
#define USER	(1UL << 54)
#define BROKEN	(1UL << 55)
#define GN	(1UL << 56)
#define LAST	(1UL << 41)
#define CODE	(1UL << 60)

/* status, 3.4.15 */
#define OVERFLOW_AND_REQUESTS "96"
#define REQUESTS "64"

/* EPHSup; GIoSup, PASIDs of 16 bits, two tables of GCR3s */
#define EFR_EPH		(1UL << 50)
#define EFR_PASIDS	(1UL << 48 | 15UL << 32 | 1UL << 14)
#define DTE_PPR		(1UL << 52)

static struct space s;
static struct vdev v;
static uint64_t id;
static uint32_t queue_id, hwpt, plain;
static int queue;
static struct amdvi_requester r;

/* The device is bound; with PASIDs it has 1000, and hwpt and plain are for them. */
static void find(pci_bdf bdf, bool pasids)
{
	struct iommu_hwpt_alloc c = {
		.size = sizeof(c),
		.flags = IOMMU_HWPT_FAULT_ID_VALID | (pasids ? IOMMU_HWPT_ALLOC_PASID : 0),
	};

	if (access("/sys/class/iommu/amdvi0", F_OK))
		tap_skip("the unit is not driven by iommu_amdvi");
	if (!pci_find(PCI_RNG, 0, bdf))
		tap_skip("no virtio random number generator here");
	asker_unload();
	amdvi_pretend_pasids(EFR_EPH | (pasids ? EFR_PASIDS : 0), 0, pasids ? 1000 : 0);
	space_open(&s);
	OK(vdev_setup(&v, bdf, s.fd));
	amdvi_requester(&r, bdf);
	id = r.id;
	OK(iofd_hwpt(s.fd, v.id, s.ioas, pasids ? IOMMU_HWPT_ALLOC_PASID : 0, &plain));
	queue = OK(event_fault_queue(s.fd, &queue_id));
	c.dev_id = v.id;
	c.pt_id = s.ioas;
	c.fault_id = queue_id;
	OK(iofd_ioctl(s.fd, IOMMU_HWPT_ALLOC, &c));
	hwpt = c.out_hwpt_id;
}

static void begin(bool pasids)
{
	pci_bdf bdf;

	find(bdf, pasids);
	asker_load("amdvi_asker", bdf, "");
}

static void finish(void)
{
	vdev_close(&v);
	close(queue);
	close(s.fd);
	asker_unload();
	amdvi_pretend(0, 0);
}

static void attach_to(uint32_t pt)
{
	OK(vdev_attach(&v, &pt));
}

/* An entry without PASID */
static uint64_t entry(unsigned int group, uint64_t flags)
{
	return CODE | id | (uint64_t)group << 32 | flags;
}

static uint64_t with_pasid(uint64_t e, uint32_t pasid)
{
	return e | GN | (uint64_t)(pasid & 0xffff) << 16 | (uint64_t)(pasid >> 16) << 42;
}

static void send(uint64_t lo, uint64_t address)
{
	char text[64];

	snprintf(text, sizeof(text), "%lx %lx\n", lo, address);
	asker_set("requests", text);
}

/* The command that answers a group, as text; PASID 0: none */
static const char *response(unsigned int group, uint32_t pasid, unsigned int code)
{
	static char text[4][64];
	static unsigned int i;

	i = (i + 1) % 4;
	snprintf(text[i], sizeof(text[i]), "response %lx %lx\n",
		 7UL << 60 | id | (uint64_t)pasid << 32,
		 (uint64_t)code << 44 | (uint64_t)group << 32 | (pasid ? 4 : 0));
	return text[i];
}

static unsigned int answered(unsigned int group, uint32_t pasid, unsigned int code)
{
	char log[4096];

	asker_get("log", log, sizeof(log));
	return asker_count(log, response(group, pasid, code));
}

static void receive(struct iommu_hwpt_pgfault *f, unsigned int nr)
{
	CHECK(event_poll(queue, 30000) & POLLIN);
	CHECK_EQ(event_read(queue, f, nr * sizeof(*f)), (ssize_t)(nr * sizeof(*f)));
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

/* Where requests and answers go on after whatever the test did. */
static void still_works(void)
{
	struct iommu_hwpt_pgfault f;
	char log[4096];

	asker_forget();
	send(entry(300, READ | LAST), ADDR);
	receive(&f, 1);
	check_fault(&f, 300, ADDR, IOMMU_PGFAULT_PERM_READ, IOMMU_PGFAULT_FLAGS_LAST_PAGE);
	OK(event_answer(queue, f.cookie, IOMMUFD_PAGE_RESP_SUCCESS));
	asker_wait(1, log, sizeof(log));
	CHECK_EQ(asker_count(log, response(300, 0, SUCCESS)), 1);
	CHECK_EQ(asker_count(log, "response"), 1);
}

static void state(unsigned int *head, uint64_t *base, uint64_t *control, uint64_t *dte)
{
	unsigned int tail;
	char text[128];

	asker_get("state", text, sizeof(text));
	CHECK_EQ(sscanf(text, "%u %u %lx %lx %lx", head, &tail, base, control, dte), 5);
	CHECK_EQ(*head, tail);
}

static bool asking_allowed(void)
{
	uint64_t base, control, dte;
	unsigned int head;

	state(&head, &base, &control, &dte);
	return dte & DTE_PPR;
}

static void lacking(void)
{
	pci_bdf bdf;

	find(bdf, false);
	/* the real device has none */
	REFUSED(v.fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, vdev_attach(&v, &hwpt), -EOPNOTSUPP);
	asker_load("amdvi_asker", bdf, "busy=1");
	attach_to(plain);
	REFUSED(v.fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, vdev_attach(&v, &hwpt), -EBUSY);
	OK(vdev_detach(&v));
	asker_set("busy", "0");
	attach_to(hwpt);
	still_works();
	finish();
}

static void groups(void)
{
	uint64_t base, control, dte;
	struct iommu_hwpt_pgfault f[3];
	unsigned int head;
	char text[256];

	begin(false);
	CHECK(!asking_allowed());
	asker_forget();
	attach_to(hwpt);
	ASKER_LOG("log 1\nats 1\npri 2\nmost 64\npri 1\n");
	state(&head, &base, &control, &dte);
	CHECK(dte & DTE_PPR);
	/* 2048 entries, aligned; the log, its interrupt, and all of it */
	CHECK_EQ(base >> 56, 11);
	CHECK(base << 8 && !(base & 0xfff));
	CHECK_EQ(control >> 13 & 7, 7);
	snprintf(text, sizeof(text), "%lx %lx\n%lx %lx\n%lx %lx\n",
		 entry(7, READ), ADDR, entry(8, READ | WRITE | LAST), ADDR + 0x1000,
		 entry(7, WRITE | LAST), ADDR + 0x2000);
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
	CHECK_EQ(answered(7, 0, INVALID), 1);
	CHECK_EQ(answered(8, 0, SUCCESS), 1);
	still_works();
	OK(vdev_detach(&v));
	CHECK(!asking_allowed());
	finish();
}

/* One that was read, one that was not, one in the log, and one on its way. */
static void leave_some(void)
{
	struct iommu_hwpt_pgfault f;
	char text[64];

	send(entry(1, READ | LAST), ADDR);
	receive(&f, 1);
	send(entry(2, READ | LAST), ADDR);
	CHECK(event_poll(queue, 30000) & POLLIN);
	asker_set("silent", "1");
	send(entry(3, READ | LAST), ADDR);
	snprintf(text, sizeof(text), "%lx %lx\n", entry(4, WRITE | LAST), ADDR);
	asker_set("late", text);
	asker_forget();
}

static void check_left(int line)
{
	unsigned int i;

	for (i = 1; i <= 4; i++)
		if (answered(i, 0, INVALID) != 1)
			tap_fail(__FILE__, line, "group %u was not answered once, with no", i);
}

static void detach(void)
{
	static const char *const order[] = {
		"pri 0\n", "forget\n", "ats 0\n", "response", "pri 2\n", NULL
	};

	begin(false);
	attach_to(hwpt);
	leave_some();
	OK(vdev_detach(&v));
	check_left(__LINE__);
	asker_in_order(order, __LINE__);
	CHECK_EQ(event_poll(queue, 0) & POLLIN, 0);
	CHECK(!asking_allowed());
	asker_set("silent", "0");
	attach_to(hwpt);
	still_works();
	/* by a table that asks for nothing, which leaves ATS on */
	leave_some();
	attach_to(plain);
	check_left(__LINE__);
	CHECK(!asking_allowed());
	asker_set("silent", "0");
	attach_to(hwpt);
	still_works();
	/* closed */
	leave_some();
	vdev_close(&v);
	check_left(__LINE__);
	CHECK(!asking_allowed());
	close(queue);
	close(s.fd);
	asker_unload();
	amdvi_pretend(0, 0);
}

static void pasids(void)
{
	struct iommu_hwpt_pgfault f;

	begin(true);
	OK(pasid_attach(&v, 5, hwpt));
	CHECK(asking_allowed());
	asker_forget();
	send(with_pasid(entry(9, WRITE | USER | LAST), 5), ADDR);
	receive(&f, 1);
	check_fault(&f, 9, ADDR, IOMMU_PGFAULT_PERM_WRITE,
		    IOMMU_PGFAULT_FLAGS_LAST_PAGE | IOMMU_PGFAULT_FLAGS_PASID_VALID);
	CHECK_EQ(f.pasid, 5);
	OK(event_answer(queue, f.cookie, IOMMUFD_PAGE_RESP_SUCCESS));
	CHECK_EQ(answered(9, 5, SUCCESS), 1);
	OK(pasid_attach(&v, 900, hwpt));
	attach_to(hwpt);
	still_works();
	/* what is detached leaves nothing behind, and the rest goes on */
	asker_set("silent", "1");
	asker_forget();
	send(with_pasid(entry(10, READ | LAST), 900), ADDR);
	OK(pasid_detach(&v, 900));
	CHECK_EQ(answered(10, 900, INVALID), 1);
	send(entry(11, READ | LAST), ADDR);
	OK(vdev_detach(&v));
	CHECK_EQ(answered(11, 0, INVALID), 1);
	CHECK(asking_allowed());
	asker_set("silent", "0");
	send(with_pasid(entry(12, READ | LAST), 5), ADDR);
	receive(&f, 1);
	CHECK_EQ(f.pasid, 5);
	OK(pasid_detach(&v, 5));
	CHECK_EQ(answered(12, 5, INVALID), 1);
	CHECK(!asking_allowed());
	finish();
}

static void overflow(void)
{
	struct iommu_hwpt_pgfault f;
	char log[4096];

	begin(false);
	attach_to(hwpt);
	asker_forget();
	asker_set("status", OVERFLOW_AND_REQUESTS);
	send(entry(5, READ | LAST), ADDR);
	receive(&f, 1);
	OK(event_answer(queue, f.cookie, IOMMUFD_PAGE_RESP_SUCCESS));
	asker_wait(1, log, sizeof(log));
	CHECK_EQ(asker_count(log, response(5, 0, SUCCESS)), 1);
	/* it was stopped, and began anew */
	CHECK_EQ(asker_count(log, "log 0\nlog 1\n"), 1);
	asker_set("status", REQUESTS);
	still_works();
	/* while the device is being detached: once more, when it is over */
	asker_set("silent", "1");
	asker_set("status", OVERFLOW_AND_REQUESTS);
	send(entry(6, READ | LAST), ADDR);
	asker_forget();
	OK(vdev_detach(&v));
	asker_get("log", log, sizeof(log));
	CHECK_EQ(asker_count(log, response(6, 0, INVALID)), 1);
	CHECK_EQ(asker_count(log, "forget\n"), 2);
	finish();
}

/* The log goes around, and nothing is lost or comes twice. */
static void around(void)
{
	const unsigned int at_once = 64;
	struct iommu_hwpt_pgfault f;
	char text[4096], log[4096];
	unsigned int i, j;
	size_t n;

	begin(false);
	attach_to(hwpt);
	for (i = 0; i < SLOTS / at_once + 1; i++) {
		/* of nobody; not the last, so without an answer */
		for (j = n = 0; j < at_once; j++)
			n += snprintf(text + n, sizeof(text) - n, "%lx %lx\n",
				      CODE | 0xfff8 | READ, ADDR);
		asker_set("requests", text);
		asker_forget();
		send(entry(i, READ | LAST), ADDR);
		receive(&f, 1);
		check_fault(&f, i, ADDR, IOMMU_PGFAULT_PERM_READ,
			    IOMMU_PGFAULT_FLAGS_LAST_PAGE);
		OK(event_answer(queue, f.cookie, IOMMUFD_PAGE_RESP_SUCCESS));
		asker_get("log", log, sizeof(log));
		CHECK_EQ(asker_count(log, "response"), 1);
	}
	still_works();
	finish();
}

static void hostile(void)
{
	const struct {
		const char *name;
		uint64_t lo;	/* of group 77 */
		uint32_t pasid;
		int answers;
	} all[] = {
		{ "reserved bits in a table", READ | LAST | BROKEN, 0, 1 },
		{ "the same, not the last", READ | BROKEN, 0, 0 },
		{ "a PASID without GN", READ | LAST | 5 << 16, 0, 1 },
		{ "to execute, without GN", READ | LAST | EXECUTE, 0, 1 },
		{ "a PASID that there is not", READ | LAST, 0xfffff, 1 },
		{ "a PASID of nobody", READ | LAST | USER, 5, 1 },
		{ "for nothing", LAST, 0, 1 },
		{ "a stop marker", LAST, 5, 0 },
		{ "another code", READ | LAST | CODE << 1, 0, 0 },
	};
	struct iommu_hwpt_pgfault f;
	char log[4096];
	unsigned int i;

	begin(true);
	attach_to(hwpt);
	for (i = 0; i < sizeof(all) / sizeof(*all); i++) {
		uint64_t lo = entry(77, all[i].lo);

		if (all[i].pasid)
			lo = with_pasid(lo, all[i].pasid);
		asker_forget();
		send(lo, ADDR);
		/* what comes after it has come: it was seen */
		send(entry(300, READ | LAST), ADDR);
		receive(&f, 1);
		check_fault(&f, 300, ADDR, IOMMU_PGFAULT_PERM_READ,
			    IOMMU_PGFAULT_FLAGS_LAST_PAGE);
		OK(event_answer(queue, f.cookie, IOMMUFD_PAGE_RESP_SUCCESS));
		asker_get("log", log, sizeof(log));
		if ((int)asker_count(log, "response") != all[i].answers + 1)
			tap_fail(__FILE__, __LINE__, "%s: answered:\n%s", all[i].name, log);
		CHECK_EQ((int)answered(77, all[i].pasid, INVALID), all[i].answers);
	}
	finish();
}

static void back(void)
{
	amdvi_pretend(0, 0);
}

static const struct tap_test tests[] = {
	{ "refused, with a reason, where something is lacking", lacking, 60 },
	{ "groups come whole, answers are what was said", groups, 60 },
	{ "detached, replaced, closed: stopped, drained, all answered", detach, 60 },
	{ "PASIDs that are attached", pasids, 60 },
	{ "a log that has overflowed begins anew", overflow, 60 },
	{ "the log goes around", around, 120 },
	{ "requests that cannot be", hostile, 60 },
	{ "the unit is itself again", back },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * PASIDs on the mock: what leads where, who may be attached to what, and that
 * whatever fails leaves everything as it was.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mem.h"
#include "mock_pasid.h"
#include "mock_viommu.h"

#define PAGE 4096UL
#define PASID MOCK_FLAGS_DEVICE_PASID
#define LAST_PASID ((1U << MOCK_PASID_WIDTH) - 1)
#define TEST(call, want) REFUSED(s.fd, IOMMU_TEST_CMD, call, want)

static struct space s;
static struct mockdev m;
/* tables of the same IOAS: two for PASIDs, one not */
static uint32_t one, two, plain;

/* A device with PASIDs, attached to the first table for PASIDs. */
static void begin(void)
{
	mock_open(&s);
	OK(mock_device(s.fd, s.ioas, PASID, &m));
	OK(iofd_hwpt(s.fd, m.idev, s.ioas, IOMMU_HWPT_ALLOC_PASID, &one));
	OK(iofd_hwpt(s.fd, m.idev, s.ioas, IOMMU_HWPT_ALLOC_PASID, &two));
	OK(iofd_hwpt(s.fd, m.idev, s.ioas, 0, &plain));
	OK(mock_replace(s.fd, &m, one));
}

static int pasid_attach(uint32_t pasid, uint32_t pt)
{
	return mock_pasid_attach(s.fd, &m, pasid, pt);
}

static int pasid_replace(uint32_t pasid, uint32_t pt)
{
	return mock_pasid_replace(s.fd, &m, pasid, pt);
}

static int pasid_detach(uint32_t pasid)
{
	return mock_pasid_detach(s.fd, &m, pasid);
}

static int leads_to(uint32_t pasid, uint32_t hwpt)
{
	return mock_pasid_check(s.fd, &m, pasid, hwpt);
}

static void basics(void)
{
	begin();
	OK(leads_to(1, 0));
	OK(pasid_attach(1, two));
	OK(leads_to(1, two));
	TEST(leads_to(1, 0), -EINVAL);
	TEST(leads_to(1, one), -EINVAL);
	OK(pasid_attach(2, one));
	OK(pasid_attach(LAST_PASID, two));
	OK(leads_to(1, two));
	OK(leads_to(2, one));
	OK(leads_to(LAST_PASID, two));
	OK(leads_to(3, 0));
	OK(pasid_replace(1, one));
	OK(leads_to(1, one));
	OK(leads_to(2, one));
	/* to where it is already */
	OK(pasid_replace(1, one));
	OK(leads_to(1, one));
	OK(pasid_detach(1));
	OK(leads_to(1, 0));
	OK(leads_to(2, one));
	/* of nothing, and of what nobody can attach */
	OK(pasid_detach(1));
	OK(pasid_detach(0));
	OK(pasid_detach(UINT32_MAX));
	OK(pasid_attach(1, two));
	OK(leads_to(1, two));
}

static void refused(void)
{
	struct mockdev without;

	begin();
	TEST(pasid_replace(1, one), -EINVAL);
	OK(pasid_attach(1, one));
	TEST(pasid_attach(1, one), -EBUSY);
	TEST(pasid_attach(1, two), -EBUSY);
	OK(leads_to(1, one));
	/* no such table */
	TEST(pasid_attach(2, 0), -ENOENT);
	TEST(pasid_attach(2, 12345), -ENOENT);
	TEST(pasid_replace(1, 12345), -ENOENT);
	/* none of this kind */
	TEST(pasid_attach(2, s.ioas), -EINVAL);
	TEST(pasid_attach(2, m.idev), -EINVAL);
	TEST(pasid_attach(2, m.stdev), -EINVAL);
	TEST(pasid_attach(2, plain), -EINVAL);
	TEST(pasid_replace(1, s.ioas), -EINVAL);
	TEST(pasid_replace(1, m.idev), -EINVAL);
	TEST(pasid_replace(1, plain), -EINVAL);
	OK(leads_to(1, one));
	OK(leads_to(2, 0));
	/* no such PASID */
	TEST(pasid_attach(0, one), -EINVAL);
	TEST(pasid_attach(LAST_PASID + 1, one), -EINVAL);
	TEST(pasid_attach(UINT32_MAX, one), -EINVAL);
	TEST(pasid_replace(0, one), -EINVAL);
	TEST(pasid_replace(UINT32_MAX, one), -EINVAL);
	/* no such device */
	without = (struct mockdev){ .stdev = s.ioas };
	TEST(mock_pasid_attach(s.fd, &without, 1, one), -ENOENT);
	TEST(mock_pasid_replace(s.fd, &without, 1, one), -ENOENT);
	TEST(mock_pasid_detach(s.fd, &without, 1), -ENOENT);
	TEST(mock_pasid_check(s.fd, &without, 1, one), -ENOENT);
	TEST(leads_to(1, 12345), -ENOENT);
	TEST(leads_to(1, s.ioas), -EINVAL);
	/* a device that cannot, whose own requests may use such a table */
	OK(mock_device(s.fd, one, 0, &without));
	CHECK_EQ(without.hwpt, one);
	TEST(mock_pasid_attach(s.fd, &without, 1, one), -EINVAL);
	TEST(mock_pasid_replace(s.fd, &without, 1, one), -EINVAL);
	OK(mock_pasid_detach(s.fd, &without, 1));
	OK(mock_replace(s.fd, &without, two));
	OK(mock_replace(s.fd, &without, plain));
}

/* What the device itself is attached to, and what its PASIDs. */
static void compatible(void)
{
	uint32_t ioas;

	begin();
	OK(iofd_ioas(s.fd, &ioas));
	OK(pasid_attach(1, two));
	TEST(mock_replace(s.fd, &m, plain), -EINVAL);
	CHECK(strstr(iommufd_last_reason(s.fd), "PASID"));
	/* the tables that an IOAS gets by itself are no better */
	TEST(mock_replace(s.fd, &m, s.ioas), -EINVAL);
	TEST(mock_replace(s.fd, &m, ioas), -EINVAL);
	OK(mock_replace(s.fd, &m, two));
	OK(mock_replace(s.fd, &m, one));
	OK(leads_to(1, two));
	OK(pasid_detach(1));
	OK(mock_replace(s.fd, &m, plain));
	TEST(pasid_attach(1, two), -EINVAL);
	CHECK(strstr(iommufd_last_reason(s.fd), "ALLOC_PASID"));
	OK(leads_to(1, 0));
	OK(mock_replace(s.fd, &m, two));
	OK(pasid_attach(1, two));
	OK(leads_to(1, two));
	/* nothing has been made in vain and left behind */
	CHECK_EQ(iofd_objects(s.fd, "hwpt"), 3);
}

/* Who holds whom; the line of the device lists its PASIDs. */
static void holds(void)
{
	char path[64], line[512];
	int found = 0;
	FILE *f;

	begin();
	OK(pasid_attach(7, two));
	OK(pasid_attach(9, two));
	REFUSED(s.fd, IOMMU_DESTROY, iofd_destroy(s.fd, two), -EBUSY);
	CHECK(strstr(iommufd_last_reason(s.fd), "device"));
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", s.fd);
	f = fopen(path, "re");
	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		char want[64];

		snprintf(want, sizeof(want), " pasids=2 pasid=7:%u pasid=9:%u", two, two);
		if (strstr(line, "type=device") && strstr(line, want))
			found++;
	}
	fclose(f);
	CHECK_EQ(found, 1);
	OK(pasid_replace(7, one));
	REFUSED(s.fd, IOMMU_DESTROY, iofd_destroy(s.fd, two), -EBUSY);
	OK(pasid_detach(9));
	OK(iofd_destroy(s.fd, two));
	/* the device goes with its PASIDs */
	OK(iofd_destroy(s.fd, m.stdev));
	OK(iofd_destroy(s.fd, one));
	OK(iofd_destroy(s.fd, plain));
	CHECK_EQ(iofd_objects(s.fd, NULL), 1);
}

/* More than are listed one by one. */
static void many(void)
{
	char path[64], line[8192];
	uint32_t pasid;
	FILE *f;

	begin();
	for (pasid = 1; pasid <= 1000; pasid++)
		OK(pasid_attach(pasid * 1000, two));
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", s.fd);
	f = fopen(path, "re");
	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (strstr(line, "type=device"))
			break;
	fclose(f);
	CHECK(strstr(line, " pasids=1000 pasid=1000:"));
	CHECK(strstr(line, " pasid=10000:"));
	CHECK(!strstr(line, " pasid=1000000:"));
	REFUSED(s.fd, IOMMU_DESTROY, iofd_destroy(s.fd, two), -EBUSY);
	for (pasid = 1; pasid <= 1000; pasid++)
		OK(leads_to(pasid * 1000, two));
	OK(iofd_destroy(s.fd, m.stdev));
	OK(iofd_destroy(s.fd, two));
}

/* The file is closed with PASIDs attached: the mock can be unloaded. */
static void closed(void)
{
	uint32_t pasid;

	begin();
	for (pasid = 1; pasid < 300; pasid++)
		OK(pasid_attach(pasid * 3000, pasid % 2 ? one : two));
	OK(close(s.fd));
}

/* It fails every second time since it was removed, and nothing moves then. */
static void rollback(void)
{
	int i;

	begin();
	for (i = 0; i < 3; i++) {
		OK(pasid_attach(IOMMU_TEST_PASID_RESERVED, one));
		TEST(pasid_replace(IOMMU_TEST_PASID_RESERVED, two), -ENOMEM);
		OK(leads_to(IOMMU_TEST_PASID_RESERVED, one));
		/* the table that it did not move to is free */
		OK(iofd_destroy(s.fd, two));
		OK(iofd_hwpt(s.fd, m.idev, s.ioas, IOMMU_HWPT_ALLOC_PASID, &two));
		OK(pasid_replace(IOMMU_TEST_PASID_RESERVED, two));
		OK(leads_to(IOMMU_TEST_PASID_RESERVED, two));
		OK(pasid_replace(IOMMU_TEST_PASID_RESERVED, one));
		OK(pasid_detach(IOMMU_TEST_PASID_RESERVED));
		OK(leads_to(IOMMU_TEST_PASID_RESERVED, 0));
	}
}

/* A driver that cannot move them: detached and attached, and back if that fails. */
static void in_steps(void)
{
	struct mockdev coarse;
	uint32_t records;

	begin();
	OK(iofd_hwpt(s.fd, m.idev, s.ioas,
		     IOMMU_HWPT_ALLOC_PASID | IOMMU_HWPT_ALLOC_DIRTY_TRACKING, &records));
	OK(mock_device(s.fd, one, PASID | MOCK_FLAGS_DEVICE_NO_DIRTY, &coarse));
	mock_parameter("replace_pasid", 0);
	OK(pasid_attach(1, one));
	OK(pasid_replace(1, two));
	OK(leads_to(1, two));
	OK(iofd_destroy(s.fd, plain));
	OK(pasid_replace(1, one));
	OK(leads_to(1, one));
	OK(mock_pasid_attach(s.fd, &coarse, 1, two));
	TEST(mock_pasid_replace(s.fd, &coarse, 1, records), -EINVAL);
	OK(mock_pasid_check(s.fd, &coarse, 1, two));
	REFUSED(s.fd, IOMMU_DESTROY, iofd_destroy(s.fd, two), -EBUSY);
	OK(mock_pasid_detach(s.fd, &coarse, 1));
	OK(iofd_destroy(s.fd, two));
	mock_parameter("replace_pasid", 1);
}

/* Tables that record refuse devices that cannot be recorded, also by PASID. */
static void unsuitable(void)
{
	struct mockdev coarse;
	uint32_t records;

	begin();
	OK(iofd_hwpt(s.fd, m.idev, s.ioas,
		     IOMMU_HWPT_ALLOC_PASID | IOMMU_HWPT_ALLOC_DIRTY_TRACKING, &records));
	OK(pasid_attach(1, records));
	OK(leads_to(1, records));
	OK(mock_device(s.fd, one, PASID | MOCK_FLAGS_DEVICE_NO_DIRTY, &coarse));
	TEST(mock_pasid_attach(s.fd, &coarse, 1, records), -EINVAL);
	OK(mock_pasid_check(s.fd, &coarse, 1, 0));
	OK(mock_pasid_attach(s.fd, &coarse, 1, two));
	TEST(mock_pasid_replace(s.fd, &coarse, 1, records), -EINVAL);
	OK(mock_pasid_check(s.fd, &coarse, 1, two));
	/* two devices have each their own PASID 1 */
	OK(leads_to(1, records));
}

static uint32_t nested_on(uint32_t pt, uint32_t flags)
{
	struct iommu_hwpt_selftest data = { .iotlb = IOMMU_TEST_IOTLB_DEFAULT };
	struct iommu_hwpt_alloc c = {
		.size = sizeof(c),
		.flags = flags,
		.dev_id = m.idev,
		.pt_id = pt,
		.data_type = IOMMU_HWPT_DATA_SELFTEST,
		.data_len = sizeof(data),
		.data_uptr = (uintptr_t)&data,
	};

	OK(iofd_ioctl(s.fd, IOMMU_HWPT_ALLOC, &c));
	return c.out_hwpt_id;
}

/* Tables of a guest: on a parent, and on a vIOMMU that has to know the device. */
static void nested(void)
{
	uint32_t parent, plain_parent, viommu, vdevice, on_parent, on_viommu, without;

	begin();
	OK(iofd_hwpt(s.fd, m.idev, s.ioas,
		     IOMMU_HWPT_ALLOC_PASID | IOMMU_HWPT_ALLOC_NEST_PARENT, &parent));
	OK(iofd_hwpt(s.fd, m.idev, s.ioas, IOMMU_HWPT_ALLOC_NEST_PARENT, &plain_parent));
	on_parent = nested_on(plain_parent, IOMMU_HWPT_ALLOC_PASID);
	without = nested_on(parent, 0);
	OK(mock_viommu(s.fd, m.idev, parent, NULL, &viommu));
	on_viommu = nested_on(viommu, IOMMU_HWPT_ALLOC_PASID);

	OK(pasid_attach(1, on_parent));
	OK(leads_to(1, on_parent));
	REFUSED(s.fd, IOMMU_DESTROY, iofd_destroy(s.fd, on_parent), -EBUSY);
	REFUSED(s.fd, IOMMU_DESTROY, iofd_destroy(s.fd, plain_parent), -EBUSY);
	TEST(pasid_replace(1, without), -EINVAL);
	TEST(pasid_replace(1, plain_parent), -EINVAL);
	TEST(pasid_replace(1, on_viommu), -ENOENT);
	TEST(pasid_attach(2, on_viommu), -ENOENT);
	OK(leads_to(1, on_parent));
	OK(leads_to(2, 0));
	OK(mock_vdevice(s.fd, viommu, m.idev, 5, &vdevice));
	OK(pasid_replace(1, on_viommu));
	OK(pasid_attach(2, on_viommu));
	OK(leads_to(1, on_viommu));
	OK(iofd_destroy(s.fd, on_parent));
	OK(pasid_replace(2, parent));
	OK(pasid_replace(2, one));
	OK(leads_to(2, one));

	/* the device itself on a guest's table, with the flag and without */
	TEST(mock_replace(s.fd, &m, without), -EINVAL);
	OK(mock_replace(s.fd, &m, on_viommu));
	OK(pasid_detach(1));
	OK(pasid_detach(2));
	OK(mock_replace(s.fd, &m, without));
	TEST(pasid_attach(1, on_viommu), -EINVAL);
	OK(mock_replace(s.fd, &m, parent));
	OK(pasid_attach(1, on_viommu));
	OK(iofd_destroy(s.fd, m.stdev));
	OK(iofd_destroy(s.fd, on_viommu));
}

/* Where the answer cannot be written, nothing is attached. */
static void no_way_out(void)
{
	int file = OK(mem_file(PAGE, 0));
	struct iommu_test_cmd *rw, *ro;

	begin();
	rw = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	ro = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0);
	CHECK(rw != MAP_FAILED && ro != MAP_FAILED);
	*rw = (struct iommu_test_cmd){
		.size = sizeof(*rw),
		.op = IOMMU_TEST_OP_PASID_ATTACH,
		.id = m.stdev,
		.pasid_attach = { .pasid = 5, .pt_id = one },
	};
	TEST(iofd_ioctl(s.fd, IOMMU_TEST_CMD, ro), -EFAULT);
	OK(leads_to(5, 0));
	OK(iofd_ioctl(s.fd, IOMMU_TEST_CMD, rw));
	OK(leads_to(5, one));
}

static void hw_info(void)
{
	struct iommu_hw_info c = { .size = sizeof(c) };
	struct mockdev without;

	begin();
	c.dev_id = m.idev;
	OK(iofd_ioctl(s.fd, IOMMU_GET_HW_INFO, &c));
	CHECK_EQ(c.out_max_pasid_log2, MOCK_PASID_WIDTH);
	OK(mock_device(s.fd, s.ioas, 0, &without));
	c = (struct iommu_hw_info){ .size = sizeof(c), .dev_id = without.idev };
	OK(iofd_ioctl(s.fd, IOMMU_GET_HW_INFO, &c));
	CHECK_EQ(c.out_max_pasid_log2, 0);
}

/*
 * Everything that has to do with PASIDs at once, on one file: each operation by
 * a thread of its own, over and over.
 */
static _Atomic bool stop;
static _Atomic uint32_t tables[2];

static void expect(const char *what, int rc, int a, int b, int c)
{
	if (rc && rc != -a && rc != -b && rc != -c)
		tap_fail(__FILE__, __LINE__, "%s: %s: %s", what, tap_errno(rc),
			 iommufd_last_reason(s.fd));
}

static void *do_attach(void *unused)
{
	unsigned int i;

	for (i = 0; !stop; i++)
		expect("attach", pasid_attach(1 + i % 3, tables[i / 3 % 2]), EBUSY, ENOENT, EINVAL);
	return NULL;
}

static void *do_replace(void *unused)
{
	unsigned int i;

	for (i = 0; !stop; i++)
		expect("replace", pasid_replace(1 + i % 3, tables[i / 5 % 2]), EINVAL, ENOENT, EINVAL);
	return NULL;
}

static void *do_detach(void *unused)
{
	unsigned int i;

	for (i = 0; !stop; i++)
		expect("detach", pasid_detach(1 + i % 3), 0, 0, 0);
	return NULL;
}

static void *do_move_device(void *unused)
{
	struct mockdev copy = m;
	unsigned int i;

	for (i = 0; !stop; i++)
		expect("move the device",
		       mock_replace(s.fd, &copy, i % 5 ? tables[i % 2] : plain), EINVAL, ENOENT, EINVAL);
	return NULL;
}

/* Tables come and go. */
static void *do_renew(void *unused)
{
	uint32_t fresh;
	unsigned int i;

	for (i = 0; !stop; i++) {
		int rc = iofd_destroy(s.fd, tables[i % 2]);

		expect("destroy", rc, EBUSY, 0, 0);
		if (rc)
			continue;
		expect("allocate", iofd_hwpt(s.fd, m.idev, s.ioas, IOMMU_HWPT_ALLOC_PASID, &fresh),
		       0, 0, 0);
		tables[i % 2] = fresh;
	}
	return NULL;
}

static void *do_look(void *unused)
{
	while (!stop)
		CHECK(iofd_objects(s.fd, "device") >= 1);
	return NULL;
}

static void *do_map(void *unused)
{
	char *mem = mem_anon(64 * PAGE);

	CHECK(mem);
	while (!stop) {
		OK(space_map(&s, mem, 64 * PAGE, APERTURE));
		OK(space_unmap(&s, APERTURE, 64 * PAGE));
	}
	return NULL;
}

static const struct {
	void *(*run)(void *);
	int alone;		/* what it changes has one place */
} at_once[] = {
	{ do_attach }, { do_replace }, { do_detach }, { do_move_device }, { do_look },
	{ do_renew, 1 }, { do_map, 1 },
};

#define AT_ONCE (sizeof(at_once) / sizeof(at_once[0]))

static void run_pair(unsigned int a, unsigned int b)
{
	pthread_t threads[2];

	stop = false;
	CHECK(!pthread_create(&threads[0], NULL, at_once[a].run, NULL));
	CHECK(!pthread_create(&threads[1], NULL, at_once[b].run, NULL));
	usleep(60000);
	stop = true;
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
}

static void pairs(void)
{
	unsigned int a, b, pasid;

	begin();
	tables[0] = one;
	tables[1] = two;
	for (a = 0; a < AT_ONCE; a++)
		for (b = a + at_once[a].alone; b < AT_ONCE; b++)
			run_pair(a, b);
	for (pasid = 1; pasid < 4; pasid++) {
		OK(pasid_detach(pasid));
		OK(leads_to(pasid, 0));
	}
	OK(iofd_destroy(s.fd, m.stdev));
	OK(iofd_destroy(s.fd, tables[0]));
	OK(iofd_destroy(s.fd, tables[1]));
	OK(iofd_destroy(s.fd, plain));
	CHECK_EQ(iofd_objects(s.fd, NULL), 1);
}

/* The device is destroyed, and the process killed, in the middle of all that. */
static void *do_gone(void *op)
{
	unsigned int i;

	for (i = 0; !stop; i++) {
		int rc = pasid_attach(1 + i % 5, one);

		if (rc == -ENOENT)
			return NULL;
		expect("attach", rc, EBUSY, 0, 0);
		expect("replace", pasid_replace(1 + i % 5, two), EINVAL, ENOENT, 0);
	}
	return NULL;
}

static void device_goes(void)
{
	pthread_t threads[2];
	int round, i;

	begin();
	for (round = 0; round < 20; round++) {
		stop = false;
		for (i = 0; i < 2; i++)
			CHECK(!pthread_create(&threads[i], NULL, do_gone, NULL));
		usleep(10000);
		OK(iofd_destroy(s.fd, m.stdev));
		for (i = 0; i < 2; i++)
			pthread_join(threads[i], NULL);
		OK(mock_device(s.fd, one, PASID, &m));
	}
	CHECK_EQ(iofd_objects(s.fd, "device"), 1);
}

static void killed(void)
{
	int round;

	for (round = 0; round < 10; round++) {
		pid_t pid = fork();
		unsigned int i;

		CHECK(pid >= 0);
		if (!pid) {
			pthread_t thread;

			begin();
			tables[0] = one;
			tables[1] = two;
			for (i = 0; i < AT_ONCE; i++)
				pthread_create(&thread, NULL, at_once[i].run, NULL);
			pause();
		}
		usleep(100000 + round * 10000);
		CHECK(!kill(pid, SIGKILL));
		CHECK_EQ(waitpid(pid, NULL, 0), pid);
	}
}

static const struct tap_test tests[] = {
	{ "PASIDs are attached, moved and detached", basics },
	{ "refused, each with its errno", refused },
	{ "a device and its PASIDs: which tables go together", compatible },
	{ "a table stays as long as a PASID is attached to it", holds },
	{ "a thousand PASIDs", many },
	{ "a file is closed with PASIDs attached", closed },
	{ "a move that fails leaves a PASID where it was", rollback },
	{ "a driver that cannot move PASIDs", in_steps },
	{ "a table that does not suit the device", unsuitable },
	{ "nested tables", nested },
	{ "an answer that cannot be written", no_way_out },
	{ "GET_HW_INFO tells the width", hw_info },
	{ "every two operations at once", pairs, 120 },
	{ "the device goes meanwhile", device_goes, 60 },
	{ "the process goes meanwhile", killed, 60 },
};

int main(int argc, char **argv)
{
	return MOCK_RUN(argc, argv, tests);
}

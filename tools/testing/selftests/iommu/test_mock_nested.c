// SPDX-License-Identifier: GPL-2.0
/*
 * Nested page tables on the mock: what they may stand on, what is attached to
 * them, and what becomes of the entries of an invalidation.
 */
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "mem.h"
#include "mock_viommu.h"

#define PAGE 4096UL
#define TYPE IOMMU_HWPT_INVALIDATE_DATA_SELFTEST
#define ALL IOMMU_TEST_INVALIDATE_FLAG_ALL
#define VALUE 0x12345678U
#define WORDS MOCK_NESTED_DOMAIN_IOTLB_NUM
#define TEST(call, want) REFUSED(vm.s.fd, IOMMU_TEST_CMD, call, want)
#define ALLOC(call, want) REFUSED(vm.s.fd, IOMMU_HWPT_ALLOC, call, want)
#define INV(call, want) REFUSED(vm.s.fd, IOMMU_HWPT_INVALIDATE, call, want)

static struct mock_vm vm;
static uint32_t nested;

static void begin(void)
{
	mock_vm(&vm);
	OK(mock_nested(vm.s.fd, vm.dev.idev, vm.parent, VALUE, &nested));
}

static int alloc(uint32_t pt, uint32_t flags, uint32_t type, const void *data,
		 uint32_t len)
{
	struct iommu_hwpt_alloc c = {
		.size = sizeof(c),
		.flags = flags,
		.dev_id = vm.dev.idev,
		.pt_id = pt,
		.data_type = type,
		.data_len = len,
		.data_uptr = (uintptr_t)data,
	};

	return iofd_ioctl(vm.s.fd, IOMMU_HWPT_ALLOC, &c);
}

static void alloc_rules(void)
{
	struct { struct iommu_hwpt_selftest data; uint32_t more; } d = {};
	const uint32_t self = IOMMU_HWPT_DATA_SELFTEST, len = sizeof(d.data);
	int before;
	uint32_t plain;

	begin();
	OK(iofd_hwpt(vm.s.fd, vm.dev.idev, vm.s.ioas, 0, &plain));
	before = iofd_objects(vm.s.fd, NULL);
	ALLOC(alloc(vm.parent, 0, IOMMU_HWPT_DATA_NONE, NULL, 0), -EINVAL);
	ALLOC(alloc(vm.parent, 0, IOMMU_HWPT_DATA_NONE, &d, len), -EINVAL);
	ALLOC(alloc(vm.parent, 0, IOMMU_HWPT_DATA_VTD_S1, &d, len), -EOPNOTSUPP);
	ALLOC(alloc(vm.parent, 0, 0x7777, &d, len), -EOPNOTSUPP);
	ALLOC(alloc(vm.parent, 0, self, &d, 0), -EINVAL);
	ALLOC(alloc(vm.parent, 0, self, &d, 3), -EINVAL);
	ALLOC(alloc(vm.parent, 0, self, &d, len + 1), -EINVAL);
	ALLOC(alloc(vm.parent, 0, self, &d, sizeof(d)), -EINVAL);
	ALLOC(alloc(vm.parent, 0, self, NULL, len), -EFAULT);
	ALLOC(alloc(vm.parent, 0, self, (void *)8, len), -EFAULT);
	ALLOC(alloc(vm.parent, IOMMU_HWPT_ALLOC_NEST_PARENT, self, &d, len),
	      -EOPNOTSUPP);
	ALLOC(alloc(vm.parent, IOMMU_HWPT_ALLOC_DIRTY_TRACKING, self, &d, len),
	      -EOPNOTSUPP);
	ALLOC(alloc(vm.parent, IOMMU_HWPT_FAULT_ID_VALID, self, &d, len), -ENOENT);
	ALLOC(alloc(plain, 0, self, &d, len), -EINVAL);
	ALLOC(alloc(nested, 0, self, &d, len), -EINVAL);
	ALLOC(alloc(vm.dev.idev, 0, self, &d, len), -EINVAL);
	ALLOC(alloc(vm.dev.stdev, 0, self, &d, len), -EINVAL);
	ALLOC(alloc(0xffff, 0, self, &d, len), -ENOENT);
	CHECK_EQ(iofd_objects(vm.s.fd, NULL), before);
	/* the first version of the structure */
	OK(alloc(vm.parent, 0, self, &d, sizeof(d.data.iotlb)));
	OK(alloc(vm.parent, 0, self, &d, len));
	CHECK_EQ(iofd_objects(vm.s.fd, NULL), before + 2);
}

static void stands_on(void)
{
	uint32_t second;

	begin();
	OK(mock_nested(vm.s.fd, vm.dev.idev, vm.parent, 1, &second));
	OK(mock_replace(vm.s.fd, &vm.dev, nested));
	CHECK_EQ(vm.dev.hwpt, nested);
	REFUSED(vm.s.fd, IOMMU_DESTROY, iofd_destroy(vm.s.fd, nested), -EBUSY);
	REFUSED(vm.s.fd, IOMMU_DESTROY, iofd_destroy(vm.s.fd, vm.parent), -EBUSY);
	REFUSED(vm.s.fd, IOMMU_DESTROY, iofd_destroy(vm.s.fd, vm.s.ioas), -EBUSY);
	/* the parent goes on as before */
	OK(space_unmap(&vm.s, APERTURE, VM_MEM));
	OK(space_map(&vm.s, vm.mem, VM_MEM, APERTURE));
	OK(mock_check_map(vm.s.fd, vm.parent, APERTURE, vm.mem, VM_MEM));
	OK(mock_replace(vm.s.fd, &vm.dev, second));
	OK(iofd_destroy(vm.s.fd, nested));
	OK(mock_replace(vm.s.fd, &vm.dev, vm.parent));
	OK(iofd_destroy(vm.s.fd, second));
	/* attached to it, and as the parent of the vIOMMU */
	OK(iofd_destroy(vm.s.fd, vm.viommu));
	REFUSED(vm.s.fd, IOMMU_DESTROY, iofd_destroy(vm.s.fd, vm.parent), -EBUSY);
	OK(iofd_destroy(vm.s.fd, vm.dev.stdev));
	OK(iofd_destroy(vm.s.fd, vm.parent));
	OK(iofd_destroy(vm.s.fd, vm.s.ioas));
	CHECK_EQ(iofd_objects(vm.s.fd, NULL), 0);
}

/* A device that is attached at once, and one that cannot be. */
static void attach_rules(void)
{
	struct mockdev late, blind;
	uint32_t tracks, n;

	begin();
	OK(mock_device(vm.s.fd, nested, 0, &late));
	CHECK_EQ(late.hwpt, nested);
	OK(iofd_hwpt(vm.s.fd, late.idev, vm.s.ioas, IOMMU_HWPT_ALLOC_NEST_PARENT |
		     IOMMU_HWPT_ALLOC_DIRTY_TRACKING, &tracks));
	OK(mock_nested(vm.s.fd, late.idev, tracks, 0, &n));
	TEST(mock_device(vm.s.fd, n, MOCK_FLAGS_DEVICE_NO_DIRTY, &blind), -EINVAL);
	OK(mock_device(vm.s.fd, nested, MOCK_FLAGS_DEVICE_NO_DIRTY, &blind));
	TEST(mock_replace(vm.s.fd, &blind, n), -EINVAL);
	OK(mock_replace(vm.s.fd, &late, n));
	OK(iofd_destroy(vm.s.fd, late.stdev));
	OK(iofd_destroy(vm.s.fd, blind.stdev));
}

static void holds(uint32_t hwpt, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	OK(mock_check_iotlb(vm.s.fd, hwpt, 0, a));
	OK(mock_check_iotlb(vm.s.fd, hwpt, 1, b));
	OK(mock_check_iotlb(vm.s.fd, hwpt, 2, c));
	OK(mock_check_iotlb(vm.s.fd, hwpt, 3, d));
}

static void looked_into(void)
{
	begin();
	holds(nested, VALUE, VALUE, VALUE, VALUE);
	TEST(mock_check_iotlb(vm.s.fd, nested, 0, 0), -EINVAL);
	TEST(mock_check_iotlb(vm.s.fd, nested, WORDS, VALUE), -EINVAL);
	TEST(mock_check_iotlb(vm.s.fd, vm.parent, 0, VALUE), -ENOENT);
	TEST(mock_check_iotlb(vm.s.fd, 0xffff, 0, VALUE), -ENOENT);
}

static int invalidate(const void *data, uint32_t length, uint32_t *num)
{
	return mock_invalidate(vm.s.fd, nested, TYPE, data, length, num);
}

static void invalidates(void)
{
	struct iommu_hwpt_invalidate_selftest inv[4] = { { .iotlb_id = 1 } };
	uint32_t num = 1, other;

	begin();
	OK(mock_nested(vm.s.fd, vm.dev.idev, vm.parent, 7, &other));
	OK(invalidate(inv, sizeof(*inv), &num));
	CHECK_EQ(num, 1);
	holds(nested, VALUE, 0, VALUE, VALUE);
	inv[0].iotlb_id = 3;
	inv[1].iotlb_id = 0;
	num = 2;
	OK(invalidate(inv, sizeof(*inv), &num));
	CHECK_EQ(num, 2);
	holds(nested, 0, 0, VALUE, 0);
	inv[0].flags = ALL;
	num = 1;
	OK(invalidate(inv, sizeof(*inv), &num));
	holds(nested, 0, 0, 0, 0);
	holds(other, 7, 7, 7, 7);
}

/* What is handled before a bad entry stays handled, and is counted. */
static void partial(void)
{
	struct iommu_hwpt_invalidate_selftest inv[3] = {
		{ .iotlb_id = 0 }, { .iotlb_id = 2 }, { .flags = ALL << 1 },
	};
	uint32_t num = 3;

	begin();
	INV(invalidate(inv, sizeof(*inv), &num), -EOPNOTSUPP);
	CHECK_EQ(num, 2);
	holds(nested, 0, VALUE, 0, VALUE);
	inv[0].iotlb_id = 1;
	inv[1].iotlb_id = WORDS;
	inv[2] = (struct iommu_hwpt_invalidate_selftest){ .flags = ALL };
	num = 3;
	INV(invalidate(inv, sizeof(*inv), &num), -EINVAL);
	CHECK_EQ(num, 1);
	holds(nested, 0, 0, 0, VALUE);
}

/* Entries that go on where there is no memory. */
static void beyond_memory(void)
{
	struct iommu_hwpt_invalidate_selftest *inv;
	uint32_t num = 3;
	char *p;

	begin();
	p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED && !munmap(p + PAGE, PAGE));
	inv = (void *)(p + PAGE - 2 * sizeof(*inv));
	inv[0].iotlb_id = 3;
	inv[1].iotlb_id = 2;
	INV(invalidate(inv, sizeof(*inv), &num), -EFAULT);
	CHECK_EQ(num, 2);
	holds(nested, VALUE, VALUE, 0, 0);
}

static void entry_rules(void)
{
	struct iommu_hwpt_invalidate_selftest inv[2] = {};
	const uint32_t len = sizeof(*inv);
	static const struct row {
		uint32_t type, num, len;
		int data, rc;
	} rows[] = {
		{ TYPE, 1, 0, 1, -EINVAL },
		{ TYPE, 1, 4, 1, -EINVAL },
		{ TYPE, 1, sizeof(*inv) - 1, 1, -EINVAL },
		{ TYPE, 1, sizeof(*inv) + 1, 1, -EINVAL },
		{ TYPE, 1, 2 * sizeof(*inv), 1, -EINVAL },
		{ TYPE, 1, PAGE, 1, -EINVAL },
		{ TYPE, 1, PAGE + 1, 1, -EINVAL },
		{ TYPE, 1, UINT32_MAX, 1, -EINVAL },
		{ TYPE, 1, sizeof(*inv), 0, -EINVAL },
		{ TYPE, (1 << 19) + 1, sizeof(*inv), 1, -EINVAL },
		{ TYPE, UINT32_MAX, sizeof(*inv), 1, -EINVAL },
		{ TYPE + 1, 1, sizeof(*inv), 1, -EINVAL },
		{ IOMMU_HWPT_INVALIDATE_DATA_SELFTEST_INVALID, 1, sizeof(*inv), 1, -EINVAL },
		{ IOMMU_HWPT_INVALIDATE_DATA_SELFTEST_INVALID, 0, 0, 0, -EINVAL },
		{ IOMMU_HWPT_INVALIDATE_DATA_VTD_S1, 0, sizeof(*inv), 1, -EINVAL },
	};
	uint32_t num;
	unsigned int i;

	begin();
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		num = rows[i].num;
		INV(mock_invalidate(vm.s.fd, nested, rows[i].type,
				    rows[i].data ? inv : NULL, rows[i].len, &num),
		    rows[i].rc);
		CHECK_EQ(num, 0);
	}
	/* whether there is this type */
	num = 0;
	OK(mock_invalidate(vm.s.fd, nested, TYPE, NULL, 0, &num));
	CHECK_EQ(num, 0);
	/* of what */
	num = 1;
	INV(mock_invalidate(vm.s.fd, vm.parent, TYPE, inv, len, &num), -EINVAL);
	CHECK_EQ(num, 0);
	num = 1;
	INV(mock_invalidate(vm.s.fd, vm.dev.idev, TYPE, inv, len, &num), -EINVAL);
	CHECK_EQ(num, 0);
	num = 1;
	INV(mock_invalidate(vm.s.fd, 0xffff, TYPE, inv, len, &num), -ENOENT);
	CHECK_EQ(num, 0);
	holds(nested, VALUE, VALUE, VALUE, VALUE);
}

static void reserved_field(void)
{
	struct iommu_hwpt_invalidate c = {
		.size = sizeof(c),
		.hwpt_id = 0,
		.data_type = TYPE,
		.entry_num = 5,
		.__reserved = 1,
	};

	begin();
	c.hwpt_id = nested;
	INV(iofd_ioctl(vm.s.fd, IOMMU_HWPT_INVALIDATE, &c), -EOPNOTSUPP);
	CHECK_EQ(c.entry_num, 0);
}

#define ROUNDS 300

static void *keep_invalidating(void *arg)
{
	struct iommu_hwpt_invalidate_selftest inv = { .flags = ALL };
	volatile int *stop = arg;

	while (!*stop) {
		uint32_t num = 1;
		int rc = invalidate(&inv, sizeof(inv), &num);

		if (rc && rc != -ENOENT && rc != -EINVAL)
			return (void *)"an errno that this cannot give";
	}
	return NULL;
}

/* The table is destroyed and made again under a thread that invalidates it. */
static void destroyed_in_use(void)
{
	volatile int stop = 0;
	void *complaint;
	pthread_t thread;
	int i;

	begin();
	CHECK(!pthread_create(&thread, NULL, keep_invalidating, (void *)&stop));
	for (i = 0; i < ROUNDS; i++) {
		OK(iofd_destroy(vm.s.fd, nested));
		OK(mock_nested(vm.s.fd, vm.dev.idev, vm.parent, VALUE, &nested));
	}
	stop = 1;
	CHECK(!pthread_join(thread, &complaint));
	if (complaint)
		tap_fail(__FILE__, __LINE__, "%s", (char *)complaint);
}

static const struct tap_test tests[] = {
	{ "what a nested table is made of and on", alloc_rules },
	{ "a nested table keeps its parent, a device its nested table", stands_on },
	{ "who can be attached to a nested table", attach_rules },
	{ "the words of an IOTLB start as asked", looked_into },
	{ "invalidations reach their words and no others", invalidates },
	{ "entry_num tells how many came before a bad one", partial },
	{ "entries that cannot be read end it", beyond_memory },
	{ "the rules for arrays of entries", entry_rules },
	{ "a reserved field is checked, and entry_num written", reserved_field },
	{ "destroyed while it is invalidated", destroyed_in_use, 120 },
};

int main(int argc, char **argv)
{
	return MOCK_RUN(argc, argv, tests);
}

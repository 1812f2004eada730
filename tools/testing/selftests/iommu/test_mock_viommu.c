// SPDX-License-Identifier: GPL-2.0
/*
 * vIOMMUs and vDEVICEs on the mock: what makes them, who keeps whom, what is
 * left when a device goes first, and the memory that mmap() finds.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mem.h"
#include "mock_viommu.h"

#define PAGE 4096UL
#define TYPE IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST
#define ALL IOMMU_TEST_INVALIDATE_FLAG_ALL
#define CACHE IOMMU_TEST_DEV_CACHE_DEFAULT
#define DESTROY(id, want) REFUSED(vm.s.fd, IOMMU_DESTROY, iofd_destroy(vm.s.fd, id), want)
#define VIOMMU(call, want) REFUSED(vm.s.fd, IOMMU_VIOMMU_ALLOC, call, want)
#define VDEV(call, want) REFUSED(vm.s.fd, IOMMU_VDEVICE_ALLOC, call, want)
#define INV(call, want) REFUSED(vm.s.fd, IOMMU_HWPT_INVALIDATE, call, want)
#define TEST(call, want) REFUSED(vm.s.fd, IOMMU_TEST_CMD, call, want)

static struct mock_vm vm;

static int viommu_alloc(struct iommu_viommu_alloc c)
{
	c.size = sizeof(c);
	c.type = c.type ? c.type : IOMMU_VIOMMU_TYPE_SELFTEST;
	c.dev_id = c.dev_id ? c.dev_id : vm.dev.idev;
	c.hwpt_id = c.hwpt_id ? c.hwpt_id : vm.parent;
	return iofd_ioctl(vm.s.fd, IOMMU_VIOMMU_ALLOC, &c);
}

#define ALLOC(...) viommu_alloc((struct iommu_viommu_alloc){ __VA_ARGS__ })

static void alloc_rules(void)
{
	struct { struct iommu_viommu_selftest data; uint64_t more; } d = {};
	uintptr_t p = (uintptr_t)&d;
	const uint32_t len = sizeof(d.data);
	struct iommu_viommu_alloc c;
	uint32_t plain, nested, id;
	int before;

	mock_vm(&vm);
	OK(iofd_hwpt(vm.s.fd, vm.dev.idev, vm.s.ioas, 0, &plain));
	OK(mock_nested(vm.s.fd, vm.dev.idev, vm.parent, 0, &nested));
	before = iofd_objects(vm.s.fd, NULL);
	VIOMMU(ALLOC(.flags = 1), -EOPNOTSUPP);
	VIOMMU(ALLOC(.__reserved = 1), -EOPNOTSUPP);
	VIOMMU(ALLOC(.type = 0x1234), -EOPNOTSUPP);
	VIOMMU(ALLOC(.type = IOMMU_VIOMMU_TYPE_ARM_SMMUV3), -EOPNOTSUPP);
	VIOMMU(ALLOC(.dev_id = 0xffff), -ENOENT);
	VIOMMU(ALLOC(.dev_id = vm.parent), -ENOENT);
	VIOMMU(ALLOC(.hwpt_id = 0xffff), -ENOENT);
	VIOMMU(ALLOC(.hwpt_id = vm.s.ioas), -ENOENT);
	VIOMMU(ALLOC(.hwpt_id = nested), -ENOENT);
	VIOMMU(ALLOC(.hwpt_id = vm.viommu), -ENOENT);
	VIOMMU(ALLOC(.hwpt_id = plain), -EINVAL);
	VIOMMU(ALLOC(.data_len = 4, .data_uptr = p), -EINVAL);
	VIOMMU(ALLOC(.data_len = len - 1, .data_uptr = p), -EINVAL);
	VIOMMU(ALLOC(.data_len = len + 1, .data_uptr = p), -EINVAL);
	VIOMMU(ALLOC(.data_len = UINT32_MAX, .data_uptr = p), -EINVAL);
	VIOMMU(ALLOC(.data_len = len), -EFAULT);
	VIOMMU(ALLOC(.data_len = len, .data_uptr = 8), -EFAULT);
	c = (struct iommu_viommu_alloc){
		.size = sizeof(c), .dev_id = vm.dev.idev, .hwpt_id = vm.parent,
	};
	VIOMMU(iofd_ioctl(vm.s.fd, IOMMU_VIOMMU_ALLOC, &c), -EOPNOTSUPP);
	CHECK_EQ(iofd_objects(vm.s.fd, NULL), before);
	/* the smallest structure there ever was, and one less */
	c.type = IOMMU_VIOMMU_TYPE_SELFTEST;
	c.size = 23;
	VIOMMU(iofd_ioctl(vm.s.fd, IOMMU_VIOMMU_ALLOC, &c), -EINVAL);
	c.size = 24;
	OK(iofd_ioctl(vm.s.fd, IOMMU_VIOMMU_ALLOC, &c));
	OK(iofd_destroy(vm.s.fd, c.out_viommu_id));
	/* several share a parent */
	OK(mock_viommu(vm.s.fd, vm.dev.idev, vm.parent, NULL, &id));
	OK(iofd_destroy(vm.s.fd, id));
	CHECK_EQ(iofd_objects(vm.s.fd, NULL), before);
}

/* What cannot be told to the user does not stay behind. */
static void answer_unwritable(void)
{
	struct iommu_viommu_alloc *c;
	struct iommu_viommu_selftest *data;
	int before;

	mock_vm(&vm);
	before = iofd_objects(vm.s.fd, NULL);
	c = mem_anon(PAGE);
	data = mem_anon(PAGE);
	CHECK(c && data);
	*c = (struct iommu_viommu_alloc){
		.size = sizeof(*c),
		.type = IOMMU_VIOMMU_TYPE_SELFTEST,
		.dev_id = vm.dev.idev,
		.hwpt_id = vm.parent,
		.data_len = sizeof(*data),
		.data_uptr = (uintptr_t)data,
	};
	CHECK(!mprotect(data, PAGE, PROT_READ));
	VIOMMU(iofd_ioctl(vm.s.fd, IOMMU_VIOMMU_ALLOC, c), -EFAULT);
	CHECK(!mprotect(data, PAGE, PROT_READ | PROT_WRITE));
	CHECK(!mprotect(c, PAGE, PROT_READ));
	VIOMMU(iofd_ioctl(vm.s.fd, IOMMU_VIOMMU_ALLOC, c), -EFAULT);
	CHECK_EQ(iofd_objects(vm.s.fd, NULL), before);
	/* its memory was given back as well */
	CHECK(mmap(NULL, data->out_mmap_length, PROT_READ, MAP_SHARED, vm.s.fd,
		   data->out_mmap_offset) == MAP_FAILED && errno == ENXIO);
}

static int vdev(uint32_t viommu, uint32_t dev, uint64_t virt_id)
{
	uint32_t id;

	return mock_vdevice(vm.s.fd, viommu, dev, virt_id, &id);
}

static void vdevice_rules(void)
{
	struct mockdev other;
	uint32_t a, b, second;
	int before;

	mock_vm(&vm);
	OK(mock_device(vm.s.fd, vm.s.ioas, 0, &other));
	OK(mock_viommu(vm.s.fd, vm.dev.idev, vm.parent, NULL, &second));
	VDEV(vdev(0xffff, vm.dev.idev, 0), -ENOENT);
	VDEV(vdev(vm.parent, vm.dev.idev, 0), -ENOENT);
	VDEV(vdev(vm.viommu, 0xffff, 0), -ENOENT);
	VDEV(vdev(vm.viommu, vm.dev.stdev, 0), -ENOENT);
	OK(mock_vdevice(vm.s.fd, vm.viommu, vm.dev.idev, 0x99, &a));
	before = iofd_objects(vm.s.fd, NULL);
	VDEV(vdev(vm.viommu, vm.dev.idev, 0x99), -EEXIST);
	VDEV(vdev(vm.viommu, vm.dev.idev, 0x98), -EEXIST);
	VDEV(vdev(second, vm.dev.idev, 0x98), -EEXIST);
	VDEV(vdev(vm.viommu, other.idev, 0x99), -EEXIST);
	CHECK_EQ(iofd_objects(vm.s.fd, NULL), before);
	/* the same in another VM is another thing */
	OK(mock_vdevice(vm.s.fd, second, other.idev, 0x99, &b));
	DESTROY(vm.viommu, -EBUSY);
	DESTROY(second, -EBUSY);
	OK(iofd_destroy(vm.s.fd, b));
	OK(mock_vdevice(vm.s.fd, vm.viommu, other.idev, UINT64_MAX, &b));
	OK(iofd_destroy(vm.s.fd, second));
	OK(iofd_destroy(vm.s.fd, a));
	OK(iofd_destroy(vm.s.fd, b));
	OK(iofd_destroy(vm.s.fd, vm.viommu));
}

/* A vDEVICE whose device goes first: nothing hangs, nothing is hit later. */
static void device_first(void)
{
	struct mockdev next;
	uint32_t a, b, id;
	int i;

	mock_vm(&vm);
	OK(mock_device(vm.s.fd, vm.s.ioas, 0, &next));
	OK(mock_vdevice(vm.s.fd, vm.viommu, vm.dev.idev, 5, &a));
	OK(iofd_destroy(vm.s.fd, vm.dev.stdev));
	CHECK_EQ(iofd_objects(vm.s.fd, "vdevice"), 0);
	DESTROY(a, -ENOENT);
	/* the id does not come back */
	for (i = 0; i < 50; i++) {
		OK(iofd_ioas(vm.s.fd, &id));
		CHECK(id != a);
	}
	DESTROY(a, -ENOENT);
	VDEV(vdev(a, next.idev, 5), -ENOENT);
	/* what it was called is free again, and so is the vIOMMU */
	OK(mock_vdevice(vm.s.fd, vm.viommu, next.idev, 5, &b));
	DESTROY(vm.viommu, -EBUSY);
	OK(iofd_destroy(vm.s.fd, b));
	OK(iofd_destroy(vm.s.fd, vm.viommu));
	OK(iofd_destroy(vm.s.fd, vm.parent));
}

static void attach_needs_vdevice(void)
{
	struct mockdev late;
	uint32_t nested, direct, second, v, w;

	mock_vm(&vm);
	OK(mock_nested(vm.s.fd, vm.dev.idev, vm.viommu, 1, &nested));
	OK(mock_nested(vm.s.fd, vm.dev.idev, vm.parent, 1, &direct));
	DESTROY(vm.viommu, -EBUSY);
	TEST(mock_replace(vm.s.fd, &vm.dev, nested), -ENOENT);
	TEST(mock_device(vm.s.fd, nested, 0, &late), -ENOENT);
	CHECK_EQ(iofd_objects(vm.s.fd, "device"), 1);
	/* one of another vIOMMU is none */
	OK(mock_viommu(vm.s.fd, vm.dev.idev, vm.parent, NULL, &second));
	OK(mock_vdevice(vm.s.fd, second, vm.dev.idev, 1, &w));
	TEST(mock_replace(vm.s.fd, &vm.dev, nested), -ENOENT);
	OK(mock_replace(vm.s.fd, &vm.dev, direct));
	OK(iofd_destroy(vm.s.fd, w));
	OK(mock_vdevice(vm.s.fd, vm.viommu, vm.dev.idev, 1, &v));
	OK(mock_replace(vm.s.fd, &vm.dev, nested));
	DESTROY(nested, -EBUSY);
	DESTROY(vm.viommu, -EBUSY);
	OK(mock_check_iotlb(vm.s.fd, nested, 3, 1));
	/* a table that stands on a vIOMMU is not one to stand on */
	REFUSED(vm.s.fd, IOMMU_HWPT_ALLOC,
		mock_nested(vm.s.fd, vm.dev.idev, nested, 1, &w), -EINVAL);
	OK(mock_replace(vm.s.fd, &vm.dev, vm.parent));
	OK(iofd_destroy(vm.s.fd, v));
	TEST(mock_replace(vm.s.fd, &vm.dev, nested), -ENOENT);
	OK(iofd_destroy(vm.s.fd, nested));
	OK(iofd_destroy(vm.s.fd, vm.viommu));
}

/* A vIOMMU is a part of one physical IOMMU; a parent may serve several. */
static void of_one_iommu(void)
{
	struct mockdev far;
	uint32_t over_there, nested, v;

	mock_vm(&vm);
	OK(mock_device_on(vm.s.fd, vm.s.ioas, 1, &far));
	VDEV(vdev(vm.viommu, far.idev, 1), -EINVAL);
	REFUSED(vm.s.fd, IOMMU_HWPT_ALLOC,
		mock_nested(vm.s.fd, far.idev, vm.viommu, 1, &nested), -EINVAL);
	OK(mock_nested(vm.s.fd, vm.dev.idev, vm.viommu, 1, &nested));
	TEST(mock_replace(vm.s.fd, &far, nested), -ENOENT);
	OK(mock_viommu(vm.s.fd, far.idev, vm.parent, NULL, &over_there));
	OK(mock_vdevice(vm.s.fd, over_there, far.idev, 1, &v));
	TEST(mock_replace(vm.s.fd, &far, nested), -ENOENT);
	OK(mock_nested(vm.s.fd, far.idev, over_there, 1, &nested));
	OK(mock_replace(vm.s.fd, &far, nested));
	/* one that has no vIOMMUs */
	OK(mock_device_on(vm.s.fd, vm.s.ioas, 2, &far));
	VIOMMU(ALLOC(.dev_id = far.idev), -EOPNOTSUPP);
	VDEV(vdev(vm.viommu, far.idev, 2), -EINVAL);
}

static void nested_rules(void)
{
	struct iommu_hwpt_alloc c = {
		.size = sizeof(c), .data_type = IOMMU_HWPT_DATA_NONE,
	};

	mock_vm(&vm);
	c.dev_id = vm.dev.idev;
	c.pt_id = vm.viommu;
	REFUSED(vm.s.fd, IOMMU_HWPT_ALLOC, iofd_ioctl(vm.s.fd, IOMMU_HWPT_ALLOC, &c), -EINVAL);
	c.flags = IOMMU_HWPT_ALLOC_NEST_PARENT;
	c.data_type = IOMMU_HWPT_DATA_SELFTEST;
	c.data_len = 8;
	c.data_uptr = (uintptr_t)&c;
	REFUSED(vm.s.fd, IOMMU_HWPT_ALLOC, iofd_ioctl(vm.s.fd, IOMMU_HWPT_ALLOC, &c),
		-EOPNOTSUPP);
	TEST(mock_replace(vm.s.fd, &vm.dev, vm.viommu), -EINVAL);
}

/* A device goes while it is attached to a table of its vIOMMU. */
static void attached_device_first(void)
{
	uint32_t nested, v;

	mock_vm(&vm);
	OK(mock_nested(vm.s.fd, vm.dev.idev, vm.viommu, 1, &nested));
	OK(mock_vdevice(vm.s.fd, vm.viommu, vm.dev.idev, 1, &v));
	OK(mock_replace(vm.s.fd, &vm.dev, nested));
	OK(iofd_destroy(vm.s.fd, vm.dev.stdev));
	DESTROY(v, -ENOENT);
	OK(iofd_destroy(vm.s.fd, nested));
	OK(iofd_destroy(vm.s.fd, vm.viommu));
	OK(iofd_destroy(vm.s.fd, vm.parent));
	OK(iofd_destroy(vm.s.fd, vm.s.ioas));
	CHECK_EQ(iofd_objects(vm.s.fd, NULL), 0);
}

static void cache_holds(uint32_t dev, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	OK(mock_check_cache(vm.s.fd, dev, 0, a));
	OK(mock_check_cache(vm.s.fd, dev, 1, b));
	OK(mock_check_cache(vm.s.fd, dev, 2, c));
	OK(mock_check_cache(vm.s.fd, dev, 3, d));
}

static int invalidate(const void *data, uint32_t len, uint32_t *num)
{
	return mock_invalidate(vm.s.fd, vm.viommu, TYPE, data, len, num);
}

static void invalidates(void)
{
	struct iommu_viommu_invalidate_selftest inv[3] = {
		{ .vdev_id = 0x10, .cache_id = 2 },
		{ .vdev_id = 0x20, .cache_id = 0 },
		{ .vdev_id = 0x20, .cache_id = 3 },
	};
	struct mockdev other;
	uint32_t num = 3, a, b;

	mock_vm(&vm);
	OK(mock_device(vm.s.fd, vm.s.ioas, 0, &other));
	OK(mock_vdevice(vm.s.fd, vm.viommu, vm.dev.idev, 0x10, &a));
	OK(mock_vdevice(vm.s.fd, vm.viommu, other.idev, 0x20, &b));
	cache_holds(vm.dev.idev, CACHE, CACHE, CACHE, CACHE);
	TEST(mock_check_cache(vm.s.fd, vm.dev.idev, 0, 1), -EINVAL);
	TEST(mock_check_cache(vm.s.fd, vm.dev.idev, MOCK_DEV_CACHE_NUM, CACHE), -EINVAL);
	TEST(mock_check_cache(vm.s.fd, vm.parent, 0, CACHE), -ENOENT);
	OK(invalidate(inv, sizeof(*inv), &num));
	CHECK_EQ(num, 3);
	cache_holds(vm.dev.idev, CACHE, CACHE, 0, CACHE);
	cache_holds(other.idev, 0, CACHE, CACHE, 0);
	inv[0].flags = ALL;
	num = 1;
	OK(invalidate(inv, sizeof(*inv), &num));
	cache_holds(vm.dev.idev, 0, 0, 0, 0);
	cache_holds(other.idev, 0, CACHE, CACHE, 0);
	/* gone from the vIOMMU */
	OK(iofd_destroy(vm.s.fd, b));
	inv[0] = (struct iommu_viommu_invalidate_selftest){ .vdev_id = 0x10 };
	inv[1] = (struct iommu_viommu_invalidate_selftest){ .vdev_id = 0x20, .cache_id = 1 };
	num = 2;
	INV(invalidate(inv, sizeof(*inv), &num), -EINVAL);
	CHECK_EQ(num, 1);
	cache_holds(other.idev, 0, CACHE, CACHE, 0);
}

static void entry_rules(void)
{
	struct {
		struct iommu_viommu_invalidate_selftest inv;
		uint32_t more;
	} e[2] = {
		{ .inv = { .vdev_id = 1, .cache_id = 0 } },
		{ .inv = { .vdev_id = 1, .cache_id = 1 } },
	};
	const uint32_t len = sizeof(e[0].inv);
	uint32_t num, v;

	mock_vm(&vm);
	OK(mock_vdevice(vm.s.fd, vm.viommu, vm.dev.idev, 1, &v));
	num = 0;
	OK(mock_invalidate(vm.s.fd, vm.viommu, TYPE, NULL, 0, &num));
	num = 0;
	INV(mock_invalidate(vm.s.fd, vm.viommu, TYPE + 1, NULL, 0, &num), -EINVAL);
	num = 1;
	INV(mock_invalidate(vm.s.fd, vm.viommu,
			    IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST_INVALID, e, len, &num),
	    -EINVAL);
	CHECK_EQ(num, 0);
	num = 1;
	INV(invalidate(e, 0, &num), -EINVAL);
	CHECK_EQ(num, 0);
	num = 1;
	INV(invalidate(e, len - 1, &num), -EINVAL);
	CHECK_EQ(num, 0);
	num = 1;
	INV(invalidate(e, PAGE + 1, &num), -EINVAL);
	CHECK_EQ(num, 0);
	num = 1;
	INV(invalidate(NULL, len, &num), -EINVAL);
	num = 1;
	INV(invalidate((void *)8, len, &num), -EFAULT);
	CHECK_EQ(num, 0);
	/* longer ones are fine as long as they say nothing more */
	e[1].more = 1;
	num = 2;
	INV(invalidate(e, sizeof(e[0]), &num), -E2BIG);
	cache_holds(vm.dev.idev, CACHE, CACHE, CACHE, CACHE);
	e[1].more = 0;
	num = 2;
	OK(invalidate(e, sizeof(e[0]), &num));
	CHECK_EQ(num, 2);
	cache_holds(vm.dev.idev, 0, 0, CACHE, CACHE);
	e[0].inv.flags = ALL << 1;
	num = 1;
	INV(invalidate(e, len, &num), -EOPNOTSUPP);
	e[0].inv.flags = 0;
	e[0].inv.cache_id = MOCK_DEV_CACHE_NUM;
	num = 1;
	INV(invalidate(e, len, &num), -EINVAL);
	e[0].inv.cache_id = 0;
	e[0].inv.vdev_id = 2;
	num = 1;
	INV(invalidate(e, len, &num), -EINVAL);
	CHECK_EQ(num, 0);
}

/* More entries than the kernel copies at once; one of them is bad. */
static void many_entries(void)
{
	enum { COUNT = 1000, BAD = 777 };
	struct iommu_viommu_invalidate_selftest *inv = mem_anon(COUNT * sizeof(*inv));
	uint32_t num = COUNT, v;
	int i;

	mock_vm(&vm);
	CHECK(inv);
	OK(mock_vdevice(vm.s.fd, vm.viommu, vm.dev.idev, 1, &v));
	for (i = 0; i < COUNT; i++) {
		inv[i].vdev_id = 1;
		inv[i].cache_id = i / 400;
	}
	inv[BAD].vdev_id = 3;
	INV(invalidate(inv, sizeof(*inv), &num), -EINVAL);
	CHECK_EQ(num, BAD);
	cache_holds(vm.dev.idev, 0, 0, CACHE, CACHE);
	inv[BAD].vdev_id = 1;
	num = COUNT;
	OK(invalidate(inv, sizeof(*inv), &num));
	CHECK_EQ(num, COUNT);
	cache_holds(vm.dev.idev, 0, 0, 0, CACHE);
}

#define IN_DATA 0xfeedf00dU

static struct iommu_viommu_selftest region;
static uint32_t with_region;

static void begin_region(void)
{
	mock_vm(&vm);
	region = (struct iommu_viommu_selftest){ .in_data = IN_DATA };
	OK(mock_viommu(vm.s.fd, vm.dev.idev, vm.parent, &region, &with_region));
	CHECK_EQ(region.out_data, IN_DATA);
	CHECK_EQ(region.out_mmap_length, 2 * PAGE);
}

static void *map_at(uint64_t offset, uint64_t length, int prot, int flags)
{
	return mmap(NULL, length, prot, flags, vm.s.fd, offset);
}

static void no_map(uint64_t offset, uint64_t length, int prot, int flags, int want)
{
	CHECK(map_at(offset, length, prot, flags) == MAP_FAILED);
	REFUSED(vm.s.fd, 0, -errno, -want);
}

static void region_rules(void)
{
	const int rw = PROT_READ | PROT_WRITE;
	uint64_t at, len;
	int other;
	char *p;

	begin_region();
	at = region.out_mmap_offset;
	len = region.out_mmap_length;
	no_map(at, len, rw, MAP_PRIVATE, EINVAL);
	no_map(at, len, PROT_READ, MAP_PRIVATE, EINVAL);
	no_map(at, len, rw | PROT_EXEC, MAP_SHARED, EPERM);
	no_map(at, PAGE, rw, MAP_SHARED, ENXIO);
	no_map(at, len + PAGE, rw, MAP_SHARED, ENXIO);
	no_map(at + PAGE, len, rw, MAP_SHARED, ENXIO);
	no_map(at + PAGE, PAGE, rw, MAP_SHARED, ENXIO);
	no_map(at - PAGE, len, rw, MAP_SHARED, ENXIO);
	no_map(at + len, len, rw, MAP_SHARED, ENXIO);
	no_map(1UL << 50, len, rw, MAP_SHARED, ENXIO);
	other = OK(iofd_open());
	CHECK(mmap(NULL, len, rw, MAP_SHARED, other, at) == MAP_FAILED &&
	      errno == ENXIO);

	p = map_at(at, len, rw, MAP_SHARED);
	CHECK(p != MAP_FAILED);
	CHECK_EQ(*(uint32_t *)p, IN_DATA);
	CHECK_EQ(*(uint32_t *)(p + PAGE), 0);
	CHECK(mprotect(p, len, PROT_READ | PROT_EXEC) && errno == EACCES);
	*(uint32_t *)(p + PAGE) = 42;
	CHECK(!munmap(p, len));
	p = map_at(at, len, PROT_READ, MAP_SHARED);
	CHECK(p != MAP_FAILED);
	CHECK_EQ(*(uint32_t *)(p + PAGE), 42);
	CHECK(!munmap(p, len));
	OK(iofd_destroy(vm.s.fd, with_region));
	no_map(at, len, rw, MAP_SHARED, ENXIO);
}

/* A file that was opened for reading maps what can only be read, for good. */
static void region_read_only(void)
{
	char *p;

	mock_vm(&vm);
	CHECK(!close(vm.s.fd));
	vm.s.fd = open("/dev/iommu", O_RDONLY | O_CLOEXEC);
	CHECK(vm.s.fd >= 0);
	iofd_forget(vm.s.fd);
	OK(iofd_ioas(vm.s.fd, &vm.s.ioas));
	OK(mock_device(vm.s.fd, vm.s.ioas, 0, &vm.dev));
	OK(iofd_hwpt(vm.s.fd, vm.dev.idev, vm.s.ioas, IOMMU_HWPT_ALLOC_NEST_PARENT,
		     &vm.parent));
	region = (struct iommu_viommu_selftest){ .in_data = IN_DATA };
	OK(mock_viommu(vm.s.fd, vm.dev.idev, vm.parent, &region, &with_region));
	CHECK(map_at(region.out_mmap_offset, region.out_mmap_length,
		     PROT_READ | PROT_WRITE, MAP_SHARED) == MAP_FAILED && errno == EACCES);
	p = map_at(region.out_mmap_offset, region.out_mmap_length, PROT_READ, MAP_SHARED);
	CHECK(p != MAP_FAILED);
	CHECK_EQ(*(uint32_t *)p, IN_DATA);
	CHECK(mprotect(p, PAGE, PROT_READ | PROT_WRITE) && errno == EACCES);
}

/* Each mapping keeps the vIOMMU, however it came about. */
static void region_keeps(void)
{
	uint64_t len;
	int status;
	pid_t pid;
	char *p;

	begin_region();
	len = region.out_mmap_length;
	p = map_at(region.out_mmap_offset, len, PROT_READ | PROT_WRITE, MAP_SHARED);
	CHECK(p != MAP_FAILED);
	DESTROY(with_region, -EBUSY);
	/* a part of it */
	CHECK(!munmap(p + PAGE, PAGE));
	DESTROY(with_region, -EBUSY);
	/* somewhere else */
	p = mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + PAGE);
	CHECK(p != MAP_FAILED);
	CHECK_EQ(*(uint32_t *)p, IN_DATA);
	DESTROY(with_region, -EBUSY);
	CHECK(mremap(p, PAGE, 2 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED);
	/* in a child */
	pid = fork();
	CHECK(pid >= 0);
	if (!pid)
		_exit(*(volatile uint32_t *)p == IN_DATA &&
		      iofd_destroy(vm.s.fd, with_region) == -EBUSY ? 0 : 1);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK(!munmap(p, PAGE));
	OK(iofd_destroy(vm.s.fd, with_region));
}

/* What is left of a mapping shows its own pages, also those not touched before. */
static void region_parts(void)
{
	uint64_t len;
	char *all, *p;

	begin_region();
	len = region.out_mmap_length;
	all = map_at(region.out_mmap_offset, len, PROT_READ | PROT_WRITE, MAP_SHARED);
	p = map_at(region.out_mmap_offset, len, PROT_READ | PROT_WRITE, MAP_SHARED);
	CHECK(all != MAP_FAILED && p != MAP_FAILED);
	*(volatile uint32_t *)(all + PAGE) = 0x5ec09d;
	CHECK(!munmap(p, PAGE));
	CHECK_EQ(*(volatile uint32_t *)(p + PAGE), 0x5ec09d);
	CHECK_EQ(*(volatile uint32_t *)all, IN_DATA);
	CHECK(!munmap(p + PAGE, PAGE));
	CHECK(!munmap(all, len));
}

/* The file is closed, the memory is still mapped. */
static void region_outlives(void)
{
	char *p;

	begin_region();
	p = map_at(region.out_mmap_offset, region.out_mmap_length,
		   PROT_READ | PROT_WRITE, MAP_SHARED);
	CHECK(p != MAP_FAILED);
	CHECK(!close(vm.s.fd));
	CHECK_EQ(*(volatile uint32_t *)p, IN_DATA);
	CHECK(!munmap(p, region.out_mmap_length));
}

static void region_places(void)
{
	struct iommu_viommu_selftest data[8];
	uint32_t id[8];
	char *p;
	int i, j;

	begin_region();
	for (i = 0; i < 8; i++) {
		data[i] = (struct iommu_viommu_selftest){ .in_data = i };
		OK(mock_viommu(vm.s.fd, vm.dev.idev, vm.parent, &data[i], &id[i]));
		for (j = 0; j < i; j++)
			CHECK(data[i].out_mmap_offset >= data[j].out_mmap_offset + 2 * PAGE ||
			      data[j].out_mmap_offset >= data[i].out_mmap_offset + 2 * PAGE);
	}
	OK(iofd_destroy(vm.s.fd, id[3]));
	for (i = 0; i < 8; i++) {
		p = map_at(data[i].out_mmap_offset, 2 * PAGE, PROT_READ, MAP_SHARED);
		if (i == 3) {
			CHECK(p == MAP_FAILED && errno == ENXIO);
			continue;
		}
		CHECK(p != MAP_FAILED);
		CHECK_EQ(*(uint32_t *)p, i);
		CHECK(!munmap(p, 2 * PAGE));
	}
}

/* Everything there is, and then the file is closed. */
static void close_all(void)
{
	struct mockdev other;
	uint32_t nested, direct, v, q, id;

	begin_region();
	OK(mock_device(vm.s.fd, vm.s.ioas, 0, &other));
	OK(mock_nested(vm.s.fd, vm.dev.idev, with_region, 1, &nested));
	OK(mock_nested(vm.s.fd, vm.dev.idev, vm.parent, 1, &direct));
	OK(mock_vdevice(vm.s.fd, with_region, vm.dev.idev, 1, &v));
	OK(mock_vdevice(vm.s.fd, vm.viommu, other.idev, 1, &id));
	OK(mock_queue(vm.s.fd, with_region, 0, APERTURE, PAGE, &q));
	OK(mock_queue(vm.s.fd, with_region, 1, APERTURE + PAGE, 64, &q));
	OK(mock_replace(vm.s.fd, &vm.dev, nested));
	/* one vDEVICE that is only an id any more */
	OK(iofd_destroy(vm.s.fd, other.stdev));
	CHECK(!close(vm.s.fd));
}

static const struct tap_test tests[] = {
	{ "what a vIOMMU is made of", alloc_rules },
	{ "a vIOMMU that cannot be told about is not there", answer_unwritable },
	{ "one vDEVICE a device, one name a vIOMMU", vdevice_rules },
	{ "a device that goes first takes its vDEVICE along", device_first },
	{ "a table of a vIOMMU wants a vDEVICE", attach_needs_vdevice },
	{ "a vIOMMU is of one IOMMU, a parent may be of several", of_one_iommu },
	{ "what a table of a vIOMMU cannot be", nested_rules },
	{ "a device goes while it is attached to a table of its vIOMMU", attached_device_first },
	{ "invalidations reach the device that the VM names", invalidates },
	{ "the rules for arrays of entries", entry_rules },
	{ "many entries, one of them bad", many_entries },
	{ "what mmap() takes", region_rules },
	{ "a file for reading maps read-only", region_read_only },
	{ "a mapping keeps the vIOMMU", region_keeps },
	{ "parts of a mapping", region_parts },
	{ "a mapping outlives the descriptor", region_outlives },
	{ "regions have places of their own", region_places },
	{ "all of it, closed", close_all },
};

int main(int argc, char **argv)
{
	return MOCK_RUN(argc, argv, tests);
}

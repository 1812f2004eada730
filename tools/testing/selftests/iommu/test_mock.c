// SPDX-License-Identifier: GPL-2.0
/*
 * The mock IOMMU: its devices come and go, its page tables hold what the IOAS
 * maps, wherever it begins in a page.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mem.h"
#include "mock.h"

#define PAGE 4096UL
#define TEST(call, want) REFUSED(s.fd, IOMMU_TEST_CMD, call, want)

static struct space s;
static struct mockdev m;

static void begin(void)
{
	mock_open(&s);
	OK(mock_device(s.fd, s.ioas, 0, &m));
}

static void *memory(size_t size)
{
	void *p = mem_anon(size);

	CHECK(p);
	return p;
}

static void map_and_check(const void *va, uint64_t length, uint64_t iova)
{
	OK(space_map(&s, va, length, iova));
	OK(mock_check_map(s.fd, m.hwpt, iova, va, length));
}

static void only_while_loaded(void)
{
	struct iommu_test_cmd c = { .size = 0 };

	mock_open_module(&s);
	OK(mock_unload());
	TEST(mock_limit(s.fd, 4096), -ENOTTY);
	/* a command that does not exist has no size either */
	TEST(iofd_ioctl(s.fd, IOMMU_TEST_CMD, &c), -ENOTTY);
	OK(mock_load());
	OK(mock_limit(s.fd, 4096));
}

static void device_holds_module(void)
{
	struct mockdev other;
	uint32_t hwpt;

	mock_open_module(&s);
	OK(mock_device(s.fd, s.ioas, 0, &m));
	ERR(mock_unload(), -EAGAIN);
	OK(mock_device(s.fd, s.ioas, 0, &other));
	OK(iofd_destroy(s.fd, m.stdev));
	ERR(mock_unload(), -EAGAIN);
	/* a page table needs no device */
	OK(iofd_hwpt(s.fd, other.idev, s.ioas, 0, &hwpt));
	OK(iofd_destroy(s.fd, other.stdev));
	ERR(mock_unload(), -EAGAIN);
	OK(iofd_destroy(s.fd, hwpt));
	OK(mock_unload());
	OK(mock_load());
}

static void file_takes_all_along(void)
{
	int i;

	mock_open_module(&s);
	for (i = 0; i < 5; i++)
		OK(mock_device(s.fd, s.ioas, 0, &m));
	OK(space_map(&s, memory(MIB), MIB, APERTURE));
	CHECK_EQ(mem_status(0, "VmPin"), MIB);
	close(s.fd);
	CHECK_EQ(mem_status(0, "VmPin"), 0);
	OK(mock_unload());
	OK(mock_load());
}

static void command_format(void)
{
	struct iommu_test_cmd c = { .size = 67, .op = IOMMU_TEST_OP_SET_TEMP_MEMORY_LIMIT };
	struct {
		struct iommu_test_cmd c;
		uint64_t more;
	} large = { .c = { .size = sizeof(large), .op = c.op } };

	mock_open(&s);
	c.memory_limit.limit = large.c.memory_limit.limit = 4096;
	TEST(iofd_ioctl(s.fd, IOMMU_TEST_CMD, &c), -EINVAL);
	c.size = 68;
	OK(iofd_ioctl(s.fd, IOMMU_TEST_CMD, &c));
	OK(iofd_ioctl(s.fd, IOMMU_TEST_CMD, &large));
	large.more = 1;
	TEST(iofd_ioctl(s.fd, IOMMU_TEST_CMD, &large), -E2BIG);
	c.__reserved = 1;
	TEST(iofd_ioctl(s.fd, IOMMU_TEST_CMD, &c), -EOPNOTSUPP);
	c.__reserved = 0;
	TEST(mock_cmd(s.fd, 0, &c), -EOPNOTSUPP);
	TEST(mock_cmd(s.fd, IOMMU_TEST_OP_DMABUF_REVOKE + 1, &c), -EOPNOTSUPP);
	TEST(mock_cmd(s.fd, UINT32_MAX, &c), -EOPNOTSUPP);
}

static void device_objects(void)
{
	begin();
	CHECK_EQ(iofd_objects(s.fd, NULL), 4);
	CHECK_EQ(iofd_objects(s.fd, "selftest"), 1);
	CHECK_EQ(iofd_objects(s.fd, "device"), 1);
	CHECK_EQ(iofd_objects(s.fd, "hwpt"), 1);
	REFUSED(s.fd, IOMMU_DESTROY, iofd_destroy(s.fd, m.idev), -EBUSY);
	REFUSED(s.fd, IOMMU_DESTROY, iofd_destroy(s.fd, m.hwpt), -EBUSY);
	REFUSED(s.fd, IOMMU_DESTROY, iofd_destroy(s.fd, s.ioas), -EBUSY);
	OK(iofd_destroy(s.fd, m.stdev));
	CHECK_EQ(iofd_objects(s.fd, NULL), 1);
	OK(iofd_destroy(s.fd, s.ioas));
}

static void device_refused(void)
{
	struct iommu_test_cmd *c = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct mockdev other;

	begin();
	TEST(mock_device(s.fd, s.ioas, 2, &other), -EINVAL);
	TEST(mock_device(s.fd, s.ioas, 0x80000000, &other), -EINVAL);
	TEST(mock_device(s.fd, 0, 0, &other), -ENOENT);
	TEST(mock_device(s.fd, 99, 0, &other), -ENOENT);
	TEST(mock_device(s.fd, m.idev, 0, &other), -EINVAL);
	TEST(mock_device(s.fd, m.stdev, 0, &other), -EINVAL);
	CHECK_EQ(iofd_objects(s.fd, NULL), 4);
	/* ids that cannot be told name nothing */
	*c = (struct iommu_test_cmd){
		.size = sizeof(*c), .op = IOMMU_TEST_OP_MOCK_DOMAIN, .id = s.ioas,
	};
	CHECK(!mprotect(c, PAGE, PROT_READ));
	TEST(iofd_ioctl(s.fd, IOMMU_TEST_CMD, c), -EFAULT);
	CHECK_EQ(iofd_objects(s.fd, NULL), 4);
}

static void two_share_a_table(void)
{
	struct mockdev other, third;

	begin();
	OK(mock_device(s.fd, s.ioas, 0, &other));
	CHECK_EQ(other.hwpt, m.hwpt);
	OK(mock_device(s.fd, m.hwpt, MOCK_FLAGS_DEVICE_PASID, &third));
	CHECK_EQ(third.hwpt, m.hwpt);
	OK(iofd_destroy(s.fd, m.stdev));
	OK(iofd_destroy(s.fd, third.stdev));
	CHECK_EQ(iofd_objects(s.fd, "hwpt"), 1);
	OK(iofd_destroy(s.fd, other.stdev));
	CHECK_EQ(iofd_objects(s.fd, "hwpt"), 0);
}

static void hw_info(void)
{
	struct {
		struct iommu_test_hw_info info;
		uint32_t tail;
	} buf = { .tail = ~0U };
	struct iommu_hw_info c = { .size = sizeof(c) };
	uint32_t length = sizeof(buf), type;
	struct mockdev plain, pasid;
	uint64_t caps;

	begin();
	OK(iofd_hw_info(s.fd, m.idev, &buf, &length, &type, &caps));
	CHECK_EQ(type, IOMMU_HW_INFO_TYPE_SELFTEST);
	CHECK_EQ(length, sizeof(buf.info));
	CHECK_EQ(buf.info.flags, 0);
	CHECK_EQ(buf.info.test_reg, IOMMU_HW_INFO_SELFTEST_REGVAL);
	CHECK_EQ(buf.tail, 0);
	CHECK_EQ(caps & IOMMU_HW_CAP_DIRTY_TRACKING, IOMMU_HW_CAP_DIRTY_TRACKING);

	OK(mock_device(s.fd, s.ioas, MOCK_FLAGS_DEVICE_NO_DIRTY, &plain));
	length = 0;
	OK(iofd_hw_info(s.fd, plain.idev, NULL, &length, &type, &caps));
	CHECK_EQ(length, sizeof(buf.info));
	CHECK_EQ(caps & IOMMU_HW_CAP_DIRTY_TRACKING, 0);

	OK(mock_device(s.fd, s.ioas, MOCK_FLAGS_DEVICE_PASID, &pasid));
	c.dev_id = pasid.idev;
	OK(iofd_ioctl(s.fd, IOMMU_GET_HW_INFO, &c));
	CHECK_EQ(c.out_max_pasid_log2, MOCK_PASID_WIDTH);
	c.dev_id = m.idev;
	c.data_len = 0;
	OK(iofd_ioctl(s.fd, IOMMU_GET_HW_INFO, &c));
	CHECK_EQ(c.out_max_pasid_log2, 0);
	c.data_len = 0;
	c.flags = IOMMU_HW_INFO_FLAG_INPUT_TYPE;
	c.in_data_type = IOMMU_HW_INFO_TYPE_SELFTEST;
	OK(iofd_ioctl(s.fd, IOMMU_GET_HW_INFO, &c));
	CHECK_EQ(c.out_data_type, IOMMU_HW_INFO_TYPE_SELFTEST);
	c.data_len = 0;
	c.in_data_type = IOMMU_HW_INFO_TYPE_INTEL_VTD;
	REFUSED(s.fd, IOMMU_GET_HW_INFO, iofd_ioctl(s.fd, IOMMU_GET_HW_INFO, &c),
		-EOPNOTSUPP);
}

static void aperture(void)
{
	struct iommu_iova_range range;
	uint32_t count = 1;
	uint64_t align;
	char *va = memory(PAGE);

	mock_open(&s);
	OK(iofd_ranges(s.fd, s.ioas, &range, &count, &align));
	CHECK_EQ(align, 1);
	CHECK_EQ(range.last, UINT64_MAX);
	OK(mock_device(s.fd, s.ioas, 0, &m));
	OK(iofd_ranges(s.fd, s.ioas, &range, &count, &align));
	CHECK_EQ(count, 1);
	CHECK_EQ(range.start, APERTURE);
	CHECK_EQ(range.last, MOCK_APERTURE_LAST);
	CHECK_EQ(align, GRANULE);
	map_and_check(va, PAGE, APERTURE);
	map_and_check(va, GRANULE, APERTURE_END - GRANULE);
	REFUSED(s.fd, IOMMU_IOAS_MAP, space_map(&s, va, GRANULE, APERTURE - GRANULE),
		-EINVAL);
	REFUSED(s.fd, IOMMU_IOAS_MAP,
		space_map(&s, va, GRANULE, APERTURE_END), -EINVAL);
	REFUSED(s.fd, IOMMU_IOAS_MAP,
		space_map(&s, va, PAGE, APERTURE_END - GRANULE), -EINVAL);
	OK(iofd_destroy(s.fd, m.stdev));
	OK(iofd_ranges(s.fd, s.ioas, &range, &count, &align));
	CHECK_EQ(align, 1);
}

/* Every place in a page that memory and iova can begin and end at. */
static void any_place_in_a_page(void)
{
	char *va = memory(16 * PAGE);
	uint64_t skip, length, at;

	begin();
	for (skip = 0; skip < 2 * PAGE; skip += GRANULE)
		for (at = 0; at < 2 * PAGE; at += GRANULE)
			for (length = GRANULE; length < 5 * PAGE; length += GRANULE) {
				uint64_t iova = APERTURE + at;

				map_and_check(va + skip, length, iova);
				OK(space_unmap(&s, iova, length));
				TEST(mock_check_map(s.fd, m.hwpt, iova, va + skip,
						    GRANULE), -EINVAL);
			}
	CHECK_EQ(mem_status(0, "VmPin"), 0);
}

static void misaligned(void)
{
	char *va = memory(2 * PAGE);

	begin();
	REFUSED(s.fd, IOMMU_IOAS_MAP, space_map(&s, va + 1024, GRANULE, APERTURE), -EINVAL);
	REFUSED(s.fd, IOMMU_IOAS_MAP, space_map(&s, va, 1024, APERTURE), -EINVAL);
	REFUSED(s.fd, IOMMU_IOAS_MAP, space_map(&s, va, GRANULE, APERTURE + 1), -EINVAL);
	OK(iofd_destroy(s.fd, m.stdev));
	/* without a page table everything goes, and forbids the page table then */
	OK(space_map(&s, va + 1, 77, 3));
	TEST(mock_device(s.fd, s.ioas, 0, &m), -EADDRINUSE);
	OK(space_unmap(&s, 3, 77));
	OK(space_map(&s, va + 1, GRANULE, APERTURE));
	TEST(mock_device(s.fd, s.ioas, 0, &m), -EADDRINUSE);
	CHECK_EQ(iofd_objects(s.fd, NULL), 1);
}

static void large_leaves(void)
{
	size_t size = 8 * MIB;
	char *va = mem_thp(size);
	uint64_t at;

	begin();
	CHECK(va);
	/* both addresses aligned alike, and not; cut out of the middle */
	map_and_check(va, size, APERTURE);
	OK(space_unmap(&s, APERTURE, size));
	map_and_check(va, size, APERTURE + GRANULE);
	OK(space_unmap(&s, APERTURE + GRANULE, size));
	map_and_check(va + 3 * GRANULE, size - 8 * GRANULE, APERTURE + 3 * GRANULE);
	REFUSED(s.fd, IOMMU_IOAS_UNMAP,
		space_unmap(&s, APERTURE + 3 * GRANULE, GRANULE), -ENOENT);
	OK(iofd_unmap(s.fd, s.ioas, 0, UINT64_MAX, &at));
	CHECK_EQ(at, size - 8 * GRANULE);
	CHECK_EQ(mem_status(0, "VmPin"), 0);
}

static void huge_pages_off(void)
{
	char *va = memory(4 * PAGE);
	uint64_t align;
	uint32_t count = 0;

	begin();
	map_and_check(va + GRANULE, PAGE, APERTURE);
	REFUSED(s.fd, IOMMU_OPTION,
		iofd_option_set(s.fd, IOMMU_OPTION_HUGE_PAGES, s.ioas, 0), -EADDRINUSE);
	OK(space_unmap(&s, APERTURE, PAGE));
	OK(iofd_option_set(s.fd, IOMMU_OPTION_HUGE_PAGES, s.ioas, 0));
	ERR(iofd_ranges(s.fd, s.ioas, NULL, &count, &align), -EMSGSIZE);
	CHECK_EQ(align, PAGE);
	REFUSED(s.fd, IOMMU_IOAS_MAP, space_map(&s, va, GRANULE, APERTURE), -EINVAL);
	REFUSED(s.fd, IOMMU_IOAS_MAP, space_map(&s, va + GRANULE, PAGE, APERTURE), -EINVAL);
	map_and_check(va, 4 * PAGE, APERTURE + PAGE);
}

static void huge_tables(void)
{
	struct iommu_hwpt_alloc c = { .size = sizeof(c) };
	struct iommu_hwpt_selftest data[2] = { { .pagetable_type = 2 } };
	struct mockdev other;
	struct iommu_iova_range range;
	uint32_t hwpt, count = 1;
	uint64_t align;
	char *va = mem_thp(4 * MIB);
	uint32_t wide;

	begin();
	OK(iofd_ioas(s.fd, &wide));
	OK(mock_hwpt(s.fd, m.idev, wide, 0, MOCK_IOMMUPT_HUGE, &hwpt));
	OK(mock_device(s.fd, hwpt, 0, &other));
	OK(iofd_ranges(s.fd, wide, &range, &count, &align));
	CHECK_EQ(range.start, 0);
	CHECK_EQ(range.last, UINT64_MAX);
	CHECK_EQ(align, PAGE);
	OK(iofd_map_at(s.fd, wide, va, 4 * MIB, 0));
	OK(mock_check_map(s.fd, hwpt, 0, va, 4 * MIB));
	OK(iofd_map_at(s.fd, wide, va + PAGE, PAGE, UINT64_MAX - PAGE + 1));
	OK(mock_check_map(s.fd, hwpt, UINT64_MAX - PAGE + 1, va + PAGE, GRANULE));
	REFUSED(s.fd, IOMMU_IOAS_MAP, iofd_map_at(s.fd, wide, va, GRANULE, 16 * MIB),
		-EINVAL);
	/* beside one of the other kind only what both can */
	REFUSED(s.fd, IOMMU_HWPT_ALLOC,
		mock_hwpt(s.fd, m.idev, wide, 0, MOCK_IOMMUPT_DEFAULT, &hwpt), -EADDRINUSE);
	OK(mock_hwpt(s.fd, m.idev, s.ioas, 0, MOCK_IOMMUPT_HUGE, &hwpt));
	OK(iofd_ranges(s.fd, s.ioas, &range, &count, &align));
	CHECK_EQ(range.start, APERTURE);
	CHECK_EQ(align, PAGE);
	map_and_check(va, 2 * MIB, APERTURE);
	OK(mock_check_map(s.fd, hwpt, APERTURE, va, 2 * MIB));

	c.dev_id = m.idev;
	c.pt_id = s.ioas;
	c.data_type = IOMMU_HWPT_DATA_SELFTEST;
	c.data_uptr = (uintptr_t)data;
	c.data_len = sizeof(data[0]);
	REFUSED(s.fd, IOMMU_HWPT_ALLOC, iofd_ioctl(s.fd, IOMMU_HWPT_ALLOC, &c),
		-EOPNOTSUPP);
	data[0].pagetable_type = 0;
	c.data_len = 2;
	REFUSED(s.fd, IOMMU_HWPT_ALLOC, iofd_ioctl(s.fd, IOMMU_HWPT_ALLOC, &c), -EINVAL);
	c.data_len = sizeof(data);
	REFUSED(s.fd, IOMMU_HWPT_ALLOC, iofd_ioctl(s.fd, IOMMU_HWPT_ALLOC, &c), -EINVAL);
	c.data_len = sizeof(data[0]);
	c.data_type = IOMMU_HWPT_DATA_VTD_S1;
	REFUSED(s.fd, IOMMU_HWPT_ALLOC, iofd_ioctl(s.fd, IOMMU_HWPT_ALLOC, &c),
		-EOPNOTSUPP);
	c.data_type = IOMMU_HWPT_DATA_SELFTEST;
	c.data_uptr = 8;
	REFUSED(s.fd, IOMMU_HWPT_ALLOC, iofd_ioctl(s.fd, IOMMU_HWPT_ALLOC, &c), -EFAULT);
}

/* Pinned once, however many tables show it; whichever goes first. */
static void several_tables(void)
{
	size_t size = 2 * MIB;
	char *va = memory(size);
	uint32_t hwpt[4];
	int i, j, first;

	begin();
	for (first = 0; first < 4; first++) {
		OK(space_map(&s, va + GRANULE, size - PAGE, APERTURE + 5 * GRANULE));
		for (i = 0; i < 4; i++) {
			OK(iofd_hwpt(s.fd, m.idev, s.ioas, 0, &hwpt[i]));
			OK(mock_check_map(s.fd, hwpt[i], APERTURE + 5 * GRANULE,
					  va + GRANULE, size - PAGE));
			OK(mock_check_refs(s.fd, va, size, 1));
			CHECK_EQ(mem_status(0, "VmPin"), size);
		}
		for (i = 0; i < 4; i++) {
			OK(iofd_destroy(s.fd, hwpt[(first + i) % 4]));
			for (j = i + 1; j < 4; j++)
				OK(mock_check_map(s.fd, hwpt[(first + j) % 4],
						  APERTURE + 5 * GRANULE,
						  va + GRANULE, PAGE));
		}
		OK(mock_check_refs(s.fd, va, size, 1));
		OK(space_unmap(&s, APERTURE + 5 * GRANULE, size - PAGE));
		OK(mock_check_refs(s.fd, va, size, 0));
	}
	/* the same memory twice is pinned twice */
	OK(space_map(&s, va, PAGE, APERTURE));
	OK(space_map(&s, va, PAGE, APERTURE + PAGE));
	OK(mock_check_refs(s.fd, va, PAGE, 2));
	TEST(mock_check_refs(s.fd, va, PAGE, 1), -EIO);
	TEST(mock_check_refs(s.fd, va, 2 * PAGE, 2), -EIO);
}

static void first_table_pins(void)
{
	char *va = memory(MIB);
	struct iommu_iova_range range = { APERTURE, APERTURE + MIB - 1 };

	mock_open(&s);
	OK(space_map(&s, va, MIB, APERTURE));
	OK(iofd_allow(s.fd, s.ioas, &range, 1));
	CHECK_EQ(mem_status(0, "VmPin"), 0);
	OK(mock_check_refs(s.fd, va, MIB, 0));
	OK(mock_device(s.fd, s.ioas, 0, &m));
	CHECK_EQ(mem_status(0, "VmPin"), MIB);
	OK(mock_check_refs(s.fd, va, MIB, 1));
	OK(mock_check_map(s.fd, m.hwpt, APERTURE, va, MIB));
	OK(iofd_destroy(s.fd, m.stdev));
	CHECK_EQ(mem_status(0, "VmPin"), 0);
	OK(mock_check_refs(s.fd, va, MIB, 0));
	/* memory that has gone is missed now */
	munmap(va + PAGE, PAGE);
	TEST(mock_device(s.fd, s.ioas, 0, &m), -EFAULT);
	CHECK_EQ(iofd_objects(s.fd, NULL), 1);
	OK(mock_check_refs(s.fd, va, PAGE, 0));
	CHECK_EQ(mem_status(0, "VmPin"), 0);
}

static void replace(void)
{
	char *va = memory(4 * PAGE);
	uint32_t ioas, hwpt, old;
	struct mockdev other = { 0 };

	begin();
	OK(iofd_ioas(s.fd, &ioas));
	map_and_check(va, PAGE, APERTURE);
	OK(iofd_map_at(s.fd, ioas, va + PAGE, PAGE, APERTURE));
	CHECK_EQ(mem_status(0, "VmPin"), PAGE);
	old = m.hwpt;
	OK(mock_replace(s.fd, &m, ioas));
	CHECK(m.hwpt != old);
	CHECK_EQ(iofd_objects(s.fd, "hwpt"), 1);
	OK(mock_check_map(s.fd, m.hwpt, APERTURE, va + PAGE, PAGE));
	OK(mock_check_refs(s.fd, va, PAGE, 0));
	OK(mock_check_refs(s.fd, va + PAGE, PAGE, 1));
	/* where it is already */
	old = m.hwpt;
	OK(mock_replace(s.fd, &m, ioas));
	CHECK_EQ(m.hwpt, old);
	OK(mock_replace(s.fd, &m, m.hwpt));
	CHECK_EQ(m.hwpt, old);
	/* refused, it stays */
	TEST(mock_replace(s.fd, &m, 77), -ENOENT);
	TEST(mock_replace(s.fd, &m, m.idev), -EINVAL);
	other.stdev = m.idev;
	TEST(mock_replace(s.fd, &other, ioas), -ENOENT);
	munmap(va, PAGE);
	TEST(mock_replace(s.fd, &m, s.ioas), -EFAULT);
	CHECK_EQ(iofd_objects(s.fd, "hwpt"), 1);
	OK(mock_check_map(s.fd, old, APERTURE, va + PAGE, PAGE));
	/* to a table of one's own and away from it */
	OK(iofd_hwpt(s.fd, m.idev, ioas, 0, &hwpt));
	OK(mock_replace(s.fd, &m, hwpt));
	CHECK_EQ(m.hwpt, hwpt);
	REFUSED(s.fd, IOMMU_DESTROY, iofd_destroy(s.fd, hwpt), -EBUSY);
	OK(mock_replace(s.fd, &m, ioas));
	CHECK(m.hwpt != hwpt);
	OK(iofd_destroy(s.fd, hwpt));
	OK(mock_check_map(s.fd, m.hwpt, APERTURE, va + PAGE, PAGE));
}

static void reserved(void)
{
	struct iommu_iova_range ranges[4], allowed = { APERTURE, APERTURE + PAGE };
	char *va = memory(4 * PAGE);
	uint64_t align, iova = 0;
	uint32_t count = 4;

	begin();
	OK(space_map(&s, va, PAGE, APERTURE));
	TEST(mock_reserve(s.fd, s.ioas, APERTURE + 1, 1), -EADDRINUSE);
	OK(space_unmap(&s, APERTURE, PAGE));
	OK(mock_reserve(s.fd, s.ioas, APERTURE + PAGE, 2 * PAGE));
	OK(mock_reserve(s.fd, s.ioas, APERTURE + 2 * PAGE, 4 * PAGE));
	OK(iofd_ranges(s.fd, s.ioas, ranges, &count, &align));
	CHECK_EQ(count, 2);
	CHECK_EQ(ranges[0].last, APERTURE + PAGE - 1);
	CHECK_EQ(ranges[1].start, APERTURE + 6 * PAGE);
	REFUSED(s.fd, IOMMU_IOAS_MAP, space_map(&s, va, 2 * PAGE, APERTURE), -EINVAL);
	REFUSED(s.fd, IOMMU_IOAS_MAP, space_map(&s, va, PAGE, APERTURE + 5 * PAGE), -EINVAL);
	map_and_check(va, PAGE, APERTURE);
	OK(iofd_map(s.fd, s.ioas, va, 2 * PAGE, &iova, IOFD_RW));
	CHECK(iova >= APERTURE + 6 * PAGE);
	REFUSED(s.fd, IOMMU_IOAS_ALLOW_IOVAS, iofd_allow(s.fd, s.ioas, &allowed, 1),
		-EADDRINUSE);
	TEST(mock_reserve(s.fd, s.ioas, 0, 0), -EINVAL);
	TEST(mock_reserve(s.fd, s.ioas, UINT64_MAX, 2), -EOVERFLOW);
	TEST(mock_reserve(s.fd, s.ioas, 4096, UINT64_MAX), -EOVERFLOW);
	TEST(mock_reserve(s.fd, m.hwpt, 0, 1), -ENOENT);
	OK(mock_reserve(s.fd, s.ioas, UINT64_MAX, 1));
	OK(iofd_destroy(s.fd, m.stdev));
	OK(iofd_destroy(s.fd, s.ioas));
}

static void check_map_hostile(void)
{
	char *va = memory(2 * PAGE);
	uint32_t ioas;

	begin();
	OK(iofd_ioas(s.fd, &ioas));
	OK(space_map(&s, va, PAGE, APERTURE));
	OK(mock_check_map(s.fd, m.hwpt, APERTURE, va, 0));
	TEST(mock_check_map(s.fd, m.hwpt, APERTURE, va, PAGE + GRANULE), -EINVAL);
	TEST(mock_check_map(s.fd, m.hwpt, APERTURE, va + GRANULE, GRANULE), -EINVAL);
	TEST(mock_check_map(s.fd, m.hwpt, APERTURE + 1, va, GRANULE), -EINVAL);
	TEST(mock_check_map(s.fd, m.hwpt, APERTURE, va + 1, GRANULE), -EINVAL);
	TEST(mock_check_map(s.fd, m.hwpt, APERTURE, va, 1), -EINVAL);
	TEST(mock_check_map(s.fd, m.hwpt, APERTURE, NULL, GRANULE), -EFAULT);
	TEST(mock_check_map(s.fd, m.hwpt, -PAGE, va, 2 * PAGE), -EOVERFLOW);
	TEST(mock_check_map(s.fd, m.hwpt, APERTURE, (void *)-PAGE, 2 * PAGE), -EOVERFLOW);
	TEST(mock_check_map(s.fd, ioas, APERTURE, va, GRANULE), -ENOENT);
	TEST(mock_check_map(s.fd, 0, APERTURE, va, GRANULE), -ENOENT);
	TEST(mock_check_refs(s.fd, va + 1, PAGE, 1), -EINVAL);
	TEST(mock_check_refs(s.fd, va, 1, 1), -EINVAL);
	TEST(mock_check_refs(s.fd, NULL, PAGE, 0), -EFAULT);
	TEST(mock_check_refs(s.fd, (void *)-PAGE, 2 * PAGE, 0), -EOVERFLOW);
}

static void no_dirty_device(void)
{
	struct mockdev plain, other;
	uint32_t hwpt;

	begin();
	OK(mock_device(s.fd, s.ioas, MOCK_FLAGS_DEVICE_NO_DIRTY, &plain));
	CHECK_EQ(plain.hwpt, m.hwpt);
	REFUSED(s.fd, IOMMU_HWPT_ALLOC,
		iofd_hwpt(s.fd, plain.idev, s.ioas, IOMMU_HWPT_ALLOC_DIRTY_TRACKING,
			  &hwpt), -EOPNOTSUPP);
	OK(iofd_hwpt(s.fd, m.idev, s.ioas, IOMMU_HWPT_ALLOC_DIRTY_TRACKING, &hwpt));
	TEST(mock_replace(s.fd, &plain, hwpt), -EINVAL);
	TEST(mock_device(s.fd, hwpt, MOCK_FLAGS_DEVICE_NO_DIRTY, &other), -EINVAL);
	OK(mock_replace(s.fd, &m, hwpt));
	OK(mock_device(s.fd, hwpt, 0, &other));
}

static void table_flags(void)
{
	uint32_t hwpt, nested;

	begin();
	OK(iofd_hwpt(s.fd, m.idev, s.ioas, IOMMU_HWPT_ALLOC_NEST_PARENT, &hwpt));
	OK(mock_replace(s.fd, &m, hwpt));
	/* not there yet, but with the right answers */
	REFUSED(s.fd, IOMMU_HWPT_ALLOC, iofd_hwpt(s.fd, m.idev, hwpt, 0, &nested), -EINVAL);
	REFUSED(s.fd, IOMMU_HWPT_ALLOC, iofd_hwpt(s.fd, m.idev, s.ioas, 0x100, &nested),
		-EOPNOTSUPP);
	REFUSED(s.fd, IOMMU_HWPT_ALLOC,
		mock_hwpt(s.fd, m.idev, m.idev, 0, MOCK_IOMMUPT_DEFAULT, &nested), -EINVAL);
}

/* Batches as small as they get change nothing but the time it takes. */
static void memory_limit(void)
{
	static const uint32_t limits[] = { 12, 16, 24, 100, 4096, 65536 };
	uint64_t at;
	char *va = memory(MIB), *view;
	int file = OK(mem_file(MIB, 0));
	unsigned int i;

	begin();
	view = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	TEST(mock_limit(s.fd, 0), -EINVAL);
	TEST(mock_limit(s.fd, 11), -EINVAL);
	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		OK(mock_limit(s.fd, limits[i]));
		map_and_check(va, MIB, APERTURE);
		OK(mock_check_refs(s.fd, va, MIB, 1));
		OK(space_unmap(&s, APERTURE, MIB));
		OK(mock_check_refs(s.fd, va, MIB, 0));
		at = APERTURE;
		OK(iofd_map_file(s.fd, s.ioas, file, 5 * PAGE, MIB - 9 * PAGE, &at,
				 IOFD_FIXED_RW));
		OK(mock_check_map(s.fd, m.hwpt, APERTURE, view + 5 * PAGE, MIB - 9 * PAGE));
		OK(mock_check_refs(s.fd, view + 5 * PAGE, MIB - 9 * PAGE, 1));
		OK(space_unmap(&s, APERTURE, MIB - 9 * PAGE));
		OK(mock_check_refs(s.fd, view, MIB, 0));
	}
	OK(mock_limit(s.fd, UINT32_MAX));
}

static void many_devices(void)
{
	struct mockdev devs[64];
	char *va = memory(16 * PAGE);
	uint32_t ioas;
	unsigned int i;

	mock_open(&s);
	OK(iofd_ioas(s.fd, &ioas));
	OK(space_map(&s, va, 16 * PAGE, APERTURE));
	for (i = 0; i < 64; i++)
		OK(mock_device(s.fd, i % 2 ? ioas : s.ioas, 0, &devs[i]));
	CHECK_EQ(iofd_objects(s.fd, "hwpt"), 2);
	for (i = 0; i < 64; i++)
		OK(mock_replace(s.fd, &devs[i], i % 2 ? s.ioas : ioas));
	CHECK_EQ(iofd_objects(s.fd, "hwpt"), 2);
	OK(mock_check_map(s.fd, devs[1].hwpt, APERTURE, va, 16 * PAGE));
	OK(mock_check_refs(s.fd, va, 16 * PAGE, 1));
	for (i = 0; i < 64; i++)
		OK(iofd_destroy(s.fd, devs[(i * 27) % 64].stdev));
	CHECK_EQ(iofd_objects(s.fd, NULL), 2);
	OK(mock_check_refs(s.fd, va, 16 * PAGE, 0));
}

static const struct tap_test tests[] = {
	{ "the ioctl exists only while the mock is loaded", only_while_loaded },
	{ "devices and page tables hold the module", device_holds_module },
	{ "closing the file takes devices and mappings along", file_takes_all_along },
	{ "sizes, reserved members and unknown operations", command_format },
	{ "a device is three objects, in the right order", device_objects },
	{ "devices that are refused leave nothing behind", device_refused },
	{ "devices of one IOAS share a page table", two_share_a_table },
	{ "GET_HW_INFO", hw_info },
	{ "the aperture, to its last granule", aperture },
	{ "mappings at every place of a page", any_place_in_a_page, 60 },
	{ "half a granule is not to be had", misaligned },
	{ "large leaves, aligned alike and not", large_leaves },
	{ "HUGE_PAGES off: whole CPU pages", huge_pages_off },
	{ "page tables of the huge type, alone and mixed", huge_tables },
	{ "several page tables, memory pinned once", several_tables, 60 },
	{ "the first page table pins, the last one unpins", first_table_pins },
	{ "MOCK_DOMAIN_REPLACE between address spaces", replace },
	{ "ADD_RESERVED", reserved },
	{ "MD_CHECK_MAP and MD_CHECK_REFS find what is wrong", check_map_hostile },
	{ "a device without dirty tracking", no_dirty_device },
	{ "flags of page tables", table_flags },
	{ "SET_TEMP_MEMORY_LIMIT", memory_limit },
	{ "64 devices, moved and removed", many_devices, 60 },
};

int main(int argc, char **argv)
{
	return MOCK_RUN(argc, argv, tests);
}

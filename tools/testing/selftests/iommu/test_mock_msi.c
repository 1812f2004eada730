// SPDX-License-Identifier: GPL-2.0
/*
 * Devices whose interrupts the IOMMU translates: their window in an address space
 * comes with the first one and goes with the page table.
 */
#include <string.h>

#include "mem.h"
#include "mock_viommu.h"

#define PAGE 4096UL
#define WINDOW 0x20000000UL
#define WINDOW_SIZE MIB
#define TEST(call, want) REFUSED(s.fd, IOMMU_TEST_CMD, call, want)
#define MAP(iova) space_map(&s, mem, PAGE, iova)

static struct space s;
static struct mockdev m;
static char *mem;

static void want_sw_msi(void)
{
	if (!mock_sw_msi(true))
		tap_skip("this kernel has no interrupts that have to be mapped");
}

static void begin(void)
{
	mock_open(&s);
	mem = mem_anon(PAGE);
	CHECK(mem);
	want_sw_msi();
}

static void end(void)
{
	mock_sw_msi(false);
}

static void is_closed(void)
{
	REFUSED(s.fd, IOMMU_IOAS_MAP, MAP(WINDOW), -EINVAL);
	CHECK(strstr(iommufd_last_reason(s.fd), "interrupts"));
	REFUSED(s.fd, IOMMU_IOAS_MAP, MAP(WINDOW + WINDOW_SIZE - PAGE), -EINVAL);
	OK(MAP(WINDOW - PAGE));
	OK(MAP(WINDOW + WINDOW_SIZE));
	OK(space_unmap(&s, WINDOW - PAGE, PAGE));
	OK(space_unmap(&s, WINDOW + WINDOW_SIZE, PAGE));
}

static void is_open(void)
{
	OK(MAP(WINDOW));
	OK(space_unmap(&s, WINDOW, PAGE));
}

static void comes_and_goes(void)
{
	struct iommu_iova_range r[4];
	uint32_t n = 4;

	begin();
	is_open();
	OK(mock_device(s.fd, s.ioas, 0, &m));
	is_closed();
	OK(iofd_ranges(s.fd, s.ioas, r, &n, NULL));
	CHECK_EQ(n, 2);
	CHECK_EQ(r[0].last, WINDOW - 1);
	CHECK_EQ(r[1].start, WINDOW + WINDOW_SIZE);
	/* the table goes with the device that it was made for */
	OK(iofd_destroy(s.fd, m.stdev));
	is_open();
	end();
}

static void in_the_way(void)
{
	struct iommu_iova_range r = { WINDOW - PAGE, WINDOW };

	begin();
	OK(MAP(WINDOW + 4 * PAGE));
	TEST(mock_device(s.fd, s.ioas, 0, &m), -EADDRINUSE);
	OK(space_unmap(&s, WINDOW + 4 * PAGE, PAGE));
	OK(iofd_allow(s.fd, s.ioas, &r, 1));
	TEST(mock_device(s.fd, s.ioas, 0, &m), -EADDRINUSE);
	OK(iofd_allow(s.fd, s.ioas, NULL, 0));
	CHECK_EQ(iofd_objects(s.fd, NULL), 1);
	OK(mock_device(s.fd, s.ioas, 0, &m));
	is_closed();
	end();
}

/* What was set up in a table stays in it without devices, too. */
static void belongs_to_tables(void)
{
	struct mockdev other;
	uint32_t one, two;

	begin();
	end();
	OK(mock_device(s.fd, s.ioas, 0, &m));
	OK(iofd_hwpt(s.fd, m.idev, s.ioas, 0, &one));
	OK(iofd_hwpt(s.fd, m.idev, s.ioas, 0, &two));
	OK(mock_replace(s.fd, &m, one));
	is_open();
	want_sw_msi();
	OK(mock_device(s.fd, one, 0, &other));
	is_closed();
	OK(iofd_destroy(s.fd, other.stdev));
	is_closed();
	OK(mock_replace(s.fd, &m, two));
	OK(iofd_destroy(s.fd, one));
	is_closed();
	OK(mock_device(s.fd, two, 0, &other));
	is_closed();
	OK(iofd_destroy(s.fd, m.stdev));
	OK(iofd_destroy(s.fd, other.stdev));
	is_closed();
	OK(iofd_destroy(s.fd, two));
	is_open();
	end();
}

/* A device that is refused for another reason leaves no window. */
static void refused(void)
{
	uint32_t records;

	begin();
	end();
	OK(mock_device(s.fd, s.ioas, 0, &m));
	OK(iofd_hwpt(s.fd, m.idev, s.ioas, IOMMU_HWPT_ALLOC_DIRTY_TRACKING, &records));
	want_sw_msi();
	TEST(mock_device(s.fd, records, MOCK_FLAGS_DEVICE_NO_DIRTY, &m), -EINVAL);
	is_open();
	OK(mock_device(s.fd, records, 0, &m));
	is_closed();
	TEST(mock_device(s.fd, records, MOCK_FLAGS_DEVICE_NO_DIRTY, &m), -EINVAL);
	is_closed();
	end();
}

/*
 * The kernel maps into the table that a device is attached to: a guest's own is
 * none for that, unless its driver makes it look like one.
 */
static void nested(void)
{
	uint32_t guest, id;
	struct mock_vm vm;

	mock_vm(&vm);
	s = vm.s;
	mem = mem_anon(PAGE);
	CHECK(mem);
	OK(mock_nested(s.fd, vm.dev.idev, vm.parent, 1, &guest));
	OK(mock_nested(s.fd, vm.dev.idev, vm.parent, 2, &id));
	OK(mock_replace(s.fd, &vm.dev, guest));
	want_sw_msi();
	TEST(mock_replace(s.fd, &vm.dev, id), -EOPNOTSUPP);
	is_open();
	OK(mock_replace(s.fd, &vm.dev, vm.parent));
	is_closed();
	end();
}

static const struct tap_test tests[] = {
	{ "the window comes with a device", comes_and_goes },
	{ "something is in its way", in_the_way },
	{ "it belongs to the page table", belongs_to_tables },
	{ "a device that is refused leaves none", refused },
	{ "nested tables have no place for one", nested },
};

int main(int argc, char **argv)
{
	return MOCK_RUN(argc, argv, tests);
}

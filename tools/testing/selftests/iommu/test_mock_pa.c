// SPDX-License-Identifier: GPL-2.0
/*
 * NOIOMMU_GET_PA, on the mock, whose devices nothing translates for: the kernel's
 * own account of which frames the process has is what it is compared with.
 */
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mem.h"
#include "mock.h"

#define PAGE 4096UL
#define GET_PA(want, iova, length) \
	REFUSED(s.fd, IOMMU_IOAS_NOIOMMU_GET_PA, get_pa(iova, length, NULL, NULL), want)

static struct space s;
static struct mockdev m;

static int get_pa(uint64_t iova, uint64_t length, uint64_t *phys, uint64_t *found)
{
	struct iommu_ioas_noiommu_get_pa c = {
		.size = sizeof(c),
		.ioas_id = s.ioas,
		.iova = iova,
		.length = length,
	};
	int rc = iofd_ioctl(s.fd, IOMMU_IOAS_NOIOMMU_GET_PA, &c);

	if (phys)
		*phys = c.out_phys;
	if (found)
		*found = c.length;
	return rc;
}

/* The physical address behind a byte of memory. */
static uint64_t where(const void *va)
{
	static int f = -1;
	uint64_t entry;

	if (f < 0)
		f = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	CHECK(pread(f, &entry, 8, (uintptr_t)va / PAGE * 8) == 8);
	CHECK(entry >> 63);
	CHECK(entry & ((1ULL << 55) - 1));
	return (entry & ((1ULL << 55) - 1)) * PAGE + (uintptr_t)va % PAGE;
}

/* How many bytes from va to end follow each other. */
static uint64_t run_of(const char *va, const char *end)
{
	const char *at = va - (uintptr_t)va % PAGE + PAGE;

	while (at < end && where(at) == where(va) + (at - va))
		at += PAGE;
	return (at < end ? at : end) - va;
}

static void begin(void)
{
	mock_open(&s);
	OK(mock_device(s.fd, s.ioas, 0, &m));
}

/* Every page and places within, with what follows. */
static void compare(const char *mem, size_t size, uint64_t iova)
{
	uint64_t at, phys, found;

	for (at = 0; at < size; at += PAGE / 2 + 1) {
		OK(get_pa(iova + at, UINT64_MAX - iova - at, &phys, &found));
		CHECK_EQ(phys, where(mem + at));
		CHECK_EQ(found, run_of(mem + at, mem + size));
	}
}

static void pages(void)
{
	char *mem = mem_anon(64 * PAGE);
	uint64_t phys, found;

	begin();
	CHECK(mem);
	OK(space_map(&s, mem, 64 * PAGE, APERTURE));
	compare(mem, 64 * PAGE, APERTURE);
	/* never more than asked for */
	OK(get_pa(APERTURE + 100, 1, &phys, &found));
	CHECK_EQ(phys, where(mem + 100));
	CHECK_EQ(found, 1);
	OK(get_pa(APERTURE + 100, PAGE - 100, NULL, &found));
	CHECK_EQ(found, PAGE - 100);
	/* half a page may be mapped */
	OK(space_map(&s, mem + GRANULE, GRANULE, APERTURE + 65 * PAGE));
	OK(get_pa(APERTURE + 65 * PAGE, PAGE, &phys, &found));
	CHECK_EQ(phys, where(mem + GRANULE));
	CHECK_EQ(found, GRANULE);
}

static void large(void)
{
	char *mem = mem_thp(4 * MIB);
	uint64_t phys, found;

	begin();
	CHECK(mem);
	if (!mem_is_thp(mem, 4 * MIB))
		tap_skip("no transparent huge pages to be had");
	OK(space_map(&s, mem, 4 * MIB, APERTURE));
	OK(get_pa(APERTURE, 2 * MIB, &phys, &found));
	CHECK_EQ(phys, where(mem));
	CHECK_EQ(found, 2 * MIB);
	OK(get_pa(APERTURE + MIB + 5, UINT32_MAX, &phys, &found));
	CHECK_EQ(phys, where(mem + MIB + 5));
	CHECK_EQ(found, run_of(mem + MIB + 5, mem + 4 * MIB));
	/* a part of it */
	OK(space_map(&s, mem + 3 * PAGE, 7 * PAGE, APERTURE + 16 * MIB));
	OK(get_pa(APERTURE + 16 * MIB, 16 * PAGE, &phys, &found));
	CHECK_EQ(phys, where(mem + 3 * PAGE));
	CHECK_EQ(found, 7 * PAGE);
}

static void file(void)
{
	int fd = OK(mem_file(16 * PAGE, 0));
	uint64_t iova = APERTURE;
	char *mem;

	begin();
	mem = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	CHECK(mem != MAP_FAILED);
	OK(iofd_map_file(s.fd, s.ioas, fd, 4 * PAGE, 8 * PAGE, &iova, IOFD_FIXED_RW));
	compare(mem + 4 * PAGE, 8 * PAGE, APERTURE);
}

static void drop_rawio(void)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2];

	CHECK(!syscall(SYS_capget, &h, d));
	d[0].effective &= ~(1U << CAP_SYS_RAWIO);
	CHECK(!syscall(SYS_capset, &h, d));
}

static void refused(void)
{
	struct iommu_ioas_noiommu_get_pa c;
	char *mem = mem_anon(4 * PAGE);
	int buffer;

	begin();
	CHECK(mem);
	OK(space_map(&s, mem, 2 * PAGE, APERTURE));
	GET_PA(-EINVAL, APERTURE, 0);
	GET_PA(-EOVERFLOW, APERTURE, UINT64_MAX);
	GET_PA(-EOVERFLOW, UINT64_MAX, 2);
	GET_PA(-ENOENT, APERTURE - 1, 1);
	GET_PA(-ENOENT, APERTURE - 1, 2);
	GET_PA(-ENOENT, APERTURE + 2 * PAGE, 1);
	GET_PA(-ENOENT, 0, 1);
	GET_PA(-ENOENT, UINT64_MAX, 1);
	c = (struct iommu_ioas_noiommu_get_pa){
		.size = sizeof(c), .ioas_id = s.ioas, .iova = APERTURE, .length = 1,
	};
	OK(iofd_ioctl(s.fd, IOMMU_IOAS_NOIOMMU_GET_PA, &c));
	c.flags = 1;
	REFUSED(s.fd, IOMMU_IOAS_NOIOMMU_GET_PA,
		iofd_ioctl(s.fd, IOMMU_IOAS_NOIOMMU_GET_PA, &c), -EOPNOTSUPP);
	c.flags = 0;
	c.__reserved = 1;
	REFUSED(s.fd, IOMMU_IOAS_NOIOMMU_GET_PA,
		iofd_ioctl(s.fd, IOMMU_IOAS_NOIOMMU_GET_PA, &c), -EOPNOTSUPP);
	c.__reserved = 0;
	c.ioas_id = m.idev;
	REFUSED(s.fd, IOMMU_IOAS_NOIOMMU_GET_PA,
		iofd_ioctl(s.fd, IOMMU_IOAS_NOIOMMU_GET_PA, &c), -ENOENT);
	c.ioas_id = s.ioas;
	c.size--;
	REFUSED(s.fd, IOMMU_IOAS_NOIOMMU_GET_PA,
		iofd_ioctl(s.fd, IOMMU_IOAS_NOIOMMU_GET_PA, &c), -EINVAL);

	/* a buffer whose memory may go any time */
	buffer = OK(mock_dmabuf(s.fd, PAGE));
	c.iova = APERTURE + 16 * PAGE;
	OK(iofd_map_file(s.fd, s.ioas, buffer, 0, PAGE, (uint64_t *)&c.iova, IOFD_FIXED_RW));
	GET_PA(-EOPNOTSUPP, APERTURE + 16 * PAGE, PAGE);

	/* devices that are translated for */
	OK(iofd_ioas(s.fd, &s.ioas));
	OK(mock_device_on(s.fd, s.ioas, 2, &m));
	OK(space_map(&s, mem, PAGE, 0x10000));
	GET_PA(-EOPNOTSUPP, 0x10000, PAGE);

	drop_rawio();
	GET_PA(-EPERM, APERTURE, PAGE);
}

/* Only as long as it is pinned. */
static void pinned(void)
{
	char *mem = mem_anon(4 * PAGE);

	mock_open(&s);
	CHECK(mem);
	OK(space_map(&s, mem, 2 * PAGE, APERTURE));
	GET_PA(-EOPNOTSUPP, APERTURE, PAGE);
	OK(mock_device(s.fd, s.ioas, 0, &m));
	OK(get_pa(APERTURE, PAGE, NULL, NULL));
	OK(iofd_destroy(s.fd, m.stdev));
	GET_PA(-EOPNOTSUPP, APERTURE, PAGE);
	OK(mock_device(s.fd, s.ioas, 0, &m));
	OK(get_pa(APERTURE, PAGE, NULL, NULL));
	OK(space_unmap(&s, APERTURE, 2 * PAGE));
	GET_PA(-ENOENT, APERTURE, PAGE);
}

static const struct tap_test tests[] = {
	{ "pages and half pages", pages },
	{ "what is large stays in one piece", large },
	{ "a file", file },
	{ "only as long as the memory is pinned", pinned },
	{ "refused, each with its errno", refused },
};

int main(int argc, char **argv)
{
	return MOCK_RUN(argc, argv, tests);
}

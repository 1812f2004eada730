// SPDX-License-Identifier: GPL-2.0
/*
 * dma-bufs in an IOAS: mapped by file, taken away and given back by who exported
 * them.
 */
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mem.h"
#include "mock.h"

#define PAGE 4096UL
#define TEST(call, want) REFUSED(s.fd, IOMMU_TEST_CMD, call, want)
#define MAP(call, want) REFUSED(s.fd, IOMMU_IOAS_MAP_FILE, call, want)
#define LEN (16 * PAGE)

static struct space s;
static struct mockdev m;
static int buf;
static char *view;

static void begin(int device)
{
	mock_open(&s);
	buf = OK(mock_dmabuf(s.fd, LEN));
	view = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_SHARED, buf, 0);
	CHECK(view != MAP_FAILED);
	if (device)
		OK(mock_device(s.fd, s.ioas, 0, &m));
}

static int map_at(uint64_t iova, uint64_t start, uint64_t length)
{
	return iofd_map_file(s.fd, s.ioas, buf, start, length, &iova, IOFD_FIXED_RW);
}

static void nothing_at(uint32_t hwpt, uint64_t iova, uint64_t length)
{
	uint64_t at;

	for (at = 0; at < length; at += GRANULE)
		TEST(mock_check_map(s.fd, hwpt, iova + at, view, GRANULE), -EINVAL);
}

static void get(void)
{
	struct iommu_test_cmd c = { .dmabuf_get = { .length = PAGE, .open_flags = O_APPEND } };
	int fd, i;

	mock_open(&s);
	TEST(mock_dmabuf(s.fd, 0), -EINVAL);
	TEST(mock_dmabuf(s.fd, PAGE + 1), -EINVAL);
	TEST(mock_dmabuf(s.fd, 513 * PAGE), -EINVAL);
	TEST(mock_cmd(s.fd, IOMMU_TEST_OP_DMABUF_GET, &c), -EINVAL);
	for (i = 1; i <= 512; i *= 2) {
		fd = OK(mock_dmabuf(s.fd, i * PAGE));
		CHECK_EQ(lseek(fd, 0, SEEK_END), i * PAGE);
		CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
		close(fd);
	}
	/* a buffer holds the module */
	fd = OK(mock_dmabuf(s.fd, PAGE));
	ERR(mock_unload(), -EAGAIN);
	close(fd);
}

static void map_and_unmap(void)
{
	begin(1);
	OK(map_at(APERTURE, 0, LEN));
	OK(mock_check_map(s.fd, m.hwpt, APERTURE, view, LEN));
	/* nothing is pinned, so nothing is charged */
	CHECK_EQ(mem_status(0, "VmPin"), 0);
	OK(map_at(APERTURE + LEN, 3 * PAGE + GRANULE, PAGE));
	OK(mock_check_map(s.fd, m.hwpt, APERTURE + LEN, view + 3 * PAGE + GRANULE, PAGE));
	OK(space_unmap(&s, APERTURE, LEN));
	nothing_at(m.hwpt, APERTURE, LEN);
	OK(mock_check_map(s.fd, m.hwpt, APERTURE + LEN, view + 3 * PAGE + GRANULE, PAGE));
	/* the mapping keeps the buffer */
	close(buf);
	OK(mock_check_map(s.fd, m.hwpt, APERTURE + LEN, view + 3 * PAGE + GRANULE, PAGE));
	OK(iofd_destroy(s.fd, m.stdev));
}

static void map_refused(void)
{
	uint64_t iova = APERTURE;

	begin(1);
	MAP(map_at(APERTURE, PAGE, LEN), -EINVAL);
	MAP(map_at(APERTURE, LEN, PAGE), -EINVAL);
	MAP(map_at(APERTURE, 1ULL << 60, PAGE), -EINVAL);
	MAP(map_at(APERTURE, -PAGE, 2 * PAGE), -EOVERFLOW);
	MAP(map_at(APERTURE, 1024, PAGE), -EINVAL);
	MAP(map_at(APERTURE, 0, 1024), -EINVAL);
	MAP(map_at(0, 0, PAGE), -EINVAL);
	MAP(iofd_map_file(s.fd, s.ioas, s.fd, 0, PAGE, &iova, IOFD_FIXED_RW), -EOPNOTSUPP);
	OK(map_at(APERTURE, 0, PAGE));
	MAP(map_at(APERTURE, 0, PAGE), -EEXIST);
	CHECK_EQ(mem_status(0, "VmPin"), 0);
}

static void revoke_refused(void)
{
	int file;

	begin(0);
	file = mem_file(PAGE, 0);
	TEST(mock_revoke(s.fd, file, 1), -EINVAL);
	TEST(mock_revoke(s.fd, -1, 1), -EINVAL);
	TEST(mock_revoke(s.fd, s.fd, 1), -EINVAL);
	OK(mock_revoke(s.fd, buf, 0));
	OK(mock_revoke(s.fd, buf, 1));
	OK(mock_revoke(s.fd, buf, 1));
	OK(mock_revoke(s.fd, buf, 0));
}

/* Gone from every table of every IOAS when the call returns, and back again. */
static void revoke_and_restore(void)
{
	uint32_t hwpt[3], ioas;
	struct mockdev other;
	uint64_t iova = APERTURE;
	int i, round;

	begin(1);
	OK(iofd_ioas(s.fd, &ioas));
	OK(mock_device(s.fd, ioas, 0, &other));
	hwpt[0] = m.hwpt;
	hwpt[1] = other.hwpt;
	OK(map_at(APERTURE, 0, LEN));
	OK(iofd_map_file(s.fd, ioas, buf, 0, LEN, &iova, IOFD_FIXED_RW));
	OK(iofd_hwpt(s.fd, m.idev, s.ioas, 0, &hwpt[2]));
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 3; i++)
			OK(mock_check_map(s.fd, hwpt[i], APERTURE, view, LEN));
		OK(mock_revoke(s.fd, buf, 1));
		for (i = 0; i < 3; i++)
			nothing_at(hwpt[i], APERTURE, LEN);
		MAP(map_at(APERTURE + LEN, 0, PAGE), -ENODEV);
		OK(mock_revoke(s.fd, buf, 0));
	}
	/* ordinary memory beside it does not notice */
	OK(space_map(&s, view, PAGE, APERTURE + LEN));
}

/* While it is revoked, tables come and go, and it can be unmapped. */
static void while_revoked(void)
{
	uint32_t hwpt[2];

	begin(1);
	OK(map_at(APERTURE, 0, LEN));
	OK(map_at(APERTURE + LEN, PAGE, PAGE));
	OK(mock_revoke(s.fd, buf, 1));
	OK(iofd_hwpt(s.fd, m.idev, s.ioas, 0, &hwpt[0]));
	OK(iofd_hwpt(s.fd, m.idev, s.ioas, 0, &hwpt[1]));
	nothing_at(hwpt[0], APERTURE, LEN);
	OK(iofd_destroy(s.fd, hwpt[1]));
	OK(space_unmap(&s, APERTURE + LEN, PAGE));
	OK(mock_revoke(s.fd, buf, 0));
	OK(mock_check_map(s.fd, hwpt[0], APERTURE, view, LEN));
	OK(mock_check_map(s.fd, m.hwpt, APERTURE, view, LEN));
	nothing_at(m.hwpt, APERTURE + LEN, PAGE);
	OK(mock_revoke(s.fd, buf, 1));
	OK(space_unmap(&s, APERTURE, LEN));
	OK(mock_revoke(s.fd, buf, 0));
	nothing_at(m.hwpt, APERTURE, LEN);
}

/* Mapped before there is any table. */
static void table_comes_later(void)
{
	begin(0);
	OK(map_at(APERTURE, 0, LEN));
	OK(mock_revoke(s.fd, buf, 1));
	OK(mock_device(s.fd, s.ioas, 0, &m));
	nothing_at(m.hwpt, APERTURE, LEN);
	OK(mock_revoke(s.fd, buf, 0));
	OK(mock_check_map(s.fd, m.hwpt, APERTURE, view, LEN));
	OK(iofd_destroy(s.fd, m.stdev));
	OK(mock_device(s.fd, s.ioas, 0, &m));
	OK(mock_check_map(s.fd, m.hwpt, APERTURE, view, LEN));
}

/* A kernel driver cannot pin what may be revoked. */
static void no_access(void)
{
	char data[16];
	uint32_t item;
	int acc;

	begin(0);
	OK(map_at(APERTURE, 0, LEN));
	acc = OK(mock_access(s.fd, s.ioas, MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES));
	CHECK(mock_pin(s.fd, acc, APERTURE, PAGE, NULL, 0, &item) < 0);
	CHECK(strlen(iommufd_last_reason(s.fd)) > 8);
	CHECK(mock_rw(s.fd, acc, APERTURE, data, 16, 0) < 0);
	OK(space_unmap(&s, APERTURE, LEN));
}

static volatile int stop;

static void *revoker(void *arg)
{
	long rc = 0;

	while (!stop && !rc)
		rc = mock_revoke(s.fd, buf, 1) ?: mock_revoke(s.fd, buf, 0);
	return (void *)rc;
}

static void *tables(void *arg)
{
	uint32_t hwpt;
	long rc = 0;

	while (!stop && !rc)
		rc = iofd_hwpt(s.fd, m.idev, s.ioas, 0, &hwpt) ?: iofd_destroy(s.fd, hwpt);
	return (void *)rc;
}

static void race(void)
{
	pthread_t threads[2];
	void *result;
	int i, rc;

	begin(1);
	CHECK(!pthread_create(&threads[0], NULL, revoker, NULL));
	CHECK(!pthread_create(&threads[1], NULL, tables, NULL));
	for (i = 0; i < 2000; i++) {
		rc = map_at(APERTURE, 0, LEN);
		CHECK(!rc || rc == -ENODEV);
		if (!rc)
			OK(space_unmap(&s, APERTURE, LEN));
	}
	stop = 1;
	for (i = 0; i < 2; i++) {
		CHECK(!pthread_join(threads[i], &result));
		CHECK_EQ((long)result, 0);
	}
	OK(map_at(APERTURE, 0, LEN));
	OK(mock_check_map(s.fd, m.hwpt, APERTURE, view, LEN));
}

static const struct tap_test tests[] = {
	{ "DMABUF_GET", get },
	{ "mapped by file, in part, and unmapped", map_and_unmap },
	{ "maps refused", map_refused },
	{ "DMABUF_REVOKE refused, and twice", revoke_refused },
	{ "revoked from all page tables, and restored", revoke_and_restore },
	{ "what is possible while it is revoked", while_revoked },
	{ "page tables that come later", table_comes_later },
	{ "no access to what may be revoked", no_access },
	{ "revoke against map, unmap and page tables", race, 60 },
};

int main(int argc, char **argv)
{
	return MOCK_RUN(argc, argv, tests);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * A device without hardware, whose driver reads, writes and pins memory by its
 * IOVA: with the kernel's own VFIO on top of iommufd, through in-kernel access.
 * A stock VFIO has such devices too, and knows of no /dev/iommu.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common.h"
#include "mem.h"
#include "mem_test.h"

#define DEVICE	"/sys/bus/platform/devices/vfio_mem_test"

static struct vdev v;
static int iommufd = -1;
static uint32_t ioas;
static char *mem;

static bool own_cdev(void)
{
	return !access("/sys/module/vfio_cdev", F_OK);
}

static void want_module(void)
{
	int rc = module_load("vfio_mem_test");

	if (rc && rc != -EEXIST)
		tap_skip("no vfio_mem_test.ko here: %s", tap_errno(rc));
	mem = mem_anon(64 * PAGE);
	CHECK(mem);
}

/* Its device file, if its VFIO has any. */
static void want_node(void)
{
	struct dirent *e;
	int tries;
	DIR *d;

	want_module();
	d = opendir(DEVICE "/vfio-dev");
	CHECK(d);
	memset(&v, 0, sizeof(v));
	v.fd = -1;
	while ((e = readdir(d)))
		if (!strncmp(e->d_name, "vfio", 4))
			snprintf(v.node, sizeof(v.node), "/dev/vfio/devices/%.32s", e->d_name);
	closedir(d);
	for (tries = 0; access(v.node, F_OK) && tries < 50; tries++)
		usleep(10000);
	if (tries == 50)
		tap_skip("this kernel's VFIO has no device files");
}

static void begin(void)
{
	want_node();
	iommufd = OK(iofd_open());
	OK(iofd_ioas(iommufd, &ioas));
	OK(vdev_open(&v));
	OK(vdev_bind(&v, iommufd));
	OK(vdev_attach(&v, &ioas));
}

static ssize_t get(uint64_t iova, void *data, size_t len)
{
	ssize_t n = pread(v.fd, data, len, iova);

	return n < 0 ? -errno : n;
}

static ssize_t put(uint64_t iova, const void *data, size_t len)
{
	ssize_t n = pwrite(v.fd, data, len, iova);

	return n < 0 ? -errno : n;
}

static int pin(uint64_t iova, uint32_t npage, uint32_t write, uint64_t *words)
{
	struct mem_test_pin p = { .iova = iova, .npage = npage, .write = write };
	int rc = iofd_ioctl(v.fd, MEM_TEST_PIN, &p);

	if (words)
		memcpy(words, p.words, sizeof(p.words));
	return rc;
}

static int poke_word(uint64_t word)
{
	return iofd_ioctl(v.fd, MEM_TEST_POKE, &word);
}

static void binds(void)
{
	uint32_t pt;

	want_node();
	iommufd = OK(iofd_open());
	OK(iofd_ioas(iommufd, &ioas));
	OK(vdev_open(&v));
	ERR(vdev_attach(&v, &ioas), -EINVAL);
	OK(vdev_bind(&v, iommufd));
	ERR(vdev_bind(&v, iommufd), -EINVAL);
	CHECK_EQ(iofd_objects(iommufd, "access"), 1);
	CHECK_EQ(iofd_objects(iommufd, "device"), 0);
	/* it has an address space, and never a page table */
	pt = ioas;
	OK(vdev_attach(&v, &pt));
	CHECK_EQ(pt, ioas);
	CHECK_EQ(iofd_objects(iommufd, "hwpt"), 0);
	ERR(iofd_destroy(iommufd, ioas), -EBUSY);
	OK(vdev_detach(&v));
	OK(iofd_destroy(iommufd, ioas));
	pt = ioas;
	ERR(vdev_attach(&v, &pt), -ENOENT);
	vdev_close(&v);
	CHECK_EQ(iofd_objects(iommufd, NULL), 0);
}

static void reads_and_writes(void)
{
	static char a[9 * PAGE], b[9 * PAGE];

	begin();
	mem_fill(mem, 16 * PAGE, 1);
	OK(iofd_map_at(iommufd, ioas, mem, 16 * PAGE, IOVA));
	CHECK_EQ(get(IOVA + 100, a, 8 * PAGE + 7), 8 * PAGE + 7);
	CHECK(!memcmp(a, mem + 100, 8 * PAGE + 7));
	mem_fill(b, sizeof(b), 2);
	CHECK_EQ(put(IOVA + 3 * PAGE - 5, b, 5 * PAGE), 5 * PAGE);
	CHECK(!memcmp(mem + 3 * PAGE - 5, b, 5 * PAGE));
	/* beyond what is mapped, and nothing of it is done */
	CHECK(get(IOVA + 15 * PAGE, a, 2 * PAGE) < 0);
	CHECK(get(IOVA - 1, a, 1) < 0);
	OK(iofd_unmap(iommufd, ioas, IOVA, 16 * PAGE, NULL));
	CHECK(get(IOVA, a, 1) < 0);
}

static void read_only(void)
{
	uint64_t iova = IOVA, words[MEM_TEST_PAGES];
	char byte = 1;

	begin();
	OK(iofd_map(iommufd, ioas, mem, 4 * PAGE, &iova, IOFD_FIXED_R));
	CHECK_EQ(get(IOVA, &byte, 1), 1);
	CHECK(put(IOVA, &byte, 1) < 0);
	CHECK(pin(IOVA, 1, 1, NULL) < 0);
	OK(pin(IOVA, 1, 0, words));
	OK(iofd_ioctl(v.fd, MEM_TEST_UNPIN, NULL));
}

static void pins(void)
{
	uint64_t words[MEM_TEST_PAGES], *word;
	long long before;
	int i;

	begin();
	for (i = 0; i < 64; i++)
		*(uint64_t *)(mem + i * PAGE) = 1000 + i;
	before = mem_pinned_pages();
	OK(iofd_map_at(iommufd, ioas, mem, 64 * PAGE, IOVA));
	CHECK_EQ(mem_pinned_pages(), before);
	OK(pin(IOVA + 7 * PAGE, 5, 1, words));
	CHECK(mem_pinned_pages() > before);
	for (i = 0; i < 5; i++)
		CHECK_EQ(words[i], 1007 + i);
	CHECK_EQ(poke_word(77), 5);
	for (i = 0; i < 64; i++) {
		word = (uint64_t *)(mem + i * PAGE);
		CHECK_EQ(*word, i >= 7 && i < 12 ? 77 : 1000 + i);
	}
	/* pages of nobody's */
	OK(iofd_ioctl(v.fd, MEM_TEST_UNPIN, NULL));
	CHECK(pin(IOVA + 60 * PAGE, 5, 1, NULL) < 0);
	CHECK_EQ(mem_wait_pinned(before, 2000), before);
}

static void unmap_asks(void)
{
	long long before;

	begin();
	before = mem_pinned_pages();
	OK(iofd_map_at(iommufd, ioas, mem, 16 * PAGE, IOVA));
	OK(iofd_map_at(iommufd, ioas, mem + 16 * PAGE, 16 * PAGE, IOVA + 16 * PAGE));
	OK(pin(IOVA + 4 * PAGE, 4, 1, NULL));
	OK(iofd_unmap(iommufd, ioas, IOVA + 16 * PAGE, 16 * PAGE, NULL));
	CHECK_EQ(iofd_ioctl(v.fd, MEM_TEST_ASKED, NULL), 0);
	OK(iofd_unmap(iommufd, ioas, IOVA, 16 * PAGE, NULL));
	CHECK_EQ(iofd_ioctl(v.fd, MEM_TEST_ASKED, NULL), 1);
	CHECK_EQ(poke_word(1), 0);
	CHECK_EQ(mem_wait_pinned(before, 2000), before);
}

static void replaces(void)
{
	uint32_t other, pt;
	char byte = 0;

	begin();
	OK(iofd_ioas(iommufd, &other));
	mem[0] = 1;
	mem[PAGE] = 2;
	OK(iofd_map_at(iommufd, ioas, mem, PAGE, IOVA));
	OK(iofd_map_at(iommufd, other, mem + PAGE, PAGE, IOVA));
	CHECK_EQ(get(IOVA, &byte, 1), 1);
	CHECK_EQ(byte, 1);
	OK(pin(IOVA, 1, 1, NULL));
	pt = other;
	OK(vdev_attach(&v, &pt));
	/* what was pinned there is not held over */
	CHECK_EQ(iofd_ioctl(v.fd, MEM_TEST_ASKED, NULL), 1);
	CHECK_EQ(get(IOVA, &byte, 1), 1);
	CHECK_EQ(byte, 2);
	OK(iofd_destroy(iommufd, ioas));
	OK(vdev_detach(&v));
	CHECK(get(IOVA, &byte, 1) < 0);
}

static void close_lets_go(void)
{
	long long before;

	begin();
	before = mem_pinned_pages();
	OK(iofd_map_at(iommufd, ioas, mem, 16 * PAGE, IOVA));
	OK(pin(IOVA, 16, 1, NULL));
	vdev_close(&v);
	CHECK_EQ(mem_wait_pinned(before, 2000), before);
	OK(iofd_destroy(iommufd, ioas));
	CHECK_EQ(iofd_objects(iommufd, NULL), 0);
}

static atomic_bool over;

static void *map_and_unmap(void *arg)
{
	long n = 0;

	while (!over) {
		if (iofd_map_at(iommufd, ioas, mem, 16 * PAGE, IOVA))
			continue;
		sched_yield();
		OK(iofd_unmap(iommufd, ioas, IOVA, 16 * PAGE, NULL));
		n++;
	}
	return (void *)n;
}

/* Pins that come while the memory goes: either all of it, or nothing. */
static void pins_while_unmapped(void)
{
	long long before;
	int i, got = 0;
	char byte;
	pthread_t t;
	void *n;

	begin();
	before = mem_pinned_pages();
	CHECK(!pthread_create(&t, NULL, map_and_unmap, NULL));
	for (i = 0; i < 3000 || (!got && i < 100000); i++) {
		if (!pin(IOVA + PAGE, 8, i & 1, NULL)) {
			got++;
			iofd_ioctl(v.fd, MEM_TEST_UNPIN, NULL);
		}
		get(IOVA, &byte, 1);
	}
	over = true;
	CHECK(!pthread_join(t, &n));
	CHECK(got && n);
	CHECK_EQ(mem_wait_pinned(before, 2000), before);
}

/* --- by its group --- */

static int open_group(void)
{
	char path[64], link[128];
	ssize_t n;
	int fd;

	n = readlink(DEVICE "/iommu_group", link, sizeof(link) - 1);
	CHECK(n > 0);
	link[n] = 0;
	snprintf(path, sizeof(path), "/dev/vfio/%.32s", strrchr(link, '/') + 1);
	fd = open(path, O_RDWR | O_CLOEXEC);
	CHECK(fd >= 0);
	return fd;
}

static void by_group(void)
{
	struct vfio_iommu_type1_dma_map m = {
		.argsz = sizeof(m),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.iova = IOVA, .size = 16 * PAGE,
	};
	int group;
	char byte;

	want_module();
	iommufd = OK(iofd_open());
	group = open_group();
	if (own_cdev()) {
		/* an access is not what a stock VFIO knows to make of it */
		CHECK(iofd_ioctl(group, VFIO_GROUP_SET_CONTAINER, &iommufd) < 0);
		return;
	}
	OK(iofd_ioctl(group, VFIO_GROUP_SET_CONTAINER, &iommufd));
	OK(iofd_ioctl(iommufd, VFIO_SET_IOMMU, (void *)VFIO_TYPE1v2_IOMMU));
	v.fd = OK(iofd_ioctl(group, VFIO_GROUP_GET_DEVICE_FD, "vfio_mem_test"));
	CHECK_EQ(iofd_objects(iommufd, "access"), 1);
	m.vaddr = (uintptr_t)mem;
	OK(iofd_ioctl(iommufd, VFIO_IOMMU_MAP_DMA, &m));
	mem[5] = 55;
	CHECK_EQ(get(IOVA + 5, &byte, 1), 1);
	CHECK_EQ(byte, 55);
	OK(pin(IOVA, 4, 1, NULL));
	vdev_close(&v);
	OK(iofd_ioctl(group, VFIO_GROUP_UNSET_CONTAINER, NULL));
	CHECK_EQ(iofd_objects(iommufd, "access"), 0);
}

int main(int argc, char **argv)
{
	static const struct tap_test tests[] = {
		{ "bind and attach make an access", binds },
		{ "reads and writes by IOVA", reads_and_writes },
		{ "what is mapped for reading is not written", read_only },
		{ "pins pages, and unpins them", pins },
		{ "an unmap asks for what is pinned, and for nothing else", unmap_asks },
		{ "from one address space to another", replaces },
		{ "close unpins and detaches", close_lets_go },
		{ "pins while the memory comes and goes", pins_while_unmapped, 60 },
		{ "by its group, with /dev/iommu as the container", by_group },
	};
	int status = TAP_RUN(argc, argv, tests);

	/* whether it was loaded or not */
	module_unload("vfio_mem_test");
	return status;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The worked examples of Documentation/userspace-api/iommufd.rst, which quotes
 * what stands between "example" and "end" here; tools/testing/vm/host/doc
 * compares. Plain system calls on purpose: a reader has no library of tests.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include <linux/vfio_cdev.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices.h"
#include "mem.h"
#include "mock_event.h"
#include "mock_viommu.h"

/* example: first */
/* An address space with one page of memory at 0x100000, and gone again. */
static int first_steps(void *page)
{
	int fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	struct iommu_ioas_alloc space = { .size = sizeof(space) };
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE |
			 IOMMU_IOAS_MAP_FIXED_IOVA,
		.user_va = (uintptr_t)page,
		.length = 4096,
		.iova = 0x100000,
	};
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.iova = 0x100000,
		.length = 4096,
	};
	struct iommu_destroy destroy = { .size = sizeof(destroy) };

	if (fd < 0 || ioctl(fd, IOMMU_IOAS_ALLOC, &space))
		return -1;
	map.ioas_id = unmap.ioas_id = destroy.id = space.out_ioas_id;

	if (ioctl(fd, IOMMU_IOAS_MAP, &map))
		return -1;
	if (ioctl(fd, IOMMU_IOAS_UNMAP, &unmap) || unmap.length != 4096)
		return -1;
	if (ioctl(fd, IOMMU_DESTROY, &destroy))
		return -1;
	return close(fd);
}
/* end */

/* example: why */
/* Why the last command of this thread on fd was refused. */
static bool last_refusal(int fd, char *sentence, size_t size)
{
	unsigned long long seq, newest = 0;
	char path[64], line[1024];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/thread-self/fdinfo/%d", fd);
	f = fopen(path, "re");
	if (!f)
		return false;
	while (fgets(line, sizeof(line), f)) {
		int tid, text = 0;

		if (sscanf(line, "refusal:\ttid=%d cmd=%*x errno=%*d seq=%llu %n",
			   &tid, &seq, &text) == 2 &&
		    text && tid == gettid() && seq > newest) {
			newest = seq;
			snprintf(sentence, size, "%s", line + text);
		}
	}
	fclose(f);
	return newest;
}
/* end */

/* example: device */
/* Give a device an address space; its id comes back, for other commands. */
static int give_device(int fd, int device, uint32_t ioas, uint32_t *id,
		       uint32_t *table)
{
	struct vfio_device_bind_iommufd bind = {
		.argsz = sizeof(bind),
		.iommufd = fd,
	};
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = sizeof(attach),
		.pt_id = ioas,
	};

	if (ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &bind))
		return -1;
	/* From here on it is ours, and reaches nothing. */
	if (ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach))
		return -1;
	/* From here on it reaches what is mapped in the IOAS. */
	*id = bind.out_devid;
	*table = attach.pt_id;
	return 0;
}
/* end */

/* example: pasid */
/*
 * Give one PASID of a device an address space of its own. The table of the
 * device itself has to be one for PASIDs, too, or none.
 */
static int give_pasid(int fd, int device, uint32_t id, uint32_t ioas,
		      uint32_t pasid, uint32_t *hwpt)
{
	struct iommu_hw_info info = { .size = sizeof(info), .dev_id = id };
	struct iommu_hwpt_alloc alloc = {
		.size = sizeof(alloc),
		.flags = IOMMU_HWPT_ALLOC_PASID,
		.dev_id = id,
		.pt_id = ioas,
	};
	struct vfio_cdev_attach_iommufd_pt attach = {
		.argsz = sizeof(attach),
		.flags = VFIO_DEVICE_ATTACH_PASID,
		.pasid = pasid,
	};

	if (ioctl(fd, IOMMU_GET_HW_INFO, &info))
		return -1;
	if (pasid >> info.out_max_pasid_log2) {
		errno = ERANGE;
		return -1;
	}
	if (ioctl(fd, IOMMU_HWPT_ALLOC, &alloc))
		return -1;
	*hwpt = attach.pt_id = alloc.out_hwpt_id;
	return ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);
}
/* end */

/* example: ranges */
/* A free address for so many bytes that every device of the IOAS can use. */
static int find_room(int fd, uint32_t ioas, uint64_t length, uint64_t *iova)
{
	struct iommu_ioas_iova_ranges ask = {
		.size = sizeof(ask),
		.ioas_id = ioas,
	};
	struct iommu_iova_range *r;
	uint32_t i;
	int rc = -1;

	/* The first call tells how many there are, by failing. */
	if (!ioctl(fd, IOMMU_IOAS_IOVA_RANGES, &ask) || errno != EMSGSIZE)
		return -1;
	r = calloc(ask.num_iovas, sizeof(*r));
	if (!r)
		return -1;
	ask.allowed_iovas = (uintptr_t)r;
	if (ioctl(fd, IOMMU_IOAS_IOVA_RANGES, &ask))
		goto out;
	for (i = 0; i < ask.num_iovas && rc; i++) {
		uint64_t start = (r[i].start + ask.out_iova_alignment - 1) &
				 ~(ask.out_iova_alignment - 1);

		if (start >= r[i].start && start <= r[i].last &&
		    r[i].last - start >= length - 1) {
			*iova = start;
			rc = 0;
		}
	}
out:
	free(r);
	return rc;
}
/* end */

/* example: table */
/*
 * A page table of one's own: made first, so that all that is wrong with it is
 * known before the device changes over from whatever it has now.
 */
static int own_table(int fd, int device, uint32_t id, uint32_t ioas,
		     uint32_t *hwpt)
{
	struct iommu_hwpt_alloc alloc = {
		.size = sizeof(alloc),
		.dev_id = id,
		.pt_id = ioas,
	};
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = sizeof(attach),
	};

	if (ioctl(fd, IOMMU_HWPT_ALLOC, &alloc))
		return -1;
	*hwpt = attach.pt_id = alloc.out_hwpt_id;
	return ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);
}
/* end */

/* example: share */
/* Guest memory from a memfd, in two address spaces, pinned and charged once. */
static int share(int fd, uint32_t one, uint32_t other, int memfd, uint64_t size)
{
	struct iommu_ioas_map_file map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE |
			 IOMMU_IOAS_MAP_FIXED_IOVA,
		.ioas_id = one,
		.fd = memfd,
		.length = size,
		.iova = 0x200000,
	};
	struct iommu_ioas_copy copy = {
		.size = sizeof(copy),
		.flags = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_FIXED_IOVA,
		.src_ioas_id = one,
		.dst_ioas_id = other,
		.length = size,
		.src_iova = 0x200000,
		.dst_iova = 0x800000,
	};

	if (ioctl(fd, IOMMU_IOAS_MAP_FILE, &map))
		return -1;
	return ioctl(fd, IOMMU_IOAS_COPY, &copy);
}
/* end */

/* example: process */
/* Charge pinned memory to the process, as RLIMIT_MEMLOCK is usually meant. */
static int charge_process(int fd)
{
	struct iommu_option option = {
		.size = sizeof(option),
		.option_id = IOMMU_OPTION_RLIMIT_MODE,
		.op = IOMMU_OPTION_OP_SET,
		.val64 = 1,
	};

	/* Before the first object, and with CAP_SYS_RESOURCE. */
	return ioctl(fd, IOMMU_OPTION, &option);
}
/* end */

/* example: guest */
/*
 * An IOMMU for a guest, over the memory that the guest has (ioas): what the
 * guest's driver programs there is on top of it.
 */
static int make_viommu(int fd, uint32_t dev, uint32_t ioas, uint32_t type,
		       uint32_t *parent, uint32_t *viommu)
{
	struct iommu_hwpt_alloc memory = {
		.size = sizeof(memory),
		.flags = IOMMU_HWPT_ALLOC_NEST_PARENT,
		.dev_id = dev,
		.pt_id = ioas,
	};
	struct iommu_viommu_alloc alloc = {
		.size = sizeof(alloc),
		.type = type,
		.dev_id = dev,
	};

	if (ioctl(fd, IOMMU_HWPT_ALLOC, &memory))
		return -1;
	*parent = alloc.hwpt_id = memory.out_hwpt_id;
	if (ioctl(fd, IOMMU_VIOMMU_ALLOC, &alloc))
		return -1;
	*viommu = alloc.out_viommu_id;
	return 0;
}

/*
 * A device is plugged into it as the guest's virt_id, with the table that data
 * (of a type that suits the IOMMU) describes. Attach the device to *table next.
 */
static int plug_in(int fd, uint32_t viommu, uint32_t dev, uint64_t virt_id,
		   uint32_t type, const void *data, uint32_t length,
		   uint32_t *vdevice, uint32_t *table)
{
	struct iommu_vdevice_alloc plug = {
		.size = sizeof(plug),
		.viommu_id = viommu,
		.dev_id = dev,
		.virt_id = virt_id,
	};
	struct iommu_hwpt_alloc nested = {
		.size = sizeof(nested),
		.dev_id = dev,
		.pt_id = viommu,
		.data_type = type,
		.data_len = length,
		.data_uptr = (uintptr_t)data,
	};

	if (ioctl(fd, IOMMU_VDEVICE_ALLOC, &plug))
		return -1;
	*vdevice = plug.out_vdevice_id;
	if (ioctl(fd, IOMMU_HWPT_ALLOC, &nested))
		return -1;
	*table = nested.out_hwpt_id;
	return 0;
}
/* end */

/* example: invalidate */
/*
 * What the guest's driver puts into its queue is handed on, in order. Says how
 * many entries were done; if not all, the next one is at fault, and errno why.
 */
static uint32_t hand_on(int fd, uint32_t viommu, uint32_t type,
			const void *entries, uint32_t length, uint32_t count)
{
	struct iommu_hwpt_invalidate invalidate = {
		.size = sizeof(invalidate),
		.hwpt_id = viommu,
		.data_uptr = (uintptr_t)entries,
		.data_type = type,
		.entry_len = length,
		.entry_num = count,
	};

	/* entry_num is the answer, also where this fails */
	(void)!ioctl(fd, IOMMU_HWPT_INVALIDATE, &invalidate);
	return invalidate.entry_num;
}
/* end */

/* example: requests */
/* Read what there is, and answer it; make_present() says whether it could. */
static int serve_requests(int queue,
			  bool (*make_present)(uint32_t dev, uint64_t addr,
					       uint32_t perm))
{
	struct iommu_hwpt_pgfault request[64];
	struct iommu_hwpt_page_response answer = {
		.code = IOMMUFD_PAGE_RESP_SUCCESS,
	};
	ssize_t n, i;

	n = read(queue, request, sizeof(request));
	if (n < 0)
		return -1;
	for (i = 0; i < n / (ssize_t)sizeof(request[0]); i++) {
		if (!make_present(request[i].dev_id, request[i].addr,
				  request[i].perm))
			answer.code = IOMMUFD_PAGE_RESP_INVALID;
		if (!(request[i].flags & IOMMU_PGFAULT_FLAGS_LAST_PAGE))
			continue;
		answer.cookie = request[i].cookie;
		/* EINVAL: the device has left the table, and was told. */
		if (write(queue, &answer, sizeof(answer)) < 0 && errno != EINVAL)
			return -1;
		answer.code = IOMMUFD_PAGE_RESP_SUCCESS;
	}
	return 0;
}
/* end */

/* example: events */
/*
 * Pass on the events of an SMMUv3, with how many got lost before each. *next is
 * the number expected, 0 at first.
 */
static int pass_on_events(int queue, uint32_t *next,
			  void (*inject)(const struct iommu_vevent_arm_smmuv3 *e,
					 uint32_t lost))
{
	struct {
		struct iommufd_vevent_header header;
		struct iommu_vevent_arm_smmuv3 event;
	} e;
	uint32_t lost;
	ssize_t n;

	while ((n = read(queue, &e, sizeof(e))) > 0) {
		lost = (e.header.sequence - *next) & INT_MAX;
		*next = (e.header.sequence + 1) & INT_MAX;
		if (e.header.flags & IOMMU_VEVENTQ_FLAG_LOST_EVENTS)
			inject(NULL, lost + 1);
		else
			inject(&e.event, lost);
	}
	return n < 0 && errno != EAGAIN ? -1 : 0;
}
/* end */

#define PAGE 4096

static void test_first(void)
{
	CHECK(!first_steps(mem_anon(PAGE)));
}

static void test_why(void)
{
	int fd = OK(iofd_open());
	char text[1024] = "";

	CHECK(!last_refusal(fd, text, sizeof(text)));
	ERR(iofd_destroy(fd, 77), -ENOENT);
	CHECK(last_refusal(fd, text, sizeof(text)));
	tap_note("%s", text);
	CHECK(strstr(text, "77"));
}

/* An edu whose file is open, not bound. */
static void need_device(struct vdev *d)
{
	pci_bdf bdf;

	if (!pci_find(PCI_EDU, 0, bdf) || pci_group(bdf) < 0)
		tap_skip("this machine has no edu device behind an IOMMU");
	OK(vdev_find(d, bdf));
	OK(vdev_open(d));
}

static void test_device(void)
{
	struct testdev d;
	uint32_t id, ioas, table, hwpt;
	uint64_t iova;
	char *mem = mem_anon(2 * PAGE);
	int fd = OK(iofd_open());

	need_device(&d.vdev);
	OK(iofd_ioas(fd, &ioas));
	CHECK(!give_device(fd, d.vdev.fd, ioas, &id, &table));
	CHECK(id && table && table != ioas);

	CHECK(!find_room(fd, ioas, 2 * PAGE, &iova));
	OK(iofd_map_at(fd, ioas, mem, 2 * PAGE, iova));
	OK(edu_init(&d.edu, &d.vdev));
	CHECK(dma_copies(&d, iova, iova + PAGE, mem, mem + PAGE));

	CHECK(!own_table(fd, d.vdev.fd, id, ioas, &hwpt));
	CHECK(hwpt != table);
	CHECK(dma_copies(&d, iova, iova + PAGE, mem, mem + PAGE));
	/* the automatic one went when nobody used it any more */
	ERR(iofd_destroy(fd, table), -ENOENT);
}

/* No device of the lab has PASIDs: it is told so, at whichever step. */
static void test_pasid(void)
{
	uint32_t id, ioas, table, hwpt;
	int fd = OK(iofd_open());
	struct vdev d;

	need_device(&d);
	OK(iofd_ioas(fd, &ioas));
	CHECK(!give_device(fd, d.fd, ioas, &id, &table));
	errno = 0;
	CHECK(give_pasid(fd, d.fd, id, ioas, 1, &hwpt) == -1);
	CHECK_EQ(errno, ERANGE);
	/* 0 is in any range */
	CHECK(give_pasid(fd, d.fd, id, ioas, 0, &hwpt) == -1);
	CHECK(errno == EOPNOTSUPP || errno == EINVAL);
}

static void test_share(void)
{
	uint32_t one, other, table;
	struct testdev d;
	int fd = OK(iofd_open()), memfd = OK(mem_file(MIB, 0));
	long long before = mem_pinned_pages();
	char *mem;

	need_device(&d.vdev);
	OK(iofd_ioas(fd, &one));
	OK(iofd_ioas(fd, &other));
	CHECK(!share(fd, one, other, memfd, MIB));
	OK(vdev_bind(&d.vdev, fd));
	table = other;
	OK(vdev_attach(&d.vdev, &table));
	OK(iofd_hwpt(fd, d.vdev.id, one, 0, &table));
	CHECK_EQ(mem_status(0, "VmPin"), MIB);
	CHECK(mem_pinned_pages() > before);

	/* the device reads what the file holds, and cannot write it */
	mem = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	CHECK(mem != MAP_FAILED);
	OK(edu_init(&d.edu, &d.vdev));
	CHECK(!dma_writes(&d, 0x800000, mem));
}

static void test_process(void)
{
	int fd = OK(iofd_open());
	uint64_t mode;

	CHECK(!charge_process(fd));
	OK(iofd_option_get(fd, IOMMU_OPTION_RLIMIT_MODE, 0, &mode));
	CHECK_EQ(mode, 1);
}

static unsigned int asked;

/* Pages below 1 MiB can be made present. */
static bool make_low_present(uint32_t dev, uint64_t addr, uint32_t perm)
{
	asked++;
	return addr < MIB;
}

static void test_guest(void)
{
	struct iommu_hwpt_selftest data = { .iotlb = 1 };
	struct iommu_viommu_invalidate_selftest inv[] = {
		{ .vdev_id = 0x100, .cache_id = 1 }, { .vdev_id = 0x200 },
	};
	uint32_t parent, viommu, vdevice, table;
	struct mockdev m;
	struct space s;

	mock_open(&s);
	OK(mock_device(s.fd, s.ioas, 0, &m));
	CHECK(!make_viommu(s.fd, m.idev, s.ioas, IOMMU_VIOMMU_TYPE_SELFTEST, &parent, &viommu));
	OK(mock_replace(s.fd, &m, parent));
	CHECK(!plug_in(s.fd, viommu, m.idev, 0x100, IOMMU_HWPT_DATA_SELFTEST, &data,
		       sizeof(data), &vdevice, &table));
	OK(mock_replace(s.fd, &m, table));
	CHECK_EQ(hand_on(s.fd, viommu, IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST, inv,
			 sizeof(*inv), 2), 1);
	OK(mock_check_cache(s.fd, m.idev, 1, 0));
	OK(mock_replace(s.fd, &m, parent));
	OK(iofd_destroy(s.fd, table));
	OK(iofd_destroy(s.fd, vdevice));
	OK(iofd_destroy(s.fd, viommu));
}

static void test_requests(void)
{
	struct event_response r;
	struct eventdev dev;
	struct mockdev m;
	struct space s;
	uint32_t id, hwpt;
	int queue;

	mock_open(&s);
	OK(mock_device(s.fd, s.ioas, 0, &m));
	queue = OK(event_fault_queue(s.fd, &id));
	OK(event_hwpt(s.fd, m.idev, s.ioas, id, 0, &hwpt));
	OK(mock_replace(s.fd, &m, hwpt));
	dev = event_device(s.fd, m.idev);
	CHECK(!serve_requests(queue, make_low_present));
	OK(event_send(&dev, "- 1 1 1000 0\n- 1 1 2000 1\n- 2 1 100000 0\n- 2 1 3000 1\n"));
	CHECK(!serve_requests(queue, make_low_present));
	CHECK_EQ(asked, 4);
	CHECK_EQ(event_responses(&dev, &r), 2);
	CHECK(r.grpid == 2 && r.code == IOMMUFD_PAGE_RESP_INVALID);
	OK(event_send(&dev, "- 3 1 100000 1\n- 4 1 1000 1\n"));
	CHECK(!serve_requests(queue, make_low_present));
	CHECK_EQ(event_responses(&dev, &r), 4);
	CHECK(r.grpid == 4 && r.code == IOMMUFD_PAGE_RESP_SUCCESS);
}

static unsigned int injected, missed;

static void count_event(const struct iommu_vevent_arm_smmuv3 *event, uint32_t lost)
{
	injected += event && event->evt[0] == 0x10;
	missed += lost;
}

/* No SMMU here: the other end of a socket tells what one might. */
static void test_events(void)
{
	struct {
		struct iommufd_vevent_header header;
		struct iommu_vevent_arm_smmuv3 event;
	} e = { .event.evt[0] = 0x10 };
	uint32_t next = INT_MAX;
	int s[2];

	CHECK(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s));
	CHECK(!fcntl(s[0], F_SETFL, O_NONBLOCK));
	CHECK(!pass_on_events(s[0], &next, count_event));
	e.header.sequence = INT_MAX;
	CHECK_EQ(write(s[1], &e, sizeof(e)), sizeof(e));
	e.header.sequence = 2;
	CHECK_EQ(write(s[1], &e, sizeof(e)), sizeof(e));
	e.header.flags = IOMMU_VEVENTQ_FLAG_LOST_EVENTS;
	e.header.sequence = 5;
	CHECK_EQ(write(s[1], &e, sizeof(e.header)), sizeof(e.header));
	CHECK(!pass_on_events(s[0], &next, count_event));
	CHECK_EQ(injected, 2);
	CHECK_EQ(missed, 2 + 3);
	CHECK_EQ(next, 6);
}

static const struct tap_test tests[] = {
	{ "first steps", test_first },
	{ "why a command was refused", test_why },
	{ "a device, its addresses, its table", test_device },
	{ "an address space for a PASID", test_pasid },
	{ "memory in two address spaces", test_share },
	{ "charging the process", test_process },
	{ "a guest's IOMMU", test_guest },
	{ "page requests", test_requests },
	{ "events of a vIOMMU", test_events },
};

int main(int argc, char **argv)
{
	return MOCK_RUN(argc, argv, tests);
}

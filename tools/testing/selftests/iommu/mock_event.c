// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mock_event.h"

#define MOCK_DEBUGFS "/sys/kernel/debug/iommufd_mock"

int event_fault_queue(int fd, uint32_t *id)
{
	struct iommu_fault_alloc c = { .size = sizeof(c) };
	int rc = iofd_ioctl(fd, IOMMU_FAULT_QUEUE_ALLOC, &c);

	if (rc)
		return rc;
	if (id)
		*id = c.out_fault_id;
	iofd_forget(c.out_fault_fd);
	return c.out_fault_fd;
}

int event_hwpt(int fd, uint32_t dev, uint32_t pt, uint32_t fault, int nested,
	       uint32_t *hwpt)
{
	struct iommu_hwpt_selftest data = { .iotlb = IOMMU_TEST_IOTLB_DEFAULT };
	struct iommu_hwpt_alloc c = {
		.size = sizeof(c),
		.flags = IOMMU_HWPT_FAULT_ID_VALID,
		.dev_id = dev,
		.pt_id = pt,
		.fault_id = fault,
	};
	int rc;

	if (nested) {
		c.data_type = IOMMU_HWPT_DATA_SELFTEST;
		c.data_len = sizeof(data);
		c.data_uptr = (uintptr_t)&data;
	}
	rc = iofd_ioctl(fd, IOMMU_HWPT_ALLOC, &c);
	*hwpt = c.out_hwpt_id;
	return rc;
}

int event_request(int fd, uint32_t dev, uint32_t pasid, uint32_t grpid,
		  uint32_t perm, uint64_t addr)
{
	struct iommu_test_cmd c = {
		.trigger_iopf = {
			.dev_id = dev,
			.pasid = pasid,
			.grpid = grpid,
			.perm = perm,
			.addr = addr,
		},
	};

	return mock_cmd(fd, IOMMU_TEST_OP_TRIGGER_IOPF, &c);
}

ssize_t event_read(int queue, void *buf, size_t count)
{
	ssize_t n = read(queue, buf, count);

	return n < 0 ? -errno : n;
}

ssize_t event_write(int queue, const void *buf, size_t count)
{
	ssize_t n = write(queue, buf, count);

	return n < 0 ? -errno : n;
}

int event_answer(int queue, uint32_t cookie, uint32_t code)
{
	struct iommu_hwpt_page_response r = { .cookie = cookie, .code = code };
	ssize_t n = event_write(queue, &r, sizeof(r));

	return n == sizeof(r) ? 0 : n;
}

short event_poll(int queue, int ms)
{
	struct pollfd p = { .fd = queue, .events = POLLIN };

	CHECK(poll(&p, 1, ms) >= 0);
	return p.revents;
}

int event_veventq(int fd, uint32_t viommu, uint32_t type, uint32_t depth,
		  uint32_t *id)
{
	struct iommu_veventq_alloc c = {
		.size = sizeof(c),
		.viommu_id = viommu,
		.type = type,
		.veventq_depth = depth,
	};
	int rc = iofd_ioctl(fd, IOMMU_VEVENTQ_ALLOC, &c);

	if (rc)
		return rc;
	if (id)
		*id = c.out_veventq_id;
	iofd_forget(c.out_veventq_fd);
	return c.out_veventq_fd;
}

int event_trigger(int fd, uint32_t dev)
{
	struct iommu_test_cmd c = { .trigger_vevent = { .dev_id = dev } };

	return mock_cmd(fd, IOMMU_TEST_OP_TRIGGER_VEVENT, &c);
}

struct eventdev event_device(int fd, uint32_t dev)
{
	struct eventdev d = { "" };
	char path[64], line[512];
	unsigned int id;
	FILE *f;

	if (access(MOCK_DEBUGFS, F_OK))
		tap_skip("no debugfs of the mock IOMMU");
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "object: id=%u type=device users=%*u dev=%31s", &id,
			   d.name) == 2 && id == dev)
			break;
	CHECK(!feof(f));
	fclose(f);
	return d;
}

static int device_file(const struct eventdev *d, const char *file, int flags)
{
	char path[128];
	int f;

	snprintf(path, sizeof(path), MOCK_DEBUGFS "/%s/%s", d->name, file);
	f = open(path, flags | O_CLOEXEC);
	return f < 0 ? -errno : f;
}

int event_send(const struct eventdev *d, const char *lines)
{
	int f = device_file(d, "page_requests", O_WRONLY);
	ssize_t n;

	if (f < 0)
		return f;
	n = event_write(f, lines, strlen(lines));
	close(f);
	return n < 0 ? n : 0;
}

unsigned int event_responses(const struct eventdev *d, struct event_response *last)
{
	int f = OK(device_file(d, "page_responses", O_RDONLY));
	FILE *file = fdopen(f, "r");
	unsigned int count, grpid, code;
	char pasid[16];

	CHECK(file && fscanf(file, "%u", &count) == 1);
	while (fscanf(file, "%15s %x %u", pasid, &grpid, &code) == 3 && last) {
		last->pasid = pasid[0] == '-' ? -1 : strtol(pasid, NULL, 16);
		last->grpid = grpid;
		last->code = code;
	}
	fclose(file);
	return count;
}

// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mock.h"

#define MODULE "iommufd_mock"

static const char *module_file(void)
{
	return getenv("IOMMUFD_MOCK") ?: "/m/" MODULE ".ko";
}

int mock_load(void)
{
	int fd = open(module_file(), O_RDONLY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return -errno;
	rc = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return rc;
}

void mock_parameter(const char *name, int value)
{
	char path[128], digit = '0' + value;
	int fd;

	snprintf(path, sizeof(path), "/sys/module/" MODULE "/parameters/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	CHECK(write(fd, &digit, 1) == 1);
	close(fd);
}

bool mock_sw_msi(bool on)
{
	if (access("/sys/module/" MODULE "/parameters/sw_msi", F_OK))
		return false;
	mock_parameter("sw_msi", on);
	return true;
}

int mock_unload(void)
{
	return syscall(SYS_delete_module, MODULE, O_NONBLOCK) ? -errno : 0;
}

/* Files of tests that were killed are closed a moment later. */
static int unload_soon(void)
{
	int rc, tries;

	for (tries = 0; tries < 100; tries++) {
		rc = mock_unload();
		if (rc != -EAGAIN)
			break;
		usleep(20000);
	}
	return rc;
}

int mock_run(int argc, char **argv, const struct tap_test *tests, size_t count)
{
	int loaded = mock_load();
	int status = tap_run(argc, argv, tests, count), rc;

	if (loaded)
		return status;
	rc = unload_soon();
	if (rc) {
		printf("# the module cannot be unloaded: %s\n", tap_errno(rc));
		status = 1;
	}
	return status;
}

void mock_open(struct space *s)
{
	if (access("/sys/module/" MODULE, F_OK))
		tap_skip("the module " MODULE " is not there");
	space_open(s);
}

void mock_open_module(struct space *s)
{
	mock_open(s);
	if (access(module_file(), R_OK))
		tap_skip("%s cannot be loaded from here", module_file());
}

int mock_cmd(int fd, uint32_t op, struct iommu_test_cmd *c)
{
	c->size = sizeof(*c);
	c->op = op;
	return iofd_ioctl(fd, IOMMU_TEST_CMD, c);
}

int mock_reserve(int fd, uint32_t ioas, uint64_t start, uint64_t length)
{
	struct iommu_test_cmd c = {
		.id = ioas,
		.add_reserved = { .start = start, .length = length },
	};

	return mock_cmd(fd, IOMMU_TEST_OP_ADD_RESERVED, &c);
}

int mock_device(int fd, uint32_t pt, uint32_t flags, struct mockdev *m)
{
	struct iommu_test_cmd c = {
		.id = pt,
		.mock_domain_flags = { .dev_flags = flags },
	};
	int rc = mock_cmd(fd, flags ? IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS :
			  IOMMU_TEST_OP_MOCK_DOMAIN, &c);

	m->stdev = c.mock_domain.out_stdev_id;
	m->hwpt = c.mock_domain.out_hwpt_id;
	m->idev = c.mock_domain.out_idev_id;
	return rc;
}

int mock_device_on(int fd, uint32_t pt, unsigned int unit, struct mockdev *m)
{
	int rc;

	mock_parameter("unit", unit);
	rc = mock_device(fd, pt, 0, m);
	mock_parameter("unit", 0);
	return rc;
}

int mock_replace(int fd, struct mockdev *m, uint32_t pt)
{
	struct iommu_test_cmd c = {
		.id = m->stdev,
		.mock_domain_replace = { .pt_id = pt },
	};
	int rc = mock_cmd(fd, IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE, &c);

	if (!rc)
		m->hwpt = c.mock_domain_replace.pt_id;
	return rc;
}

int mock_check_map(int fd, uint32_t hwpt, uint64_t iova, const void *va,
		   uint64_t length)
{
	struct iommu_test_cmd c = {
		.id = hwpt,
		.check_map = { .iova = iova, .length = length, .uptr = (uintptr_t)va },
	};

	return mock_cmd(fd, IOMMU_TEST_OP_MD_CHECK_MAP, &c);
}

int mock_check_refs(int fd, const void *va, uint64_t length, uint32_t refs)
{
	struct iommu_test_cmd c = {
		.check_refs = { .length = length, .uptr = (uintptr_t)va, .refs = refs },
	};

	return mock_cmd(fd, IOMMU_TEST_OP_MD_CHECK_REFS, &c);
}

int mock_limit(int fd, uint32_t bytes)
{
	struct iommu_test_cmd c = { .memory_limit = { .limit = bytes } };

	return mock_cmd(fd, IOMMU_TEST_OP_SET_TEMP_MEMORY_LIMIT, &c);
}

int mock_mark(int fd, uint32_t hwpt, uint64_t iova, uint64_t length,
	      uint64_t page_size, const void *bits, uint64_t *count)
{
	struct iommu_test_cmd c = {
		.id = hwpt,
		.dirty = {
			.iova = iova,
			.length = length,
			.page_size = page_size,
			.uptr = (uintptr_t)bits,
		},
	};
	int rc = mock_cmd(fd, IOMMU_TEST_OP_DIRTY, &c);

	if (count)
		*count = c.dirty.out_nr_dirty;
	return rc;
}

int mock_hwpt(int fd, uint32_t dev, uint32_t ioas, uint32_t flags,
	      uint32_t type, uint32_t *hwpt)
{
	struct iommu_hwpt_selftest data = { .pagetable_type = type };
	struct iommu_hwpt_alloc c = {
		.size = sizeof(c),
		.flags = flags,
		.dev_id = dev,
		.pt_id = ioas,
		.data_type = IOMMU_HWPT_DATA_SELFTEST,
		.data_len = sizeof(data),
		.data_uptr = (uintptr_t)&data,
	};
	int rc = iofd_ioctl(fd, IOMMU_HWPT_ALLOC, &c);

	*hwpt = c.out_hwpt_id;
	return rc;
}

int mock_access(int fd, uint32_t ioas, uint32_t flags)
{
	struct iommu_test_cmd c = { .id = ioas, .create_access = { .flags = flags } };
	int rc = mock_cmd(fd, IOMMU_TEST_OP_CREATE_ACCESS, &c);

	return rc ? rc : (int)c.create_access.out_access_fd;
}

int mock_pin(int fd, int access, uint64_t iova, uint64_t length, const void *va,
	     uint32_t flags, uint32_t *item)
{
	struct iommu_test_cmd c = {
		.id = access,
		.access_pages = {
			.flags = flags,
			.iova = iova,
			.length = length,
			.uptr = (uintptr_t)va,
		},
	};
	int rc = mock_cmd(fd, IOMMU_TEST_OP_ACCESS_PAGES, &c);

	*item = c.access_pages.out_access_pages_id;
	return rc;
}

int mock_unpin(int fd, int access, uint32_t item)
{
	struct iommu_test_cmd c = {
		.id = access,
		.destroy_access_pages = { .access_pages_id = item },
	};

	return mock_cmd(fd, IOMMU_TEST_OP_DESTROY_ACCESS_PAGES, &c);
}

int mock_rw(int fd, int access, uint64_t iova, void *va, uint64_t length,
	    uint32_t flags)
{
	struct iommu_test_cmd c = {
		.id = access,
		.access_rw = {
			.iova = iova,
			.length = length,
			.uptr = (uintptr_t)va,
			.flags = flags,
		},
	};

	return mock_cmd(fd, IOMMU_TEST_OP_ACCESS_RW, &c);
}

int mock_access_replace(int fd, int access, uint32_t ioas)
{
	struct iommu_test_cmd c = {
		.id = access,
		.access_replace_ioas = { .ioas_id = ioas },
	};

	return mock_cmd(fd, IOMMU_TEST_OP_ACCESS_REPLACE_IOAS, &c);
}

int mock_dmabuf(int fd, uint32_t length)
{
	struct iommu_test_cmd c = {
		.dmabuf_get = { .length = length, .open_flags = O_CLOEXEC },
	};

	return mock_cmd(fd, IOMMU_TEST_OP_DMABUF_GET, &c);
}

int mock_revoke(int fd, int dmabuf, int revoked)
{
	struct iommu_test_cmd c = {
		.dmabuf_revoke = { .dmabuf_fd = dmabuf, .revoked = revoked },
	};

	return mock_cmd(fd, IOMMU_TEST_OP_DMABUF_REVOKE, &c);
}

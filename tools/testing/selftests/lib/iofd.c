// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "iofd.h"
#include "tap.h"

/* The refusal that iofd_refused() saw last, so that it is not taken twice. */
static __thread int seen_fd = -1;
static __thread unsigned long long seen_seq;

void iofd_forget(int fd)
{
	if (fd == seen_fd)
		seen_fd = -1;
}

int iofd_open(void)
{
	int fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);

	iofd_forget(fd);
	return fd < 0 ? -errno : fd;
}

int iofd_ioctl(int fd, unsigned long cmd, void *arg)
{
	int rc = ioctl(fd, cmd, arg);

	return rc < 0 ? -errno : rc;
}

int iofd_destroy(int fd, uint32_t id)
{
	struct iommu_destroy c = { .size = sizeof(c), .id = id };

	return iofd_ioctl(fd, IOMMU_DESTROY, &c);
}

int iofd_ioas(int fd, uint32_t *ioas)
{
	struct iommu_ioas_alloc c = { .size = sizeof(c) };
	int rc = iofd_ioctl(fd, IOMMU_IOAS_ALLOC, &c);

	*ioas = c.out_ioas_id;
	return rc;
}

int iofd_ranges(int fd, uint32_t ioas, struct iommu_iova_range *ranges,
		uint32_t *count, uint64_t *alignment)
{
	struct iommu_ioas_iova_ranges c = {
		.size = sizeof(c),
		.ioas_id = ioas,
		.num_iovas = *count,
		.allowed_iovas = (uintptr_t)ranges,
	};
	int rc = iofd_ioctl(fd, IOMMU_IOAS_IOVA_RANGES, &c);

	*count = c.num_iovas;
	if (alignment)
		*alignment = c.out_iova_alignment;
	return rc;
}

int iofd_allow(int fd, uint32_t ioas, const struct iommu_iova_range *ranges,
	       uint32_t count)
{
	struct iommu_ioas_allow_iovas c = {
		.size = sizeof(c),
		.ioas_id = ioas,
		.num_iovas = count,
		.allowed_iovas = (uintptr_t)ranges,
	};

	return iofd_ioctl(fd, IOMMU_IOAS_ALLOW_IOVAS, &c);
}

int iofd_map(int fd, uint32_t ioas, const void *va, uint64_t length,
	     uint64_t *iova, uint32_t flags)
{
	struct iommu_ioas_map c = {
		.size = sizeof(c),
		.flags = flags,
		.ioas_id = ioas,
		.user_va = (uintptr_t)va,
		.length = length,
		.iova = *iova,
	};
	int rc = iofd_ioctl(fd, IOMMU_IOAS_MAP, &c);

	*iova = c.iova;
	return rc;
}

int iofd_map_at(int fd, uint32_t ioas, const void *va, uint64_t length,
		uint64_t iova)
{
	return iofd_map(fd, ioas, va, length, &iova, IOFD_FIXED_RW);
}

int iofd_map_file(int fd, uint32_t ioas, int file, uint64_t start,
		  uint64_t length, uint64_t *iova, uint32_t flags)
{
	struct iommu_ioas_map_file c = {
		.size = sizeof(c),
		.flags = flags,
		.ioas_id = ioas,
		.fd = file,
		.start = start,
		.length = length,
		.iova = *iova,
	};
	int rc = iofd_ioctl(fd, IOMMU_IOAS_MAP_FILE, &c);

	*iova = c.iova;
	return rc;
}

int iofd_unmap(int fd, uint32_t ioas, uint64_t iova, uint64_t length,
	       uint64_t *unmapped)
{
	struct iommu_ioas_unmap c = {
		.size = sizeof(c),
		.ioas_id = ioas,
		.iova = iova,
		.length = length,
	};
	int rc = iofd_ioctl(fd, IOMMU_IOAS_UNMAP, &c);

	if (unmapped)
		*unmapped = c.length;
	return rc;
}

static int option(int fd, uint32_t id, uint16_t op, uint32_t object,
		  uint64_t *value)
{
	struct iommu_option c = {
		.size = sizeof(c),
		.option_id = id,
		.op = op,
		.object_id = object,
		.val64 = *value,
	};
	int rc = iofd_ioctl(fd, IOMMU_OPTION, &c);

	*value = c.val64;
	return rc;
}

int iofd_option_set(int fd, uint32_t id, uint32_t object, uint64_t value)
{
	return option(fd, id, IOMMU_OPTION_OP_SET, object, &value);
}

int iofd_option_get(int fd, uint32_t id, uint32_t object, uint64_t *value)
{
	*value = 0;
	return option(fd, id, IOMMU_OPTION_OP_GET, object, value);
}

int iofd_hwpt(int fd, uint32_t dev, uint32_t pt, uint32_t flags, uint32_t *hwpt)
{
	struct iommu_hwpt_alloc c = {
		.size = sizeof(c),
		.flags = flags,
		.dev_id = dev,
		.pt_id = pt,
	};
	int rc = iofd_ioctl(fd, IOMMU_HWPT_ALLOC, &c);

	*hwpt = c.out_hwpt_id;
	return rc;
}

int iofd_hw_info(int fd, uint32_t dev, void *info, uint32_t *length,
		 uint32_t *type, uint64_t *capabilities)
{
	struct iommu_hw_info c = {
		.size = sizeof(c),
		.dev_id = dev,
		.data_len = info ? *length : 0,
		.data_uptr = (uintptr_t)info,
	};
	int rc = iofd_ioctl(fd, IOMMU_GET_HW_INFO, &c);

	*length = c.data_len;
	if (type)
		*type = c.out_data_type;
	if (capabilities)
		*capabilities = c.out_capabilities;
	return rc;
}

static FILE *open_fdinfo(int fd)
{
	char path[64];

	/* not /proc/self: a thread may have file descriptors of its own */
	snprintf(path, sizeof(path), "/proc/thread-self/fdinfo/%d", fd);
	return fopen(path, "re");
}

bool iofd_refusal(int fd, struct iofd_refusal *out)
{
	FILE *f = open_fdinfo(fd);
	struct iofd_refusal r;
	char line[1024];
	bool found = false;

	if (!f)
		return false;
	while (fgets(line, sizeof(line), f)) {
		int at = 0;

		line[strcspn(line, "\n")] = 0;
		if (sscanf(line, "refusal:\ttid=%d cmd=0x%x errno=%d seq=%llu %n",
			   &r.tid, &r.cmd, &r.error, &r.seq, &at) != 4 || !at)
			continue;
		if (r.tid != gettid() || (found && r.seq < out->seq))
			continue;
		snprintf(r.sentence, sizeof(r.sentence), "%s", line + at);
		*out = r;
		found = true;
	}
	fclose(f);
	return found;
}

const char *iommufd_last_reason(int fd)
{
	static __thread struct iofd_refusal r;

	return iofd_refusal(fd, &r) ? r.sentence : "";
}

int iofd_objects(int fd, const char *type)
{
	FILE *f = open_fdinfo(fd);
	char line[1024], name[64];
	int count = 0;

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "object:\tid=%*u type=%63s", name) == 1 &&
		    (!type || !strcmp(type, name)))
			count++;
	fclose(f);
	return count;
}

int iofd_object_ids(int fd, uint32_t *ids, int max)
{
	FILE *f = open_fdinfo(fd);
	char line[1024];
	int count = 0;

	if (!f)
		return -errno;
	while (count < max && fgets(line, sizeof(line), f))
		if (sscanf(line, "object:\tid=%u", &ids[count]) == 1)
			count++;
	fclose(f);
	return count;
}

/*
 * Does a file keep the sentences of its refusals? Ours do. Device files of the
 * kernel's own VFIO, where there is no vfio_cdev, know nothing of them; what
 * iommufd refuses there is a tracepoint only.
 */
static bool keeps_sentences(int fd)
{
	char link[64], path[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/thread-self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return true;
	path[n] = 0;
	return strncmp(path, "/dev/vfio/", 10) || !access("/sys/module/vfio_cdev", F_OK);
}

const char *iofd_refused(int fd, unsigned int cmd, int rc, int want)
{
	static __thread char wrong[700];
	struct iofd_refusal r;

	if (rc != want) {
		snprintf(wrong, sizeof(wrong), "gave %s, want %s (%s)",
			 tap_errno(rc), tap_errno(want),
			 rc ? iommufd_last_reason(fd) : "no refusal");
		return wrong;
	}
	if (!keeps_sentences(fd))
		return NULL;
	if (!iofd_refusal(fd, &r))
		return "refused without a sentence in fdinfo";
	if (fd == seen_fd && r.seq == seen_seq) {
		snprintf(wrong, sizeof(wrong),
			 "refused, but the sentence is of an earlier refusal: %s",
			 r.sentence);
		return wrong;
	}
	seen_fd = fd;
	seen_seq = r.seq;
	if (r.cmd != cmd || r.error != -want) {
		snprintf(wrong, sizeof(wrong),
			 "refused, but fdinfo tells of cmd 0x%x (want 0x%x) errno %s (want %s)",
			 r.cmd, cmd, tap_errno(r.error), tap_errno(-want));
		return wrong;
	}
	/*
	 * A sentence: some words, not a number or the name of an errno, and not
	 * the kernel's confession, in brackets, that there is none.
	 */
	if (r.sentence[0] == '(' || strlen(r.sentence) < 8 || !strchr(r.sentence, ' ')) {
		snprintf(wrong, sizeof(wrong), "this is no sentence: \"%s\"",
			 r.sentence);
		return wrong;
	}
	return NULL;
}

// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "kmsg.h"

int kmsg_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	lseek(fd, 0, SEEK_END);
	return fd;
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

bool kmsg_next(int fd, char *line, size_t size, int ms)
{
	long end = now_ms() + ms;
	char record[2048], *text;
	ssize_t n;

	for (;;) {
		n = read(fd, record, sizeof(record) - 1);
		if (n > 0)
			break;
		/* EPIPE: messages were lost meanwhile, the next read goes on */
		if (n < 0 && errno != EAGAIN && errno != EPIPE && errno != EINTR)
			return false;
		if (errno == EAGAIN || !n) {
			struct pollfd p = { .fd = fd, .events = POLLIN };
			long left = end - now_ms();

			if (left <= 0 || poll(&p, 1, left) == 0)
				return false;
		}
	}
	record[n] = 0;
	text = strchr(record, ';');
	text = text ? text + 1 : record;
	text[strcspn(text, "\n")] = 0;
	snprintf(line, size, "%s", text);
	return true;
}

/*
 * The stock VT-d driver: "DMAR: [DMA Write NO_PASID] Request device [00:04.0]
 * fault addr 0x1000 [fault reason 0x05] PTE Write access is not set".
 */
static bool is_vtd_fault(const char *line, const char *bdf, uint64_t iova, bool write)
{
	const char *addr, *slot = strchr(bdf, ':');
	char device[32];
	unsigned long long at;

	if (!slot)
		return false;
	/* without the domain, which it does not print */
	snprintf(device, sizeof(device), "device [%s]", slot + 1);
	if (!strstr(line, "DMAR") || !strcasestr(line, device) ||
	    !strstr(line, write ? "DMA Write" : "DMA Read"))
		return false;
	addr = strstr(line, "fault addr ");
	return addr && sscanf(addr + 11, "%llx", &at) == 1 &&
	       at >> 12 == iova >> 12;
}

/*
 * Our drivers: "vtd0: write of 0000:00:04.0 at 0x1000 refused, reason ...", and
 * "iommu_smmuv3 c000000.smmuv3: write of 0000:00:04.0 at 0x1000 refused, event ...".
 */
static bool is_own_fault(const char *line, const char *bdf, uint64_t iova, bool write)
{
	unsigned long long at;
	char what[64];

	snprintf(what, sizeof(what), ": %s of %s at ", write ? "write" : "read", bdf);
	if (strncmp(line, "vtd", 3) && strncmp(line, "iommu_smmuv3", 12))
		return false;
	line = strstr(line, what);
	return line && sscanf(line + strlen(what), "%llx refused", &at) == 1 &&
	       at >> 12 == iova >> 12;
}

/*
 * iommu_amdvi: "amdvi0: write of 0000:00:04.0 at 0x1000 refused: ...", or, in QEMU,
 * "amdvi0: a request of 0000:00:04.0 refused: ...".
 */
static bool is_amdvi_fault(const char *line, const char *bdf, uint64_t iova, bool write)
{
	unsigned long long at;
	char what[64];

	if (strncmp(line, "amdvi", 5))
		return false;
	snprintf(what, sizeof(what), ": a request of %s refused: ", bdf);
	if (strstr(line, what))
		return true;
	snprintf(what, sizeof(what), ": %s of %s at ", write ? "write" : "read", bdf);
	line = strstr(line, what);
	return line && sscanf(line + strlen(what), "%llx refused", &at) == 1 &&
	       at >> 12 == iova >> 12;
}

bool kmsg_tells_faults(void)
{
	return access("/sys/module/iommu_tce", F_OK) != 0;
}

bool kmsg_wait_fault(int fd, const char *bdf, uint64_t iova, bool write,
		     char *line, size_t size, int ms)
{
	long end = now_ms() + ms;

	while (kmsg_next(fd, line, size, end - now_ms()))
		if (is_vtd_fault(line, bdf, iova, write) ||
		    is_own_fault(line, bdf, iova, write) ||
		    is_amdvi_fault(line, bdf, iova, write))
			return true;
	return false;
}

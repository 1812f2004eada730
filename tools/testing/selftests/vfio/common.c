// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"
#include "kmsg.h"
#include "mem.h"

void want_device(struct vdev *v, unsigned int vendor, unsigned int device, int nth)
{
	pci_bdf bdf;

	if (!pci_find(vendor, device, nth, bdf))
		tap_skip("no PCI device %04x:%04x number %d", vendor, device, nth);
	if (pci_group(bdf) < 0)
		tap_skip("%s is behind no IOMMU", bdf);
	OK(vdev_find(v, bdf));
}

int find_again(struct vdev *v)
{
	pci_bdf bdf;

	memcpy(bdf, v->bdf, sizeof(bdf));
	return vdev_find(v, bdf);
}

void want_bound(struct vdev *v, unsigned int vendor, unsigned int device, int nth,
		int iommufd)
{
	want_device(v, vendor, device, nth);
	OK(vdev_open(v));
	OK(vdev_bind(v, iommufd));
}

void want_pair(struct vdev *a, struct vdev *b)
{
	pci_bdf first, second;
	int i;

	for (i = 0; pci_find(PCI_EDU, i, first); i++) {
		if (!pci_find(PCI_EDU, i + 1, second) || pci_group(first) < 0 ||
		    pci_group(first) != pci_group(second))
			continue;
		OK(vdev_find(a, first));
		OK(vdev_find(b, second));
		return;
	}
	tap_skip("no two edu in one IOMMU group");
}

void want_vfio_cdev(void)
{
	if (access("/sys/module/vfio_cdev", F_OK))
		tap_skip("of vfio_cdev, which is not here");
}

void *edge(size_t len)
{
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	CHECK(!munmap(p + PAGE, PAGE));
	return p + PAGE - len;
}

void *readonly_page(void)
{
	void *p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

int peek(struct vdev *v, unsigned int region, uint64_t offset, void *data, size_t len)
{
	ssize_t n = pread(v->fd, data, len, ((uint64_t)region << 40) + offset);

	return n < 0 ? -errno : (size_t)n == len ? 0 : -EIO;
}

int poke(struct vdev *v, unsigned int region, uint64_t offset, const void *data,
	 size_t len)
{
	ssize_t n = pwrite(v->fd, data, len, ((uint64_t)region << 40) + offset);

	return n < 0 ? -errno : (size_t)n == len ? 0 : -EIO;
}

bool fdinfo(int fd, const char *key, char *value, size_t size)
{
	char path[64], line[1024];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/thread-self/fdinfo/%d", fd);
	f = fopen(path, "re");
	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (strncmp(line, key, strlen(key)) || line[strlen(key)] != ':')
			continue;
		snprintf(value, size, "%s",
			 line + strlen(key) + 1 + strspn(line + strlen(key) + 1, " \t"));
		found = true;
	}
	fclose(f);
	return found;
}

pid_t writer_start(const char *path, const char *text)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	/* another program: not even a mapping of a device goes with it */
	if (!pid) {
		execl("/bin/sh", "sh", "-c", "echo \"$0\" >\"$1\"", text, path, NULL);
		_exit(127);
	}
	return pid;
}

int writer_done(pid_t pid, int ms)
{
	int status;

	for (;; ms -= 10) {
		pid_t got = waitpid(pid, &status, WNOHANG);

		CHECK(got >= 0);
		if (got)
			break;
		if (ms <= 0)
			return -EBUSY;
		usleep(10000);
	}
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status) ? -EIO : 0;
}

int module_load(const char *name)
{
	char path[64];
	int fd, rc;

	snprintf(path, sizeof(path), "/m/%s.ko", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return rc;
}

int module_unload(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

int module_unload_soon(const char *name)
{
	int rc, tries;

	for (tries = 0; tries < 100; tries++) {
		rc = module_unload(name);
		if (rc != -EAGAIN)
			break;
		usleep(100000);
	}
	return rc;
}

const char *dma_works(struct edu *e, uint64_t iova, void *va, uint32_t seed)
{
	static __thread char wrong[160];
	int rc;

	mem_fill(va, EDU_BUFFER_SIZE, seed);
	rc = edu_read(e, iova, 0, EDU_BUFFER_SIZE);
	if (!rc) {
		memset(va, 0, EDU_BUFFER_SIZE);
		rc = edu_write(e, iova, 0, EDU_BUFFER_SIZE);
	}
	if (rc) {
		snprintf(wrong, sizeof(wrong), "the device gave %s", tap_errno(rc));
		return wrong;
	}
	if (mem_holds(va, EDU_BUFFER_SIZE, seed))
		return NULL;
	snprintf(wrong, sizeof(wrong), "what came back from iova 0x%llx differs",
		 (unsigned long long)iova);
	return wrong;
}

const char *dma_write_refused(struct edu *e, uint64_t iova, void *va)
{
	mem_fill(va, PAGE, 77);
	if (edu_write(e, iova, 0, 64))
		return "the device did not finish";
	return mem_holds(va, PAGE, 77) ? NULL : "the memory was written";
}

/*
 * The kernel reports faults with about three lines each, ten lines in five
 * seconds at the most: leave it time for ours, and more of it if others came
 * before.
 */
static const char *fault(struct edu *e, uint64_t iova, bool write)
{
	bool seen = !kmsg_tells_faults();
	char line[512];
	int log, tries;

	if (seen && (write ? edu_write(e, iova, 0, 64) : edu_read(e, iova, 0, 64)))
		return "the device did not finish";

	for (tries = 0; tries < 2 && !seen; tries++) {
		sleep(tries ? 6 : 3);
		log = kmsg_open();
		if (log < 0)
			return "no /dev/kmsg";
		if (write ? edu_write(e, iova, 0, 64) : edu_read(e, iova, 0, 64))
			return "the device did not finish";
		seen = kmsg_wait_fault(log, e->vdev->bdf, iova, write, line,
				       sizeof(line), 3000);
		close(log);
	}
	return seen ? NULL : "no fault was reported";
}

const char *dma_write_faults(struct edu *e, uint64_t iova, void *va)
{
	const char *wrong;

	mem_fill(va, PAGE, 78);
	wrong = fault(e, iova, true);
	if (!wrong && !mem_holds(va, PAGE, 78))
		wrong = "the memory was written";
	return wrong;
}

const char *dma_read_faults(struct edu *e, uint64_t iova)
{
	return fault(e, iova, false);
}

// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "devices.h"
#include "mem.h"

#define PAGE 4096

void space_open(struct space *s)
{
	s->fd = OK(iofd_open());
	OK(iofd_ioas(s->fd, &s->ioas));
}

int space_map(struct space *s, const void *va, uint64_t length, uint64_t iova)
{
	return iofd_map_at(s->fd, s->ioas, va, length, iova);
}

int space_unmap(struct space *s, uint64_t iova, uint64_t length)
{
	return iofd_unmap(s->fd, s->ioas, iova, length, NULL);
}

void open_edu(struct testdev *d, const char *bdf, int fd)
{
	int rc, tries = 0;

	if (pci_group(bdf) < 0)
		tap_skip("%s has no IOMMU group in this machine", bdf);
	/* the child of the test before may not have come to its end yet */
	while ((rc = vdev_setup(&d->vdev, bdf, fd)) == -EINVAL && tries++ < 500)
		usleep(10000);
	if (rc)
		tap_fail(__FILE__, __LINE__, "%s to fd %d: %s (%s)", bdf, fd,
			 tap_errno(rc), iommufd_last_reason(fd));
	OK(edu_init(&d->edu, &d->vdev));
}

void need_edu(struct testdev *d, int nth, int fd)
{
	pci_bdf bdf;

	if (!pci_find(PCI_EDU, nth, bdf))
		tap_skip("this machine has no edu device number %d", nth);
	open_edu(d, bdf, fd);
}

void need_edu_pair(pci_bdf a, pci_bdf b)
{
	char id[16];
	int nth, peer;

	for (nth = 0; pci_find(PCI_EDU, nth, a); nth++)
		for (peer = 0; pci_group_peer(a, peer, b); peer++)
			if (!pci_attr(b, "device", id, sizeof(id)) && !strcmp(id, "0x11e8"))
				return;
	tap_skip("this machine has no two edu devices in one group");
}

bool has_windows(void)
{
	return !access("/sys/module/iommu_tce", F_OK);
}

void need_aperture(void)
{
	if (has_windows())
		tap_skip("the windows of POWER are tested by iommu-tce");
}

uint32_t attach(struct testdev *d, uint32_t pt)
{
	OK(vdev_attach(&d->vdev, &pt));
	return pt;
}

int dma_copies(struct testdev *d, uint64_t from, uint64_t to, void *from_va, void *to_va)
{
	static uint32_t seed = 1000;

	mem_fill(from_va, PAGE, ++seed);
	memset(to_va, 0, PAGE);
	OK(edu_read(&d->edu, from, 0, PAGE));
	OK(edu_write(&d->edu, to, 0, PAGE));
	return mem_holds(to_va, PAGE, seed);
}

int dma_writes(struct testdev *d, uint64_t iova, void *va)
{
	static uint32_t seed = 5000;
	char before[PAGE];

	mem_fill(va, PAGE, ++seed);
	memcpy(before, va, PAGE);
	OK(edu_write(&d->edu, iova, 0, PAGE));
	return memcmp(before, va, PAGE) != 0;
}

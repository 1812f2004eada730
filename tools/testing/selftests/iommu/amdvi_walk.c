// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "amdvi_walk.h"
#include "pci.h"
#include "tap.h"

static int open_walker(void)
{
	int m = open("/m/amdvi_walk.ko", O_RDONLY | O_CLOEXEC), fd, tries;

	if (m < 0)
		tap_skip("no amdvi_walk.ko here");
	if (syscall(SYS_finit_module, m, "", 0) && errno != EEXIST)
		tap_skip("amdvi_walk.ko: %s", tap_errno(errno));
	close(m);
	/* the node is made by the kernel a moment later */
	for (tries = 0; tries < 100; tries++) {
		fd = open("/dev/amdvi_walk", O_RDWR | O_CLOEXEC);
		if (fd >= 0)
			return fd;
		usleep(10000);
	}
	tap_fail(__FILE__, __LINE__, "/dev/amdvi_walk: %s", tap_errno(errno));
}

void amdvi_requester(struct amdvi_requester *r, const char *bdf)
{
	unsigned int bus, device, function;
	unsigned long long address, efr;
	char text[64];

	if (pci_attr(bdf, "iommu/amd-iommu/address", text, sizeof(text)) ||
	    sscanf(text, "%llx", &address) != 1)
		tap_skip("%s is not behind a unit that iommu_amdvi drives", bdf);
	r->unit = address;
	OK(pci_attr(bdf, "iommu/amd-iommu/features", text, sizeof(text)));
	CHECK(sscanf(text, "%*x:%llx", &efr) == 1);
	r->efr = efr;
	CHECK(sscanf(bdf, "%*x:%x:%x.%x", &bus, &device, &function) == 3);
	r->id = bus << 8 | device << 3 | function;
	r->fd = open_walker();
}

static void call(const struct amdvi_requester *r, unsigned long cmd, void *arg)
{
	if (ioctl(r->fd, cmd, arg))
		tap_fail(__FILE__, __LINE__, "the walker says %s", tap_errno(errno));
}

unsigned int amdvi_translate(const struct amdvi_requester *r, uint32_t pasid,
			     uint64_t address, uint32_t flags, struct amdvi_walk *w)
{
	struct amdvi_walk own;

	w = w ? w : &own;
	memset(w, 0, sizeof(*w));
	w->unit = r->unit;
	w->id = r->id;
	w->pasid = pasid;
	w->flags = flags;
	w->address = address;
	call(r, AMDVI_WALK_TRANSLATE, w);
	return w->event;
}

static unsigned int dma(const struct amdvi_requester *r, uint32_t pasid,
			uint64_t address, void *data, size_t length, uint32_t flags)
{
	struct amdvi_walk_dma d = {
		.walk = {
			.unit = r->unit,
			.id = r->id,
			.pasid = pasid,
			.flags = flags,
			.address = address,
		},
		.data = (uintptr_t)data,
		.length = length,
	};

	call(r, AMDVI_WALK_DMA, &d);
	return d.walk.event;
}

unsigned int amdvi_dma_read(const struct amdvi_requester *r, uint32_t pasid,
			    uint64_t address, void *data, size_t length)
{
	return dma(r, pasid, address, data, length, AMDVI_WALK_READ);
}

unsigned int amdvi_dma_write(const struct amdvi_requester *r, uint32_t pasid,
			     uint64_t address, const void *data, size_t length)
{
	return dma(r, pasid, address, (void *)data, length, AMDVI_WALK_WRITE);
}

void amdvi_message(const struct amdvi_requester *r, uint32_t data,
		   struct amdvi_walk_interrupt *out)
{
	memset(out, 0, sizeof(*out));
	out->unit = r->unit;
	out->id = r->id;
	out->data = data;
	call(r, AMDVI_WALK_MESSAGE, out);
}

static uint64_t word(const struct amdvi_requester *r, uint64_t phys, uint64_t value,
		     bool write)
{
	struct amdvi_walk_word w = { .phys = phys, .value = value, .write = write };

	call(r, AMDVI_WALK_WORD, &w);
	return w.value;
}

uint64_t amdvi_peek(const struct amdvi_requester *r, uint64_t phys)
{
	return word(r, phys, 0, false);
}

uint64_t amdvi_poke(const struct amdvi_requester *r, uint64_t phys, uint64_t value)
{
	return word(r, phys, value, true);
}

void amdvi_swap(const struct amdvi_requester *r, uint64_t a, uint64_t b)
{
	struct amdvi_walk_step leaf[2];
	struct amdvi_walk w;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		if (amdvi_translate(r, AMDVI_WALK_NO_PASID, i ? b : a,
				    AMDVI_WALK_READ | AMDVI_WALK_KEEP, &w))
			tap_fail(__FILE__, __LINE__, "0x%lx is not mapped", i ? b : a);
		CHECK_EQ(w.page_lg2, 12);
		leaf[i] = w.steps[w.nr_steps - 1];
	}
	amdvi_poke(r, leaf[0].phys, leaf[1].value);
	amdvi_poke(r, leaf[1].phys, leaf[0].value);
}

void amdvi_pretend_pasids(uint64_t efr, uint64_t efr2, uint32_t pasids)
{
	char text[80];
	int fd;

	syscall(SYS_delete_module, "amdvi_pretend", 0);
	close(open_walker());
	fd = OK(open("/sys/module/amdvi_walk/parameters/more_efr", O_WRONLY | O_CLOEXEC));
	dprintf(fd, "%lu", efr);
	close(fd);
	if (!efr && !efr2 && !pasids)
		return;
	fd = open("/m/amdvi_pretend.ko", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		tap_skip("no amdvi_pretend.ko here");
	snprintf(text, sizeof(text), "efr=%lu efr2=%lu pasids=%u", efr, efr2, pasids);
	if (syscall(SYS_finit_module, fd, text, 0))
		tap_skip("amdvi_pretend.ko: %s", tap_errno(errno));
	close(fd);
}

void amdvi_pretend(uint64_t efr, uint64_t efr2)
{
	amdvi_pretend_pasids(efr, efr2, 0);
}

void amdvi_mute(bool on)
{
	const char *path = "/sys/module/amdvi_pretend/parameters/mute";
	int fd = OK(open(path, O_WRONLY | O_CLOEXEC));

	CHECK_EQ(write(fd, on ? "1" : "0", 1), 1);
	close(fd);
}

void amdvi_event(uint64_t lo, uint64_t hi)
{
	int fd = OK(open("/sys/module/amdvi_pretend/parameters/event", O_WRONLY | O_CLOEXEC));

	CHECK(dprintf(fd, "%lx %lx", lo, hi) > 0);
	close(fd);
}

void amdvi_told(const struct amdvi_requester *r, struct amdvi_walk_told *t)
{
	memset(t, 0, sizeof(*t));
	t->unit = r->unit;
	call(r, AMDVI_WALK_TOLD, t);
}

void amdvi_walk_note(const struct amdvi_walk *w)
{
	static const char *const kinds[] = { "?", "entry", "gcr3", "guest", "host" };
	unsigned int i;

	tap_note("0x%llx flags 0x%x: event %u, present %u, to 0x%llx, attributes 0x%x",
		 w->address, w->flags, w->event, w->present, w->phys, w->attributes);
	for (i = 0; i < w->nr_steps; i++)
		tap_note("  %s %u at 0x%llx: 0x%llx", kinds[w->steps[i].kind],
			 w->steps[i].level, w->steps[i].phys, w->steps[i].value);
}

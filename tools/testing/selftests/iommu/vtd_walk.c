// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tap.h"
#include "vtd_walk.h"

static int load(void)
{
	int fd, tries;

	fd = open("/m/vtd_walk.ko", O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		if (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST)
			tap_note("vtd_walk.ko: %s", tap_errno(errno));
		close(fd);
	}
	/* the node is made by the kernel a moment later */
	for (tries = 0; tries < 100; tries++) {
		fd = open("/dev/vtd_walk", O_RDWR | O_CLOEXEC);
		if (fd >= 0)
			return fd;
		usleep(10000);
	}
	tap_skip("no vtd_walk.ko here");
}

static uint64_t unit_attr(const char *bdf, const char *name)
{
	unsigned long long value = 0;
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path),
		 "/sys/bus/pci/devices/%s/iommu/intel-iommu/%s", bdf, name);
	f = fopen(path, "re");
	if (!f)
		tap_skip("%s is not behind a VT-d unit", bdf);
	if (fscanf(f, "%llx", &value) != 1)
		tap_fail(__FILE__, __LINE__, "%s holds no number", path);
	fclose(f);
	return value;
}

/* What the kernel's own driver writes is not our subject. */
static void need_own_driver(const char *bdf)
{
	char path[128], unit[256];
	ssize_t len;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu", bdf);
	len = readlink(path, unit, sizeof(unit) - 1);
	if (len < 0)
		tap_skip("%s is behind no IOMMU", bdf);
	unit[len] = 0;
	if (strncmp(strrchr(unit, '/') + 1, "vtd", 3))
		tap_skip("%s is not driven by iommu_vtd", strrchr(unit, '/') + 1);
}

void vtd_any_requester(struct vtd_requester *r, const char *bdf)
{
	unsigned int segment, bus, device, function;

	if (sscanf(bdf, "%x:%x:%x.%x", &segment, &bus, &device, &function) != 4)
		tap_fail(__FILE__, __LINE__, "%s is no PCI address", bdf);
	r->unit = unit_attr(bdf, "address");
	r->cap = unit_attr(bdf, "cap");
	r->ecap = unit_attr(bdf, "ecap");
	r->sid = bus << 8 | device << 3 | function;
	r->segment = segment;
	r->fd = load();
}

void vtd_requester(struct vtd_requester *r, const char *bdf)
{
	need_own_driver(bdf);
	vtd_any_requester(r, bdf);
}

static void call(const struct vtd_requester *r, unsigned long cmd, void *arg)
{
	if (ioctl(r->fd, cmd, arg))
		tap_fail(__FILE__, __LINE__, "the walker says %s", tap_errno(errno));
}

unsigned int vtd_translate(const struct vtd_requester *r, uint32_t pasid,
			   uint64_t address, uint32_t flags, struct vtd_walk *w)
{
	struct vtd_walk own;

	w = w ? w : &own;
	memset(w, 0, sizeof(*w));
	w->unit = r->unit;
	w->sid = r->sid;
	w->pasid = pasid;
	w->flags = flags;
	w->address = address;
	call(r, VTD_WALK_TRANSLATE, w);
	return w->fault;
}

static unsigned int dma(const struct vtd_requester *r, uint32_t pasid,
			uint64_t address, void *data, size_t length, uint32_t flags)
{
	struct vtd_walk_dma d = {
		.walk = {
			.unit = r->unit,
			.sid = r->sid,
			.pasid = pasid,
			.flags = flags,
			.address = address,
		},
		.data = (uintptr_t)data,
		.length = length,
	};

	call(r, VTD_WALK_DMA, &d);
	return d.walk.fault;
}

unsigned int vtd_dma_read(const struct vtd_requester *r, uint32_t pasid,
			  uint64_t address, void *data, size_t length)
{
	return dma(r, pasid, address, data, length, VTD_WALK_READ);
}

unsigned int vtd_dma_write(const struct vtd_requester *r, uint32_t pasid,
			   uint64_t address, const void *data, size_t length)
{
	return dma(r, pasid, address, (void *)data, length, VTD_WALK_WRITE);
}

bool vtd_is_scalable(const struct vtd_requester *r)
{
	struct vtd_walk w;

	/* legacy mode knows no PASIDs: 7.1.3, RTA.2 */
	return vtd_translate(r, 1, 0, VTD_WALK_READ | VTD_WALK_KEEP, &w) != 0x31;
}

bool vtd_is_first_stage(const struct vtd_requester *r)
{
	/* 11.4.3, SSTS; legacy mode has nothing but a second stage */
	return vtd_is_scalable(r) && !(r->ecap >> 46 & 1);
}

unsigned int vtd_fault_unattached(const struct vtd_requester *r)
{
	return vtd_is_scalable(r) ? VTD_FAULT_NO_PASID : VTD_FAULT_LEGACY_CONTEXT;
}

unsigned int vtd_fault_unmapped(const struct vtd_requester *r, uint32_t flags)
{
	if (vtd_is_first_stage(r))
		return VTD_FAULT_FS_NOT_PRESENT;
	if (vtd_is_scalable(r))
		return VTD_FAULT_SS_NOT_PRESENT;
	return flags & VTD_WALK_WRITE ? VTD_FAULT_LEGACY_WRITE : VTD_FAULT_LEGACY_READ;
}

unsigned int vtd_fault_readonly(const struct vtd_requester *r)
{
	return vtd_is_scalable(r) ? VTD_FAULT_WRITE : VTD_FAULT_LEGACY_WRITE;
}

/* Without a walker there is none that believes anything. */
static void tell_walker(const char *name, uint64_t value)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/module/vtd_walk/parameters/%s", name);
	f = fopen(path, "we");
	if (!f && !value)
		return;
	if (!f || fprintf(f, "%llu", (unsigned long long)value) < 0 || fclose(f))
		tap_fail(__FILE__, __LINE__, "%s: %s", name, tap_errno(errno));
}

/* Parameters are those of vtd_pretend.ko; NULL: no more of it. */
static void load_pretend(const char *parameters)
{
	int fd;

	syscall(SYS_delete_module, "vtd_pretend", 0);
	if (!parameters)
		return;
	fd = open("/m/vtd_pretend.ko", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		tap_skip("no vtd_pretend.ko here");
	if (syscall(SYS_finit_module, fd, parameters, 0))
		tap_skip("vtd_pretend.ko: %s", tap_errno(errno));
	close(fd);
}

static void pretend(uint64_t ecap, bool wide)
{
	char text[64];

	snprintf(text, sizeof(text), "ecap=0x%llx wide=%d", (unsigned long long)ecap, wide);
	load_pretend(ecap || wide ? text : NULL);
	tell_walker("more_ecap", ecap);
	tell_walker("wide", wide);
}

void vtd_mute(bool on)
{
	load_pretend(on ? "mute=1" : NULL);
}

void vtd_pretend(uint64_t ecap)
{
	pretend(ecap, false);
}

void vtd_pretend_wide(uint64_t ecap)
{
	pretend(ecap, true);
}

static uint64_t word(const struct vtd_requester *r, uint64_t phys, uint64_t value,
		     bool write)
{
	struct vtd_walk_word w = { .phys = phys, .value = value, .write = write };

	call(r, VTD_WALK_WORD, &w);
	return w.value;
}

uint64_t vtd_peek(const struct vtd_requester *r, uint64_t phys)
{
	return word(r, phys, 0, false);
}

uint64_t vtd_poke(const struct vtd_requester *r, uint64_t phys, uint64_t value)
{
	return word(r, phys, value, true);
}

void vtd_swap(const struct vtd_requester *r, uint64_t a, uint64_t b)
{
	const uint64_t iova[2] = { a, b };
	struct vtd_walk_step leaf[2];
	struct vtd_walk w;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		if (vtd_translate(r, VTD_WALK_NO_PASID, iova[i],
				  VTD_WALK_READ | VTD_WALK_KEEP, &w))
			tap_fail(__FILE__, __LINE__, "0x%lx is not mapped", iova[i]);
		CHECK_EQ(w.page_lg2, 12);
		leaf[i] = w.steps[w.nr_steps - 1];
	}
	vtd_poke(r, leaf[0].phys, leaf[1].value);
	vtd_poke(r, leaf[1].phys, leaf[0].value);
}

void vtd_told(const struct vtd_requester *r, struct vtd_walk_queue *q)
{
	q->unit = r->unit;
	call(r, VTD_WALK_QUEUE, q);
}

int vtd_fake_pasids(const struct vtd_requester *r, uint32_t max)
{
	struct vtd_walk_pasids p = {
		.domain = r->segment,
		.sid = r->sid,
		.max = max,
	};

	return ioctl(r->fd, VTD_WALK_PASIDS, &p) ? -errno : 0;
}

void vtd_walk_note(const struct vtd_walk *w)
{
	static const char *const names[] = {
		"nothing", "root", "context", "directory", "pasid", "first", "second",
	};
	uint32_t i;

	tap_note("sid %04x pasid %d address %llx flags %x: fault %#x in %s level %u",
		 w->sid, (int)w->pasid, (unsigned long long)w->address, w->flags,
		 w->fault, names[w->kind], w->level);
	tap_note("  phys %llx attributes %x did %u pgtt %u",
		 (unsigned long long)w->phys, w->attributes, w->did, w->pgtt);
	for (i = 0; i < w->nr_steps; i++)
		tap_note("  %s %u at %llx: %llx", names[w->steps[i].kind],
			 w->steps[i].level, (unsigned long long)w->steps[i].phys,
			 (unsigned long long)w->steps[i].value);
}

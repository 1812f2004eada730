// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mem.h"
#include "ops.h"
#include "ops_ext.h"

#define PAGE	4096UL
/* What is mapped in env->ioas all the time, and in env->bare. */
#define BASE	0x400000UL
#define BASE_PAGES 24
/* Where operations map and unmap; 1 GiB apart, so tables of their own. */
#define FAR	0x40000000UL

static int with_errno(int rc)
{
	return rc < 0 ? -errno : 0;
}

/* --- files --- */

static int open_file(struct ops_env *e)
{
	e->other = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	return with_errno(e->other);
}

static void close_other(struct ops_env *e)
{
	OK(with_errno(close(e->other)));
	e->other = -1;
}

/* A file with a bit of everything that needs no device. */
static void fill_other(struct ops_env *e)
{
	uint32_t ioas;

	e->other = OK(iofd_open());
	OK(iofd_ioas(e->other, &ioas));
	OK(iofd_map_at(e->other, ioas, e->mem, 8 * PAGE, BASE));
	OK(iofd_ioas(e->other, &ioas));
}

static int close_file(struct ops_env *e)
{
	int rc = with_errno(close(e->other));

	e->other = -1;
	return rc;
}

static int read_fdinfo(struct ops_env *e)
{
	static char text[8192];
	char path[64];
	ssize_t n;
	int f;

	snprintf(path, sizeof(path), "/proc/thread-self/fdinfo/%d", e->fd);
	f = open(path, O_RDONLY | O_CLOEXEC);
	if (f < 0)
		return -errno;
	n = read(f, text, sizeof(text));
	if (n < 0)
		n = -errno;
	close(f);
	return n < 0 ? n : 0;
}

/* --- address spaces --- */

static int ioas_alloc(struct ops_env *e)
{
	return iofd_ioas(e->fd, &e->id);
}

static void destroy_id(struct ops_env *e)
{
	OK(iofd_destroy(e->fd, e->id));
}

static void make_ioas(struct ops_env *e)
{
	OK(iofd_ioas(e->fd, &e->id));
	OK(iofd_map_at(e->fd, e->id, e->mem, 8 * PAGE, BASE));
}

static int destroy(struct ops_env *e)
{
	return iofd_destroy(e->fd, e->id);
}

static int allow(struct ops_env *e)
{
	struct iommu_iova_range r[] = {
		{ 0, 0xffffff }, { 0x2000000, 0x2ffffff }, { FAR, FAR + 0xffffff },
	};

	return iofd_allow(e->fd, e->ioas, r, 3);
}

static void allow_any(struct ops_env *e)
{
	OK(iofd_allow(e->fd, e->ioas, NULL, 0));
}

static int ranges(struct ops_env *e)
{
	struct iommu_iova_range r[32];
	uint32_t n = 32;

	return iofd_ranges(e->fd, e->ioas, r, &n, NULL);
}

static int map_bare(struct ops_env *e)
{
	return iofd_map_at(e->fd, e->bare, e->mem, 64 * PAGE, FAR);
}

static void unmap_bare(struct ops_env *e)
{
	OK(iofd_unmap(e->fd, e->bare, FAR, 64 * PAGE, NULL));
}

static int map_page(struct ops_env *e)
{
	return iofd_map_at(e->fd, e->ioas, e->mem, PAGE, FAR);
}

static void unmap_page(struct ops_env *e)
{
	OK(iofd_unmap(e->fd, e->ioas, FAR, PAGE, NULL));
}

/* more pages than one batch of pins, across tables */
static int map_many(struct ops_env *e)
{
	return iofd_map_at(e->fd, e->ioas, e->mem, 600 * PAGE, FAR + 0x1fe000);
}

static void unmap_many(struct ops_env *e)
{
	OK(iofd_unmap(e->fd, e->ioas, FAR + 0x1fe000, 600 * PAGE, NULL));
}

static int map_anywhere(struct ops_env *e)
{
	return iofd_map(e->fd, e->ioas, e->mem, 3 * PAGE, &e->iova, IOFD_RW);
}

static void unmap_anywhere(struct ops_env *e)
{
	OK(iofd_unmap(e->fd, e->ioas, e->iova, 3 * PAGE, NULL));
}

static int map_file(struct ops_env *e)
{
	e->iova = FAR;
	return iofd_map_file(e->fd, e->ioas, e->file, 3 * PAGE, 300 * PAGE, &e->iova,
			     IOFD_FIXED_RW);
}

static void unmap_file(struct ops_env *e)
{
	OK(iofd_unmap(e->fd, e->ioas, FAR, 300 * PAGE, NULL));
}

static void map_three(struct ops_env *e)
{
	int i;

	for (i = 0; i < 3; i++)
		OK(iofd_map_at(e->fd, e->ioas, e->mem + i * 40 * PAGE, 40 * PAGE,
			       FAR + i * 40 * PAGE));
}

static int unmap_three(struct ops_env *e)
{
	return iofd_unmap(e->fd, e->ioas, FAR, 120 * PAGE, NULL);
}

static int unmap_all(struct ops_env *e)
{
	return iofd_unmap(e->fd, e->ioas, 0, UINT64_MAX, NULL);
}

static void map_base(struct ops_env *e)
{
	int i;

	for (i = 0; i < 3; i++)
		OK(iofd_map_at(e->fd, e->ioas, e->mem + i * 8 * PAGE, 8 * PAGE,
			       BASE + i * 8 * PAGE));
}

static int copy(struct ops_env *e, uint32_t to, uint32_t from, uint64_t src)
{
	struct iommu_ioas_copy c = {
		.size = sizeof(c),
		.flags = IOFD_FIXED_RW,
		.dst_ioas_id = to,
		.src_ioas_id = from,
		.length = 20 * PAGE,
		.dst_iova = FAR,
		.src_iova = src,
	};

	return iofd_ioctl(e->fd, IOMMU_IOAS_COPY, &c);
}

/* out of the middle of areas that have tables, into tables */
static int copy_within(struct ops_env *e)
{
	return copy(e, e->ioas, e->ioas, BASE + 2 * PAGE);
}

static int copy_from_bare(struct ops_env *e)
{
	return copy(e, e->ioas, e->bare, BASE + 2 * PAGE);
}

static void unmap_copy(struct ops_env *e)
{
	OK(iofd_unmap(e->fd, e->ioas, FAR, 20 * PAGE, NULL));
}

static int copy_to_bare(struct ops_env *e)
{
	return copy(e, e->bare, e->ioas, BASE + 2 * PAGE);
}

static void unmap_bare_copy(struct ops_env *e)
{
	OK(iofd_unmap(e->fd, e->bare, FAR, 20 * PAGE, NULL));
}

static int change_process(struct ops_env *e)
{
	struct iommu_ioas_change_process c = { .size = sizeof(c) };

	return iofd_ioctl(e->other, IOMMU_IOAS_CHANGE_PROCESS, &c);
}

static void other_with_files(struct ops_env *e)
{
	uint64_t iova = FAR;
	uint32_t ioas;
	int i;

	e->other = OK(iofd_open());
	e->refuser = &e->other;
	for (i = 0; i < 2; i++) {
		OK(iofd_ioas(e->other, &ioas));
		OK(iofd_map_file(e->other, ioas, e->file, 0, 16 * PAGE, &iova, IOFD_FIXED_RW));
	}
}

static int huge_pages_off(struct ops_env *e)
{
	return iofd_option_set(e->fd, IOMMU_OPTION_HUGE_PAGES, e->ioas, 0);
}

static void huge_pages_on(struct ops_env *e)
{
	OK(iofd_option_set(e->fd, IOMMU_OPTION_HUGE_PAGES, e->ioas, 1));
}

static int option_get(struct ops_env *e)
{
	uint64_t v;

	return iofd_option_get(e->fd, IOMMU_OPTION_HUGE_PAGES, e->ioas, &v);
}

static int vfio_ioas(struct ops_env *e, uint16_t op)
{
	struct iommu_vfio_ioas c = { .size = sizeof(c), .op = op, .ioas_id = e->ioas };

	return iofd_ioctl(e->fd, IOMMU_VFIO_IOAS, &c);
}

static int vfio_ioas_set(struct ops_env *e)
{
	return vfio_ioas(e, IOMMU_VFIO_IOAS_SET);
}

static void vfio_ioas_clear(struct ops_env *e)
{
	OK(vfio_ioas(e, IOMMU_VFIO_IOAS_CLEAR));
}

/* --- page tables and devices --- */

static int hwpt_alloc(struct ops_env *e)
{
	return iofd_hwpt(e->fd, e->dev[0].vdev.id, e->ioas, 0, &e->id);
}

static int hwpt_alloc_bare(struct ops_env *e)
{
	return iofd_hwpt(e->fd, e->dev[0].vdev.id, e->bare, 0, &e->id);
}

static void make_hwpt(struct ops_env *e)
{
	OK(hwpt_alloc(e));
}

static int hw_info(struct ops_env *e)
{
	char info[64];
	uint32_t len = sizeof(info);

	return iofd_hw_info(e->fd, e->dev[0].vdev.id, info, &len, NULL, NULL);
}

static int attach_dev(struct ops_env *e, int which, uint32_t pt)
{
	return vdev_attach(&e->dev[which].vdev, &pt);
}

static void device_refuses(struct ops_env *e)
{
	e->refuser = &e->dev[0].vdev.fd;
}

static void other_device_refuses(struct ops_env *e)
{
	e->refuser = &e->dev[1].vdev.fd;
}

static int replace_by_hwpt(struct ops_env *e)
{
	return attach_dev(e, 0, e->hwpt);
}

static int replace_by_bare(struct ops_env *e)
{
	return attach_dev(e, 0, e->bare);
}

static void attach_back(struct ops_env *e)
{
	OK(attach_dev(e, 0, e->ioas));
}

static int attach_second(struct ops_env *e)
{
	return attach_dev(e, 1, e->ioas);
}

/* the first device there: all is pinned now */
static int attach_bare(struct ops_env *e)
{
	return attach_dev(e, 1, e->bare);
}

static int attach_hwpt(struct ops_env *e)
{
	return attach_dev(e, 1, e->hwpt);
}

static void detach_second(struct ops_env *e)
{
	OK(vdev_detach(&e->dev[1].vdev));
}

static int detach(struct ops_env *e)
{
	return vdev_detach(&e->dev[0].vdev);
}

/* a device file that nobody has bound yet */
static void open_second(struct ops_env *e)
{
	other_device_refuses(e);
	edu_fini(&e->dev[1].edu);
	vdev_close(&e->dev[1].vdev);
	OK(vdev_open(&e->dev[1].vdev));
	iofd_forget(e->dev[1].vdev.fd);
}

static int bind_second(struct ops_env *e)
{
	return vdev_bind(&e->dev[1].vdev, e->fd);
}

static void rebind_second(struct ops_env *e)
{
	OK(edu_init(&e->dev[1].edu, &e->dev[1].vdev));
}

static void attach_then_unmap_registers(struct ops_env *e)
{
	OK(attach_second(e));
	/* a mapping of its registers would keep the file open */
	edu_fini(&e->dev[1].edu);
}

static int close_second(struct ops_env *e)
{
	int rc = with_errno(close(e->dev[1].vdev.fd));

	e->dev[1].vdev.fd = -1;
	e->dev[1].vdev.id = 0;
	return rc;
}

static void open_and_bind_second(struct ops_env *e)
{
	OK(vdev_open(&e->dev[1].vdev));
	OK(vdev_bind(&e->dev[1].vdev, e->fd));
	rebind_second(e);
}

const struct ops_op ops_table[] = {
	{ "open of /dev/iommu", 0, 0, NULL, open_file, close_other },
	{ "close of /dev/iommu", 0, 0, fill_other, close_file, NULL },
	{ "reading of fdinfo", 1, 0, NULL, read_fdinfo, NULL, ENOENT },
	{ "IOAS_ALLOC", 0, IOMMU_IOAS_ALLOC, NULL, ioas_alloc, destroy_id },
	{ "DESTROY of an IOAS", 0, IOMMU_DESTROY, make_ioas, destroy, NULL },
	{ "ALLOW_IOVAS", 1, IOMMU_IOAS_ALLOW_IOVAS, NULL, allow, allow_any },
	{ "IOVA_RANGES", 1, IOMMU_IOAS_IOVA_RANGES, NULL, ranges, NULL },
	{ "MAP without a page table", 0, IOMMU_IOAS_MAP, NULL, map_bare, unmap_bare },
	{ "MAP of a page", 1, IOMMU_IOAS_MAP, NULL, map_page, unmap_page },
	{ "MAP of many pages", 1, IOMMU_IOAS_MAP, NULL, map_many, unmap_many },
	{ "MAP where the kernel wants", 1, IOMMU_IOAS_MAP, NULL, map_anywhere, unmap_anywhere },
	{ "MAP_FILE", 1, IOMMU_IOAS_MAP_FILE, NULL, map_file, unmap_file },
	{ "UNMAP of three mappings", 1, IOMMU_IOAS_UNMAP, map_three, unmap_three, NULL },
	{ "UNMAP of everything", 1, IOMMU_IOAS_UNMAP, NULL, unmap_all, map_base },
	{ "COPY within an IOAS", 1, IOMMU_IOAS_COPY, NULL, copy_within, unmap_copy },
	{ "COPY into page tables", 1, IOMMU_IOAS_COPY, NULL, copy_from_bare, unmap_copy },
	{ "COPY where no page table is", 1, IOMMU_IOAS_COPY, NULL, copy_to_bare, unmap_bare_copy },
	{ "CHANGE_PROCESS", 0, IOMMU_IOAS_CHANGE_PROCESS, other_with_files, change_process, close_other },
	{ "OPTION set", 1, IOMMU_OPTION, NULL, huge_pages_off, huge_pages_on },
	{ "OPTION get", 0, IOMMU_OPTION, NULL, option_get, NULL },
	{ "VFIO_IOAS set", 0, IOMMU_VFIO_IOAS, NULL, vfio_ioas_set, vfio_ioas_clear },
	{ "HWPT_ALLOC", 1, IOMMU_HWPT_ALLOC, NULL, hwpt_alloc, destroy_id },
	{ "HWPT_ALLOC that pins", 1, IOMMU_HWPT_ALLOC, NULL, hwpt_alloc_bare, destroy_id },
	{ "DESTROY of a page table", 1, IOMMU_DESTROY, make_hwpt, destroy, NULL },
	{ "GET_HW_INFO", 1, IOMMU_GET_HW_INFO, NULL, hw_info, NULL },
	{ "GET_HW_INFO about the instance", 1, IOMMU_GET_HW_INFO, NULL, ops_ext_instance, NULL },
	{ "GET_HW_INFO about windows", 1, IOMMU_GET_HW_INFO, NULL, ops_ext_windows_info, NULL },
	{ "HWPT_ALLOC with windows", 1, IOMMU_HWPT_ALLOC, NULL, ops_ext_hwpt, destroy_id },
	{ "BIND", 2, VFIO_DEVICE_BIND_IOMMUFD, open_second, bind_second, rebind_second },
	{ "ATTACH to an IOAS", 2, VFIO_DEVICE_ATTACH_IOMMUFD_PT, other_device_refuses,
	  attach_second, detach_second },
	{ "ATTACH that pins", 2, VFIO_DEVICE_ATTACH_IOMMUFD_PT, other_device_refuses,
	  attach_bare, detach_second },
	{ "ATTACH to a page table", 2, VFIO_DEVICE_ATTACH_IOMMUFD_PT, other_device_refuses,
	  attach_hwpt, detach_second },
	{ "ATTACH that replaces by a page table", 1, VFIO_DEVICE_ATTACH_IOMMUFD_PT, device_refuses,
	  replace_by_hwpt, attach_back },
	{ "ATTACH that replaces by an IOAS", 1, VFIO_DEVICE_ATTACH_IOMMUFD_PT, device_refuses,
	  replace_by_bare, attach_back },
	{ "DETACH", 1, VFIO_DEVICE_DETACH_IOMMUFD_PT, device_refuses, detach, attach_back },
	{ "close of an attached device", 2, 0, attach_then_unmap_registers, close_second,
	  open_and_bind_second },
};

const unsigned int ops_count = sizeof(ops_table) / sizeof(ops_table[0]);

void ops_begin(struct ops_env *e, const struct ops_op *op)
{
	memset(e, 0, sizeof(*e));
	e->other = -1;
	e->refuser = &e->fd;
	e->mem = mem_anon(OPS_MEM);
	CHECK(e->mem);
	e->file = OK(mem_file(OPS_MEM, 0));
	e->fd = OK(iofd_open());
	OK(iofd_ioas(e->fd, &e->bare));
	OK(iofd_map_at(e->fd, e->bare, e->mem, BASE_PAGES * PAGE, BASE));
	OK(iofd_ioas(e->fd, &e->ioas));
	map_base(e);
	if (op->devices > 0) {
		need_edu(&e->dev[0], 0, e->fd);
		OK(iofd_hwpt(e->fd, e->dev[0].vdev.id, e->ioas, 0, &e->hwpt));
		OK(attach_dev(e, 0, e->ioas));
	}
	if (op->devices > 1)
		need_edu(&e->dev[1], 1, e->fd);
}

/* The lines of a file's objects, as they are. */
static size_t look_at(int fd, char *out, size_t room)
{
	char path[64], line[1024];
	size_t len = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/thread-self/fdinfo/%d", fd);
	f = fopen(path, "re");
	CHECK(f);
	out[0] = 0;
	while (fgets(line, sizeof(line), f))
		if ((!strncmp(line, "object:", 7) || !strncmp(line, "iommufd-", 8)) &&
		    len + strlen(line) < room) {
			strcpy(out + len, line);
			len += strlen(line);
		}
	fclose(f);
	return len;
}

void ops_look(struct ops_env *e, struct ops_state *s)
{
	size_t len, i;

	memset(s, 0, sizeof(*s));
	len = look_at(e->fd, s->objects, sizeof(s->objects));
	for (i = 0; i < 2; i++)
		if (e->dev[i].vdev.fd > 0)
			len += look_at(e->dev[i].vdev.fd, s->objects + len,
				       sizeof(s->objects) - len);
	s->pinned = mem_pinned_pages();
	s->locked = mem_status(0, "VmLck");
	s->vmpin = mem_status(0, "VmPin");
}

const char *ops_differ(const struct ops_state *a, const struct ops_state *b)
{
	static char text[9000];

	if (a->pinned != b->pinned)
		snprintf(text, sizeof(text), "%lld pages were pinned, now %lld", a->pinned, b->pinned);
	else if (a->vmpin != b->vmpin || a->locked != b->locked)
		snprintf(text, sizeof(text), "VmPin was %lld, now %lld; VmLck was %lld, now %lld",
			 a->vmpin, b->vmpin, a->locked, b->locked);
	else if (strcmp(a->objects, b->objects))
		snprintf(text, sizeof(text), "objects were\n%snow\n%s", a->objects, b->objects);
	else
		return NULL;
	return text;
}

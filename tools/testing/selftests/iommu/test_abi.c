// SPDX-License-Identifier: GPL-2.0
/*
 * The rules that every command of /dev/iommu follows, whatever it does: sizes,
 * pointers, flags, reserved members, ids, and that a refusal is explained.
 * Needs no device.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "iofd.h"
#include "mem.h"
#include "tap.h"

#define PAGE 4096

/* One more than any id that a test can have made. */
#define NO_ID 0x7fff0000

static uint32_t new_ioas(int fd)
{
	uint32_t id;

	OK(iofd_ioas(fd, &id));
	return id;
}

static void prepare_destroy(int fd, void *c)
{
	((struct iommu_destroy *)c)->id = new_ioas(fd);
}

static void prepare_nothing(int fd, void *c)
{
}

static void prepare_ranges(int fd, void *c)
{
	static struct iommu_iova_range ranges[8];
	struct iommu_ioas_iova_ranges *r = c;

	r->ioas_id = new_ioas(fd);
	r->num_iovas = 8;
	r->allowed_iovas = (uintptr_t)ranges;
}

static void prepare_allow(int fd, void *c)
{
	static const struct iommu_iova_range range = { 0x1000, 0xffffff };
	struct iommu_ioas_allow_iovas *a = c;

	a->ioas_id = new_ioas(fd);
	a->num_iovas = 1;
	a->allowed_iovas = (uintptr_t)&range;
}

static char memory[4 * PAGE] __attribute__((aligned(PAGE)));

static void prepare_map(int fd, void *c)
{
	struct iommu_ioas_map *m = c;

	m->flags = IOFD_RW;
	m->ioas_id = new_ioas(fd);
	m->user_va = (uintptr_t)memory;
	m->length = sizeof(memory);
}

static void prepare_map_file(int fd, void *c)
{
	struct iommu_ioas_map_file *m = c;

	m->flags = IOFD_RW;
	m->ioas_id = new_ioas(fd);
	m->fd = OK(mem_file(sizeof(memory), 0));
	m->length = sizeof(memory);
}

static void prepare_unmap(int fd, void *c)
{
	struct iommu_ioas_unmap *u = c;

	u->ioas_id = new_ioas(fd);
	u->iova = 0x10000;
	u->length = sizeof(memory);
	OK(iofd_map_at(fd, u->ioas_id, memory, u->length, u->iova));
}

static void prepare_option(int fd, void *c)
{
	struct iommu_option *o = c;

	o->option_id = IOMMU_OPTION_HUGE_PAGES;
	o->op = IOMMU_OPTION_OP_GET;
	o->object_id = new_ioas(fd);
}

static void prepare_hwpt(int fd, void *c)
{
	struct iommu_hwpt_alloc *h = c;

	h->dev_id = NO_ID;
	h->pt_id = new_ioas(fd);
}

static void prepare_hw_info(int fd, void *c)
{
	((struct iommu_hw_info *)c)->dev_id = NO_ID;
}

/*
 * Each command as it would succeed, as far as that is possible without a
 * device: then want is what tells that its struct at least was accepted.
 */
struct command {
	const char *name;
	unsigned long cmd;
	uint32_t size;
	uint32_t min;
	int want;
	bool has_output;
	void (*prepare)(int fd, void *c);
};

#define COMMAND(_cmd, _struct, _min, _want, _output, _prepare) \
	{ #_cmd, _cmd, sizeof(struct _struct), _min ? _min : sizeof(struct _struct), \
	  _want, _output, _prepare }

static const struct command commands[] = {
	COMMAND(IOMMU_DESTROY, iommu_destroy, 0, 0, false, prepare_destroy),
	COMMAND(IOMMU_IOAS_ALLOC, iommu_ioas_alloc, 0, 0, true, prepare_nothing),
	COMMAND(IOMMU_IOAS_IOVA_RANGES, iommu_ioas_iova_ranges, 0, 0, true, prepare_ranges),
	COMMAND(IOMMU_IOAS_ALLOW_IOVAS, iommu_ioas_allow_iovas, 0, 0, false, prepare_allow),
	COMMAND(IOMMU_IOAS_MAP, iommu_ioas_map, 0, 0, true, prepare_map),
	COMMAND(IOMMU_IOAS_MAP_FILE, iommu_ioas_map_file, 0, 0, true, prepare_map_file),
	COMMAND(IOMMU_IOAS_UNMAP, iommu_ioas_unmap, 0, 0, true, prepare_unmap),
	COMMAND(IOMMU_OPTION, iommu_option, 0, 0, true, prepare_option),
	COMMAND(IOMMU_HWPT_ALLOC, iommu_hwpt_alloc, 24, -ENOENT, true, prepare_hwpt),
	COMMAND(IOMMU_GET_HW_INFO, iommu_hw_info, 32, -ENOENT, true, prepare_hw_info),
};

#define each_command(c) \
	for (c = commands; c < commands + sizeof(commands) / sizeof(commands[0]); c++)

static void must_be_refused(int fd, const struct command *c, const char *how, int rc, int want)
{
	const char *wrong = iofd_refused(fd, c->cmd, rc, want);

	if (wrong)
		tap_fail(__FILE__, __LINE__, "%s, %s: %s", c->name, how, wrong);
}

/* Success, or the error that stands for it. */
static void must_be_accepted(int fd, const struct command *c, const char *how, int rc)
{
	if (rc != c->want)
		tap_fail(__FILE__, __LINE__, "%s, %s: gave %s, want %s: %s",
			 c->name, how, tap_errno(rc), tap_errno(c->want),
			 rc ? iommufd_last_reason(fd) : "");
}

/* So many bytes in front of memory that cannot be accessed. */
static void *at_edge(size_t size)
{
	static char *area;

	if (!area) {
		area = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHECK(area != MAP_FAILED);
		CHECK(!mprotect(area + 3 * PAGE, PAGE, PROT_NONE));
	}
	memset(area, 0, 3 * PAGE);
	return area + 3 * PAGE - size;
}

/* The command in a struct of this size at the edge. */
static void *make(int fd, const struct command *c, uint32_t size)
{
	unsigned char whole[256] = { 0 };
	unsigned char *p = at_edge(size);

	c->prepare(fd, whole);
	memcpy(whole, &size, sizeof(size));
	memcpy(p, whole, size < c->size ? size : c->size);
	return p;
}

static void exact_size(void)
{
	const struct command *c;

	each_command(c) {
		int fd = OK(iofd_open());

		must_be_accepted(fd, c, "its own size",
				 iofd_ioctl(fd, c->cmd, make(fd, c, c->size)));
		close(fd);
	}
}

static void smaller_size(void)
{
	const struct command *c;

	each_command(c) {
		int fd = OK(iofd_open());
		uint32_t size;

		for (size = 4; size < c->min; size++)
			must_be_refused(fd, c, "shorter than ever",
					iofd_ioctl(fd, c->cmd, make(fd, c, size)), -EINVAL);
		for (size = 0; size < 4; size++) {
			uint32_t *p = at_edge(4);

			*p = size;
			must_be_refused(fd, c, "shorter than its size",
					iofd_ioctl(fd, c->cmd, p), -EINVAL);
		}
		close(fd);

		for (size = c->min; size < c->size; size += 4) {
			fd = OK(iofd_open());
			must_be_accepted(fd, c, "an older size",
					 iofd_ioctl(fd, c->cmd, make(fd, c, size)));
			close(fd);
		}
	}
}

static void larger_size(void)
{
	static const uint32_t more[] = { 1, 4, 8, 256 };
	const struct command *c;
	unsigned int i, j;

	each_command(c)
		for (i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
			uint32_t size = c->size + more[i];
			int fd = OK(iofd_open());
			unsigned char *p = make(fd, c, size);

			must_be_accepted(fd, c, "a zero tail", iofd_ioctl(fd, c->cmd, p));
			for (j = c->size; j < size; j++)
				if (p[j])
					tap_fail(__FILE__, __LINE__, "%s wrote byte %u of %u",
						 c->name, j, c->size);
			close(fd);
		}

	each_command(c) {
		int fd = OK(iofd_open());
		uint32_t size = PAGE;
		unsigned char *p = make(fd, c, size);

		must_be_accepted(fd, c, "a zero tail up to a page",
				 iofd_ioctl(fd, c->cmd, p));
		close(fd);
	}
}

static void unknown_tail(void)
{
	const struct command *c;

	each_command(c) {
		int fd = OK(iofd_open());
		uint32_t size = c->size + 64;
		unsigned char *p = make(fd, c, size);
		int objects = iofd_objects(fd, NULL);

		p[c->size] = 1;
		must_be_refused(fd, c, "first byte of the tail",
				iofd_ioctl(fd, c->cmd, p), -E2BIG);
		p[c->size] = 0;
		p[size - 1] = 0x80;
		must_be_refused(fd, c, "last byte of the tail",
				iofd_ioctl(fd, c->cmd, p), -E2BIG);
		CHECK_EQ(iofd_objects(fd, NULL), objects);
		close(fd);
	}
}

static void absurd_size(void)
{
	static const uint32_t sizes[] = { PAGE + 1, 1 << 20, 0x7fffffff, 0xffffffff };
	const struct command *c;
	unsigned int i;

	each_command(c) {
		int fd = OK(iofd_open());

		for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			uint32_t *p = make(fd, c, c->size);
			int rc;

			*p = sizes[i];
			rc = iofd_ioctl(fd, c->cmd, p);
			/* which of the two depends on how far the kernel looks */
			must_be_refused(fd, c, "an absurd size", rc,
					rc == -EFAULT ? -EFAULT : -E2BIG);
		}
		close(fd);
	}
}

/* As the structures of a far future, in which all that is new is 0. */
static void large_size(void)
{
	const size_t size = 5 * PAGE + 8;
	const struct command *c;

	each_command(c) {
		int fd = OK(iofd_open());
		char *p = mem_anon(6 * PAGE);
		int rc;

		memcpy(p, make(fd, c, c->size), c->size);
		*(uint32_t *)p = size;
		p[size - 1] = 1;
		must_be_refused(fd, c, "something at the end",
				iofd_ioctl(fd, c->cmd, p), -E2BIG);
		p[size - 1] = 0;
		rc = iofd_ioctl(fd, c->cmd, p);
		if (rc == -E2BIG || rc == -EFAULT)
			tap_fail(__FILE__, __LINE__, "%s of %zu bytes: %s", c->name,
				 size, tap_errno(rc));
		munmap(p, 6 * PAGE);
		close(fd);
	}
}

static void bad_pointers(void)
{
	const struct command *c;

	each_command(c) {
		int fd = OK(iofd_open());
		char *p = make(fd, c, c->size);
		uint32_t size;

		must_be_refused(fd, c, "null", iofd_ioctl(fd, c->cmd, NULL), -EFAULT);
		must_be_refused(fd, c, "a kernel address",
				iofd_ioctl(fd, c->cmd, (void *)-8192UL), -EFAULT);
		must_be_refused(fd, c, "not mapped",
				iofd_ioctl(fd, c->cmd, p + c->size), -EFAULT);
		must_be_refused(fd, c, "beyond user space",
				iofd_ioctl(fd, c->cmd, (void *)(1UL << 63)), -EFAULT);
		/* size can be read, the rest only in part */
		for (size = 4; size < c->size; size += 4) {
			uint32_t *cut = at_edge(size);

			*cut = c->size;
			must_be_refused(fd, c, "cut off", iofd_ioctl(fd, c->cmd, cut),
					-EFAULT);
		}
		close(fd);
	}
}

static void read_only_struct(void)
{
	const struct command *c;

	each_command(c) {
		int fd = OK(iofd_open());
		char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		int objects, rc;

		CHECK(p != MAP_FAILED);
		memcpy(p, make(fd, c, c->size), c->size);
		CHECK(!mprotect(p, PAGE, PROT_READ));
		objects = iofd_objects(fd, NULL);
		rc = iofd_ioctl(fd, c->cmd, p);
		if (!c->has_output || c->want)
			must_be_accepted(fd, c, "read-only", rc);
		else
			must_be_refused(fd, c, "read-only", rc, -EFAULT);
		if (c->cmd != IOMMU_DESTROY && iofd_objects(fd, NULL) != objects)
			tap_fail(__FILE__, __LINE__, "%s left an object behind", c->name);
		munmap(p, PAGE);
		close(fd);
	}
}

/* Many times, so that an id that is lost at each would show. */
static void lost_ids(void)
{
	int fd = OK(iofd_open()), i;
	struct iommu_ioas_alloc *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
					  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	p->size = sizeof(*p);
	CHECK(!mprotect(p, PAGE, PROT_READ));
	for (i = 0; i < 1000; i++)
		ERR(iofd_ioctl(fd, IOMMU_IOAS_ALLOC, p), -EFAULT);
	CHECK_EQ(iofd_objects(fd, NULL), 0);
}

static void not_a_command(int fd, unsigned long cmd)
{
	char zero[256] = { 0 };
	const char *wrong = iofd_refused(fd, cmd, iofd_ioctl(fd, cmd, zero), -ENOTTY);

	if (wrong)
		tap_fail(__FILE__, __LINE__, "ioctl 0x%lx: %s", cmd, wrong);
}

static void unknown_commands(void)
{
	int fd = OK(iofd_open());
	unsigned int nr;

	/* 0x64 on are the container's, 0xf0 on this project's own */
	for (nr = 0; nr < 0x64; nr++)
		not_a_command(fd, _IO(IOMMUFD_TYPE, nr));
	for (nr = 0x96; nr < 0xf0; nr++)
		not_a_command(fd, _IO(IOMMUFD_TYPE, nr));
	/* the number alone does not make a command */
	for (nr = 0x80; nr < 0x96; nr++) {
		not_a_command(fd, _IO('!', nr));
		not_a_command(fd, _IOC(_IOC_READ | _IOC_WRITE, IOMMUFD_TYPE, nr, 16));
	}
}

/*
 * What these do belongs to other tests; here, that a struct of zeroes (whose
 * size is too small) is not taken for anything.
 */
static void other_commands(void)
{
	static const unsigned long cmds[] = {
		IOMMU_IOAS_COPY, IOMMU_VFIO_IOAS, IOMMU_HWPT_SET_DIRTY_TRACKING,
		IOMMU_HWPT_GET_DIRTY_BITMAP, IOMMU_HWPT_INVALIDATE,
		IOMMU_FAULT_QUEUE_ALLOC, IOMMU_VIOMMU_ALLOC, IOMMU_VDEVICE_ALLOC,
		IOMMU_IOAS_CHANGE_PROCESS, IOMMU_VEVENTQ_ALLOC,
		IOMMU_HW_QUEUE_ALLOC, IOMMU_IOAS_NOIOMMU_GET_PA,
	};
	int fd = OK(iofd_open());
	unsigned int i;

	for (i = 0; i < sizeof(cmds) / sizeof(cmds[0]); i++) {
		char zero[256] = { 0 };
		int rc = iofd_ioctl(fd, cmds[i], zero);
		const char *wrong = iofd_refused(fd, cmds[i], rc,
						 rc == -ENOTTY ? -ENOTTY : -EINVAL);

		if (wrong)
			tap_fail(__FILE__, __LINE__, "ioctl 0x%lx: %s", cmds[i], wrong);
	}
}

/* One member of a good command changed. */
struct change {
	unsigned long cmd;
	const char *member;
	unsigned int offset, size;
	uint64_t value;
	int want;
};

#define CHANGE(_cmd, _struct, _member, _value, _want) \
	{ _cmd, #_member, offsetof(struct _struct, _member), \
	  sizeof(((struct _struct *)0)->_member), _value, _want }

static const struct command *command_of(unsigned long cmd)
{
	const struct command *c;

	each_command(c)
		if (c->cmd == cmd)
			return c;
	tap_fail(__FILE__, __LINE__, "no command 0x%lx", cmd);
}

static void try_changes(const struct change *changes, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		const struct change *x = &changes[i];
		const struct command *c = command_of(x->cmd);
		int fd = OK(iofd_open());
		char *p = make(fd, c, c->size);
		int objects = iofd_objects(fd, NULL);
		char how[100];

		memcpy(p + x->offset, &x->value, x->size);
		snprintf(how, sizeof(how), "%s 0x%llx", x->member,
			 (unsigned long long)x->value);
		must_be_refused(fd, c, how, iofd_ioctl(fd, c->cmd, p), x->want);
		if (iofd_objects(fd, NULL) != objects)
			tap_fail(__FILE__, __LINE__, "%s, %s: made or removed an object",
				 c->name, how);
		close(fd);
	}
}

static void unknown_flags(void)
{
	static const struct change changes[] = {
		CHANGE(IOMMU_IOAS_ALLOC, iommu_ioas_alloc, flags, 1, -EOPNOTSUPP),
		CHANGE(IOMMU_IOAS_ALLOC, iommu_ioas_alloc, flags, 0x80000000, -EOPNOTSUPP),
		CHANGE(IOMMU_IOAS_MAP, iommu_ioas_map, flags, 0xe, -EOPNOTSUPP),
		CHANGE(IOMMU_IOAS_MAP, iommu_ioas_map, flags, 0x80000006, -EOPNOTSUPP),
		CHANGE(IOMMU_IOAS_MAP_FILE, iommu_ioas_map_file, flags, 0xe, -EOPNOTSUPP),
		CHANGE(IOMMU_IOAS_MAP_FILE, iommu_ioas_map_file, flags, 0x80000006, -EOPNOTSUPP),
		CHANGE(IOMMU_HWPT_ALLOC, iommu_hwpt_alloc, flags, 0x10, -EOPNOTSUPP),
		CHANGE(IOMMU_HWPT_ALLOC, iommu_hwpt_alloc, flags, 0x80000000, -EOPNOTSUPP),
		CHANGE(IOMMU_GET_HW_INFO, iommu_hw_info, flags, 0x2, -EOPNOTSUPP),
		CHANGE(IOMMU_GET_HW_INFO, iommu_hw_info, flags, 0x80000000, -EOPNOTSUPP),
		CHANGE(IOMMU_OPTION, iommu_option, option_id, 2, -EOPNOTSUPP),
		CHANGE(IOMMU_OPTION, iommu_option, option_id, 0xffffffff, -EOPNOTSUPP),
		CHANGE(IOMMU_OPTION, iommu_option, op, 2, -EOPNOTSUPP),
		CHANGE(IOMMU_OPTION, iommu_option, op, 0xffff, -EOPNOTSUPP),
	};

	try_changes(changes, sizeof(changes) / sizeof(changes[0]));
}

static void reserved_members(void)
{
	static const struct change changes[] = {
		CHANGE(IOMMU_IOAS_IOVA_RANGES, iommu_ioas_iova_ranges, __reserved, 1, -EOPNOTSUPP),
		CHANGE(IOMMU_IOAS_ALLOW_IOVAS, iommu_ioas_allow_iovas, __reserved, 1, -EOPNOTSUPP),
		CHANGE(IOMMU_IOAS_MAP, iommu_ioas_map, __reserved, 0x80000000, -EOPNOTSUPP),
		CHANGE(IOMMU_OPTION, iommu_option, __reserved, 1, -EOPNOTSUPP),
		CHANGE(IOMMU_HWPT_ALLOC, iommu_hwpt_alloc, __reserved, 1, -EOPNOTSUPP),
		CHANGE(IOMMU_HWPT_ALLOC, iommu_hwpt_alloc, __reserved2, 1, -EOPNOTSUPP),
		CHANGE(IOMMU_GET_HW_INFO, iommu_hw_info, __reserved[0], 1, -EOPNOTSUPP),
		CHANGE(IOMMU_GET_HW_INFO, iommu_hw_info, __reserved[2], 1, -EOPNOTSUPP),
	};

	try_changes(changes, sizeof(changes) / sizeof(changes[0]));
}

static void unknown_ids(void)
{
	static const uint32_t ids[] = { 0, 1000000, NO_ID, 0x7fffffff, 0xffffffff };
	struct change changes[] = {
		CHANGE(IOMMU_DESTROY, iommu_destroy, id, 0, -ENOENT),
		CHANGE(IOMMU_IOAS_IOVA_RANGES, iommu_ioas_iova_ranges, ioas_id, 0, -ENOENT),
		CHANGE(IOMMU_IOAS_ALLOW_IOVAS, iommu_ioas_allow_iovas, ioas_id, 0, -ENOENT),
		CHANGE(IOMMU_IOAS_MAP, iommu_ioas_map, ioas_id, 0, -ENOENT),
		CHANGE(IOMMU_IOAS_MAP_FILE, iommu_ioas_map_file, ioas_id, 0, -ENOENT),
		CHANGE(IOMMU_IOAS_UNMAP, iommu_ioas_unmap, ioas_id, 0, -ENOENT),
		CHANGE(IOMMU_OPTION, iommu_option, object_id, 0, -ENOENT),
		CHANGE(IOMMU_HWPT_ALLOC, iommu_hwpt_alloc, dev_id, 0, -ENOENT),
		CHANGE(IOMMU_GET_HW_INFO, iommu_hw_info, dev_id, 0, -ENOENT),
	};
	unsigned int i, j;

	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		for (j = 0; j < sizeof(changes) / sizeof(changes[0]); j++)
			changes[j].value = ids[i];
		try_changes(changes, sizeof(changes) / sizeof(changes[0]));
	}
}

static void others_ids(void)
{
	int a = OK(iofd_open()), b = OK(iofd_open());
	uint32_t x = new_ioas(a), i;

	for (i = 0; i < 10; i++)
		x = new_ioas(a);
	REFUSED(b, IOMMU_DESTROY, iofd_destroy(b, x), -ENOENT);
	REFUSED(b, IOMMU_IOAS_MAP, iofd_map_at(b, x, memory, PAGE, 0), -ENOENT);
	OK(iofd_map_at(a, x, memory, PAGE, 0));
	OK(iofd_destroy(a, x));
	REFUSED(a, IOMMU_DESTROY, iofd_destroy(a, x), -ENOENT);
}

/* An IOAS where a device is wanted. */
static void wrong_type(void)
{
	int fd = OK(iofd_open());
	uint32_t ioas = new_ioas(fd), hwpt, length = 0;

	REFUSED(fd, IOMMU_HWPT_ALLOC, iofd_hwpt(fd, ioas, ioas, 0, &hwpt), -ENOENT);
	REFUSED(fd, IOMMU_GET_HW_INFO,
		iofd_hw_info(fd, ioas, NULL, &length, NULL, NULL), -ENOENT);
}

static void *refused_in_thread(void *arg)
{
	int fd = *(int *)arg;
	struct iofd_refusal r;

	iofd_destroy(fd, 4711);
	if (!iofd_refusal(fd, &r) || r.cmd != IOMMU_DESTROY || r.error != ENOENT ||
	    !strstr(r.sentence, "4711"))
		return (void *)1;
	return NULL;
}

static void reason_per_thread(void)
{
	int fd = OK(iofd_open()), i;
	char mine[512];
	pthread_t t;
	void *wrong;

	CHECK(!*iommufd_last_reason(fd));
	REFUSED(fd, IOMMU_IOAS_MAP, iofd_map_at(fd, NO_ID, memory, PAGE, 0), -ENOENT);
	strcpy(mine, iommufd_last_reason(fd));
	for (i = 0; i < 5; i++) {
		CHECK(!pthread_create(&t, NULL, refused_in_thread, &fd));
		CHECK(!pthread_join(t, &wrong));
		CHECK(!wrong);
	}
	CHECK(!strcmp(mine, iommufd_last_reason(fd)));
	/* and what succeeds does not wipe it out */
	new_ioas(fd);
	CHECK(!strcmp(mine, iommufd_last_reason(fd)));
}

/* More threads than can be remembered: each still sees its own at once. */
static void reason_many_threads(void)
{
	int fd = OK(iofd_open()), i;
	pthread_t t[64];
	void *wrong;

	for (i = 0; i < 64; i++) {
		CHECK(!pthread_create(&t[i], NULL, refused_in_thread, &fd));
		CHECK(!pthread_join(t[i], &wrong));
		CHECK(!wrong);
	}
	REFUSED(fd, IOMMU_DESTROY, iofd_destroy(fd, 1), -ENOENT);
}

static void reason_has_values(void)
{
	int fd = OK(iofd_open());
	uint32_t ioas = new_ioas(fd);

	OK(iofd_map_at(fd, ioas, memory, PAGE, 0xabc000));
	REFUSED(fd, IOMMU_IOAS_MAP, iofd_map_at(fd, ioas, memory, PAGE, 0xabc000), -EEXIST);
	CHECK(strstr(iommufd_last_reason(fd), "0xabc000"));
	REFUSED(fd, IOMMU_IOAS_MAP, iofd_map_at(fd, 424242, memory, PAGE, 0), -ENOENT);
	CHECK(strstr(iommufd_last_reason(fd), "424242"));
}

static void fdinfo_objects(void)
{
	int fd = OK(iofd_open()), i;
	uint32_t id[20];

	CHECK_EQ(iofd_objects(fd, NULL), 0);
	for (i = 0; i < 20; i++)
		id[i] = new_ioas(fd);
	CHECK_EQ(iofd_objects(fd, "ioas"), 20);
	for (i = 0; i < 20; i++)
		OK(iofd_destroy(fd, id[i]));
	CHECK_EQ(iofd_objects(fd, NULL), 0);
}

/* Another process looks at the fdinfo, even after its owner's exec(). */
static void fdinfo_foreign(void)
{
	char path[64], text[4096] = "";
	int fd = OK(iofd_open());
	pid_t parent = getpid(), pid;
	int status;
	FILE *f;

	new_ioas(fd);
	iofd_destroy(fd, 31415);
	pid = fork();
	if (!pid) {
		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", parent, fd);
		f = fopen(path, "r");
		if (!f)
			_exit(2);
		fread(text, 1, sizeof(text) - 1, f);
		if (!strstr(text, "type=ioas") || !strstr(text, "31415"))
			_exit(3);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK_EQ(status, 0);
}

static const struct tap_test tests[] = {
	{ "each command accepts its struct up to the last readable byte", exact_size },
	{ "a struct shorter than the first version: EINVAL", smaller_size },
	{ "a longer struct with a zero tail is accepted, the tail left alone", larger_size },
	{ "a longer struct with something in the tail: E2BIG", unknown_tail },
	{ "an absurd size: E2BIG", absurd_size },
	{ "a struct of several pages with zeroes", large_size },
	{ "null, foreign and cut off structs: EFAULT", bad_pointers },
	{ "a struct that cannot be written: EFAULT, no object stays", read_only_struct },
	{ "a thousand objects whose id could not be told leave none", lost_ids },
	{ "numbers that are no command: ENOTTY", unknown_commands },
	{ "commands of other chapters refuse a struct of zeroes", other_commands },
	{ "unknown flags, options and operations: EOPNOTSUPP", unknown_flags },
	{ "reserved members that are not zero: EOPNOTSUPP", reserved_members },
	{ "ids of nothing: ENOENT", unknown_ids },
	{ "ids of another file and of the destroyed: ENOENT", others_ids },
	{ "ids of another type: ENOENT", wrong_type },
	{ "each thread has its own last refusal", reason_per_thread },
	{ "refusals of many threads", reason_many_threads },
	{ "a refusal names the values", reason_has_values },
	{ "fdinfo lists the objects", fdinfo_objects },
	{ "another process can read fdinfo", fdinfo_foreign },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

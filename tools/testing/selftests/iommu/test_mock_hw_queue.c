// SPDX-License-Identifier: GPL-2.0
/*
 * Hardware queues on the mock: memory of the VM that stays where it is as long
 * as hardware reads it.
 */
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>

#include "mem.h"
#include "mock_viommu.h"

#define PAGE 4096UL
#define QUEUE(call, want) REFUSED(vm.s.fd, IOMMU_HW_QUEUE_ALLOC, call, want)
#define UNMAP(iova, length, want) \
	REFUSED(vm.s.fd, IOMMU_IOAS_UNMAP, space_unmap(&vm.s, iova, length), want)

static struct mock_vm vm;

static int queue_alloc(struct iommu_hw_queue_alloc c)
{
	c.size = sizeof(c);
	c.viommu_id = c.viommu_id ? c.viommu_id : vm.viommu;
	c.type = c.type ? c.type : IOMMU_HW_QUEUE_TYPE_SELFTEST;
	c.nesting_parent_iova = c.nesting_parent_iova ? c.nesting_parent_iova : APERTURE;
	return iofd_ioctl(vm.s.fd, IOMMU_HW_QUEUE_ALLOC, &c);
}

#define ALLOC(...) queue_alloc((struct iommu_hw_queue_alloc){ __VA_ARGS__ })

static void alloc_rules(void)
{
	struct iommu_hw_queue_alloc c = { .size = sizeof(c), .length = PAGE };
	int before;

	mock_vm(&vm);
	before = iofd_objects(vm.s.fd, NULL);
	QUEUE(ALLOC(.length = PAGE, .flags = 1), -EOPNOTSUPP);
	QUEUE(ALLOC(.length = PAGE, .type = 0x1234), -EOPNOTSUPP);
	QUEUE(ALLOC(.length = PAGE, .type = IOMMU_HW_QUEUE_TYPE_TEGRA241_CMDQV), -EOPNOTSUPP);
	QUEUE(ALLOC(.length = PAGE, .viommu_id = 0xffff), -ENOENT);
	QUEUE(ALLOC(.length = PAGE, .viommu_id = vm.parent), -ENOENT);
	QUEUE(ALLOC(.length = 0), -EINVAL);
	QUEUE(ALLOC(.length = PAGE, .nesting_parent_iova = -PAGE + 1), -EOVERFLOW);
	QUEUE(ALLOC(.length = UINT64_MAX), -EOVERFLOW);
	QUEUE(ALLOC(.length = PAGE, .nesting_parent_iova = APERTURE + VM_MEM), -ENOENT);
	QUEUE(ALLOC(.length = PAGE, .nesting_parent_iova = APERTURE - 1), -ENOENT);
	QUEUE(ALLOC(.length = 2 * PAGE, .nesting_parent_iova = APERTURE + VM_MEM - PAGE),
	      -ENOENT);
	QUEUE(ALLOC(.length = PAGE, .index = IOMMU_TEST_HW_QUEUE_MAX), -EINVAL);
	QUEUE(ALLOC(.length = PAGE, .index = UINT32_MAX), -EINVAL);
	QUEUE(ALLOC(.length = PAGE, .index = 1), -EIO);
	c.viommu_id = vm.viommu;
	QUEUE(iofd_ioctl(vm.s.fd, IOMMU_HW_QUEUE_ALLOC, &c), -EOPNOTSUPP);
	CHECK_EQ(iofd_objects(vm.s.fd, NULL), before);
	/* what was refused holds nothing */
	OK(space_unmap(&vm.s, APERTURE, VM_MEM));
}

static void order(void)
{
	uint32_t a, b;

	mock_vm(&vm);
	OK(mock_queue(vm.s.fd, vm.viommu, 0, APERTURE, PAGE, &a));
	QUEUE(ALLOC(.length = PAGE, .index = 0), -EEXIST);
	OK(mock_queue(vm.s.fd, vm.viommu, 1, APERTURE + PAGE, PAGE, &b));
	QUEUE(ALLOC(.length = PAGE, .index = 1), -EEXIST);
	REFUSED(vm.s.fd, IOMMU_DESTROY, iofd_destroy(vm.s.fd, a), -EBUSY);
	REFUSED(vm.s.fd, IOMMU_DESTROY, iofd_destroy(vm.s.fd, vm.viommu), -EBUSY);
	OK(iofd_destroy(vm.s.fd, b));
	OK(iofd_destroy(vm.s.fd, a));
	QUEUE(ALLOC(.length = PAGE, .index = 1), -EIO);
	OK(mock_queue(vm.s.fd, vm.viommu, 0, APERTURE, PAGE, &a));
	OK(iofd_destroy(vm.s.fd, a));
	OK(iofd_destroy(vm.s.fd, vm.viommu));
}

static void stays_mapped(void)
{
	uint32_t a, b;

	mock_vm(&vm);
	OK(space_map(&vm.s, vm.mem, PAGE, APERTURE + 2 * VM_MEM));
	/* two queues in one page */
	OK(mock_queue(vm.s.fd, vm.viommu, 0, APERTURE + 16, 64, &a));
	OK(mock_queue(vm.s.fd, vm.viommu, 1, APERTURE + 80, 64, &b));
	UNMAP(APERTURE, VM_MEM, -EBUSY);
	UNMAP(0, UINT64_MAX, -EBUSY);
	/* nothing of it went, also not what could have */
	OK(mock_check_map(vm.s.fd, vm.parent, APERTURE, vm.mem, VM_MEM));
	OK(mock_check_map(vm.s.fd, vm.parent, APERTURE + 2 * VM_MEM, vm.mem, PAGE));
	/* what has no queue in it can go */
	OK(space_unmap(&vm.s, APERTURE + 2 * VM_MEM, PAGE));
	OK(iofd_destroy(vm.s.fd, b));
	UNMAP(APERTURE, VM_MEM, -EBUSY);
	OK(iofd_destroy(vm.s.fd, a));
	OK(space_unmap(&vm.s, APERTURE, VM_MEM));
	OK(mock_check_refs(vm.s.fd, vm.mem, VM_MEM, 0));
}

/* The pin is the queue's own: the parent pins the page, too. */
static void pinned_once_more(void)
{
	uint32_t a;

	mock_vm(&vm);
	OK(mock_check_refs(vm.s.fd, vm.mem, PAGE, 1));
	OK(mock_queue(vm.s.fd, vm.viommu, 0, APERTURE, PAGE, &a));
	OK(mock_check_refs(vm.s.fd, vm.mem, PAGE, 1));
	OK(iofd_destroy(vm.s.fd, a));
	OK(mock_check_refs(vm.s.fd, vm.mem, PAGE, 1));
}

/* Of two pages that do not follow each other the queue can have either. */
static void in_one_piece(void)
{
	const uint64_t at = APERTURE + (1 << 20);
	char *p = mem_anon(2 * PAGE);
	uint32_t q;

	mock_vm(&vm);
	CHECK(p);
	/* the second page first: whatever order they have, it is not this one twice */
	OK(space_map(&vm.s, p, PAGE, at));
	OK(space_map(&vm.s, p, PAGE, at + PAGE));
	QUEUE(ALLOC(.nesting_parent_iova = at, .length = 2 * PAGE), -EFAULT);
	QUEUE(ALLOC(.nesting_parent_iova = at + PAGE - 1, .length = 2), -EFAULT);
	OK(mock_queue(vm.s.fd, vm.viommu, 0, at, PAGE, &q));
	OK(mock_queue(vm.s.fd, vm.viommu, 1, at + PAGE + 1, PAGE - 1, &q));
	UNMAP(at, PAGE, -EBUSY);
	UNMAP(at + PAGE, PAGE, -EBUSY);
}

/* Memory in one piece, in two mappings of it. */
static void across_mappings(void)
{
	const uint64_t at = APERTURE + (16 << 20);
	char *p = mem_thp(2 * MIB);
	uint32_t q;

	mock_vm(&vm);
	if (!p || !mem_is_thp(p, 2 * MIB))
		tap_skip("no transparent huge page to be had");
	OK(space_map(&vm.s, p, MIB, at));
	OK(space_map(&vm.s, p + MIB, MIB, at + MIB));
	OK(mock_queue(vm.s.fd, vm.viommu, 0, at + MIB - PAGE, 2 * PAGE, &q));
	UNMAP(at, MIB, -EBUSY);
	UNMAP(at + MIB, MIB, -EBUSY);
	OK(iofd_destroy(vm.s.fd, q));
	OK(mock_queue(vm.s.fd, vm.viommu, 0, at, 2 * MIB, &q));
	OK(iofd_destroy(vm.s.fd, q));
	OK(space_unmap(&vm.s, at, MIB));
	QUEUE(ALLOC(.nesting_parent_iova = at + MIB - 1, .length = 2), -ENOENT);
}

/* Memory that the VM may not read itself. */
static void not_readable(void)
{
	uint64_t at = APERTURE + (1 << 20);

	mock_vm(&vm);
	OK(iofd_map(vm.s.fd, vm.s.ioas, vm.mem, PAGE, &at,
		    IOMMU_IOAS_MAP_WRITEABLE | IOMMU_IOAS_MAP_FIXED_IOVA));
	QUEUE(ALLOC(.nesting_parent_iova = at, .length = PAGE), -EPERM);
}

static void dmabuf(void)
{
	uint64_t at = APERTURE + (1 << 20);
	int buf;

	mock_vm(&vm);
	buf = OK(mock_dmabuf(vm.s.fd, PAGE));
	OK(iofd_map_file(vm.s.fd, vm.s.ioas, buf, 0, PAGE, &at, IOFD_FIXED_RW));
	QUEUE(ALLOC(.nesting_parent_iova = at, .length = PAGE), -EINVAL);
	OK(space_unmap(&vm.s, at, PAGE));
}

#define ROUNDS 200

static volatile int stop;

static void *keep_unmapping(void *arg)
{
	while (!stop) {
		int rc = space_unmap(&vm.s, APERTURE, VM_MEM);

		if (!rc)
			rc = space_map(&vm.s, vm.mem, VM_MEM, APERTURE);
		if (rc && rc != -EBUSY)
			return (void *)tap_errno(rc);
		sched_yield();
	}
	return NULL;
}

/* Whoever comes first wins, and the other is told so. */
static void against_unmap(void)
{
	pthread_t thread;
	void *complaint;
	int i, made = 0;
	uint32_t q;

	mock_vm(&vm);
	CHECK(!pthread_create(&thread, NULL, keep_unmapping, NULL));
	for (i = 0; i < ROUNDS; i++) {
		int rc = mock_queue(vm.s.fd, vm.viommu, 0, APERTURE + PAGE, 256, &q);

		sched_yield();
		if (rc) {
			CHECK_EQ(rc, -ENOENT);
			continue;
		}
		made++;
		if (vm.mem[PAGE])
			tap_fail(__FILE__, __LINE__, "the memory is not zero");
		OK(iofd_destroy(vm.s.fd, q));
	}
	stop = 1;
	CHECK(!pthread_join(thread, &complaint));
	if (complaint)
		tap_fail(__FILE__, __LINE__, "%s", (char *)complaint);
	tap_note("%d of %d queues were made", made, ROUNDS);
}

static const struct tap_test tests[] = {
	{ "what a hardware queue is made of", alloc_rules },
	{ "queues that build on each other", order },
	{ "what a queue lies in stays mapped", stays_mapped },
	{ "a queue shares the pin of its page", pinned_once_more },
	{ "a queue is in one piece", in_one_piece },
	{ "a queue across two mappings of one piece", across_mappings },
	{ "a queue is in readable memory", not_readable },
	{ "a queue is not in a dma-buf", dmabuf },
	{ "made while the memory is being unmapped", against_unmap, 120 },
};

int main(int argc, char **argv)
{
	return MOCK_RUN(argc, argv, tests);
}

/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The selftest command of /dev/iommu, and the types of the mock IOMMU.
 *
 * None of this exists on a kernel in use: the command answers ENOTTY until the
 * module iommufd_mock is loaded. Names, numbers and layouts are those of
 * mainline's selftests, so that programs written for them run here.
 */
#ifndef _UAPI_IOMMUFD_TEST_H
#define _UAPI_IOMMUFD_TEST_H

#include <linux/iommufd.h>
#include <linux/types.h>

/* Operations, member op of struct iommu_test_cmd */
enum {
	IOMMU_TEST_OP_ADD_RESERVED = 1,
	IOMMU_TEST_OP_MOCK_DOMAIN = 2,
	IOMMU_TEST_OP_MD_CHECK_MAP = 3,
	IOMMU_TEST_OP_MD_CHECK_REFS = 4,
	IOMMU_TEST_OP_CREATE_ACCESS = 5,
	IOMMU_TEST_OP_DESTROY_ACCESS_PAGES = 6,
	IOMMU_TEST_OP_ACCESS_PAGES = 7,
	IOMMU_TEST_OP_ACCESS_RW = 8,
	IOMMU_TEST_OP_SET_TEMP_MEMORY_LIMIT = 9,
	IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE = 10,
	IOMMU_TEST_OP_ACCESS_REPLACE_IOAS = 11,
	IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS = 12,
	IOMMU_TEST_OP_DIRTY = 13,
	IOMMU_TEST_OP_MD_CHECK_IOTLB = 14,
	IOMMU_TEST_OP_TRIGGER_IOPF = 15,
	IOMMU_TEST_OP_DEV_CHECK_CACHE = 16,
	IOMMU_TEST_OP_TRIGGER_VEVENT = 17,
	IOMMU_TEST_OP_PASID_ATTACH = 18,
	IOMMU_TEST_OP_PASID_REPLACE = 19,
	IOMMU_TEST_OP_PASID_DETACH = 20,
	IOMMU_TEST_OP_PASID_CHECK_HWPT = 21,
	IOMMU_TEST_OP_DMABUF_GET = 22,
	IOMMU_TEST_OP_DMABUF_REVOKE = 23,
};

/* Which page sizes a mock page table has: struct iommu_hwpt_selftest */
enum {
	MOCK_IOMMUPT_DEFAULT = 0,
	MOCK_IOMMUPT_HUGE = 1,
};

/* What a page table of MOCK_IOMMUPT_DEFAULT translates, and its granule */
enum {
	MOCK_APERTURE_START = 1 << 24,
	MOCK_APERTURE_LAST = 0x7fffffff,
	MOCK_PAGE_SIZE = 2048,
	MOCK_HUGE_PAGE_SIZE = 512 * MOCK_PAGE_SIZE,
};

/* ACCESS_PAGES; SYZ also in ACCESS_RW and in IOAS_MAP and IOAS_COPY */
enum {
	MOCK_FLAGS_ACCESS_WRITE = 1 << 0,
	MOCK_FLAGS_ACCESS_SYZ = 1 << 16,
};

enum {
	MOCK_ACCESS_RW_WRITE = 1 << 0,
	MOCK_ACCESS_RW_SLOW_PATH = 1 << 2,
};

enum {
	MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES = 1 << 0,
};

enum {
	MOCK_FLAGS_DEVICE_NO_DIRTY = 1 << 0,
	MOCK_FLAGS_DEVICE_PASID = 1 << 2,
};

enum {
	MOCK_NESTED_DOMAIN_IOTLB_ID_MAX = 3,
	MOCK_NESTED_DOMAIN_IOTLB_NUM = 4,
};

enum {
	MOCK_DEV_CACHE_ID_MAX = 3,
	MOCK_DEV_CACHE_NUM = 4,
};

/* A PASID whose attachment fails every second time, and how many bits it has */
#define IOMMU_TEST_PASID_RESERVED 1024
#define MOCK_PASID_WIDTH 20

/**
 * struct iommu_test_cmd - ioctl(IOMMU_TEST_CMD)
 * @size: sizeof(struct iommu_test_cmd); 68 bytes are enough
 * @op: IOMMU_TEST_OP_...; an unknown one is EOPNOTSUPP
 * @id: what the operation works on, an object or, where it says so, a file
 *	descriptor that CREATE_ACCESS gave
 * @__reserved: must be 0
 * @add_reserved: ADD_RESERVED (IOAS): keep [start, start + length) from being
 *		  mapped, until the IOAS goes
 * @mock_domain: MOCK_DOMAIN (IOAS or HWPT): make a device and attach it there.
 *		 Destroying out_stdev_id detaches and removes it
 * @mock_domain_flags: MOCK_DOMAIN_FLAGS: the same with MOCK_FLAGS_DEVICE_...
 * @mock_domain_replace: MOCK_DOMAIN_REPLACE (out_stdev_id): attach it to pt_id
 *			 instead, which becomes the HWPT it ended on
 * @check_map: MD_CHECK_MAP (HWPT): EINVAL unless every granule from iova on leads
 *	       to the memory at uptr
 * @check_refs: MD_CHECK_REFS: EIO unless every page at uptr, other than those of
 *		compound pages, is pinned refs times
 * @create_access: CREATE_ACCESS (IOAS): out_access_fd is an in-kernel user of it,
 *		   which ends when that file is closed
 * @destroy_access_pages: DESTROY_ACCESS_PAGES (access): unpin what ACCESS_PAGES
 *			  pinned
 * @access_pages: ACCESS_PAGES (access): pin at most 16 MiB. With uptr not 0
 *		  EBADE unless they are the pages behind it
 * @access_rw: ACCESS_RW (access): copy at most 16 MiB between iova and uptr
 * @memory_limit: SET_TEMP_MEMORY_LIMIT: bytes of temporary memory, at least 12,
 *		  that pinning may use at once
 * @access_replace_ioas: ACCESS_REPLACE_IOAS (access): move it to another IOAS
 * @dirty: DIRTY (HWPT): mark what lies in [iova, iova + length) as written by a
 *	   device, where the bit of its page_size bytes at uptr is set.
 *	   out_nr_dirty is how many of those bits met something writeable
 * @check_iotlb: MD_CHECK_IOTLB (nested HWPT)
 * @trigger_iopf: TRIGGER_IOPF
 * @check_dev_cache: DEV_CHECK_CACHE (device)
 * @trigger_vevent: TRIGGER_VEVENT
 * @pasid_attach: PASID_ATTACH (out_stdev_id)
 * @pasid_replace: PASID_REPLACE (out_stdev_id)
 * @pasid_detach: PASID_DETACH (out_stdev_id)
 * @pasid_check: PASID_CHECK_HWPT (out_stdev_id)
 * @dmabuf_get: DMABUF_GET: the ioctl's result is a dma-buf of length bytes, 1 to
 *		512 pages
 * @dmabuf_revoke: DMABUF_REVOKE: take the memory of a dma-buf away from all that
 *		   map it, or give it back
 * @last: where the first version ended; 0
 *
 * Operations with an out_ member write the whole command back. ENOTTY while the
 * mock IOMMU is not loaded. It stays loaded while one of its devices exists.
 */
struct iommu_test_cmd {
	__u32 size;
	__u32 op;
	__u32 id;
	__u32 __reserved;
	union {
		struct {
			__aligned_u64 start;
			__aligned_u64 length;
		} add_reserved;
		struct {
			__u32 out_stdev_id;
			__u32 out_hwpt_id;
			__u32 out_idev_id;
		} mock_domain;
		struct {
			__u32 out_stdev_id;
			__u32 out_hwpt_id;
			__u32 out_idev_id;
			__u32 dev_flags;
		} mock_domain_flags;
		struct {
			__u32 pt_id;
		} mock_domain_replace;
		struct {
			__aligned_u64 iova;
			__aligned_u64 length;
			__aligned_u64 uptr;
		} check_map;
		struct {
			__aligned_u64 length;
			__aligned_u64 uptr;
			__u32 refs;
		} check_refs;
		struct {
			__u32 out_access_fd;
			__u32 flags;
		} create_access;
		struct {
			__u32 access_pages_id;
		} destroy_access_pages;
		struct {
			__u32 flags;
			__u32 out_access_pages_id;
			__aligned_u64 iova;
			__aligned_u64 length;
			__aligned_u64 uptr;
		} access_pages;
		struct {
			__aligned_u64 iova;
			__aligned_u64 length;
			__aligned_u64 uptr;
			__u32 flags;
		} access_rw;
		struct {
			__u32 limit;
		} memory_limit;
		struct {
			__u32 ioas_id;
		} access_replace_ioas;
		struct {
			__u32 flags;
			__aligned_u64 iova;
			__aligned_u64 length;
			__aligned_u64 page_size;
			__aligned_u64 uptr;
			__aligned_u64 out_nr_dirty;
		} dirty;
		struct {
			__u32 id;
			__u32 iotlb;
		} check_iotlb;
		struct {
			__u32 dev_id;
			__u32 pasid;
			__u32 grpid;
			__u32 perm;
			__aligned_u64 addr;
		} trigger_iopf;
		struct {
			__u32 id;
			__u32 cache;
		} check_dev_cache;
		struct {
			__u32 dev_id;
		} trigger_vevent;
		struct {
			__u32 pasid;
			__u32 pt_id;
		} pasid_attach;
		struct {
			__u32 pasid;
			__u32 pt_id;
		} pasid_replace;
		struct {
			__u32 pasid;
		} pasid_detach;
		struct {
			__u32 pasid;
			__u32 hwpt_id;
		} pasid_check;
		struct {
			__u32 length;
			__u32 open_flags;
		} dmabuf_get;
		struct {
			__s32 dmabuf_fd;
			__u32 revoked;
		} dmabuf_revoke;
	};
	__u32 last;
};
#define IOMMU_TEST_CMD _IO(IOMMUFD_TYPE, IOMMUFD_CMD_BASE + 32)

#define IOMMU_HW_INFO_TYPE_SELFTEST 0xfeedbeef
#define IOMMU_HW_INFO_SELFTEST_REGVAL 0xdeadbeef

/**
 * struct iommu_test_hw_info - GET_HW_INFO of a mock device
 * @flags: 0
 * @test_reg: IOMMU_HW_INFO_SELFTEST_REGVAL
 */
struct iommu_test_hw_info {
	__u32 flags;
	__u32 test_reg;
};

#define IOMMU_HWPT_DATA_SELFTEST 0xdead
#define IOMMU_TEST_IOTLB_DEFAULT 0xbadbeef
#define IOMMU_TEST_DEV_CACHE_DEFAULT 0xbaddad

/**
 * struct iommu_hwpt_selftest - HWPT_ALLOC with IOMMU_HWPT_DATA_SELFTEST
 * @iotlb: nested: what all entries of the IOTLB hold at first
 * @pagetable_type: over an IOAS: MOCK_IOMMUPT_...
 */
struct iommu_hwpt_selftest {
	__u32 iotlb;
	__u32 pagetable_type;
};

#define IOMMU_HWPT_INVALIDATE_DATA_SELFTEST 0xdeadbeef
#define IOMMU_HWPT_INVALIDATE_DATA_SELFTEST_INVALID 0xdadbeef
#define IOMMU_TEST_INVALIDATE_FLAG_ALL (1 << 0)

/**
 * struct iommu_hwpt_invalidate_selftest - an entry of HWPT_INVALIDATE
 * @flags: IOMMU_TEST_INVALIDATE_FLAG_ALL or 0
 * @iotlb_id: which entry of the IOTLB, at most MOCK_NESTED_DOMAIN_IOTLB_ID_MAX
 */
struct iommu_hwpt_invalidate_selftest {
	__u32 flags;
	__u32 iotlb_id;
};

#define IOMMU_VIOMMU_TYPE_SELFTEST 0xdeadbeef

/**
 * struct iommu_viommu_selftest - VIOMMU_ALLOC with IOMMU_VIOMMU_TYPE_SELFTEST
 * @in_data: any value
 * @out_data: the same value
 * @out_mmap_offset: where to mmap the memory that begins with the value
 * @out_mmap_length: how long it is, in bytes
 */
struct iommu_viommu_selftest {
	__u32 in_data;
	__u32 out_data;
	__aligned_u64 out_mmap_offset;
	__aligned_u64 out_mmap_length;
};

#define IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST 0xdeadbeef
#define IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST_INVALID 0xdadbeef

/**
 * struct iommu_viommu_invalidate_selftest - an entry of HWPT_INVALIDATE
 * @flags: IOMMU_TEST_INVALIDATE_FLAG_ALL or 0
 * @vdev_id: virtual id of the device whose cache it is
 * @cache_id: which word of the cache, at most MOCK_DEV_CACHE_ID_MAX
 */
struct iommu_viommu_invalidate_selftest {
	__u32 flags;
	__u32 vdev_id;
	__u32 cache_id;
};

#define IOMMU_VEVENTQ_TYPE_SELFTEST 0xbeefbeef

/**
 * struct iommu_viommu_event_selftest - data of an event
 * @virt_id: virtual id of the device
 */
struct iommu_viommu_event_selftest {
	__u32 virt_id;
};

#define IOMMU_HW_QUEUE_TYPE_SELFTEST 0xdeadbeef
#define IOMMU_TEST_HW_QUEUE_MAX 2

#endif

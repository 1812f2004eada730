// SPDX-License-Identifier: GPL-2.0
#include <linux/iommufd_ext.h>
#include <linux/iommufd_test.h>
#include <linux/vfio.h>

#include "fuzz.h"

#define M4(n, k, p)	{ n, 4, K_##k, p }
#define M8(n, k, p)	{ n, 8, K_##k, p }
#define M2(n, k, p)	{ n, 2, K_##k, p }

#define MAP_FLAGS 7

/* All of these are one structure, told apart by its second member. */
#define MOCK(title, w, op, id, ...)					\
	{ "mock: " title, FUZZ_TEST_CMD, w, 72, 1,			\
	  { M4("op", CONST, op), id, M4("__reserved", ZERO, 0), __VA_ARGS__ } }
#define NOBODY M4("id", ZERO, 0)

/* The first member, the size, is filled in by whoever makes the command. */
const struct fuzz_command fuzz_commands[] = {
	{ "DESTROY", IOMMU_DESTROY, 6, 0, 0, { M4("id", ANY, 0) } },
	{ "IOAS_ALLOC", IOMMU_IOAS_ALLOC, 4, 0, 0, {
		M4("flags", ZERO, 0), M4("out_ioas_id", OUT, T_IOAS) } },
	{ "ALLOW_IOVAS", IOMMU_IOAS_ALLOW_IOVAS, 2, 0, 0, {
		M4("ioas_id", ID, T_IOAS), M4("num_iovas", COUNT, 5), M4("__reserved", ZERO, 0),
		M8("allowed_iovas", RANGES, 0) } },
	{ "IOVA_RANGES", IOMMU_IOAS_IOVA_RANGES, 2, 0, 0, {
		M4("ioas_id", ID, T_IOAS), M4("num_iovas", COUNT, 40), M4("__reserved", ZERO, 0),
		M8("allowed_iovas", BUFFER, 0), M8("out_iova_alignment", ZERO, 0) } },
	{ "MAP", IOMMU_IOAS_MAP, 24, 0, 0, {
		M4("flags", FLAGS, MAP_FLAGS), M4("ioas_id", ID, T_IOAS), M4("__reserved", ZERO, 0),
		M8("user_va", VA, 0), M8("length", LENGTH, 0), M8("iova", IOVA, 0) } },
	{ "MAP_FILE", IOMMU_IOAS_MAP_FILE, 12, 0, 0, {
		M4("flags", FLAGS, MAP_FLAGS), M4("ioas_id", ID, T_IOAS), M4("fd", FILE, 0),
		M8("start", OFFSET, 0), M8("length", LENGTH, 0), M8("iova", IOVA, 0) } },
	{ "COPY", IOMMU_IOAS_COPY, 12, 0, 0, {
		M4("flags", FLAGS, MAP_FLAGS), M4("dst_ioas_id", ID, T_IOAS),
		M4("src_ioas_id", ID, T_IOAS), M8("length", LENGTH, 0), M8("dst_iova", IOVA, 0),
		M8("src_iova", IOVA, 0) } },
	{ "UNMAP", IOMMU_IOAS_UNMAP, 14, 0, 0, {
		M4("ioas_id", ID, T_IOAS), M8("iova", IOVA, 0), M8("length", LENGTH, 0) } },
	{ "OPTION", IOMMU_OPTION, 3, 0, 0, {
		M4("option_id", ENUM, 2), M2("op", ENUM, 2), M2("__reserved", ZERO, 0),
		M4("object_id", ID, T_IOAS), M8("val64", ENUM, 2) } },
	{ "VFIO_IOAS", IOMMU_VFIO_IOAS, 2, 0, 0, {
		M4("ioas_id", ID, T_IOAS), M2("op", ENUM, 3), M2("__reserved", ZERO, 0) } },
	{ "HWPT_ALLOC", IOMMU_HWPT_ALLOC, 8, 0, 0, {
		M4("flags", FLAGS, 11), M4("dev_id", ID, T_DEVICE), M4("pt_id", PT, 0),
		M4("out_hwpt_id", OUT, T_HWPT), M4("__reserved", ZERO, 0), M4("data_type", ZERO, 0),
		M4("data_len", ZERO, 0), M8("data_uptr", ZERO, 0), M4("fault_id", ZERO, 0),
		M4("__reserved2", ZERO, 0) } },
	{ "HWPT_ALLOC nested on the mock", IOMMU_HWPT_ALLOC, 4, 0, 1, {
		M4("flags", ZERO, 0), M4("dev_id", ID, T_DEVICE), M4("pt_id", ID, T_HWPT),
		M4("out_hwpt_id", OUT, T_HWPT), M4("__reserved", ZERO, 0),
		M4("data_type", CONST, 0xdead), M4("data_len", CONST, 8), M8("data_uptr", BUFFER, 0),
		M4("fault_id", ZERO, 0), M4("__reserved2", ZERO, 0) } },
	{ "HWPT_ALLOC for PASIDs", IOMMU_HWPT_ALLOC, 4, 0, 1, {
		M4("flags", CONST, IOMMU_HWPT_ALLOC_PASID), M4("dev_id", ID, T_DEVICE),
		M4("pt_id", ID, T_IOAS), M4("out_hwpt_id", OUT, T_HWPT), M4("__reserved", ZERO, 0),
		M4("data_type", ZERO, 0), M4("data_len", ZERO, 0), M8("data_uptr", ZERO, 0),
		M4("fault_id", ZERO, 0), M4("__reserved2", ZERO, 0) } },
	{ "HWPT_ALLOC on a vIOMMU of the mock", IOMMU_HWPT_ALLOC, 4, 0, 1, {
		M4("flags", ZERO, 0), M4("dev_id", ID, T_DEVICE), M4("pt_id", ID, T_VIOMMU),
		M4("out_hwpt_id", OUT, T_HWPT), M4("__reserved", ZERO, 0),
		M4("data_type", CONST, IOMMU_HWPT_DATA_SELFTEST), M4("data_len", CONST, 8),
		M8("data_uptr", BUFFER, 0), M4("fault_id", ZERO, 0), M4("__reserved2", ZERO, 0) } },
	{ "HWPT_ALLOC with a fault queue", IOMMU_HWPT_ALLOC, 5, 0, 1, {
		M4("flags", CONST, IOMMU_HWPT_FAULT_ID_VALID), M4("dev_id", ID, T_DEVICE),
		M4("pt_id", PT, 0), M4("out_hwpt_id", OUT, T_HWPT), M4("__reserved", ZERO, 0),
		M4("data_type", CONST, IOMMU_HWPT_DATA_SELFTEST), M4("data_len", CONST, 8),
		M8("data_uptr", BUFFER, 0), M4("fault_id", ID, T_FAULT), M4("__reserved2", ZERO, 0) } },
	{ "HWPT_ALLOC of a nesting parent", IOMMU_HWPT_ALLOC, 4, 0, 1, {
		M4("flags", CONST, IOMMU_HWPT_ALLOC_NEST_PARENT), M4("dev_id", ID, T_DEVICE),
		M4("pt_id", ID, T_IOAS), M4("out_hwpt_id", OUT, T_HWPT), M4("__reserved", ZERO, 0),
		M4("data_type", ZERO, 0), M4("data_len", ZERO, 0), M8("data_uptr", ZERO, 0),
		M4("fault_id", ZERO, 0), M4("__reserved2", ZERO, 0) } },
	{ "VIOMMU_ALLOC", IOMMU_VIOMMU_ALLOC, 8, 0, 1, {
		M4("flags", ZERO, 0), M4("type", CONST, IOMMU_VIOMMU_TYPE_SELFTEST),
		M4("dev_id", ID, T_DEVICE), M4("hwpt_id", ID, T_HWPT), M4("out_viommu_id", OUT, T_VIOMMU),
		M4("data_len", CONST, sizeof(struct iommu_viommu_selftest)), M4("__reserved", ZERO, 0),
		M8("data_uptr", BUFFER, 0) } },
	{ "VDEVICE_ALLOC", IOMMU_VDEVICE_ALLOC, 6, 0, 1, {
		M4("viommu_id", ID, T_VIOMMU), M4("dev_id", ID, T_DEVICE),
		M4("out_vdevice_id", OUT, T_VDEVICE), M8("virt_id", ENUM, 3) } },
	{ "HW_QUEUE_ALLOC", IOMMU_HW_QUEUE_ALLOC, 4, 0, 1, {
		M4("flags", ZERO, 0), M4("viommu_id", ID, T_VIOMMU),
		M4("type", CONST, IOMMU_HW_QUEUE_TYPE_SELFTEST), M4("index", ENUM, 3),
		M4("out_hw_queue_id", OUT, T_QUEUE), M8("nesting_parent_iova", IOVA, 0),
		M8("length", LENGTH, 0) } },
	{ "HWPT_INVALIDATE on the mock", IOMMU_HWPT_INVALIDATE, 3, 0, 1, {
		M4("hwpt_id", ID, T_HWPT), M8("data_uptr", BUFFER, 0),
		M4("data_type", CONST, IOMMU_HWPT_INVALIDATE_DATA_SELFTEST), M4("entry_len", CONST, 8),
		M4("entry_num", COUNT, 4), M4("__reserved", ZERO, 0) } },
	{ "HWPT_INVALIDATE of a vIOMMU", IOMMU_HWPT_INVALIDATE, 3, 0, 1, {
		M4("hwpt_id", ID, T_VIOMMU), M8("data_uptr", BUFFER, 0),
		M4("data_type", CONST, IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST),
		M4("entry_len", COUNT, 16), M4("entry_num", COUNT, 80), M4("__reserved", ZERO, 0) } },
	{ "GET_HW_INFO", IOMMU_GET_HW_INFO, 2, 0, 0, {
		M4("flags", ENUM, 2), M4("dev_id", ID, T_DEVICE), M4("data_len", COUNT, 80),
		M8("data_uptr", BUFFER, 0), M4("data_type", ENUM, 4), M4("__reserved", ZERO, 0),
		M8("out_capabilities", ZERO, 0) } },
	{ "HWPT_ALLOC with windows", IOMMU_HWPT_ALLOC, 5, 0, 0, {
		M4("flags", FLAGS, 2), M4("dev_id", ID, T_DEVICE), M4("pt_id", ID, T_IOAS),
		M4("out_hwpt_id", OUT, T_HWPT), M4("__reserved", ZERO, 0),
		M4("data_type", CONST, IOMMU_EXT_HWPT_DATA_WINDOWS),
		M4("data_len", CONST, sizeof(struct iommu_ext_hwpt_windows) +
		   FUZZ_WINDOWS * sizeof(struct iommu_ext_window)), M8("data_uptr", WINDOWS, 0),
		M4("fault_id", ZERO, 0), M4("__reserved2", ZERO, 0) } },
	{ "GET_HW_INFO about the instance", IOMMU_GET_HW_INFO, 2, 0, 0, {
		M4("flags", CONST, 1), M4("dev_id", ID, T_DEVICE), M4("data_len", COUNT, 200),
		M8("data_uptr", BUFFER, 0), M4("data_type", CONST, IOMMU_EXT_HW_INFO_INSTANCE),
		M4("__reserved", ZERO, 0), M8("out_capabilities", ZERO, 0) } },
	{ "GET_HW_INFO about windows", IOMMU_GET_HW_INFO, 2, 0, 0, {
		M4("flags", CONST, 1), M4("dev_id", ID, T_DEVICE), M4("data_len", COUNT, 200),
		M8("data_uptr", BUFFER, 0), M4("data_type", CONST, IOMMU_EXT_HW_INFO_WINDOWS),
		M4("__reserved", ZERO, 0), M8("out_capabilities", ZERO, 0) } },
	{ "HWPT_SET_DIRTY_TRACKING", IOMMU_HWPT_SET_DIRTY_TRACKING, 3, 0, 0, {
		M4("flags", ENUM, 2), M4("hwpt_id", ID, T_HWPT), M4("__reserved", ZERO, 0) } },
	{ "HWPT_GET_DIRTY_BITMAP", IOMMU_HWPT_GET_DIRTY_BITMAP, 3, 0, 0, {
		M4("hwpt_id", ID, T_HWPT), M4("flags", ENUM, 2), M4("__reserved", ZERO, 0),
		M8("iova", IOVA, 0), M8("length", LENGTH, 0), M8("page_size", PAGE_SIZE, 0),
		M8("data", BUFFER, 0) } },
	{ "HWPT_INVALIDATE", IOMMU_HWPT_INVALIDATE, 2, 0, 0, {
		M4("hwpt_id", ID, T_HWPT), M8("data_uptr", BUFFER, 0), M4("data_type", ENUM, 2),
		M4("entry_len", COUNT, 32), M4("entry_num", COUNT, 4), M4("__reserved", ZERO, 0) } },
	{ "NOIOMMU_GET_PA", IOMMU_IOAS_NOIOMMU_GET_PA, 2, 0, 0, {
		M4("flags", ZERO, 0), M4("ioas_id", ID, T_IOAS), M4("__reserved", ZERO, 0),
		M8("iova", IOVA, 0), M8("length", LENGTH, 0), M8("out_phys", ZERO, 0) } },
	{ "FAULT_QUEUE_ALLOC", IOMMU_FAULT_QUEUE_ALLOC, 4, 0, 0, {
		M4("flags", ZERO, 0), M4("out_fault_id", OUT, T_FAULT), M4("out_fault_fd", OUT_FD, 0) } },
	{ "VEVENTQ_ALLOC", IOMMU_VEVENTQ_ALLOC, 4, 0, 1, {
		M4("flags", ZERO, 0), M4("viommu_id", ID, T_VIOMMU),
		M4("type", CONST, IOMMU_VEVENTQ_TYPE_SELFTEST), M4("veventq_depth", COUNT, 5),
		M4("out_veventq_id", OUT, T_QUEUE), M4("out_veventq_fd", OUT_FD, 0),
		M4("__reserved", ZERO, 0) } },
	{ "CHANGE_PROCESS", IOMMU_IOAS_CHANGE_PROCESS, 1, 0, 0, { M4("__reserved", ZERO, 0) } },

	{ "type1: MAP_DMA", VFIO_IOMMU_MAP_DMA, 5, 0, 0, {
		M4("flags", FLAGS, 3), M8("vaddr", VA, 0), M8("iova", IOVA, 0),
		M8("size", LENGTH, 0) } },
	{ "type1: UNMAP_DMA", VFIO_IOMMU_UNMAP_DMA, 4, 0, 0, {
		M4("flags", FLAGS, 2), M8("iova", IOVA, 0), M8("size", LENGTH, 0) } },
	{ "type1: GET_INFO", VFIO_IOMMU_GET_INFO, 1, 0, 0, {
		M4("flags", ZERO, 0), M8("iova_pgsizes", ZERO, 0), M4("cap_offset", ZERO, 0) } },

	MOCK("ADD_RESERVED", 2, 1, M4("ioas_id", ID, T_IOAS), M8("start", IOVA, 0), M8("length", LENGTH, 0)),
	MOCK("MOCK_DOMAIN", 6, 2, M4("pt_id", PT, 0), M4("out_stdev_id", OUT, T_STDEV),
	     M4("out_hwpt_id", OUT, T_HWPT), M4("out_idev_id", OUT, T_DEVICE)),
	MOCK("MOCK_DOMAIN_FLAGS", 4, 12, M4("pt_id", PT, 0), M4("out_stdev_id", OUT, T_STDEV),
	     M4("out_hwpt_id", OUT, T_HWPT), M4("out_idev_id", OUT, T_DEVICE), M4("dev_flags", FLAGS, 5)),
	MOCK("MOCK_DOMAIN_REPLACE", 5, 10, M4("stdev_id", ID, T_STDEV), M4("pt_id", PT, 0)),
	MOCK("PASID_ATTACH", 5, 18, M4("stdev_id", ID, T_STDEV), M4("pasid", COUNT, 3),
	     M4("pt_id", ID, T_HWPT)),
	MOCK("PASID_REPLACE", 5, 19, M4("stdev_id", ID, T_STDEV), M4("pasid", COUNT, 3),
	     M4("pt_id", ID, T_HWPT)),
	MOCK("PASID_DETACH", 3, 20, M4("stdev_id", ID, T_STDEV), M4("pasid", COUNT, 3)),
	MOCK("PASID_CHECK_HWPT", 1, 21, M4("stdev_id", ID, T_STDEV), M4("pasid", COUNT, 3),
	     M4("hwpt_id", ID, T_HWPT)),
	MOCK("MD_CHECK_MAP", 2, 3, M4("hwpt_id", ID, T_HWPT), M8("iova", IOVA, 0), M8("length", LENGTH, 0),
	     M8("uptr", VA, 0)),
	MOCK("MD_CHECK_REFS", 1, 4, NOBODY, M8("length", LENGTH, 0), M8("uptr", VA, 0), M4("refs", ENUM, 3)),
	MOCK("CREATE_ACCESS", 5, 5, M4("ioas_id", ID, T_IOAS), M4("out_access_fd", OUT_FD, 0),
	     M4("flags", ENUM, 2)),
	MOCK("ACCESS_PAGES", 5, 7, M4("access", ID, T_ACCESS), M4("flags", ENUM, 2),
	     M4("out_access_pages_id", ZERO, 0), M8("iova", IOVA, 0), M8("length", LENGTH, 0),
	     M8("uptr", ZERO, 0)),
	MOCK("DESTROY_ACCESS_PAGES", 3, 6, M4("access", ID, T_ACCESS), M4("access_pages_id", ENUM, 6)),
	MOCK("ACCESS_RW", 5, 8, M4("access", ID, T_ACCESS), M8("iova", IOVA, 0), M8("length", COUNT, 20000),
	     M8("uptr", BUFFER, 0), M4("flags", FLAGS, 5)),
	MOCK("ACCESS_REPLACE_IOAS", 2, 11, M4("access", ID, T_ACCESS), M4("ioas_id", ID, T_IOAS)),
	MOCK("DIRTY", 2, 13, M4("hwpt_id", ID, T_HWPT), M4("flags", ZERO, 0), M4("pad", ZERO, 0),
	     M8("iova", IOVA, 0), M8("length", LENGTH, 0), M8("page_size", PAGE_SIZE, 0),
	     M8("uptr", BUFFER, 0), M8("out_nr_dirty", ZERO, 0)),
	MOCK("MD_CHECK_IOTLB", 1, 14, M4("hwpt_id", ID, T_HWPT), M4("entry", ENUM, 5), M4("iotlb", ZERO, 0)),
	MOCK("DEV_CHECK_CACHE", 1, 16, M4("device", ID, T_DEVICE), M4("word", ENUM, 5), M4("cache", ZERO, 0)),
	MOCK("TRIGGER_IOPF", 8, 15, NOBODY, M4("dev_id", ID, T_DEVICE), M4("pasid", ENUM, 4),
	     M4("grpid", ENUM, 4), M4("perm", ENUM, 16), M8("addr", IOVA, 0)),
	MOCK("TRIGGER_VEVENT", 6, 17, NOBODY, M4("dev_id", ID, T_DEVICE)),
	MOCK("TEMP_MEMORY_LIMIT", 1, 9, NOBODY, M4("limit", COUNT, 65536)),
	MOCK("DMABUF_GET", 2, 22, NOBODY, M4("length", LENGTH, 0), M4("open_flags", CONST, 02000002)),
	MOCK("DMABUF_REVOKE", 2, 23, NOBODY, M4("dmabuf_fd", FILE, 0), M4("revoked", ENUM, 2)),
};

const unsigned int fuzz_command_count = sizeof(fuzz_commands) / sizeof(fuzz_commands[0]);

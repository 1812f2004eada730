/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * What this /dev/iommu answers beyond <linux/iommufd.h>.
 *
 * Nothing here changes a command: these are further types for IOMMU_GET_HW_INFO,
 * IOMMU_HWPT_ALLOC, IOMMU_HWPT_INVALIDATE, IOMMU_VIOMMU_ALLOC and
 * IOMMU_VEVENTQ_ALLOC, in a range of numbers that mainline does not use. A
 * kernel without them answers EOPNOTSUPP, as it does for any type it does not
 * know; asking IOMMU_GET_HW_INFO with IOMMU_HW_INFO_FLAG_INPUT_TYPE and
 * data_len 0 costs nothing and tells.
 *
 * Structures end in arrays whose entries may grow: an entry is as large as the
 * size in front of the array says, and what a reader does not know of it is
 * skipped.
 */
#ifndef _UAPI_IOMMUFD_EXT_H
#define _UAPI_IOMMUFD_EXT_H

#include <linux/iommufd.h>
#include <linux/types.h>

/* All types here lie in this range, and all ioctls would be 0xf0 to 0xff. */
#define IOMMU_EXT_TYPE_FIRST 0x80490000
#define IOMMU_EXT_TYPE_LAST 0x8049ffff

/* in_data_type of IOMMU_GET_HW_INFO */
#define IOMMU_EXT_HW_INFO_INSTANCE 0x80490001
#define IOMMU_EXT_HW_INFO_WINDOWS 0x80490002
#define IOMMU_EXT_HW_INFO_VTD 0x80490003
#define IOMMU_EXT_HW_INFO_AMDVI 0x80490004
#define IOMMU_EXT_HW_INFO_TCE 0x80490005

/* data_type of IOMMU_HWPT_ALLOC */
#define IOMMU_EXT_HWPT_DATA_WINDOWS 0x80490101
#define IOMMU_EXT_HWPT_DATA_VTD_GUEST 0x80490102

/* type of IOMMU_VIOMMU_ALLOC */
#define IOMMU_EXT_VIOMMU_TYPE_VTD 0x80490201
#define IOMMU_EXT_VIOMMU_TYPE_AMDVI 0x80490202

/* data_type of IOMMU_HWPT_INVALIDATE */
#define IOMMU_EXT_INVALIDATE_DATA_VTD 0x80490301
#define IOMMU_EXT_INVALIDATE_DATA_AMDVI 0x80490302

/* type of IOMMU_VEVENTQ_ALLOC */
#define IOMMU_EXT_VEVENTQ_TYPE_VTD 0x80490401
#define IOMMU_EXT_VEVENTQ_TYPE_AMDVI 0x80490402

/**
 * enum iommu_ext_instance_flags - what two devices have in common
 * @IOMMU_EXT_INSTANCE_SAME: one physical IOMMU translates for both. A vIOMMU made
 *	for one of them takes in the other
 * @IOMMU_EXT_INSTANCE_SHARES_TABLES: a HWPT over an IOAS that was made for one of
 *	them can be attached to the other, and be the parent of vIOMMUs and nested
 *	tables for it, as long as both devices support the flags it was made with.
 *	Without the flag that may still be so: only trying tells
 */
enum iommu_ext_instance_flags {
	IOMMU_EXT_INSTANCE_SAME = 1 << 0,
	IOMMU_EXT_INSTANCE_SHARES_TABLES = 1 << 1,
};

/**
 * struct iommu_ext_instance_device - a device that has something in common
 * @dev_id: bound to the same file
 * @flags: of enum iommu_ext_instance_flags, never 0
 */
struct iommu_ext_instance_device {
	__u32 dev_id;
	__u32 flags;
};

/**
 * struct iommu_ext_hw_info_instance - which physical IOMMU is behind a device
 *                                     (IOMMU_EXT_HW_INFO_INSTANCE)
 * @id: never 0, and no other IOMMU has it until the machine is booted again: the
 *      inode number of the IOMMU's directory under /sys/class/iommu
 * @name: of that directory ("dmar0", "smmu3.0x0000000009050000"), which is the
 *        same after a reboot unless the hardware has changed
 * @driver: who drives it, as in fdinfo: "builtin" is the running kernel's own
 *          driver
 * @device_size: bytes of an entry of @devices
 * @nr_devices: entries of @devices
 * @devices: the devices bound to this file that are behind the same IOMMU or can
 *           share page tables, by id, the one that was asked about among them
 *
 * EOPNOTSUPP for an IOMMU that is not under /sys/class/iommu.
 */
struct iommu_ext_hw_info_instance {
	__aligned_u64 id;
	__u8 name[64];
	__u8 driver[32];
	__u32 device_size;
	__u32 nr_devices;
	struct iommu_ext_instance_device devices[];
};

/**
 * enum iommu_ext_range_flags - which windows can be had in a range
 * @IOMMU_EXT_RANGE_BEGIN: a window begins at the range's first address
 * @IOMMU_EXT_RANGE_SINGLE: there can be only one
 * @IOMMU_EXT_RANGE_POWER_OF_TWO: its length is a power of two; others are rounded
 *	up
 */
enum iommu_ext_range_flags {
	IOMMU_EXT_RANGE_BEGIN = 1 << 0,
	IOMMU_EXT_RANGE_SINGLE = 1 << 1,
	IOMMU_EXT_RANGE_POWER_OF_TWO = 1 << 2,
};

/**
 * struct iommu_ext_range - addresses that an IOMMU can translate
 * @first: lowest address
 * @last: highest address
 * @pgsizes: page sizes, one bit for each. In a usable range, mappings are multiples
 *           of the smallest; in a place, a window has some of them
 * @max_levels: how many levels the page table of a window can be told to have; 0 if
 *              that cannot be told. 0 in a usable range
 * @flags: of enum iommu_ext_range_flags; 0 in a usable range
 */
struct iommu_ext_range {
	__aligned_u64 first;
	__aligned_u64 last;
	__aligned_u64 pgsizes;
	__u32 max_levels;
	__u32 flags;
};

/**
 * struct iommu_ext_hw_info_windows - the addresses a device can use
 *                                    (IOMMU_EXT_HW_INFO_WINDOWS)
 * @flags: none is defined, 0
 * @max_windows: how many windows a HWPT of this device can be asked to have
 * @range_size: bytes of an entry of @ranges
 * @nr_usable: entries that are usable ranges, which come first
 * @nr_places: entries after those that are places
 * @ranges: both, each sorted by address
 *
 * Usable is what a HWPT translates that is made without data, or by attaching
 * the device to an IOAS, less what the device's group reserves: what
 * IOMMU_IOAS_IOVA_RANGES would give for an IOAS with only this device. Nothing
 * is attached to find out.
 *
 * Places are where windows can be that are asked for with
 * IOMMU_EXT_HWPT_DATA_WINDOWS. An IOMMU that translates its whole aperture
 * anyway has the usable ranges as places.
 */
struct iommu_ext_hw_info_windows {
	__u32 flags;
	__u32 max_windows;
	__u32 range_size;
	__u32 nr_usable;
	__u32 nr_places;
	__u32 __reserved;
	struct iommu_ext_range ranges[];
};

/**
 * enum iommu_ext_window_flags - how a window is wanted
 * @IOMMU_EXT_WINDOW_ANYWHERE: at any address: the kernel fills in iova
 */
enum iommu_ext_window_flags {
	IOMMU_EXT_WINDOW_ANYWHERE = 1 << 0,
};

/**
 * struct iommu_ext_window - a stretch of addresses that a HWPT has to translate
 * @iova: in: first address, unless ANYWHERE; out: the window's first address
 * @length: in: bytes, at least; out: bytes that the window has
 * @pgsize: in: the page size that mappings will be multiples of, a power of two; the
 *          window has no larger pages where there is a choice. 0: any. out:
 *          what mappings have to be multiples of, at most what was asked
 * @levels: in: levels of its page table, 0: any. Only places with max_levels
 *          take it up, others ignore it. out: the levels, 0 if there is no choice
 * @flags: of enum iommu_ext_window_flags
 *
 * @iova and @length are multiples of @pgsize, or of 1 if it is 0.
 */
struct iommu_ext_window {
	__aligned_u64 iova;
	__aligned_u64 length;
	__aligned_u64 pgsize;
	__u32 levels;
	__u32 flags;
};

/**
 * struct iommu_ext_hwpt_windows - HWPT_ALLOC with IOMMU_EXT_HWPT_DATA_WINDOWS
 * @flags: none is defined, 0
 * @window_size: bytes of an entry of @windows, at least what stands here; E2BIG if
 *               there is something else than zeroes beyond
 * @nr_windows: entries of @windows, at least 1. data_len is the whole
 * @__reserved: 0
 * @windows: what is wanted, disjoint, in any order. When the call succeeds, what
 *           there is: the memory has to be writable
 *
 * Over an IOAS only. All windows are there, or the call is refused with ENOSPC,
 * and the reason names the first window that cannot be had and the limit that it
 * meets. A window is granted if it lies in one piece in what this IOMMU
 * translates, and all other HWPTs of the IOAS, and nothing of it is reserved. On
 * an IOMMU whose windows are made on request, the HWPT has exactly these; on
 * others it has the whole aperture. Either way IOMMU_IOAS_IOVA_RANGES shows what
 * there is, and IOMMU_IOAS_ALLOW_IOVAS keeps it against devices that come later.
 */
struct iommu_ext_hwpt_windows {
	__u32 flags;
	__u32 window_size;
	__u32 nr_windows;
	__u32 __reserved;
	struct iommu_ext_window windows[];
};

/**
 * struct iommu_ext_hw_info_vtd - what a guest behind a VT-d unit can be shown
 *                                (IOMMU_EXT_HW_INFO_VTD)
 * @flags: none is defined, 0
 * @__reserved: 0
 * @cap: bits of the capability register that a guest's first stage can rely on:
 *       FS1GP, FS5LP
 * @ecap: the same of the extended capability register: SRS, EAFS, SMPWCS, SC
 *
 * Whoever answers it takes the other types for VT-d as well. EOPNOTSUPP for a unit
 * that cannot nest, and for what is not driven by a driver of /dev/iommu's own.
 */
struct iommu_ext_hw_info_vtd {
	__u32 flags;
	__u32 __reserved;
	__aligned_u64 cap;
	__aligned_u64 ecap;
};

/**
 * struct iommu_ext_hwpt_vtd_guest - HWPT_ALLOC with IOMMU_EXT_HWPT_DATA_VTD_GUEST
 * @entry: all eight words of an entry of the guest's PASID table, as the guest
 *         wrote them
 *
 * Over a vIOMMU of type IOMMU_EXT_VIOMMU_TYPE_VTD only. Beyond what
 * struct iommu_hwpt_vtd_s1 says, the domain id becomes known, by which the guest
 * names the table in its invalidations.
 *
 * P has to be set and PGTT to be 1, a first stage. A guest may set FPD, AW (which is
 * not used), DID, SRE, FSPM 0 or 1, WPE, NXE, EAFE, PWSNP and PGSNP; SRE, FSPM 1,
 * EAFE, PWSNP and PGSNP need what IOMMU_EXT_HW_INFO_VTD shows. FSPTPTR lies in what
 * the parent translates. Any other bit, and what the unit lacks, is EINVAL; the
 * reason names word and bits.
 */
struct iommu_ext_hwpt_vtd_guest {
	__aligned_u64 entry[8];
};

/**
 * struct iommu_ext_vtd_invalidate - an invalidation descriptor of a guest
 *                                   (IOMMU_EXT_INVALIDATE_DATA_VTD, on a vIOMMU)
 * @descriptor: the words, as the guest put them into its queue; entry_len is 16 for
 *              one of 128 bits, 32 for one of 256
 *
 * Taken are those for the context cache, the PASID cache, the IOTLB, the PASID-based
 * IOTLB, and device TLBs without and with PASID. Source ids are those the vDEVICEs
 * have as virt_id. Domain ids are those of IOMMU_EXT_HWPT_DATA_VTD_GUEST; a HWPT
 * made with IOMMU_HWPT_DATA_VTD_S1 counts as any. A domain id that no HWPT has is
 * no error: nothing can be cached for it. PASIDs are those of the devices.
 *
 * EIO: a descriptor of another type, one with reserved bits set, a granularity that
 * does not exist, or a source id of no device of the vIOMMU. Those in front of it
 * are done, entry_num tells how many.
 */
struct iommu_ext_vtd_invalidate {
	__aligned_u64 descriptor[4];
};

/**
 * struct iommu_ext_vevent_vtd - a fault of a guest's device
 *                               (IOMMU_EXT_VEVENTQ_TYPE_VTD)
 * @record: the two words of a fault recording register, as the guest's unit would
 *          show them: the source id is the virt_id of the vDEVICE
 *
 * Sent for requests that the unit refused while the device was attached to a nested
 * HWPT, if the reason lies in the guest's tables or in addresses they lead to
 * (reasons 0x70 and above). Others are the host's business. A device whose requests
 * go through a bridge to PCI shares its source id with others: none are sent.
 */
struct iommu_ext_vevent_vtd {
	__aligned_u64 record[2];
};

/**
 * struct iommu_ext_hw_info_amdvi - what a guest behind an AMD-Vi unit can be shown
 *                                  (IOMMU_EXT_HW_INFO_AMDVI)
 * @flags: none is defined, 0
 * @__reserved: 0
 * @efr: bits of the extended feature register that a guest's tables and commands can
 *       rely on: GTSup, IASup, GATS, GLXSup, PASmax, GIoSup
 * @efr2: the same of the second register: none yet
 *
 * Whoever answers it takes the other types for AMD-Vi as well. EOPNOTSUPP for a unit
 * that cannot nest, and for what is not driven by a driver of /dev/iommu's own.
 */
struct iommu_ext_hw_info_amdvi {
	__u32 flags;
	__u32 __reserved;
	__aligned_u64 efr;
	__aligned_u64 efr2;
};

/**
 * struct iommu_ext_amdvi_invalidate - a command of a guest
 *                                     (IOMMU_EXT_INVALIDATE_DATA_AMDVI, on a vIOMMU)
 * @command: the words, as the guest put them into its command buffer
 *
 * Taken are INVALIDATE_DEVTAB_ENTRY, INVALIDATE_IOMMU_PAGES, INVALIDATE_IOTLB_PAGES,
 * PREFETCH_IOMMU_PAGES and INVALIDATE_IOMMU_ALL. Device ids are those the vDEVICEs
 * have as virt_id, domain ids those of struct iommu_hwpt_amd_guest. A domain id that
 * no HWPT has is no error: nothing can be cached for it.
 *
 * EIO: any other command, one with reserved bits set, or a device id of no device of
 * the vIOMMU. Those in front of it are done, entry_num tells how many.
 */
struct iommu_ext_amdvi_invalidate {
	__aligned_u64 command[2];
};

/**
 * struct iommu_ext_vevent_amdvi - an event of a guest's device
 *                                 (IOMMU_EXT_VEVENTQ_TYPE_AMDVI)
 * @entry: the two words of an entry of the event log, as the guest's unit would
 *         write them: the device id is the virt_id of the vDEVICE, the domain id
 *         that of the guest
 *
 * Sent for page faults and invalid requests while the device was attached to a nested
 * HWPT. A device whose requests go through a bridge to PCI shares its device id with
 * others: none are sent.
 */
struct iommu_ext_vevent_amdvi {
	__aligned_u64 entry[2];
};

/**
 * struct iommu_ext_hw_info_tce - the windows of a device on POWER
 *                                (IOMMU_EXT_HW_INFO_TCE)
 * @dma32_first: first address of the window for devices of 32 bits
 * @dma32_length: bytes that it can have at most; 0 if there is none
 * @dma32_pgsizes: page sizes it can have, one bit for each
 * @dynamic_first: first address of the dynamic window
 * @dynamic_length: bytes that it can have at most; 0 if there is none
 * @dynamic_pgsizes: page sizes it can have, one bit for each
 * @max_levels: levels that the table of a window can have
 * @__reserved: 0
 *
 * The same is said by IOMMU_EXT_HW_INFO_WINDOWS, in terms that fit every IOMMU.
 * Lengths are powers of two. All devices of an IOMMU group share their windows:
 * one page table is attached at a time.
 */
struct iommu_ext_hw_info_tce {
	__aligned_u64 dma32_first;
	__aligned_u64 dma32_length;
	__aligned_u64 dma32_pgsizes;
	__aligned_u64 dynamic_first;
	__aligned_u64 dynamic_length;
	__aligned_u64 dynamic_pgsizes;
	__u32 max_levels;
	__u32 __reserved;
};

#endif

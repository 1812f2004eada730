/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The user interface of /dev/iommu.
 *
 * Names, numbers and layouts are those of the mainline kernel and never
 * change; tools/testing/abi compares this file with the list they come from.
 * What this project adds on its own lives in linux/iommufd_ext.h.
 */
#ifndef _UAPI_IOMMUFD_H
#define _UAPI_IOMMUFD_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define IOMMUFD_TYPE (';')

/**
 * DOC: Rules that every command follows
 *
 * A command is an ioctl on an open file of /dev/iommu and takes a pointer to
 * one struct. What is said here holds for all of them and is not repeated
 * below.
 *
 * Sizes. The first member, @size, holds sizeof() of the struct as the caller
 * was compiled. A struct shorter than the first version of the command is
 * refused with EINVAL. A longer one is accepted as long as every byte that this
 * kernel does not know is zero, else E2BIG; the kernel leaves that tail alone
 * when it writes results back.
 *
 * Growth. Flag bits, types and reserved members that this kernel does not know
 * have to be zero, else EOPNOTSUPP. A command number it does not know is
 * ENOTTY.
 *
 * Ids. Objects are named by ids, each valid only on the file that made it and
 * never 0. A member that accepts one type of object answers ENOENT to anything
 * else; a member that accepts several answers ENOENT to an id that is not
 * there and EINVAL to an object of a type that does not fit.
 *
 * Addresses, lengths and alignments count bytes. A pointer travels as a 64 bit
 * integer. A range whose end lies beyond 2^64 is EOVERFLOW.
 *
 * Results. Members named out_... and those described as updated are written
 * when everything else has succeeded. Where that last copy fails with EFAULT
 * an object that the command made goes again, as its id is known to nobody.
 *
 * Refusals. A command that fails changes nothing, unless its own description
 * says otherwise. Each refusal leaves a sentence that says why in
 * /proc/self/fdinfo/<fd>, on the line "refusal:" of the calling thread.
 *
 * Context. Commands may sleep and may be issued from many threads at once.
 * Waits for memory can be interrupted by a fatal signal.
 */
enum {
	IOMMUFD_CMD_BASE = 0x80,
	IOMMUFD_CMD_DESTROY = IOMMUFD_CMD_BASE,
	IOMMUFD_CMD_IOAS_ALLOC = 0x81,
	IOMMUFD_CMD_IOAS_ALLOW_IOVAS = 0x82,
	IOMMUFD_CMD_IOAS_COPY = 0x83,
	IOMMUFD_CMD_IOAS_IOVA_RANGES = 0x84,
	IOMMUFD_CMD_IOAS_MAP = 0x85,
	IOMMUFD_CMD_IOAS_UNMAP = 0x86,
	IOMMUFD_CMD_OPTION = 0x87,
	IOMMUFD_CMD_VFIO_IOAS = 0x88,
	IOMMUFD_CMD_HWPT_ALLOC = 0x89,
	IOMMUFD_CMD_GET_HW_INFO = 0x8a,
	IOMMUFD_CMD_HWPT_SET_DIRTY_TRACKING = 0x8b,
	IOMMUFD_CMD_HWPT_GET_DIRTY_BITMAP = 0x8c,
	IOMMUFD_CMD_HWPT_INVALIDATE = 0x8d,
	IOMMUFD_CMD_FAULT_QUEUE_ALLOC = 0x8e,
	IOMMUFD_CMD_IOAS_MAP_FILE = 0x8f,
	IOMMUFD_CMD_VIOMMU_ALLOC = 0x90,
	IOMMUFD_CMD_VDEVICE_ALLOC = 0x91,
	IOMMUFD_CMD_IOAS_CHANGE_PROCESS = 0x92,
	IOMMUFD_CMD_VEVENTQ_ALLOC = 0x93,
	IOMMUFD_CMD_HW_QUEUE_ALLOC = 0x94,
	IOMMUFD_CMD_IOAS_NOIOMMU_GET_PA = 0x95,
};

/**
 * struct iommu_destroy - ioctl(IOMMU_DESTROY), remove one object
 * @size: sizeof(struct iommu_destroy)
 * @id: the object, of any type
 *
 * EBUSY while anything uses the object: an IOAS with a HWPT or an access on it,
 * a HWPT with a device or a nested HWPT on it. A device object belongs to the
 * file that bound the device and cannot be destroyed here. ENOENT when there is
 * no such object. An IOAS that nothing uses goes together with its mappings,
 * whose pages are unpinned before the call returns.
 */
struct iommu_destroy {
	__u32 size;
	__u32 id;
};
#define IOMMU_DESTROY _IO(IOMMUFD_TYPE, IOMMUFD_CMD_DESTROY)

/**
 * struct iommu_ioas_alloc - ioctl(IOMMU_IOAS_ALLOC), a new I/O address space
 * @size: sizeof(struct iommu_ioas_alloc)
 * @flags: none is defined, so 0
 * @out_ioas_id: id of the new IOAS
 *
 * An IOAS remembers which memory stands behind which I/O virtual address. It
 * starts empty, without any device, and spans all 64 bits until devices and
 * page tables that join it narrow it down.
 */
struct iommu_ioas_alloc {
	__u32 size;
	__u32 flags;
	__u32 out_ioas_id;
};
#define IOMMU_IOAS_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_ALLOC)

/**
 * struct iommu_iova_range - one stretch of I/O virtual addresses
 * @start: its lowest address
 * @last: its highest address, which still belongs to it; at least @start
 *
 * With an inclusive end the whole 64 bit space can be written down.
 */
struct iommu_iova_range {
	__aligned_u64 start;
	__aligned_u64 last;
};

/**
 * struct iommu_ioas_iova_ranges - ioctl(IOMMU_IOAS_IOVA_RANGES), where mapping
 *                                 is possible
 * @size: sizeof(struct iommu_ioas_iova_ranges)
 * @ioas_id: the IOAS
 * @num_iovas: in: room at @allowed_iovas, in ranges; out: how many there are
 * @__reserved: 0
 * @allowed_iovas: pointer to an array of struct iommu_iova_range
 * @out_iova_alignment: what addresses and lengths of a mapping must be
 *                      multiples of, a power of two; 1 as long as no page table
 *                      takes part
 *
 * Lists, in ascending order and without overlap, the addresses that a mapping
 * may use: what every page table of the IOAS can translate, less what the
 * devices need for themselves (the MSI window above all). When there is less
 * room than ranges, as many as fit are written, @num_iovas tells the full
 * number, and the call fails with EMSGSIZE; asking with @num_iovas 0 is the way
 * to learn the number.
 *
 * The list describes this moment. Attaching a device may shrink it and
 * detaching one may widen it; only IOMMU_IOAS_ALLOW_IOVAS keeps a range.
 */
struct iommu_ioas_iova_ranges {
	__u32 size;
	__u32 ioas_id;
	__u32 num_iovas;
	__u32 __reserved;
	__aligned_u64 allowed_iovas;
	__aligned_u64 out_iova_alignment;
};
#define IOMMU_IOAS_IOVA_RANGES _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_IOVA_RANGES)

/**
 * struct iommu_ioas_allow_iovas - ioctl(IOMMU_IOAS_ALLOW_IOVAS), ranges to keep
 * @size: sizeof(struct iommu_ioas_allow_iovas)
 * @ioas_id: the IOAS
 * @num_iovas: ranges at @allowed_iovas; 0 drops the list
 * @__reserved: 0
 * @allowed_iovas: pointer to an array of struct iommu_iova_range, in any order
 *
 * Two things follow from a list. A device or page table that cannot leave all
 * of it usable is kept out of the IOAS: the attach fails with EADDRINUSE. And
 * the kernel chooses addresses only from it; a mapping that names its own
 * address is free to go elsewhere.
 *
 * Each call replaces the whole list or, failing, keeps the old one: EADDRINUSE
 * if something in the new list is reserved already, EINVAL for a range that
 * ends before it starts or that overlaps another one of the list.
 */
struct iommu_ioas_allow_iovas {
	__u32 size;
	__u32 ioas_id;
	__u32 num_iovas;
	__u32 __reserved;
	__aligned_u64 allowed_iovas;
};
#define IOMMU_IOAS_ALLOW_IOVAS _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_ALLOW_IOVAS)

/**
 * enum iommufd_ioas_map_flags - how IOMMU_IOAS_MAP, MAP_FILE and COPY map
 * @IOMMU_IOAS_MAP_FIXED_IOVA: the caller names the IOVA; without it the kernel
 *                             looks for a free one and reports it
 * @IOMMU_IOAS_MAP_WRITEABLE: the device may write
 * @IOMMU_IOAS_MAP_READABLE: the device may read
 *
 * At least one of WRITEABLE and READABLE is needed, else EINVAL. Memory without
 * WRITEABLE is never written. Memory without READABLE can still be read through
 * an IOMMU, or a driver of one, that cannot express it.
 */
enum iommufd_ioas_map_flags {
	IOMMU_IOAS_MAP_FIXED_IOVA = 1 << 0,
	IOMMU_IOAS_MAP_WRITEABLE = 1 << 1,
	IOMMU_IOAS_MAP_READABLE = 1 << 2,
};

/**
 * struct iommu_ioas_map - ioctl(IOMMU_IOAS_MAP), give memory an IOVA
 * @size: sizeof(struct iommu_ioas_map)
 * @flags: of enum iommufd_ioas_map_flags
 * @ioas_id: the IOAS
 * @__reserved: 0
 * @user_va: first byte of the memory, an address of the calling process
 * @length: in bytes, not 0
 * @iova: where it appears to devices; in with FIXED_IOVA, else out
 *
 * While a page table takes part, @iova, @length and the offset of @user_va have
 * to suit the alignment that IOMMU_IOAS_IOVA_RANGES tells (EINVAL if not), and
 * the memory is pinned and charged before the call returns: EFAULT where
 * nothing usable is mapped at @user_va (a device's BAR is not usable either),
 * ENOMEM where RLIMIT_MEMLOCK would be exceeded. Without one nothing is
 * touched yet: the memory is looked at, pinned and charged when a page table
 * joins, and the attach fails if it has gone by then.
 *
 * EEXIST when something is mapped in the range, EINVAL when it touches a
 * reserved one or leaves what the page tables can translate, ENOSPC when the
 * kernel finds no free IOVA, EFAULT also for WRITEABLE over memory that the
 * process itself may not write. An IOVA chosen by the kernel is aligned to
 * the largest power of two that divides @length, so that large pages stay
 * possible.
 */
struct iommu_ioas_map {
	__u32 size;
	__u32 flags;
	__u32 ioas_id;
	__u32 __reserved;
	__aligned_u64 user_va;
	__aligned_u64 length;
	__aligned_u64 iova;
};
#define IOMMU_IOAS_MAP _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_MAP)

/**
 * struct iommu_ioas_noiommu_get_pa - ioctl(IOMMU_IOAS_NOIOMMU_GET_PA), physical
 *                                    address behind an IOVA
 * @size: sizeof(struct iommu_ioas_noiommu_get_pa)
 * @flags: none is defined, so 0
 * @ioas_id: the IOAS
 * @__reserved: 0
 * @iova: address to look up
 * @length: in: how far to look, not 0; out: contiguous bytes found there, never
 *          more than asked
 * @out_phys: physical address of @iova
 *
 * For devices that were bound without any IOMMU and so address memory
 * physically. Needs CAP_SYS_RAWIO (EPERM). ENOENT where nothing is mapped,
 * EINVAL for a zero @length, EOVERFLOW for a range that wraps. EOPNOTSUPP if no
 * such device uses the IOAS, or a dma-buf is mapped there. What was found is
 * within one mapping, and true until that is unmapped.
 */
struct iommu_ioas_noiommu_get_pa {
	__u32 size;
	__u32 flags;
	__u32 ioas_id;
	__u32 __reserved;
	__aligned_u64 iova;
	__aligned_u64 length;
	__aligned_u64 out_phys;
};
#define IOMMU_IOAS_NOIOMMU_GET_PA \
	_IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_NOIOMMU_GET_PA)

/**
 * struct iommu_ioas_map_file - ioctl(IOMMU_IOAS_MAP_FILE), give a part of a
 *                              file an IOVA
 * @size: sizeof(struct iommu_ioas_map_file)
 * @flags: of enum iommufd_ioas_map_flags
 * @ioas_id: the IOAS
 * @fd: open file of a memfd, shmem or hugetlbfs file, or a dma-buf that may be
 *      mapped so; the mapping keeps the memory, the fd itself may be closed
 * @start: first byte in the file
 * @length: in bytes, not 0
 * @iova: as in struct iommu_ioas_map
 *
 * Like IOMMU_IOAS_MAP, of what the file holds rather than of what the caller
 * has mapped; pages are pinned a whole folio at a time. The file may be longer
 * than the range but not shorter: @start + @length beyond its end is EINVAL.
 * EBADF when @fd is not open, EOPNOTSUPP for a file of another kind, EPERM for
 * WRITEABLE over a file that is sealed or not open for writing, ENODEV for a
 * dma-buf that its exporter has revoked.
 */
struct iommu_ioas_map_file {
	__u32 size;
	__u32 flags;
	__u32 ioas_id;
	__s32 fd;
	__aligned_u64 start;
	__aligned_u64 length;
	__aligned_u64 iova;
};
#define IOMMU_IOAS_MAP_FILE _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_MAP_FILE)

/**
 * struct iommu_ioas_copy - ioctl(IOMMU_IOAS_COPY), map once more what is mapped
 * @size: sizeof(struct iommu_ioas_copy)
 * @flags: of enum iommufd_ioas_map_flags, for the new mapping
 * @dst_ioas_id: the IOAS that gets the new mapping
 * @src_ioas_id: the IOAS that holds the old one, perhaps the same
 * @length: in bytes, not 0
 * @dst_iova: where the new mapping goes; in with FIXED_IOVA, else out
 * @src_iova: first byte in the source
 *
 * The source range has to be covered without a gap, else ENOENT. Both mappings
 * share the pinned memory, which is charged once. For the new mapping the rules
 * and errors of IOMMU_IOAS_MAP hold; it may not write what the source may not
 * write (EPERM).
 */
struct iommu_ioas_copy {
	__u32 size;
	__u32 flags;
	__u32 dst_ioas_id;
	__u32 src_ioas_id;
	__aligned_u64 length;
	__aligned_u64 dst_iova;
	__aligned_u64 src_iova;
};
#define IOMMU_IOAS_COPY _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_COPY)

/**
 * struct iommu_ioas_unmap - ioctl(IOMMU_IOAS_UNMAP), take mappings away
 * @size: sizeof(struct iommu_ioas_unmap)
 * @ioas_id: the IOAS
 * @iova: first address; 0 for everything
 * @length: in: bytes, not 0, or U64_MAX for everything; out: bytes that were
 *          mapped
 *
 * Removes every mapping that lies wholly in the range, gaps allowed. A range
 * that would cut a mapping in two, or that holds none, is ENOENT; "everything"
 * never is. When the call returns no device can reach the memory by these
 * addresses, no translation of them is cached anywhere, and the pages are no
 * longer pinned on their account. EBUSY while hardware reads a queue that lies
 * in the range (IOMMU_HW_QUEUE_ALLOC).
 */
struct iommu_ioas_unmap {
	__u32 size;
	__u32 ioas_id;
	__aligned_u64 iova;
	__aligned_u64 length;
};
#define IOMMU_IOAS_UNMAP _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_UNMAP)

/**
 * enum iommufd_option - what IOMMU_OPTION can set
 * @IOMMU_OPTION_RLIMIT_MODE: of the whole file (object_id 0): 0, the default,
 *	charges pinned memory to the user, 1 to the process. Either way
 *	RLIMIT_MEMLOCK is the bound and CAP_IPC_LOCK lifts it. Setting it needs
 *	CAP_SYS_RESOURCE (EPERM) and a file without any object (EBUSY).
 * @IOMMU_OPTION_HUGE_PAGES: of an IOAS: 1, the default, lets page tables use
 *	the largest pages that fit, 0 gives them CPU pages and nothing larger.
 *	Switching it off is EADDRINUSE while a mapping is not aligned to CPU
 *	pages.
 */
enum iommufd_option {
	IOMMU_OPTION_RLIMIT_MODE = 0,
	IOMMU_OPTION_HUGE_PAGES = 1,
};

/**
 * enum iommufd_option_ops - what to do with an option
 * @IOMMU_OPTION_OP_SET: take the value from val64
 * @IOMMU_OPTION_OP_GET: write the value in force to val64
 */
enum iommufd_option_ops {
	IOMMU_OPTION_OP_SET = 0,
	IOMMU_OPTION_OP_GET = 1,
};

/**
 * struct iommu_option - ioctl(IOMMU_OPTION), read or write one option
 * @size: sizeof(struct iommu_option)
 * @option_id: of enum iommufd_option, else EOPNOTSUPP
 * @op: of enum iommufd_option_ops, else EOPNOTSUPP
 * @__reserved: 0
 * @object_id: the object the option belongs to; 0 where it belongs to the file
 * @val64: the value; each option defines its own, EINVAL for any other
 */
struct iommu_option {
	__u32 size;
	__u32 option_id;
	__u16 op;
	__u16 __reserved;
	__u32 object_id;
	__aligned_u64 val64;
};
#define IOMMU_OPTION _IO(IOMMUFD_TYPE, IOMMUFD_CMD_OPTION)

/**
 * enum iommufd_vfio_ioas_op - what IOMMU_VFIO_IOAS does
 * @IOMMU_VFIO_IOAS_GET: tell the compatibility IOAS, ENODEV if there is none
 * @IOMMU_VFIO_IOAS_SET: make ioas_id the one
 * @IOMMU_VFIO_IOAS_CLEAR: have none
 */
enum iommufd_vfio_ioas_op {
	IOMMU_VFIO_IOAS_GET = 0,
	IOMMU_VFIO_IOAS_SET = 1,
	IOMMU_VFIO_IOAS_CLEAR = 2,
};

/**
 * struct iommu_vfio_ioas - ioctl(IOMMU_VFIO_IOAS), the IOAS that VFIO container
 *                          calls work on
 * @size: sizeof(struct iommu_vfio_ioas)
 * @ioas_id: in for SET, out for GET
 * @op: of enum iommufd_vfio_ioas_op, else EOPNOTSUPP
 * @__reserved: 0
 *
 * A file of /dev/iommu also answers the calls of a VFIO type1 container; this
 * chooses the IOAS they act upon.
 */
struct iommu_vfio_ioas {
	__u32 size;
	__u32 ioas_id;
	__u16 op;
	__u16 __reserved;
};
#define IOMMU_VFIO_IOAS _IO(IOMMUFD_TYPE, IOMMUFD_CMD_VFIO_IOAS)

/**
 * enum iommufd_hwpt_alloc_flags - what a new hardware page table is for
 * @IOMMU_HWPT_ALLOC_NEST_PARENT: it may stand under nested page tables
 * @IOMMU_HWPT_ALLOC_DIRTY_TRACKING: it can record which pages devices wrote,
 *                                   and only devices that support this may use
 *                                   it
 * @IOMMU_HWPT_FAULT_ID_VALID: fault_id names a fault queue; not together with
 *                             NEST_PARENT
 * @IOMMU_HWPT_ALLOC_PASID: it may be attached to PASIDs. As long as a device as
 *                          such sits on a table without this flag its PASIDs
 *                          stay unattached (EINVAL), and the other way round.
 *
 * EOPNOTSUPP for what the device's IOMMU cannot do.
 */
enum iommufd_hwpt_alloc_flags {
	IOMMU_HWPT_ALLOC_NEST_PARENT = 1 << 0,
	IOMMU_HWPT_ALLOC_DIRTY_TRACKING = 1 << 1,
	IOMMU_HWPT_FAULT_ID_VALID = 1 << 2,
	IOMMU_HWPT_ALLOC_PASID = 1 << 3,
};

/**
 * enum iommu_hwpt_vtd_s1_flags - bits of a VT-d PASID table entry that the
 *                                guest's first stage may set
 * @IOMMU_VTD_S1_SRE: allow supervisor requests
 * @IOMMU_VTD_S1_EAFE: maintain the extended accessed bit
 * @IOMMU_VTD_S1_WPE: honour write protection for supervisor requests
 */
enum iommu_hwpt_vtd_s1_flags {
	IOMMU_VTD_S1_SRE = 1 << 0,
	IOMMU_VTD_S1_EAFE = 1 << 1,
	IOMMU_VTD_S1_WPE = 1 << 2,
};

/**
 * struct iommu_hwpt_vtd_s1 - a guest's VT-d first stage (DATA_VTD_S1)
 * @flags: of enum iommu_hwpt_vtd_s1_flags
 * @pgtbl_addr: guest physical address of the top table
 * @addr_width: width of the addresses it translates, in bits
 * @__reserved: 0
 */
struct iommu_hwpt_vtd_s1 {
	__aligned_u64 flags;
	__aligned_u64 pgtbl_addr;
	__u32 addr_width;
	__u32 __reserved;
};

/**
 * struct iommu_hwpt_arm_smmuv3 - a guest's SMMUv3 stream table entry
 *                                (DATA_ARM_SMMUV3)
 * @ste: the first two words of the entry as the guest wrote them. Only the
 *       fields that select and describe stage 1 may be set, others EIO: the
 *       host owns the rest of the entry.
 */
struct iommu_hwpt_arm_smmuv3 {
	__aligned_le64 ste[2];
};

/**
 * struct iommu_hwpt_amd_guest - a guest's AMD device table entry
 *                               (DATA_AMD_GUEST)
 * @dte: all four words of the entry as the guest wrote them; only what
 *       describes the guest's own translation is used
 */
struct iommu_hwpt_amd_guest {
	__aligned_u64 dte[4];
};

/**
 * enum iommu_hwpt_data_type - what data_uptr of IOMMU_HWPT_ALLOC points to
 * @IOMMU_HWPT_DATA_NONE: nothing; a table that the kernel fills from an IOAS
 * @IOMMU_HWPT_DATA_VTD_S1: struct iommu_hwpt_vtd_s1
 * @IOMMU_HWPT_DATA_ARM_SMMUV3: struct iommu_hwpt_arm_smmuv3
 * @IOMMU_HWPT_DATA_AMD_GUEST: struct iommu_hwpt_amd_guest
 */
enum iommu_hwpt_data_type {
	IOMMU_HWPT_DATA_NONE = 0,
	IOMMU_HWPT_DATA_VTD_S1 = 1,
	IOMMU_HWPT_DATA_ARM_SMMUV3 = 2,
	IOMMU_HWPT_DATA_AMD_GUEST = 3,
};

/**
 * struct iommu_hwpt_alloc - ioctl(IOMMU_HWPT_ALLOC), a new hardware page table
 * @size: sizeof(struct iommu_hwpt_alloc); 24 is accepted
 * @flags: of enum iommufd_hwpt_alloc_flags
 * @dev_id: a bound device; the table is made by its IOMMU and fits devices
 *          like it
 * @pt_id: an IOAS for a table that mirrors it; a HWPT made with NEST_PARENT, or
 *         a vIOMMU, for a nested table on top of it. EINVAL for anything else
 * @out_hwpt_id: id of the new HWPT
 * @__reserved: 0
 * @data_type: of enum iommu_hwpt_data_type
 * @data_len: bytes at @data_uptr
 * @data_uptr: pointer to the struct that @data_type tells
 * @fault_id: a fault queue, with IOMMU_HWPT_FAULT_ID_VALID
 * @__reserved2: 0
 *
 * A table over an IOAS holds all of its mappings when the call returns and
 * follows it from then on, attached or not; that memory is pinned and charged
 * now if nothing had pinned it before (EFAULT, ENOMEM). EADDRINUSE when it
 * cannot translate all that IOMMU_IOAS_ALLOW_IOVAS keeps. What the device itself
 * reserves, its MSI window, counts when it is attached.
 *
 * A nested table translates guest addresses to addresses of its parent. With
 * DATA_NONE it is EINVAL, with a type that the IOMMU does not know EOPNOTSUPP,
 * with a null @data_uptr EFAULT, with @data_len shorter or longer than the
 * struct EINVAL.
 */
struct iommu_hwpt_alloc {
	__u32 size;
	__u32 flags;
	__u32 dev_id;
	__u32 pt_id;
	__u32 out_hwpt_id;
	__u32 __reserved;
	__u32 data_type;
	__u32 data_len;
	__aligned_u64 data_uptr;
	__u32 fault_id;
	__u32 __reserved2;
};
#define IOMMU_HWPT_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_HWPT_ALLOC)

/**
 * enum iommu_hw_info_vtd_flags - notes on a VT-d unit
 * @IOMMU_HW_INFO_VTD_ERRATA_772415_SPR17: a table that is mapped read-only must
 *	not lie under a nested one: the unit may write through it
 */
enum iommu_hw_info_vtd_flags {
	IOMMU_HW_INFO_VTD_ERRATA_772415_SPR17 = 1 << 0,
};

/**
 * struct iommu_hw_info_vtd - what a VT-d unit says of itself
 * @flags: of enum iommu_hw_info_vtd_flags
 * @__reserved: 0
 * @cap_reg: the capability register
 * @ecap_reg: the extended capability register
 */
struct iommu_hw_info_vtd {
	__u32 flags;
	__u32 __reserved;
	__aligned_u64 cap_reg;
	__aligned_u64 ecap_reg;
};

/**
 * enum iommu_hw_info_arm_smmuv3_flags - notes on an SMMUv3
 * @IOMMU_HW_INFO_ARM_SMMUV3_ERRATA_REPEAT_TLBI_CFGI: a guest has to issue each
 *	TLB and configuration invalidation twice
 */
enum iommu_hw_info_arm_smmuv3_flags {
	IOMMU_HW_INFO_ARM_SMMUV3_ERRATA_REPEAT_TLBI_CFGI = 1 << 0,
};

/**
 * struct iommu_hw_info_arm_smmuv3 - what an SMMUv3 says of itself
 * @flags: of enum iommu_hw_info_arm_smmuv3_flags
 * @__reserved: 0
 * @idr: the registers IDR0 to IDR5, raw
 * @iidr: the register IIDR, raw
 * @aidr: the register AIDR, raw
 *
 * Raw means that a feature can show up here which the kernel does not use; a
 * VMM should pass on only those whose meaning it knows.
 */
struct iommu_hw_info_arm_smmuv3 {
	__u32 flags;
	__u32 __reserved;
	__u32 idr[6];
	__u32 iidr;
	__u32 aidr;
};

/**
 * struct iommu_hw_info_tegra241_cmdqv - an SMMUv3's command queue extension
 * @flags: none is defined, 0
 * @version: of the extension
 * @log2vcmdqs: log2 of the virtual command queues of one virtual interface
 * @log2vsids: log2 of the stream ids of one virtual interface
 * @__reserved: 0
 */
struct iommu_hw_info_tegra241_cmdqv {
	__u32 flags;
	__u8 version;
	__u8 log2vcmdqs;
	__u8 log2vsids;
	__u8 __reserved;
};

/**
 * struct iommu_hw_info_amd - what an AMD IOMMU says of itself
 * @efr: the extended feature register
 * @efr2: the second extended feature register
 */
struct iommu_hw_info_amd {
	__aligned_u64 efr;
	__aligned_u64 efr2;
};

/**
 * enum iommu_hw_info_type - what data_uptr of IOMMU_GET_HW_INFO receives
 * @IOMMU_HW_INFO_TYPE_NONE: out: the IOMMU has nothing to tell
 * @IOMMU_HW_INFO_TYPE_DEFAULT: in: whatever it has
 * @IOMMU_HW_INFO_TYPE_INTEL_VTD: struct iommu_hw_info_vtd
 * @IOMMU_HW_INFO_TYPE_ARM_SMMUV3: struct iommu_hw_info_arm_smmuv3
 * @IOMMU_HW_INFO_TYPE_TEGRA241_CMDQV: struct iommu_hw_info_tegra241_cmdqv
 * @IOMMU_HW_INFO_TYPE_AMD: struct iommu_hw_info_amd
 */
enum iommu_hw_info_type {
	IOMMU_HW_INFO_TYPE_NONE = 0,
	IOMMU_HW_INFO_TYPE_DEFAULT = 0,
	IOMMU_HW_INFO_TYPE_INTEL_VTD = 1,
	IOMMU_HW_INFO_TYPE_ARM_SMMUV3 = 2,
	IOMMU_HW_INFO_TYPE_TEGRA241_CMDQV = 3,
	IOMMU_HW_INFO_TYPE_AMD = 4,
};

/**
 * enum iommufd_hw_capabilities - what the core can do with a device
 * @IOMMU_HW_CAP_DIRTY_TRACKING: HWPTs for it can track dirty pages
 * @IOMMU_HW_CAP_PCI_PASID_EXEC: its PASID capability offers execute permission
 * @IOMMU_HW_CAP_PCI_PASID_PRIV: its PASID capability offers privileged mode
 * @IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED: it will never translate through ATS, so
 *                                      a VMM should not offer ATS for it
 */
enum iommufd_hw_capabilities {
	IOMMU_HW_CAP_DIRTY_TRACKING = 1 << 0,
	IOMMU_HW_CAP_PCI_PASID_EXEC = 1 << 1,
	IOMMU_HW_CAP_PCI_PASID_PRIV = 1 << 2,
	IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED = 1 << 3,
};

/**
 * enum iommufd_hw_info_flags - how IOMMU_GET_HW_INFO is asked
 * @IOMMU_HW_INFO_FLAG_INPUT_TYPE: in_data_type says which type is wanted;
 *                                 EOPNOTSUPP if the IOMMU has not got it
 */
enum iommufd_hw_info_flags {
	IOMMU_HW_INFO_FLAG_INPUT_TYPE = 1 << 0,
};

/**
 * struct iommu_hw_info - ioctl(IOMMU_GET_HW_INFO), describe a device's IOMMU
 * @size: sizeof(struct iommu_hw_info); 32 is accepted
 * @flags: of enum iommufd_hw_info_flags
 * @dev_id: a bound device
 * @data_len: in: bytes at @data_uptr; out: bytes that the kernel has to tell
 * @data_uptr: buffer for them; may be null if @data_len is 0
 * @in_data_type: wanted type, with IOMMU_HW_INFO_FLAG_INPUT_TYPE, else unused
 * @out_data_type: of enum iommu_hw_info_type
 * @out_max_pasid_log2: width of the PASIDs that the device may use, in bits; 0
 *                      if none
 * @__reserved: 0
 * @out_capabilities: of enum iommufd_hw_capabilities
 *
 * A buffer that is too short receives the first part, one that is too long is
 * filled up with zeroes, and @data_len always comes back as what the kernel
 * has. An IOMMU without anything to tell is a success with type NONE and
 * length 0.
 */
struct iommu_hw_info {
	__u32 size;
	__u32 flags;
	__u32 dev_id;
	__u32 data_len;
	__aligned_u64 data_uptr;
	union {
		__u32 in_data_type;
		__u32 out_data_type;
	};
	__u8 out_max_pasid_log2;
	__u8 __reserved[3];
	__aligned_u64 out_capabilities;
};
#define IOMMU_GET_HW_INFO _IO(IOMMUFD_TYPE, IOMMUFD_CMD_GET_HW_INFO)

/**
 * enum iommufd_hwpt_set_dirty_tracking_flags - state of dirty tracking
 * @IOMMU_HWPT_DIRTY_TRACKING_ENABLE: on; without it off
 */
enum iommufd_hwpt_set_dirty_tracking_flags {
	IOMMU_HWPT_DIRTY_TRACKING_ENABLE = 1 << 0,
};

/**
 * struct iommu_hwpt_set_dirty_tracking - ioctl(IOMMU_HWPT_SET_DIRTY_TRACKING),
 *                                        start or stop recording writes
 * @size: sizeof(struct iommu_hwpt_set_dirty_tracking)
 * @flags: of enum iommufd_hwpt_set_dirty_tracking_flags
 * @hwpt_id: a HWPT made with IOMMU_HWPT_ALLOC_DIRTY_TRACKING
 * @__reserved: 0
 *
 * Recording starts with every page clean.
 */
struct iommu_hwpt_set_dirty_tracking {
	__u32 size;
	__u32 flags;
	__u32 hwpt_id;
	__u32 __reserved;
};
#define IOMMU_HWPT_SET_DIRTY_TRACKING \
	_IO(IOMMUFD_TYPE, IOMMUFD_CMD_HWPT_SET_DIRTY_TRACKING)

/**
 * enum iommufd_hwpt_get_dirty_bitmap_flags - how the bitmap is read
 * @IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR: leave the dirty state as it is, which
 *	saves the invalidation; for a range about to be unmapped
 */
enum iommufd_hwpt_get_dirty_bitmap_flags {
	IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR = 1 << 0,
};

/**
 * struct iommu_hwpt_get_dirty_bitmap - ioctl(IOMMU_HWPT_GET_DIRTY_BITMAP), read
 *                                      which pages were written
 * @size: sizeof(struct iommu_hwpt_get_dirty_bitmap)
 * @hwpt_id: a HWPT whose dirty tracking is on
 * @flags: of enum iommufd_hwpt_get_dirty_bitmap_flags
 * @__reserved: 0
 * @iova: first address
 * @length: in bytes
 * @page_size: bytes that one bit stands for, a power of two
 * @data: pointer to the bitmap, in __u64 words, lowest bit first; bits of dirty
 *        pages are set, the others are left as they are
 *
 * A page is reported in the calls after the write and is then clean again,
 * unless NO_CLEAR was given.
 */
struct iommu_hwpt_get_dirty_bitmap {
	__u32 size;
	__u32 hwpt_id;
	__u32 flags;
	__u32 __reserved;
	__aligned_u64 iova;
	__aligned_u64 length;
	__aligned_u64 page_size;
	__aligned_u64 data;
};
#define IOMMU_HWPT_GET_DIRTY_BITMAP \
	_IO(IOMMUFD_TYPE, IOMMUFD_CMD_HWPT_GET_DIRTY_BITMAP)

/**
 * enum iommu_hwpt_invalidate_data_type - what the array of IOMMU_HWPT_INVALIDATE
 *                                        consists of
 * @IOMMU_HWPT_INVALIDATE_DATA_VTD_S1: struct iommu_hwpt_vtd_s1_invalidate, for
 *                                     a nested HWPT
 * @IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3:
 *	struct iommu_viommu_arm_smmuv3_invalidate, for a vIOMMU
 */
enum iommu_hwpt_invalidate_data_type {
	IOMMU_HWPT_INVALIDATE_DATA_VTD_S1 = 0,
	IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3 = 1,
};

/**
 * enum iommu_hwpt_vtd_s1_invalidate_flags - scope of a VT-d entry
 * @IOMMU_VTD_INV_FLAGS_LEAF: only leaves changed, upper tables may stay cached
 */
enum iommu_hwpt_vtd_s1_invalidate_flags {
	IOMMU_VTD_INV_FLAGS_LEAF = 1 << 0,
};

/**
 * struct iommu_hwpt_vtd_s1_invalidate - one range of a VT-d first stage
 * @addr: first guest I/O address, aligned to 4096; 0 with all of @npages set
 *        stands for the whole table
 * @npages: pages of 4096 bytes
 * @flags: of enum iommu_hwpt_vtd_s1_invalidate_flags
 * @__reserved: 0
 *
 * The device's own TLB is invalidated with it.
 */
struct iommu_hwpt_vtd_s1_invalidate {
	__aligned_u64 addr;
	__aligned_u64 npages;
	__u32 flags;
	__u32 __reserved;
};

/**
 * struct iommu_viommu_arm_smmuv3_invalidate - one SMMUv3 command
 * @cmd: the two words of the command, as the guest put them into its queue
 *
 * Accepted are TLBI_NH_ALL, TLBI_NH_ASID, TLBI_NH_VA, TLBI_NH_VAA,
 * TLBI_NSNH_ALL, CFGI_CD, CFGI_CD_ALL and ATC_INV, with stream ids as the guest
 * knows them. Anything else is EIO.
 */
struct iommu_viommu_arm_smmuv3_invalidate {
	__aligned_le64 cmd[2];
};

/**
 * struct iommu_hwpt_invalidate - ioctl(IOMMU_HWPT_INVALIDATE), drop what is
 *                                cached of a guest's tables
 * @size: sizeof(struct iommu_hwpt_invalidate)
 * @hwpt_id: a nested HWPT or a vIOMMU
 * @data_uptr: pointer to the array
 * @data_type: of enum iommu_hwpt_invalidate_data_type
 * @entry_len: bytes of one entry, 1 to the size of a page
 * @entry_num: in: entries, at most 1 << 19; out: how many are done, counted
 *             from the first and also when the call fails
 * @__reserved: 0
 *
 * With @entry_num 0 nothing is done and the answer tells whether @data_type is
 * known. EINVAL for a null pointer, or a length or number out of range.
 */
struct iommu_hwpt_invalidate {
	__u32 size;
	__u32 hwpt_id;
	__aligned_u64 data_uptr;
	__u32 data_type;
	__u32 entry_len;
	__u32 entry_num;
	__u32 __reserved;
};
#define IOMMU_HWPT_INVALIDATE _IO(IOMMUFD_TYPE, IOMMUFD_CMD_HWPT_INVALIDATE)

/**
 * enum iommu_hwpt_pgfault_flags - form of a page request
 * @IOMMU_PGFAULT_FLAGS_PASID_VALID: pasid means something
 * @IOMMU_PGFAULT_FLAGS_LAST_PAGE: ends its group; the group is answered as one
 */
enum iommu_hwpt_pgfault_flags {
	IOMMU_PGFAULT_FLAGS_PASID_VALID = 1 << 0,
	IOMMU_PGFAULT_FLAGS_LAST_PAGE = 1 << 1,
};

/**
 * enum iommu_hwpt_pgfault_perm - access that a page request asks for
 * @IOMMU_PGFAULT_PERM_READ: read
 * @IOMMU_PGFAULT_PERM_WRITE: write
 * @IOMMU_PGFAULT_PERM_EXEC: execute
 * @IOMMU_PGFAULT_PERM_PRIV: in privileged mode
 */
enum iommu_hwpt_pgfault_perm {
	IOMMU_PGFAULT_PERM_READ = 1 << 0,
	IOMMU_PGFAULT_PERM_WRITE = 1 << 1,
	IOMMU_PGFAULT_PERM_EXEC = 1 << 2,
	IOMMU_PGFAULT_PERM_PRIV = 1 << 3,
};

/**
 * struct iommu_hwpt_pgfault - one page request, read from a fault queue
 * @flags: of enum iommu_hwpt_pgfault_flags
 * @dev_id: the device object it came from
 * @pasid: its PASID, with IOMMU_PGFAULT_FLAGS_PASID_VALID
 * @grpid: group of requests it belongs to
 * @perm: of enum iommu_hwpt_pgfault_perm
 * @__reserved: 0
 * @addr: address of the access
 * @length: bytes wanted at @addr; a hint, 0 if the device gave none
 * @cookie: to be given back with the answer
 */
struct iommu_hwpt_pgfault {
	__u32 flags;
	__u32 dev_id;
	__u32 pasid;
	__u32 grpid;
	__u32 perm;
	__u32 __reserved;
	__aligned_u64 addr;
	__u32 length;
	__u32 cookie;
};

/**
 * enum iommufd_page_response_code - answer to a page request
 * @IOMMUFD_PAGE_RESP_SUCCESS: mapped now; the device tries again
 * @IOMMUFD_PAGE_RESP_INVALID: will not be mapped; the device gives up
 */
enum iommufd_page_response_code {
	IOMMUFD_PAGE_RESP_SUCCESS = 0,
	IOMMUFD_PAGE_RESP_INVALID = 1,
};

/**
 * struct iommu_hwpt_page_response - one answer, written to a fault queue
 * @cookie: the one of the request
 * @code: of enum iommufd_page_response_code
 */
struct iommu_hwpt_page_response {
	__u32 cookie;
	__u32 code;
};

/**
 * struct iommu_fault_alloc - ioctl(IOMMU_FAULT_QUEUE_ALLOC), a queue for page
 *                            requests
 * @size: sizeof(struct iommu_fault_alloc)
 * @flags: none is defined, so 0
 * @out_fault_id: id of the queue, for IOMMU_HWPT_ALLOC
 * @out_fault_fd: file to read() struct iommu_hwpt_pgfault from and write()
 *                struct iommu_hwpt_page_response to, whole ones only; poll()
 *                works. The caller closes it.
 *
 * Requests are read by whole groups, as many as fit, the oldest first; EINVAL
 * if the first does not fit. Reading never waits: 0 if there is none, EAGAIN
 * with O_NONBLOCK. All requests of a group have one cookie and are answered by
 * one response. A write of several responses returns how far it came; EINVAL
 * for a code, a cookie or a number of bytes that is none.
 *
 * The kernel answers IOMMUFD_PAGE_RESP_INVALID for the user when a device
 * leaves the HWPT whose requests wait, when the last descriptor of the file is
 * closed, and to what exceeds 8192 requests of one device. Cookies that were
 * read before are then unknown.
 *
 * The open file keeps the queue (EBUSY), and everything of this /dev/iommu.
 */
struct iommu_fault_alloc {
	__u32 size;
	__u32 flags;
	__u32 out_fault_id;
	__u32 out_fault_fd;
};
#define IOMMU_FAULT_QUEUE_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_FAULT_QUEUE_ALLOC)

/**
 * enum iommu_viommu_type - kinds of vIOMMU
 * @IOMMU_VIOMMU_TYPE_DEFAULT: none, answered with EOPNOTSUPP
 * @IOMMU_VIOMMU_TYPE_ARM_SMMUV3: part of an SMMUv3
 * @IOMMU_VIOMMU_TYPE_TEGRA241_CMDQV: an SMMUv3 with the command queue
 *	extension; struct iommu_viommu_tegra241_cmdqv travels along
 */
enum iommu_viommu_type {
	IOMMU_VIOMMU_TYPE_DEFAULT = 0,
	IOMMU_VIOMMU_TYPE_ARM_SMMUV3 = 1,
	IOMMU_VIOMMU_TYPE_TEGRA241_CMDQV = 2,
};

/**
 * struct iommu_viommu_tegra241_cmdqv - data of VIOMMU_TYPE_TEGRA241_CMDQV
 * @out_vintf_mmap_offset: offset for mmap() on the iommufd, of the registers
 *                         that the guest may use directly
 * @out_vintf_mmap_length: their length, in bytes
 */
struct iommu_viommu_tegra241_cmdqv {
	__aligned_u64 out_vintf_mmap_offset;
	__aligned_u64 out_vintf_mmap_length;
};

/**
 * struct iommu_viommu_alloc - ioctl(IOMMU_VIOMMU_ALLOC), a slice of a physical
 *                             IOMMU for one VM
 * @size: sizeof(struct iommu_viommu_alloc); 24 is accepted
 * @flags: none is defined, so 0
 * @type: of enum iommu_viommu_type; EOPNOTSUPP if the IOMMU has not got it
 * @dev_id: a bound device; its IOMMU is the one
 * @hwpt_id: the stage 2, a HWPT made with IOMMU_HWPT_ALLOC_NEST_PARENT, else
 *           EINVAL; IOMMUs that are alike may share it between vIOMMUs
 * @out_viommu_id: id of the vIOMMU
 * @data_len: bytes at @data_uptr
 * @__reserved: 0
 * @data_uptr: pointer to the struct that belongs to @type, if any does
 */
struct iommu_viommu_alloc {
	__u32 size;
	__u32 flags;
	__u32 type;
	__u32 dev_id;
	__u32 hwpt_id;
	__u32 out_viommu_id;
	__u32 data_len;
	__u32 __reserved;
	__aligned_u64 data_uptr;
};
#define IOMMU_VIOMMU_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_VIOMMU_ALLOC)

/**
 * struct iommu_vdevice_alloc - ioctl(IOMMU_VDEVICE_ALLOC), how a VM calls a
 *                              device
 * @size: sizeof(struct iommu_vdevice_alloc)
 * @viommu_id: the vIOMMU
 * @dev_id: a bound device behind the same physical IOMMU; it can have one
 *          vDEVICE at a time
 * @out_vdevice_id: id of the vDEVICE
 * @virt_id: what the guest's IOMMU driver calls the device: a stream id, a
 *           device id, a requester id; EEXIST if the vIOMMU knows it already
 *
 * To be destroyed before the device is unbound. A device that goes first takes
 * the vDEVICE along, and the id is unusable until the file is closed.
 */
struct iommu_vdevice_alloc {
	__u32 size;
	__u32 viommu_id;
	__u32 dev_id;
	__u32 out_vdevice_id;
	__aligned_u64 virt_id;
};
#define IOMMU_VDEVICE_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_VDEVICE_ALLOC)

/**
 * struct iommu_ioas_change_process - ioctl(IOMMU_IOAS_CHANGE_PROCESS), charge
 *                                    the caller from now on
 * @size: sizeof(struct iommu_ioas_change_process)
 * @__reserved: 0
 *
 * Moves what every IOAS of this file has pinned from the account of the process
 * that mapped it to the caller's, all or nothing. For a VMM that hands a
 * running device to its successor. Memory of a process cannot move, so EINVAL
 * unless each mapping came from IOMMU_IOAS_MAP_FILE.
 */
struct iommu_ioas_change_process {
	__u32 size;
	__u32 __reserved;
};
#define IOMMU_IOAS_CHANGE_PROCESS \
	_IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_CHANGE_PROCESS)

/**
 * enum iommu_veventq_flag - what a vEVENT header may say
 * @IOMMU_VEVENTQ_FLAG_LOST_EVENTS: the queue was full and events behind the
 *                                  last one read are gone; no data follows,
 *                                  and nothing behind it in the same read()
 */
enum iommu_veventq_flag {
	IOMMU_VEVENTQ_FLAG_LOST_EVENTS = 1 << 0,
};

/**
 * struct iommufd_vevent_header - stands before each event of a vEVENTQ
 * @flags: of enum iommu_veventq_flag
 * @sequence: counts events from 0 to INT_MAX and around; a step of more than
 *            one tells how many are missing in between
 */
struct iommufd_vevent_header {
	__u32 flags;
	__u32 sequence;
};

/**
 * enum iommu_veventq_type - what the events of a vEVENTQ look like
 * @IOMMU_VEVENTQ_TYPE_DEFAULT: none, answered with EOPNOTSUPP
 * @IOMMU_VEVENTQ_TYPE_ARM_SMMUV3: struct iommu_vevent_arm_smmuv3
 * @IOMMU_VEVENTQ_TYPE_TEGRA241_CMDQV: struct iommu_vevent_tegra241_cmdqv
 */
enum iommu_veventq_type {
	IOMMU_VEVENTQ_TYPE_DEFAULT = 0,
	IOMMU_VEVENTQ_TYPE_ARM_SMMUV3 = 1,
	IOMMU_VEVENTQ_TYPE_TEGRA241_CMDQV = 2,
};

/**
 * struct iommu_vevent_arm_smmuv3 - one event record of an SMMUv3
 * @evt: its four words, with the stream id that the guest knows
 *
 * Translation faults, address size, access and permission faults, and the
 * errors in stream table entries, substream ids and context descriptors that
 * the guest itself can cause.
 */
struct iommu_vevent_arm_smmuv3 {
	__aligned_le64 evt[4];
};

/**
 * struct iommu_vevent_tegra241_cmdqv - errors of the command queue extension
 * @lvcmdq_err_map: a bit for each logical queue of the virtual interface that
 *                  is in error
 */
struct iommu_vevent_tegra241_cmdqv {
	__aligned_le64 lvcmdq_err_map[2];
};

/**
 * struct iommu_veventq_alloc - ioctl(IOMMU_VEVENTQ_ALLOC), a queue for the
 *                              events of a vIOMMU
 * @size: sizeof(struct iommu_veventq_alloc)
 * @flags: none is defined, so 0
 * @viommu_id: the vIOMMU
 * @type: of enum iommu_veventq_type; EOPNOTSUPP if the vIOMMU has not got it,
 *        EEXIST if it has a queue for it already
 * @veventq_depth: events it can hold, 1 to 1 << 19, else EINVAL
 * @out_veventq_id: id of the queue
 * @out_veventq_fd: file to read() whole events from, each one a header and the
 *                  data of the type; poll() and O_NONBLOCK work. The caller
 *                  closes it.
 * @__reserved: 0
 *
 * A read that has no room for the next event is EINVAL, one of less than a
 * header always. Reading never waits: 0 if there is no event, EAGAIN with
 * O_NONBLOCK. What comes after the last descriptor has been closed is dropped.
 *
 * The open file keeps the queue (EBUSY), and everything of this /dev/iommu; the
 * queue keeps the vIOMMU.
 */
struct iommu_veventq_alloc {
	__u32 size;
	__u32 flags;
	__u32 viommu_id;
	__u32 type;
	__u32 veventq_depth;
	__u32 out_veventq_id;
	__u32 out_veventq_fd;
	__u32 __reserved;
};
#define IOMMU_VEVENTQ_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_VEVENTQ_ALLOC)

/**
 * enum iommu_hw_queue_type - kinds of hardware queue
 * @IOMMU_HW_QUEUE_TYPE_DEFAULT: none, answered with EOPNOTSUPP
 * @IOMMU_HW_QUEUE_TYPE_TEGRA241_CMDQV: a virtual command queue
 */
enum iommu_hw_queue_type {
	IOMMU_HW_QUEUE_TYPE_DEFAULT = 0,
	IOMMU_HW_QUEUE_TYPE_TEGRA241_CMDQV = 1,
};

/**
 * struct iommu_hw_queue_alloc - ioctl(IOMMU_HW_QUEUE_ALLOC), let the hardware
 *                               read a queue in guest memory
 * @size: sizeof(struct iommu_hw_queue_alloc)
 * @flags: none is defined, so 0
 * @viommu_id: the vIOMMU
 * @type: of enum iommu_hw_queue_type, else EOPNOTSUPP
 * @index: which of the vIOMMU's queues; EEXIST if taken
 * @out_hw_queue_id: id of the queue
 * @nesting_parent_iova: address of the queue in the parent of the vIOMMU, that
 *                       is a guest physical address
 * @length: in bytes, not 0
 *
 * The memory stays pinned and mapped as long as the queue exists: it has to be
 * mapped now (ENOENT) and physically in one piece (EFAULT), and
 * IOMMU_IOAS_UNMAP of it is refused.
 */
struct iommu_hw_queue_alloc {
	__u32 size;
	__u32 flags;
	__u32 viommu_id;
	__u32 type;
	__u32 index;
	__u32 out_hw_queue_id;
	__aligned_u64 nesting_parent_iova;
	__aligned_u64 length;
};
#define IOMMU_HW_QUEUE_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_HW_QUEUE_ALLOC)

#endif /* _UAPI_IOMMUFD_H */

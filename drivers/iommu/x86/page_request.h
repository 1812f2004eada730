/* SPDX-License-Identifier: GPL-2.0-only */
/* A page request, in whatever form a unit has written it down. */
#ifndef __IOMMU_X86_PAGE_REQUEST_H
#define __IOMMU_X86_PAGE_REQUEST_H

#include <linux/types.h>

/**
 * enum x86_page_request_kind - what to do with an entry
 * @X86_PAGE_REQUEST_GOOD: somebody may know the page
 * @X86_PAGE_REQUEST_STOP: nothing: it asks for nothing, and is not answered
 * @X86_PAGE_REQUEST_BAD: it cannot be right: its group is answered with no
 * @X86_PAGE_REQUEST_UNKNOWN: nothing: it is no page request, there is no telling
 *			      whom to answer
 */
enum x86_page_request_kind {
	X86_PAGE_REQUEST_GOOD,
	X86_PAGE_REQUEST_STOP,
	X86_PAGE_REQUEST_BAD,
	X86_PAGE_REQUEST_UNKNOWN,
};

/* The answers, as PCIe has them */
#define X86_PAGE_RESPONSE_SUCCESS	0
#define X86_PAGE_RESPONSE_INVALID	1
#define X86_PAGE_RESPONSE_FAILURE	15

/**
 * struct x86_page_request - a device asks for a page
 * @sid: who asks
 * @has_pasid: whether with a PASID
 * @pasid: the PASID, or 0
 * @group: what its answer names it by
 * @last: it completes the group, which is answered then
 * @read: to read it
 * @write: to write
 * @execute: to execute
 * @privileged: in privileged mode
 * @address: of the page
 */
struct x86_page_request {
	u16 sid;
	bool has_pasid;
	u32 pasid;
	u16 group;
	bool last;
	bool read;
	bool write;
	bool execute;
	bool privileged;
	u64 address;
};

#endif

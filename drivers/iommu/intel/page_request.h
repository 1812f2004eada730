/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What stands in the page request queue, and the answers. Numbers in, numbers out:
 * tested on the build machine (tools/testing/vtd).
 */
#ifndef __VTD_PAGE_REQUEST_H
#define __VTD_PAGE_REQUEST_H

#include <linux/types.h>

#include "spec/context.h"

/**
 * enum vtd_page_request_kind - what to do with a descriptor
 * @VTD_PAGE_REQUEST_GOOD: somebody may know the page
 * @VTD_PAGE_REQUEST_STOP: nothing: it asks for nothing, and is not answered
 * @VTD_PAGE_REQUEST_BAD: it cannot be right: its group is answered with no
 * @VTD_PAGE_REQUEST_UNKNOWN: nothing: it is no page request, there is no telling
 *			      whom to answer
 */
enum vtd_page_request_kind {
	VTD_PAGE_REQUEST_GOOD,
	VTD_PAGE_REQUEST_STOP,
	VTD_PAGE_REQUEST_BAD,
	VTD_PAGE_REQUEST_UNKNOWN,
};

/**
 * struct vtd_page_request - a device asks for a page
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
struct vtd_page_request {
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

enum vtd_page_request_kind
vtd_page_request_read(struct vtd_page_request *request, const u64 q[4],
		      u32 max_pasids);
struct vtd_entry vtd_page_response(const struct vtd_page_request *request,
				   unsigned int code);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What stands in the page request queue, and the answers. Numbers in, numbers out:
 * tested on the build machine (tools/testing/vtd).
 */
#ifndef __X86_PAGE_REQUEST_H
#define __X86_PAGE_REQUEST_H

#include <linux/types.h>

#include "../x86/page_request.h"
#include "spec/context.h"

enum x86_page_request_kind
vtd_page_request_read(struct x86_page_request *request, const u64 q[4],
		      u32 max_pasids);
struct vtd_entry vtd_page_response(const struct x86_page_request *request,
				   unsigned int code);

#endif

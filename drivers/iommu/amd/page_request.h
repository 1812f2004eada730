/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What stands in the log of page requests, and the answers. Numbers in, numbers out:
 * tested on the build machine (tools/testing/amdvi).
 */
#ifndef __AMDVI_PAGE_REQUEST_H
#define __AMDVI_PAGE_REQUEST_H

#include <linux/types.h>

#include "../x86/page_request.h"
#include "spec/commands.h"

enum x86_page_request_kind
amdvi_page_request_read(struct x86_page_request *request, u64 lo, u64 hi,
			u32 max_pasids);
struct amdvi_command amdvi_page_response(const struct x86_page_request *request,
					 unsigned int code);

#endif

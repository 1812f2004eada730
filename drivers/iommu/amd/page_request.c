// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading page requests and writing the answers. Hardware vouches for who has sent a
 * request, and for nothing else in it: the rest is what the device says.
 */
#include "page_request.h"
#include "spec/ppr.h"

static u32 pasid_of(u64 lo)
{
	return FIELD_GET(AMDVI_PPR_LO_PASID, lo) |
	       FIELD_GET(AMDVI_PPR_LO_PASID_HIGH, lo) << 16;
}

/* With reserved bits in its way the page is of no use to the device. */
static bool is_wrong(u64 lo, u32 max_pasids)
{
	if (lo & AMDVI_PPR_LO_RESERVED)
		return true;
	if (!(lo & AMDVI_PPR_LO_GN))
		return pasid_of(lo) || lo & AMDVI_PPR_LO_EXECUTE;
	return pasid_of(lo) >= max_pasids;
}

/**
 * amdvi_page_request_read - find out what an entry says
 * @request: receives it, also if it is bad, so that it can be answered
 * @lo: bits 63:0 of the entry
 * @hi: bits 127:64 of it
 * @max_pasids: what the unit has, 0 for none
 *
 * Context: any.
 * Return: what to do with it. Of X86_PAGE_REQUEST_UNKNOWN nothing is in @request
 */
enum x86_page_request_kind
amdvi_page_request_read(struct x86_page_request *request, u64 lo, u64 hi,
			u32 max_pasids)
{
	*request = (struct x86_page_request){};
	if (FIELD_GET(AMDVI_PPR_LO_CODE, lo) != AMDVI_PPR_REQUEST)
		return X86_PAGE_REQUEST_UNKNOWN;
	request->sid = FIELD_GET(AMDVI_PPR_LO_DEVICE, lo);
	request->has_pasid = lo & AMDVI_PPR_LO_GN;
	if (request->has_pasid)
		request->pasid = pasid_of(lo);
	request->group = FIELD_GET(AMDVI_PPR_LO_GROUP, lo);
	request->last = lo & AMDVI_PPR_LO_LAST;
	request->read = lo & AMDVI_PPR_LO_READ;
	request->write = lo & AMDVI_PPR_LO_WRITE;
	request->execute = lo & AMDVI_PPR_LO_EXECUTE;
	request->privileged = request->has_pasid && !(lo & AMDVI_PPR_LO_USER);
	request->address = hi & AMDVI_PPR_HI_ADDRESS;
	if (is_wrong(lo, max_pasids))
		return X86_PAGE_REQUEST_BAD;
	if (request->read || request->write)
		return X86_PAGE_REQUEST_GOOD;
	/* PCIe knows one kind of request for nothing */
	return request->has_pasid && request->last ? X86_PAGE_REQUEST_STOP :
						     X86_PAGE_REQUEST_BAD;
}

/**
 * amdvi_page_response - the command that answers a group
 * @request: @sid, @has_pasid, @pasid and @group of its last request
 * @code: X86_PAGE_RESPONSE_SUCCESS or another one
 *
 * Context: any.
 * Return: the command
 */
struct amdvi_command amdvi_page_response(const struct x86_page_request *request,
					 unsigned int code)
{
	struct amdvi_command command = {
		.lo = FIELD_PREP(AMDVI_CMD_LO_OPCODE, AMDVI_COMPLETE_PPR) |
		      FIELD_PREP(AMDVI_CMD_LO_DEVICE, request->sid),
		.hi = FIELD_PREP(AMDVI_PPR_CMD_HI_GROUP, request->group) |
		      FIELD_PREP(AMDVI_PPR_CMD_HI_ANSWER, code),
	};

	if (request->has_pasid) {
		command.lo |= FIELD_PREP(AMDVI_PPR_CMD_LO_PASID, request->pasid);
		command.hi |= AMDVI_PPR_CMD_HI_GN;
	}
	return command;
}

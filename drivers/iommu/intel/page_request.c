// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading page requests and writing the answers. Hardware vouches for who has sent a
 * request, and for nothing else in it: the rest is what the device says.
 */
#include "page_request.h"
#include "spec/prq.h"
#include "spec/queue.h"

static bool is_wrong(const u64 q[4], u32 max_pasids)
{
	const u64 of_pasid = VTD_PRQ_0_PASID | VTD_PRQ_0_EXR | VTD_PRQ_0_PMR;

	if (q[0] & VTD_PRQ_0_RESERVED || q[2] || q[3])
		return true;
	if (!(q[0] & VTD_PRQ_0_PP))
		return q[0] & of_pasid;
	return FIELD_GET(VTD_PRQ_0_PASID, q[0]) >= max_pasids;
}

/**
 * vtd_page_request_read - find out what a descriptor says
 * @request: receives it, also if it is bad, so that it can be answered
 * @q: the descriptor
 * @max_pasids: what the unit has, 0 for none
 *
 * Context: any.
 * Return: what to do with it. Of X86_PAGE_REQUEST_UNKNOWN nothing is in @request
 */
enum x86_page_request_kind
vtd_page_request_read(struct x86_page_request *request, const u64 q[4],
		      u32 max_pasids)
{
	*request = (struct x86_page_request){};
	if (FIELD_GET(VTD_PRQ_0_TYPE, q[0]) != VTD_PRQ_TYPE)
		return X86_PAGE_REQUEST_UNKNOWN;
	request->sid = FIELD_GET(VTD_PRQ_0_RID, q[0]);
	request->has_pasid = q[0] & VTD_PRQ_0_PP;
	if (request->has_pasid)
		request->pasid = FIELD_GET(VTD_PRQ_0_PASID, q[0]);
	request->execute = q[0] & VTD_PRQ_0_EXR;
	request->privileged = q[0] & VTD_PRQ_0_PMR;
	request->read = q[1] & VTD_PRQ_1_RD;
	request->write = q[1] & VTD_PRQ_1_WR;
	request->last = q[1] & VTD_PRQ_1_LPIG;
	request->group = FIELD_GET(VTD_PRQ_1_PRGI, q[1]);
	request->address = q[1] & VTD_PRQ_1_ADDR;
	if (is_wrong(q, max_pasids))
		return X86_PAGE_REQUEST_BAD;
	if (request->read || request->write)
		return X86_PAGE_REQUEST_GOOD;
	/* PCIe knows one kind of request for nothing */
	return request->has_pasid && request->last ? X86_PAGE_REQUEST_STOP :
						     X86_PAGE_REQUEST_BAD;
}

/**
 * vtd_page_response - the descriptor that answers a group
 * @request: @sid, @has_pasid, @pasid and @group of its last request
 * @code: X86_PAGE_RESPONSE_SUCCESS or another one
 *
 * Context: any.
 * Return: the descriptor
 */
struct vtd_entry vtd_page_response(const struct x86_page_request *request,
				   unsigned int code)
{
	struct vtd_entry entry = {
		.lo = FIELD_PREP(VTD_QI_TYPE, VTD_QI_PAGE_RESPONSE) |
		      FIELD_PREP(VTD_QI_PRESP_LO_RC, code) |
		      FIELD_PREP(VTD_QI_PRESP_LO_RID, request->sid),
		.hi = VTD_QI_PRESP_HI_LPIG |
		      FIELD_PREP(VTD_QI_PRESP_HI_PRGI, request->group),
	};

	if (request->has_pasid)
		entry.lo |= VTD_QI_PRESP_LO_PP |
			    FIELD_PREP(VTD_QI_PRESP_LO_PASID, request->pasid);
	return entry;
}

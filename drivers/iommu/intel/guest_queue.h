/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a guest puts into its invalidation queue, and what is put into ours for it.
 * Numbers in, numbers out: tested on the build machine (tools/testing/vtd).
 */
#ifndef __VTD_GUEST_QUEUE_H
#define __VTD_GUEST_QUEUE_H

#include <linux/types.h>

#include "spec/context.h"

struct vtd_stage1;

/**
 * enum vtd_request_what - which cache a guest wants to forget something
 * @VTD_REQUEST_CONTEXT: context entries; none of the guest's is ever cached
 * @VTD_REQUEST_PASID: entries of PASID tables
 * @VTD_REQUEST_IOTLB: translations, whatever the PASID
 * @VTD_REQUEST_PASID_IOTLB: translations of a PASID
 * @VTD_REQUEST_DEVICE_TLB: what a device has cached itself
 */
enum vtd_request_what {
	VTD_REQUEST_CONTEXT,
	VTD_REQUEST_PASID,
	VTD_REQUEST_IOTLB,
	VTD_REQUEST_PASID_IOTLB,
	VTD_REQUEST_DEVICE_TLB,
};

/**
 * struct vtd_request - a descriptor of a guest that was found to be right
 * @what: which cache
 * @every_domain: of all domains, or of @did only
 * @every_pasid: of all PASIDs, or of @pasid only
 * @has_sid: of one device only, @sid, or of all
 * @tables: of a range: items of tables that lead there have changed, too
 * @functions: bits of @sid that do not count
 * @did: in the terms of the guest
 * @sid: in the terms of the guest
 * @pasid: 0 for requests without one
 * @first: first address, 0 if it is about all
 * @last: last address, U64_MAX if it is about all
 */
struct vtd_request {
	enum vtd_request_what what;
	bool every_domain;
	bool every_pasid;
	bool has_sid;
	bool tables;
	u8 functions;
	u16 did;
	u16 sid;
	u32 pasid;
	u64 first;
	u64 last;
};

int vtd_request_read(struct vtd_request *request, const u64 q[4]);
bool vtd_request_concerns(const struct vtd_request *request,
			  const struct vtd_stage1 *stage1);
bool vtd_request_for_host(const struct vtd_request *request, u64 cap, u16 did,
			  struct vtd_entry *descriptor);
bool vtd_record_for_guest(u64 record[2], u16 sid);

#endif

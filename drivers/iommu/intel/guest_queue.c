// SPDX-License-Identifier: GPL-2.0-only
/*
 * Invalidation descriptors of a guest, 6.5.2, and fault records for it. Each
 * descriptor is checked against the bits that its type has, as the guest's unit
 * would, and turned into what it is about; from that, not from the guest's bits, the
 * descriptors for our own queue are made.
 */
#include <linux/errno.h>
#include <linux/iommufd_reason.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/string.h>

#include "guest_queue.h"
#include "spec/queue.h"
#include "spec/regs.h"
#include "stage1.h"

/* Bits that a descriptor of a type may have set, in its two words. */
static const struct {
	u64 lo;
	u64 hi;
	const char *name;
} types[] = {
	[VTD_QI_CONTEXT] = {
		VTD_QI_TYPE | VTD_QI_LO_G | VTD_QI_LO_DID |
		VTD_QI_CONTEXT_LO_SID | VTD_QI_CONTEXT_LO_FM,
		0, "context cache"
	},
	[VTD_QI_IOTLB] = {
		VTD_QI_TYPE | VTD_QI_LO_G | VTD_QI_IOTLB_LO_DW |
		VTD_QI_IOTLB_LO_DR | VTD_QI_LO_DID,
		VTD_QI_IOTLB_HI_AM | VTD_QI_IOTLB_HI_IH | VTD_QI_IOTLB_HI_ADDR,
		"IOTLB"
	},
	[VTD_QI_DEVICE_TLB] = {
		VTD_QI_TYPE | VTD_QI_LO_PFSID_LOW | VTD_QI_DEV_LO_MIP |
		VTD_QI_DEV_LO_SID | VTD_QI_LO_PFSID_HIGH,
		VTD_QI_DEV_HI_S | VTD_QI_IOTLB_HI_ADDR, "device TLB"
	},
	[VTD_QI_PASID_IOTLB] = {
		VTD_QI_TYPE | VTD_QI_LO_G | VTD_QI_LO_DID | VTD_QI_LO_PASID,
		VTD_QI_IOTLB_HI_AM | VTD_QI_IOTLB_HI_IH | VTD_QI_IOTLB_HI_ADDR,
		"PASID-based IOTLB"
	},
	[VTD_QI_PASID] = {
		VTD_QI_TYPE | VTD_QI_LO_G | VTD_QI_LO_DID | VTD_QI_LO_PASID,
		0, "PASID cache"
	},
	[VTD_QI_PASID_DEVICE_TLB] = {
		VTD_QI_TYPE | VTD_QI_PDEV_LO_MIP | VTD_QI_LO_PFSID_LOW |
		VTD_QI_PDEV_LO_SID | VTD_QI_LO_PASID | VTD_QI_LO_PFSID_HIGH,
		VTD_QI_PDEV_HI_G | VTD_QI_PDEV_HI_S | VTD_QI_IOTLB_HI_ADDR,
		"PASID-based device TLB"
	},
};

/* The highest ones of the three bits of a function number. */
static const u8 function_masks[4] = { 0, 4, 6, 7 };

static int refuse_granularity(unsigned int type, unsigned int g)
{
	return iommufd_refuse(-EIO, "granularity %u of a %s descriptor is reserved",
			      g, types[type].name);
}

/* 2^order pages, the lower bits of the address do not count. */
static void set_pages(struct vtd_request *request, u64 address,
		      unsigned int order)
{
	u64 size_less_one;

	if (order >= 52) {
		request->first = 0;
		request->last = U64_MAX;
		return;
	}
	size_less_one = (1ULL << (12 + order)) - 1;
	request->first = address & ~size_less_one;
	request->last = address | size_less_one;
}

static int read_context(struct vtd_request *request, const u64 q[4])
{
	unsigned int g = FIELD_GET(VTD_QI_LO_G, q[0]);

	if (!g)
		return refuse_granularity(VTD_QI_CONTEXT, g);
	request->what = VTD_REQUEST_CONTEXT;
	request->every_domain = g == VTD_G_GLOBAL;
	request->every_pasid = true;
	request->has_sid = g == VTD_G_SELECTIVE;
	if (request->has_sid) {
		request->sid = FIELD_GET(VTD_QI_CONTEXT_LO_SID, q[0]);
		request->functions =
			function_masks[FIELD_GET(VTD_QI_CONTEXT_LO_FM, q[0])];
	}
	return 0;
}

static int read_pasid(struct vtd_request *request, const u64 q[4])
{
	unsigned int g = FIELD_GET(VTD_QI_LO_G, q[0]);

	if (g == 2)
		return refuse_granularity(VTD_QI_PASID, g);
	request->what = VTD_REQUEST_PASID;
	request->every_domain = g == VTD_G_PASID_GLOBAL;
	request->every_pasid = g != VTD_G_PASID_ONE;
	if (!request->every_pasid)
		request->pasid = FIELD_GET(VTD_QI_LO_PASID, q[0]);
	return 0;
}

/*
 * Pages of a domain are addresses of a second stage, of which the guest has none:
 * the domain is forgotten as a whole.
 */
static int read_iotlb(struct vtd_request *request, const u64 q[4])
{
	unsigned int g = FIELD_GET(VTD_QI_LO_G, q[0]);

	if (!g)
		return refuse_granularity(VTD_QI_IOTLB, g);
	request->what = VTD_REQUEST_IOTLB;
	request->every_domain = g == VTD_G_GLOBAL;
	request->every_pasid = true;
	return 0;
}

static int read_pasid_iotlb(struct vtd_request *request, const u64 q[4])
{
	unsigned int g = FIELD_GET(VTD_QI_LO_G, q[0]);

	if (g != VTD_G_PIOTLB_PASID && g != VTD_G_PIOTLB_PAGES)
		return refuse_granularity(VTD_QI_PASID_IOTLB, g);
	request->what = VTD_REQUEST_PASID_IOTLB;
	request->pasid = FIELD_GET(VTD_QI_LO_PASID, q[0]);
	if (g == VTD_G_PIOTLB_PAGES) {
		set_pages(request, q[1] & VTD_QI_IOTLB_HI_ADDR,
			  FIELD_GET(VTD_QI_IOTLB_HI_AM, q[1]));
		request->tables = !(q[1] & VTD_QI_IOTLB_HI_IH);
	}
	return 0;
}

/* As ATS has it: the lowest 0 of the address tells how large the range is. */
static void set_device_pages(struct vtd_request *request, u64 hi, bool size)
{
	u64 address = hi & VTD_QI_IOTLB_HI_ADDR;
	/* bit 63 is never a part of a size: all ones below it are everything */
	u64 ones = address | 0xfff;
	unsigned int zero = 12;

	while (size && zero < 63 && ones >> zero & 1)
		zero++;
	if (size)
		set_pages(request, address, zero == 63 ? 52 : zero - 12 + 1);
	else
		set_pages(request, address, 0);
}

static int read_device_tlb(struct vtd_request *request, const u64 q[4])
{
	request->what = VTD_REQUEST_DEVICE_TLB;
	request->every_domain = true;
	request->every_pasid = true;
	request->has_sid = true;
	request->sid = FIELD_GET(VTD_QI_DEV_LO_SID, q[0]);
	set_device_pages(request, q[1], q[1] & VTD_QI_DEV_HI_S);
	return 0;
}

static int read_pasid_device_tlb(struct vtd_request *request, const u64 q[4])
{
	request->what = VTD_REQUEST_DEVICE_TLB;
	request->every_domain = true;
	request->every_pasid = q[1] & VTD_QI_PDEV_HI_G;
	request->has_sid = true;
	request->sid = FIELD_GET(VTD_QI_PDEV_LO_SID, q[0]);
	if (!request->every_pasid)
		request->pasid = FIELD_GET(VTD_QI_LO_PASID, q[0]);
	set_device_pages(request, q[1], q[1] & VTD_QI_PDEV_HI_S);
	return 0;
}

/**
 * vtd_request_read - find out what a descriptor is about
 * @request: receives it
 * @q: the descriptor, the upper half 0 if it has 128 bits only
 *
 * Return: 0 or -EIO, explained, for one that the guest's unit would stop at, or that
 *	   is none of ours
 */
int vtd_request_read(struct vtd_request *request, const u64 q[4])
{
	unsigned int type = FIELD_GET(VTD_QI_TYPE, q[0]);

	memset(request, 0, sizeof(*request));
	request->last = U64_MAX;
	request->tables = true;
	if (type >= ARRAY_SIZE(types) || !types[type].name)
		return iommufd_refuse(-EIO, "descriptors of type %u are not for the host",
				      type);
	if (q[0] & ~types[type].lo || q[1] & ~types[type].hi || q[2] || q[3])
		return iommufd_refuse(-EIO,
				      "reserved bits of a %s descriptor are set: %llx %llx %llx %llx",
				      types[type].name, q[0] & ~types[type].lo,
				      q[1] & ~types[type].hi, q[2], q[3]);
	request->did = FIELD_GET(VTD_QI_LO_DID, q[0]);
	switch (type) {
	case VTD_QI_CONTEXT:
		return read_context(request, q);
	case VTD_QI_IOTLB:
		return read_iotlb(request, q);
	case VTD_QI_DEVICE_TLB:
		return read_device_tlb(request, q);
	case VTD_QI_PASID_IOTLB:
		return read_pasid_iotlb(request, q);
	case VTD_QI_PASID:
		return read_pasid(request, q);
	default:
		return read_pasid_device_tlb(request, q);
	}
}

/**
 * vtd_request_concerns - whether a first stage is among what a request is about
 * @request: the request
 * @stage1: a first stage of the same guest
 *
 * Return: whether translations made with it may have to be forgotten; of one whose
 *	   domain id the guest did not tell, always
 */
bool vtd_request_concerns(const struct vtd_request *request,
			  const struct vtd_stage1 *stage1)
{
	return request->every_domain || !stage1->has_did ||
	       stage1->did == request->did;
}

static bool host_pages(const struct vtd_request *request, u64 cap,
		       struct vtd_entry *d)
{
	u64 differ = (request->first ^ request->last) >> 12;
	unsigned int order = differ ? ilog2(differ) + 1 : 0;

	if (order > FIELD_GET(VTD_CAP_MAMV, cap)) {
		d->lo |= FIELD_PREP(VTD_QI_LO_G, VTD_G_PIOTLB_PASID);
		return true;
	}
	d->lo |= FIELD_PREP(VTD_QI_LO_G, VTD_G_PIOTLB_PAGES);
	d->hi = (request->first & VTD_QI_IOTLB_HI_ADDR) |
		FIELD_PREP(VTD_QI_IOTLB_HI_AM, order) |
		(request->tables ? 0 : VTD_QI_IOTLB_HI_IH);
	return true;
}

/**
 * vtd_request_for_host - what to put into our queue for a first stage
 * @request: concerns it
 * @cap: capability register of the unit
 * @did: our domain id of the first stage
 * @descriptor: receives a descriptor of 128 bits
 *
 * What it makes the unit forget belongs to @did, whatever the request says. PASIDs
 * are the same here and in the guest: the device sends them.
 *
 * Return: whether there is anything to put in
 */
bool vtd_request_for_host(const struct vtd_request *request, u64 cap, u16 did,
			  struct vtd_entry *descriptor)
{
	struct vtd_entry *d = descriptor;

	*d = (struct vtd_entry){ .lo = FIELD_PREP(VTD_QI_LO_DID, did) };
	if (!request->every_pasid)
		d->lo |= FIELD_PREP(VTD_QI_LO_PASID, request->pasid);
	switch (request->what) {
	case VTD_REQUEST_PASID:
		d->lo |= FIELD_PREP(VTD_QI_TYPE, VTD_QI_PASID) |
			 FIELD_PREP(VTD_QI_LO_G, request->every_pasid ?
				    VTD_G_PASID_DOMAIN : VTD_G_PASID_ONE);
		return true;
	case VTD_REQUEST_IOTLB:
		d->lo |= FIELD_PREP(VTD_QI_TYPE, VTD_QI_IOTLB) |
			 FIELD_PREP(VTD_QI_LO_G, VTD_G_DOMAIN) |
			 (cap & VTD_CAP_DWD ? VTD_QI_IOTLB_LO_DW : 0) |
			 (cap & VTD_CAP_DRD ? VTD_QI_IOTLB_LO_DR : 0);
		return true;
	case VTD_REQUEST_PASID_IOTLB:
		d->lo |= FIELD_PREP(VTD_QI_TYPE, VTD_QI_PASID_IOTLB);
		return host_pages(request, cap, d);
	default:
		return false;
	}
}

/**
 * vtd_record_for_guest - make a fault record one of the guest's
 * @record: the two words of ours; changed
 * @sid: what the guest calls the device
 *
 * Reasons below 0x70 are about root, context and PASID tables. Those are ours, not
 * the guest's.
 *
 * Return: whether it is the guest's business
 */
bool vtd_record_for_guest(u64 record[2], u16 sid)
{
	if (FIELD_GET(VTD_FRR_HI_REASON, record[1]) < 0x70)
		return false;
	record[0] &= VTD_FRR_LO_ADDRESS;
	record[1] &= VTD_FRR_HI_DEFINED;
	record[1] &= ~VTD_FRR_HI_SID;
	record[1] |= FIELD_PREP(VTD_FRR_HI_SID, sid);
	return true;
}

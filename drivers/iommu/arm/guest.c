// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stream table entries and commands of a guest: which fields it may use, and how. All
 * others are the host's.
 */
#include <linux/iommufd_reason.h>
#include <linux/kernel.h>

#include "guest.h"
#include "spec/regs.h"

/* 5.2: what of an entry belongs to stage 1 */
#define STE0_OF_GUEST (SMMU_STE0_V | SMMU_STE0_CONFIG | SMMU_STE0_S1FMT |	\
		       SMMU_STE0_S1CONTEXTPTR | SMMU_STE0_S1CDMAX)
#define STE1_OF_GUEST (SMMU_STE1_S1DSS | SMMU_STE1_S1CIR | SMMU_STE1_S1COR |	\
		       SMMU_STE1_S1CSH | SMMU_STE1_S1STALLD | SMMU_STE1_EATS)

/* Context descriptors of a guest with substreams. */
static int check_substreams(u64 w0, u64 w1, const u32 *idr)
{
	unsigned int max = FIELD_GET(SMMU_STE0_S1CDMAX, w0);
	unsigned int bits = FIELD_GET(SMMU_IDR1_SSIDSIZE, idr[1]);

	if (max > bits)
		return iommufd_refuse(-EIO,
				      "the stream table entry has S1CDMax %u, and substream ids have %u bits",
				      max, bits);
	if (!max)
		return 0;
	if (FIELD_GET(SMMU_STE0_S1FMT, w0) > SMMU_S1FMT_64K)
		return iommufd_refuse(-EIO,
				      "the stream table entry has S1Fmt 3, which means nothing");
	if (FIELD_GET(SMMU_STE0_S1FMT, w0) && !(idr[0] & SMMU_IDR0_CD2L))
		return iommufd_refuse(-EIO,
				      "the stream table entry has S1Fmt %llu, and context descriptors have one level",
				      FIELD_GET(SMMU_STE0_S1FMT, w0));
	if (FIELD_GET(SMMU_STE1_S1DSS, w1) > SMMU_S1DSS_SSID0)
		return iommufd_refuse(-EIO,
				      "the stream table entry has S1DSS 3, which means nothing");
	return 0;
}

/**
 * smmu_guest_ste - read a stream table entry of a guest
 * @ste: its first two words
 * @idr: the identification registers of the unit
 * @ats: the device has ATS that the host lets it use
 * @out: receives what of them hardware is to see, without any field of the host's; its
 *	 configuration is one of ABORT, BYPASS and S1
 *
 * An entry that is not valid is one that refuses everything.
 *
 * Return: 0, or -EIO, explained
 */
int smmu_guest_ste(const u64 ste[2], const u32 *idr, bool ats, u64 out[2])
{
	u64 config = FIELD_GET(SMMU_STE0_CONFIG, ste[0]);

	out[0] = SMMU_STE0_V | FIELD_PREP(SMMU_STE0_CONFIG, SMMU_CONFIG_ABORT);
	out[1] = 0;
	if (!(ste[0] & SMMU_STE0_V))
		return 0;
	if (ste[0] & ~STE0_OF_GUEST)
		return iommufd_refuse(-EIO,
				      "word 0 of the stream table entry has bits 0x%llx, which are not the guest's",
				      ste[0] & ~STE0_OF_GUEST);
	if (ste[1] & ~STE1_OF_GUEST)
		return iommufd_refuse(-EIO,
				      "word 1 of the stream table entry has bits 0x%llx, which are not the guest's",
				      ste[1] & ~STE1_OF_GUEST);
	if (config != SMMU_CONFIG_ABORT && config != SMMU_CONFIG_BYPASS &&
	    config != SMMU_CONFIG_S1)
		return iommufd_refuse(-EIO,
				      "the stream table entry has Config %llu: a guest has stage 1 (5), bypass (4) and abort (0)",
				      config);
	if (ste[1] & SMMU_STE1_EATS && !ats)
		return iommufd_refuse(-EIO,
				      "the stream table entry has EATS %llu, and the device has no ATS here",
				      FIELD_GET(SMMU_STE1_EATS, ste[1]));
	/* translated requests must have gone through stage 2 as well */
	if (FIELD_GET(SMMU_STE1_EATS, ste[1]) > SMMU_EATS_FULL)
		return iommufd_refuse(-EIO,
				      "the stream table entry has EATS %llu: a guest has none (0) and all of it (1)",
				      FIELD_GET(SMMU_STE1_EATS, ste[1]));
	out[0] = SMMU_STE0_V | (ste[0] & SMMU_STE0_CONFIG);
	if (config != SMMU_CONFIG_S1)
		return 0;
	out[0] = ste[0];
	out[1] = ste[1] & ~SMMU_STE1_S1STALLD;
	return check_substreams(ste[0], ste[1], idr);
}

/**
 * struct kind - a command that a guest may give
 * @op: which
 * @w0: fields of word 0 that it has
 * @w1: fields of word 1
 */
struct kind {
	u8 op;
	u64 w0;
	u64 w1;
};

#define TLBI_W0 (SMMU_TLBI0_NUM | SMMU_TLBI0_SCALE | SMMU_TLBI0_VMID)
#define TLBI_W1 (SMMU_TLBI1_LEAF | SMMU_TLBI1_TTL | SMMU_TLBI1_TG |	\
		 SMMU_TLBI1_ADDRESS)

static const struct kind kinds[] = {
	{ SMMU_OP_TLBI_NSNH_ALL, 0, 0 },
	{ SMMU_OP_TLBI_NH_ALL, SMMU_TLBI0_VMID, 0 },
	{ SMMU_OP_TLBI_NH_ASID, SMMU_TLBI0_VMID | SMMU_TLBI0_ASID, 0 },
	{ SMMU_OP_TLBI_NH_VA, TLBI_W0 | SMMU_TLBI0_ASID, TLBI_W1 },
	{ SMMU_OP_TLBI_NH_VAA, TLBI_W0, TLBI_W1 },
	{ SMMU_OP_CFGI_CD, SMMU_CMD0_SSID | SMMU_CMD0_SID, SMMU_CFGI1_LEAF },
	{ SMMU_OP_CFGI_CD_ALL, SMMU_CMD0_SID, 0 },
	{ SMMU_OP_ATC_INV, SMMU_ATC0_G | SMMU_CMD0_SSV | SMMU_CMD0_SSID |
			   SMMU_CMD0_SID, SMMU_ATC1_SIZE | SMMU_ATC1_ADDRESS },
};

static const struct kind *kind_of(u8 op)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].op == op)
			return &kinds[i];
	return NULL;
}

/* 4.4.1.1: what hardware would stop at. */
static int check_range(u64 w0, u64 w1, const u32 *idr)
{
	u64 size = w0 & (SMMU_TLBI0_NUM | SMMU_TLBI0_SCALE);
	unsigned int tg = FIELD_GET(SMMU_TLBI1_TG, w1);
	unsigned int ttl = FIELD_GET(SMMU_TLBI1_TTL, w1);

	if (!(idr[3] & SMMU_IDR3_RIL)) {
		if (size || tg || ttl)
			return iommufd_refuse(-EIO,
					      "the command is about a range, which the unit cannot invalidate");
		return 0;
	}
	if (!tg && (size || ttl))
		return iommufd_refuse(-EIO,
				      "the command has a range or a level, but no size of pages");
	if (tg && !size && !ttl)
		return iommufd_refuse(-EIO,
				      "the command has a size of pages, but neither a range nor a level");
	if (tg && !(idr[5] & BIT(3 + tg)))
		return iommufd_refuse(-EIO,
				      "the command has pages of a size (TG %u) that the unit does not know",
				      tg);
	/* with pages of 16K the first level has no leaves */
	if (tg == 2 && ttl == 1)
		return iommufd_refuse(-EIO,
				      "the command is about leaves of level 1, which pages of 16K have not");
	return 0;
}

/**
 * smmu_guest_command - read a command of a guest
 * @command: receives it
 * @w: as the guest wrote it
 * @idr: the identification registers of the unit
 * @vmid: of the guest
 *
 * Return: 0, or -EIO, explained
 */
int smmu_guest_command(struct smmu_guest_command *command, const u64 w[2],
		       const u32 *idr, u16 vmid)
{
	u8 op = FIELD_GET(SMMU_CMD0_OP, w[0]);
	const struct kind *kind = kind_of(op);
	bool tlbi;
	int rc = 0;

	if (!kind)
		return iommufd_refuse(-EIO,
				      "command 0x%x is none that a guest may give", op);
	if (w[0] & ~(kind->w0 | SMMU_CMD0_OP) || w[1] & ~kind->w1)
		return iommufd_refuse(-EIO,
				      "command 0x%x has bits 0x%llx 0x%llx, which it has no meaning for",
				      op, w[0] & ~(kind->w0 | SMMU_CMD0_OP),
				      w[1] & ~kind->w1);
	if (kind->w0 & SMMU_TLBI0_ASID & w[0] && kind->op < SMMU_OP_ATC_INV &&
	    kind->op >= SMMU_OP_TLBI_NH_ALL && !(idr[0] & SMMU_IDR0_ASID16) &&
	    FIELD_GET(SMMU_TLBI0_ASID, w[0]) > 0xff)
		return iommufd_refuse(-EIO,
				      "command 0x%x has ASID 0x%llx, and ASIDs have 8 bits",
				      op, FIELD_GET(SMMU_TLBI0_ASID, w[0]));
	tlbi = op >= SMMU_OP_TLBI_NH_ALL && op <= SMMU_OP_TLBI_NSNH_ALL;
	if (tlbi && kind->w1)
		rc = check_range(w[0], w[1], idr);
	if (rc)
		return rc;
	*command = (struct smmu_guest_command){
		.command = { .w = { w[0], w[1] } },
		.has_sid = !tlbi,
		.sid = tlbi ? 0 : FIELD_GET(SMMU_CMD0_SID, w[0]),
		.ats = op == SMMU_OP_ATC_INV,
	};
	if (!tlbi) {
		command->command.w[0] &= ~SMMU_CMD0_SID;
		return 0;
	}
	/* all that a guest has is what has its VMID */
	if (op == SMMU_OP_TLBI_NSNH_ALL)
		command->command.w[0] = FIELD_PREP(SMMU_CMD0_OP,
						   SMMU_OP_TLBI_NH_ALL);
	command->command.w[0] &= ~SMMU_TLBI0_VMID;
	command->command.w[0] |= FIELD_PREP(SMMU_TLBI0_VMID, vmid);
	return 0;
}

/**
 * smmu_guest_event - make an event record one for a guest
 * @event: of one of its devices; comes back in the terms of the guest
 * @sid: what the guest calls the device
 *
 * Return: whether the guest can have caused it; else it is none of its business
 */
bool smmu_guest_event(struct smmu_event *event, u32 sid)
{
	switch (FIELD_GET(SMMU_EVENT0_ID, event->w[0])) {
	case SMMU_C_BAD_STE:
	case SMMU_F_STREAM_DISABLED:
	case SMMU_C_BAD_SUBSTREAMID:
	case SMMU_C_BAD_CD:
	case SMMU_F_TRANSLATION:
	case SMMU_F_ADDR_SIZE:
	case SMMU_F_ACCESS:
	case SMMU_F_PERMISSION:
		break;
	default:
		return false;
	}
	event->w[0] &= ~SMMU_EVENT0_SID;
	event->w[0] |= FIELD_PREP(SMMU_EVENT0_SID, sid);
	return true;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a guest writes into its stream table and its command queue, and what is made of
 * it. Numbers in, numbers out.
 */
#ifndef __SMMU_GUEST_H
#define __SMMU_GUEST_H

#include <linux/types.h>

#include "spec/queue.h"
#include "spec/ste.h"

/**
 * struct smmu_guest_command - a command of a guest that was found to be right
 * @command: for hardware, with the VMID put in; what belongs to a stream lacks that
 * @has_sid: it is about one device
 * @sid: which, in the terms of the guest
 * @ats: it is about what the device itself remembers
 */
struct smmu_guest_command {
	struct smmu_command command;
	bool has_sid;
	u32 sid;
	bool ats;
};

int smmu_guest_ste(const u64 ste[2], const u32 *idr, bool ats, u64 out[2]);
int smmu_guest_command(struct smmu_guest_command *command, const u64 w[2],
		       const u32 *idr, u16 vmid);
bool smmu_guest_event(struct smmu_event *event, u32 sid);

#endif

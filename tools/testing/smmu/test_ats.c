// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices that remember translations: who may, what they are told and when, and what
 * becomes of one that does not answer.
 */
#include "rig.h"

#define AT 0x40000
#define ALL 0x34

static struct client c, other;
static struct iommu_domain *d;
static u64 phys;

static void client_with_ats(struct client *client, u32 sid)
{
	client_add(client, sid);
	client->pdev.ats_cap = 1;
	client->pdev.pasid_cap = 1;
	client->pdev.max_pasids = 1 << 10;
	client->fwspec.flags = IOMMU_FWSPEC_PCI_RC_ATS;
	OK(client_probe(client));
}

static void begin(void)
{
	soft_reset(FULL0 | IDR0_ATS, FULL1 | IDR1_SSID(10), 0, FULL5);
	OK(unit_up());
	client_with_ats(&c, 0x100);
	client_with_ats(&other, 0x208);
	d = table(&c, PASID);
	phys = memory_new(4);
	map(d, AT, phys, 16 * PAGE_SIZE, RW);
}

static void end(void)
{
	OK(client_attach(&c, NULL));
	OK(client_attach(&other, NULL));
	table_free(d);
	memory_free(phys);
	client_remove(&c);
	client_remove(&other);
	CHECK(!c.pdev.ats_enabled && !other.pdev.ats_enabled);
	CHECK_EQ(soft.illegal, 0);
	unit_down();
}

/* What the device keeps leads to the page. */
static bool keeps(struct client *client, int ssid, u64 address)
{
	u64 at;

	return soft_ats_use(client->soft, ssid, address, &at);
}

static void who(unsigned int lacks)
{
	u64 at;

	soft_reset(FULL0 | (lacks == 1 ? 0 : IDR0_ATS), FULL1, 0, FULL5);
	OK(unit_up());
	client_add(&c, 0x100);
	c.pdev.ats_cap = lacks != 2;
	c.fwspec.flags = lacks == 3 ? 0 : IOMMU_FWSPEC_PCI_RC_ATS;
	c.pdev.untrusted = lacks == 4;
	OK(client_probe(&c));
	d = table(&c, 0);
	phys = memory_new(0);
	map(d, AT, phys, PAGE_SIZE, RW);
	/* passed through there is nothing to be asked */
	CHECK(!c.pdev.ats_enabled);
	CHECK(soft_ats(c.soft, NO_SSID, AT, true) != 0);
	OK(client_attach(&c, d));
	CHECK_EQ(c.pdev.ats_enabled, !lacks);
	CHECK_EQ(!(smmu_iommufd_ops.capabilities(&c.pdev.dev) &
		   IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED), !lacks);
	if (lacks) {
		/* one that asks all the same, and pretends to have got an answer */
		c.pdev.ats_enabled = true;
		CHECK_EQ(soft_ats(c.soft, NO_SSID, AT, true), BAD_ATS_TREQ);
		c.soft->atc[0] = (struct soft_atc){ true, NO_SSID, AT, phys, true };
		/* a unit without ATS knows no translated requests at all */
		if (lacks != 1)
			CHECK(!soft_ats_use(c.soft, NO_SSID, AT, &at));
		c.pdev.ats_enabled = false;
	} else {
		CHECK_EQ(soft_ats(c.soft, NO_SSID, AT, true), 0);
		CHECK(soft_ats_use(c.soft, NO_SSID, AT, &at) && at == phys);
	}
	OK(client_attach(&c, NULL));
	CHECK(!c.pdev.ats_enabled);
	table_free(d);
	memory_free(phys);
	client_remove(&c);
	unit_down();
}

static void who_may(void)
{
	unsigned int lacks;

	for (lacks = 0; lacks < 5; lacks++)
		who(lacks);
}

/* A translated request of a device whose entry no longer allows it. */
static void pretends(void)
{
	u64 at;

	begin();
	OK(client_attach(&c, d));
	CHECK_EQ(soft_ats(c.soft, NO_SSID, AT, true), 0);
	CHECK(soft_ats_use(c.soft, NO_SSID, AT, &at));
	OK(client_attach(&c, NULL));
	c.soft->atc[0] = (struct soft_atc){ true, NO_SSID, AT, phys, true };
	CHECK(!soft_ats_use(c.soft, NO_SSID, AT, &at));
	client_block(&c);
	CHECK(!soft_ats_use(c.soft, NO_SSID, AT, &at));
	c.soft->atc[0].used = false;
	end();
}

static unsigned int index_of(const struct soft_command *command)
{
	return command ? command - soft.taken : ~0U;
}

/* 3.9.1: what the unit remembers goes first, or the device asks it again. */
static void order(void)
{
	begin();
	OK(client_attach(&c, d));
	OK(client_attach(&other, d));
	OK(pasid_attach(&c, 7, d, NULL));
	CHECK_EQ(soft_ats(c.soft, NO_SSID, AT, true), 0);
	CHECK_EQ(soft_ats(c.soft, 7, AT + PAGE_SIZE, true), 0);
	CHECK_EQ(soft_ats(other.soft, NO_SSID, AT + 2 * PAGE_SIZE, true), 0);
	soft.nr_taken = 0;
	unmap(d, AT, 16 * PAGE_SIZE);
	CHECK_EQ(soft_count(0x40), 3);
	CHECK(soft.nr_taken > 4);
	/* a wait is between them, and one comes last */
	CHECK(bits(soft.taken[soft.nr_taken - 1].w, 7, 0) == 0x46);
	CHECK(index_of(soft_last(0x12)) + 1 < soft.nr_taken - 6);
	CHECK(bits(soft.taken[index_of(soft_last(0x12)) + 1].w, 7, 0) == 0x46);
	CHECK(!keeps(&c, NO_SSID, AT) && !keeps(&c, 7, AT + PAGE_SIZE));
	CHECK(!keeps(&other, NO_SSID, AT + 2 * PAGE_SIZE));
	map(d, AT, phys, 16 * PAGE_SIZE, RW);
	pasid_detach(&c, 7, d);
	end();
}

/* 4.5.1: the smallest power of two of pages, aligned, that holds the range. */
static void ranges(void)
{
	static const struct { u64 first, last, address, lg2; } rows[] = {
		{ 0x40000, 0x40fff, 0x40000, 0 },
		{ 0x40000, 0x41fff, 0x40000, 1 },
		{ 0x41000, 0x42fff, 0x40000, 2 },
		{ 0x3f000, 0x40fff, 0x0, 7 },
		{ 0x0, U64_MAX, 0, 52 },
		{ 0x8000000000000000 - 0x1000, 0x8000000000000fff, 0, 52 },
		{ 0xfffffffffffff000, U64_MAX, 0xfffffffffffff000, 0 },
	};
	struct smmu_domain *domain;
	unsigned int i;

	begin();
	OK(client_attach(&c, d));
	domain = to_smmu_domain(d);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct soft_command *command;

		soft.nr_taken = 0;
		spin_lock(&domain->lock);
		smmu_ats_forget(domain, rows[i].first, rows[i].last);
		spin_unlock(&domain->lock);
		command = soft_last(0x40);
		CHECK(command);
		CHECK_EQ(command->w[0], 0x40 | 0x100ULL << 32);
		CHECK_EQ(command->w[1], rows[i].address | rows[i].lg2);
	}
	end();
}

static void is_cut(struct client *client, struct iommu_domain *elsewhere)
{
	u64 at;

	CHECK(strstr(kernel_log, "cut off"));
	CHECK_EQ(goes_to(client, NO_SSID, AT, true, 0), ABORTED);
	CHECK_EQ(goes_to(client, 7, AT, true, 0), ABORTED);
	CHECK(!soft_ats_use(client->soft, NO_SSID, AT, &at));
	CHECK(!soft_ats_use(client->soft, 7, AT, &at));
	/* nothing is sent to it any more, and nothing waits for it */
	soft.nr_taken = 0;
	last_reason[0] = 0;
	ERR(client_attach(client, elsewhere), -EIO);
	CHECK(strstr(last_reason, "cut off"));
	CHECK_EQ(goes_to(client, NO_SSID, AT, true, 0), ABORTED);
	CHECK_EQ(soft_count(0x40), 0);
}

static void mute(void)
{
	struct iommu_domain *two;

	begin();
	two = table(&c, PASID);
	OK(client_attach(&c, d));
	OK(client_attach(&other, d));
	OK(pasid_attach(&c, 7, d, NULL));
	CHECK_EQ(soft_ats(c.soft, NO_SSID, AT, true), 0);
	CHECK_EQ(soft_ats(c.soft, 7, AT, true), 0);
	CHECK_EQ(soft_ats(other.soft, NO_SSID, AT, true), 0);
	c.soft->mute = true;
	unmap(d, AT, 16 * PAGE_SIZE);
	is_cut(&c, two);
	ERR(pasid_attach(&c, 8, two, NULL), -EIO);
	/* the other one is not concerned */
	CHECK(!keeps(&other, NO_SSID, AT));
	map(d, AT, phys, 16 * PAGE_SIZE, RW);
	CHECK_EQ(goes_to(&other, NO_SSID, AT, true, phys), 0);
	CHECK_EQ(goes_to(&c, NO_SSID, AT, true, 0), ABORTED);
	/* as long as something of it is attached */
	client_block(&c);
	CHECK_EQ(goes_to(&c, 7, AT, true, 0), ABORTED);
	pasid_detach(&c, 7, d);
	CHECK(!c.pdev.ats_enabled);
	/* it may begin anew */
	c.soft->mute = false;
	OK(client_attach(&c, two));
	CHECK_EQ(goes_to(&c, NO_SSID, AT, true, 0), TRANSLATION);
	OK(client_attach(&c, d));
	CHECK_EQ(goes_to(&c, NO_SSID, AT, true, phys), 0);
	OK(client_attach(&c, NULL));
	table_free(two);
	end();
}

/* It leaves a page table while something else of it is attached. */
static void mute_leaves(void)
{
	struct iommu_domain *two;
	unsigned int how;

	for (how = 0; how < 4; how++) {
		begin();
		two = table(&c, PASID);
		OK(client_attach(&c, d));
		OK(pasid_attach(&c, 7, d, NULL));
		CHECK_EQ(soft_ats(c.soft, NO_SSID, AT, true), 0);
		CHECK_EQ(soft_ats(c.soft, 7, AT, true), 0);
		c.soft->mute = true;
		switch (how) {
		case 0:
			OK(client_attach(&c, two));
			break;
		case 1:
			OK(client_attach(&c, NULL));
			break;
		case 2:
			pasid_detach(&c, 7, d);
			break;
		case 3:
			OK(pasid_attach(&c, 7, two, d));
			break;
		}
		CHECK(strstr(kernel_log, "cut off"));
		CHECK_EQ(goes_to(&c, NO_SSID, AT, true, 0), ABORTED);
		CHECK_EQ(goes_to(&c, 7, AT, true, 0), ABORTED);
		OK(client_attach(&c, NULL));
		if (how != 2)
			pasid_detach(&c, 7, how == 3 ? two : d);
		CHECK_EQ(goes_to(&c, NO_SSID, AT, true, AT), 0);
		table_free(two);
		end();
	}
}

/* The unit does not know the command: the device may remember what it likes. */
static void command_refused(void)
{
	begin();
	OK(client_attach(&c, d));
	CHECK_EQ(soft_ats(c.soft, NO_SSID, AT, true), 0);
	soft.refuse = 0x40;
	unmap(d, AT, 16 * PAGE_SIZE);
	CHECK(strstr(kernel_log, "cut off"));
	CHECK_EQ(goes_to(&c, NO_SSID, AT, true, 0), ABORTED);
	end();
}

static const struct tap_test tests[] = {
	{ "who may remember translations", who_may },
	{ "translated requests where none may be", pretends },
	{ "the unit forgets before devices do", order },
	{ "ranges as devices are told of them", ranges },
	{ "a device that does not answer is cut off, and no other", mute },
	{ "one that does not forget what it leaves", mute_leaves },
	{ "a command that the unit does not know", command_refused },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

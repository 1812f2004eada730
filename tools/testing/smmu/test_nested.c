// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guests: stage 1 in their memory, with PASIDs and ATS of their own, over a stage 2 that
 * several of them share. What a guest does not have forgotten stays, and what the host
 * takes away is gone, wherever a guest's tables have led to it.
 */
#include "rig.h"

#define GUESTS 2
/* what a guest has where, in its own addresses; a page each */
#define GPA 0x10000000ULL
#define CDS 0
#define TABLE(level) (1 + (level))
#define DATA 5
#define PAGES 16
#define IOVA 0x123000ULL
#define VSID 0x77

static struct client c[GUESTS];
static struct guest g[GUESTS];
static struct iommu_domain *parent, *nested[GUESTS];
static u64 memory;

static u64 gpa(unsigned int who, unsigned int page)
{
	return GPA + (who * PAGES + page) * PAGE_SIZE;
}

static u64 phys_of(unsigned int who, unsigned int page)
{
	return memory + (who * PAGES + page) * PAGE_SIZE;
}

static void put(unsigned int who, unsigned int page, unsigned int index, u64 value)
{
	((u64 *)phys_to_virt(phys_of(who, page)))[index] = value;
}

/* 5.4, by hand: 48 bits, pages of 4K, no upper half, AFFD, AA64, R, A, ASET */
static void descriptor(unsigned int who, unsigned int ssid, unsigned int asid, bool valid)
{
	put(who, CDS, 8 * ssid, 16 | 1 << 30 | (u64)valid << 31 | 5ULL << 32 | 1ULL << 35 |
				1ULL << 41 | 7ULL << 45 | (u64)asid << 48);
	put(who, CDS, 8 * ssid + 1, gpa(who, TABLE(0)));
}

/* D8.3: a page of a user, with its access flag */
static void leaf(unsigned int who, u64 to)
{
	put(who, TABLE(3), IOVA >> 12 & 511, to ? to | 3 | 1 << 6 | 3 << 8 | 1 << 10 : 0);
}

static void tables_of(unsigned int who)
{
	unsigned int level;

	for (level = 0; level < 3; level++)
		put(who, TABLE(level), IOVA >> (39 - 9 * level) & 511,
		    gpa(who, TABLE(level + 1)) | 3);
	leaf(who, gpa(who, DATA));
}

static void begin_with(u32 more0, u32 more1, u32 more3, u64 w0, u64 w1)
{
	unsigned int i;

	soft_reset(FULL0 | IDR0_ATS | more0, FULL1 | more1, more3, FULL5);
	OK(unit_up());
	memory = memory_new(5);
	for (i = 0; i < GUESTS; i++) {
		client_add(&c[i], 0x100 + 8 * i);
		c[i].pdev.ats_cap = 1;
		c[i].fwspec.flags = IOMMU_FWSPEC_PCI_RC_ATS;
		OK(client_probe(&c[i]));
		if (!i) {
			parent = table(&c[0], NEST);
			map(parent, GPA, memory, 2 * PAGES * PAGE_SIZE, RW);
		}
		OK(guest_make(&g[i], &c[i], parent));
		/* the same name in both, the same ASID: they do not meet */
		guest_name(&g[i], &c[i], VSID);
		tables_of(i);
		descriptor(i, 0, 5, true);
		nested[i] = guest_table(&g[i], &c[i], 1 | 5 << 1 | gpa(i, CDS) | w0, w1);
		if (IS_ERR(nested[i]))
			tap_fail(__FILE__, __LINE__, "%s", last_reason);
		OK(client_attach(&c[i], nested[i]));
	}
}

#define EATS (1ULL << 28)

static void begin(bool ats)
{
	begin_with(0, 0, IDR3_RIL, 0, ats ? EATS : 0);
}

static void end(void)
{
	unsigned int i;

	for (i = 0; i < GUESTS; i++) {
		OK(client_attach(&c[i], NULL));
		table_free(nested[i]);
		guest_end(&g[i]);
	}
	table_free(parent);
	for (i = 0; i < GUESTS; i++)
		client_remove(&c[i]);
	memory_free(memory);
	CHECK_EQ(soft.illegal, 0);
	unit_down();
}

static unsigned int leads_to(unsigned int who, unsigned int page)
{
	return goes_to(&c[who], NO_SSID, IOVA, true, phys_of(who, page));
}

/* A change is seen when the guest says so, in that guest alone. */
static void forgets(void)
{
	/* NH_ALL, NH_ASID, NH_VA, NH_VAA, NSNH_ALL; the VMID is not the guest's to say */
	static const struct { u64 w0, w1; bool reaches; } rows[] = {
		{ 0x10, 0, true }, { 0x11 | 5ULL << 48, 0, true },
		{ 0x11 | 6ULL << 48, 0, false },
		{ 0x12 | 5ULL << 48, IOVA, true }, { 0x12 | 6ULL << 48, IOVA, false },
		{ 0x12 | 5ULL << 48, IOVA + 0x1000, false },
		{ 0x13, IOVA, true }, { 0x30, 0, true },
		{ 0x13 | 0x777ULL << 32, IOVA | 1, true },
		/* ranges: 16 pages up to it, 16 pages from the next on */
		{ 0x12 | 5ULL << 48 | 15 << 12, (IOVA - 0xf000) | 1 << 10, true },
		{ 0x12 | 5ULL << 48 | 15 << 12, (IOVA + 0x1000) | 1 << 10, false },
	};
	unsigned int i;

	begin(false);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		CHECK_EQ(leads_to(0, DATA), 0);
		CHECK_EQ(leads_to(1, DATA), 0);
		leaf(0, gpa(0, DATA + 1));
		leaf(1, gpa(1, DATA + 1));
		/* both remember */
		CHECK_EQ(leads_to(0, DATA), 0);
		OK(guest_command(&g[0], rows[i].w0, rows[i].w1));
		CHECK_EQ(leads_to(0, rows[i].reaches ? DATA + 1 : DATA), 0);
		CHECK_EQ(leads_to(1, DATA), 0);
		leaf(0, gpa(0, DATA));
		leaf(1, gpa(1, DATA));
		OK(guest_command(&g[0], 0x30, 0));
		OK(guest_command(&g[1], 0x30, 0));
	}
	end();
}

/* What the host takes away is gone for all guests, whatever they remember. */
static void unmapped(void)
{
	unsigned int ats, i;
	u64 at;

	for (ats = 0; ats < 2; ats++) {
		begin(ats);
		for (i = 0; i < GUESTS; i++) {
			/* both lead to the same page of the host */
			leaf(i, gpa(0, DATA));
			CHECK_EQ(goes_to(&c[i], NO_SSID, IOVA, true, phys_of(0, DATA)), 0);
			CHECK_EQ(c[i].pdev.ats_enabled, ats);
			if (ats)
				CHECK_EQ(soft_ats(c[i].soft, NO_SSID, IOVA, true), 0);
			else
				CHECK(soft_ats(c[i].soft, NO_SSID, IOVA, true) != 0);
		}
		unmap(parent, GPA, 2 * PAGES * PAGE_SIZE);
		for (i = 0; i < GUESTS; i++) {
			struct soft_answer a = soft_request(c[i].sid, NO_SSID, IOVA, true);

			CHECK_EQ(a.event, TRANSLATION);
			CHECK(a.stage2);
			CHECK(!soft_ats_use(c[i].soft, NO_SSID, IOVA, &at));
		}
		map(parent, GPA, memory, 2 * PAGES * PAGE_SIZE, RW);
		for (i = 0; i < GUESTS; i++)
			CHECK_EQ(goes_to(&c[i], NO_SSID, IOVA, true, phys_of(0, DATA)), 0);
		end();
	}
}

/* ATC_INV reaches the device that the guest names, after what it has said before. */
static void device_tlb(void)
{
	u64 at;

	begin(true);
	CHECK_EQ(soft_ats(c[0].soft, NO_SSID, IOVA, true), 0);
	CHECK_EQ(soft_ats(c[1].soft, NO_SSID, IOVA, true), 0);
	leaf(0, gpa(0, DATA + 1));
	OK(guest_command(&g[0], 0x30, 0));
	CHECK(soft_ats_use(c[0].soft, NO_SSID, IOVA, &at) && at == phys_of(0, DATA));
	soft.nr_taken = 0;
	OK(guest_command(&g[0], 0x40 | (u64)VSID << 32, IOVA));
	CHECK_EQ(soft_last(0x40)->w[0], 0x40 | (u64)c[0].sid << 32);
	CHECK(!soft_ats_use(c[0].soft, NO_SSID, IOVA, &at));
	CHECK(soft_ats_use(c[1].soft, NO_SSID, IOVA, &at));
	ERR(guest_command(&g[0], 0x40 | (u64)(VSID + 1) << 32, IOVA), -EIO);
	CHECK(strstr(last_reason, "no device with stream id"));
	/* one that does not answer is cut off, and the guest goes on */
	c[0].soft->mute = true;
	OK(guest_command(&g[0], 0x40 | (u64)VSID << 32, IOVA));
	CHECK(strstr(kernel_log, "cut off"));
	CHECK_EQ(goes_to(&c[0], NO_SSID, IOVA, true, 0), ABORTED);
	CHECK_EQ(leads_to(1, DATA), 0);
	end();
	/* without ATS there is nothing to forget */
	begin(false);
	soft.nr_taken = 0;
	OK(guest_command(&g[0], 0x40 | (u64)VSID << 32, IOVA));
	CHECK_EQ(soft_count(0x40), 0);
	end();
}

/* The guest's own PASIDs, in a table of one level that it says it has. */
static void substreams(void)
{
	u64 at;

	begin_with(0, IDR1_SSID(4), 0, 4ULL << 59, EATS | 2);
	descriptor(0, 3, 9, true);
	CHECK_EQ(goes_to(&c[0], 3, IOVA, true, phys_of(0, DATA)), 0);
	CHECK_EQ(leads_to(0, DATA), 0);
	CHECK_EQ(goes_to(&c[0], 4, IOVA, true, 0), BAD_CD);
	CHECK_EQ(g[0].nr_events, 1);
	CHECK_EQ(g[0].events[0][0], BAD_CD | 1 << 11 | 4 << 12 | (u64)VSID << 32);
	CHECK_EQ(goes_to(&c[0], 16, IOVA, true, 0), BAD_SUBSTREAMID);
	/* a descriptor that goes is remembered until it is forgotten */
	descriptor(0, 3, 9, false);
	CHECK_EQ(goes_to(&c[0], 3, IOVA, true, phys_of(0, DATA)), 0);
	OK(guest_command(&g[0], 0x05 | 3 << 12 | (u64)VSID << 32, 1));
	CHECK_EQ(goes_to(&c[0], 3, IOVA, true, 0), BAD_CD);
	descriptor(0, 3, 9, true);
	/* what devices remember of PASIDs the host does not know goes too */
	CHECK_EQ(soft_ats(c[0].soft, 3, IOVA, true), 0);
	CHECK_EQ(soft_ats(c[0].soft, NO_SSID, IOVA, true), 0);
	unmap(parent, GPA, 2 * PAGES * PAGE_SIZE);
	CHECK(!soft_ats_use(c[0].soft, 3, IOVA, &at));
	CHECK(!soft_ats_use(c[0].soft, NO_SSID, IOVA, &at));
	map(parent, GPA, memory, 2 * PAGES * PAGE_SIZE, RW);
	end();
}

/* Each that a guest can cause reaches that guest, in its words; the host's do not. */
static void events(void)
{
	begin(false);
	leaf(0, 0);
	CHECK_EQ(leads_to(0, DATA), TRANSLATION);
	CHECK_EQ(g[0].nr_events, 1);
	CHECK_EQ(g[0].events[0][0], TRANSLATION | (u64)VSID << 32);
	CHECK_EQ(g[0].events[0][2], IOVA);
	/* outside of what it has: stage 2, with its own address */
	leaf(0, 0x70000000);
	CHECK_EQ(leads_to(0, DATA), TRANSLATION);
	CHECK_EQ(g[0].nr_events, 2);
	CHECK_EQ(g[0].events[1][1] >> 39 & 1, 1);
	CHECK_EQ(g[0].events[1][3], 0x70000000);
	CHECK_EQ(g[1].nr_events, 0);
	descriptor(0, 0, 5, false);
	OK(guest_command(&g[0], 0x06 | (u64)VSID << 32, 0));
	CHECK_EQ(leads_to(0, DATA), BAD_CD);
	CHECK_EQ(g[0].nr_events, 3);
	/* the descriptor lies outside, too: the host's stage 2 has refused it */
	soft_record((u64[4]) { STE_FETCH | (u64)c[0].sid << 32 });
	soft_interrupts();
	CHECK_EQ(g[0].nr_events, 3);
	end();
}

/* ATS of a guest where the host does not let the device have it. */
static void no_ats(void)
{
	struct iommu_domain *d;

	begin(false);
	to_smmu_device(&c[0].pdev.dev)->ats = false;
	d = guest_table(&g[0], &c[0], 1 | 5 << 1 | gpa(0, CDS), EATS);
	CHECK_EQ(PTR_ERR(d), -EIO);
	CHECK(strstr(last_reason, "has no ATS here"));
	to_smmu_device(&c[0].pdev.dev)->ats = true;
	d = guest_table(&g[0], &c[0], 1 | 5 << 1 | gpa(0, CDS), 2 * EATS);
	CHECK_EQ(PTR_ERR(d), -EIO);
	CHECK(strstr(last_reason, "EATS 2"));
	/* it comes and goes with the table */
	d = guest_table(&g[0], &c[0], 1 | 5 << 1 | gpa(0, CDS), EATS);
	OK(client_attach(&c[0], d));
	CHECK(c[0].pdev.ats_enabled);
	CHECK_EQ(soft_ats(c[0].soft, NO_SSID, IOVA, true), 0);
	OK(client_attach(&c[0], nested[0]));
	CHECK(!c[0].pdev.ats_enabled);
	table_free(d);
	end();
}

static const struct tap_test tests[] = {
	{ "a guest's commands, and no other guest", forgets },
	{ "what is unmapped below guests", unmapped },
	{ "what a guest has a device forget", device_tlb },
	{ "PASIDs of a guest", substreams },
	{ "events of a guest", events },
	{ "ATS of a guest", no_ats },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

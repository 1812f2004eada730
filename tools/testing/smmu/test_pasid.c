// SPDX-License-Identifier: GPL-2.0-only
/*
 * PASIDs: what is attached leads where it is to lead, whatever else is attached, and
 * nothing that stays is refused for a moment while something changes.
 */
#include "rig.h"

#define AT 0x5000
#define TABLES 4

static struct client c;
static struct iommu_domain *tables[TABLES], *parent;
static u64 pages[TABLES];

static void begin(u32 idr0, unsigned int bits, bool ats)
{
	unsigned int i;

	soft_reset(idr0 | (ats ? IDR0_ATS : 0), FULL1 | IDR1_SSID(bits), 0, FULL5);
	OK(unit_up());
	client_add(&c, 0x4567);
	c.pdev.pasid_cap = 1;
	c.pdev.max_pasids = 1 << 20;
	c.pdev.ats_cap = ats;
	c.fwspec.flags = IOMMU_FWSPEC_PCI_RC_ATS;
	OK(client_probe(&c));
	for (i = 0; i < TABLES; i++) {
		pages[i] = memory_new(0);
		tables[i] = table(&c, bits ? PASID : 0);
		map(tables[i], AT, pages[i], PAGE_SIZE, RW);
	}
	parent = table(&c, NEST);
	map(parent, AT, pages[0], PAGE_SIZE, RW);
}

static void end(void)
{
	unsigned int i;

	OK(client_attach(&c, NULL));
	for (i = 0; i < TABLES; i++) {
		table_free(tables[i]);
		memory_free(pages[i]);
	}
	table_free(parent);
	client_remove(&c);
	CHECK(!c.pdev.ats_enabled && !c.pdev.pasid_enabled);
	CHECK_EQ(soft.illegal, 0);
	unit_down();
}

static void is_refused(int rc, int want, const char *text)
{
	CHECK_EQ(rc, want);
	if (!strstr(last_reason, text))
		tap_fail(__FILE__, __LINE__, "said: %s", last_reason);
}

static void refused(void)
{
	struct iommu_domain *d;
	struct guest g;

	begin(FULL0, 8, false);
	CHECK(c.pdev.pasid_enabled);
	is_refused(pasid_attach(&c, 0, tables[0], NULL), -EINVAL, "has no PASID 0");
	is_refused(pasid_attach(&c, 256, tables[0], NULL), -EINVAL, "has no PASID 256");
	is_refused(pasid_attach(&c, 1, parent, NULL), -EINVAL, "of stage 2");
	OK(guest_make(&g, &c, parent));
	d = guest_table(&g, &c, 1 | 4 << 1, 0);
	is_refused(pasid_attach(&c, 1, d, NULL), -EINVAL, "nested");
	OK(client_attach(&c, parent));
	is_refused(pasid_attach(&c, 1, tables[0], NULL), -EINVAL, "through stage 2");
	OK(client_attach(&c, tables[1]));
	OK(pasid_attach(&c, 1, tables[0], NULL));
	is_refused(client_attach(&c, parent), -EINVAL, "while PASIDs of it");
	is_refused(client_attach(&c, d), -EINVAL, "while PASIDs of it");
	CHECK_EQ(goes_to(&c, 1, AT, true, pages[0]), 0);
	CHECK_EQ(goes_to(&c, NO_SSID, AT, true, pages[1]), 0);
	pasid_detach(&c, 1, tables[0]);
	table_free(d);
	guest_end(&g);
	end();
	/* the device has fewer than the unit */
	begin(FULL0, 8, false);
	c.iommu.max_pasids = 16;
	OK(pasid_attach(&c, 15, tables[0], NULL));
	is_refused(pasid_attach(&c, 16, tables[0], NULL), -EINVAL, "has no PASID 16");
	pasid_detach(&c, 15, tables[0]);
	end();
}

static void no_pasids(void)
{
	struct iommu_domain *d;

	begin(FULL0, 0, false);
	is_refused(pasid_attach(&c, 1, tables[0], NULL), -EOPNOTSUPP, "has no PASIDs");
	d = smmu_iommufd_ops.alloc_paging(&c.pdev.dev, PASID, NULL);
	CHECK_EQ(PTR_ERR(d), -EOPNOTSUPP);
	CHECK(strstr(last_reason, "has no PASIDs"));
	CHECK(!c.pdev.pasid_enabled);
	end();
}

/* What is attached, as the test knows it: -1 nothing, else which table. */
enum { PASSES = -2, BLOCKED = -1 };
static int rest;
static struct { u32 pasid; int table; } slots[12];
/* of these one is being changed; -1: the rest */
static int changing;
static int from;
static unsigned int attached, looks;

static void look_at(int ssid, int table, int or, bool changes)
{
	struct soft_answer a = soft_look(c.sid, ssid, AT, false);
	bool same = !a.event && table >= 0 && a.phys == pages[table];

	if (table == PASSES && !a.event && a.phys == AT)
		same = true;
	if (table == BLOCKED && a.event)
		same = true;
	if (changes && or >= 0 && !a.event && a.phys == pages[or])
		same = true;
	if (changes && or == PASSES && !a.event && a.phys == AT)
		same = true;
	if (changes && or == BLOCKED && a.event)
		same = true;
	if (!same)
		panic("PASID %d: event %#x, leads to %#llx, in between", ssid, a.event,
		      a.phys);
	looks++;
}

/* Each word that hardware may see: old or new, and what does not change does not. */
static void look(void)
{
	unsigned int i;

	look_at(NO_SSID, rest, from, changing == -1);
	for (i = 0; i < ARRAY_SIZE(slots); i++)
		look_at(slots[i].pasid, slots[i].table, from, changing == (int)i);
}

static void change_rest(int to)
{
	from = rest;
	rest = to;
	changing = -1;
	kernel_watch = look;
	if (to >= 0)
		OK(client_attach(&c, tables[to]));
	else if (to == PASSES)
		OK(client_attach(&c, NULL));
	else
		client_block(&c);
	kernel_watch = NULL;
}

static void change_slot(unsigned int n, int to)
{
	struct iommu_domain *old = slots[n].table < 0 ? NULL : tables[slots[n].table];

	from = slots[n].table;
	slots[n].table = to;
	changing = n;
	kernel_watch = look;
	if (to >= 0)
		OK(pasid_attach(&c, slots[n].pasid, tables[to], old));
	else if (old)
		pasid_detach(&c, slots[n].pasid, old);
	kernel_watch = NULL;
	attached += (to >= 0) - (from >= 0);
}

static void check_all(void)
{
	unsigned int i, event;

	if (rest >= 0)
		CHECK_EQ(goes_to(&c, NO_SSID, AT, true, pages[rest]), 0);
	else if (rest == PASSES)
		CHECK_EQ(goes_to(&c, NO_SSID, AT, true, AT), 0);
	else
		CHECK_EQ(goes_to(&c, NO_SSID, AT, true, 0),
			 attached ? STREAM_DISABLED : ABORTED);
	for (i = 0; i < ARRAY_SIZE(slots); i++) {
		event = goes_to(&c, slots[i].pasid, AT, true,
				slots[i].table < 0 ? 0 : pages[slots[i].table]);
		if (slots[i].table >= 0)
			CHECK_EQ(event, 0);
		else
			CHECK(event == BAD_SUBSTREAMID || event == BAD_CD ||
			      event == ABORTED);
	}
	/* PASID 0 is no name for requests without one */
	CHECK(goes_to(&c, 0, AT, true, 0) == BAD_SUBSTREAMID || !attached ||
	      rest < 0);
}

/* With ATS: what the device got it keeps, and it must not lead anywhere else. */
static void check_ats(void)
{
	unsigned int i;
	u64 phys;
	int ssid;

	for (i = 0; i <= ARRAY_SIZE(slots); i++) {
		int table = i < ARRAY_SIZE(slots) ? slots[i].table : rest;

		ssid = i < ARRAY_SIZE(slots) ? (int)slots[i].pasid : NO_SSID;
		if (soft_ats_use(c.soft, ssid, AT, &phys)) {
			if (table == PASSES)
				CHECK_EQ(phys, AT);
			else
				CHECK(table >= 0 && phys == pages[table]);
		} else if (table >= 0) {
			CHECK_EQ(soft_ats(c.soft, ssid, AT, true), 0);
		}
	}
}

static bool is_taken(unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (slots[i].pasid == slots[n].pasid)
			return true;
	return false;
}

static void lives(u32 idr0, unsigned int bits, bool ats)
{
	unsigned int round, i, moved = 0;

	random_state = 21 + bits + ats;
	begin(idr0, bits, ats);
	rest = PASSES;
	attached = 0;
	looks = 0;
	for (i = 0; i < ARRAY_SIZE(slots); i++)
		slots[i].table = BLOCKED;
	/* neighbours, the last one, and far away */
	for (i = 0; i < ARRAY_SIZE(slots); i++) {
		slots[i].pasid = i < 4 ? i + 1 : c.iommu.max_pasids - 1;
		while (is_taken(i))
			slots[i].pasid = below(c.iommu.max_pasids - 1) + 1;
	}
	for (round = 0; round < 600; round++) {
		if (!below(4))
			change_rest((int)below(TABLES + 2) - 2);
		else if (round / 100 % 2)
			change_slot(below(ARRAY_SIZE(slots)), below(3) ? BLOCKED : (int)below(TABLES));
		else
			change_slot(below(ARRAY_SIZE(slots)), (int)below(TABLES));
		check_all();
		if (ats)
			check_ats();
		if (!below(8)) {
			/* one page for all takes the place of another */
			unsigned int n = below(TABLES);

			unmap(tables[n], AT, PAGE_SIZE);
			memory_free(pages[n]);
			pages[n] = memory_new(0);
			map(tables[n], AT, pages[n], PAGE_SIZE, RW);
			check_all();
			if (ats)
				check_ats();
			moved++;
		}
	}
	for (i = 0; i < ARRAY_SIZE(slots); i++)
		change_slot(i, BLOCKED);
	check_all();
	tap_note("%u looks in between, %u pages moved", looks, moved);
	CHECK_EQ(attached, 0);
	end();
}

static void two_levels(void)
{
	lives(FULL0, 16, false);
}

static void two_levels_20(void)
{
	lives(FULL0 & ~IDR0_COHACC, 20, false);
}

static void one_level(void)
{
	lives(FULL0 & ~IDR0_CD2L, 9, false);
}

/* More bits than one level is made for. */
static void one_level_20(void)
{
	lives((FULL0 & ~IDR0_CD2L) & ~IDR0_ST2L, 20, false);
}

static void few(void)
{
	lives(FULL0, 5, false);
}

static void with_ats(void)
{
	lives(FULL0, 16, true);
}

static void one_level_ats(void)
{
	lives(FULL0 & ~IDR0_CD2L, 9, true);
}

static void no_memory(void)
{
	unsigned int n, ats;
	int rc;

	for (ats = 0; ats < 2; ats++) {
		begin(FULL0, 16, ats);
		OK(client_attach(&c, tables[0]));
		for (n = 1;; n++) {
			unsigned long before = pages_used();

			kernel_fail_after = n;
			rc = pasid_attach(&c, 0x1234, tables[1], NULL);
			kernel_fail_after = -1;
			if (!rc)
				break;
			CHECK_EQ(rc, -ENOMEM);
			CHECK_EQ(pages_used(), before);
			CHECK(goes_to(&c, 0x1234, AT, true, 0) != 0);
			CHECK_EQ(goes_to(&c, NO_SSID, AT, true, pages[0]), 0);
			CHECK(n < 50);
		}
		CHECK(n > 4);
		for (n = 1;; n++) {
			kernel_fail_after = n;
			rc = pasid_attach(&c, 0x2345, tables[2], NULL);
			kernel_fail_after = -1;
			if (!rc)
				break;
			CHECK_EQ(rc, -ENOMEM);
			CHECK_EQ(goes_to(&c, 0x1234, AT, true, pages[1]), 0);
		}
		pasid_detach(&c, 0x1234, tables[1]);
		CHECK_EQ(goes_to(&c, 0x2345, AT, true, pages[2]), 0);
		pasid_detach(&c, 0x2345, tables[2]);
		end();
	}
}

static const struct tap_test tests[] = {
	{ "what cannot be attached", refused },
	{ "a unit without PASIDs", no_pasids },
	{ "16 bits in two levels", two_levels, 120 },
	{ "20 bits in two levels, not coherent", two_levels_20, 120 },
	{ "9 bits in one level", one_level, 120 },
	{ "as many bits as one level is made for", one_level_20, 120 },
	{ "fewer than a page of descriptors", few, 120 },
	{ "with ATS", with_ats, 120 },
	{ "with ATS, in one level", one_level_ats, 120 },
	{ "no memory", no_memory },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

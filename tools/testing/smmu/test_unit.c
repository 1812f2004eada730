// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu_smmuv3 on units that no emulator has: what they are, tables of streams and pages
 * in all their forms, commands that fail, errors and interrupts.
 */
#include "rig.h"

static struct client c;

/* A unit with one device that is passed through. */
static void begin(u32 idr0, u32 idr1, u32 idr3, u32 idr5)
{
	soft_reset(idr0, idr1, idr3, idr5);
	OK(unit_up());
	client_add(&c, 0x123);
	OK(client_probe(&c));
}

static void end(void)
{
	OK(client_attach(&c, NULL));
	client_remove(&c);
	CHECK_EQ(soft.illegal, 0);
	unit_down();
}

static void lacks(u32 idr0, u32 idr1, u32 idr5, const char *text)
{
	soft_reset(idr0, idr1, 0, idr5);
	CHECK_EQ(unit_up(), text ? -EOPNOTSUPP : 0);
	if (text && !strstr(kernel_log, text))
		tap_fail(__FILE__, __LINE__, "said: %s", kernel_log);
	if (text)
		free(unit);
	else
		unit_down();
	kernel_devres_release();
}

static void refused_units(void)
{
	lacks(FULL0, FULL1, FULL5, NULL);
	lacks(FULL0 & ~(IDR0_S1P | IDR0_S2P), FULL1, FULL5, "no stage");
	lacks(FULL0 & ~IDR0_TTF_64, FULL1, FULL5, "AArch64");
	lacks(FULL0 | 3 << 21, FULL1, FULL5, "big endian");
	lacks(FULL0 | 2 << 21, FULL1, FULL5, NULL);
	lacks(FULL0, FULL1 | BIT(30), FULL5, "firmware put");
	lacks(FULL0, FULL1 | BIT(29), FULL5, "firmware put");
	lacks(FULL0, IDR1_QUEUES(0, 7, 6) | 16, FULL5, "single entry");
	lacks(FULL0, FULL1, IDR5_48, "no size of pages");
	lacks(FULL0 & ~IDR0_COHACC, FULL1, IDR5_48 | IDR5_64K, "flushed in pieces");
	/* the smallest queues and tables there can be */
	lacks(FULL0, IDR1_QUEUES(1, 0, 0), FULL5, NULL);
	lacks(FULL0, IDR1_QUEUES(19, 19, 19) | 32, FULL5, NULL);
}

static void dead_unit(void)
{
	soft_reset(FULL0, FULL1, 0, FULL5);
	soft.stuck = true;
	CHECK_EQ(unit_up(), -ETIMEDOUT);
	CHECK(strstr(kernel_log, "stays"));
}

/* What moves bytes, whatever the unit is like. */
static void moves(u32 flags)
{
	struct iommu_domain *d = table(&c, flags);
	u64 phys = memory_new(3);

	CHECK_EQ(goes_to(&c, NO_SSID, 0x1000, true, 0x1000), 0);
	OK(client_attach(&c, d));
	CHECK_EQ(goes_to(&c, NO_SSID, 0x10000, true, phys), TRANSLATION);
	map(d, 0x10000, phys, 8 * PAGE_SIZE, RW);
	CHECK_EQ(goes_to(&c, NO_SSID, 0x10000, true, phys), 0);
	CHECK_EQ(goes_to(&c, NO_SSID, 0x17ff8, false, phys + 0x7ff8), 0);
	CHECK_EQ(goes_to(&c, NO_SSID, 0x18000, false, 0), TRANSLATION);
	unmap(d, 0x10000, 8 * PAGE_SIZE);
	CHECK_EQ(goes_to(&c, NO_SSID, 0x10000, false, 0), TRANSLATION);
	map(d, 0x10000, phys, PAGE_SIZE, IOMMU_READ | IOMMU_CACHE);
	CHECK_EQ(goes_to(&c, NO_SSID, 0x10000, false, phys), 0);
	CHECK_EQ(goes_to(&c, NO_SSID, 0x10000, true, phys), PERMISSION);
	unmap(d, 0x10000, PAGE_SIZE);
	client_block(&c);
	CHECK_EQ(goes_to(&c, NO_SSID, 0x10000, false, 0), ABORTED);
	OK(client_attach(&c, NULL));
	CHECK_EQ(goes_to(&c, NO_SSID, 0x1000, true, 0x1000), 0);
	table_free(d);
	memory_free(phys);
}

static void forms_of_units(void)
{
	static const u32 stages[] = { IDR0_S1P, IDR0_S2P, IDR0_S1P | IDR0_S2P };
	static const u32 oas[] = { 0, 1, 2, 3, 4, 5, 6 };
	unsigned int i, n, runs = 0;

	for (i = 0; i < 3; i++) {
		u32 base = (FULL0 & ~(IDR0_S1P | IDR0_S2P)) | stages[i];

		for (n = 0; n < 64; n++) {
			u32 idr0 = base ^ (n & 1 ? IDR0_ST2L : 0) ^
				   (n & 2 ? IDR0_COHACC : 0) ^ (n & 4 ? IDR0_ASID16 : 0) ^
				   (n & 8 ? IDR0_VMID16 : 0);

			/* memory of the test lies above 16 GiB */
			begin(idr0, FULL1, n & 16 ? IDR3_RIL : 0,
			      oas[1 + n % 6] | IDR5_4K | (n & 32 ? IDR5_64K : 0));
			moves(0);
			if (i == 2)
				moves(NEST);
			end();
			runs++;
		}
	}
	tap_note("%u units", runs);
}

/* Larger pages than the CPU's: only what fits is mapped. */
static void granules(void)
{
	static const u32 sizes[] = {
		IDR5_16K, IDR5_64K, IDR5_64K | IDR5_52, IDR5_64K | IDR5_52 | IDR5_VA52,
	};
	unsigned int i, nest;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		begin(FULL0, FULL1, 0, sizes[i] | (sizes[i] & 7 ? 0 : IDR5_48));
		for (nest = 0; nest < 2; nest++) {
			struct iommu_domain *d = table(&c, nest ? NEST : 0);
			u64 high = d->geometry.aperture_end + 1 - 0x10000;
			u64 phys = memory_new(5);

			CHECK(!(d->pgsize_bitmap & PAGE_SIZE));
			OK(client_attach(&c, d));
			phys = (phys + 0xffff) & ~0xffffULL;
			map(d, high, phys, 0x10000, RW);
			CHECK_EQ(goes_to(&c, NO_SSID, high + 0xf000, true, phys + 0xf000), 0);
			unmap(d, high, 0x10000);
			CHECK_EQ(goes_to(&c, NO_SSID, high, true, phys), TRANSLATION);
			OK(client_attach(&c, NULL));
			table_free(d);
		}
		CHECK_EQ(unit->ia_bits, i == 3 ? 52 : 48);
		/* the memory of the two tables stays */
		client_remove(&c);
		smmu_unit_disable(unit);
		kernel_devres_release();
		free(unit);
	}
}

/*
 * Everything that is mapped and unmapped beside a list of what is where, on a unit that
 * remembers all it can. What was not to be forgotten is looked up again.
 */
static void randomized(u32 idr0, u32 idr3, u32 flags)
{
	enum { SLOTS = 64, ROUNDS = 3000 };
	struct { u64 iova, len, phys; bool write, used; } slots[SLOTS];
	static const u64 lens[] = { 1, 1, 2, 16, 16, 512, 513, 1024 };
	unsigned int round, i, checks = 0;
	struct iommu_domain *d;
	u64 phys;

	random_state = 11 + idr0 + idr3;
	memset(slots, 0, sizeof(slots));
	for (i = 0; i < SLOTS; i++)
		slots[i].iova = (u64)i << 23 | below(2) << 36;
	begin(idr0, FULL1, idr3, FULL5);
	d = table(&c, flags);
	phys = memory_new(11);
	phys = (phys + 0x1fffff) & ~0x1fffffULL;
	OK(client_attach(&c, d));
	for (round = 0; round < ROUNDS; round++) {
		unsigned int n = below(SLOTS);
		u64 at;

		if (!slots[n].used) {
			/* each has a place of its own, some share tables */
			slots[n].len = lens[below(ARRAY_SIZE(lens))] * PAGE_SIZE;
			slots[n].phys = phys + below(4) * 16 * PAGE_SIZE;
			if (slots[n].len >= 512 * PAGE_SIZE)
				slots[n].phys = phys;
			slots[n].write = below(2);
			map(d, slots[n].iova, slots[n].phys, slots[n].len,
			    IOMMU_READ | IOMMU_CACHE | (slots[n].write ? IOMMU_WRITE : 0));
			slots[n].used = true;
		} else if (below(2)) {
			unmap(d, slots[n].iova, slots[n].len);
			slots[n].used = false;
		}
		for (i = 0; i < 4; i++) {
			struct soft_answer a;
			bool write = below(2);

			n = below(SLOTS);
			at = slots[n].iova + below(slots[n].len / PAGE_SIZE + 1) * PAGE_SIZE;
			a = soft_request(c.sid, NO_SSID, at, write);
			if (!slots[n].used || at >= slots[n].iova + slots[n].len) {
				CHECK_EQ(a.event, TRANSLATION);
			} else if (write && !slots[n].write) {
				CHECK_EQ(a.event, PERMISSION);
			} else {
				CHECK_EQ(a.event, 0);
				CHECK_EQ(a.phys, slots[n].phys + at - slots[n].iova);
				checks++;
			}
		}
	}
	CHECK(checks > ROUNDS / 2);
	tap_note("%u requests went through", checks);
}

static void random_stage1(void)
{
	randomized(FULL0, 0, 0);
}

static void random_stage1_ranges(void)
{
	randomized(FULL0 & ~IDR0_COHACC, IDR3_RIL | IDR3_BBML(1), 0);
}

static void random_stage2(void)
{
	randomized(FULL0, IDR3_BBML(2), NEST);
}

static void random_stage2_ranges(void)
{
	randomized(FULL0 & ~IDR0_COHACC, IDR3_RIL | IDR3_FWB, NEST);
}

/* Where requests may lead while an entry is being changed. */
static u64 allowed[2];
static unsigned int looks;

static void look(void)
{
	struct soft_answer a = soft_look(c.sid, NO_SSID, 0x5000, false);

	if (a.event)
		panic("refused in between: %#x", a.event);
	if (a.phys != allowed[0] && a.phys != allowed[1])
		panic("led to %#llx in between", a.phys);
	looks++;
}

static void change(struct iommu_domain *to, u64 from_phys, u64 to_phys)
{
	/* what is remembered of before is forgotten */
	CHECK_EQ(goes_to(&c, NO_SSID, 0x5000, false, from_phys), 0);
	allowed[0] = from_phys;
	allowed[1] = to_phys;
	looks = 0;
	kernel_watch = look;
	OK(client_attach(&c, to));
	kernel_watch = NULL;
	CHECK(looks >= 8);
	CHECK_EQ(goes_to(&c, NO_SSID, 0x5000, false, to_phys), 0);
}

static void no_gap(void)
{
	struct iommu_domain *s1[2], *s2;
	u64 phys[3];
	unsigned int i;

	begin(FULL0, FULL1, 0, FULL5);
	for (i = 0; i < 3; i++)
		phys[i] = memory_new(0);
	for (i = 0; i < 2; i++) {
		s1[i] = table(&c, 0);
		map(s1[i], 0x5000, phys[i], PAGE_SIZE, RW);
	}
	s2 = table(&c, NEST);
	map(s2, 0x5000, phys[2], PAGE_SIZE, RW);
	change(s1[0], 0x5000, phys[0]);
	change(s1[1], phys[0], phys[1]);
	change(s1[0], phys[1], phys[0]);
	change(NULL, phys[0], 0x5000);
	/* between two of stage 2, or one of each stage, two words change: see the manual */
	change(s2, 0x5000, phys[2]);
	change(NULL, phys[2], 0x5000);
	for (i = 0; i < 2; i++)
		table_free(s1[i]);
	table_free(s2);
	for (i = 0; i < 3; i++)
		memory_free(phys[i]);
	end();
}

/* Streams of other devices, and of none. */
static void other_streams(void)
{
	struct client far;
	struct iommu_domain *d;
	unsigned int two;

	for (two = 0; two < 2; two++) {
		begin(two ? FULL0 : FULL0 & ~IDR0_ST2L, FULL1, 0, FULL5);
		d = table(&c, 0);
		OK(client_attach(&c, d));
		CHECK_EQ(soft_request(0x122, NO_SSID, 0x5000, true).phys, 0x5000);
		CHECK_EQ(soft_request(0x7fff, NO_SSID, 0x5000, true).phys, 0x5000);
		CHECK_EQ(soft_request(0x10000, NO_SSID, 0x5000, true).event, BAD_STREAMID);
		client_add(&far, 0xff00);
		OK(client_probe(&far));
		client_block(&far);
		CHECK_EQ(goes_to(&far, NO_SSID, 0x5000, true, 0), ABORTED);
		CHECK_EQ(soft_request(0xff01, NO_SSID, 0x5000, true).phys, 0x5000);
		CHECK_EQ(soft_request(0x123, NO_SSID, 0x5000, true).event, TRANSLATION);
		/* a device that goes is passed through as before it came */
		client_remove(&far);
		CHECK_EQ(goes_to(&far, NO_SSID, 0x5000, true, 0x5000), 0);
		client_add(&far, 0x10000);
		CHECK_EQ(client_probe(&far), -ERANGE);
		CHECK(strstr(kernel_log, "no table entry"));
		OK(client_attach(&c, NULL));
		table_free(d);
		end();
	}
}

/* 7.1: each command is refused once: what it was to forget is forgotten all the same. */
static void commands_refused(void)
{
	static const u8 ops[] = { 0x03, 0x04, 0x06, 0x11, 0x12, 0x28, 0x2a, 0x46 };
	unsigned int i, nest, hits;

	for (nest = 0; nest < 2; nest++) {
		hits = 0;
		for (i = 0; i < ARRAY_SIZE(ops); i++) {
			begin(FULL0, FULL1, 0, FULL5);
			soft.refuse = ops[i];
			moves(nest ? NEST : 0);
			hits += soft.refuse < 0;
			soft.refuse = -1;
			moves(nest ? NEST : 0);
			end();
		}
		CHECK(hits >= 4);
	}
}

static void commands_aborted(void)
{
	begin(FULL0, FULL1, 0, FULL5);
	/* they are read anew when the error is acknowledged */
	soft.aborts = 3;
	moves(0);
	CHECK_EQ(soft.aborts, 0);
	CHECK(kernel_log_lines >= 3);
	end();
}

/* A queue of two entries does the same as a long one. */
static void short_queue(void)
{
	begin(FULL0, IDR1_QUEUES(1, 1, 1) | 16, IDR3_RIL, FULL5);
	moves(0);
	moves(NEST);
	end();
}

static void twice(void)
{
	struct iommu_domain *d;
	unsigned int i;

	begin(FULL0, FULL1, 0, FULL5);
	d = table(&c, 0);
	OK(client_attach(&c, d));
	for (i = 0; i < 2; i++) {
		u64 phys = memory_new(0);

		if (i)
			unit->has |= SMMU_HAS_TO_BE_TOLD_TWICE;
		map(d, 0x5000, phys, PAGE_SIZE, RW);
		soft.nr_taken = 0;
		unmap(d, 0x5000, PAGE_SIZE);
		CHECK_EQ(soft_count(0x12), 1 + i);
		/* each is waited for */
		CHECK_EQ(soft_count(0x46), 1 + i);
		memory_free(phys);
	}
	OK(client_attach(&c, NULL));
	table_free(d);
	end();
}

static void wired(bool combined, bool wires, u32 more)
{
	soft_reset(FULL0 | more, FULL1, 0, FULL5);
	soft.combined = combined;
	soft.wires = wires;
	OK(unit_up());
	client_add(&c, 0x123);
	OK(client_probe(&c));
	kernel_log_lines = 0;
	CHECK_EQ(soft_request(c.sid, 1, 0x5000, true).event, BAD_SUBSTREAMID);
	CHECK(strstr(kernel_log, "event"));
	CHECK_EQ(kernel_log_lines, 1);
	CHECK_EQ(more ? soft.messages : soft.interrupts, 1);
	soft_error(BIT(2));
	soft_interrupts();
	CHECK(strstr(kernel_log, "error"));
	CHECK_EQ(more ? soft.messages : soft.interrupts, 2);
	CHECK_EQ(more ? soft.interrupts : soft.messages, 0);
	/* acknowledged: the same error can come again */
	soft_error(BIT(2));
	soft_interrupts();
	CHECK_EQ(kernel_log_lines, 3);
	end();
}

static void interrupts(void)
{
	wired(false, true, 0);
	wired(true, false, 0);
	wired(false, false, IDR0_MSI);
	wired(false, true, IDR0_MSI);
}

static void many_events(void)
{
	unsigned int i;

	begin(FULL0, IDR1_QUEUES(8, 3, 0) | 16, 0, FULL5);
	/* 8 fit, and nobody reads meanwhile */
	for (i = 0; i < 20; i++)
		soft_record((u64[4]){ BAD_STE | 0x123ULL << 32 });
	CHECK_EQ(soft.events, 8);
	kernel_log_lines = 0;
	soft_interrupts();
	CHECK(strstr(kernel_log, "than could be recorded") || kernel_log_lines == 9);
	/* and the queue works again, around its end too */
	for (i = 0; i < 20; i++) {
		CHECK_EQ(soft_request(c.sid, 1, 0, true).event, BAD_SUBSTREAMID);
		CHECK_EQ(soft.events, 9 + i);
	}
	CHECK_EQ(soft.lost, 12);
	end();
}

static void errors(void)
{
	static const struct { u32 bit; const char *text; } rows[] = {
		{ BIT(2), "events cannot" }, { BIT(3), "page requests cannot" },
		{ BIT(4), "interrupt cannot" }, { BIT(5), "interrupt cannot" },
		{ BIT(7), "interrupt cannot" }, { BIT(8), "out of service" },
	};
	unsigned int i;

	begin(FULL0, FULL1, 0, FULL5);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		soft_error(rows[i].bit);
		soft_interrupts();
		CHECK(strstr(kernel_log, rows[i].text));
		CHECK_EQ(smmu_read(unit, SMMU_GERROR), smmu_read(unit, SMMU_GERRORN));
	}
	moves(0);
	end();
}

/* Memory runs out at each place there is. */
static void no_memory(void)
{
	struct iommu_domain *d[2];
	unsigned int flags, n;
	int rc;

	for (flags = 0; flags < 2; flags++) {
		begin(FULL0, FULL1, 0, FULL5);
		d[0] = table(&c, 0);
		d[1] = table(&c, flags ? NEST : 0);
		OK(client_attach(&c, d[0]));
		for (n = 1;; n++) {
			unsigned long pages = pages_used();

			kernel_fail_after = n;
			rc = client_attach(&c, d[1]);
			kernel_fail_after = -1;
			if (!rc)
				break;
			CHECK_EQ(rc, -ENOMEM);
			CHECK_EQ(pages_used(), pages);
			CHECK_EQ(goes_to(&c, NO_SSID, 0, true, 0), TRANSLATION);
			CHECK(n < 50);
		}
		CHECK(n > 1);
		OK(client_attach(&c, NULL));
		table_free(d[0]);
		table_free(d[1]);
		end();
	}
	for (n = 1;; n++) {
		soft_reset(FULL0, FULL1, 0, FULL5);
		kernel_fail_after = n;
		rc = unit_up();
		kernel_fail_after = -1;
		if (!rc)
			break;
		CHECK_EQ(rc, -ENOMEM);
		kernel_devres_release();
		free(unit);
		CHECK_EQ(pages_used(), 0);
	}
	unit_down();
}

/* Who says in IIDR that it has one: product, variant, revision; Arm is 0x43b. */
static void errata(void)
{
	static const struct { u32 iidr; const char *text; bool nests, waits; } rows[] = {
		{ 0x483 << 20 | 0 << 16 | 0x43b, "1209401", false, false },
		{ 0x483 << 20 | 1 << 16 | 2 << 12 | 0x43b, "1209401", false, false },
		{ 0x483 << 20 | 2 << 16 | 0x43b, NULL, true, false },
		{ 0x487 << 20 | 0 << 16 | 0x43b, "2268618, 2812531", false, true },
		{ 0x487 << 20 | 1 << 16 | 1 << 12 | 0x43b, "2268618, 2812531", false, true },
		/* of somebody else, by the same numbers */
		{ 0x487U << 20 | 0x123, NULL, true, false },
		{ 0x490U << 20 | 0x43b, NULL, true, false },
	};
	struct iommu_domain *d;
	unsigned int i;
	u64 phys;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		soft_reset(FULL0, FULL1, 0, FULL5);
		soft.iidr = rows[i].iidr;
		kernel_log_lines = 0;
		OK(unit_up());
		/* the last line is that of the unit itself */
		CHECK_EQ(kernel_log_lines, 1 + !!rows[i].text);
		client_add(&c, 0x123);
		OK(client_probe(&c));
		d = smmu_iommufd_ops.alloc_paging(&c.pdev.dev, NEST, NULL);
		if (rows[i].nests) {
			CHECK(!IS_ERR(d));
			table_free(d);
		} else {
			CHECK_EQ(PTR_ERR(d), -EOPNOTSUPP);
			CHECK(strstr(last_reason, "an erratum forbids it"));
		}
		d = table(&c, 0);
		OK(client_attach(&c, d));
		phys = memory_new(3);
		map(d, 0x10000, phys, 8 * PAGE_SIZE, RW);
		soft.nr_taken = 0;
		unmap(d, 0x10000, 8 * PAGE_SIZE);
		CHECK_EQ(soft_count(0x12), 8);
		CHECK_EQ(soft_count(0x46), rows[i].waits ? 8 : 1);
		OK(client_attach(&c, NULL));
		table_free(d);
		memory_free(phys);
		end();
	}
}

/* Behind a bridge: what one of two leaves is the other's. */
static void shared_stream(void)
{
	static struct client other;
	struct iommu_domain *d;
	u64 phys;

	begin(FULL0, FULL1, 0, FULL5);
	client_add(&other, 0x200);
	other.fwspec.ids[1] = c.sid;
	other.fwspec.num_ids = 2;
	OK(client_probe(&other));
	d = table(&c, 0);
	phys = memory_new(0);
	map(d, 0x10000, phys, PAGE_SIZE, RW);
	OK(client_attach(&c, d));
	OK(client_attach(&other, d));
	client_remove(&other);
	CHECK_EQ(goes_to(&c, -1, 0x10000, true, phys), 0);
	CHECK(goes_to(&c, -1, 0x20000, true, 0x20000));
	/* one that comes changes nothing either, until it is attached itself */
	OK(smmu_attach_blocked(NULL, &c.pdev.dev));
	CHECK(!IS_ERR(smmu_probe_device(&other.pdev.dev)));
	CHECK(goes_to(&c, -1, 0x20000, true, 0x20000));
	client_remove(&other);
	CHECK(goes_to(&c, -1, 0x20000, true, 0x20000));
	table_free(d);
	memory_free(phys);
	end();
}

static const struct tap_test tests[] = {
	{ "what the driver needs", refused_units },
	{ "registers that do not react", dead_unit },
	{ "stages, tables, caches, addresses and ids of all kinds", forms_of_units, 120 },
	{ "pages of 16K and 64K, and 52 bits", granules },
	{ "maps and unmaps beside a list, stage 1", random_stage1, 120 },
	{ "the same with ranges, and not coherent", random_stage1_ranges, 120 },
	{ "maps and unmaps beside a list, stage 2", random_stage2, 120 },
	{ "the same with ranges, and not coherent, with S2FWB", random_stage2_ranges, 120 },
	{ "no request is refused while a table takes the place of another", no_gap },
	{ "streams of other devices, and of none", other_streams },
	{ "a stream of two devices, of which one goes", shared_stream },
	{ "a command that is not known", commands_refused },
	{ "commands that cannot be read", commands_aborted },
	{ "a command queue of two entries", short_queue },
	{ "a unit that has to be told twice", twice },
	{ "wires, one for all, and messages", interrupts },
	{ "more events than fit", many_events },
	{ "errors of the unit", errors },
	{ "errata", errata },
	{ "no memory", no_memory },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

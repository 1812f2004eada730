// SPDX-License-Identifier: GPL-2.0-only
/* The parser of the IVRS table, with tables that are right, wrong and hostile. */
#include <linux/kernel.h>

#include "../../../drivers/iommu/amd/ivrs.h"
#include "../selftests/lib/tap.h"

long fail_after = -1;
long allocations;

struct table {
	u8 data[4096];
	size_t size;
	/* where the block begins that is being made */
	size_t block;
};

static void put(struct table *t, size_t at, unsigned int bytes, u64 value)
{
	memcpy(t->data + at, &value, bytes);
	if (at + bytes > t->size)
		t->size = at + bytes;
}

static void begin(struct table *t)
{
	memset(t, 0, sizeof(*t));
	t->size = 48;
	memcpy(t->data, "IVRS", 4);
	/* 48 bits of physical addresses, 64 of those that are translated */
	put(t, 36, 4, 64 << 15 | 48 << 8 | 1);
}

static void block(struct table *t, u8 type, u8 flags, size_t size)
{
	t->block = t->size;
	put(t, t->block + size - 1, 1, 0);
	put(t, t->block, 1, type);
	put(t, t->block + 1, 1, flags);
	put(t, t->block + 2, 2, size);
}

static void unit(struct table *t, u8 type, u16 id, u64 base)
{
	block(t, type, 0xb0, type == 0x10 ? 24 : 40);
	put(t, t->block + 4, 2, id);
	put(t, t->block + 6, 2, 0x40);
	put(t, t->block + 8, 8, base);
	if (type == 0x10)
		return;
	put(t, t->block + 24, 8, 0x29d7);
	put(t, t->block + 32, 8, 5);
}

/* A device entry; the first 8 bytes of those that are longer */
static void entry(struct table *t, u8 type, u16 id, u8 setting, u32 more)
{
	size_t at = t->size;

	put(t, at + 3, 1, setting);
	put(t, at, 1, type);
	put(t, at + 1, 2, id);
	if (type >= 64)
		put(t, at + 4, 4, more);
	if (type >= 128)
		put(t, at + (type < 192 ? 15 : 31), 1, 0);
	put(t, t->block + 2, 2, t->size - t->block);
}

/* One that ACPI names */
static void named(struct table *t, u16 id, const char *name, unsigned int uid)
{
	size_t at = t->size;

	put(t, at, 1, 240);
	put(t, at + 1, 2, id);
	put(t, at + 21 + uid, 1, 0);
	memcpy(t->data + at + 4, name, 8);
	put(t, at + 21, 1, uid);
	put(t, t->block + 2, 2, t->size - t->block);
}

static void memory(struct table *t, u8 type, u8 flags, u16 first, u16 last, u64 at,
		   u64 length)
{
	block(t, type, flags, 32);
	put(t, t->block + 4, 2, first);
	put(t, t->block + 6, 2, last);
	put(t, t->block + 16, 8, at);
	put(t, t->block + 24, 8, length);
}

/* Parse a copy that ends where its memory does, for AddressSanitizer. */
static int parse(const struct table *t, struct ivrs_table *out, char *why)
{
	u8 *copy = malloc(t->size);
	int rc;

	memcpy(copy, t->data, t->size);
	rc = ivrs_parse(out, copy, t->size, why);
	free(copy);
	return rc;
}

static void refused(const struct table *t, const char *words)
{
	struct ivrs_table out;
	char why[IVRS_WHY];

	CHECK_EQ(parse(t, &out, why), -EINVAL);
	if (!strstr(why, words))
		tap_fail(__FILE__, __LINE__, "\"%s\", not \"%s\"", why, words);
	ivrs_free(&out);
	CHECK_EQ(allocations, 0);
}

static void complete(struct table *t)
{
	begin(t);
	/* what older software reads, of both units */
	unit(t, 0x10, 2, 0xfed80000);
	entry(t, 1, 0, 0, 0);
	unit(t, 0x11, 0x4002, 0xfd100000);
	entry(t, 3, 0x4003, 0xc0, 0);
	entry(t, 4, 0x7fff, 0, 0);
	unit(t, 0x40, 2, 0xfed80000);
	entry(t, 3, 3, 0, 0);
	entry(t, 4, 0x3fff, 0, 0);
	entry(t, 2, 0x10, 0x30, 0);
	entry(t, 66, 0x300, 0, 0x0200 << 8);
	entry(t, 67, 0x500, 0, 0x0400 << 8);
	entry(t, 4, 0x5ff, 0, 0);
	entry(t, 71, 0x600, 0, 1U << 31);
	entry(t, 4, 0x6ff, 0, 0);
	entry(t, 70, 0x700, 0, 1U << 31);
	entry(t, 72, 0, 0xd7, 1 << 24 | 0xa0 << 8 | 33);
	entry(t, 64, 0, 0, 0);
	entry(t, 0, 0, 0, 0);
	entry(t, 150, 0, 0, 0);
	entry(t, 200, 0, 0, 0);
	named(t, 0xa5, "AMDI0020", 9);
	memory(t, 0x20, 1 | 2 | 4, 0, 0, 0x7f000000, 0x800000);
	memory(t, 0x21, 8, 0x300, 0, 0x1000, 0x1000);
	memory(t, 0x22, 1 | 2, 0x300, 0x3ff, 0x10000, 0x1000);
	memory(t, 0x21, 0, 0x300, 0, 0, 0);
	block(t, 0x77, 0, 12);
}

static struct ivrs_range *range_at(const struct ivrs_unit *u, unsigned int nth)
{
	struct ivrs_range *r;

	list_for_each_entry(r, &u->ranges, link)
		if (!nth--)
			return r;
	tap_fail(__FILE__, __LINE__, "there are no more ranges");
	return NULL;
}

static void check_range(const struct ivrs_unit *u, unsigned int nth, u16 first,
			u16 last, int alias, bool no_ats)
{
	const struct ivrs_range *r = range_at(u, nth);

	CHECK_EQ(r->first, first);
	CHECK_EQ(r->last, last);
	CHECK_EQ(r->alias, alias);
	CHECK_EQ(r->no_ats, no_ats);
}

static void right(void)
{
	struct ivrs_special *s;
	struct ivrs_memory *m;
	struct ivrs_table out;
	struct ivrs_unit *u;
	char why[IVRS_WHY];
	struct table t;

	complete(&t);
	CHECK_EQ(parse(&t, &out, why), 0);
	CHECK_EQ(out.va_bits, 64);
	CHECK_EQ(out.pa_bits, 48);
	u = list_entry(out.units.next, struct ivrs_unit, link);
	CHECK_EQ(u->id, 0x4002);
	CHECK_EQ(u->base, 0xfd100000);
	check_range(u, 0, 0x4003, 0x7fff, IVRS_NO_ALIAS, false);
	CHECK_EQ(range_at(u, 0)->setting, 0xc0);
	u = list_entry(u->link.next, struct ivrs_unit, link);
	/* the block that says most */
	CHECK_EQ(u->block, 0x40);
	CHECK_EQ(u->id, 2);
	CHECK_EQ(u->base, 0xfed80000);
	CHECK_EQ(u->flags, 0xb0);
	CHECK_EQ(u->capability, 0x40);
	CHECK_EQ(u->efr, 0x29d7);
	CHECK_EQ(u->efr2, 5);
	CHECK(u->link.next == &out.units);
	check_range(u, 0, 3, 0x3fff, IVRS_NO_ALIAS, false);
	check_range(u, 1, 0x10, 0x10, IVRS_NO_ALIAS, false);
	CHECK_EQ(range_at(u, 1)->setting, 0x30);
	check_range(u, 2, 0x300, 0x300, 0x200, false);
	check_range(u, 3, 0x500, 0x5ff, 0x400, false);
	check_range(u, 4, 0x600, 0x6ff, IVRS_NO_ALIAS, true);
	check_range(u, 5, 0x700, 0x700, IVRS_NO_ALIAS, true);
	check_range(u, 6, 0xa0, 0xa0, IVRS_NO_ALIAS, false);
	CHECK_EQ(range_at(u, 6)->setting, 0xd7);
	check_range(u, 7, 0xa5, 0xa5, IVRS_NO_ALIAS, false);
	CHECK(range_at(u, 7)->link.next == &u->ranges);
	s = list_entry(u->specials.next, struct ivrs_special, link);
	CHECK_EQ(s->kind, 1);
	CHECK_EQ(s->handle, 33);
	CHECK_EQ(s->id, 0xa0);
	s = list_entry(s->link.next, struct ivrs_special, link);
	CHECK_EQ(s->kind, 0);
	CHECK(!strcmp(s->name, "AMDI0020"));
	CHECK(s->link.next == &u->specials);
	m = list_entry(out.memory.next, struct ivrs_memory, link);
	CHECK_EQ(m->first, 0x7f000000);
	CHECK_EQ(m->last, 0x7f7fffff);
	CHECK_EQ(m->first_id, 0);
	CHECK_EQ(m->last_id, 0xffff);
	CHECK(m->read && m->write);
	m = list_entry(m->link.next, struct ivrs_memory, link);
	CHECK_EQ(m->last_id, 0x300);
	CHECK(m->read && m->write);
	m = list_entry(m->link.next, struct ivrs_memory, link);
	CHECK_EQ(m->first_id, 0x300);
	CHECK_EQ(m->last_id, 0x3ff);
	CHECK(m->read && !m->write);
	CHECK(m->link.next == &out.memory);
	ivrs_free(&out);
	CHECK_EQ(allocations, 0);
}

/* A unit that nothing is wrong with, to be followed by what is. */
static void fine(struct table *t, u8 type)
{
	begin(t);
	unit(t, type, 2, 0xfed80000);
}

static void wrong(void)
{
	struct table t;

	begin(&t);
	refused(&t, "no unit");
	t.size = 47;
	refused(&t, "47 bytes");
	begin(&t);
	put(&t, 36, 4, 53 << 8);
	refused(&t, "and 53 bits");
	put(&t, 36, 4, 65 << 15);
	refused(&t, "65 and");
	begin(&t);
	put(&t, t.size, 2, 0);
	refused(&t, "block of 2");
	fine(&t, 0x10);
	put(&t, t.block + 2, 2, 3);
	refused(&t, "has 3 of");
	put(&t, t.block + 2, 2, 25);
	refused(&t, "has 25 of");
	put(&t, t.block + 2, 2, 20);
	refused(&t, "unit of 20");
	fine(&t, 0x11);
	put(&t, t.block + 2, 2, 36);
	refused(&t, "unit of 36");
	fine(&t, 0x10);
	put(&t, t.block + 8, 8, 0);
	refused(&t, "registers at 0x0");
	put(&t, t.block + 8, 8, 0xfed81000);
	refused(&t, "registers at 0xfed81000");
	put(&t, t.block + 8, 8, -0x4000ULL);
	refused(&t, "registers at 0xffffffffffffc000");
	fine(&t, 0x10);
	put(&t, t.block + 6, 2, 0x3c);
	refused(&t, "capability at 0x3c");
	put(&t, t.block + 6, 2, 0x42);
	refused(&t, "capability at 0x42");
	put(&t, t.block + 6, 2, 0x100);
	refused(&t, "capability at 0x100");
	fine(&t, 0x10);
	unit(&t, 0x10, 3, 0xfed80000);
	refused(&t, "two units");
	fine(&t, 0x10);
	unit(&t, 0x11, 2, 0xfed84000);
	refused(&t, "0xfed80000 and 0xfed84000");
	fine(&t, 0x10);
	entry(&t, 4, 7, 0, 0);
	refused(&t, "device 0x7 that has not begun");
	fine(&t, 0x10);
	entry(&t, 3, 7, 0, 0);
	refused(&t, "0x7 on has no end");
	entry(&t, 4, 6, 0, 0);
	refused(&t, "from 0x7 to 0x6");
	fine(&t, 0x10);
	entry(&t, 3, 7, 0, 0);
	entry(&t, 67, 8, 0, 0);
	refused(&t, "device 0x8 within");
	fine(&t, 0x10);
	entry(&t, 2, 7, 0, 0);
	put(&t, t.block + 2, 2, 27);
	t.size--;
	refused(&t, "needs 4 bytes, 3 are left");
	fine(&t, 0x10);
	entry(&t, 72, 7, 0, 0);
	put(&t, t.block + 2, 2, 24 + 4);
	t.size -= 4;
	refused(&t, "needs 8 bytes, 4 are left");
	fine(&t, 0x40);
	named(&t, 7, "AMDI0020", 3);
	put(&t, t.block + 40 + 21, 1, 4);
	refused(&t, "needs 26 bytes, 25 are left");
	put(&t, t.block + 2, 2, 40 + 4);
	t.size = t.block + 44;
	refused(&t, "needs 22 bytes, 4 are left");
	fine(&t, 0x10);
	memory(&t, 0x21, 1, 3, 0, 0x1000, 0);
	refused(&t, "0x1000 of 0x0 bytes");
	put(&t, t.block + 24, 8, 0x800);
	refused(&t, "of 0x800 bytes");
	put(&t, t.block + 24, 8, -0x1000ULL);
	put(&t, t.block + 16, 8, 0x2000);
	refused(&t, "at 0x2000 of");
	put(&t, t.block + 16, 8, 0x2001);
	refused(&t, "at 0x2001 of");
	put(&t, t.block + 2, 2, 28);
	t.size -= 4;
	refused(&t, "region of 28");
	fine(&t, 0x10);
	memory(&t, 0x22, 1, 3, 2, 0x1000, 0x1000);
	refused(&t, "from 0x3 to 0x2");
}

/* Every byte cut off, every byte changed: refused or read, never beyond. */
static void damaged(void)
{
	struct ivrs_table out;
	char why[IVRS_WHY];
	struct table t;
	size_t i, whole;
	unsigned int bit, read = 0;

	complete(&t);
	whole = t.size;
	for (i = 0; i < whole; i++) {
		t.size = i;
		if (!parse(&t, &out, why))
			read++;
		else
			CHECK(why[0]);
		ivrs_free(&out);
	}
	/* between blocks only */
	CHECK(read < 10);
	t.size = whole;
	for (i = 36; i < whole; i++) {
		for (bit = 0; bit < 8; bit++) {
			t.data[i] ^= 1 << bit;
			if (parse(&t, &out, why))
				CHECK(why[0]);
			ivrs_free(&out);
			t.data[i] ^= 1 << bit;
		}
	}
	CHECK_EQ(allocations, 0);
}

static void without_memory(void)
{
	struct ivrs_table out;
	char why[IVRS_WHY];
	struct table t;
	int i, rc;

	complete(&t);
	for (i = 0; ; i++) {
		fail_after = i;
		rc = parse(&t, &out, why);
		ivrs_free(&out);
		CHECK_EQ(allocations, 0);
		if (!rc)
			break;
		CHECK_EQ(rc, -ENOMEM);
		CHECK(!why[0]);
	}
	/* 3 units, 10 ranges, 2 specials, 3 memory regions */
	CHECK_EQ(i, 18);
	fail_after = -1;
}

static const struct tap_test tests[] = {
	{ "a table with all there is", right },
	{ "tables that are wrong, and what is said of them", wrong },
	{ "a table that is cut off or damaged anywhere", damaged },
	{ "no memory", without_memory },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

// SPDX-License-Identifier: GPL-2.0-only
/* The parser of the DMAR table, with tables that are right, wrong and hostile. */
#include <linux/kernel.h>

#include "../../../drivers/iommu/intel/dmar.h"
#include "../selftests/lib/tap.h"

long fail_after = -1;
long allocations;

struct table {
	u8 data[4096];
	size_t size;
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
	memcpy(t->data, "DMAR", 4);
	t->data[36] = 38;	/* 39 bits */
	t->data[37] = 1;
}

/* A structure of a type; its size grows with what is added. */
static size_t structure(struct table *t, unsigned int type, unsigned int size)
{
	size_t at = t->size;

	put(t, at, 2, type);
	put(t, at + size - 1, 1, 0);
	put(t, at + 2, 2, size);
	return at;
}

static size_t unit(struct table *t, bool all, u64 base)
{
	size_t at = structure(t, 0, 16);

	put(t, at + 4, 1, all);
	put(t, at + 8, 8, base);
	return at;
}

static size_t region(struct table *t, u64 first, u64 last)
{
	size_t at = structure(t, 1, 24);

	put(t, at + 8, 8, first);
	put(t, at + 16, 8, last);
	return at;
}

/* Add a scope to the structure at @at, which is the last. */
static size_t scope(struct table *t, size_t at, u8 type, u8 bus, unsigned int hops)
{
	size_t s = t->size;
	unsigned int i;

	put(t, s, 1, type);
	put(t, s + 1, 1, 6 + 2 * hops);
	put(t, s + 2, 2, 0);
	put(t, s + 4, 1, 7);
	put(t, s + 5, 1, bus);
	for (i = 0; i < hops; i++) {
		put(t, s + 6 + 2 * i, 1, 3 + i);
		put(t, s + 7 + 2 * i, 1, i % 8);
	}
	put(t, at + 2, 2, t->size - at);
	return s;
}

/* Parse a copy that ends where its memory does, for AddressSanitizer. */
static int parse(const struct table *t, struct dmar_table *out, char *why)
{
	u8 *copy = malloc(t->size);
	int rc;

	memcpy(copy, t->data, t->size);
	rc = dmar_parse(out, copy, t->size, why);
	free(copy);
	return rc;
}

static void refused(const struct table *t, const char *words)
{
	struct dmar_table out;
	char why[DMAR_WHY];

	CHECK_EQ(parse(t, &out, why), -EINVAL);
	if (!strstr(why, words))
		tap_fail(__FILE__, __LINE__, "\"%s\", not \"%s\"", why, words);
	dmar_free(&out);
	CHECK_EQ(allocations, 0);
}

static void complete(struct table *t)
{
	size_t at;

	begin(t);
	at = unit(t, false, 0xfed90000);
	scope(t, at, 1, 0, 1);
	scope(t, at, 2, 2, 3);
	at = structure(t, 2, 8);
	put(t, at + 4, 1, 1);
	at = structure(t, 2, 8);
	put(t, at + 6, 2, 5);
	scope(t, at, 2, 3, 1);
	at = region(t, 0x7f000000, 0x7f7fffff);
	scope(t, at, 1, 0, 2);
	structure(t, 77, 12);
	at = unit(t, true, 0xfed91000);
	scope(t, at, 3, 0xf0, 1);
}

static void right(void)
{
	struct dmar_reserved *r;
	struct dmar_table out;
	struct dmar_unit *u;
	struct dmar_ats *a;
	struct dmar_scope *s;
	char why[DMAR_WHY];
	struct table t;

	complete(&t);
	CHECK_EQ(parse(&t, &out, why), 0);
	CHECK_EQ(out.width, 39);
	CHECK_EQ(out.flags, 1);
	u = list_entry(out.units.next, struct dmar_unit, link);
	CHECK_EQ(u->base, 0xfed90000);
	CHECK_EQ(u->size, 4096);
	CHECK(!u->include_all);
	s = list_entry(u->scopes.next, struct dmar_scope, link);
	CHECK_EQ(s->type, 1);
	CHECK_EQ(s->id, 7);
	CHECK_EQ(s->hops, 1);
	CHECK_EQ(s->path[0].device, 3);
	s = list_entry(s->link.next, struct dmar_scope, link);
	CHECK_EQ(s->bus, 2);
	CHECK_EQ(s->hops, 3);
	CHECK_EQ(s->path[2].device, 5);
	CHECK_EQ(s->path[2].function, 2);
	u = list_entry(u->link.next, struct dmar_unit, link);
	CHECK(u->include_all);
	CHECK(u->link.next == &out.units);
	r = list_entry(out.reserved.next, struct dmar_reserved, link);
	CHECK_EQ(r->first, 0x7f000000);
	CHECK_EQ(r->last, 0x7f7fffff);
	CHECK(r->link.next == &out.reserved);
	a = list_entry(out.ats.next, struct dmar_ats, link);
	CHECK(a->all);
	CHECK_EQ(a->segment, 0);
	a = list_entry(a->link.next, struct dmar_ats, link);
	CHECK(!a->all);
	CHECK_EQ(a->segment, 5);
	s = list_entry(a->scopes.next, struct dmar_scope, link);
	CHECK_EQ(s->bus, 3);
	CHECK(a->link.next == &out.ats);
	dmar_free(&out);
	CHECK_EQ(allocations, 0);
}

static void wrong(void)
{
	struct table t;
	size_t at, s;

	begin(&t);
	refused(&t, "no unit");
	t.size = 47;
	refused(&t, "47 bytes");
	begin(&t);
	t.data[36] = 20;
	refused(&t, "21 bits");
	begin(&t);
	t.data[36] = 255;
	refused(&t, "0 bits");
	begin(&t);
	put(&t, t.size, 2, 0);
	refused(&t, "structure of 2");
	begin(&t);
	at = unit(&t, false, 0xfed90000);
	put(&t, at + 2, 2, 3);
	refused(&t, "has 3 of");
	put(&t, at + 2, 2, 17);
	refused(&t, "has 17 of");
	put(&t, at + 2, 2, 8);
	refused(&t, "unit of 8");
	put(&t, at + 2, 2, 16);
	put(&t, at + 8, 8, 0);
	refused(&t, "registers at 0x0");
	put(&t, at + 8, 8, 0xfed90800);
	refused(&t, "registers at 0xfed90800");
	put(&t, at + 8, 8, -4096ULL);
	put(&t, at + 5, 1, 1);
	refused(&t, "registers at 0xfffffffffffff000");
	begin(&t);
	unit(&t, false, 0xfed90000);
	unit(&t, false, 0xfed90000);
	refused(&t, "two units");
	begin(&t);
	unit(&t, true, 0xfed90000);
	unit(&t, false, 0xfed91000);
	refused(&t, "follows the one for all");
	begin(&t);
	at = unit(&t, false, 0xfed90000);
	s = scope(&t, at, 1, 0, 1);
	put(&t, s + 1, 1, 0);
	refused(&t, "says it has 0");
	put(&t, s + 1, 1, 6);
	refused(&t, "says it has 6");
	put(&t, s + 1, 1, 10);
	refused(&t, "says it has 10");
	put(&t, s + 1, 1, 8);
	put(&t, s + 6, 1, 32);
	refused(&t, "device 32.0");
	put(&t, s + 6, 1, 31);
	put(&t, s + 7, 1, 8);
	refused(&t, "device 31.8");
	begin(&t);
	at = unit(&t, false, 0xfed90000);
	scope(&t, at, 1, 0, DMAR_MAX_PATH + 1);
	refused(&t, "says it has 24");
	begin(&t);
	at = unit(&t, false, 0xfed90000);
	put(&t, at + 16, 2, 0);
	put(&t, at + 2, 2, 18);
	refused(&t, "scope of 2");
	begin(&t);
	unit(&t, false, 0xfed90000);
	at = region(&t, 0x1000, 0xfff);
	refused(&t, "from 0x1000 to 0xfff");
	put(&t, at + 16, 8, 0x2ffe);
	refused(&t, "to 0x2ffe");
	put(&t, at + 8, 8, 0x1001);
	refused(&t, "from 0x1001");
	put(&t, at + 2, 2, 20);
	t.size -= 4;
	refused(&t, "region of 20");
	begin(&t);
	unit(&t, false, 0xfed90000);
	at = structure(&t, 2, 8);
	put(&t, at + 2, 2, 7);
	t.size--;
	refused(&t, "ATS of 7");
}

/* Every byte cut off, every byte changed: refused or read, never beyond. */
static void damaged(void)
{
	struct dmar_table out;
	char why[DMAR_WHY];
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
		dmar_free(&out);
	}
	CHECK(read < 8);
	t.size = whole;
	for (i = 36; i < whole; i++) {
		for (bit = 0; bit < 8; bit++) {
			t.data[i] ^= 1 << bit;
			if (parse(&t, &out, why))
				CHECK(why[0]);
			dmar_free(&out);
			t.data[i] ^= 1 << bit;
		}
	}
	CHECK_EQ(allocations, 0);
}

static void without_memory(void)
{
	struct dmar_table out;
	char why[DMAR_WHY];
	struct table t;
	int i, rc;

	complete(&t);
	for (i = 0; ; i++) {
		fail_after = i;
		rc = parse(&t, &out, why);
		dmar_free(&out);
		CHECK_EQ(allocations, 0);
		if (!rc)
			break;
		CHECK_EQ(rc, -ENOMEM);
	}
	CHECK_EQ(i, 10);
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

// SPDX-License-Identifier: GPL-2.0-only
/*
 * What becomes of a request: chapters 3.3, 3.4, 5, and D8 of the Arm Architecture
 * Reference Manual (DDI 0487) for the tables. Levels are numbered as there.
 */
#include "soft_int.h"

#define STRTAB_BASE	0x80
#define STRTAB_CFG	0x88
#define CR0		0x20

/* What is known of a request on its way; on the stack of one call. */
struct walk {
	u32 sid;
	int ssid;
	u64 address;
	bool write;
	/* caches are neither used nor filled, nothing is recorded in tables */
	bool look;
	/* only a translation is asked for, 3.9 */
	bool ats;
	u64 ste[8];
	u64 cd[8];
	bool stage1, stage2;
	struct soft_answer out;
	/* where it happened: 0 descriptors, 1 tables, 2 the request itself */
	unsigned int class;
};

static unsigned int oas_bits(unsigned int ps)
{
	static const u8 bits[] = { 32, 36, 40, 42, 44, 48, 52 };

	return ps < ARRAY_SIZE(bits) ? bits[ps] : 52;
}

static struct soft_config *config_find(const struct walk *k, unsigned int kind,
				       u32 ssid)
{
	unsigned int i;

	for (i = 0; i < CACHE_CONFIG && !k->look; i++) {
		struct soft_config *c = &cache.config[i];

		if (c->used && c->kind == kind && c->sid >> c->lg2 == k->sid >> c->lg2 &&
		    kind == CONFIG_L1STD)
			return c;
		if (c->used && c->kind == kind && kind != CONFIG_L1STD &&
		    c->sid == k->sid && c->ssid >> c->lg2 == ssid >> c->lg2)
			return c;
	}
	return NULL;
}

/* From the cache, or from memory and into the cache if it is valid. */
static bool config_read(struct walk *k, unsigned int kind, u32 ssid, unsigned int lg2,
			u64 at, u64 *w, unsigned int words, unsigned int valid)
{
	struct soft_config *c = config_find(k, kind, ssid);
	unsigned int i;

	if (c) {
		memcpy(w, c->w, 8 * words);
		return true;
	}
	for (i = 0; i < words; i++)
		if (!memory_read(at + 8 * i, &w[i]))
			return false;
	if (k->look || !(w[0] >> valid & 1))
		return true;
	c = &cache.config[cache.next_config++ % CACHE_CONFIG];
	*c = (struct soft_config){ .used = true, .kind = kind, .sid = k->sid,
				   .ssid = ssid, .lg2 = lg2 };
	memcpy(c->w, w, 8 * words);
	return true;
}

static unsigned int fetch_ste(struct walk *k)
{
	u64 base = reg64(STRTAB_BASE) & GENMASK_ULL(51, 6), l1;
	u32 cfg = reg(STRTAB_CFG);
	unsigned int bits_of = cfg & 63, split = cfg >> 6 & 31, span;

	if (bits_of < 32 && k->sid >> bits_of)
		return BAD_STREAMID;
	if ((cfg >> 16 & 3) == 0) {
		return config_read(k, CONFIG_STE, 0, 0, base + 64ULL * k->sid, k->ste, 8,
				   0) ? 0 : STE_FETCH;
	}
	if (!(soft.idr[0] & IDR0_ST2L) || (split != 6 && split != 8 && split != 10))
		return STE_FETCH;
	/* 5.1: an item without a span is not valid; bit 0 of a span of 9 is set */
	if (!config_read(k, CONFIG_L1STD, 0, split, base + 8ULL * (k->sid >> split), &l1,
			 1, 0))
		return STE_FETCH;
	span = l1 & 31;
	if (!span || span > split + 1 ||
	    (k->sid & ((1U << split) - 1)) >> (span - 1))
		return BAD_STREAMID;
	return config_read(k, CONFIG_STE, 0, 0, (l1 & GENMASK_ULL(51, 6)) +
			   64ULL * (k->sid & ((1U << split) - 1)), k->ste, 8, 0) ?
	       0 : STE_FETCH;
}

static bool granule_known(unsigned int tg)
{
	return tg < 3 && soft.idr[5] >> (tg == 0 ? 4 : tg == 2 ? 5 : 6) & 1;
}

static unsigned int granule_of(unsigned int tg)
{
	return tg == 0 ? 12 : tg == 2 ? 14 : 16;
}

/* 5.2: what makes an entry ILLEGAL */
static bool ste_is_legal(const u64 *w)
{
	unsigned int config = bits(w, 3, 1), stall = soft.idr[0] >> 24 & 3;
	unsigned int ssids = soft.idr[1] >> 6 & 31, max = bits(w, 63, 59);
	unsigned int i;

	for (i = 4; i < 8; i++)
		if (w[i])
			return false;
	if (config && config < 4)
		return false;
	if (config & 1 && !(soft.idr[0] & IDR0_S1P))
		return false;
	if (config & 2 && config >= 4 && !(soft.idr[0] & IDR0_S2P))
		return false;
	if (config < 4)
		return true;
	if (config & 1) {
		if (max > ssids || (max && bits(w, 5, 4) > 2) ||
		    (max && bits(w, 5, 4) && !(soft.idr[0] & IDR0_CD2L)) ||
		    (max && bits(w, 65, 64) == 3))
			return false;
		if (stall && bits(w, 64 + 27, 64 + 27))
			return false;
		/* the regime of EL1 */
		if (bits(w, 95, 94))
			return false;
		if (!(soft.idr[0] & IDR0_S2P) && bits(w, 143, 128))
			return false;
	}
	if (bits(w, 93, 92) == 3 || (bits(w, 93, 92) == 2 && config != 7))
		return false;
	if (config & 2) {
		unsigned int tg = bits(w, 175, 174), t0sz = bits(w, 165, 160);
		unsigned int sl0 = bits(w, 167, 166), granule = granule_of(tg);
		unsigned int ps = bits(w, 178, 176);
		int start = (granule == 12 ? 2 : 3) - (int)sl0;
		int lg2;

		if (!bits(w, 179, 179) || !granule_known(tg) || start < 0)
			return false;
		if (t0sz > 39 || 64 - t0sz > min(oas_bits(ps), oas_bits(soft.idr[5] & 7)))
			return false;
		/* up to 16 tables side by side at the start */
		lg2 = granule + (granule - 3) * (3 - start);
		if (64 - (int)t0sz - lg2 > (int)granule - 3 + 4 || 64 - (int)t0sz <= lg2)
			return false;
		if (!(soft.idr[0] & IDR0_HTTU_DIRTY) && bits(w, 184, 183))
			return false;
		/* HD without HA */
		if (bits(w, 183, 183) && !bits(w, 184, 184))
			return false;
		if (bits(w, 89, 89) && !(soft.idr[3] & IDR3_FWB))
			return false;
	}
	return true;
}

/* 5.4 */
static bool cd_is_legal(const struct walk *k)
{
	const u64 *w = k->cd;
	unsigned int tg = bits(w, 7, 6), t0sz = bits(w, 5, 0), stall = soft.idr[0] >> 24 & 3;
	unsigned int least = soft.idr[5] & IDR5_VA52 && tg == 1 ? 12 : 16;

	if (!bits(w, 41, 41) || bits(w, 15, 15))
		return false;
	if (!bits(w, 14, 14) && (!granule_known(tg) || t0sz < least || t0sz > 39))
		return false;
	/* there is no upper half of addresses here */
	if (!bits(w, 30, 30))
		return false;
	if (!(soft.idr[0] & IDR0_HTTU_DIRTY) && bits(w, 43, 42))
		return false;
	if (bits(w, 42, 42) && !bits(w, 43, 43))
		return false;
	if (bits(w, 44, 44) && (stall == 1 || bits(k->ste, 91, 91)))
		return false;
	if (stall == 2 && !bits(w, 44, 44))
		return false;
	if (!(soft.idr[0] & IDR0_ASID16) && bits(w, 63, 56))
		return false;
	return true;
}

static struct soft_tlb *tlb_find(const struct walk *k, unsigned int stage, bool table,
				 int level, u64 address, int vmid, int asid)
{
	unsigned int i;

	for (i = 0; i < CACHE_TLB && !k->look; i++) {
		struct soft_tlb *t = &cache.tlb[i];

		if (t->used && t->stage == stage && t->table == table &&
		    (!table || t->level == level) && t->vmid == vmid && t->asid == asid &&
		    t->address >> t->lg2 == address >> t->lg2)
			return t;
	}
	return NULL;
}

static void tlb_add(const struct walk *k, const struct soft_tlb *t)
{
	if (k->look)
		return;
	cache.tlb[cache.next_tlb % CACHE_TLB] = *t;
	cache.tlb[cache.next_tlb++ % CACHE_TLB].used = true;
}

/* A stage: which tables, what is allowed. */
struct stage {
	unsigned int which;
	unsigned int granule;
	unsigned int va_bits, oa_bits;
	int start;
	u64 top;
	int vmid, asid;
	bool ha, hd, affd, wide;
};

static unsigned int walk_stage2(struct walk *k, u64 ipa, bool write, u64 *phys,
				unsigned int *lg2, bool *can_write);

static unsigned int refused(struct walk *k, const struct stage *s, unsigned int event)
{
	if (!k->out.event)
		k->out.stage2 = s->which == 2;
	return event;
}

static u64 address_in(const struct stage *s, u64 item)
{
	u64 address = item & 0x0000ffffffffffff & ~((1ULL << s->granule) - 1);

	if (s->granule == 16)
		address |= (item & 0xf000) << 36;
	return address;
}

static bool is_block(const struct stage *s, int level)
{
	return s->granule == 12 ? level == 1 || level == 2 :
	       level == 2 || (level == 1 && s->granule == 16 && s->wide);
}

/* A descriptor lies in memory, or stage 2 says where. */
static unsigned int read_item(struct walk *k, const struct stage *s, u64 at, u64 *item,
			      u64 *where)
{
	unsigned int event, lg2;
	bool can_write;

	*where = at;
	if (s->which == 1 && k->stage2) {
		event = walk_stage2(k, at, false, where, &lg2, &can_write);
		if (event) {
			k->class = 1;
			k->out.ipa = at;
			k->out.stage2 = true;
			return event;
		}
	}
	k->class = 1;
	return memory_read(*where, item) ? 0 : refused(k, s, WALK_EABT);
}

/* D8.3: down to a leaf */
static unsigned int walk_stage(struct walk *k, const struct stage *s, u64 address,
			       bool write, struct soft_tlb *leaf)
{
	unsigned int step = s->granule - 3, lg2, event;
	struct soft_tlb *t;
	u64 table = s->top, item, where = 0, index;
	int level = s->start;
	bool writeable, dbm;

	lg2 = s->granule + step * (3 - level);
	if (s->va_bits < 64 && address >> s->va_bits) {
		k->class = 2;
		return refused(k, s, TRANSLATION);
	}
	for (;; level++, lg2 -= step) {
		index = level == s->start ? address >> lg2 :
			address >> lg2 & ((1ULL << step) - 1);
		t = tlb_find(k, s->which, true, level, address, s->vmid, s->asid);
		if (t) {
			table = t->to;
			continue;
		}
		event = read_item(k, s, table + 8 * index, &item, &where);
		if (event)
			return event;
		k->class = 2;
		if (!(item & 1) || (level == 3 && !(item & 2)))
			return refused(k, s, TRANSLATION);
		if (level == 3 || !(item & 2))
			break;
		table = address_in(s, item);
		if (table >> s->oa_bits)
			return refused(k, s, ADDR_SIZE);
		tlb_add(k, &(struct soft_tlb){
			.table = true, .stage = s->which, .vmid = s->vmid,
			.asid = s->asid, .address = address >> lg2 << lg2, .lg2 = lg2,
			.level = level, .to = table });
	}
	if (level < 3 && !is_block(s, level))
		return refused(k, s, TRANSLATION);
	if (address_in(s, item) >> s->oa_bits)
		return refused(k, s, ADDR_SIZE);
	if (!(item & 1 << 10) && !s->affd && !s->ha)
		return refused(k, s, ACCESS);
	dbm = item >> 51 & 1 && s->hd;
	writeable = s->which == 1 ? !(item & 0x80) : item & 0x80;
	/* requests are without privilege */
	if (s->which == 1 ? !(item & 0x40) : !write && !(item & 0x40))
		return refused(k, s, PERMISSION);
	if (write && !writeable && !dbm)
		return refused(k, s, PERMISSION);
	if (write && !writeable && !k->look) {
		item ^= 0x80;
		memory_write(where, item);
		writeable = true;
	}
	*leaf = (struct soft_tlb){
		.stage = s->which, .vmid = s->vmid, .asid = s->asid,
		.address = address >> lg2 << lg2, .lg2 = lg2,
		.to = address_in(s, item) >> lg2 << lg2,
		.can_write = writeable || dbm, .written = writeable,
	};
	return 0;
}

static struct stage stage2_of(const struct walk *k)
{
	const u64 *w = k->ste;
	unsigned int granule = granule_of(bits(w, 175, 174));

	return (struct stage){
		.which = 2,
		.granule = granule,
		.va_bits = 64 - bits(w, 165, 160),
		.oa_bits = min(oas_bits(bits(w, 178, 176)), oas_bits(soft.idr[5] & 7)),
		.start = (granule == 12 ? 2 : 3) - (int)bits(w, 167, 166),
		.top = w[3] & GENMASK_ULL(51, 4),
		.vmid = bits(w, 143, 128),
		.asid = -1,
		.ha = bits(w, 184, 184),
		.hd = bits(w, 183, 183),
		.affd = bits(w, 181, 181),
		.wide = bits(w, 178, 176) == 6,
	};
}

static unsigned int walk_stage2(struct walk *k, u64 ipa, bool write, u64 *phys,
				unsigned int *lg2, bool *can_write)
{
	struct stage s = stage2_of(k);
	struct soft_tlb leaf, *t = tlb_find(k, 2, false, 0, ipa, s.vmid, -1);
	unsigned int event;

	if (t && write && t->can_write && !t->written)
		t = NULL;
	if (t && write && !t->can_write) {
		k->class = 2;
		return refused(k, &s, PERMISSION);
	}
	if (!t) {
		event = walk_stage(k, &s, ipa, write, &leaf);
		if (event)
			return event;
		tlb_add(k, &leaf);
		t = &leaf;
	}
	*phys = t->to | (ipa & ((1ULL << t->lg2) - 1));
	*lg2 = t->lg2;
	*can_write = t->can_write;
	return 0;
}

/* 3.4.3: descriptors of a guest lie where stage 2 says */
static unsigned int cd_place(struct walk *k, u64 *at)
{
	unsigned int lg2, event;
	u64 phys = *at;
	bool can_write;

	if (!k->stage2)
		return 0;
	event = walk_stage2(k, *at, false, &phys, &lg2, &can_write);
	if (event) {
		k->class = 0;
		k->out.ipa = *at;
	}
	*at = phys;
	return event;
}

static unsigned int fetch_cd(struct walk *k, bool *bypass)
{
	const u64 *w = k->ste;
	unsigned int max = bits(w, 63, 59), format = bits(w, 5, 4), split, event;
	u64 at = w[0] & GENMASK_ULL(51, 6), l1;
	u32 ssid = 0;

	*bypass = false;
	if (!max && k->ssid != NO_SSID)
		return BAD_SUBSTREAMID;
	if (max && k->ssid == NO_SSID) {
		switch (bits(w, 65, 64)) {
		case 0:
			return STREAM_DISABLED;
		case 1:
			*bypass = true;
			return 0;
		}
	} else if (max) {
		ssid = k->ssid;
		if (ssid >> max || (!ssid && bits(w, 65, 64) == 2))
			return BAD_SUBSTREAMID;
	}
	if (max && format) {
		split = format == 1 ? 6 : 10;
		at += 8ULL * (ssid >> split);
		event = cd_place(k, &at);
		if (event)
			return event;
		if (!config_read(k, CONFIG_L1CD, ssid, split, at, &l1, 1, 0))
			return CD_FETCH;
		if (!(l1 & 1))
			return BAD_SUBSTREAMID;
		at = (l1 & GENMASK_ULL(51, 12)) + 64ULL * (ssid & ((1U << split) - 1));
	} else {
		at += 64ULL * ssid;
	}
	event = cd_place(k, &at);
	if (event)
		return event;
	if (!config_read(k, CONFIG_CD, ssid, 0, at, k->cd, 8, 31))
		return CD_FETCH;
	if (!bits(k->cd, 31, 31) || !cd_is_legal(k))
		return BAD_CD;
	return 0;
}

static unsigned int walk_stage1(struct walk *k, u64 *address)
{
	const u64 *w = k->cd;
	unsigned int granule = granule_of(bits(w, 7, 6)), step = granule - 3, event;
	unsigned int va_bits = 64 - bits(w, 5, 0);
	struct stage s = {
		.which = 1, .granule = granule, .va_bits = va_bits,
		.oa_bits = min(oas_bits(bits(w, 34, 32)), oas_bits(soft.idr[5] & 7)),
		.start = 4 - (int)((va_bits - granule + step - 1) / step),
		.top = w[1] & GENMASK_ULL(51, 4),
		.vmid = soft.idr[0] & IDR0_S2P ? (int)bits(k->ste, 143, 128) : 0,
		.asid = bits(w, 63, 48),
		.ha = bits(w, 43, 43), .hd = bits(w, 42, 42), .affd = bits(w, 35, 35),
		.wide = bits(w, 34, 32) == 6,
	};
	struct soft_tlb leaf, *t;

	k->out.vmid = s.vmid;
	k->out.asid = s.asid;
	if (bits(w, 14, 14))
		return refused(k, &s, TRANSLATION);
	t = tlb_find(k, 1, false, 0, *address, s.vmid, s.asid);
	if (t && k->write && !t->written)
		t = NULL;
	if (!t) {
		bool can_write = true;
		unsigned int lg2;
		u64 phys;

		event = walk_stage(k, &s, *address, k->write, &leaf);
		if (event)
			return event;
		phys = leaf.to | (*address & ((1ULL << leaf.lg2) - 1));
		k->out.ipa = phys;
		if (k->stage2) {
			event = walk_stage2(k, phys, k->write, &phys, &lg2, &can_write);
			if (event)
				return event;
			/* what is remembered is made of both */
			lg2 = min(lg2, leaf.lg2);
			leaf.to = phys >> lg2 << lg2;
			leaf.address = *address >> lg2 << lg2;
			leaf.lg2 = lg2;
			leaf.can_write &= can_write;
			leaf.written &= k->write;
		}
		tlb_add(k, &leaf);
		t = &leaf;
	}
	k->out.lg2 = t->lg2;
	k->out.can_write = t->can_write;
	*address = t->to | (*address & ((1ULL << t->lg2) - 1));
	return 0;
}

static unsigned int translate(struct walk *k)
{
	unsigned int event = fetch_ste(k), config;
	u64 address = k->address;
	bool bypass = true;

	k->out.vmid = 0;
	k->out.asid = -1;
	k->out.can_write = true;
	if (event)
		return event;
	if (!(k->ste[0] & 1) || !ste_is_legal(k->ste))
		return BAD_STE;
	config = bits(k->ste, 3, 1);
	if (!config)
		return ABORTED;
	k->stage1 = config & 1;
	k->stage2 = config & 2;
	/* 3.9.1: EATS, and nothing to be asked where nothing is translated */
	if (k->ats && (bits(k->ste, 93, 92) != 1 || config == 4))
		return BAD_ATS_TREQ;
	if (k->stage1) {
		event = fetch_cd(k, &bypass);
		if (event)
			return event;
	} else if (k->ssid != NO_SSID) {
		return BAD_SUBSTREAMID;
	}
	if (!bypass) {
		event = walk_stage1(k, &address);
	} else if (k->stage2) {
		struct stage s = stage2_of(k);

		k->out.vmid = s.vmid;
		k->out.ipa = address;
		event = walk_stage2(k, address, k->write, &address, &k->out.lg2,
				    &k->out.can_write);
	}
	k->out.phys = address;
	return event;
}

static void record(const struct walk *k, unsigned int event)
{
	u64 w[4] = { event | (u64)k->sid << 32 };

	if (k->ssid != NO_SSID)
		w[0] |= 1 << 11 | (u64)k->ssid << 12;
	if (event >= TRANSLATION && event <= PERMISSION) {
		w[1] = (u64)!k->write << 35 | (u64)k->out.stage2 << 39 | (u64)k->class << 40;
		w[2] = k->address;
		/* 3.12: a unit that always stalls */
		if ((soft.idr[0] >> 24 & 3) == 2) {
			unsigned int tag = 0;

			while (soft.stalls[tag] == 1)
				tag++;
			soft.stalls[tag] = 1;
			w[1] |= tag | 1U << 31;
		}
		w[3] = k->out.stage2 ? k->out.ipa & GENMASK_ULL(51, 12) : 0;
	}
	soft_record(w);
}

struct soft_answer soft_look(u32 sid, int ssid, u64 address, bool write)
{
	struct walk k = { .sid = sid, .ssid = ssid, .address = address, .write = write,
			  .look = true };

	k.out.event = translate(&k);
	return k.out;
}

struct soft_answer soft_request(u32 sid, int ssid, u64 address, bool write)
{
	struct walk k = { .sid = sid, .ssid = ssid, .address = address, .write = write };
	unsigned int event;

	if (!(reg(CR0) & 1)) {
		k.out.phys = address;
		k.out.event = reg(0x44) >> 20 & 1 ? ABORTED : 0;
		return k.out;
	}
	event = translate(&k);
	k.out.event = event;
	if (event && event != ABORTED)
		record(&k, event);
	soft_interrupts();
	return k.out;
}

unsigned int soft_ats(struct soft_device *d, int ssid, u64 address, bool write)
{
	struct walk k = { .sid = d->sid, .ssid = ssid, .address = address, .write = write,
			  .ats = true };
	unsigned int event, i;

	if (!d->pdev->ats_enabled)
		return ABORTED;
	event = translate(&k);
	/* 3.9.1.2: of faults in translations only the device is told */
	if (event && event < TRANSLATION)
		record(&k, event);
	soft_interrupts();
	if (event)
		return event;
	for (i = 0; i < ARRAY_SIZE(d->atc) && d->atc[i].used; i++)
		;
	if (i == ARRAY_SIZE(d->atc))
		panic("the device remembers too much");
	d->atc[i] = (struct soft_atc){ true, ssid, address & PAGE_MASK,
				       k.out.phys & PAGE_MASK, k.out.can_write };
	return 0;
}

bool soft_ats_use(struct soft_device *d, int ssid, u64 address, u64 *phys)
{
	struct walk k = { .sid = d->sid, .ssid = ssid, .address = address };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(d->atc); i++)
		if (d->atc[i].used && d->atc[i].ssid == ssid &&
		    d->atc[i].page == (address & PAGE_MASK))
			break;
	if (i == ARRAY_SIZE(d->atc))
		return false;
	/* 3.9.1.3: without ATSCHK they pass whatever the entry says */
	if (reg(CR0) & BIT(4) &&
	    (fetch_ste(&k) || !(k.ste[0] & 1) || bits(k.ste, 3, 1) < 5 ||
	     bits(k.ste, 93, 92) != 1)) {
		if (bits(k.ste, 3, 1))
			record(&k, TRANSL_FORBIDDEN);
		soft_interrupts();
		return false;
	}
	*phys = d->atc[i].phys | (address & ~PAGE_MASK);
	return true;
}

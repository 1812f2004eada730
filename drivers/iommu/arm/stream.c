// SPDX-License-Identifier: GPL-2.0-only
/*
 * The stream table, 3.3.1: an entry for each stream id, in one or two levels.
 *
 * Streams that nobody has asked about are passed through, as if the unit were not
 * there: devices that came up without it notice nothing. With two levels one table of
 * such entries stands in all places of the first level until a device that lies there
 * is known.
 */
#include <linux/dma-mapping.h>
#include <linux/iommufd_reason.h>
#include <linux/slab.h>

#include "smmu.h"

#define SECOND_LG2 8
/* The first level is no larger than a megabyte. */
#define FIRST_LG2_MAX 17
/* What a single level can be without getting too large to be allocated. */
#define LINEAR_LG2_MAX 16

struct smmu_ste smmu_ste_abort(void)
{
	struct smmu_ste ste = {
		.w[0] = cpu_to_le64(SMMU_STE0_V |
				    FIELD_PREP(SMMU_STE0_CONFIG,
					       SMMU_CONFIG_ABORT)),
	};

	return ste;
}

struct smmu_ste smmu_ste_pass(void)
{
	struct smmu_ste ste = {
		.w[0] = cpu_to_le64(SMMU_STE0_V |
				    FIELD_PREP(SMMU_STE0_CONFIG,
					       SMMU_CONFIG_BYPASS)),
		.w[1] = cpu_to_le64(FIELD_PREP(SMMU_STE1_SHCFG,
					       SMMU_SHCFG_INCOMING)),
	};

	return ste;
}

/* How the unit reads descriptors and tables: through the caches, or past them. */
static u64 walk_cache(const struct smmu_unit *unit)
{
	return unit->has & SMMU_HAS_COHERENCY ? SMMU_CACHE_WB : SMMU_CACHE_NONE;
}

static u64 walk_share(const struct smmu_unit *unit)
{
	return unit->has & SMMU_HAS_COHERENCY ? SMMU_SH_INNER : SMMU_SH_NONE;
}

/* Where the unit may stall requests and nobody wants that. */
static u64 no_stall(const struct smmu_unit *unit)
{
	return FIELD_GET(SMMU_IDR0_STALL_MODEL, unit->idr[0]) ==
	       SMMU_STALL_POSSIBLE ? SMMU_STE1_S1STALLD : 0;
}

/**
 * smmu_ste_stage1 - the entry that leads to context descriptors
 * @unit: the unit
 * @descriptors: where they are, and how many: the fields of the first word
 * @others: SMMU_S1DSS_...: what becomes of requests without PASID
 *
 * Return: the entry
 */
struct smmu_ste smmu_ste_stage1(const struct smmu_unit *unit, u64 descriptors,
				unsigned int others)
{
	struct smmu_ste ste = {
		.w[0] = cpu_to_le64(SMMU_STE0_V | descriptors |
				    FIELD_PREP(SMMU_STE0_CONFIG, SMMU_CONFIG_S1)),
		.w[1] = cpu_to_le64(FIELD_PREP(SMMU_STE1_S1DSS, others) |
				    FIELD_PREP(SMMU_STE1_S1CIR, walk_cache(unit)) |
				    FIELD_PREP(SMMU_STE1_S1COR, walk_cache(unit)) |
				    FIELD_PREP(SMMU_STE1_S1CSH, walk_share(unit)) |
				    FIELD_PREP(SMMU_STE1_SHCFG, SMMU_SHCFG_INCOMING) |
				    no_stall(unit)),
	};

	return ste;
}

static u64 tg_of(unsigned int granule_lg2)
{
	return granule_lg2 == 12 ? SMMU_TG_4K :
	       granule_lg2 == 14 ? SMMU_TG_16K : SMMU_TG_64K;
}

/* What stage 2 looks like, whatever is above it. */
static void ste_stage2(struct smmu_ste *ste, const struct smmu_domain *domain,
		       const struct smmu_domain_unit *du)
{
	const struct pt_config *c = &domain->pt.config;
	const struct smmu_unit *unit = du->unit;
	u64 start = c->granule_lg2 == 12 ? c->levels - 2 : c->levels - 1;

	ste->w[2] = cpu_to_le64(FIELD_PREP(SMMU_STE2_S2VMID, du->id) |
				FIELD_PREP(SMMU_STE2_S2T0SZ, 64 - c->va_bits) |
				FIELD_PREP(SMMU_STE2_S2SL0, start) |
				FIELD_PREP(SMMU_STE2_S2IR0, walk_cache(unit)) |
				FIELD_PREP(SMMU_STE2_S2OR0, walk_cache(unit)) |
				FIELD_PREP(SMMU_STE2_S2SH0, walk_share(unit)) |
				FIELD_PREP(SMMU_STE2_S2TG, tg_of(c->granule_lg2)) |
				FIELD_PREP(SMMU_STE2_S2PS,
					   FIELD_GET(SMMU_IDR5_OAS, unit->idr[5])) |
				SMMU_STE2_S2AA64 | SMMU_STE2_S2AFFD |
				SMMU_STE2_S2PTW | SMMU_STE2_S2R |
				(domain->dirty ? SMMU_STE2_S2HA | SMMU_STE2_S2HD : 0));
	ste->w[3] = cpu_to_le64(pt_top_phys(&domain->pt));
}

/**
 * smmu_ste_domain - the entry that leads to a domain
 * @domain: a domain that has a table
 * @du: the domain as the unit knows it
 *
 * Return: the entry
 */
struct smmu_ste smmu_ste_domain(const struct smmu_domain *domain,
				const struct smmu_domain_unit *du)
{
	struct smmu_ste ste = {};

	if (!domain->stage2)
		return smmu_ste_stage1(du->unit, du->cd_dma, SMMU_S1DSS_SSID0);
	ste.w[0] = cpu_to_le64(SMMU_STE0_V |
			       FIELD_PREP(SMMU_STE0_CONFIG, SMMU_CONFIG_S2));
	ste.w[1] = cpu_to_le64(FIELD_PREP(SMMU_STE1_SHCFG, SMMU_SHCFG_INCOMING) |
			       (domain->pt.config.features & PT_FEAT_FORCE_CACHES ?
				SMMU_STE1_S2FWB : 0));
	ste_stage2(&ste, domain, du);
	return ste;
}

/* The bits of an entry that hardware looks at, after what it says. */
static void ste_used(const struct smmu_ste *ste, u64 *used)
{
	u64 w0 = le64_to_cpu(ste->w[0]);
	u64 config = FIELD_GET(SMMU_STE0_CONFIG, w0);

	memset(used, 0, sizeof(ste->w));
	used[0] = SMMU_STE0_V;
	if (!(w0 & SMMU_STE0_V))
		return;
	used[0] |= SMMU_STE0_CONFIG;
	if (config == SMMU_CONFIG_ABORT)
		return;
	used[1] = SMMU_STE1_SHCFG;
	/* where nothing is translated there are no translations to be asked for */
	if (config != SMMU_CONFIG_BYPASS)
		used[1] |= SMMU_STE1_EATS | SMMU_STE1_MEV;
	if ((config & SMMU_CONFIG_S1) == SMMU_CONFIG_S1) {
		used[0] |= SMMU_STE0_S1FMT | SMMU_STE0_S1CONTEXTPTR |
			   SMMU_STE0_S1CDMAX;
		used[1] |= SMMU_STE1_S1DSS | SMMU_STE1_S1CIR | SMMU_STE1_S1COR |
			   SMMU_STE1_S1CSH | SMMU_STE1_S1STALLD | SMMU_STE1_STRW;
		used[2] |= SMMU_STE2_S2VMID;
	}
	if ((config & SMMU_CONFIG_S2) == SMMU_CONFIG_S2) {
		used[1] |= SMMU_STE1_S2FWB;
		used[2] |= U64_MAX;
		used[3] |= SMMU_STE3_S2TTB;
	}
}

static void ste_store(struct smmu_unit *unit, u32 sid, struct smmu_ste *ste,
		      const u64 *words)
{
	unsigned int i;

	for (i = 0; i < SMMU_STE_WORDS; i++)
		WRITE_ONCE(ste->w[i], cpu_to_le64(words[i]));
	dma_wmb();
	smmu_forget_stream(unit, sid);
}

/*
 * Hardware reads an entry word by word. If what is old and what is new differ in one
 * word that counts, the way leads over entries that mean the one or the other: first
 * all that does not count yet, then the word, then the rest. Otherwise requests are
 * refused for a moment.
 */
static void ste_change(struct smmu_unit *unit, u32 sid, struct smmu_ste *ste,
		       const struct smmu_ste *next)
{
	u64 now[SMMU_STE_WORDS], then[SMMU_STE_WORDS], used[SMMU_STE_WORDS],
	    will[SMMU_STE_WORDS];
	unsigned int i, differ = 0, which = 0;

	ste_used(ste, used);
	ste_used(next, will);
	for (i = 0; i < SMMU_STE_WORDS; i++) {
		then[i] = le64_to_cpu(next->w[i]);
		now[i] = (le64_to_cpu(ste->w[i]) & used[i]) | (then[i] & ~used[i]);
		if ((now[i] ^ then[i]) & will[i]) {
			differ++;
			which = i;
		}
	}
	if (differ == 1) {
		ste_store(unit, sid, ste, now);
		now[which] = then[which];
		ste_store(unit, sid, ste, now);
	} else if (differ) {
		now[0] &= ~SMMU_STE0_V;
		ste_store(unit, sid, ste, now);
		memcpy(now + 1, then + 1, sizeof(then) - sizeof(then[0]));
		ste_store(unit, sid, ste, now);
	}
	ste_store(unit, sid, ste, then);
}

static void table_fill(struct smmu_ste *table, unsigned int lg2)
{
	unsigned int i;

	for (i = 0; i < BIT(lg2); i++)
		table[i] = smmu_ste_pass();
}

static struct smmu_ste *table_alloc(struct smmu_unit *unit, unsigned int lg2,
				    dma_addr_t *dma)
{
	struct smmu_ste *table;

	table = dma_alloc_coherent(unit->dev, sizeof(*table) << lg2, dma, GFP_KERNEL);
	if (table)
		table_fill(table, lg2);
	return table;
}

static u64 first_item(dma_addr_t dma)
{
	return dma | FIELD_PREP(SMMU_L1_SPAN, SECOND_LG2 + 1);
}

static int init_linear(struct smmu_unit *unit)
{
	struct smmu_streams *s = &unit->streams;

	if (s->bits > LINEAR_LG2_MAX) {
		dev_warn(unit->dev, "stream ids from %#lx on are refused: there is no room for a table of one level\n",
			 BIT(LINEAR_LG2_MAX));
		s->bits = LINEAR_LG2_MAX;
	}
	s->second[0] = table_alloc(unit, s->bits, &s->second_dma[0]);
	if (!s->second[0])
		return -ENOMEM;
	smmu_write64(unit, SMMU_STRTAB_BASE, s->second_dma[0] | SMMU_STRTAB_BASE_RA);
	smmu_write(unit, SMMU_STRTAB_BASE_CFG,
		   FIELD_PREP(SMMU_STRTAB_FMT, SMMU_STRTAB_LINEAR) |
		   FIELD_PREP(SMMU_STRTAB_LOG2SIZE, s->bits));
	return 0;
}

static int init_two_levels(struct smmu_unit *unit)
{
	struct smmu_streams *s = &unit->streams;
	unsigned int i, lg2 = s->bits - SECOND_LG2;

	s->split = SECOND_LG2;
	s->passed = table_alloc(unit, SECOND_LG2, &s->passed_dma);
	s->first = dma_alloc_coherent(unit->dev, sizeof(*s->first) << lg2,
				      &s->first_dma, GFP_KERNEL);
	if (!s->passed || !s->first)
		return -ENOMEM;
	for (i = 0; i < BIT(lg2); i++)
		s->first[i] = cpu_to_le64(first_item(s->passed_dma));
	smmu_write64(unit, SMMU_STRTAB_BASE, s->first_dma | SMMU_STRTAB_BASE_RA);
	smmu_write(unit, SMMU_STRTAB_BASE_CFG,
		   FIELD_PREP(SMMU_STRTAB_FMT, SMMU_STRTAB_TWO_LEVELS) |
		   FIELD_PREP(SMMU_STRTAB_SPLIT, SECOND_LG2) |
		   FIELD_PREP(SMMU_STRTAB_LOG2SIZE, s->bits));
	return 0;
}

/**
 * smmu_streams_init - make a table that passes everything through
 * @unit: does not translate yet
 *
 * Return: 0 or -ENOMEM; smmu_streams_fini() is called in any case
 */
int smmu_streams_init(struct smmu_unit *unit)
{
	struct smmu_streams *s = &unit->streams;
	bool two = FIELD_GET(SMMU_IDR0_ST_LEVEL, unit->idr[0]) == SMMU_ST_TWO_LEVELS;
	unsigned int nr;

	xa_init(&s->users);
	spin_lock_init(&unit->ste_lock);
	s->bits = min_t(unsigned int, FIELD_GET(SMMU_IDR1_SIDSIZE, unit->idr[1]),
			FIRST_LG2_MAX + SECOND_LG2);
	two = two && s->bits > SECOND_LG2;
	nr = two ? BIT(s->bits - SECOND_LG2) : 1;
	s->second = kvcalloc(nr, sizeof(*s->second), GFP_KERNEL);
	s->second_dma = kvcalloc(nr, sizeof(*s->second_dma), GFP_KERNEL);
	if (!s->second || !s->second_dma)
		return -ENOMEM;
	return two ? init_two_levels(unit) : init_linear(unit);
}

static void table_free(struct smmu_unit *unit, struct smmu_ste *table,
		       dma_addr_t dma, unsigned int lg2)
{
	if (table)
		dma_free_coherent(unit->dev, sizeof(*table) << lg2, table, dma);
}

/**
 * smmu_streams_fini - free the table
 * @unit: does not translate any more
 */
void smmu_streams_fini(struct smmu_unit *unit)
{
	struct smmu_streams *s = &unit->streams;
	unsigned int i, nr = s->split ? BIT(s->bits - s->split) : 1;

	if (s->second && s->second_dma)
		for (i = 0; i < nr; i++)
			table_free(unit, s->second[i], s->second_dma[i],
				   s->split ?: s->bits);
	table_free(unit, s->passed, s->passed_dma, SECOND_LG2);
	if (s->first)
		dma_free_coherent(unit->dev, sizeof(*s->first) * nr, s->first,
				  s->first_dma);
	kvfree(s->second);
	kvfree(s->second_dma);
	xa_destroy(&s->users);
}

static struct smmu_ste *ste_of(struct smmu_unit *unit, u32 sid)
{
	struct smmu_streams *s = &unit->streams;
	struct smmu_ste *table = s->second[s->split ? sid >> s->split : 0];

	return table + (s->split ? sid & (BIT(s->split) - 1) : sid);
}

/* Have a table of its own where a stream id lies. */
static int table_make(struct smmu_unit *unit, u32 sid)
{
	struct smmu_streams *s = &unit->streams;
	u32 index = sid >> s->split;

	if (!s->split || s->second[index])
		return 0;
	s->second[index] = table_alloc(unit, s->split, &s->second_dma[index]);
	if (!s->second[index])
		return -ENOMEM;
	dma_wmb();
	WRITE_ONCE(s->first[index], cpu_to_le64(first_item(s->second_dma[index])));
	dma_wmb();
	smmu_forget_streams(unit, index << s->split, s->split);
	return 0;
}

/**
 * smmu_stream_get - a device begins to use a stream id
 * @sdev: the device; its unit is locked
 * @sid: stream id
 *
 * It is passed through, unless another device has it already.
 *
 * Return: 0, -ENOMEM, or -ERANGE if the table has no such entry
 */
int smmu_stream_get(struct smmu_device *sdev, u32 sid)
{
	struct smmu_unit *unit = sdev->unit;
	struct smmu_streams *s = &unit->streams;
	struct smmu_stream *stream = xa_load(&s->users, sid);
	int rc;

	if (s->bits < 32 && sid >> s->bits)
		return -ERANGE;
	if (stream) {
		stream->users++;
		return 0;
	}
	stream = kzalloc(sizeof(*stream), GFP_KERNEL);
	if (!stream)
		return -ENOMEM;
	stream->users = 1;
	stream->sdev = sdev;
	rc = table_make(unit, sid);
	if (!rc)
		rc = xa_err(xa_store(&s->users, sid, stream, GFP_KERNEL));
	if (rc)
		kfree(stream);
	return rc;
}

/**
 * smmu_stream_put - a device no longer uses a stream id
 * @sdev: the device; its unit is locked
 * @sid: stream id
 *
 * When nobody does it is passed through, as it was before.
 */
void smmu_stream_put(struct smmu_device *sdev, u32 sid)
{
	struct smmu_unit *unit = sdev->unit;
	struct smmu_stream *stream = xa_load(&unit->streams.users, sid);
	const struct smmu_ste pass = smmu_ste_pass();

	if (stream->sdev == sdev)
		stream->sdev = NULL;
	if (--stream->users)
		return;
	xa_erase(&unit->streams.users, sid);
	kfree(stream);
	spin_lock(&unit->ste_lock);
	ste_change(unit, sid, ste_of(unit, sid), &pass);
	spin_unlock(&unit->ste_lock);
}

/**
 * smmu_stream_set - what happens to requests of a stream from now on
 * @unit: with its ste_lock held
 * @sid: stream id, in use
 * @ste: the entry that says so
 */
void smmu_stream_set(struct smmu_unit *unit, u32 sid, const struct smmu_ste *ste)
{
	lockdep_assert_held(&unit->ste_lock);
	ste_change(unit, sid, ste_of(unit, sid), ste);
}

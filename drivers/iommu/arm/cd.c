// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tables of context descriptors, 5.4: where requests of a device go that have a PASID,
 * or a substream id as it is called here. Descriptor 0 is that of requests without one.
 *
 * A device without attached PASIDs has no table: its stream table entry leads to the
 * descriptor of the page table it is attached to.
 *
 * A descriptor has 512 bits and cannot be changed at once. What can is the pointer to
 * its table, which stands in an item of the first level, or in the stream table entry if
 * there is only one: each change is made in a copy of the table, which then takes its
 * place. So hardware finds the old descriptor or the new one, never something between.
 */
#include <linux/dma-mapping.h>
#include <linux/iommufd_reason.h>
#include <linux/slab.h>

#include "smmu.h"

/* A page of descriptors, where there are two levels. */
#define SPLIT 6
/* What one level is at most. */
#define LINEAR_LG2_MAX 10

/**
 * smmu_cds_bits - how many bits PASIDs can have
 * @idr: identification registers of a unit
 *
 * Return: that, 0 if there are none
 */
unsigned int smmu_cds_bits(const u32 *idr)
{
	unsigned int bits = FIELD_GET(SMMU_IDR1_SSIDSIZE, idr[1]);

	if (!(idr[0] & SMMU_IDR0_S1P))
		return 0;
	return idr[0] & SMMU_IDR0_CD2L ? bits :
	       min_t(unsigned int, bits, LINEAR_LG2_MAX);
}

static size_t table_size(const struct smmu_cds *cds)
{
	return sizeof(struct smmu_cd) << cds->split;
}

static struct smmu_cd *table_alloc(struct smmu_device *sdev, dma_addr_t *dma)
{
	return dma_alloc_coherent(sdev->unit->dev, table_size(&sdev->cds), dma,
				  GFP_KERNEL);
}

static void table_free(struct smmu_device *sdev, struct smmu_cd *table, dma_addr_t dma)
{
	if (table)
		dma_free_coherent(sdev->unit->dev, table_size(&sdev->cds), table, dma);
}

static unsigned int tables_of(const struct smmu_cds *cds)
{
	return 1U << (cds->bits - cds->split);
}

static size_t first_size(const struct smmu_cds *cds)
{
	return sizeof(*cds->first) * tables_of(cds);
}

/**
 * smmu_cds_free - free what there is
 * @sdev: the device; no entry leads there any more, or none has yet
 */
void smmu_cds_free(struct smmu_device *sdev)
{
	struct smmu_cds *cds = &sdev->cds;
	unsigned int i;

	for (i = 0; cds->table && cds->table_dma && i < tables_of(cds); i++)
		table_free(sdev, cds->table[i], cds->table_dma[i]);
	table_free(sdev, cds->spare, cds->spare_dma);
	if (cds->first)
		dma_free_coherent(sdev->unit->dev, first_size(cds), cds->first,
				  cds->first_dma);
	kvfree(cds->table);
	kvfree(cds->table_dma);
	memset(cds, 0, sizeof(*cds));
}

static void first_write(struct smmu_cds *cds, unsigned int index)
{
	u64 item = cds->table[index] ? cds->table_dma[index] | SMMU_L1CD_V : 0;

	dma_wmb();
	WRITE_ONCE(cds->first[index], cpu_to_le64(item));
	dma_wmb();
}

static int table_make(struct smmu_device *sdev, unsigned int index)
{
	struct smmu_cds *cds = &sdev->cds;

	if (cds->table[index])
		return 0;
	cds->table[index] = table_alloc(sdev, &cds->table_dma[index]);
	if (!cds->table[index])
		return -ENOMEM;
	if (cds->first)
		first_write(cds, index);
	return 0;
}

static int cds_make(struct smmu_device *sdev)
{
	struct smmu_cds *cds = &sdev->cds;
	unsigned int bits = smmu_cds_bits(sdev->unit->idr);

	cds->bits = min(order_base_2(sdev->dev->iommu->max_pasids), bits);
	cds->split = cds->bits;
	if (sdev->unit->idr[0] & SMMU_IDR0_CD2L && cds->bits > SPLIT)
		cds->split = SPLIT;
	cds->table = kvcalloc(tables_of(cds), sizeof(*cds->table), GFP_KERNEL);
	cds->table_dma = kvcalloc(tables_of(cds), sizeof(*cds->table_dma), GFP_KERNEL);
	cds->spare = table_alloc(sdev, &cds->spare_dma);
	if (cds->split < cds->bits)
		cds->first = dma_alloc_coherent(sdev->unit->dev, first_size(cds),
						&cds->first_dma, GFP_KERNEL);
	if (!cds->table || !cds->table_dma || !cds->spare ||
	    (cds->split < cds->bits && !cds->first) || table_make(sdev, 0)) {
		smmu_cds_free(sdev);
		return -ENOMEM;
	}
	return 0;
}

/**
 * smmu_cds_room - have room for the descriptor of a PASID
 * @sdev: the device; its unit is locked
 * @ssid: the PASID
 *
 * Return: 0 or -ENOMEM, explained; nothing has changed then
 */
int smmu_cds_room(struct smmu_device *sdev, u32 ssid)
{
	int rc = 0;

	if (!sdev->cds.table)
		rc = cds_make(sdev);
	if (!rc)
		rc = table_make(sdev, ssid >> sdev->cds.split);
	if (!rc)
		return 0;
	if (!sdev->cds.nr)
		smmu_cds_free(sdev);
	return iommufd_refuse(rc, "no memory for the context descriptor of PASID %u", ssid);
}

static void forget_descriptors(struct smmu_device *sdev)
{
	unsigned int i;

	for (i = 0; i < sdev->nr_sids; i++)
		smmu_forget_descriptors(sdev->unit, sdev->sids[i]);
}

static bool is_empty(const struct smmu_cds *cds, const struct smmu_cd *table)
{
	unsigned int i;

	for (i = 0; i < 1U << cds->split; i++)
		if (table[i].w[0])
			return false;
	return true;
}

/**
 * smmu_cds_set - say where requests with a PASID go
 * @sdev: the device; its unit is locked, and there is room
 * @ssid: the PASID; 0 for requests without one
 * @cd: the descriptor; NULL: nowhere
 *
 * Hardware has forgotten the old descriptor when this returns, but not what it
 * translated by it.
 */
void smmu_cds_set(struct smmu_device *sdev, u32 ssid, const struct smmu_cd *cd)
{
	struct smmu_cds *cds = &sdev->cds;
	unsigned int index = ssid >> cds->split;
	struct smmu_cd *old = cds->table[index], *fresh = cds->spare;
	struct smmu_cd *slot = fresh + (ssid & ((1U << cds->split) - 1));
	dma_addr_t old_dma = cds->table_dma[index];

	lockdep_assert_held(&sdev->unit->lock);
	memcpy(fresh, old, table_size(cds));
	if (cd)
		*slot = *cd;
	else
		memset(slot, 0, sizeof(*slot));
	/* the table of PASID 0 stays */
	if (index && is_empty(cds, fresh)) {
		cds->table[index] = NULL;
		first_write(cds, index);
		forget_descriptors(sdev);
		table_free(sdev, old, old_dma);
		return;
	}
	cds->table[index] = fresh;
	cds->table_dma[index] = cds->spare_dma;
	if (cds->first) {
		first_write(cds, index);
		forget_descriptors(sdev);
	} else if (cds->nr) {
		dma_wmb();
		smmu_device_update(sdev);
	}
	cds->spare = old;
	cds->spare_dma = old_dma;
}

/**
 * smmu_cds_ste - what of a stream table entry leads to the descriptors
 * @sdev: the device
 * @w0: receives the bits of the first word
 *
 * Return: whether there are any
 */
bool smmu_cds_ste(const struct smmu_device *sdev, u64 *w0)
{
	const struct smmu_cds *cds = &sdev->cds;

	if (!cds->nr)
		return false;
	*w0 = FIELD_PREP(SMMU_STE0_S1CDMAX, cds->bits) |
	      FIELD_PREP(SMMU_STE0_S1FMT, cds->first ? SMMU_S1FMT_4K : SMMU_S1FMT_LINEAR) |
	      (cds->first ? cds->first_dma : cds->table_dma[0]);
	return true;
}

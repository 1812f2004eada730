// SPDX-License-Identifier: GPL-2.0-only
/*
 * PASID tables of scalable mode: where requests of a device go, without a PASID
 * (which is PASID 0 to the hardware) or with one.
 *
 * An entry has 512 bits and cannot be changed at once. What can is the pointer to
 * its table: each change is made in a copy of the table, which then takes its
 * place. So hardware finds the old entry or the new one, never something between,
 * and DMA goes on while a page table is replaced.
 */
#include <linux/mm.h>

#include "vtd.h"

static void flush(const struct vtd_unit *unit, void *p, size_t size)
{
	if (!(unit->ecap & VTD_ECAP_C))
		clflush_cache_range(p, size);
}

/**
 * vtd_pasids_init - make an empty directory
 * @pasids: zeroed
 *
 * Return: 0 or -ENOMEM; vtd_pasids_fini() is called in any case
 */
int vtd_pasids_init(struct vtd_pasids *pasids)
{
	/* 2^7 entries of 8 bytes are in use */
	pasids->directory = (void *)get_zeroed_page(GFP_KERNEL);
	pasids->table = (void *)get_zeroed_page(GFP_KERNEL);
	pasids->spare = (void *)get_zeroed_page(GFP_KERNEL);
	if (!pasids->directory || !pasids->table || !pasids->spare)
		return -ENOMEM;
	return 0;
}

/**
 * vtd_pasids_fini - free a directory
 * @pasids: no hardware uses it
 */
void vtd_pasids_fini(struct vtd_pasids *pasids)
{
	free_page((unsigned long)pasids->directory);
	free_page((unsigned long)pasids->table);
	free_page((unsigned long)pasids->spare);
}

/**
 * vtd_pasids_set_rid - say where requests without a PASID go
 * @unit: the unit
 * @pasids: the directory
 * @entry: the new entry
 *
 * Hardware has to be told to forget the old one; until then @pasids is not to be
 * changed again.
 */
void vtd_pasids_set_rid(struct vtd_unit *unit, struct vtd_pasids *pasids,
			const struct vtd_pasid_entry *entry)
{
	struct vtd_pasid_entry *fresh = pasids->spare;

	memcpy(fresh, pasids->table, PAGE_SIZE);
	fresh[0] = *entry;
	flush(unit, fresh, PAGE_SIZE);
	dma_wmb();
	WRITE_ONCE(pasids->directory[0], virt_to_phys(fresh) | VTD_PDIR_P);
	flush(unit, pasids->directory, sizeof(u64));
	pasids->spare = pasids->table;
	pasids->table = fresh;
}

/**
 * vtd_pasid_pass_through - the entry of a device that is passed through
 *
 * Return: the entry
 */
struct vtd_pasid_entry vtd_pasid_pass_through(void)
{
	return (struct vtd_pasid_entry){ .w = {
		VTD_PE_0_P | FIELD_PREP(VTD_PE_0_PGTT, VTD_PGTT_PASS_THROUGH) |
		FIELD_PREP(VTD_PE_0_AW, 2),
		FIELD_PREP(VTD_PE_1_DID, VTD_DID_PASS_THROUGH),
	} };
}

/**
 * vtd_pasid_domain - the entry of a device that is attached to a domain
 * @unit: the unit
 * @domain: the domain
 * @did: its id there
 *
 * Return: the entry
 */
struct vtd_pasid_entry vtd_pasid_domain(const struct vtd_unit *unit,
					const struct vtd_domain *domain, u16 did)
{
	unsigned int levels = domain->pt.config.levels;
	u64 top, did_word;

	if (domain->parent)
		return vtd_stage1_over(&domain->stage1,
				       vtd_pasid_domain(unit, domain->parent,
							did));
	top = pt_top_phys(&domain->pt);
	did_word = FIELD_PREP(VTD_PE_1_DID, did) |
		       (unit->ecap & VTD_ECAP_C ? VTD_PE_1_PWSNP : 0);

	if (domain->first_stage)
		return (struct vtd_pasid_entry){ .w = {
			VTD_PE_0_P | FIELD_PREP(VTD_PE_0_PGTT, VTD_PGTT_FIRST),
			did_word,
			top | FIELD_PREP(VTD_PE_2_FSPM, levels - 4),
		} };
	return (struct vtd_pasid_entry){ .w = {
		VTD_PE_0_P | FIELD_PREP(VTD_PE_0_PGTT, VTD_PGTT_SECOND) |
		FIELD_PREP(VTD_PE_0_AW, levels - 2) | top,
		did_word,
	} };
}

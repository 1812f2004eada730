// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <assert.h>
#include <unistd.h>

#include "amdvi_walk.h"
#include "ats_unit.h"
#include "tap.h"
#include "vtd_walk.h"

#define PAGE_SHIFT 12

/* An address that tells a size as well: ones from bit 12 on, then a zero. */
static void range_of(struct ats_told *t, uint64_t address, bool several)
{
	unsigned int lg2 = PAGE_SHIFT;

	if (several)
		do
			lg2++;
		while (lg2 < 64 && address >> (lg2 - 1) & 1);
	t->first = lg2 < 64 ? address >> lg2 << lg2 : 0;
	t->last = t->first + (lg2 < 64 ? (1UL << lg2) - 1 : UINT64_MAX);
}

static struct vtd_requester vtd;

static void vtd_find(const char *bdf)
{
	vtd_requester(&vtd, bdf);
}

/* 6.5.2: by the numbers of descriptors */
static void vtd_read(struct ats_told *t, uint64_t lo, uint64_t hi)
{
	switch (lo & 0xf) {
	case 2:
	case 6:
		t->kind = ATS_IOTLB;
		break;
	case 3:
		t->kind = ATS_DEVICE;
		t->device = lo >> 32 & 0xffff;
		t->pasid = ATS_NO_PASID;
		range_of(t, hi, hi & 1);
		break;
	case 5:
		t->kind = ATS_WAIT;
		break;
	case 8:
		t->kind = ATS_DEVICE;
		t->device = lo >> 16 & 0xffff;
		t->pasid = lo >> 32 & 0xfffff;
		range_of(t, hi, hi & 1 << 11);
		break;
	default:
		t->kind = ATS_OTHER;
	}
}

static void vtd_all_told(struct ats_told *told)
{
	static struct vtd_walk_queue q;
	unsigned int i;

	static_assert(VTD_WALK_NR_TOLD >= ATS_NR_TOLD, "more than the walker tells");
	vtd_told(&vtd, &q);
	for (i = 0; i < ATS_NR_TOLD; i++) {
		const struct vtd_walk_told *t = &q.told[VTD_WALK_NR_TOLD - ATS_NR_TOLD + i];

		vtd_read(&told[i], t->lo, t->hi);
	}
}

static bool vtd_pasids(uint32_t max)
{
	if (!vtd_is_scalable(&vtd) || !(vtd.ecap >> 40 & 1))
		return false;
	OK(vtd_fake_pasids(&vtd, max));
	return true;
}

static unsigned int vtd_fault(uint32_t pasid, uint64_t address)
{
	return vtd_translate(&vtd, pasid, address, VTD_WALK_READ, NULL);
}

static unsigned int vtd_id(void)
{
	return vtd.sid;
}

static const struct ats_unit vtd_unit = {
	.find = vtd_find,
	.told = vtd_all_told,
	.mute = vtd_mute,
	.pasids = vtd_pasids,
	.fault = vtd_fault,
	.id = vtd_id,
};

static struct amdvi_requester amdvi;

/* With nothing but GIoSup more than it has, so that it can be muted. */
#define EFR_GIO		(1UL << 48)
/* PASmax: 16 bits; two tables of GCR3s */
#define EFR_PASIDS	(15UL << 32 | 1UL << 14)

static void amdvi_find(const char *bdf)
{
	amdvi_pretend(EFR_GIO, 0);
	amdvi_requester(&amdvi, bdf);
}

/* 2.4: by the numbers of commands */
static void amdvi_read(struct ats_told *t, uint64_t lo, uint64_t hi)
{
	switch (lo >> 60) {
	case 1:
		t->kind = ATS_WAIT;
		break;
	case 3:
		t->kind = ATS_IOTLB;
		break;
	case 4:
		t->kind = ATS_DEVICE;
		t->device = lo & 0xffff;
		t->pasid = hi & 4 ? (lo >> 48 & 0xff) | (lo >> 16 & 0xff) << 8 |
				    (lo >> 56 & 0xf) << 16 : ATS_NO_PASID;
		range_of(t, hi, hi & 1);
		break;
	default:
		t->kind = ATS_OTHER;
	}
}

static void amdvi_all_told(struct ats_told *told)
{
	static struct amdvi_walk_told t;
	unsigned int i, at;

	static_assert(AMDVI_WALK_NR_TOLD >= ATS_NR_TOLD, "more than the walker tells");
	amdvi_told(&amdvi, &t);
	for (i = 0; i < ATS_NR_TOLD; i++) {
		at = AMDVI_WALK_NR_TOLD - ATS_NR_TOLD + i;
		amdvi_read(&told[i], t.told[at][0], t.told[at][1]);
	}
}

static bool amdvi_pasids(uint32_t max)
{
	amdvi_pretend_pasids(EFR_GIO | EFR_PASIDS, 0, max);
	return true;
}

static unsigned int amdvi_fault(uint32_t pasid, uint64_t address)
{
	return amdvi_translate(&amdvi, pasid, address, AMDVI_WALK_READ, NULL);
}

static void amdvi_back(void)
{
	amdvi_pretend(0, 0);
}

static unsigned int amdvi_id(void)
{
	return amdvi.id;
}

static const struct ats_unit amdvi_unit = {
	.find = amdvi_find,
	.told = amdvi_all_told,
	.mute = amdvi_mute,
	.pasids = amdvi_pasids,
	.fault = amdvi_fault,
	.back = amdvi_back,
	.id = amdvi_id,
};

const struct ats_unit *ats_unit(void)
{
	if (!access("/sys/class/iommu/vtd0", F_OK))
		return &vtd_unit;
	if (access("/sys/class/iommu/amdvi0", F_OK))
		tap_skip("the IOMMU is driven neither by iommu_vtd nor by iommu_amdvi");
	return &amdvi_unit;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * For tests: iommu_vtd's invalidation queue with a unit in software, which takes
 * descriptors from it as 6.5.2 says and makes the errors that no emulator makes.
 * All is done when the module is loaded; its parameter "result" has a line for
 * each test: its name and ok, or what was wrong.
 *
 * The unit takes one descriptor each time that somebody looks whether it has found an
 * error, which whoever waits for it does. It is no thread: the CPU that waits has its
 * interrupts off, so that another one may wait for that CPU, and have no time for a
 * thread. Its registers are ordinary memory but for this, and for what writing to them
 * does.
 */
#include <linux/module.h>

#include "../../../../../drivers/iommu/intel/vtd.h"

static u32 soft_read(struct vtd_unit *vtd, unsigned int reg);
static void soft_write(struct vtd_unit *vtd, unsigned int reg, u32 value);

#define vtd_read soft_read
#define vtd_write soft_write
#include "../../../../../drivers/iommu/intel/queue.c"

#define TAKEN		1024
#define DEVICES		3
#define NOWHERE		UINT_MAX

static char result[4096];
module_param_string(result, result, sizeof(result), 0444);

/**
 * struct soft_unit - the unit in software
 * @regs: a page
 * @head: as IQH
 * @refuse: descriptors of this type are refused, as often as @refusals says
 * @refusals: how often
 * @refuse_at: the descriptor that comes after so many is refused, once
 * @came: how many descriptors have come since @refuse_at was set
 * @mute: these devices of the test do not answer, one bit for each
 * @tells: it says which device has not answered
 * @goes: wait descriptors that somebody waits for
 * @fences: wait descriptors of any kind
 * @taken: what it was told to forget, in order
 * @after: how many of @fences came before each of them
 * @nr: how many of them
 *
 * The test changes it only while the queue is empty.
 */
static struct soft_unit {
	void *regs;
	unsigned int head;
	unsigned int refuse;
	unsigned int refusals;
	unsigned int refuse_at;
	unsigned int came;
	unsigned int mute;
	bool tells;
	unsigned int goes;
	unsigned int fences;
	struct vtd_entry taken[TAKEN];
	unsigned int after[TAKEN];
	unsigned int nr;
} soft;

static struct vtd_unit unit;
static struct vtd_device vdevs[DEVICES];
/* of them, one bit for each */
static unsigned int cut;

void vtd_device_cut(struct vtd_device *vdev)
{
	WRITE_ONCE(vdev->cut, true);
	cut |= BIT(vdev - vdevs);
}

int vtd_command(struct vtd_unit *vtd, u32 bit, bool on)
{
	return 0;
}

static u32 *fsts(void)
{
	return soft.regs + VTD_FSTS;
}

/* The only one that is written so has bits that writing ones clears. */
static void soft_write(struct vtd_unit *vtd, unsigned int reg, u32 value)
{
	if (reg == VTD_FSTS)
		*fsts() &= ~value;
}

static unsigned int soft_tail(void)
{
	return READ_ONCE(*(u64 *)(soft.regs + VTD_IQT)) / sizeof(struct vtd_entry);
}

static void soft_next(void)
{
	soft.head = (soft.head + unit.queue.step) % QUEUE_SLOTS;
	WRITE_ONCE(*(u64 *)(soft.regs + VTD_IQH),
		   soft.head * sizeof(struct vtd_entry));
}

/* What waits for a device that does not answer is given up. */
static void soft_time_out(u16 sid)
{
	while (soft.head != soft_tail())
		soft_next();
	WRITE_ONCE(*(u64 *)(soft.regs + VTD_IQER),
		   soft.tells ? FIELD_PREP(VTD_IQER_ITESID, sid) : 0);
	*fsts() |= VTD_FSTS_ITE;
}

static u16 sid_of(unsigned int i)
{
	return pci_dev_id(to_pci_dev(vdevs[i].dev));
}

static bool is_mute(u16 sid)
{
	unsigned int i;

	for (i = 0; i < DEVICES; i++)
		if (soft.mute & BIT(i) && sid_of(i) == sid)
			return true;
	return false;
}

static void soft_take(void)
{
	struct vtd_entry *slot = &unit.queue.descriptors[soft.head];
	unsigned int type = FIELD_GET(VTD_QI_TYPE, slot->lo);

	/* one that waits for nothing, and tells nobody, is not right */
	if (type == VTD_QI_WAIT && !(slot->lo & VTD_QI_WAIT_LO_SW)) {
		*fsts() |= VTD_FSTS_IQE;
		return;
	}
	if (soft.came++ == soft.refuse_at) {
		*fsts() |= VTD_FSTS_IQE;
		return;
	}
	if (type == soft.refuse && soft.refusals) {
		soft.refusals--;
		*fsts() |= VTD_FSTS_IQE;
		return;
	}
	soft_next();
	if (type == VTD_QI_WAIT) {
		if (slot->lo & VTD_QI_WAIT_LO_FN)
			soft.fences++;
		if (slot->hi == virt_to_phys(unit.queue.status))
			soft.goes++;
		WRITE_ONCE(*(u32 *)phys_to_virt(slot->hi),
			   FIELD_GET(VTD_QI_WAIT_LO_DATA, slot->lo));
		return;
	}
	if (soft.nr < TAKEN) {
		soft.after[soft.nr] = soft.fences;
		soft.taken[soft.nr++] = *slot;
	}
	if (type == VTD_QI_DEVICE_TLB &&
	    is_mute(FIELD_GET(VTD_QI_DEV_LO_SID, slot->lo)))
		soft_time_out(FIELD_GET(VTD_QI_DEV_LO_SID, slot->lo));
}

static u32 soft_read(struct vtd_unit *vtd, unsigned int reg)
{
	/* an error stops it */
	if (reg == VTD_FSTS && !*fsts() && soft.head != soft_tail())
		soft_take();
	return *(u32 *)(soft.regs + reg);
}

static unsigned int type_of(unsigned int i)
{
	return i < soft.nr ? FIELD_GET(VTD_QI_TYPE, soft.taken[i].lo) : 0;
}

static unsigned int granularity(unsigned int i)
{
	return FIELD_GET(VTD_QI_LO_G, soft.taken[i].lo);
}

#define WANT(what) do { if (!(what)) return #what; } while (0)

static struct vtd_batch batch;

static void forget_domain(u16 did)
{
	vtd_forget_domain(&batch, did);
	vtd_batch_run(&batch);
}

/* A device's descriptor alone. Returns whether the device is cut off after it. */
static bool forget_device(u32 pasid, u64 first, u64 last)
{
	vtd_forget_device_tlb(&batch, &vdevs[0], pasid, first, last);
	vtd_batch_run(&batch);
	return cut;
}

/*
 * As after a test that went wrong on purpose. What is still in the queue then tells
 * what everybody knows.
 */
static void heal(void)
{
	unsigned int i;

	for (i = 0; i < DEVICES; i++)
		vdevs[i].cut = false;
	cut = 0;
	soft.refusals = 0;
	soft.refuse_at = NOWHERE;
	soft.mute = 0;
	soft.tells = false;
	while (soft.head != soft_tail())
		soft_take();
	soft.nr = 0;
	soft.came = 0;
	soft.goes = 0;
	soft.fences = 0;
}

static const char *plain(void)
{
	forget_domain(7);
	WANT(soft.nr == 1 && type_of(0) == VTD_QI_IOTLB);
	WANT(granularity(0) == VTD_G_DOMAIN);
	WANT(FIELD_GET(VTD_QI_LO_DID, soft.taken[0].lo) == 7);
	return NULL;
}

static const char *around(void)
{
	unsigned int i;

	for (i = 0; i < 2 * QUEUE_SLOTS; i++)
		forget_domain(i);
	WANT(soft.nr == 2 * QUEUE_SLOTS);
	for (i = 0; i < 2 * QUEUE_SLOTS; i++)
		WANT(FIELD_GET(VTD_QI_LO_DID, soft.taken[i].lo) == i);
	return NULL;
}

/* What the unit does not take is made up for, and the next one is as ever. */
static const char *refused(void)
{
	soft.refuse = VTD_QI_IOTLB;
	soft.refusals = 1;
	forget_domain(7);
	WANT(type_of(0) == VTD_QI_CONTEXT && granularity(0) == VTD_G_GLOBAL);
	if (unit.scalable)
		WANT(type_of(1) == VTD_QI_PASID &&
		     granularity(1) == VTD_G_PASID_GLOBAL);
	WANT(soft.nr == 2 + unit.scalable);
	WANT(type_of(1 + unit.scalable) == VTD_QI_IOTLB);
	WANT(granularity(1 + unit.scalable) == VTD_G_GLOBAL);
	soft.nr = 0;
	return plain();
}

/* A wait descriptor that is not taken does not stop the queue either. */
static const char *wait_refused(void)
{
	soft.refuse = VTD_QI_WAIT;
	soft.refusals = 1;
	forget_domain(7);
	WANT(soft.nr && type_of(0) == VTD_QI_IOTLB);
	soft.nr = 0;
	return plain();
}

static const char *mute(void)
{
	soft.mute = 1;
	WANT(forget_device(IOMMU_NO_PASID, 0, 4095));
	/* it is the only one that it can be */
	WANT(soft.nr == 1);
	heal();
	return plain();
}

static const char *device_refused(void)
{
	soft.refuse = VTD_QI_DEVICE_TLB;
	soft.refusals = 1;
	WANT(forget_device(IOMMU_NO_PASID, 0, 4095));
	WANT(!soft.nr);
	return plain();
}

/* The bits of 6.5.2.5 and 6.5.2.6, counted by hand. */
static const char *device_bits(void)
{
	u64 sid = sid_of(0);
	u64 pf = unit.ecap & VTD_ECAP_DIT ? (sid & 0xf) << 12 | sid >> 4 << 52 : 0;

	WANT(!forget_device(IOMMU_NO_PASID, 0x5000, 0x5fff));
	WANT(soft.taken[0].lo == (3 | 9 << 16 | sid << 32 | pf));
	WANT(soft.taken[0].hi == 0x5000);
	/* 8 pages from 0x8000 on: two ones, a zero */
	WANT(!forget_device(IOMMU_NO_PASID, 0x8000, 0xffff));
	WANT(soft.taken[1].hi == (0xb000 | 1));
	WANT(!forget_device(IOMMU_NO_PASID, 0x4000, 0x5fff));
	WANT(soft.taken[2].hi == (0x4000 | 1));
	WANT(!forget_device(IOMMU_NO_PASID, 0, U64_MAX));
	WANT(soft.taken[3].hi == (0x7ffffffffffff000 | 1));
	WANT(!forget_device(0x12345, 0x8000, 0xffff));
	WANT(soft.taken[4].lo == (8 | 9 << 4 | sid << 16 | 0x12345ULL << 32 | pf));
	WANT(soft.taken[4].hi == (0xb000 | BIT(11)));
	return NULL;
}

/* A context entry, translations, and three devices: in this order, and no other. */
#define CONTEXT	0
#define IOTLB	2
#define DEVICE	4
#define LAST	(DEVICE + DEVICES)

static void run_all_kinds(void)
{
	unsigned int i;

	vtd_forget_context(&batch, 7, 0x1234);
	vtd_batch_fence(&batch);
	vtd_forget_domain(&batch, 7);
	for (i = 0; i < DEVICES; i++)
		vtd_forget_device_tlb(&batch, &vdevs[i], IOMMU_NO_PASID, 0, 4095);
	vtd_batch_run(&batch);
}

static bool is_device(unsigned int i, unsigned int device)
{
	return type_of(i) == VTD_QI_DEVICE_TLB &&
	       FIELD_GET(VTD_QI_DEV_LO_SID, soft.taken[i].lo) == sid_of(device);
}

/* One wait for all; nothing before what it depends on. */
static const char *together(void)
{
	unsigned int i;

	run_all_kinds();
	WANT(soft.nr == 2 + DEVICES && soft.goes == 1 && soft.fences == 3);
	WANT(type_of(0) == VTD_QI_CONTEXT && type_of(1) == VTD_QI_IOTLB);
	WANT(soft.after[0] < soft.after[1] && soft.after[1] < soft.after[2]);
	for (i = 0; i < DEVICES; i++)
		WANT(is_device(2 + i, i) && soft.after[2 + i] == 2);
	WANT(!cut);
	return NULL;
}

/* One that is larger than a batch: all of it, in order, and not one by one. */
static const char *large(void)
{
	unsigned int i, nr = 3 * VTD_BATCH_MAX + 5;

	for (i = 0; i < nr; i++)
		vtd_forget_domain(&batch, i);
	WANT(soft.nr == 3 * VTD_BATCH_MAX);
	vtd_batch_run(&batch);
	WANT(soft.nr == nr && soft.goes == 4);
	for (i = 0; i < nr; i++)
		WANT(FIELD_GET(VTD_QI_LO_DID, soft.taken[i].lo) == i);
	/* an empty one is none */
	vtd_batch_run(&batch);
	vtd_batch_fence(&batch);
	vtd_batch_run(&batch);
	WANT(soft.goes == 4);
	return NULL;
}

/* The last of a kind that was taken. */
static unsigned int last_of(unsigned int type)
{
	unsigned int i = soft.nr;

	while (i && type_of(i - 1) != type)
		i--;
	return i - 1;
}

/*
 * Of what is not a device's something was lost: everything is forgotten, and all
 * devices are told after that.
 */
static const char *made_up(void)
{
	unsigned int i, all = last_of(VTD_QI_IOTLB);

	WANT(!cut && all < soft.nr && granularity(all) == VTD_G_GLOBAL);
	WANT(granularity(last_of(VTD_QI_CONTEXT)) == VTD_G_GLOBAL);
	WANT(soft.after[last_of(VTD_QI_CONTEXT)] < soft.after[all]);
	WANT(soft.nr == all + 1 + DEVICES);
	for (i = 0; i < DEVICES; i++)
		WANT(is_device(all + 1 + i, i) &&
		     soft.after[all + 1 + i] > soft.after[all]);
	return NULL;
}

static const char *refused_at(unsigned int place)
{
	soft.refuse_at = place;
	run_all_kinds();
	WANT(soft.came > place);
	if (place < DEVICE)
		return made_up();
	/* only that device, and the others need not be told again */
	if (place < LAST)
		WANT(cut == BIT(place - DEVICE) && soft.nr == 2 + DEVICES - 1);
	else
		WANT(!cut && soft.nr == 2 + DEVICES);
	WANT(granularity(last_of(VTD_QI_IOTLB)) == VTD_G_DOMAIN);
	return NULL;
}

static const char *refused_anywhere(void)
{
	const char *wrong = NULL;
	unsigned int place;

	for (place = 0; place <= LAST && !wrong; place++) {
		heal();
		wrong = refused_at(place);
	}
	heal();
	return wrong ?: together();
}

/* Two at once: the one loses what the other has, too. */
static const char *refused_twice(void)
{
	soft.refuse = VTD_QI_IOTLB;
	soft.refusals = 1;
	soft.refuse_at = DEVICE + 2;
	run_all_kinds();
	WANT(cut == BIT(1));
	heal();
	return together();
}

/* Just those that do not answer are cut off, whichever they are. */
static const char *muted(unsigned int who)
{
	unsigned int i;

	soft.mute = who;
	run_all_kinds();
	WANT(cut == who);
	for (i = 0; i < DEVICES; i++) {
		unsigned int at = soft.nr;

		if (who & BIT(i))
			continue;
		while (at && !is_device(at - 1, i))
			at--;
		/* told, after the last translations were forgotten */
		WANT(at && soft.after[at - 1] > soft.after[last_of(VTD_QI_IOTLB)]);
	}
	return NULL;
}

static const char *muted_anyone(void)
{
	const char *wrong = NULL;
	unsigned int i;

	for (i = 0; i < 2 << DEVICES && !wrong; i++) {
		heal();
		soft.tells = i & 1;
		wrong = muted(i >> 1);
	}
	heal();
	return wrong ?: together();
}

static const struct {
	const char *name;
	const char *(*run)(void);
} cases[] = {
	{ "plain", plain }, { "around", around }, { "refused", refused },
	{ "wait_refused", wait_refused }, { "mute", mute },
	{ "device_refused", device_refused }, { "device_bits", device_bits },
	{ "together", together }, { "large", large },
	{ "refused_anywhere", refused_anywhere },
	{ "refused_twice", refused_twice }, { "muted_anyone", muted_anyone },
};

static void one_mode(const char *mode, bool scalable, u64 ecap)
{
	unsigned int i;

	unit.scalable = scalable;
	unit.ecap = ecap;
	memset(soft.regs, 0, PAGE_SIZE);
	soft.head = 0;
	if (vtd_queue_init(&unit))
		return;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *wrong;

		heal();
		vtd_batch_init(&batch, &unit);
		wrong = cases[i].run();
		snprintf(result + strlen(result), sizeof(result) - strlen(result),
			 "%s-%s %s\n", mode, cases[i].name, wrong ?: "ok");
	}
	vtd_queue_fini(&unit);
}

static void put_devices(void)
{
	unsigned int i;

	for (i = 0; i < DEVICES; i++)
		if (vdevs[i].dev)
			put_device(vdevs[i].dev);
}

/* Any that there are, for their ids; none that is 0. */
static bool get_devices(void)
{
	struct pci_dev *pdev = NULL;
	unsigned int i = 0;

	for_each_pci_dev(pdev) {
		if (!pci_dev_id(pdev))
			continue;
		vdevs[i].dev = get_device(&pdev->dev);
		vdevs[i].unit = &unit;
		vdevs[i].ats_pending = 9;
		if (++i == DEVICES)
			break;
	}
	pci_dev_put(pdev);
	return i == DEVICES;
}

static int __init queue_test_init(void)
{
	int rc = -ENODEV;

	if (!get_devices())
		goto out;
	rc = -ENOMEM;
	soft.regs = (void *)get_zeroed_page(GFP_KERNEL);
	if (!soft.regs)
		goto out;
	strscpy(unit.x86.name, "vtd_queue_test");
	unit.regs = (void __iomem *)soft.regs;
	one_mode("legacy", false, 0);
	one_mode("scalable", true, VTD_ECAP_DIT);
	free_page((unsigned long)soft.regs);
	rc = 0;
out:
	put_devices();
	return rc;
}
module_init(queue_test_init);

static void __exit queue_test_exit(void)
{
}
module_exit(queue_test_exit);

MODULE_DESCRIPTION("Tests iommu_vtd's invalidation queue");
MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0-only
/*
 * For tests: the remapping hardware of the VT-d specification, in software. It asks
 * a unit's registers where the root table is, and walks from there as hardware has
 * to. No emulated device can make requests with a PASID, and no emulated unit nests
 * or records what is written in the second stage; this does.
 *
 * Nothing is cached: it tells what the tables say now.
 */
#include <linux/acpi.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/iommu.h>
#include <linux/ioport.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/cacheflush.h>

#include "vtd_walk_ko.h"
#include "vtd_walk_spec.h"

/**
 * walk_memory - memory as hardware sees it
 * @phys: where, aligned to 8 bytes
 *
 * Return: the word, or NULL if there is no memory
 */
u64 *walk_memory(u64 phys)
{
	if (phys >> 52 || !page_is_ram(PHYS_PFN(phys)))
		return NULL;
	return phys_to_virt(phys);
}

/**
 * walk_read - read an entry and take it down
 * @k: the walker
 * @phys: where it lies; it does not cross a page
 * @words: receives it
 * @nr: how many
 * @kind: VTD_WALK_ROOT and following
 * @level: of a page table, else 0
 *
 * Return: false if there is no memory
 */
bool walk_read(struct walker *k, u64 phys, u64 *words, unsigned int nr,
	       unsigned int kind, unsigned int level)
{
	struct vtd_walk *w = k->w;
	u64 *from = walk_memory(phys);
	unsigned int i;

	w->kind = kind;
	w->level = level;
	if (!from)
		return false;
	for (i = 0; i < nr; i++)
		words[i] = READ_ONCE(from[i]);
	if (w->nr_steps < VTD_WALK_STEPS)
		w->steps[w->nr_steps++] = (struct vtd_walk_step){
			.phys = phys,
			.value = words[0],
			.kind = kind,
			.level = level,
		};
	return true;
}

/* 3.14: where interrupts are written to */
static bool is_interrupt(u64 address)
{
	return address >> 20 == 0xfee;
}

static unsigned int translate(struct walker *k)
{
	u32 want = k->w->flags & (VTD_WALK_READ | VTD_WALK_WRITE | VTD_WALK_EXEC);
	bool priv = k->w->pasid != VTD_WALK_NO_PASID &&
		    k->w->flags & VTD_WALK_PRIV;
	struct stage out = { .address = k->w->address };
	unsigned int fault;
	u32 first = ~0U;

	k->w->page_lg2 = 0;
	if (k->first.levels) {
		fault = walk_first(k, out.address, want, priv, &out);
		if (fault)
			return fault;
		first = out.attributes;
		k->w->page_lg2 = out.lg2;
	}
	k->w->gpa = out.address;
	if (k->second.levels) {
		fault = walk_second(k, out.address, want, &out);
		if (fault)
			return fault;
		if (!k->w->page_lg2 || out.lg2 < k->w->page_lg2)
			k->w->page_lg2 = out.lg2;
	}
	/* what both allow, and what either says of itself */
	k->w->attributes = k->first.levels && k->second.levels ?
			   (first & out.attributes & 7) |
			   ((first | out.attributes) & ~7U) : out.attributes;
	k->w->phys = out.address;
	return k->scalable && is_interrupt(out.address) ? SGN_8_INTERRUPT : 0;
}

static unsigned int answer(struct walker *k, u64 rtaddr)
{
	bool bare = k->w->pasid == VTD_WALK_NO_PASID;
	unsigned int fault, steps;

	if (bare && is_interrupt(k->w->address) &&
	    !(k->w->flags & (VTD_WALK_TRANSLATED | VTD_WALK_ATS))) {
		k->w->phys = k->w->address;
		k->w->attributes = VTD_WALK_THROUGH | VTD_WALK_CAN_WRITE;
		if (k->w->flags & VTD_WALK_READ)
			return rtaddr & RTADDR_TTM ? SGN_8_INTERRUPT :
						     LGN_4_INTERRUPT;
		return 0;
	}
	fault = walk_entries(k, rtaddr);
	if (fault || k->w->attributes & VTD_WALK_THROUGH)
		return fault;
	if (k->w->flags & VTD_WALK_TRANSLATED) {
		k->w->phys = k->w->address;
		return 0;
	}
	/* Accessed and dirty are set for what is allowed. */
	steps = k->w->nr_steps;
	fault = translate(k);
	if (fault || k->w->flags & VTD_WALK_KEEP)
		return fault;
	k->w->nr_steps = steps;
	k->update = true;
	return translate(k);
}

/* Of physical addresses; constant. */
static unsigned int width;

static unsigned int host_address_width(void)
{
	struct acpi_table_header *header;
	unsigned int bits = 52;

	if (ACPI_SUCCESS(acpi_get_table(ACPI_SIG_DMAR, 0, &header))) {
		bits = ((struct acpi_table_dmar *)header)->width + 1;
		acpi_put_table(header);
	}
	return bits;
}

/* For tests that have the driver believe the same: see ko_vtd/vtd_pretend.c. */
static ulong more_ecap;
module_param(more_ecap, ulong, 0600);
MODULE_PARM_DESC(more_ecap, "Extended capabilities to walk with that the unit does not show");

static bool wide;
module_param(wide, bool, 0600);
MODULE_PARM_DESC(wide, "Walk with 5 levels and 57 bits, whatever the unit shows");

/* Registers of the unit that was asked for last. */
static DEFINE_MUTEX(regs_lock);
static u64 regs_of;
static void __iomem *regs;

static int map_regs(u64 unit)
{
	lockdep_assert_held(&regs_lock);
	if (regs && regs_of == unit)
		return 0;
	if (!unit || page_is_ram(PHYS_PFN(unit)))
		return -ENXIO;
	if (regs)
		iounmap(regs);
	regs_of = unit;
	/* beside the driver of the unit, which has them too */
	regs = ioremap(unit, PAGE_SIZE);
	return regs ? 0 : -ENOMEM;
}

static int walk(struct vtd_walk *w)
{
	const u32 known = VTD_WALK_READ | VTD_WALK_WRITE | VTD_WALK_EXEC |
			  VTD_WALK_PRIV | VTD_WALK_TRANSLATED | VTD_WALK_ATS |
			  VTD_WALK_KEEP;
	struct walker k = { .w = w, .haw = width };
	u64 rtaddr;
	int rc;

	if (w->flags & ~known || w->sid > 0xffff ||
	    (w->pasid != VTD_WALK_NO_PASID && w->pasid >> 20) ||
	    (w->pasid == VTD_WALK_NO_PASID &&
	     w->flags & (VTD_WALK_EXEC | VTD_WALK_PRIV)))
		return -EINVAL;
	w->fault = 0;
	w->phys = 0;
	w->gpa = 0;
	w->page_lg2 = 0;
	w->attributes = 0;
	w->did = 0;
	w->pgtt = 0;
	w->kind = 0;
	w->level = 0;
	w->nr_steps = 0;
	rc = map_regs(w->unit);
	if (rc)
		return rc;
	k.cap = readq(regs + REG_CAP);
	if (wide)
		k.cap = (k.cap & ~CAP_MGAW) | CAP_SAGAW_57 | CAP_MGAW_57 | CAP_FS5LP;
	k.ecap = readq(regs + REG_ECAP) | more_ecap;
	rtaddr = readq(regs + REG_RTADDR);
	if (readl(regs + REG_GSTS) & GSTS_TES) {
		w->fault = answer(&k, rtaddr);
	} else {
		w->phys = w->address;
		w->attributes = VTD_WALK_THROUGH;
	}
	return 0;
}

/* As far as the page goes that the device has got. */
static int move_page(struct vtd_walk_dma *dma, void *page, size_t len)
{
	void __user *data = u64_to_user_ptr(dma->data);
	void *memory = walk_memory(dma->walk.phys);
	bool write = dma->walk.flags & VTD_WALK_WRITE;

	if (!memory)
		return -ENXIO;
	/* The user's page may have to be faulted in first. */
	if (write && copy_from_user(page, data, len))
		return -EFAULT;
	memcpy(write ? memory : page, write ? page : memory, len);
	if (!write && copy_to_user(data, page, len))
		return -EFAULT;
	return 0;
}

static int move(struct vtd_walk_dma *dma)
{
	u64 length = dma->length, done = 0;
	void *page;
	int rc = 0;

	page = kmalloc(PAGE_SIZE, GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	while (!rc && done < length) {
		size_t len = min_t(u64, length - done,
				   PAGE_SIZE - offset_in_page(dma->walk.address));

		rc = walk(&dma->walk);
		if (rc || dma->walk.fault)
			break;
		rc = move_page(dma, page, len);
		if (rc)
			break;
		done += len;
		dma->walk.address += len;
		dma->data += len;
		cond_resched();
	}
	dma->length = done;
	kfree(page);
	return rc;
}

static int word(struct vtd_walk_word *word)
{
	u64 *at = word->phys & 7 ? NULL : walk_memory(word->phys);
	u64 old;

	if (!at)
		return -ENXIO;
	old = word->write ? xchg(at, word->value) : READ_ONCE(*at);
	if (word->write)
		clflush_cache_range(at, sizeof(*at));
	word->value = old;
	return 0;
}

static int queue(struct vtd_walk_queue *q)
{
	int rc = map_regs(q->unit);
	u64 iqa, head, slots, *d;
	unsigned int step, i;

	if (rc)
		return rc;
	iqa = readq(regs + REG_IQA);
	head = readq(regs + REG_IQH) / 16;
	step = iqa & IQA_WIDE ? 2 : 1;
	slots = 256ULL << (iqa & IQA_SIZE);
	for (i = VTD_WALK_NR_TOLD; i--;) {
		head = (head + slots - step) % slots;
		d = walk_memory((iqa & IQA_ADDRESS) + 16 * head);
		if (!d)
			return -ENXIO;
		q->told[i].lo = READ_ONCE(d[0]);
		q->told[i].hi = READ_ONCE(d[1]);
	}
	return 0;
}

static int set_pasids(const struct vtd_walk_pasids *pasids)
{
	struct pci_dev *pdev;
	int rc = 0;

	pdev = pci_get_domain_bus_and_slot(pasids->domain,
					   pasids->sid >> 8 & 0xff,
					   pasids->sid & 0xff);
	if (!pdev)
		return -ENODEV;
	if (!pdev->dev.iommu || !pdev->dev.iommu->iommu_dev)
		rc = -ENODEV;
	else
		pdev->dev.iommu->max_pasids = pasids->max;
	pci_dev_put(pdev);
	return rc;
}

static int run(unsigned int cmd, void *arg)
{
	switch (cmd) {
	case VTD_WALK_TRANSLATE:
		return walk(arg);
	case VTD_WALK_DMA:
		return move(arg);
	case VTD_WALK_WORD:
		return word(arg);
	case VTD_WALK_PASIDS:
		return set_pasids(arg);
	case VTD_WALK_QUEUE:
		return queue(arg);
	default:
		return -ENOTTY;
	}
}

static long walk_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	void __user *user = (void __user *)arg;
	void *copy;
	long rc;

	if (_IOC_SIZE(cmd) > sizeof(struct vtd_walk_dma))
		return -ENOTTY;
	copy = memdup_user(user, _IOC_SIZE(cmd));
	if (IS_ERR(copy))
		return PTR_ERR(copy);
	mutex_lock(&regs_lock);
	rc = run(cmd, copy);
	mutex_unlock(&regs_lock);
	if (_IOC_DIR(cmd) & _IOC_READ && rc != -ENOTTY &&
	    copy_to_user(user, copy, _IOC_SIZE(cmd)))
		rc = -EFAULT;
	kfree(copy);
	return rc;
}

static const struct file_operations walk_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = walk_ioctl,
};

static struct miscdevice walk_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "vtd_walk",
	.fops = &walk_fops,
	.mode = 0600,
};

static int __init walk_init(void)
{
	width = host_address_width();
	return misc_register(&walk_misc);
}
module_init(walk_init);

static void __exit walk_exit(void)
{
	misc_deregister(&walk_misc);
	if (regs)
		iounmap(regs);
}
module_exit(walk_exit);

MODULE_DESCRIPTION("Walks the tables of VT-d units, for tests of their driver");
MODULE_LICENSE("GPL");

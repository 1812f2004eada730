// SPDX-License-Identifier: GPL-2.0-only
/*
 * For tests: the IOMMU of the AMD-Vi specification, in software. It asks a unit's
 * registers where the device table is, and walks from there as hardware has to. No
 * emulated unit walks tables of guests, or records what is written; this does.
 *
 * Nothing is cached: it tells what the tables say now.
 */
#include <linux/bitfield.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "amdvi_walk.h"

/* 3.4: registers */
#define REG_DEVTAB	0x00
#define REG_COMMANDS	0x08
#define COMMANDS_LG2	GENMASK_ULL(59, 56)
#define REG_CONTROL	0x18
#define REG_EFR		0x30
#define REG_COMMAND_HEAD 0x2000
#define CTL_ENABLED	BIT_ULL(0)
#define CTL_GT		BIT_ULL(16)
#define CTL_GA		BIT_ULL(17)
#define CTL_XT		BIT_ULL(50)
#define CTL_GCR3_GPA	BIT_ULL(58)
#define EFR_HATS	GENMASK_ULL(11, 10)
#define EFR_GATS	GENMASK_ULL(13, 12)
#define EFR_GLX		GENMASK_ULL(15, 14)
#define EFR_GT		BIT_ULL(4)
#define EFR_GIO		BIT_ULL(48)
#define EFR_HA		BIT_ULL(49)
#define EFR_HD		BIT_ULL(52)

/* 2.2.2.1: device table entry */
#define DTE_V		BIT_ULL(0)
#define DTE_TV		BIT_ULL(1)
#define DTE_HAD		GENMASK_ULL(8, 7)
#define DTE_MODE	GENMASK_ULL(11, 9)
#define DTE_GIOV	BIT_ULL(54)
#define DTE_GV		BIT_ULL(55)
#define DTE_GLX		GENMASK_ULL(57, 56)
#define DTE_IR		BIT_ULL(61)
#define DTE_IW		BIT_ULL(62)
#define DTE_0_RESERVED	(GENMASK_ULL(6, 2) | BIT_ULL(63))
#define DTE_1_DOMAIN	GENMASK_ULL(15, 0)
#define DTE_2_IV	BIT_ULL(0)
#define DTE_2_LENGTH	GENMASK_ULL(4, 1)
#define DTE_2_TABLE	GENMASK_ULL(51, 6)
#define DTE_2_FIVE	GENMASK_ULL(55, 54)
#define DTE_2_CONTROL	GENMASK_ULL(61, 60)

/* 2.2.3: entries of host tables */
#define ADDRESS		GENMASK_ULL(51, 12)
#define HOST_PR		BIT_ULL(0)
#define HOST_A		BIT_ULL(5)
#define HOST_D		BIT_ULL(6)
#define HOST_NEXT	GENMASK_ULL(11, 9)
#define HOST_FC		BIT_ULL(60)
#define HOST_IR		BIT_ULL(61)
#define HOST_IW		BIT_ULL(62)
#define HOST_ITEM_RESERVED GENMASK_ULL(60, 52)
#define HOST_LEAF_RESERVED GENMASK_ULL(58, 52)

/* 2.2.6: entries of guest tables */
#define GUEST_P		BIT_ULL(0)
#define GUEST_RW	BIT_ULL(1)
#define GUEST_US	BIT_ULL(2)
#define GUEST_A		BIT_ULL(5)
#define GUEST_D		BIT_ULL(6)
#define GUEST_PS	BIT_ULL(7)
#define GUEST_NX	BIT_ULL(63)

static ulong more_efr;
module_param(more_efr, ulong, 0600);
MODULE_PARM_DESC(more_efr, "Extended features to walk with that the unit does not show");

/* Registers of the unit that was asked for last. */
static DEFINE_MUTEX(regs_lock);
static u64 regs_of;
static void __iomem *regs;

/**
 * struct walker - a unit that looks at a request; on the stack of one call
 * @w: the request, and the answer
 * @efr: its extended features
 * @dte: the device's entry
 * @levels: of the host's table, 0 if addresses are not translated
 * @guest: of the guest's leaf: what its entries allow together, and D
 * @update: set accessed and dirty bits
 */
struct walker {
	struct amdvi_walk *w;
	u64 efr;
	u64 dte[4];
	unsigned int levels;
	u64 guest;
	bool update;
};

static u64 *memory(u64 phys)
{
	if (phys >> 52 || !page_is_ram(PHYS_PFN(phys)))
		return NULL;
	return phys_to_virt(phys);
}

static u64 *read_entry(struct walker *k, u64 phys, unsigned int kind,
		       unsigned int level)
{
	struct amdvi_walk *w = k->w;
	u64 *entry = memory(phys);

	if (entry && w->nr_steps < AMDVI_WALK_STEPS)
		w->steps[w->nr_steps++] = (struct amdvi_walk_step){
			.phys = phys,
			.value = READ_ONCE(*entry),
			.kind = kind,
			.level = level,
		};
	return entry;
}

static unsigned int page_fault(struct walker *k, bool present)
{
	k->w->present = present;
	return AMDVI_WALK_PAGE_FAULT;
}

static void set_bits(u64 *entry, u64 bits)
{
	u64 old = READ_ONCE(*entry);

	while (!try_cmpxchg64(entry, &old, old | bits))
		;
}

/* What of a page's address is its size: ones from bit 12 on, then a zero. */
static unsigned int encoded_lg2(u64 leaf)
{
	return __ffs64(~(leaf | GENMASK_ULL(11, 0))) + 1;
}

static unsigned int host_leaf(struct walker *k, u64 *entry, unsigned int level,
			      u64 rights, u32 want, u64 *address)
{
	u64 item = READ_ONCE(*entry), had = FIELD_GET(DTE_HAD, k->dte[0]);
	unsigned int lg2 = 12 + 9 * (level - 1);

	if (item & HOST_LEAF_RESERVED)
		return page_fault(k, true);
	if (FIELD_GET(HOST_NEXT, item) == 7) {
		unsigned int size = encoded_lg2(item & ADDRESS);

		/* smaller than the level's own, or beyond it */
		if (size <= lg2 || size >= lg2 + 9)
			return page_fault(k, true);
		lg2 = size;
	}
	if ((want & AMDVI_WALK_READ && !(rights & HOST_IR)) ||
	    (want & AMDVI_WALK_WRITE && !(rights & HOST_IW)))
		return page_fault(k, true);
	if (k->update && had) {
		set_bits(entry, HOST_A);
		if (had == 3 && want & AMDVI_WALK_WRITE)
			set_bits(entry, HOST_D);
	}
	item = READ_ONCE(*entry);
	k->w->attributes |= (rights & HOST_IR ? AMDVI_WALK_CAN_READ : 0) |
			    (rights & HOST_IW ? AMDVI_WALK_CAN_WRITE : 0) |
			    (item & HOST_FC ? AMDVI_WALK_COHERENT : 0) |
			    (item & HOST_D ? AMDVI_WALK_HOST_DIRTY : 0);
	if (!k->w->page_lg2 || lg2 < k->w->page_lg2)
		k->w->page_lg2 = lg2;
	*address = ((item & ADDRESS) >> lg2 << lg2) |
		   (*address & (BIT_ULL(lg2) - 1));
	return 0;
}

/* 2.2.3: an item may lead to a level further down, if the bits between are 0. */
static unsigned int walk_host(struct walker *k, u64 *address, u32 want)
{
	u64 table = k->dte[0] & ADDRESS, rights = k->dte[0] & (HOST_IR | HOST_IW);
	unsigned int level = k->levels, next;
	u64 *entry, item;

	k->w->attributes = 0;
	if (!level) {
		if ((want & AMDVI_WALK_READ && !(rights & HOST_IR)) ||
		    (want & AMDVI_WALK_WRITE && !(rights & HOST_IW)))
			return page_fault(k, true);
		k->w->attributes = (rights & HOST_IR ? AMDVI_WALK_CAN_READ : 0) |
				   (rights & HOST_IW ? AMDVI_WALK_CAN_WRITE : 0);
		return 0;
	}
	if (level < 6 && *address >> (12 + 9 * level))
		return page_fault(k, false);
	for (;; level = next) {
		entry = read_entry(k, table + 8 * (*address >> (3 + 9 * level) & 0x1ff),
				   AMDVI_WALK_HOST, level);
		if (!entry)
			return AMDVI_WALK_TABLE_ERROR;
		item = READ_ONCE(*entry);
		if (!(item & HOST_PR))
			return page_fault(k, false);
		rights &= item;
		next = FIELD_GET(HOST_NEXT, item);
		if (!next || next == 7)
			return host_leaf(k, entry, level, rights, want, address);
		if (next >= level || item & HOST_ITEM_RESERVED ||
		    (*address >> (12 + 9 * next) &
		     (BIT_ULL(9 * (level - 1 - next)) - 1)))
			return page_fault(k, true);
		table = item & ADDRESS;
	}
}

/* What the guest's own structures lie at, in memory. */
static unsigned int guest_memory(struct walker *k, u64 *address)
{
	u32 lg2 = k->w->page_lg2;
	unsigned int event = walk_host(k, address, AMDVI_WALK_READ);

	k->w->page_lg2 = lg2;
	return event;
}

static u64 gcr3_table(const struct walker *k)
{
	return (k->dte[0] >> 58 & 7) << 12 | (k->dte[1] >> 16 & 0xffff) << 15 |
	       (k->dte[1] >> 43 & 0x1fffff) << 31;
}

/* 2.2.6.3: from the PASID to the top of the guest's table */
static unsigned int find_gcr3(struct walker *k, u64 control, u32 pasid, u64 *gcr3)
{
	unsigned int level = FIELD_GET(DTE_GLX, k->dte[0]) + 1, event;
	bool translated = control & CTL_GCR3_GPA;
	u64 table = gcr3_table(k), *entry;

	if (pasid >> (9 * level))
		return page_fault(k, false);
	for (; level; level--) {
		u64 at = table + 8 * (pasid >> (9 * (level - 1)) & 0x1ff);

		event = translated ? guest_memory(k, &at) : 0;
		if (event)
			return event;
		entry = read_entry(k, at, AMDVI_WALK_GCR3, level);
		if (!entry)
			return AMDVI_WALK_TABLE_ERROR;
		table = READ_ONCE(*entry);
		if (!(table & 1))
			return page_fault(k, false);
		table &= ADDRESS;
	}
	*gcr3 = table;
	return 0;
}

static bool is_canonical(u64 address, unsigned int levels)
{
	unsigned int unused = 64 - (12 + 9 * levels);

	return (u64)((s64)(address << unused) >> unused) == address;
}

static unsigned int walk_guest(struct walker *k, u64 table, u64 *address)
{
	bool user = !(k->w->flags & AMDVI_WALK_PRIV);
	u64 rights = GUEST_RW | GUEST_US, bits = GUEST_A, item, *entry, at;
	unsigned int level = 4 + FIELD_GET(DTE_2_FIVE, k->dte[2]), lg2, event;
	bool no_exec = false;

	if (!is_canonical(*address, level))
		return page_fault(k, false);
	for (;; level--) {
		at = table + 8 * (*address >> (3 + 9 * level) & 0x1ff);
		event = guest_memory(k, &at);
		if (event)
			return event;
		entry = read_entry(k, at, AMDVI_WALK_GUEST, level);
		if (!entry)
			return AMDVI_WALK_TABLE_ERROR;
		item = READ_ONCE(*entry);
		if (!(item & GUEST_P))
			return page_fault(k, false);
		rights &= item;
		no_exec |= item & GUEST_NX;
		if (level == 1 || (item & GUEST_PS && level < 4))
			break;
		if (item & GUEST_PS)
			return page_fault(k, true);
		if (k->update)
			set_bits(entry, GUEST_A);
		table = item & ADDRESS;
	}
	if ((user && !(rights & GUEST_US)) ||
	    (k->w->flags & AMDVI_WALK_WRITE && !(rights & GUEST_RW)) ||
	    (k->w->flags & AMDVI_WALK_EXEC && no_exec))
		return page_fault(k, true);
	if (k->w->flags & AMDVI_WALK_WRITE)
		bits |= GUEST_D;
	if (k->update)
		set_bits(entry, bits);
	k->guest = (rights & GUEST_RW) | (READ_ONCE(*entry) & GUEST_D);
	lg2 = 12 + 9 * (level - 1);
	k->w->page_lg2 = lg2;
	*address = ((item & ADDRESS) >> lg2 << lg2) |
		   (*address & (BIT_ULL(lg2) - 1));
	return 0;
}

static bool entry_is_legal(const struct walker *k, u64 control)
{
	u64 had = FIELD_GET(DTE_HAD, k->dte[0]);

	if (k->dte[0] & DTE_0_RESERVED || had == 2 ||
	    FIELD_GET(DTE_MODE, k->dte[0]) > 4 + FIELD_GET(EFR_HATS, k->efr) ||
	    (had && !(k->efr & EFR_HA)) || (had == 3 && !(k->efr & EFR_HD)))
		return false;
	if (!(k->dte[0] & DTE_GV))
		return !(k->dte[0] & DTE_GIOV);
	return k->efr & EFR_GT && control & CTL_GT &&
	       FIELD_GET(DTE_GLX, k->dte[0]) <= FIELD_GET(EFR_GLX, k->efr) &&
	       (!(k->dte[0] & DTE_GIOV) || k->efr & EFR_GIO) &&
	       FIELD_GET(DTE_2_FIVE, k->dte[2]) <= FIELD_GET(EFR_GATS, k->efr);
}

static unsigned int translate(struct walker *k, u64 control)
{
	u32 pasid = k->w->pasid, want = k->w->flags & 7;
	u64 address = k->w->address, gcr3;
	unsigned int event;

	k->w->page_lg2 = 0;
	k->guest = GUEST_RW;
	if (pasid == AMDVI_WALK_NO_PASID && k->dte[0] & DTE_GIOV)
		pasid = 0;
	if (pasid != AMDVI_WALK_NO_PASID) {
		if (!(k->dte[0] & DTE_GV))
			return AMDVI_WALK_REQUEST;
		event = find_gcr3(k, control, pasid, &gcr3) ?:
			walk_guest(k, gcr3, &address);
		if (event)
			return event;
	}
	k->w->gpa = address;
	event = walk_host(k, &address, want & ~AMDVI_WALK_EXEC);
	if (!event)
		k->w->phys = address;
	if (!(k->guest & GUEST_RW))
		k->w->attributes &= ~AMDVI_WALK_CAN_WRITE;
	if (k->guest & GUEST_D)
		k->w->attributes |= AMDVI_WALK_GUEST_DIRTY;
	return event;
}

static unsigned int find_entry(struct walker *k, u32 id, u64 *words)
{
	u64 devtab = readq(regs + REG_DEVTAB), size, *entry;

	size = ((devtab & 0x1ff) + 1) * PAGE_SIZE;
	if (32ULL * id >= size)
		return AMDVI_WALK_ILLEGAL_DTE;
	devtab = (devtab & ADDRESS) + 32 * id;
	entry = k ? read_entry(k, devtab, AMDVI_WALK_DTE, 0) : memory(devtab);
	if (!entry)
		return AMDVI_WALK_DEVTAB_ERROR;
	memcpy(words, entry, 32);
	return 0;
}

static unsigned int answer(struct walker *k)
{
	u64 control = readq(regs + REG_CONTROL);
	unsigned int event, steps;

	event = control & CTL_ENABLED ? find_entry(k, k->w->id, k->dte) : 0;
	if (event)
		return event;
	if (!(k->dte[0] & DTE_V)) {
		k->w->phys = k->w->address;
		k->w->attributes = AMDVI_WALK_THROUGH;
		return 0;
	}
	if (!entry_is_legal(k, control))
		return AMDVI_WALK_ILLEGAL_DTE;
	if (!(k->dte[0] & DTE_TV))
		return page_fault(k, false);
	k->w->domain = FIELD_GET(DTE_1_DOMAIN, k->dte[1]);
	k->levels = FIELD_GET(DTE_MODE, k->dte[0]);
	steps = k->w->nr_steps;
	event = translate(k, control);
	if (!event && !k->levels && !(k->dte[0] & DTE_GV))
		k->w->attributes |= AMDVI_WALK_THROUGH;
	/* Accessed and dirty are set for what is allowed. */
	if (event || k->w->flags & AMDVI_WALK_KEEP || k->w->attributes & AMDVI_WALK_THROUGH)
		return event;
	k->w->nr_steps = steps;
	k->update = true;
	return translate(k, control);
}

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
	regs = ioremap(unit, 4 * PAGE_SIZE);
	return regs ? 0 : -ENOMEM;
}

static int walk(struct amdvi_walk *w)
{
	const u32 known = AMDVI_WALK_READ | AMDVI_WALK_WRITE | AMDVI_WALK_EXEC |
			  AMDVI_WALK_PRIV | AMDVI_WALK_KEEP;
	struct walker k = { .w = w };
	int rc = map_regs(w->unit);

	if (rc)
		return rc;
	if (w->flags & ~known || w->id > 0xffff ||
	    (w->pasid != AMDVI_WALK_NO_PASID && w->pasid >> 20))
		return -EINVAL;
	w->phys = 0;
	w->gpa = 0;
	w->page_lg2 = 0;
	w->attributes = 0;
	w->domain = 0;
	w->present = 0;
	w->nr_steps = 0;
	k.efr = readq(regs + REG_EFR) | more_efr;
	w->event = answer(&k);
	return 0;
}

/* As far as the page goes that the device has got. */
static int move_page(struct amdvi_walk_dma *dma, void *page, size_t len)
{
	void __user *data = u64_to_user_ptr(dma->data);
	void *at = memory(dma->walk.phys);
	bool write = dma->walk.flags & AMDVI_WALK_WRITE;

	if (!at)
		return -ENXIO;
	/* The user's page may have to be faulted in first. */
	if (write && copy_from_user(page, data, len))
		return -EFAULT;
	memcpy(write ? at : page, write ? page : at, len);
	if (!write && copy_to_user(data, page, len))
		return -EFAULT;
	return 0;
}

static int move(struct amdvi_walk_dma *dma)
{
	void *page = kmalloc(PAGE_SIZE, GFP_KERNEL);
	u64 length = dma->length;
	int rc = 0;

	if (!page)
		return -ENOMEM;
	for (dma->length = 0; !rc && dma->length < length; cond_resched()) {
		size_t len = min_t(u64, length - dma->length,
				   PAGE_SIZE - offset_in_page(dma->walk.address));

		rc = walk(&dma->walk);
		if (rc || dma->walk.event)
			break;
		rc = move_page(dma, page, len);
		if (rc)
			break;
		dma->length += len;
		dma->walk.address += len;
		dma->data += len;
	}
	kfree(page);
	return rc;
}

static int word(struct amdvi_walk_word *word)
{
	u64 *at = word->phys & 7 ? NULL : memory(word->phys);

	if (!at)
		return -ENXIO;
	word->value = word->write ? xchg(at, word->value) : READ_ONCE(*at);
	return 0;
}

/* 2.2.5: fixed and arbitrated interrupts */
static int message(struct amdvi_walk_interrupt *i)
{
	int rc = i->id > 0xffff ? -EINVAL : map_regs(i->unit);
	u32 index = i->data & 0x7ff;
	u64 dte[4], control, *at;

	if (rc)
		return rc;
	control = readq(regs + REG_CONTROL);
	i->event = control & CTL_ENABLED ? find_entry(NULL, i->id, dte) : 0;
	i->through = !i->event && (!(control & CTL_ENABLED) || !(dte[2] & DTE_2_IV) ||
				   FIELD_GET(DTE_2_CONTROL, dte[2]) == 1);
	if (i->event || i->through)
		return 0;
	i->event = AMDVI_WALK_PAGE_FAULT;
	if (FIELD_GET(DTE_2_CONTROL, dte[2]) != 2 ||
	    index >> FIELD_GET(DTE_2_LENGTH, dte[2]))
		return 0;
	at = memory(dte[2] & DTE_2_TABLE);
	if (!at)
		return 0;
	if (control & CTL_GA) {
		at += 2 * index;
		i->vector = at[1] & 0xff;
		i->destination = at[0] >> 8 & 0xffffff;
		if (control & CTL_XT)
			i->destination |= at[1] >> 56 << 24;
		i->event = at[0] & 1 ? 0 : AMDVI_WALK_PAGE_FAULT;
	} else {
		u32 entry = ((u32 *)at)[index];

		i->vector = entry >> 16 & 0xff;
		i->destination = entry >> 8 & 0xff;
		i->event = entry & 1 ? 0 : AMDVI_WALK_PAGE_FAULT;
	}
	return 0;
}

/* 2.4: commands of 16 bytes */
static int told(struct amdvi_walk_told *t)
{
	unsigned int slots, left, nr = AMDVI_WALK_NR_TOLD;
	int rc = map_regs(t->unit);
	u64 base, head, *at;

	if (rc)
		return rc;
	base = readq(regs + REG_COMMANDS);
	head = readq(regs + REG_COMMAND_HEAD) / 16;
	slots = 1U << FIELD_GET(COMMANDS_LG2, base);
	at = memory(base & ADDRESS);
	if (!at)
		return -ENXIO;
	for (left = slots; nr && left; left--) {
		head = (head + slots - 1) % slots;
		nr--;
		t->told[nr][0] = at[2 * head];
		t->told[nr][1] = at[2 * head + 1];
	}
	return 0;
}

static int run(unsigned int cmd, void *arg)
{
	switch (cmd) {
	case AMDVI_WALK_TRANSLATE:
		return walk(arg);
	case AMDVI_WALK_DMA:
		return move(arg);
	case AMDVI_WALK_WORD:
		return word(arg);
	case AMDVI_WALK_MESSAGE:
		return message(arg);
	case AMDVI_WALK_TOLD:
		return told(arg);
	default:
		return -ENOTTY;
	}
}

static long walk_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	void __user *user = (void __user *)arg;
	void *copy;
	long rc;

	if (_IOC_SIZE(cmd) > sizeof(struct amdvi_walk_dma))
		return -ENOTTY;
	copy = memdup_user(user, _IOC_SIZE(cmd));
	if (IS_ERR(copy))
		return PTR_ERR(copy);
	mutex_lock(&regs_lock);
	rc = run(cmd, copy);
	mutex_unlock(&regs_lock);
	if (rc != -ENOTTY && copy_to_user(user, copy, _IOC_SIZE(cmd)))
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
	.name = "amdvi_walk",
	.fops = &walk_fops,
	.mode = 0600,
};

static int __init walk_init(void)
{
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

MODULE_DESCRIPTION("Walks the tables of AMD-Vi units, for tests of their driver");
MODULE_LICENSE("GPL");

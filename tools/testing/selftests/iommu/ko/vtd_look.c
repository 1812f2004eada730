// SPDX-License-Identifier: GPL-2.0-only
/*
 * For tests: what a VT-d unit finds in memory, starting from its registers as
 * the specification has hardware do it, whoever drives it.
 *
 *	write /dev/vtd_look "swap BUS DEVFN A B"
 *		exchanges the leaves of the pages at A and B, which the requester of
 *		that bus and function reaches, and tells the unit nothing of it
 *	write /dev/vtd_look "mute 1"
 *		iommu_vtd learns from now on that devices have not answered when they
 *		were told to forget translations; with 0 it learns the truth again
 *	read /dev/vtd_look
 *		gives what the unit was told to forget, the last descriptors that it
 *		has taken from its queue, a line each, the newest last: two words
 *
 * All numbers are hexadecimal. Of the first unit only.
 */
#include <linux/acpi.h>
#include <linux/bitfield.h>
#include <linux/io.h>
#include <linux/kprobes.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/cacheflush.h>

#define REG_RTADDR	0x20
#define REG_IQH		0x80
#define REG_IQA		0x90
#define IQA_WIDE	BIT(11)
#define IQA_SIZE	GENMASK(2, 0)
#define RTADDR_SCALABLE	BIT(10)
#define PRESENT		BIT(0)
#define LEAF		BIT(7)
#define TABLE_ADDRESS	GENMASK_ULL(51, 12)

static void __iomem *regs;
/* one write at a time */
static DEFINE_MUTEX(look_lock);

static u64 *table_at(u64 pointer)
{
	return phys_to_virt(pointer & TABLE_ADDRESS);
}

/**
 * struct found - where the requests of a requester go
 * @top: its page table
 * @levels: of the page table
 * @first_stage: its format
 */
struct found {
	u64 *top;
	unsigned int levels;
	bool first_stage;
};

/* 9.1, 9.3 */
static int find_legacy(struct found *f, u64 *root, u8 bus, u8 devfn)
{
	u64 *entry;

	if (!(root[2 * bus] & PRESENT))
		return -ENXIO;
	entry = table_at(root[2 * bus]) + 2 * devfn;
	/* TT: 0 and 1 go through a table */
	if (!(entry[0] & PRESENT) || (entry[0] >> 2 & 3) > 1)
		return -ENXIO;
	f->top = table_at(entry[0]);
	f->levels = (entry[1] & 7) + 2;
	f->first_stage = false;
	return 0;
}

/* 9.2, 9.4, 9.5, 9.6 */
static int find_scalable(struct found *f, u64 *root, u8 bus, u8 devfn)
{
	u64 *context, *directory, *entry, half = root[2 * bus + (devfn >> 7)];
	u32 pasid;

	if (!(half & PRESENT))
		return -ENXIO;
	context = table_at(half) + 4 * (devfn & 0x7f);
	if (!(context[0] & PRESENT))
		return -ENXIO;
	pasid = context[1] & GENMASK(19, 0);
	directory = table_at(context[0]) + (pasid >> 6);
	if (!(*directory & PRESENT))
		return -ENXIO;
	entry = table_at(*directory) + 8 * (pasid & 0x3f);
	if (!(entry[0] & PRESENT))
		return -ENXIO;
	switch (entry[0] >> 6 & 7) {
	case 1:
		f->top = table_at(entry[2]);
		f->levels = (entry[2] >> 2 & 3) + 4;
		f->first_stage = true;
		return 0;
	case 2:
		f->top = table_at(entry[0]);
		f->levels = (entry[0] >> 2 & 7) + 2;
		f->first_stage = false;
		return 0;
	default:
		return -ENXIO;
	}
}

static u64 *find_leaf(const struct found *f, u64 iova)
{
	/* 9.8: there is no present bit in the second stage */
	u64 there = f->first_stage ? PRESENT : GENMASK(1, 0);
	unsigned int level;
	u64 *table = f->top, *item;

	for (level = f->levels; level; level--) {
		item = table + (iova >> (12 + 9 * (level - 1)) & 0x1ff);
		if (!(*item & there))
			return NULL;
		if (level == 1)
			return item;
		if (*item & LEAF)
			return NULL;
		table = table_at(*item);
	}
	return NULL;
}

static int swap_leaves(u8 bus, u8 devfn, u64 a, u64 b)
{
	u64 rtaddr = readq(regs + REG_RTADDR), *at_a, *at_b, old;
	struct found f;
	int rc;

	if (rtaddr & RTADDR_SCALABLE)
		rc = find_scalable(&f, table_at(rtaddr), bus, devfn);
	else
		rc = find_legacy(&f, table_at(rtaddr), bus, devfn);
	if (rc)
		return rc;
	at_a = find_leaf(&f, a);
	at_b = find_leaf(&f, b);
	if (!at_a || !at_b)
		return -ENOENT;
	old = *at_a;
	WRITE_ONCE(*at_a, *at_b);
	WRITE_ONCE(*at_b, old);
	clflush_cache_range(at_a, sizeof(*at_a));
	clflush_cache_range(at_b, sizeof(*at_b));
	return 0;
}

static int no_answer(struct kretprobe_instance *instance, struct pt_regs *at)
{
	regs_set_return_value(at, -ETIMEDOUT);
	return 0;
}

static struct kretprobe mute_probe;
static bool muted;

static int mute(bool on)
{
	int rc;

	if (on == muted)
		return 0;
	if (!on) {
		unregister_kretprobe(&mute_probe);
		muted = false;
		return 0;
	}
	memset(&mute_probe, 0, sizeof(mute_probe));
	mute_probe.kp.symbol_name = "iommu_vtd:vtd_queue_submit";
	mute_probe.handler = no_answer;
	rc = register_kretprobe(&mute_probe);
	muted = !rc;
	return rc;
}

static ssize_t look_write(struct file *file, const char __user *buf,
			  size_t count, loff_t *pos)
{
	unsigned int bus, devfn;
	char text[80];
	int rc = -EINVAL, on;
	u64 a, b;

	if (count >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, buf, count))
		return -EFAULT;
	text[count] = 0;
	mutex_lock(&look_lock);
	if (sscanf(text, "swap %x %x %llx %llx", &bus, &devfn, &a, &b) == 4 &&
	    bus <= 0xff && devfn <= 0xff)
		rc = swap_leaves(bus, devfn, a, b);
	else if (sscanf(text, "mute %d", &on) == 1)
		rc = mute(on);
	mutex_unlock(&look_lock);
	return rc ? rc : count;
}

/* 6.5.2: descriptors of 16 bytes, or of 32, in 2^n pages */
#define SHOWN 64
#define LINE 34

static ssize_t look_read(struct file *file, char __user *buf, size_t count,
			 loff_t *pos)
{
	u64 iqa = readq(regs + REG_IQA), head = readq(regs + REG_IQH) / 16;
	unsigned int step = iqa & IQA_WIDE ? 2 : 1, i;
	u64 slots = 256ULL << (iqa & IQA_SIZE), *slot;
	size_t len = 0;
	char *text;
	ssize_t rc;

	text = kmalloc(SHOWN * LINE + 1, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	for (i = SHOWN; i; i--) {
		slot = table_at(iqa) + 2 * ((head + slots - i * step) % slots);
		len += scnprintf(text + len, LINE + 1, "%016llx %016llx\n",
				 slot[0], slot[1]);
	}
	rc = simple_read_from_buffer(buf, count, pos, text, len);
	kfree(text);
	return rc;
}

static const struct file_operations look_fops = {
	.owner = THIS_MODULE,
	.read = look_read,
	.write = look_write,
	.llseek = noop_llseek,
};

static struct miscdevice look_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "vtd_look",
	.fops = &look_fops,
	.mode = 0600,
};

/* 8.1, 8.3: the first structure is a unit, whose registers are at byte 8 of it */
static u64 first_unit(void)
{
	struct acpi_table_header *header;
	u64 base = 0;
	u16 type;

	if (ACPI_FAILURE(acpi_get_table(ACPI_SIG_DMAR, 0, &header)))
		return 0;
	if (header->length >= 64) {
		memcpy(&type, (u8 *)header + 48, sizeof(type));
		if (!type)
			memcpy(&base, (u8 *)header + 56, sizeof(base));
	}
	acpi_put_table(header);
	return base;
}

static int __init look_init(void)
{
	u64 base = first_unit();
	int rc;

	if (!base)
		return -ENODEV;
	/* beside the driver of the unit, which has them too */
	regs = ioremap(base, PAGE_SIZE);
	if (!regs)
		return -ENOMEM;
	rc = misc_register(&look_misc);
	if (rc)
		iounmap(regs);
	return rc;
}
module_init(look_init);

static void __exit look_exit(void)
{
	misc_deregister(&look_misc);
	mute(false);
	iounmap(regs);
}
module_exit(look_exit);

MODULE_DESCRIPTION("Shows and changes what VT-d finds in memory, for tests");
MODULE_LICENSE("GPL");

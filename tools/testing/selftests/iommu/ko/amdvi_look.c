// SPDX-License-Identifier: GPL-2.0-only
/*
 * For tests: what an AMD-Vi unit finds in memory, starting from its registers as the
 * specification has hardware do it, whoever drives it.
 *
 *	write /dev/amdvi_look "swap BUS DEVFN A B"
 *		exchanges the leaves of the pages at A and B, which the requester of
 *		that bus and function reaches, and tells the unit nothing of it
 *
 * All numbers are hexadecimal. Of the first unit only.
 */
#include <linux/acpi.h>
#include <linux/bitfield.h>
#include <linux/io.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/uaccess.h>

#define REG_DEVTAB	0x00
#define ADDRESS		GENMASK_ULL(51, 12)
#define PRESENT		BIT(0)
#define DTE_TV		BIT(1)
/* the levels of the table, or where an item leads */
#define LEVEL		GENMASK_ULL(11, 9)

static void __iomem *regs;
/* one write at a time */
static DEFINE_MUTEX(look_lock);

/* 2.2.3: what an item leads to has the level it tells; on level 0 lie pages */
static u64 *find_leaf(u16 id, u64 iova)
{
	u64 *devtab = phys_to_virt(readq(regs + REG_DEVTAB) & ADDRESS);
	u64 *item = devtab + 4 * id;
	unsigned int level;

	if (!(*item & DTE_TV))
		return NULL;
	while (*item & PRESENT) {
		level = FIELD_GET(LEVEL, *item);
		if (!level || level == 7)
			return item == devtab + 4 * id ? NULL : item;
		item = phys_to_virt(*item & ADDRESS);
		item += iova >> (3 + 9 * level) & 0x1ff;
	}
	return NULL;
}

static int swap_leaves(u16 id, u64 a, u64 b)
{
	u64 *at_a = find_leaf(id, a), *at_b = find_leaf(id, b), old;

	if (!at_a || !at_b)
		return -ENOENT;
	old = *at_a;
	WRITE_ONCE(*at_a, *at_b);
	WRITE_ONCE(*at_b, old);
	return 0;
}

static ssize_t look_write(struct file *file, const char __user *buf,
			  size_t count, loff_t *pos)
{
	unsigned int bus, devfn;
	char text[80];
	int rc = -EINVAL;
	u64 a, b;

	if (count >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, buf, count))
		return -EFAULT;
	text[count] = 0;
	mutex_lock(&look_lock);
	if (sscanf(text, "swap %x %x %llx %llx", &bus, &devfn, &a, &b) == 4 &&
	    bus <= 0xff && devfn <= 0xff)
		rc = swap_leaves(bus << 8 | devfn, a, b);
	mutex_unlock(&look_lock);
	return rc ? rc : count;
}

static const struct file_operations look_fops = {
	.owner = THIS_MODULE,
	.write = look_write,
	.llseek = noop_llseek,
};

static struct miscdevice look_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "amdvi_look",
	.fops = &look_fops,
	.mode = 0600,
};

/* 5.2: the first block is a unit, whose registers are at byte 8 of it */
static u64 first_unit(void)
{
	struct acpi_table_header *header;
	u64 base = 0;

	if (ACPI_FAILURE(acpi_get_table(ACPI_SIG_IVRS, 0, &header)))
		return 0;
	if (header->length >= 64)
		memcpy(&base, (u8 *)header + 56, sizeof(base));
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
	iounmap(regs);
}
module_exit(look_exit);

MODULE_DESCRIPTION("Changes what AMD-Vi finds in memory, for tests");
MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0-only
/*
 * For tests: make the n-th allocation of a system call fail, on a kernel that
 * was built without fault injection, and count what modules under test have
 * allocated and not yet freed.
 *
 *	echo N >/dev/iommu_fail		the N-th allocation of this task from now
 *					on fails, 0: none does
 *	read /dev/iommu_fail		ends that, and tells how it went
 *
 * ftrace calls us at the entry of the kernel's allocators. The one that is to
 * fail goes on in a function that returns NULL, so nothing was allocated that
 * would have to be given back. The hooks are there as long as the module; the
 * file is open in one process at a time.
 */
#include <linux/fprobe.h>
#include <linux/ftrace.h>
#include <linux/hash.h>
#include <linux/kallsyms.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/stacktrace.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#if defined(CONFIG_DYNAMIC_FTRACE_WITH_ARGS) && IS_ENABLED(CONFIG_FPROBE)

/*
 * What the kernel cannot do without and does not test itself: it has no answer
 * for a group that does not go back to its own domain, and what drivers do when
 * they open a device reaches ACPI's interpreter, which frees twice what it
 * could not allocate once.
 */
static bool notrace not_ours_to_test(void)
{
	/* ACPI goes deep; there is one victim, so one array is enough */
	static unsigned long frames[128];
	char name[KSYM_SYMBOL_LEN];
	unsigned int nr, i;

	nr = stack_trace_save(frames, ARRAY_SIZE(frames), 0);
	for (i = 0; i < nr; i++) {
		sprint_symbol(name, frames[i]);
		if (str_has_prefix(name, "iommu_device_release_dma_owner") ||
		    strstr(name, "[vfio_pci") || strstr(name, "[vfio_edu"))
			return true;
	}
	return false;
}

/*
 * Whose allocation fails. Written by that task alone, in its system calls on
 * the control file; read by every task, which only compares it with itself.
 */
static struct task_struct *victim;
static unsigned long wanted, seen;
static unsigned long failed_in, failed_for;

static noinline void *no_memory(void)
{
	return NULL;
}

/**
 * struct allocator - a function that can fail
 * @ops: how ftrace knows it
 * @entry: the function
 * @gfp: which of its arguments is the gfp mask
 */
struct allocator {
	struct ftrace_ops ops;
	unsigned long entry;
	unsigned int gfp;
};

static void notrace on_alloc(unsigned long ip, unsigned long parent_ip,
			     struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct allocator *a = container_of(ops, struct allocator, ops);

	if (READ_ONCE(victim) != current || !in_task())
		return;
	/* Its callers are told that it cannot fail. */
	if (ftrace_regs_get_argument(fregs, a->gfp) & __GFP_NOFAIL)
		return;
	if (not_ours_to_test() || ++seen != wanted)
		return;
	failed_in = a->entry;
	failed_for = parent_ip;
	ftrace_regs_set_instruction_pointer(fregs, (unsigned long)no_memory);
}

#define ALLOCATOR(function, arg)					\
	{								\
		.ops = {						\
			.func = on_alloc,				\
			.flags = FTRACE_OPS_FL_IPMODIFY |		\
				 FTRACE_OPS_FL_SAVE_REGS |		\
				 FTRACE_OPS_FL_RECURSION,		\
		},							\
		.entry = (unsigned long)(function),			\
		.gfp = arg,						\
	}

/* These have an argument more in between where kmalloc is in buckets. */
#define BUCKET_ARG IS_ENABLED(CONFIG_SLAB_BUCKETS)

static struct allocator allocators[] = {
	ALLOCATOR(__kmalloc_noprof, 1),
	ALLOCATOR(__kmalloc_node_noprof, 1 + BUCKET_ARG),
	ALLOCATOR(__kmalloc_node_track_caller_noprof, 1 + BUCKET_ARG),
	ALLOCATOR(__kmalloc_cache_noprof, 1),
	ALLOCATOR(__kmalloc_cache_node_noprof, 1),
	ALLOCATOR(kmem_cache_alloc_noprof, 1),
	ALLOCATOR(kmem_cache_alloc_lru_noprof, 2),
	ALLOCATOR(kmem_cache_alloc_node_noprof, 1),
	ALLOCATOR(__kvmalloc_node_noprof, 1 + BUCKET_ARG),
	ALLOCATOR(__alloc_pages_noprof, 0),
};

/*
 * What the modules under test hold: addresses that were allocated by a call
 * from their text, until something frees them.
 */
#define RECORDS 8192
#define BUCKET_BITS 12

struct record {
	struct hlist_node node;
	unsigned long addr;
};

static DEFINE_RAW_SPINLOCK(records_lock);
static struct record records[RECORDS];
static struct hlist_head buckets[1 << BUCKET_BITS];
static HLIST_HEAD(unused);
static unsigned long live, lost;

static struct hlist_head *bucket(unsigned long addr)
{
	return &buckets[hash_long(addr, BUCKET_BITS)];
}

static void notrace record_add(unsigned long addr)
{
	struct record *r;
	unsigned long flags;

	raw_spin_lock_irqsave(&records_lock, flags);
	if (hlist_empty(&unused)) {
		lost++;
	} else {
		r = hlist_entry(unused.first, struct record, node);
		hlist_del(&r->node);
		r->addr = addr;
		hlist_add_head(&r->node, bucket(addr));
		live++;
	}
	raw_spin_unlock_irqrestore(&records_lock, flags);
}

static void notrace record_remove(unsigned long addr)
{
	struct record *r;
	unsigned long flags;

	/* Who frees it got it from whom we saw allocate it, so it is there. */
	if (!addr || hlist_empty(bucket(addr)))
		return;
	raw_spin_lock_irqsave(&records_lock, flags);
	hlist_for_each_entry(r, bucket(addr), node) {
		if (r->addr == addr) {
			hlist_del(&r->node);
			hlist_add_head(&r->node, &unused);
			live--;
			break;
		}
	}
	raw_spin_unlock_irqrestore(&records_lock, flags);
}

static void notrace on_free(unsigned long ip, unsigned long parent_ip,
			    struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	record_remove(ftrace_regs_get_argument(fregs, 0));
}

static struct ftrace_ops free_ops = {
	.func = on_free,
	.flags = FTRACE_OPS_FL_SAVE_ARGS | FTRACE_OPS_FL_RECURSION,
};

/*
 * Is this the text of a module under test? The kernel finds out by name, which
 * takes long, so the answer is kept for each page: text of two modules never
 * shares one. Racing writers of a slot store the same or another whole word.
 */
#define KNOWN_BITS 10
static unsigned long known_pages[1 << KNOWN_BITS];

static bool notrace under_test(unsigned long ip)
{
	unsigned long page = ip & PAGE_MASK;
	unsigned long *slot = &known_pages[hash_long(page, KNOWN_BITS)];
	unsigned long known = READ_ONCE(*slot);
	char name[KSYM_SYMBOL_LEN];

	if ((known & PAGE_MASK) != page) {
		sprint_symbol(name, ip);
		known = page | (strstr(name, "[iommufd") || strstr(name, "[vfio_cdev"));
		WRITE_ONCE(*slot, known);
	}
	return known & 1;
}

static int notrace enter_alloc(struct fprobe *fp, unsigned long ip,
			       unsigned long ret_ip, struct pt_regs *regs,
			       void *data)
{
	/* not 0: do not call us at its return */
	return !under_test(ret_ip);
}

static void notrace leave_alloc(struct fprobe *fp, unsigned long ip,
				unsigned long ret_ip, struct pt_regs *regs,
				void *data)
{
	unsigned long addr = regs_return_value(regs);

	if (addr)
		record_add(addr);
}

static struct fprobe slab_probe = {
	.entry_handler = enter_alloc,
	.exit_handler = leave_alloc,
	.nr_maxactive = 64,
};

/*
 * Of these an address goes to kfree() or vfree(). Not constant: registering
 * sorts them.
 */
static const char *slab_names[] = {
	"__kmalloc_noprof",
	"__kmalloc_node_noprof",
	"__kmalloc_cache_noprof",
	"__kmalloc_cache_node_noprof",
	"__kvmalloc_node_noprof",
};

static int hook(struct ftrace_ops *ops)
{
	int rc = register_ftrace_function(ops);

	if (rc)
		ftrace_free_filter(ops);
	return rc;
}

static void unhook(struct ftrace_ops *ops)
{
	unregister_ftrace_function(ops);
	ftrace_free_filter(ops);
}

static int hook_allocator(struct allocator *a)
{
	int rc = ftrace_set_filter_ip(&a->ops, a->entry, 0, 0);

	if (rc) {
		ftrace_free_filter(&a->ops);
		return rc;
	}
	return hook(&a->ops);
}

static int hook_free(void)
{
	unsigned long ips[] = { (unsigned long)kfree, (unsigned long)vfree };
	int rc = ftrace_set_filter_ips(&free_ops, ips, ARRAY_SIZE(ips), 0, 0);

	if (rc) {
		ftrace_free_filter(&free_ops);
		return rc;
	}
	return hook(&free_ops);
}

static unsigned int nr_hooked;

static void unhook_all(void)
{
	while (nr_hooked)
		unhook(&allocators[--nr_hooked].ops);
	unregister_fprobe(&slab_probe);
	unhook(&free_ops);
}

/*
 * What is registered last is called first: the allocators' hooks see the
 * return address before the probe puts its own there.
 */
static int hook_all(void)
{
	unsigned int i;
	int rc;

	for (i = 0; i < RECORDS; i++)
		hlist_add_head(&records[i].node, &unused);
	rc = hook_free();
	if (rc)
		return rc;
	rc = register_fprobe_syms(&slab_probe, slab_names,
				  ARRAY_SIZE(slab_names));
	if (rc) {
		unhook(&free_ops);
		return rc;
	}
	while (nr_hooked < ARRAY_SIZE(allocators)) {
		rc = hook_allocator(&allocators[nr_hooked]);
		if (rc) {
			pr_err("iommu_fail: %ps cannot be hooked: %d\n",
			       (void *)allocators[nr_hooked].entry, rc);
			unhook_all();
			return rc;
		}
		nr_hooked++;
	}
	return 0;
}

static atomic_t users = ATOMIC_INIT(0);

static int fail_open(struct inode *inode, struct file *filp)
{
	if (atomic_cmpxchg(&users, 0, 1))
		return -EBUSY;
	/* Modules may have come and gone since. */
	memset(known_pages, 0, sizeof(known_pages));
	return 0;
}

static int fail_release(struct inode *inode, struct file *filp)
{
	WRITE_ONCE(victim, NULL);
	atomic_set(&users, 0);
	return 0;
}

static ssize_t fail_write(struct file *filp, const char __user *buf,
			  size_t count, loff_t *ppos)
{
	unsigned long n;
	int rc = kstrtoul_from_user(buf, count, 0, &n);

	if (rc)
		return rc;
	WRITE_ONCE(victim, NULL);
	wanted = n;
	seen = 0;
	failed_in = 0;
	failed_for = 0;
	WRITE_ONCE(victim, current);
	return count;
}

static ssize_t fail_read(struct file *filp, char __user *buf, size_t count,
			 loff_t *ppos)
{
	char text[400];
	int len;

	WRITE_ONCE(victim, NULL);
	len = scnprintf(text, sizeof(text), "seen=%lu failed=%d live=%lu lost=%lu",
			seen, !!failed_in, live, lost + slab_probe.nmissed);
	if (failed_in)
		len += scnprintf(text + len, sizeof(text) - len, " %ps for %pS",
				 (void *)failed_in, (void *)failed_for);
	len = min_t(size_t, len, count);
	if (copy_to_user(buf, text, len))
		return -EFAULT;
	return len;
}

static const struct file_operations fail_fops = {
	.owner = THIS_MODULE,
	.open = fail_open,
	.release = fail_release,
	.read = fail_read,
	.write = fail_write,
	.llseek = noop_llseek,
};

static struct miscdevice fail_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "iommu_fail",
	.fops = &fail_fops,
	.mode = 0600,
};

static int __init fail_init(void)
{
	int rc = hook_all();

	if (rc)
		return rc;
	rc = misc_register(&fail_misc);
	if (rc)
		unhook_all();
	return rc;
}
module_init(fail_init);

static void __exit fail_exit(void)
{
	misc_deregister(&fail_misc);
	unhook_all();
}
module_exit(fail_exit);

#else

static int __init fail_init(void)
{
	return -EOPNOTSUPP;
}
module_init(fail_init);

#endif

MODULE_DESCRIPTION("Makes allocations fail, for tests of iommufd");
MODULE_LICENSE("GPL");

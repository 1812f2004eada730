// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reasons: a sentence for each errno that reaches user space.
 */
#include <linux/ctype.h>
#include <linux/hash.h>
#include <linux/iommufd_reason.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#define CREATE_TRACE_POINTS
#include "trace.h"

/* How many threads of one file are remembered. */
#define REASON_LOG_ENTRIES 16

/*
 * The open scopes of all tasks. A task finds its own innermost scope here, so
 * that code far below the system call need not carry a pointer to it. Only the
 * bucket's list is shared: what is in a scope belongs to its task alone.
 */
#define REASON_BUCKET_BITS 6
static struct reason_bucket {
	spinlock_t lock;
	struct hlist_head scopes;
} reason_buckets[1 << REASON_BUCKET_BITS] = {
	[0 ... (1 << REASON_BUCKET_BITS) - 1] = {
		.lock = __SPIN_LOCK_UNLOCKED(reason_buckets.lock),
	},
};

struct reason_entry {
	u64 seq;		/* 0: empty */
	pid_t tid;		/* as the thread saw itself */
	unsigned int cmd;
	int err;
	char text[IOMMUFD_REASON_MAX];
};

/**
 * struct iommufd_reason_log - the last refusals that one open file gave
 * @lock: protects the rest
 * @seq: of the newest entry; counts all refusals of the file
 * @entries: one per thread, the oldest thread's is overwritten when all are used
 */
struct iommufd_reason_log {
	spinlock_t lock;
	u64 seq;
	struct reason_entry entries[REASON_LOG_ENTRIES];
};

static struct reason_bucket *reason_bucket(const struct task_struct *task)
{
	return &reason_buckets[hash_ptr(task, REASON_BUCKET_BITS)];
}

static struct iommufd_reason_scope *reason_innermost(void)
{
	struct reason_bucket *bucket = reason_bucket(current);
	struct iommufd_reason_scope *scope, *found = NULL;

	spin_lock(&bucket->lock);
	hlist_for_each_entry(scope, &bucket->scopes, node) {
		if (scope->task == current) {
			found = scope;
			break;
		}
	}
	spin_unlock(&bucket->lock);
	return found;
}

/**
 * iommufd_reason_log_alloc - make the log of a newly opened file
 *
 * Context: may sleep.
 * Return: the log, or NULL without memory
 */
struct iommufd_reason_log *iommufd_reason_log_alloc(void)
{
	struct iommufd_reason_log *log;

	log = kzalloc(sizeof(*log), GFP_KERNEL_ACCOUNT);
	if (log)
		spin_lock_init(&log->lock);
	return log;
}
EXPORT_SYMBOL_GPL(iommufd_reason_log_alloc);

/**
 * iommufd_reason_log_free - free the log of a file that is being released
 * @log: from iommufd_reason_log_alloc(), or NULL
 */
void iommufd_reason_log_free(struct iommufd_reason_log *log)
{
	kfree(log);
}
EXPORT_SYMBOL_GPL(iommufd_reason_log_free);

/**
 * iommufd_reason_log_show - print a log, one line for each thread
 * @log: the log
 * @m: the fdinfo of its file
 *
 * Context: any thread at any time while the file is open; takes a spinlock.
 */
void iommufd_reason_log_show(struct iommufd_reason_log *log,
			     struct seq_file *m)
{
	int i;

	spin_lock(&log->lock);
	for (i = 0; i < REASON_LOG_ENTRIES; i++) {
		struct reason_entry *e = &log->entries[i];

		if (e->seq)
			seq_printf(m, "refusal:\ttid=%d cmd=0x%x errno=%d seq=%llu %s\n",
				   e->tid, e->cmd, -e->err, e->seq, e->text);
	}
	spin_unlock(&log->lock);
}
EXPORT_SYMBOL_GPL(iommufd_reason_log_show);

/**
 * iommufd_reason_begin - open a scope at the start of a system call
 * @scope: uninitialized, on the stack
 * @log: the log of the file the call is made on
 * @cmd: the ioctl number, or 0
 *
 * Context: process context. Ended by iommufd_reason_end() in the same task, in
 * the reverse order where scopes nest.
 */
void iommufd_reason_begin(struct iommufd_reason_scope *scope,
			  struct iommufd_reason_log *log, unsigned int cmd)
{
	struct reason_bucket *bucket = reason_bucket(current);

	scope->outer = reason_innermost();
	scope->task = current;
	scope->log = log;
	scope->cmd = cmd;
	scope->text[0] = '\0';
	spin_lock(&bucket->lock);
	hlist_add_head(&scope->node, &bucket->scopes);
	spin_unlock(&bucket->lock);
}
EXPORT_SYMBOL_GPL(iommufd_reason_begin);

static struct reason_entry *reason_entry_for(struct iommufd_reason_log *log,
					     pid_t tid)
{
	struct reason_entry *oldest = &log->entries[0];
	int i;

	for (i = 0; i < REASON_LOG_ENTRIES; i++) {
		struct reason_entry *e = &log->entries[i];

		if (e->seq && e->tid == tid)
			return e;
		if (e->seq < oldest->seq)
			oldest = e;
	}
	return oldest;
}

/**
 * iommufd_reason_end - close a scope and keep its sentence if the call failed
 * @scope: from iommufd_reason_begin()
 * @ret: what the system call is about to return
 *
 * Return: @ret
 */
long iommufd_reason_end(struct iommufd_reason_scope *scope, long ret)
{
	struct reason_bucket *bucket = reason_bucket(current);
	struct iommufd_reason_log *log = scope->log;

	spin_lock(&bucket->lock);
	hlist_del(&scope->node);
	spin_unlock(&bucket->lock);

	if (ret < 0) {
		pid_t tid = task_pid_vnr(current);
		struct reason_entry *e;

		spin_lock(&log->lock);
		e = reason_entry_for(log, tid);
		e->seq = ++log->seq;
		e->tid = tid;
		e->cmd = scope->cmd;
		e->err = ret;
		strscpy(e->text, scope->text[0] ? scope->text :
			"(the kernel gave no reason for this error)");
		spin_unlock(&log->lock);
	}
	return ret;
}
EXPORT_SYMBOL_GPL(iommufd_reason_end);

/**
 * iommufd_refuse - explain an error that goes to user space
 * @err: negative errno
 * @fmt: a sentence for the user, without a newline; names the values and limits
 *	 that decided
 *
 * The sentence goes to every scope that the current task has open and to the
 * tracepoint iommufd:iommufd_refuse. A later call in the same scope replaces
 * it, so that the last word is the one that belongs to the returned errno.
 *
 * Context: process context; does not sleep.
 * Return: @err, so that a caller can write return iommufd_refuse(-EINVAL, ...)
 */
int iommufd_refuse(int err, const char *fmt, ...)
{
	struct iommufd_reason_scope *scope = reason_innermost();
	char *text, *c, local[IOMMUFD_REASON_MAX];
	va_list args;

	text = scope ? scope->text : local;
	va_start(args, fmt);
	vscnprintf(text, IOMMUFD_REASON_MAX, fmt, args);
	va_end(args);
	/* One line, whatever a name that the user gave has in it. */
	for (c = text; *c; c++)
		if (iscntrl(*c))
			*c = '?';

	trace_iommufd_refuse(err, scope ? scope->cmd : 0, text);
	for (; scope && scope->outer; scope = scope->outer)
		strscpy(scope->outer->text, text);
	return err;
}
EXPORT_SYMBOL_GPL(iommufd_refuse);

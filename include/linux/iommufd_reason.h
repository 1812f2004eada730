/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every errno that /dev/iommu or a VFIO device file gives to user space comes
 * with a sentence. The code that refuses calls iommufd_refuse() once, at the
 * place that knows why; the system call it runs under collects the sentence
 * in its scope and leaves it in the log of the file, where fdinfo shows it.
 */
#ifndef __LINUX_IOMMUFD_REASON_H
#define __LINUX_IOMMUFD_REASON_H

#include <linux/compiler.h>
#include <linux/sched.h>
#include <linux/types.h>

#define IOMMUFD_REASON_MAX 224

struct iommufd_ctx;
struct iommufd_reason_log;
struct seq_file;

/**
 * struct iommufd_reason_scope - where a running system call collects its reason
 * @node: links the scope into a table keyed by @task, under the bucket's lock
 * @outer: the scope of the same task that was open when this one began
 * @task: the task the scope belongs to; only this task reads or writes @text
 * @log: where iommufd_reason_end() leaves the sentence
 * @cmd: the ioctl number, or 0 for another system call
 * @text: the last sentence given to iommufd_refuse()
 *
 * It lives on the stack between iommufd_reason_begin() and
 * iommufd_reason_end(). Scopes nest: a VFIO ioctl that calls into iommufd has
 * one for each of the two files, and a refusal reaches both.
 */
struct iommufd_reason_scope {
	struct hlist_node node;
	struct iommufd_reason_scope *outer;
	struct task_struct *task;
	struct iommufd_reason_log *log;
	unsigned int cmd;
	char text[IOMMUFD_REASON_MAX];
};

struct iommufd_reason_log *iommufd_reason_log_alloc(void);
void iommufd_reason_log_free(struct iommufd_reason_log *log);
void iommufd_reason_log_show(struct iommufd_reason_log *log,
			     struct seq_file *m);
void iommufd_reason_begin(struct iommufd_reason_scope *scope,
			  struct iommufd_reason_log *log, unsigned int cmd);
long iommufd_reason_end(struct iommufd_reason_scope *scope, long ret);
struct iommufd_reason_log *iommufd_ctx_reasons(struct iommufd_ctx *ictx);
__printf(2, 3) int iommufd_refuse(int err, const char *fmt, ...);

#endif

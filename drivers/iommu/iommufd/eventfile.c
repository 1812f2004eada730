// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that events are read from.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/iommufd.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/seq_file.h>

#include "eventfile.h"
#include "ioctl.h"

static ssize_t do_read(struct file *file, char __user *buf, size_t count)
{
	struct iommufd_eventfile *ef = file->private_data;
	ssize_t rc;

	if (mutex_lock_killable(&ef->read_lock))
		return iommufd_refuse(-EINTR, "killed while another thread reads");
	rc = ef->ops->read(ef, buf, count);
	mutex_unlock(&ef->read_lock);
	if (!rc && (file->f_flags & O_NONBLOCK))
		return iommufd_refuse(-EAGAIN, "%s %u is empty",
				      ef->obj->type->name, ef->obj->id);
	return rc;
}

static ssize_t eventfile_read(struct file *file, char __user *buf, size_t count,
			      loff_t *ppos)
{
	struct iommufd_eventfile *ef = file->private_data;
	struct iommufd_reason_scope scope;

	iommufd_reason_begin(&scope, ef->log, 0);
	return iommufd_reason_end(&scope, do_read(file, buf, count));
}

static ssize_t eventfile_write(struct file *file, const char __user *buf,
			       size_t count, loff_t *ppos)
{
	struct iommufd_eventfile *ef = file->private_data;
	struct iommufd_reason_scope scope;

	iommufd_reason_begin(&scope, ef->log, 0);
	return iommufd_reason_end(&scope, ef->ops->write(ef, buf, count));
}

static __poll_t eventfile_poll(struct file *file, poll_table *wait)
{
	struct iommufd_eventfile *ef = file->private_data;
	__poll_t events = 0;

	poll_wait(file, &ef->wait, wait);
	if (ef->ops->write)
		events |= EPOLLOUT | EPOLLWRNORM;
	if (ef->ops->pending(ef))
		events |= EPOLLIN | EPOLLRDNORM;
	return events;
}

static void eventfile_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct iommufd_eventfile *ef = file->private_data;
	struct iommufd_object *obj = ef->obj;

	seq_printf(m, "object:\tid=%u type=%s", obj->id, obj->type->name);
	obj->type->show(obj, m);
	seq_putc(m, '\n');
	iommufd_reason_log_show(ef->log, m);
}

static int eventfile_release(struct inode *inode, struct file *file)
{
	struct iommufd_eventfile *ef = file->private_data;
	struct iommufd_object *obj;
	struct iommufd_ctx *ictx;

	/* It was never handed out, and the queue may be gone. */
	if (!ef)
		return 0;
	obj = ef->obj;
	ictx = obj->ictx;
	if (ef->ops->close)
		ef->ops->close(ef);
	iommufd_object_undepend(obj);
	iommufd_ctx_put(ictx);
	return 0;
}

static const struct file_operations eventfile_rd_fops = {
	.owner = THIS_MODULE,
	.read = eventfile_read,
	.poll = eventfile_poll,
	.show_fdinfo = eventfile_show_fdinfo,
	.release = eventfile_release,
};

static const struct file_operations eventfile_rw_fops = {
	.owner = THIS_MODULE,
	.read = eventfile_read,
	.write = eventfile_write,
	.poll = eventfile_poll,
	.show_fdinfo = eventfile_show_fdinfo,
	.release = eventfile_release,
};

/**
 * iommufd_eventfile_init - prepare the file's side of a new queue
 * @ef: zeroed memory
 * @obj: the queue
 * @ops: its kind
 *
 * Return: 0, or -ENOMEM, explained; then iommufd_eventfile_destroy() is harmless
 */
int iommufd_eventfile_init(struct iommufd_eventfile *ef,
			   struct iommufd_object *obj,
			   const struct iommufd_eventfile_ops *ops)
{
	ef->obj = obj;
	ef->ops = ops;
	init_waitqueue_head(&ef->wait);
	mutex_init(&ef->read_lock);
	ef->log = iommufd_reason_log_alloc();
	if (!ef->log)
		return iommufd_refuse(-ENOMEM, "no memory for a %s",
				      obj->type->name);
	return 0;
}

/**
 * iommufd_eventfile_destroy - undo iommufd_eventfile_init()
 * @ef: not open
 */
void iommufd_eventfile_destroy(struct iommufd_eventfile *ef)
{
	iommufd_reason_log_free(ef->log);
	mutex_destroy(&ef->read_lock);
}

static struct file *eventfile_open(struct iommufd_eventfile *ef)
{
	bool writes = ef->ops->write;
	struct file *file;

	file = anon_inode_getfile(ef->ops->name, writes ? &eventfile_rw_fops :
				  &eventfile_rd_fops, ef,
				  writes ? O_RDWR : O_RDONLY);
	if (IS_ERR(file)) {
		iommufd_refuse(PTR_ERR(file), "no memory for a file");
		return file;
	}
	/* There are no positions in it, so pread() and lseek() are refused. */
	stream_open(NULL, file);
	return file;
}

/**
 * iommufd_eventfile_deliver - tell the user about a new queue and its file
 * @ucmd: the command, with the object's id among its outputs
 * @ef: of a queue that is completely built and not published; the queue belongs
 *	to the user afterwards
 * @out_fd: where in the command the descriptor goes
 *
 * Return: 0 or an explained errno; then the queue is gone
 */
int iommufd_eventfile_deliver(struct iommufd_ucmd *ucmd,
			      struct iommufd_eventfile *ef, u32 *out_fd)
{
	struct iommufd_object *obj = ef->obj;
	struct file *file;
	int fd, rc;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		rc = iommufd_refuse(fd, "no file descriptor is free");
		goto err_object;
	}
	file = eventfile_open(ef);
	if (IS_ERR(file)) {
		rc = PTR_ERR(file);
		goto err_fd;
	}
	*out_fd = fd;
	rc = iommufd_ucmd_respond(ucmd);
	if (rc)
		goto err_file;
	obj->deps++;
	iommufd_ctx_get(obj->ictx);
	iommufd_object_publish(obj);
	fd_install(fd, file);
	return 0;

err_file:
	/* It is released later than the object. */
	file->private_data = NULL;
	fput(file);
err_fd:
	put_unused_fd(fd);
err_object:
	iommufd_object_abandon(obj);
	return rc;
}

/**
 * iommufd_eventfile_wake - wake who waits for events
 * @ef: something has been added
 *
 * Context: any.
 */
void iommufd_eventfile_wake(struct iommufd_eventfile *ef)
{
	wake_up_interruptible_poll(&ef->wait, EPOLLIN | EPOLLRDNORM);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/iommufd: what every open /dev/iommu holds, in full.
 */
#include <linux/debugfs.h>
#include <linux/iommu.h>
#include <linux/seq_file.h>

#include "debugfs.h"
#include "fault.h"
#include "hw.h"
#include "ioas.h"

static struct dentry *debugfs_root;
static atomic_t next_context = ATOMIC_INIT(0);

static bool is_ioas(const struct iommufd_object *obj, const void *arg)
{
	return obj->type == &iommufd_ioas_type;
}

static void show_ranges(struct seq_file *m, const char *what,
			struct rb_root_cached *root)
{
	struct interval_tree_node *node;

	for (node = interval_tree_iter_first(root, 0, ULONG_MAX); node;
	     node = interval_tree_iter_next(node, 0, ULONG_MAX))
		seq_printf(m, "  %s 0x%lx..0x%lx %s\n", what, node->start,
			   node->last,
			   container_of(node, struct iopt_range, node)->who);
}

static void show_windows(struct seq_file *m, const char *what,
			 const struct iommufd_window *windows, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		seq_printf(m, "  %s 0x%lx..0x%lx pgsizes=0x%lx\n", what,
			   windows[i].first, windows[i].last,
			   windows[i].pgsizes);
}

static const char *area_state_name(enum iopt_area_state state)
{
	switch (state) {
	case AREA_PENDING:
		return " being mapped";
	case AREA_DYING:
		return " being unmapped";
	default:
		return "";
	}
}

static void show_area(struct seq_file *m, const struct iopt_area *area)
{
	const struct iommufd_pages *pages = area->pages;

	seq_printf(m, "  area 0x%lx..0x%lx %c%c ", area->node.start,
		   area->node.last, area->prot & IOMMU_READ ? 'r' : '-',
		   area->prot & IOMMU_WRITE ? 'w' : '-');
	if (pages->dmabuf)
		seq_puts(m, "dma-buf");
	else if (pages->file)
		seq_printf(m, "file=0x%llx", pages->file_start + area->start);
	else
		seq_printf(m, "va=0x%lx", pages->uptr + area->start);
	seq_printf(m, " pinned=%lu of %lu pages, %d by kernel drivers%s%s\n",
		   READ_ONCE(pages->npinned), pages->npages,
		   atomic_read(&area->nr_pins),
		   atomic_read(&area->nr_queues) ? ", with a hardware queue" : "",
		   area_state_name(area->state));
}

static void show_ioas(struct seq_file *m, struct iommufd_ioas *ioas)
{
	struct io_pagetable *iopt = &ioas->iopt;
	struct interval_tree_node *node;
	struct iopt_domain *idom;

	down_read(&iopt->shape);
	down_read(&iopt->iova_lock);
	seq_printf(m, "ioas %u: %lu areas\n", ioas->obj.id, iopt->nr_areas);
	show_windows(m, "window", iopt->windows, iopt->nr_windows);
	list_for_each_entry(idom, &iopt->domains, link)
		show_windows(m, idom->drv->name, idom->windows, idom->nr_windows);
	show_ranges(m, "reserved", &iopt->reserved);
	show_ranges(m, "allowed", &iopt->allowed);
	for (node = interval_tree_iter_first(&iopt->areas, 0, ULONG_MAX); node;
	     node = interval_tree_iter_next(node, 0, ULONG_MAX))
		show_area(m, container_of(node, struct iopt_area, node));
	up_read(&iopt->iova_lock);
	up_read(&iopt->shape);
}

static bool is_fault(const struct iommufd_object *obj, const void *arg)
{
	return obj->type == &iommufd_fault_type;
}

static int context_show(struct seq_file *m, void *unused)
{
	struct iommufd_ctx *ictx = m->private;
	struct iommufd_object *obj;
	unsigned long index = 0;

	iommufd_object_show_all(ictx, m);
	while ((obj = iommufd_object_next(ictx, &index, is_ioas, NULL))) {
		show_ioas(m, to_ioas(obj));
		iommufd_object_put(obj);
	}
	index = 0;
	while ((obj = iommufd_object_next(ictx, &index, is_fault, NULL))) {
		iommufd_fault_show(m, obj);
		iommufd_object_put(obj);
	}
	iommufd_reason_log_show(ictx->log, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(context);

/**
 * iommufd_debugfs_add - show a new context
 * @ictx: the context; without debugfs nothing happens
 */
void iommufd_debugfs_add(struct iommufd_ctx *ictx)
{
	char name[32];

	snprintf(name, sizeof(name), "%d-%d", task_tgid_nr(current),
		 atomic_inc_return(&next_context));
	ictx->debugfs = debugfs_create_file(name, 0400, debugfs_root, ictx,
					    &context_fops);
}

/**
 * iommufd_debugfs_remove - no longer show a context
 * @ictx: the context. When this returns nobody is reading
 */
void iommufd_debugfs_remove(struct iommufd_ctx *ictx)
{
	debugfs_remove(ictx->debugfs);
}

void iommufd_debugfs_init(void)
{
	debugfs_root = debugfs_create_dir("iommufd", NULL);
}

void iommufd_debugfs_exit(void)
{
	debugfs_remove(debugfs_root);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Access objects: kernel drivers that read, write or pin what an IOAS maps.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "access.h"
#include "ioas.h"

/* What rw keeps pinned at once. */
#define RW_BATCH_PAGES 64

static struct iommufd_access *to_access(struct iommufd_object *obj)
{
	return container_of(obj, struct iommufd_access, obj);
}

static void access_destroy(struct iommufd_object *obj)
{
	struct iommufd_access *access = to_access(obj);

	WARN_ON(access->ioas);
	mutex_destroy(&access->pins_lock);
	mutex_destroy(&access->lock);
	mutex_destroy(&access->change_lock);
	kfree(access);
}

static void access_show(struct iommufd_object *obj, struct seq_file *m)
{
	struct iommufd_ioas *ioas = READ_ONCE(to_access(obj)->ioas);

	if (ioas)
		seq_printf(m, " attached=%u", ioas->obj.id);
}

static bool access_depends_on(const struct iommufd_object *obj,
			      const struct iommufd_object *other)
{
	const struct iommufd_access *access =
		container_of(obj, struct iommufd_access, obj);
	const struct iommufd_ioas *ioas = READ_ONCE(access->ioas);

	return ioas && &ioas->obj == other;
}

const struct iommufd_object_type iommufd_access_type = {
	.name = "access",
	.destroy = access_destroy,
	.show = access_show,
	.depends_on = access_depends_on,
};

/**
 * iommufd_access_create - let a kernel driver work on address spaces
 * @ictx: the context
 * @ops: the driver's callbacks, or NULL; valid as long as the access
 * @data: given to the callbacks
 * @id: receives the id of the access object
 *
 * Context: may sleep.
 * Return: the access, attached to nothing, or an ERR_PTR of -ENOMEM; explained
 */
struct iommufd_access *
iommufd_access_create(struct iommufd_ctx *ictx,
		      const struct iommufd_access_ops *ops, void *data, u32 *id)
{
	struct iommufd_access *access;
	int rc;

	access = kzalloc(sizeof(*access), GFP_KERNEL_ACCOUNT);
	if (!access)
		return ERR_PTR(iommufd_refuse(-ENOMEM, "no memory for an access"));
	access->ops = ops;
	access->data = data;
	access->pins = RB_ROOT_CACHED;
	mutex_init(&access->change_lock);
	mutex_init(&access->lock);
	mutex_init(&access->pins_lock);
	rc = iommufd_object_init(ictx, &access->obj, &iommufd_access_type);
	if (rc) {
		access_destroy(&access->obj);
		return ERR_PTR(rc);
	}
	iommufd_ctx_get(ictx);
	access->obj.deps = 1;
	*id = access->obj.id;
	iommufd_object_publish(&access->obj);
	return access;
}
EXPORT_SYMBOL_GPL(iommufd_access_create);

static struct access_pin *pin_find(struct iommufd_access *access,
				   unsigned long first, unsigned long last,
				   bool exact)
{
	struct interval_tree_node *node;

	for (node = interval_tree_iter_first(&access->pins, first, last); node;
	     node = interval_tree_iter_next(node, first, last)) {
		struct access_pin *pin =
			container_of(node, struct access_pin, node);

		/* A pin across areas was cut where the area ended. */
		if (!exact || (node->start == first &&
			       node->last == min(last, pin->area->node.last)))
			return pin;
	}
	return NULL;
}

/*
 * End one pin in a range, or exactly the one that begins it. All of it is done
 * under the lock: who finds no pin left may free the address space.
 */
static bool pin_end(struct iommufd_access *access, unsigned long first,
		    unsigned long last, bool exact, unsigned long *end)
{
	struct access_pin *pin;

	mutex_lock(&access->pins_lock);
	pin = pin_find(access, first, last, exact);
	if (pin) {
		*end = pin->node.last;
		interval_tree_remove(&pin->node, &access->pins);
		iommufd_pages_unpin(pin->area->pages, &pin->need);
		iopt_area_put_pin(pin->area);
		kfree(pin);
	}
	mutex_unlock(&access->pins_lock);
	return pin;
}

/**
 * iommufd_access_notify - ask a driver to let go of a range
 * @access: the access, attached
 * @iova: first address
 * @length: bytes
 *
 * Context: the driver's callback unpins what it has pinned there, or has it
 * unpinned soon.
 */
void iommufd_access_notify(struct iommufd_access *access, unsigned long iova,
			   unsigned long length)
{
	if (access->ops && access->ops->unmap)
		access->ops->unmap(access->data, iova, length);
}

/* Called under change_lock; @ioas is depended on by the caller, or NULL. */
static int access_move(struct iommufd_access *access, struct iommufd_ioas *ioas)
{
	struct iommufd_ioas *old = access->ioas;
	struct access_link *link = NULL;
	unsigned long end;
	int rc;

	lockdep_assert_held(&access->change_lock);
	if (ioas) {
		link = kzalloc(sizeof(*link), GFP_KERNEL_ACCOUNT);
		if (!link)
			return iommufd_refuse(-ENOMEM, "no memory for an access");
		link->access = access;
		rc = iopt_add_access(&ioas->iopt, link);
		if (rc) {
			kfree(link);
			return rc;
		}
	}
	if (old) {
		mutex_lock(&access->lock);
		WRITE_ONCE(access->ioas, NULL);
		mutex_unlock(&access->lock);
		iommufd_access_notify(access, 0, ULONG_MAX);
		/* What a driver forgets must not outlive the attachment. */
		while (pin_end(access, 0, ULONG_MAX, false, &end))
			;
		iopt_remove_access(&old->iopt, access->link);
		kfree(access->link);
		iommufd_object_undepend(&old->obj);
	}
	access->link = link;
	mutex_lock(&access->lock);
	WRITE_ONCE(access->ioas, ioas);
	mutex_unlock(&access->lock);
	return 0;
}

static int access_attach(struct iommufd_access *access, u32 ioas_id, bool replace)
{
	struct iommufd_ioas *ioas;
	int rc;

	mutex_lock(&access->change_lock);
	if (!replace && access->ioas) {
		rc = iommufd_refuse(-EINVAL, "access %u is attached to ioas %u",
				    access->obj.id, access->ioas->obj.id);
		goto out;
	}
	if (replace && !access->ioas) {
		rc = iommufd_refuse(-ENOENT, "access %u is not attached",
				    access->obj.id);
		goto out;
	}
	ioas = iommufd_ioas_get(access->obj.ictx, ioas_id);
	if (IS_ERR(ioas)) {
		rc = PTR_ERR(ioas);
		goto out;
	}
	rc = iommufd_object_depend(&ioas->obj);
	iommufd_object_put(&ioas->obj);
	if (rc)
		goto out;
	if (access->ioas == ioas) {
		iommufd_object_undepend(&ioas->obj);
		goto out;
	}
	rc = access_move(access, ioas);
	if (rc)
		iommufd_object_undepend(&ioas->obj);
out:
	mutex_unlock(&access->change_lock);
	return rc;
}

/**
 * iommufd_access_attach - let an access work on an address space
 * @access: attached to nothing
 * @ioas_id: an IOAS
 *
 * Context: may sleep; not from the unmap callback.
 * Return: 0 or an explained errno: -EINVAL attached already, -ENOENT no such
 *	   IOAS, -EADDRINUSE something is mapped that cannot be pinned by pages
 */
int iommufd_access_attach(struct iommufd_access *access, u32 ioas_id)
{
	return access_attach(access, ioas_id, false);
}
EXPORT_SYMBOL_GPL(iommufd_access_attach);

/**
 * iommufd_access_replace - move an access to another address space
 * @access: attached
 * @ioas_id: an IOAS
 *
 * The unmap callback is called for everything first.
 *
 * Context: may sleep; not from the unmap callback.
 * Return: as iommufd_access_attach(); -ENOENT also if it is not attached
 */
int iommufd_access_replace(struct iommufd_access *access, u32 ioas_id)
{
	return access_attach(access, ioas_id, true);
}
EXPORT_SYMBOL_GPL(iommufd_access_replace);

/**
 * iommufd_access_detach - take an access from its address space
 * @access: the access; nothing happens if it is attached to nothing
 *
 * Context: may sleep; not from the unmap callback, which is called for
 * everything first.
 */
void iommufd_access_detach(struct iommufd_access *access)
{
	mutex_lock(&access->change_lock);
	if (access->ioas)
		access_move(access, NULL);
	mutex_unlock(&access->change_lock);
}
EXPORT_SYMBOL_GPL(iommufd_access_detach);

/**
 * iommufd_access_destroy - end an access
 * @access: from iommufd_access_create(); detached first if need be
 *
 * Context: may sleep; not from the unmap callback.
 */
void iommufd_access_destroy(struct iommufd_access *access)
{
	struct iommufd_ctx *ictx = access->obj.ictx;

	iommufd_access_detach(access);
	iommufd_object_retire(&access->obj);
	iommufd_ctx_put(ictx);
}
EXPORT_SYMBOL_GPL(iommufd_access_destroy);

/*
 * Check a range and lock the address space that it is in. Its areas stay live
 * until access_leave().
 */
static struct io_pagetable *access_enter(struct iommufd_access *access,
					 unsigned long iova,
					 unsigned long length,
					 unsigned long *last)
{
	struct io_pagetable *iopt;

	if (!length)
		return ERR_PTR(iommufd_refuse(-EINVAL, "an access of length 0"));
	if (check_add_overflow(iova, length - 1, last))
		return ERR_PTR(iommufd_refuse(-EOVERFLOW,
					      "iova 0x%lx + length 0x%lx wraps",
					      iova, length));
	mutex_lock(&access->lock);
	if (!access->ioas) {
		mutex_unlock(&access->lock);
		return ERR_PTR(iommufd_refuse(-ENOENT,
					      "access %u is not attached",
					      access->obj.id));
	}
	iopt = &access->ioas->iopt;
	down_read(&iopt->iova_lock);
	return iopt;
}

static void access_leave(struct iommufd_access *access,
			 struct io_pagetable *iopt)
{
	up_read(&iopt->iova_lock);
	mutex_unlock(&access->lock);
}

/* The live area at @iova that may be used this way. Under the iova_lock. */
static struct iopt_area *usable_area(struct io_pagetable *iopt,
				     unsigned long iova, bool write)
{
	struct iopt_area *area = iopt_area_at(iopt, iova, iova);
	int want = write ? IOMMU_WRITE : IOMMU_READ;

	if (!area || area->state != AREA_LIVE)
		return ERR_PTR(iommufd_refuse(-ENOENT, "nothing is mapped at 0x%lx",
					      iova));
	if (!(area->prot & want))
		return ERR_PTR(iommufd_refuse(-EPERM, "0x%lx is not mapped %s", iova,
					      write ? "writeable" : "readable"));
	return area;
}

/* Byte of the area's memory behind @iova, from its first page on. */
static unsigned long area_byte(struct iopt_area *area, unsigned long iova)
{
	return area->start + (iova - area->node.start);
}

static int pin_piece(struct iommufd_access *access, struct iopt_area *area,
		     unsigned long first, unsigned long last,
		     struct page **out_pages)
{
	unsigned long index = area_byte(area, first) / PAGE_SIZE;
	unsigned long last_index = area_byte(area, last) / PAGE_SIZE;
	struct access_pin *pin;
	int rc;

	pin = kzalloc(sizeof(*pin), GFP_KERNEL_ACCOUNT);
	if (!pin)
		return iommufd_refuse(-ENOMEM, "no memory to remember a pin");
	rc = iommufd_pages_pin(area->pages, &pin->need, index, last_index);
	if (rc) {
		kfree(pin);
		return rc;
	}
	iommufd_pages_fill(area->pages, index, last_index, out_pages);
	pin->area = area;
	pin->node.start = first;
	pin->node.last = last;
	iopt_area_get_pin(area);
	mutex_lock(&access->pins_lock);
	interval_tree_insert(&pin->node, &access->pins);
	mutex_unlock(&access->pins_lock);
	return 0;
}

static void unpin_range(struct iommufd_access *access, unsigned long first,
			unsigned long last)
{
	unsigned long end;

	do {
		if (WARN_ON(!pin_end(access, first, last, true, &end)))
			return;
		first = end + 1;
	} while (end != last);
}

static int pin_range(struct iommufd_access *access, struct io_pagetable *iopt,
		     unsigned long first, unsigned long last,
		     struct page **out_pages, bool write)
{
	unsigned long pos = first;

	for (;;) {
		struct iopt_area *area = usable_area(iopt, pos, write);
		unsigned long end, begin_byte, end_byte;
		int rc;

		if (IS_ERR(area)) {
			rc = PTR_ERR(area);
			goto undo;
		}
		end = min(last, area->node.last);
		begin_byte = area_byte(area, pos);
		end_byte = area_byte(area, end) + 1;
		/* Within the range pages have to follow each other whole. */
		if ((pos != first && offset_in_page(begin_byte)) ||
		    (end != last && offset_in_page(end_byte)))
			rc = iommufd_refuse(-EINVAL,
					    "the mappings meet within a page at 0x%lx",
					    pos);
		else
			rc = pin_piece(access, area, pos, end, out_pages);
		if (rc)
			goto undo;
		out_pages += (end_byte - 1) / PAGE_SIZE - begin_byte / PAGE_SIZE + 1;
		if (end == last)
			return 0;
		pos = end + 1;
		continue;
undo:
		if (pos != first)
			unpin_range(access, first, pos - 1);
		return rc;
	}
}

/**
 * iommufd_access_pin_pages - pin what is mapped
 * @access: attached, made with needs_pin_pages
 * @iova: first address
 * @length: bytes; all of it is mapped, by any number of areas
 * @out_pages: receives each page that the range touches
 * @flags: IOMMUFD_ACCESS_RW_WRITE if the pages will be written to
 *
 * Ends with iommufd_access_unpin_pages() of the same range, at the latest in the
 * unmap callback, which may be called before this function has returned.
 *
 * Context: may sleep.
 * Return: 0 or an explained errno: -ENOENT not mapped throughout or not attached,
 *	   -EPERM not for this direction, -EINVAL, -EOVERFLOW, or as pinning fails
 */
int iommufd_access_pin_pages(struct iommufd_access *access, unsigned long iova,
			     unsigned long length, struct page **out_pages,
			     unsigned int flags)
{
	struct io_pagetable *iopt;
	unsigned long last;
	int rc;

	if (WARN_ON(iommufd_access_alignment(access) != PAGE_SIZE))
		return -EINVAL;
	iopt = access_enter(access, iova, length, &last);
	if (IS_ERR(iopt))
		return PTR_ERR(iopt);
	rc = pin_range(access, iopt, iova, last, out_pages,
		       flags & IOMMUFD_ACCESS_RW_WRITE);
	access_leave(access, iopt);
	return rc;
}
EXPORT_SYMBOL_GPL(iommufd_access_pin_pages);

/**
 * iommufd_access_unpin_pages - let go of what was pinned
 * @access: the access
 * @iova: as given to iommufd_access_pin_pages()
 * @length: as given there
 *
 * Context: may sleep; also from the unmap callback.
 */
void iommufd_access_unpin_pages(struct iommufd_access *access,
				unsigned long iova, unsigned long length)
{
	unsigned long last;

	if (WARN_ON(!length || check_add_overflow(iova, length - 1, &last)))
		return;
	unpin_range(access, iova, last);
}
EXPORT_SYMBOL_GPL(iommufd_access_unpin_pages);

/* Copy between @data and pinned memory, from byte @start of @pages on. */
static void copy_pinned(struct iommufd_pages *pages, unsigned long start,
			void *data, size_t len, bool write)
{
	struct frame_reader r;
	unsigned long pfn;

	mutex_lock(&pages->lock);
	frame_reader_init(&r, &pages->frames, start / PAGE_SIZE);
	while (len) {
		size_t offset = offset_in_page(start);
		size_t n = min(len, PAGE_SIZE - offset);
		struct page *page;

		if (WARN_ON(!frame_reader_next(&r, r.index, &pfn)))
			break;
		page = pfn_to_page(pfn);
		if (write)
			memcpy_to_page(page, offset, data, n);
		else
			memcpy_from_page(data, page, offset, n);
		data += n;
		start += n;
		len -= n;
	}
	mutex_unlock(&pages->lock);
}

static int rw_piece(struct iopt_area *area, unsigned long iova, void *data,
		    size_t len, bool write)
{
	while (len) {
		unsigned long start = area_byte(area, iova);
		size_t n = min(len, RW_BATCH_PAGES * PAGE_SIZE -
			       offset_in_page(start));
		struct pages_need need;
		int rc;

		rc = iommufd_pages_pin(area->pages, &need, start / PAGE_SIZE,
				       (start + n - 1) / PAGE_SIZE);
		if (rc)
			return rc;
		copy_pinned(area->pages, start, data, n, write);
		iommufd_pages_unpin(area->pages, &need);
		iova += n;
		data += n;
		len -= n;
	}
	return 0;
}

static int rw_range(struct io_pagetable *iopt, unsigned long first,
		    unsigned long last, void *data, bool write)
{
	for (;;) {
		struct iopt_area *area = usable_area(iopt, first, write);
		unsigned long end;
		int rc;

		if (IS_ERR(area))
			return PTR_ERR(area);
		end = min(last, area->node.last);
		rc = rw_piece(area, first, data, end - first + 1, write);
		if (rc || end == last)
			return rc;
		data += end - first + 1;
		first = end + 1;
	}
}

/**
 * iommufd_access_rw - read or write what is mapped
 * @access: attached
 * @iova: first address
 * @data: kernel memory
 * @len: bytes; all of it is mapped, by any number of areas
 * @flags: IOMMUFD_ACCESS_RW_WRITE to write to the mapping, otherwise from it.
 *	   IOMMUFD_ACCESS_RW_KTHREAD is allowed and makes no difference here
 *
 * Context: may sleep; any process or kernel thread.
 * Return: 0 or an explained errno: -ENOENT not mapped throughout or not attached,
 *	   -EPERM not for this direction, -EINVAL, -EOVERFLOW, or as pinning
 *	   fails. Some of the data may have been copied then
 */
int iommufd_access_rw(struct iommufd_access *access, unsigned long iova,
		      void *data, size_t len, unsigned int flags)
{
	struct io_pagetable *iopt;
	unsigned long last;
	int rc;

	iopt = access_enter(access, iova, len, &last);
	if (IS_ERR(iopt))
		return PTR_ERR(iopt);
	rc = rw_range(iopt, iova, last, data, flags & IOMMUFD_ACCESS_RW_WRITE);
	access_leave(access, iopt);
	return rc;
}
EXPORT_SYMBOL_GPL(iommufd_access_rw);

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Windows of IOVA that users look at before a device is attached, and ask for.
 */
#include <linux/iommu.h>
#include <linux/log2.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "device.h"
#include "ext.h"
#include "hole.h"
#include "ioas.h"
#include "ioctl.h"

/**
 * struct windows_taken - addresses that no (further) window can have
 * @root: all of @nodes that are in use
 * @nodes: first those that the device's group reserves, then windows that were
 *	   granted
 * @nr_reserved: how many of the former
 * @nr: used entries of @nodes
 *
 * On the stack of who makes it; nobody else sees it.
 */
struct windows_taken {
	struct rb_root_cached root;
	struct interval_tree_node *nodes;
	unsigned int nr_reserved;
	unsigned int nr;
};

static void taken_add(struct windows_taken *taken, unsigned long first,
		      unsigned long last)
{
	struct interval_tree_node *node = &taken->nodes[taken->nr++];

	node->start = first;
	node->last = last;
	interval_tree_insert(node, &taken->root);
}

/*
 * Whether attaching a device keeps a region from being mapped. With hardware that
 * recognizes interrupts by their address none need be translated.
 */
static bool takes_addresses(const struct iommu_resv_region *region, bool hw_msi)
{
	switch (region->type) {
	case IOMMU_RESV_DIRECT_RELAXABLE:
		return false;
	case IOMMU_RESV_SW_MSI:
		return !hw_msi && region->length;
	default:
		return region->length;
	}
}

/*
 * What attaching @idev would reserve, and room for windows. On success @nodes has
 * to be freed.
 */
static int taken_init(struct windows_taken *taken, struct iommufd_device *idev)
{
	struct iommu_resv_region *region;
	LIST_HEAD(regions);
	bool hw_msi = false;
	unsigned int nr = 0;
	int rc;

	*taken = (struct windows_taken){ .root = RB_ROOT_CACHED };
	rc = iommu_get_group_resv_regions(idev->igroup->group, &regions);
	if (rc) {
		iommufd_refuse(rc, "the reserved regions of %s cannot be read",
			       dev_name(idev->dev));
		goto out;
	}
	list_for_each_entry(region, &regions, list) {
		nr++;
		hw_msi |= region->type == IOMMU_RESV_MSI;
	}
	taken->nodes = kcalloc(nr + IOMMUFD_MAX_WINDOWS, sizeof(*taken->nodes),
			       GFP_KERNEL_ACCOUNT);
	if (!taken->nodes) {
		rc = iommufd_refuse(-ENOMEM, "no memory for %u reserved regions",
				    nr);
		goto out;
	}
	list_for_each_entry(region, &regions, list)
		if (takes_addresses(region, hw_msi))
			taken_add(taken, region->start,
				  region->start + region->length - 1);
	taken->nr_reserved = taken->nr;
out:
	iommu_put_resv_regions(idev->dev, &regions);
	return rc;
}

/* What a page table translates that nobody asked anything of. */
static int default_windows(struct iommufd_device *idev,
			   struct iommufd_device_windows *out)
{
	struct iommu_domain *domain;

	if (idev->drv->device_windows)
		return idev->drv->device_windows(idev->dev, out);
	domain = idev->drv->alloc_paging(idev->dev, 0, NULL);
	if (IS_ERR(domain))
		return PTR_ERR(domain);
	out->nr_defaults = idev->drv->windows(domain, out->defaults);
	iommu_domain_free(domain);
	out->max_windows = IOMMUFD_MAX_WINDOWS;
	return 0;
}

/* Each window less what is taken; as many ranges as there are pieces. */
static unsigned int list_usable(const struct iommufd_device_windows *windows,
				struct windows_taken *taken,
				struct iommu_ext_range *out)
{
	unsigned int i, nr = 0;

	for (i = 0; i < windows->nr_defaults; i++) {
		const struct iommufd_window *window = &windows->defaults[i];
		unsigned long first = window->first, last = window->last;

		while (next_hole(&taken->root, &first, &last)) {
			out[nr++] = (struct iommu_ext_range){
				.first = first,
				.last = last,
				.pgsizes = window->pgsizes,
			};
			if (last == window->last)
				break;
			first = last + 1;
			last = window->last;
		}
	}
	return nr;
}

/**
 * windows_hw_info - answer GET_HW_INFO about the addresses a device can use
 * @idev: a bound device
 * @out: receives length and data
 *
 * Context: may sleep.
 * Return: 0 or an explained errno
 */
int windows_hw_info(struct iommufd_device *idev, struct iommufd_hw_data *out)
{
	struct iommu_ext_hw_info_windows *info = NULL;
	struct iommufd_device_windows *windows;
	struct windows_taken taken;
	size_t room;
	int rc;

	windows = kzalloc(sizeof(*windows), GFP_KERNEL_ACCOUNT);
	if (!windows)
		return iommufd_refuse(-ENOMEM, "no memory to list windows");
	rc = taken_init(&taken, idev);
	if (rc)
		goto out_windows;
	rc = default_windows(idev, windows);
	if (rc)
		goto out;
	/* Each reserved range cuts one piece off at most. */
	room = 2 * (windows->nr_defaults + taken.nr) + windows->nr_places;
	info = kzalloc(struct_size(info, ranges, room), GFP_KERNEL_ACCOUNT);
	if (!info) {
		rc = iommufd_refuse(-ENOMEM, "no memory to list %zu ranges", room);
		goto out;
	}
	info->range_size = sizeof(info->ranges[0]);
	info->max_windows = windows->max_windows;
	info->nr_usable = list_usable(windows, &taken, info->ranges);
	if (idev->drv->alloc_windows) {
		info->nr_places = windows->nr_places;
		memcpy(&info->ranges[info->nr_usable], windows->places,
		       flex_array_size(info, ranges, info->nr_places));
	} else {
		info->nr_places = info->nr_usable;
		memcpy(&info->ranges[info->nr_usable], info->ranges,
		       flex_array_size(info, ranges, info->nr_usable));
	}
	out->len = struct_size(info, ranges, info->nr_usable + info->nr_places);
	out->data = info;
out:
	kfree(taken.nodes);
out_windows:
	kfree(windows);
	return rc;
}

/**
 * struct windows_request - what a user asks for, and gets
 * @uptr: the user's array
 * @stride: bytes from one entry to the next
 * @nr: used entries of @windows
 * @made: the driver made just these and has filled them in
 * @pgsizes: the page size of each as it was asked for
 * @windows: the user's, checked for sense; what was granted in the end
 *
 * Lives within one HWPT_ALLOC.
 */
struct windows_request {
	void __user *uptr;
	size_t stride;
	unsigned int nr;
	bool made;
	u64 pgsizes[IOMMUFD_MAX_WINDOWS];
	struct iommu_ext_window windows[IOMMUFD_MAX_WINDOWS];
};

static u64 window_last(const struct iommu_ext_window *window)
{
	return window->iova + window->length - 1;
}

static int check_window(unsigned int i, struct iommu_ext_window *window)
{
	u64 pgsize = window->pgsize, last;
	int rc;

	rc = iommufd_check_flags(window->flags, IOMMU_EXT_WINDOW_ANYWHERE);
	if (rc)
		return rc;
	if (window->flags & IOMMU_EXT_WINDOW_ANYWHERE)
		window->iova = 0;
	if (!window->length)
		return iommufd_refuse(-EINVAL, "window %u has the length 0", i);
	if (check_add_overflow(window->iova, window->length - 1, &last))
		return iommufd_refuse(-EOVERFLOW,
				      "window %u: iova 0x%llx + length 0x%llx wraps",
				      i, window->iova, window->length);
	if (pgsize && !is_power_of_2(pgsize))
		return iommufd_refuse(-EINVAL,
				      "window %u: the page size 0x%llx is no power of two",
				      i, pgsize);
	if (pgsize && (window->iova | window->length) & (pgsize - 1))
		return iommufd_refuse(-EINVAL,
				      "window %u: iova 0x%llx and length 0x%llx are not multiples of the page size 0x%llx",
				      i, window->iova, window->length, pgsize);
	return 0;
}

static int check_overlap(const struct windows_request *request, unsigned int i)
{
	const struct iommu_ext_window *a = &request->windows[i], *b;
	unsigned int j;

	if (a->flags & IOMMU_EXT_WINDOW_ANYWHERE)
		return 0;
	for (j = 0; j < i; j++) {
		b = &request->windows[j];
		if (!(b->flags & IOMMU_EXT_WINDOW_ANYWHERE) &&
		    a->iova <= window_last(b) && b->iova <= window_last(a))
			return iommufd_refuse(-EINVAL,
					      "window %u, 0x%llx..0x%llx, overlaps window %u, 0x%llx..0x%llx",
					      i, a->iova, window_last(a), j,
					      b->iova, window_last(b));
	}
	return 0;
}

static int check_head(const struct iommu_ext_hwpt_windows *head, size_t len)
{
	int rc;

	rc = iommufd_check_flags(head->flags, 0);
	if (!rc)
		rc = iommufd_check_reserved(head->__reserved, "__reserved");
	if (rc)
		return rc;
	if (head->window_size < sizeof(head->windows[0]) ||
	    head->window_size > PAGE_SIZE)
		return iommufd_refuse(-EINVAL, "window_size is %u, a window has %zu bytes",
				      head->window_size,
				      sizeof(head->windows[0]));
	if (!head->nr_windows)
		return iommufd_refuse(-EINVAL, "no window is asked for");
	if (head->nr_windows > IOMMUFD_MAX_WINDOWS)
		return iommufd_refuse(-ENOSPC, "window %u: there can be %u windows at most",
				      IOMMUFD_MAX_WINDOWS, IOMMUFD_MAX_WINDOWS);
	if (len != sizeof(*head) + (size_t)head->nr_windows * head->window_size)
		return iommufd_refuse(-EINVAL,
				      "data_len is %zu, %u windows of %u bytes after a head of %zu are something else",
				      len, head->nr_windows, head->window_size,
				      sizeof(*head));
	return 0;
}

static int read_windows(struct windows_request *request)
{
	unsigned int i;
	int rc;

	for (i = 0; i < request->nr; i++) {
		struct iommu_ext_window *window = &request->windows[i];

		rc = copy_struct_from_user(window, sizeof(*window),
					   request->uptr + i * request->stride,
					   request->stride);
		if (rc == -E2BIG)
			return iommufd_refuse(rc, "window %u has %zu bytes, and beyond the %zu known here something is not 0",
					      i, request->stride, sizeof(*window));
		if (rc)
			return iommufd_refuse(rc, "window %u cannot be read", i);
		rc = check_window(i, window);
		if (!rc)
			rc = check_overlap(request, i);
		if (rc)
			return rc;
		request->pgsizes[i] = window->pgsize;
	}
	return 0;
}

/**
 * windows_request_read - read what a user asks for
 * @data: of type IOMMU_EXT_HWPT_DATA_WINDOWS
 *
 * Return: the request, to be kfree()d, or an ERR_PTR; explained
 */
struct windows_request *windows_request_read(const struct iommu_user_data *data)
{
	struct iommu_ext_hwpt_windows head;
	struct windows_request *request;
	int rc;

	if (data->len < sizeof(head))
		return ERR_PTR(iommufd_refuse(-EINVAL,
					      "data_len is %zu, windows are at least %zu bytes",
					      data->len, sizeof(head)));
	if (copy_from_user(&head, data->uptr, sizeof(head)))
		return ERR_PTR(iommufd_refuse(-EFAULT,
					      "the windows cannot be read"));
	rc = check_head(&head, data->len);
	if (rc)
		return ERR_PTR(rc);
	request = kzalloc(sizeof(*request), GFP_KERNEL_ACCOUNT);
	if (!request)
		return ERR_PTR(iommufd_refuse(-ENOMEM, "no memory for %u windows",
					      head.nr_windows));
	request->uptr = data->uptr + sizeof(head);
	request->stride = head.window_size;
	request->nr = head.nr_windows;
	rc = read_windows(request);
	if (rc) {
		kfree(request);
		return ERR_PTR(rc);
	}
	return request;
}

/**
 * windows_request_alloc - make a domain that may grant a request
 * @request: from windows_request_read()
 * @idev: a device behind the IOMMU the domain is for
 * @flags: enum iommufd_hwpt_alloc_flags
 *
 * Context: may sleep.
 * Return: the domain, or an ERR_PTR; explained
 */
struct iommu_domain *windows_request_alloc(struct windows_request *request,
					   struct iommufd_device *idev,
					   u32 flags)
{
	if (!idev->drv->alloc_windows)
		return idev->drv->alloc_paging(idev->dev, flags, NULL);
	request->made = true;
	return idev->drv->alloc_windows(idev->dev, flags, request->windows,
					request->nr);
}

/* Why the addresses from @first on cannot be a window, if something is there. */
static int check_taken(const struct io_pagetable *iopt,
		       struct windows_taken *taken, unsigned int i,
		       unsigned long first, unsigned long last)
{
	struct rb_root_cached *reserved = (struct rb_root_cached *)&iopt->reserved;
	struct interval_tree_node *node;

	node = interval_tree_iter_first(reserved, first, last);
	if (node)
		return iommufd_refuse(-ENOSPC,
				      "window %u, 0x%lx..0x%lx, crosses 0x%lx..0x%lx, reserved for %s",
				      i, first, last, node->start, node->last,
				      container_of(node, struct iopt_range, node)->who);
	node = interval_tree_iter_first(&taken->root, first, last);
	if (node)
		return iommufd_refuse(-ENOSPC,
				      "window %u, 0x%lx..0x%lx, crosses 0x%lx..0x%lx, %s",
				      i, first, last, node->start, node->last,
				      node - taken->nodes < taken->nr_reserved ?
				      "which the device's group reserves" :
				      "another window after rounding to pages");
	return 0;
}

static int refuse_pgsize(unsigned int i, u64 asked, unsigned long align)
{
	return iommufd_refuse(-ENOSPC,
			      "window %u: pages of 0x%llx cannot be had, the smallest there has 0x%lx",
			      i, asked, align);
}

/* Grant a window that has an address; the shape of @iopt is held. */
static int grant_at(struct windows_request *request, unsigned int i,
		    const struct io_pagetable *iopt, struct windows_taken *taken)
{
	struct iommu_ext_window *window = &request->windows[i];
	const struct iommufd_window *in;
	u64 length = window->length, last;
	unsigned long align;
	int rc;

	in = iopt_window_of(iopt, window->iova, window->iova);
	if (!in || window_last(window) > in->last)
		return iommufd_refuse(-ENOSPC,
				      "window %u, 0x%llx..0x%llx, %s 0x%lx..0x%lx, which is translated in one piece",
				      i, window->iova, window_last(window),
				      in ? "ends beyond" : "does not begin in",
				      in ? in->first : iopt->windows[0].first,
				      in ? in->last : iopt->windows[0].last);
	align = iopt_window_alignment(iopt, in);
	if (request->pgsizes[i] && align > request->pgsizes[i])
		return refuse_pgsize(i, request->pgsizes[i], align);
	if (window->iova & (align - 1))
		return iommufd_refuse(-ENOSPC,
				      "window %u: iova 0x%llx is no multiple of the page size 0x%lx",
				      i, window->iova, align);
	/* All 64 bits of addresses have no length that is a multiple. */
	length = ALIGN(length, align) ?: length;
	last = window->iova + length - 1;
	if (last > in->last)
		return iommufd_refuse(-ENOSPC,
				      "window %u: length 0x%llx, as a multiple of the page size 0x%lx, ends beyond 0x%lx",
				      i, window->length, align, in->last);
	rc = check_taken(iopt, taken, i, window->iova, last);
	if (rc)
		return rc;
	taken_add(taken, window->iova, last);
	window->length = length;
	window->pgsize = align;
	return 0;
}

static bool fit_between(struct windows_taken *taken, unsigned long first,
			unsigned long last, u64 length, u64 align, u64 *iova)
{
	unsigned long from = first, to = last;

	while (next_hole(&taken->root, &from, &to)) {
		u64 at = ALIGN(from, align);

		if (at >= from && at <= to && to - at >= length - 1) {
			*iova = at;
			return true;
		}
		if (to == last)
			return false;
		from = to + 1;
		to = last;
	}
	return false;
}

/*
 * The lowest place for a window, with addresses as round as its length is if
 * @natural. @longest is as long as what came closest.
 */
static bool fit_window(const struct io_pagetable *iopt,
		       struct windows_taken *taken,
		       struct iommu_ext_window *window, unsigned long from,
		       bool natural, u64 *longest)
{
	unsigned long last;

	while (iopt_next_usable(iopt, &from, &last)) {
		u64 align = iopt_window_alignment(iopt,
				iopt_window_of(iopt, from, last));
		u64 length = ALIGN(window->length, align), round = align;

		if (!window->pgsize || align <= window->pgsize) {
			*longest = max(*longest, last - from);
			if (window->pgsize)
				round = window->pgsize;
			if (natural)
				round = max(round, length & -length);
			/* Rounding up may have come to 0. */
			if (length && fit_between(taken, from, last, length,
						  round, &window->iova)) {
				window->length = length;
				window->pgsize = align;
				taken_add(taken, window->iova,
					  window_last(window));
				return true;
			}
		}
		if (last == ULONG_MAX)
			return false;
		from = last + 1;
	}
	return false;
}

/* Grant a window that can be anywhere; the shape of @iopt is held. */
static int grant_anywhere(struct windows_request *request, unsigned int i,
			  const struct io_pagetable *iopt,
			  struct windows_taken *taken)
{
	struct iommu_ext_window *window = &request->windows[i];
	u64 longest = 0;

	/* As for maps: address 0 is given out last. */
	if (fit_window(iopt, taken, window, 1, true, &longest) ||
	    fit_window(iopt, taken, window, 1, false, &longest) ||
	    fit_window(iopt, taken, window, 0, false, &longest))
		return 0;
	if (!longest)
		return refuse_pgsize(i, window->pgsize, iopt_alignment(iopt));
	return iommufd_refuse(-ENOSPC,
			      "window %u: no 0x%llx bytes are free in one piece, the longest usable range has 0x%llx before other windows",
			      i, window->length, longest + 1);
}

static int grant_all(struct windows_request *request, struct io_pagetable *iopt,
		     struct windows_taken *taken)
{
	bool anywhere;
	unsigned int i;
	int rc;

	for (i = 0; i < request->nr; i++) {
		anywhere = request->windows[i].flags & IOMMU_EXT_WINDOW_ANYWHERE;
		if (anywhere && !request->made)
			continue;
		rc = grant_at(request, i, iopt, taken);
		if (rc)
			return rc;
	}
	for (i = 0; i < request->nr && !request->made; i++) {
		if (!(request->windows[i].flags & IOMMU_EXT_WINDOW_ANYWHERE))
			continue;
		rc = grant_anywhere(request, i, iopt, taken);
		if (rc)
			return rc;
	}
	return 0;
}

/**
 * windows_request_answer - grant or refuse a request, and tell the user
 * @request: the domain of windows_request_alloc() is one of @ioas by now
 * @ioas: the address space
 * @idev: the device that the request is made for, attached or not
 *
 * Context: may sleep; takes the shape lock of the address space.
 * Return: 0, -ENOSPC if a window cannot be had, -EFAULT, -ENOMEM; explained
 */
int windows_request_answer(struct windows_request *request,
			   struct iommufd_ioas *ioas,
			   struct iommufd_device *idev)
{
	struct windows_taken taken;
	unsigned int i;
	int rc;

	rc = taken_init(&taken, idev);
	if (rc)
		return rc;
	down_read(&ioas->iopt.shape);
	rc = grant_all(request, &ioas->iopt, &taken);
	up_read(&ioas->iopt.shape);
	kfree(taken.nodes);
	if (rc)
		return rc;
	for (i = 0; i < request->nr; i++) {
		struct iommu_ext_window *window = &request->windows[i];

		if (!request->made)
			window->levels = 0;
		if (copy_to_user(request->uptr + i * request->stride, window,
				 sizeof(*window)))
			return iommufd_refuse(-EFAULT,
					      "window %u cannot be written to", i);
	}
	return 0;
}

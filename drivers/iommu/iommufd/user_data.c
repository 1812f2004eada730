// SPDX-License-Identifier: GPL-2.0-only
/*
 * What users say to the driver of an IOMMU through a command: how long it may
 * be, so that old and new user space and drivers get along.
 */
#include <linux/export.h>
#include <linux/iommufd_driver.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

static int refuse_length(size_t len, size_t min_size, size_t size)
{
	return iommufd_refuse(-EINVAL,
			      "%zu bytes of data for the IOMMU driver, it takes %zu to %zu",
			      len, min_size, size);
}

/**
 * __iommufd_read_data - copy the data of a page table or vIOMMU in
 * @to: receives it, zero beyond what the user has
 * @size: bytes at @to
 * @min_size: bytes that the first version of the structure had
 * @data: where it is
 * @type: which type the structure belongs to
 *
 * Context: may sleep.
 * Return: 0 or an explained errno: -EOPNOTSUPP another type, -EINVAL too short or
 *	   too long, -EFAULT
 */
int __iommufd_read_data(void *to, size_t size, size_t min_size,
			const struct iommu_user_data *data, u32 type)
{
	if (data->type != type)
		return iommufd_refuse(-EOPNOTSUPP,
				      "the IOMMU driver takes data of type 0x%x here, not 0x%x",
				      type, data->type);
	if (data->len < min_size || data->len > size)
		return refuse_length(data->len, min_size, size);
	memset(to, 0, size);
	if (copy_from_user(to, data->uptr, data->len))
		return iommufd_refuse(-EFAULT,
				      "the %zu bytes of data for the IOMMU driver cannot be read",
				      data->len);
	return 0;
}
EXPORT_SYMBOL_GPL(__iommufd_read_data);

/**
 * iommufd_write_data - give a structure of the user's back, with outputs
 * @data: where it was read from, with __iommufd_read_data()
 * @from: the structure; as much of it as the user has is copied
 *
 * Context: may sleep.
 * Return: 0 or -EFAULT, explained
 */
int iommufd_write_data(const struct iommu_user_data *data, const void *from)
{
	if (copy_to_user(data->uptr, from, data->len))
		return iommufd_refuse(-EFAULT,
				      "the %zu bytes of data for the IOMMU driver cannot be written to",
				      data->len);
	return 0;
}
EXPORT_SYMBOL_GPL(iommufd_write_data);

/* One invalidation, the way of nested page tables: none longer than is known. */
static int read_entry(void *to, const struct iommufd_entries *how,
		      const struct iommu_user_data_array *array, u32 index)
{
	const void __user *from = array->uptr + (size_t)index * array->entry_len;

	if (array->entry_len < how->min_size || array->entry_len > how->size)
		return refuse_length(array->entry_len, how->min_size, how->size);
	memset(to, 0, how->size);
	if (copy_from_user(to, from, array->entry_len))
		return iommufd_refuse(-EFAULT, "entry %u of %u cannot be read",
				      index, array->entry_num);
	return 0;
}

/* Several, the way of vIOMMUs: longer ones, if what is too much of them is 0. */
static int read_entries(void *to, const struct iommufd_entries *how,
			const struct iommu_user_data_array *array, u32 first,
			u32 nr)
{
	u32 i;

	if (array->entry_len < how->min_size)
		return refuse_length(array->entry_len, how->min_size, how->size);
	for (i = first; i < first + nr; i++, to += how->size) {
		int rc = copy_struct_from_user(to, how->size, array->uptr +
					       (size_t)i * array->entry_len,
					       array->entry_len);

		if (rc == -E2BIG)
			return iommufd_refuse(rc, "beyond the %zu bytes known here something in entry %u is not 0",
					      how->size, i);
		if (rc)
			return iommufd_refuse(rc, "entry %u of %u cannot be read",
					      i, array->entry_num);
	}
	return 0;
}

/* Memory of the user is read before anything is locked. */
static int run_some(struct iommufd_viommu *viommu,
		    const struct iommu_user_data_array *array,
		    const struct iommufd_entries *how, void *context, u32 *done)
{
	u64 entries[IOMMUFD_ENTRIES_SIZE / sizeof(u64)];
	const void *at = entries;
	u32 i, nr = 1;
	int rc;

	if (viommu) {
		nr = min_t(u32, array->entry_num - *done,
			   sizeof(entries) / how->size);
		rc = read_entries(entries, how, array, *done, nr);
	} else {
		rc = read_entry(entries, how, array, *done);
	}
	if (rc)
		return rc;
	if (viommu)
		iommufd_viommu_lock(viommu);
	for (i = 0; i < nr && !rc; i++, at += how->size) {
		rc = how->one(context, at);
		if (!rc)
			++*done;
	}
	if (how->finish)
		how->finish(context);
	if (viommu)
		iommufd_viommu_unlock(viommu);
	return rc;
}

/**
 * iommufd_run_entries - do what a user wants to be invalidated, entry by entry
 * @viommu: the vIOMMU whose guest it is, or NULL for a nested page table
 * @array: of the user; its entry_num comes back as the number of entries that were
 *	   handled in full
 * @how: what the entries are, and what is to be done with each
 * @context: for the functions of @how
 *
 * It ends at the first entry that fails. Those of a vIOMMU are copied in and handled
 * several at a time, with iommufd_viommu_lock() held: if one of these cannot be read,
 * none of them is handled. They may be longer than is known here, if what is too much
 * of them is 0; those of a nested page table may not.
 *
 * Context: may sleep.
 * Return: 0 or an explained errno: -EINVAL another type, entries that are too short
 *	   or too long, -E2BIG too much that is not 0, -EFAULT, or what @how->one
 *	   returns
 */
int iommufd_run_entries(struct iommufd_viommu *viommu,
			struct iommu_user_data_array *array,
			const struct iommufd_entries *how, void *context)
{
	u32 done = 0;
	int rc = 0;

	if (array->type != how->type)
		rc = iommufd_refuse(-EINVAL,
				    "invalidations of type 0x%x are taken here, not of 0x%x",
				    how->type, array->type);
	while (!rc && done < array->entry_num) {
		rc = run_some(viommu, array, how, context, &done);
		cond_resched();
	}
	array->entry_num = done;
	return rc;
}
EXPORT_SYMBOL_GPL(iommufd_run_entries);

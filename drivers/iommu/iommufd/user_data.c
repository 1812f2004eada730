// SPDX-License-Identifier: GPL-2.0-only
/*
 * What users say to the driver of an IOMMU through a command: how long it may
 * be, so that old and new user space and drivers get along.
 */
#include <linux/export.h>
#include <linux/iommufd_driver.h>
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

/**
 * iommufd_check_entries - refuse invalidations of another type
 * @array: of the user
 * @type: which one the driver takes
 *
 * All there is to do for an array without entries.
 *
 * Return: 0 or -EINVAL, explained
 */
int iommufd_check_entries(const struct iommu_user_data_array *array, u32 type)
{
	if (array->type == type)
		return 0;
	return iommufd_refuse(-EINVAL,
			      "invalidations of type 0x%x are taken here, not of 0x%x",
			      type, array->type);
}
EXPORT_SYMBOL_GPL(iommufd_check_entries);

/**
 * __iommufd_read_entry - copy one invalidation in, the way of nested page tables
 * @to: receives it, zero beyond what the user has
 * @size: bytes at @to
 * @min_size: bytes that the first version of the structure had
 * @array: of the user; its type has been checked
 * @index: which entry
 *
 * Context: may sleep.
 * Return: 0 or an explained errno: -EINVAL too short or too long, -EFAULT
 */
int __iommufd_read_entry(void *to, size_t size, size_t min_size,
			 const struct iommu_user_data_array *array, u32 index)
{
	const void __user *from = array->uptr + (size_t)index * array->entry_len;

	if (array->entry_len < min_size || array->entry_len > size)
		return refuse_length(array->entry_len, min_size, size);
	memset(to, 0, size);
	if (copy_from_user(to, from, array->entry_len))
		return iommufd_refuse(-EFAULT, "entry %u of %u cannot be read",
				      index, array->entry_num);
	return 0;
}
EXPORT_SYMBOL_GPL(__iommufd_read_entry);

/**
 * __iommufd_read_entries - copy invalidations in, the way of vIOMMUs
 * @to: receives @nr structures, zero beyond what the user has
 * @size: bytes of one structure
 * @min_size: bytes that its first version had
 * @array: of the user; its type has been checked
 * @first: the first entry to read
 * @nr: how many; those that drivers handle at once, a page full of them, say
 *
 * The user's entries may be longer, if what is too much of them is 0.
 *
 * Context: may sleep.
 * Return: 0 or an explained errno: -EINVAL too short, -E2BIG too much that is not
 *	   0, -EFAULT
 */
int __iommufd_read_entries(void *to, size_t size, size_t min_size,
			   const struct iommu_user_data_array *array, u32 first,
			   u32 nr)
{
	u32 i;

	if (array->entry_len < min_size)
		return refuse_length(array->entry_len, min_size, size);
	for (i = first; i < first + nr; i++, to += size) {
		int rc = copy_struct_from_user(to, size, array->uptr +
					       (size_t)i * array->entry_len,
					       array->entry_len);

		if (rc == -E2BIG)
			return iommufd_refuse(rc, "beyond the %zu bytes known here something in entry %u is not 0",
					      size, i);
		if (rc)
			return iommufd_refuse(rc, "entry %u of %u cannot be read",
					      i, array->entry_num);
	}
	return 0;
}
EXPORT_SYMBOL_GPL(__iommufd_read_entries);

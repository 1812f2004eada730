/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The door to IOMMU drivers, seen from inside.
 */
#ifndef __IOMMUFD_HW_H
#define __IOMMUFD_HW_H

#include <linux/iommufd_driver.h>

struct iopt_domain;

const struct iommufd_driver_ops *hw_driver_get(struct device *dev);
bool hw_driver_hold(const struct iommufd_driver_ops *drv);
void hw_driver_put(const struct iommufd_driver_ops *drv);

const struct iommufd_window *hw_window_of(const struct iopt_domain *idom,
					  unsigned long first,
					  unsigned long last);
unsigned int hw_intersect_windows(const struct iommufd_window *a,
				  unsigned int nr_a,
				  const struct iopt_domain *idom,
				  struct iommufd_window *out);

/* hw_builtin.c */
extern const struct iommufd_driver_ops hw_builtin_ops;
bool hw_builtin_has_tables(struct device *dev);

#endif

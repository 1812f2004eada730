/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_SELFTEST_H
#define __IOMMUFD_SELFTEST_H

#include <linux/iommufd_selftest.h>
#include <linux/types.h>

struct iommufd_ioas;
struct iommufd_ucmd;

/* selftest.c */
bool iommufd_selftest_loaded(void);
int iommufd_selftest(struct iommufd_ucmd *ucmd);
void iommufd_selftest_prepare(struct iommufd_ucmd *ucmd, unsigned int cmd);
unsigned long iommufd_selftest_batch(unsigned long bytes);
u64 selftest_pick_iova(struct iommufd_ioas *ioas, u64 index);

/* selftest_access.c */
int selftest_create_access(struct iommufd_ucmd *ucmd,
			   const struct iommufd_selftest_ops *ops);
int selftest_access_pages(struct iommufd_ucmd *ucmd,
			  const struct iommufd_selftest_ops *ops);
int selftest_destroy_access_pages(struct iommufd_ucmd *ucmd,
				  const struct iommufd_selftest_ops *ops);
int selftest_access_rw(struct iommufd_ucmd *ucmd,
		       const struct iommufd_selftest_ops *ops);
int selftest_access_replace_ioas(struct iommufd_ucmd *ucmd,
				 const struct iommufd_selftest_ops *ops);

#endif

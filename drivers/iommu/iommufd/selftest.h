/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_SELFTEST_H
#define __IOMMUFD_SELFTEST_H

#include <linux/iommufd_selftest.h>
#include <linux/mutex.h>
#include <linux/types.h>

#include "object.h"

struct iommufd_device;
struct iommufd_ioas;
struct iommufd_ucmd;

/**
 * struct selftest_device - a mock device as the user's object
 * @obj: object head, called stdev by the users of the ioctl
 * @ops: the mock; held
 * @dev: the device
 * @idev: bound to the context, and attached if @attached. The context's file is
 *	  not held for it, as it would be for a driver's: the object goes with
 *	  the file
 * @lock: serializes attach, replace and detach
 * @attached: to some HWPT
 */
struct selftest_device {
	struct iommufd_object obj;
	const struct iommufd_selftest_ops *ops;
	struct device *dev;
	struct iommufd_device *idev;
	struct mutex lock;
	bool attached;
};

/* selftest.c */
bool iommufd_selftest_loaded(void);
int iommufd_selftest(struct iommufd_ucmd *ucmd);
void iommufd_selftest_prepare(struct iommufd_ucmd *ucmd, unsigned int cmd);
unsigned long iommufd_selftest_batch(unsigned long bytes);
u64 selftest_pick_iova(struct iommufd_ioas *ioas, u64 index);
struct selftest_device *selftest_device_get(struct iommufd_ctx *ictx, u32 id);

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

/* selftest_nested.c */
int selftest_check_iotlb(struct iommufd_ucmd *ucmd,
			 const struct iommufd_selftest_ops *ops);
int selftest_check_dev_cache(struct iommufd_ucmd *ucmd,
			     const struct iommufd_selftest_ops *ops);

/* selftest_pasid.c */
int selftest_pasid_attach(struct iommufd_ucmd *ucmd,
			  const struct iommufd_selftest_ops *ops);
int selftest_pasid_replace(struct iommufd_ucmd *ucmd,
			   const struct iommufd_selftest_ops *ops);
int selftest_pasid_detach(struct iommufd_ucmd *ucmd,
			  const struct iommufd_selftest_ops *ops);
int selftest_pasid_check_hwpt(struct iommufd_ucmd *ucmd,
			      const struct iommufd_selftest_ops *ops);

/* selftest_event.c */
int selftest_trigger_iopf(struct iommufd_ucmd *ucmd,
			  const struct iommufd_selftest_ops *ops);
int selftest_trigger_vevent(struct iommufd_ucmd *ucmd,
			    const struct iommufd_selftest_ops *ops);

#endif

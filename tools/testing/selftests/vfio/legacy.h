/* SPDX-License-Identifier: GPL-2.0 */
/* A device by its group and a type1 container, as the stock kernel has it. */
#ifndef VFIO_LEGACY_H
#define VFIO_LEGACY_H

#include "common.h"

struct legacy {
	int container;
	int group;
	bool spapr;		/* the container is that of POWER */
	struct vdev v;
};

/* Open both; the group is in no container yet, and viable if nobody has it. */
void legacy_group(struct legacy *l, const struct vdev *v, bool viable);
/* The group into the container; 0 or -errno. */
int legacy_join(struct legacy *l);
/* The container gets the kind of IOMMU that there is: type1, or that of POWER. */
void legacy_set_iommu(struct legacy *l);
/* Join, set it, and the device's descriptor. */
void legacy_device(struct legacy *l);
void legacy_close(struct legacy *l);
/* DMA of an edu goes where type1 maps, and nowhere else. */
void legacy_check_dma(struct legacy *l, uint32_t seed);

/*
 * Can the kernel's own drivers do DMA with this edu at all? End the test if
 * not: what type1 cannot do either is not /dev/iommu's doing.
 */
void want_legacy_dma(const struct vdev *v);

#endif

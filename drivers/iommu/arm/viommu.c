// SPDX-License-Identifier: GPL-2.0-only
/*
 * vIOMMUs: the slice of a unit that a guest sees. Its commands come as the guest wrote
 * them, in its own terms, and events of its devices go back to it.
 */
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "guest.h"
#include "viommu.h"

/**
 * smmu_unit_lacks_nesting - what a unit lacks for nested page tables
 * @unit: the unit
 *
 * Return: that, or NULL
 */
const char *smmu_unit_lacks_nesting(const struct smmu_unit *unit)
{
	if (!(unit->has & SMMU_HAS_S1) || !(unit->has & SMMU_HAS_S2))
		return "it does not have both stages";
	if (!(unit->has & SMMU_HAS_NESTING))
		return "an erratum forbids it";
	if (FIELD_GET(SMMU_IDR0_STALL_MODEL, unit->idr[0]) == SMMU_STALL_FORCED)
		return "it stalls what faults, and nobody would let that go on";
	return NULL;
}

static void commands_run(struct smmu_viommu *v)
{
	if (v->nr)
		smmu_queue_run(v->du->unit, v->commands, v->nr);
	v->nr = 0;
}

static void command_add(struct smmu_viommu *v, const struct smmu_command *command)
{
	if (v->nr == SMMU_GUEST_BATCH)
		commands_run(v);
	v->commands[v->nr++] = *command;
}

/* A command about a device, for each stream that it has. */
static int command_add_device(struct smmu_viommu *v,
			      const struct smmu_guest_command *guest)
{
	struct iommufd_vdevice *vdev = iommufd_viommu_device(v->viommu, guest->sid);
	struct smmu_device *sdev;
	struct smmu_command command;
	unsigned int i;

	if (!vdev)
		return iommufd_refuse(-EIO,
				      "the viommu has no device with stream id 0x%x",
				      guest->sid);
	sdev = to_smmu_device(vdev->dev);
	if (guest->ats) {
		/* not before what was to be forgotten before; who does not answer is cut off */
		commands_run(v);
		/* nor while its ATS is switched on or off */
		mutex_lock(&sdev->unit->lock);
		smmu_ats_tell(sdev, &guest->command);
		mutex_unlock(&sdev->unit->lock);
		return 0;
	}
	for (i = 0; i < sdev->nr_sids; i++) {
		command = guest->command;
		command.w[0] |= FIELD_PREP(SMMU_CMD0_SID, sdev->sids[i]);
		command_add(v, &command);
	}
	return 0;
}

static int invalidate_one(void *context, const void *entry)
{
	const struct iommu_viommu_arm_smmuv3_invalidate *inv = entry;
	struct smmu_guest_command guest;
	struct smmu_viommu *v = context;
	u64 w[2];
	int rc;

	w[0] = le64_to_cpu((__force __le64)inv->cmd[0]);
	w[1] = le64_to_cpu((__force __le64)inv->cmd[1]);
	rc = smmu_guest_command(&guest, w, v->du->unit->idr, v->du->id);
	if (rc)
		return rc;
	if (guest.has_sid)
		return command_add_device(v, &guest);
	command_add(v, &guest.command);
	return 0;
}

static void invalidate_finish(void *context)
{
	commands_run(context);
}

static int viommu_invalidate(struct iommufd_viommu *viommu,
			     struct iommu_user_data_array *array)
{
	static const struct iommufd_entries commands = {
		.type = IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3,
		.size = sizeof(struct iommu_viommu_arm_smmuv3_invalidate),
		.min_size = sizeof(struct iommu_viommu_arm_smmuv3_invalidate),
		.one = invalidate_one,
		.finish = invalidate_finish,
	};

	return iommufd_run_entries(viommu, array, &commands, viommu->priv);
}

static int vdevice_init(struct iommufd_vdevice *vdev)
{
	struct smmu_device *sdev = to_smmu_device(vdev->dev);

	if (vdev->virt_id > U32_MAX)
		return iommufd_refuse(-EINVAL,
				      "virt_id 0x%llx is no stream id, which has 32 bits",
				      vdev->virt_id);
	mutex_lock(&sdev->unit->lock);
	sdev->vdev = vdev;
	mutex_unlock(&sdev->unit->lock);
	return 0;
}

static void vdevice_destroy(struct iommufd_vdevice *vdev)
{
	struct smmu_device *sdev = to_smmu_device(vdev->dev);

	mutex_lock(&sdev->unit->lock);
	sdev->vdev = NULL;
	mutex_unlock(&sdev->unit->lock);
}

static bool events_supported(struct iommufd_viommu *viommu, u32 type)
{
	return type == IOMMU_VEVENTQ_TYPE_ARM_SMMUV3;
}

static void viommu_destroy(struct iommufd_viommu *viommu)
{
	struct smmu_viommu *v = viommu->priv;
	struct smmu_unit *unit = v->du->unit;

	mutex_lock(&unit->lock);
	smmu_domain_leave(to_smmu_domain(viommu->parent), v->du);
	mutex_unlock(&unit->lock);
	kfree(v);
}

static const struct iommufd_viommu_ops viommu_ops = {
	.destroy = viommu_destroy,
	.alloc_nested = smmu_nested_alloc,
	.invalidate = viommu_invalidate,
	.vdevice_init = vdevice_init,
	.vdevice_destroy = vdevice_destroy,
	.events_supported = events_supported,
	/* without stage 1 a guest need not know that there is a device */
	.checks_names = true,
};

static int viommu_check(const struct iommufd_viommu *viommu,
			const struct smmu_unit *unit, struct device *dev,
			const struct iommu_user_data *data)
{
	const char *lacks = smmu_unit_lacks_nesting(unit);

	if (viommu->type != IOMMU_VIOMMU_TYPE_ARM_SMMUV3)
		return iommufd_refuse(-EOPNOTSUPP,
				      "an Arm SMMUv3 has no viommu of type %#x",
				      viommu->type);
	if (lacks)
		return iommufd_refuse(-EOPNOTSUPP, "%s of %s has no viommus: %s",
				      smmu_name(unit), dev_name(dev), lacks);
	if (data)
		return iommufd_refuse(-EINVAL,
				      "a viommu of type %#x takes no data, there are %zu bytes",
				      viommu->type, data->len);
	if (!smmu_domain_suits(to_smmu_domain(viommu->parent), unit))
		return iommufd_refuse(-EINVAL,
				      "%s of %s cannot walk the tables of the parent",
				      smmu_name(unit), dev_name(dev));
	return 0;
}

/**
 * smmu_viommu_init - give a guest a slice of a unit
 * @viommu: its parent and type are the user's
 * @dev: a device behind the unit
 * @data: of the user; there is nothing to be said
 *
 * Several guests' slices can share a parent, and one guest can have slices of several
 * units over it: each has a VMID of its own.
 *
 * Return: 0 or an explained errno: -EOPNOTSUPP another type, or the unit does not
 *	   nest, -EINVAL it cannot walk the parent, or there is data, -ENOSPC no VMID is
 *	   left, -ENOMEM
 */
int smmu_viommu_init(struct iommufd_viommu *viommu, struct device *dev,
		     const struct iommu_user_data *data)
{
	struct smmu_unit *unit = to_smmu_device(dev)->unit;
	struct smmu_viommu *v;
	int rc;

	rc = viommu_check(viommu, unit, dev, data);
	if (rc)
		return rc;
	v = kzalloc(sizeof(*v), GFP_KERNEL_ACCOUNT);
	if (!v)
		return iommufd_refuse(-ENOMEM, "no memory for a viommu");
	mutex_lock(&unit->lock);
	rc = smmu_domain_enter(to_smmu_domain(viommu->parent), unit, true, &v->du);
	mutex_unlock(&unit->lock);
	if (rc) {
		kfree(v);
		return rc == -ENOMEM ?
		       iommufd_refuse(rc, "no memory for a viommu") : rc;
	}
	v->viommu = viommu;
	viommu->priv = v;
	viommu->ops = &viommu_ops;
	return 0;
}

/**
 * smmu_viommu_event - tell the guest whose device it is of an event
 * @sdev: the device; its unit is locked
 * @event: the record
 */
void smmu_viommu_event(struct smmu_device *sdev, const struct smmu_event *event)
{
	struct iommu_vevent_arm_smmuv3 guest;
	struct smmu_event copy = *event;
	unsigned int i;

	lockdep_assert_held(&sdev->unit->lock);
	/* not through the guest's tables: not the guest's fault */
	if (!sdev->vdev || !sdev->domain || !sdev->domain->viommu ||
	    !smmu_guest_event(&copy, sdev->vdev->virt_id))
		return;
	for (i = 0; i < ARRAY_SIZE(guest.evt); i++)
		guest.evt[i] = (__force __aligned_le64)cpu_to_le64(copy.w[i]);
	iommufd_viommu_report_event(sdev->vdev->viommu, IOMMU_VEVENTQ_TYPE_ARM_SMMUV3,
				    &guest, sizeof(guest));
}

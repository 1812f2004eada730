// SPDX-License-Identifier: GPL-2.0-only
/*
 * vIOMMUs: the slice of a unit that a guest sees. Its invalidations come as the guest
 * wrote them, in its own terms, and faults of its devices go back to it.
 */
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "guest_queue.h"
#include "vtd.h"

/* Descriptors that are taken at a time. */
#define REQUEST_BATCH \
	(IOMMUFD_ENTRIES_SIZE / sizeof(struct iommu_ext_vtd_invalidate))

/**
 * struct vtd_guest_device - a device in a vIOMMU
 * @link: in guest_devices
 * @vdev: what it is there
 */
struct vtd_guest_device {
	struct list_head link;
	struct iommufd_vdevice *vdev;
};

/*
 * Of all units. A fault is told to the guest with the lock held, so that its device
 * does not go meanwhile; the lock of a unit may be taken within.
 */
static LIST_HEAD(guest_devices);
static DEFINE_MUTEX(guest_devices_lock);

static struct iommu_domain *viommu_alloc_nested(struct iommufd_viommu *viommu,
						struct device *dev, u32 flags,
						const struct iommu_user_data *data)
{
	return vtd_nested_alloc(dev, viommu->parent, viommu, flags, data);
}

/* One of the devices that a source id stands for, or NULL. */
static struct iommufd_vdevice *requested_device(struct iommufd_viommu *viommu,
						const struct vtd_request *request)
{
	struct iommufd_vdevice *vdev = NULL;
	unsigned int function;

	for (function = 0; function < 8 && !vdev; function++)
		if (!(function & ~request->functions))
			vdev = iommufd_viommu_device(viommu, function |
						     (request->sid &
						      ~request->functions));
	return vdev;
}

/**
 * struct guest_requests - what a guest asks for, to be done at once
 * @viommu: the guest's
 * @nr: how many of @requests there are
 * @requests: in the order that they came
 */
struct guest_requests {
	struct iommufd_viommu *viommu;
	unsigned int nr;
	struct vtd_request requests[REQUEST_BATCH];
};

/*
 * None of the guest's context entries is cached anywhere: what one of them says is
 * what the user attaches the device to.
 */
static int request_take(void *context, const void *entry)
{
	const struct iommu_ext_vtd_invalidate *inv = entry;
	struct guest_requests *guest = context;
	struct vtd_request *request = &guest->requests[guest->nr];
	int rc;

	rc = vtd_request_read(request, inv->descriptor);
	if (rc)
		return rc;
	if (request->has_sid && !requested_device(guest->viommu, request))
		return iommufd_refuse(-EIO,
				      "the viommu has no device with source id 0x%x",
				      request->sid);
	guest->nr++;
	return 0;
}

static void requests_run(void *context)
{
	struct guest_requests *guest = context;

	vtd_nested_requests(guest->viommu, guest->requests, guest->nr);
	guest->nr = 0;
}

static int viommu_invalidate(struct iommufd_viommu *viommu,
			     struct iommu_user_data_array *array)
{
	static const struct iommufd_entries descriptors = {
		.type = IOMMU_EXT_INVALIDATE_DATA_VTD,
		.size = sizeof(struct iommu_ext_vtd_invalidate),
		/* one of 128 bits is half of it */
		.min_size = sizeof(struct iommu_ext_vtd_invalidate) / 2,
		.one = request_take,
		.finish = requests_run,
	};
	struct guest_requests guest;

	guest.viommu = viommu;
	guest.nr = 0;
	return iommufd_run_entries(viommu, array, &descriptors, &guest);
}

static int vdevice_init(struct iommufd_vdevice *vdev)
{
	struct vtd_guest_device *guest;

	if (vdev->virt_id > U16_MAX)
		return iommufd_refuse(-EINVAL,
				      "virt_id 0x%llx is no source id, which has 16 bits",
				      vdev->virt_id);
	guest = kzalloc(sizeof(*guest), GFP_KERNEL_ACCOUNT);
	if (!guest)
		return iommufd_refuse(-ENOMEM, "no memory for a device of a viommu");
	guest->vdev = vdev;
	vdev->priv = guest;
	mutex_lock(&guest_devices_lock);
	list_add(&guest->link, &guest_devices);
	mutex_unlock(&guest_devices_lock);
	return 0;
}

static void vdevice_destroy(struct iommufd_vdevice *vdev)
{
	struct vtd_guest_device *guest = vdev->priv;

	mutex_lock(&guest_devices_lock);
	list_del(&guest->link);
	mutex_unlock(&guest_devices_lock);
	kfree(guest);
}

static bool events_supported(struct iommufd_viommu *viommu, u32 type)
{
	return type == IOMMU_EXT_VEVENTQ_TYPE_VTD;
}

static const struct iommufd_viommu_ops viommu_ops = {
	.alloc_nested = viommu_alloc_nested,
	.invalidate = viommu_invalidate,
	.vdevice_init = vdevice_init,
	.vdevice_destroy = vdevice_destroy,
	.events_supported = events_supported,
};

/**
 * vtd_viommu_init - give a guest a slice of a unit
 * @viommu: its parent and type are the user's
 * @dev: a device behind the unit
 * @data: of the user; there is nothing to be said
 *
 * Several guests' slices can share a parent, and one guest can have slices of several
 * units over it.
 *
 * Return: 0 or an explained errno: -EOPNOTSUPP another type, or the unit does not
 *	   nest, -EINVAL it cannot walk the parent, or there is data
 */
int vtd_viommu_init(struct iommufd_viommu *viommu, struct device *dev,
		    const struct iommu_user_data *data)
{
	const struct vtd_unit *unit = to_vtd_device(dev)->unit;
	const char *lacks = vtd_unit_lacks_nesting(unit);

	if (viommu->type != IOMMU_EXT_VIOMMU_TYPE_VTD)
		return iommufd_refuse(-EOPNOTSUPP,
				      "an Intel VT-d unit has no viommu of type %#x",
				      viommu->type);
	if (lacks)
		return iommufd_refuse(-EOPNOTSUPP, "%s of %s has no viommus: %s",
				      unit->x86.name, dev_name(dev), lacks);
	if (data)
		return iommufd_refuse(-EINVAL,
				      "a viommu of type %#x takes no data, there are %zu bytes",
				      viommu->type, data->len);
	if (!vtd_domain_suits(to_vtd_domain(viommu->parent), unit))
		return iommufd_refuse(-EINVAL,
				      "%s of %s cannot walk the tables of the parent",
				      unit->x86.name, dev_name(dev));
	viommu->ops = &viommu_ops;
	return 0;
}

/* Not through the guest's tables: not the guest's fault. */
static bool is_nested(struct vtd_device *vdev, u64 hi)
{
	bool nested;

	mutex_lock(&vdev->unit->x86.lock);
	nested = hi & VTD_FRR_HI_PP || (vdev->domain && vdev->domain->parent);
	mutex_unlock(&vdev->unit->x86.lock);
	return nested;
}

/**
 * vtd_viommu_fault - tell the guest whose device it is of a fault
 * @unit: that has recorded it
 * @lo: bits 63:0 of the record
 * @hi: bits 127:64 of it
 *
 * Context: may sleep.
 */
void vtd_viommu_fault(struct vtd_unit *unit, u64 lo, u64 hi)
{
	u16 sid = FIELD_GET(VTD_FRR_HI_SID, hi);
	struct iommu_ext_vevent_vtd event = { .record = { lo, hi } };
	struct vtd_guest_device *guest;

	mutex_lock(&guest_devices_lock);
	list_for_each_entry(guest, &guest_devices, link) {
		struct iommufd_vdevice *vdev = guest->vdev;

		if (to_vtd_device(vdev->dev)->unit != unit ||
		    pci_dev_id(to_pci_dev(vdev->dev)) != sid)
			continue;
		if (is_nested(to_vtd_device(vdev->dev), hi) &&
		    vtd_record_for_guest(event.record, vdev->virt_id))
			iommufd_viommu_report_event(vdev->viommu,
						    IOMMU_EXT_VEVENTQ_TYPE_VTD,
						    &event, sizeof(event));
		break;
	}
	mutex_unlock(&guest_devices_lock);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * vIOMMUs: the slice of a unit that a guest sees. Its commands come as the guest wrote
 * them, in its own terms, and events of its devices go back to it.
 */
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "amdvi.h"
#include "spec/events.h"

/* Commands that are taken at a time. */
#define REQUEST_BATCH \
	(IOMMUFD_ENTRIES_SIZE / sizeof(struct iommu_ext_amdvi_invalidate))

/**
 * struct amdvi_guest_device - a device in a vIOMMU
 * @link: in guest_devices
 * @vdev: what it is there
 */
struct amdvi_guest_device {
	struct list_head link;
	struct iommufd_vdevice *vdev;
};

/*
 * Of all units. An event is told to the guest with the lock held, so that its device
 * does not go meanwhile; the lock of a unit may be taken within.
 */
static LIST_HEAD(guest_devices);
static DEFINE_MUTEX(guest_devices_lock);

/**
 * struct known - a command that a guest may give
 * @opcode: which
 * @lo: bits of it that mean something
 * @hi: the same of the upper half
 * @device: it names a device
 * @act: something may have to be forgotten for it
 */
struct known {
	unsigned int opcode;
	u64 lo;
	u64 hi;
	bool device;
	bool act;
};

static const struct known known_commands[] = {
	{ AMDVI_INVALIDATE_DEVTAB, AMDVI_CMD_LO_DEVICE, 0, true, true },
	{ AMDVI_INVALIDATE_PAGES, AMDVI_PAGES_LO_PASID | AMDVI_PAGES_LO_DOMAIN,
	  AMDVI_PAGES_HI_S | AMDVI_PAGES_HI_PDE | AMDVI_PAGES_HI_GN |
	  GENMASK_ULL(63, 12), false, true },
	/* devices remember nothing: their ATS is off with tables of guests */
	{ AMDVI_INVALIDATE_IOTLB, GENMASK_ULL(59, 0), U64_MAX, true, false },
	{ AMDVI_PREFETCH, GENMASK_ULL(59, 0), U64_MAX, true, false },
	{ AMDVI_INVALIDATE_ALL, 0, 0, false, true },
};

static const struct known *find_known(u64 lo)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(known_commands); i++)
		if (known_commands[i].opcode == FIELD_GET(AMDVI_CMD_LO_OPCODE, lo))
			return &known_commands[i];
	return NULL;
}

/**
 * struct guest_requests - what a guest asks for, to be done at once
 * @viommu: the guest's
 * @nr: how many of @commands there are
 * @commands: in the order that they came
 */
struct guest_requests {
	struct iommufd_viommu *viommu;
	unsigned int nr;
	struct amdvi_command commands[REQUEST_BATCH];
};

static int request_take(void *context, const void *entry)
{
	const struct iommu_ext_amdvi_invalidate *inv = entry;
	u64 lo = inv->command[0], hi = inv->command[1];
	const struct known *known = find_known(lo);
	struct guest_requests *guest = context;
	u16 id = FIELD_GET(AMDVI_CMD_LO_DEVICE, lo);

	if (!known)
		return iommufd_refuse(-EIO,
				      "command %llu is not one that a guest's unit passes on",
				      FIELD_GET(AMDVI_CMD_LO_OPCODE, lo));
	if (lo & ~known->lo & ~AMDVI_CMD_LO_OPCODE || hi & ~known->hi)
		return iommufd_refuse(-EIO,
				      "command %u has reserved bits: 0x%llx, 0x%llx",
				      known->opcode,
				      lo & ~known->lo & ~AMDVI_CMD_LO_OPCODE,
				      hi & ~known->hi);
	if (known->device && !iommufd_viommu_device(guest->viommu, id))
		return iommufd_refuse(-EIO, "the viommu has no device with id 0x%x",
				      id);
	if (known->act)
		guest->commands[guest->nr++] = (struct amdvi_command){ lo, hi };
	return 0;
}

static void requests_run(void *context)
{
	struct guest_requests *guest = context;

	if (guest->nr)
		amdvi_nested_requests(guest->viommu, guest->commands, guest->nr);
	guest->nr = 0;
}

static int viommu_invalidate(struct iommufd_viommu *viommu,
			     struct iommu_user_data_array *array)
{
	static const struct iommufd_entries commands = {
		.type = IOMMU_EXT_INVALIDATE_DATA_AMDVI,
		.size = sizeof(struct iommu_ext_amdvi_invalidate),
		.min_size = sizeof(struct iommu_ext_amdvi_invalidate),
		.one = request_take,
		.finish = requests_run,
	};
	struct guest_requests guest;

	guest.viommu = viommu;
	guest.nr = 0;
	return iommufd_run_entries(viommu, array, &commands, &guest);
}

static int vdevice_init(struct iommufd_vdevice *vdev)
{
	struct amdvi_guest_device *guest;

	if (vdev->virt_id > U16_MAX)
		return iommufd_refuse(-EINVAL,
				      "virt_id 0x%llx is no device id, which has 16 bits",
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
	struct amdvi_guest_device *guest = vdev->priv;

	mutex_lock(&guest_devices_lock);
	list_del(&guest->link);
	mutex_unlock(&guest_devices_lock);
	kfree(guest);
}

static bool events_supported(struct iommufd_viommu *viommu, u32 type)
{
	return type == IOMMU_EXT_VEVENTQ_TYPE_AMDVI;
}

static const struct iommufd_viommu_ops viommu_ops = {
	.alloc_nested = amdvi_nested_alloc,
	.invalidate = viommu_invalidate,
	.vdevice_init = vdevice_init,
	.vdevice_destroy = vdevice_destroy,
	.events_supported = events_supported,
};

/**
 * amdvi_viommu_init - give a guest a slice of a unit
 * @viommu: its parent and type are the user's
 * @dev: a device behind the unit
 * @data: of the user; there is nothing to be said
 *
 * Return: 0 or an explained errno: -EOPNOTSUPP another type, or the unit does not
 *	   nest, -EINVAL it cannot walk the parent, or there is data
 */
int amdvi_viommu_init(struct iommufd_viommu *viommu, struct device *dev,
		      const struct iommu_user_data *data)
{
	const struct amdvi_unit *unit = to_amdvi_device(dev)->unit;
	const struct amdvi_domain *parent = to_amdvi_domain(viommu->parent);
	const char *lacks = amdvi_unit_lacks_nesting(unit);

	if (viommu->type != IOMMU_EXT_VIOMMU_TYPE_AMDVI)
		return iommufd_refuse(-EOPNOTSUPP,
				      "an AMD-Vi unit has no viommu of type %#x",
				      viommu->type);
	if (lacks)
		return iommufd_refuse(-EOPNOTSUPP, "%s of %s has no viommus: %s",
				      unit->x86.name, dev_name(dev), lacks);
	if (data)
		return iommufd_refuse(-EINVAL,
				      "a viommu of type %#x takes no data, there are %zu bytes",
				      viommu->type, data->len);
	if (!parent->nest_parent || !amdvi_domain_suits(parent, unit))
		return iommufd_refuse(-EINVAL,
				      "%s of %s cannot walk the tables of the parent",
				      unit->x86.name, dev_name(dev));
	viommu->ops = &viommu_ops;
	return 0;
}

/* The guest's id of what a device is attached to; none if it is not nested. */
static bool guest_domain(struct amdvi_device *adev, u16 *id)
{
	bool nested;

	mutex_lock(&adev->unit->x86.lock);
	nested = adev->domain && adev->domain->parent;
	if (nested)
		*id = adev->domain->guest_id;
	mutex_unlock(&adev->unit->x86.lock);
	return nested;
}

static void tell_guest(const struct iommufd_vdevice *vdev, u64 lo, u64 hi)
{
	struct iommu_ext_vevent_amdvi event = { .entry = { lo, hi } };
	u16 domain;

	if (!guest_domain(to_amdvi_device(vdev->dev), &domain))
		return;
	event.entry[0] &= ~AMDVI_EVT_LO_DEVICE;
	event.entry[0] |= FIELD_PREP(AMDVI_EVT_LO_DEVICE, vdev->virt_id);
	/* of a request with a PASID its low bits are there */
	if (!(lo & AMDVI_EVT_LO_GN)) {
		event.entry[0] &= ~AMDVI_EVT_LO_DOMAIN;
		event.entry[0] |= FIELD_PREP(AMDVI_EVT_LO_DOMAIN, domain);
	}
	iommufd_viommu_report_event(vdev->viommu, IOMMU_EXT_VEVENTQ_TYPE_AMDVI,
				    &event, sizeof(event));
}

/**
 * amdvi_viommu_event - tell the guest whose device it is of an event
 * @unit: that has logged it
 * @lo: bits 63:0 of the entry
 * @hi: bits 127:64 of it
 *
 * Context: may sleep.
 */
void amdvi_viommu_event(const struct amdvi_unit *unit, u64 lo, u64 hi)
{
	unsigned int code = FIELD_GET(AMDVI_EVT_LO_CODE, lo);
	u16 id = FIELD_GET(AMDVI_EVT_LO_DEVICE, lo);
	struct amdvi_guest_device *guest;

	if (code != AMDVI_PAGE_FAULT && code != AMDVI_INVALID_REQUEST)
		return;
	mutex_lock(&guest_devices_lock);
	list_for_each_entry(guest, &guest_devices, link) {
		if (to_amdvi_device(guest->vdev->dev)->unit == unit &&
		    pci_dev_id(to_pci_dev(guest->vdev->dev)) == id) {
			tell_guest(guest->vdev, lo, hi);
			break;
		}
	}
	mutex_unlock(&guest_devices_lock);
}

// SPDX-License-Identifier: GPL-2.0-only
#include "rig.h"

struct smmu_unit *unit;
struct told_fault faults[32];
unsigned int nr_faults;
bool faults_refused;

static struct platform_device platform = { .dev.name = "soft" };
static unsigned long pages_before;
static unsigned int cleaned;

/* driver.c is left out. */
const struct iommu_ops smmu_iommu_ops;

void smmu_clean_run(const struct pt_run *run)
{
	cleaned += run->len != 0;
}

void iommu_dma_get_resv_regions(struct device *dev, struct list_head *list)
{
	(void)dev;
	(void)list;
}

int unit_up(void)
{
	int rc;

	pages_before = pages_used();
	unit = calloc(1, sizeof(*unit));
	unit->dev = &platform.dev;
	unit->dev->drvdata = unit;
	/* not NULL: it can have messages */
	unit->dev->msi.domain = unit;
	soft_platform = unit->dev;
	unit->iommu.dev = unit->dev;
	mutex_init(&unit->lock);
	INIT_LIST_HEAD(&unit->devices);
	ida_init(&unit->asids);
	ida_init(&unit->vmids);
	unit->has = soft.coherent ? SMMU_HAS_COHERENCY : 0;
	unit->regs = soft.regs;
	unit->page1 = soft.regs + SMMU_PAGE1;
	memcpy(soft.regs + SMMU_IIDR, &soft.iidr, 4);
	rc = smmu_unit_read(unit);
	if (rc)
		return rc;
	rc = smmu_unit_enable(unit);
	if (rc)
		smmu_unit_disable(unit);
	return rc;
}

void unit_down(void)
{
	unsigned int i;

	smmu_unit_disable(unit);
	kernel_devres_release();
	for (i = 0; i < sizeof(unit->asids.used); i++)
		CHECK(!unit->asids.used[i] && !unit->vmids.used[i]);
	free(unit);
	CHECK_EQ(pages_used(), pages_before);
}

void client_add(struct client *c, u32 sid)
{
	memset(c, 0, sizeof(*c));
	c->sid = sid;
	c->pdev.dev.name = "0000:01:00.0";
	c->pdev.dev.is_pci = true;
	c->pdev.dev.iommu = &c->iommu;
	c->iommu.fwspec = &c->fwspec;
	c->fwspec.num_ids = 1;
	c->fwspec.ids[0] = sid;
	c->soft = soft_device_add(sid, &c->pdev);
}

int client_probe(struct client *c)
{
	struct iommu_device *iommu = smmu_probe_device(&c->pdev.dev);

	if (IS_ERR(iommu))
		return PTR_ERR(iommu);
	c->iommu.iommu_dev = iommu;
	/* as the IOMMU core finds out */
	c->iommu.max_pasids = min(iommu->max_pasids, c->pdev.max_pasids);
	return client_attach(c, NULL);
}

void client_remove(struct client *c)
{
	smmu_release_device(&c->pdev.dev);
}

int client_attach(struct client *c, struct iommu_domain *domain)
{
	int rc = domain ? domain->ops->attach_dev(domain, &c->pdev.dev) :
			  smmu_attach_identity(NULL, &c->pdev.dev);

	if (!rc)
		c->domain = domain;
	return rc;
}

void client_block(struct client *c)
{
	OK(smmu_attach_blocked(NULL, &c->pdev.dev));
	c->domain = NULL;
}

int pasid_attach(struct client *c, u32 pasid, struct iommu_domain *domain,
		 struct iommu_domain *old)
{
	last_reason[0] = 0;
	return domain->ops->set_dev_pasid(domain, &c->pdev.dev, pasid, old);
}

void pasid_detach(struct client *c, u32 pasid, struct iommu_domain *domain)
{
	smmu_remove_dev_pasid(&c->pdev.dev, pasid, domain);
}

struct iommu_domain *table(struct client *c, u32 flags)
{
	struct iommu_domain *domain = smmu_iommufd_ops.alloc_paging(&c->pdev.dev, flags,
								    NULL);

	if (IS_ERR(domain))
		tap_fail(__FILE__, __LINE__, "no table: %s", last_reason);
	return domain;
}

void table_free(struct iommu_domain *domain)
{
	domain->ops->free(domain);
}

void map(struct iommu_domain *domain, u64 iova, u64 phys, size_t len, int prot)
{
	struct iommufd_run run = { phys, len };
	size_t mapped;

	OK(smmu_iommufd_ops.map(domain, iova, &run, 1, prot, domain->pgsize_bitmap,
				&mapped));
	CHECK_EQ(mapped, len);
}

void unmap(struct iommu_domain *domain, u64 iova, size_t len)
{
	struct iommu_iotlb_gather gather;

	iommu_iotlb_gather_init(&gather);
	CHECK_EQ(smmu_iommufd_ops.unmap(domain, iova, len, &gather), len);
	domain->ops->iotlb_sync(domain, &gather);
}

u64 memory_new(unsigned int order)
{
	void *at = pages_get(order, true);

	return virt_to_phys(at);
}

void memory_free(u64 phys)
{
	pages_put(phys_to_virt(phys));
}

unsigned int goes_to(const struct client *c, int ssid, u64 address, bool write, u64 phys)
{
	struct soft_answer a = soft_request(c->sid, ssid, address, write);

	if (!a.event && a.phys != phys)
		tap_fail(__FILE__, __LINE__, "0x%llx leads to 0x%llx, not to 0x%llx",
			 address, a.phys, phys);
	return a.event;
}

int guest_make(struct guest *g, struct client *c, struct iommu_domain *parent)
{
	memset(g, 0, sizeof(*g));
	g->viommu.parent = parent;
	g->viommu.iommu_dev = c->iommu.iommu_dev;
	g->viommu.type = IOMMU_VIOMMU_TYPE_ARM_SMMUV3;
	return smmu_iommufd_ops.viommu_init(&g->viommu, &c->pdev.dev, NULL);
}

void guest_end(struct guest *g)
{
	guest_unname(g);
	g->viommu.ops->destroy(&g->viommu);
}

void guest_name(struct guest *g, struct client *c, u64 virt_id)
{
	struct iommufd_vdevice *vdev = &g->vdevs[g->nr++];

	vdev->viommu = &g->viommu;
	vdev->dev = &c->pdev.dev;
	vdev->virt_id = virt_id;
	OK(g->viommu.ops->vdevice_init(vdev));
}

void guest_unname(struct guest *g)
{
	while (g->nr)
		g->viommu.ops->vdevice_destroy(&g->vdevs[--g->nr]);
}

struct iommu_domain *guest_table(struct guest *g, struct client *c, u64 w0, u64 w1)
{
	struct iommu_hwpt_arm_smmuv3 ste = { .ste = { w0, w1 } };
	struct iommu_user_data data = { IOMMU_HWPT_DATA_ARM_SMMUV3, &ste, sizeof(ste) };

	return g->viommu.ops->alloc_nested(&g->viommu, &c->pdev.dev, 0, &data);
}

int guest_command(struct guest *g, u64 w0, u64 w1)
{
	struct iommu_viommu_arm_smmuv3_invalidate inv = { .cmd = { w0, w1 } };
	struct iommu_user_data_array array = {
		.type = IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3, .uptr = &inv,
		.entry_len = sizeof(inv), .entry_num = 1,
	};

	return g->viommu.ops->invalidate(&g->viommu, &array);
}

/* iommufd */
int iommufd_run_entries(struct iommufd_viommu *viommu, struct iommu_user_data_array *array,
			const struct iommufd_entries *how, void *context)
{
	int rc = how->one(context, array->uptr);

	(void)viommu;
	how->finish(context);
	array->entry_num = !rc;
	return rc;
}

int __iommufd_read_data(void *to, size_t size, size_t min_size,
			const struct iommu_user_data *data, u32 type)
{
	CHECK(data->type == type && data->len == size && min_size <= size);
	memcpy(to, data->uptr, size);
	return 0;
}

struct iommufd_vdevice *iommufd_viommu_device(struct iommufd_viommu *viommu, u64 virt_id)
{
	struct guest *g = container_of(viommu, struct guest, viommu);
	unsigned int i;

	for (i = 0; i < g->nr; i++)
		if (g->vdevs[i].virt_id == virt_id)
			return &g->vdevs[i];
	return NULL;
}

int iommufd_viommu_report_event(struct iommufd_viommu *viommu, u32 type, const void *data,
				size_t length)
{
	struct guest *g = container_of(viommu, struct guest, viommu);

	CHECK_EQ(type, IOMMU_VEVENTQ_TYPE_ARM_SMMUV3);
	CHECK_EQ(length, 32);
	memcpy(g->events[g->nr_events++ % 16], data, 32);
	return 0;
}

int iommufd_report_fault(struct device *dev, const struct iommu_fault_page_request *request)
{
	if (faults_refused)
		return -ENODEV;
	faults[nr_faults++ % 32] = (struct told_fault){ dev, *request };
	return 0;
}

static u64 dirty_first;
static bool dirty_told[4096];

void dirty_begin(u64 first)
{
	dirty_first = first;
	memset(dirty_told, 0, sizeof(dirty_told));
}

bool dirty_was_told(u64 iova)
{
	return dirty_told[(iova - dirty_first) / PAGE_SIZE];
}

void iommufd_dirty_set(struct iommufd_dirty_bitmap *bitmap, unsigned long iova, size_t len)
{
	u64 at;

	(void)bitmap;
	for (at = iova; at < iova + len; at += PAGE_SIZE)
		dirty_told[(at - dirty_first) / PAGE_SIZE] = true;
}

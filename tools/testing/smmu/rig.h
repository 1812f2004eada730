/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The driver on a unit in software, as driver.c brings it up, with devices behind it;
 * and what iommufd would do with them. One unit in a process: each test has its own.
 */
#ifndef SMMU_RIG_H
#define SMMU_RIG_H

#include <linux/iommufd_driver.h>
#include <uapi/linux/iommufd.h>

#include "../../../drivers/iommu/arm/viommu.h"
#include "../selftests/lib/tap.h"
#include "help.h"

#define RW (IOMMU_READ | IOMMU_WRITE | IOMMU_CACHE)
#define NEST IOMMU_HWPT_ALLOC_NEST_PARENT
#define PASID IOMMU_HWPT_ALLOC_PASID
#define DIRTY IOMMU_HWPT_ALLOC_DIRTY_TRACKING

/* A unit of both stages with all sizes of pages, two levels of streams. */
#define FULL0 (IDR0_S1P | IDR0_S2P | IDR0_TTF_64 | IDR0_COHACC | IDR0_ASID16 | \
	       IDR0_VMID16 | IDR0_CD2L | IDR0_STALL(1) | IDR0_ST2L)
#define FULL1 (IDR1_QUEUES(8, 7, 6) | IDR1_SSID(0) | 16)
#define FULL5 (IDR5_48 | IDR5_4K | IDR5_16K | IDR5_64K)

extern struct smmu_unit *unit;

/* After soft_reset(). What driver.c has of smmu_unit_read() and smmu_unit_enable(). */
int unit_up(void);
/* All that it has used comes back. */
void unit_down(void);

/* A PCI device with a stream id. */
struct client {
	struct pci_dev pdev;
	struct dev_iommu iommu;
	struct iommu_fwspec fwspec;
	struct soft_device *soft;
	struct iommu_domain *domain;
	u32 sid;
};

/* NULL stands for passing through; see client_block(). */
void client_add(struct client *c, u32 sid);
int client_probe(struct client *c);
void client_remove(struct client *c);
int client_attach(struct client *c, struct iommu_domain *domain);
void client_block(struct client *c);
int pasid_attach(struct client *c, u32 pasid, struct iommu_domain *domain,
		 struct iommu_domain *old);
void pasid_detach(struct client *c, u32 pasid, struct iommu_domain *domain);

/* As iommufd makes it; ends the test if that fails. */
struct iommu_domain *table(struct client *c, u32 flags);
void table_free(struct iommu_domain *domain);
/* Memory at an address. */
void map(struct iommu_domain *domain, u64 iova, u64 phys, size_t len, int prot);
void unmap(struct iommu_domain *domain, u64 iova, size_t len);

/* Pages of memory; their address. */
u64 memory_new(unsigned int order);
void memory_free(u64 phys);

/* The event of a request, 0 if it goes where it is to go. */
unsigned int goes_to(const struct client *c, int ssid, u64 address, bool write, u64 phys);

/* A guest: a vIOMMU over a parent, with devices that have names. */
struct guest {
	struct iommufd_viommu viommu;
	struct iommufd_vdevice vdevs[4];
	unsigned int nr;
	u64 events[16][4];
	unsigned int nr_events;
};

int guest_make(struct guest *g, struct client *c, struct iommu_domain *parent);
void guest_end(struct guest *g);
void guest_name(struct guest *g, struct client *c, u64 virt_id);
void guest_unname(struct guest *g);
struct iommu_domain *guest_table(struct guest *g, struct client *c, u64 w0, u64 w1);
/* 0 or the errno of the first that is not taken. */
int guest_command(struct guest *g, u64 w0, u64 w1);

/* What iommufd was told of writes: pages from @first on. */
void dirty_begin(u64 first);
bool dirty_was_told(u64 iova);

/* Page requests that iommufd has got. */
extern struct told_fault {
	struct device *dev;
	struct iommu_fault_page_request request;
} faults[32];
extern unsigned int nr_faults;
/* It takes none. */
extern bool faults_refused;

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * What kernel.h declares. Memory of the unit is one piece: what is freed is poisoned for
 * the address sanitizer, and its addresses begin where no pointer of the process is.
 * A second copy is what a unit sees that does not look into the CPU's caches.
 */
#include <linux/iommufd_driver.h>
#include <sanitizer/asan_interface.h>
#include <sys/mman.h>

#include "help.h"
#include "soft_int.h"

#define PAGES 16384UL
#define FIRST_PHYS 0x480000000ULL

unsigned int spinning;
long kernel_fail_after = -1;
char kernel_log[512];
unsigned int kernel_log_lines;
struct device *soft_platform;
void (*kernel_watch)(void);

void panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	abort();
}

void kernel_tell(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(kernel_log, sizeof(kernel_log), fmt, args);
	va_end(args);
	kernel_log_lines++;
}

bool kernel_fails(void)
{
	if (kernel_fail_after < 0)
		return false;
	if (kernel_fail_after)
		kernel_fail_after--;
	return !kernel_fail_after;
}

void *kernel_alloc(size_t size)
{
	might_sleep();
	return kernel_fails() ? NULL : calloc(1, size);
}

static struct page pages[PAGES];
static char *memory, *seen;

static void memory_make(void)
{
	if (memory)
		return;
	memory = mmap(NULL, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	seen = mmap(NULL, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED || seen == MAP_FAILED)
		abort();
	ASAN_POISON_MEMORY_REGION(memory, PAGES * PAGE_SIZE);
}

void *pages_get(unsigned int order, bool coherent)
{
	unsigned long first, i, nr = 1UL << order;
	char *at;

	might_sleep();
	memory_make();
	if (kernel_fails())
		return NULL;
	for (first = 0; first < PAGES; first += nr) {
		for (i = 0; i < nr && !pages[first + i].used; i++)
			;
		if (i == nr)
			break;
	}
	if (first == PAGES)
		panic("no memory is left");
	for (i = 0; i < nr; i++) {
		pages[first + i].used = true;
		pages[first + i].coherent = coherent;
	}
	pages[first].order = order;
	at = memory + first * PAGE_SIZE;
	ASAN_UNPOISON_MEMORY_REGION(at, nr * PAGE_SIZE);
	memset(at, 0, nr * PAGE_SIZE);
	/* before the first flush it is anything but zeroes */
	memset(seen + first * PAGE_SIZE, coherent ? 0 : 0xff, nr * PAGE_SIZE);
	return at;
}

void pages_put(void *at)
{
	struct page *page = virt_to_page(at);
	unsigned long i, nr = 1UL << page->order;

	for (i = 0; i < nr; i++) {
		if (!page[i].used)
			panic("freed twice");
		page[i].used = false;
	}
	memset(at, 0xa5, nr * PAGE_SIZE);
	ASAN_POISON_MEMORY_REGION(at, nr * PAGE_SIZE);
}

struct page *virt_to_page(const void *at)
{
	unsigned long n = ((const char *)at - memory) / PAGE_SIZE;

	if ((const char *)at < memory || n >= PAGES)
		panic("%p is no memory of the unit", at);
	return &pages[n];
}

struct page *virt_to_page_or_null(const void *at)
{
	return at ? virt_to_page(at) : NULL;
}

void *page_to_virt(const struct page *page)
{
	return memory + (page - pages) * PAGE_SIZE;
}

u64 virt_to_phys(const void *at)
{
	virt_to_page(at);
	return (const char *)at - memory + FIRST_PHYS;
}

void *phys_to_virt(u64 phys)
{
	u64 n = phys - FIRST_PHYS;

	return phys < FIRST_PHYS || n >= PAGES * PAGE_SIZE ? NULL : memory + n;
}

unsigned long pages_used(void)
{
	unsigned long i, nr = 0;

	for (i = 0; i < PAGES; i++)
		nr += pages[i].used;
	return nr;
}

/* A unit that reads what is free reads what is no longer its own. */
static char *word_at(u64 phys)
{
	char *at = phys_to_virt(phys);

	if (!at || phys & 7)
		return NULL;
	if (!pages[(at - memory) / PAGE_SIZE].used)
		panic("the unit reads %#llx, which is free", phys);
	if (!soft.coherent && !pages[(at - memory) / PAGE_SIZE].coherent)
		return seen + (at - memory);
	return at;
}

bool memory_read(u64 phys, u64 *value)
{
	const char *at = word_at(phys);

	if (at)
		memcpy(value, at, 8);
	return at;
}

bool memory_write(u64 phys, u64 value)
{
	char *at = word_at(phys);

	if (at)
		memcpy(at, &value, 8);
	if (at)
		memcpy(phys_to_virt(phys), &value, 8);
	return at;
}

void clflush_cache_range(const void *at, size_t size)
{
	unsigned long first = ((const char *)at - memory) & ~63UL;
	unsigned long end = ((const char *)at - memory + size + 63) & ~63UL;

	virt_to_page(at);
	memcpy(seen + first, memory + first, end - first);
}

void *dma_alloc_coherent(struct device *dev, size_t size, dma_addr_t *dma, gfp_t gfp)
{
	unsigned int order = size > PAGE_SIZE ? order_base_2(size) - PAGE_SHIFT : 0;
	void *at = pages_get(order, true);

	(void)dev;
	(void)gfp;
	if (at)
		*dma = virt_to_phys(at);
	return at;
}

void dma_free_coherent(struct device *dev, size_t size, void *at, dma_addr_t dma)
{
	(void)dev;
	if (dma != virt_to_phys(at) || size > PAGE_SIZE << virt_to_page(at)->order)
		panic("freed as what it is not");
	pages_put(at);
}

/* What goes with the platform device. */
static void *managed[16];
static unsigned int nr_managed;

void *dmam_alloc_coherent(struct device *dev, size_t size, dma_addr_t *dma, gfp_t gfp)
{
	void *at = dma_alloc_coherent(dev, size, dma, gfp);

	if (at)
		managed[nr_managed++] = at;
	return at;
}

/* Interrupts: 1 events, 2 errors, 3 page requests, 4 all of them. */
static struct {
	irq_handler_t thread;
	void *arg;
} handlers[5];

static void (*write_message)(struct msi_desc *desc, struct msi_msg *msg);

void kernel_devres_release(void)
{
	while (nr_managed)
		pages_put(managed[--nr_managed]);
	memset(handlers, 0, sizeof(handlers));
	write_message = NULL;
}

static const char *const names[] = { NULL, "eventq", "gerror", "priq", "combined" };

int platform_get_irq_byname_optional(struct platform_device *pdev, const char *name)
{
	unsigned int i;

	(void)pdev;
	for (i = 1; i < 5; i++)
		if (!strcmp(names[i], name))
			return (i == 4 ? soft.combined : soft.wires) ? (int)i : -ENXIO;
	return -ENXIO;
}

/* A message's address names the interrupt. */
#define DOORBELL 0x8080040ULL

int platform_device_msi_init_and_alloc_irqs(struct device *dev, unsigned int nr,
					    void (*write)(struct msi_desc *, struct msi_msg *))
{
	unsigned int i;

	write_message = write;
	for (i = 0; i < nr; i++) {
		struct msi_desc desc = { dev, i };
		struct msi_msg msg = { DOORBELL, 0, 0x20 + i };

		write(&desc, &msg);
	}
	return 0;
}

int msi_get_virq(struct device *dev, unsigned int index)
{
	(void)dev;
	return 1 + index;
}

int devm_request_threaded_irq(struct device *dev, int irq, irq_handler_t hard,
			      irq_handler_t thread, unsigned long flags,
			      const char *name, void *arg)
{
	(void)dev;
	(void)hard;
	(void)flags;
	(void)name;
	if (kernel_fails())
		return -ENOMEM;
	handlers[irq].thread = thread;
	handlers[irq].arg = arg;
	return 0;
}

/* 6.3: where the three messages stand in the registers */
void kernel_interrupt(unsigned int which)
{
	static const unsigned int config[] = { 0xb0, 0x68, 0xd0 };
	u64 to = reg64(config[which]) & GENMASK_ULL(51, 2);
	unsigned int irq = soft.combined ? 4 : 1 + which;

	if (soft.idr[0] & IDR0_MSI && to) {
		if (to != DOORBELL || reg(config[which] + 12) != 1)
			panic("a message to %#llx", to);
		soft.messages++;
		irq = reg(config[which] + 8) - 0x20 + 1;
	} else if (soft.combined || soft.wires) {
		soft.interrupts++;
	}
	if (handlers[irq].thread)
		handlers[irq].thread(irq, handlers[irq].arg);
}

void ida_init(struct ida *ida)
{
	memset(ida, 0, sizeof(*ida));
}

int ida_alloc_range(struct ida *ida, unsigned int first, unsigned int last, gfp_t gfp)
{
	unsigned int i;

	(void)gfp;
	if (kernel_fails())
		return -ENOMEM;
	for (i = first; i <= last; i++) {
		if (ida->used[i / 8] >> i % 8 & 1)
			continue;
		ida->used[i / 8] |= 1 << i % 8;
		return i;
	}
	return -ENOSPC;
}

void ida_free(struct ida *ida, unsigned int id)
{
	if (!(ida->used[id / 8] >> id % 8 & 1))
		panic("id %u is not in use", id);
	ida->used[id / 8] &= ~(1 << id % 8);
}

void xa_init(struct xarray *xa)
{
	xa->slots = NULL;
	xa->nr = 0;
}

void *xa_load(const struct xarray *xa, unsigned long index)
{
	unsigned int i;

	for (i = 0; i < xa->nr; i++)
		if (xa->slots[i].index == index)
			return xa->slots[i].value;
	return NULL;
}

void *xa_store(struct xarray *xa, unsigned long index, void *value, gfp_t gfp)
{
	(void)gfp;
	if (kernel_fails())
		return ERR_PTR(-ENOMEM);
	xa_erase(xa, index);
	xa->slots = realloc(xa->slots, (xa->nr + 1) * sizeof(*xa->slots));
	xa->slots[xa->nr].index = index;
	xa->slots[xa->nr++].value = value;
	return NULL;
}

void *xa_erase(struct xarray *xa, unsigned long index)
{
	unsigned int i;
	void *value;

	for (i = 0; i < xa->nr; i++) {
		if (xa->slots[i].index != index)
			continue;
		value = xa->slots[i].value;
		xa->slots[i] = xa->slots[--xa->nr];
		return value;
	}
	return NULL;
}

void xa_destroy(struct xarray *xa)
{
	free(xa->slots);
	xa_init(xa);
}

int pci_enable_ats(struct pci_dev *pdev, int shift)
{
	(void)shift;
	WARN_ON(pdev->ats_enabled);
	pdev->ats_enabled = true;
	return 0;
}

void pci_disable_ats(struct pci_dev *pdev)
{
	unsigned int i;

	WARN_ON(!pdev->ats_enabled);
	pdev->ats_enabled = false;
	/* PCIe 10.5: it forgets then */
	for (i = 0; i < soft.nr_devices; i++)
		if (soft.devices[i].pdev == pdev)
			memset(soft.devices[i].atc, 0, sizeof(soft.devices[i].atc));
}

bool pci_ats_supported(struct pci_dev *pdev)
{
	return pdev->ats_cap && !pdev->untrusted;
}

int pci_prepare_ats(struct pci_dev *pdev, int shift)
{
	(void)pdev;
	(void)shift;
	return 0;
}

int pci_enable_pasid(struct pci_dev *pdev, int features)
{
	(void)features;
	/* not while its ATS is on */
	WARN_ON(pdev->ats_enabled || pdev->pasid_enabled);
	pdev->pasid_enabled = true;
	return 0;
}

void pci_disable_pasid(struct pci_dev *pdev)
{
	WARN_ON(pdev->ats_enabled || !pdev->pasid_enabled);
	pdev->pasid_enabled = false;
}

int pci_pasid_features(struct pci_dev *pdev)
{
	return pdev->pasid_cap ? 0 : -EINVAL;
}

int pci_read_config_word(const struct pci_dev *pdev, int at, u16 *value)
{
	if (pdev->gone)
		return -EIO;
	if (at == pdev->pri_cap + PCI_PRI_CTRL)
		*value = pdev->pri_control;
	else if (at == pdev->pri_cap + PCI_PRI_STATUS)
		*value = (pdev->pri_control & PCI_PRI_CTRL_ENABLE || pdev->pri_busy ?
			  0 : PCI_PRI_STATUS_STOPPED) |
			 (pdev->pri_failed ? PCI_PRI_STATUS_RF : 0);
	else
		panic("word %#x of configuration space", at);
	return 0;
}

int pci_read_config_dword(const struct pci_dev *pdev, int at, u32 *value)
{
	WARN_ON(at != pdev->pri_cap + PCI_PRI_MAX_REQ);
	*value = pdev->pri_max;
	return pdev->gone ? -EIO : 0;
}

int pci_write_config_word(struct pci_dev *pdev, int at, u16 value)
{
	WARN_ON(at != pdev->pri_cap + PCI_PRI_CTRL);
	/* PCIe 10.5.2: not without ATS, and a reset only while it is off */
	WARN_ON(value & PCI_PRI_CTRL_ENABLE && !pdev->ats_enabled);
	WARN_ON(value & PCI_PRI_CTRL_RESET && pdev->pri_control & PCI_PRI_CTRL_ENABLE);
	pdev->pri_control = value & PCI_PRI_CTRL_ENABLE;
	return 0;
}

int pci_write_config_dword(struct pci_dev *pdev, int at, u32 value)
{
	WARN_ON(at != pdev->pri_cap + PCI_PRI_ALLOC_REQ);
	pdev->pri_allocated = value;
	return 0;
}

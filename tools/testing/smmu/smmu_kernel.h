/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As much of the kernel as iommu_smmuv3 needs, in a process of one thread. Every header
 * of the kernel that it includes is this one.
 *
 * Memory that a unit reads is in one piece, with addresses of its own: see smmu_smmu_kernel.c.
 * Registers are reached by soft_read() and soft_write(), which a unit in software
 * answers: see soft.h.
 */
#ifndef SMMU_KERNEL_H
#define SMMU_KERNEL_H

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <assert.h>
#include <asm/types.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
/* as in the kernel, where %llx prints it everywhere */
typedef unsigned long long u64;
typedef long long s64;
typedef u64 __le64;
typedef u64 phys_addr_t, dma_addr_t, resource_size_t;
typedef u32 ioasid_t;
typedef unsigned int gfp_t;

#define __KERNEL_HEADERS_ARE_HERE
#define __iomem
#define __user
#define __force
#undef __counted_by
#define __counted_by(n)
#define __printf(a, b) __attribute__((format(printf, a, b)))
#define noinline __attribute__((noinline))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define THIS_MODULE NULL

#define U8_MAX UINT8_MAX
#define U16_MAX UINT16_MAX
#define U32_MAX UINT32_MAX
#define U64_MAX (~0ULL)
#define SZ_1K 1024UL
#define PAGE_SHIFT 12
#define PAGE_SIZE 4096UL
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define PAGE_ALIGN(n) (((n) + PAGE_SIZE - 1) & PAGE_MASK)
#define USEC_PER_SEC 1000000L
#define ENOTSUPP 524

#define BIT(n) (1UL << (n))
#define BIT_ULL(n) (1ULL << (n))
#define GENMASK_ULL(h, l) ((~0ULL >> (63 - (h))) & (~0ULL << (l)))
#define GENMASK(h, l) ((unsigned long)GENMASK_ULL(h, l))
#define FIELD_GET(mask, value) (((value) & (mask)) / ((mask) & -(mask)))
#define FIELD_PREP(mask, value) (((u64)(value) * ((mask) & -(mask))) & (mask))
#define FIELD_PREP_CONST FIELD_PREP
#define FIELD_MAX(mask) ((mask) / ((mask) & -(mask)))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define offsetofend(t, m) (offsetof(t, m) + sizeof(((t *)0)->m))
#define container_of(p, t, m) ((t *)((char *)(p) - offsetof(t, m)))
#define struct_size(p, m, n) (sizeof(*(p)) + (n) * sizeof((p)->m[0]))
#define min(a, b) ({ __typeof__(a) a_ = (a); __typeof__(b) b_ = (b); a_ < b_ ? a_ : b_; })
#define max(a, b) ({ __typeof__(a) a_ = (a); __typeof__(b) b_ = (b); a_ > b_ ? a_ : b_; })
#define min_t(t, a, b) min((t)(a), (t)(b))
#define max_t(t, a, b) max((t)(a), (t)(b))
#define check_add_overflow(a, b, sum) __builtin_add_overflow(a, b, sum)
#define READ_ONCE(x) (*(volatile __typeof__(x) *)&(x))
/* Whatever hardware may see from now on the test may look at. */
extern void (*kernel_watch)(void);
#define WRITE_ONCE(x, v) do {						\
	*(volatile __typeof__(x) *)&(x) = (v);				\
	if (kernel_watch)						\
		kernel_watch();						\
} while (0)
#define cpu_to_le64(x) ((u64)(x))
#define le64_to_cpu(x) ((u64)(x))
#define IS_ALIGNED(x, a) (!((x) & ((a) - 1)))

#define GFP_KERNEL 0
#define GFP_KERNEL_ACCOUNT 0
#define GFP_ATOMIC 0
#define __GFP_ZERO 0
#define __GFP_COMP 0

static inline unsigned int ilog2(u64 n)
{
	return 63 - __builtin_clzll(n);
}

static inline unsigned int __ffs64(u64 n)
{
	return __builtin_ctzll(n);
}

static inline unsigned int order_base_2(u64 n)
{
	return n > 1 ? ilog2(n - 1) + 1 : 0;
}

static inline bool try_cmpxchg64(u64 *at, u64 *old, u64 value)
{
	return __atomic_compare_exchange_n(at, old, value, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

/* A defect of the driver ends the test. */
void __attribute__((noreturn, format(printf, 1, 2))) panic(const char *fmt, ...);
#define WARN_ON(x) ({ bool w_ = (x); if (w_) panic("not to be: %s", #x); w_; })
#define WARN_ON_ONCE WARN_ON
#define WARN_ONCE(x, ...) WARN_ON(x)

/* Nothing else runs. */
#define dma_wmb() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define dma_rmb() dma_wmb()
#define cond_resched() do { } while (0)
#define touch_nmi_watchdog() do { } while (0)
#define udelay(n) do { } while (0)
#define usleep_range(a, b) do { } while (0)

#define IS_ERR_VALUE(x) ((unsigned long)(x) >= (unsigned long)-4095)
#define ERR_PTR(e) ((void *)(long)(e))
#define PTR_ERR(p) ((long)(p))
#define IS_ERR(p) IS_ERR_VALUE(p)
#define ERR_CAST(p) ((void *)(p))

/* Lists. */
struct list_head {
	struct list_head *next, *prev;
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};

#define LIST_HEAD_INIT(name) { &(name), &(name) }
#define LIST_HEAD(name) struct list_head name = LIST_HEAD_INIT(name)

static inline void INIT_LIST_HEAD(struct list_head *l)
{
	l->next = l;
	l->prev = l;
}

static inline bool list_empty(const struct list_head *l)
{
	return l->next == l;
}

static inline void list_add(struct list_head *e, struct list_head *l)
{
	e->next = l->next;
	e->prev = l;
	l->next->prev = e;
	l->next = e;
}

static inline void list_add_tail(struct list_head *e, struct list_head *l)
{
	list_add(e, l->prev);
}

static inline void list_del(struct list_head *e)
{
	e->prev->next = e->next;
	e->next->prev = e->prev;
	e->next = NULL;
	e->prev = NULL;
}

static inline void list_del_init(struct list_head *e)
{
	list_del(e);
	INIT_LIST_HEAD(e);
}

static inline void list_splice_init(struct list_head *from, struct list_head *to)
{
	if (list_empty(from))
		return;
	from->next->prev = to;
	from->prev->next = to->next;
	to->next->prev = from->prev;
	to->next = from->next;
	INIT_LIST_HEAD(from);
}

#define list_splice list_splice_init
#define list_entry container_of
#define list_for_each_entry(e, l, m)						\
	for (e = list_entry((l)->next, __typeof__(*e), m); &e->m != (l);	\
	     e = list_entry(e->m.next, __typeof__(*e), m))
#define list_for_each_entry_safe(e, n, l, m)					\
	for (e = list_entry((l)->next, __typeof__(*e), m),			\
	     n = list_entry(e->m.next, __typeof__(*e), m); &e->m != (l);	\
	     e = n, n = list_entry(n->m.next, __typeof__(*e), m))

/* Locks: that they are held, and not twice, is checked. */
struct mutex {
	bool held;
};

typedef struct mutex spinlock_t;
typedef struct mutex raw_spinlock_t;
/* Spinlocks that are held: nothing may sleep. */
extern unsigned int spinning;

#define might_sleep() WARN_ON(spinning)
#define lockdep_assert_held(l) WARN_ON(!(l)->held)
#define mutex_init(l) ((void)((l)->held = false))
#define spin_lock_init mutex_init
#define raw_spin_lock_init mutex_init
#define mutex_lock(l) do { might_sleep(); WARN_ON((l)->held); (l)->held = true; } while (0)
#define mutex_unlock(l) do { WARN_ON(!(l)->held); (l)->held = false; } while (0)
#define spin_lock(l) do { WARN_ON((l)->held); (l)->held = true; spinning++; } while (0)
#define spin_unlock(l) do { WARN_ON(!(l)->held); (l)->held = false; spinning--; } while (0)
#define spin_lock_irqsave(l, f) do { (f) = 0; spin_lock(l); } while (0)
#define spin_unlock_irqrestore(l, f) do { (void)(f); spin_unlock(l); } while (0)
#define raw_spin_lock_irqsave spin_lock_irqsave
#define raw_spin_unlock_irqrestore spin_unlock_irqrestore

/* Memory of the CPU. kernel_fail_after: as pt_user_fail_after, of all kinds there are. */
extern long kernel_fail_after;
bool kernel_fails(void);
void *kernel_alloc(size_t size);

#define kzalloc(n, f) kernel_alloc(n)
#define kmalloc(n, f) kernel_alloc(n)
#define kcalloc(n, s, f) kernel_alloc((n) * (s))
#define kvcalloc kcalloc
#define kfree(p) free((void *)(p))
#define kvfree kfree

/* Memory of the unit. */
struct device;

struct page {
	struct list_head lru;
	unsigned int order;
	bool used;
	bool coherent;
};

void *pages_get(unsigned int order, bool coherent);
void pages_put(void *at);
struct page *virt_to_page(const void *at);
u64 virt_to_phys(const void *at);
/* Address of memory that there is; NULL of others. */
void *phys_to_virt(u64 phys);
/* Pages that are not free. */
unsigned long pages_used(void);

#define alloc_pages_node(node, f, order) ((void)(node), virt_to_page_or_null(pages_get(order, false)))
#define page_address(p) page_to_virt(p)
#define __free_pages(p, order) ((void)(order), pages_put(page_to_virt(p)))
#define compound_order(p) ((p)->order)

struct page *virt_to_page_or_null(const void *at);
void *page_to_virt(const struct page *page);

void *dma_alloc_coherent(struct device *dev, size_t size, dma_addr_t *dma, gfp_t gfp);
void dma_free_coherent(struct device *dev, size_t size, void *at, dma_addr_t dma);
void *dmam_alloc_coherent(struct device *dev, size_t size, dma_addr_t *dma, gfp_t gfp);
/* What the CPU has written reaches memory. */
void clflush_cache_range(const void *at, size_t size);

/* Devices. */
struct msi_msg {
	u32 address_lo, address_hi, data;
};

struct msi_desc {
	struct device *dev;
	unsigned int msi_index;
};

struct iommu_domain;
struct iommu_device;
struct fwnode_handle;

struct iommu_fwspec {
	struct fwnode_handle *iommu_fwnode;
	u32 flags;
	unsigned int num_ids;
	u32 ids[4];
};

#define IOMMU_FWSPEC_PCI_RC_ATS BIT(0)

struct dev_iommu {
	struct iommu_fwspec *fwspec;
	struct iommu_device *iommu_dev;
	void *priv;
	u32 max_pasids;
};

struct device_node;

struct device {
	const char *name;
	struct dev_iommu *iommu;
	struct device_node *of_node;
	struct { void *domain; } msi;
	void *drvdata;
	bool is_pci;
	/* a property of firmware: it stalls */
	bool can_stall;
};

/* What the PCI core knows of it, as the test sets it. */
struct pci_dev {
	struct device dev;
	u16 ats_cap, pri_cap, pasid_cap;
	u8 ats_qdep;
	bool ats_enabled, pasid_enabled, pri_enabled, is_virtfn, untrusted, is_bridge;
	u32 pri_reqs_alloc;
	u16 pri_control;
	u32 pri_allocated, pri_max;
	/* it has not finished with what was before */
	bool pri_busy, pri_failed;
	/* it does not answer */
	bool gone;
	u32 max_pasids;
};

struct platform_device {
	struct device dev;
};

#define dev_name(d) ((d)->name)
#define dev_to_node(d) 0
#define dev_is_pci(d) ((d)->is_pci)
#define to_pci_dev(d) container_of(d, struct pci_dev, dev)
#define pci_is_bridge(p) ((p)->is_bridge)
#define to_platform_device(d) container_of(d, struct platform_device, dev)
#define dev_iommu_priv_set(d, p) ((void)((d)->iommu->priv = (p)))
#define dev_iommu_priv_get(d) ((d)->iommu->priv)
#define dev_iommu_fwspec_get(d) ((const struct iommu_fwspec *)(d)->iommu->fwspec)
#define dev_get_drvdata(d) ((d)->drvdata)
#define put_device(d) do { } while (0)
extern struct device *soft_platform;
#define bus_find_device_by_fwnode(bus, fwnode) ((void)(fwnode), soft_platform)
#define platform_bus_type 0
#define device_property_read_bool(d, name) ((void)(name), (d)->can_stall)
#define of_property_read_bool(n, name) ((void)(n), (void)(name), false)

/* Lines of the kernel's log; the last one is kept. */
extern char kernel_log[512];
extern unsigned int kernel_log_lines;
void __printf(1, 2) kernel_tell(const char *fmt, ...);
#define dev_err(d, ...) ((void)(d), kernel_tell(__VA_ARGS__))
#define dev_warn dev_err
#define dev_info dev_err
#define dev_dbg dev_err
#define dev_err_ratelimited dev_err
#define dev_warn_ratelimited dev_err
#define dev_warn_once dev_err
#define pci_warn(p, ...) ((void)(p), kernel_tell(__VA_ARGS__))

/* Registers. */
u32 soft_read(const void *at);
u64 soft_read64(const void *at);
void soft_write(u32 value, void *at);
void soft_write64(u64 value, void *at);
#define readl(at) soft_read(at)
#define readq(at) soft_read64(at)
#define writel(v, at) soft_write(v, at)
#define writeq(v, at) soft_write64(v, at)
#define readl_poll_timeout(at, v, until, delay, timeout) ({		\
	unsigned int n_ = 0;						\
	do {								\
		(v) = readl(at);					\
	} while (!(until) && ++n_ < 100);				\
	(until) ? 0 : -ETIMEDOUT; })
#define read_poll_timeout(op, v, until, delay, timeout, before, ...) ({	\
	unsigned int n_ = 0;						\
	do {								\
		(v) = op(__VA_ARGS__);					\
	} while (!(until) && ++n_ < 100);				\
	(until) ? 0 : -ETIMEDOUT; })

/* Interrupts. */
typedef enum { IRQ_NONE, IRQ_HANDLED } irqreturn_t;
typedef irqreturn_t (*irq_handler_t)(int irq, void *arg);
#define IRQF_ONESHOT 0
int platform_get_irq_byname_optional(struct platform_device *pdev, const char *name);
int platform_device_msi_init_and_alloc_irqs(struct device *dev, unsigned int nr,
					    void (*write)(struct msi_desc *, struct msi_msg *));
int msi_get_virq(struct device *dev, unsigned int index);
int devm_request_threaded_irq(struct device *dev, int irq, irq_handler_t hard,
			      irq_handler_t thread, unsigned long flags,
			      const char *name, void *arg);
#define msi_desc_to_dev(d) ((d)->dev)

/* Numbers that are in use. */
struct ida {
	u8 used[65536 / 8];
};

void ida_init(struct ida *ida);
int ida_alloc_range(struct ida *ida, unsigned int first, unsigned int last, gfp_t gfp);
void ida_free(struct ida *ida, unsigned int id);

struct xarray {
	struct { unsigned long index; void *value; } *slots;
	unsigned int nr;
};

void xa_init(struct xarray *xa);
void *xa_load(const struct xarray *xa, unsigned long index);
void *xa_store(struct xarray *xa, unsigned long index, void *value, gfp_t gfp);
void *xa_erase(struct xarray *xa, unsigned long index);
void xa_destroy(struct xarray *xa);
#define xa_err(p) (IS_ERR(p) ? (int)PTR_ERR(p) : 0)

#define strscpy(to, from, size) snprintf(to, size, "%s", from)

/* ACPI and trees of devices: there are none. */
struct acpi_iort_smmu_v3 {
	u32 model;
};

struct acpi_iort_node {
	char node_data[8];
};

#define ACPI_IORT_SMMU_V3_CAVIUM_CN99XX 2
#define dev_get_platdata(d) ((void)(d), NULL)

/* The IOMMU core. */
#define IOMMU_READ 1
#define IOMMU_WRITE 2
#define IOMMU_CACHE 4
#define IOMMU_NOEXEC 8
#define IOMMU_MMIO 16
#define IOMMU_PRIV 32
#define IOMMU_RESV_SW_MSI 4
#define IOMMU_NO_PASID 0U
#define IOMMU_DOMAIN_UNMANAGED 1
#define IOMMU_DOMAIN_NESTED 2
#define IOMMU_DIRTY_NO_CLEAR 1

struct iommu_resv_region {
	struct list_head list;
};

#define iommu_alloc_resv_region(...) ((struct iommu_resv_region *)NULL)

struct iommu_device {
	struct device *dev;
	u32 max_pasids;
};

struct iommu_ops {
	void *owner;
};

struct iommu_iotlb_gather {
	unsigned long start, end;
	struct list_head freelist;
};

static inline void iommu_iotlb_gather_init(struct iommu_iotlb_gather *g)
{
	g->start = ULONG_MAX;
	g->end = 0;
	INIT_LIST_HEAD(&g->freelist);
}

static inline void iommu_iotlb_gather_add_range(struct iommu_iotlb_gather *g,
						unsigned long iova, size_t size)
{
	g->start = min(g->start, iova);
	g->end = max(g->end, iova + size - 1);
}

struct iommu_domain_ops {
	int (*attach_dev)(struct iommu_domain *domain, struct device *dev);
	int (*set_dev_pasid)(struct iommu_domain *domain, struct device *dev,
			     ioasid_t pasid, struct iommu_domain *old);
	int (*map_pages)(struct iommu_domain *domain, unsigned long iova,
			 phys_addr_t phys, size_t size, size_t count, int prot,
			 gfp_t gfp, size_t *mapped);
	size_t (*unmap_pages)(struct iommu_domain *domain, unsigned long iova,
			      size_t size, size_t count,
			      struct iommu_iotlb_gather *gather);
	void (*flush_iotlb_all)(struct iommu_domain *domain);
	void (*iotlb_sync)(struct iommu_domain *domain,
			   struct iommu_iotlb_gather *gather);
	phys_addr_t (*iova_to_phys)(struct iommu_domain *domain, dma_addr_t iova);
	bool (*enforce_cache_coherency)(struct iommu_domain *domain);
	void (*free)(struct iommu_domain *domain);
};

struct iommu_domain_geometry {
	dma_addr_t aperture_start, aperture_end;
	bool force_aperture;
};

struct iommu_domain {
	unsigned int type;
	const struct iommu_domain_ops *ops;
	const struct iommu_ops *owner;
	unsigned long pgsize_bitmap;
	struct iommu_domain_geometry geometry;
};

struct iommu_user_data {
	unsigned int type;
	void *uptr;
	size_t len;
};

struct iommu_user_data_array {
	unsigned int type;
	void *uptr;
	size_t entry_len;
	u32 entry_num;
};

#define IOMMU_FAULT_PERM_READ BIT(0)
#define IOMMU_FAULT_PERM_WRITE BIT(1)
#define IOMMU_FAULT_PERM_EXEC BIT(2)
#define IOMMU_FAULT_PERM_PRIV BIT(3)
#define IOMMU_FAULT_PAGE_REQUEST_PASID_VALID BIT(0)
#define IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE BIT(1)
#define IOMMU_FAULT_PAGE_RESPONSE_NEEDS_PASID BIT(2)

struct iommu_fault_page_request {
	u32 flags, pasid, grpid, perm;
	u64 addr;
};

enum iommu_page_response_code {
	IOMMU_PAGE_RESP_SUCCESS,
	IOMMU_PAGE_RESP_INVALID,
	IOMMU_PAGE_RESP_FAILURE,
};

/* The PCI core. */
int pci_enable_ats(struct pci_dev *pdev, int shift);
void pci_disable_ats(struct pci_dev *pdev);
bool pci_ats_supported(struct pci_dev *pdev);
int pci_prepare_ats(struct pci_dev *pdev, int shift);
int pci_enable_pasid(struct pci_dev *pdev, int features);
void pci_disable_pasid(struct pci_dev *pdev);
int pci_pasid_features(struct pci_dev *pdev);

/* Configuration space: the page request interface, at pri_cap. */
#define PCI_PRI_CTRL 4
#define PCI_PRI_CTRL_ENABLE BIT(0)
#define PCI_PRI_CTRL_RESET BIT(1)
#define PCI_PRI_STATUS 6
#define PCI_PRI_STATUS_RF BIT(0)
#define PCI_PRI_STATUS_STOPPED BIT(8)
#define PCI_PRI_MAX_REQ 8
#define PCI_PRI_ALLOC_REQ 12
int pci_read_config_word(const struct pci_dev *pdev, int at, u16 *value);
int pci_read_config_dword(const struct pci_dev *pdev, int at, u32 *value);
int pci_write_config_word(struct pci_dev *pdev, int at, u16 value);
int pci_write_config_dword(struct pci_dev *pdev, int at, u32 value);

#endif

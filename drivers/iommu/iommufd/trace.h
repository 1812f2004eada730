/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM iommufd

#if !defined(__IOMMUFD_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define __IOMMUFD_TRACE_H

#include <linux/tracepoint.h>

TRACE_EVENT(iommufd_refuse,
	TP_PROTO(int err, unsigned int cmd, const char *why),
	TP_ARGS(err, cmd, why),
	TP_STRUCT__entry(
		__field(int, err)
		__field(unsigned int, cmd)
		__string(why, why)
	),
	TP_fast_assign(
		__entry->err = err;
		__entry->cmd = cmd;
		__assign_str(why);
	),
	TP_printk("cmd=0x%x errno=%d %s", __entry->cmd, -__entry->err,
		  __get_str(why))
);

TRACE_EVENT(iommufd_map,
	TP_PROTO(unsigned long iova, unsigned long length, int prot, int rc),
	TP_ARGS(iova, length, prot, rc),
	TP_STRUCT__entry(
		__field(unsigned long, iova)
		__field(unsigned long, length)
		__field(int, prot)
		__field(int, rc)
	),
	TP_fast_assign(
		__entry->iova = iova;
		__entry->length = length;
		__entry->prot = prot;
		__entry->rc = rc;
	),
	TP_printk("iova=0x%lx length=0x%lx prot=0x%x errno=%d", __entry->iova,
		  __entry->length, __entry->prot, -__entry->rc)
);

TRACE_EVENT(iommufd_unmap,
	TP_PROTO(unsigned long iova, unsigned long length),
	TP_ARGS(iova, length),
	TP_STRUCT__entry(
		__field(unsigned long, iova)
		__field(unsigned long, length)
	),
	TP_fast_assign(
		__entry->iova = iova;
		__entry->length = length;
	),
	TP_printk("iova=0x%lx length=0x%lx", __entry->iova, __entry->length)
);

/* hwpt 0: detached */
TRACE_EVENT(iommufd_attach,
	TP_PROTO(const char *dev, u32 hwpt, int rc),
	TP_ARGS(dev, hwpt, rc),
	TP_STRUCT__entry(
		__string(dev, dev)
		__field(u32, hwpt)
		__field(int, rc)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->hwpt = hwpt;
		__entry->rc = rc;
	),
	TP_printk("dev=%s hwpt=%u errno=%d", __get_str(dev), __entry->hwpt,
		  -__entry->rc)
);

/* hwpt 0: detached */
TRACE_EVENT(iommufd_attach_pasid,
	TP_PROTO(const char *dev, u32 pasid, u32 hwpt, int rc),
	TP_ARGS(dev, pasid, hwpt, rc),
	TP_STRUCT__entry(
		__string(dev, dev)
		__field(u32, pasid)
		__field(u32, hwpt)
		__field(int, rc)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->pasid = pasid;
		__entry->hwpt = hwpt;
		__entry->rc = rc;
	),
	TP_printk("dev=%s pasid=%u hwpt=%u errno=%d", __get_str(dev),
		  __entry->pasid, __entry->hwpt, -__entry->rc)
);

TRACE_EVENT(iommufd_invalidate,
	TP_PROTO(u32 id, u32 type, u32 wanted, u32 done, int rc),
	TP_ARGS(id, type, wanted, done, rc),
	TP_STRUCT__entry(
		__field(u32, id)
		__field(u32, type)
		__field(u32, wanted)
		__field(u32, done)
		__field(int, rc)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->type = type;
		__entry->wanted = wanted;
		__entry->done = done;
		__entry->rc = rc;
	),
	TP_printk("id=%u type=0x%x entries=%u done=%u errno=%d", __entry->id,
		  __entry->type, __entry->wanted, __entry->done, -__entry->rc)
);

/* hwpt 0: made through no page table with a fault queue */
TRACE_EVENT(iommufd_fault,
	TP_PROTO(const char *dev, u32 pasid, u32 grpid, u32 perm, u64 addr,
		 u32 hwpt, bool queued),
	TP_ARGS(dev, pasid, grpid, perm, addr, hwpt, queued),
	TP_STRUCT__entry(
		__string(dev, dev)
		__field(u32, pasid)
		__field(u32, grpid)
		__field(u32, perm)
		__field(u64, addr)
		__field(u32, hwpt)
		__field(bool, queued)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->pasid = pasid;
		__entry->grpid = grpid;
		__entry->perm = perm;
		__entry->addr = addr;
		__entry->hwpt = hwpt;
		__entry->queued = queued;
	),
	TP_printk("dev=%s pasid=%u grpid=%u perm=0x%x addr=0x%llx hwpt=%u%s",
		  __get_str(dev), __entry->pasid, __entry->grpid, __entry->perm,
		  __entry->addr, __entry->hwpt,
		  __entry->queued ? "" : " refused")
);

TRACE_EVENT(iommufd_vevent,
	TP_PROTO(u32 viommu, u32 type, u32 sequence, bool lost),
	TP_ARGS(viommu, type, sequence, lost),
	TP_STRUCT__entry(
		__field(u32, viommu)
		__field(u32, type)
		__field(u32, sequence)
		__field(bool, lost)
	),
	TP_fast_assign(
		__entry->viommu = viommu;
		__entry->type = type;
		__entry->sequence = sequence;
		__entry->lost = lost;
	),
	TP_printk("viommu=%u type=0x%x sequence=%u%s", __entry->viommu,
		  __entry->type, __entry->sequence,
		  __entry->lost ? " lost" : "")
);

TRACE_EVENT(iommufd_page_response,
	TP_PROTO(const char *dev, u32 pasid, u32 grpid, u32 code),
	TP_ARGS(dev, pasid, grpid, code),
	TP_STRUCT__entry(
		__string(dev, dev)
		__field(u32, pasid)
		__field(u32, grpid)
		__field(u32, code)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->pasid = pasid;
		__entry->grpid = grpid;
		__entry->code = code;
	),
	TP_printk("dev=%s pasid=%u grpid=%u code=%u", __get_str(dev),
		  __entry->pasid, __entry->grpid, __entry->code)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>

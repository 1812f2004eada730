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

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>

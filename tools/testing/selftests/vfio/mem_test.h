/* SPDX-License-Identifier: GPL-2.0 */
/* Between test_emulated.c and ko/vfio_mem_test.c. */
#ifndef VFIO_MEM_TEST_H
#define VFIO_MEM_TEST_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* The file's position is the IOVA of what is read or written. */

#define MEM_TEST_PAGES	16

struct mem_test_pin {
	__u64 iova;
	__u32 npage;
	__u32 write;
	/* out: the first word of each page */
	__u64 words[MEM_TEST_PAGES];
};

/* Pin pages, which stay pinned until they are unpinned or unmapped. */
#define MEM_TEST_PIN	_IOWR('M', 0, struct mem_test_pin)
/* Write a word to the beginning of each pinned page. */
#define MEM_TEST_POKE	_IOW('M', 1, __u64)
#define MEM_TEST_UNPIN	_IO('M', 2)
/* How often the driver was asked to let go of pages that it had pinned. */
#define MEM_TEST_ASKED	_IO('M', 3)

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The commands of /dev/iommu as functions: 0 or an id's worth of success, a
 * negative errno otherwise. Each fills in the size and leaves everything else
 * as asked, so that a test which wants something odd calls iofd_ioctl().
 */
#ifndef LIB_IOFD_H
#define LIB_IOFD_H

#include <linux/iommufd.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define IOFD_RW		(IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE)
#define IOFD_FIXED_RW	(IOFD_RW | IOMMU_IOAS_MAP_FIXED_IOVA)
#define IOFD_FIXED_R	(IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_FIXED_IOVA)

/* a file descriptor, or a negative errno */
int iofd_open(void);
int iofd_ioctl(int fd, unsigned long cmd, void *arg);

int iofd_destroy(int fd, uint32_t id);
int iofd_ioas(int fd, uint32_t *ioas);
int iofd_ranges(int fd, uint32_t ioas, struct iommu_iova_range *ranges,
		uint32_t *count, uint64_t *alignment);
int iofd_allow(int fd, uint32_t ioas, const struct iommu_iova_range *ranges,
	       uint32_t count);
/* flags with FIXED_IOVA take *iova, without it set *iova */
int iofd_map(int fd, uint32_t ioas, const void *va, uint64_t length,
	     uint64_t *iova, uint32_t flags);
int iofd_map_at(int fd, uint32_t ioas, const void *va, uint64_t length,
		uint64_t iova);
int iofd_map_file(int fd, uint32_t ioas, int file, uint64_t start,
		  uint64_t length, uint64_t *iova, uint32_t flags);
/* unmapped may be NULL */
int iofd_unmap(int fd, uint32_t ioas, uint64_t iova, uint64_t length,
	       uint64_t *unmapped);
int iofd_option_set(int fd, uint32_t option, uint32_t object, uint64_t value);
int iofd_option_get(int fd, uint32_t option, uint32_t object, uint64_t *value);
int iofd_hwpt(int fd, uint32_t dev, uint32_t pt, uint32_t flags, uint32_t *hwpt);
/* info may be NULL, *length then is what the kernel has */
int iofd_hw_info(int fd, uint32_t dev, void *info, uint32_t *length,
		 uint32_t *type, uint64_t *capabilities);

/* What fdinfo says about the last refusal of the calling thread. */
struct iofd_refusal {
	pid_t tid;
	unsigned int cmd;
	int error;
	unsigned long long seq;
	char sentence[512];
};

/* false if there is none */
bool iofd_refusal(int fd, struct iofd_refusal *out);
/* the sentence alone, "" if there is none; overwritten by the next call */
const char *iommufd_last_reason(int fd);
/* objects that fdinfo lists, or of one type ("ioas", "hwpt"..) if not NULL */
int iofd_objects(int fd, const char *type);
/* their ids, no more than max; how many */
int iofd_object_ids(int fd, uint32_t *ids, int max);

/*
 * Was rc the wanted refusal (a negative errno) of cmd, and did exactly this
 * refusal leave a sentence? NULL if so, else what is wrong.
 */
const char *iofd_refused(int fd, unsigned int cmd, int rc, int want);

/* The number of a file that was closed may come back for another one. */
void iofd_forget(int fd);

/* As ERR of tap.h, and the refusal has to be explained as well. */
#define REFUSED(fd, cmd, call, want)					\
	do {								\
		int refused_ = (call);					\
		const char *wrong_ = iofd_refused(fd, cmd, refused_, want); \
									\
		if (wrong_)						\
			tap_fail(__FILE__, __LINE__, "%s: %s", #call, wrong_); \
	} while (0)

#endif

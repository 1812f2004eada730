/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Objects: what a user makes with ioctls and names by id.
 */
#ifndef __IOMMUFD_OBJECT_H
#define __IOMMUFD_OBJECT_H

#include <linux/err.h>
#include <linux/iommufd_reason.h>
#include <linux/maple_tree.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/xarray.h>

struct dentry;
struct file;
struct iommufd_ioas;
struct iommufd_object;
struct seq_file;

/**
 * struct iommufd_ctx - one open /dev/iommu
 * @file: its file; the context lives as long. In-kernel users of the context
 *	  hold a reference to the file
 * @objects: id to struct iommufd_object. Its xa_lock protects the table and the
 *	     busy, deps and dying fields of every object
 * @idle: woken when an object that is being destroyed is no longer busy
 * @log: the reasons of this file's refusals
 * @debugfs: where it is shown
 * @account_per_process: how locked memory is charged (OPTION_RLIMIT_MODE).
 *			 Changes only while @objects is empty, under its xa_lock
 * @vfio_ioas: stands for the container of VFIO's type1 interface, or NULL; under
 *	       the xa_lock, cleared before the IOAS is freed
 * @no_iommu_mode: VFIO uses the context for groups without an IOMMU; under the
 *		   xa_lock
 * @freeze_lock: held by who locks all address spaces at once; outside their locks
 * @regions_lock: protects @regions; inside the mmap_lock of users
 * @regions: struct viommu_region by page offset for mmap()
 * @groups_lock: protects @groups
 * @groups: struct iommufd_group of the devices bound here
 */
struct iommufd_ctx {
	struct file *file;
	struct xarray objects;
	wait_queue_head_t idle;
	struct iommufd_reason_log *log;
	struct dentry *debugfs;
	bool account_per_process;
	struct iommufd_ioas *vfio_ioas;
	bool no_iommu_mode;
	struct mutex freeze_lock;
	struct mutex regions_lock;
	struct maple_tree regions;
	struct mutex groups_lock;
	struct list_head groups;
};

/**
 * struct iommufd_object_type - one kind of object
 * @name: as users read it
 * @destroy: undo everything and free; called once, when nobody can find or hold
 *	     the object any more, or to give up a half-built one. May sleep
 * @show: add " key=value" pairs to the object's fdinfo line. Called under the
 *	  xa_lock: must not sleep
 * @others: who may depend on it without being an object, for reasons. Optional,
 *	    a kernel driver otherwise
 * @depends_on: whether @obj is what keeps @other from being destroyed. Called
 *		under the xa_lock. Optional
 */
struct iommufd_object_type {
	const char *name;
	const char *others;
	void (*destroy)(struct iommufd_object *obj);
	void (*show)(struct iommufd_object *obj, struct seq_file *m);
	bool (*depends_on)(const struct iommufd_object *obj,
			   const struct iommufd_object *other);
};

/**
 * struct iommufd_object - the common head of all objects
 * @ictx: whose table it is in
 * @type: its kind
 * @id: its id, reserved from iommufd_object_init() on
 * @busy: system calls and callers of the kernel API that are using it right now
 * @deps: objects and kernel users that last and need it to stay
 * @dying: it left the table and waits for @busy to become 0
 *
 * An object is found by id with a busy hold, which ends with the system call.
 * Whoever needs it for longer turns the hold into a dependency: destroying an
 * object with dependents is refused, destroying a busy one waits. A dependency
 * can only be added while the object is not dying, so that once destruction has
 * begun it always succeeds.
 */
struct iommufd_object {
	struct iommufd_ctx *ictx;
	const struct iommufd_object_type *type;
	u32 id;
	unsigned int busy;
	unsigned int deps;
	bool dying;
};

extern const struct iommufd_object_type iommufd_ioas_type;
extern const struct iommufd_object_type iommufd_hwpt_paging_type;
extern const struct iommufd_object_type iommufd_hwpt_nested_type;
extern const struct iommufd_object_type iommufd_device_type;
extern const struct iommufd_object_type iommufd_access_type;
extern const struct iommufd_object_type iommufd_fault_type;
extern const struct iommufd_object_type iommufd_veventq_type;
extern const struct iommufd_object_type iommufd_viommu_type;
extern const struct iommufd_object_type iommufd_vdevice_type;
extern const struct iommufd_object_type iommufd_hw_queue_type;

int iommufd_object_init(struct iommufd_ctx *ictx, struct iommufd_object *obj,
			const struct iommufd_object_type *type);
void iommufd_object_publish(struct iommufd_object *obj);
void iommufd_object_abandon(struct iommufd_object *obj);

struct iommufd_object *iommufd_object_get_any(struct iommufd_ctx *ictx, u32 id);
struct iommufd_object *iommufd_object_get(struct iommufd_ctx *ictx, u32 id,
					  const struct iommufd_object_type *type);
bool iommufd_object_hold(struct iommufd_object *obj);
void iommufd_object_put(struct iommufd_object *obj);

int iommufd_object_depend(struct iommufd_object *obj);
void iommufd_object_undepend(struct iommufd_object *obj);

struct iommufd_object *
iommufd_object_next(struct iommufd_ctx *ictx, unsigned long *index,
		    bool (*match)(const struct iommufd_object *obj,
				  const void *arg),
		    const void *arg);

int iommufd_object_destroy_id(struct iommufd_ctx *ictx, u32 id);
void iommufd_object_retire(struct iommufd_object *obj);
void iommufd_object_retire_unused(struct iommufd_object *obj);
bool iommufd_object_entomb(struct iommufd_object *obj);
void iommufd_object_finish(struct iommufd_object *obj);
void iommufd_object_destroy_all(struct iommufd_ctx *ictx);
void iommufd_object_show_all(struct iommufd_ctx *ictx, struct seq_file *m);

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of objects of a context: ids, holds, dependencies, destruction.
 */
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "object.h"

/**
 * iommufd_object_init - give a new object an id that nobody can use yet
 * @ictx: the context
 * @obj: zeroed memory
 * @type: its kind
 *
 * Followed by iommufd_object_publish(), or by iommufd_object_abandon() if
 * building the object fails.
 *
 * Return: 0 or -ENOMEM, explained; then @obj is the caller's to free
 */
int iommufd_object_init(struct iommufd_ctx *ictx, struct iommufd_object *obj,
			const struct iommufd_object_type *type)
{
	int rc;

	obj->ictx = ictx;
	obj->type = type;
	/* Storing NULL reserves the index: a lookup finds nothing there. */
	rc = xa_alloc(&ictx->objects, &obj->id, NULL, xa_limit_31b,
		      GFP_KERNEL_ACCOUNT);
	if (rc)
		return iommufd_refuse(-ENOMEM, "no memory for the id of a new %s",
				      type->name);
	return 0;
}

/**
 * iommufd_object_publish - let the user find an object by its id
 * @obj: completely built
 *
 * Another thread may destroy it from now on: the caller does not touch it again
 * unless it holds a dependency.
 */
void iommufd_object_publish(struct iommufd_object *obj)
{
	/* The reserved slot makes this store succeed without memory. */
	void *old = xa_store(&obj->ictx->objects, obj->id, obj, GFP_KERNEL);

	WARN_ON(old);
}

/**
 * iommufd_object_abandon - give up an object that was never published
 * @obj: initialized with iommufd_object_init(); freed here
 */
void iommufd_object_abandon(struct iommufd_object *obj)
{
	xa_erase(&obj->ictx->objects, obj->id);
	obj->type->destroy(obj);
}

/**
 * iommufd_object_get_any - find an object of whatever kind
 * @ictx: the context
 * @id: from the user
 *
 * Return: the object, held until iommufd_object_put(), or an ERR_PTR of -ENOENT
 */
struct iommufd_object *iommufd_object_get_any(struct iommufd_ctx *ictx, u32 id)
{
	struct iommufd_object *obj;

	xa_lock(&ictx->objects);
	obj = xa_load(&ictx->objects, id);
	if (obj)
		obj->busy++;
	xa_unlock(&ictx->objects);
	if (!obj)
		return ERR_PTR(iommufd_refuse(-ENOENT, "no object has id %u", id));
	return obj;
}

/**
 * iommufd_object_get - find an object that must be of one kind
 * @ictx: the context
 * @id: from the user
 * @type: what it has to be
 *
 * Return: the object, held until iommufd_object_put(), or an ERR_PTR of -ENOENT
 */
struct iommufd_object *iommufd_object_get(struct iommufd_ctx *ictx, u32 id,
					  const struct iommufd_object_type *type)
{
	struct iommufd_object *obj = iommufd_object_get_any(ictx, id);

	if (IS_ERR(obj) || obj->type == type)
		return obj;
	iommufd_refuse(-ENOENT, "object %u is a %s, this takes a %s", id,
		       obj->type->name, type->name);
	iommufd_object_put(obj);
	return ERR_PTR(-ENOENT);
}

/**
 * iommufd_object_hold - hold an object known by its address
 * @obj: not freed before the xa_lock, which the caller holds, is released
 *
 * Return: whether it is held; not if it is being destroyed
 */
bool iommufd_object_hold(struct iommufd_object *obj)
{
	lockdep_assert_held(&obj->ictx->objects.xa_lock);
	if (obj->dying)
		return false;
	obj->busy++;
	return true;
}

/**
 * iommufd_object_put - end a hold
 * @obj: from iommufd_object_get(); may be gone afterwards
 */
void iommufd_object_put(struct iommufd_object *obj)
{
	struct iommufd_ctx *ictx = obj->ictx;

	xa_lock(&ictx->objects);
	if (!--obj->busy && obj->dying)
		wake_up_all(&ictx->idle);
	xa_unlock(&ictx->objects);
}

/**
 * iommufd_object_depend - make an object stay
 * @obj: held, or depended on already, or kept from being freed by other means
 *
 * Return: 0, or -ENOENT if it is being destroyed or was never published
 */
int iommufd_object_depend(struct iommufd_object *obj)
{
	bool there;

	xa_lock(&obj->ictx->objects);
	there = xa_load(&obj->ictx->objects, obj->id) == obj;
	if (there)
		obj->deps++;
	xa_unlock(&obj->ictx->objects);
	if (!there)
		return iommufd_refuse(-ENOENT, "%s %u is being destroyed",
				      obj->type->name, obj->id);
	return 0;
}

/**
 * iommufd_object_undepend - let an object go
 * @obj: from iommufd_object_depend(); may be destroyed by the user afterwards
 */
void iommufd_object_undepend(struct iommufd_object *obj)
{
	xa_lock(&obj->ictx->objects);
	obj->deps--;
	xa_unlock(&obj->ictx->objects);
}

/**
 * iommufd_object_next - find an object by what it is
 * @ictx: the context
 * @index: where to look from, 0 at first; moved past what is found
 * @match: whether @obj is wanted; called under the xa_lock
 * @arg: for @match
 *
 * Return: the object, held until iommufd_object_put(), or NULL
 */
struct iommufd_object *
iommufd_object_next(struct iommufd_ctx *ictx, unsigned long *index,
		    bool (*match)(const struct iommufd_object *obj,
				  const void *arg),
		    const void *arg)
{
	struct iommufd_object *obj, *found = NULL;
	unsigned long at;

	xa_lock(&ictx->objects);
	xa_for_each_start(&ictx->objects, at, obj, *index) {
		if (match(obj, arg)) {
			obj->busy++;
			found = obj;
			*index = at + 1;
			break;
		}
	}
	xa_unlock(&ictx->objects);
	return found;
}

static void object_bury(struct iommufd_object *obj)
{
	struct iommufd_ctx *ictx = obj->ictx;

	lockdep_assert_held(&ictx->objects.xa_lock);
	obj->dying = true;
	__xa_erase(&ictx->objects, obj->id);
}

static bool object_idle(struct iommufd_object *obj)
{
	bool idle;

	xa_lock(&obj->ictx->objects);
	idle = !obj->busy;
	xa_unlock(&obj->ictx->objects);
	return idle;
}

static void object_wait_and_free(struct iommufd_object *obj)
{
	wait_event(obj->ictx->idle, object_idle(obj));
	obj->type->destroy(obj);
}

static int object_refuse_in_use(struct iommufd_ctx *ictx, u32 id)
{
	const struct iommufd_object_type *type = NULL;
	struct iommufd_object *obj, *other;
	const char *by = NULL;
	unsigned int deps = 0;
	unsigned long index;
	u32 by_id = 0;

	xa_lock(&ictx->objects);
	obj = xa_load(&ictx->objects, id);
	if (obj) {
		type = obj->type;
		deps = obj->deps;
		xa_for_each(&ictx->objects, index, other) {
			if (other->type->depends_on &&
			    other->type->depends_on(other, obj)) {
				by = other->type->name;
				by_id = other->id;
				break;
			}
		}
	}
	xa_unlock(&ictx->objects);
	if (by)
		return iommufd_refuse(-EBUSY, "%s %u has %u users, one is %s %u",
				      type->name, id, deps, by, by_id);
	return iommufd_refuse(-EBUSY, "%s %u has %u users, one is %s",
			      type ? type->name : "object", id, deps,
			      type && type->others ? type->others :
			      "a kernel driver");
}

/**
 * iommufd_object_destroy_id - destroy what the user names
 * @ictx: the context
 * @id: from the user
 *
 * Return: 0, -ENOENT if there is no such object, -EBUSY if something depends on
 *	   it; explained
 */
int iommufd_object_destroy_id(struct iommufd_ctx *ictx, u32 id)
{
	struct iommufd_object *obj;

	xa_lock(&ictx->objects);
	obj = xa_load(&ictx->objects, id);
	if (!obj) {
		xa_unlock(&ictx->objects);
		return iommufd_refuse(-ENOENT, "no object has id %u", id);
	}
	if (obj->deps) {
		xa_unlock(&ictx->objects);
		return object_refuse_in_use(ictx, id);
	}
	object_bury(obj);
	xa_unlock(&ictx->objects);
	object_wait_and_free(obj);
	return 0;
}

/**
 * iommufd_object_retire - destroy an object that a kernel driver owns
 * @obj: the caller's own dependency is the only one; ends here
 *
 * Context: sleeps until no system call uses the object.
 */
void iommufd_object_retire(struct iommufd_object *obj)
{
	struct iommufd_ctx *ictx = obj->ictx;

	xa_lock(&ictx->objects);
	WARN_ON(--obj->deps);
	object_bury(obj);
	xa_unlock(&ictx->objects);
	object_wait_and_free(obj);
}

/**
 * iommufd_object_retire_unused - end a dependency, and the object with the last
 * @obj: an object that the kernel made by itself for its dependents
 *
 * Context: may sleep until no system call uses the object.
 */
void iommufd_object_retire_unused(struct iommufd_object *obj)
{
	struct iommufd_ctx *ictx = obj->ictx;
	bool last;

	xa_lock(&ictx->objects);
	last = !--obj->deps && !obj->dying;
	if (last)
		object_bury(obj);
	xa_unlock(&ictx->objects);
	if (last)
		object_wait_and_free(obj);
}

/**
 * iommufd_object_entomb - begin to destroy an object whose id stays taken
 * @obj: published, not depended on; the xa_lock is held
 *
 * Return: whether iommufd_object_finish() is the caller's to call; not if the
 *	   object is being destroyed already
 */
bool iommufd_object_entomb(struct iommufd_object *obj)
{
	struct iommufd_ctx *ictx = obj->ictx;

	lockdep_assert_held(&ictx->objects.xa_lock);
	if (obj->dying)
		return false;
	obj->dying = true;
	/* Replaces an entry, so that nothing has to be allocated. */
	__xa_store(&ictx->objects, obj->id, XA_ZERO_ENTRY, 0);
	return true;
}

/**
 * iommufd_object_finish - wait until an object is not busy, and free it
 * @obj: from iommufd_object_entomb()
 *
 * Context: sleeps until no system call uses the object.
 */
void iommufd_object_finish(struct iommufd_object *obj)
{
	object_wait_and_free(obj);
}

/**
 * iommufd_object_destroy_all - empty the table when its file is released
 * @ictx: the context; nobody else uses it any more
 */
void iommufd_object_destroy_all(struct iommufd_ctx *ictx)
{
	struct iommufd_object *obj;
	unsigned long index;
	bool progress;

	/* Dependents go first; chains of objects are only a few links long. */
	do {
		progress = false;
		xa_for_each(&ictx->objects, index, obj) {
			if (obj->deps)
				continue;
			xa_lock(&ictx->objects);
			object_bury(obj);
			xa_unlock(&ictx->objects);
			obj->type->destroy(obj);
			progress = true;
		}
	} while (progress);
	/* Ids that stay taken are all that is left. */
	WARN_ON(xa_find(&ictx->objects, &(unsigned long){ 0 }, ULONG_MAX,
			XA_PRESENT));
	xa_destroy(&ictx->objects);
}

/**
 * iommufd_object_show_all - list the objects of a context
 * @ictx: the context
 * @m: its fdinfo
 */
void iommufd_object_show_all(struct iommufd_ctx *ictx, struct seq_file *m)
{
	struct iommufd_object *obj;
	unsigned long index;

	xa_lock(&ictx->objects);
	xa_for_each(&ictx->objects, index, obj) {
		seq_printf(m, "object:\tid=%u type=%s users=%u", obj->id,
			   obj->type->name, obj->deps);
		obj->type->show(obj, m);
		seq_putc(m, '\n');
	}
	xa_unlock(&ictx->objects);
}

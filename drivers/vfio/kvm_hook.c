// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's side of a device file.
 *
 * A VMM hands its VFIO files to KVM, which asks three functions of vfio.ko
 * about each: is it one of VFIO's, is the device's DMA cache coherent by
 * force, and here is the virtual machine it belongs to. vfio.ko knows its own
 * files only. ftrace calls redirect() at the entry of the three; where the
 * file is ours, it goes on in our version instead. Calls about any other file
 * run on undisturbed, so no code of this module is ever between KVM and
 * vfio.ko, and ours runs only while the caller holds one of our files and
 * with it the module.
 *
 * A file that were accepted but not asked about coherency would be taken as
 * coherent, so all three are redirected or none.
 */
#include <linux/ftrace.h>
#include <linux/iommu.h>
#include <linux/kvm_host.h>
#include <linux/module.h>

#include "vfio_cdev.h"

#if defined(CONFIG_DYNAMIC_FTRACE_WITH_ARGS) && IS_ENABLED(CONFIG_KVM)

static bool our_file_is_valid(struct file *filp)
{
	return true;
}

/* No HWPT of a device that can enforce it is made without doing so. */
static bool our_file_enforced_coherent(struct file *filp)
{
	struct vfio_cdev_file *vf = filp->private_data;

	return device_iommu_capable(vf->vdev->dev,
				    IOMMU_CAP_ENFORCE_CACHE_COHERENCY);
}

static void our_file_set_kvm(struct file *filp, struct kvm *kvm)
{
	struct vfio_cdev_file *vf = filp->private_data;

	spin_lock(&vf->kvm_lock);
	vf->kvm = kvm;
	spin_unlock(&vf->kvm_lock);
}

/**
 * struct redirection - one function of vfio.ko and ours for it
 * @ops: how ftrace knows it
 * @from: entry of the function in vfio.ko
 * @to: where a call about one of our files goes on
 *
 * Constant but for @ops, which belongs to ftrace while it is registered.
 */
struct redirection {
	struct ftrace_ops ops;
	unsigned long from;
	unsigned long to;
};

/* All three functions have the file as their first argument. */
static void notrace redirect(unsigned long ip, unsigned long parent_ip,
			     struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct redirection *r = container_of(ops, struct redirection, ops);
	struct file *filp = (struct file *)ftrace_regs_get_argument(fregs, 0);

	if (filp && filp->f_op == &vfio_cdev_fops)
		vfio_cdev_redirect(fregs, r->to);
}

/*
 * PERMANENT: nobody may switch ftrace off while KVM relies on an answer.
 * The question that lets a file in comes last, so that the other two are
 * answered from the first accepted file on.
 */
#define REDIRECT(function, ours)					\
	{								\
		.ops = {						\
			.func = redirect,				\
			.flags = VFIO_CDEV_REDIRECTS,			\
		},							\
		.from = (unsigned long)(function),			\
		.to = (unsigned long)(ours),				\
	}

static struct redirection redirections[] = {
	REDIRECT(vfio_file_enforced_coherent, our_file_enforced_coherent),
	REDIRECT(vfio_file_set_kvm, our_file_set_kvm),
	REDIRECT(vfio_file_is_valid, our_file_is_valid),
};

static unsigned int armed;

static int arm(struct redirection *r)
{
	int rc = ftrace_set_filter_ip(&r->ops, r->from, 0, 0);

	if (!rc)
		rc = register_ftrace_function(&r->ops);
	if (rc)
		ftrace_free_filter(&r->ops);
	return rc;
}

/**
 * vfio_cdev_kvm_hook() - have KVM's questions about our files come here
 *
 * All or nothing; without it KVM refuses the files, and that is said in the
 * kernel's log. May sleep.
 */
void vfio_cdev_kvm_hook(void)
{
	int rc = 0;

	while (armed < ARRAY_SIZE(redirections)) {
		rc = arm(&redirections[armed]);
		if (rc)
			break;
		armed++;
	}
	if (!rc)
		return;
	pr_warn("vfio_cdev: KVM will not accept device files: %ps cannot be redirected (error %d%s)\n",
		(void *)redirections[armed].from, rc,
		rc == -EBUSY ? ", a live patch on it or ftrace switched off" : "");
	vfio_cdev_kvm_unhook();
}

/**
 * vfio_cdev_kvm_unhook() - undo vfio_cdev_kvm_hook()
 *
 * No file of ours is open. May sleep.
 */
void vfio_cdev_kvm_unhook(void)
{
	while (armed) {
		armed--;
		unregister_ftrace_function(&redirections[armed].ops);
		ftrace_free_filter(&redirections[armed].ops);
	}
}

/**
 * vfio_cdev_kvm_give() - let the driver see the virtual machine
 * @vf: the file being bound; the caller holds the device set's lock
 *
 * For the time from open_device to close_device vdev->kvm is set and
 * referenced, if a machine was given before. kvm.ko is not our dependency:
 * it is looked up, and held, by name.
 */
void vfio_cdev_kvm_give(struct vfio_cdev_file *vf)
{
	struct vfio_device *vdev = vf->vdev;
	bool (*get)(struct kvm *kvm);
	void (*put)(struct kvm *kvm);

	lockdep_assert_held(&vdev->dev_set->lock);

	get = symbol_get(kvm_get_kvm_safe);
	put = symbol_get(kvm_put_kvm);
	if (get && put) {
		/* While it is set KVM has not let it go: safe to look at. */
		spin_lock(&vf->kvm_lock);
		if (vf->kvm && get(vf->kvm)) {
			vdev->kvm = vf->kvm;
			vdev->put_kvm = put;
		}
		spin_unlock(&vf->kvm_lock);
	}
	if (put && vdev->put_kvm != put)
		symbol_put(kvm_put_kvm);
	if (get)
		symbol_put(kvm_get_kvm_safe);
}

/**
 * vfio_cdev_kvm_take() - undo vfio_cdev_kvm_give()
 * @vdev: a closed device; the caller holds the device set's lock
 */
void vfio_cdev_kvm_take(struct vfio_device *vdev)
{
	lockdep_assert_held(&vdev->dev_set->lock);

	if (!vdev->kvm)
		return;
	vdev->put_kvm(vdev->kvm);
	vdev->put_kvm = NULL;
	vdev->kvm = NULL;
	symbol_put(kvm_put_kvm);
}

#else

void vfio_cdev_kvm_hook(void)
{
	if (IS_ENABLED(CONFIG_KVM))
		pr_warn("vfio_cdev: KVM will not accept device files: this kernel cannot redirect functions\n");
}

void vfio_cdev_kvm_unhook(void)
{
}

void vfio_cdev_kvm_give(struct vfio_cdev_file *vf)
{
}

void vfio_cdev_kvm_take(struct vfio_device *vdev)
{
}

#endif

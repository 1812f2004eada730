// SPDX-License-Identifier: GPL-2.0
/*
 * What KVM is told about a device file, seen in what KVM then does: a machine
 * that gets a device whose DMA may bypass the caches is registered as having
 * non-coherent DMA. A kprobe counts that.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common.h"
#include "kmsg.h"

#define TRACING		"/sys/kernel/tracing"
#define PROBES		TRACING "/kprobe_events"
#define ECAP_SC		(1ULL << 7)	/* VT-d: snoop control */

static int put(const char *path, const char *text, int flags)
{
	int rc = 0, fd = open(path, O_WRONLY | O_CLOEXEC | flags);

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

/* How often one of our probes was hit since it was set. */
static long hits(const char *probe)
{
	FILE *f = fopen(TRACING "/kprobe_profile", "re");
	char name[64];
	long count, found = -1;

	CHECK(f);
	while (fscanf(f, " %63s %ld %*d", name, &count) == 2)
		if (!strcmp(name, probe))
			found = count;
	fclose(f);
	return found;
}

static void probes_off(void)
{
	put(TRACING "/events/vfiotest/enable", "0", 0);
	put(PROBES, "-:vfiotest/register\n", O_APPEND);
	put(PROBES, "-:vfiotest/unregister\n", O_APPEND);
}

static void probes_on(void)
{
	if (access(PROBES, F_OK))
		tap_skip("no kprobe events here");
	probes_off();
	OK(put(PROBES, "p:vfiotest/register kvm:kvm_arch_register_noncoherent_dma\n", O_APPEND));
	OK(put(PROBES, "p:vfiotest/unregister kvm:kvm_arch_unregister_noncoherent_dma\n",
	       O_APPEND));
	OK(put(TRACING "/events/vfiotest/enable", "1", 0));
	CHECK_EQ(hits("register"), 0);
	CHECK_EQ(hits("unregister"), 0);
}

/* A virtual machine, and KVM's VFIO device in it. */
struct vm {
	int vm;
	int vfio;
};

static void vm_make(struct vm *m)
{
	struct kvm_create_device make = { .type = KVM_DEV_TYPE_VFIO };
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (kvm < 0)
		tap_skip("no /dev/kvm here");
	m->vm = OK(iofd_ioctl(kvm, KVM_CREATE_VM, NULL));
	OK(iofd_ioctl(m->vm, KVM_CREATE_DEVICE, &make));
	m->vfio = make.fd;
	close(kvm);
}

static int vm_file(struct vm *m, unsigned int what, int fd)
{
	int32_t value = fd;
	struct kvm_device_attr a = {
		.group = KVM_DEV_VFIO_FILE,
		.attr = what,
		.addr = (uintptr_t)&value,
	};

	return iofd_ioctl(m->vfio, KVM_SET_DEVICE_ATTR, &a);
}

static int vm_add(struct vm *m, int fd)
{
	return vm_file(m, KVM_DEV_VFIO_FILE_ADD, fd);
}

static int vm_del(struct vm *m, int fd)
{
	return vm_file(m, KVM_DEV_VFIO_FILE_DEL, fd);
}

/* What the hardware can: can this device's IOMMU make its DMA snoop? */
static bool coherent(const struct vdev *v)
{
	char text[64];

	/* AMD-Vi says so in every leaf */
	if (!pci_attr(v->bdf, "iommu/amd-iommu/features", text, sizeof(text)))
		return true;
	OK(pci_attr(v->bdf, "iommu/intel-iommu/ecap", text, sizeof(text)));
	return strtoull(text, NULL, 16) & ECAP_SC;
}

static void handshake(void)
{
	int iommufd = OK(iofd_open());
	struct vdev v;
	struct vm m;

	vm_make(&m);
	want_device(&v, PCI_EDU, 0);
	OK(vdev_open(&v));
	/* QEMU's order: KVM first */
	OK(vm_add(&m, v.fd));
	ERR(vm_add(&m, v.fd), -EEXIST);
	OK(vdev_bind(&v, iommufd));
	OK(vm_del(&m, v.fd));
	ERR(vm_del(&m, v.fd), -ENOENT);
	OK(vm_add(&m, v.fd));
}

static void foreign_files(void)
{
	struct vm m;
	struct vdev v;

	vm_make(&m);
	want_device(&v, PCI_EDU, 0);
	ERR(vm_add(&m, open("/dev/null", O_RDWR)), -EINVAL);
	ERR(vm_add(&m, eventfd(0, 0)), -EINVAL);
	ERR(vm_add(&m, OK(iofd_open())), -EINVAL);
	ERR(vm_add(&m, 1000), -EBADF);
	/* vfio.ko's own files are answered by itself, as ever */
	if (!access("/dev/vfio/vfio", F_OK)) {
		char path[64];
		int group;

		snprintf(path, sizeof(path), "/dev/vfio/%d", pci_group(v.bdf));
		group = open(path, O_RDWR);
		CHECK(group >= 0);
		OK(vm_add(&m, group));
		OK(vm_del(&m, group));
	}
}

static void told_the_truth(void)
{
	int iommufd = OK(iofd_open());
	struct vdev v, w;
	struct vm m;
	long wild;

	vm_make(&m);
	want_device(&v, PCI_EDU, 0);
	want_device(&w, PCI_EDU, 1);
	wild = !coherent(&v);
	tap_note("DMA of %s can%s be forced to be coherent", v.bdf, wild ? "not" : "");
	OK(vdev_open(&v));
	OK(vdev_open(&w));
	probes_on();

	OK(vm_add(&m, v.fd));
	CHECK_EQ(hits("register"), wild);
	OK(vdev_bind(&v, iommufd));
	OK(vm_add(&m, w.fd));
	CHECK_EQ(hits("register"), wild);	/* told once for the machine */
	OK(vm_del(&m, v.fd));
	CHECK_EQ(hits("unregister"), 0);
	OK(vm_del(&m, w.fd));
	CHECK_EQ(hits("unregister"), wild);

	OK(vm_add(&m, w.fd));
	CHECK_EQ(hits("register"), 2 * wild);
	close(m.vfio);
	close(m.vm);
	CHECK_EQ(hits("unregister"), 2 * wild);
	probes_off();
}

/* The file goes first, or the machine goes first. */
static void either_goes(void)
{
	int i, iommufd = OK(iofd_open());
	struct vdev v;

	want_vfio_cdev();
	want_device(&v, PCI_EDU, 0);
	for (i = 0; i < 4; i++) {
		struct vm m;

		vm_make(&m);
		OK(vdev_open(&v));
		OK(vm_add(&m, v.fd));
		OK(vdev_bind(&v, iommufd));
		if (i & 1) {
			vdev_close(&v);
			/* KVM has a reference: the device is still bound */
			CHECK_EQ(iofd_objects(iommufd, "device"), 1);
			ERR(module_unload("vfio_cdev"), -EAGAIN);
		}
		if (i & 2) {
			close(m.vm);
			close(m.vfio);
		} else {
			close(m.vfio);
			close(m.vm);
		}
		vdev_close(&v);
		CHECK_EQ(iofd_objects(iommufd, "device"), 0);
	}
}

/* KVM has a folder in debugfs for each machine until it is really gone. */
static bool machine_exists(int pid, int vm)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/kernel/debug/kvm/%d-%d", pid, vm);
	return !access(path, F_OK);
}

/*
 * A driver may use the machine of its device from open to close: it stays,
 * whoever closes it, if it was given before BIND.
 */
static void machine_stays(bool given_before)
{
	int iommufd = OK(iofd_open());
	struct vdev v;
	struct vm m;

	vm_make(&m);
	if (!machine_exists(getpid(), m.vm))
		tap_skip("no debugfs folder of the machine");
	want_device(&v, PCI_EDU, 0);
	OK(vdev_open(&v));
	if (given_before)
		OK(vm_add(&m, v.fd));
	OK(vdev_bind(&v, iommufd));
	if (!given_before)
		OK(vm_add(&m, v.fd));
	close(m.vfio);
	close(m.vm);
	CHECK_EQ(machine_exists(getpid(), m.vm), given_before);
	vdev_close(&v);
	CHECK(!machine_exists(getpid(), m.vm));
}

static void machine_given_before(void)
{
	machine_stays(true);
}

static void machine_given_after(void)
{
	machine_stays(false);
}

static void unload_with_hook(void)
{
	struct vdev v;
	struct vm m;
	int i;

	want_vfio_cdev();
	want_device(&v, PCI_EDU, 0);
	for (i = 0; i < 3; i++) {
		vm_make(&m);
		OK(module_unload("vfio_cdev"));
		ERR(vm_add(&m, open("/dev/null", O_RDWR)), -EINVAL);
		OK(module_load("vfio_cdev"));
		OK(find_again(&v));
		OK(vdev_open(&v));
		OK(vm_add(&m, v.fd));
		OK(vm_del(&m, v.fd));
		vdev_close(&v);
		close(m.vfio);
		close(m.vm);
	}
}

#define FTRACE "/proc/sys/kernel/ftrace_enabled"

/* Where the kernel cannot be made to ask us, that is said, and the rest works. */
static void without_hook(void)
{
	int iommufd = OK(iofd_open()), log;
	char line[512];
	bool said = false;
	struct vdev v;
	struct vm m;

	want_vfio_cdev();
	if (access(FTRACE, F_OK))
		tap_skip("this kernel has no ftrace");
	vm_make(&m);
	want_device(&v, PCI_EDU, 0);
	/* not while the answers to KVM hang on it */
	ERR(put(FTRACE, "0", 0), -EBUSY);

	OK(module_unload("vfio_cdev"));
	OK(put(FTRACE, "0", 0));
	log = OK(kmsg_open());
	OK(module_load("vfio_cdev"));
	while (!said && kmsg_next(log, line, sizeof(line), 1000))
		said = strstr(line, "vfio_cdev: KVM will not accept device files");
	CHECK(said);
	OK(find_again(&v));
	OK(vdev_open(&v));
	ERR(vm_add(&m, v.fd), -EINVAL);
	OK(vdev_bind(&v, iommufd));
	vdev_close(&v);

	OK(module_unload("vfio_cdev"));
	OK(put(FTRACE, "1", 0));
	OK(module_load("vfio_cdev"));
	OK(find_again(&v));
	OK(vdev_open(&v));
	OK(vm_add(&m, v.fd));
}

static const struct tap_test tests[] = {
	{ "KVM takes a device file, and gives it back", handshake },
	{ "KVM's answer to all other files is as before", foreign_files },
	{ "KVM is told whether the device's DMA is coherent", told_the_truth, 60 },
	{ "file and machine go in either order", either_goes, 60 },
	{ "a machine given before BIND stays until close", machine_given_before },
	{ "a machine given after BIND does not", machine_given_after },
	{ "without ftrace the module says what does not work", without_hook },
	{ "the module goes and comes beside a running KVM", unload_with_hook, 60 },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The VF token: who has the physical function decides who gets its virtual
 * functions. igb of QEMU brings real SR-IOV.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common.h"

#define BIND		VFIO_DEVICE_BIND_IOMMUFD
#define SRIOV_PARAM	"/sys/module/vfio_pci/parameters/enable_sriov"

static const uint8_t right[16] = "the right token";
static const uint8_t wrong[16] = "the wrong token";

static int put(const char *path, const char *text)
{
	return writer_done(writer_start(path, text), 15000);
}

static int set_vfs(const struct vdev *pf, const char *count)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/sriov_numvfs", pf->bdf);
	return put(path, count);
}

static int bind_token(struct vdev *v, int iommufd, const uint8_t *token)
{
	struct vfio_cdev_bind_iommufd b = {
		.argsz = sizeof(b),
		.flags = token ? VFIO_DEVICE_BIND_FLAG_TOKEN : 0,
		.iommufd = iommufd,
		.token_uuid_ptr = (uintptr_t)token,
	};

	return iofd_ioctl(v->fd, BIND, &b);
}

static int set_token(struct vdev *pf, const uint8_t *token)
{
	struct {
		struct vfio_device_feature f;
		uint8_t token[16];
	} a = {
		.f.argsz = sizeof(a),
		.f.flags = VFIO_DEVICE_FEATURE_PCI_VF_TOKEN | VFIO_DEVICE_FEATURE_SET,
	};

	memcpy(a.token, token, sizeof(a.token));
	return iofd_ioctl(pf->fd, VFIO_DEVICE_FEATURE, &a);
}

/* PF bound by us with the token set, and one VF with its node. */
static void setup(struct vdev *pf, struct vdev *vf, int iommufd)
{
	char path[128], target[256], *slash;
	ssize_t n;

	want_device(pf, PCI_IGB, 0);
	if (put(SRIOV_PARAM, "Y"))
		tap_skip("vfio-pci without SR-IOV");
	if (pci_attr(pf->bdf, "sriov_totalvfs", path, sizeof(path)))
		tap_skip("this kernel sees no SR-IOV capability");
	set_vfs(pf, "0");
	OK(vdev_open(pf));
	OK(vdev_bind(pf, iommufd));
	OK(set_vfs(pf, "1"));
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/virtfn0", pf->bdf);
	n = readlink(path, target, sizeof(target) - 1);
	CHECK(n > 0);
	target[n] = 0;
	slash = strrchr(target, '/');
	CHECK(slash);
	OK(vdev_find(vf, slash + 1));
	OK(set_token(pf, right));
	OK(vdev_open(vf));
}

static void vf_needs_token(void)
{
	int iommufd = OK(iofd_open());
	struct vdev pf, vf;

	setup(&pf, &vf, iommufd);
	REFUSED(vf.fd, BIND, bind_token(&vf, iommufd, NULL), -EACCES);
	CHECK(strstr(iommufd_last_reason(vf.fd), pf.bdf));
	REFUSED(vf.fd, BIND, bind_token(&vf, iommufd, wrong), -EACCES);
	REFUSED(vf.fd, BIND, bind_token(&vf, iommufd, (const uint8_t *)1), -EFAULT);
	OK(bind_token(&vf, iommufd, right));
	vdev_close(&vf);
	OK(vdev_open(&vf));
	REFUSED(vf.fd, BIND, bind_token(&vf, iommufd, wrong), -EACCES);
	vdev_close(&vf);
	OK(set_vfs(&pf, "0"));
}

static void pf_needs_token(void)
{
	int iommufd = OK(iofd_open());
	struct vdev pf, vf;

	setup(&pf, &vf, iommufd);
	OK(bind_token(&vf, iommufd, right));
	/* the token stays with the PF as long as a VF is used */
	vdev_close(&pf);
	OK(vdev_open(&pf));
	REFUSED(pf.fd, BIND, bind_token(&pf, iommufd, NULL), -EACCES);
	REFUSED(pf.fd, BIND, bind_token(&pf, iommufd, wrong), -EACCES);
	OK(bind_token(&pf, iommufd, right));
	vdev_close(&pf);
	vdev_close(&vf);
	OK(vdev_open(&pf));
	OK(bind_token(&pf, iommufd, wrong));	/* without users: a new token */
	OK(vdev_open(&vf));
	REFUSED(vf.fd, BIND, bind_token(&vf, iommufd, right), -EACCES);
	OK(bind_token(&vf, iommufd, wrong));
	vdev_close(&vf);
	OK(set_vfs(&pf, "0"));
}

static const struct tap_test tests[] = {
	{ "a virtual function is bound with the token of its physical one", vf_needs_token, 60 },
	{ "a physical function is bound with the token while one is used", pf_needs_token, 60 },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * A variant driver of vfio-pci for QEMU's edu, built on vfio-pci-core as those
 * of real devices are. Edu cannot migrate; the driver says it can and hands out
 * a fixed stream, so that the way from the device file to a driver's operations
 * has something at its end.
 */
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/vfio.h>
#include <linux/vfio_pci_core.h>

static bool fail_open;
module_param(fail_open, bool, 0644);
MODULE_PARM_DESC(fail_open, "let the next opening of a device fail with EIO");

static bool saw_machine;
module_param(saw_machine, bool, 0444);
MODULE_PARM_DESC(saw_machine, "the last opening had a virtual machine");

static const char stream_text[] = "state of an edu";

/**
 * struct edu_test - one device
 * @core: what vfio-pci-core needs, first of all
 * @state: of migration; the test has one user, who does not race itself
 */
struct edu_test {
	struct vfio_pci_core_device core;
	enum vfio_device_mig_state state;
};

static struct edu_test *to_edu(struct vfio_device *vdev)
{
	return container_of(vdev, struct edu_test, core.vdev);
}

static ssize_t stream_read(struct file *filp, char __user *buf, size_t count,
			   loff_t *ppos)
{
	return simple_read_from_buffer(buf, count, ppos, stream_text,
				       sizeof(stream_text));
}

static const struct file_operations stream_fops = {
	.owner = THIS_MODULE,
	.read = stream_read,
};

/* One step on the way; some steps open a stream. */
static struct file *step(struct edu_test *edu, enum vfio_device_mig_state next)
{
	struct file *stream = NULL;

	if (next == VFIO_DEVICE_STATE_STOP_COPY) {
		stream = anon_inode_getfile("[edu-state]", &stream_fops, edu,
					    O_RDONLY);
		if (IS_ERR(stream))
			return stream;
	}
	edu->state = next;
	return stream;
}

static struct file *edu_set_state(struct vfio_device *vdev,
				  enum vfio_device_mig_state wanted)
{
	struct edu_test *edu = to_edu(vdev);
	enum vfio_device_mig_state next;
	struct file *stream = NULL;
	int rc;

	while (edu->state != wanted) {
		rc = vfio_mig_get_next_state(vdev, edu->state, wanted, &next);
		if (rc)
			return ERR_PTR(rc);
		stream = step(edu, next);
		if (IS_ERR(stream))
			return stream;
		if (WARN_ON(stream && edu->state != wanted)) {
			fput(stream);
			return ERR_PTR(-EINVAL);
		}
	}
	return stream;
}

static int edu_get_state(struct vfio_device *vdev,
			 enum vfio_device_mig_state *state)
{
	*state = to_edu(vdev)->state;
	return 0;
}

static int edu_get_size(struct vfio_device *vdev, unsigned long *length)
{
	*length = sizeof(stream_text);
	return 0;
}

static const struct vfio_migration_ops edu_mig_ops = {
	.migration_set_state = edu_set_state,
	.migration_get_state = edu_get_state,
	.migration_get_data_size = edu_get_size,
};

/* Never called: the kernel under test cannot bring home what is logged. */
static int edu_log_start(struct vfio_device *vdev, struct rb_root_cached *ranges,
			 u32 nnodes, u64 *page_size)
{
	WARN_ON(1);
	return -EINVAL;
}

static int edu_log_stop(struct vfio_device *vdev)
{
	WARN_ON(1);
	return -EINVAL;
}

static int edu_log_read(struct vfio_device *vdev, unsigned long iova,
			unsigned long length, struct iova_bitmap *dirty)
{
	WARN_ON(1);
	return -EINVAL;
}

static const struct vfio_log_ops edu_log_ops = {
	.log_start = edu_log_start,
	.log_stop = edu_log_stop,
	.log_read_and_clear = edu_log_read,
};

static int edu_open(struct vfio_device *vdev)
{
	struct edu_test *edu = to_edu(vdev);
	int rc;

	saw_machine = vdev->kvm;
	if (fail_open) {
		fail_open = false;
		return -EIO;
	}
	rc = vfio_pci_core_enable(&edu->core);
	if (rc)
		return rc;
	edu->state = VFIO_DEVICE_STATE_RUNNING;
	vfio_pci_core_finish_enable(&edu->core);
	return 0;
}

static int edu_init(struct vfio_device *vdev)
{
	vdev->mig_ops = &edu_mig_ops;
	vdev->log_ops = &edu_log_ops;
	vdev->migration_flags = VFIO_MIGRATION_STOP_COPY;
	return vfio_pci_core_init_dev(vdev);
}

static const struct vfio_device_ops edu_ops = {
	.name = "vfio-edu-test",
	/* what this driver does itself */
	.init = edu_init,
	.open_device = edu_open,
	/* and what the core does for it; the first four where there is an iommufd */
	.bind_iommufd = vfio_iommufd_physical_bind,
	.unbind_iommufd = vfio_iommufd_physical_unbind,
	.attach_ioas = vfio_iommufd_physical_attach_ioas,
	.detach_ioas = vfio_iommufd_physical_detach_ioas,
	.match = vfio_pci_core_match,
	.request = vfio_pci_core_request,
	.mmap = vfio_pci_core_mmap,
	.read = vfio_pci_core_read,
	.write = vfio_pci_core_write,
	.ioctl = vfio_pci_core_ioctl,
	.device_feature = vfio_pci_core_ioctl_feature,
	.close_device = vfio_pci_core_close_device,
	.release = vfio_pci_core_release_dev,
};

static int edu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct edu_test *edu;
	int rc;

	edu = vfio_alloc_device(edu_test, core.vdev, &pdev->dev, &edu_ops);
	if (IS_ERR(edu))
		return PTR_ERR(edu);
	dev_set_drvdata(&pdev->dev, &edu->core);
	rc = vfio_pci_core_register_device(&edu->core);
	if (rc)
		vfio_put_device(&edu->core.vdev);
	return rc;
}

static void edu_remove(struct pci_dev *pdev)
{
	struct vfio_pci_core_device *core = dev_get_drvdata(&pdev->dev);

	vfio_pci_core_unregister_device(core);
	vfio_put_device(&core->vdev);
}

static const struct pci_device_id edu_ids[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(0x1234, 0x11e8) },
	{ }
};

static struct pci_driver edu_driver = {
	.name = "vfio_edu_test",
	.id_table = edu_ids,
	.probe = edu_probe,
	.remove = edu_remove,
	.err_handler = &vfio_pci_core_err_handlers,
	.driver_managed_dma = true,
};
module_pci_driver(edu_driver);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Variant of vfio-pci for tests with QEMU's edu");

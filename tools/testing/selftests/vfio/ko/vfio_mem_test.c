// SPDX-License-Identifier: GPL-2.0-only
/*
 * For tests: a VFIO device without hardware, as mediated devices are. Its user
 * tells it which memory to read, write and pin by IOVA; what VFIO does with that
 * is to ask the container, or iommufd's in-kernel access.
 */
#include <linux/dma-direction.h>
#include <linux/err.h>
#include <linux/highmem.h>
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "../mem_test.h"

/**
 * struct mem_test - the device
 * @vdev: what VFIO needs, first of all
 * @lock: protects the rest; taken in dma_unmap() too, so never held over a call
 *	  of VFIO that may lead there
 * @iova: of what is pinned
 * @npage: how many pages are pinned
 * @pages: these
 * @asked: times that dma_unmap() met pinned pages
 */
struct mem_test {
	struct vfio_device vdev;
	struct mutex lock;
	u64 iova;
	unsigned int npage;
	struct page *pages[MEM_TEST_PAGES];
	unsigned int asked;
};

static struct mem_test *to_mem(struct vfio_device *vdev)
{
	return container_of(vdev, struct mem_test, vdev);
}

static int memory_init(struct vfio_device *vdev)
{
	mutex_init(&to_mem(vdev)->lock);
	return 0;
}

/* VFIO frees the device, of which it is told that by this function. */
static void memory_release(struct vfio_device *vdev)
{
}

static int memory_open(struct vfio_device *vdev)
{
	to_mem(vdev)->asked = 0;
	return 0;
}

static void unpin(struct mem_test *mem)
{
	unsigned int npage;
	u64 iova;

	mutex_lock(&mem->lock);
	npage = mem->npage;
	iova = mem->iova;
	mem->npage = 0;
	mutex_unlock(&mem->lock);
	if (npage)
		vfio_unpin_pages(&mem->vdev, iova, npage);
}

static void memory_close(struct vfio_device *vdev)
{
	unpin(to_mem(vdev));
}

static void memory_dma_unmap(struct vfio_device *vdev, u64 iova, u64 length)
{
	struct mem_test *mem = to_mem(vdev);
	bool ours;

	mutex_lock(&mem->lock);
	ours = mem->npage && mem->iova < iova + length &&
	       iova < mem->iova + mem->npage * PAGE_SIZE;
	if (ours)
		mem->asked++;
	mutex_unlock(&mem->lock);
	if (ours)
		unpin(mem);
}

static ssize_t memory_rw(struct vfio_device *vdev, void *data, size_t count,
		      loff_t *ppos, bool write)
{
	int rc = vfio_dma_rw(vdev, *ppos, data, count, write);

	if (rc < 0)
		return rc;
	*ppos += count;
	return count;
}

static ssize_t memory_read(struct vfio_device *vdev, char __user *buf,
			size_t count, loff_t *ppos)
{
	void *data = kvmalloc(count, GFP_KERNEL);
	ssize_t n;

	if (!data)
		return -ENOMEM;
	n = memory_rw(vdev, data, count, ppos, false);
	if (n > 0 && copy_to_user(buf, data, n))
		n = -EFAULT;
	kvfree(data);
	return n;
}

static ssize_t memory_write(struct vfio_device *vdev, const char __user *buf,
			 size_t count, loff_t *ppos)
{
	void *data = kvmalloc(count, GFP_KERNEL);
	ssize_t n = -EFAULT;

	if (!data)
		return -ENOMEM;
	if (!copy_from_user(data, buf, count))
		n = memory_rw(vdev, data, count, ppos, true);
	kvfree(data);
	return n;
}

static long memory_pin(struct mem_test *mem, struct mem_test_pin *pin)
{
	struct page *pages[MEM_TEST_PAGES];
	int prot = IOMMU_READ | (pin->write ? IOMMU_WRITE : 0);
	unsigned int i;
	int rc;

	if (!pin->npage || pin->npage > MEM_TEST_PAGES || mem->npage)
		return -EINVAL;
	rc = vfio_pin_pages(&mem->vdev, pin->iova, pin->npage, prot, pages);
	if (rc < 0)
		return rc;
	if (rc != pin->npage)
		return -EIO;
	for (i = 0; i < pin->npage; i++)
		memcpy_from_page((char *)&pin->words[i], pages[i], 0, sizeof(u64));
	mutex_lock(&mem->lock);
	memcpy(mem->pages, pages, sizeof(pages));
	mem->iova = pin->iova;
	mem->npage = pin->npage;
	mutex_unlock(&mem->lock);
	return 0;
}

static long memory_poke(struct mem_test *mem, u64 word)
{
	unsigned int i;

	mutex_lock(&mem->lock);
	for (i = 0; i < mem->npage; i++)
		memcpy_to_page(mem->pages[i], 0, (char *)&word, sizeof(word));
	mutex_unlock(&mem->lock);
	return i;
}

static long memory_ioctl(struct vfio_device *vdev, unsigned int cmd, unsigned long arg)
{
	struct mem_test *mem = to_mem(vdev);
	struct mem_test_pin pin;
	u64 word;
	long rc;

	switch (cmd) {
	case MEM_TEST_PIN:
		if (copy_from_user(&pin, (void __user *)arg, sizeof(pin)))
			return -EFAULT;
		rc = memory_pin(mem, &pin);
		if (!rc && copy_to_user((void __user *)arg, &pin, sizeof(pin)))
			rc = -EFAULT;
		return rc;
	case MEM_TEST_POKE:
		if (copy_from_user(&word, (void __user *)arg, sizeof(word)))
			return -EFAULT;
		return memory_poke(mem, word);
	case MEM_TEST_UNPIN:
		unpin(mem);
		return 0;
	case MEM_TEST_ASKED:
		return mem->asked;
	}
	return -ENOTTY;
}

static const struct vfio_device_ops memory_ops = {
	.name = "vfio-mem-test",
	.init = memory_init,
	.release = memory_release,
	.bind_iommufd = vfio_iommufd_emulated_bind,
	.unbind_iommufd = vfio_iommufd_emulated_unbind,
	.attach_ioas = vfio_iommufd_emulated_attach_ioas,
	.detach_ioas = vfio_iommufd_emulated_detach_ioas,
	.open_device = memory_open,
	.close_device = memory_close,
	.read = memory_read,
	.write = memory_write,
	.ioctl = memory_ioctl,
	.dma_unmap = memory_dma_unmap,
};

static int memory_probe(struct platform_device *pdev)
{
	struct mem_test *mem;
	int rc;

	mem = vfio_alloc_device(mem_test, vdev, &pdev->dev, &memory_ops);
	if (IS_ERR(mem))
		return PTR_ERR(mem);
	platform_set_drvdata(pdev, mem);
	rc = vfio_register_emulated_iommu_dev(&mem->vdev);
	if (rc)
		vfio_put_device(&mem->vdev);
	return rc;
}

static void memory_remove(struct platform_device *pdev)
{
	struct mem_test *mem = platform_get_drvdata(pdev);

	vfio_unregister_group_dev(&mem->vdev);
	vfio_put_device(&mem->vdev);
}

static struct platform_driver memory_driver = {
	.driver.name = "vfio_mem_test",
	.probe = memory_probe,
	.remove = memory_remove,
};

static struct platform_device *memory_device;

static int __init mem_test_init(void)
{
	int rc = platform_driver_register(&memory_driver);

	if (rc)
		return rc;
	memory_device = platform_device_register_simple("vfio_mem_test", -1, NULL, 0);
	if (!IS_ERR(memory_device))
		return 0;
	platform_driver_unregister(&memory_driver);
	return PTR_ERR(memory_device);
}
module_init(mem_test_init);

static void __exit mem_test_exit(void)
{
	platform_device_unregister(memory_device);
	platform_driver_unregister(&memory_driver);
}
module_exit(mem_test_exit);

MODULE_DESCRIPTION("A VFIO device without hardware, for tests");
MODULE_LICENSE("GPL");

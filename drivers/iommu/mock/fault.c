// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page requests of mock devices, and what became of them.
 *
 * The selftest ioctl sends single requests. Groups of several, and the answers
 * that the hardware gets, are in debugfs: iommufd_mock/<device>/page_requests
 * takes lines of "pasid grpid perm addr last" in hexadecimal, with a pasid of "-"
 * where there is none; page_responses shows "pasid grpid code" for the last
 * answers, the newest at the end, after how many there were.
 */
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "mock.h"

static struct dentry *mock_debugfs;

static void record_response(struct mock_faults *faults,
			    const struct iommufd_page_response *response)
{
	spin_lock(&faults->responses_lock);
	faults->responses[faults->nr_responses++ % MOCK_RESPONSES] = *response;
	spin_unlock(&faults->responses_lock);
}

/**
 * mock_page_request - let a device ask for a page
 * @dev: the device
 * @request: what it asks for
 *
 * While page requests of the device are disabled the IOMMU itself says no, as
 * those in hardware do.
 *
 * Return: 0 or an explained errno
 */
int mock_page_request(struct device *dev,
		      const struct iommu_fault_page_request *request)
{
	struct mock_faults *faults = &to_mock_device(dev)->faults;
	const struct iommufd_page_response response = {
		.has_pasid = request->flags & IOMMU_FAULT_PAGE_REQUEST_PASID_VALID,
		.pasid = request->pasid,
		.grpid = request->grpid,
		.code = IOMMU_PAGE_RESP_INVALID,
	};
	int rc = 0;

	down_read(&faults->enable_lock);
	if (faults->enabled)
		rc = iommufd_report_fault(dev, request);
	else if (request->flags & IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE)
		record_response(faults, &response);
	up_read(&faults->enable_lock);
	return rc;
}

int mock_enable_faults(struct device *dev)
{
	struct mock_faults *faults = &to_mock_device(dev)->faults;

	down_write(&faults->enable_lock);
	WARN_ON(faults->enabled);
	faults->enabled = true;
	up_write(&faults->enable_lock);
	return 0;
}

void mock_disable_faults(struct device *dev)
{
	struct mock_faults *faults = &to_mock_device(dev)->faults;

	down_write(&faults->enable_lock);
	WARN_ON(!faults->enabled);
	faults->enabled = false;
	up_write(&faults->enable_lock);
}

void mock_page_response(struct device *dev,
			const struct iommufd_page_response *response)
{
	record_response(&to_mock_device(dev)->faults, response);
}

static int parse_request(char *line, struct iommu_fault_page_request *request)
{
	unsigned int last;

	if (line[0] == '-') {
		if (sscanf(line + 1, " %x %x %llx %u", &request->grpid,
			   &request->perm, &request->addr, &last) != 4)
			return -EINVAL;
	} else {
		if (sscanf(line, "%x %x %x %llx %u", &request->pasid,
			   &request->grpid, &request->perm, &request->addr,
			   &last) != 5)
			return -EINVAL;
		request->flags = IOMMU_FAULT_PAGE_REQUEST_PASID_VALID |
				 IOMMU_FAULT_PAGE_RESPONSE_NEEDS_PASID;
	}
	if (last)
		request->flags |= IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE;
	return 0;
}

static ssize_t requests_write(struct file *file, const char __user *ubuf,
			      size_t count, loff_t *ppos)
{
	struct iommu_fault_page_request request;
	char *buf, *next, *line;
	int rc = 0;

	if (count > PAGE_SIZE)
		return -E2BIG;
	buf = memdup_user_nul(ubuf, count);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	next = buf;
	while (!rc && (line = strsep(&next, "\n"))) {
		if (!*line)
			continue;
		memset(&request, 0, sizeof(request));
		rc = parse_request(line, &request);
		if (!rc)
			rc = mock_page_request(file->private_data, &request);
	}
	kfree(buf);
	return rc ?: count;
}

static const struct file_operations requests_fops = {
	.open = simple_open,
	.write = requests_write,
};

static int responses_show(struct seq_file *m, void *unused)
{
	struct device *dev = m->private;
	struct mock_faults *faults = &to_mock_device(dev)->faults;
	const struct iommufd_page_response *response;
	unsigned int i;

	spin_lock(&faults->responses_lock);
	seq_printf(m, "%u\n", faults->nr_responses);
	i = faults->nr_responses < MOCK_RESPONSES ? 0 :
	    faults->nr_responses - MOCK_RESPONSES;
	for (; i < faults->nr_responses; i++) {
		response = &faults->responses[i % MOCK_RESPONSES];
		if (response->has_pasid)
			seq_printf(m, "%x ", response->pasid);
		else
			seq_puts(m, "- ");
		seq_printf(m, "%x %u\n", response->grpid, response->code);
	}
	spin_unlock(&faults->responses_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(responses);

/**
 * mock_faults_add - a device has come
 * @dev: the device; without debugfs it is just not shown
 */
void mock_faults_add(struct device *dev)
{
	struct mock_faults *faults = &to_mock_device(dev)->faults;

	init_rwsem(&faults->enable_lock);
	spin_lock_init(&faults->responses_lock);
	faults->debugfs = debugfs_create_dir(dev_name(dev), mock_debugfs);
	debugfs_create_file("page_requests", 0200, faults->debugfs, dev,
			    &requests_fops);
	debugfs_create_file("page_responses", 0400, faults->debugfs, dev,
			    &responses_fops);
}

/**
 * mock_faults_remove - a device goes
 * @dev: the device, bound to nobody
 */
void mock_faults_remove(struct device *dev)
{
	debugfs_remove(to_mock_device(dev)->faults.debugfs);
}

void mock_faults_init(void)
{
	mock_debugfs = debugfs_create_dir("iommufd_mock", NULL);
}

void mock_faults_exit(void)
{
	debugfs_remove(mock_debugfs);
}

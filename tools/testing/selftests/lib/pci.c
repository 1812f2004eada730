// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pci.h"

#define DEVICES "/sys/bus/pci/devices"

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int rc = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

int pci_attr(const char *bdf, const char *name, char *value, size_t size)
{
	char path[256];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), DEVICES "/%s/%s", bdf, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, value, size - 1);
	close(fd);
	if (n < 0)
		return -errno;
	value[n] = 0;
	value[strcspn(value, "\n")] = 0;
	return 0;
}

static unsigned int hex_attr(const char *bdf, const char *name)
{
	char text[32];

	return pci_attr(bdf, name, text, sizeof(text)) ? 0 :
		strtoul(text, NULL, 16);
}

/* The nth entry of a folder that is a PCI address and suits. */
static bool pick(const char *folder, int nth, pci_bdf bdf,
		 bool (*suits)(const char *bdf, const void *arg), const void *arg)
{
	struct dirent **list;
	int i, n = scandir(folder, &list, NULL, alphasort);
	bool found = false;

	for (i = 0; i < n; i++) {
		const char *name = list[i]->d_name;

		if (!found && strlen(name) == 12 && suits(name, arg) && !nth--) {
			strcpy(bdf, name);
			found = true;
		}
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	return found;
}

static bool has_ids(const char *bdf, const void *arg)
{
	const unsigned int *ids = arg;

	return hex_attr(bdf, "vendor") == ids[0] &&
	       hex_attr(bdf, "device") == ids[1];
}

bool pci_find(unsigned int vendor, unsigned int device, int nth, pci_bdf bdf)
{
	unsigned int ids[] = { vendor, device };

	return pick(DEVICES, nth, bdf, has_ids, ids);
}

static bool is_other(const char *bdf, const void *arg)
{
	return strcmp(bdf, arg);
}

bool pci_group_peer(const char *bdf, int nth, pci_bdf peer)
{
	char path[256];

	snprintf(path, sizeof(path), DEVICES "/%s/iommu_group/devices", bdf);
	return pick(path, nth, peer, is_other, bdf);
}

/* The last part of what a link in the device's folder points to. */
static int link_name(const char *bdf, const char *name, char *out, size_t size)
{
	char path[256], target[512], *slash;
	ssize_t n;

	snprintf(path, sizeof(path), DEVICES "/%s/%s", bdf, name);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = 0;
	slash = strrchr(target, '/');
	snprintf(out, size, "%s", slash ? slash + 1 : target);
	return 0;
}

void pci_driver(const char *bdf, char *name, size_t size)
{
	if (link_name(bdf, "driver", name, size))
		name[0] = 0;
}

int pci_group(const char *bdf)
{
	char text[32];

	return link_name(bdf, "iommu_group", text, sizeof(text)) ? -1 : atoi(text);
}

static int unbind(const char *bdf)
{
	char path[256];
	int rc;

	snprintf(path, sizeof(path), DEVICES "/%s/driver/unbind", bdf);
	rc = put(path, bdf);
	return rc == -ENOENT ? 0 : rc;	/* it had none */
}

static int override(const char *bdf, const char *driver)
{
	char path[256];

	snprintf(path, sizeof(path), DEVICES "/%s/driver_override", bdf);
	/* an empty write would not reach the kernel; a line end clears it */
	return put(path, *driver ? driver : "\n");
}

int pci_bind(const char *bdf, const char *driver)
{
	char now[64];
	int rc;

	pci_driver(bdf, now, sizeof(now));
	if (!strcmp(now, driver))
		return 0;
	rc = unbind(bdf);
	if (rc || !*driver)
		return rc;
	rc = override(bdf, driver);
	if (!rc)
		rc = put("/sys/bus/pci/drivers_probe", bdf);
	if (rc)
		return rc;
	pci_driver(bdf, now, sizeof(now));
	return strcmp(now, driver) ? -ENODEV : 0;
}

int pci_restore(const char *bdf)
{
	int rc = unbind(bdf);

	if (!rc)
		rc = override(bdf, "");
	if (!rc)
		rc = put("/sys/bus/pci/drivers_probe", bdf);
	return rc;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of one device that another one reaches: exported as a dma-buf, mapped
 * into an IOAS, away whenever it may be off.
 */
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common.h"
#include "mem.h"

#define FEATURE	VFIO_DEVICE_FEATURE
#define MAP	IOMMU_IOAS_MAP_FILE
#define TRACE	"/sys/kernel/tracing/"

#define EDU_ID		0
#define EDU_LIVE	4
/* Register 8 of the network cards: bit 31 of it is 0, some others are not. */
#define NIC_STATUS	8

/* where the buffer goes, and a page of memory */
#define BUF	(IOVA + (1 << 20))
#define MEM	IOVA

struct arg {
	struct vfio_device_feature head;
	struct vfio_device_feature_dma_buf buf;
	struct vfio_region_dma_range ranges[3];
};

static int iommufd;
static uint32_t ioas;
/* edu does DMA, peer has the memory */
static struct edu edu;
static struct vdev reader, peer;
static volatile uint32_t *page;
static size_t size;
static int buf;

static struct arg arg_of(uint64_t length)
{
	return (struct arg){
		.head = {
			.argsz = sizeof(struct arg),
			.flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_DMA_BUF,
		},
		.buf = { .open_flags = O_RDWR | O_CLOEXEC, .nr_ranges = 1 },
		.ranges = { { .length = length } },
	};
}

static int export(struct vdev *v, uint64_t length)
{
	struct arg a = arg_of(length);

	return iofd_ioctl(v->fd, FEATURE, &a);
}

static int map(uint64_t iova, uint64_t start, uint64_t length)
{
	return iofd_map_file(iommufd, ioas, buf, start, length, &iova, IOFD_FIXED_RW);
}

/* edu number 0 reads and writes; the memory is that of this one. */
static void begin(unsigned int vendor, unsigned int device, int nth)
{
	struct vfio_region_info info;
	uint32_t pt;

	iommufd = OK(iofd_open());
	OK(iofd_ioas(iommufd, &ioas));
	want_bound(&reader, PCI_EDU, 0, iommufd);
	want_bound(&peer, vendor, device, nth, iommufd);
	pt = ioas;
	OK(vdev_attach(&reader, &pt));
	OK(edu_init(&edu, &reader));
	page = mem_anon(PAGE);
	CHECK(page);
	OK(iofd_map_at(iommufd, ioas, (void *)page, PAGE, MEM));
	OK(vdev_enable(&peer, true));
	OK(vdev_region(&peer, 0, &info));
	size = info.size;
	buf = OK(export(&peer, size));
	OK(map(BUF, 0, size));
}

static uint32_t peer_read(unsigned int offset)
{
	*page = 0xdeadbeef;
	OK(edu_read(&edu, MEM, 0, 4));
	OK(edu_read(&edu, BUF + offset, 0, 4));
	OK(edu_write(&edu, MEM, 0, 4));
	return *page;
}

static void peer_write(unsigned int offset, uint32_t value)
{
	*page = value;
	OK(edu_read(&edu, MEM, 0, 4));
	OK(edu_write(&edu, BUF + offset, 0, 4));
}

static void dma(void)
{
	uint32_t value;

	begin(PCI_EDU, 1);
	CHECK_EQ(peer_read(EDU_ID), EDU_ID_VALUE);
	/* gives back the inverse of what was written */
	peer_write(EDU_LIVE, 0x12345678);
	OK(peek(&peer, 0, EDU_LIVE, &value, sizeof(value)));
	CHECK_EQ(value, ~0x12345678U);
	CHECK_EQ(peer_read(EDU_LIVE), ~0x12345678U);
	/* device memory is not the user's */
	CHECK_EQ(mem_status(0, "VmPin"), PAGE);
	OK(iofd_unmap(iommufd, ioas, BUF, size, NULL));
	peer_write(EDU_LIVE, 1);
	OK(peek(&peer, 0, EDU_LIVE, &value, sizeof(value)));
	CHECK_EQ(value, ~0x12345678U);
}

static void parts(void)
{
	struct arg a = arg_of(PAGE);

	begin(PCI_EDU, 1);
	OK(iofd_unmap(iommufd, ioas, BUF, size, NULL));
	/* only the second page of the buffer, which is the first of the BAR */
	a.buf.nr_ranges = 2;
	a.ranges[0] = (struct vfio_region_dma_range){ 0, PAGE };
	a.ranges[1] = (struct vfio_region_dma_range){ PAGE, 2 * PAGE };
	close(buf);
	buf = OK(iofd_ioctl(peer.fd, FEATURE, &a));
	CHECK_EQ(lseek(buf, 0, SEEK_END), 3 * PAGE);
	REFUSED(iommufd, MAP, map(BUF, PAGE, 3 * PAGE), -EINVAL);
	OK(map(BUF + PAGE, 0, PAGE));
	OK(map(BUF, 2 * PAGE, PAGE));
	CHECK_EQ(peer_read(PAGE + EDU_ID), EDU_ID_VALUE);
	CHECK(peer_read(EDU_ID) != EDU_ID_VALUE);
}

static void refused(void)
{
	static const struct {
		uint64_t offset, length;
	} wrong[] = {
		{ 0, 0 }, { 0, 100 }, { 2048, PAGE }, { 0, (1 << 20) + PAGE },
		{ 1 << 20, PAGE }, { -PAGE, 2 * PAGE }, { PAGE, -PAGE }, { 0, -PAGE },
	};
	struct arg a = arg_of(PAGE);
	unsigned int i;

	begin(PCI_EDU, 1);
#define TRY(want) REFUSED(peer.fd, FEATURE, iofd_ioctl(peer.fd, FEATURE, &a), want)
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		a.ranges[0].offset = wrong[i].offset;
		a.ranges[0].length = wrong[i].length;
		TRY(-EINVAL);
	}
	for (i = 1; i < 12; i++) {
		a = arg_of(PAGE);
		a.buf.region_index = i;
		TRY(-EINVAL);
	}
	a = arg_of(PAGE);
	a.buf.region_index = ~0U;
	TRY(-EINVAL);
	a = arg_of(PAGE);
	a.buf.flags = 1;
	TRY(-EINVAL);
	a = arg_of(PAGE);
	a.buf.open_flags |= O_APPEND;
	TRY(-EINVAL);
	a = arg_of(PAGE);
	a.buf.nr_ranges = 0;
	TRY(-EINVAL);
	a.buf.nr_ranges = 4;
	TRY(-EINVAL);
	a.buf.nr_ranges = ~0U;
	TRY(-EINVAL);
	a = arg_of(PAGE);
	a.head.argsz = sizeof(a.head) + sizeof(a.buf) - 1;
	TRY(-EINVAL);
	a.head.argsz = sizeof(a.head) + sizeof(a.buf);
	TRY(-EINVAL);
	a = arg_of(PAGE);
	a.head.flags = VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_DMA_BUF;
	TRY(-EINVAL);
	/* a gap, and one behind the other */
	a = arg_of(PAGE);
	a.buf.nr_ranges = 2;
	a.ranges[1] = (struct vfio_region_dma_range){ 2 * PAGE, PAGE };
	TRY(-EOPNOTSUPP);
	a.ranges[1] = (struct vfio_region_dma_range){ 0, PAGE };
	TRY(-EOPNOTSUPP);
	a = arg_of(PAGE);
	REFUSED(peer.fd, FEATURE, iofd_ioctl(peer.fd, FEATURE,
			memcpy(edge(sizeof(a) - 40), &a, sizeof(a) - 40)), -EFAULT);
#undef TRY
	a.head.flags |= VFIO_DEVICE_FEATURE_PROBE;
	OK(iofd_ioctl(peer.fd, FEATURE, &a));
	/* reading is all that a read-only buffer is for */
	a = arg_of(PAGE);
	a.buf.open_flags = O_RDONLY;
	buf = OK(iofd_ioctl(peer.fd, FEATURE, &a));
	REFUSED(iommufd, MAP, map(BUF + (2 << 20), 0, PAGE), -EPERM);
}

/* With the memory off the table has no entry: the IOMMU is who says no. */
static void memory_off(void)
{
	void *scratch = mem_anon(PAGE);

	begin(PCI_EDU, 1);
	OK(vdev_enable(&peer, false));
	HOLDS(dma_write_faults(&edu, BUF, scratch));
	REFUSED(iommufd, MAP, map(BUF + (2 << 20), 0, size), -ENODEV);
	OK(vdev_enable(&peer, true));
	CHECK_EQ(peer_read(EDU_ID), EDU_ID_VALUE);
	/* exported and unmapped while it is off */
	OK(vdev_enable(&peer, false));
	OK(iofd_unmap(iommufd, ioas, BUF, size, NULL));
	close(buf);
	buf = OK(export(&peer, size));
	REFUSED(iommufd, MAP, map(BUF, 0, size), -ENODEV);
	OK(vdev_enable(&peer, true));
	OK(map(BUF, 0, size));
	CHECK_EQ(peer_read(EDU_ID), EDU_ID_VALUE);
}

static void put(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_TRUNC);

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* Only the IOMMU core tells of what leaves a table, and not of what our drivers do. */
static void need_events(void)
{
	static const char * const own[] = { "vtd", "amdvi", "smmuv3", "tce" };
	char path[32];
	unsigned int i;

	for (i = 0; i < sizeof(own) / sizeof(*own); i++) {
		snprintf(path, sizeof(path), "/sys/module/iommu_%s", own[i]);
		if (!access(path, F_OK))
			tap_skip("iommu_%s removes entries without a trace event", own[i]);
	}
}

/* A function of the kernel whose calls are noted beside the IOMMU's work. */
static void trace_begin(const char *function)
{
	char line[96];

	if (access(TRACE "kprobe_events", W_OK) || access(TRACE "events/iommu/unmap", R_OK))
		tap_skip("no trace events in this kernel");
	need_events();
	put(TRACE "events/enable", "0");
	put(TRACE "kprobe_events", "");
	snprintf(line, sizeof(line), "p:lab/off %s\n", function);
	put(TRACE "kprobe_events", line);
	put(TRACE "trace", "\n");
	put(TRACE "events/lab/off/enable", "1");
	put(TRACE "events/iommu/unmap/enable", "1");
}

/* The buffer left the table before that function was called. */
static void trace_end(const char *function)
{
	int unmapped = 0, off = 0, line_nr = 0;
	char line[512], iova[32];
	FILE *f;

	put(TRACE "events/enable", "0");
	snprintf(iova, sizeof(iova), "0x%016lx", BUF);
	f = fopen(TRACE "trace", "r");
	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		line_nr++;
		if (strstr(line, " unmap: ") && strstr(line, iova) && !unmapped)
			unmapped = line_nr;
		if (strstr(line, " off: ") && !off)
			off = line_nr;
	}
	fclose(f);
	/* which empties the trace */
	put(TRACE "kprobe_events", "");
	if (!unmapped || !off || unmapped > off)
		tap_fail(__FILE__, __LINE__, "unmapped in line %d of the trace, %s in %d",
			 unmapped, function, off);
}

static void order_command(void)
{
	begin(PCI_EDU, 1);
	trace_begin("vfio_pci_core_write");
	OK(vdev_enable(&peer, false));
	trace_end("vfio_pci_core_write");
	trace_begin("vfio_pci_core_write");
	OK(vdev_enable(&peer, true));
	put(TRACE "events/enable", "0");
	CHECK_EQ(peer_read(EDU_ID), EDU_ID_VALUE);
}

static void function_reset(void)
{
	uint32_t status;

	begin(PCI_E1000E, 0);
	status = peer_read(NIC_STATUS);
	CHECK(status && ~status);
	trace_begin("pci_try_reset_function");
	OK(iofd_ioctl(peer.fd, VFIO_DEVICE_RESET, NULL));
	trace_end("pci_try_reset_function");
	CHECK_EQ(peer_read(NIC_STATUS), status);
}

static void hot_reset(void)
{
	struct vfio_pci_hot_reset arg = { .argsz = sizeof(arg) };
	uint32_t status;

	begin(PCI_E1000E, 0);
	status = peer_read(NIC_STATUS);
	trace_begin("pci_reset_bus");
	OK(iofd_ioctl(peer.fd, VFIO_DEVICE_PCI_HOT_RESET, &arg));
	trace_end("pci_reset_bus");
	CHECK_EQ(peer_read(NIC_STATUS), status);
}

static unsigned int capability(struct vdev *v, unsigned int id)
{
	uint8_t at = 0, entry[2];

	OK(vdev_config_read(v, PCI_CAPABILITY_LIST, &at, 1));
	for (; at; at = entry[1]) {
		OK(vdev_config_read(v, at, entry, 2));
		if (entry[0] == id)
			return at;
	}
	tap_skip("the device has no capability %u", id);
}

static void power_state(void)
{
	uint32_t status;
	unsigned int pm;
	uint16_t state;

	begin(PCI_E1000E, 0);
	pm = capability(&peer, PCI_CAP_ID_PM);
	status = peer_read(NIC_STATUS);
	OK(vdev_config_read(&peer, pm + PCI_PM_CTRL, &state, 2));
	state |= 3;
	trace_begin("vfio_pci_core_write");
	OK(vdev_config_write(&peer, pm + PCI_PM_CTRL, &state, 2));
	trace_end("vfio_pci_core_write");
	REFUSED(iommufd, MAP, map(BUF + (2 << 20), 0, size), -ENODEV);
	state &= ~3;
	OK(vdev_config_write(&peer, pm + PCI_PM_CTRL, &state, 2));
	/* what of the command register D3 has cost is for the user to restore */
	OK(vdev_enable(&peer, true));
	CHECK_EQ(peer_read(NIC_STATUS), status);
}

static void config_flr(void)
{
	unsigned int exp;
	uint32_t status;
	uint16_t control;

	begin(PCI_E1000E, 0);
	exp = capability(&peer, PCI_CAP_ID_EXP);
	status = peer_read(NIC_STATUS);
	OK(vdev_config_read(&peer, exp + PCI_EXP_DEVCTL, &control, 2));
	control |= PCI_EXP_DEVCTL_BCR_FLR;
	trace_begin("vfio_pci_core_write");
	OK(vdev_config_write(&peer, exp + PCI_EXP_DEVCTL, &control, 2));
	trace_end("vfio_pci_core_write");
	CHECK_EQ(peer_read(NIC_STATUS), status);
}

static int low_power(uint32_t feature)
{
	struct vfio_device_feature f = {
		.argsz = sizeof(f),
		.flags = VFIO_DEVICE_FEATURE_SET | feature,
	};

	return iofd_ioctl(peer.fd, FEATURE, &f);
}

static void runtime_power(void)
{
	uint32_t status;
	int rc;

	begin(PCI_E1000E, 0);
	status = peer_read(NIC_STATUS);
	trace_begin("vfio_pci_core_ioctl_feature");
	rc = low_power(VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY);
	if (rc == -ENOTTY)
		tap_skip("the driver has no low power");
	OK(rc);
	trace_end("vfio_pci_core_ioctl_feature");
	REFUSED(iommufd, MAP, map(BUF + (2 << 20), 0, size), -ENODEV);
	OK(low_power(VFIO_DEVICE_FEATURE_LOW_POWER_EXIT));
	CHECK_EQ(peer_read(NIC_STATUS), status);
}

static int count_unmaps(void)
{
	char line[512];
	int n = 0;
	FILE *f;

	put(TRACE "events/enable", "0");
	f = fopen(TRACE "trace", "r");
	CHECK(f);
	while (fgets(line, sizeof(line), f))
		n += !!strstr(line, " unmap: ");
	fclose(f);
	put(TRACE "kprobe_events", "");
	return n;
}

/* Other registers may be written while DMA goes on. */
static void harmless(void)
{
	uint8_t line = 5;

	begin(PCI_EDU, 1);
	trace_begin("vfio_pci_core_write");
	OK(vdev_config_write(&peer, PCI_INTERRUPT_LINE, &line, 1));
	OK(vdev_config_write(&peer, PCI_CACHE_LINE_SIZE, &line, 1));
	CHECK_EQ(peer_read(EDU_ID), EDU_ID_VALUE);
	/* which the trace would show */
	OK(iofd_unmap(iommufd, ioas, BUF, size, NULL));
	CHECK_EQ(count_unmaps(), 1);
}

static void closed(void)
{
	void *scratch = mem_anon(PAGE);
	struct vdev again;
	int old;

	begin(PCI_EDU, 1);
	CHECK_EQ(peer_read(EDU_ID), EDU_ID_VALUE);
	vdev_close(&peer);
	HOLDS(dma_write_faults(&edu, BUF, scratch));
	REFUSED(iommufd, MAP, map(BUF + (2 << 20), 0, size), -ENODEV);
	/* what is opened next has nothing to do with it */
	again = peer;
	OK(vdev_open(&again));
	OK(vdev_bind(&again, iommufd));
	OK(vdev_enable(&again, true));
	REFUSED(iommufd, MAP, map(BUF + (2 << 20), 0, size), -ENODEV);
	old = buf;
	buf = OK(export(&again, size));
	OK(iofd_unmap(iommufd, ioas, BUF, size, NULL));
	OK(map(BUF, 0, size));
	CHECK_EQ(peer_read(EDU_ID), EDU_ID_VALUE);
	close(old);
	/* the mapping keeps the buffer */
	close(buf);
	CHECK_EQ(peer_read(EDU_ID), EDU_ID_VALUE);
}

/* Nobody but this buffer holds the module. */
static void holds_module(void)
{
	begin(PCI_EDU, 1);
	edu_fini(&edu);
	vdev_close(&reader);
	vdev_close(&peer);
	OK(iofd_unmap(iommufd, ioas, BUF, size, NULL));
	ERR(module_unload("vfio_cdev"), -EAGAIN);
	close(buf);
}

static volatile int stop;

static void *toggle(void *unused)
{
	bool on = false;

	while (!stop) {
		OK(vdev_enable(&peer, on));
		on = !on;
	}
	OK(vdev_enable(&peer, true));
	return NULL;
}

static void *export_more(void *unused)
{
	while (!stop)
		close(OK(export(&peer, PAGE)));
	return NULL;
}

static void storm(void)
{
	pthread_t a, b;
	int i, rc;

	begin(PCI_EDU, 1);
	CHECK(!pthread_create(&a, NULL, toggle, NULL));
	CHECK(!pthread_create(&b, NULL, export_more, NULL));
	for (i = 0; i < 2000; i++) {
		rc = map(BUF + (2 << 20), 0, PAGE);
		CHECK(!rc || rc == -ENODEV);
		if (!rc)
			OK(iofd_unmap(iommufd, ioas, BUF + (2 << 20), PAGE, NULL));
	}
	stop = 1;
	CHECK(!pthread_join(a, NULL) && !pthread_join(b, NULL));
	CHECK_EQ(peer_read(EDU_ID), EDU_ID_VALUE);
}

static const struct tap_test tests[] = {
	{ "a device reads and writes another one's registers", dma },
	{ "a buffer of some pages has just those", parts },
	{ "wrong arguments are refused", refused },
	{ "while the memory is off the buffer is away", memory_off, 60 },
	{ "it goes before the command register is written", order_command },
	{ "it goes before a reset and comes back", function_reset },
	{ "it goes before a hot reset and comes back", hot_reset },
	{ "it goes before a reset through configuration space", config_flr },
	{ "it goes before the power state changes", power_state },
	{ "it goes before low power and comes back", runtime_power },
	{ "other registers do not touch it", harmless },
	{ "when the device is closed it goes for good", closed, 60 },
	{ "a buffer holds the module", holds_module },
	{ "mapping, exporting and turning off at once", storm, 120 },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

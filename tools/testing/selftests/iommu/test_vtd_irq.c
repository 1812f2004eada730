// SPDX-License-Identifier: GPL-2.0
/*
 * Message interrupts behind a unit of iommu_vtd that isolates them: those of a
 * device arrive, where they are sent, and whatever else a device writes there does
 * not. edu with a mask of 32 bits can write anywhere.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "devices.h"
#include "kmsg.h"
#include "mem.h"
#include "own_irq.h"

#define PAGE	4096UL
#define IOVA	0x100000UL
#define SOON	10000	/* ms */

/* 5.1.2.2 */
#define REMAPPED	0x10u
/* 11.4.4.2 */
#define STATUS_IRES	(1u << 25)
#define STATUS_CFIS	(1u << 23)

static struct space s;

/* A device that can raise its interrupt, and the entry for it. */
struct source {
	struct testdev d;
	struct own_irq irq;
	int event;
};

static void need_isolation(void)
{
	unsigned int status;

	if (!own_irq_status(&status))
		tap_skip("no unit of iommu_vtd isolates interrupts here");
}

static void start(struct source *src)
{
	src->event = OK(vdev_msi(&src->d.vdev));
	CHECK(own_irq_find(src->d.vdev.bdf, 0, &src->irq));
}

static void open_source(struct source *src, int nth)
{
	need_isolation();
	need_edu(&src->d, nth, s.fd);
	start(src);
}

/* How many interrupts came, waiting for the first. */
static unsigned long came(struct source *src, int ms)
{
	struct pollfd p = { .fd = src->event, .events = POLLIN };
	uint64_t n = 0;

	if (poll(&p, 1, ms) == 1 && read(src->event, &n, sizeof(n)) != sizeof(n))
		n = 0;
	return n;
}

static void raise_and_wait(struct source *src)
{
	edu_irq(&src->d.edu, 1);
	CHECK_EQ(came(src, SOON), 1);
	edu_irq_ack(&src->d.edu, 1);
}

static unsigned int sid_of(const char *bdf)
{
	unsigned int domain, bus, dev, fn;

	CHECK(sscanf(bdf, "%x:%x:%x.%u", &domain, &bus, &dev, &fn) == 4);
	return bus << 8 | dev << 3 | fn;
}

/*
 * The message that a device sends, in its capability. The kernel has written it
 * there; a user neither sees nor changes it, a device may do what it likes.
 */
struct message {
	uint32_t address;
	uint16_t data;
};

static int message_open(const char *bdf, unsigned int *address, unsigned int *data)
{
	uint8_t config[256];
	char path[128];
	unsigned int at;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
	fd = open(path, O_RDWR | O_CLOEXEC);
	CHECK(fd >= 0);
	CHECK(pread(fd, config, sizeof(config), 0) == sizeof(config));
	for (at = config[0x34]; at && config[at] != 5; at = config[at + 1])
		;
	CHECK(at);
	*address = at + 4;
	/* they lie behind the upper half of an address of 64 bits */
	*data = at + (config[at + 2] & 0x80 ? 12 : 8);
	return fd;
}

static struct message message_get(const char *bdf)
{
	unsigned int address, data;
	int fd = message_open(bdf, &address, &data);
	struct message m;

	CHECK(pread(fd, &m.address, 4, address) == 4);
	CHECK(pread(fd, &m.data, 2, data) == 2);
	close(fd);
	return m;
}

static void message_set(const char *bdf, const struct message *m)
{
	unsigned int address, data;
	int fd = message_open(bdf, &address, &data);

	CHECK(pwrite(fd, &m->address, 4, address) == 4);
	CHECK(pwrite(fd, &m->data, 2, data) == 2);
	close(fd);
}

static uint32_t address_of(unsigned int handle)
{
	return MSI_FIRST | REMAPPED | (handle & 0x7fff) << 5 | handle >> 15 << 2;
}

static void arrives(void)
{
	struct source src;
	struct message m;
	unsigned long before;
	int i;

	space_open(&s);
	open_source(&src, 0);
	CHECK(src.irq.present);
	CHECK_EQ(src.irq.svt, 1);
	CHECK_EQ(src.irq.sq, 0);
	CHECK_EQ(src.irq.sid, sid_of(src.d.vdev.bdf));
	m = message_get(src.d.vdev.bdf);
	CHECK_EQ(m.address, address_of(src.irq.handle));
	CHECK_EQ(m.data, 0);
	before = irq_count(src.irq.irq, -1);
	for (i = 0; i < 5; i++)
		raise_and_wait(&src);
	CHECK_EQ(irq_count(src.irq.irq, -1) - before, 5);
}

static void closed(void)
{
	struct source src;
	struct own_irq irq;

	space_open(&s);
	open_source(&src, 0);
	edu_fini(&src.d.edu);
	vdev_close(&src.d.vdev);
	CHECK(!own_irq_find(src.d.vdev.bdf, 0, &irq));
}

/* The address in it is that of the bus: all behind the bridge speak as one. */
static void behind_bridge(void)
{
	struct source src;
	pci_bdf a, b;

	need_isolation();
	need_edu_pair(a, b);
	space_open(&s);
	OK(pci_bind(b, "vfio-pci"));
	open_edu(&src.d, a, s.fd);
	start(&src);
	CHECK_EQ(src.irq.svt, 2);
	CHECK_EQ(src.irq.sid, (sid_of(a) >> 8) * 0x101);
	raise_and_wait(&src);
}

static void move_to(unsigned int irq, int cpu)
{
	char path[64], text[16];
	int fd, n = snprintf(text, sizeof(text), "%d", cpu);

	snprintf(path, sizeof(path), "/proc/irq/%u/smp_affinity_list", irq);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	CHECK(write(fd, text, n) == n);
	close(fd);
}

static void follows(void)
{
	const char *bdf;
	struct source src;
	struct own_irq at[2];
	struct message before_m, m;
	unsigned long before;
	int i, cpu;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		tap_skip("this machine has one CPU");
	space_open(&s);
	open_source(&src, 0);
	bdf = src.d.vdev.bdf;
	before_m = message_get(bdf);
	for (i = 0; i < 6; i++) {
		cpu = i & 1;
		move_to(src.irq.irq, cpu);
		/* the vector it had before is freed a moment after the first */
		raise_and_wait(&src);
		usleep(100000);
		raise_and_wait(&src);
		CHECK(own_irq_find(bdf, 0, &at[cpu]));
		CHECK(at[cpu].present);
		before = irq_count(src.irq.irq, cpu);
		raise_and_wait(&src);
		CHECK_EQ(irq_count(src.irq.irq, cpu) - before, 1);
	}
	CHECK(at[0].apic != at[1].apic);
	/* the device was told nothing of it */
	m = message_get(bdf);
	CHECK_EQ(m.address, before_m.address);
	CHECK_EQ(m.data, before_m.data);
}

/*
 * Forged interrupts: an attacker, its victim, and what the log says of it. By its
 * own message, which QEMU sends with the id of the device, or by DMA, which it does
 * without one.
 */
struct forgery {
	struct source attacker;
	struct source victim;
	uint32_t *word;
	int log;
};

static void forgery_begin(struct forgery *f)
{
	space_open(&s);
	open_source(&f->victim, 0);
	open_source(&f->attacker, 1);
	f->word = mem_anon(PAGE);
	CHECK(f->word);
	OK(space_map(&s, f->word, PAGE, IOVA));
	attach(&f->attacker.d, s.ioas);
	f->log = OK(kmsg_open());
}

static void by_message(struct forgery *f, const struct message *forged)
{
	const char *bdf = f->attacker.d.vdev.bdf;
	struct message own = message_get(bdf);

	message_set(bdf, forged);
	edu_irq(&f->attacker.d.edu, 1);
	message_set(bdf, &own);
	edu_irq_ack(&f->attacker.d.edu, 1);
}

static void by_dma(struct forgery *f, const struct message *forged)
{
	*f->word = forged->data;
	OK(edu_read(&f->attacker.d.edu, IOVA, 0, 4));
	OK(edu_write(&f->attacker.d.edu, forged->address, 0, 4));
}

static void reported(struct forgery *f, const struct message *m,
		     unsigned int reason)
{
	char line[512], want[64], why[32];

	snprintf(want, sizeof(want), ": interrupt of %s with handle ",
		 f->attacker.d.vdev.bdf);
	snprintf(why, sizeof(why), "refused, reason %#x:", reason);
	do {
		if (!kmsg_next(f->log, line, sizeof(line), SOON))
			tap_fail(__FILE__, __LINE__,
				 "%#x to %#x was not reported", m->data, m->address);
	} while (strncmp(line, "vtd", 3) || !strstr(line, want));
	if (!strstr(line, why))
		tap_fail(__FILE__, __LINE__, "want reason %#x: %s", reason, line);
}

static void nothing_came(struct forgery *f, unsigned long before)
{
	CHECK_EQ(came(&f->victim, 200), 0);
	CHECK_EQ(irq_count(f->victim.irq.irq, -1), before);
	CHECK_EQ(came(&f->attacker, 0), 0);
	/* and both go on as they did */
	raise_and_wait(&f->victim);
	raise_and_wait(&f->attacker);
}

static void refused(struct forgery *f, uint32_t address, uint16_t data,
		    unsigned int reason)
{
	unsigned long before = irq_count(f->victim.irq.irq, -1);
	struct message m = { address, data };

	by_message(f, &m);
	reported(f, &m, reason);
	nothing_came(f, before);
}

static void refused_dma(struct forgery *f, uint32_t address, uint16_t data)
{
	struct message own = { address_of(f->attacker.irq.handle) };
	unsigned long before = irq_count(f->victim.irq.irq, -1);
	struct message m = { address, data };

	/* that it gets there at all */
	by_dma(f, &own);
	CHECK_EQ(came(&f->attacker, SOON), 1);
	by_dma(f, &m);
	nothing_came(f, before);
}

static void forged_handle(void)
{
	struct forgery f;

	forgery_begin(&f);
	refused(&f, address_of(f.victim.irq.handle), 0, 0x26);
}

static uint32_t vector_of(const struct source *src)
{
	CHECK(src->irq.apic < 0x100);
	return MSI_FIRST | src->irq.apic << 12;
}

/*
 * The unit is told to refuse what names a vector. Versions of QEMU that know no
 * other state than this let it through all the same.
 */
static void need_blocking(struct forgery *f)
{
	struct message m = { vector_of(&f->victim), f->victim.irq.vector };
	unsigned int status;

	CHECK(own_irq_status(&status));
	CHECK(status & STATUS_IRES);
	CHECK(!(status & STATUS_CFIS));
	by_message(f, &m);
	if (came(&f->victim, 500))
		tap_skip("this unit lets through what names a vector, though its status says that it does not");
	reported(f, &m, 0x25);
}

static void forged_vector(void)
{
	struct forgery f;

	forgery_begin(&f);
	need_blocking(&f);
	refused(&f, vector_of(&f.victim), f.victim.irq.vector, 0x25);
	refused_dma(&f, vector_of(&f.victim), f.victim.irq.vector);
}

static void forged_nobody(void)
{
	struct forgery f;

	forgery_begin(&f);
	refused(&f, address_of(0x3fff), 0, 0x22);
	refused(&f, address_of(0xffff), 0, 0x21);
	refused_dma(&f, address_of(0x3fff), 0);
}

static bool is_off(const char *parameter)
{
	char path[128], value = 0;
	int fd;

	snprintf(path, sizeof(path), "/sys/module/%s", parameter);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return true;	/* the module is not there either */
	CHECK(read(fd, &value, 1) == 1);
	close(fd);
	return value == 'N';
}

static void isolated(void)
{
	struct testdev d;

	need_isolation();
	CHECK(is_off("iommufd/parameters/allow_unsafe_interrupts"));
	CHECK(is_off("vfio_iommu_type1/parameters/allow_unsafe_interrupts"));
	space_open(&s);
	need_edu(&d, 0, s.fd);
	attach(&d, s.ioas);
}

static const struct tap_test tests[] = {
	{ "a device is handed out without allowing unsafe interrupts", isolated },
	{ "its interrupts arrive through an entry of its own", arrives },
	{ "an entry goes with its interrupt", closed },
	{ "an entry of a device behind a bridge to PCI is for its bus", behind_bridge },
	{ "an interrupt follows its affinity, the device is not told", follows, 60 },
	{ "a device cannot raise the interrupt of another", forged_handle, 60 },
	{ "nor name a vector", forged_vector, 60 },
	{ "nor use what is nobody's", forged_nobody, 60 },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}

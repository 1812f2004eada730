// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <glob.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "mem.h"
#include "tap.h"
#include "traffic.h"

#define BLOCK		(64 * KIB)
#define BLOCKS		128
#define PAYLOAD		1000
#define OWN_ADDRESS	"10.0.2.15"
#define PEER_ADDRESS	"10.0.2.2"

static atomic_ulong blocks_read, pings_answered;

/* The first file that matches, its last part in name. */
static bool find_file(const char *pattern, char *name, size_t size)
{
	bool found = false;
	glob_t g;

	if (!glob(pattern, 0, NULL, &g)) {
		snprintf(name, size, "%s", strrchr(g.gl_pathv[0], '/') + 1);
		found = true;
		globfree(&g);
	}
	return found;
}

int disk_open(const char *bdf)
{
	char pattern[128], name[64], path[80];
	int fd = -ENODEV, tries;

	snprintf(pattern, sizeof(pattern),
		 "/sys/bus/pci/devices/%s/nvme/nvme*/nvme*n1", bdf);
	for (tries = 0; tries < 200 && fd < 0; tries++) {
		if (find_file(pattern, name, sizeof(name))) {
			snprintf(path, sizeof(path), "/dev/%s", name);
			fd = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
			if (fd < 0)
				fd = -errno;
		}
		if (fd < 0)
			usleep(50000);
	}
	return fd;
}

static void *block(void)
{
	void *buf = aligned_alloc(BLOCK, BLOCK);

	CHECK(buf);
	return buf;
}

void disk_fill(int fd)
{
	void *buf = block();
	unsigned int i;

	for (i = 0; i < BLOCKS; i++) {
		mem_fill(buf, BLOCK, 100 + i);
		CHECK(pwrite(fd, buf, BLOCK, i * BLOCK) == BLOCK);
	}
	free(buf);
}

static void read_block(int fd, void *buf, unsigned int i)
{
	memset(buf, 0, BLOCK);
	CHECK(pread(fd, buf, BLOCK, i * BLOCK) == BLOCK);
	CHECK(mem_holds(buf, BLOCK, 100 + i));
}

void disk_verify(int fd)
{
	void *buf = block();
	unsigned int i;

	for (i = 0; i < BLOCKS; i++)
		read_block(fd, buf, i);
	free(buf);
}

static void *read_on(void *arg)
{
	int fd = *(int *)arg;
	void *buf = block();

	for (;;)
		read_block(fd, buf, atomic_fetch_add(&blocks_read, 1) % BLOCKS);
	return NULL;
}

static void net_ioctl(int fd, unsigned long cmd, struct ifreq *r, const char *address)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&r->ifr_addr;

	in->sin_family = AF_INET;
	CHECK(inet_pton(AF_INET, address, &in->sin_addr) == 1);
	CHECK(!ioctl(fd, cmd, r));
}

void net_up(const char *bdf)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char pattern[128], name[IFNAMSIZ];
	struct ifreq r = {};

	CHECK(fd >= 0);
	snprintf(pattern, sizeof(pattern), "/sys/bus/pci/devices/%s/net/*", bdf);
	CHECK(find_file(pattern, name, sizeof(name)));
	strcpy(r.ifr_name, name);
	net_ioctl(fd, SIOCSIFADDR, &r, OWN_ADDRESS);
	net_ioctl(fd, SIOCSIFNETMASK, &r, "255.255.255.0");
	CHECK(!ioctl(fd, SIOCGIFFLAGS, &r));
	r.ifr_flags |= IFF_UP;
	CHECK(!ioctl(fd, SIOCSIFFLAGS, &r));
	/* packets are dropped until it has a carrier; the test's time limits this */
	do {
		usleep(50000);
		CHECK(!ioctl(fd, SIOCGIFFLAGS, &r));
	} while (!(r.ifr_flags & IFF_RUNNING));
	close(fd);
}

struct echo {
	struct icmphdr head;
	uint8_t payload[PAYLOAD];
};

static uint16_t checksum(const void *data, size_t size)
{
	const uint16_t *w = data;
	uint32_t sum = 0;

	for (; size; size -= 2)
		sum += *w++;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* Until the answer to this one is there. */
static bool answered(int fd, const struct echo *sent)
{
	struct {
		uint8_t bytes[sizeof(struct iphdr) + 40 + sizeof(struct echo)];
	} packet;
	const struct echo *e;
	ssize_t n;

	for (;;) {
		n = recv(fd, &packet, sizeof(packet), 0);
		if (n < 0)
			return false;
		e = (void *)(packet.bytes + (packet.bytes[0] & 0xf) * 4);
		if ((uint8_t *)e + sizeof(*e) > packet.bytes + n ||
		    e->head.type != ICMP_ECHOREPLY ||
		    e->head.un.echo.id != sent->head.un.echo.id ||
		    e->head.un.echo.sequence != sent->head.un.echo.sequence)
			continue;
		CHECK(!memcmp(e->payload, sent->payload, PAYLOAD));
		return true;
	}
}

static void *ping_on(void *arg)
{
	struct sockaddr_in peer = { .sin_family = AF_INET };
	struct timeval patience = { .tv_sec = 10 };
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
	struct echo e = { .head.type = ICMP_ECHO };
	unsigned int refused = 0;
	bool sent;

	CHECK(fd >= 0);
	CHECK(inet_pton(AF_INET, PEER_ADDRESS, &peer.sin_addr) == 1);
	CHECK(!setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)));
	e.head.un.echo.id = getpid();
	for (;;) {
		e.head.un.echo.sequence++;
		mem_fill(e.payload, PAYLOAD, e.head.un.echo.sequence);
		e.head.checksum = 0;
		e.head.checksum = checksum(&e, sizeof(e));
		sent = sendto(fd, &e, sizeof(e), 0, (void *)&peer, sizeof(peer)) ==
		       sizeof(e);
		if (sent && answered(fd, &e)) {
			atomic_fetch_add(&pings_answered, 1);
			refused = 0;
			continue;
		}
		/* the queue comes later than the carrier, and goes for moments */
		if ((sent && atomic_load(&pings_answered)) || refused++ > 100)
			tap_fail(__FILE__, __LINE__, "%s does not answer: %s",
				 PEER_ADDRESS, tap_errno(errno));
		usleep(100000);
	}
	return NULL;
}

void traffic_start(const char *disk, const char *net)
{
	static int fd;
	pthread_t t;

	fd = OK(disk_open(disk));
	disk_fill(fd);
	net_up(net);
	CHECK(!pthread_create(&t, NULL, read_on, &fd));
	CHECK(!pthread_create(&t, NULL, ping_on, NULL));
	traffic_goes_on();
}

void traffic_goes_on(void)
{
	unsigned long blocks = atomic_load(&blocks_read);
	unsigned long pings = atomic_load(&pings_answered);

	/* one that does not come to this runs out of its time */
	while (atomic_load(&blocks_read) - blocks < 50 ||
	       atomic_load(&pings_answered) - pings < 20)
		usleep(10000);
}

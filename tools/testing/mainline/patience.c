// SPDX-License-Identifier: GPL-2.0
/*
 * The programs end a test after 30 s, which they spend in one poll(). That is long
 * on hardware, and short in an emulated machine with KASAN. Linked into them with
 * --wrap=poll.
 */
#include <poll.h>

#define SHORT_MS	30000
#define TIMES		40

int __real_poll(struct pollfd *fds, nfds_t nfds, int ms);
int __wrap_poll(struct pollfd *fds, nfds_t nfds, int ms);

int __wrap_poll(struct pollfd *fds, nfds_t nfds, int ms)
{
	return __real_poll(fds, nfds, ms < SHORT_MS ? ms : ms * TIMES);
}

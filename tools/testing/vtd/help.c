// SPDX-License-Identifier: GPL-2.0-only
#include <linux/iommufd_reason.h>
#include <stdarg.h>
#include <stdio.h>

#include "help.h"

char last_reason[512];
u64 random_state;

int iommufd_refuse(int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(last_reason, sizeof(last_reason), fmt, args);
	va_end(args);
	return err;
}

u64 random64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

u64 below(u64 n)
{
	return random64() % n;
}

static u64 mask(unsigned int high, unsigned int low)
{
	return ~0ULL >> (63 - (high - low)) << low % 64;
}

u64 bits(const u64 *q, unsigned int high, unsigned int low)
{
	return (q[low / 64] & mask(high, low)) >> low % 64;
}

void put(u64 *q, unsigned int high, unsigned int low, u64 value)
{
	u64 m = mask(high, low);

	q[low / 64] = (q[low / 64] & ~m) | (value << low % 64 & m);
}

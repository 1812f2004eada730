// SPDX-License-Identifier: GPL-2.0-only
#include <linux/iommufd_reason.h>

#include "help.h"

char last_reason[512];
u64 random_state = 1;

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

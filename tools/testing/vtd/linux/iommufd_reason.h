/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VTD_REASON_H
#define VTD_REASON_H

/* Keeps the sentence, for tests to look at. */
int iommufd_refuse(int err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

extern char last_reason[];

#endif

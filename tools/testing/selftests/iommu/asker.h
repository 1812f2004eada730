/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A device that asks for pages, as ko/asker.h makes one up: its parameters, and the list
 * of what the driver has done. Each function ends the test if something is not so.
 */
#ifndef IOMMU_ASKER_H
#define IOMMU_ASKER_H

#include <stddef.h>

/* For the device; ends the test as skipped if there is no such module. */
void asker_load(const char *module, const char *bdf, const char *parameters);
void asker_unload(void);

void asker_set(const char *name, const char *text);
void asker_get(const char *name, char *text, size_t size);

/* The list begins anew. */
void asker_forget(void);
void asker_check(const char *want, int line);
#define ASKER_LOG(want) asker_check(want, __LINE__)
/* These lines, up to NULL, stand in it in this order. */
void asker_in_order(const char *const *lines, int line);
/* Everything up to the nth answer, which comes from a thread of the driver. */
void asker_wait(unsigned int nr, char *text, size_t size);
/* How often something stands in a log */
unsigned int asker_count(const char *log, const char *what);

#endif

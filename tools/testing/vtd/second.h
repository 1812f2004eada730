/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A second stage as the driver makes it, with the project's page-table library. In
 * a header of its own because library and driver have different stand-ins for the
 * kernel.
 */
#ifndef VTD_SECOND_H
#define VTD_SECOND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct second;

struct second *second_new(unsigned int levels, unsigned int bits);
void second_free(struct second *s);
void second_map(struct second *s, uint64_t iova, const void *memory, size_t len,
		bool write);
void second_unmap(struct second *s, uint64_t iova, size_t len);
uint64_t second_top(const struct second *s);

#endif

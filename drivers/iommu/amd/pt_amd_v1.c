// SPDX-License-Identifier: GPL-2.0-only
#include "../pt/amd_v1.c"

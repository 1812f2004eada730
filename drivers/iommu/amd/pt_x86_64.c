// SPDX-License-Identifier: GPL-2.0-only
#include "../pt/x86_64.c"

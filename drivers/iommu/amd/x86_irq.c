// SPDX-License-Identifier: GPL-2.0-only
#define X86_IRQ_NAME "AMDVI"
#include "../x86/irq.c"

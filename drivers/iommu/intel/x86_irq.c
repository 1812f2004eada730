// SPDX-License-Identifier: GPL-2.0-only
#define X86_IRQ_NAME "VTD"
#include "../x86/irq.c"

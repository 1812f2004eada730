// SPDX-License-Identifier: GPL-2.0-only
#include "fmt/x86_64.h"
#include "pt_format.h"

PT_FORMAT(pt_x86_64, "x86-64");

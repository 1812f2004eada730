// SPDX-License-Identifier: GPL-2.0-only
#include "fmt/arm_s1.h"
#include "pt_format.h"

PT_FORMAT(pt_arm_s1, "Armv8 stage 1");

// SPDX-License-Identifier: GPL-2.0-only
#include "fmt/amd_v1.h"
#include "pt_format.h"

PT_FORMAT(pt_amd_v1, "AMD-Vi v1");

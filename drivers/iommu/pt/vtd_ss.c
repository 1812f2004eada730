// SPDX-License-Identifier: GPL-2.0-only
#include "fmt/vtd_ss.h"
#include "pt_format.h"

PT_FORMAT(pt_vtd_ss, "Intel VT-d second stage");

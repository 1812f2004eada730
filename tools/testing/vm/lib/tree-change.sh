#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The part of tree_ensure() that has to be root: see lib/tree.sh.
set -euo pipefail

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. "$lab_dir/lib/tree.sh"

# shellcheck disable=SC2034 # read by lib/tree.sh
mirror=$1 keyring=$2 security=$3 updates=$4
umask 022
tree_change

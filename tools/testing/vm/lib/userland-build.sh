#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# userland-build.sh DEBIAN-ARCHITECTURE SUITE LIST: the part of userland_ensure()
# that runs in the tree, as root, in the folder that is to become
# /opt/userland/DEBIAN-ARCHITECTURE. See userland.sh.
#
# Packages are unpacked and not installed: nothing of theirs can run here, and what
# is wanted of them needs no more.
set -eu

foreign=$1 suite=$2 list=$3

# apt with a state of its own, in which nothing is installed.
own()
{
	command=$1
	shift
	DEBIAN_FRONTEND=noninteractive "$command" -q \
		-o APT::Architecture="$foreign" -o APT::Architectures::="$foreign" \
		-o Dir::State="$PWD/apt" -o Dir::State::status="$PWD/apt/status" -o Dir::Cache="$PWD/apt" \
		-o Acquire::Languages=none -o APT::Sandbox::User=root -o Debug::NoLocking=true "$@"
}

packages=$(sed -n "s/#.*//; s/^package[[:space:]]*//p; s|^backports[[:space:]]*\(.*\)|\1/$suite-backports|p" "$list")

mkdir -p apt/lists/partial apt/archives/partial
: >apt/status
own apt-get update
# shellcheck disable=SC2086 # a list of words
own apt-get -y install --download-only --no-install-recommends -t "$suite-backports" $packages

mkdir -p usr/bin usr/sbin usr/lib proc sys dev run tmp etc
ln -s usr/bin usr/sbin usr/lib .
for deb in apt/archives/*.deb; do
	dpkg -x "$deb" .
done
rm -rf apt usr/share/doc usr/share/man usr/share/locale usr/share/info usr/share/AAVMF
[ -x usr/bin/qemu-system-aarch64 ]

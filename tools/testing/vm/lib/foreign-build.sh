#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# foreign-build.sh DEBIAN-ARCHITECTURE SUITE LIST: the part of foreign_ensure()
# that runs in the tree, as root, in the folder that is to become
# /opt/arch/DEBIAN-ARCHITECTURE. See foreign.sh.
set -eu

foreign=$1 suite=$2 list=$3
native=$(dpkg --print-architecture)
state=$PWD/apt

# packages KIND
packages()
{
	sed -n "s/#.*//; s/^$1[[:space:]][[:space:]]*//p" "$list"
}

# apt with a state of its own, for both architectures: the tree's lists may be
# old, and who works in the tree meanwhile has them locked.
own()
{
	command=$1
	shift
	DEBIAN_FRONTEND=noninteractive "$command" -q \
		-o Dir::State="$state" -o Dir::State::status=/var/lib/dpkg/status -o Dir::Cache="$state" \
		-o APT::Architectures::="$native" -o APT::Architectures::="$foreign" \
		-o Acquire::Languages=none -o APT::Sandbox::User=root -o Debug::NoLocking=true "$@"
}

# unpack WHERE: what was downloaded
unpack()
{
	mkdir -p "../$1"
	for deb in *.deb; do
		[ -e "$deb" ] || continue
		dpkg -x "$deb" "../$1"
		rm "$deb"
	done
}

mkdir -p apt/lists/partial apt/archives/partial debs
cd debs
# A mirror may be in the middle of a change: then those lists are good that the
# tree was built with, and what is not in any is missed below.
cp /var/lib/apt/lists/*_* ../apt/lists/ || :
own apt-get update || :

# shellcheck disable=SC2046 # lists of words
own apt-get -y install --download-only --no-install-recommends $(packages host)
find ../apt/archives -name '*.deb' -exec mv {} . \;
unpack host

for package in $(packages qemu); do
	own apt-get download "$package/$suite-backports"
done
unpack qemu

# Modules are built with the tools of the kernel's own version, which is not
# always that of the tree's kernel.
version=''
for flavour in $(packages kernel); do
	[ -n "$version" ] || version=$(own apt-cache show --no-all-versions "linux-image-$flavour:$foreign" |
		sed -n 's/^Depends:.*linux-image-\([^ ,]*\)-'"$flavour"'[ ,].*/\1/p; s/^Depends:.*linux-image-\([^ ,]*\)-'"$flavour"'$/\1/p' |
		sort -V | tail -n 1)
	own apt-get download "linux-image-$version-$flavour:$foreign" "linux-headers-$version-$flavour:$foreign"
done
own apt-get download "linux-headers-$version-common" "linux-kbuild-$version:$native"
unpack target

for package in $(packages target); do
	own apt-get download "$package:$foreign"
done
unpack target

cd ..
rm -rf apt debs
[ -e target/lib ] || ln -s usr/lib target/lib
# Kbuild finds all by relative names but this
sed -i "s|/usr/src/linux-headers|/opt/arch/$foreign/target&|" target/usr/src/linux-headers-*/Makefile
for flavour in $(packages kernel); do
	depmod -b "$PWD/target" "$version-$flavour"
done

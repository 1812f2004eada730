# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Kernels of our own, for what the stock kernel does not tell. Sourced by the
# lab, which calls kernel_load() for a machine whose architecture names a
# flavour, and kernel_ensure() before it builds anything.
#
#   $cache/source/VERSION       Debian's source of the stock kernel in the tree
#   $cache/source/overlay       hard links to it, with the overlay
#   $cache/kernel/FLAVOUR       what was built (the O= of Kbuild), and in it
#     modules                   installed modules
#     .digest                   of what it was built from
#
# A flavour is a file flavours/FLAVOUR, which sets
#   kernel_configs              names of configuration fragments, the last wins
#   kernel_overlay              yes: with our subsystem in the source
#   kernel_make                 a variable for make when it is built
#   kernel_module_make          the same when modules are built for it

kernel_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)

# What a flavour is and where it lies; touches nothing.
kernel_load()
{
	kernel_flavour=$1
	[ -r "$kernel_dir/flavours/$1" ] || die "no kernel $1"
	kernel_configs='' kernel_overlay=no kernel_make='' kernel_module_make=''
	. "$kernel_dir/flavours/$1"

	kernel_out=$cache/kernel/$1
	kernel=$kernel_out/arch/x86/boot/bzImage
	kver=$(cat "$kernel_out/include/config/kernel.release" 2>/dev/null || :)
	kernel_build=$kernel_out
	kernel_modules=$kernel_out/modules
	kernel_id=$(cat "$kernel_out/.digest" 2>/dev/null || :)
}

# The source of the very kernel that the tree holds: sets $kernel_source
source_ensure()
{
	local version package=linux-source-6.12

	version=$("$lab_dir/intree" dpkg-query -W -f '${Version}' linux-image-amd64) ||
		die "the Debian 13 tree has no kernel"
	kernel_source=$cache/source/$version
	[ -e "$kernel_source/.complete" ] && return 0

	mkdir -p "$cache/source"
	exec 7>"$cache/source/.lock"
	flock 7
	if [ ! -e "$kernel_source/.complete" ]; then
		say "kernel source: fetching $package $version (about 150 MB, once)"
		rm -rf "$cache/source"/*
		( cd "$cache/source" && "$lab_dir/intree" --root sh -ec '
			get() { apt-get -q -o APT::Sandbox::User=root download "$1=$2"; }
			get "$@" || { apt-get -q update; get "$@"; }' - "$package" "$version" ) \
			>"$cache/source/log" 2>&1 ||
			die "cannot fetch $package $version, see $cache/source/log"
		mkdir "$kernel_source"
		( cd "$kernel_source" && "$lab_dir/intree" sh -ec '
			dpkg-deb --fsys-tarfile ../*.deb | tar -xO --wildcards "./usr/src/*.tar.*" |
				xz -dc | tar -x --strip-components=1
			[ -e Kbuild ]' ) 7>&- || die "cannot unpack $package"
		rm -f "$cache/source"/*.deb
		: >"$kernel_source/.complete"
	fi
	exec 7>&-
}

# What a flavour is built from, beside the source that its version names.
kernel_digest()
{
	local c

	{
		basename "$kernel_source"
		echo "$kernel_make"
		for c in $kernel_configs; do
			grep -v '^#' "$kernel_dir/$c.config"
		done
		[ "$kernel_overlay" = no ] || "$repo/tools/overlay/overlay" digest
	} | sha256sum | cut -c1-40
}

# Every line of the fragments has to hold, or a name changed in the source.
# shellcheck disable=SC2086 # lists of words
kernel_configure()
{
	local fragments='' c wrong

	for c in $kernel_configs; do
		fragments+=" $kernel_dir/$c.config"
	done
	# the last word on an option is the only one
	cat $fragments | awk -F '[ =]' '/^CONFIG_/ { n = $1 } /^# CONFIG_/ { n = $2 } n { last[n] = $0; n = "" }
		END { for (n in last) print last[n] }' | sort >"$kernel_out/.wanted"
	printf 'CONFIG_LOCALVERSION="-%s"\n' "$kernel_flavour" >>"$kernel_out/.wanted"
	"$lab_dir/intree" make -C "$kernel_tree" O="$kernel_out" KCONFIG_ALLCONFIG="$kernel_out/.wanted" allnoconfig \
		>"$kernel_out/log" 2>&1 || die "cannot configure the kernel, see $kernel_out/log"
	wrong=$(sed 's/^\(CONFIG_[A-Z0-9_]*\)=n$/# \1 is not set/' "$kernel_out/.wanted" |
		while read -r line; do
			case $line in
			'# '*) c=${line#\# }; grep -q "^${c%% *}=" "$kernel_out/.config" && echo "$line" ;;
			*) grep -qxF "$line" "$kernel_out/.config" || echo "$line" ;;
			esac
		done)
	[ -z "$wrong" ] || die "the kernel source does not offer: $wrong"
}

# Is the flavour that is loaded built, and current? Fetches and builds nothing.
kernel_is_built()
{
	local version

	[ -n "$kernel_id" ] && [ -e "$kernel" ] || return 1
	version=$("$lab_dir/intree" dpkg-query -W -f '${Version}' linux-image-amd64) || return 1
	kernel_source=$cache/source/$version
	[ -e "$kernel_source/.complete" ] && [ "$(kernel_digest)" = "$kernel_id" ]
}

# Every sensible configuration of the overlay compiles: TAP, see combinations.
kernel_combinations()
{
	source_ensure
	mkdir -p "$cache/kernel/combinations"
	exec 7>"$cache/kernel/combinations/.lock"
	flock 7
	overlay_ensure
	"$lab_dir/intree" "$kernel_dir/combinations" "$kernel_tree" "$cache/kernel/combinations"
	exec 7>&-
}

# Lays the overlay over a copy of the source, and tells where: $kernel_tree
overlay_ensure()
{
	kernel_tree=$cache/source/overlay
	[ -d "$kernel_tree" ] || cp -al "$kernel_source" "$kernel_tree"
	"$repo/tools/overlay/overlay" apply "$kernel_tree" >/dev/null || die "the overlay does not fit"
}

# Builds the flavour that is loaded, if it is not what it ought to be. A change
# of few files is a short build: Kbuild knows what depends on what.
kernel_ensure()
{
	local digest start=$SECONDS

	source_ensure
	digest=$(kernel_digest)
	[ "$digest" != "$kernel_id" ] || return 0

	mkdir -p "$kernel_out"
	exec 7>"$kernel_out/.lock"
	flock 7
	kernel_load "$kernel_flavour"
	if [ "$digest" != "$kernel_id" ]; then
		rm -f "$kernel_out/.digest"
		kernel_tree=$kernel_source
		[ "$kernel_overlay" = no ] || overlay_ensure
		say "kernel $kernel_flavour: building (about 12 minutes on two CPUs, less after a small change)"
		kernel_configure
		"$lab_dir/intree" sh -ec 'out=$1 jobs=$2 set=$3
			nice -n 15 make -C "$out" ${set:+"$set"} -j"$jobs" bzImage modules
			rm -rf "$out/modules"
			make -C "$out" INSTALL_MOD_PATH="$out/modules" modules_install' \
			- "$kernel_out" "$(nproc)" "$kernel_make" 7>&- 2>&1 | progress "kernel $kernel_flavour" 3>>"$kernel_out/log" || {
			grep -E -A5 'error:|undefined|modpost: ' "$kernel_out/log" >&2 || :
			die "the kernel was not built, see $kernel_out/log"
		}
		printf '%s\n' "$digest" >"$kernel_out/.digest"
		say "kernel $kernel_flavour: ready after $((SECONDS - start)) s"
		kernel_load "$kernel_flavour"
	fi
	exec 7>&-
}

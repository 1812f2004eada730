# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What a machine boots into, from three archives, none of them compressed: the
# kernel unpacks them under emulation, where every byte counts twice.
#   1. busybox, init and the stock modules of the machine: kept by content
#   2. our modules and programs: packed when they changed
#   3. the orders of one run
# The kernel takes concatenated archives only if each starts at a multiple of
# four bytes; cpio pads to 512.

# pack DIRECTORY ARCHIVE, in the tree
pack()
{
	"$lab_dir/intree" sh -ec '
		cd "$1"; find . | LC_ALL=C sort | cpio -o -H newc --quiet --reproducible -R 0:0 >"$2.new"
		mv "$2.new" "$2"' - "$1" "$2" || die "cannot pack $2"
}

# initramfs_make INIT MODULE...: sets $base
initramfs_make()
{
	local init=$1 key work list

	shift
	key=$( { printf '%s\n' "$kernel_id" "$@"
		cat "$init" "$tree/.packages" ${arch_foreign:+"$tree/opt/arch/$arch_foreign/.digest"}; } |
		sha256sum | cut -c1-16)
	base=$built/initramfs/$key.cpio
	[ -e "$base" ] && return 0

	# machines that start at once may want the same
	mkdir -p "$built/initramfs"
	exec 8>"$built/.lock"
	flock 8
	if [ -e "$base" ]; then
		exec 8>&-
		return 0
	fi
	work=$built/initramfs/$key.d
	rm -rf "$work"
	mkdir -p "$work/bin" "$work/lab/modules"
	cp "$tree$arch_target$arch_busybox" "$work/bin/busybox"
	ln -s busybox "$work/bin/sh"
	install -m 755 "$init" "$work/init"
	# modprobe knows the order; a module that several need is listed once
	if [ $# -gt 0 ]; then
		list=$("$lab_dir/intree" modprobe -d "$kernel_modules" -S "$kver" -a --show-depends "$@") ||
			die "the kernel $kver has not all of the modules: $*"
		list=$(printf '%s\n' "$list" | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++')
		# shellcheck disable=SC2086 # a list of words
		"$lab_dir/intree" sh -ec 'd=$1; shift; n=100
			for m; do n=$((n + 1)); f=${m##*/}
				case $m in
				*.xz) xz -dc "$m" >"$d/$n-${f%.xz}" ;;
				*.zst) zstd -qdc "$m" >"$d/$n-${f%.zst}" ;;
				*) cp "$m" "$d/$n-$f" ;;
				esac
			done' - "$work/lab/modules" $list || die "cannot unpack modules"
	fi
	pack "$work" "$base"
	rm -rf "$work"
	exec 8>&-
}

# The same with the programs of this run alone: firmware that takes so much and no
# more would refuse all of them.
initramfs_small_payload()
{
	local work=$run_dir/payload.d name

	payload=$run_dir/payload.cpio
	mkdir -p "$work/t"
	cp -r "$built/m" "$work/"
	for name in $run_tests $(expand_tests "$tests"); do
		cp "$built/t/$name" "$work/t/"
	done
	chmod -R a+rX "$work"
	pack "$work" "$payload"
	rm -rf "$work"
}

# Our modules and programs: sets $payload
initramfs_payload()
{
	local work=$built/payload.d

	if [ "$small_payload" = yes ]; then
		initramfs_small_payload
		return 0
	fi
	payload=$built/payload.cpio
	[ "$(cat "$payload.of" 2>/dev/null)" = "$(cat "$built/.built")" ] && return 0
	exec 8>"$built/.lock"
	flock 8
	if [ "$(cat "$payload.of" 2>/dev/null)" = "$(cat "$built/.built")" ]; then
		exec 8>&-
		return 0
	fi
	rm -rf "$work" "$payload.of"
	mkdir -p "$work"
	cp -r "$built/m" "$built/t" "$work/"
	chmod -R a+rX "$work"
	pack "$work" "$payload"
	cp "$built/.built" "$payload.of"
	rm -rf "$work"
	exec 8>&-
}

# initramfs_orders FILE: the orders of this run as an archive
initramfs_orders()
{
	local work=$run_dir/orders.d

	mkdir -p "$work/lab"
	{
		printf 'mode=%q\n' "$mode"
		printf 'tests=%q\n' "$run_tests"
		printf 'command=%q\n' "$run_command"
		printf 'limit=%q\n' "$test_limit"
		printf 'own_modules=%q\n' "$own_modules"
		printf 'parameters=%q\n' "$parameters"
		printf 'TAP_SLOW=%q\n' "$slow"
	} >"$work/lab/run"
	( cd "$work/lab" && orders ) || die "cannot write the orders of $machine_name"
	pack "$work" "$1"
	rm -rf "$work"
}

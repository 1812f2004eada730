# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Modules and test programs, built from a copy of the sources so that the
# checkout stays clean and machines of several architectures can be built side
# by side.
#
#   $out/$arch/src        copy of what is needed of the repository
#   $out/$arch/t          programs, see programs.mk
#   $out/$arch/m          modules without debug information
#   $out/$arch/.built     digest of what was built

arch_load()
{
	arch=$1
	[ -r "$lab_dir/arch/$arch" ] || die "no architecture $arch"
	arch_flavour='' arch_foreign='' arch_static=''
	. "$lab_dir/arch/$arch"

	built=$out/$arch
	arch_load_foreign
	if [ -n "$arch_flavour" ]; then
		kernel_load "$arch_flavour"
		return 0
	fi
	# shellcheck disable=SC2086 # a pattern it shall be
	kernel=$(printf "%s\n" "$tree$arch_target"$arch_kernel_glob | sort -V | tail -n 1)
	kernel=${kernel#"$tree"}
	kver=${kernel##*/}
	kver=${kver#*-}
	if [ ! -e "$tree$kernel" ]; then
		# a foreign one comes when it is wanted: see arch_ensure()
		[ -n "$arch_foreign" ] || die "no kernel $arch_kernel_glob in $tree"
		kernel='' kver=''
	fi
	kernel_build=$arch_target/usr/src/linux-headers-$kver
	kernel_modules=$arch_target/
	kernel_id=$kver
	kernel_overlay=no
	kernel_module_make=''
}

# Where the tree has what belongs to the architecture: its own things at the top.
arch_load_foreign()
{
	local host

	arch_target='' arch_qemu_dir=/opt/qemu arch_host=()
	[ -n "$arch_foreign" ] || return 0
	host=/opt/arch/$arch_foreign/host
	arch_target=/opt/arch/$arch_foreign/target
	arch_qemu_dir=/opt/arch/$arch_foreign/qemu
	arch_host=(env "PATH=$host/usr/bin:/usr/sbin:/usr/bin:/sbin:/bin"
		"LD_LIBRARY_PATH=$host/usr/lib/$(uname -m)-linux-gnu")
}

# What is not there at once, and what arch_load() could not know before.
arch_ensure()
{
	if [ -n "$arch_flavour" ]; then
		kernel_ensure
	elif [ -n "$arch_foreign" ]; then
		foreign_ensure "$arch_foreign"
		arch_load "$arch"
	fi
}

build_run()
{
	local log=$built/build.log

	"$lab_dir/intree" "${arch_host[@]}" "$@" >>"$log" 2>&1 || {
		grep -E 'error|warning|undefined|\*\*\*' "$log" >&2 || tail -n 30 "$log" >&2
		[ -n "${LAB_KEEP_GOING-}" ] && return 0
		die "the build failed, see $log"
	}
}

build_all()
{
	local start=$SECONDS digest modules sources

	arch_ensure
	mkdir -p "$built/src" "$built/t" "$built/m" "$built/obj"
	exec 8>"$built/.lock"
	flock 8

	# By content, not by time: a file that changed back is older, and newer
	# than what was built from it all the same.
	"$lab_dir/intree" rsync -rlpc --delete --prune-empty-dirs \
		--exclude='*.o' --exclude='*.ko' --exclude='*.mod' --exclude='*.mod.c' --exclude='.*' \
		--exclude='*.a' --exclude=modules.order --exclude=Module.symvers \
		--include='/Kbuild' --include='/drivers/***' --include='/include/***' \
		--include='/tools/' --include='/tools/demo/***' --include='/tools/testing/' \
		--include='/tools/testing/selftests/***' --include='/tools/testing/bench/***' \
		--exclude='*' "$repo/" "$built/src/" || die "cannot copy the sources to $built/src"

	digest=$( { cd "$built/src" && find . \( -name '*.[chS]' -o -name Makefile -o -name Kbuild \) ! -name '*.mod.c' |
		LC_ALL=C sort | xargs sha256sum; cat "$lab_dir/programs.mk" "$lab_dir/arch/$arch"
		cat "$tree/.packages" ${arch_foreign:+"$tree/opt/arch/$arch_foreign/.digest"}
		echo "$kernel_id"; } | sha256sum)
	if [ "$(cat "$built/.built" 2>/dev/null)" = "$digest" ]; then
		exec 8>&-
		return 0
	fi

	rm -f "$built/.built" "$built"/m/*.ko
	: >"$built/build.log"
	# a kernel with the overlay has ours already, but not those of the tests
	sources=$built/src
	[ "$kernel_overlay" = no ] || sources=$built/src/tools/testing/selftests
	build_run make ${LAB_KEEP_GOING:+-k} -C "$kernel_build" "${arch_make[@]}" M="$sources" \
		${kernel_module_make:+"$kernel_module_make"} IOMMUFD_TEST_MODULES=m -j2 modules
	build_run make ${LAB_KEEP_GOING:+-k} -f "$lab_dir/programs.mk" -j2 CC="$arch_cc" \
		${arch_static:+STATIC="$arch_static"} \
		SRC="$built/src" BIN="$built/t" OBJ="$built/obj" all
	modules=$(find "$built/src" -name '*.ko')
	# what tests load themselves
	[ "$kernel_overlay" = no ] || modules+=" $(find "$kernel_modules/lib" -path '*/iommu/mock/*.ko')"
	# shellcheck disable=SC2086 # a list of words
	build_run sh -ec 'd=$1 strip=$2; shift 2
		for m; do $strip --strip-debug -o "$d/${m##*/}" "$m"; done' - "$built/m" "$arch_strip" $modules
	# a warning is not to be missed because the build succeeded
	grep -E -A3 "warning:|WARNING:" "$built/build.log" >&2 || :
	printf '%s\n' "$digest" >"$built/.built"
	say "built $(find "$built/m" -name '*.ko' | wc -l) modules and $(find "$built/t" -type f | wc -l) programs" \
		"for $arch in $((SECONDS - start)) s"
	exec 8>&-
}

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
	arch_flavour=''
	. "$lab_dir/arch/$arch"

	built=$out/$arch
	if [ -n "$arch_flavour" ]; then
		kernel_load "$arch_flavour"
		return 0
	fi
	# shellcheck disable=SC2086 # a pattern it shall be
	kernel=$(printf "%s\n" "$tree"$arch_kernel_glob | sort -V | tail -n 1)
	kernel=${kernel#"$tree"}
	kver=${kernel#*-}
	[ -e "$tree$kernel" ] || die "no kernel $arch_kernel_glob in $tree"
	kernel_build=/usr/src/linux-headers-$kver
	kernel_modules=/
	kernel_id=$kver
	kernel_overlay=no
	kernel_module_make=''
}

build_run()
{
	local log=$built/build.log

	"$lab_dir/intree" "$@" >>"$log" 2>&1 || {
		grep -E 'error|warning|undefined|\*\*\*' "$log" >&2 || tail -n 30 "$log" >&2
		[ -n "${LAB_KEEP_GOING-}" ] && return 0
		die "the build failed, see $log"
	}
}

build_all()
{
	local start=$SECONDS digest modules sources

	[ -z "$arch_flavour" ] || kernel_ensure
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
		cat "$tree/.packages"; echo "$kernel_id"; } | sha256sum)
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

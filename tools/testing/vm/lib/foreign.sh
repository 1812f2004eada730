# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the tree lacks for machines of a foreign architecture. It is fetched when
# such a machine is wanted first, and kept apart from the tree's own packages, so
# that whoever never asks for one needs nothing of this, and nobody who runs
# something in the tree has to wait.
#
#   ../foreign/ARCHITECTURE      the packages; Debian's name of the architecture
#   $tree/opt/arch/ARCHITECTURE  what is in them
#     host         programs of the tree's own architecture: the cross compiler
#     qemu         QEMU of the backports, which uses the data of /opt/qemu
#     target       kernels, their headers and build tools, busybox
#     .digest      of the list
#   $cache/arch-ARCHITECTURE.log     what apt said
#
# A line of the list is one of
#   host PACKAGE      with whatever it needs that the tree has not
#   qemu PACKAGE      alone, from the backports
#   kernel FLAVOUR    linux-image-FLAVOUR and the headers of the same version
#   target PACKAGE    alone, of the foreign architecture

foreign_digest()
{
	{
		sed 's/#.*//;/^[[:space:]]*$/d' "$lab_dir/foreign/$1" | sort
		cat "$lab_dir/lib/foreign-build.sh"
	} | sha256sum | cut -d' ' -f1
}

foreign_is_current()
{
	[ "$(cat "$tree/opt/arch/$1/.digest" 2>/dev/null)" = "$(foreign_digest "$1")" ]
}

# Makes what belongs to an architecture current; takes no time when it is.
foreign_ensure()
{
	local foreign=$1 start=$SECONDS place log=$cache/arch-$1.log

	foreign_is_current "$foreign" && return 0
	need_root "adding $foreign to the Debian 13 tree"
	exec 7>>"$cache/arch-$foreign.lock"
	flock 7
	if ! foreign_is_current "$foreign"; then
		place=$tree/opt/arch/$foreign
		say "$foreign: fetching kernel, compiler and QEMU (about 200 MB, once)"
		as_root sh -ec 'rm -rf --one-file-system "$1.new"; mkdir -p "$1.new"; cp "$2" "$3" "$1.new/"' - \
			"$place" "$lab_dir/foreign/$foreign" "$lab_dir/lib/foreign-build.sh"
		: >"$log"
		"$lab_dir/intree" --root sh -ec 'cd "/opt/arch/$1.new"
			./foreign-build.sh "$1" "$2" "$PWD/$1"' - "$foreign" "$tree_suite" \
			2>&1 7>&- | progress "$foreign" 3>>"$log" || {
			tail -n 15 "$log" >&2
			die "fetching $foreign failed, see $log"
		}
		foreign_digest "$foreign" | as_root tee "$place.new/.digest" >/dev/null
		as_root sh -ec 'rm -rf --one-file-system "$1"; mv "$1.new" "$1"' - "$place"
		say "$foreign: ready after $((SECONDS - start)) s"
	fi
	exec 7>&-
}

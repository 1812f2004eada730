# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Programs of a foreign architecture, for machines that start guests of their own:
# they see the tree by 9p, and run what is here with chroot.
#
#   ../foreign/ARCHITECTURE.userland   the packages; Debian's name of the architecture
#   $tree/opt/userland/ARCHITECTURE    what is in them, and in all that they need
#     .digest                          of the list
#   $cache/userland-ARCHITECTURE.log   what apt said
#
# A line of the list is one of
#   package PACKAGE
#   backports PACKAGE

userland_digest()
{
	{
		sed 's/#.*//;/^[[:space:]]*$/d' "$lab_dir/foreign/$1.userland" | sort
		cat "$lab_dir/lib/userland-build.sh"
	} | sha256sum | cut -d' ' -f1
}

userland_is_current()
{
	[ "$(cat "$tree/opt/userland/$1/.digest" 2>/dev/null)" = "$(userland_digest "$1")" ]
}

# Makes it current; takes no time when it is.
userland_ensure()
{
	local foreign=$1 start=$SECONDS place log=$cache/userland-$1.log

	userland_is_current "$foreign" && return 0
	need_root "adding programs of $foreign to the Debian 13 tree"
	exec 7>>"$cache/userland-$foreign.lock"
	flock 7
	if ! userland_is_current "$foreign"; then
		place=$tree/opt/userland/$foreign
		say "$foreign: fetching QEMU for guests (about 50 MB, once)"
		as_root sh -ec 'rm -rf --one-file-system "$1.new"; mkdir -p "$1.new"; cp "$2" "$3" "$1.new/"' - \
			"$place" "$lab_dir/foreign/$foreign.userland" "$lab_dir/lib/userland-build.sh"
		: >"$log"
		"$lab_dir/intree" --root sh -ec 'cd "/opt/userland/$1.new"
			./userland-build.sh "$1" "$2" "$PWD/$1.userland"' - "$foreign" "$tree_suite" \
			2>&1 7>&- | progress "$foreign" 3>>"$log" || {
			tail -n 15 "$log" >&2
			die "fetching QEMU for guests of $foreign failed, see $log"
		}
		userland_digest "$foreign" | as_root tee "$place.new/.digest" >/dev/null
		as_root sh -ec 'rm -rf --one-file-system "$1"; mv "$1.new" "$1"' - "$place"
		say "$foreign: ready after $((SECONDS - start)) s"
	fi
	exec 7>&-
}

# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Places, messages, root. Sourced by everything in this directory.

lab_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
repo=$(cd "$lab_dir/../../.." && pwd -P)

cache=${IOMMUFD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/iommufd}
tree=$cache/trixie
out=${LAB_OUT:-$repo/out}
case $out in
/*) ;;
*) out=$PWD/$out ;;
esac

say()
{
	printf '%s\n' "$*" >&2
}

die()
{
	printf 'lab: %s\n' "$*" >&2
	exit 1
}

# Runs a command as root. Whoever is not root is asked by sudo, once.
as_root()
{
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo -- "$@"
	fi
}

# Fails early, and with a sentence, where as_root() would fail late.
need_root()
{
	[ "$(id -u)" -eq 0 ] && return 0
	command -v sudo >/dev/null ||
		die "$1 needs root: run it as root, or install sudo and allow it for $(id -un)"
	sudo -n true 2>/dev/null && return 0
	if [ ! -t 0 ] && [ ! -t 2 ]; then
		die "$1 needs root: run it as root, or where sudo can ask for the password of $(id -un)"
	fi
	say "$1 needs root for a chroot and its mounts; sudo asks for your password:"
	sudo -v || die "$1 needs root, and sudo refused $(id -un)"
}

# progress LABEL: copies stdin to the log on fd 3 and tells on stderr that
# something moves: every line on a terminal (over the last one), else one line
# in five seconds.
progress()
{
	local label=$1 line last=-5 count=0

	while IFS= read -r line; do
		printf '%s\n' "$line" >&3
		count=$((count + 1))
		if [ -t 2 ]; then
			printf '\r\033[K%s: %.60s' "$label" "$line" >&2
		elif [ $((SECONDS - last)) -ge 5 ]; then
			last=$SECONDS
			printf '%s: %.100s\n' "$label" "$line" >&2
		fi
	done
	[ -t 2 ] && printf '\r\033[K' >&2
	printf '%s: done, %d lines of log\n' "$label" "$count" >&2
}

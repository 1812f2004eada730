# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The Debian 13 tree in the cache: the same kernel, headers, compiler and QEMU
# on whatever Debian the machine runs. Mirrors come from the machine's own apt
# sources, so that a proxy or a mirror chosen there is used here too.
#
#   $tree                 the tree
#   $tree/opt/qemu        the QEMU that machines run in, from the backports
#   $tree/.packages       digest of the package list it was last brought to;
#                         absent while apt works in it: such a tree is torn
#                         down and built anew
#   $cache/trixie.lock    held shared by whoever runs something in the tree,
#                         exclusively by whoever changes it
#   $cache/trixie.log     what debootstrap and apt said

tree_lock=$cache/trixie.lock
tree_log=$cache/trixie.log
tree_suite=trixie

tree_digest()
{
	{
		sed 's/#.*//;/^[[:space:]]*$/d' "$lab_dir/packages" | sort
		declare -f tree_install_qemu
	} | sha256sum | cut -d' ' -f1
}

tree_is_current()
{
	[ "$(cat "$tree/.packages" 2>/dev/null)" = "$(tree_digest)" ]
}

# Prints "URI RELEASE KEYRING" of each binary repository of the machine's own
# distribution. apt itself reads its sources, so that both formats and every
# place they can stand in are covered.
host_repositories()
{
	apt-get indextargets --format '$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(SIGNED_BY)|$(ORIGIN)' \
		'Created-By: Packages' 2>/dev/null |
	while IFS='|' read -r uri release component keyring origin; do
		[ "$component" = main ] || continue
		# known only once apt has fetched the lists
		case $origin in Debian* | *'$('* | '') ;; *) continue ;; esac
		case $uri in
		mirror+file:* | mirror:/*)
			# a list of mirrors: the first will do
			uri=$(sed -n 's/^\([a-z]*:[^[:space:]]*\).*/\1/p' "/${uri#*:/}" 2>/dev/null | head -n 1)
			[ -n "$uri" ] || continue
			;;
		esac
		case $keyring in /*) ;; *) keyring=- ;; esac
		printf '%s %s %s\n' "${uri%/}" "$release" "$keyring"
	done | sort -u
}

# Sets mirror, keyring, security and updates from the machine's sources.
find_mirror()
{
	local uri release key
	local repositories

	mirror='' security='' updates='' keyring=''
	repositories=$(host_repositories)
	while read -r uri release key; do
		case $release in
		'') continue ;;
		*-security | */updates) security=$uri; continue ;;
		*-updates) updates=$uri; continue ;;
		*-* | experimental) continue ;;
		esac
		# third-party repositories use Debian's release names too
		[ "${uri##*/}" = debian ] || [ -z "$mirror" ] || continue
		mirror=$uri
		[ "$key" = - ] || keyring=$key
	done <<-END
	$repositories
	END
	[ -n "$mirror" ] || die "found no Debian mirror (component main) in this machine's apt sources"

	[ -r "$keyring" ] || for keyring in /usr/share/keyrings/debian-archive-keyring.gpg \
		/usr/share/keyrings/debian-archive-keyring.pgp; do
		[ -r "$keyring" ] && break
	done
}

# What fetching and unpacking needs on the machine itself.
host_tools()
{
	local missing=()

	command -v debootstrap >/dev/null || missing+=(debootstrap)
	[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] ||
		[ -e /usr/share/keyrings/debian-archive-keyring.pgp ] ||
		missing+=(debian-archive-keyring)
	[ ${#missing[@]} -gt 0 ] || return 0

	command -v apt-get >/dev/null ||
		die "this is not a Debian machine: install ${missing[*]} by hand, or use Debian 12 or 13"
	say "installing ${missing[*]} on this machine"
	{
		as_root apt-get -q -o DPkg::Lock::Timeout=300 update &&
		as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
			install --no-install-recommends "${missing[@]}"
	} 2>&1 3>&- | progress 'apt' 3>>"$tree_log" || die "cannot install ${missing[*]}, see $tree_log"
}

tree_sources()
{
	local signed

	signed="Signed-By: /usr/share/keyrings/$(basename "$keyring")"

	printf 'Types: deb\nURIs: %s\nSuites: %s%s %s\nComponents: main\n%s\n' "$mirror" \
		"$tree_suite" "${updates:+ $tree_suite-updates}" "$tree_suite-backports" "$signed"
	[ -z "$security" ] || printf '\nTypes: deb\nURIs: %s\nSuites: %s\nComponents: main\n%s\n' \
		"$security" "$tree_suite-security" "$signed"
}

# Runs as root, in a mount namespace of its own: nothing it mounts is left
# behind, and nothing of the machine is mounted where rm -r works.
tree_build_base()
{
	local proxy include=''

	# what apt in the tree checks the mirror's certificate with
	case "$mirror $security $updates" in
	*https:*) include=--include=ca-certificates ;;
	esac
	proxy=$(apt-config dump --format '%v' Acquire::http::Proxy)
	rm -rf --one-file-system "$tree"
	# shellcheck disable=SC2086 # none, or one
	http_proxy=${http_proxy:-$proxy} debootstrap --variant=minbase --keyring="$keyring" \
		$include "$tree_suite" "$tree" "$mirror"
}

tree_install()
{
	local list

	list=$(sed 's/#.*//' "$lab_dir/packages" | tr '\n' ' ')
	cp -f "$keyring" "$tree/usr/share/keyrings/"
	rm -f "$tree/etc/apt/sources.list"
	tree_sources >"$tree/etc/apt/sources.list.d/debian.sources"
	# proxies and the like are the machine's business
	apt-config dump Acquire | grep -v '^Acquire::IndexTargets' >"$tree/etc/apt/apt.conf.d/90machine" || :
	printf '#!/bin/sh\nexit 101\n' >"$tree/usr/sbin/policy-rc.d"
	chmod +x "$tree/usr/sbin/policy-rc.d"
	for f in /etc/resolv.conf /etc/hosts; do
		[ -r $f ] && cp -L --remove-destination $f "$tree$f"
	done

	mount -t proc proc "$tree/proc"
	mount -t sysfs sysfs "$tree/sys" || :
	mount --rbind /dev "$tree/dev"
	# INITRD=No: nobody boots from the initramfs that the kernel's postinst
	# would spend its time on
	# shellcheck disable=SC2086 # a list of words
	chroot "$tree" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C INITRD=No \
		DEBIAN_FRONTEND=noninteractive sh -e -c '
		apt-get -q update
		apt-get -q -y -o Dpkg::Options::=--force-unsafe-io install --no-install-recommends "$@"
		apt-get clean' - $list
	tree_install_qemu
}

# The QEMU of Debian 13 is for demo and guests: what users have. Machines run in
# the one of the backports, beside it, whose dependencies Debian 13 satisfies as
# they are: QEMU 10.0 now and then loses a write to a device register while another
# CPU changes the memory map, as attaching a device to a page table does. A CPU
# whose end-of-interrupt was lost never takes a timer again.
tree_install_qemu()
{
	rm -rf "$tree/opt/qemu"
	mkdir -p "$tree/opt/qemu"
	chroot "$tree" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C sh -e -c '
		cd /opt/qemu
		for package in qemu-system-x86 qemu-system-common qemu-system-data seabios; do
			# only root reads the folder
			apt-get -q -o APT::Sandbox::User=root download "$package/$1"
		done
		for deb in *.deb; do
			dpkg -x "$deb" .
		done
		rm ./*.deb' - "$tree_suite-backports"
}

# The whole change, as root with the exclusive lock held.
tree_change()
{
	if [ ! -e "$tree/.packages" ]; then
		tree_build_base
	fi
	rm -f "$tree/.packages"
	tree_install
	tree_digest >"$tree/.packages"
}

# Makes the tree current; takes no time and no root when it is.
tree_ensure()
{
	local start=$SECONDS

	tree_is_current && return 0
	need_root "building the Debian 13 tree"
	mkdir -p "$cache"
	exec 9>>"$tree_lock"
	if ! flock -n 9; then
		say "waiting for another run that uses the Debian 13 tree ..."
		flock 9
	fi
	if ! tree_is_current; then
		: >"$tree_log"
		host_tools
		find_mirror
		[ -r "$keyring" ] || die "no keyring of the Debian archive on this machine"
		say "Debian 13 tree: building $tree (about 300 MB to download, once)"
		# 9 is closed so that a stray child cannot hold the lock
		as_root env IOMMUFD_CACHE="$cache" unshare --mount --propagation private \
			bash "$lab_dir/lib/tree-change.sh" "$mirror" "$keyring" "$security" "$updates" \
			2>&1 9>&- | progress 'Debian 13 tree' 3>>"$tree_log" || {
			tail -n 15 "$tree_log" >&2
			die "building the Debian 13 tree failed, see $tree_log"
		}
		say "Debian 13 tree: ready after $((SECONDS - start)) s"
	fi
	exec 9>&-
}

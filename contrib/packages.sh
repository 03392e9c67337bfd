# SPDX-License-Identifier: Apache-2.0 OR MIT
# Sourced by quickstart and test: installs the packages that are missing.

BUILD_PACKAGES="gcc g++ make autoconf automake libtool pkg-config check libsystemd-dev libseccomp-dev
	libcap-dev libc6-dev"
DEMO_PACKAGES="nginx-light redis-server python3"
TEST_PACKAGES="systemd dbus procps util-linux iproute2 binutils clang-14 libclang-rt-14-dev clang-format-14
	universal-ctags mandoc xz-utils strace spin"

# Run a command as root: directly, or through sudo.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		return 1
	fi
}

# The packages of the list that are not installed.
missing_packages() {
	for package in "$@"; do
		case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
		*" installed") ;;
		*) printf '%s ' "$package" ;;
		esac
	done
}

# A fresh package starts its daemon; ours are started by the tree. Held back by the file that Debian's policy
# has for it, unless the administrator has one already.
hold_back_daemons() {
	[ ! -e /usr/sbin/policy-rc.d ] || return 0
	printf '#!/bin/sh\nexit 101\n' | as_root tee /usr/sbin/policy-rc.d >/dev/null
	as_root chmod 755 /usr/sbin/policy-rc.d
	held_back=yes
	trap 'release_daemons' EXIT
}

release_daemons() {
	[ "${held_back:-no}" = no ] || as_root rm -f /usr/sbin/policy-rc.d
	held_back=no
	trap - EXIT
}

install_packages() {
	if ! command -v dpkg-query >/dev/null; then
		echo "This is not a Debian system: install the equivalents of these packages yourself:" >&2
		echo "  $*" >&2
		return 0
	fi
	# shellcheck disable=SC2086
	missing=$(missing_packages "$@")
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
		echo "These packages are missing and only root can install them. As root:" >&2
		echo "  apt-get update && apt-get install -y --no-install-recommends $missing" >&2
		return 1
	fi
	echo "Installing $missing"
	hold_back_daemons
	install_log=$(mktemp)
	# shellcheck disable=SC2086
	if ! { as_root apt-get update && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y \
		--no-install-recommends $missing; } >"$install_log" 2>&1; then
		tail -20 "$install_log" >&2
		rm -f "$install_log"
		release_daemons
		return 1
	fi
	rm -f "$install_log"
	release_daemons
}

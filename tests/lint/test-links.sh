#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The whole archive of each layer links against the archives that its row leads to and nothing else.
set -u
: "${top_srcdir:=.}" "${top_builddir:=.}"
table=$top_srcdir/tests/lint/layers.table

row() { sed -n "s/^$1: *\([^|]*\)|.*/\1/p" "$table"; }
libs() { sed -n "s/^$1:[^|]*| *\(.*\)/\1/p" "$table"; }

# The layers reachable from $1, itself first.
closure() {
	local seen=" " queue=$1 next
	while
		# shellcheck disable=SC2086
		set -- $queue
		[ $# -gt 0 ]
	do
		next=$1
		shift
		queue=$*
		case $next in */*) continue ;; esac
		case $seen in *" $next "*) continue ;; esac
		seen="$seen$next "
		queue="$queue $(row "$next")"
	done
	echo "$seen"
}

flags_of() {
	case $1 in
	pthread) echo -pthread ;;
	lib*) pkg-config --libs "$1" ;;
	esac
}

layers=$(sed -n 's/^\([a-z]*\):.*/\1/p' "$table")
out=$(mktemp -d "${TMPDIR:-/tmp}/airssys-links.XXXXXX")
trap 'rm -rf "$out"' EXIT
echo 'int main(void) { return 0; }' >"$out/main.c"
n=0
for layer in $layers; do
	archive=$top_builddir/.libs/lib$layer.a
	[ -f "$archive" ] || continue
	n=$((n + 1))
	others=
	external=
	for reached in $(closure "$layer"); do
		[ "$reached" = "$layer" ] || [ ! -f "$top_builddir/.libs/lib$reached.a" ] ||
			others="$others $top_builddir/.libs/lib$reached.a"
		for lib in $(libs "$reached"); do external="$external $(flags_of "$lib")"; done
	done
	# shellcheck disable=SC2086
	if ${CC:-cc} ${LINK_TEST_FLAGS:-} -o "$out/$layer" "$out/main.c" -Wl,--whole-archive "$archive" \
		-Wl,--no-whole-archive -Wl,--start-group $others -Wl,--end-group $external >"$out/log" 2>&1; then
		echo "ok $n - $layer links with its own row"
	else
		echo "not ok $n - $layer links with its own row"
		sed 's/^/# /' "$out/log" | head -20
	fi
done
echo "1..$n"

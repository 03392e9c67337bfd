#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Every header compiles alone; a public one also as strict C11 and as C++.
set -u
: "${top_srcdir:=.}" "${top_builddir:=.}"
src=$top_srcdir/src
n=0

check() {
	local what=$1
	shift
	n=$((n + 1))
	if "$@" <<<"#include \"$name\"" 2>"$log"; then
		echo "ok $n - $what"
	else
		echo "not ok $n - $what"
		sed 's/^/# /' "$log" | head -10
	fi
}

log=$(mktemp "${TMPDIR:-/tmp}/airssys-headers.XXXXXX")
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2046
external=$(pkg-config --cflags libsystemd libseccomp libcap)
for header in "$src"/*/*.h; do
	name=${header#"$src"/}
	# shellcheck disable=SC2086
	check "$name stands alone" ${CC:-cc} -std=gnu11 -include "$top_builddir/config.h" -I"$src" $external \
		-Wall -Wextra -Werror -fsyntax-only -x c -
	case $name in
	airssys/*)
		check "$name is strict C11" ${CC:-cc} -std=c11 -pedantic-errors -I"$src" -Wall -Wextra -Werror \
			-fsyntax-only -x c -
		check "$name is C++" ${CXX:-c++} -I"$src" -Wall -Wextra -Werror -fsyntax-only -x c++ -
		;;
	esac
	[ "$(sed -n 2p "$header")" = "#ifndef $(echo "$name" | tr 'a-z/.-' 'A-Z___')" ]
	check "$name has a guard spelled from its path" test $? = 0
done
echo "1..$n"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Every public function is in the table that keeps it in the program that loads modules, and in that program.
: "${top_srcdir:=.}" "${top_builddir:=.}"
export LC_ALL=C

declared=$(cat "$top_srcdir"/src/airssys/*.h | tr '\n' ' ' | sed 's,/\*,\n/*,g; s,\*/,*/\n,g' | grep -v '^/\*' |
	tr -d '\n' | grep -oE 'AIRS_PUBLIC [^;{]*;' | grep -oE 'airs_[a-z_0-9]+\(' | tr -d '(' | sort -u)
listed=$(sed -n 's/^EXPORT(\(.*\))$/\1/p' "$top_srcdir/src/host/exports.def" | sort -u)
exported=$(nm -D --defined-only "$top_builddir/airssys-core" | awk '$2 == "T" { print $3 }' | grep '^airs_' | sort -u)

echo 1..2
report() {
	if [ -z "$2" ]; then
		echo "ok $1 - $3"
	else
		echo "not ok $1 - $3"
		printf '%s\n' "$2" | sed 's/^/# /'
	fi
}
report 1 "$(diff <(echo "$declared") <(echo "$listed"))" "the table has the functions of the headers"
report 2 "$(diff <(echo "$listed") <(echo "$exported"))" "airssys-core exports them"

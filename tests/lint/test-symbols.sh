#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The library exports exactly what its headers declare, and no object uses a banned function.
set -u
: "${top_srcdir:=.}" "${top_builddir:=.}"
export LC_ALL=C
lib=$top_builddir/.libs/libairssys.so
tmp=$(mktemp -d "${TMPDIR:-/tmp}/airssys-symbols.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
echo "1..3"

nm -D --defined-only "$lib" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort -u >"$tmp/exported"
cat "$top_srcdir"/src/airssys/*.h | tr '\n' ' ' | grep -oE 'AIRS_PUBLIC [^;{]*\(' |
	grep -oE 'airs_[a-z0-9_]+ *\($|airs_[a-z0-9_]+\(' | tr -d '( ' | sort -u >"$tmp/declared"

if [ -s "$tmp/exported" ] && ! grep -v '^airs_' "$tmp/exported" >"$tmp/foreign"; then
	echo "ok 1 - only airs_ names are exported"
else
	echo "not ok 1 - only airs_ names are exported"
	sed 's/^/# /' "$tmp/foreign"
fi
if diff "$tmp/declared" "$tmp/exported" >"$tmp/diff"; then
	echo "ok 2 - exported and declared functions are the same"
else
	echo "not ok 2 - exported and declared functions are the same"
	sed 's/^/# /' "$tmp/diff"
fi

banned='strcpy strcat sprintf vsprintf strtok atoi atol gets setenv putenv system popen rand srand signal readdir_r tmpnam mktemp fork'
for archive in "$top_builddir"/.libs/lib{base,rt,osl,host,unit,exec,keeper,service,manager,ctl}.a; do
	[ -f "$archive" ] && nm -A -u "$archive" 2>/dev/null
done | awk -v banned="$banned" '
	BEGIN { n = split(banned, b, " "); for (i = 1; i <= n; i++) bad[b[i]] = 1 }
	{ name = $NF; sub(/@.*/, "", name); if (name in bad) print "# " $0 }' >"$tmp/banned"
if [ ! -s "$tmp/banned" ]; then
	echo "ok 3 - no banned function is used"
else
	echo "not ok 3 - no banned function is used"
	cat "$tmp/banned"
fi

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Every project include in src names a layer that the layer table allows.
set -eu
: "${top_srcdir:=.}"
cd "$top_srcdir"

layers=$(sed -n 's/^\([a-z]*\):.*/\1/p' tests/lint/layers.table)
n=0
for layer in $layers; do n=$((n + 1)); done
echo "1..$n"
n=0
for layer in $layers; do
	n=$((n + 1))
	allowed=$(sed -n "s/^$layer: *\([^|]*\)|.*/\1/p" tests/lint/layers.table)
	bad=$(grep -nE '^[[:space:]]*# *include *["<](airssys|base|rt|osl|host|unit|exec|keeper|service|manager|ctl)/' \
		"src/$layer"/*.[ch] 2>/dev/null |
		awk -v layer="$layer" -v allowed="$allowed" '
		BEGIN { n = split(allowed, a, " "); for (i = 1; i <= n; i++) ok[a[i]] = 1; ok[layer] = 1 }
		{
			path = $0; sub(/^[^"<]*["<]/, "", path); sub(/[">].*/, "", path)
			dir = path; sub(/\/.*/, "", dir)
			if (!(dir in ok) && !(path in ok)) print "# " $0
		}')
	if [ -z "$bad" ]; then
		echo "ok $n - $layer includes only what its row allows"
	else
		echo "not ok $n - $layer includes only what its row allows"
		echo "$bad"
	fi
done

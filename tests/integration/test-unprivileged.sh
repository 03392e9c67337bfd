#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The same promises for an ordinary user: root runs the other tests again as nobody.
. "${top_srcdir:-.}/tests/integration/lib.sh"

is_root || skip_all "they run as an ordinary user anyway"
needs setpriv
as_nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups \
		env HOME=/ TMPDIR="$T/tmp" top_srcdir="$top_srcdir" top_builddir="$top_builddir" "$@"
}
as_nobody test -x "$top_builddir/airssysd" || skip_all "nobody may not read the build tree"
mkdir -m 1777 "$T/tmp"
# Two at a time: they wait most of the time.
run_as_nobody() {
	as_nobody timeout 300 "$top_srcdir/tests/integration/test-$1.sh" >"$T/tmp/$1.tap" 2>&1
	echo $? >"$T/tmp/$1.status"
}
names="tree strategies core-killed keeper-killed stop types environment reload instances bad-files"
export -f as_nobody run_as_nobody
export T
# shellcheck disable=SC2086
printf '%s\n' $names | xargs -P 2 -I% bash -c 'run_as_nobody %'
for name in $names; do
	is "$(cat "$T/tmp/$name.status"; grep -a '^not ok' "$T/tmp/$name.tap")" 0 "test-$name.sh as nobody"
done
finish

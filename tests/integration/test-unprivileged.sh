#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The same promises for an ordinary user: root runs the other tests again as nobody.
. "${top_srcdir:-.}/tests/integration/lib.sh"

[ "$(id -u)" = 0 ] || skip_all "they run as an ordinary user anyway"
command -v setpriv >/dev/null || skip_all "no setpriv"
as_nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups \
		env HOME=/ TMPDIR="$T/tmp" top_srcdir="$top_srcdir" top_builddir="$top_builddir" "$@"
}
as_nobody test -x "$top_builddir/airssysd" || skip_all "nobody may not read the build tree"
mkdir -m 1777 "$T/tmp"
for name in tree strategies core-killed keeper-killed stop types environment reload; do
	succeeds "test-$name.sh as nobody" \
		as_nobody timeout 300 "$top_srcdir/tests/integration/test-$name.sh"
done
finish

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The manual pages of the daemons have exactly the options of --help. (Those of airssysctl and of the files are compared
# with the tables by unit tests.)
. "${top_srcdir:-.}/tests/integration/lib.sh"

for page in airssysd.8 airssys-exec.8; do
	program=${page%.*}
	help=$("$top_builddir/$program" --help | sed -nE 's/^ +--([a-z-]+).*/\1/p' | sort)
	like "$help" '^version$' "$program tells its options"
	is "$(sed -nE 's/^\.It Fl -([a-z-]+).*/\1/p' "$top_srcdir/man/$page" | sort)" "$help" "$page describes each and no other"
	is "$(sed -nE '/^\.Sh SYNOPSIS/,/^\.Sh DESCRIPTION/s/^\.(Op )?Fl //p' "$top_srcdir/man/$page" |
		grep -oE -- '-[a-z-]+' | sed 's/^-//' | sort -u)" "$help" "its synopsis has them all"
done
finish

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Every option of unit files has somebody who acts on it: its field is read in a layer that does something.
set -u
: "${top_srcdir:=.}"
export LC_ALL=C

# Fields that are used up where they are read, and by whom; of StandardInput= there is only one value.
used_within="after:unit/resolve.c before:unit/resolve.c input_null:unit/unit.h"

code=$(cat "$top_srcdir"/src/{keeper,service,manager}/*.c)
# Section, key, field of each row, the macros of limits unfolded by their field alone.
rows=$(tr '\n' ' ' <"$top_srcdir/src/unit/options.def" |
	grep -oE '(OPTION|ALIAS|role)\((section|[A-Z][a-z]+), [A-Za-z]+, [a-z_]+, [a-zA-Z_.]+(\[[A-Z_]+\])?' |
	sed -E 's/^[A-Za-z]+\(//; s/, /\t/g' | grep -v '^section.key')
count=$(wc -l <<<"$rows")
echo "1..$((count + 1))"
n=1
if [ "$count" -gt 90 ]; then echo "ok 1 - the table is read"; else echo "not ok 1 - the table is read"; fi

# is_used FIELD
is_used() {
	local field=${1##*.}
	case $1 in
	*\[*\]) field=${1##*[} && grep -q "\<${field%]}\>" <<<"$code" && return 0 ;;
	*) grep -qE "(->|\.)$field\>" <<<"$code" && return 0 ;;
	esac
	grep -q "\<$field:" <<<"$used_within" && grep -q "\<$field\>" "$top_srcdir/src/$(grep -oE "\<$field:[^ ]+" <<<"$used_within" | cut -d: -f2)"
}

while IFS=$'\t' read -r section key _ field; do
	n=$((n + 1))
	if is_used "$field"; then
		echo "ok $n - [$section] $key= is acted upon"
	else
		echo "not ok $n - [$section] $key= is acted upon"
		echo "# nobody reads $field"
	fi
done <<<"$rows"

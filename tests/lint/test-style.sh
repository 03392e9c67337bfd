#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# What the house style asks and a line-based tool can see.
set -u
: "${top_srcdir:=.}"
cd "$top_srcdir" || exit 1
export LC_ALL=C
n=0

report() {
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		printf '%s\n' "$2" | sed 's/^/# /' | head -30
	fi
}

sources=$(find src tests contrib -name '*.[ch]' | sort)
scripts=$(grep -rlE '^#!' contrib tests --include='*' 2>/dev/null | grep -vE '^(contrib/(build-aux|m4)|tests/fuzz/corpus)/' | sort)
# shellcheck disable=SC2086
{
	report "every source has its licence line" "$(grep -L 'SPDX-License-Identifier: Apache-2.0 OR MIT' $sources $scripts)"
	report "no file is longer than 800 lines" "$(wc -l $sources | awk '$2 != "total" && $1 > 800 { print $2 ": " $1 }')"
	report "no line comment with two slashes" "$(grep -nE '(^|[^:"])//( |$)' $sources | grep -vE 'https?://')"
	report "no note of unfinished work" "$(grep -nE '\b(TODO|FIXME|XXX)\b' $sources)"
	report "no trailing space" "$(grep -nE '[[:space:]]+$' $sources)"
	report "sources are ASCII or UTF-8" "$(for f in $sources; do iconv -f UTF-8 -t UTF-8 "$f" >/dev/null 2>&1 || echo "$f"; done)"
	report "locks and atomics stay in base and rt" "$(grep -nE '\b(pthread_mutex_|pthread_rwlock_|atomic_|__atomic_|mtx_lock)' \
		$(printf '%s\n' $sources | grep -E '^src/(osl|host|unit|exec|keeper|service|manager|ctl)/'))"
}
echo "1..$n"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# A staged install has every file where a distribution expects it, what is in it works, and it can be taken away.
. "${top_srcdir:-.}/tests/integration/lib.sh"
needs make

# Folders as configure has set them for this build: $sbindir and the like.
names="prefix sbindir bindir pkglibexecdir libdir includedir datadir mandir"
eval "$(MAKEFLAGS='' make -s -C "$top_builddir" --no-print-directory \
	--eval="print-it: ; @echo '$(for n in $names; do printf '%s=$(%s);' "$n" "$n"; done)'" print-it)"
D=$T/stage
mkdir "$D"
out=$(staged install "$D") || bail_out "make install: $(grep -m5 -B3 "Error\|error" <<<"$out")"

# has WHAT PATTERN...
has() {
	local what=$1 pattern
	shift
	for pattern; do
		if compgen -G "$D$pattern" >/dev/null; then
			ok "$what: $pattern"
		else
			not_ok "$what: $pattern" "$(cd "$D" && find . -name "$(basename "$pattern")")"
		fi
	done
}
has programs "$sbindir/airssysd" "$bindir/airssysctl" \
	"$pkglibexecdir/airssys-core" "$pkglibexecdir/airssys-exec"
has library "$libdir/libairssys.so" "$libdir/libairssys.so.[0-9]" "$libdir/pkgconfig/airssys.pc"
has headers "$includedir/airssys/airssys.h"
for header in "$top_srcdir"/src/airssys/*.h; do
	[ -e "$D$includedir/airssys/${header##*/}" ] || not_ok "the public header ${header##*/}"
done
has "sample module" "$libdir/airssys/modules/tcp-probe.so"
for unit in "$top_srcdir"/units/shop/*; do has "sample units" "$datadir/airssys/examples/shop/${unit##*/}"; done
for policy in "$top_srcdir"/policies/*.policy; do has policies "$prefix/lib/airssys/policies/${policy##*/}"; done
for page in "$top_srcdir"/man/*.[1-9]; do has "manual pages" "$mandir/man${page##*.}/${page##*/}"; done
has "for systemd" "$prefix/lib/systemd/system/airssysd.service" "$prefix/lib/sysusers.d/airssys.conf" \
	"$prefix/lib/tmpfiles.d/airssys.conf" "$prefix/lib/systemd/catalog/airssys.catalog"
has completion "$datadir/bash-completion/completions/airssysctl"

# What is written in them.
service=$(cat "$D$prefix/lib/systemd/system/airssysd.service")
for line in Type=notify 'WatchdogSec=[1-9].*' Delegate=yes KillMode=process RestartPreventExitStatus=2 \
	"ExecStart=$sbindir/airssysd.*"; do
	like "$service" "^$line\$" "airssysd.service: $line"
done
unlike "$(grep -rlF "$top_builddir" "$D" --include=*.pc --include=*.service --include=*.conf --include=*.[1-8] --include=*.actor)" . \
	"no text names the folder of the build"
is "$("$D$bindir/airssysctl" version 2>/dev/null | head -1 | grep -c '[0-9]')" 1 "airssysctl runs from there"
succeeds "the sample units are sound" "$D$bindir/airssysctl" verify "$D$datadir/airssys/examples/shop"

# A program of somebody else's, with the library alone.
if [ -n "${CC:-}" ] || command -v cc >/dev/null; then
	cat >"$T/other.c" <<-'END'
		#include <airssys/airssys.h>
		int main(void)
		{
			struct airs_system *system = NULL;

			if (airs_system_new(NULL, &system) < 0)
				return 1;
			airs_system_free(system);
			return 0;
		}
	END
	flags=$(PKG_CONFIG_PATH=$D$libdir/pkgconfig PKG_CONFIG_SYSROOT_DIR=$D pkg-config --cflags --libs airssys 2>&1)
	# shellcheck disable=SC2086
	succeeds "a program is built with pkg-config" ${CC:-cc} -o "$T/other" "$T/other.c" -I"$D$includedir" -L"$D$libdir" $flags
	succeeds "and runs" env LD_LIBRARY_PATH="$D$libdir" "$T/other"
fi

out=$(staged uninstall "$D") || not_ok "make uninstall" "$(grep -m5 -B3 "Error\|error" <<<"$out")"
is "$(find "$D" ! -type d)" "" "make uninstall leaves no file"
finish

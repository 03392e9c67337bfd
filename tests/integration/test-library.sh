#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The library as a C programmer gets it: from a staged install, with nothing but what pkg-config says.
. "${top_srcdir:-.}/tests/integration/lib.sh"

needs pkg-config
output=$(staged install "$T/stage") || bail_out "make install: $(grep -m5 -B3 -i error <<<"$output")"
config=$(find "$T/stage" -name airssys.pc)
example=$(find "$T/stage" -name ping.c)
export PKG_CONFIG_PATH=${config%/*} PKG_CONFIG_SYSROOT_DIR=$T/stage
is "$(pkg-config --modversion airssys)" "$("$top_builddir/airssysd" --version | sed 's/.* //')" "pkg-config knows the version"
# Both are lists of words.
read -ra flags <<<"$(pkg-config --cflags airssys)"
read -ra libraries <<<"$(pkg-config --libs airssys)"
library=$(find "$T/stage" -name libairssys.so)
nm -D "$library" | grep -q ' U __[atu][a-z]*san_' && skip_all "the library is built with a sanitizer"
cd "$T" || bail_out "no folder"

# builds COMPILER OPTION...: the example compiles without a warning and runs.
builds() {
	local output
	command -v "$1" >/dev/null || return 0
	output=$("$@" -Wall -Wextra -pedantic -Werror "${flags[@]}" "$example" -o ping "${libraries[@]}" 2>&1 &&
		LD_LIBRARY_PATH=${library%/*} timeout "$LIMIT" ./ping 2>&1)
	is "$output" $'pong 1\npong 2\npong 3' "the example as $*"
}

for compiler in gcc clang-14; do
	builds $compiler -std=c99
	builds $compiler -std=c11
	builds $compiler -std=gnu17
done
builds g++ -std=c++20 -Wno-missing-field-initializers -x c++
builds clang++-14 -std=c++20 -Wno-missing-field-initializers -x c++
echo '#include <airssys/airssys.h>' >headers.cc
for standard in c++98 c++11 c++17; do
	succeeds "the headers are $standard" \
		g++ -std=$standard -Wall -Wextra -Wno-long-long -fsyntax-only "${flags[@]}" headers.cc
done
finish

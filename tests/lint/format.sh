#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Compares every source with what clang-format 14 makes of it; "format.sh fix" rewrites them.
set -eu
cd "${top_srcdir:-.}"
tool=
for candidate in clang-format-14 clang-format; do
	if command -v "$candidate" >/dev/null && "$candidate" --version | grep -q 'version 14\.'; then
		tool=$candidate
		break
	fi
done
[ -n "$tool" ] || { echo "clang-format 14 is needed: install the package clang-format-14" >&2; exit 2; }
mode="--dry-run --Werror"
[ "${1:-}" != fix ] || mode=-i
# shellcheck disable=SC2086
find src tests contrib -name '*.[ch]' -print0 | xargs -0 $tool $mode

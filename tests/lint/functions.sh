#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Refuses functions longer than 70 lines or with more than 5 parameters. Excepted by name: four of six, and the property
# getters, whose form is sd-bus's.
set -eu
cd "${top_srcdir:-.}"
command -v ctags >/dev/null || { echo "ctags is needed: install the package universal-ctags" >&2; exit 2; }
find src -name '*.c' -print0 | xargs -0 ctags -f - --languages=C --kinds-C=f --fields=+neS |
	awk -F '\t' '
	{
		line = end = 0; signature = ""
		for (i = 4; i <= NF; i++) {
			if ($i ~ /^line:/) line = substr($i, 6)
			if ($i ~ /^end:/) end = substr($i, 5)
			if ($i ~ /^signature:/) signature = substr($i, 11)
		}
		if (end - line + 1 > 70) { print $2 ":" line ": " $1 " has " end - line + 1 " lines"; bad = 1 }
		gsub(/\([^()]*\)\)/, ")", signature)
		if (signature ~ /sd_bus \*/ || $1 ~ /^(diag_add|fd_receive|path_read_trusted|reactor_watch)$/) next
		if (gsub(/,/, ",", signature) > 4) { print $2 ":" line ": " $1 " has more than 5 parameters"; bad = 1 }
	}
	END { exit bad }'

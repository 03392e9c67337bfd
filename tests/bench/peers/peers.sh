#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Runs bench-rt and the same workloads on Erlang, where it is installed, one after the other, and prints the ratios.
#
#	peers.sh BENCH_RT SOURCE_DIR
#
# BENCH_SCALE divides the sizes of both. BENCH_PEERS names the workloads.
set -eu
export ERL_CRASH_DUMP=/dev/null

bench=$1
source=$2
scale=${BENCH_SCALE:-1}
names=${BENCH_PEERS:-pingpong threadring call counting fanin16 forkjoin big chameneos spawn spawnchurn}

if ! command -v erlc >/dev/null || ! command -v erl >/dev/null; then
	echo "Erlang is not installed (package erlang-base): nothing to compare with" >&2
	exit 0
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/airssys-peers.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
erlc -o "$work" "$source/workloads.erl"

# field NAME: of the JSON line on standard input
field()
{
	sed -n "s/.*\"$1\":\\([0-9.]*\\).*/\\1/p"
}

printf '%-12s %7s %10s %10s %8s\n' workload workers airssys erlang ratio
for name in $names; do
	for workers in 1 2; do
		ours=$(BENCH_SCALE=$scale timeout 300 "$bench" "$name" "$workers")
		n=$(printf '%s\n' "$ours" | field n)
		theirs=$(timeout 300 erl +S "$workers:$workers" +P 2000000 -noshell -pa "$work" -run workloads main "$name" "$n")
		printf '%s\n%s\n' "$ours" "$theirs" >>"$work/lines"
		a=$(printf '%s\n' "$ours" | field ns_per_op)
		b=$(printf '%s\n' "$theirs" | field ns_per_op)
		printf '%-12s %7s %10s %10s %8s\n' "$name" "$workers" "$a" "$b" \
			"$(awk -v a="$a" -v b="$b" 'BEGIN { printf "%.2f", a / b }')"
	done
done
cat "$work/lines"

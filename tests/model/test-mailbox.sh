#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Exhausts the model of mailboxes, scheduling and sleep, and sees that each seeded fault in it is found.
set -u

mutants=7
model=$(dirname "$0")/mailbox.pml

if ! command -v spin >/dev/null; then
	echo "1..0 # SKIP spin is not installed (package spin)"
	exit 0
fi
case $model in /*) ;; *) model=$PWD/$model ;; esac
work=$(mktemp -d "${TMPDIR:-/tmp}/airssys-model.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
cd "$work" || exit 1

# explore MUTANT: 0 when no fault is found in all states, 1 when one is found, 2 when the search did not end
explore()
{
	spin "-DMUTANT=$1" -a "$model" >log 2>&1 && ${CC:-cc} -O2 -w -DSAFETY -DCOLLAPSE -DMEMLIM=1024 -o pan pan.c >>log 2>&1 || return 2
	timeout 120 ./pan -m200000 >log 2>&1 || return 2
	! grep -q 'errors: [1-9]' log || return 1
	grep -q 'errors: 0' log || return 2
	# pan says so when it gave up.
	! grep -q 'max search depth too small\|out of memory\|Search not completed' log || return 2
}

echo "1..$((mutants + 1))"
explore 0
case $? in
0) echo "ok 1 - every message is handled once, in order, by one worker at a time" ;;
*) echo "not ok 1 - every message is handled once, in order, by one worker at a time"; sed 's/^/# /' log ;;
esac
i=1
while [ $i -le $mutants ]; do
	explore $i
	if [ $? -eq 1 ]; then
		echo "ok $((i + 1)) - seeded fault $i is found"
	else
		echo "not ok $((i + 1)) - seeded fault $i is found"
		sed 's/^/# /' log
	fi
	i=$((i + 1))
done

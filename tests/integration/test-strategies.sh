#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# SIGKILL for each service under each strategy: exactly those are restarted that the strategy names.
. "${top_srcdir:-.}/tests/integration/lib.sh"

leaves="a b c d"
# shellcheck disable=SC2086
for strategy in one-for-one one-for-all rest-for-one; do
	for leaf in $leaves; do service "$leaf-$strategy"; done
	unit "$strategy.supervisor" <<-EOF
		[Supervisor]
		Strategy=$strategy
		Intensity=100
		Children=$(for leaf in $leaves; do printf '%s-%s ' "$leaf" "$strategy"; done)
	EOF
done
service bystander

# Those that have to change when one is killed.
expected() {
	case $1 in
	one-for-one) echo "$2" ;;
	one-for-all) echo "$leaves" ;;
	rest-for-one) sed "s/.*$2/$2/" <<<"$leaves" ;;
	esac
}

start_daemon
for strategy in one-for-one one-for-all rest-for-one; do
	for leaf in $leaves; do
		declare -A before=()
		for l in $leaves; do before[$l]=$(pid_of "$l-$strategy"); done
		bystander=$(pid_of bystander)
		kill -KILL "${before[$leaf]}"
		changed=$(expected "$strategy" "$leaf")
		last=${changed##* }
		happens "$strategy: $leaf killed, $last is restarted" \
			'has_new_pid "$last-$strategy" "${before[$last]}"'
		now=
		for l in $leaves; do
			[ "$(pid_of "$l-$strategy")" = "${before[$l]}" ] || now="$now $l"
		done
		is "${now# }" "$changed" "$strategy: $leaf killed, the right ones have new pids"
		is "$(pid_of bystander)" "$bystander" "$strategy: $leaf killed, a bystander keeps its pid"
	done
done

status=$(ctl status "b-rest-for-one")
like "$status" 'killed by SIGKILL' "status says what ended it"
like "$status" 'rest-for-one' "status says which strategy acted"
stop_daemon
is "$daemon_status" 0 "SIGTERM ends airssysd with status 0"
finish

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Intensity exceeded: the supervisor ends its services and its own supervisor acts; the root outlives all.
. "${top_srcdir:-.}/tests/integration/lib.sh"

service a
service b
service c
service bystander
unit inner.supervisor <<EOF
[Supervisor]
Strategy=one-for-one
Intensity=1
Period=1h
Children=a b
EOF
unit outer.supervisor <<EOF
[Supervisor]
Strategy=one-for-one
Intensity=1
Period=1h
Children=inner c
EOF

kill_and_await() {
	local pid
	pid=$(pid_of "$1")
	kill -KILL "$pid"
	happens "$2" "has_new_pid $1 $pid"
}

start_daemon
bystander=$(pid_of bystander)
b=$(pid_of b)
c=$(pid_of c)
kill_and_await a "first end within the period: a is restarted"
is "$(pid_of b)" "$b" "b is not"
kill_and_await a "second end: the intensity of inner is exceeded, its supervisor restarts it"
happens "b was restarted with its supervisor" "has_new_pid b $b"
is "$(pid_of c)" "$c" "c, which stands beside it, is not touched"
like "$(cat "$T/daemon.log")" 'inner' "the escalation is told"
b=$(pid_of b)
kill_and_await a "the window of inner began anew"
# The root gives up what exceeds its intensity of 5 within 10 s, and lives on.
escalate() {
	local pid
	for _ in 1 2; do
		pid=$(pid_of a)
		kill -KILL "$pid"
		await "$LIMIT" "has_new_pid a $pid || has_failed outer"
	done
}

kill -KILL "$(pid_of a)"
happens "the intensity of outer is exceeded: everything below it is restarted by the root" \
	"has_new_pid c $c && is_running a && is_running b"
b=$(pid_of b)
c=$(pid_of c)
is "$(property outer Restarts)" 1 "which counts as one restart of outer"
for _ in 1 2 3 4 5 6; do
	has_failed outer && break
	escalate
	escalate
done
happens "outer is given up" 'has_failed outer'
is "$(pid_of bystander)" "$bystander" "the root lives on, and what is not below outer runs"
happens "everything below it is down" '[ "$(leftovers | wc -l)" -le 4 ]'
exits 3 "status of a service below it is 3" ctl status c
exits 0 "it can be started again" ctl start outer
happens "and its services run" 'is_running a && is_running b && is_running c'
stop_daemon
is "$daemon_status" 0 "SIGTERM ends airssysd with status 0"
finish

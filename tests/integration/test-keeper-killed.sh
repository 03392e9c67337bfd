#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# airssysd killed: services run on, and the next one takes them over, and nobody else's process.
. "${top_srcdir:-.}/tests/integration/lib.sh"

service a
service b
service c
unit group.supervisor <<EOF
[Supervisor]
Strategy=rest-for-one
Intensity=1000
Children=a b c
EOF

kill_keeper() {
	local core
	core=$(core_pid)
	kill -KILL "$daemon"
	wait "$daemon" 2>/dev/null
	daemon=
	happens "the core ends with its keeper" "gone $core"
}

start_daemon
happens "everything runs" 'is_running a && is_running b && is_running c'
before=$(pids_of a b c)
kill_keeper
is "$(for p in $before; do gone "${p#*=}" && echo "$p"; done)" "" "all services run on"
exits 1 "airssysctl fails without a daemon" ctl status a

start_daemon
happens "a new keeper is ready" 'is_running a && is_running b && is_running c'
is "$(pids_of a b c)" "$before" "it has taken over all services with their pids"
is "$(grep -c start "$T/trace")" 3 "none was started again"
c=$(pid_of c)
kill -KILL "$c"
happens "it supervises them: one that is killed is restarted" "has_new_pid c $c"

# One ends while there is no keeper.
before=$(pids_of a b)
c=$(pid_of c)
kill_keeper
kill -KILL "$c"
happens "a service ended while there was no keeper" "gone $c"
start_daemon
happens "the next keeper starts it again" "has_new_pid c $c"
is "$(pids_of a b)" "$before" "and takes over the others"

# A file gets a mistake while there is no keeper: the service goes on as it was.
cp "$T/units/a.actor" "$T/a.right"
before=$(pids_of a b c)
kill_keeper
sed 's/^ExecStart=.*/&\nRestart=whenever/' "$T/a.right" | unit a.actor
start_daemon
happens "a new keeper takes over a service whose file has a mistake now" 'is_running a'
is "$(pids_of a b c)" "$before" "and ends none"
like "$(cat "$T/daemon.log")" 'a\.actor:[0-9]+: error' "and says what is wrong"
a=$(pid_of a)
kill -KILL "$a"
happens "it is restarted as it was" "has_new_pid a $a"
happens "everything behind it runs again" 'is_running b && is_running c'
unit a.actor <"$T/a.right"
succeeds "the corrected file is read" ctl daemon-reload

# What was taken over twice still stops in order.
: >"$T/trace"
pids=$(pids_of a b c)
stop_daemon
is "$daemon_status" 0 "SIGTERM ends airssysd with status 0"
is "$(trace)" "stop c stop b stop a" "services that were taken over stop in reverse order"
unlike "$(sed -n '/being stopped/,$p' "$T/daemon.log")" 'has failed' "and none of them is said to have failed"
is "$(for p in $pids; do gone "${p#*=}" || echo "$p"; done)" "" "no service is left"
finish
